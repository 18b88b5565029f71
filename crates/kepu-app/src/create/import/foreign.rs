//! Lists that other systems give out, as tables with the columns that an import knows: web feeds (RSS, Atom), the answer of an OAI-PMH
//! repository in Dublin Core, and BibTeX. What a row becomes is in `row`.

use super::sheet::Sheet;
use crate::error::FieldError;
use biblatex::{Bibliography, ChunksExt, Entry};
use roxmltree::{Document, Node, ParsingOptions};

/// Most bytes of XML or BibTeX: a tree of it stands in memory.
const BYTES_MAX: usize = 32 * 1024 * 1024;
/// Most elements and texts of a tree.
const NODES_MAX: u32 = 2_000_000;
/// Columns of every such table.
const HEAD: [&str; 10] = ["id", "title", "text", "summary", "url", "date", "source", "author", "licence", "fields"];

fn wrong(key: &str) -> FieldError {
    FieldError::new("file", key)
}

/// Whether a text begins as XML or BibTeX does.
pub(super) fn is_foreign(text: &str) -> bool {
    text.starts_with('<') || text.starts_with('@') && text.chars().nth(1).is_some_and(|c| c.is_ascii_alphabetic())
}

/// Reads a feed, a repository's answer or a bibliography.
pub(super) fn read(text: &str) -> Result<Sheet, FieldError> {
    if text.len() > BYTES_MAX {
        return Err(wrong("file_sheet_large"));
    }
    let rows = if text.starts_with('@') { bibliography(text)? } else { document(text)? };
    if rows.is_empty() {
        return Err(wrong("file_no_entries"));
    }
    Ok(Sheet { head: HEAD.map(str::to_owned).to_vec(), rows })
}

type Rows = Vec<(usize, Vec<String>)>;

/// One thing of a list.
#[derive(Default)]
struct One {
    id: String,
    title: String,
    text: String,
    summary: String,
    url: String,
    date: String,
    source: String,
    author: String,
    licence: String,
    fields: String,
}

impl One {
    fn cells(self) -> Vec<String> {
        vec![self.id, self.title, self.text, self.summary, self.url, self.date, self.source, self.author, self.licence, self.fields]
    }
}

fn document(text: &str) -> Result<Rows, FieldError> {
    // No document type: it could name files and grow without end.
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    let tree = Document::parse_with_options(text, options).map_err(|e| wrong("file_xml").with("line", e.pos().row).with("cause", e))?;
    let root = tree.root_element();
    let line = |node: &Node<'_, '_>| tree.text_pos_at(node.range().start).row as usize;
    match root.tag_name().name() {
        "rss" | "RDF" => {
            let from = inside(root, "channel").map(|channel| said(channel, &["title"])).unwrap_or_default();
            Ok(root.descendants().filter(|n| n.has_tag_name_any("item")).map(|item| (line(&item), rss(item, &from).cells())).collect())
        }
        "feed" => {
            let from = said(root, &["title"]);
            Ok(root.children().filter(|n| n.has_tag_name_any("entry")).map(|entry| (line(&entry), atom(entry, &from).cells())).collect())
        }
        "OAI-PMH" => {
            if let Some(error) = inside(root, "error") {
                return Err(wrong("file_oai").with("code", error.attribute("code").unwrap_or_default()).with("cause", error.text().unwrap_or_default().trim()));
            }
            let records = root.descendants().filter(|n| n.has_tag_name_any("record"));
            Ok(records.filter_map(|record| Some((line(&record), dublin_core(record)?.cells()))).collect())
        }
        other => Err(wrong("file_xml_kind").with("found", other)),
    }
}

trait Named {
    fn has_tag_name_any(&self, name: &str) -> bool;
}
impl Named for Node<'_, '_> {
    /// Whatever the namespace: feeds mix several, and some forget them.
    fn has_tag_name_any(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

fn inside<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|n| n.has_tag_name_any(name))
}

/// All text of an element, whatever stands inside.
fn whole(node: Node<'_, '_>) -> String {
    node.descendants().filter(Node::is_text).filter_map(|n| n.text()).collect::<String>().trim().to_owned()
}

/// The text of the first of these children that says something.
fn said(node: Node<'_, '_>, names: &[&str]) -> String {
    let texts = names.iter().filter_map(|name| inside(node, name)).map(whole);
    texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
}

fn every(node: Node<'_, '_>, name: &str) -> Vec<String> {
    node.children().filter(|n| n.has_tag_name_any(name)).map(whole).filter(|text| !text.is_empty()).collect()
}

