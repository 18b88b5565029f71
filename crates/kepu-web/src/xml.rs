//! XML for feeds, harvesters, site maps and electronic books: elements in the order in which they are said, every text escaped.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

/// A document that is being written.
pub struct Xml(Writer<Vec<u8>>);

/// Attributes of an element.
pub type Attrs<'a> = &'a [(&'a str, &'a str)];

impl Xml {
    /// Begins with the declaration.
    pub fn new() -> Self {
        let mut xml = Self(Writer::new(Vec::new()));
        xml.write(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        xml.raw("\n");
        xml
    }

    fn write(&mut self, event: Event<'_>) {
        // Writing into memory cannot fail.
        let _ = self.0.write_event(event);
    }

    /// What is XML already, or white space.
    pub fn raw(&mut self, text: &str) {
        self.write(Event::Text(BytesText::from_escaped(text)));
    }

    /// The start of an element.
    pub fn open(&mut self, name: &str, attrs: Attrs<'_>) -> &mut Self {
        let clean: Vec<(&str, String)> = attrs.iter().map(|(name, value)| (*name, legal(value))).collect();
        let start = BytesStart::new(name).with_attributes(clean.iter().map(|(name, value)| (*name, value.as_str())));
        self.write(Event::Start(start));
        self
    }

    /// The end of an element.
    pub fn close(&mut self, name: &str) -> &mut Self {
        self.write(Event::End(BytesEnd::new(name)));
        self
    }

    /// An element with a text; nothing if the text is empty.
    pub fn text(&mut self, name: &str, attrs: Attrs<'_>, text: &str) -> &mut Self {
        if text.is_empty() {
            return self;
        }
        self.open(name, attrs);
        self.write(Event::Text(BytesText::new(&legal(text))));
        self.close(name)
    }

    /// An element without content.
    pub fn empty(&mut self, name: &str, attrs: Attrs<'_>) -> &mut Self {
        let clean: Vec<(&str, String)> = attrs.iter().map(|(name, value)| (*name, legal(value))).collect();
        let start = BytesStart::new(name).with_attributes(clean.iter().map(|(name, value)| (*name, value.as_str())));
        self.write(Event::Empty(start));
        self
    }

    /// The whole document.
    pub fn done(self) -> String {
        String::from_utf8(self.0.into_inner()).unwrap_or_default()
    }
}

impl Default for Xml {
    fn default() -> Self {
        Self::new()
    }
}

/// Without the characters that no XML 1.0 document may hold, not even escaped.
pub fn legal(text: &str) -> String {
    text.chars().filter(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_texts_and_forbidden_characters_are_left_out() {
        let mut xml = Xml::new();
        xml.open("a", &[("b", "\"<&\u{1}")]).text("c", &[], "]]><script>\u{0}𠮷\u{FFFF}").text("d", &[], "").close("a");
        assert_eq!(xml.done(), "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a b=\"&quot;&lt;&amp;\"><c>]]&gt;&lt;script&gt;𠮷</c></a>");
    }
}
