//! Recall: who still has what was withdrawn, held or corrected. Nodes below say so with their next exchange; boards where a pack hangs are told to
//! those who put it up, and a tap of theirs is the receipt; sites and screens fetch the new version by themselves and show here which one they have.

use crate::App;
use crate::account::log;
use crate::error::{AppError, FieldError};
use jiff::Timestamp;
use kepu_domain::access::{Action, Actor, Denied};
use kepu_domain::deliver::pack::{Month, Pack};
use kepu_domain::ids::{AccountId, PackId, SubjectId};
use kepu_domain::listen::placement::Placement;
use kepu_store::deliver::recall as store;
use kepu_store::peer::{self, Peer};
use kepu_store::subject::{self, Row, Standing};
use kepu_store::{Tx, listen::placement};
use std::collections::{BTreeMap, HashMap};

/// How many months a pack is expected to hang.
const MONTHS: i32 = 12;
/// Most receipts that are looked through.
const LOOKED_AT: u32 = 20_000;

/// What happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// For ever.
    Withdrawn,
    /// While it is looked at again.
    Held,
    /// A corrected version takes its place.
    Corrected,
}

impl Why {
    /// What happened last to a subject that must be called back, and when; `None`: nothing did.
    pub fn of(row: &Row) -> Option<(Why, Timestamp)> {
        let why = match row.standing {
            Standing::Withdrawn if row.held.is_some() => (Why::Held, row.withdrawn_at?),
            Standing::Withdrawn => (Why::Withdrawn, row.withdrawn_at?),
            Standing::Public if row.corrected > 0 => (Why::Corrected, row.corrected),
            _ => return None,
        };
        Timestamp::from_millisecond(why.1).ok().map(|at| (why.0, at))
    }

    /// The word in messages and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Why::Withdrawn => "withdrawn",
            Why::Held => "held",
            Why::Corrected => "corrected",
        }
    }
}

/// A node below that subscribes to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Name.
    pub name: String,
    /// Last contact.
    pub seen: Option<Timestamp>,
    /// Whether it said that it holds the latest word.
    pub confirmed: bool,
}

/// Boards where one pack hangs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boards {
    /// The pack.
    pub pack: Pack,
    /// How many people put it up, and how many of them said that they took this down.
    pub posted: usize,
    /// How many said that they took it down.
    pub confirmed: usize,
    /// Whether whoever looks put it up and has not said so.
    pub mine: bool,
}

/// Where a subject is, and who has confirmed its last change.
#[derive(Clone, Debug)]
pub struct Recall {
    /// The subject.
    pub row: Row,
    /// What happened to it, and when; `None`: nothing, so nobody is asked for anything.
    pub why: Option<(Why, Timestamp)>,
    /// Nodes below.
    pub nodes: Vec<Node>,
    /// Boards.
    pub boards: Vec<Boards>,
    /// Sites, screens and services, each with whether it shows the present version. Only for those who may take it back.
    pub places: Vec<(Placement, bool)>,
}

/// How many confirmed, of how many: nodes, then boards. What everybody may know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// Nodes.
    pub nodes: (usize, usize),
    /// Boards.
    pub boards: (usize, usize),
}

impl Recall {
    /// Its sums.
    pub fn reached(&self) -> Reached {
        Reached {
            nodes: (self.nodes.iter().filter(|node| node.confirmed).count(), self.nodes.len()),
            boards: (self.boards.iter().map(|one| one.confirmed).sum(), self.boards.iter().map(|one| one.posted).sum()),
        }
    }
}

/// Where a subject is. May: whoever is signed in.
pub async fn view(app: &App, who: &Actor, id: &SubjectId) -> Result<Recall, AppError> {
    let account = who.account().cloned();
    if account.is_none() && !matches!(who, Actor::Node { .. }) {
        return Err(Denied::NotSignedIn.into());
    }
    let takes = who.may(Action::Hold, None).is_ok();
    let mut tx = app.db.read().await?;
    find(app, &mut tx, account.as_ref(), takes, id).await
}

/// How far the last change of a subject came, for its public history.
pub async fn reached(app: &App, id: &SubjectId) -> Result<Reached, AppError> {
    let mut tx = app.db.read().await?;
    Ok(find(app, &mut tx, None, false, id).await?.reached())
}

async fn find(app: &App, tx: &mut Tx, account: Option<&AccountId>, places: bool, id: &SubjectId) -> Result<Recall, AppError> {
    let row = subject::find(tx, id).await?.filter(|row| row.standing != Standing::Hidden);
    let row = row.ok_or_else(|| AppError::NotFound { what: "subject", id: id.0.clone() })?;
    let why = Why::of(&row);
    let places = if places && row.kind == "claim" { placement::list(tx, id, 500).await? } else { vec![] };
    let shows_present = |place: &Placement| row.standing == Standing::Public && row.doc_hash == Some(place.doc);
    Ok(Recall {
        nodes: nodes(tx, &row).await?,
        boards: match why {
            Some((_, at)) => boards(app, tx, id, at, account).await?,
            None => vec![],
        },
        places: places.into_iter().map(|place| (place.clone(), shows_present(&place))).collect(),
        row,
        why,
    })
}

