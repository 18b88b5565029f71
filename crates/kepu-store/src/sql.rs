//! Running a statement on either engine: binding values, reading columns in order, long `IN` lists, conditional filters.
//! The statements themselves stand in the modules of the nouns.

use crate::db::{Engine, Tx};
use crate::error::StoreError;
use crate::value::{Value, parse_list};
use jiff::Timestamp;
use kepu_domain::org::Region;
use kepu_domain::record::{DocHash, Stream};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Decode, Encode, Postgres, Row, SqlSafeStr, SqlStr, Sqlite, Type};
use std::fmt::Display;

/// The values of a statement in the order of `$1, $2, …`.
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::value::Value::from($value)),*] };
}
pub(crate) use args;

fn collect<'q, A>(args: Vec<Value<'q>>) -> Result<A, sqlx::Error>
where
    A: Arguments,
    Option<i64>: Encode<'q, A::Database> + Type<A::Database>,
    Option<f64>: Encode<'q, A::Database> + Type<A::Database>,
    bool: Encode<'q, A::Database> + Type<A::Database>,
    Option<String>: Encode<'q, A::Database> + Type<A::Database>,
    Option<&'q str>: Encode<'q, A::Database> + Type<A::Database>,
    Option<Vec<u8>>: Encode<'q, A::Database> + Type<A::Database>,
    Option<&'q [u8]>: Encode<'q, A::Database> + Type<A::Database>,
{
    use std::borrow::Cow;
    let mut out = A::default();
    out.reserve(args.len(), args.len() * 16);
    for value in args {
        match value {
            Value::Int(value) => out.add(value),
            Value::Real(value) => out.add(value),
            Value::Bool(value) => out.add(value),
            Value::Text(Some(Cow::Owned(value))) => out.add(Some(value)),
            Value::Text(Some(Cow::Borrowed(value))) => out.add(Some(value)),
            Value::Text(None) => out.add(None::<String>),
            Value::Bytes(Some(Cow::Owned(value))) => out.add(Some(value)),
            Value::Bytes(Some(Cow::Borrowed(value))) => out.add(Some(value)),
            Value::Bytes(None) => out.add(None::<Vec<u8>>),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(out)
}

/// All rows of a query.
pub(crate) async fn all<T>(
    tx: &mut Tx,
    action: &'static str,
    sql: impl SqlSafeStr,
    args: Vec<Value<'_>>,
    read: impl Fn(&mut Cells<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let sql = sql.into_sql_str();
    let failed = |source| StoreError::query(action, source);
    match tx {
        Tx::Sqlite(t) => {
            let rows = sqlx::query_with(sql, collect::<SqliteArguments>(args).map_err(failed)?).fetch_all(&mut **t).await.map_err(failed)?;
            rows.iter().map(|row| read(&mut Cells { row: Line::Sqlite(row), at: 0, action })).collect()
        }
        Tx::Postgres(t) => {
            let rows = sqlx::query_with(sql, collect::<PgArguments>(args).map_err(failed)?).fetch_all(&mut **t).await.map_err(failed)?;
            rows.iter().map(|row| read(&mut Cells { row: Line::Postgres(row), at: 0, action })).collect()
        }
    }
}

/// The first row of a query, if there is one.
pub(crate) async fn one<T>(
    tx: &mut Tx,
    action: &'static str,
    sql: impl SqlSafeStr,
    args: Vec<Value<'_>>,
    read: impl Fn(&mut Cells<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let sql = sql.into_sql_str();
    let failed = |source| StoreError::query(action, source);
    match tx {
        Tx::Sqlite(t) => {
            let row = sqlx::query_with(sql, collect::<SqliteArguments>(args).map_err(failed)?).fetch_optional(&mut **t).await.map_err(failed)?;
            row.map(|row| read(&mut Cells { row: Line::Sqlite(&row), at: 0, action })).transpose()
        }
        Tx::Postgres(t) => {
            let row = sqlx::query_with(sql, collect::<PgArguments>(args).map_err(failed)?).fetch_optional(&mut **t).await.map_err(failed)?;
            row.map(|row| read(&mut Cells { row: Line::Postgres(&row), at: 0, action })).transpose()
        }
    }
}

/// The one number of a query such as a count.
pub(crate) async fn number(tx: &mut Tx, action: &'static str, sql: impl SqlSafeStr, args: Vec<Value<'_>>) -> Result<i64, StoreError> {
    Ok(one(tx, action, sql, args, |c| c.int()).await?.unwrap_or_default())
}

/// Runs a change; returns how many rows it touched.
pub(crate) async fn run(tx: &mut Tx, action: &'static str, sql: impl SqlSafeStr, args: Vec<Value<'_>>) -> Result<u64, StoreError> {
    run_kept(tx, action, sql.into_sql_str(), args, true).await
}

/// Runs a change whose prepared form is kept (`keep`) or thrown away afterwards.
pub(crate) async fn run_kept(tx: &mut Tx, action: &'static str, sql: SqlStr, args: Vec<Value<'_>>, keep: bool) -> Result<u64, StoreError> {
    let failed = |source| StoreError::query(action, source);
    match tx {
        Tx::Sqlite(t) => {
            let query = sqlx::query_with(sql, collect::<SqliteArguments>(args).map_err(failed)?).persistent(keep);
            Ok(query.execute(&mut **t).await.map_err(failed)?.rows_affected())
        }
        Tx::Postgres(t) => {
            let query = sqlx::query_with(sql, collect::<PgArguments>(args).map_err(failed)?).persistent(keep);
            Ok(query.execute(&mut **t).await.map_err(failed)?.rows_affected())
        }
    }
}

/// Runs a change that must touch its one row: `Stale` if the row is there in another version, `NotFound` if it is not.
pub(crate) async fn run_versioned(
    tx: &mut Tx,
    action: &'static str,
    what: &'static str,
    id: &str,
    sql: impl SqlSafeStr,
    args: Vec<Value<'_>>,
    exists: &'static str,
) -> Result<(), StoreError> {
    if run(tx, action, sql, args).await? == 1 {
        return Ok(());
    }
    match number(tx, action, exists, args![id]).await? {
        0 => Err(StoreError::NotFound { what, id: id.to_owned() }),
        _ => Err(StoreError::Stale { what, id: id.to_owned() }),
    }
}

/// Turns "not there" into an error.
pub(crate) fn must<T>(found: Option<T>, what: &'static str, id: impl Display) -> Result<T, StoreError> {
    found.ok_or_else(|| StoreError::NotFound { what, id: id.to_string() })
}

/// Sizes of `IN` lists: few, so that few prepared statements are kept. A list in between is filled up with its last member.
const IN_SIZES: [usize; 4] = [1, 8, 64, 400];

/// Placeholder rows `(?,?),(?,?)` for SQLite, `($1,$2),($3,$4)` for PostgreSQL: SQLite looks every `$n` up in a list,
/// which makes long statements quadratic.
pub(crate) fn push_rows(out: &mut String, engine: Engine, rows: usize, columns: usize) {
    use std::fmt::Write;
    for row in 0..rows {
        out.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..columns {
            if column > 0 {
                out.push(',');
            }
            match engine {
                Engine::Sqlite => out.push('?'),
                Engine::Postgres => {
                    let _ = write!(out, "${}", row * columns + column + 1);
                }
            }
        }
        out.push(')');
    }
}

/// All rows whose key is among `items`: `head` + `VALUES` list + `tail`, in batches. `head` and `tail` have no placeholders
/// of their own. One column: `… IN (` and `)`. Several: `WITH v (…) AS (` and `) SELECT … FROM v JOIN …`, which gives a row
/// more than once, because the list is filled up with copies of its last member.
pub(crate) async fn all_in<I, T>(
    tx: &mut Tx,
    action: &'static str,
    (head, tail): (&'static str, &'static str),
    items: &[I],
    bind: impl Fn(&I) -> Vec<Value<'_>>,
    read: impl Fn(&mut Cells<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::new();
    for chunk in items.chunks(IN_SIZES[3]) {
        let (sql, args) = batch(tx.engine(), head, tail, chunk, &bind);
        found.append(&mut all(tx, action, sql, args, &read).await?);
    }
    Ok(found)
}

/// Changes all rows whose key is among `items`; see [`all_in`].
pub(crate) async fn run_in<I>(
    tx: &mut Tx,
    action: &'static str,
    (head, tail): (&'static str, &'static str),
    items: &[I],
    bind: impl Fn(&I) -> Vec<Value<'_>>,
) -> Result<u64, StoreError> {
    let mut touched = 0;
    for chunk in items.chunks(IN_SIZES[3]) {
        let (sql, args) = batch(tx.engine(), head, tail, chunk, &bind);
        touched += run(tx, action, sql, args).await?;
    }
    Ok(touched)
}

fn batch<'i, I>(engine: Engine, head: &str, tail: &str, chunk: &'i [I], bind: &impl Fn(&'i I) -> Vec<Value<'i>>) -> (AssertSqlSafe<String>, Vec<Value<'i>>) {
    let size = IN_SIZES.into_iter().find(|size| *size >= chunk.len()).unwrap_or(chunk.len());
    let mut args: Vec<Value<'i>> = chunk.iter().flat_map(bind).collect();
    let columns = args.len() / chunk.len().max(1);
    for _ in chunk.len()..size {
        args.extend_from_within(args.len() - columns..);
    }
    let mut sql = String::with_capacity(head.len() + tail.len() + size * columns * 6 + 10);
    sql.push_str(head);
    sql.push_str("VALUES ");
    push_rows(&mut sql, engine, size, columns);
    sql.push_str(tail);
    (AssertSqlSafe(sql), args)
}

/// A query whose conditions depend on what is asked. Every piece is a literal, values are always bound.
pub(crate) struct Built<'a> {
    text: String,
    args: Vec<Value<'a>>,
}

impl<'a> Built<'a> {
    /// Begins with a `SELECT … WHERE …` that may have conditions already but no placeholders.
    pub(crate) fn new(head: &'static str) -> Self {
        Self { text: head.to_owned(), args: Vec::new() }
    }

    /// Appends `piece`, in which each `{}` stands for the next of `values`.
    pub(crate) fn push(&mut self, piece: &'static str, values: Vec<Value<'a>>) -> &mut Self {
        let mut values = values.into_iter();
        for (at, part) in piece.split("{}").enumerate() {
            if at > 0
                && let Some(value) = values.next()
            {
                self.args.push(value);
                self.text.push_str(&format!("${}", self.args.len()));
            }
            self.text.push_str(part);
        }
        self
    }

    /// The text and its values.
    pub(crate) fn done(self) -> (AssertSqlSafe<String>, Vec<Value<'a>>) {
        (AssertSqlSafe(self.text), self.args)
    }
}

enum Line<'r> {
    Sqlite(&'r SqliteRow),
    Postgres(&'r PgRow),
}

/// The columns of a row, read from left to right.
pub(crate) struct Cells<'r> {
    row: Line<'r>,
    at: usize,
    action: &'static str,
}

impl Cells<'_> {
    fn next<T>(&mut self) -> Result<T, StoreError>
    where
        T: for<'a> Decode<'a, Sqlite> + Type<Sqlite> + for<'a> Decode<'a, Postgres> + Type<Postgres>,
    {
        let at = self.at;
        self.at += 1;
        match self.row {
            Line::Sqlite(row) => row.try_get(at),
            Line::Postgres(row) => row.try_get(at),
        }
        .map_err(|source| StoreError::Query { action: self.action, source })
    }

    pub(crate) fn int(&mut self) -> Result<i64, StoreError> {
        self.next()
    }
    pub(crate) fn opt_int(&mut self) -> Result<Option<i64>, StoreError> {
        self.next()
    }
    pub(crate) fn real(&mut self) -> Result<f64, StoreError> {
        self.next()
    }
    pub(crate) fn text(&mut self) -> Result<String, StoreError> {
        self.next()
    }
    pub(crate) fn opt_text(&mut self) -> Result<Option<String>, StoreError> {
        self.next()
    }
    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        self.next()
    }
    pub(crate) fn opt_bytes(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        self.next()
    }
    pub(crate) fn bool(&mut self) -> Result<bool, StoreError> {
        self.next()
    }
    pub(crate) fn id<T: From<String>>(&mut self) -> Result<T, StoreError> {
        Ok(T::from(self.text()?))
    }
    pub(crate) fn opt_id<T: From<String>>(&mut self) -> Result<Option<T>, StoreError> {
        Ok(self.opt_text()?.map(T::from))
    }
    pub(crate) fn list(&mut self) -> Result<Vec<String>, StoreError> {
        Ok(parse_list(&self.text()?))
    }
    pub(crate) fn time(&mut self) -> Result<Timestamp, StoreError> {
        let ms = self.int()?;
        Timestamp::from_millisecond(ms).map_err(|e| self.corrupt(e))
    }
    pub(crate) fn opt_time(&mut self) -> Result<Option<Timestamp>, StoreError> {
        self.opt_int()?.map(|ms| Timestamp::from_millisecond(ms).map_err(|e| self.corrupt(e))).transpose()
    }
    pub(crate) fn region(&mut self) -> Result<Region, StoreError> {
        let text = self.text()?;
        Region::parse(&text).map_err(|e| self.corrupt(e))
    }
    pub(crate) fn stream(&mut self) -> Result<Stream, StoreError> {
        let code = self.int()?;
        u8::try_from(code).ok().and_then(Stream::from_code).ok_or_else(|| self.corrupt(format!("{code} is no stream")))
    }
    pub(crate) fn hash(&mut self) -> Result<DocHash, StoreError> {
        let bytes = self.bytes()?;
        bytes.try_into().map(DocHash).map_err(|_| self.corrupt("a document hash has 32 bytes"))
    }
    pub(crate) fn opt_hash(&mut self) -> Result<Option<DocHash>, StoreError> {
        let bytes = self.opt_bytes()?;
        bytes.map(|bytes| bytes.try_into().map(DocHash).map_err(|_| self.corrupt("a document hash has 32 bytes"))).transpose()
    }
    /// A word of a closed list.
    pub(crate) fn word<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
        let text = self.text()?;
        parse(&text).ok_or_else(|| self.corrupt(format!("\"{text}\" is not among the known words")))
    }
    /// A body stored as JSON.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, StoreError> {
        let text = self.text()?;
        serde_json::from_str(&text).map_err(|e| self.corrupt(e))
    }

    /// The error for a value that this program never writes.
    pub(crate) fn corrupt(&self, cause: impl Display) -> StoreError {
        let mut first = Cells { row: Line::clone(&self.row), at: 0, action: self.action };
        StoreError::Corrupt { what: self.action, id: first.text().unwrap_or_default(), cause: cause.to_string() }
    }
}

impl Clone for Line<'_> {
    fn clone(&self) -> Self {
        match self {
            Line::Sqlite(row) => Line::Sqlite(row),
            Line::Postgres(row) => Line::Postgres(row),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_texts_number_their_values() {
        let mut query = Built::new("SELECT a FROM t WHERE TRUE");
        query.push(" AND b = {} AND c <> {}", args![1_i64, "x"]).push(" LIMIT {}", args![5_i64]);
        let (sql, values) = query.done();
        assert_eq!(sql.0, "SELECT a FROM t WHERE TRUE AND b = $1 AND c <> $2 LIMIT $3");
        assert_eq!(values.len(), 3);
    }

    #[test]
    fn lists_are_filled_up_to_a_known_size() {
        let (sql, values) = batch(Engine::Postgres, "SELECT a FROM t WHERE a IN (", ")", &["x", "y", "z"], &|v| args![*v]);
        assert_eq!(sql.0, "SELECT a FROM t WHERE a IN (VALUES ($1),($2),($3),($4),($5),($6),($7),($8))");
        assert_eq!(values.len(), 8);
        assert_eq!(values[7], Value::from("z"));
    }
}
