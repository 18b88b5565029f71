//! Signing in and one's own account, through the router: locks, codes, carried forms, what an account owes, the own data.

use super::{Node, PASSWORD, Person, body, hidden, node, open, person, place, request, send, submit, text};
use crate::{Web, router};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Response, StatusCode, header};
use data_encoding::BASE32_NOPAD;
use kepu_app::account::secret;
use kepu_app::member;
use kepu_domain::access::{Actor, Role};

const NEW: &str = "后山的桂花今年开了两次";

async fn post_login(site: &Router, fields: &[(&str, &str)]) -> Response<Body> {
    send(site, request(Method::POST, "/login", "", &body(fields))).await
}

/// Signs in through the page.
async fn log_in(site: &Router, login: &str, password: &str) -> Person {
    let answer = post_login(site, &[("login", login), ("password", password)]).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{login} signs in");
    signed_in(site, &answer).await
}

async fn signed_in(site: &Router, answer: &Response<Body>) -> Person {
    let cookie = answer.headers()[header::SET_COOKIE].to_str().expect("cookie").split(';').next().expect("value").to_owned();
    let page = text(send(site, request(Method::GET, "/account", &cookie, "")).await).await;
    Person { csrf: hidden(&page, "_csrf"), cookie }
}

fn codes(page: &str) -> (Vec<u8>, String) {
    let typed = hidden(page, "secret");
    (BASE32_NOPAD.decode(typed.as_bytes()).expect("secret"), typed)
}

fn code(secret: &[u8], web: &Web, later: i64) -> String {
    secret::totp(secret, web.app.now().as_second().div_euclid(30) + later)
}

/// Sets up a second factor through the page; returns its secret.
async fn with_totp(web: &Web, site: &Router, who: &Person) -> Vec<u8> {
    let page = text(open(site, who, "/account/second-factor").await).await;
    assert!(page.contains("<svg xmlns") && !page.contains("style="), "the code is a picture without styles");
    let (bytes, typed) = codes(&page);
    let now = code(&bytes, web, -1);
    let answer = submit(site, who, "/account/second-factor", &[("secret", &typed), ("code", &now), ("password", PASSWORD)]).await;
    assert_eq!(place(&answer), "/account?done=second-factor");
    bytes
}

