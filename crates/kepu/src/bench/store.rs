//! How fast the store takes and gives rows: the public table in bulk, the audit log one transaction an entry, single reads, lists.

use super::{Figure, quantile};
use anyhow::ensure;
use kepu_domain::ids::{KeyId, SubjectId};
use kepu_domain::org::Region;
use kepu_domain::record::DocHash;
use kepu_store::subject::{self, Filter, Order, Row, Standing};
use kepu_store::{Db, Engine, log};
use std::time::Instant;

/// Rows of one transaction in the bulk test.
const BULK: usize = 500;
/// Single transactions and reads that are measured at most.
const SINGLE: usize = 2_000;

fn row(n: usize) -> Row {
    let number = i64::try_from(n).unwrap_or(i64::MAX);
    let mut hash = [0_u8; 32];
    hash[..8].copy_from_slice(&number.to_be_bytes());
    Row {
        id: SubjectId::new("abcdefgh23", &format!("r-{n}")),
        kind: "resource".into(),
        standing: Standing::Public,
        doc_hash: Some(DocHash(hash)),
        signer: KeyId::from("did:key:zBench"),
        n: number,
        title: format!("怎样看懂第{n}张天气图"),
        title_en: String::new(),
        summary: "等压线越密的地方，风通常越大。".into(),
        type_: "article".into(),
        verdict: String::new(),
        region: Region::NATION,
        fields: vec!["climate".into()],
        audience: vec!["public".into()],
        lang: "zh-Hans".into(),
        hazard: String::new(),
        date: "2026-01-01".into(),
        modified: number,
        expires: None,
        notice: String::new(),
        reason: String::new(),
        withdrawn_by: String::new(),
        withdrawn_at: None,
        corrected: 0,
        sample: true,
        same_as: String::new(),
        held: None,
        seq: number,
    }
}

/// Fills a store and reads from it.
pub async fn run(size: usize, database: Option<&str>) -> anyhow::Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let url = database.map_or_else(|| folder.path().join("bench.db").display().to_string(), str::to_owned);
    let db = Db::open(&url).await?;
    db.migrate().await?;
    let mut tx = db.read().await?;
    let held = subject::count(&mut tx, &Filter::default()).await?;
    drop(tx);
    ensure!(held == 0, "the database is not empty: it holds {held} public rows; give one that may be filled");
    let engine = match db.engine() {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgres",
    };
    let rows: Vec<Row> = (1..=size).map(row).collect();
    let start = Instant::now();
    for part in rows.chunks(BULK) {
        let mut tx = db.write().await?;
        subject::upsert_many(&mut tx, part).await?;
        tx.commit().await?;
    }
    let bulk = start.elapsed().as_secs_f64();
    let singles = size.min(SINGLE);
    let commits = commits(&db, singles).await?;
    let reads = reads(&db, size, singles).await?;
    let lists = lists(&db, singles.min(500)).await?;
    let mut figures = vec![Figure::new(format!("{engine}_bulk_inserts"), size as f64 / bulk, "rows/s")];
    for (name, (whole, mut times)) in [("commits", commits), ("point_reads", reads), ("lists_of_20", lists)] {
        let count = times.len() as f64;
        times.sort_by(f64::total_cmp);
        figures.push(Figure::new(format!("{engine}_{name}"), count / whole, "1/s"));
        figures.push(Figure::new(format!("{engine}_{name}_p50"), quantile(&times, 0.5), "ms"));
        figures.push(Figure::new(format!("{engine}_{name}_p99"), quantile(&times, 0.99), "ms"));
    }
    Ok(figures)
}

type Times = (f64, Vec<f64>);

/// Audit entries, each in a transaction of its own that is safe on disk when it ends.
async fn commits(db: &Db, count: usize) -> anyhow::Result<Times> {
    let (start, mut times) = (Instant::now(), Vec::with_capacity(count));
    for n in 0..count {
        let one = Instant::now();
        let mut tx = db.write().await?;
        log::append(&mut tx, jiff::Timestamp::UNIX_EPOCH, "bench", "bench.entry", &n.to_string(), "ok", "").await?;
        tx.commit().await?;
        times.push(one.elapsed().as_secs_f64() * 1e3);
    }
    Ok((start.elapsed().as_secs_f64(), times))
}

/// One row by its id, each in a transaction of its own.
async fn reads(db: &Db, size: usize, count: usize) -> anyhow::Result<Times> {
    let (start, mut times) = (Instant::now(), Vec::with_capacity(count));
    for n in 0..count {
        let one = Instant::now();
        let mut tx = db.read().await?;
        // A step without common factor with most sizes walks through the whole table.
        let id = SubjectId::new("abcdefgh23", &format!("r-{}", n * 7_919 % size + 1));
        ensure!(subject::find(&mut tx, &id).await?.is_some(), "{id} is not there");
        times.push(one.elapsed().as_secs_f64() * 1e3);
    }
    Ok((start.elapsed().as_secs_f64(), times))
}

/// The newest twenty public resources.
async fn lists(db: &Db, count: usize) -> anyhow::Result<Times> {
    let filter = Filter { kind: Some("resource".into()), standing: Some(Standing::Public), ..Filter::default() };
    let (start, mut times) = (Instant::now(), Vec::with_capacity(count));
    for _ in 0..count {
        let one = Instant::now();
        let mut tx = db.read().await?;
        subject::list(&mut tx, &filter, Order::Newest, None, 20).await?;
        times.push(one.elapsed().as_secs_f64() * 1e3);
    }
    Ok((start.elapsed().as_secs_f64(), times))
}
