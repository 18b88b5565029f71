//! Cases under way, kept ready in memory so that a question joins the case that works on the same claim already. The cases themselves are in `case`.

use kepu_domain::ids::CaseId;
use kepu_domain::listen::case::Case;
use kepu_domain::listen::question::same_figures;
use kepu_search::claims::{Band, Matcher, Sums, contradicts};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// More changes than these are taken in by making the matcher anew.
const PUT_MAX: usize = 100;

/// What the cases are about, as far as they were seen last.
#[derive(Default)]
pub struct Kept(Mutex<Option<Held>>);

struct Held {
    matcher: Matcher,
    titles: HashMap<CaseId, String>,
    sums: Sums,
}

impl Kept {
    /// The case among `open` that works on what `text` says. The same words always; others if the matcher is sure, their figures agree and neither turns the
    /// other round: joining happens without anybody looking.
    pub fn find(&self, open: &[Case], text: &str) -> Option<CaseId> {
        let folded = kepu_text::fold(text);
        if let Some(same) = open.iter().find(|case| kepu_text::fold(&case.title) == folded) {
            return Some(same.id.clone());
        }
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = slot.get_or_insert_with(|| Held { matcher: Matcher::new(vec![], 1), titles: HashMap::new(), sums: Sums::default() });
        held.follow(open);
        let found = held.matcher.find(text, 1, &mut held.sums);
        let id = CaseId(found.hits.into_iter().next().filter(|_| found.band == Band::Answer)?.claim);
        let title = held.titles.get(&id)?;
        (same_figures(title, text) && !contradicts(text, title)).then_some(id)
    }
}

impl Held {
    fn follow(&mut self, open: &[Case]) {
        let now: HashMap<&CaseId, &str> = open.iter().map(|case| (&case.id, case.title.as_str())).collect();
        let gone: Vec<CaseId> = self.titles.keys().filter(|id| !now.contains_key(id)).cloned().collect();
        let new: Vec<&Case> = open.iter().filter(|case| self.titles.get(&case.id).is_none_or(|title| *title != case.title)).collect();
        let anew = gone.len() + new.len() > PUT_MAX;
        for id in gone {
            self.titles.remove(&id);
            if !anew {
                self.matcher.remove(&id.0);
            }
        }
        for case in new {
            self.titles.insert(case.id.clone(), case.title.clone());
            if !anew {
                self.matcher.put(&case.id.0, &case.title);
            }
        }
        if anew {
            self.matcher = Matcher::new(self.titles.iter().map(|(id, title)| (id.0.clone(), title.clone())).collect(), 1);
        }
    }
}
