//! Trust: which key may say what. A pure fold of certificates, rotations, revocations and forks from one pinned root.
//! It never reads a clock and never cares in which order the documents came. Signatures are checked in `kepu-sync`.

use crate::ids::KeyId;
use crate::org::Region;
use crate::publication::Policy;
use crate::record::{Body, Envelope, Place, Stream};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyRole {
    /// Certifies other keys, revokes them.
    Issuer,
    /// Publishes resources and claim reviews of its own institution.
    Author,
    /// Its reviewers' names count.
    Reviewer,
    /// Withdraws what keys below it published.
    Retractor,
    /// Publishes figures.
    Statistician,
}

/// Every role of a key.
pub const KEY_ROLES: [KeyRole; 5] = [KeyRole::Issuer, KeyRole::Author, KeyRole::Reviewer, KeyRole::Retractor, KeyRole::Statistician];

impl KeyRole {
    /// The word in certificates.
    pub fn as_str(self) -> &'static str {
        match self {
            KeyRole::Issuer => "issuer",
            KeyRole::Author => "author",
            KeyRole::Reviewer => "reviewer",
            KeyRole::Retractor => "retractor",
            KeyRole::Statistician => "statistician",
        }
    }
    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        KEY_ROLES.into_iter().find(|role| role.as_str() == text)
    }
}

/// What a certificate grants. May only narrow what its issuer holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The certified key.
    pub key: KeyId,
    /// The institution that holds it.
    pub holder: String,
    /// Roles.
    pub roles: BTreeSet<KeyRole>,
    /// Place.
    pub region: Region,
    /// Fields; empty = all its issuer's.
    pub fields: BTreeSet<String>,
    /// Last day, compared with the informative date inside documents.
    pub until: Date,
    /// SHA-256 (hex) of the next key's id, committed in advance.
    pub next: Option<String>,
}

/// Last valid number per stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastGood {
    /// Stream `trust`.
    pub trust: i64,
    /// Stream `alert`.
    pub alert: i64,
    /// Stream `lib`.
    pub lib: i64,
}

impl LastGood {
    /// No limit.
    pub const ALL: LastGood = LastGood { trust: i64::MAX, alert: i64::MAX, lib: i64::MAX };

    /// The limit in `stream`.
    pub fn of(&self, stream: Stream) -> i64 {
        match stream {
            Stream::Trust => self.trust,
            Stream::Alert => self.alert,
            Stream::Lib | Stream::Up => self.lib,
        }
    }

    fn min(self, other: LastGood) -> LastGood {
        LastGood { trust: self.trust.min(other.trust), alert: self.alert.min(other.alert), lib: self.lib.min(other.lib) }
    }
}

/// What a record of the trust stream says.
#[derive(Clone, Debug, PartialEq)]
pub enum TrustDoc {
    /// The author certifies a key.
    Certificate(Certificate),
    /// The author (the next key) takes over from the key that committed to it.
    Rotation {
        /// The replaced key.
        replaces: KeyId,
        /// Up to where the old key's records stay.
        last_good: LastGood,
        /// Commitment of the new key to its own successor.
        next: Option<String>,
    },
    /// An ancestor ends a key by number.
    Revocation {
        /// The revoked key.
        key: KeyId,
        /// Up to where its records stay.
        last_good: LastGood,
        /// Why, for the public.
        reason: String,
    },
    /// The root says who may review what.
    Policy(Policy),
    /// Commits to the history of the author's streams.
    Head {
        /// Stream, number, Merkle root (hex) over the document hashes 1..=n.
        heads: Vec<(Stream, i64, String)>,
    },
}

impl TrustDoc {
    /// The word in the document's `kind` member.
    pub fn kind(&self) -> &'static str {
        match self {
            TrustDoc::Certificate(_) => "certificate",
            TrustDoc::Rotation { .. } => "rotation",
            TrustDoc::Revocation { .. } => "revocation",
            TrustDoc::Policy(_) => "policy",
            TrustDoc::Head { .. } => "head",
        }
    }
}

