//! What a type of resource says beyond its text, in forms and on pages. Which fields a type has is in `data/types/`; how a field is
//! drawn and read is in `field`.

use crate::create::field;
use crate::form::Fields;
use crate::page::{Html, Shell, escape};
use crate::urls;
use kepu_app::FieldError;
use kepu_domain::create::resource_type::{Details, fields_of};
use kepu_domain::field::{FieldDef, FieldType};
use kepu_domain::ids::SubjectId;
use serde_json::Value;
use std::collections::HashMap;

/// Stands before the id of a field in the form of a draft, whose own fields have ids of their own.
const MARK: &str = "detail-";

/// The fields of a type under their names in the form.
pub fn fields(kind: &str) -> Vec<FieldDef> {
    fields_of(kind).iter().map(|f| FieldDef { id: format!("{MARK}{}", f.id), ..f.clone() }).collect()
}

/// The id of a field without the mark.
fn bare(id: &str) -> &str {
    id.strip_prefix(MARK).unwrap_or(id)
}

/// Fills the form from what is stored.
pub fn write(out: &mut Fields, kind: &str, details: &Details) {
    let value = |field: &FieldDef| details.get(bare(&field.id)).cloned().unwrap_or_default();
    out.0.extend(field::filled(&fields(kind), &value).0);
}

/// Reads the form; a draft may lack what is required, which blocks its publication later.
pub fn read(form: &Fields, kind: &str, errors: &mut Vec<FieldError>) -> Details {
    let fields = fields(kind);
    let (values, mut wrong) = field::read(&fields.iter().collect::<Vec<_>>(), form);
    wrong.retain(|error| error.key != "required");
    errors.extend(wrong);
    values.into_iter().filter(|(_, value)| !value.is_null()).map(|(id, value)| (bare(&id).to_owned(), value)).collect()
}

/// Names of the form that hold details, of either filling, each once.
pub fn names(old: &Fields, new: &Fields) -> Vec<String> {
    let mut names: Vec<String> = old.0.iter().chain(&new.0).map(|(name, _)| name).filter(|name| name.starts_with(MARK)).cloned().collect();
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// Label and value of one of [`names`] in words, or `None` if the type of `form` has no such field.
pub fn said(s: &Shell, form: &Fields, name: &str) -> Option<(String, String)> {
    let field = fields(form.get("type")).into_iter().find(|field| field.id == name)?;
    let (values, _) = field::read(&[&field], form);
    let text = values.first().map(|(_, value)| field::show(s, &field, value)).unwrap_or_default();
    Some((field.label(s.lang.code()).to_owned(), text))
}

/// What a page shows: short facts, and parts with a heading of their own.
pub struct Shown {
    /// Label and value.
    pub facts: Vec<(String, String)>,
    /// Heading and text.
    pub parts: Vec<(String, Html)>,
}

/// What a resource of this type says. `titles`: of the subjects that its texts name, by id; one that is missing is not public any more.
pub fn shown(s: &Shell, kind: &str, details: &Details, titles: &HashMap<String, String>) -> Shown {
    let mut out = Shown { facts: vec![], parts: vec![] };
    for field in fields_of(kind) {
        let Some(value) = details.get(&field.id).filter(|value| !value.is_null()) else { continue };
        let label = field.label(s.lang.code()).to_owned();
        match (&field.kind, value) {
            (FieldType::Text { .. }, Value::String(text)) => out.parts.push((label, lines(s, text, titles, field.id == "steps"))),
            _ => out.facts.push((label, field::show(s, field, value))),
        }
    }
    out
}

/// The subjects that a text names, a line each.
pub fn named(details: &Details) -> Vec<SubjectId> {
    let texts = details.values().filter_map(Value::as_str);
    let ids = texts.flat_map(str::lines).map(str::trim).filter(|line| line.starts_with("kepu:") && line.len() <= 120);
    ids.take(200).map(SubjectId::from).collect()
}

/// One line is a paragraph, several are a list, steps a numbered one; an identifier becomes the title it stands for.
fn lines(s: &Shell, text: &str, titles: &HashMap<String, String>, numbered: bool) -> Html {
    let shown = |line: &str| match (line.strip_prefix("kepu:"), titles.get(line)) {
        (Some(_), Some(title)) => format!("<a href=\"{}\">{}</a>", urls::subject(&SubjectId::from(line)), escape(title)),
        (Some(_), None) => format!("<span class=\"quiet\">{}</span>", escape(&s.t("detail-gone"))),
        _ => escape(line),
    };
    let list: Vec<String> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(shown).collect();
    Html(match list.as_slice() {
        [one] => format!("<p>{one}</p>"),
        several => {
            let tag = if numbered { "ol" } else { "ul" };
            format!("<{tag}>{}</{tag}>", several.iter().map(|line| format!("<li>{line}</li>")).collect::<String>())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;
    use crate::page::tests::shell;
    use serde_json::json;

    #[test]
    fn what_is_filled_in_is_read_as_it_was_and_shown_without_markup() {
        let details: Details = [
            ("grades", json!(["primary_high", "junior"])),
            ("objectives", json!("说出<b>三态</b>\n做一次实验")),
            ("steps", json!("倒水")),
            ("safety", json!("b")),
            ("periods", json!(2)),
        ]
        .map(|(id, value)| (id.to_owned(), value))
        .into();
        let mut form = Fields::default();
        write(&mut form, "lesson", &details);
        let mut errors = vec![];
        assert_eq!(read(&form, "lesson", &mut errors), details);
        assert_eq!(errors, []);
        let s = shell(Lang::Zh);
        let page = shown(&s, "lesson", &details, &HashMap::new());
        assert!(page.facts.contains(&("安全等级".into(), "需大人看护".into())), "{:?}", page.facts);
        assert!(page.parts[0].1.0.contains("<li>说出&lt;b&gt;三态&lt;/b&gt;</li>"), "{}", page.parts[0].1.0);
        form.0.retain(|(name, _)| name != "detail-periods");
        form.0.push(("detail-periods".into(), "很多".into()));
        read(&form, "lesson", &mut errors);
        assert_eq!((errors[0].field.as_str(), errors[0].key.as_str()), ("detail-periods", "no_integer"));
    }

    #[test]
    fn a_dossier_shows_titles_and_says_what_is_gone() {
        let details: Details = [("items".to_owned(), json!("kepu:a/r1\nkepu:a/r2"))].into();
        assert_eq!(named(&details).len(), 2);
        let page = shown(&shell(Lang::Zh), "dossier", &details, &[("kepu:a/r1".to_owned(), "喝水".to_owned())].into());
        assert!(page.parts[0].1.0.contains("喝水</a>") && page.parts[0].1.0.contains("已撤回"), "{}", page.parts[0].1.0);
    }
}
