//! Official warnings in the Common Alerting Protocol 1.2 (OASIS CAP 1.2; GB/T 35965.1 carries the same content): read, judged, and given
//! the counties they are for. A warning is passed on, never made: nothing here writes one.
//!
//! The form of the schema is in `cap`, places in `place`; here what the standard demands beyond its schema (section 3), advice, and what is
//! to be done with a message.

mod cap;
mod feed;
mod place;

pub use cap::{Area, Circle, Info, Message, Point, read};
pub use feed::{Link, links};
pub use place::{Divisions, PlaceError};

use crate::org::Region;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeSet;

/// Namespace of the only version that is taken.
pub const NAMESPACE: &str = "urn:oasis:names:tc:emergency:cap:1.2";

/// One thing that is wrong, or advisable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Rule: the element it is about, or what the document is.
    pub rule: String,
    /// What is wrong and what would be right.
    pub text: String,
}

impl Note {
    pub(crate) fn new(rule: &str, text: impl Into<String>) -> Self {
        Self { rule: rule.to_owned(), text: text.into() }
    }
}

/// What is to be done with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Pass it on.
    Deliver,
    /// Show it to those who exercise, never to the public.
    DrillOnly,
    /// Take back what was passed on.
    Withdraw,
    /// Nothing: invalid, a draft, a test, a message between systems.
    None,
}

/// The judgement of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// Whether it keeps schema and standard.
    pub valid: bool,
    /// What is to be done.
    pub action: Action,
    /// `identifier`, as far as it could be read.
    pub identifier: Option<String>,
    /// `status`.
    pub status: Option<String>,
    /// `msgType`.
    pub msg_type: Option<String>,
    /// Counties it is for, by code; empty when nothing is to be done.
    pub targets: Vec<Region>,
    /// Hazards by Kepu's codes, from `eventCode`.
    pub hazards: Vec<String>,
    /// Codes of divisions that the list does not know.
    pub unknown_geocodes: Vec<String>,
    /// Why it is not valid.
    pub errors: Vec<Note>,
    /// Advice; blocks nothing.
    pub warnings: Vec<Note>,
}

/// Reads and judges a document. Never fails: what cannot be read is not valid, with the reason.
pub fn judge(text: &str, divisions: &Divisions) -> Judged {
    judge_and_read(text, divisions).0
}

/// [`judge`], with what was read.
pub fn judge_and_read(text: &str, divisions: &Divisions) -> (Judged, Option<Message>) {
    let (message, mut errors) = read(text);
    let Some(message) = message else {
        let judged = Judged {
            valid: false,
            action: Action::None,
            identifier: None,
            status: None,
            msg_type: None,
            targets: vec![],
            hazards: vec![],
            unknown_geocodes: vec![],
            errors,
            warnings: vec![],
        };
        return (judged, None);
    };
    errors.extend(demands(&message));
    let valid = errors.is_empty();
    let action = if valid { action(&message) } else { Action::None };
    let mut unknown = BTreeSet::new();
    let mut targets = BTreeSet::new();
    for area in message.infos.iter().flat_map(|info| &info.areas) {
        divisions.find(area, &mut targets, &mut unknown);
    }
    if action == Action::None {
        targets.clear();
    }
    let judged = Judged {
        valid,
        action,
        targets: targets.into_iter().collect(),
        hazards: hazards(&message),
        unknown_geocodes: unknown.into_iter().collect(),
        errors,
        warnings: advice(&message),
        identifier: message.identifier.clone(),
        status: message.status.clone(),
        msg_type: message.msg_type.clone(),
    };
    (judged, Some(message))
}

fn action(message: &Message) -> Action {
    match (message.status.as_deref(), message.msg_type.as_deref()) {
        (Some("Actual"), Some("Alert" | "Update")) => Action::Deliver,
        (Some("Actual"), Some("Cancel")) => Action::Withdraw,
        (Some("Exercise"), Some("Alert" | "Update" | "Cancel")) => Action::DrillOnly,
        _ => Action::None,
    }
}

fn hazards(message: &Message) -> Vec<String> {
    let codes = message.infos.iter().flat_map(|info| &info.event_codes);
    let own = codes.filter(|(name, _)| name == "KEPU:hazard").map(|(_, value)| value.clone());
    own.collect::<BTreeSet<_>>().into_iter().collect()
}

