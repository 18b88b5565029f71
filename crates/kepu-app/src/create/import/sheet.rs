//! The first sheet of a workbook (.xlsx) as rows of text. A merged area counts as that text in each of its cells; a title above
//! the table is passed over; days become 2026-01-31.

use crate::error::FieldError;
use calamine::{Data, Reader, Xlsx};
use std::io::Cursor;

/// Most bytes of a workbook once unpacked: what a small archive may not blow up to.
const UNPACKED_MAX: u64 = 512 * 1024 * 1024;
/// Most cells of a sheet.
const CELLS_MAX: u64 = 20_000_000;
/// Rows in front of the table that may hold its title.
const TITLE_ROWS: usize = 10;

/// A sheet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sheet {
    /// The columns' names.
    pub(super) head: Vec<String>,
    /// Each row with its number in the sheet; rows without any text are left out.
    pub(super) rows: Vec<(usize, Vec<String>)>,
}

/// Whether the bytes begin as a zip archive does, as workbooks are.
pub(super) fn is_workbook(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

fn wrong(key: &str) -> FieldError {
    FieldError::new("file", key)
}

impl Sheet {
    /// Reads the first sheet that holds anything.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, FieldError> {
        if unpacked(bytes) > UNPACKED_MAX {
            return Err(wrong("file_sheet_large"));
        }
        let unreadable = |cause: String| wrong("file_sheet").with("cause", cause);
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|e| unreadable(e.to_string()))?;
        for name in book.sheet_names() {
            let range = book.worksheet_range(&name).map_err(|e| unreadable(e.to_string()))?;
            let Some((last_row, last_column)) = range.end() else { continue };
            if (u64::from(last_row) + 1) * (u64::from(last_column) + 1) > CELLS_MAX {
                return Err(wrong("file_sheet_large"));
            }
            let (first_row, first_column) = range.start().unwrap_or_default();
            let mut grid: Vec<Vec<String>> = range.rows().map(|row| row.iter().map(text).collect()).collect();
            for area in book.merge_cells_by_sheet_name(&name).unwrap_or_default() {
                let row = |at: u32| at.checked_sub(first_row).map(|at| at as usize);
                let column = |at: u32| at.checked_sub(first_column).map(|at| at as usize);
                let (Some(top), Some(left), Some(bottom), Some(right)) = (row(area.start.0), column(area.start.1), row(area.end.0), column(area.end.1)) else {
                    continue;
                };
                let Some(value) = grid.get(top).and_then(|row| row.get(left)).cloned() else { continue };
                for cells in grid.iter_mut().take(bottom + 1).skip(top) {
                    cells.iter_mut().take(right + 1).skip(left).for_each(|cell| cell.clone_from(&value));
                }
            }
            return Self::of(grid, first_row as usize + 1);
        }
        Err(wrong("file_empty"))
    }

    /// The table in a grid whose first row has the number `first`: it begins with the first row of two different names or more.
    fn of(grid: Vec<Vec<String>>, first: usize) -> Result<Self, FieldError> {
        let named = |row: &Vec<String>| {
            let mut names: Vec<&String> = row.iter().filter(|cell| !cell.is_empty()).collect();
            names.sort_unstable();
            names.dedup();
            names.len() > 1
        };
        let at = grid.iter().take(TITLE_ROWS).position(named).or_else(|| grid.iter().position(|row| row.iter().any(|cell| !cell.is_empty())));
        let Some(at) = at else { return Err(wrong("file_empty")) };
        let width = grid[at].iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
        let mut head: Vec<String> = grid[at].iter().take(width).map(|name| name.trim().to_owned()).collect();
        for (n, name) in head.iter_mut().enumerate().filter(|(_, name)| name.is_empty()) {
            *name = format!("#{}", n + 1);
        }
        let rows = grid.into_iter().enumerate().skip(at + 1).map(|(n, mut cells)| {
            cells.truncate(width);
            (first + n, cells)
        });
        Ok(Self { head, rows: rows.filter(|(_, cells)| cells.iter().any(|cell| !cell.is_empty())).collect() })
    }
}

