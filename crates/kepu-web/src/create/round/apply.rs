//! Applying: choosing for whom, one application with its form, its gaps and its later life. The office's buttons on the same page lead
//! to `office`.

use super::{SetColumn, columns, concern, refused, stage_mark};
use crate::Web;
use crate::create::field::{self, Input};
use crate::form::{Fields, Form};
use crate::line::Choice;
use crate::page::{Answer, Errors, Html, Req, Shell, page, page_with};
use crate::place;
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use kepu_app::create::round as rounds;
use kepu_app::create::round::apply::{self, ApplicationView, EVIDENCE_MAX, Shown, Written};
use kepu_app::{AppError, FieldError};
use kepu_domain::create::round::{AppStage, Evidence, TRIES_MAX};
use kepu_domain::field::FieldDef;
use kepu_domain::ids::{ApplicationId, PartyId, RoundId};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Template)]
#[template(path = "create/round/apply.html")]
struct ApplyPage {
    s: Shell,
    id: String,
    title: String,
    clock: Html,
    private: bool,
    parties: Vec<Choice>,
    kinds: String,
    errors: Errors,
}

async fn apply_form(web: &Web, req: &Req, id: &RoundId, chosen: &str, status: StatusCode, errors: &[FieldError]) -> Answer {
    let view = rounds::view(&web.app, &req.actor, id).await?;
    let parties = apply::candidates(&web.app, &req.actor, id).await?;
    let s = req.titled(req.shell.t1("apply-title", "round", &view.round.title));
    let only = parties.len() == 1;
    let page = ApplyPage {
        id: id.0.clone(),
        title: view.round.title.clone(),
        clock: super::round_clock(&s, &view.round),
        private: view.kind.private,
        kinds: s.list(view.kind.applicants.iter().map(|k| s.t(&format!("party-kind-{}", k.as_str()))).collect::<Vec<_>>().iter().map(String::as_str)),
        parties: parties.into_iter().map(|p| Choice { on: only || p.id.as_str() == chosen, value: p.id.0, text: p.name }).collect(),
        errors: s.errors(errors),
        s,
    };
    Ok(page_with(status, &page))
}

/// GET /round/{id}/apply
pub async fn apply_page(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    apply_form(&web, &req, &RoundId(id), "", StatusCode::OK, &[]).await
}

/// POST /round/{id}/apply
pub async fn begin(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = RoundId(id);
    let party = form.get("party");
    let deed = async {
        if party.is_empty() {
            return Err(AppError::Invalid(vec![FieldError::new("party", "required")]));
        }
        Ok(urls::application(&apply::begin(&web.app, &req.actor, &id, &PartyId::from(party)).await?))
    };
    match form.once(&web, deed).await {
        Ok(response) => Ok(response),
        Err(error) => {
            let (status, errors) = refused(error)?;
            apply_form(&web, &req, &id, party, status, &errors).await
        }
    }
}

/// A row of the proofs.
struct Proof {
    n: usize,
    title: String,
    kinds: Vec<Choice>,
    until: String,
    /// Digest of the kept file, or empty.
    media: String,
    href: String,
}

/// A question of the test.
struct Question {
    id: String,
    text: String,
    options: Vec<Choice>,
    /// Why, after an attempt that got it wrong.
    why: String,
}

/// The office's view of a concern.
struct ConcernLine {
    at: usize,
    text: String,
    can_be_noted: bool,
}

#[derive(Template)]
#[template(path = "create/round/application.html")]
struct ApplicationPage {
    s: Shell,
    id: String,
    version: i64,
    round_href: String,
    round_title: String,
    kind: String,
    label: String,
    party: String,
    org: String,
    office_name: String,
    mark: Html,
    clock: Html,
    remark: String,
    reason: String,
    write: bool,
    office: bool,
    recommend: bool,
    stage: &'static str,
    open: bool,
    writing: bool,
    missing: Vec<String>,
    missing_registry: Vec<String>,
    inputs: Vec<Input>,
    counties: Vec<String>,
    proofs: Vec<Proof>,
    has_recommender: bool,
    recommender: String,
    recommended: String,
    recommended_at: Html,
    answers: Vec<(String, String)>,
    evidence: Vec<(String, String, String)>,
    shows: Vec<(String, String, bool)>,
    sets: Vec<SetColumn>,
    concerns: Vec<ConcernLine>,
    noted: Vec<(String, String)>,
    test: Vec<Question>,
    taken: String,
    passed: bool,
    tries_left: u32,
    place: String,
    money: String,
    pays: bool,
    certificate: String,
    until: String,
    confirmed: String,
    delivery_inputs: Vec<Input>,
    delivery: Vec<(String, String)>,
    delivery_state: String,
    delivery_open: bool,
    delivery_waits: bool,
    counted: usize,
    check_due: Html,
    report_open: bool,
    report: String,
    comments: Vec<String>,
    said: String,
    errors: Errors,
}

