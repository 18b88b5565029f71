//! Working a case: take it, ask an expert, say at once what is known, answer, close. The answer is written as a draft.

use crate::App;
use crate::account::log;
use crate::create::draft as writing;
use crate::error::{AppError, FieldError, text_error};
use crate::measure::contribution::{self, Deed};
use crate::record::{self, Saying};
use jiff::{SignedDuration, Timestamp};
use kepu_domain::access::{Action, Actor, OrgLine, Role};
use kepu_domain::create::draft::{Draft, Matter};
use kepu_domain::create::party::{Candidate, Party};
use kepu_domain::create::resource::Credit;
use kepu_domain::ids::{AccountId, CaseId, PartyId, SubjectId};
use kepu_domain::listen::case::{Case, Clock, RECHECK, Stage, Step};
use kepu_domain::listen::claim::{ClaimReview, Holding, VARIANTS_MAX, Verdict};
use kepu_domain::listen::question::{Question, Stage as Asked};
use kepu_domain::listen::report::REPORT;
use kepu_domain::listen::service::{self, Service};
use kepu_domain::record::Body;
use kepu_domain::text;
use kepu_domain::vocabulary::FIELDS;
use kepu_store::listen::{case as store, question as questions};
use kepu_store::{Tx, subject};

/// A case as a page shows it.
#[derive(Clone, Debug)]
pub struct CaseView {
    /// The case.
    pub case: Case,
    /// Its clock.
    pub clock: Clock,
    /// Its time line; visitors get the public steps only.
    pub steps: Vec<Step>,
    /// Name of the owner, empty while nobody has it.
    pub owner_name: String,
    /// The expert asked.
    pub expert: Option<Party>,
    /// What is said publicly by now.
    pub claim: Option<subject::Row>,
    /// How many people asked.
    pub questions: usize,
    /// Whether the actor may work on it.
    pub can_work: bool,
    /// How people put it, each wording once; only for those who work on it.
    pub wordings: Vec<String>,
}

/// A case as `who` may see it.
pub async fn view(app: &App, who: &Actor, id: &CaseId) -> Result<CaseView, AppError> {
    let mut tx = app.db.read().await?;
    let case = store::get(&mut tx, id).await?;
    let can_work = who.may(Action::WorkCase, Some(&kepu_store::org::line(&mut tx, &case.org).await?)).is_ok();
    let which = if can_work { store::Steps::All } else { store::Steps::Public };
    let steps = store::list_steps(&mut tx, id, which, 500).await?;
    let (owner, expert) = match &case.stage {
        Stage::Working { owner, expert, .. } => (Some(owner), expert.as_ref()),
        Stage::Answered { owner, .. } => (Some(owner), None),
        _ => (None, None),
    };
    let owner_name = match owner {
        Some(owner) => kepu_store::account::get(&mut tx, owner).await?.account.name,
        None => String::new(),
    };
    let expert = match expert {
        Some(expert) => kepu_store::create::party::find(&mut tx, expert).await?,
        None => None,
    };
    let claim = subject::find(&mut tx, &case.subject).await?;
    let asked = match &case.stage {
        Stage::Answered { .. } => questions::list_by_claim(&mut tx, &case.subject, 10_000).await?,
        _ => questions::list_by_case(&mut tx, id, 10_000).await?,
    };
    let wordings = if can_work { wordings(&asked) } else { vec![] };
    Ok(CaseView { clock: case.clock(app.now()), case, steps, owner_name, expert, claim, questions: asked.len(), can_work, wordings })
}

/// How people put a question, each wording once, in the order of asking.
fn wordings(asked: &[Question]) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    asked.iter().filter(|q| !q.text.is_empty() && seen.insert(kepu_text::fold(&q.text))).map(|q| q.text.clone()).collect()
}

