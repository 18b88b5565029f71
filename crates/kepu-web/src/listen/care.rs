//! What editors do with a claim besides correcting it: wordings, merges, and how often and where it is met. For everybody else the page is not there.

use crate::Web;
use crate::form::Form;
use crate::line::{Line, lines};
use crate::page::{Answer, Errors, Html, Req, Shell, page_with};
use crate::subject::id_of;
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use kepu_app::listen::known::digest;
use kepu_app::listen::merge::{self, Work};
use kepu_app::{AppError, FieldError};
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::claim::{Agreement, Merge, MergeStage};
use kepu_domain::listen::placement::{PlaceKind, Placement};
use kepu_domain::listen::sighting::SHOWN_LEAST;
use kepu_domain::listen::usefulness::VOTES_LEAST;
use kepu_domain::org::Region;
use kepu_domain::record::DocHash;

/// A wording with what names it in a form.
struct Words {
    digest: String,
    text: String,
    times: i64,
}

/// A merge as the list shows it.
struct Merged {
    id: String,
    href: String,
    title: String,
    reason: String,
    state: Html,
    at: Html,
    /// Whether it waits for a second person, and is about this claim.
    waits: bool,
    /// Whether whoever looks asked for it.
    mine: bool,
}

/// A place that shows the answer.
struct Shows {
    kind: String,
    place: String,
    at: Html,
    /// Whether it shows the present version.
    current: bool,
}

/// A claim that may be the same.
struct Other {
    line: Line,
    id: String,
    on: bool,
}

#[derive(Template)]
#[template(path = "listen/care.html")]
struct CarePage {
    s: Shell,
    title: String,
    href: String,
    action: String,
    verdict: String,
    /// Visible sum, and the minimum below which nothing is shown.
    total: Option<i64>,
    least: i64,
    year: Year,
    channels: Vec<(String, i64)>,
    regions: Vec<(String, i64)>,
    /// Kind of readers, useful, not useful.
    votes: Vec<(String, i64, i64)>,
    /// Whether kinds of readers agree, with the two numbers; none while too few voted.
    score: Option<(Html, String)>,
    votes_least: i64,
    /// Places that show the answer, and how many of them show its present version.
    places: Vec<Shows>,
    current: usize,
    waiting: Vec<Words>,
    wordings: Vec<Words>,
    wording: String,
    draft: bool,
    into: Option<Line>,
    merged: Vec<Line>,
    merges: Vec<Merged>,
    others: Vec<Other>,
    /// The address that was typed, if it is none of those to choose from.
    typed: String,
    reason: String,
    errors: Errors,
}

/// In which months a claim is met: January to December with a count or none, and how high each stands beside the highest, in tenths.
pub struct Year(pub Vec<(String, Option<i64>, i64)>);

impl Year {
    /// From the sums by calendar month.
    pub fn new(s: &Shell, season: &[Option<i64>; 12]) -> Self {
        let most = season.iter().flatten().copied().max().unwrap_or(0).max(1);
        let month = |at: usize| s.t1("month-short", "n", at + 1);
        Self(season.iter().enumerate().map(|(at, count)| (month(at), *count, count.map_or(0, |count| (count * 10 + most - 1) / most))).collect())
    }
    /// Whether anything may be shown.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|(_, count, _)| count.is_none())
    }
}

/// What was typed and what is wrong with it.
#[derive(Default)]
struct Typed {
    wording: String,
    other: String,
    reason: String,
    errors: Vec<FieldError>,
}

/// GET /c/{owner}/{local}/care
pub async fn show(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>) -> Answer {
    let id = id_of(&owner, &local)?;
    let work = merge::work(&web.app, &req.actor, &id).await?;
    print(&web, &req, &id, work, StatusCode::OK, Typed::default()).await
}

async fn print(web: &Web, req: &Req, id: &SubjectId, work: Work, status: StatusCode, typed: Typed) -> Answer {
    let s = req.titled(req.shell.t1("care-title", "claim", &work.row.title));
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let trust = web.app.trust(&mut tx).await?;
    let mut merges = Vec::new();
    for one in &work.merges {
        merges.push(merged(&s, &mut tx, req, id, one).await?);
    }
    drop(tx);
    let hex = |digest: &[u8; 32]| data_encoding::HEXLOWER.encode(digest);
    let response: Response = page_with(
        status,
        &CarePage {
            href: urls::claim(id),
            action: urls::care(id),
            verdict: work.row.verdict.clone(),
            total: work.heard.total,
            least: SHOWN_LEAST,
            year: Year::new(&s, &work.heard.season),
            channels: work.channels.iter().map(|(channel, count)| (s.t(&format!("channel-{}", channel.as_str())), *count)).collect(),
            regions: work.regions.iter().map(|(region, count)| (s.place_line(region), *count)).collect(),
            votes: work.score.iter().flat_map(|score| &score.tallies).map(|t| (s.t(&format!("reader-{}", t.kind.as_str())), t.useful, t.useless)).collect(),
            score: work.score.as_ref().and_then(|score| score.part).map(|part| {
                let state = if part.bridges() { s.state("true", s.t("useful-bridges")) } else { s.state("open", s.t("useful-apart")) };
                (state, format!("{:.2} / {:.2}", part.intercept, part.factor))
            }),
            votes_least: VOTES_LEAST,
            current: work.places.iter().filter(|place| Some(place.doc) == work.row.doc_hash).count(),
            places: work.places.iter().map(|place| shows(&s, place, work.row.doc_hash)).collect(),
            waiting: work.waiting.iter().map(|one| Words { digest: hex(&one.digest), text: one.text.clone(), times: one.times }).collect(),
            wordings: work.claim.variants.iter().map(|text| Words { digest: hex(&digest(text)), text: text.clone(), times: 0 }).collect(),
            wording: typed.wording,
            draft: work.under_way,
            into: work.into.as_ref().map(|row| Line::new(&s, row, &trust)),
            merged: lines(&s, &work.merged, &trust),
            merges,
            others: work.alike.iter().map(|row| Other { line: Line::new(&s, row, &trust), id: row.id.0.clone(), on: row.id.0 == typed.other }).collect(),
            typed: if work.alike.iter().any(|row| row.id.0 == typed.other) { String::new() } else { typed.other },
            reason: typed.reason,
            errors: s.errors(&typed.errors),
            title: work.row.title.clone(),
            s,
        },
    );
    Ok(response)
}

