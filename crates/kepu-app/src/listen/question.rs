//! Questions without login. What is known is answered at once; what is not opens a case with a clock.

use crate::App;
use crate::account::log;
use crate::error::{AppError, FieldError, text_error};
use crate::keys;
use crate::listen::claim::{self, Checked};
use crate::listen::intake::{self, Fresh};
use kepu_domain::ids::{CaseId, QuestionId, SubjectId};
use kepu_domain::listen::case::{Case, Clock, Stage as CaseStage, Step};
use kepu_domain::listen::inlet::ASKED;
use kepu_domain::listen::question::{Question, Stage, mask_personal, same_figures};
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
    let checked = claim::check(app, &text, 5).await?;
    if !ask.anyway && !checked.matches.is_empty() {
        return Ok(Asked::Known(checked));
    }
    let mut tx = app.db.write().await?;
    let now = app.now();
    let case = match open_case_like(app, &mut tx, &text).await? {
        Some(case) => case,
        None => open_case(app, &mut tx, &text, ask.region, "question", 2).await?,
    };
    let question = Question { id: QuestionId(keys::random_word(16)), text, region: ask.region, asked_at: now, stage: Stage::Open { case } };
    store::insert(&mut tx, &question).await?;
    // What many ask is a topic, whether they ask here or elsewhere.
    let fresh = Fresh { text: question.text.clone(), at: now, region: question.region, weight: 1.0, state: SignalState::Open };
    intake::put(app, &mut tx, &ASKED.into(), Channel::Page, vec![fresh]).await?;
    log(app, &mut tx, "visitor", "question.asked", "", "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(Asked::Opened { question: question.id })
}

/// Cases under way that a question is compared with, the newest.
const COMPARED: u32 = 2_000;
/// From here on a question says what a case is about. Higher than what is shown to an asker as "the same" (there a person
/// looks at it), because joining happens by itself: measured with `kepu-search/examples/measure.rs`, none of 373 wordings of the
/// seed claims joins another claim at 0.6 (one at 0.5), and of 500 real questions against 2,000 others only the two that ask
/// the same join (eleven at 0.5). Wordings without common words are not found by any border; they wait for a better matcher.
const JOINS: f32 = 0.6;

/// A question that says what a case under way is about joins it: the same words always, close words if their figures agree.
/// One claim never opens two cases.
async fn open_case_like(app: &App, tx: &mut Tx, text: &str) -> Result<Option<CaseId>, AppError> {
    // Askers wait for each other here: two who send the same words at the same moment must not both find no case.
    counter::take(tx, "case", 1).await?;
    let filter = cases::Filter { stage: Some("active".into()), ..cases::Filter::default() };
    let open = cases::list(tx, &filter, None, COMPARED).await?;
    let folded = kepu_text::fold(text);
    if let Some(same) = open.iter().find(|case| kepu_text::fold(&case.title) == folded) {
        return Ok(Some(same.id.clone()));
    }
    let titles: Vec<&str> = open.iter().map(|case| case.title.as_str()).collect();
    let scores = kepu_search::near(app.index.as_ref(), text, &titles)?;
    let close = open.into_iter().zip(scores).filter(|(case, score)| *score >= JOINS && same_figures(&case.title, text));
    // Of equally near ones the oldest: others may have joined it before.
    Ok(close.max_by(|(a, x), (b, y)| x.total_cmp(y).then_with(|| (b.opened_at, &b.id).cmp(&(a.opened_at, &a.id)))).map(|(case, _)| case.id))
}

/// The case under way that is about what `text` says, or a new one; the second is whether it is new. Within the transaction of what asks for it.
pub(crate) async fn case_for(app: &App, tx: &mut Tx, text: &str, region: Region, kind: &str, level: i64) -> Result<(CaseId, bool), AppError> {
    match open_case_like(app, tx, text).await? {
        Some(case) => Ok((case, false)),
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
