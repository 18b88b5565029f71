//! Certificates and honours as they are kept: those issued here, and those that people brought from elsewhere. What one says is in
//! its record; whether it still holds is decided by the withdrawals held (`record`).

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Built, Cells, all, args, number, one, run};
use jiff::civil::Date;
use kepu_domain::create::credential::Reach;
use kepu_domain::ids::{KeyId, OrgId, PartyId, SubjectId};

/// A kept certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Empty: issued here. Else the fingerprint of its issuer.
    pub origin: String,
    /// Number, unique for its origin.
    pub number: String,
    /// Its subject, under which it may be withdrawn.
    pub subject: SubjectId,
    /// The holder's entry in this registry.
    pub party: PartyId,
    /// The holder's institution; empty if it is not of this node.
    pub org: OrgId,
    /// Day of issue.
    pub issued: Date,
    /// The key that signed it.
    pub signer: KeyId,
    /// Its number in that key's library.
    pub n: i64,
    /// Kind, as in the credential.
    pub kind: String,
    /// Who may read it.
    pub reach: Reach,
    /// What only the paper knows: with it the public page shows what the paper must say.
    pub code: String,
    /// The signed record with its proof; empty if its body was erased, or stands with the other records.
    pub record: String,
}

macro_rules! columns {
    () => {
        "origin, number, subject, party, org, issued, signer, n, kind, reach, code, record"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Row, StoreError> {
    Ok(Row {
        origin: c.text()?,
        number: c.text()?,
        subject: c.id()?,
        party: c.id()?,
        org: c.id()?,
        issued: c.text()?.parse().map_err(|error| c.corrupt(error))?,
        signer: c.id()?,
        n: c.int()?,
        kind: c.text()?,
        reach: if c.text()? == "public" { Reach::Public } else { Reach::Holder },
        code: c.text()?,
        record: c.text()?,
    })
}

/// Adds one, unless its number or its subject stands there already; says whether it was added.
pub async fn insert_once(tx: &mut Tx, row: &Row) -> Result<bool, StoreError> {
    const SQL: &str = concat!("INSERT INTO credential (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING");
    let reach = if row.reach == Reach::Public { "public" } else { "holder" };
    let args = args![
        &row.origin,
        &row.number,
        row.subject.as_str(),
        row.party.as_str(),
        row.org.as_str(),
        row.issued.to_string(),
        row.signer.as_str(),
        row.n,
        &row.kind,
        reach,
        &row.code,
        &row.record
    ];
    Ok(run(tx, "keep a certificate", SQL, args).await? == 1)
}

/// The one that this node issued under `number`.
pub async fn find(tx: &mut Tx, number: &str) -> Result<Option<Row>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM credential WHERE origin = '' AND number = $1");
    one(tx, "find a certificate", SQL, args![number], read).await
}

/// The one about `subject`, wherever it was issued.
pub async fn find_by_subject(tx: &mut Tx, subject: &SubjectId) -> Result<Option<Row>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM credential WHERE subject = $1");
    one(tx, "find a certificate", SQL, args![subject.as_str()], read).await
}

/// Those of a party, newest first, at most `limit`.
pub async fn list_by_party(tx: &mut Tx, party: &PartyId, limit: u32) -> Result<Vec<Row>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM credential WHERE party = $1 ORDER BY issued DESC, number DESC, origin LIMIT $2");
    all(tx, "list certificates of a party", SQL, args![party.as_str(), limit], read).await
}

/// Those issued here for people of these institutions or ones below them (`None`: of any), newest first, from number `skip` on, at most `limit`.
pub async fn list_issued(tx: &mut Tx, orgs: Option<&[OrgId]>, skip: u32, limit: u32) -> Result<Vec<Row>, StoreError> {
    if orgs.is_some_and(<[OrgId]>::is_empty) {
        return Ok(vec![]);
    }
    let mut query = Built::new(concat!("SELECT ", columns!(), " FROM credential WHERE origin = ''"));
    crate::org::push_below(&mut query, orgs.unwrap_or_default());
    query.push(" ORDER BY issued DESC, number DESC LIMIT {} OFFSET {}", args![limit, skip]);
    let (sql, args) = query.done();
    all(tx, "list issued certificates", sql, args, read).await
}

/// How many [`list_issued`] would find without a limit.
pub async fn count_issued(tx: &mut Tx, orgs: Option<&[OrgId]>) -> Result<i64, StoreError> {
    if orgs.is_some_and(<[OrgId]>::is_empty) {
        return Ok(0);
    }
    let mut query = Built::new("SELECT COUNT(*) FROM credential WHERE origin = ''");
    crate::org::push_below(&mut query, orgs.unwrap_or_default());
    let (sql, args) = query.done();
    number(tx, "count issued certificates", sql, args).await
}

/// Erases the bodies kept for a party that left; numbers stay, so that a paper that is shown can still be judged.
pub async fn erase_bodies(tx: &mut Tx, party: &PartyId) -> Result<u64, StoreError> {
    run(tx, "erase certificates", "UPDATE credential SET record = '' WHERE party = $1", args![party.as_str()]).await
}

/// Gives the certificates of one party to another, with which it was merged.
pub async fn move_party(tx: &mut Tx, from: &PartyId, into: &PartyId) -> Result<(), StoreError> {
    run(tx, "move certificates", "UPDATE credential SET party = $2 WHERE party = $1", args![from.as_str(), into.as_str()]).await.map(drop)
}