/// The name of a place that shows an answer.
pub(crate) fn place_name(s: &Shell, place: &Placement) -> String {
    match place.kind {
        PlaceKind::Screen => Region::parse(&place.place).map_or_else(|_| place.place.clone(), |region| s.place_line(&region)),
        PlaceKind::Embed | PlaceKind::Bot => place.place.clone(),
    }
}

fn shows(s: &Shell, place: &Placement, now: Option<DocHash>) -> Shows {
    let day = place.at.as_millisecond();
    let kind = s.t(&format!("place-{}", place.kind.as_str()));
    Shows { kind, place: place_name(s, place), at: s.day_ms(&day), current: Some(place.doc) == now }
}

async fn merged(s: &Shell, tx: &mut kepu_store::Tx, req: &Req, id: &SubjectId, one: &Merge) -> Result<Merged, AppError> {
    let from_here = one.claim == *id;
    let other = if from_here { &one.into } else { &one.claim };
    let title = kepu_store::subject::find(tx, other).await?.map_or_else(|| other.0.clone(), |row| row.title);
    let (shape, word) = match one.stage {
        MergeStage::Waiting => ("now", "merge-waiting"),
        MergeStage::Done => ("true", if from_here { "merge-into" } else { "merge-from" }),
        MergeStage::Refused => ("false", "merge-refused"),
        MergeStage::Undone => ("open", "merge-undone"),
    };
    Ok(Merged {
        id: one.id.clone(),
        href: urls::claim(other),
        title,
        reason: one.reason.clone(),
        state: s.state(shape, s.t(word)),
        at: s.time(&one.decided_at.unwrap_or(one.asked_at)),
        waits: from_here && one.stage == MergeStage::Waiting,
        mine: one.asked_by == req.actor.log_name(),
    })
}

/// POST /c/{owner}/{local}/care: one press, named by `do`.
pub async fn act(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>, form: Form) -> Answer {
    let id = id_of(&owner, &local)?;
    let (app, who) = (&web.app, &req.actor);
    let deed = async {
        let mut here = urls::care(&id);
        let words = read_digest(form.get("digest"));
        match (form.get("do"), words) {
            ("add", _) => merge::add_wording(app, who, &id, form.get("wording")).await?,
            ("drop", Some(words)) => merge::drop_wording(app, who, &id, &words).await?,
            ("remove", Some(words)) => merge::remove_wording(app, who, &id, &words).await?,
            ("merge", _) => {
                let into = SubjectId(other(&form));
                if merge::merge(app, who, &id, &into, form.get("reason")).await? == MergeStage::Waiting {
                    here.push_str("#merges");
                }
            }
            ("agree", _) => merge::decide(app, who, &id, form.get("merge"), Agreement::Yes).await?,
            ("refuse", _) => merge::decide(app, who, &id, form.get("merge"), Agreement::No).await?,
            ("split", _) => merge::split(app, who, &id).await?,
            _ => return Err(AppError::Invalid(vec![FieldError::new("do", "care_do")])),
        }
        Ok(here)
    };
    match form.once(&web, deed).await {
        Ok(response) => Ok(response),
        Err(AppError::Invalid(errors)) => {
            let work = merge::work(app, who, &id).await?;
            let typed = Typed { wording: form.get("wording").to_owned(), other: other(&form), reason: form.get("reason").to_owned(), errors };
            print(&web, &req, &id, work, StatusCode::UNPROCESSABLE_ENTITY, typed).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The claim to merge into: one of those shown, or the address or id that was typed.
fn other(form: &Form) -> String {
    let typed = form.get("other").trim();
    let named = if typed.is_empty() { form.get("into").trim() } else { typed };
    if named.starts_with("kepu:") {
        return named.to_owned();
    }
    let path = named.split(['?', '#']).next().unwrap_or_default();
    let mut parts = path.rsplit('/');
    match (parts.next(), parts.next()) {
        (Some(local), Some(owner)) if !local.is_empty() => SubjectId::new(owner, local).0,
        _ => named.to_owned(),
    }
}

fn read_digest(hex: &str) -> Option<[u8; 32]> {
    data_encoding::HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok()
}
