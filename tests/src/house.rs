//! A national node as it looks on a working day: sample texts, somebody signed in for every role, open questions, a case
//! in work, drafts and reviews in every stage, something corrected, something withdrawn. Tests name its things by words:
//! `{claim}` in an address stands for the address of a claim of this house.

use crate::http::Http;
use crate::{Node, Served, wait_for};
use anyhow::{Context, bail};
use kepu_app::create::{draft, import, party, publish, review, take_back};
use kepu_app::deliver::pack;
use kepu_app::deliver::point as points;
use kepu_app::deliver::warning::take::{self, Taken};
use kepu_app::job;
use kepu_app::keys::NodeKey;
use kepu_app::listen::report::{self, Filed};
use kepu_app::listen::{case, decision, duty, inspection, intake, order, question};
use kepu_app::measure::{certificate, contribution};
use kepu_app::{App, Options, account, seed};
use kepu_domain::access::{Actor, Role};
use kepu_domain::create::draft::{Draft, Matter};
use kepu_domain::create::import::{Import, Plan};
use kepu_domain::create::party::PartyKind;
use kepu_domain::create::resource::Source;
use kepu_domain::create::review::{Decision, Said};
use kepu_domain::deliver::point;
use kepu_domain::ids::{AccountId, OrgId, PartyId, SubjectId};
use kepu_domain::listen::claim::Verdict;
use kepu_domain::listen::duty::Post;
use kepu_domain::listen::order::Mode;
use kepu_domain::listen::sighting::{Channel, hour_of};
use kepu_domain::listen::{inlet, topic};
use kepu_domain::org::Region;
use kepu_store::job::State;
use kepu_store::subject::{self, Filter, Order, Row};
use kepu_store::{Tx, session};
use sha2::Digest;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use tokio::runtime::Runtime;

/// Everybody's password.
pub const PASSWORD: &str = "雨后的操场有彩虹真好看";
/// The organisation that runs the house.
pub const ORG: &str = "org-nat";
/// A place that the house's own people have nothing to do with.
pub const ELSEWHERE: &str = "420000";

/// Name of the seat and of the account, registry entry, organisation, roles.
type Seat = (&'static str, Option<&'static str>, &'static str, &'static [Role]);

/// One person for every role, one who is editor, steward and duty officer of another place, and those whom the story needs besides.
pub const SEATS: [Seat; 13] = [
    ("contributor", Some("p-zhou"), ORG, &[Role::Contributor]),
    ("reviewer", Some("p-lin"), ORG, &[Role::Reviewer]),
    ("editor", Some("p-wei"), ORG, &[Role::Editor]),
    ("duty_officer", Some("p-zhiban"), ORG, &[Role::DutyOfficer]),
    ("steward", None, ORG, &[Role::Steward]),
    ("statistician", None, ORG, &[Role::Statistician]),
    ("system_admin", None, "000000", &[Role::SystemAdmin]),
    ("security_admin", None, "000000", &[Role::SecurityAdmin]),
    ("audit_admin", None, "000000", &[Role::AuditAdmin]),
    ("elsewhere", None, ELSEWHERE, &[Role::Editor, Role::Steward, Role::DutyOfficer]),
    ("second_reviewer", Some("p-meng"), ORG, &[Role::Reviewer]),
    ("third_reviewer", Some("p-su"), ORG, &[Role::Reviewer]),
    ("chief", None, ORG, &[Role::Editor, Role::Steward, Role::DutyOfficer]),
];

/// A session as its owner holds it.
#[derive(Clone, Debug)]
pub struct Session {
    /// Secret of the cookie `kepu_session`.
    pub token: String,
    /// Token that forms carry.
    pub csrf: String,
}

/// The house, served, with the same node opened in this process to make more things.
pub struct House {
    /// The node.
    pub node: Node,
    /// The same node in this process.
    pub app: App,
    /// Runs operations.
    pub runtime: Runtime,
    /// Being served.
    pub served: Served,
    sessions: BTreeMap<&'static str, (Session, Actor)>,
    things: BTreeMap<&'static str, String>,
    fresh: Mutex<Vec<(Node, Served)>>,
}

