//! Taking files in: bring one, say which column fills what, look at the first rows, start, watch, read what was refused.
//! What is done is in `kepu-app::create::import`.

use crate::Web;
use crate::form::{Form, Upload};
use crate::i18n::{self, Lang};
use crate::line::{Choice, attachment, choices, csv_cell};
use crate::page::{Answer, Errors, Html, Pager, Req, Shell, page, page_with};
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use kepu_app::create::import::{self, Becomes, Brought, DryRun, Reason};
use kepu_app::listen::intake::file::lines_of_text;
use kepu_app::{AppError, FieldError, account};
use kepu_domain::access::Action;
use kepu_domain::create::draft::Matter;
use kepu_domain::create::import::{Counts, Import, KINDS, Kind, Plan, Stage};
use kepu_domain::ids::{ImportId, OrgId};
use kepu_domain::org::Org;
use kepu_domain::vocabulary::{FIELDS, LICENCES};
use kepu_store::create::import::LineKind;
use kepu_store::job::State as JobState;
use std::fmt::Display;

/// Rows shown before a file is started.
const SHOWN: usize = 5;
/// Refused lines on a page.
const LINES: usize = 50;

/// What a reason says in `lang`.
pub fn reason_text(lang: Lang, reason: &Reason) -> String {
    reason_with(lang, reason, &target_name(lang, &reason.field))
}

fn reason_with(lang: Lang, reason: &Reason, field: &str) -> String {
    let mut args: Vec<(&str, &dyn Display)> = vec![("field", &field), ("found", &""), ("cause", &"")];
    args.retain(|(name, _)| !reason.args.iter().any(|(given, _)| given == name));
    args.extend(reason.args.iter().map(|(name, value)| (name.as_str(), value as &dyn Display)));
    i18n::message(lang, &reason.key, &args)
}

/// What a target is called: as in the forms of this page, else as in other forms.
fn target_name(lang: Lang, target: &str) -> String {
    let keys = [format!("import-f-{target}"), format!("label-{target}")];
    keys.iter().find(|key| i18n::exists(lang, key)).map_or_else(|| target.to_owned(), |key| i18n::message(lang, key, &[]))
}

fn kind_word(s: &Shell, kind: Kind) -> String {
    match kind {
        Kind::Resource => s.t("import-kind-resource"),
        Kind::Claim => s.t("import-kind-claim"),
        Kind::Party => s.t("import-kind-party"),
        Kind::Signal => s.t("import-kind-signal"),
    }
}

/// What a target of this plan is called: a field of a register by its definition, else as in forms.
fn label_of(web: &Web, lang: Lang, plan: &Plan, target: &str) -> String {
    let definitions = web.app.definitions();
    let register = definitions.registers.registers.get(&plan.register).filter(|_| plan.kind == Kind::Party);
    let field = register.and_then(|register| definitions.registers.find_field(register, target));
    field.map_or_else(|| target_name(lang, target), |field| field.label(lang.code()).to_owned())
}

/// What a reason says about a row of this plan.
fn said_of(web: &Web, lang: Lang, plan: &Plan, reason: &Reason) -> String {
    let label = label_of(web, lang, plan, reason.field.split('.').next().unwrap_or_default());
    reason_with(lang, reason, &label)
}

/// A file in the list.
struct Item {
    href: String,
    name: String,
    kind: String,
    time: Html,
    state: Html,
    words: String,
}

fn item(s: &Shell, import: &Import) -> Item {
    let c = import.counts;
    let state = match &import.stage {
        Stage::Planned => s.state("open", s.t("import-planned")),
        Stage::Started { .. } => s.state("now", s.t2("import-share", "done", c.done, "rows", c.rows)),
        Stage::Done { .. } => s.state("true", s.t("import-done")),
    };
    Item {
        href: urls::import(&import.id),
        name: import.file_name.clone(),
        kind: kind_word(s, import.kind()),
        time: s.time(&import.created_at),
        state,
        words: if c.done == 0 { s.t1("import-rows", "n", c.rows) } else { sums(s, import.kind(), c) },
    }
}

trait OfKind {
    fn kind(&self) -> Kind;
}
impl OfKind for Import {
    fn kind(&self) -> Kind {
        self.plan.kind
    }
}

/// What became of rows that were taken.
fn taken_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Party => "import-n-entered",
        Kind::Signal => "import-n-heard",
        Kind::Resource | Kind::Claim => "import-n-published",
    }
}

