//! Taking in a file: what a row can fill, which column fills what, how far it is. Reading bytes and making drafts or
//! records of rows is in `kepu-app::create::import`.

use crate::ids::{AccountId, ImportId, JobId, OrgId};
use crate::listen::claim::Verdict;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A row as read: column and cell.
pub type Row = BTreeMap<String, String>;

/// What the rows of a file are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Pieces of material.
    #[default]
    Resource,
    /// Claims with what was found about them.
    Claim,
    /// Entries of the registry: one file is one register.
    Party,
    /// Messages that were heard: they are matched, nothing of them is published.
    Signal,
}

/// Every kind.
pub const KINDS: [Kind; 4] = [Kind::Resource, Kind::Claim, Kind::Party, Kind::Signal];

impl Kind {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Resource => "resource",
            Kind::Claim => "claim",
            Kind::Party => "party",
            Kind::Signal => "signal",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.as_str() == text)
    }
    /// What a row of this kind can fill, in the order of forms. What a row of a register can fill its definition says
    /// (`kepu-app::create::import`), nothing here.
    pub fn targets(self) -> &'static [Target<'static>] {
        match self {
            Kind::Resource => RESOURCE,
            Kind::Claim => CLAIM,
            Kind::Party => &[],
            Kind::Signal => SIGNAL,
        }
    }
}

/// Something that a column of a file can fill.
#[derive(Clone, Debug)]
pub struct Target<'a> {
    /// Name in forms, on the command line and in messages.
    pub name: &'a str,
    /// Whether a row without it is refused.
    pub needed: bool,
    /// Column names that mean it, in small letters; its own name first.
    pub columns: Cow<'a, [&'a str]>,
}

