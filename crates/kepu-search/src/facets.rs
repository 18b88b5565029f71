//! How many of the documents found have which value of a filter.

use std::collections::HashMap;

use tantivy::Searcher;

use crate::gather::Reached;
use crate::schema::FILTER;

/// Most values given for one name.
const VALUES_MAX: usize = 50;
/// Number of documents for each value of one name.
pub(crate) type Counts = Vec<(String, usize)>;

/// For each of `names` the values that `found` have, most frequent first, equal ones by value.
pub(crate) fn count(searcher: &Searcher, found: &[Reached], names: &[String]) -> tantivy::Result<Vec<(String, Counts)>> {
    let mut totals: HashMap<String, usize> = HashMap::new();
    if !names.is_empty() {
        for part in found.chunk_by(|a, b| a.segment == b.segment) {
            let reader = searcher.segment_reader(part[0].segment);
            let Some(column) = reader.fast_fields().str(FILTER)? else { continue };
            let mut counts = vec![0_usize; column.num_terms()];
            for reached in part {
                for ordinal in column.term_ords(reached.doc) {
                    counts[ordinal as usize] += 1;
                }
            }
            let used: Vec<(u64, usize)> = counts.iter().enumerate().filter(|(_, count)| **count > 0).map(|(ordinal, count)| (ordinal as u64, *count)).collect();
            let ordinals: Vec<u64> = used.iter().map(|(ordinal, _)| *ordinal).collect();
            let mut at = used.iter();
            // In the order of the dictionary, which is read once through instead of from its beginning for each value.
            column.dictionary().sorted_ords_to_term_cb(&ordinals, |term| {
                let count = at.next().map_or(0, |(_, count)| *count);
                let term = String::from_utf8_lossy(term);
                if names.iter().any(|name| term.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('='))) {
                    *totals.entry(term.into_owned()).or_default() += count;
                }
            })?;
        }
    }
    let of = |name: &String| {
        let mut values: Counts =
            totals.iter().filter_map(|(term, &count)| Some((term.strip_prefix(name.as_str())?.strip_prefix('=')?.to_owned(), count))).collect();
        values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        values.truncate(VALUES_MAX);
        (name.clone(), values)
    };
    Ok(names.iter().map(of).collect())
}
