//! Steps about the node itself and who acts on it.

use crate::{RARE, at, raw, read, write};
use kepu_domain::access::{Membership, Role};
use kepu_domain::account::Account;
use kepu_domain::ids::OrgId;
use kepu_domain::org::{Org, OrgKind, Region};
use kepu_domain::trust::KeyRole;
use kepu_store::account::Row;
use kepu_store::invite::Invite;
use kepu_store::login_lock;
use kepu_store::media::Media;
use kepu_store::once::Once;
use kepu_store::peer::{Direction, Peer};
use kepu_store::session::Session;
use kepu_store::{Db, StoreError, account, counter, invite, media, member, meta, once, org, peer, session};

pub async fn meta_and_counters(db: &Db) {
    assert_eq!(read!(db, tx => meta::find(tx, "name")).expect("find"), None);
    write!(db, tx => meta::set(tx, "name", "a")).expect("set");
    write!(db, tx => meta::set(tx, "name", RARE)).expect("set again");
    assert_eq!(read!(db, tx => meta::find(tx, "name")).expect("find").as_deref(), Some(RARE));
    write!(db, tx => meta::delete(tx, "name")).expect("delete");
    assert_eq!(read!(db, tx => meta::find(tx, "name")).expect("find"), None);

    assert_eq!(write!(db, tx => counter::take(tx, "c", 3)).expect("take"), 1);
    assert_eq!(write!(db, tx => counter::take(tx, "c", 1)).expect("take"), 4);
    let mut lost = db.write().await.expect("begin");
    assert_eq!(counter::take(&mut lost, "c", 10).await.expect("take"), 5);
    lost.rollback().await.expect("rollback");
    assert_eq!(write!(db, tx => counter::take(tx, "c", 1)).expect("take"), 5, "a rollback loses no number");
    for (at_least, last) in [(5, 5), (3, 5), (9, 9)] {
        write!(db, tx => counter::raise(tx, "raised", at_least)).expect("raise");
        assert_eq!(read!(db, tx => counter::last(tx, "raised")).expect("last"), last);
    }
    assert_eq!(read!(db, tx => counter::last(tx, "c")).expect("last"), 5);
    assert_eq!(read!(db, tx => counter::last(tx, "other")).expect("last"), 0);
}

fn division(id: &str, name: &str, parent: Option<&str>) -> Org {
    Org {
        id: id.into(),
        name: name.into(),
        name_en: format!("Place {id}"),
        kind: OrgKind::Division,
        parent: parent.map(OrgId::from),
        region: Region::parse(id).expect("code"),
        sample: false,
    }
}