/// What became of the rows, as a sentence without what is zero.
fn sums(s: &Shell, kind: Kind, c: Counts) -> String {
    let parts = [
        (c.published, s.t1(taken_word(kind), "n", c.published)),
        (c.drafts, s.t1("import-n-drafts", "n", c.drafts)),
        (c.known, s.t1("import-n-known", "n", c.known)),
        (c.refused, s.t1("import-n-refused", "n", c.refused)),
    ];
    let said: Vec<&str> = parts.iter().filter(|(n, _)| *n > 0).map(|(_, words)| words.as_str()).collect();
    s.list(said.into_iter())
}

fn org_choices(s: &Shell, orgs: &[Org], present: &str) -> Vec<Choice> {
    orgs.iter().map(|org| Choice { value: org.id.0.clone(), text: s.pick(&org.name, &org.name_en).to_owned(), on: org.id.0 == present }).collect()
}

#[derive(Template)]
#[template(path = "create/imports.html")]
struct ListPage {
    s: Shell,
    orgs: Vec<Choice>,
    kinds: Vec<Choice>,
    registers: Vec<Choice>,
    max: String,
    list: Vec<Item>,
    errors: Errors,
}

async fn list_page(web: &Web, req: &Req, status: StatusCode, kind: &str, org: &str, errors: &[FieldError]) -> Answer {
    let s = req.titled(req.shell.t("import-title"));
    let orgs = orgs_of(web, req).await?;
    let list = import::list(&web.app, &req.actor, 30).await?;
    let may = |kind: &Kind| req.actor.may(import::action_for(*kind), None).is_ok();
    let kinds: Vec<Kind> = KINDS.into_iter().filter(may).collect();
    let kind = Kind::parse(kind).filter(may).or(kinds.first().copied()).unwrap_or_default();
    let definitions = web.app.definitions();
    let registers = if kinds.contains(&Kind::Party) { definitions.registers.registers.values().collect() } else { vec![] };
    Ok(page_with(
        status,
        &ListPage {
            orgs: org_choices(&s, &orgs, org),
            registers: registers
                .iter()
                .map(|r| Choice { value: r.id.clone(), text: r.name(s.lang.code()).to_owned(), on: r.id == req.query.get("register") })
                .collect(),
            kinds: kinds.into_iter().map(|k| Choice { value: k.as_str().into(), text: kind_word(&s, k), on: k == kind }).collect(),
            max: crate::problem::size(import::UPLOAD_BYTES_MAX as u64),
            list: list.iter().map(|one| item(&s, one)).collect(),
            errors: s.errors(errors),
            s,
        },
    ))
}

/// Organisations for which somebody may bring files of one kind or the other.
async fn orgs_of(web: &Web, req: &Req) -> Result<Vec<Org>, AppError> {
    let who = req.signed_in()?;
    let mut orgs = account::orgs_where(&web.app, who, Action::Import).await?;
    for org in account::orgs_where(&web.app, who, Action::ManageMembers).await? {
        if !orgs.iter().any(|known| known.id == org.id) {
            orgs.push(org);
        }
    }
    Ok(orgs)
}

/// GET /import
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    list_page(&web, &req, StatusCode::OK, req.query.get("kind"), "", &[]).await
}

/// POST /import: brings a file.
pub async fn bring(State(web): State<Web>, req: Req, upload: Upload) -> Answer {
    let form = &upload.form;
    let (kind, org) = (form.get("kind").to_owned(), form.get("org").to_owned());
    if upload.bytes.is_empty() {
        return list_page(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, &kind, &org, &[FieldError::new("file", "file_none")]).await;
    }
    let who = req.signed_in()?;
    let orgs = orgs_of(&web, &req).await?;
    let chosen = orgs.iter().find(|o| o.id.0 == org).or(orgs.first()).map(|o| o.id.clone());
    let mut plan = Plan { kind: Kind::parse(&kind).unwrap_or_default(), signed_by: who.account.name.clone(), ..Plan::default() };
    if plan.kind == Kind::Party {
        plan.register = form.get("register").chars().take(40).collect();
    } else if plan.kind != Kind::Signal {
        plan.fixed.insert("fields".into(), "other".into());
    }
    if plan.kind == Kind::Resource {
        plan.fixed.insert("licence".into(), "CC-BY-4.0".into());
    }
    // A text file has one message a line.
    let lines = (plan.kind == Kind::Signal && upload.file_name.to_lowercase().ends_with(".txt")).then(|| lines_of_text(&upload.bytes)).transpose();
    let lines = match lines {
        Ok(lines) => lines,
        Err(AppError::Invalid(errors)) => return list_page(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, &kind, &org, &errors).await,
        Err(error) => return Err(error.into()),
    };
    let brought =
        Brought { name: &upload.file_name, bytes: lines.as_deref().unwrap_or(&upload.bytes), plan, org: chosen.unwrap_or_else(|| OrgId::from("000000")) };
    let deed = async { Ok::<_, AppError>(urls::import(&import::bring(&web.app, &req.actor, brought).await?.id)) };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => list_page(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, &kind, &org, &errors).await,
        other => Ok(other?),
    }
}

