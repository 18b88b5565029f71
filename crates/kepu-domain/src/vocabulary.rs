//! Controlled words from files in `data/vocabularies`, built into the program: fields, audiences, resource types,
//! evidence levels, languages, hazards. A new word is a new line there, never code.

use std::collections::HashMap;
use std::sync::LazyLock;

/// One word of a vocabulary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Stable id used in records.
    pub id: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// The schema.org type or role, where the file gives one, else empty.
    pub schema: String,
    /// Group, rank or direction, where the file gives one, else empty.
    pub group: String,
}

/// A list of words in the order of its file.
#[derive(Debug, Default)]
pub struct Vocabulary {
    terms: Vec<Term>,
    by_id: HashMap<String, usize>,
}

/// A file that cannot be a vocabulary.
#[derive(Debug, thiserror::Error)]
pub enum VocabularyError {
    /// Not CSV.
    #[error("line {line}: not readable as CSV: {cause}")]
    Csv {
        /// Line from 1.
        line: u64,
        /// What the reader says.
        cause: String,
    },
    /// A needed column is missing.
    #[error("column \"{0}\" is missing")]
    Column(String),
    /// An id stands twice.
    #[error("id \"{0}\" stands twice")]
    Twice(String),
}

/// Which columns of a file hold what; an empty name means "none".
struct Columns {
    id: &'static str,
    zh: &'static str,
    en: &'static str,
    schema: &'static str,
    group: &'static str,
}

impl Vocabulary {
    fn read(text: &str, columns: &Columns) -> Result<Self, VocabularyError> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let headers = reader.headers().map_err(|e| VocabularyError::Csv { line: 1, cause: e.to_string() })?.clone();
        let find = |name: &str| -> Result<Option<usize>, VocabularyError> {
            if name.is_empty() {
                return Ok(None);
            }
            headers.iter().position(|h| h == name).map(Some).ok_or_else(|| VocabularyError::Column(name.to_owned()))
        };
        let places = [find(columns.id)?, find(columns.zh)?, find(columns.en)?, find(columns.schema)?, find(columns.group)?];
        let mut list = Self::default();
        for (row, record) in reader.records().enumerate() {
            let record = record.map_err(|e| VocabularyError::Csv { line: row as u64 + 2, cause: e.to_string() })?;
            let cell = |at: Option<usize>| at.and_then(|at| record.get(at)).unwrap_or_default().to_owned();
            let [id, zh, en, schema, group] = places;
            let term = Term { id: cell(id), zh: cell(zh), en: cell(en), schema: cell(schema), group: cell(group) };
            if list.by_id.insert(term.id.clone(), list.terms.len()).is_some() {
                return Err(VocabularyError::Twice(term.id));
            }
            list.terms.push(term);
        }
        Ok(list)
    }

    /// The word with this id.
    pub fn find(&self, id: &str) -> Option<&Term> {
        self.by_id.get(id).map(|at| &self.terms[*at])
    }

    /// All words in the order of the file.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// The name of `id` in `lang` (`en`, else Chinese); the id itself if the word is unknown, so that nothing is hidden.
    pub fn name<'a>(&'a self, id: &'a str, lang: &str) -> &'a str {
        match self.find(id) {
            Some(term) if lang.starts_with("en") => &term.en,
            Some(term) => &term.zh,
            None => id,
        }
    }
}

macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident, $file:literal, $columns:expr) => {
        $(#[$doc])*
        pub static $name: LazyLock<Vocabulary> = LazyLock::new(|| {
            Vocabulary::read(include_str!(concat!("../../../data/vocabularies/", $file)), &$columns)
                .expect("built-in vocabulary is checked by a test")
        });
    };
}

