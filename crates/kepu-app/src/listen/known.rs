//! The public claims of this node, kept ready in memory to be compared with what people say. Follows the subjects' change numbers, so that a claim is found as
//! soon as its record is applied, whoever wrote it, and can be thrown away. What is done with a match is in `hear` and `claim`.

use crate::App;
use crate::error::AppError;
use jiff::civil::Date;
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::claim::{Verdict, answers_for};
use kepu_domain::record::Body;
use kepu_search::claims::{self, Matcher, Sums};
use kepu_search::encoder::{Memory, Role};
use kepu_store::subject::{self, Row, Standing};
use kepu_store::{Tx, counter};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Rows read at once.
const CHUNK: u32 = 1_000;
/// More changes than these are put in by making the matcher anew.
const PUT_MAX: usize = 100;
/// A chain of merges is followed so far; a ring of them ends here too.
const MERGES: usize = 8;
/// Entries of the matcher that are looked at: a claim has one for each wording.
const FOUND: usize = 24;
/// Share of a wording's pairs that stands in the text (`claims::covered`) from which on the text repeats it.
const COPY: f64 = 0.8;
/// An answer of the trees is believed from here on.
const SAID: f64 = 0.3;
/// From here on a claim may be the one that is meant, if the trees give it [`LIKELY`].
///
/// The four were measured on the 162 claims of the seed. Each of 372 wordings taken out and asked for: what is answered is right (5), 103 are offered their claim
/// first and 16 another one; copies are always answered, in either script. Of 1,500 questions about something else none is answered and 48 are offered a claim. The trees
/// alone, a claim's wordings read as one text, answered 169 rightly, 27 wrongly, and 204 of the 1,500.
const SHARED: f64 = 0.2;
/// What the trees must give it at least.
const LIKELY: f64 = 0.05;

/// What is kept, and how far it has read.
#[derive(Default)]
pub struct Kept {
    held: RwLock<Held>,
    /// Held by whoever brings it up to date, so that two do not read the same rows.
    following: tokio::sync::Mutex<()>,
    /// The optional encoder with what it has read.
    encoder: RwLock<Option<Arc<Memory>>>,
    /// Memory for the sums of a search, used again.
    sums: Mutex<Vec<Sums>>,
}

struct Held {
    matcher: Matcher,
    claims: HashMap<SubjectId, Known>,
    /// Claims that were merged into another.
    merged: BTreeMap<SubjectId, SubjectId>,
    /// The same words, whatever their script, width and ornaments.
    exact: HashMap<[u8; 32], SubjectId>,
    /// Change number up to which subjects were read.
    at: i64,
}

impl Default for Held {
    fn default() -> Self {
        Self { matcher: Matcher::new(vec![], 1), claims: HashMap::new(), merged: BTreeMap::new(), exact: HashMap::new(), at: -1 }
    }
}

/// A public claim as far as matching needs it.
#[derive(Clone, Debug)]
struct Known {
    wordings: Vec<String>,
    next_check: Option<Date>,
    verdict: Verdict,
}

/// What is to be done with a claim that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sure {
    /// It says the same: answer with it.
    Yes,
    /// It may: somebody should look.
    Perhaps,
}

/// A claim that says, or may say, what was said.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The claim; of merged ones the one that they were merged into.
    pub claim: SubjectId,
    /// How sure it is that it says the same.
    pub sure: Sure,
    /// Chance that it says the same, 0 to 1.
    pub probability: f64,
    /// Its wording that comes nearest.
    pub wording: String,
    /// Whether its date for being looked at again has passed.
    pub overdue: bool,
}

/// The symbols of a text as one number: the same words in either script, in any width, with any ornament give the same.
pub fn digest(text: &str) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for symbol in claims::reading::read(text) {
        hasher.update((symbol & claims::reading::IDENTITY).to_be_bytes());
    }
    hasher.finalize().into()
}

