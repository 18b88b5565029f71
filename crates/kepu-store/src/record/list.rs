//! Lists of records: by subject, by arrival, by key. The record itself is in `record`.

use super::{Row, code, read, select_row};
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{all, all_in, args};
use crate::value::like_escape;
use kepu_domain::ids::{KeyId, SubjectId};
use kepu_domain::org::Region;
use kepu_domain::record::{DocHash, Stream};

/// Which places' records are wanted. With an empty `chain` and no `below_prefix`: all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegionFilter {
    /// These places exactly; from the nation down to one place at most four (`Region::chain`), further ones are not looked at.
    pub chain: Vec<Region>,
    /// And every place whose code begins so: `41` for a province, empty text for the nation.
    pub below_prefix: Option<String>,
}

/// All records about `subjects`, by subject, key, stream, number.
pub async fn list_by_subjects(tx: &mut Tx, subjects: &[SubjectId]) -> Result<Vec<Row>, StoreError> {
    const HEAD: &str = concat!(select_row!(), "WHERE r.subject IN (");
    let mut rows = all_in(tx, "list the records of subjects", (HEAD, ")"), subjects, |id| args![id.as_str()], read).await?;
    rows.sort_by(|a, b| (&a.subject, &a.key, a.stream, a.n).cmp(&(&b.subject, &b.key, b.stream, b.n)));
    // A subject asked for twice in two batches would come twice.
    rows.dedup_by(|a, b| a.key == b.key && a.stream == b.stream && a.n == b.n);
    Ok(rows)
}

/// All that decides about trust: the trust stream, and proofs of forks from the alert stream. In order of arrival.
pub async fn list_trust(tx: &mut Tx) -> Result<Vec<Row>, StoreError> {
    const SQL: &str = concat!(select_row!(), "WHERE r.stream = 0 OR (r.stream = 1 AND r.kind = 'fork') ORDER BY r.arrival, r.signer, r.stream, r.n");
    all(tx, "list the records of trust", SQL, vec![], read).await
}

/// The subjects on which `key` said something in the alert and library streams, in order of their ids.
pub async fn list_by_signer(tx: &mut Tx, key: &KeyId) -> Result<Vec<SubjectId>, StoreError> {
    const SQL: &str = "
        SELECT DISTINCT subject FROM record
        WHERE signer = (SELECT id FROM signer WHERE did = $1) AND stream IN (1, 2) ORDER BY subject";
    all(tx, "list the subjects of a key", SQL, args![key.as_str()], |c| c.id()).await
}

/// Records of `stream` that arrived after `after` and up to `up_to`, oldest first or (`descending`) newest first, at most `limit`.
pub async fn list_arrivals(
    tx: &mut Tx,
    stream: Stream,
    after: i64,
    up_to: i64,
    regions: &RegionFilter,
    limit: u32,
    descending: bool,
) -> Result<Vec<Row>, StoreError> {
    macro_rules! arrivals {
        ($order:literal) => {
            concat!(
                select_row!(),
                "WHERE r.stream = $1 AND r.arrival > $2 AND r.arrival <= $3
                   AND ($4 = 1 OR r.region IN ($5, $6, $7, $8) OR r.region LIKE $9 ESCAPE '\\') ",
                $order
            )
        };
    }
    const UP: &str = arrivals!("ORDER BY r.arrival, r.signer, r.n LIMIT $10");
    const DOWN: &str = arrivals!("ORDER BY r.arrival DESC, r.signer DESC, r.n DESC LIMIT $10");
    let everywhere = i64::from(regions.chain.is_empty() && regions.below_prefix.is_none());
    let place = |at: usize| regions.chain.get(at).map(Region::to_string).unwrap_or_default();
    let below = regions.below_prefix.as_ref().map(|prefix| format!("{}%", like_escape(prefix))).unwrap_or_default();
    let args = args![code(stream), after, up_to, everywhere, place(0), place(1), place(2), place(3), below, limit];
    all(tx, "list arrived records", if descending { DOWN } else { UP }, args, read).await
}

