//! The stream of signals: asked in order whether a claim answers them, then put into topics. What is needed for that stands in memory and can be lost: the
//! signals of the last two days are played again, and a topic is known by its signals, so that it never alerts twice.
//!
//! One process at a time does it, under a lease; a batch and where it ends are one transaction. A process that is killed has done nothing of its last batch.

use super::{act, likeness};
use crate::App;
use crate::account::log;
use crate::error::AppError;
use crate::keys;
use crate::listen::hear::{Band, Said, hear_all};
use crate::listen::intake::{UPTO, number};
use crate::listen::question;
use jiff::{SignedDuration, Timestamp};
use kepu_domain::ids::TopicId;
use kepu_domain::listen::sighting::{Channel, hour_of};
use kepu_domain::listen::signal::{Counts, Signal, State};
use kepu_domain::listen::topic::{Beat, Phase, Topic};
use kepu_domain::listen::worth::Policy;
use kepu_domain::org::Region;
use kepu_domain::retention::SIGNAL_HOURS;
use kepu_search::topics::{Reading, Settings, Stream};
use kepu_store::listen::{inlet as inlets, signal as signals, topic as store};
use kepu_store::{Tx, counter, meta};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

/// Signals of one batch.
const BATCH: u32 = 500;
/// Signals played again at once.
const REPLAY: u32 = 5_000;
/// Signals after which the memory of the stream is made anew, so that it does not grow for ever.
const FED_MAX: usize = 400_000;
/// Signals of a group from which on it is looked whether one of them has a topic already.
const LEAST: usize = 5;
/// How long a process may be silent before another one goes on.
const LEASE: SignedDuration = SignedDuration::from_secs(20);
const LEASED: &str = "listen.lease";
/// Counts how often topics were changed by hand.
pub(crate) const CHANGED: &str = "listen.changed";
/// Topics that are looked at together.
const LIVE_MAX: u32 = 2_000;
/// Longest label, in user characters.
const LABEL_MAX: usize = 120;

/// What one process knows of the stream. Rebuilt from the signals of two days.
pub(crate) struct Live {
    stream: Stream,
    /// The last signal that was put in.
    upto: i64,
    fed: usize,
    /// Which topic a signal has.
    of_signal: HashMap<u64, TopicId>,
    /// Which topic a group of the stream has.
    of_group: HashMap<u32, TopicId>,
    /// Different wordings of each topic.
    wordings: HashMap<TopicId, HashSet<u64>>,
    /// Topics that are over: what comes back is another one.
    over: HashSet<TopicId>,
    /// What was taken out of a topic by hand: id and label.
    split: HashMap<TopicId, Vec<(TopicId, String)>>,
    labels: HashMap<TopicId, String>,
    /// Signals of each group when it was last looked at: one that grew by more than one has taken another in.
    sizes: HashMap<u32, usize>,
    /// Signals that were played again when the memory was made.
    replayed: usize,
    /// Number of the last change by hand that is known here.
    changed: i64,
}

impl Live {
    fn new() -> Self {
        Self {
            stream: Stream::new(Settings { least: u32::try_from(LEAST).unwrap_or(5), ..Settings::default() }),
            upto: 0,
            fed: 0,
            of_signal: HashMap::new(),
            of_group: HashMap::new(),
            wordings: HashMap::new(),
            over: HashSet::new(),
            split: HashMap::new(),
            labels: HashMap::new(),
            sizes: HashMap::new(),
            replayed: 0,
            changed: -1,
        }
    }

    /// Puts in a signal that was put in before, by this process or another: nothing comes of it but memory.
    fn replay(&mut self, signal: &Signal) {
        self.upto = self.upto.max(signal.seq);
        self.fed += 1;
        if let Some(topic) = &signal.topic {
            self.of_signal.insert(number_of(signal), topic.clone());
            self.wordings.entry(topic.clone()).or_default().insert(wording(&signal.text));
        }
        let placed = self.stream.place(number_of(signal), signal.at.as_second(), signal.weight as f32, &signal.text, &Reading::of(&signal.text));
        if let (Some(placed), Some(topic)) = (placed, &signal.topic) {
            self.of_group.insert(placed.group, topic.clone());
        }
    }

