//! The one way in: publishing here and receiving from a peer both end in [`apply`]. Public tables are a fold of the
//! records held and are made again from them alone by [`rebuild`].

use crate::App;
use crate::error::AppError;
use kepu_domain::create::credential::Reach;
use kepu_domain::create::draft::Matter;
use kepu_domain::ids::{KeyId, SubjectId};
use kepu_domain::org::Region;
use kepu_domain::publication::{Dossier, Placed, Standing, Version, standing};
use kepu_domain::record::{Body, DocHash, Envelope, ForkProof, Place, STREAMS, Stream, Stub};
use kepu_domain::trust::{TrustDoc, TrustRecord, TrustView};
use kepu_store::record::{Row, StreamHead};
use kepu_store::{Tx, counter, subject};
use kepu_sync::frame::Item;
use kepu_sync::record::{Record, RecordError, Unverified};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Records that are new here.
    pub applied: usize,
    /// Records that were here already.
    pub duplicates: usize,
    /// Bytes that are no valid record: nothing of them was kept. Place as claimed, and why.
    pub rejected: Vec<(Place, String)>,
    /// Kept, because they are signed and numbered, but without effect, and why.
    pub refused: Vec<(Place, String)>,
    /// Places where a second, different record was met.
    pub forks: Vec<Place>,
}

impl Report {
    /// Adds another batch.
    pub fn add(&mut self, other: Report) {
        self.applied += other.applied;
        self.duplicates += other.duplicates;
        self.rejected.extend(other.rejected);
        self.refused.extend(other.refused);
        self.forks.extend(other.forks);
    }
}

/// Reads and checks signatures; no store needed. Items in the result keep their order.
pub fn check(items: Vec<Item>) -> (Vec<Record>, Vec<(Place, String)>) {
    let mut rejected = Vec::new();
    let mut unverified = Vec::with_capacity(items.len());
    for item in items {
        match Unverified::read(item.doc, item.signature) {
            Ok(read) if *read.place() == item.place => unverified.push(read),
            Ok(read) => rejected.push((item.place, format!("it says of itself that it stands at {}", read.place()))),
            Err(error) => rejected.push((item.place, error.to_string())),
        }
    }
    let places: Vec<Place> = unverified.iter().map(|u| u.place().clone()).collect();
    let mut records = Vec::with_capacity(unverified.len());
    for (place, result) in places.into_iter().zip(kepu_sync::record::verify_all(unverified)) {
        match result {
            Ok(record) => records.push(record),
            Err(error) => rejected.push((place, error.to_string())),
        }
    }
    (records, rejected)
}

/// Applies verified records within `tx`. `source` is the peer they came from, empty for this node.
///
/// Order and repetition never matter. Writes: records, heads, forks, subjects, wanted media. The caller commits.
pub async fn apply(app: &App, tx: &mut Tx, records: Vec<Record>, source: &str) -> Result<Report, AppError> {
    let mut report = Report::default();
    let before = app.trust(tx).await?;
    let (fresh, forks) = sort_out(tx, records, &mut report).await?;
    for fork in &forks {
        if kepu_store::record::insert_fork(tx, fork).await? {
            report.forks.push(fork.place.clone());
        }
    }
    let changes_trust = !forks.is_empty() || fresh.iter().any(|r| matches!(&r.body, Ok(Body::Trust(_) | Body::Fork(_))));
    let trust = if changes_trust { Arc::new(build_trust(app, tx, &fresh).await?) } else { before.clone() };
    let refusals: Vec<String> = fresh.iter().map(|record| refusal(record, &trust)).collect();
    for (record, why) in fresh.iter().zip(&refusals) {
        if !why.is_empty() {
            report.refused.push((record.envelope.place.clone(), why.clone()));
        }
    }
    let mut touched: BTreeSet<SubjectId> = fresh.iter().filter(|r| r.envelope.place.stream != Stream::Trust).map(|r| r.envelope.subject.clone()).collect();
    let held = subject_rows(tx, &touched).await?;
    insert(tx, &fresh, &refusals, source).await?;
    report.applied = fresh.len();
    if changes_trust {
        touched.extend(recheck(tx, &before, &trust).await?);
        counter::take(tx, "trust", 1).await?;
        app.forget_trust();
        let all = subject_rows(tx, &touched).await?;
        fold(tx, &touched, &all, &[], &trust).await?;
    } else {
        let counting: Vec<&Record> = fresh.iter().zip(&refusals).filter(|(_, why)| why.is_empty()).map(|(r, _)| r).collect();
        fold(tx, &touched, &held, &counting, &trust).await?;
    }
    Ok(report)
}

