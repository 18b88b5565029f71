//! Taking back through the router: under check, given back, a word from above, and who still has it.

use super::drafts::team;
use super::{open, place, request, send, submit, text};
use axum::Router;
use axum::http::{Method, StatusCode};
use kepu_domain::access::Actor;
use kepu_domain::ids::SubjectId;

async fn get(site: &Router, path: &str) -> (StatusCode, String) {
    let answer = send(site, request(Method::GET, path, "", "")).await;
    (answer.status(), text(answer).await)
}

fn in_days(n: i64) -> String {
    let now = jiff::tz::Offset::constant(8).to_datetime(jiff::Timestamp::now()).date();
    now.checked_add(jiff::Span::new().days(n)).expect("day").to_string()
}

#[tokio::test]
async fn what_is_under_check_is_nowhere_until_it_is_given_back() {
    let t = team().await;
    let page = crate::urls::claim(&t.claim);
    let at = |deed: &str| crate::urls::take_back(deed, &t.claim);
    let words = [("reason", "有人指出剂量写错了，正在核查。")];
    // Whoever may not, and what was not said.
    assert_eq!(submit(&t.site, &t.doctor, &at("hold"), &words).await.status(), StatusCode::FORBIDDEN);
    for (next, reason) in
        [("", "有人指出剂量写错了"), ("2020-01-01", "有人指出剂量写错了"), (in_days(400).as_str(), "有人指出剂量写错了"), (in_days(2).as_str(), "")]
    {
        let answer = submit(&t.site, &t.duty, &at("hold"), &[("reason", reason), ("next", next)]).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{next} {reason}");
        let said = text(answer).await;
        assert!(said.contains(if reason.is_empty() { "reason-err" } else { "next-err" }), "{said}");
    }
    let (_, list) = get(&t.site, "/api/claims?limit=500").await;
    assert!(list.contains(t.claim.as_str()));
    let next = in_days(2);
    let held = submit(&t.site, &t.duty, &at("hold"), &[words[0], ("next", &next)]).await;
    assert_eq!(place(&held), page);
    let (status, tomb) = get(&t.site, &page).await;
    assert!(status == StatusCode::GONE && tomb.contains("正在核查") && tomb.contains("剂量写错了") && tomb.contains("下次通报"), "{tomb}");
    let (status, api) = get(&t.site, &format!("/api{}", page.replace("/c/", "/claims/"))).await;
    assert!(status == StatusCode::GONE && api.contains(&next), "{api}");
    for path in ["/api/claims?limit=500", "/claims?format=csv", "/api/claims.jsonl"] {
        assert!(!get(&t.site, path).await.1.contains(t.claim.as_str()), "{path}");
    }
    assert!(get(&t.site, "/feed.atom?kind=claim").await.1.contains(&format!("<at:deleted-entry ref=\"{}\"", t.claim)));
    assert_eq!(get(&t.site, &crate::urls::embed("claim", &t.claim)).await.0, StatusCode::GONE);
    // Once is enough; the duty officer does not decide what comes of it.
    let again = submit(&t.site, &t.duty, &at("hold"), &[words[0], ("next", &next)]).await;
    assert!(text(again).await.contains("已经收起来核查"));
    assert_eq!(submit(&t.site, &t.duty, &at("release"), &words).await.status(), StatusCode::FORBIDDEN);
    let tools = text(open(&t.site, &t.editor, &page).await).await;
    assert!(tools.contains(&at("release")) && tools.contains(&at("withdraw")) && !tools.contains(&at("hold")), "{tools}");
    assert_eq!(place(&submit(&t.site, &t.editor, &at("release"), &[("reason", "两位医生复核，剂量无误。")]).await), page);
    let (status, shown) = get(&t.site, &page).await;
    assert!(status == StatusCode::OK && shown.contains("核查完放回"), "{shown}");
    assert!(get(&t.site, "/api/claims?limit=500").await.1.contains(t.claim.as_str()));
    let refused = submit(&t.site, &t.editor, &at("release"), &[("reason", "再放一次")]).await;
    assert!(text(refused).await.contains("不是由本单位收起来的"));
    let (_, history) = get(&t.site, &crate::urls::history(&t.claim)).await;
    assert!(history.contains("收起来核查") && history.contains("两位医生复核") && history.contains("利益关系声明"), "{history}");
    // A word from above is for what others said.
    let own = submit(&t.site, &t.editor, &at("notice"), &[("reason", "上级认为这里不对。")]).await;
    assert!(text(own).await.contains("本单位的内容"));
}

