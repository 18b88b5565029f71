//! Fields defined as data: what a form asks, what an import brings, what a list shows. One engine for registers, applications
//! and reports. Which fields a kind of party has is in `create::register`; drawing them is in `kepu-web`.

use crate::definition::{File, Mistake, is_id};
use crate::org::Region;
use crate::vocabulary::{AUDIENCES, FIELDS, LANGUAGES, VENUE_TYPES, Vocabulary};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Most entries of a list in one field.
pub const ITEMS_MAX: usize = 200;

/// What the rules here must be told of the world to check a value.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Counts user characters (see `kepu_text::count`).
    pub count: fn(&str) -> usize,
    /// Whether a code is a division's; six digits alone say nothing.
    pub division: fn(Region) -> bool,
}

/// What a field holds. Values are JSON; the form each type has stands behind its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FieldType {
    /// One line: a string.
    Line {
        /// Most user characters.
        #[serde(default = "line_max")]
        max: usize,
    },
    /// Paragraphs: a string.
    Text {
        /// Most user characters.
        #[serde(default = "text_max")]
        max: usize,
    },
    /// A whole number.
    Integer {
        /// Least.
        #[serde(default)]
        min: Option<i64>,
        /// Most.
        #[serde(default)]
        max: Option<i64>,
    },
    /// A number with at most `places` decimal places, kept as a string so that it stays exact.
    Decimal {
        /// Decimal places.
        #[serde(default = "two")]
        places: u32,
        /// Least.
        #[serde(default)]
        min: Option<f64>,
        /// Most.
        #[serde(default)]
        max: Option<f64>,
    },
    /// A day: `2026-11-25`.
    Date,
    /// Yes or no: a boolean.
    Yes,
    /// One of `options`: its id.
    Choice {
        /// Options.
        options: Options,
    },
    /// Any of `options`: a list of ids in the order of the options.
    Choices {
        /// Options.
        options: Options,
    },
    /// A division code.
    Region,
    /// A place on the map: `[longitude, latitude]` in degrees as strings with five decimal places (about a metre).
    Point,
    /// Hours of a day, such as `22:00-07:00`.
    Hours,
    /// An address of the web, http or https.
    Url,
    /// An organisation's id.
    Org,
    /// A party's id.
    Party,
    /// Repeated groups: a list of objects.
    Items {
        /// The fields of one group; no groups inside groups.
        fields: Vec<FieldDef>,
    },
}

fn line_max() -> usize {
    80
}
fn text_max() -> usize {
    2_000
}
fn two() -> u32 {
    2
}

/// What may be chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Options {
    /// A built-in vocabulary: `fields`, `audiences`, `languages`, `venue_types`.
    Vocabulary(String),
    /// A list in the definition itself.
    List(Vec<Choice>),
}

/// One thing to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Stable id.
    pub id: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
}

impl Options {
    fn vocabulary(name: &str) -> Option<&'static Vocabulary> {
        match name {
            "fields" => Some(&FIELDS),
            "audiences" => Some(&AUDIENCES),
            "languages" => Some(&LANGUAGES),
            "venue_types" => Some(&VENUE_TYPES),
            _ => None,
        }
    }

    /// All options: id, Chinese and English name, in order.
    pub fn list(&self) -> Vec<(&str, &str, &str)> {
        match self {
            Options::Vocabulary(name) => {
                Self::vocabulary(name).map_or_else(Vec::new, |v| v.terms().iter().map(|t| (t.id.as_str(), t.zh.as_str(), t.en.as_str())).collect())
            }
            Options::List(list) => list.iter().map(|c| (c.id.as_str(), c.zh.as_str(), c.en.as_str())).collect(),
        }
    }

    /// The id of an option given by its id or one of its names.
    pub fn find(&self, text: &str) -> Option<&str> {
        self.list().into_iter().find(|(id, zh, en)| *id == text || *zh == text || en.eq_ignore_ascii_case(text)).map(|(id, ..)| id)
    }

    /// The name of `id`; the id itself if it is unknown.
    pub fn name<'a>(&'a self, id: &'a str, lang: &str) -> &'a str {
        let names = self.list().into_iter().find(|(known, ..)| *known == id);
        names.map_or(id, |(_, zh, en)| if lang.starts_with("en") { en } else { zh })
    }
}

