//! Reports against content: anybody may say what is wrong with something public; a case with a clock decides, with a reason; one appeal, decided by somebody else.
//! What is done to the content itself is in `create::take_back` and `create::publish`.

use crate::App;
use crate::account::log;
use crate::error::{AppError, FieldError, note_words};
use crate::keys;
use crate::listen::case::step;
use kepu_domain::access::{Action, Actor, Denied};
use kepu_domain::ids::{CaseId, SubjectId};
use kepu_domain::listen::case::{Case, Stage};
use kepu_domain::listen::question::mask_personal;
use kepu_domain::listen::report::{REPORT, RULES, Report, ReportError};
use kepu_store::listen::{case as cases, report as store};
use kepu_store::subject::{self, Row, Standing};
use kepu_store::{Tx, counter};

/// Reports and appeals from one address in a minute at most.
const PER_MINUTE: u32 = 10;
/// Most reports that one case adds up; beyond them nothing more is learnt from the number.
const TIMES_MAX: i64 = 1_000_000;

/// A report as typed.
#[derive(Clone, Debug)]
pub struct Filed {
    /// Id of the ground.
    pub ground: String,
    /// What exactly, and how one knows.
    pub words: String,
    /// Where the request came from: only for the limit per minute, kept nowhere.
    pub address: String,
}

/// The words of a report or an appeal, masked.
fn words(field: &'static str, text: &str) -> Result<String, AppError> {
    note_words(field, &mask_personal(&kepu_text::clean_text(text)).0)
}