async fn nodes(tx: &mut Tx, row: &Row) -> Result<Vec<Node>, AppError> {
    let children = peer::list(tx, Some(peer::Direction::Child), 5_000).await?;
    let (confirmed, wanting) = crate::node::holders(tx, row, &children).await?;
    let node = |child: &Peer| Node { name: child.name.clone(), seen: child.last_seen, confirmed: confirmed.contains(&child.id) };
    let mut nodes: Vec<Node> = wanting.into_iter().map(node).collect();
    // Who has not confirmed stands on top, the longest silent first.
    nodes.sort_by(|a, b| (a.confirmed, a.seen, &a.name).cmp(&(b.confirmed, b.seen, &b.name)));
    Ok(nodes)
}

/// Whether a pack that was put up may hold what was taken back at `at`.
fn holds(posted: &store::Posted, id: &SubjectId, at: Timestamp) -> bool {
    posted.at < at && (posted.pack.items.iter().any(|item| item.subject == *id) || posted.pack.dropped.contains(id))
}

async fn boards(app: &App, tx: &mut Tx, id: &SubjectId, at: Timestamp, account: Option<&AccountId>) -> Result<Vec<Boards>, AppError> {
    let taken: HashMap<(PackId, AccountId), Timestamp> =
        store::list(tx, id, LOOKED_AT).await?.into_iter().map(|receipt| ((receipt.pack, receipt.account), receipt.at)).collect();
    let from = Month::of(app.today()).plus(-MONTHS);
    let mut found: BTreeMap<PackId, Boards> = BTreeMap::new();
    for store::Posted { pack, account: by, .. } in store::list_posted(tx, from, None, Some(id), LOOKED_AT).await?.into_iter().filter(|one| holds(one, id, at)) {
        let done = taken.get(&(pack.id.clone(), by.clone())).is_some_and(|when| *when >= at);
        let one = found.entry(pack.id.clone()).or_insert(Boards { pack, posted: 0, confirmed: 0, mine: false });
        one.posted += 1;
        one.confirmed += usize::from(done);
        one.mine |= account == Some(&by) && !done;
    }
    let mut list: Vec<Boards> = found.into_values().collect();
    list.sort_by_key(|one| (one.confirmed == one.posted, !one.mine));
    Ok(list)
}

/// Says that a subject was taken down from the board where one had put up a pack.
///
/// May: whoever put the pack up. Writes: receipt, log.
pub async fn taken_down(app: &App, who: &Actor, id: &SubjectId, pack: &PackId) -> Result<(), AppError> {
    let Some(account) = who.account().cloned() else { return Err(Denied::NotSignedIn.into()) };
    let mut tx = app.db.write().await?;
    let row = subject::find(&mut tx, id).await?.ok_or_else(|| AppError::NotFound { what: "subject", id: id.0.clone() })?;
    let Some((_, at)) = Why::of(&row) else { return Err(AppError::Invalid(vec![FieldError::new("pack", "nothing_recalled")])) };
    let posted = store::list_posted(&mut tx, Month::of(app.today()).plus(-MONTHS), Some(&account), Some(id), LOOKED_AT).await?;
    if !posted.iter().any(|one| one.pack.id == *pack && holds(one, id, at)) {
        return Err(AppError::NotFound { what: "pack", id: pack.0.clone() });
    }
    store::put(&mut tx, id, &store::Receipt { pack: pack.clone(), account, at: app.now() }).await?;
    log(app, &mut tx, &who.log_name(), "recall.taken_down", &id.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// What `account` put up and has not taken down yet, the latest change first.
pub(crate) async fn mine(app: &App, tx: &mut Tx, account: &AccountId) -> Result<Vec<(Row, Why, Timestamp)>, AppError> {
    let from = Month::of(app.today()).plus(-MONTHS);
    let packs = store::list_posted(tx, from, Some(account), None, 200).await?;
    let named = packs.iter().flat_map(|one| one.pack.items.iter().map(|item| &item.subject).chain(&one.pack.dropped));
    let ids: std::collections::BTreeSet<SubjectId> = named.cloned().collect();
    let ids: Vec<SubjectId> = ids.into_iter().collect();
    let mut list = Vec::new();
    for row in subject::find_many(tx, &ids).await? {
        let Some((why, at)) = Why::of(&row) else { continue };
        let taken = store::list(tx, &row.id, LOOKED_AT).await?;
        let done = |pack: &Pack| taken.iter().any(|one| one.pack == pack.id && one.account == *account && one.at >= at);
        if packs.iter().any(|one| holds(one, &row.id, at) && !done(&one.pack)) {
            list.push((row, why, at));
        }
    }
    list.sort_by_key(|(_, _, at)| std::cmp::Reverse(*at));
    Ok(list)
}
