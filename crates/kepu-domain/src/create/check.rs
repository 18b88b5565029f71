//! Machine checks: what is missing or doubtful in a text before people look at it. Which of them apply, and how much each weighs, is in
//! `lane`; what needs the node's own tables (what was judged before) is in `kepu-app::create::draft::limits`.

use crate::create::draft::Matter;
use crate::create::lane::{AuthorRule, Lanes, Words};
use crate::create::resource::{AiUse, Source};
use crate::create::sentence::around;
use crate::create::{resource_type, review};
use crate::vocabulary;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub use crate::create::lane::Weight;

/// One result of the machine checks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Field of the form it is about.
    pub field: String,
    /// Rule, a short word; its sentence in both languages is `check.<rule>` in the catalogues, its cure `cure.<rule>`.
    pub rule: String,
    /// The words found, if any.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub found: String,
    /// Weight.
    pub weight: Weight,
    /// The sentence in which it was found, if it is about one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sentence: String,
    /// The public subject that it leads to, if any.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub link: String,
    /// Whether the writer may say why it is right all the same.
    #[serde(default)]
    pub excuse: bool,
    /// What the writer said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl Finding {
    /// A finding that stops publication.
    pub fn block(field: &str, rule: &str) -> Self {
        Self { field: field.into(), rule: rule.into(), weight: Weight::Block, ..Self::default() }
    }
    /// A finding that is shown to author and reviewer.
    pub fn hint(field: &str, rule: &str, found: &str) -> Self {
        Self { field: field.into(), rule: rule.into(), found: found.into(), ..Self::default() }
    }
    /// By what a reason for it is kept: a reason holds for these words only.
    pub fn key(&self) -> String {
        format!("{}|{}", self.rule, self.found)
    }
    /// Whether it is for a writer to mend in a draft, when the text came by a file: all that is not plainly missing or wrong.
    pub fn is_for_writers(&self) -> bool {
        const RULES: [&str; 14] = [
            "author_unqualified",
            "see_doctor",
            "exclusions",
            "no_guideline",
            "guideline_old",
            "contact",
            "product",
            "hype",
            "recheck_late",
            "no_expiry",
            "ai_undeclared",
            "contradicts",
            "judged_otherwise",
            "no_checklist",
        ];
        RULES.contains(&self.rule.as_str())
    }
}

/// What a writer says about a finding that may be excused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excuse {
    /// [`Finding::key`].
    pub key: String,
    /// Why it is right all the same.
    pub reason: String,
}

/// Lets what was excused through, with the reason beside it for reviewers.
pub fn excused(mut findings: Vec<Finding>, excuses: &[Excuse]) -> Vec<Finding> {
    for finding in findings.iter_mut().filter(|finding| finding.excuse) {
        if let Some(excuse) = excuses.iter().find(|excuse| excuse.key == finding.key()) {
            finding.weight = Weight::Hint;
            finding.reason.clone_from(&excuse.reason);
        }
    }
    findings
}

/// What is missing or wrong in `matter`, and what a reviewer should look at.
pub fn check(lanes: &Lanes, matter: &Matter, today: Date) -> Vec<Finding> {
    let look = Look { lanes, matter, today };
    let mut found = match matter {
        Matter::Resource(r) => r.facts(today),
        Matter::Claim(c) => c.facts(today),
    };
    found.extend(look.author());
    found.extend(look.recheck());
    if let Matter::Resource(r) = matter {
        found.extend(resource_type::check(&r.kind, &r.details));
        found.extend(look.editions(&r.text, &r.editions));
        found.extend(look.parts(&r.text));
        found.extend(look.clearance());
    }
    found.extend(look.guidelines());
    found.extend(look.texts().into_iter().flat_map(|(field, text)| look.wording(field, text)));
    found.extend(look.machine());
    found
}

