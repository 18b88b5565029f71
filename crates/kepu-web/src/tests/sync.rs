//! The doors for other nodes, and files as other nodes fetch them.

use super::{node, request, send, text};
use crate::router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use kepu_app::node::{Invitation, JoinRequest, Token};
use kepu_app::{App, media, sync};
use kepu_domain::access::Actor;
use kepu_domain::org::Region;

fn post(path: &str, authorization: &str, lang: &str, body: Vec<u8>) -> Request<Body> {
    let request = Request::post(path).header(header::ACCEPT_LANGUAGE, lang).header(header::AUTHORIZATION, authorization);
    request.body(Body::from(body)).expect("request")
}

async fn invited(app: &App) -> Token {
    let operator = Actor::Node { name: "operator".into() };
    let roles = [kepu_domain::trust::KeyRole::Author].into_iter().collect();
    let invitation = Invitation { name: "县".into(), region: Region::NATION, roles, fields: Default::default() };
    kepu_app::node::invite(app, &operator, invitation).await.expect("invited")
}

fn join_of(app: &App, token: &Token) -> Vec<u8> {
    let request = JoinRequest { secret: token.secret.clone(), key: app.key.id().0.clone(), name: "县".into(), next: app.key.next_commitment().into() };
    serde_json::to_vec(&request).expect("json")
}

