//! What people ask, through the pages of real nodes: a known claim is answered at once by two nodes, a new one by itself once somebody has answered it; and a
//! day of asking leaves nothing by which one asker could be told from another.

use anyhow::{Context, ensure};
use kepu_app::create::{draft, publish, review};
use kepu_app::listen::{case, hear, question};
use kepu_app::{App, Options, sync};
use kepu_domain::create::draft::Matter;
use kepu_domain::create::review::Decision;
use kepu_domain::ids::{CaseId, QuestionId, SubjectId};
use kepu_domain::listen::case::Stage;
use kepu_store::listen::{question as questions, sighting};
use kepu_store::{counter, log};
use kepu_tests::Node;
use kepu_tests::house::House;
use kepu_tests::http::{Answer, Http};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const KNOWN: &str = "隔夜菜千万别吃，亚硝酸盐超标，吃了会致癌";
const NEW: &str = "听说在手机壳里夹一张湿纸巾就不会被定位了，真的假的";
/// The page's answer to a known claim.
const ANSWERED: &str = "class=\"panel v-false\"";

fn encoded(fields: &[(&str, &str)]) -> Vec<u8> {
    fields.iter().map(|(name, value)| format!("{name}={}", kepu_web::urls::encode(value))).collect::<Vec<_>>().join("&").into_bytes()
}

/// Sends a form as a visitor's browser would.
fn post(http: &Http, url: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> anyhow::Result<Answer> {
    let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
    all.extend_from_slice(headers);
    http.send("POST", url, &all, encoded(fields))
}

/// Asks "is this true?" and gives the page with how long it took.
fn check(http: &Http, url: &str, q: &str) -> anyhow::Result<(String, Duration)> {
    let begin = Instant::now();
    let answer = post(http, &format!("{url}/check"), &[("q", q)], &[])?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.text);
    Ok((answer.text, begin.elapsed()))
}

/// Writes, reviews and publishes the answer to a case.
async fn answer(house: &House, id: &CaseId) -> anyhow::Result<SubjectId> {
    let app = &house.app;
    let view = case::view(app, house.actor("duty_officer"), id).await?;
    let Stage::Working { draft: Some(written), .. } = view.case.stage else { anyhow::bail!("nobody was asked") };
    let doctor = house.actor("contributor");
    let begun = draft::get(app, doctor, &written).await?;
    let Matter::Claim(own) = begun.matter.clone() else { anyhow::bail!("a claim") };
    let Matter::Claim(whole) = kepu_tests::house::answer(&own.claim, app) else { anyhow::bail!("a claim") };
    let claim = kepu_domain::listen::claim::ClaimReview { variants: own.variants.clone(), author: own.author.clone(), ..*whole };
    draft::save(app, doctor, &begun.id, begun.version, Matter::Claim(Box::new(claim)), "").await?;
    draft::submit(app, doctor, &begun.id).await?;
    for (seat, party) in [("reviewer", "p-lin"), ("second_reviewer", "p-meng")] {
        let task = review::assign(app, house.actor("editor"), &begun.id, &party.into()).await?;
        review::decide(
            app,
            house.actor(seat),
            &task.id,
            kepu_domain::create::review::Said { decision: Decision::Approve, conflict: "无", comment: "", checks: &[] },
        )
        .await?;
    }
    Ok(publish::publish(app, house.actor("editor"), &begun.id).await?)
}

