//! The sample data that comes with the program: fictional institutions and people, and texts written for Kepu.

use crate::account::{NewAccount, create, grant_in};
use crate::create::draft::clean;
use crate::create::party;
use crate::create::publish::saying_of;
use crate::error::AppError;
use crate::listen::decision::{self, New, NewAsk};
use crate::listen::duty::{self, RotaForm};
use crate::listen::task;
use crate::measure::certificate::{self, Draw};
use crate::measure::contribution::{self, Answer, Claim};
use crate::{App, record};
use jiff::ToSpan;
use kepu_domain::access::{Actor, Role};
use kepu_domain::create::card::Card;
use kepu_domain::create::draft::Matter;
use kepu_domain::create::lane::Lanes;
use kepu_domain::create::party::{Consent, Party, PartyKind};
use kepu_domain::create::resource::{AiUse, Credit, Resource, Source};
use kepu_domain::create::review::{Method, SignOff};
use kepu_domain::ids::{OrgId, PartyId, SubjectId};
use kepu_domain::listen::claim::{ClaimReview, Verdict};
use kepu_domain::listen::duty::Post;
use kepu_domain::org::{Org, OrgKind, Region};
use kepu_domain::record::Body;
use kepu_store::create::party::Entry;
use kepu_store::meta;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

const ORGANISATIONS: &str = include_str!("../../../data/seed/organisations.jsonl");
const PARTIES: &str = include_str!("../../../data/seed/parties.jsonl");
const DECISIONS: &str = include_str!("../../../data/seed/decisions.json");
const CONTRIBUTIONS: &str = include_str!("../../../data/seed/contributions.jsonl");
const CLAIMS: [&str; 2] = [include_str!("../../../data/seed/claims-1.jsonl"), include_str!("../../../data/seed/claims-2.jsonl")];
const RESOURCES: [&str; 2] = [include_str!("../../../data/seed/resources.jsonl"), include_str!("../../../data/seed/emergency.jsonl")];

#[derive(Deserialize)]
struct SeedOrg {
    id: String,
    name: String,
    name_en: String,
    region: Region,
    kind: OrgKind,
    parent: Option<String>,
}

#[derive(Deserialize)]
struct SeedClaim {
    id: String,
    claim: String,
    variants: Vec<String>,
    verdict: Verdict,
    plain: String,
    why: Vec<String>,
    instead: String,
    evidence: Vec<Source>,
    fields: Vec<String>,
    audience: Vec<String>,
    region: Region,
    author: String,
    reviewers: Vec<String>,
    checked: jiff::civil::Date,
    next_check: jiff::civil::Date,
    #[serde(default)]
    claim_en: String,
    #[serde(default)]
    plain_en: String,
    #[serde(default)]
    chat: String,
}

#[derive(Deserialize)]
struct SeedResource {
    id: String,
    title: String,
    #[serde(default)]
    title_en: String,
    summary: String,
    text: String,
    #[serde(rename = "type")]
    kind: String,
    fields: Vec<String>,
    audience: Vec<String>,
    sources: Vec<Source>,
    licence: String,
    region: Region,
    author: String,
    reviewers: Vec<String>,
    date: jiff::civil::Date,
    expires: jiff::civil::Date,
    #[serde(default)]
    editions: BTreeMap<String, String>,
    #[serde(default)]
    hazard: String,
    #[serde(default)]
    phase: String,
    #[serde(default)]
    details: kepu_domain::create::resource_type::Details,
}

fn lines<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> Result<Vec<T>, AppError> {
    let rows = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    rows.map(|(at, line)| serde_json::from_str(line).map_err(|e| AppError::Record(format!("{name}, line {}: {e}", at + 1)))).collect()
}