    /// Puts a signal in and notes in `work` what comes of it.
    fn push(&mut self, signal: &Signal, policy: &Policy, work: &mut Work) {
        self.upto = signal.seq;
        self.fed += 1;
        let number = number_of(signal);
        work.seen.insert(number, signal.clone());
        let placed = self.stream.place(number, signal.at.as_second(), signal.weight as f32, &signal.text, &Reading::of(&signal.text));
        let Some(placed) = placed else { return };
        let asked = usize::try_from(policy.asked_times).unwrap_or(usize::MAX);
        let mut topic = self.of_group.get(&placed.group).filter(|id| !self.over.contains(*id)).cloned();
        if topic.is_none() && (placed.alert.is_some() || placed.size >= LEAST) {
            topic = self.stream.members(placed.group).find_map(|member| self.of_signal.get(&member).filter(|id| !self.over.contains(*id)).cloned());
        }
        if topic.is_none() && (placed.alert.is_some() || placed.size >= asked) {
            let id = TopicId(keys::random_word(12));
            let label = kepu_text::truncate(self.stream.label(placed.group), LABEL_MAX).to_owned();
            work.born.push((id.clone(), label.clone()));
            self.labels.insert(id.clone(), label);
            topic = Some(id);
        }
        let Some(topic) = topic else { return };
        self.of_group.insert(placed.group, topic.clone());
        if let Some(alert) = placed.alert {
            work.rises.insert(topic.clone(), self.stream.score(alert));
        }
        let grew = self.sizes.insert(placed.group, placed.size) == Some(placed.size.saturating_sub(1));
        let members: Vec<u64> = match grew {
            true => vec![number],
            false => self.stream.members(placed.group).filter(|member| !self.of_signal.contains_key(member)).collect(),
        };
        for member in members {
            let part = if member == number { self.part_of(&topic, &signal.text) } else { topic.clone() };
            self.of_signal.insert(member, part.clone());
            work.assigned.push((member, part));
        }
    }

    /// The topic itself, or what was taken out of it by hand, if the words are nearer to that.
    fn part_of(&self, topic: &TopicId, text: &str) -> TopicId {
        let Some(parts) = self.split.get(topic).filter(|parts| !parts.is_empty()) else { return topic.clone() };
        let own = self.labels.get(topic).map_or("", String::as_str);
        let near: Vec<f64> = std::iter::once(own).chain(parts.iter().map(|(_, label)| label.as_str())).map(|label| likeness(text, label)).collect();
        // Of equally near ones the last: what somebody took out by hand.
        let best = near.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(at, _)| at);
        best.checked_sub(1).map_or_else(|| topic.clone(), |at| parts[at].0.clone())
    }
}

/// What is to be written after a batch.
#[derive(Default)]
struct Work {
    seen: HashMap<u64, Signal>,
    born: Vec<(TopicId, String)>,
    rises: BTreeMap<TopicId, f64>,
    assigned: Vec<(u64, TopicId)>,
}

fn number_of(signal: &Signal) -> u64 {
    u64::try_from(signal.seq).unwrap_or_default()
}

fn wording(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    kepu_text::fold(text).hash(&mut hasher);
    hasher.finish()
}

/// This process, as leases name it.
static HOLDER: LazyLock<String> = LazyLock::new(|| keys::random_word(16));

/// Takes or keeps the lease. `false`: another process is at it.
async fn lease(app: &App, tx: &mut Tx) -> Result<bool, AppError> {
    // Two processes that ask at the same moment wait for each other here.
    counter::take(tx, LEASED, 1).await?;
    let now = app.now();
    let held = meta::find(tx, LEASED).await?.unwrap_or_default();
    let free = held.split_once(' ').is_none_or(|(holder, until)| holder == *HOLDER || until.parse::<i64>().is_ok_and(|until| until < now.as_millisecond()));
    if free {
        let until = now.as_millisecond() + i64::try_from(LEASE.as_millis()).unwrap_or_default();
        meta::set(tx, LEASED, &format!("{} {until}", *HOLDER)).await?;
    }
    Ok(free)
}

