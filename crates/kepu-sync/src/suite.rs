//! Signature suites behind one tag: Ed25519 with SHA-256 (`eddsa-jcs-2022`) and SM2 with SM3. The tag is the key's own
//! multicodec, so a document never says twice which suite it uses. Library implementations, not certified products.

use crate::did;
use kepu_domain::ids::KeyId;
use sha2::{Digest, Sha256};
use sm2::dsa::signature::{Signer, Verifier};
use sm2::elliptic_curve::sec1::ToSec1Point;

/// Which signature and digest a key uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Suite {
    /// Ed25519 (RFC 8032, verified under ZIP 215) over SHA-256 digests.
    Ed25519,
    /// SM2 (GB/T 32918.2) over SM3 digests (GB/T 32905), with the default identifier `1234567812345678`.
    Sm2,
}

/// The default distinguishing identifier of GB/T 35276.
const SM2_ID: &str = "1234567812345678";

/// A signature of either suite.
pub const SIGNATURE_BYTES: usize = 64;

impl Suite {
    /// The `cryptosuite` member of proofs.
    pub fn name(self) -> &'static str {
        match self {
            Suite::Ed25519 => "eddsa-jcs-2022",
            Suite::Sm2 => "sm2-sm3-jcs-2026",
        }
    }
    /// Reads `ed25519` or `sm2` as given at the command line.
    pub fn parse(text: &str) -> Option<Suite> {
        match text {
            "ed25519" => Some(Suite::Ed25519),
            "sm2" => Some(Suite::Sm2),
            _ => None,
        }
    }
    /// The digest of this suite, 32 bytes.
    pub fn digest(self, bytes: &[u8]) -> [u8; 32] {
        match self {
            Suite::Ed25519 => Sha256::digest(bytes).into(),
            Suite::Sm2 => {
                use sm3::Digest as _;
                sm3::Sm3::digest(bytes).into()
            }
        }
    }
}

/// A private key. Not printable, not cloned into logs.
pub enum SigningKey {
    /// Ed25519.
    Ed25519(Box<ed25519_zebra::SigningKey>),
    /// SM2.
    Sm2(Box<sm2::dsa::SigningKey>),
}

/// A secret that is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret is no private key of this suite")]
pub struct KeyError;

impl SigningKey {
    /// From 32 secret bytes.
    pub fn from_secret(suite: Suite, secret: &[u8; 32]) -> Result<Self, KeyError> {
        Ok(match suite {
            Suite::Ed25519 => Self::Ed25519(Box::new(ed25519_zebra::SigningKey::from(*secret))),
            Suite::Sm2 => {
                let secret = sm2::SecretKey::from_slice(secret).map_err(|_| KeyError)?;
                Self::Sm2(Box::new(sm2::dsa::SigningKey::new(SM2_ID, &secret).map_err(|_| KeyError)?))
            }
        })
    }

    /// The suite.
    pub fn suite(&self) -> Suite {
        match self {
            Self::Ed25519(_) => Suite::Ed25519,
            Self::Sm2(_) => Suite::Sm2,
        }
    }

    /// The public key as `did:key`.
    pub fn id(&self) -> KeyId {
        match self {
            Self::Ed25519(key) => did::encode(Suite::Ed25519, &<[u8; 32]>::from(ed25519_zebra::VerificationKey::from(key.as_ref()))),
            Self::Sm2(key) => {
                let public: sm2::PublicKey = key.verifying_key().into();
                did::encode(Suite::Sm2, public.to_sec1_point(true).as_bytes())
            }
        }
    }

    /// Signs a message; 64 bytes.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Ed25519(key) => <[u8; 64]>::from(key.sign(message)).to_vec(),
            Self::Sm2(key) => {
                let signature: sm2::dsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
        }
    }
}

/// One signature to check.
pub struct Check {
    /// The key.
    pub key: KeyId,
    /// The signed message (two digests of 32 bytes).
    pub message: [u8; 64],
    /// The signature.
    pub signature: Vec<u8>,
}

/// Whether one signature is right.
pub fn verify(check: &Check) -> bool {
    let Ok((suite, public)) = did::decode(&check.key) else { return false };
    match suite {
        Suite::Ed25519 => {
            let Ok(key) = ed25519_zebra::VerificationKey::try_from(public.as_slice()) else { return false };
            let Ok(signature) = ed25519_zebra::Signature::from_slice(&check.signature) else { return false };
            key.verify(&signature, &check.message).is_ok()
        }
        Suite::Sm2 => {
            let Ok(key) = sm2::dsa::VerifyingKey::from_sec1_bytes(SM2_ID, &public) else { return false };
            let Ok(signature) = sm2::dsa::Signature::from_slice(&check.signature) else { return false };
            key.verify(&check.message, &signature).is_ok()
        }
    }
}

/// Which of many signatures are right, in their order.
///
/// Ed25519 signatures are checked together first (about three times as fast); only when that fails are they checked one
/// by one. Both ways agree on every input (ZIP 215), so two nodes never judge a record differently.
pub fn verify_many(checks: &[Check]) -> Vec<bool> {
    let mut batch = ed25519_zebra::batch::Verifier::new();
    let mut right = vec![false; checks.len()];
    let mut batched = Vec::with_capacity(checks.len());
    for (at, check) in checks.iter().enumerate() {
        match did::decode(&check.key) {
            Ok((Suite::Ed25519, public)) => {
                let key = ed25519_zebra::VerificationKeyBytes::try_from(public.as_slice());
                let signature = ed25519_zebra::Signature::from_slice(&check.signature);
                if let (Ok(key), Ok(signature)) = (key, signature) {
                    batch.queue((key, signature, &check.message[..]));
                    batched.push(at);
                }
            }
            Ok(_) => right[at] = verify(check),
            Err(_) => {}
        }
    }
    let all_right = batched.is_empty() || batch.verify(rand::rng()).is_ok();
    for at in batched {
        right[at] = all_right || verify(&checks[at]);
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sm3_equals_the_published_vector() {
        let digest = Suite::Sm2.digest(b"abc");
        assert_eq!(data_encoding::HEXLOWER.encode(&digest), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
    }

    /// RFC 8032 §7.1, test 2.
    #[test]
    fn ed25519_equals_the_published_vector() {
        let secret = data_encoding::HEXLOWER.decode(b"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").expect("hex");
        let key = SigningKey::from_secret(Suite::Ed25519, &secret.try_into().expect("32 bytes")).expect("key");
        assert_eq!(
            data_encoding::HEXLOWER.encode(&key.sign(&[0x72])),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        );
    }

    #[test]
    fn both_suites_sign_and_one_wrong_signature_is_found_among_many() {
        for suite in [Suite::Ed25519, Suite::Sm2] {
            let key = SigningKey::from_secret(suite, &[7; 32]).expect("key");
            let mut checks: Vec<Check> = (0..20u8).map(|n| Check { key: key.id(), message: [n; 64], signature: key.sign(&[n; 64]) }).collect();
            assert!(verify_many(&checks).into_iter().all(|ok| ok));
            checks[11].message[3] ^= 1;
            let right = verify_many(&checks);
            assert_eq!(right.iter().filter(|ok| !**ok).count(), 1);
            assert!(!right[11]);
        }
    }
}
