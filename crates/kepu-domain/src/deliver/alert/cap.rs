//! The form of a CAP 1.2 document, as its XML schema says it: which elements, in which order, how often, with which words.

use super::{NAMESPACE, Note};
use roxmltree::{Document, Node, ParsingOptions};

/// Most bytes between `<` and `>`: the standard has no attributes, and comparing thousands of them takes long.
const TAG_MAX: usize = 8 * 1024;
/// Most nodes of a document.
const NODES_MAX: u32 = 500_000;
/// Deepest nesting; the standard needs four, a signature inside some more.
const DEPTH_MAX: usize = 64;

/// What is read of a message.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// `identifier`.
    pub identifier: Option<String>,
    /// `sender`.
    pub sender: Option<String>,
    /// `sent`.
    pub sent: Option<String>,
    /// `status`.
    pub status: Option<String>,
    /// `msgType`.
    pub msg_type: Option<String>,
    /// `scope`.
    pub scope: Option<String>,
    /// `restriction`.
    pub restriction: Option<String>,
    /// `addresses`.
    pub addresses: Option<String>,
    /// `references`.
    pub references: Option<String>,
    /// `info`, one a language or hazard.
    pub infos: Vec<Info>,
}

/// One `info`.
#[derive(Clone, Debug, Default)]
pub struct Info {
    /// `language`.
    pub language: Option<String>,
    /// `event`.
    pub event: Option<String>,
    /// `urgency`.
    pub urgency: Option<String>,
    /// `certainty`.
    pub certainty: Option<String>,
    /// `severity`.
    pub severity: Option<String>,
    /// `effective`.
    pub effective: Option<String>,
    /// `onset`.
    pub onset: Option<String>,
    /// `expires`.
    pub expires: Option<String>,
    /// `senderName`.
    pub sender_name: Option<String>,
    /// `headline`.
    pub headline: Option<String>,
    /// `description`.
    pub description: Option<String>,
    /// `instruction`.
    pub instruction: Option<String>,
    /// `web`.
    pub web: Option<String>,
    /// `eventCode`: name and value.
    pub event_codes: Vec<(String, String)>,
    /// `area`.
    pub areas: Vec<Area>,
}

/// Latitude and longitude, degrees of WGS 84.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lng: f64,
}

/// A circle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Circle {
    /// Centre.
    pub at: Point,
    /// Kilometres.
    pub km: f64,
}

/// One `area`.
#[derive(Clone, Debug, Default)]
pub struct Area {
    /// `areaDesc`.
    pub desc: String,
    /// Closed polygons.
    pub polygons: Vec<Vec<Point>>,
    /// Circles.
    pub circles: Vec<Circle>,
    /// `geocode`: name and value.
    pub geocodes: Vec<(String, String)>,
    /// What is wrong with its figures.
    pub faults: Vec<Note>,
}

/// What a simple element holds.
#[derive(Clone, Copy)]
enum Holds {
    Text,
    Words(&'static [&'static str]),
    Time,
    Language,
    Integer,
    Decimal,
    Group(&'static [Element]),
}

/// An element with how often it may come: least, most.
struct Element {
    name: &'static str,
    least: usize,
    most: usize,
    holds: Holds,
}

const fn one(name: &'static str, holds: Holds) -> Element {
    Element { name, least: 1, most: 1, holds }
}
const fn perhaps(name: &'static str, holds: Holds) -> Element {
    Element { name, least: 0, most: 1, holds }
}
const fn any(name: &'static str, holds: Holds) -> Element {
    Element { name, least: 0, most: usize::MAX, holds }
}

use Holds::{Decimal, Group, Integer, Language, Text, Time, Words};

const PAIR: &[Element] = &[one("valueName", Text), one("value", Text)];
const RESOURCE: &[Element] =
    &[one("resourceDesc", Text), one("mimeType", Text), perhaps("size", Integer), perhaps("uri", Text), perhaps("derefUri", Text), perhaps("digest", Text)];
const AREA: &[Element] =
    &[one("areaDesc", Text), any("polygon", Text), any("circle", Text), any("geocode", Group(PAIR)), perhaps("altitude", Decimal), perhaps("ceiling", Decimal)];
