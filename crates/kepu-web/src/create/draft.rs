//! Drafts: the list, beginning one, one draft as it is read, and the moves of its life. Writing it is in `writing`.

use super::edit;
use super::lane::{LaneBox, lane_box};
use super::matter::{Difference, FindingLine, Shown, differences, findings};
use super::remark::{self, ThreadLine};
use super::writing;
use crate::Web;
use crate::form::{Form, see_other};
use crate::line::{Choice, choices, csv_cell};
use crate::page::{Answer, Errors, Html, Pager, Req, Shell, page, page_with};
use crate::problem::{Kind, Problem};
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use kepu_app::create::draft::view::Deed;
use kepu_app::create::draft::{self, DraftView, Query, Row, Scope};
use kepu_app::create::{publish as publishing, review};
use kepu_app::{AppError, FieldError};
use kepu_domain::access::Action;
use kepu_domain::create::draft::{Draft, Progress, Stage};
use kepu_domain::create::party::Candidate;
use kepu_domain::create::review::{Decision, Review, SignOff, Stage as ReviewStage};
use kepu_domain::ids::{DraftId, OrgId, PartyId, SubjectId};
use kepu_store::create::draft::Order;
use kepu_store::subject as subjects;

/// Rows on a page.
const SIZE: usize = 20;
/// Rows of an export.
const EXPORT_MAX: usize = 2_000;
/// Candidates shown.
const CANDIDATES_MAX: usize = 6;

/// Where a draft stands: shape and word.
pub fn progress_mark(s: &Shell, progress: &Progress) -> Html {
    let (shape, word) = match progress {
        Progress::Writing => ("open", s.t("draft-writing")),
        Progress::Returned { .. } => ("part", s.t("draft-returned")),
        Progress::InReview { have, need, .. } => ("now", s.t2("draft-in-review", "have", have, "need", need)),
        Progress::Disputed { lacking, .. } => ("part", s.t1("draft-disputed", "n", lacking)),
        Progress::Ready => ("true", s.t("draft-ready")),
        Progress::Published => ("true", s.t("draft-published")),
        Progress::Dropped => ("open", s.t("draft-dropped")),
    };
    s.state(shape, word)
}

/// The word for programs.
pub fn progress_word(progress: &Progress) -> &'static str {
    match progress {
        Progress::Writing => "writing",
        Progress::Returned { .. } => "returned",
        Progress::InReview { .. } => "inReview",
        Progress::Disputed { .. } => "disputed",
        Progress::Ready => "ready",
        Progress::Published => "published",
        Progress::Dropped => "dropped",
    }
}

/// What stands on top of every page of a draft.
pub struct Head {
    /// Id.
    pub id: String,
    /// Title or claim.
    pub title: String,
    /// Where it stands.
    pub mark: Html,
    /// What it is.
    pub kind: String,
    /// For whom it is written.
    pub org: String,
    /// Who writes it.
    pub owner: String,
    /// Address of the case it answers, or empty.
    pub case: String,
}

impl Head {
    /// The draft's page.
    pub fn href(&self) -> String {
        urls::draft(&DraftId(self.id.clone()))
    }
}

/// The head of a draft's pages.
pub fn head(s: &Shell, view: &DraftView) -> Head {
    Head {
        id: view.draft.id.0.clone(),
        title: view.draft.matter.title().to_owned(),
        mark: progress_mark(s, &view.progress),
        kind: kind_word(s, &view.draft),
        org: view.org.clone(),
        owner: view.owner.clone(),
        case: view.draft.case.as_ref().map(urls::case).unwrap_or_default(),
    }
}

fn kind_word(s: &Shell, draft: &Draft) -> String {
    if draft.matter.kind() == "claim" { s.t("draft-kind-claim") } else { s.t("draft-kind-resource") }
}

/// One review as the pages of its draft list it.
pub struct ReviewLine {
    /// Reviewer.
    pub name: String,
    /// Post and institution.
    pub about: String,
    /// State: shape and word.
    pub mark: Html,
    /// Day it is due, or when it ended.
    pub time: Html,
    /// What the reviewer said.
    pub remark: String,
    /// Stated interests.
    pub conflict: String,
    /// Whether it is about the present version.
    pub current: bool,
    /// Its page.
    pub href: String,
}

/// The reviews of a draft, the latest first.
pub fn review_lines(s: &Shell, view: &DraftView) -> Vec<ReviewLine> {
    view.reviews.iter().rev().map(|(review, sign_off)| review_line(s, view.draft.version, review, sign_off)).collect()
}

