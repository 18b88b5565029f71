//! What an entry of the registry asks of those who keep it: to be confirmed again, to be verified, a paper that lapses. Computed
//! from the entry, never stored. What the world may see of it is in `card`.

use crate::create::party::Party;
use crate::create::register::{Registers, days_between};
use crate::field::FieldType;
use jiff::civil::Date;

/// Days ahead in which a renewal is announced.
pub const CONFIRM_AHEAD: i64 = 30;
/// Days ahead in which a paper that lapses is announced.
pub const LAPSE_AHEAD: i64 = 60;

/// One thing to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Attention {
    /// Nobody has confirmed it for too long: at least one register hides it.
    Stale,
    /// It has to be confirmed within [`CONFIRM_AHEAD`] days.
    Soon,
    /// A qualification that nobody has verified.
    Unverified,
    /// A qualification or another paper has lapsed, or does within [`LAPSE_AHEAD`] days.
    Lapsing,
    /// A register that it was entered in does not show it, because a consent is missing.
    NotAgreed,
}

/// Every kind, the most urgent first.
pub const ATTENTIONS: [Attention; 5] = [Attention::Stale, Attention::NotAgreed, Attention::Lapsing, Attention::Unverified, Attention::Soon];

impl Attention {
    /// The word in addresses and in the index.
    pub fn as_str(self) -> &'static str {
        match self {
            Attention::Stale => "stale",
            Attention::Soon => "soon",
            Attention::Unverified => "unverified",
            Attention::Lapsing => "lapsing",
            Attention::NotAgreed => "not_agreed",
        }
    }
    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        ATTENTIONS.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The day after which the first register would hide the party; none if it is in no register or nobody ever confirmed it.
pub fn shown_until(party: &Party, registers: &Registers, day: Date) -> Option<Date> {
    let confirmed = party.confirmed?;
    registers.registers.values().filter(|register| register.holds(party, day)).map(|register| register.shown_until(confirmed)).min()
}

/// What there is to look at on `day`, the most urgent first.
pub fn attention(party: &Party, registers: &Registers, day: Date) -> Vec<Attention> {
    if party.merged_into.is_some() {
        return vec![];
    }
    let mut found = Vec::new();
    let mut held = registers.registers.values().filter(|register| register.holds(party, day)).peekable();
    let listed = held.peek().is_some();
    let agreed = |purposes: &[String]| !party.kind.is_personal() || purposes.iter().all(|purpose| registers.consents(party, purpose));
    if held.any(|register| !agreed(&register.consents)) {
        found.push(Attention::NotAgreed);
    }
    match shown_until(party, registers, day) {
        None if listed => found.push(Attention::Stale),
        Some(until) if until < day => found.push(Attention::Stale),
        Some(until) if days_between(day, until) <= CONFIRM_AHEAD => found.push(Attention::Soon),
        _ => {}
    }
    if party.qualifications.iter().any(|q| q.verified.is_none()) {
        found.push(Attention::Unverified);
    }
    if lapses(party, registers).iter().any(|(_, until)| days_between(day, *until) <= LAPSE_AHEAD) {
        found.push(Attention::Lapsing);
    }
    found.sort_by_key(|kind| ATTENTIONS.iter().position(|known| known == kind));
    found
}

/// Everything in the entry that ends on a day: qualifications by their names, and dated fields whose id ends with `_until`.
pub fn lapses(party: &Party, registers: &Registers) -> Vec<(String, Date)> {
    let mut list: Vec<(String, Date)> = party.qualifications.iter().filter_map(|q| Some((q.what.clone(), q.until?))).collect();
    for field in registers.fields_of(party).into_iter().filter(|f| f.kind == FieldType::Date && f.id.ends_with("_until")) {
        if let Some(until) = party.value(&field.id).as_str().and_then(|text| text.parse().ok()) {
            list.push((field.zh.clone(), until));
        }
    }
    list.sort_by_key(|(_, until)| *until);
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::party::tests::party;
    use crate::create::party::{Consent, PartyKind};
    use jiff::civil::date;

    const DAY: Date = date(2026, 11, 25);

    fn doctor() -> Party {
        let consent = Consent { purpose: "public_card".into(), version: 1, given: jiff::Timestamp::UNIX_EPOCH, withdrawn: None };
        Party { confirmed: Some(date(2026, 6, 1)), registers: vec!["experts".into()], consents: vec![consent], ..party("a", &["health"], 4) }
    }

    #[test]
    fn an_entry_in_order_asks_for_nothing() {
        assert_eq!(attention(&doctor(), &Registers::standard(), DAY), []);
    }

    #[test]
    fn a_register_with_a_shorter_term_asks_first() {
        let registers = Registers::standard();
        let duty = Party { registers: vec!["experts".into(), "emergency-experts".into()], ..doctor() };
        assert_eq!(shown_until(&duty, &registers, DAY), Some(date(2026, 9, 1)));
        assert_eq!(attention(&duty, &registers, DAY), [Attention::Stale, Attention::NotAgreed]);
        assert_eq!(attention(&doctor(), &registers, date(2027, 5, 20)), [Attention::Soon]);
        assert_eq!(attention(&Party { confirmed: None, ..doctor() }, &registers, DAY), [Attention::Stale]);
    }

    #[test]
    fn papers_that_lapse_are_found_in_qualifications_and_in_fields() {
        let registers = Registers::standard();
        let mut doctor = doctor();
        doctor.qualifications[0].until = Some(date(2027, 1, 10));
        assert_eq!(attention(&doctor, &registers, DAY), [Attention::Lapsing]);
        doctor.qualifications[0].verified = None;
        assert_eq!(attention(&doctor, &registers, DAY), [Attention::Lapsing, Attention::Unverified]);
        let mut hall = Party { kind: PartyKind::Venue, confirmed: Some(DAY), ..party("v", &[], 0) };
        hall.qualifications.clear();
        hall.set("venue_type", serde_json::json!("scimuseum")).expect("set");
        hall.set("fire_until", serde_json::json!("2026-12-01")).expect("set");
        assert_eq!(attention(&hall, &registers, DAY), [Attention::Lapsing]);
    }

    #[test]
    fn every_word_reads_back() {
        for kind in ATTENTIONS {
            assert_eq!(Attention::parse(kind.as_str()), Some(kind));
        }
    }
}
