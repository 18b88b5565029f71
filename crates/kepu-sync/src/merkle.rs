//! The Merkle root in signed heads: commits to every document of a stream, 1 to n. Construction of RFC 6962 §2.1.

use kepu_domain::record::DocHash;
use sha2::{Digest, Sha256};

/// The roots of the full subtrees over documents 1 to n, largest first: all that is needed to go on from there, and to know
/// the root. A million documents are twenty digests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    n: u64,
    peaks: Vec<[u8; 32]>,
}

impl Tree {
    /// How many documents it covers.
    pub fn len(&self) -> i64 {
        i64::try_from(self.n).unwrap_or(i64::MAX)
    }
    /// Whether it covers none.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Adds the next document.
    pub fn push(&mut self, doc: &DocHash) {
        let mut node: [u8; 32] = Sha256::new().chain_update([0]).chain_update(doc.0).finalize().into();
        let mut n = self.n;
        while n & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            node = join(&left, &node);
            n >>= 1;
        }
        self.peaks.push(node);
        self.n += 1;
    }

    /// The root, hex. Over no documents it is the digest of nothing.
    pub fn root(&self) -> String {
        let mut peaks = self.peaks.iter().rev();
        let root = match peaks.next() {
            Some(last) => peaks.fold(*last, |right, left| join(left, &right)),
            None => Sha256::digest(b"").into(),
        };
        data_encoding::HEXLOWER.encode(&root)
    }

    /// As text for the store: `n:` and the digests in hex.
    pub fn write(&self) -> String {
        let peaks: Vec<String> = self.peaks.iter().map(|peak| data_encoding::HEXLOWER.encode(peak)).collect();
        format!("{}:{}", self.n, peaks.concat())
    }

    /// Reads what [`Tree::write`] wrote; `None` for anything else.
    pub fn read(text: &str) -> Option<Self> {
        let (n, peaks) = text.split_once(':')?;
        let n: u64 = n.parse().ok()?;
        let bytes = data_encoding::HEXLOWER.decode(peaks.as_bytes()).ok()?;
        let (peaks, rest) = bytes.as_chunks::<32>();
        (rest.is_empty() && peaks.len() == n.count_ones() as usize).then(|| Self { n, peaks: peaks.to_vec() })
    }
}

impl Extend<DocHash> for Tree {
    fn extend<I: IntoIterator<Item = DocHash>>(&mut self, docs: I) {
        docs.into_iter().for_each(|doc| self.push(&doc));
    }
}

fn join(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// Root over `docs` in the order of their numbers, hex.
pub fn root(docs: &[DocHash]) -> String {
    let mut tree = Tree::default();
    tree.extend(docs.iter().copied());
    tree.root()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, word for word.
    fn defined(docs: &[DocHash]) -> [u8; 32] {
        match docs {
            [] => Sha256::digest(b"").into(),
            [one] => Sha256::new().chain_update([0]).chain_update(one.0).finalize().into(),
            _ => {
                let (left, right) = docs.split_at(docs.len().next_power_of_two() / 2);
                join(&defined(left), &defined(right))
            }
        }
    }

    #[test]
    fn growing_step_by_step_gives_the_root_of_the_definition() {
        let docs: Vec<DocHash> = (0..100).map(|n| DocHash([n; 32])).collect();
        let mut tree = Tree::default();
        for n in 0..docs.len() {
            assert_eq!(tree.root(), data_encoding::HEXLOWER.encode(&defined(&docs[..n])), "{n}");
            // What was stored goes on as if it had never been put away.
            tree = Tree::read(&tree.write()).expect("stored");
            tree.push(&docs[n]);
        }
        assert_eq!(Tree::read("3:00"), None);
        assert_eq!(Tree::read("x"), None);
    }

    #[test]
    fn every_document_and_their_order_count() {
        let docs: Vec<DocHash> = (0..7).map(|n| DocHash([n; 32])).collect();
        let whole = root(&docs);
        for at in 0..docs.len() {
            let mut other = docs.clone();
            other[at].0[31] ^= 1;
            assert_ne!(root(&other), whole);
        }
        let mut swapped = docs.clone();
        swapped.swap(0, 1);
        assert_ne!(root(&swapped), whole);
        assert_eq!(root(&[]), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