const INFO: &[Element] = &[
    perhaps("language", Language),
    Element {
        name: "category",
        least: 1,
        most: usize::MAX,
        holds: Words(&["Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"]),
    },
    one("event", Text),
    any("responseType", Words(&["Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None"])),
    one("urgency", Words(&["Immediate", "Expected", "Future", "Past", "Unknown"])),
    one("severity", Words(&["Extreme", "Severe", "Moderate", "Minor", "Unknown"])),
    one("certainty", Words(&["Observed", "Likely", "Possible", "Unlikely", "Unknown"])),
    perhaps("audience", Text),
    any("eventCode", Group(PAIR)),
    perhaps("effective", Time),
    perhaps("onset", Time),
    perhaps("expires", Time),
    perhaps("senderName", Text),
    perhaps("headline", Text),
    perhaps("description", Text),
    perhaps("instruction", Text),
    perhaps("web", Text),
    perhaps("contact", Text),
    any("parameter", Group(PAIR)),
    any("resource", Group(RESOURCE)),
    any("area", Group(AREA)),
];
const ALERT: &[Element] = &[
    one("identifier", Text),
    one("sender", Text),
    one("sent", Time),
    one("status", Words(&["Actual", "Exercise", "System", "Test", "Draft"])),
    one("msgType", Words(&["Alert", "Update", "Cancel", "Ack", "Error"])),
    perhaps("source", Text),
    one("scope", Words(&["Public", "Restricted", "Private"])),
    perhaps("restriction", Text),
    perhaps("addresses", Text),
    any("code", Text),
    perhaps("note", Text),
    perhaps("references", Text),
    perhaps("incidents", Text),
    any("info", Group(INFO)),
];
/// What may stand after the last `info`: an enveloped signature.
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";

/// The message with what is wrong with its form; no message where there is none to read.
pub fn read(text: &str) -> (Option<Message>, Vec<Note>) {
    match tree(text, read_root) {
        Ok(read) => read,
        Err(note) => (None, vec![note]),
    }
}

/// Parses a document within limits and looks at its root.
pub(super) fn tree<T>(text: &str, look: impl FnOnce(Node<'_, '_>) -> T) -> Result<T, Note> {
    let text = text.trim_start_matches('\u{feff}');
    if let Some(note) = hostile(text) {
        return Err(note);
    }
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    match Document::parse_with_options(text, options) {
        Ok(tree) => Ok(look(tree.root_element())),
        Err(roxmltree::Error::DtdDetected) => Err(Note::new("doctype", "DOCTYPE present: reject before expanding any entity")),
        Err(error) => Err(Note::new("xml", format!("not well-formed: {error}"))),
    }
}

fn read_root(root: Node<'_, '_>) -> (Option<Message>, Vec<Note>) {
    if root.tag_name().name() != "alert" {
        return (None, vec![Note::new("root", format!("the root is <{}>, not <alert>", root.tag_name().name()))]);
    }
    let mut errors = Vec::new();
    match root.tag_name().namespace() {
        Some(NAMESPACE) => sequence(root, ALERT, &mut errors),
        other => errors.push(Note::new("namespace", format!("the namespace is {}, not {NAMESPACE}", other.unwrap_or("missing")))),
    }
    (Some(message(root)), errors)
}

/// What would cost much to parse and is no warning: endless tags, endless nesting.
fn hostile(text: &str) -> Option<Note> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0_usize, 0_usize);
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.iter().position(|b| *b == b'<')) {
        let start = at + found;
        let rest = &bytes[start..];
        let skip = |end: &[u8]| rest.windows(end.len()).position(|window| window == end).map_or(rest.len(), |to| to + end.len());
        if rest.starts_with(b"<!--") {
            at = start + skip(b"-->");
            continue;
        }
        if rest.starts_with(b"<![CDATA[") {
            at = start + skip(b"]]>");
            continue;
        }
        let mut quote = None;
        let mut length = None;
        for (n, byte) in rest.iter().enumerate().take(TAG_MAX) {
            match (quote, byte) {
                (None, b'"' | b'\'') => quote = Some(*byte),
                (Some(open), byte) if open == *byte => quote = None,
                (None, b'>') => {
                    length = Some(n + 1);
                    break;
                }
                _ => {}
            }
        }
        let Some(length) = length else {
            // A document that just ends is for the parser to name.
            return (rest.len() > TAG_MAX).then(|| Note::new("xml", format!("a tag is longer than {TAG_MAX} bytes")));
        };
        match (rest.get(1), rest.get(length.wrapping_sub(2))) {
            (Some(b'/'), _) => depth = depth.saturating_sub(1),
            (Some(b'?' | b'!'), _) | (_, Some(b'/')) => {}
            _ => depth += 1,
        }
        if depth > DEPTH_MAX {
            return Some(Note::new("xml", format!("elements are nested deeper than {DEPTH_MAX}")));
        }
        at = start + length;
    }
    None
}

