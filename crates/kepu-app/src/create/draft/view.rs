//! Drafts as their people see them: lists, and one draft with all that is known about it. Changing them is in the parent.

use super::{May, limits, rights};
use crate::App;
use crate::create::review;
use crate::create::review::comment::{self, Thread};
use crate::error::AppError;
use jiff::Timestamp;
use kepu_domain::access::{Action, Actor};
use kepu_domain::create::check::Finding;
use kepu_domain::create::draft::{Draft, Gate, Progress, Stage};
use kepu_domain::create::lane::Lane;
use kepu_domain::create::party::Candidate;
use kepu_domain::create::review::{Review, SignOff};
use kepu_domain::ids::{AccountId, DraftId, OrgId};
use kepu_store::create::draft::{self as store, Filter, Listed, Order};
use kepu_store::{Tx, log, subject};
use std::collections::HashMap;

/// A draft with what its page says about it.
#[derive(Clone, Debug)]
pub struct DraftView {
    /// The draft.
    pub draft: Draft,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Name of the organisation.
    pub org: String,
    /// Name of its writer; empty if no account wrote it.
    pub owner: String,
    /// What the actor may do with it.
    pub may: May,
    /// Where it stands.
    pub progress: Progress,
    /// Approvals that count, and how many it takes.
    pub approvals: (usize, usize),
    /// The editions that it adds or changes, if it changes nothing else: they take the small review.
    pub small: Vec<String>,
    /// What a machine found.
    pub findings: Vec<Finding>,
    /// The lane it falls into.
    pub lane: Option<Lane>,
    /// Whether its author is somebody whom the lane lets write it.
    pub author_fits: bool,
    /// Remarks at its sentences.
    pub remarks: Vec<Thread>,
    /// Who could answer for it as its author: qualified people with an account, while it lacks one.
    pub successors: Vec<Candidate>,
    /// Bytes of the record that it would become.
    pub size: usize,
    /// All reviews with the names that would stand under it, first assigned first.
    pub reviews: Vec<(Review, SignOff)>,
    /// Who could review it, best first; only while it can be assigned, for whoever assigns.
    pub candidates: Vec<Candidate>,
    /// The public version that it corrects.
    pub corrects: Option<subject::Row>,
    /// Its public page, once it has one.
    pub public: Option<subject::Row>,
    /// What was done with it, newest first; for writer and editors.
    pub history: Vec<Deed>,
}

/// One line of a draft's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When.
    pub at: Timestamp,
    /// Who: the name of an account, or a word such as `operator`.
    pub who: String,
    /// The word of the audit log, such as `draft.submitted`.
    pub action: String,
}

/// One draft with all that `who` may know about it.
///
/// May: its writer, its reviewers, editors of its organisation.
pub async fn view(app: &App, who: &Actor, id: &DraftId) -> Result<DraftView, AppError> {
    let mut tx = app.db.read().await?;
    let listed = store::get_listed(&mut tx, id).await?;
    let draft = listed.draft;
    // A stranger learns nothing, not even that it exists.
    let may = rights(&mut tx, who, &draft).await?.ok_or_else(|| AppError::NotFound { what: "draft", id: id.0.clone() })?;
    let policy = app.trust(&mut tx).await?.policy.clone();
    let reviews = review::with_sign_offs(app, &mut tx, &draft).await?;
    let assigning = may.publish && matches!(draft.stage, Stage::Submitted { .. });
    let before = limits::before(&mut tx, &draft).await?;
    let definitions = app.definitions();
    let gate = Gate { policy: &policy, lanes: &definitions.lanes, before: before.as_ref() };
    let findings = limits::findings(app, &mut tx, &draft).await?;
    let history = if may.write { history(&mut tx, id, &reviews).await? } else { vec![] };
    Ok(DraftView {
        org: org_name(&mut tx, &draft.org).await?,
        owner: owner_name(&mut tx, draft.owner.as_ref()).await?,
        progress: draft.progress(&reviews, gate),
        approvals: draft.approvals(&reviews, gate),
        small: gate.small(&draft.matter),
        author_fits: !findings.iter().any(|finding| finding.rule == "author_unqualified"),
        successors: if may.write && findings.iter().any(|finding| finding.rule == "author_unqualified") {
            super::hand::successors(app, &mut tx, &draft).await?
        } else {
            vec![]
        },
        findings,
        lane: definitions.lanes.of(&draft.matter).cloned(),
        remarks: comment::threads(&mut tx, &draft).await?,
        size: limits::size(app, &draft),
        candidates: if assigning { review::reviewers_for(app, &mut tx, &draft).await? } else { vec![] },
        corrects: limits::corrected(&mut tx, &draft).await?,
        public: subject::find(&mut tx, &draft.subject).await?,
        updated_at: listed.updated_at,
        reviews,
        history,
        may,
        draft,
    })
}

