//! Correcting and taking back what is public, from its public page. The correction itself is written as a draft.

use crate::Web;
use crate::form::Form;
use crate::line::title_of;
use crate::page::{Answer, Errors, Req, Shell, page_with};
use crate::problem::{Kind, Problem};
use crate::subject::id_of;
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use kepu_app::create::publish;
use kepu_app::create::take_back::{self, Editing};
use kepu_app::{AppError, FieldError};
use kepu_domain::ids::SubjectId;
use kepu_store::subject::{self, Row, Standing};

/// What an editor sees on a public page: what can be done, and how far the page has travelled.
pub struct Tools {
    /// Id of the subject.
    pub id: String,
    /// Whether it can be corrected here.
    pub correct: bool,
    /// Address of the draft that corrects it already, or empty.
    pub draft: String,
    /// Addresses of the pages that ask before something is taken back, each with the word on it.
    pub deeds: Vec<(String, String)>,
    /// Who still has it.
    pub recall: String,
    /// Nodes below that hold it, and those that should.
    pub reach: (usize, usize),
}

/// The ways of taking something back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// For ever.
    Withdraw,
    /// While it is looked at again.
    Hold,
    /// Give it back.
    Release,
    /// A word of an institution above.
    Notice,
}

impl Deed {
    const ALL: [Deed; 4] = [Deed::Hold, Deed::Release, Deed::Notice, Deed::Withdraw];

    /// The word in addresses and messages.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Deed::Withdraw => "withdraw",
            Deed::Hold => "hold",
            Deed::Release => "release",
            Deed::Notice => "notice",
        }
    }

    fn open_to(self, editing: &Editing) -> bool {
        match self {
            Deed::Withdraw => editing.withdraw,
            Deed::Hold => editing.hold,
            Deed::Release => editing.release,
            Deed::Notice => editing.notice,
        }
    }
}

/// The tools for whoever has any, else none.
async fn tools(web: &Web, req: &Req, row: &Row) -> Result<Option<Tools>, AppError> {
    let editing = take_back::editing(&web.app, &req.actor, row).await?;
    Ok(editing.map(|editing| Tools {
        id: row.id.0.clone(),
        correct: editing.correct,
        deeds: Deed::ALL
            .into_iter()
            .filter(|deed| deed.open_to(&editing))
            .map(|deed| (urls::take_back(deed.word(), &row.id), req.shell.t(&format!("{}-go", deed.word()))))
            .collect(),
        draft: editing.draft.as_ref().map(urls::draft).unwrap_or_default(),
        recall: urls::recall(&row.id),
        reach: editing.reach,
    }))
}

/// POST /correct
pub async fn correct(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let id = SubjectId::from(form.get("id"));
    let deed = async {
        let draft = publish::correct(&web.app, &req.actor, &id).await?;
        Ok::<_, AppError>(urls::draft(&draft.id))
    };
    Ok(form.once(&web, deed).await?)
}

#[derive(Template)]
#[template(path = "create/withdraw.html")]
struct TakeBackPage {
    s: Shell,
    /// The word of the deed, in the names of its messages.
    deed: &'static str,
    title: String,
    href: String,
    action: String,
    reach: (usize, usize),
    reason: String,
    /// Day of the next word, for a hold.
    next: Option<String>,
    errors: Errors,
}

impl TakeBackPage {
    /// The name of a message of this deed.
    fn key(&self, part: &str) -> String {
        format!("{}-{part}", self.deed)
    }
}

/// What was typed.
#[derive(Default)]
struct Typed<'a> {
    reason: &'a str,
    next: Option<&'a str>,
}

/// The subject, for those only who may do this with it.
async fn found(web: &Web, req: &Req, id: &SubjectId) -> Result<(Row, Editing), Problem> {
    let missing = || Problem::from(AppError::NotFound { what: "subject", id: id.0.clone() });
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let row = subject::find(&mut tx, id).await.map_err(AppError::from)?.filter(|row| row.standing != Standing::Hidden).ok_or_else(missing)?;
    drop(tx);
    let editing = take_back::editing(&web.app, &req.actor, &row).await?.ok_or_else(|| Problem::new(Kind::NoRole))?;
    Ok((row, editing))
}