impl House {
    /// Builds it and serves it. `X-Forwarded-For` is believed, so that a test can come from many addresses.
    pub fn open() -> anyhow::Result<Self> {
        let node = Node::init("国家示例", "000000")?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let app = runtime.block_on(async {
            // All samples are signed in one second, before everything else: a list by time has one order, however slow the machine is.
            let (options, key) = (|| Options { data: node.data().to_owned(), database: None, index: false }, NodeKey::load(node.data())?);
            let then = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(1);
            seed::publish(&App::open_with(options(), key, Box::new(move || then)).await?).await?;
            anyhow::Ok(App::open(options()).await?)
        })?;
        let sessions = runtime.block_on(settle(&app))?;
        let served = node.serve_with("127.0.0.1:0", &["--behind-proxy"])?;
        let mut house = Self { node, app, runtime, served, sessions, things: BTreeMap::new(), fresh: Mutex::default() };
        house.furnish()?;
        Ok(house)
    }

    /// `http://…`
    pub fn url(&self) -> String {
        self.served.url()
    }

    /// The session of a seat.
    pub fn session(&self, seat: &str) -> anyhow::Result<&Session> {
        self.sessions.get(seat).map(|(session, _)| session).with_context(|| format!("nobody sits at {seat:?}"))
    }

    /// The person of a seat, for operations.
    pub fn actor(&self, seat: &str) -> &Actor {
        &self.sessions[seat].1
    }

    /// Puts the house's things in place of their words: `/c/{claim}` becomes `/c/<owner>/<local>`.
    pub fn address(&self, path: &str) -> anyhow::Result<String> {
        let mut path = path.to_owned();
        for (word, value) in &self.things {
            path = path.replace(&format!("{{{word}}}"), value);
        }
        if path.contains('{') {
            bail!("the house has nothing for {path}; it has {:?}", self.things.keys());
        }
        Ok(path)
    }

    /// Words in place of everything in `text` that another house would have otherwise: ids of its things, today's date.
    pub fn mask(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (word, value) in self.things.iter().filter(|(word, _)| !word.ends_with("_text")) {
            let value = value.split_once('/').map_or(value.as_str(), |(owner, _)| owner);
            text = text.replace(value, &format!("[{}]", if value.len() == 10 { "owner" } else { word }));
        }
        let today = self.app.today();
        let words = format!("{}年{}月{}日", today.year(), today.month(), today.day());
        text.replace(&words, "[today]").replace(&today.to_string(), "[today]").replace(&today.strftime("%-d %B %Y").to_string(), "[today]")
    }

    /// Remembers a thing by a word.
    pub fn keep(&mut self, word: &'static str, value: impl Into<String>) {
        self.things.insert(word, value.into());
    }

    /// Waits until the served node's index has everything that was just said.
    pub fn indexed(&self) -> anyhow::Result<()> {
        let (http, url) = (Http::new()?, format!("{}/api/search?q=隔夜菜", self.url()));
        wait_for("the index", || http.get(&url).and_then(|answer| answer.json()).is_ok_and(|found| !found["items"].as_array().is_none_or(Vec::is_empty)))
    }

