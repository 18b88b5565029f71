//! The desk of duty editors: what rises, what nobody answered, what returns, what waits. Each row says why it is there. Computed as it is looked at; nothing is
//! kept for it. By hour, place and channel nothing is shown of fewer signals than the policy says.

use super::returning::{self, Returning};
use super::{allowed, likeness, roots};
use crate::App;
use crate::error::AppError;
use crate::listen::case::{self as case_list};
use jiff::SignedDuration;
use kepu_domain::access::Actor;
use kepu_domain::ids::TopicId;
use kepu_domain::listen::case::{Case, Clock, Due};
use kepu_domain::listen::sighting::{Channel, hour_of};
use kepu_domain::listen::topic::{Phase, Topic};
use kepu_domain::listen::worth::Worth;
use kepu_domain::org::Region;
use kepu_store::Tx;
use kepu_store::listen::{inlet, signal as signals, topic as store};
use std::collections::{BTreeMap, HashMap};

/// Most rows of one list.
pub const ROWS_MAX: usize = 50;
/// Topics that are looked through.
const TOPICS_MAX: u32 = 2_000;
/// Hours that a row's course shows.
pub const COURSE_HOURS: i64 = 24;
/// Days that the desk looks back for topics that are over.
const BACK_DAYS: i64 = 3;
/// Weeks whose same hours say what is usual.
const WEEKS: i64 = 8;

/// A topic as the desk shows it.
#[derive(Clone, Debug)]
pub struct Row {
    /// The topic.
    pub topic: Topic,
    /// Signals, with those of topics that were put together with it.
    pub total: i64,
    /// What it is worth.
    pub worth: Worth,
    /// Signals by hour, the last one the present hour; hours with too few are 0.
    pub course: Vec<i64>,
    /// Channels with enough signals, most first.
    pub channels: Vec<(Channel, i64)>,
    /// Places with enough signals, most first.
    pub places: Vec<(Region, i64)>,
    /// How many topics were put together with it.
    pub merged: usize,
    /// How often a topic in much the same words rose in this month of an earlier year.
    pub same_month: Vec<i16>,
}

/// The four lists.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    /// What rises or has just fallen, the most pressing first.
    pub rising: Vec<Row>,
    /// What is asked again and again, or rises in one wording only.
    pub unanswered: Vec<Row>,
    /// Known rumours that are to be expected.
    pub returning: Vec<Returning>,
    /// Cases under way, the next due first.
    pub waiting: Vec<(Case, Clock)>,
    /// How many signals this hour has beside what is usual at this hour of the week; none while too little is known.
    pub usual: Option<(i64, f64)>,
    /// Cases that wait in all.
    pub waiting_total: usize,
}

/// The desk. May: duty officers.
pub async fn desk(app: &App, who: &Actor) -> Result<Desk, AppError> {
    let mut tx = app.db.read().await?;
    allowed(&mut tx, who).await?;
    let since = app.now().checked_sub(SignedDuration::from_hours(24 * BACK_DAYS)).unwrap_or(jiff::Timestamp::MIN);
    let topics = store::list_since(&mut tx, since, TOPICS_MAX).await?;
    let families = families(&topics);
    let mut out = Desk::default();
    for topic in topics.iter().filter(|topic| topic.merged_into.is_none() && !topic.dropped && topic.phase != Phase::Over) {
        let row = row(app, &mut tx, topic, &families).await?;
        match topic.phase {
            Phase::Rising | Phase::Falling => out.rising.push(row),
            Phase::Asked | Phase::Held if topic.case.is_none() => out.unanswered.push(row),
            _ => {}
        }
    }
    let order = |list: &mut Vec<Row>| {
        // Rising before falling, then by worth, then the earlier one.
        list.sort_by(|a, b| {
            let fallen = |row: &Row| row.topic.phase == Phase::Falling;
            (fallen(a).cmp(&fallen(b)))
                .then(b.worth.priority.total_cmp(&a.worth.priority))
                .then_with(|| (a.topic.since, &a.topic.id).cmp(&(b.topic.since, &b.topic.id)))
        });
        list.truncate(ROWS_MAX);
    };
    order(&mut out.rising);
    order(&mut out.unanswered);
    let region = crate::node::region(&mut tx).await?;
    out.returning = returning::expected(app, &mut tx, region, ROWS_MAX).await?;
    out.usual = usual(&mut tx, hour_of(app.now())).await?;
    drop(tx);
    let mut waiting = case_list::list(app, true, 5_000).await?;
    waiting.retain(|(_, clock)| clock.next != Due::Nothing);
    out.waiting_total = waiting.len();
    waiting.truncate(ROWS_MAX);
    out.waiting = waiting;
    Ok(out)
}

