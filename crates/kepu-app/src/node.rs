//! The node itself: beginning one, inviting and joining others, and how it stands in the network.

use crate::account::log;
use crate::error::{AppError, FieldError};
use crate::keys::{NodeKey, random_word};
use crate::record::heads::{self, Trouble};
use crate::record::{self, Saying};
use crate::{App, Options, media, relearn, sync};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use jiff::{SignedDuration, Timestamp, ToSpan};
use kepu_domain::access::{Action, Actor};
use kepu_domain::deliver::scope::Scope;
use kepu_domain::ids::{KeyId, OrgId, SubjectId};
use kepu_domain::org::Region;
use kepu_domain::publication::Policy;
use kepu_domain::record::Body;
use kepu_domain::trust::{Certificate, KEY_ROLES, KeyRole, TrustDoc};
use kepu_store::invite::Invite;
use kepu_store::media::{Totals, Try};
use kepu_store::peer::{Direction, Peer};
use kepu_store::{Tx, counter, invite as invites, meta, peer as peers, subject};
use kepu_sync::suite::Suite;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashSet};
use std::path::Path;

/// How to begin a node.
#[derive(Clone, Debug)]
pub struct Init {
    /// Name shown to others.
    pub name: String,
    /// The place it serves.
    pub region: Region,
    /// Signature suite of its key.
    pub suite: Suite,
    /// Address of the tables, if not the SQLite file of the data folder.
    pub database: Option<String>,
}

/// Makes a data folder: key, tables, divisions, the node's own certificate and the review policy. Until it joins another
/// node it is its own root.
pub async fn init(data: &Path, init: Init) -> Result<App, AppError> {
    std::fs::create_dir_all(data).map_err(|source| AppError::File { action: "make", path: data.display().to_string(), source })?;
    NodeKey::create(data, init.suite)?;
    let app = App::open(Options { data: data.to_owned(), database: init.database, index: false }).await?;
    let mut tx = app.db.write().await?;
    meta::set(&mut tx, "name", &kepu_text::clean_line(&init.name)).await?;
    meta::set(&mut tx, "region", &init.region.to_string()).await?;
    meta::set(&mut tx, "epoch", &random_word(8)).await?;
    meta::set(&mut tx, "root", &app.key.id().0).await?;
    meta::set(&mut tx, "org", &init.region.to_string()).await?;
    crate::org::seed(&mut tx).await?;
    let certificate = Certificate {
        key: app.key.id().clone(),
        holder: kepu_text::clean_line(&init.name),
        roles: KEY_ROLES.into_iter().collect(),
        region: Region::NATION,
        fields: BTreeSet::new(),
        until: jiff::civil::date(9999, 12, 31),
        next: Some(app.key.next_commitment().to_owned()),
    };
    let sayings = vec![trust_saying(&app, "self", TrustDoc::Certificate(certificate)), trust_saying(&app, "policy", TrustDoc::Policy(Policy::default()))];
    record::publish(&app, &mut tx, sayings).await?;
    log(&app, &mut tx, "operator", "node.begun", &app.key.id().0, "ok").await?;
    tx.commit().await?;
    Ok(app)
}

pub(crate) fn trust_saying(app: &App, local: &str, doc: TrustDoc) -> Saying {
    let subject = SubjectId::new(&app.key.id().fingerprint(), local);
    Saying { subject, region: Region::NATION, fields: vec![], lang: String::new(), body: Body::Trust(doc) }
}

/// What an invitation says; travels as one word of base64url.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Token {
    /// The pinned root.
    pub root: String,
    /// The inviting node.
    pub parent: String,
    /// Its name.
    pub name: String,
    /// One-time secret.
    pub secret: String,
    /// The place the certificate will name.
    pub region: Region,
}

impl Token {
    /// As one word.
    pub fn write(&self) -> String {
        BASE64URL_NOPAD.encode(&serde_json::to_vec(self).unwrap_or_default())
    }
    /// Reads the word.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_slice(&BASE64URL_NOPAD.decode(text.trim().as_bytes()).ok()?).ok()
    }
}

/// What an invited node may do.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// Name, for the list of invitations.
    pub name: String,
    /// Place.
    pub region: Region,
    /// Roles.
    pub roles: BTreeSet<KeyRole>,
    /// Fields; empty = all.
    pub fields: BTreeSet<String>,
}