/// Cases with their clocks, the next due first.
pub async fn list(app: &App, open_only: bool, limit: u32) -> Result<Vec<(Case, Clock)>, AppError> {
    let mut tx = app.db.read().await?;
    let now = app.now();
    let mut list: Vec<(Case, Clock)> =
        store::list(&mut tx, &store::Filter { stage: open_only.then(|| "active".into()), ..store::Filter::default() }, None, limit)
            .await?
            .into_iter()
            .map(|case| (case.clock(now), case))
            .map(|(c, k)| (k, c))
            .collect();
    list.sort_by_key(|(case, clock)| (!open_only && clock.next == kepu_domain::listen::case::Due::Nothing, clock.at, case.id.clone()));
    Ok(list)
}

/// Which cases somebody looks for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The stored word of a stage; `active` = open or working; `None`: any.
    pub stage: Option<String>,
    /// Kind.
    pub kind: Option<String>,
    /// Inside this place.
    pub within: Option<kepu_domain::org::Region>,
    /// Only those whose next deadline has passed.
    pub late: bool,
    /// Only those that this account has.
    pub owner: Option<AccountId>,
}

/// A case in a list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The case.
    pub case: Case,
    /// Its clock.
    pub clock: Clock,
    /// Whether whoever looks may work on it, and so may read what a visitor typed before somebody has taken it.
    pub can_work: bool,
}

/// Cases that are looked through for one list; the oldest beyond them are found by narrowing the search.
pub const LISTED_MAX: u32 = 5_000;

/// Cases that `wanted` describes: those under way first, the next due on top, then those that are over, the latest on top.
pub async fn search(app: &App, who: &Actor, wanted: &Wanted) -> Result<Vec<Listed>, AppError> {
    let filter = store::Filter {
        stage: wanted.stage.clone(),
        kind: wanted.kind.clone(),
        within: wanted.within,
        owner: wanted.owner.clone(),
        ..store::Filter::default()
    };
    let mut tx = app.db.read().await?;
    let now = app.now();
    let cases: Vec<Case> = store::list(&mut tx, &filter, None, LISTED_MAX).await?.into_iter().filter(|case| !wanted.late || case.clock(now).late).collect();
    let rights = may_work(&mut tx, who, &cases).await?;
    let mut list: Vec<Listed> = cases.into_iter().zip(rights).map(|(case, can_work)| Listed { clock: case.clock(now), case, can_work }).collect();
    list.sort_by_key(|one| {
        let over = one.clock.next == kepu_domain::listen::case::Due::Nothing;
        let at = one.clock.at.as_millisecond();
        (over, if over { -at } else { at }, one.case.id.clone())
    });
    Ok(list)
}

/// How well the cases of a quarter (year, 1 to 4) kept their clocks, by kind, and what was decided about reports then. Of more than [`LISTED_MAX`] cases the newest
/// count.
pub async fn service(app: &App, (year, quarter): (i16, i8), within: Option<kepu_domain::org::Region>) -> Result<(Vec<Service>, Vec<(String, i64)>), AppError> {
    let begins = |year: i16, month: i8| {
        let day = jiff::civil::Date::new(year, month, 1).unwrap_or(jiff::civil::Date::MIN);
        jiff::tz::Offset::constant(8).to_timestamp(day.at(0, 0, 0, 0)).unwrap_or(Timestamp::MIN)
    };
    let month = (quarter.clamp(1, 4) - 1) * 3 + 1;
    let (from, before) = (begins(year, month), if month == 10 { begins(year.saturating_add(1), 1) } else { begins(year, month + 3) });
    let mut tx = app.db.read().await?;
    let filter = store::Filter { within, opened: Some((from, before)), ..store::Filter::default() };
    let cases = store::list(&mut tx, &filter, None, LISTED_MAX).await?;
    let outcomes = kepu_store::listen::report::count_outcomes(&mut tx, from.as_millisecond(), before.as_millisecond()).await?;
    Ok((service::service(&cases, app.now()), outcomes))
}