/// A sample party as if its owner had confirmed today and, if it is a person, agreed to what its registers and fields ask for.
fn entry(app: &App, party: &Party) -> Entry {
    let definitions = app.definitions();
    let registers = &definitions.registers;
    let mut party = Party { confirmed: Some(app.today()), available: true, ..party.clone() };
    if party.kind == PartyKind::Person {
        if party.registers.is_empty() {
            party.registers.push("experts".into());
        }
        let asked = party.registers.iter().filter_map(|id| registers.registers.get(id)).flat_map(|register| register.consents.clone());
        let mut purposes: Vec<String> = asked.chain(["public_card".to_owned()]).collect();
        purposes.extend(party.values.contains_key("press_contact").then(|| "press".to_owned()));
        purposes.sort_unstable();
        purposes.dedup();
        party.consents = purposes.into_iter().map(|purpose| Consent { purpose, version: 1, given: app.now(), withdrawn: None }).collect();
    }
    Entry { name_fold: kepu_text::fold(&party.name), party, changed_at: app.now().as_millisecond(), version: 1 }
}

/// The cards that follow from the entries, in the order of their ids.
async fn cards(app: &App, tx: &mut kepu_store::Tx, entries: &[Entry]) -> Result<Vec<record::Saying>, AppError> {
    let definitions = app.definitions();
    let mut entries: Vec<&Entry> = entries.iter().collect();
    entries.sort_by(|a, b| a.party.id.cmp(&b.party.id));
    let mut list = Vec::new();
    for entry in entries {
        let org = party::org_name(tx, &entry.party.org).await?;
        if let Ok(card) = Card::of(&entry.party, &definitions.registers, &org, app.today()) {
            list.push(party::saying(app, &entry.party, Body::Party(Box::new(card))));
        }
    }
    Ok(list)
}

struct People {
    parties: HashMap<String, Party>,
    orgs: HashMap<OrgId, String>,
}

impl People {
    fn load() -> Result<(Self, Vec<SeedOrg>), AppError> {
        let orgs: Vec<SeedOrg> = lines("organisations.jsonl", ORGANISATIONS)?;
        let parties: Vec<Party> = lines("parties.jsonl", PARTIES)?;
        let names = orgs.iter().map(|o| (OrgId::from(o.id.as_str()), o.name.clone())).collect();
        Ok((Self { parties: parties.into_iter().map(|p| (p.id.0.clone(), p)).collect(), orgs: names }, orgs))
    }
    fn get(&self, id: &str) -> Result<&Party, AppError> {
        self.parties.get(id).ok_or_else(|| AppError::NotFound { what: "party", id: id.into() })
    }
    fn org_name(&self, party: &Party) -> String {
        self.orgs.get(&party.org).cloned().unwrap_or_default()
    }
    fn credit(&self, id: &str) -> Result<Credit, AppError> {
        let party = self.get(id)?;
        Ok(Credit { party: party.id.0.clone(), name: party.name.clone(), org: self.org_name(party), title: party.title.clone(), qualification: None })
    }
    /// The matter with the qualifications of its author and reviewers, as a node would put them under it.
    fn proved(&self, mut matter: Matter) -> Matter {
        let words = Lanes::standard().of(&matter).map_or(&[][..], |lane| &lane.qualifications);
        let proof = |party: &str, date| self.parties.get(party).and_then(|party| party.proof(matter.fields(), words, date));
        let author = proof(&matter.credit().party, matter.date());
        let names = matter.reviews().iter().map(|name| SignOff { qualification: proof(&name.party, name.date), ..name.clone() }).collect();
        matter.credit_mut().qualification = author;
        matter.set_reviews(names);
        matter
    }
    fn sign_offs(&self, ids: &[String], date: jiff::civil::Date) -> Result<Vec<SignOff>, AppError> {
        ids.iter()
            .map(|id| {
                let party = self.get(id)?;
                Ok(SignOff {
                    party: party.id.0.clone(),
                    name: party.name.clone(),
                    org: self.org_name(party),
                    title: party.title.clone(),
                    fields: party.fields.clone(),
                    conflict: "无利益冲突（示例）".into(),
                    date,
                    method: Method::Individual,
                    comment: String::new(),
                    editions: vec![],
                    qualification: None,
                    checks: vec![],
                })
            })
            .collect()
    }
}

