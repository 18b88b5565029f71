//! "Did this help?": tickets, votes, and the score on which kinds of readers agree. Without accounts for the public; nothing kept leads from a vote to anybody.

use crate::App;
use crate::account::log;
use crate::error::{AppError, FieldError};
use crate::keys;
use data_encoding::BASE64URL_NOPAD;
use kepu_domain::access::Actor;
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::usefulness::{READER_KINDS, ReaderKind, Tally, Vote};
use kepu_stats::bridging::{Part, Rating, bridge};
use kepu_store::listen::usefulness as store;
use kepu_store::subject::{self, Standing};
use std::collections::BTreeMap;

/// A ticket is good for so long.
const HOURS: i64 = 24;
/// Votes from one address in a minute at most.
const PER_MINUTE: u32 = 10;
/// Rows of votes a score is computed from; beyond them the node needs an analyst.
const ROWS_MAX: u32 = 300_000;

/// A ticket for one vote on `claim`. For the public a fresh one with each page; for somebody signed in always the same for one claim, so that it votes once.
pub fn ticket(app: &App, who: &Actor, claim: &SubjectId) -> String {
    let until = (app.now().as_second() + HOURS * 3_600).to_string();
    let kind = ReaderKind::of(who).as_str();
    let nonce = match who.account() {
        Some(account) => BASE64URL_NOPAD.encode(&app.key.derive("vote of an account", &[claim.as_str(), account.as_str()])[..15]),
        None => keys::random_word(24),
    };
    format!("{until}.{kind}.{nonce}.{}", seal(app, claim, &until, kind, &nonce))
}

fn seal(app: &App, claim: &SubjectId, until: &str, kind: &str, nonce: &str) -> String {
    BASE64URL_NOPAD.encode(&app.key.derive("vote ticket", &[claim.as_str(), until, kind, nonce])[..18])
}

/// Counts one vote for a ticket of this node.
///
/// May: whoever holds a ticket. Writes: ticket spent, usefulness, log (without vote and voter).
pub async fn vote(app: &App, claim: &SubjectId, ticket: &str, vote: Vote, address: &str) -> Result<(), AppError> {
    let wrong = |key: &str| AppError::Invalid(vec![FieldError::new("ticket", key)]);
    let parts: Vec<&str> = ticket.split('.').collect();
    let [until, kind, nonce, given] = parts[..] else { return Err(wrong("ticket_unknown")) };
    if !same(given, &seal(app, claim, until, kind, nonce)) {
        return Err(wrong("ticket_unknown"));
    }
    if until.parse::<i64>().map_or(true, |until| until < app.now().as_second()) {
        return Err(wrong("ticket_old"));
    }
    let kind = ReaderKind::parse(kind).ok_or_else(|| wrong("ticket_unknown"))?;
    app.limit(address, PER_MINUTE)?;
    let nullifier = app.key.derive("vote spent", &[claim.as_str(), nonce]);
    let mut tx = app.db.write().await?;
    let public = subject::find(&mut tx, claim).await?.filter(|row| row.standing == Standing::Public && row.kind == "claim");
    public.ok_or_else(|| AppError::NotFound { what: "subject", id: claim.0.clone() })?;
    if !store::spend(&mut tx, &nullifier).await? {
        return Err(wrong("ticket_spent"));
    }
    store::count(&mut tx, claim, kind, vote).await?;
    log(app, &mut tx, "visitor", "claim.voted", &claim.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// Compares in a time that does not depend on where they differ.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

/// What one claim's votes say.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// The votes, as far as they may be shown.
    pub tallies: Vec<Tally>,
    /// Intercept and factor; none where fewer than two kinds voted enough.
    pub part: Option<Part>,
}

/// Scores all claims from their votes; the same votes give the same scores everywhere (`kepu claims useful`).
pub fn scores(tallies: &[Tally]) -> BTreeMap<SubjectId, Score> {
    let mut scores: BTreeMap<SubjectId, Score> = BTreeMap::new();
    for tally in tallies.iter().filter(|tally| tally.rating().is_some()) {
        scores.entry(tally.claim.clone()).or_insert(Score { tallies: vec![], part: None }).tallies.push(tally.clone());
    }
    let items: Vec<SubjectId> = scores.keys().cloned().collect();
    let mut ratings = Vec::new();
    for (item, id) in items.iter().enumerate() {
        for tally in &scores[id].tallies {
            let rater = READER_KINDS.iter().position(|kind| *kind == tally.kind).unwrap_or_default();
            ratings.extend(tally.rating().map(|(value, weight)| Rating { rater, item, value, weight }));
        }
    }
    if let Ok(fitted) = bridge(&ratings, READER_KINDS.len(), items.len()) {
        for (id, part) in items.iter().zip(fitted.items) {
            if let Some(score) = scores.get_mut(id).filter(|score| score.tallies.len() > 1) {
                score.part = Some(part);
            }
        }
    }
    scores
}

/// The scores of all claims of this node.
pub async fn all(app: &App) -> Result<BTreeMap<SubjectId, Score>, AppError> {
    let mut tx = app.db.read().await?;
    Ok(scores(&store::list(&mut tx, None, ROWS_MAX).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(claim: &str, kind: ReaderKind, useful: i64, useless: i64) -> Tally {
        Tally { claim: SubjectId::new("abcdefgh23", claim), kind, useful, useless }
    }

    #[test]
    fn a_vote_of_all_kinds_bridges_and_one_of_a_crowd_does_not() {
        use ReaderKind::{Public, Scientist, Staff};
        let mut list = Vec::new();
        for (claim, shares) in [("good", [19, 18, 19]), ("bad", [1, 0, 2]), ("worse", [0, 1, 1]), ("split", [20, 10, 0]), ("lips", [0, 10, 20])] {
            for (kind, useful) in [Public, Staff, Scientist].into_iter().zip(shares) {
                list.push(tally(claim, kind, useful, 20 - useful));
            }
        }
        list.push(tally("crowd", Public, 100_000, 0));
        list.push(tally("few", Public, 2, 2));
        let scores = scores(&list);
        let part = |claim: &str| scores.get(&SubjectId::new("abcdefgh23", claim)).and_then(|score| score.part);
        assert!(part("good").is_some_and(|part| part.bridges()), "{scores:?}");
        assert!(!part("split").is_some_and(|part| part.bridges()) && !part("bad").is_some_and(|part| part.bridges()), "{scores:?}");
        assert_eq!((part("crowd"), part("few")), (None, None), "one kind alone is no agreement");
    }
}
