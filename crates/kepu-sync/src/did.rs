//! Keys as `did:key` (W3C CCG): multibase base58btc of the multicodec prefix and the public key.

use crate::suite::Suite;
use kepu_domain::ids::KeyId;

/// multicodec `ed25519-pub` (0xed) as varint.
const ED25519: [u8; 2] = [0xed, 0x01];
/// multicodec `sm2-pub` (0x1206) as varint.
const SM2: [u8; 2] = [0x86, 0x24];

/// A text that names no key this release can use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no did:key of an Ed25519 or SM2 key")]
pub struct DidError(pub String);

/// `did:key:z…` of a public key.
pub fn encode(suite: Suite, public: &[u8]) -> KeyId {
    let prefix = match suite {
        Suite::Ed25519 => ED25519,
        Suite::Sm2 => SM2,
    };
    let bytes: Vec<u8> = prefix.iter().chain(public).copied().collect();
    KeyId(format!("did:key:z{}", bs58::encode(bytes).into_string()))
}

/// Suite and public key (Ed25519: 32 bytes; SM2: 33 bytes, compressed) of a `did:key`.
pub fn decode(key: &KeyId) -> Result<(Suite, Vec<u8>), DidError> {
    let wrong = || DidError(key.0.chars().take(80).collect());
    if key.0.len() > 120 {
        return Err(wrong());
    }
    let bytes = key.0.strip_prefix("did:key:z").and_then(|text| bs58::decode(text).into_vec().ok()).ok_or_else(wrong)?;
    match bytes.split_at_checked(2) {
        Some((prefix, public)) if prefix == ED25519 && public.len() == 32 => Ok((Suite::Ed25519, public.to_vec())),
        Some((prefix, public)) if prefix == SM2 && public.len() == 33 => Ok((Suite::Sm2, public.to_vec())),
        _ => Err(wrong()),
    }
}