/// Who may see a field's value besides those who keep the entry and the person it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Exposure {
    /// Nobody. The default: a new field is private until its definition says otherwise.
    #[default]
    Never,
    /// Everybody who may see the card.
    Card,
    /// Everybody, while the person's consent for this purpose stands.
    Purpose(String),
}

impl TryFrom<String> for Exposure {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "never" => Ok(Self::Never),
            "card" => Ok(Self::Card),
            other => match other.strip_prefix("consent:") {
                Some(purpose) if is_id(purpose) => Ok(Self::Purpose(purpose.to_owned())),
                _ => Err(format!("\"{other}\" says not who may see it; write never, card or consent:PURPOSE")),
            },
        }
    }
}
impl From<Exposure> for String {
    fn from(exposure: Exposure) -> String {
        match exposure {
            Exposure::Never => "never".into(),
            Exposure::Card => "card".into(),
            Exposure::Purpose(purpose) => format!("consent:{purpose}"),
        }
    }
}

/// One field as its definition file says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldDef {
    /// Stable id: name in forms, columns and documents.
    pub id: String,
    /// Chinese label.
    pub zh: String,
    /// English label.
    pub en: String,
    /// What it holds.
    #[serde(flatten)]
    pub kind: FieldType,
    /// Whether it must be filled.
    #[serde(default)]
    pub required: bool,
    /// Who may see it.
    #[serde(default)]
    pub public: Exposure,
    /// Chinese hint under the label.
    #[serde(default)]
    pub hint_zh: String,
    /// English hint.
    #[serde(default)]
    pub hint_en: String,
    /// Unit of a number, such as `m²`.
    #[serde(default)]
    pub unit: String,
}

/// What a definition of a field may say.
const MEMBERS: [&str; 14] = ["id", "zh", "en", "type", "required", "public", "hint_zh", "hint_en", "unit", "max", "min", "places", "options", "fields"];

/// Why a value cannot be taken: field, message key of the catalogues, arguments.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {key}")]
pub struct Fault {
    /// Field id; for a group `qualifications.2.until`.
    pub field: String,
    /// Message key.
    pub key: &'static str,
    /// Arguments of the message.
    pub args: Vec<(&'static str, String)>,
}

impl Fault {
    /// A fault without arguments.
    pub fn new(field: &str, key: &'static str) -> Self {
        Self { field: field.to_owned(), key, args: vec![] }
    }
    /// Adds an argument.
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.args.push((name, value.to_string()));
        self
    }
}

impl FieldDef {
    /// The label in `lang`.
    pub fn label(&self, lang: &str) -> &str {
        if lang.starts_with("en") { &self.en } else { &self.zh }
    }

    /// Checks a list of definitions; `path` leads to the list in `file`.
    pub fn check_all(fields: &[FieldDef], file: &File<'_>, path: &[&str]) -> Vec<Mistake> {
        let mut out = Vec::new();
        for (at, field) in fields.iter().enumerate() {
            let n = at.to_string();
            let here = |member: &'static str| [path, &[n.as_str(), member]].concat();
            out.extend(file.strangers(&[path, &[n.as_str()]].concat(), &MEMBERS));
            if !is_id(&field.id) {
                out.push(file.mistake(&here("id"), format!("\"{}\" is no id: small letters, digits, _ and -, at most 40", field.id)));
            }
            if fields[..at].iter().any(|other| other.id == field.id) {
                out.push(file.mistake(&here("id"), format!("\"{}\" stands twice", field.id)));
            }
            if field.zh.trim().is_empty() || field.en.trim().is_empty() {
                out.push(file.mistake(&here("zh"), format!("\"{}\" needs a label in both languages (zh, en)", field.id)));
            }
            out.extend(field.check_type(file, &here));
        }
        out
    }

