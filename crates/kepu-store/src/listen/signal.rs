//! Signals: the queue of what was heard and is not matched yet, and the words of what no claim answers, for as long as topics look back.

use crate::bulk::bulk_insert;
use crate::counter;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all, args, number, one, run, run_in};
use crate::value::Value;
use jiff::Timestamp;
use kepu_domain::ids::TopicId;
use kepu_domain::listen::sighting::Channel;
use kepu_domain::listen::signal::{Signal, State};

/// Numbers of signals.
const COUNTER: &str = "signal";

macro_rules! columns {
    () => {
        "seq, at, got_at, inlet, channel, region, text, weight, state, topic"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Signal, StoreError> {
    Ok(Signal {
        seq: c.int()?,
        at: c.time()?,
        got_at: c.time()?,
        inlet: c.id()?,
        channel: c.word(Channel::parse)?,
        region: c.region()?,
        text: c.text()?,
        weight: c.real()?,
        state: c.word(State::parse)?,
        topic: c.opt_id()?,
    })
}

/// Adds signals in their order and gives them their numbers.
pub async fn insert_many(tx: &mut Tx, signals: &mut [Signal]) -> Result<(), StoreError> {
    const HEAD: &str = concat!("INSERT INTO signal (", columns!(), ") VALUES");
    let first = counter::take(tx, COUNTER, i64::try_from(signals.len()).unwrap_or(i64::MAX)).await?;
    for (signal, seq) in signals.iter_mut().zip(first..) {
        signal.seq = seq;
    }
    fn bind<'r>(signal: &'r Signal, values: &mut Vec<Value<'r>>) {
        values.extend(args![
            signal.seq,
            signal.at,
            signal.got_at,
            signal.inlet.as_str(),
            signal.channel.as_str(),
            signal.region.to_string(),
            signal.text.as_str(),
            signal.weight,
            signal.state.as_str(),
            signal.topic.as_ref().map(TopicId::as_str)
        ]);
    }
    bulk_insert(tx, "add signals", HEAD, 10, "", signals, bind).await.map(drop)
}

/// Signals after number `after`, up to number `until`, in order, at most `limit`.
pub async fn list_after(tx: &mut Tx, after: i64, until: i64, limit: u32) -> Result<Vec<Signal>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM signal WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3");
    all(tx, "list signals", SQL, args![after, until, limit], read).await
}

/// Signals of a topic, the newest first, at most `limit`.
pub async fn list_by_topic(tx: &mut Tx, topic: &TopicId, limit: u32) -> Result<Vec<Signal>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM signal WHERE topic = $1 ORDER BY seq DESC LIMIT $2");
    all(tx, "list the signals of a topic", SQL, args![topic.as_str(), limit], read).await
}

/// How many signals came after number `after`: those that nobody has looked at, if `after` is where matching has arrived.
pub async fn count_after(tx: &mut Tx, after: i64) -> Result<i64, StoreError> {
    number(tx, "count waiting signals", "SELECT COUNT(*) FROM signal WHERE seq > $1", args![after]).await
}

/// The same by inlet, with when the oldest of them came in.
pub async fn waiting_by_inlet(tx: &mut Tx, after: i64) -> Result<Vec<(String, i64, Timestamp)>, StoreError> {
    const SQL: &str = "SELECT inlet, COUNT(*), MIN(got_at) FROM signal WHERE seq > $1 GROUP BY inlet ORDER BY inlet";
    all(tx, "count waiting signals by inlet", SQL, args![after], |c| Ok((c.text()?, c.int()?, c.time()?))).await
}

/// The number of the last signal that is there; 0 if none is.
pub async fn find_last(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(one(tx, "find the last signal", "SELECT seq FROM signal ORDER BY seq DESC LIMIT 1", vec![], |c| c.int()).await?.unwrap_or_default())
}

/// Forgets signals that a known claim has answered.
pub async fn delete_many(tx: &mut Tx, seqs: &[i64]) -> Result<(), StoreError> {
    run_in(tx, "forget answered signals", ("DELETE FROM signal WHERE seq IN (", ")"), seqs, |seq| args![*seq]).await.map(drop)
}

/// Notes that signals were matched and no claim answers them.
pub async fn set_open(tx: &mut Tx, seqs: &[i64]) -> Result<(), StoreError> {
    run_in(tx, "note that signals are open", ("UPDATE signal SET state = 'open' WHERE seq IN (", ")"), seqs, |seq| args![*seq]).await.map(drop)
}

/// Says what a signal is about.
pub async fn set_topic(tx: &mut Tx, seq: i64, topic: &TopicId) -> Result<(), StoreError> {
    run(tx, "say what a signal is about", "UPDATE signal SET topic = $2 WHERE seq = $1", args![seq, topic.as_str()]).await.map(drop)
}

/// Forgets signals that came in before `before`, matched or not. Returns how many.
pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    run(tx, "forget old signals", "DELETE FROM signal WHERE got_at < $1", args![before]).await
}

/// Forgets signals with numbers below `seq`. Returns how many.
pub async fn purge_below(tx: &mut Tx, seq: i64) -> Result<u64, StoreError> {
    run(tx, "forget the oldest signals", "DELETE FROM signal WHERE seq < $1", args![seq]).await
}