fn review_line(s: &Shell, version: i64, review: &Review, by: &SignOff) -> ReviewLine {
    let current = review.draft_version == version;
    let (shape, word, time, remark, conflict) = match &review.stage {
        ReviewStage::Assigned { due } if current => ("now", s.t("review-waiting"), s.date(due), String::new(), String::new()),
        ReviewStage::Assigned { due } => ("open", s.t("review-overtaken"), s.date(due), String::new(), String::new()),
        ReviewStage::Decided { decision: Decision::Approve, conflict, comment, at, .. } => {
            ("true", s.t("review-approved"), s.time(at), comment.clone(), conflict.clone())
        }
        ReviewStage::Decided { conflict, comment, at, .. } => ("part", s.t("review-returned"), s.time(at), comment.clone(), conflict.clone()),
        ReviewStage::Declined { reason, at } => ("open", s.t("review-declined"), s.time(at), reason.clone(), String::new()),
    };
    ReviewLine {
        name: by.name.clone(),
        about: [by.title.as_str(), by.org.as_str()].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" · "),
        mark: s.state(shape, word),
        time,
        remark,
        conflict,
        current,
        href: urls::review(&review.id),
    }
}

/// Names of editions in one line.
pub fn editions_line(s: &Shell, names: &[String]) -> String {
    names.iter().map(|name| s.edition(name)).collect::<Vec<_>>().join(&s.t("comma-list"))
}

/// The history of a draft as sentences.
pub fn deeds(s: &Shell, list: &[Deed]) -> Vec<(Html, String)> {
    let word = |action: &str| {
        let key = format!("deed-{}", action.replace(['.', '_'], "-"));
        if crate::i18n::exists(s.lang, &key) { crate::i18n::message(s.lang, &key, &[]) } else { action.to_owned() }
    };
    list.iter().map(|deed| (s.time(&deed.at), s.t2("deed-line", "who", &deed.who, "what", word(&deed.action)))).collect()
}

/// A row of the list.
struct Item {
    href: String,
    title: String,
    kind: String,
    org: String,
    owner: String,
    mark: Html,
    time: Html,
}

#[derive(Template)]
#[template(path = "create/draft/list.html")]
struct ListPage {
    s: Shell,
    items: Vec<Item>,
    total: usize,
    first: usize,
    last: usize,
    scopes: Vec<Choice>,
    stages: Vec<Choice>,
    kinds: Vec<Choice>,
    sorts: Vec<Choice>,
    pager: Pager,
    csv: String,
}

/// Which drafts the query of a request asks for.
pub fn query_of(req: &Req) -> Query {
    let word = |name: &str, known: &[&str]| known.iter().find(|word| **word == req.query.get(name)).map(|word| (*word).to_owned()).unwrap_or_default();
    Query {
        scope: if req.query.get("of") == "org" { Scope::Org } else { Scope::Mine },
        stage: word("stage", &["active", "writing", "submitted", "published", "dropped"]),
        kind: word("kind", &["resource", "claim"]),
        order: if req.query.get("sort") == "oldest" { Order::Oldest } else { Order::Newest },
    }
}

/// GET /drafts
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    let s = req.titled(req.shell.t("drafts-title")).script("htmx.min.js");
    let query = query_of(&req);
    if req.query.get("format") == "csv" {
        let (rows, _) = draft::list(&web.app, &req.actor, &query, 0, EXPORT_MAX).await?;
        return Ok(csv(&rows));
    }
    let at = req.page_number();
    let first = (at - 1) * SIZE;
    let (rows, total) = draft::list(&web.app, &req.actor, &query, first, SIZE).await?;
    let pair = |value: &str, text: String| (value.to_owned(), text);
    let stages = ["active", "writing", "submitted", "published", "dropped"].map(|stage| pair(stage, stage_word(&s, stage)));
    let kinds = [pair("resource", s.t("draft-kind-resource")), pair("claim", s.t("draft-kind-claim"))];
    let scopes = req.actor.may(Action::Publish, None).is_ok().then(|| pair("org", s.t("drafts-of-org")));
    Ok(page(&ListPage {
        items: rows.iter().map(|row| item(&s, row)).collect(),
        first: first + 1,
        last: first + rows.len(),
        total,
        scopes: choices(s.t("drafts-mine"), scopes.into_iter(), req.query.get("of")),
        stages: choices(s.t("drafts-any-stage"), stages.into_iter(), &query.stage),
        kinds: choices(s.t("drafts-any-kind"), kinds.into_iter(), &query.kind),
        sorts: choices(s.t("sort-changed"), std::iter::once(pair("oldest", s.t("sort-oldest"))), req.query.get("sort")),
        pager: Pager::new(&s, at, SIZE, total),
        csv: s.here_with("format", "csv"),
        s,
    }))
}

