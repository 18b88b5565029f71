//! Bytes of a file to rows of cells: JSON lines, a JSON list, a table whose cells are parted by commas, semicolons or tabs, in
//! UTF-8, UTF-16 or GB 18030, a workbook (`sheet`), or a list of another system (`foreign`). What a row means is in `row` and `party`.

use super::Reason;
use super::foreign;
use super::sheet::{self, Sheet};
use crate::error::{AppError, FieldError};
use kepu_domain::create::import::Row;
use kepu_text::decode::{DecodeError, Encoding, Places};
use serde_json::Value;
use std::collections::BTreeMap;

/// Columns of a file that are looked at; a table with more is none.
const COLUMNS_MAX: usize = 200;
/// How many lines of JSON are read to learn the columns.
const PROBED: usize = 200;

/// A file as a table.
#[derive(Clone, Debug)]
pub struct Table {
    /// How it was written.
    pub encoding: Encoding,
    /// Its columns in their order.
    pub columns: Vec<String>,
    /// What to look at: line and why.
    pub warnings: Vec<(usize, Reason)>,
    text: String,
    shape: Shape,
}

#[derive(Clone, Debug, PartialEq)]
enum Shape {
    JsonLines,
    JsonList(Vec<Value>),
    Cells(u8),
    Sheet(Sheet),
    /// A feed, a repository's answer or a bibliography.
    Foreign(Sheet),
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// An object a line.
    JsonLines,
    /// A list of objects.
    JsonList,
    /// Cells parted by a character.
    Cells,
    /// A workbook.
    Workbook,
    /// A list of another system.
    Foreign,
}

fn file_error(key: &str) -> FieldError {
    FieldError::new("file", key)
}

impl Table {
    /// Reads a file. Every error names the file's line and what to do.
    pub fn read(bytes: &[u8]) -> Result<Self, AppError> {
        if sheet::is_workbook(bytes) {
            let sheet = Sheet::read(bytes).map_err(|error| AppError::Invalid(vec![error]))?;
            let mut table = Self { encoding: Encoding::Utf8, columns: vec![], warnings: vec![], text: String::new(), shape: Shape::Sheet(sheet) };
            table.columns = table.find_columns()?;
            return Ok(table);
        }
        let decoded = kepu_text::decode(bytes).map_err(|error| AppError::Invalid(vec![broken(&error)]))?;
        let warnings = decoded.warnings.into_iter().map(|w| (w.line, Reason::new("error-import_doubtful").with("cause", w.text))).collect();
        let mut table = Self { encoding: decoded.encoding, columns: vec![], warnings, text: decoded.text, shape: Shape::JsonLines };
        let start = table.text.trim_start();
        if start.is_empty() {
            return Err(AppError::Invalid(vec![file_error("file_empty")]));
        }
        if foreign::is_foreign(start) {
            table.shape = Shape::Foreign(foreign::read(start).map_err(|error| AppError::Invalid(vec![error]))?);
        } else if start.starts_with('[') {
            let list = serde_json::from_str(start).map_err(|e| AppError::Invalid(vec![file_error("file_json").with("line", e.line()).with("cause", e)]))?;
            table.shape = Shape::JsonList(list);
        } else if !start.starts_with('{') {
            table.shape = Shape::Cells(separator(start));
        }
        table.columns = table.find_columns()?;
        Ok(table)
    }

    /// How the file is written.
    pub fn form(&self) -> Form {
        match &self.shape {
            Shape::JsonLines => Form::JsonLines,
            Shape::JsonList(_) => Form::JsonList,
            Shape::Cells(_) => Form::Cells,
            Shape::Sheet(_) => Form::Workbook,
            Shape::Foreign(_) => Form::Foreign,
        }
    }

    fn find_columns(&self) -> Result<Vec<String>, AppError> {
        let columns = match &self.shape {
            Shape::Cells(separator) => {
                let mut reader = reader(&self.text, *separator);
                let head = reader.headers().map_err(|e| AppError::Invalid(vec![file_error("file_table").with("line", 1).with("cause", e)]))?;
                head.iter().map(str::to_owned).collect()
            }
            Shape::Sheet(sheet) | Shape::Foreign(sheet) => sheet.head.clone(),
            _ => {
                let mut columns: Vec<String> = Vec::new();
                for (_, row) in self.rows().take(PROBED) {
                    let fresh: Vec<String> = row.unwrap_or_default().into_keys().filter(|name| !columns.contains(name)).collect();
                    columns.extend(fresh);
                }
                columns
            }
        };
        if let Some(twice) = columns.iter().enumerate().find(|(at, name)| columns[..*at].contains(name)).map(|(_, name)| name) {
            return Err(AppError::Invalid(vec![file_error("file_column_twice").with("column", twice)]));
        }
        if columns.len() > COLUMNS_MAX {
            return Err(AppError::Invalid(vec![file_error("file_columns").with("count", columns.len()).with("max", COLUMNS_MAX)]));
        }
        Ok(columns)
    }

