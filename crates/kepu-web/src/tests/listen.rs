//! Intake and the desk of duty editors through the router: signed calls, who may see what, topics by buttons, the wall, lists that are set up on a page.

use super::{Node, Person, open, person, place, request, seeded, send, submit, text};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use kepu_app::listen::intake;
use kepu_app::listen::intake::tipline::sign;
use kepu_domain::access::Role;
use serde_json::{Value, json};

struct House {
    node: Node,
    site: Router,
    steward: Person,
    duty: Person,
}

async fn house() -> House {
    let (node, site, _) = seeded().await;
    let steward = person(&node.web, "guanli1", None, &[("000000", Role::Steward)]).await;
    let duty = person(&node.web, "zhiban1", None, &[("000000", Role::DutyOfficer)]).await;
    House { node, site, steward, duty }
}

/// What stands between two words of a page.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    page.split(from).nth(1).and_then(|rest| rest.split(to).next()).unwrap_or_default()
}

impl House {
    /// A tipline with its secret, as the steward sees it once.
    async fn tipline(&self) -> (String, String) {
        let fields = [("kind", "tipline"), ("name", "科普热线"), ("org", "000000"), ("province", ""), ("county", "")];
        let answer = submit(&self.site, &self.steward, "/intake/new", &fields).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{}", text(answer).await);
        let to = place(&answer);
        let page = text(open(&self.site, &self.steward, &to).await).await;
        let secret = between(&page, "secret mono\">", "<").to_owned();
        assert_eq!(secret.len(), 64, "{page}");
        let id = to.trim_start_matches("/intake/").split('?').next().unwrap_or_default().to_owned();
        // Later nobody sees it.
        let page = text(open(&self.site, &self.steward, &format!("/intake/{id}")).await).await;
        assert!(!page.contains(&secret) && page.contains(&format!("/api/v1/tipline/{id}")));
        (id, secret)
    }

    async fn call(&self, id: &str, secret: &str, at: i64, body: &Value) -> (StatusCode, Value) {
        let body = body.to_string();
        self.raw(id, &at.to_string(), &sign(secret, &at.to_string(), body.as_bytes()), &body).await
    }

    async fn raw(&self, id: &str, at: &str, signature: &str, body: &str) -> (StatusCode, Value) {
        self.post(&format!("/api/v1/tipline/{id}"), at, signature, body).await
    }

    /// What changed of the answers given.
    async fn changes(&self, id: &str, secret: &str, at: i64, after: i64) -> (StatusCode, Value) {
        let (at, body) = (at.to_string(), json!({"after": after}).to_string());
        self.post(&format!("/api/v1/tipline/{id}/changes"), &at, &sign(secret, &at, body.as_bytes()), &body).await
    }

    async fn post(&self, path: &str, at: &str, signature: &str, body: &str) -> (StatusCode, Value) {
        let call = Request::post(path)
            .header("kepu-timestamp", at)
            .header("kepu-signature", signature)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_owned()))
            .expect("request");
        let answer = send(&self.site, call).await;
        let status = answer.status();
        (status, serde_json::from_str(&text(answer).await).expect("json"))
    }

    fn now(&self) -> i64 {
        self.node.web.app.now().as_millisecond()
    }
}

