//! Checking files offline: records, lists of records, certificates and bundles, against this program alone or a pinned root. No
//! network, no store. How a record gets its certificates into one file is in `chain`; which bytes are records is in `gather`.

mod gather;

use gather::{Packed, Source, gather};
use kepu_domain::ids::KeyId;
use kepu_domain::publication;
use kepu_domain::record::{Body, DocHash, Place, Stream};
use kepu_domain::trust::{Refusal, TrustDoc, TrustRecord, TrustView};
use kepu_sync::record::Record;
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
use std::io::Read;

/// What was found about one file.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verified {
    /// File name as given.
    pub file: String,
    /// Whether everything in it is genuine, whole and not withdrawn (and certified, if a root was given).
    pub ok: bool,
    /// Author key of the first record; of a bundle, the node that packed it.
    pub by: String,
    /// Its time.
    pub at: String,
    /// From that key up to the root, as far as certificates are in the file.
    pub chain: Vec<String>,
    /// Why not, or an empty text.
    pub reason: String,
}

/// The root that somebody trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pin {
    /// Its key.
    Key(KeyId),
    /// The 24 digits of its key, as printed and told by telephone.
    Digits(String),
}

impl Pin {
    /// Reads `did:key:…` or 24 digits, blanks and hyphens between them left out.
    pub fn parse(text: &str) -> Option<Self> {
        if text.starts_with("did:key:") {
            return Some(Pin::Key(text.into()));
        }
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        (digits.len() == 24 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(Pin::Digits(digits))
    }

    /// The key among `authors`; one that nobody has if the digits fit none of them.
    fn key(&self, authors: &BTreeSet<KeyId>) -> KeyId {
        match self {
            Pin::Key(key) => key.clone(),
            Pin::Digits(digits) => authors
                .iter()
                .find(|key| key.digits().replace(' ', "") == *digits)
                .map_or_else(|| KeyId(format!("no key with the digits {digits}")), Clone::clone),
        }
    }
}

/// What files say about keys and about records being withdrawn.
#[derive(Clone, Debug, Default)]
struct Known {
    trust: Vec<TrustRecord>,
    forks: Vec<Place>,
    withdrawals: Vec<Record>,
    authors: BTreeSet<KeyId>,
    /// To see a place that was signed twice. The library of a bundle may be long and is left out.
    places: HashMap<Place, DocHash>,
}

impl Known {
    fn absorb(&mut self, record: &Record, source: Source) {
        let place = &record.envelope.place;
        self.authors.insert(place.key.clone());
        if (source == Source::List || place.stream != Stream::Lib) && self.places.insert(place.clone(), record.hash).is_some_and(|hash| hash != record.hash) {
            self.forks.push(place.clone());
        }
        match &record.body {
            Ok(Body::Trust(doc)) if place.stream == Stream::Trust => {
                let date = jiff::tz::Offset::UTC.to_datetime(record.envelope.modified).date();
                self.trust.push(TrustRecord { place: place.clone(), date, doc: doc.clone() });
            }
            Ok(Body::Fork(proof)) if place.stream == Stream::Alert => self.forks.push(proof.place.clone()),
            Ok(Body::Retraction(_)) => self.withdrawals.push(record.clone()),
            _ => {}
        }
    }

    /// Up certificates and rotations, from `key` to one that nobody here vouches for; of several the smallest.
    fn top(&self, mut key: KeyId) -> KeyId {
        let mut seen = BTreeSet::new();
        loop {
            seen.insert(key.clone());
            let up = self.trust.iter().filter_map(|record| match &record.doc {
                TrustDoc::Certificate(certificate) if certificate.key == key => Some(&record.place.key),
                TrustDoc::Rotation { replaces, .. } if record.place.key == key => Some(replaces),
                _ => None,
            });
            match up.filter(|above| !seen.contains(above)).min() {
                Some(above) => key = above.clone(),
                None => return key,
            }
        }
    }

    fn view(&self, root: &KeyId) -> TrustView {
        TrustView::build(root, &self.trust, &self.forks)
    }
}

/// Checks files, with what other files said about trust.
///
/// Without a pinned root nothing says who the author is; what can be seen all the same is a wrong signature, a withdrawal, a
/// revocation and a fork. Bundles are a log: that they hold what was withdrawn later is no fault of theirs.
/// `kepu-web/static/verify.html` decides the same way in a browser.
pub struct Verifier {
    pin: Option<Pin>,
    known: Known,
}

impl Verifier {
    /// `pin`: if given, certificates must lead from it to every author.
    pub fn new(pin: Option<Pin>) -> Self {
        Self { pin, known: Known::default() }
    }

    /// Takes certificates, revocations and withdrawals from a file; they count as if they stood in every other one.
    pub fn learn(&mut self, input: impl Read) -> Result<(), String> {
        let known = &mut self.known;
        gather(input, |record, source| known.absorb(&record, source)).map(drop)
    }

