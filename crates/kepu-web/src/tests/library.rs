//! What a library is for its editors and readers: editions with their small review, something made of something, gaps, titles while typing,
//! and a machine that may only say what quotes hold.

use super::drafts::{complete, place, team};
use super::{open, request, router, seeded, send, submit, text};
use crate::{Settings, Web, urls};
use axum::http::{Method, StatusCode};
use kepu_domain::create::draft::Matter;
use kepu_domain::ids::{DraftId, SubjectId};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn an_added_edition_takes_one_reviewer_and_corrects_nothing() {
    let team = team().await;
    let id = team.submitted("夏天怎样喝水").await;
    team.approved(&id).await;
    let page = team.published(&id).await;
    let subject = page.trim_start_matches("/r/").to_owned();
    let answer = submit(&team.site, &team.editor, "/correct", &[("id", &format!("kepu:{subject}"))]).await;
    let draft = DraftId(place(&answer).trim_start_matches("/drafts/").to_owned());
    let form = team.form(&draft).await.with("edition-elder", "天热慢慢喝水，不等口渴。不舒服就去看医生。");
    let answer = team.send(&team.editor, &urls::draft(&draft), &form.clone().with("do", "submit")).await;
    assert_eq!(place(&answer), format!("/drafts/{draft}?done=submitted"), "no words about a correction are asked for");
    let shown = text(open(&team.site, &team.editor, &urls::draft(&draft)).await).await;
    assert!(shown.contains("小评议") && shown.contains("长辈"));
    let review = team.assigned(&draft, "p-lin", &team.review1).await;
    submit(&team.site, &team.review1, &review, &[("decision", "approve"), ("conflict", "无"), ("comment", "")]).await;
    assert_eq!(team.published(&draft).await, page);
    let elder = text(open(&team.site, &team.review1, &format!("{page}?edition=elder")).await).await;
    assert!(elder.contains("不等口渴"));
    let plain = text(open(&team.site, &team.review1, &page).await).await;
    assert!(!plain.contains("notice correction"), "nothing was wrong");
    // An edition that is changed was wrong or is not: whoever changes it says so, and the text itself asks for the whole review.
    let answer = submit(&team.site, &team.editor, "/correct", &[("id", &format!("kepu:{subject}"))]).await;
    let draft = DraftId(place(&answer).trim_start_matches("/drafts/").to_owned());
    let form = team.form(&draft).await.with("edition-elder", "天热多喝水。").with("do", "submit");
    let refused = team.send(&team.editor, &urls::draft(&draft), &form).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_research_resource_becomes_something_for_the_public_and_both_keep_the_link() {
    let team = team().await;
    let id = team.submitted("示例县夏季水温数据").await;
    team.approved(&id).await;
    let page = team.published(&id).await;
    let subject = SubjectId(format!("kepu:{}", page.trim_start_matches("/r/")));
    let form = text(open(&team.site, &team.doctor, &urls::with("/drafts/new", &[("from", &subject.0)])).await).await;
    assert!(form.contains("示例县夏季水温数据") && form.contains("name=\"type\""));
    let fields = [("org", "org-nat"), ("from", subject.0.as_str()), ("type", "lesson"), ("title", "和孩子一起读水温"), ("anyway", "1")];
    let answer = submit(&team.site, &team.doctor, "/drafts/new", &fields).await;
    let draft = DraftId(place(&answer).trim_start_matches("/drafts/").split('?').next().unwrap_or_default().to_owned());
    let matter =
        kepu_app::create::draft::get(&team.node.web.app, &kepu_domain::access::Actor::Node { name: "operator".into() }, &draft).await.expect("draft").matter;
    let Matter::Resource(lesson) = matter else { panic!("a resource") };
    assert_eq!((lesson.kind.as_str(), lesson.based_on.as_slice()), ("lesson", std::slice::from_ref(&subject)));
    assert!(lesson.text.is_empty() && lesson.sources[0].title == "示例县夏季水温数据");
    // An adaptation of the same form brings the text along; what is published is listed at what it was made of.
    let fields = [("org", "org-nat"), ("from", subject.0.as_str()), ("type", "article"), ("title", "水温数据怎么看"), ("anyway", "1")];
    let answer = submit(&team.site, &team.doctor, "/drafts/new", &fields).await;
    let draft = DraftId(place(&answer).trim_start_matches("/drafts/").split('?').next().unwrap_or_default().to_owned());
    let answer = team.send(&team.doctor, &urls::draft(&draft), &complete(team.form(&draft).await).with("do", "submit")).await;
    assert_eq!(place(&answer), format!("/drafts/{draft}?done=submitted"));
    team.approved(&draft).await;
    let made = team.published(&draft).await;
    let site = router(team.node.indexed().await);
    let origin = text(open(&site, &team.doctor, &page).await).await;
    assert!(origin.contains("由它制作的内容") && origin.contains(&made), "the project sees what became of it");
    let csv = text(open(&site, &team.doctor, &format!("{}&format=csv", urls::with("/resources", &[("from", &subject.0)]))).await).await;
    assert_eq!(csv.matches("水温数据怎么看").count(), 1);
    assert!(text(open(&team.site, &team.doctor, &made).await).await.contains("制作来源"));
    let missing = submit(
        &team.site,
        &team.doctor,
        "/drafts/new",
        &[("org", "org-nat"), ("from", "kepu:nobody/r-1"), ("type", "article"), ("title", "没有来源"), ("anyway", "1")],
    )
    .await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn editors_see_what_is_missing_old_and_unused_by_field() {
    let team = team().await;
    let page = text(open(&team.site, &team.editor, "/coverage").await).await;
    assert!(page.contains("健康生活") && page.contains("待复查"));
    let csv = text(open(&team.site, &team.editor, "/coverage?format=csv").await).await;
    assert_eq!(csv.lines().count(), 1 + kepu_domain::vocabulary::FIELDS.terms().len());
    let elders = text(open(&team.site, &team.editor, "/coverage?audience=elderly&format=csv").await).await;
    let sum = |csv: &str| -> u32 { csv.lines().skip(1).filter_map(|line| line.split(',').nth(1)?.parse::<u32>().ok()).sum() };
    assert!(sum(&elders) < sum(&csv));
    let visitor = send(&team.site, request(Method::GET, "/coverage", "", "")).await;
    assert_eq!(visitor.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn titles_are_offered_for_what_was_typed_so_far() {
    let (node, _, _) = seeded().await;
    let site = router(node.indexed().await);
    let ask = async |typed: &str| text(send(&site, request(Method::GET, &urls::with("/api/suggest", &[("q", typed)]), "", "")).await).await;
    let found: serde_json::Value = serde_json::from_str(&ask("隔夜").await).expect("json");
    let titles: Vec<&str> = found["items"].as_array().expect("list").iter().filter_map(|item| item["title"].as_str()).collect();
    assert!(!titles.is_empty() && titles.len() <= 8 && titles[0].contains("隔夜"), "{titles:?}");
    for nothing in ["", "水", "\u{202e}", &"很长".repeat(1_000)] {
        let found: serde_json::Value = serde_json::from_str(&ask(nothing).await).expect("json");
        assert!(found["items"].as_array().expect("list").len() <= 8);
    }
}

/// An endpoint that answers one question with `said`.
async fn endpoint(said: &str) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listen");
    let url = format!("http://{}/v1", listener.local_addr().expect("address"));
    let body = serde_json::json!({"choices": [{"message": {"content": said}}]}).to_string();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("accept");
        let _ = socket.read(&mut vec![0; 65_536]).await;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let _ = socket.write_all(head.as_bytes()).await;
    });
    url
}

#[tokio::test]
async fn a_machine_is_asked_only_on_demand_and_says_only_what_a_quote_holds() {
    let (node, _, _) = seeded().await;
    let web = node.indexed().await;
    let site = router(web.clone());
    let at = |more: &str| format!("{}{more}", urls::with("/search", &[("q", "冰箱冷藏室应该是几度")]));
    let plain = text(send(&site, request(Method::GET, &at(""), "", "")).await).await;
    assert!(plain.contains("<blockquote") && !plain.contains("phrased"), "off unless the operator names one");
    let quote =
        plain.split("<blockquote").nth(1).and_then(|rest| rest.split("<p>").nth(1)).and_then(|rest| rest.split("</p>").next()).unwrap_or_default().to_owned();
    let url = endpoint(&format!("{quote}[1] 冰箱会自己消毒[1]。")).await;
    let model = kepu_app::phrase::Model { url, name: "示例模型".into(), key: None, patience: Duration::from_secs(2) };
    let settings = Settings { model: Some(model), ..(*web.settings).clone() };
    let site = router(Web { app: web.app, settings: Arc::new(settings) });
    let offered = text(send(&site, request(Method::GET, &at(""), "", "")).await).await;
    assert!(offered.contains("phrased=1") && !offered.contains("机器撰写"));
    let said = text(send(&site, request(Method::GET, &at("&phrased=1"), "", "")).await).await;
    assert!(said.contains("机器撰写") && said.contains("示例模型") && !said.contains("自己消毒"), "{said}");
    // The second time nobody answers: the quote stands, and it is said that the machine gave nothing.
    let silent = text(send(&site, request(Method::GET, &at("&phrased=1"), "", "")).await).await;
    assert!(silent.contains("<blockquote") && silent.contains("模型没有给出引文能支持的句子"));
}
