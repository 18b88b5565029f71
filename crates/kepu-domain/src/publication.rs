//! What is public: a pure function of the records held. The latest version with enough valid reviews of exactly that
//! version and no retraction. Trust is in `trust`; the tables that hold the outcome are in `kepu-store::subject`.

use crate::create::draft::Matter;
use crate::create::lane::Lanes;
use crate::create::review::{Decision, Method, PeerReview, Proof, SignOff};
use crate::record::{CorrectionNotice, DocHash, Hold, Place, Retraction, Stream, is_personal};
use crate::trust::{KeyRole, TrustView};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One line of the review policy: what a lane asks, as far as peers can see it in the record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// `resource`, `emergency` (a resource of that type), `claim`, `holding`; `edition`: a version that changes nothing but editions.
    pub matter: String,
    /// The lane it comes from; empty in policies signed before there were lanes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub lane: String,
    /// Only for resources of these types; empty = any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// Only for these safety grades; empty = any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grades: Vec<String>,
    /// Only for matters in one of these fields; empty = any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// Not for matters in one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_fields: Vec<String>,
    /// Reviewers needed.
    pub reviews: usize,
    /// Whether a sign-off for a whole batch counts.
    #[serde(default)]
    pub batch: bool,
    /// How many of the reviewers need a qualification, verified and in force when they signed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub qualified: usize,
    /// Whether the author needs one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub author: bool,
    /// Words of which the name of the qualification has one; empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub qualifications: Vec<String>,
    /// Whether it needs a clearance that was in force on its date.
    #[serde(default, skip_serializing_if = "is_false")]
    pub clearance: bool,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}
fn is_false(b: &bool) -> bool {
    !*b
}

impl Rule {
    fn is_for(&self, matter: &Matter) -> bool {
        let any = |list: &[String], word: &str| list.is_empty() || list.iter().any(|one| one == word);
        let (kind, grade) = match matter {
            Matter::Resource(r) => (r.kind.as_str(), r.details.get("safety").and_then(serde_json::Value::as_str).unwrap_or_default()),
            Matter::Claim(_) => ("", ""),
        };
        let fits = match (self.matter.as_str(), matter) {
            ("resource", Matter::Resource(_)) => true,
            ("emergency", Matter::Resource(r)) => r.kind == "emergency",
            ("holding", Matter::Claim(c)) => c.is_holding(),
            ("claim", Matter::Claim(c)) => !c.is_holding(),
            _ => false,
        };
        fits && any(&self.types, kind)
            && any(&self.grades, grade)
            && (self.fields.is_empty() || matter.fields().iter().any(|f| self.fields.contains(f)))
            && !matter.fields().iter().any(|f| self.not_fields.contains(f))
    }

    /// Whether a qualification lets somebody answer for a matter of `fields` on `day`: of a kind that counts, in one of the fields that put the
    /// matter into this lane, in force.
    pub fn proves(&self, proof: &Proof, fields: &[String], day: Date) -> bool {
        let asked = |field: &String| fields.contains(field) && (self.fields.is_empty() || self.fields.contains(field));
        proof.until.is_none_or(|until| day <= until)
            && proof.fields.iter().any(asked)
            && (self.qualifications.is_empty() || self.qualifications.iter().any(|word| proof.what.contains(word.as_str())))
    }
}

/// Who may review what, and how many it takes. The first matching rule counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Rules in order.
    pub rules: Vec<Rule>,
}

impl Default for Policy {
    fn default() -> Self {
        Lanes::standard().policy().clone()
    }
}

/// What keeps a matter from being public however many reviewed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// Its author shows no qualification that the lane takes.
    Author,
    /// It shows no clearance that was in force on its date.
    Clearance,
}

