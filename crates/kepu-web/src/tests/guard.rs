//! What every request passes, tried on a node in a temporary folder: limits, sessions that end, forged and doubled forms, panics.

use super::{node, person, request, seeded, send, text};
use crate::form::Form;
use crate::page::{Answer, Req};
use crate::routes::Access;
use crate::{Web, guard, router, urls};
use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use kepu_app::AppError;
use kepu_app::create::publish;
use kepu_domain::access::Actor;
use kepu_domain::create::draft::Matter;
use kepu_domain::create::resource::Correction;
use kepu_domain::record::Body as Said;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A small site with one route of each kind behind the same guard as the real one.
fn site(web: &Web) -> Router {
    let guarded = |access| from_fn_with_state(access, guard::gate);
    let routes = Router::new()
        .route("/panic", get(async || -> Answer { panic!("secret words") }))
        .route("/work", post(work).layer(guarded(Access::SignedIn)))
        .route("/count", post(count).layer(guarded(Access::Public)));
    guard::wrap(routes, web.clone())
}

async fn work(req: Req, form: Form) -> Answer {
    let who = req.signed_in()?.account.name.clone();
    Ok(crate::form::see_other(&format!("/done?who={}&text={}", crate::urls::encode(&who), crate::urls::encode(form.get("text")))))
}

static DEEDS: AtomicUsize = AtomicUsize::new(0);

