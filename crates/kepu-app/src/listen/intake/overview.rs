//! How intake stands: what waits and for how long, and what became of signals, for each inlet.

use super::stream::{self, Standing};
use super::{UPTO, inlet::hosts, number, room};
use crate::App;
use crate::error::AppError;
use jiff::Timestamp;
use kepu_domain::access::{Action, Actor};
use kepu_domain::listen::inlet::{ASKED, FILES, Inlet, STREAM};
use kepu_domain::listen::sighting::hour_of;
use kepu_domain::listen::signal::Counts;
use kepu_store::listen::{inlet as store, signal};
use std::collections::BTreeSet;

/// Hours that are summed up.
const HOURS: i64 = 24;

/// One inlet, or one of those that need no setting up.
#[derive(Clone, Debug)]
pub struct Stands {
    /// `files`, `asked`, `stream`, or the id.
    pub id: String,
    /// What was set up; none for those that need none.
    pub inlet: Option<Inlet>,
    /// Signals that wait.
    pub waiting: i64,
    /// When the oldest of them came in.
    pub oldest: Option<Timestamp>,
    /// In the hour under way and the one before.
    pub hour: Counts,
    /// In the last day.
    pub day: Counts,
}

/// Intake as a whole.
#[derive(Clone, Debug)]
pub struct Overview {
    /// Inlets, the troubled ones first.
    pub inlets: Vec<Stands>,
    /// The stream of an outside queue, if there is one.
    pub stream: Option<Standing>,
    /// Signals that can still be taken.
    pub room: i64,
    /// Signals that can wait at most.
    pub most: i64,
    /// Hosts that may be asked.
    pub hosts: BTreeSet<String>,
    /// Whether the actor may care for lists, and for tiplines and hosts.
    pub may: (bool, bool),
}

/// How intake stands. May: duty officers, editors, stewards.
pub async fn overview(app: &App, who: &Actor) -> Result<Overview, AppError> {
    let mut tx = app.db.read().await?;
    let org = crate::node::org(&mut tx).await?;
    let line = kepu_store::org::line(&mut tx, &org).await?;
    who.may(Action::SeeIntake, Some(&line))?;
    let upto = number(&mut tx, UPTO).await?;
    let waiting = signal::waiting_by_inlet(&mut tx, upto).await?;
    let now = hour_of(app.now());
    let (hour, day) = (store::counts(&mut tx, now - 1, now + 1).await?, store::counts(&mut tx, now - HOURS + 1, now + 1).await?);
    let stands = |id: &str, inlet: Option<Inlet>| {
        let waits = waiting.iter().find(|(name, ..)| name == id);
        Stands {
            id: id.to_owned(),
            inlet,
            waiting: waits.map_or(0, |(_, n, _)| *n),
            oldest: waits.map(|(_, _, at)| *at),
            hour: hour.get(id).copied().unwrap_or_default(),
            day: day.get(id).copied().unwrap_or_default(),
        }
    };
    let mut list: Vec<Stands> =
        store::list(&mut tx, super::inlet::INLETS_MAX).await?.into_iter().map(|inlet| stands(&inlet.id.0.clone(), Some(inlet))).collect();
    let stream = stream::standing(&mut tx).await?;
    list.extend([stands(FILES, None), stands(ASKED, None)]);
    list.extend(stream.is_some().then(|| stands(STREAM, None)));
    list.sort_by_key(|one| one.inlet.as_ref().is_none_or(|inlet| inlet.trouble.is_empty()));
    Ok(Overview {
        inlets: list,
        stream,
        room: room(app, &mut tx).await?,
        most: app.definitions().listen.queue_max,
        hosts: hosts(&mut tx).await?,
        may: (who.may(Action::Publish, Some(&line)).is_ok(), who.may(Action::ManageMembers, Some(&line)).is_ok()),
    })
}
