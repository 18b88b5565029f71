//! Duty rosters, and the calls of cases that nobody has taken or whose clock ran out: the one on duty first, then the fallback chain, then the chain of the
//! organisation above. Whose turn it is and who is next is decided in `kepu-domain::listen::duty`; a call stands on the desk of whoever is called.

use super::case::{may_work, step, workers};
use crate::account::{later, log, log_detail};
use crate::create::find::{self, Scope, Search};
use crate::create::party::emergency_number;
use crate::create::review::party_of;
use crate::error::{AppError, FieldError};
use crate::{App, keys};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use kepu_domain::access::{Action, Actor};
use kepu_domain::create::party::Party;
use kepu_domain::ids::{AccountId, CaseId, OrgId, PartyId, RotaId};
use kepu_domain::listen::case::{Case, Stage, level};
use kepu_domain::listen::duty::{self, Absence, Answer, Call, Next, PEOPLE_MAX, Post, Rota, Seat, TURN_DAYS_MAX, Turn};
use kepu_store::Tx;
use kepu_store::create::party as parties;
use kepu_store::listen::{case as cases, duty as store};
use std::collections::HashMap;

/// Rotas of one page.
const ROTAS_MAX: u32 = 500;
/// Cases that one round looks at.
const CASES_MAX: u32 = 5_000;
/// Experts to choose from.
const EXPERTS_MAX: usize = 500;
/// Turns shown ahead.
pub const AHEAD: usize = 6;
/// Longest absence, in days.
const AWAY_MAX: i64 = 186;
/// The register of those who are called about a matter.
pub(crate) const ROSTER: &str = "emergency-experts";

/// Somebody on a rota as those who work there may see them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Name; empty if the entry is gone.
    pub name: String,
    /// Post.
    pub title: String,
    /// The number given for emergencies, if they agreed and the reader may work on cases.
    pub phone: String,
    /// When they last said that their entry is right.
    pub confirmed: Option<Date>,
    /// Whether they agreed to be called and left a number.
    pub agreed: bool,
    /// Whether they did and confirmed less than a quarter ago.
    pub ready: bool,
    /// Whether they take no tasks at present.
    pub away: bool,
}

/// A rota with whose turn it is.
#[derive(Clone, Debug)]
pub struct RotaView {
    /// The rota.
    pub rota: Rota,
    /// Name of its organisation.
    pub org: String,
    /// The turn that runs.
    pub now: Option<Turn>,
    /// The turns that follow.
    pub next: Vec<Turn>,
    /// Absences of its people that are not over.
    pub absences: Vec<Absence>,
    /// Whether the actor may change it.
    pub can_change: bool,
}

/// What the page about duty shows.
#[derive(Clone, Debug, Default)]
pub struct Overview {
    /// Rotas of the actor's organisations and of those below, and those the actor is on.
    pub rotas: Vec<RotaView>,
    /// Everybody named in them.
    pub people: HashMap<PartyId, Person>,
    /// The actor's registry entry.
    pub me: Option<PartyId>,
    /// Calls that wait for an answer, with their cases.
    pub calls: Vec<(Call, Case)>,
}

/// Who is on duty, and who comes next. May: everybody with a desk; names of people only on rotas of one's organisations or one's own.
pub async fn overview(app: &App, who: &Actor) -> Result<Overview, AppError> {
    who.may(Action::UseDesk, None)?;
    let mut tx = app.db.read().await?;
    let works = who.may(Action::WorkCase, None).is_ok();
    let mut rotas = if works { store::list_below(&mut tx, &who.roots(Action::WorkCase).unwrap_or_default(), ROTAS_MAX).await? } else { vec![] };
    let me = party_of(&mut tx, who).await?;
    if let Some(me) = &me {
        let mine = store::list_with(&mut tx, me).await?;
        rotas.extend(mine.into_iter().filter(|rota| !rotas.iter().any(|known| known.id == rota.id)).collect::<Vec<_>>());
    }
    let mut found = Overview { me, ..Overview::default() };
    for rota in rotas {
        let view = view_of(app, &mut tx, who, rota).await?;
        name_all(app, &mut tx, works, &view, &mut found.people).await?;
        found.rotas.push(view);
    }
    if works {
        found.calls = calls_below(&mut tx, who).await?;
        let called: Vec<PartyId> = found.calls.iter().map(|(call, _)| call.party.clone()).collect();
        names(app, &mut tx, works, &called, &mut found.people).await?;
    }
    Ok(found)
}

