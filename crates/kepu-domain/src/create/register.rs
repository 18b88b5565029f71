//! Registers: views of the one registry, each a file in `data/registers/`. Kinds of parties (`kinds/*.json`) say which fields an
//! entry has; purposes of consent (`consents.json`) say what a person can agree to. The parties are in `party`, what the
//! world sees of one in `card`. A node may add files of its own beside the built-in ones without a new build.

use crate::create::party::{CORE, PARTY_KINDS, Party, PartyKind};
use crate::definition::{File, Mistake, is_id};
use crate::field::{FieldDef, FieldType};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The fields of a kind of party.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KindDef {
    /// Which kind.
    pub kind: PartyKind,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Fields in the order of the form. Ids of `CORE` fields are members of `Party`.
    pub fields: Vec<FieldDef>,
}

/// What a person can agree to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purpose {
    /// Id.
    pub id: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Version of the text below, from 1.
    pub version: u32,
    /// Least version that still holds; higher than 1 when a change of the text asks for a new consent.
    pub valid_from: u32,
    /// What is agreed to, in plain Chinese: what is used, for what, how long, how it is withdrawn.
    pub text_zh: String,
    /// The same in English.
    pub text_en: String,
}

/// One condition of a register.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// Field id.
    pub field: String,
    /// Test of its value.
    #[serde(flatten)]
    pub test: Test,
}

/// A test of one value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// The list holds this id; for a group: an item whose `kind` is this.
    Has(String),
    /// The value is this.
    Is(Value),
    /// The value is one of these.
    In(Vec<Value>),
    /// The number is this or more.
    AtLeast(f64),
    /// The number is this or less.
    AtMost(f64),
    /// The day lies at most so many days back.
    WithinDays(i64),
    /// The value is there (`true`) or not (`false`).
    Filled(bool),
}

impl Condition {
    /// Whether the party meets it on `day`.
    pub fn holds(&self, party: &Party, day: Date) -> bool {
        let value = party.value(&self.field);
        let number = || value.as_f64().or_else(|| value.as_str()?.parse().ok());
        match &self.test {
            Test::Has(id) => value.as_array().is_some_and(|list| list.iter().any(|item| item.as_str() == Some(id) || item["kind"].as_str() == Some(id))),
            Test::Is(wanted) => value == *wanted,
            Test::In(list) => list.contains(&value),
            Test::AtLeast(least) => number().is_some_and(|n| n >= *least),
            Test::AtMost(most) => number().is_some_and(|n| n <= *most),
            Test::WithinDays(days) => value.as_str().and_then(|t| t.parse::<Date>().ok()).is_some_and(|at| days_between(at, day) <= *days),
            Test::Filled(filled) => value.is_null() != *filled,
        }
    }
}

/// Whole days from `from` to `to`.
pub fn days_between(from: Date, to: Date) -> i64 {
    from.until(to).map_or(i64::MAX, |span| i64::from(span.get_days()))
}

/// A view of the registry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Register {
    /// Id, in addresses.
    pub id: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// What it is for, in Chinese.
    #[serde(default)]
    pub lead_zh: String,
    /// What it is for, in English.
    #[serde(default)]
    pub lead_en: String,
    /// Rows of the plan it carries, such as `R38`.
    #[serde(default)]
    pub rows: Vec<String>,
    /// Kinds of parties in it.
    pub kinds: Vec<PartyKind>,
    /// Whether a party is in it only after it was entered; else everything that meets `conditions` is.
    #[serde(default)]
    pub entered: bool,
    /// All must hold.
    #[serde(default, rename = "where")]
    pub conditions: Vec<Condition>,
    /// Consents without which a person is not shown in it to anybody but those who keep the entry.
    #[serde(default)]
    pub consents: Vec<String>,
    /// Further fields of parties in it, beside those of their kind.
    #[serde(default)]
    pub fields: Vec<FieldDef>,
    /// Field ids of the list's columns.
    pub columns: Vec<String>,
    /// Field ids that can be filtered by.
    #[serde(default)]
    pub filters: Vec<String>,
    /// Whether everybody may see it; else only those who may draft or more.
    #[serde(default = "yes")]
    pub public: bool,
    /// Whether the list has a map beside it.
    #[serde(default)]
    pub map: bool,
    /// An entry not confirmed for so many months is hidden.
    #[serde(default = "twelve")]
    pub confirm_months: i64,
}

