//! How well questions are answered, by field and place. The rule what may be shown is in `kepu-domain::listen::coverage`.

use super::allowed;
use crate::App;
use crate::error::AppError;
use jiff::SignedDuration;
use kepu_domain::access::Actor;
use kepu_domain::listen::coverage::{Asked, Cell, table};
use kepu_domain::listen::question::Stage;
use kepu_store::listen::{case as cases, question as store};
use kepu_store::subject;
use std::collections::HashMap;

/// Questions that are looked through.
const QUESTIONS_MAX: u32 = 50_000;

/// The table of the last `days` days, and how many questions stand in no cell because there are too few of their kind. May: duty officers.
pub async fn coverage(app: &App, who: &Actor, days: i64) -> Result<(Vec<Cell>, usize), AppError> {
    let mut tx = app.db.read().await?;
    allowed(&mut tx, who).await?;
    let since = app.now().checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(jiff::Timestamp::MIN);
    let questions = store::list_recent(&mut tx, None, QUESTIONS_MAX).await?;
    let (mut of_case, mut of_claim) = (HashMap::new(), HashMap::new());
    let mut list = Vec::new();
    for question in questions.into_iter().take_while(|question| question.asked_at >= since) {
        let (fields, minutes) = match &question.stage {
            Stage::Open { case } => {
                if !of_case.contains_key(case) {
                    of_case.insert(case.clone(), cases::find(&mut tx, case).await?.map(|case| case.fields).unwrap_or_default());
                }
                (of_case[case].clone(), None)
            }
            Stage::Answered { claim, at } => {
                if !of_claim.contains_key(claim) {
                    of_claim.insert(claim.clone(), subject::find(&mut tx, claim).await?.map(|row| row.fields).unwrap_or_default());
                }
                (of_claim[claim].clone(), Some(at.duration_since(question.asked_at).as_mins().max(0)))
            }
            // Whoever got a reason instead of an answer was not answered.
            Stage::Closed { .. } => (vec![], None),
        };
        list.push(Asked { fields, region: question.region, minutes });
    }
    let least = usize::try_from(app.definitions().listen.shown_least).unwrap_or(usize::MAX);
    Ok(table(&list, least))
}