    /// The rows in the order of the file, each with its line (for a JSON list: its number), or why it cannot be read.
    pub fn rows(&self) -> Box<dyn Iterator<Item = (usize, Result<Row, Reason>)> + Send + '_> {
        self.rows_from(0)
    }

    /// The rows after the first `skip`, which are passed over without looking into them.
    pub fn rows_from(&self, skip: usize) -> Box<dyn Iterator<Item = (usize, Result<Row, Reason>)> + Send + '_> {
        match &self.shape {
            Shape::JsonLines => Box::new(self.text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).skip(skip).map(|(at, line)| {
                let value = serde_json::from_str(line).map_err(|e| Reason::new("error-import_json").with("cause", e));
                (at + 1, value.and_then(flatten))
            })),
            Shape::JsonList(list) => Box::new(list.iter().enumerate().skip(skip).map(|(at, value)| (at + 1, flatten(value.clone())))),
            Shape::Sheet(sheet) | Shape::Foreign(sheet) => {
                Box::new(sheet.rows.iter().skip(skip).map(|(line, cells)| (*line, Ok(self.columns.iter().cloned().zip(cells.iter().cloned()).collect()))))
            }
            Shape::Cells(separator) => Box::new(reader(&self.text, *separator).into_records().enumerate().skip(skip).map(|(at, row)| match row {
                Ok(row) => {
                    let line = row.position().map_or(at + 2, |p| p.line() as usize);
                    (line, Ok(self.columns.iter().cloned().zip(row.iter().map(str::to_owned)).collect()))
                }
                Err(error) => (error.position().map_or(at + 2, |p| p.line() as usize), Err(uneven(&error))),
            })),
        }
    }

    /// How many rows there are, readable or not.
    pub fn count(&self) -> usize {
        match &self.shape {
            Shape::JsonLines => self.text.lines().filter(|line| !line.trim().is_empty()).count(),
            Shape::JsonList(list) => list.len(),
            Shape::Sheet(sheet) | Shape::Foreign(sheet) => sheet.rows.len(),
            Shape::Cells(separator) => reader(&self.text, *separator).into_records().count(),
        }
    }
}

fn reader(text: &str, separator: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().flexible(false).delimiter(separator).from_reader(text.as_bytes())
}

/// The character that parts most cells of the first line.
fn separator(text: &str) -> u8 {
    let head = text.lines().next().unwrap_or_default();
    let count = |separator: u8| head.bytes().filter(|b| *b == separator).count();
    // The first of several maxima would be the last one for `max_by_key`; commas win ties.
    [b'\t', b';', b','].into_iter().max_by_key(|separator| count(*separator)).unwrap_or(b',')
}

fn uneven(error: &csv::Error) -> Reason {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => Reason::new("error-import_cells").with("found", len).with("expected", expected_len),
        _ => Reason::new("error-import_table").with("cause", error),
    }
}

