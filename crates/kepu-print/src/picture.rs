//! Pictures: a drawing (SVG) as the pixels that chat programs show, in the fonts of the machine. What stands in the drawing is the caller's.

use crate::error::PrintError;
use crate::fonts::{Face, Fonts};
use crate::input::Intake;
use resvg::{tiny_skia, usvg};
use std::sync::Arc;

/// Longest side in pixels.
const SIDE_MAX: f32 = 4_096.0;

/// A drawing with the texts in it.
#[derive(Clone, Debug)]
pub struct Picture {
    /// The drawing, of our own making: nothing in it is fetched.
    pub svg: String,
    /// Every text that it shows, to be looked up before it is drawn.
    pub texts: Vec<String>,
}

pub(crate) fn draw(picture: &Picture, fonts: &Fonts) -> Result<Vec<u8>, PrintError> {
    let mut intake = Intake::new(fonts);
    intake.list("texts", &picture.texts, Face::Text, 40, 2_000)?;
    intake.finish()?;
    let failed = |cause: String| PrintError::Typeset { cause };
    let options = usvg::Options {
        fontdb: Arc::new(fonts.database()),
        font_family: fonts.first(Face::Text),
        image_href_resolver: usvg::ImageHrefResolver { resolve_data: Box::new(|_, _, _| None), resolve_string: Box::new(|_, _| None) },
        ..usvg::Options::default()
    };
    let tree = usvg::Tree::from_str(&picture.svg, &options).map_err(|error| failed(error.to_string()))?;
    let size = tree.size();
    if size.width() > SIDE_MAX || size.height() > SIDE_MAX {
        return Err(PrintError::Input { field: "svg".into(), cause: format!("is larger than {SIDE_MAX} pixels") });
    }
    let whole = size.to_int_size();
    let mut pixels = tiny_skia::Pixmap::new(whole.width(), whole.height()).ok_or_else(|| failed("the drawing has no size".into()))?;
    resvg::render(&tree, tiny_skia::Transform::identity(), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| failed(error.to_string()))
}
