//! The one way in: publishing here and receiving from a peer both end in [`apply`]. Public tables are a fold of the
//! records held and are made again from them alone by [`rebuild`].
//!
//! Signing is in `publish`, which numbers are known in `numbers`, signed heads in `heads`, bodies that go in `erase`.

mod erase;
pub mod heads;
mod numbers;
mod publish;
mod spoken;

pub use erase::erase;
pub use heads::publish_head;
pub(crate) use numbers::counter_name;
pub use numbers::{has_holes, note_numbers, note_skips, reopen_skips};
pub use publish::{Saying, publish};

use crate::App;
use crate::error::AppError;
use kepu_domain::create::credential::Reach;
use kepu_domain::create::draft::Matter;
use kepu_domain::ids::{KeyId, SubjectId};
use kepu_domain::org::Region;
use kepu_domain::publication::{Dossier, Placed, Standing, Version, standing};
use kepu_domain::record::{Body, DocHash, ForkProof, Place, Stream, Stub};
use kepu_domain::trust::{TrustRecord, TrustView};
use kepu_store::media::{self, Media, Use};
use kepu_store::record::Row;
use kepu_store::{Tx, counter, subject};
use kepu_sync::frame::{Content, Item};
use kepu_sync::record::{Record, Unverified, verify_stub};
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
    /// Bodies that a withdrawal took away.
    pub erased: usize,
}

impl Report {
    /// Adds another batch.
    pub fn add(&mut self, other: Report) {
        self.applied += other.applied;
        self.duplicates += other.duplicates;
        self.rejected.extend(other.rejected);
        self.refused.extend(other.refused);
        self.forks.extend(other.forks);
        self.erased += other.erased;
    }
}

/// What passed [`check`]: genuine, whatever it may count for.
#[derive(Clone, Debug, Default)]
pub struct Genuine {
    /// Whole records.
    pub records: Vec<Record>,
    /// What stays of erased ones.
    pub stubs: Vec<(Place, Stub)>,
}

impl From<Vec<Record>> for Genuine {
    fn from(records: Vec<Record>) -> Self {
        Self { records, stubs: vec![] }
    }
}