    fn check_type<'a>(&self, file: &File<'_>, here: &dyn Fn(&'static str) -> Vec<&'a str>) -> Vec<Mistake> {
        match &self.kind {
            FieldType::Choice { options } | FieldType::Choices { options } => match options {
                Options::Vocabulary(name) if Options::vocabulary(name).is_none() => {
                    vec![file.mistake(&here("options"), format!("there is no vocabulary \"{name}\"; fields, audiences, languages and venue_types are"))]
                }
                Options::List(list) if list.is_empty() => vec![file.mistake(&here("options"), "a choice needs options")],
                Options::List(list) => {
                    let twice = list.iter().enumerate().find(|(at, c)| !is_id(&c.id) || list[..*at].iter().any(|o| o.id == c.id));
                    twice.map(|(_, c)| file.mistake(&here("options"), format!("option \"{}\" is no id or stands twice", c.id))).into_iter().collect()
                }
                Options::Vocabulary(_) => vec![],
            },
            FieldType::Integer { min: Some(min), max: Some(max) } if min > max => vec![file.mistake(&here("min"), "min is greater than max")],
            FieldType::Decimal { places, .. } if *places > 6 => vec![file.mistake(&here("places"), "at most 6 decimal places")],
            FieldType::Items { fields } if fields.iter().any(|f| matches!(f.kind, FieldType::Items { .. })) => {
                vec![file.mistake(&here("fields"), "a group cannot hold groups")]
            }
            FieldType::Items { fields } => Self::check_all(fields, file, &here("fields")),
            _ => vec![],
        }
    }

    /// Reads what a person typed or a cell holds. `texts`: the field's inputs; several for [`FieldType::Choices`].
    /// Groups come as JSON or are put together by the caller. Empty input is [`Value::Null`].
    ///
    pub fn read(&self, texts: &[&str], facts: Facts) -> Result<Value, Fault> {
        let texts: Vec<&str> = texts.iter().map(|t| t.trim()).filter(|t| !t.is_empty()).collect();
        let Some(first) = texts.first().copied() else {
            return if self.required { Err(Fault::new(&self.id, "required")) } else { Ok(Value::Null) };
        };
        let wrong = |key| Fault::new(&self.id, key);
        let value = match &self.kind {
            FieldType::Line { .. } | FieldType::Text { .. } | FieldType::Org | FieldType::Party | FieldType::Url | FieldType::Hours | FieldType::Date => {
                Value::String(first.to_owned())
            }
            FieldType::Integer { .. } => json!(plain_number(first).parse::<i64>().map_err(|_| wrong("no_integer").with("value", first))?),
            FieldType::Decimal { .. } => Value::String(plain_number(first)),
            FieldType::Yes => json!(yes_or_no(first).ok_or_else(|| wrong("no_yes").with("value", first))?),
            FieldType::Choice { options } => json!(options.find(first).ok_or_else(|| wrong("no_option").with("value", first))?),
            FieldType::Choices { options } => {
                let mut ids = Vec::new();
                for word in texts.iter().flat_map(|t| t.split([',', ';', '、', '，', '；', '|'])).map(str::trim).filter(|w| !w.is_empty()) {
                    ids.push(options.find(word).ok_or_else(|| wrong("no_option").with("value", word))?);
                }
                json!(options.list().into_iter().map(|(id, ..)| id).filter(|id| ids.contains(id)).collect::<Vec<_>>())
            }
            FieldType::Region => json!(Region::parse(first).map_err(|_| wrong("no_region").with("value", first))?),
            FieldType::Point => {
                let parts: Vec<f64> = first.split([',', '，', ' ']).filter_map(|p| p.trim().parse().ok()).collect();
                let [lng, lat] = parts.as_slice() else { return Err(wrong("no_point").with("value", first)) };
                json!([format!("{lng:.5}"), format!("{lat:.5}")])
            }
            FieldType::Items { .. } => serde_json::from_str(first).map_err(|_| wrong("no_group"))?,
        };
        self.check(&value, facts)?;
        Ok(value)
    }