/// Whether what asks for a clearance has one that is in force on `today`; the field that is missing or over, if not.
pub fn cleared(lanes: &Lanes, matter: &Matter, today: Date) -> Result<(), &'static str> {
    if !lanes.all_of(matter).any(|lane| lane.clearance) {
        return Ok(());
    }
    let Matter::Resource(r) = matter else { return Ok(()) };
    let told = |id: &str| r.details.get(id).and_then(serde_json::Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    for id in ["clearance_number", "cleared_by", "cleared_scope"] {
        told(id).ok_or(match id {
            "clearance_number" => "clearance_number",
            "cleared_by" => "cleared_by",
            _ => "cleared_scope",
        })?;
    }
    match told("cleared_until").and_then(|day| day.parse::<Date>().ok()) {
        Some(until) if until >= today => Ok(()),
        _ => Err("cleared_until"),
    }
}

struct Look<'a> {
    lanes: &'a Lanes,
    matter: &'a Matter,
    today: Date,
}

impl Look<'_> {
    /// A finding as the lanes of the matter weigh it; none if none asks for it.
    fn say(&self, field: &str, rule: &str, found: &str, text: &str) -> Option<Finding> {
        let (weight, excuse) = self.lanes.check(self.matter, rule)?;
        let sentence = around(text, found).filter(|_| !found.is_empty()).unwrap_or_default();
        Some(Finding { field: field.into(), rule: rule.into(), found: found.into(), weight, excuse, sentence: sentence.into(), ..Finding::default() })
    }

    fn words(&self) -> &Words {
        &self.lanes.words
    }

    /// Every text with its field.
    fn texts(&self) -> Vec<(&'static str, &str)> {
        match self.matter {
            Matter::Resource(r) => vec![("text", r.text.as_str()), ("summary", &r.summary), ("title", &r.title)],
            Matter::Claim(c) => c.why.iter().chain([&c.plain, &c.instead, &c.chat]).map(|text| ("why", text.as_str())).collect(),
        }
    }

    fn wording(&self, field: &str, text: &str) -> Vec<Finding> {
        let words = self.words();
        let first = |list: &[String]| list.iter().find(|word| text.contains(word.as_str())).cloned();
        let mut found: Vec<Finding> =
            words.absolute.iter().filter(|word| text.contains(word.as_str())).filter_map(|word| self.say(field, "absolute", word, text)).collect();
        let contact = first(&words.contact).or_else(|| number_to_call(text));
        if let Some(word) = first(&words.advert) {
            let advert = self.say(field, "advert", &word, text);
            // Advertising begins where somebody can be reached; the word alone may be what the text warns of.
            found.extend(advert.map(|advert| if contact.is_some() { advert } else { Finding { weight: Weight::Hint, ..advert } }));
        }
        found.extend(contact.as_deref().and_then(|word| self.say(field, "contact", word, text)));
        found.extend(first(&words.product).and_then(|word| self.say(field, "product", &word, text)));
        found.extend(first(&words.secret).and_then(|word| self.say(field, "secret", &word, text)));
        found.extend(first(&words.hype).and_then(|word| self.say(field, "hype", &word, text)));
        // A number to call has no unit.
        if let Some(figure) = figure_without_unit(text, &words.units).filter(|figure| contact.as_ref() != Some(figure)) {
            found.extend(self.say(field, "unit", &figure, text));
        }
        found
    }

    /// What a machine left in a text that says that no machine took part.
    fn machine(&self) -> Option<Finding> {
        let ai = match self.matter {
            Matter::Resource(r) => r.ai_use,
            Matter::Claim(c) => c.ai_use,
        };
        let left = |text: &str| self.words().ai.iter().find(|word| text.contains(word.as_str())).cloned();
        let (_, word, text) = self.texts().into_iter().find_map(|(field, text)| left(text).map(|word| (field, word, text)))?;
        if ai == AiUse::None { self.say("ai_use", "ai_undeclared", &word, text) } else { None }
    }

    /// Parts that a lane asks for.
    fn parts(&self, text: &str) -> Vec<Finding> {
        let lacks = |list: &[String]| !list.iter().any(|word| text.contains(word.as_str()));
        let mut found = Vec::new();
        // Parts are those of the lane that decides: a card for an emergency has its own.
        let asks = |rule: &str| self.lanes.of(self.matter).is_some_and(|lane| lane.checks.iter().any(|check| check.rule == rule));
        if asks("see_doctor") && lacks(&self.words().see_doctor) {
            found.extend(self.say("text", "see_doctor", "", text));
        }
        if asks("exclusions") && lacks(&self.words().exclusions) {
            found.extend(self.say("text", "exclusions", "", text));
        }
        found
    }

    fn clearance(&self) -> Option<Finding> {
        let missing = cleared(self.lanes, self.matter, self.today).err()?;
        Some(Finding { found: missing.into(), ..Finding::block("details", "uncleared") })
    }

    fn author(&self) -> Option<Finding> {
        let lane = self.lanes.of(self.matter).filter(|lane| lane.author == AuthorRule::Qualified)?;
        let rule = self.lanes.policy().rules.iter().find(|rule| rule.lane == lane.id)?;
        let author = self.matter.credit();
        let proved = author.qualification.as_ref().is_some_and(|proof| rule.proves(proof, self.matter.fields(), self.today));
        (!proved).then(|| Finding { found: author.name.clone(), ..Finding::block("author", "author_unqualified") })
    }

    /// A text that must be looked at again within so many months says when.
    fn recheck(&self) -> Option<Finding> {
        let (field, date, day) = match self.matter {
            Matter::Resource(r) => ("expires", r.date, r.expires),
            Matter::Claim(c) => ("next_check", c.checked, c.next_check),
        };
        self.lanes.check(self.matter, "recheck_late")?;
        let Some(day) = day else { return (field == "expires").then(|| Finding::block(field, "no_expiry")) };
        let by = self.lanes.all_of(self.matter).filter_map(|lane| lane.recheck_by(date)).min()?;
        if day > by { self.say(field, "recheck_late", &by.to_string(), "") } else { None }
    }

    fn guidelines(&self) -> Vec<Finding> {
        let field = if matches!(self.matter, Matter::Resource(_)) { "sources" } else { "evidence" };
        let sources = self.matter.sources();
        let mut found = Vec::new();
        let good = |source: &&Source| matches!(source.kind.as_str(), "guideline" | "review" | "official" | "textbook") && year(&source.date).is_some();
        // An answer to a claim may rest on studies alone; what people are told to do may not.
        if field == "sources" && !sources.is_empty() && !sources.iter().any(|source| good(&source)) {
            found.extend(self.say(field, "no_guideline", "", ""));
        }
        for (title, newest) in outdated(self.lanes, sources) {
            found.extend(self.say(field, "guideline_old", &format!("{title} → {newest}"), ""));
        }
        found
    }

    /// Editions: length where the place limits it, wording, and figures that the text itself does not say.
    fn editions(&self, text: &str, editions: &BTreeMap<String, String>) -> Vec<Finding> {
        let known: BTreeSet<&str> = figures(text).collect();
        let mut found = Vec::new();
        for (name, edition) in editions {
            let chars = edition.chars().filter(|c| !c.is_whitespace()).count();
            if let Some((_, max)) = EDITION_MAX.iter().find(|(limited, max)| limited == name && chars > *max) {
                let over = format!("{chars} / {max}");
                found.push(if name == "chalk" {
                    Finding { found: over, ..Finding::block("editions", "edition_long") }
                } else {
                    Finding::hint("editions", "edition_long", &over)
                });
            }
            if let Some(figure) = figures(edition).find(|figure| figure.len() > 1 && !known.contains(figure)) {
                found.push(Finding::hint("editions", "edition_figure", figure));
            }
            found.extend(self.wording("editions", edition));
        }
        if let Matter::Resource(r) = self.matter {
            found.extend(self.wording("details", &resource_type::words(&r.details)));
        }
        found
    }
}

