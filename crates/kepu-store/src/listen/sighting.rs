//! Sightings of claims: counts by hour, county and channel. No column can hold a text or name anybody.

use crate::bulk::bulk_insert;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{all, all_in, args, run};
use crate::value::Value;
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::sighting::{Channel, Sighting};
use kepu_domain::org::Region;

/// Adds counts to what is there. Rows of one claim, hour, channel and county must not come twice in `rows`.
pub async fn add(tx: &mut Tx, rows: &[Sighting]) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO sighting (claim, hour, channel, region, count) VALUES";
    const OVER: &str = " ON CONFLICT (claim, hour, channel, region) DO UPDATE SET count = sighting.count + excluded.count";
    let rows: Vec<&Sighting> = rows.iter().collect();
    let bind = |row: &&Sighting, values: &mut Vec<Value<'_>>| {
        values.extend(args![row.claim.0.clone(), row.hour, row.channel.as_str(), row.region.to_string(), row.count]);
    };
    bulk_insert(tx, "count sightings", SQL, 5, OVER, &rows, |row, values: &mut Vec<Value<'_>>| bind(row, values)).await.map(drop)
}

/// How often any of `claims` was met, by hour.
pub async fn by_hour(tx: &mut Tx, claims: &[SubjectId]) -> Result<Vec<(i64, i64)>, StoreError> {
    const PARTS: (&str, &str) = ("SELECT hour, CAST(SUM(count) AS BIGINT) FROM sighting WHERE claim IN (", ") GROUP BY hour ORDER BY hour");
    all_in(tx, "sum up sightings", PARTS, claims, |id| args![id.as_str()], |c| Ok((c.int()?, c.int()?))).await
}

/// How often any of `claims` was met, by county.
pub async fn by_region(tx: &mut Tx, claims: &[SubjectId]) -> Result<Vec<(Region, i64)>, StoreError> {
    const PARTS: (&str, &str) = ("SELECT region, CAST(SUM(count) AS BIGINT) FROM sighting WHERE claim IN (", ") GROUP BY region ORDER BY region");
    all_in(tx, "sum up sightings by place", PARTS, claims, |id| args![id.as_str()], |c| Ok((c.region()?, c.int()?))).await
}

/// How often any of `claims` was met, by channel.
pub async fn by_channel(tx: &mut Tx, claims: &[SubjectId]) -> Result<Vec<(Channel, i64)>, StoreError> {
    const PARTS: (&str, &str) = ("SELECT channel, CAST(SUM(count) AS BIGINT) FROM sighting WHERE claim IN (", ") GROUP BY channel ORDER BY channel");
    all_in(tx, "sum up sightings by channel", PARTS, claims, |id| args![id.as_str()], |c| Ok((c.word(Channel::parse)?, c.int()?))).await
}

/// Claims met at `since` (hours since 1970) or later, the most often met first, at most `limit`.
pub async fn list_since(tx: &mut Tx, since: i64, limit: u32) -> Result<Vec<(SubjectId, i64)>, StoreError> {
    const SQL: &str = "
        SELECT claim, CAST(SUM(count) AS BIGINT) AS times FROM sighting WHERE hour >= $1
        GROUP BY claim ORDER BY times DESC, claim LIMIT $2";
    all(tx, "list claims by sightings", SQL, args![since, limit], |c| Ok((c.id()?, c.int()?))).await
}

/// Rows of hours before `before`, the latest first, at most `limit`.
pub async fn list_before(tx: &mut Tx, before: i64, limit: u32) -> Result<Vec<Sighting>, StoreError> {
    const SQL: &str = "
        SELECT claim, hour, channel, region, count FROM sighting WHERE hour < $1
        ORDER BY hour DESC, claim, channel, region LIMIT $2";
    all(tx, "list sightings", SQL, args![before, limit], |c| {
        Ok(Sighting { claim: c.id()?, hour: c.int()?, channel: c.word(Channel::parse)?, region: c.region()?, count: c.int()? })
    })
    .await
}

/// Removes one row, when its count has gone into a coarser one.
pub async fn remove(tx: &mut Tx, row: &Sighting) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM sighting WHERE claim = $1 AND hour = $2 AND channel = $3 AND region = $4";
    run(tx, "remove a sighting", SQL, args![row.claim.as_str(), row.hour, row.channel.as_str(), row.region.to_string()]).await.map(drop)
}
