//! Official warnings as the records held pass them on, what was seen of their ends, when guidance stood beside them, and messages as they came.
//! What ends what is decided in `kepu-domain::deliver::warning`.

use crate::bulk::bulk_insert;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Built, Cells, all, all_in, args, must, number, one, run, run_in, run_versioned};
use crate::value::Value;
use jiff::Timestamp;
use kepu_domain::deliver::warning::{Name, Warning};
use kepu_domain::ids::{KeyId, SubjectId};
use kepu_domain::record::DocHash;
use sha2::{Digest, Sha256};

/// A warning as one node passes it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its subject.
    pub subject: SubjectId,
    /// Who passes it on.
    pub signer: KeyId,
    /// The record.
    pub doc_hash: DocHash,
    /// What it says.
    pub warning: Warning,
    /// Whether another message ended it.
    pub ended: bool,
}

fn read(c: &mut Cells<'_>) -> Result<Row, StoreError> {
    Ok(Row { subject: c.id()?, signer: c.id()?, doc_hash: c.hash()?, warning: c.json()?, ended: c.bool()? })
}

/// Stores warnings, with what they refer to; whether one is ended is set by [`set_ended`].
pub async fn upsert_many(tx: &mut Tx, rows: &[Row]) -> Result<(), StoreError> {
    const HEAD: &str = "INSERT INTO warning (subject, signer, doc_hash, sender, identifier, sent, kind, expires, says, taken_back, ended) VALUES";
    const TAIL: &str = "
        ON CONFLICT (subject) DO UPDATE SET signer = excluded.signer, doc_hash = excluded.doc_hash, sender = excluded.sender, identifier = excluded.identifier,
            sent = excluded.sent, kind = excluded.kind, expires = excluded.expires, says = excluded.says, taken_back = excluded.taken_back";
    let ids: Vec<SubjectId> = rows.iter().map(|row| row.subject.clone()).collect();
    forget_refs(tx, &ids).await?;
    bulk_insert(tx, "store warnings", HEAD, 11, TAIL, rows, |row: &Row, values: &mut Vec<Value<'_>>| {
        let w = &row.warning;
        values.extend([
            row.subject.as_str().to_owned().into(),
            row.signer.as_str().to_owned().into(),
            row.doc_hash.0.to_vec().into(),
            w.name.sender.clone().into(),
            w.name.identifier.clone().into(),
            w.sent.into(),
            w.kind.as_str().into(),
            w.expires.into(),
            // Texts, numbers and lists only: nothing that JSON could not hold.
            serde_json::to_string(w).unwrap_or_default().into(),
            (!w.taken_back.is_empty()).into(),
            row.ended.into(),
        ]);
    })
    .await?;
    let refs: Vec<(&SubjectId, &Name)> = rows.iter().flat_map(|row| row.warning.references.iter().map(|name| (&row.subject, name))).collect();
    const REFS: &str = "INSERT INTO warning_ref (subject, sender, identifier) VALUES";
    bulk_insert(tx, "store what warnings refer to", REFS, 3, "ON CONFLICT (subject, sender, identifier) DO NOTHING", &refs, |(subject, name), values| {
        values.extend([Value::from(subject.0.clone()), Value::from(name.sender.clone()), Value::from(name.identifier.clone())]);
    })
    .await
    .map(drop)
}

async fn forget_refs(tx: &mut Tx, ids: &[SubjectId]) -> Result<(), StoreError> {
    run_in(tx, "forget what warnings refer to", ("DELETE FROM warning_ref WHERE subject IN (", ")"), ids, |id| args![id.as_str()]).await.map(drop)
}

/// Removes warnings that no record that counts passes on any more.
pub async fn delete_many(tx: &mut Tx, ids: &[SubjectId]) -> Result<(), StoreError> {
    forget_refs(tx, ids).await?;
    run_in(tx, "remove warnings", ("DELETE FROM warning WHERE subject IN (", ")"), ids, |id| args![id.as_str()]).await.map(drop)
}

/// Removes all of them; they are made again from the records.
pub async fn clear(tx: &mut Tx) -> Result<(), StoreError> {
    run(tx, "remove all references", "DELETE FROM warning_ref", vec![]).await?;
    run(tx, "remove all warnings", "DELETE FROM warning", vec![]).await.map(drop)
}