/// For each topic that stands by itself: the ids of those that are part of it, itself first.
fn families(topics: &[Topic]) -> HashMap<TopicId, Vec<TopicId>> {
    let mut out: HashMap<TopicId, Vec<TopicId>> =
        topics.iter().filter(|topic| topic.merged_into.is_none()).map(|topic| (topic.id.clone(), vec![topic.id.clone()])).collect();
    for (id, root) in roots(topics) {
        if id != root
            && let Some(family) = out.get_mut(&root)
        {
            family.push(id);
        }
    }
    out
}

async fn row(app: &App, tx: &mut Tx, topic: &Topic, families: &HashMap<TopicId, Vec<TopicId>>) -> Result<Row, AppError> {
    let definitions = app.definitions();
    let least = definitions.listen.shown_least;
    let own = vec![topic.id.clone()];
    let family = families.get(&topic.id).unwrap_or(&own);
    let heard = store::list_heard(tx, family, hour_of(topic.since) - 24 * BACK_DAYS, 20_000).await?;
    let now = hour_of(app.now());
    let (mut hours, mut channels, mut places) = (BTreeMap::<i64, i64>::new(), BTreeMap::<Channel, i64>::new(), BTreeMap::<Region, i64>::new());
    for one in &heard {
        *hours.entry(one.hour).or_default() += one.count;
        *channels.entry(one.channel).or_default() += one.count;
        *places.entry(one.region).or_default() += one.count;
    }
    let total: i64 = hours.values().sum();
    let worth = definitions.listen.worth(&kepu_text::fold(&topic.label), total, i64::try_from(channels.len()).unwrap_or(1));
    let course = (now - COURSE_HOURS + 1..=now).map(|hour| hours.get(&hour).copied().filter(|n| *n >= least).unwrap_or_default()).collect();
    Ok(Row {
        topic: topic.clone(),
        total,
        worth,
        course,
        channels: shown(channels, least),
        places: shown(around(places, least), least),
        merged: family.len() - 1,
        same_month: vec![],
    })
}

/// What may be shown, most first.
fn shown<K: Ord>(counts: BTreeMap<K, i64>, least: i64) -> Vec<(K, i64)> {
    let mut list: Vec<(K, i64)> = counts.into_iter().filter(|(_, n)| *n >= least).collect();
    list.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    list
}

/// Counts of places; what is too little for a county counts for the place around it.
fn around(counts: BTreeMap<Region, i64>, least: i64) -> BTreeMap<Region, i64> {
    let mut left = counts;
    let mut out = BTreeMap::new();
    while let Some(region) = left.keys().max_by_key(|region| region.chain().len()).copied() {
        let n = left.remove(&region).unwrap_or_default();
        match region.chain().into_iter().rev().nth(1) {
            Some(wider) if n < least => *left.entry(wider).or_default() += n,
            _ => drop(out.insert(region, n)),
        }
    }
    out
}