/// Drops what is here already and finds second records at places that are taken.
async fn sort_out(tx: &mut Tx, records: Vec<Record>, report: &mut Report) -> Result<(Vec<Record>, Vec<ForkProof>), AppError> {
    let places: Vec<Place> = records.iter().map(|r| r.envelope.place.clone()).collect();
    let existing = kepu_store::record::existing(tx, &places).await?;
    let mut taken: HashMap<Place, usize> = HashMap::new();
    let (mut fresh, mut forks): (Vec<Record>, Vec<ForkProof>) = (Vec::with_capacity(records.len()), Vec::new());
    for record in records {
        let place = record.envelope.place.clone();
        if let Some(hash) = existing.get(&place) {
            if *hash == record.hash {
                report.duplicates += 1;
            } else if let Some(row) = kepu_store::record::find(tx, &place).await? {
                let held = Stub { modified: row.modified, doc: row.doc_hash, signature: row.sig };
                forks.push(fork_proof(place, held, record.stub()));
            }
        } else if let Some(at) = taken.get(&place) {
            if fresh[*at].hash == record.hash {
                report.duplicates += 1;
            } else {
                forks.push(fork_proof(place, fresh[*at].stub(), record.stub()));
            }
        } else {
            taken.insert(place, fresh.len());
            fresh.push(record);
        }
    }
    Ok((fresh, forks))
}

/// The same two stubs make the same proof on every node, whichever came first.
fn fork_proof(place: Place, a: Stub, b: Stub) -> ForkProof {
    let stubs = if a.doc <= b.doc { [a, b] } else { [b, a] };
    ForkProof { place, stubs }
}

fn refusal(record: &Record, trust: &TrustView) -> String {
    match &record.body {
        Err(error) => error.to_string(),
        Ok(body) => trust.check(&record.envelope, body).err().map(|e| e.to_string()).unwrap_or_default(),
    }
}

async fn insert(tx: &mut Tx, fresh: &[Record], refusals: &[String], source: &str) -> Result<(), AppError> {
    if fresh.is_empty() {
        return Ok(());
    }
    let first = counter::take(tx, "arrival", fresh.len() as i64).await?;
    let rows: Vec<Row> = fresh
        .iter()
        .zip(refusals)
        .enumerate()
        .map(|(at, (record, refusal))| Row {
            key: record.envelope.place.key.clone(),
            stream: record.envelope.place.stream,
            n: record.envelope.place.n,
            arrival: first + at as i64,
            doc_hash: record.hash,
            modified: record.modified.clone(),
            sig: record.signature.clone(),
            doc: Some(record.doc.clone()),
            kind: record.kind.clone(),
            subject: record.envelope.subject.clone(),
            region: record.envelope.region,
            fields: record.envelope.fields.clone(),
            lang: record.envelope.lang.clone(),
            source: source.to_owned(),
            refusal: refusal.clone(),
        })
        .collect();
    kepu_store::record::insert_many(tx, &rows).await?;
    let numbers = fresh.iter().map(|r| (r.envelope.place.clone(), r.envelope.place.n));
    note_numbers(tx, numbers).await
}

/// Notes numbers as held (or as ranges known to lie outside the scope): heads move up, holes close or open.
pub async fn note_numbers(tx: &mut Tx, numbers: impl Iterator<Item = (Place, i64)>) -> Result<(), AppError> {
    let mut by_stream: HashMap<(KeyId, Stream), Vec<(i64, i64)>> = HashMap::new();
    for (place, to) in numbers {
        by_stream.entry((place.key, place.stream)).or_default().push((place.n, to));
    }
    let keys: Vec<(KeyId, Stream)> = by_stream.keys().cloned().collect();
    let mut heads: HashMap<(KeyId, Stream), StreamHead> =
        kepu_store::record::get_heads(tx, &keys).await?.into_iter().map(|head| ((head.key.clone(), head.stream), head)).collect();
    let mut changed = Vec::with_capacity(keys.len());
    for ((key, stream), mut ranges) in by_stream {
        let mut head = heads.remove(&(key.clone(), stream)).unwrap_or(StreamHead { key, stream, high: 0, holes: vec![] });
        ranges.sort_unstable();
        for (from, to) in ranges {
            fill(&mut head, from, to);
        }
        changed.push(head);
    }
    kepu_store::record::put_heads(tx, &changed).await?;
    Ok(())
}

