//! People and their journeys through the pages of real nodes, in a real browser. The same deeds without pages are in `story`.

use anyhow::{Context, ensure};
use kepu_app::{App, Options};
use kepu_store::create::party;
use kepu_tests::axe::Axe;
use kepu_tests::browser::{Browser, Person};
use kepu_tests::http::Http;
use kepu_tests::{Node, cutting_relay};
use std::collections::HashMap;

/// Nobody has answered this on a fresh sample node.
const RUMOUR: &str = "听说把大蒜塞进耳朵里过一夜能治感冒";

/// Sign-in names and passwords of the sample accounts, as `kepu seed` tells the operator once.
fn seed(node: &Node) -> anyhow::Result<HashMap<String, String>> {
    let output = node.output(&["seed"])?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    let pairs = words.lines().filter_map(|line| {
        let mut parts = line.split_whitespace();
        Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
    });
    Ok(pairs.collect())
}

#[test]
fn somebody_who_heard_something_checks_it_by_keyboard_alone() -> anyhow::Result<()> {
    let Some(browser) = Browser::find()? else { return Ok(()) };
    let nation = Node::init("国家示例", "000000")?;
    seed(&nation)?;
    let served = nation.serve()?;
    let visitor = browser.person(&served.url())?;
    visitor.open("/")?;
    visitor.press("Tab")?;
    visitor.press("Enter")?;
    ensure!(visitor.address()? == "/#main", "the first key leads over the navigation");
    visitor.open("/")?;
    visitor.tab_to("")?;
    while visitor.focus()?.is_none_or(|focus| !focus.name.starts_with("<input>")) {
        visitor.press("Tab")?;
    }
    visitor.type_text("隔夜菜")?;
    visitor.press_to_go("Enter")?;
    visitor.see("隔夜菜千万别吃")?;
    visitor.tab_to("隔夜菜千万别吃")?;
    visitor.press_to_go("Enter")?;
    visitor.see("谁核实的")?;
    visitor.see("依据")?;
    // What nobody has answered becomes a question, without a mouse and without a name.
    visitor.open(&format!("/search?q={RUMOUR}"))?;
    visitor.tab_to("提交核查")?;
    visitor.press_to_go("Enter")?;
    visitor.see("查询号")?;
    visitor.see(RUMOUR)?;
    Ok(())
}

#[test]
fn a_grandmother_turns_on_large_letters_and_finds_her_way_back() -> anyhow::Result<()> {
    let (Some(browser), Some(axe)) = (Browser::find()?, Axe::find()?) else { return Ok(()) };
    let county = Node::init("县示例", "411525")?;
    seed(&county)?;
    let served = county.serve()?;
    let grandmother = browser.person(&served.url())?;
    grandmother.scripts(false)?;
    grandmother.width(360)?;
    grandmother.open("/")?;
    grandmother.click("长辈版")?;
    let size: f64 = grandmother.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")?;
    ensure!(size >= 24.0, "letters of {size} px");
    grandmother.click("这是真的吗")?;
    grandmother.see("核实过的说法")?;
    grandmother.choose("关于", "健康生活")?;
    grandmother.click("查看")?;
    let low: Vec<String> = grandmother.evaluate(
        "[...document.querySelectorAll('main button, main .btn, main select, main input:not([type=hidden])')]\
         .filter(e => e.getBoundingClientRect().height > 0 && e.getBoundingClientRect().height < 48).map(e => e.outerHTML)",
    )?;
    ensure!(low.is_empty(), "lower than 48 px: {low:?}");
    ensure!(grandmother.overflow()?.is_none(), "{:?}", grandmother.overflow()?);
    grandmother.click("首页")?;
    ensure!(grandmother.address()? == "/");
    grandmother.scripts(true)?;
    grandmother.open("/")?;
    axe.check(&grandmother, true)?;
    // She changes her mind: one press, and nothing else is lost.
    grandmother.click("长辈版")?;
    let size: f64 = grandmother.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")?;
    ensure!(size < 24.0, "letters of {size} px");
    Ok(())
}

