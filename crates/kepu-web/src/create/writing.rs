//! The page on which a draft is written: the form with what was typed, what a machine found, what reviewers said. Nothing typed
//! is lost: not by an error, not by somebody else who saved in between. What the fields mean is in `edit`.

use super::detail;
use super::draft::{Head, ReviewLine, deeds, head, review_lines};
use super::edit::{self, EDITIONS};
use super::field::{self, Input};
use super::lane::{LaneBox, lane_box};
use super::matter::{Difference, FindingLine, ShownFile, differences, findings, rendered};
use super::remark::{self, ThreadLine};
use crate::Web;
use crate::form::{Fields, Form, see_other};
use crate::line::Choice;
use crate::page::{Answer, Errors, Html, Req, Shell, page, page_with};
use crate::place;
use crate::problem::{Kind, Problem};
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use kepu_app::create::draft::limits::SIZE_MAX;
use kepu_app::create::draft::{self, DraftView};
use kepu_app::{AppError, FieldError};
use kepu_domain::create::check::Weight;
use kepu_domain::create::draft::{DraftError, Matter, Stage};
use kepu_domain::ids::DraftId;
use kepu_domain::listen::claim::{MEDIA_RATINGS, VERDICTS, Verdict};
use kepu_domain::vocabulary::{AUDIENCES, EVIDENCE, FIELDS, HAZARDS, LANGUAGES, LICENCES, PHASES, RESOURCE_TYPES, Vocabulary};

/// What was typed, as a template asks for it.
pub struct Typed(Fields);

impl Typed {
    /// The first value of a field.
    pub fn val(&self, name: &str) -> &str {
        self.0.get(name)
    }
    /// Whether a box of this name and value is ticked.
    pub fn on(&self, name: &str, value: &str) -> bool {
        self.0.0.iter().any(|(n, v)| n == name && v == value)
    }
}

/// The inputs about one source.
struct SourceRow {
    n: usize,
    title: String,
    publisher: String,
    kinds: Vec<Choice>,
    date: String,
    url: String,
}

/// The box for one edition.
struct EditionBox {
    name: String,
    label: String,
    text: String,
}

/// The inputs for one translation.
struct Translation {
    n: usize,
    langs: Vec<Choice>,
    text: String,
}

/// What changes with every save: version, time, findings.
struct Saved {
    /// Id of the draft.
    id: String,
    version: i64,
    at: Html,
    findings: Vec<FindingLine>,
    blocks: usize,
    size: String,
    /// Why it was not saved; empty if it was.
    trouble: String,
}

#[derive(Template)]
#[template(path = "create/draft/edit.html")]
struct EditPage {
    s: Shell,
    head: Head,
    f: Typed,
    is_claim: bool,
    errors: Errors,
    saved: Saved,
    done: String,
    /// What differs from what is stored, when somebody saved in between.
    stale: Vec<Difference>,
    /// Whether what was typed can be saved over it; else it has been given away in between.
    can_save: bool,
    /// Whether it can be taken back and saved in one step.
    can_reopen: bool,
    preview: Option<Html>,
    /// Address of the public version that it corrects, or empty.
    corrects: String,
    /// The editions that alone are new in it, in words; empty: the whole is reviewed.
    small: String,
    reviews: Vec<ReviewLine>,
    lane: Option<LaneBox>,
    remarks: Vec<ThreadLine>,
    /// Who could go on with it as its author: id, name, post.
    successors: Vec<(String, String, String)>,
    deeds: Vec<(Html, String)>,
    types: Vec<Choice>,
    /// What this type says beyond the text.
    details: Vec<Input>,
    fields: Vec<Choice>,
    audiences: Vec<Choice>,
    verdicts: Vec<Choice>,
    /// What a picture may be; empty first.
    ratings: Vec<Choice>,
    licences: Vec<Choice>,
    languages: Vec<Choice>,
    provinces: Vec<Choice>,
    counties: Vec<String>,
    hazards: Vec<Choice>,
    phases: Vec<Choice>,
    sources: Vec<SourceRow>,
    editions: Vec<EditionBox>,
    translations: Vec<Translation>,
    files: Vec<ShownFile>,
    /// Id of the input that gets the cursor, or empty.
    focus: String,
}

