//! Decisions of meetings and inspections through their forms: who may, what is refused, one letter one task, a sample with its finding.

use super::{Node, Person, open, person, place, request, seeded, send, submit, text};
use axum::Router;
use axum::http::{Method, StatusCode};
use kepu_domain::access::Role;

struct Town {
    node: Node,
    site: Router,
    steward: Person,
    county: Person,
    neighbour: Person,
    writer: Person,
}

async fn town() -> Town {
    let (node, site, _) = seeded().await;
    let steward = person(&node.web, "steward", None, &[("org-nat", Role::Steward)]).await;
    let county = person(&node.web, "county", None, &[("org-county", Role::DutyOfficer)]).await;
    let neighbour = person(&node.web, "neighbour", None, &[("420000", Role::DutyOfficer), ("420000", Role::Steward)]).await;
    let writer = person(&node.web, "writer", None, &[("org-nat", Role::Contributor)]).await;
    Town { node, site, steward, county, neighbour, writer }
}

fn decision<'a>(what: &'a str, places: &'a str, due: &'a str) -> Vec<(&'static str, &'a str)> {
    let head = [("meeting", "第一次联席会议"), ("day", "2026-01-05"), ("words", "科普馆都要免费开放一天"), ("level", "2"), ("org", "org-nat")];
    let ask = [("what-1", what), ("places-1", places), ("due-1", due), ("link-1", "1")];
    head.into_iter().chain(ask).collect()
}

impl Town {
    async fn decided(&self, what: &str, places: &str) -> String {
        let answer = submit(&self.site, &self.steward, "/decisions/new", &decision(what, places, "2099-12-31")).await;
        let address = place(&answer);
        assert!(address.starts_with("/decisions/"), "{}", text(answer).await);
        address
    }
    async fn page(&self, who: &Person, path: &str) -> String {
        text(open(&self.site, who, path).await).await
    }
    /// Takes an ask on for the county and says that it is done; the task.
    async fn done(&self, decision: &str, evidence: &str) -> String {
        let task = place(&submit(&self.site, &self.county, &format!("{decision}/take"), &[("ask", "a1"), ("org", "org-county")]).await);
        let answer = submit(&self.site, &self.county, &task, &[("do", "done"), ("version", "1"), ("evidence", evidence)]).await;
        assert_eq!(place(&answer), decision, "{}", text(answer).await);
        task
    }
}