/// Signs in on the page, as everybody does.
fn sign_in(browser: &Browser, url: &str, accounts: &HashMap<String, String>, login: &str) -> anyhow::Result<Person> {
    let person = browser.person(url)?;
    person.open("/login")?;
    person.fill("login", login)?;
    person.fill("password", accounts.get(login).with_context(|| format!("no account {login}"))?)?;
    person.send()?;
    person.see("工作台").with_context(|| format!("{login} signs in"))?;
    Ok(person)
}

/// The editor asks two reviewers, both approve, the editor signs.
fn reviewed_and_signed(editor: &Person, reviewers: &[(&Person, &str)]) -> anyhow::Result<()> {
    editor.open("/desk")?;
    editor.click_by("分派", RUMOUR)?;
    for (_, name) in reviewers {
        editor.click(&format!("请来审 {name}"))?;
    }
    for (reviewer, name) in reviewers {
        reviewer.open("/reviews")?;
        reviewer.click_by("去审", RUMOUR).with_context(|| format!("{name} reviews"))?;
        reviewer.fill("conflict", "没有利益关系")?;
        reviewer.click("通过")?;
    }
    editor.open("/desk")?;
    editor.click_by("签发", RUMOUR)?;
    editor.click("签发")
}

/// Makes a registry entry look as if its owner had confirmed it thirteen months ago.
fn long_ago(node: &Node, id: &str) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let app = App::open(Options { data: node.data().to_owned(), database: None, index: false }).await?;
        let mut tx = app.db.write().await?;
        let mut entry = party::find_entry(&mut tx, &id.into()).await?.context("entry")?;
        entry.party.confirmed = app.today().checked_sub(jiff::Span::new().months(13)).ok();
        party::update(&mut tx, &entry, "test").await?;
        Ok(tx.commit().await?)
    })
}

#[test]
fn a_doctor_is_reminded_confirms_by_one_tap_and_takes_a_consent_back() -> anyhow::Result<()> {
    let Some(browser) = Browser::find()? else { return Ok(()) };
    let nation = Node::init("国家示例", "000000")?;
    let accounts = seed(&nation)?;
    long_ago(&nation, "p-zhou")?;
    let served = nation.serve()?;
    let doctor = sign_in(&browser, &served.url(), &accounts, "yisheng")?;
    doctor.open("/desk")?;
    doctor.see("登记信息该确认了")?;
    doctor.click_by("看看并确认", "登记信息该确认了")?;
    doctor.see("太久没有确认")?;
    doctor.see("周示例")?;
    doctor.click("都对，确认")?;
    doctor.see("已确认，谢谢")?;
    doctor.click("看公开名片")?;
    doctor.see("media@example.org")?;
    let card = doctor.address()?;
    doctor.open("/account/registry")?;
    doctor.click("撤回 媒体联系")?;
    doctor.see("已撤回")?;
    let visitor = browser.person(&served.url())?;
    visitor.open(&card)?;
    visitor.see("周示例")?;
    visitor.not_see("media@example.org")?;
    // What she corrects has the same form for everybody, and her own institution's steward sees that it changed.
    doctor.open("/account/registry")?;
    doctor.click("更正")?;
    doctor.fill("about", "每周三下午可以答疑。（示例）")?;
    doctor.send()?;
    doctor.see("已保存")?;
    doctor.see("每周三下午可以答疑")
}

#[test]
fn a_museum_educator_notes_what_works_in_the_hall() -> anyhow::Result<()> {
    let Some(browser) = Browser::find()? else { return Ok(()) };
    let nation = Node::init("国家示例", "000000")?;
    let accounts = seed(&nation)?;
    let served = nation.serve()?;
    let educator = sign_in(&browser, &served.url(), &accounts, "bianji")?;
    educator.open("/registry?q=省科技馆")?;
    educator.click("示例省科技馆")?;
    educator.click("更正")?;
    educator.choose("exhibits.3.state", "正常")?;
    educator.fill("exhibits.4.name", "静电球")?;
    educator.choose("exhibits.4.state", "故障")?;
    // A mistake elsewhere keeps everything that was typed.
    educator.fill("visits", "许多人")?;
    educator.send()?;
    educator.see("要写整数")?;
    ensure!(educator.value("exhibits.4.name")? == "静电球");
    educator.fill("visits", "430000")?;
    educator.send()?;
    educator.see("已保存")?;
    let visitor = browser.person(&served.url())?;
    visitor.open("/register/halls")?;
    visitor.click("示例省科技馆")?;
    visitor.see("静电球")?;
    visitor.see("故障")?;
    visitor.see("430000")
}

