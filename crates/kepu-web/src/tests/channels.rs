//! Feeds, harvesters, cards, screens and packs through the router: what they carry, what they refuse, and that a withdrawal empties them.

use super::drafts::team;
use super::{Person, open, place, request, seeded, send, submit, text};
use crate::urls;
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use kepu_app::create::publish;
use kepu_domain::access::Actor;
use kepu_domain::ids::SubjectId;
use kepu_store::subject::{self, Filter, Order};
use std::collections::BTreeSet;

async fn get(site: &Router, path: &str) -> (StatusCode, String) {
    let answer = send(site, request(Method::GET, path, "", "")).await;
    (answer.status(), text(answer).await)
}

fn operator() -> Actor {
    Actor::Node { name: "operator".into() }
}

/// All values of one element.
fn all<'a>(xml: &'a str, element: &str) -> Vec<&'a str> {
    let end = format!("</{element}>");
    xml.split(&format!("<{element}>")).skip(1).filter_map(|rest| rest.split(&end).next()).collect()
}

#[tokio::test]
async fn feeds_carry_what_is_new_and_take_away_what_was_withdrawn() {
    let (node, site, id) = seeded().await;
    let (_, atom) = get(&site, "/feed.atom?kind=claim").await;
    assert!(atom.contains(&format!("<id>{id}</id>")) && atom.contains("xmlns:at=\"http://purl.org/atompub/tombstones/1.0\""), "{atom}");
    let (_, json) = get(&site, "/feed.json?kind=claim").await;
    let feed: serde_json::Value = serde_json::from_str(&json).expect("json");
    assert_eq!(feed["version"], "https://jsonfeed.org/version/1.1");
    assert!(feed["items"].as_array().expect("items").iter().any(|item| item["id"] == id.0.as_str()));
    kepu_app::create::take_back::withdraw(&node.web.app, &operator(), &id, "用量写错了，不安全").await.expect("withdrawn");
    let (_, atom) = get(&site, "/feed.atom?kind=claim").await;
    assert!(atom.contains(&format!("<at:deleted-entry ref=\"{id}\"")) && !atom.contains(&format!("<id>{id}</id>")), "{atom}");
    let (_, json) = get(&site, "/feed.json?field=agri").await;
    let feed: serde_json::Value = serde_json::from_str(&json).expect("json");
    assert!(feed["items"].as_array().expect("items").iter().all(|item| item["id"] != id.0.as_str()));
    assert_eq!(feed["_kepu"]["withdrawn"][0]["id"], id.0.as_str(), "a withdrawal is told in every narrowed feed too");
    let (status, podcast) = get(&site, "/podcast.xml").await;
    assert!(status == StatusCode::OK && podcast.contains("<rss ") && !podcast.contains("<item>"), "nobody has recorded anything: {podcast}");
}

#[tokio::test]
async fn feeds_are_narrowed_by_field_and_not_sent_twice() {
    let (node, site, _) = seeded().await;
    let (_, atom) = get(&site, "/feed.atom?kind=resource&field=quantum").await;
    assert_eq!(all(&atom, "title").len(), 2, "the feed and one text: {atom}");
    // Last-Modified is told once the second is over.
    let later = crate::router(node.restarted(1).await);
    let answer = send(&later, request(Method::GET, "/feed.atom", "", "")).await;
    let modified = answer.headers()[header::LAST_MODIFIED].clone();
    let again = Request::builder().uri("/feed.atom").header(header::IF_MODIFIED_SINCE, modified).body(Body::empty()).expect("request");
    assert_eq!(send(&later, again).await.status(), StatusCode::NOT_MODIFIED);
    let tag = answer.headers()[header::ETAG].clone();
    let again = Request::builder().uri("/feed.atom").header(header::IF_NONE_MATCH, tag).body(Body::empty()).expect("request");
    assert_eq!(send(&later, again).await.status(), StatusCode::NOT_MODIFIED);
}

