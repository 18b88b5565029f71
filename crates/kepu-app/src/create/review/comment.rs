//! Remarks at sentences: a reviewer or editor points at one, the writer answers and settles it. The sentence is known again after the text around
//! it was changed; when it is gone, the remark keeps the words that it was about.

use crate::create::draft as writing;
use crate::error::{AppError, FieldError, text_error};
use crate::{App, keys, media};
use kepu_domain::access::{Action, Actor};
use kepu_domain::create::draft::{Draft, Matter};
use kepu_domain::create::sentence::{anchor, sentences};
use kepu_domain::ids::DraftId;
use kepu_domain::text;
use kepu_store::Tx;
use kepu_store::create::comment::{self as store, Comment};

/// Remarks and answers that a draft may have.
const COMMENTS_MAX: u32 = 300;
/// Most bytes of a spoken remark: some minutes.
pub const VOICE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A remark with its answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    /// The remark.
    pub remark: Comment,
    /// Answers, first made first.
    pub answers: Vec<Comment>,
    /// The sentence as it stands now; none: it was changed or taken out.
    pub now: Option<String>,
}

/// The sentences of a matter at which a remark can be made, in reading order; each once.
pub fn places(matter: &Matter) -> Vec<String> {
    let texts: Vec<&str> = match matter {
        Matter::Resource(r) => [&r.title, &r.summary, &r.text].into_iter().map(String::as_str).chain(r.editions.values().map(String::as_str)).collect(),
        Matter::Claim(c) => [&c.claim, &c.plain].into_iter().chain(&c.why).chain([&c.instead, &c.chat]).map(String::as_str).collect(),
    };
    let mut seen = std::collections::HashSet::new();
    texts.into_iter().flat_map(sentences).filter(|sentence| seen.insert(anchor(sentence))).map(str::to_owned).collect()
}

/// The remarks on a draft: open ones in reading order, then those whose sentence is gone, then settled ones.
pub(crate) async fn threads(tx: &mut Tx, draft: &Draft) -> Result<Vec<Thread>, AppError> {
    let all = store::list(tx, &draft.id, COMMENTS_MAX).await?;
    if all.is_empty() {
        return Ok(vec![]);
    }
    let places: Vec<(String, String)> = places(&draft.matter).into_iter().map(|sentence| (anchor(&sentence), sentence)).collect();
    let at = |name: &str| places.iter().position(|(one, _)| one == name);
    let (remarks, answers): (Vec<Comment>, Vec<Comment>) = all.into_iter().partition(|comment| comment.parent.is_empty());
    let mut list: Vec<Thread> = remarks
        .into_iter()
        .map(|remark| Thread {
            answers: answers.iter().filter(|answer| answer.parent == remark.id).cloned().collect(),
            now: at(&remark.anchor).map(|at| places[at].1.clone()),
            remark,
        })
        .collect();
    list.sort_by_key(|thread| (thread.remark.resolved_at.is_some(), at(&thread.remark.anchor).unwrap_or(usize::MAX), thread.remark.made_at));
    Ok(list)
}

/// What is said at a sentence, or in answer to a remark.
#[derive(Clone, Copy, Debug, Default)]
pub struct Remark<'a> {
    /// [`anchor`] of the sentence; for an answer empty.
    pub anchor: &'a str,
    /// The remark that is answered, or empty.
    pub parent: &'a str,
    /// Words.
    pub body: &'a str,
    /// A spoken remark, or empty.
    pub voice: &'a [u8],
}

/// Makes a remark at a sentence of a draft, or answers one.
///
/// May: its reviewers, its writer, editors. Writes: the file, media, review_comment, log.
pub async fn add(app: &App, who: &Actor, draft: &DraftId, said: Remark<'_>) -> Result<(), AppError> {
    let body = kepu_text::clean_text(said.body);
    let refuse = |field: &str, key: &str| Err(AppError::Invalid(vec![FieldError::new(field, key)]));
    if let Err(error) = (text::Limit { field: "body", min: usize::from(said.voice.is_empty()), ..text::NOTE }).check(kepu_text::count(&body)) {
        return Err(AppError::Invalid(vec![text_error(&error)]));
    }
    let Some(account) = who.account().cloned() else { return Err(AppError::NotFound { what: "draft", id: draft.0.clone() }) };
    // The right is asked before a byte is kept.
    {
        let mut tx = app.db.read().await?;
        writing::open(&mut tx, who, draft, Action::Draft, |_| true).await?;
    }
    let voice = if said.voice.is_empty() {
        String::new()
    } else {
        if said.voice.len() > VOICE_BYTES_MAX {
            return Err(AppError::TooLarge { max: VOICE_BYTES_MAX as u64 });
        }
        let kept = media::put(app, said.voice).await?;
        if !kept.media_type.starts_with("audio/") && !kept.media_type.starts_with("video/") {
            return refuse("voice", "voice_only");
        }
        kept.hash
    };
    let mut tx = app.db.write().await?;
    let draft = writing::open(&mut tx, who, draft, Action::Draft, |_| true).await?;
    let (anchor, quote) = if said.parent.is_empty() {
        match places(&draft.matter).into_iter().find(|sentence| anchor(sentence) == said.anchor) {
            Some(sentence) => (said.anchor.to_owned(), kepu_text::truncate(&sentence, 300).to_owned()),
            None => return refuse("anchor", "sentence_gone"),
        }
    } else {
        let parent = store::get(&mut tx, said.parent).await?;
        if parent.draft != draft.id || !parent.parent.is_empty() {
            return Err(AppError::NotFound { what: "remark", id: said.parent.into() });
        }
        (parent.anchor, parent.quote)
    };
    if store::count(&mut tx, &draft.id).await? >= i64::from(COMMENTS_MAX) {
        return refuse("body", "remarks_full");
    }
    let name = kepu_store::account::get(&mut tx, &account).await?.account.name;
    let id = keys::random_word(16);
    let comment = Comment {
        id: id.clone(),
        draft: draft.id,
        parent: said.parent.to_owned(),
        account,
        name,
        anchor,
        quote,
        body,
        voice,
        made_at: app.now(),
        resolved_at: None,
    };
    store::insert(&mut tx, &comment).await?;
    crate::account::log(app, &mut tx, &who.log_name(), "review.remarked", &id, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// Settles a remark: what it asked for is done, or answered.
///
/// May: the draft's writer, editors. Writes: review_comment, log.
pub async fn resolve(app: &App, who: &Actor, draft: &DraftId, id: &str) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let draft = writing::open(&mut tx, who, draft, Action::Draft, |may| may.write).await?;
    let comment = store::get(&mut tx, id).await?;
    if comment.draft != draft.id || !comment.parent.is_empty() {
        return Err(AppError::NotFound { what: "remark", id: id.into() });
    }
    store::resolve(&mut tx, id, app.now()).await?;
    crate::account::log(app, &mut tx, &who.log_name(), "review.settled", id, "ok").await?;
    tx.commit().await?;
    Ok(())
}