#[test]
fn one_rumour_is_answered_corrected_and_withdrawn_on_two_nodes() -> anyhow::Result<()> {
    let (Some(browser), Some(axe)) = (Browser::find()?, Axe::find()?) else { return Ok(()) };
    let (nation, county) = (Node::init("国家示例", "000000")?, Node::init("固始县示例", "411525")?);
    let accounts = seed(&nation)?;
    let mut served = nation.serve()?;
    let url = served.url();
    // The county's line to the nation breaks off after a while, each time.
    let relay = cutting_relay(served.address, 100_000)?;
    nation.adopt(&county, "411525", &format!("http://{relay}"))?;
    let mut below = county.serve()?;

    // A visitor with a phone and no account asks what nobody has answered.
    let visitor = browser.person(&url)?;
    visitor.scripts(false)?;
    visitor.width(360)?;
    visitor.open("/")?;
    visitor.fill("q", RUMOUR)?;
    visitor.click("查一查")?;
    visitor.see("我们还没有查过这个说法")?;
    visitor.send()?;
    visitor.see("查询号")?;
    visitor.see("还有")?;
    let ticket = visitor.address()?;

    // The duty officer takes the case, says what it is about and what is known, and asks an expert.
    let duty = sign_in(&browser, &url, &accounts, "zhiban")?;
    duty.click_by("去受理", RUMOUR)?;
    duty.click("受理")?;
    duty.tick("健康生活")?;
    duty.click("保存领域和级别")?;
    duty.fill("known", "没有研究证明大蒜塞耳朵能治感冒。")?;
    duty.fill("not_known", "这个说法从哪里来，还在查。")?;
    duty.click("发布说明")?;
    duty.click_by("请来作答", "周示例")?;
    let case = duty.address()?;
    visitor.open(&ticket)?;
    visitor.see("核查中")?;
    visitor.see("没有研究证明大蒜塞耳朵能治感冒。")?;

    // The county receives all there is over the breaking line: nothing is lost, nothing comes twice.
    let mut cuts = 0;
    while !county.output(&["sync"])?.status.success() {
        cuts += 1;
        ensure!(cuts < 40, "the exchange never ended");
    }
    ensure!(cuts >= 1, "the line never broke");
    ensure!(nation.state()? == county.state()?, "the county has another state");
    let grandmother = browser.person(&below.url())?;
    grandmother.view("zh.elder")?;
    grandmother.width(360)?;
    grandmother.open("/")?;
    grandmother.click(RUMOUR)?;
    grandmother.see("核查中")?;
    let claim = grandmother.address()?;

    // The expert writes. The node is killed in the middle; what was saved is there, and the session goes on.
    let doctor = sign_in(&browser, &url, &accounts, "yisheng")?;
    doctor.click_by("继续写", RUMOUR)?;
    doctor.tick("不实")?;
    doctor.fill("plain", "这个说法不准确，塞大蒜可能伤到耳道。")?;
    doctor.fill("why", "感冒由病毒引起，耳道里的大蒜接触不到病毒。")?;
    doctor.fill("instead", "多休息，多喝水；高热不退请看医生。")?;
    doctor.fill("source_title-1", "感冒诊疗教材")?;
    doctor.fill("source_publisher-1", "示例出版社")?;
    doctor.fill("source_date-1", "2024")?;
    doctor.choose("source_kind-1", "教材与百科")?;
    doctor.click("保存")?;
    let draft = doctor.address()?;
    let address = served.kill();
    served = nation.serve_at(&address.to_string())?;
    doctor.open(&draft)?;
    ensure!(doctor.value("plain")? == "这个说法不准确，塞大蒜可能伤到耳道。", "what was saved is gone");
    doctor.click("提交审核")?;
    doctor.see("已提交")?;

    // Two reviewers approve, the editor signs; the asker and the case have their answer.
    let editor = sign_in(&browser, &url, &accounts, "bianji")?;
    let (first, second) = (sign_in(&browser, &url, &accounts, "shending1")?, sign_in(&browser, &url, &accounts, "shending2")?);
    let reviewers = [(&first, "林示例"), (&second, "孟示例")];
    reviewed_and_signed(&editor, &reviewers)?;
    visitor.open(&ticket)?;
    visitor.see("不实")?;
    visitor.open(&case)?;
    visitor.see("已答复")?;

    // An old woman reads it on the county's node, in large letters on her phone, also after that node was killed.
    county.json(&["sync"])?;
    let address = below.kill();
    below = county.serve_at(&address.to_string())?;
    grandmother.goes_to(&below.url());
    grandmother.open(&claim)?;
    grandmother.see("这个说法不准确，塞大蒜可能伤到耳道。")?;
    grandmother.see("林示例")?;
    grandmother.screenshot("journey-answer-elder-360")?;
    axe.check(&grandmother, true)?;
    let top: f64 = grandmother.evaluate("document.querySelector('.panel .verdict').getBoundingClientRect().top")?;
    ensure!(top < 900.0, "the verdict begins {top} px down the page");

    // A mistake is corrected. The correction stands on top of the county's page.
    editor.open(&claim)?;
    editor.click("更正")?;
    editor.fill("correction", "原文没有写明高热持续的天数，现已补上。")?;
    editor.fill("instead", "多休息，多喝水；高热三天不退请看医生。")?;
    editor.click("提交审核")?;
    reviewed_and_signed(&editor, &reviewers)?;
    county.json(&["sync"])?;
    grandmother.open(&claim)?;
    grandmother.see("原文没有写明高热持续的天数，现已补上。")?;
    grandmother.see("高热三天不退请看医生")?;
    let words = grandmother.words()?;
    ensure!(words.find("原文没有写明") < words.find("有人这样说"), "the correction does not stand on top: {words}");
    grandmother.screenshot("journey-corrected-elder-360")?;

    // It is withdrawn: gone here and there, with the reason.
    editor.open(&claim)?;
    editor.click("撤回")?;
    editor.fill("reason", "依据已经更新，重新核查。")?;
    editor.click("撤回")?;
    county.json(&["sync"])?;
    for person in [&visitor, &grandmother] {
        person.open(&claim)?;
        ensure!(person.status()? == 410, "{}", person.status()?);
        person.see("依据已经更新，重新核查。")?;
        person.not_see("塞大蒜可能伤到耳道")?;
    }

    // Both nodes say the same, make it again from their records, and their logs are whole.
    ensure!(nation.state()? == county.state()?, "the nodes differ");
    for node in [&nation, &county] {
        ensure!(node.json(&["rebuild"])?["same"] == true, "rebuilt into something else");
        ensure!(node.json(&["audit", "verify"])?["whole"] == true, "the log is broken");
    }
    let auditor = sign_in(&browser, &url, &accounts, "shenji")?;
    auditor.open("/audit")?;
    auditor.click("现在核对")?;
    auditor.see("首尾相接")?;
    drop((served, below));
    Ok(())
}