vocabulary!(
    /// Fields of science and of life, after the plan (36).
    FIELDS, "domains.csv", Columns { id: "id", zh: "name_zh", en: "name_en", schema: "schema_org", group: "group" }
);
vocabulary!(
    /// Whom a text is for (17).
    AUDIENCES, "audiences.csv", Columns { id: "id", zh: "name_zh", en: "name_en", schema: "schema_educationalAudience_role", group: "group" }
);
vocabulary!(
    /// What kind of resource it is (42). What a type says beyond its text is in `data/types/`.
    RESOURCE_TYPES, "resource_types.csv", Columns { id: "id", zh: "name_zh", en: "name_en", schema: "schema_type", group: "" }
);
vocabulary!(
    /// How strong a piece of evidence is (8); `group` holds the rank, 4 = strongest.
    EVIDENCE, "evidence_levels.csv", Columns { id: "id", zh: "name_zh", en: "name_en", schema: "", group: "rank" }
);
vocabulary!(
    /// Languages of editions (13); `group` holds the direction.
    LANGUAGES, "languages.csv", Columns { id: "bcp47", zh: "name_native", en: "name_en", schema: "", group: "direction" }
);
vocabulary!(
    /// What kind of place it is (31).
    VENUE_TYPES, "venue_types.csv", Columns { id: "id", zh: "name_zh", en: "name_en", schema: "schema_type", group: "" }
);

vocabulary!(
    /// Terms explained in texts, by the Chinese word; names are the meanings, `schema` holds the English word.
    TERMS, "terms.csv", Columns { id: "zh", zh: "meaning_zh", en: "meaning_en", schema: "en", group: "" }
);
vocabulary!(
    /// Hazards of emergency cards (68); `group` holds the statutory class.
    HAZARDS, "hazards.csv", Columns { id: "id", zh: "name_zh", en: "name_en", schema: "", group: "class_zh" }
);
vocabulary!(
    /// Phases of an emergency (4).
    PHASES, "phases.csv", Columns { id: "id", zh: "name_zh", en: "name_en", schema: "", group: "" }
);

/// Licences a record may carry, as SPDX ids with a name; text may be passed on under all of them.
pub const LICENCES: [(&str, &str); 8] = [
    ("CC-BY-4.0", "署名 4.0"),
    ("CC-BY-SA-4.0", "署名-相同方式共享 4.0"),
    ("CC-BY-SA-3.0", "署名-相同方式共享 3.0"),
    ("CC-BY-NC-4.0", "署名-非商业 4.0"),
    ("CC0-1.0", "公有领域贡献 CC0"),
    ("Apache-2.0", "Apache 2.0"),
    ("MIT", "MIT"),
    ("PD", "公有领域（法规、公文、古籍等）"),
];

/// The address of a licence's text, for programs that know licences by it; none for what is no licence, such as the public domain.
pub fn licence_url(id: &str) -> Option<&'static str> {
    Some(match licence(id)?.0 {
        "CC-BY-4.0" => "https://creativecommons.org/licenses/by/4.0/",
        "CC-BY-SA-4.0" => "https://creativecommons.org/licenses/by-sa/4.0/",
        "CC-BY-SA-3.0" => "https://creativecommons.org/licenses/by-sa/3.0/",
        "CC-BY-NC-4.0" => "https://creativecommons.org/licenses/by-nc/4.0/",
        "CC0-1.0" => "https://creativecommons.org/publicdomain/zero/1.0/",
        "Apache-2.0" => "https://www.apache.org/licenses/LICENSE-2.0",
        "MIT" => "https://opensource.org/license/mit",
        _ => return None,
    })
}

/// The licence whose id is `id`, whatever its case.
pub fn licence(id: &str) -> Option<(&'static str, &'static str)> {
    LICENCES.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(id.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_vocabulary_loads() {
        assert_eq!(FIELDS.terms().len(), 36);
        assert_eq!(AUDIENCES.terms().len(), 17);
        assert_eq!(RESOURCE_TYPES.terms().len(), 44);
        assert_eq!(EVIDENCE.terms().len(), 8);
        assert_eq!(LANGUAGES.terms().len(), 13);
        assert!(VENUE_TYPES.find("planetarium").is_some());
        assert_eq!((HAZARDS.terms().len(), PHASES.terms().len()), (68, 4));
        assert_eq!(FIELDS.name("health", "zh"), "健康生活");
        assert_eq!(FIELDS.name("nonsense", "en"), "nonsense");
    }
}
