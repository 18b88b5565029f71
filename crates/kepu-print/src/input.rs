//! Texts on their way to a template: bounds, characters that have no place on paper, and the fonts that show the rest.

use crate::error::{Missing, PrintError};
use crate::fonts::{Face, Fonts, Run};
use serde::{Deserialize, Serialize};
use typst::foundations::{Array, Dict, IntoValue, Value, dict};

/// Language of the words that a certificate brings along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Simplified Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

impl Lang {
    /// One of two texts.
    pub(crate) fn pick(self, zh: &'static str, en: &'static str) -> &'static str {
        match self {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }
}

/// A refused input.
pub(crate) fn wrong(field: impl Into<String>, cause: impl Into<String>) -> PrintError {
    PrintError::Input { field: field.into(), cause: cause.into() }
}

/// Checks texts one after the other and remembers every character without a glyph, so that all are named at once.
pub(crate) struct Intake<'a> {
    fonts: &'a Fonts,
    missing: Vec<Missing>,
}

impl<'a> Intake<'a> {
    pub(crate) fn new(fonts: &'a Fonts) -> Self {
        Self { fonts, missing: Vec::new() }
    }

    /// A text of 1 to `max` characters as runs for a template.
    pub(crate) fn text(&mut self, field: &str, text: &str, face: Face, max: usize) -> Result<Value, PrintError> {
        if text.trim().is_empty() {
            return Err(wrong(field, "must not be empty"));
        }
        self.optional(field, text, face, max)
    }

    /// The same for a text that may be empty.
    pub(crate) fn optional(&mut self, field: &str, text: &str, face: Face, max: usize) -> Result<Value, PrintError> {
        check(field, text, max)?;
        match self.fonts.runs(text, face) {
            Ok(runs) => Ok(runs.into_iter().map(value).collect::<Array>().into_value()),
            Err(graphemes) => {
                self.missing.extend(graphemes.into_iter().map(|text| Missing { text, field: field.to_owned() }));
                Ok(Array::new().into_value())
            }
        }
    }

    /// How a name is set: bold, unless some of it needs a second font. Then all of it is set plain, so that no character stands out.
    pub(crate) fn face_of_name(&self, name: &str) -> Face {
        let first = self.fonts.first(Face::Title);
        let whole = self.fonts.runs(name, Face::Title).is_ok_and(|runs| runs.iter().all(|run| run.family == first));
        if whole { Face::Title } else { Face::Plain }
    }

    /// A list of at most `count` texts.
    pub(crate) fn list(&mut self, field: &str, texts: &[String], face: Face, count: usize, max: usize) -> Result<Value, PrintError> {
        at_most(field, texts.len(), count)?;
        let values = texts.iter().enumerate().map(|(at, text)| self.text(&format!("{field}[{at}]"), text, face, max));
        Ok(values.collect::<Result<Array, _>>()?.into_value())
    }

    /// Words that the crate itself brings along.
    pub(crate) fn words(&mut self, words: &[(&'static str, String)], face: Face) -> Result<Dict, PrintError> {
        words.iter().map(|(name, word)| Ok(((*name).into(), self.text(name, word, face, 400)?))).collect()
    }

    /// Fails if anything had no glyph.
    pub(crate) fn finish(mut self) -> Result<(), PrintError> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let install = self.fonts.cure(self.missing.iter().map(|m| m.text.as_str()));
        self.missing.dedup_by(|a, b| a == b);
        self.missing.truncate(Missing::LISTED_MAX);
        Err(PrintError::Glyphs { chars: self.missing, fonts_tried: self.fonts.tried(), install })
    }
}

fn value(run: Run) -> Value {
    dict! { "f" => run.family.into_value(), "t" => run.text.into_value() }.into_value()
}

/// Length, and characters that steer instead of being read: line ends, controls, and those that turn the direction, with
/// which a name on paper could read other than it is stored.
fn check(field: &str, text: &str, max: usize) -> Result<(), PrintError> {
    let length = text.chars().count();
    if length > max {
        return Err(wrong(field, format!("has {length} characters, at most {max} fit")));
    }
    let steering =
        |c: &char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FFF9}'..='\u{FFFB}');
    match text.chars().find(steering) {
        Some(c) => Err(wrong(field, format!("holds the control character U+{:04X}; leave it out", u32::from(c)))),
        None => Ok(()),
    }
}

/// Bounds a number of things.
pub(crate) fn at_most(field: &str, count: usize, max: usize) -> Result<(), PrintError> {
    if count > max { Err(wrong(field, format!("has {count} entries, at most {max} fit"))) } else { Ok(()) }
}