/// Marks `from..=to` as known in a head.
fn fill(head: &mut StreamHead, from: i64, to: i64) {
    if from > head.high + 1 {
        head.holes.push((head.high + 1, from - 1));
    }
    head.holes = head.holes.iter().flat_map(|(a, b)| [(*a, (*b).min(from - 1)), ((*a).max(to + 1), *b)]).filter(|(a, b)| a <= b).collect();
    head.holes.sort_unstable();
    head.holes.dedup();
    head.high = head.high.max(to);
}

/// Folds all trust documents held, with `fresh` ones not yet in the store.
async fn build_trust(app: &App, tx: &mut Tx, fresh: &[Record]) -> Result<TrustView, AppError> {
    let root = app.root(tx).await?;
    let mut records = Vec::new();
    let mut forks = kepu_store::record::list_forks(tx, 10_000).await?.into_iter().map(|f| f.place).collect::<Vec<_>>();
    for row in kepu_store::record::list_trust(tx).await? {
        if let Some(record) = read_row(row) {
            collect_trust(&record, &mut records, &mut forks);
        }
    }
    fresh.iter().for_each(|record| collect_trust(record, &mut records, &mut forks));
    Ok(TrustView::build(&root, &records, &forks))
}

fn collect_trust(record: &Record, records: &mut Vec<TrustRecord>, forks: &mut Vec<Place>) {
    match &record.body {
        Ok(Body::Trust(doc)) => {
            let date = jiff::tz::Offset::UTC.to_datetime(record.envelope.modified).date();
            records.push(TrustRecord { place: record.envelope.place.clone(), date, doc: doc.clone() });
        }
        // Proofs stand by themselves: whoever passed them on need not be trusted. The stubs were checked when read.
        Ok(Body::Fork(proof)) => forks.push(proof.place.clone()),
        _ => {}
    }
}

/// Loads the trust view from the store alone.
pub(crate) async fn load_trust(app: &App, tx: &mut Tx) -> Result<TrustView, AppError> {
    build_trust(app, tx, &[]).await
}

/// After a change of trust: which records count now; returns the subjects that they are about.
async fn recheck(tx: &mut Tx, before: &TrustView, after: &TrustView) -> Result<HashSet<SubjectId>, AppError> {
    let mut keys: BTreeSet<KeyId> = BTreeSet::new();
    for (key, grant) in before.grants().chain(after.grants()) {
        if before.grant(key) != after.grant(key) || before.grant(key) != Some(grant) {
            keys.insert(key.clone());
        }
    }
    let forks = |view: &TrustView| view.forks().map(|(key, stream, n)| (key.clone(), stream, n)).collect::<BTreeSet<_>>();
    keys.extend(forks(before).symmetric_difference(&forks(after)).map(|(key, ..)| key.clone()));
    if before.policy != after.policy {
        keys.extend(after.grants().map(|(key, _)| key.clone()));
    }
    let mut subjects = HashSet::new();
    for key in keys {
        for subject in kepu_store::record::list_by_signer(tx, &key).await? {
            subjects.insert(subject);
        }
        let mut changed = Vec::new();
        let mine: Vec<SubjectId> = kepu_store::record::list_by_signer(tx, &key).await?;
        for row in kepu_store::record::list_by_subjects(tx, &mine).await?.into_iter().filter(|row| row.key == key) {
            let (place, old) = (row.place(), row.refusal.clone());
            if let Some(record) = read_row(row) {
                let now = refusal(&record, after);
                if now != old {
                    changed.push((place, now));
                }
            }
        }
        kepu_store::record::set_refusal(tx, &changed).await?;
    }
    Ok(subjects)
}

/// A stored row as a record again. Signatures were checked when it came in. `None` if its body was erased.
pub fn read_row(row: Row) -> Option<Record> {
    let doc = row.doc?;
    match Unverified::read(doc, row.sig) {
        Ok(read) => Some(read.trust_stored()),
        Err(error) => {
            tracing::error!(record.place = %Place { key: row.key, stream: row.stream, n: row.n }, %error, "a stored record cannot be read");
            None
        }
    }
}

async fn subject_rows(tx: &mut Tx, subjects: &BTreeSet<SubjectId>) -> Result<HashMap<SubjectId, Vec<Row>>, AppError> {
    let list: Vec<SubjectId> = subjects.iter().cloned().collect();
    let mut by_subject: HashMap<SubjectId, Vec<Row>> = HashMap::new();
    for row in kepu_store::record::list_by_subjects(tx, &list).await? {
        if row.refusal.is_empty() {
            by_subject.entry(row.subject.clone()).or_default().push(row);
        }
    }
    Ok(by_subject)
}