const fn target(name: &'static str, needed: bool, columns: &'static [&'static str]) -> Target<'static> {
    Target { name, needed, columns: Cow::Borrowed(columns) }
}

const RESOURCE: &[Target<'static>] = &[
    target("title", true, &["title", "标题", "题目", "名称", "题名"]),
    target("text", true, &["text", "正文", "内容", "body", "content", "全文"]),
    target("summary", false, &["summary", "摘要", "简介", "abstract", "description"]),
    target("fields", false, &["fields", "field", "subject", "领域", "学科", "主题", "分类"]),
    target("audience", false, &["audience", "受众", "对象", "适用人群", "写给谁"]),
    target("type", false, &["type", "kind", "类型", "形式"]),
    target("source", false, &["source", "来源", "出处"]),
    target("publisher", false, &["publisher", "发布单位", "发布机构", "出版者"]),
    target("url", false, &["url", "link", "网址", "链接"]),
    target("licence", false, &["licence", "license", "许可", "版权"]),
    target("author", false, &["author", "作者", "撰稿"]),
    target("date", false, &["date", "日期", "发布日期", "时间"]),
    target("lang", false, &["lang", "language", "语言"]),
    target("region", false, &["region", "adcode", "地区代码", "行政区划代码", "适用地方"]),
    target("title_en", false, &["title_en", "英文标题", "英文题目"]),
    target("hazard", false, &["hazard", "灾害", "灾种"]),
    target("phase", false, &["phase", "阶段"]),
    target("mt", false, &["mt", "机器翻译"]),
    target("sample", false, &["sample", "示例"]),
];

const CLAIM: &[Target<'static>] = &[
    target("claim", true, &["claim", "说法", "谣言", "传言", "标题", "title", "text", "内容"]),
    target("variants", false, &["variants", "其他说法", "变体"]),
    target("verdict", false, &["verdict", "结论", "label", "判定", "rating"]),
    target("plain", false, &["plain", "一句话结论", "summary", "摘要"]),
    target("why", false, &["why", "为什么", "解释", "说明", "explanation", "reason", "reply"]),
    target("instead", false, &["instead", "可以怎么做", "建议"]),
    target("source", false, &["source", "依据", "来源", "evidence", "出处"]),
    target("publisher", false, &["publisher", "发布单位", "发布机构"]),
    target("url", false, &["url", "link", "网址", "链接"]),
    target("date", false, &["date", "依据日期", "来源日期"]),
    target("checked", false, &["checked", "核查日期", "checked_at"]),
    target("reviewer", false, &["reviewer", "审核人", "核查人", "复核人"]),
    target("reviewer_org", false, &["reviewer_org", "审核单位", "核查单位"]),
    target("author", false, &["author", "作者"]),
    target("fields", false, &["fields", "field", "subject", "领域", "学科", "domain"]),
    target("audience", false, &["audience", "受众", "对象", "写给谁"]),
    target("lang", false, &["lang", "language", "语言"]),
    target("region", false, &["region", "adcode", "地区代码", "行政区划代码", "适用地方"]),
    target("sample", false, &["sample", "示例"]),
];

/// What a row of a file of signals, or a message of a stream of them, can fill.
pub const SIGNAL: &[Target<'static>] = &[
    target("text", true, &["text", "内容", "正文", "消息", "标题", "title", "message", "content"]),
    target("time", false, &["time", "时间", "日期", "date", "unix_time", "first_seen"]),
    target("region", false, &["region", "adcode", "county", "地区代码", "行政区划代码", "县"]),
    target("weight", false, &["weight", "count", "次数", "权重"]),
];

/// Which column probably fills what: by name, each column once, the names in the order in which [`Target`] lists them.
pub fn guess(targets: &[Target<'_>], columns: &[String]) -> BTreeMap<String, String> {
    let mut left: Vec<&String> = columns.iter().collect();
    let mut found = BTreeMap::new();
    for target in targets {
        let named = target.columns.iter().find_map(|name| left.iter().position(|column| column.trim().to_lowercase() == name.to_lowercase()));
        if let Some(at) = named {
            found.insert(target.name.to_owned(), left.remove(at).clone());
        }
    }
    found
}

/// How a file is to be taken in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What its rows are.
    pub kind: Kind,
    /// Target and the column that fills it.
    pub columns: BTreeMap<String, String>,
    /// Target and what stands in rows whose column is empty or missing.
    pub fixed: BTreeMap<String, String>,
    /// Name under the sign-off for the whole batch.
    pub signed_by: String,
    /// The register that entries are for; other kinds have none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub register: String,
}

/// Why a plan cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A target that this kind of row does not have.
    #[error("\"{0}\" is nothing that a row of this kind can fill")]
    NoTarget(String),
    /// A column that the file does not have.
    #[error("the file has no column \"{column}\" for \"{target}\"")]
    NoColumn {
        /// What it should fill.
        target: String,
        /// The missing column.
        column: String,
    },
    /// Something needed that no column fills.
    #[error("no column fills \"{0}\"")]
    Unfilled(String),
}

impl Plan {
    /// What `row` says about `target`: its cell, else what is fixed; `None` if neither says anything.
    pub fn value<'a>(&'a self, row: &'a Row, target: &str) -> Option<&'a str> {
        self.cell(row, target).or_else(|| self.fixed.get(target).map(|text| text.trim()).filter(|text| !text.is_empty()))
    }

    /// What the row itself says about `target`.
    pub fn cell<'a>(&self, row: &'a Row, target: &str) -> Option<&'a str> {
        row.get(self.columns.get(target)?).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    /// Whether the plan fits a file with these columns, if its rows can fill these targets.
    pub fn check(&self, targets: &[Target<'_>], columns: &[String]) -> Result<(), PlanError> {
        let known = |name: &String| targets.iter().any(|target| target.name == name);
        if let Some(name) = self.columns.keys().chain(self.fixed.keys()).find(|name| !known(name)) {
            return Err(PlanError::NoTarget(name.clone()));
        }
        if let Some((target, column)) = self.columns.iter().find(|(_, column)| !columns.contains(column)) {
            return Err(PlanError::NoColumn { target: target.clone(), column: column.clone() });
        }
        let filled = |target: &&Target<'_>| self.columns.contains_key(target.name) || self.fixed.contains_key(target.name);
        match targets.iter().filter(|target| target.needed).find(|target| !filled(target)) {
            Some(target) => Err(PlanError::Unfilled(target.name.to_owned())),
            None => Ok(()),
        }
    }
}

/// How far a file has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Uploaded; nothing was taken in yet.
    Planned,
    /// A job (or, without one, a command) works on it or stopped half way.
    Started {
        /// The job.
        job: Option<JobId>,
    },
    /// Every row was looked at.
    Done {
        /// When.
        at: Timestamp,
    },
}

/// What became of the rows so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows of the file.
    pub rows: i64,
    /// Rows looked at; the sum of the next four.
    pub done: i64,
    /// Published under the batch sign-off; of entries: entered; of signals: heard.
    pub published: i64,
    /// Kept as drafts, because individual people must look at them.
    pub drafts: i64,
    /// Here already, from this file or another one.
    pub known: i64,
    /// Not taken.
    pub refused: i64,
    /// Rows that named no licence and got the plan's.
    pub licence_filled: i64,
}

/// One file with how it is taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Id.
    pub id: ImportId,
    /// Organisation that answers for it.
    pub org: OrgId,
    /// Who brought it; `None`: the operator at the command line.
    pub account: Option<AccountId>,
    /// BLAKE3 of its bytes.
    pub file: String,
    /// Its name, for show only.
    pub file_name: String,
    /// Its bytes.
    pub size: i64,
    /// How it is taken in.
    pub plan: Plan,
    /// How far it is.
    pub stage: Stage,
    /// When it was brought.
    pub created_at: Timestamp,
    /// What became of its rows.
    pub counts: Counts,
    /// Version read, for safe updates.
    pub version: i64,
}

