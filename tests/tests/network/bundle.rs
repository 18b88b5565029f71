//! An exchange on a stick: deltas both ways, damage of every kind, and nothing taken that is not genuine.

use super::{open, operator, pin, problems, state};
use kepu_app::bundle::{self, Ask, Make};
use kepu_app::files::{Pin, Verifier};
use kepu_app::{App, media, record};
use kepu_sync::bundle::{FORMAT, Header, Writer};
use kepu_sync::frame::{Chunk, Frame};
use kepu_tests::{Node, binary};
use std::process::Command;

/// A nation and a county that have met once and have no line since.
fn apart() -> anyhow::Result<(Node, Node)> {
    let (nation, county) = (Node::init("国家", "000000")?, Node::init("县", "411525")?);
    let served = nation.serve()?;
    nation.adopt(&county, "411525", &served.url())?;
    Ok((nation, county))
}

#[test]
fn a_stick_carries_what_is_new_both_ways_and_the_line_does_not_carry_it_again() -> anyhow::Result<()> {
    let (nation, county) = apart()?;
    nation.run(&["seed"])?;
    county.publish(3, "本县")?;
    let (ask, up, down) = (county.file("county.ask"), county.file("up.kepu"), nation.file("down.kepu"));
    county.run(&["bundle", "ask", &ask])?;
    let made = nation.json(&["bundle", "make", "--ask", &ask, &down])?;
    assert!(made["records"].as_i64() >= Some(190), "{made}");
    let shown: serde_json::Value = serde_json::from_str(&nation.run_plain(&["bundle", "show", &down])?)?;
    assert!(shown["complete"] == true && shown["records"]["lib"].as_i64() >= Some(190), "{shown}");
    assert!(!nation.output(&["bundle", "make", &down])?.status.success(), "never over another file");
    let first = county.json(&["bundle", "apply", &down])?;
    assert!(first["complete"] == true && first["records"] == made["records"], "{first}");
    let second = county.json(&["bundle", "apply", &down])?;
    assert!(second["records"] == 0 && second["duplicates"] == made["records"], "{second}");
    assert!(problems(&county)?.is_empty(), "what lies outside the county's scope was said on the stick");
    // Back with the next ask file: only what the nation lacks.
    nation.run(&["bundle", "ask", &nation.file("nation.ask")])?;
    let made = county.json(&["bundle", "make", "--since", &nation.file("nation.ask"), &up])?;
    assert_eq!(made["records"], 5, "three resources, and the certificate and policy the county began with: {made}");
    nation.run(&["bundle", "apply", &up])?;
    assert_eq!(nation.state()?, county.state()?);
    // The line is back: what came on the stick is not sent again.
    let served = nation.serve_at(county.json(&["node", "show"])?["parents"][0]["url"].as_str().unwrap_or_default().trim_start_matches("http://"))?;
    let done = county.json(&["sync"])?;
    assert!(done["error"].is_null() && done["pulled"].as_i64() < Some(5) && done["bytes_in"].as_i64() < Some(5_000), "{done}");
    assert_eq!(county.json(&["sync"])?["round_trips"], 1);
    drop(served);
    for node in [&nation, &county] {
        assert_eq!(node.json(&["rebuild"])?["same"], true);
        assert!(node.run(&["audit", "verify"])?.contains("\"whole\":true"));
    }
    Ok(())
}