/// A trust document with its place and informative date.
#[derive(Clone, Debug, PartialEq)]
pub struct TrustRecord {
    /// Where it stands; its author is `place.key`.
    pub place: Place,
    /// Informative date.
    pub date: Date,
    /// What it says.
    pub doc: TrustDoc,
}

/// What a key holds, after the whole chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Steps below the root.
    pub depth: usize,
    /// Who certified it; none for the root.
    pub issuer: Option<KeyId>,
    /// The first key of its line of rotations: owner of its subjects.
    pub lineage: KeyId,
    /// Place in that line, 0 for the first.
    pub rank: usize,
    /// The institution.
    pub holder: String,
    /// Roles.
    pub roles: BTreeSet<KeyRole>,
    /// Place.
    pub region: Region,
    /// Fields; empty = all.
    pub fields: BTreeSet<String>,
    /// Last day.
    pub until: Date,
    /// Commitment to the next key.
    pub next: Option<String>,
    /// Up to where its records are valid.
    pub last_good: LastGood,
}

/// Why a record does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No chain from the pinned root to this key.
    #[error("no certificate leads from the pinned root to this key")]
    UnknownKey,
    /// Beyond the last number that its revocation or rotation left valid.
    #[error("the key was revoked after number {last_good} of this stream")]
    Revoked {
        /// Last valid number.
        last_good: i64,
    },
    /// At or beyond a fork.
    #[error("the key signed two different records as number {at} of this stream and is frozen there")]
    Frozen {
        /// The number held twice.
        at: i64,
    },
    /// The certificate does not carry the needed role.
    #[error("the certificate does not carry the role \"{}\"", .0.as_str())]
    Role(KeyRole),
    /// The place lies outside the certificate's.
    #[error("region {asked} lies outside the certificate's region {held}")]
    Region {
        /// The record's place.
        asked: Region,
        /// The certificate's place.
        held: Region,
    },
    /// A field outside the certificate's.
    #[error("field \"{0}\" is not in the certificate")]
    Field(String),
    /// Dated after the certificate's last day.
    #[error("the certificate ended on {0}")]
    Expired(Date),
    /// The subject belongs to another key.
    #[error("the subject belongs to another institution")]
    NotOwner,
    /// A kind in a stream where it does not belong.
    #[error("a record of kind \"{kind}\" does not belong into stream \"{stream}\"")]
    Stream {
        /// Kind.
        kind: String,
        /// Stream found.
        stream: Stream,
    },
}

/// Longest chain below the root.
pub const DEPTH_MAX: usize = 4;

/// Who may say what, computed from all trust documents held.
#[derive(Clone, Debug, PartialEq)]
pub struct TrustView {
    grants: BTreeMap<KeyId, Grant>,
    forks: BTreeMap<(KeyId, Stream), i64>,
    /// The root's latest review policy.
    pub policy: Policy,
}

impl TrustView {
    /// Folds `records` from the pinned `root`. `forks` are proven double places (signatures checked by the caller).
    pub fn build(root: &KeyId, records: &[TrustRecord], forks: &[Place]) -> TrustView {
        let mut sorted: Vec<&TrustRecord> = records.iter().collect();
        sorted.sort_by(|a, b| (&a.place.key, a.place.n).cmp(&(&b.place.key, b.place.n)));
        let mut view = TrustView { grants: BTreeMap::new(), forks: BTreeMap::new(), policy: Policy::default() };
        for fork in forks {
            let at = view.forks.entry((fork.key.clone(), fork.stream)).or_insert(fork.n);
            *at = (*at).min(fork.n);
        }
        view.grants.insert(root.clone(), root_grant(root, &sorted));
        let mut level = vec![root.clone()];
        while !level.is_empty() {
            view.follow_rotations(&mut level, &sorted);
            view.apply_revocations(&sorted);
            level = view.certify_below(&level, &sorted);
        }
        view.policy = view.latest_policy(root, &sorted);
        view
    }

    /// What `key` holds, if a chain leads to it.
    pub fn grant(&self, key: &KeyId) -> Option<&Grant> {
        self.grants.get(key)
    }

