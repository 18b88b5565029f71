//! A certificate: who did what, confirmed by whom, and how anybody can check it. The record behind it is signed elsewhere.

use crate::error::PrintError;
use crate::fonts::{Face, Fonts};
use crate::input::{Intake, Lang, at_most, wrong};
use crate::qr;
use crate::typeset::{self, Template};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use typst::foundations::{Array, Bytes, Datetime, Dict, IntoValue, Value, dict};

/// What stands on a certificate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateSheet {
    /// Language of headings and directions.
    #[serde(default)]
    pub lang: Lang,
    /// Such as 科普志愿服务证明; at most 40 characters.
    pub title: String,
    /// The number under which the issuer keeps it; at most 60 characters.
    pub number: String,
    /// Whose it is, exactly as they write it; at most 120 characters. Rare Han characters and variation selectors are kept.
    pub holder: String,
    /// What it certifies, in short lines: at most 8 of 200 characters.
    pub lines: Vec<String>,
    /// What was done; at most 500 rows.
    #[serde(default)]
    pub items: Vec<Item>,
    /// Who issues it; at most 120 characters.
    pub issuer: String,
    /// The day of issue.
    pub date: Date,
    /// What the QR code holds and the page prints beside it, such as `https://…/verify`; at most 300 bytes.
    pub verify: String,
    /// The 24 digits of the signing key, to compare by eye or telephone.
    pub key_digits: String,
    /// Marks the page as an example without force.
    #[serde(default)]
    pub sample: bool,
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Such as 科普讲座; at most 120 characters.
    pub kind: String,
    /// How many.
    pub count: u32,
    /// Of what, such as 场; at most 20 characters.
    #[serde(default)]
    pub unit: String,
    /// Hours, from 0 to a million, printed with at most two decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<f64>,
}

const ITEMS_MAX: usize = 500;
const HOURS_MAX: f64 = 1_000_000.0;

static TEMPLATE: Template = Template::new(|| typeset::source("certificate.typ", include_str!("../templates/certificate.typ")));

/// The page.
pub(crate) fn print(sheet: &CertificateSheet, fonts: &Fonts) -> Result<Vec<u8>, PrintError> {
    let mut intake = Intake::new(fonts);
    let values = values(sheet, &mut intake)?;
    intake.finish()?;
    typeset::pdf(&TEMPLATE, values, &format!("kepu certificate {} {}", sheet.number, sheet.key_digits), fonts)
}

fn values(sheet: &CertificateSheet, intake: &mut Intake<'_>) -> Result<Dict, PrintError> {
    let digits = read_digits(&sheet.key_digits)?;
    let code = qr::svg(&sheet.verify, "verify")?;
    at_most("items", sheet.items.len(), ITEMS_MAX)?;
    let rows = sheet.items.iter().enumerate().map(|(at, item)| row(intake, &format!("items[{at}]"), item));
    let rows: Array = rows.collect::<Result<_, _>>()?;
    let face = intake.face_of_name(&sheet.holder);
    let date = Datetime::from_ymd(sheet.date.year().into(), sheet.date.month().cast_unsigned(), sheet.date.day().cast_unsigned());
    Ok(dict! {
        "lang" => sheet.lang.pick("zh", "en"),
        "plain-title" => sheet.title.as_str(),
        "plain-issuer" => sheet.issuer.as_str(),
        "plain-verify" => sheet.verify.as_str(),
        "day" => date.ok_or_else(|| wrong("date", "is no day of the calendar"))?,
        "title" => intake.text("title", &sheet.title, Face::Title, 40)?,
        "number" => intake.text("number", &sheet.number, Face::Text, 60)?,
        "holder" => intake.text("holder", &sheet.holder, face, 120)?,
        "holder-weight" => if face == Face::Title { "bold" } else { "regular" },
        "holder-width" => width(&sheet.holder),
        "lines" => intake.list("lines", &sheet.lines, Face::Text, 8, 200)?,
        "rows" => rows,
        "issuer" => intake.text("issuer", &sheet.issuer, Face::Title, 120)?,
        "date" => intake.text("date", &date_words(sheet.lang, sheet.date), Face::Text, 40)?,
        "verify" => intake.text("verify", &sheet.verify, Face::Text, qr::QR_BYTES_MAX)?,
        "digits" => intake.text("key_digits", &digits, Face::Text, 40)?,
        "qr" => Bytes::from_string(code),
        "sample" => sheet.sample,
        "words" => words(sheet.lang, intake)?,
        "heads" => intake.words(&heads(sheet.lang), Face::Strong)?,
        "sample-words" => intake.text("sample", sheet.lang.pick("示例", "SAMPLE"), Face::Title, 20)?,
    })
}

