//! Ids as newtypes, all declared in one macro call. Ids of what travels (`SubjectId`, `KeyId`) say how they are made.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self { Self(text.to_owned()) }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self { Self(text) }
        }
    )+};
}

ids! {
    /// Somebody who signs in. Random.
    AccountId,
    /// An organisation or administrative division; a division's id is its adcode.
    OrgId,
    /// A person, team or institution of the registry. Random, or given by an import.
    PartyId,
    /// A working copy that may become a record. Random, never leaves the node.
    DraftId,
    /// One reviewer's task on one draft. Random.
    ReviewId,
    /// A question typed by a visitor. Random and unguessable: it is the asker's only ticket.
    QuestionId,
    /// A case with a clock. Random.
    CaseId,
    /// A way by which signals come in: a list, a tipline. Random.
    InletId,
    /// A matter that signals are about. Random.
    TopicId,
    /// A round of applications. Random.
    RoundId,
    /// An application in a round. Random.
    ApplicationId,
    /// An objection to a proposal. Random.
    ObjectionId,
    /// A line of the contribution ledger. Random.
    ContributionId,
    /// A monthly pack. Random.
    PackId,
    /// A duty roster. Random.
    RotaId,
    /// Something that somebody has to do until a moment. Random.
    TaskId,
    /// A plan that was set going, for real or as a drill. Random.
    OrderId,
    /// A random sample of evidence that is looked at. Random.
    InspectionId,
    /// A point that warnings are pushed to. Random.
    PointId,
    /// A file that is taken in row by row. Random.
    ImportId,
    /// A row of the job table. Random, ordered by time.
    JobId,
    /// A public subject: `kepu:` + ten characters of the owner's key fingerprint + `/` + a local part.
    SubjectId,
    /// A public key as `did:key:z…` (multibase base58btc of the multicodec key).
    KeyId,
}

impl KeyId {
    /// Ten characters of `a-z2-7` (50 bits) of the SHA-256 of the id: short enough for paper, names the owner of subjects.
    pub fn fingerprint(&self) -> String {
        let hash = <sha2::Sha256 as sha2::Digest>::digest(self.0.as_bytes());
        let mut text = data_encoding::BASE32_NOPAD.encode(&hash[..7]).to_ascii_lowercase();
        text.truncate(10);
        text
    }

    /// Twenty-four digits in groups of four, to compare a key by telephone or on paper.
    pub fn digits(&self) -> String {
        let hash = <sha2::Sha256 as sha2::Digest>::digest(self.0.as_bytes());
        let group = |at: usize| u32::from(u16::from_be_bytes([hash[at], hash[at + 1]])) * 10_000 / 65_536;
        (0..6).map(|n| format!("{:04}", group(n * 2))).collect::<Vec<_>>().join(" ")
    }
}

impl SubjectId {
    /// Makes an id owned by the key with this `fingerprint` (see [`KeyId`] and `kepu_sync::did::fingerprint`).
    pub fn new(fingerprint: &str, local: &str) -> Self {
        Self(format!("kepu:{fingerprint}/{local}"))
    }

    /// The fingerprint of the owning key and the local part; `None` if the text has another form.
    ///
    /// Fingerprint: ten characters of `a-z2-7`. Local part: 1 to 64 characters of `a-z0-9-_.`.
    pub fn parts(&self) -> Option<(&str, &str)> {
        let (owner, local) = self.0.strip_prefix("kepu:")?.split_once('/')?;
        let owner_ok = owner.len() == 10 && owner.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b));
        let local_ok =
            (1..=64).contains(&local.len()) && local.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'));
        (owner_ok && local_ok).then_some((owner, local))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_names_its_owner() {
        let id = SubjectId::new("abcdefgh23", "c-1");
        assert_eq!(id.parts(), Some(("abcdefgh23", "c-1")));
        for bad in ["", "kepu:abc/c", "kepu:abcdefgh23/", "kepu:abcdefgh23/A", "http:abcdefgh23/c", "kepu:abcdefgh23/../x"] {
            assert_eq!(SubjectId::from(bad).parts(), None, "{bad}");
        }
    }
}