/// The controls of a form. Who may see an answer follows from the round and is said on its page, not at each field.
fn inputs(s: &Shell, registers: &kepu_domain::create::register::Registers, fields: &[&FieldDef], typed: &Fields) -> Vec<Input> {
    field::inputs(s, registers, fields, typed, &[]).into_iter().map(|input| Input { public: String::new(), ..input }).collect()
}

fn answers_of(s: &Shell, fields: &[FieldDef], values: &BTreeMap<String, Value>) -> Vec<(String, String)> {
    let said = |f: &FieldDef| Some((f.label(s.lang.code()).to_owned(), field::show(s, f, values.get(&f.id)?)));
    fields.iter().filter_map(said).collect()
}

fn shown(s: &Shell, one: &Shown) -> (String, String, bool) {
    let until = |day: &Option<jiff::civil::Date>| day.map(|day| s.t1("criteria-until", "day", s.day_text(day))).unwrap_or_default();
    match one {
        Shown::Field(def, value) => {
            let text = field::show(s, def, value);
            (def.label(s.lang.code()).to_owned(), if text.is_empty() { s.t("registry-not-said") } else { text }, value.is_null())
        }
        Shown::Qualification(what, day) => {
            (s.t("shows-qualification"), [what.clone(), until(day)].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" · "), false)
        }
        Shown::Honour(title, day) => {
            (s.t("shows-honour"), [title.clone(), until(day)].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" · "), false)
        }
        Shown::Contributions(zh, en, n) => (s.t("shows-ledger"), s.t2("shows-contributions", "what", s.pick(zh, en), "n", n), false),
    }
}

/// The label of something that is missing.
fn missing_word(s: &Shell, view: &ApplicationView, id: &str) -> Option<String> {
    match id {
        "test" | "consent" => Some(s.t(&format!("missing-{id}"))),
        _ => view.kind.fields.iter().find(|f| f.id == id).map(|f| f.label(s.lang.code()).to_owned()),
    }
}

fn registry_word(s: &Shell, view: &ApplicationView, id: &str) -> Option<String> {
    view.shows.iter().find_map(|one| match one {
        Shown::Field(def, value) if def.id == id && value.is_null() => Some(def.label(s.lang.code()).to_owned()),
        _ => None,
    })
}

fn questions(s: &Shell, view: &ApplicationView, typed: &Fields) -> Vec<Question> {
    let wrong = view.application.taken.as_ref().map(|t| t.wrong.clone()).unwrap_or_default();
    view.kind
        .test
        .iter()
        .map(|q| Question {
            text: s.pick(&q.zh, &q.en).to_owned(),
            options: q
                .options
                .iter()
                .map(|o| Choice { value: o.id.clone(), text: s.pick(&o.zh, &o.en).to_owned(), on: typed.get(&format!("q-{}", q.id)) == o.id })
                .collect(),
            why: if wrong.contains(&q.id) { s.pick(&q.why_zh, &q.why_en).to_owned() } else { String::new() },
            id: format!("q-{}", q.id),
        })
        .collect()
}

fn proofs(s: &Shell, view: &ApplicationView, typed: Option<&Fields>) -> Vec<Proof> {
    let rows: Vec<Row> = match typed {
        Some(form) => {
            let (kinds, until, media) = (form.every("evidence_kind"), form.every("evidence_until"), form.every("evidence_media"));
            let cell = |list: &[String], n: usize| list.get(n).cloned().unwrap_or_default();
            let titles = form.every("evidence_title").into_iter().enumerate();
            titles
                .map(|(n, title)| Row { title, kind: cell(&kinds, n), until: cell(&until, n), media: cell(&media, n) })
                .filter(|row| !row.title.is_empty())
                .collect()
        }
        None => {
            let row = |e: &Evidence| Row {
                title: e.title.clone(),
                kind: e.kind.clone(),
                until: e.until.map(|d| d.to_string()).unwrap_or_default(),
                media: e.media.clone(),
            };
            view.application.evidence.iter().map(row).collect()
        }
    };
    let more = if typed.is_some_and(|form| form.get("do") == "more") { 4 } else { 1 };
    let rows = rows.into_iter().chain(std::iter::repeat_with(Row::default).take(more)).take(EVIDENCE_MAX);
    rows.enumerate()
        .map(|(n, row)| Proof {
            n: n + 1,
            kinds: kinds(s, view, &row.kind),
            href: file_href(view, &row.media),
            title: row.title,
            until: row.until,
            media: row.media,
        })
        .collect()
}

