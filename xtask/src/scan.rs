//! A small reader of source text: blanks comments, finds string literals and calls whose first arguments are literals.
//! It knows just enough Rust not to be misled by strings, raw strings, characters and lifetimes; it is no parser.

/// A call such as `route("GET", "/")`: only the string literals at the front of its arguments are kept.
#[derive(Debug, PartialEq, Eq)]
pub struct Call {
    /// Line, from 1.
    pub line: usize,
    /// The literals, as written between the quotes; at least one.
    pub literals: Vec<String>,
}

/// `source` without comments, line for line, and without everything from the first `#[cfg(test)]` at the left margin.
pub fn code(source: &str) -> String {
    let end = source.find("\n#[cfg(test)]").map_or(source.len(), |at| at + 1);
    blank_comments(&source[..end])
}

/// Replaces each character of a comment by a space; line ends stay, so that line numbers hold.
pub fn blank_comments(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else {
            let length = match first {
                '"' => quoted(rest),
                '\'' => character(rest),
                'r' if !ends_in_word(&out) => raw_string(rest).unwrap_or(1),
                _ => first.len_utf8(),
            };
            out.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        };
        out.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[length..];
    }
    out
}

/// Every call of one of `names` (also as a method or macro) that begins with a string literal.
pub fn calls(code: &str, names: &[&str]) -> Vec<Call> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices('(') {
        let before = code[..at].strip_suffix('!').unwrap_or(&code[..at]);
        let Some(name) = names.iter().find(|name| before.ends_with(**name)) else { continue };
        if ends_in_word(&before[..before.len() - name.len()]) {
            continue;
        }
        let literals = leading_literals(&code[at + 1..]);
        if !literals.is_empty() {
            found.push(Call { line: line_at(code, at), literals });
        }
    }
    found
}

/// Every string literal between plain quotes, as written.
pub fn literals(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(['"', '\'']) {
        let tail = &rest[at..];
        let length = if tail.starts_with('"') { quoted(tail) } else { character(tail) };
        if tail.starts_with('"') && length >= 2 {
            found.push(&tail[1..length - 1]);
        }
        rest = &tail[length..];
    }
    found
}

/// The line of byte `at`, from 1.
pub fn line_at(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

fn leading_literals(arguments: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = arguments.trim_start();
    while rest.starts_with('"') {
        let length = quoted(rest);
        found.push(rest[1..length.max(2) - 1].to_owned());
        rest = rest[length..].trim_start();
        match rest.strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None => break,
        }
    }
    found
}

fn ends_in_word(text: &str) -> bool {
    text.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// Length of the quoted text at the start, both quotes included; of everything if it does not end.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Length of the character literal at the start; 1 for the tick of a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next(), chars.next()) {
        (Some((_, '\\')), Some(_), _) => text[3..].find('\'').map_or(1, |at| at + 4),
        (Some(_), Some((at, '\'')), _) => at + 1,
        _ => 1,
    }
}

/// Length of the raw string `r#"…"#` at the start.
fn raw_string(text: &str) -> Option<usize> {
    let hashes = text[1..].chars().take_while(|c| *c == '#').count();
    let open = 1 + hashes;
    if !text[open..].starts_with('"') {
        return None;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    Some(text[open + 1..].find(&close).map_or(text.len(), |at| open + 1 + at + close.len()))
}

/// Length of the block comment at the start; they nest.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_and_strings_stay() {
        let source = "a // x \"y\n/* b /* 中 */\n*/c(\"// no\", 'a', '\"', '\\'', '\\u{4e2d}', '中', r#\"/* \" no */\"#) // end\n<'a>(&'a str)";
        let out = blank_comments(source);
        assert_eq!(out.lines().count(), source.lines().count());
        for kept in ["\"// no\"", "r#\"/* \" no */\"#", "'\"'", "<'a>(&'a str)", "'\\u{4e2d}'"] {
            assert!(out.contains(kept), "{kept} in {out}");
        }
        for gone in ["x", "b", "/* 中", "end"] {
            assert!(!out.contains(gone), "{gone} in {out}");
        }
    }

    #[test]
    fn tests_are_no_code() {
        assert_eq!(code("t(\"a\")\n#[cfg(test)]\nmod tests { t(\"b\") }"), "t(\"a\")\n");
    }

    #[test]
    fn calls_keep_the_literals_at_the_front() {
        let text = "route(\n    \"GET\",\n    \"/a\",\n    Access::Any, \"x\")\nself.t(\"k\") t!( \"m\" ) start(\"no\") t(key, \"no\") .route(\"/b\", get(h))";
        assert_eq!(calls(text, &["route"]), [Call { line: 1, literals: vec!["GET".into(), "/a".into()] }, Call { line: 5, literals: vec!["/b".into()] }]);
        let keys: Vec<_> = calls(text, &["t", "tr"]).into_iter().map(|call| call.literals[0].clone()).collect();
        assert_eq!(keys, ["k", "m"]);
    }

    #[test]
    fn literals_are_read_as_written() {
        assert_eq!(literals("f(\"a\\\"b\", '\"', \"\", \"中\") &'a str, \"open"), ["a\\\"b", "", "中", "ope"]);
    }
}
