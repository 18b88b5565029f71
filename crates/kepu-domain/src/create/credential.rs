//! Credentials: a signed statement about somebody that anybody can check without asking the issuer: an honour, a base's
//! designation, a certificate of contributions. Honours are public records; a certificate about a person is numbered in the
//! same stream, but its body stays with the holder and only its stub travels. Revocation is a retraction of its subject.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Who may read a credential besides its holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// Everybody: honours and designations.
    Public,
    /// Nobody but whom the holder shows the file.
    Holder,
}

/// A credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Number on the certificate, unique on the issuing node.
    pub number: String,
    /// `contribution`, or the id of the kind of round that gave it.
    pub kind: String,
    /// Title, such as 科普贡献证明.
    pub title: String,
    /// Registry id of the holder on the issuing node.
    pub party: String,
    /// The holder's name.
    pub holder: String,
    /// The holder's institution.
    pub org: String,
    /// The issuing institution's name.
    pub issuer: String,
    /// What is certified, line by line.
    pub items: Vec<CredentialItem>,
    /// First day of the period it speaks of.
    pub from: Option<Date>,
    /// Last day of that period, or of the honour.
    pub until: Option<Date>,
    /// Day of issue.
    pub issued: Date,
    /// Who may read it.
    pub reach: Reach,
    /// Language of its texts.
    pub lang: String,
    /// Invented for demonstration.
    pub sample: bool,
}

/// One line of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialItem {
    /// Kind of contribution (id of `data/contributions/kinds.json`), or a criterion.
    pub kind: String,
    /// In words.
    pub title: String,
    /// How many.
    pub count: i64,
    /// Minutes of effort; 0: not counted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub minutes: i64,
}

fn is_zero(n: &i64) -> bool {
    *n == 0
}
