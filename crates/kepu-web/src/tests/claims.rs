//! Claims as people meet them, through the router: what a message is answered with, what is counted, wordings that editors take, merges with their refusals, and
//! what is passed on.

use super::{Node, Person, open, person, place, request, seeded, send, submit, text};
use crate::urls;
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use kepu_app::listen::{hear, known, merge};
use kepu_domain::access::{Actor, Role};
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::sighting::{COUNTED_AN_HOUR, Channel};
use kepu_store::listen::{case as cases, merge as merges, sighting, wording};
use kepu_store::subject;
use serde_json::{Value, json};

const LEFTOVERS: &str = "隔夜菜千万别吃，亚硝酸盐超标，吃了会致癌";

fn operator() -> Actor {
    Actor::Node { name: "operator".into() }
}

async fn get(site: &Router, path: &str) -> (StatusCode, String) {
    let answer = send(site, request(Method::GET, path, "", "")).await;
    (answer.status(), text(answer).await)
}

async fn post(site: &Router, path: &str, fields: &[(&str, &str)]) -> (StatusCode, String) {
    let answer = send(site, request(Method::POST, path, "", &super::body(fields))).await;
    (answer.status(), text(answer).await)
}

async fn asked(site: &Router, q: &str) -> Value {
    let call = Request::builder().method(Method::POST).uri("/api/check").header(header::CONTENT_TYPE, "application/json");
    let answer = send(site, call.body(Body::from(json!({"text": q}).to_string())).expect("request")).await;
    assert_eq!(answer.status(), StatusCode::OK);
    serde_json::from_str(&text(answer).await).expect("json")
}

/// The seeded claim that says this.
async fn claim_of(node: &Node, title: &str) -> SubjectId {
    let mut tx = node.web.app.db.read().await.expect("tx");
    let filter = subject::Filter { kind: Some("claim".into()), ..subject::Filter::default() };
    let rows = subject::list(&mut tx, &filter, subject::Order::Newest, None, 1_000).await.expect("list");
    rows.into_iter().find(|row| row.title == title).expect("seeded").id
}

async fn times(node: &Node, claim: &SubjectId) -> i64 {
    hear::settle(&node.web.app).await.expect("written");
    let mut tx = node.web.app.db.read().await.expect("tx");
    sighting::by_hour(&mut tx, std::slice::from_ref(claim)).await.expect("sum").into_iter().map(|(_, count)| count).sum()
}

#[tokio::test]
async fn a_known_claim_is_answered_with_its_reason_in_either_script() {
    let (node, site, _) = seeded().await;
    let claim = claim_of(&node, LEFTOVERS).await;
    for q in [LEFTOVERS, "隔夜菜千萬別吃，亞硝酸鹽超標，吃了會致癌", "【紧急】隔 夜 菜 千 万 别 吃！！亚硝酸盐超标，吃了会致癌😱😱😱"]
    {
        let (status, page) = post(&site, "/check", &[("q", q)]).await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains("class=\"panel v-false\"") && page.contains(&urls::claim(&claim)) && page.contains("<mark>"), "{q}: {page}");
        assert!(page.contains(&urls::share(&claim)) && page.contains("核实于"), "{page}");
    }
    assert_eq!(times(&node, &claim).await, 3);
}

#[tokio::test]
async fn the_contrary_of_a_claim_is_never_answered_with_it() {
    let (node, site, _) = seeded().await;
    for (known, turned) in [
        ("微波炉加热的食物会致癌", "微波炉加热的食物不会致癌"),
        ("家里装WiFi会致癌，晚上不关对小孩伤害特别大", "家里装WiFi不会致癌"),
        ("蚊子会传染艾滋病", "蚊子不会传染艾滋病"),
        ("圣女果、紫薯、彩椒、小黄瓜都是转基因的，别买", "圣女果、紫薯、彩椒、小黄瓜都不是转基因的"),
    ] {
        assert_eq!(asked(&site, known).await["band"], "answer", "{known}");
        let answer = asked(&site, turned).await;
        assert_ne!(answer["band"], "answer", "{turned}: {answer}");
    }
    drop(node);
}

