//! The ledger of contributions. Rules are in `kepu-domain::measure::contribution`.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Built, Cells, all, args, must, one, run, run_versioned};
use jiff::civil::Date;
use kepu_domain::ids::{ContributionId, OrgId, PartyId};
use kepu_domain::measure::contribution::Contribution;

fn read(c: &mut Cells<'_>) -> Result<Contribution, StoreError> {
    let version = c.int()?;
    let doc = c.text()?;
    let line: Contribution =
        serde_json::from_str(&doc).map_err(|e| StoreError::Corrupt { what: "contribution", id: doc.chars().take(40).collect(), cause: e.to_string() })?;
    Ok(Contribution { version, ..line })
}

fn doc_of(line: &Contribution) -> String {
    // Texts, numbers and dates only: nothing that JSON could not hold.
    serde_json::to_string(line).unwrap_or_default()
}

/// Adds a line, unless the same deed of the same party stands there already; says whether it was added.
pub async fn insert_once(tx: &mut Tx, line: &Contribution) -> Result<bool, StoreError> {
    const SQL: &str = "
        INSERT INTO contribution (id, party, kind, object, host, day, stage, version, doc)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8) ON CONFLICT (party, kind, object) DO NOTHING";
    let args =
        args![line.id.as_str(), line.party.as_str(), &line.kind, &line.object, line.host.as_str(), line.day.to_string(), line.stage.name(), doc_of(line)];
    Ok(run(tx, "add a contribution", SQL, args).await? == 1)
}

/// One line that must be there.
pub async fn get(tx: &mut Tx, id: &ContributionId) -> Result<Contribution, StoreError> {
    let found = one(tx, "find a contribution", "SELECT version, doc FROM contribution WHERE id = $1", args![id.as_str()], read).await?;
    must(found, "contribution", id)
}

/// Stores a changed line that was read in `line.version`.
pub async fn update(tx: &mut Tx, line: &Contribution) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE contribution SET stage = $3, doc = $4, version = version + 1 WHERE id = $1 AND version = $2";
    const EXISTS: &str = "SELECT COUNT(*) FROM contribution WHERE id = $1";
    let args = args![line.id.as_str(), line.version, line.stage.name(), doc_of(line)];
    run_versioned(tx, "change a contribution", "contribution", line.id.as_str(), SQL, args, EXISTS).await
}

/// The lines of a party whose day lies in the period, newest first, at most `limit`.
pub async fn list_by_party(tx: &mut Tx, party: &PartyId, from: Date, until: Date, limit: u32) -> Result<Vec<Contribution>, StoreError> {
    const SQL: &str = "SELECT version, doc FROM contribution WHERE party = $1 AND day >= $2 AND day <= $3 ORDER BY day DESC, id LIMIT $4";
    all(tx, "list contributions", SQL, args![party.as_str(), from.to_string(), until.to_string(), limit], read).await
}

/// The lines that wait for one of these institutions, oldest first, at most `limit`.
pub async fn list_claimed(tx: &mut Tx, hosts: &[OrgId], limit: u32) -> Result<Vec<Contribution>, StoreError> {
    if hosts.is_empty() {
        return Ok(vec![]);
    }
    let mut query = Built::new("SELECT version, doc FROM contribution WHERE stage = 'claimed' AND host IN (");
    for (at, host) in hosts.iter().take(500).enumerate() {
        query.push(if at == 0 { "{}" } else { ", {}" }, args![host.as_str()]);
    }
    query.push(") ORDER BY day, id LIMIT {}", args![limit]);
    let (sql, args) = query.done();
    all(tx, "list contributions that wait", sql, args, read).await
}