    /// The same from records that somebody already read, such as those that a node holds.
    pub fn learn_record(&mut self, record: &Record) {
        self.known.absorb(record, Source::Log);
    }

    /// Checks a file: a record with its proof, one a line, a list, `{"records": […]}`, frames, or a bundle.
    pub fn verify(&self, file: &str, input: impl Read) -> Verified {
        let mut seen = Seen { known: self.known.clone(), waiting: vec![], view: None, first: None, wrong: None, pin: self.pin.as_ref() };
        let result = gather(input, |record, source| seen.take(record, source));
        seen.settle();
        let (by, at, broken) = match result {
            Ok(Some(Packed { by, at, broken })) => (KeyId(by), at, broken),
            Ok(None) => seen.first.take().map(|(by, at)| (by, at, None)).unwrap_or_else(|| (KeyId(String::new()), String::new(), None)),
            Err(reason) => return Verified { file: file.into(), reason, ..Verified::default() },
        };
        let chain = match &seen.view {
            Some(view) => view.chain(&by),
            None => seen.known.view(&seen.known.top(by.clone())).chain(&by),
        };
        let reason = broken.or(seen.wrong).unwrap_or_default();
        let chain = chain.into_iter().map(|key| key.0).collect();
        Verified { file: file.into(), ok: reason.is_empty(), by: by.0, at, chain, reason }
    }
}

/// Judges records one after the other. Those that came before all certificates were read wait for them.
struct Seen<'a> {
    known: Known,
    waiting: Vec<(Record, Source)>,
    view: Option<TrustView>,
    first: Option<(KeyId, String)>,
    wrong: Option<String>,
    pin: Option<&'a Pin>,
}

impl Seen<'_> {
    fn take(&mut self, record: Record, source: Source) {
        self.first.get_or_insert_with(|| (record.envelope.place.key.clone(), record.modified.clone()));
        self.known.absorb(&record, source);
        if let Err(error) = &record.body {
            self.wrong.get_or_insert(format!("{}: {error}", record.envelope.place));
        }
        match (source, record.envelope.place.stream) {
            // Without a root a log only has to be genuine.
            (Source::Log, _) if self.pin.is_none() => {}
            // In a bundle the library comes last and may be long: it is judged at once, by what stands before it.
            (Source::Log, Stream::Lib) if self.view.is_some() || self.waiting.len() > 20_000 => {
                self.settle();
                self.judge(&record, source);
            }
            _ => self.waiting.push((record, source)),
        }
    }

    fn settle(&mut self) {
        if self.waiting.is_empty() && (self.view.is_some() || self.pin.is_none()) {
            return;
        }
        let author = self.first.as_ref().map_or_else(|| KeyId::from(""), |first| first.0.clone());
        let root = self.pin.map_or_else(|| self.known.top(author), |pin| pin.key(&self.known.authors));
        self.view = Some(self.known.view(&root));
        for (record, source) in std::mem::take(&mut self.waiting) {
            self.judge(&record, source);
        }
    }

    fn judge(&mut self, record: &Record, source: Source) {
        let (Some(view), Ok(body)) = (&self.view, &record.body) else { return };
        let refused = match source {
            _ if self.pin.is_some() => view.check(&record.envelope, body).err().map(|refusal| refusal.to_string()),
            Source::Log => None,
            Source::List => ended(&record.envelope.place, view),
        };
        let withdrawn = || if source == Source::Log { None } else { self.withdrawal(record, view) };
        if let Some(fault) = refused.or_else(withdrawn) {
            self.wrong.get_or_insert(format!("{}: {fault}", record.envelope.place));
        }
    }

    fn withdrawal(&self, record: &Record, view: &TrustView) -> Option<String> {
        let place = &record.envelope.place;
        if place.stream != Stream::Lib {
            return None;
        }
        self.known.withdrawals.iter().filter(|other| other.envelope.subject == record.envelope.subject).find_map(|other| match &other.body {
            Ok(body @ Body::Retraction(retraction)) if publication::covers(retraction, place, view) => {
                let own = self.pin.is_none() && other.envelope.place.key == place.key && other.envelope.place.stream == Stream::Alert;
                (own || view.check(&other.envelope, body).is_ok()).then(|| format!("withdrawn by {}: {}", retraction.by, retraction.reason))
            }
            _ => None,
        })
    }
}

/// The records of a file in order, signatures checked, nothing else: who may say what is judged by [`Verifier`].
pub fn records(input: impl Read) -> Result<Vec<Record>, String> {
    let mut list = Vec::new();
    gather(input, |record, _| list.push(record))?;
    Ok(list)
}

/// Without a pinned root nobody says what a key may do; that it was ended or signed twice is proof enough.
fn ended(place: &Place, view: &TrustView) -> Option<String> {
    let refusal = view.check_place(place).err()?;
    matches!(refusal, Refusal::Revoked { .. } | Refusal::Frozen { .. }).then(|| refusal.to_string())
}
