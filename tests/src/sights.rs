//! Every page template with an address where it is seen, and by whom. `tests/pages.rs` looks at all of them in every mode;
//! a template without a line here fails there. To add a page: one line, with the things of `house` in braces.

use crate::browser::{Browser, Person};
use crate::house::{House, PASSWORD};
use anyhow::ensure;
use std::path::Path;

/// A page as somebody sees it.
pub struct Sight {
    /// Its template, below `crates/kepu-web/templates`.
    pub template: &'static str,
    /// Who looks: `visitor` or a seat of the house.
    pub seat: &'static str,
    /// Status of the answer.
    pub status: u16,
    /// How one comes there.
    pub way: Way,
}

/// How one comes to a page.
pub enum Way {
    /// By its address.
    Open(&'static str),
    /// By filling forms.
    Walk(&'static str, fn(&House, &Person) -> anyhow::Result<()>),
}

const fn at(template: &'static str, path: &'static str) -> Sight {
    Sight { template, seat: "visitor", status: 200, way: Way::Open(path) }
}
const fn seen_by(seat: &'static str, template: &'static str, path: &'static str) -> Sight {
    Sight { template, seat, status: 200, way: Way::Open(path) }
}

/// Parts of other pages: they are looked at with the pages that include them.
pub const PARTS: [&str; 17] = [
    "base.html",
    "create/draft/parts.html",
    "create/draft/saved.html",
    "create/register/values.html",
    "create/registry/field.html",
    "create/round/parts.html",
    "deliver/bare.html",
    "lines.html",
    "listen/ask_row.html",
    "listen/calls.html",
    "listen/report_case.html",
    "listen/task_row.html",
    "listen/year.html",
    "measure/says.html",
    "member/list.html",
    "resolve.html",
    "timeline.html",
];

/// All of them.
pub fn all() -> Vec<Sight> {
    vec![
        at("home.html", "/"),
        at("search.html", "/search?q=隔夜菜"),
        at("search.html", "/search?q=量子纠缠洗衣机"),
        at("listen/check.html", "/check?q=隔夜菜致癌"),
        Sight { way: Way::Walk("/check with a doubtful message", check_doubtful), ..at("listen/check.html", "") },
        at("listen/claims.html", "/claims"),
        at("listen/share.html", "/c/{claim}/share"),
        seen_by("editor", "listen/care.html", "/c/{claim}/care"),
        at("listen/claim.html", "/c/{claim}"),
        at("listen/claim.html", "/c/{corrected}"),
        Sight { status: 410, ..at("withdrawn.html", "/c/{withdrawn}") },
        at("listen/ask.html", "/ask"),
        Sight { status: 422, way: Way::Walk("/ask with a mistake", ask_nothing), ..at("listen/ask.html", "") },
        Sight { way: Way::Walk("/ask about something known", ask_known), ..at("listen/known.html", "") },
        at("listen/question.html", "/q/{question}"),
        at("listen/question.html", "/q/{held_question}"),
        at("listen/cases.html", "/cases"),
        at("listen/service.html", "/cases/figures"),
        at("listen/case.html", "/case/{held_case}"),
        at("create/resources.html", "/resources"),
        at("create/resource.html", "/r/{resource}"),
        at("create/resource.html", "/r/{resource}?view=print"),
        at("record.html", "/records/{record}"),
        at("measure/figures.html", "/figures"),
        at("deliver/network.html", "/network"),
        at("deliver/shelf.html", "/shelf"),
        at("deliver/packs.html", "/packs"),
        seen_by("contributor", "deliver/packs.html", "/packs?month=2001-01"),
        seen_by("contributor", "deliver/pack.html", "/packs/{pack}"),
        at("deliver/pack_table.html", "/packs/table"),
        at("deliver/embed.html", "/embed/resource/{resource}"),
        at("deliver/embed.html", "/embed/claim/{corrected}"),
        Sight { status: 410, ..at("deliver/embed.html", "/embed/claim/{withdrawn}") },
        at("deliver/screen.html", "/screen?still=1"),
        at("deliver/screen.html", "/screen?region=411525&n=2&still=1"),
        at("about.html", "/about"),
        at("privacy.html", "/privacy"),
        at("help.html", "/help"),
        at("api.html", "/api/docs"),
        at("problems.html", "/problems"),
        Sight { status: 404, ..at("problem.html", "/nothing-here") },
        at("account/sign_in.html", "/login"),
        Sight { way: Way::Walk("/setup of a fresh node", set_up), ..at("setup.html", "") },
        Sight { way: Way::Walk("a fresh node set up", set_up_done), ..at("setup_done.html", "") },
        seen_by("editor", "account/own.html", "/account"),
        seen_by("editor", "account/second_factor.html", "/account/second-factor"),
        seen_by("editor", "account/close.html", "/account/close"),
        seen_by("editor", "account/stay.html", "/account/stay"),
        seen_by("steward", "member/house.html", "/members"),
        seen_by("security_admin", "member/people.html", "/members/people"),
        seen_by("steward", "member/org.html", "/members/orgs/{org}"),
        seen_by("steward", "member/add.html", "/members/orgs/{org}/add"),
        seen_by("steward", "member/org_form.html", "/members/orgs/{org}/new"),
        seen_by("steward", "member/person.html", "/members/people/{person}"),
        seen_by("audit_admin", "audit/log.html", "/audit"),
        seen_by("duty_officer", "listen/work.html", "/case/{case}"),
        seen_by("duty_officer", "listen/work.html", "/case/{held_case}"),
        at("listen/shown.html", "/check/shown"),
        seen_by("duty_officer", "listen/desk.html", "/listen"),
        seen_by("duty_officer", "listen/topic.html", "/listen/topic/{topic}"),
        seen_by("duty_officer", "listen/wall.html", "/listen/wall?still=1"),
        seen_by("duty_officer", "listen/coverage.html", "/listen/coverage"),
        seen_by("editor", "listen/intake.html", "/intake"),
        seen_by("steward", "listen/intake.html", "/intake"),
        seen_by("editor", "listen/inlet.html", "/intake/new?kind=list"),
        seen_by("editor", "listen/inlet.html", "/intake/{inlet}"),
        seen_by("steward", "listen/inlet.html", "/intake/new?kind=tipline"),
        seen_by("editor", "create/imports.html", "/import"),
        seen_by("editor", "create/import_plan.html", "/import/{import}"),
        seen_by("editor", "create/import_run.html", "/import/{import_done}"),
        at("deliver/now.html", "/now"),
        at("deliver/now.html", "/now/411525"),
        at("deliver/now.html", "/now?county=没有的县"),
        at("deliver/now_figures.html", "/now/figures"),
        at("deliver/warning.html", "/now/w/{warning}"),
        seen_by("duty_officer", "deliver/messages.html", "/warnings"),
        seen_by("duty_officer", "deliver/message.html", "/warnings/{message}"),
        seen_by("duty_officer", "listen/orders.html", "/orders"),
        seen_by("duty_officer", "listen/orders.html", "/drills"),
        seen_by("duty_officer", "listen/decisions.html", "/decisions"),
        seen_by("steward", "listen/decision.html", "/decisions/{decision}"),
        seen_by("steward", "listen/decision_new.html", "/decisions/new"),
        seen_by("steward", "listen/inspections.html", "/inspections"),
        seen_by("steward", "listen/inspection_new.html", "/inspections/new"),
        seen_by("steward", "listen/inspection.html", "/inspections/{inspection}"),
        seen_by("steward", "listen/inspection_look.html", "/inspections/{inspection}/look/1"),
        seen_by("duty_officer", "listen/order_new.html", "/orders/new?mode=drill"),
        seen_by("duty_officer", "listen/order.html", "/orders/{order}"),
        seen_by("duty_officer", "listen/task.html", "/tasks/{order_task}"),
        seen_by("duty_officer", "listen/plans.html", "/plans"),
        seen_by("duty_officer", "listen/duty.html", "/duty"),
        seen_by("editor", "listen/duty_edit.html", "/duty/{rota}"),
        seen_by("editor", "listen/duty_edit.html", "/duty/new?org=org-nat&post=expert"),
        seen_by("steward", "listen/inlet.html", "/intake/new?kind=warning"),
        seen_by("steward", "deliver/points.html", "/points"),
        seen_by("steward", "deliver/point_new.html", "/points/new"),
        seen_by("steward", "deliver/point.html", "/points/{point}"),
        seen_by("system_admin", "jobs.html", "/jobs"),
        seen_by("system_admin", "deliver/nodes.html", "/nodes"),
        Sight { way: Way::Walk("/nodes, invited somebody", invite), ..seen_by("system_admin", "deliver/invited.html", "") },
        seen_by("editor", "desk.html", "/desk"),
        seen_by("duty_officer", "desk.html", "/desk"),
        seen_by("contributor", "create/coverage.html", "/coverage"),
        seen_by("contributor", "create/draft/list.html", "/drafts"),
        seen_by("contributor", "create/draft/new.html", "/drafts/new"),
        seen_by("contributor", "create/draft/edit.html", "/drafts/{draft}"),
        seen_by("editor", "create/draft/edit.html", "/drafts/{resource_draft}"),
        seen_by("editor", "create/draft/show.html", "/drafts/{submitted}"),
        seen_by("editor", "create/draft/media.html", "/drafts/{resource_draft}/media"),
        seen_by("contributor", "create/draft/drop.html", "/drafts/{draft}/drop"),
        seen_by("contributor", "create/draft/remarks.html", "/drafts/{draft}/remarks"),
        at("create/lanes.html", "/lanes"),
        seen_by("editor", "create/review/queue.html", "/reviews/queue"),
        seen_by("reviewer", "create/review/fairness.html", "/reviews/fairness"),
        seen_by("reviewer", "create/review/list.html", "/reviews"),
        seen_by("reviewer", "create/review/show.html", "/reviews/{review}"),
        at("create/round/list.html", "/rounds"),
        seen_by("contributor", "create/round/list.html", "/rounds?state=decided"),
        at("create/round/show.html", "/round/sample-open"),
        at("create/round/show.html", "/round/sample-publicity"),
        at("create/round/show.html", "/round/sample-decided"),
        at("create/round/object.html", "/round/sample-publicity/object?application=sample-publicity-1"),
        at("create/round/objection.html", "/round/sample-publicity/objection/sample-objection"),
        at("create/round/criteria.html", "/criteria/base-district"),
        seen_by("steward", "create/round/new.html", "/rounds/new"),
        seen_by("contributor", "create/round/apply.html", "/round/sample-open/apply"),
        seen_by("contributor", "create/round/application.html", "/application/sample-open-1"),
        seen_by("contributor", "create/round/proofs.html", "/application/sample-open-1/proofs"),
        seen_by("steward", "create/round/application.html", "/application/sample-open-2"),
        seen_by("steward", "create/round/office.html", "/round/sample-open/office"),
        seen_by("steward", "create/round/office.html", "/round/sample-publicity/office"),
        seen_by("reviewer", "create/round/judging.html", "/judging"),
        seen_by("reviewer", "create/round/judge.html", "/judging/sample-judging-1"),
        seen_by("editor", "create/tools.html", "/c/{claim}"),
        seen_by("editor", "create/withdraw.html", "/withdraw/{claim}"),
        seen_by("duty_officer", "create/withdraw.html", "/hold/{claim}"),
        Sight { status: 410, ..at("withdrawn.html", "/c/{under_check}") },
        at("create/history.html", "/history/{corrected}"),
        at("listen/report.html", "/report/{claim}"),
        seen_by("editor", "listen/case.html", "/case/{reported}"),
        at("deliver/sticker.html", "/sticker/{corrected}"),
        seen_by("editor", "deliver/recall.html", "/recall/{corrected}"),
        seen_by("editor", "measure/contributions.html", "/contributions"),
        seen_by("steward", "measure/contributions.html", "/contributions"),
        seen_by("editor", "measure/contribution_new.html", "/contributions/new"),
        seen_by("steward", "measure/confirm.html", "/contributions/confirm"),
        at("measure/contribution_figures.html", "/contributions/figures"),
        seen_by("editor", "measure/scoring.html", "/scoring?scheme=volunteer-stars&rule=0&points=2"),
        seen_by("editor", "measure/certificates.html", "/certificates"),
        seen_by("steward", "measure/office.html", "/certificates/office"),
        seen_by("editor", "measure/certificate.html", "/certificates/{certificate}"),
        seen_by("steward", "measure/certificate.html", "/certificates/{certificate}"),
        at("measure/certificate_status.html", "/certificate/{certificate}"),
        Sight { status: 404, ..at("measure/certificate_status.html", "/certificate/NONE-2026-00000") },
        at("create/register/list.html", "/registers"),
        at("create/register/show.html", "/register/experts"),
        at("create/register/show.html", "/register/halls"),
        at("create/register/card.html", "/party/{card}"),
        at("measure/talent.html", "/talent"),
        seen_by("steward", "create/registry/list.html", "/registry"),
        seen_by("steward", "create/registry/ways.html", "/registry/new"),
        seen_by("steward", "create/registry/edit.html", "/registry/new?register=halls"),
        seen_by("steward", "create/registry/edit.html", "/registry/{entry}/edit"),
        seen_by("steward", "create/registry/show.html", "/registry/{entry}"),
        seen_by("contributor", "create/registry/show.html", "/account/registry"),
        seen_by("steward", "create/registry/none.html", "/account/registry"),
        seen_by("steward", "create/registry/doubles.html", "/registry/doubles"),
        seen_by("steward", "create/registry/delete.html", "/registry/{entry}/delete"),
        seen_by("system_admin", "create/definitions.html", "/definitions"),
        Sight { status: 409, way: Way::Walk("a form of an earlier session", outdated), ..seen_by("duty_officer", "resume.html", "") },
    ]
}

fn ask_nothing(_: &House, person: &Person) -> anyhow::Result<()> {
    person.open("/ask")?;
    person.fill("county", "没有这个县")?;
    person.send()
}

fn check_doubtful(_: &House, person: &Person) -> anyhow::Result<()> {
    person.open("/check")?;
    person.fill("q", "听说隔夜菜放冰箱也会产生什么致癌的东西，还说微波炉加热更不好，这些话有没有根据")?;
    person.send()
}

fn ask_known(house: &House, person: &Person) -> anyhow::Result<()> {
    person.open("/ask")?;
    person.fill("text", &house.address("{claim_text}")?)?;
    person.send()
}

fn set_up(house: &House, person: &Person) -> anyhow::Result<()> {
    let (url, _) = house.fresh_node()?;
    person.goes_to(&url);
    person.keep_view()?;
    person.open("/setup")
}

fn set_up_done(house: &House, person: &Person) -> anyhow::Result<()> {
    let (url, code) = house.fresh_node()?;
    person.goes_to(&url);
    person.keep_view()?;
    person.open("/setup")?;
    for (field, text) in [("code", code.as_str()), ("steward_login", "guanli"), ("steward_name", "管理示例"), ("steward_password", PASSWORD)] {
        person.fill(field, text)?;
    }
    person.fill("password_again", PASSWORD)?;
    for role in ["system_admin", "security_admin", "audit_admin"] {
        person.fill(&format!("{role}_login"), role)?;
        person.fill(&format!("{role}_name"), role)?;
    }
    person.send()
}

fn invite(_: &House, person: &Person) -> anyhow::Result<()> {
    person.open("/nodes")?;
    person.fill("name", "邻县示例")?;
    person.send()
}

/// The page that keeps what was typed when the form's session is over.
fn outdated(_: &House, person: &Person) -> anyhow::Result<()> {
    person.open("/ask")?;
    person.fill("text", "写了很久的一段话")?;
    person.evaluate::<serde_json::Value>("document.querySelectorAll('[name=_csrf]').forEach(e => e.value = 'old'); null")?;
    person.send()
}

impl Sight {
    /// What stands in a report about it.
    pub fn name(&self) -> String {
        let (Way::Open(place) | Way::Walk(place, _)) = &self.way;
        format!("{} ({place}, {})", self.template, self.seat)
    }

    /// A word for the file of a picture.
    pub fn word(&self) -> String {
        let (Way::Open(place) | Way::Walk(place, _)) = &self.way;
        let word: String = place.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let word = word.trim_matches('-');
        format!("{}{}{word}", self.template.trim_end_matches(".html").replace('/', "-"), if word.is_empty() { "" } else { "--" })
    }

    /// Somebody who may see it, in an own window.
    pub fn person(&self, house: &House, browser: &Browser) -> anyhow::Result<Person> {
        let person = browser.person(&house.url())?;
        if self.seat != "visitor" {
            person.cookie("kepu_session", &house.session(self.seat)?.token)?;
        }
        Ok(person)
    }

    /// Goes there and makes sure that it is the page meant.
    pub fn go(&self, house: &House, person: &Person) -> anyhow::Result<()> {
        match &self.way {
            Way::Open(path) => person.open(&house.address(path)?)?,
            Way::Walk(_, walk) => walk(house, person)?,
        }
        let status = person.status()?;
        ensure!(status == self.status, "{} answered {status}: {}", self.name(), person.words()?.chars().take(400).collect::<String>());
        Ok(())
    }
}

/// Templates below `crates/kepu-web/templates`, in order.
pub fn templates() -> anyhow::Result<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/kepu-web/templates");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "html") {
                found.push(path.strip_prefix(&root)?.display().to_string());
            }
        }
    }
    found.sort();
    Ok(found)
}