#[test]
fn a_known_claim_is_answered_at_once_and_a_new_one_by_itself_after_its_answer_on_both_nodes() -> anyhow::Result<()> {
    let house = House::open()?;
    let county = Node::init("县示例", "411525")?;
    house.node.adopt(&county, "411525", &house.url())?;
    let below = house.runtime.block_on(App::open(Options { data: county.data().to_owned(), database: None, index: false }))?;
    house.runtime.block_on(sync::run(&below, 0))?;
    let served = county.serve()?;
    let http = Http::new()?;
    let nodes = [house.url(), served.url()];

    for url in &nodes {
        let (page, took) = check(&http, url, KNOWN)?;
        ensure!(page.contains(ANSWERED) && page.contains("<mark>"), "{url}: {page}");
        ensure!(took < Duration::from_secs(1), "{took:?} on {url}");
        let (page, took) = check(&http, url, "大家注意！！隔夜菜千萬別吃，亞硝酸鹽超標，吃了會致癌😱")?;
        ensure!(page.contains(ANSWERED) && took < Duration::from_secs(1), "{url}: {took:?} {page}");
        let (page, _) = check(&http, url, NEW)?;
        ensure!(page.contains("我们还没有查过"), "{url}: {page}");
    }

    // Handed in, worked on, held, answered.
    let sent = post(&http, &format!("{}/ask", house.url()), &[("text", NEW), ("anyway", "1"), ("province", "410000"), ("county", "固始县")], &[])?;
    ensure!(sent.status == 303, "{} {}", sent.status, sent.text);
    let ticket = sent.header("location").to_owned();
    let id = QuestionId(ticket.rsplit('/').next().context("ticket")?.to_owned());
    let opened = house.runtime.block_on(question::view(&house.app, &id))?.case.context("a case works on it")?.id;
    let subject = house.runtime.block_on(house.work(&opened.0))?;
    house.runtime.block_on(sync::run(&below, 0))?;
    for url in &nodes {
        let (page, _) = check(&http, url, NEW)?;
        ensure!(page.contains("class=\"panel v-now\"") || page.contains("核查中"), "the holding statement is what is known: {url}: {page}");
    }
    ensure!(house.runtime.block_on(answer(&house, &opened))? == subject, "statement and answer share their address");
    let published = Instant::now();
    let (page, _) = check(&http, &house.url(), NEW)?;
    ensure!(page.contains(ANSWERED), "{page}");
    ensure!(published.elapsed() < Duration::from_millis(900), "found as soon as it is published: {:?}", published.elapsed());
    house.runtime.block_on(sync::run(&below, 0))?;
    for url in &nodes {
        for q in [NEW, "聽說在手機殼裡夾一張濕紙巾就不會被定位了，真的假的"] {
            let (page, took) = check(&http, url, q)?;
            ensure!(page.contains(ANSWERED) && page.contains(&kepu_web::urls::claim(&subject)), "{url} {q}: {page}");
            ensure!(took < Duration::from_secs(1), "{took:?}");
        }
    }
    ensure!(http.get(&format!("{}{ticket}", house.url()))?.text.contains("没有可靠证据"), "the asker's page has the answer");

    // Withdrawn here, it answers nowhere once that has travelled.
    house.runtime.block_on(kepu_app::create::take_back::withdraw(&house.app, house.actor("editor"), &subject, "依据已经更新，重新核查。"))?;
    house.runtime.block_on(sync::run(&below, 0))?;
    for url in &nodes {
        let (page, _) = check(&http, url, NEW)?;
        ensure!(!page.contains(ANSWERED), "{url}: {page}");
    }
    Ok(())
}

/// Somebody who asks: an address, a browser, and what tells them apart in what they type.
struct Asker {
    address: &'static str,
    browser: &'static str,
    number: &'static str,
    account: &'static str,
}

const ASKERS: [Asker; 2] = [
    Asker { address: "203.0.113.71", browser: "WangAyiPhone/7.1 (Kirin; 2026)", number: "13971237712", account: "wang.ayi@example.cn" },
    Asker { address: "198.51.100.23", browser: "LiBobFeaturePhone/3", number: "13555901234", account: "li_bo_88@example.com" },
];

/// What is asked in a day, in order: path and text. The texts are the same for whoever asks.
const DAY: [(&str, &str); 6] = [
    ("/check", KNOWN),
    ("/check", "鱼刺卡喉咙，喝点醋、吞口饭团就下去了"),
    ("/api/check", "打呼噜说明睡得香，不用管"),
    ("/search", "微波炉加热的食物会致癌"),
    ("/ask", "电动牙刷会不会把牙龈刷萎缩"),
    ("/check", "量子纠缠洗衣机洗得更干净"),
];

/// What a day leaves in the tables that askers can touch.
#[derive(Debug, PartialEq)]
struct Traces {
    sightings: Vec<(String, String, String, i64)>,
    questions: Vec<(String, String)>,
    log: Vec<(String, String, String, String)>,
    others: Vec<i64>,
}