#[test]
fn a_session_that_ends_while_somebody_writes_loses_nothing() -> anyhow::Result<()> {
    let Some(browser) = Browser::find()? else { return Ok(()) };
    let nation = Node::init("国家示例", "000000")?;
    let accounts = seed(&nation)?;
    let served = nation.serve()?;
    let url = served.url();
    let writer = sign_in(&browser, &url, &accounts, "yisheng")?;
    writer.open("/drafts/new")?;
    writer.tick("核实结论")?;
    writer.fill("title", RUMOUR)?;
    writer.send()?;
    writer.fill("plain", "写了很久的一句话结论。")?;
    // The session ends behind the writer's back, as it does after half an hour.
    writer.cookie("kepu_session", &"0".repeat(64))?;
    writer.click("保存")?;
    ensure!(writer.status()? == 401, "{}", writer.status()?);
    writer.see("您写的都还在")?;
    writer.fill("login", "yisheng")?;
    writer.fill("password", &accounts["yisheng"])?;
    writer.send()?;
    writer.see("写了很久的一句话结论。")?;
    writer.send()?;
    ensure!(writer.value("plain")? == "写了很久的一句话结论。" && writer.value("claim")? == RUMOUR, "something typed is lost");
    // Pressed twice in a hurry, a question is asked once.
    let visitor = browser.person(&url)?;
    visitor.open(&format!("/ask?text={RUMOUR}"))?;
    let copy = browser.person(&url)?;
    copy.open(&visitor.address()?)?;
    copy.evaluate::<serde_json::Value>(&format!(
        "document.querySelector('main [name=_once]').value = '{}'; null",
        visitor.evaluate::<String>("document.querySelector('main [name=_once]').value")?
    ))?;
    visitor.send()?;
    copy.send()?;
    ensure!(visitor.address()? == copy.address()?, "one form opened two questions");
    Ok(())
}

