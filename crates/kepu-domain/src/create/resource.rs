//! Resources: a piece of material, what must be known of it before it may be public, and what machines check first (R11).
//! Who reviews it is in `review`; the working copy in `draft`; the signed form in `kepu-sync::wire`.

use crate::create::resource_type::{self, Details};
use crate::create::review::SignOff;
use crate::ids::SubjectId;
use crate::org::Region;
use crate::vocabulary;
use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Where a statement comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Title of the guideline, study, page.
    pub title: String,
    /// Who published it.
    pub publisher: String,
    /// Evidence level, id of `EVIDENCE`.
    pub kind: String,
    /// Year or date as published.
    pub date: String,
    /// Address, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Who wrote it, as shown to readers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// Registry id, empty for somebody outside the registry.
    #[serde(default)]
    pub party: String,
    /// Name.
    pub name: String,
    /// Institution.
    #[serde(default)]
    pub org: String,
    /// Post.
    #[serde(default)]
    pub title: String,
}

/// How far a machine took part in the making (AI labelling rules, RULES §9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AiUse {
    /// Not at all.
    #[default]
    None,
    /// Helped.
    Assisted,
    /// Made it.
    Generated,
}

/// What was wrong with the version before, kept with every version after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// When it was corrected.
    pub date: Date,
    /// What was wrong and what is right.
    pub text: String,
}

/// A file that belongs to a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// BLAKE3 of the bytes, hex.
    pub hash: String,
    /// Media type found by content.
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    /// What is to be seen or heard, for those who cannot.
    pub alt: String,
}

/// One version of a resource, without its place in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Title.
    pub title: String,
    /// English title, may be empty.
    #[serde(default)]
    pub title_en: String,
    /// Summary.
    #[serde(default)]
    pub summary: String,
    /// Body, a small Markdown subset.
    pub text: String,
    /// Type, id of `RESOURCE_TYPES`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Fields.
    pub fields: Vec<String>,
    /// Audiences.
    pub audience: Vec<String>,
    /// Sources.
    pub sources: Vec<Source>,
    /// Licence, id of `LICENCES`.
    pub licence: String,
    /// Who holds the rights and gives the licence (RULES, law article 29); empty in records of other makers only.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rights: String,
    /// Where it is meant for.
    pub region: Region,
    /// BCP 47 language.
    #[serde(default = "zh_hans")]
    pub lang: String,
    /// Date of the content.
    pub date: Date,
    /// When it must have been looked at again.
    #[serde(default)]
    pub expires: Option<Date>,
    /// Author.
    pub author: Credit,
    /// Machine use.
    #[serde(default)]
    pub ai_use: AiUse,
    /// Editions of the same text: `elder`, `broadcast`, `chalk`, …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub editions: BTreeMap<String, String>,
    /// Hazard of an emergency card, else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hazard: String,
    /// Phase of an emergency card, else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub phase: String,
    /// What its type says beyond the text, by field id of `data/types/`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: Details,
    /// Ids of what it was made of: a research resource turned into something for the public, a text that was adapted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub based_on: Vec<SubjectId>,
    /// Files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
    /// Corrections of earlier versions, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<Correction>,
    /// Reviews by the publishing institution's own reviewers, of exactly this version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviews: Vec<SignOff>,
    /// Sample for demonstration.
    #[serde(default)]
    pub sample: bool,
}

fn zh_hans() -> String {
    "zh-Hans".to_owned()
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// Shown to author and reviewer.
    Hint,
    /// Publication is refused until it is mended.
    Block,
}

/// One result of the machine checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Field of the form it is about.
    pub field: String,
    /// Rule, a short word; its sentence in both languages is `check.<rule>` in the catalogues.
    pub rule: String,
    /// The words found, if any.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub found: String,
    /// Weight.
    pub weight: Weight,
}

impl Finding {
    /// A finding that stops publication.
    pub fn block(field: &str, rule: &str) -> Self {
        Self { field: field.into(), rule: rule.into(), found: String::new(), weight: Weight::Block }
    }
    /// A finding that is shown to author and reviewer.
    pub fn hint(field: &str, rule: &str, found: &str) -> Self {
        Self { field: field.into(), rule: rule.into(), found: found.into(), weight: Weight::Hint }
    }
}

/// Words that claim more than science can (absolute wording); hinted, because quoting them may be right.
const ABSOLUTE: [&str; 14] =
    ["根治", "绝对", "百分之百", "100%", "包治", "永不", "万能", "神奇", "必须立即转发", "彻底治愈", "零风险", "无任何副作用", "唯一", "永久"];