    /// All keys with what they hold.
    pub fn grants(&self) -> impl Iterator<Item = (&KeyId, &Grant)> {
        self.grants.iter()
    }

    /// Proven forks: key, stream, first number held twice.
    pub fn forks(&self) -> impl Iterator<Item = (&KeyId, Stream, i64)> {
        self.forks.iter().map(|((key, stream), n)| (key, *stream, *n))
    }

    /// From `key` up to the root.
    pub fn chain(&self, key: &KeyId) -> Vec<KeyId> {
        let mut chain = vec![];
        let mut at = Some(key.clone());
        while let Some(key) = at {
            at = self.grants.get(&key).and_then(|g| g.issuer.clone());
            chain.push(key);
            if chain.len() > DEPTH_MAX + 1 {
                break;
            }
        }
        chain
    }

    /// Whether a record at this place counts at all: known key, not revoked, not frozen.
    pub fn check_place(&self, place: &Place) -> Result<&Grant, Refusal> {
        let grant = self.grants.get(&place.key).ok_or(Refusal::UnknownKey)?;
        let last_good = grant.last_good.of(place.stream);
        if place.n > last_good {
            return Err(Refusal::Revoked { last_good });
        }
        match self.forks.get(&(place.key.clone(), place.stream)) {
            Some(at) if place.n >= *at => Err(Refusal::Frozen { at: *at }),
            _ => Ok(grant),
        }
    }

    /// Whether the record counts: its key may say this, here, about this subject.
    pub fn check(&self, envelope: &Envelope, body: &Body) -> Result<(), Refusal> {
        let place = &envelope.place;
        if body.stream().is_some_and(|stream| stream != place.stream) {
            return Err(Refusal::Stream { kind: body.kind().to_owned(), stream: place.stream });
        }
        let grant = self.check_place(place)?;
        let date = jiff::tz::Offset::UTC.to_datetime(envelope.modified).date();
        if date > grant.until {
            return Err(Refusal::Expired(grant.until));
        }
        let needs = |role| if grant.roles.contains(&role) { Ok(()) } else { Err(Refusal::Role(role)) };
        match body {
            Body::Resource(_) | Body::Claim(_) | Body::Party(_) | Body::Credential(_) => {
                needs(KeyRole::Author)?;
                self.check_owner(grant, envelope)?;
                within(grant, envelope)
            }
            Body::Warning(warning) => {
                needs(KeyRole::Author)?;
                self.check_owner(grant, envelope)?;
                // A warning is about places, not about fields of science; nobody warns for a place that is not theirs.
                let places = std::iter::once(&envelope.region).chain(&warning.places);
                match places.into_iter().find(|place| !grant.region.covers(**place)) {
                    Some(place) => Err(Refusal::Region { asked: *place, held: grant.region }),
                    None => Ok(()),
                }
            }
            Body::Drill(_) => {
                needs(KeyRole::Author)?;
                self.check_owner(grant, envelope)
            }
            Body::Coordination(says) => {
                needs(KeyRole::Author)?;
                self.check_owner(grant, envelope)?;
                // Nobody asks anything of a place that is not below them, and nobody reports for a place that is not theirs.
                match says.places().into_iter().find(|place| !grant.region.covers(*place)) {
                    Some(place) => Err(Refusal::Region { asked: place, held: grant.region }),
                    None => Ok(()),
                }
            }
            Body::Review(_) => {
                needs(KeyRole::Reviewer)?;
                within(grant, envelope)
            }
            Body::Correction(_) | Body::Hold(_) => {
                if self.check_owner(grant, envelope).is_ok() {
                    return needs(KeyRole::Author);
                }
                needs(KeyRole::Retractor)?;
                let owner = envelope.subject.parts().map(|(owner, _)| owner);
                let below =
                    |(key, target): (&KeyId, &Grant)| owner.is_some_and(|owner| target.lineage.fingerprint() == owner) && self.is_above(&place.key, key);
                if self.grants().any(below) { Ok(()) } else { Err(Refusal::NotOwner) }
            }
            Body::Retraction(retraction) => {
                let own = self.grants.get(&retraction.key).is_some_and(|target| target.lineage == grant.lineage);
                if own {
                    return needs(KeyRole::Author);
                }
                needs(KeyRole::Retractor)?;
                if self.is_above(&place.key, &retraction.key) { Ok(()) } else { Err(Refusal::NotOwner) }
            }
            Body::Trust(_) | Body::Fork(_) | Body::Unknown(_) => Ok(()),
        }
    }

