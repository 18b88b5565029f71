//! What somebody shows instead of typing it: a picture with words in it, a link. Read only if the operator set it up, and given back to be looked at and corrected
//! before anything is asked; nothing of it is kept. The command that reads pictures never sees a shell, and has an end in time and size.

use crate::App;
use crate::error::{AppError, FieldError};
use crate::media::sniff;
use crate::outside::{self, Address};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::Semaphore;

/// Largest picture, in bytes.
pub const PICTURE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Longest time that reading a picture may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Most bytes of text that are read from the command, and of a page.
const TEXT_BYTES_MAX: u64 = 64 * 1024;
const PAGE_BYTES_MAX: usize = 1024 * 1024;
/// Requests of one address in a minute at most.
const PER_MINUTE: u32 = 6;
/// Pictures read at the same time.
static READING: Semaphore = Semaphore::const_new(2);

fn wrong(field: &str, key: &str) -> AppError {
    AppError::Invalid(vec![FieldError::new(field, key)])
}

/// The words in a picture. May: anybody, if the operator named a command. Writes nothing.
pub async fn picture(app: &App, bytes: &[u8], address: &str) -> Result<String, AppError> {
    let Some(command) = app.outside.picture_command() else { return Err(wrong("picture", "picture_off")) };
    if bytes.is_empty() {
        return Err(wrong("picture", "file_none"));
    }
    if bytes.len() > PICTURE_BYTES_MAX {
        return Err(AppError::TooLarge { max: PICTURE_BYTES_MAX as u64 });
    }
    if !sniff(bytes).is_some_and(|kind| kind.starts_with("image/")) {
        return Err(wrong("picture", "picture_kind"));
    }
    app.limit(&format!("shown {address}"), PER_MINUTE)?;
    let _turn = READING.acquire().await.map_err(|_| wrong("picture", "picture_failed"))?;
    let read = tokio::time::timeout(PATIENCE, run(command, bytes)).await;
    let text = match read {
        Ok(Ok(text)) => text,
        Ok(Err(error)) => {
            tracing::warn!(%error, "the command that reads pictures failed");
            return Err(wrong("picture", "picture_failed"));
        }
        Err(_) => return Err(wrong("picture", "picture_failed")),
    };
    let text = kepu_text::clean_text(&text);
    if text.is_empty() { Err(wrong("picture", "picture_nothing")) } else { Ok(text) }
}

/// Runs the command with the picture as its standard input; what it prints. Dropping the future kills it.
async fn run(command: &[String], bytes: &[u8]) -> std::io::Result<String> {
    let mut child = Command::new(&command[0])
        .args(&command[1..])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A command that has seen enough may close early.
            let _ = stdin.write_all(bytes).await;
        }
    };
    let read = async {
        let mut out = Vec::new();
        if let Some(stdout) = stdout {
            stdout.take(TEXT_BYTES_MAX).read_to_end(&mut out).await?;
        }
        Ok::<_, std::io::Error>(out)
    };
    let ((), out) = tokio::join!(feed, read);
    let out = out?;
    // What prints more than is read is stopped.
    if out.len() as u64 == TEXT_BYTES_MAX {
        child.kill().await?;
        return Ok(String::from_utf8_lossy(&out).into_owned());
    }
    let status = child.wait().await?;
    if status.success() { Ok(String::from_utf8_lossy(&out).into_owned()) } else { Err(std::io::Error::other(status.to_string())) }
}

/// Title and first words of a page. May: anybody, if the operator allowed it. Writes nothing.
pub async fn link(app: &App, text: &str, address: &str) -> Result<String, AppError> {
    if !app.outside.reads_links() {
        return Err(wrong("link", "link_off"));
    }
    let Some(at) = Address::parse(text.trim()) else { return Err(wrong("link", "inlet_address")) };
    app.limit(&format!("shown {address}"), PER_MINUTE)?;
    let bytes = outside::get(app, &at, PAGE_BYTES_MAX).await.map_err(|refusal| {
        tracing::debug!(?refusal, "a link could not be read");
        wrong("link", "link_failed")
    })?;
    let page = kepu_text::decode(&bytes).map_err(|_| wrong("link", "link_failed"))?.text;
    let title = page.split("<title").nth(1).and_then(|rest| rest.split_once('>')).and_then(|(_, rest)| rest.split("</title").next()).unwrap_or_default();
    let words = kepu_text::clean_text(&nanohtml2text::html2text(&page));
    let title = kepu_text::clean_line(&nanohtml2text::html2text(title));
    let whole = if title.is_empty() || words.starts_with(&title) { words } else { format!("{title}\n{words}") };
    let short = kepu_text::truncate(&whole, 1_000).to_owned();
    if short.is_empty() { Err(wrong("link", "link_failed")) } else { Ok(short) }
}