/// Matches everything that waits and puts what no claim answers into topics; returns how many signals. None if another process is at it.
///
/// Writes: signal, topic, topic_hour, inlet_hour, case, log.
pub(crate) async fn drain(app: &App) -> Result<usize, AppError> {
    let mut live = app.listening.lock().await;
    let mut tx = app.db.write().await?;
    let free = lease(app, &mut tx).await?;
    tx.commit().await?;
    if !free {
        return Ok(0);
    }
    let mut done = 0;
    loop {
        match batch(app, &mut live).await? {
            0 => break,
            n => done += n,
        }
    }
    let mut tx = app.db.write().await?;
    meta::delete(&mut tx, LEASED).await?;
    tx.commit().await?;
    Ok(done)
}

/// One batch: heard, put into topics, written. Whatever goes wrong, the memory of the stream is made anew.
async fn batch(app: &App, slot: &mut Option<Live>) -> Result<usize, AppError> {
    let mut tx = app.db.read().await?;
    let upto = number(&mut tx, UPTO).await?;
    let rows = signals::list_after(&mut tx, upto, i64::MAX, BATCH).await?;
    drop(tx);
    let Some(last) = rows.last().map(|row| row.seq) else { return Ok(0) };
    let (answered, counts) = ask(app, &rows).await?;
    let open: Vec<Signal> = rows.iter().filter(|row| !answered.contains(&row.seq)).cloned().collect();
    let live = ready(app, slot.take(), upto).await?;
    let (policy, now) = (app.definitions(), app.now());
    let pushed = open.clone();
    let (live, work) = tokio::task::spawn_blocking(move || {
        let (mut live, mut work) = (live, Work::default());
        let oldest = before(now, SIGNAL_HOURS);
        // What is older than topics look back was only to be matched.
        for signal in pushed.iter().filter(|signal| signal.at >= oldest) {
            live.push(signal, &policy.listen, &mut work);
        }
        live.upto = last;
        (live, work)
    })
    .await
    .map_err(|fault| AppError::Record(fault.to_string()))?;
    let mut live = live;
    let mut tx = app.db.write().await?;
    if !lease(app, &mut tx).await? || number(&mut tx, UPTO).await? != upto {
        return Err(AppError::Stale { what: "stream", id: UPTO.into() });
    }
    let gone: Vec<i64> = answered.iter().copied().collect();
    signals::delete_many(&mut tx, &gone).await?;
    let waiting: Vec<i64> = open.iter().filter(|row| row.state == State::Waiting).map(|row| row.seq).collect();
    signals::set_open(&mut tx, &waiting).await?;
    for (inlet, counts) in counts {
        inlets::add_counts(&mut tx, &inlet, hour_of(now), counts).await?;
    }
    keep(app, &mut tx, &mut live, work).await?;
    meta::set(&mut tx, UPTO, &last.to_string()).await?;
    tx.commit().await?;
    *slot = Some(live);
    Ok(rows.len())
}

fn before(now: Timestamp, hours: i64) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(hours)).unwrap_or(Timestamp::MIN)
}

/// Asks of all that wait whether a claim answers them: which are answered, and what is to be counted for each inlet.
async fn ask(app: &App, rows: &[Signal]) -> Result<(HashSet<i64>, BTreeMap<String, Counts>), AppError> {
    let waiting: Vec<&Signal> = rows.iter().filter(|row| row.state == State::Waiting).collect();
    let said: Vec<Said> = waiting.iter().map(|row| Said { text: row.text.clone(), channel: row.channel, region: Some(row.region), at: row.at }).collect();
    let heard = hear_all(app, &said).await?;
    let (mut answered, mut counts) = (HashSet::new(), BTreeMap::<String, Counts>::new());
    for (row, heard) in waiting.iter().zip(heard) {
        let counts = counts.entry(row.inlet.0.clone()).or_default();
        match heard.band {
            Band::Answer => {
                answered.insert(row.seq);
                counts.matched += 1;
            }
            Band::Ask => counts.asked += 1,
            Band::Nothing => counts.nothing += 1,
        }
    }
    Ok((answered, counts))
}

