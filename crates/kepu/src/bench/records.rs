//! Signing, packing and verifying records.

use super::Figure;
use kepu_domain::ids::SubjectId;
use kepu_domain::org::Region;
use kepu_domain::record::{Body, Envelope, Place, Retraction, Stream};
use kepu_sync::frame::{self, Content, Frame, Item, Sizes};
use kepu_sync::record::sign;
use kepu_sync::suite::{SigningKey, Suite};
use std::time::Instant;

/// One thread, one suite (Ed25519). Verifying counts reading, the canonical form, digests and signatures.
pub fn run(size: usize) -> anyhow::Result<Vec<Figure>> {
    let key = SigningKey::from_secret(Suite::Ed25519, &[7; 32])?;
    let id = key.id();
    let start = Instant::now();
    let mut items = Vec::with_capacity(size);
    for n in 1..=size as i64 {
        let place = Place { key: id.clone(), stream: Stream::Alert, n };
        let subject = SubjectId::new(&id.fingerprint(), &format!("c-{n}"));
        let envelope = Envelope {
            place: place.clone(),
            modified: jiff::Timestamp::UNIX_EPOCH,
            subject,
            region: Region::NATION,
            fields: vec!["health".into()],
            lang: "zh-Hans".into(),
        };
        let body =
            Body::Retraction(Retraction {
                key: id.clone(), through: n, reason: format!("第{n}号说法的依据已经更新，请以新版本为准"), by: "示例中心".into()
            });
        let record = sign(&key, envelope, &body)?;
        items.push((size as i64 + 1 - n, Item::whole(place, record.doc, record.signature)));
    }
    let signing = start.elapsed().as_secs_f64();
    let raw: usize = items.iter().map(|(_, i)| i.signature.len() + if let Content::Doc(doc) = &i.content { doc.len() } else { 0 }).sum();
    let start = Instant::now();
    let frames = frame::split(Stream::Alert, "bench", items, 0, size as i64, &mut Sizes::full());
    let packed = frames.into_iter().map(|f| frame::write(&Frame::Records(f), 3)).collect::<Result<Vec<_>, _>>()?;
    let packing = start.elapsed().as_secs_f64();
    let wire: usize = packed.iter().map(Vec::len).sum();
    let start = Instant::now();
    let mut good = 0;
    for bytes in &packed {
        if let Frame::Records(list) = frame::read(bytes)? {
            good += kepu_app::record::check(list.items).0.records.len();
        }
    }
    let verifying = start.elapsed().as_secs_f64();
    anyhow::ensure!(good == size, "{good} of {size} records verified");
    let per_second = |seconds: f64| size as f64 / seconds;
    Ok(vec![
        Figure::new("signed", per_second(signing), "records/s"),
        Figure::new("packed", per_second(packing), "records/s"),
        Figure::new("verified", per_second(verifying), "records/s"),
        Figure::new("verified_per_minute", per_second(verifying) * 60.0, "records/min"),
        Figure::new("bytes_raw", raw as f64 / size as f64, "B/record"),
        Figure::new("bytes_on_the_wire", wire as f64 / size as f64, "B/record"),
    ])
}