/// A minute of China time, as the form of a round takes it.
fn minute(at: jiff::Timestamp) -> (String, String) {
    let at = jiff::tz::Offset::constant(8).to_datetime(at);
    (at.date().to_string(), at.strftime("%H:%M").to_string())
}

#[test]
fn an_award_office_goes_from_the_call_to_the_certificate() -> anyhow::Result<()> {
    let Some(browser) = Browser::find()? else { return Ok(()) };
    let nation = Node::init("国家示例", "000000")?;
    let accounts = seed(&nation)?;
    let served = nation.serve()?;
    let office = sign_in(&browser, &served.url(), &accounts, "bianji")?;

    // The office opens a round that closes within two minutes.
    let closes = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(110);
    office.open("/rounds")?;
    office.click("发起一轮")?;
    office.choose("kind", "培训与考核")?;
    office.fill("title", "科普上岗考核第一期")?;
    office.fill("call", "面向新上岗的科普人员，先学习，再答题。")?;
    let (day, hour) = minute(closes);
    // Fields for days and hours take keys in the order of the browser's language; the test only says what stands in them.
    let (today, now) = minute(jiff::Timestamp::now());
    for (field, value) in [("opens_day", &today), ("opens_hour", &now), ("closes_day", &day), ("closes_hour", &hour)] {
        office.evaluate::<serde_json::Value>(&format!("document.getElementById('{field}').value = '{value}'; null"))?;
    }
    office.send()?;
    office.see("征集还没有截止")?;

    // A doctor applies: the first attempt at the test fails and says why, the second passes.
    let doctor = sign_in(&browser, &served.url(), &accounts, "yisheng")?;
    doctor.open("/rounds?state=open")?;
    doctor.click("科普上岗考核第一期")?;
    doctor.click("我要申报")?;
    doctor.send()?;
    doctor.see("还缺这些")?;
    let mine = doctor.address()?;
    doctor.tick("转发量高的截图")?;
    doctor.click("交卷")?;
    doctor.see("依据要能被别人找到和核对")?;
    for right in ["有出处和日期的依据", "有相应专业、资格在有效期内的人", "申请回避", "先取得监护人同意再用", "说清楚知道什么、不知道什么、谁在研究"]
    {
        doctor.tick(right)?;
    }
    doctor.click("交卷")?;
    doctor.see("5 题对 5 题")?;
    doctor.fill("课程", "科普写作与核查")?;
    doctor.fill("完成学时", "16")?;
    doctor.choose("integrity", "是")?;
    doctor.send()?;
    doctor.see("已提交")?;

    // The office checks it, waits for the close, proposes, decides.
    office.open("/desk")?;
    office.see("1 份申报待核对")?;
    office.click_by("办理", "科普上岗考核第一期")?;
    office.click("周示例")?;
    office.click("材料齐全")?;
    office.see("已办理")?;
    office.click("科普上岗考核第一期")?;
    office.click("办理")?;
    let page = office.address()?;
    kepu_tests::wait_within("the call to close", std::time::Duration::from_secs(180), || {
        office.open(&page).is_ok() && office.words().is_ok_and(|words| words.contains("公示拟入选名单"))
    })?;
    office.click("公示拟入选名单")?;
    office.see("已公示")?;
    office.click("公布结果并发证书")?;
    office.see("证书已签发")?;
    doctor.open(&mine)?;
    doctor.see("已授予")?;
    Ok(())
}