/// Words of a text in HTML: no tags, no scripts, no pictures that tell somebody who reads.
fn words(html: &str) -> String {
    if html.contains('<') || html.contains('&') { kepu_text::clean_text(&nanohtml2text::html2text(html)) } else { html.to_owned() }
}

/// The day of a date in RFC 2822 or ISO 8601; what is neither stays as it is.
fn day(text: &str) -> String {
    if let Ok(zoned) = jiff::fmt::rfc2822::parse(text) {
        return zoned.date().to_string();
    }
    text.get(..10).filter(|head| head.parse::<jiff::civil::Date>().is_ok()).unwrap_or(text).to_owned()
}

fn rss(item: Node<'_, '_>, from: &str) -> One {
    let (full, short) = (words(&said(item, &["encoded"])), words(&said(item, &["description"])));
    One {
        id: said(item, &["guid", "link"]),
        title: words(&said(item, &["title"])),
        summary: if full.is_empty() { String::new() } else { kepu_text::truncate(&short, 200).to_owned() },
        text: if full.is_empty() { short } else { full },
        url: said(item, &["link"]),
        date: day(&said(item, &["pubDate", "date"])),
        source: from.to_owned(),
        author: said(item, &["creator", "author"]),
        licence: said(item, &["license", "rights"]),
        fields: every(item, "category").join(";"),
    }
}

fn atom(entry: Node<'_, '_>, from: &str) -> One {
    let (full, short) = (words(&said(entry, &["content"])), words(&said(entry, &["summary"])));
    let links = || entry.children().filter(|n| n.has_tag_name_any("link"));
    let link = links().find(|n| n.attribute("rel").is_none_or(|rel| rel == "alternate"));
    let licence = links().find(|n| n.attribute("rel") == Some("license")).and_then(|n| n.attribute("href")).unwrap_or_default();
    let terms = entry.children().filter(|n| n.has_tag_name_any("category")).filter_map(|n| n.attribute("term"));
    One {
        id: said(entry, &["id"]),
        title: words(&said(entry, &["title"])),
        summary: if full.is_empty() { String::new() } else { kepu_text::truncate(&short, 200).to_owned() },
        text: if full.is_empty() { short } else { full },
        url: link.and_then(|n| n.attribute("href")).unwrap_or_default().to_owned(),
        date: day(&said(entry, &["updated", "published"])),
        source: from.to_owned(),
        author: inside(entry, "author").map(|author| said(author, &["name"])).unwrap_or_default(),
        licence: if licence.is_empty() { said(entry, &["rights"]) } else { licence.to_owned() },
        fields: terms.collect::<Vec<_>>().join(";"),
    }
}

/// A record in Dublin Core; none for one that was deleted.
fn dublin_core(record: Node<'_, '_>) -> Option<One> {
    let header = inside(record, "header")?;
    if header.attribute("status") == Some("deleted") {
        return None;
    }
    let dc = inside(record, "metadata")?.children().find(Node::is_element)?;
    let ids = every(dc, "identifier");
    let url = ids.iter().find(|id| id.starts_with("https://") || id.starts_with("http://")).cloned().unwrap_or_default();
    Some(One {
        id: said(header, &["identifier"]),
        title: said(dc, &["title"]),
        text: every(dc, "description").iter().map(|text| words(text)).collect::<Vec<_>>().join("\n\n"),
        summary: String::new(),
        url,
        date: day(&said(dc, &["date"])),
        source: said(dc, &["publisher", "source"]),
        author: every(dc, "creator").join("、"),
        licence: said(dc, &["rights"]),
        fields: every(dc, "subject").join(";"),
    })
}

fn bibliography(text: &str) -> Result<Rows, FieldError> {
    let line = |at: usize| text.get(..at).unwrap_or_default().matches('\n').count() + 1;
    let list = Bibliography::parse(text).map_err(|e| wrong("file_bib").with("line", line(e.span.start)).with("cause", e.kind))?;
    Ok(list.iter().map(|entry| (line(place(text, entry)), book(entry).cells())).collect())
}

/// Where an entry stands: its key is its own.
fn place(text: &str, entry: &Entry) -> usize {
    text.find(&format!("{{{},", entry.key)).unwrap_or(0)
}

