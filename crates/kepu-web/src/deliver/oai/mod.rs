//! OAI-PMH 2.0: other libraries harvest metadata of resources and claims, whole or what changed since. What was withdrawn is told for ever.
//! Arguments are read in `args`, records written in `dc`.

mod args;
mod dc;

use crate::Web;
use crate::form::{self, Fields};
use crate::page::{Answer, Req, Shell};
use crate::problem::Problem;
use crate::words::moment;
use crate::xml::Xml;
use args::{Fault, Selection, Token, Wanted};
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::IntoResponse;
use kepu_app::deliver::channel::{self, Harvested};
use kepu_domain::ids::SubjectId;
use kepu_domain::vocabulary::FIELDS;

/// Records of a page: as many as are written in a fraction of a second.
const PAGE: u32 = 100;
const SCHEMA: &str = "http://www.openarchives.org/OAI/2.0/ http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd";

/// GET /oai
pub async fn get(State(web): State<Web>, req: Req) -> Answer {
    answer(&web, &req, &req.query).await
}

/// POST /oai: the same with the arguments in the body, as the protocol wants. It reads only, so it needs no proof of its sender.
pub async fn post(State(web): State<Web>, req: Req, request: Request) -> Answer {
    let fields = form::read(request).await?;
    answer(&web, &req, &fields).await
}

