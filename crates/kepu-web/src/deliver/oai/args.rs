//! What a harvester asks for: verbs, arguments, dates in two granularities, and tokens that say everything themselves, so that a harvest
//! goes on after a restart and on another process of the same node.

use crate::form::Fields;
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use kepu_domain::ids::SubjectId;
use kepu_domain::vocabulary::FIELDS;
use kepu_store::deliver::change::Asked;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The one metadata format.
pub(super) const PREFIX: &str = "oai_dc";
/// Longest token.
const TOKEN_MAX: usize = 1_000;

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wanted {
    Identify,
    Formats(Option<SubjectId>),
    Sets,
    Record(SubjectId),
    List { selection: Selection, records: bool },
}

/// Which records, and from where on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Selection {
    pub asked: Asked,
    pub after: Option<(i64, String)>,
    /// How many came before.
    pub cursor: i64,
}

/// What is wrong with a request, in the words of the protocol.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fault {
    Verb,
    Argument(&'static str),
    Token,
    Format,
    Id(SubjectId),
    Empty,
}

impl Fault {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Fault::Verb => "badVerb",
            Fault::Argument(_) => "badArgument",
            Fault::Token => "badResumptionToken",
            Fault::Format => "cannotDisseminateFormat",
            Fault::Id(_) => "idDoesNotExist",
            Fault::Empty => "noRecordsMatch",
        }
    }

    /// For the people behind the harvester; the protocol's own language is English.
    pub(super) fn words(&self) -> String {
        match self {
            Fault::Verb => "One verb is needed: Identify, ListMetadataFormats, ListSets, ListIdentifiers, ListRecords or GetRecord.".into(),
            Fault::Argument(why) => (*why).to_owned(),
            Fault::Token => "This token was not given here. Begin the harvest again, from the datestamp reached.".into(),
            Fault::Format => format!("Only {PREFIX} is given here."),
            Fault::Id(id) => format!("Nothing here has the identifier {}.", kepu_text::truncate(&id.0, 200)),
            Fault::Empty => "Nothing here matches from, until and set.".into(),
        }
    }
}

/// A place in a harvest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    #[serde(default, rename = "k", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(default, rename = "d", skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(default, rename = "f", skip_serializing_if = "Option::is_none")]
    from: Option<i64>,
    #[serde(default, rename = "b", skip_serializing_if = "Option::is_none")]
    before: Option<i64>,
    #[serde(rename = "a")]
    at: i64,
    #[serde(rename = "i")]
    id: String,
    #[serde(rename = "n")]
    cursor: i64,
}

impl Token {
    /// The place after a page of `count` records.
    pub(super) fn next(selection: &Selection, (at, id): (i64, String), count: usize) -> Self {
        let asked = selection.asked.clone();
        let cursor = selection.cursor + i64::try_from(count).unwrap_or_default();
        Self { kind: asked.kind, field: asked.field, from: asked.from, before: asked.before, at, id, cursor }
    }

    /// As one word.
    pub(super) fn write(&self) -> String {
        BASE64URL_NOPAD.encode(&serde_json::to_vec(self).unwrap_or_default())
    }

    fn read(text: &str) -> Option<Self> {
        if text.len() > TOKEN_MAX {
            return None;
        }
        serde_json::from_slice(&BASE64URL_NOPAD.decode(text.as_bytes()).ok()?).ok().filter(|token: &Self| token.cursor >= 0)
    }
}

/// Reads a request.
pub(super) fn read(fields: &Fields) -> Result<Wanted, Fault> {
    let verbs = fields.every("verb");
    let [verb] = verbs.as_slice() else { return Err(Fault::Verb) };
    let mut seen = HashSet::new();
    if !fields.0.iter().all(|(name, _)| seen.insert(name.as_str())) {
        return Err(Fault::Argument("An argument stands twice."));
    }
    let only = |allowed: &[&str]| match fields.0.iter().all(|(name, _)| name == "verb" || allowed.contains(&name.as_str())) {
        true => Ok(()),
        false => Err(Fault::Argument("An argument is not one of this verb.")),
    };
    match verb.as_str() {
        "Identify" => only(&[]).map(|()| Wanted::Identify),
        "ListMetadataFormats" => only(&["identifier"]).map(|()| Wanted::Formats(fields.opt("identifier").map(SubjectId::from))),
        "ListSets" if fields.has("resumptionToken") => only(&["resumptionToken"]).and(Err(Fault::Token)),
        "ListSets" => only(&[]).map(|()| Wanted::Sets),
        "GetRecord" => {
            only(&["identifier", "metadataPrefix"])?;
            let id = fields.opt("identifier").ok_or(Fault::Argument("identifier is missing."))?;
            prefix(fields)?;
            Ok(Wanted::Record(id.into()))
        }
        "ListRecords" | "ListIdentifiers" => Ok(Wanted::List { selection: selection(fields, &only)?, records: verb == "ListRecords" }),
        _ => Err(Fault::Verb),
    }
}

fn prefix(fields: &Fields) -> Result<(), Fault> {
    match fields.opt("metadataPrefix") {
        Some(PREFIX) => Ok(()),
        Some(_) => Err(Fault::Format),
        None => Err(Fault::Argument("metadataPrefix is missing.")),
    }
}

