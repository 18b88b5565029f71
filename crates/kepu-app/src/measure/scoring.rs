//! Scoring a ledger by a scheme that a unit chooses, and what would be if a rule were another. The sum itself is in
//! `kepu-domain::measure::scoring`, schemes in `data/scoring/` and in `definitions/scoring/` of a node.

use super::contribution::{self, Ledger};
use crate::App;
use crate::error::{AppError, FieldError};
use jiff::civil::Date;
use kepu_domain::access::Actor;
use kepu_domain::ids::PartyId;
use kepu_domain::measure::scoring::{Scheme, Score};

/// Most points (hundredths) of one unit or cap that a what-if may try.
pub const POINTS_MAX: i64 = 1_000_000;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Whose ledger; `None`: one's own.
    pub party: Option<PartyId>,
    /// Scheme.
    pub scheme: String,
    /// Another one beside it.
    pub beside: Option<String>,
    /// Number of a rule (from 0) of the scheme with other points and cap, as a second sum.
    pub change: Option<(usize, i64, Option<i64>)>,
    /// First day.
    pub from: Date,
    /// Last day.
    pub until: Date,
}

/// A scheme with what it gives.
#[derive(Clone, Debug)]
pub struct Scored {
    /// The scheme, with a changed rule if one was asked for.
    pub scheme: Scheme,
    /// The sum with all its steps.
    pub score: Score,
}

/// Scores a ledger: by the scheme, and beside it by another scheme or a changed rule if asked. `None` without an entry in the registry.
///
/// May: the person, and stewards of their institution.
pub async fn score(app: &App, who: &Actor, asked: &Asked) -> Result<Option<(Ledger, Vec<Scored>)>, AppError> {
    let definitions = app.definitions();
    let find = |id: &str| definitions.schemes.get(id).cloned().ok_or_else(|| AppError::NotFound { what: "scheme", id: id.to_owned() });
    let first = find(&asked.scheme)?;
    let mut schemes = Vec::new();
    if let Some((at, points, cap)) = asked.change {
        let mut changed = first.clone();
        let allowed = 0..=POINTS_MAX;
        let rule = changed.rules.get_mut(at).filter(|_| allowed.contains(&points) && cap.is_none_or(|cap| allowed.contains(&cap)));
        let rule = rule.ok_or_else(|| AppError::Invalid(vec![FieldError::new("points", "between").with("min", 0).with("max", POINTS_MAX / 100)]))?;
        (rule.points, rule.cap) = (points, cap);
        schemes.push(changed);
    }
    if let Some(id) = &asked.beside {
        schemes.push(find(id)?);
    }
    schemes.insert(0, first);
    let Some(ledger) = contribution::ledger(app, who, asked.party.as_ref(), asked.from, asked.until).await? else { return Ok(None) };
    let lines = ledger.counting();
    let scored = schemes.into_iter().map(|scheme| Scored { score: scheme.score(&lines, asked.from, asked.until), scheme });
    Ok(Some((ledger, scored.collect())))
}
