//! One row to what it becomes: a resource or a claim, with its subject, and whether a sign-off for the whole batch makes it
//! public. No store, no clock of its own.

use super::{Reason, party};
use crate::create::draft::{check_lengths, clean};
use crate::create::publish::{body_of, saying_of};
use crate::error::AppError;
use crate::keys::NodeKey;
use jiff::ToSpan;
use jiff::civil::Date;
use kepu_domain::create::check::Weight;
use kepu_domain::create::draft::Matter;
use kepu_domain::create::import::{Kind, Plan, Row, verdict_of};
use kepu_domain::create::lane::Lanes;
use kepu_domain::create::resource::{AiUse, Credit, Resource, Source};
use kepu_domain::create::resource_type::{Details, fields_of};
use kepu_domain::create::review::{Method, SignOff};
use kepu_domain::field::FieldDef;
use kepu_domain::ids::SubjectId;
use kepu_domain::listen::claim::{ClaimReview, Verdict};
use kepu_domain::org::Region;
use kepu_domain::record::{Envelope, Place};
use kepu_domain::trust::TrustView;
use kepu_domain::vocabulary::{AUDIENCES, FIELDS, HAZARDS, PHASES, RESOURCE_TYPES, Vocabulary, licence};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Longest title taken; longer ones are cut.
const TITLE_MAX: usize = 80;
/// Longest wording of a claim taken; longer ones are cut.
const CLAIM_MAX: usize = 400;

/// What all rows of a file share.
pub struct Batch<'a> {
    /// How the file is taken in.
    pub plan: Plan,
    /// Name of the organisation.
    pub org_name: String,
    /// Place of rows that name none.
    pub region: Region,
    /// Today.
    pub today: Date,
    /// What is asked of a text here.
    pub lanes: Lanes,
    /// Who may say what here.
    pub trust: Arc<TrustView>,
    /// The node's key.
    pub key: &'a NodeKey,
}

/// What a row becomes.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Its subject, the same for the same content, so that nothing enters twice.
    pub subject: SubjectId,
    /// What it says.
    pub matter: Matter,
    /// Whether it is published; else it becomes a draft.
    pub publish: bool,
    /// Whether the plan's licence was put in.
    pub licence_filled: bool,
    /// What to look at.
    pub warnings: Vec<Reason>,
}

/// Prepares a row or says why it is refused.
pub fn prepare(batch: &Batch<'_>, row: &Row) -> Result<Ready, Reason> {
    let mut cells = Cells { batch, row, warnings: vec![] };
    let (matter, licence_filled) = match batch.plan.kind {
        Kind::Resource => cells.resource()?,
        Kind::Claim => (cells.claim()?, false),
        // Entries of the registry are read in `party`, signals in `listen::intake::file`; none comes here.
        Kind::Party | Kind::Signal => return Err(Reason::new("error-import_row").with("cause", batch.plan.kind.as_str())),
    };
    let matter = clean(matter);
    check_lengths(&matter).map_err(first)?;
    let blocks: Vec<_> = matter.check(&batch.lanes, batch.today).into_iter().filter(|f| f.weight == Weight::Block).collect();
    let blocked = blocks.iter().find(|finding| !finding.is_for_writers()).or(blocks.first());
    // A claim may come unfinished: it becomes a draft, and its writer meets the same checks. A resource is complete or refused; what its lane
    // asks beyond that, such as a qualified author, is for whoever takes the draft on.
    if let (Some(finding), Kind::Resource) = (blocked.filter(|finding| !finding.is_for_writers()), batch.plan.kind) {
        return Err(Reason::from(finding.clone()));
    }
    let mut ready = Ready { subject: subject_of(batch, &matter), matter, publish: false, licence_filled, warnings: cells.warnings };
    ready.publish = blocked.is_none() && may_be_public(batch, row, &mut ready.matter);
    if ready.publish {
        writable(batch, &ready)?;
    } else {
        ready.matter.set_reviews(vec![]);
    }
    Ok(ready)
}

pub(super) fn first(error: AppError) -> Reason {
    match error {
        AppError::Invalid(list) => list.into_iter().next().map_or_else(|| Reason::new("error-import_row"), Reason::from),
        other => Reason::new("error-import_row").with("cause", other),
    }
}

