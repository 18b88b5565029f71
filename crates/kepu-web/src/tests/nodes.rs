//! The operator's page about nodes: the invitation shown once, taken back, refused; who is behind; holes and forks with a cure.

use super::{Node, Person, open, person, request, seeded, send, submit, text};
use axum::Router;
use axum::http::{Method, StatusCode, header};
use kepu_app::node::{self, JoinRequest, Token};
use kepu_domain::access::Role;
use kepu_domain::record::{DocHash, ForkProof, Place, Stream, Stub};
use kepu_store::record::StreamHead;

async fn house() -> (Node, Router, Person) {
    let (node, site, _) = seeded().await;
    let admin = person(&node.web, "xitong1", None, &[("000000", Role::SystemAdmin)]).await;
    (node, site, admin)
}

const INVITE: [(&str, &str); 5] = [("name", "固始县科协"), ("province", "410000"), ("county", "固始县"), ("roles", "author"), ("fields", "health")];

/// The word that a page shows.
fn word_of(page: &str) -> String {
    page.split("<textarea id=\"word\"").nth(1).and_then(|rest| rest.split('>').nth(1)).and_then(|rest| rest.split('<').next()).unwrap_or_default().to_owned()
}

fn join_request(token: &Token, key: &str) -> JoinRequest {
    JoinRequest { secret: token.secret.clone(), key: key.into(), name: "固始县".into(), next: String::new() }
}

/// A key that nobody else has.
fn new_key(seed: u8) -> String {
    kepu_sync::suite::SigningKey::from_secret(kepu_sync::suite::Suite::Ed25519, &[seed; 32]).expect("key").id().0
}

#[tokio::test]
async fn an_invitation_is_shown_once_used_once_and_can_be_taken_back() {
    let (node, site, admin) = house().await;
    let app = &node.web.app;
    let mut form = INVITE.to_vec();
    form.push(("_once", "abcdefgh12345678"));
    let answer = submit(&site, &admin, "/nodes/invite", &form).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    let page = text(answer).await;
    let word = word_of(&page);
    let token = Token::read(&word).expect("a word");
    assert!(page.contains("只显示这一次") && page.contains("河南省 信阳市 固始县") && page.contains(&format!("kepu node join --data kepu-data {word}")));
    assert_eq!(token.region.to_string(), "411525");
    // Sent again: no second invitation, and the word is not shown again, because nobody has it any more.
    let again = submit(&site, &admin, "/nodes/invite", &form).await;
    assert_eq!(again.status(), StatusCode::SEE_OTHER);
    let list = text(open(&site, &admin, "/nodes").await).await;
    assert!(list.contains("固始县科协") && list.contains("等待使用") && !list.contains(&token.secret));
    let mut tx = app.db.read().await.expect("tx");
    let invites = kepu_store::invite::list(&mut tx, 9).await.expect("list");
    drop(tx);
    assert_eq!((invites.len(), invites[0].fields.len(), invites[0].roles.len()), (1, 1, 1));

    assert_eq!(submit(&site, &admin, "/nodes/revoke", &[("invitation", &invites[0].token_hash)]).await.status(), StatusCode::SEE_OTHER);
    assert!(node::handle_join(app, join_request(&token, &new_key(3))).await.is_err(), "its word opens nothing any more");
    assert_eq!(submit(&site, &admin, "/nodes/revoke", &[("invitation", &invites[0].token_hash)]).await.status(), StatusCode::CONFLICT);

    // One that was used stays: the certificate is out.
    let page = text(submit(&site, &admin, "/nodes/invite", &INVITE).await).await;
    let token = Token::read(&word_of(&page)).expect("a word");
    node::handle_join(app, join_request(&token, &new_key(4))).await.expect("joined");
    let list = text(open(&site, &admin, "/nodes").await).await;
    assert!(list.contains("已加入") && !list.contains("/nodes/revoke"), "{list}");
    assert!(list.contains("还没有确认收到") || list.contains("一天以上没有联系"), "the new child has confirmed nothing");
    let mut tx = app.db.read().await.expect("tx");
    let used = kepu_store::invite::list(&mut tx, 9).await.expect("list").remove(0);
    drop(tx);
    assert_eq!(submit(&site, &admin, "/nodes/revoke", &[("invitation", &used.token_hash)]).await.status(), StatusCode::CONFLICT);
}

#[tokio::test]
async fn an_invitation_that_could_not_be_certified_is_refused_beside_the_form() {
    let (_node, site, admin) = house().await;
    let with = |name: &'static str, value: &'static str| INVITE.into_iter().map(move |(n, v)| if n == name { (n, value) } else { (n, v) }).collect::<Vec<_>>();
    for (fields, says) in [(with("name", ""), "至少要 1 个"), (with("county", "云岭县"), "没有找到“云岭县”"), (with("roles", "emperor"), "请至少选一项")]
    {
        let answer = submit(&site, &admin, "/nodes/invite", &fields).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{says}");
        let page = text(answer).await;
        assert!(page.contains(says) && page.contains("role=\"alert\""), "{says}: {page}");
        assert!(says.contains('1') || page.contains("value=\"固始县科协\""), "what was typed stays");
    }
}

