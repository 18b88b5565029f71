//! A meeting's decision and an inspection's finding on two real nodes, with a bystander who never asked for coordination and an outsider who reports for another's place.

use anyhow::{Context, ensure};
use kepu_app::account::{NewAccount, create, grant_in, sign_in};
use kepu_app::listen::decision::{self, Amend, New, NewAsk};
use kepu_app::listen::inspection::{self, Look};
use kepu_app::listen::task::{self, Deed};
use kepu_app::record::{self, Saying};
use kepu_app::{App, AppError, Options};
use kepu_domain::access::{Actor, Membership, Role};
use kepu_domain::ids::{SubjectId, TaskId};
use kepu_domain::listen::decision::{Coordination, FIELD, Outcome, Report, Said};
use kepu_domain::listen::inspection::Tick;
use kepu_domain::org::Region;
use kepu_domain::record::Body;
use kepu_tests::Node;
use kepu_tests::http::Http;

const PASSWORD: &str = "雨后的操场有彩虹真好看";

/// A node with somebody who coordinates there.
struct House {
    node: Node,
    app: App,
    actor: Actor,
    cookie: String,
}

async fn house(node: Node, org: &str, roles: &[Role]) -> anyhow::Result<House> {
    let app = App::open(Options { data: node.data().to_owned(), database: None, index: false }).await?;
    let operator = Actor::Node { name: "operator".into() };
    let mut tx = app.db.write().await?;
    let new = NewAccount { login: "jia".into(), name: "甲".into(), password: PASSWORD.into(), party: None, must_change: false };
    let account = create(&app, &mut tx, &operator, new).await?;
    for role in roles {
        grant_in(&app, &mut tx, &operator, &account, &org.into(), *role).await?;
    }
    tx.commit().await?;
    let session = sign_in(&app, "jia", PASSWORD, None, "").await?;
    let memberships = roles.iter().map(|role| Membership { org: org.into(), role: *role }).collect();
    Ok(House { node, app, actor: Actor::Person { account, name: "甲".into(), memberships }, cookie: format!("kepu_session={}", session.token) })
}

impl House {
    async fn tree(&self, http: &Http, url: &str, id: &SubjectId) -> anyhow::Result<String> {
        let (owner, local) = id.parts().context("an id")?;
        let address = format!("{url}/api/decisions/{owner}/{local}");
        let answer = tokio::task::block_in_place(|| http.send("GET", &address, &[("cookie", &self.cookie)], vec![]))?;
        ensure!(answer.status == 200, "{url}: {}", answer.text);
        Ok(answer.text)
    }
    async fn step(&self, id: &TaskId, deed: Deed) -> anyhow::Result<()> {
        let version = task::get(&self.app, &self.actor, id).await?.version;
        task::act(&self.app, &self.actor, id, version, deed).await?;
        Ok(())
    }
    async fn branch(&self, id: &SubjectId) -> anyhow::Result<kepu_domain::listen::decision::Branch> {
        decision::view(&self.app, &self.actor, id).await?.tree.branches.into_iter().next().context("a branch")
    }
}

fn meeting(name: &str, what: &str, app: &App, place: Region) -> New {
    let due = Some(app.today().saturating_add(jiff::Span::new().days(9)));
    let asks = vec![NewAsk { what: what.into(), places: vec![place], due, link: true }];
    New { meeting: name.into(), day: Some(app.today()), words: "每个县开放一天".into(), level: 2, org: "000000".into(), asks }
}

fn report(decision: &SubjectId, place: Region) -> Coordination {
    let said = vec![Said { outcome: Outcome::Done, at: jiff::Timestamp::UNIX_EPOCH, words: "https://example.net/fake".into() }];
    Coordination::Report(Report { decision: decision.clone(), ask: "a1".into(), place, host: "冒名".into(), said })
}

/// Says something as another node would, whatever its own rules are.
async fn says(app: &App, says: Coordination) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    let subject = SubjectId::new(&app.key.id().fingerprint(), "report-fake");
    let body = Body::Coordination(Box::new(says));
    let saying = Saying { subject, region: Region::NATION, fields: vec![FIELD.into()], lang: "zh-Hans".into(), body };
    record::publish(app, &mut tx, vec![saying]).await?;
    Ok(tx.commit().await?)
}

