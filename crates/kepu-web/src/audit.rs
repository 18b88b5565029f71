//! The audit log for the audit administrator: filtered and paged, as sentences, checked, and as a file. What an entry is stands in
//! `kepu-domain::log`, checking and anchors in `kepu-app::audit`.

use crate::form::{Fields, Form, see_other};
use crate::line::{Choice, choices, csv_cell};
use crate::page::{Answer, Html, Req, Shell, page};
use crate::problem::Problem;
use crate::words::iso;
use crate::{Web, i18n};
use askama::Template;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::Offset};
use kepu_app::AppError;
use kepu_app::audit::{self, Checked, KEEP_DAYS_MIN, KEEP_YEARS, Names};
use kepu_domain::access::{Actor, Role};
use kepu_domain::log::Entry;
use kepu_store::log::Filter;

/// Entries on a page.
const SIZE: u32 = 50;

/// What can be chosen from when filtering, in the order of the choice. Each has a sentence `act-…` in both catalogues; an
/// action that is not listed is shown by its word.
pub const ACTIONS: &[&str] = &[
    "account.signed_in",
    "account.signed_out",
    "account.sign_in_failed",
    "account.proof_failed",
    "account.created",
    "account.described",
    "account.disabled",
    "account.enabled",
    "account.unlocked",
    "account.password_changed",
    "account.password_reset",
    "account.second_factor_set",
    "account.second_factor_removed",
    "account.second_factor_reset",
    "account.sessions_ended",
    "account.exported",
    "account.closed",
    "member.role_granted",
    "member.role_revoked",
    "member.exported",
    "point.added",
    "point.on",
    "point.off",
    "point.left",
    "warning.passed",
    "warning.held",
    "warning.exercise",
    "warning.unfit",
    "warning.let_through",
    "warning.refused",
    "warning.taken_back",
    "duty.rota_made",
    "duty.rota_changed",
    "duty.rota_removed",
    "duty.away",
    "duty.back",
    "duty.called",
    "duty.cannot",
    "order.started",
    "order.joined",
    "order.ended",
    "task.taken",
    "task.done",
    "task.blocked",
    "task.dropped",
    "org.added",
    "org.renamed",
    "draft.begun",
    "draft.saved",
    "draft.file_added",
    "draft.submitted",
    "draft.taken_back",
    "draft.dropped",
    "draft.published",
    "draft.excused",
    "draft.handed_on",
    "review.assigned",
    "review.approve",
    "review.return",
    "review.declined",
    "review.lapsed",
    "review.queue_assigned",
    "review.queue_undone",
    "review.remarked",
    "review.settled",
    "policy.announced",
    "subject.proofs_added",
    "subject.rechecked",
    "subject.withdrawn",
    "subject.held",
    "subject.released",
    "subject.noticed",
    "recall.taken_down",
    "report.filed",
    "report.decided",
    "report.appealed",
    "contribution.stated",
    "contribution.taken_back",
    "contribution.confirmed",
    "contribution.refused",
    "certificate.issued",
    "certificate.revoked",
    "certificate.brought",
    "question.asked",
    "case.taken",
    "case.classified",
    "case.asked",
    "case.held",
    "case.note",
    "case.answered",
    "case.closed",
    "case.recheck",
    "wording.noted",
    "wording.dropped",
    "claim.worded",
    "claim.unworded",
    "claim.merge_asked",
    "claim.merged",
    "claim.merge_refused",
    "claim.split",
    "claim.voted",
    "import.batch",
    "node.begun",
    "node.set_up",
    "node.invited",
    "node.joined",
    "node.subscribed",
    "node.saved",
    "node.restored",
    "node.relearned",
    "node.resumed",
    "node.second_factor_demanded",
    "data.expired",
    "bundle.applied",
    "media.limited",
    "record.erased",
    "history.differs",
    "audit.verified",
    "audit.exported",
    "round.called",
    "round.panel_set",
    "round.assigned",
    "round.interest_stated",
    "round.proposed",
    "round.decided",
    "round.cancelled",
    "application.begun",
    "application.saved",
    "application.submitted",
    "application.tested",
    "application.withdrawn",
    "application.recommended",
    "application.sent_back",
    "application.complete",
    "application.declined",
    "application.concern_noted",
    "application.money_set",
    "application.granted",
    "application.delivered",
    "application.delivery_checked",
    "application.reported",
    "application.confirmed",
    "application.revoked",
    "application.end_announced",
    "application.ended",
    "judgement.scored",
    "judgement.recused",
    "objection.made",
    "objection.answered",
];

