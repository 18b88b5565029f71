//! What meetings and inspections ask and places report, as its own small object.

use kepu_domain::listen::decision::{Coordination, FIELD};
use kepu_domain::record::{Body, Envelope};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Serialize, Deserialize)]
struct Wire {
    coordination: Coordination,
}

pub(super) fn write(says: &Coordination) -> Map<String, Value> {
    super::to_map(&Wire { coordination: says.clone() })
}

pub(super) fn read(value: &Value, envelope: &Envelope) -> Result<Body, String> {
    // What is not marked would travel to nodes that never asked for it, and be shown to everybody.
    if envelope.fields != [FIELD] {
        return Err("coordination has the field \"coordination\" and no other".into());
    }
    let Wire { coordination } = super::from_value(value)?;
    coordination.sound()?;
    Ok(Body::Coordination(Box::new(coordination)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use kepu_domain::ids::SubjectId;
    use kepu_domain::listen::decision::{Outcome, Report, Said};
    use kepu_domain::org::Region;
    use kepu_domain::record::{Place, Stream};

    fn envelope(fields: &[&str]) -> Envelope {
        Envelope {
            place: Place { key: "did:key:z".into(), stream: Stream::Lib, n: 1 },
            modified: Timestamp::UNIX_EPOCH,
            subject: SubjectId::new("abcdefgh23", "c-1"),
            region: Region::NATION,
            fields: fields.iter().map(|f| (*f).to_owned()).collect(),
            lang: "zh-Hans".into(),
        }
    }

    #[test]
    fn coordination_must_be_marked_and_keep_its_limits() {
        let said = vec![Said { outcome: Outcome::Done, at: Timestamp::UNIX_EPOCH, words: "https://example.org/".into() }];
        let report = Report { decision: SubjectId::new("abcdefgh23", "d-1"), ask: "a1".into(), place: Region::NATION, host: "县".into(), said };
        let says = Coordination::Report(report.clone());
        let value = Value::Object(write(&says));
        assert_eq!(read(&value, &envelope(&["coordination"])), Ok(Body::Coordination(Box::new(says))));
        assert!(read(&value, &envelope(&[])).is_err() && read(&value, &envelope(&["coordination", "health"])).is_err());
        let empty = Value::Object(write(&Coordination::Report(Report { said: vec![], ..report })));
        assert!(read(&empty, &envelope(&["coordination"])).is_err());
    }
}
