//! How messages come: a source calls and signs like a tipline, or is read like a public list (one message, or a feed that links to messages).

use super::take::{BYTES_MAX, Taken, take};
use crate::App;
use crate::create::import::Reason;
use crate::error::AppError;
use crate::keys;
use crate::listen::intake::tipline::{Call, first_time, known};
use crate::outside::{self, Address};
use kepu_domain::deliver::alert::links;
use kepu_domain::listen::inlet::{Inlet, Kind, State};
use kepu_domain::listen::sighting::hour_of;
use kepu_domain::listen::signal::Counts;
use kepu_store::listen::inlet as inlets;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Calls of one source in a minute at most: a storm has many warnings, a flood of calls is none.
const PER_MINUTE: u32 = 1_200;
/// New messages of a feed that are fetched in one reading; the rest comes with the next.
const FETCHED: usize = 60;

/// The text of a document: UTF-8, what its declaration says, or what it can only be.
pub fn text(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some(Cow::Borrowed(text));
    }
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).to_ascii_lowercase();
    if ["iso-8859-1", "latin1", "us-ascii", "windows-1252"]
        .iter()
        .any(|name| head.contains(&format!("encoding=\"{name}\"")) || head.contains(&format!("encoding='{name}'")))
    {
        return Some(bytes.iter().map(|byte| char::from(*byte)).collect());
    }
    kepu_text::decode(bytes).ok().map(|decoded| Cow::Owned(decoded.text))
}

/// Takes a message that a source sends: raw XML, signed with the secret of the source, never the same call twice.
///
/// May: whoever signs with the secret of the source. Writes: once, what [`take`] writes, inlet.
pub async fn call(app: &App, call: Call) -> Result<Taken, AppError> {
    let inlet = known(app, &call, Kind::Warning).await?;
    app.limit(&format!("source {}", inlet.id), PER_MINUTE)?;
    first_time(app, &call).await?;
    let taken = take(app, &format!("source:{}", inlet.id), Some(&inlet), &call.body).await?;
    let mut tx = app.db.write().await?;
    inlets::heard(&mut tx, &inlet.id, app.now()).await?;
    inlets::add_counts(&mut tx, inlet.id.as_str(), hour_of(app.now()), counts(&taken)).await?;
    tx.commit().await?;
    Ok(taken)
}

fn counts(taken: &Taken) -> Counts {
    match taken {
        Taken::Passed(_) | Taken::Exercise(_) => Counts { taken: 1, ..Counts::default() },
        Taken::Held(_) => Counts { asked: 1, ..Counts::default() },
        Taken::Invalid(_) => Counts { refused: 1, ..Counts::default() },
        Taken::Nothing(_) | Taken::Duplicate => Counts { nothing: 1, ..Counts::default() },
    }
}

/// Reads a source that is due: the message itself, or a feed of links to messages. What cannot be reached is tried again; what is neither is shown to a steward.
pub(crate) async fn read(app: &App, inlet: Inlet, fetched: Result<Vec<u8>, Reason>, hosts: &BTreeSet<String>) -> Result<(), AppError> {
    let now = app.now();
    let after = match fetched {
        Err(reason) => inlet.failed(now, &reason.write()),
        Ok(bytes) => match read_whole(app, &inlet, &bytes, hosts).await? {
            Ok(()) => inlet.read_well(now),
            Err(reason) => inlet.failed(now, &reason.write()),
        },
    };
    let mut tx = app.db.write().await?;
    inlets::update(&mut tx, &after).await?;
    if matches!(after.state, State::Paused(_)) {
        crate::account::log(app, &mut tx, "job:listen", "inlet.paused", after.id.as_str(), "ok").await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn read_whole(app: &App, inlet: &Inlet, bytes: &[u8], hosts: &BTreeSet<String>) -> Result<Result<(), Reason>, AppError> {
    let Some(text) = text(bytes) else { return Ok(Err(Reason::new("inlet-unread"))) };
    let Some(list) = links(&text) else {
        return Ok(match one(app, inlet, bytes).await? {
            Taken::Invalid(errors) => Err(Reason::new("inlet-no-warning").with("cause", errors.first().map(|note| note.text.as_str()).unwrap_or_default())),
            _ => Ok(()),
        });
    };
    let names: Vec<String> = list.iter().map(|link| keys::short_hash(&link.key)).collect();
    let mut tx = app.db.read().await?;
    let seen: BTreeSet<String> = inlets::list_seen(&mut tx, &inlet.id, &names).await?.into_iter().collect();
    drop(tx);
    let mut trouble = None;
    let mut done = Vec::new();
    for (link, name) in list.iter().zip(&names).filter(|(_, name)| !seen.contains(*name)).take(FETCHED) {
        let Some(address) = Address::parse(&link.href).filter(|address| hosts.contains(&address.host)) else {
            trouble = Some(Reason::new("inlet-not-allowed"));
            continue;
        };
        match outside::get(app, &address, BYTES_MAX).await {
            Ok(bytes) => {
                one(app, inlet, &bytes).await?;
                done.push(name.clone());
            }
            Err(_) => trouble = Some(Reason::new("inlet-unreached").with("host", &address.host).with("cause", "")),
        }
    }
    let mut tx = app.db.write().await?;
    inlets::add_seen(&mut tx, &inlet.id, &done, app.now()).await?;
    tx.commit().await?;
    // What was new and could not be had is tried again with the next reading.
    Ok(trouble.filter(|_| done.is_empty()).map_or(Ok(()), Err))
}

async fn one(app: &App, inlet: &Inlet, bytes: &[u8]) -> Result<Taken, AppError> {
    let taken = take(app, &format!("source:{}", inlet.id), Some(inlet), bytes).await?;
    let mut tx = app.db.write().await?;
    inlets::add_counts(&mut tx, inlet.id.as_str(), hour_of(app.now()), counts(&taken)).await?;
    tx.commit().await?;
    Ok(taken)
}