/// One line of the form that says which column fills what.
struct TargetRow {
    name: String,
    label: String,
    needed: bool,
    columns: Vec<Choice>,
    /// What stands there in the first row.
    example: String,
}

/// One row as it would become.
struct Preview {
    line: usize,
    title: String,
    words: String,
    state: Html,
    reason: String,
    /// Address and title of what is public already and says nearly the same.
    near: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "create/import_plan.html")]
struct PlanPage {
    s: Shell,
    id: String,
    import: Import,
    /// Whether the rows are no texts: entries of a register, or signals.
    party: bool,
    signal: bool,
    size: String,
    kind: String,
    encoding: &'static str,
    targets: Vec<TargetRow>,
    orgs: Vec<Choice>,
    licences: Vec<Choice>,
    fields: Vec<Choice>,
    errors: Errors,
    preview: Vec<Preview>,
    tried: String,
    refused: Vec<(usize, String)>,
    ready: bool,
}

impl PlanPage {
    fn fixed(&self, target: &str) -> &str {
        self.import.plan.fixed.get(target).map_or("", String::as_str)
    }
}

fn preview(web: &Web, s: &Shell, plan: &Plan, run: &DryRun) -> Vec<Preview> {
    let one = |tried: &import::Tried| match &tried.outcome {
        Ok(Becomes::Text(ready)) => Preview {
            line: tried.line,
            title: ready.matter.title().to_owned(),
            words: match &ready.matter {
                Matter::Resource(r) => format!("{} · {} · {}", s.fields(&r.fields), s.licence(&r.licence), r.author.name),
                Matter::Claim(c) => format!("{} · {}", s.fields(&c.fields), s.verdict_word(c.verdict.as_str())),
            },
            state: if ready.publish { s.state("true", s.t("import-to-public")) } else { s.state("part", s.t("import-to-draft")) },
            reason: ready.warnings.iter().map(|reason| reason_text(s.lang, reason)).collect::<Vec<_>>().join(" "),
            near: tried.near.iter().map(|row| (urls::of_kind(&row.kind, &row.id), row.title.clone())).collect(),
        },
        Ok(Becomes::Entry(said)) => Preview {
            line: tried.line,
            title: said.name().to_owned(),
            words: s.t1("import-n-values", "n", said.values.len()),
            state: s.state("true", s.t("import-to-entry")),
            reason: String::new(),
            near: vec![],
        },
        Ok(Becomes::Signal(text)) => Preview {
            line: tried.line,
            title: kepu_text::truncate(text, 120).to_owned(),
            words: String::new(),
            state: s.state("true", s.t("import-to-signal")),
            reason: String::new(),
            near: vec![],
        },
        Err(reason) => Preview {
            line: tried.line,
            title: String::new(),
            words: String::new(),
            state: s.state("false", s.t("import-to-nothing")),
            reason: said_of(web, s.lang, plan, reason),
            near: vec![],
        },
    };
    run.shown.iter().map(one).collect()
}

fn target_rows(web: &Web, s: &Shell, plan: &Plan, columns: &[String], first: &kepu_domain::create::import::Row) -> Vec<TargetRow> {
    let definitions = web.app.definitions();
    let row = |target: &kepu_domain::create::import::Target<'_>| {
        let chosen = plan.columns.get(target.name).map_or("", String::as_str);
        TargetRow {
            name: target.name.to_owned(),
            label: label_of(web, s.lang, plan, target.name),
            needed: target.needed,
            columns: choices(s.t("import-no-column"), columns.iter().map(|column| (column.clone(), column.clone())), chosen),
            example: first.get(chosen).map(|text| kepu_text::truncate(text, 60).to_owned()).unwrap_or_default(),
        }
    };
    import::targets(plan, &definitions.registers).iter().map(row).collect()
}