async fn org_name(tx: &mut Tx, id: &OrgId) -> Result<String, AppError> {
    Ok(kepu_store::org::find(tx, id).await?.map_or_else(|| id.0.clone(), |org| org.name))
}

async fn owner_name(tx: &mut Tx, id: Option<&AccountId>) -> Result<String, AppError> {
    let Some(id) = id else { return Ok(String::new()) };
    Ok(kepu_store::account::find(tx, id).await?.map(|row| row.account.name).unwrap_or_default())
}

/// What the audit log says about a draft and its reviews.
async fn history(tx: &mut Tx, id: &DraftId, reviews: &[(Review, SignOff)]) -> Result<Vec<Deed>, AppError> {
    let mut entries = Vec::new();
    let objects = std::iter::once(id.as_str()).chain(reviews.iter().map(|(review, _)| review.id.as_str()));
    for object in objects {
        let filter = log::Filter { object: Some(object.to_owned()), ..log::Filter::default() };
        entries.extend(log::list(tx, &filter, None, 200).await?);
    }
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.seq));
    let mut names: HashMap<String, String> = HashMap::new();
    let mut deeds = Vec::with_capacity(entries.len());
    for entry in entries {
        let name = match (names.get(&entry.who), entry.who.strip_prefix("account:")) {
            (Some(name), _) => name.clone(),
            (None, Some(account)) => owner_name(tx, Some(&account.into())).await?,
            (None, None) => entry.who.clone(),
        };
        names.insert(entry.who, name.clone());
        deeds.push(Deed { at: entry.at, who: name, action: entry.action });
    }
    Ok(deeds)
}

/// Whose drafts a list shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Those of the actor.
    #[default]
    Mine,
    /// Those of the organisations where the actor is an editor.
    Org,
}

/// Which drafts; empty words ask for nothing.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Whose.
    pub scope: Scope,
    /// `active`, or the stored word of a stage.
    pub stage: String,
    /// `resource` or `claim`.
    pub kind: String,
    /// Which come first.
    pub order: Order,
}

/// A draft in a list.
#[derive(Clone, Debug)]
pub struct Row {
    /// The draft with its times.
    pub listed: Listed,
    /// Name of the organisation.
    pub org: String,
    /// Name of its writer.
    pub owner: String,
    /// Where it stands.
    pub progress: Progress,
}

/// Drafts from number `from` on (from 0), at most `limit`, with the number of all that pass.
///
/// May: whoever drafts; of others only those of organisations where the actor is an editor.
pub async fn list(app: &App, who: &Actor, query: &Query, from: usize, limit: usize) -> Result<(Vec<Row>, usize), AppError> {
    who.may(Action::Draft, None)?;
    let mut tx = app.db.read().await?;
    let Some(filter) = filter(who, query) else { return Ok((vec![], 0)) };
    let total = usize::try_from(store::count(&mut tx, &filter).await?).unwrap_or_default();
    let most = u32::try_from(from.saturating_add(limit)).unwrap_or(u32::MAX);
    let (policy, definitions) = (app.trust(&mut tx).await?.policy.clone(), app.definitions());
    let mut rows = Vec::new();
    for listed in store::list(&mut tx, &filter, None, most).await?.into_iter().skip(from) {
        let reviews = review::with_sign_offs(app, &mut tx, &listed.draft).await?;
        let before = limits::before(&mut tx, &listed.draft).await?;
        rows.push(Row {
            org: org_name(&mut tx, &listed.draft.org).await?,
            owner: owner_name(&mut tx, listed.draft.owner.as_ref()).await?,
            progress: listed.draft.progress(&reviews, Gate { policy: &policy, lanes: &definitions.lanes, before: before.as_ref() }),
            listed,
        });
    }
    Ok((rows, total))
}

/// `None` if nothing can pass.
fn filter(who: &Actor, query: &Query) -> Option<Filter> {
    let some = |word: &str| Some(word.to_owned()).filter(|word| !word.is_empty());
    let filter = Filter { stage: some(&query.stage), kind: some(&query.kind), order: query.order, ..Filter::default() };
    match query.scope {
        Scope::Mine => who.account().map(|account| Filter { owner: Some(account.clone()), ..filter }),
        Scope::Org => match who.roots(Action::Publish) {
            // No organisation must never mean every organisation.
            Some(orgs) => Some(orgs).filter(|orgs| !orgs.is_empty()).map(|orgs| Filter { orgs, ..filter }),
            None => Some(filter),
        },
    }
}
