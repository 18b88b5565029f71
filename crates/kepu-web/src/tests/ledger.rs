//! The ledger, certificates and scoring through forms: what counts, what is refused, and what strangers learn.

use super::drafts::{Team, place, team};
use super::{Person, open, person, request, send, submit, text};
use axum::http::{Method, StatusCode};
use kepu_domain::access::Role;

const CENTRE: &str = "国家科普示例中心（示例）";

fn talk<'a>(title: &'a str, day: &'a str, host: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("kind", "talk"), ("title", title), ("host", host), ("day", day), ("count", "1"), ("hours", "1.5")]
}

async fn stated(t: &Team, who: &Person, title: &str, day: &str) {
    assert_eq!(place(&submit(&t.site, who, "/contributions", &talk(title, day, CENTRE)).await), "/contributions?done=stated");
}

/// Ids of the lines that wait for somebody, in the order of the page.
async fn waiting(t: &Team, who: &Person) -> Vec<String> {
    let page = text(open(&t.site, who, "/contributions/confirm").await).await;
    page.split("name=\"line\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default().to_owned()).collect()
}

async fn confirmed(t: &Team, title: &str) {
    let today = t.node.web.app.today().to_string();
    stated(t, &t.doctor, title, &today).await;
    let line = waiting(t, &t.editor).await.remove(0);
    assert_eq!(
        place(&submit(&t.site, &t.editor, "/contributions/confirm", &[("do", "confirm"), ("line", &line)]).await),
        "/contributions/confirm?done=confirmed"
    );
}

async fn drawn(t: &Team, who: &Person) -> String {
    let today = t.node.web.app.today().to_string();
    let to = place(&submit(&t.site, who, "/certificates", &[("from", &today), ("to", &today)]).await);
    to.strip_prefix("/certificates/").expect("a certificate").to_owned()
}

#[tokio::test]
async fn a_deed_is_stated_once_and_confirmed_by_its_host_for_everybody_at_once() {
    let t = team().await;
    let today = t.node.web.app.today().to_string();
    stated(&t, &t.doctor, "冬季用药安全", &today).await;
    stated(&t, &t.review1, "冬季用药安全", &today).await;
    let again = submit(&t.site, &t.doctor, "/contributions", &talk("冬季用药安全 ", &today, CENTRE)).await;
    assert_eq!(again.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(again).await.contains("这件事已经登记过了"));
    let page = text(open(&t.site, &t.editor, "/contributions/confirm").await).await;
    assert_eq!(page.matches("<fieldset").count(), 1, "two people, one deed");
    let lines = waiting(&t, &t.editor).await;
    assert_eq!(lines.len(), 2);
    assert!(waiting(&t, &t.stranger).await.is_empty(), "another institution's list");
    let foreign = submit(&t.site, &t.stranger, "/contributions/confirm", &[("do", "confirm"), ("line", &lines[0])]).await;
    assert_eq!(foreign.status(), StatusCode::NOT_FOUND);
    assert_eq!(open(&t.site, &t.doctor, "/contributions/confirm").await.status(), StatusCode::FORBIDDEN);
    let none = submit(&t.site, &t.editor, "/contributions/confirm", &[("do", "refuse"), ("line", &lines[1])]).await;
    assert_eq!(none.status(), StatusCode::UNPROCESSABLE_ENTITY, "a refusal says why");
    submit(&t.site, &t.editor, "/contributions/confirm", &[("do", "confirm"), ("line", &lines[0]), ("line", &lines[1])]).await;
    assert!(waiting(&t, &t.editor).await.is_empty());
    let mine = text(open(&t.site, &t.doctor, "/contributions").await).await;
    assert!(mine.contains("已确认") && mine.contains("1.5 小时"), "{mine}");
    let late = submit(&t.site, &t.editor, "/contributions/confirm", &[("do", "refuse"), ("line", &lines[0]), ("reason", "没有举办")]).await;
    assert_eq!(late.status(), StatusCode::UNPROCESSABLE_ENTITY, "what was confirmed stands");
}

#[tokio::test]
async fn nobody_confirms_their_own_and_what_is_refused_can_be_taken_back_and_stated_again() {
    let t = team().await;
    let today = t.node.web.app.today().to_string();
    stated(&t, &t.editor, "编辑自己的讲座", &today).await;
    let line = waiting(&t, &t.editor).await.remove(0);
    for words in [&[("do", "confirm"), ("line", line.as_str())][..], &[("do", "refuse"), ("line", line.as_str()), ("reason", "不对不对")][..]] {
        assert_eq!(submit(&t.site, &t.editor, "/contributions/confirm", words).await.status(), StatusCode::FORBIDDEN);
    }
    let colleague = person(&t.node.web, "colleague", None, &[("org-nat", Role::Steward)]).await;
    submit(&t.site, &colleague, "/contributions/confirm", &[("do", "refuse"), ("line", &line), ("reason", "那天没有举办")]).await;
    assert!(text(open(&t.site, &t.editor, "/contributions").await).await.contains("那天没有举办"));
    let path = format!("/contributions/{line}/withdraw");
    assert_eq!(submit(&t.site, &t.doctor, &path, &[]).await.status(), StatusCode::NOT_FOUND, "somebody else's line");
    assert_eq!(place(&submit(&t.site, &t.editor, &path, &[]).await), "/contributions?done=gone");
    stated(&t, &t.editor, "编辑自己的讲座", &today).await;
}

#[tokio::test]
async fn mistakes_stand_at_their_fields_and_what_was_typed_stays() {
    let t = team().await;
    for (field, value, said) in [
        ("kind", "review", "请选择类别"),
        ("title", "", "做了什么"),
        ("host", "没有这个单位", "名录里没有这个接受单位"),
        ("day", "2999-01-01", "日期在今天以后"),
        ("day", "2001-01-01", "只能登记最近"),
        ("count", "0", "应在 1 到"),
        ("hours", "9000", "应在 0 到"),
    ] {
        let today = t.node.web.app.today().to_string();
        let mut fields = talk("很特别的题目", &today, CENTRE);
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value));
        let answer = submit(&t.site, &t.doctor, "/contributions", &fields).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{field}={value}");
        let page = text(answer).await;
        assert!(page.contains(&format!("id=\"{field}-err\"")), "{field}={value}");
        assert!(field == "title" || page.contains(said), "{field}={value}: {said}");
        assert!(field == "title" || page.contains("很特别的题目"));
    }
    // A name that several institutions share is chosen from, not typed again.
    let today = t.node.web.app.today().to_string();
    let page = text(submit(&t.site, &t.doctor, "/contributions", &talk("讲座一场", &today, "示例")).await).await;
    assert!(page.contains("name=\"host_id\"") && page.contains("org-med"));
    let mut fields = talk("讲座一场", &today, "示例");
    fields.push(("host_id", "org-med"));
    assert_eq!(place(&submit(&t.site, &t.doctor, "/contributions", &fields).await), "/contributions?done=stated");
    let unlinked = submit(&t.site, &t.duty, "/contributions", &talk("讲座一场", &today, CENTRE)).await;
    assert_eq!(unlinked.status(), StatusCode::UNPROCESSABLE_ENTITY, "an account without a registry entry has no ledger");
}