pub async fn organisations(db: &Db) {
    let list = [
        division("000000", "全国", None),
        division("410000", "河南省", Some("000000")),
        division("411500", "信阳市", Some("410000")),
        division("411525", "固始县", Some("411500")),
        division("411524", "商城县", Some("411500")),
        Org { id: "museum".into(), name: RARE.into(), kind: OrgKind::Sector, parent: Some("410000".into()), sample: true, ..division("410000", "", None) },
    ];
    assert_eq!(write!(db, tx => org::insert_many(tx, &list)).expect("insert"), 6);
    assert_eq!(write!(db, tx => org::insert_many(tx, &list)).expect("insert again"), 0);
    assert_eq!(read!(db, tx => org::count(tx)).expect("count"), 6);
    for one in &list {
        assert_eq!(read!(db, tx => org::get(tx, &one.id)).expect("get"), *one);
    }
    let ids = |orgs: Vec<Org>| orgs.into_iter().map(|o| o.id.0).collect::<Vec<_>>();
    assert_eq!(ids(read!(db, tx => org::list_children(tx, &"411500".into(), 10)).expect("children")), ["411524", "411525"]);
    assert_eq!(ids(read!(db, tx => org::list_kind(tx, OrgKind::Division, Some(&"410000".into()), 2)).expect("kind")), ["411500", "411524"]);
    let line = read!(db, tx => org::line(tx, &"411525".into())).expect("line");
    assert_eq!(line.0, ["411525", "411500", "410000", "000000"].map(OrgId::from));
    assert!(read!(db, tx => org::line(tx, &"nowhere".into())).expect("line").0.is_empty());
    assert_eq!(ids(read!(db, tx => org::search(tx, "县", 10)).expect("search")), ["411524", "411525"]);
    assert_eq!(ids(read!(db, tx => org::search(tx, "PLACE 4115", 1)).expect("search")), ["411500"]);
    assert_eq!(ids(read!(db, tx => org::search(tx, "%_\\", 10)).expect("wildcards are texts")), ["museum"]);
    assert!(read!(db, tx => org::search(tx, "%县", 10)).expect("search").is_empty());
    let below = |root: &'static str, text: &'static str| async move { ids(read!(db, tx => org::search_below(tx, &root.into(), text, 10)).expect("search")) };
    assert_eq!(below("411500", "县").await, ["411524", "411525"]);
    assert_eq!(below("411525", "").await, ["411525"], "itself, and nothing beside it");
    assert_eq!(below("410000", "%_").await, ["museum"]);
    assert!(below("nowhere", "县").await.is_empty());

    let (museum, version) = read!(db, tx => org::find_versioned(tx, &"museum".into())).expect("find").expect("there");
    let moved = Org { parent: None, ..museum };
    write!(db, tx => org::update(tx, &moved, version)).expect("update");
    assert!(matches!(write!(db, tx => org::update(tx, &moved, version)), Err(StoreError::Stale { .. })));
    let nobody = Org { id: "x".into(), ..moved.clone() };
    assert!(matches!(write!(db, tx => org::update(tx, &nobody, 1)), Err(StoreError::NotFound { .. })));
    assert_eq!(read!(db, tx => org::get(tx, &"museum".into())).expect("get"), moved);
    raw(db, "UPDATE org SET parent = '411525' WHERE id = '000000'").await.expect("a circle by other tools");
    assert_eq!(read!(db, tx => org::line(tx, &"411525".into())).expect("ends").0.len(), 8);
}

pub fn account(id: &str) -> Row {
    Row {
        account: Account {
            id: id.into(),
            login: format!("{id}-Ａ"),
            name: RARE.into(),
            party: Some("p".into()),
            has_totp: true,
            disabled: false,
            must_change: true,
        },
        login_fold: format!("{id}-a"),
        pass_hash: "$argon2id$…".into(),
        totp_secret: Some(vec![0, 1, 255]),
        totp_last: 5,
        created_at: at(1_000),
        last_seen: None,
        version: 1,
    }
}