/// A day of asking on a fresh node; `who` gives the asker of each question. Returns its traces and every byte that it left.
fn day(who: impl Fn(usize) -> usize) -> anyhow::Result<(Traces, Vec<u8>)> {
    let node = Node::init("国家示例", "000000")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let app = runtime.block_on(App::open(Options { data: node.data().to_owned(), database: None, index: false }))?;
    runtime.block_on(kepu_app::seed::publish(&app))?;
    let folder = tempfile::tempdir()?;
    let said = folder.path().join("log");
    // Every level of the log, and a proxy whose word about the address is believed.
    let mut child = Command::new(kepu_tests::binary())
        .args(["serve", "--no-sync", "--behind-proxy", "--listen", "127.0.0.1:0", "--data"])
        .arg(node.data())
        .env("KEPU_LOG", "trace")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&said)?)
        .spawn()?;
    let url = || std::fs::read_to_string(&said).ok().and_then(|text| Some(format!("http://{}", text.split_once("open http://")?.1.lines().next()?.trim())));
    kepu_tests::wait_for("the server", || url().is_some())?;
    let url = url().context("address")?;
    let http = Http::new()?;
    for (at, (path, text)) in DAY.iter().enumerate() {
        let asker = &ASKERS[who(at)];
        let text = format!("{text}，回我{}或{}", asker.number, asker.account);
        let headers = [("x-forwarded-for", asker.address), ("user-agent", asker.browser), ("cookie", "kepu_view=zh.elder")];
        let answer = match *path {
            "/api/check" => {
                let mut all = vec![("content-type", "application/json")];
                all.extend_from_slice(&headers);
                http.send("POST", &format!("{url}{path}"), &all, serde_json::json!({"text": text, "region": "411525"}).to_string().into_bytes())?
            }
            "/search" => http.send("GET", &format!("{url}{path}?q={}", kepu_web::urls::encode(&text)), &headers, vec![])?,
            "/ask" => post(&http, &format!("{url}{path}"), &[("text", &text), ("anyway", "1"), ("province", "410000"), ("county", "光山县")], &headers)?,
            _ => post(&http, &format!("{url}{path}"), &[("q", &text)], &headers)?,
        };
        ensure!(matches!(answer.status, 200 | 303), "{path}: {} {}", answer.status, answer.text);
    }
    Command::new("kill").arg(child.id().to_string()).status()?;
    child.wait()?;
    let traces = runtime.block_on(traces(&app))?;
    drop(app);
    let mut bytes = std::fs::read(&said)?;
    collect(node.data(), &mut bytes)?;
    Ok((traces, bytes))
}

async fn traces(app: &App) -> anyhow::Result<Traces> {
    hear::settle(app).await?;
    let mut tx = app.db.read().await?;
    let mut sightings = Vec::new();
    for one in sighting::list_before(&mut tx, i64::MAX, 10_000).await? {
        let local = one.claim.parts().map(|(_, local)| local.to_owned()).unwrap_or_default();
        sightings.push((local, one.channel.as_str().to_owned(), one.region.to_string(), one.count));
    }
    sightings.sort();
    let asked = questions::list_recent(&mut tx, None, 100).await?;
    let entries = log::list_after(&mut tx, 0, 10_000).await?;
    let others = vec![counter::last(&mut tx, "case").await?, counter::last(&mut tx, counter::SUBJECT).await?];
    Ok(Traces {
        sightings,
        questions: asked.into_iter().map(|one| (one.text, one.region.to_string())).collect(),
        log: entries
            .into_iter()
            .filter(|stored| stored.entry.who == "visitor" || stored.entry.action.starts_with("case") || stored.entry.action.starts_with("wording"))
            .map(|stored| (stored.entry.who, stored.entry.action, stored.entry.result, stored.entry.detail))
            .collect(),
        others,
    })
}

/// Every byte of every file in a folder: tables, their journal, the index.
fn collect(folder: &Path, into: &mut Vec<u8>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, into)?;
        } else {
            // A file that the index throws away while this looks is nothing that was left.
            match std::fs::read(path) {
                Ok(bytes) => into.extend(bytes),
                Err(gone) if gone.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error.into()),
            }
            into.push(0);
        }
    }
    Ok(())
}

#[test]
fn a_day_of_asking_tells_no_asker_from_another() -> anyhow::Result<()> {
    let (alternating, bytes) = day(|at| at % 2)?;
    let (one, _) = day(|_| 0)?;
    let (swapped, _) = day(|at| (at + 1) % 2)?;
    ensure!(alternating == one && one == swapped, "who asked what can be seen:\n{alternating:?}\n{one:?}\n{swapped:?}");
    ensure!(alternating.sightings.len() == 4 && alternating.questions.len() == 1, "{alternating:?}");
    // Every byte that the node left: tables, journal, index, and its log at the most talkative level.
    let holds = |needle: &str| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
    ensure!(holds("电动牙刷会不会把牙龈刷萎缩"), "the question itself is kept, or this test looks in the wrong place");
    for asker in &ASKERS {
        for needle in [asker.address, asker.browser, asker.number, asker.account, asker.account.split('@').next().unwrap_or_default()] {
            ensure!(!holds(needle), "{needle} was kept");
        }
    }
    // What was answered, and what nobody asked to be kept, is nowhere as typed.
    for needle in ["鱼刺卡喉咙，喝点醋、吞口饭团就下去了，回我", "量子纠缠洗衣机洗得更干净", "kepu_view=zh.elder"] {
        ensure!(!holds(needle), "{needle} was kept");
        ensure!(!holds(&kepu_web::urls::encode(needle)), "{needle} was kept in an address");
    }
    Ok(())
}
