//! Rounds as pages. For everybody: `show`; for applicants: `apply`; for the office: `call` and `office`; for judges: `judge`; criteria: `criteria`.
//! Here: what these pages share.

pub mod apply;
pub mod call;
pub mod criteria;
pub mod judge;
pub mod office;
pub mod proof;
pub mod show;

use crate::page::{Html, Shell, escape};
use crate::problem::{Problem, round_error};
use axum::http::StatusCode;
use jiff::Timestamp;
use kepu_app::create::round::state;
use kepu_app::{AppError, FieldError};
use kepu_domain::create::criteria::{Assessment, CriteriaSet, Finding};
use kepu_domain::create::round::{AppStage, Concern, Round, RoundKind, RoundStage};
use kepu_domain::definition::is_id;

/// Where a round stands: shape and word.
pub fn round_mark(s: &Shell, round: &Round) -> Html {
    let word = state(round, s.now);
    let shape = match word {
        "open" | "judging" | "publicity" => "now",
        "decided" => "true",
        "cancelled" => "false",
        _ => "open",
    };
    s.state(shape, s.t(&format!("round-state-{word}")))
}

/// Where an application stands: shape and word.
pub fn stage_mark(s: &Shell, stage: &AppStage) -> Html {
    let shape = match stage {
        AppStage::Writing { remark } if !remark.is_empty() => "part",
        AppStage::Writing { .. } | AppStage::Withdrawn { .. } => "open",
        AppStage::Submitted { .. } | AppStage::Complete { .. } | AppStage::Proposed { .. } => "now",
        AppStage::Granted { .. } => "true",
        AppStage::NotProposed { .. } => "open",
        AppStage::Revoked { .. } => "false",
    };
    s.state(shape, stage_word(s, stage))
}

/// Where an application stands, in a word.
pub fn stage_word(s: &Shell, stage: &AppStage) -> String {
    match stage {
        AppStage::Writing { remark } if !remark.is_empty() => s.t("application-returned"),
        other => s.t(&format!("application-{}", other.name().replace('_', "-"))),
    }
}

/// The clock of a round: what ends next, and when.
pub fn round_clock(s: &Shell, round: &Round) -> Html {
    let line = |word: &str, at: &Timestamp| Html(format!("{} {} {}", escape(&s.t(word)), s.time(at), s.clk(*at, *at < s.now)));
    match (&round.stage, state(round, s.now)) {
        (_, "coming") => line("round-opens", &round.opens),
        (_, "open") => line("round-closes", &round.closes),
        (RoundStage::Publicity { until, .. }, _) if *until > s.now => line("round-publicity-until", until),
        (RoundStage::Decided { at }, _) => Html(format!("{} {}", escape(&s.t("round-decided-at")), s.time(at))),
        _ => Html(format!("{} {}", escape(&s.t("round-closed-at")), s.time(&round.closes))),
    }
}

/// Points of 0 to 100 from hundredths.
pub fn points(total: i64) -> String {
    kepu_app::create::round::office::points(total)
}

/// What an operation refused, as the status and errors of the same page; everything else is a page of its own.
pub(super) fn refused(error: AppError) -> Result<(StatusCode, Vec<FieldError>), Problem> {
    match error {
        AppError::Invalid(errors) => Ok((StatusCode::UNPROCESSABLE_ENTITY, errors)),
        AppError::Round(error) => {
            let errors = round_error(&error);
            let status = Problem::from(AppError::Round(error)).kind.status();
            Ok((status, errors))
        }
        AppError::Stale { .. } => Ok((StatusCode::CONFLICT, vec![FieldError::new("do", "round_stale")])),
        other => Err(other.into()),
    }
}

