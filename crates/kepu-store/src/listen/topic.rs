//! Topics and how often they were heard. When one rises and falls is in `kepu-domain::listen::topic`.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Built, Cells, all, args, must, one, run, run_versioned};
use jiff::Timestamp;
use kepu_domain::ids::{CaseId, TopicId};
use kepu_domain::listen::sighting::Channel;
use kepu_domain::listen::topic::{Phase, Topic};
use kepu_domain::org::Region;

macro_rules! columns {
    () => {
        "id, label, phase, since, last_at, raised_at, score, total, wordings, case_id, merged_into, split_from, dropped, version"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Topic, StoreError> {
    Ok(Topic {
        id: c.id()?,
        label: c.text()?,
        phase: c.word(Phase::parse)?,
        since: c.time()?,
        last_at: c.time()?,
        raised_at: c.opt_time()?,
        score: c.real()?,
        total: c.int()?,
        wordings: c.int()?,
        case: c.opt_id()?,
        merged_into: c.opt_id()?,
        split_from: c.opt_id()?,
        dropped: c.bool()?,
        version: c.int()?,
    })
}

/// Adds a topic.
pub async fn insert(tx: &mut Tx, topic: &Topic) -> Result<(), StoreError> {
    const SQL: &str = concat!("INSERT INTO topic (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)");
    let args = args![
        topic.id.as_str(),
        &topic.label,
        topic.phase.as_str(),
        topic.since,
        topic.last_at,
        topic.raised_at,
        topic.score,
        topic.total,
        topic.wordings,
        topic.case.as_ref().map(CaseId::as_str),
        topic.merged_into.as_ref().map(TopicId::as_str),
        topic.split_from.as_ref().map(TopicId::as_str),
        topic.dropped,
        topic.version
    ];
    run(tx, "add a topic", SQL, args).await.map(drop)
}

/// Stores a changed topic that was read in `topic.version`; returns it with its new version.
pub async fn update(tx: &mut Tx, topic: Topic) -> Result<Topic, StoreError> {
    const SQL: &str = "
        UPDATE topic SET label = $3, phase = $4, since = $5, last_at = $6, raised_at = $7, score = $8, total = $9, wordings = $10, case_id = $11,
                         merged_into = $12, split_from = $13, dropped = $14, version = version + 1
        WHERE id = $1 AND version = $2";
    const EXISTS: &str = "SELECT COUNT(*) FROM topic WHERE id = $1";
    let id = topic.id.as_str();
    let args = args![
        id,
        topic.version,
        &topic.label,
        topic.phase.as_str(),
        topic.since,
        topic.last_at,
        topic.raised_at,
        topic.score,
        topic.total,
        topic.wordings,
        topic.case.as_ref().map(CaseId::as_str),
        topic.merged_into.as_ref().map(TopicId::as_str),
        topic.split_from.as_ref().map(TopicId::as_str),
        topic.dropped
    ];
    run_versioned(tx, "change a topic", "topic", id, SQL, args, EXISTS).await?;
    Ok(Topic { version: topic.version + 1, ..topic })
}

/// One topic.
pub async fn find(tx: &mut Tx, id: &TopicId) -> Result<Option<Topic>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM topic WHERE id = $1");
    one(tx, "find a topic", SQL, args![id.as_str()], read).await
}

/// One topic that must be there.
pub async fn get(tx: &mut Tx, id: &TopicId) -> Result<Topic, StoreError> {
    must(find(tx, id).await?, "topic", id)
}

/// Topics that were heard since `since`, whatever became of them, the latest first, at most `limit`.
pub async fn list_since(tx: &mut Tx, since: Timestamp, limit: u32) -> Result<Vec<Topic>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM topic WHERE last_at >= $1 ORDER BY last_at DESC, id LIMIT $2");
    all(tx, "list topics", SQL, args![since, limit], read).await
}

/// Topics that are not over, the latest first, at most `limit`.
pub async fn list_live(tx: &mut Tx, limit: u32) -> Result<Vec<Topic>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM topic WHERE phase IN ('asked', 'held', 'rising', 'falling') ORDER BY last_at DESC, id LIMIT $1");
    all(tx, "list topics that are not over", SQL, args![limit], read).await
}

/// Adds to how often a topic was heard.
pub async fn add_heard(tx: &mut Tx, id: &TopicId, hour: i64, channel: Channel, region: Region, count: i64) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO topic_hour (topic, hour, channel, region, count) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (topic, hour, channel, region) DO UPDATE SET count = topic_hour.count + excluded.count";
    run(tx, "count a topic", SQL, args![id.as_str(), hour, channel.as_str(), region.to_string(), count]).await.map(drop)
}

/// How often some topics were heard in one hour, channel and place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Hour since 1970.
    pub hour: i64,
    /// Channel.
    pub channel: Channel,
    /// County at most.
    pub region: Region,
    /// How often.
    pub count: i64,
}

/// How often any of `topics` was heard, from hour `from` on, in order of time; at most `limit` rows.
pub async fn list_heard(tx: &mut Tx, topics: &[TopicId], from: i64, limit: u32) -> Result<Vec<Heard>, StoreError> {
    let mut query = Built::new("SELECT hour, channel, region, CAST(SUM(count) AS BIGINT) FROM topic_hour WHERE topic IN (");
    for (at, topic) in topics.iter().enumerate() {
        query.push(if at == 0 { "{}" } else { ", {}" }, args![topic.as_str()]);
    }
    if topics.is_empty() {
        return Ok(vec![]);
    }
    query.push(") AND hour >= {} GROUP BY hour, channel, region ORDER BY hour, channel, region LIMIT {}", args![from, limit]);
    let (sql, args) = query.done();
    all(tx, "list how often topics were heard", sql, args, |c| {
        Ok(Heard { hour: c.int()?, channel: c.word(Channel::parse)?, region: c.region()?, count: c.int()? })
    })
    .await
}

/// Forgets counts of hours before `before`. Returns how many rows.
pub async fn purge_heard(tx: &mut Tx, before: i64) -> Result<u64, StoreError> {
    run(tx, "forget old counts of topics", "DELETE FROM topic_hour WHERE hour < $1", args![before]).await
}

/// Forgets the labels of topics that nobody heard of since `before` and that no case works on. Returns how many.
pub async fn purge_labels(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    const SQL: &str = "UPDATE topic SET label = '' WHERE last_at < $1 AND phase = 'over' AND label <> ''";
    run(tx, "forget the labels of old topics", SQL, args![before]).await
}
