//! The verification page (`kepu-web/static/verify.html`) against `kepu verify`: both must say the same of every file. The
//! page's script runs in node, with the WebCrypto that browsers have.

use anyhow::{Context, ensure};
use jiff::Timestamp;
use jiff::civil::{Date, date};
use kepu_app::{App, Options};
use kepu_domain::access::Actor;
use kepu_domain::ids::{KeyId, SubjectId};
use kepu_domain::org::Region;
use kepu_domain::record::{Body, CorrectionNotice, Envelope, ForkProof, Place, Retraction, Stream};
use kepu_domain::trust::{Certificate, KEY_ROLES, KeyRole, LastGood, TrustDoc, key_commitment};
use kepu_sync::record::{Record, sign};
use kepu_sync::suite::{SigningKey, Suite};
use kepu_tests::{Node, binary};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A file to judge, other files beside it, a pinned root.
struct Case {
    name: String,
    file: PathBuf,
    beside: Vec<PathBuf>,
    pin: Option<String>,
}

/// A folder of files made for one test.
struct Files {
    folder: tempfile::TempDir,
    cases: Vec<Case>,
}

impl Files {
    fn new() -> anyhow::Result<Self> {
        Ok(Self { folder: tempfile::tempdir()?, cases: vec![] })
    }
    fn write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<PathBuf> {
        let path = self.folder.path().join(format!("{name}.json"));
        std::fs::write(&path, bytes)?;
        Ok(path)
    }
    fn case(&mut self, name: &str, bytes: &[u8], pin: Option<&str>) -> anyhow::Result<()> {
        self.case_beside(name, bytes, &[], pin)
    }
    fn case_beside(&mut self, name: &str, bytes: &[u8], beside: &[PathBuf], pin: Option<&str>) -> anyhow::Result<()> {
        let file = self.write(&format!("{}-{name}", self.cases.len()), bytes)?;
        self.cases.push(Case { name: name.into(), file, beside: beside.to_vec(), pin: pin.map(str::to_owned) });
        Ok(())
    }

    /// What the page and the command say; fails where they differ. `None` where node is missing.
    fn agree(&self) -> anyhow::Result<Option<Vec<(Value, Value)>>> {
        let Some(page) = self.page()? else { return Ok(None) };
        let command = self.command()?;
        ensure!(page.len() == command.len(), "{} answers of the page, {} of the command", page.len(), command.len());
        for ((page, command), case) in page.iter().zip(&command).zip(&self.cases) {
            let text = || format!("{}: page {page}, command {command}, file {}", case.name, std::fs::read_to_string(&case.file).unwrap_or_default());
            ensure!(page["ok"] == command["ok"], "{}", text());
            if page["ok"] == true {
                ensure!(page["by"] == command["by"] && page["at"] == command["at"] && page["chain"] == command["chain"], "{}", text());
            }
        }
        Ok(Some(page.into_iter().zip(command).collect()))
    }

    fn page(&self) -> anyhow::Result<Option<Vec<Value>>> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let node = Command::new("node")
            .arg(root.join("verifier.cjs"))
            .arg(root.join("../crates/kepu-web/static/verify.html"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut node = match node {
            Ok(node) => node,
            Err(error) => {
                ensure!(std::env::var("CI").as_deref() != Ok("true"), "CI=true and node does not run: {error}");
                eprintln!("skipped: node does not run here ({error}), so the verification page was not tried");
                return Ok(None);
            }
        };
        let mut input = node.stdin.take().context("no standard input")?;
        let lines: Vec<String> = self
            .cases
            .iter()
            .map(|case| {
                let files: Vec<&PathBuf> = std::iter::once(&case.file).chain(&case.beside).collect();
                json!({"files": files, "pin": case.pin}).to_string()
            })
            .collect();
        // Read while writing: the answers may fill the pipe before all questions are through.
        let writer = std::thread::spawn(move || input.write_all(lines.join("\n").as_bytes()));
        let output = node.wait_with_output()?;
        writer.join().expect("the writer does not panic")?;
        ensure!(output.status.success(), "the page's script failed");
        Ok(Some(String::from_utf8(output.stdout)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?))
    }

    /// Neighbouring cases with the same root and files beside go into one call.
    fn command(&self) -> anyhow::Result<Vec<Value>> {
        let mut answers = Vec::new();
        for group in self.cases.chunk_by(|a, b| (&a.pin, &a.beside) == (&b.pin, &b.beside)) {
            let mut command = Command::new(binary());
            command.arg("verify").args(group.iter().map(|case| &case.file));
            command.args(group[0].beside.iter().flat_map(|path| [Path::new("--with"), path]));
            command.args(group[0].pin.iter().flat_map(|pin| ["--root", pin]));
            let output = command.output()?;
            ensure!(output.status.code() != Some(2), "{}", String::from_utf8_lossy(&output.stderr));
            for line in String::from_utf8(output.stdout)?.lines() {
                answers.push(serde_json::from_str(line)?);
            }
        }
        Ok(answers)
    }
}

async fn open(node: &Node) -> App {
    App::open(Options { data: node.data().to_owned(), database: None, index: false }).await.expect("node opens")
}

fn key_of(node: &Node) -> anyhow::Result<String> {
    Ok(node.json(&["node", "show"])?["key"].as_str().context("no key")?.to_owned())
}

fn flip(text: &str, at: usize) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] ^= 1 << (at % 8);
    bytes
}