struct Part {
    place: Place,
    region: Region,
    hash: DocHash,
    modified: jiff::Timestamp,
    body: Body,
    matter: Option<Matter>,
}

impl Part {
    fn new(record: &Record) -> Option<Self> {
        let body = record.body.as_ref().ok()?.clone();
        let matter = match &body {
            Body::Resource(resource) => Some(Matter::Resource(resource.clone())),
            Body::Claim(claim) => Some(Matter::Claim(claim.clone())),
            _ => None,
        };
        Some(Self { place: record.envelope.place.clone(), region: record.envelope.region, hash: record.hash, modified: record.envelope.modified, body, matter })
    }
}

/// Computes how each subject stands from `held` rows and `fresh` records, and writes its public row.
async fn fold(tx: &mut Tx, subjects: &BTreeSet<SubjectId>, held: &HashMap<SubjectId, Vec<Row>>, fresh: &[&Record], trust: &TrustView) -> Result<(), AppError> {
    if subjects.is_empty() {
        return Ok(());
    }
    let mut parts: HashMap<&SubjectId, Vec<Part>> = HashMap::new();
    for record in fresh {
        if let Some(part) = Part::new(record) {
            parts.entry(&record.envelope.subject).or_default().push(part);
        }
    }
    let mut rows = Vec::with_capacity(subjects.len());
    let mut gone = Vec::new();
    let mut wanted = Vec::new();
    let mut seq = counter::take(tx, "subject", subjects.len() as i64).await?;
    for id in subjects {
        let mut mine = parts.remove(id).unwrap_or_default();
        for row in held.get(id).into_iter().flatten() {
            mine.extend(read_row(row.clone()).as_ref().and_then(Part::new));
        }
        match public_row(id, &mine, trust, seq, &mut wanted) {
            Some(row) => rows.push(row),
            None => gone.push(id.clone()),
        }
        seq += 1;
    }
    subject::upsert_many(tx, &rows).await?;
    subject::delete_many(tx, &gone).await?;
    for media in wanted {
        if kepu_store::media::find(tx, &media.hash).await?.is_none() {
            let row = kepu_store::media::Media {
                hash: media.hash,
                media_type: media.media_type,
                size: media.size,
                created_at: jiff::Timestamp::UNIX_EPOCH,
                wanted: true,
                have: false,
            };
            kepu_store::media::upsert(tx, &row).await?;
        }
    }
    Ok(())
}

fn public_row(id: &SubjectId, parts: &[Part], trust: &TrustView, seq: i64, wanted: &mut Vec<kepu_domain::create::resource::Media>) -> Option<subject::Row> {
    let mut dossier = Dossier::default();
    for part in parts {
        let place = part.place.clone();
        let modified = part.modified;
        match &part.body {
            Body::Review(doc) => dossier.reviews.push(Placed { place, modified, doc: doc.clone() }),
            Body::Retraction(doc) => dossier.retractions.push(Placed { place, modified, doc: doc.clone() }),
            Body::Correction(doc) => dossier.notices.push(Placed { place, modified, doc: doc.clone() }),
            _ => {
                if part.matter.is_some() || is_self_made(&part.body) {
                    dossier.versions.push(Version { place: &part.place, doc: part.hash, modified, matter: part.matter.as_ref() });
                }
            }
        }
    }
    let outcome = standing(&dossier, trust);
    let shown = match &outcome {
        Standing::Public { doc, .. } => Some(*doc),
        Standing::Withdrawn { doc, .. } => *doc,
        Standing::Hidden => None,
    };
    let part = shown.and_then(|hash| parts.iter().find(|p| p.hash == hash));
    let mut row = match part {
        Some(part) => matter_row(id, part, seq),
        None => blank_row(id, seq),
    };
    match outcome {
        Standing::Public { notice, .. } => {
            row.standing = subject::Standing::Public;
            row.notice = notice.unwrap_or_default();
            if let Some(Matter::Resource(resource)) = part.and_then(|p| p.matter.as_ref()) {
                wanted.extend(resource.media.iter().cloned());
            }
        }
        Standing::Withdrawn { reason, by, at, .. } => {
            row.standing = subject::Standing::Withdrawn;
            row.reason = reason;
            row.withdrawn_by = by;
            row.withdrawn_at = Some(at.as_millisecond());
        }
        // What is held but not fit to be shown has no public row at all.
        Standing::Hidden => return None,
    }
    Some(row)
}

