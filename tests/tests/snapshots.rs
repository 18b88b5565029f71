//! What people and peers see, compared with how it was when somebody last read it: pages as skeletons, the API as JSON.
//! A changed snapshot is read before it is accepted: `cargo insta review`, or look at the `.snap.new` file beside it.

use insta::Settings;
use kepu_tests::Node;
use kepu_tests::house::House;
use kepu_tests::http::Http;
use kepu_tests::skeleton;
use serde_json::Value;

fn settings() -> Settings {
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (pattern, word) in skeleton::CHANGING {
        settings.add_filter(pattern, word);
    }
    settings
}

/// Keys in order, one a line.
fn pretty(value: &Value) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(value)?)
}

#[test]
fn pages_say_what_they_said() -> anyhow::Result<()> {
    let (house, http) = (House::open()?, Http::new()?);
    let pages = [
        ("home", "/", "zh"),
        ("home-en", "/", "en"),
        ("check", "/check?q={claim_text}", "zh"),
        ("claims", "/claims?field=health&sort=title", "zh"),
        ("claim", "/c/{claim}", "zh"),
        ("claim-en", "/c/{claim}", "en"),
        ("claim-corrected", "/c/{corrected}", "zh"),
        ("claim-withdrawn", "/c/{withdrawn}", "zh"),
        ("claim-checking", "/c/{checking}", "zh"),
        ("resources", "/resources?field=health&sort=title", "zh"),
        ("resource", "/r/{resource}", "zh"),
        ("resource-print", "/r/{resource}?view=print", "zh"),
        ("ask", "/ask", "zh"),
        ("question", "/q/{question}", "zh"),
        ("question-held", "/q/{held_question}", "zh"),
        ("cases", "/cases", "zh"),
        ("case-held", "/case/{held_case}", "zh"),
        ("record", "/records/{record}", "zh"),
        ("network", "/network", "zh"),
        ("privacy", "/privacy", "zh"),
        ("not-found", "/c/nowhere/never", "zh"),
        ("sign-in", "/login", "zh"),
    ];
    settings().bind(|| {
        for (name, path, lang) in pages {
            let path = house.address(path)?;
            let answer = http.send("GET", &format!("{}{path}", house.url()), &[("cookie", &format!("kepu_view={lang}"))], Vec::new())?;
            insta::assert_snapshot!(format!("page-{name}"), house.mask(&format!("{}\n{}", answer.status, skeleton::of(&answer.known()))));
        }
        Ok(())
    })
}

#[test]
fn programs_get_what_they_got() -> anyhow::Result<()> {
    let (house, http) = (House::open()?, Http::new()?);
    let answers = [
        ("claim", "/api/claims/{claim}"),
        ("claim-withdrawn", "/api/claims/{withdrawn}"),
        ("claims", "/api/claims?limit=2&field=health"),
        ("check", "/api/check?q={claim_text}"),
        ("resource", "/api/resources/{resource}"),
        ("search", "/api/search?q=大蒜&limit=3"),
        ("question", "/api/questions/{held_question}"),
        ("case", "/api/cases/{held_case}"),
        ("record", "/api/records/{record}"),
        ("divisions", "/api/divisions?below=410000"),
        ("vocabulary", "/api/vocabularies/audiences"),
        ("problem-not-found", "/api/claims/nowhere/never"),
        ("problem-cursor", "/api/claims?cursor=nonsense"),
        ("openapi", "/api/openapi.json"),
    ];
    house.indexed()?;
    settings().bind(|| {
        for (name, path) in answers {
            let answer = http.get(&format!("{}{}", house.url(), house.address(path)?))?;
            let kind = answer.header("content-type").to_owned();
            insta::assert_snapshot!(format!("api-{name}"), house.mask(&format!("{} {kind}\n{}", answer.status, pretty(&answer.json()?)?)));
        }
        let feed = http.get(&format!("{}/feed.atom", house.url()))?;
        let head: String = feed.text.split("<entry>").take(4).collect::<Vec<_>>().join("<entry>");
        insta::assert_snapshot!("feed", house.mask(&format!("{}\n{head}", feed.header("content-type"))));
        let page = http.get(&format!("{}{}", house.url(), house.address("/c/{claim}")?))?;
        let data = page.text.split("application/ld+json\">").nth(1).and_then(|rest| rest.split("</script>").next()).unwrap_or_default();
        insta::assert_snapshot!("json-ld-claim", house.mask(&pretty(&serde_json::from_str(data)?)?));
        let problem = http.send("POST", &format!("{}/api/questions", house.url()), &[("content-type", "application/json")], b"{\"text\":\"x\"}".to_vec())?;
        insta::assert_snapshot!("api-problem-invalid", format!("{}\n{}", problem.status, pretty(&problem.json()?)?));
        Ok(())
    })
}

#[test]
fn feeds_name_the_public_address_and_never_the_one_they_were_asked_at() -> anyhow::Result<()> {
    let (node, http) = (Node::init("国家示例", "000000")?, Http::new()?);
    node.run(&["seed"])?;
    let served = node.serve_with("127.0.0.1:0", &["--base-url", "https://kepu.example.cn"])?;
    for path in ["/sitemap.xml", "/feed.atom", "/robots.txt"] {
        let answer = http.get(&format!("{}{path}", served.url()))?;
        assert!(answer.status == 200 && answer.text.contains("https://kepu.example.cn"), "{path}: {}", answer.text);
        assert!(!answer.text.contains("127.0.0.1"), "{path}: {}", answer.text);
    }
    Ok(())
}