/// Warnings by their subjects.
pub async fn find_many(tx: &mut Tx, ids: &[SubjectId]) -> Result<Vec<Row>, StoreError> {
    const PARTS: (&str, &str) = ("SELECT subject, signer, doc_hash, says, ended FROM warning WHERE subject IN (", ")");
    all_in(tx, "find warnings", PARTS, ids, |id| args![id.as_str()], read).await
}

/// Warnings with these names, once for each node that passes them on.
pub async fn list_named(tx: &mut Tx, names: &[Name]) -> Result<Vec<Row>, StoreError> {
    const PARTS: (&str, &str) = ("SELECT subject, signer, doc_hash, says, ended FROM warning WHERE (sender, identifier) IN (", ")");
    all_in(tx, "find warnings by name", PARTS, names, |name| args![&name.sender, &name.identifier], read).await
}

/// Warnings that refer to one of these names.
pub async fn list_referring(tx: &mut Tx, names: &[Name]) -> Result<Vec<Row>, StoreError> {
    const PARTS: (&str, &str) =
        ("SELECT subject, signer, doc_hash, says, ended FROM warning WHERE subject IN (SELECT subject FROM warning_ref WHERE (sender, identifier) IN (", "))");
    all_in(tx, "find what refers to warnings", PARTS, names, |name| args![&name.sender, &name.identifier], read).await
}

/// Notes whether messages are ended.
pub async fn set_ended(tx: &mut Tx, names: &[Name], ended: bool) -> Result<(), StoreError> {
    const ON: (&str, &str) = ("UPDATE warning SET ended = TRUE WHERE (sender, identifier) IN (", ")");
    const OFF: (&str, &str) = ("UPDATE warning SET ended = FALSE WHERE (sender, identifier) IN (", ")");
    run_in(tx, "note the ends of warnings", if ended { ON } else { OFF }, names, |name| args![&name.sender, &name.identifier]).await.map(drop)
}

/// Warnings that may still hold at `now` or were ended by a cancel after `since`: not ended, not taken back, their end not seen; the worst sent last first.
pub async fn list_open(tx: &mut Tx, now: Timestamp, since: Timestamp, limit: u32) -> Result<Vec<Row>, StoreError> {
    const SQL: &str = "
        SELECT subject, signer, doc_hash, says, ended FROM warning w
        WHERE NOT ended AND NOT taken_back AND (expires > $1 OR (kind = 'cancel' AND sent > $2))
              AND NOT EXISTS (SELECT 1 FROM warning_over o WHERE o.sender = w.sender AND o.identifier = w.identifier)
        ORDER BY sent DESC, subject LIMIT $3";
    all(tx, "list warnings that hold", SQL, args![now, since, limit], read).await
}

/// Whether the end of a message was seen here.
pub async fn is_over(tx: &mut Tx, name: &Name) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT COUNT(*) FROM warning_over WHERE sender = $1 AND identifier = $2";
    Ok(number(tx, "look for the end of a warning", SQL, args![&name.sender, &name.identifier]).await? > 0)
}

/// Messages that are over at `now` (by their own end, or ended) and are not noted as such yet, at most `limit`.
pub async fn list_ending(tx: &mut Tx, now: Timestamp, limit: u32) -> Result<Vec<Name>, StoreError> {
    const SQL: &str = "
        SELECT DISTINCT sender, identifier FROM warning w
        WHERE ((expires <= $1 AND kind <> 'cancel') OR ended)
              AND NOT EXISTS (SELECT 1 FROM warning_over o WHERE o.sender = w.sender AND o.identifier = w.identifier)
        ORDER BY sender, identifier LIMIT $2";
    all(tx, "list warnings that end", SQL, args![now, limit], |c| Ok(Name { sender: c.text()?, identifier: c.text()? })).await
}

/// Notes that the ends of messages were seen.
pub async fn put_over(tx: &mut Tx, names: &[Name], now: Timestamp) -> Result<(), StoreError> {
    const HEAD: &str = "INSERT INTO warning_over (sender, identifier, at) VALUES";
    bulk_insert(tx, "note the ends of warnings", HEAD, 3, "ON CONFLICT (sender, identifier) DO NOTHING", names, |name: &Name, values: &mut Vec<Value<'_>>| {
        values.extend([Value::from(name.sender.clone()), Value::from(name.identifier.clone()), Value::from(now)]);
    })
    .await
    .map(drop)
}

