//! Files come from a parent whole or not at all.

use super::{make_parent, open, operator, pin};
use kepu_app::{App, media, sync};
use kepu_domain::create::draft::Matter;
use kepu_domain::create::resource::{Media, Resource};
use kepu_domain::ids::SubjectId;
use kepu_domain::record::Body;
use kepu_tests::{Node, cutting_relay, fake_parent, response};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// A picture as far as anybody looks: the first bytes of a PNG, then noise.
pub fn picture(size: usize, seed: u8) -> Vec<u8> {
    let mut bytes = vec![0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, seed];
    let mut word = u64::from(seed) + 0x9e37_79b9_7f4a_7c15;
    while bytes.len() < size {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

fn named(file: &kepu_store::media::Media) -> Media {
    Media { hash: file.hash.clone(), media_type: file.media_type.clone(), size: file.size, alt: "示意图".into() }
}

/// Publishes a resource that names these files; the first one published before gives everything else.
pub async fn publish_with(app: &App, local: &str, files: Vec<Media>) -> SubjectId {
    let mut tx = app.db.write().await.expect("write");
    let row = kepu_store::subject::list(&mut tx, &Default::default(), Default::default(), None, 1).await.expect("rows").remove(0);
    let record = kepu_app::create::publish::current(app, &mut tx, &row.id).await.expect("found").and_then(|(_, record)| record).expect("record");
    let Ok(Body::Resource(resource)) = record.body else { panic!("a resource") };
    let resource = Resource { media: files, title: format!("有图的{local}"), ..*resource };
    let id = SubjectId::new(&app.key.id().fingerprint(), local);
    let saying = kepu_app::create::publish::saying_of(&id, &Matter::Resource(Box::new(resource)));
    kepu_app::record::publish(app, &mut tx, vec![saying]).await.expect("published");
    tx.commit().await.expect("commit");
    id
}

fn get(address: SocketAddr, path: &str, range: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).expect("connects");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{range}\r\n").expect("asked");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("answer");
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    (String::from_utf8_lossy(&bytes[..end]).to_lowercase(), bytes[end + 4..].to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn files_follow_their_records_and_go_with_them() -> anyhow::Result<()> {
    let (nation, county, served) = super::pair()?;
    nation.publish(1, "底稿")?;
    let (above, below) = (open(&nation).await, open(&county).await);
    let large = media::put(&above, &picture(300_000, 1)).await?;
    let small = media::put(&above, &picture(2_000, 2)).await?;
    let id = publish_with(&above, "r-pic", vec![named(&large), named(&small)]).await;
    // On a network that breaks off after 90 kB the file grows with every exchange.
    let relay = cutting_relay(served.address, 90_000)?;
    let mut tx = below.db.write().await?;
    let mut parent = kepu_store::peer::list(&mut tx, None, 9).await?.remove(0);
    let direct = parent.url.clone();
    parent.url = format!("http://{relay}");
    kepu_store::peer::upsert(&mut tx, &parent).await?;
    tx.commit().await?;
    let mut bytes = 0;
    for _ in 0..8 {
        let done = sync::run(&below, 0).await?.remove(0);
        bytes += done.media.bytes;
        clear_tries(&below).await;
        if done.media.left == 0 {
            break;
        }
    }
    for file in [&large, &small] {
        let (_, path) = media::open(&below, &file.hash).await?.expect("here");
        assert_eq!(blake3::hash(&std::fs::read(path)?).to_hex().as_str(), file.hash);
    }
    assert!((302_000..320_000).contains(&bytes), "{bytes} bytes came for 302000: what had come was not kept");
    parent.url = direct;
    let mut tx = below.db.write().await?;
    kepu_store::peer::upsert(&mut tx, &parent).await?;
    tx.commit().await?;
    let done = county.json(&["sync"])?;
    assert_eq!((done["media"]["fetched"].as_i64(), done["media"]["left"].as_i64(), done["round_trips"].as_i64()), (Some(0), Some(0), Some(1)), "{done}");
    // Served with the same care, whole and in part.
    let here = county.serve()?;
    let path = format!("/media/{}", large.hash);
    let (head, body) = get(here.address, &path, "range: bytes=299990-\r\n");
    assert!(head.starts_with("http/1.1 206") && head.contains("content-range: bytes 299990-299999/300000"), "{head}");
    assert!(head.contains("nosniff") && head.contains("sandbox"), "{head}");
    assert_eq!(body, picture(300_000, 1)[299_990..]);
    // What is withdrawn is gone from every node that has heard of it.
    kepu_app::create::take_back::withdraw(&above, &operator(), &id, "图片有误，先撤回核查").await?;
    county.run(&["sync"])?;
    for address in [served.address, here.address] {
        assert!(get(address, &path, "").0.starts_with("http/1.1 404"));
    }
    assert_eq!(county.json(&["rebuild"])?["same"], true);
    Ok(())
}

async fn clear_tries(app: &App) {
    let mut tx = app.db.write().await.expect("write");
    kepu_store::media::clear_tries(&mut tx).await.expect("cleared");
    tx.commit().await.expect("commit");
}

/// A county that wants one file, and a parent that answers as `answer` does.
async fn wanting(file: Media, answer: impl Fn(u64) -> Vec<u8> + Send + Sync + 'static) -> anyhow::Result<(Node, App, sync::Exchanged)> {
    let nation = Node::init("国家", "000000")?;
    nation.publish(1, "底稿")?;
    let above = open(&nation).await;
    publish_with(&above, "r-pic", vec![file]).await;
    let county = Node::init("县", "411525")?;
    let app = open(&county).await;
    pin(&app, above.key.id()).await;
    super::receive(&app, super::items(&above).await).await;
    let address = fake_parent(move |asked| if asked.line.starts_with("post") { response("204 No Content", "", b"") } else { answer(asked.from) })?;
    make_parent(&app, "did:key:zEvil", address).await;
    let done = sync::run(&app, 0).await?.remove(0);
    Ok((county, app, done))
}

fn leftovers(node: &Node) -> Vec<String> {
    fn walk(folder: &std::path::Path, list: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                walk(&entry.path(), list);
            } else {
                list.push(entry.path().display().to_string());
            }
        }
    }
    let mut list = Vec::new();
    walk(&node.data().join("media"), &mut list);
    list
}

fn file(bytes: &[u8], media_type: &str) -> Media {
    Media { hash: blake3::hash(bytes).to_hex().to_string(), media_type: media_type.into(), size: bytes.len() as i64, alt: "图".into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_that_is_not_in_order_leaves_nothing_behind() -> anyhow::Result<()> {
    let good = picture(50_000, 7);
    let page = b"<!doctype html><script>alert(document.cookie)</script>".repeat(200);
    type Answer = Box<dyn Fn(u64) -> Vec<u8> + Send + Sync>;
    let cases: Vec<(&str, Media, Answer)> = vec![
        ("other bytes", file(&good, "image/png"), Box::new(|_| response("200 OK", "", &picture(50_000, 8)))),
        ("a page named as a picture", file(&page, "image/png"), {
            let page = page.clone();
            Box::new(move |_| response("200 OK", "content-type: image/png\r\n", &page))
        }),
        ("more bytes than announced", file(&good, "image/png"), Box::new(|_| response("200 OK", "", &picture(80_000, 7)))),
        (
            "a body without an end",
            file(&good, "image/png"),
            Box::new(|_| {
                let mut bytes = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
                (0..2_000).for_each(|_| bytes.extend_from_slice(&[b"10000\r\n".as_slice(), &[7; 65_536], b"\r\n"].concat()));
                bytes
            }),
        ),
        ("another part than was asked for", file(&good, "image/png"), {
            let good = good.clone();
            Box::new(move |_| response("206 Partial Content", "content-range: bytes 100-49999/50000\r\n", &good[100..]))
        }),
        ("a picture named as sound", file(&good, "audio/mpeg"), {
            let good = good.clone();
            Box::new(move |_| response("200 OK", "", &good))
        }),
    ];
    for (name, wanted, answer) in cases {
        let hash = wanted.hash.clone();
        let (county, app, done) = wanting(wanted, answer).await?;
        assert_eq!((done.error.clone(), done.media.fetched, done.media.refused, done.media.left), (None, 0, 1, 1), "{name}: {done:?}");
        assert!(leftovers(&county).is_empty(), "{name}: {:?}", leftovers(&county));
        assert!(media::open(&app, &hash).await?.is_none(), "{name}");
        assert!(done.media.bytes <= 200_000, "{name}: {} bytes were taken", done.media.bytes);
        let show = county.json(&["node", "show"])?;
        assert!(show["files"]["failing"][0]["cause"].as_str().is_some_and(|cause| !cause.is_empty()), "{name}: {show}");
        // Not asked again at once.
        assert_eq!(sync::run(&app, 0).await?.remove(0).media.refused, 0, "{name}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_files_are_tried_again_and_room_is_kept() -> anyhow::Result<()> {
    let good = picture(50_000, 7);
    let answer = |_| response("404 Not Found", "content-type: application/problem+json\r\n", br#"{"detail":"not here"}"#);
    let (county, app, done) = wanting(file(&good, "image/png"), answer).await?;
    assert_eq!((done.error, done.media.fetched, done.media.refused, done.media.left), (None, 0, 0, 1));
    let show = county.json(&["node", "show"])?;
    assert!(show["files"]["failing"][0]["cause"].as_str().is_some_and(|cause| cause.contains("404") && cause.contains("not here")), "{show}");
    county.run(&["node", "files", "--quota", "20KiB"])?;
    sync::run(&app, 0).await?;
    let show = county.json(&["node", "show"])?;
    assert!(show["files"]["failing"][0]["cause"].as_str().is_some_and(|cause| cause.contains("quota")), "{show}");
    county.run(&["node", "files", "--quota", "1GiB", "--largest", "10KiB"])?;
    sync::run(&app, 0).await?;
    let show = county.json(&["node", "show"])?;
    assert!(show["files"]["failing"][0]["cause"].as_str().is_some_and(|cause| cause.contains("larger")), "{show}");
    assert!(leftovers(&county).is_empty());
    Ok(())
}
