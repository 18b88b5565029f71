//! Working a case through its page: every move, every refusal, forms sent twice, and what visitors do not see.

use super::{Node, Person, open, person, place, request, seeded, send, submit, text};
use crate::urls;
use axum::Router;
use axum::http::{Method, StatusCode};
use kepu_app::listen::{case, question};
use kepu_domain::access::{Actor, Role};
use kepu_domain::ids::{CaseId, QuestionId};
use kepu_domain::listen::case::Stage;
use kepu_domain::listen::question::Stage as Asked;
use kepu_domain::org::Region;

const RUMOUR: &str = "听说把大蒜塞进耳朵能治感冒，是真的吗";

struct House {
    node: Node,
    site: Router,
    officer: Person,
    id: CaseId,
    page: String,
}

/// A seeded node with one question, its case, and a duty officer.
async fn house() -> House {
    let (node, site, _) = seeded().await;
    let officer = person(&node.web, "zhiban1", None, &[("org-nat", Role::DutyOfficer)]).await;
    let id = ask(&node, RUMOUR).await;
    House { page: urls::case(&id), node, site, officer, id }
}

/// Asks as a visitor and returns the case that works on it.
async fn ask(node: &Node, words: &str) -> CaseId {
    let ask = question::Ask {
        text: words.into(),
        region: Region::parse("411525").expect("code"),
        anyway: true,
        channel: kepu_domain::listen::sighting::Channel::Page,
        address: crate::page::random_id(),
    };
    let question::Asked::Opened { question } = question::ask(&node.web.app, ask).await.expect("asked") else { panic!("opened") };
    case_of(node, &question).await
}

async fn case_of(node: &Node, question: &QuestionId) -> CaseId {
    match question::view(&node.web.app, question).await.expect("view").question.stage {
        Asked::Open { case } => case,
        other => panic!("{other:?}"),
    }
}

impl House {
    async fn see(&self) -> String {
        text(open(&self.site, &self.officer, &self.page).await).await
    }
    async fn act(&self, step: &str, fields: &[(&str, &str)]) -> axum::http::Response<axum::body::Body> {
        submit(&self.site, &self.officer, &format!("{}/{step}", self.page), fields).await
    }
    async fn done(&self, step: &str, fields: &[(&str, &str)]) {
        let answer = self.act(step, fields).await;
        let status = answer.status();
        assert!(status == StatusCode::SEE_OTHER && place(&answer) == self.page, "{step}: {status} {}", text(answer).await);
    }
    /// A form that is refused beside what was typed.
    async fn refused(&self, step: &str, fields: &[(&str, &str)], says: &str) {
        let answer = self.act(step, fields).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{step}");
        let page = text(answer).await;
        assert!(page.contains("role=\"alert\"") && page.contains(says), "{step}: {page}");
        for (_, typed) in fields.iter().filter(|(name, typed)| !typed.is_empty() && matches!(*name, "known" | "not_known" | "note" | "reason")) {
            assert!(page.contains(typed), "{step}: {typed} is lost");
        }
        primary_once(&page);
    }
    async fn stage(&self) -> Stage {
        case::view(&self.node.web.app, &Actor::Visitor, &self.id).await.expect("view").case.stage
    }
}

fn main(page: &str) -> &str {
    page.split("<main").nth(1).and_then(|rest| rest.split("</main>").next()).expect("main")
}

/// One primary action in the page, no more.
fn primary_once(page: &str) {
    assert_eq!(main(page).matches("btn primary").count() + main(page).matches("btn small primary").count(), 1, "{}", main(page));
}