async fn answer(web: &Web, req: &Req, fields: &Fields) -> Answer {
    let s = &req.shell;
    let mut xml = Xml::new();
    let spaces =
        [("xmlns", "http://www.openarchives.org/OAI/2.0/"), ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"), ("xsi:schemaLocation", SCHEMA)];
    xml.open("OAI-PMH", &spaces).text("responseDate", &[], &utc(s.now.as_millisecond()));
    let base = format!("{}/oai", s.origin);
    match respond(web, s, fields).await? {
        Ok(said) => {
            let attrs: Vec<(&str, &str)> = fields.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            xml.text("request", &attrs, &base);
            xml.raw(&said);
        }
        Err(fault) => {
            // What the protocol cannot read it must not repeat.
            let known = !matches!(fault, Fault::Verb | Fault::Argument(_));
            let attrs: Vec<(&str, &str)> = fields.0.iter().filter(|_| known).map(|(name, value)| (name.as_str(), value.as_str())).collect();
            xml.text("request", &attrs, &base).text("error", &[("code", fault.code())], &fault.words());
        }
    }
    xml.close("OAI-PMH");
    Ok(([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], xml.done()).into_response())
}

/// A moment as the protocol writes it; the first second of the year 1 where there is none.
fn utc(ms: i64) -> String {
    moment(ms).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The element of the verb, or what is wrong with the request.
async fn respond(web: &Web, s: &Shell, fields: &Fields) -> Result<Result<String, Fault>, Problem> {
    let wanted = match args::read(fields) {
        Ok(wanted) => wanted,
        Err(fault) => return Ok(Err(fault)),
    };
    // A part of a document: without declaration.
    let mut xml = Part::new();
    let fault = match wanted {
        Wanted::Identify => identify(web, s, &mut xml.0).await?,
        Wanted::Formats(id) => formats(web, id, &mut xml.0).await?,
        Wanted::Sets => sets(s, &mut xml.0),
        Wanted::Record(id) => record(web, s, &id, &mut xml.0).await?,
        Wanted::List { selection, records } => list(web, s, &selection, records, &mut xml.0).await?,
    };
    Ok(match fault {
        Some(fault) => Err(fault),
        None => Ok(xml.done()),
    })
}

/// A document whose declaration is cut off.
struct Part(Xml, usize);

impl Part {
    fn new() -> Self {
        let head = Xml::new().done().len();
        Self(Xml::new(), head)
    }
    fn done(self) -> String {
        self.0.done().split_off(self.1)
    }
}

async fn identify(web: &Web, s: &Shell, xml: &mut Xml) -> Result<Option<Fault>, Problem> {
    let first = channel::first_change(&web.app).await?;
    xml.open("Identify", &[]).text("repositoryName", &[], &s.node_name).text("baseURL", &[], &format!("{}/oai", s.origin));
    xml.text("protocolVersion", &[], "2.0").text("adminEmail", &[], &postmaster(&s.origin)).text("earliestDatestamp", &[], &utc(first));
    xml.text("deletedRecord", &[], "persistent").text("granularity", &[], "YYYY-MM-DDThh:mm:ssZ").text("compression", &[], "gzip").close("Identify");
    Ok(None)
}

/// Whom to write to: every mail domain has a postmaster (RFC 5321, 4.5.1), so no setting is needed.
fn postmaster(origin: &str) -> String {
    let host = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    let host = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(host, |(host, _)| host);
    if host.contains('.') && !host.contains(['[', ']']) { format!("postmaster@{host}") } else { "postmaster@localhost.invalid".to_owned() }
}

async fn formats(web: &Web, id: Option<SubjectId>, xml: &mut Xml) -> Result<Option<Fault>, Problem> {
    if let Some(id) = id
        && channel::harvest_one(&web.app, &id).await?.is_none()
    {
        return Ok(Some(Fault::Id(id)));
    }
    xml.open("ListMetadataFormats", &[]).open("metadataFormat", &[]).text("metadataPrefix", &[], args::PREFIX);
    xml.text("schema", &[], dc::SCHEMA).text("metadataNamespace", &[], dc::NAMESPACE).close("metadataFormat").close("ListMetadataFormats");
    Ok(None)
}

fn sets(s: &Shell, xml: &mut Xml) -> Option<Fault> {
    xml.open("ListSets", &[]);
    let kinds = [("resource", s.t("nav-resources")), ("claim", s.t("nav-claims")), ("field", s.t("fact-fields"))];
    let fields = FIELDS.terms().iter().map(|term| (format!("field:{}", term.id), s.pick(&term.zh, &term.en).to_owned()));
    for (spec, name) in kinds.into_iter().map(|(spec, name)| (spec.to_owned(), name)).chain(fields) {
        xml.open("set", &[]).text("setSpec", &[], &spec).text("setName", &[], &name).close("set");
    }
    xml.close("ListSets");
    None
}

async fn record(web: &Web, s: &Shell, id: &SubjectId, xml: &mut Xml) -> Result<Option<Fault>, Problem> {
    let Some(found) = channel::harvest_one(&web.app, id).await? else { return Ok(Some(Fault::Id(id.clone()))) };
    xml.open("GetRecord", &[]);
    one(xml, s, &found);
    xml.close("GetRecord");
    Ok(None)
}

async fn list(web: &Web, s: &Shell, selection: &Selection, records: bool, xml: &mut Xml) -> Result<Option<Fault>, Problem> {
    let page = channel::harvest(&web.app, &selection.asked, selection.after.clone(), PAGE).await?;
    if page.list.is_empty() && selection.after.is_none() {
        return Ok(Some(Fault::Empty));
    }
    let verb = if records { "ListRecords" } else { "ListIdentifiers" };
    xml.open(verb, &[]);
    for found in &page.list {
        if records { one(xml, s, found) } else { header_of(xml, found) }
    }
    // An empty token says that this was the last page of several.
    if page.next.is_some() || selection.after.is_some() {
        let (size, cursor) = (page.total.to_string(), selection.cursor.to_string());
        let attrs = [("completeListSize", size.as_str()), ("cursor", cursor.as_str())];
        let token = page.next.map(|after| Token::next(selection, after, page.list.len()).write());
        xml.open("resumptionToken", &attrs);
        // Base64: nothing in it needs an escape.
        xml.raw(&token.unwrap_or_default());
        xml.close("resumptionToken");
    }
    xml.close(verb);
    Ok(None)
}

fn one(xml: &mut Xml, s: &Shell, found: &Harvested) {
    xml.open("record", &[]);
    header_of(xml, found);
    if let Some(piece) = &found.piece {
        xml.open("metadata", &[]);
        dc::write(xml, s, piece);
        xml.close("metadata");
    }
    xml.close("record").raw("\n");
}

fn header_of(xml: &mut Xml, found: &Harvested) {
    let gone: &[(&str, &str)] = if found.piece.is_none() { &[("status", "deleted")] } else { &[] };
    xml.open("header", gone).text("identifier", &[], &found.change.id.0).text("datestamp", &[], &utc(found.change.at));
    xml.text("setSpec", &[], &found.change.kind);
    for field in found.change.fields.iter().filter(|field| FIELDS.find(field).is_some()) {
        xml.text("setSpec", &[], &format!("field:{field}"));
    }
    xml.close("header");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_has_an_address_to_write_to() {
        assert_eq!(postmaster("https://kepu.example.cn"), "postmaster@kepu.example.cn");
        assert_eq!(postmaster("http://127.0.0.1:8080"), "postmaster@127.0.0.1");
        assert_eq!(postmaster("http://localhost:8080"), "postmaster@localhost.invalid");
        assert_eq!(postmaster("http://[::1]:8080"), "postmaster@localhost.invalid");
    }
}