#[tokio::test]
async fn reviews_and_publications_are_noted_by_themselves_once() {
    let t = team().await;
    let id = t.submitted("怎样喝水").await;
    t.approved(&id).await;
    t.published(&id).await;
    let doctor = text(open(&t.site, &t.doctor, "/contributions").await).await;
    assert!(doctor.contains("科普作品") && doctor.contains("怎样喝水"), "{doctor}");
    assert!(text(open(&t.site, &t.review1, "/contributions").await).await.contains("科学性审查"));
    let json = text(open(&t.site, &t.review1, "/contributions?format=json").await).await;
    let lines: Vec<serde_json::Value> = serde_json::from_str(&json).expect("json");
    assert_eq!((lines.len(), lines[0]["counts"].as_bool()), (1, Some(true)));
    let scored = text(open(&t.site, &t.doctor, "/scoring?scheme=title-review&rule=2&points=5").await).await;
    assert!(scored.contains("1 件 × 3 = 3") && scored.contains("1 件 × 5 = 5") && scored.contains("+2 分"), "{scored}");
    let wrong = open(&t.site, &t.doctor, "/scoring?scheme=title-review&rule=2&points=viele").await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(open(&t.site, &t.doctor, "/scoring?scheme=nothing").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(open(&t.site, &t.doctor, "/scoring?party=p-lin").await.status(), StatusCode::NOT_FOUND, "somebody else's ledger");
    assert!(text(open(&t.site, &t.doctor, "/scoring?scheme=title-review&format=csv").await).await.contains("resource"));
    let figures = text(send(&t.site, request(Method::GET, "/contributions/figures", "", "")).await).await;
    assert!(figures.contains("人数太少") && !figures.contains("怎样喝水"), "{figures}");
}

#[tokio::test]
async fn a_certificate_is_drawn_once_shown_to_the_paper_holder_and_revoked_by_the_office() {
    let t = team().await;
    let today = t.node.web.app.today().to_string();
    let empty = submit(&t.site, &t.doctor, "/certificates", &[("from", &today), ("to", &today)]).await;
    assert_eq!(empty.status(), StatusCode::UNPROCESSABLE_ENTITY, "nothing was confirmed");
    confirmed(&t, "第一场").await;
    let number = drawn(&t, &t.doctor).await;
    assert_eq!(drawn(&t, &t.doctor).await, number, "the same content gets no second number");
    confirmed(&t, "第二场").await;
    assert_ne!(drawn(&t, &t.doctor).await, number);

    let own = format!("/certificates/{number}");
    let page = text(open(&t.site, &t.doctor, &own).await).await;
    assert!(page.contains("周示例") && page.contains("有效"), "{page}");
    for stranger in [&t.review1, &t.duty] {
        for path in [own.clone(), format!("{own}/certificate.json")] {
            assert_eq!(open(&t.site, stranger, &path).await.status(), StatusCode::NOT_FOUND);
        }
    }
    // What anybody learns: that the number holds. What the paper must say needs the code on the paper.
    let public = page.split("href=\"/certificate/").nth(1).and_then(|rest| rest.split('"').next()).expect("public page").replace("&amp;", "&");
    let seen = async |path: String| {
        let answer = send(&t.site, request(Method::GET, &path, "", "")).await;
        (answer.status(), text(answer).await)
    };
    let (status, bare) = seen(format!("/certificate/{number}")).await;
    assert!(status == StatusCode::OK && bare.contains("有效") && !bare.contains("周示例") && !bare.contains("讲座"), "{bare}");
    assert!(!seen(format!("/certificate/{number}?k=aaaaaaaaaaaa")).await.1.contains("周示例"));
    assert!(seen(format!("/certificate/{public}")).await.1.contains("周示例"));
    let (status, unknown) = seen("/certificate/XXXX-2026-00001".into()).await;
    assert!(status == StatusCode::NOT_FOUND && unknown.contains("查无此号"));

    let file = text(open(&t.site, &t.doctor, &format!("{own}/certificate.json")).await).await;
    let app = &t.node.web.app;
    let root = kepu_app::files::Pin::Key(app.key.id().clone());
    let verifier = kepu_app::files::Verifier::new(Some(root));
    assert!(verifier.verify("", file.as_bytes()).ok, "{file}");
    assert!(!verifier.verify("", file.replace("周示例", "王示例").as_bytes()).ok);

    let revoke = format!("{own}/revoke");
    let steward = person(&t.node.web, "steward", None, &[("org-med", Role::Steward)]).await;
    let elsewhere = person(&t.node.web, "elsewhere", None, &[("org-food", Role::Steward)]).await;
    assert_eq!(submit(&t.site, &t.doctor, &revoke, &[("reason", "自己撤")]).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(submit(&t.site, &elsewhere, &revoke, &[("reason", "别处来撤")]).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(submit(&t.site, &steward, &revoke, &[("reason", "")]).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(open(&t.site, &steward, "/certificates/office").await).await.contains(&number));
    assert_eq!(place(&submit(&t.site, &steward, &revoke, &[("reason", "证书写错了日期")]).await), own);
    assert!(seen(format!("/certificate/{number}")).await.1.contains("证书写错了日期"));
    assert_eq!(submit(&t.site, &steward, &revoke, &[("reason", "再撤一次")]).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let again = text(open(&t.site, &t.doctor, &format!("{own}/certificate.json")).await).await;
    assert!(verifier.verify("", again.as_bytes()).reason.contains("证书写错了日期"), "the file brings its own revocation");
}
