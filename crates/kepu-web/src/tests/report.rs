//! Reports against content: filed by anybody, decided with a reason, appealed against once and decided by somebody else.

use super::drafts::team;
use super::{body, open, person, place, request, send, submit, text};
use axum::http::{Method, StatusCode};
use kepu_domain::access::Role;

#[tokio::test]
async fn a_report_is_decided_in_public_and_appealed_against_once() {
    let t = team().await;
    let address = crate::urls::report(&t.claim);
    let file = async |ground: &str, words: &str| send(&t.site, request(Method::POST, &address, "", &body(&[("ground", ground), ("words", words)]))).await;
    for (ground, words) in [("", "写错了"), ("nothing", "写错了"), ("wrong", "")] {
        assert_eq!(file(ground, words).await.status(), StatusCode::UNPROCESSABLE_ENTITY, "{ground} {words}");
    }
    let case = place(&file("wrong", "第三段的剂量写错了，电话13800138000").await);
    assert!(case.starts_with("/case/"), "{case}");
    assert_eq!(place(&file("wrong", "我也觉得剂量不对").await), case, "one case for one ground");
    assert_ne!(place(&file("outdated", "指南早就更新了").await), case);
    let page = text(send(&t.site, request(Method::GET, &case, "", "")).await).await;
    assert!(page.contains("内容不科学") && page.contains("举报次数</dt><dd>2<") && !page.contains("剂量") && !page.contains("138"), "{page}");
    // Who works on it reads the words, without what looked like a telephone number.
    assert_eq!(submit(&t.site, &t.duty, &format!("{case}/decide"), &[("outcome", "kept"), ("reason", "没有问题")]).await.status(), StatusCode::FORBIDDEN);
    submit(&t.site, &t.editor, &format!("{case}/take"), &[]).await;
    let page = text(open(&t.site, &t.editor, &case).await).await;
    assert!(page.contains("第三段的剂量写错了") && !page.contains("13800138000"), "{page}");
    for (outcome, said) in [("", "选一项处理结果"), ("corrected", "还没有更正"), ("withdrawn", "还没有撤回")] {
        let answer = submit(&t.site, &t.editor, &format!("{case}/decide"), &[("outcome", outcome), ("reason", "核对了指南")]).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let page = text(answer).await;
        assert!(page.contains(said), "{page}");
    }
    for step in ["close", "hold"] {
        let refused = submit(
            &t.site,
            &t.editor,
            &format!("{case}/{step}"),
            &[("reason", "不想办"), ("confirm", "1"), ("known", "知道"), ("not_known", "不知道"), ("next_hours", "3")],
        )
        .await;
        assert!(text(refused).await.contains("举报的内容"), "{step}");
    }
    let decided = submit(&t.site, &t.editor, &format!("{case}/decide"), &[("outcome", "kept"), ("reason", "核对了两份指南，剂量无误。")]).await;
    assert_eq!(place(&decided), case);
    let page = text(send(&t.site, request(Method::GET, &case, "", "")).await).await;
    assert!(page.contains("核查无误，保留") && page.contains("核对了两份指南") && page.contains("申诉"), "{page}");
    let appeal = async |words: &str| send(&t.site, request(Method::POST, &format!("{case}/appeal"), "", &body(&[("words", words)]))).await;
    assert_eq!(appeal("").await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(place(&appeal("指南的日期看错了").await), case);
    submit(&t.site, &t.editor, &format!("{case}/take"), &[]).await;
    let again = submit(&t.site, &t.editor, &format!("{case}/decide"), &[("outcome", "kept"), ("reason", "还是没有问题")]).await;
    assert!(text(again).await.contains("不能处理申诉"));
    let other = person(&t.node.web, "editor2", None, &[("org-nat", Role::Editor)]).await;
    submit(&t.site, &other, &format!("{case}/take"), &[]).await;
    kepu_app::create::take_back::withdraw(&t.node.web.app, &kepu_domain::access::Actor::Node { name: "operator".into() }, &t.claim, "剂量写错了")
        .await
        .expect("withdrawn");
    assert_eq!(place(&submit(&t.site, &other, &format!("{case}/decide"), &[("outcome", "withdrawn"), ("reason", "申诉成立，已撤回。")]).await), case);
    assert!(text(appeal("再来一次").await).await.contains("不能申诉"));
    assert_eq!(file("wrong", "撤回的还要举报").await.status(), StatusCode::NOT_FOUND, "what is not shown cannot be reported");
}