/// The verdict that a word of a fact-checker's list means; `None` for words that are not understood.
pub fn verdict_of(word: &str) -> Option<Verdict> {
    let word = word.trim().to_lowercase().replace(['_', '-'], " ");
    Some(match word.as_str() {
        "true" | "supports" | "supported" | "not rumor" | "属实" | "真" | "真实" | "正确" | "屬實" | "正確" => Verdict::True,
        "false" | "refutes" | "refuted" | "rumor" | "rumour" | "不实" | "假" | "虚假" | "谣言" | "错误" | "不實" | "謠言" | "錯誤" => {
            Verdict::False
        }
        "partly" | "mixed" | "partly true" | "half true" | "misleading" | "部分属实" | "半真半假" | "误导" | "部分錯誤" | "部分错误" => {
            Verdict::Partly
        }
        "unproven" | "not enough info" | "nei" | "尚无定论" | "存疑" | "证据不足" | "尚無定論" | "證據不足" => Verdict::Unproven,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }
    fn guessed(kind: Kind, names: &[&str]) -> Vec<String> {
        guess(kind.targets(), &columns(names)).into_iter().map(|(target, column)| format!("{target}={column}")).collect()
    }

    #[test]
    fn columns_are_guessed_by_their_names_in_two_languages() {
        let content = ["id", "title", "text", "subject", "source", "licence", "url", "kind", "lang", "mt", "ref"];
        assert_eq!(
            guessed(Kind::Resource, &content),
            ["fields=subject", "lang=lang", "licence=licence", "mt=mt", "source=source", "text=text", "title=title", "type=kind", "url=url"]
        );
        assert_eq!(guessed(Kind::Resource, &["标题", " 内容 ", "来源"]), ["source=来源", "text= 内容 ", "title=标题"]);
        assert_eq!(guessed(Kind::Claim, &["id", "label", "domain", "claim", "evidence"]), ["claim=claim", "fields=domain", "source=evidence", "verdict=label"]);
        assert_eq!(guessed(Kind::Claim, &["id", "text"]), ["claim=text"]);
    }

    #[test]
    fn a_plan_must_fit_its_file() {
        let plan = |pairs: &[(&str, &str)]| Plan { columns: pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(), ..Plan::default() };
        let file = columns(&["t", "b"]);
        assert_eq!(plan(&[("title", "t"), ("text", "b")]).check(Kind::Resource.targets(), &file), Ok(()));
        assert_eq!(plan(&[("title", "t")]).check(Kind::Resource.targets(), &file), Err(PlanError::Unfilled("text".into())));
        assert_eq!(plan(&[("colour", "t")]).check(Kind::Resource.targets(), &file), Err(PlanError::NoTarget("colour".into())));
        assert!(matches!(plan(&[("title", "t"), ("text", "c")]).check(Kind::Resource.targets(), &file), Err(PlanError::NoColumn { .. })));
    }

    #[test]
    fn what_a_row_leaves_open_the_plan_fills() {
        let plan = Plan {
            columns: [("licence".to_owned(), "l".to_owned())].into(),
            fixed: [("licence".to_owned(), "CC0-1.0".to_owned()), ("lang".to_owned(), " ".to_owned())].into(),
            ..Plan::default()
        };
        let row = |text: &str| Row::from([("l".to_owned(), text.to_owned())]);
        assert_eq!(plan.value(&row(" MIT "), "licence"), Some("MIT"));
        assert_eq!(plan.value(&row(" "), "licence"), Some("CC0-1.0"));
        assert_eq!((plan.cell(&row(""), "licence"), plan.value(&row(""), "lang"), plan.value(&row(""), "title")), (None, None, None));
    }

    #[test]
    fn words_of_fact_checkers_are_understood_and_others_are_not_guessed() {
        assert_eq!(verdict_of(" REFUTES "), Some(Verdict::False));
        assert_eq!(verdict_of("NOT_RUMOR"), Some(Verdict::True));
        assert_eq!(verdict_of("NOT ENOUGH INFO"), Some(Verdict::Unproven));
        assert_eq!(verdict_of("部分属实"), Some(Verdict::Partly));
        assert_eq!(verdict_of("7"), None);
    }

    #[test]
    fn every_target_is_named_by_its_own_name_first() {
        for kind in KINDS {
            for target in kind.targets() {
                assert_eq!(target.columns.first(), Some(&target.name));
                assert!(target.columns.iter().all(|name| *name == name.to_lowercase()));
            }
        }
    }
}