/// Checks the children of an element against the sequence; the first thing out of order is named, as a validating parser does.
fn sequence(node: Node<'_, '_>, wanted: &[Element], errors: &mut Vec<Note>) {
    let schema = "http://www.w3.org/2001/XMLSchema-instance";
    if let Some(attribute) = node.attributes().find(|a| a.namespace() != Some(schema)) {
        errors.push(Note::new(attribute.name(), format!("<{}> has no attribute {}", node.tag_name().name(), attribute.name())));
    }
    if node.children().any(|child| child.is_text() && child.text().is_some_and(|text| !text.trim().is_empty())) {
        errors.push(Note::new(node.tag_name().name(), "text stands between the elements"));
    }
    let (mut place, mut count) = (0, 0);
    for child in node.children().filter(Node::is_element) {
        let name = child.tag_name().name();
        let own = child.tag_name().namespace() == Some(NAMESPACE);
        if !own && child.tag_name().namespace() == Some(SIGNATURE) && std::ptr::eq(wanted, ALERT) {
            place = wanted.len();
            continue;
        }
        let at = if own { wanted.iter().enumerate().skip(place).find(|(_, element)| element.name == name).map(|(at, _)| at) } else { None };
        let open = |from: usize, to: usize| wanted[from..to].iter().enumerate().find(|(n, e)| e.least > if *n == 0 { count } else { 0 }).map(|(_, e)| e.name);
        match at {
            None => return errors.push(unexpected(node, name, open(place.min(wanted.len()), wanted.len()))),
            Some(at) if at > place => {
                if let Some(missing) = open(place, at) {
                    return errors.push(unexpected(node, name, Some(missing)));
                }
                (place, count) = (at, 1);
            }
            Some(_) => count += 1,
        }
        if count > wanted[place].most {
            return errors.push(Note::new(name, format!("<{name}> comes more than once")));
        }
        simple(child, wanted[place].holds, errors);
    }
    let rest = wanted.iter().enumerate().skip(place).find(|(at, element)| element.least > if *at == place { count } else { 0 });
    if let Some((_, missing)) = rest {
        errors.push(Note::new(missing.name, format!("<{}> is missing", missing.name)));
    }
}

/// Something stands where a needed element should: if that comes elsewhere, the order is wrong; else it is missing.
fn unexpected(node: Node<'_, '_>, name: &str, wanted: Option<&str>) -> Note {
    match wanted {
        Some(missing) if child(node, missing).is_none() => Note::new(missing, format!("<{name}> is not expected here; expected is <{missing}>")),
        Some(later) => Note::new(name, format!("<{name}> is not expected here; expected is <{later}>")),
        None => Note::new(name, format!("<{name}> is not expected here")),
    }
}

fn simple(node: Node<'_, '_>, holds: Holds, errors: &mut Vec<Note>) {
    let name = node.tag_name().name();
    if let Group(inner) = holds {
        return sequence(node, inner, errors);
    }
    if node.children().any(|child| child.is_element()) {
        return errors.push(Note::new(name, format!("<{name}> holds no elements")));
    }
    if node.attributes().any(|a| a.namespace() != Some("http://www.w3.org/2001/XMLSchema-instance")) {
        errors.push(Note::new(name, format!("<{name}> has no attributes")));
    }
    let whole = said(node);
    let text = whole.trim();
    let wrong = match holds {
        Words(words) if !words.contains(&whole.as_str()) => Some(format!("\"{whole}\" is none of {}", words.join(", "))),
        Time if !is_time(text) => Some(format!("\"{text}\" is no time like 2026-07-20T15:00:00+08:00")),
        Language if !is_language(text) => Some(format!("\"{text}\" is no language tag")),
        Integer if text.parse::<i128>().is_err() => Some(format!("\"{text}\" is no whole number")),
        Decimal if !is_decimal(text) => Some(format!("\"{text}\" is no decimal number")),
        _ => None,
    };
    errors.extend(wrong.map(|text| Note::new(name, text)));
}

