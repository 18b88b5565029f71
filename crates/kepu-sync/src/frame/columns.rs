//! How records lie in a frame: like beside like, so that they compress.
//!
//! ```text
//! columns = class, above, up_to, epoch, keys[], count, key index[], stream[], n[], length[], sig[64·count], contents,
//!           skip count, key index[], stream[], from[], to − from[]
//! ```
//! Numbers are unsigned LEB128. Signatures (which do not compress) stand in one run, documents (which share most of their
//! text) in another. `n` and `from` are differences to the number before of the same key and stream. A length of 0 marks an
//! erased body: time (20 bytes) and digest (32) stand in its place.

use super::{COUNT_MAX, Content, FrameError, Item, Records, SKIPS_MAX, Skip};
use kepu_domain::ids::KeyId;
use kepu_domain::record::{DOC_BYTES_MAX, DocHash, N_MAX, Place, Stream};
use std::collections::HashMap;

const SIGNATURE: usize = 64;
const TIME: usize = 20;

/// Numbers of one key and stream mostly follow each other: each is told by how far it is from the one before.
#[derive(Default)]
struct Steps(HashMap<(usize, u8), i64>);

impl Steps {
    fn step(&mut self, key: usize, stream: u8, n: i64) -> u64 {
        let last = self.0.insert((key, stream), n).unwrap_or(0);
        let by = n.wrapping_sub(last);
        ((by << 1) ^ (by >> 63)) as u64
    }
    fn back(&mut self, key: usize, stream: u8, step: u64) -> Option<i64> {
        let last = self.0.entry((key, stream)).or_insert(0);
        let by = (step >> 1) as i64 ^ -((step & 1) as i64);
        *last = last.checked_add(by).filter(|n| (1..=N_MAX).contains(n))?;
        Some(*last)
    }
}

fn put(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push((n as u8) | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// The columns of `records`.
pub(super) fn write(records: &Records) -> Vec<u8> {
    let (mut keys, mut known): (Vec<&KeyId>, HashMap<&KeyId, usize>) = (Vec::new(), HashMap::new());
    let mut index = |key| {
        *known.entry(key).or_insert_with(|| {
            keys.push(key);
            keys.len() - 1
        })
    };
    let of_items: Vec<usize> = records.items.iter().map(|item| index(&item.place.key)).collect();
    let of_skips: Vec<usize> = records.skips.iter().map(|skip| index(&skip.key)).collect();
    let mut out = Vec::with_capacity(records.items.iter().map(Item::bytes).sum::<usize>() + records.skips.len() * 4 + 200);
    out.push(records.class.code());
    put(&mut out, records.above as u64);
    put(&mut out, records.up_to as u64);
    put_text(&mut out, &records.epoch);
    put(&mut out, keys.len() as u64);
    keys.iter().for_each(|key| put_text(&mut out, &key.0));
    put(&mut out, records.items.len() as u64);
    of_items.iter().for_each(|at| put(&mut out, *at as u64));
    records.items.iter().for_each(|item| out.push(item.place.stream.code()));
    let mut steps = Steps::default();
    for (item, key) in records.items.iter().zip(&of_items) {
        put(&mut out, steps.step(*key, item.place.stream.code(), item.place.n));
    }
    for item in &records.items {
        put(&mut out, if let Content::Doc(doc) = &item.content { doc.len() as u64 } else { 0 });
    }
    records.items.iter().for_each(|item| out.extend_from_slice(&item.signature));
    for item in &records.items {
        match &item.content {
            Content::Doc(doc) => out.extend_from_slice(doc),
            Content::Erased { modified, doc } => {
                out.extend_from_slice(modified.as_bytes());
                out.extend_from_slice(&doc.0);
            }
        }
    }
    put(&mut out, records.skips.len() as u64);
    of_skips.iter().for_each(|at| put(&mut out, *at as u64));
    records.skips.iter().for_each(|skip| out.push(skip.stream.code()));
    let mut steps = Steps::default();
    for (skip, key) in records.skips.iter().zip(&of_skips) {
        put(&mut out, steps.step(*key, skip.stream.code(), skip.from));
    }
    records.skips.iter().for_each(|skip| put(&mut out, (skip.to - skip.from) as u64));
    out
}

struct Reader<'a> {
    raw: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn wrong<T>(&self) -> Result<T, FrameError> {
        Err(FrameError::Columns(self.at))
    }
    fn take(&mut self, count: usize) -> Result<&'a [u8], FrameError> {
        match self.at.checked_add(count).and_then(|end| self.raw.get(self.at..end)) {
            Some(part) => {
                self.at += count;
                Ok(part)
            }
            None => self.wrong(),
        }
    }
    fn number(&mut self) -> Result<u64, FrameError> {
        let mut n = 0u64;
        for shift in (0..63).step_by(7) {
            let byte = self.take(1)?[0];
            n |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(n);
            }
        }
        self.wrong()
    }
    fn integer(&mut self) -> Result<i64, FrameError> {
        let n = self.number()?;
        i64::try_from(n).or_else(|_| self.wrong())
    }
    fn size(&mut self, most: usize) -> Result<usize, FrameError> {
        match usize::try_from(self.number()?) {
            Ok(n) if n <= most => Ok(n),
            _ => self.wrong(),
        }
    }
    /// As many entries as announced; each takes a byte at least, so no announcement makes a large list by itself.
    fn count(&mut self, most: usize) -> Result<usize, FrameError> {
        let count = self.size(most)?;
        if count > self.raw.len() - self.at { self.wrong() } else { Ok(count) }
    }
    fn text(&mut self, most: usize) -> Result<String, FrameError> {
        let size = self.size(most)?;
        match std::str::from_utf8(self.take(size)?) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => self.wrong(),
        }
    }
    fn stream(&mut self) -> Result<Stream, FrameError> {
        let code = self.take(1)?[0];
        Stream::from_code(code).map_or_else(|| self.wrong(), Ok)
    }
    fn list<T>(&mut self, count: usize, read: impl Fn(&mut Self) -> Result<T, FrameError>) -> Result<Vec<T>, FrameError> {
        (0..count).map(|_| read(self)).collect()
    }
    fn numbers(&mut self, keys: &[usize], streams: &[Stream]) -> Result<Vec<i64>, FrameError> {
        let mut steps = Steps::default();
        let mut list = Vec::with_capacity(keys.len());
        for (key, stream) in keys.iter().zip(streams) {
            let step = self.number()?;
            list.push(steps.back(*key, stream.code(), step).map_or_else(|| self.wrong(), Ok)?);
        }
        Ok(list)
    }
    fn content(&mut self, length: usize) -> Result<Content, FrameError> {
        if length > 0 {
            return Ok(Content::Doc(self.take(length)?.to_vec()));
        }
        let modified = match std::str::from_utf8(self.take(TIME)?) {
            Ok(text) => text.to_owned(),
            Err(_) => return self.wrong(),
        };
        let digest: Result<[u8; 32], _> = self.take(32)?.try_into();
        digest.map_or_else(|_| self.wrong(), |digest| Ok(Content::Erased { modified, doc: DocHash(digest) }))
    }
}

