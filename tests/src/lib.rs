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
    /// A folder without a node.
    pub fn empty() -> anyhow::Result<Self> {
        Ok(Self { folder: tempfile::Builder::new().prefix("kepu-node-").tempdir()? })
    }

    /// `kepu node init`
    pub fn init(name: &str, region: &str) -> anyhow::Result<Self> {
        Self::init_with(name, region, "ed25519")
    }

    /// `kepu node init --suite`
    pub fn init_with(name: &str, region: &str, suite: &str) -> anyhow::Result<Self> {
        let node = Self::empty()?;
        node.run(&["node", "init", "--name", name, "--region", region, "--suite", suite])?;
        Ok(node)
    }

    /// The path of a file in its folder.
    pub fn file(&self, name: &str) -> String {
        self.data().join(name).display().to_string()
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a command on this node, whatever its exit status.
    pub fn output(&self, words: &[&str]) -> anyhow::Result<Output> {
        let (head, tail) = match words {
            [a @ ("node" | "record" | "audit" | "bundle" | "account" | "registry" | "definitions"), b, rest @ ..] => (vec![*a, *b], rest),
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

    /// Runs a command that names its data folder itself, or needs none; it must succeed.
    pub fn run_plain(&self, words: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(binary()).args(words).stdin(Stdio::null()).output()?;
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
        served(command)
    }

    /// `kepu serve` with its own exchange, as in daily life.
    pub fn serve_daily(&self) -> anyhow::Result<Served> {
        let mut command = Command::new(binary());
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(self.data());
        served(command)
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
        self.publish_for(count, word, &[])
    }

    /// The same with more columns for every row.
    pub fn publish_for(&self, count: usize, word: &str, columns: &[(&str, &str)]) -> anyhow::Result<()> {
        let path = self.file(&format!("{word}.jsonl"));
        let mut file = std::fs::File::create(&path)?;
        for n in 0..count {
            let mut row = serde_json::json!({"title": format!("{word}第{n}号"), "text": format!("这是{word}的第{n}条简短说明，供交换测试使用。")});
            for (name, value) in columns {
                row[*name] = Value::from(*value);
            }
            writeln!(file, "{row}")?;
        }
        self.run(&["record", "publish", "--in", &path]).map(drop)
    }
}

/// Starts a server and waits until it listens.
fn served(mut command: Command) -> anyhow::Result<Served> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let stderr = child.stderr.take().context("no standard error")?;
    let (mut lines, mut said) = (BufReader::new(stderr).lines(), Vec::new());
    for line in lines.by_ref() {
        let line = line?;
        if let Some((_, address)) = line.split_once("open http://") {
            let address = address.trim().parse()?;
            // A server whose words nobody reads would stop when the pipe is full, or fail when it is gone.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(Served { child, address });
        }
        said.push(line);
    }
    bail!("the server ended before it listened: {}", said.join("\n"))
}

impl Served {
    /// `http://…`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `kill`, as a service manager does; how long it took to end.
    pub fn stop(mut self) -> anyhow::Result<Duration> {
        let begin = Instant::now();
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        self.child.wait()?;
        Ok(begin.elapsed())
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

/// A request as [`fake_parent`] sees it.
pub struct Asked {
    /// `POST /sync?…` or `GET /media/…`.
    pub line: String,
    /// First byte asked for.
    pub from: u64,
    /// Body.
    pub body: Vec<u8>,
}

/// A server that answers whatever a test wants: a parent that is not in order. `answer` gives the bytes of a whole response,
/// status line included; after each the connection ends.
pub fn fake_parent(answer: impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static) -> anyhow::Result<SocketAddr> {
    use std::io::Read;
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let Ok(reading) = client.try_clone() else { return };
            let mut reader = BufReader::new(reading);
            loop {
                let (mut lines, mut length, mut from) = (Vec::new(), 0, 0);
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line).unwrap_or(0) == 0 {
                        break;
                    }
                    let line = line.trim().to_ascii_lowercase();
                    if line.is_empty() {
                        break;
                    }
                    if let Some(value) = line.strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap_or(0);
                    }
                    if let Some(value) = line.strip_prefix("range: bytes=") {
                        from = value.trim_end_matches('-').parse().unwrap_or(0);
                    }
                    lines.push(line);
                }
                let Some(line) = lines.into_iter().next() else { break };
                let mut body = vec![0; length];
                if reader.read_exact(&mut body).is_err() {
                    break;
                }
                let response = answer(&Asked { line, from, body });
                // Whoever hangs up in the middle of an endless body did what the test wants.
                if client.write_all(&response).is_err() {
                    break;
                }
            }
        }
    });
    Ok(address)
}

/// A whole response with a body of this length.
pub fn response(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
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
pub fn wait_for(what: &str, condition: impl FnMut() -> bool) -> anyhow::Result<()> {
    wait_within(what, Duration::from_secs(30), condition)
}

/// Waits for what takes longer by its nature, such as a deadline that a form takes to the minute.
pub fn wait_within(what: &str, most: Duration, mut condition: impl FnMut() -> bool) -> anyhow::Result<()> {
    let end = Instant::now() + most;
    while !condition() {
        if Instant::now() > end {
            bail!("waited in vain for {what}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
