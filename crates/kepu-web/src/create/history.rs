//! The whole history of a statement, for everybody and for ever: each version with its evidence, who checked it with which competence and which
//! interests, what changed, what was held, withdrawn and called back.

use super::edit;
use super::matter::{Difference, ShownSource, differences, shown_source};
use crate::Web;
use crate::line::title_of;
use crate::page::{Answer, Html, Req, Shell, page};
use crate::problem::Problem;
use crate::subject::id_of;
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use kepu_app::AppError;
use kepu_app::deliver::recall::{self, Reached};
use kepu_app::record::read_row;
use kepu_domain::create::draft::Matter;
use kepu_domain::create::review::{Decision, SignOff};
use kepu_domain::record::Body;
use kepu_store::subject::{self, Standing};
use kepu_sync::record::Record;

/// Who checked a version.
struct Checker {
    name: String,
    /// Post, institution, proved qualification, fields.
    about: String,
    conflict: String,
    comment: String,
    date: Html,
    /// Empty, or what is special: a whole batch, only some editions, another institution, not agreed.
    note: String,
}

/// One step of its life, the latest first.
struct Step {
    time: Html,
    head: String,
    /// Words: a reason, a correction.
    text: String,
    by: String,
    checkers: Vec<Checker>,
    sources: Vec<ShownSource>,
    changes: Vec<Difference>,
    record: String,
    /// Whether it stands now.
    now: bool,
}

#[derive(Template)]
#[template(path = "create/history.html")]
struct HistoryPage {
    s: Shell,
    title: String,
    href: String,
    recall: String,
    reached: Reached,
    steps: Vec<Step>,
}

/// GET /history/{owner}/{local}
pub async fn show(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>) -> Answer {
    let id = id_of(&owner, &local)?;
    let missing = || Problem::from(AppError::NotFound { what: "subject", id: id.0.clone() });
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let row = subject::find(&mut tx, &id).await.map_err(AppError::from)?;
    let row = row.filter(|row| row.standing != Standing::Hidden && row.kind != "party").ok_or_else(missing)?;
    let trust = web.app.trust(&mut tx).await?;
    let mut records: Vec<Record> = kepu_store::record::list_by_subjects(&mut tx, std::slice::from_ref(&id))
        .await
        .map_err(AppError::from)?
        .into_iter()
        .filter(|record| record.refusal.is_empty())
        .filter_map(read_row)
        .collect();
    drop(tx);
    records.sort_by_key(|r| (r.envelope.modified, r.envelope.place.stream.code(), r.envelope.place.n));
    let s = req.titled(req.shell.t("history-title"));
    // What was withdrawn is told without its words: the record is kept, the text is no longer offered.
    let open = row.standing == Standing::Public;
    let (mut steps, mut before, mut n) = (Vec::new(), None::<Matter>, 0);
    for record in &records {
        let Ok(body) = &record.body else { continue };
        let holder = trust.grant(&record.envelope.place.key).map(|grant| grant.holder.clone()).unwrap_or_default();
        let mut step = blank(&s, record, holder);
        match body {
            Body::Resource(_) | Body::Claim(_) => {
                let matter = match body.clone() {
                    Body::Resource(r) => Matter::Resource(r),
                    Body::Claim(c) => Matter::Claim(c),
                    _ => continue,
                };
                n += 1;
                step.head = version_head(&s, &matter, n);
                step.now = open && row.doc_hash == Some(record.hash);
                step.checkers = matter.reviews().iter().map(|review| checker(&s, review, String::new())).collect();
                if open {
                    step.sources = matter.sources().iter().map(|source| shown_source(&s, source)).collect();
                    step.changes = before.as_ref().map(|old| differences(&s, &edit::write(old, ""), &edit::write(&matter, ""))).unwrap_or_default();
                }
                before = Some(matter);
            }
            Body::Correction(notice) => (step.head, step.text) = (s.t("history-correction"), notice.text.clone()),
            Body::Hold(hold) if hold.on => {
                step.head = s.t1("history-hold", "day", s.day_text(hold.next));
                (step.text, step.by) = (hold.reason.clone(), hold.by.clone());
            }
            Body::Hold(hold) => (step.head, step.text, step.by) = (s.t("history-release"), hold.reason.clone(), hold.by.clone()),
            Body::Retraction(retraction) => (step.head, step.text, step.by) = (s.t("history-retraction"), retraction.reason.clone(), retraction.by.clone()),
            Body::Review(review) => {
                step.head = s.t(if review.decision == Decision::Approve { "history-review" } else { "history-review-no" });
                step.checkers = vec![checker(&s, &review.sign_off, s.t("history-other-house"))];
            }
            _ => continue,
        }
        steps.push(step);
    }
    steps.reverse();
    Ok(page(&HistoryPage {
        title: title_of(&s, &row),
        href: urls::of_kind(&row.kind, &id),
        recall: if s.user.is_some() { urls::recall(&id) } else { String::new() },
        reached: recall::reached(&web.app, &id).await?,
        steps,
        s,
    }))
}

fn blank(s: &Shell, record: &Record, by: String) -> Step {
    Step {
        time: s.time(&record.envelope.modified),
        head: String::new(),
        text: String::new(),
        by,
        checkers: vec![],
        sources: vec![],
        changes: vec![],
        record: urls::record(&record.hash.hex()),
        now: false,
    }
}

fn version_head(s: &Shell, matter: &Matter, n: usize) -> String {
    match matter {
        Matter::Claim(claim) if claim.is_holding() => s.t("event-holding"),
        Matter::Claim(claim) => s.t2("event-claim", "n", n, "verdict", s.verdict_word(claim.verdict.as_str())),
        Matter::Resource(_) => s.t1("event-resource", "n", n),
    }
}

fn checker(s: &Shell, review: &SignOff, note: String) -> Checker {
    let batch = review.method == kepu_domain::create::review::Method::Batch;
    let editions = review.editions.iter().map(|name| s.edition(name)).collect::<Vec<_>>();
    let note = match (batch, editions.is_empty()) {
        (true, _) => s.t("history-batch"),
        (_, false) => s.t1("history-editions", "names", s.list(editions.iter().map(String::as_str))),
        _ => note,
    };
    let proved = review.qualification.as_ref().map(|proof| proof.what.clone()).unwrap_or_default();
    let parts = [review.title.clone(), review.org.clone(), proved, s.fields(&review.fields)];
    Checker {
        name: review.name.clone(),
        about: parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · "),
        conflict: review.conflict.clone(),
        comment: review.comment.clone(),
        date: s.date(&review.date),
        note,
    }
}