fn yes() -> bool {
    true
}
fn twelve() -> i64 {
    12
}

const REGISTER_MEMBERS: [&str; 16] = [
    "id",
    "zh",
    "en",
    "lead_zh",
    "lead_en",
    "rows",
    "kinds",
    "entered",
    "where",
    "consents",
    "fields",
    "columns",
    "filters",
    "public",
    "map",
    "confirm_months",
];

impl Register {
    /// Whether the party belongs to it, seen or not.
    pub fn holds(&self, party: &Party, day: Date) -> bool {
        party.merged_into.is_none()
            && self.kinds.contains(&party.kind)
            && (!self.entered || party.registers.contains(&self.id))
            && self.conditions.iter().all(|c| c.holds(party, day))
    }

    /// Last day on which an entry confirmed on `confirmed` is shown.
    pub fn shown_until(&self, confirmed: Date) -> Date {
        confirmed.checked_add(jiff::Span::new().months(self.confirm_months)).unwrap_or(Date::MAX)
    }

    /// The name in `lang`.
    pub fn name(&self, lang: &str) -> &str {
        if lang.starts_with("en") { &self.en } else { &self.zh }
    }
}

/// All definitions that are in force.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registers {
    /// Kinds.
    pub kinds: BTreeMap<PartyKind, KindDef>,
    /// Registers in the order of their ids.
    pub registers: BTreeMap<String, Register>,
    /// Purposes of consent.
    pub purposes: Vec<Purpose>,
}

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => { [$(File { name: $name, text: include_str!(concat!("../../../../data/registers/", $name)) }),+] };
}

/// The files built into the program: `consents.json`, `kinds/*.json`, then the registers.
pub fn built_in() -> Vec<File<'static>> {
    built_in![
        "consents.json",
        "kinds/person.json",
        "kinds/team.json",
        "kinds/organisation.json",
        "kinds/venue.json",
        "kinds/facility.json",
        "kinds/service_point.json",
        "experts.json",
        "emergency-experts.json",
        "film-advisers.json",
        "veteran-lecturers.json",
        "creation-teams.json",
        "creation-centres.json",
        "volunteers.json",
        "bases.json",
        "spirit-bases.json",
        "safety-bases.json",
        "defence-bases.json",
        "halls.json",
        "facilities.json",
        "alliances.json",
        "partners.json",
        "service-points.json",
    ]
    .to_vec()
}

impl Registers {
    /// The built-in definitions.
    pub fn standard() -> Registers {
        let (registers, mistakes) = Registers::default().with(&built_in());
        assert!(mistakes.is_empty(), "built-in definitions are checked by a test: {mistakes:?}");
        registers
    }