#[tokio::test]
async fn every_claim_of_a_long_message_is_found() {
    let (node, site, _) = seeded().await;
    let chatter = "家人们，今天群里王阿姨转来的，大家都看一看，转给身边的老人。".repeat(3);
    let q = format!("{chatter}{LEFTOVERS}。{chatter}鱼刺卡喉咙，喝点醋、吞口饭团就下去了。{chatter}打呼噜说明睡得香，不用管。");
    let answer = asked(&site, &q).await;
    let sure: Vec<&str> =
        answer["matches"].as_array().expect("list").iter().filter(|m| m["band"] == "answer").filter_map(|m| m["claim"]["title"].as_str()).collect();
    assert!(sure.contains(&LEFTOVERS) && sure.iter().any(|title| title.starts_with("鱼刺卡喉咙")) && sure.len() >= 3, "{answer}");
    assert!(answer["say"].as_str().expect("text").contains("核实日期"), "{answer}");
    drop(node);
}

#[tokio::test]
async fn bad_input_is_bounded_and_told() {
    let (_node, site, _) = seeded().await;
    for (q, says) in
        [("😀".repeat(3_000), "我们还没有查过"), ("\u{200b}\u{200d}\u{feff}".repeat(500), "贴在这里"), ("e\u{301}".repeat(5_000), "只看了前 4000 个字")]
    {
        let (status, page) = post(&site, "/check", &[("q", &q)]).await;
        assert!(status == StatusCode::OK && page.contains(says), "{says}: {status} {page}");
    }
    let (_, page) = post(&site, "/check", &[("q", &format!("{}{LEFTOVERS}", "天气真好。".repeat(5_000)))]).await;
    assert!(page.contains("只看了前 4000 个字"), "{page}");
    let (status, _) = post(&site, "/check", &[("q", &"长".repeat(100_000))]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "a form has its limit and says so");
    let answer = asked(&site, "我是13800138000，住光辉路18号3栋501室，豫S12345，隔夜菜能吃吗").await;
    let query = answer["query"].as_str().expect("text");
    assert!(!query.contains("138001") && !query.contains("18号") && !query.contains("12345") && query.contains("隔夜菜"), "{query}");
}

#[tokio::test]
async fn a_flood_of_one_text_is_no_wave() {
    let (node, site, _) = seeded().await;
    let claim = claim_of(&node, LEFTOVERS).await;
    for n in 0..COUNTED_AN_HOUR * 2 {
        // Ornaments do not make another text.
        asked(&site, &format!("{}{LEFTOVERS}", "！".repeat(n as usize))).await;
    }
    assert_eq!(times(&node, &claim).await, i64::from(COUNTED_AN_HOUR));
    let mut tx = node.web.app.db.read().await.expect("tx");
    assert_eq!(sighting::by_channel(&mut tx, &[claim]).await.expect("channels"), [(Channel::Api, i64::from(COUNTED_AN_HOUR))]);
}

#[tokio::test]
async fn fewer_than_five_are_shown_nowhere() {
    let (node, site, _) = seeded().await;
    let claim = claim_of(&node, LEFTOVERS).await;
    let editor = person(&node.web, "t-editor", None, &[("org-nat", Role::Editor)]).await;
    let care = urls::care(&claim);
    for n in 0..5 {
        let (_, page) = get(&site, &urls::claim(&claim)).await;
        let inside = text(open(&site, &editor, &care).await).await;
        assert!(!page.contains("class=\"year\"") && inside.contains("不足 5 次"), "{n}: {inside}");
        asked(&site, LEFTOVERS).await;
    }
    let (_, page) = get(&site, &urls::claim(&claim)).await;
    let inside = text(open(&site, &editor, &care).await).await;
    assert!(page.contains("class=\"year\"") && inside.contains("共 5 次"), "{inside}");
}

/// Chooses a claim for a message, as somebody does on the page.
async fn this_one(site: &Router, claim: &SubjectId, q: &str) -> axum::http::Response<Body> {
    send(site, request(Method::POST, "/check/same", "", &super::body(&[("claim", claim.as_str()), ("q", q)]))).await
}