async fn count(State(web): State<Web>, form: Form) -> Answer {
    let deed = async {
        if form.has("fail") {
            return Err(AppError::Credentials);
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        Ok(format!("/done/{}", DEEDS.fetch_add(1, Ordering::SeqCst) + 1))
    };
    Ok(form.once(&web, deed).await?)
}

#[tokio::test]
async fn an_expired_session_loses_nothing_that_was_typed() {
    let node = node().await;
    let site = site(&node.web);
    let answer = send(&site, request(Method::POST, "/work", "kepu_session=gone", "_csrf=old&text=%E5%86%99%E4%BA%86%E5%BE%88%E4%B9%85&password=geheim")).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let page = text(answer).await;
    assert!(page.contains("name=\"_resume\" value=\"/work\"") && page.contains("name=\"_kept.text\" value=\"写了很久\""), "{page}");
    assert!(!page.contains("geheim") && !page.contains("_kept._csrf"));
}

#[tokio::test]
async fn a_form_needs_the_token_of_its_session() {
    let node = node().await;
    let who = person(&node.web, "hejing", None, &[]).await;
    let (cookie, csrf) = (who.cookie, who.csrf);
    let site = site(&node.web);
    let answer = send(&site, request(Method::POST, "/work", &cookie, &format!("_csrf={csrf}&text=hi"))).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert!(answer.headers()[header::LOCATION].to_str().expect("text").ends_with("text=hi"));
    // A token of an earlier session: the text is shown again with a button that carries the new one.
    let answer = send(&site, request(Method::POST, "/work", &cookie, "_csrf=old&text=hi")).await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    let page = text(answer).await;
    assert!(page.contains(&format!("value=\"{csrf}\"")) && page.contains("name=\"text\" value=\"hi\"") && page.contains("action=\"/work\""));
    let mut foreign = request(Method::POST, "/work", &cookie, &format!("_csrf={csrf}&text=hi"));
    foreign.headers_mut().insert("sec-fetch-site", "cross-site".parse().expect("value"));
    assert_eq!(send(&site, foreign).await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_form_sent_twice_has_one_effect() {
    let node = node().await;
    let site = site(&node.web);
    let once = || request(Method::POST, "/count", "", "_once=abcdefgh12345678");
    let (first, second) = tokio::join!(send(&site, once()), send(&site, once()));
    assert_eq!(first.headers()[header::LOCATION], second.headers()[header::LOCATION]);
    assert_eq!(DEEDS.load(Ordering::SeqCst), 1);
    // What failed may be tried again under the same id.
    let failed = send(&site, request(Method::POST, "/count", "", "_once=abcdefgh87654321&fail=1")).await;
    assert_eq!(failed.status(), StatusCode::UNAUTHORIZED);
    let again = send(&site, request(Method::POST, "/count", "", "_once=abcdefgh87654321")).await;
    assert_eq!(again.status(), StatusCode::SEE_OTHER);
    assert_eq!(DEEDS.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn too_much_is_refused_before_it_is_read() {
    let node = node().await;
    let site = router(node.web.clone());
    let mut large = request(Method::POST, "/ask", "", "");
    large.headers_mut().insert(header::CONTENT_LENGTH, "200000000".parse().expect("value"));
    large.headers_mut().insert(header::ACCEPT, "application/problem+json".parse().expect("value"));
    let answer = send(&site, large).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let problem: serde_json::Value = serde_json::from_str(&text(answer).await).expect("json");
    assert_eq!(problem["type"], "/problems/too-large");
    assert!(problem["detail"].as_str().expect("detail").contains("256 KiB"));
}

#[tokio::test]
async fn a_panic_is_a_page_with_a_number_and_without_its_words() {
    let node = node().await;
    let answer = send(&site(&node.web), request(Method::GET, "/panic", "", "")).await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let id = answer.headers()["x-request-id"].to_str().expect("id").to_owned();
    let page = text(answer).await;
    assert!(page.contains(&id) && !page.contains("secret words"));
}

#[tokio::test]
async fn what_is_known_already_is_not_sent_again() {
    let node = node().await;
    let site = router(node.web.clone());
    let first = send(&site, request(Method::GET, "/help", "", "")).await;
    let tag = first.headers()[header::ETAG].clone();
    let mut again = request(Method::GET, "/help", "", "");
    again.headers_mut().insert(header::IF_NONE_MATCH, tag);
    let answer = send(&site, again).await;
    assert_eq!(answer.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(text(answer).await, "");
}

#[tokio::test]
async fn an_empty_node_has_every_public_page() {
    let node = node().await;
    let site = router(node.web.clone());
    for path in
        ["/", "/search?q=x", "/check?q=x", "/claims", "/resources", "/ask", "/cases", "/figures", "/network", "/about", "/privacy", "/help", "/problems"]
    {
        for lang in ["zh", "en.elder.dark"] {
            let answer = send(&site, request(Method::GET, path, &format!("kepu_view={lang}"), "")).await;
            assert_eq!(answer.status(), StatusCode::OK, "{path}");
            assert!(answer.headers().contains_key(header::CONTENT_SECURITY_POLICY));
            let page = text(answer).await;
            assert!(page.len() < 50_000 && !page.contains(" style=") && page.matches("<h1").count() == 1, "{path}");
        }
    }
}

#[tokio::test]
async fn what_was_withdrawn_leaves_a_page_that_says_why() {
    let (node, site, id) = seeded().await;
    let page = urls::claim(&id);
    assert_eq!(send(&site, request(Method::GET, &page, "", "")).await.status(), StatusCode::OK);
    let operator = Actor::Node { name: "operator".into() };
    kepu_app::create::take_back::withdraw(&node.web.app, &operator, &id, "用量写错了，不安全").await.expect("withdrawn");
    let answer = send(&site, request(Method::GET, &page, "", "")).await;
    assert_eq!(answer.status(), StatusCode::GONE);
    assert!(text(answer).await.contains("用量写错了，不安全"));
    let answer = send(&site, request(Method::GET, &format!("/api{}", page.replace("/c/", "/claims/")), "", "")).await;
    assert_eq!(answer.status(), StatusCode::GONE);
    assert!(text(answer).await.contains("用量写错了，不安全"));
    for path in ["/", "/feed.atom"] {
        assert!(text(send(&site, request(Method::GET, path, "", "")).await).await.contains("用量写错了，不安全"), "{path}");
    }
}

#[tokio::test]
async fn a_correction_stands_on_top_and_every_text_is_escaped() {
    let (node, site, id) = seeded().await;
    let app = &node.web.app;
    let mut tx = app.db.write().await.expect("tx");
    let found = publish::current(app, &mut tx, &id).await.expect("found").and_then(|(_, record)| record).expect("record");
    let Ok(Said::Claim(mut claim)) = found.body else { panic!("a claim") };
    let nasty = "</script><script>alert(1)</script><img src=x onerror=alert(1)>";
    claim.corrections = vec![Correction { date: app.today(), text: format!("原来写反了{nasty}") }];
    claim.claim = format!("{nasty}王\u{20BB7}\u{E0100}");
    claim.why = vec![nasty.into()];
    claim.chat = nasty.into();
    claim.evidence[0].title = nasty.into();
    kepu_app::record::publish(app, &mut tx, vec![publish::saying_of(&id, &Matter::Claim(claim))]).await.expect("published");
    tx.commit().await.expect("commit");
    for path in [urls::claim(&id), "/".into(), "/claims".into(), "/feed.atom".into(), urls::record("x")] {
        let page = text(send(&site, request(Method::GET, &path, "", "")).await).await;
        assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{path}");
        if path == urls::claim(&id) {
            let (notice, panel) = (page.find("notice correction").expect("notice"), page.find("class=\"panel").expect("panel"));
            assert!(notice < panel && page.contains("原来写反了") && page.contains("王\u{20BB7}\u{E0100}"));
            let json = page.split("application/ld+json\">").nth(1).and_then(|rest| rest.split("</script>").next()).expect("data block");
            let value: serde_json::Value = serde_json::from_str(json).expect("JSON");
            assert!(value["proof"]["proofValue"].is_string());
            let (doc, signature) = kepu_sync::record::split_proof(json.as_bytes()).expect("proof");
            assert!(kepu_sync::record::verify(doc, signature).is_ok());
        }
    }
}
