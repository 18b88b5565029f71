//! Pushing warnings to points: the queue is made from posting lists when a warning begins, changes or ends; a job calls the points that want to be called, many at
//! once, each by itself, so that nobody who cannot be reached holds up another. Words are made when they are sent.

use super::point::secret;
use super::warning::guidance::{self, For};
use super::warning::{Open, standing_of};
use crate::error::AppError;
use crate::listen::intake::tipline::sign;
use crate::outside::{self, Address, Refusal};
use crate::{App, job, keys};
use futures::StreamExt;
use jiff::Timestamp;
use kepu_domain::deliver::point::{Channel, Point, State, TRIES_MAX, pause};
use kepu_domain::deliver::say::{self, Said};
use kepu_domain::deliver::warning::{Kind, Name, Stands};
use kepu_domain::ids::JobId;
use kepu_domain::org::Region;
use kepu_store::deliver::point::{self as store, Push, Tried};
use kepu_store::deliver::warning as warnings;
use kepu_store::{Tx, job as jobs};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;

/// Points called at once.
const AT_ONCE: usize = 64;
/// Points of one batch: so many answers are noted in one transaction.
const BATCH: u32 = 512;
/// Largest answer of a point, in bytes; nothing of it is read.
const ANSWER_MAX: usize = 16 * 1024;

/// What a point gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Letter {
    /// The number of the push, to be confirmed.
    pub push: i64,
    /// The warning's subject.
    pub id: String,
    /// `inForce`, `coming` or `clear`.
    pub stands: &'static str,
    /// 1 red … 4 blue.
    pub level: i64,
    /// Hazard.
    pub hazard: String,
    /// Issuer, as it names itself.
    pub issuer: String,
    /// Headline.
    pub headline: String,
    /// Until when; what is shown must be taken down then.
    pub expires: String,
    /// The words for this channel.
    pub text: String,
    /// The version of the card in it, hex; empty without one.
    pub card: String,
    /// Why this point gets it.
    pub because: String,
    /// Where to read on.
    pub page: String,
}

/// Puts a warning into the queue once. What it takes the place of is not sent any more.
///
/// Writes: warning_push, delivery, job. The caller commits.
pub(crate) async fn queue(app: &App, tx: &mut Tx, open: &Open) -> Result<Option<Push>, AppError> {
    let w = &open.warning;
    if store::find_push(tx, &w.name).await?.is_some() {
        return Ok(None);
    }
    let mut earlier = Vec::new();
    for name in ancestors(tx, &w.references).await? {
        earlier.extend(store::find_push(tx, &name).await?.map(|push| push.n));
    }
    let push = store::queue(tx, &open.subject, &w.name, &w.places, (&w.hazard, w.level), &earlier, app.now()).await?;
    if push.called > 0 {
        call_soon(app, tx, push.n, app.now()).await?;
    }
    Ok(Some(push))
}

/// The messages that a message takes the place of, as far as they are known.
async fn ancestors(tx: &mut Tx, references: &[Name]) -> Result<Vec<Name>, AppError> {
    let (mut seen, mut next): (Vec<Name>, Vec<Name>) = (Vec::new(), references.to_vec());
    while let Some(name) = next.pop() {
        if seen.contains(&name) || seen.len() > 200 {
            continue;
        }
        for row in warnings::list_named(tx, std::slice::from_ref(&name)).await? {
            next.extend(row.warning.references);
        }
        seen.push(name);
    }
    Ok(seen)
}

async fn call_soon(app: &App, tx: &mut Tx, push: i64, at: Timestamp) -> Result<(), AppError> {
    let id = JobId(format!("push-{push}-{}", keys::random_word(6)));
    let new = jobs::NewJob { run_at: at, ..job::new_job(app, id, job::Kind::Push, &serde_json::json!({ "push": push })) };
    jobs::enqueue(tx, &new).await?;
    Ok(())
}

/// The words for a point now; `None` if the warning is over.
pub(crate) async fn letter(app: &App, tx: &mut Tx, push: &Push, point: &Point) -> Result<Option<Letter>, AppError> {
    let Some((open, stands)) = standing_of(app, tx, &push.subject).await?.filter(|(_, stands)| *stands != Stands::Over) else { return Ok(None) };
    Ok(Some(made(app, tx, push, point, &open, stands).await?))
}