async fn view_of(app: &App, tx: &mut Tx, who: &Actor, rota: Rota) -> Result<RotaView, AppError> {
    let absences = store::list_absences(tx, &rota.people, app.today()).await?;
    let line = kepu_store::org::line(tx, &rota.org).await?;
    let mut now = rota.now(&absences, app.now());
    if let Some(turn) = &mut now {
        // As the clock will call them.
        turn.chain = callable(app, tx, std::mem::take(&mut turn.chain), rota.post).await?;
    }
    Ok(RotaView {
        org: kepu_store::org::find(tx, &rota.org).await?.map_or_else(|| rota.org.0.clone(), |org| org.name),
        now,
        next: rota.next(&absences, app.now(), AHEAD),
        can_change: who.may(Action::IssueHolding, Some(&line)).is_ok(),
        absences,
        rota,
    })
}

async fn name_all(app: &App, tx: &mut Tx, works: bool, view: &RotaView, people: &mut HashMap<PartyId, Person>) -> Result<(), AppError> {
    let stand_ins = view.absences.iter().filter_map(|one| one.instead.clone());
    let list: Vec<PartyId> = view.rota.people.iter().cloned().chain(stand_ins).collect();
    names(app, tx, works, &list, people).await
}

async fn names(app: &App, tx: &mut Tx, works: bool, list: &[PartyId], people: &mut HashMap<PartyId, Person>) -> Result<(), AppError> {
    let unknown: Vec<PartyId> = list.iter().filter(|id| !people.contains_key(*id)).cloned().collect();
    for party in parties::find_many(tx, &unknown).await? {
        people.insert(party.id.clone(), person(app, &party, works));
    }
    Ok(())
}

fn person(app: &App, party: &Party, works: bool) -> Person {
    let number = emergency_number(party, &app.definitions().registers);
    Person {
        name: party.name.clone(),
        title: party.title.clone(),
        agreed: number.is_some(),
        ready: number.is_some() && duty::is_confirmed(party.confirmed, app.today()),
        phone: number.filter(|_| works).unwrap_or_default(),
        confirmed: party.confirmed,
        away: !party.available,
    }
}

/// The calls that wait, about cases on which the actor works.
async fn calls_below(tx: &mut Tx, who: &Actor) -> Result<Vec<(Call, Case)>, AppError> {
    let mut list = Vec::new();
    for call in store::list_waiting(tx, None).await? {
        list.extend(cases::find(tx, &call.case).await?.map(|case| (call, case)));
    }
    let found: Vec<Case> = list.iter().map(|(_, case)| case.clone()).collect();
    let rights = may_work(tx, who, &found).await?;
    Ok(list.into_iter().zip(rights).filter(|(_, may)| *may).map(|(one, _)| one).collect())
}

/// A rota as the actor may change it. May: duty officers and editors of its organisation.
pub async fn get(app: &App, who: &Actor, id: &RotaId) -> Result<Rota, AppError> {
    let mut tx = app.db.read().await?;
    open(&mut tx, who, id).await
}

async fn open(tx: &mut Tx, who: &Actor, id: &RotaId) -> Result<Rota, AppError> {
    let rota = store::get(tx, id).await?;
    match who.may(Action::IssueHolding, Some(&kepu_store::org::line(tx, &rota.org).await?)) {
        Ok(()) => Ok(rota),
        Err(kepu_domain::access::Denied::NotSignedIn) => Err(kepu_domain::access::Denied::NotSignedIn.into()),
        Err(_) => Err(AppError::NotFound { what: "rota", id: id.0.clone() }),
    }
}

