//! Why something was not printed.

use std::fmt;

/// Why nothing was printed.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// A text is outside its bounds.
    #[error("{field}: {cause}")]
    Input {
        /// Which one, such as `items[3].kind`.
        field: String,
        /// What is wrong and what would be right.
        cause: String,
    },
    /// No font here has a glyph for these; a page with boxes is no certificate.
    #[error("no font on this machine shows {}. {install}", list(.chars))]
    Glyphs {
        /// At most [`Missing::LISTED_MAX`] of them, in their order.
        chars: Vec<Missing>,
        /// Families that were asked, in their order.
        fonts_tried: Vec<String>,
        /// What to do about it.
        install: String,
    },
    /// The typesetter gave up: a mistake of ours, since templates are tested.
    #[error("could not typeset the page: {cause}")]
    Typeset {
        /// Its words.
        cause: String,
    },
}

/// A character, or a character with its variation selector, that no font shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The text of one grapheme.
    pub text: String,
    /// Where it stands, such as `holder`.
    pub field: String,
}

impl Missing {
    /// How many are named.
    pub const LISTED_MAX: usize = 20;
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "“{}”", self.text)?;
        for c in self.text.chars() {
            write!(f, " U+{:04X}", u32::from(c))?;
        }
        write!(f, " ({})", self.field)
    }
}

fn list(chars: &[Missing]) -> String {
    chars.iter().map(Missing::to_string).collect::<Vec<_>>().join(", ")
}
