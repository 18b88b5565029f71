//! What two nodes tell each other beside records: small facts in `Frame::Meta`, as JSON.

use kepu_domain::ids::KeyId;
use kepu_domain::record::{N_MAX, Stream};
use serde::{Deserialize, Serialize};

/// Ranges asked for in one request at most.
pub const WANTS_MAX: usize = 500;

/// Facts of one request or answer. What a later release adds is passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// "Your cursor is of another epoch than mine: send what you hold of each key, and I send the rest."
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub vector: bool,
    /// Numbers that the sender lacks: `[key, stream, from, to]`, both ends included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    want: Vec<(String, String, i64, i64)>,
}

/// Numbers of one stream that a node asks for, both ends included.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Want {
    /// The key.
    pub key: KeyId,
    /// The stream.
    pub stream: Stream,
    /// First number.
    pub from: i64,
    /// Last number.
    pub to: i64,
}

impl Note {
    /// "Send me what you hold of each key."
    pub fn ask_vector() -> Self {
        Self { vector: true, want: vec![] }
    }

    /// Asks for numbers; what exceeds [`WANTS_MAX`] ranges is left for another time.
    pub fn ask(wants: &[Want]) -> Self {
        let want = wants.iter().take(WANTS_MAX).map(|w| (w.key.0.clone(), w.stream.to_string(), w.from, w.to)).collect();
        Self { vector: false, want }
    }

    /// The numbers asked for, as far as they can be read; at most [`WANTS_MAX`] ranges.
    pub fn wants(&self) -> Vec<Want> {
        let read = |(key, stream, from, to): &(String, String, i64, i64)| {
            let stream = Stream::parse(stream).filter(|stream| *stream != Stream::Up)?;
            let sound = 1 <= *from && from <= to && *to <= N_MAX && key.len() <= 120;
            sound.then(|| Want { key: KeyId(key.clone()), stream, from: *from, to: *to })
        };
        self.want.iter().take(WANTS_MAX).filter_map(read).collect()
    }

    /// As JSON.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads JSON; a note of an unknown form says nothing.
    pub fn from_json(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_reads_back_and_nonsense_asks_for_nothing() {
        let want = Want { key: KeyId::from("did:key:a"), stream: Stream::Alert, from: 3, to: 9 };
        assert_eq!(Note::from_json(&Note::ask(std::slice::from_ref(&want)).to_json()).wants(), [want]);
        assert!(Note::from_json(&Note::ask_vector().to_json()).vector);
        for bad in [r#"{"want":[["a","alert",0,1]]}"#, r#"{"want":[["a","up",1,1]]}"#, r#"{"want":[["a","lib",2,1]]}"#, "[]", "", r#"{"want":7}"#] {
            assert!(Note::from_json(bad.as_bytes()).wants().is_empty(), "{bad}");
        }
    }
}