/// What section 3 of the standard demands and its schema cannot say.
fn demands(m: &Message) -> Vec<Note> {
    let mut found = Vec::new();
    for (rule, value) in [("identifier", &m.identifier), ("sender", &m.sender)] {
        if value.as_deref().is_some_and(|text| text.is_empty() || text.contains([' ', ',', '<', '&', '\t', '\n', '\r'])) {
            found.push(Note::new(rule, "must be there without spaces, commas, < or &"));
        }
    }
    let times =
        std::iter::once(("sent", &m.sent)).chain(m.infos.iter().flat_map(|i| [("effective", &i.effective), ("onset", &i.onset), ("expires", &i.expires)]));
    for (rule, value) in times {
        if value.as_deref().is_some_and(|text| text.trim().ends_with(['Z', 'z'])) {
            found.push(Note::new(rule, "must be ISO 8601 with numeric zone, no Z"));
        }
    }
    let empty = |value: &Option<String>| value.as_deref().is_none_or(|text| text.trim().is_empty());
    if matches!(m.msg_type.as_deref(), Some("Update" | "Cancel" | "Ack" | "Error")) && empty(&m.references) {
        found.push(Note::new("references", "references required for Update/Cancel/Ack/Error"));
    }
    if m.scope.as_deref() == Some("Private") && empty(&m.addresses) {
        found.push(Note::new("addresses", "addresses required for scope Private"));
    }
    for area in m.infos.iter().flat_map(|info| &info.areas) {
        found.extend(area.faults.iter().cloned());
    }
    found
}

