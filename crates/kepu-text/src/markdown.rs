//! The small Markdown people may write, as safe HTML for pages and as plain text for summaries and reading aloud.
//!
//! Headings, paragraphs, lists, emphasis, block quotes, rules, code and links. No raw HTML (it is shown as typed), no pictures (their
//! description is shown: pictures are records with a licence, not links into the net), no tables. The HTML is written here tag by tag, so
//! nothing that is not in this file can reach a page.
//!
//! Two additions for Chinese: `**` works beside full-width punctuation (`**注意：**请` is literal in CommonMark), and a line break stays a line break.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};

/// HTML of `md`; `#` becomes `<h{base}>`, `##` one level deeper, never beyond `<h6>`. Safe to put into a page as it is.
///
/// ```
/// assert_eq!(kepu_text::markdown::render("# 水\n<b>", 3), "<h3>水</h3>\n<p>&lt;b&gt;</p>\n");
/// ```
#[must_use]
pub fn render(md: &str, base: u8) -> String {
    let source = prepare(md);
    let mut page = Html { out: String::with_capacity(md.len() * 3 / 2), base, links: Vec::new(), blocks: Vec::new() };
    for event in Parser::new_ext(&source, Options::empty()) {
        page.event(event);
    }
    page.out.retain(|c| c != SEAM);
    page.out
}

/// The words of `md` without marks: one line a block, list items too; link texts without addresses; no HTML tags.
#[must_use]
pub fn plain(md: &str) -> String {
    let source = prepare(md);
    let mut out = String::with_capacity(md.len());
    for event in Parser::new_ext(&source, Options::empty()) {
        match event {
            Event::Text(text) | Event::Code(text) => out.push_str(&text),
            Event::SoftBreak | Event::HardBreak | Event::Rule => new_line(&mut out),
            Event::Start(Tag::Paragraph | Tag::Heading { .. } | Tag::Item | Tag::CodeBlock(_) | Tag::HtmlBlock) => new_line(&mut out),
            Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item | TagEnd::CodeBlock | TagEnd::HtmlBlock) => new_line(&mut out),
            _ => {}
        }
    }
    out.retain(|c| c != SEAM);
    out.truncate(out.trim_end().len());
    out
}

fn new_line(out: &mut String) {
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
}

/// Stands for a letter between `**` and punctuation while parsing. A noncharacter, so no text holds it.
pub(crate) const SEAM: char = '\u{FDD0}';

/// Puts a [`SEAM`] between `**` and punctuation where a Chinese letter stands on the other side: CommonMark then sees a letter there and takes
/// the mark, as the writer meant it.
pub(crate) fn prepare(md: &str) -> String {
    let mut out = String::with_capacity(md.len() + 16);
    let mut before = '\n';
    let mut rest = md;
    while let Some(c) = rest.chars().next() {
        let stars = rest.len() - rest.trim_start_matches('*').len();
        if stars == 2 {
            let after = rest[2..].chars().next().unwrap_or('\n');
            let (closing, opening) = (is_punctuation(before) && is_cjk(after), is_cjk(before) && is_punctuation(after));
            out.extend(closing.then_some(SEAM));
            out.push_str("**");
            out.extend(opening.then_some(SEAM));
            before = '*';
            rest = &rest[2..];
        } else {
            // Runs of other lengths go in one step, so that "***" is not read as "*" and "**".
            let step = stars.max(c.len_utf8());
            if c != SEAM {
                out.push_str(&rest[..step]);
                before = c;
            }
            rest = &rest[step..];
        }
    }
    out
}

fn is_cjk(c: char) -> bool {
    c >= '\u{2E80}' && c.is_alphanumeric()
}

fn is_punctuation(c: char) -> bool {
    match c {
        '\\' | '*' => false,
        c if c.is_ascii() => c.is_ascii_punctuation(),
        c => {
            matches!(c, '\u{B7}' | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205E}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3020}' | '\u{30FB}')
                || (matches!(c, '\u{2100}'..='\u{2BFF}' | '\u{FE10}'..='\u{FE6F}' | '\u{FF01}'..='\u{FF65}') && !c.is_alphanumeric())
        }
    }
}

