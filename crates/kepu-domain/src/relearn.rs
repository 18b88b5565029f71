//! A node whose tables came back from a backup does not know which numbers its key has used since. Before it signs anything
//! it must hear from others what they hold of it; else two records could stand at one place, and its key would be frozen.

use crate::ids::KeyId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How long a node with somebody above waits for those below who may know more.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);

/// The highest numbers of the restored node's key that somebody has seen, in the streams trust, alert, lib.
pub type Seen = [i64; 3];

/// Whom a restored node has to hear, and what they said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relearn {
    /// When the tables came back.
    pub since: Timestamp,
    /// Nodes above.
    pub parents: BTreeSet<KeyId>,
    /// Nodes below that were in touch lately before the backup.
    pub children: BTreeSet<KeyId>,
    /// What each of them has seen.
    #[serde(default)]
    pub said: BTreeMap<KeyId, Seen>,
}

impl Relearn {
    /// Nobody heard yet.
    pub fn new(since: Timestamp, parents: BTreeSet<KeyId>, children: BTreeSet<KeyId>) -> Self {
        Self { since, parents, children, said: BTreeMap::new() }
    }

    /// Whether `key` was heard and has shown what it said: a number is believed when its record is here, signed by this
    /// node's own key, and not before. Else anybody could use up all numbers with one word.
    fn heard(&self, key: &KeyId, own: Seen) -> bool {
        self.said.get(key).is_some_and(|seen| seen.iter().zip(own).all(|(seen, own)| *seen <= own))
    }

    /// Whether numbers may be given out again; `own`: the highest numbers of this node's key held here.
    ///
    /// One node above is enough, since this node tells it everything at once; nodes below are waited for for a day. A node
    /// without anybody above waits for all below. With nobody to ask only its operator can decide.
    pub fn is_done(&self, own: Seen, now: Timestamp) -> bool {
        let children = self.children.iter().all(|key| self.heard(key, own));
        if self.parents.is_empty() {
            return children && !self.children.is_empty();
        }
        let patience_over = now.duration_since(self.since) >= PATIENCE;
        self.parents.iter().any(|key| self.heard(key, own)) && (children || patience_over)
    }

    /// Who is still waited for.
    pub fn waiting(&self, own: Seen) -> Vec<&KeyId> {
        let lacking = |key: &&KeyId| !self.heard(key, own);
        let above = !self.parents.iter().any(|key| self.heard(key, own));
        self.parents.iter().filter(|_| above).chain(self.children.iter().filter(lacking)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(list: &[&str]) -> BTreeSet<KeyId> {
        list.iter().map(|key| KeyId::from(*key)).collect()
    }

    #[test]
    fn a_node_waits_for_those_who_may_know_more() {
        let hours = |h| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(h);
        let own = [3, 0, 9];
        let mut county = Relearn::new(hours(0), keys(&["nation", "province"]), keys(&["town"]));
        assert!(!county.is_done(own, hours(99)), "nobody above was heard");
        county.said.insert("province".into(), [3, 0, 12]);
        assert!(!county.is_done(own, hours(99)), "the province has seen number 12, which is not here yet");
        let own = [3, 0, 12];
        assert!(!county.is_done(own, hours(1)), "the town may hold more");
        assert_eq!(county.waiting(own), [&KeyId::from("town")]);
        assert!(county.is_done(own, hours(24)), "but a day is enough");
        county.said.insert("town".into(), [0, 0, 11]);
        assert!(county.is_done(own, hours(1)));

        let mut root = Relearn::new(hours(0), keys(&[]), keys(&["a", "b"]));
        root.said.insert("a".into(), own);
        assert!(!root.is_done(own, hours(999)), "a root waits for all below");
        root.said.insert("b".into(), own);
        assert!(root.is_done(own, hours(1)));
        assert!(!Relearn::new(hours(0), keys(&[]), keys(&[])).is_done(own, hours(999)), "nobody to ask: the operator decides");
    }
}