/// Puts the names under the matter that the file and the batch give, and asks the policy whether they are enough.
fn may_be_public(batch: &Batch<'_>, row: &Row, matter: &mut Matter) -> bool {
    let fields = matter.fields().to_vec();
    let sign = |party: String, name: &str, org: &str, conflict: &str| SignOff {
        party,
        name: name.to_owned(),
        org: org.to_owned(),
        title: String::new(),
        fields: fields.clone(),
        conflict: conflict.to_owned(),
        date: batch.today,
        method: Method::Batch,
        comment: String::new(),
        editions: vec![],
        qualification: None,
        checks: vec![],
    };
    let signed_by = &batch.plan.signed_by;
    let mut reviews = vec![sign(format!("batch:{signed_by}"), signed_by, &batch.org_name, "批量签发：对整批来源负责，未逐篇评议")];
    if let Matter::Claim(claim) = &*matter {
        // No machine gives a verdict: a claim is public only if the row itself names verdict, evidence and who checked it.
        let (verdict, reviewer) = (batch.plan.cell(row, "verdict").and_then(verdict_of), batch.plan.cell(row, "reviewer"));
        let (Some(_), Some(reviewer), false) = (verdict, reviewer, claim.evidence.is_empty()) else { return false };
        let org = batch.plan.value(row, "reviewer_org").unwrap_or_default();
        reviews.push(sign(format!("import:{reviewer}"), &kepu_text::clean_line(reviewer), org, "见来源；随文件导入，未另行声明"));
    }
    matter.set_reviews(reviews);
    let policy = &batch.trust.policy;
    policy.admits(matter, &[])
}

/// Whether the node can sign the record at all: size and its own certificate. Found out now, so that one bad row does not
/// take its whole batch along.
fn writable(batch: &Batch<'_>, ready: &Ready) -> Result<(), Reason> {
    let saying = saying_of(&ready.subject, &ready.matter);
    let body = body_of(&ready.matter);
    let Some(stream) = body.stream() else { return Err(Reason::new("error-import_row")) };
    let envelope = Envelope {
        place: Place { key: batch.key.id().clone(), stream, n: 1_000_000_000 },
        modified: jiff::Timestamp::UNIX_EPOCH,
        subject: saying.subject,
        region: saying.region,
        fields: saying.fields,
        lang: saying.lang,
    };
    batch.trust.check(&envelope, &body).map_err(|refusal| Reason::new("error-import_refused").with("cause", refusal))?;
    kepu_sync::record::sign(batch.key.signing(), envelope, &body).map(drop).map_err(|e| Reason::new("error-import_record").with("cause", e))
}

/// A claim is one subject however it is explained; a resource is one by title and text.
fn subject_of(batch: &Batch<'_>, matter: &Matter) -> SubjectId {
    let (letter, words) = match matter {
        Matter::Resource(r) => ("r", format!("{}\n{}\n{}", r.lang, r.title, r.text)),
        Matter::Claim(c) => ("c", kepu_text::fold(&c.claim)),
    };
    let hash = blake3::hash(words.as_bytes());
    let word = data_encoding::BASE32_NOPAD.encode(&hash.as_bytes()[..10]).to_ascii_lowercase();
    SubjectId::new(&batch.key.id().fingerprint(), &format!("{letter}-{word}"))
}

/// A row being read, with what there is to say about it.
struct Cells<'a> {
    batch: &'a Batch<'a>,
    row: &'a Row,
    warnings: Vec<Reason>,
}