fn stage_word(s: &Shell, stage: &str) -> String {
    match stage {
        "active" => s.t("drafts-active"),
        "writing" => s.t("draft-writing"),
        "submitted" => s.t("draft-submitted"),
        "published" => s.t("draft-published"),
        _ => s.t("draft-dropped"),
    }
}

fn item(s: &Shell, row: &Row) -> Item {
    let draft = &row.listed.draft;
    Item {
        href: urls::draft(&draft.id),
        title: draft.matter.title().to_owned(),
        kind: kind_word(s, draft),
        org: row.org.clone(),
        owner: row.owner.clone(),
        mark: progress_mark(s, &row.progress),
        time: s.soon(&row.listed.updated_at),
    }
}

fn csv(rows: &[Row]) -> Response {
    let mut out = String::from("\u{feff}id,title,kind,organisation,writer,state,changed\r\n");
    for row in rows {
        let draft = &row.listed.draft;
        let cells = [
            draft.id.0.clone(),
            draft.matter.title().to_owned(),
            draft.matter.kind().to_owned(),
            row.org.clone(),
            row.owner.clone(),
            progress_word(&row.progress).to_owned(),
            crate::words::iso(row.listed.updated_at),
        ];
        out.push_str(&cells.map(|cell| csv_cell(&cell)).join(","));
        out.push_str("\r\n");
    }
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, "attachment; filename=\"kepu-drafts.csv\"")];
    (headers, out).into_response()
}

#[derive(Template)]
#[template(path = "create/draft/new.html")]
struct NewPage {
    s: Shell,
    orgs: Vec<Choice>,
    kind: String,
    title: String,
    /// Address and title of what exists on nearly the same.
    known: Vec<(String, String)>,
    /// Id, address and title of the public resource that it is made of, if it is.
    from: Option<(String, String, String)>,
    /// What can be made of that.
    types: Vec<Choice>,
    errors: Errors,
}

/// What was typed into the form of a new draft.
#[derive(Default)]
struct Begun<'a> {
    org: &'a str,
    kind: &'a str,
    title: &'a str,
    /// Id of what it is made of, or empty.
    from: &'a str,
    /// What is to be made of it.
    form: &'a str,
}

/// Forms that a resource is turned into, those that ask least first; an adaptation keeps the form it has.
const FORMS: [&str; 8] = ["article", "video", "lesson", "experiment", "lecture", "activity", "poster", "quiz"];

/// The form with what was typed, and what is public already on nearly the same.
async fn new_form(web: &Web, req: &Req, status: StatusCode, typed: Begun<'_>, errors: &[FieldError], known: &[subjects::Row]) -> Answer {
    let s = req.titled(req.shell.t("draft-new"));
    let orgs = kepu_app::account::drafting_orgs(&web.app, req.signed_in()?).await?;
    let orgs = orgs.iter().enumerate().map(|(at, o)| Choice {
        value: o.id.0.clone(),
        text: s.pick(&o.name, &o.name_en).to_owned(),
        on: if typed.org.is_empty() { at == 0 } else { o.id.0 == typed.org },
    });
    let kind = if typed.kind == "claim" { "claim" } else { "resource" };
    let known = known.iter().map(|row| (urls::of_kind(&row.kind, &row.id), row.title.clone())).collect();
    let from = match typed.from {
        "" => None,
        id => {
            let mut tx = web.app.db.read().await.map_err(AppError::from)?;
            let row = subjects::find(&mut tx, &SubjectId::from(id)).await.map_err(AppError::from)?;
            let row = row.filter(|row| row.standing == subjects::Standing::Public && row.kind == "resource");
            Some(row.ok_or_else(|| Problem::from(AppError::NotFound { what: "subject", id: id.to_owned() }))?)
        }
    };
    let own = from.as_ref().map_or("", |row| row.type_.as_str());
    let mut forms: Vec<&str> = std::iter::once(own).chain(FORMS.into_iter().filter(|form| *form != own)).collect();
    forms.retain(|form| !form.is_empty());
    let chosen = if typed.form.is_empty() { FORMS[0] } else { typed.form };
    let named = |form: &str| if form == own { s.t1("draft-from-adapt", "form", s.kind(form)) } else { s.kind(form).to_owned() };
    let types = forms.into_iter().map(|form| Choice { value: form.to_owned(), text: named(form), on: form == chosen }).collect();
    let title = match (typed.title, &from) {
        ("", Some(row)) => row.title.clone(),
        (title, _) => title.to_owned(),
    };
    let from = from.map(|row| (row.id.0.clone(), urls::resource(&row.id), row.title));
    Ok(page_with(status, &NewPage { known, orgs: orgs.collect(), kind: kind.into(), title, from, types, errors: s.errors(errors), s }))
}

