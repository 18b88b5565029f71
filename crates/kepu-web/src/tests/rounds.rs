//! Rounds through their pages: applying, judging, the office, the public; every refusal keeps what was typed, strangers find nothing.

use super::{Node, Person, hidden, open, person, place, request, seeded, send, submit, text};
use crate::router;
use axum::Router;
use axum::http::{Method, StatusCode};
use kepu_domain::access::Role;
use serde_json::Value;

struct House {
    node: Node,
    site: Router,
    steward: Person,
    doctor: Person,
    judge: Person,
}

/// A seeded node: a steward of the office, an applicant and a judge who have registry entries and no role.
async fn house() -> House {
    let (node, site, _) = seeded().await;
    let steward = person(&node.web, "steward", None, &[("org-nat", Role::Steward)]).await;
    let doctor = person(&node.web, "doctor", Some("p-zhou"), &[]).await;
    let judge = person(&node.web, "judge", Some("p-lin"), &[]).await;
    House { node, site, steward, doctor, judge }
}

impl House {
    async fn see(&self, who: &Person, path: &str) -> String {
        let answer = open(&self.site, who, path).await;
        let status = answer.status();
        let page = text(answer).await;
        assert_eq!(status, StatusCode::OK, "{path}: {page}");
        page
    }
    async fn public(&self, path: &str) -> String {
        text(send(&self.site, request(Method::GET, path, "", "")).await).await
    }
}

#[tokio::test]
async fn an_applicant_writes_is_told_what_is_missing_and_hands_in() {
    let house = house().await;
    let begun = submit(&house.site, &house.doctor, "/round/sample-judging/apply", &[("party", "p-zhou")]).await;
    assert_eq!(begun.status(), StatusCode::CONFLICT, "that round is closed");
    let begun = submit(&house.site, &house.doctor, "/round/sample-open/apply", &[("party", "p-zhou")]).await;
    assert_eq!((begun.status(), place(&begun).as_str()), (StatusCode::SEE_OTHER, "/application/sample-open-1"), "what was begun goes on");
    let path = "/application/sample-open-1";
    let page = house.see(&house.doctor, path).await;
    assert!(page.contains("还缺这些") && page.contains("作品简介") && page.contains("value=\"餐桌上的糖\""), "{page}");
    assert!(page.contains("执业医师（示例，虚构）"), "what the registry shows is attached by itself");
    let version = hidden(&page, "version");
    let long = "长".repeat(81);
    let refused = submit(
        &house.site,
        &house.doctor,
        path,
        &[("version", &version), ("work", &long), ("abstract", "写了很久的简介"), ("authors", "周示例"), ("do", "submit")],
    )
    .await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = text(refused).await;
    assert!(page.contains("写了很久的简介") && page.contains("“作品名称”现在有 81 个字") && page.contains(&long), "{page}");
    // Handing in with something missing keeps the rest as a draft and names the field.
    let refused = submit(&house.site, &house.doctor, path, &[("version", &version), ("work", "餐桌上的糖"), ("authors", "周示例"), ("do", "submit")]).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(refused).await.contains("请填写“作品简介”"));
    let version = hidden(&house.see(&house.doctor, path).await, "version");
    let fields = [
        ("version", version.as_str()),
        ("work", "餐桌上的糖"),
        ("abstract", "讲糖从哪里来。"),
        ("authors", "周示例"),
        ("evidence_title", "出版合同"),
        ("evidence_kind", "work"),
        ("evidence_until", "2030-01-01"),
        ("do", "submit"),
    ];
    let done = submit(&house.site, &house.doctor, path, &fields).await;
    assert_eq!(place(&done), format!("{path}?done=submitted"));
    let page = house.see(&house.doctor, path).await;
    assert!(page.contains("已提交") && page.contains("出版合同") && !page.contains("name=\"work\""));
    // The office checks it; a stale second press is told so.
    let office = house.see(&house.steward, path).await;
    let version = hidden(&office, "version");
    let back = submit(&house.site, &house.steward, &format!("{path}/office"), &[("version", &version), ("do", "back"), ("remark", "")]).await;
    assert_eq!(back.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let back = submit(&house.site, &house.steward, &format!("{path}/office"), &[("version", &version), ("do", "back"), ("remark", "请补样章")]).await;
    assert_eq!(back.status(), StatusCode::SEE_OTHER);
    assert!(house.see(&house.doctor, path).await.contains("请补样章"));
}

