//! What only the right person knows, and how it is checked: passwords, one-time codes, and what the node seals with its own
//! key instead of keeping it: sign-in tickets, first passwords, the setup code. Who may use them is decided in the operations.

use crate::App;
use crate::error::AppError;
use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use jiff::{SignedDuration, Timestamp};
use kepu_domain::account::Account;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

/// Longest password that is looked at, in bytes; no account has a longer one.
const PASSWORD_BYTES_MAX: usize = 800;
/// Hashing takes 19 MiB and some ten milliseconds of a processor: a crowd of guesses waits here and not in the tables.
static HASHING: Semaphore = Semaphore::const_new(2);

/// Argon2id with the crate's defaults (19 MiB, two passes: OWASP's first recommendation).
pub(crate) fn hash_password(password: &str) -> Result<String, AppError> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|h| h.to_string()).map_err(|e| AppError::Record(format!("the password could not be hashed: {e}")))
}

/// Whether `password` is the one whose hash is `stored`; `None` takes as long and is always wrong.
pub(crate) async fn verify_password(stored: Option<String>, password: &str) -> bool {
    let Ok(_turn) = HASHING.acquire().await else { return false };
    let (known, stored) = (stored.is_some(), stored.unwrap_or_else(|| DUMMY_HASH.to_owned()));
    if password.len() > PASSWORD_BYTES_MAX {
        return false;
    }
    let attempt = password.to_owned();
    let right = tokio::task::spawn_blocking(move || verify(&stored, &attempt)).await.unwrap_or(false);
    right && known
}

fn verify(stored: &str, password: &str) -> bool {
    PasswordHash::new(stored).is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
}

/// Argon2id of a random value that nobody knows.
const DUMMY_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXJhbmRvbXNhbHQ$Nf3LhYxKqQ1m0bqYk9r0mV0m1x2l5J7b0i8m2w3c4d4";

/// Bytes of a second factor's secret, as RFC 4226 recommends.
pub(crate) const TOTP_BYTES: usize = 20;

/// A fresh secret for a second factor, as its owner types it.
pub fn new_totp() -> String {
    BASE32_NOPAD.encode(&rand::random::<[u8; TOTP_BYTES]>())
}

/// The `otpauth://` address of a secret, for a QR code.
pub fn totp_address(account: &Account, secret: &str) -> String {
    let login: String = account.login.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("otpauth://totp/Kepu:{login}?secret={secret}&issuer=Kepu&digits=6&period=30&algorithm=SHA1")
}

/// The bytes of a secret as typed; `None` if it is not one of [`new_totp`].
pub(crate) fn read_totp(secret: &str) -> Option<Vec<u8>> {
    BASE32_NOPAD.decode(secret.as_bytes()).ok().filter(|bytes| bytes.len() == TOTP_BYTES)
}

/// The time step of a right one-time code (RFC 6238, 30 s, one step of drift) later than `last`; each step counts once.
pub(crate) fn check_code(secret: &[u8], code: &str, now: Timestamp, last: i64) -> Option<i64> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let step = now.as_second().div_euclid(30);
    (step - 1..=step + 1).find(|at| *at > last && totp(secret, *at) == code)
}

/// The code of a time step.
pub fn totp(secret: &[u8], step: i64) -> String {
    use totp_rs::{Algorithm, Builder};
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_secret(secret.to_vec())
        .build()
        .map(|t| t.generate(u64::try_from(step * 30).unwrap_or_default()).to_string())
        .unwrap_or_default()
}

/// Minutes a ticket or seal is good.
const SEAL_MINUTES: i64 = 10;

/// Words with an end in time that nobody else can write: `word.milliseconds.seal`. `bound` is not in it but must be the same
/// when it is opened.
pub fn seal(app: &App, purpose: &str, word: &str, bound: &str) -> String {
    let until = super::later(app.now(), SignedDuration::from_mins(SEAL_MINUTES)).as_millisecond();
    format!("{word}.{until}.{}", sealed(app, purpose, word, until, bound))
}

fn sealed(app: &App, purpose: &str, word: &str, until: i64, bound: &str) -> String {
    HEXLOWER.encode(&app.key.derive(purpose, &[word, &until.to_string(), bound])[..16])
}

/// The word of a seal, not yet checked: to find out what it is bound to.
pub(crate) fn word_of(text: &str) -> &str {
    text.split('.').next().unwrap_or_default()
}

/// The word of a seal that is genuine and has not ended.
pub fn unseal<'a>(app: &App, purpose: &str, text: &'a str, bound: &str) -> Option<&'a str> {
    let mut parts = text.splitn(3, '.');
    let (word, until, mark) = (parts.next()?, parts.next()?.parse::<i64>().ok()?, parts.next()?);
    let right = sealed(app, purpose, word, until, bound);
    // Hashing both first makes the time of the comparison say nothing.
    let same = hash(mark) == hash(&right);
    (same && until > app.now().as_millisecond()).then_some(word)
}

/// A first password for the account `login`: always the same for the same `nonce`, so that a form sent twice and the page
/// after it agree, and nothing readable is kept. 70 bits in groups that can be read out.
pub fn first_password(app: &App, nonce: &str, login: &str) -> String {
    let bytes = app.key.derive("first password", &[nonce, &kepu_text::fold(login.trim())]);
    let word = BASE32_NOPAD.encode(&bytes).to_ascii_lowercase();
    [&word[..4], &word[4..8], &word[8..12], &word[12..16]].join("-")
}

/// SHA-256 in hex: how tokens are kept.
pub(crate) fn hash(text: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_unknown_name_costs_as_much_as_a_wrong_password() {
        assert!(PasswordHash::new(DUMMY_HASH).is_ok(), "else it would be refused without any work");
        let stored = hash_password("雨后的操场有彩虹真好看").expect("hash");
        assert!(verify_password(Some(stored.clone()), "雨后的操场有彩虹真好看").await);
        assert!(!verify_password(Some(stored.clone()), "雨后的操场有彩虹").await);
        assert!(!verify_password(None, "雨后的操场有彩虹真好看").await);
        assert!(!verify_password(Some(stored), &"长".repeat(1_000)).await);
    }

    #[test]
    fn a_code_counts_once_and_within_a_minute() {
        let (secret, now) = ([7_u8; TOTP_BYTES], Timestamp::from_second(3_000_000_015).expect("time"));
        let step = 100_000_000;
        assert_eq!(check_code(&secret, &totp(&secret, step), now, 0), Some(step));
        assert_eq!(check_code(&secret, &format!(" {} ", totp(&secret, step - 1)), now, 0), Some(step - 1));
        assert_eq!(check_code(&secret, &totp(&secret, step), now, step), None);
        assert_eq!(check_code(&secret, &totp(&secret, step - 2), now, 0), None);
        assert_eq!(check_code(&secret, "", now, 0), None);
        assert!(read_totp(&new_totp()).is_some() && read_totp("AAAA").is_none());
    }
}