#[tokio::test]
async fn a_decision_becomes_one_task_below_and_its_evidence_stands_in_the_tree() {
    let t = town().await;
    for (fields, said) in [
        (decision("", "固始县", ""), "至少"),
        (decision("免费开放一天", "没有这个县", ""), "没有找到"),
        (decision("免费开放一天", "固始县", "2020-01-01"), "已经过了"),
        (vec![("org", "org-nat"), ("what-1", "免费开放一天")], "会议"),
    ] {
        let answer = submit(&t.site, &t.steward, "/decisions/new", &fields).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let page = text(answer).await;
        assert!(page.contains(said), "{said}: {page}");
    }
    let address = t.decided("免费开放一天，接送老人", "固始县").await;
    let twice = submit(&t.site, &t.steward, "/decisions/new", &decision("免费开放一天，接送老人", "411525", "2099-11-30")).await;
    assert!(twice.status() == StatusCode::UNPROCESSABLE_ENTITY && text(twice).await.contains("已经要求过"));
    // Only those who coordinate learn of it.
    assert_eq!(open(&t.site, &t.writer, &address).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(open(&t.site, &t.writer, "/decisions").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(send(&t.site, request(Method::GET, &format!("/api{address}"), "", "")).await.status(), StatusCode::UNAUTHORIZED);
    for path in ["/", "/cases", "/search?q=接送老人", "/feed.json", "/api/cases"] {
        assert!(!text(send(&t.site, request(Method::GET, path, "", "")).await).await.contains("接送老人<"), "{path}");
    }
    // The place asked takes it on, once; a neighbour cannot.
    let far = submit(&t.site, &t.neighbour, &format!("{address}/take"), &[("ask", "a1"), ("org", "420000")]).await;
    assert!(far.status() == StatusCode::UNPROCESSABLE_ENTITY && text(far).await.contains("不归这个机构"));
    assert_eq!(submit(&t.site, &t.neighbour, &format!("{address}/take"), &[("ask", "a1"), ("org", "org-county")]).await.status(), StatusCode::FORBIDDEN);
    assert!(t.page(&t.county, "/decisions").await.contains("等你们接下") && t.page(&t.county, "/desk").await.contains("1 件事等本地接下"));
    let first = place(&submit(&t.site, &t.county, &format!("{address}/take"), &[("ask", "a1"), ("org", "org-county")]).await);
    let again = place(&submit(&t.site, &t.county, &format!("{address}/take"), &[("ask", "a1"), ("org", "org-county")]).await);
    assert!(first.starts_with("/tasks/") && first == again, "{first} {again}");
    // A page of this node proves nothing to whoever looks from another one.
    for bad in ["/now", "已经开了"] {
        let refused = submit(&t.site, &t.county, &first, &[("do", "done"), ("version", "1"), ("evidence", bad)]).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
    }
    submit(&t.site, &t.county, &first, &[("do", "block"), ("version", "1"), ("reason", "馆里在修水管")]).await;
    let page = t.page(&t.steward, "/decisions").await;
    assert!(page.contains("1 项超时或者受阻") && page.contains("受阻"), "{page}");
    submit(&t.site, &t.county, &first, &[("do", "done"), ("version", "2"), ("evidence", "https://example.org/open")]).await;
    let page = t.page(&t.steward, &address).await;
    assert!(page.contains("馆里在修水管") && page.contains("href=\"https://example.org/open\"") && page.contains("完成"), "{page}");
    let csv = t.page(&t.steward, "/decisions?stage=done&format=csv").await;
    assert!(csv.contains("https://example.org/open") && csv.lines().count() == 2, "{csv}");
    assert!(t.page(&t.steward, "/decisions?stage=done&region=420000").await.contains("没有符合条件的"));
}

#[tokio::test]
async fn a_deadline_moves_with_a_reason_and_the_end_takes_the_tasks_back() {
    let t = town().await;
    let address = t.decided("印发防汛应急卡", "固始县、河南省").await;
    let task = place(&submit(&t.site, &t.county, &format!("{address}/take"), &[("ask", "a1"), ("org", "org-county")]).await);
    let amend = async |who: &Person, seen: &str, due: &str, reason: &str| {
        submit(&t.site, who, &format!("{address}/amend"), &[("seen", seen), ("ask", "a1"), ("due", due), ("reason", reason)]).await
    };
    assert_eq!(amend(&t.county, "0", "2098-01-01", "来不及").await.status(), StatusCode::FORBIDDEN, "who is asked does not change it");
    for (due, reason) in [("", "汛期推迟"), ("2020-01-01", "汛期推迟"), ("2098-01-01", ""), ("2099-12-31", "汛期推迟")] {
        assert_eq!(amend(&t.steward, "0", due, reason).await.status(), StatusCode::UNPROCESSABLE_ENTITY, "{due} {reason}");
    }
    assert_eq!(place(&amend(&t.steward, "0", "2098-01-01", "汛期推迟").await), address);
    assert_eq!(place(&amend(&t.steward, "0", "2097-01-01", "我也来改").await), format!("{address}?late=1"), "somebody was quicker");
    assert!(t.page(&t.steward, &address).await.contains("汛期推迟"));
    let id = kepu_domain::ids::TaskId(task.trim_start_matches("/tasks/").to_owned());
    let operator = kepu_domain::access::Actor::Node { name: "operator".into() };
    let due = kepu_app::listen::task::get(&t.node.web.app, &operator, &id).await.expect("task").due;
    assert!(due.to_string().starts_with("2098-01-01"), "the task follows: {due}");
    let end = async |seen: &str, reason: &str| submit(&t.site, &t.steward, &format!("{address}/end"), &[("seen", seen), ("reason", reason)]).await;
    assert_eq!(end("1", "").await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(place(&end("1", "改由应急局印发").await), address);
    assert!(t.page(&t.county, &task).await.contains("改由应急局印发"));
    assert_eq!(end("2", "再来一次").await.status(), StatusCode::UNPROCESSABLE_ENTITY, "it is over");
    let late = submit(&t.site, &t.county, &format!("{address}/take"), &[("ask", "a2"), ("org", "org-county")]).await;
    assert_eq!(late.status(), StatusCode::UNPROCESSABLE_ENTITY, "nothing is asked any more");
}

#[tokio::test]
async fn an_inspection_draws_evidence_and_a_finding_is_corrected() {
    let t = town().await;
    let draw = |size: &'static str, county: &'static str| {
        [("title", "上半年抽查"), ("checklist", "evidence"), ("org", "org-nat"), ("word", "开奖号码 03 07"), ("size", size), ("county", county)]
    };
    let refused = submit(&t.site, &t.steward, "/inspections/new", &draw("5", "")).await;
    assert!(refused.status() == StatusCode::UNPROCESSABLE_ENTITY && text(refused).await.contains("没有可抽的"));
    let decision = t.decided("县科普馆开放一天", "固始县").await;
    t.done(&decision, "https://example.org/open").await;
    assert_eq!(submit(&t.site, &t.steward, "/inspections/new", &draw("0", "")).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(submit(&t.site, &t.county, "/inspections/new", &draw("5", "")).await.status(), StatusCode::FORBIDDEN);
    let inspection = place(&submit(&t.site, &t.steward, "/inspections/new", &draw("5", "")).await);
    assert!(inspection.starts_with("/inspections/"), "{inspection}");
    assert_eq!(open(&t.site, &t.writer, &inspection).await.status(), StatusCode::NOT_FOUND);
    let look = format!("{inspection}/look/1");
    assert_eq!(open(&t.site, &t.county, &look).await.status(), StatusCode::NOT_FOUND, "who is inspected does not inspect");
    let ticks = |date: &'static str| vec![("q-opens", "yes"), ("q-fits", "yes"), ("q-date", date), ("q-sound", "na"), ("level", "2")];
    let mut half = ticks("no");
    half.truncate(2);
    for fields in [half, ticks("no")] {
        assert_eq!(submit(&t.site, &t.steward, &look, &fields).await.status(), StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
    }
    let mut found = ticks("no");
    found.extend([("found", "照片是去年的"), ("what", "补上今年开放当天的照片"), ("due", "2099-01-01")]);
    assert_eq!(place(&submit(&t.site, &t.steward, &look, &found).await), inspection);
    assert_eq!(submit(&t.site, &t.steward, &look, &ticks("yes")).await.status(), StatusCode::CONFLICT, "it was looked at");
    let page = t.page(&t.steward, &inspection).await;
    assert!(page.contains("结果一样") && page.contains("0% 没有问题"), "{page}");
    // It became the county's task at once; the county corrects it.
    let all = t.page(&t.county, "/decisions?cause=finding").await;
    let finding =
        all.split("href=\"/decisions/").find(|part| part.contains("补上今年")).map(|part| format!("/decisions/{}", part.split('"').next().unwrap_or_default()));
    let finding = finding.expect("a finding");
    let tree = t.page(&t.county, &finding).await;
    assert!(tree.contains("照片是去年的") && tree.contains("https://example.org/open"), "{tree}");
    let task = format!("/tasks/{}", tree.split("href=\"/tasks/").nth(1).and_then(|part| part.split('"').next()).expect("a task"));
    submit(&t.site, &t.county, &task, &[("do", "done"), ("version", "1"), ("evidence", "https://example.org/new")]).await;
    let json: serde_json::Value = serde_json::from_str(&t.page(&t.steward, &format!("/api{inspection}")).await).expect("json");
    assert_eq!((&json["findings"], &json["corrected"], &json["inTime"], &json["repeats"]), (&1.into(), &1.into(), &1.into(), &true.into()));
    let csv = t.page(&t.steward, &format!("{inspection}/list.csv")).await;
    assert!(csv.contains("#a1,411525,https://example.org/open") && csv.lines().count() == 2, "{csv}");
}

#[tokio::test]
async fn nobody_inspects_what_they_did_themselves() {
    let t = town().await;
    let chief = person(&t.node.web, "chief", None, &[("org-nat", Role::Steward), ("org-nat", Role::DutyOfficer)]).await;
    let decision = t.decided("县科普馆开放一天", "固始县").await;
    let task = place(&submit(&t.site, &chief, &format!("{decision}/take"), &[("ask", "a1"), ("org", "org-nat")]).await);
    submit(&t.site, &chief, &task, &[("do", "take"), ("version", "1")]).await;
    submit(&t.site, &chief, &task, &[("do", "done"), ("version", "2"), ("evidence", "https://example.org/open")]).await;
    let fields = [("title", "抽查"), ("checklist", "evidence"), ("org", "org-nat"), ("word", "今天的号码"), ("size", "1")];
    let inspection = place(&submit(&t.site, &chief, "/inspections/new", &fields).await);
    let ticks = [("q-opens", "yes"), ("q-fits", "yes"), ("q-date", "yes"), ("q-sound", "yes")];
    assert_eq!(submit(&t.site, &chief, &format!("{inspection}/look/1"), &ticks).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(place(&submit(&t.site, &t.steward, &format!("{inspection}/look/1"), &ticks).await), inspection);
    let page = t.page(&t.steward, &inspection).await;
    assert!(page.contains("100% 没有问题") && page.contains("100% 到 100%"), "the whole list was seen: {page}");
}
