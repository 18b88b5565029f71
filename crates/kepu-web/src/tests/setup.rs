//! The first run of a node, through the router.

use super::{Node, PASSWORD, Person, body, hidden, node, open, place, request, send, text};
use crate::router;
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Response, StatusCode, header};
use kepu_app::setup;

const FIELDS: [(&str, &str); 15] = [
    ("_once", "abcdefgh12345678"),
    ("runs", "territory"),
    ("org_name", "固始县科学技术协会"),
    ("province", "410000"),
    ("county", "固始县"),
    ("steward_login", "hejing"),
    ("steward_name", "何静"),
    ("steward_password", PASSWORD),
    ("password_again", PASSWORD),
    ("security_admin_login", "anquan"),
    ("security_admin_name", "安全员"),
    ("system_admin_login", "xitong"),
    ("system_admin_name", "系统员"),
    ("audit_admin_later", "1"),
    ("audit_admin_login", ""),
];

/// The form with some fields otherwise.
async fn send_form(site: &Router, changes: &[(&str, &str)]) -> Response<Body> {
    let kept = FIELDS.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    let fields: Vec<(&str, &str)> = kept.copied().chain(changes.iter().copied()).collect();
    send(site, request(Method::POST, "/setup", "", &body(&fields))).await
}

async fn code(node: &Node) -> String {
    setup::code(&node.web.app).await.expect("code").expect("no account yet")
}

#[tokio::test]
async fn the_first_run_makes_organisation_steward_and_administrators_once() {
    let node = node().await;
    let site = router(node.web.clone());
    let page = text(send(&site, request(Method::GET, "/setup", "", "")).await).await;
    assert!(page.contains("设置码") && page.matches("<h1").count() == 1);
    assert!(text(send(&site, request(Method::GET, "/login", "", "")).await).await.contains("href=\"/setup\""));
    let code = code(&node).await;
    let answer = send_form(&site, &[("code", &code.to_uppercase())]).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{}", text(answer).await);
    let (done, cookie) = (place(&answer), answer.headers()[header::SET_COOKIE].to_str().expect("cookie").split(';').next().expect("value").to_owned());
    let steward = Person { cookie, csrf: String::new() };
    let page = text(open(&site, &steward, &done).await).await;
    assert!(page.contains("固始县科学技术协会") && page.contains("anquan") && page.contains("xitong") && page.contains("审计管理员"), "{page}");
    let password = page.split("class=\"secret\">").nth(1).and_then(|rest| rest.split('<').next()).expect("first password").to_owned();
    let (login, _) = (page.split("<dd>").nth(2).and_then(|rest| rest.split('<').next()).expect("login"), ());
    let first = send(&site, request(Method::POST, "/login", "", &body(&[("login", login), ("password", &password)]))).await;
    assert_eq!(place(&first), "/account", "{login} must change it");
    assert_eq!(open(&site, &steward, "/members").await.status(), StatusCode::OK);
    assert!(text(open(&site, &steward, "/members").await).await.contains("还没有：审计管理员"), "what was left for later is shown");
    assert!(text(send(&site, request(Method::GET, "/about", "", "")).await).await.contains("固始县科学技术协会"), "without a restart");

    assert_eq!(send(&site, request(Method::GET, "/setup", "", "")).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(place(&send_form(&site, &[("code", &code)]).await), done, "sent twice: the same answer");
    let again = send_form(&site, &[("code", &code), ("_once", "otherotherother1"), ("steward_login", "second")]).await;
    assert_eq!(again.status(), StatusCode::NOT_FOUND);
    assert!(setup::code(&node.web.app).await.expect("code").is_none());
    let late = router(node.restarted(11).await);
    assert_eq!(open(&late, &steward, &done).await.status(), StatusCode::NOT_FOUND, "first passwords are shown for ten minutes");
    assert_eq!(open(&site, &steward, "/setup/done?first=forged.99999999999999.00").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn without_the_code_nothing_is_set_up() {
    let node = node().await;
    let site = router(node.web.clone());
    for wrong in ["", "abcd-efgh-ijkl"] {
        let answer = send_form(&site, &[("code", wrong)]).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let page = text(answer).await;
        assert!(page.contains("设置码不对") && page.contains("固始县科学技术协会"), "what was typed stays");
        assert!(!page.contains(PASSWORD));
    }
    assert!(setup::code(&node.web.app).await.expect("code").is_some());
    let mut last = StatusCode::OK;
    for _ in 0..12 {
        last = send_form(&site, &[("code", "guess")]).await.status();
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn the_three_administrators_are_three_people_and_none_is_the_steward() {
    let node = node().await;
    let site = router(node.web.clone());
    let code = code(&node).await;
    for twin in [("system_admin_login", "anquan"), ("security_admin_login", "HeJing")] {
        let answer = send_form(&site, &[("code", &code), twin]).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let page = text(answer).await;
        assert!(page.contains("三种管理员互相分开") && page.contains(&format!("id=\"{}-err\"", twin.0)), "{page}");
    }
    let everything = [("steward_password", "short"), ("password_again", "short"), ("security_admin_name", ""), ("org_name", ""), ("code", code.as_str())];
    let page = text(send_form(&site, &everything).await).await;
    for field in ["steward_password", "security_admin_name", "org_name"] {
        assert!(page.contains(&format!("href=\"#{field}\"")), "all is told at once: {field}");
    }
    assert!(setup::code(&node.web.app).await.expect("code").is_some(), "nothing half done");
}

#[tokio::test]
async fn a_division_may_run_the_node_and_names_can_wait() {
    let node = node().await;
    let site = router(node.web.clone());
    let code = code(&node).await;
    let later = [("code", code.as_str()), ("runs", "division"), ("org_name", ""), ("security_admin_later", "1"), ("system_admin_later", "1")];
    let answer = send_form(&site, &later).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let cookie = answer.headers()[header::SET_COOKIE].to_str().expect("cookie").split(';').next().expect("value").to_owned();
    let steward = Person { cookie, csrf: String::new() };
    let page = text(open(&site, &steward, "/members").await).await;
    assert!(page.contains("/members/orgs/411525/add"), "the steward may name the first security administrator: {page}");
    let add = text(open(&site, &steward, "/members/orgs/411525/add").await).await;
    assert!(add.contains("value=\"security_admin\"") && !add.contains("value=\"audit_admin\"") && !hidden(&add, "_csrf").is_empty());
}
