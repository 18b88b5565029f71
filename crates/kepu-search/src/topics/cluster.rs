//! Which signals talk about the same: groups of texts around their common grams, found through the rarest of them.
//!
//! One pass, no look back: a signal joins the nearest group or begins one. Groups that turn out to be one are joined (the smaller into the larger, with a
//! pointer left behind). A group nobody joined for long is forgotten.

use crate::claims::postings::Map;
use crate::claims::reading::{BREAK, IDENTITY, NUMBER, WORD};

/// Grams of one text that are looked at.
const GRAMS_MAX: usize = 96;
/// Grams through which groups are looked for, rarest first.
const PROBES: usize = 12;
/// Groups remembered for a gram.
const LIST_MAX: usize = 12;
/// From here on a signal belongs to a group.
const JOIN: f32 = 0.36;
/// From here on a signal repeats what its group says: three hundred copies do not make their words common, or nobody who says it in other
/// words would be taken for one of them.
const COPY: f32 = 0.95;
/// From here on two groups are one.
const MERGE: f32 = 0.34;
/// Grams of a group.
const CENTRE_MAX: usize = 160;
/// A gram stands for its group if this share of the members have it.
const TYPICAL: f32 = 0.25;

/// One signal of a group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signal {
    pub number: u64,
    pub time: i64,
    /// One for an ordinary signal.
    pub weight: f32,
}

/// The grams of a text that say what it is about: pairs of letters, words, each once.
pub fn grams(symbols: &[u32]) -> Vec<u32> {
    let mut out = Vec::with_capacity(symbols.len());
    for (i, symbol) in symbols.iter().enumerate() {
        let here = symbol & IDENTITY;
        if symbol & WORD != 0 && symbol & NUMBER == 0 {
            out.push(here.wrapping_mul(0x85eb_ca6b));
        }
        if let Some(before) = i.checked_sub(1).filter(|_| symbol & BREAK == 0).map(|b| symbols[b] & IDENTITY) {
            out.push((before.wrapping_mul(0x9e37_79b1) ^ here).wrapping_mul(0x85eb_ca6b));
        }
        if out.len() >= GRAMS_MAX {
            break;
        }
    }
    if out.is_empty() {
        out.extend(symbols.first().map(|s| (s & IDENTITY).wrapping_mul(0xc2b2_ae35)));
    }
    out.sort_unstable();
    out.dedup();
    out
}

struct Group {
    /// Sorted by gram; how many members have it.
    centre: Vec<(u32, u32)>,
    signals: Vec<Signal>,
    label: String,
    /// How much of the centre the label holds.
    label_fit: f32,
    merged_into: Option<u32>,
    last: i64,
    alerted: bool,
    /// Whether it ever was: then its signals are kept for as long as the stream.
    raised: bool,
}

/// All groups of a stream.
pub struct Groups {
    groups: Vec<Group>,
    /// How many texts hold a gram, and the groups that hold it, the latest last.
    lists: Map<(u32, Vec<u32>)>,
    texts: u32,
    memory_s: i64,
    quiet_s: i64,
    swept: Option<i64>,
}

impl Groups {
    pub fn new(memory_s: i64, quiet_s: i64) -> Self {
        Self { groups: Vec::new(), lists: Map::default(), texts: 0, memory_s, quiet_s, swept: None }
    }

    fn rarity(&self, gram: u32) -> f32 {
        let seen = self.lists.get(&u64::from(gram)).map_or(0, |list| list.0);
        // In the beginning of a stream nothing can be known to be common.
        let texts = self.texts.max(2_000) as f32;
        // Squared: what everybody says around a topic ("urgent", "is it true") must not join topics.
        (1.0 + texts / (seen as f32 + 1.0)).ln().powi(2)
    }

    /// The group that a group was merged into, at last.
    pub fn root(&self, mut group: u32) -> u32 {
        while let Some(next) = self.groups[group as usize].merged_into {
            group = next;
        }
        group
    }