#[tokio::test]
async fn words_that_somebody_meant_become_a_wording_and_are_answered_next_time() {
    let (node, site, _) = seeded().await;
    let claim = claim_of(&node, LEFTOVERS).await;
    let said = "昨天的剩菜今天还能吃吗，都说太多要得癌，电话13800138000";
    let before = asked(&site, said).await;
    assert_eq!(before["band"], "ask", "a person must look: {before}");
    let answer = this_one(&site, &claim, said).await;
    assert!(answer.status() == StatusCode::SEE_OTHER && place(&answer) == urls::claim(&claim));
    // What is far from the claim is no wording of it, whoever says so.
    assert_eq!(this_one(&site, &claim, "月球上看得见长城吗").await.status(), StatusCode::SEE_OTHER);
    assert_eq!(this_one(&site, &"kepu:abcdefgh23/none".into(), said).await.status(), StatusCode::NOT_FOUND);
    let mut tx = node.web.app.db.read().await.expect("tx");
    let waiting = wording::list(&mut tx, &claim, 9).await.expect("list");
    drop(tx);
    assert!(waiting.len() == 1 && !waiting[0].text.contains("138001"), "{waiting:?}");

    let editor = person(&node.web, "t-editor", None, &[("org-nat", Role::Editor)]).await;
    let care = urls::care(&claim);
    let page = text(open(&site, &editor, &care).await).await;
    assert!(page.contains("昨天的剩菜今天还能吃吗") && page.contains("收为写法"), "{page}");
    assert_eq!(submit(&site, &editor, &care, &[("do", "add"), ("wording", &waiting[0].text)]).await.status(), StatusCode::SEE_OTHER);
    let after = asked(&site, said).await;
    assert_eq!((&after["band"], after["matches"][0]["claim"]["id"].as_str()), (&json!("answer"), Some(claim.as_str())), "{after}");
    let mut tx = node.web.app.db.read().await.expect("tx");
    assert_eq!(wording::count(&mut tx, &claim).await.expect("count"), 0);
    drop(tx);
    // The same again, the contrary, another claim's words, and nothing at all.
    for (words, says) in
        [(waiting[0].text.as_str(), "已经有了"), ("隔夜菜不会致癌", "意思与说法相反"), ("微波炉加热的食物会致癌", "另一条说法已经有这句话"), ("", "至少")]
    {
        let answer = submit(&site, &editor, &care, &[("do", "add"), ("wording", words)]).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{words}");
        let page = text(answer).await;
        assert!(page.contains("role=\"alert\"") && page.contains(says), "{words}: {page}");
    }
    let digest = data_encoding::HEXLOWER.encode(&known::digest(&waiting[0].text));
    assert_eq!(submit(&site, &editor, &care, &[("do", "remove"), ("digest", &digest)]).await.status(), StatusCode::SEE_OTHER);
    assert_ne!(asked(&site, said).await["band"], "answer");
}

struct Two {
    node: Node,
    site: Router,
    editor: Person,
    second: Person,
    from: SubjectId,
    same: SubjectId,
    other: SubjectId,
}

/// Two false claims about microwaves, and a true one.
async fn two() -> Two {
    let (node, site, _) = seeded().await;
    let editor = person(&node.web, "t-editor", None, &[("org-nat", Role::Editor)]).await;
    let second = person(&node.web, "t-second", None, &[("org-nat", Role::Editor)]).await;
    let from = claim_of(&node, "微波炉一开，人要躲到两米外，站旁边看会伤眼睛、得癌症").await;
    let same = claim_of(&node, "微波炉有辐射，热过的饭菜会致癌，营养也全没了").await;
    let other = claim_of(&node, "四季豆没炒熟会中毒，要炒到变色熟透才能吃").await;
    Two { node, site, editor, second, from, same, other }
}

