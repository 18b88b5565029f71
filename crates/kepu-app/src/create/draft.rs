//! Writing: drafts are begun, saved, given to review, taken back, given up. What may stand in one is in `limits`, how they are
//! shown in `view`; deciding about them is in `review` and `publish`.

pub mod hand;
mod judged;
pub mod limits;
pub mod view;

pub use limits::{check_lengths, clean};
pub use view::{DraftView, Query, Row, Scope, list, view};

use crate::account::log;
use crate::create::lane;
use crate::error::{AppError, FieldError, text_error};
use crate::{App, keys, media};
use kepu_domain::access::{Action, Actor, Denied};
use kepu_domain::create::check::{Excuse, Weight};
use kepu_domain::create::draft::{Draft, Matter, Stage};
use kepu_domain::create::resource::{Credit, Media, Resource};
use kepu_domain::ids::{CaseId, DraftId, OrgId, SubjectId};
use kepu_domain::listen::claim::ClaimReview;
use kepu_domain::text;
use kepu_domain::vocabulary::RESOURCE_TYPES;
use kepu_store::Tx;
use kepu_store::create::draft::{self as store, Seen};
use kepu_store::subject::Standing;

/// What a new draft will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A resource.
    Resource,
    /// An answer to a claim.
    Claim,
}

impl Kind {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Resource => "resource",
            Kind::Claim => "claim",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "resource" => Some(Kind::Resource),
            "claim" => Some(Kind::Claim),
            _ => None,
        }
    }
}

/// Begins an empty draft under a title, with everything filled in that has a usual value.
///
/// May: contributors of the organisation. Writes: draft, log.
pub async fn start(app: &App, who: &Actor, org: &OrgId, kind: Kind, title: &str) -> Result<Draft, AppError> {
    let title = kepu_text::clean_line(title);
    let limit = match kind {
        Kind::Resource => text::TITLE,
        Kind::Claim => text::CLAIM,
    };
    if let Err(error) = limit.check(kepu_text::count(&title)) {
        return Err(AppError::Invalid(vec![FieldError { field: "title".into(), ..text_error(&error) }]));
    }
    let mut tx = app.db.write().await?;
    let home = kepu_store::org::get(&mut tx, org).await?;
    let author = credit(&mut tx, who).await?;
    let matter = match kind {
        Kind::Resource => Matter::Resource(Box::new(Resource::begin(&title, author, &home.name, home.region, app.today()))),
        Kind::Claim => Matter::Claim(Box::new(ClaimReview::begin(&title, author, home.region, app.today()))),
    };
    let draft = begin_in(app, &mut tx, who, org, matter, None, None).await?;
    tx.commit().await?;
    Ok(draft)
}

/// What a new resource is made of, and what it becomes.
#[derive(Clone, Copy, Debug)]
pub struct From<'a> {
    /// The public resource.
    pub id: &'a SubjectId,
    /// Type of the new one.
    pub form: &'a str,
    /// Where readers find the public one.
    pub address: &'a str,
}

/// Begins a draft of a resource that is made of a public one: what comes along is in [`Resource::make_of`].
///
/// May: contributors of the organisation. Writes: draft, log.
pub async fn start_from(app: &App, who: &Actor, org: &OrgId, from: From<'_>, title: &str) -> Result<Draft, AppError> {
    let From { id, form, address } = from;
    let title = kepu_text::clean_line(title);
    let mut wrong = Vec::new();
    if let Err(error) = text::TITLE.check(kepu_text::count(&title)) {
        wrong.push(FieldError { field: "title".into(), ..text_error(&error) });
    }
    if RESOURCE_TYPES.find(form).is_none() {
        wrong.push(FieldError::new("type", "no_kind"));
    }
    if !wrong.is_empty() {
        return Err(AppError::Invalid(wrong));
    }
    let mut tx = app.db.write().await?;
    let missing = || AppError::NotFound { what: "subject", id: id.0.clone() };
    let row = kepu_store::subject::find(&mut tx, id).await?.filter(|row| row.standing == Standing::Public).ok_or_else(missing)?;
    let Some(Matter::Resource(base)) = crate::create::publish::matter_of(&mut tx, &row).await? else { return Err(missing()) };
    let home = kepu_store::org::get(&mut tx, org).await?;
    let fresh = Resource::begin(&title, credit(&mut tx, who).await?, &home.name, home.region, app.today());
    let matter = Matter::Resource(Box::new(base.make_of(id, address, form, fresh)));
    let draft = begin_in(app, &mut tx, who, org, matter, None, None).await?;
    tx.commit().await?;
    Ok(draft)
}

