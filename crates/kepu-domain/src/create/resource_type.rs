//! What each type of resource says beyond its text: a lesson its objectives and steps, a frontier piece how sure it is. One file a
//! type in `data/types/`; a type without a file says nothing more. The names of all types are the vocabulary `RESOURCE_TYPES`.

use super::check::Finding;
use crate::definition::{File, Mistake};
use crate::field::FieldDef;
use crate::vocabulary::RESOURCE_TYPES;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A type as its file defines it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceType {
    /// Id, one of `RESOURCE_TYPES`.
    pub id: String,
    /// Rows of the plan it carries.
    #[serde(default)]
    pub rows: Vec<String>,
    /// What it says.
    pub fields: Vec<FieldDef>,
}

/// What a resource says in the fields of its type, by field id.
pub type Details = BTreeMap<String, Value>;

macro_rules! files {
    ($($name:literal),+ $(,)?) => { [$(File { name: $name, text: include_str!(concat!("../../../../data/types/", $name)) }),+] };
}

const FILES: [File<'static>; 22] = files![
    "animation.json",
    "audio.json",
    "course.json",
    "dataset.json",
    "defence.json",
    "design.json",
    "dossier.json",
    "experiment.json",
    "frontier.json",
    "kit.json",
    "law.json",
    "lesson.json",
    "live.json",
    "podcast.json",
    "policy.json",
    "poster.json",
    "result.json",
    "script.json",
    "shortvideo.json",
    "specimen.json",
    "standard.json",
    "video.json",
];

static TYPES: LazyLock<BTreeMap<String, ResourceType>> =
    LazyLock::new(|| FILES.iter().filter_map(|file| ResourceType::read(file).ok()).map(|one| (one.id.clone(), one)).collect());

impl ResourceType {
    /// Reads a file and checks it.
    pub fn read(file: &File<'_>) -> Result<Self, Vec<Mistake>> {
        let one: Self = file.read().map_err(|mistake| vec![mistake])?;
        let mut mistakes = FieldDef::check_all(&one.fields, file, &["fields"]);
        if RESOURCE_TYPES.find(&one.id).is_none() {
            mistakes.push(file.mistake(&["id"], format!("there is no type \"{}\" in resource_types.csv", one.id)));
        }
        if mistakes.is_empty() { Ok(one) } else { Err(mistakes) }
    }
}

/// The fields of a type; none for a type that says nothing more than its text.
pub fn fields_of(kind: &str) -> &'static [FieldDef] {
    TYPES.get(kind).map_or(&[], |one| &one.fields)
}

/// What is missing, and what belongs to another type.
pub fn check(kind: &str, details: &Details) -> Vec<Finding> {
    let fields = fields_of(kind);
    let empty = |field: &&FieldDef| details.get(&field.id).is_none_or(Value::is_null);
    let missing = fields.iter().filter(|field| field.required).filter(empty);
    let mut found: Vec<Finding> = missing.map(|field| Finding { found: field.zh.clone(), ..Finding::block("details", "no_detail") }).collect();
    if details.keys().any(|id| !fields.iter().any(|field| field.id == *id)) {
        found.push(Finding::block("details", "strange_detail"));
    }
    // Young readers get nothing to try alone that needs an adult; the grade says so to everybody else.
    if details.get("safety").and_then(Value::as_str) == Some("d") {
        found.push(Finding::hint("details", "trained_only", ""));
    }
    found
}

/// The words of all details, for search.
pub fn words(details: &Details) -> String {
    fn add(value: &Value, out: &mut String) {
        match value {
            Value::String(text) => {
                out.push_str(text);
                out.push('\n');
            }
            Value::Array(list) => list.iter().for_each(|one| add(one, out)),
            _ => {}
        }
    }
    let mut out = String::new();
    details.values().for_each(|value| add(value, &mut out));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_file_is_a_type_of_the_vocabulary_without_a_mistake() {
        for file in FILES {
            let one = ResourceType::read(&file).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
            assert_eq!(format!("{}.json", one.id), file.name);
        }
        assert_eq!(TYPES.len(), FILES.len());
    }

    #[test]
    fn a_type_names_what_is_missing_and_takes_nothing_of_another() {
        let frontier: Details =
            [("shown", json!("看到信号")), ("studied_in", json!("cells")), ("certainty", json!("hint"))].map(|(k, v)| (k.to_owned(), v)).into();
        let found = check("frontier", &frontier);
        assert_eq!(found.iter().map(|f| (f.rule.as_str(), f.found.as_str())).collect::<Vec<_>>(), [("no_detail", "还不知道什么")]);
        assert!(check("article", &frontier).iter().any(|f| f.rule == "strange_detail"));
        assert!(check("article", &Details::new()).is_empty());
        assert_eq!(words(&frontier), "hint\n看到信号\ncells\n");
    }
}
