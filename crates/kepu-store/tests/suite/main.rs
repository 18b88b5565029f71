//! One suite, run on every engine the store claims: each step gets a fresh database. Steps stand in files by noun.

mod channels;
mod claims;
mod duty;
mod heard;
mod jobs;
mod ledger;
mod nouns;
mod published;
mod records;
mod registry;
mod rounds;
mod tasks;
mod work;

use futures::FutureExt;
use kepu_domain::ids::OrgId;
use kepu_domain::org::{Org, OrgKind, Region};
use kepu_store::testing::{postgres, temp_sqlite};
use kepu_store::{Db, Engine, org};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;

/// Characters that break what is not UTF-8 through and through: extensions B, G, H, I, and a variation selector.
pub const RARE: &str = "𠮷\u{E0101}𰻞\u{31350}\u{2EBF0}㐀 ’%_\\,";

/// A time in milliseconds.
pub fn at(ms: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(ms).expect("time")
}

/// Runs an expression in a transaction of its own and commits it.
#[macro_export]
macro_rules! write {
    ($db:expr, $tx:ident => $body:expr) => {{
        let mut transaction = $db.write().await.expect("begin");
        let $tx = &mut transaction;
        let result = $body.await;
        transaction.commit().await.expect("commit");
        result
    }};
}

/// Runs an expression in a transaction that only reads.
#[macro_export]
macro_rules! read {
    ($db:expr, $tx:ident => $body:expr) => {{
        let mut transaction = $db.read().await.expect("begin");
        let $tx = &mut transaction;
        $body.await
    }};
}

/// Runs a statement that the store has no function for, as somebody with other tools would.
pub async fn raw(db: &Db, sql: &'static str) -> Result<u64, sqlx::Error> {
    let mut tx = db.write().await.expect("begin");
    let touched = kepu_store::both!(&mut tx, c => sqlx::query(sql).execute(c).await.map(|done| done.rows_affected()))?;
    tx.commit().await.expect("commit");
    Ok(touched)
}

/// An organisation with one below it, and one that has nothing to do with them.
pub async fn house(db: &Db) {
    let one = |id: &str, parent: Option<&str>| Org {
        id: id.into(),
        name: id.into(),
        name_en: String::new(),
        kind: OrgKind::Sector,
        parent: parent.map(OrgId::from),
        region: Region::NATION,
        sample: false,
    };
    write!(db, tx => org::insert_many(tx, &[one("above", None), one("below", Some("above")), one("aside", None)])).expect("orgs");
}

async fn step(name: &str, run: impl Future<Output = ()>) {
    println!("step {name}");
    if let Err(panic) = AssertUnwindSafe(run).catch_unwind().await {
        let why = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
        panic!("step {name}: {}", why.unwrap_or_default());
    }
}

macro_rules! steps {
    ($fresh:expr; $($module:ident :: $name:ident),+ $(,)?) => {$(
        {
            // A function of its own: sixty steps would not fit beside each other on the stack of a test.
            fn run(url: String) -> Pin<Box<dyn Future<Output = ()>>> {
                Box::pin(async move {
                    let db = Db::open(&url).await.expect("open");
                    db.migrate().await.expect("migrate");
                    db.migrate().await.expect("migrating twice changes nothing");
                    $module::$name(&db).await;
                    db.close().await;
                })
            }
            let (url, _ground) = $fresh.await;
            step(concat!(stringify!($module), "::", stringify!($name)), run(url)).await;
        }
    )+};
}