/// GET /drafts/new
pub async fn new_page(State(web): State<Web>, req: Req) -> Answer {
    let typed = Begun { kind: req.query.get("kind"), title: req.query.get("title"), from: req.query.get("from"), ..Begun::default() };
    new_form(&web, &req, StatusCode::OK, typed, &[], &[]).await
}

/// POST /drafts/new
pub async fn create(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let typed = Begun { org: form.get("org"), kind: form.get("kind"), title: form.get("title"), from: form.get("from"), form: form.get("type") };
    let kind = if typed.from.is_empty() { draft::Kind::parse(typed.kind) } else { Some(draft::Kind::Resource) };
    if let Some(sort) = kind.filter(|_| !form.has("anyway")) {
        let mut known = draft::existing(&web.app, sort.as_str(), typed.title).await?;
        known.retain(|row| row.id.0 != typed.from);
        if !known.is_empty() {
            return new_form(&web, &req, StatusCode::OK, typed, &[], &known).await;
        }
    }
    let org = OrgId::from(typed.org);
    let deed = async {
        let kind = kind.ok_or_else(|| AppError::Invalid(vec![FieldError::new("kind", "no_kind")]))?;
        let draft = if typed.from.is_empty() {
            draft::start(&web.app, &req.actor, &org, kind, typed.title).await?
        } else {
            let from = SubjectId::from(typed.from);
            let address = format!("{}{}", req.shell.origin, urls::resource(&from));
            draft::start_from(&web.app, &req.actor, &org, draft::From { id: &from, form: typed.form, address: &address }, typed.title).await?
        };
        Ok(format!("{}?done=begun", urls::draft(&draft.id)))
    };
    match form.once(&web, deed).await {
        Ok(response) => Ok(response),
        Err(AppError::Invalid(errors)) => new_form(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, typed, &errors, &[]).await,
        Err(error) => Err(error.into()),
    }
}

/// A candidate with the figures that ranked it.
struct CandidateLine {
    id: String,
    name: String,
    about: String,
    fields: String,
    covered: String,
    load: String,
}

#[derive(Template)]
#[template(path = "create/draft/show.html")]
struct ShowPage {
    s: Shell,
    head: Head,
    m: Shown,
    done: String,
    stage: &'static str,
    /// What it changes in the public version, if it corrects one.
    changes: Vec<Difference>,
    correction: String,
    /// The editions that alone are new in it, in words; empty: the whole is reviewed.
    small: String,
    findings: Vec<FindingLine>,
    reviews: Vec<ReviewLine>,
    have: usize,
    need: usize,
    /// Reviewers who have not decided about this version yet.
    asked: usize,
    ready: bool,
    /// How many more decide, where reviewers differ.
    disputed: usize,
    lane: Option<LaneBox>,
    remarks: Vec<ThreadLine>,
    candidates: Vec<CandidateLine>,
    may_write: bool,
    may_publish: bool,
    public: String,
    reach: (usize, usize),
    deeds: Vec<(Html, String)>,
}

/// GET /drafts/{id}: the form while it is written by whoever may write it, else the text as it is read.
pub async fn show(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let view = draft::view(&web.app, &req.actor, &DraftId(id)).await?;
    if view.may.write && matches!(view.draft.stage, Stage::Writing) {
        return Ok(writing::stored(&web, &req, &view));
    }
    let s = req.titled(view.draft.matter.title());
    let before = match &view.corrects {
        Some(row) if matches!(view.draft.stage, Stage::Writing | Stage::Submitted { .. }) => publishing::public_matter(&web.app, row).await?,
        _ => None,
    };
    let now = edit::write(&view.draft.matter, "");
    let public = view.public.as_ref().filter(|_| matches!(view.draft.stage, Stage::Published { .. }));
    let editing = match public {
        Some(row) => kepu_app::create::take_back::editing(&web.app, &req.actor, row).await?,
        None => None,
    };
    Ok(page(&ShowPage {
        head: head(&s, &view),
        m: Shown::new(&s, &view.draft.matter),
        done: writing::done_word(&s, req.query.get("done")),
        stage: view.draft.stage.name(),
        changes: before.map(|before| differences(&s, &edit::write(&before, ""), &now)).unwrap_or_default(),
        correction: view.draft.correction.clone(),
        small: editions_line(&s, &view.small),
        findings: findings(&s, &view.findings),
        reviews: review_lines(&s, &view),
        have: view.approvals.0,
        need: view.approvals.1,
        asked: match view.progress {
            Progress::InReview { asked, .. } | Progress::Disputed { asked, .. } => asked,
            _ => 0,
        },
        disputed: match view.progress {
            Progress::Disputed { lacking, .. } => lacking,
            _ => 0,
        },
        lane: view.lane.as_ref().map(|lane| lane_box(&s, lane)),
        remarks: remark::lines(&s, &view.remarks),
        ready: view.progress == Progress::Ready,
        candidates: view.candidates.iter().take(CANDIDATES_MAX).map(|c| candidate(&s, &view.draft, c)).collect(),
        may_write: view.may.write,
        may_publish: view.may.publish,
        public: public.map(|row| urls::of_kind(&row.kind, &row.id)).unwrap_or_default(),
        reach: editing.map(|editing| editing.reach).unwrap_or_default(),
        deeds: deeds(&s, &view.history),
        s,
    }))
}

