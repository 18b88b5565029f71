//! What is held of each key's streams: the highest number and the holes below it.

use super::{code, signer_ids, signers};
use crate::bulk::bulk_insert;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all, all_in, args};
use crate::value::Value;
use kepu_domain::ids::KeyId;
use kepu_domain::record::Stream;

/// How far a stream of a key is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamHead {
    /// The key.
    pub key: KeyId,
    /// The stream.
    pub stream: Stream,
    /// The highest number held.
    pub high: i64,
    /// Missing numbers below it, as `(from, to)`, both included, in order.
    pub holes: Vec<(i64, i64)>,
}

fn read(c: &mut Cells<'_>) -> Result<StreamHead, StoreError> {
    Ok(StreamHead { key: c.id()?, stream: c.stream()?, high: c.int()?, holes: c.json()? })
}

/// Every stream of every key, by key and stream.
pub async fn heads(tx: &mut Tx) -> Result<Vec<StreamHead>, StoreError> {
    const SQL: &str = "
        SELECT s.did, h.stream, h.high, h.holes FROM stream_head h JOIN signer s ON s.id = h.signer
        ORDER BY s.did, h.stream";
    all(tx, "list the heads of streams", SQL, vec![], read).await
}

/// Those with missing numbers, by key and stream.
pub async fn open_heads(tx: &mut Tx) -> Result<Vec<StreamHead>, StoreError> {
    const SQL: &str = "
        SELECT s.did, h.stream, h.high, h.holes FROM stream_head h JOIN signer s ON s.id = h.signer
        WHERE h.holes <> '[]' ORDER BY s.did, h.stream";
    all(tx, "list streams with missing numbers", SQL, vec![], read).await
}

/// The heads of these streams, as far as anything of them is held; in no order.
pub async fn get_heads(tx: &mut Tx, streams: &[(KeyId, Stream)]) -> Result<Vec<StreamHead>, StoreError> {
    const HEAD: &str = "WITH v (signer, stream) AS (";
    const TAIL: &str = ")
        SELECT DISTINCT s.did, h.stream, h.high, h.holes FROM v
        JOIN stream_head h ON h.signer = v.signer AND h.stream = v.stream JOIN signer s ON s.id = h.signer";
    let keys: Vec<KeyId> = streams.iter().map(|(key, _)| key.clone()).collect();
    let ids = signers(tx, &keys).await?;
    let mut wanted: Vec<(i64, i64)> = streams.iter().filter_map(|(key, stream)| Some((*ids.get(key)?, code(*stream)))).collect();
    wanted.sort_unstable();
    wanted.dedup();
    all_in(tx, "read the heads of streams", (HEAD, TAIL), &wanted, |(signer, stream)| args![*signer, *stream], read).await
}

/// Stores heads over what was there. No stream may be named twice.
pub async fn put_heads(tx: &mut Tx, heads: &[StreamHead]) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO stream_head (signer, stream, high, holes) VALUES";
    const OVER: &str = "ON CONFLICT (signer, stream) DO UPDATE SET high = excluded.high, holes = excluded.holes";
    let keys: Vec<KeyId> = heads.iter().map(|head| head.key.clone()).collect();
    let ids = signer_ids(tx, &keys).await?;
    bulk_insert(tx, "store the heads of streams", SQL, 4, OVER, heads, |head, values: &mut Vec<Value<'_>>| {
        let holes = serde_json::to_string(&head.holes).unwrap_or_else(|_| "[]".into());
        values.extend([ids.get(&head.key).copied().into(), code(head.stream).into(), head.high.into(), holes.into()]);
    })
    .await
    .map(drop)
}
