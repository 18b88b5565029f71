//! Reading public lists: fetched within limits, read as a table, new entries into the queue. A list that cannot be reached is tried less and less often; one
//! that is suddenly written otherwise is paused with the reason, and nothing of it is lost: its new entries come when somebody has looked.

use super::{Fresh, inlet as setting, put, room};
use crate::account::log;
use crate::create::import::Reason;
use crate::create::import::read::{Form, Table};
use crate::deliver::warning;
use crate::error::AppError;
use crate::outside::{self, Address};
use crate::{App, keys};
use jiff::Timestamp;
use kepu_domain::listen::inlet::{Format, Inlet, Kind, Plan, State as InletState};
use kepu_domain::listen::sighting::{Channel, hour_of};
use kepu_domain::listen::signal::{Counts, State};
use kepu_store::listen::inlet as store;
use std::collections::HashSet;

/// Lists read by one run of the job.
const LISTS: u32 = 50;
/// Largest list, in bytes.
const BYTES_MAX: usize = 4 * 1024 * 1024;
/// Entries of a list that are looked at; the first are the newest or the highest.
const ENTRIES_MAX: usize = 5_000;

/// What a reading came to.
enum Reading {
    /// Entries: key and what it says.
    Entries(Vec<(String, Fresh)>, usize),
    /// Nobody here is to blame: try again later.
    Failed(Reason),
    /// It is not the list it was: somebody must look.
    Strange(Reason),
}

/// Reads every list that is due; returns how many.
///
/// Writes: inlet, inlet_seen, inlet_hour, signal, log.
pub(super) async fn read_due(app: &App) -> Result<usize, AppError> {
    let mut tx = app.db.read().await?;
    let due = store::list_due(&mut tx, app.now(), LISTS).await?;
    let hosts = setting::hosts(&mut tx).await?;
    drop(tx);
    let mut done = 0;
    for inlet in due {
        if inlet.kind == Kind::Warning {
            let fetched = fetch(app, &inlet, &hosts).await;
            match warning::source::read(app, inlet, fetched, &hosts).await {
                Err(AppError::Stale { .. } | AppError::NotFound { .. }) => {}
                other => other?,
            }
            done += 1;
            continue;
        }
        let reading = match fetch(app, &inlet, &hosts).await {
            Ok(bytes) => {
                let (plan, region, now) = (inlet.plan.clone(), inlet.region, app.now());
                let read = tokio::task::spawn_blocking(move || read(&bytes, &plan, region, now)).await;
                read.map_err(|fault| AppError::Record(fault.to_string()))?
            }
            Err(reason) => Reading::Failed(reason),
        };
        match keep(app, inlet, reading).await {
            // Somebody changed it while it was read: it is due again.
            Err(AppError::Stale { .. } | AppError::NotFound { .. }) => {}
            other => other?,
        }
        done += 1;
    }
    Ok(done)
}

async fn fetch(app: &App, inlet: &Inlet, hosts: &std::collections::BTreeSet<String>) -> Result<Vec<u8>, Reason> {
    let address = &inlet.plan.address;
    if let Some(name) = address.strip_prefix("file:") {
        let failed = |cause: String| Reason::new("inlet-no-file").with("name", name).with("cause", cause);
        if !setting::is_file_name(name) {
            return Err(failed(String::new()));
        }
        let path = app.folder("lists").map_err(|e| failed(e.to_string()))?.join(name);
        let size = std::fs::metadata(&path).map_err(|e| failed(e.to_string()))?.len();
        if size > BYTES_MAX as u64 {
            return Err(Reason::new("inlet-large").with("max", BYTES_MAX / 1024));
        }
        return std::fs::read(&path).map_err(|e| failed(e.to_string()));
    }
    let address = Address::parse(address).filter(|address| hosts.contains(&address.host));
    let address = address.ok_or_else(|| Reason::new("inlet-not-allowed"))?;
    outside::get(app, &address, BYTES_MAX).await.map_err(|refusal| match refusal {
        outside::Refusal::Large => Reason::new("inlet-large").with("max", BYTES_MAX / 1024),
        outside::Refusal::Private => Reason::new("inlet-private").with("host", &address.host),
        outside::Refusal::Moved => Reason::new("inlet-moved"),
        outside::Refusal::Status(status) => Reason::new("inlet-status").with("status", status),
        outside::Refusal::Failed(cause) => Reason::new("inlet-unreached").with("host", &address.host).with("cause", cause),
    })
}