/// Reads and checks signatures; no store needed. Items in the result keep their order.
pub fn check(items: Vec<Item>) -> (Genuine, Vec<(Place, String)>) {
    let mut rejected = Vec::new();
    let mut stubs = Vec::new();
    let mut unverified = Vec::with_capacity(items.len());
    for item in items {
        let doc = match item.content {
            Content::Doc(doc) => doc,
            Content::Erased { modified, doc } => {
                let stub = Stub { modified, doc, signature: item.signature };
                match erase::check_stub(&item.place, &stub) {
                    Ok(()) => stubs.push((item.place, stub)),
                    Err(why) => rejected.push((item.place, why)),
                }
                continue;
            }
        };
        match Unverified::read(doc, item.signature) {
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
    (Genuine { records, stubs }, rejected)
}

/// Applies what is genuine within `tx`. `source` is the peer it came from, empty for this node.
///
/// Order and repetition never matter. Writes: records, heads, forks, subjects, wanted media. The caller commits.
pub async fn apply(app: &App, tx: &mut Tx, genuine: impl Into<Genuine>, source: &str) -> Result<Report, AppError> {
    let mut genuine = genuine.into();
    erase::withhold(&mut genuine);
    let mut report = Report::default();
    let before = app.trust(tx).await?;
    let sorted = sort_out(tx, genuine, &mut report).await?;
    for fork in &sorted.forks {
        if kepu_store::record::insert_fork(tx, fork).await? {
            report.forks.push(fork.place.clone());
        }
    }
    let fresh = &sorted.fresh;
    let changes_trust = !sorted.forks.is_empty() || fresh.iter().any(|r| matches!(&r.body, Ok(Body::Trust(_) | Body::Fork(_))));
    let trust = if changes_trust { Arc::new(build_trust(app, tx, fresh).await?) } else { before.clone() };
    let refusals: Vec<String> = fresh.iter().map(|record| refusal(record, &trust)).collect();
    for (record, why) in fresh.iter().zip(&refusals) {
        if !why.is_empty() {
            report.refused.push((record.envelope.place.clone(), why.clone()));
        }
    }
    let mut touched: BTreeSet<SubjectId> = fresh.iter().filter(|r| r.envelope.place.stream != Stream::Trust).map(|r| r.envelope.subject.clone()).collect();
    let held = subject_rows(tx, &touched).await?;
    insert(tx, &sorted, &refusals, source).await?;
    // A stub uses up its number like a whole record.
    numbers::raise_own(app, tx, fresh.iter().map(|record| &record.envelope.place).chain(sorted.stubs.iter().map(|(place, _)| place))).await?;
    report.applied = fresh.len() + sorted.stubs.len();
    let counting: Vec<&Record> = fresh.iter().zip(&refusals).filter(|(_, why)| why.is_empty()).map(|(r, _)| r).collect();
    heads::note(tx, &counting).await?;
    if changes_trust {
        touched.extend(recheck(tx, &before, &trust).await?);
        counter::take(tx, "trust", 1).await?;
        app.forget_trust();
        let all = subject_rows(tx, &touched).await?;
        report.erased = fold(app, tx, &touched, &all, &[], &trust).await?;
    } else {
        report.erased = fold(app, tx, &touched, &held, &counting, &trust).await?;
    }
    Ok(report)
}

/// What a batch brings, against what is held.
#[derive(Default)]
struct Sorted {
    /// Records that are not held, or only without their bodies.
    fresh: Vec<Record>,
    /// Those of `fresh` whose stub is held.
    back: HashSet<Place>,
    /// Stubs of records that are not held at all.
    stubs: Vec<(Place, Stub)>,
    /// Second documents at places that are taken.
    forks: Vec<ForkProof>,
}

/// Drops what is here already and finds second records at places that are taken.
async fn sort_out(tx: &mut Tx, genuine: Genuine, report: &mut Report) -> Result<Sorted, AppError> {
    let mut places: Vec<Place> = genuine.records.iter().map(|r| r.envelope.place.clone()).collect();
    places.extend(genuine.stubs.iter().map(|(place, _)| place.clone()));
    let existing = kepu_store::record::existing(tx, &places).await?;
    let mut taken: HashMap<Place, Stub> = HashMap::new();
    let mut sorted = Sorted::default();
    for record in genuine.records {
        let place = record.envelope.place.clone();
        match existing.get(&place) {
            Some(held) if held.hash != record.hash => sorted.forks.extend(fork_with_held(tx, place, record.stub()).await?),
            Some(held) if held.whole || erase::stays_erased(tx, &place).await? => report.duplicates += 1,
            held => match taken.get(&place) {
                Some(first) if first.doc == record.hash => report.duplicates += 1,
                Some(first) => sorted.forks.push(fork_proof(place, first.clone(), record.stub())),
                None => {
                    if held.is_some() {
                        sorted.back.insert(place.clone());
                    }
                    taken.insert(place, record.stub());
                    sorted.fresh.push(record);
                }
            },
        }
    }
    for (place, stub) in genuine.stubs {
        match (existing.get(&place), taken.get(&place)) {
            (Some(held), _) if held.hash != stub.doc => sorted.forks.extend(fork_with_held(tx, place, stub).await?),
            (None, Some(first)) if first.doc != stub.doc => sorted.forks.push(fork_proof(place, first.clone(), stub)),
            (None, None) => {
                taken.insert(place.clone(), stub.clone());
                sorted.stubs.push((place, stub));
            }
            _ => report.duplicates += 1,
        }
    }
    Ok(sorted)
}

async fn fork_with_held(tx: &mut Tx, place: Place, other: Stub) -> Result<Option<ForkProof>, AppError> {
    let Some(row) = kepu_store::record::find(tx, &place).await? else { return Ok(None) };
    let held = Stub { modified: row.modified, doc: row.doc_hash, signature: row.sig };
    Ok(Some(fork_proof(place, held, other)))
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

async fn insert(tx: &mut Tx, sorted: &Sorted, refusals: &[String], source: &str) -> Result<(), AppError> {
    let count = sorted.fresh.len() + sorted.stubs.len();
    if count == 0 {
        return Ok(());
    }
    let first = counter::take(tx, counter::ARRIVAL, count as i64).await?;
    let mut rows: Vec<Row> =
        sorted.fresh.iter().zip(refusals).zip(first..).map(|((record, refusal), arrival)| row_of(record, arrival, source, refusal)).collect();
    for row in rows.extract_if(.., |row| !sorted.back.is_empty() && sorted.back.contains(&row.place())) {
        kepu_store::record::restore(tx, &row).await?;
    }
    let above = first + sorted.fresh.len() as i64;
    rows.extend(sorted.stubs.iter().zip(above..).map(|((place, stub), arrival)| erase::stub_row(place, stub, arrival, source)));
    kepu_store::record::insert_many(tx, &rows).await?;
    let numbers: Vec<(Place, i64)> = rows.into_iter().map(|row| (row.place(), row.n)).collect();
    note_numbers(tx, numbers).await
}

fn row_of(record: &Record, arrival: i64, source: &str, refusal: &str) -> Row {
    Row {
        key: record.envelope.place.key.clone(),
        stream: record.envelope.place.stream,
        n: record.envelope.place.n,
        arrival,
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
        refusal: refusal.to_owned(),
    }
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

/// All rows about `subjects`, also those that do not count.
async fn subject_rows(tx: &mut Tx, subjects: &BTreeSet<SubjectId>) -> Result<HashMap<SubjectId, Vec<Row>>, AppError> {
    let list: Vec<SubjectId> = subjects.iter().cloned().collect();
    let mut by_subject: HashMap<SubjectId, Vec<Row>> = HashMap::new();
    for row in kepu_store::record::list_by_subjects(tx, &list).await? {
        by_subject.entry(row.subject.clone()).or_default().push(row);
    }
    Ok(by_subject)
}

struct Part {
    place: Place,
    region: Region,
    kind: String,
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
        Some(Self {
            place: record.envelope.place.clone(),
            region: record.envelope.region,
            kind: record.kind.clone(),
            hash: record.hash,
            modified: record.envelope.modified,
            body,
            matter,
        })
    }
}

/// Computes how each subject stands from `held` rows and `fresh` records, and writes its public row. Returns how many bodies
/// a withdrawal took away.
async fn fold(
    app: &App,
    tx: &mut Tx,
    subjects: &BTreeSet<SubjectId>,
    held: &HashMap<SubjectId, Vec<Row>>,
    fresh: &[&Record],
    trust: &TrustView,
) -> Result<usize, AppError> {
    if subjects.is_empty() {
        return Ok(0);
    }
    let mut parts: HashMap<&SubjectId, Vec<Part>> = HashMap::new();
    for record in fresh {
        if let Some(part) = Part::new(record) {
            parts.entry(&record.envelope.subject).or_default().push(part);
        }
    }
    let mut rows = Vec::with_capacity(subjects.len());
    let mut gone = Vec::new();
    let mut files = Files::default();
    let mut spoken = spoken::Batch::default();
    let mut erased = 0;
    let mut seq = counter::take(tx, counter::SUBJECT, subjects.len() as i64).await?;
    for id in subjects {
        let mut mine = parts.remove(id).unwrap_or_default();
        for row in held.get(id).into_iter().flatten() {
            let part = read_row(row.clone()).as_ref().and_then(Part::new);
            match part {
                Some(part) if row.refusal.is_empty() => mine.push(part),
                Some(part) => files.note(id, &part, None),
                None => {}
            }
        }
        erased += erase::carry_out(tx, &mut mine, trust).await?;
        let kinds = mine.iter().map(|part| part.kind.as_str()).chain(held.get(id).into_iter().flatten().map(|row| row.kind.as_str()));
        if spoken::is_spoken(kinds) {
            spoken.note(id, &mine, trust);
            continue;
        }
        let row = public_row(id, &mine, trust, seq);
        let shown = row.as_ref().filter(|row| row.standing == subject::Standing::Public).and_then(|row| row.doc_hash);
        mine.iter().for_each(|part| files.note(id, part, shown));
        match row {
            Some(row) => rows.push(row),
            None => gone.push(id.clone()),
        }
        seq += 1;
    }
    subject::upsert_many(tx, &rows).await?;
    subject::delete_many(tx, &gone).await?;
    kepu_store::deliver::change::note(tx, &rows, &gone, app.now().as_millisecond()).await?;
    files.store(tx).await?;
    spoken.store(app, tx).await?;
    Ok(erased)
}

/// The files that subjects name, as far as they were looked through.
#[derive(Default)]
struct Files {
    uses: std::collections::BTreeMap<(String, SubjectId), bool>,
    wanted: Vec<Media>,
}

impl Files {
    /// Notes what one version names. `shown`: the version that is public.
    fn note(&mut self, id: &SubjectId, part: &Part, shown: Option<DocHash>) {
        let Some(Matter::Resource(resource)) = &part.matter else { return };
        let live = shown == Some(part.hash);
        for file in resource.media.iter().filter(|file| crate::media::is_hash(&file.hash) && file.size > 0) {
            *self.uses.entry((file.hash.clone(), id.clone())).or_default() |= live;
            if live {
                let (hash, media_type) = (file.hash.clone(), file.media_type.clone());
                self.wanted.push(Media { hash, media_type, size: file.size, created_at: part.modified, wanted: true, have: false });
            }
        }
    }

    /// What the public names is wanted; what no public version names any more is not.
    async fn store(self, tx: &mut Tx) -> Result<(), AppError> {
        let uses: Vec<Use> = self.uses.into_iter().map(|((hash, subject), live)| Use { hash, subject, live }).collect();
        media::put_uses(tx, &uses).await?;
        for file in self.wanted {
            media::upsert(tx, &file).await?;
        }
        for one in uses.iter().filter(|one| !one.live) {
            if media::count_uses(tx, &one.hash).await?.1 == 0 {
                media::set_wanted(tx, &one.hash, false).await?;
            }
        }
        Ok(())
    }
}

fn public_row(id: &SubjectId, parts: &[Part], trust: &TrustView, seq: i64) -> Option<subject::Row> {
    let mut dossier = Dossier::default();
    for part in parts {
        let place = part.place.clone();
        let modified = part.modified;
        match &part.body {
            Body::Review(doc) => dossier.reviews.push(Placed { place, modified, doc: doc.clone() }),
            Body::Retraction(doc) => dossier.retractions.push(Placed { place, modified, doc: doc.clone() }),
            Body::Hold(doc) => dossier.holds.push(Placed { place, modified, doc: doc.clone() }),
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
        Standing::Public { doc, .. } | Standing::Held { doc, .. } => Some(*doc),
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
        }
        Standing::Withdrawn { reason, by, at, .. } => {
            row.standing = subject::Standing::Withdrawn;
            row.reason = reason;
            row.withdrawn_by = by;
            row.withdrawn_at = Some(at.as_millisecond());
        }
        Standing::Held { hold, at, .. } => {
            row.standing = subject::Standing::Withdrawn;
            row.reason = hold.reason;
            row.withdrawn_by = hold.by;
            row.withdrawn_at = Some(at.as_millisecond());
            row.held = Some(hold.next.to_string());
        }
        // What is here but not fit to be shown has no public row at all.
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
        same_as: empty(),
        held: None,
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
    // A correction names its day; that of the day on which this version was made was made with it, so lists keep the hour.
    let modified = row.modified;
    let latest = |list: &[kepu_domain::create::resource::Correction]| {
        let Some(day) = list.iter().map(|c| c.date).max() else { return 0 };
        let begin = jiff::tz::Offset::constant(8).to_timestamp(day.at(0, 0, 0, 0)).map_or(0, |t| t.as_millisecond());
        if (begin..begin + 24 * 3_600_000).contains(&modified) { modified } else { begin }
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
            row.same_as = c.same_as.as_ref().map(|id| id.0.clone()).unwrap_or_default();
        }
        None => {}
    }
    row
}

/// Makes the public tables again from the records alone. Returns the state hash before and after, and how many records were read.
pub async fn rebuild(app: &App) -> Result<Rebuilt, AppError> {
    let mut tx = app.db.write().await?;
    let before = subject::hash_state(&mut tx).await?;
    subject::clear(&mut tx).await?;
    kepu_store::deliver::warning::clear(&mut tx).await?;
    kepu_store::deliver::drill::clear(&mut tx).await?;
    kepu_store::listen::decision::clear(&mut tx).await?;
    media::clear_uses(&mut tx).await?;
    media::clear_wanted(&mut tx).await?;
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
        fold(app, &mut tx, &part, &held, &[], &trust).await?;
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
