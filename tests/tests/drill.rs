//! A drill in a real browser: an orange rainstorm played by three people on two nodes, one of which is cut off in the middle and catches up; and what the public
//! sees of it, which is nothing.

use anyhow::{Context, ensure};
use kepu_app::account::{NewAccount, create, grant_in};
use kepu_app::{App, Options};
use kepu_domain::access::{Actor, Role};
use kepu_tests::Node;
use kepu_tests::browser::{Browser, Person};
use kepu_tests::http::Http;

const PASSWORD: &str = "雨后的操场有彩虹真好看";
const TITLE: &str = "橙色暴雨秘密演习";

/// A duty officer of a node.
fn officer(node: &Node, login: &str, org: &str) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let app = App::open(Options { data: node.data().to_owned(), database: None, index: false }).await?;
        let operator = Actor::Node { name: "operator".into() };
        let mut tx = app.db.write().await?;
        let new = NewAccount { login: login.into(), name: format!("值班{login}"), password: PASSWORD.into(), party: None, must_change: false };
        let id = create(&app, &mut tx, &operator, new).await?;
        grant_in(&app, &mut tx, &operator, &id, &org.into(), Role::DutyOfficer).await?;
        Ok(tx.commit().await?)
    })
}

fn sign_in(browser: &Browser, url: &str, login: &str) -> anyhow::Result<Person> {
    let person = browser.person(url)?;
    person.open("/login")?;
    person.fill("login", login)?;
    person.fill("password", PASSWORD)?;
    person.send()?;
    person.see("工作台").with_context(|| format!("{login} signs in"))?;
    Ok(person)
}

/// Does a task of an order from its row.
fn done(person: &Person, order: &str, task: &str, evidence: &str) -> anyhow::Result<()> {
    person.open(order)?;
    person.click(task)?;
    person.fill("evidence", evidence)?;
    person.click("做完了")
}

#[test]
fn an_orange_rainstorm_is_exercised_on_two_nodes_one_of_which_is_cut_off() -> anyhow::Result<()> {
    let Some(browser) = Browser::find()? else { return Ok(()) };
    let (nation, county, other) = (Node::init("国家示例", "000000")?, Node::init("固始县示例", "411525")?, Node::init("旁观县示例", "420100")?);
    let served = nation.serve()?;
    let url = served.url();
    for (node, region) in [(&county, "411525"), (&other, "420100")] {
        nation.adopt(node, region, &url)?;
    }
    // The county exercises, the other one never asked for drills.
    county.run(&["node", "subscribe", "--drills", "yes"])?;
    officer(&nation, "jia", "000000")?;
    officer(&nation, "yi", "000000")?;
    officer(&county, "bing", "411525")?;
    let below = county.serve()?;
    let (leader, second, third) = (sign_in(&browser, &url, "jia")?, sign_in(&browser, &url, "yi")?, sign_in(&browser, &below.url(), "bing")?);

    // One decision: tasks with their minutes.
    leader.open("/drills")?;
    leader.click("开始演练")?;
    leader.choose("plan", "暴雨应急科普")?;
    leader.choose("level", "橙色")?;
    leader.fill("title", TITLE)?;
    leader.click("开始演练")?;
    leader.see(TITLE)?;
    leader.see("这是演练，不对外公开")?;
    let order = leader.address()?;
    for node in [&county, &other] {
        node.json(&["sync"])?;
    }

    // The county joins; nobody else learns of it.
    third.open("/drills")?;
    third.click("参加")?;
    third.see("大喇叭播 90 秒指引")?;
    let own = third.address()?;
    let http = Http::new()?;
    let hidden = |origin: &str| -> anyhow::Result<()> {
        for path in [
            "/",
            "/now",
            "/cases",
            "/search?q=演习",
            "/feed.atom",
            "/feed.json",
            "/api/cases",
            "/api/warnings",
            "/oai?verb=ListRecords&metadataPrefix=oai_dc",
            "/sitemap.xml",
            "/screen?still=1",
        ] {
            let answer = http.get(&format!("{origin}{path}"))?;
            ensure!(!answer.text.contains("秘密演习") && !answer.text.contains("drill-"), "{origin}{path} shows the drill");
        }
        Ok(())
    };
    hidden(&url)?;
    hidden(&below.url())?;
    let visitor = browser.person(&url)?;
    visitor.open(&order)?;
    visitor.not_see(TITLE)?;
    let bystander = other.serve()?;
    officer(&other, "ding", "420100")?;
    let idle = sign_in(&browser, &bystander.url(), "ding")?;
    idle.open("/drills")?;
    idle.not_see(TITLE)?;
    idle.see("还没有演练过")?;

    // Three people work. Then the county's line is cut: it goes on by itself.
    done(&leader, &order, "发布暴雨“现在怎么办”", "/now")?;
    leader.see("完成")?;
    done(&second, &order, "大屏换上本级指引", "三块屏已换")?;
    let address = served.stop().map(|_| url.clone())?;
    ensure!(!county.output(&["sync"])?.status.success(), "the nation is away");
    done(&third, &own, "大喇叭播 90 秒指引", "十二个村播了两遍")?;
    third.open(&own)?;
    third.click("通知学校停止户外活动")?;
    third.click("做不了")?;
    third.fill("reason", "电话打不通")?;
    third.click("受阻")?;
    third.open(&own)?;
    third.see("十二个村播了两遍")?;

    // The line is back: both see the same score, and what is to be practised next time.
    let served = nation.serve_at(address.trim_start_matches("http://"))?;
    county.json(&["sync"])?;
    for (person, page) in [(&leader, &order), (&third, &own)] {
        person.open(page)?;
        person.see("固始县")?;
        person.see("按时 3")?;
        person.see("受阻")?;
    }
    // The leader ends it; the lesson stays with those who played.
    leader.open(&order)?;
    leader.fill("lesson", "学校的电话要留两个，下次先试。")?;
    leader.click("结束")?;
    leader.see("已结束")?;
    leader.see("下次要加强")?;
    leader.see("通知学校停止户外活动")?;
    leader.screenshot("journey-drill-over")?;
    county.json(&["sync"])?;
    third.open("/drills")?;
    third.see(TITLE)?;
    hidden(&served.url())?;
    for node in [&nation, &county, &other] {
        ensure!(node.json(&["rebuild"])?["same"] == true, "rebuilt into something else");
        ensure!(node.json(&["audit", "verify"])?["whole"] == true, "the log is broken");
    }
    Ok(())
}