    /// Checks a value, wherever it comes from. `Null` is "not filled".
    pub fn check(&self, value: &Value, facts: Facts) -> Result<(), Fault> {
        let wrong = |key| Fault::new(&self.id, key);
        if value.is_null() {
            return if self.required { Err(wrong("required")) } else { Ok(()) };
        }
        let text = || value.as_str().ok_or_else(|| wrong("wrong_form"));
        match &self.kind {
            FieldType::Line { max } | FieldType::Text { max } => {
                let found = (facts.count)(text()?);
                if found > *max { Err(wrong("long").with("count", found).with("max", max)) } else { Ok(()) }
            }
            FieldType::Integer { min, max } => {
                let n = value.as_i64().ok_or_else(|| wrong("no_integer").with("value", value))?;
                between(&self.id, n, min.as_ref(), max.as_ref())
            }
            FieldType::Decimal { places, min, max } => {
                let text = text()?;
                let n: f64 = text.parse().ok().filter(|n: &f64| n.is_finite()).ok_or_else(|| wrong("no_number").with("value", text))?;
                if text.split_once('.').is_some_and(|(_, after)| after.len() > *places as usize) {
                    return Err(wrong("places").with("max", places));
                }
                between(&self.id, n, min.as_ref(), max.as_ref())
            }
            FieldType::Date => text()?.parse::<Date>().map(drop).map_err(|_| wrong("no_date").with("value", value.as_str().unwrap_or_default())),
            FieldType::Yes => value.as_bool().map(drop).ok_or_else(|| wrong("wrong_form")),
            FieldType::Choice { options } => {
                let id = text()?;
                options.list().iter().any(|(known, ..)| *known == id).then_some(()).ok_or_else(|| wrong("no_option").with("value", id))
            }
            FieldType::Choices { options } => {
                let list = options.list();
                for id in value.as_array().filter(|ids| ids.len() <= ITEMS_MAX).ok_or_else(|| wrong("wrong_form"))? {
                    let id = id.as_str().ok_or_else(|| wrong("wrong_form"))?;
                    if !list.iter().any(|(known, ..)| *known == id) {
                        return Err(wrong("no_option").with("value", id));
                    }
                }
                Ok(())
            }
            FieldType::Region => {
                let known = Region::parse(text()?).is_ok_and(facts.division);
                known.then_some(()).ok_or_else(|| wrong("no_region").with("value", value.as_str().unwrap_or_default()))
            }
            FieldType::Point => point(value).map(drop).ok_or_else(|| wrong("no_point").with("value", value)),
            FieldType::Hours => hours(text()?).map(drop).ok_or_else(|| wrong("no_hours")),
            FieldType::Url => {
                let text = text()?;
                let good = (text.starts_with("https://") || text.starts_with("http://")) && text.len() <= 500 && !text.contains(char::is_whitespace);
                if good { Ok(()) } else { Err(wrong("no_url")) }
            }
            FieldType::Org | FieldType::Party => {
                if (1..=64).contains(&text()?.len()) {
                    Ok(())
                } else {
                    Err(wrong("wrong_form"))
                }
            }
            FieldType::Items { fields } => self.check_items(fields, value, facts),
        }
    }

    fn check_items(&self, fields: &[FieldDef], value: &Value, facts: Facts) -> Result<(), Fault> {
        let list = value.as_array().ok_or_else(|| Fault::new(&self.id, "wrong_form"))?;
        if list.len() > ITEMS_MAX {
            return Err(Fault::new(&self.id, "too_many").with("max", ITEMS_MAX));
        }
        for (at, item) in list.iter().enumerate() {
            let object = item.as_object().ok_or_else(|| Fault::new(&self.id, "wrong_form"))?;
            let inside = |fault: Fault| Fault { field: format!("{}.{}.{}", self.id, at + 1, fault.field), ..fault };
            if let Some(unknown) = object.keys().find(|key| !fields.iter().any(|f| f.id == **key)) {
                return Err(inside(Fault::new(unknown, "unknown_field")));
            }
            for field in fields {
                field.check(object.get(&field.id).unwrap_or(&Value::Null), facts).map_err(inside)?;
            }
        }
        Ok(())
    }

