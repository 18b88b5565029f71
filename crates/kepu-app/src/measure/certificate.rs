//! Certificates of contributions: drawn from what was confirmed, shown to whoever holds the paper, revoked, and brought from other
//! nodes. Signing and numbering are in `create::credential`, the file that proves one in `chain`.

use super::contribution::{self, BROUGHT};
use crate::account::log_detail;
use crate::create::credential::{self, Revoked};
use crate::error::{AppError, FieldError, text_error};
use crate::files::{Pin, Verifier, records};
use crate::{App, chain, keys, node};
use jiff::ToSpan;
use jiff::civil::Date;
use kepu_domain::access::{Action, Actor};
use kepu_domain::create::credential::{Credential, CredentialItem, Reach};
use kepu_domain::create::party::Party;
use kepu_domain::ids::{ContributionId, OrgId, PartyId};
use kepu_domain::measure::contribution::{Contribution, KINDS, Stage, kind};
use kepu_domain::record::Body;
use kepu_domain::text;
use kepu_store::Tx;
use kepu_store::create::credential::{self as store, Row};
use kepu_sync::record::Record;

/// Kind of certificates drawn from the ledger.
pub const KIND: &str = "contribution";
/// Most certificates that one person draws in a year.
pub const YEAR_MAX: usize = 50;
/// Largest file that is brought from elsewhere.
pub const BYTES_MAX: usize = 512 * 1024;

/// What a certificate is drawn for.
#[derive(Clone, Debug)]
pub struct Draw {
    /// Whose; `None`: one's own.
    pub party: Option<PartyId>,
    /// First day.
    pub from: Date,
    /// Last day.
    pub until: Date,
    /// Only these kinds; empty: all.
    pub kinds: Vec<String>,
    /// `zh-Hans` or `en`: language of its words.
    pub lang: String,
}

/// A kept certificate as somebody may see it.
#[derive(Clone, Debug)]
pub struct Held {
    /// As kept.
    pub row: Row,
    /// What it says; none if its body was erased.
    pub says: Option<Credential>,
    /// That it no longer holds.
    pub revoked: Option<Revoked>,
    /// Whether it is the viewer's own.
    pub own: bool,
    /// Whether the viewer may revoke it.
    pub may_revoke: bool,
}

/// Draws a certificate from what was confirmed in a period. Drawing the same again gives the one that is there.
///
/// May: the person, and stewards of their institution. Writes: record (its stub travels), credential, log.
pub async fn draw(app: &App, who: &Actor, draw: Draw) -> Result<String, AppError> {
    if draw.from > draw.until || draw.from > app.today() {
        return Err(AppError::Invalid(vec![FieldError::new("from", "period")]));
    }
    let mut tx = app.db.write().await?;
    let Some(owner) = contribution::owner(&mut tx, who, draw.party.as_ref()).await? else {
        return Err(AppError::Invalid(vec![FieldError::new("party", "party_link")]));
    };
    let lines = contribution::lines_of(app, &mut tx, &owner.party.id, draw.from, draw.until).await?;
    // What was brought from elsewhere has its own certificate; it is not certified twice.
    let counting = lines.into_iter().filter(|line| line.counts() && !line.line.object.starts_with(BROUGHT)).map(|line| line.line);
    let counting: Vec<Contribution> = counting.filter(|line| draw.kinds.is_empty() || draw.kinds.contains(&line.kind)).collect();
    let items = items(&counting, draw.lang == "en");
    if items.is_empty() {
        return Err(AppError::Invalid(vec![FieldError::new("from", "no_lines")]));
    }
    let credential = write(app, &mut tx, &owner.party, &draw, &counting, items).await?;
    let held = store::list_by_party(&mut tx, &owner.party.id, 1_000).await?;
    if let Some(number) = same(app, &mut tx, &held, &credential).await? {
        return Ok(number);
    }
    let year_ago = app.today().saturating_sub(1.year());
    if held.iter().filter(|row| row.origin.is_empty() && row.issued > year_ago).count() >= YEAR_MAX {
        return Err(AppError::Invalid(vec![FieldError::new("from", "many_certificates").with("max", YEAR_MAX)]));
    }
    let number = credential::next_number(app, &mut tx).await?;
    let region = node::region(&mut tx).await?;
    credential::issue(app, &mut tx, region, Credential { number: number.clone(), ..credential }).await?;
    log_detail(app, &mut tx, &who.log_name(), "certificate.issued", &number, &serde_json::json!({"party": owner.party.id})).await?;
    tx.commit().await?;
    app.notify();
    Ok(number)
}

