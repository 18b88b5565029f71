//! Questions without login. What is known is answered at once; what is not opens a case with a clock.

use crate::App;
use crate::account::log;
use crate::error::{AppError, FieldError, text_error};
use crate::keys;
use crate::listen::claim::{self, Checked};
use kepu_domain::ids::{CaseId, QuestionId, SubjectId};
use kepu_domain::listen::case::{Case, Clock, Stage as CaseStage, Step};
use kepu_domain::listen::question::{Question, Stage, mask_personal};
use kepu_domain::org::Region;
use kepu_domain::text::QUESTION;
use kepu_store::listen::{case as cases, question as store};
use kepu_store::{Tx, subject};

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
    let case = match open_case_like(&mut tx, &text).await? {
        Some(case) => case,
        None => open_case(app, &mut tx, &text, ask.region).await?,
    };
    let question = Question { id: QuestionId(keys::random_word(16)), text, region: ask.region, asked_at: now, stage: Stage::Open { case } };
    store::insert(&mut tx, &question).await?;
    log(app, &mut tx, "visitor", "question.asked", "", "ok").await?;
    tx.commit().await?;
    Ok(Asked::Opened { question: question.id })
}

/// The same words asked again join the case that is open already: one claim never opens two.
async fn open_case_like(tx: &mut Tx, text: &str) -> Result<Option<CaseId>, AppError> {
    let folded = kepu_text::fold(text);
    let open = cases::list(tx, &cases::Filter { stage: Some("active".into()), ..cases::Filter::default() }, None, 500).await?;
    Ok(open.into_iter().find(|case| kepu_text::fold(&case.title) == folded).map(|case| case.id))
}

async fn open_case(app: &App, tx: &mut Tx, text: &str, region: Region) -> Result<CaseId, AppError> {
    let org = crate::node::org(tx).await?;
    let case = Case {
        id: CaseId(keys::random_word(12)),
        kind: "question".into(),
        level: 2,
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
