//! Signed heads: this node commits to its history, and compares what it holds with what others committed to. A parent that
//! withholds a record or shows another history is found out here.

use super::{Saying, publish};
use crate::App;
use crate::account::log;
use crate::error::AppError;
use jiff::{SignedDuration, Timestamp};
use kepu_domain::history::{Compared, Numbers, compare};
use kepu_domain::ids::{KeyId, SubjectId};
use kepu_domain::org::Region;
use kepu_domain::record::{Body, Stream};
use kepu_domain::trust::TrustDoc;
use kepu_store::peer::{self as peers, Direction};
use kepu_store::record::{self as records, HeadCheck};
use kepu_store::{Tx, meta};
use kepu_sync::merkle::Tree;
use kepu_sync::record::Record;
use std::collections::BTreeMap;

/// Hashes read at once.
const PAGE: u32 = 10_000;
/// The streams a head speaks of. The trust stream comes first: a revocation must not be withheld either.
const COMMITTED: [Stream; 3] = [Stream::Trust, Stream::Alert, Stream::Lib];

/// Notes the latest head of each stream among records that count. Comparing comes when everything has arrived.
pub(super) async fn note(tx: &mut Tx, counting: &[&Record]) -> Result<(), AppError> {
    let mut latest: BTreeMap<(KeyId, Stream), HeadCheck> = BTreeMap::new();
    for record in counting {
        let Ok(Body::Trust(TrustDoc::Head { heads })) = &record.body else { continue };
        let key = &record.envelope.place.key;
        for (stream, n, root) in heads.iter().filter(|(stream, n, root)| COMMITTED.contains(stream) && *n >= 0 && root.len() == 64) {
            let check = HeadCheck {
                key: key.clone(),
                stream: *stream,
                n: *n,
                root: root.clone(),
                said_at: record.envelope.modified,
                outcome: Compared::Missing,
                tree: String::new(),
            };
            let slot = latest.entry((key.clone(), *stream)).or_insert_with(|| check.clone());
            if (check.n, check.said_at) > (slot.n, slot.said_at) {
                *slot = check;
            }
        }
    }
    let mut changed = Vec::with_capacity(latest.len());
    for (_, mut check) in latest {
        match records::find_check(tx, &check.key, check.stream).await? {
            Some(known) if (known.n, known.said_at) >= (check.n, check.said_at) => continue,
            Some(known) => check.tree = known.tree,
            None => {}
        }
        changed.push(check);
    }
    Ok(records::put_checks(tx, &changed).await?)
}

/// Compares heads that are still open with the records held. Writes: what came of it; log, where a history differs.
pub async fn compare_all(app: &App) -> Result<(), AppError> {
    let mut tx = app.db.read().await?;
    let open = records::list_open_checks(&mut tx).await?;
    drop(tx);
    if open.is_empty() {
        return Ok(());
    }
    let mut tx = app.db.write().await?;
    let mut changed = Vec::new();
    for before in records::list_open_checks(&mut tx).await? {
        let after = compare_one(&mut tx, before.clone()).await?;
        if after.outcome == Compared::Differs && before.outcome != Compared::Differs {
            let object = format!("{}/{}/{}", after.key, after.stream, after.n);
            log(app, &mut tx, "node", "history.differs", &object, "refused").await?;
            tracing::error!(history = object, "a key's signed head does not fit the records received");
        }
        if after != before {
            changed.push(after);
        }
    }
    records::put_checks(&mut tx, &changed).await?;
    tx.commit().await?;
    Ok(())
}

async fn compare_one(tx: &mut Tx, mut check: HeadCheck) -> Result<HeadCheck, AppError> {
    let streams = [(check.key.clone(), check.stream)];
    let numbers = records::get_heads(tx, &streams).await?.pop().map_or_else(Numbers::default, |head| super::numbers::split(head).1);
    let skipped = !records::list_skips(tx, &check.key, check.stream, 1, check.n).await?.is_empty();
    check.outcome = match compare(check.n, &numbers, skipped) {
        Some(outcome) => outcome,
        None => {
            let tree = grow(tx, &check).await?;
            check.tree = tree.write();
            if tree.root() == check.root { Compared::Agrees } else { Compared::Differs }
        }
    };
    Ok(check)
}

/// The tree over numbers 1 to the head's, going on from what was compared before.
async fn grow(tx: &mut Tx, check: &HeadCheck) -> Result<Tree, AppError> {
    // A stored tree that reached further, or never agreed with anything, is of no use.
    let mut tree = Tree::read(&check.tree).filter(|tree| tree.len() <= check.n && check.outcome != Compared::Differs).unwrap_or_default();
    while tree.len() < check.n {
        let docs = records::list_doc_hashes(tx, &check.key, check.stream, tree.len(), PAGE).await?;
        if docs.is_empty() {
            break;
        }
        let left = usize::try_from(check.n - tree.len()).unwrap_or(usize::MAX);
        tree.extend(docs.into_iter().take(left).map(|(_, hash)| hash));
    }
    Ok(tree)
}

/// Something about histories that an operator must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Whose history.
    pub key: KeyId,
    /// Which stream.
    pub stream: Stream,
    /// What it is.
    pub what: What,
}

/// What is wrong with a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Numbers that are missing here, as `(from, to)`, both included.
    Missing(Vec<(i64, i64)>),
    /// The signed head over numbers 1 to `n` does not fit the records received.
    Differs {
        /// The head's number.
        n: i64,
    },
    /// Two records at one place.
    Forked {
        /// The number held twice.
        n: i64,
    },
}

