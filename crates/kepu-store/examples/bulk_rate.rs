//! How many rows a second `bulk_insert` writes: a plain table of 13 columns, and real records with their four indexes.
//! `cargo run --release -p kepu-store --features testing --example bulk_rate -- 200000`

use kepu_domain::org::Region;
use kepu_domain::record::{DocHash, Stream};
use kepu_store::bulk::bulk_insert;
use kepu_store::record::{self, Row};
use kepu_store::testing::{postgres, temp_sqlite};
use kepu_store::{Db, Value, both};
use std::time::Instant;

/// Rows in one transaction, as one bundle of a synchronisation brings them.
const TRANSACTION: usize = 5_000;

#[tokio::main]
async fn main() {
    let count = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let file = temp_sqlite();
    measure("sqlite", &file.db().await, count).await;
    if let Some(server) = postgres() {
        measure("postgres", &server.db().await, count).await;
    }
}

async fn measure(name: &str, db: &Db, count: i64) {
    const TABLE: &str = "
        CREATE TABLE plain (a BIGINT NOT NULL, b BIGINT NOT NULL, c BIGINT NOT NULL, d BYTEA NOT NULL, e TEXT NOT NULL, f BYTEA NOT NULL,
                            g TEXT NOT NULL, h TEXT NOT NULL, i TEXT NOT NULL, j TEXT NOT NULL, k TEXT NOT NULL, l TEXT NOT NULL,
                            m TEXT NOT NULL, PRIMARY KEY (a, b, c))";
    let mut tx = db.write().await.expect("begin");
    both!(&mut tx, c => sqlx::query(TABLE).execute(c).await.map(drop)).expect("a table");
    tx.commit().await.expect("commit");

    let rows: Vec<Row> = (1..=count).map(row).collect();
    let begun = Instant::now();
    for chunk in rows.chunks(TRANSACTION) {
        let mut tx = db.write().await.expect("begin");
        bulk_insert(&mut tx, "fill", "INSERT INTO plain (a, b, c, d, e, f, g, h, i, j, k, l, m) VALUES", 13, "", chunk, bind).await.expect("insert");
        tx.commit().await.expect("commit");
    }
    report(name, "plain table, 13 columns", count, begun);

    let begun = Instant::now();
    for chunk in rows.chunks(TRANSACTION) {
        let mut tx = db.write().await.expect("begin");
        record::insert_many(&mut tx, chunk).await.expect("insert");
        tx.commit().await.expect("commit");
    }
    report(name, "records, 15 columns, 4 indexes", count, begun);

    let places: Vec<_> = rows.iter().map(Row::place).collect();
    let begun = Instant::now();
    for chunk in places.chunks(TRANSACTION) {
        let mut tx = db.read().await.expect("begin");
        assert_eq!(record::existing(&mut tx, chunk).await.expect("existing").len(), chunk.len());
    }
    report(name, "known places looked up", count, begun);

    let refusals: Vec<_> = places.into_iter().map(|place| (place, "no grant".to_owned())).collect();
    let begun = Instant::now();
    for chunk in refusals.chunks(TRANSACTION) {
        let mut tx = db.write().await.expect("begin");
        record::set_refusal(&mut tx, chunk).await.expect("refuse");
        tx.commit().await.expect("commit");
    }
    report(name, "refusals noted", count, begun);
}

fn report(engine: &str, what: &str, count: i64, begun: Instant) {
    let seconds = begun.elapsed().as_secs_f64();
    println!("{engine}: {what}: {count} rows in {seconds:.2} s = {:.0} rows/s", count as f64 / seconds);
}

fn row(n: i64) -> Row {
    let mut hash = [0_u8; 32];
    // Spread like the hashes of real documents, so that their index is filled in random order.
    hash[..8].copy_from_slice(&(n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    Row {
        key: format!("did:key:z6Mk{:044}", n % 50).into(),
        stream: Stream::Lib,
        n: n / 50 + 1,
        arrival: n,
        doc_hash: DocHash(hash),
        modified: "2026-11-24T08:00:00Z".into(),
        sig: vec![7; 64],
        doc: Some(vec![b'x'; 200]),
        kind: "resource".into(),
        subject: format!("kepu:abcdefgh23/r-{n}").into(),
        region: Region::NATION,
        fields: vec!["health".into()],
        lang: "zh-Hans".into(),
        source: "did:key:z6MkParent".into(),
        refusal: String::new(),
    }
}

fn bind<'r>(row: &'r Row, values: &mut Vec<Value<'r>>) {
    values.extend([
        (row.arrival % 50).into(),
        2_i64.into(),
        row.arrival.into(),
        row.doc_hash.0.as_slice().into(),
        row.modified.as_str().into(),
        row.sig.as_slice().into(),
        row.kind.as_str().into(),
        row.subject.as_str().into(),
        row.key.as_str().into(),
        row.lang.as_str().into(),
        row.source.as_str().into(),
        "000000".into(),
        ",health,".into(),
    ]);
}
