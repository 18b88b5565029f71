//! Tiplines: a house that hears people (a chat account, a telephone desk) sends what they say and gets at once what to say back. Who calls, a signature over
//! time and body says; a call cannot be sent a second time. How to write a caller is in `docs/tipline.md`.

use super::{FULL_SECONDS, Fresh, inlet, put, room};
use crate::App;
use crate::error::{AppError, FieldError};
use crate::listen::hear::{Band, Heard, Said, hear};
use crate::listen::placement;
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use kepu_domain::ids::InletId;
use kepu_domain::listen::inlet::{Inlet, Kind, State as InletState};
use kepu_domain::listen::placement::PlaceKind;
use kepu_domain::listen::sighting::{Channel, hour_of};
use kepu_domain::listen::signal::{Counts, State};
use kepu_store::listen::{inlet as store, placement as placements};
use kepu_store::once::{self, Once};
use kepu_store::subject::{self, Row, Standing};
use serde::Deserialize;
use sha2::Sha256;

/// Largest call, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Seconds that the caller's clock may differ from ours.
const CLOCK_SECONDS: i64 = 300;
/// Calls of one tipline in a minute at most.
const PER_MINUTE: u32 = 3_000;

/// A call as it came.
#[derive(Clone, Debug)]
pub struct Call {
    /// Which tipline.
    pub inlet: InletId,
    /// Header `Kepu-Timestamp`: milliseconds since 1970 (seconds are taken too; the same words twice in one second would look like one call).
    pub timestamp: String,
    /// Header `Kepu-Signature`: `v1=` and the HMAC-SHA256 of `timestamp.body` under the tipline's secret, in hex.
    pub signature: String,
    /// The body, JSON.
    pub body: Vec<u8>,
}

/// What the body says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    text: String,
    /// What the house calls the way by which it heard it; for the caller only, nothing is done with it.
    #[serde(default)]
    #[expect(dead_code, reason = "part of the contract: it may be sent, and none of it is kept")]
    channel: String,
    /// Code or name of a county.
    #[serde(default)]
    county: String,
}

/// What is said back.
#[derive(Clone, Debug)]
pub struct Reply {
    /// What is to be done with it.
    pub band: Band,
    /// The claim that answers, or may.
    pub claim: Option<Row>,
    /// How sure it is, 0 to 1.
    pub probability: f64,
    /// Whether it was taken into the queue: what is answered is not.
    pub queued: bool,
}

/// The signature of a call.
pub fn sign(secret: &str, timestamp: &str, body: &[u8]) -> String {
    format!("v1={}", HEXLOWER.encode(&mac(secret, timestamp, body).finalize().into_bytes()))
}

fn mac(secret: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

/// Hears one message of a tipline and says what to say back.
///
/// May: whoever signs with the secret of the tipline. Writes: once, sighting, signal, inlet_hour, inlet, job; never who called or spoke.
pub async fn call(app: &App, call: Call) -> Result<Reply, AppError> {
    let inlet = known(app, &call, Kind::Tipline).await?;
    app.limit(&format!("tipline {}", inlet.id), PER_MINUTE)?;
    let words: Words = serde_json::from_slice(&call.body).map_err(|e| AppError::Invalid(vec![FieldError::new("body", "tipline_json").with("cause", e)]))?;
    let region = match words.county.trim() {
        "" => inlet.region,
        county => crate::org::region_named(county).ok_or_else(|| AppError::Invalid(vec![FieldError::new("county", "no_county")]))?,
    };
    if super::clean(&words.text).is_empty() {
        return Err(AppError::Invalid(vec![FieldError::new("text", "required")]));
    }
    first_time(app, &call).await?;
    let now = app.now();
    let heard = hear(app, &Said { text: words.text.clone(), channel: Channel::Tipline, region: Some(region), at: now }).await?;
    let fresh = Fresh { text: words.text, at: now, region, weight: 1.0, state: State::Open };
    keep(app, &inlet, heard, fresh).await
}

/// What the body of a question about changes says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    /// The `next` of the last answer; 0 for everything.
    #[serde(default)]
    after: i64,
}

/// Most changes in one answer.
const CHANGES_MAX: usize = 100;

/// What changed of the answers that a tipline gave, in the order of change, and where to go on.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Claims whose version is another than the one that was said, or that are not public any more.
    pub rows: Vec<Row>,
    /// To be sent as `after` next time.
    pub next: i64,
    /// Whether there is more at once.
    pub more: bool,
}

