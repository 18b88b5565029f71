//! Signals from a NATS JetStream server: everything enters once, whatever stops when; what cannot be read is counted; a server that is away is said and found again.

use anyhow::Context;
use async_nats::jetstream;
use kepu_app::listen::intake::overview;
use kepu_app::{App, Options};
use kepu_domain::access::Actor;
use kepu_domain::listen::inlet::STREAM;
use kepu_domain::listen::signal::Counts;
use kepu_tests::{Node, wait_for};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

/// A server of its own in a folder of its own.
struct Server {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(port: u16, folder: &std::path::Path) -> std::io::Result<Child> {
    let path = ["nats-server", "/usr/sbin/nats-server"].into_iter().find(|path| Command::new(path).arg("-v").output().is_ok());
    Command::new(path.unwrap_or("nats-server"))
        .args(["-js", "-a", "127.0.0.1", "-p", &port.to_string(), "-sd"])
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

impl Server {
    /// None: the machine has no such server, which is a mistake where everything must run.
    fn open() -> anyhow::Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        match start(port, folder.path()) {
            Ok(child) => Ok(Some(Self { child, port, folder })),
            Err(error) if std::env::var("CI").as_deref() == Ok("true") => Err(error).context("nats-server is missing; ./kepu test installs it"),
            Err(_) => {
                eprintln!("skipped: nats-server is missing, ./kepu test installs it");
                Ok(None)
            }
        }
    }

    fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    async fn context(&self) -> anyhow::Result<jetstream::Context> {
        let mut last = None;
        for _ in 0..100 {
            match async_nats::connect(self.url()).await {
                Ok(client) => return Ok(jetstream::new(client)),
                Err(error) => last = Some(error),
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        Err(last.map_or_else(|| anyhow::anyhow!("never tried"), Into::into))
    }
}

async fn say(context: &jetstream::Context, from: usize, until: usize) -> anyhow::Result<()> {
    let mut waiting = Vec::new();
    for n in from..until {
        // Every hundredth is nothing that can be read.
        let text = if n % 100 == 99 {
            "not json".to_owned()
        } else {
            serde_json::json!({"text": format!("听说第{n}号水库要放水了，是真的吗"), "region": "411525"}).to_string()
        };
        waiting.push(context.publish("kepu.signals", text.into()).await?);
    }
    for one in waiting {
        one.await?;
    }
    Ok(())
}

async fn counted(app: &App) -> (i64, i64) {
    let mut tx = app.db.read().await.expect("read");
    let all = kepu_store::listen::inlet::counts(&mut tx, 0, i64::MAX).await.expect("counts");
    let Counts { taken, refused, .. } = all.get(STREAM).copied().unwrap_or_default();
    (taken, refused)
}

fn until(runtime: &tokio::runtime::Runtime, app: &App, what: &str, all: i64) -> anyhow::Result<()> {
    wait_for(what, || {
        let (taken, refused) = runtime.block_on(counted(app));
        taken + refused >= all
    })
}

#[test]
fn what_a_stream_holds_enters_once_through_kills_and_pauses() -> anyhow::Result<()> {
    let Some(mut server) = Server::open()? else { return Ok(()) };
    let node = Node::init("国家示例", "000000")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let context = runtime.block_on(server.context())?;
    let config = jetstream::stream::Config { name: "KEPU_SIGNALS".into(), subjects: vec!["kepu.signals".into()], ..Default::default() };
    runtime.block_on(context.create_stream(config))?;
    runtime.block_on(say(&context, 0, 3_000))?;
    let app = runtime.block_on(App::open(Options { data: node.data().to_owned(), database: None, index: false }))?;
    let served = node.serve_with("127.0.0.1:0", &["--nats", &server.url()])?;
    until(&runtime, &app, "the first messages", 500)?;
    served.kill();
    let served = node.serve_with("127.0.0.1:0", &["--nats", &server.url()])?;
    until(&runtime, &app, "the rest", 3_000)?;
    assert_eq!(runtime.block_on(counted(&app)), (2_970, 30), "nothing twice, nothing lost");
    // The server goes away and comes back with more.
    let _ = server.child.kill();
    let _ = server.child.wait();
    let operator = Actor::Node { name: "operator".into() };
    let trouble = || runtime.block_on(overview::overview(&app, &operator)).ok().and_then(|all| all.stream).is_some_and(|stream| !stream.trouble.is_empty());
    wait_for("the trouble to be said", trouble)?;
    server.child = start(server.port, server.folder.path())?;
    let context = runtime.block_on(server.context())?;
    runtime.block_on(say(&context, 3_000, 3_200))?;
    until(&runtime, &app, "what came after the pause", 3_200)?;
    assert_eq!(runtime.block_on(counted(&app)), (3_168, 32));
    served.stop()?;
    Ok(())
}
