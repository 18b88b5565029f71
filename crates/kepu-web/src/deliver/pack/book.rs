//! A pack as an electronic book (EPUB 3) and as one zip. A book is a handful of XML files in a zip in a fixed order; the crates that write
//! it come under licences that this program does not take.

use super::texts::text_of;
use crate::page::{Shell, escape};
use crate::problem::Problem;
use crate::urls;
use crate::xml::{Xml, legal};
use kepu_app::deliver::pack::View;
use kepu_domain::vocabulary::LANGUAGES;
use std::io::{Cursor, Write};
use zip::CompressionMethod::{Deflated, Stored};
use zip::write::SimpleFileOptions;

/// Packs files into one, in order. What is packed already is stored as it is.
pub(super) fn zip(files: &[(&str, &[u8])]) -> Result<Vec<u8>, Problem> {
    let failed = |error: &dyn std::fmt::Display| Problem::internal(format!("a zip cannot be written: {error}"));
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let packed = *name == "mimetype" || name.ends_with(".pdf") || name.ends_with(".epub");
        let options = SimpleFileOptions::default().compression_method(if packed { Stored } else { Deflated });
        writer.start_file(*name, options).map_err(|error| failed(&error))?;
        writer.write_all(bytes).map_err(|error| failed(&error))?;
    }
    writer.finish().map(Cursor::into_inner).map_err(|error| failed(&error))
}

/// One chapter for each resource.
struct Chapter {
    name: String,
    title: String,
    page: String,
}

/// The book.
pub(super) fn make(s: &Shell, view: &View, title: &str, origin: &str) -> Result<Vec<u8>, Problem> {
    let chapters = chapters(s, view, origin);
    let (container, package, contents) = (container(), package(s, view, title, &chapters), contents(view, title, &chapters));
    let mut files: Vec<(&str, &[u8])> = vec![
        ("mimetype", b"application/epub+zip"),
        ("META-INF/container.xml", container.as_bytes()),
        ("book/package.opf", package.as_bytes()),
        ("book/contents.xhtml", contents.as_bytes()),
    ];
    let pages: Vec<(String, &str)> = chapters.iter().map(|chapter| (format!("book/{}", chapter.name), chapter.page.as_str())).collect();
    files.extend(pages.iter().map(|(name, page)| (name.as_str(), page.as_bytes())));
    zip(&files)
}

fn container() -> String {
    let mut xml = Xml::new();
    xml.open("container", &[("version", "1.0"), ("xmlns", "urn:oasis:names:tc:opendocument:xmlns:container")]).open("rootfiles", &[]);
    xml.empty("rootfile", &[("full-path", "book/package.opf"), ("media-type", "application/oebps-package+xml")]);
    xml.close("rootfiles").close("container");
    xml.done()
}

fn package(s: &Shell, view: &View, title: &str, chapters: &[Chapter]) -> String {
    let pack = &view.pack;
    let mut xml = Xml::new();
    xml.open("package", &[("xmlns", "http://www.idpf.org/2007/opf"), ("version", "3.0"), ("unique-identifier", "id"), ("xml:lang", s.lang.tag())]);
    xml.open("metadata", &[("xmlns:dc", "http://purl.org/dc/elements/1.1/")]);
    xml.text("dc:identifier", &[("id", "id")], &format!("urn:kepu:pack:{}", pack.id)).text("dc:title", &[], title);
    xml.text("dc:language", &[], &pack.wish.lang).text("dc:creator", &[], &view.host).text("dc:publisher", &[], &s.node_name);
    let at = pack.made_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    xml.text("meta", &[("property", "dcterms:modified")], &at);
    for (name, value) in [
        ("schema:accessMode", "textual"),
        ("schema:accessModeSufficient", "textual"),
        ("schema:accessibilityFeature", "tableOfContents"),
        ("schema:accessibilityHazard", "none"),
    ] {
        xml.text("meta", &[("property", name)], value);
    }
    xml.close("metadata").open("manifest", &[]);
    xml.empty("item", &[("id", "contents"), ("href", "contents.xhtml"), ("media-type", "application/xhtml+xml"), ("properties", "nav")]);
    for (n, chapter) in chapters.iter().enumerate() {
        xml.empty("item", &[("id", &format!("c{}", n + 1)), ("href", &chapter.name), ("media-type", "application/xhtml+xml")]);
    }
    xml.close("manifest").open("spine", &[]);
    for n in 1..=chapters.len() {
        xml.empty("itemref", &[("idref", &format!("c{n}"))]);
    }
    xml.close("spine").close("package");
    xml.done()
}

