//! The message catalogues and how a message is looked up. Names that come from data (fields, audiences, places) are in `words`.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use std::fmt::Display;
use std::sync::LazyLock;

/// Language of the pages. Texts of records keep their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// 简体中文
    #[default]
    Zh,
    /// English
    En,
}

impl Lang {
    /// `zh` or `en`, as in cookies and addresses.
    pub fn code(self) -> &'static str {
        match self {
            Lang::Zh => "zh",
            Lang::En => "en",
        }
    }
    /// For the `lang` attribute.
    pub fn tag(self) -> &'static str {
        match self {
            Lang::Zh => "zh-Hans",
            Lang::En => "en",
        }
    }
    /// Reads `zh…` or `en…`.
    pub fn parse(text: &str) -> Option<Lang> {
        match text.get(..2)?.to_ascii_lowercase().as_str() {
            "zh" => Some(Lang::Zh),
            "en" => Some(Lang::En),
            _ => None,
        }
    }
}

type Bundle = FluentBundle<FluentResource>;

static ZH: LazyLock<Bundle> = LazyLock::new(|| load("zh-Hans", include_str!("../locales/zh.ftl")));
static EN: LazyLock<Bundle> = LazyLock::new(|| load("en", include_str!("../locales/en.ftl")));

fn load(tag: &str, text: &str) -> Bundle {
    let mut bundle = Bundle::new_concurrent(tag.parse().into_iter().collect());
    // Isolation marks are for mixed directions; here they would only break searching and copying.
    bundle.set_use_isolating(false);
    let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(resource, errors)| {
        tracing::error!(?errors, "the catalogue {tag} has lines that cannot be read");
        resource
    });
    if let Err(errors) = bundle.add_resource(resource) {
        tracing::error!(?errors, "the catalogue {tag} has messages twice");
    }
    bundle
}

fn bundle(lang: Lang) -> &'static Bundle {
    match lang {
        Lang::Zh => &ZH,
        Lang::En => &EN,
    }
}

/// Whether a message with this key exists in `lang`.
pub fn exists(lang: Lang, key: &str) -> bool {
    bundle(lang).has_message(key)
}

/// The message `key` with `args`. A missing message shows its key and is logged.
pub fn message(lang: Lang, key: &str, args: &[(&str, &dyn Display)]) -> String {
    let bundle = bundle(lang);
    let Some(pattern) = bundle.get_message(key).and_then(|m| m.value()) else {
        tracing::error!(key, lang = lang.code(), "a message is missing");
        return key.to_owned();
    };
    let mut values = FluentArgs::new();
    for (name, value) in args {
        values.set((*name).to_owned(), value_of(&value.to_string()));
    }
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, Some(&values), &mut errors).into_owned();
    if !errors.is_empty() {
        tracing::error!(key, ?errors, "a message lacks a value");
    }
    text
}

/// Whole numbers choose plural forms; everything else is text. `007` is an id and stays as it is.
fn value_of(text: &str) -> FluentValue<'static> {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text && text.len() < 16 => FluentValue::from(number),
        _ => FluentValue::from(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    fn keys(text: &str) -> BTreeSet<&str> {
        text.lines().filter(|l| l.starts_with(|c: char| c.is_ascii_alphabetic())).filter_map(|l| l.split_once(" =").map(|(k, _)| k)).collect()
    }

    #[test]
    fn both_catalogues_have_the_same_keys() {
        let (zh, en) = (keys(include_str!("../locales/zh.ftl")), keys(include_str!("../locales/en.ftl")));
        let odd: Vec<_> = zh.symmetric_difference(&en).collect();
        assert!(odd.is_empty(), "only in one catalogue: {odd:?}");
        for key in zh {
            assert!(exists(Lang::Zh, key) && exists(Lang::En, key), "\"{key}\" cannot be read");
        }
    }

    /// Every `t("…")`, `t1("…"`, `t2("…"`, `t3("…"` in code and templates names a message.
    #[test]
    fn every_message_asked_for_exists() {
        let mut missing = BTreeSet::new();
        for root in ["src", "templates"] {
            visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join(root), &mut missing);
        }
        assert!(missing.is_empty(), "{missing:#?}");
    }

    fn visit(folder: &Path, missing: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                visit(&path, missing);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let text: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            for call in [".t(\"", ".t1(\"", ".t2(\"", ".t3(\""] {
                for (at, _) in text.match_indices(call) {
                    let key: String = text[at + call.len()..].chars().take_while(|c| *c != '"').collect();
                    if !exists(Lang::Zh, &key) {
                        missing.insert(format!("{key} ({})", path.display()));
                    }
                }
            }
        }
    }

    /// Every `FieldError::new` of the operations and handlers has a sentence.
    #[test]
    fn every_error_of_a_field_is_a_sentence() {
        let mut missing = BTreeSet::new();
        for root in ["src", "../kepu-app/src"] {
            keys_of_errors(&Path::new(env!("CARGO_MANIFEST_DIR")).join(root), &mut missing);
        }
        missing.retain(|key| !exists(Lang::Zh, key) || !exists(Lang::En, key));
        assert!(missing.is_empty(), "{missing:#?}");
    }

    fn keys_of_errors(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                keys_of_errors(&path, found);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            for (at, call) in text.match_indices("FieldError::new(") {
                let arguments = text[at + call.len()..].split(')').next().unwrap_or_default();
                let key = arguments.split(", \"").nth(1).and_then(|rest| rest.split('"').next());
                found.extend(key.map(|key| format!("error-{key}")));
            }
        }
    }

    #[test]
    fn numbers_choose_the_form_and_ids_stay() {
        assert!(matches!(value_of("3"), FluentValue::Number(_)));
        assert!(matches!(value_of("007"), FluentValue::String(_)));
        assert_eq!(message(Lang::En, "no-such-message", &[]), "no-such-message");
    }
}
