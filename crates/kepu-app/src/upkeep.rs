//! What a serving node does by itself every hour: what has ended is removed (RULES §7: shortest storage), and the day's anchor
//! of the audit log is written. Exchange, index and heads have their own loops.

use crate::account::log_with;
use crate::error::AppError;
use crate::{App, audit};
use jiff::{SignedDuration, Timestamp};
use kepu_domain::account::IDLE_MINUTES;
use kepu_store::{login_lock, once, session};

/// Hours after which a form that was sent can no longer be sent a second time by accident.
const FORM_HOURS: i64 = 72;
/// Hours after the last failed sign-in until its count is forgotten; longer than the longest lock.
const FAILURE_HOURS: i64 = 24;

/// Removes ended sessions, old failures and marks of sent forms, and writes the day's anchor. Safe to run at any time.
///
/// May: the node. Writes: session, lock, form marks, log (only if something was removed), a file.
pub async fn run(app: &App) -> Result<(), AppError> {
    let now = app.now();
    let before = |hours: i64| now.checked_sub(SignedDuration::from_hours(hours)).unwrap_or(Timestamp::MIN);
    let idle = now.checked_sub(SignedDuration::from_mins(IDLE_MINUTES)).unwrap_or(Timestamp::MIN);
    let mut tx = app.db.write().await?;
    let sessions = session::purge(&mut tx, now, idle).await?;
    let failures = login_lock::purge_before(&mut tx, before(FAILURE_HOURS)).await?;
    let forms = once::purge_before(&mut tx, before(FORM_HOURS)).await?;
    if sessions + failures + forms > 0 {
        let detail = serde_json::json!({"sessions": sessions, "failures": failures, "forms": forms}).to_string();
        log_with(app, &mut tx, "job:upkeep", "node.expired_removed", "", "ok", &detail).await?;
    }
    tx.commit().await?;
    audit::anchor(app).await?;
    Ok(())
}