fn candidate(s: &Shell, draft: &Draft, c: &Candidate) -> CandidateLine {
    let party = &c.party;
    let shared: Vec<String> = party.fields.iter().filter(|field| draft.matter.fields().contains(field)).cloned().collect();
    CandidateLine {
        id: party.id.0.clone(),
        name: s.pick(&party.name, &party.name_en).to_owned(),
        about: s.pick(&party.title, &party.title_en).to_owned(),
        fields: s.fields(&shared),
        covered: format!("{} / {}", c.fields_covered, draft.matter.fields().len()),
        load: if c.quiet {
            format!("{} / {} · {}", c.load, party.monthly_ceiling, s.t1("expert-quiet", "hours", &party.quiet))
        } else {
            format!("{} / {}", c.load, party.monthly_ceiling)
        },
    }
}

/// Runs a move of a draft once and returns to its page.
async fn moved<T>(web: &Web, form: &Form, id: &DraftId, word: &str, step: impl Future<Output = Result<T, AppError>>) -> Answer {
    let deed = async {
        step.await?;
        Ok::<_, AppError>(format!("{}?done={word}", urls::draft(id)))
    };
    Ok(form.once(web, deed).await?)
}

/// POST /drafts/{id}/take-back
pub async fn take_back(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = DraftId(id);
    moved(&web, &form, &id, "back", draft::take_back(&web.app, &req.actor, &id)).await
}

/// POST /drafts/{id}/assign
pub async fn assign(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let (id, reviewer) = (DraftId(id), PartyId::from(form.get("reviewer")));
    moved(&web, &form, &id, "assigned", review::assign(&web.app, &req.actor, &id, &reviewer)).await
}

/// POST /drafts/{id}/hand-on: somebody qualified becomes its author.
pub async fn hand_on(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = DraftId(id);
    let deed = async {
        draft::hand::hand_on(&web.app, &req.actor, &id, &PartyId::from(form.get("successor"))).await?;
        Ok::<_, AppError>("/drafts?done=handed".to_owned())
    };
    Ok(form.once(&web, deed).await?)
}

/// POST /drafts/{id}/excuse: why something that a machine found is right all the same.
pub async fn excuse(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = DraftId(id);
    moved(&web, &form, &id, "saved", draft::excuse(&web.app, &req.actor, &id, form.get("finding"), form.get("reason"))).await
}

/// POST /drafts/{id}/publish
pub async fn publish(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = DraftId(id);
    moved(&web, &form, &id, "published", publishing::publish(&web.app, &req.actor, &id)).await
}

#[derive(Template)]
#[template(path = "create/draft/drop.html")]
struct DropPage {
    s: Shell,
    head: Head,
}

/// GET /drafts/{id}/drop: asks once more.
pub async fn drop_page(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let view = draft::view(&web.app, &req.actor, &DraftId(id)).await?;
    if !view.may.write {
        return Err(Problem::new(Kind::NoRole));
    }
    if !matches!(view.draft.stage, Stage::Writing | Stage::Submitted { .. }) {
        return Ok(see_other(&urls::draft(&view.draft.id)));
    }
    let s = req.titled(req.shell.t("draft-drop"));
    Ok(page(&DropPage { head: head(&s, &view), s }))
}

/// POST /drafts/{id}/drop
pub async fn drop_draft(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = DraftId(id);
    moved(&web, &form, &id, "dropped", draft::drop(&web.app, &req.actor, &id)).await
}