macro_rules! suite {
    ($fresh:expr) => {
        steps! { $fresh;
            nouns::meta_and_counters,
            nouns::organisations,
            nouns::accounts_and_roles,
            nouns::sessions,
            nouns::failed_sign_ins_are_counted_together,
            nouns::peers_and_invitations,
            nouns::forms_are_done_once,
            nouns::media,
            nouns::uses_and_failed_attempts,
            records::round_trip,
            records::duplicates_are_rejected,
            records::existing_and_lists,
            records::arrivals_by_region,
            records::refusals_and_erasure,
            records::parts_of_streams,
            records::what_lies_outside_the_scope,
            records::compared_heads,
            records::heads_and_forks,
            records::no_arrival_is_seen_before_those_below_it,
            records::two_writers_meet_the_same_new_key,
            published::subjects_and_filters,
            published::merged_claims_stand_in_no_list,
            published::pages_in_every_order,
            published::what_must_be_looked_at_again,
            published::state_is_a_function_of_the_rows,
            channels::what_changed_in_public,
            channels::packs_and_receipts,
            work::log_is_a_chain,
            work::log_shows_tampering,
            work::log_has_no_branches,
            jobs::one_claimer_gets_the_job,
            jobs::jobs_back_off_and_end,
            jobs::a_lost_lease_is_taken_over,
            jobs::a_job_is_called_off_or_given_back,
            jobs::files_are_taken_in,
            work::what_people_typed_is_forgotten,
            claims::sightings_add_up,
            claims::wordings_wait_and_go,
            claims::merges_are_decided_once,
            claims::votes_are_counts_and_a_ticket_is_spent_once,
            claims::a_place_is_remembered_once_with_its_latest_version,
            work::questions,
            work::cases,
            work::parties,
            ledger::contributions,
            ledger::certificates,
            heard::inlets,
            heard::signals,
            heard::topics,
            registry::names_that_stand_twice,
            registry::what_entries_said_before,
            duty::rotas,
            duty::absences,
            duty::calls,
            tasks::tasks,
            tasks::decisions_and_their_tasks,
            tasks::inspections,
            tasks::warnings,
            tasks::points_and_pushes,
            work::drafts,
            work::reviews,
            work::a_queue_is_given_and_taken_back,
            work::remarks_and_rechecks,
            rounds::rounds_and_applications,
            rounds::judgements_and_objections,
            rounds::proofs,
            work::tasks_follow_their_draft,
            work::tables_refuse_impossible_stages,
            work::failed_transactions_leave_nothing,
            work::rows_of_many_batches,
        }
        let (url, _ground) = $fresh.await;
        step("nouns::locks_survive_reopening", nouns::locks_survive_reopening(&url)).await;
        let db = Db::open(&url).await.expect("open");
        step("work::what_is_in_the_way_is_retryable", work::what_is_in_the_way_is_retryable(&db, &url)).await;
    };
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn store_on_sqlite() {
    let fresh = async || {
        let ground = temp_sqlite();
        (ground.url(), ground)
    };
    suite!(fresh());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn store_on_postgres() {
    let Some(server) = postgres() else { return };
    let fresh = async || (server.database().await, ());
    suite!(fresh());
    // The same rows must give the same state whatever database program holds them.
    let (one, other) = (server.db().await, temp_sqlite());
    let file = other.db().await;
    assert_eq!((one.engine(), file.engine()), (Engine::Postgres, Engine::Sqlite));
    step("published::state_is_the_same_on_both_engines", published::state_is_the_same_on_both_engines(&one, &file)).await;
}

/// Handlers and jobs run on many threads: every function of the store must be able to move between them.
#[expect(dead_code, reason = "it only has to compile")]
fn every_shape_of_function_is_send(tx: &mut kepu_store::Tx) {
    fn send(_: impl Send) {}
    send(kepu_store::record::insert_many(tx, &[]));
    send(kepu_store::record::existing(tx, &[]));
    send(kepu_store::record::set_refusal(tx, &[]));
    send(kepu_store::record::get_heads(tx, &[]));
    send(kepu_store::record::put_heads(tx, &[]));
    send(kepu_store::record::list_by_subjects(tx, &[]));
    send(kepu_store::subject::upsert_many(tx, &[]));
    send(kepu_store::subject::list(tx, &Default::default(), Default::default(), None, 1));
    send(kepu_store::subject::hash_state(tx));
    send(kepu_store::org::insert_many(tx, &[]));
    send(kepu_store::create::party::upsert_many(tx, &[]));
    send(kepu_store::create::party::find_many(tx, &[]));
    send(kepu_store::create::draft::list(tx, &Default::default(), None, 1));
    send(kepu_store::log::verify(tx));
}