#[test]
fn page_and_command_agree_on_records_of_real_nodes() -> anyhow::Result<()> {
    let (nation, county, stranger) = (Node::init("国家示例", "000000")?, Node::init("县示例", "411525")?, Node::init("别处", "000000")?);
    let served = nation.serve()?;
    nation.adopt(&county, "411525", &served.url())?;
    county.publish(2, "离线")?;
    let (root, author) = (key_of(&nation)?, key_of(&county)?);
    let (digits, foreign) = (KeyId(root.clone()).digits(), key_of(&stranger)?);
    let plain = county.run(&["record", "show", &format!("{author}/lib/1")])?;
    let chain = county.run(&["record", "show", "--chain", &format!("{author}/lib/1")])?;
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(&chain)?)?;
    let mut files = Files::new()?;
    for (name, text, pin) in [
        ("plain", &plain, None),
        ("chain", &chain, None),
        ("chain to the root", &chain, Some(root.as_str())),
        ("chain to the digits", &chain, Some(digits.as_str())),
        ("pretty", &pretty, Some(root.as_str())),
        ("no certificates", &plain, Some(root.as_str())),
        ("foreign root", &chain, Some(foreign.as_str())),
        ("foreign digits", &chain, Some("000011112222333344445555")),
    ] {
        files.case(name, text.as_bytes(), pin)?;
    }
    for (name, text) in [
        ("wrong number", plain.replace("\"n\":1", "\"n\":2")),
        ("wrong number in both", plain.replace("\"n\":1", "\"n\":2").replace("\"challenge\":\"1\"", "\"challenge\":\"2\"")),
        ("wrong stream in both", plain.replace("\"stream\":\"lib\"", "\"stream\":\"alert\"").replace("kepu:lib", "kepu:alert")),
        ("altered text", plain.replace("简短", "冗长")),
        ("float", plain.replace("\"n\":1", "\"n\":1.0")),
        ("exponent", plain.replace("\"n\":1", "\"n\":1e0")),
        ("minus nothing", plain.replace("\"n\":1", "\"n\":-0")),
        ("twice, the right one last", plain.replace("\"n\":1", "\"n\":7,\"n\":1")),
        ("twice, the wrong one last", plain.replace("\"n\":1", "\"n\":1,\"n\":7")),
        ("escaped alike", plain.replace("离线", "\\u79bb\\u7ebf")),
        ("lone surrogate", plain.replace("离线", "\\ud800")),
        ("one more in the proof", plain.replace("\"proof\":{", "\"proof\":{\"nonce\":\"x\",")),
        ("byte order mark", format!("\u{feff}{plain}")),
        ("tail", format!("{plain}x")),
        ("two lines", format!("{plain}\r\n\r\n{plain}\n")),
        ("second line cut", format!("{plain}\n{}", &plain[..plain.len() / 2 - plain.len() / 2 % 3])),
        ("list", format!("[{plain},{plain}]")),
        ("empty list", "[]".into()),
        ("empty container", "{\"records\":[]}".into()),
        ("nothing", String::new()),
        ("null", "null".into()),
        ("container with a number", format!("{{\"made\":1.5,\"records\":[{plain}]}}")),
        ("deep", format!("{}{}", "[".repeat(200), "]".repeat(200))),
        ("proto", plain.replace("\"kind\"", "\"__proto__\":{\"kind\":\"x\"},\"kind\"")),
    ] {
        files.case(name, text.as_bytes(), None)?;
    }
    for at in 0..plain.len() {
        files.case(&format!("bit {at}"), &flip(&plain, at), None)?;
    }
    let altered = files.cases.len();
    for at in (0..chain.len()).step_by(11) {
        files.case(&format!("bit {at} of the chain"), &flip(&chain, at), Some(&root))?;
    }
    let Some(said) = files.agree()? else { return Ok(()) };
    let good = |name: &str| files.cases.iter().position(|case| case.name == name).map(|at| said[at].0["ok"] == true);
    for name in ["plain", "chain", "chain to the root", "chain to the digits", "pretty", "two lines", "list", "container with a number", "escaped alike"] {
        assert_eq!(good(name), Some(true), "{name}");
    }
    for name in [
        "no certificates",
        "foreign root",
        "foreign digits",
        "wrong number",
        "wrong number in both",
        "wrong stream in both",
        "altered text",
        "float",
        "lone surrogate",
    ] {
        assert_eq!(good(name), Some(false), "{name}");
    }
    let flipped = &said[altered - plain.len()..];
    let passed: Vec<usize> = (0..flipped.len()).filter(|at| flipped[*at].0["ok"] == true).collect();
    // A flipped bit in a member name of the container's shell cannot be; every byte of a record matters.
    assert!(passed.is_empty(), "bits that nobody missed: {passed:?}");
    eprintln!("{} files, {} of them with one flipped bit", said.len(), flipped.len());
    Ok(())
}

