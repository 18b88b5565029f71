//! Where an organisation stands: territory (administrative divisions) and sectors beside it.
//! Who may act for it is in `access`; the divisions themselves are data (`data/geo/divisions.csv`).

use crate::ids::OrgId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A division code after GB/T 2260, six digits; `000000` is the nation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(u32);

/// A text that is no division code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no six-digit division code (GB/T 2260); the nation is 000000")]
pub struct RegionError(pub String);

impl Region {
    /// The whole nation.
    pub const NATION: Region = Region(0);

    /// Reads six digits.
    pub fn parse(text: &str) -> Result<Self, RegionError> {
        if text.len() == 6
            && text.bytes().all(|b| b.is_ascii_digit())
            && let Ok(code) = text.parse()
        {
            return Ok(Self(code));
        }
        Err(RegionError(text.chars().take(40).collect()))
    }

    /// From the nation down to this place: at most four codes, `[000000, province, prefecture, county]`.
    pub fn chain(self) -> Vec<Region> {
        let mut chain = vec![Self::NATION];
        for step in [10_000, 100, 1] {
            let code = self.0 / step * step;
            if code != 0 && chain.last() != Some(&Region(code)) {
                chain.push(Region(code));
            }
        }
        chain
    }

    /// Whether `other` is this place or lies inside it.
    pub fn covers(self, other: Region) -> bool {
        self.0 == 0 || other.chain().contains(&self)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}
impl TryFrom<String> for Region {
    type Error = RegionError;
    fn try_from(text: String) -> Result<Self, RegionError> {
        Self::parse(&text)
    }
}
impl From<Region> for String {
    fn from(region: Region) -> String {
        region.to_string()
    }
}

/// What an organisation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrgKind {
    /// An administrative division itself.
    Division,
    /// An institution placed in the territorial line (association, government office).
    Territory,
    /// An institution of a sector beside the territory (hospital, university, museum, school).
    Sector,
}

impl OrgKind {
    /// The word stored and shown to programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Division => "division",
            Self::Territory => "territory",
            Self::Sector => "sector",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Division, Self::Territory, Self::Sector].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// One organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Org {
    /// Adcode for a division, else random or given.
    pub id: OrgId,
    /// Chinese name.
    pub name: String,
    /// English name, empty if none.
    pub name_en: String,
    /// Kind.
    pub kind: OrgKind,
    /// The organisation above, if any.
    pub parent: Option<OrgId>,
    /// The place it serves.
    pub region: Region,
    /// Marked as invented for demonstration.
    pub sample: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_county_lies_in_its_chain() {
        let county = Region::parse("411525").expect("code");
        let chain: Vec<_> = county.chain().iter().map(ToString::to_string).collect();
        assert_eq!(chain, ["000000", "410000", "411500", "411525"]);
        assert!(Region::parse("410000").expect("code").covers(county));
        assert!(!Region::parse("420000").expect("code").covers(county));
        assert!(!county.covers(Region::NATION));
        assert_eq!(Region::NATION.chain().len(), 1);
        assert!(Region::parse("41152").is_err() && Region::parse("４１１５２５").is_err());
    }
}