    /// A fresh node that nobody has set up yet: address and setup code. It lives as long as the house.
    pub fn fresh_node(&self) -> anyhow::Result<(String, String)> {
        let node = Node::empty()?;
        let made = node.json(&["node", "init", "--name", "新节点", "--region", "411525"])?;
        let code = made["setup_code"].as_str().context("no setup code")?.to_owned();
        let served = node.serve()?;
        let url = served.url();
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner).push((node, served));
        Ok((url, code))
    }

    /// An account with a role in the house, to be managed by somebody.
    pub fn person(&self) -> anyhow::Result<String> {
        let operator = Actor::Node { name: "operator".into() };
        self.runtime.block_on(async {
            let mut tx = self.app.db.write().await?;
            let login = kepu_app::keys::random_word(10);
            let new = account::NewAccount { name: "被管理示例".into(), login, password: PASSWORD.into(), party: None, must_change: false };
            let id = account::create(&self.app, &mut tx, &operator, new).await?;
            account::grant_in(&self.app, &mut tx, &operator, &id, &ORG.into(), Role::Contributor).await?;
            tx.commit().await?;
            Ok(id.0)
        })
    }

    /// A fresh entry of the registry that the steward keeps: a person with a qualification that nobody has verified.
    pub fn entry(&self) -> anyhow::Result<String> {
        let qualification = serde_json::json!([{"what": "示例资格", "issuer": "示例登记处"}]);
        let values = vec![("name".to_owned(), "被登记示例".into()), ("qualifications".to_owned(), qualification)];
        let org = OrgId::from(ORG);
        let add = party::add(&self.app, self.actor("steward"), &org, PartyKind::Person, Some("experts"), values);
        Ok(self.runtime.block_on(add)?.0)
    }

    /// A file that the editor brought and has not started yet: one good row, one bad.
    pub fn brought(&self) -> anyhow::Result<Import> {
        let bytes = "title,text\n一份导入的资源,这一行是好的文字内容，可以收进来。\n没有正文,\n".as_bytes();
        let fixed = [("licence", "CC-BY-4.0"), ("fields", "other")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let plan = Plan { signed_by: "魏示例".into(), fixed: fixed.into(), ..Plan::default() };
        let brought = import::Brought { name: "资源.csv", bytes, plan, org: ORG.into() };
        Ok(self.runtime.block_on(import::bring(&self.app, self.actor("editor"), brought))?)
    }

    /// A job that the served node has done: the import that was started.
    pub fn job(&self) -> anyhow::Result<String> {
        let admin = self.actor("system_admin");
        let done = || self.runtime.block_on(job::list(&self.app, admin, Some(State::Done), None, 50)).map_or_else(|_| vec![], |list| list.jobs);
        let mine = || done().into_iter().find(|job| job.kind == job::Kind::Import.as_str());
        wait_for("a job to be done", || mine().is_some())
            .with_context(|| format!("{:?}", self.runtime.block_on(job::list(&self.app, admin, None, None, 9))))?;
        Ok(mine().context("no job")?.id.0)
    }

    /// A fresh session for a seat, so that what is done with it does not end another.
    pub fn new_session(&self, seat: &str) -> anyhow::Result<Session> {
        let account = self.actor(seat).account().context("a person")?.clone();
        self.runtime.block_on(async {
            let mut tx = self.app.db.write().await?;
            let session = open_session(&mut tx, &account, &self.app).await?;
            tx.commit().await?;
            Ok(session)
        })
    }

    /// An address for a route's path: things of this house in place of its parameters. What a POST changes is made anew each time.
    pub fn example(&self, method: &str, path: &str) -> anyhow::Result<String> {
        let first = path.trim_start_matches("/api").trim_start_matches('/').split('/').next().unwrap_or_default();
        let path = match (first, method) {
            ("c" | "claims" | "id", _) => path.replace("{owner}/{local}", "{claim}"),
            ("r" | "resources", _) => path.replace("{owner}/{local}", "{resource}"),
            ("q" | "questions", _) => path.replace("{id}", "{question}"),
            ("case" | "cases", "GET") => path.replace("{id}", "{case}"),
            ("case" | "cases", _) => path.replace("{id}", &self.asked(&rare_word())?.1),
            ("now", _) => path.replace("{county}", "411525").replace("{file}", "chat.txt").replace("{owner}/{local}", "{warning}"),
            ("points", _) => path.replace("{id}", "{point}"),
            ("warnings", _) => path.replace("{hash}", "{message}"),
            ("orders", _) => path.replace("{id}", "{order}"),
            ("tasks", _) => path.replace("{id}", "{order_task}"),
            ("decisions", _) => path.replace("{owner}/{local}", "{decision}"),
            ("inspections", _) => path.replace("{id}", "{inspection}").replace("{n}", "1"),
            ("duty", "GET") => path.replace("{id}", "{rota}"),
            ("duty", _) if path.contains("{id}") => path.replace("{id}", &self.rota(Post::Officer)?),
            ("drills", _) => path.replace("{owner}/{local}", "{drill}"),
            ("records", _) => path.replace("{hash}", "{record}"),
            ("media", _) => path.replace("{hash}", "{media}"),
            ("problems", _) => path.replace("{word}", "not-found"),
            ("static", _) => path.replace("{file}", "kepu.css"),
            ("vocabularies", _) => path.replace("{name}", "fields"),
            ("check" | "search", _) => format!("{path}?q=隔夜菜"),
            ("qr.svg", _) => format!("{path}?path=/ask"),
            ("members", _) if path.contains("/orgs/") => path.replace("{id}", "{org}"),
            ("members", "GET") => path.replace("{id}", "{person}"),
            ("members", _) => path.replace("{id}", &self.person()?),
            ("import", "GET") => path.replace("{id}", "{import}"),
            ("import", _) if path.contains("{id}") => path.replace("{id}", &self.brought()?.id.0),
            ("register" | "registers", _) => path.replace("{id}", "experts"),
            ("party" | "parties", _) => path.replace("{owner}/{local}", "{card}"),
            ("registry", "GET") if path.ends_with("export.csv") => format!("{path}?register=experts"),
            ("registry", "GET") => path.replace("{id}", "{entry}"),
            ("registry", _) if path.contains("{id}") => path.replace("{id}", &self.entry()?),
            ("jobs", _) => path.replace("{id}", "{job}"),
            ("drafts", "GET") if path.ends_with("/media") => path.replace("{id}", "{resource_draft}"),
            ("drafts", "GET") => path.replace("{id}", "{draft}"),
            ("drafts", _) if path.contains("take-back") || path.contains("assign") || path.contains("publish") => path.replace("{id}", &self.task()?.0),
            ("drafts", _) => path.replace("{id}", &self.draft()?.id.0),
            ("reviews", "GET") => path.replace("{id}", "{review}"),
            ("reviews", _) => path.replace("{id}", &self.task()?.1),
            ("withdraw" | "hold" | "release" | "notice", _) => path.replace("{owner}/{local}", "{claim}"),
            ("report", _) => path.replace("{owner}/{local}", "{claim}"),
            ("history" | "recall" | "sticker", _) => path.replace("{owner}/{local}", "{corrected}"),
            ("certificate" | "certificates", _) => path.replace("{number}", "{certificate}").replace("{file}", "certificate.json"),
            ("contributions", _) if path.contains("{id}") => path.replace("{id}", &self.stated()?),
            ("round", _) if path.contains("/objection/") => path.replace("{id}/objection/{number}", "sample-publicity/objection/sample-objection"),
            ("round", _) if path.contains("/object") => format!("{}?application=sample-publicity-1", path.replace("{id}", "sample-publicity")),
            ("round" | "rounds", _) => path.replace("{id}", "sample-open"),
            ("application", _) => path.replace("{id}", "sample-open-2").replace("{hash}", &"0".repeat(64)),
            ("judging", _) => path.replace("{id}", "sample-judging-1"),
            ("criteria", _) => path.replace("{id}", "base-district"),
            ("sync", _) => format!("{path}?r=411525"),
            ("listen", _) => path.replace("{id}", "{topic}"),
            ("intake", _) => path.replace("{id}", "{inlet}"),
            ("v1", _) => path.replace("{id}", "{inlet}"),
            ("packs", _) => path.replace("{id}", "{pack}").replace("{file}", "chat.txt"),
            ("sitemap", _) => path.replace("{n}", "1"),
            ("embed", _) => path.replace("{kind}/{owner}/{local}", "resource/{resource}"),
            ("oembed", _) => format!("{path}?url={}/r/{{resource}}", self.url()),
            _ => path.to_owned(),
        };
        self.address(&path).with_context(|| format!("say in House::example what stands for the parameters of {method} {path}"))
    }

    /// Tests give one reviewer far more than anybody takes.
    async fn tireless(&self, id: &str) -> anyhow::Result<()> {
        let operator = Actor::Node { name: "operator".into() };
        let id = PartyId::from(id);
        let version = party::view(&self.app, &operator, &id).await?.version;
        Ok(party::save(&self.app, &operator, &id, version, vec![("monthly_ceiling".into(), 200.into())]).await?)
    }

    /// A duty roster. That of officers begins in a week: while tests run, no clock calls anybody.
    fn rota(&self, post: Post) -> anyhow::Result<String> {
        let (days, people): (i64, [PartyId; 2]) = match post {
            Post::Officer => (7, ["p-zhiban".into(), "p-wei".into()]),
            Post::Expert => (-1, ["p-shao".into(), "p-ding".into()]),
        };
        let begins = self.app.today().checked_add(jiff::Span::new().days(days))?;
        let form = duty::RotaForm { begins: Some(begins), turn_days: 7, hour: 0, people: people.into(), ends: None };
        Ok(self.runtime.block_on(duty::add(&self.app, self.actor("editor"), &ORG.into(), post, form))?.0)
    }

    fn furnish(&mut self) -> anyhow::Result<()> {
        self.runtime.block_on(self.tireless("p-lin"))?;
        let editor = self.actor("editor").clone();
        let [claim, corrected, withdrawn, doubtful] = self.runtime.block_on(subjects(&self.app, "claim"))?;
        const PNG: &[u8] = &[0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0];
        let media = self.runtime.block_on(kepu_app::media::put(&self.app, PNG))?;
        self.keep("media", media.hash);
        self.keep("org", ORG);
        self.keep("import", self.brought()?.id.0);
        let done = self.brought()?;
        self.runtime.block_on(import::start(&self.app, &editor, &done.id, done.version))?;
        self.keep("import_done", done.id.0);
        self.keep("job", self.job()?);
        self.keep("person", self.person()?);
        self.keep("entry", self.entry()?);
        self.keep("card", path_of(&party::subject_of(&self.app, &"p-lin".into())));
        let [resource] = self.runtime.block_on(subjects(&self.app, "resource"))?;
        self.keep("claim", path_of(&claim.id));
        self.keep("claim_text", claim.title.clone());
        self.keep("resource", path_of(&resource.id));
        self.keep("record", claim.doc_hash.map(|hash| hash.hex()).unwrap_or_default());
        self.runtime.block_on(take_back::withdraw(&self.app, &editor, &withdrawn.id, "依据已经更新，正在重新核查。"))?;
        self.keep("withdrawn", path_of(&withdrawn.id));
        let next = self.app.today().checked_add(jiff::Span::new().days(3))?;
        self.runtime.block_on(take_back::hold(&self.app, &editor, &doubtful.id, "有读者指出剂量写法有疑问，正在核查。", Some(next)))?;
        self.keep("under_check", path_of(&doubtful.id));
        let filed = Filed { ground: "advert".into(), words: "文末有人留微信卖保健品".into(), address: String::new() };
        self.keep("reported", self.runtime.block_on(report::file(&self.app, &claim.id, filed))?.0);
        self.keep("pack", self.pack()?);
        let (topic, inlet) = self.runtime.block_on(self.listening())?;
        self.keep("topic", topic);
        self.keep("inlet", inlet);
        let [warning, message, order, task, drill, point] = self.runtime.block_on(self.emergency())?;
        self.keep("warning", warning);
        self.keep("message", message);
        self.keep("order", order);
        self.keep("order_task", task);
        self.keep("drill", drill);
        self.keep("point", point);
        let [decision, inspection] = self.runtime.block_on(self.coordination())?;
        self.keep("decision", decision);
        self.keep("inspection", inspection);
        self.keep("rota", self.rota(Post::Officer)?);
        self.rota(Post::Expert)?;
        self.next_second()?;
        self.runtime.block_on(self.correct(&corrected.id))?;
        self.next_second()?;
        self.keep("corrected", path_of(&corrected.id));
        let (question, case) = self.asked("听说把大蒜塞进耳朵能治感冒，是真的吗")?;
        self.keep("question", question);
        self.keep("case", case);
        let (question, case) = self.asked("有人说手机放在枕头边会让头发变白")?;
        let checking = self.runtime.block_on(self.work(&case))?;
        self.keep("checking", path_of(&checking));
        self.keep("held_question", question);
        self.keep("held_case", case);
        let written = self.draft()?;
        self.keep("draft", written.id.0);
        let begun = self.runtime.block_on(publish::correct(&self.app, &editor, &resource.id))?;
        self.keep("resource_draft", begun.id.0);
        let (submitted, task) = self.task()?;
        let number = self.certified()?;
        self.keep("certificate", number);
        self.keep("line", self.stated()?);
        self.keep("submitted", submitted);
        self.keep("review", task);
        Ok(())
    }

    /// A warning that is over, a message of an unknown issuer, and a drill with its tasks: nothing that other pages would show.
    async fn emergency(&self) -> anyhow::Result<[String; 6]> {
        let plan = inlet::Plan { issuers: vec!["*@nmc.example.org".into()], ..inlet::Plan::default() };
        let typed = intake::inlet::Typed { name: "示例预警来源".into(), region: Region::NATION, plan, org: ORG.into() };
        let id = intake::inlet::add(&self.app, self.actor("steward"), inlet::Kind::Warning, typed).await?;
        let source = intake::inlet::get(&self.app, self.actor("steward"), &id).await?;
        let cap = |sender: &str| {
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>41000041600000_20260720150000</identifier><sender>{sender}</sender>\
                 <sent>2026-07-20T15:00:00+08:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope><info><language>zh-CN</language><category>Met</category>\
                 <event>暴雨</event><urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty><expires>2026-07-20T20:00:00+08:00</expires>\
                 <senderName>示例台</senderName><headline>暴雨橙色预警</headline><instruction>远离低洼处</instruction><area><areaDesc>信阳市</areaDesc>\
                 <geocode><valueName>GB/T 2260</valueName><value>411500</value></geocode></area></info></alert>"
            )
        };
        let Taken::Passed(warning) = take::take(&self.app, "test", Some(&source), cap("warning@nmc.example.org").as_bytes()).await? else { bail!("passed") };
        let Taken::Held(message) = take::take(&self.app, "test", Some(&source), cap("who@example.net").as_bytes()).await? else { bail!("held") };
        let start =
            order::Start { mode: Mode::Drill, plan: "rainstorm".into(), warning: None, hazard: String::new(), level: 2, title: String::new(), org: ORG.into() };
        let order = order::start(&self.app, self.actor("duty_officer"), start).await?;
        let view = order::view(&self.app, self.actor("duty_officer"), &order).await?;
        let task = view.tasks.first().context("a task")?.task.id.0.clone();
        let drill = view.order.about.context("a drill")?;
        let loudspeaker = points::Typed {
            name: "示例大喇叭".into(),
            channel: point::Channel::Loudspeaker,
            address: String::new(),
            region: Region::parse("411525")?,
            hazards: vec!["N-RAIN".into()],
            level: 2,
            lang: "zh-Hans".into(),
            audience: String::new(),
            org: ORG.into(),
        };
        let speaker = points::add(&self.app, self.actor("steward"), loudspeaker).await?;
        Ok([path_of(&warning), message, order.0, task, path_of(&drill), speaker.0])
    }

    /// What two meetings decided, and a sample of what was done about it.
    async fn coordination(&self) -> anyhow::Result<[String; 2]> {
        seed::decisions(&self.app).await?;
        let steward = self.actor("steward");
        let all = decision::overview(&self.app, steward).await?;
        let first = all.trees.iter().find(|tree| tree.branches.iter().any(|branch| branch.done().is_some())).context("something was done")?;
        let new = inspection::New {
            title: "示例抽查".into(),
            checklist: "evidence".into(),
            region: None,
            org: ORG.into(),
            word: "示例抽签词".into(),
            size: 5,
            since: None,
        };
        Ok([path_of(&first.id), inspection::draw(&self.app, steward, new).await?.0])
    }

    /// A topic that many ask about, and a list that the editor set up.
    async fn listening(&self) -> anyhow::Result<(String, String)> {
        std::fs::write(self.app.folder("lists")?.join("hot.csv"), "标题\n今天的新鲜事\n")?;
        let columns = [("text".to_owned(), "标题".to_owned())].into();
        let plan = inlet::Plan { address: "file:hot.csv".into(), format: inlet::Format::Csv, columns, every_minutes: 60, repeats: false, issuers: vec![] };
        let typed = intake::inlet::Typed { name: "示例热榜".into(), region: Region::NATION, plan, org: ORG.into() };
        let id = intake::inlet::add(&self.app, self.actor("editor"), inlet::Kind::List, typed).await?;
        let now = self.app.now();
        let asked = topic::Topic {
            id: "sample-topic".into(),
            label: "听说自来水里加了让人变聪明的药".into(),
            phase: topic::Phase::Asked,
            since: now,
            last_at: now,
            raised_at: None,
            score: 0.0,
            total: 9,
            wordings: 2,
            case: None,
            merged_into: None,
            split_from: None,
            dropped: false,
            version: 1,
        };
        let mut tx = self.app.db.write().await?;
        kepu_store::listen::topic::insert(&mut tx, &asked).await?;
        kepu_store::listen::topic::add_heard(&mut tx, &asked.id, hour_of(now), Channel::Tipline, Region::NATION, 9).await?;
        tx.commit().await?;
        Ok((asked.id.0, id.0))
    }

    /// The pack of this month for a county.
    pub fn pack(&self) -> anyhow::Result<String> {
        let asked = pack::Make { region: Some(Region::parse("411525")?), lang: "zh-Hans".into(), ..pack::Make::default() };
        Ok(self.runtime.block_on(pack::make(&self.app, self.actor("contributor"), asked))?.0)
    }

    /// A contribution that somebody of the house has stated and nobody confirmed yet.
    pub fn stated(&self) -> anyhow::Result<String> {
        let operator = Actor::Node { name: "operator".into() };
        let claim = contribution::Claim {
            party: Some("p-wei".into()),
            kind: "talk".into(),
            title: format!("讲座{}", kepu_app::keys::random_word(8)),
            host: ORG.into(),
            day: Some(self.app.today()),
            count: 1,
            minutes: 90,
            deed: String::new(),
        };
        Ok(self.runtime.block_on(contribution::state(&self.app, &operator, claim))?.0)
    }

    /// A certificate of the editor.
    fn certified(&self) -> anyhow::Result<String> {
        let operator = Actor::Node { name: "operator".into() };
        let line = self.stated()?.into();
        let today = self.app.today();
        let draw = certificate::Draw { party: Some("p-wei".into()), from: today, until: today, kinds: vec![], lang: "zh-Hans".into() };
        self.runtime.block_on(async {
            contribution::answer(&self.app, &operator, &[line], contribution::Answer::Confirm).await?;
            Ok(certificate::draw(&self.app, &operator, draw).await?)
        })
    }

    /// Records bear whole seconds; what is said after this is newer than what was said before.
    fn next_second(&self) -> anyhow::Result<()> {
        let second = self.app.now().as_second();
        wait_for("the next second", || self.app.now().as_second() > second)
    }

    /// A question that opened a case: ticket and case.
    pub fn asked(&self, text: &str) -> anyhow::Result<(String, String)> {
        let ask = question::Ask {
            text: text.into(),
            region: Region::parse("411525")?,
            anyway: true,
            channel: kepu_domain::listen::sighting::Channel::Page,
            address: text.into(),
        };
        self.runtime.block_on(async {
            let question::Asked::Opened { question } = question::ask(&self.app, ask).await? else { bail!("no case opened") };
            let case = question::view(&self.app, &question).await?.case.context("no case")?.id;
            Ok((question.0, case.0))
        })
    }

    /// A draft that the contributor writes, ready to be given to review.
    pub fn draft(&self) -> anyhow::Result<Draft> {
        let org = OrgId::from(ORG);
        Ok(self.runtime.block_on(draft::begin(&self.app, self.actor("contributor"), &org, answer("吃大蒜能预防流感", &self.app), None, None))?)
    }

    /// A draft in review and the reviewer's task.
    pub fn task(&self) -> anyhow::Result<(String, String)> {
        let draft = self.draft()?;
        self.runtime.block_on(async {
            draft::submit(&self.app, self.actor("contributor"), &draft.id).await?;
            let task = review::assign(&self.app, self.actor("editor"), &draft.id, &"p-lin".into()).await?;
            Ok((draft.id.0, task.id.0))
        })
    }

    async fn correct(&self, id: &SubjectId) -> anyhow::Result<()> {
        let (app, editor) = (&self.app, self.actor("editor"));
        let fix = publish::correct(app, editor, id).await?;
        let Matter::Claim(mut claim) = fix.matter.clone() else { bail!("a claim") };
        claim.instead.push_str("拿不准时请问医生。");
        draft::save(app, editor, &fix.id, fix.version, Matter::Claim(claim.clone()), "原文没有写明什么时候要问医生，现已补上。").await?;
        draft::submit(app, editor, &fix.id).await?;
        let mut reviews = 0;
        for (seat, party) in [("reviewer", "p-lin"), ("second_reviewer", "p-meng"), ("third_reviewer", "p-su")] {
            if claim.author.party == party || reviews == 2 {
                continue;
            }
            // Who lacks the competence for this claim is not asked.
            let Ok(task) = review::assign(app, editor, &fix.id, &PartyId::from(party)).await else { continue };
            review::decide(app, self.actor(seat), &task.id, Said { decision: Decision::Approve, conflict: "无利益冲突", comment: "", checks: &[] }).await?;
            reviews += 1;
        }
        publish::publish(app, editor, &fix.id).await?;
        Ok(())
    }

    /// Works a case up to its holding statement, with an expert asked; the claim that will answer it.
    pub async fn work(&self, case: &str) -> anyhow::Result<SubjectId> {
        let (app, duty, id) = (&self.app, self.actor("duty_officer"), case.into());
        case::take(app, duty, &id).await?;
        case::classify(app, duty, &id, vec!["health".into()], 2).await?;
        case::ask_expert(app, duty, &id, &"p-zhou".into()).await?;
        let form = case::HoldingForm { known: "没有研究支持这个说法。".into(), not_known: "说法从哪里来。".into(), next_hours: 20 };
        Ok(case::hold(app, duty, &id, form).await?)
    }
}