#[tokio::test]
async fn a_case_is_worked_from_taking_to_the_draft_of_its_answer() {
    let house = house().await;
    let before = house.see().await;
    assert!(before.contains("受理") && before.contains(RUMOUR));
    primary_once(&before);

    house.done("take", &[]).await;
    let page = house.see().await;
    assert!(page.contains("下一步：确定领域和级别"));
    primary_once(&page);

    house.done("classify", &[("fields", "health"), ("fields", "food"), ("level", "1")]).await;
    let page = house.see().await;
    assert!(page.contains("下一步：先发一份说明") && page.contains("确定领域：健康生活"), "{page}");
    assert!(page.contains(RUMOUR) && page.contains("name=\"known\""), "a ready text stands in the form");
    primary_once(&page);

    house.done("hold", &[("known", "大蒜没有治疗感冒的证据。"), ("not_known", "这个说法从哪里来。"), ("next_hours", "4")]).await;
    let page = house.see().await;
    assert!(page.contains("下一步：请专家来答") && page.contains("大蒜没有治疗感冒的证据。"));
    assert!(page.contains("合 2 个领域中的 2 个") && page.contains("每月最多 8 件") && page.contains("执业医师（示例，虚构）"), "{page}");
    primary_once(&page);
    let narrowed = text(open(&house.site, &house.officer, &format!("{}?expert={}", house.page, urls::encode("周示例"))).await).await;
    assert!(narrowed.contains("周示例") && !narrowed.contains("value=\"p-su\""));

    house.done("expert", &[("party", "p-zhou")]).await;
    let page = house.see().await;
    let Stage::Working { draft: Some(draft), .. } = house.stage().await else { panic!("working") };
    assert!(page.contains("下一步：等专家写好答复") && page.contains(&urls::draft(&draft)));
    primary_once(&page);

    // Another expert: one answer is under way, never two.
    house.done("expert", &[("party", "p-su")]).await;
    let Stage::Working { draft: Some(other), expert: Some(expert), .. } = house.stage().await else { panic!("working") };
    assert_eq!(expert.as_str(), "p-su");
    let mut tx = house.node.web.app.db.read().await.expect("tx");
    let stage = async |tx: &mut kepu_store::Tx, id| kepu_store::create::draft::get(tx, id).await.expect("draft").stage.name();
    assert_eq!((stage(&mut tx, &draft).await, stage(&mut tx, &other).await), ("dropped", "writing"));
    drop(tx);

    house.done("hold", &[("known", "已请食品专家核对。"), ("not_known", "结论还没有。"), ("next_hours", "8")]).await;
    assert!(house.see().await.contains("已请食品专家核对。"));
    house.done("note", &[("note", "电话问过疾控，明早回。")]).await;
    assert!(house.see().await.contains("电话问过疾控，明早回。"));
    house.done("close", &[("reason", "卫生健康委已经统一答复，见其网站。"), ("confirm", "1")]).await;
    let page = house.see().await;
    assert!(page.contains("卫生健康委已经统一答复") && page.contains("这个案件已经结束"));
    assert!(main(&page).matches("btn primary").count() == 0, "nothing is left to do");
    let log = kepu_store::log::verify(&mut house.node.web.app.db.read().await.expect("tx")).await.expect("log");
    assert!(matches!(log, kepu_store::log::Verdict::Whole { .. }));
}

