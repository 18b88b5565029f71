//! Text as people write it in China: reading files, cleaning input, counting, folding for search, Markdown, traditional scripts,
//! reading aloud.
//!
//! Pure functions over `str` and bytes; this crate knows no other crate of ours. The index that uses
//! [`mod@fold`] and [`pieces`] is `kepu-search`; which field allows how many characters is said in `kepu-domain`.
//!
//! One rule runs through all of it: **a name is never rewritten.** Characters of every CJK extension,
//! compatibility ideographs and variation sequences pass [`clean`] unchanged; only search keys
//! ([`fold::fold`]) merge what looks or reads alike, and they are never shown.

pub mod clean;
pub mod decode;
pub mod fold;
pub mod gb18030;
pub mod graphemes;
pub mod markdown;
pub mod outline;
pub mod pieces;
pub mod script;
pub mod speech;

pub use clean::{clean_line, clean_text};
pub use decode::decode;
pub use fold::fold;
pub use graphemes::{count, truncate};
pub use markdown::{plain, render};

#[cfg(test)]
mod fixture {
    //! The fixture person: Ext A, B, G and I characters, an ideographic variation sequence and a plain surname.

    /// 王 㐀 𠮷 + VS17 𰀀 𮯰: six scalars, five user characters.
    pub const NAME: &str = "王\u{3400}\u{20BB7}\u{E0100}\u{30000}\u{2EBF0}";
}