/// On which of `cases` somebody may work, in their order. Each organisation is looked up once.
pub async fn may_work(tx: &mut Tx, who: &Actor, cases: &[Case]) -> Result<Vec<bool>, AppError> {
    let mut rights = std::collections::HashMap::new();
    for case in cases {
        if !rights.contains_key(&case.org) {
            let line = kepu_store::org::line(tx, &case.org).await?;
            rights.insert(&case.org, who.may(Action::WorkCase, Some(&line)).is_ok());
        }
    }
    Ok(cases.iter().map(|case| rights.get(&case.org).copied().unwrap_or(false)).collect())
}

/// Refuses whoever may not work on a case, before anything else of what they sent is looked at.
pub async fn admit(app: &App, who: &Actor, id: &CaseId) -> Result<(), AppError> {
    open_for(&mut app.db.read().await?, who, Action::WorkCase, id).await.map(drop)
}

async fn open_for(tx: &mut Tx, who: &Actor, action: Action, id: &CaseId) -> Result<Case, AppError> {
    let case = store::get(tx, id).await?;
    who.may(action, Some(&kepu_store::org::line(tx, &case.org).await?))?;
    Ok(case)
}

async fn keep(app: &App, mut tx: Tx, who: &Actor, case: Case, step: Step) -> Result<(), AppError> {
    let case = store::update(&mut tx, case).await?;
    if let "taken" | "handed" | "held" | "closed" = step.kind.as_str() {
        let taker = who.account().filter(|_| step.kind == "taken");
        super::duty::settle(app, &mut tx, &case.id, taker).await?;
    }
    log(app, &mut tx, &who.log_name(), &format!("case.{}", step.kind), &case.id.0, "ok").await?;
    store::add_step(&mut tx, &case.id, &step).await?;
    tx.commit().await?;
    Ok(())
}

/// A step that happens now.
pub(super) fn step(app: &App, kind: &str, text: &str, public: bool) -> Step {
    Step { at: app.now(), kind: kind.into(), text: text.into(), public }
}

/// Takes a case, or hands it over to oneself. May: duty officers.
pub async fn take(app: &App, who: &Actor, id: &CaseId) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let case = open_for(&mut tx, who, Action::WorkCase, id).await?;
    let Some(account) = who.account() else { return Err(kepu_domain::access::Denied::NotSignedIn.into()) };
    let case = case.take(account.clone())?;
    // Whoever takes a report has looked at it: that is the first thing its clock waits for.
    let case = if case.kind == REPORT { case.held(app.now())? } else { case };
    keep(app, tx, who, case, step(app, "taken", "", true)).await
}

/// Who else could have a case: accounts that may work on it, by name.
pub async fn colleagues(app: &App, case: &Case) -> Result<Vec<(AccountId, String)>, AppError> {
    let mut tx = app.db.read().await?;
    let line = kepu_store::org::line(&mut tx, &case.org).await?;
    workers(&mut tx, &line).await
}

/// Accounts that may work on the cases of an organisation, by name.
pub(super) async fn workers(tx: &mut Tx, line: &OrgLine) -> Result<Vec<(AccountId, String)>, AppError> {
    let mut found: Vec<AccountId> = Vec::new();
    for org in &line.0 {
        let members = kepu_store::member::list_by_org(tx, org, 1_000).await?;
        found.extend(members.into_iter().filter(|(_, role)| matches!(role, Role::DutyOfficer | Role::Editor)).map(|(account, _)| account));
    }
    found.sort_unstable();
    found.dedup();
    let mut list = Vec::new();
    for account in found {
        list.extend(can_have(tx, &account, line).await?);
    }
    list.sort_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
    Ok(list)
}

/// The account with its name, if it is in use and may work on cases at `line`.
async fn can_have(tx: &mut Tx, account: &AccountId, line: &OrgLine) -> Result<Option<(AccountId, String)>, AppError> {
    let Some(row) = kepu_store::account::find(tx, account).await?.filter(|row| !row.account.disabled) else { return Ok(None) };
    let memberships = kepu_store::member::list_by_account(tx, account).await?;
    let actor = Actor::Person { account: account.clone(), name: row.account.name.clone(), memberships };
    Ok(actor.may(Action::WorkCase, Some(line)).is_ok().then_some((account.clone(), row.account.name)))
}

