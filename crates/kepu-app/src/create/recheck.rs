//! Looking again: what was said is put on its editors' desks before its day when a guideline that it cites has a new edition, or something that
//! it was made of or cites was corrected or withdrawn. A date that has passed needs no table: the record carries it.

use crate::App;
use crate::account::log_detail;
use crate::create::publish::{matter_of, own_keys};
use crate::error::AppError;
use kepu_domain::create::check::outdated;
use kepu_domain::create::draft::Matter;
use kepu_domain::ids::SubjectId;
use kepu_store::create::recheck::{self as store, Recheck};
use kepu_store::subject::{self, Row, Standing};
use kepu_store::{Tx, counter, meta};
use std::collections::BTreeSet;

/// Rows looked through.
const LOOKED: u32 = 50_000;
/// Reasons kept.
const REASONS: u32 = 50_000;

/// Why a text has to be looked at again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// This source names an edition that was replaced by that one.
    Guideline(String, String),
    /// What it was made of, or cites, was corrected since: its title.
    Corrected(String),
    /// It was withdrawn.
    Withdrawn(String),
}

/// What is stored of a cause: word and detail.
fn written(cause: &Cause) -> (&'static str, String) {
    match cause {
        Cause::Guideline(source, newest) => ("guideline", format!("{source} → {newest}")),
        Cause::Corrected(title) => ("corrected", title.clone()),
        Cause::Withdrawn(title) => ("withdrawn", title.clone()),
    }
}

/// Looks through what this node said. Reasons that are none any more, because the text was mended, go.
///
/// Writes: recheck, log. Running twice changes nothing.
pub async fn nightly(app: &App) -> Result<usize, AppError> {
    let mut tx = app.db.write().await?;
    let mark = format!("{} {}", counter::last(&mut tx, counter::SUBJECT).await?, app.today());
    if meta::find(&mut tx, "rechecked").await?.as_deref() == Some(&mark) {
        return Ok(0);
    }
    let definitions = app.definitions();
    let trust = app.trust(&mut tx).await?;
    let own = own_keys(app, &trust);
    let filter = subject::Filter { standing: Some(Standing::Public), ..subject::Filter::default() };
    let mut wanted = BTreeSet::new();
    for row in subject::list(&mut tx, &filter, subject::Order::Newest, None, LOOKED).await?.into_iter().filter(|row| own.contains(&row.signer)) {
        let Some(matter) = matter_of(&mut tx, &row).await? else { continue };
        let mut causes: Vec<Cause> =
            outdated(&definitions.lanes, matter.sources()).into_iter().map(|(source, newest)| Cause::Guideline(source, newest)).collect();
        causes.extend(sources_changed(&mut tx, &row, &matter).await?);
        wanted.extend(causes.iter().map(|cause| (row.id.clone(), written(cause))));
    }
    let known = store::list(&mut tx, REASONS).await?;
    for one in known.iter().filter(|one| !wanted.iter().any(|(id, (reason, detail))| *id == one.subject && *reason == one.reason && *detail == one.detail)) {
        store::remove(&mut tx, one).await?;
    }
    let count = wanted.len();
    for (subject, (reason, detail)) in wanted {
        store::put(&mut tx, &Recheck { subject, reason: reason.into(), detail, since: app.now() }).await?;
    }
    meta::set(&mut tx, "rechecked", &mark).await?;
    log_detail(app, &mut tx, "job:reviews", "subject.rechecked", "", &serde_json::json!({"reasons": count})).await?;
    tx.commit().await?;
    Ok(count)
}

/// The public subjects that a text is made of or cites by their address here, and what became of them since the text was said.
async fn sources_changed(tx: &mut Tx, row: &Row, matter: &Matter) -> Result<Vec<Cause>, AppError> {
    let mut ids: BTreeSet<SubjectId> = BTreeSet::new();
    if let Matter::Resource(r) = matter {
        ids.extend(r.based_on.iter().cloned());
    }
    ids.extend(matter.sources().iter().filter_map(|source| cited(source.url.as_deref()?)));
    let mut causes = Vec::new();
    for id in ids.into_iter().filter(|id| *id != row.id) {
        let Some(source) = subject::find(tx, &id).await? else { continue };
        match source.standing {
            Standing::Withdrawn => causes.push(Cause::Withdrawn(source.title)),
            Standing::Public if source.corrected > row.modified => causes.push(Cause::Corrected(source.title)),
            _ => {}
        }
    }
    Ok(causes)
}

/// The subject that an address of a node names: `…/r/owner/local`, `…/c/owner/local`, `…/id/owner/local`.
fn cited(url: &str) -> Option<SubjectId> {
    let path = url.split_once("://")?.1.split(['?', '#']).next()?;
    let mut parts = path.split('/').skip(1);
    let kind = parts.next()?;
    let (owner, local) = (parts.next()?, parts.next()?);
    let id = SubjectId::new(owner, local);
    (matches!(kind, "r" | "c" | "id") && parts.next().is_none() && id.parts().is_some()).then_some(id)
}

/// Why a public text has to be looked at again, if so: as readers and editors are told.
pub async fn of(app: &App, id: &SubjectId) -> Result<Vec<Recheck>, AppError> {
    let mut tx = app.db.read().await?;
    Ok(store::list_of(&mut tx, id).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_node_names_what_is_cited() {
        let id = |url: &str| cited(url).map(|id| id.0);
        assert_eq!(id("https://kepu.example.cn/r/abcdefgh23/r-1?edition=elder").as_deref(), Some("kepu:abcdefgh23/r-1"));
        assert_eq!(id("https://kepu.example.cn/c/abcdefgh23/c-1").as_deref(), Some("kepu:abcdefgh23/c-1"));
        for other in ["https://example.cn/", "https://example.cn/r/abcdefgh23", "https://example.cn/x/abcdefgh23/r-1", "ftp", "https://example.cn/r/a/b/c"] {
            assert_eq!(id(other), None, "{other}");
        }
    }
}