#[tokio::test]
async fn a_stranger_is_told_so_in_the_language_of_the_header() {
    let node = node().await;
    let site = router(node.web.clone());
    for (lang, word) in [("en", "Unknown node"), ("zh-CN", "不认识这个节点"), ("", "不认识这个节点")] {
        let answer = send(&site, post("/sync?r=000000&cur=.0", "Kepu did:key:zNobody AAAA", lang, vec![])).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
        let problem: serde_json::Value = serde_json::from_str(&text(answer).await).expect("json");
        assert_eq!((problem["title"].as_str(), problem["type"].as_str()), (Some(word), Some("/problems/stranger")));
    }
    assert_eq!(send(&site, request(Method::GET, "/sync", "", "")).await.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn an_invitation_opens_the_door_once_and_nothing_else_does() {
    let (above, below) = (node().await, node().await);
    let site = router(above.web.clone());
    let child = &below.web.app;
    let token = invited(&above.web.app).await;
    for (body, status) in [
        (b"{".to_vec(), StatusCode::UNPROCESSABLE_ENTITY),
        (join_of(child, &Token { secret: "wrong".into(), ..token.clone() }), StatusCode::UNPROCESSABLE_ENTITY),
        (vec![b' '; 20_000], StatusCode::PAYLOAD_TOO_LARGE),
        (join_of(child, &token), StatusCode::OK),
        (join_of(&above.web.app, &token), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let answer = send(&site, post("/join", "", "en", body)).await;
        assert_eq!(answer.status(), status);
        if status != StatusCode::OK {
            assert!(text(answer).await.contains("/problems/"));
        }
    }
    // An exchange: the signature covers address and body.
    let target = "/sync?r=000000&b=1&cur=.0";
    let signed = sync::authorize(child, target, b"");
    let answer = send(&site, post(target, &signed, "en", vec![])).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/octet-stream");
    assert_eq!(send(&site, post("/sync?r=000000&b=1&cur=.1", &signed, "en", vec![])).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(send(&site, post(target, &signed, "en", b"x".to_vec())).await.status(), StatusCode::FORBIDDEN);
    let garbage = b"KF\x01 and then nothing that fits".to_vec();
    let answer = send(&site, post(target, &sync::authorize(child, target, &garbage), "en", garbage)).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let unreadable = "/sync?r=nowhere";
    let answer = send(&site, post(unreadable, &sync::authorize(child, unreadable, b""), "en", vec![])).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn nothing_new_is_said_in_few_bytes() {
    let (above, below) = (node().await, node().await);
    let site = router(above.web.clone());
    let token = invited(&above.web.app).await;
    send(&site, post("/join", "", "en", join_of(&below.web.app, &token))).await;
    let mut tx = above.web.app.db.read().await.expect("read");
    let epoch = kepu_store::meta::find(&mut tx, "epoch").await.expect("meta").expect("epoch");
    let top = kepu_store::counter::last(&mut tx, "arrival").await.expect("counter");
    let target = format!("/sync?r=000000&b=1&cur={epoch}.{top}");
    let answer = send(&site, post(&target, &sync::authorize(&below.web.app, &target, b""), "en", vec![])).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let bytes: usize = answer.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    assert!(bytes < 120, "{:?}", answer.headers());
    // An outdated epoch is answered at once: the child is to say what it holds.
    let target = format!("/sync?r=000000&b=1&cur=older.{top}&wait=55");
    let answer = send(&site, post(&target, &sync::authorize(&below.web.app, &target, b""), "en", vec![])).await;
    let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.expect("body");
    let kepu_sync::frame::Frame::Meta(note) = kepu_sync::frame::read(&body).expect("frame") else { panic!("a note") };
    assert!(kepu_sync::session::Note::from_json(&note).vector);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_before_it_is_read() {
    let node = node().await;
    let site = router(node.web.clone());
    let mut large = post("/sync?r=000000&cur=.0", "", "en", vec![]);
    large.headers_mut().insert(header::CONTENT_LENGTH, "80000000".parse().expect("value"));
    let answer = send(&site, large).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(text(answer).await.contains("64 MiB"));
}

async fn file(site: &axum::Router, path: &str, headers: &[(header::HeaderName, &str)]) -> (StatusCode, HeaderMap, Vec<u8>) {
    let mut asked = request(Method::GET, path, "", "");
    for (name, value) in headers {
        asked.headers_mut().insert(name.clone(), value.parse().expect("value"));
    }
    let answer = send(site, asked).await;
    let (status, headers) = (answer.status(), answer.headers().clone());
    (status, headers, axum::body::to_bytes(answer.into_body(), 1 << 22).await.expect("body").to_vec())
}

#[tokio::test]
async fn files_are_served_whole_and_in_part_and_never_as_a_page() {
    let node = node().await;
    let site = router(node.web.clone());
    let picture = [&[0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a][..], &[7; 200_000]].concat();
    let paper = [b"%PDF-1.7 ".as_slice(), &[8; 5_000]].concat();
    let kept = media::put(&node.web.app, &picture).await.expect("kept");
    let path = format!("/media/{}", kept.hash);
    let (status, headers, body) = file(&site, &path, &[(header::ACCEPT_ENCODING, "gzip")]).await;
    assert_eq!((status, body == picture), (StatusCode::OK, true));
    assert_eq!((headers[header::CONTENT_TYPE].as_bytes(), headers[header::CONTENT_DISPOSITION].as_bytes()), (&b"image/png"[..], &b"inline"[..]));
    assert!(headers[header::CONTENT_SECURITY_POLICY].to_str().expect("text").starts_with("sandbox; default-src 'none'"));
    assert_eq!((headers[header::X_CONTENT_TYPE_OPTIONS].as_bytes(), headers[header::ACCEPT_RANGES].as_bytes()), (&b"nosniff"[..], &b"bytes"[..]));
    let (status, headers, body) = file(&site, &path, &[(header::RANGE, "bytes=150000-")]).await;
    assert_eq!((status, body == picture[150_000..]), (StatusCode::PARTIAL_CONTENT, true));
    assert_eq!(headers[header::CONTENT_RANGE], "bytes 150000-200007/200008");
    let (status, headers, _) = file(&site, &path, &[(header::RANGE, "bytes=200008-")]).await;
    assert_eq!((status, headers[header::CONTENT_RANGE].as_bytes()), (StatusCode::RANGE_NOT_SATISFIABLE, &b"bytes */200008"[..]));
    let tag = format!("\"{}\"", kept.hash);
    assert_eq!(file(&site, &path, &[(header::IF_NONE_MATCH, &tag)]).await.0, StatusCode::NOT_MODIFIED);
    assert_eq!(file(&site, &path, &[(header::RANGE, "bytes=0-1"), (header::IF_RANGE, "\"other\"")]).await.0, StatusCode::OK);
    let kept = media::put(&node.web.app, &paper).await.expect("kept");
    let (_, headers, _) = file(&site, &format!("/media/{}", kept.hash), &[]).await;
    assert!(headers[header::CONTENT_DISPOSITION].to_str().expect("text").starts_with("attachment; filename=\""));
    for odd in ["/media/..%2F..%2Fnode.key", "/media/ab", &format!("/media/{}", "f".repeat(64))] {
        assert_eq!(file(&site, odd, &[]).await.0, StatusCode::NOT_FOUND, "{odd}");
    }
    assert!(media::put(&node.web.app, b"<!doctype html><script>alert(1)</script>").await.is_err());
}
