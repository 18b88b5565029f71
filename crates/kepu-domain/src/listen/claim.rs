//! Claims and what was found about them. The questions that led to one are in `question`, the work on it in `case`.

use crate::create::check::{Finding, check_facts};
use crate::create::resource::{AiUse, Correction, Credit, Source};
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

/// Words by which people meant a claim, waiting to become one of its wordings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    /// Digest of the words.
    pub digest: [u8; 32],
    /// The words, masked.
    pub text: String,
    /// How often.
    pub times: i64,
    /// The day on which they came first.
    pub first_at: Timestamp,
}

/// Most wordings that wait for one claim; beyond them its editors have enough to see.
pub const WORDINGS_WAITING: i64 = 200;
/// Most wordings of a claim beside its first.
pub const VARIANTS_MAX: usize = 40;

/// How a merge stands in the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeStage {
    /// A second person must agree: the verdicts differ, or the words contradict each other.
    Waiting,
    /// It holds.
    Done,
    /// The second person did not agree.
    Refused,
    /// It held and was taken back.
    Undone,
}

impl MergeStage {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            MergeStage::Waiting => "waiting",
            MergeStage::Done => "done",
            MergeStage::Refused => "refused",
            MergeStage::Undone => "undone",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        [MergeStage::Waiting, MergeStage::Done, MergeStage::Refused, MergeStage::Undone].into_iter().find(|stage| stage.as_str() == text)
    }
}

/// That somebody asked for one claim to be answered by another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// Id. Random.
    pub id: String,
    /// The claim that is to be answered by the other.
    pub claim: SubjectId,
    /// The other.
    pub into: SubjectId,
    /// Why.
    pub reason: String,
    /// Who asked, as the log names them.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
    /// How it stands.
    pub stage: MergeStage,
    /// Who decided last, as the log names them.
    pub decided_by: String,
    /// When.
    pub decided_at: Option<Timestamp>,
}

/// Why a merge is not legal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// A claim with itself, or with one that is answered by it.
    #[error("a claim cannot be merged into itself")]
    Ring,
    /// It is merged already.
    #[error("this claim is merged already")]
    Merged,
    /// It is not merged.
    #[error("this claim is not merged")]
    NotMerged,
    /// Nobody agrees to what they asked for themselves.
    #[error("a second person must agree")]
    Same,
    /// Over already.
    #[error("this merge was decided already")]
    Decided,
    /// Another institution's claim with another verdict.
    #[error("another institution's claim with another verdict cannot answer for this one")]
    Foreign,
}

impl Merge {
    /// Whether a second person must agree before `claim` is answered by `into`: a wrong merge would answer with the wrong verdict.
    pub fn needs_second(claim: Verdict, into: Verdict, contradicts: bool) -> bool {
        contradicts || (claim != into && claim != Verdict::Checking)
    }

    /// Agrees to it, or does not, as a second person.
    pub fn decide(self, agrees: Agreement, who: &str, at: Timestamp) -> Result<Merge, MergeError> {
        if self.stage != MergeStage::Waiting {
            return Err(MergeError::Decided);
        }
        if agrees == Agreement::Yes && self.asked_by == who {
            return Err(MergeError::Same);
        }
        let stage = if agrees == Agreement::Yes { MergeStage::Done } else { MergeStage::Refused };
        Ok(Merge { stage, decided_by: who.to_owned(), decided_at: Some(at), ..self })
    }

    /// Takes it back.
    pub fn undo(self, who: &str, at: Timestamp) -> Result<Merge, MergeError> {
        if self.stage != MergeStage::Done {
            return Err(MergeError::NotMerged);
        }
        Ok(Merge { stage: MergeStage::Undone, decided_by: who.to_owned(), decided_at: Some(at), ..self })
    }
}

/// What a second person says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// Yes.
    Yes,
    /// No.
    No,
}

/// Whether a reader of the records lets `into` answer for `claim`: both of one institution, or of one verdict. So no institution can make another's true
/// sentence the answer to its own false one.
pub fn answers_for(claim: (&SubjectId, Verdict), into: (&SubjectId, Verdict)) -> bool {
    let owner = |id: &SubjectId| id.parts().map(|(owner, _)| owner.to_owned());
    owner(claim.0) == owner(into.0) || claim.1 == into.1 || claim.1 == Verdict::Checking
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
    /// What is true of the picture, film or recording with which it goes round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaFinding>,
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

/// What a picture, film or recording really is; schema.org `MediaManipulationRatingEnumeration`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MediaRating {
    /// As it was taken, and shows what is said.
    Original,
    /// Real, but of another time, place or event.
    Decontextualized,
    /// Cut, cropped or put together so that it misleads.
    Edited,
    /// Changed or made by a machine.
    Transformed,
    /// Played for the camera.
    Staged,
    /// Meant as a joke.
    Satire,
}