/// Sources that name an edition of a guideline that was replaced, with the one in force; one that names the newer one too is right to name both.
pub fn outdated(lanes: &Lanes, sources: &[Source]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for guideline in &lanes.guidelines {
        let named = |source: &&Source| source.title.contains(&guideline.name);
        let current = |source: &Source| year(&source.title).or_else(|| year(&source.date)).is_none_or(|year| year >= guideline.year);
        if sources.iter().any(|source| named(&source) && current(source)) {
            continue;
        }
        let replaced = |source: &&Source| named(source) || guideline.was.iter().any(|name| source.title.contains(name.as_str()));
        found.extend(sources.iter().filter(replaced).map(|source| (source.title.clone(), format!("{}（{}）", guideline.name, guideline.year))));
    }
    found
}

/// The latest year that a title or date names.
fn year(text: &str) -> Option<i16> {
    let runs = text.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() == 4);
    runs.filter_map(|run| run.parse().ok()).filter(|year| (1900..2100).contains(year)).max()
}

/// A number at which somebody can be called: a mobile one, or one with an area code. Short public numbers are none.
fn number_to_call(text: &str) -> Option<String> {
    let runs = text.split(|c: char| !(c.is_ascii_digit() || c == '-')).map(|run| run.trim_matches('-'));
    let is = |run: &&str| {
        let digits: String = run.chars().filter(char::is_ascii_digit).collect();
        let mobile = digits.len() == 11 && digits.starts_with('1') && !digits.starts_with("10") && !digits.starts_with("12");
        let area =
            run.contains('-') && (10..=12).contains(&digits.len()) && (digits.starts_with('0') || digits.starts_with("400") || digits.starts_with("800"));
        mobile || area
    };
    runs.into_iter().find(is).map(str::to_owned)
}