fn words(lang: Lang, intake: &mut Intake<'_>) -> Result<Dict, PrintError> {
    let say = |name, zh, en| (name, lang.pick(zh, en).to_owned());
    let list = [
        say("number", "编号", "No."),
        say("issuer", "签发单位", "Issued by"),
        say("date", "签发日期", "Date"),
        say("check", "核验", "Verify"),
        say("open", "扫描二维码，或打开网址：", "Scan the code or open:"),
        say(
            "offline",
            "断网也能核验：在核验页面选择证书文件，或运行 kepu verify。请以文件的核验结果为准，纸面仅供阅读。",
            "Works without a network: choose the certificate file on the verification page, or run kepu verify. The file decides; paper is for reading.",
        ),
        say("key", "签名密钥指纹", "Fingerprint of the signing key"),
        say("sample", "示例，没有任何效力", "An example without any force"),
    ];
    intake.words(&list, Face::Text)
}

fn heads(lang: Lang) -> [(&'static str, String); 4] {
    [("kind", "内容", "Contribution"), ("count", "数量", "Count"), ("unit", "单位", "Unit"), ("hours", "时长（小时）", "Hours")]
        .map(|(name, zh, en)| (name, lang.pick(zh, en).to_owned()))
}

fn row(intake: &mut Intake<'_>, field: &str, item: &Item) -> Result<Value, PrintError> {
    let hours = match item.hours {
        Some(hours) if !(0.0..=HOURS_MAX).contains(&hours) => return Err(wrong(format!("{field}.hours"), "must be from 0 to 1000000")),
        Some(hours) => number(hours),
        None => String::new(),
    };
    Ok(dict! {
        "kind" => intake.text(&format!("{field}.kind"), &item.kind, Face::Text, 120)?,
        "count" => intake.text(&format!("{field}.count"), &item.count.to_string(), Face::Text, 20)?,
        "unit" => intake.optional(&format!("{field}.unit"), &item.unit, Face::Text, 20)?,
        "hours" => intake.optional(&format!("{field}.hours"), &hours, Face::Text, 20)?,
    }
    .into_value())
}

/// At most two decimals, none that say nothing.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Width in Chinese characters; decides how large a name is set.
fn width(text: &str) -> f64 {
    text.chars().map(|c| if c.is_ascii() { 0.55 } else { 1.0 }).sum()
}

fn date_words(lang: Lang, date: Date) -> String {
    match lang {
        Lang::Zh => format!("{}年{}月{}日", date.year(), date.month(), date.day()),
        Lang::En => date.strftime("%-d %B %Y").to_string(),
    }
}

/// Six groups of four digits, with or without blanks between them.
fn read_digits(text: &str) -> Result<String, PrintError> {
    let digits: String = text.chars().filter(|c| *c != ' ').collect();
    if digits.len() != 24 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong("key_digits", "must be the 24 digits of the signing key"));
    }
    let groups: Vec<&str> = (0..6).map(|n| &digits[n * 4..n * 4 + 4]).collect();
    Ok(groups.join(" "))
}