/// All sample texts with their local ids.
fn matters(people: &People) -> Result<Vec<(String, Matter)>, AppError> {
    let mut list = Vec::new();
    for (at, text) in CLAIMS.iter().enumerate() {
        for c in lines::<SeedClaim>(&format!("claims-{}.jsonl", at + 1), text)? {
            let review = ClaimReview {
                claim: c.claim,
                variants: c.variants,
                claim_en: c.claim_en,
                verdict: c.verdict,
                plain: c.plain,
                plain_en: c.plain_en,
                why: c.why,
                instead: c.instead,
                evidence: c.evidence,
                fields: c.fields,
                audience: c.audience,
                region: c.region,
                lang: "zh-Hans".into(),
                author: people.credit(&c.author)?,
                checked: c.checked,
                next_check: Some(c.next_check),
                chat: c.chat,
                media: None,
                holding: None,
                ai_use: AiUse::None,
                corrections: vec![],
                reviews: people.sign_offs(&c.reviewers, c.checked)?,
                same_as: None,
                sample: true,
            };
            list.push((c.id, people.proved(Matter::Claim(Box::new(review)))));
        }
    }
    for (name, text) in ["resources.jsonl", "emergency.jsonl"].iter().zip(RESOURCES) {
        for r in lines::<SeedResource>(name, text)? {
            let resource = Resource {
                title: r.title,
                title_en: r.title_en,
                summary: r.summary,
                text: r.text,
                kind: r.kind,
                fields: r.fields,
                audience: r.audience,
                sources: r.sources,
                licence: r.licence,
                rights: people.org_name(people.get(&r.author)?),
                region: r.region,
                lang: "zh-Hans".into(),
                date: r.date,
                expires: Some(r.expires),
                author: people.credit(&r.author)?,
                ai_use: AiUse::None,
                editions: r.editions,
                hazard: r.hazard,
                phase: r.phase,
                details: r.details,
                based_on: vec![],
                media: vec![],
                corrections: vec![],
                reviews: people.sign_offs(&r.reviewers, r.date)?,
                sample: true,
            };
            list.push((r.id, people.proved(Matter::Resource(Box::new(resource)))));
        }
    }
    Ok(list)
}

/// Publishes the sample texts on an empty node, with their institutions and people. Does nothing the second time.
pub async fn publish(app: &App) -> Result<usize, AppError> {
    let (people, orgs) = People::load()?;
    let mut tx = app.db.write().await?;
    if meta::find(&mut tx, "seeded").await?.is_some() {
        return Ok(0);
    }
    let orgs: Vec<Org> = orgs
        .into_iter()
        .map(|o| Org {
            id: OrgId(o.id),
            name: o.name,
            name_en: o.name_en,
            kind: o.kind,
            parent: Some(o.parent.map_or_else(|| OrgId(o.region.to_string()), OrgId)),
            region: o.region,
            sample: true,
        })
        .collect();
    kepu_store::org::insert_many(&mut tx, &orgs).await?;
    let entries: Vec<Entry> = people.parties.values().map(|party| entry(app, party)).collect();
    kepu_store::create::party::upsert_many(&mut tx, &entries).await?;
    let cards = cards(app, &mut tx, &entries).await?;
    let mut matters = matters(&people)?;
    // Said in the order in which they were written, so that "newest first" means it.
    matters.sort_by_key(|(_, matter)| match matter {
        Matter::Resource(r) => r.date,
        Matter::Claim(c) => c.checked,
    });
    let count = matters.len();
    let sayings = matters.into_iter().map(|(local, matter)| saying_of(&SubjectId::new(&app.key.id().fingerprint(), &local), &clean(matter))).collect();
    record::publish(app, &mut tx, sayings).await?;
    record::publish(app, &mut tx, cards).await?;
    crate::create::round::sample::write(app, &mut tx).await?;
    meta::set(&mut tx, "org", "org-nat").await?;
    meta::set(&mut tx, "seeded", "1").await?;
    tx.commit().await?;
    app.notify();
    Ok(count)
}

#[derive(Deserialize)]
struct SeedDecision {
    meeting: String,
    days_ago: i64,
    level: i64,
    words: String,
    asks: Vec<SeedAsk>,
}

#[derive(Deserialize)]
struct SeedAsk {
    what: String,
    place: Region,
    due_days: i64,
    link: bool,
    #[serde(default)]
    org: OrgId,
    #[serde(default)]
    done: String,
    #[serde(default)]
    blocked: String,
}

