//! Topics in a running node: signals that no claim answers stream through `kepu_search::topics`; what rises is a row with counts, an alert that is given once, and
//! perhaps a case.
//!
//! | question | where |
//! |---|---|
//! | which topic does a signal belong to, and does it rise? | `stream` |
//! | what do the people at the desk see, and why does a row stand there? | `desk` |
//! | what is done with a topic by hand, and undone? | `act` |
//! | which known rumours are to be expected soon? | `returning` |
//! | how well are questions answered, by field and place? | `coverage` |

pub mod act;
pub mod coverage;
pub mod desk;
pub mod returning;
pub mod stream;

use crate::App;
use crate::error::AppError;
use kepu_domain::access::{Action, Actor};
use kepu_domain::ids::TopicId;
use kepu_domain::listen::topic::Topic;
use kepu_store::Tx;
use std::collections::{HashMap, HashSet};

/// How far a chain of topics that were put together is followed.
const CHAIN: usize = 8;

/// Topics belong to the organisation that runs the node: its duty officers work on them.
async fn allowed(tx: &mut Tx, who: &Actor) -> Result<(), AppError> {
    let org = crate::node::org(tx).await?;
    Ok(who.may(Action::WorkCase, Some(&kepu_store::org::line(tx, &org).await?))?)
}

/// The topic that each one has become part of at last; those that stand by themselves are their own.
fn roots(topics: &[Topic]) -> HashMap<TopicId, TopicId> {
    let into: HashMap<&TopicId, &TopicId> = topics.iter().filter_map(|topic| Some((&topic.id, topic.merged_into.as_ref()?))).collect();
    topics
        .iter()
        .map(|topic| {
            let mut at = &topic.id;
            for _ in 0..CHAIN {
                match into.get(at) {
                    Some(next) => at = next,
                    None => break,
                }
            }
            (topic.id.clone(), at.clone())
        })
        .collect()
}

/// Marks that topics were changed by hand: whoever streams looks at them again.
async fn mark(_: &App, tx: &mut Tx) -> Result<(), AppError> {
    kepu_store::counter::take(tx, stream::CHANGED, 1).await?;
    Ok(())
}

/// How much of the words of two texts both have, from 0 to 1.
fn likeness(a: &str, b: &str) -> f64 {
    let words = |text: &str| kepu_text::pieces::grams(&kepu_text::fold(text)).map(|gram| gram.text.into_owned()).collect::<HashSet<String>>();
    let (a, b) = (words(a), words(b));
    a.intersection(&b).count() as f64 / a.union(&b).count().max(1) as f64
}