/// A whole answer about `claim` that passes the machine checks.
pub fn answer(claim: &str, app: &App) -> Matter {
    let today = app.today();
    let review = kepu_domain::listen::claim::ClaimReview {
        claim: claim.into(),
        variants: vec![],
        claim_en: String::new(),
        verdict: Verdict::False,
        plain: "这个说法没有可靠证据。".into(),
        plain_en: String::new(),
        why: vec!["目前没有研究证明这样做有效。".into()],
        instead: "按时接种疫苗，勤洗手；不舒服请看医生。".into(),
        evidence: vec![Source { title: "流感诊疗教材".into(), publisher: "示例".into(), kind: "textbook".into(), date: "2024".into(), url: None }],
        fields: vec!["health".into()],
        audience: vec!["public".into()],
        region: Region::NATION,
        lang: "zh-Hans".into(),
        author: kepu_domain::create::resource::Credit {
            party: "p-zhou".into(),
            name: "周示例".into(),
            org: String::new(),
            title: String::new(),
            qualification: None,
        },
        checked: today,
        next_check: today.checked_add(jiff::Span::new().years(1)).ok(),
        chat: String::new(),
        media: None,
        holding: None,
        ai_use: kepu_domain::create::resource::AiUse::None,
        corrections: vec![],
        reviews: vec![],
        same_as: None,
        sample: false,
    };
    Matter::Claim(Box::new(review))
}