impl Policy {
    /// The rule of a matter.
    pub fn rule(&self, matter: &Matter) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.is_for(matter))
    }

    /// How many reviewers a version needs that changes nothing but editions (the small review).
    pub fn needed_for_editions(&self) -> usize {
        self.rules.iter().find(|rule| rule.matter == "edition").map_or(2, |rule| rule.reviews)
    }

    /// How many reviewers `matter` needs. What no rule names needs two.
    pub fn needed(&self, matter: &Matter) -> usize {
        self.rule(matter).map_or(2, |rule| rule.reviews)
    }

    /// What keeps `matter` from being public, as its own record shows it.
    pub fn bar(&self, matter: &Matter) -> Option<Bar> {
        let rule = self.rule(matter)?;
        let date = matter.date();
        let author = matter.credit().qualification.as_ref();
        if rule.author && !author.is_some_and(|proof| rule.proves(proof, matter.fields(), date)) {
            return Some(Bar::Author);
        }
        let cleared = |r: &crate::create::resource::Resource| {
            let told = |id: &str| r.details.get(id).and_then(serde_json::Value::as_str).unwrap_or_default().trim();
            ["clearance_number", "cleared_by", "cleared_scope"].iter().all(|id| !told(id).is_empty())
                && told("cleared_until").parse::<Date>().is_ok_and(|until| until >= date)
        };
        let open = matches!(matter, Matter::Resource(r) if cleared(r));
        (rule.clearance && !open).then_some(Bar::Clearance)
    }

    /// How many different competent people other than the author put their names under the whole of `matter`; `others` are reviews
    /// by other institutions of exactly this version. Places that the rule keeps for qualified people stay empty until such come.
    pub fn valid_reviews(&self, matter: &Matter, others: &[(String, SignOff)]) -> usize {
        let rule = self.rule(matter);
        let batch = rule.is_some_and(|rule| rule.batch);
        let author = matter.author();
        let counts = |s: &SignOff| {
            (s.method == Method::Individual || batch)
                && s.editions.is_empty()
                && author.as_ref().is_none_or(|a| a.0 != s.party)
                && s.fields.iter().any(|field| matter.fields().contains(field))
                && !s.conflict.trim().is_empty()
        };
        let proves = |s: &SignOff| rule.is_some_and(|rule| s.qualification.as_ref().is_some_and(|proof| rule.proves(proof, matter.fields(), s.date)));
        let own = matter.reviews().iter().filter(|s| counts(s)).map(|s| ((String::new(), s.party.clone()), proves(s)));
        let foreign = others.iter().filter(|(_, s)| counts(s)).map(|(key, s)| ((key.clone(), s.party.clone()), proves(s)));
        let mut people: BTreeMap<(String, String), bool> = BTreeMap::new();
        for (person, proved) in own.chain(foreign) {
            *people.entry(person).or_default() |= proved;
        }
        let (needed, kept) = rule.map_or((2, 0), |rule| (rule.reviews, rule.qualified));
        let qualified = people.values().filter(|proved| **proved).count();
        let free = needed.saturating_sub(kept);
        if qualified >= kept { people.len() } else { qualified + (people.len() - qualified).min(free) }
    }

    /// Whether `matter`, with the names under it and `others`, may be public.
    pub fn admits(&self, matter: &Matter, others: &[(String, SignOff)]) -> bool {
        self.bar(matter).is_none() && self.valid_reviews(matter, others) >= self.needed(matter)
    }
}

/// A version of a subject that passed `TrustView::check`.
#[derive(Clone, Debug)]
pub struct Version<'a> {
    /// Where it stands.
    pub place: &'a Place,
    /// Its id.
    pub doc: DocHash,
    /// Informative time.
    pub modified: Timestamp,
    /// What has to be reviewed; none: a card, which its owner's consent and confirmation make public.
    pub matter: Option<&'a Matter>,
}

/// A document about a subject, with its place.
#[derive(Clone, Debug)]
pub struct Placed<T> {
    /// Where it stands.
    pub place: Place,
    /// Informative time.
    pub modified: Timestamp,
    /// What it says.
    pub doc: T,
}

/// All that is held about one subject; every part passed `TrustView::check`.
#[derive(Clone, Debug, Default)]
pub struct Dossier<'a> {
    /// Versions.
    pub versions: Vec<Version<'a>>,
    /// Reviews by other institutions.
    pub reviews: Vec<Placed<PeerReview>>,
    /// Withdrawals.
    pub retractions: Vec<Placed<Retraction>>,
    /// Correction notices.
    pub notices: Vec<Placed<CorrectionNotice>>,
    /// What was held, and let go again.
    pub holds: Vec<Placed<Hold>>,
}

/// How a subject stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Public, in this version.
    Public {
        /// The version.
        doc: DocHash,
        /// A correction notice whose new version has not arrived (or lacks reviews) yet.
        notice: Option<String>,
    },
    /// Out of sight while it is looked at again; readers see a page that says so.
    Held {
        /// The version that would be public.
        doc: DocHash,
        /// Why, who decided, and when the next word is promised.
        hold: Hold,
        /// Informative time.
        at: Timestamp,
    },
    /// Withdrawn; readers see a page that says so.
    Withdrawn {
        /// The last version that was withdrawn, for its title; none if only the withdrawal arrived.
        doc: Option<DocHash>,
        /// Why.
        reason: String,
        /// Who decided.
        by: String,
        /// Informative time.
        at: Timestamp,
    },
    /// Held, but not (yet) fit to be shown.
    Hidden,
}