/// `dddd-dd-ddTdd:dd:dd±dd:dd` and a moment that exists.
fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let form = b"dddd-dd-ddTdd:dd:ddsdd:dd";
    bytes.len() == form.len()
        && bytes.iter().zip(form).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            b's' => matches!(byte, b'+' | b'-'),
            other => byte == other,
        })
        && text.parse::<jiff::Timestamp>().is_ok()
}

fn is_language(text: &str) -> bool {
    let part = |part: &str, digits: bool| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic() || digits && b.is_ascii_digit());
    text.split('-').enumerate().all(|(at, one)| part(one, at > 0))
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits != "." && digits.bytes().filter(|b| *b == b'.').count() <= 1 && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

fn said(node: Node<'_, '_>) -> String {
    node.children().filter(Node::is_text).filter_map(|child| child.text()).collect()
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|one| one.is_element() && one.tag_name().name() == name)
}

fn every<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |one| one.is_element() && one.tag_name().name() == name)
}

fn message(root: Node<'_, '_>) -> Message {
    let text = |name: &str| child(root, name).map(said);
    Message {
        identifier: text("identifier"),
        sender: text("sender"),
        sent: text("sent"),
        status: text("status"),
        msg_type: text("msgType"),
        scope: text("scope"),
        restriction: text("restriction"),
        addresses: text("addresses"),
        references: text("references"),
        infos: every(root, "info").map(info).collect(),
    }
}

fn info(node: Node<'_, '_>) -> Info {
    let text = |name: &str| child(node, name).map(said);
    Info {
        language: text("language"),
        event: text("event"),
        urgency: text("urgency"),
        certainty: text("certainty"),
        severity: text("severity"),
        effective: text("effective"),
        onset: text("onset"),
        expires: text("expires"),
        sender_name: text("senderName"),
        headline: text("headline"),
        description: text("description"),
        instruction: text("instruction"),
        web: text("web"),
        event_codes: every(node, "eventCode").map(pair).collect(),
        areas: every(node, "area").map(area).collect(),
    }
}

fn pair(node: Node<'_, '_>) -> (String, String) {
    let text = |name: &str| child(node, name).map(said).unwrap_or_default().trim().to_owned();
    (text("valueName"), text("value"))
}

fn area(node: Node<'_, '_>) -> Area {
    let desc = child(node, "areaDesc").map(said).unwrap_or_default().trim().to_owned();
    let mut out = Area { desc, geocodes: every(node, "geocode").map(pair).collect(), ..Area::default() };
    for polygon in every(node, "polygon") {
        match points(&said(polygon)) {
            Ok(list) => out.polygons.push(list),
            Err(why) => out.faults.push(Note::new("polygon", why)),
        }
    }
    for ring in every(node, "circle") {
        match circle(&said(ring)) {
            Ok(one) => out.circles.push(one),
            Err(why) => out.faults.push(Note::new("circle", why)),
        }
    }
    out
}

fn point(text: &str) -> Result<Point, &'static str> {
    let (lat, lng) = text.split_once(',').ok_or("write latitude,longitude")?;
    let number = |text: &str| text.parse::<f64>().ok().filter(|n| n.is_finite()).ok_or("latitude and longitude are decimal degrees");
    let (lat, lng) = (number(lat)?, number(lng)?);
    if (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lng) {
        Ok(Point { lat, lng })
    } else {
        Err("coordinates out of range: latitude first, -90 to 90")
    }
}

fn points(text: &str) -> Result<Vec<Point>, &'static str> {
    let list: Vec<Point> = text.split_whitespace().map(point).collect::<Result<_, _>>()?;
    if list.len() >= 4 && list.first() == list.last() { Ok(list) } else { Err("at least 4 pairs, first = last") }
}

fn circle(text: &str) -> Result<Circle, &'static str> {
    let mut parts = text.split_whitespace();
    let (Some(at), Some(km), None) = (parts.next(), parts.next(), parts.next()) else { return Err("write latitude,longitude radius") };
    let km = km.parse::<f64>().ok().filter(|km| km.is_finite() && *km >= 0.0).ok_or("the radius is kilometres, not negative")?;
    Ok(Circle { at: point(at)?, km })
}
