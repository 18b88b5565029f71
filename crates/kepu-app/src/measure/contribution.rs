//! The ledger: stated by the person, confirmed by the side that received it, or noted by itself when the program has seen it done.
//! Rules are in `kepu-domain::measure::contribution`; certificates drawn from it in `certificate`, sums in `scoring`.

use crate::account::{log, log_detail};
use crate::create::credential;
use crate::error::{AppError, FieldError, text_error};
use crate::{App, keys};
use jiff::ToSpan;
use jiff::civil::Date;
use kepu_domain::access::{Action, Actor, Denied};
use kepu_domain::create::party::Party;
use kepu_domain::ids::{ContributionId, OrgId, PartyId};
use kepu_domain::measure::contribution::{COUNT_MAX, ConfirmedBy, Contribution, ContributionError, DAYS_MAX, MINUTES_MAX, Stage, kind};
use kepu_domain::text;
use kepu_store::Tx;
use kepu_store::measure::contribution::{self as store, Total};
use std::collections::{BTreeMap, HashSet};

/// Most lines that are looked at for one person and period.
pub const LINES_MAX: u32 = 5_000;
/// Most lines that are confirmed or refused at once.
pub const AT_ONCE_MAX: usize = 200;
/// Lines that came with a certificate from elsewhere begin their object so; its subject follows.
pub(super) const BROUGHT: &str = "credential:";

/// Something the program has seen done.
pub(crate) struct Deed<'a> {
    /// Who.
    pub party: &'a PartyId,
    /// Kind that is confirmed by the deed itself.
    pub kind: &'static str,
    /// What, in words.
    pub title: &'a str,
    /// What it was about; the same deed noted again changes nothing.
    pub object: &'a str,
    /// For whom.
    pub host: &'a OrgId,
}

/// Notes a deed of this node inside the caller's transaction. Whoever is not in the registry of this node has no ledger here.
pub(crate) async fn note(app: &App, tx: &mut Tx, deed: Deed<'_>) -> Result<(), AppError> {
    if kepu_store::create::party::find(tx, deed.party).await?.is_none() {
        return Ok(());
    }
    let host = kepu_store::org::find(tx, deed.host).await?.map_or_else(String::new, |org| org.name);
    let line = Contribution {
        id: ContributionId(keys::random_word(16)),
        party: deed.party.clone(),
        kind: deed.kind.to_owned(),
        title: deed.title.to_owned(),
        object: deed.object.to_owned(),
        host: deed.host.clone(),
        day: app.today(),
        count: 1,
        minutes: 0,
        stage: Stage::Confirmed { by: host, at: app.now() },
        version: 1,
    };
    store::insert_once(tx, &line).await?;
    Ok(())
}

/// Whose ledger somebody looks at, and what they may do there.
#[derive(Clone, Debug)]
pub struct Owner {
    /// The person or team.
    pub party: Party,
    /// Whether it is the viewer's own.
    pub own: bool,
}

/// The ledger of `party`, or one's own. A stranger learns nothing, not even that somebody is there.
///
/// May: the person, and stewards of their institution.
pub(super) async fn owner(tx: &mut Tx, who: &Actor, party: Option<&PartyId>) -> Result<Option<Owner>, AppError> {
    if matches!(who, Actor::Visitor) {
        return Err(Denied::NotSignedIn.into());
    }
    let mine = crate::create::review::party_of(tx, who).await?;
    let Some(id) = party.cloned().or_else(|| mine.clone()) else { return Ok(None) };
    let missing = || AppError::NotFound { what: "party", id: id.0.clone() };
    let party = kepu_store::create::party::find(tx, &id).await?.ok_or_else(missing)?;
    let own = mine.as_ref() == Some(&id);
    if !own && who.may(Action::ManageMembers, Some(&kepu_store::org::line(tx, &party.org).await?)).is_err() {
        return Err(missing());
    }
    Ok(Some(Owner { party, own }))
}

/// A line of the ledger as its owner sees it.
#[derive(Clone, Debug)]
pub struct Line {
    /// The line.
    pub line: Contribution,
    /// Name of the institution that received it; of one brought from elsewhere, of its issuer.
    pub host: String,
    /// Why it does not count although it was confirmed: the certificate that brought it was revoked.
    pub fallen: Option<String>,
}

impl Line {
    /// Whether it counts.
    pub fn counts(&self) -> bool {
        self.line.counts() && self.fallen.is_none()
    }
}