#[tokio::test]
async fn strangers_find_no_application_no_office_and_no_task() {
    let house = house().await;
    let far = person(&house.node.web, "far", None, &[("420000", Role::Steward)]).await;
    for (who, path) in [
        (&far, "/application/sample-open-2"),
        (&house.judge, "/application/sample-open-2"),
        (&house.doctor, "/judging/sample-judging-1"),
        (&house.steward, "/judging/sample-judging-1"),
    ] {
        assert_eq!(open(&house.site, who, path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(open(&house.site, &far, "/round/sample-open/office").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(open(&house.site, &house.doctor, "/round/sample-open/office").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(open(&house.site, &house.steward, "/application/sample-open-1").await.status(), StatusCode::NOT_FOUND, "drafts are their writer's");
    assert_eq!(
        submit(&house.site, &far, "/round/sample-open/office", &[("do", "cancel"), ("version", "1"), ("reason", "不办了")]).await.status(),
        StatusCode::FORBIDDEN
    );
    assert_eq!(submit(&house.site, &house.doctor, "/round/sample-open/apply", &[("party", "p-gao")]).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(send(&house.site, request(Method::GET, "/round/nothing", "", "")).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(send(&house.site, request(Method::GET, "/judging", "", "")).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_blind_judge_scores_and_steps_back() {
    let house = house().await;
    let list = house.see(&house.judge, "/judging").await;
    assert!(list.contains("科普人才培养计划评审（示例）") && list.contains("/judging/sample-judging-1") && !list.contains("白示例"), "{list}");
    let page = house.see(&house.judge, "/judging/sample-judging-1").await;
    assert!(page.contains("湿地观察课程") && !page.contains("白示例") && !page.contains("示例理工大学"), "{page}");
    let refused =
        submit(&house.site, &house.judge, "/judging/sample-judging-1", &[("score-record", "11"), ("score-plan", "8"), ("comment", "写好的意见")]).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = text(refused).await;
    assert!(page.contains("“已有业绩”要写 0 到 10 之间的整数") && page.contains("写好的意见") && page.contains("value=\"11\""), "{page}");
    let done = submit(&house.site, &house.judge, "/judging/sample-judging-1", &[("score-record", "9"), ("score-plan", "8"), ("comment", "写好的意见")]).await;
    assert_eq!(place(&done), "/judging/sample-judging-2?done=scored", "straight on to the next one");
    assert_eq!(submit(&house.site, &house.judge, "/judging/sample-judging-2/recuse", &[]).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let done = submit(&house.site, &house.judge, "/judging/sample-judging-2/recuse", &[("confirm", "1")]).await;
    assert_eq!(place(&done), "/judging?done=recused");
    assert_eq!(open(&house.site, &house.judge, "/judging/sample-judging-2").await.status(), StatusCode::NOT_FOUND);
    let office = house.see(&house.steward, "/round/sample-judging/office").await;
    assert!(office.contains("谭示例"), "somebody else has the place: {office}");
}

#[tokio::test]
async fn anybody_objects_without_signing_in_and_the_decision_waits() {
    let house = house().await;
    let page = house.public("/round/sample-publicity").await;
    assert!(page.contains("厨房里的食品安全（示例）") && page.contains("提出异议") && page.contains("1 件异议，1 件未答复"), "{page}");
    let path = "/round/sample-publicity/object";
    let short = send(&house.site, request(Method::POST, path, "", "application=sample-publicity-1&objection=%E4%B8%8D%E8%A1%8C")).await;
    assert_eq!(short.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let words = crate::urls::encode("第二部分的数据没有出处，请核对以后再定。");
    let made = send(&house.site, request(Method::POST, path, "", &format!("application=sample-publicity-1&objection={words}"))).await;
    assert_eq!(made.status(), StatusCode::SEE_OTHER);
    let ticket = place(&made);
    assert!(house.public(&ticket).await.contains("等待答复"));
    let wrong = send(&house.site, request(Method::GET, "/round/sample-open/object?application=sample-open-2", "", "")).await;
    assert_eq!(wrong.status(), StatusCode::CONFLICT, "nothing is in publicity there");

    let office = house.see(&house.steward, "/round/sample-publicity/office").await;
    assert!(office.contains("有 2 件异议等待答复"));
    let number = ticket.rsplit('/').next().unwrap_or_default().to_owned();
    let empty = submit(&house.site, &house.steward, "/round/sample-publicity/office", &[("do", "answer"), ("objection", &number), ("answer", "")]).await;
    assert_eq!(empty.status(), StatusCode::UNPROCESSABLE_ENTITY);
    for (id, words) in [(number.as_str(), "数据来自公开年报，已补写出处。"), ("sample-objection", "口诀为民间流传，已注明。")] {
        let done = submit(&house.site, &house.steward, "/round/sample-publicity/office", &[("do", "answer"), ("objection", id), ("answer", words)]).await;
        assert_eq!(done.status(), StatusCode::SEE_OTHER);
    }
    assert!(house.public(&ticket).await.contains("数据来自公开年报"));
    // Before the end nobody decides; after it, whoever answered does not.
    let decide = async |site: &Router, who: &Person| {
        let page = text(open(site, who, "/round/sample-publicity/office").await).await;
        let answer = submit(site, who, "/round/sample-publicity/office", &[("do", "decide"), ("version", &version_of(&page))]).await;
        (answer.status(), place(&answer))
    };
    let second = person(&house.node.web, "second", None, &[("org-nat", Role::Steward)]).await;
    assert_eq!(decide(&house.site, &second).await.0, StatusCode::CONFLICT);
    let later = house.node.restarted(5 * 24 * 60).await;
    let site = router(later.clone());
    let again = async |login: &str| {
        let session = kepu_app::account::sign_in(&later.app, login, super::PASSWORD, None, "").await.expect("session");
        Person { cookie: format!("kepu_session={}", session.token), csrf: session.csrf }
    };
    let (first, second) = (again("steward").await, again("second").await);
    assert_eq!(decide(&site, &first).await.0, StatusCode::FORBIDDEN, "who answered does not decide");
    assert_eq!(decide(&site, &second).await, (StatusCode::SEE_OTHER, "/round/sample-publicity/office?done=decided".into()));
    let page = text(send(&site, request(Method::GET, "/round/sample-publicity", "", "")).await).await;
    assert!(page.contains("证书") && page.contains("已授予"), "{page}");
    let json: Value = serde_json::from_str(&text(send(&site, request(Method::GET, "/api/rounds/sample-publicity", "", "")).await).await).expect("json");
    assert_eq!((json["state"].as_str(), json["results"][0]["stage"].as_str()), (Some("decided"), Some("granted")));
    assert!(json["results"][0]["credential"].as_str().is_some_and(|id| id.starts_with("kepu:")));
    let csv = text(open(&site, &second, "/round/sample-publicity/office?format=csv").await).await;
    assert!(csv.contains("sample-publicity-1") && csv.contains("raw,adjusted"), "{csv}");
}

/// The version in the form of the step to be taken; any form of the page has the same.
fn version_of(page: &str) -> String {
    let found = hidden(page, "version");
    if found.is_empty() { "1".into() } else { found }
}

#[tokio::test]
async fn a_steward_opens_a_round_and_mistakes_stand_at_their_fields() {
    let house = house().await;
    let page = house.see(&house.steward, "/rounds/new").await;
    assert!(page.contains("林示例") && page.contains("科普作品奖"));
    let bad = [
        ("org", "org-nat"),
        ("kind", "works-prize"),
        ("title", "奖"),
        ("call", "我们征集作品，写了很长一段。"),
        ("opens_day", "2026-13-01"),
        ("opens_hour", "09:00"),
        ("closes_day", "2030-01-01"),
        ("closes_hour", "17:00"),
        ("quota", "很多"),
    ];
    let refused = submit(&house.site, &house.steward, "/rounds/new", &bad).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = text(refused).await;
    assert!(page.contains("我们征集作品，写了很长一段。") && page.contains("href=\"#opens\"") && page.contains("href=\"#quota\""), "{page}");
    let good = [
        ("org", "org-nat"),
        ("kind", "works-prize"),
        ("title", "新一轮作品奖"),
        ("call", "我们征集作品，写了很长一段。"),
        ("opens_day", "2026-01-01"),
        ("opens_hour", "09:00"),
        ("closes_day", "2030-01-01"),
        ("closes_hour", "17:00"),
        ("quota", "3"),
        ("panel", "p-lin"),
    ];
    let made = submit(&house.site, &house.steward, "/rounds/new", &good).await;
    let office = place(&made);
    assert!(made.status() == StatusCode::SEE_OTHER && office.ends_with("/office"), "{office}");
    assert!(house.public("/rounds?state=open").await.contains("新一轮作品奖"));
    let page = house.see(&house.steward, &office).await;
    let cancelled = submit(&house.site, &house.steward, &office, &[("do", "cancel"), ("version", &version_of(&page)), ("reason", "改到明年")]).await;
    assert_eq!(cancelled.status(), StatusCode::SEE_OTHER);
    assert!(house.public(office.trim_end_matches("/office")).await.contains("改到明年"));
    assert!(house.public("/rounds?state=over").await.contains("新一轮作品奖"));
}

#[tokio::test]
async fn several_criteria_sets_stand_side_by_side_for_who_keeps_the_place() {
    let house = house().await;
    let page = house.public("/criteria/base-district").await;
    assert!(page.contains("年开放天数") && page.contains("满 300 得 3 分"), "{page}");
    let county = person(&house.node.web, "county", None, &[("org-county", Role::Steward)]).await;
    let page = house.see(&county, "/criteria/base-district?party=v-hall").await;
    assert!(page.contains("自查结果") && page.contains("优秀") && page.contains("全国科普教育基地（条件框架）") && page.contains("消防合格"), "{page}");
    assert_eq!(open(&house.site, &house.doctor, "/criteria/base-district?party=v-hall").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(open(&house.site, &house.doctor, "/criteria/nothing").await.status(), StatusCode::NOT_FOUND);
}