/// Hands a case over to a colleague who may work on it.
///
/// May: duty officers. Writes: case, log. Tells: the colleague, whose desk shows it.
pub async fn hand_over(app: &App, who: &Actor, id: &CaseId, to: &AccountId) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let case = open_for(&mut tx, who, Action::WorkCase, id).await?;
    let line = kepu_store::org::line(&mut tx, &case.org).await?;
    let Some((account, name)) = can_have(&mut tx, to, &line).await? else {
        return Err(AppError::Invalid(vec![FieldError::new("to", "no_colleague")]));
    };
    let case = case.take(account)?;
    keep(app, tx, who, case, step(app, "handed", &name, false)).await
}

/// Says which fields a case touches and how urgent it is; experts are found by the fields.
pub async fn classify(app: &App, who: &Actor, id: &CaseId, fields: Vec<String>, level: i64) -> Result<(), AppError> {
    let mut wrong = Vec::new();
    if fields.is_empty() || fields.iter().any(|f| FIELDS.find(f).is_none()) {
        wrong.push(FieldError::new("fields", "no_field"));
    }
    let mut tx = app.db.write().await?;
    let mut case = open_for(&mut tx, who, Action::WorkCase, id).await?;
    if kepu_domain::listen::case::level(&case.kind, level).is_none() {
        wrong.push(FieldError::new("level", "no_level"));
    }
    if !wrong.is_empty() {
        return Err(AppError::Invalid(wrong));
    }
    if matches!(case.stage, Stage::Answered { .. } | Stage::Closed { .. }) {
        return Err(kepu_domain::listen::case::CaseError::Over.into());
    }
    let words = format!("{level} {}", fields.join(","));
    case.fields = fields;
    case.level = level;
    keep(app, tx, who, case, step(app, "classified", &words, false)).await
}

/// Experts for a case, best first.
pub async fn experts(app: &App, case: &Case) -> Result<Vec<Candidate>, AppError> {
    let mut tx = app.db.read().await?;
    crate::create::review::candidates(app, &mut tx, &case.fields, &[]).await
}

/// Asks an expert: begins the answer's draft in the expert's name and gives it to the expert's account, if there is one.
///
/// May: duty officers. Writes: draft, case, log.
pub async fn ask_expert(app: &App, who: &Actor, id: &CaseId, party: &PartyId) -> Result<Draft, AppError> {
    let mut tx = app.db.write().await?;
    let case = open_for(&mut tx, who, Action::WorkCase, id).await?;
    if case.kind == REPORT {
        return Err(AppError::Invalid(vec![FieldError::new("party", "report_decides")]));
    }
    let expert = kepu_store::create::party::get(&mut tx, party).await?;
    if expert.competence(&case.fields, app.today()) == 0 {
        return Err(kepu_domain::create::review::ReviewError::NotCompetent { reviewer: party.clone() }.into());
    }
    crate::create::review::can_be_asked(app, &mut tx, &expert, "party").await?;
    let org = kepu_store::org::find(&mut tx, &expert.org).await?.map_or_else(String::new, |o| o.name);
    let author = Credit { party: expert.id.0.clone(), name: expert.name.clone(), org, title: expert.title.clone(), ..Credit::default() };
    // Checked before anything is written: a case without an owner gets no draft.
    let case = case.can_ask()?;
    let mut answer = skeleton(&mut tx, &case, author, app.today()).await?;
    let asked = questions::list_by_case(&mut tx, id, 1_000).await?;
    let said: Vec<String> = wordings(&asked).into_iter().filter(|text| kepu_text::fold(text) != kepu_text::fold(&case.title)).take(10).collect();
    answer.variants.extend(said.into_iter().filter(|text| kepu_text::count(text) <= text::CLAIM.max));
    answer.variants.truncate(VARIANTS_MAX);
    let matter = Matter::Claim(Box::new(answer));
    give_up_earlier_answer(app, &mut tx, &case).await?;
    let draft = writing::begin_in(app, &mut tx, who, &case.org, matter, Some(id.clone()), Some(case.subject.clone())).await?;
    let accounts = kepu_store::account::list_by_party(&mut tx, party, 1).await?;
    let draft = match accounts.into_iter().next() {
        Some(row) => {
            let owned = Draft { owner: Some(row.account.id), ..draft.clone() };
            kepu_store::create::draft::update(&mut tx, kepu_store::create::draft::Seen::from(&draft), &owned, app.now()).await?;
            owned
        }
        None => draft,
    };
    let case = case.ask_expert(party.clone(), draft.id.clone())?;
    keep(app, tx, who, case, step(app, "asked", &expert.name, true)).await?;
    Ok(draft)
}