    fn check_owner(&self, grant: &Grant, envelope: &Envelope) -> Result<(), Refusal> {
        match envelope.subject.parts() {
            Some((owner, _)) if owner == grant.lineage.fingerprint() => Ok(()),
            _ => Err(Refusal::NotOwner),
        }
    }

    /// Whether `upper` certified `lower`, directly or through others, or is the later key of one that did.
    pub fn is_above(&self, upper: &KeyId, lower: &KeyId) -> bool {
        let Some(line) = self.grants.get(upper).map(|g| &g.lineage) else { return false };
        self.chain(lower).iter().skip(1).any(|key| self.grants.get(key).is_some_and(|g| &g.lineage == line))
    }

    fn valid<'a>(&'a self, records: &'a [&'a TrustRecord]) -> impl Iterator<Item = &'a TrustRecord> {
        records.iter().copied().filter(|r| self.check_place(&r.place).is_ok_and(|grant| r.date <= grant.until))
    }

    /// Keys of `level` that committed to a successor hand over to it, any number of times.
    fn follow_rotations(&mut self, level: &mut Vec<KeyId>, records: &[&TrustRecord]) {
        let mut at = 0;
        while at < level.len() {
            let old = level[at].clone();
            at += 1;
            let Some(grant) = self.grants.get(&old).cloned() else { continue };
            let Some(commitment) = grant.next.clone() else { continue };
            for record in records {
                let TrustDoc::Rotation { replaces, last_good, next } = &record.doc else { continue };
                if *replaces != old || key_commitment(&record.place.key) != commitment || self.grants.contains_key(&record.place.key) {
                    continue;
                }
                if let Some(grant) = self.grants.get_mut(&old) {
                    grant.last_good = grant.last_good.min(*last_good);
                }
                let successor = Grant { rank: grant.rank + 1, next: next.clone(), last_good: LastGood::ALL, ..grant.clone() };
                self.grants.insert(record.place.key.clone(), successor);
                level.push(record.place.key.clone());
            }
        }
    }

    fn apply_revocations(&mut self, records: &[&TrustRecord]) {
        // A revocation only ever concerns keys below its author, whose own limits are final by now: levels come top down.
        let limits: Vec<(KeyId, LastGood)> = self
            .valid(records)
            .filter_map(|record| match &record.doc {
                TrustDoc::Revocation { key, last_good, .. } if self.is_above(&record.place.key, key) => Some((key.clone(), *last_good)),
                _ => None,
            })
            .collect();
        for (key, limit) in limits {
            if let Some(grant) = self.grants.get_mut(&key) {
                grant.last_good = grant.last_good.min(limit);
            }
        }
    }

    /// Certificates that the keys of `level` gave; returns the newly known keys.
    fn certify_below(&mut self, level: &[KeyId], records: &[&TrustRecord]) -> Vec<KeyId> {
        let mut found: BTreeMap<KeyId, Grant> = BTreeMap::new();
        for record in self.valid(records) {
            let TrustDoc::Certificate(certificate) = &record.doc else { continue };
            let issuer = &record.place.key;
            if !level.contains(issuer) || self.grants.contains_key(&certificate.key) {
                continue;
            }
            let Some(above) = self.grants.get(issuer) else { continue };
            if above.depth >= DEPTH_MAX || !above.roles.contains(&KeyRole::Issuer) || narrows(above, certificate).is_err() {
                continue;
            }
            let grant = Grant {
                depth: above.depth + 1,
                issuer: Some(issuer.clone()),
                lineage: certificate.key.clone(),
                rank: 0,
                holder: certificate.holder.clone(),
                roles: certificate.roles.clone(),
                region: certificate.region,
                fields: if certificate.fields.is_empty() { above.fields.clone() } else { certificate.fields.clone() },
                until: certificate.until,
                next: certificate.next.clone(),
                last_good: LastGood::ALL,
            };
            // Records come sorted by (key, n): of one issuer the later certificate wins, of several the smallest key.
            match found.get(&certificate.key) {
                Some(earlier) if earlier.issuer.as_ref() != Some(issuer) => {}
                _ => {
                    found.insert(certificate.key.clone(), grant);
                }
            }
        }
        let keys: Vec<KeyId> = found.keys().cloned().collect();
        self.grants.extend(found);
        self.apply_revocations(records);
        keys
    }

    fn latest_policy(&self, root: &KeyId, records: &[&TrustRecord]) -> Policy {
        let line = self.grants.get(root).map(|g| g.lineage.clone());
        self.valid(records)
            .filter_map(|r| match &r.doc {
                TrustDoc::Policy(policy) => {
                    let grant = self.grants.get(&r.place.key)?;
                    (Some(&grant.lineage) == line.as_ref()).then_some(((grant.rank, r.place.n), policy))
                }
                _ => None,
            })
            .max_by_key(|(order, _)| *order)
            .map_or_else(Policy::default, |(_, policy)| policy.clone())
    }
}