fn read(bytes: &[u8], plan: &Plan, region: kepu_domain::org::Region, now: Timestamp) -> Reading {
    let table = match Table::read(bytes) {
        Ok(table) => table,
        Err(AppError::Invalid(list)) => return Reading::Strange(list.into_iter().next().map_or_else(|| Reason::new("inlet-unread"), Reason::from)),
        Err(error) => return Reading::Strange(Reason::new("inlet-unread").with("cause", error)),
    };
    let is = match table.form() {
        Form::JsonLines | Form::JsonList => Some(Format::Json),
        Form::Cells => Some(Format::Csv),
        Form::Foreign => Some(Format::Feed),
        Form::Workbook => None,
    };
    if is != Some(plan.format) {
        return Reading::Strange(Reason::new(&format!("inlet-not-{}", plan.format.as_str())));
    }
    if let Some(column) = plan.columns.values().find(|column| !table.columns.contains(column)) {
        return Reading::Strange(Reason::new("inlet-no-column").with("column", column));
    }
    let cell = |row: &kepu_domain::create::import::Row, target: &str| {
        plan.columns.get(target).and_then(|column| row.get(column)).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    let (mut entries, mut broken) = (Vec::new(), 0);
    for (_, row) in table.rows().take(ENTRIES_MAX) {
        let Some((text, row)) = row.ok().and_then(|row| Some((cell(&row, "text")?, row))) else {
            broken += 1;
            continue;
        };
        let place = cell(&row, "region").and_then(|code| crate::org::region_named(&code)).unwrap_or(region);
        let weight = cell(&row, "weight").and_then(|text| text.parse().ok()).unwrap_or(1.0);
        let at = cell(&row, "time").and_then(|text| moment(&text)).unwrap_or(now);
        let name = cell(&row, "id").unwrap_or_else(|| kepu_text::fold(&text));
        let key = if plan.repeats { format!("{name}\n{}", hour_of(now)) } else { name };
        // Where entries count again every hour, the hour is now; else when they say they are from.
        let at = if plan.repeats { now } else { at };
        entries.push((keys::short_hash(&key), Fresh { text, at, region: place, weight, state: State::Waiting }));
    }
    // One broken row among many is a broken row; mostly broken rows are another list.
    if broken > entries.len() {
        return Reading::Strange(Reason::new("inlet-mostly-broken").with("broken", broken).with("good", entries.len()));
    }
    Reading::Entries(entries, broken)
}

/// A moment as lists write it: seconds or milliseconds since 1970, RFC 3339, or a day or minute in China.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        return match number {
            0..=9_999_999_999 => Timestamp::from_second(number).ok(),
            _ => Timestamp::from_millisecond(number).ok(),
        };
    }
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let china = jiff::tz::Offset::constant(8);
    let civil = text.parse::<jiff::civil::DateTime>().or_else(|_| text.parse::<jiff::civil::Date>().map(|day| day.at(0, 0, 0, 0)));
    china.to_timestamp(civil.ok()?).ok()
}