/// What changed of the answers that a tipline gave: corrected, under check, withdrawn.
///
/// May: whoever signs with the secret of the tipline. Writes: once.
pub async fn changes(app: &App, call: Call) -> Result<Changes, AppError> {
    let inlet = known(app, &call, Kind::Tipline).await?;
    app.limit(&format!("tipline {}", inlet.id), PER_MINUTE)?;
    let asked: After = serde_json::from_slice(&call.body).map_err(|e| AppError::Invalid(vec![FieldError::new("body", "tipline_json").with("cause", e)]))?;
    first_time(app, &call).await?;
    let mut tx = app.db.read().await?;
    let said = placements::list_by_place(&mut tx, PlaceKind::Bot, &inlet.name, 20_000).await?;
    let docs: std::collections::HashMap<_, _> = said.iter().map(|one| (&one.claim, one.doc)).collect();
    let ids: Vec<_> = said.iter().map(|one| one.claim.clone()).collect();
    let mut rows = subject::find_many(&mut tx, &ids).await?;
    let mut next = rows.iter().map(|row| row.seq).max().unwrap_or_default().max(asked.after);
    rows.retain(|row| row.seq > asked.after && (row.standing != Standing::Public || row.doc_hash != docs.get(&row.id).copied()));
    rows.sort_by_key(|row| row.seq);
    let more = rows.len() > CHANGES_MAX;
    rows.truncate(CHANGES_MAX);
    if more {
        next = rows.last().map_or(next, |row| row.seq);
    }
    Ok(Changes { rows, next, more })
}

/// The tipline or source, if the call is signed with its secret and fresh.
pub(crate) async fn known(app: &App, call: &Call, kind: Kind) -> Result<Inlet, AppError> {
    let mut tx = app.db.read().await?;
    let found = store::find(&mut tx, &call.inlet).await?.filter(|inlet| inlet.kind == kind && inlet.state == InletState::On);
    // Who may not call must not learn which tiplines there are.
    let inlet = found.ok_or(AppError::Stranger)?;
    let at: i64 = call.timestamp.trim().parse().map_err(|_| AppError::Stranger)?;
    let seconds = if at.abs() > 99_999_999_999 { at / 1_000 } else { at };
    if (app.now().as_second() - seconds).abs() > CLOCK_SECONDS {
        return Err(AppError::Stranger);
    }
    let given = call.signature.trim().strip_prefix("v1=").and_then(|hex| HEXLOWER.decode(hex.as_bytes()).ok()).ok_or(AppError::Stranger)?;
    mac(&inlet::secret(app, &inlet), call.timestamp.trim(), &call.body).verify_slice(&given).map_err(|_| AppError::Stranger)?;
    Ok(inlet)
}

/// Refuses a call that was heard before. Signatures are remembered for longer than their time is accepted.
pub(crate) async fn first_time(app: &App, call: &Call) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let key = format!("tipline {} {}", call.inlet, call.signature.trim());
    if once::claim(&mut tx, &key, app.now()).await? != Once::First {
        return Err(AppError::Stale { what: "call", id: call.inlet.0.clone() });
    }
    tx.commit().await?;
    Ok(())
}

async fn keep(app: &App, inlet: &Inlet, heard: Heard, fresh: Fresh) -> Result<Reply, AppError> {
    let mut tx = app.db.write().await?;
    let now = app.now();
    let claim = match heard.matches.first() {
        Some(found) => subject::find(&mut tx, &found.claim).await?,
        None => None,
    };
    let counts = match heard.band {
        // What goes into the queue is counted as taken there.
        Band::Answer => Counts { taken: 1, matched: 1, ..Counts::default() },
        Band::Ask => Counts { asked: 1, ..Counts::default() },
        Band::Nothing => Counts { nothing: 1, ..Counts::default() },
    };
    let queued = heard.band != Band::Answer;
    if queued {
        // What is answered already needs no room; the rest must not grow without end, although nobody waits for it.
        if room(app, &mut tx).await? == 0 {
            store::add_counts(&mut tx, inlet.id.as_str(), hour_of(now), Counts { refused: 1, ..Counts::default() }).await?;
            tx.commit().await?;
            return Err(AppError::TooMany(FULL_SECONDS));
        }
        put(app, &mut tx, &inlet.id, Channel::Tipline, vec![fresh]).await?;
    }
    store::add_counts(&mut tx, inlet.id.as_str(), hour_of(now), counts).await?;
    store::heard(&mut tx, &inlet.id, now).await?;
    tx.commit().await?;
    if let (Band::Answer, Some(row)) = (heard.band, &claim) {
        // So that a correction can be told where the answer was said.
        placement::note(app, row, PlaceKind::Bot, &inlet.name).await?;
    }
    if queued {
        app.notify();
    }
    Ok(Reply { band: heard.band, claim, probability: heard.matches.first().map_or(0.0, |found| found.probability), queued })
}
