//! What a draft says against what was judged before: a sentence that says as true what a standing claim was found false, an answer to a claim
//! that has another verdict. The matcher only points; the writer mends it or says why it is right, and reviewers decide.

use crate::App;
use crate::error::AppError;
use crate::listen::known;
use kepu_domain::create::check::Finding;
use kepu_domain::create::draft::{Draft, Matter};
use kepu_domain::create::sentence::sentences;
use kepu_domain::listen::claim::Verdict;
use kepu_store::{Tx, subject};

/// Sentences that are looked up, at most: a long text is no reason to keep its writer waiting.
const LOOKED: usize = 80;
/// Findings, at most.
const FOUND: usize = 5;
/// Shorter ones say too little to be compared.
const LETTERS: usize = 7;

/// What `draft` says against what was judged.
pub(super) async fn against(app: &App, tx: &mut Tx, draft: &Draft) -> Result<Vec<Finding>, AppError> {
    known::refresh(app).await?;
    let definitions = app.definitions();
    let (rule, said) = match &draft.matter {
        Matter::Resource(r) => ("contradicts", said(&r.text, &definitions.lanes.words.refuting)),
        // A holding statement judges nothing.
        Matter::Claim(c) if c.is_holding() => return Ok(vec![]),
        Matter::Claim(c) => ("judged_otherwise", vec![c.claim.clone()]),
    };
    let Some((weight, excuse)) = definitions.lanes.check(&draft.matter, rule) else { return Ok(vec![]) };
    if said.is_empty() || app.claims.is_empty() {
        return Ok(vec![]);
    }
    let (searching, today) = (app.clone(), app.today());
    let hits = tokio::task::spawn_blocking(move || {
        let hit = |sentence: String| searching.claims.find(&sentence, 1, today).into_iter().next().map(|hit| (sentence, hit));
        said.into_iter().filter_map(hit).filter(|(_, hit)| hit.sure == known::Sure::Yes).collect::<Vec<_>>()
    });
    let mut found = Vec::new();
    for (sentence, hit) in hits.await.map_err(|fault| AppError::Record(fault.to_string()))? {
        if hit.claim == draft.subject || found.len() == FOUND {
            continue;
        }
        let Some(row) = subject::find(tx, &hit.claim).await? else { continue };
        let verdict = Verdict::parse(&row.verdict);
        let against = match &draft.matter {
            Matter::Resource(_) => verdict == Some(Verdict::False),
            Matter::Claim(c) => verdict.is_some_and(|verdict| verdict != Verdict::Checking && verdict != c.verdict),
        };
        if against {
            let field = if matches!(draft.matter, Matter::Resource(_)) { "text" } else { "verdict" };
            let base = Finding { field: field.into(), rule: rule.into(), weight, excuse, ..Finding::default() };
            found.push(Finding { found: hit.wording, sentence, link: hit.claim.0, ..base });
        }
    }
    Ok(found)
}

/// Sentences that say something of themselves: not what the text quotes in order to deny it, nor what the next sentence denies.
fn said(text: &str, refuting: &[String]) -> Vec<String> {
    let all = sentences(text);
    let denies = |sentence: &str| refuting.iter().any(|word| sentence.contains(word.as_str()));
    let letters = |sentence: &str| sentence.chars().filter(|c| c.is_alphanumeric()).count();
    let own = all.iter().enumerate().filter(|(at, sentence)| {
        letters(sentence) >= LETTERS && !denies(sentence) && !all.get(at + 1).is_some_and(|next| denies(next)) && !sentence.ends_with(['？', '?'])
    });
    own.take(LOOKED).map(|(_, sentence)| (*sentence).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_in_order_to_be_denied_is_not_said() {
        let refuting = ["没有依据".to_owned(), "谣言".to_owned()];
        let text = "隔夜的白开水会致癌。这个说法没有依据。\n大蒜可以预防感冒。要多吃蔬菜和水果。\n喝醋能软化鱼刺吗？";
        assert_eq!(said(text, &refuting), ["大蒜可以预防感冒。", "要多吃蔬菜和水果。"]);
    }
}
