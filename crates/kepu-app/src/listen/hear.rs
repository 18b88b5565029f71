//! One thing said somewhere: masked, compared with the public claims, counted if it is answered. Its text is kept by nobody here. What is known is in
//! `known`, what a page or program shows of it in `claim`, questions that nothing answers in `question`.

use crate::App;
use crate::error::AppError;
use crate::listen::{known, recheck};
use jiff::Timestamp;
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::question::mask_personal;
use kepu_domain::listen::sighting::{COUNTED_AN_HOUR, Channel, Sighting, hour_of};
use kepu_domain::org::Region;
use kepu_search::claims;
use kepu_store::listen::sighting as store;
use kepu_store::subject::{self, Standing};
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

/// One thing said somewhere, before it is kept: text, where it came in, from which county at most, when (kept to the hour).
#[derive(Clone, Debug)]
pub struct Said {
    /// What was said, as it came.
    pub text: String,
    /// Where it came in.
    pub channel: Channel,
    /// From which county at most.
    pub region: Option<Region>,
    /// When; kept to the hour.
    pub at: Timestamp,
}

/// What is to be done with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Band {
    /// A claim says the same: answer with it.
    Answer,
    /// Some claim may: a person should look.
    Ask,
    /// No claim says it.
    #[default]
    Nothing,
}

/// A claim that says, or may say, the same.
#[derive(Clone, Debug)]
pub struct Match {
    /// The claim.
    pub claim: SubjectId,
    /// `Answer` or `Ask`: a long message may hold several claims, each with its own.
    pub band: Band,
    /// Chance that it says the same, 0 to 1.
    pub probability: f64,
    /// Its wording that comes nearest.
    pub wording: String,
    /// Which stretches say the same.
    pub because: Vec<Span>,
}

/// Which of two texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// [`Heard::text`].
    Said,
    /// [`Match::wording`].
    Claim,
}

/// A stretch of one of the two texts that stands in the other as well; in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Of which text.
    pub side: Side,
    /// Where it begins.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// What was compared: cleaned, cut, personal data masked.
    pub text: String,
    /// Whether the text was longer than what is looked at.
    pub cut: bool,
    /// What is to be done.
    pub band: Band,
    /// The claims, the surest first.
    pub matches: Vec<Match>,
    /// The same words, whatever their script and ornaments, have the same digest.
    pub digest: [u8; 32],
}

/// User characters of a message that are looked at.
pub const SAID_MAX: usize = 4_000;
/// Bytes of a message that are looked at.
const BYTES_MAX: usize = 64 * 1024;
/// Claims named for one message.
const MATCHES: usize = 6;
/// Texts whose counts of this hour are remembered; beyond them nothing new is told apart, and every sighting counts.
const FLOODS_MAX: usize = 200_000;

/// Claim, hour, channel, county: what is counted together.
type Cell = (SubjectId, i64, Channel, Region);

/// Sightings that wait to be written, and how often each text came this hour. In memory only: a digest would be a trace.
#[derive(Default)]
pub struct Counting {
    waiting: Mutex<HashMap<Cell, i64>>,
    floods: Mutex<(i64, HashMap<[u8; 32], u32>)>,
}

impl Counting {
    fn add(&self, cell: Cell, times: i64) {
        if let Ok(mut waiting) = self.waiting.lock() {
            *waiting.entry(cell).or_insert(0) += times;
        }
    }

    /// Whether one more sighting of this text counts in this hour.
    fn counts(&self, hour: i64, digest: &[u8; 32]) -> bool {
        let Ok(mut floods) = self.floods.lock() else { return true };
        if floods.0 != hour {
            *floods = (hour, HashMap::new());
        }
        if floods.1.len() >= FLOODS_MAX && !floods.1.contains_key(digest) {
            return true;
        }
        let times = floods.1.entry(*digest).or_insert(0);
        *times = times.saturating_add(1);
        *times <= COUNTED_AN_HOUR
    }
}

/// Masks personal data, matches, counts the sighting of an answered claim. Never keeps the text.
///
/// May: anybody. Writes: sighting (with the next [`settle`]); once, a case for a claim that must be looked at again (`recheck`).
pub async fn hear(app: &App, said: &Said) -> Result<Heard, AppError> {
    Ok(hear_all(app, std::slice::from_ref(said)).await?.pop().unwrap_or_default())
}

/// [`hear`] for many at once, in their order: what reads files and lists calls this.
pub async fn hear_all(app: &App, said: &[Said]) -> Result<Vec<Heard>, AppError> {
    let heard = compare_all(app, said.iter().map(|one| one.text.clone()).collect()).await?;
    let mut overdue = HashSet::new();
    for (one, (heard, due)) in said.iter().zip(&heard) {
        let hour = hour_of(one.at);
        let answered: Vec<&Match> = heard.matches.iter().filter(|found| found.band == Band::Answer).collect();
        if !answered.is_empty() && app.counting.counts(hour, &heard.digest) {
            for found in answered {
                note(app, &found.claim, one);
            }
        }
        overdue.extend(due.iter().cloned());
    }
    for claim in overdue {
        recheck::open_once(app, &claim).await?;
    }
    Ok(heard.into_iter().map(|(heard, _)| heard).collect())
}

