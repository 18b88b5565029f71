//! The network as the operator of a node sees and mends it: invitations, who is how far behind, what is missing, whose history
//! forked. Inviting and joining themselves are in `node`, the exchange in `sync`.

use crate::App;
use crate::account::log;
use crate::error::AppError;
use crate::node::{self, Overview};
use jiff::Timestamp;
use jiff::civil::Date;
use kepu_domain::access::{Action, Actor};
use kepu_domain::ids::{KeyId, SubjectId};
use kepu_domain::org::Region;
use kepu_domain::record::Stream;
use kepu_store::invite::{self as invites, Invite};
use kepu_store::{counter, record as records};
use std::collections::HashMap;

/// Numbers of a stream that are not held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    /// Whose stream.
    pub key: KeyId,
    /// Institution that holds the key, empty if no certificate says so.
    pub holder: String,
    /// Which stream.
    pub stream: Stream,
    /// First missing number.
    pub from: i64,
    /// Last missing number.
    pub to: i64,
}

/// A key that signed two different records at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// Whose.
    pub key: KeyId,
    /// Institution that holds the key.
    pub holder: String,
    /// In which stream.
    pub stream: Stream,
    /// At which number; from here on nothing of the key counts.
    pub n: i64,
    /// Whether this node certified the key and may revoke it.
    pub ours_to_decide: bool,
}

/// What an operator looks at.
#[derive(Clone, Debug)]
pub struct Health {
    /// How the node stands.
    pub overview: Overview,
    /// When it last committed to its history by a signed head.
    pub head: Option<Timestamp>,
    /// Records that have arrived so far: what a child confirms is counted against it.
    pub arrivals: i64,
    /// Until when the certificate of each known key is good.
    pub until: HashMap<KeyId, Date>,
    /// Invitations, newest first.
    pub invites: Vec<Invite>,
    /// Missing numbers that every node should hold (trust, alerts), and those of the library if this node subscribes to all.
    pub holes: Vec<Hole>,
    /// Missing library numbers that may just lie outside the subscription.
    pub outside: i64,
    /// Forked keys.
    pub forks: Vec<Fork>,
}

/// How many holes are listed.
const HOLES_MAX: usize = 200;

/// What an operator looks at. May: system administrators.
pub async fn health(app: &App, who: &Actor) -> Result<Health, AppError> {
    who.may(Action::ManageNodes, None)?;
    let overview = node::overview(app).await?;
    let mut tx = app.db.read().await?;
    let trust = app.trust(&mut tx).await?;
    let holder = |key: &KeyId| trust.grant(key).map(|grant| grant.holder.clone()).unwrap_or_default();
    let head_subject = SubjectId::new(&app.key.id().fingerprint(), "head");
    let heads = records::list_by_subjects(&mut tx, std::slice::from_ref(&head_subject)).await?;
    let newest = heads.iter().max_by_key(|row| row.n).and_then(|row| row.modified.parse().ok());
    let all = overview.parents.iter().all(|parent| {
        let scope = crate::sync::read_scope(&parent.scope);
        scope.region == Region::NATION && scope.below && scope.fields.is_empty() && scope.langs.is_empty()
    });
    let (mut holes, mut outside) = (Vec::new(), 0);
    for head in records::heads(&mut tx).await? {
        for (from, to) in head.holes {
            if head.stream == Stream::Lib && !all {
                outside += to - from + 1;
            } else if holes.len() < HOLES_MAX {
                holes.push(Hole { holder: holder(&head.key), key: head.key.clone(), stream: head.stream, from, to });
            }
        }
    }
    let forks = records::list_forks(&mut tx, 100).await?.into_iter().map(|proof| Fork {
        holder: holder(&proof.place.key),
        ours_to_decide: trust.is_above(app.key.id(), &proof.place.key),
        key: proof.place.key,
        stream: proof.place.stream,
        n: proof.place.n,
    });
    Ok(Health {
        head: newest,
        arrivals: counter::last(&mut tx, counter::ARRIVAL).await?,
        until: trust.grants().map(|(key, grant)| (key.clone(), grant.until)).collect(),
        invites: invites::list(&mut tx, 200).await?,
        holes,
        outside,
        forks: forks.collect(),
        overview,
    })
}

/// Takes back an invitation that nobody used: its word no longer opens anything.
///
/// May: system administrators. Writes: invite, log.
pub async fn take_back(app: &App, who: &Actor, token_hash: &str) -> Result<(), AppError> {
    who.may(Action::ManageNodes, None)?;
    let mut tx = app.db.write().await?;
    let found = invites::find(&mut tx, token_hash).await?;
    if !invites::delete(&mut tx, token_hash).await? {
        return Err(AppError::Stale { what: "invitation", id: String::new() });
    }
    let name = found.map(|invite| invite.name).unwrap_or_default();
    log(app, &mut tx, &who.log_name(), "node.invitation_taken_back", &name, "ok").await?;
    tx.commit().await?;
    Ok(())
}