/// Begins a draft for `org`.
///
/// May: contributors of the organisation. Writes: draft, log.
pub async fn begin(app: &App, who: &Actor, org: &OrgId, matter: Matter, case: Option<CaseId>, subject: Option<SubjectId>) -> Result<Draft, AppError> {
    let mut tx = app.db.write().await?;
    let draft = begin_in(app, &mut tx, who, org, matter, case, subject).await?;
    tx.commit().await?;
    Ok(draft)
}

/// [`begin`] within `tx`.
pub async fn begin_in(
    app: &App,
    tx: &mut Tx,
    who: &Actor,
    org: &OrgId,
    matter: Matter,
    case: Option<CaseId>,
    subject: Option<SubjectId>,
) -> Result<Draft, AppError> {
    who.may(Action::Draft, Some(&kepu_store::org::line(tx, org).await?))?;
    let matter = clean(matter);
    lane::may_be_kept(app, &matter)?;
    let letter = if matches!(matter, Matter::Claim(_)) { "c" } else { "r" };
    let subject = subject.unwrap_or_else(|| SubjectId::new(&app.key.id().fingerprint(), &format!("{letter}-{}", keys::random_word(8))));
    let draft = Draft {
        id: DraftId(keys::random_word(16)),
        subject,
        org: org.clone(),
        owner: who.account().cloned(),
        case,
        matter,
        correction: String::new(),
        excuses: vec![],
        version: 1,
        stage: Stage::Writing,
    };
    store::insert(tx, &draft, app.now()).await?;
    log(app, tx, &who.log_name(), "draft.begun", &draft.id.0, "ok").await?;
    Ok(draft)
}

/// Begins a draft of a given subject within `tx`, for whoever was found to be allowed already: a file with thousands of rows
/// asks once.
pub(crate) async fn begin_as(app: &App, tx: &mut Tx, who: &Actor, org: &OrgId, matter: Matter, subject: SubjectId) -> Result<Draft, AppError> {
    let id = DraftId(keys::random_word(16));
    let draft = Draft {
        id,
        subject,
        org: org.clone(),
        owner: who.account().cloned(),
        case: None,
        matter,
        correction: String::new(),
        excuses: vec![],
        version: 1,
        stage: Stage::Writing,
    };
    store::insert(tx, &draft, app.now()).await?;
    log(app, tx, &who.log_name(), "draft.begun", &draft.id.0, "ok").await?;
    Ok(draft)
}

/// The credit of the acting person, from the registry where linked.
pub async fn credit(tx: &mut Tx, who: &Actor) -> Result<Credit, AppError> {
    let Some(account) = who.account() else { return Ok(Credit::default()) };
    let row = kepu_store::account::get(tx, account).await?;
    let Some(party) = row.account.party else { return Ok(Credit { name: row.account.name, ..Credit::default() }) };
    let party = kepu_store::create::party::get(tx, &party).await?;
    let org = kepu_store::org::find(tx, &party.org).await?.map_or_else(String::new, |o| o.name);
    Ok(Credit { party: party.id.0, name: party.name, org, title: party.title, qualification: None })
}

/// What somebody may do with a draft that they may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct May {
    /// Change it, give it to review, take it back, give it up: its writer and editors of its organisation.
    pub write: bool,
    /// Assign reviewers, sign, publish: editors.
    pub publish: bool,
}

/// What `who` may do with `draft`; `None` for whoever may not even know of it.
pub(crate) async fn rights(tx: &mut Tx, who: &Actor, draft: &Draft) -> Result<Option<May>, AppError> {
    let line = kepu_store::org::line(tx, &draft.org).await?;
    let publish = who.may(Action::Publish, Some(&line)).is_ok();
    let own = draft.owner.is_some() && draft.owner.as_ref() == who.account();
    // Who was asked to answer a case may belong to another institution than the one that works on it.
    let drafts = who.may(Action::Draft, if draft.case.is_some() { None } else { Some(&line) }).is_ok();
    let write = publish || (own && drafts);
    if write || is_reviewer(tx, who, draft).await? { Ok(Some(May { write, publish })) } else { Ok(None) }
}

