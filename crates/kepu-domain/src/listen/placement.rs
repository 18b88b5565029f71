//! Placements: where a claim's answer stands outside its page, so that a correction can be followed there. Places only, never who looked.

use crate::ids::SubjectId;
use crate::record::DocHash;
use jiff::Timestamp;

/// What kind of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PlaceKind {
    /// A site that shows the card; its host name.
    Embed,
    /// A screen in a hall; its place.
    Screen,
    /// A service that asked through the API and named itself.
    Bot,
}

/// Every kind, in the order shown.
pub const PLACE_KINDS: [PlaceKind; 3] = [PlaceKind::Embed, PlaceKind::Screen, PlaceKind::Bot];

impl PlaceKind {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            PlaceKind::Embed => "embed",
            PlaceKind::Screen => "screen",
            PlaceKind::Bot => "bot",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        PLACE_KINDS.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// One place with the version that it showed last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The claim.
    pub claim: SubjectId,
    /// What kind of place.
    pub kind: PlaceKind,
    /// Which one.
    pub place: String,
    /// The version shown last.
    pub doc: DocHash,
    /// On which day.
    pub at: Timestamp,
}

/// Most places remembered for one claim.
pub const PLACES_MAX: i64 = 500;

/// The host of an `Origin` or `Referer`, lower case: nothing of the page, nothing of whoever looks.
pub fn host_of(address: &str) -> Option<String> {
    let rest = address.split_once("://")?.1;
    let host = rest.split(['/', '?', '#']).next()?.rsplit('@').next()?.to_ascii_lowercase();
    let fits = !host.is_empty() && host.len() <= 100 && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'));
    fits.then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_host_of_a_site_is_remembered() {
        assert_eq!(host_of("https://News.Example.cn/a?user=li#x").as_deref(), Some("news.example.cn"));
        assert_eq!(host_of("https://li:secret@example.cn/").as_deref(), Some("example.cn"));
        for none in ["", "null", "example.cn", "https://", "https://a b/", "https://例子.中国/"] {
            assert_eq!(host_of(none), None, "{none}");
        }
        for kind in PLACE_KINDS {
            assert_eq!(PlaceKind::parse(kind.as_str()), Some(kind));
        }
    }
}