/// The memory of the stream as of signal `upto`: kept, brought up to date, or made anew.
async fn ready(app: &App, kept: Option<Live>, upto: i64) -> Result<Live, AppError> {
    let mut live = kept.filter(|live| live.upto <= upto && live.fed < FED_MAX.max(2 * live.replayed)).unwrap_or_else(Live::new);
    let oldest = before(app.now(), SIGNAL_HOURS);
    while live.upto < upto {
        let mut tx = app.db.read().await?;
        let rows = signals::list_after(&mut tx, live.upto, upto, REPLAY).await?;
        drop(tx);
        if rows.is_empty() {
            break;
        }
        live = tokio::task::spawn_blocking(move || {
            for row in &rows {
                live.upto = row.seq;
                if row.at >= oldest {
                    live.replay(row);
                    live.replayed += 1;
                }
            }
            live
        })
        .await
        .map_err(|fault| AppError::Record(fault.to_string()))?;
    }
    live.upto = upto;
    let mut tx = app.db.read().await?;
    let changed = counter::last(&mut tx, CHANGED).await?;
    if live.changed != changed {
        let topics = store::list_since(&mut tx, before(app.now(), SIGNAL_HOURS + 24), LIVE_MAX).await?;
        live.over = topics.iter().filter(|topic| topic.phase == Phase::Over).map(|topic| topic.id.clone()).collect();
        live.split = HashMap::new();
        for topic in topics.iter().filter(|topic| topic.merged_into.is_none()) {
            if let Some(from) = &topic.split_from {
                live.split.entry(from.clone()).or_default().push((topic.id.clone(), topic.label.clone()));
            }
        }
        live.labels = topics.into_iter().map(|topic| (topic.id, topic.label)).collect();
        live.changed = changed;
    }
    Ok(live)
}

/// Writes what came of a batch.
async fn keep(app: &App, tx: &mut Tx, live: &mut Live, work: Work) -> Result<(), AppError> {
    let mut seen = work.seen;
    // Members of a group that were heard before it had a topic are not in this batch.
    for (member, _) in &work.assigned {
        if !seen.contains_key(member) {
            let seq = i64::try_from(*member).unwrap_or_default();
            if let Some(row) = signals::list_after(tx, seq - 1, seq, 1).await?.pop() {
                seen.insert(*member, row);
            }
        }
    }
    let mut touched: BTreeMap<TopicId, Vec<&Signal>> = BTreeMap::new();
    for (member, topic) in &work.assigned {
        let Some(signal) = seen.get(member) else { continue };
        signals::set_topic(tx, signal.seq, topic).await?;
        live.wordings.entry(topic.clone()).or_default().insert(wording(&signal.text));
        touched.entry(topic.clone()).or_default().push(signal);
    }
    let mut born: HashMap<TopicId, String> = work.born.into_iter().collect();
    for id in work.rises.keys() {
        touched.entry(id.clone()).or_default();
    }
    for (id, heard) in touched {
        count(tx, &id, &heard).await?;
        let topic = match born.remove(&id) {
            Some(label) => Some(begin(app, tx, &id, label, &heard).await?),
            None => store::find(tx, &id).await?,
        };
        let Some(topic) = topic else { continue };
        let wordings = live.wordings.get(&id).map_or(0, |list| i64::try_from(list.len()).unwrap_or(i64::MAX));
        let rise = work.rises.get(&id).copied();
        let topic = Topic {
            total: topic.total + i64::try_from(heard.len()).unwrap_or_default(),
            last_at: heard.iter().map(|signal| signal.at).max().unwrap_or(topic.last_at).max(topic.last_at),
            wordings: topic.wordings.max(wordings),
            phase: if rise.is_some() && topic.phase == Phase::Asked { Phase::Held } else { topic.phase },
            score: rise.map_or(topic.score, |score| score.max(topic.score)),
            ..topic
        };
        let at = hour_of(topic.last_at);
        step(app, tx, topic, at).await?;
    }
    Ok(())
}

