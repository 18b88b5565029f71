//! The node's key: one per installation, in a file of its own that no backup takes. A restored database on another
//! machine makes a new key (a cloned key would fork its log). The next key is made at once and committed to in advance.

use crate::error::AppError;
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use kepu_domain::ids::KeyId;
use kepu_domain::trust::key_commitment;
use kepu_sync::suite::{SigningKey, Suite};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::path::{Path, PathBuf};

#[derive(Serialize, Deserialize)]
struct KeyFile {
    /// Says to whoever opens the file what it is.
    note: String,
    suite: String,
    secret: String,
    next_secret: String,
}

/// The node's signing key with the commitment to its successor.
pub struct NodeKey {
    key: SigningKey,
    id: KeyId,
    next: String,
    derived: [u8; 32],
}

impl NodeKey {
    /// Where the key of a data folder lives.
    pub fn path(data: &Path) -> PathBuf {
        data.join("node.key")
    }

    /// Makes a key and its successor. Fails if the folder already has one.
    pub fn create(data: &Path, suite: Suite) -> Result<Self, AppError> {
        let path = Self::path(data);
        let secrets = [fresh_secret(suite), fresh_secret(suite)];
        let file = KeyFile {
            note: "Private key of this Kepu node. Never copy it into a backup or to another machine.".into(),
            suite: if suite == Suite::Sm2 { "sm2" } else { "ed25519" }.into(),
            secret: HEXLOWER.encode(&secrets[0]),
            next_secret: HEXLOWER.encode(&secrets[1]),
        };
        let text = serde_json::to_vec_pretty(&file).map_err(|e| AppError::Record(e.to_string()))?;
        write_private(&path, &text)?;
        Self::load(data)
    }

    /// Reads the key of a data folder.
    pub fn load(data: &Path) -> Result<Self, AppError> {
        let path = Self::path(data);
        let text = std::fs::read(&path).map_err(|source| AppError::File { action: "read", path: path.display().to_string(), source })?;
        let wrong = || AppError::Record(format!("{} is no key file of a Kepu node", path.display()));
        let file: KeyFile = serde_json::from_slice(&text).map_err(|_| wrong())?;
        let suite = Suite::parse(&file.suite).ok_or_else(wrong)?;
        let secret = |hex: &str| -> Option<[u8; 32]> { HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok() };
        let own = secret(&file.secret).ok_or_else(wrong)?;
        let key = SigningKey::from_secret(suite, &own).map_err(|_| wrong())?;
        let next = SigningKey::from_secret(suite, &secret(&file.next_secret).ok_or_else(wrong)?).map_err(|_| wrong())?;
        Ok(Self { id: key.id(), next: key_commitment(&next.id()), key, derived: mac(&own, &["kepu derived secrets"]) })
    }

    /// The key's id.
    pub fn id(&self) -> &KeyId {
        &self.id
    }
    /// Commitment to the next key, for certificates.
    pub fn next_commitment(&self) -> &str {
        &self.next
    }
    /// A secret for one purpose that only processes with the node's key file can make, always the same for the same words:
    /// what is sealed with it needs no place in the tables. It tells nothing about the key.
    pub fn derive(&self, purpose: &str, words: &[&str]) -> [u8; 32] {
        let all: Vec<&str> = std::iter::once(purpose).chain(words.iter().copied()).collect();
        mac(&self.derived, &all)
    }
    /// The key itself.
    pub fn signing(&self) -> &SigningKey {
        &self.key
    }
}

/// HMAC-SHA256 over words, each preceded by its length.
fn mac(key: &[u8; 32], words: &[&str]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for word in words {
        mac.update(&(word.len() as u64).to_be_bytes());
        mac.update(word.as_bytes());
    }
    mac.finalize().into_bytes().into()
}

/// 32 secret bytes that are a valid key of the suite (SM2 excludes zero and values above the group order).
fn fresh_secret(suite: Suite) -> [u8; 32] {
    loop {
        let secret = rand::random::<[u8; 32]>();
        if SigningKey::from_secret(suite, &secret).is_ok() {
            return secret;
        }
    }
}

fn write_private(path: &Path, text: &[u8]) -> Result<(), AppError> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let wrap = |source| AppError::File { action: "write", path: path.display().to_string(), source };
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(wrap)?;
    file.write_all(text).and_then(|()| file.sync_all()).map_err(wrap)
}

/// Sixteen characters of `a-z2-7` (80 bits) of the SHA-256 of `text`: a short stable name for an id of any form.
pub fn short_hash(text: &str) -> String {
    use sha2::Digest;
    let mut word = data_encoding::BASE32_NOPAD.encode(&sha2::Sha256::digest(text.as_bytes())[..10]).to_ascii_lowercase();
    word.truncate(16);
    word
}

/// `count` random characters of `a-z2-7` (five bits each).
pub fn random_word(count: usize) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    (0..count).map(|_| char::from(LETTERS[usize::from(rand::random::<u8>() & 31)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_secrets_depend_on_key_purpose_and_words() {
        let (one, other) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
        let key = NodeKey::create(one.path(), Suite::Ed25519).expect("key");
        let same = NodeKey::load(one.path()).expect("key");
        let stranger = NodeKey::create(other.path(), Suite::Ed25519).expect("key");
        let secret = key.derive("a", &["bc", "d"]);
        assert_eq!(secret, same.derive("a", &["bc", "d"]));
        for differs in [key.derive("a", &["b", "cd"]), key.derive("ab", &["c", "d"]), stranger.derive("a", &["bc", "d"])] {
            assert_ne!(secret, differs);
        }
    }
}
