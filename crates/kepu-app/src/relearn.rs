//! After the tables came back from a backup: asking others which numbers this node's key has used since, and signing nothing
//! until they have answered. The rule is in `kepu-domain::relearn`; what is asked travels in `sync`.
//!
//! Not everybody uses `kepu restore`: an old `kepu.db` may be copied back by hand. So the highest numbers given out stand in a
//! file beside the key as well ([`note`]), and tables that know lower ones are old ([`guard`]).

use crate::account::log;
use crate::error::AppError;
use crate::record::counter_name;
use crate::{App, keys};
use jiff::SignedDuration;
use kepu_domain::access::{Action, Actor};
use kepu_domain::ids::KeyId;
use kepu_domain::record::{STREAMS, Stream};
use kepu_domain::relearn::{Relearn, Seen};
use kepu_store::peer::{self as peers, Direction};
use kepu_store::record as records;
use kepu_store::{Tx, counter, meta};
use kepu_sync::cursor::Vector;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const NAME: &str = "relearn";
/// Nodes below that were silent longer than this before the backup are not waited for.
const LATELY: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The highest numbers given out, beside the tables.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Given {
    key: KeyId,
    numbers: Seen,
}

fn given_path(app: &App) -> PathBuf {
    app.data.join("numbers.json")
}

async fn counters(app: &App, tx: &mut Tx) -> Result<Seen, AppError> {
    let mut seen = [0; 3];
    for (slot, stream) in seen.iter_mut().zip(STREAMS) {
        *slot = counter::last(tx, &counter_name(app, stream)).await?;
    }
    Ok(seen)
}

/// Writes the highest numbers given out beside the tables. It may lag behind: it only has to notice tables that are older.
pub async fn note(app: &App) -> Result<(), AppError> {
    let mut tx = app.db.read().await?;
    let numbers = counters(app, &mut tx).await?;
    drop(tx);
    let given = Given { key: app.key.id().clone(), numbers };
    let path = given_path(app);
    if read_given(&path).as_ref() == Some(&given) {
        return Ok(());
    }
    let fresh = path.with_extension("part");
    let text = serde_json::to_vec(&given).unwrap_or_default();
    let failed = |source| AppError::File { action: "write", path: path.display().to_string(), source };
    std::fs::write(&fresh, text).and_then(|()| std::fs::rename(&fresh, &path)).map_err(failed)
}

fn read_given(path: &Path) -> Option<Given> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// Notices tables that are older than the numbers given out from them.
pub(crate) async fn guard(app: &App) -> Result<(), AppError> {
    // The file first: another process may publish in between, and counters only grow.
    let given = read_given(&given_path(app)).filter(|given| given.key == *app.key.id());
    let mut tx = app.db.read().await?;
    let numbers = counters(app, &mut tx).await?;
    let known = find(&mut tx).await?.is_some();
    drop(tx);
    if !known && given.is_some_and(|given| given.numbers.iter().zip(numbers).any(|(given, now)| *given > now)) {
        tracing::warn!("the tables are older than the numbers given out from them; nothing is signed until other nodes were heard");
        return begin(app, "the tables are older than numbers.json").await;
    }
    if known { Ok(()) } else { note(app).await }
}