    /// Puts a signal into its group, which is returned.
    pub fn place(&mut self, signal: Signal, text: &str, grams: &[u32]) -> u32 {
        self.sweep(signal.time);
        let weights: Vec<f32> = grams.iter().map(|g| self.rarity(*g)).collect();
        let mut order: Vec<usize> = (0..grams.len()).collect();
        order.sort_unstable_by(|a, b| weights[*b].total_cmp(&weights[*a]).then(a.cmp(b)));
        let mut candidates: Vec<u32> = Vec::with_capacity(32);
        for i in order.iter().take(PROBES) {
            if let Some((_, list)) = self.lists.get(&u64::from(grams[*i])) {
                candidates.extend(list.iter().map(|g| self.root(*g)));
            }
        }
        candidates.sort_unstable();
        candidates.dedup();
        let mut near: Vec<(f32, u32)> =
            candidates.into_iter().map(|group| (self.nearness(grams, &weights, group), group)).filter(|(n, _)| *n >= JOIN).collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let copy = near.first().is_some_and(|(nearness, _)| *nearness >= COPY);
        let mut group = match near.first() {
            Some((nearness, group)) => {
                self.join(*group, signal, text, grams, *nearness);
                *group
            }
            None => self.begin(signal, text, grams),
        };
        if let [_, (_, other), ..] = near[..]
            && self.alike(group, other) >= MERGE
        {
            group = self.merge(group, other);
        }
        self.note(group, grams, copy);
        group
    }

    /// How much a text and a group have in common, from 0 to 1.
    fn nearness(&self, grams: &[u32], weights: &[f32], group: u32) -> f32 {
        let group = &self.groups[group as usize];
        let members = group.signals.len() as f32;
        let full = (members * TYPICAL).max(1.0);
        let (mut shared, mut own) = (0.0, 0.0);
        for (gram, weight) in grams.iter().zip(weights) {
            own += weight;
            if let Ok(at) = group.centre.binary_search_by_key(gram, |c| c.0) {
                shared += weight * (group.centre[at].1 as f32 / full).min(1.0);
            }
        }
        // The typical length of the group is what its members have on average.
        let typical = group.centre.iter().map(|(_, n)| *n as f32).sum::<f32>() / members.max(1.0);
        let mean = own / grams.len().max(1) as f32;
        shared / (own * (typical * mean).max(1.0)).sqrt().max(own.min(typical * mean)).max(1e-6)
    }

    fn begin(&mut self, signal: Signal, text: &str, grams: &[u32]) -> u32 {
        let group = self.groups.len() as u32;
        self.groups.push(Group {
            centre: grams.iter().map(|g| (*g, 1)).collect(),
            signals: vec![signal],
            label: short(text),
            label_fit: 1.0,
            merged_into: None,
            last: signal.time,
            alerted: false,
            raised: false,
        });
        group
    }

    fn join(&mut self, group: u32, signal: Signal, text: &str, grams: &[u32], nearness: f32) {
        let quiet_s = self.quiet_s;
        let group = &mut self.groups[group as usize];
        if signal.time - group.last > quiet_s {
            // It was over: it may rise anew.
            group.alerted = false;
        }
        group.signals.push(signal);
        group.last = signal.time;
        for gram in grams {
            match group.centre.binary_search_by_key(gram, |c| c.0) {
                Ok(at) => group.centre[at].1 += 1,
                Err(at) => group.centre.insert(at, (*gram, 1)),
            }
        }
        trim(&mut group.centre, group.signals.len());
        // The label is the member nearest to the others; later ones are judged against more of them.
        if nearness > group.label_fit || group.signals.len() == 3 {
            (group.label, group.label_fit) = (short(text), nearness);
        }
    }

    /// Remembers that `group` was met through these grams.
    fn note(&mut self, group: u32, grams: &[u32], copy: bool) {
        self.texts += u32::from(!copy);
        for gram in grams {
            let (seen, list) = self.lists.entry(u64::from(*gram)).or_default();
            *seen += u32::from(!copy);
            if list.last() == Some(&group) {
                continue;
            }
            list.retain(|g| *g != group);
            if list.len() >= LIST_MAX {
                list.remove(0);
            }
            list.push(group);
        }
    }

    /// How much two groups have in common: the share of the smaller one's typical grams that are typical for the other.
    fn alike(&self, a: u32, b: u32) -> f32 {
        let (a, b) = (&self.groups[a as usize], &self.groups[b as usize]);
        let share = |group: &Group, count: u32| count as f32 / group.signals.len().max(1) as f32;
        let (mut shared, mut mass_a, mut mass_b) = (0.0, 0.0, 0.0);
        for (gram, count) in &a.centre {
            let weight = self.rarity(*gram);
            let ours = share(a, *count).min(1.0);
            mass_a += weight * ours;
            if let Ok(at) = b.centre.binary_search_by_key(gram, |c| c.0) {
                shared += weight * ours.min(share(b, b.centre[at].1)).sqrt() * ours.max(share(b, b.centre[at].1)).min(1.0).sqrt();
            }
        }
        for (gram, count) in &b.centre {
            mass_b += self.rarity(*gram) * share(b, *count).min(1.0);
        }
        shared / mass_a.min(mass_b).max(1e-6)
    }