fn broken(error: &DecodeError) -> FieldError {
    let at = |encoding: &str, places: &Places| {
        let first = places.first.first();
        let mut lines: Vec<usize> = places.first.iter().map(|place| place.line).collect();
        lines.dedup();
        file_error("file_broken")
            .with("encoding", encoding)
            .with("lines", lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
            .with("byte", first.map_or(0, |place| place.offset))
            .with("hex", first.map_or("", |place| &place.hex))
            .with("total", places.total)
    };
    match error {
        DecodeError::NotText { looks_like } => file_error("file_no_text").with("looks", looks_like),
        DecodeError::BrokenUtf8(places) => at("UTF-8", places),
        DecodeError::BrokenGb18030(places) => at("GB 18030", places),
        DecodeError::BrokenUtf16(places) => at("UTF-16", places),
    }
}

/// Texts stay, numbers and truth values become text, lists are joined by `;` (lists inside by a space), objects are passed over.
pub(crate) fn flatten(value: Value) -> Result<Row, Reason> {
    let Value::Object(map) = value else { return Err(Reason::new("error-import_no_object")) };
    fn text(value: &Value, between: &str) -> Option<String> {
        match value {
            Value::String(s) => Some(s.clone()),
            Value::Number(n) => Some(n.to_string()),
            Value::Bool(b) => Some(b.to_string()),
            Value::Array(list) => Some(list.iter().filter_map(|v| text(v, " ")).collect::<Vec<_>>().join(between)),
            _ => None,
        }
    }
    Ok(map.iter().filter_map(|(name, value)| Some((name.clone(), text(value, ";")?))).collect::<BTreeMap<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kepu_text::gb18030::encode_gb18030;

    fn rows(bytes: &[u8]) -> Vec<(usize, Result<Row, Reason>)> {
        Table::read(bytes).expect("readable").rows().collect()
    }
    fn cell(row: &Result<Row, Reason>, name: &str) -> String {
        row.as_ref().expect("row").get(name).cloned().unwrap_or_default()
    }
    fn refused(bytes: &[u8]) -> FieldError {
        match Table::read(bytes) {
            Err(AppError::Invalid(list)) => list.into_iter().next().expect("one"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_same_table_is_read_from_every_form_and_encoding() {
        let csv = "title,text\n水的三态,\"冰、水,\n汽\"\n";
        let tabs = "title\ttext\n水的三态\t\"冰、水,\n汽\"\n";
        let json = "{\"title\":\"水的三态\",\"text\":\"冰、水,\\n汽\"}\n";
        let list = "[{\"title\":\"水的三态\",\"text\":\"冰、水,\\n汽\"}]";
        let utf16: Vec<u8> = std::iter::once(0xFEFF).chain(csv.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let marked = [b"\xEF\xBB\xBF", csv.as_bytes()].concat();
        for bytes in [csv.as_bytes(), tabs.as_bytes(), json.as_bytes(), list.as_bytes(), &utf16, &marked, &encode_gb18030(csv).expect("gb")] {
            let found = rows(bytes);
            assert_eq!((cell(&found[0].1, "title"), cell(&found[0].1, "text")), ("水的三态".into(), "冰、水,\n汽".into()));
            assert_eq!(found.len(), 1);
        }
    }

    #[test]
    fn broken_rows_keep_their_line_and_the_others_go_on() {
        let found = rows("a,b\n1,2\n3\n4,5\n".as_bytes());
        assert_eq!(found.iter().map(|(line, row)| (*line, row.is_ok())).collect::<Vec<_>>(), [(2, true), (3, false), (4, true)]);
        assert_eq!(found[1].1.as_ref().expect_err("uneven").key, "error-import_cells");
        let found = rows("{\"a\":1}\n\n{oops\n[1]\n{\"a\":[[\"芝加哥\",0],[\"x\",1]],\"b\":{\"c\":1},\"d\":null}\n".as_bytes());
        assert_eq!(found.iter().map(|(line, row)| (*line, row.is_ok())).collect::<Vec<_>>(), [(1, true), (3, false), (4, false), (5, true)]);
        assert_eq!((cell(&found[3].1, "a"), cell(&found[3].1, "b")), ("芝加哥 0;x 1".into(), String::new()));
    }

    #[test]
    fn what_cannot_be_read_says_where_and_why() {
        let mut bytes = "title,text\n水的三态,正文很长很长很长很长\n".as_bytes().to_vec();
        bytes.extend("第二\u{4E00}".as_bytes());
        bytes.truncate(bytes.len() - 1);
        let error = refused(&bytes);
        assert_eq!(error.key, "file_broken");
        assert!(error.args.contains(&("encoding".into(), "UTF-8".into())) && error.args.contains(&("lines".into(), "3".into())), "{error:?}");
        assert_eq!(refused(b"PK\x03\x04rest").key, "file_sheet");
        assert_eq!(refused(b"%PDF-1.7\n\x00\x01").key, "file_no_text");
        assert_eq!(refused(b" \n ").key, "file_empty");
        assert_eq!(refused(b"[{\"a\":1}").key, "file_json");
        assert_eq!(refused(b"a,b,a\n1,2,3\n").key, "file_column_twice");
        assert_eq!(refused("c,".repeat(300).as_bytes()).key, "file_column_twice");
        let wide: String = (0..300).map(|n| format!("c{n},")).collect();
        assert_eq!(refused(wide.as_bytes()).key, "file_columns");
    }
}