/// What is still to be learned; `None` in the life of most nodes.
pub async fn find(tx: &mut Tx) -> Result<Option<Relearn>, AppError> {
    Ok(meta::find(tx, NAME).await?.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Refuses to go on while numbers used since a backup are unknown.
pub(crate) async fn check(app: &App, tx: &mut Tx) -> Result<(), AppError> {
    if meta::find(tx, NAME).await?.is_none() {
        return Ok(());
    }
    let names = waiting(app, tx).await?;
    Err(AppError::Relearning(if names.is_empty() { "another node".into() } else { names.join(", ") }))
}

/// Names of the nodes that are waited for.
pub async fn waiting(app: &App, tx: &mut Tx) -> Result<Vec<String>, AppError> {
    let Some(relearn) = find(tx).await? else { return Ok(vec![]) };
    let own = own_numbers(tx, app.key.id()).await?;
    let mut names = Vec::new();
    for key in relearn.waiting(own) {
        names.push(peers::find(tx, key).await?.map_or_else(|| key.fingerprint(), |peer| peer.name));
    }
    Ok(names)
}

/// The tables are those of an earlier day: a new epoch begins, every parent is asked anew, and nothing is signed until
/// those who may know more were heard. Writes: meta, peer, log.
pub async fn begin(app: &App, why: &str) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let parents = peers::list(&mut tx, Some(Direction::Parent), 100).await?;
    let children = peers::list(&mut tx, Some(Direction::Child), 10_000).await?;
    let newest = parents.iter().chain(&children).filter_map(|peer| peer.last_seen).max().unwrap_or(app.now());
    let lately = children.into_iter().filter(|child| child.last_seen.is_some_and(|seen| newest.duration_since(seen) <= LATELY));
    let relearn = Relearn::new(app.now(), parents.iter().map(|peer| peer.id.clone()).collect(), lately.map(|child| child.id).collect());
    meta::set(&mut tx, NAME, &serde_json::to_string(&relearn).unwrap_or_default()).await?;
    meta::set(&mut tx, "epoch", &keys::random_word(8)).await?;
    for parent in parents {
        peers::set_cursor(&mut tx, &parent.id, "").await?;
    }
    log(app, &mut tx, "node", "node.restored", why, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// Notes what another node says it has seen of this node's key. Writes: meta.
pub(crate) async fn hear(app: &App, tx: &mut Tx, from: &KeyId, vector: &Vector) -> Result<(), AppError> {
    let Some(mut relearn) = find(tx).await? else { return Ok(()) };
    let seen = STREAMS.first_chunk::<3>().map_or([0; 3], |streams| streams.map(|stream| vector.high(app.key.id(), stream)));
    relearn.said.insert(from.clone(), seen);
    meta::set(tx, NAME, &serde_json::to_string(&relearn).unwrap_or_default()).await?;
    Ok(())
}

/// Ends the waiting once everybody was heard and what they spoke of is here. Writes: meta, log.
pub(crate) async fn settle(app: &App) -> Result<(), AppError> {
    let mut tx = app.db.read().await?;
    if find(&mut tx).await?.is_none() {
        return Ok(());
    }
    drop(tx);
    let mut tx = app.db.write().await?;
    let Some(relearn) = find(&mut tx).await? else { return Ok(()) };
    let own = own_numbers(&mut tx, app.key.id()).await?;
    if !relearn.is_done(own, app.now()) {
        return Ok(());
    }
    meta::delete(&mut tx, NAME).await?;
    log(app, &mut tx, "node", "node.relearned", &format!("{own:?}"), "ok").await?;
    tx.commit().await?;
    note(app).await
}

/// The operator decides that nothing more can be learned. May: system administrators. Writes: meta, log.
pub async fn resume(app: &App, who: &Actor) -> Result<(), AppError> {
    who.may(Action::ManageNodes, None)?;
    let mut tx = app.db.write().await?;
    if find(&mut tx).await?.is_none() {
        return Ok(());
    }
    meta::delete(&mut tx, NAME).await?;
    log(app, &mut tx, &who.log_name(), "node.resumed", &app.key.id().0, "ok").await?;
    tx.commit().await?;
    note(app).await
}

/// Nothing is to be learned: the key is a new one. Writes: meta.
pub(crate) async fn forget(app: &App) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    meta::delete(&mut tx, NAME).await?;
    tx.commit().await?;
    Ok(())
}

async fn own_numbers(tx: &mut Tx, key: &KeyId) -> Result<Seen, AppError> {
    let streams: Vec<(KeyId, Stream)> = STREAMS[..3].iter().map(|stream| (key.clone(), *stream)).collect();
    let mut own = [0; 3];
    for head in records::get_heads(tx, &streams).await? {
        if let Some(slot) = own.get_mut(usize::from(head.stream.code())) {
            *slot = head.high;
        }
    }
    Ok(own)
}
