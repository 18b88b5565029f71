//! The typesetter: one template, one dictionary of values, no files, no clock.

use crate::PrintError;
use crate::fonts::{Face, Fonts};
use std::sync::LazyLock;
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Dict, Duration, IntoValue, Smart};
use typst::layout::{Frame, FrameItem};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook, is_default_ignorable};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};
use typst_layout::PagedDocument;
use typst_pdf::PdfOptions;

/// The word with two wings, as the pages show it.
const MARK: &[u8] = include_bytes!("../../kepu-web/static/mark.svg");

/// A template: its text is ours, never a user's.
pub(crate) struct Template {
    source: LazyLock<Source>,
}

impl Template {
    /// `make` gives the name and the text, the parts that templates share in front of it.
    pub(crate) const fn new(make: fn() -> Source) -> Self {
        Self { source: LazyLock::new(make) }
    }
}

/// Helpers of all templates, then the template.
pub(crate) fn source(name: &str, text: &str) -> Source {
    let path = VirtualPath::new(name).expect("the names of templates are plain");
    Source::new(FileId::new(RootedPath::new(VirtualRoot::Project, path)), format!("{}\n{text}", include_str!("../templates/common.typ")))
}

/// All that a template can see.
struct Desk<'a> {
    library: LazyHash<Library>,
    fonts: &'a Fonts,
    source: &'a Source,
}

impl World for Desk<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }
    fn book(&self) -> &LazyHash<FontBook> {
        self.fonts.book()
    }
    fn main(&self) -> FileId {
        self.source.id()
    }
    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.source.id() { Ok(self.source.clone()) } else { Err(FileError::AccessDenied) }
    }
    fn file(&self, _: FileId) -> FileResult<Bytes> {
        Err(FileError::AccessDenied)
    }
    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.font(index)
    }
    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}

/// Sets `values` with `template`. `ident` names the document for ever: it becomes the PDF's id.
pub(crate) fn pdf(template: &Template, mut values: Dict, ident: &str, fonts: &Fonts) -> Result<Vec<u8>, PrintError> {
    let failed = |list: &[SourceDiagnostic]| PrintError::Typeset { cause: list.iter().map(|d| d.message.as_str()).collect::<Vec<_>>().join("; ") };
    values.insert("mark".into(), Bytes::new(MARK).into_value());
    values.insert("family".into(), fonts.first(Face::Text).into_value());
    let desk = Desk { library: LazyHash::new(Library::builder().with_inputs(values).build()), fonts, source: &template.source };
    let outcome = typst::compile::<PagedDocument>(&desk).output.map_err(|list| failed(&list)).and_then(|document| {
        no_boxes(&document)?;
        let options = PdfOptions { ident: Smart::Custom(ident.to_owned()), creator: Smart::Custom(Some("Kepu".to_owned())), ..PdfOptions::default() };
        typst_pdf::pdf(&document, &options).map_err(|list| failed(&list))
    });
    // What the typesetter remembers between pages is of little use to the next one, and a server prints many.
    typst::comemo::evict(2);
    outcome
}

/// Coverage was checked before; this looks at what was really set.
fn no_boxes(document: &PagedDocument) -> Result<(), PrintError> {
    match document.pages().iter().find_map(|page| box_in(&page.frame)) {
        Some(text) => Err(PrintError::Typeset { cause: format!("a glyph is missing in “{text}” although a font should have it") }),
        None => Ok(()),
    }
}

fn box_in(frame: &Frame) -> Option<String> {
    frame.items().find_map(|(_, item)| match item {
        FrameItem::Group(group) => box_in(&group.frame),
        FrameItem::Text(text) => {
            let empty = |glyph: &&typst::text::Glyph| glyph.id == 0 && text.text.get(glyph.range()).is_none_or(|t| !t.chars().all(is_default_ignorable));
            text.glyphs.iter().find(empty).map(|_| text.text.to_string())
        }
        _ => None,
    })
}
