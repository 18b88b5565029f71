//! Editors' index of claims: further wordings, two claims made one and parted again. All of it is a version of the claim that finds the same, so it travels like
//! any version and a later one takes it back (`docs/decisions/0017`). What was found is changed in `create::publish` only.

use crate::App;
use crate::account::{log, log_detail};
use crate::create::publish::{matter_of, may_correct, own_subject, saying_of, under_way};
use crate::error::{AppError, FieldError, text_error};
use crate::keys;
use crate::listen::hear::{self, Band, Said};
use crate::listen::known;
use crate::listen::usefulness::{self, Score};
use crate::record;
use jiff::Timestamp;
use kepu_domain::access::Actor;
use kepu_domain::create::draft::Matter;
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::claim::{Agreement, ClaimReview, Merge, MergeError, MergeStage, VARIANTS_MAX, WORDINGS_WAITING, Wording, answers_for};
use kepu_domain::listen::placement::Placement;
use kepu_domain::listen::question::mask_personal;
use kepu_domain::listen::sighting::{Channel, Heard, shown};
use kepu_domain::org::Region;
use kepu_domain::text::{CLAIM, Limit, NOTE};
use kepu_store::listen::{merge as merges, placement as placements, sighting as sightings, wording as wordings};
use kepu_store::subject::{self, Row, Standing};
use kepu_store::{StoreError, Tx};

/// Answers by one address in a minute that name the claim that was meant.
const PER_MINUTE: u32 = 10;
/// Share of a wording that a text repeats from which on the two can contradict each other.
const NEAR: f32 = 0.2;
/// Places listed.
const PLACES: u32 = 500;
/// Rows of a list on the page.
const LISTED: u32 = 50;

