//! Duty through the router: a roster is made, its clock calls, somebody cannot, the next one takes the case; who is away; who may see what.

use super::{Node, Person, open, person, place, seeded, submit, text};
use crate::urls;
use axum::Router;
use axum::http::StatusCode;
use kepu_app::listen::{duty, question};
use kepu_domain::access::Role;
use kepu_domain::ids::CaseId;
use kepu_domain::listen::case::Stage;
use kepu_domain::listen::duty::Answer;
use kepu_domain::listen::question::Stage as Asked;
use kepu_domain::org::Region;
use kepu_store::listen::{case as cases, duty as store};

struct House {
    node: Node,
    site: Router,
    first: Person,
    second: Person,
    stranger: Person,
}

/// Two people on duty with entries in the registry, of whom only the first agreed to be called; and somebody who has nothing to do with it.
async fn house() -> House {
    let (node, site, _) = seeded().await;
    let first = person(&node.web, "zhiban1", Some("p-zhiban"), &[("org-nat", Role::DutyOfficer)]).await;
    let second = person(&node.web, "zhiban2", Some("p-wei"), &[("org-nat", Role::Editor)]).await;
    let stranger = person(&node.web, "lvke", Some("p-lin"), &[("420000", Role::DutyOfficer)]).await;
    House { node, site, first, second, stranger }
}

/// An urgent case: urgent ones call at night too.
async fn urgent(node: &Node) -> CaseId {
    let ask = question::Ask {
        text: "听说把大蒜塞进耳朵能治感冒，是真的吗".into(),
        region: Region::parse("411525").expect("code"),
        anyway: true,
        channel: kepu_domain::listen::sighting::Channel::Page,
        address: crate::page::random_id(),
    };
    let question::Asked::Opened { question } = question::ask(&node.web.app, ask).await.expect("asked") else { panic!("opened") };
    let Asked::Open { case } = question::view(&node.web.app, &question).await.expect("view").question.stage else { panic!("open") };
    let mut tx = node.web.app.db.write().await.expect("tx");
    let mut found = cases::get(&mut tx, &case).await.expect("case");
    found.level = 1;
    cases::update(&mut tx, found).await.expect("update");
    tx.commit().await.expect("commit");
    case
}

const WEEK: [(&str, &str); 4] = [("turn_days", "7"), ("begins", "2026-01-05"), ("hour", "0"), ("post", "officer")];

async fn make(house: &House, people: &[&str]) -> axum::http::Response<axum::body::Body> {
    let mut form: Vec<(&str, &str)> = WEEK.to_vec();
    form.push(("org", "org-nat"));
    form.extend(people.iter().map(|id| ("people", *id)));
    submit(&house.site, &house.first, "/duty/new", &form).await
}