/// Decides how a subject stands. The same set of documents gives the same answer in any order.
pub fn standing(dossier: &Dossier<'_>, trust: &TrustView) -> Standing {
    let order = |v: &Version<'_>| (trust.grant(&v.place.key).map_or(0, |g| g.rank), v.place.n);
    let retracted = |v: &Version<'_>| dossier.retractions.iter().any(|r| covers(&r.doc, v.place, trust));
    let best = dossier.versions.iter().filter(|v| !retracted(v) && enough_reviews(v, dossier, trust)).max_by_key(|v| order(v));
    if let Some(version) = best {
        if let Some(hold) = held(&dossier.holds, trust) {
            return Standing::Held { doc: version.doc, hold: hold.doc.clone(), at: hold.modified };
        }
        let notice = dossier
            .notices
            .iter()
            .filter(|notice| notice.doc.replaces == version.doc)
            .max_by_key(|notice| (trust.grant(&notice.place.key).map_or(0, |g| g.rank), notice.place.n))
            .map(|notice| notice.doc.text.clone());
        return Standing::Public { doc: version.doc, notice };
    }
    let last = dossier.retractions.iter().max_by_key(|r| (r.doc.through, &r.place.key, r.place.n));
    match last {
        Some(retraction) => Standing::Withdrawn {
            doc: dossier.versions.iter().filter(|v| retracted(v)).max_by_key(|v| order(v)).map(|v| v.doc),
            reason: retraction.doc.reason.clone(),
            by: retraction.doc.by.clone(),
            at: retraction.modified,
        },
        None => Standing::Hidden,
    }
}

/// The hold that stands: of each institution its latest word counts, of several that hold the one nearest to the root speaks.
pub fn held<'a>(holds: &'a [Placed<Hold>], trust: &TrustView) -> Option<&'a Placed<Hold>> {
    let line = |hold: &Placed<Hold>| trust.grant(&hold.place.key).map(|grant| (grant.lineage.clone(), grant.rank, grant.depth));
    let latest = |hold: &&Placed<Hold>| {
        let mine = line(hold);
        !holds.iter().any(|other| {
            let (Some((one, rank, _)), Some((two, later, _))) = (&mine, &line(other)) else { return false };
            one == two && (later, other.place.n) > (rank, hold.place.n)
        })
    };
    let standing = holds.iter().filter(|hold| hold.doc.on).filter(latest);
    standing.min_by_key(|hold| (line(hold).map_or(usize::MAX, |(_, _, depth)| depth), &hold.place.key, hold.place.n))
}

/// The places among `records` (with their kinds) whose bodies a withdrawal takes away: records about one person that it covers.
/// The same set gives the same answer in any order.
pub fn to_erase<'a>(records: impl Iterator<Item = (&'a Place, &'a str)>, retractions: &[Placed<Retraction>], trust: &TrustView) -> Vec<Place> {
    let gone = |place: &Place| place.stream == Stream::Lib && retractions.iter().any(|r| covers(&r.doc, place, trust));
    records.filter(|(place, kind)| is_personal(kind) && gone(place)).map(|(place, _)| place.clone()).collect()
}

/// Whether a withdrawal covers the version at `place`: same key up to its number, or an earlier key of the same line.
pub fn covers(retraction: &Retraction, place: &Place, trust: &TrustView) -> bool {
    if place.key == retraction.key {
        return place.n <= retraction.through;
    }
    match (trust.grant(&place.key), trust.grant(&retraction.key)) {
        (Some(version), Some(target)) => version.lineage == target.lineage && version.rank < target.rank,
        _ => false,
    }
}