fn ask(web: &Web, req: &Req, status: StatusCode, deed: Deed, (row, editing): (&Row, &Editing), typed: &Typed<'_>, errors: &[FieldError]) -> Response {
    let s = req.titled(req.shell.t(&format!("{}-title", deed.word())));
    // Three days: long enough for a competent person to look, short enough to be kept.
    let in_three_days = || web.app.today().checked_add(jiff::Span::new().days(3)).unwrap_or(web.app.today()).to_string();
    let page = TakeBackPage {
        deed: deed.word(),
        title: title_of(&s, row),
        href: urls::of_kind(&row.kind, &row.id),
        action: urls::take_back(deed.word(), &row.id),
        reach: editing.reach,
        reason: typed.reason.to_owned(),
        next: (deed == Deed::Hold).then(|| typed.next.map_or_else(in_three_days, str::to_owned)),
        errors: s.errors(errors),
        s,
    };
    page_with(status, &page)
}

/// Where an address asks for a deed.
type At = Path<(String, String)>;

async fn show(web: &Web, req: &Req, (owner, local): &(String, String), deed: Deed) -> Answer {
    let (row, editing) = found(web, req, &id_of(owner, local)?).await?;
    if !deed.open_to(&editing) {
        return Ok(crate::form::see_other(&urls::of_kind(&row.kind, &row.id)));
    }
    Ok(ask(web, req, StatusCode::OK, deed, (&row, &editing), &Typed::default(), &[]))
}

async fn take(web: &Web, req: &Req, (owner, local): &(String, String), form: &Form, deed: Deed) -> Answer {
    let id = id_of(owner, local)?;
    let (row, editing) = found(web, req, &id).await?;
    let typed = Typed { reason: form.get("reason"), next: form.opt("next") };
    let (app, who, next) = (&web.app, &req.actor, typed.next.and_then(|day| day.parse().ok()));
    let carry_out = async {
        match deed {
            Deed::Withdraw => take_back::withdraw(app, who, &id, typed.reason).await?,
            Deed::Hold => take_back::hold(app, who, &id, typed.reason, next).await?,
            Deed::Release => take_back::release(app, who, &id, typed.reason).await?,
            Deed::Notice => take_back::notice(app, who, &id, typed.reason).await?,
        }
        Ok(urls::of_kind(&row.kind, &row.id))
    };
    match form.once(web, carry_out).await {
        Ok(response) => Ok(response),
        Err(AppError::Invalid(errors)) => Ok(ask(web, req, StatusCode::UNPROCESSABLE_ENTITY, deed, (&row, &editing), &typed, &errors)),
        Err(error) => Err(error.into()),
    }
}

/// GET /withdraw/{owner}/{local}: asks for the reason.
pub async fn withdraw_page(State(web): State<Web>, req: Req, Path(at): At) -> Answer {
    show(&web, &req, &at, Deed::Withdraw).await
}

/// POST /withdraw/{owner}/{local}
pub async fn withdraw(State(web): State<Web>, req: Req, Path(at): At, form: Form) -> Answer {
    take(&web, &req, &at, &form, Deed::Withdraw).await
}

/// GET /hold/{owner}/{local}: asks for the reason and the day of the next word.
pub async fn hold_page(State(web): State<Web>, req: Req, Path(at): At) -> Answer {
    show(&web, &req, &at, Deed::Hold).await
}

/// POST /hold/{owner}/{local}
pub async fn hold(State(web): State<Web>, req: Req, Path(at): At, form: Form) -> Answer {
    take(&web, &req, &at, &form, Deed::Hold).await
}

/// GET /release/{owner}/{local}: asks what was found.
pub async fn release_page(State(web): State<Web>, req: Req, Path(at): At) -> Answer {
    show(&web, &req, &at, Deed::Release).await
}

/// POST /release/{owner}/{local}
pub async fn release(State(web): State<Web>, req: Req, Path(at): At, form: Form) -> Answer {
    take(&web, &req, &at, &form, Deed::Release).await
}

/// GET /notice/{owner}/{local}: asks for the word to be put over it.
pub async fn notice_page(State(web): State<Web>, req: Req, Path(at): At) -> Answer {
    show(&web, &req, &at, Deed::Notice).await
}

/// POST /notice/{owner}/{local}
pub async fn notice(State(web): State<Web>, req: Req, Path(at): At, form: Form) -> Answer {
    take(&web, &req, &at, &form, Deed::Notice).await
}

/// The tools as a page prints them.
#[derive(Template)]
#[template(path = "create/tools.html")]
struct ToolsPart<'a> {
    s: &'a Shell,
    tools: &'a Tools,
}

/// The tools as markup; nothing for readers.
pub async fn tools_html(web: &Web, req: &Req, row: &Row) -> Result<crate::page::Html, Problem> {
    let Some(tools) = tools(web, req, row).await? else { return Ok(crate::page::Html::default()) };
    let part = ToolsPart { s: &req.shell, tools: &tools };
    part.render().map(crate::page::Html).map_err(|error| Problem::internal(format!("a template failed: {error}")))
}