/// Hex SHA-256 of a key id: what a certificate commits to.
pub fn key_commitment(key: &KeyId) -> String {
    data_encoding::HEXLOWER.encode(&<sha2::Sha256 as sha2::Digest>::digest(key.0.as_bytes()))
}

fn root_grant(root: &KeyId, records: &[&TrustRecord]) -> Grant {
    let own = records.iter().rev().find_map(|r| match &r.doc {
        TrustDoc::Certificate(c) if &r.place.key == root && &c.key == root => Some(c),
        _ => None,
    });
    Grant {
        depth: 0,
        issuer: None,
        lineage: root.clone(),
        rank: 0,
        holder: own.map_or_else(String::new, |c| c.holder.clone()),
        roles: KEY_ROLES.into_iter().collect(),
        region: Region::NATION,
        fields: BTreeSet::new(),
        until: Date::MAX,
        next: own.and_then(|c| c.next.clone()),
        last_good: LastGood::ALL,
    }
}

/// Checks that a certificate only narrows what its issuer holds.
pub fn narrows(above: &Grant, certificate: &Certificate) -> Result<(), Refusal> {
    if let Some(role) = certificate.roles.iter().find(|role| !above.roles.contains(role)) {
        return Err(Refusal::Role(*role));
    }
    if !above.region.covers(certificate.region) {
        return Err(Refusal::Region { asked: certificate.region, held: above.region });
    }
    if !above.fields.is_empty()
        && let Some(field) = certificate.fields.iter().find(|field| !above.fields.contains(*field))
    {
        return Err(Refusal::Field(field.clone()));
    }
    if certificate.until > above.until {
        return Err(Refusal::Expired(above.until));
    }
    Ok(())
}

