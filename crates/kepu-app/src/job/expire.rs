//! The daily removal of what has been kept long enough (RULES §7: shortest storage), with its proof in the audit log. How long
//! is in `kepu-domain::retention`.

use crate::error::AppError;
use crate::{App, blob};
use jiff::{SignedDuration, Timestamp};
use kepu_domain::account::IDLE_MINUTES;
use kepu_domain::listen::sighting::{Sighting, hour_of, month_of};
use kepu_domain::org::Region;
use kepu_domain::retention;
use kepu_store::create::{import, round};
use kepu_store::deliver::{point, warning};
use kepu_store::listen::{case, duty, inlet, question, sighting, signal, topic, wording};
use kepu_store::{Tx, invite, job, log, login_lock, once, session};
use serde::Serialize;
use std::time::{Duration, SystemTime};

/// What was removed, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Expired {
    /// Random numbers of forms.
    pub forms: u64,
    /// Sessions that ended.
    pub sessions: u64,
    /// Counts of failed sign-ins.
    pub sign_in_failures: u64,
    /// Invitations that ran out.
    pub invitations: u64,
    /// Words of questions.
    pub questions: u64,
    /// Titles of cases, as asked.
    pub cases: u64,
    /// Notes in cases.
    pub notes: u64,
    /// Contacts of those who objected to a proposal.
    pub contacts: u64,
    /// Signals, with their words.
    pub signals: u64,
    /// Digests of what lists brought.
    pub listed: u64,
    /// Counts by the hour of inlets and topics.
    pub heard: u64,
    /// Labels of topics, as people say it.
    pub topics: u64,
    /// Wordings that no editor took up.
    pub wordings: u64,
    /// Sightings whose hour and county were given up.
    pub sightings: u64,
    /// Messages of warning sources.
    pub messages: u64,
    /// Deliveries of warnings to points.
    pub deliveries: u64,
    /// Absences from duty.
    pub absences: u64,
    /// Jobs that were over.
    pub jobs: u64,
    /// Files that nobody took in, with their rows in the table.
    pub imports: u64,
    /// Files on disk that nothing needs.
    pub files: u64,
}

fn before(now: Timestamp, days: i64) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MIN)
}

/// Removes what has been kept long enough and writes the proof: when, up to which day, how many of each.
///
/// Writes: the tables named in [`Expired`], log. Running twice removes nothing more.
pub async fn run(app: &App) -> Result<Expired, AppError> {
    let now = app.now();
    let mut tx = app.db.write().await?;
    let idle_since = now.checked_sub(SignedDuration::from_mins(IDLE_MINUTES)).unwrap_or(Timestamp::MIN);
    let answered = before(now, retention::QUESTION_DAYS);
    let (cases, notes) = case::purge_texts(&mut tx, answered).await?;
    let mut expired = Expired {
        forms: once::purge_before(&mut tx, before(now, retention::FORM_DAYS)).await?,
        sessions: session::purge(&mut tx, now, idle_since).await?,
        sign_in_failures: login_lock::purge_before(&mut tx, before(now, retention::SIGN_IN_FAILURE_DAYS)).await?,
        invitations: invite::purge(&mut tx, before(now, retention::INVITE_DAYS)).await?,
        questions: question::purge_texts(&mut tx, answered).await?,
        cases,
        notes,
        contacts: round::purge_contacts(&mut tx, before(now, retention::CONTACT_DAYS)).await?,
        signals: signal::purge(&mut tx, now.checked_sub(SignedDuration::from_hours(retention::SIGNAL_HOURS)).unwrap_or(Timestamp::MIN)).await?,
        listed: inlet::purge_seen(&mut tx, before(now, retention::LISTED_DAYS)).await?,
        heard: {
            let oldest = hour_of(before(now, retention::HEARD_DAYS));
            inlet::purge_counts(&mut tx, oldest).await? + topic::purge_heard(&mut tx, oldest).await?
        },
        topics: topic::purge_labels(&mut tx, answered).await?,
        wordings: wording::purge(&mut tx, before(now, retention::WORDING_DAYS)).await?,
        sightings: coarsen(&mut tx, before(now, retention::SIGHTING_DAYS)).await?,
        messages: warning::purge_messages(&mut tx, before(now, retention::MESSAGE_DAYS)).await?,
        deliveries: point::purge(&mut tx, before(now, retention::DELIVERY_DAYS)).await?,
        absences: duty::purge_absences(&mut tx, crate::china_date(before(now, retention::ABSENCE_DAYS))).await?,
        jobs: job::purge_done(&mut tx, before(now, retention::JOB_DAYS)).await?,
        ..Expired::default()
    };
    for abandoned in import::list_abandoned(&mut tx, before(now, retention::FILE_DAYS), 1_000).await? {
        import::delete(&mut tx, &abandoned.id).await?;
        expired.imports += 1;
    }
    // A file younger than a day may belong to an import that is just being written down.
    let seconds = u64::try_from(now.as_second() - 24 * 3600).unwrap_or_default();
    let yesterday = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let mut gone = Vec::new();
    for file in blob::list_before(app, yesterday)? {
        if import::count_needing(&mut tx, &file).await? == 0 {
            gone.push(file);
        }
    }
    expired.files = gone.len() as u64;
    let detail = serde_json::json!({"questions_before": answered.to_string(), "removed": expired}).to_string();
    log::append(&mut tx, now, "job:expire", "data.expired", "", "ok", &detail).await?;
    tx.commit().await?;
    // After the commit: a file that stays behind a crash is found again tomorrow, one that went too early is lost.
    for file in gone {
        blob::delete(app, &file)?;
    }
    Ok(expired)
}

/// Sightings made coarser at once, at most; the rest follows tomorrow.
const COARSENED: u32 = 20_000;

/// Old sightings keep month, province and channel: enough for the seasons of a claim, too little for anything else. Returns how many rows went.
async fn coarsen(tx: &mut Tx, before: Timestamp) -> Result<u64, AppError> {
    let mut rows = sighting::list_before(tx, hour_of(before), COARSENED).await?;
    rows.retain(|row| coarse(row) != *row);
    let mut sums = std::collections::BTreeMap::new();
    for row in &rows {
        sighting::remove(tx, row).await?;
        let coarse = coarse(row);
        *sums.entry((coarse.claim, coarse.hour, coarse.channel, coarse.region)).or_insert(0) += row.count;
    }
    let sums: Vec<Sighting> = sums.into_iter().map(|((claim, hour, channel, region), count)| Sighting { claim, hour, channel, region, count }).collect();
    sighting::add(tx, &sums).await?;
    Ok(rows.len() as u64)
}

fn coarse(row: &Sighting) -> Sighting {
    let month = month_of(row.hour);
    let first = jiff::civil::Date::new(month.year(), month.month(), 1).ok().and_then(|day| jiff::tz::Offset::constant(8).to_timestamp(day.at(0, 0, 0, 0)).ok());
    let province = row.region.chain().get(1).copied().unwrap_or(Region::NATION);
    Sighting { hour: first.map_or(row.hour, hour_of), region: province, ..row.clone() }
}