impl Kept {
    fn read<T>(&self, look: impl FnOnce(&Held) -> T) -> T {
        look(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The claims that say what `text` says, the surest first, at most `limit`. [`refresh`] comes first. Takes up to some milliseconds, with the optional encoder up to a
    /// second: not for an async task.
    pub fn find(&self, text: &str, limit: usize, today: Date) -> Vec<Hit> {
        self.find_with(text, limit, today, Look::Twice)
    }

    /// The same without the encoder: for what comes by thousands.
    pub fn find_quickly(&self, text: &str, limit: usize, today: Date) -> Vec<Hit> {
        self.find_with(text, limit, today, Look::Once)
    }

    fn find_with(&self, text: &str, limit: usize, today: Date, look: Look) -> Vec<Hit> {
        let mut sums = self.sums.lock().ok().and_then(|mut pool| pool.pop()).unwrap_or_default();
        let hits = self.read(|held| held.find(text, limit, today, (&mut sums, look)));
        if let Ok(mut pool) = self.sums.lock() {
            pool.push(sums);
        }
        hits
    }

    fn encoder(&self) -> Option<Arc<Memory>> {
        self.encoder.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on the encoder looks again at what is in doubt.
    pub(crate) fn use_encoder(&self, memory: Arc<Memory>) {
        *self.encoder.write().unwrap_or_else(PoisonError::into_inner) = Some(memory.clone());
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let held = &mut *held;
        let texts: Vec<(String, &str)> =
            held.claims.iter().flat_map(|(id, known)| known.wordings.iter().enumerate().map(|(n, text)| (name(id, n), text.as_str()))).collect();
        held.matcher.use_encoder(memory, texts.iter().map(|(id, text)| (id.as_str(), *text)));
    }

    /// Reads with the encoder what it has not read yet, so that nobody who asks waits for it; `go_on` may stop it between two claims.
    pub(crate) fn read_ahead(&self, go_on: &dyn Fn() -> bool) {
        let Some(memory) = self.encoder() else { return };
        let texts: Vec<String> = self.read(|held| held.claims.values().flat_map(|known| known.wordings.clone()).collect());
        for text in texts.iter().take(Memory::MOST).take_while(|_| go_on()) {
            let _ = memory.get(Role::Query, &[claims::beginning(text)], 1);
        }
    }

    /// The claim that has exactly these words (as [`digest`]), or answers for the one that has.
    pub fn exactly(&self, digest: &[u8; 32]) -> Option<SubjectId> {
        self.read(|held| held.exact.get(digest).map(|id| held.root(id)))
    }

    /// A claim as people say it first, if it is public here.
    pub fn first_wording(&self, id: &SubjectId) -> Option<String> {
        self.read(|held| held.claims.get(id)?.wordings.first().cloned())
    }

    /// How many claims are known.
    pub fn len(&self) -> usize {
        self.read(|held| held.claims.len())
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The claim that `id` was merged into, as far as it is public here; `id` itself if it was not.
    pub fn root(&self, id: &SubjectId) -> SubjectId {
        self.read(|held| held.root(id))
    }

    /// `id` with the claims that were merged into it: their sightings are counted together.
    pub fn family(&self, id: &SubjectId) -> Vec<SubjectId> {
        self.read(|held| {
            let root = held.root(id);
            std::iter::once(root.clone()).chain(held.merged.keys().filter(|one| **one != root && held.root(one) == root).cloned()).collect()
        })
    }
}

impl Held {
    fn root(&self, id: &SubjectId) -> SubjectId {
        let mut at = id;
        for _ in 0..MERGES {
            match self.merged.get(at).filter(|into| self.answers(at, into)) {
                Some(into) if into != id => at = into,
                _ => return at.clone(),
            }
        }
        // A ring of merges: each stays what it is.
        id.clone()
    }

    /// Whether both are public here and the second may answer for the first, whoever merged them.
    fn answers(&self, id: &SubjectId, into: &SubjectId) -> bool {
        let (Some(a), Some(b)) = (self.claims.get(id), self.claims.get(into)) else { return false };
        answers_for((id, a.verdict), (into, b.verdict))
    }

    fn find(&self, text: &str, limit: usize, today: Date, (sums, look): (&mut Sums, Look)) -> Vec<Hit> {
        let found = match look {
            Look::Once => self.matcher.find_quickly(text, FOUND, sums),
            Look::Twice => self.matcher.find(text, FOUND, sums),
        };
        let mut near: Vec<Near> = Vec::new();
        if let Some((id, wording)) = self.exact.get(&digest(text)).and_then(|id| Some((id, self.exact_wording(id, text)?))) {
            near.push(Near { claim: self.root(id), score: 1.0, cover: 1.0, wording });
        }
        for hit in &found.hits {
            let Some((id, wording)) = self.entry(&hit.claim) else { continue };
            let (claim, cover) = (self.root(&id), f64::from(claims::covered(text, wording)));
            match near.iter_mut().find(|near| near.claim == claim) {
                Some(near) => {
                    near.score = (near.score + f64::from(hit.score)).min(1.0);
                    if cover > near.cover {
                        (near.cover, near.wording) = (cover, wording);
                    }
                }
                None => near.push(Near { claim, score: f64::from(hit.score), cover, wording }),
            }
        }
        let sure = f64::from(found.confidence);
        let mut hits: Vec<Hit> = near.iter().filter_map(|near| self.judge(text, near, &found, sure, today)).collect();
        hits.sort_by(|a, b| {
            (a.sure == Sure::Perhaps).cmp(&(b.sure == Sure::Perhaps)).then(b.probability.total_cmp(&a.probability)).then_with(|| a.claim.cmp(&b.claim))
        });
        hits.truncate(limit);
        hits
    }

    /// What is to be done with one claim that was found; none if it shares too little with the text to be shown.
    fn judge(&self, text: &str, near: &Near<'_>, found: &claims::Found, sure: f64, today: Date) -> Option<Hit> {
        let known = self.claims.get(&near.claim)?;
        let copy = near.cover >= COPY;
        let said = found.band == claims::Band::Answer && near.score >= 0.5 * sure && near.cover >= SAID;
        let perhaps = near.cover >= SHARED && near.score >= LIKELY;
        if !copy && !perhaps {
            return None;
        }
        // A claim whose nearest words are turned round is never the answer; it may still be the one that was meant.
        let turned = claims::contradicts(text, near.wording);
        let probability = if copy { near.score.max(near.cover * 0.95) } else { near.score };
        Some(Hit {
            claim: near.claim.clone(),
            sure: if (copy || said) && !turned { Sure::Yes } else { Sure::Perhaps },
            probability: if turned { probability.min(0.5) } else { probability }.clamp(0.0, 1.0),
            wording: near.wording.to_owned(),
            overdue: known.next_check.is_some_and(|day| day <= today),
        })
    }

    /// The wording of a claim that has the words of `text`.
    fn exact_wording(&self, id: &SubjectId, text: &str) -> Option<&str> {
        let key = digest(text);
        self.claims.get(id)?.wordings.iter().find(|wording| digest(wording) == key).map(String::as_str)
    }

    /// Claim and wording of an entry of the matcher.
    fn entry(&self, name: &str) -> Option<(SubjectId, &str)> {
        let (id, number) = name.rsplit_once('#')?;
        let id = SubjectId(id.to_owned());
        let wording = self.claims.get(&id)?.wordings.get(number.parse::<usize>().ok()?)?;
        Some((id, wording))
    }

    /// Takes in a claim as it stands now; `None`: it is not public any more.
    fn change(&mut self, id: &SubjectId, now: Option<(Known, Option<SubjectId>)>, matcher: Index) {
        if let Some(before) = self.claims.remove(id) {
            for (number, wording) in before.wordings.iter().enumerate() {
                let key = digest(wording);
                if self.exact.get(&key) == Some(id) {
                    self.exact.remove(&key);
                }
                if matcher == Index::Now {
                    self.matcher.remove(&name(id, number));
                }
            }
        }
        self.merged.remove(id);
        let Some((known, into)) = now else { return };
        for (number, wording) in known.wordings.iter().enumerate() {
            // Of two claims with the same words the first keeps them; merging is the cure.
            self.exact.entry(digest(wording)).or_insert_with(|| id.clone());
            if matcher == Index::Now {
                self.matcher.put(&name(id, number), wording);
            }
        }
        self.claims.insert(id.clone(), known);
        if let Some(into) = into.filter(|into| into != id) {
            self.merged.insert(id.clone(), into);
        }
    }
}

/// A claim that was found, with its nearest wording.
struct Near<'a> {
    claim: SubjectId,
    score: f64,
    cover: f64,
    wording: &'a str,
}

/// Whether the optional encoder may look again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Once,
    Twice,
}

/// When the matcher learns of a change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Index {
    Now,
    /// It is made anew afterwards.
    Later,
}

/// What the matcher knows a wording by.
fn name(id: &SubjectId, number: usize) -> String {
    format!("{id}#{number}")
}

/// Brings what is kept level with the tables. Cheap when nothing changed.
pub async fn refresh(app: &App) -> Result<(), AppError> {
    let mut tx = app.db.read().await?;
    let latest = counter::last(&mut tx, counter::SUBJECT).await?;
    drop(tx);
    if app.claims.read(|held| held.at) == latest {
        return Ok(());
    }
    let _alone = app.claims.following.lock().await;
    let mut at = app.claims.read(|held| held.at);
    if at >= latest {
        return Ok(());
    }
    let mut changes = Vec::new();
    loop {
        let mut tx = app.db.read().await?;
        let rows = subject::list_changed_of(&mut tx, "claim", at, CHUNK).await?;
        let Some(last) = rows.last().map(|row| row.seq) else { break };
        changes.extend(read_claims(&mut tx, rows).await?);
        at = last;
    }
    let app = app.clone();
    let done = tokio::task::spawn_blocking(move || app.claims.take_in(changes, at.max(latest))).await;
    done.map_err(|fault| AppError::Record(fault.to_string()))
}

type Change = (SubjectId, Option<(Known, Option<SubjectId>)>);

impl Kept {
    fn take_in(&self, changes: Vec<Change>, at: i64) {
        if changes.len() <= PUT_MAX {
            let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
            for (id, now) in changes {
                held.change(&id, now, Index::Now);
            }
            held.at = at;
            return;
        }
        // Only one brings it up to date at a time, so what is read here stays as it is until it is put back.
        let (claims, merged, exact) = self.read(|held| (held.claims.clone(), held.merged.clone(), held.exact.clone()));
        let mut next = Held { claims, merged, exact, at, ..Held::default() };
        for (id, now) in changes {
            next.change(&id, now, Index::Later);
        }
        let numbered = |(id, known): (&SubjectId, &Known)| known.wordings.iter().enumerate().map(|(n, text)| (name(id, n), text.clone())).collect::<Vec<_>>();
        let texts: Vec<(String, String)> = next.claims.iter().flat_map(numbered).collect();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        next.matcher = match self.encoder() {
            Some(memory) => Matcher::with_encoder(texts, threads, memory),
            None => Matcher::new(texts, threads),
        };
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = next;
    }
}

async fn read_claims(tx: &mut Tx, rows: Vec<Row>) -> Result<Vec<Change>, AppError> {
    let hashes: Vec<_> = rows.iter().filter(|row| row.standing == Standing::Public).filter_map(|row| row.doc_hash).collect();
    let mut records: HashMap<_, _> = kepu_store::record::find_by_hashes(tx, &hashes).await?.into_iter().map(|row| (row.doc_hash, row)).collect();
    let mut list = Vec::with_capacity(rows.len());
    for row in rows {
        let record = row.doc_hash.filter(|_| row.standing == Standing::Public).and_then(|hash| records.remove(&hash)).and_then(crate::record::read_row);
        let now = match record.map(|record| record.body) {
            Some(Ok(Body::Claim(claim))) => {
                let next_check = claim.next_check.filter(|_| !claim.is_holding());
                let mut wordings = vec![claim.claim];
                wordings.extend(claim.variants);
                wordings.extend(Some(claim.claim_en).filter(|text| !text.is_empty()));
                Some((Known { wordings, next_check, verdict: claim.verdict }, claim.same_as))
            }
            _ => None,
        };
        list.push((row.id, now));
    }
    Ok(list)
}