#[tokio::test]
async fn a_signed_call_is_answered_at_once_and_what_nobody_knows_waits_in_the_queue() {
    let house = house().await;
    let (id, secret) = house.tipline().await;
    let mut tx = house.node.web.app.db.read().await.expect("tx");
    let filter = kepu_store::subject::Filter { kind: Some("claim".into()), ..Default::default() };
    let claim = kepu_store::subject::list(&mut tx, &filter, Default::default(), None, 1).await.expect("list").remove(0);
    drop(tx);
    let now = house.now();
    let (status, said) = house.call(&id, &secret, now, &json!({"text": claim.title, "channel": "微信", "county": "411525"})).await;
    assert_eq!((status, said["band"].as_str()), (StatusCode::OK, Some("answer")), "{said}");
    assert!(said["say"].as_str().expect("words").contains("/c/") && said["claim"]["id"] == claim.id.0, "{said}");
    let (status, said) = house.call(&id, &secret, now + 1, &json!({"text": "听说后山的石头半夜会唱歌，电话13800138000"})).await;
    assert_eq!((status, said["band"].as_str()), (StatusCode::OK, Some("nothing")), "{said}");
    assert!(said["say"].as_str().expect("words").contains("/ask"));
    let mut tx = house.node.web.app.db.read().await.expect("tx");
    let kept = kepu_store::listen::signal::list_after(&mut tx, 0, i64::MAX, 9).await.expect("signals");
    assert_eq!(kept.len(), 1, "what is answered is not kept");
    assert!(kept[0].text.contains("唱歌") && !kept[0].text.contains("138"));
    drop(tx);
    let page = text(open(&house.site, &house.duty, "/intake").await).await;
    assert!(page.contains("科普热线") && page.contains("已答 1 · 待看 0 · 未知 1"), "{page}");
}