/// Lines added up by kind, in the order of the kinds.
fn items(lines: &[Contribution], english: bool) -> Vec<CredentialItem> {
    let sum = |kind: &'static kepu_domain::measure::contribution::ContributionKind| {
        let mine: Vec<&Contribution> = lines.iter().filter(|line| line.kind == kind.id).collect();
        let title = if english { &kind.en } else { &kind.zh };
        let item = CredentialItem {
            kind: kind.id.clone(),
            title: title.clone(),
            count: mine.iter().map(|line| line.count).sum(),
            minutes: mine.iter().map(|line| line.minutes).sum(),
        };
        (!mine.is_empty()).then_some(item)
    };
    KINDS.iter().filter_map(sum).collect()
}

async fn write(app: &App, tx: &mut Tx, party: &Party, draw: &Draw, lines: &[Contribution], items: Vec<CredentialItem>) -> Result<Credential, AppError> {
    let org = kepu_store::org::find(tx, &party.org).await?;
    let english = draw.lang == "en";
    let volunteer = lines.iter().all(|line| kind(&line.kind).is_some_and(|kind| kind.volunteer));
    let title = match (english, volunteer) {
        (false, true) => "科普志愿服务证明",
        (false, false) => "科普贡献证明",
        (true, true) => "Certificate of Volunteering in Science Communication",
        (true, false) => "Certificate of Contributions to Science Communication",
    };
    let name = org.as_ref().map(|org| if english && !org.name_en.is_empty() { org.name_en.clone() } else { org.name.clone() });
    let issuer = match name {
        Some(name) => name,
        None => node::name(tx).await?,
    };
    Ok(Credential {
        number: String::new(),
        kind: KIND.into(),
        title: title.into(),
        party: party.id.0.clone(),
        holder: party.name.clone(),
        org: issuer.clone(),
        issuer,
        items,
        from: Some(draw.from),
        until: Some(draw.until.min(app.today())),
        issued: app.today(),
        reach: Reach::Holder,
        lang: if english { "en".into() } else { "zh-Hans".into() },
        sample: party.sample || org.is_some_and(|org| org.sample),
    })
}

/// The number of one that says the same and still holds.
async fn same(app: &App, tx: &mut Tx, held: &[Row], new: &Credential) -> Result<Option<String>, AppError> {
    for row in held.iter().filter(|row| row.origin.is_empty() && row.kind == KIND) {
        let says = credential::read(row).map(|says| Credential { number: String::new(), issued: new.issued, ..says });
        if says.as_ref() == Some(new) && credential::revocation(app, tx, row).await?.is_none() {
            return Ok(Some(row.number.clone()));
        }
    }
    Ok(None)
}

async fn held(app: &App, tx: &mut Tx, who: &Actor, own: bool, row: Row) -> Result<Held, AppError> {
    let office = row.origin.is_empty() && who.may(Action::ManageMembers, Some(&kepu_store::org::line(tx, &row.org).await?)).is_ok();
    let revoked = credential::revocation(app, tx, &row).await?;
    Ok(Held { says: credential::read(&row), may_revoke: office && revoked.is_none(), revoked, own, row })
}

/// The certificates of `party`, or one's own, newest first, with those brought from elsewhere. `None` without an entry in the registry.
pub async fn list(app: &App, who: &Actor, party: Option<&PartyId>) -> Result<Option<(contribution::Owner, Vec<Held>)>, AppError> {
    let mut tx = app.db.read().await?;
    let Some(owner) = contribution::owner(&mut tx, who, party).await? else { return Ok(None) };
    let mut list = Vec::new();
    for row in store::list_by_party(&mut tx, &owner.party.id, 1_000).await? {
        list.push(held(app, &mut tx, who, owner.own, row).await?);
    }
    Ok(Some((owner, list)))
}

/// Those issued for people of the institutions that the actor keeps, newest first, from number `skip` on, with the number of all.
///
/// May: stewards.
pub async fn office(app: &App, who: &Actor, skip: u32, limit: u32) -> Result<(Vec<Held>, usize), AppError> {
    who.may(Action::ManageMembers, None)?;
    let roots = who.roots(Action::ManageMembers);
    let mut tx = app.db.read().await?;
    let total = store::count_issued(&mut tx, roots.as_deref()).await?;
    let mut list = Vec::new();
    for row in store::list_issued(&mut tx, roots.as_deref(), skip, limit).await? {
        list.push(held(app, &mut tx, who, false, row).await?);
    }
    Ok((list, usize::try_from(total).unwrap_or_default()))
}

