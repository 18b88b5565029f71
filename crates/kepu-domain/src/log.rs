//! The audit log: what was done by whom, as a hash chain that shows any later change.
//! Rows are written by operations through `kepu-store::log`; the chain is checked by `kepu audit verify`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// One line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Place in the chain, from 1 without gaps.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who, as `account:…`, `operator`, `job:…`, `peer:…`, `visitor`.
    pub who: String,
    /// What was done, a short dotted word such as `draft.submitted`.
    pub action: String,
    /// On what: an id.
    pub object: String,
    /// `ok` or `refused`.
    pub result: String,
    /// Further facts as JSON text; never answers, contact data, tokens, or who searched for what.
    pub detail: String,
}

/// What is wrong with a chain at its first bad entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Break {
    /// An entry is missing: a gap, or a cut end.
    Missing,
    /// The entry does not follow from the one before it.
    Detached,
    /// A field of the entry was changed.
    Changed,
}

impl Break {
    /// The word in messages and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Detached => "detached",
            Self::Changed => "changed",
        }
    }
}

/// The hash before the first entry.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

impl Entry {
    /// SHA-256 in hex over the previous hash and every field, each preceded by its length so that no two entries look alike.
    pub fn hash(&self, previous: &str) -> String {
        let mut hasher = Sha256::new();
        let seq = self.seq.to_string();
        let at = self.at.as_millisecond().to_string();
        for part in [previous, &seq, &at, &self.who, &self.action, &self.object, &self.result, &self.detail] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        data_encoding::HEXLOWER.encode(&hasher.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_change_changes_the_hash() {
        let entry = Entry {
            seq: 1,
            at: Timestamp::UNIX_EPOCH,
            who: "operator".into(),
            action: "a".into(),
            object: "bc".into(),
            result: "ok".into(),
            detail: String::new(),
        };
        let hash = entry.hash(GENESIS);
        let moved = Entry { action: "ab".into(), object: "c".into(), ..entry.clone() };
        assert_ne!(hash, moved.hash(GENESIS));
        assert_ne!(hash, entry.hash(&hash));
    }
}
