//! Markdown as a list of blocks without marks: what a sheet of paper is set from.

use crate::markdown::{SEAM, prepare};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// A block of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A heading, whatever its depth.
    Heading(String),
    /// A paragraph in one line.
    Paragraph(String),
    /// A list; lists inside it are told in the same row.
    List(Vec<String>),
}

/// The blocks of `md` in order; no marks, no addresses, no empty ones. A line break inside a block becomes a blank.
///
/// ```
/// use kepu_text::outline::{Part, outline};
/// assert_eq!(outline("## 做\n- **高**处走\n- 关电"), [Part::Heading("做".into()), Part::List(vec!["高处走".into(), "关电".into()])]);
/// ```
#[must_use]
pub fn outline(md: &str) -> Vec<Part> {
    let source = prepare(md);
    let mut parts: Vec<Part> = Vec::new();
    let (mut text, mut depth) = (String::new(), 0_usize);
    for event in Parser::new_ext(&source, Options::empty()) {
        match event {
            Event::Text(piece) | Event::Code(piece) | Event::Html(piece) | Event::InlineHtml(piece) => text.push_str(&piece),
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            Event::Start(Tag::List(_)) => {
                // The text of an item above a list inside it stands for itself.
                push(&mut parts, &mut text, depth);
                if depth == 0 {
                    parts.push(Part::List(vec![]));
                }
                depth += 1;
            }
            Event::End(TagEnd::List(_)) => depth = depth.saturating_sub(1),
            Event::End(TagEnd::Heading(_)) => {
                let line = take(&mut text);
                parts.extend((!line.is_empty()).then_some(Part::Heading(line)));
            }
            Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::CodeBlock | TagEnd::HtmlBlock) => push(&mut parts, &mut text, depth),
            _ => {}
        }
    }
    parts.retain(|part| !matches!(part, Part::List(items) if items.is_empty()));
    parts
}

fn push(parts: &mut Vec<Part>, text: &mut String, depth: usize) {
    let line = take(text);
    if line.is_empty() {
        return;
    }
    match parts.last_mut() {
        Some(Part::List(items)) if depth > 0 => items.push(line),
        _ => parts.push(Part::Paragraph(line)),
    }
}

fn take(text: &mut String) -> String {
    let line: String = std::mem::take(text).chars().filter(|c| *c != SEAM).collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_in_order_without_marks() {
        let md = "开头**一句：**在此\n第二行\n\n## 怎么做\n\n1. 先 `关` 电\n   - 再走\n2. 打[电话](https://a.example)\n\n> 引文\n\n```\n代码\n```\n<b>原样</b>";
        assert_eq!(
            outline(md),
            [
                Part::Paragraph("开头一句：在此 第二行".into()),
                Part::Heading("怎么做".into()),
                Part::List(vec!["先 关 电".into(), "再走".into(), "打电话".into()]),
                Part::Paragraph("引文".into()),
                Part::Paragraph("代码".into()),
                Part::Paragraph("<b>原样</b>".into()),
            ]
        );
        assert_eq!(outline(" \n\n"), []);
    }
}