/// An action as a sentence, or its word where there is none.
pub fn sentence(s: &Shell, action: &str) -> String {
    let key = format!("act-{}", action.replace('.', "-"));
    if i18n::exists(s.lang, &key) { i18n::message(s.lang, &key, &[]) } else { action.to_owned() }
}

/// Who acted, in words.
pub fn actor(s: &Shell, who: &str, names: &Names) -> String {
    match who.split_once(':') {
        Some(("account", id)) => names.get(id).cloned().unwrap_or_else(|| who.to_owned()),
        Some(("job", _)) => s.t("who-job"),
        Some(("peer", key)) => s.t1("who-peer", "key", kepu_domain::ids::KeyId::from(key).fingerprint()),
        _ if who == "node" => s.t("who-job"),
        _ if who == "operator" => s.t("who-operator"),
        _ if who == "visitor" => s.t("who-visitor"),
        _ => who.to_owned(),
    }
}

/// On what: ids that have a name are shown by it, roles by theirs.
pub fn object(s: &Shell, object: &str, names: &Names) -> String {
    let word = |word: &str| match Role::parse(word) {
        Some(role) => s.role(&role),
        None => names.get(word).cloned().unwrap_or_else(|| word.to_owned()),
    };
    object.split(' ').map(word).collect::<Vec<_>>().join(" · ")
}

/// What the sentence above the list asks for. A sign-in name stands for its account.
pub async fn filter(web: &Web, who: &Actor, query: &Fields) -> Result<Filter, AppError> {
    let opt = |name: &str| query.opt(name).map(|value| value.chars().take(200).collect::<String>());
    let by = match opt("who") {
        Some(text) => Some(audit::actor_of(&web.app, who, &text).await?),
        None => None,
    };
    let day = |name: &str| query.opt(name).and_then(|text| text.parse::<Date>().ok());
    let result = opt("result").filter(|word| word == "ok" || word == "refused");
    let until = day("to").and_then(|day| day.checked_add(1.day()).ok());
    Ok(Filter { who: by, action: opt("action"), object: opt("object"), result, since: day("from").and_then(begins), until: until.and_then(begins) })
}

/// When a day begins in China.
fn begins(day: Date) -> Option<Timestamp> {
    Offset::constant(8).to_timestamp(day.at(0, 0, 0, 0)).ok()
}

struct Row {
    seq: i64,
    time: Html,
    who: String,
    text: String,
    object: String,
    detail: String,
    refused: bool,
}

/// The outcome of a check, in words.
struct Proof {
    whole: bool,
    text: String,
    time: Html,
    wrong: Vec<String>,
}

fn proof(s: &Shell, checked: &Checked) -> Proof {
    let text = match checked.broken {
        None => s.t2("audit-whole", "n", checked.entries, "anchors", checked.anchors),
        Some((seq, cause)) => s.t2("audit-broken", "seq", seq, "cause", s.t(&format!("audit-break-{}", cause.as_str()))),
    };
    let wrong = checked.wrong.iter().map(|(day, fault)| s.t2("audit-anchor-wrong", "day", day, "cause", s.t(&format!("audit-anchor-{}", fault.as_str()))));
    Proof { whole: checked.is_whole(), text, time: s.time(&checked.at), wrong: wrong.collect() }
}

#[derive(Template)]
#[template(path = "audit/log.html")]
struct AuditPage {
    s: Shell,
    who: String,
    object: String,
    from: String,
    to: String,
    actions: Vec<Choice>,
    results: Vec<Choice>,
    rows: Vec<Row>,
    filtered: bool,
    later: bool,
    older: String,
    csv: String,
    json: String,
    proof: Option<Proof>,
    days: i64,
    years: i64,
}