    fn merge(&mut self, a: u32, b: u32) -> u32 {
        // An alerted group keeps its number; else the larger, else the older.
        let rank = |g: u32| (self.groups[g as usize].raised, self.groups[g as usize].signals.len(), std::cmp::Reverse(g));
        let (into, from) = if rank(a) >= rank(b) { (a, b) } else { (b, a) };
        let (signals, centre, last, alerted, raised) = {
            let group = &mut self.groups[from as usize];
            group.merged_into = Some(into);
            (std::mem::take(&mut group.signals), std::mem::take(&mut group.centre), group.last, group.alerted, group.raised)
        };
        let group = &mut self.groups[into as usize];
        group.signals.extend(signals);
        group.signals.sort_by_key(|s| (s.time, s.number));
        for (gram, count) in centre {
            match group.centre.binary_search_by_key(&gram, |c| c.0) {
                Ok(at) => group.centre[at].1 += count,
                Err(at) => group.centre.insert(at, (gram, count)),
            }
        }
        trim(&mut group.centre, group.signals.len());
        group.last = group.last.max(last);
        group.alerted |= alerted;
        group.raised |= raised;
        into
    }

    /// Takes in every group that talks about the same; whether one of them is alerted already.
    pub fn gather(&mut self, group: u32) -> (u32, bool) {
        let mut group = group;
        let mut order: Vec<(f32, u32)> = self.groups[group as usize].centre.iter().map(|(gram, count)| (self.rarity(*gram) * *count as f32, *gram)).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut others: Vec<u32> =
            order.iter().take(24).filter_map(|(_, gram)| self.lists.get(&u64::from(*gram))).flat_map(|(_, list)| list.iter().map(|g| self.root(*g))).collect();
        others.sort_unstable();
        others.dedup();
        for other in others {
            let other = self.root(other);
            if other != group && self.alike(group, other) >= MERGE {
                group = self.merge(group, other);
            }
        }
        (group, self.groups[group as usize].alerted)
    }

    /// Whether a group has enough signals and is not alerted already.
    pub fn may_alert(&self, group: u32, least: u32) -> bool {
        let group = &self.groups[group as usize];
        !group.alerted && group.signals.len() as u32 >= least
    }

    pub fn set_alerted(&mut self, group: u32) {
        let group = &mut self.groups[group as usize];
        (group.alerted, group.raised) = (true, true);
    }

    pub fn signals(&self, group: u32) -> &[Signal] {
        &self.groups[group as usize].signals
    }

    pub fn label(&self, group: u32) -> &str {
        &self.groups[group as usize].label
    }

    /// Forgets groups that nobody joined for long, once an hour of the stream.
    fn sweep(&mut self, now: i64) {
        if now - *self.swept.get_or_insert(now) < 3_600 {
            return;
        }
        self.swept = Some(now);
        let oldest = now - self.memory_s;
        let groups = &mut self.groups;
        for group in groups.iter_mut().filter(|g| g.last < oldest && !g.centre.is_empty()) {
            group.centre = Vec::new();
            if !group.raised {
                group.signals = Vec::new();
                group.label = String::new();
            }
        }
        self.lists.retain(|_, (seen, list)| {
            list.retain(|g| groups[*g as usize].merged_into.is_some() || !groups[*g as usize].centre.is_empty());
            if list.is_empty() {
                *seen /= 2;
            }
            *seen > 0 && !(list.is_empty() && *seen < 4)
        });
    }
}

/// Keeps the centre of a group small: what few members have goes first.
fn trim(centre: &mut Vec<(u32, u32)>, members: usize) {
    if centre.len() <= CENTRE_MAX + 64 {
        return;
    }
    let mut counts: Vec<u32> = centre.iter().map(|c| c.1).collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let floor = counts[CENTRE_MAX].max((members as f32 * 0.02) as u32);
    let mut room = CENTRE_MAX - counts.iter().take_while(|c| **c > floor).count().min(CENTRE_MAX);
    centre.retain(|(_, count)| {
        *count > floor
            || (*count == floor && room > 0 && {
                room -= 1;
                true
            })
    });
}

/// A label is one line.
fn short(text: &str) -> String {
    kepu_text::truncate(&kepu_text::clean_line(text), 60).to_owned()
}