/// One hash over all warnings, hex; `None` if there are none.
pub async fn hash_state(tx: &mut Tx) -> Result<Option<String>, StoreError> {
    const SQL: &str = "SELECT subject, doc_hash, ended FROM warning ORDER BY subject";
    let mut rows = all(tx, "hash the warnings", SQL, vec![], |c| Ok((c.text()?, c.hash()?, c.bool()?))).await?;
    // The engines may sort by language; bytes are the same everywhere.
    rows.sort_unstable();
    let mut whole = Sha256::new();
    for (subject, hash, ended) in &rows {
        whole.update((subject.len() as u64).to_be_bytes());
        whole.update(subject.as_bytes());
        whole.update(hash.0);
        whole.update([u8::from(*ended)]);
    }
    Ok((!rows.is_empty()).then(|| data_encoding::HEXLOWER.encode(&whole.finalize())))
}

/// When guidance stood beside a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guided {
    /// The message.
    pub name: Name,
    /// Hazard.
    pub hazard: String,
    /// 1 red … 4 blue.
    pub level: i64,
    /// When its issuer sent it.
    pub sent: Timestamp,
    /// When this node had it.
    pub got_at: Timestamp,
    /// When guidance stood beside it on this node's page.
    pub guided_at: Timestamp,
    /// How many cards; none: there is none for this hazard yet.
    pub cards: i64,
}

/// Notes it once.
pub async fn insert_guided(tx: &mut Tx, one: &Guided) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO warning_guided (sender, identifier, hazard, level, sent, got_at, guided_at, cards) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (sender, identifier) DO NOTHING";
    let args = args![&one.name.sender, &one.name.identifier, &one.hazard, one.level, one.sent, one.got_at, one.guided_at, one.cards];
    run(tx, "note the time to guidance", SQL, args).await.map(drop)
}

/// Whether guidance for a message was noted.
pub async fn has_guided(tx: &mut Tx, name: &Name) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT COUNT(*) FROM warning_guided WHERE sender = $1 AND identifier = $2";
    Ok(number(tx, "look for the time to guidance", SQL, args![&name.sender, &name.identifier]).await? > 0)
}

/// What was noted from `from` on, oldest first, at most `limit`.
pub async fn list_guided(tx: &mut Tx, from: Timestamp, limit: u32) -> Result<Vec<Guided>, StoreError> {
    const SQL: &str = "
        SELECT sender, identifier, hazard, level, sent, got_at, guided_at, cards FROM warning_guided
        WHERE guided_at >= $1 ORDER BY guided_at, sender, identifier LIMIT $2";
    all(tx, "list times to guidance", SQL, args![from, limit], |c| {
        Ok(Guided {
            name: Name { sender: c.text()?, identifier: c.text()? },
            hazard: c.text()?,
            level: c.int()?,
            sent: c.time()?,
            got_at: c.time()?,
            guided_at: c.time()?,
            cards: c.int()?,
        })
    })
    .await
}

/// What became of a message that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Passed on.
    Passed,
    /// Waits for an officer: nobody here knows its issuer.
    Held,
    /// An officer refused it.
    Refused,
    /// An exercise, for those who exercise.
    Exercise,
    /// Valid, and nothing that can be passed on.
    Unfit,
}

impl State {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Passed => "passed",
            State::Held => "held",
            State::Refused => "refused",
            State::Exercise => "exercise",
            State::Unfit => "unfit",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        [State::Passed, State::Held, State::Refused, State::Exercise, State::Unfit].into_iter().find(|state| state.as_str() == text)
    }
}

/// A message as it came from a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// SHA-256 of the original, hex.
    pub hash: String,
    /// The source; empty: a file that somebody brought.
    pub inlet: String,
    /// Who sent it and what it is called.
    pub name: Name,
    /// What it says first.
    pub headline: String,
    /// When its issuer sent it.
    pub sent: Timestamp,
    /// When it came.
    pub got_at: Timestamp,
    /// What became of it.
    pub state: State,
    /// Why.
    pub why: String,
    /// The original, as long as somebody must still read it; else empty.
    pub original: String,
    /// Who decided, if somebody did.
    pub decided_by: String,
    /// Version read, for safe updates.
    pub version: i64,
}