/// How large the archive says that it is unpacked.
fn unpacked(bytes: &[u8]) -> u64 {
    let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(bytes)) else { return 0 };
    (0..archive.len()).filter_map(|at| archive.by_index_raw(at).ok().map(|file| file.size())).fold(0, u64::saturating_add)
}

fn text(cell: &Data) -> String {
    match cell {
        Data::Empty | Data::Error(_) => String::new(),
        Data::String(text) => text.trim().to_owned(),
        // A code such as 411525 is a number to a spreadsheet.
        Data::Float(n) if n.fract() == 0.0 && n.abs() < 1e15 => format!("{n:.0}"),
        Data::DateTime(at) => {
            let (year, month, day, ..) = at.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect()
    }

    #[test]
    fn a_title_above_the_table_is_passed_over_and_lines_keep_their_numbers() {
        let sheet = Sheet::of(
            grid(&[&["某县专家名单", "某县专家名单", ""], &["", "", ""], &["姓名", "领域", ""], &["甲", "健康", ""], &["", "", ""], &["乙", "食品", ""]]),
            1,
        );
        let sheet = sheet.expect("table");
        assert_eq!(sheet.head, ["姓名", "领域"]);
        assert_eq!(sheet.rows.iter().map(|(line, cells)| (*line, cells[0].as_str())).collect::<Vec<_>>(), [(4, "甲"), (6, "乙")]);
        assert!(Sheet::of(grid(&[&["", ""]]), 1).is_err());
    }

    /// The smallest workbook: one sheet with texts in its cells, a number, a day and a merged area.
    fn workbook() -> Vec<u8> {
        use std::io::Write;
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let plain = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        let word = |cell: &str, text: &str| format!("<c r=\"{cell}\" t=\"inlineStr\"><is><t>{text}</t></is></c>");
        let sheet = format!(
            "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>\
             <row r=\"1\">{}</row><row r=\"2\">{}{}{}</row><row r=\"3\">{}{}<c r=\"C3\"><v>411525</v></c></row>\
             <row r=\"4\">{}<c r=\"C4\"><v>410000</v></c></row></sheetData>\
             <mergeCells count=\"2\"><mergeCell ref=\"A1:C1\"/><mergeCell ref=\"B3:B4\"/></mergeCells></worksheet>",
            word("A1", "某县专家名单"),
            word("A2", "姓名"),
            word("B2", "领域"),
            word("C2", "所在地（到县）"),
            word("A3", "𠮷\u{E0100}甲"),
            word("B3", "健康生活"),
            word("A4", "乙"),
        );
        for (name, text) in [
            ("[Content_Types].xml", "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>".to_owned()),
            ("_rels/.rels", "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>".to_owned()),
            ("xl/workbook.xml", "<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets><sheet name=\"表\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>".to_owned()),
            ("xl/_rels/workbook.xml.rels", "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>".to_owned()),
            ("xl/worksheets/sheet1.xml", sheet),
        ] {
            zip.start_file(name, plain).expect("file");
            zip.write_all(text.as_bytes()).expect("written");
        }
        zip.finish().expect("finished").into_inner()
    }

    #[test]
    fn merged_cells_stand_in_every_row_and_codes_stay_codes() {
        let sheet = Sheet::read(&workbook()).expect("workbook");
        assert_eq!(sheet.head, ["姓名", "领域", "所在地（到县）"]);
        assert_eq!(
            sheet.rows,
            [(3, vec!["𠮷\u{E0100}甲".to_owned(), "健康生活".into(), "411525".into()]), (4, vec!["乙".into(), "健康生活".into(), "410000".into()])]
        );
    }

    #[test]
    fn what_is_no_workbook_says_so() {
        assert_eq!(Sheet::read(b"PK\x03\x04rest").expect_err("broken").key, "file_sheet");
    }
}