fn book(entry: &Entry) -> One {
    let field = |names: &[&str]| names.iter().find_map(|name| entry.get(name)).map(ChunksExt::format_verbatim).unwrap_or_default();
    let names = entry.author().unwrap_or_default().into_iter().map(|person| [person.given_name, person.name].join(" ").trim().to_owned());
    let doi = field(&["doi"]);
    One {
        id: entry.key.clone(),
        title: field(&["title"]),
        text: field(&["abstract", "annotation", "note"]),
        summary: String::new(),
        url: if doi.is_empty() { field(&["url"]) } else { format!("https://doi.org/{doi}") },
        date: field(&["date", "year"]),
        source: field(&["journaltitle", "journal", "booktitle", "publisher"]),
        author: names.collect::<Vec<_>>().join("、"),
        licence: field(&["license", "licence", "rights"]),
        fields: field(&["keywords"]).replace(',', ";"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Vec<String> {
        read(text).expect("table").rows.remove(0).1
    }
    fn key(text: &str) -> String {
        read(text).expect_err("refused").key
    }

    #[test]
    fn a_feed_gives_words_without_scripts_and_tracking_pixels() {
        let rss = r#"<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>示例科普报</title>
            <item><title>水&amp;盐</title><link>https://example.org/1</link><guid>a1</guid><pubDate>Wed, 25 Nov 2026 08:00:00 +0800</pubDate><category>health</category>
            <description>短</description><content:encoded><![CDATA[<p>第一段<script>alert(1)</script></p><img src="https://t.example/p.gif" width="1"><p>第二段</p>]]></content:encoded></item></channel></rss>"#;
        let cells = row(rss);
        assert_eq!((cells[0].as_str(), cells[1].as_str(), cells[5].as_str(), cells[6].as_str()), ("a1", "水&盐", "2026-11-25", "示例科普报"));
        assert!(cells[2].contains("第一段") && cells[2].contains("第二段") && !cells[2].contains("alert") && !cells[2].contains("p.gif"), "{:?}", cells[2]);
        let atom = r#"<feed xmlns="http://www.w3.org/2005/Atom"><title>站</title><entry><id>u:1</id><title>标题</title><updated>2026-01-02T03:04:05Z</updated>
            <link rel="self" href="https://x/self"/><link href="https://x/1"/><link rel="license" href="https://creativecommons.org/licenses/by/4.0/"/><summary>全文</summary></entry></feed>"#;
        assert_eq!(row(atom)[2..9].join("|"), "全文||https://x/1|2026-01-02|站||https://creativecommons.org/licenses/by/4.0/");
    }

    #[test]
    fn a_repository_answers_in_dublin_core_and_deleted_records_are_passed_over() {
        let oai = r#"<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>
            <record><header status="deleted"><identifier>oai:x:0</identifier></header></record>
            <record><header><identifier>oai:x:1</identifier></header><metadata><oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns:dc="http://purl.org/dc/elements/1.1/">
            <dc:title>题</dc:title><dc:creator>甲</dc:creator><dc:creator>乙</dc:creator><dc:description>内容</dc:description><dc:identifier>10.1/x</dc:identifier><dc:identifier>https://x/1</dc:identifier><dc:date>2024</dc:date></oai_dc:dc></metadata></record></ListRecords></OAI-PMH>"#;
        let cells = row(oai);
        assert_eq!((cells[0].as_str(), cells[7].as_str(), cells[4].as_str(), cells[5].as_str()), ("oai:x:1", "甲、乙", "https://x/1", "2024"));
        assert_eq!(key(r#"<OAI-PMH><error code="noRecordsMatch">none</error></OAI-PMH>"#), "file_oai");
    }

    #[test]
    fn a_bibliography_is_read_with_its_lines() {
        let bib = "% 说明\n@article{li2024,\n  author = {Li, Ming and 王示例},\n  title = {Water {H2O}},\n  journal = {示例学报},\n  year = 2024,\n  abstract = {关于水。},\n  doi = {10.1000/1}\n}\n";
        let table = read(bib.trim_start_matches("% 说明\n")).expect("table");
        assert_eq!(table.rows[0].0, 1);
        assert_eq!(table.rows[0].1[..7].join("|"), "li2024|Water H2O|关于水。||https://doi.org/10.1000/1|2024|示例学报");
        assert_eq!(key("@article{a, title = {x}"), "file_bib");
    }

    #[test]
    fn bombs_and_other_languages_of_the_same_letters_are_refused_with_the_reason() {
        let bomb = "<!DOCTYPE lolz [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]><rss><channel><item><title>&b;</title></item></channel></rss>";
        assert_eq!(key(bomb), "file_xml");
        assert_eq!(key("<html><body>x</body></html>"), "file_xml_kind");
        assert_eq!(key("<rss><channel><item><title>没关"), "file_xml");
        assert_eq!(key("<rss><channel></channel></rss>"), "file_no_entries");
    }
}