/// Words of advertising that have no place beside contact data in one text.
const ADVERT: [&str; 6] = ["加微信", "扫码购买", "优惠价", "热线咨询", "代购", "下单"];
/// Units: a figure of three or more digits that is followed by none of these is hinted.
const UNITS: [&str; 40] = [
    "年", "月", "日", "天", "小时", "分钟", "秒", "岁", "克", "毫克", "微克", "千克", "公斤", "斤", "毫升", "升", "米", "厘米", "毫米", "千米", "公里", "度",
    "℃", "%", "％", "人", "个", "次", "倍", "元", "瓦", "伏", "赫", "帕", "千卡", "种", "项", "号", "m", "k",
];

/// Machine checks on a text, whatever it will become.
pub fn check_wording(field: &str, text: &str) -> Vec<Finding> {
    let mut found: Vec<Finding> = ABSOLUTE.iter().filter(|word| text.contains(**word)).map(|word| Finding::hint(field, "absolute", word)).collect();
    let advert: Vec<_> = ADVERT.iter().filter(|word| text.contains(**word)).collect();
    if let Some(word) = advert.first() {
        found.push(Finding { found: (**word).to_owned(), ..Finding::block(field, "advert") });
    }
    if let Some(figure) = figure_without_unit(text) {
        found.push(Finding::hint(field, "unit", &figure));
    }
    found
}

fn figure_without_unit(text: &str) -> Option<String> {
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
            || UNITS.iter().any(|unit| after_trim.starts_with(unit));
        let year = digits == 4 && (figure.starts_with("19") || figure.starts_with("20"));
        if digits >= 3 && !part_of_name && !has_unit && !year {
            return Some(figure.to_owned());
        }
        rest = after;
    }
    None
}

/// Most user characters of an edition that a board or a voice limits: a line of chalk, a minute and a half at four and a half characters a second.
const EDITION_MAX: [(&str, usize); 2] = [("chalk", 60), ("broadcast", 405)];

/// Machine checks on the editions of a text: length where the place limits it, wording, and figures that the text itself does not say.
fn check_editions(text: &str, editions: &BTreeMap<String, String>) -> Vec<Finding> {
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
        found.extend(check_wording("editions", edition));
    }
    found
}

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

impl Resource {
    /// An empty one to be written: everything that has a usual value has it.
    pub fn begin(title: &str, author: Credit, rights: &str, region: Region, today: Date) -> Self {
        Self {
            title: title.to_owned(),
            title_en: String::new(),
            summary: String::new(),
            text: String::new(),
            kind: "article".into(),
            fields: vec![],
            audience: vec!["public".into()],
            sources: vec![],
            licence: "CC-BY-4.0".into(),
            rights: rights.to_owned(),
            region,
            lang: zh_hans(),
            date: today,
            expires: today.checked_add(1.year()).ok(),
            author,
            ai_use: AiUse::None,
            editions: BTreeMap::new(),
            hazard: String::new(),
            phase: String::new(),
            details: Details::new(),
            based_on: vec![],
            media: vec![],
            corrections: vec![],
            reviews: vec![],
            sample: false,
        }
    }

    /// Begins one that is made of this public one, `id`: of the same type it is an adaptation, which starts from the text; of another it starts
    /// from nothing but the source. Subject, readers and the link come along, and the licence, which binds what is derived.
    pub fn make_of(&self, id: &SubjectId, address: &str, kind: &str, fresh: Resource) -> Self {
        let source = Source {
            title: self.title.clone(),
            publisher: self.rights.clone(),
            kind: if self.kind == "dataset" { "study".into() } else { "expert".into() },
            date: self.date.to_string(),
            url: (!address.is_empty()).then(|| address.to_owned()),
        };
        let adapted = kind == self.kind;
        let (text, summary, details, sources) = if adapted {
            (self.text.clone(), self.summary.clone(), self.details.clone(), self.sources.clone())
        } else {
            (String::new(), String::new(), Details::new(), vec![source])
        };
        Self {
            kind: kind.to_owned(),
            text,
            summary,
            details,
            sources,
            fields: self.fields.clone(),
            audience: if adapted { self.audience.clone() } else { fresh.audience.clone() },
            licence: if adapted { self.licence.clone() } else { fresh.licence.clone() },
            lang: self.lang.clone(),
            based_on: vec![id.clone()],
            ..fresh
        }
    }