pub async fn accounts_and_roles(db: &Db) {
    let row = account("a");
    write!(db, tx => account::insert(tx, &row)).expect("insert");
    let twin = Row { account: Account { id: "b".into(), ..row.account.clone() }, ..row.clone() };
    let mut tx = db.write().await.expect("begin");
    assert!(account::insert(&mut tx, &twin).await.expect_err("the name is taken").is_duplicate());
    drop(tx);
    assert_eq!(read!(db, tx => account::get(tx, &"a".into())).expect("get"), row);
    assert_eq!(read!(db, tx => account::find_by_login(tx, "a-a")).expect("find"), Some(row.clone()));
    assert!(matches!(read!(db, tx => account::get(tx, &"z".into())), Err(StoreError::NotFound { .. })));

    let plain = Row { totp_secret: None, account: Account { disabled: true, party: None, ..row.account.clone() }, ..row.clone() };
    let changed = write!(db, tx => account::update(tx, plain.clone())).expect("update");
    assert_eq!((changed.version, changed.account.has_totp), (2, false));
    assert_eq!(read!(db, tx => account::get(tx, &"a".into())).expect("get"), changed);
    assert!(matches!(write!(db, tx => account::update(tx, plain)), Err(StoreError::Stale { .. })));

    assert!(write!(db, tx => account::use_totp_step(tx, &"a".into(), 6)).expect("step"));
    assert!(!write!(db, tx => account::use_totp_step(tx, &"a".into(), 6)).expect("the same code again"));
    write!(db, tx => account::set_last_seen(tx, &"a".into(), at(7))).expect("seen");
    write!(db, tx => account::insert(tx, &account("c"))).expect("insert");
    let list = |filter: account::Filter, after: Option<&'static str>| async move {
        let rows = read!(db, tx => account::list(tx, &filter, after, 10)).expect("list");
        assert!(after.is_some() || read!(db, tx => account::count_filtered(tx, &filter)).expect("count") == rows.len() as i64);
        rows.into_iter().map(|row| row.account.id.0).collect::<Vec<_>>()
    };
    let any = account::Filter::default;
    assert_eq!(list(any(), Some("a-a")).await, ["c"]);
    assert_eq!(list(account::Filter { disabled: true, ..any() }, None).await, ["a"]);
    assert_eq!(list(account::Filter { text: Some("c-".into()), ..any() }, None).await, ["c"]);
    assert_eq!(list(account::Filter { text: Some("%".into()), ..any() }, None).await, ["a", "c"], "the name holds the sign");
    assert_eq!(list(account::Filter { unseen_since: Some(at(1_001)), ..any() }, None).await, ["c"], "never here since it was made");
    assert_eq!(list(account::Filter { without_totp: true, ..any() }, None).await, Vec::<String>::new());
    assert_eq!(read!(db, tx => account::list_by_party(tx, &"p".into(), 9)).expect("list").len(), 1);
    assert_eq!(read!(db, tx => account::count(tx)).expect("count"), 2);

    let editor = Membership { org: "410000".into(), role: Role::Editor };
    assert!(write!(db, tx => member::insert(tx, &"a".into(), &editor)).expect("give"));
    assert!(!write!(db, tx => member::insert(tx, &"a".into(), &editor)).expect("give again"));
    assert_eq!(read!(db, tx => member::list_by_account(tx, &"a".into())).expect("list"), std::slice::from_ref(&editor));
    assert_eq!(read!(db, tx => member::list_by_org(tx, &editor.org, 9)).expect("list"), [("a".into(), Role::Editor)]);
    assert_eq!(list(account::Filter { org: Some("410000".into()), ..any() }, None).await, ["a"]);
    assert_eq!(list(account::Filter { org: Some("410000".into()), role: Some(Role::Steward), ..any() }, None).await, Vec::<String>::new());
    assert_eq!(list(account::Filter { role: Some(Role::Editor), ..any() }, None).await, ["a"]);
    let seats = read!(db, tx => member::list_seats(tx, "a-a", "a-a")).expect("seats");
    assert_eq!(seats.iter().map(|s| (s.account.as_str(), s.org_name.as_str(), s.role)).collect::<Vec<_>>(), [("a", "410000", Role::Editor)]);
    assert_eq!(read!(db, tx => member::count_role(tx, Role::Editor, None)).expect("count"), 0, "a disabled account does not count");
    assert_eq!(read!(db, tx => member::count_others(tx, &editor.org, Role::Editor, &"c".into())).expect("count"), 0);
    let able = account::Row { account: Account { disabled: false, ..changed.account.clone() }, ..changed.clone() };
    write!(db, tx => account::update(tx, able)).expect("update");
    assert_eq!(read!(db, tx => member::count_role(tx, Role::Editor, None)).expect("count"), 1);
    assert_eq!(read!(db, tx => member::count_role(tx, Role::Editor, Some(&"a".into()))).expect("count"), 0);
    assert_eq!(read!(db, tx => member::count_others(tx, &editor.org, Role::Editor, &"c".into())).expect("count"), 1);
    assert_eq!(read!(db, tx => member::count_others(tx, &editor.org, Role::Editor, &"a".into())).expect("count"), 0);
    assert!(write!(db, tx => member::delete(tx, &"a".into(), &editor)).expect("take"));
    assert!(!write!(db, tx => member::delete(tx, &"a".into(), &editor)).expect("take again"));
}

pub async fn sessions(db: &Db) {
    write!(db, tx => account::insert(tx, &account("a"))).expect("account");
    let session = |hash: &str, created| Session {
        token_hash: hash.into(),
        account: "a".into(),
        csrf: "c".into(),
        created_at: at(created),
        seen_at: at(created),
        expires_at: at(1_000),
    };
    for (hash, created) in [("one", 1), ("two", 2), ("three", 3)] {
        write!(db, tx => session::insert(tx, &session(hash, created))).expect("insert");
    }
    let orphan = Session { account: "nobody".into(), ..session("four", 4) };
    let mut tx = db.write().await.expect("begin");
    assert!(session::insert(&mut tx, &orphan).await.is_err(), "a session belongs to an account");
    drop(tx);
    assert_eq!(read!(db, tx => session::find(tx, "one", at(999))).expect("find"), Some(session("one", 1)));
    assert_eq!(read!(db, tx => session::find(tx, "one", at(1_000))).expect("ended"), None);
    write!(db, tx => session::touch(tx, "two", at(50))).expect("touch");
    let listed = read!(db, tx => session::list_by_account(tx, &"a".into(), 9)).expect("list");
    assert_eq!(listed.iter().map(|s| (s.token_hash.as_str(), s.seen_at)).collect::<Vec<_>>(), [("three", at(3)), ("two", at(50)), ("one", at(1))]);
    assert_eq!(write!(db, tx => session::purge(tx, at(60), at(3))).expect("idle ones"), 1);
    assert_eq!(write!(db, tx => session::delete_by_account(tx, &"a".into(), "two")).expect("others"), 1);
    write!(db, tx => session::delete(tx, "two")).expect("delete");
    assert!(read!(db, tx => session::list_by_account(tx, &"a".into(), 9)).expect("list").is_empty());
}