/// Records of `stream` that arrived after `after` and up to `up_to` and did not come from `peer`, oldest first, at most `limit`.
pub async fn list_news(tx: &mut Tx, stream: Stream, after: i64, up_to: i64, peer: &KeyId, limit: u32) -> Result<Vec<Row>, StoreError> {
    const SQL: &str =
        concat!(select_row!(), "WHERE r.stream = $1 AND r.arrival > $2 AND r.arrival <= $3 AND r.source <> $4 ORDER BY r.arrival, r.signer, r.n LIMIT $5");
    all(tx, "list what a peer has not said", SQL, args![code(stream), after, up_to, peer.as_str(), limit], read).await
}

/// All records in the order of their keys (signer number, stream, n), after `after`, at most `limit`; each with the
/// signer's number, from which the next `after` is made.
pub async fn list_all(tx: &mut Tx, after: Option<(i64, Stream, i64)>, limit: u32) -> Result<Vec<(i64, Row)>, StoreError> {
    const SQL: &str = concat!(
        "SELECT a.did, a.stream, a.n, a.arrival, a.doc_hash, a.modified, a.sig, a.doc, a.kind, a.subject, a.region,
                a.fields, a.lang, a.source, a.refusal, a.signer FROM (",
        "SELECT s.did, r.* FROM record r JOIN signer s ON s.id = r.signer
         WHERE (r.signer, r.stream, r.n) > ($1, $2, $3) ORDER BY r.signer, r.stream, r.n LIMIT $4",
        ") a ORDER BY a.signer, a.stream, a.n"
    );
    let (signer, stream, n) = after.map_or((-1, 0, 0), |(signer, stream, n)| (signer, code(stream), n));
    all(tx, "list all records", SQL, args![signer, stream, n, limit], |c| {
        let row = read(c)?;
        Ok((c.int()?, row))
    })
    .await
}

/// What decides whether a record lies within a scope, without the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Light {
    /// The signer's number; see [`super::names_of`].
    pub signer: i64,
    /// Its number in the stream.
    pub n: i64,
    /// Where it is meant for.
    pub region: Region,
    /// Fields.
    pub fields: Vec<String>,
    /// Language.
    pub lang: String,
}

/// The records of `stream` that arrived after `after` and up to `up_to`, in no order, without their bytes.
pub async fn list_light(tx: &mut Tx, stream: Stream, after: i64, up_to: i64) -> Result<Vec<Light>, StoreError> {
    const SQL: &str = "SELECT signer, n, region, fields, lang FROM record WHERE stream = $1 AND arrival > $2 AND arrival <= $3";
    all(tx, "look through arrived records", SQL, args![code(stream), after, up_to], |c| {
        Ok(Light { signer: c.int()?, n: c.int()?, region: c.region()?, fields: c.list()?, lang: c.text()? })
    })
    .await
}

/// The records of a stream numbered `from..=to`, highest first, at most `limit`.
pub async fn list_range(tx: &mut Tx, key: &KeyId, stream: Stream, from: i64, to: i64, limit: u32) -> Result<Vec<Row>, StoreError> {
    const SQL: &str = concat!(
        select_row!(),
        "WHERE r.signer = (SELECT id FROM signer WHERE did = $1) AND r.stream = $2 AND r.n >= $3 AND r.n <= $4 ORDER BY r.n DESC LIMIT $5"
    );
    all(tx, "list a part of a stream", SQL, args![key.as_str(), code(stream), from, to, limit], read).await
}

/// Number and document hash of the records of a stream after number `after`, by number, at most `limit`.
pub async fn list_doc_hashes(tx: &mut Tx, key: &KeyId, stream: Stream, after: i64, limit: u32) -> Result<Vec<(i64, DocHash)>, StoreError> {
    const SQL: &str = "
        SELECT n, doc_hash FROM record
        WHERE signer = (SELECT id FROM signer WHERE did = $1) AND stream = $2 AND n > $3 ORDER BY n LIMIT $4";
    all(tx, "list the hashes of a stream", SQL, args![key.as_str(), code(stream), after, limit], |c| Ok((c.int()?, c.hash()?))).await
}

/// Records that do not count, newest arrival first.
pub async fn list_refused(tx: &mut Tx, limit: u32) -> Result<Vec<Row>, StoreError> {
    const SQL: &str = concat!(select_row!(), "WHERE r.refusal <> '' ORDER BY r.arrival DESC, r.signer, r.stream, r.n LIMIT $1");
    all(tx, "list refused records", SQL, args![limit], read).await
}
