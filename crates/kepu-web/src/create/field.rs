//! Fields defined as data in forms and on pages: drawing them, reading them back, showing their values. Which fields there
//! are and what they take is in `kepu-domain::field`; nothing here knows a field by name but `org`.

use crate::form::Fields;
use crate::line::Choice;
use crate::page::Shell;
use crate::place;
use kepu_app::FieldError;
use kepu_app::create::party::Values;
use kepu_domain::create::party::Party;
use kepu_domain::create::register::Registers;
use kepu_domain::field::{Exposure, Fault, FieldDef, FieldType, ITEMS_MAX};
use kepu_domain::org::Region;
use serde_json::{Map, Value, json};

/// Fields that other deeds than a form change.
const ELSEWHERE: [&str; 4] = ["honours", "registers", "confirmed", "sample"];
/// Empty rows that a form adds to a group.
const BLANK: usize = 1;
/// Rows that "more rows" adds.
const MORE: usize = 5;

/// One control of a form.
pub struct Input {
    /// Name and id.
    pub id: String,
    /// Label.
    pub label: String,
    /// Hint, or empty.
    pub hint: String,
    /// Unit, or empty.
    pub unit: String,
    /// Whether it must be filled.
    pub required: bool,
    /// Who may see it, in words; empty inside groups.
    pub public: String,
    /// Which control: `line`, `text`, `number`, `date`, `choice`, `choices`, `region`, `items`.
    pub control: &'static str,
    /// What stands in it.
    pub value: String,
    /// What may be chosen; for a region the provinces.
    pub options: Vec<Choice>,
    /// The controls of each row of a group.
    pub rows: Vec<Vec<Input>>,
}

/// The fields of an entry that a form changes.
pub fn asked<'a>(party: &Party, registers: &'a Registers) -> Vec<&'a FieldDef> {
    registers.fields_of(party).into_iter().filter(|field| !ELSEWHERE.contains(&field.id.as_str())).collect()
}

/// Who may see a field.
pub fn exposure(s: &Shell, registers: &Registers, public: &Exposure) -> String {
    match public {
        Exposure::Never => s.t("registry-private"),
        Exposure::Card => s.t("registry-public"),
        Exposure::Purpose(id) => {
            let name = registers.purpose(id).map_or(id.as_str(), |purpose| s.pick(&purpose.zh, &purpose.en));
            s.t1("registry-public-if", "purpose", name)
        }
    }
}

/// Values as the fields of a form, groups as their JSON.
pub fn filled(fields: &[FieldDef], value: &dyn Fn(&FieldDef) -> Value) -> Fields {
    let mut out = Vec::new();
    for field in fields {
        match (&field.kind, value(field)) {
            (FieldType::Choices { .. }, Value::Array(ids)) => out.extend(ids.iter().filter_map(Value::as_str).map(|id| (field.id.clone(), id.to_owned()))),
            (FieldType::Region, Value::String(code)) => {
                let (province, county) = place::write(Region::parse(&code).unwrap_or_default());
                out.extend([(format!("{}.province", field.id), province), (format!("{}.county", field.id), county)]);
            }
            (_, value) => out.push((field.id.clone(), field.cell(&value))),
        }
    }
    Fields(out)
}

/// An entry's values as the fields of its form.
pub fn typed(s: &Shell, party: &Party, fields: &[&FieldDef]) -> Fields {
    let mut out = Vec::new();
    for field in fields {
        let value = party.value(&field.id);
        match (&field.kind, &value) {
            (FieldType::Region, Value::String(code)) => {
                let (province, county) = place::write(Region::parse(code).unwrap_or(Region::NATION));
                out.push((format!("{}.province", field.id), province));
                out.push((format!("{}.county", field.id), county));
            }
            (FieldType::Choices { .. }, Value::Array(ids)) => {
                out.extend(ids.iter().filter_map(Value::as_str).map(|id| (field.id.clone(), id.to_owned())));
            }
            (FieldType::Items { fields }, Value::Array(rows)) => {
                out.push((format!("_rows.{}", field.id), rows.len().to_string()));
                for (at, row) in rows.iter().enumerate() {
                    for inner in fields {
                        let value = row.get(&inner.id).unwrap_or(&Value::Null);
                        let text = if matches!(inner.kind, FieldType::Choices { .. }) { inner.show(value, s.lang.code()) } else { inner.cell(value) };
                        out.push((format!("{}.{}.{}", field.id, at + 1, inner.id), text));
                    }
                }
            }
            _ => out.push((field.id.clone(), field.cell(&value))),
        }
    }
    Fields(out)
}

