//! What one document of the index holds, and how it is laid out.
//!
//! Opening and writing are in `index`; which of the fields a query uses is in `query`.

use std::collections::BTreeSet;

use tantivy::TantivyDocument;
use tantivy::schema::{FAST, Field, IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions, Value};

use crate::{sound, tokens};

/// Version of layout and tokens. Written beside the index; another one there empties the index, and the caller fills it again.
/// Raise it with every change of this file, of `kepu_text::fold` or of `kepu_text::pieces`.
pub(crate) const STAMP: &str = "kepu-search 2 (tantivy 0.27)\n";

/// Region of documents that belong nowhere in particular.
pub(crate) const ANYWHERE: &str = "*";
/// Longest value that can be filtered by, in bytes; a longer one is prose and left out.
pub const FILTER_MAX: usize = 128;

/// One thing that can be found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doc {
    /// Id, unique in the index; a second `put` replaces the first.
    pub id: String,
    /// Kind, such as `resource` or `claim`.
    pub kind: String,
    /// Title, in plain text; weighs more than the text. For claims: the claim.
    pub title: String,
    /// Plain text (`kepu_text::markdown::plain`); snippets are cut from it. For claims: its variants, one a line.
    pub text: String,
    /// Region code; empty for what concerns every region.
    pub region: String,
    /// Fields of knowledge, any number.
    pub fields: Vec<String>,
    /// Audiences, any number.
    pub audience: Vec<String>,
    /// Language tag (BCP 47), such as `zh-Hans-CN`; found by each of its beginnings (`zh`, `zh-Hans`).
    pub lang: String,
    /// Whatever else can be filtered by and counted, as name and value. Names of the fields above are theirs.
    pub more: Vec<(String, String)>,
    /// Date that "newest" means, in Unix milliseconds.
    pub date_ms: i64,
    /// Number in the log; among equal dates the higher is newer.
    pub seq: i64,
}

/// Handles of the fields of the index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    pub id: Field,
    pub kind: Field,
    /// Everything that can be filtered by and counted, as `name=value`.
    pub filter: Field,
    pub date_ms: Field,
    pub seq: Field,
    /// Tokens of the title alone.
    pub title: Field,
    /// Tokens of title and text: one list to ask whether a document holds a word at all.
    pub body: Field,
    /// How the title sounds: pairs of syllables.
    pub sound: Field,
    /// The text as it was, not searched.
    pub text: Field,
}

/// Name of the column of [`Fields::filter`].
pub(crate) const FILTER: &str = "filter";

/// The one schema there is.
pub(crate) fn schema() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let code = TextFieldIndexing::default().set_tokenizer("raw").set_index_option(IndexRecordOption::Basic).set_fieldnorms(false);
    let code = TextOptions::default().set_indexing_options(code);
    let prose = TextFieldIndexing::default().set_tokenizer(tokens::NAME).set_index_option(IndexRecordOption::WithFreqs);
    let prose = TextOptions::default().set_indexing_options(prose);
    let fields = Fields {
        id: schema.add_text_field("id", code.clone().set_stored().set_fast("raw")),
        kind: schema.add_text_field("kind", TextOptions::from(STORED)),
        filter: schema.add_text_field(FILTER, code.clone().set_fast("raw")),
        date_ms: schema.add_i64_field("date_ms", FAST),
        seq: schema.add_i64_field("seq", FAST),
        title: schema.add_text_field("title", prose.clone().set_stored()),
        body: schema.add_text_field("body", prose),
        sound: schema.add_text_field("sound", code),
        text: schema.add_text_field("text", TextOptions::from(STORED)),
    };
    (schema.build(), fields)
}

impl Fields {
    pub fn document(&self, doc: &Doc) -> TantivyDocument {
        let mut out = TantivyDocument::default();
        out.add_text(self.id, &doc.id);
        out.add_text(self.kind, &doc.kind);
        for term in filters(doc) {
            out.add_text(self.filter, term);
        }
        out.add_i64(self.date_ms, doc.date_ms);
        out.add_i64(self.seq, doc.seq);
        out.add_text(self.title, &doc.title);
        out.add_text(self.body, &doc.title);
        out.add_text(self.body, &doc.text);
        for pair in sound::pairs(&doc.title) {
            out.add_text(self.sound, pair);
        }
        out.add_text(self.text, &doc.text);
        out
    }
}

/// How a filter stands in the index.
pub(crate) fn filter_term(name: &str, value: &str) -> String {
    format!("{name}={value}")
}

/// What `doc` can be filtered by. Nothing twice, or it would be counted twice.
fn filters(doc: &Doc) -> BTreeSet<String> {
    let region = if doc.region.is_empty() { ANYWHERE } else { &doc.region };
    let mut named = vec![("kind", doc.kind.as_str()), ("region", region)];
    named.extend(doc.fields.iter().map(|field| ("field", field.as_str())));
    named.extend(doc.audience.iter().map(|audience| ("audience", audience.as_str())));
    let ends = doc.lang.match_indices('-').map(|(at, _)| at).chain([doc.lang.len()]);
    named.extend(ends.map(|end| ("lang", &doc.lang[..end])));
    named.extend(doc.more.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let fit = |value: &str| !value.is_empty() && value.len() <= FILTER_MAX;
    named.into_iter().filter(|(_, value)| fit(value)).map(|(name, value)| filter_term(name, value)).collect()
}

/// First value of a stored text field; empty if it has none.
pub(crate) fn stored(doc: &TantivyDocument, field: Field) -> &str {
    doc.get_first(field).and_then(|value| value.as_str()).unwrap_or_default()
}
