//! How well questions are answered, by field and place: how many were asked, how many were answered, how long it took. Nothing about fewer
//! questions than the policy allows is shown.

use crate::org::Region;
use std::collections::BTreeMap;

/// One question, as far as coverage looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Fields of its case or of its answer; none yet for one that nobody has looked at.
    pub fields: Vec<String>,
    /// Place.
    pub region: Region,
    /// Minutes to the answer; `None` while there is none.
    pub minutes: Option<i64>,
}

/// One cell of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Field; empty for questions without one.
    pub field: String,
    /// County, prefecture, province or nation.
    pub region: Region,
    /// Questions.
    pub asked: usize,
    /// Of them answered.
    pub answered: usize,
    /// Median hours to the answer, if enough were answered to say it.
    pub median_hours: Option<f64>,
}

/// The table, with how many questions stand in no cell because there are too few of their kind. What a county is too small for counts for the
/// place around it. A question with several fields counts in each.
pub fn table(questions: &[Asked], least: usize) -> (Vec<Cell>, usize) {
    let mut cells: BTreeMap<(String, Region), Vec<Option<i64>>> = BTreeMap::new();
    for question in questions {
        let none = [String::new()];
        for field in if question.fields.is_empty() { &none[..] } else { &question.fields } {
            cells.entry((field.clone(), question.region)).or_default().push(question.minutes);
        }
    }
    let mut out = Vec::new();
    let mut hidden = 0;
    // From the smallest places to the largest: what is too little moves one step up.
    while let Some(((field, region), minutes)) = cells.iter().max_by_key(|((_, region), _)| region.chain().len()).map(|(k, v)| (k.clone(), v.clone())) {
        cells.remove(&(field.clone(), region));
        if minutes.len() >= least {
            out.push(cell(field, region, &minutes, least));
        } else if let Some(around) = region.chain().into_iter().rev().nth(1) {
            cells.entry((field, around)).or_default().extend(minutes);
        } else {
            hidden += minutes.len();
        }
    }
    out.sort_by(|a, b| (&a.field, a.region).cmp(&(&b.field, b.region)));
    (out, hidden)
}

fn cell(field: String, region: Region, minutes: &[Option<i64>], least: usize) -> Cell {
    let mut answered: Vec<i64> = minutes.iter().flatten().copied().collect();
    answered.sort_unstable();
    let median = |list: &[i64]| {
        let (low, high) = (list[(list.len() - 1) / 2], list[list.len() / 2]);
        (low + high) as f64 / 120.0
    };
    let median_hours = (answered.len() >= least).then(|| median(&answered));
    Cell { field, region, asked: minutes.len(), answered: answered.len(), median_hours }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(field: &str, region: &str, minutes: Option<i64>) -> Asked {
        Asked { fields: vec![field.to_owned()], region: Region::parse(region).expect("region"), minutes }
    }

    #[test]
    fn what_is_too_little_for_a_county_counts_for_the_place_around_it() {
        let mut list: Vec<Asked> = (0..5).map(|n| asked("food", "411525", Some(60 * (n + 1)))).collect();
        list.extend((0..3).map(|_| asked("food", "411526", None)));
        list.extend((0..2).map(|_| asked("food", "410102", None)));
        list.push(asked("space", "110101", Some(1)));
        let (cells, hidden) = table(&list, 5);
        let told: Vec<(String, String, usize, usize)> = cells.iter().map(|c| (c.field.clone(), c.region.to_string(), c.asked, c.answered)).collect();
        assert_eq!(told, [("food".into(), "410000".into(), 5, 0), ("food".into(), "411525".into(), 5, 5)]);
        assert_eq!((cells[1].median_hours, cells[0].median_hours, hidden), (Some(3.0), None, 1));
    }

    #[test]
    fn no_cell_stands_for_fewer_questions_than_allowed() {
        for n in 0..12 {
            let list: Vec<Asked> = (0..n).map(|i| asked(["food", "health"][i % 2], ["411525", "411526", "420102"][i % 3], Some(5))).collect();
            let (cells, hidden) = table(&list, 5);
            assert!(cells.iter().all(|c| c.asked >= 5 && (c.median_hours.is_none() || c.answered >= 5)));
            assert_eq!(cells.iter().map(|c| c.asked).sum::<usize>() + hidden, n);
        }
    }
}