/// Numbers of public services.
const PUBLIC: [&str; 12] = ["110", "119", "120", "122", "12315", "12320", "12345", "12348", "12355", "12356", "12369", "96110"];

fn figure_without_unit(text: &str, units: &[String]) -> Option<String> {
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let tail = &rest[start..];
        let end = tail.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '～' | '~' | '-' | '–'))).unwrap_or(tail.len());
        let (figure, after) = tail.split_at(end);
        let before = rest[..start].trim_end().chars().next_back();
        let after_trim = after.trim_start();
        let digits = figure.bytes().filter(u8::is_ascii_digit).count();
        let part_of_name = before.is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '/' | '〔' | '-' | '第'));
        let has_unit = after_trim.chars().next().is_some_and(|c| !matches!(c, '，' | '。' | '；' | '、' | '）' | ')' | ' '))
            || units.iter().any(|unit| after_trim.starts_with(unit.as_str()));
        // "Call 120" is a number to call, "above 120" a figure without its unit.
        let called = PUBLIC.contains(&figure) && before.is_some_and(|c| matches!(c, '打' | '拨' | '询' | '话' | '呼' | '叫'));
        let year = digits == 4 && (figure.starts_with("19") || figure.starts_with("20"));
        if digits >= 3 && !part_of_name && !has_unit && !year && !called {
            return Some(figure.to_owned());
        }
        rest = after;
    }
    None
}

/// Most user characters of an edition that a board or a voice limits: a line of chalk, a minute and a half at four and a half characters a second.
const EDITION_MAX: [(&str, usize); 2] = [("chalk", 60), ("broadcast", 405)];

/// Runs of digits, with their decimal points.
fn figures(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.')).map(|figure| figure.trim_matches('.')).filter(|figure| !figure.is_empty())
}

/// What is missing or wrong among the facts every public thing needs (source, audience, fields, licence).
pub fn check_facts(sources: &[Source], audience: &[String], fields: &[String]) -> Vec<Finding> {
    let mut found = Vec::new();
    if sources.is_empty() || sources.iter().all(|s| s.title.trim().is_empty()) {
        found.push(Finding::block("sources", "no_source"));
    }
    for source in sources {
        if source.date.trim().is_empty() {
            found.push(Finding { found: source.title.clone(), ..Finding::block("sources", "source_undated") });
        }
        if vocabulary::EVIDENCE.find(&source.kind).is_none() {
            found.push(Finding { found: source.kind.clone(), ..Finding::block("sources", "source_kind") });
        }
        if source.url.as_deref().is_some_and(|url| !(url.starts_with("https://") || url.starts_with("http://"))) {
            found.push(Finding { found: source.title.clone(), ..Finding::block("sources", "source_url") });
        }
    }
    if audience.is_empty() || audience.iter().any(|id| vocabulary::AUDIENCES.find(id).is_none()) {
        found.push(Finding::block("audience", "no_audience"));
    }
    if fields.is_empty() || fields.iter().any(|id| vocabulary::FIELDS.find(id).is_none()) {
        found.push(Finding::block("fields", "no_field"));
    }
    found
}