/// Days an invitation is good.
const INVITE_DAYS: i64 = 14;

/// Makes an invitation. May: system administrators. Writes: invite, log.
pub async fn invite(app: &App, who: &Actor, invitation: Invitation) -> Result<Token, AppError> {
    who.may(Action::ManageNodes, None)?;
    let name_of = kepu_text::clean_line(&invitation.name);
    let invitation = Invitation { name: kepu_text::truncate(&name_of, 60).to_owned(), ..invitation };
    let secret = random_word(26);
    let mut tx = app.db.write().await?;
    may_certify(app, &mut tx, &invitation).await?;
    let token = Token {
        root: app.root(&mut tx).await?.0,
        parent: app.key.id().0.clone(),
        name: name(&mut tx).await?,
        secret: secret.clone(),
        region: invitation.region,
    };
    let invite = Invite {
        token_hash: hash(&secret),
        name: invitation.name,
        region: invitation.region,
        roles: invitation.roles,
        fields: invitation.fields,
        expires_at: crate::account::later(app.now(), SignedDuration::from_hours(24 * INVITE_DAYS)),
        used_by: None,
        created_at: app.now(),
    };
    invites::insert(&mut tx, &invite).await?;
    log(app, &mut tx, &who.log_name(), "node.invited", &invite.name, "ok").await?;
    tx.commit().await?;
    Ok(token)
}

/// Refuses an invitation that could never be certified, while its maker still sits before the form.
async fn may_certify(app: &App, tx: &mut Tx, invitation: &Invitation) -> Result<(), AppError> {
    use kepu_domain::trust::Refusal;
    let trust = app.trust(tx).await?;
    let above = trust.grant(app.key.id()).ok_or(Refusal::UnknownKey)?;
    let wrong = |field: &str, key: &str| AppError::Invalid(vec![FieldError::new(field, key)]);
    if invitation.roles.is_empty() {
        return Err(wrong("roles", "invite_no_role"));
    }
    if !above.roles.contains(&KeyRole::Issuer) {
        return Err(Refusal::Role(KeyRole::Issuer).into());
    }
    let certificate = Certificate {
        key: app.key.id().clone(),
        holder: invitation.name.clone(),
        roles: invitation.roles.clone(),
        region: invitation.region,
        fields: invitation.fields.clone(),
        until: above.until,
        next: None,
    };
    kepu_domain::trust::narrows(above, &certificate).map_err(|refusal| match refusal {
        Refusal::Region { .. } => wrong("county", "invite_region"),
        Refusal::Field(_) => wrong("fields", "invite_fields"),
        Refusal::Role(_) => wrong("roles", "invite_roles"),
        other => other.into(),
    })
}

/// The node's name.
pub async fn name(tx: &mut Tx) -> Result<String, AppError> {
    Ok(meta::find(tx, "name").await?.unwrap_or_else(|| "Kepu".into()))
}

/// The organisation that runs the node: the division of its place until the first-run page says otherwise.
pub async fn org(tx: &mut Tx) -> Result<OrgId, AppError> {
    Ok(OrgId(meta::find(tx, "org").await?.unwrap_or_else(|| Region::NATION.to_string())))
}

/// The place that the node serves.
pub async fn region(tx: &mut Tx) -> Result<Region, AppError> {
    Ok(meta::find(tx, "region").await?.and_then(|r| Region::parse(&r).ok()).unwrap_or(Region::NATION))
}

fn hash(text: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
}

/// What a joining node sends.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JoinRequest {
    /// Secret of the invitation.
    pub secret: String,
    /// The joining key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Commitment to its next key.
    pub next: String,
}

