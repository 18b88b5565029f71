//! Writing: drafts are made, saved, given to review, taken back, given up. Deciding about them is in `review` and `publish`.

use crate::account::log;
use crate::error::{AppError, FieldError, text_error};
use crate::{App, keys};
use kepu_domain::access::{Action, Actor, Denied, OrgLine};
use kepu_domain::create::draft::{Draft, Matter, Stage};
use kepu_domain::create::resource::Credit;
use kepu_domain::ids::{CaseId, DraftId, OrgId, SubjectId};
use kepu_domain::text;
use kepu_store::Tx;
use kepu_store::create::draft::{self as store, Seen};

/// Begins a draft for `org`. The author's registry entry, if linked to the account, becomes its credit.
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
    let letter = if matches!(matter, Matter::Claim(_)) { "c" } else { "r" };
    let subject = subject.unwrap_or_else(|| SubjectId::new(&app.key.id().fingerprint(), &format!("{letter}-{}", keys::random_word(8))));
    let draft = Draft {
        id: DraftId(keys::random_word(16)),
        subject,
        org: org.clone(),
        owner: who.account().cloned(),
        case,
        matter: clean(matter),
        correction: String::new(),
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
        version: 1,
        stage: Stage::Writing,
    };
    store::insert(tx, &draft, app.now()).await?;
    log(app, tx, &who.log_name(), "draft.begun", &draft.id.0, "ok").await?;
    Ok(draft)
}

/// The credit of the acting person, from the registry where linked.
pub async fn credit(app: &App, tx: &mut Tx, who: &Actor) -> Result<Credit, AppError> {
    let _ = app;
    let Some(account) = who.account() else { return Ok(Credit::default()) };
    let row = kepu_store::account::get(tx, account).await?;
    let Some(party) = row.account.party else { return Ok(Credit { name: row.account.name, ..Credit::default() }) };
    let party = kepu_store::create::party::get(tx, &party).await?;
    let org = kepu_store::org::find(tx, &party.org).await?.map_or_else(String::new, |o| o.name);
    Ok(Credit { party: party.id.0, name: party.name, org, title: party.title })
}

/// A draft that `who` may see: its owner, reviewers of it, and whoever may publish for its organisation.
pub async fn get(app: &App, who: &Actor, id: &DraftId) -> Result<Draft, AppError> {
    let mut tx = app.db.read().await?;
    let draft = store::get(&mut tx, id).await?;
    if may_edit(&mut tx, who, &draft).await.is_ok() || is_reviewer(&mut tx, who, &draft).await? {
        return Ok(draft);
    }
    // A stranger learns nothing, not even that it exists.
    Err(AppError::NotFound { what: "draft", id: id.0.clone() })
}

async fn is_reviewer(tx: &mut Tx, who: &Actor, draft: &Draft) -> Result<bool, AppError> {
    let Some(account) = who.account() else { return Ok(false) };
    let Some(party) = kepu_store::account::get(tx, account).await?.account.party else { return Ok(false) };
    Ok(kepu_store::create::review::list_by_draft(tx, &draft.id).await?.iter().any(|r| r.reviewer == party))
}

/// Owners write their own drafts; editors all of their organisation.
pub(crate) async fn may_edit(tx: &mut Tx, who: &Actor, draft: &Draft) -> Result<OrgLine, AppError> {
    let line = kepu_store::org::line(tx, &draft.org).await?;
    who.may(Action::Draft, Some(&line))?;
    let own = draft.owner.is_some() && draft.owner.as_ref() == who.account();
    if own || who.may(Action::Publish, Some(&line)).is_ok() {
        return Ok(line);
    }
    Err(Denied::NoRole { action: Action::Publish }.into())
}

/// Saves a changed matter. `version` is the one the writer saw.
pub async fn save(app: &App, who: &Actor, id: &DraftId, version: i64, matter: Matter, correction: &str) -> Result<Draft, AppError> {
    let matter = clean(matter);
    check_lengths(&matter)?;
    let mut tx = app.db.write().await?;
    let draft = store::get(&mut tx, id).await?;
    may_edit(&mut tx, who, &draft).await?;
    if draft.version != version {
        return Err(AppError::Stale { what: "draft", id: id.0.clone() });
    }
    let seen = Seen::from(&draft);
    let mut draft = draft.edit(matter)?;
    draft.correction = kepu_text::clean_text(correction);
    store::update(&mut tx, seen, &draft, app.now()).await?;
    log(app, &mut tx, &who.log_name(), "draft.saved", &id.0, "ok").await?;
    tx.commit().await?;
    Ok(draft)
}