async fn is_reviewer(tx: &mut Tx, who: &Actor, draft: &Draft) -> Result<bool, AppError> {
    let Some(account) = who.account() else { return Ok(false) };
    let Some(party) = kepu_store::account::get(tx, account).await?.account.party else { return Ok(false) };
    Ok(kepu_store::create::review::list_by_draft(tx, &draft.id).await?.iter().any(|r| r.reviewer == party))
}

/// The draft, if `who` has the right that `wants` looks for. A stranger learns nothing, not even that it exists.
pub(crate) async fn open(tx: &mut Tx, who: &Actor, id: &DraftId, action: Action, wants: impl Fn(&May) -> bool) -> Result<Draft, AppError> {
    let draft = store::get(tx, id).await?;
    match rights(tx, who, &draft).await? {
        Some(may) if wants(&may) => Ok(draft),
        Some(_) => Err(Denied::NoRole { action }.into()),
        None => Err(AppError::NotFound { what: "draft", id: id.0.clone() }),
    }
}

async fn writable(tx: &mut Tx, who: &Actor, id: &DraftId) -> Result<Draft, AppError> {
    open(tx, who, id, Action::Draft, |may| may.write).await
}

/// A draft that `who` may see: its writer, reviewers of it, and whoever may publish for its organisation.
pub async fn get(app: &App, who: &Actor, id: &DraftId) -> Result<Draft, AppError> {
    let mut tx = app.db.read().await?;
    open(&mut tx, who, id, Action::Draft, |_| true).await
}

/// Likeness from which on something public is offered before a new draft is begun.
const LIKE: f32 = 0.45;

/// What is public already and says nearly what a new draft is to be about: to be adapted instead of written again.
pub async fn existing(app: &App, kind: &str, title: &str) -> Result<Vec<kepu_store::subject::Row>, AppError> {
    let title = kepu_text::clean_line(title);
    match kind {
        "claim" => crate::listen::claim::like(app, &title, 5).await,
        _ => crate::index::near(app, &title, LIKE, 5).await,
    }
}

/// Saves a changed matter. `version` is the one the writer saw.
///
/// May: its writer, editors. Writes: draft, log.
pub async fn save(app: &App, who: &Actor, id: &DraftId, version: i64, matter: Matter, correction: &str) -> Result<Draft, AppError> {
    let matter = clean(matter);
    let correction = kepu_text::clean_text(correction);
    limits::check_upper(&matter)?;
    text::Limit { field: "correction", min: 0, ..text::NOTE }.check(kepu_text::count(&correction))?;
    let mut tx = app.db.write().await?;
    let draft = writable(&mut tx, who, id).await?;
    lane::may_be_kept(app, &matter)?;
    if draft.version != version {
        return Err(AppError::Stale { what: "draft", id: id.0.clone() });
    }
    let seen = Seen::from(&draft);
    let draft = draft.edit(matter, correction)?;
    if draft.version == version {
        return Ok(draft);
    }
    store::update(&mut tx, seen, &draft, app.now()).await?;
    log(app, &mut tx, &who.log_name(), "draft.saved", &id.0, "ok").await?;
    tx.commit().await?;
    Ok(draft)
}

/// Adds a file to a draft of a resource. The right is asked before a byte is kept; the same file twice only gets a new description.
///
/// May: its writer, editors. Writes: the file, media, draft, log.
pub async fn attach(app: &App, who: &Actor, id: &DraftId, bytes: &[u8], alt: &str) -> Result<Draft, AppError> {
    let alt = kepu_text::clean_line(alt);
    let refuse = |field: &str, key: &str| Err(AppError::Invalid(vec![FieldError::new(field, key)]));
    let draft = {
        let mut tx = app.db.read().await?;
        writable(&mut tx, who, id).await?
    };
    draft.clone().edit(draft.matter.clone(), draft.correction.clone())?;
    let Matter::Resource(resource) = &draft.matter else { return refuse("file", "file_resource_only") };
    if bytes.is_empty() {
        return refuse("file", "file_none");
    }
    if resource.media.len() >= FILES_MAX {
        return Err(AppError::Invalid(vec![FieldError::new("file", "many").with("count", FILES_MAX + 1).with("max", FILES_MAX)]));
    }
    text::ALT.check(kepu_text::count(&alt))?;
    let kept = media::put(app, bytes).await?;
    let mut tx = app.db.write().await?;
    let draft = writable(&mut tx, who, id).await?;
    let seen = Seen::from(&draft);
    let mut matter = draft.matter.clone();
    if let Matter::Resource(resource) = &mut matter {
        resource.media.retain(|media| media.hash != kept.hash);
        resource.media.push(Media { hash: kept.hash, media_type: kept.media_type, size: kept.size, alt });
    }
    let correction = draft.correction.clone();
    let draft = draft.edit(matter, correction)?;
    store::update(&mut tx, seen, &draft, app.now()).await?;
    log(app, &mut tx, &who.log_name(), "draft.file_added", &id.0, "ok").await?;
    tx.commit().await?;
    Ok(draft)
}