#[tokio::test]
async fn signing_in_leads_on_and_never_to_another_site() {
    let node = node().await;
    person(&node.web, "hejing", None, &[("410000", Role::Editor)]).await;
    let site = router(node.web.clone());
    let answer = post_login(&site, &[("login", " HeJing "), ("password", PASSWORD)]).await;
    assert_eq!((answer.status(), place(&answer)), (StatusCode::SEE_OTHER, "/desk".into()));
    let cookie = answer.headers()[header::SET_COOKIE].to_str().expect("cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && !cookie.contains("Max-Age"), "{cookie}");
    for (to, leads) in [("/cases?open=1", "/cases?open=1"), ("//evil.example", "/desk"), ("https://evil.example", "/desk"), ("/login", "/desk")] {
        assert_eq!(place(&post_login(&site, &[("login", "hejing"), ("password", PASSWORD), ("to", to)]).await), leads);
    }
    let mut foreign = request(Method::POST, "/login", "", &body(&[("login", "hejing"), ("password", PASSWORD)]));
    foreign.headers_mut().insert("sec-fetch-site", "cross-site".parse().expect("value"));
    assert_eq!(send(&site, foreign).await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn unknown_names_and_wrong_passwords_are_told_alike() {
    let node = node().await;
    person(&node.web, "hejing", None, &[]).await;
    let site = router(node.web.clone());
    let wrong = post_login(&site, &[("login", "hejing"), ("password", "wrong wrong wrong")]).await;
    let unknown = post_login(&site, &[("login", "nobody"), ("password", "wrong wrong wrong")]).await;
    assert_eq!((wrong.status(), unknown.status()), (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED));
    let (wrong, unknown) = (text(wrong).await, text(unknown).await);
    assert!(wrong.contains("用户名或密码不对") && wrong.contains("value=\"hejing\""), "what was typed stays");
    assert!(unknown.contains("用户名或密码不对") && !wrong.contains("wrong wrong"));
    let empty = post_login(&site, &[("login", "hejing"), ("password", "")]).await;
    assert_eq!(empty.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(empty).await.contains("href=\"#password\""));
}

#[tokio::test]
async fn a_lock_grows_survives_a_restart_and_ends() {
    let node = node().await;
    person(&node.web, "hejing", None, &[]).await;
    let site = router(node.web.clone());
    for _ in 0..4 {
        assert_eq!(post_login(&site, &[("login", "hejing"), ("password", "wrong")]).await.status(), StatusCode::UNAUTHORIZED);
    }
    let locked = post_login(&site, &[("login", "hejing"), ("password", "wrong")]).await;
    assert_eq!(locked.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(locked.headers().contains_key(header::RETRY_AFTER));
    let right = [("login", "hejing"), ("password", PASSWORD)];
    let again = router(node.restarted(0).await);
    let answer = post_login(&again, &right).await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS, "even the right password waits");
    assert!(text(answer).await.contains("已暂时锁定"));
    let later = router(node.restarted(2).await);
    assert_eq!(post_login(&later, &[("login", "hejing"), ("password", "wrong")]).await.status(), StatusCode::TOO_MANY_REQUESTS, "twice as long");
    assert_eq!(post_login(&router(node.restarted(3).await), &right).await.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(post_login(&router(node.restarted(5).await), &right).await.status(), StatusCode::SEE_OTHER);
    let after = post_login(&router(node.restarted(5).await), &[("login", "hejing"), ("password", "wrong")]).await;
    assert_eq!(after.status(), StatusCode::UNAUTHORIZED, "a sign-in forgets the failures");
}

#[tokio::test]
async fn an_office_behind_one_address_is_locked_later_than_a_name() {
    let node = node().await;
    let site = router(node.web.clone());
    let mut statuses = Vec::new();
    for n in 0..21 {
        statuses.push(post_login(&site, &[("login", &format!("name{n}")), ("password", "wrong")]).await.status());
    }
    assert!(statuses[..19].iter().all(|status| *status == StatusCode::UNAUTHORIZED));
    assert_eq!(statuses[20], StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_second_factor_is_asked_in_a_second_step_and_each_code_counts_once() {
    let node = node().await;
    let who = person(&node.web, "hejing", None, &[("410000", Role::Editor)]).await;
    let site = router(node.web.clone());
    let secret = with_totp(&node.web, &site, &who).await;
    let step = post_login(&site, &[("login", "hejing"), ("password", PASSWORD), ("to", "/cases")]).await;
    assert_eq!(step.status(), StatusCode::OK);
    assert!(step.headers().get(header::SET_COOKIE).is_none());
    let page = text(step).await;
    let ticket = hidden(&page, "ticket");
    assert!(!ticket.is_empty() && !page.contains("type=\"password\"") && hidden(&page, "to") == "/cases");
    let wrong = post_login(&site, &[("ticket", &ticket), ("code", "000000")]).await;
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    assert!(text(wrong).await.contains("验证码不对"));
    let now = code(&secret, &node.web, 0);
    let done = post_login(&site, &[("ticket", &ticket), ("code", &now), ("to", "/cases")]).await;
    assert_eq!((done.status(), place(&done)), (StatusCode::SEE_OTHER, "/cases".into()));
    let replayed = post_login(&site, &[("ticket", &ticket), ("code", &now)]).await;
    assert_eq!(replayed.status(), StatusCode::UNAUTHORIZED, "a code seen by somebody else is used up");
    let forged = post_login(&site, &[("ticket", &ticket.replace('.', ".1")), ("code", &code(&secret, &node.web, 1))]).await;
    assert!(text(forged).await.contains("过了太久"));
    let late = router(node.restarted(11).await);
    assert!(text(post_login(&late, &[("ticket", &ticket), ("code", "000000")]).await).await.contains("过了太久"));
}

#[tokio::test]
async fn wrong_codes_lock_like_wrong_passwords() {
    let node = node().await;
    let who = person(&node.web, "hejing", None, &[]).await;
    let site = router(node.web.clone());
    with_totp(&node.web, &site, &who).await;
    let ticket = hidden(&text(post_login(&site, &[("login", "hejing"), ("password", PASSWORD)]).await).await, "ticket");
    let mut last = StatusCode::OK;
    for _ in 0..5 {
        last = post_login(&site, &[("ticket", &ticket), ("code", "123456")]).await.status();
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_form_whose_session_ended_is_carried_through_the_sign_in() {
    let node = node().await;
    person(&node.web, "hejing", None, &[("410000", Role::Steward)]).await;
    let site = router(node.web.clone());
    let fields = [("_csrf", "old"), ("_once", "abcdefgh12345678"), ("org_name", "云岭县科协"), ("org_kind", "territory")];
    let first = send(&site, request(Method::POST, "/members/orgs/410000/new", "kepu_session=gone", &body(&fields))).await;
    assert_eq!(first.status(), StatusCode::UNAUTHORIZED);
    let page = text(first).await;
    assert!(page.contains("您写的都还在"));
    let (target, name) = (hidden(&page, "_resume"), hidden(&page, "_kept.org_name"));
    let carried = [("_resume", target.as_str()), ("_kept.org_name", &name), ("_kept.org_kind", "territory")];
    let wrong = text(post_login(&site, &[&carried[..], &[("login", "hejing"), ("password", "wrong")]].concat()).await).await;
    assert_eq!(hidden(&wrong, "_kept.org_name"), "云岭县科协", "a slip loses nothing");
    let answer = post_login(&site, &[&carried[..], &[("login", "hejing"), ("password", PASSWORD)]].concat()).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let cookie = answer.headers()[header::SET_COOKIE].to_str().expect("cookie").split(';').next().expect("value").to_owned();
    let page = text(answer).await;
    assert!(page.contains("action=\"/members/orgs/410000/new\"") && page.contains("云岭县科协"));
    let who = Person { csrf: hidden(&page, "_csrf"), cookie };
    let sent = submit(&site, &who, &target, &[("org_name", &name), ("org_kind", "territory")]).await;
    assert!(place(&sent).starts_with("/members/orgs/org-"), "{}", place(&sent));
}

/// An account whose first password was given by somebody else.
async fn newcomer(node: &Node, login: &str, role: Role) {
    let mut tx = node.web.app.db.write().await.expect("tx");
    let operator = Actor::Node { name: "operator".into() };
    let new = kepu_app::account::NewAccount { login: login.into(), name: login.into(), password: PASSWORD.into(), party: None, must_change: true };
    let id = kepu_app::account::create(&node.web.app, &mut tx, &operator, new).await.expect("account");
    kepu_app::account::grant_in(&node.web.app, &mut tx, &operator, &id, &"410000".into(), role).await.expect("role");
    tx.commit().await.expect("commit");
}

#[tokio::test]
async fn a_given_password_must_be_changed_before_anything_else() {
    let node = node().await;
    newcomer(&node, "xinren", Role::Steward).await;
    let site = router(node.web.clone());
    let answer = post_login(&site, &[("login", "xinren"), ("password", PASSWORD), ("to", "/members")]).await;
    assert_eq!(place(&answer), "/account?to=%2Fmembers");
    let who = signed_in(&site, &answer).await;
    let other = log_in(&site, "xinren", PASSWORD).await;
    assert_eq!(place(&open(&site, &who, "/members").await), "/account?to=%2Fmembers");
    assert_eq!(submit(&site, &who, "/members/orgs/410000/new", &[("org_name", "x")]).await.status(), StatusCode::FORBIDDEN);
    let api = open(&site, &who, "/api/members").await;
    assert_eq!(api.status(), StatusCode::FORBIDDEN);
    assert!(text(api).await.contains("/problems/password-first"));
    assert_eq!(open(&site, &who, "/api/account").await.status(), StatusCode::OK);
    assert!(!text(open(&site, &who, "/").await).await.contains("href=\"/members\""), "public pages offer nothing either");
    let page = text(open(&site, &who, "/account?to=/members").await).await;
    assert!(page.contains("请先换掉初始密码") && hidden(&page, "to") == "/members");

    let change = |fields: [(&'static str, &'static str); 4]| submit_owned(&site, &who, fields);
    let same = change([("old", PASSWORD), ("new", PASSWORD), ("password_again", PASSWORD), ("to", "")]).await;
    assert_eq!(same.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(same).await.contains("不能和现在的一样"));
    let differs = change([("old", PASSWORD), ("new", NEW), ("password_again", "别的"), ("to", "")]).await;
    assert!(text(differs).await.contains("两次输入的密码不一样"));
    let weak = change([("old", PASSWORD), ("new", "password123"), ("password_again", "password123"), ("to", "")]).await;
    assert!(text(weak).await.contains("太常见"));
    let done = change([("old", PASSWORD), ("new", NEW), ("password_again", NEW), ("to", "/members")]).await;
    assert_eq!(place(&done), "/members");
    assert_eq!(open(&site, &who, "/members").await.status(), StatusCode::OK);
    assert_eq!(open(&site, &other, "/account").await.status(), StatusCode::UNAUTHORIZED, "other sessions end");
}

async fn submit_owned(site: &Router, who: &Person, fields: [(&'static str, &'static str); 4]) -> Response<Body> {
    submit(site, who, "/account/password", &fields).await
}

#[tokio::test]
async fn a_demanded_second_factor_comes_first_and_only_for_the_roles_named() {
    let node = node().await;
    let editor = person(&node.web, "bianji", None, &[("410000", Role::Editor), ("410000", Role::Steward)]).await;
    let writer = person(&node.web, "zuozhe", None, &[("410000", Role::Contributor), ("410000", Role::Steward)]).await;
    let guard = person(&node.web, "anquan", None, &[("000000", Role::SecurityAdmin)]).await;
    let site = router(node.web.clone());
    assert_eq!(submit(&site, &editor, "/members/second-factor", &[("role", "editor")]).await.status(), StatusCode::FORBIDDEN);
    let set = submit(&site, &guard, "/members/second-factor", &[("role", "editor"), ("role", "contributor"), ("role", "nonsense")]).await;
    assert_eq!(place(&set), "/members?done=demanded");
    assert!(text(open(&site, &guard, "/members").await).await.contains("value=\"editor\" checked"));
    assert_eq!(open(&site, &writer, "/members").await.status(), StatusCode::OK, "contributors are not sensitive");
    assert_eq!(place(&open(&site, &editor, "/members").await), "/account?to=%2Fmembers");
    assert!(text(open(&site, &editor, "/account").await).await.contains("请先设置验证器"));
    with_totp(&node.web, &site, &editor).await;
    assert_eq!(open(&site, &editor, "/members").await.status(), StatusCode::OK);
    let wrong = submit(&site, &editor, "/account/second-factor/remove", &[("password", "wrong")]).await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(place(&submit(&site, &editor, "/account/second-factor/remove", &[("password", PASSWORD)]).await), "/account?done=removed");
    assert_eq!(place(&open(&site, &editor, "/members").await), "/account?to=%2Fmembers", "removed, and owed again");
}

#[tokio::test]
async fn a_second_factor_needs_password_and_code_and_a_slip_keeps_the_secret() {
    let node = node().await;
    let who = person(&node.web, "hejing", None, &[]).await;
    let site = router(node.web.clone());
    let (bytes, typed) = codes(&text(open(&site, &who, "/account/second-factor").await).await);
    let wrong = submit(&site, &who, "/account/second-factor", &[("secret", &typed), ("code", "000000"), ("password", PASSWORD)]).await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(hidden(&text(wrong).await, "secret"), typed);
    let now = code(&bytes, &node.web, 0);
    let wrong = submit(&site, &who, "/account/second-factor", &[("secret", &typed), ("code", &now), ("password", "wrong")]).await;
    assert!(text(wrong).await.contains("密码不对"));
    let short = submit(&site, &who, "/account/second-factor", &[("secret", "AAAA"), ("code", "000000"), ("password", PASSWORD)]).await;
    assert_eq!(short.status(), StatusCode::UNPROCESSABLE_ENTITY, "a secret of the sender's own making is refused");
}

#[tokio::test]
async fn a_session_left_open_is_no_place_to_guess_the_password() {
    let node = node().await;
    let who = person(&node.web, "hejing", None, &[]).await;
    let site = router(node.web.clone());
    let guess = [("old", "wrong"), ("new", NEW), ("password_again", NEW)];
    for _ in 0..4 {
        assert_eq!(submit(&site, &who, "/account/password", &guess).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(submit(&site, &who, "/account/password", &guess).await.status(), StatusCode::TOO_MANY_REQUESTS);
    let right = [("old", PASSWORD), ("new", NEW), ("password_again", NEW)];
    assert_eq!(submit(&site, &who, "/account/password", &right).await.status(), StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn an_idle_session_ends_and_one_key_keeps_it() {
    let node = node().await;
    let who = person(&node.web, "hejing", None, &[]).await;
    let page = text(open(&router(node.web.clone()), &who, "/account").await).await;
    assert!(page.contains("class=\"idle\"") && page.contains("href=\"/account/stay\" target=\"_blank\" accesskey=\"k\""));
    let stay = open(&router(node.restarted(20).await), &who, "/account/stay").await;
    assert_eq!(stay.status(), StatusCode::OK);
    assert_eq!(open(&router(node.restarted(45).await), &who, "/account").await.status(), StatusCode::OK);
    assert_eq!(open(&router(node.restarted(80).await), &who, "/account").await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_is_written_to_at_most_once_a_minute() {
    let node = node().await;
    let who = person(&node.web, "hejing", None, &[]).await;
    let seen = async |web: &Web| {
        let mut tx = web.app.db.read().await.expect("tx");
        let id = kepu_store::account::find_by_login(&mut tx, "hejing").await.expect("find").expect("account").account.id;
        kepu_store::session::list_by_account(&mut tx, &id, 1).await.expect("list").remove(0).seen_at
    };
    let before = seen(&node.web).await;
    open(&router(node.restarted(0).await), &who, "/account").await;
    assert_eq!(seen(&node.web).await, before);
    open(&router(node.restarted(2).await), &who, "/account").await;
    assert!(seen(&node.web).await > before);
}

#[tokio::test]
async fn signing_out_ends_the_session_for_good() {
    let node = node().await;
    let who = person(&node.web, "hejing", None, &[]).await;
    let site = router(node.web.clone());
    let forged = send(&site, request(Method::POST, "/logout", &who.cookie, "_csrf=wrong")).await;
    assert_eq!(forged.status(), StatusCode::CONFLICT);
    let answer = submit(&site, &who, "/logout", &[]).await;
    assert_eq!(place(&answer), "/");
    assert!(answer.headers()[header::SET_COOKIE].to_str().expect("cookie").contains("Max-Age=0"));
    assert_eq!(answer.headers()["clear-site-data"], "\"cache\"");
    assert_eq!(open(&site, &who, "/account").await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn other_sessions_are_listed_and_ended() {
    let node = node().await;
    let who = person(&node.web, "hejing", None, &[]).await;
    let site = router(node.web.clone());
    let other = log_in(&site, "hejing", PASSWORD).await;
    let page = text(open(&site, &who, "/account").await).await;
    assert!(page.contains("结束另外 1 个") && page.contains("现在这个"));
    assert_eq!(place(&submit(&site, &who, "/account/sessions", &[]).await), "/account?done=sessions");
    assert_eq!(open(&site, &other, "/account").await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(open(&site, &who, "/account").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn everything_held_about_oneself_can_be_taken_along_without_its_secrets() {
    let node = node().await;
    let who = person(&node.web, "hejing", None, &[("410000", Role::Contributor)]).await;
    let other = person(&node.web, "liuyan", None, &[("410000", Role::Contributor)]).await;
    let site = router(node.web.clone());
    let secret = with_totp(&node.web, &site, &who).await;
    open(&site, &other, "/account/data.json").await;
    let answer = open(&site, &who, "/account/data.json").await;
    assert!(answer.headers()[header::CONTENT_DISPOSITION].to_str().expect("name").contains("kepu-account.json"));
    let copy = text(answer).await;
    let value: serde_json::Value = serde_json::from_str(&copy).expect("JSON");
    assert_eq!(value["account"]["login"], "hejing");
    assert_eq!(value["roles"][0]["role"], "contributor");
    assert!(value["log"].as_array().expect("log").iter().any(|entry| entry["action"] == "account.second_factor_set"));
    assert!(!copy.contains("argon2") && !copy.contains(&BASE32_NOPAD.encode(&secret)) && !copy.contains("liuyan"));
    assert!(!copy.contains(&node.id("liuyan").await.0));
}

#[tokio::test]
async fn a_closed_account_leaves_its_id_and_nothing_else() {
    let node = node().await;
    let who = person(&node.web, "hejing", None, &[("410000", Role::Contributor)]).await;
    let id = node.id("hejing").await;
    let site = router(node.web.clone());
    let page = text(open(&site, &who, "/account/close").await).await;
    assert!(page.contains("会保留，以及为什么"));
    assert!(text(submit(&site, &who, "/account/close", &[("password", PASSWORD)]).await).await.contains("请先勾选"));
    let wrong = submit(&site, &who, "/account/close", &[("password", "wrong"), ("sure", "1")]).await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let closed = submit(&site, &who, "/account/close", &[("password", PASSWORD), ("sure", "1")]).await;
    assert_eq!(place(&closed), "/login?done=closed");
    assert_eq!(open(&site, &who, "/account").await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(post_login(&site, &[("login", "hejing"), ("password", PASSWORD)]).await.status(), StatusCode::UNAUTHORIZED);
    let mut tx = node.web.app.db.read().await.expect("tx");
    let row = kepu_store::account::get(&mut tx, &id).await.expect("row");
    assert!(row.account.is_closed() && row.pass_hash.is_empty() && !row.account.name.contains("hejing"));
    assert!(kepu_store::member::list_by_account(&mut tx, &id).await.expect("roles").is_empty());
    drop(tx);
    let operator = Actor::Node { name: "operator".into() };
    assert!(member::enable(&node.web.app, &operator, &id).await.is_err(), "nobody opens it again");
    // The name is free for somebody else.
    person(&node.web, "hejing", None, &[]).await;
}

#[tokio::test]
async fn the_last_steward_cannot_close_the_own_account() {
    let node = node().await;
    let who = person(&node.web, "hejing", None, &[("410000", Role::Steward)]).await;
    let site = router(node.web.clone());
    let form = [("password", PASSWORD), ("sure", "1")];
    let refused = submit(&site, &who, "/account/close", &form).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(refused).await.contains("最后一位机构管理员"));
    person(&node.web, "above", None, &[("000000", Role::Steward)]).await;
    assert_eq!(place(&submit(&site, &who, "/account/close", &form).await), "/login?done=closed");
}

#[tokio::test]
async fn the_account_is_nobody_elses_page() {
    let node = node().await;
    let site = router(node.web.clone());
    for path in ["/account", "/account/second-factor", "/account/data.json", "/account/close", "/account/stay", "/api/account", "/api/account/data"] {
        assert_eq!(send(&site, request(Method::GET, path, "", "")).await.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    for path in ["/account/password", "/account/second-factor", "/account/second-factor/remove", "/account/sessions", "/account/close"] {
        assert_eq!(send(&site, request(Method::POST, path, "", "x=1")).await.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
}