impl EditPage {
    /// Whether a folded part of the form stands open: it holds something, or something in it is wrong or missing.
    fn opens(&self, part: &str) -> bool {
        let (fields, filled): (&[&str], bool) = match part {
            "editions" => (&["editions"], !self.translations.is_empty() || self.editions.iter().any(|e| !e.text.is_empty())),
            "media" => (&["media"], !self.files.is_empty()),
            "emergency" => (&["hazard", "phase"], self.f.val("type") == "emergency" || !self.f.val("hazard").is_empty()),
            "origin" => (&["author", "licence", "rights", "lang", "county"], false),
            _ => (&["variants", "chat", "title_en", "claim_en", "plain_en"], false),
        };
        let wrong = |field: &str| fields.contains(&field);
        filled || self.errors.0.iter().any(|(field, _)| wrong(field)) || self.saved.findings.iter().any(|f| wrong(&f.field))
    }
}

#[derive(Template)]
#[template(path = "create/draft/saved.html")]
struct SavedPart {
    s: Shell,
    saved: Saved,
}

fn saved(s: &Shell, view: &DraftView) -> Saved {
    Saved {
        id: view.draft.id.0.clone(),
        version: view.draft.version,
        at: s.soon(&view.updated_at),
        blocks: view.findings.iter().filter(|f| f.weight == Weight::Block).count(),
        findings: findings(s, &view.findings),
        size: format!("{} / {} KiB", view.size.div_ceil(1024), SIZE_MAX / 1024),
        trouble: String::new(),
    }
}

fn options<'a>(list: impl Iterator<Item = (&'a str, String)>, on: impl Fn(&str) -> bool) -> Vec<Choice> {
    list.map(|(value, text)| Choice { value: value.to_owned(), on: on(value), text }).collect()
}

fn words(s: &Shell, vocabulary: &'static Vocabulary) -> impl Iterator<Item = (&'static str, String)> {
    let english = s.is_en();
    vocabulary.terms().iter().map(move |term| (term.id.as_str(), if english { term.en.clone() } else { term.zh.clone() }))
}

/// Choices that begin with "none chosen", in words of the page.
fn with_none(s: &Shell, vocabulary: &'static Vocabulary, present: &str) -> Vec<Choice> {
    options(std::iter::once(("", s.t("draft-choose"))).chain(words(s, vocabulary)), |value| value == present)
}

/// What a page of the form shows besides what is stored.
#[derive(Default)]
struct Extra {
    errors: Vec<(String, String)>,
    stale: bool,
    preview: bool,
    sources: usize,
    translations: usize,
    focus: String,
}

