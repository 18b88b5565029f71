//! The ledger of contributions. Rules are in `kepu-domain::measure::contribution`.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Built, Cells, all, args, must, number, one, run, run_versioned};
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
        INSERT INTO contribution (id, party, kind, object, host, day, stage, version, doc, units, minutes)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9, $10) ON CONFLICT (party, kind, object) DO NOTHING";
    let (day, stage) = (line.day.to_string(), line.stage.name());
    let args = args![line.id.as_str(), line.party.as_str(), &line.kind, &line.object, line.host.as_str(), day, stage, doc_of(line), line.count, line.minutes];
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

/// The lines of a party about one object, whatever their kind.
pub async fn list_by_object(tx: &mut Tx, party: &PartyId, object: &str) -> Result<Vec<Contribution>, StoreError> {
    const SQL: &str = "SELECT version, doc FROM contribution WHERE party = $1 AND object = $2 ORDER BY kind LIMIT 100";
    all(tx, "list contributions to one thing", SQL, args![party.as_str(), object], read).await
}

/// Takes a line that was read in `line.version` out of the ledger.
pub async fn delete(tx: &mut Tx, line: &Contribution) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM contribution WHERE id = $1 AND version = $2";
    const EXISTS: &str = "SELECT COUNT(*) FROM contribution WHERE id = $1";
    run_versioned(tx, "take back a contribution", "contribution", line.id.as_str(), SQL, args![line.id.as_str(), line.version], EXISTS).await
}

/// Gives the lines of one party to another, with which it was merged. A deed that both have stands once.
pub async fn move_party(tx: &mut Tx, from: &PartyId, into: &PartyId) -> Result<(), StoreError> {
    const LIST: &str = "SELECT version, doc FROM contribution WHERE party = $1 ORDER BY id";
    const MOVE: &str = "
        UPDATE contribution SET party = $2, doc = $3, version = version + 1
        WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM contribution other WHERE other.party = $2 AND other.kind = $4 AND other.object = $5)";
    for line in all(tx, "list contributions to move", LIST, args![from.as_str()], read).await? {
        let moved = Contribution { party: into.clone(), ..line };
        run(tx, "move a contribution", MOVE, args![moved.id.as_str(), into.as_str(), doc_of(&moved), &moved.kind, &moved.object]).await?;
    }
    delete_by_party(tx, from).await
}

/// Takes every line of a party out of the ledger.
pub async fn delete_by_party(tx: &mut Tx, party: &PartyId) -> Result<(), StoreError> {
    run(tx, "take back contributions", "DELETE FROM contribution WHERE party = $1", args![party.as_str()]).await.map(drop)
}

// The column of the institution has the name that `push_below` looks for.
const WAITING: &str = "FROM (SELECT id, day, object, kind, host AS org, version, doc FROM contribution WHERE stage = 'claimed') waiting WHERE 1 = 1";

/// The lines that wait for one of these institutions or one below them (`None`: for any), oldest first, at most `limit`.
pub async fn list_claimed(tx: &mut Tx, hosts: Option<&[OrgId]>, limit: u32) -> Result<Vec<Contribution>, StoreError> {
    if hosts.is_some_and(<[OrgId]>::is_empty) {
        return Ok(vec![]);
    }
    let mut query = Built::new("SELECT version, doc ");
    query.push(WAITING, vec![]);
    crate::org::push_below(&mut query, hosts.unwrap_or_default());
    query.push(" ORDER BY day, object, kind, id LIMIT {}", args![limit]);
    let (sql, args) = query.done();
    all(tx, "list contributions that wait", sql, args, read).await
}

/// How many lines [`list_claimed`] would find without a limit.
pub async fn count_claimed(tx: &mut Tx, hosts: Option<&[OrgId]>) -> Result<i64, StoreError> {
    if hosts.is_some_and(<[OrgId]>::is_empty) {
        return Ok(0);
    }
    let mut query = Built::new("SELECT COUNT(*) ");
    query.push(WAITING, vec![]);
    crate::org::push_below(&mut query, hosts.unwrap_or_default());
    let (sql, args) = query.done();
    number(tx, "count contributions that wait", sql, args).await
}

/// Confirmed lines of one kind, added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Total {
    /// Kind.
    pub kind: String,
    /// Lines.
    pub lines: i64,
    /// Parties behind them, each counted once.
    pub parties: i64,
    /// Units.
    pub units: i64,
    /// Minutes.
    pub minutes: i64,
}

/// Confirmed lines whose day lies in the period, added up by kind.
pub async fn totals(tx: &mut Tx, from: Date, until: Date) -> Result<Vec<Total>, StoreError> {
    const SQL: &str = "
        SELECT kind, COUNT(*), COUNT(DISTINCT party), CAST(SUM(units) AS BIGINT), CAST(SUM(minutes) AS BIGINT)
        FROM contribution WHERE stage = 'confirmed' AND day >= $1 AND day <= $2 GROUP BY kind ORDER BY kind";
    all(tx, "add up contributions", SQL, args![from.to_string(), until.to_string()], |c| {
        Ok(Total { kind: c.text()?, lines: c.int()?, parties: c.int()?, units: c.int()?, minutes: c.int()? })
    })
    .await
}