fn html(xml: &mut Xml, lang: &str, title: &str) {
    let direction = if LANGUAGES.find(lang).is_some_and(|term| term.group == "rtl") { "rtl" } else { "ltr" };
    xml.raw("<!DOCTYPE html>\n");
    let spaces =
        [("xmlns", "http://www.w3.org/1999/xhtml"), ("xmlns:epub", "http://www.idpf.org/2007/ops"), ("lang", lang), ("xml:lang", lang), ("dir", direction)];
    xml.open("html", &spaces).open("head", &[]).text("title", &[], title).close("head").open("body", &[]);
}

fn contents(view: &View, title: &str, chapters: &[Chapter]) -> String {
    let mut xml = Xml::new();
    html(&mut xml, &view.pack.wish.lang, title);
    xml.open("nav", &[("epub:type", "toc")]).text("h1", &[], title).open("ol", &[]);
    for chapter in chapters {
        xml.open("li", &[]).text("a", &[("href", &chapter.name)], &chapter.title).close("li");
    }
    xml.close("ol").close("nav").close("body").close("html");
    xml.done()
}

fn chapters(s: &Shell, view: &View, origin: &str) -> Vec<Chapter> {
    let one = |(n, (piece, r)): (usize, (&kepu_app::deliver::channel::Piece, &kepu_domain::create::resource::Resource))| {
        let (text, lang) = text_of(r, &view.pack.wish.lang, view.pack.wish.audience == "elderly");
        let address = format!("{origin}{}", urls::subject(&piece.row.id));
        let mut xml = Xml::new();
        html(&mut xml, lang, &r.title);
        xml.text("h1", &[], &r.title);
        if let Some(correction) = r.corrections.first() {
            xml.text("p", &[], &format!("{}{}{}", s.t("correction"), s.t("colon"), correction.text));
        }
        xml.raw(&xhtml(&kepu_text::render(text, 1)));
        xml.open("ul", &[]);
        for source in &r.sources {
            xml.text("li", &[], &[source.title.as_str(), &source.publisher, &source.date].join(" · "));
        }
        xml.close("ul").open("p", &[]).text("a", &[("href", &address)], &address);
        xml.raw(&format!("<br/>{} · {}<br/>{}", escape(&legal(&piece.holder)), r.date, escape(&legal(&s.licence(&r.licence)))));
        xml.close("p").close("body").close("html");
        Chapter { name: format!("c{}.xhtml", n + 1), title: r.title.clone(), page: xml.done() }
    };
    view.resources().enumerate().map(one).collect()
}

/// Our own HTML as XHTML: the two elements without an end get one. Texts are escaped in it, so nothing else looks like them.
fn xhtml(html: &str) -> String {
    legal(html).replace("<br>", "<br/>").replace("<hr>", "<hr/>").replace("<h1>", "<h2>").replace("</h1>", "</h2>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_zip_keeps_its_order_and_a_book_begins_with_its_type() {
        let bytes = zip(&[("mimetype", b"application/epub+zip"), ("b.txt", "文".repeat(500).as_bytes())]).expect("zip");
        assert_eq!(&bytes[30..58], b"mimetypeapplication/epub+zip", "as the format wants it");
        let mut archive = ::zip::ZipArchive::new(Cursor::new(bytes)).expect("archive");
        let mut text = String::new();
        archive.by_name("b.txt").expect("file").read_to_string(&mut text).expect("read");
        assert_eq!(text, "文".repeat(500));
    }

    #[test]
    fn every_element_has_an_end() {
        assert_eq!(xhtml("<h1>a</h1><p>b<br>\nc &lt;br&gt;</p>\n<hr>\n"), "<h2>a</h2><p>b<br/>\nc &lt;br&gt;</p>\n<hr/>\n");
    }
}