/// A proof as it is typed.
#[derive(Default)]
struct Row {
    title: String,
    kind: String,
    until: String,
    media: String,
}

/// Where a file that is still kept can be read; empty for none.
fn file_href(view: &ApplicationView, media: &str) -> String {
    if view.files.iter().any(|hash| hash == media) { urls::proof(&view.application.id, media) } else { String::new() }
}

/// What a proof can show: what is asked and what the criteria name.
pub(super) fn kinds(s: &Shell, view: &ApplicationView, present: &str) -> Vec<Choice> {
    let about = view.kind.fields.iter().map(|f| (f.id.clone(), f.label(s.lang.code()).to_owned()));
    let items = view.assessments.iter().flat_map(|(set, _)| set.items.iter().map(|i| (i.id.clone(), s.pick(&i.zh, &i.en).to_owned())));
    let mut subjects: Vec<(String, String)> = about.chain(items).collect();
    let mut seen = std::collections::HashSet::new();
    subjects.retain(|(id, _)| seen.insert(id.clone()));
    crate::line::choices(s.t("evidence-any"), subjects.into_iter(), present)
}

fn application_page(web: &Web, req: &Req, view: &ApplicationView, typed: Option<&Fields>, errors: &[FieldError]) -> ApplicationPage {
    let label = if view.label.is_empty() { view.kind.zh.clone() } else { view.label.clone() };
    let s = req.titled(req.shell.t1("application-title", "label", &label));
    let a = &view.application;
    let definitions = web.app.definitions();
    let refs: Vec<&FieldDef> = view.kind.fields.iter().collect();
    let delivered: Vec<&FieldDef> = view.kind.delivery.iter().collect();
    let own = field::filled(&view.kind.fields, &|f| a.answers.get(&f.id).cloned().unwrap_or_default());
    let nothing = Fields::default();
    let delivery_values = a.delivery.as_ref().map(|d| d.values.clone()).unwrap_or_default();
    let delivery_typed = field::filled(&view.kind.delivery, &|f| delivery_values.get(&f.id).cloned().unwrap_or_default());
    let writing = matches!(a.stage, AppStage::Writing { .. });
    let granted = matches!(a.stage, AppStage::Granted { .. });
    let (remark, reason) = match &a.stage {
        AppStage::Writing { remark } => (remark.clone(), String::new()),
        AppStage::NotProposed { reason, .. } | AppStage::Revoked { reason, .. } => (String::new(), reason.clone()),
        _ => (String::new(), String::new()),
    };
    let (certificate, until, confirmed) = match &a.stage {
        AppStage::Granted { credential, until, confirmed, .. } => (
            if credential.0.is_empty() || view.kind.private { String::new() } else { urls::subject(credential) },
            until.map(|day| s.day_text(day)).unwrap_or_default(),
            s.day_text(*confirmed),
        ),
        _ => (String::new(), String::new(), String::new()),
    };
    let checked = a.delivery.as_ref().and_then(|d| d.checked.clone());
    let due = a.check_due(&view.kind);
    let near = due.is_some_and(|day| kepu_domain::create::register::days_between(web.app.today(), day) <= a.notice_days(&view.kind));
    let placed = a.placed.filter(|_| !view.kind.judged.is_empty() && !writing);
    ApplicationPage {
        id: a.id.0.clone(),
        version: a.version,
        round_href: urls::round(&view.round.id),
        round_title: view.round.title.clone(),
        kind: s.pick(&view.kind.zh, &view.kind.en).to_owned(),
        party: view.party.as_ref().map(|p| s.pick(&p.name, &p.name_en).to_owned()).unwrap_or_else(|| s.t("concern-entry-gone")),
        org: view.org.clone(),
        office_name: view.office_name.clone(),
        mark: stage_mark(&s, &a.stage),
        clock: super::round_clock(&s, &view.round),
        remark,
        reason,
        write: view.rights.write,
        office: view.rights.office,
        recommend: view.rights.recommend && matches!(a.stage, AppStage::Submitted { .. }),
        stage: a.stage.name(),
        open: rounds::state(&view.round, s.now) == "open",
        writing,
        missing: if writing { view.missing.iter().filter_map(|id| missing_word(&s, view, id)).collect() } else { vec![] },
        missing_registry: if writing { view.missing.iter().filter_map(|id| registry_word(&s, view, id)).collect() } else { vec![] },
        inputs: if writing && view.rights.write { inputs(&s, &definitions.registers, &refs, typed.unwrap_or(&own)) } else { vec![] },
        counties: place::counties(web.settings.region),
        proofs: if writing && view.rights.write { proofs(&s, view, typed) } else { vec![] },
        has_recommender: view.kind.recommender,
        recommender: typed.filter(|f| f.has("recommender")).map_or_else(|| view.recommender.clone(), |f| f.get("recommender").to_owned()),
        recommended: a.recommended.as_ref().map(|(_, words, _)| words.clone()).unwrap_or_default(),
        recommended_at: a.recommended.as_ref().map(|(.., at)| s.time(at)).unwrap_or_default(),
        answers: answers_of(&s, &view.kind.fields, &a.answers),
        evidence: a
            .evidence
            .iter()
            .map(|e| {
                let href = file_href(view, &e.media);
                let gone = if !e.media.is_empty() && href.is_empty() { s.t("proof-gone") } else { String::new() };
                let until = e.until.map(|d| s.t1("criteria-until", "day", s.day_text(d))).unwrap_or_default();
                (e.title.clone(), [until, gone].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" · "), href)
            })
            .collect(),
        shows: view.shows.iter().map(|one| shown(&s, one)).collect(),
        sets: columns(&s, &view.assessments),
        concerns: view
            .concerns
            .iter()
            .enumerate()
            .map(|(at, c)| ConcernLine { at, text: concern(&s, c, &view.assessments), can_be_noted: c.can_be_noted() })
            .collect(),
        noted: a.noted.iter().map(|n| (concern(&s, &n.concern, &view.assessments), n.words.clone())).collect(),
        test: questions(&s, view, typed.unwrap_or(&nothing)),
        taken: a.taken.as_ref().map(|t| s.t3("test-taken", "right", t.right, "of", t.of, "tries", t.tries)).unwrap_or_default(),
        passed: a.taken.as_ref().is_some_and(|t| view.kind.passes(t.right)),
        tries_left: TRIES_MAX.saturating_sub(a.taken.as_ref().map_or(0, |t| t.tries)),
        place: placed.map(|(rank, total)| s.t2("application-place", "rank", rank, "total", total.map(super::points).unwrap_or_default())).unwrap_or_default(),
        money: typed.filter(|f| f.has("money")).map_or_else(|| a.money.clone(), |f| f.get("money").to_owned()),
        pays: view.kind.pays,
        certificate,
        until,
        confirmed,
        delivery_inputs: inputs(&s, &definitions.registers, &delivered, typed.filter(|f| f.get("do") == "deliver").unwrap_or(&delivery_typed)),
        delivery: answers_of(&s, &view.kind.delivery, &delivery_values),
        delivery_state: match &checked {
            Some((true, words)) => format!("{} {words}", s.t("delivery-accepted")),
            Some((false, words)) => format!("{}{words}", s.t("delivery-returned")),
            None if a.delivery.is_some() => s.t("delivery-waits"),
            None => String::new(),
        },
        delivery_open: granted && !view.kind.delivery.is_empty() && !matches!(checked, Some((true, _))),
        delivery_waits: granted && a.delivery.is_some() && checked.is_none(),
        counted: a.delivery.as_ref().map_or(0, |d| d.counted),
        check_due: due.map(|day| s.due(day, web.app.today())).unwrap_or_default(),
        report_open: granted && near && a.ended.is_none(),
        report: a.report.as_ref().map(|(words, _)| words.clone()).unwrap_or_default(),
        comments: view.comments.clone(),
        said: said(&s, req.query.get("done")),
        errors: {
            let all: Vec<&FieldDef> = refs.iter().chain(&delivered).copied().collect();
            field::explained(&s, &all, errors)
        },
        label,
        s,
    }
}