#[test]
fn a_decision_and_a_finding_travel_down_and_their_evidence_back_up() -> anyhow::Result<()> {
    let nodes = [("国家示例", "000000"), ("固始县示例", "411525"), ("邻县示例", "411524"), ("旁观县示例", "420100")];
    let [nation, county, next, idle] = nodes.map(|(name, region)| Node::init(name, region));
    let (nation, county, next, idle) = (nation?, county?, next?, idle?);
    let served = nation.serve()?;
    let url = served.url();
    for (node, region) in [(&county, "411525"), (&next, "411524"), (&idle, "420100")] {
        nation.adopt(node, region, &url)?;
    }
    for node in [&county, &next] {
        node.run(&["node", "subscribe", "--coordination", "yes"])?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let below = county.serve()?;
    let (below_url, http, place) = (below.url(), Http::new()?, Region::parse("411525")?);
    runtime.block_on(async {
        let up = house(nation, "000000", &[Role::Steward]).await?;
        let down = house(county, "411525", &[Role::DutyOfficer]).await?;
        let aside = house(next, "411524", &[Role::DutyOfficer]).await?;
        let away = house(idle, "420100", &[Role::DutyOfficer]).await?;
        let all = || -> anyhow::Result<()> {
            for one in [&down, &aside, &away] {
                one.node.json(&["sync"])?;
            }
            Ok(())
        };
        let id = decision::decide(&up.app, &up.actor, meeting("一次会议", "县科普馆开放一天", &up.app, place)).await?;
        all()?;
        ensure!(decision::overview(&away.app, &away.actor).await?.trees.is_empty(), "who did not ask for coordination learns nothing");
        ensure!(decision::view(&aside.app, &aside.actor, &id).await.is_ok(), "what a meeting decides is for all who coordinate");

        // The same letter again, and another letter about the same: one task.
        let first = decision::take_on(&down.app, &down.actor, &id, "a1", &"411525".into()).await?;
        down.node.json(&["sync"])?;
        ensure!(decision::take_on(&down.app, &down.actor, &id, "a1", &"411525".into()).await? == first, "one letter, one task");
        let twice = decision::decide(&up.app, &up.actor, meeting("另一次会议", "县科普馆开放一天", &up.app, place)).await;
        ensure!(matches!(twice, Err(AppError::Invalid(_))), "{twice:?}");
        // An outsider: its own certificate refuses the place of another, and a report about another place counts for nothing.
        let (mine, theirs) = (Region::parse("411524")?, place);
        let refused = says(&aside.app, report(&id, theirs)).await;
        ensure!(matches!(refused, Err(AppError::Refused(_))), "{refused:?}");
        says(&aside.app, report(&id, mine)).await?;
        all()?;
        ensure!(up.branch(&id).await?.outcome() == Some(Outcome::Taken), "the outsider's word is ignored");

        // The deadline moves; the task below follows. It is blocked, then done with evidence.
        let later = up.app.today().saturating_add(jiff::Span::new().days(20));
        let change = Amend { ask: "a1".into(), due: Some(later), reason: "下雨顺延".into() };
        decision::amend(&up.app, &up.actor, &id, 0, change).await?;
        all()?;
        let due = task::get(&down.app, &down.actor, &first).await?.due;
        ensure!(due == up.branch(&id).await?.ask.due, "the task below follows the deadline");
        down.step(&first, Deed::Block("馆里停电".into())).await?;
        all()?;
        ensure!(up.branch(&id).await?.is_stuck(up.app.now()), "above sees that it is blocked");
        down.step(&first, Deed::Done("https://example.org/open".into())).await?;
        all()?;
        let trees = [up.tree(&http, &url, &id).await?, down.tree(&http, &below_url, &id).await?];
        ensure!(trees[0] == trees[1] && trees[0].contains("https://example.org/open") && trees[0].contains("下雨顺延"), "{trees:?}");

        // An inspection draws it, finds something, and asks the county and nobody else.
        let new = inspection::New {
            title: "抽查".into(),
            checklist: "evidence".into(),
            org: "000000".into(),
            word: "今天的号码".into(),
            size: 3,
            ..Default::default()
        };
        let drawn = inspection::draw(&up.app, &up.actor, new).await?;
        let ticks = ["opens", "fits", "sound"].map(|word| (word.to_owned(), Tick::Yes)).into_iter().chain([("date".to_owned(), Tick::No)]);
        let (found, what) = ("照片是去年的".to_owned(), "补上今年的照片".to_owned());
        inspection::look(&up.app, &up.actor, &drawn, Look { n: 1, ticks: ticks.collect(), found, what, due: None, level: 2 }).await?;
        all()?;
        let finding = decision::overview(&down.app, &down.actor).await?.trees.into_iter().find(|tree| tree.decided.words == "照片是去年的");
        let finding = finding.context("the finding has come")?.id;
        ensure!(decision::view(&aside.app, &aside.actor, &finding).await.is_err(), "a finding is none of the neighbour's business");
        let task = decision::take_on(&down.app, &down.actor, &finding, "a1", &"411525".into()).await?;
        down.step(&task, Deed::Done("https://example.org/new".into())).await?;
        all()?;
        let view = inspection::view(&up.app, &up.actor, &drawn).await?;
        let sum = view.summary;
        ensure!((sum.drawn, sum.seen, sum.findings, sum.corrected, sum.in_time) == (1, 1, 1, 1, 1) && view.repeats, "{sum:?}");

        // It ends; a task that is still open below ends with it.
        let other = decision::decide(&up.app, &up.actor, meeting("第三次会议", "县图书馆办一次讲座", &up.app, place)).await?;
        all()?;
        let open = decision::take_on(&down.app, &down.actor, &other, "a1", &"411525".into()).await?;
        down.node.json(&["sync"])?;
        decision::end(&up.app, &up.actor, &other, 0, "改在秋天办").await?;
        all()?;
        let ended = task::get(&down.app, &down.actor, &open).await?;
        ensure!((ended.stage.name(), ended.stage.words()) == ("dropped", "改在秋天办"), "{ended:?}");
        let both = [up.tree(&http, &url, &other).await?, down.tree(&http, &below_url, &other).await?];
        ensure!(both[0] == both[1], "{both:?}");

        for one in [&up, &down, &aside, &away] {
            ensure!(one.node.json(&["rebuild"])?["same"] == true, "rebuilt into something else");
            ensure!(one.node.json(&["audit", "verify"])?["whole"] == true, "the log is broken");
        }
        let again = [up.tree(&http, &url, &id).await?, down.tree(&http, &below_url, &id).await?];
        ensure!(again == trees, "rebuilding changes no tree");
        for path in ["/", "/cases", "/search?q=科普馆", "/feed.json", "/api/cases", "/sitemap.xml"] {
            let answer = tokio::task::block_in_place(|| http.get(&format!("{url}{path}")))?;
            ensure!(!answer.text.contains("县科普馆开放一天"), "{path} shows what is not public");
        }
        anyhow::Ok(())
    })
}