/// Harvests a list whole; gives the identifiers in order and how many pages there were.
async fn harvest(site: &Router, first: &str) -> (Vec<String>, usize) {
    let (mut path, mut ids, mut pages) = (first.to_owned(), Vec::new(), 0);
    loop {
        let (_, xml) = get(site, &path).await;
        pages += 1;
        ids.extend(all(&xml, "identifier").into_iter().map(str::to_owned));
        let token = xml.split("</resumptionToken>").next().and_then(|head| head.rsplit_once('>')).map_or("", |(_, token)| token);
        if token.is_empty() || !xml.contains("<resumptionToken") {
            return (ids, pages);
        }
        path = format!("/oai?verb=ListRecords&resumptionToken={token}");
    }
}

#[tokio::test]
async fn a_harvester_gets_everything_once_and_learns_what_was_withdrawn() {
    let (node, site, id) = seeded().await;
    let app = &node.web.app;
    let mut tx = app.db.read().await.expect("tx");
    let mut expected = BTreeSet::new();
    for kind in ["claim", "resource"] {
        let filter = Filter { kind: Some(kind.into()), ..Filter::default() };
        expected.extend(subject::list(&mut tx, &filter, Order::Newest, None, 10_000).await.expect("list").into_iter().map(|row| row.id.0));
    }
    drop(tx);
    let (ids, pages) = harvest(&site, "/oai?verb=ListRecords&metadataPrefix=oai_dc").await;
    assert!(pages > 1, "the sample texts fill more than a page");
    assert_eq!((ids.len(), ids.into_iter().collect::<BTreeSet<_>>()), (expected.len(), expected));
    // Tokens say everything themselves: another process goes on where this one stopped.
    let (_, first) = get(&site, "/oai?verb=ListIdentifiers&metadataPrefix=oai_dc").await;
    let token = first.split("</resumptionToken>").next().and_then(|head| head.rsplit_once('>')).expect("token").1;
    let restarted = crate::router(node.restarted(10).await);
    let (_, second) = get(&restarted, &format!("/oai?verb=ListIdentifiers&resumptionToken={token}")).await;
    assert!(second.contains("<ListIdentifiers>") && !second.contains("<error"), "{second}");
    kepu_app::create::take_back::withdraw(app, &operator(), &id, "用量写错了，不安全").await.expect("withdrawn");
    let (_, record) = get(&site, &format!("/oai?verb=GetRecord&metadataPrefix=oai_dc&identifier={id}")).await;
    assert!(record.contains("<header status=\"deleted\">") && !record.contains("<metadata>"), "{record}");
    let (_, changed) = get(&site, &format!("/oai?verb=ListIdentifiers&metadataPrefix=oai_dc&from={}", jiff::Timestamp::now().strftime("%Y-%m-%d"))).await;
    assert!(changed.contains("status=\"deleted\"") || changed.contains("resumptionToken"), "{changed}");
}

#[tokio::test]
async fn sets_errors_and_both_methods_of_the_harvesting_protocol() {
    let (_node, site, id) = seeded().await;
    let (ids, _) = harvest(&site, "/oai?verb=ListIdentifiers&metadataPrefix=oai_dc&set=field:quantum").await;
    assert!(!ids.is_empty() && ids.len() < 20, "{ids:?}");
    for (query, code) in [
        ("verb=ListRecords&metadataPrefix=oai_dc&until=1999-01-01", "noRecordsMatch"),
        ("verb=GetRecord&metadataPrefix=oai_dc&identifier=kepu:aaaaaaaaaa/none", "idDoesNotExist"),
        ("verb=ListMetadataFormats&identifier=kepu:aaaaaaaaaa/none", "idDoesNotExist"),
        ("verb=Nothing", "badVerb"),
    ] {
        let (status, xml) = get(&site, &format!("/oai?{query}")).await;
        assert!(status == StatusCode::OK && xml.contains(&format!("<error code=\"{code}\">")), "{query}: {xml}");
    }
    let body = format!("verb=GetRecord&metadataPrefix=oai_dc&identifier={}", urls::encode(&id.0));
    let answer = send(&site, request(Method::POST, "/oai", "", &body)).await;
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/xml; charset=utf-8");
    let record = text(answer).await;
    assert!(record.contains("<dc:title") && record.contains(&format!("<dc:identifier>{id}</dc:identifier>")), "{record}");
    let (_, identify) = get(&site, "/oai?verb=Identify").await;
    assert!(identify.contains("<deletedRecord>persistent</deletedRecord>") && identify.contains("<adminEmail>"), "{identify}");
    assert!(get(&site, "/oai?verb=ListSets").await.1.contains("<setSpec>field:health</setSpec>"));
    assert!(get(&site, "/oai?verb=ListMetadataFormats").await.1.contains("<metadataPrefix>oai_dc</metadataPrefix>"));
}