/// Reads what [`write`] wrote. Nothing in it is trusted.
pub(super) fn read(raw: &[u8]) -> Result<Records, FrameError> {
    let mut r = Reader { raw, at: 0 };
    let class = r.stream()?;
    let (above, up_to) = (r.integer()?, r.integer()?);
    let epoch = r.text(40)?;
    let key_count = r.count(2 * COUNT_MAX)?;
    let keys: Vec<KeyId> = r.list(key_count, |r| r.text(120).map(KeyId))?;
    let key_at = |at: usize| keys.get(at).cloned().ok_or(FrameError::Columns(0));
    let index = |r: &mut Reader<'_>| r.size(key_count.saturating_sub(1));
    let count = r.count(COUNT_MAX)?;
    let indices = r.list(count, index)?;
    let streams = r.list(count, Reader::stream)?;
    let numbers = r.numbers(&indices, &streams)?;
    let lengths = r.list(count, |r| r.size(DOC_BYTES_MAX))?;
    let signatures = r.take(count * SIGNATURE)?;
    let mut items = Vec::with_capacity(count);
    for at in 0..count {
        let place = Place { key: key_at(indices[at])?, stream: streams[at], n: numbers[at] };
        let content = r.content(lengths[at])?;
        items.push(Item { place, content, signature: signatures[at * SIGNATURE..(at + 1) * SIGNATURE].to_vec() });
    }
    let count = r.count(SKIPS_MAX)?;
    let indices = r.list(count, index)?;
    let streams = r.list(count, Reader::stream)?;
    let firsts = r.numbers(&indices, &streams)?;
    let mut skips = Vec::with_capacity(count);
    for at in 0..count {
        let to = firsts[at].checked_add(r.integer()?).filter(|to| *to <= N_MAX);
        let to = to.map_or_else(|| r.wrong(), Ok)?;
        skips.push(Skip { key: key_at(indices[at])?, stream: streams[at], from: firsts[at], to });
    }
    if r.at != raw.len() {
        return r.wrong();
    }
    Ok(Records { class, epoch, above, up_to, items, skips })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn skip(key: &str, from: i64, to: i64) -> Skip {
        Skip { key: KeyId::from(key), stream: Stream::Lib, from, to }
    }

    #[test]
    fn what_is_left_out_and_what_is_erased_read_back() {
        let place = |n| Place { key: KeyId::from("did:key:a"), stream: Stream::Lib, n };
        let erased = Content::Erased { modified: "2026-01-31T08:00:00Z".into(), doc: DocHash([7; 32]) };
        let records = Records {
            class: Stream::Lib,
            epoch: "e".into(),
            above: 3,
            up_to: 9,
            items: vec![
                Item { place: place(9), content: erased, signature: vec![1; 64] },
                Item::whole(place(2), b"{}".to_vec(), vec![2; 64]),
                Item::whole(place(N_MAX), b"[]".to_vec(), vec![3; 64]),
            ],
            skips: vec![skip("did:key:a", 3, 8), skip("did:key:a", 10, 4_000), skip("did:key:b", 1, N_MAX)],
        };
        assert_eq!(read(&write(&records)), Ok(records));
    }

    #[test]
    fn numbers_outside_a_stream_are_refused() {
        for bad in [skip("a", 0, 3), skip("a", 5, N_MAX + 1), skip("a", 5, 4)] {
            let records = Records { class: Stream::Lib, epoch: String::new(), above: 0, up_to: 0, items: vec![], skips: vec![bad.clone()] };
            assert!(read(&write(&records)).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn random_columns_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes);
        }
    }
}
