//! Claims and what was found about them. The questions that led to one are in `question`, the work on it in `case`.

use crate::create::resource::{AiUse, Correction, Credit, Finding, Source, check_facts, check_wording};
use crate::create::review::SignOff;
use crate::ids::SubjectId;
use crate::org::Region;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// What was found. A machine may suggest one; only a named person gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// 属实
    True,
    /// 不实
    False,
    /// 部分属实
    Partly,
    /// 尚无定论
    Unproven,
    /// 核查中: a holding statement, not yet a verdict.
    Checking,
}

/// Every verdict, in the order shown.
pub const VERDICTS: [Verdict; 5] = [Verdict::True, Verdict::False, Verdict::Partly, Verdict::Unproven, Verdict::Checking];

impl Verdict {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::True => "true",
            Verdict::False => "false",
            Verdict::Partly => "partly",
            Verdict::Unproven => "unproven",
            Verdict::Checking => "checking",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Verdict> {
        VERDICTS.into_iter().find(|v| v.as_str() == text)
    }
    /// The word readers see in Chinese; also `alternateName` of the schema.org rating.
    pub fn zh(self) -> &'static str {
        match self {
            Verdict::True => "属实",
            Verdict::False => "不实",
            Verdict::Partly => "部分属实",
            Verdict::Unproven => "尚无定论",
            Verdict::Checking => "核查中",
        }
    }
    /// schema.org `ratingValue` from 1 (false) to 5 (true); none where there is no verdict.
    pub fn rating(self) -> Option<i64> {
        match self {
            Verdict::False => Some(1),
            Verdict::Partly | Verdict::Unproven => Some(3),
            Verdict::True => Some(5),
            Verdict::Checking => None,
        }
    }
}

/// What can be said at once while a claim is checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// What is known.
    pub known: String,
    /// What is not known.
    pub not_known: String,
    /// Who is checking.
    pub who: String,
    /// When the next word comes.
    pub next_update: Timestamp,
}

/// One version of what was found about a claim, without its place in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimReview {
    /// The claim as people say it.
    pub claim: String,
    /// Other wordings.
    #[serde(default)]
    pub variants: Vec<String>,
    /// English wording, may be empty.
    #[serde(default)]
    pub claim_en: String,
    /// Verdict.
    pub verdict: Verdict,
    /// One plain sentence.
    #[serde(default)]
    pub plain: String,
    /// The sentence in English, may be empty.
    #[serde(default)]
    pub plain_en: String,
    /// Why, in short paragraphs.
    #[serde(default)]
    pub why: Vec<String>,
    /// What to do instead.
    #[serde(default)]
    pub instead: String,
    /// Evidence.
    #[serde(default)]
    pub evidence: Vec<Source>,
    /// Fields.
    pub fields: Vec<String>,
    /// Audiences.
    pub audience: Vec<String>,
    /// Where it is meant for.
    pub region: Region,
    /// BCP 47 language.
    #[serde(default = "zh_hans")]
    pub lang: String,
    /// Who wrote it.
    pub author: Credit,
    /// When it was checked.
    pub checked: Date,
    /// When it is looked at again.
    #[serde(default)]
    pub next_check: Option<Date>,
    /// A text for a chat group.
    #[serde(default)]
    pub chat: String,
    /// The holding statement; present exactly while the verdict is `Checking`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holding: Option<Holding>,
    /// Machine use.
    #[serde(default)]
    pub ai_use: AiUse,
    /// Corrections of earlier versions, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<Correction>,
    /// Reviews by the publishing institution's own reviewers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviews: Vec<SignOff>,
    /// The claim that says the same and answers for this one, if an editor merged them. A later version without it parts them again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<SubjectId>,
    /// Sample for demonstration.
    #[serde(default)]
    pub sample: bool,
}

fn zh_hans() -> String {
    "zh-Hans".to_owned()
}

impl ClaimReview {
    /// An empty answer to be written: everything that has a usual value has it.
    pub fn begin(claim: &str, author: Credit, region: Region, today: Date) -> Self {
        Self {
            claim: claim.to_owned(),
            variants: vec![],
            claim_en: String::new(),
            verdict: Verdict::Unproven,
            plain: String::new(),
            plain_en: String::new(),
            why: vec![],
            instead: String::new(),
            evidence: vec![],
            fields: vec![],
            audience: vec!["public".into()],
            region,
            lang: zh_hans(),
            author,
            checked: today,
            next_check: today.checked_add(1.year()).ok(),
            chat: String::new(),
            holding: None,
            ai_use: AiUse::None,
            corrections: vec![],
            reviews: vec![],
            same_as: None,
            sample: false,
        }
    }

    /// Whether `other` finds the same: everything that reviewers put their names under. Wordings beside the first and merges are the editors' index.
    pub fn finds_the_same(&self, other: &Self) -> bool {
        let bare = |claim: &Self| Self { variants: vec![], same_as: None, ..claim.clone() };
        bare(self) == bare(other)
    }

    /// The machine part of the publication gate.
    pub fn check(&self, today: Date) -> Vec<Finding> {
        let mut found = Vec::new();
        if self.verdict == Verdict::Checking || self.holding.is_some() {
            found.push(Finding::block("verdict", "no_verdict"));
        }
        if self.plain.trim().is_empty() {
            found.push(Finding::block("plain", "no_plain"));
        }
        if self.why.iter().all(|p| p.trim().is_empty()) {
            found.push(Finding::block("why", "no_why"));
        }
        found.extend(check_facts(&self.evidence, &self.audience, &self.fields).into_iter().map(|mut finding| {
            if finding.field == "sources" {
                finding.field = "evidence".into();
            }
            finding
        }));
        if self.author.name.trim().is_empty() {
            found.push(Finding::block("author", "no_author"));
        }
        if self.checked > today {
            found.push(Finding::block("checked", "future_date"));
        }
        if self.next_check.is_none_or(|next| next <= today) {
            found.push(Finding::block("next_check", "no_expiry"));
        }
        for text in self.why.iter().chain([&self.plain, &self.instead, &self.chat]) {
            found.extend(check_wording("why", text));
        }
        found
    }

    /// Whether this is a holding statement.
    pub fn is_holding(&self) -> bool {
        self.verdict == Verdict::Checking
    }
}
