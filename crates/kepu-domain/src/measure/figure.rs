//! The plan's figures and what became of them (R07), from `data/baselines/plan_figures.csv`.
//! A value without a source does not load.

use std::sync::LazyLock;

/// One dated, sourced figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// N1 … N11.
    pub id: String,
    /// Chinese name.
    pub indicator_zh: String,
    /// English name.
    pub indicator_en: String,
    /// Year.
    pub year: i16,
    /// Value as published; `None` where the plan names the indicator without a figure.
    pub value: Option<String>,
    /// Unit.
    pub unit: String,
    /// `plan_baseline`, `target` or `official_later`.
    pub kind: String,
    /// What is counted.
    pub definition_zh: String,
    /// Source.
    pub source_zh: String,
    /// Date of the source.
    pub source_date: String,
    /// Remark.
    pub note_zh: String,
}

/// What is wrong with a figures file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FigureError {
    /// A row without a source.
    #[error("line {line}: {id} has no source")]
    NoSource {
        /// Line from 1.
        line: usize,
        /// Indicator.
        id: String,
    },
    /// A row that cannot be read.
    #[error("line {line}: {cause}")]
    Row {
        /// Line from 1.
        line: usize,
        /// Cause.
        cause: String,
    },
}

/// Reads a figures file.
pub fn read(text: &str) -> Result<Vec<Figure>, FigureError> {
    let mut list = Vec::new();
    for (at, row) in csv::Reader::from_reader(text.as_bytes()).into_records().enumerate() {
        let line = at + 2;
        let row = row.map_err(|e| FigureError::Row { line, cause: e.to_string() })?;
        let cell = |n: usize| row.get(n).unwrap_or_default().trim().to_owned();
        let year = cell(3).parse().map_err(|_| FigureError::Row { line, cause: format!("\"{}\" is no year", cell(3)) })?;
        if cell(8).is_empty() {
            return Err(FigureError::NoSource { line, id: cell(0) });
        }
        list.push(Figure {
            id: cell(0),
            indicator_zh: cell(1),
            indicator_en: cell(2),
            year,
            value: Some(cell(4)).filter(|v| !v.is_empty()),
            unit: cell(5),
            kind: cell(6),
            definition_zh: cell(7),
            source_zh: cell(8),
            source_date: cell(9),
            note_zh: cell(10),
        });
    }
    Ok(list)
}

/// The built-in figures, in the order of the file.
pub static FIGURES: LazyLock<Vec<Figure>> =
    LazyLock::new(|| read(include_str!("../../../../data/baselines/plan_figures.csv")).expect("built-in figures are checked by a test"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_eleven_indicators_are_there_with_sources() {
        for n in 1..=11 {
            assert!(FIGURES.iter().any(|f| f.id == format!("N{n}")), "N{n}");
        }
    }

    #[test]
    fn a_value_without_a_source_is_refused() {
        let head = "id,indicator_zh,indicator_en,year,value,unit,kind,definition_zh,source_zh,source_date,note_zh\n";
        assert_eq!(read(&format!("{head}N1,甲,a,2020,1,%,target,,,,\n")), Err(FigureError::NoSource { line: 2, id: "N1".into() }));
    }
}