/// GET /audit
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    let who = &req.actor;
    let filter = filter(&web, who, &req.query).await?;
    match req.query.get("format") {
        "csv" => return csv(&web, &req, &filter).await,
        "json" => return json(&web, &req, &filter).await,
        _ => {}
    }
    let s = req.titled(req.shell.t("audit-title"));
    let before = req.query.int("before");
    let mut entries = audit::list(&web.app, who, &filter, before, SIZE + 1).await?;
    let more = entries.len() > SIZE as usize;
    entries.truncate(SIZE as usize);
    let names = audit::names(&web.app, who, &entries).await?;
    let checked = audit::last_check(&web.app, who).await?;
    let asked = req.query.get("action");
    let mut actions = choices(s.t("any-action"), ACTIONS.iter().map(|word| ((*word).to_owned(), sentence(&s, word))), asked);
    if !asked.is_empty() && !ACTIONS.contains(&asked) {
        actions.push(Choice { value: asked.to_owned(), text: asked.to_owned(), on: true });
    }
    let results = [("ok", s.t("result-ok")), ("refused", s.t("result-refused"))].map(|(value, text)| (value.to_owned(), text));
    Ok(page(&AuditPage {
        who: req.query.get("who").to_owned(),
        object: req.query.get("object").to_owned(),
        from: req.query.get("from").to_owned(),
        to: req.query.get("to").to_owned(),
        actions,
        results: choices(s.t("any-result"), results.into_iter(), req.query.get("result")),
        older: entries.last().filter(|_| more).map(|last| s.here_with("before", &last.seq.to_string())).unwrap_or_default(),
        rows: entries.iter().map(|entry| row(&s, entry, &names)).collect(),
        filtered: filter != Filter::default(),
        later: before.is_some(),
        csv: s.here_with("format", "csv"),
        json: s.here_with("format", "json"),
        proof: checked.as_ref().map(|checked| proof(&s, checked)),
        days: KEEP_DAYS_MIN,
        years: KEEP_YEARS,
        s,
    }))
}

fn row(s: &Shell, entry: &Entry, names: &Names) -> Row {
    Row {
        seq: entry.seq,
        time: s.time(&entry.at),
        who: actor(s, &entry.who, names),
        text: sentence(s, &entry.action),
        object: object(s, &entry.object, names),
        detail: entry.detail.clone(),
        refused: entry.result == "refused",
    }
}

/// POST /audit/verify
pub async fn verify(State(web): State<Web>, req: Req, _form: Form) -> Answer {
    audit::verify(&web.app, &req.actor).await?;
    Ok(see_other("/audit#proof"))
}

async fn csv(web: &Web, req: &Req, filter: &Filter) -> Answer {
    let (s, entries) = (&req.shell, audit::export(&web.app, &req.actor, filter).await?);
    let names = audit::names(&web.app, &req.actor, &entries).await?;
    let mut out = String::from("\u{feff}seq,at,who,name,action,sentence,object,about,result,detail\r\n");
    for entry in &entries {
        let cells = [
            entry.seq.to_string(),
            iso(entry.at),
            entry.who.clone(),
            actor(s, &entry.who, &names),
            entry.action.clone(),
            sentence(s, &entry.action),
            entry.object.clone(),
            object(s, &entry.object, &names),
            entry.result.clone(),
            entry.detail.clone(),
        ];
        out.push_str(&cells.map(|cell| csv_cell(&cell)).join(","));
        out.push_str("\r\n");
    }
    Ok(file("text/csv; charset=utf-8", "kepu-audit.csv", out))
}

async fn json(web: &Web, req: &Req, filter: &Filter) -> Answer {
    let entries = audit::export(&web.app, &req.actor, filter).await?;
    let text = serde_json::to_string(&entries).map_err(|error| Problem::internal(format!("entries cannot be written as JSON: {error}")))?;
    Ok(file("application/json", "kepu-audit.json", text))
}

/// A file to keep, never to be found in a cache.
pub(crate) fn file(kind: &'static str, name: &str, body: String) -> axum::response::Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition), (header::CACHE_CONTROL, "no-store".to_owned())], body)
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;
    use crate::page::tests::shell;

    #[test]
    fn every_action_that_can_be_chosen_is_a_sentence_in_both_languages() {
        for lang in [Lang::Zh, Lang::En] {
            for action in ACTIONS {
                assert_ne!(sentence(&shell(lang), action), *action, "act-{}", action.replace('.', "-"));
            }
        }
        assert_eq!(sentence(&shell(Lang::Zh), "new.thing"), "new.thing", "an unknown one is shown by its word");
    }

    #[test]
    fn ids_that_have_a_name_are_shown_by_it() {
        let names = Names::from([("a1".to_owned(), "何静（hejing）".to_owned())]);
        let s = shell(Lang::Zh);
        assert_eq!(object(&s, "a1 editor 410000", &names), "何静（hejing） · 编辑 · 410000");
        assert_eq!(actor(&s, "account:a1", &names), "何静（hejing）");
        assert_eq!(actor(&s, "account:gone", &names), "account:gone");
    }

    #[test]
    fn a_day_begins_at_midnight_in_china() {
        assert_eq!(begins("2026-11-24".parse().expect("day")).map(|at| at.to_string()).as_deref(), Some("2026-11-23T16:00:00Z"));
    }
}