/// Which claims say what `text` says, without counting anything: for whoever is about to write or to open a case.
pub async fn compare(app: &App, text: &str) -> Result<Heard, AppError> {
    Ok(compare_all(app, vec![text.to_owned()]).await?.pop().map(|(heard, _)| heard).unwrap_or_default())
}

/// What is heard of each text, with the claims among its answers that are overdue.
async fn compare_all(app: &App, texts: Vec<String>) -> Result<Vec<(Heard, Vec<SubjectId>)>, AppError> {
    known::refresh(app).await?;
    let (own, today) = (app.clone(), app.today());
    // The optional encoder looks again for one who waits, not for a file of thousands.
    let one = texts.len() == 1;
    let work = move || texts.iter().map(|text| look(&own, text, today, one)).collect::<Vec<_>>();
    let mut all = tokio::task::spawn_blocking(work).await.map_err(|fault| AppError::Record(fault.to_string()))?;
    // What lost its public row without a trace (its signer's right ended) is kept until the next start, and never offered.
    let named: Vec<SubjectId> =
        all.iter().flat_map(|(heard, _)| heard.matches.iter().map(|found| found.claim.clone())).collect::<HashSet<_>>().into_iter().collect();
    let mut tx = app.db.read().await?;
    let public: HashSet<SubjectId> =
        subject::find_many(&mut tx, &named).await?.into_iter().filter(|row| row.standing == Standing::Public).map(|row| row.id).collect();
    for (heard, due) in &mut all {
        heard.matches.retain(|found| public.contains(&found.claim));
        due.retain(|claim| public.contains(claim));
        heard.band = heard.matches.first().map_or(Band::Nothing, |found| found.band);
    }
    Ok(all)
}

fn look(app: &App, text: &str, today: jiff::civil::Date, twice: bool) -> (Heard, Vec<SubjectId>) {
    // Bytes first: one user character can be a hundred kilobytes of accents.
    let bounded = &text[..text.floor_char_boundary(BYTES_MAX)];
    let cleaned = kepu_text::clean_text(bounded);
    let short = kepu_text::truncate(&cleaned, SAID_MAX);
    let cut = bounded.len() < text.len() || short.len() < cleaned.len();
    let (text, _) = mask_personal(short);
    let hits = if twice { app.claims.find(&text, MATCHES, today) } else { app.claims.find_quickly(&text, MATCHES, today) };
    let due = hits.iter().filter(|hit| hit.overdue && hit.sure == known::Sure::Yes).map(|hit| hit.claim.clone()).collect();
    let matches: Vec<Match> = hits.into_iter().map(|hit| matched(&text, hit)).collect();
    let band = matches.first().map_or(Band::Nothing, |found| found.band);
    (Heard { digest: known::digest(&text), cut, band, matches, text }, due)
}

/// A claim that is offered for another reason than that it says the same.
pub(crate) fn offered(text: &str, claim: SubjectId, wording: String, probability: f64) -> Match {
    matched(text, known::Hit { claim, sure: known::Sure::Perhaps, probability, wording, overdue: false })
}

fn matched(text: &str, hit: known::Hit) -> Match {
    let shared = claims::shared(text, &hit.wording);
    let span = |side| move |range: std::ops::Range<usize>| Span { side, from: range.start, to: range.end };
    let because = shared.post.into_iter().map(span(Side::Said)).chain(shared.claim.into_iter().map(span(Side::Claim))).collect();
    let band = if hit.sure == known::Sure::Yes { Band::Answer } else { Band::Ask };
    Match { claim: hit.claim, band, probability: hit.probability, wording: hit.wording, because }
}

/// Counts a sighting of a claim that somebody named, unless this text flooded the hour.
pub(crate) fn note_once(app: &App, claim: &SubjectId, said: &Said, digest: &[u8; 32]) {
    if app.counting.counts(hour_of(said.at), digest) {
        note(app, claim, said);
    }
}

fn note(app: &App, claim: &SubjectId, said: &Said) {
    app.counting.add((claim.clone(), hour_of(said.at), said.channel, said.region.unwrap_or(Region::NATION)), 1);
}

/// Writes the sightings counted since the last time. `kepu serve` and `kepu work` call it every few seconds, readers before they read; a process that is
/// killed loses those of some seconds.
///
/// Writes: sighting.
pub async fn settle(app: &App) -> Result<(), AppError> {
    let waiting = match app.counting.waiting.lock() {
        Ok(mut waiting) => std::mem::take(&mut *waiting),
        Err(_) => return Ok(()),
    };
    if waiting.is_empty() {
        return Ok(());
    }
    let rows: Vec<Sighting> = waiting.into_iter().map(|((claim, hour, channel, region), count)| Sighting { claim, hour, channel, region, count }).collect();
    let written = write(app, &rows).await;
    if written.is_err() {
        for row in rows {
            app.counting.add((row.claim, row.hour, row.channel, row.region), row.count);
        }
    }
    written
}

async fn write(app: &App, rows: &[Sighting]) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    store::add(&mut tx, rows).await?;
    tx.commit().await?;
    Ok(())
}
