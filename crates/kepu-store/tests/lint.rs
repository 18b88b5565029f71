//! Every SQL text of the crate stays inside the subset that SQLite, PostgreSQL and the engines that speak its protocol share.
//! Why each word is out stands in `docs/decisions` (storage); this test only finds them.

use std::path::{Path, PathBuf};

/// Words that no statement may have.
const WORDS: [&str; 31] = [
    "SERIAL",
    "BIGSERIAL",
    "AUTOINCREMENT",
    "IDENTITY",
    "SEQUENCE",
    "NEXTVAL",
    "CURRENT_TIMESTAMP",
    "CURRENT_DATE",
    "TIMESTAMP",
    "TIMESTAMPTZ",
    "JSON",
    "JSONB",
    "UUID",
    "NUMERIC",
    "VARCHAR",
    "MERGE",
    "ILIKE",
    "GLOB",
    "LISTEN",
    "NOTIFY",
    "TRIGGER",
    "TEMP",
    "TEMPORARY",
    "DEFERRABLE",
    "EXCLUDE",
    "INHERITS",
    "PRAGMA",
    "ROWID",
    "DATETIME",
    "STRFTIME",
    "UNNEST",
];
/// Sequences of words that no statement may have.
const PHRASES: [&[&str]; 9] = [
    &["REPLACE", "INTO"],
    &["INSERT", "OR"],
    &["SKIP", "LOCKED"],
    &["FOR", "UPDATE"],
    &["FOR", "SHARE"],
    &["LOCK", "TABLE"],
    &["DISTINCT", "ON"],
    &["WITHOUT", "ROWID"],
    &["NOW", "("],
];
/// Signs that no statement may have outside its quoted texts.
const SIGNS: [&str; 4] = ["->", "::", "?", "@>"];
/// The column types both drivers share.
const TYPES: [&str; 5] = ["BIGINT", "TEXT", "DOUBLE", "BYTEA", "BOOLEAN"];

/// What is wrong with a statement, if anything.
fn faults(sql: &str) -> Vec<String> {
    let bare = without_quoted(sql);
    let upper = bare.to_uppercase();
    let words = words(&upper);
    let has = |phrase: &[&str]| words.windows(phrase.len()).any(|window| window == phrase);
    let mut found: Vec<String> = WORDS.iter().filter(|word| words.contains(word)).map(|word| (*word).to_owned()).collect();
    found.extend(PHRASES.iter().filter(|phrase| has(phrase)).map(|phrase| phrase.join(" ")));
    found.extend(SIGNS.iter().filter(|sign| bare.contains(**sign)).map(|sign| (*sign).to_owned()));
    found
}

/// What is wrong with a migration besides.
fn migration_faults(text: &str) -> Vec<String> {
    let (comments, sql): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.trim_start().starts_with("--"));
    let (comments, sql) = (comments.join("\n"), sql.join("\n"));
    let mut found = faults(&sql);
    if sql.contains("UNIQUE") && !comments.contains("UNIQUE:") {
        found.push("UNIQUE without a reason in the comment".into());
    }
    if sql.starts_with("CREATE TABLE") {
        for line in sql.lines().skip(1).map(str::trim) {
            let mut parts = line.split_whitespace();
            let (Some(name), Some(kind)) = (parts.next(), parts.next()) else { continue };
            let is_column = !matches!(name, "PRIMARY" | "CHECK" | "FOREIGN" | "UNIQUE");
            if is_column && !TYPES.contains(&kind.trim_end_matches(',')) {
                found.push(format!("column {name} is {kind}"));
            }
        }
        if !sql.contains("PRIMARY KEY") {
            found.push("no primary key".into());
        }
    }
    found
}

fn words(upper: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut list = Vec::new();
    let mut rest = upper.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = if is_word(first) { rest.find(|c| !is_word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        list.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    list
}

fn without_quoted(sql: &str) -> String {
    sql.split('\'').step_by(2).collect::<Vec<_>>().join("''")
}

/// Whether a string literal is (part of) a statement: it has one of these words in capitals.
fn is_sql(literal: &str) -> bool {
    const MARKS: [&str; 14] =
        ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "WHERE", "FROM", "VALUES", "AND", "ORDER", "CONFLICT", "RETURNING"];
    words(literal).iter().any(|word| MARKS.contains(word))
}

/// The string literals of a Rust source, without those in comments.
fn literals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find(['"', '/', '\'', 'r']) {
        let (before, here) = rest.split_at(at);
        let inside_word = before.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
        let hashes = here[1..].len() - here[1..].trim_start_matches('#').len();
        let skip = if here.starts_with("//") {
            here.find('\n').unwrap_or(here.len())
        } else if let Some(body) = here.strip_prefix('"') {
            let end = end_of_literal(body);
            found.push(body[..end].replace("\\\"", "\"").replace("\\\\", "\\"));
            end + 2
        } else if here.starts_with('r') && !inside_word && here[1 + hashes..].starts_with('"') {
            let body = &here[hashes + 2..];
            let close = format!("\"{}", "#".repeat(hashes));
            let end = body.find(&close).unwrap_or(body.len());
            found.push(body[..end].to_owned());
            hashes + 2 + end + close.len()
        } else {
            char_literal(here).unwrap_or(1)
        };
        rest = &here[skip.min(here.len())..];
    }
    found
}