#[test]
fn somebody_objects_without_a_name_and_a_blind_judge_steps_back() -> anyhow::Result<()> {
    let Some(browser) = Browser::find()? else { return Ok(()) };
    let nation = Node::init("国家示例", "000000")?;
    let accounts = seed(&nation)?;
    let served = nation.serve()?;
    let office = sign_in(&browser, &served.url(), &accounts, "bianji")?;
    // In the sample round anybody objects without signing in, and the office answers before anything is decided.
    let visitor = browser.person(&served.url())?;
    visitor.open("/round/sample-publicity")?;
    visitor.click_by("提出异议", "厨房里的食品安全（示例）")?;
    visitor.fill("异议", "第二部分的数据没有写出处，请核对。")?;
    visitor.send()?;
    visitor.see("等待答复")?;
    let ticket = visitor.address()?;
    office.open("/round/sample-publicity/office")?;
    office.see("有 2 件异议等待答复")?;
    office.tap("答复")?;
    office.fill("answer", "口诀为民间流传，已注明出处。")?;
    office.click("发出答复")?;
    office.see("有 1 件异议等待答复")?;
    visitor.open(&ticket)?;
    visitor.see("您的异议")?;

    // A judge scores blind and steps back from the other one.
    let judge = sign_in(&browser, &served.url(), &accounts, "shending1")?;
    judge.open("/judging")?;
    judge.see("科普人才培养计划评审（示例）")?;
    judge.open("/judging/sample-judging-1")?;
    judge.see("姓名和单位已隐去")?;
    judge.not_see("白示例")?;
    judge.fill("score-record", "9")?;
    judge.fill("score-plan", "8")?;
    judge.send()?;
    judge.see("已记下评分")?;
    judge.tap("我要回避")?;
    judge.tick("确定回避这位申报人的全部材料")?;
    judge.click("回避")?;
    judge.see("另请了别人")?;
    Ok(())
}

/// A script in the page that gives the verification page a file, as choosing one does.
const CHOOSE_FILE: &str = r#"(() => { const chosen = new DataTransfer(); chosen.items.add(new File([TEXT], "certificate.json"));
    const field = document.getElementById("files"); field.files = chosen.files; field.dispatchEvent(new Event("change")); })()"#;

#[test]
fn a_doctors_talk_is_confirmed_certified_printed_and_verified_with_the_network_cut() -> anyhow::Result<()> {
    let Some(browser) = Browser::find()? else { return Ok(()) };
    let nation = Node::init("国家示例", "000000")?;
    let accounts = seed(&nation)?;
    let served = nation.serve()?;
    let doctor = sign_in(&browser, &served.url(), &accounts, "yisheng")?;
    doctor.open("/contributions/new")?;
    doctor.choose("kind", "讲座")?;
    doctor.fill("title", "社区冬季用药安全讲座")?;
    doctor.fill("host", "国家科普示例中心（示例）")?;
    doctor.evaluate::<serde_json::Value>("document.getElementById('day').value = document.getElementById('day').max")?;
    doctor.fill("hours", "1.5")?;
    doctor.send()?;
    doctor.see("等待确认")?;
    let host = sign_in(&browser, &served.url(), &accounts, "bianji")?;
    host.open("/contributions")?;
    host.click("3 条贡献等待您的单位确认")?;
    host.evaluate::<serde_json::Value>(
        "[...document.querySelectorAll('label.choice')].find(label => label.textContent.includes('社区冬季用药')).querySelector('input').click()",
    )?;
    host.send()?;
    host.see("已确认")?;
    doctor.open("/certificates")?;
    doctor.send()?;
    doctor.see("有效")?;
    doctor.see("周示例")?;
    let fetch = |name: &str| -> anyhow::Result<String> {
        doctor.evaluate(&format!("fetch(location.pathname + '/{name}').then(answer => answer.ok ? answer.text() : 'status ' + answer.status)"))
    };
    let file = fetch("certificate.json")?;
    ensure!(file.starts_with("{\"records\":["), "{file}");
    // A build without the typesetter offers no such link.
    if doctor.words()?.contains("打印用 PDF") {
        let pdf = fetch("certificate.pdf")?;
        ensure!(pdf.starts_with("%PDF"), "{}", pdf.chars().take(200).collect::<String>());
    }
    // The visitor has the page, then the line goes.
    let visitor = browser.person(&served.url())?;
    visitor.open("/verify")?;
    served.stop()?;
    let choose = |text: &str| visitor.evaluate::<serde_json::Value>(&CHOOSE_FILE.replace("TEXT", &serde_json::Value::from(text).to_string()));
    choose(&file)?;
    visitor.see("已核验 1 个文件：相符 1")?;
    visitor.see("周示例")?;
    choose(&file.replace("周示例", "王示例"))?;
    visitor.see("不符 1")?;
    visitor.see("签发之后有内容被改动")?;
    Ok(())
}