async fn made(app: &App, tx: &mut Tx, push: &Push, point: &Point, open: &Arc<Open>, stands: Stands) -> Result<Letter, AppError> {
    let w = &open.warning;
    let whom = For { audience: point.audience.clone(), lang: point.lang.clone() };
    let cards = guidance::cards(app, tx).await?;
    let advice = guidance::advise(app, &cards, w, point.region, &whom);
    let words = w.words(&point.lang);
    let page = format!("/now/{}", point.region);
    let first = advice.first();
    let points = first.and_then(|one| one.resource()).map(|r| first_points(&r.text)).unwrap_or_default();
    let spoken = first.and_then(|one| one.resource()).and_then(|r| r.editions.get("broadcast").cloned()).unwrap_or_else(|| points.clone());
    let said = first.map(|one| Said { title: &one.piece.row.title, spoken: &spoken, points: &points });
    let text = match point.channel {
        Channel::Loudspeaker => say::script(w, &words, said),
        Channel::Page | Channel::Screen | Channel::Chat => say::chat(w, &words, said, &page),
    };
    Ok(Letter {
        push: push.n,
        id: open.subject.0.clone(),
        stands: match stands {
            Stands::Clear => "clear",
            Stands::Coming => "coming",
            Stands::InForce | Stands::Over => "inForce",
        },
        level: w.level,
        hazard: w.hazard.clone(),
        issuer: words.issuer.clone(),
        headline: words.headline.clone(),
        expires: w.expires.to_string(),
        text,
        card: first.and_then(|one| one.piece.row.doc_hash).map(|hash| hash.hex()).unwrap_or_default(),
        because: because(point, w.kind),
        page,
    })
}

/// The first points of a card in one line.
fn first_points(text: &str) -> String {
    let lines = text.lines().map(str::trim).skip_while(|line| !line.starts_with("- ")).take_while(|line| line.starts_with("- "));
    lines.take(4).map(|line| kepu_text::plain(line).trim_end_matches('。').to_owned()).collect::<Vec<_>>().join("；")
}

/// The rule by which a point gets a warning, in words of its language.
pub fn because(point: &Point, kind: Kind) -> String {
    let en = point.lang.starts_with("en");
    let place = crate::org::division(point.region).map_or_else(|| "全国".to_owned(), |org| org.name.clone());
    let name = |id: &String| kepu_domain::vocabulary::HAZARDS.name(id, &point.lang).to_owned();
    let hazards = point.hazards.iter().map(name).collect::<Vec<_>>().join(if en { ", " } else { "、" });
    let colour = say::colour(point.level, &point.lang);
    let text = match (en, hazards.is_empty()) {
        (false, true) => format!("本点订阅了{place}的所有预警，{colour}及以上。"),
        (false, false) => format!("本点订阅了{place}的{hazards}预警，{colour}及以上。"),
        (true, true) => format!("This point subscribed to all warnings for {place}, {colour} and above."),
        (true, false) => format!("This point subscribed to {hazards} for {place}, {colour} and above."),
    };
    match (kind, en) {
        (Kind::Alert, _) => text,
        (_, false) => format!("{text}之前发给本点的预警有变化。"),
        (_, true) => format!("{text} A warning that was sent to it has changed."),
    }
}

/// What points that get the same letter have in common: channel, language, readers, place, level, hazards.
type Wish = (Channel, String, String, Region, i64, Vec<String>);