fn said(s: &Shell, word: &str) -> String {
    match word {
        "saved" | "submitted" | "tested" | "withdrawn" | "delivered" | "reported" | "recommended" | "done" => s.t(&format!("application-said-{word}")),
        _ => String::new(),
    }
}

/// GET /application/{id}
pub async fn show(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let view = apply::view(&web.app, &req.actor, &ApplicationId(id)).await?;
    Ok(page(&application_page(&web, &req, &view, None, &[])))
}

/// The page again with what was typed and what is wrong with it.
pub(super) async fn again(web: &Web, req: &Req, id: &ApplicationId, form: &Form, error: AppError) -> Answer {
    let (status, errors) = refused(error)?;
    let view = apply::view(&web.app, &req.actor, id).await?;
    Ok(page_with(status, &application_page(web, req, &view, Some(form.fields()), &errors)))
}

fn read_evidence(form: &Fields) -> Result<Vec<Evidence>, AppError> {
    let (kinds, until, media) = (form.every("evidence_kind"), form.every("evidence_until"), form.every("evidence_media"));
    let mut list = Vec::new();
    for (n, title) in form.every("evidence_title").into_iter().enumerate().filter(|(_, title)| !title.is_empty()) {
        let day = until.get(n).map(String::as_str).unwrap_or_default();
        let day = if day.is_empty() { None } else { Some(day.parse().map_err(|_| AppError::Invalid(vec![FieldError::new("evidence", "date_form")]))?) };
        list.push(Evidence {
            kind: kinds.get(n).cloned().unwrap_or_default().chars().take(60).collect(),
            title,
            media: media.get(n).cloned().unwrap_or_default(),
            until: day,
        });
    }
    Ok(list)
}