async fn plan_page(web: &Web, req: &Req, status: StatusCode, import: Import, errors: &[FieldError]) -> Answer {
    let s = req.titled(req.shell.t1("import-title-of", "name", &import.file_name));
    let table = import::table(&web.app, &import).await?;
    let run = import::try_out(&web.app, &import, import::TRIED, SHOWN).await?;
    let first = table.rows().find_map(|(_, row)| row.ok()).unwrap_or_default();
    let orgs = account::orgs_where(&web.app, req.signed_in()?, import::action_for(import.kind())).await?;
    let fixed = |target: &str| import.plan.fixed.get(target).cloned().unwrap_or_default();
    let licences = LICENCES.iter().map(|(id, _)| Choice { value: (*id).to_owned(), text: s.licence(id), on: *id == fixed("licence") }).collect();
    let fields = FIELDS.terms().iter().map(|t| Choice { value: t.id.clone(), text: s.field(&t.id).to_owned(), on: t.id == fixed("fields") }).collect();
    let c = run.counts;
    let tried = if c.done == import.counts.rows { s.t1("import-tried-all", "n", c.done) } else { s.t1("import-tried", "n", c.done) };
    Ok(page_with(
        status,
        &PlanPage {
            id: import.id.0.clone(),
            party: matches!(import.kind(), Kind::Party | Kind::Signal),
            signal: import.kind() == Kind::Signal,
            size: crate::problem::size(u64::try_from(import.size).unwrap_or_default()),
            kind: kind_word(&s, import.kind()),
            encoding: table.encoding.name(),
            targets: target_rows(web, &s, &import.plan, &table.columns, &first),
            orgs: org_choices(&s, &orgs, &import.org.0),
            licences,
            fields,
            errors: labelled(web, &s, &import.plan, errors),
            preview: preview(web, &s, &import.plan, &run),
            tried: format!("{tried}{}", sums(&s, import.kind(), c)),
            refused: run.refused.iter().map(|(line, reason)| (*line, said_of(web, s.lang, &import.plan, reason))).collect(),
            ready: c.published + c.drafts > 0,
            import,
            s,
        },
    ))
}

/// Errors with the labels of this form.
fn labelled(web: &Web, s: &Shell, plan: &Plan, errors: &[FieldError]) -> Errors {
    Errors(errors.iter().map(|error| (error.field.clone(), said_of(web, s.lang, plan, &error.clone().into()))).collect())
}

#[derive(Template)]
#[template(path = "create/import_run.html")]
struct RunPage {
    s: Shell,
    id: String,
    import: Import,
    kind: String,
    /// Whether the rows are entries of a register, and which.
    party: bool,
    signal: bool,
    register: String,
    org: String,
    state: Html,
    done: bool,
    running: bool,
    /// Why the job stands still, if it does.
    trouble: String,
    lines: Vec<(i64, String)>,
    warnings: Vec<(i64, String)>,
    n_warnings: i64,
    pager: Pager,
    csv: String,
    finished: Html,
}

async fn run_page(web: &Web, req: &Req, import: Import) -> Answer {
    let s = req.titled(req.shell.t1("import-title-of", "name", &import.file_name)).script("htmx.min.js");
    let job = import::job_of(&web.app, &import).await?;
    let at = req.page_number();
    let skip = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let say = |(line, reason): (i64, Reason)| (line, said_of(web, s.lang, &import.plan, &reason));
    let lines = import::lines(&web.app, &import, LineKind::Refused, skip((at - 1) * LINES), LINES as u32).await?;
    let warnings = import::lines(&web.app, &import, LineKind::Warning, 0, 20).await?;
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let org = kepu_store::org::find(&mut tx, &import.org).await.map_err(AppError::from)?.map_or_else(String::new, |o| s.pick(&o.name, &o.name_en).to_owned());
    drop(tx);
    let done = matches!(import.stage, Stage::Done { .. });
    let (state, trouble) = match (&import.stage, job.as_ref().map(|job| job.state)) {
        (Stage::Done { .. }, _) => (s.state("true", s.t("import-done")), String::new()),
        (_, Some(JobState::Failed)) => (s.state("false", s.t("import-failed")), job.as_ref().map_or_else(String::new, |job| job.last_error.clone())),
        (_, Some(JobState::Cancelled)) => (s.state("open", s.t("import-stopped")), s.t("import-stopped-text")),
        (_, Some(JobState::Queued)) if job.as_ref().is_some_and(|job| job.attempts > 0) => {
            (s.state("part", s.t("import-waits")), job.as_ref().map_or_else(String::new, |job| job.last_error.clone()))
        }
        (_, Some(JobState::Queued)) => (s.state("now", s.t("import-queued")), String::new()),
        _ => (s.state("now", s.t("import-running")), String::new()),
    };
    let running = matches!(job.as_ref().map(|job| job.state), Some(JobState::Queued | JobState::Running)) && !done;
    Ok(page(&RunPage {
        id: import.id.0.clone(),
        kind: kind_word(&s, import.kind()),
        party: matches!(import.kind(), Kind::Party | Kind::Signal),
        signal: import.kind() == Kind::Signal,
        register: import.plan.register.clone(),
        org,
        state,
        done,
        running,
        trouble,
        lines: lines.into_iter().map(say).collect(),
        n_warnings: import::count_lines(&web.app, &import, LineKind::Warning).await?,
        warnings: warnings.into_iter().map(say).collect(),
        pager: Pager::new(&s, at, LINES, usize::try_from(import.counts.refused).unwrap_or_default()),
        csv: format!("{}/refused.csv", urls::import(&import.id)),
        finished: match &import.stage {
            Stage::Done { at } => s.time(at),
            _ => Html::default(),
        },
        import,
        s,
    }))
}

