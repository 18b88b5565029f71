//! Handing a draft on to somebody who may be its author. Who may is a lane's to say; writing it is in the parent.

use super::{finish, store, writable};
use crate::App;
use crate::create::review;
use crate::error::{AppError, FieldError};
use kepu_domain::access::Actor;
use kepu_domain::create::draft::Draft;
use kepu_domain::create::party::Candidate;
use kepu_domain::create::resource::Credit;
use kepu_domain::ids::{DraftId, PartyId};
use kepu_store::Tx;

/// People offered.
const OFFERED: usize = 6;

/// Who could be the author of a draft in its lane: qualified, free, and with an account here; best first.
pub(super) async fn successors(app: &App, tx: &mut Tx, draft: &Draft) -> Result<Vec<Candidate>, AppError> {
    let definitions = app.definitions();
    let Some(lane) = definitions.lanes.of(&draft.matter) else { return Ok(vec![]) };
    let mut list = Vec::new();
    for candidate in review::candidates(app, tx, draft.matter.fields(), &[]).await? {
        let fits = candidate.party.proof(draft.matter.fields(), &lane.qualifications, app.today()).is_some_and(|proof| lane.takes(&proof.what));
        if fits && !kepu_store::account::list_by_party(tx, &candidate.party.id, 1).await?.is_empty() {
            list.push(candidate);
        }
        if list.len() == OFFERED {
            break;
        }
    }
    Ok(list)
}

/// Hands a draft that is being written to somebody qualified, who becomes its author and goes on with it at their own desk.
///
/// May: its writer, editors. Writes: draft, log.
pub async fn hand_on(app: &App, who: &Actor, id: &DraftId, to: &PartyId) -> Result<Draft, AppError> {
    let mut tx = app.db.write().await?;
    let draft = writable(&mut tx, who, id).await?;
    let seen = store::Seen::from(&draft);
    let Some(next) = successors(app, &mut tx, &draft).await?.into_iter().find(|candidate| candidate.party.id == *to) else {
        return Err(AppError::Invalid(vec![FieldError::new("successor", "no_successor")]));
    };
    let account = kepu_store::account::list_by_party(&mut tx, to, 1).await?.into_iter().next().map(|row| row.account.id);
    let org = kepu_store::org::find(&mut tx, &next.party.org).await?.map_or_else(String::new, |o| o.name);
    let mut matter = draft.matter.clone();
    *matter.credit_mut() = Credit { party: to.0.clone(), name: next.party.name, org, title: next.party.title, qualification: None };
    let correction = draft.correction.clone();
    let draft = Draft { owner: account, ..draft.edit(matter, correction)? };
    finish(app, tx, who, seen, draft, "draft.handed_on").await
}
