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
            let mut term = String::new();
            for (ordinal, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                term.clear();
                if column.ord_to_str(ordinal as u64, &mut term)?
                    && names.iter().any(|name| term.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('=')))
                {
                    *totals.entry(term.clone()).or_default() += count;
                }
            }
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
