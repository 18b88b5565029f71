//! A resource or claim as unqualified Dublin Core.

use crate::page::Shell;
use crate::urls;
use crate::xml::Xml;
use kepu_app::deliver::channel::Piece;
use kepu_domain::create::draft::Matter;
use kepu_domain::create::resource::Source;
use kepu_domain::create::review::SignOff;
use kepu_domain::vocabulary::{RESOURCE_TYPES, licence_url};

/// Where the format is described.
pub(super) const SCHEMA: &str = "http://www.openarchives.org/OAI/2.0/oai_dc.xsd";
/// Its namespace.
pub(super) const NAMESPACE: &str = "http://www.openarchives.org/OAI/2.0/oai_dc/";

/// Writes the element `oai_dc:dc`.
pub(super) fn write(xml: &mut Xml, s: &Shell, piece: &Piece) {
    let row = &piece.row;
    let place = format!("{NAMESPACE} {SCHEMA}");
    let spaces = [
        ("xmlns:oai_dc", NAMESPACE),
        ("xmlns:dc", "http://purl.org/dc/elements/1.1/"),
        ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
        ("xsi:schemaLocation", place.as_str()),
    ];
    xml.open("oai_dc:dc", &spaces);
    xml.text("dc:title", &[("xml:lang", &row.lang)], &row.title).text("dc:title", &[("xml:lang", "en")], &row.title_en);
    match &piece.matter {
        Matter::Resource(r) => {
            xml.text("dc:creator", &[], &r.author.name);
            subjects(xml, s, &row.fields);
            xml.text("dc:description", &[], &r.summary).text("dc:publisher", &[], &piece.holder);
            contributors(xml, &r.reviews);
            let term = RESOURCE_TYPES.find(&r.kind);
            let dates = [r.date.to_string()];
            xml.text("dc:date", &[], &dates[0]).text("dc:type", &[], term.map_or("CreativeWork", |term| &term.schema)).text("dc:type", &[], s.kind(&r.kind));
            formats(xml, r.media.iter().map(|m| m.media_type.as_str()));
            identifiers(xml, s, piece);
            sources(xml, &r.sources);
            xml.text("dc:language", &[], &row.lang).text("dc:coverage", &[], &s.place(&row.region));
            xml.text("dc:rights", &[], &r.rights).text("dc:rights", &[], licence_url(&r.licence).unwrap_or(&r.licence));
        }
        Matter::Claim(c) => {
            xml.text("dc:creator", &[], &c.author.name);
            subjects(xml, s, &row.fields);
            xml.text("dc:description", &[], &format!("{}：{}", s.verdict_word(&row.verdict), c.plain)).text("dc:publisher", &[], &piece.holder);
            contributors(xml, &c.reviews);
            xml.text("dc:date", &[], &c.checked.to_string()).text("dc:type", &[], "ClaimReview");
            formats(xml, std::iter::empty());
            identifiers(xml, s, piece);
            sources(xml, &c.evidence);
            xml.text("dc:language", &[], &row.lang).text("dc:coverage", &[], &s.place(&row.region));
        }
    }
    xml.close("oai_dc:dc");
}

fn subjects(xml: &mut Xml, s: &Shell, fields: &[String]) {
    for field in fields {
        xml.text("dc:subject", &[], s.field(field));
    }
}

fn contributors(xml: &mut Xml, reviews: &[SignOff]) {
    for review in reviews {
        xml.text("dc:contributor", &[], &review.name);
    }
}

fn formats<'a>(xml: &mut Xml, files: impl Iterator<Item = &'a str>) {
    let mut seen = vec!["text/html"];
    for kind in files {
        if !seen.contains(&kind) {
            seen.push(kind);
        }
    }
    for kind in seen {
        xml.text("dc:format", &[], kind);
    }
}

fn identifiers(xml: &mut Xml, s: &Shell, piece: &Piece) {
    let page = format!("{}{}", s.origin, urls::of_kind(&piece.row.kind, &piece.row.id));
    xml.text("dc:identifier", &[], &page).text("dc:identifier", &[], &piece.row.id.0);
}

fn sources(xml: &mut Xml, sources: &[Source]) {
    for source in sources {
        let words: Vec<&str> = [source.title.as_str(), &source.publisher, &source.date, source.url.as_deref().unwrap_or_default()]
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect();
        xml.text("dc:source", &[], &words.join(". "));
    }
}