    /// The machine part of the publication gate: what blocks and what a reviewer should look at.
    pub fn check(&self, today: Date) -> Vec<Finding> {
        let mut found = check_facts(&self.sources, &self.audience, &self.fields);
        if vocabulary::licence(&self.licence).is_none() {
            found.push(Finding::block("licence", "no_licence"));
        }
        if self.rights.trim().is_empty() {
            found.push(Finding::block("rights", "no_rights"));
        }
        if vocabulary::RESOURCE_TYPES.find(&self.kind).is_none() {
            found.push(Finding::block("type", "no_type"));
        }
        if self.author.name.trim().is_empty() {
            found.push(Finding::block("author", "no_author"));
        }
        if self.date > today {
            found.push(Finding::block("date", "future_date"));
        }
        if self.expires.is_some_and(|expires| expires <= today) {
            found.push(Finding::block("expires", "expired"));
        }
        let medical = self.fields.iter().any(|f| f == "health" || f == "biomed");
        if medical && !["就医", "医生", "医院", "急救", "120"].iter().any(|word| self.text.contains(word)) {
            found.push(Finding::hint("text", "see_doctor", ""));
        }
        if medical && self.expires.is_none() {
            found.push(Finding::block("expires", "no_expiry"));
        }
        if self.media.iter().any(|media| media.alt.trim().is_empty()) {
            found.push(Finding::block("media", "no_alt"));
        }
        found.extend(resource_type::check(&self.kind, &self.details));
        found.extend(check_wording("details", &resource_type::words(&self.details)));
        found.extend(check_editions(&self.text, &self.editions));
        found.extend(check_wording("text", &self.text));
        found.extend(check_wording("title", &self.title));
        found
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn resource() -> Resource {
        Resource {
            title: "怎样喝水".into(),
            title_en: String::new(),
            summary: String::new(),
            text: "成年人每天喝水约1500毫升。身体不适请看医生。".into(),
            kind: "article".into(),
            fields: vec!["health".into()],
            audience: vec!["public".into()],
            sources: vec![Source {
                title: "中国居民膳食指南".into(),
                publisher: "中国营养学会".into(),
                kind: "guideline".into(),
                date: "2022".into(),
                url: None,
            }],
            licence: "CC-BY-4.0".into(),
            rights: "示例医院".into(),
            region: Region::NATION,
            lang: "zh-Hans".into(),
            date: jiff::civil::date(2026, 5, 1),
            expires: Some(jiff::civil::date(2027, 5, 1)),
            author: Credit { name: "周示例".into(), ..Credit::default() },
            ai_use: AiUse::None,
            editions: BTreeMap::new(),
            hazard: String::new(),
            phase: String::new(),
            details: Details::new(),
            based_on: vec![],
            media: vec![],
            corrections: vec![],
            reviews: vec![],
            sample: true,
        }
    }

    fn rules(found: &[Finding]) -> Vec<&str> {
        found.iter().map(|f| f.rule.as_str()).collect()
    }

    #[test]
    fn a_complete_resource_passes() {
        assert_eq!(resource().check(jiff::civil::date(2026, 6, 1)), vec![]);
    }

    #[test]
    fn each_missing_fact_blocks() {
        let today = jiff::civil::date(2026, 6, 1);
        assert!(rules(&Resource { sources: vec![], ..resource() }.check(today)).contains(&"no_source"));
        assert!(rules(&Resource { audience: vec![], ..resource() }.check(today)).contains(&"no_audience"));
        assert!(rules(&Resource { licence: "mine".into(), ..resource() }.check(today)).contains(&"no_licence"));
        assert!(rules(&Resource { rights: " ".into(), ..resource() }.check(today)).contains(&"no_rights"));
        assert!(rules(&Resource { fields: vec!["magic".into()], ..resource() }.check(today)).contains(&"no_field"));
        assert!(rules(&Resource { date: jiff::civil::date(2026, 7, 1), ..resource() }.check(today)).contains(&"future_date"));
        assert!(rules(&Resource { expires: None, ..resource() }.check(today)).contains(&"no_expiry"));
    }

    #[test]
    fn editions_keep_to_their_length_and_to_the_figures_of_the_text() {
        let check = |name: &str, text: &str| rules_of(&Resource { editions: [(name.to_owned(), text.to_owned())].into(), ..resource() });
        assert_eq!(check("elder", "每天喝水约1500毫升。"), Vec::<String>::new());
        assert_eq!(check("elder", "每天喝水约2500毫升。"), ["edition_figure"]);
        assert_eq!(check("chalk", &"水".repeat(61)), ["edition_long"]);
        assert_eq!(check("chalk", "多喝水绝对有效"), ["absolute"]);
    }

    fn rules_of(resource: &Resource) -> Vec<String> {
        resource.check(jiff::civil::date(2026, 6, 1)).into_iter().map(|f| f.rule).collect()
    }

    #[test]
    fn wording_is_looked_at() {
        assert_eq!(rules(&check_wording("text", "这个方法绝对有效")), ["absolute"]);
        assert_eq!(rules(&check_wording("text", "效果好，加微信购买")), ["advert"]);
        assert_eq!(rules(&check_wording("text", "血压超过140，要注意")), ["unit"]);
        assert_eq!(rules(&check_wording("text", "2024年有120万人，第119条，GB/T 2260，每天1500毫升")), Vec::<&str>::new());
    }
}