pub async fn failed_sign_ins_are_counted_together(db: &Db) {
    let tries = (0..12).map(|n| {
        let db = db.clone();
        tokio::spawn(async move { write!(db, tx => login_lock::add_failure(tx, "login:甲", at(n))).expect("count") })
    });
    let mut counted = Vec::new();
    for one in tries.collect::<Vec<_>>() {
        counted.push(one.await.expect("joined"));
    }
    counted.sort_unstable();
    assert_eq!(counted, (1..=12).collect::<Vec<i64>>());
    write!(db, tx => login_lock::set_until(tx, "login:甲", Some(at(500)))).expect("lock");
    assert_eq!(read!(db, tx => login_lock::list_locked(tx, at(499), 9)).expect("list").len(), 1);
    assert!(read!(db, tx => login_lock::list_locked(tx, at(500), 9)).expect("list").is_empty());
    assert!(write!(db, tx => login_lock::delete(tx, "login:甲")).expect("delete"));
    assert_eq!(read!(db, tx => login_lock::find(tx, "login:甲")).expect("find"), None);
    write!(db, tx => login_lock::add_failure(tx, "addr:x", at(1))).expect("count");
    assert_eq!(write!(db, tx => login_lock::purge_before(tx, at(2))).expect("purge"), 1);
}

pub async fn locks_survive_reopening(url: &str) {
    let db = Db::open(url).await.expect("open");
    db.migrate().await.expect("migrate");
    for n in 1..=5 {
        assert_eq!(write!(db, tx => login_lock::add_failure(tx, "addr:1", at(n))).expect("count"), n);
    }
    write!(db, tx => login_lock::set_until(tx, "addr:1", Some(at(60_000)))).expect("lock");
    db.close().await;
    let again = Db::open(url).await.expect("open again");
    let lock = read!(again, tx => login_lock::find(tx, "addr:1")).expect("find").expect("still there");
    assert_eq!((lock.failures, lock.last_at, lock.until), (5, at(5), Some(at(60_000))));
    again.close().await;
}