#[test]
fn withdrawn_and_revoked_records_fail_in_both() -> anyhow::Result<()> {
    let (nation, county) = (Node::init("国家示例", "000000")?, Node::init("县示例", "411525")?);
    let served = nation.serve()?;
    nation.adopt(&county, "411525", &served.url())?;
    county.publish(3, "撤回")?;
    let (root, author) = (key_of(&nation)?, key_of(&county)?);
    let show = |n: i64| county.run(&["record", "show", "--chain", &format!("{author}/lib/{n}")]);
    let (first, third) = (show(1)?, show(3)?);
    let subject: Value = serde_json::from_str(&first)?;
    let subject = SubjectId(subject["records"][0]["identifier"].as_str().context("no subject")?.into());
    let runtime = tokio::runtime::Runtime::new()?;
    let (withdrawal, revocation) = runtime.block_on(async {
        let operator = Actor::Node { name: "operator".into() };
        let app = open(&county).await;
        kepu_app::create::take_back::withdraw(&app, &operator, &subject, "证书发错了人").await?;
        let mut tx = app.db.read().await?;
        let all = kepu_store::record::list_all(&mut tx, None, 1_000).await?;
        let withdrawal = all.into_iter().filter_map(|(_, row)| kepu_app::record::read_row(row)).find(|r| r.kind == "retraction").context("no retraction")?;
        drop(tx);
        let app = open(&nation).await;
        let mut tx = app.db.write().await?;
        let last_good = LastGood { trust: 0, alert: 0, lib: 2 };
        let body = Body::Trust(TrustDoc::Revocation { key: KeyId(author.clone()), last_good, reason: "密钥遗失".into() });
        let saying = kepu_app::record::Saying {
            subject: SubjectId::new(&KeyId(root.clone()).fingerprint(), "revocation-1"),
            region: Region::NATION,
            fields: vec![],
            lang: String::new(),
            body,
        };
        let revocation = kepu_app::record::publish(&app, &mut tx, vec![saying]).await?.remove(0);
        tx.commit().await?;
        anyhow::Ok((withdrawal, revocation))
    })?;
    let mut files = Files::new()?;
    let withdrawn = files.write("withdrawals", json!({"records": [withdrawal.with_proof()]}).to_string().as_bytes())?;
    let revoked = files.write("revocations", revocation.with_proof().to_string().as_bytes())?;
    for pin in [None, Some(root.as_str())] {
        files.case("good", first.as_bytes(), pin)?;
        files.case_beside("withdrawn", first.as_bytes(), std::slice::from_ref(&withdrawn), pin)?;
        files.case("withdrawn within", show(1)?.as_bytes(), pin)?;
        files.case_beside("another one withdrawn", third.as_bytes(), std::slice::from_ref(&withdrawn), pin)?;
        files.case_beside("revoked above", third.as_bytes(), std::slice::from_ref(&revoked), pin)?;
        files.case_beside("revoked below", first.as_bytes(), std::slice::from_ref(&revoked), pin)?;
    }
    let Some(said) = files.agree()? else { return Ok(()) };
    let codes: Vec<&str> = said.iter().map(|(page, _)| page["code"].as_str().unwrap_or_default()).collect();
    assert_eq!(codes[..6], ["", "withdrawn", "withdrawn", "", "revoked", ""]);
    assert_eq!(codes[6..], codes[..6], "with the pinned root");
    assert!(said[1].1["reason"].as_str().is_some_and(|reason| reason.contains("证书发错了人")), "{}", said[1].1);
    Ok(())
}