/// Calls the points of a push that are due, and comes back for those that are tried again. Nothing is sent of what is over or was overtaken.
///
/// Writes: delivery, warning_push, job.
pub async fn call(app: &App, n: i64) -> Result<usize, AppError> {
    let (mut done, mut after) = (0, 0);
    loop {
        let mut tx = app.db.read().await?;
        let Some(push) = store::find_push_by(&mut tx, n).await?.filter(|push| push.open) else { return Ok(done) };
        let Some((open, stands)) = standing_of(app, &mut tx, &push.subject).await?.filter(|(_, stands)| *stands != Stands::Over) else {
            drop(tx);
            let mut tx = app.db.write().await?;
            store::overtake(&mut tx, n, "over").await?;
            tx.commit().await?;
            return Ok(done);
        };
        let batch = store::list_calls(&mut tx, n, app.now(), after, BATCH).await?;
        let Some((last, _)) = batch.last() else { break };
        after = last.n;
        let mut letters: HashMap<Wish, Letter> = HashMap::new();
        let mut calls = Vec::with_capacity(batch.len());
        for (point, tries) in batch {
            let key = (point.channel, point.lang.clone(), point.audience.clone(), point.region, point.level, point.hazards.clone());
            let one = match letters.get(&key) {
                Some(made) => made.clone(),
                None => {
                    let one = made(app, &mut tx, &push, &point, &open, stands).await?;
                    letters.insert(key, one.clone());
                    one
                }
            };
            calls.push((point, tries, one));
        }
        drop(tx);
        let tried: Vec<Tried> =
            futures::stream::iter(calls).map(|(point, tries, letter)| attempt(app, point, tries, letter)).buffer_unordered(AT_ONCE).collect().await;
        done += tried.len();
        let mut tx = app.db.write().await?;
        store::note(&mut tx, n, &tried, app.now()).await?;
        tx.commit().await?;
    }
    let mut tx = app.db.write().await?;
    if let Some(at) = store::next_call(&mut tx, n).await? {
        call_soon(app, &mut tx, n, at.max(app.now())).await?;
    }
    tx.commit().await?;
    Ok(done)
}

/// One call. What a point answers with success is its receipt.
async fn attempt(app: &App, point: Point, tries: i64, letter: Letter) -> Tried {
    let body = serde_json::to_vec(&letter).unwrap_or_default();
    let stamp = app.now().as_millisecond().to_string();
    let headers =
        [("kepu-timestamp", stamp.clone()), ("kepu-signature", sign(&secret(app, &point), &stamp, &body)), ("content-type", "application/json".to_owned())];
    let result = match Address::parse(&point.address) {
        Some(address) => outside::post(app, &address, &headers, body, ANSWER_MAX).await,
        None => Err(Refusal::Failed("the address cannot be read".into())),
    };
    let tries = tries + 1;
    let tried = |state, due_at, why: String| Tried { point: point.n, state, due_at, tries, why, card: letter.card.clone() };
    match result {
        Ok(_) => tried(State::Confirmed, app.now(), String::new()),
        Err(refusal) => {
            let why = match refusal {
                Refusal::Private => "private".to_owned(),
                Refusal::Moved => "moved".to_owned(),
                Refusal::Large => "large".to_owned(),
                Refusal::Status(status) => format!("status {status}"),
                Refusal::Failed(cause) => kepu_text::truncate(&cause, 200).to_owned(),
            };
            // Who says "gone" has left; who is not allowed will not be allowed in a minute.
            let given_up = tries >= TRIES_MAX || matches!(why.as_str(), "private" | "moved" | "status 404" | "status 410" | "status 403");
            if given_up { tried(State::Failed, app.now(), why) } else { tried(State::Queued, crate::account::later(app.now(), pause(tries)), why) }
        }
    }
}

/// How a push stands.
#[derive(Clone, Debug)]
pub struct Stand {
    /// The push.
    pub push: Push,
    /// Headline of its warning.
    pub headline: String,
    /// State, why, how many.
    pub counts: Vec<(State, String, i64)>,
}

/// The latest pushes and how they stand. May: duty officers, stewards.
pub async fn overview(app: &App, who: &kepu_domain::access::Actor, limit: u32) -> Result<Vec<Stand>, AppError> {
    who.may(kepu_domain::access::Action::SeeIntake, None)?;
    let mut tx = app.db.read().await?;
    let mut out = Vec::new();
    for push in store::list_pushes(&mut tx, false, limit).await? {
        let headline = standing_of(app, &mut tx, &push.subject).await?.map(|(open, _)| open.warning.words("zh-Hans").headline).unwrap_or_default();
        out.push(Stand { counts: store::counts(&mut tx, push.n).await?, headline, push });
    }
    Ok(out)
}

/// Names of points that have not confirmed a push, with why. May: as [`overview`].
pub async fn unconfirmed(app: &App, who: &kepu_domain::access::Actor, n: i64, limit: u32) -> Result<Vec<String>, AppError> {
    who.may(kepu_domain::access::Action::SeeIntake, None)?;
    let list = store::list_unconfirmed(&mut app.db.read().await?, n, limit).await?;
    Ok(list.into_iter().map(|(_, name, _, why)| if why.is_empty() { name } else { format!("{name} ({why})") }).collect())
}
