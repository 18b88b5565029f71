//! Start orders: plans that were set going. Their tasks are in `task`.

use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Built, Cells, all, args, must, one, run, run_versioned};
use jiff::Timestamp;
use kepu_domain::ids::{CaseId, OrderId, SubjectId};
use kepu_domain::listen::order::{Mode, Order};

macro_rules! columns {
    () => {
        "id, mode, title, plan, hazard, level, region, org, case_id, about, started_at, ended_at, lesson, version"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Order, StoreError> {
    Ok(Order {
        id: c.id()?,
        mode: c.word(Mode::parse)?,
        title: c.text()?,
        plan: c.text()?,
        hazard: c.text()?,
        level: c.int()?,
        region: c.region()?,
        org: c.id()?,
        case: c.opt_id()?,
        about: c.opt_id()?,
        started_at: c.time()?,
        ended_at: c.opt_time()?,
        lesson: c.text()?,
        version: c.int()?,
    })
}

/// Adds an order.
pub async fn insert(tx: &mut Tx, order: &Order) -> Result<(), StoreError> {
    const SQL: &str = concat!("INSERT INTO start_order (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)");
    let args = args![
        order.id.as_str(),
        order.mode.as_str(),
        &order.title,
        &order.plan,
        &order.hazard,
        order.level,
        order.region.to_string(),
        order.org.as_str(),
        order.case.as_ref().map(CaseId::as_str),
        order.about.as_ref().map(SubjectId::as_str),
        order.started_at,
        order.ended_at,
        &order.lesson,
        order.version
    ];
    run(tx, "add a start order", SQL, args).await.map(drop)
}

/// Stores the end and the lesson of an order that was read in `order.version`.
pub async fn update(tx: &mut Tx, order: &Order) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE start_order SET ended_at = $3, lesson = $4, version = version + 1 WHERE id = $1 AND version = $2";
    const EXISTS: &str = "SELECT COUNT(*) FROM start_order WHERE id = $1";
    let args = args![order.id.as_str(), order.version, order.ended_at, &order.lesson];
    run_versioned(tx, "change a start order", "order", order.id.as_str(), SQL, args, EXISTS).await
}

/// One order.
pub async fn find(tx: &mut Tx, id: &OrderId) -> Result<Option<Order>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM start_order WHERE id = $1");
    one(tx, "find a start order", SQL, args![id.as_str()], read).await
}

/// One order that must be there.
pub async fn get(tx: &mut Tx, id: &OrderId) -> Result<Order, StoreError> {
    must(find(tx, id).await?, "order", id)
}

/// The order of this mode about a warning or a drill, the latest if there are several.
pub async fn find_about(tx: &mut Tx, mode: Mode, about: &SubjectId) -> Result<Option<Order>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM start_order WHERE mode = $1 AND about = $2 ORDER BY started_at DESC, id LIMIT 1");
    one(tx, "find the start order about something", SQL, args![mode.as_str(), about.as_str()], read).await
}

/// Orders of a mode that began from `from` on, the latest first, at most `limit`.
pub async fn list(tx: &mut Tx, mode: Option<Mode>, from: Timestamp, limit: u32) -> Result<Vec<Order>, StoreError> {
    let mut query = Built::new(concat!("SELECT ", columns!(), " FROM start_order WHERE TRUE"));
    if let Some(mode) = mode {
        query.push(" AND mode = {}", args![mode.as_str()]);
    }
    query.push(" AND started_at >= {} ORDER BY started_at DESC, id LIMIT {}", args![from, limit]);
    let (sql, args) = query.done();
    all(tx, "list start orders", sql, args, read).await
}