/// Who could be on a rota, by name, and the names of those who could if they had an entry in the registry.
pub async fn choices(app: &App, who: &Actor, org: &OrgId, post: Post) -> Result<(Vec<(PartyId, String)>, Vec<String>), AppError> {
    let mut tx = app.db.read().await?;
    let line = kepu_store::org::line(&mut tx, org).await?;
    who.may(Action::IssueHolding, Some(&line))?;
    let (mut list, mut lacking) = (Vec::new(), Vec::new());
    match post {
        Post::Officer => {
            for (account, name) in workers(&mut tx, &line).await? {
                let entry = match entry_of(&mut tx, &account).await? {
                    Some(party) => parties::find(&mut tx, &party).await?,
                    None => None,
                };
                match entry {
                    Some(party) => list.push((party.id, party.name)),
                    None => lacking.push(name),
                }
            }
        }
        Post::Expert => {
            drop(tx);
            let search = Search { register: ROSTER.into(), limit: EXPERTS_MAX, ..Search::default() };
            let (found, _) = find::find(app, who, Scope::Entries, &search).await?;
            list.extend(found.into_iter().map(|one| (PartyId(one.id), format!("{}（{}）", one.name, one.org))));
        }
    }
    list.sort_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
    list.dedup_by(|a, b| a.0 == b.0);
    Ok((list, lacking))
}

async fn entry_of(tx: &mut Tx, account: &AccountId) -> Result<Option<PartyId>, AppError> {
    Ok(kepu_store::account::find(tx, account).await?.and_then(|row| row.account.party))
}

/// What a form says about a rota.
#[derive(Clone, Debug, Default)]
pub struct RotaForm {
    /// Day of the first turn.
    pub begins: Option<Date>,
    /// Days of one turn.
    pub turn_days: i64,
    /// Hour of the change.
    pub hour: i64,
    /// In the order of their turns.
    pub people: Vec<PartyId>,
    /// Last day, or none.
    pub ends: Option<Date>,
}

/// What is wrong with a form; everything at once.
fn faults(form: &RotaForm, known: &[(PartyId, String)]) -> Vec<FieldError> {
    let mut wrong = Vec::new();
    match (form.begins, form.ends) {
        (None, _) => wrong.push(FieldError::new("begins", "no_day")),
        (Some(begins), Some(ends)) if ends < begins => wrong.push(FieldError::new("ends", "ends_first")),
        _ => {}
    }
    if !(1..=TURN_DAYS_MAX).contains(&form.turn_days) {
        wrong.push(FieldError::new("turn_days", "turn_days").with("max", TURN_DAYS_MAX));
    }
    if !(0..=23).contains(&form.hour) {
        wrong.push(FieldError::new("hour", "hour_of_day"));
    }
    let twice = form.people.iter().enumerate().any(|(at, id)| form.people[..at].contains(id));
    if form.people.is_empty() || form.people.len() > PEOPLE_MAX {
        wrong.push(FieldError::new("people", "rota_people").with("max", PEOPLE_MAX));
    } else if twice {
        wrong.push(FieldError::new("people", "rota_twice"));
    } else if form.people.iter().any(|id| !known.iter().any(|(one, _)| one == id)) {
        wrong.push(FieldError::new("people", "rota_unknown"));
    }
    wrong
}

/// `rota` as the form says, with people who can be on it.
async fn filled(app: &App, who: &Actor, rota: Rota, form: RotaForm) -> Result<Rota, AppError> {
    let (known, _) = choices(app, who, &rota.org, rota.post).await?;
    let wrong = faults(&form, &known);
    let Some(begins) = form.begins.filter(|_| wrong.is_empty()) else { return Err(AppError::Invalid(wrong)) };
    let RotaForm { turn_days, hour, people, ends, .. } = form;
    Ok(Rota { begins, turn_days, hour, people, ends, ..rota })
}