pub async fn peers_and_invitations(db: &Db) {
    let peer = Peer {
        id: "did:key:zParent".into(),
        name: RARE.into(),
        direction: Direction::Parent,
        url: "https://example.cn".into(),
        holder: "中国科协".into(),
        scope: "{}".into(),
        cursor: "[]".into(),
        push_cursor: 0,
        acked: 0,
        joined_at: at(1),
        last_seen: None,
        last_result: String::new(),
    };
    write!(db, tx => peer::upsert(tx, &peer)).expect("insert");
    write!(db, tx => peer::set_cursor(tx, &peer.id, "[[0,5]]")).expect("cursor");
    write!(db, tx => peer::set_push_cursor(tx, &peer.id, 7)).expect("push");
    write!(db, tx => peer::set_acked(tx, &peer.id, 9)).expect("acked");
    write!(db, tx => peer::set_acked(tx, &peer.id, 3)).expect("acked");
    write!(db, tx => peer::set_seen(tx, &peer.id, at(10), "ok")).expect("seen");
    write!(db, tx => peer::upsert(tx, &Peer { url: "https://b.example.cn".into(), ..peer.clone() })).expect("change");
    write!(db, tx => peer::set_scope(tx, &peer.id, "{\"below\":true}")).expect("scope");
    let expected = Peer {
        url: "https://b.example.cn".into(),
        scope: "{\"below\":true}".into(),
        cursor: "[[0,5]]".into(),
        push_cursor: 7,
        acked: 9,
        last_seen: Some(at(10)),
        last_result: "ok".into(),
        ..peer.clone()
    };
    assert_eq!(read!(db, tx => peer::get(tx, &peer.id)).expect("get"), expected);
    assert_eq!(read!(db, tx => peer::list(tx, None, 9)).expect("list").len(), 1);
    assert!(read!(db, tx => peer::list(tx, Some(Direction::Child), 9)).expect("list").is_empty());
    assert!(matches!(write!(db, tx => peer::set_cursor(tx, &"x".into(), "")), Err(StoreError::NotFound { .. })));
    assert!(write!(db, tx => peer::delete(tx, &peer.id)).expect("delete"));

    let given = Invite {
        token_hash: "h".into(),
        name: "固始县科协".into(),
        region: Region::parse("411525").expect("code"),
        roles: [KeyRole::Author, KeyRole::Reviewer].into(),
        fields: ["health".to_owned()].into(),
        expires_at: at(100),
        used_by: None,
        created_at: at(1),
    };
    write!(db, tx => invite::insert(tx, &given)).expect("insert");
    assert_eq!(read!(db, tx => invite::find(tx, "h")).expect("find"), Some(given.clone()));
    assert!(matches!(write!(db, tx => invite::claim(tx, "h", &"did:key:zA".into(), at(100))), Err(StoreError::NotFound { .. })), "too late");
    let used = write!(db, tx => invite::claim(tx, "h", &"did:key:zA".into(), at(99))).expect("claim");
    assert_eq!(used, Invite { used_by: Some("did:key:zA".into()), ..given });
    write!(db, tx => invite::claim(tx, "h", &"did:key:zA".into(), at(99))).expect("the same key may ask again");
    assert!(matches!(write!(db, tx => invite::claim(tx, "h", &"did:key:zB".into(), at(99))), Err(StoreError::Stale { .. })));
    assert!(matches!(write!(db, tx => invite::claim(tx, "none", &"did:key:zB".into(), at(99))), Err(StoreError::NotFound { .. })));
    assert_eq!(read!(db, tx => invite::list(tx, 9)).expect("list"), std::slice::from_ref(&used));
    assert!(!write!(db, tx => invite::delete(tx, "h")).expect("delete"), "it was used");
    let other = Invite { token_hash: "i".into(), used_by: None, ..used };
    for taken in [true, false] {
        if taken {
            write!(db, tx => invite::insert(tx, &other)).expect("insert");
        }
        assert_eq!(write!(db, tx => invite::delete(tx, "i")).expect("delete"), taken);
    }
    assert_eq!(write!(db, tx => invite::purge(tx, at(100))).expect("purge"), 0, "it is good up to its time");
    assert_eq!(write!(db, tx => invite::purge(tx, at(101))).expect("purge"), 1);
}

pub async fn forms_are_done_once(db: &Db) {
    let mut tx = db.write().await.expect("begin");
    assert_eq!(once::claim(&mut tx, "k", at(1)).await.expect("claim"), Once::First);
    once::finish(&mut tx, "k", "/drafts/1").await.expect("finish");
    tx.commit().await.expect("commit");
    assert_eq!(write!(db, tx => once::claim(tx, "k", at(2))).expect("claim"), Once::Done("/drafts/1".into()));
    assert_eq!(write!(db, tx => once::purge_before(tx, at(2))).expect("purge"), 1);
    assert_eq!(write!(db, tx => once::claim(tx, "k", at(3))).expect("claim"), Once::First);
}

pub async fn media(db: &Db) {
    let file = |hash: &str, size| Media { hash: hash.into(), media_type: "image/png".into(), size, created_at: at(size), wanted: true, have: false };
    write!(db, tx => media::upsert(tx, &file("a", 20))).expect("insert");
    write!(db, tx => media::upsert(tx, &file("b", 10))).expect("insert");
    let hashes = |list: Vec<Media>| list.into_iter().map(|m| m.hash).collect::<Vec<_>>();
    assert_eq!(hashes(read!(db, tx => media::list_wanted(tx, 9)).expect("wanted")), ["b", "a"]);
    write!(db, tx => media::set_have(tx, "a", true)).expect("have");
    write!(db, tx => media::upsert(tx, &Media { wanted: false, ..file("a", 20) })).expect("known again");
    assert_eq!(read!(db, tx => media::find(tx, "a")).expect("find"), Some(Media { have: true, ..file("a", 20) }));
    assert_eq!(hashes(read!(db, tx => media::list_wanted(tx, 9)).expect("wanted")), ["b"]);
    assert_eq!(hashes(read!(db, tx => media::list(tx, 9)).expect("list")), ["a", "b"]);
    assert!(matches!(write!(db, tx => media::set_have(tx, "z", true)), Err(StoreError::NotFound { .. })));
    assert!(write!(db, tx => media::delete(tx, "a")).expect("delete"));
}