/// A ledger in a period.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// Whose.
    pub owner: Owner,
    /// Lines, newest first.
    pub lines: Vec<Line>,
}

impl Ledger {
    /// What counts.
    pub fn counting(&self) -> Vec<Contribution> {
        self.lines.iter().filter(|line| line.counts()).map(|line| line.line.clone()).collect()
    }
}

/// The ledger of `party`, or one's own, in a period. `None` for somebody whose account is linked to no entry of the registry.
pub async fn ledger(app: &App, who: &Actor, party: Option<&PartyId>, from: Date, until: Date) -> Result<Option<Ledger>, AppError> {
    let mut tx = app.db.read().await?;
    let Some(owner) = owner(&mut tx, who, party).await? else { return Ok(None) };
    let lines = lines_of(app, &mut tx, &owner.party.id, from, until).await?;
    Ok(Some(Ledger { owner, lines }))
}

pub(super) async fn lines_of(app: &App, tx: &mut Tx, party: &PartyId, from: Date, until: Date) -> Result<Vec<Line>, AppError> {
    let list = store::list_by_party(tx, party, from, until, LINES_MAX).await?;
    let mut fallen = BTreeMap::new();
    for row in kepu_store::create::credential::list_by_party(tx, party, 1_000).await?.into_iter().filter(|row| !row.origin.is_empty()) {
        if let Some(revoked) = credential::revocation(app, tx, &row).await? {
            fallen.insert(format!("{BROUGHT}{}#", row.subject), revoked.reason);
        }
    }
    let mut names: BTreeMap<OrgId, String> = BTreeMap::new();
    let mut lines = Vec::with_capacity(list.len());
    for line in list {
        if !names.contains_key(&line.host) {
            let name = kepu_store::org::find(tx, &line.host).await?.map_or_else(String::new, |org| org.name);
            names.insert(line.host.clone(), name);
        }
        let host = match (&line.stage, names.get(&line.host).filter(|name| !name.is_empty())) {
            (_, Some(name)) => name.clone(),
            (Stage::Confirmed { by, .. }, None) => by.clone(),
            _ => String::new(),
        };
        let why = fallen.iter().find(|(object, _)| line.object.starts_with(object.as_str())).map(|(_, why)| why.clone());
        lines.push(Line { line, host, fallen: why });
    }
    Ok(lines)
}

/// What somebody says they did.
#[derive(Clone, Debug, Default)]
pub struct Claim {
    /// For whom; `None`: the actor's own entry.
    pub party: Option<PartyId>,
    /// Kind that the receiving side confirms.
    pub kind: String,
    /// What, in words.
    pub title: String,
    /// The institution that received it.
    pub host: OrgId,
    /// The day.
    pub day: Option<Date>,
    /// How many units.
    pub count: i64,
    /// Minutes of effort, for each who took part; 0: not counted.
    pub minutes: i64,
    /// A word that all who took part in the same thing give, such as the event's number; empty: found from kind, day, host and title.
    pub deed: String,
}

/// States a contribution. It counts once its host has confirmed it.
///
/// May: the person; stewards of their institution for people without accounts. Writes: contribution, log. Tells: the host, whose list shows it.
pub async fn state(app: &App, who: &Actor, claim: Claim) -> Result<ContributionId, AppError> {
    let title = kepu_text::clean_line(&claim.title);
    let mut wrong = check(app, &claim, &title);
    let mut tx = app.db.write().await?;
    let Some(owner) = owner(&mut tx, who, claim.party.as_ref()).await? else {
        return Err(AppError::Invalid(vec![FieldError::new("party", "party_link")]));
    };
    if kepu_store::org::find(&mut tx, &claim.host).await?.is_none() {
        wrong.push(FieldError::new("host", "host_unknown"));
    }
    let object = object_of(&claim, &title);
    if wrong.is_empty() && !store::list_by_object(&mut tx, &owner.party.id, &object).await?.is_empty() {
        wrong.push(FieldError::new("title", "deed_known"));
    }
    let Some(day) = claim.day.filter(|_| wrong.is_empty()) else { return Err(AppError::Invalid(wrong)) };
    let line = Contribution {
        id: ContributionId(keys::random_word(16)),
        party: owner.party.id,
        kind: claim.kind,
        title,
        object,
        host: claim.host,
        day,
        count: claim.count,
        minutes: claim.minutes,
        stage: Stage::Claimed,
        version: 1,
    };
    store::insert_once(&mut tx, &line).await?;
    log(app, &mut tx, &who.log_name(), "contribution.stated", &line.id.0, "ok").await?;
    tx.commit().await?;
    Ok(line.id)
}

