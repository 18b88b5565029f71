//! Lanes as people meet them: the box beside a text that says what is asked of it and why, and the page that lists them all.

use crate::Web;
use crate::form::Form;
use crate::page::{Answer, Req, Shell, page};
use crate::urls;
use askama::Template;
use axum::extract::State;
use kepu_app::create::lane as lanes;
use kepu_domain::create::lane::{AuthorRule, Lane, SameOrg};
use kepu_domain::create::review::SignOff;
use kepu_store::create::recheck::Recheck;

/// What a lane asks, in words.
pub struct LaneBox {
    /// Id, for links.
    pub id: String,
    /// Name.
    pub name: String,
    /// Why it asks.
    pub why: String,
    /// What it asks, a sentence each.
    pub asks: Vec<String>,
    /// What a reviewer ticks off: id, words, whether it must be.
    pub points: Vec<(String, String, bool)>,
}

/// A lane in words.
pub fn lane_box(s: &Shell, lane: &Lane) -> LaneBox {
    let pick = |zh: &str, en: &str| if s.is_en() { en.to_owned() } else { zh.to_owned() };
    let mut asks = Vec::new();
    if lane.reviews == 0 {
        asks.push(s.t("lane-none"));
    } else if lane.qualified > 0 {
        asks.push(s.t2("lane-qualified", "n", lane.reviews, "q", lane.qualified));
    } else {
        asks.push(s.t1("lane-reviews", "n", lane.reviews));
    }
    if lane.author == AuthorRule::Qualified {
        asks.push(s.t("lane-author"));
    }
    match lane.same_org {
        SameOrg::Allowed => {}
        SameOrg::One => asks.push(s.t("lane-org-one")),
        SameOrg::Refused => asks.push(s.t("lane-org-none")),
    }
    if lane.clearance {
        asks.push(s.t("lane-clearance"));
    }
    for (rule, key) in [("see_doctor", "lane-see-doctor"), ("exclusions", "lane-exclusions"), ("no_guideline", "lane-guideline"), ("product", "lane-product")] {
        if lane.checks.iter().any(|check| check.rule == rule) {
            asks.push(s.t(key));
        }
    }
    if let Some(months) = lane.recheck_months {
        asks.push(s.t1("lane-recheck", "n", months));
    }
    if lane.reviews > 0 {
        asks.push(if lane.urgent { s.t("lane-urgent") } else { s.t1("lane-days", "n", lane.days) });
        asks.push(s.t1("lane-panel", "n", lane.panel));
    }
    if lane.batch {
        asks.push(s.t("lane-batch"));
    }
    let points = lane.checklist.iter().map(|point| (point.id.clone(), pick(&point.zh, &point.en), point.required)).collect();
    LaneBox { id: lane.id.clone(), name: pick(&lane.zh, &lane.en), why: pick(&lane.why_zh, &lane.why_en), asks, points }
}

/// The name of a lane.
pub fn lane_name(s: &Shell, lane: &Lane) -> String {
    if s.is_en() { lane.en.clone() } else { lane.zh.clone() }
}

/// Why something public has to be looked at again, a sentence each.
pub fn again(s: &Shell, list: &[Recheck]) -> Vec<String> {
    let key = |reason: &str| match reason {
        "guideline" => "again-guideline",
        "withdrawn" => "again-withdrawn",
        _ => "again-corrected",
    };
    list.iter().map(|one| s.t1(key(&one.reason), "what", &one.detail)).collect()
}

/// The checklist of a public text: words, and whether somebody who signed ticked it off.
pub fn ticked(s: &Shell, lane: &Lane, under: &[SignOff]) -> Vec<(String, bool)> {
    let word = |point: &kepu_domain::create::lane::Point| if s.is_en() { point.en.clone() } else { point.zh.clone() };
    lane.checklist.iter().map(|point| (word(point), under.iter().any(|name| name.checks.contains(&point.id)))).collect()
}

#[derive(Template)]
#[template(path = "create/lanes.html")]
struct LanesPage {
    s: Shell,
    lanes: Vec<LaneBox>,
    announced: bool,
    may_announce: bool,
    hidden: usize,
    rows: Vec<(String, String)>,
    done: String,
}

/// GET /lanes
pub async fn list(State(web): State<Web>, req: Req) -> Answer {
    let s = req.titled(req.shell.t("lanes-title"));
    let found = lanes::overview(&web.app, &req.actor).await?;
    Ok(page(&LanesPage {
        lanes: found.lanes.iter().map(|lane| lane_box(&s, lane)).collect(),
        announced: found.announced,
        may_announce: found.may_announce,
        hidden: found.hidden.0,
        rows: found.hidden.1.iter().map(|row| (urls::of_kind(&row.kind, &row.id), row.title.clone())).collect(),
        done: if req.query.get("done") == "announced" { s.t("lanes-done") } else { String::new() },
        s,
    }))
}

/// POST /lanes: the policy of the network becomes what these lanes ask.
pub async fn announce(State(web): State<Web>, req: Req, form: Form) -> Answer {
    let deed = async {
        lanes::announce(&web.app, &req.actor).await?;
        Ok::<_, kepu_app::AppError>("/lanes?done=announced".to_owned())
    };
    Ok(form.once(&web, deed).await?)
}