fn enough_reviews(version: &Version<'_>, dossier: &Dossier<'_>, trust: &TrustView) -> bool {
    let Some(matter) = version.matter else { return true };
    let policy = &trust.policy;
    let reviewer_key = trust.grant(&version.place.key).is_some_and(|g| g.roles.contains(&KeyRole::Reviewer));
    let others: Vec<(String, SignOff)> = dossier
        .reviews
        .iter()
        .filter(|r| r.doc.of == version.doc && r.doc.decision == Decision::Approve && r.place.key != version.place.key)
        .map(|r| (r.place.key.0.clone(), r.doc.sign_off.clone()))
        .collect();
    if reviewer_key {
        return policy.admits(matter, &others);
    }
    // The names under the version count only if its key may speak for reviewers; reviews by others count on their own.
    let mut bare = matter.clone();
    bare.set_reviews(vec![]);
    policy.admits(&bare, &others)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::resource::Resource;
    use crate::create::resource::tests::{proof, resource};
    use crate::ids::KeyId;

    fn sign_off(party: &str, fields: &[&str], method: Method) -> SignOff {
        SignOff {
            party: party.into(),
            name: party.into(),
            org: String::new(),
            title: String::new(),
            fields: fields.iter().map(|f| (*f).to_owned()).collect(),
            conflict: "无".into(),
            date: jiff::civil::date(2026, 1, 1),
            method,
            comment: String::new(),
            editions: vec![],
            qualification: fields.contains(&"health").then(|| proof("health")),
            checks: vec![],
        }
    }
    fn matter(reviews: Vec<SignOff>) -> Matter {
        Matter::Resource(Box::new(Resource { reviews, ..resource() }))
    }
    fn place(n: i64) -> Place {
        Place { key: KeyId::from("did:key:root"), stream: Stream::Lib, n }
    }
    fn version<'a>(place: &'a Place, matter: &'a Matter) -> Version<'a> {
        Version { place, doc: DocHash([place.n as u8; 32]), modified: Timestamp::UNIX_EPOCH, matter: Some(matter) }
    }
    fn retraction(through: i64) -> Placed<Retraction> {
        Placed {
            place: Place { stream: Stream::Alert, ..place(1) },
            modified: Timestamp::UNIX_EPOCH,
            doc: Retraction { key: KeyId::from("did:key:root"), through, reason: "旧".into(), by: "中心".into() },
        }
    }

    #[test]
    fn only_competent_other_people_count_once() {
        let policy = Policy::default();
        let good = sign_off("a", &["health"], Method::Individual);
        assert_eq!(policy.needed(&matter(vec![])), 2, "health is the strict lane");
        assert_eq!(policy.valid_reviews(&matter(vec![good.clone(), good.clone()]), &[]), 1);
        assert_eq!(policy.valid_reviews(&matter(vec![sign_off("a", &["physics"], Method::Individual)]), &[]), 0);
        assert_eq!(policy.valid_reviews(&matter(vec![sign_off("a", &["health"], Method::Batch)]), &[]), 0);
        assert_eq!(policy.valid_reviews(&matter(vec![good.clone()]), &[("did:key:other".into(), good)]), 2);
    }

    #[test]
    fn a_hold_hides_every_version_until_the_same_institution_lets_go_and_a_retraction_outlives_it() {
        let root = KeyId::from("did:key:root");
        let trust = TrustView::build(&root, &[], &[]);
        let hold = |n: i64, on: bool| Placed {
            place: Place { stream: Stream::Alert, ..place(n) },
            modified: Timestamp::UNIX_EPOCH,
            doc: Hold { on, reason: "有人指出剂量有误".into(), by: "编辑部".into(), next: jiff::civil::date(2026, 1, 2) },
        };
        let two = vec![sign_off("a", &["health"], Method::Individual), sign_off("b", &["health"], Method::Individual)];
        let (p1, p2, m) = (place(1), place(2), matter(two));
        let mut dossier = Dossier { versions: vec![version(&p1, &m)], holds: vec![hold(5, true)], ..Dossier::default() };
        assert!(matches!(standing(&dossier, &trust), Standing::Held { doc, .. } if doc == DocHash([1; 32])));
        dossier.versions.push(version(&p2, &m));
        assert!(matches!(standing(&dossier, &trust), Standing::Held { doc, .. } if doc == DocHash([2; 32])), "a new version does not slip out");
        // Whatever order they arrive in: the later word counts.
        dossier.holds.insert(0, hold(6, false));
        assert!(matches!(standing(&dossier, &trust), Standing::Public { .. }));
        dossier.holds.push(hold(7, true));
        dossier.retractions.push(retraction(2));
        assert!(matches!(standing(&dossier, &trust), Standing::Withdrawn { .. }));
    }

    #[test]
    fn places_kept_for_qualified_people_stay_empty_until_such_come() {
        let policy = Policy::default();
        let bare = |party: &str| SignOff { qualification: None, ..sign_off(party, &["health"], Method::Individual) };
        let count = |list: Vec<SignOff>| policy.valid_reviews(&matter(list), &[]);
        assert_eq!(count(vec![bare("a"), bare("b"), bare("c")]), 1);
        assert_eq!(count(vec![bare("a"), sign_off("b", &["health"], Method::Individual)]), 2);
        let ended = |until| {
            let mut name = sign_off("b", &["health"], Method::Individual);
            name.qualification.as_mut().expect("proof").until = Some(until);
            name
        };
        assert_eq!(count(vec![bare("a"), ended(jiff::civil::date(2025, 12, 31))]), 1, "it had ended when they signed");
        assert_eq!(count(vec![bare("a"), ended(jiff::civil::date(2026, 1, 1))]), 2);
        let mut other = sign_off("b", &["health"], Method::Individual);
        other.qualification.as_mut().expect("proof").fields = vec!["physics".into()];
        assert_eq!(count(vec![bare("a"), other]), 1, "a qualification of another field");
    }

    #[test]
    fn a_medical_text_of_an_unqualified_author_is_hidden_at_every_node_that_holds_it() {
        let root = KeyId::from("did:key:root");
        let trust = TrustView::build(&root, &[], &[]);
        let two = || vec![sign_off("a", &["health"], Method::Individual), sign_off("b", &["health"], Method::Individual)];
        let place = place(1);
        let hidden = |change: fn(&mut Resource)| {
            let mut r = Resource { reviews: two(), ..resource() };
            change(&mut r);
            let matter = Matter::Resource(Box::new(r));
            standing(&Dossier { versions: vec![version(&place, &matter)], ..Dossier::default() }, &trust) == Standing::Hidden
        };
        assert!(!hidden(|_| ()));
        assert!(hidden(|r| r.author.qualification = None));
        assert!(hidden(|r| r.author.qualification.as_mut().expect("proof").until = Some(jiff::civil::date(2026, 4, 30))));
        assert!(hidden(|r| r.author.qualification.as_mut().expect("proof").what = "驾驶证".into()));
        assert!(hidden(|r| r.reviews.iter_mut().for_each(|name| name.qualification = None)));
        assert!(hidden(|r| r.reviews.truncate(1)));
        assert!(hidden(|r| r.kind = "defence".into()), "without a clearance");
    }

    #[test]
    fn a_policy_signed_before_there_were_lanes_still_counts() {
        let old = r#"{"rules": [{"matter": "holding", "reviews": 0}, {"matter": "emergency", "reviews": 2},
            {"matter": "resource", "fields": ["health"], "reviews": 2}, {"matter": "resource", "reviews": 1, "batch": true}]}"#;
        let policy: Policy = serde_json::from_str(old).expect("policy");
        let mut r = Resource { reviews: vec![sign_off("a", &["health"], Method::Individual), sign_off("b", &["health"], Method::Individual)], ..resource() };
        r.author.qualification = None;
        r.reviews.iter_mut().for_each(|name| name.qualification = None);
        assert!(policy.admits(&Matter::Resource(Box::new(r)), &[]));
        assert_eq!(
            serde_json::to_value(&policy).expect("json"),
            serde_json::from_str::<serde_json::Value>(old)
                .map(|mut v| {
                    for rule in v["rules"].as_array_mut().expect("rules") {
                        rule.as_object_mut().expect("rule").entry("batch").or_insert(false.into());
                    }
                    v
                })
                .expect("json")
        );
    }

    #[test]
    fn only_withdrawn_records_about_a_person_lose_their_bodies() {
        let root = KeyId::from("did:key:root");
        let trust = TrustView::build(&root, &[], &[]);
        let places = [place(1), place(2), place(3), Place { stream: Stream::Trust, ..place(1) }];
        let kinds = ["party", "resource", "party", "party"];
        let erase = |retractions: &[Placed<Retraction>]| to_erase(places.iter().zip(kinds), retractions, &trust);
        assert_eq!(erase(&[]), []);
        assert_eq!(erase(&[retraction(2)]), [place(1)]);
        assert_eq!(erase(&[retraction(1), retraction(3)]), [place(1), place(3)]);
    }

    #[test]
    fn the_latest_reviewed_version_is_public_and_a_retraction_dominates() {
        let root = KeyId::from("did:key:root");
        let trust = TrustView::build(&root, &[], &[]);
        let two = || vec![sign_off("a", &["health"], Method::Individual), sign_off("b", &["health"], Method::Individual)];
        let (p1, p2, p3) = (place(1), place(2), place(3));
        let (m1, m2, m3) = (matter(two()), matter(vec![]), matter(two()));
        let mut dossier = Dossier { versions: vec![version(&p2, &m2), version(&p1, &m1)], ..Dossier::default() };
        assert_eq!(standing(&dossier, &trust), Standing::Public { doc: DocHash([1; 32]), notice: None });
        dossier.retractions.push(retraction(2));
        assert!(matches!(standing(&dossier, &trust), Standing::Withdrawn { doc: Some(doc), .. } if doc == DocHash([2; 32])));
        dossier.versions.push(version(&p3, &m3));
        assert_eq!(standing(&dossier, &trust), Standing::Public { doc: DocHash([3; 32]), notice: None });
        assert_eq!(standing(&Dossier::default(), &trust), Standing::Hidden);
    }
}