/// Answers a join: certifies the key and returns frames with all trust records. May: whoever holds an unused invitation.
pub async fn handle_join(app: &App, request: JoinRequest) -> Result<Vec<u8>, AppError> {
    let key = KeyId(request.key);
    kepu_sync::did::decode(&key).map_err(|e| AppError::Record(e.to_string()))?;
    let mut tx = app.db.write().await?;
    let refused = || AppError::Invalid(vec![FieldError::new("token", "token_wrong")]);
    let found = invites::find(&mut tx, &hash(&request.secret)).await?.ok_or_else(refused)?;
    if found.expires_at <= app.now() || found.used_by.as_ref().is_some_and(|used| *used != key) {
        return Err(refused());
    }
    // A join that was cut after it was done here may be repeated by the same key.
    if found.used_by.is_none() {
        let invite = invites::claim(&mut tx, &found.token_hash, &key, app.now()).await?;
        let holder = kepu_text::truncate(&kepu_text::clean_line(&request.name), 60).to_string();
        let trust = app.trust(&mut tx).await?;
        let above = trust.grant(app.key.id()).ok_or(kepu_domain::trust::Refusal::UnknownKey)?;
        let until = app.today().checked_add(2.years()).unwrap_or(app.today()).min(above.until);
        let next = (request.next.len() == 64).then_some(request.next);
        let certificate = Certificate {
            key: key.clone(),
            holder: holder.clone(),
            roles: invite.roles.clone(),
            region: invite.region,
            fields: invite.fields.clone(),
            until,
            next,
        };
        kepu_domain::trust::narrows(above, &certificate)?;
        let saying = trust_saying(app, &format!("cert-{}", key.fingerprint()), TrustDoc::Certificate(certificate));
        record::publish(app, &mut tx, vec![saying]).await?;
        peers::upsert(&mut tx, &child(key.clone(), holder, invite.region, app.now())).await?;
        log(app, &mut tx, &format!("peer:{key}"), "node.joined", &invite.name, "ok").await?;
    }
    let frames = sync::trust_frames(&mut tx).await?;
    tx.commit().await?;
    app.notify();
    Ok(frames)
}

/// What a node at `region` subscribes to: its chain; the nation stands for everything.
fn scope_of(region: Region) -> Scope {
    Scope { region, below: region == Region::NATION, ..Scope::all() }
}

/// A node below, as it is first known.
pub(crate) fn child(key: KeyId, holder: String, region: Region, now: Timestamp) -> Peer {
    new_peer(key, holder, Direction::Child, String::new(), &scope_of(region), now)
}

fn new_peer(id: KeyId, holder: String, direction: Direction, url: String, scope: &Scope, now: Timestamp) -> Peer {
    Peer {
        id,
        name: holder.clone(),
        direction,
        url,
        holder,
        scope: sync::scope_text(scope),
        cursor: String::new(),
        push_cursor: 0,
        acked: 0,
        joined_at: now,
        last_seen: None,
        last_result: String::new(),
    }
}

/// Joins the node that gave `token`: pins its root, receives the certificate, remembers the parent.
pub async fn join(app: &App, token: &Token, url: &str) -> Result<(), AppError> {
    let url = url.trim_end_matches('/');
    let mut tx = app.db.read().await?;
    let request = JoinRequest { secret: token.secret.clone(), key: app.key.id().0.clone(), name: name(&mut tx).await?, next: app.key.next_commitment().into() };
    drop(tx);
    let body = serde_json::to_vec(&request).map_err(|e| AppError::Record(e.to_string()))?;
    let answer = sync::post_once(url, "/join", body).await?;
    let (genuine, rejected) = record::check(sync::items_of(&answer)?);
    if let Some((place, why)) = rejected.first() {
        return Err(AppError::Peer { peer: url.into(), cause: format!("sent a record that does not verify: {place}: {why}") });
    }
    let mut tx = app.db.write().await?;
    meta::set(&mut tx, "root", &token.root).await?;
    counter::take(&mut tx, "trust", 1).await?;
    app.forget_trust();
    record::apply(app, &mut tx, genuine, &token.parent).await?;
    let trust = app.trust(&mut tx).await?;
    if trust.grant(app.key.id()).is_none() {
        return Err(AppError::Peer { peer: url.into(), cause: "gave no certificate that leads from the root in the invitation to this node".into() });
    }
    let parent = KeyId(token.parent.clone());
    let peer = new_peer(parent, token.name.clone(), Direction::Parent, url.into(), &scope_of(token.region), app.now());
    peers::upsert(&mut tx, &peer).await?;
    meta::set(&mut tx, "region", &token.region.to_string()).await?;
    log(app, &mut tx, "operator", "node.joined", &token.parent, "ok").await?;
    tx.commit().await?;
    // What was said before joining is judged again under the new root.
    record::rebuild(app).await?;
    Ok(())
}