/// What two invented meetings decided, and how far some of it is. Once.
pub async fn decisions(app: &App) -> Result<(), AppError> {
    let operator = Actor::Node { name: "operator".into() };
    let mut tx = app.db.write().await?;
    if meta::find(&mut tx, "seeded_decisions").await?.is_some() {
        return Ok(());
    }
    meta::set(&mut tx, "seeded_decisions", "1").await?;
    tx.commit().await?;
    let list: Vec<SeedDecision> = serde_json::from_str(DECISIONS).map_err(|e| AppError::Record(format!("decisions.json: {e}")))?;
    let day = |days: i64| app.today().saturating_add(days.days());
    for one in list {
        let ask = |ask: &SeedAsk| NewAsk { what: ask.what.clone(), places: vec![ask.place], due: Some(day(ask.due_days)), link: ask.link };
        let asks = one.asks.iter().map(ask).collect();
        let new = New { meeting: one.meeting, day: Some(day(-one.days_ago)), words: one.words, level: one.level, org: "org-nat".into(), asks };
        let id = decision::decide(app, &operator, new).await?;
        for (at, ask) in one.asks.into_iter().enumerate() {
            let deed = match (ask.done.is_empty(), ask.blocked.is_empty()) {
                (false, _) => task::Deed::Done(ask.done),
                (_, false) => task::Deed::Block(ask.blocked),
                _ => continue,
            };
            let org = if ask.org.0.is_empty() { "org-nat".into() } else { ask.org };
            let id = decision::take_on(app, &operator, &id, &format!("a{}", at + 1), &org).await?;
            let version = task::get(app, &operator, &id).await?.version;
            task::act(app, &operator, &id, version, deed).await?;
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct SeedLine {
    party: PartyId,
    kind: String,
    title: String,
    host: OrgId,
    days_ago: i64,
    count: i64,
    minutes: i64,
    confirmed: bool,
}

/// A few lines of the ledger, some still waiting, and a certificate drawn from those that were confirmed. Once.
pub async fn ledger(app: &App) -> Result<(), AppError> {
    let operator = Actor::Node { name: "operator".into() };
    let mut tx = app.db.write().await?;
    if meta::find(&mut tx, "seeded_ledger").await?.is_some() {
        return Ok(());
    }
    meta::set(&mut tx, "seeded_ledger", "1").await?;
    tx.commit().await?;
    let day = |ago: i64| app.today().saturating_sub(ago.days());
    for line in lines::<SeedLine>("contributions.jsonl", CONTRIBUTIONS)? {
        let claim = Claim {
            party: Some(line.party),
            kind: line.kind,
            title: line.title,
            host: line.host,
            day: Some(day(line.days_ago)),
            count: line.count,
            minutes: line.minutes,
            deed: String::new(),
        };
        let id = contribution::state(app, &operator, claim).await?;
        if line.confirmed {
            contribution::answer(app, &operator, &[id], Answer::Confirm).await?;
        }
    }
    let draw = Draw { party: Some("p-zhou".into()), from: day(365), until: app.today(), kinds: vec![], lang: "zh-Hans".into() };
    certificate::draw(app, &operator, draw).await?;
    Ok(())
}

/// Sample accounts with the roles of the story: sign-in name, name, role, registry entry.
const ACCOUNTS: [(&str, &str, &[Role], Option<&str>); 8] = [
    ("bianji", "魏示例", &[Role::Editor, Role::Steward, Role::Contributor], Some("p-wei")),
    ("zhiban", "值班示例", &[Role::DutyOfficer], Some("p-zhiban")),
    ("yisheng", "周示例", &[Role::Contributor, Role::Reviewer], Some("p-zhou")),
    ("shending1", "林示例", &[Role::Reviewer], Some("p-lin")),
    ("shending2", "孟示例", &[Role::Reviewer], Some("p-meng")),
    ("xitong", "系统管理示例", &[Role::SystemAdmin], None),
    ("anquan", "安全管理示例", &[Role::SecurityAdmin], None),
    ("shenji", "审计管理示例", &[Role::AuditAdmin], None),
];

/// Sample rosters: those who take cases, and those who know the matter.
const ROTAS: [(Post, &[&str]); 2] = [(Post::Officer, &["p-zhiban", "p-wei"]), (Post::Expert, &["p-shao", "p-ding", "p-he"])];

/// Makes the sample duty rosters, once.
async fn rotas(app: &App) -> Result<(), AppError> {
    let operator = Actor::Node { name: "operator".into() };
    if !duty::overview(app, &operator).await?.rotas.is_empty() {
        return Ok(());
    }
    for (post, people) in ROTAS {
        let people = people.iter().copied().map(PartyId::from).collect();
        // Since a week ago: a node that starts before the hour of the change has somebody on duty too.
        let form = RotaForm { begins: app.today().checked_sub(7.days()).ok(), turn_days: 7, hour: 8, people, ends: None };
        duty::add(app, &operator, &OrgId::from("org-nat"), post, form).await?;
    }
    Ok(())
}

/// Makes the sample accounts with one fresh password each; returns sign-in name, roles and password for the operator's eyes.
pub async fn accounts(app: &App) -> Result<Vec<(String, String, String)>, AppError> {
    let operator = Actor::Node { name: "operator".into() };
    let mut made = Vec::new();
    let mut tx = app.db.write().await?;
    for (login, name, roles, party) in ACCOUNTS {
        if kepu_store::account::find_by_login(&mut tx, &kepu_text::fold(login)).await?.is_some() {
            continue;
        }
        let password = crate::keys::random_word(14);
        let new = NewAccount { login: login.into(), name: name.into(), password: password.clone(), party: party.map(PartyId::from), must_change: false };
        let id = create(app, &mut tx, &operator, new).await?;
        let org = OrgId::from(if roles.iter().any(|r| r.is_admin()) { "000000" } else { "org-nat" });
        for role in roles {
            grant_in(app, &mut tx, &operator, &id, &org, *role).await?;
        }
        let words = roles.iter().map(|r| r.as_str()).collect::<Vec<_>>().join(" ");
        made.push((login.to_owned(), words, password));
    }
    tx.commit().await?;
    rotas(app).await?;
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::draft::check_lengths;
    use kepu_domain::create::check::Weight;
    use kepu_domain::publication::Policy;

    #[test]
    fn every_sample_of_the_registry_fits_its_definition_and_every_register_shows_two() {
        let registers = kepu_domain::create::register::Registers::standard();
        let list: Vec<Party> = lines("parties.jsonl", PARTIES).expect("parties");
        let today = jiff::civil::date(2026, 11, 24);
        for party in &list {
            // Who has verified a qualification is no field of a form.
            let told = |field: &&&kepu_domain::field::FieldDef| field.id != "qualifications";
            for field in registers.fields_of(party).iter().filter(told) {
                field.check(&party.value(&field.id), crate::org::FACTS).unwrap_or_else(|fault| panic!("{}: {fault}", party.id));
            }
            let known = |id: &String| registers.fields_of(party).iter().any(|field| field.id == *id);
            assert!(party.values.keys().all(known), "{}: {:?}", party.id, party.values.keys());
        }
        for register in registers.registers.values() {
            let held = list.iter().filter(|p| register.holds(p, today) || (register.id == "experts" && p.kind == PartyKind::Person)).count();
            assert!(held >= 2, "{} holds {held}", register.id);
        }
    }

    #[test]
    fn every_sample_passes_the_publication_gate() {
        let (people, _) = People::load().expect("people");
        let today = jiff::civil::date(2026, 11, 24);
        let policy = Policy::default();
        let list = matters(&people).expect("matters");
        assert!(list.iter().filter(|(_, m)| m.kind() == "claim").count() >= 120);
        assert!(list.iter().filter(|(_, m)| m.kind() == "resource").count() >= 72);
        for (id, matter) in list {
            let matter = clean(matter);
            check_lengths(&matter).unwrap_or_else(|e| panic!("{id}: {e}"));
            let blocks: Vec<_> = matter.check(Lanes::standard(), today).into_iter().filter(|f| f.weight == Weight::Block).collect();
            assert_eq!(blocks, vec![], "{id}");
            assert!(policy.admits(&matter, &[]), "{id} lacks reviews: {:?}", policy.bar(&matter));
        }
    }
}