#[tokio::test]
async fn visitors_and_strangers_see_no_work_and_no_private_word() {
    let house = house().await;
    house.done("note", &[("note", "只给同事看的话")]).await;
    let visitor = text(send(&house.site, request(Method::GET, &house.page, "", "")).await).await;
    assert!(!visitor.contains(RUMOUR) && !visitor.contains("只给同事看的话") && !visitor.contains("id=\"work\""), "not taken yet");
    house.done("take", &[]).await;
    let visitor = text(send(&house.site, request(Method::GET, &house.page, "", "")).await).await;
    assert!(visitor.contains(RUMOUR) && !visitor.contains("只给同事看的话") && !visitor.contains("id=\"work\""));

    // An officer of a place that has nothing to do with it.
    let far = person(&house.node.web, "far", None, &[("420000", Role::DutyOfficer)]).await;
    let page = text(open(&house.site, &far, &house.page).await).await;
    assert!(!page.contains("id=\"work\"") && !page.contains("只给同事看的话"));
    for (step, fields) in moves() {
        // Rights come before the form: an empty one tells a stranger nothing else.
        for fields in [fields, vec![]] {
            let answer = submit(&house.site, &far, &format!("{}/{step}", house.page), &fields).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{step}");
        }
    }
    // Somebody without the role at all is stopped at the gate; nobody signed in is asked to sign in, and nothing typed is lost.
    let writer = person(&house.node.web, "writer", None, &[("org-nat", Role::Contributor)]).await;
    let answer = submit(&house.site, &writer, &format!("{}/note", house.page), &[("note", "x")]).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let answer = send(&house.site, request(Method::POST, &format!("{}/note", house.page), "", "note=%E5%86%99%E4%BA%86%E5%BE%88%E4%B9%85")).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert!(text(answer).await.contains("写了很久"));
    assert_eq!(open(&house.site, &house.officer, "/case/none").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(submit(&house.site, &house.officer, "/case/none/take", &[]).await.status(), StatusCode::NOT_FOUND);
}

/// One complete form for each move.
fn moves() -> Vec<(&'static str, Vec<(&'static str, &'static str)>)> {
    vec![
        ("take", vec![]),
        ("classify", vec![("fields", "health"), ("level", "2")]),
        ("hold", vec![("known", "知道的"), ("not_known", "不知道的"), ("next_hours", "4")]),
        ("expert", vec![("party", "p-zhou")]),
        ("note", vec![("note", "记录")]),
        ("close", vec![("reason", "原因"), ("confirm", "1")]),
    ]
}

#[tokio::test]
async fn every_refusal_names_field_and_cure_and_keeps_what_was_typed() {
    let house = house().await;
    // Before somebody has it, it cannot be answered for.
    assert_eq!(house.act("expert", &[("party", "p-zhou")]).await.status(), StatusCode::UNPROCESSABLE_ENTITY, "no fields yet: nobody fits");
    house.done("classify", &[("fields", "health"), ("level", "2")]).await;
    for step in ["expert", "hold"] {
        let fields = moves().into_iter().find(|(name, _)| *name == step).expect("move").1;
        assert_eq!(house.act(step, &fields).await.status(), StatusCode::CONFLICT, "{step}: take it first");
    }
    house.done("take", &[]).await;
    house.refused("classify", &[("level", "2")], "请至少选一个领域").await;
    house.refused("classify", &[("fields", "alchemy"), ("level", "2")], "请至少选一个领域").await;
    house.refused("classify", &[("fields", "health"), ("level", "9")], "请选一个级别").await;
    house.refused("hold", &[("known", "短"), ("not_known", "不知道的事情"), ("next_hours", "4")], "至少要 2 个").await;
    house.refused("hold", &[("known", "知道的事情"), ("not_known", "不知道的事情"), ("next_hours", "0")], "1 到 72").await;
    house.refused("hold", &[("known", "知道的事情"), ("not_known", "不知道的事情"), ("next_hours", "100")], "1 到 72").await;
    house.refused("hold", &[("known", "知道的事情"), ("not_known", "不知道的事情"), ("next_hours", "明天")], "1 到 72").await;
    house.refused("expert", &[("party", "p-wei")], "领域与内容不符").await;
    house.refused("expert", &[], "请选一位专家").await;
    assert_eq!(house.act("expert", &[("party", "p-nobody")]).await.status(), StatusCode::NOT_FOUND);
    house.refused("note", &[("note", "")], "至少要").await;
    house.refused("close", &[("reason", "已由别处答复"), ("confirm2", "1")], "请先勾选确认").await;
    house.refused("close", &[("reason", " "), ("confirm", "1")], "请写明原因").await;
    house.refused("take", &[("to", "nobody")], "不能办理这个案件").await;
    let long = "长".repeat(1_001);
    house.refused("note", &[("note", &long)], "最多 1000").await;
    house.done("close", &[("reason", "<script>alert(1)</script>不是科学问题"), ("confirm", "1")]).await;
    assert!(!house.see().await.contains("<script>alert"));
    for (step, fields) in moves().into_iter().filter(|(step, _)| *step != "note") {
        assert_eq!(house.act(step, &fields).await.status(), StatusCode::CONFLICT, "{step}: it is over");
    }
}

#[tokio::test]
async fn a_case_is_handed_to_a_colleague_who_may_have_it() {
    let house = house().await;
    house.done("take", &[]).await;
    let _colleague = person(&house.node.web, "同事", None, &[("000000", Role::Editor)]).await;
    let _writer = person(&house.node.web, "撰稿", None, &[("org-nat", Role::Contributor)]).await;
    let page = house.see().await;
    assert!(page.contains("同事</option>") && !page.contains("撰稿</option>"), "{page}");
    let id_of = async |login: &str| {
        let mut tx = house.node.web.app.db.read().await.expect("tx");
        kepu_store::account::find_by_login(&mut tx, &kepu_text::fold(login)).await.expect("found").expect("account").account.id
    };
    house.refused("take", &[("to", id_of("撰稿").await.as_str())], "不能办理这个案件").await;
    let colleague = id_of("同事").await;
    house.done("take", &[("to", colleague.as_str())]).await;
    assert!(matches!(house.stage().await, Stage::Working { owner, .. } if owner == colleague));
    let page = house.see().await;
    assert!(page.contains("转给同事") && page.contains("由我来办"));
    let visitor = text(send(&house.site, request(Method::GET, &house.page, "", "")).await).await;
    assert!(!visitor.contains("转给同事"));
    house.done("take", &[]).await;
    assert!(!matches!(house.stage().await, Stage::Working { owner, .. } if owner == colleague));
}

#[tokio::test]
async fn a_move_sent_twice_is_one_move() {
    let house = house().await;
    house.done("take", &[]).await;
    house.done("classify", &[("fields", "health"), ("level", "2")]).await;
    for (step, mut fields) in moves() {
        fields.push(("_once", "abcdefgh12345678"));
        if step == "close" {
            continue;
        }
        house.done(step, &fields).await;
        house.done(step, &fields).await;
    }
    let app = &house.node.web.app;
    let mut tx = app.db.read().await.expect("tx");
    let steps = kepu_store::listen::case::list_steps(&mut tx, &house.id, kepu_store::listen::case::Steps::All, 99).await.expect("steps");
    for (kind, times) in [("held", 1), ("asked", 1), ("note", 1)] {
        assert_eq!(steps.iter().filter(|step| step.kind == kind).count(), times, "{kind}");
    }
    let filter = kepu_store::create::draft::Filter { case: Some(house.id.clone()), ..Default::default() };
    assert_eq!(kepu_store::create::draft::count(&mut tx, &filter).await.expect("count"), 1);
    drop(tx);
    let close = [("reason", "已由别处答复"), ("confirm", "1"), ("_once", "abcdefgh12345678")];
    house.done("close", &close).await;
    house.done("close", &close).await;
}

#[tokio::test]
async fn the_same_claim_asked_in_other_words_joins_its_case() {
    let house = house().await;
    let node = &house.node;
    assert_eq!(ask(node, RUMOUR).await, house.id, "the same words");
    assert_eq!(ask(node, "听说把大蒜塞进耳朵能治感冒 是真的吗？？").await, house.id, "other marks");
    assert_eq!(ask(node, "把大蒜塞进耳朵能治感冒吗").await, house.id, "nearly the same words");
    assert_eq!(ask(node, "聽說把大蒜塞進耳朵能治感冒，是真的嗎").await, house.id, "traditional letters");
    let other = ask(node, "每天喝8杯水对身体好吗").await;
    assert_ne!(other, house.id);
    assert_ne!(ask(node, "每天喝3杯水对身体好吗").await, other, "other figures are another claim");
    assert_ne!(ask(node, "把生姜贴在肚脐能治晕车吗").await, house.id);
    let (a, b) = tokio::join!(ask(node, "两个人同时问的一句话是不是真的"), ask(node, "两个人同时问的一句话是不是真的"));
    assert_eq!(a, b, "two at the same moment");
    house.done("take", &[]).await;
    let page = house.see().await;
    assert!(page.contains("5 次提问") && page.contains("种问法") && page.contains("把大蒜塞进耳朵能治感冒吗"), "{page}");
    // The other wordings go into the answer's draft; what is over is joined by nobody.
    house.done("classify", &[("fields", "health"), ("level", "2")]).await;
    house.done("expert", &[("party", "p-zhou")]).await;
    let Stage::Working { draft: Some(draft), .. } = house.stage().await else { panic!("working") };
    let mut tx = node.web.app.db.read().await.expect("tx");
    let matter = kepu_store::create::draft::get(&mut tx, &draft).await.expect("draft").matter;
    drop(tx);
    let kepu_domain::create::draft::Matter::Claim(claim) = matter else { panic!("a claim") };
    assert!(claim.variants.iter().any(|variant| variant == "把大蒜塞进耳朵能治感冒吗"), "{:?}", claim.variants);
    house.done("close", &[("reason", "已由别处答复"), ("confirm", "1")]).await;
    assert_ne!(ask(node, RUMOUR).await, house.id);
}

#[tokio::test]
async fn the_list_filters_pages_and_exports() {
    let house = house().await;
    let app = &house.node.web.app;
    let mut tx = app.db.write().await.expect("tx");
    let long_ago = app.now() - jiff::SignedDuration::from_hours(200);
    let first = kepu_store::listen::case::get(&mut tx, &house.id).await.expect("case");
    for n in 0..35 {
        let case = kepu_domain::listen::case::Case {
            id: CaseId(format!("late{n:02}")),
            title: format!("=旧问题{n}"),
            kind: "rumour".into(),
            opened_at: long_ago,
            region: Region::parse("420000").expect("code"),
            ..first.clone()
        };
        kepu_store::listen::case::insert(&mut tx, &case).await.expect("insert");
    }
    tx.commit().await.expect("commit");
    let list = async |query: &str| text(open(&house.site, &house.officer, &format!("/cases{query}")).await).await;
    let page = list("").await;
    assert!(page.contains("36 条，第 1—30 条") && page.contains("rel=\"next\""), "{page}");
    assert!(list("?page=2").await.contains("第 31—36 条"));
    assert!(list("?late=1").await.contains("35 条"));
    assert!(list("?kind=question").await.contains("1 条"));
    assert!(list("?region=410000").await.contains("1 条") && list("?region=420000&late=1").await.contains("35 条"));
    assert!(list("?stage=answered").await.contains("没有符合条件的案件"));
    assert!(list("?stage=any&kind=rumour").await.contains("35 条"));
    assert!(list("?mine=1").await.contains("没有符合条件的案件"));
    house.done("take", &[]).await;
    assert!(list("?mine=1").await.contains("1 条") && list("?stage=working").await.contains("1 条"));
    let csv = text(open(&house.site, &house.officer, "/cases?kind=rumour&format=csv").await).await;
    assert_eq!(csv.lines().count(), 36);
    assert!(csv.contains("'=旧问题7") && csv.contains(",true,"), "{csv}");

    // Visitors may filter too, and read no words of what nobody has taken; the export is for those who work.
    let visitor = text(send(&house.site, request(Method::GET, "/cases?late=1", "", "")).await).await;
    assert!(visitor.contains("35 条") && !visitor.contains("旧问题") && !visitor.contains("CSV"));
    assert_eq!(send(&house.site, request(Method::GET, "/cases?format=csv", "", "")).await.status(), StatusCode::UNAUTHORIZED);
    let far = person(&house.node.web, "far", None, &[("420000", Role::DutyOfficer)]).await;
    let csv = text(open(&house.site, &far, "/cases?kind=rumour&format=csv").await).await;
    assert!(!csv.contains("旧问题"), "an officer elsewhere reads no more than a visitor");
    for nasty in ["?page=0", "?page=9999", "?stage=%27%3B--", "?region=zz", "?kind=<script>"] {
        let answer = open(&house.site, &house.officer, &format!("/cases{}", nasty.replace('<', "%3C").replace('>', "%3E"))).await;
        assert_eq!(answer.status(), StatusCode::OK, "{nasty}");
    }
}
