//! Criteria sets for everybody; whoever keeps an entry holds it against one, or against all at once, before any round is open.

use super::{SetColumn, columns};
use crate::Web;
use crate::line::{Choice, choices};
use crate::page::{Answer, Req, Shell, page};
use crate::problem::Problem;
use crate::urls;
use askama::Template;
use axum::extract::{Path, State};
use kepu_app::create::round::apply;
use kepu_domain::create::criteria::{CriteriaSet, ItemTest};
use kepu_domain::create::party::{Party, PartyKind};
use kepu_domain::ids::PartyId;

/// A criterion as the set says it.
struct Criterion {
    text: String,
    wanted: String,
    required: bool,
    evidence: String,
}

#[derive(Template)]
#[template(path = "create/round/criteria.html")]
struct CriteriaPage {
    s: Shell,
    name: String,
    level: String,
    version: u32,
    source: String,
    items: Vec<Criterion>,
    grades: Vec<(String, i64)>,
    others: Vec<(String, String)>,
    parties: Vec<Choice>,
    checked: String,
    sets: Vec<SetColumn>,
}

/// What a criterion wants, in words.
fn wanted(s: &Shell, test: &ItemTest) -> String {
    match test {
        ItemTest::AtLeast(cases) => {
            let all: Vec<String> = cases.iter().map(|case| case.value.to_string()).collect();
            s.t1("criteria-at-least", "value", all.join(" / "))
        }
        ItemTest::Steps(steps) => steps
            .iter()
            .map(|step| s.t2("criteria-step", "value", step.value, "points", step.points))
            .collect::<Vec<_>>()
            .join(if s.is_en() { "; " } else { "；" }),
        ItemTest::Present(_) => s.t("criteria-present"),
        ItemTest::ValidUntil(_) => s.t("criteria-valid"),
    }
}

/// GET /criteria/{id}?party=…
pub async fn show(State(web): State<Web>, req: Req, Path(id): Path<String>) -> Answer {
    let definitions = web.app.definitions();
    let Some(set) = definitions.criteria.get(&id) else { return Err(Problem::not_found()) };
    let s = req.titled(s_name(&req.shell, set));
    let chosen = req.query.opt("party").map(PartyId::from);
    let (parties, party): (Vec<Party>, Option<Party>) = apply::self_check(&web.app, &req.actor, chosen.as_ref()).await?;
    let today = web.app.today();
    let checked = party.as_ref().map(|party| {
        // The set that was asked for first, then every other one: national, provincial and county side by side.
        let others = definitions.criteria.values().filter(|other| other.id != set.id);
        std::iter::once(set).chain(others).map(|set| (set.clone(), set.assess(party, today))).collect::<Vec<_>>()
    });
    let places = parties.into_iter().filter(|p| p.kind != PartyKind::Person).map(|p| (p.id.0, p.name));
    let present = chosen.as_ref().map_or("", |id| id.as_str());
    Ok(page(&CriteriaPage {
        name: s_name(&s, set),
        level: s.t(&format!("criteria-level-{}", set.level)),
        version: set.version,
        source: set.source.clone(),
        items: set
            .items
            .iter()
            .map(|item| Criterion {
                text: s.pick(&item.zh, &item.en).to_owned(),
                wanted: wanted(&s, &item.test),
                required: item.required,
                evidence: item.evidence.clone(),
            })
            .collect(),
        grades: set.grades.iter().map(|g| (s.pick(&g.zh, &g.en).to_owned(), g.points)).collect(),
        others: definitions.criteria.values().filter(|other| other.id != set.id).map(|other| (urls::criteria(&other.id), s_name(&s, other))).collect(),
        parties: choices(s.t("criteria-choose"), places, present).into_iter().collect(),
        checked: party.map(|p| p.name).unwrap_or_default(),
        sets: columns(&s, &checked.unwrap_or_default()),
        s,
    }))
}

fn s_name(s: &Shell, set: &CriteriaSet) -> String {
    s.pick(&set.zh, &set.en).to_owned()
}
