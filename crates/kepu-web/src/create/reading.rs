//! What helps to read a long text: its contents, the terms in it, traditional characters, a script to read aloud. The text itself and
//! its page are in `resource`.

use crate::line::Choice;
use crate::page::{Html, Shell, escape};
use crate::urls;
use kepu_domain::vocabulary::{TERMS, Term as Word};
use kepu_text::script::Script;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Fewest headings of a text that gets a list of contents.
const HEADINGS_MIN: usize = 3;
/// Most terms explained on a page.
const TERMS_MAX: usize = 12;

/// A heading to go to.
pub struct Heading {
    /// Anchor.
    pub id: String,
    /// Words.
    pub text: Html,
}

/// Gives the headings of the first level ids; lists them if the text is long.
pub fn contents(html: &str) -> (String, Vec<Heading>) {
    let mut out = String::with_capacity(html.len() + 256);
    let mut list = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find("<h2>") {
        let (before, tail) = rest.split_at(at);
        let inner = &tail[4..];
        let end = inner.find("</h2>").unwrap_or(inner.len());
        let id = format!("h-{}", list.len() + 1);
        out.push_str(before);
        out.push_str(&format!("<h2 id=\"{id}\">"));
        list.push(Heading { id, text: Html(without_links(&inner[..end])) });
        rest = inner;
    }
    out.push_str(rest);
    if list.len() < HEADINGS_MIN {
        list.clear();
    }
    (out, list)
}

/// The words of a heading; a link in a link would be none.
fn without_links(html: &str) -> String {
    let mut out = String::new();
    let mut tag = false;
    for c in html.chars() {
        match c {
            '<' => tag = true,
            '>' => tag = false,
            c if !tag => out.push(c),
            _ => {}
        }
    }
    out
}

/// The glossary by the first character of a term, longer terms first.
static BY_FIRST: LazyLock<HashMap<char, Vec<&'static Word>>> = LazyLock::new(|| {
    let mut by_first: HashMap<char, Vec<&Word>> = HashMap::new();
    for term in TERMS.terms() {
        if let Some(first) = term.id.chars().next() {
            by_first.entry(first).or_default().push(term);
        }
    }
    by_first.values_mut().for_each(|list| list.sort_by_key(|term| std::cmp::Reverse(term.id.len())));
    by_first
});

/// A term explained on the page.
pub struct Term {
    /// Anchor.
    pub id: String,
    /// The term.
    pub word: String,
    /// What it means.
    pub meaning: String,
}

/// Marks the first place of each known term; a press shows what it means, without any script. Texts in links, headings and code stay.
pub fn terms(s: &Shell, html: &str) -> (String, Vec<Term>) {
    let mut out = String::with_capacity(html.len() + 1024);
    let mut list: Vec<Term> = Vec::new();
    let (mut rest, mut closed) = (html, 0_i32);
    while !rest.is_empty() {
        if let Some(tail) = rest.strip_prefix('<') {
            let end = tail.find('>').map_or(rest.len(), |at| at + 2);
            let (tag, after) = rest.split_at(end);
            let name = tag.trim_start_matches(['<', '/']);
            if ["a ", "a>", "h2", "h3", "h4", "h5", "h6", "code"].iter().any(|one| name.starts_with(one)) {
                closed += if tag.starts_with("</") { -1 } else { 1 };
            }
            out.push_str(tag);
            rest = after;
            continue;
        }
        let Some(first) = rest.chars().next() else { break };
        let found =
            if closed > 0 || list.len() >= TERMS_MAX { None } else { BY_FIRST.get(&first).and_then(|of| of.iter().find(|term| rest.starts_with(&term.id))) };
        match found.filter(|entry| !list.iter().any(|term| term.word == entry.id)) {
            Some(entry) => {
                let id = format!("term-{}", list.len() + 1);
                out.push_str(&format!("<button type=\"button\" class=\"term\" popovertarget=\"{id}\">{}</button>", escape(&entry.id)));
                let meaning = if s.is_en() { format!("{}: {}", entry.schema, entry.en) } else { entry.zh.clone() };
                list.push(Term { id, word: entry.id.clone(), meaning });
                rest = &rest[entry.id.len()..];
            }
            None => {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    (out, list)
}

/// The scripts in which a simplified text can be read; none for a text in another language.
pub fn scripts(s: &Shell, path: &str, edition: &str, lang: &str, chosen: Option<Script>) -> Vec<Choice> {
    if lang != "zh-Hans" {
        return vec![];
    }
    let href = |word: &str| urls::with(path, &[("edition", edition), ("script", word)]);
    [("", None), ("tw", Some(Script::Taiwan)), ("hk", Some(Script::HongKong))]
        .map(|(word, script)| Choice { value: href(word), text: s.t(&format!("script-{}", if word.is_empty() { "hans" } else { word })), on: script == chosen })
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;
    use crate::page::tests::shell;

    #[test]
    fn a_long_text_has_contents_and_a_short_one_has_none() {
        let (html, list) = contents("<p>水</p><h2>一 <a href=\"/x\">甲</a></h2><p>1</p><h2>二</h2><h2>三</h2>");
        assert_eq!(list.iter().map(|h| (h.id.as_str(), h.text.0.as_str())).collect::<Vec<_>>(), [("h-1", "一 甲"), ("h-2", "二"), ("h-3", "三")]);
        assert!(html.contains("<h2 id=\"h-2\">二</h2>"));
        assert!(contents("<h2>一</h2>").1.is_empty());
    }

    #[test]
    fn a_term_is_explained_once_and_never_inside_a_link() {
        let (html, list) = terms(&shell(Lang::Zh), "<h2>病毒</h2><p><a href=\"/病毒\">病毒</a>和病毒，细菌，病毒</p>");
        assert_eq!(list.iter().map(|t| t.word.as_str()).collect::<Vec<_>>(), ["病毒", "细菌"]);
        assert_eq!(html.matches("popovertarget").count(), 2);
        assert!(html.starts_with("<h2>病毒</h2><p><a href=\"/病毒\">病毒</a>和<button"), "{html}");
        assert!(list[0].meaning.contains("活细胞"));
    }
}