/// Whether a version needs no review: its owner's consent, or the issuer's decision, makes it public.
fn is_self_made(body: &Body) -> bool {
    match body {
        Body::Party(_) => true,
        Body::Credential(credential) => credential.reach == Reach::Public,
        _ => false,
    }
}

fn blank_row(id: &SubjectId, seq: i64) -> subject::Row {
    let empty = String::new;
    subject::Row {
        id: id.clone(),
        kind: empty(),
        standing: subject::Standing::Hidden,
        doc_hash: None,
        signer: KeyId(empty()),
        n: 0,
        title: empty(),
        title_en: empty(),
        summary: empty(),
        type_: empty(),
        verdict: empty(),
        region: Region::NATION,
        fields: vec![],
        audience: vec![],
        lang: empty(),
        hazard: empty(),
        date: empty(),
        modified: 0,
        expires: None,
        notice: empty(),
        reason: empty(),
        withdrawn_by: empty(),
        withdrawn_at: None,
        corrected: 0,
        sample: false,
        seq,
    }
}

fn matter_row(id: &SubjectId, part: &Part, seq: i64) -> subject::Row {
    let mut row = subject::Row {
        doc_hash: Some(part.hash),
        signer: part.place.key.clone(),
        n: part.place.n,
        modified: part.modified.as_millisecond(),
        ..blank_row(id, seq)
    };
    let latest = |list: &[kepu_domain::create::resource::Correction]| {
        list.iter().map(|c| jiff::tz::Offset::UTC.to_timestamp(c.date.at(0, 0, 0, 0)).map_or(0, |t| t.as_millisecond())).max().unwrap_or(0)
    };
    if let Body::Party(card) = &part.body {
        row.kind = "party".into();
        row.title = card.name.clone();
        row.title_en = card.name_en.clone();
        row.summary = [card.text("title"), &card.org].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" · ");
        row.type_ = card.kind.as_str().into();
        row.region = part.region;
        row.fields = card.list("fields");
        row.date = card.confirmed.to_string();
        row.expires = Some(card.expires.to_string());
        row.sample = card.sample;
    }
    if let Body::Credential(credential) = &part.body {
        row.kind = "credential".into();
        row.title = credential.title.clone();
        row.summary = format!("{} · {}", credential.holder, credential.issuer);
        row.type_ = credential.kind.clone();
        row.region = part.region;
        row.lang = credential.lang.clone();
        row.date = credential.issued.to_string();
        row.expires = credential.until.map(|date| date.to_string());
        row.sample = credential.sample;
    }
    match &part.matter {
        Some(Matter::Resource(r)) => {
            row.kind = "resource".into();
            row.title = r.title.clone();
            row.title_en = r.title_en.clone();
            row.summary = r.summary.clone();
            row.type_ = r.kind.clone();
            row.region = r.region;
            row.fields = r.fields.clone();
            row.audience = r.audience.clone();
            row.lang = r.lang.clone();
            row.hazard = r.hazard.clone();
            row.date = r.date.to_string();
            row.expires = r.expires.map(|d| d.to_string());
            row.corrected = latest(&r.corrections);
            row.sample = r.sample;
        }
        Some(Matter::Claim(c)) => {
            row.kind = "claim".into();
            row.title = c.claim.clone();
            row.title_en = c.claim_en.clone();
            row.summary = c.plain.clone();
            row.verdict = c.verdict.as_str().into();
            row.region = c.region;
            row.fields = c.fields.clone();
            row.audience = c.audience.clone();
            row.lang = c.lang.clone();
            row.date = c.checked.to_string();
            row.expires = c.next_check.map(|d| d.to_string());
            row.corrected = latest(&c.corrections);
            row.sample = c.sample;
        }
        None => {}
    }
    row
}

/// Something to say.
#[derive(Clone, Debug)]
pub struct Saying {
    /// What it is about.
    pub subject: SubjectId,
    /// Where it is meant for.
    pub region: Region,
    /// Fields.
    pub fields: Vec<String>,
    /// Language.
    pub lang: String,
    /// What is said.
    pub body: Body,
}

