//! The audit log: appending, reading, checking the chain. There is no function that changes or removes a row.
//! What an entry is and how it is hashed stands in `kepu-domain::log`.

use crate::counter;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Built, Cells, all, args, one, run};
use jiff::Timestamp;
use kepu_domain::log::{Break, Entry, GENESIS};

const COUNTER: &str = "log";

/// An entry with the hashes stored beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The entry.
    pub entry: Entry,
    /// Hash of the entry before it.
    pub prev_hash: String,
    /// Its own hash.
    pub hash: String,
}

/// Which entries; `None` asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Exactly this actor.
    pub who: Option<String>,
    /// Exactly this action.
    pub action: Option<String>,
    /// Exactly this object.
    pub object: Option<String>,
    /// `ok` or `refused`.
    pub result: Option<String>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

/// What a check of the whole chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every entry follows from the one before it.
    Whole {
        /// How many entries.
        entries: i64,
        /// Hash of the last one; all zeros if there is none.
        head: String,
    },
    /// The chain is broken.
    Broken {
        /// The first number at which it is.
        seq: i64,
        /// What is wrong there.
        cause: Break,
    },
}

fn read_entry(c: &mut Cells<'_>) -> Result<Entry, StoreError> {
    Ok(Entry { seq: c.int()?, at: c.time()?, who: c.text()?, action: c.text()?, object: c.text()?, result: c.text()?, detail: c.text()? })
}

fn read(c: &mut Cells<'_>) -> Result<Stored, StoreError> {
    Ok(Stored { entry: read_entry(c)?, prev_hash: c.text()?, hash: c.text()? })
}

/// Appends an entry. Writers wait for each other until their transactions end, so that the chain has no branches.
pub async fn append(tx: &mut Tx, now: Timestamp, who: &str, action: &str, object: &str, result: &str, detail: &str) -> Result<Entry, StoreError> {
    const LAST: &str = "SELECT hash FROM log WHERE seq = $1";
    const SQL: &str = "
        INSERT INTO log (seq, at, who, action, object, result, detail, prev_hash, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let seq = counter::take(tx, COUNTER, 1).await?;
    let prev_hash = match one(tx, "read the end of the log", LAST, args![seq - 1], |c| c.text()).await? {
        Some(hash) => hash,
        None if seq == 1 => GENESIS.to_owned(),
        None => return Err(StoreError::Corrupt { what: "log entry", id: (seq - 1).to_string(), cause: "it is missing".into() }),
    };
    let at = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
    let [who, action, object, result, detail] = [who, action, object, result, detail].map(str::to_owned);
    let entry = Entry { seq, at, who, action, object, result, detail };
    let hash = entry.hash(&prev_hash);
    let Entry { who, action, object, result, detail, .. } = &entry;
    run(tx, "append to the log", SQL, args![seq, at, who, action, object, result, detail, prev_hash, hash]).await?;
    Ok(entry)
}

/// Entries before number `before` (`None`: from the end), newest first, at most `limit`.
pub async fn list(tx: &mut Tx, filter: &Filter, before: Option<i64>, limit: u32) -> Result<Vec<Entry>, StoreError> {
    let mut query = Built::new("SELECT seq, at, who, action, object, result, detail FROM log WHERE TRUE");
    let equal =
        [(" AND who = {}", &filter.who), (" AND action = {}", &filter.action), (" AND object = {}", &filter.object), (" AND result = {}", &filter.result)];
    for (piece, value) in equal {
        if let Some(value) = value {
            query.push(piece, args![value.as_str()]);
        }
    }
    for (piece, time) in [(" AND at >= {}", filter.since), (" AND at < {}", filter.until)] {
        if let Some(time) = time {
            query.push(piece, args![time]);
        }
    }
    if let Some(before) = before {
        query.push(" AND seq < {}", args![before]);
    }
    query.push(" ORDER BY seq DESC LIMIT {}", args![limit]);
    let (sql, args) = query.done();
    all(tx, "list the log", sql, args, read_entry).await
}

/// Entries after number `after` with their stored hashes, oldest first, at most `limit`.
pub async fn list_after(tx: &mut Tx, after: i64, limit: u32) -> Result<Vec<Stored>, StoreError> {
    const SQL: &str = "
        SELECT seq, at, who, action, object, result, detail, prev_hash, hash FROM log
        WHERE seq > $1 ORDER BY seq LIMIT $2";
    all(tx, "read the log", SQL, args![after, limit], read).await
}

/// The entry with this number.
pub async fn find(tx: &mut Tx, seq: i64) -> Result<Option<Stored>, StoreError> {
    const SQL: &str = "SELECT seq, at, who, action, object, result, detail, prev_hash, hash FROM log WHERE seq = $1";
    one(tx, "read an entry of the log", SQL, args![seq], read).await
}

/// The last entry.
pub async fn last(tx: &mut Tx) -> Result<Option<Stored>, StoreError> {
    let seq = counter::last(tx, COUNTER).await?;
    find(tx, seq).await
}

/// Checks the whole chain: numbers without gaps, every hash, and that nothing is missing at the end.
pub async fn verify(tx: &mut Tx) -> Result<Verdict, StoreError> {
    const PAGE: u32 = 2_000;
    let (mut seq, mut head) = (0, GENESIS.to_owned());
    loop {
        let page = list_after(tx, seq, PAGE).await?;
        for stored in &page {
            seq += 1;
            let cause = if stored.entry.seq != seq {
                Break::Missing
            } else if stored.prev_hash != head {
                Break::Detached
            } else if stored.hash != stored.entry.hash(&head) {
                Break::Changed
            } else {
                head = stored.hash.clone();
                continue;
            };
            return Ok(Verdict::Broken { seq, cause });
        }
        if page.len() < PAGE as usize {
            break;
        }
    }
    match counter::last(tx, COUNTER).await? {
        last if last == seq => Ok(Verdict::Whole { entries: seq, head }),
        _ => Ok(Verdict::Broken { seq: seq + 1, cause: Break::Missing }),
    }
}
