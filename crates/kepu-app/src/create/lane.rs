//! Lanes at work: the author's proof put under a text, what must not even be stored, the policy that peers decide by announced, and what was
//! signed before there were lanes mended. What a lane asks is in `kepu-domain::create::lane`.

use crate::App;
use crate::account::log_detail;
use crate::create::publish::{body_of, matter_of, own_keys};
use crate::error::{AppError, FieldError};
use crate::record::{self, Saying};
use kepu_domain::access::{Action, Actor};
use kepu_domain::create::check;
use kepu_domain::create::draft::Matter;
use kepu_domain::create::lane::Lane;
use kepu_domain::create::review::{Proof, SignOff};
use kepu_domain::ids::PartyId;
use kepu_domain::publication::Policy;
use kepu_domain::trust::TrustDoc;
use kepu_store::subject::{self, Row, Standing};
use kepu_store::{Tx, counter, meta};

/// Puts the author's qualification under a matter, as the registry proves it today; nothing that somebody typed counts.
pub(crate) async fn stamp(app: &App, tx: &mut Tx, matter: &mut Matter) -> Result<(), AppError> {
    let proof = match matter.author() {
        Some(party) => proof_of(app, tx, &party, matter, app.today()).await?,
        None => None,
    };
    matter.credit_mut().qualification = proof;
    Ok(())
}

/// The qualification of a party that stands under a text of this lane, as it was on `day`.
async fn proof_of(app: &App, tx: &mut Tx, party: &PartyId, matter: &Matter, day: jiff::civil::Date) -> Result<Option<Proof>, AppError> {
    let definitions = app.definitions();
    let Some(party) = kepu_store::create::party::find(tx, party).await? else { return Ok(None) };
    let words = definitions.lanes.of(matter).map_or(&[][..], |lane| &lane.qualifications);
    Ok(party.proof(matter.fields(), words, day))
}

/// Refuses to keep what may not be kept: a text that asks for a clearance and shows none in force, or one that carries the marks of a secret.
pub(crate) fn may_be_kept(app: &App, matter: &Matter) -> Result<(), AppError> {
    let definitions = app.definitions();
    if let Err(field) = check::cleared(&definitions.lanes, matter, app.today()) {
        return Err(AppError::Invalid(vec![FieldError::new(&format!("detail-{field}"), "uncleared")]));
    }
    let secret = check::check(&definitions.lanes, matter, app.today()).into_iter().find(|finding| finding.rule == "secret");
    match secret {
        Some(finding) => Err(AppError::Invalid(vec![FieldError::new(&finding.field, "secret").with("found", finding.found)])),
        None => Ok(()),
    }
}

/// The lanes with what the network decides by.
#[derive(Clone, Debug)]
pub struct Overview {
    /// Lanes of this node, in order.
    pub lanes: Vec<Lane>,
    /// Whether what the root signed is what these lanes ask.
    pub announced: bool,
    /// Whether the actor may announce them.
    pub may_announce: bool,
    /// Public texts here that would be hidden by these lanes: how many, and the first of them.
    pub hidden: (usize, Vec<Row>),
}

/// Rows looked through for [`Overview::hidden`].
const LOOKED: u32 = 20_000;
/// Rows named.
const NAMED: usize = 20;

/// What lanes there are. What would be hidden is only counted for whoever may announce them.
pub async fn overview(app: &App, who: &Actor) -> Result<Overview, AppError> {
    let definitions = app.definitions();
    let mut tx = app.db.read().await?;
    let trust = app.trust(&mut tx).await?;
    let policy = definitions.lanes.policy();
    let announced = trust.policy == *policy;
    let may_announce = !announced && who.may(Action::ManageNodes, None).is_ok() && trust.grant(app.key.id()).is_some_and(|grant| grant.depth == 0);
    let hidden = if may_announce { would_hide(&mut tx, policy).await? } else { (0, vec![]) };
    Ok(Overview { lanes: definitions.lanes.list().to_vec(), announced, may_announce, hidden })
}

async fn would_hide(tx: &mut Tx, policy: &Policy) -> Result<(usize, Vec<Row>), AppError> {
    let mut hidden = (0, Vec::new());
    for row in public(tx).await? {
        let Some(matter) = matter_of(tx, &row).await? else { continue };
        if !policy.admits(&matter, &[]) {
            hidden.0 += 1;
            if hidden.1.len() < NAMED {
                hidden.1.push(row);
            }
        }
    }
    Ok(hidden)
}