/// A word that no other question has. Latin letters could make a word that a field is known by, and long numbers are masked.
fn rare_word() -> String {
    // From thousands of letters: of two dozen, two such words would share most, and a question joins the case of one that is alike.
    let word = kepu_app::keys::random_word(48);
    let letter = |pair: &[u8]| char::from_u32(0x4E00 + pair.iter().fold(0, |sum, byte| (sum * 251 + u32::from(*byte) * 79) % 20_000));
    word.as_bytes().chunks(2).filter_map(letter).collect()
}

/// The two parts of a subject's address: `owner/local`.
pub fn path_of(id: &SubjectId) -> String {
    id.parts().map(|(owner, local)| format!("{owner}/{local}")).unwrap_or_default()
}

async fn subjects<const N: usize>(app: &App, kind: &str) -> anyhow::Result<[Row; N]> {
    let mut tx = app.db.read().await?;
    let filter = Filter { kind: Some(kind.into()), field: Some("health".into()), ..Filter::default() };
    let rows = subject::list(&mut tx, &filter, Order::Title, None, N as u32).await?;
    rows.try_into().ok().context("too few samples")
}

/// Accounts for all seats, each signed in.
pub async fn settle(app: &App) -> anyhow::Result<BTreeMap<&'static str, (Session, Actor)>> {
    let operator = Actor::Node { name: "operator".into() };
    let mut tx = app.db.write().await?;
    for (login, party, org, roles) in SEATS {
        let new =
            account::NewAccount { login: login.into(), name: login.into(), password: PASSWORD.into(), party: party.map(PartyId::from), must_change: false };
        let id = account::create(app, &mut tx, &operator, new).await?;
        for role in roles {
            account::grant_in(app, &mut tx, &operator, &id, &OrgId::from(org), *role).await?;
        }
    }
    tx.commit().await?;
    let mut sessions = BTreeMap::new();
    for (login, ..) in SEATS {
        let mut tx = app.db.write().await?;
        let found = kepu_store::account::find_by_login(&mut tx, login).await?.context("the account just made")?;
        let session = open_session(&mut tx, &found.account.id, app).await?;
        tx.commit().await?;
        let actor = account::find_session(app, &session.token).await?.context("signed in")?.actor;
        sessions.insert(login, (session, actor));
    }
    Ok(sessions)
}

/// A session without its password: signing in is slow on purpose and tested in the story.
async fn open_session(tx: &mut Tx, account: &AccountId, app: &App) -> anyhow::Result<Session> {
    let (token, csrf) = (format!("{:0>64}", kepu_app::keys::random_word(40)), kepu_app::keys::random_word(32));
    let (now, day) = (app.now(), jiff::SignedDuration::from_hours(12));
    let token_hash = data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(token.as_bytes()));
    session::insert(tx, &session::Session { token_hash, account: account.clone(), csrf: csrf.clone(), created_at: now, seen_at: now, expires_at: now + day })
        .await?;
    Ok(Session { token, csrf })
}