#[tokio::test]
async fn a_card_may_be_framed_and_empties_itself() {
    let (node, site, id) = seeded().await;
    let path = urls::embed("claim", &id);
    let answer = send(&site, request(Method::GET, &format!("{path}?lang=en"), "", "")).await;
    let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().expect("text").to_owned();
    assert!(policy.contains("frame-ancestors *") && policy.contains("default-src 'none'") && policy.contains("form-action 'none'"), "{policy}");
    assert!(answer.headers().get(header::SET_COOKIE).is_none(), "a card leaves nothing behind");
    let card = text(answer).await;
    assert!(!card.contains("<form") && !card.contains("<script") && card.contains(&urls::claim(&id)), "{card}");
    let elsewhere = send(&site, request(Method::GET, &urls::claim(&id), "", "")).await;
    assert!(elsewhere.headers()[header::CONTENT_SECURITY_POLICY].to_str().expect("text").contains("frame-ancestors 'none'"), "only cards may be framed");
    let page = text(elsewhere).await;
    assert!(page.contains("application/json+oembed") && (page.contains("iframe src=&#34;http") || page.contains("iframe src=&#34;/embed/")), "{page}");
    let ask = |query: &str| Request::builder().uri(format!("/oembed?{query}")).header(header::HOST, "kepu.example").body(Body::empty()).expect("request");
    let url = urls::encode(&format!("http://kepu.example{}", urls::claim(&id)));
    let found: serde_json::Value = serde_json::from_str(&text(send(&site, ask(&format!("url={url}&maxwidth=300"))).await).await).expect("json");
    assert_eq!((found["type"].as_str(), found["width"].as_i64()), (Some("rich"), Some(300)));
    assert!(found["html"].as_str().expect("html").contains("http://kepu.example/embed/claim/"));
    assert!(text(send(&site, ask(&format!("url={url}&format=xml"))).await).await.contains("<oembed>"));
    assert_eq!(send(&site, ask(&format!("url={url}&format=yaml"))).await.status(), StatusCode::NOT_IMPLEMENTED);
    assert_eq!(send(&site, ask("url=https://evil.example/c/a/b")).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(get(&site, "/embed/party/aaaaaaaaaa/x").await.0, StatusCode::NOT_FOUND);
    kepu_app::create::take_back::withdraw(&node.web.app, &operator(), &id, "用量写错了，不安全").await.expect("withdrawn");
    let (status, card) = get(&site, &path).await;
    assert!(status == StatusCode::GONE && card.contains("用量写错了，不安全") && card.contains("已撤回"), "{card}");
    assert_eq!(send(&site, ask(&format!("url={url}"))).await.status(), StatusCode::GONE);
}

#[tokio::test]
async fn a_screen_goes_round_by_itself_and_is_safe_when_empty() {
    let (node, site, _) = seeded().await;
    let answer = send(&site, request(Method::GET, "/screen?region=411525&seconds=1", "", "")).await;
    let refresh = answer.headers()[header::REFRESH].to_str().expect("text").to_owned();
    assert!(refresh.starts_with("8; url=/screen?region=411525&seconds=1&n=2"), "{refresh}");
    let first = text(answer).await;
    assert!(first.contains("1 / 12") && !first.contains("<script"), "{first}");
    let still = send(&site, request(Method::GET, "/screen?still=1&n=99", "", "")).await;
    assert!(still.headers().get(header::REFRESH).is_none());
    assert!(text(still).await.contains("1 / 12"), "a number that is no more begins again");
    drop(node);
    let empty = super::node().await;
    let answer = send(&crate::router(empty.web.clone()), request(Method::GET, "/screen", "", "")).await;
    assert!(answer.headers()[header::REFRESH].to_str().expect("text").starts_with("60; "));
    assert!(text(answer).await.contains("这里会轮流显示"));
}

/// Makes a pack by the form.
async fn made(site: &Router, who: &Person, fields: &[(&str, &str)]) -> String {
    let mut all = vec![("province", "410000"), ("county", "固始县"), ("lang", "zh-Hans")];
    all.retain(|(name, _)| !fields.iter().any(|(other, _)| other == name));
    all.extend_from_slice(fields);
    place(&submit(site, who, "/packs", &all).await)
}

#[tokio::test]
async fn a_pack_is_made_once_printed_posted_and_filled_up_after_a_withdrawal() {
    let t = team().await;
    let path = made(&t.site, &t.doctor, &[]).await;
    assert_eq!(made(&t.site, &t.editor, &[]).await, path, "one pack for one place and month");
    let (status, page) = get(&t.site, &path).await;
    assert_eq!((status, page.matches("<ol class=\"rows\"><li>").count(), page.matches("<li><h3><a href=\"/r/").count()), (StatusCode::OK, 1, 4), "{page}");
    for (file, kind) in [
        ("broadcast.txt", "text/plain"),
        ("chat.txt", "text/plain"),
        ("chalk.txt", "text/plain"),
        ("book.epub", "application/epub+zip"),
        ("pack.zip", "application/zip"),
    ] {
        let answer = send(&t.site, request(Method::GET, &format!("{path}/{file}"), "", "")).await;
        assert_eq!(answer.status(), StatusCode::OK, "{file}");
        assert!(answer.headers()[header::CONTENT_TYPE].to_str().expect("text").starts_with(kind), "{file}");
    }
    assert_eq!(get(&t.site, &format!("{path}/a4.pdf")).await.0, StatusCode::NOT_FOUND, "this node has no typesetter");
    assert_eq!(get(&t.site, &format!("{path}/other.txt")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(get(&t.site, "/packs/nothing").await.0, StatusCode::NOT_FOUND);
    // One tap, counted once, and a line of the ledger that the host confirms.
    assert_eq!(send(&t.site, request(Method::POST, &format!("{path}/posted"), "", "")).await.status(), StatusCode::UNAUTHORIZED);
    for _ in 0..2 {
        assert_eq!(place(&submit(&t.site, &t.doctor, &format!("{path}/posted"), &[]).await), path);
    }
    assert!(text(open(&t.site, &t.doctor, "/contributions").await).await.contains("宣传栏更新"));
    assert!(text(open(&t.site, &t.doctor, &path).await).await.contains("您已经回执"));
    // A withdrawal takes it out of every file, and the page says so.
    let chat = get(&t.site, &format!("{path}/chat.txt")).await.1;
    let first = page.split("<li><h3><a href=\"/r/").nth(1).and_then(|rest| rest.split('"').next()).expect("an item").to_owned();
    let id = SubjectId(format!("kepu:{first}"));
    assert!(chat.contains(&first), "{chat}");
    kepu_app::create::take_back::withdraw(&t.node.web.app, &operator(), &id, "剂量写错了").await.expect("withdrawn");
    let (_, page) = get(&t.site, &path).await;
    assert!(page.contains("已经撤回") && page.contains("剂量写错了") && page.contains("请取下"), "{page}");
    for file in ["chat.txt", "broadcast.txt"] {
        assert!(!get(&t.site, &format!("{path}/{file}")).await.1.contains(&first), "{file}");
    }
    assert_eq!(made(&t.site, &t.doctor, &[]).await, path);
    let (_, page) = get(&t.site, &path).await;
    assert!(!page.contains("剂量写错了") && page.matches("<li><h3><a href=\"/r/").count() == 4, "{page}");
}

#[tokio::test]
async fn a_pack_says_what_is_wrong_with_a_wish_and_gives_more_where_less_is() {
    let t = team().await;
    for (fields, said) in [
        (&[("county", "没有这个县")][..], "没有这个县"),
        (&[("province", ""), ("county", "")][..], "请选到省、市或县"),
        (&[("month", "2001-01")][..], "月份应在"),
        (&[("lang", "xx")][..], "没有这种语言"),
        (&[("audience", "nobody")][..], "没有这一类读者"),
        (&[("lang", "ii")][..], "没有适合这个地方、语言"),
    ] {
        let mut all = vec![("province", "410000"), ("county", "固始县"), ("lang", "zh-Hans")];
        all.retain(|(name, _)| !fields.iter().any(|(other, _)| other == name));
        all.extend_from_slice(fields);
        let answer = submit(&t.site, &t.doctor, "/packs", &all).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
        let page = text(answer).await;
        assert!(page.contains(said), "{fields:?}: {page}");
    }
    made(&t.site, &t.doctor, &[]).await;
    let tilted = made(&t.site, &t.doctor, &[("province", "540000"), ("county", "540102")]).await;
    assert_eq!(get(&t.site, &tilted).await.1.matches("<li><h3><a href=\"/r/").count(), 5, "an autonomous region gets one more");
    let (_, table) = get(&t.site, "/packs/table").await;
    assert!(table.contains("固始县") && table.contains("城关区") && table.contains("民族自治地方"), "{table}");
    submit(&t.site, &t.doctor, &format!("{tilted}/posted"), &[]).await;
    let (_, csv) = get(&t.site, "/packs/table?format=csv").await;
    assert!(csv.lines().any(|line| line.starts_with("540102,") && line.contains(",ethnic,5,1,5,不公布,")), "one receipt would name its giver: {csv}");
    let (_, list) = get(&t.site, "/packs?region=411525").await;
    assert!(list.contains("固始县") && !list.contains("城关区2"), "{list}");
}

#[tokio::test]
async fn the_shelf_learns_what_became_of_what_it_keeps() {
    let (node, site, id) = seeded().await;
    let ask = format!("/shelf/status?ids={id},kepu:aaaaaaaaaa/none");
    let state = async || {
        let (status, json) = get(&site, &ask).await;
        assert_eq!(status, StatusCode::OK);
        let answer: serde_json::Value = serde_json::from_str(&json).expect("json");
        (answer["items"][0]["state"].as_str().unwrap_or_default().to_owned(), answer["items"][1]["state"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(state().await, ("public".into(), "unknown".into()));
    kepu_app::create::take_back::withdraw(&node.web.app, &operator(), &id, "用量写错了，不安全").await.expect("withdrawn");
    assert_eq!(state().await, ("withdrawn".into(), "unknown".into()));
    for bad in ["nonsense".to_owned(), vec!["kepu:aaaaaaaaaa/x"; 101].join(",")] {
        assert_eq!(get(&site, &format!("/shelf/status?ids={bad}")).await.0, StatusCode::BAD_REQUEST);
    }
    let (_, manifest) = get(&site, "/manifest.webmanifest").await;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&manifest).expect("json")["display"], "standalone");
    let worker = send(&site, request(Method::GET, "/sw.js", "", "")).await;
    assert_eq!(worker.headers()[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
    assert!(get(&site, "/shelf").await.1.contains("离线书架"));
}

#[tokio::test]
async fn pages_say_what_search_engines_ask_and_the_map_names_them() {
    let (node, site, id) = seeded().await;
    let (_, page) = get(&site, &urls::claim(&id)).await;
    let blocks: Vec<serde_json::Value> = page
        .split("application/ld+json\">")
        .skip(1)
        .filter_map(|rest| rest.split("</script>").next())
        .map(|json| serde_json::from_str(json).expect("json"))
        .collect();
    assert_eq!(blocks.len(), 2, "the signed record and the plain form");
    assert_eq!((blocks[1]["@type"].as_str(), blocks[1]["mainEntity"]["@type"].as_str()), (Some("WebPage"), Some("ClaimReview")));
    assert!(blocks[1]["reviewedBy"][0]["name"].is_string() && blocks[1]["lastReviewed"].is_string(), "{}", blocks[1]);
    let (_, map) = get(&site, "/sitemap.xml").await;
    assert!(map.contains(&urls::claim(&id)) && map.contains("<lastmod>"), "{map}");
    assert_eq!(get(&site, "/sitemap/1").await.1.matches("<loc>").count(), map.matches("<loc>").count());
    assert_eq!(get(&site, "/sitemap/2").await.0, StatusCode::NOT_FOUND);
    assert_eq!(get(&site, "/sitemap/x").await.0, StatusCode::NOT_FOUND);
    kepu_app::create::take_back::withdraw(&node.web.app, &operator(), &id, "用量写错了，不安全").await.expect("withdrawn");
    assert!(!get(&site, "/sitemap.xml").await.1.contains(&urls::claim(&id)));
    assert!(get(&site, "/robots.txt").await.1.contains("Disallow: /embed/"));
}

#[tokio::test]
async fn a_recording_becomes_an_episode_with_its_file() {
    let (node, site, _) = seeded().await;
    let app = &node.web.app;
    let file = kepu_app::media::put(app, b"ID3\x04\x00\x00\x00\x00\x00\x00 a voice").await.expect("file");
    let mut tx = app.db.write().await.expect("tx");
    let filter = Filter { kind: Some("resource".into()), ..Filter::default() };
    let id = subject::list(&mut tx, &filter, Order::Newest, None, 1).await.expect("list").remove(0).id;
    let found = publish::current(app, &mut tx, &id).await.expect("found").and_then(|(_, record)| record).expect("record");
    let Ok(kepu_domain::record::Body::Resource(mut resource)) = found.body else { panic!("a resource") };
    resource.media.push(kepu_domain::create::resource::Media { hash: file.hash.clone(), media_type: file.media_type, size: file.size, alt: "朗读".into() });
    let matter = kepu_domain::create::draft::Matter::Resource(resource);
    kepu_app::record::publish(app, &mut tx, vec![publish::saying_of(&id, &matter)]).await.expect("published");
    tx.commit().await.expect("commit");
    let (_, podcast) = get(&site, "/podcast.xml").await;
    assert!(
        podcast.contains(&format!("/media/{}\"", file.hash)) && podcast.contains("type=\"audio/mpeg\"") && podcast.contains("<guid isPermaLink=\"false\">"),
        "{podcast}"
    );
    let (_, json) = get(&site, "/feed.json?kind=resource").await;
    assert!(json.contains("\"mime_type\":\"audio/mpeg\""), "{json}");
    kepu_app::create::take_back::withdraw(app, &operator(), &id, "录音里说错了用量").await.expect("withdrawn");
    assert!(!get(&site, "/podcast.xml").await.1.contains("<item>"));
}

#[tokio::test]
async fn what_must_be_looked_at_again_leaves_cards_screens_and_packs() {
    let (node, site, _) = seeded().await;
    let app = &node.web.app;
    let filter = Filter { kind: Some("resource".into()), ..Filter::default() };
    let mut tx = app.db.read().await.expect("tx");
    let id = subject::list(&mut tx, &filter, Order::Newest, None, 1).await.expect("list").remove(0).id;
    drop(tx);
    assert_eq!(get(&site, &urls::embed("resource", &id)).await.0, StatusCode::OK);
    // Five years later everything should have been looked at again.
    let later = node.restarted(5 * 366 * 24 * 60).await;
    let site = crate::router(later.clone());
    let (status, card) = get(&site, &urls::embed("resource", &id)).await;
    assert!(status == StatusCode::OK && card.contains("已过复核日期") && card.contains(&urls::resource(&id)), "{card}");
    assert!(get(&site, "/screen").await.1.contains("这里会轮流显示"));
    let (_, shelf) = get(&site, &format!("/shelf/status?ids={id}")).await;
    assert!(shelf.contains("\"expired\""), "{shelf}");
    let asked = kepu_app::deliver::pack::Make { region: Some(kepu_domain::org::Region::parse("411525").expect("code")), ..Default::default() };
    let refused = kepu_app::deliver::pack::make(&later.app, &operator(), asked).await.expect_err("nothing is left");
    assert!(matches!(refused, kepu_app::AppError::Invalid(errors) if errors[0].key == "pack_nothing"));
}