/// Numbers, signs and applies what this node says, within `tx`. Refused by the node's own certificate before anything is signed.
pub async fn publish(app: &App, tx: &mut Tx, sayings: Vec<Saying>) -> Result<Vec<Record>, AppError> {
    let trust = app.trust(tx).await?;
    let now = app.now();
    let mut records = Vec::with_capacity(sayings.len());
    for saying in sayings {
        let stream = saying.body.stream().ok_or_else(|| AppError::Record("a record of an unknown kind cannot be written".into()))?;
        let n = counter::take(tx, &format!("n/{}/{stream}", app.key.id().fingerprint()), 1).await?;
        let place = Place { key: app.key.id().clone(), stream, n };
        let envelope = Envelope { place, modified: now, subject: saying.subject, region: saying.region, fields: saying.fields, lang: saying.lang };
        if !matches!(saying.body, Body::Trust(_)) {
            trust.check(&envelope, &saying.body)?;
        }
        records.push(kepu_sync::record::sign(app.key.signing(), envelope, &saying.body).map_err(|e: RecordError| AppError::Record(e.to_string()))?);
    }
    apply(app, tx, records.clone(), "").await?;
    Ok(records)
}

/// Makes the public tables again from the records alone. Returns the state hash before and after, and how many records were read.
pub async fn rebuild(app: &App) -> Result<Rebuilt, AppError> {
    let mut tx = app.db.write().await?;
    let before = subject::hash_state(&mut tx).await?;
    subject::clear(&mut tx).await?;
    app.forget_trust();
    let trust = load_trust(app, &mut tx).await?;
    let mut after = None;
    let mut records = 0;
    let mut subjects = BTreeSet::new();
    loop {
        let rows = kepu_store::record::list_all(&mut tx, after, 2_000).await?;
        let Some((signer, last)) = rows.last() else { break };
        after = Some((*signer, last.stream, last.n));
        records += rows.len();
        let mut changed = Vec::new();
        for (_, row) in rows {
            if row.stream != Stream::Trust {
                subjects.insert(row.subject.clone());
            }
            let (place, old) = (row.place(), row.refusal.clone());
            if let Some(record) = read_row(row) {
                let now = refusal(&record, &trust);
                if now != old {
                    changed.push((place, now));
                }
            }
        }
        kepu_store::record::set_refusal(&mut tx, &changed).await?;
    }
    let list: Vec<SubjectId> = subjects.into_iter().collect();
    for part in list.chunks(1_000) {
        let part: BTreeSet<SubjectId> = part.iter().cloned().collect();
        let held = subject_rows(&mut tx, &part).await?;
        fold(&mut tx, &part, &held, &[], &trust).await?;
    }
    let hash = subject::hash_state(&mut tx).await?;
    tx.commit().await?;
    Ok(Rebuilt { before, after: hash, records })
}

/// Outcome of [`rebuild`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// State hash before.
    pub before: String,
    /// State hash after.
    pub after: String,
    /// Records read.
    pub records: usize,
}

/// Commits to this node's history: one head record over all its streams, if something was said since the last one.
pub async fn publish_head(app: &App) -> Result<bool, AppError> {
    let mut tx = app.db.write().await?;
    let mut heads = Vec::new();
    for stream in [STREAMS[1], STREAMS[2]] {
        let docs = kepu_store::record::list_doc_hashes(&mut tx, app.key.id(), stream).await?;
        if let Some((n, _)) = docs.last() {
            let hashes: Vec<DocHash> = docs.iter().map(|(_, hash)| *hash).collect();
            heads.push((stream, *n, kepu_sync::merkle::root(&hashes)));
        }
    }
    let word = format!("{heads:?}");
    if heads.is_empty() || kepu_store::meta::find(&mut tx, "last_head").await?.as_deref() == Some(&word) {
        return Ok(false);
    }
    let subject = SubjectId::new(&app.key.id().fingerprint(), "head");
    let body = Body::Trust(TrustDoc::Head { heads });
    publish(app, &mut tx, vec![Saying { subject, region: Region::NATION, fields: vec![], lang: String::new(), body }]).await?;
    kepu_store::meta::set(&mut tx, "last_head", &word).await?;
    tx.commit().await?;
    app.notify();
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_move_up_and_holes_close() {
        let mut head = StreamHead { key: "k".into(), stream: Stream::Lib, high: 0, holes: vec![] };
        fill(&mut head, 3, 3);
        assert_eq!((head.high, head.holes.clone()), (3, vec![(1, 2)]));
        fill(&mut head, 8, 9);
        fill(&mut head, 1, 1);
        assert_eq!((head.high, head.holes.clone()), (9, vec![(2, 2), (4, 7)]));
        fill(&mut head, 2, 6);
        assert_eq!((head.high, head.holes), (9, vec![(7, 7)]));
    }
}