    /// The value as a person reads it; lists joined by `、` or `, `. Regions and ids of organisations are named by the caller.
    pub fn show(&self, value: &Value, lang: &str) -> String {
        let english = lang.starts_with("en");
        let join = |parts: Vec<String>| parts.join(if english { ", " } else { "、" });
        match (&self.kind, value) {
            (_, Value::Null) => String::new(),
            (FieldType::Yes, Value::Bool(yes)) => match (yes, english) {
                (true, true) => "yes".into(),
                (false, true) => "no".into(),
                (true, false) => "是".into(),
                (false, false) => "否".into(),
            },
            (FieldType::Choice { options }, Value::String(id)) => options.name(id, lang).to_owned(),
            (FieldType::Choices { options }, Value::Array(ids)) => {
                join(ids.iter().filter_map(Value::as_str).map(|id| options.name(id, lang).to_owned()).collect())
            }
            (FieldType::Point, _) => point(value).map_or_else(String::new, |(lng, lat)| format!("{lng:.5}, {lat:.5}")),
            (FieldType::Items { fields }, Value::Array(list)) => {
                let one =
                    |item: &Value| fields.iter().map(|f| f.show(item.get(&f.id).unwrap_or(&Value::Null), lang)).filter(|t| !t.is_empty()).collect::<Vec<_>>();
                list.iter().map(|item| one(item).join(" · ")).collect::<Vec<_>>().join(if english { "; " } else { "；" })
            }
            (_, Value::String(text)) => text.clone(),
            (_, other) => other.to_string(),
        }
    }

    /// The value as it stands in a cell of an export, which [`FieldDef::read`] takes back unchanged.
    pub fn cell(&self, value: &Value) -> String {
        match (&self.kind, value) {
            (_, Value::Null) => String::new(),
            (FieldType::Choices { .. }, Value::Array(ids)) => ids.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(";"),
            (FieldType::Point, Value::Array(parts)) => parts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
            (_, Value::String(text)) => text.clone(),
            (_, other) => other.to_string(),
        }
    }
}

fn between<T: PartialOrd + ToString>(field: &str, value: T, min: Option<&T>, max: Option<&T>) -> Result<(), Fault> {
    match (min, max) {
        (Some(min), _) if value < *min => Err(Fault::new(field, "below").with("min", min.to_string())),
        (_, Some(max)) if value > *max => Err(Fault::new(field, "above").with("max", max.to_string())),
        _ => Ok(()),
    }
}

/// A number without thousands separators, full-width digits made plain.
fn plain_number(text: &str) -> String {
    let narrow = |c: char| match c {
        '０'..='９' | '．' | '－' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        other => other,
    };
    text.chars().map(narrow).filter(|c| !matches!(c, ',' | '，' | ' ')).collect()
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "y" | "是" | "有" | "√" | "✓" => Some(true),
        "0" | "false" | "no" | "n" | "否" | "无" | "×" => Some(false),
        _ => None,
    }
}

/// Longitude and latitude in degrees, if both are on the globe.
pub fn point(value: &Value) -> Option<(f64, f64)> {
    let part = |at: usize| value.get(at)?.as_str()?.parse::<f64>().ok();
    let (lng, lat) = (part(0)?, part(1)?);
    ((-180.0..=180.0).contains(&lng) && (-90.0..=90.0).contains(&lat)).then_some((lng, lat))
}

