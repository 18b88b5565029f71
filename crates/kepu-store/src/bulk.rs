//! Many rows in few statements: the hot path of synchronisation.

use crate::db::{Engine, Tx};
use crate::error::StoreError;
use crate::sql::{push_rows, run_kept};
use crate::value::Value;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// Rows in one statement.
const ROWS_MAX: usize = 500;
/// Values in one statement: SQLite takes 32 766, PostgreSQL 65 535.
const VALUES_MAX: usize = 32_000;

/// Inserts `rows` with as few statements as the engines allow; returns how many rows were written.
///
/// `head` is `INSERT INTO t (a, b) VALUES`, `columns` the number of values each row has, `suffix` for example
/// `ON CONFLICT (a) DO NOTHING`; neither has placeholders. `bind` pushes the values of one row.
pub async fn bulk_insert<R>(
    tx: &mut Tx,
    action: &'static str,
    head: &'static str,
    columns: usize,
    suffix: &'static str,
    rows: &[R],
    bind: impl for<'r> Fn(&'r R, &mut Vec<Value<'r>>),
) -> Result<u64, StoreError> {
    let batch = (VALUES_MAX / columns.max(1)).clamp(1, ROWS_MAX);
    let engine = tx.engine();
    let full = (rows.len() >= batch).then(|| statement(engine, head, columns, suffix, batch));
    let mut written = 0;
    for chunk in rows.chunks(batch) {
        let mut values = Vec::with_capacity(chunk.len() * columns);
        for row in chunk {
            bind(row, &mut values);
        }
        debug_assert_eq!(values.len(), chunk.len() * columns, "{head}: every row has the same number of values");
        written += match &full {
            Some(sql) if chunk.len() == batch => run_kept(tx, action, sql.clone(), values, true).await?,
            // A single row is common (publishing at a desk); other odd sizes are prepared once and forgotten.
            _ => run_kept(tx, action, statement(engine, head, columns, suffix, chunk.len()), values, chunk.len() == 1).await?,
        };
    }
    Ok(written)
}

fn statement(engine: Engine, head: &str, columns: usize, suffix: &str, rows: usize) -> SqlStr {
    let mut sql = String::with_capacity(head.len() + suffix.len() + rows * (columns * 6 + 3) + 2);
    sql.push_str(head);
    sql.push(' ');
    push_rows(&mut sql, engine, rows, columns);
    sql.push(' ');
    sql.push_str(suffix);
    AssertSqlSafe(sql).into_sql_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_engine_gets_the_placeholders_it_is_quick_with() {
        let text = |engine| statement(engine, "INSERT INTO t (a, b) VALUES", 2, "", 2).as_str().to_owned();
        assert_eq!(text(Engine::Sqlite), format!("INSERT INTO t (a, b) VALUES ({0},{0}),({0},{0}) ", '?'));
        assert_eq!(text(Engine::Postgres), "INSERT INTO t (a, b) VALUES ($1,$2),($3,$4) ");
    }
}