/// Somebody says that they meant `claim`, which was shown as one of several that may be it. The wording waits for the editors, the sighting counts.
///
/// May: anybody. Writes: wording (masked, if the claim is this node's and comes near the text), sighting, log (without the text).
pub async fn meant(app: &App, claim: &SubjectId, said: &Said, address: &str) -> Result<(), AppError> {
    app.limit(address, PER_MINUTE)?;
    let heard = hear::compare(app, &said.text).await?;
    let mut tx = app.db.read().await?;
    subject::find(&mut tx, claim).await?.filter(|row| row.standing == Standing::Public).ok_or_else(|| missing(claim))?;
    drop(tx);
    // Whatever is not near the claim is no wording of it, whoever says so.
    let Some(found) = heard.matches.iter().find(|found| found.claim == *claim) else { return Ok(()) };
    hear::note_once(app, claim, said, &heard.digest);
    if found.band == Band::Answer || CLAIM.check(kepu_text::count(&heard.text)).is_err() {
        return Ok(());
    }
    let mut tx = app.db.write().await?;
    if own_subject(app, &mut tx, claim).await.is_err() || wordings::count(&mut tx, claim).await? >= WORDINGS_WAITING {
        return Ok(());
    }
    let day = jiff::tz::Offset::constant(8).to_timestamp(crate::china_date(said.at).at(0, 0, 0, 0)).unwrap_or(said.at);
    wordings::note(&mut tx, claim, &heard.digest, &heard.text, day).await?;
    log(app, &mut tx, "visitor", "wording.noted", &claim.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

fn missing(id: &SubjectId) -> AppError {
    AppError::NotFound { what: "subject", id: id.0.clone() }
}

fn refused(error: MergeError) -> AppError {
    let key = match error {
        MergeError::Ring => "merge_ring",
        MergeError::Merged => "merge_merged",
        MergeError::NotMerged => "merge_not_merged",
        MergeError::Same => "merge_same",
        MergeError::Decided => "merge_decided",
        MergeError::Foreign => "merge_foreign",
    };
    AppError::Invalid(vec![FieldError::new("into", key)])
}

/// How often a claim was met, with those merged into it; nothing below the minimum.
pub async fn heard(app: &App, id: &SubjectId) -> Result<Heard, AppError> {
    known::refresh(app).await?;
    hear::settle(app).await?;
    let mut tx = app.db.read().await?;
    Ok(Heard::of(sightings::by_hour(&mut tx, &app.claims.family(id)).await?))
}

/// The claim that answers for `id`, as far as it is public here; `id` itself if none does. After [`heard`] or any question.
pub fn root(app: &App, id: &SubjectId) -> SubjectId {
    app.claims.root(id)
}

/// A claim as its editors work on it.
#[derive(Clone, Debug)]
pub struct Work {
    /// Its public row.
    pub row: Row,
    /// What is public of it.
    pub claim: ClaimReview,
    /// How often it was met.
    pub heard: Heard,
    /// By which doors; nothing below the minimum.
    pub channels: Vec<(Channel, i64)>,
    /// In which counties; nothing below the minimum.
    pub regions: Vec<(Region, i64)>,
    /// Wordings that wait.
    pub waiting: Vec<Wording>,
    /// Merges that begin or end here, newest first.
    pub merges: Vec<Merge>,
    /// Claims that come near it, for a merge.
    pub alike: Vec<Row>,
    /// The claim that answers for it.
    pub into: Option<Row>,
    /// Claims that it answers for.
    pub merged: Vec<Row>,
    /// Whether a correction of it is being written: wordings belong into that draft.
    pub under_way: bool,
    /// What readers say of its answer.
    pub score: Option<Score>,
    /// Where its answer stands outside its page, the longest silent first.
    pub places: Vec<Placement>,
}

/// A claim of this node as its editors work on it; for everybody else it is not there.
pub async fn work(app: &App, who: &Actor, id: &SubjectId) -> Result<Work, AppError> {
    known::refresh(app).await?;
    hear::settle(app).await?;
    let mut tx = app.db.read().await?;
    let (row, claim) = own_claim(app, &mut tx, who, id).await.map_err(|_| missing(id))?;
    let family = app.claims.family(id);
    let heard = Heard::of(sightings::by_hour(&mut tx, &family).await?);
    let channels = shown(sightings::by_channel(&mut tx, &family).await?);
    let regions = shown(sightings::by_region(&mut tx, &family).await?);
    let places = placements::list(&mut tx, id, PLACES).await?;
    let waiting = wordings::list(&mut tx, id, LISTED).await?;
    let merges = merges::list(&mut tx, id, LISTED).await?;
    let into = match &claim.same_as {
        Some(into) => subject::find(&mut tx, into).await?,
        None => None,
    };
    let others: Vec<SubjectId> = family.into_iter().filter(|one| one != id && app.claims.root(one) == *id).collect();
    let merged = subject::find_many(&mut tx, &others).await?;
    let under_way = under_way(&mut tx, id).await?.is_some();
    drop(tx);
    let alike = super::claim::like(app, &claim.claim, 6).await?.into_iter().filter(|other| other.id != *id).collect();
    let score = usefulness::all(app).await?.remove(id);
    Ok(Work { row, claim, heard, channels, regions, waiting, merges, alike, into, merged, under_way, score, places })
}

/// The public claim `id`, if it is this node's and `who` may correct it.
async fn own_claim(app: &App, tx: &mut Tx, who: &Actor, id: &SubjectId) -> Result<(Row, ClaimReview), AppError> {
    may_correct(tx, who, id).await?;
    own_subject(app, tx, id).await?;
    let row = subject::find(tx, id).await?.filter(|row| row.standing == Standing::Public).ok_or_else(|| missing(id))?;
    match matter_of(tx, &row).await? {
        Some(Matter::Claim(claim)) => Ok((row, *claim)),
        _ => Err(missing(id)),
    }
}

/// Says `next` as the newest version of a claim that finds the same as `before`.
async fn say_again(app: &App, tx: &mut Tx, id: &SubjectId, before: &ClaimReview, next: ClaimReview) -> Result<(), AppError> {
    // The names under the version stand for what was found; nothing of that may change here.
    if !before.finds_the_same(&next) {
        return Err(AppError::Record("a wording or merge changes nothing of what was found".into()));
    }
    record::publish(app, tx, vec![saying_of(id, &Matter::Claim(Box::new(next)))]).await?;
    Ok(())
}

/// Adds a wording to a claim: from now on it is answered with it, here and wherever the claim went.
///
/// May: editors of the organisation that answers for it. Writes: record, subject, wording, log.
pub async fn add_wording(app: &App, who: &Actor, id: &SubjectId, text: &str) -> Result<(), AppError> {
    known::refresh(app).await?;
    let (text, _) = mask_personal(&kepu_text::clean_line(text));
    let wrong = |key: &str| AppError::Invalid(vec![FieldError::new("wording", key)]);
    if let Err(error) = (Limit { field: "wording", ..CLAIM }).check(kepu_text::count(&text)) {
        return Err(AppError::Invalid(vec![text_error(&error)]));
    }
    let digest = known::digest(&text);
    let mut tx = app.db.write().await?;
    let (_, before) = own_claim(app, &mut tx, who, id).await?;
    if under_way(&mut tx, id).await?.is_some() {
        return Err(wrong("wording_draft"));
    }
    if std::iter::once(&before.claim).chain(&before.variants).any(|known| known::digest(known) == digest) {
        return Err(wrong("wording_known"));
    }
    if app.claims.exactly(&digest).is_some_and(|other| other != app.claims.root(id)) {
        return Err(wrong("wording_taken"));
    }
    let near = |words: &&String| kepu_search::claims::covered(&text, words) >= NEAR;
    if std::iter::once(&before.claim).chain(&before.variants).filter(near).any(|words| kepu_search::claims::contradicts(&text, words)) {
        return Err(wrong("wording_contradicts"));
    }
    if before.variants.len() >= VARIANTS_MAX {
        return Err(wrong("wording_many"));
    }
    let mut next = before.clone();
    next.variants.push(text);
    say_again(app, &mut tx, id, &before, next).await?;
    wordings::remove(&mut tx, id, &digest).await?;
    log(app, &mut tx, &who.log_name(), "claim.worded", &id.0, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(())
}

/// Takes a wording back.
///
/// May: editors of the organisation that answers for it. Writes: record, subject, log.
pub async fn remove_wording(app: &App, who: &Actor, id: &SubjectId, digest: &[u8; 32]) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let (_, before) = own_claim(app, &mut tx, who, id).await?;
    if under_way(&mut tx, id).await?.is_some() {
        return Err(AppError::Invalid(vec![FieldError::new("wording", "wording_draft")]));
    }
    let mut next = before.clone();
    next.variants.retain(|known| known::digest(known) != *digest);
    if next.variants.len() == before.variants.len() {
        return Err(AppError::Stale { what: "wording", id: id.0.clone() });
    }
    say_again(app, &mut tx, id, &before, next).await?;
    log(app, &mut tx, &who.log_name(), "claim.unworded", &id.0, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(())
}

/// A wording that waited says something else.
///
/// May: editors of the organisation that answers for it. Writes: wording, log.
pub async fn drop_wording(app: &App, who: &Actor, id: &SubjectId, digest: &[u8; 32]) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    own_claim(app, &mut tx, who, id).await?;
    if wordings::remove(&mut tx, id, digest).await? {
        log(app, &mut tx, &who.log_name(), "wording.dropped", &id.0, "ok").await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Lets `into` answer for `id`. If that could answer with a wrong verdict, a second person must agree first.
///
/// May: editors of the organisation that answers for `id`, which must be this node's; `into` may be anybody's of the same verdict.
/// Writes: merge, record, subject, log.
pub async fn merge(app: &App, who: &Actor, id: &SubjectId, into: &SubjectId, reason: &str) -> Result<MergeStage, AppError> {
    known::refresh(app).await?;
    let reason = kepu_text::clean_text(reason);
    if let Err(error) = (Limit { field: "reason", ..NOTE }).check(kepu_text::count(&reason)) {
        return Err(AppError::Invalid(vec![text_error(&error)]));
    }
    let mut tx = app.db.write().await?;
    let (row, before) = own_claim(app, &mut tx, who, id).await?;
    let target = subject::find(&mut tx, into).await?.filter(|row| row.standing == Standing::Public && row.kind == "claim");
    let target = target.ok_or_else(|| AppError::Invalid(vec![FieldError::new("into", "merge_unknown")]))?;
    if before.same_as.is_some() {
        return Err(refused(MergeError::Merged));
    }
    if app.claims.root(into) == *id || id == into {
        return Err(refused(MergeError::Ring));
    }
    let Some(Matter::Claim(other)) = matter_of(&mut tx, &target).await? else { return Err(missing(into)) };
    if !answers_for((id, before.verdict), (into, other.verdict)) {
        return Err(refused(MergeError::Foreign));
    }
    let (who, now) = (who.log_name(), app.now());
    let waits = Merge::needs_second(before.verdict, other.verdict, kepu_search::claims::contradicts(&row.title, &target.title));
    let mut asked = Merge {
        id: keys::random_word(12),
        claim: id.clone(),
        into: into.clone(),
        reason,
        asked_by: who.clone(),
        asked_at: now,
        stage: MergeStage::Waiting,
        decided_by: String::new(),
        decided_at: None,
    };
    let mut action = "claim.merge_asked";
    if !waits {
        asked = Merge { stage: MergeStage::Done, decided_by: who.clone(), decided_at: Some(now), ..asked };
        action = "claim.merged";
        say_again(app, &mut tx, id, &before, ClaimReview { same_as: Some(into.clone()), ..before.clone() }).await?;
    }
    merges::insert(&mut tx, &asked).await?;
    log_detail(app, &mut tx, &who, action, &id.0, &serde_json::json!({"into": into, "merge": asked.id})).await?;
    tx.commit().await?;
    app.notify();
    Ok(asked.stage)
}

/// Agrees, as a second person, to a merge that waits; or does not.
///
/// May: editors of the organisation that answers for the claim; whoever asked may only give it up. Writes: merge, record, subject, log.
pub async fn decide(app: &App, who: &Actor, id: &SubjectId, merge: &str, agreement: Agreement) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let (_, before) = own_claim(app, &mut tx, who, id).await?;
    let asked = merges::get(&mut tx, merge).await?;
    if asked.claim != *id {
        return Err(StoreError::NotFound { what: "merge", id: merge.to_owned() }.into());
    }
    let decided = asked.decide(agreement, &who.log_name(), app.now()).map_err(refused)?;
    let mut action = "claim.merge_refused";
    if decided.stage == MergeStage::Done {
        if before.same_as.is_some() {
            return Err(refused(MergeError::Merged));
        }
        action = "claim.merged";
        say_again(app, &mut tx, id, &before, ClaimReview { same_as: Some(decided.into.clone()), ..before.clone() }).await?;
    }
    merges::decide(&mut tx, &decided, MergeStage::Waiting).await?;
    log_detail(app, &mut tx, &who.log_name(), action, &id.0, &serde_json::json!({"into": decided.into, "merge": decided.id})).await?;
    tx.commit().await?;
    app.notify();
    Ok(())
}

/// Parts a claim from the one that answers for it: one press.
///
/// May: editors of the organisation that answers for it. Writes: record, subject, merge, log.
pub async fn split(app: &App, who: &Actor, id: &SubjectId) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let (_, before) = own_claim(app, &mut tx, who, id).await?;
    let Some(into) = before.same_as.clone() else { return Err(refused(MergeError::NotMerged)) };
    say_again(app, &mut tx, id, &before, ClaimReview { same_as: None, ..before.clone() }).await?;
    let now: Timestamp = app.now();
    for merge in merges::list(&mut tx, id, LISTED).await?.into_iter().filter(|merge| merge.claim == *id && merge.stage == MergeStage::Done) {
        merges::decide(&mut tx, &merge.undo(&who.log_name(), now).map_err(refused)?, MergeStage::Done).await?;
    }
    log_detail(app, &mut tx, &who.log_name(), "claim.split", &id.0, &serde_json::json!({"from": into})).await?;
    tx.commit().await?;
    app.notify();
    Ok(())
}
