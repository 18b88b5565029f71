//! Records: where one stands (key, stream, number) and what it says, as domain types.
//! Bytes, hashes and signatures are in `kepu-sync`; who may say it in `trust`; what becomes public in `publication`.

use crate::create::card::Card;
use crate::create::credential::Credential;
use crate::create::resource::Resource;
use crate::deliver::drill::Drill;
use crate::deliver::warning::Warning;
use crate::ids::{KeyId, SubjectId};
use crate::listen::claim::ClaimReview;
use crate::listen::decision::Coordination;
use crate::org::Region;
use crate::trust::TrustDoc;
use jiff::Timestamp;
use jiff::civil::Date;
use std::fmt;

/// Largest signed document, in bytes of its canonical form.
pub const DOC_BYTES_MAX: usize = 32 * 1024;
/// Largest number in a stream: what a JSON number can carry exactly.
pub const N_MAX: i64 = (1 << 53) - 1;

/// The numbered logs of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stream {
    /// Certificates, rotations, revocations, policy, heads.
    Trust,
    /// Official warnings, retractions, holds, correction notices, fork proofs, emergency cards' withdrawals: travels first.
    Alert,
    /// Resources, claim reviews, expert reviews.
    Lib,
    /// Sealed to a parent. Reserved: no record of it is written yet.
    Up,
}

/// All streams in the order in which they travel.
pub const STREAMS: [Stream; 4] = [Stream::Trust, Stream::Alert, Stream::Lib, Stream::Up];

impl Stream {
    /// The word in documents and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Stream::Trust => "trust",
            Stream::Alert => "alert",
            Stream::Lib => "lib",
            Stream::Up => "up",
        }
    }
    /// Reads the word.
    pub fn parse(text: &str) -> Option<Stream> {
        STREAMS.into_iter().find(|stream| stream.as_str() == text)
    }
    /// The number in tables and frames: trust 0, alert 1, lib 2, up 3.
    pub fn code(self) -> u8 {
        self as u8
    }
    /// Reads the number.
    pub fn from_code(code: u8) -> Option<Stream> {
        STREAMS.get(usize::from(code)).copied()
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a record stands. `n` counts 1, 2, 3 … per key and stream, without gaps.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The signing key.
    pub key: KeyId,
    /// The stream.
    pub stream: Stream,
    /// The number, from 1.
    pub n: i64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.key, self.stream, self.n)
    }
}

/// SHA-256 of a canonical document: the id of exactly this version.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocHash(pub [u8; 32]);

impl DocHash {
    /// Lower-case hex.
    pub fn hex(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }
    /// Reads 64 hex digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }
}
impl fmt::Debug for DocHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

/// The field that marks records of coordination (`listen::decision`); they travel to those who ask for it (`deliver::scope`).
pub const COORDINATION: &str = "coordination";

/// What every record says besides its own matter.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// Where it stands.
    pub place: Place,
    /// Informative time of signing. Order comes from `place.n`, never from this.
    pub modified: Timestamp,
    /// What it is about.
    pub subject: SubjectId,
    /// Where it is meant for; decides which nodes it reaches.
    pub region: Region,
    /// Fields (ids of `data/vocabularies/domains.csv`); empty for what concerns every field.
    pub fields: Vec<String>,
    /// BCP 47 language of its texts.
    pub lang: String,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Somebody is trusted with something, or no longer.
    Trust(TrustDoc),
    /// A version of a resource.
    Resource(Box<Resource>),
    /// A version of a claim's verdict, or a holding statement.
    Claim(Box<ClaimReview>),
    /// What the world may see of a party.
    Party(Box<Card>),
    /// A statement about somebody that anybody can check.
    Credential(Box<Credential>),
    /// A review by another institution of exactly one version.
    Review(crate::create::review::PeerReview),
    /// A withdrawal.
    Retraction(Retraction),
    /// Takes a subject out of sight while it is looked at again, or gives it back.
    Hold(Hold),
    /// A notice that a newer version corrects an older one; overtakes the version itself.
    Correction(CorrectionNotice),
    /// An official warning that is passed on.
    Warning(Box<Warning>),
    /// Something said in a drill; never public.
    Drill(Box<Drill>),
    /// What a meeting or an inspection asks of a place, and what that place reports; never public.
    Coordination(Box<Coordination>),
    /// Two records at one place.
    Fork(ForkProof),
    /// A kind this release does not know: kept, passed on, not shown.
    Unknown(String),
}