/// Minutes after midnight at which hours begin and end; the end may lie before the beginning (over midnight).
pub fn hours(text: &str) -> Option<(u16, u16)> {
    let minute = |text: &str| {
        let (h, m) = text.trim().split_once([':', '：'])?;
        let (h, m): (u16, u16) = (h.parse().ok()?, m.parse().ok()?);
        (h < 24 && m < 60).then_some(h * 60 + m)
    };
    let (from, to) = text.split_once(['-', '–', '～', '~'])?;
    Some((minute(from)?, minute(to)?)).filter(|(from, to)| from != to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(json: Value) -> FieldDef {
        let mut object = json!({"id": "f", "zh": "项", "en": "item"});
        object.as_object_mut().expect("object").extend(json.as_object().expect("object").clone());
        serde_json::from_value(object).expect("definition")
    }
    const FACTS: Facts = Facts { count: |t| t.chars().count(), division: |region| region != Region::parse("999999").expect("six digits") };
    fn read(json: Value, text: &str) -> Result<Value, &'static str> {
        field(json).read(&[text], FACTS).map_err(|fault| fault.key)
    }

    #[test]
    fn every_type_takes_what_people_write_and_refuses_the_rest() {
        assert_eq!(read(json!({"type": "integer", "min": 0, "max": 366}), " ３００ "), Ok(json!(300)));
        assert_eq!(read(json!({"type": "integer", "min": 0, "max": 366}), "367"), Err("above"));
        assert_eq!(read(json!({"type": "integer"}), "1,200"), Ok(json!(1200)));
        assert_eq!(read(json!({"type": "integer"}), "约300"), Err("no_integer"));
        assert_eq!(read(json!({"type": "decimal"}), "12.345"), Err("places"));
        assert_eq!(read(json!({"type": "decimal"}), "NaN"), Err("no_number"));
        assert_eq!(read(json!({"type": "date"}), "2026-02-30"), Err("no_date"));
        assert_eq!(read(json!({"type": "yes"}), "是"), Ok(json!(true)));
        assert_eq!(read(json!({"type": "choices", "options": "fields"}), "食品安全、health"), Ok(json!(["health", "food"])));
        assert_eq!(read(json!({"type": "choice", "options": [{"id": "a", "zh": "甲", "en": "A"}]}), "乙"), Err("no_option"));
        assert_eq!(read(json!({"type": "point"}), "115.6，32.2"), Ok(json!(["115.60000", "32.20000"])));
        assert_eq!(read(json!({"type": "point"}), "200,10"), Err("no_point"));
        assert_eq!(read(json!({"type": "region"}), "411525"), Ok(json!("411525")));
        assert_eq!(read(json!({"type": "region"}), "41152"), Err("no_region"));
        assert_eq!(read(json!({"type": "region"}), "999999"), Err("no_region"));
        assert_eq!(read(json!({"type": "hours"}), "22:00-07:00"), Ok(json!("22:00-07:00")));
        assert_eq!(read(json!({"type": "hours"}), "25:00-07:00"), Err("no_hours"));
        assert_eq!(read(json!({"type": "url"}), "javascript:alert(1)"), Err("no_url"));
        assert_eq!(read(json!({"type": "line", "max": 2}), "四个字符"), Err("long"));
        assert_eq!(read(json!({"type": "line", "required": true}), "  "), Err("required"));
        assert_eq!(read(json!({"type": "region"}), "411525"), Ok(json!("411525")));
    }

    #[test]
    fn groups_name_the_row_and_the_field() {
        let group = field(json!({"type": "items", "fields": [{"id": "name", "zh": "名", "en": "name", "type": "line", "required": true}]}));
        let fault = group.read(&[r#"[{"name": "a"}, {}]"#], FACTS).expect_err("second row");
        assert_eq!((fault.field.as_str(), fault.key), ("f.2.name", "required"));
        assert_eq!(group.read(&[r#"[{"name": "a", "x": 1}]"#], FACTS).expect_err("unknown").field, "f.1.x");
    }

    #[test]
    fn what_an_export_writes_an_import_reads_back() {
        let cases = [
            (json!({"type": "choices", "options": "languages"}), "zh-Hans;bo"),
            (json!({"type": "point"}), "115.60000,32.20000"),
            (json!({"type": "yes"}), "true"),
            (json!({"type": "integer"}), "-3"),
        ];
        for (definition, cell) in cases {
            let field = field(definition);
            let value = field.read(&[cell], FACTS).expect("read");
            assert_eq!(field.cell(&value), cell);
        }
    }

    #[test]
    fn mistakes_in_definitions_are_named_with_their_line() {
        let text = "{\"fields\": [\n{\"id\": \"a\", \"zh\": \"甲\", \"en\": \"A\", \"type\": \"line\"},\n{\"id\": \"a\", \"zh\": \"\", \"en\": \"A\", \"type\": \"choice\",\n \"options\": \"colours\"}]}";
        let file = File { name: "x.json", text };
        #[derive(Deserialize)]
        struct Holder {
            fields: Vec<FieldDef>,
        }
        let holder: Holder = file.read().expect("reads");
        let mistakes = FieldDef::check_all(&holder.fields, &file, &["fields"]);
        let lines: Vec<_> = mistakes.iter().map(|m| (m.line, m.cause.split(' ').next().unwrap_or_default().to_owned())).collect();
        assert_eq!(lines, [(3, "\"a\"".into()), (3, "\"a\"".into()), (4, "there".into())], "{mistakes:?}");
    }
}