fn within(grant: &Grant, envelope: &Envelope) -> Result<(), Refusal> {
    if !grant.region.covers(envelope.region) {
        return Err(Refusal::Region { asked: envelope.region, held: grant.region });
    }
    if !grant.fields.is_empty()
        && let Some(field) = envelope.fields.iter().find(|field| !grant.fields.contains(*field))
    {
        return Err(Refusal::Field(field.clone()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNTIL: Date = jiff::civil::date(2030, 1, 1);

    fn key(name: &str) -> KeyId {
        KeyId(format!("did:key:{name}"))
    }
    fn certificate(issuer: &str, n: i64, subject: &str, region: &str, roles: &[KeyRole], next: Option<&str>) -> TrustRecord {
        TrustRecord {
            place: Place { key: key(issuer), stream: Stream::Trust, n },
            date: jiff::civil::date(2026, 1, 1),
            doc: TrustDoc::Certificate(Certificate {
                key: key(subject),
                holder: subject.into(),
                roles: roles.iter().copied().collect(),
                region: Region::parse(region).expect("code"),
                fields: BTreeSet::new(),
                until: UNTIL,
                next: next.map(|n| key_commitment(&key(n))),
            }),
        }
    }
    fn revocation(by: &str, n: i64, of: &str, last: i64) -> TrustRecord {
        TrustRecord {
            place: Place { key: key(by), stream: Stream::Trust, n },
            date: jiff::civil::date(2026, 1, 1),
            doc: TrustDoc::Revocation { key: key(of), last_good: LastGood { trust: last, alert: last, lib: last }, reason: "lost".into() },
        }
    }
    fn place(name: &str, n: i64) -> Place {
        Place { key: key(name), stream: Stream::Lib, n }
    }

    #[test]
    fn a_chain_narrows_and_never_widens() {
        let records = vec![
            certificate("root", 1, "henan", "410000", &[KeyRole::Issuer, KeyRole::Author], None),
            certificate("henan", 1, "gushi", "411525", &[KeyRole::Author], None),
            certificate("henan", 2, "hubei", "420000", &[KeyRole::Author], None),
            certificate("henan", 3, "greedy", "411525", &[KeyRole::Reviewer], None),
            certificate("gushi", 1, "friend", "411525", &[KeyRole::Author], None),
        ];
        let view = TrustView::build(&key("root"), &records, &[]);
        assert!(view.grant(&key("gushi")).is_some_and(|g| g.depth == 2));
        for outside in ["hubei", "greedy", "friend"] {
            assert_eq!(view.grant(&key(outside)), None, "{outside}");
        }
        assert!(view.is_above(&key("root"), &key("gushi")) && !view.is_above(&key("gushi"), &key("henan")));
    }

    #[test]
    fn order_never_matters() {
        let mut records = vec![
            certificate("root", 1, "henan", "410000", &[KeyRole::Issuer, KeyRole::Author], Some("henan2")),
            certificate("henan", 1, "gushi", "411525", &[KeyRole::Author], None),
            certificate("henan", 2, "xin", "411500", &[KeyRole::Author], None),
            revocation("root", 2, "gushi", 3),
            TrustRecord {
                place: Place { key: key("henan2"), stream: Stream::Trust, n: 1 },
                date: jiff::civil::date(2026, 2, 1),
                doc: TrustDoc::Rotation { replaces: key("henan"), last_good: LastGood { trust: 1, alert: 9, lib: 9 }, next: None },
            },
        ];
        let forks = vec![place("gushi", 2)];
        let first = TrustView::build(&key("root"), &records, &forks);
        records.reverse();
        assert_eq!(first, TrustView::build(&key("root"), &records, &forks));
        assert_eq!(first.check_place(&place("henan", 10)), Err(Refusal::Revoked { last_good: 9 }));
        assert!(first.check_place(&place("henan2", 1)).is_ok_and(|g| g.rank == 1 && g.lineage == key("henan")));
        assert_eq!(first.grant(&key("xin")), None, "certified after the last good number");
        assert_eq!(first.check_place(&place("gushi", 4)), Err(Refusal::Revoked { last_good: 3 }));
        assert_eq!(first.check_place(&place("gushi", 2)), Err(Refusal::Frozen { at: 2 }));
        assert!(first.check_place(&place("gushi", 1)).is_ok());
    }

    #[test]
    fn a_stranger_cannot_rotate_a_key_away() {
        let records = vec![
            certificate("root", 1, "henan", "410000", &[KeyRole::Author], Some("henan2")),
            TrustRecord {
                place: Place { key: key("thief"), stream: Stream::Trust, n: 1 },
                date: jiff::civil::date(2026, 2, 1),
                doc: TrustDoc::Rotation { replaces: key("henan"), last_good: LastGood { trust: 0, alert: 0, lib: 0 }, next: None },
            },
        ];
        let view = TrustView::build(&key("root"), &records, &[]);
        assert_eq!(view.grant(&key("thief")), None);
        assert!(view.check_place(&place("henan", 5)).is_ok());
    }
}
