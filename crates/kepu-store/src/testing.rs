//! Throw-away databases for tests of this and other crates: SQLite files, and a real PostgreSQL of its own.
//!
//! The server is Debian's, started in a temp directory, reachable by a unix socket only. It stops when [`PgServer`] is
//! dropped, and also when the test process dies in any other way: its guard waits for the end of our pipe.

use crate::db::Db;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A temp directory with a path for a SQLite file inside; the directory goes when this is dropped.
pub struct TempSqlite {
    directory: tempfile::TempDir,
}

impl TempSqlite {
    /// The address for [`Db::open`].
    pub fn url(&self) -> String {
        format!("sqlite:{}", self.directory.path().join("kepu.db").display())
    }
    /// The directory, for whatever else a node keeps.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
    /// Opens it with all tables.
    pub async fn db(&self) -> Db {
        migrated(&self.url()).await
    }
}

/// A place for a SQLite database that exists as long as the returned value.
pub fn temp_sqlite() -> TempSqlite {
    TempSqlite { directory: tempfile::Builder::new().prefix("kepu-sqlite-").tempdir().expect("a temp directory") }
}

/// A running PostgreSQL server of this process alone.
pub struct PgServer {
    guard: Child,
    directory: PathBuf,
    databases: AtomicU32,
}

/// Starts a PostgreSQL server; takes about three seconds.
///
/// `None`, with a line on stdout, if it is not installed; a panic if it is not installed and `CI=true`.
pub fn postgres() -> Option<PgServer> {
    let Some(bin) = newest_bin() else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "PostgreSQL is not installed, and in CI nothing may be skipped");
        println!("skipped: PostgreSQL not installed");
        return None;
    };
    Some(PgServer::start(&bin))
}

/// `/usr/lib/postgresql/<highest version>/bin`.
fn newest_bin() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(Result::ok);
    let complete = versions.filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        let bin = entry.path().join("bin");
        (bin.join("initdb").exists() && bin.join("postgres").exists()).then_some((version, bin))
    });
    complete.max().map(|(_, bin)| bin)
}

/// A command that runs as user `postgres` if we are root, which PostgreSQL refuses to run as.
fn unprivileged(program: &Path) -> Command {
    let root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

impl PgServer {
    fn start(bin: &Path) -> PgServer {
        // Short and directly in /tmp: the path of a socket has at most 107 bytes.
        let made = unprivileged(Path::new("mktemp")).args(["-d", "/tmp/kepu-pg-XXXXXXXX"]).output().expect("mktemp");
        let directory = PathBuf::from(String::from_utf8_lossy(&made.stdout).trim());
        let data = directory.join("data");
        let init = unprivileged(&bin.join("initdb"))
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
            .arg(&data)
            .current_dir("/")
            .output()
            .expect("initdb");
        assert!(init.status.success(), "initdb: {}", String::from_utf8_lossy(&init.stderr));
        const GUARD: &str = "
            directory=$1; shift
            \"$@\" >\"$directory/log\" 2>&1 </dev/null &
            server=$!
            cat >/dev/null
            kill -QUIT \"$server\"
            wait \"$server\"
            rm -rf \"$directory\"";
        let guard = unprivileged(Path::new("sh"))
            .args(["-c", GUARD, "sh"])
            .arg(&directory)
            .arg(bin.join("postgres"))
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(&directory)
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"])
            .args(["-c", "max_connections=100", "-c", "shared_buffers=64MB"])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let server = PgServer { guard, directory, databases: AtomicU32::new(0) };
        server.wait_until_ready();
        server
    }

    /// The server writes its state into the eighth line of its pid file: `ready` when it takes connections.
    fn wait_until_ready(&self) {
        let begun = Instant::now();
        loop {
            let pid_file = std::fs::read_to_string(self.directory.join("data/postmaster.pid"));
            // The data directory is closed to others; root may read it, and without root it is our own.
            if pid_file.is_ok_and(|text| text.lines().nth(7).is_some_and(|line| line.trim() == "ready")) {
                return;
            }
            if begun.elapsed() > Duration::from_secs(120) {
                let mut log = String::new();
                let _ = std::fs::File::open(self.directory.join("log")).and_then(|mut file| file.read_to_string(&mut log));
                panic!("PostgreSQL did not start:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Makes an empty database and returns its address for [`Db::open`].
    pub async fn database(&self) -> String {
        let name = format!("kepu_{}", self.databases.fetch_add(1, Ordering::Relaxed) + 1);
        let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&self.url("postgres")).await.expect("the test server");
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::query(create).execute(&mut connection).await.expect("a new database");
        sqlx::Connection::close(connection).await.expect("closed");
        self.url(&name)
    }

    /// A new database with all tables.
    pub async fn db(&self) -> Db {
        migrated(&self.database().await).await
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", self.directory.display())
    }
}

impl Drop for PgServer {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

async fn migrated(url: &str) -> Db {
    let db = Db::open(url).await.expect("a database");
    db.migrate().await.expect("all tables");
    db
}
