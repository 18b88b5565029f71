//! Questions: what a visitor wants to know, without any trace of who asked. Their answers are claims; the work is a case.

use crate::ids::{CaseId, QuestionId, SubjectId};
use crate::org::Region;
use jiff::Timestamp;

/// How far a question has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A case works on it.
    Open {
        /// The case; several questions may share one.
        case: CaseId,
    },
    /// Answered by a claim review.
    Answered {
        /// The claim.
        claim: SubjectId,
        /// When.
        at: Timestamp,
    },
    /// Not answered, and why.
    Closed {
        /// Reason shown to the asker.
        reason: String,
        /// When.
        at: Timestamp,
    },
}

/// One question. The place is a county at most; neither address nor device nor name is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The asker's only ticket, 80 random bits.
    pub id: QuestionId,
    /// The question as typed, cleaned.
    pub text: String,
    /// County, prefecture, province or nation as chosen by the asker.
    pub region: Region,
    /// When.
    pub asked_at: Timestamp,
    /// Stage.
    pub stage: Stage,
}

/// Masks what identifies people in a question before it is stored: runs of seven or more digits (telephone, identity
/// card, account), mail addresses and web accounts' `@` names. Returns the text and how many places were masked.
pub fn mask_personal(text: &str) -> (String, usize) {
    let mut out = String::with_capacity(text.len());
    let mut masked = 0;
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        let run = digit_run(&chars[at..]);
        if run.digits >= 7 {
            out.push_str("〔号码〕");
            masked += 1;
            at += run.len;
        } else if chars[at] == '@' {
            while out.chars().next_back().is_some_and(mail_char) {
                out.pop();
            }
            at += 1;
            while at < chars.len() && mail_char(chars[at]) {
                at += 1;
            }
            out.push_str("〔账号〕");
            masked += 1;
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    (out, masked)
}

/// Whether two questions that are close in words may share one case: their figures must be the same, because
/// "8 杯水" and "3 杯水" are two claims however alike the rest is.
pub fn same_figures(a: &str, b: &str) -> bool {
    let figures = |text: &str| -> Vec<String> {
        let half = |c: char| char::from_u32(u32::from(c).wrapping_sub(0xFEE0)).filter(char::is_ascii_digit).unwrap_or(c);
        let halved: String = text.chars().map(half).collect();
        let mut list: Vec<String> = halved.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty()).map(str::to_owned).collect();
        list.sort_unstable();
        list
    };
    figures(a) == figures(b)
}

struct Run {
    digits: usize,
    len: usize,
}

/// Digits (of any width) that may be broken by single spaces or hyphens; an identity card may end in X.
fn digit_run(chars: &[char]) -> Run {
    let is_digit = |c: char| c.is_ascii_digit() || ('０'..='９').contains(&c);
    let (mut digits, mut len, mut at) = (0, 0, 0);
    while at < chars.len() {
        if is_digit(chars[at]) {
            digits += 1;
            at += 1;
            len = at;
        } else if digits > 0 && matches!(chars[at], ' ' | '-' | '－') && chars.get(at + 1).is_some_and(|c| is_digit(*c)) {
            at += 1;
        } else {
            break;
        }
    }
    if digits == 17 && chars.get(len).is_some_and(|c| matches!(c, 'x' | 'X')) {
        len += 1;
    }
    Run { digits, len }
}

fn mail_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_accounts_are_masked_and_figures_stay() {
        assert_eq!(mask_personal("我爸13800138000说每天喝1500毫升水"), ("我爸〔号码〕说每天喝1500毫升水".into(), 1));
        assert_eq!(mask_personal("写信给li.si@example.cn问"), ("写信给〔账号〕问".into(), 1));
        assert_eq!(mask_personal("11010519491231002X 和 0371-6666 7777"), ("〔号码〕 和 〔号码〕".into(), 2));
        assert_eq!(mask_personal("2024年5月"), ("2024年5月".into(), 0));
    }

    #[test]
    fn other_figures_are_another_question() {
        assert!(same_figures("每天要喝8杯水吗", "听说每天要喝８杯水"));
        assert!(!same_figures("每天要喝8杯水吗", "每天要喝3杯水吗"));
        assert!(!same_figures("5G会影响健康吗", "会影响健康吗"));
        assert!(same_figures("大蒜能治感冒吗", "大蒜真能治感冒"));
    }
}