/// A concern in a sentence.
pub fn concern(s: &Shell, concern: &Concern, sets: &[(CriteriaSet, Assessment)]) -> String {
    match concern {
        Concern::EntryGone => s.t("concern-entry-gone"),
        Concern::ConsentWithdrawn { .. } => s.t("concern-consent"),
        Concern::QualificationLapsed { what } => s.t1("concern-qualification", "what", what),
        Concern::CriterionLost { set, item } => {
            let found = sets.iter().find(|(known, _)| known.id == *set).and_then(|(known, _)| known.items.iter().find(|i| i.id == *item));
            s.t1("concern-criterion", "item", found.map_or(item.as_str(), |i| s.pick(&i.zh, &i.en)))
        }
    }
}

/// One criteria set as a column beside others.
pub struct SetColumn {
    /// Its page.
    pub href: String,
    /// Name.
    pub name: String,
    /// Level, in a word.
    pub level: String,
    /// Version.
    pub version: u32,
    /// Where its figures come from.
    pub source: String,
    /// Whether all that is required is met.
    pub met: bool,
    /// Points, if it has any: reached and possible.
    pub points: String,
    /// Grade reached, or empty.
    pub grade: String,
    /// Items with what was found.
    pub items: Vec<ItemLine>,
    /// How many required items are not met.
    pub gaps: usize,
}

/// One criterion with what was found.
pub struct ItemLine {
    /// Text.
    pub text: String,
    /// Shape and word.
    pub mark: Html,
    /// What is there and what is needed; may be empty.
    pub detail: String,
    /// Proof that is asked for, or empty.
    pub evidence: String,
}

/// Criteria sets side by side.
pub fn columns(s: &Shell, list: &[(CriteriaSet, Assessment)]) -> Vec<SetColumn> {
    list.iter()
        .map(|(set, found)| SetColumn {
            href: crate::urls::criteria(&set.id),
            name: s.pick(&set.zh, &set.en).to_owned(),
            level: s.t(&format!("criteria-level-{}", set.level)),
            version: set.version,
            source: set.source.clone(),
            met: found.met,
            points: if found.points_max > 0 { s.t2("criteria-points", "points", found.points, "max", found.points_max) } else { String::new() },
            grade: found.grade.as_ref().and_then(|id| set.grades.iter().find(|g| g.id == *id)).map(|g| s.pick(&g.zh, &g.en).to_owned()).unwrap_or_default(),
            gaps: set.items.iter().zip(&found.findings).filter(|(i, (_, f))| i.required && matches!(f, Finding::Unmet { .. } | Finding::Unknown)).count(),
            items: set.items.iter().zip(&found.findings).map(|(item, (_, finding))| item_line(s, item, finding)).collect(),
        })
        .collect()
}

fn item_line(s: &Shell, item: &kepu_domain::create::criteria::Item, finding: &Finding) -> ItemLine {
    let (shape, word, detail) = match finding {
        Finding::Met { points } if *points > 0 => ("true", "criteria-met", s.t1("criteria-gives", "points", points)),
        Finding::Met { .. } => ("true", "criteria-met", String::new()),
        Finding::Lapsing { until } => ("part", "criteria-lapsing", s.t1("criteria-until", "day", s.day_text(*until))),
        Finding::Unmet { have, need } => ("false", "criteria-unmet", s.t2("criteria-have-need", "have", said(s, have), "need", said(s, need))),
        Finding::Unknown => ("open", "criteria-unknown", String::new()),
        Finding::NotAsked => ("open", "criteria-not-asked", String::new()),
    };
    ItemLine {
        text: s.pick(&item.zh, &item.en).to_owned(),
        mark: s.state(shape, s.t(word)),
        detail,
        evidence: if s.is_en() { String::new() } else { item.evidence.clone() },
    }
}

fn said(s: &Shell, word: &str) -> String {
    match word {
        "true" => s.t("registry-yes"),
        "false" => s.t("registry-no"),
        other => other.to_owned(),
    }
}

/// The kinds as choices.
pub fn kind_choices<'a>(s: &Shell, kinds: impl Iterator<Item = &'a RoundKind>) -> Vec<(String, String)> {
    kinds.filter(|kind| is_id(&kind.id)).map(|kind| (kind.id.clone(), s.pick(&kind.zh, &kind.en).to_owned())).collect()
}