/// Adds signals to the counts of a topic.
async fn count(tx: &mut Tx, id: &TopicId, heard: &[&Signal]) -> Result<(), AppError> {
    let mut sums: BTreeMap<(i64, Channel, Region), i64> = BTreeMap::new();
    for signal in heard {
        *sums.entry((hour_of(signal.at), signal.channel, signal.region)).or_default() += 1;
    }
    for ((hour, channel, region), n) in sums {
        store::add_heard(tx, id, hour, channel, region, n).await?;
    }
    Ok(())
}

async fn begin(app: &App, tx: &mut Tx, id: &TopicId, label: String, heard: &[&Signal]) -> Result<Topic, AppError> {
    let now = app.now();
    let since = heard.iter().map(|signal| signal.at).min().unwrap_or(now);
    let topic = Topic {
        id: id.clone(),
        label,
        phase: Phase::Asked,
        since,
        last_at: since,
        raised_at: None,
        score: 0.0,
        total: 0,
        wordings: 0,
        case: None,
        merged_into: None,
        split_from: None,
        dropped: false,
        version: 1,
    };
    store::insert(tx, &topic).await?;
    Ok(topic)
}

/// How a topic stands as of hour `at`; gives the alert and opens or joins a case, each once.
async fn step(app: &App, tx: &mut Tx, topic: Topic, at: i64) -> Result<(), AppError> {
    let definitions = app.definitions();
    let policy = &definitions.listen;
    let now = app.now();
    let heard = store::list_heard(tx, std::slice::from_ref(&topic.id), hour_of(topic.since), 20_000).await?;
    let was = (topic.phase, topic.raised_at);
    let (mut topic, alert) = topic.step(beat(&heard, at), &policy.borders, now);
    if alert {
        log(app, tx, "job:listen", "topic.raised", topic.id.as_str(), "ok").await?;
    }
    let waits = matches!(topic.phase, Phase::Asked | Phase::Rising) && !topic.dropped && topic.merged_into.is_none() && topic.case.is_none();
    if waits {
        let channels: HashSet<Channel> = heard.iter().map(|one| one.channel).collect();
        let worth = policy.worth(&kepu_text::fold(&topic.label), topic.total, i64::try_from(channels.len()).unwrap_or(1));
        if worth.priority >= policy.case_from {
            let level = act::level_of(&worth, topic.phase);
            let (case, opened) = question::case_for(app, tx, &topic.label, act::place_of(&heard), ("rumour", level)).await?;
            log(app, tx, "job:listen", if opened { "topic.opened" } else { "topic.joined" }, &format!("{} {case}", topic.id), "ok").await?;
            topic.case = Some(case);
        }
    }
    if (topic.phase == Phase::Over) != (was.0 == Phase::Over) {
        super::mark(app, tx).await?;
    }
    store::update(tx, topic).await?;
    Ok(())
}

/// What was heard of a topic by the hour, as of hour `now`.
pub(super) fn beat(heard: &[store::Heard], now: i64) -> Beat {
    let mut hours: BTreeMap<i64, i64> = BTreeMap::new();
    for one in heard {
        *hours.entry(one.hour).or_default() += one.count;
    }
    let at = |hour: i64| hours.get(&hour).copied().unwrap_or_default();
    Beat {
        now: at(now).max(at(now - 1)),
        peak: hours.values().copied().max().unwrap_or_default(),
        quiet_hours: hours.keys().next_back().map_or(0, |last| (now - last).max(0)),
    }
}

/// Looks how all topics stand that are not over: they fall and end by time alone.
///
/// Writes: topic, case, log.
pub(crate) async fn look(app: &App) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.db.write().await?;
    for topic in store::list_live(&mut tx, LIVE_MAX).await? {
        if topic.merged_into.is_none() {
            step(app, &mut tx, topic, hour_of(now)).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}