/// Keeps what a reading came to, with how the list stands, in one transaction.
async fn keep(app: &App, inlet: Inlet, reading: Reading) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let now = app.now();
    let id = inlet.id.clone();
    let after = match reading {
        Reading::Entries(entries, broken) => {
            let names: Vec<String> = entries.iter().map(|(key, _)| key.clone()).collect();
            let mut seen: HashSet<String> = store::list_seen(&mut tx, &id, &names).await?.into_iter().collect();
            let mut fresh: Vec<(String, Fresh)> = entries.into_iter().filter(|(key, _)| seen.insert(key.clone())).collect();
            // What finds no room comes with the next reading: it is not noted as seen.
            fresh.truncate(usize::try_from(room(app, &mut tx).await?).unwrap_or_default());
            let (names, fresh): (Vec<String>, Vec<Fresh>) = fresh.into_iter().unzip();
            put(app, &mut tx, &id, Channel::List, fresh).await?;
            store::add_seen(&mut tx, &id, &names, now).await?;
            let refused = Counts { refused: i64::try_from(broken).unwrap_or(i64::MAX), ..Counts::default() };
            store::add_counts(&mut tx, id.as_str(), hour_of(now), refused).await?;
            inlet.read_well(now)
        }
        Reading::Failed(reason) => inlet.failed(now, &reason.write()),
        Reading::Strange(reason) => inlet.paused(now, &reason.write()),
    };
    store::update(&mut tx, &after).await?;
    if matches!(after.state, InletState::Paused(_)) {
        log(app, &mut tx, "job:listen", "inlet.paused", id.as_str(), "ok").await?;
    }
    tx.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kepu_domain::org::Region;

    fn plan(format: Format, text: &str) -> Plan {
        Plan { format, columns: [("text".to_owned(), text.to_owned())].into(), every_minutes: 60, ..Plan::default() }
    }
    fn texts(reading: Reading) -> Result<Vec<String>, String> {
        match reading {
            Reading::Entries(entries, _) => Ok(entries.into_iter().map(|(_, fresh)| fresh.text).collect()),
            Reading::Strange(reason) | Reading::Failed(reason) => Err(reason.key),
        }
    }
    fn of(bytes: &str, plan: &Plan) -> Result<Vec<String>, String> {
        texts(read(bytes.as_bytes(), plan, Region::NATION, Timestamp::UNIX_EPOCH))
    }

    #[test]
    fn a_list_is_read_from_every_format() {
        let feed = "<rss><channel><title>站</title><item><title>停水三天</title></item></channel></rss>";
        assert_eq!(of(feed, &plan(Format::Feed, "title")), Ok(vec!["停水三天".into()]));
        assert_eq!(of("排名,标题\n1,停水三天\n", &plan(Format::Csv, "标题")), Ok(vec!["停水三天".into()]));
        assert_eq!(of("{\"t\":\"停水三天\"}\n", &plan(Format::Json, "t")), Ok(vec!["停水三天".into()]));
    }

    #[test]
    fn a_list_that_is_suddenly_something_else_says_what() {
        assert_eq!(of("<html><body>维护中</body></html>", &plan(Format::Feed, "title")), Err("error-file_xml_kind".into()));
        assert_eq!(of("标题\n停水\n", &plan(Format::Json, "t")), Err("inlet-not-json".into()));
        assert_eq!(of("题目\n停水\n", &plan(Format::Csv, "标题")), Err("inlet-no-column".into()));
        assert_eq!(of("", &plan(Format::Csv, "标题")), Err("error-file_empty".into()));
        assert_eq!(of("{\"t\":\"停水\"}\n{oops\n{oops\n", &plan(Format::Json, "t")), Err("inlet-mostly-broken".into()));
    }

    #[test]
    fn moments_are_read_as_lists_write_them() {
        let seconds = |text: &str| moment(text).map(|at| at.as_second());
        assert_eq!(seconds("1772323200"), Some(1_772_323_200));
        assert_eq!(seconds("1772323200000"), Some(1_772_323_200));
        assert_eq!(seconds("2026-03-01T08:00:00+08:00"), Some(1_772_323_200));
        assert_eq!(seconds("2026-03-01 08:00:00"), Some(1_772_323_200));
        assert_eq!(seconds("2026-03-01"), Some(1_772_294_400));
        assert_eq!(seconds("昨天"), None);
    }
}
