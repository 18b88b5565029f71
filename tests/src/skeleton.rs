//! What a page says, without its clothes: one line for each heading, paragraph, cell, link and field inside `<main>`.
//! And what of it changes from run to run (keys, hashes, ids, moments), put into words, so that the rest can be compared.

use html5gum::{Token, Tokenizer};

/// Elements that begin a line of their own.
const LINES: [&str; 22] = [
    "h1",
    "h2",
    "h3",
    "h4",
    "p",
    "li",
    "dt",
    "dd",
    "th",
    "td",
    "caption",
    "figcaption",
    "label",
    "legend",
    "button",
    "blockquote",
    "summary",
    "pre",
    "form",
    "section",
    "aside",
    "nav",
];
/// Elements whose text nobody reads as text.
const SILENT: [&str; 5] = ["script", "style", "svg", "datalist", "template"];

/// The skeleton of a page.
pub fn of(page: &str) -> String {
    let (mut out, mut line) = (Vec::<String>::new(), String::new());
    let (mut inside, mut silent) = (false, 0_usize);
    let mut href = String::new();
    for token in Tokenizer::new(page).flatten() {
        match token {
            Token::StartTag(tag) => {
                let name = text(&tag.name);
                let attr = |wanted: &str| tag.attributes.iter().find(|(n, _)| n.as_slice() == wanted.as_bytes()).map(|(_, v)| text(v)).unwrap_or_default();
                inside |= name == "main";
                if SILENT.contains(&name.as_str()) && !tag.self_closing {
                    silent += 1;
                }
                if !inside || silent > 0 {
                    continue;
                }
                match name.as_str() {
                    "a" => href = attr("href"),
                    "input" if attr("type") == "hidden" => {}
                    "input" => line.push_str(&format!(" <{} {}>", attr("type"), attr("name"))),
                    "textarea" | "select" => line.push_str(&format!(" <{name} {}>", attr("name"))),
                    // Lists to choose from are vocabularies and divisions; what is chosen is what the page says.
                    "option" => silent += usize::from(!tag.attributes.iter().any(|(n, _)| n.as_slice() == b"selected")),
                    "img" => line.push_str(&format!(" <img {}>", attr("alt"))),
                    _ if LINES.contains(&name.as_str()) => {
                        push(&mut out, &mut line);
                        line = match name.as_str() {
                            "form" => format!("form: {} {}", if attr("method") == "post" { "POST" } else { "GET" }, attr("action")),
                            "section" | "aside" | "nav" => format!("{name}: {}", attr("aria-label")),
                            _ => format!("{name}:"),
                        };
                    }
                    _ => {}
                }
            }
            Token::EndTag(tag) => {
                let name = text(&tag.name);
                if SILENT.contains(&name.as_str()) || (name == "option" && silent > 0) {
                    silent = silent.saturating_sub(1);
                }
                if !inside || silent > 0 {
                    continue;
                }
                match name.as_str() {
                    "main" => inside = false,
                    "a" => line.push_str(&format!(" → {}", std::mem::take(&mut href))),
                    _ if LINES.contains(&name.as_str()) => push(&mut out, &mut line),
                    _ => {}
                }
            }
            Token::String(words) if inside && silent == 0 => {
                let words = text(&words);
                if !words.trim().is_empty() {
                    if !line.ends_with(' ') {
                        line.push(' ');
                    }
                    line.push_str(&words.split_whitespace().collect::<Vec<_>>().join(" "));
                }
            }
            _ => {}
        }
    }
    push(&mut out, &mut line);
    out.join("\n")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn push(out: &mut Vec<String>, line: &mut String) {
    let whole = std::mem::take(line);
    // A container says nothing by itself.
    let empty = whole.trim_end().strip_suffix(':').is_some_and(|name| LINES.contains(&name));
    if !whole.trim().is_empty() && !empty {
        out.push(whole.trim().to_owned());
    }
}

/// What differs between two runs, as pattern and word.
pub const CHANGING: [(&str, &str); 19] = [
    (r"did:key:z[1-9A-HJ-NP-Za-km-z]+(#z[1-9A-HJ-NP-Za-km-z]+)?", "[key]"),
    (r"\bz[1-9A-HJ-NP-Za-km-z]{80,90}\b", "[signature]"),
    (r"\b[0-9a-f]{64}\b", "[hash]"),
    (r"#(new|corrected|withdrawn)-\d{13}", "#$1-[ms]"),
    (r"kepu-[0-9a-f]{12}\.json", "kepu-[hash].json"),
    (r#"(cursor=|"cursor": ")[A-Za-z0-9_-]{20,}"#, "$1[cursor]"),
    (r"urn:kepu:request:[a-z2-7]{16}", "urn:kepu:request:[request]"),
    (r"(kepu:|/c/|/r/|/id/|/claims/|/resources/)[a-z2-7]{10}/", "$1[owner]/"),
    (r"/c-[a-z0-9]{8}\b", "/c-[local]"),
    (r"(/q/|/questions/)[a-z2-7]{16}", "$1[question]"),
    (r"(/case/|/cases/)[a-z2-7]{12}", "$1[case]"),
    (r"http://127\.0\.0\.1:\d+", "[node]"),
    (r"(\[today\]|20\d\d-\d\d-\d\d)T\d\d:\d\d:\d\d(\.\d+)?(Z|\+08:00)", "[moment]"),
    (r"(\[today\]|20\d\d年\d+月\d+日) \d\d:\d\d", "[moment]"),
    (r"(\[today\]|\d{1,2} [A-Z][a-z]+ 20\d\d) \d\d:\d\d", "[moment]"),
    (r"(今天|明天|昨天|today|tomorrow|yesterday) \d\d:\d\d", "[moment]"),
    (r"(\d+ 天 )?\d+ 小时( \d+ 分钟?)?|\d+ 分钟?\b", "[span]"),
    (r"\b\d{4}( \d{4}){5}\b", "[digits]"),
    // It depends on how the index was written, piece by piece; the order of the results is what counts.
    (r#""(score|confidence)": \d+\.\d+"#, "\"$1\": \"[score]\""),
];

#[cfg(test)]
mod tests {
    #[test]
    fn only_what_is_said_remains() {
        let page = "<header>no</header><main><h1>题 目</h1><script>no</script><form method=post action=/ask><input type=hidden name=x><label>问 \
                    <textarea name=text></textarea></label><select name=a><option>甲</option><option selected>乙</option></select></form>\
                    <ul><li><a href=/c>看</a></ul></main><footer>no</footer>";
        assert_eq!(super::of(page), "h1: 题 目\nform: POST /ask\nlabel: 问 <textarea text>\n<select a> 乙\nli: 看 → /c");
    }
}