#[test]
fn the_page_never_calls_an_sm2_record_right() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().display().to_string();
    let kepu = |words: &[&str]| -> anyhow::Result<String> {
        let output = Command::new(binary()).args(words).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    };
    let key: Value = serde_json::from_str(&kepu(&["node", "init", "--data", &data, "--name", "国密示例", "--suite", "sm2"])?)?;
    let rows = folder.path().join("rows.jsonl");
    std::fs::write(&rows, "{\"title\":\"国密\",\"text\":\"这是一条用国密算法签名的简短说明。\"}\n")?;
    kepu(&["record", "publish", "--data", &data, "--in", &rows.display().to_string()])?;
    let mut files = Files::new()?;
    let record = kepu(&["record", "show", "--data", &data, &format!("{}/lib/1", key["key"].as_str().context("no key")?)])?;
    files.case("sm2", record.as_bytes(), None)?;
    let Some(page) = files.page()? else { return Ok(()) };
    assert_eq!((&page[0]["ok"], page[0]["code"].as_str()), (&Value::Null, Some("sm2")));
    assert_eq!(files.command()?[0]["ok"], true);
    Ok(())
}

/// Small numbers without a crate: reproducible, which is all that matters here.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).expect("small")
    }
    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.roll(list.len())]
    }
}

/// A world of keys that certify, rotate, revoke, publish, withdraw and fork at random.
struct World {
    dice: Dice,
    keys: Vec<SigningKey>,
    matter: Body,
    /// Numbers taken in this world.
    counts: std::collections::HashMap<(usize, Stream), i64>,
}

const REGIONS: [&str; 5] = ["000000", "410000", "411500", "411525", "420000"];
const STREAMS: [Stream; 3] = [Stream::Trust, Stream::Alert, Stream::Lib];

impl World {
    fn id(&self, at: usize) -> KeyId {
        self.keys[at].id()
    }
    fn region(&mut self) -> Region {
        Region::parse(self.dice.pick::<&str>(&REGIONS)).expect("code")
    }
    fn fields(&mut self) -> Vec<String> {
        ["health", "physics"].iter().filter(|_| self.dice.roll(8) == 0).map(|f| (*f).to_owned()).collect()
    }
    fn day(&mut self) -> Date {
        date(2026, 1, 1).saturating_add(jiff::Span::new().days(i64::try_from(self.dice.roll(300)).expect("small")))
    }
    fn number(&mut self) -> i64 {
        1 + i64::try_from(self.dice.roll(4)).expect("small")
    }
    fn last_good(&mut self) -> LastGood {
        if self.dice.roll(3) == 0 { LastGood::ALL } else { LastGood { trust: self.number(), alert: self.number() - 1, lib: self.number() } }
    }
    fn next(&mut self) -> Option<String> {
        let at = self.dice.roll(self.keys.len());
        (self.dice.roll(4) > 0).then(|| key_commitment(&self.id(at)))
    }

    fn body(&mut self) -> Body {
        let at = self.dice.roll(self.keys.len());
        let other = self.id(at);
        match self.dice.roll(14) {
            0..=4 => {
                let mut roles: std::collections::BTreeSet<KeyRole> = KEY_ROLES.into_iter().filter(|_| self.dice.roll(6) > 0).collect();
                roles.insert(KeyRole::Author);
                let fields = self.fields().into_iter().collect();
                Body::Trust(TrustDoc::Certificate(Certificate {
                    key: other,
                    holder: format!("单位{at}"),
                    roles,
                    region: if self.dice.roll(2) == 0 { Region::NATION } else { self.region() },
                    fields,
                    until: self.day().saturating_add(jiff::Span::new().days(150)),
                    next: self.next(),
                }))
            }
            5..=6 => Body::Trust(TrustDoc::Rotation { replaces: other, last_good: self.last_good(), next: self.next() }),
            7..=8 => Body::Trust(TrustDoc::Revocation { key: other, last_good: self.last_good(), reason: "遗失".into() }),
            9 => Body::Retraction(Retraction { key: other, through: self.number(), reason: "有误".into(), by: "中心".into() }),
            10 => Body::Correction(CorrectionNotice { replaces: kepu_domain::record::DocHash([7; 32]), text: "更正".into() }),
            11 => {
                let place = Place { key: other, stream: Stream::Lib, n: self.number() };
                let stub = |text: &str| {
                    sign(
                        &self.keys[at],
                        envelope(&self.keys[at].id(), place.clone(), Region::NATION, vec![], date(2026, 1, 1)),
                        &Body::Correction(CorrectionNotice { replaces: kepu_domain::record::DocHash([7; 32]), text: text.into() }),
                    )
                    .expect("signed")
                    .stub()
                };
                Body::Fork(ForkProof { place: place.clone(), stubs: [stub("甲"), stub(if self.dice.roll(4) == 0 { "甲" } else { "乙" })] })
            }
            _ => self.matter.clone(),
        }
    }