pub async fn uses_and_failed_attempts(db: &Db) {
    let file = |hash: &str, size, wanted, have| Media { hash: hash.into(), media_type: "image/png".into(), size, created_at: at(1), wanted, have };
    for one in [file("a", 20, true, false), file("b", 10, true, false), file("c", 5, true, true), file("d", 7, false, true)] {
        write!(db, tx => media::upsert(tx, &one)).expect("insert");
    }
    let totals = read!(db, tx => media::totals(tx)).expect("totals");
    assert_eq!(totals, media::Totals { have: 2, have_bytes: 12, wanted: 2, wanted_bytes: 30 });
    let hashes = |list: Vec<Media>| list.into_iter().map(|m| m.hash).collect::<Vec<_>>();
    let due = async |now| hashes(read!(db, tx => media::list_due(tx, at(now), 9)).expect("due"));
    assert_eq!(due(100).await, ["b", "a"]);
    let failed = media::Try { hash: "b".into(), tries: 2, retry_at: at(500), cause: format!("cut {}", crate::RARE) };
    write!(db, tx => media::put_try(tx, &media::Try { tries: 1, ..failed.clone() })).expect("once");
    write!(db, tx => media::put_try(tx, &failed)).expect("twice");
    assert_eq!(read!(db, tx => media::find_try(tx, "b")).expect("find"), Some(failed.clone()));
    assert_eq!(read!(db, tx => media::list_tries(tx, 9)).expect("list"), [failed]);
    assert_eq!(due(100).await, ["a"]);
    assert_eq!(due(500).await, ["b", "a"]);
    write!(db, tx => media::delete_try(tx, "b")).expect("delete");
    write!(db, tx => media::clear_tries(tx)).expect("clear");
    assert_eq!(due(100).await, ["b", "a"]);
    // The latest word about size and kind counts until the bytes are here.
    write!(db, tx => media::upsert(tx, &file("b", 11, false, false))).expect("again");
    write!(db, tx => media::upsert(tx, &file("c", 99, true, false))).expect("again");
    assert_eq!(read!(db, tx => media::find(tx, "b")).expect("find").map(|m| m.size), Some(11));
    assert_eq!(read!(db, tx => media::find(tx, "c")).expect("find").map(|m| m.size), Some(5));
    assert_eq!(hashes(read!(db, tx => media::list_here(tx, "", 9)).expect("here")), ["c", "d"]);
    assert_eq!(hashes(read!(db, tx => media::list_here(tx, "c", 9)).expect("here")), ["d"]);

    let one = |hash: &str, subject: &str, live| media::Use { hash: hash.into(), subject: subject.into(), live };
    assert_eq!(read!(db, tx => media::count_uses(tx, "a")).expect("count"), (0, 0));
    write!(db, tx => media::put_uses(tx, &[one("a", "s1", true), one("a", "s2", false)])).expect("put");
    assert_eq!(read!(db, tx => media::count_uses(tx, "a")).expect("count"), (2, 1));
    write!(db, tx => media::put_uses(tx, &[one("a", "s1", false)])).expect("put over");
    assert_eq!(read!(db, tx => media::count_uses(tx, "a")).expect("count"), (2, 0));
    write!(db, tx => media::set_wanted(tx, "a", false)).expect("unwanted");
    assert_eq!(due(100).await, ["b"]);
    write!(db, tx => media::clear_wanted(tx)).expect("clear");
    write!(db, tx => media::clear_uses(tx)).expect("clear");
    assert!(due(100).await.is_empty());
    assert_eq!(read!(db, tx => media::count_uses(tx, "a")).expect("count"), (0, 0));
}
