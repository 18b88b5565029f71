//! Accounts: which passwords are good enough and how long a failed sign-in locks (RULES §13).
//! Also what an account still owes before it may do anything. Hashing, sessions and second factors are in
//! `kepu-app::account`; roles in `access`.

use crate::access::Role;
use crate::ids::AccountId;
use jiff::Timestamp;

/// Somebody who signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Random id.
    pub id: AccountId,
    /// Sign-in name: 2 to 40 characters, stored as typed and looked up folded.
    pub login: String,
    /// Name shown to others.
    pub name: String,
    /// The registry entry of the same person, if linked: reviews name its competence.
    pub party: Option<crate::ids::PartyId>,
    /// Whether a time-based one-time password is set up.
    pub has_totp: bool,
    /// Disabled accounts cannot sign in; nothing of theirs is deleted.
    pub disabled: bool,
    /// The first password was given by somebody else and must be changed.
    pub must_change: bool,
}

/// Begins the sign-in name of a closed account; nobody can choose it, because names hold no space.
pub const CLOSED: &str = "closed ";
/// Stands where the name of a closed account stood.
pub const CLOSED_NAME: &str = "已注销 (closed)";

impl Account {
    /// Whether its owner closed it: name and secrets are gone, the id stays in the audit log.
    pub fn is_closed(&self) -> bool {
        self.login.starts_with(CLOSED)
    }
}

/// What the owner of an account must do first. Until then the account is good for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owes {
    /// Change the password that somebody else gave.
    Password,
    /// Set up the second factor that the node demands of one of the roles.
    SecondFactor,
}

/// What `account`, which holds `roles`, owes on a node that demands a second factor of those in `demanded`.
pub fn owes(account: &Account, roles: &[Role], demanded: &[Role]) -> Option<Owes> {
    if account.must_change {
        return Some(Owes::Password);
    }
    let asked = |role: &Role| role.is_sensitive() && demanded.contains(role);
    (!account.has_totp && roles.iter().any(asked)).then_some(Owes::SecondFactor)
}

/// Why a password is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Fewer than ten characters.
    #[error("use at least 10 characters")]
    Short,
    /// More than 200 characters.
    #[error("use at most 200 characters")]
    Long,
    /// Found among the passwords that everybody tries first, or built from the sign-in name.
    #[error("this password is among the first that others would try")]
    Common,
    /// One character repeated, or a keyboard row.
    #[error("use more than a repeated or consecutive pattern")]
    Pattern,
}

/// Words that passwords on leaked lists are made of; a password that is one of them plus at most four digits is refused.
const COMMON: [&str; 24] = [
    "password",
    "passw0rd",
    "p@ssw0rd",
    "qwertyuiop",
    "qwerty",
    "asdfghjkl",
    "zxcvbnm",
    "iloveyou",
    "woaini",
    "admin",
    "administrator",
    "welcome",
    "letmein",
    "kepu",
    "kepukepu",
    "abc",
    "abcd",
    "test",
    "root",
    "china",
    "zhongguo",
    "beijing",
    "wodemima",
    "mima",
];

/// Checks a new password (length in characters; NIST SP 800-63B §5.1.1.2: length and a blocklist, no forced classes).
pub fn check_password(login: &str, password: &str) -> Result<(), PasswordError> {
    let count = password.chars().count();
    if count < 10 {
        return Err(PasswordError::Short);
    }
    if count > 200 {
        return Err(PasswordError::Long);
    }
    let lower = password.to_lowercase();
    let core = lower.trim_matches(|c: char| c.is_ascii_digit() || c.is_ascii_punctuation());
    if core.is_empty() || COMMON.contains(&core) || (login.chars().count() >= 3 && core == login.to_lowercase()) {
        return Err(PasswordError::Common);
    }
    let mut distinct: Vec<char> = lower.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let steps = lower.chars().zip(lower.chars().skip(1)).filter(|(a, b)| *b as i64 - *a as i64 == 1 || a == b).count();
    if distinct.len() < 5 || steps * 4 >= (count - 1) * 3 {
        return Err(PasswordError::Pattern);
    }
    Ok(())
}

/// Failures before a lock begins.
pub const FREE_FAILURES: i64 = 4;

/// Until when sign-in is locked after `failures` in a row, the last one at `now`; `None` while it is not.
///
/// The fifth failure locks for one minute, each further one twice as long, at most twelve hours.
pub fn locked_until(failures: i64, now: Timestamp) -> Option<Timestamp> {
    if failures <= FREE_FAILURES {
        return None;
    }
    let doublings = (failures - FREE_FAILURES - 1).clamp(0, 10) as u32;
    let minutes = (1_i64 << doublings).min(720);
    now.checked_add(jiff::SignedDuration::from_mins(minutes)).ok()
}

/// Idle minutes after which a session of a signed-in person ends.
pub const IDLE_MINUTES: i64 = 30;
/// Hours after which a session ends however busy it is.
pub const SESSION_HOURS: i64 = 12;
/// Minutes before the idle limit at which pages warn.
pub const WARN_MINUTES: i64 = 5;
/// Days without a sign-in after which an account counts as stale and stands in the report (RULES §13).
pub const STALE_DAYS: i64 = 90;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_passwords_are_refused() {
        for bad in ["kepu", "password123", "1234567890", "aaaaaaaaaaaa", "abcdefghijk", "county-officer1", "Admin2026!!"] {
            assert!(check_password("county-officer", bad).is_err(), "{bad}");
        }
        for good in ["雨后的操场有彩虹真好看", "correct horse battery", "x7Lq-29mmWe"] {
            assert_eq!(check_password("county-officer", good), Ok(()), "{good}");
        }
    }

    #[test]
    fn a_given_password_comes_first_and_a_second_factor_is_asked_of_sensitive_roles_only() {
        let fresh = Account { id: "a".into(), login: "a".into(), name: "a".into(), party: None, has_totp: false, disabled: false, must_change: true };
        let plain = Account { must_change: false, ..fresh.clone() };
        let demanded = [Role::Editor, Role::Contributor];
        assert_eq!(owes(&fresh, &[Role::Editor], &demanded), Some(Owes::Password));
        assert_eq!(owes(&plain, &[Role::Editor], &demanded), Some(Owes::SecondFactor));
        assert_eq!(owes(&plain, &[Role::Contributor], &demanded), None);
        assert_eq!(owes(&plain, &[Role::Reviewer], &demanded), None);
        assert_eq!(owes(&Account { has_totp: true, ..plain }, &[Role::Editor], &demanded), None);
    }

    #[test]
    fn the_lock_grows_and_ends() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(locked_until(4, now), None);
        let minutes = |failures| locked_until(failures, now).expect("locked").as_second() / 60;
        assert_eq!((minutes(5), minutes(6), minutes(9), minutes(60)), (1, 2, 16, 720));
    }
}
