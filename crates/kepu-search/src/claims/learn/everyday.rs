//! Writes `claims/common.tsv`: how many everyday texts hold each letter and pair.

use super::cases::{self, lines, messages, text};
use crate::claims::postings::keys;
use crate::claims::reading::{WORD, read};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// Texts of one source that are counted.
const EACH: usize = 3_000;
/// Least share that is worth a line.
const LEAST: f64 = 0.003;

/// The table. Sources count alike, however many texts they have.
#[must_use]
pub fn table(data: &Path) -> String {
    let some = |mut texts: Vec<String>| {
        let step = texts.len().div_ceil(EACH).max(1);
        texts.sort();
        texts.into_iter().step_by(step).collect::<Vec<String>>()
    };
    let column = |file: &str, name: &str| cases::json(&data.join(file)).iter().map(|row| text(row, name)).collect::<Vec<String>>();
    let titles = lines(&data.join("weibo_titles_160k.tsv.gz")).filter_map(|line| line.split_once('\t').map(|(_, title)| title.to_owned())).collect();
    let claims = messages(data).claims.into_iter().map(|claim| claim.1).collect();
    let sources =
        [claims, column("public_doubts.jsonl.gz", "text"), column("zhihu_science_questions.jsonl.gz", "text"), titles, column("cfever_dev.jsonl.gz", "claim")];
    let mut shares: BTreeMap<u64, f64> = BTreeMap::new();
    for source in sources.map(some) {
        let part = 1.0 / (source.len().max(1) * 5) as f64;
        for text in &source {
            keys(&read(text)).into_iter().for_each(|(key, _)| *shares.entry(key).or_default() += part);
        }
    }
    let mut out = String::from("How many of everyday texts hold a letter or pair; written by examples/train_claims, read by common.rs.\n");
    for (key, share) in shares.into_iter().filter(|(_, share)| *share >= LEAST) {
        let letters = if key >> 32 == 0 { vec![key as u32] } else { vec![(key >> 32) as u32 - 1, key as u32] };
        // Words and numbers are kept as sums, which nobody could read.
        if letters.iter().all(|letter| letter & WORD == 0)
            && let Some(gram) = letters.into_iter().map(char::from_u32).collect::<Option<String>>()
        {
            let _ = writeln!(out, "{gram}\t{share:.4}");
        }
    }
    out
}