/// Makes a rota. May: duty officers and editors of the organisation. Writes: duty_rota, log.
pub async fn add(app: &App, who: &Actor, org: &OrgId, post: Post, form: RotaForm) -> Result<RotaId, AppError> {
    let id = RotaId(keys::random_word(12));
    let (begins, people) = (form.begins.unwrap_or_default(), vec![]);
    let blank = Rota { id: id.clone(), org: org.clone(), post, begins, turn_days: 0, hour: 0, people, ends: None, version: 1 };
    let rota = filled(app, who, blank, form).await?;
    let mut tx = app.db.write().await?;
    store::insert(&mut tx, &rota).await?;
    log(app, &mut tx, &who.log_name(), "duty.rota_made", &id.0, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(id)
}

/// Changes a rota that was read in `version`. May: as [`add`]. Writes: duty_rota, log.
pub async fn save(app: &App, who: &Actor, id: &RotaId, version: i64, form: RotaForm) -> Result<(), AppError> {
    let rota = filled(app, who, Rota { version, ..get(app, who, id).await? }, form).await?;
    let mut tx = app.db.write().await?;
    store::update(&mut tx, &rota).await?;
    log(app, &mut tx, &who.log_name(), "duty.rota_changed", &id.0, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(())
}

/// Takes a rota away. May: as [`add`]. Writes: duty_rota, log.
pub async fn remove(app: &App, who: &Actor, id: &RotaId) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let rota = open(&mut tx, who, id).await?;
    store::delete(&mut tx, id).await?;
    log_detail(app, &mut tx, &who.log_name(), "duty.rota_removed", &id.0, &serde_json::json!({"org": rota.org, "post": rota.post.as_str()})).await?;
    tx.commit().await?;
    Ok(())
}

/// Whether the actor may say when somebody is away: they themselves, or whoever keeps a rota that they are on.
async fn may_say(tx: &mut Tx, who: &Actor, party: &PartyId) -> Result<(), AppError> {
    if party_of(tx, who).await?.as_ref() == Some(party) {
        return Ok(());
    }
    for rota in store::list_with(tx, party).await? {
        if who.may(Action::IssueHolding, Some(&kepu_store::org::line(tx, &rota.org).await?)).is_ok() {
            return Ok(());
        }
    }
    Err(AppError::NotFound { what: "party", id: party.0.clone() })
}

/// Says that somebody is away, and who stands in. May: the person; duty officers and editors whose rota they are on. Writes: duty_absence, log.
pub async fn away(app: &App, who: &Actor, one: Absence) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    may_say(&mut tx, who, &one.party).await?;
    let mut wrong = Vec::new();
    let days = one.from.until((jiff::Unit::Day, one.to)).map_or(AWAY_MAX, |span| i64::from(span.get_days()));
    if one.to < one.from {
        wrong.push(FieldError::new("to", "ends_first"));
    } else if one.to < app.today() || days >= AWAY_MAX {
        wrong.push(FieldError::new("to", "away_days").with("max", AWAY_MAX));
    }
    if let Some(instead) = &one.instead {
        let there = parties::find(&mut tx, instead).await?.is_some_and(|party| party.available && party.merged_into.is_none());
        if *instead == one.party || !there {
            wrong.push(FieldError::new("instead", "stand_in"));
        }
    }
    if !wrong.is_empty() {
        return Err(AppError::Invalid(wrong));
    }
    store::put_absence(&mut tx, &one).await?;
    log(app, &mut tx, &who.log_name(), "duty.away", &one.party.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// Takes an absence back. May: as [`away`]. Writes: duty_absence, log.
pub async fn back(app: &App, who: &Actor, party: &PartyId, from: Date) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    may_say(&mut tx, who, party).await?;
    store::delete_absence(&mut tx, party, from).await?;
    log(app, &mut tx, &who.log_name(), "duty.back", &party.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// The chain of an organisation for a post at this moment: its own people, then those of the organisations above. Who takes no tasks at present is left out;
/// who has not confirmed for a quarter, or did not agree to be called, comes after the others of the same rota.
async fn seats(app: &App, tx: &mut Tx, org: &OrgId, post: Post) -> Result<Vec<Seat>, AppError> {
    let line = kepu_store::org::line(tx, org).await?;
    let rotas: Vec<Rota> = store::list_of(tx, &line.0).await?.into_iter().filter(|rota| rota.post == post).collect();
    let mut turns = Vec::new();
    for org in &line.0 {
        for rota in rotas.iter().filter(|rota| rota.org == *org) {
            let absences = store::list_absences(tx, &rota.people, app.today()).await?;
            let Some(turn) = rota.now(&absences, app.now()) else { continue };
            turns.push((org.clone(), callable(app, tx, turn.chain, post).await?));
        }
    }
    Ok(duty::chain(&turns))
}

async fn callable(app: &App, tx: &mut Tx, people: Vec<PartyId>, post: Post) -> Result<Vec<PartyId>, AppError> {
    let found: HashMap<PartyId, Party> = parties::find_many(tx, &people).await?.into_iter().map(|party| (party.id.clone(), party)).collect();
    let (mut ready, mut others) = (Vec::new(), Vec::new());
    for id in people {
        let Some(party) = found.get(&id).filter(|party| party.available && party.merged_into.is_none()) else { continue };
        let signs_in = kepu_store::account::list_by_party(tx, &id, 5).await?.iter().any(|row| !row.account.disabled);
        // An officer answers at the desk; an expert is telephoned.
        if post == Post::Officer && !signs_in {
            continue;
        }
        if person(app, party, true).ready { ready.push(id) } else { others.push(id) }
    }
    ready.append(&mut others);
    Ok(ready)
}

/// Experts on duty for an organisation, the first to be called first, with how they are reached. The caller has asked whether the actor may work on its cases.
pub async fn experts(app: &App, tx: &mut Tx, org: &OrgId) -> Result<Vec<(PartyId, Person)>, AppError> {
    let seats = seats(app, tx, org, Post::Expert).await?;
    let mut people = HashMap::new();
    names(app, tx, true, &seats.iter().map(|seat| seat.party.clone()).collect::<Vec<_>>(), &mut people).await?;
    Ok(seats.into_iter().filter_map(|seat| people.remove(&seat.party).map(|person| (seat.party, person))).collect())
}

/// A call of a case as those who work on it see it.
#[derive(Clone, Debug)]
pub struct CallView {
    /// The call.
    pub call: Call,
    /// Who was called.
    pub person: Person,
    /// Whose rota they were on.
    pub org: String,
    /// Whether it waits for the actor.
    pub mine: bool,
}

/// How the calls of a case stand.
#[derive(Clone, Debug)]
pub struct Calls {
    /// Made so far.
    pub made: Vec<CallView>,
    /// What comes next.
    pub next: Next,
    /// Whether anybody is on duty for its place.
    pub covered: bool,
    /// Name of whoever is called next.
    pub then: String,
}

/// The calls of a case. The caller has asked whether the actor may work on it.
pub async fn calls(app: &App, tx: &mut Tx, who: &Actor, case: &Case) -> Result<Calls, AppError> {
    let me = party_of(tx, who).await?;
    let (seats, list, owner) = (seats(app, tx, &case.org, Post::Officer).await?, store::list_calls(tx, &case.id).await?, owner(tx, case).await?);
    let mut people = HashMap::new();
    let ids: Vec<PartyId> = list.iter().map(|call| call.party.clone()).chain(seats.iter().map(|seat| seat.party.clone())).collect();
    names(app, tx, true, &ids, &mut people).await?;
    let next = duty::next(case, owner.as_ref(), &seats, &list, app.now());
    let then = seats.iter().find(|seat| Some(&seat.party) != owner.as_ref() && !list.iter().any(|call| call.party == seat.party));
    let then = then.and_then(|seat| people.get(&seat.party)).map(|person| person.name.clone()).unwrap_or_default();
    let mut made = Vec::new();
    for call in list {
        made.push(CallView {
            person: people.get(&call.party).cloned().unwrap_or_default(),
            org: kepu_store::org::find(tx, &call.org).await?.map_or_else(String::new, |org| org.name),
            mine: call.answer == Answer::Waiting && me.as_ref() == Some(&call.party),
            call,
        });
    }
    Ok(Calls { made, next, covered: !seats.is_empty(), then })
}

async fn owner(tx: &mut Tx, case: &Case) -> Result<Option<PartyId>, AppError> {
    match &case.stage {
        Stage::Working { owner, .. } => entry_of(tx, owner).await,
        _ => Ok(None),
    }
}

/// Calls that wait for the actor, with their cases and until when they are the one who is called.
pub(crate) async fn waiting(tx: &mut Tx, who: &Actor) -> Result<Vec<(Case, Timestamp)>, AppError> {
    let Some(me) = party_of(tx, who).await? else { return Ok(vec![]) };
    let mut list: Vec<(Case, Timestamp)> = Vec::new();
    for call in store::list_waiting(tx, Some(&me)).await? {
        let Some(case) = cases::find(tx, &call.case).await?.filter(|case| !list.iter().any(|(known, _)| known.id == case.id)) else { continue };
        let minutes = level(&case.kind, case.level).map_or(0, |level| level.call_minutes);
        list.push((case, later(call.at, SignedDuration::from_mins(minutes))));
    }
    Ok(list)
}

/// Looks at every case under way and calls whoever is due; returns how many were called. Running it twice calls nobody twice.
///
/// Writes: duty_call, a step of the case, log.
pub async fn watch(app: &App) -> Result<usize, AppError> {
    let now = app.now();
    let mut tx = app.db.read().await?;
    if store::list_below(&mut tx, &[], 1).await?.is_empty() {
        return Ok(0);
    }
    let mut chains: HashMap<OrgId, Vec<Seat>> = HashMap::new();
    let mut due = Vec::new();
    for case in cases::list_active(&mut tx, &[], CASES_MAX).await? {
        // Most wait for nothing: that is seen without a look into the tables.
        if matches!(duty::next(&case, None, &[], &[], now), Next::Nothing | Next::Wait(_)) {
            continue;
        }
        if !chains.contains_key(&case.org) {
            let seats = seats(app, &mut tx, &case.org, Post::Officer).await?;
            chains.insert(case.org.clone(), seats);
        }
        let (calls, owner) = (store::list_calls(&mut tx, &case.id).await?, owner(&mut tx, &case).await?);
        if let Next::Call(seat, why) = duty::next(&case, owner.as_ref(), &chains[&case.org], &calls, now) {
            let n = calls.last().map_or(1, |call| call.n + 1);
            due.push((case, Call { case: CaseId::default(), n, party: seat.party, org: seat.org, why, at: now, answer: Answer::Waiting, answered_at: None }));
        }
    }
    drop(tx);
    let mut called = 0;
    for (case, call) in due {
        called += usize::from(place(app, &case, Call { case: case.id.clone(), ..call }).await?);
    }
    if called > 0 {
        app.notify();
    }
    Ok(called)
}

/// Makes one call, if the case still stands as it was seen.
async fn place(app: &App, seen: &Case, call: Call) -> Result<bool, AppError> {
    let mut tx = app.db.write().await?;
    if cases::get(&mut tx, &seen.id).await?.version != seen.version || !store::add_call(&mut tx, &call).await? {
        return Ok(false);
    }
    // In public only that somebody is called, and when it goes up.
    let words = if call.org == seen.org { String::new() } else { kepu_store::org::find(&mut tx, &call.org).await?.map_or_else(String::new, |org| org.name) };
    cases::add_step(&mut tx, &seen.id, &step(app, "called", &words, true)).await?;
    let detail = serde_json::json!({"n": call.n, "party": call.party, "why": call.why.as_str()});
    log_detail(app, &mut tx, "node", "duty.called", &seen.id.0, &detail).await?;
    tx.commit().await?;
    Ok(true)
}

/// Says that one cannot take the case one was called about; the next in the chain is called at once.
///
/// May: whoever was called. Writes: duty_call, log.
pub async fn cannot(app: &App, who: &Actor, id: &CaseId) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let me = party_of(&mut tx, who).await?;
    let mine = store::list_calls(&mut tx, id).await?.into_iter().find(|call| call.answer == Answer::Waiting && Some(&call.party) == me.as_ref());
    let Some(call) = mine else { return Err(AppError::NotFound { what: "call", id: id.0.clone() }) };
    store::answer(&mut tx, id, call.n, Answer::Cannot, app.now()).await?;
    log(app, &mut tx, &who.log_name(), "duty.cannot", &id.0, "ok").await?;
    tx.commit().await?;
    watch(app).await?;
    Ok(())
}

/// Notes that nobody need answer any more: `taker` has the case, or what was overdue is done. Within the deed's transaction.
pub(super) async fn settle(app: &App, tx: &mut Tx, id: &CaseId, taker: Option<&AccountId>) -> Result<(), AppError> {
    let taker = match taker {
        Some(account) => entry_of(tx, account).await?,
        None => None,
    };
    for call in store::list_calls(tx, id).await?.into_iter().filter(|call| call.answer == Answer::Waiting) {
        let answer = if taker.as_ref() == Some(&call.party) { Answer::Taken } else { Answer::Settled };
        store::answer(tx, id, call.n, answer, app.now()).await?;
    }
    Ok(())
}
