//! Static files: built into the program, addressed by the hash of their content, cached for ever.

use crate::page::Answer;
use crate::problem::Problem;
use axum::extract::Path;
use axum::http::header;
use axum::response::IntoResponse;
use rust_embed::RustEmbed;
use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

#[derive(RustEmbed)]
#[folder = "static/"]
struct Folder;

include!(concat!(env!("OUT_DIR"), "/scripts.rs"));

struct Asset {
    bytes: Cow<'static, [u8]>,
    hash: String,
}

static ASSETS: LazyLock<HashMap<String, Asset>> = LazyLock::new(|| {
    let own = Folder::iter().filter_map(|name| Some((name.to_string(), Folder::get(&name)?.data)));
    let scripts = SCRIPTS.iter().map(|(name, bytes)| ((*name).to_owned(), Cow::Borrowed(*bytes)));
    own.chain(scripts).map(|(name, bytes)| (name, Asset { hash: hash(&bytes), bytes })).collect()
});

/// Ten hex digits that change with the content.
pub fn hash(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("{:010x}", hasher.finish() & 0xff_ffff_ffff)
}

/// The text of one of our own files; empty if it is not there.
pub fn text(name: &str) -> String {
    ASSETS.get(name).map(|asset| String::from_utf8_lossy(&asset.bytes).into_owned()).unwrap_or_default()
}

/// Whether the build has this file.
pub fn exists(name: &str) -> bool {
    ASSETS.contains_key(name)
}

/// Address of a file: `kepu.css` gives `/static/0123456789-kepu.css`.
pub fn url(name: &str) -> String {
    match ASSETS.get(name) {
        Some(asset) => format!("/static/{}-{name}", asset.hash),
        None => format!("/static/{name}"),
    }
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

/// GET /static/{file}: with the hash for ever, without it for five minutes.
pub async fn serve(Path(file): Path<String>) -> Answer {
    let (given, name) = file.split_once('-').filter(|(hash, _)| hash.len() == 10).unwrap_or(("", &file));
    let Some(asset) = ASSETS.get(name) else { return Err(Problem::not_found()) };
    let cache = if given == asset.hash { "public, max-age=31536000, immutable" } else { "public, max-age=300" };
    Ok(([(header::CONTENT_TYPE, media_type(name)), (header::CACHE_CONTROL, cache)], asset.bytes.clone()).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stylesheet_is_addressed_by_its_content() {
        assert!(exists("kepu.css"));
        assert!(url("kepu.css").starts_with("/static/") && url("kepu.css").ends_with("-kepu.css"));
        assert_eq!(url("nothing.js"), "/static/nothing.js");
    }
}
