//! The registry over two real nodes: one expert, four consents, four views; what its owner takes back disappears everywhere with
//! the next exchange, from pages, API, caches, bundles and files. Pages on one node are tested in `kepu-web`.

use anyhow::Context;
use kepu_app::create::party;
use kepu_app::{App, Options};
use kepu_domain::access::Actor;
use kepu_domain::create::party::PartyKind;
use kepu_domain::ids::PartyId;
use kepu_tests::http::Http;
use kepu_tests::{Node, Served};
use serde_json::json;
use tokio::runtime::Runtime;

/// A rare character and one with a variation selector, so that nobody else bears it.
const NAME: &str = "桓\u{20BB7}\u{E0100}示例";
/// What only one consent each opens.
const PRESS: &str = "press-desk@example.org";
const CREDIT: &str = "《示例星船》科学顾问";

fn operator() -> Actor {
    Actor::Node { name: "operator".into() }
}

struct Pair {
    nation: Node,
    county: Node,
    app: App,
    runtime: Runtime,
    here: Served,
    _there: Served,
    http: Http,
    id: PartyId,
}

impl Pair {
    /// A nation with one expert who gave four consents and confirmed; a county that is served and has not exchanged yet.
    fn open() -> anyhow::Result<Self> {
        let (nation, county) = (Node::init("国家示例", "000000")?, Node::init("县示例", "411525")?);
        let there = nation.serve()?;
        nation.adopt(&county, "411525", &there.url())?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let app = runtime.block_on(App::open(Options { data: nation.data().to_owned(), database: None, index: false }))?;
        let id = runtime.block_on(async {
            let values = [
                ("name", json!(NAME)),
                ("title", json!("退休航天工程师")),
                ("fields", json!(["astronomy"])),
                ("employment", json!("retired")),
                ("press_contact", json!(PRESS)),
                ("film_credits", json!(CREDIT)),
                ("mobile", json!("13800001111")),
            ];
            let values = values.into_iter().map(|(id, value)| (id.to_owned(), value)).collect();
            let id = party::add(&app, &operator(), &"000000".into(), PartyKind::Person, Some("experts"), values).await?;
            for register in ["film-advisers", "veteran-lecturers", "volunteers", "emergency-experts"] {
                party::register(&app, &operator(), &id, register, true).await?;
            }
            for purpose in ["public_card", "press", "film", "emergency"] {
                party::consent(&app, &operator(), &id, purpose, true).await?;
            }
            party::confirm(&app, &operator(), &id).await?;
            anyhow::Ok(id)
        })?;
        let here = county.serve()?;
        Ok(Self { nation, county, app, runtime, here, _there: there, http: Http::new()?, id })
    }

    fn withdraw(&self, purpose: &str) -> anyhow::Result<()> {
        Ok(self.runtime.block_on(party::consent(&self.app, &operator(), &self.id, purpose, false))?)
    }

    fn card(&self) -> String {
        party::subject_of(&self.app, &self.id).0.trim_start_matches("kepu:").to_owned()
    }

    /// A page of the county.
    fn see(&self, path: &str) -> anyhow::Result<String> {
        Ok(self.http.get(&format!("{}{path}", self.here.url()))?.text)
    }

    fn shows(&self, path: &str) -> anyhow::Result<bool> {
        Ok(self.see(path)?.contains(NAME))
    }
}

#[test]
fn one_expert_four_consents_four_views_and_what_is_taken_back_is_gone_everywhere() -> anyhow::Result<()> {
    let pair = Pair::open()?;
    let synced = pair.county.json(&["sync"])?;
    anyhow::ensure!(synced["error"].is_null(), "{synced}");
    let views = ["experts", "film-advisers", "veteran-lecturers", "volunteers"];
    for view in views {
        assert!(pair.shows(&format!("/register/{view}"))?, "{view}");
        assert!(pair.shows(&format!("/api/registers/{view}?q=%E6%A1%93"))?, "{view}");
    }
    let path = format!("/party/{}", pair.card());
    let first = pair.http.get(&format!("{}{path}", pair.here.url()))?;
    assert!(first.text.contains(PRESS) && first.text.contains(CREDIT) && !first.text.contains("13800001111"), "{}", first.text);
    let tag = first.header("etag").to_owned();
    // Duty officers find the mobile number on the node that keeps the entry only; the register of duty experts is not public.
    assert_eq!(pair.http.get(&format!("{}/register/emergency-experts", pair.here.url()))?.status, 404);

    pair.withdraw("film")?;
    pair.county.json(&["sync"])?;
    assert!(pair.shows("/register/experts")? && !pair.shows("/register/film-advisers")?);
    assert!(!pair.see(&path)?.contains(CREDIT) && pair.see(&path)?.contains(PRESS));

    let stick = pair.county.file("before.kepu");
    pair.county.run(&["bundle", "make", &stick])?;
    pair.withdraw("public_card")?;
    let synced = pair.county.json(&["sync"])?;
    anyhow::ensure!(synced["error"].is_null(), "{synced}");
    for view in views {
        assert!(!pair.shows(&format!("/register/{view}"))? && !pair.shows(&format!("/api/registers/{view}"))?, "{view}");
        assert!(!pair.shows(&format!("/register/{view}?format=csv"))?, "{view}");
    }
    // A cache that asks again with the old tag is told that it is gone.
    let again = pair.http.send("GET", &format!("{}{path}", pair.here.url()), &[("if-none-match", &tag)], vec![])?;
    assert_eq!(again.status, 410);
    assert!(!again.text.contains(NAME), "{}", again.text);
    assert_eq!(pair.http.get(&format!("{}/api/parties/{}", pair.here.url(), pair.card()))?.status, 410);
    for path in ["/", "/search?q=%E6%A1%93", "/feed.atom", "/sitemap.xml", "/network"] {
        assert!(!pair.shows(path)?, "{path}");
    }
    Ok(())
}

