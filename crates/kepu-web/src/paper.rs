//! What goes on paper as PDF, in values: the typesetter is heavy, so only the binary knows it and hands its function in with the
//! settings. Without one every page can still be printed from the browser.

use crate::problem::{Kind, Problem};
use jiff::civil::Date;

/// A certificate as it is printed.
#[derive(Clone, Debug, PartialEq)]
pub struct CertificatePaper {
    /// Whether its fixed words are English.
    pub english: bool,
    /// Title.
    pub title: String,
    /// Number.
    pub number: String,
    /// Whose it is.
    pub holder: String,
    /// Sentences under the name.
    pub lines: Vec<String>,
    /// What was done: words, count, unit, hours if counted.
    pub items: Vec<(String, u32, String, Option<f64>)>,
    /// Who issues it.
    pub issuer: String,
    /// Day of issue.
    pub date: Date,
    /// What the QR code holds: the public page about this number.
    pub verify: String,
    /// The 24 digits of the signing key.
    pub key_digits: String,
    /// An example without force.
    pub sample: bool,
}

/// Why nothing was printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaperError {
    /// No font of this machine shows some characters.
    Glyphs {
        /// They, with their code points.
        chars: String,
        /// What to install.
        install: String,
    },
    /// Something else, for the log.
    Other(String),
}

/// A sheet for a wall or a board.
#[derive(Clone, Debug, PartialEq)]
pub struct SheetPaper {
    /// BCP 47 language of the text.
    pub lang: String,
    /// A3 instead of A4.
    pub a3: bool,
    /// Title.
    pub title: String,
    /// What follows it.
    pub parts: Vec<kepu_text::outline::Part>,
    /// What the QR code in the foot holds: the page that always says what holds now.
    pub qr: String,
    /// Lines beside it.
    pub foot: Vec<String>,
}

/// A drawing as a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct PicturePaper {
    /// SVG.
    pub svg: String,
    /// The texts in it.
    pub texts: Vec<String>,
}

/// Makes PDFs and pictures.
#[derive(Clone, Copy, Debug)]
pub struct Printer {
    /// A certificate.
    pub certificate: fn(&CertificatePaper) -> Result<Vec<u8>, PaperError>,
    /// A drawing as PNG.
    pub picture: fn(&PicturePaper) -> Result<Vec<u8>, PaperError>,
    /// Sheets in large letters, each on pages of its own.
    pub sheets: fn(&[SheetPaper]) -> Result<Vec<u8>, PaperError>,
}

impl From<PaperError> for Problem {
    fn from(error: PaperError) -> Self {
        match error {
            PaperError::Glyphs { chars, install } => Problem::new(Kind::Record).why("problem-glyphs", &[("chars", chars), ("install", install)]),
            PaperError::Other(cause) => Problem::internal(format!("this cannot be printed: {cause}")),
        }
    }
}
