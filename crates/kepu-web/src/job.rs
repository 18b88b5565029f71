//! Jobs: what runs, what waits, what failed and why; done again or called off. What jobs do is in `kepu-app::job`.

use crate::Web;
use crate::form::Form;
use crate::line::{Choice, choices};
use crate::page::{Answer, Html, Req, Shell, escape, page};
use askama::Template;
use axum::extract::{Path, State};
use jiff::Timestamp;
use kepu_app::AppError;
use kepu_app::job::{self, Kind};
use kepu_domain::ids::JobId;
use kepu_store::job::{Job, STATES, State as JobState};

/// Jobs of a page.
const SIZE: u32 = 50;

/// What a kind of job is called; unknown kinds are named by their word.
pub(crate) fn kind_word(s: &Shell, kind: &str) -> String {
    match Kind::parse(kind) {
        Some(Kind::Import) => s.t("job-import"),
        Some(Kind::Expire) => s.t("job-expire"),
        Some(Kind::Reindex) => s.t("job-reindex"),
        Some(Kind::Exchange) => s.t("job-exchange"),
        Some(Kind::Rounds) => s.t("job-rounds"),
        Some(Kind::Reviews) => s.t("job-reviews"),
        Some(Kind::Push) => s.t("job-push"),
        Some(Kind::Listen) => s.t("job-listen"),
        None => kind.to_owned(),
    }
}

fn state_word(s: &Shell, state: JobState) -> String {
    match state {
        JobState::Queued => s.t("job-queued"),
        JobState::Running => s.t("job-running"),
        JobState::Done => s.t("job-done"),
        JobState::Failed => s.t("job-failed"),
        JobState::Cancelled => s.t("job-cancelled"),
    }
}

fn shape(state: JobState) -> &'static str {
    match state {
        JobState::Queued => "open",
        JobState::Running => "now",
        JobState::Done => "true",
        JobState::Failed => "false",
        JobState::Cancelled => "part",
    }
}

/// Progress `done/of` as a bar with its words while it goes on; other words as they are.
fn progress(text: &str, goes_on: bool) -> Html {
    let share = text.split_once('/').and_then(|(done, of)| Some((done.parse::<i64>().ok()?, of.parse::<i64>().ok()?)));
    match share {
        Some((done, of)) if of > 0 && goes_on => Html(format!("{done} / {of}<progress max=\"{of}\" value=\"{done}\" aria-hidden=\"true\"></progress>")),
        _ => Html(escape(text)),
    }
}

struct Item {
    id: String,
    kind: String,
    state: Html,
    queued: Html,
    words: String,
    progress: Html,
    error: String,
    can_retry: bool,
    can_cancel: bool,
}

fn item(s: &Shell, job: &Job) -> Item {
    let ended = job.finished_at.map(|at| job_span(s, job.created_at, at));
    let words = match job.state {
        JobState::Queued if job.run_at > s.now => s.t1("job-next", "left", s.left(job.run_at)),
        JobState::Running | JobState::Queued if job.attempts > 0 => s.t2("job-attempt", "n", job.attempts, "of", job.max_attempts),
        JobState::Done => ended.unwrap_or_default(),
        _ => String::new(),
    };
    Item {
        id: job.id.0.clone(),
        kind: kind_word(s, &job.kind),
        state: s.state(shape(job.state), state_word(s, job.state)),
        queued: s.time(&job.created_at),
        words,
        progress: progress(&job.progress, matches!(job.state, JobState::Queued | JobState::Running)),
        error: job.last_error.clone(),
        can_retry: matches!(job.state, JobState::Failed | JobState::Cancelled) || (job.state == JobState::Queued && job.run_at > s.now),
        can_cancel: matches!(job.state, JobState::Queued | JobState::Running) && job.cancelled_at.is_none(),
    }
}

fn job_span(s: &Shell, from: Timestamp, to: Timestamp) -> String {
    let length = to.duration_since(from);
    let words = if length.as_secs() < 60 { s.t1("job-seconds", "s", length.as_secs().max(1)) } else { s.span(&length) };
    s.t1("job-took", "span", words)
}

#[derive(Template)]
#[template(path = "jobs.html")]
struct JobsPage {
    s: Shell,
    states: Vec<Choice>,
    counts: Vec<(Html, i64, String)>,
    jobs: Vec<Item>,
    filtered: bool,
    next: String,
    busy: bool,
}

/// GET /jobs
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    let s = req.titled(req.shell.t("jobs-title")).script("htmx.min.js");
    let wanted = JobState::parse(req.query.get("state"));
    let before =
        req.query.opt("before").and_then(|text| text.split_once('-')).and_then(|(ms, id)| Some((crate::words::moment(ms.parse().ok()?), JobId::from(id))));
    let mut overview = job::list(&web.app, &req.actor, wanted, before, SIZE + 1).await?;
    let more = overview.jobs.len() > SIZE as usize;
    overview.jobs.truncate(SIZE as usize);
    let next = overview.jobs.last().filter(|_| more).map(|job| s.here_with("before", &format!("{}-{}", job.created_at.as_millisecond(), job.id)));
    let states = choices(s.t("jobs-any"), STATES.into_iter().map(|state| (state.as_str().to_owned(), state_word(&s, state))), req.query.get("state"));
    let counts = overview.counts.iter();
    Ok(page(&JobsPage {
        states,
        counts: counts
            .map(|(state, n)| (s.state(shape(*state), state_word(&s, *state)), *n, crate::urls::with("/jobs", &[("state", state.as_str())])))
            .collect(),
        busy: overview.counts.iter().any(|(state, _)| matches!(state, JobState::Queued | JobState::Running)),
        jobs: overview.jobs.iter().map(|job| item(&s, job)).collect(),
        filtered: wanted.is_some(),
        next: next.unwrap_or_default(),
        s,
    }))
}

/// POST /jobs: queues a job that stands for itself.
pub async fn ask(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let deed = async {
        let kind = Kind::parse(form.get("kind")).ok_or_else(|| AppError::NotFound { what: "kind of job", id: form.get("kind").chars().take(40).collect() })?;
        job::ask_for(&web.app, &req.actor, kind).await?;
        Ok::<_, AppError>("/jobs".to_owned())
    };
    Ok(form.once(&web, deed).await?)
}

/// POST /jobs/{id}/retry
pub async fn retry(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let deed = async {
        job::retry(&web.app, &req.actor, &JobId(id)).await?;
        Ok::<_, AppError>("/jobs".to_owned())
    };
    Ok(form.once(&web, deed).await?)
}

/// POST /jobs/{id}/cancel
pub async fn cancel(State(web): State<Web>, req: Req, Path(id): Path<String>, form: Form) -> Answer {
    let deed = async {
        job::cancel(&web.app, &req.actor, &JobId(id)).await?;
        Ok::<_, AppError>("/jobs".to_owned())
    };
    Ok(form.once(&web, deed).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_drawn_where_it_is_a_share() {
        assert!(progress("3/10", true).0.contains("<progress max=\"10\" value=\"3\""));
        assert_eq!(progress("<+3>", true).0, "&lt;+3&gt;");
        assert_eq!(progress("3/0", true).0, "3/0");
        assert_eq!(progress("10/10", false).0, "10/10");
    }
}
