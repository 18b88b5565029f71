//! The Merkle root in signed heads: commits to every document of a stream, 1 to n. Construction of RFC 6962 §2.1.

use kepu_domain::record::DocHash;
use sha2::{Digest, Sha256};

/// Root over `docs` in the order of their numbers, hex. The empty list has the hash of nothing.
pub fn root(docs: &[DocHash]) -> String {
    data_encoding::HEXLOWER.encode(&node(docs))
}

fn node(docs: &[DocHash]) -> [u8; 32] {
    match docs {
        [] => Sha256::digest(b"").into(),
        [one] => Sha256::new().chain_update([0]).chain_update(one.0).finalize().into(),
        _ => {
            let split = docs.len().next_power_of_two() / 2;
            let (left, right) = docs.split_at(split);
            Sha256::new().chain_update([1]).chain_update(node(left)).chain_update(node(right)).finalize().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