/// The controls of `fields` with what was typed. `orgs`: the institutions to choose from.
pub fn inputs(s: &Shell, registers: &Registers, fields: &[&FieldDef], typed: &Fields, orgs: &[(String, String)]) -> Vec<Input> {
    fields.iter().map(|field| Input { public: exposure(s, registers, &field.public), ..input(s, field, &field.id, typed, orgs, true) }).collect()
}

fn input(s: &Shell, field: &FieldDef, name: &str, typed: &Fields, orgs: &[(String, String)], outer: bool) -> Input {
    let lang = s.lang.code();
    let value = typed.get(name).to_owned();
    let chosen: Vec<&str> = typed.0.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect();
    let mut out = Input {
        id: name.to_owned(),
        label: field.label(lang).to_owned(),
        hint: s.pick(&field.hint_zh, &field.hint_en).to_owned(),
        unit: field.unit.clone(),
        required: field.required,
        public: String::new(),
        control: "line",
        value,
        options: vec![],
        rows: vec![],
    };
    let listed = |options: &kepu_domain::field::Options, chosen: &[&str]| {
        let one = |(id, zh, en): (&str, &str, &str)| Choice { value: id.to_owned(), text: s.pick(zh, en).to_owned(), on: chosen.contains(&id) };
        options.list().into_iter().map(one).collect::<Vec<_>>()
    };
    let none = |on: bool| Choice { value: String::new(), text: s.t("registry-not-said"), on };
    match &field.kind {
        FieldType::Text { .. } => out.control = "text",
        FieldType::Integer { .. } => out.control = "number",
        FieldType::Date => out.control = "date",
        FieldType::Yes => {
            out.control = "choice";
            let words = [("true", s.t("registry-yes")), ("false", s.t("registry-no"))];
            out.options = std::iter::once(none(out.value.is_empty()))
                .chain(words.map(|(value, text)| Choice { value: value.into(), text, on: out.value == value }))
                .collect();
        }
        FieldType::Choice { options } => {
            out.control = "choice";
            out.options = std::iter::once(none(out.value.is_empty())).chain(listed(options, &chosen)).collect();
        }
        FieldType::Choices { options } if outer => {
            out.control = "choices";
            out.options = listed(options, &chosen);
        }
        FieldType::Choices { .. } => out.hint = s.t("registry-names-hint"),
        FieldType::Org if !orgs.is_empty() => {
            out.control = "choice";
            out.options = orgs.iter().map(|(id, name)| Choice { value: id.clone(), text: name.clone(), on: *id == out.value }).collect();
        }
        FieldType::Region => {
            out.control = "region";
            out.options = place::provinces(s, typed.get(&format!("{name}.province")));
            out.value = typed.get(&format!("{name}.county")).to_owned();
        }
        FieldType::Items { fields } => {
            out.control = "items";
            let more = if typed.get("_more") == name { MORE } else { BLANK };
            let rows = (rows_of(typed, name) + more).min(ITEMS_MAX);
            out.rows =
                (1..=rows).map(|row| fields.iter().map(|inner| input(s, inner, &format!("{name}.{row}.{}", inner.id), typed, &[], false)).collect()).collect();
        }
        _ => {}
    }
    out
}

fn rows_of(typed: &Fields, name: &str) -> usize {
    typed.int(&format!("_rows.{name}")).and_then(|n| usize::try_from(n).ok()).unwrap_or(0).min(ITEMS_MAX)
}

/// What a form says: values for every field, or what is wrong with them.
pub fn read(fields: &[&FieldDef], form: &Fields) -> (Values, Vec<FieldError>) {
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for field in fields {
        match read_one(field, &field.id, form) {
            Ok(value) => values.push((field.id.clone(), value)),
            Err(list) => errors.extend(list),
        }
    }
    (values, errors)
}