macro_rules! message {
    () => {
        "hash, inlet, sender, identifier, headline, sent, got_at, state, why, original, decided_by, version"
    };
}

fn read_message(c: &mut Cells<'_>) -> Result<Message, StoreError> {
    Ok(Message {
        hash: c.text()?,
        inlet: c.text()?,
        name: Name { sender: c.text()?, identifier: c.text()? },
        headline: c.text()?,
        sent: c.time()?,
        got_at: c.time()?,
        state: c.word(State::parse)?,
        why: c.text()?,
        original: c.text()?,
        decided_by: c.text()?,
        version: c.int()?,
    })
}

/// Notes a message; `false` if it was here already.
pub async fn insert_message(tx: &mut Tx, m: &Message) -> Result<bool, StoreError> {
    const SQL: &str =
        concat!("INSERT INTO warning_message (", message!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (hash) DO NOTHING");
    let args = args![
        &m.hash,
        &m.inlet,
        &m.name.sender,
        &m.name.identifier,
        &m.headline,
        m.sent,
        m.got_at,
        m.state.as_str(),
        &m.why,
        &m.original,
        &m.decided_by,
        m.version
    ];
    Ok(run(tx, "note a message", SQL, args).await? == 1)
}

/// Stores what was decided about a message that was read in `m.version`.
pub async fn decide_message(tx: &mut Tx, m: &Message) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE warning_message SET state = $3, why = $4, original = $5, decided_by = $6, version = version + 1 WHERE hash = $1 AND version = $2";
    const EXISTS: &str = "SELECT COUNT(*) FROM warning_message WHERE hash = $1";
    let args = args![&m.hash, m.version, m.state.as_str(), &m.why, &m.original, &m.decided_by];
    run_versioned(tx, "decide about a message", "message", &m.hash, SQL, args, EXISTS).await
}

/// One message.
pub async fn find_message(tx: &mut Tx, hash: &str) -> Result<Option<Message>, StoreError> {
    const SQL: &str = concat!("SELECT ", message!(), " FROM warning_message WHERE hash = $1");
    one(tx, "find a message", SQL, args![hash], read_message).await
}

/// One message that must be there.
pub async fn get_message(tx: &mut Tx, hash: &str) -> Result<Message, StoreError> {
    must(find_message(tx, hash).await?, "message", hash)
}

/// Whether a message of this name and time was here already, whatever its bytes.
pub async fn has_message(tx: &mut Tx, name: &Name, sent: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT COUNT(*) FROM warning_message WHERE sender = $1 AND identifier = $2 AND sent = $3";
    Ok(number(tx, "look for a message", SQL, args![&name.sender, &name.identifier, sent]).await? > 0)
}

/// When a message of this name came from a source; the first time.
pub async fn find_got(tx: &mut Tx, name: &Name) -> Result<Option<Timestamp>, StoreError> {
    const SQL: &str = "SELECT got_at FROM warning_message WHERE sender = $1 AND identifier = $2 ORDER BY got_at LIMIT 1";
    one(tx, "find when a message came", SQL, args![&name.sender, &name.identifier], |c| c.time()).await
}

/// Messages in `state` (any, if none is named), the newest first, at most `limit`.
pub async fn list_messages(tx: &mut Tx, state: Option<State>, limit: u32) -> Result<Vec<Message>, StoreError> {
    let mut query = Built::new(concat!("SELECT ", message!(), " FROM warning_message WHERE TRUE"));
    if let Some(state) = state {
        query.push(" AND state = {}", args![state.as_str()]);
    }
    query.push(" ORDER BY got_at DESC, hash LIMIT {}", args![limit]);
    let (sql, args) = query.done();
    all(tx, "list messages", sql, args, read_message).await
}

/// Forgets messages that came before `before`, except those that wait. Returns how many.
pub async fn purge_messages(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    run(tx, "forget old messages", "DELETE FROM warning_message WHERE got_at < $1 AND state <> 'held'", args![before]).await
}