#[tokio::test]
async fn a_county_node_cannot_invite_beyond_its_certificate() {
    let (nation, _site, _) = house().await;
    let folder = tempfile::tempdir().expect("folder");
    let init = node::Init {
        name: "固始县".into(),
        region: kepu_domain::org::Region::parse("411525").expect("code"),
        suite: kepu_sync::suite::Suite::Ed25519,
        database: None,
    };
    let county = node::init(folder.path(), init).await.expect("node");
    let operator = kepu_domain::access::Actor::Node { name: "operator".into() };
    let invitation = |region: &str, roles: &[kepu_domain::trust::KeyRole]| node::Invitation {
        name: "x".into(),
        region: kepu_domain::org::Region::parse(region).expect("code"),
        roles: roles.iter().copied().collect(),
        fields: Default::default(),
    };
    use kepu_domain::trust::KeyRole::{Author, Issuer, Retractor};
    let token = node::invite(&nation.web.app, &operator, invitation("411525", &[Author, Issuer])).await.expect("token");
    let frames = node::handle_join(
        &nation.web.app,
        JoinRequest { secret: token.secret.clone(), key: county.key.id().0.clone(), name: "固始县".into(), next: String::new() },
    )
    .await
    .expect("joined");
    let (records, _) = kepu_app::record::check(kepu_app::sync::items_of(&frames).expect("frames"));
    let mut tx = county.db.write().await.expect("tx");
    kepu_store::meta::set(&mut tx, "root", &token.root).await.expect("root");
    kepu_store::counter::take(&mut tx, "trust", 1).await.expect("counter");
    kepu_app::record::apply(&county, &mut tx, records, &token.parent).await.expect("applied");
    tx.commit().await.expect("commit");
    let refused = async |region: &str, roles: &[kepu_domain::trust::KeyRole]| match node::invite(&county, &operator, invitation(region, roles)).await {
        Err(kepu_app::AppError::Invalid(list)) => list[0].key.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused("420000", &[Author]).await, "invite_region");
    assert_eq!(refused("411525", &[Retractor]).await, "invite_roles");
    node::invite(&county, &operator, invitation("411525", &[Author])).await.expect("within its own");
}

#[tokio::test]
async fn holes_and_forks_are_listed_with_what_to_do() {
    let (node, site, admin) = house().await;
    let page = text(open(&site, &admin, "/nodes").await).await;
    assert!(page.contains("没有缺号") && page.contains("还没有下级节点") && !page.contains("历史分叉"));
    assert!(page.contains(&node.web.app.key.id().digits()) && page.contains(&node.web.app.key.id().0));
    let key = kepu_domain::ids::KeyId(new_key(9));
    let mut tx = node.web.app.db.write().await.expect("tx");
    let head = StreamHead { key: key.clone(), stream: Stream::Alert, high: 9, holes: vec![(3, 5)] };
    kepu_store::record::put_heads(&mut tx, &[head]).await.expect("heads");
    let stub = |n: u8| Stub { modified: "2026-01-01T00:00:00Z".into(), doc: DocHash([n; 32]), signature: vec![n; 64] };
    let proof = ForkProof { place: Place { key: key.clone(), stream: Stream::Lib, n: 7 }, stubs: [stub(1), stub(2)] };
    kepu_store::record::insert_fork(&mut tx, &proof).await.expect("fork");
    tx.commit().await.expect("commit");
    let page = text(open(&site, &admin, "/nodes").await).await;
    assert!(page.contains("撤回与更正第 3 到 5 号没有收到") && page.contains("请打电话让上级重发"), "{page}");
    assert!(page.contains("历史分叉") && page.contains("内容记录第 7 号有两份") && page.contains(&key.fingerprint()));
    let value: serde_json::Value = serde_json::from_str(&text(open(&site, &admin, "/api/nodes").await).await).expect("json");
    assert_eq!((value["holes"][0]["from"].as_i64(), value["forks"][0]["n"].as_i64()), (Some(3), Some(7)));
    assert_eq!(value["digits"].as_str().map(|digits| digits.replace(' ', "").len()), Some(24));
}

#[tokio::test]
async fn an_exchange_is_asked_for_once_and_only_by_administrators() {
    let (node, site, admin) = house().await;
    for _ in 0..2 {
        assert_eq!(submit(&site, &admin, "/nodes/exchange", &[]).await.status(), StatusCode::SEE_OTHER);
    }
    let mut tx = node.web.app.db.read().await.expect("tx");
    assert_eq!(kepu_store::job::count_waiting(&mut tx, "exchange").await.expect("count"), 1);
    drop(tx);
    let editor = person(&node.web, "bianji1", None, &[("org-nat", Role::Editor)]).await;
    for path in ["/nodes", "/api/nodes"] {
        assert_eq!(open(&site, &editor, path).await.status(), StatusCode::FORBIDDEN);
        assert_eq!(send(&site, request(Method::GET, path, "", "")).await.status(), StatusCode::UNAUTHORIZED);
    }
    for path in ["/nodes/invite", "/nodes/revoke", "/nodes/exchange"] {
        assert_eq!(submit(&site, &editor, path, &INVITE).await.status(), StatusCode::FORBIDDEN, "{path}");
    }
}