fn selection(fields: &Fields, only: &impl Fn(&[&str]) -> Result<(), Fault>) -> Result<Selection, Fault> {
    if fields.has("resumptionToken") {
        // The token says everything; anything beside it could only contradict.
        only(&["resumptionToken"])?;
        let token = Token::read(fields.get("resumptionToken")).ok_or(Fault::Token)?;
        let asked = Asked { kind: token.kind, field: token.field, from: token.from, before: token.before, shown: false };
        return Ok(Selection { asked, after: Some((token.at, token.id)), cursor: token.cursor });
    }
    only(&["from", "until", "set", "metadataPrefix"])?;
    prefix(fields)?;
    let from = fields.has("from").then(|| stamp(fields.get("from"))).transpose()?;
    let until = fields.has("until").then(|| stamp(fields.get("until"))).transpose()?;
    if let (Some(from), Some(until)) = (&from, &until) {
        if from.length != until.length {
            return Err(Fault::Argument("from and until must have the same granularity."));
        }
        if from.at > until.at {
            return Err(Fault::Argument("from lies after until."));
        }
    }
    let (kind, field) = if fields.has("set") { set(fields.get("set"))? } else { (None, None) };
    let asked = Asked { kind, field, from: from.map(|s| s.at), before: until.map(|s| s.at + s.length), shown: false };
    Ok(Selection { asked, after: None, cursor: 0 })
}

/// The kind or field of a set.
fn set(spec: &str) -> Result<(Option<String>, Option<String>), Fault> {
    match spec.split_once(':') {
        None if matches!(spec, "resource" | "claim") => Ok((Some(spec.to_owned()), None)),
        // Everything has a field.
        None if spec == "field" => Ok((None, None)),
        Some(("field", field)) if FIELDS.find(field).is_some() => Ok((None, Some(field.to_owned()))),
        _ => Err(Fault::Empty),
    }
}

/// The first millisecond of a day or second, and how many it has.
struct Stamp {
    at: i64,
    length: i64,
}

fn stamp(text: &str) -> Result<Stamp, Fault> {
    let wrong = Fault::Argument("Dates are written YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ, in UTC.");
    let ms = |at: DateTime| Offset::UTC.to_timestamp(at).map(Timestamp::as_millisecond);
    let read = match text.len() {
        10 => text.parse::<Date>().and_then(|day| ms(day.at(0, 0, 0, 0))).map(|at| Stamp { at, length: 24 * 3_600_000 }),
        20 if text.ends_with('Z') && text.as_bytes().get(10) == Some(&b'T') => {
            text[..19].parse::<DateTime>().and_then(ms).map(|at| Stamp { at, length: 1_000 })
        }
        _ => return Err(wrong),
    };
    read.map_err(|_| wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Result<Wanted, Fault> {
        read(&Fields::parse(query.as_bytes()).expect("query"))
    }

    #[test]
    fn every_mistake_has_the_code_of_the_protocol() {
        for (query, code) in [
            ("", "badVerb"),
            ("verb=Nothing", "badVerb"),
            ("verb=Identify&verb=Identify", "badVerb"),
            ("verb=Identify&set=claim", "badArgument"),
            ("verb=GetRecord&metadataPrefix=oai_dc", "badArgument"),
            ("verb=GetRecord&identifier=x", "badArgument"),
            ("verb=GetRecord&identifier=x&metadataPrefix=marc21", "cannotDisseminateFormat"),
            ("verb=ListRecords", "badArgument"),
            ("verb=ListRecords&metadataPrefix=oai_dc&metadataPrefix=oai_dc", "badArgument"),
            ("verb=ListRecords&metadataPrefix=marc21", "cannotDisseminateFormat"),
            ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-1-1", "badArgument"),
            ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-02-30", "badArgument"),
            ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-01-02&until=2026-01-01", "badArgument"),
            ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-01-02&until=2026-01-03T00:00:00Z", "badArgument"),
            ("verb=ListRecords&metadataPrefix=oai_dc&set=marc", "noRecordsMatch"),
            ("verb=ListRecords&resumptionToken=nonsense", "badResumptionToken"),
            ("verb=ListRecords&resumptionToken=", "badResumptionToken"),
            ("verb=ListIdentifiers&resumptionToken=x&metadataPrefix=oai_dc", "badArgument"),
            ("verb=ListSets&resumptionToken=x", "badResumptionToken"),
        ] {
            assert_eq!(asked(query).expect_err(query).code(), code, "{query}");
        }
    }

    #[test]
    fn days_and_seconds_are_whole_and_until_is_included() {
        let Ok(Wanted::List { selection, records: true }) = asked("verb=ListRecords&metadataPrefix=oai_dc&from=1970-01-02&until=1970-01-02&set=field:health")
        else {
            panic!("a list")
        };
        assert_eq!((selection.asked.from, selection.asked.before), (Some(86_400_000), Some(172_800_000)));
        assert_eq!(selection.asked.field.as_deref(), Some("health"));
        let Ok(Wanted::List { selection, records: false }) = asked("verb=ListIdentifiers&metadataPrefix=oai_dc&until=1970-01-01T00:00:05Z") else {
            panic!("a list")
        };
        assert_eq!((selection.asked.from, selection.asked.before), (None, Some(6_000)));
    }

    #[test]
    fn a_token_says_everything_itself() {
        let asked = Asked { kind: Some("claim".into()), field: None, from: Some(5), before: None, shown: false };
        let selection = Selection { asked: asked.clone(), after: None, cursor: 0 };
        let token = Token::next(&selection, (7, "kepu:a/𠮷".into()), 100).write();
        let Ok(Wanted::List { selection, .. }) = super::read(&Fields(vec![("verb".into(), "ListRecords".into()), ("resumptionToken".into(), token)])) else {
            panic!("a list")
        };
        assert_eq!(selection, Selection { asked, after: Some((7, "kepu:a/𠮷".into())), cursor: 100 });
    }
}