/// One case has one answer under way: when another expert is asked, what the one before began is given up. Its text stays
/// readable for its writer.
async fn give_up_earlier_answer(app: &App, tx: &mut Tx, case: &Case) -> Result<(), AppError> {
    let Stage::Working { draft: Some(draft), .. } = &case.stage else { return Ok(()) };
    let Some(draft) = kepu_store::create::draft::find(tx, draft).await? else { return Ok(()) };
    let seen = kepu_store::create::draft::Seen::from(&draft);
    if let Ok(dropped) = draft.drop(app.now()) {
        kepu_store::create::draft::update(tx, seen, &dropped, app.now()).await?;
    }
    Ok(())
}

/// What the expert begins with: an answer that is looked at again stands there as it is public, any other is a skeleton.
async fn skeleton(tx: &mut Tx, case: &Case, author: Credit, today: jiff::civil::Date) -> Result<ClaimReview, AppError> {
    let row = if case.kind == RECHECK { subject::find(tx, &case.subject).await? } else { None };
    let public = match row {
        Some(row) => crate::create::publish::matter_of(tx, &row).await?,
        None => None,
    };
    Ok(match public {
        Some(Matter::Claim(claim)) if !claim.is_holding() => {
            let next_check = ClaimReview::begin(&claim.claim, author.clone(), claim.region, today).next_check;
            ClaimReview { author, checked: today, next_check, reviews: vec![], ..*claim }
        }
        _ => blank(case, author, today),
    })
}

/// The skeleton of an answer to a case.
fn blank(case: &Case, author: Credit, today: jiff::civil::Date) -> ClaimReview {
    ClaimReview { fields: case.fields.clone(), ..ClaimReview::begin(&case.title, author, case.region, today) }
}

/// What a holding statement says.
#[derive(Clone, Debug, Default)]
pub struct HoldingForm {
    /// What is known.
    pub known: String,
    /// What is not known.
    pub not_known: String,
    /// Hours until the next word, 1 to 72.
    pub next_hours: i64,
}