#[tokio::test]
async fn a_case_that_nobody_takes_calls_one_after_the_other() {
    let h = house().await;
    assert!(text(open(&h.site, &h.first, "/duty").await).await.contains("还没有值班表"));
    assert!(text(open(&h.site, &h.first, "/duty/new?org=org-nat&post=officer").await).await.contains("值班示例"));
    let case = urgent(&h.node).await;
    let app = &h.node.web.app;
    assert_eq!(duty::watch(app).await.expect("watch"), 0, "without a roster nobody is called");
    assert!(text(open(&h.site, &h.first, &urls::case(&case)).await).await.contains("都没有排值班表"));
    assert_eq!(make(&h, &["p-wei", "p-zhiban", ""]).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(duty::watch(app).await.expect("watch"), 1);
    assert_eq!(duty::watch(app).await.expect("watch"), 0, "nobody is called twice");
    let page = text(open(&h.site, &h.first, &urls::case(&case)).await).await;
    assert!(page.contains("在叫你") && page.contains("13000000009"), "who agreed to be called comes before who did not: {page}");
    assert!(text(open(&h.site, &h.first, "/desk").await).await.contains("回应"));
    assert!(!text(open(&h.site, &h.second, "/desk").await).await.contains("在叫你"));
    let refused = submit(&h.site, &h.second, &format!("{}/cannot", urls::case(&case)), &[]).await;
    assert_eq!(refused.status(), StatusCode::NOT_FOUND, "who is not called cannot say no");
    let said = submit(&h.site, &h.first, &format!("{}/cannot", urls::case(&case)), &[]).await;
    assert_eq!((said.status(), place(&said)), (StatusCode::SEE_OTHER, "/desk".to_owned()));
    assert!(text(open(&h.site, &h.second, "/desk").await).await.contains("在叫你"), "the next is called at once");
    assert!(text(open(&h.site, &h.first, "/duty").await).await.contains("叫了魏示例"));
    let taken = submit(&h.site, &h.second, &format!("{}/take", urls::case(&case)), &[]).await;
    assert_eq!(taken.status(), StatusCode::SEE_OTHER);
    let mut tx = app.db.read().await.expect("tx");
    let answers: Vec<Answer> = store::list_calls(&mut tx, &case).await.expect("calls").iter().map(|call| call.answer).collect();
    assert_eq!(answers, [Answer::Cannot, Answer::Taken]);
    assert!(matches!(cases::get(&mut tx, &case).await.expect("case").stage, Stage::Working { .. }));
    drop(tx);
    assert_eq!(duty::watch(app).await.expect("watch"), 0);
    let visitor = text(super::send(&h.site, super::request(axum::http::Method::GET, &urls::case(&case), "", "")).await).await;
    assert!(visitor.contains("呼叫值班人员") && !visitor.contains("13000000009") && !visitor.contains("值班示例"), "the public sees that, not whom: {visitor}");
}

#[tokio::test]
async fn who_takes_a_case_unasked_ends_the_calls() {
    let h = house().await;
    assert_eq!(make(&h, &["p-zhiban"]).await.status(), StatusCode::SEE_OTHER);
    let case = urgent(&h.node).await;
    assert_eq!(duty::watch(&h.node.web.app).await.expect("watch"), 1);
    submit(&h.site, &h.second, &format!("{}/take", urls::case(&case)), &[]).await;
    let mut tx = h.node.web.app.db.read().await.expect("tx");
    assert_eq!(store::list_calls(&mut tx, &case).await.expect("calls")[0].answer, Answer::Settled);
    drop(tx);
    assert!(!text(open(&h.site, &h.first, "/desk").await).await.contains("在叫你"));
}

#[tokio::test]
async fn absences_hold_for_the_days_they_name() {
    let h = house().await;
    assert_eq!(make(&h, &["p-zhiban", "p-wei"]).await.status(), StatusCode::SEE_OTHER);
    let (today, later) = (h.node.web.app.today().to_string(), h.node.web.app.today().checked_add(jiff::Span::new().days(3)).expect("day").to_string());
    let away = |party: &str, from: &str, to: &str, instead: &str| {
        [("party", party), ("from", from), ("to", to), ("instead", instead)].map(|(k, v)| (k.to_owned(), v.to_owned()))
    };
    let send = async |who: &Person, form: [(String, String); 4]| {
        let form: Vec<(&str, &str)> = form.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        submit(&h.site, who, "/duty/away", &form).await
    };
    let backwards = send(&h.first, away("p-zhiban", &later, &today, "")).await;
    assert_eq!(backwards.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(backwards).await.contains("最后一天不能早于第一天"));
    assert_eq!(
        send(&h.first, away("p-zhiban", &today, &later, "p-zhiban")).await.status(),
        StatusCode::UNPROCESSABLE_ENTITY,
        "nobody stands in for themselves"
    );
    assert_eq!(send(&h.stranger, away("p-zhiban", &today, &later, "")).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(send(&h.first, away("p-zhiban", &today, &later, "")).await.status(), StatusCode::SEE_OTHER);
    let case = urgent(&h.node).await;
    assert_eq!(duty::watch(&h.node.web.app).await.expect("watch"), 1);
    let mut tx = h.node.web.app.db.read().await.expect("tx");
    assert_eq!(store::list_calls(&mut tx, &case).await.expect("calls")[0].party.0, "p-wei");
    drop(tx);
    let back = submit(&h.site, &h.first, "/duty/away", &[("party", "p-zhiban"), ("from", &today), ("do", "back")]).await;
    assert_eq!(back.status(), StatusCode::SEE_OTHER);
    assert!(!text(open(&h.site, &h.first, "/duty").await).await.contains("取消请假"));
}

#[tokio::test]
async fn rosters_are_kept_by_those_whose_organisation_they_cover() {
    let h = house().await;
    for (people, says) in [(vec!["p-zhiban", "p-zhiban"], "写了两次"), (vec![], "写 1 到 8 个人"), (vec!["p-zhou"], "不能排在这张表上")] {
        let refused = make(&h, &people).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert!(text(refused).await.contains(says), "{says}");
    }
    assert_eq!(make(&h, &["p-zhiban"]).await.status(), StatusCode::SEE_OTHER);
    let mut tx = h.node.web.app.db.read().await.expect("tx");
    let rota = store::list_below(&mut tx, &[], 9).await.expect("rotas").remove(0);
    drop(tx);
    let path = format!("/duty/{}", rota.id);
    assert_eq!(open(&h.site, &h.stranger, &path).await.status(), StatusCode::NOT_FOUND);
    assert!(!text(open(&h.site, &h.stranger, "/duty").await).await.contains("值班示例"));
    assert!(text(open(&h.site, &h.second, &path).await).await.contains("值班示例"));
    let unsure = submit(&h.site, &h.second, &path, &[("do", "remove")]).await;
    assert_eq!(unsure.status(), StatusCode::UNPROCESSABLE_ENTITY, "it is asked once more");
    let stale: Vec<(&str, &str)> = [WEEK.as_slice(), &[("people", "p-wei"), ("version", "7")]].concat();
    assert_eq!(submit(&h.site, &h.second, &path, &stale).await.status(), StatusCode::CONFLICT);
    let saved: Vec<(&str, &str)> = [WEEK.as_slice(), &[("people", "p-wei"), ("version", "1")]].concat();
    assert_eq!(submit(&h.site, &h.second, &path, &saved).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(submit(&h.site, &h.second, &path, &[("do", "remove"), ("confirm", "1")]).await.status(), StatusCode::SEE_OTHER);
    assert!(text(open(&h.site, &h.second, "/duty").await).await.contains("还没有值班表"));
}
