//! The after-action table of a real order: each task against its minute. Drills have a score of their own (`order`).

use crate::page::{Html, Shell};
use kepu_app::listen::order::View;
use kepu_domain::listen::order::{Went, went};

/// A task against its minute.
pub struct AfterRow {
    /// What was to be done.
    pub title: String,
    /// Post, organisation, who had it.
    pub who: String,
    /// Minute in which it was due.
    pub due: i64,
    /// Minute in which it was done, or a dash.
    pub done: String,
    /// How it went.
    pub state: Html,
}

/// How an order went.
pub struct After {
    /// Counts as a sentence.
    pub counts: String,
    /// Its tasks, by the minute they were due.
    pub rows: Vec<AfterRow>,
}

/// Each task against its minute, with counts.
pub fn after(s: &Shell, view: &View) -> After {
    let (mut good, mut late, mut missed) = (0, 0, 0);
    let row = |one: &kepu_app::listen::task::View| {
        let (done, state) = match went(&view.order, &one.task, s.now) {
            Went::InTime(minute) => {
                good += 1;
                (minute.to_string(), s.state("true", s.t("drill-in-time")))
            }
            Went::Late(minute, by) => {
                late += 1;
                (minute.to_string(), s.state("part", s.t1("drill-late-by", "span", s.span(&jiff::SignedDuration::from_mins(by)))))
            }
            Went::Missed => {
                missed += 1;
                ("–".to_owned(), s.state("false", s.t("drill-missed")))
            }
            Went::Waiting => ("–".to_owned(), s.state("open", s.t("task-open"))),
        };
        let who: Vec<&str> = [one.task.role.as_str(), one.owner.as_str()].into_iter().filter(|text| !text.is_empty()).collect();
        let due = one.task.due.duration_since(view.order.started_at).as_mins();
        AfterRow { title: s.pick(&one.task.title, &one.task.title_en).to_owned(), who: who.join(" · "), due, done, state }
    };
    let rows = view.tasks.iter().map(row).collect();
    After { counts: s.t3("drill-counts", "good", good, "late", late, "missed", missed), rows }
}
