//! Nodes above and below this one: how to reach them, what they want, how far they are. Invitations are in `invite`.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all, args, must, one, run};
use jiff::Timestamp;
use kepu_domain::ids::KeyId;

/// Where the other node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Above: this node fetches from it.
    Parent,
    /// Below: it fetches from this node.
    Child,
}

impl Direction {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::Parent => "parent",
            Direction::Child => "child",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        [Direction::Parent, Direction::Child].into_iter().find(|d| d.as_str() == text)
    }
}

/// Another node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its key.
    pub id: KeyId,
    /// Name.
    pub name: String,
    /// Above or below.
    pub direction: Direction,
    /// Address; empty for a child, which opens the connection itself.
    pub url: String,
    /// The institution that holds the key.
    pub holder: String,
    /// What is exchanged, JSON.
    pub scope: String,
    /// How far this node has fetched from it, JSON.
    pub cursor: String,
    /// Up to which of its own arrivals this node has sent to it.
    pub push_cursor: i64,
    /// Up to which arrival the other side has said that it holds everything.
    pub acked: i64,
    /// When they first met.
    pub joined_at: Timestamp,
    /// Last contact.
    pub last_seen: Option<Timestamp>,
    /// What came of it.
    pub last_result: String,
}

impl Peer {
    /// Whether the last contact ended well, or there was none yet.
    #[must_use]
    pub fn went_well(&self) -> bool {
        self.last_result.is_empty() || self.last_result.starts_with("ok")
    }
}

macro_rules! columns {
    () => {
        "id, name, direction, url, holder, scope, cursor, push_cursor, acked, joined_at, last_seen, last_result"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Peer, StoreError> {
    Ok(Peer {
        id: c.id()?,
        name: c.text()?,
        direction: c.word(Direction::parse)?,
        url: c.text()?,
        holder: c.text()?,
        scope: c.text()?,
        cursor: c.text()?,
        push_cursor: c.int()?,
        acked: c.int()?,
        joined_at: c.time()?,
        last_seen: c.opt_time()?,
        last_result: c.text()?,
    })
}

/// Adds a peer, or changes name, direction, address, holder and scope of a known one; how far it is stays.
pub async fn upsert(tx: &mut Tx, p: &Peer) -> Result<(), StoreError> {
    const SQL: &str = concat!(
        "INSERT INTO peer (",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, direction = excluded.direction, url = excluded.url,
                                        holder = excluded.holder, scope = excluded.scope"
    );
    let args = args![
        p.id.as_str(),
        &p.name,
        p.direction.as_str(),
        &p.url,
        &p.holder,
        &p.scope,
        &p.cursor,
        p.push_cursor,
        p.acked,
        p.joined_at,
        p.last_seen,
        &p.last_result
    ];
    run(tx, "store a peer", SQL, args).await.map(drop)
}

/// One peer.
pub async fn find(tx: &mut Tx, id: &KeyId) -> Result<Option<Peer>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM peer WHERE id = $1");
    one(tx, "find a peer", SQL, args![id.as_str()], read).await
}

/// One peer that must be there.
pub async fn get(tx: &mut Tx, id: &KeyId) -> Result<Peer, StoreError> {
    must(find(tx, id).await?, "peer", id)
}

/// Peers above or below (`None`: both), by name and id, at most `limit`.
pub async fn list(tx: &mut Tx, direction: Option<Direction>, limit: u32) -> Result<Vec<Peer>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM peer WHERE ($1 = '' OR direction = $1) ORDER BY name, id LIMIT $2");
    all(tx, "list peers", SQL, args![direction.map_or("", Direction::as_str), limit], read).await
}

/// Notes how far this node has fetched.
pub async fn set_cursor(tx: &mut Tx, id: &KeyId, cursor: &str) -> Result<(), StoreError> {
    change(tx, id, "UPDATE peer SET cursor = $2 WHERE id = $1", args![id.as_str(), cursor]).await
}

/// Notes how far this node has sent.
pub async fn set_push_cursor(tx: &mut Tx, id: &KeyId, arrival: i64) -> Result<(), StoreError> {
    change(tx, id, "UPDATE peer SET push_cursor = $2 WHERE id = $1", args![id.as_str(), arrival]).await
}

/// Notes up to which arrival the other side holds everything; never goes back.
pub async fn set_acked(tx: &mut Tx, id: &KeyId, arrival: i64) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE peer SET acked = CASE WHEN acked < $2 THEN $2 ELSE acked END WHERE id = $1";
    change(tx, id, SQL, args![id.as_str(), arrival]).await
}

/// Notes a contact and what came of it.
pub async fn set_seen(tx: &mut Tx, id: &KeyId, now: Timestamp, result: &str) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE peer SET last_seen = $2, last_result = $3 WHERE id = $1";
    change(tx, id, SQL, args![id.as_str(), now, result]).await
}

/// Notes what is exchanged, JSON.
pub async fn set_scope(tx: &mut Tx, id: &KeyId, scope: &str) -> Result<(), StoreError> {
    change(tx, id, "UPDATE peer SET scope = $2 WHERE id = $1", args![id.as_str(), scope]).await
}

async fn change(tx: &mut Tx, id: &KeyId, sql: &'static str, args: Vec<crate::Value<'_>>) -> Result<(), StoreError> {
    match run(tx, "change a peer", sql, args).await? {
        0 => Err(StoreError::NotFound { what: "peer", id: id.to_string() }),
        _ => Ok(()),
    }
}

/// Forgets a peer; `false` if it was unknown.
pub async fn delete(tx: &mut Tx, id: &KeyId) -> Result<bool, StoreError> {
    Ok(run(tx, "forget a peer", "DELETE FROM peer WHERE id = $1", args![id.as_str()]).await? == 1)
}