#[tokio::test]
async fn a_tipline_learns_what_became_of_the_answers_it_gave() {
    let house = house().await;
    let (id, secret) = house.tipline().await;
    let app = &house.node.web.app;
    let mut tx = app.db.read().await.expect("tx");
    let filter = kepu_store::subject::Filter { kind: Some("claim".into()), ..Default::default() };
    let claims = kepu_store::subject::list(&mut tx, &filter, Default::default(), None, 3).await.expect("list");
    drop(tx);
    let now = house.now();
    for (n, claim) in claims.iter().take(2).enumerate() {
        let (_, said) = house.call(&id, &secret, now + n as i64, &json!({"text": claim.title})).await;
        assert_eq!(said["band"], "answer");
    }
    let (status, none) = house.changes(&id, &secret, now + 10, 0).await;
    assert_eq!((status, none["items"].as_array().map(Vec::len)), (StatusCode::OK, Some(0)), "{none}");
    let after = none["next"].as_i64().expect("next");
    let operator = kepu_domain::access::Actor::Node { name: "operator".into() };
    let next = app.today().checked_add(jiff::Span::new().days(1)).ok();
    kepu_app::create::take_back::hold(app, &operator, &claims[0].id, "有人指出写错了", next).await.expect("held");
    kepu_app::create::take_back::withdraw(app, &operator, &claims[1].id, "依据已经更新").await.expect("withdrawn");
    // What it never said is not told.
    kepu_app::create::take_back::withdraw(app, &operator, &claims[2].id, "依据已经更新").await.expect("withdrawn");
    let (_, told) = house.changes(&id, &secret, now + 11, after).await;
    let kinds: Vec<_> = told["items"].as_array().expect("items").iter().map(|one| (one["claim"].as_str(), one["change"].as_str())).collect();
    assert_eq!(kinds, [(Some(claims[0].id.as_str()), Some("held")), (Some(claims[1].id.as_str()), Some("withdrawn"))], "{told}");
    assert!(told["items"][1]["say"].as_str().expect("words").contains("依据已经更新"));
    let (_, again) = house.changes(&id, &secret, now + 12, told["next"].as_i64().expect("next")).await;
    assert_eq!(again["items"].as_array().map(Vec::len), Some(0));
    assert_eq!(house.changes(&id, "another secret", now + 13, 0).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_call_with_a_wrong_signature_an_old_time_or_a_second_time_is_refused() {
    let house = house().await;
    let (id, secret) = house.tipline().await;
    let body = json!({"text": "听说后山的石头半夜会唱歌"});
    let now = house.now();
    let (status, said) = house.call(&id, "another secret", now, &body).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(said["detail"].as_str().expect("words").contains("签名"), "{said}");
    for at in [now - 301_000, now + 301_000] {
        assert_eq!(house.call(&id, &secret, at, &body).await.0, StatusCode::FORBIDDEN, "{at}");
    }
    let signature = sign(&secret, &now.to_string(), body.to_string().as_bytes());
    assert_eq!(house.raw(&id, &now.to_string(), &signature, "{\"text\":\"换了内容\"}").await.0, StatusCode::FORBIDDEN, "the body is signed");
    assert_eq!(house.raw(&id, "", "", "{}").await.0, StatusCode::FORBIDDEN);
    assert_eq!(house.call("nobody", &secret, now, &body).await.0, StatusCode::FORBIDDEN, "nobody learns which tiplines there are");
    assert_eq!(house.call(&id, &secret, now, &body).await.0, StatusCode::OK);
    assert_eq!(house.call(&id, &secret, now, &body).await.0, StatusCode::CONFLICT, "replayed");
    assert_eq!(house.call(&id, &secret, now / 1_000, &body).await.0, StatusCode::OK, "seconds are taken too");
    for (n, bad) in [json!({"text": ""}), json!({"text": "x", "who": "me"}), json!({"text": "听说什么", "county": "云岭"}), json!([])].iter().enumerate()
    {
        let at = now + 10 + i64::try_from(n).expect("n");
        assert_eq!(house.call(&id, &secret, at, bad).await.0, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
    }
    // Another secret ends this one, and so does switching off.
    let renewed = submit(&house.site, &house.steward, &format!("/intake/{id}"), &[("do", "renew")]).await;
    let page = text(open(&house.site, &house.steward, &place(&renewed)).await).await;
    let fresh = between(&page, "secret mono\">", "<").to_owned();
    assert_eq!(house.call(&id, &secret, now + 50, &body).await.0, StatusCode::FORBIDDEN);
    assert_eq!(house.call(&id, &fresh, now + 51, &body).await.0, StatusCode::OK);
    submit(&house.site, &house.steward, &format!("/intake/{id}"), &[("do", "off")]).await;
    assert_eq!(house.call(&id, &fresh, now + 52, &body).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn lists_are_set_up_by_editors_on_sites_that_a_steward_allowed() {
    let house = house().await;
    let editor = person(&house.node.web, "bianji1", None, &[("000000", Role::Editor)]).await;
    let fields = |host: &str| {
        [
            ("kind", "list".to_owned()),
            ("name", "热榜".into()),
            ("org", "000000".into()),
            ("address", format!("https://{host}/hot.json")),
            ("format", "json".into()),
            ("every", "60".into()),
            ("column_text", "title".into()),
        ]
    };
    let add = async |who: &Person, host: &str| {
        let fields = fields(host);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        submit(&house.site, who, "/intake/new", &fields).await
    };
    let refused = add(&editor, "hot.example.cn").await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = text(refused).await;
    assert!(page.contains("不在允许之列") && page.contains("https://hot.example.cn/hot.json"), "nothing typed is lost");
    assert_eq!(submit(&house.site, &editor, "/intake/hosts", &[("hosts", "hot.example.cn")]).await.status(), StatusCode::FORBIDDEN);
    let wrong = submit(&house.site, &house.steward, "/intake/hosts", &[("hosts", "不是域名")]).await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(wrong).await.contains("不是域名"));
    assert_eq!(submit(&house.site, &house.steward, "/intake/hosts", &[("hosts", "hot.example.cn\n")]).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(add(&house.duty, "hot.example.cn").await.status(), StatusCode::FORBIDDEN);
    let added = add(&editor, "hot.example.cn").await;
    assert_eq!(added.status(), StatusCode::SEE_OTHER);
    let there = place(&added);
    assert!(text(open(&house.site, &editor, &there).await).await.contains("热榜"));
    assert_eq!(open(&house.site, &house.duty, &there).await.status(), StatusCode::NOT_FOUND, "who may not care for it does not see it");
    let unsure = submit(&house.site, &editor, &there, &[("do", "remove")]).await;
    assert_eq!(unsure.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(submit(&house.site, &editor, &there, &[("do", "remove"), ("confirm", "1")]).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(open(&house.site, &editor, &there).await.status(), StatusCode::NOT_FOUND);
}

/// Sixty messages about two matters, heard within an hour after a busy morning.
async fn heard(house: &House) {
    let app = &house.node.web.app;
    let (id, secret) = house.tipline().await;
    let words = ["专家说后山的石头半夜会唱歌", "后山的石头半夜会唱歌，专家都说了", "听专家说后山的石头半夜会唱歌"];
    let now = house.now();
    for n in 0..12_usize {
        let body = json!({"text": words[n % 3]});
        assert_eq!(house.call(&id, &secret, now + i64::try_from(n).expect("n"), &body).await.0, StatusCode::OK);
    }
    intake::run(app).await.expect("listened");
}

#[tokio::test]
async fn the_desk_says_why_and_one_press_opens_a_case_that_the_same_words_join() {
    let house = house().await;
    assert!(text(open(&house.site, &house.duty, "/listen").await).await.contains("没有话题在上升"));
    heard(&house).await;
    let page = text(open(&house.site, &house.duty, "/listen").await).await;
    assert!(page.contains("石头半夜") && page.contains("可核查") && page.contains("借了权威的名义：专家") && page.contains("12 条"), "{page}");
    let topic = format!("/listen/topic/{}", between(&page, "action=\"/listen/topic/", "\""));
    let wordings = text(open(&house.site, &house.duty, &topic).await).await;
    assert!(wordings.contains("name=\"words\"") && wordings.contains("4 次"), "{wordings}");
    let opened = submit(&house.site, &house.duty, &topic, &[("do", "open")]).await;
    assert_eq!(opened.status(), StatusCode::SEE_OTHER);
    let case = place(&opened);
    assert!(text(open(&house.site, &house.duty, &case).await).await.contains("石头半夜"), "the wording is filled in");
    // A visitor who asks the same joins it.
    let asked = send(&house.site, request(Method::POST, "/ask", "", &super::body(&[("text", between(&wordings, "<h1>", "</h1>")), ("anyway", "1")]))).await;
    assert_eq!(asked.status(), StatusCode::SEE_OTHER, "{}", text(asked).await);
    let mut tx = house.node.web.app.db.read().await.expect("tx");
    let filter = kepu_store::listen::case::Filter { stage: Some("active".into()), ..Default::default() };
    assert_eq!(kepu_store::listen::case::count(&mut tx, &filter).await.expect("count"), 1, "one claim never opens two cases");
    drop(tx);
    let wrong = submit(&house.site, &house.duty, &topic, &[("do", "merge"), ("into", "")]).await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(submit(&house.site, &house.duty, &topic, &[("do", "explode")]).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(submit(&house.site, &house.duty, "/listen/topic/none", &[("do", "open")]).await.status(), StatusCode::NOT_FOUND);
    let api: Value = serde_json::from_str(&text(open(&house.site, &house.duty, "/api/topics").await).await).expect("json");
    let items = [api["rising"].as_array(), api["unanswered"].as_array()].map(|list| list.map_or(0, Vec::len));
    assert!(items[0] + items[1] <= 1, "{api}");
}

#[tokio::test]
async fn the_wall_shows_itself_anew_without_a_script_and_only_to_those_who_work_there() {
    let house = house().await;
    heard(&house).await;
    let answer = open(&house.site, &house.duty, "/listen/wall").await;
    assert_eq!(answer.headers().get(header::REFRESH).and_then(|value| value.to_str().ok()), Some("30"));
    let page = text(answer).await;
    assert!(page.contains("石头半夜") && !page.contains("<script"), "{page}");
    assert!(open(&house.site, &house.duty, "/listen/wall?still=1").await.headers().get(header::REFRESH).is_none());
    let contributor = person(&house.node.web, "zuozhe1", None, &[("000000", Role::Contributor)]).await;
    for path in ["/listen", "/listen/wall", "/listen/coverage", "/listen/topic/x", "/intake", "/intake/new", "/api/topics"] {
        assert_eq!(open(&house.site, &contributor, path).await.status(), StatusCode::FORBIDDEN, "{path}");
        assert_eq!(send(&house.site, request(Method::GET, path, "", "")).await.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    // Of another place: the routes open, the operations do not.
    let elsewhere = person(&house.node.web, "waidi1", None, &[("420000", Role::DutyOfficer), ("420000", Role::Steward)]).await;
    for path in ["/listen", "/listen/wall", "/listen/coverage", "/intake"] {
        assert_eq!(open(&house.site, &elsewhere, path).await.status(), StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(submit(&house.site, &elsewhere, "/intake/hosts", &[("hosts", "a.example.cn")]).await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn coverage_shows_no_cell_of_few_questions() {
    let house = house().await;
    let page = text(open(&house.site, &house.duty, "/listen/coverage").await).await;
    assert!(page.contains("还没有可以显示的数字"));
    let csv = text(open(&house.site, &house.duty, "/listen/coverage?days=30&format=csv").await).await;
    assert!(csv.starts_with("\u{feff}field,region,place,asked,answered,median_hours"));
}

#[tokio::test]
async fn a_known_rumour_is_expected_while_a_warning_is_in_force() {
    let house = house().await;
    let app = &house.node.web.app;
    let warnings = app.data().join("warnings");
    std::fs::create_dir_all(&warnings).expect("folder");
    let until = (app.now() + jiff::SignedDuration::from_hours(5)).to_string().split('.').next().unwrap_or_default().trim_end_matches('Z').to_owned();
    let cap = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>41010041600000_1</identifier><sender>a@example.org</sender>\
         <sent>2026-07-20T15:00:00+08:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope><info><language>zh-CN</language><category>Health</category>\
         <event>流感</event><urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty><eventCode><valueName>KEPU:hazard</valueName><value>H-EPIDEMIC</value></eventCode>\
         <expires>{until}+00:00</expires><area><areaDesc>郑州</areaDesc><geocode><valueName>GB/T 2260</valueName><value>410100</value></geocode></area></info></alert>"
    );
    std::fs::write(warnings.join("a.xml"), cap).expect("warning");
    let page = text(open(&house.site, &house.duty, "/listen").await).await;
    assert!(page.contains("预警生效中"), "{}", between(&page, "id=\"returning\"", "id=\"waiting\""));
    std::fs::remove_file(warnings.join("a.xml")).expect("gone");
    assert!(!text(open(&house.site, &house.duty, "/listen").await).await.contains("预警生效中"));
}

fn shown(bytes: &[u8]) -> Request<Body> {
    let mut body = b"--x\r\ncontent-disposition: form-data; name=\"picture\"; filename=\"a.png\"\r\n\r\n".to_vec();
    body.extend(bytes);
    body.extend(b"\r\n--x--\r\n");
    Request::post("/check/picture").header(header::CONTENT_TYPE, "multipart/form-data; boundary=x").body(Body::from(body)).expect("request")
}

#[tokio::test]
async fn a_picture_is_read_by_the_command_that_the_operator_named_and_shown_before_it_is_asked_about() {
    const PNG: &[u8] = &[0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0];
    let house = house().await;
    assert!(text(send(&house.site, request(Method::GET, "/check/shown", "", "")).await).await.contains("还不能读图片"));
    assert_eq!(send(&house.site, shown(PNG)).await.status(), StatusCode::UNPROCESSABLE_ENTITY, "nothing was set up");
    let script = house.node.web.app.data().join("read.sh");
    std::fs::write(&script, "cat >/dev/null; echo '听说隔夜菜 致癌'").expect("script");
    house.node.web.app.read_pictures_with(&format!("/bin/sh {}", script.display()));
    let answer = send(&house.site, shown(PNG)).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let page = text(answer).await;
    assert!(page.contains("听说隔夜菜 致癌</textarea>") && page.contains("action=\"/check\""), "{page}");
    assert_eq!(send(&house.site, shown(b"<html>")).await.status(), StatusCode::UNPROCESSABLE_ENTITY, "no picture");
    std::fs::write(&script, "exit 3").expect("script");
    assert_eq!(send(&house.site, shown(PNG)).await.status(), StatusCode::UNPROCESSABLE_ENTITY, "the command failed");
    assert_eq!(
        send(&house.site, request(Method::POST, "/check/link", "", "link=https://a.example.cn/")).await.status(),
        StatusCode::UNPROCESSABLE_ENTITY,
        "links are not read"
    );
}