#[test]
fn a_taken_back_card_leaves_no_byte_on_the_other_node_and_travels_in_no_bundle() -> anyhow::Result<()> {
    let pair = Pair::open()?;
    pair.county.json(&["sync"])?;
    assert!(pair.shows("/register/experts")?);
    let old = pair.county.file("old.kepu");
    pair.county.run(&["bundle", "make", &old])?;
    pair.withdraw("public_card")?;
    pair.county.json(&["sync"])?;
    assert!(!pair.shows("/register/experts")?);
    for node in [&pair.county, &pair.nation] {
        // The nation keeps the entry itself; only its record is erased there.
        let bytes = std::fs::read(node.data().join("kepu.db"))?;
        let found = holds(&bytes, PRESS) || std::fs::read(node.data().join("kepu.db-wal")).is_ok_and(|wal| holds(&wal, PRESS));
        assert!(!found || std::ptr::eq(node, &pair.nation), "the county still holds what was taken back");
    }
    // Whoever gets the new stick learns nothing; whoever got the old one forgets with the new one.
    let new = pair.county.file("new.kepu");
    pair.county.run(&["bundle", "make", &new])?;
    let village = Node::init("村示例", "411525")?;
    village.run(&["node", "join", &pair.nation.run(&["node", "invite", "--region", "411525"])?, "--url", &pair._there.url()])?;
    village.run(&["bundle", "apply", &old])?;
    let served = village.serve()?;
    let sees = || pair.http.get(&format!("{}/register/experts", served.url())).map(|answer| answer.text.contains(NAME));
    assert!(sees()?, "the old stick still had it");
    village.run(&["bundle", "apply", &new])?;
    assert!(!sees()?, "the new stick takes it away");
    assert_eq!(village.json(&["rebuild"])?["same"], true);
    assert!(!sees()?);
    assert!(!holds(&std::fs::read(village.data().join("kepu.db"))?, PRESS));
    let record = village.json(&["node", "show"])?;
    record["records"].as_i64().context("records")?;
    Ok(())
}

/// Rows of experts as an office sends them: GB 18030, rare characters, three of a hundred rows wrong, one person twice.
fn office_file() -> Vec<u8> {
    let mut text = "姓名,职务或职称,领域,所在地（到县）,每月最多任务数,媒体联系方式\n".to_owned();
    for n in 0..100 {
        match n {
            20 => text.push_str("第20行,医师,没有这个领域,固始县,4,\n"),
            50 => text.push_str("第50行,医师,健康生活,固始县,许多,\n"),
            80 => text.push_str(",医师,健康生活,固始县,4,\n"),
            90 => text.push_str("示例\u{3400}人7号,医师,健康生活、食品安全,固始县,4,=1+1\n"),
            _ => text.push_str(&format!("示例\u{3400}人{n}号,医师,健康生活、食品安全,固始县,4,=1+1\n")),
        }
    }
    kepu_text::gb18030::encode_gb18030(&text).expect("GB 18030")
}

#[test]
fn good_rows_enter_bad_ones_come_back_and_what_is_written_out_comes_back_the_same() -> anyhow::Result<()> {
    let (one, two) = (Node::init("甲", "000000")?, Node::init("乙", "000000")?);
    let file = one.file("experts.csv");
    std::fs::write(&file, office_file())?;
    let output = one.output(&["import", &file, "--kind", "party", "--register", "experts"])?;
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).with_context(|| words.clone())?;
    assert_eq!((report["published"].as_i64(), report["known"].as_i64(), report["refused"].as_i64()), (Some(96), Some(1), Some(3)), "{report} {words}");
    for line in ["line 22:", "line 52:", "line 82:", "line 92:"] {
        assert!(words.contains(line), "{line} {words}");
    }
    let (first, second) = (one.file("first.csv"), two.file("second.csv"));
    assert_eq!(one.json(&["registry", "export", "experts", "--out", &first])?["entries"], 96);
    let text = std::fs::read_to_string(&first)?;
    assert!(text.contains("示例\u{3400}人1号") && text.contains("'=1+1"), "a spreadsheet runs nothing");
    two.run(&["import", &first, "--kind", "party", "--register", "experts"])?;
    two.run(&["registry", "export", "experts", "--out", &second])?;
    assert!(std::fs::read(&first)? == std::fs::read(&second)?, "{text}");
    // The same file again changes nothing.
    let again = two.json(&["import", &first, "--kind", "party", "--register", "experts"])?;
    assert_eq!((again["published"].as_i64(), again["known"].as_i64()), (Some(0), Some(96)), "{again}");
    Ok(())
}

#[test]
fn a_definition_with_a_mistake_is_named_with_its_line_by_the_command() -> anyhow::Result<()> {
    let node = Node::init("甲", "000000")?;
    assert!(node.json(&["definitions", "check"])?["mistakes"].as_array().is_some_and(Vec::is_empty));
    let folder = node.data().join("definitions/registers");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(
        folder.join("trucks.json"),
        "{\"id\": \"trucks\", \"zh\": \"车\", \"en\": \"Trucks\",\n\"kinds\": [\"spaceship\"], \"columns\": [\"name\"]}",
    )?;
    let output = node.output(&["definitions", "check"])?;
    assert_eq!(output.status.code(), Some(1));
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(words.contains("registers/trucks.json, line 2"), "{words}");
    Ok(())
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