#[tokio::test]
async fn claims_that_say_the_same_are_merged_and_parted_by_one_press() {
    let two = two().await;
    let (site, care) = (&two.site, urls::care(&two.from));
    let press = async |fields: &[(&str, &str)]| submit(site, &two.editor, &care, fields).await;
    let answer = press(&[("do", "merge"), ("into", two.same.as_str()), ("reason", "")]).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "a merge says why");
    // By its address as somebody pastes it.
    let address = format!("https://kepu.example.cn{}?x=1", urls::claim(&two.same));
    assert_eq!(press(&[("do", "merge"), ("other", &address), ("reason", "说的是同一件事")]).await.status(), StatusCode::SEE_OTHER);
    let old = send(site, request(Method::GET, &urls::claim(&two.from), "", "")).await;
    assert!(old.status() == StatusCode::SEE_OTHER && place(&old) == urls::claim(&two.same));
    let answered = asked(site, "微波炉一开，人要躲到两米外，站旁边看会伤眼睛、得癌症").await;
    assert_eq!(answered["matches"][0]["claim"]["id"], two.same.as_str(), "{answered}");
    let (_, list) = get(site, "/claims?field=").await;
    assert!(!list.contains(&format!("href=\"{}\"", urls::claim(&two.from))));
    for (fields, says) in
        [([("do", "merge"), ("into", two.other.as_str()), ("reason", "再并一次")], "已经归并过"), ([("do", "agree"), ("merge", "nothing"), ("x", "")], "")]
    {
        let answer = press(&fields).await;
        let status = answer.status();
        let page = text(answer).await;
        assert!(status == StatusCode::UNPROCESSABLE_ENTITY && page.contains(says) || status == StatusCode::NOT_FOUND, "{status} {page}");
    }
    // Its answer into it: a ring.
    let ring = submit(site, &two.editor, &urls::care(&two.same), &[("do", "merge"), ("into", two.from.as_str()), ("reason", "反过来")]).await;
    assert!(text(ring).await.contains("不能并入它自己"));

    assert_eq!(press(&[("do", "split")]).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(get(site, &urls::claim(&two.from)).await.0, StatusCode::OK);
    let answered = asked(site, "微波炉一开，人要躲到两米外，站旁边看会伤眼睛、得癌症").await;
    assert_eq!(answered["matches"][0]["claim"]["id"], two.from.as_str());
    assert!(text(press(&[("do", "split")]).await).await.contains("没有归并过"));
    let mut tx = two.node.web.app.db.read().await.expect("tx");
    let log = merges::list(&mut tx, &two.from, 9).await.expect("list");
    assert!(log.len() == 1 && log[0].stage.as_str() == "undone" && log[0].reason == "说的是同一件事");
    assert!(matches!(kepu_store::log::verify(&mut tx).await.expect("log"), kepu_store::log::Verdict::Whole { .. }));
}

