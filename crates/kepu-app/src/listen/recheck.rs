//! An old rumour returns: its answer stands and is served with its date, and once a case opens in which it is looked at again.

use crate::App;
use crate::account::log;
use crate::error::AppError;
use crate::keys;
use kepu_domain::ids::{CaseId, SubjectId};
use kepu_domain::listen::case::{Case, RECHECK, Stage, Step};
use kepu_store::listen::case as cases;
use kepu_store::{counter, subject};
use std::collections::HashSet;
use std::sync::Mutex;

/// Claims that this process has looked at today: a wave asks thousands of times, the tables are asked once.
#[derive(Default)]
pub struct Asked(Mutex<HashSet<(jiff::civil::Date, SubjectId)>>);

impl Asked {
    fn first_today(&self, today: jiff::civil::Date, claim: &SubjectId) -> bool {
        let Ok(mut seen) = self.0.lock() else { return true };
        seen.retain(|(day, _)| *day == today);
        seen.insert((today, claim.clone()))
    }
}

/// Opens a case for a claim of this node whose date for being looked at again has passed, unless one was opened for it since then.
///
/// Writes: case, log.
pub(crate) async fn open_once(app: &App, claim: &SubjectId) -> Result<(), AppError> {
    if !app.rechecked.first_today(app.today(), claim) {
        return Ok(());
    }
    let mut tx = app.db.write().await?;
    // Two processes that hear it at the same moment wait for each other here.
    counter::take(&mut tx, "case", 1).await?;
    let Some(row) = subject::find(&mut tx, claim).await? else { return Ok(()) };
    let trust = app.trust(&mut tx).await?;
    let Some(due) = row.expires.as_ref().filter(|_| crate::create::publish::own_keys(app, &trust).contains(&row.signer)) else { return Ok(()) };
    if let Some(case) = cases::find_by_subject(&mut tx, claim).await? {
        let opened = crate::china_date(case.opened_at).to_string();
        if matches!(case.stage, Stage::Open | Stage::Working { .. }) || opened >= *due {
            return Ok(());
        }
    }
    let org = crate::create::publish::org_of(&mut tx, claim).await?;
    let now = app.now();
    let case = Case {
        id: CaseId(keys::random_word(12)),
        kind: RECHECK.into(),
        level: 2,
        title: row.title.clone(),
        fields: row.fields.clone(),
        region: row.region,
        org,
        subject: claim.clone(),
        opened_at: now,
        // The old answer is what is said until there is a new one.
        held_at: Some(now),
        stage: Stage::Open,
        version: 1,
    };
    cases::insert(&mut tx, &case).await?;
    cases::add_step(&mut tx, &case.id, &Step { at: now, kind: "opened".into(), text: String::new(), public: true }).await?;
    log(app, &mut tx, "job:hear", "case.recheck", &case.id.0, "ok").await?;
    tx.commit().await?;
    app.notify();
    Ok(())
}