/// One that was issued here.
///
/// May: its holder, and stewards of the holder's institution. Others learn nothing, not even that it exists.
pub async fn view(app: &App, who: &Actor, number: &str) -> Result<Held, AppError> {
    let mut tx = app.db.read().await?;
    open(app, &mut tx, who, number).await
}

async fn open(app: &App, tx: &mut Tx, who: &Actor, number: &str) -> Result<Held, AppError> {
    let missing = || AppError::NotFound { what: "certificate", id: number.chars().take(60).collect() };
    let row = store::find(tx, number).await?.ok_or_else(missing)?;
    let own = crate::create::review::party_of(tx, who).await?.is_some_and(|party| party == row.party);
    let held = held(app, tx, who, own, row).await?;
    let office = who.may(Action::ManageMembers, Some(&kepu_store::org::line(tx, &held.row.org).await?)).is_ok();
    if own || office { Ok(held) } else { Err(missing()) }
}

/// The file of one: its record with all that proves it. See [`view`] for who may.
pub async fn file(app: &App, who: &Actor, number: &str) -> Result<String, AppError> {
    let mut tx = app.db.read().await?;
    let held = open(app, &mut tx, who, number).await?;
    let gone = || AppError::NotFound { what: "certificate", id: number.to_owned() };
    let record = credential::record_of(&held.row).ok_or_else(gone)?;
    Ok(chain::of(app, &mut tx, &record).await?.to_string())
}

/// Revokes one, with a reason that everybody may read; the revocation travels before everything else.
///
/// May: stewards of the holder's institution. Writes: record, log.
pub async fn revoke(app: &App, who: &Actor, number: &str, reason: &str) -> Result<(), AppError> {
    let reason = kepu_text::clean_text(reason);
    if let Err(error) = text::NOTE.check(kepu_text::count(&reason)) {
        return Err(AppError::Invalid(vec![FieldError { field: "reason".into(), ..text_error(&error) }]));
    }
    let mut tx = app.db.write().await?;
    let held = open(app, &mut tx, who, number).await?;
    who.may(Action::ManageMembers, Some(&kepu_store::org::line(&mut tx, &held.row.org).await?))?;
    if held.revoked.is_some() {
        return Err(AppError::Invalid(vec![FieldError::new("reason", "already_withdrawn")]));
    }
    let by = kepu_store::org::find(&mut tx, &held.row.org).await?.map_or_else(String::new, |org| org.name);
    let region = node::region(&mut tx).await?;
    credential::revoke(app, &mut tx, &held.row.subject, region, &reason, &by).await?;
    log_detail(app, &mut tx, &who.log_name(), "certificate.revoked", number, &serde_json::json!({"party": held.row.party})).await?;
    tx.commit().await?;
    app.notify();
    Ok(())
}

/// What anybody may learn of a number.
#[derive(Clone, Debug)]
pub struct Status {
    /// Day of issue.
    pub issued: Date,
    /// Kind: `contribution`, or the round that gave it.
    pub kind: String,
    /// That it no longer holds.
    pub revoked: Option<Revoked>,
    /// What the paper must say: of public honours always, of others only for whoever has the paper's code.
    pub shown: Option<Credential>,
}

/// Whether a number of this node holds; `None`: no such number was ever given here.
pub async fn status(app: &App, number: &str, code: &str) -> Result<Option<Status>, AppError> {
    let mut tx = app.db.read().await?;
    let Some(row) = store::find(&mut tx, number).await? else { return Ok(None) };
    let revoked = credential::revocation(app, &mut tx, &row).await?;
    let shown = if credential::is_public(&row) || row.code == code { credential::read(&row) } else { None };
    Ok(Some(Status { issued: row.issued, kind: row.kind, revoked, shown }))
}