/// Most files of a resource.
pub const FILES_MAX: usize = 20;

/// Says why something that the machine checks found is right all the same; an empty reason takes it back. Reviewers read it.
///
/// May: its writer, editors. Writes: draft, log.
pub async fn excuse(app: &App, who: &Actor, id: &DraftId, key: &str, reason: &str) -> Result<Draft, AppError> {
    let reason = kepu_text::clean_text(reason);
    text::Limit { field: "reason", min: 0, ..text::NOTE }.check(kepu_text::count(&reason))?;
    let mut tx = app.db.write().await?;
    let draft = writable(&mut tx, who, id).await?;
    let seen = Seen::from(&draft);
    // A reason moves nothing that is with reviewers: they would have read another text.
    let mut draft = draft.clone().edit(draft.matter, draft.correction)?;
    draft.excuses.retain(|excuse| excuse.key != key);
    if !reason.is_empty() {
        let known = limits::findings(app, &mut tx, &draft).await?.into_iter().any(|finding| finding.excuse && finding.key() == key);
        if !known || draft.excuses.len() >= EXCUSES_MAX {
            return Err(AppError::Invalid(vec![FieldError::new("reason", "no_excuse")]));
        }
        draft.excuses.push(Excuse { key: key.to_owned(), reason });
    }
    finish(app, tx, who, seen, draft, "draft.excused").await
}

/// Most reasons that a draft carries.
const EXCUSES_MAX: usize = 20;

/// Gives a draft to review. Refused with all findings while one of them blocks.
///
/// May: its writer, editors. Writes: draft, log.
pub async fn submit(app: &App, who: &Actor, id: &DraftId) -> Result<Draft, AppError> {
    let mut tx = app.db.write().await?;
    let draft = writable(&mut tx, who, id).await?;
    let seen = Seen::from(&draft);
    if matches!(draft.stage, Stage::Writing) {
        let blocks: Vec<_> = limits::findings(app, &mut tx, &draft).await?.into_iter().filter(|f| f.weight == Weight::Block).collect();
        if !blocks.is_empty() {
            return Err(AppError::Blocked(blocks));
        }
    }
    let mut draft = draft;
    lane::stamp(app, &mut tx, &mut draft.matter).await?;
    let draft = draft.submit(&app.definitions().lanes, app.today(), app.now())?;
    finish(app, tx, who, seen, draft, "draft.submitted").await
}

/// Takes a submitted draft back; its reviews no longer count.
///
/// May: its writer, editors. Writes: draft, log.
pub async fn take_back(app: &App, who: &Actor, id: &DraftId) -> Result<Draft, AppError> {
    let mut tx = app.db.write().await?;
    let draft = writable(&mut tx, who, id).await?;
    let seen = Seen::from(&draft);
    finish(app, tx, who, seen, draft.reopen()?, "draft.taken_back").await
}

/// Gives a draft up.
///
/// May: its writer, editors. Writes: draft, log.
pub async fn drop(app: &App, who: &Actor, id: &DraftId) -> Result<Draft, AppError> {
    let mut tx = app.db.write().await?;
    let draft = writable(&mut tx, who, id).await?;
    let seen = Seen::from(&draft);
    finish(app, tx, who, seen, draft.drop(app.now())?, "draft.dropped").await
}

async fn finish(app: &App, mut tx: Tx, who: &Actor, seen: Seen, draft: Draft, word: &str) -> Result<Draft, AppError> {
    store::update(&mut tx, seen, &draft, app.now()).await?;
    log(app, &mut tx, &who.log_name(), word, &draft.id.0, "ok").await?;
    tx.commit().await?;
    Ok(draft)
}