#[tokio::test]
async fn a_merge_that_would_change_the_verdict_takes_a_second_person() {
    let two = two().await;
    let care = urls::care(&two.from);
    let asked_for = submit(&two.site, &two.editor, &care, &[("do", "merge"), ("into", two.other.as_str()), ("reason", "恶意归并")]).await;
    assert_eq!(asked_for.status(), StatusCode::SEE_OTHER);
    assert_eq!(get(&two.site, &urls::claim(&two.from)).await.0, StatusCode::OK, "nothing holds yet");
    let mut tx = two.node.web.app.db.read().await.expect("tx");
    let waiting = merges::list(&mut tx, &two.from, 9).await.expect("list").remove(0);
    drop(tx);
    let own = submit(&two.site, &two.editor, &care, &[("do", "agree"), ("merge", &waiting.id)]).await;
    assert_eq!(own.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(own).await.contains("不能自己同意自己"));
    assert_eq!(submit(&two.site, &two.second, &care, &[("do", "refuse"), ("merge", &waiting.id)]).await.status(), StatusCode::SEE_OTHER);
    let late = submit(&two.site, &two.second, &care, &[("do", "agree"), ("merge", &waiting.id)]).await;
    assert!(text(late).await.contains("已经有了结果"));
    assert_eq!(get(&two.site, &urls::claim(&two.from)).await.0, StatusCode::OK);

    submit(&two.site, &two.editor, &care, &[("do", "merge"), ("into", two.other.as_str()), ("reason", "两个人都同意的话")]).await;
    let mut tx = two.node.web.app.db.read().await.expect("tx");
    let waiting = merges::list(&mut tx, &two.from, 9).await.expect("list").remove(0);
    drop(tx);
    assert_eq!(submit(&two.site, &two.second, &care, &[("do", "agree"), ("merge", &waiting.id)]).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(get(&two.site, &urls::claim(&two.from)).await.0, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn nobody_but_its_editors_sees_or_moves_a_claims_care() {
    let two = two().await;
    let care = urls::care(&two.from);
    let elsewhere = person(&two.node.web, "t-elsewhere", None, &[("410000", Role::Editor)]).await;
    let writer = person(&two.node.web, "t-writer", None, &[("org-nat", Role::Contributor)]).await;
    let fields = [("do", "merge"), ("into", two.same.as_str()), ("reason", "不该做成")];
    for (who, status) in [(&elsewhere, StatusCode::NOT_FOUND), (&writer, StatusCode::FORBIDDEN)] {
        assert_eq!(open(&two.site, who, &care).await.status(), status);
        let answer = submit(&two.site, who, &care, &fields).await.status();
        assert!(answer == status || answer == StatusCode::FORBIDDEN, "{answer}");
    }
    assert_eq!(get(&two.site, &care).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(get(&two.site, &urls::claim(&two.from)).await.0, StatusCode::OK, "nothing was merged");
    assert!(merge::work(&two.node.web.app, &operator(), &two.from).await.is_ok());
}

#[tokio::test]
async fn a_claim_that_returns_after_its_date_is_served_with_it_and_looked_at_once() {
    let (node, _, _) = seeded().await;
    let claim = claim_of(&node, LEFTOVERS).await;
    let later = node.restarted(2 * 365 * 24 * 60).await;
    let site = crate::router(later.clone());
    let (_, page) = post(&site, "/check", &[("q", LEFTOVERS)]).await;
    assert!(page.contains("class=\"panel v-false\"") && page.contains("已过复核日期"), "{page}");
    asked(&site, LEFTOVERS).await;
    let again = crate::router(node.restarted(2 * 365 * 24 * 60 + 1).await);
    asked(&again, LEFTOVERS).await;
    let mut tx = later.app.db.read().await.expect("tx");
    let open = cases::list(&mut tx, &cases::Filter { kind: Some("recheck".into()), ..cases::Filter::default() }, None, 9).await.expect("cases");
    assert_eq!(open.len(), 1, "one case, however often it is met");
    assert!(open[0].subject == claim && open[0].held_at.is_some());
}

#[tokio::test]
async fn an_answer_is_passed_on_as_text_picture_and_script() {
    let (node, site, _) = seeded().await;
    let claim = claim_of(&node, LEFTOVERS).await;
    let base = urls::claim(&claim);
    let (_, page) = get(&site, &urls::share(&claim)).await;
    assert!(page.contains("card.svg") && page.contains("核实日期") && page.contains(&base), "{page}");
    let (_, chat) = get(&site, &format!("{base}/chat.txt")).await;
    assert!(chat.contains("核实日期") && chat.trim_end().ends_with(&base) && chat.chars().count() < 400, "{chat}");
    let (_, spoken) = get(&site, &format!("{base}/spoken.txt")).await;
    assert!(spoken.contains("有人说") && spoken.contains("不实") && !spoken.contains("http"), "{spoken}");
    let answer = send(&site, request(Method::GET, &format!("{base}/card.svg"), "", "")).await;
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "image/svg+xml; charset=utf-8");
    let svg = text(answer).await;
    assert!(svg.starts_with("<svg") && svg.contains("不实") && !svg.contains("style="), "{svg}");
    kepu_app::create::take_back::withdraw(&node.web.app, &operator(), &claim, "依据已经更新，重新核查。").await.expect("withdrawn");
    for file in ["share", "chat.txt", "spoken.txt", "card.svg"] {
        assert_eq!(get(&site, &format!("{base}/{file}")).await.0, StatusCode::GONE, "{file}");
    }
    assert_ne!(asked(&site, LEFTOVERS).await["band"], "answer", "what was withdrawn answers nothing");
}

#[tokio::test]
async fn a_bot_is_told_what_to_say() {
    let (_node, site, _) = seeded().await;
    let (_, known) = get(&site, &format!("/api/check?text={}", urls::encode(LEFTOVERS))).await;
    let known: Value = serde_json::from_str(&known).expect("json");
    assert!(known["band"] == "answer" && known["say"].as_str().is_some_and(|say| say.contains("核实日期") && say.contains("/c/")), "{known}");
    let (_, nothing) = get(&site, &format!("/api/check?text={}", urls::encode("火星上今天晚上开演唱会"))).await;
    let nothing: Value = serde_json::from_str(&nothing).expect("json");
    assert!(nothing["band"] == "nothing" && nothing["say"].as_str().is_some_and(|say| say.contains("/ask")), "{nothing}");
    assert_eq!(get(&site, "/api/check?text=a&region=xx").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn one_ticket_votes_once_and_only_counts_are_kept() {
    let (node, site, _) = seeded().await;
    let claim = claim_of(&node, LEFTOVERS).await;
    let vote = urls::useful(&claim);
    let ticket = async |cookie: &str| {
        let page = text(send(&site, request(Method::GET, &urls::claim(&claim), cookie, "")).await).await;
        super::hidden(&page, "ticket")
    };
    let first = ticket("").await;
    let cast = async |ticket: &str, word: &str| {
        let answer = send(&site, request(Method::POST, &vote, "", &super::body(&[("ticket", ticket), ("vote", word)]))).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        place(&answer)
    };
    assert!(cast(&first, "yes").await.ends_with("?voted=1"));
    assert!(cast(&first, "no").await.ends_with("?voted=ticket_spent"));
    let forged = first.replace(".public.", ".scientist.");
    assert!(cast(&forged, "yes").await.ends_with("?voted=ticket_unknown"));
    assert!(cast("", "yes").await.ends_with("?voted=ticket_unknown"));
    assert_eq!(cast(&ticket("").await, "perhaps").await, urls::claim(&claim));

    // Somebody signed in has one vote, however often the page is opened.
    let reviewer = person(&node.web, "t-reviewer", None, &[("org-nat", Role::Reviewer)]).await;
    let (a, b) = (ticket(&reviewer.cookie).await, ticket(&reviewer.cookie).await);
    for (ticket, says) in [(a, "voted=1"), (b, "voted=ticket_spent")] {
        let answer = submit(&site, &reviewer, &vote, &[("ticket", &ticket), ("vote", "yes")]).await;
        assert!(place(&answer).ends_with(says), "{}", place(&answer));
    }
    let mut tx = node.web.app.db.read().await.expect("tx");
    let tallies = kepu_store::listen::usefulness::of(&mut tx, &claim).await.expect("votes");
    assert_eq!(tallies.iter().map(|t| (t.kind.as_str(), t.useful, t.useless)).collect::<Vec<_>>(), [("public", 1, 0), ("scientist", 1, 0)]);
    drop(tx);
    let later = crate::router(node.restarted(25 * 60).await);
    let old = send(&later, request(Method::POST, &vote, "", &super::body(&[("ticket", &ticket("").await), ("vote", "yes")]))).await;
    assert!(place(&old).ends_with("?voted=ticket_old"));
}

#[tokio::test]
async fn the_dump_holds_every_claim_with_its_life_and_no_small_count() {
    let (node, site, _) = seeded().await;
    let claim = claim_of(&node, LEFTOVERS).await;
    for _ in 0..4 {
        asked(&site, LEFTOVERS).await;
    }
    let (status, dump) = get(&site, "/api/claims.jsonl").await;
    let lines: Vec<Value> = dump.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    assert!(status == StatusCode::OK && lines.len() > 100, "{}", lines.len());
    let one = lines.iter().find(|line| line["id"] == claim.as_str()).expect("there");
    assert!(one["evidence"].as_array().is_some_and(|list| !list.is_empty()) && one["history"].as_array().is_some_and(|list| list.len() == 1), "{one}");
    assert!(one["sightings"]["total"].is_null() && one["usefulness"].is_null(), "four are not shown: {one}");
    asked(&site, LEFTOVERS).await;
    let (_, dump) = get(&site, "/api/claims.jsonl").await;
    assert!(dump.contains("\"total\":5"));
}

#[tokio::test]
async fn places_that_show_an_answer_are_remembered_and_a_new_version_is_told_apart() {
    let (node, site, _) = seeded().await;
    let claim = claim_of(&node, LEFTOVERS).await;
    let editor = person(&node.web, "t-editor", None, &[("org-nat", Role::Editor)]).await;
    let card = || {
        let call = Request::builder().uri(urls::embed("claim", &claim)).header(header::REFERER, "https://news.example.cn/a?reader=li");
        call.header(header::HOST, "kepu.example.cn").body(Body::empty()).expect("request")
    };
    send(&site, card()).await;
    send(&site, card()).await;
    let said = format!("/api/check?text={}&place={}", urls::encode(LEFTOVERS), urls::encode("县广电热线"));
    get(&site, &said).await;
    let care = urls::care(&claim);
    let page = text(open(&site, &editor, &care).await).await;
    assert!(page.contains("news.example.cn") && !page.contains("reader=li") && page.contains("县广电热线"), "{page}");
    assert!(page.contains("展示在 2 处，其中 2 处已是最新版本"), "{page}");
    submit(&site, &editor, &care, &[("do", "add"), ("wording", "隔夜的剩菜亚硝酸盐超标会致癌")]).await;
    send(&site, card()).await;
    let page = text(open(&site, &editor, &care).await).await;
    assert!(page.contains("展示在 2 处，其中 1 处已是最新版本") && page.contains("旧版"), "{page}");
}
