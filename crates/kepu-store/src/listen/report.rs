//! Reports against content. Their cases are in `case`.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Cells, all, args, one, run};
use kepu_domain::ids::{AccountId, CaseId, SubjectId};
use kepu_domain::listen::report::{Decided, Report};

fn read(c: &mut Cells<'_>) -> Result<Report, StoreError> {
    let (case, subject, ground, times) = (c.id()?, c.id()?, c.text()?, c.int()?);
    let (outcome, by, at, appealed_at) = (c.opt_text()?, c.opt_id()?, c.opt_time()?, c.opt_time()?);
    let decided = match (outcome, by, at) {
        (Some(outcome), Some(by), Some(at)) => Some(Decided { outcome, by, at }),
        _ => None,
    };
    Ok(Report { case, subject, ground, times, decided, appealed_at })
}

macro_rules! columns {
    () => {
        "case_id, subject, ground, times, outcome, decided_by, decided_at, appealed_at"
    };
}

/// Stores a report over what was there.
pub async fn put(tx: &mut Tx, report: &Report) -> Result<(), StoreError> {
    const SQL: &str = concat!(
        "INSERT INTO report (",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (case_id) DO UPDATE SET times = excluded.times, outcome = excluded.outcome, decided_by = excluded.decided_by,
            decided_at = excluded.decided_at, appealed_at = excluded.appealed_at"
    );
    let decided = report.decided.as_ref();
    let args = args![
        report.case.as_str(),
        report.subject.as_str(),
        &report.ground,
        report.times,
        decided.map(|one| one.outcome.as_str()),
        decided.map(|one| AccountId::as_str(&one.by)),
        decided.map(|one| one.at),
        report.appealed_at
    ];
    run(tx, "store a report", SQL, args).await.map(drop)
}

/// The report that a case is about.
pub async fn find(tx: &mut Tx, case: &CaseId) -> Result<Option<Report>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM report WHERE case_id = $1");
    one(tx, "find a report", SQL, args![case.as_str()], read).await
}

/// Reports against a content for one ground.
pub async fn list(tx: &mut Tx, subject: &SubjectId, ground: &str) -> Result<Vec<Report>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM report WHERE subject = $1 AND ground = $2 ORDER BY case_id");
    all(tx, "list reports", SQL, args![subject.as_str(), ground], read).await
}

/// How often each outcome was decided between two moments (ms, the second not included), by outcome.
pub async fn count_outcomes(tx: &mut Tx, from: i64, before: i64) -> Result<Vec<(String, i64)>, StoreError> {
    const SQL: &str = "SELECT outcome, COUNT(*) FROM report WHERE decided_at >= $1 AND decided_at < $2 GROUP BY outcome ORDER BY outcome";
    all(tx, "count outcomes of reports", SQL, args![from, before], |c| Ok((c.text()?, c.int()?))).await
}
