//! Questions without login. What is known is answered at once; what is not opens a case with a clock.

use crate::App;
use crate::account::log;
use crate::error::{AppError, FieldError, text_error};
use crate::keys;
use crate::listen::claim::{self, Checked};
use crate::listen::hear::Said;
use crate::listen::intake::{self, Fresh};
use crate::listen::known::{self, Sure};
use kepu_domain::ids::{CaseId, QuestionId, SubjectId};
use kepu_domain::listen::case::{Case, Clock, Stage as CaseStage, Step};
use kepu_domain::listen::inlet::ASKED;
use kepu_domain::listen::question::{Question, Stage, mask_personal};
use kepu_domain::listen::sighting::Channel;
use kepu_domain::listen::signal::State as SignalState;
use kepu_domain::org::Region;
use kepu_domain::text::QUESTION;
use kepu_store::listen::{case as cases, question as store};
use kepu_store::{Tx, counter, subject};

/// A question as typed.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The text.
    pub text: String,
    /// County or larger place chosen by the asker.
    pub region: Region,
    /// Ask although close claims were shown.
    pub anyway: bool,
    /// By which door it came.
    pub channel: Channel,
    /// Where the request came from: only for the limit per minute, kept nowhere.
    pub address: String,
}

/// What a question led to.
#[derive(Clone, Debug)]
pub enum Asked {
    /// Somebody may have answered already.
    Known(Checked),
    /// A case works on it.
    Opened {
        /// The asker's ticket.
        question: QuestionId,
    },
}

/// Questions from one address in a minute at most.
const PER_MINUTE: u32 = 10;

/// Answers from the ledger, or opens a question and its case.
///
/// May: anybody, without login. Writes: question, case, log (without the text, and never who asked).
pub async fn ask(app: &App, ask: Ask) -> Result<Asked, AppError> {
    let (text, _) = mask_personal(&kepu_text::clean_text(&ask.text));
    if let Err(error) = QUESTION.check(kepu_text::count(&text)) {
        return Err(AppError::Invalid(vec![FieldError { field: "text".into(), ..text_error(&error) }]));
    }
    app.limit(&ask.address, PER_MINUTE)?;
    let now = app.now();
    if !ask.anyway {
        let said = Said { text: text.clone(), channel: ask.channel, region: Some(ask.region), at: now };
        let checked = claim::check(app, &said, 5).await?;
        if !checked.matches.is_empty() {
            return Ok(Asked::Known(checked));
        }
    }
    known::refresh(app).await?;
    let mut tx = app.db.write().await?;
    let case = open_or_join(app, &mut tx, &text, ask.region).await?;
    let question = Question { id: QuestionId(keys::random_word(16)), text, region: ask.region, asked_at: now, stage: Stage::Open { case } };
    store::insert(&mut tx, &question).await?;
    // What many ask is a topic, whether they ask here or elsewhere.
    let fresh = Fresh { text: question.text.clone(), at: now, region: question.region, weight: 1.0, state: SignalState::Open };
    intake::put(app, &mut tx, &ASKED.into(), ask.channel, vec![fresh]).await?;
    log(app, &mut tx, "visitor", "question.asked", "", "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(Asked::Opened { question: question.id })
}

/// Cases under way that a question is compared with, the newest.
const COMPARED: u32 = 2_000;

/// The case that works on what `text` says: one under way is joined, else one opens. One claim never opens two cases.
///
/// Writes: case. The caller commits, and logs what it came from.
pub(crate) async fn open_or_join(app: &App, tx: &mut Tx, text: &str, region: Region) -> Result<CaseId, AppError> {
    Ok(case_for(app, tx, text, region, ("question", 2)).await?.0)
}

/// [`open_or_join`] with kind and level of a case that opens; the second is whether it opened.
pub(crate) async fn case_for(app: &App, tx: &mut Tx, text: &str, region: Region, (kind, level): (&str, i64)) -> Result<(CaseId, bool), AppError> {
    // Askers wait for each other here: two who send the same words at the same moment must not both find no case.
    counter::take(tx, "case", 1).await?;
    let filter = cases::Filter { stage: Some("active".into()), ..cases::Filter::default() };
    let open = cases::list(tx, &filter, None, COMPARED).await?;
    if let Some(joined) = app.alike.find(&open, text) {
        return Ok((joined, false));
    }
    // What a claim answers that is being looked at (again) belongs to the case of that claim.
    let said = app.claims.find_quickly(text, 1, app.today()).into_iter().find(|hit| hit.sure == Sure::Yes);
    match said.and_then(|hit| open.iter().find(|case| case.subject == hit.claim)) {
        Some(case) => Ok((case.id.clone(), false)),
        None => Ok((open_case(app, tx, text, region, kind, level).await?, true)),
    }
}

async fn open_case(app: &App, tx: &mut Tx, text: &str, region: Region, kind: &str, level: i64) -> Result<CaseId, AppError> {
    let org = crate::node::org(tx).await?;
    let case = Case {
        id: CaseId(keys::random_word(12)),
        kind: kind.into(),
        level,
        title: text.to_owned(),
        fields: vec![],
        region,
        org,
        subject: SubjectId::new(&app.key.id().fingerprint(), &format!("c-{}", keys::random_word(8))),
        opened_at: app.now(),
        held_at: None,
        stage: CaseStage::Open,
        version: 1,
    };
    cases::insert(tx, &case).await?;
    cases::add_step(tx, &case.id, &Step { at: app.now(), kind: "opened".into(), text: String::new(), public: true }).await?;
    Ok(case.id)
}

/// What the asker's ticket shows.
#[derive(Clone, Debug)]
pub struct QuestionView {
    /// The question.
    pub question: Question,
    /// The case, while one works on it.
    pub case: Option<Case>,
    /// Its clock.
    pub clock: Option<Clock>,
    /// What is said publicly by now: the holding statement, later the answer.
    pub claim: Option<subject::Row>,
}

/// What the asker's ticket shows.
pub async fn view(app: &App, id: &QuestionId) -> Result<QuestionView, AppError> {
    let mut tx = app.db.read().await?;
    let question = store::get(&mut tx, id).await?;
    let (case, claim) = match &question.stage {
        Stage::Open { case } => {
            let case = cases::get(&mut tx, case).await?;
            let claim = subject::find(&mut tx, &case.subject).await?;
            (Some(case), claim)
        }
        Stage::Answered { claim, .. } => (None, subject::find(&mut tx, claim).await?),
        Stage::Closed { .. } => (None, None),
    };
    let clock = case.as_ref().map(|case| case.clock(app.now()));
    Ok(QuestionView { question, case, clock, claim })
}
