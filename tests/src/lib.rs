//! Driving the real binary: nodes in throw-away folders, commands with their JSON output, servers on free ports.
//! The tests themselves are in `tests/`, one file a subject.

pub mod axe;
pub mod browser;
pub mod house;
pub mod http;
pub mod sights;
pub mod skeleton;

use anyhow::{Context, bail};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The binary beside the test binaries; `cargo build --workspace` makes it.
pub fn binary() -> PathBuf {
    let mut path = std::env::current_exe().expect("a test knows its own path");
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    path.join("kepu")
}

/// A node in a folder of its own.
pub struct Node {
    folder: tempfile::TempDir,
}

/// A node being served; killed when dropped.
pub struct Served {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Node {
    /// `kepu node init`
    pub fn init(name: &str, region: &str) -> anyhow::Result<Self> {
        Self::init_with(name, region, &[])
    }

    /// `kepu node init` with further options.
    pub fn init_with(name: &str, region: &str, options: &[&str]) -> anyhow::Result<Self> {
        let node = Self { folder: tempfile::Builder::new().prefix("kepu-node-").tempdir()? };
        node.run(&[&["node", "init", "--name", name, "--region", region], options].concat())?;
        Ok(node)
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a command on this node, whatever its exit status.
    pub fn output(&self, words: &[&str]) -> anyhow::Result<Output> {
        let (head, tail) = match words {
            [a @ ("node" | "record" | "audit" | "bundle"), b, rest @ ..] => (vec![*a, *b], rest),
            [a, rest @ ..] => (vec![*a], rest),
            [] => bail!("no command"),
        };
        let mut command = Command::new(binary());
        command.args(head).arg("--data").arg(self.data()).args(tail).stdin(Stdio::null());
        command.output().with_context(|| format!("cannot run {}; build it with cargo build --workspace", binary().display()))
    }

    /// Runs a command that must succeed; its last line of output.
    pub fn run(&self, words: &[&str]) -> anyhow::Result<String> {
        let output = self.output(words)?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if !output.status.success() {
            bail!("kepu {words:?} failed: {}\n{text}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(text.lines().last().unwrap_or_default().to_owned())
    }

    /// Runs a command that must succeed and print JSON.
    pub fn json(&self, words: &[&str]) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.run(words)?)?)
    }

    /// `kepu serve` on a free port, without its own exchange, so that tests decide when nodes talk.
    pub fn serve(&self) -> anyhow::Result<Served> {
        self.serve_at("127.0.0.1:0")
    }

    /// `kepu serve` at an address.
    pub fn serve_at(&self, listen: &str) -> anyhow::Result<Served> {
        self.serve_with(listen, &[])
    }

    /// `kepu serve` with further options.
    pub fn serve_with(&self, listen: &str, options: &[&str]) -> anyhow::Result<Served> {
        let mut command = Command::new(binary());
        command.args(["serve", "--no-sync", "--listen", listen, "--data"]).arg(self.data()).args(options);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let stderr = child.stderr.take().context("no standard error")?;
        for line in BufReader::new(stderr).lines() {
            if let Some((_, address)) = line?.split_once("open http://") {
                return Ok(Served { child, address: address.trim().parse()? });
            }
        }
        bail!("the server ended before it listened")
    }

    /// Invites `child` and lets it join at `url`.
    pub fn adopt(&self, child: &Node, region: &str, url: &str) -> anyhow::Result<()> {
        let token = self.run(&["node", "invite", "--region", region])?;
        child.run(&["node", "join", &token, "--url", url]).map(drop)
    }

    /// State hash of the public tables.
    pub fn state(&self) -> anyhow::Result<String> {
        Ok(self.json(&["node", "show"])?["state"].as_str().context("no state")?.to_owned())
    }

    /// Writes `count` small resources into a file of the node's folder and publishes them.
    pub fn publish(&self, count: usize, word: &str) -> anyhow::Result<()> {
        let path = self.data().join(format!("{word}.jsonl"));
        let mut file = std::fs::File::create(&path)?;
        for n in 0..count {
            let row = serde_json::json!({"title": format!("{word}第{n}号"), "text": format!("这是{word}的第{n}条简短说明，供交换测试使用。")});
            writeln!(file, "{row}")?;
        }
        self.run(&["record", "publish", "--in", &path.display().to_string()]).map(drop)
    }
}

impl Served {
    /// `http://…`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `kill -9`
    pub fn kill(mut self) -> SocketAddr {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.address
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A relay that cuts the connection after `bytes` of answers: a network that fails in the middle.
pub fn cutting_relay(to: SocketAddr, bytes: usize) -> anyhow::Result<SocketAddr> {
    use std::io::Read;
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(to) else { return };
            let (Ok(mut from), Ok(mut into)) = (client.try_clone(), server.try_clone()) else { return };
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut into);
                // The client is gone: the server must learn it, or the relay would wait for its next answer for ever.
                let _ = into.shutdown(std::net::Shutdown::Both);
            });
            let (mut server, mut client) = (server, client);
            let mut left = bytes;
            let mut buffer = [0; 4096];
            while left > 0 {
                let Ok(size) = server.read(&mut buffer) else { break };
                let size = size.min(left);
                if size == 0 || client.write_all(&buffer[..size]).is_err() {
                    break;
                }
                left -= size;
            }
            let _ = client.shutdown(std::net::Shutdown::Both);
            let _ = server.shutdown(std::net::Shutdown::Both);
        }
    });
    Ok(address)
}

/// Waits until `condition` holds, for at most half a minute.
pub fn wait_for(what: &str, mut condition: impl FnMut() -> bool) -> anyhow::Result<()> {
    let end = Instant::now() + Duration::from_secs(30);
    while !condition() {
        if Instant::now() > end {
            bail!("waited in vain for {what}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