struct Html {
    out: String,
    base: u8,
    /// For each open link or picture, whether an `<a>` was written for it.
    links: Vec<bool>,
    /// Closing tags of open code and HTML blocks.
    blocks: Vec<&'static str>,
}

impl Html {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => escape(&mut self.out, &text),
            Event::Code(text) => {
                self.out.push_str("<code>");
                escape(&mut self.out, &text);
                self.out.push_str("</code>");
            }
            Event::SoftBreak | Event::HardBreak => self.out.push_str("<br>\n"),
            Event::Rule => self.out.push_str("<hr>\n"),
            // Of options that are off.
            Event::InlineMath(_) | Event::DisplayMath(_) | Event::FootnoteReference(_) | Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        let out = &mut self.out;
        match tag {
            Tag::Paragraph => out.push_str("<p>"),
            Tag::Heading { level, .. } => out.push_str(&format!("<h{}>", shifted(*level, self.base))),
            Tag::BlockQuote(_) => out.push_str("<blockquote>\n"),
            Tag::CodeBlock(kind) => {
                // Indented text is a paragraph whose writer likes indents; only fences mean code.
                let (open, close) = match kind {
                    CodeBlockKind::Fenced(_) => ("<pre><code>", "</code></pre>\n"),
                    CodeBlockKind::Indented => ("<p>", "</p>\n"),
                };
                out.push_str(open);
                self.blocks.push(close);
            }
            Tag::HtmlBlock => {
                out.push_str("<p>");
                self.blocks.push("</p>\n");
            }
            Tag::List(None) => out.push_str("<ul>\n"),
            Tag::List(Some(1)) => out.push_str("<ol>\n"),
            Tag::List(Some(start)) => out.push_str(&format!("<ol start=\"{start}\">\n")),
            Tag::Item => out.push_str("<li>"),
            Tag::Emphasis => out.push_str("<em>"),
            Tag::Strong => out.push_str("<strong>"),
            Tag::Link { link_type, dest_url, .. } => {
                let allowed = *link_type != LinkType::Email && is_allowed_link(dest_url);
                if allowed {
                    out.push_str("<a href=\"");
                    escape(out, dest_url.trim());
                    out.push_str("\" rel=\"nofollow noopener\">");
                }
                self.links.push(allowed);
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        let out = &mut self.out;
        match tag {
            TagEnd::Paragraph => out.push_str("</p>\n"),
            TagEnd::Heading(level) => out.push_str(&format!("</h{}>\n", shifted(level, self.base))),
            TagEnd::BlockQuote(_) => out.push_str("</blockquote>\n"),
            TagEnd::CodeBlock | TagEnd::HtmlBlock => {
                out.truncate(out.trim_end_matches('\n').len());
                out.push_str(self.blocks.pop().unwrap_or_default());
            }
            TagEnd::List(ordered) => out.push_str(if ordered { "</ol>\n" } else { "</ul>\n" }),
            TagEnd::Item => out.push_str("</li>\n"),
            TagEnd::Emphasis => out.push_str("</em>"),
            TagEnd::Strong => out.push_str("</strong>"),
            TagEnd::Link => out.push_str(if self.links.pop() == Some(true) { "</a>" } else { "" }),
            _ => {}
        }
    }
}

fn shifted(level: HeadingLevel, base: u8) -> u8 {
    (base.max(1) - 1).saturating_add(level as u8).min(6)
}

/// Web addresses and places on this site. Not `//host`, which looks like a place and is another site.
fn is_allowed_link(url: &str) -> bool {
    let url = url.trim();
    if url.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') || url.starts_with("//") {
        return false;
    }
    match url.find([':', '/', '?', '#']) {
        Some(at) if url[at..].starts_with(':') => ["http", "https"].iter().any(|scheme| url[..at].eq_ignore_ascii_case(scheme)),
        _ => true,
    }
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn html(md: &str) -> String {
        render(md, 3)
    }

    #[test]
    fn the_whole_subset() {
        let md = "# 水\n\n第一行\n第二行 *轻* `x<y`\n\n- 一\n- 二\n\n3. 三\n\n> 引\n\n---\n\n```rust\na<b\n```\n";
        let expected = "<h3>水</h3>\n<p>第一行<br>\n第二行 <em>轻</em> <code>x&lt;y</code></p>\n<ul>\n<li>一</li>\n<li>二</li>\n</ul>\n\
                        <ol start=\"3\">\n<li>三</li>\n</ol>\n<blockquote>\n<p>引</p>\n</blockquote>\n<hr>\n<pre><code>a&lt;b</code></pre>\n";
        assert_eq!(html(md), expected);
    }