#[tokio::test]
async fn what_was_under_check_may_be_withdrawn_and_a_second_withdrawal_is_refused() {
    let t = team().await;
    let at = |deed: &str| crate::urls::take_back(deed, &t.claim);
    submit(&t.site, &t.editor, &at("hold"), &[("reason", "有人指出剂量写错了"), ("next", &in_days(1))]).await;
    assert!(place(&submit(&t.site, &t.editor, &at("withdraw"), &[("reason", "核查后确认写错了")]).await).starts_with("/c/"));
    let (status, tomb) = get(&t.site, &crate::urls::claim(&t.claim)).await;
    assert!(status == StatusCode::GONE && tomb.contains("已撤回") && !tomb.contains("下次通报"), "{tomb}");
    assert!(text(submit(&t.site, &t.editor, &at("withdraw"), &[("reason", "再撤一次")]).await).await.contains("已经撤回"));
    let late = submit(&t.site, &t.editor, &at("hold"), &[("reason", "还想核查"), ("next", &in_days(1))]).await;
    assert!(text(late).await.contains("已经撤回"));
}

#[tokio::test]
async fn whoever_put_it_up_is_asked_to_take_it_down_and_says_so_with_one_tap() {
    let t = team().await;
    let made = submit(&t.site, &t.doctor, "/packs", &[("province", "410000"), ("county", "固始县"), ("lang", "zh-Hans")]).await;
    let pack = place(&made);
    assert!(pack.starts_with("/packs/"), "{pack}");
    submit(&t.site, &t.doctor, &format!("{pack}/posted"), &[]).await;
    let (_, page) = get(&t.site, &pack).await;
    let first = page.split("<li><h3><a href=\"/r/").nth(1).and_then(|rest| rest.split('"').next()).expect("an item").to_owned();
    let id = SubjectId(format!("kepu:{first}"));
    let recall = crate::urls::recall(&id);
    assert!(!text(open(&t.site, &t.doctor, "/desk").await).await.contains(&recall));
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let operator = Actor::Node { name: "operator".into() };
    kepu_app::create::take_back::withdraw(&t.node.web.app, &operator, &id, "剂量写错了").await.expect("withdrawn");
    assert!(text(open(&t.site, &t.doctor, "/desk").await).await.contains(&recall));
    // A pack that is filled up again still hangs as it was.
    submit(&t.site, &t.editor, "/packs", &[("province", "410000"), ("county", "固始县"), ("lang", "zh-Hans")]).await;
    let seen = text(open(&t.site, &t.doctor, &recall).await).await;
    assert!(seen.contains("张贴处 1 个，0 个已确认取下") && seen.contains("已取下"), "{seen}");
    let csv = text(open(&t.site, &t.editor, &format!("{recall}?format=csv")).await).await;
    assert!(csv.lines().any(|line| line.starts_with("board,") && line.contains(",1,0,")), "{csv}");
    let id_of = pack.trim_start_matches("/packs/");
    assert_eq!(submit(&t.site, &t.editor, &recall, &[("pack", id_of)]).await.status(), StatusCode::NOT_FOUND, "who did not put it up cannot take it down");
    assert_eq!(place(&submit(&t.site, &t.doctor, &recall, &[("pack", id_of)]).await), recall);
    assert!(text(open(&t.site, &t.doctor, &recall).await).await.contains("张贴处 1 个，1 个已确认取下"));
    assert!(!text(open(&t.site, &t.doctor, "/desk").await).await.contains(&recall));
    let (status, slip) = get(&t.site, &crate::urls::sticker(&id)).await;
    assert!(status == StatusCode::OK && slip.contains("此内容已撤回") && slip.contains("剂量写错了"), "{slip}");
    assert_eq!(get(&t.site, &crate::urls::sticker(&t.claim)).await.0, StatusCode::NOT_FOUND, "nothing was taken back");
    let (_, history) = get(&t.site, &crate::urls::history(&id)).await;
    assert!(history.contains("张贴处 1 个，1 个已确认取下"), "{history}");
}
