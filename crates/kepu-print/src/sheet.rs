//! A general sheet: title, blocks, QR footer. Posters and packs are sheets with other contents.

use crate::error::PrintError;
use crate::fonts::{Face, Fonts};
use crate::input::{Intake, at_most, wrong};
use crate::qr;
use crate::typeset::{self, Template};
use serde::{Deserialize, Serialize};
use typst::foundations::{Array, Bytes, IntoValue, NoneValue, Value, dict};

/// What stands on a sheet. It runs over as many pages as it needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// BCP 47 language of the text: decides line breaking, shapes and direction (`ug` runs from the right).
    pub lang: String,
    /// Paper.
    #[serde(default)]
    pub paper: Paper,
    /// Half as large again, for elderly readers and walls.
    #[serde(default)]
    pub large: bool,
    /// At most 80 characters.
    pub title: String,
    /// What follows the title, in order; at most 300.
    pub blocks: Vec<Block>,
    /// Stands at the foot of every page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<Footer>,
}

/// Paper sizes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Paper {
    /// 210 × 297 mm.
    #[default]
    A4,
    /// 297 × 420 mm, everything larger by √2.
    A3,
}

/// A part of a sheet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Block {
    /// At most 80 characters.
    Heading(String),
    /// At most 4,000 characters.
    Paragraph(String),
    /// At most 100 entries of 1,000 characters.
    List(Vec<String>),
    /// A head and rows of the same length: at most 12 columns, 1,000 rows, 400 characters a cell. Cells may be empty.
    Table {
        /// Names of the columns.
        head: Vec<String>,
        /// Rows.
        rows: Vec<Vec<String>>,
    },
}

/// The foot of each page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Footer {
    /// What the QR code holds; at most 300 bytes.
    pub qr: String,
    /// Lines beside it, such as address, source, licence; at most 5 of 120 characters.
    pub lines: Vec<String>,
}

static TEMPLATE: Template = Template::new(|| typeset::source("sheet.typ", include_str!("../templates/sheet.typ")));

/// Most sheets in one file.
const SHEETS_MAX: usize = 40;

/// The pages of all sheets, one after the other. The file is titled as the first one.
pub(crate) fn print(sheets: &[Sheet], fonts: &Fonts) -> Result<Vec<u8>, PrintError> {
    let Some(first) = sheets.first() else { return Err(wrong("sheets", "must be at least one")) };
    at_most("sheets", sheets.len(), SHEETS_MAX)?;
    let mut intake = Intake::new(fonts);
    let list: Array = sheets.iter().map(|sheet| leaf(&mut intake, sheet)).collect::<Result<_, _>>()?;
    intake.finish()?;
    let values = dict! { "plain-title" => first.title.as_str(), "sheets" => list };
    typeset::pdf(&TEMPLATE, values, &format!("kepu sheet {}", first.title), fonts)
}

fn leaf(intake: &mut Intake<'_>, sheet: &Sheet) -> Result<Value, PrintError> {
    let (lang, region) = read_lang(&sheet.lang)?;
    at_most("blocks", sheet.blocks.len(), 300)?;
    let blocks = sheet.blocks.iter().enumerate().map(|(at, part)| block(intake, &format!("blocks[{at}]"), part));
    let blocks: Array = blocks.collect::<Result<_, _>>()?;
    let footer = match &sheet.footer {
        Some(footer) => dict! {
            "plain" => footer.qr.as_str(),
            "qr" => Bytes::from_string(qr::svg(&footer.qr, "footer.qr")?),
            "lines" => intake.list("footer.lines", &footer.lines, Face::Text, 5, 120)?,
        }
        .into_value(),
        None => NoneValue.into_value(),
    };
    Ok(dict! {
        "lang" => lang,
        "region" => region,
        "paper" => if sheet.paper == Paper::A4 { "a4" } else { "a3" },
        "scale" => (if sheet.paper == Paper::A4 { 1.0 } else { std::f64::consts::SQRT_2 }) * if sheet.large { 1.5 } else { 1.0 },
        "title" => intake.text("title", &sheet.title, Face::Title, 80)?,
        "blocks" => blocks,
        "footer" => footer,
    }
    .into_value())
}

fn block(intake: &mut Intake<'_>, field: &str, block: &Block) -> Result<Value, PrintError> {
    let (kind, body) = match block {
        Block::Heading(text) => ("heading", intake.text(field, text, Face::Strong, 80)?),
        Block::Paragraph(text) => ("paragraph", intake.text(field, text, Face::Text, 4_000)?),
        Block::List(items) => ("list", intake.list(field, items, Face::Text, 100, 1_000)?),
        Block::Table { head, rows } => ("table", table(intake, field, head, rows)?),
    };
    Ok(dict! { "kind" => kind, "body" => body }.into_value())
}

fn table(intake: &mut Intake<'_>, field: &str, head: &[String], rows: &[Vec<String>]) -> Result<Value, PrintError> {
    at_most(&format!("{field}.head"), head.len(), 12)?;
    at_most(&format!("{field}.rows"), rows.len(), 1_000)?;
    if head.is_empty() {
        return Err(wrong(format!("{field}.head"), "must name at least one column"));
    }
    let mut cells = Array::new();
    for (at, row) in rows.iter().enumerate() {
        if row.len() != head.len() {
            return Err(wrong(format!("{field}.rows[{at}]"), format!("has {} cells, the head has {}", row.len(), head.len())));
        }
        for (column, cell) in row.iter().enumerate() {
            cells.push(intake.optional(&format!("{field}.rows[{at}][{column}]"), cell, Face::Text, 400)?);
        }
    }
    Ok(dict! { "head" => intake.list(&format!("{field}.head"), head, Face::Strong, 12, 60)?, "cells" => cells }.into_value())
}

/// Language and region of a BCP 47 tag as the typesetter wants them; a script names the region whose shapes are meant.
fn read_lang(tag: &str) -> Result<(String, Value), PrintError> {
    let refuse = || wrong("lang", "must be a BCP 47 language such as zh-Hans, en, ug, bo");
    let mut parts = tag.split('-');
    let lang = parts.next().filter(|l| (2..=3).contains(&l.len()) && l.bytes().all(|b| b.is_ascii_lowercase())).ok_or_else(refuse)?;
    let mut region = None;
    for part in parts {
        region = match (part, part.len()) {
            (script, _) if script.eq_ignore_ascii_case("Hans") => Some("CN"),
            (script, _) if script.eq_ignore_ascii_case("Hant") => Some("TW"),
            (_, 4) if part.bytes().all(|b| b.is_ascii_alphabetic()) => region,
            (_, 2) if part.bytes().all(|b| b.is_ascii_uppercase()) => Some(part),
            _ => return Err(refuse()),
        };
    }
    Ok((lang.to_owned(), region.map_or(NoneValue.into_value(), |r| r.into_value())))
}