fn end_of_literal(body: &str) -> usize {
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            '"' if !escaped => return at,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    body.len()
}

/// Length of `'x'` or `'\x'`; none for a lifetime.
fn char_literal(here: &str) -> Option<usize> {
    let mut chars = here.strip_prefix('\'')?.chars();
    let first = chars.next()?;
    let second = if first == '\\' { chars.next()?.len_utf8() } else { 0 };
    (chars.next()? == '\'').then(|| 2 + first.len_utf8() + second)
}

fn files(directory: &Path, extension: &str, list: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("a directory of this crate") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            files(&path, extension, list);
        } else if path.extension().is_some_and(|found| found == extension) {
            list.push(path);
        }
    }
}

#[test]
fn every_statement_is_portable() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut sources, mut migrations) = (Vec::new(), Vec::new());
    files(&root.join("src"), "rs", &mut sources);
    files(&root.join("migrations"), "sql", &mut migrations);
    let mut statements = 0;
    let mut found = Vec::new();
    for path in sources {
        let text = std::fs::read_to_string(&path).expect("source");
        for sql in literals(&text).iter().filter(|literal| is_sql(literal)) {
            statements += 1;
            found.extend(faults(sql).into_iter().map(|fault| format!("{}: {fault} in: {sql}", path.display())));
        }
    }
    for path in migrations {
        let text = std::fs::read_to_string(&path).expect("migration");
        statements += 1;
        found.extend(migration_faults(&text).into_iter().map(|fault| format!("{}: {fault}", path.display())));
    }
    assert!(found.is_empty(), "not portable:\n{}", found.join("\n"));
    assert!(statements > 200, "only {statements} statements found: the search itself is broken");
}

#[test]
fn what_is_not_portable_is_found() {
    for (bad, fault) in [
        ("SELECT a FROM t WHERE b = ?", "?"),
        ("SELECT a->>'x' FROM t", "->"),
        ("SELECT a::text FROM t", "::"),
        ("SELECT id FROM job LIMIT 1 FOR UPDATE SKIP LOCKED", "SKIP LOCKED"),
        ("select id from job for\n  update", "FOR UPDATE"),
        ("REPLACE INTO t VALUES ($1)", "REPLACE INTO"),
        ("INSERT OR IGNORE INTO t VALUES ($1)", "INSERT OR"),
        ("UPDATE t SET a = now()", "NOW ("),
        ("SELECT a FROM t WHERE a ILIKE $1", "ILIKE"),
        ("CREATE TABLE t (id BIGSERIAL PRIMARY KEY)", "BIGSERIAL"),
        ("MERGE INTO t USING u ON TRUE", "MERGE"),
        ("LISTEN jobs", "LISTEN"),
        ("CREATE TEMP TABLE t (a TEXT)", "TEMP"),
    ] {
        assert!(faults(bad).iter().any(|found| found == fault), "{bad}");
    }
    assert!(faults("SELECT a FROM t WHERE why = 'now() or what?' AND temperature > $1 RETURNING a").is_empty());
    assert_eq!(migration_faults("CREATE TABLE t (\n  a INTEGER NOT NULL,\n  PRIMARY KEY (a)\n)"), ["column a is INTEGER"]);
    assert_eq!(migration_faults("-- A table.\nCREATE TABLE t (\n  a TEXT PRIMARY KEY UNIQUE\n)"), ["UNIQUE without a reason in the comment"]);
    assert_eq!(migration_faults("CREATE TABLE t (\n  a TEXT\n)"), ["no primary key"]);
}

#[test]
fn literals_are_found_wherever_they_stand() {
    let source = r##"// "comment" 
        fn f<'a>(c: char) { g("one \" two"); h(r#"three"#); i('"'); j("four"); for_r("five") }"##;
    assert_eq!(literals(source), ["one \" two", "three", "four", "five"]);
}