async fn public(tx: &mut Tx) -> Result<Vec<Row>, AppError> {
    let filter = subject::Filter { standing: Some(Standing::Public), ..subject::Filter::default() };
    Ok(subject::list(tx, &filter, subject::Order::Newest, None, LOOKED).await?)
}

/// Signs the lanes as the policy by which every node decides what is public. What can be mended is mended first.
///
/// May: system administrators of the root node. Writes: record, log.
pub async fn announce(app: &App, who: &Actor) -> Result<(), AppError> {
    who.may(Action::ManageNodes, None)?;
    mend(app).await?;
    let mut tx = app.db.write().await?;
    let trust = app.trust(&mut tx).await?;
    if trust.grant(app.key.id()).is_none_or(|grant| grant.depth > 0) {
        return Err(AppError::Refused(kepu_domain::trust::Refusal::NotOwner));
    }
    let policy = app.definitions().lanes.policy().clone();
    if trust.policy == policy {
        return Err(AppError::Stale { what: "policy", id: "lanes".into() });
    }
    record::publish(app, &mut tx, vec![crate::node::trust_saying(app, "policy", TrustDoc::Policy(policy))]).await?;
    log_detail(app, &mut tx, &who.log_name(), "policy.announced", "lanes", &serde_json::json!({})).await?;
    tx.commit().await?;
    app.notify();
    Ok(())
}

/// Texts mended in one run.
const MENDED: usize = 200;

/// Says again what this node said before records told which qualification stands behind a name, if the registry still proves it for the
/// day on which it was signed. Words, names and dates stay as they are. Where it proves nothing, nothing is said: the text needs another review.
///
/// Writes: record, log. Running twice says nothing twice.
pub async fn mend(app: &App) -> Result<usize, AppError> {
    let definitions = app.definitions();
    let policy = definitions.lanes.policy();
    let mut tx = app.db.write().await?;
    let mark = (counter::last(&mut tx, counter::SUBJECT).await?).to_string();
    if meta::find(&mut tx, "lanes_mended").await?.as_deref() == Some(&mark) {
        return Ok(0);
    }
    let trust = app.trust(&mut tx).await?;
    let own = own_keys(app, &trust);
    let mut sayings = Vec::new();
    for row in public(&mut tx).await?.into_iter().filter(|row| own.contains(&row.signer)) {
        let Some(matter) = matter_of(&mut tx, &row).await? else { continue };
        if policy.admits(&matter, &[]) || sayings.len() == MENDED {
            continue;
        }
        let mended = proved(app, &mut tx, matter).await?;
        if policy.admits(&mended, &[]) {
            sayings.push(Saying {
                subject: row.id,
                region: row.region,
                fields: mended.fields().to_vec(),
                lang: mended.lang().to_owned(),
                body: body_of(&mended),
            });
        }
    }
    let count = sayings.len();
    if count > 0 {
        record::publish(app, &mut tx, sayings).await?;
        log_detail(app, &mut tx, "job:reviews", "subject.proofs_added", "", &serde_json::json!({"texts": count})).await?;
    }
    if count < MENDED {
        let mark = counter::last(&mut tx, counter::SUBJECT).await?.to_string();
        meta::set(&mut tx, "lanes_mended", &mark).await?;
    }
    tx.commit().await?;
    if count > 0 {
        app.notify();
    }
    Ok(count)
}

/// A matter with the qualifications that its author had on its date and its reviewers on the days on which they signed.
async fn proved(app: &App, tx: &mut Tx, mut matter: Matter) -> Result<Matter, AppError> {
    if let Some(author) = matter.author() {
        let proof = proof_of(app, tx, &author, &matter, matter.date()).await?;
        matter.credit_mut().qualification = proof;
    }
    let mut names: Vec<SignOff> = matter.reviews().to_vec();
    for name in &mut names {
        if name.qualification.is_none() {
            name.qualification = proof_of(app, tx, &PartyId(name.party.clone()), &matter, name.date).await?;
        }
    }
    matter.set_reviews(names);
    Ok(matter)
}