fn check(app: &App, claim: &Claim, title: &str) -> Vec<FieldError> {
    let mut wrong: Vec<FieldError> = Vec::new();
    if kind(&claim.kind).is_none_or(|kind| kind.confirmed_by != ConfirmedBy::Host) {
        wrong.push(FieldError::new("kind", "choose_kind"));
    }
    wrong.extend(text::TITLE.check(kepu_text::count(title)).err().map(|error| text_error(&error)));
    match claim.day {
        None => wrong.push(FieldError::new("day", "day_needed")),
        Some(day) if day > app.today() => wrong.push(FieldError::new("day", "day_future")),
        Some(day) if day < app.today().saturating_sub(DAYS_MAX.days()) => wrong.push(FieldError::new("day", "day_old").with("days", DAYS_MAX)),
        Some(_) => {}
    }
    if !(1..=COUNT_MAX).contains(&claim.count) {
        wrong.push(FieldError::new("count", "between").with("min", 1).with("max", COUNT_MAX));
    }
    if !(0..=MINUTES_MAX).contains(&claim.minutes) {
        wrong.push(FieldError::new("hours", "between").with("min", 0).with("max", MINUTES_MAX / 60));
    }
    if claim.deed.chars().count() > 80 {
        wrong.push(FieldError::new("deed", "long").with("count", claim.deed.chars().count()).with("max", 80));
    }
    wrong
}

/// What makes two statements speak of the same deed. The kind is left out: one afternoon is not a talk and a service at once.
fn object_of(claim: &Claim, title: &str) -> String {
    let deed = kepu_text::fold(&kepu_text::clean_line(&claim.deed));
    let day = claim.day.map(|day| day.to_string()).unwrap_or_default();
    let words = if deed.is_empty() { format!("{day} {}", kepu_text::fold(title)) } else { deed };
    format!("deed:{}", keys::short_hash(&format!("{} {words}", claim.host)))
}

/// Takes back what was not confirmed; it may be stated again.
///
/// May: the person, stewards of their institution. Writes: contribution, log.
pub async fn withdraw(app: &App, who: &Actor, id: &ContributionId) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let missing = || AppError::NotFound { what: "contribution", id: id.0.clone() };
    let line = store::get(&mut tx, id).await?;
    // Whoever may not see the ledger learns nothing of its lines.
    owner(&mut tx, who, Some(&line.party)).await.map_err(|error| if matches!(error, AppError::NotFound { .. }) { missing() } else { error })?;
    line.may_go().map_err(closed)?;
    store::delete(&mut tx, &line).await?;
    log(app, &mut tx, &who.log_name(), "contribution.taken_back", &id.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

fn closed(error: ContributionError) -> AppError {
    match error {
        ContributionError::Own => Denied::OwnWork.into(),
        ContributionError::NoReason => AppError::Invalid(vec![FieldError::new("reason", "no_reason")]),
        ContributionError::Closed(_) => AppError::Invalid(vec![FieldError::new("lines", "line_closed")]),
    }
}

/// One deed that waits, with everybody who says they took part: seen once, confirmed once.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Kind.
    pub kind: String,
    /// The day.
    pub day: Date,
    /// The institution that received it.
    pub host: String,
    /// Line, name of the party, whether it is the viewer's own.
    pub lines: Vec<(Contribution, String, bool)>,
}

/// What waits for confirmation by institutions that the actor speaks for, oldest first, with the number of all lines.
///
/// May: editors and stewards of the host.
pub async fn waiting(app: &App, who: &Actor, limit: u32) -> Result<(Vec<Waiting>, usize), AppError> {
    who.may(Action::ConfirmContribution, None)?;
    let roots = who.roots(Action::ConfirmContribution);
    let mut tx = app.db.read().await?;
    let total = store::count_claimed(&mut tx, roots.as_deref()).await?;
    let mine = crate::create::review::party_of(&mut tx, who).await?;
    let mut list: Vec<Waiting> = Vec::new();
    for line in store::list_claimed(&mut tx, roots.as_deref(), limit).await? {
        let name = kepu_store::create::party::find(&mut tx, &line.party).await?.map_or_else(String::new, |party| party.name);
        let own = mine.as_ref() == Some(&line.party);
        let same = |one: &&mut Waiting| one.lines.first().is_some_and(|(first, ..)| first.object == line.object && first.kind == line.kind);
        if let Some(deed) = list.iter_mut().find(same) {
            deed.lines.push((line, name, own));
            continue;
        }
        let host = kepu_store::org::find(&mut tx, &line.host).await?.map_or_else(String::new, |org| org.name);
        list.push(Waiting { kind: line.kind.clone(), day: line.day, host, lines: vec![(line, name, own)] });
    }
    Ok((list, usize::try_from(total).unwrap_or_default()))
}

