//! What meetings decide and inspections find, as one tree on both levels: put together from the records held, seen by those who coordinate and by nobody else.
//! Making and changing a decision is in `make`, taking on what is asked and reporting in `take`; the work itself is a `task`.

mod make;
mod take;

pub use make::{Amend, New, NewAsk, amend, decide, end};
pub(super) use make::{whole, words};
pub use take::take_on;
pub(crate) use take::{follow, noticed, take_in};

use crate::App;
use crate::error::AppError;
use crate::record::{self, Saying};
use jiff::Timestamp;
use kepu_domain::access::{Action, Actor};
use kepu_domain::ids::{SubjectId, TaskId};
use kepu_domain::listen::decision::{Branch, Coordination, Decided, FIELD, Next, Sums, Told, branches, next, sums};
use kepu_domain::org::Region;
use kepu_domain::record::Body;
use kepu_store::Tx;
use kepu_store::listen::decision as store;
use std::collections::{BTreeMap, HashMap};

/// Decisions that are looked through for one list.
const DECISIONS_MAX: u32 = 500;
/// Reports that are looked through for one list, or for one decision.
const REPORTS_MAX: u32 = 20_000;

/// A decision with what its places report: the same on every node that holds the same records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// Its subject.
    pub id: SubjectId,
    /// What was decided, as it stands now.
    pub decided: Decided,
    /// What is asked, with how far it is.
    pub branches: Vec<Branch>,
    /// Whether this node said it.
    pub own: bool,
}

impl Tree {
    /// What it owes next.
    pub fn next(&self) -> Next {
        next(&self.decided, &self.branches)
    }
    /// How it stands.
    pub fn sums(&self, now: Timestamp) -> Sums {
        sums(&self.branches, now)
    }
}

/// For which places somebody may take on what is asked.
#[derive(Clone, Debug, Default)]
pub struct Homes {
    /// The place of this node.
    node: Option<Region>,
    /// Places of the actor's organisations.
    own: Vec<Region>,
}

impl Homes {
    /// Whether this ask is the actor's matter: their organisation's place is asked, or another node asks a place of this one.
    pub fn are_asked(&self, tree: &Tree, branch: &Branch) -> bool {
        let place = branch.ask.place;
        self.own.contains(&place) || self.node.is_some_and(|node| node == place || (!tree.own && node.covers(place)))
    }

    /// Whether it waits for the actor to take it on.
    pub fn may_take(&self, tree: &Tree, branch: &Branch) -> bool {
        branch.outcome().is_none() && !branch.is_over() && self.are_asked(tree, branch)
    }
}

async fn homes(tx: &mut Tx, who: &Actor) -> Result<Homes, AppError> {
    let mut own = Vec::new();
    for org in who.roots(Action::TakeOn).unwrap_or_default() {
        own.extend(kepu_store::org::find(tx, &org).await?.map(|org| org.region));
    }
    Ok(Homes { node: Some(crate::node::region(tx).await?), own })
}

/// The key under which this node's subjects stand.
async fn fingerprint(app: &App, tx: &mut Tx) -> Result<String, AppError> {
    super::order::fingerprint(app, tx).await
}

/// A new subject of this node.
pub(super) async fn own_subject(app: &App, tx: &mut Tx, begin: &str) -> Result<SubjectId, AppError> {
    Ok(SubjectId::new(&fingerprint(app, tx).await?, &format!("{begin}-{}", crate::keys::random_word(10))))
}

pub(super) async fn say(app: &App, tx: &mut Tx, subject: SubjectId, region: Region, says: Coordination) -> Result<(), AppError> {
    let body = Body::Coordination(Box::new(says));
    record::publish(app, tx, vec![Saying { subject, region, fields: vec![FIELD.into()], lang: "zh-Hans".into(), body }]).await?;
    Ok(())
}

/// Decisions and reports as the store has them, put together. Reports about what is not known here count for nothing.
async fn grow(app: &App, tx: &mut Tx, decided: Vec<store::Word>, reports: Vec<store::Word>) -> Result<Vec<Tree>, AppError> {
    let (trust, own) = (app.trust(tx).await?, fingerprint(app, tx).await?);
    let mut told: HashMap<SubjectId, Vec<Told>> = HashMap::new();
    for word in reports {
        let (Coordination::Report(report), Some(grant)) = (word.says, trust.grant(&word.signer)) else { continue };
        told.entry(word.about).or_default().push(Told { signer: word.signer.0, reach: grant.region, report });
    }
    let tree = |word: store::Word| {
        let Coordination::Decided(decided) = word.says else { return None };
        let branches = branches(&decided, told.get(&word.subject).map_or(&[], Vec::as_slice));
        Some(Tree { own: word.subject.parts().is_some_and(|(owner, _)| owner == own), id: word.subject, decided, branches })
    };
    Ok(decided.into_iter().filter_map(tree).collect())
}

