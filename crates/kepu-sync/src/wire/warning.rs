//! Official warnings as schema.org `SpecialAnnouncement`, with what names and dates the original; drills as their own small object.

use crate::record::write_time;
use jiff::Timestamp;
use kepu_domain::deliver::drill::{self, Drill};
use kepu_domain::deliver::warning::{Kind, Name, Warning, Words};
use kepu_domain::org::Region;
use kepu_domain::record::{Body, Envelope};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Most places, references and languages.
const PARTS_MAX: usize = 4_000;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(rename = "@type", default)]
    type_: String,
    sender: String,
    message: String,
    date_posted: String,
    message_type: Kind,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    references: Vec<Name>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    hazard: String,
    level: i64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    urgency: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    certainty: String,
    valid_from: String,
    expires: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    open_end: bool,
    /// Codes of divisions parted by spaces: the shortest way to write thousands.
    spatial_coverage: String,
    announcement: Vec<Words>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    web: String,
    sha256: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    taken_back: String,
}

pub(super) fn write(w: &Warning) -> Map<String, Value> {
    super::to_map(&Wire {
        type_: "SpecialAnnouncement".into(),
        sender: w.name.sender.clone(),
        message: w.name.identifier.clone(),
        date_posted: write_time(w.sent),
        message_type: w.kind,
        references: w.references.clone(),
        hazard: w.hazard.clone(),
        level: w.level,
        urgency: w.urgency.clone(),
        certainty: w.certainty.clone(),
        valid_from: write_time(w.effective),
        expires: write_time(w.expires),
        open_end: !w.ends,
        spatial_coverage: w.places.iter().map(Region::to_string).collect::<Vec<_>>().join(" "),
        announcement: w.words.clone(),
        web: w.web.clone(),
        sha256: w.original.clone(),
        taken_back: w.taken_back.clone(),
    })
}

pub(super) fn read(value: &Value, _: &Envelope) -> Result<Body, String> {
    let w: Wire = super::from_value(value)?;
    let time = |name: &str, text: &str| text.parse::<Timestamp>().map_err(|_| format!("{name} is no time"));
    let places = w.spatial_coverage.split_whitespace().map(|code| Region::parse(code).map_err(|e| e.to_string())).collect::<Result<Vec<_>, _>>()?;
    if places.len() > PARTS_MAX || w.references.len() > PARTS_MAX || w.announcement.len() > PARTS_MAX {
        return Err(format!("a warning has at most {PARTS_MAX} places, references and languages"));
    }
    if !(1..=4).contains(&w.level) {
        return Err("level is 1 to 4".into());
    }
    let (sent, expires) = (time("datePosted", &w.date_posted)?, time("expires", &w.expires)?);
    if expires < sent {
        return Err("expires lies before datePosted".into());
    }
    Ok(Body::Warning(Box::new(Warning {
        name: Name { sender: w.sender, identifier: w.message },
        sent,
        kind: w.message_type,
        references: w.references,
        hazard: w.hazard,
        level: w.level,
        urgency: w.urgency,
        certainty: w.certainty,
        effective: time("validFrom", &w.valid_from)?,
        expires,
        ends: !w.open_end,
        places,
        words: w.announcement,
        web: if w.web.starts_with("https://") || w.web.starts_with("http://") { w.web } else { String::new() },
        original: w.sha256,
        taken_back: w.taken_back,
    })))
}

#[derive(Serialize, Deserialize)]
struct WireDrill {
    drill: Drill,
}

pub(super) fn write_drill(drill: &Drill) -> Map<String, Value> {
    super::to_map(&WireDrill { drill: drill.clone() })
}

pub(super) fn read_drill(value: &Value, envelope: &Envelope) -> Result<Body, String> {
    // A drill that is not marked would travel to nodes that never asked for one.
    if envelope.fields != [drill::FIELD] {
        return Err("a drill has the field \"drill\" and no other".into());
    }
    let w: WireDrill = super::from_value(value)?;
    Ok(Body::Drill(Box::new(w.drill)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kepu_domain::ids::SubjectId;
    use kepu_domain::record::{Place, Stream};

    fn envelope(fields: &[&str]) -> Envelope {
        Envelope {
            place: Place { key: "did:key:z".into(), stream: Stream::Alert, n: 1 },
            modified: Timestamp::UNIX_EPOCH,
            subject: SubjectId::new("abcdefgh23", "w-1"),
            region: Region::NATION,
            fields: fields.iter().map(|f| (*f).to_owned()).collect(),
            lang: "zh-Hans".into(),
        }
    }

    #[test]
    fn a_warning_reads_back() {
        let at = |second| Timestamp::from_second(second).expect("time");
        let warning = Warning {
            name: Name { sender: "a@example.org".into(), identifier: "1".into() },
            sent: at(10),
            kind: Kind::Update,
            references: vec![Name { sender: "a@example.org".into(), identifier: "0".into() }],
            hazard: "N-RAIN".into(),
            level: 2,
            urgency: "Immediate".into(),
            certainty: "Observed".into(),
            effective: at(10),
            expires: at(99),
            ends: false,
            places: vec![Region::NATION, Region::parse("410100").expect("code")],
            words: vec![Words { lang: "zh-Hans".into(), headline: "暴雨".into(), ..Words::default() }],
            web: "https://example.org/".into(),
            original: "ab".into(),
            taken_back: String::new(),
        };
        let read = |value: Map<String, Value>| super::read(&Value::Object(value), &envelope(&[]));
        assert_eq!(read(write(&warning)), Ok(Body::Warning(Box::new(warning.clone()))));
        for (name, bad) in [("level", Value::from(7)), ("expires", "1970-01-01T00:00:01Z".into()), ("spatialCoverage", "41".into())] {
            let mut value = write(&warning);
            value.insert(name.into(), bad);
            assert!(read(value).is_err(), "{name}");
        }
    }

    #[test]
    fn a_drill_must_be_marked() {
        let drill = Drill::End { drill: SubjectId::new("abcdefgh23", "d-1"), at: Timestamp::UNIX_EPOCH };
        let value = Value::Object(write_drill(&drill));
        assert_eq!(read_drill(&value, &envelope(&["drill"])), Ok(Body::Drill(Box::new(drill))));
        assert!(read_drill(&value, &envelope(&[])).is_err() && read_drill(&value, &envelope(&["drill", "health"])).is_err());
    }
}