    #[test]
    fn headings_start_at_the_base_and_stop_at_six() {
        assert_eq!(render("# a\n#### b", 4), "<h4>a</h4>\n<h6>b</h6>\n");
        assert_eq!(render("# a", 0), "<h1>a</h1>\n");
    }

    #[test]
    fn bold_beside_chinese_punctuation() {
        assert_eq!(html("**注意：**请勿**触摸**"), "<p><strong>注意：</strong>请勿<strong>触摸</strong></p>\n");
        assert_eq!(html("请看**“说明”**后再做"), "<p>请看<strong>“说明”</strong>后再做</p>\n");
        assert_eq!(html("**步骤1:**打开"), "<p><strong>步骤1:</strong>打开</p>\n");
        assert_eq!(html("5*（3+4）*2 \\**甲：**乙"), html("5*（3+4）*2 \\**甲：**乙"));
        assert!(!html("`**注：**码`").contains(SEAM));
    }

    #[test]
    fn links_lead_to_the_web_or_this_site_only() {
        assert_eq!(html("[水](https://a.cn/?a=1&b=\"2\")"), "<p><a href=\"https://a.cn/?a=1&amp;b=&quot;2&quot;\" rel=\"nofollow noopener\">水</a></p>\n");
        for good in ["/r/1", "r/1?x=a:b", "#top", "HTTP://a.cn", "科普/水"] {
            assert!(is_allowed_link(good), "{good}");
        }
        for bad in ["javascript:alert(1)", "JaVaScRiPt:x", "data:text/html,x", "//evil.cn", "/\\evil.cn", "java\nscript:x", " vbscript:x"] {
            assert!(!is_allowed_link(bad), "{bad}");
        }
        for attack in ["[x](javascript:alert(1))", "[x](&#106;avascript:alert(1))", "<javascript:alert(1)>", "[x](\u{1}javascript:a)", "<a@b.cn>"] {
            assert!(!html(attack).contains("<a "), "{attack}");
        }
    }

    #[test]
    fn html_is_shown_and_pictures_are_described() {
        assert_eq!(html("a <b>c</b>"), "<p>a &lt;b&gt;c&lt;/b&gt;</p>\n");
        assert_eq!(html("<script>\nx\n</script>"), "<p>&lt;script&gt;\nx\n&lt;/script&gt;</p>\n");
        assert_eq!(html("![水循环](http://a.cn/x.png)"), "<p>水循环</p>\n");
        assert_eq!(html("    缩进的一段"), "<p>缩进的一段</p>\n");
    }

    #[test]
    fn plain_text_reads_aloud() {
        let md = "# 水\n\n**注意：**请看[这里](http://a.cn)<b>吧</b>\n下一行\n\n- 一\n- 二\n  - 三\n\n![图](x)\n\n<div>\n";
        assert_eq!(plain(md), "水\n注意：请看这里吧\n下一行\n一\n二\n三\n图");
        assert_eq!(plain(""), "");
    }

    #[test]
    fn deep_nesting_costs_no_stack() {
        for md in [">".repeat(20_000), "- ".repeat(5_000), "*".repeat(20_000), "[".repeat(20_000), "![".repeat(5_000)] {
            let _ = html(&md);
            let _ = plain(&md);
        }
    }

    proptest! {
        #[test]
        fn only_our_tags_come_out(md in "([<>&\"'\\[\\]()!*_`#\\- \n:：**a水]|javascript:|<script>|http://x|\\*\\*){0,40}") {
            let out = html(&md);
            let known = ["p", "h3", "h4", "h5", "h6", "blockquote", "pre", "code", "ul", "ol", "li", "em", "strong", "br", "hr", "a"];
            for part in out.split('<').skip(1) {
                let name = part.trim_start_matches('/').split(['>', ' ']).next().unwrap_or_default();
                prop_assert!(known.contains(&name), "{} in {}", name, out);
            }
            prop_assert!(!out.contains("href=\"javascript") && !out.contains(SEAM));
        }
    }
}