/// Gives a draft to review.
pub async fn submit(app: &App, who: &Actor, id: &DraftId) -> Result<Draft, AppError> {
    change(app, who, id, "draft.submitted", |draft, app| Ok(draft.submit(app.today(), app.now())?)).await
}

/// Takes a submitted draft back; its reviews no longer count.
pub async fn take_back(app: &App, who: &Actor, id: &DraftId) -> Result<Draft, AppError> {
    change(app, who, id, "draft.taken_back", |draft, _| Ok(draft.reopen()?)).await
}

/// Gives a draft up.
pub async fn drop(app: &App, who: &Actor, id: &DraftId) -> Result<Draft, AppError> {
    change(app, who, id, "draft.dropped", |draft, app| Ok(draft.drop(app.now())?)).await
}

async fn change(app: &App, who: &Actor, id: &DraftId, word: &str, step: impl FnOnce(Draft, &App) -> Result<Draft, AppError>) -> Result<Draft, AppError> {
    let mut tx = app.db.write().await?;
    let draft = store::get(&mut tx, id).await?;
    may_edit(&mut tx, who, &draft).await?;
    let seen = Seen::from(&draft);
    let draft = step(draft, app)?;
    store::update(&mut tx, seen, &draft, app.now()).await?;
    log(app, &mut tx, &who.log_name(), word, &id.0, "ok").await?;
    tx.commit().await?;
    Ok(draft)
}

/// Cleans every text that a person typed.
pub fn clean(matter: Matter) -> Matter {
    let line = |s: &str| kepu_text::clean_line(s);
    let body = |s: &str| kepu_text::clean_text(s);
    match matter {
        Matter::Resource(mut r) => {
            r.title = line(&r.title);
            r.title_en = line(&r.title_en);
            r.summary = body(&r.summary);
            r.text = body(&r.text);
            r.editions = r.editions.iter().map(|(name, text)| (line(name), body(text))).filter(|(_, text)| !text.is_empty()).collect();
            r.author.name = line(&r.author.name);
            Matter::Resource(r)
        }
        Matter::Claim(mut c) => {
            c.claim = line(&c.claim);
            c.claim_en = line(&c.claim_en);
            c.variants = c.variants.iter().map(|v| line(v)).filter(|v| !v.is_empty()).collect();
            c.plain = body(&c.plain);
            c.plain_en = body(&c.plain_en);
            c.why = c.why.iter().map(|p| body(p)).filter(|p| !p.is_empty()).collect();
            c.instead = body(&c.instead);
            c.chat = body(&c.chat);
            c.author.name = line(&c.author.name);
            Matter::Claim(c)
        }
    }
}

/// Lengths that every door obeys: form, import, command.
pub fn check_lengths(matter: &Matter) -> Result<(), AppError> {
    let parts: Vec<(text::Limit, &str)> = match matter {
        Matter::Resource(r) => vec![(text::TITLE, r.title.as_str()), (text::SUMMARY, &r.summary), (text::BODY, &r.text)],
        Matter::Claim(c) => {
            let mut parts = vec![(text::CLAIM, c.claim.as_str()), (text::Limit { field: "plain", ..text::SUMMARY }, &c.plain)];
            parts.extend(c.variants.iter().map(|v| (text::Limit { field: "variants", ..text::CLAIM }, v.as_str())));
            parts.extend(c.why.iter().map(|p| (text::Limit { field: "why", min: 0, max: 1_000 }, p.as_str())));
            parts.push((text::Limit { field: "instead", min: 0, max: 600 }, &c.instead));
            parts.push((text::Limit { field: "chat", min: 0, max: 300 }, &c.chat));
            parts
        }
    };
    let wrong: Vec<FieldError> = parts.into_iter().filter_map(|(limit, text)| limit.check(kepu_text::count(text)).err()).map(|e| text_error(&e)).collect();
    if wrong.is_empty() { Ok(()) } else { Err(AppError::Invalid(wrong)) }
}