    /// These definitions with those of `files` added; a file with a mistake changes nothing, so the old one stays in force.
    /// What a file is shows in its name: `consents.json`, `kinds/…`, else a register.
    pub fn with(mut self, files: &[File<'_>]) -> (Registers, Vec<Mistake>) {
        let mut mistakes = Vec::new();
        for file in files {
            let outcome = if file.name == "consents.json" {
                self.read_purposes(file)
            } else if file.name.starts_with("kinds/") {
                self.read_kind(file)
            } else {
                self.read_register(file)
            };
            mistakes.extend(outcome.err().into_iter().flatten());
        }
        (self, mistakes)
    }

    fn read_purposes(&mut self, file: &File<'_>) -> Result<(), Vec<Mistake>> {
        let purposes: Vec<Purpose> = file.read().map_err(|m| vec![m])?;
        for (at, purpose) in purposes.iter().enumerate() {
            let n = at.to_string();
            if !is_id(&purpose.id) || purposes[..at].iter().any(|p| p.id == purpose.id) {
                return Err(vec![file.mistake(&[&n, "id"], format!("\"{}\" is no id or stands twice", purpose.id))]);
            }
            if purpose.valid_from > purpose.version || purpose.version == 0 {
                return Err(vec![file.mistake(&[&n, "valid_from"], "valid_from lies between 1 and version")]);
            }
        }
        self.purposes = purposes;
        Ok(())
    }

    fn read_kind(&mut self, file: &File<'_>) -> Result<(), Vec<Mistake>> {
        let kind: KindDef = file.read().map_err(|m| vec![m])?;
        let mut mistakes = file.strangers(&[], &["kind", "zh", "en", "fields"]);
        mistakes.extend(FieldDef::check_all(&kind.fields, file, &["fields"]));
        mistakes.extend(core_mistakes(&kind.fields, file));
        if !kind.fields.iter().any(|f| f.id == "name" && f.required) {
            mistakes.push(file.mistake(&["fields"], "every kind has a required field \"name\""));
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        self.kinds.insert(kind.kind, kind);
        Ok(())
    }

    fn read_register(&mut self, file: &File<'_>) -> Result<(), Vec<Mistake>> {
        let register: Register = file.read().map_err(|m| vec![m])?;
        let mut mistakes = file.strangers(&[], &REGISTER_MEMBERS);
        if !is_id(&register.id) {
            mistakes.push(file.mistake(&["id"], format!("\"{}\" is no id: small letters, digits, _ and -, at most 40", register.id)));
        }
        if register.zh.trim().is_empty() || register.en.trim().is_empty() {
            mistakes.push(file.mistake(&["zh"], "a register needs a name in both languages (zh, en)"));
        }
        if register.kinds.is_empty() {
            let known = PARTY_KINDS.map(PartyKind::as_str).join(", ");
            mistakes.push(file.mistake(&["kinds"], format!("say which kinds are in it: {known}")));
        }
        if !(1..=120).contains(&register.confirm_months) {
            mistakes.push(file.mistake(&["confirm_months"], "1 to 120 months"));
        }
        mistakes.extend(FieldDef::check_all(&register.fields, file, &["fields"]));
        mistakes.extend(core_mistakes(&register.fields, file));
        let known = |id: &str| CORE.contains(&id) || self.find_field(&register, id).is_some();
        for (member, ids) in [("columns", &register.columns), ("filters", &register.filters)] {
            for (at, id) in ids.iter().enumerate().filter(|(_, id)| !known(id)) {
                mistakes.push(file.mistake(&[member, &at.to_string()], format!("no kind in this register has a field \"{id}\"")));
            }
        }
        for (at, condition) in register.conditions.iter().enumerate().filter(|(_, c)| !known(&c.field)) {
            mistakes.push(file.mistake(&["where", &at.to_string(), "field"], format!("no kind in this register has a field \"{}\"", condition.field)));
        }
        for (at, id) in register.consents.iter().enumerate().filter(|(_, id)| self.purpose(id).is_none()) {
            mistakes.push(file.mistake(&["consents", &at.to_string()], format!("consents.json has no purpose \"{id}\"")));
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        self.registers.insert(register.id.clone(), register);
        Ok(())
    }

    /// A purpose of consent.
    pub fn purpose(&self, id: &str) -> Option<&Purpose> {
        self.purposes.iter().find(|p| p.id == id)
    }

    /// A field of a register's parties.
    pub fn find_field<'a>(&'a self, register: &'a Register, id: &str) -> Option<&'a FieldDef> {
        let of_kinds = register.kinds.iter().filter_map(|kind| self.kinds.get(kind)).flat_map(|kind| &kind.fields);
        register.fields.iter().chain(of_kinds).find(|f| f.id == id)
    }

    /// The fields of a party: those of its kind, then those of the registers it was entered in.
    pub fn fields_of(&self, party: &Party) -> Vec<&FieldDef> {
        let mut list: Vec<&FieldDef> = self.kinds.get(&party.kind).map_or_else(Vec::new, |kind| kind.fields.iter().collect());
        for register in party.registers.iter().filter_map(|id| self.registers.get(id)) {
            for field in &register.fields {
                if !list.iter().any(|f| f.id == field.id) {
                    list.push(field);
                }
            }
        }
        list
    }

    /// Whether the party's consent for `purpose` stands, with a text that still holds.
    pub fn consents(&self, party: &Party, purpose: &str) -> bool {
        self.purpose(purpose).is_some_and(|p| party.consent(purpose, p.valid_from).is_some())
    }

    /// The registers in which the world may see the party on `day`.
    pub fn shown_in(&self, party: &Party, day: Date) -> Vec<&Register> {
        let agreed = |register: &Register| !party.kind.is_personal() || register.consents.iter().all(|purpose| self.consents(party, purpose));
        let fresh = |register: &Register| party.confirmed.is_some_and(|confirmed| day <= register.shown_until(confirmed));
        self.registers.values().filter(|register| register.public && register.holds(party, day) && agreed(register) && fresh(register)).collect()
    }
}

/// Core fields have one form only, because their values are members of `Party`.
fn core_mistakes(fields: &[FieldDef], file: &File<'_>) -> Vec<Mistake> {
    let fits = |field: &FieldDef| {
        matches!(
            (field.id.as_str(), &field.kind),
            ("name" | "name_en" | "title" | "title_en", FieldType::Line { .. })
                | ("org", FieldType::Org)
                | ("region", FieldType::Region)
                | ("fields" | "languages", FieldType::Choices { .. })
                | ("qualifications" | "honours", FieldType::Items { .. })
                | ("monthly_ceiling", FieldType::Integer { .. })
                | ("available" | "sample", FieldType::Yes)
                | ("quiet", FieldType::Hours)
                | ("confirmed", FieldType::Date)
        )
    };
    let wrong = fields.iter().enumerate().filter(|(_, field)| CORE.contains(&field.id.as_str()) && !fits(field));
    wrong
        .map(|(at, field)| file.mistake(&["fields", &at.to_string(), "type"], format!("\"{}\" has a type of its own that cannot be changed", field.id)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::party::Consent;
    use crate::create::party::tests::party;
    use jiff::Timestamp;
    use jiff::civil::date;

    const DAY: Date = date(2026, 11, 25);

    #[test]
    fn every_built_in_definition_loads() {
        let (registers, mistakes) = Registers::default().with(&built_in());
        assert_eq!(mistakes, []);
        assert_eq!(registers.kinds.len(), 6);
        assert!(registers.registers.len() >= 16 && registers.purposes.len() >= 5);
    }

    #[test]
    fn a_register_with_a_mistake_leaves_the_old_one_in_force() {
        let standard = Registers::standard();
        let text = "{\n\"id\": \"experts\", \"zh\": \"甲\", \"en\": \"A\",\n\"kinds\": [\"person\"],\n\"columns\": [\"name\",\n \"shoe_size\"]\n}";
        let (after, mistakes) = standard.clone().with(&[File { name: "experts.json", text }]);
        assert_eq!(after, standard);
        assert_eq!((mistakes.len(), mistakes[0].line), (1, 5), "{mistakes:?}");
        let (_, mistakes) = standard.with(&[File { name: "x.json", text: "{\n\"id\": \"x\",\n\"kinds\": [\"planet\"]\n}" }]);
        assert_eq!(mistakes[0].line, 3);
    }

    #[test]
    fn planetarium_trucks_need_no_build() {
        let text = r#"{"id": "planetarium-trucks", "zh": "流动天文车", "en": "Planetarium trucks", "kinds": ["facility"], "entered": true,
            "fields": [{"id": "dome_m", "zh": "球幕直径", "en": "Dome diameter", "type": "decimal", "unit": "m", "public": "card"}],
            "columns": ["name", "region", "dome_m"], "filters": ["region"], "map": true}"#;
        let (registers, mistakes) = Registers::standard().with(&[File { name: "planetarium-trucks.json", text }]);
        assert_eq!(mistakes, []);
        let mut truck = Party { kind: PartyKind::Facility, registers: vec!["planetarium-trucks".into()], confirmed: Some(DAY), ..party("t", &[], 0) };
        truck.set("dome_m", serde_json::json!("6.5")).expect("set");
        assert!(registers.fields_of(&truck).iter().any(|f| f.id == "dome_m"));
        assert!(registers.shown_in(&truck, DAY).iter().any(|r| r.id == "planetarium-trucks"));
    }

    #[test]
    fn a_person_is_shown_only_with_consent_and_while_confirmed() {
        let registers = Registers::standard();
        let mut doctor = Party { confirmed: Some(date(2026, 6, 1)), registers: vec!["experts".into(), "film-advisers".into()], ..party("a", &["health"], 4) };
        let ids = |p: &Party, day| registers.shown_in(p, day).iter().map(|r| r.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&doctor, DAY), Vec::<String>::new());
        let consent = |purpose: &str| Consent { purpose: purpose.into(), version: 1, given: Timestamp::UNIX_EPOCH, withdrawn: None };
        doctor.consents = vec![consent("public_card")];
        assert_eq!(ids(&doctor, DAY), ["experts"]);
        doctor.consents.push(consent("film"));
        assert_eq!(ids(&doctor, DAY), ["experts", "film-advisers"]);
        assert_eq!(ids(&doctor, date(2027, 7, 1)), Vec::<String>::new(), "nobody confirmed it for over a year");
    }
}