/// How many lines wait for the actor; 0 for who confirms nothing.
pub async fn count_waiting(app: &App, who: &Actor) -> Result<i64, AppError> {
    if who.may(Action::ConfirmContribution, None).is_err() {
        return Ok(0);
    }
    let mut tx = app.db.read().await?;
    Ok(store::count_claimed(&mut tx, who.roots(Action::ConfirmContribution).as_deref()).await?)
}

/// What a host says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// It was so.
    Confirm,
    /// It was not, and why; the person reads it.
    Refuse(&'a str),
}

/// Answers for the institution that received these contributions; all of them or none. Nobody answers for their own.
///
/// May: editors and stewards of the host. Writes: contributions, log.
pub async fn answer(app: &App, who: &Actor, ids: &[ContributionId], answer: Answer<'_>) -> Result<(), AppError> {
    let unique: HashSet<&ContributionId> = ids.iter().collect();
    if unique.is_empty() || ids.len() > AT_ONCE_MAX {
        return Err(AppError::Invalid(vec![FieldError::new("lines", "choose_lines").with("max", AT_ONCE_MAX)]));
    }
    let reason = match answer {
        Answer::Refuse(reason) => kepu_text::clean_text(reason),
        Answer::Confirm => String::new(),
    };
    if matches!(answer, Answer::Refuse(_))
        && let Err(error) = text::NOTE.check(kepu_text::count(&reason))
    {
        return Err(AppError::Invalid(vec![FieldError { field: "reason".into(), ..text_error(&error) }]));
    }
    let mut tx = app.db.write().await?;
    let own = crate::create::review::party_of(&mut tx, who).await?;
    for id in unique {
        let line = store::get(&mut tx, id).await?;
        let host = kepu_store::org::line(&mut tx, &line.host).await?;
        who.may(Action::ConfirmContribution, Some(&host)).map_err(|_| AppError::NotFound { what: "contribution", id: id.0.clone() })?;
        let (line, word) = match answer {
            Answer::Confirm => {
                let by = kepu_store::org::find(&mut tx, &line.host).await?.map_or_else(String::new, |org| org.name);
                (line.confirm(&by, own.as_ref(), app.now()).map_err(closed)?, "contribution.confirmed")
            }
            Answer::Refuse(_) if own.as_ref() == Some(&line.party) => return Err(Denied::OwnWork.into()),
            Answer::Refuse(_) => (line.refuse(&reason, app.now()).map_err(closed)?, "contribution.refused"),
        };
        store::update(&mut tx, &line).await?;
        log_detail(app, &mut tx, &who.log_name(), word, &line.id.0, &serde_json::json!({"host": line.host})).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Fewest parties behind a public figure: fewer could be recognised.
pub const CELL_MIN: i64 = 5;

/// A public figure about one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Kind.
    pub kind: String,
    /// Confirmed lines, parties, units and minutes; `None` where fewer than [`CELL_MIN`] parties stand behind them.
    pub total: Option<Total>,
}

/// What was contributed in a period, by kind, without persons.
pub async fn figures(app: &App, from: Date, until: Date) -> Result<Vec<Figure>, AppError> {
    let mut tx = app.db.read().await?;
    let totals = store::totals(&mut tx, from, until).await?;
    Ok(totals.into_iter().map(|total| Figure { kind: total.kind.clone(), total: (total.parties >= CELL_MIN).then_some(total) }).collect())
}

/// Institutions whose name holds `text`, to choose a host from; at most `limit`.
pub async fn hosts(app: &App, text: &str, limit: u32) -> Result<Vec<kepu_domain::org::Org>, AppError> {
    let mut tx = app.db.read().await?;
    Ok(kepu_store::org::search(&mut tx, text, limit).await?)
}