/// Every rating, in the order shown.
pub const MEDIA_RATINGS: [MediaRating; 6] =
    [MediaRating::Original, MediaRating::Decontextualized, MediaRating::Edited, MediaRating::Transformed, MediaRating::Staged, MediaRating::Satire];

impl MediaRating {
    /// The word in records and forms.
    pub fn as_str(self) -> &'static str {
        match self {
            MediaRating::Original => "original",
            MediaRating::Decontextualized => "decontextualized",
            MediaRating::Edited => "edited",
            MediaRating::Transformed => "transformed",
            MediaRating::Staged => "staged",
            MediaRating::Satire => "satire",
        }
    }
    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        MEDIA_RATINGS.into_iter().find(|rating| rating.as_str() == text)
    }
    /// The name of schema.org.
    pub fn schema(self) -> &'static str {
        match self {
            MediaRating::Original => "OriginalMediaContent",
            MediaRating::Decontextualized => "DecontextualizedContent",
            MediaRating::Edited => "EditedOrCroppedContent",
            MediaRating::Transformed => "TransformedContent",
            MediaRating::Staged => "StagedContent",
            MediaRating::Satire => "SatireOrParodyContent",
        }
    }
}

/// What is true of the picture, film or recording with which a claim goes round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaFinding {
    /// What it really is.
    pub rating: MediaRating,
    /// What is to be seen or heard, and where it is from, in a sentence.
    pub about: String,
    /// Where the original stands; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub original: String,
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
            media: None,
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

    /// What is missing or wrong in its facts; wording and what lanes ask for are in `create::check`.
    pub(crate) fn facts(&self, today: Date) -> Vec<Finding> {
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
        if self.media.as_ref().is_some_and(|media| media.about.trim().is_empty()) {
            found.push(Finding::block("media_about", "no_media_about"));
        }
        if self.author.name.trim().is_empty() {
            found.push(Finding::block("author", "no_author"));
        }
        if self.checked > today {
            found.push(Finding::block("checked", "future_date"));
        }
        if self.next_check.is_none_or(|next| next <= today) {
            found.push(Finding::block("next_check", "no_expiry"));
        }
        found
    }

    /// Whether this is a holding statement.
    pub fn is_holding(&self) -> bool {
        self.verdict == Verdict::Checking
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merge() -> Merge {
        Merge {
            id: "m".into(),
            claim: "kepu:abcdefgh23/a".into(),
            into: "kepu:abcdefgh23/b".into(),
            reason: "同一个说法".into(),
            asked_by: "account:a".into(),
            asked_at: Timestamp::UNIX_EPOCH,
            stage: MergeStage::Waiting,
            decided_by: String::new(),
            decided_at: None,
        }
    }

    #[test]
    fn another_verdict_takes_a_second_person() {
        assert!(Merge::needs_second(Verdict::True, Verdict::False, false));
        assert!(Merge::needs_second(Verdict::False, Verdict::False, true));
        assert!(!Merge::needs_second(Verdict::False, Verdict::False, false));
        assert!(!Merge::needs_second(Verdict::Checking, Verdict::False, false), "what is being checked has no verdict to lose");
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(merge().decide(Agreement::Yes, "account:a", now), Err(MergeError::Same));
        let done = merge().decide(Agreement::Yes, "account:b", now).expect("agreed");
        assert_eq!(done.clone().decide(Agreement::No, "account:b", now), Err(MergeError::Decided));
        assert_eq!(done.undo("account:a", now).expect("undone").stage, MergeStage::Undone);
        assert_eq!(merge().undo("account:a", now), Err(MergeError::NotMerged));
        assert_eq!(merge().decide(Agreement::No, "account:a", now).expect("given up").stage, MergeStage::Refused);
    }

    #[test]
    fn nobody_makes_anothers_true_sentence_the_answer_to_a_false_one() {
        let (a, b, other) = ("kepu:abcdefgh23/a".into(), "kepu:abcdefgh23/b".into(), "kepu:zzzzzzzz23/c".into());
        assert!(answers_for((&a, Verdict::False), (&b, Verdict::True)));
        assert!(answers_for((&a, Verdict::False), (&other, Verdict::False)));
        assert!(!answers_for((&other, Verdict::False), (&a, Verdict::True)));
    }

    #[test]
    fn wordings_and_merges_are_no_finding() {
        let author = Credit { name: "甲".into(), ..Credit::default() };
        let claim = ClaimReview::begin("大蒜治感冒", author, Region::NATION, jiff::civil::date(2026, 1, 1));
        let indexed = ClaimReview { variants: vec!["蒜能治感冒".into()], same_as: Some("kepu:abcdefgh23/a".into()), ..claim.clone() };
        assert!(claim.finds_the_same(&indexed));
        assert!(!claim.finds_the_same(&ClaimReview { verdict: Verdict::True, ..claim.clone() }));
    }
}
