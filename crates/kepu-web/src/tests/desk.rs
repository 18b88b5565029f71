//! The desk: each list shows what its own page would, with one action a row, and nothing of other people's work.

use super::drafts::{complete, place, team};
use super::{open, person, request, send, submit, text};
use crate::urls;
use axum::http::{Method, StatusCode};
use kepu_app::listen::question::{self, Ask};
use kepu_domain::access::Role;
use kepu_domain::org::Region;
use serde_json::Value;

async fn desk(t: &super::drafts::Team, who: &super::Person) -> Value {
    serde_json::from_str(&text(open(&t.site, who, "/api/desk").await).await).expect("json")
}

/// Tasks of a list in their order.
fn tasks(desk: &Value, list: &str) -> Vec<String> {
    desk[list]["items"].as_array().into_iter().flatten().map(|item| item["task"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn work_moves_from_desk_to_desk() {
    let t = team().await;
    let id = t.begin(&t.doctor, "resource", "怎样喝水").await;
    assert_eq!(tasks(&desk(&t, &t.doctor).await, "waiting"), ["write"]);
    assert_eq!(tasks(&desk(&t, &t.editor).await, "waiting"), Vec::<String>::new(), "what others only write waits for nobody");
    t.send(&t.doctor, &urls::draft(&id), &complete(t.form(&id).await).with("do", "submit")).await;
    assert_eq!(tasks(&desk(&t, &t.doctor).await, "waiting"), Vec::<String>::new());
    assert_eq!(tasks(&desk(&t, &t.editor).await, "waiting"), ["assign"]);
    assert_eq!(tasks(&desk(&t, &t.stranger).await, "waiting"), Vec::<String>::new());

    let review = t.assigned(&id, "p-lin", &t.review1).await;
    let row = desk(&t, &t.review1).await["due"]["items"][0].clone();
    assert_eq!((row["task"].as_str(), row["title"].as_str()), (Some("review"), Some("怎样喝水")));
    assert!(row["url"].as_str().is_some_and(|url| url.ends_with(&review)) && row["due"].as_str().is_some_and(|due| due.contains("T23:59:59+08:00")));
    submit(&t.site, &t.review1, &review, &[("decision", "return"), ("conflict", "无"), ("comment", "请补依据")]).await;
    let mine = desk(&t, &t.doctor).await;
    assert_eq!(tasks(&mine, "waiting"), ["mend"]);
    assert_eq!(mine["waiting"]["items"][0]["note"], "请补依据");
    assert!(text(open(&t.site, &t.doctor, "/desk").await).await.contains("请补依据"));

    t.send(&t.doctor, &urls::draft(&id), &t.form(&id).await.with("do", "submit")).await;
    t.approved(&id).await;
    assert_eq!(tasks(&desk(&t, &t.editor).await, "waiting"), ["publish"]);
    t.published(&id).await;
    assert_eq!(tasks(&desk(&t, &t.editor).await, "waiting"), Vec::<String>::new());
}

#[tokio::test]
async fn cases_are_due_or_unanswered_for_duty_officers_only() {
    let t = team().await;
    let app = &t.node.web.app;
    let ask = |text: &str| Ask {
        text: text.into(),
        region: Region::NATION,
        anyway: true,
        channel: kepu_domain::listen::sighting::Channel::Page,
        address: "10.0.0.1".into(),
    };
    question::ask(app, ask("大蒜塞进耳朵能治感冒吗")).await.expect("asked");
    let open_desk = desk(&t, &t.duty).await;
    assert_eq!((tasks(&open_desk, "unanswered"), tasks(&open_desk, "due")), (vec!["takeCase".to_owned()], vec![]));
    assert_eq!(desk(&t, &t.doctor).await["unanswered"]["total"], 0, "what a visitor typed is for duty officers until it is taken");
    let page = text(open(&t.site, &t.duty, "/desk").await).await;
    let at = page.find("href=\"/case/").expect("a case") + 12;
    let id = kepu_domain::ids::CaseId(page[at..].split('"').next().unwrap_or_default().into());
    let session = kepu_app::account::find_session(app, t.duty.cookie.trim_start_matches("kepu_session=")).await.expect("session").expect("signed in");
    kepu_app::listen::case::take(app, &session.actor, &id).await.expect("taken");
    kepu_app::listen::case::classify(app, &session.actor, &id, vec!["health".into()], 2).await.expect("classified");
    kepu_app::listen::case::ask_expert(app, &session.actor, &id, &"p-zhou".into()).await.expect("asked");
    let taken = desk(&t, &t.duty).await;
    assert_eq!((tasks(&taken, "unanswered"), tasks(&taken, "due")), (vec![], vec!["case".to_owned()]));
    let due = tasks(&desk(&t, &t.doctor).await, "due");
    assert_eq!(due, ["answer", "application"], "the expert's answer is due with the case, long before the sample round closes");
}

#[tokio::test]
async fn what_changed_is_told_and_cards_are_no_warnings() {
    let t = team().await;
    let before = desk(&t, &t.editor).await;
    assert_eq!((before["warnings"]["total"].as_i64(), before["cards"].as_array().map(Vec::len)), (Some(0), Some(3)));
    assert!(text(open(&t.site, &t.editor, "/desk").await).await.contains("没有收到针对全国的预警"));
    let answer = submit(&t.site, &t.editor, &urls::take_back("withdraw", &t.claim), &[("reason", "依据过期，正在重查。")]).await;
    assert_eq!(place(&answer), urls::claim(&t.claim));
    let after = desk(&t, &t.doctor).await;
    let row = &after["changed"]["items"][0];
    assert_eq!((row["task"].as_str(), row["note"].as_str()), (Some("withdrawn"), Some("依据过期，正在重查。")));
}

#[tokio::test]
async fn every_page_of_content_work_keeps_the_house_rules() {
    let t = team().await;
    let id = t.begin(&t.doctor, "resource", "怎样喝水").await;
    let claim = t.begin(&t.doctor, "claim", "多吃盐能防辐射").await;
    let sent = t.submitted("怎样洗手").await;
    let review = t.assigned(&sent, "p-lin", &t.review1).await;
    let paths = [
        (&t.doctor, "/desk".to_owned()),
        (&t.doctor, "/drafts".into()),
        (&t.doctor, "/drafts/new".into()),
        (&t.doctor, urls::draft(&id)),
        (&t.doctor, urls::draft(&claim)),
        (&t.doctor, format!("/drafts/{id}/media")),
        (&t.doctor, format!("/drafts/{id}/drop")),
        (&t.editor, urls::draft(&sent)),
        (&t.review1, "/reviews".into()),
        (&t.review1, review),
        (&t.editor, urls::take_back("withdraw", &t.claim)),
        (&t.editor, urls::claim(&t.claim)),
    ];
    for (who, path) in paths {
        for view in ["zh", "en.elder.dark"] {
            let cookie = format!("{}; kepu_view={view}", who.cookie);
            let answer = send(&t.site, request(Method::GET, &path, &cookie, "")).await;
            assert_eq!(answer.status(), StatusCode::OK, "{path}");
            let page = text(answer).await;
            assert!(page.len() < 60_000 && !page.contains(" style=") && page.matches("<h1").count() == 1, "{path}");
            assert!(page.matches("class=\"btn primary").count() + page.matches("btn small primary").count() <= 1, "{path}: one primary action");
            let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
            let mut once = ids.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), ids.len(), "{path}: an id stands twice");
        }
    }
}

#[tokio::test]
async fn who_has_no_content_role_sees_an_empty_desk_and_no_drafts() {
    let t = team().await;
    let admin = person(&t.node.web, "admin", None, &[("000000", Role::SystemAdmin)]).await;
    let page = open(&t.site, &admin, "/desk").await;
    assert_eq!(page.status(), StatusCode::OK);
    for path in ["/drafts", "/drafts/new", "/reviews", "/api/drafts", "/api/reviews"] {
        assert_eq!(open(&t.site, &admin, path).await.status(), StatusCode::FORBIDDEN, "{path}");
        assert_eq!(send(&t.site, request(Method::GET, path, "", "")).await.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    let described: Value = serde_json::from_str(&text(send(&t.site, request(Method::GET, "/api/openapi.json", "", "")).await).await).expect("json");
    for path in ["/api/desk", "/api/drafts", "/api/drafts/{id}", "/api/reviews", "/api/reviews/{id}"] {
        assert!(described["paths"][path]["get"].is_object(), "{path}");
    }
}