/// POST /application/{id}: `do` is the button: save, more (rows for proofs), submit.
pub async fn save(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = ApplicationId(id);
    let view = apply::view(&web.app, &req.actor, &id).await?;
    if form.get("do") == "more" {
        return Ok(page(&application_page(&web, &req, &view, Some(form.fields()), &[])));
    }
    let refs: Vec<&FieldDef> = view.kind.fields.iter().collect();
    let (answers, mut errors) = field::read(&refs, form.fields());
    // A draft may lack what is required; handing in names it.
    errors.retain(|error| error.key != "required");
    let deed = async {
        if !errors.is_empty() {
            return Err(AppError::Invalid(errors));
        }
        let written = Written { answers, evidence: read_evidence(form.fields())?, recommender: form.get("recommender").to_owned() };
        apply::save(&web.app, &req.actor, &id, form.int("version").unwrap_or_default(), written).await?;
        if form.get("do") == "proofs" {
            return Ok(urls::proofs(&id));
        }
        if form.get("do") != "submit" {
            return Ok(format!("{}?done=saved", urls::application(&id)));
        }
        // What was typed is kept by now, whatever is refused from here on.
        apply::submit(&web.app, &req.actor, &id).await?;
        Ok(format!("{}?done=submitted", urls::application(&id)))
    };
    match form.once(&web, deed).await {
        Ok(response) => Ok(response),
        Err(error) => again(&web, &req, &id, &form, error).await,
    }
}

/// Runs a deed about an application and comes back to it.
async fn act(web: &Web, req: &Req, id: &ApplicationId, form: &Form, word: &str, deed: impl Future<Output = Result<(), AppError>>) -> Answer {
    let place = async {
        deed.await?;
        Ok(format!("{}?done={word}", urls::application(id)))
    };
    match form.once(web, place).await {
        Ok(response) => Ok(response),
        Err(error) => again(web, req, id, form, error).await,
    }
}

/// POST /application/{id}/test
pub async fn test(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = ApplicationId(id);
    let answers = form.0.iter().filter_map(|(name, value)| Some((name.strip_prefix("q-")?.to_owned(), value.clone()))).collect();
    act(&web, &req, &id, &form, "tested", apply::take_test(&web.app, &req.actor, &id, &answers)).await
}

/// POST /application/{id}/withdraw
pub async fn withdraw(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = ApplicationId(id);
    let deed = async {
        if form.get("confirm").is_empty() {
            return Err(AppError::Invalid(vec![FieldError::new("confirm", "not_sure")]));
        }
        apply::withdraw(&web.app, &req.actor, &id).await
    };
    act(&web, &req, &id, &form, "withdrawn", deed).await
}

/// POST /application/{id}/deliver
pub async fn deliver(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = ApplicationId(id);
    let view = apply::view(&web.app, &req.actor, &id).await?;
    let refs: Vec<&FieldDef> = view.kind.delivery.iter().collect();
    let (values, errors) = field::read(&refs, form.fields());
    let deed = async {
        if !errors.is_empty() {
            return Err(AppError::Invalid(errors));
        }
        apply::deliver(&web.app, &req.actor, &id, values).await
    };
    act(&web, &req, &id, &form, "delivered", deed).await
}

/// POST /application/{id}/report
pub async fn report(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = ApplicationId(id);
    act(&web, &req, &id, &form, "reported", apply::report(&web.app, &req.actor, &id, form.get("report"))).await
}

/// POST /application/{id}/recommend
pub async fn recommend(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = ApplicationId(id);
    act(&web, &req, &id, &form, "recommended", apply::recommend(&web.app, &req.actor, &id, form.get("recommendation"))).await
}