fn error(fault: Fault) -> FieldError {
    fault.args.into_iter().fold(FieldError::new(&fault.field, fault.key), |error, (name, value)| error.with(name, value))
}

fn read_one(field: &FieldDef, name: &str, form: &Fields) -> Result<Value, Vec<FieldError>> {
    let named = |fault: Fault| vec![error(Fault { field: name.to_owned(), ..fault })];
    match &field.kind {
        FieldType::Region => {
            let region = place::read(form.get(&format!("{name}.province")), form.get(&format!("{name}.county")));
            region.map(|region| json!(region)).map_err(|error| vec![FieldError { field: name.to_owned(), ..error }])
        }
        FieldType::Items { fields } => read_rows(fields, name, form),
        _ => {
            let texts: Vec<&str> = form.0.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect();
            field.read(&texts, kepu_app::org::FACTS).map_err(named)
        }
    }
}

/// The rows of a group; one in which nothing was typed is none.
fn read_rows(fields: &[FieldDef], name: &str, form: &Fields) -> Result<Value, Vec<FieldError>> {
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    for row in 1..=(rows_of(form, name) + MORE).min(ITEMS_MAX) {
        let at = |inner: &FieldDef| format!("{name}.{row}.{}", inner.id);
        if fields.iter().all(|inner| form.get(&at(inner)).trim().is_empty()) {
            continue;
        }
        let mut object = Map::new();
        for inner in fields {
            match read_one(inner, &at(inner), form) {
                Ok(Value::Null) => {}
                Ok(value) => drop(object.insert(inner.id.clone(), value)),
                Err(list) => errors.extend(list),
            }
        }
        rows.push(Value::Object(object));
    }
    match (errors.is_empty(), rows.is_empty()) {
        (false, _) => Err(errors),
        (true, true) => Ok(Value::Null),
        (true, false) => Ok(Value::Array(rows)),
    }
}

/// The sentences for errors of a definition's fields: `{ $field }` is the field's own label, with its row in a group.
pub fn explained(s: &Shell, fields: &[&FieldDef], errors: &[FieldError]) -> crate::page::Errors {
    let label = |id: &str| {
        let mut parts = id.split('.');
        let field = fields.iter().find(|field| Some(field.id.as_str()) == parts.clone().next())?;
        parts.next();
        let (Some(row), Some(inner), FieldType::Items { fields }) = (parts.next(), parts.next(), &field.kind) else {
            return Some(field.label(s.lang.code()).to_owned());
        };
        let inner = fields.iter().find(|f| f.id == inner)?.label(s.lang.code());
        Some(s.t3("registry-in-row", "group", field.label(s.lang.code()), "row", row, "field", inner))
    };
    crate::page::Errors(
        errors
            .iter()
            .map(|error| {
                let name = label(&error.field).unwrap_or_else(|| s.label(&error.field));
                let mut args: Vec<(&str, &dyn std::fmt::Display)> = vec![("field", &name)];
                args.extend(error.args.iter().map(|(name, value)| (name.as_str(), value as &dyn std::fmt::Display)));
                (error.field.clone(), crate::i18n::message(s.lang, &format!("error-{}", error.key), &args))
            })
            .collect(),
    )
}

/// A value as people read it.
pub fn show(s: &Shell, field: &FieldDef, value: &Value) -> String {
    match (&field.kind, value) {
        (_, Value::Null) => String::new(),
        (FieldType::Region, Value::String(code)) => Region::parse(code).map_or_else(|_| code.clone(), |region| s.place_line(&region)),
        (FieldType::Date, Value::String(text)) => text.parse().map_or_else(|_| text.clone(), |day| s.day_text(day)),
        _ if field.unit.is_empty() => field.show(value, s.lang.code()),
        _ => format!("{} {}", field.show(value, s.lang.code()), field.unit),
    }
}

/// One filled field of an entry or a card.
pub struct Shown {
    /// Label.
    pub label: String,
    /// Value in words; empty for groups.
    pub text: String,
    /// An address to follow, or empty.
    pub href: String,
    /// Column heads of a group.
    pub heads: Vec<String>,
    /// Rows of a group.
    pub rows: Vec<Vec<String>>,
    /// Who may see it.
    pub public: String,
}

