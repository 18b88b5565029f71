//! A card: what the world may see of a party. It travels as a signed record, holds nothing that its owner did not agree to,
//! and ends by itself when nobody confirms it. Entries with all they hold are in `party`.

use crate::create::party::{Party, PartyKind};
use crate::create::register::Registers;
use crate::field::{Exposure, FieldDef, FieldType};
use jiff::civil::Date;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a node says of a party in public.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// Registry id, unique on the signing node.
    pub party: String,
    /// Kind.
    pub kind: PartyKind,
    /// Name.
    pub name: String,
    /// English name, may be empty.
    pub name_en: String,
    /// The institution's name.
    pub org: String,
    /// Public values by field id, core fields too (but for those that are members here).
    pub values: BTreeMap<String, Value>,
    /// Registers in which it is shown.
    pub registers: Vec<String>,
    /// Purposes of the consents that it rests on, with the version of the text.
    pub consents: Vec<(String, u32)>,
    /// When the entry was last confirmed.
    pub confirmed: Date,
    /// Last day on which it is shown anywhere.
    pub expires: Date,
    /// Invented for demonstration.
    pub sample: bool,
}

/// Why there is no card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoCard {
    /// It is in no public register, or a consent is missing.
    NotAgreed,
    /// Nobody has confirmed it for too long.
    Stale,
    /// It was merged into another entry.
    Merged,
}

impl Card {
    /// The card of `party` on `day`, if there may be one. `org`: the institution's name.
    pub fn of(party: &Party, registers: &Registers, org: &str, day: Date) -> Result<Card, NoCard> {
        if party.merged_into.is_some() {
            return Err(NoCard::Merged);
        }
        let Some(confirmed) = party.confirmed else { return Err(NoCard::Stale) };
        let shown = registers.shown_in(party, day);
        if shown.is_empty() {
            // Shown on the day it was confirmed but not today: only time has passed.
            let then = registers.shown_in(party, confirmed);
            return Err(if then.is_empty() { NoCard::NotAgreed } else { NoCard::Stale });
        }
        let expires = shown.iter().map(|r| r.shown_until(confirmed)).max().unwrap_or(confirmed);
        let mut values = BTreeMap::new();
        let mut rests_on: Vec<String> = shown.iter().flat_map(|r| r.consents.iter().cloned()).collect();
        for field in registers.fields_of(party).into_iter().filter(|f| !matches!(f.id.as_str(), "name" | "name_en" | "org" | "confirmed" | "registers")) {
            let open = match &field.public {
                Exposure::Never => false,
                Exposure::Card => true,
                Exposure::Purpose(purpose) => {
                    let agreed = registers.consents(party, purpose);
                    if agreed {
                        rests_on.push(purpose.clone());
                    }
                    agreed
                }
            };
            let value = party.value(&field.id);
            if open && !value.is_null() {
                values.insert(field.id.clone(), public_part(field, value));
            }
        }
        rests_on.sort_unstable();
        rests_on.dedup();
        let version = |purpose: &String| party.consent(purpose, 1).map(|c| (purpose.clone(), c.version));
        Ok(Card {
            party: party.id.0.clone(),
            kind: party.kind,
            name: party.name.clone(),
            name_en: party.name_en.clone(),
            org: org.to_owned(),
            values,
            registers: shown.iter().map(|r| r.id.clone()).collect(),
            consents: if party.kind.is_personal() { rests_on.iter().filter_map(version).collect() } else { vec![] },
            confirmed,
            expires,
            sample: party.sample,
        })
    }

    /// A text list among the values, such as `fields` or `languages`.
    pub fn list(&self, id: &str) -> Vec<String> {
        let list = self.values.get(id).and_then(Value::as_array);
        list.map_or_else(Vec::new, |list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// A text among the values, empty if it is not there.
    pub fn text(&self, id: &str) -> &str {
        self.values.get(id).and_then(Value::as_str).unwrap_or_default()
    }
}

/// A group's items without the parts that are private by themselves.
fn public_part(field: &FieldDef, value: Value) -> Value {
    let FieldType::Items { fields } = &field.kind else { return value };
    let Value::Array(items) = value else { return value };
    let open = |id: &str| id == "verified" || fields.iter().any(|f| f.id == id && f.public != Exposure::Never);
    let bare = |item: Value| match item {
        Value::Object(object) => Value::Object(object.into_iter().filter(|(id, _)| open(id)).collect()),
        other => other,
    };
    Value::Array(items.into_iter().map(bare).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::party::Consent;
    use crate::create::party::tests::party;
    use jiff::Timestamp;
    use jiff::civil::date;

    const DAY: Date = date(2026, 11, 25);

    fn doctor() -> Party {
        let consent = |purpose: &str| Consent { purpose: purpose.into(), version: 1, given: Timestamp::UNIX_EPOCH, withdrawn: None };
        let mut doctor = Party { confirmed: Some(date(2026, 6, 1)), registers: vec!["experts".into()], title: "医师".into(), ..party("a", &["health"], 4) };
        doctor.consents = vec![consent("public_card"), consent("press")];
        doctor.qualifications[0].number = "110-secret".into();
        doctor.values.insert("mobile".into(), "13800000000".into());
        doctor.values.insert("press_contact".into(), "press@example.org".into());
        doctor
    }

    #[test]
    fn a_card_holds_only_what_was_agreed_to() {
        let registers = Registers::standard();
        let card = Card::of(&doctor(), &registers, "示例医院", DAY).expect("card");
        let text = format!("{card:?}");
        assert!(!text.contains("13800000000") && !text.contains("110-secret"), "{text}");
        assert_eq!(card.text("press_contact"), "press@example.org");
        assert_eq!(card.list("fields"), ["health"]);
        assert_eq!(card.expires, date(2027, 6, 1));
        assert_eq!(card.consents, [("press".to_owned(), 1), ("public_card".to_owned(), 1)]);
        let mut withdrawn = doctor();
        withdrawn.consents[1].withdrawn = Some(Timestamp::UNIX_EPOCH);
        assert_eq!(Card::of(&withdrawn, &registers, "", DAY).expect("card").text("press_contact"), "");
        withdrawn.consents[0].withdrawn = Some(Timestamp::UNIX_EPOCH);
        assert_eq!(Card::of(&withdrawn, &registers, "", DAY), Err(NoCard::NotAgreed));
    }

    #[test]
    fn a_card_ends_when_nobody_confirms_it() {
        let registers = Registers::standard();
        assert_eq!(Card::of(&doctor(), &registers, "", date(2027, 6, 2)), Err(NoCard::Stale));
        assert_eq!(Card::of(&Party { confirmed: None, ..doctor() }, &registers, "", DAY), Err(NoCard::Stale));
        assert_eq!(Card::of(&Party { merged_into: Some("b".into()), ..doctor() }, &registers, "", DAY), Err(NoCard::Merged));
    }
}