/// GET /import/{id}
pub async fn show(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let import = import::get(&web.app, &req.actor, &ImportId(id)).await?;
    match import.stage {
        Stage::Planned => plan_page(&web, &req, StatusCode::OK, import, &[]).await,
        _ => run_page(&web, &req, import).await,
    }
}

/// The plan that the form says.
fn plan_of(web: &Web, form: &Form, before: &Plan) -> Plan {
    let signed_by = kepu_text::clean_line(form.get("signed_by"));
    let mut plan = Plan { kind: before.kind, register: before.register.clone(), signed_by, ..Plan::default() };
    let definitions = web.app.definitions();
    for target in import::targets(before, &definitions.registers) {
        if let Some(column) = form.opt(&format!("column.{}", target.name)) {
            plan.columns.insert(target.name.into(), column.to_owned());
        }
        if let Some(value) = form.opt(&format!("fixed.{}", target.name)) {
            plan.fixed.insert(target.name.into(), kepu_text::clean_line(value));
        }
    }
    plan
}

/// POST /import/{id}: looks again, starts, stops, goes on, or gives up.
pub async fn act(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let id = ImportId(id);
    let here = urls::import(&id);
    let (app, who) = (&web.app, &req.actor);
    let deed = async {
        match form.get("step") {
            "go-on" => import::go_on(app, who, &id).await?,
            "stop" => import::stop(app, who, &id).await?,
            "discard" => {
                import::discard(app, who, &id).await?;
                return Ok("/import".to_owned());
            }
            step => {
                let import = import::get(app, who, &id).await?;
                let version = form.int("version").unwrap_or_default();
                let org = OrgId(form.get("org").to_owned());
                let planned = import::plan(app, who, &id, version, plan_of(&web, &form, &import.plan), org).await?;
                if step == "start" {
                    import::start(app, who, &id, planned.version).await?;
                }
            }
        }
        Ok::<_, AppError>(here.clone())
    };
    match form.once(&web, deed).await {
        Err(AppError::Invalid(errors)) => {
            let import = import::get(app, who, &id).await?;
            // What was chosen stands in the form again, beside what is wrong with it.
            let typed = Import { plan: plan_of(&web, &form, &import.plan), ..import };
            plan_page(&web, &req, StatusCode::UNPROCESSABLE_ENTITY, typed, &errors).await
        }
        other => Ok(other?),
    }
}

/// GET /import/{id}/refused.csv: every refused row with its reason.
pub async fn refused(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    const PAGE: u32 = 5_000;
    let import = import::get(&web.app, &req.actor, &ImportId(id)).await?;
    let s = &req.shell;
    let mut out = format!("\u{feff}{},{}\r\n", csv_cell(&s.t("import-col-line")), csv_cell(&s.t("import-col-reason")));
    let mut skip = 0;
    loop {
        let lines = import::lines(&web.app, &import, LineKind::Refused, skip, PAGE).await?;
        for (line, reason) in &lines {
            out.push_str(&format!("{line},{}\r\n", csv_cell(&said_of(&web, s.lang, &import.plan, reason))));
        }
        if lines.len() < PAGE as usize {
            break;
        }
        skip += PAGE;
    }
    Ok(attachment("kepu-refused.csv", out))
}