#[test]
fn a_bundle_verifies_with_its_chain_and_says_what_is_wrong() -> anyhow::Result<()> {
    let (nation, county) = apart()?;
    county.publish(4, "验证")?;
    let root = nation.json(&["node", "show"])?["key"].as_str().unwrap_or_default().to_owned();
    let path = county.file("county.kepu");
    county.run(&["bundle", "make", &path])?;
    let verify = |path: &str, root: &str| -> anyhow::Result<serde_json::Value> {
        let output = Command::new(binary()).args(["verify", "--root", root, path]).output()?;
        let value: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        assert_eq!(output.status.code() == Some(0), value["ok"] == true, "{value}");
        Ok(value)
    };
    let good = verify(&path, &root)?;
    assert!(good["ok"] == true && good["chain"].as_array().map(Vec::len) == Some(2) && good["chain"][1] == root.as_str(), "{good}");
    let stranger = Node::init("外人", "000000")?.json(&["node", "show"])?["key"].as_str().unwrap_or_default().to_owned();
    let other = verify(&path, &stranger)?;
    assert!(other["ok"] == false && other["reason"].as_str().is_some_and(|why| why.contains("pinned root")), "{other}");
    let bytes = std::fs::read(&path)?;
    std::fs::write(&path, &bytes[..bytes.len() - 10])?;
    let cut = verify(&path, &root)?;
    assert!(cut["ok"] == false && cut["reason"].as_str().is_some_and(|why| why.contains("cut off")), "{cut}");
    // A certificate by itself.
    let file = nation.file("certificate.json");
    std::fs::write(&file, nation.run(&["record", "show", &format!("{root}/trust/1")])?)?;
    let certificate = verify(&file, &root)?;
    assert!(certificate["ok"] == true && certificate["by"] == root.as_str(), "{certificate}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn files_ride_along_and_a_small_stick_takes_the_small_ones() -> anyhow::Result<()> {
    let (nation, county) = apart()?;
    nation.publish(1, "底稿")?;
    let (above, below) = (open(&nation).await, open(&county).await);
    let named = |file: &kepu_store::media::Media| kepu_domain::create::resource::Media {
        hash: file.hash.clone(),
        media_type: file.media_type.clone(),
        size: file.size,
        alt: "图".into(),
    };
    let (small, large) = (media::put(&above, &super::files::picture(9_000, 1)).await?, media::put(&above, &super::files::picture(1_200_000, 2)).await?);
    let secret = media::put(&above, &super::files::picture(5_000, 3)).await?;
    super::files::publish_with(&above, "r-pic", vec![named(&large), named(&small)]).await;
    let make = async |ask: Option<Ask>, bytes_max: u64| {
        bundle::make(&above, Make { scope: None, ask, files: true, bytes_max }, Vec::new(), |_| {}).await.expect("made")
    };
    let (made, bytes) = make(None, 200_000).await;
    assert_eq!((made.files, made.files_left), (1, 1));
    let applied = bundle::apply(&below, &operator(), bytes.as_slice(), |_| {}).await?;
    assert_eq!((applied.files, applied.complete), (1, true));
    // The next ask file names what is still wanted, although its record has arrived.
    let (made, bytes) = make(Some(bundle::ask(&below).await?), 1 << 32).await;
    assert_eq!((made.records, made.files, made.files_left), (0, 1, 0));
    // Cut in the middle of the large one: it goes on from there.
    let cut = bundle::apply(&below, &operator(), &bytes[..bytes.len() / 2], |_| {}).await?;
    assert_eq!((cut.files, cut.complete), (0, false));
    let applied = bundle::apply(&below, &operator(), bytes.as_slice(), |_| {}).await?;
    assert_eq!((applied.files, applied.complete), (1, true));
    for file in [&small, &large] {
        let (_, path) = media::open(&below, &file.hash).await?.expect("here");
        assert_eq!(blake3::hash(&std::fs::read(path)?).to_hex().as_str(), file.hash);
    }
    // A file of a draft is nobody's business, even if it is asked for by name.
    let mut ask = serde_json::to_value(bundle::ask(&below).await?)?;
    ask["files"] = serde_json::json!([secret.hash, "../../etc/passwd"]);
    let (made, _) = make(Ask::read(&serde_json::to_vec(&ask)?), 1 << 32).await;
    assert_eq!(made.files, 0);
    Ok(())
}

/// A nation's bundle of `count` records, and a county in this process that pinned its root.
async fn damaged(count: usize) -> anyhow::Result<(Node, App, Vec<u8>, Node, App)> {
    let nation = Node::init("国家", "000000")?;
    nation.publish(count, "损坏")?;
    let above = open(&nation).await;
    let (_, bytes) = bundle::make(&above, Make { scope: None, ask: None, files: false, bytes_max: 1 << 32 }, Vec::new(), |_| {}).await?;
    let county = Node::init("县", "411525")?;
    let below = open(&county).await;
    pin(&below, above.key.id()).await;
    Ok((nation, above, bytes, county, below))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_cut_at_any_place_gives_what_stands_before_the_cut() -> anyhow::Result<()> {
    let (_nation, above, bytes, county, below) = damaged(900).await?;
    assert!(bytes.len() > 10_000, "{} bytes", bytes.len());
    let mut held = 0;
    for end in (0..bytes.len()).step_by(1_000) {
        let Ok(applied) = bundle::apply(&below, &operator(), &bytes[..end], |_| {}).await else {
            assert!(held == 0, "cut at {end}: the header is gone although records came before");
            continue;
        };
        assert!(!applied.complete && applied.reason.contains("cut off"), "cut at {end}: {applied:?}");
        assert!(applied.refused.is_empty());
        held += applied.records;
    }
    let whole = bundle::apply(&below, &operator(), bytes.as_slice(), |_| {}).await?;
    assert!(whole.complete && held + whole.records >= 902, "{held} and {whole:?}");
    assert!(held > 300, "a cut bundle was of no use: {held}");
    assert_eq!(state(&below).await, state(&above).await);
    assert_eq!(county.json(&["rebuild"])?["same"], true);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn flipped_bytes_never_bring_in_anything_that_is_not_genuine() -> anyhow::Result<()> {
    let (_nation, above, bytes, _county, _) = damaged(40).await?;
    let genuine: Vec<_> = super::items(&above).await;
    let verifier = Verifier::new(Some(Pin::Key(above.key.id().clone())));
    assert!(verifier.verify("whole", bytes.as_slice()).ok);
    let node = Node::init("县", "411525")?;
    let below = open(&node).await;
    pin(&below, above.key.id()).await;
    let mut word = 7_u64;
    for round in 0..300 {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (at, bit) = ((word >> 33) as usize % bytes.len(), (word >> 20) as u8 % 8);
        let mut other = bytes.clone();
        other[at] ^= 1 << bit;
        let trailer = bytes.windows(3).rposition(|three| three == b"KF\x01").unwrap_or(0);
        let seen = verifier.verify("flipped", other.as_slice());
        assert!(!seen.ok || at >= trailer, "round {round}: byte {at} bit {bit} was not noticed");
        if let Ok(applied) = bundle::apply(&below, &operator(), other.as_slice(), |_| {}).await {
            assert!(!applied.complete || at >= trailer, "round {round}: byte {at} bit {bit}: {applied:?}");
        }
    }
    let held = super::items(&below).await;
    assert!(held.iter().filter(|item| item.place.key == *above.key.id()).all(|item| genuine.contains(item)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn bombs_and_giant_lengths_are_refused_without_growing() -> anyhow::Result<()> {
    let (nation, above, bytes, _county, below) = damaged(5).await?;
    let header = serde_json::to_vec(&Header { format: FORMAT.into(), by: above.key.id().0.clone(), ..Header::default() })?;
    let begin = kepu_sync::frame::write(&Frame::Meta(header), 3)?;
    let framed = |kind: u8, raw: u32, packed_len: u32, packed: &[u8]| {
        let mut frame = b"KF\x01".to_vec();
        frame.push(kind);
        frame.extend_from_slice(&raw.to_le_bytes());
        frame.extend_from_slice(&packed_len.to_le_bytes());
        frame.extend_from_slice(packed);
        [begin.as_slice(), &frame].concat()
    };
    // 256 MiB of nothing in a few kB, under an honest, a false and a giant announcement.
    let bomb = zstd::bulk::compress(&vec![0; 256 << 20], 3)?;
    for (raw, packed) in [(1 << 20, bomb.len() as u32), (1_000, bomb.len() as u32), (u32::MAX, bomb.len() as u32), (1_000, u32::MAX)] {
        for kind in [1, 2, 3, 4, 5, 6, 200] {
            let applied = bundle::apply(&below, &operator(), framed(kind, raw, packed, &bomb).as_slice(), |_| {}).await?;
            assert!(!applied.complete && applied.records == 0 && !applied.reason.is_empty(), "{kind} {raw} {packed}: {applied:?}");
        }
    }
    // A piece of a file that nobody wants, of a size that nothing has.
    let chunk = Frame::Chunk(Chunk { hash: [7; 32], size: u64::MAX, offset: u64::MAX - 3, bytes: vec![1; 3] });
    let applied = bundle::apply(&below, &operator(), [begin.clone(), kepu_sync::frame::write(&chunk, 3)?].concat().as_slice(), |_| {}).await?;
    assert_eq!((applied.files, applied.complete), (0, false));
    assert!(!below.data().join("media/part").exists());
    // A sound bundle that somebody else signed in the exporter's name.
    let forged = Header { format: FORMAT.into(), by: above.key.id().0.clone(), ..Header::default() };
    let out = Writer::begin(Vec::new(), &forged, 3)?.finish(below.key.signing())?;
    let applied = bundle::apply(&below, &operator(), out.as_slice(), |_| {}).await?;
    assert!(!applied.complete && applied.reason.contains("not signed by the node"), "{applied:?}");
    assert!(bundle::apply(&below, &operator(), b"PK\x03\x04".as_slice(), |_| {}).await.is_err());
    assert!(bundle::apply(&below, &kepu_domain::access::Actor::Visitor, bytes.as_slice(), |_| {}).await.is_err(), "a visitor brings no bundles");
    drop(nation);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_with_a_stick_cannot_call_numbers_left_out() -> anyhow::Result<()> {
    let (_nation, above, _, county, below) = damaged(5).await?;
    record::publish_head(&above).await?;
    let mut trust = super::items(&above).await;
    trust.retain(|item| item.place.stream == kepu_domain::record::Stream::Trust);
    super::receive(&below, trust).await;
    assert_eq!(problems(&county)?.len(), 1, "the head says that there are records");
    let stranger = Node::init("外人", "000000")?;
    let other = open(&stranger).await;
    let header = Header { format: FORMAT.into(), by: other.key.id().0.clone(), ..Header::default() };
    let mut writer = Writer::begin(Vec::new(), &header, 3)?;
    let skips = vec![kepu_sync::frame::Skip { key: above.key.id().clone(), stream: kepu_domain::record::Stream::Lib, from: 1, to: 5 }];
    writer.frame(&Frame::Records(kepu_sync::frame::split_skips(kepu_domain::record::Stream::Lib, "", skips).remove(0)))?;
    let bytes = writer.finish(other.key.signing())?;
    let applied = bundle::apply(&below, &operator(), bytes.as_slice(), |_| {}).await?;
    assert!(applied.complete);
    assert_eq!(problems(&county)?.len(), 1, "still missing");
    Ok(())
}