/// Says at once and in public what is known, what is not, who is checking and when the next word comes.
///
/// May: duty officers. Writes: record, subject, case, log.
pub async fn hold(app: &App, who: &Actor, id: &CaseId, form: HoldingForm) -> Result<SubjectId, AppError> {
    let known = kepu_text::clean_text(&form.known);
    let not_known = kepu_text::clean_text(&form.not_known);
    let mut wrong: Vec<FieldError> = [("known", &known), ("not_known", &not_known)]
        .into_iter()
        .filter_map(|(field, text)| text::Limit { field, ..text::NOTE }.check(kepu_text::count(text)).err())
        .map(|e| text_error(&e))
        .collect();
    if !(1..=72).contains(&form.next_hours) {
        wrong.push(FieldError::new("next_hours", "hours"));
    }
    let mut tx = app.db.write().await?;
    let case = open_for(&mut tx, who, Action::IssueHolding, id).await?;
    if !wrong.is_empty() {
        return Err(AppError::Invalid(wrong));
    }
    if case.kind == REPORT {
        return Err(AppError::Invalid(vec![FieldError::new("known", "report_decides")]));
    }
    if case.kind == RECHECK {
        // The old answer stands, with its date, until there is a new one.
        return Err(AppError::Invalid(vec![FieldError::new("known", "recheck_stands")]));
    }
    if case.fields.is_empty() {
        return Err(AppError::Invalid(vec![FieldError::new("fields", "no_field")]));
    }
    let org = kepu_store::org::find(&mut tx, &case.org).await?.map_or_else(String::new, |o| o.name);
    let name = match who {
        Actor::Person { name, .. } => name.clone(),
        other => other.log_name(),
    };
    let checking = match &case.stage {
        Stage::Working { expert: Some(expert), .. } => {
            let party = kepu_store::create::party::get(&mut tx, expert).await?;
            format!("{}（{}）", party.name, party.title)
        }
        _ => org.clone(),
    };
    let author = Credit { name, org, ..Credit::default() };
    let next_update = crate::account::later(app.now(), SignedDuration::from_hours(form.next_hours));
    let review = ClaimReview {
        verdict: Verdict::Checking,
        next_check: None,
        holding: Some(Holding { known, not_known, who: checking, next_update: whole_second(next_update) }),
        ..blank(&case, author, app.today())
    };
    let body = Body::Claim(Box::new(review));
    let saying = Saying { subject: case.subject.clone(), region: case.region, fields: case.fields.clone(), lang: "zh-Hans".into(), body };
    record::publish(app, &mut tx, vec![saying]).await?;
    let case = case.held(app.now())?;
    let subject = case.subject.clone();
    keep(app, tx, who, case, step(app, "held", "", true)).await?;
    app.notify();
    Ok(subject)
}

fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// Notes that a case was answered, with the questions behind it. Within the publishing transaction.
pub(crate) async fn answered(app: &App, tx: &mut Tx, who: &Actor, id: &CaseId, claim: &SubjectId) -> Result<(), AppError> {
    let case = store::get(tx, id).await?;
    let now = app.now();
    if let Stage::Working { expert: Some(expert), .. } = &case.stage {
        // The same deed as the publication of the answer, if the expert wrote it: it stands once.
        let deed = Deed { party: expert, kind: "answer", title: &case.title, object: claim.as_str(), host: &case.org };
        contribution::note(app, tx, deed).await?;
    }
    let case = case.answer(now)?;
    store::update(tx, case).await?;
    super::duty::settle(app, tx, id, None).await?;
    store::add_step(tx, id, &step(app, "answered", "", true)).await?;
    for question in questions::list_by_case(tx, id, 10_000).await? {
        questions::update(tx, &Question { stage: Asked::Answered { claim: claim.clone(), at: now }, ..question }).await?;
    }
    log(app, tx, &who.log_name(), "case.answered", &id.0, "ok").await
}

/// Ends a case without an answer, with a public reason; its questions are told.
pub async fn close(app: &App, who: &Actor, id: &CaseId, reason: &str) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let case = open_for(&mut tx, who, Action::WorkCase, id).await?;
    if case.kind == REPORT {
        return Err(AppError::Invalid(vec![FieldError::new("reason", "report_decides")]));
    }
    let reason = kepu_text::clean_text(reason);
    let case = case.close(&reason, app.now())?;
    for question in questions::list_by_case(&mut tx, id, 10_000).await? {
        questions::update(&mut tx, &Question { stage: Asked::Closed { reason: reason.clone(), at: app.now() }, ..question }).await?;
    }
    keep(app, tx, who, case, step(app, "closed", &reason, true)).await
}

/// Adds a note that only those who work on the case see.
pub async fn note(app: &App, who: &Actor, id: &CaseId, words: &str) -> Result<(), AppError> {
    let words = kepu_text::clean_text(words);
    let mut tx = app.db.write().await?;
    let case = open_for(&mut tx, who, Action::WorkCase, id).await?;
    text::NOTE.check(kepu_text::count(&words))?;
    keep(app, tx, who, case, step(app, "note", &words, false)).await
}