/// How many signals this hour has, and the median of the same hour of the week in earlier weeks.
async fn usual(tx: &mut Tx, now: i64) -> Result<Option<(i64, f64)>, AppError> {
    const WEEK: i64 = 7 * 24;
    let hours: HashMap<i64, i64> = inlet::taken_by_hour(tx, now - WEEKS * WEEK).await?.into_iter().collect();
    // The hour under way is not over: the one before it is compared.
    let before = now - 1;
    let mut past: Vec<i64> = (1..=WEEKS).filter_map(|week| hours.get(&(before - week * WEEK)).copied()).collect();
    if past.len() < 3 {
        return Ok(None);
    }
    past.sort_unstable();
    let median = (past[(past.len() - 1) / 2] + past[past.len() / 2]) as f64 / 2.0;
    Ok(Some((hours.get(&before).copied().unwrap_or_default(), median)))
}

/// One topic with what belongs to it.
#[derive(Clone, Debug)]
pub struct Whole {
    /// As the desk shows it.
    pub row: Row,
    /// Wordings with how often each was heard, most first; only while words are kept.
    pub wordings: Vec<(String, i64)>,
    /// Topics that were put together with it, and those that were taken out of it.
    pub parts: Vec<Topic>,
    /// Other topics, for putting together.
    pub others: Vec<Topic>,
}

/// Signals whose words a page looks through.
const SIGNALS_MAX: u32 = 5_000;
/// Wordings of a page.
const WORDINGS_MAX: usize = 60;

/// One topic. May: duty officers.
pub async fn whole(app: &App, who: &Actor, id: &TopicId) -> Result<Whole, AppError> {
    let mut tx = app.db.read().await?;
    allowed(&mut tx, who).await?;
    let topic = store::get(&mut tx, id).await?;
    let since = topic.since.min(app.now()).checked_sub(SignedDuration::from_hours(24 * BACK_DAYS)).unwrap_or(jiff::Timestamp::MIN);
    let topics = store::list_since(&mut tx, since, TOPICS_MAX).await?;
    let families = families(&topics);
    let mut row = row(app, &mut tx, &topic, &families).await?;
    row.same_month = same_month(&mut tx, &topic).await?;
    let own = vec![id.clone()];
    let mut wordings: BTreeMap<String, (String, i64)> = BTreeMap::new();
    for member in families.get(id).unwrap_or(&own) {
        for signal in signals::list_by_topic(&mut tx, member, SIGNALS_MAX).await? {
            wordings.entry(kepu_text::fold(&signal.text)).or_insert((signal.text, 0)).1 += 1;
        }
    }
    let mut wordings: Vec<(String, i64)> = wordings.into_values().collect();
    wordings.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    wordings.truncate(WORDINGS_MAX);
    let part = |other: &&Topic| other.merged_into.as_ref() == Some(id) || other.split_from.as_ref() == Some(id);
    let other = |other: &&Topic| other.id != *id && other.merged_into.is_none() && !other.dropped && other.phase != Phase::Over;
    Ok(Whole { row, wordings, parts: topics.iter().filter(part).cloned().collect(), others: topics.iter().filter(other).take(100).cloned().collect() })
}

/// Earlier years in whose same month a topic in much the same words rose.
async fn same_month(tx: &mut Tx, topic: &Topic) -> Result<Vec<i16>, AppError> {
    const NEAR: f64 = 0.6;
    let day = |at: jiff::Timestamp| crate::china_date(at);
    let now = day(topic.since);
    let earlier: Vec<Topic> = store::list_since(tx, jiff::Timestamp::MIN, 20_000)
        .await?
        .into_iter()
        .filter(|other| other.raised_at.is_some() && !other.label.is_empty() && day(other.since).month() == now.month() && day(other.since).year() < now.year())
        .collect();
    let near = |other: &&Topic| likeness(&topic.label, &other.label) >= NEAR;
    let mut years: Vec<i16> = earlier.iter().filter(near).map(|other| day(other.since).year()).collect();
    years.sort_unstable();
    years.dedup();
    Ok(years)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_place_is_shown_with_fewer_signals_than_allowed() {
        let place = |code: &str| Region::parse(code).expect("region");
        let counts = [(place("411525"), 4), (place("411526"), 3), (place("410102"), 9), (place("110101"), 2)].into();
        let told = shown(around(counts, 5), 5);
        assert_eq!(told, [(place("410102"), 9), (place("411500"), 7)]);
    }
}