fn edit_page(web: &Web, req: &Req, view: &DraftView, typed: Fields, extra: Extra) -> EditPage {
    let s = req.titled(view.draft.matter.title()).script("htmx.min.js");
    let stored = edit::write(&view.draft.matter, &view.draft.correction);
    let f = Typed(typed);
    let stage = &view.draft.stage;
    let files = match &view.draft.matter {
        Matter::Resource(r) => r.media.iter().map(|media| typed_file(&f, media)).collect(),
        Matter::Claim(_) => vec![],
    };
    let preview = extra.preview.then(|| rendered(f.val("text")));
    EditPage {
        head: head(&s, view),
        is_claim: matches!(view.draft.matter, Matter::Claim(_)),
        errors: Errors(extra.errors),
        saved: saved(&s, view),
        done: done_word(&s, req.query.get("done")),
        stale: if extra.stale { differences(&s, &stored, &f.0) } else { vec![] },
        can_save: matches!(stage, Stage::Writing),
        can_reopen: matches!(stage, Stage::Submitted { .. }),
        preview,
        small: super::draft::editions_line(&s, &view.small),
        corrects: view.corrects.as_ref().map(|row| urls::of_kind(&row.kind, &row.id)).unwrap_or_default(),
        reviews: review_lines(&s, view),
        lane: view.lane.as_ref().map(|lane| lane_box(&s, lane)),
        remarks: remark::lines(&s, &view.remarks),
        successors: view.successors.iter().map(|c| (c.party.id.0.clone(), s.pick(&c.party.name, &c.party.name_en).to_owned(), c.party.title.clone())).collect(),
        deeds: deeds(&s, &view.history),
        types: options(words(&s, &RESOURCE_TYPES), |v| v == f.val("type")),
        details: details(&s, web, &f.0),
        fields: options(words(&s, &FIELDS), |v| f.on("fields", v)),
        audiences: options(words(&s, &AUDIENCES), |v| f.on("audience", v)),
        ratings: options(
            std::iter::once(("", s.t("media-nothing"))).chain(MEDIA_RATINGS.iter().map(|r| (r.as_str(), s.t(&format!("media-{}", r.as_str()))))),
            |r| r == f.val("media_rating"),
        ),
        verdicts: options(VERDICTS.iter().filter(|v| **v != Verdict::Checking).map(|v| (v.as_str(), s.verdict_word(v.as_str()))), |v| v == f.val("verdict")),
        licences: options(LICENCES.iter().map(|(id, _)| (*id, s.licence(id))), |v| v == f.val("licence")),
        languages: options(words(&s, &LANGUAGES), |v| v == f.val("lang")),
        provinces: place::provinces(&s, f.val("province")),
        counties: place::counties(web.settings.region),
        hazards: with_none(&s, &HAZARDS, f.val("hazard")),
        phases: with_none(&s, &PHASES, f.val("phase")),
        sources: source_rows(&s, &f.0, extra.sources),
        editions: EDITIONS
            .iter()
            .map(|name| EditionBox { name: (*name).into(), label: s.edition(name), text: f.val(&format!("edition-{name}")).into() })
            .collect(),
        translations: translation_rows(&s, &f.0, extra.translations),
        focus: extra.focus,
        files,
        f,
        s,
    }
}

/// The controls of what the chosen type says beyond the text.
fn details(s: &Shell, web: &Web, typed: &Fields) -> Vec<Input> {
    let fields = detail::fields(typed.get("type"));
    let list = field::inputs(s, &web.app.definitions().registers, &fields.iter().collect::<Vec<_>>(), typed, &[]);
    list.into_iter().map(|input| Input { public: String::new(), ..input }).collect()
}

fn typed_file(f: &Typed, media: &kepu_domain::create::resource::Media) -> ShownFile {
    let at = f.0.every("media_hash").iter().position(|hash| *hash == media.hash);
    let alt = at.and_then(|at| f.0.every("media_alt").get(at).cloned());
    ShownFile { alt: alt.unwrap_or_else(|| media.alt.clone()), ..ShownFile::new(media) }
}

/// The sources typed so far, and `more` empty rows; at least one row.
fn source_rows(s: &Shell, typed: &Fields, more: usize) -> Vec<SourceRow> {
    let column = |name: &str| typed.every(name);
    let (titles, publishers, kinds, dates, urls) =
        (column("source_title"), column("source_publisher"), column("source_kind"), column("source_date"), column("source_url"));
    let count = (titles.len() + more).clamp(1, 60);
    let cell = |list: &[String], at: usize| list.get(at).cloned().unwrap_or_default();
    let row = |at: usize| SourceRow {
        n: at + 1,
        title: cell(&titles, at),
        publisher: cell(&publishers, at),
        kinds: with_none(s, &EVIDENCE, &cell(&kinds, at)),
        date: cell(&dates, at),
        url: cell(&urls, at),
    };
    (0..count).map(row).collect()
}

fn translation_rows(s: &Shell, typed: &Fields, more: usize) -> Vec<Translation> {
    let (langs, texts) = (typed.every("edition_lang"), typed.every("edition_text"));
    let row = |at: usize| Translation {
        n: at + 1,
        langs: with_none(s, &LANGUAGES, langs.get(at).map_or("", String::as_str)),
        text: texts.get(at).cloned().unwrap_or_default(),
    };
    (0..(langs.len() + more).min(20)).map(row).collect()
}