/// Filled fields in the order of their definitions; `skip` are told elsewhere on the page.
pub fn shown(s: &Shell, registers: &Registers, fields: &[&FieldDef], value: impl Fn(&str) -> Value, skip: &[&str]) -> Vec<Shown> {
    let mut list = Vec::new();
    for field in fields.iter().filter(|field| !skip.contains(&field.id.as_str())) {
        let value = value(&field.id);
        if value.is_null() {
            continue;
        }
        let mut one = Shown {
            label: field.label(s.lang.code()).to_owned(),
            text: String::new(),
            href: String::new(),
            heads: vec![],
            rows: vec![],
            public: exposure(s, registers, &field.public),
        };
        match (&field.kind, &value) {
            (FieldType::Items { fields }, Value::Array(rows)) => {
                // Columns that no row fills say nothing, and ids are for programs.
                let told = |inner: &&FieldDef| field.id != "honours" || !matches!(inner.id.as_str(), "kind" | "credential");
                let used: Vec<&FieldDef> = fields.iter().filter(told).filter(|inner| rows.iter().any(|row| !row[&inner.id].is_null())).collect();
                one.heads = used.iter().map(|inner| inner.label(s.lang.code()).to_owned()).collect();
                one.rows = rows.iter().map(|row| used.iter().map(|inner| show(s, inner, &row[&inner.id])).collect()).collect();
            }
            (FieldType::Url, Value::String(address)) => {
                one.text = address.clone();
                one.href = address.clone();
            }
            _ => one.text = show(s, field, &value),
        }
        list.push(one);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;
    use crate::page::tests::shell;
    use kepu_domain::create::party::PartyKind;

    fn fields(text: &[(&str, &str)]) -> Fields {
        Fields(text.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn what_a_form_shows_it_reads_back_unchanged() {
        let registers = Registers::standard();
        let mut hall =
            Party { kind: PartyKind::Venue, name: "𠮷\u{E0100}示例馆".into(), region: Region::parse("411525").expect("code"), ..Party::default() };
        for (id, value) in [
            ("venue_type", json!("scimuseum")),
            ("fields", json!(["health", "physics"])),
            ("point", json!(["115.65000", "-32.18000"])),
            ("free", json!(true)),
            ("exhibits", json!([{"name": "傅科摆", "state": "working"}, {"name": "地震小屋", "since": "2026-01-02"}])),
            ("access", json!(["wheelchair", "sign"])),
        ] {
            hall.set(id, value).expect("set");
        }
        let s = shell(Lang::Zh);
        let asked = asked(&hall, &registers);
        let form = typed(&s, &hall, &asked);
        let (values, errors) = read(&asked, &form);
        assert_eq!(errors, []);
        let mut again = Party { kind: PartyKind::Venue, ..Party::default() };
        for (id, value) in values {
            again.set(&id, value).expect("set");
        }
        assert_eq!(Party { available: hall.available, ..again }, hall);
    }

    #[test]
    fn a_mistake_in_a_row_names_the_row_and_nothing_else_is_lost() {
        let registers = Registers::standard();
        let hall = Party { kind: PartyKind::Venue, ..Party::default() };
        let asked = asked(&hall, &registers);
        let form = fields(&[("name", "馆"), ("venue_type", "scimuseum"), ("_rows.exhibits", "1"), ("exhibits.1.state", "working"), ("visits", "许多")]);
        let (_, errors) = read(&asked, &form);
        let found: Vec<_> = errors.iter().map(|e| (e.field.as_str(), e.key.as_str())).collect();
        assert_eq!(found, [("visits", "no_integer"), ("exhibits.1.name", "required")]);
        let words = explained(&shell(Lang::Zh), &asked, &errors);
        assert!(words.0[1].1.contains("展品"), "{words:?}");
        let inputs = inputs(&shell(Lang::Zh), &registers, &asked, &form, &[]);
        assert!(inputs.iter().any(|i| i.id == "visits" && i.value == "许多"));
        assert_eq!(inputs.iter().find(|i| i.id == "exhibits").map(|i| i.rows.len()), Some(2));
    }
}