/// Advice in the sense of the public-alerts profiles of those who pass warnings on.
fn advice(m: &Message) -> Vec<Note> {
    let mut found = Vec::new();
    let time = |value: &Option<String>| value.as_deref().and_then(|text| text.trim().parse::<Timestamp>().ok());
    for info in &m.infos {
        let (effective, expires, sent) = (time(&info.effective), time(&info.expires), time(&m.sent));
        match expires {
            Some(end) if effective.is_some_and(|begin| begin > end) => found.push(Note::new("expires", "effective after expires")),
            Some(end) if effective.is_none() && sent.is_some_and(|sent| sent > end) => found.push(Note::new("expires", "sent after expires")),
            Some(_) => {}
            None => found.push(Note::new("expires", "no expires: nobody knows when it ends")),
        }
        let named = [("senderName", &info.sender_name), ("headline", &info.headline), ("description", &info.description), ("web", &info.web)];
        found.extend(named.iter().filter(|(_, value)| value.is_none()).map(|(rule, _)| Note::new(rule, format!("no {rule}"))));
        if info.areas.is_empty() {
            found.push(Note::new("area", "no area"));
        }
        if info.areas.iter().any(|area| area.polygons.is_empty() && area.circles.is_empty() && area.geocodes.is_empty() && area.faults.is_empty()) {
            found.push(Note::new("area", "an area has neither polygon, circle nor geocode"));
        }
    }
    if m.infos.is_empty() && matches!(m.msg_type.as_deref(), Some("Alert" | "Update")) {
        found.push(Note::new("info", "no info"));
    }
    if m.scope.as_deref() == Some("Restricted") && m.restriction.is_none() {
        found.push(Note::new("restriction", "scope Restricted without restriction"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIVISIONS: &str = "adcode,name,level,parent,lng,lat\n410000,河南省,province,,113.75,34.76\n410100,郑州市,prefecture,410000,113.62,34.75\n\
        410102,中原区,county,410100,113.61,34.75\n410122,中牟县,county,410100,113.98,34.72\n441900,东莞市,prefecture,440000,113.75,23.02\n440000,广东省,province,,113.27,23.13\n";

    fn divisions() -> Divisions {
        Divisions::read(DIVISIONS).expect("divisions")
    }
    fn alert(area: &str, change: impl Fn(String) -> String) -> Judged {
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><alert xmlns=\"{NAMESPACE}\"><identifier>41010041600000_20260720150000</identifier><sender>a@example.org</sender>\
             <sent>2026-07-20T15:00:00+08:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope><info><language>zh-CN</language><category>Met</category>\
             <event>暴雨</event><urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty><eventCode><valueName>KEPU:hazard</valueName><value>N-RAIN</value></eventCode>\
             <expires>2026-07-20T20:00:00+08:00</expires><senderName>示例台</senderName><headline>暴雨橙色预警</headline><description>雨</description><web>https://a.example.org/</web>\
             <area><areaDesc>郑州</areaDesc>{area}</area></info></alert>"
        );
        judge(&change(text), &divisions())
    }
    fn codes(judged: &Judged) -> Vec<String> {
        judged.targets.iter().map(Region::to_string).collect()
    }
    fn rules(judged: &Judged) -> Vec<&str> {
        judged.errors.iter().map(|note| note.rule.as_str()).collect()
    }
    const CITY: &str = "<geocode><valueName>GB/T 2260</valueName><value>410100</value></geocode>";

    #[test]
    fn a_warning_reaches_the_counties_of_its_code_circle_and_polygon() {
        let judged = alert(CITY, |t| t);
        assert_eq!((judged.valid, judged.action, judged.warnings.len()), (true, Action::Deliver, 0), "{judged:?}");
        assert_eq!((codes(&judged), judged.hazards.as_slice()), (vec!["410102".into(), "410122".into()], &["N-RAIN".to_owned()][..]));
        assert_eq!(codes(&alert("<circle>34.75,113.62 5</circle>", |t| t)), ["410102"]);
        assert_eq!(codes(&alert("<polygon>34.70,113.60 34.80,113.60 34.80,113.62 34.70,113.62 34.70,113.60</polygon>", |t| t)), ["410102"]);
        assert_eq!(
            codes(&alert("<polygon>34.75,113.60 34.80,113.60 34.80,113.62 34.75,113.62 34.75,113.60</polygon>", |t| t)),
            ["410102"],
            "on the edge counts"
        );
        let leaf = alert("<geocode><valueName>GB/T 2260</valueName><value>440000</value></geocode>", |t| t);
        assert_eq!(codes(&leaf), ["441900"], "a prefecture without counties stands for itself");
        let unknown = alert("<geocode><valueName>GB/T 2260</valueName><value>419999</value></geocode>", |t| t);
        assert_eq!((unknown.valid, unknown.unknown_geocodes.as_slice()), (true, &["419999".to_owned()][..]));
    }

    #[test]
    fn what_the_standard_forbids_is_named_and_nothing_is_done() {
        let refused = |from: &str, to: &str| {
            let judged = alert(CITY, |t| t.replacen(from, to, 1));
            assert!(!judged.valid && judged.action == Action::None && judged.targets.is_empty(), "{from} {judged:?}");
            judged
        };
        assert!(rules(&refused("<sent>2026-07-20T15:00:00+08:00", "<sent>2026-07-20T07:00:00Z")).contains(&"sent"));
        assert_eq!(rules(&refused("<msgType>Alert", "<msgType>Update")), ["references"]);
        assert_eq!(rules(&refused("<scope>Public", "<scope>Private")), ["addresses"]);
        assert_eq!(rules(&refused("<severity>Severe", "<severity>High")), ["severity"]);
        assert_eq!(rules(&refused("<certainty>Observed</certainty>", "")), ["certainty"]);
        assert_eq!(rules(&refused("<status>Actual</status><msgType>Alert</msgType>", "<msgType>Alert</msgType><status>Actual</status>")), ["msgType"]);
        assert_eq!(rules(&refused("41010041600000_", "41010041600000,")), ["identifier"]);
        assert_eq!(rules(&refused("cap:1.2", "cap:1.1")), ["namespace"]);
        assert_eq!(rules(&refused("<alert xmlns", "<!DOCTYPE alert [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><alert xmlns")), ["doctype"]);
        assert_eq!(rules(&refused("</alert>", "")), ["xml"]);
        assert_eq!(rules(&alert("<polygon>34,113 35,113 35,114 34,114</polygon>", |t| t)), ["polygon"]);
        assert_eq!(rules(&alert("<polygon>134,113 35,113 35,114 134,113</polygon>", |t| t)), ["polygon"]);
        assert_eq!(rules(&alert("<circle>34,113</circle>", |t| t)), ["circle"]);
    }

    #[test]
    fn drills_tests_and_cancels_are_told_apart() {
        let of = |status: &str, kind: &str| {
            alert(CITY, |t| {
                t.replacen("<status>Actual", &format!("<status>{status}"), 1).replacen("<msgType>Alert", &format!("<msgType>{kind}"), 1).replacen(
                    "</scope>",
                    "</scope><references>a@example.org,1,2026-07-20T14:00:00+08:00</references>",
                    1,
                )
            })
            .action
        };
        assert_eq!((of("Exercise", "Alert"), of("Actual", "Cancel"), of("Actual", "Update")), (Action::DrillOnly, Action::Withdraw, Action::Deliver));
        assert_eq!(
            (of("Test", "Alert"), of("System", "Alert"), of("Draft", "Alert"), of("Actual", "Ack")),
            (Action::None, Action::None, Action::None, Action::None)
        );
    }

    #[test]
    fn hostile_documents_are_refused_at_once() {
        let many = format!("<alert xmlns=\"{NAMESPACE}\" {}/>", (0..50_000).map(|n| format!("a{n}=\">\" ")).collect::<String>());
        assert_eq!(rules(&judge(&many, &divisions())), ["xml"]);
        let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        assert!(!judge(&deep, &divisions()).valid);
        assert!(!judge("", &divisions()).valid);
    }
}
