//! What an exchange costs: a nation that is served by a process of its own, a county in this process; both sides' processor
//! time counted. First many small records, then nothing new.

use super::Figure;
use crate::commands::operator;
use crate::measure::{Usage, cpu_s};
use anyhow::{Context, ensure};
use kepu_app::node::{self, Init, Invitation};
use kepu_app::sync;
use kepu_domain::org::Region;
use kepu_domain::trust::KeyRole;
use kepu_sync::suite::Suite;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Exchanges with nothing new that are averaged.
const IDLE: u32 = 20;

/// Ends with the bench.
struct Server {
    child: Child,
    url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn cpu_s(&self) -> f64 {
        cpu_s(self.child.id()).unwrap_or_default()
    }
}

/// Publishes `size` records at one node and fetches them with another.
pub async fn run(size: usize) -> anyhow::Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let (above, below) = (folder.path().join("nation"), folder.path().join("county"));
    let nation = node::init(&above, init("国家")).await?;
    publish(&above, size)?;
    let server = serve(&above)?;
    let county = node::init(&below, init("县")).await?;
    let roles = [KeyRole::Author, KeyRole::Reviewer].into_iter().collect();
    let invitation = Invitation { name: "县".into(), region: Region::NATION, roles, fields: Default::default() };
    let token = node::invite(&nation, &operator(), invitation).await?;
    node::join(&county, &token, &server.url).await?;
    let (here, there) = (Usage::now(), server.cpu_s());
    let first = sync::run(&county, 0).await?.pop().context("no parent")?;
    let (client_s, server_s) = (here.cpu_s(), server.cpu_s() - there);
    ensure!(first.error.is_none() && first.pulled >= size, "{} of {size} records came: {:?}", first.pulled, first.error);
    let here = (Usage::now(), server.cpu_s());
    let (mut bytes, mut trips) = (0, 0);
    for _ in 0..IDLE {
        let nothing = sync::run(&county, 0).await?.pop().context("no parent")?;
        ensure!(nothing.error.is_none() && nothing.pulled == 0, "{} records came twice: {:?}", nothing.pulled, nothing.error);
        bytes += nothing.bytes_in + nothing.bytes_out;
        trips += nothing.round_trips;
    }
    let idle_cpu = here.0.cpu_s() + server.cpu_s() - here.1;
    let once = |sum: f64| sum / f64::from(IDLE);
    let count = first.pulled as f64;
    Ok(vec![
        Figure::new("records_per_cpu_s", count / (server_s + client_s).max(0.01), "records/s"),
        Figure::new("records_per_wall_s", count / first.wall_s, "records/s"),
        Figure::new("server_cpu", server_s, "s"),
        Figure::new("client_cpu", client_s, "s"),
        Figure::new("bytes_per_record", first.bytes_in as f64 / count, "B/record"),
        Figure::new("round_trips", f64::from(first.round_trips), "requests"),
        Figure::new("nothing_bytes", once(bytes as f64), "B"),
        Figure::new("nothing_round_trips", once(f64::from(trips)), "requests"),
        Figure::new("nothing_wall", once(here.0.wall_s()) * 1_000.0, "ms"),
        Figure::new("nothing_cpu_both_sides", once(idle_cpu) * 1_000.0, "ms"),
    ])
}

fn init(name: &str) -> Init {
    Init { name: name.into(), region: Region::NATION, suite: Suite::Ed25519, database: None }
}

/// About 300 bytes of text each, words drawn from 45, as the peers' figures were taken.
fn publish(data: &Path, size: usize) -> anyhow::Result<()> {
    const WORDS: &str = "科学实验观察健康生态气象地震植物动物能源材料信息宇宙海洋土壤细胞基因病毒疫苗营养睡眠运动心理儿童老人学校\
        医院农田森林河流空气噪声火灾急救用电燃气食品药品谣言证据统计数学物理化学天文";
    let words: Vec<String> = WORDS.chars().filter(|c| !c.is_whitespace()).collect::<Vec<_>>().chunks(2).map(|pair| pair.iter().collect()).collect();
    let mut dice = 2_026_u64;
    let mut word = || {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        words[(dice >> 33) as usize % words.len()].clone()
    };
    let path = data.join("bench.jsonl");
    let mut file = BufWriter::new(File::create(&path)?);
    for _ in 0..size {
        let title: String = (0..6).map(|_| word()).collect();
        let text: String = (0..45).map(|_| word()).collect();
        writeln!(file, "{}", serde_json::json!({"title": title, "text": format!("{text}。")}))?;
    }
    file.flush()?;
    let mut command = Command::new(std::env::current_exe()?);
    let status = command.args(["record", "publish", "--data"]).arg(data).arg("--in").arg(&path).stdout(Stdio::null()).status()?;
    ensure!(status.success(), "the {size} records could not be published");
    Ok(())
}

fn serve(data: &Path) -> anyhow::Result<Server> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["serve", "--no-sync", "--workers", "0", "--listen", "127.0.0.1:0", "--data"]).arg(data);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let words = child.stderr.take().context("no standard error")?;
    let mut server = Server { child, url: String::new() };
    for line in BufReader::new(words).lines() {
        if let Some((_, url)) = line?.split_once("open ") {
            server.url = url.trim().to_owned();
            break;
        }
    }
    ensure!(!server.url.is_empty(), "the server ended before it listened");
    // The search index of a fresh node is being filled; that is no part of an exchange.
    let mut last = -1.0;
    while last < server.cpu_s() {
        last = server.cpu_s();
        std::thread::sleep(std::time::Duration::from_secs(2));
    }
    Ok(server)
}