/// Points that a lane asks a reviewer to tick off and that `ticked` lacks.
pub fn unticked(lanes: &Lanes, matter: &Matter, ticked: &[String]) -> Result<(), review::ReviewError> {
    let missing: Vec<String> =
        lanes.of(matter).into_iter().flat_map(|lane| lane.required()).filter(|point| !ticked.contains(&point.id)).map(|point| point.zh.clone()).collect();
    if missing.is_empty() { Ok(()) } else { Err(review::ReviewError::Unticked(missing)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::resource::Resource;
    use crate::create::resource::tests::resource;
    use serde_json::json;

    const DAY: Date = jiff::civil::date(2026, 6, 1);

    fn found(resource: Resource) -> Vec<Finding> {
        check(Lanes::standard(), &Matter::Resource(Box::new(resource)), DAY)
    }
    fn rules(resource: Resource) -> Vec<String> {
        found(resource).into_iter().map(|f| f.rule).collect()
    }
    /// Rules of a text in an everyday field.
    fn wording(text: &str) -> Vec<String> {
        rules(Resource { fields: vec!["physics".into()], text: text.into(), ..resource() })
    }

    #[test]
    fn a_complete_resource_passes() {
        assert_eq!(found(resource()), vec![]);
    }

    #[test]
    fn each_missing_fact_blocks() {
        let lacks = |resource: Resource, rule: &str| assert!(rules(resource).iter().any(|found| found == rule), "{rule}");
        lacks(Resource { sources: vec![], ..resource() }, "no_source");
        lacks(Resource { audience: vec![], ..resource() }, "no_audience");
        lacks(Resource { licence: "mine".into(), ..resource() }, "no_licence");
        lacks(Resource { rights: " ".into(), ..resource() }, "no_rights");
        lacks(Resource { fields: vec!["magic".into()], ..resource() }, "no_field");
        lacks(Resource { date: jiff::civil::date(2026, 7, 1), ..resource() }, "future_date");
        lacks(Resource { expires: None, ..resource() }, "no_expiry");
    }

    #[test]
    fn a_medical_text_says_who_should_not_and_when_to_see_a_doctor_and_cites_the_edition_in_force() {
        let medical = |change: fn(&mut Resource)| {
            let mut one = resource();
            change(&mut one);
            rules(one)
        };
        assert_eq!(medical(|r| r.text = "每天喝水约1500毫升。孕妇另说。".into()), ["see_doctor"]);
        assert_eq!(medical(|r| r.text = "每天喝水约1500毫升。不舒服看医生。".into()), ["exclusions"]);
        assert_eq!(medical(|r| r.author.qualification = None), ["author_unqualified"]);
        assert_eq!(medical(|r| r.sources[0].kind = "expert".into()), ["no_guideline"]);
        assert_eq!(medical(|r| r.sources[0].title = "中国居民膳食指南（2016）".into()), ["guideline_old"]);
        assert_eq!(medical(|r| r.expires = Some(jiff::civil::date(2027, 5, 2))), ["recheck_late"]);
        assert_eq!(medical(|r| r.text.push_str("想买请打13800138000。")), ["contact"]);
        assert_eq!(medical(|r| r.text.push_str("旗舰店有售。")), ["product"]);
        assert_eq!(medical(|r| r.text.push_str("作为一个AI，我建议多喝水。")), ["ai_undeclared"]);
        assert!(medical(|r| r.text.push_str("请打120，或咨询12320。")).is_empty(), "public numbers are no contacts");
    }

    #[test]
    fn whose_qualification_has_ended_is_no_author() {
        let mut one = resource();
        one.author.qualification.as_mut().expect("proof").until = Some(jiff::civil::date(2026, 5, 31));
        assert_eq!(rules(one.clone()), ["author_unqualified"]);
        one.author.qualification.as_mut().expect("proof").until = Some(DAY);
        assert!(rules(one.clone()).is_empty());
        one.author.qualification.as_mut().expect("proof").what = "驾驶证".into();
        assert_eq!(rules(one), ["author_unqualified"]);
    }

    #[test]
    fn a_reason_lets_through_only_what_may_be_excused_and_only_these_words() {
        let text = "每天喝水约1500毫升。不舒服看医生。想买请打13800138000。";
        let list = found(Resource { text: text.into(), ..resource() });
        let excuses: Vec<Excuse> = list.iter().map(|finding| Excuse { key: finding.key(), reason: "写给健康成人".into() }).collect();
        let after = excused(list, &excuses);
        assert_eq!(after.iter().map(|f| (f.rule.as_str(), f.weight)).collect::<Vec<_>>(), [("exclusions", Weight::Hint), ("contact", Weight::Block)]);
        assert_eq!((after[0].reason.as_str(), after[1].sentence.as_str()), ("写给健康成人", "想买请打13800138000。"));
    }

    #[test]
    fn what_is_not_cleared_is_named() {
        let details = |until: &str| -> crate::create::resource_type::Details {
            [
                ("clearance_number", json!("示例〔2026〕1号")),
                ("cleared_by", json!("示例机关")),
                ("cleared_scope", json!("外观")),
                ("cleared_until", json!(until)),
            ]
            .map(|(id, value)| (id.to_owned(), value))
            .into()
        };
        let matter = |details| Matter::Resource(Box::new(Resource { kind: "defence".into(), fields: vec!["equipment".into()], details, ..resource() }));
        let ask = |details| cleared(Lanes::standard(), &matter(details), DAY);
        assert_eq!(ask(details("2026-06-01")), Ok(()));
        assert_eq!(ask(details("2026-05-31")), Err("cleared_until"));
        assert_eq!(ask(Default::default()), Err("clearance_number"));
        assert_eq!(cleared(Lanes::standard(), &Matter::Resource(Box::new(resource())), DAY), Ok(()));
    }

    #[test]
    fn editions_keep_to_their_length_and_to_the_figures_of_the_text() {
        let check = |name: &str, text: &str| rules(Resource { editions: [(name.to_owned(), text.to_owned())].into(), ..resource() });
        assert_eq!(check("elder", "每天喝水约1500毫升。"), Vec::<String>::new());
        assert_eq!(check("elder", "每天喝水约2500毫升。"), ["edition_figure"]);
        assert_eq!(check("chalk", &"水".repeat(61)), ["edition_long"]);
        assert_eq!(check("chalk", "多喝水绝对有效"), ["absolute"]);
    }

    #[test]
    fn wording_is_looked_at() {
        assert_eq!(wording("这个方法绝对有效"), ["absolute"]);
        assert_eq!(wording("效果好，加微信购买"), ["advert"]);
        assert_eq!(found(Resource { fields: vec!["physics".into()], text: "小心“优惠价”三个字".into(), ..resource() })[0].weight, Weight::Hint);
        assert_eq!(wording("血压超过140，要注意"), ["unit"]);
        assert_eq!(wording("2024年有120万人，第119条，GB/T 2260，每天1500毫升"), Vec::<String>::new());
        assert_eq!(wording("机密★一年"), ["secret"]);
    }

    #[test]
    fn a_source_that_names_both_editions_is_right() {
        let source = |title: &str, date: &str| Source { title: title.into(), date: date.into(), ..Source::default() };
        let ask = |list: &[Source]| outdated(Lanes::standard(), list).len();
        assert_eq!(ask(&[source("中国居民膳食指南（2016）", "2016")]), 1);
        assert_eq!(ask(&[source("中国居民膳食指南（2016）", "2016"), source("中国居民膳食指南（2022）", "2022")]), 0);
        assert_eq!(ask(&[source("中国居民膳食指南", "2016")]), 1);
        assert_eq!(ask(&[source("中国2型糖尿病防治指南（2020年版）", "2021")]), 1);
    }
}