/// What was just done, said once on top of the page.
pub fn done_word(s: &Shell, word: &str) -> String {
    match word {
        "begun" => s.t("done-begun"),
        "saved" => s.t("done-saved"),
        "submitted" => s.t("done-submitted"),
        "back" => s.t("done-back"),
        "assigned" => s.t("done-assigned"),
        "published" => s.t("done-published"),
        "file" => s.t("done-file"),
        "dropped" => s.t("done-dropped"),
        _ => String::new(),
    }
}

/// The form of a draft as it is stored.
pub fn stored(web: &Web, req: &Req, view: &DraftView) -> Response {
    let typed = edit::write(&view.draft.matter, &view.draft.correction);
    // A draft without a source yet has one empty row to begin with.
    page(&edit_page(web, req, view, typed, Extra::default()))
}

/// POST /drafts/{id}
pub async fn save(State(web): State<Web>, req: Req, headers: HeaderMap, Path(id): Path<String>, form: Form) -> Answer {
    let id = DraftId(id);
    let view = draft::view(&web.app, &req.actor, &id).await?;
    if !view.may.write {
        return Err(Problem::new(Kind::NoRole));
    }
    let typed = form.fields().clone();
    let again = |extra| Ok(page(&edit_page(&web, &req, &view, typed.clone(), extra)));
    match form.get("do") {
        "auto" => return autosave(&web, &req, &headers, &view, &form).await,
        "type" => return again(Extra { focus: "details".into(), ..Extra::default() }),
        "preview" => return again(Extra { preview: true, focus: "preview".into(), ..Extra::default() }),
        "add-source" => {
            let focus = format!("source_title-{}", typed.every("source_title").len() + 1);
            return again(Extra { sources: 1, focus, ..Extra::default() });
        }
        "add-translation" => {
            let focus = format!("edition_lang-{}", typed.every("edition_lang").len() + 1);
            return again(Extra { translations: 1, focus, ..Extra::default() });
        }
        _ => {}
    }
    let deed = async { keep(&web, &req, &view, &form).await };
    match form.once(&web, deed).await {
        Ok(response) => Ok(response),
        Err(error) => refused(&web, &req, &id, typed, error).await,
    }
}

/// Saves what was typed and does what the button says; returns where to go.
async fn keep(web: &Web, req: &Req, view: &DraftView, form: &Form) -> Result<String, AppError> {
    let id = &view.draft.id;
    let version = if form.get("do") == "reopen" { draft::take_back(&web.app, &req.actor, id).await?.version } else { form.int("version").unwrap_or_default() };
    write_down(web, req, view, form, version).await?;
    let place = urls::draft(id);
    Ok(match form.get("do") {
        "submit" => {
            draft::submit(&web.app, &req.actor, id).await?;
            format!("{place}?done=submitted")
        }
        "media" => format!("{place}/media"),
        _ => format!("{place}?done=saved"),
    })
}

async fn write_down(web: &Web, req: &Req, view: &DraftView, form: &Form, version: i64) -> Result<(), AppError> {
    let (matter, correction) = edit::read(form.fields(), &view.draft.matter).map_err(AppError::Invalid)?;
    let result = draft::save(&web.app, &req.actor, &view.draft.id, version, matter.clone(), &correction).await;
    match result {
        // The same text was saved already, by itself, while the button was pressed.
        Err(AppError::Stale { .. }) => {
            let now = draft::get(&web.app, &req.actor, &view.draft.id).await?;
            let same = now.matter == draft::clean(matter) && now.correction == kepu_text::clean_text(&correction) && matches!(now.stage, Stage::Writing);
            if same { Ok(()) } else { result.map(drop) }
        }
        other => other.map(drop),
    }
}