#[test]
fn a_teacher_finds_a_lesson_that_works_tomorrow_and_adapts_before_writing_anew() -> anyhow::Result<()> {
    let Some(browser) = Browser::find()? else { return Ok(()) };
    let nation = Node::init("国家示例", "000000")?;
    let accounts = seed(&nation)?;
    let served = nation.serve()?;
    let teacher = browser.person(&served.url())?;
    teacher.scripts(false)?;
    teacher.width(360)?;
    teacher.open("/search?q=水滴为什么是圆的")?;
    teacher.click("一节课：水滴为什么是圆的")?;
    for words in ["安全等级", "可独立完成", "学习目标", "教学过程", "小学高年级"] {
        teacher.see(words)?;
    }
    ensure!(teacher.overflow()?.is_none(), "{:?}", teacher.overflow()?);
    let lesson = teacher.address()?;
    teacher.click("繁體（台灣用語）")?;
    teacher.see("水滴為什麼是圓的")?;
    teacher.open(&format!("{lesson}?view=print"))?;
    teacher.see("教学过程")?;
    let spoken = Http::new()?.get(&format!("{}{lesson}/spoken.txt", served.url()))?;
    ensure!(spoken.text.starts_with("一节课：水滴为什么是圆的。\n") && spoken.header("content-type").starts_with("text/plain"));

    // Whoever wants to write the same is shown first that it exists; the form then asks what a lesson needs.
    let editor = sign_in(&browser, &served.url(), &accounts, "bianji")?;
    editor.open("/drafts/new?kind=resource")?;
    editor.fill("title", "水滴为什么是圆的")?;
    editor.send()?;
    editor.see("审核过的相近内容")?;
    editor.screenshot("journey-known-already")?;
    editor.see("一节课：水滴为什么是圆的")?;
    editor.send()?;
    editor.choose("type", "教案")?;
    editor.click("显示这种形式要填的项目")?;
    editor.see("学习目标")?;
    editor.screenshot("journey-lesson-form")?;
    editor.fill("detail-periods", "很多")?;
    editor.click("保存")?;
    editor.see("要写整数")?;
    editor.fill("detail-periods", "2")?;
    editor.fill("detail-objectives", "看到水面像一层膜")?;
    editor.click("保存")?;
    ensure!(editor.value("detail-periods")? == "2");
    editor.see("没有填这种形式必填的项目")
}

#[test]
fn a_village_relay_makes_the_pack_of_the_month_and_says_that_it_hangs() -> anyhow::Result<()> {
    let Some(browser) = Browser::find()? else { return Ok(()) };
    let county = Node::init("县示例", "411525")?;
    let accounts = seed(&county)?;
    let served = county.serve()?;
    let relay = sign_in(&browser, &served.url(), &accounts, "yisheng")?;
    relay.width(360)?;
    relay.open("/packs")?;
    relay.choose("写给谁", "农民")?;
    relay.click("配好")?;
    relay.see("里面有什么，为什么选它")?;
    let pack = relay.address()?;
    let pack = pack.split('?').next().unwrap_or_default().to_owned();
    let http = Http::new()?;
    for (file, begins) in [("pack.zip", &b"PK"[..]), ("book.epub", b"PK"), ("broadcast.txt", "".as_bytes()), ("chat.txt", b""), ("chalk.txt", b"")] {
        let answer = http.get(&format!("{}{pack}/{file}", served.url()))?;
        ensure!(answer.status == 200 && answer.bytes.len() > 100 && answer.bytes.starts_with(begins), "{file}: {}", answer.status);
    }
    relay.click("我已张贴")?;
    relay.see("您已经回执")?;
    relay.open("/packs/table")?;
    relay.see("固始县")
}

