//! Warnings, drills and coordination: what nodes pass on or say and nobody reviews. They are folded into tables of their own, never into the library, and stand in no
//! search, feed or list of subjects.

use super::Part;
use crate::App;
use crate::error::AppError;
use kepu_domain::deliver::drill::Drill;
use kepu_domain::deliver::warning::{Link, Name, ended};
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::decision::Coordination;
use kepu_domain::record::Body;
use kepu_domain::trust::TrustView;
use kepu_store::deliver::{drill, warning};
use kepu_store::listen::decision;
use kepu_store::{Tx, counter};
use std::collections::{BTreeMap, BTreeSet};

/// Kinds that have tables of their own.
const KINDS: [&str; 3] = ["warning", "drill", "coordination"];
/// Messages that are looked at together: so many updates of one warning have never been.
const TOGETHER_MAX: usize = 2_000;

/// Whether a subject with records of these kinds belongs here.
pub(super) fn is_spoken<'a>(kinds: impl Iterator<Item = &'a str>) -> bool {
    let mut any = false;
    for kind in kinds {
        if !KINDS.contains(&kind) {
            return false;
        }
        any = true;
    }
    any
}

/// What a batch of records changes.
#[derive(Default)]
pub(super) struct Batch {
    warnings: Vec<warning::Row>,
    words: Vec<drill::Word>,
    asked: Vec<decision::Word>,
    gone: Vec<SubjectId>,
}

impl Batch {
    /// Notes how a subject stands: its latest version counts, as everywhere.
    pub(super) fn note(&mut self, id: &SubjectId, parts: &[Part], trust: &TrustView) {
        let latest = parts.iter().max_by_key(|part| (trust.grant(&part.place.key).map_or(0, |g| g.rank), part.place.n));
        let Some(part) = latest else { return self.gone.push(id.clone()) };
        let (signer, doc_hash) = (part.place.key.clone(), part.hash);
        match &part.body {
            Body::Warning(says) => self.warnings.push(warning::Row { subject: id.clone(), signer, doc_hash, warning: (**says).clone(), ended: false }),
            Body::Drill(says) => {
                let (about, at) = match &**says {
                    Drill::Start(start) => (id.clone(), start.at),
                    Drill::Answer(answer) => (answer.drill.clone(), answer.at),
                    Drill::End { drill, at } => (drill.clone(), *at),
                };
                self.words.push(drill::Word { subject: id.clone(), about, signer, doc_hash, at, says: (**says).clone() });
            }
            Body::Coordination(says) => {
                let (about, at) = match &**says {
                    Coordination::Decided(decided) => (id.clone(), decided.at),
                    // A report that calls itself the decision would stand in its place.
                    Coordination::Report(report) if report.decision == *id => return self.gone.push(id.clone()),
                    Coordination::Report(report) => (report.decision.clone(), part.modified),
                };
                self.asked.push(decision::Word { subject: id.clone(), about, signer, doc_hash, at, says: (**says).clone() });
            }
            _ => self.gone.push(id.clone()),
        }
    }

    /// Writes the tables and finds out anew which of the messages concerned are ended.
    pub(super) async fn store(self, app: &App, tx: &mut Tx) -> Result<(), AppError> {
        if !self.words.is_empty() {
            drill::upsert_many(tx, &self.words).await?;
            counter::take(tx, counter::DRILL, 1).await?;
        }
        if !self.asked.is_empty() {
            decision::upsert_many(tx, &self.asked).await?;
            counter::take(tx, counter::COORDINATION, 1).await?;
            crate::listen::decision::follow(app, tx, &self.asked).await?;
        }
        let lost = warning::find_many(tx, &self.gone).await?;
        let mut concerned: BTreeSet<Name> = BTreeSet::new();
        for row in self.warnings.iter().chain(&lost) {
            concerned.insert(row.warning.name.clone());
            concerned.extend(row.warning.references.iter().cloned());
        }
        warning::upsert_many(tx, &self.warnings).await?;
        if !self.gone.is_empty() {
            warning::delete_many(tx, &self.gone).await?;
            drill::delete_many(tx, &self.gone).await?;
            decision::delete_many(tx, &self.gone).await?;
        }
        if concerned.is_empty() {
            return Ok(());
        }
        settle(tx, concerned).await?;
        counter::take(tx, counter::WARNING, 1).await?;
        Ok(())
    }
}

/// Decides for everything that hangs together with these messages which of them are ended.
async fn settle(tx: &mut Tx, concerned: BTreeSet<Name>) -> Result<(), AppError> {
    let mut links: BTreeMap<Name, (Link, bool)> = BTreeMap::new();
    let mut known = concerned.clone();
    let mut next: Vec<Name> = concerned.into_iter().collect();
    while !next.is_empty() && known.len() < TOGETHER_MAX {
        let mut rows = warning::list_named(tx, &next).await?;
        rows.extend(warning::list_referring(tx, &next).await?);
        next = Vec::new();
        for row in rows {
            let w = row.warning;
            let near = std::iter::once(&w.name).chain(&w.references).filter(|name| !known.contains(*name)).cloned().collect::<BTreeSet<_>>();
            known.extend(near.iter().cloned());
            next.extend(near);
            let link = Link { name: w.name.clone(), sent: w.sent, kind: w.kind, references: w.references };
            // Of two messages of one name the later counts; what a node no longer passes on ends nothing.
            if w.taken_back.is_empty() && links.get(&w.name).is_none_or(|(held, _)| held.sent <= link.sent) {
                links.insert(w.name, (link, row.ended));
            }
        }
    }
    let all: Vec<Link> = links.values().map(|(link, _)| link.clone()).collect();
    let over = ended(&all);
    let (on, off): (Vec<Name>, Vec<Name>) = links.into_keys().partition(|name| over.contains(name));
    warning::set_ended(tx, &on, true).await?;
    warning::set_ended(tx, &off, false).await?;
    Ok(())
}