/// The form again, with what was typed and why it could not be done.
async fn refused(web: &Web, req: &Req, id: &DraftId, typed: Fields, error: AppError) -> Answer {
    let s = &req.shell;
    // Read anew: what was typed may have been saved before the refusal, or somebody else may have saved.
    let view = draft::view(&web.app, &req.actor, id).await?;
    let (status, extra) = match error {
        AppError::Invalid(list) => {
            let fields = detail::fields(typed.get("type"));
            let errors = field::explained(s, &fields.iter().collect::<Vec<_>>(), &list).0;
            (StatusCode::UNPROCESSABLE_ENTITY, Extra { errors, ..Extra::default() })
        }
        AppError::Blocked(list) => {
            let errors = list.iter().map(|finding| (finding.field.clone(), s.finding(finding))).collect();
            (StatusCode::UNPROCESSABLE_ENTITY, Extra { errors, ..Extra::default() })
        }
        AppError::Stale { .. } | AppError::Draft(DraftError::WrongStage { .. }) => (StatusCode::CONFLICT, Extra { stale: true, ..Extra::default() }),
        other => return Err(other.into()),
    };
    Ok(page_with(status, &edit_page(web, req, &view, typed, extra)))
}

/// Saves while somebody types. The answer is only the part of the page that changes.
async fn autosave(web: &Web, req: &Req, headers: &HeaderMap, view: &DraftView, form: &Form) -> Answer {
    let s = req.shell.clone();
    let result = write_down(web, req, view, form, form.int("version").unwrap_or_default()).await;
    let view = draft::view(&web.app, &req.actor, &view.draft.id).await?;
    let mut part = SavedPart { saved: saved(&s, &view), s };
    match result {
        Ok(()) => {}
        // Kept as it was, so that pressing the button shows both texts.
        Err(AppError::Stale { .. }) => (part.saved.version, part.saved.trouble) = (form.int("version").unwrap_or_default(), part.s.t("auto-stale")),
        Err(AppError::Invalid(list)) => part.saved.trouble = part.s.errors(&list).0.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(" "),
        Err(error) => return Err(error.into()),
    }
    if headers.contains_key("hx-request") { Ok(page(&part)) } else { Ok(see_other(&urls::draft(&view.draft.id))) }
}

#[derive(Template)]
#[template(path = "create/draft/media.html")]
struct MediaPage {
    s: Shell,
    head: Head,
    files: Vec<ShownFile>,
    alt: String,
    errors: Errors,
    done: String,
}

/// The page on which files are added to a resource.
fn media_page(req: &Req, view: &DraftView, status: StatusCode, alt: &str, errors: &[FieldError]) -> Answer {
    let Matter::Resource(resource) = &view.draft.matter else { return Err(Problem::not_found()) };
    let s = req.titled(req.shell.t1("media-title", "title", view.draft.matter.title()));
    let files = resource.media.iter().map(ShownFile::new).collect();
    let done = done_word(&s, req.query.get("done"));
    Ok(page_with(status, &MediaPage { head: head(&s, view), files, alt: alt.to_owned(), errors: s.errors(errors), done, s }))
}

/// GET /drafts/{id}/media
pub async fn files(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let view = draft::view(&web.app, &req.actor, &DraftId(id)).await?;
    if !view.may.write {
        return Err(Problem::new(Kind::NoRole));
    }
    media_page(&req, &view, StatusCode::OK, "", &[])
}

/// POST /media
pub async fn upload(State(web): State<Web>, req: Req, upload: crate::form::Upload) -> Answer {
    let form = &upload.form;
    let id = DraftId(form.get("draft").to_owned());
    let deed = async {
        let draft = draft::attach(&web.app, &req.actor, &id, &upload.bytes, form.get("alt")).await?;
        Ok(format!("{}/media?done=file", urls::draft(&draft.id)))
    };
    match form.once(&web, deed).await {
        Ok(response) => Ok(response),
        Err(AppError::Invalid(errors)) => {
            let view = draft::view(&web.app, &req.actor, &id).await?;
            media_page(&req, &view, StatusCode::UNPROCESSABLE_ENTITY, form.get("alt"), &errors)
        }
        Err(error) => Err(error.into()),
    }
}
