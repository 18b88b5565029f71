//! `kepu demo`: two nodes as a newcomer meets them. Each is this same program as a process of its own.

use anyhow::{Context, bail};
use kepu_app::node::{self, Init, Invitation};
use kepu_app::{seed, subscription};
use kepu_domain::access::Actor;
use kepu_domain::deliver::scope::Scope;
use kepu_domain::org::Region;
use kepu_domain::trust::KeyRole;
use kepu_sync::suite::Suite;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// `kepu demo`
#[derive(clap::Args)]
pub struct Demo {
    /// Folder of the two data folders; kept between runs.
    #[arg(long, default_value = "kepu-data")]
    data: PathBuf,
    /// Port of the national node; the county node takes the next one.
    #[arg(long, default_value_t = 8080)]
    port: u16,
}

/// A child process that ends with this one.
struct Node(Child);

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Demo {
    /// Makes what is missing, starts both nodes and waits until it is told to stop.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let (national, county) = (self.data.join("national"), self.data.join("county"));
        let at = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let (up, down) = (at(self.port), at(self.port.checked_add(1).context("the port is too high")?));
        for address in [up, down] {
            if TcpStream::connect(address).is_ok() {
                bail!("something listens at {address} already; choose another port with --port");
            }
        }
        let first = !national.join("node.key").exists();
        if first {
            eprintln!("kepu: 准备示例数据 preparing sample data");
            let app = node::init(&national, init("国家科普示例节点", Region::NATION)).await?;
            seed::publish(&app).await?;
            seed::ledger(&app).await?;
            seed::decisions(&app).await?;
            let accounts = seed::accounts(&app).await?;
            let lines: String = accounts.iter().map(|(login, roles, password)| format!("{login:<10} {password}   {roles}\n")).collect();
            std::fs::write(self.data.join("accounts.txt"), lines)?;
        }
        let _up = start(&national, up)?;
        if !county.join("node.key").exists() {
            let region = Region::parse("411525")?;
            let app = node::init(&county, init("固始县示例节点", region)).await?;
            let operator = Actor::Node { name: "operator".into() };
            let above = kepu_app::App::open(kepu_app::Options { data: national.clone(), database: None, index: false }).await?;
            let roles = [KeyRole::Author, KeyRole::Reviewer].into_iter().collect();
            let token = node::invite(&above, &operator, Invitation { name: "固始县示例节点".into(), region, roles, fields: Default::default() }).await?;
            node::join(&app, &token, &format!("http://{up}")).await?;
            let scope = Scope { coordination: true, ..subscription::current(&app).await? };
            subscription::subscribe(&app, &operator, &scope).await?;
        }
        let _down = start(&county, down)?;
        eprintln!();
        eprintln!("  国家节点 national  http://{up}");
        eprintln!("  县节点   county    http://{down}");
        eprintln!("  示例账号 accounts  {}", self.data.join("accounts.txt").display());
        eprintln!("  试一试   try       在首页输入“隔夜菜”，或提一个新问题；按 Ctrl-C 结束 type 隔夜菜 on the home page; Ctrl-C ends");
        let _ = tokio::signal::ctrl_c().await;
        Ok(ExitCode::SUCCESS)
    }
}

fn init(name: &str, region: Region) -> Init {
    Init { name: name.into(), region, suite: Suite::Ed25519, database: None }
}

fn start(data: &Path, address: SocketAddr) -> anyhow::Result<Node> {
    let program = std::env::current_exe().context("this program cannot find itself")?;
    let mut command = Command::new(program);
    command.args(["serve", "--listen", &address.to_string(), "--data"]).arg(data);
    let node = Node(command.stdin(Stdio::null()).stderr(Stdio::null()).spawn()?);
    let end = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(address).is_err() {
        if Instant::now() > end {
            bail!("the node in {} did not begin to listen; run kepu serve --data {} to see why", data.display(), data.display());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(node)
}