/// All trees of this node, the latest decision first.
pub(crate) async fn trees(app: &App, tx: &mut Tx) -> Result<Vec<Tree>, AppError> {
    let decided = store::list_decided(tx, DECISIONS_MAX).await?;
    if decided.is_empty() {
        return Ok(vec![]);
    }
    let reports = store::list_reports(tx, REPORTS_MAX).await?;
    grow(app, tx, decided, reports).await
}

pub(crate) async fn tree(app: &App, tx: &mut Tx, id: &SubjectId) -> Result<Tree, AppError> {
    let (decided, reports) = store::list_of(tx, id, REPORTS_MAX).await?.into_iter().partition(|word| word.subject == *id);
    grow(app, tx, decided, reports).await?.pop().ok_or_else(|| missing(id))
}

fn missing(id: &SubjectId) -> AppError {
    AppError::NotFound { what: "decision", id: id.0.clone() }
}

/// All that was decided, with what is the actor's matter.
#[derive(Clone, Debug, Default)]
pub struct Overview {
    /// The trees, the latest decision first.
    pub trees: Vec<Tree>,
    /// Whose matter an ask is.
    pub homes: Homes,
}

/// Everything that meetings and inspections ask, as far as this node knows. May: those who take on what is asked, those who coordinate.
pub async fn overview(app: &App, who: &Actor) -> Result<Overview, AppError> {
    who.may(Action::TakeOn, None)?;
    let mut tx = app.db.read().await?;
    Ok(Overview { trees: trees(app, &mut tx).await?, homes: homes(&mut tx, who).await? })
}

/// A decision as somebody may see it.
#[derive(Clone, Debug)]
pub struct View {
    /// The tree.
    pub tree: Tree,
    /// Whose matter an ask is.
    pub homes: Homes,
    /// The tasks of this node that the actor may work on, by ask.
    pub tasks: BTreeMap<String, TaskId>,
    /// Whether the actor may change and end it.
    pub can_lead: bool,
}

/// A decision; nobody else learns that it exists. May: those who take on what is asked, those who coordinate.
pub async fn view(app: &App, who: &Actor, id: &SubjectId) -> Result<View, AppError> {
    who.may(Action::TakeOn, None).map_err(|_| missing(id))?;
    let mut tx = app.db.read().await?;
    let tree = tree(app, &mut tx, id).await?;
    let mut mine = BTreeMap::new();
    for (ask, id) in store::list_tasks(&mut tx, id).await? {
        if let Some(task) = kepu_store::listen::task::find(&mut tx, &id).await?
            && super::task::may(&mut tx, who, &task).await.is_ok()
        {
            mine.insert(ask, id);
        }
    }
    let line = kepu_store::org::line(&mut tx, &tree.decided.org).await?;
    let can_lead = tree.own && tree.decided.ended.is_none() && who.may(Action::Coordinate, Some(&line)).is_ok();
    Ok(View { homes: homes(&mut tx, who).await?, tasks: mine, can_lead, tree })
}

/// What of it waits on somebody's desk.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Waits {
    /// Asks that the actor's place has not taken on, and when the first of them is due.
    pub(crate) take: Option<(usize, Timestamp)>,
    /// Asks that are overdue or blocked, where the actor's place asked or is asked, and when the first of them was due.
    pub(crate) stuck: Option<(usize, Timestamp)>,
}

pub(crate) async fn waits(app: &App, tx: &mut Tx, who: &Actor) -> Result<Waits, AppError> {
    if who.may(Action::TakeOn, None).is_err() {
        return Ok(Waits::default());
    }
    let (trees, homes, now) = (trees(app, tx).await?, homes(tx, who).await?, app.now());
    let all = || trees.iter().flat_map(|tree| tree.branches.iter().map(move |branch| (tree, branch)));
    let count = |found: Vec<Timestamp>| found.iter().min().map(|first| (found.len(), *first));
    let take = all().filter(|(tree, branch)| homes.may_take(tree, branch)).map(|(tree, branch)| tree.decided.take_by().min(branch.ask.due));
    let concerns = |tree: &Tree, branch: &Branch| branch.is_stuck(now) && (tree.own || homes.are_asked(tree, branch));
    let stuck = all().filter(|(tree, branch)| concerns(tree, branch)).map(|(_, branch)| branch.ask.due);
    Ok(Waits { take: count(take.collect()), stuck: count(stuck.collect()) })
}