impl<'a> Cells<'a> {
    fn get(&self, target: &str) -> Option<&'a str> {
        self.batch.plan.value(self.row, target)
    }
    fn text(&self, target: &str) -> String {
        self.get(target).unwrap_or_default().to_owned()
    }
    fn needed(&self, target: &'static str) -> Result<&'a str, Reason> {
        self.get(target).ok_or_else(|| Reason::new("error-import_missing").of(target))
    }
    fn warn(&mut self, reason: Reason) {
        self.warnings.push(reason);
    }

    /// A line of at most `max` user characters; what is too long is cut, and said.
    fn line(&mut self, target: &'static str, max: usize) -> Result<String, Reason> {
        let whole = kepu_text::clean_line(self.needed(target)?);
        if kepu_text::count(&whole) > max {
            self.warn(Reason::new("error-import_cut").of(target).with("max", max));
        }
        Ok(kepu_text::truncate(&whole, max).to_owned())
    }

    /// Ids of a vocabulary, given as ids or by their names in either language.
    fn words(&mut self, target: &'static str, vocabulary: &'static Vocabulary, default: &str) -> Vec<String> {
        let fixed = self.batch.plan.fixed.get(target).map_or(default, |text| text.trim());
        let given = self.batch.plan.cell(self.row, target);
        let known = |word: &str| {
            let named = |term: &&kepu_domain::vocabulary::Term| term.zh == word || term.en.eq_ignore_ascii_case(word) || term.id.eq_ignore_ascii_case(word);
            vocabulary.terms().iter().find(named).map(|term| term.id.clone())
        };
        let list = |text: &str| -> Vec<String> {
            let mut list: Vec<String> =
                text.split([';', ',', '；', '，', '、']).map(str::trim).filter(|word| !word.is_empty()).filter_map(known).take(8).collect();
            let mut seen = std::collections::HashSet::new();
            list.retain(|word| seen.insert(word.clone()));
            list
        };
        let found = given.map(list).unwrap_or_default();
        if !found.is_empty() {
            return found;
        }
        // A type only says how a text is shown; a field decides who must review it, an audience who reads it.
        if let Some(given) = given.filter(|_| target != "type") {
            let words: String = given.chars().take(40).collect();
            self.warn(Reason::new("error-import_words").of(target).with("words", words).with("default", fixed));
        }
        list(fixed)
    }

    fn region(&self) -> Result<Region, Reason> {
        match self.get("region") {
            Some(code) => crate::org::region_named(code).ok_or_else(|| Reason::new("error-import_region").of("region").with("code", short(code))),
            None => Ok(self.batch.region),
        }
    }
    fn date(&self, target: &'static str) -> Result<Option<Date>, Reason> {
        let Some(text) = self.get(target) else { return Ok(None) };
        match day(text) {
            Some(date) => Ok(Some(date.min(self.batch.today))),
            None => Err(Reason::new("error-import_date").of(target).with("text", short(text))),
        }
    }
    fn url(&mut self) -> Option<String> {
        let url = self.get("url")?;
        if url.starts_with("https://") && url.len() <= 2_000 && !url.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Some(url.to_owned());
        }
        self.warn(Reason::new("error-import_url").of("url").with("text", short(url)));
        None
    }
    fn lang(&self) -> String {
        self.get("lang").filter(|tag| tag.len() <= 20 && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')).unwrap_or("zh-Hans").to_owned()
    }
    fn says_yes(&self, target: &str) -> bool {
        self.get(target).is_some_and(|word| matches!(word.to_lowercase().as_str(), "true" | "1" | "yes" | "是"))
    }

    fn resource(&mut self) -> Result<(Matter, bool), Reason> {
        let title = self.line("title", TITLE_MAX)?;
        let text = self.needed("text")?.to_owned();
        let kind = self.words("type", &RESOURCE_TYPES, "article").into_iter().next().unwrap_or_else(|| "article".into());
        let licence_text = self.get("licence").unwrap_or_default();
        let licence = licence_id(licence_text).ok_or_else(|| Reason::new("error-import_licence").of("licence").with("text", short(licence_text)))?;
        let date = self.date("date")?.unwrap_or(self.batch.today);
        let evidence = match kind.as_str() {
            "law" => "official",
            "classic" => "historic",
            _ => "unverified",
        };
        let source = Source {
            title: self.get("source").unwrap_or(&self.batch.org_name).to_owned(),
            publisher: self.text("publisher"),
            kind: evidence.into(),
            date: date.to_string(),
            url: self.url(),
        };
        let details = self.details(&kind)?;
        let author = self.get("author").or(self.get("source")).unwrap_or(&self.batch.plan.signed_by);
        let resource = Resource {
            title,
            title_en: self.text("title_en"),
            summary: self.text("summary"),
            text,
            kind,
            fields: self.words("fields", &FIELDS, "other"),
            audience: self.words("audience", &AUDIENCES, "public"),
            sources: vec![source],
            licence,
            rights: self.get("source").unwrap_or(&self.batch.org_name).to_owned(),
            region: self.region()?,
            lang: self.lang(),
            date,
            expires: self.batch.today.checked_add(1.year()).ok(),
            author: Credit { name: kepu_text::truncate(author, 60).to_owned(), ..Credit::default() },
            ai_use: if self.says_yes("mt") { AiUse::Assisted } else { AiUse::None },
            editions: self.editions(),
            hazard: self.named("hazard", &HAZARDS),
            phase: self.named("phase", &PHASES),
            details,
            based_on: vec![],
            media: vec![],
            corrections: vec![],
            reviews: vec![],
            sample: self.says_yes("sample"),
        };
        Ok((Matter::Resource(Box::new(resource)), self.batch.plan.cell(self.row, "licence").is_none()))
    }

    /// What the row says in the fields of its type: columns named as the field is, by id or in either language.
    fn details(&self, kind: &str) -> Result<Details, Reason> {
        let used: HashSet<&String> = self.batch.plan.columns.values().collect();
        let cell = |field: &FieldDef| {
            let names = [field.id.as_str(), &field.zh, &field.en];
            let (_, text) = self.row.iter().find(|(column, _)| !used.contains(column) && names.iter().any(|name| name.eq_ignore_ascii_case(column.trim())))?;
            Some(text.trim()).filter(|text| !text.is_empty())
        };
        let said = fields_of(kind).iter().filter_map(|field| Some((field, cell(field)?)));
        said.map(|(field, text)| Ok((field.id.clone(), party::value(field, text)?))).collect()
    }

    /// Editions in columns such as `edition_elder`.
    fn editions(&self) -> BTreeMap<String, String> {
        let named = self.row.iter().filter_map(|(column, text)| Some((column.trim().strip_prefix("edition_")?, text.trim())));
        named.filter(|(name, text)| !text.is_empty() && name.len() <= 20).map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
    }

    /// The one word of a vocabulary that a column names; empty if it names none.
    fn named(&mut self, target: &'static str, vocabulary: &'static Vocabulary) -> String {
        self.words(target, vocabulary, "").into_iter().next().unwrap_or_default()
    }

    fn claim(&mut self) -> Result<Matter, Reason> {
        let claim = self.line("claim", CLAIM_MAX)?;
        let verdict = match self.get("verdict").map(|word| (word, verdict_of(word))) {
            Some((_, Some(verdict))) => verdict,
            Some((word, None)) => {
                self.warn(Reason::new("error-import_verdict").of("verdict").with("word", short(word)));
                Verdict::Unproven
            }
            None => Verdict::Unproven,
        };
        let url = self.url();
        let today = self.batch.today;
        let source = self.get("source");
        let evidence = (source.is_some() || url.is_some()).then(|| Source {
            title: source.or(url.as_deref()).map(|text| kepu_text::truncate(text, 200).to_owned()).unwrap_or_default(),
            publisher: self.text("publisher"),
            kind: "unverified".into(),
            date: self.text("date"),
            url: url.clone(),
        });
        let paragraphs = |text: &str| text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        let review = ClaimReview {
            claim,
            variants: self
                .get("variants")
                .map(|text| text.split([';', '\n']).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty()).collect())
                .unwrap_or_default(),
            claim_en: String::new(),
            verdict,
            plain: self.text("plain"),
            plain_en: String::new(),
            why: self.get("why").map(paragraphs).unwrap_or_default(),
            instead: self.text("instead"),
            evidence: evidence.into_iter().collect(),
            fields: self.words("fields", &FIELDS, "other"),
            audience: self.words("audience", &AUDIENCES, "public"),
            region: self.region()?,
            lang: self.lang(),
            author: Credit { name: kepu_text::truncate(self.get("author").unwrap_or(&self.batch.plan.signed_by), 60).to_owned(), ..Credit::default() },
            checked: self.date("checked")?.unwrap_or(today),
            next_check: today.checked_add(1.year()).ok(),
            chat: String::new(),
            media: None,
            holding: None,
            ai_use: AiUse::None,
            corrections: vec![],
            reviews: vec![],
            same_as: None,
            sample: self.says_yes("sample"),
        };
        Ok(Matter::Claim(Box::new(review)))
    }
}