#[test]
fn an_old_woman_pastes_what_the_neighbour_sent_and_hears_the_answer() -> anyhow::Result<()> {
    let Some(browser) = Browser::find()? else { return Ok(()) };
    let county = Node::init("县示例", "411525")?;
    seed(&county)?;
    let served = county.serve()?;
    let reader = browser.person(&served.url())?;
    reader.width(360)?;
    reader.open("/")?;
    reader.click("长辈版")?;
    reader.fill("q", "隔夜菜千万别吃")?;
    reader.press_to_go("Enter")?;
    reader.see("不实")?;
    reader.open("/search?q=流感疫苗 每年")?;
    reader.click("流感疫苗：为什么每年都要打")?;
    reader.see("谁审的")?;
    // In large letters the text for the old stands first, and the button reads it.
    reader.see("流感比感冒厉害")?;
    let listens: bool = reader.evaluate("!('speechSynthesis' in window) || !!document.querySelector('[data-spoken] button')")?;
    ensure!(listens, "no button reads aloud");
    let spoken: String = reader.evaluate("document.querySelector('[data-spoken]').dataset.spoken")?;
    ensure!(Http::new()?.get(&format!("{}{spoken}", served.url()))?.text.contains("流感比感冒厉害"));
    ensure!(reader.overflow()?.is_none(), "{:?}", reader.overflow()?);
    Ok(())
}

#[test]
fn an_integrator_finds_every_door_from_the_first_page() -> anyhow::Result<()> {
    let nation = Node::init("国家示例", "000000")?;
    seed(&nation)?;
    let served = nation.serve()?;
    let (http, url) = (Http::new()?, served.url());
    let page = http.get(&format!("{url}/"))?;
    ensure!(page.text.contains("application/atom+xml") && page.text.contains("application/feed+json"));
    let feed = http.get(&format!("{url}/feed.json"))?.json()?;
    let item = feed["items"].as_array().and_then(|items| items.iter().find(|i| i["url"].as_str().is_some_and(|u| u.contains("/r/")))).context("a resource")?;
    let resource = item["url"].as_str().context("address")?.to_owned();
    let path = resource.split_once("/r/").map(|(_, local)| local.to_owned()).context("a path")?;
    let card = http.get(&format!("{url}/embed/resource/{path}"))?;
    ensure!(card.status == 200 && card.header("content-security-policy").contains("frame-ancestors *") && card.header("set-cookie").is_empty());
    let oembed = http.get(&format!("{url}/oembed?url={url}/r/{path}"))?.json()?;
    ensure!(oembed["html"].as_str().is_some_and(|html| html.contains("<iframe") && html.contains("/embed/resource/")), "{oembed}");
    let tag = http.get(&format!("{url}/feed.atom"))?.header("etag").to_owned();
    ensure!(http.send("GET", &format!("{url}/feed.atom"), &[("if-none-match", &tag)], vec![])?.status == 304);
    ensure!(http.get(&format!("{url}/oai?verb=Identify"))?.text.contains("<deletedRecord>persistent</deletedRecord>"));
    ensure!(http.get(&format!("{url}/oai?verb=Nonsense"))?.text.contains("badVerb"));
    let api = http.get(&format!("{url}/api/resources/{path}"))?.json()?;
    ensure!(api.to_string().contains("learningResourceType"), "{api}");
    ensure!(http.get(&format!("{url}/sitemap.xml"))?.status == 200 && http.get(&format!("{url}/robots.txt"))?.status == 200);
    Ok(())
}