/// All that is wrong with histories, as of now.
pub async fn troubles(tx: &mut Tx) -> Result<Vec<Trouble>, AppError> {
    let mut list = Vec::new();
    for fork in records::list_forks(tx, 1_000).await? {
        list.push(Trouble { key: fork.place.key, stream: fork.place.stream, what: What::Forked { n: fork.place.n } });
    }
    for check in records::list_open_checks(tx).await?.into_iter().filter(|check| check.outcome == Compared::Differs) {
        list.push(Trouble { key: check.key, stream: check.stream, what: What::Differs { n: check.n } });
    }
    for ((key, stream), missing) in super::has_holes(tx).await? {
        list.push(Trouble { key, stream, what: What::Missing(missing) });
    }
    Ok(list)
}

/// Until when `root` itself has proved what it withdrew: the time of its latest head whose alerts are all here.
pub async fn proved_until(tx: &mut Tx, root: &KeyId) -> Result<Option<Timestamp>, AppError> {
    let check = records::find_check(tx, root, Stream::Alert).await?;
    Ok(check.filter(|check| check.outcome == Compared::Agrees).map(|check| check.said_at))
}

/// Whether it is time for a head: a day after the last one if something was said since. A root that others rely on says so
/// every hour even if nothing was, because its silence must be told apart from a parent that withholds.
fn is_due(since_last: Option<SignedDuration>, changed: bool, root_of_others: bool) -> bool {
    let Some(age) = since_last else { return changed || root_of_others };
    (changed && age >= SignedDuration::from_hours(23)) || (root_of_others && age >= SignedDuration::from_mins(55))
}

/// Signs a head if it is time for one; called every few minutes by the process that serves.
pub async fn keep_head(app: &App) -> Result<bool, AppError> {
    let mut tx = app.db.read().await?;
    let last = meta::find(&mut tx, "last_head_at").await?.and_then(|text| text.parse::<Timestamp>().ok());
    let is_root = app.root(&mut tx).await? == *app.key.id();
    let root_of_others = is_root && !peers::list(&mut tx, Some(Direction::Child), 1).await?.is_empty();
    let changed = own_heads(app, &mut tx).await?.1;
    drop(tx);
    if !is_due(last.map(|at| app.now().duration_since(at)), changed, root_of_others) {
        return Ok(false);
    }
    sign_head(app, root_of_others).await
}

/// Commits to this node's history if something was said since the last time: one record over all its streams.
pub async fn publish_head(app: &App) -> Result<bool, AppError> {
    sign_head(app, false).await
}

async fn sign_head(app: &App, even_if_same: bool) -> Result<bool, AppError> {
    let mut tx = app.db.write().await?;
    if crate::relearn::find(&mut tx).await?.is_some() {
        return Ok(false);
    }
    let (heads, changed) = own_heads(app, &mut tx).await?;
    if !changed && !even_if_same {
        return Ok(false);
    }
    let subject = SubjectId::new(&app.key.id().fingerprint(), "head");
    meta::set(&mut tx, "last_head", &word(&heads)).await?;
    meta::set(&mut tx, "last_head_at", &app.now().to_string()).await?;
    let body = Body::Trust(TrustDoc::Head { heads });
    publish(app, &mut tx, vec![Saying { subject, region: Region::NATION, fields: vec![], lang: String::new(), body }]).await?;
    tx.commit().await?;
    app.notify();
    compare_all(app).await?;
    Ok(true)
}

type Heads = Vec<(Stream, i64, String)>;

/// What can be compared with the last head: a head is itself a record of the trust stream, and not news.
fn word(heads: &Heads) -> String {
    let counts: Vec<String> = heads.iter().map(|(stream, n, _)| if *stream == Stream::Trust { (n + 1).to_string() } else { n.to_string() }).collect();
    counts.join(" ")
}

/// The heads as of now, and whether something was said since the last ones.
async fn own_heads(app: &App, tx: &mut Tx) -> Result<(Heads, bool), AppError> {
    let mut heads = Heads::new();
    for stream in COMMITTED {
        let streams = [(app.key.id().clone(), stream)];
        let n = records::get_heads(tx, &streams).await?.pop().map_or(0, |head| head.high);
        let known = records::find_check(tx, app.key.id(), stream).await?;
        let tree = known.map_or_else(String::new, |check| check.tree);
        let check = HeadCheck { key: app.key.id().clone(), stream, n, root: String::new(), said_at: app.now(), outcome: Compared::Missing, tree };
        heads.push((stream, n, grow(tx, &check).await?.root()));
    }
    let now: Vec<String> = heads.iter().map(|(_, n, _)| n.to_string()).collect();
    let changed = meta::find(tx, "last_head").await?.is_none_or(|last| last != now.join(" "));
    Ok((heads, changed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_speaks_every_hour_and_others_once_a_day_when_they_have_something_to_say() {
        let age = |minutes| Some(SignedDuration::from_mins(minutes));
        assert!(is_due(None, true, false) && !is_due(None, false, false) && is_due(None, false, true));
        assert!(!is_due(age(600), true, false) && is_due(age(1_400), true, false) && !is_due(age(9_999), false, false));
        assert!(!is_due(age(50), true, true) && is_due(age(56), false, true));
    }

    #[test]
    fn the_head_itself_is_no_news() {
        let root = || "r".repeat(64);
        let heads = vec![(Stream::Trust, 4, root()), (Stream::Alert, 2, root()), (Stream::Lib, 9, root())];
        assert_eq!(word(&heads), "5 2 9");
    }
}