impl Body {
    /// The word in the document's `kind` member.
    pub fn kind(&self) -> &str {
        match self {
            Body::Trust(doc) => doc.kind(),
            Body::Resource(_) => "resource",
            Body::Claim(_) => "claim",
            Body::Party(_) => "party",
            Body::Credential(_) => "credential",
            Body::Review(_) => "review",
            Body::Retraction(_) => "retraction",
            Body::Hold(_) => "hold",
            Body::Correction(_) => "correction",
            Body::Warning(_) => "warning",
            Body::Drill(_) => "drill",
            Body::Coordination(_) => "coordination",
            Body::Fork(_) => "fork",
            Body::Unknown(kind) => kind,
        }
    }

    /// The stream a record of this kind belongs to; `None` for unknown kinds, which may stand in any.
    pub fn stream(&self) -> Option<Stream> {
        match self {
            Body::Trust(_) => Some(Stream::Trust),
            Body::Resource(_) | Body::Claim(_) | Body::Party(_) | Body::Credential(_) | Body::Review(_) | Body::Drill(_) | Body::Coordination(_) => {
                Some(Stream::Lib)
            }
            Body::Retraction(_) | Body::Hold(_) | Body::Correction(_) | Body::Warning(_) | Body::Fork(_) => Some(Stream::Alert),
            Body::Unknown(_) => None,
        }
    }
}

/// Kinds that are about one person. Their withdrawal takes the bodies away, on every node that applies it; the stub stays.
///
/// Only these: whoever steals a key that may withdraw must not be able to destroy a library with it. Anything else is
/// withdrawn from sight, and each node that a law obliges erases its own copy.
const PERSONAL_KINDS: [&str; 1] = ["party"];

/// Whether a record of this kind is about one person.
pub fn is_personal(kind: &str) -> bool {
    PERSONAL_KINDS.contains(&kind)
}

/// Withdraws all versions of a subject that `key` numbered up to `through`. Dominates in any arrival order;
/// a later version needs fresh review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retraction {
    /// The key whose versions are withdrawn.
    pub key: KeyId,
    /// Last number (in stream `lib`) that is withdrawn.
    pub through: i64,
    /// Why, for the public.
    pub reason: String,
    /// Who decided, for the public.
    pub by: String,
}

/// "Under check": every version of the subject is out of sight until whoever said so says that it is over. The latest word of an
/// institution counts; what one institution holds no other lets go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Whether it is held from now on, or no longer.
    pub on: bool,
    /// Why, for the public.
    pub reason: String,
    /// Who decided, for the public.
    pub by: String,
    /// The day on which the next word is promised. Nothing happens by itself on it.
    pub next: Date,
}

/// Says that the version `replaces` was wrong and how; its successor follows in `lib`. The owner says so, or an institution above it:
/// then the word stands over the text until the owner has published a corrected version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorrectionNotice {
    /// The corrected version.
    pub replaces: DocHash,
    /// What was wrong and what is right, in plain words.
    pub text: String,
}

/// Two signatures of one key over different documents at one place: proves by itself that the key's history forked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForkProof {
    /// The place held twice.
    pub place: Place,
    /// The two stubs: time of signing, document hash, signature bytes.
    pub stubs: [Stub; 2],
}

/// What remains verifiable of a record without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stub {
    /// `dateModified` of the document, exactly as written.
    pub modified: String,
    /// Hash of the document.
    pub doc: DocHash,
    /// Signature bytes (64).
    pub signature: Vec<u8>,
}
