//! Paper: certificates and sheets as PDF, typeset by typst with the fonts of the machine; and drawings as pictures. What a certificate means and who
//! may issue one is not here; nothing here reads tables, records or files other than fonts.
//!
//! - Texts are handed to the templates as values, never as source, so no text can become markup or reach a file.
//! - A page with a missing glyph is never printed: [`PrintError::Glyphs`] names the characters and what to install.
//! - The same input with the same fonts gives the same bytes.

mod certificate;
mod error;
mod fonts;
mod input;
mod picture;
mod qr;
mod sheet;
mod typeset;

pub use certificate::{CertificateSheet, Item};
pub use error::{Missing, PrintError};
pub use input::Lang;
pub use picture::Picture;
pub use sheet::{Block, Footer, Paper, Sheet};

use fonts::Fonts;

/// A certificate on one A4 page or, with many items, several. See [`CertificateSheet`] for what it needs.
///
/// Fails with [`PrintError::Input`] for texts outside their bounds and [`PrintError::Glyphs`] for characters without a glyph.
pub fn certificate(sheet: &CertificateSheet) -> Result<Vec<u8>, PrintError> {
    with_fonts(|fonts| certificate::print(sheet, fonts))
}

/// A general sheet: title, blocks, QR footer. The base of posters and packs.
///
/// Fails as [`certificate`] does.
pub fn sheet(sheet: &Sheet) -> Result<Vec<u8>, PrintError> {
    sheets(std::slice::from_ref(sheet))
}

/// Several sheets in one file, each on pages of its own with its own footer: a pack for a notice board.
///
/// Fails as [`certificate`] does.
pub fn sheets(sheets: &[Sheet]) -> Result<Vec<u8>, PrintError> {
    with_fonts(|fonts| sheet::print(sheets, fonts))
}

/// A drawing as PNG.
///
/// Fails as [`certificate`] does.
pub fn picture(picture: &Picture) -> Result<Vec<u8>, PrintError> {
    with_fonts(|fonts| picture::draw(picture, fonts))
}

/// Fonts are looked up once. When a glyph is missing they are looked up again, so that a font installed meanwhile is found
/// without a restart.
fn with_fonts(print: impl Fn(&Fonts) -> Result<Vec<u8>, PrintError>) -> Result<Vec<u8>, PrintError> {
    let done = print(&fonts::system());
    match done {
        Err(PrintError::Glyphs { .. }) => fonts::look_up_again().map_or(done, |fresh| print(&fresh)),
        _ => done,
    }
}

#[cfg(test)]
mod tests;