/// Takes a certificate from another node into the ledger: verified against this node's root and all withdrawals held, in the
/// holder's own name, once, and for no period that another one of the same issuer covers. Returns how many lines it brought.
///
/// May: the person, and stewards of their institution. Writes: credential, contributions, log.
pub async fn bring(app: &App, who: &Actor, party: Option<&PartyId>, bytes: &[u8]) -> Result<usize, AppError> {
    if bytes.is_empty() {
        return Err(AppError::Invalid(vec![FieldError::new("file", "file_missing")]));
    }
    if bytes.len() > BYTES_MAX {
        return Err(AppError::TooLarge { max: BYTES_MAX as u64 });
    }
    let mut tx = app.db.write().await?;
    let Some(owner) = contribution::owner(&mut tx, who, party).await? else {
        return Err(AppError::Invalid(vec![FieldError::new("party", "party_link")]));
    };
    let (record, says) = verified(app, &mut tx, bytes).await?;
    let row = row_of(&record, &says, &owner.party);
    let own = app.key.id().fingerprint();
    if row.origin == own {
        return Err(wrong("certificate_own"));
    }
    if kepu_text::fold(&says.holder) != kepu_text::fold(&owner.party.name) {
        return Err(wrong_as("certificate_name", &says.holder));
    }
    for other in store::list_by_party(&mut tx, &owner.party.id, 1_000).await?.iter().filter(|other| other.origin == row.origin) {
        if let Some(before) = credential::read(other).filter(|before| other.subject != row.subject && overlap(before, &says)) {
            return Err(wrong_as("certificate_overlap", &before.number));
        }
    }
    if !store::insert_once(&mut tx, &row).await? {
        return Err(wrong("certificate_known"));
    }
    let mut count = 0;
    for (at, item) in says.items.iter().enumerate().filter(|(_, item)| kind(&item.kind).is_some() && item.count > 0 && item.minutes >= 0) {
        let line = Contribution {
            id: ContributionId(keys::random_word(16)),
            party: owner.party.id.clone(),
            kind: item.kind.clone(),
            title: format!("{} · {}", says.title, item.title),
            object: format!("{BROUGHT}{}#{at}", row.subject),
            host: OrgId(String::new()),
            day: says.until.unwrap_or(says.issued),
            count: item.count,
            minutes: item.minutes,
            stage: Stage::Confirmed { by: says.issuer.clone(), at: app.now() },
            version: 1,
        };
        count += usize::from(kepu_store::measure::contribution::insert_once(&mut tx, &line).await?);
    }
    let detail = serde_json::json!({"party": owner.party.id, "subject": row.subject});
    log_detail(app, &mut tx, &who.log_name(), "certificate.brought", &row.number, &detail).await?;
    tx.commit().await?;
    Ok(count)
}

fn wrong(key: &str) -> AppError {
    AppError::Invalid(vec![FieldError::new("file", key)])
}

/// [`wrong`] with what the certificate says.
fn wrong_as(key: &str, said: &str) -> AppError {
    AppError::Invalid(vec![FieldError::new("file", key).with("said", said)])
}

/// The one certificate of contributions in a file, if it holds by this node's root and everything this node has heard.
async fn verified(app: &App, tx: &mut Tx, bytes: &[u8]) -> Result<(Record, Credential), AppError> {
    let refused = |why: String| AppError::Invalid(vec![FieldError::new("file", "certificate_wrong").with("why", why)]);
    let mut verifier = Verifier::new(Some(Pin::Key(app.root(tx).await?)));
    chain::each_support(tx, |record| verifier.learn_record(&record)).await?;
    let verified = verifier.verify("", bytes);
    if !verified.ok {
        return Err(refused(verified.reason));
    }
    let mut found = records(bytes).map_err(refused)?.into_iter().filter(|record| matches!(record.body, Ok(Body::Credential(_))));
    match (found.next(), found.next()) {
        (Some(record), None) => match record.body.clone() {
            Ok(Body::Credential(says)) if says.kind == KIND => Ok((record, *says)),
            _ => Err(wrong("certificate_kind")),
        },
        _ => Err(wrong("certificate_one")),
    }
}

fn row_of(record: &Record, says: &Credential, party: &Party) -> Row {
    let origin = record.envelope.subject.parts().map_or_else(String::new, |(owner, _)| owner.to_owned());
    Row {
        origin,
        number: says.number.clone(),
        subject: record.envelope.subject.clone(),
        party: party.id.clone(),
        org: party.org.clone(),
        issued: says.issued,
        signer: record.envelope.place.key.clone(),
        n: record.envelope.place.n,
        kind: says.kind.clone(),
        reach: says.reach,
        code: String::new(),
        record: record.with_proof().to_string(),
    }
}

/// Whether two certificates may speak of the same deeds.
fn overlap(a: &Credential, b: &Credential) -> bool {
    let span = |c: &Credential| (c.from.unwrap_or(Date::MIN), c.until.unwrap_or(c.issued));
    let ((a1, a2), (b1, b2)) = (span(a), span(b));
    a1 <= b2 && b1 <= a2
}
