//! Records applied in any order, and twice, end in the same public state.

use kepu_app::{App, Options, record};
use kepu_store::record::list_all;
use kepu_store::subject;
use kepu_sync::record::Record;
use kepu_tests::Node;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

async fn open(node: &Node) -> App {
    App::open(Options { data: node.data().to_owned(), database: None, index: false }).await.expect("node opens")
}

async fn records_of(app: &App) -> Vec<Record> {
    let mut tx = app.db.read().await.expect("read");
    let rows = list_all(&mut tx, None, 1_000).await.expect("rows");
    rows.into_iter().filter_map(|(_, row)| record::read_row(row)).collect()
}

#[test]
fn any_order_and_repetition_give_the_same_state() {
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    let source = Node::init("国家示例", "000000").expect("node");
    source.publish(12, "次序").expect("published");
    let (records, expected, root) = runtime.block_on(async {
        let app = open(&source).await;
        let operator = kepu_domain::access::Actor::Node { name: "operator".into() };
        let mut tx = app.db.read().await.expect("read");
        let rows = subject::list(&mut tx, &subject::Filter::default(), subject::Order::Title, None, 4).await.expect("rows");
        drop(tx);
        for row in &rows {
            kepu_app::create::take_back::withdraw(&app, &operator, &row.id, "核查后撤回").await.expect("withdrawn");
        }
        record::publish_head(&app).await.expect("head");
        let mut tx = app.db.read().await.expect("read");
        let state = subject::hash_state(&mut tx).await.expect("state");
        drop(tx);
        (records_of(&app).await, state, app.key.id().0.clone())
    });
    assert!(records.len() >= 18, "{}", records.len());
    let mut runner = TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
    let order = Just((0..records.len() * 2).collect::<Vec<usize>>()).prop_shuffle();
    runner
        .run(&(order, 1usize..9), |(order, batch)| {
            let state = runtime.block_on(async {
                let other = Node::init("别处", "000000").expect("node");
                let app = open(&other).await;
                let mut tx = app.db.write().await.expect("write");
                kepu_store::meta::set(&mut tx, "root", &root).await.expect("root");
                kepu_store::counter::take(&mut tx, "trust", 1).await.expect("trust");
                tx.commit().await.expect("commit");
                for part in order.chunks(batch) {
                    let mut tx = app.db.write().await.expect("write");
                    let some: Vec<Record> = part.iter().map(|at| records[at % records.len()].clone()).collect();
                    record::apply(&app, &mut tx, some, "did:key:peer").await.expect("applied");
                    tx.commit().await.expect("commit");
                }
                let mut tx = app.db.read().await.expect("read");
                subject::hash_state(&mut tx).await.expect("state")
            });
            prop_assert_eq!(&state, &expected);
            Ok(())
        })
        .expect("the same state");
}