    /// A new number most of the time, so that forks stay rare.
    fn place(&mut self, author: usize, stream: Stream) -> Place {
        let count = self.counts.entry((author, stream)).or_default();
        *count += 1;
        let next = *count;
        Place { key: self.id(author), stream, n: if self.dice.roll(15) == 0 { self.number() } else { next } }
    }

    fn record(&mut self) -> Record {
        // The root has most to say, and its first neighbours more than the rest.
        let author = self.dice.roll(self.keys.len()).min(self.dice.roll(self.keys.len()));
        let body = self.body();
        let own = body.stream().expect("a known kind");
        let stream = if self.dice.roll(30) == 0 { *self.dice.pick(&STREAMS) } else { own };
        let place = self.place(author, stream);
        let owner = match &body {
            // A withdrawal is about a subject of the key that it withdraws from.
            Body::Retraction(retraction) => retraction.key.clone(),
            _ if self.dice.roll(6) == 0 => {
                let other = self.dice.roll(self.keys.len());
                self.id(other)
            }
            _ => self.id(author),
        };
        let (region, fields, day) = (self.region(), self.fields(), self.day());
        sign(&self.keys[author], envelope(&owner, place, region, fields, day), &body).expect("signed")
    }
}

fn envelope(owner: &KeyId, place: Place, region: Region, fields: Vec<String>, day: Date) -> Envelope {
    let modified: Timestamp = format!("{day}T08:00:00Z").parse().expect("a time");
    Envelope { place, modified, subject: SubjectId::new(&owner.fingerprint(), "s-1"), region, fields, lang: String::new() }
}

#[test]
fn page_and_command_agree_on_random_worlds() -> anyhow::Result<()> {
    let source = Node::init("国家示例", "000000")?;
    source.publish(1, "世界")?;
    let key = key_of(&source)?;
    let published = source.run(&["record", "show", &format!("{key}/lib/1")])?;
    let (doc, signature) = kepu_sync::record::split_proof(published.as_bytes())?;
    let matter = kepu_sync::record::verify(doc, signature)?.body?;
    let keys: Vec<SigningKey> = (1..=6).map(|seed| SigningKey::from_secret(Suite::Ed25519, &[seed; 32]).expect("key")).collect();
    let mut world = World { dice: Dice(20_261_125), keys, matter, counts: std::collections::HashMap::new() };
    let mut files = Files::new()?;
    let root = world.id(0).0;
    let mut texts = Vec::new();
    for _ in 0..250 {
        world.counts.clear();
        let count = 1 + world.dice.roll(24);
        let records: Vec<Value> = (0..count).map(|_| world.record().with_proof()).collect();
        texts.push(json!({"records": records}).to_string());
    }
    for pin in [Some(root.as_str()), None] {
        for (at, text) in texts.iter().enumerate() {
            files.case(&format!("world {at}"), text.as_bytes(), pin)?;
        }
    }
    // The same worlds with the question first and everything else in a file beside it.
    for (at, text) in texts.iter().enumerate().take(40) {
        let value: Value = serde_json::from_str(text)?;
        let rest = files.write(&format!("rest-{at}"), json!({"records": value["records"].as_array().map_or(&[][..], |list| list)}).to_string().as_bytes())?;
        files.case_beside(&format!("world {at} beside"), value["records"][0].to_string().as_bytes(), &[rest], Some(&root))?;
    }
    let Some(said) = files.agree()? else { return Ok(()) };
    let mut codes: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for (page, _) in &said {
        *codes.entry(page["code"].as_str().unwrap_or_default()).or_default() += 1;
    }
    eprintln!("{} files: {codes:?}", said.len());
    for code in ["", "unknownKey", "revoked", "frozen", "withdrawn", "expired"] {
        assert!(codes.contains_key(code), "no world with {code:?}: {codes:?}");
    }
    Ok(())
}