/// A node as others see it.
#[derive(Clone, Debug)]
pub struct NodeView {
    /// Key.
    pub id: KeyId,
    /// Name.
    pub name: String,
    /// Place.
    pub region: Region,
    /// Root it is pinned to.
    pub root: KeyId,
    /// Records held.
    pub records: i64,
    /// State hash of its public tables.
    pub state: String,
}

/// How the node stands in the network.
#[derive(Clone, Debug)]
pub struct Overview {
    /// This node.
    pub me: NodeView,
    /// Nodes above.
    pub parents: Vec<Peer>,
    /// Nodes below.
    pub children: Vec<Peer>,
    /// Until when withdrawals are known: the root's own signed word, where there is one, else the last contact with a parent.
    /// Now, for a node without parents.
    pub checked_until: Option<Timestamp>,
    /// Last contact with a parent.
    pub contact: Option<Timestamp>,
    /// What is wrong with histories: forks, records that do not fit signed heads, missing numbers.
    pub troubles: Vec<Trouble>,
    /// Numbers that lie outside the scope.
    pub skipped: i64,
    /// Files.
    pub files: Files,
    /// After a restored backup: names of the nodes that must be heard before this one publishes again.
    pub waits_for: Vec<String>,
    /// The latest public changes with how many children said that they have them.
    pub latest: Vec<(subject::Row, usize, usize)>,
}

/// Files of resources at this node.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// Counts and bytes.
    pub totals: Totals,
    /// What it is ready to keep.
    pub limits: media::Limits,
    /// Files that could not be fetched lately, and why.
    pub failing: Vec<Try>,
}

async fn files(tx: &mut Tx) -> Result<Files, AppError> {
    let failing = kepu_store::media::list_tries(tx, 50).await?;
    Ok(Files { totals: kepu_store::media::totals(tx).await?, limits: media::limits(tx).await?, failing })
}

/// How the node stands in the network.
pub async fn overview(app: &App) -> Result<Overview, AppError> {
    let mut tx = app.db.read().await?;
    let parents = peers::list(&mut tx, Some(Direction::Parent), 100).await?;
    let children = peers::list(&mut tx, Some(Direction::Child), 5_000).await?;
    let region = region(&mut tx).await?;
    let me = NodeView {
        id: app.key.id().clone(),
        name: name(&mut tx).await?,
        region,
        root: app.root(&mut tx).await?,
        records: kepu_store::record::count(&mut tx).await?,
        state: subject::hash_state(&mut tx).await?,
    };
    let mut latest = Vec::new();
    for row in subject::list(&mut tx, &subject::Filter::default(), subject::Order::Newest, None, 10).await? {
        let (reached, of) = reach(&mut tx, &row, &children).await?;
        latest.push((row, reached, of));
    }
    let contact = parents.iter().filter_map(|p| p.last_seen).max();
    let proved = heads::proved_until(&mut tx, &me.root).await?;
    let checked_until = if parents.is_empty() { Some(app.now()) } else { proved.or(contact) };
    let troubles = heads::troubles(&mut tx).await?;
    let skipped = kepu_store::record::count_skips(&mut tx).await?.values().sum();
    let (files, waits_for) = (files(&mut tx).await?, relearn::waiting(app, &mut tx).await?);
    Ok(Overview { me, parents, children, checked_until, contact, troubles, skipped, files, waits_for, latest })
}

/// How many of the children that subscribe to this have said that they hold its latest word, and how many there are.
pub async fn reach(tx: &mut Tx, row: &subject::Row, children: &[Peer]) -> Result<(usize, usize), AppError> {
    let (confirmed, wanting) = holders(tx, row, children).await?;
    Ok((confirmed.len(), wanting.len()))
}

/// The children that have said that they hold the latest word about this, and all that subscribe to it.
pub(crate) async fn holders<'a>(tx: &mut Tx, row: &subject::Row, children: &'a [Peer]) -> Result<(HashSet<KeyId>, Vec<&'a Peer>), AppError> {
    let records = kepu_store::record::list_by_subjects(tx, std::slice::from_ref(&row.id)).await?;
    let arrival = records.iter().map(|r| r.arrival).max().unwrap_or(0);
    let wanting: Vec<&Peer> = children.iter().filter(|c| sync::read_scope(&c.scope).wants_lib(row.region, &row.fields, &row.lang)).collect();
    Ok((wanting.iter().filter(|c| c.acked >= arrival).map(|c| c.id.clone()).collect(), wanting))
}