fn short(text: &str) -> String {
    kepu_text::truncate(text, 40).to_owned()
}

/// A day as offices write it: 2026-01-31, 2026/1/31, 2026.1.31, 2026年1月31日, perhaps with a time behind it.
pub(super) fn day(text: &str) -> Option<Date> {
    let head = text.trim().split(['T', ' ']).next()?;
    let mut numbers = head.split(['-', '/', '.', '年', '月', '日']).filter(|part| !part.is_empty()).map(str::parse::<i16>);
    let (year, month, day) = (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
    if numbers.next().is_some() || year < 1000 {
        return None;
    }
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn licence_id(text: &str) -> Option<String> {
    let text = text.trim();
    if let Some((id, _)) = licence(text) {
        return Some(id.to_owned());
    }
    let lower = text.to_lowercase();
    let guess = if lower.contains("public domain") || lower.contains("unlicense") || lower.contains("art. 5") {
        "PD"
    } else if ["gpl", "-nd", "-nc", " nd", " nc", "all rights"].iter().any(|word| lower.contains(word)) {
        return None;
    } else if lower.starts_with("cc-by-sa") || lower.starts_with("cc by-sa") {
        "CC-BY-SA-4.0"
    } else if lower.starts_with("cc0") {
        "CC0-1.0"
    } else if lower.starts_with("cc-by") || lower.starts_with("cc by") {
        "CC-BY-4.0"
    } else if lower.starts_with("mit") {
        "MIT"
    } else {
        return None;
    };
    Some(guess.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kepu_domain::publication::{Policy, Rule};
    use kepu_sync::suite::Suite;

    fn node_key() -> NodeKey {
        let folder = tempfile::tempdir().expect("folder");
        NodeKey::create(folder.path(), Suite::Ed25519).expect("key")
    }

    /// Prepares one row whose columns are named like the targets.
    fn prepared(kind: Kind, key: &NodeKey, policy: Policy, cells: &[(&str, &str)]) -> Result<Ready, Reason> {
        let mut trust = TrustView::build(key.id(), &[], &[]);
        trust.policy = policy;
        let row: Row = cells.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let columns = row.keys().map(|name| (name.clone(), name.clone())).collect();
        let fixed = [("fields".to_owned(), "other".to_owned()), ("licence".to_owned(), "CC-BY-4.0".to_owned())].into();
        let plan = Plan { kind, columns, fixed, signed_by: "魏示例".into(), ..Plan::default() };
        let today = jiff::civil::date(2026, 11, 24);
        let batch = Batch { plan, org_name: "示例中心".into(), region: Region::NATION, today, lanes: Lanes::default(), trust: Arc::new(trust), key };
        prepare(&batch, &row)
    }

    fn batch_policy() -> Policy {
        Policy { rules: vec![Rule { matter: "claim".into(), reviews: 2, batch: true, ..Rule::default() }] }
    }

    const CHECKED: [(&str, &str); 6] = [
        ("claim", "隔夜的白开水会致癌"),
        ("verdict", "不实"),
        ("plain", "这个说法不准确。"),
        ("why", "隔夜水里的亚硝酸盐远低于限值。"),
        ("source", "生活饮用水卫生标准"),
        ("date", "2023"),
    ];

    #[test]
    fn a_verdict_of_a_file_is_public_only_with_evidence_a_reviewer_and_a_policy_that_allows_batches() {
        let key = node_key();
        let with_reviewer = [&CHECKED[..], &[("reviewer", "张三")]].concat();
        let ready = prepared(Kind::Claim, &key, batch_policy(), &with_reviewer).expect("ready");
        assert!(ready.publish);
        assert_eq!(
            ready.matter.reviews().iter().map(|r| (r.name.as_str(), r.method)).collect::<Vec<_>>(),
            [("魏示例", Method::Batch), ("张三", Method::Batch)]
        );
        let draft = |policy: Policy, cells: &[(&str, &str)]| {
            let ready = prepared(Kind::Claim, &key, policy, cells).expect("ready");
            !ready.publish && ready.matter.reviews().is_empty()
        };
        assert!(draft(Policy::default(), &with_reviewer), "the usual policy asks for people who read each claim");
        assert!(draft(batch_policy(), &CHECKED), "nobody is named");
        for missing in ["verdict", "source", "plain", "why"] {
            let cells: Vec<_> = with_reviewer.iter().copied().filter(|(name, _)| *name != missing).collect();
            assert!(draft(batch_policy(), &cells), "without {missing}");
        }
    }

    #[test]
    fn a_medical_text_without_a_qualified_author_becomes_a_draft_whatever_the_policy_says_about_batches() {
        let key = node_key();
        let batches = || Policy { rules: vec![Rule { matter: "resource".into(), reviews: 1, batch: true, ..Rule::default() }] };
        let cells = |fields: &'static str| [("title", "看懂血压"), ("text", "量之前先坐五分钟，不舒服就去看医生，孕妇先问医生。"), ("fields", fields)];
        assert!(prepared(Kind::Resource, &key, batches(), &cells("physics")).expect("ready").publish);
        let ready = prepared(Kind::Resource, &key, batches(), &cells("health")).expect("taken as a draft");
        assert!(!ready.publish && ready.matter.reviews().is_empty());
        assert!(!prepared(Kind::Resource, &key, Policy::default(), &cells("health")).expect("taken as a draft").publish);
    }

    #[test]
    fn the_same_content_has_the_same_subject() {
        let key = node_key();
        let claim = |text: &str| prepared(Kind::Claim, &key, Policy::default(), &[("claim", text)]).expect("ready").subject;
        assert_eq!(claim("隔夜的白开水会致癌"), claim(" 隔夜的白開水會致癌 "));
        assert_ne!(claim("隔夜的白开水会致癌"), claim("隔夜的白开水会致病"));
        let resource = |text: &str| prepared(Kind::Resource, &key, Policy::default(), &[("title", "盐"), ("text", text)]).expect("ready").subject;
        assert_ne!(resource("海水晒干以后留下的就是盐。"), resource("海水晒干以后留下的就是盐！"));
        assert!(resource("海水晒干以后留下的就是盐。").parts().is_some());
    }

    #[test]
    fn what_is_doubtful_is_said_and_what_is_wrong_is_refused() {
        let key = node_key();
        let row = |more: &[(&str, &str)]| {
            let cells = [&[("title", "看懂天气图"), ("text", "等压线越密的地方，风通常越大。")], more].concat();
            prepared(Kind::Resource, &key, Policy::default(), &cells)
        };
        let says = |more: &[(&str, &str)]| row(more).expect("ready").warnings.into_iter().map(|reason| reason.key).collect::<Vec<_>>();
        assert_eq!(says(&[("fields", "气候变化;天文航天"), ("audience", "public")]), Vec::<String>::new(), "names count like ids");
        assert_eq!(says(&[("fields", "炼金术")]), ["error-import_words"]);
        assert_eq!(says(&[("url", "http://example.cn")]), ["error-import_url"]);
        assert_eq!(says(&[("type", "wiki")]), Vec::<String>::new());
        let refused = |more: &[(&str, &str)]| row(more).expect_err("refused").key;
        assert_eq!(refused(&[("licence", "All rights reserved")]), "error-import_licence");
        assert_eq!(refused(&[("region", "4115")]), "error-import_region");
        assert_eq!(refused(&[("date", "昨天")]), "error-import_date");
        assert_eq!(refused(&[("text", "短")]), "error-short");
        assert_eq!(refused(&[("text", "加微信，优惠价，扫码购买，今天就下单。")]), "check-advert");
        let long = "𠮷".repeat(8_000);
        assert_eq!(refused(&[("text", &long)]), "error-import_record", "within the count of characters, beyond the size of a record");
        let title = "长".repeat(81);
        let ready = row(&[("title", &title), ("mt", "true")]).expect("ready");
        assert_eq!((ready.warnings[0].key.as_str(), kepu_text::count(ready.matter.title())), ("error-import_cut", 80));
        let Matter::Resource(resource) = ready.matter else { panic!("a resource") };
        assert_eq!(resource.ai_use, AiUse::Assisted);
    }

    #[test]
    fn days_are_read_as_offices_write_them() {
        let expected = jiff::civil::date(2026, 1, 31);
        for text in ["2026-01-31", "2026/1/31", "2026.1.31", "2026年1月31日", "2026-01-31T08:00:00Z", " 2026-1-31 08:00"] {
            assert_eq!(day(text), Some(expected), "{text}");
        }
        for text in ["", "昨天", "2026-13-01", "31.1.2026", "2026", "2026-1-31-2"] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn licences_that_forbid_passing_on_are_not_guessed_into_others() {
        for (text, id) in [("cc-by-4.0", "CC-BY-4.0"), ("CC0-1.0 (translations)", "CC0-1.0"), ("Unlicense (public domain)", "PD"), ("CC-BY-SA", "CC-BY-SA-4.0")]
        {
            assert_eq!(licence_id(text).as_deref(), Some(id), "{text}");
        }
        for text in ["GPL-2.0", "CC-BY-ND-4.0", "CC BY-NC-SA 4.0", "cc-by-nc-sa", "All rights reserved", "", "版权所有"] {
            assert_eq!(licence_id(text), None, "{text}");
        }
    }
}