/// Opens a case about something public, or joins the one under way for the same ground.
///
/// May: anybody, without login. Writes: case, report, log (never who reported).
pub async fn file(app: &App, id: &SubjectId, filed: Filed) -> Result<CaseId, AppError> {
    let ground = RULES.ground(&filed.ground).ok_or_else(|| AppError::Invalid(vec![FieldError::new("ground", "no_ground")]))?;
    let text = words("words", &filed.words)?;
    app.limit(&filed.address, PER_MINUTE)?;
    let mut tx = app.db.write().await?;
    // Two who report the same at the same moment wait for each other here.
    counter::take(&mut tx, "case", 1).await?;
    let row = public(&mut tx, id).await?;
    for report in store::list(&mut tx, id, &ground.id).await? {
        let case = cases::get(&mut tx, &report.case).await?;
        if matches!(case.stage, Stage::Open | Stage::Working { .. }) {
            store::put(&mut tx, &Report { times: (report.times + 1).min(TIMES_MAX), ..report }).await?;
            cases::add_step(&mut tx, &case.id, &step(app, "reported", &text, false)).await?;
            tx.commit().await?;
            return Ok(case.id);
        }
    }
    let case = Case {
        id: CaseId(keys::random_word(12)),
        kind: REPORT.into(),
        level: ground.level,
        title: row.title.clone(),
        fields: row.fields.clone(),
        region: row.region,
        org: crate::create::publish::org_of(&mut tx, id).await?,
        // A case has a subject of its own; the content keeps its history to itself.
        subject: SubjectId::new(&app.key.id().fingerprint(), &format!("report-{}", keys::random_word(12))),
        opened_at: app.now(),
        held_at: None,
        stage: Stage::Open,
        version: 1,
    };
    cases::insert(&mut tx, &case).await?;
    cases::add_step(&mut tx, &case.id, &step(app, "opened", "", true)).await?;
    cases::add_step(&mut tx, &case.id, &step(app, "reported", &text, false)).await?;
    let report = Report { case: case.id.clone(), subject: id.clone(), ground: ground.id.clone(), times: 1, decided: None, appealed_at: None };
    store::put(&mut tx, &report).await?;
    log(app, &mut tx, "visitor", "report.filed", &case.id.0, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(case.id)
}

/// What can be reported: what is shown here.
async fn public(tx: &mut Tx, id: &SubjectId) -> Result<Row, AppError> {
    let row = subject::find(tx, id).await?.filter(|row| row.standing == Standing::Public && row.kind != "party");
    row.ok_or_else(|| AppError::NotFound { what: "subject", id: id.0.clone() })
}

/// What can be reported, for the form.
pub async fn reported(app: &App, id: &SubjectId) -> Result<Row, AppError> {
    public(&mut app.db.read().await?, id).await
}

/// What a case of this kind is about.
pub async fn of_case(app: &App, id: &CaseId) -> Result<Option<(Report, Option<Row>)>, AppError> {
    let mut tx = app.db.read().await?;
    let Some(report) = store::find(&mut tx, id).await? else { return Ok(None) };
    let row = subject::find(&mut tx, &report.subject).await?;
    Ok(Some((report, row)))
}

/// Ends a case about a report with a decision and its public reason.
///
/// May: editors of the organisation that answers. Writes: case, report, log.
pub async fn decide(app: &App, who: &Actor, id: &CaseId, outcome: &str, reason: &str) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let case = cases::get(&mut tx, id).await?;
    who.may(Action::Correct, Some(&kepu_store::org::line(&mut tx, &case.org).await?))?;
    let outcome = RULES.outcome(outcome).ok_or_else(|| AppError::Invalid(vec![FieldError::new("outcome", "no_outcome")]))?;
    let reason = words("reason", reason)?;
    let Some(account) = who.account().cloned() else { return Err(Denied::NotSignedIn.into()) };
    if case.stage == Stage::Open {
        return Err(kepu_domain::listen::case::CaseError::NoOwner.into());
    }
    let report = store::find(&mut tx, id).await?.ok_or_else(|| AppError::NotFound { what: "report", id: id.0.clone() })?;
    let row = subject::find(&mut tx, &report.subject).await?;
    let corrected = row.as_ref().is_some_and(|row| row.corrected > case.opened_at.as_millisecond());
    let withdrawn = row.as_ref().is_none_or(|row| row.standing == Standing::Withdrawn);
    let report = report.decide(outcome, account, app.now(), (corrected, withdrawn)).map_err(refused)?;
    let case = case.close(&reason, app.now())?;
    cases::update(&mut tx, case).await?;
    store::put(&mut tx, &report).await?;
    cases::add_step(&mut tx, id, &step(app, "decided", &outcome.id, true)).await?;
    cases::add_step(&mut tx, id, &step(app, "closed", &reason, true)).await?;
    log(app, &mut tx, &who.log_name(), "report.decided", &format!("{id} {}", outcome.id), "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(())
}

fn refused(error: ReportError) -> AppError {
    let (field, key) = match error {
        ReportError::NotSo(kepu_domain::listen::report::Needs::Corrected) => ("outcome", "outcome_not_corrected"),
        ReportError::NotSo(kepu_domain::listen::report::Needs::Withdrawn) => ("outcome", "outcome_not_withdrawn"),
        ReportError::SamePerson => ("outcome", "same_person"),
        ReportError::NoAppeal => ("words", "no_appeal"),
    };
    AppError::Invalid(vec![FieldError::new(field, key)])
}

/// Appeals against a decision: the case is open again, and somebody else decides.
///
/// May: anybody, without login. Writes: case, report, log (never who appealed).
pub async fn appeal(app: &App, id: &CaseId, text: &str, address: &str) -> Result<(), AppError> {
    let text = words("words", text)?;
    app.limit(address, PER_MINUTE)?;
    let mut tx = app.db.write().await?;
    let case = cases::get(&mut tx, id).await?;
    let report = store::find(&mut tx, id).await?.ok_or_else(|| AppError::NotFound { what: "report", id: id.0.clone() })?;
    let report = report.appeal(&RULES, app.now()).map_err(refused)?;
    // The clock of the appeal begins now; the first one is told by the time line.
    let case = Case { stage: Stage::Open, opened_at: app.now(), held_at: None, ..case };
    cases::update(&mut tx, case).await?;
    store::put(&mut tx, &report).await?;
    cases::add_step(&mut tx, id, &step(app, "appealed", "", true)).await?;
    cases::add_step(&mut tx, id, &step(app, "reported", &text, false)).await?;
    log(app, &mut tx, "visitor", "report.appealed", &id.0, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(())
}
