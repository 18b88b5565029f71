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

/// Masks what identifies people in a text before it is compared or stored: runs of seven or more digits (telephone, identity card, account), mail addresses
/// and web accounts' `@` names, names of chat accounts, number plates, street and house numbers, what follows the `?` of a link. Returns the text and how many
/// places were masked. The only such function: whatever comes from outside passes it (`kepu-app::listen::hear`).
pub fn mask_personal(text: &str) -> (String, usize) {
    let mut out = String::with_capacity(text.len());
    let mut masked = 0;
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let run = digit_run(rest);
        let house = house_run(&out, rest);
        if run.digits >= 7 {
            out.push_str("〔号码〕");
            masked += 1;
            at += run.len;
        } else if house > 0 {
            if ends_in_street(&out) {
                out.truncate(street_from(&out));
            }
            if !out.ends_with("〔地址〕") {
                out.push_str("〔地址〕");
                masked += 1;
            }
            at += house;
        } else if let Some(len) = plate(rest) {
            out.push_str("〔车牌〕");
            masked += 1;
            at += len;
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
        } else if let Some((label, len)) = chat_account(rest) {
            out.extend(&rest[..label]);
            out.push_str("〔账号〕");
            masked += 1;
            at += len;
        } else if chars[at] == '?' && in_link(&out) {
            let len = rest.iter().take_while(|c| c.is_ascii_graphic()).count();
            masked += usize::from(len > 1);
            at += len.max(1);
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    (out, masked)
}

/// Words before the name of a chat account.
const CHAT: [&str; 8] = ["微信号", "微信", "wechat", "vx", "qq号", "qq", "抖音号", "支付宝"];

/// `微信号：abc_123`: how many characters the label and the whole take.
fn chat_account(chars: &[char]) -> Option<(usize, usize)> {
    let starts = |word: &&&str| word.chars().enumerate().all(|(n, c)| chars.get(n).is_some_and(|here| here.to_ascii_lowercase() == c));
    let mut label = CHAT.iter().find(starts)?.chars().count();
    label += chars[label..].iter().take_while(|c| matches!(c, ':' | '：' | ' ' | '是' | '号')).count();
    let name = chars[label..].iter().take_while(|c| mail_char(**c)).count();
    (name >= 5).then_some((label, label + name))
}

/// A number plate such as 豫S·12345.
fn plate(chars: &[char]) -> Option<usize> {
    const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";
    let (first, second) = (chars.first()?, chars.get(1)?);
    if !PROVINCES.contains(*first) || !second.is_ascii_uppercase() {
        return None;
    }
    let dot = usize::from(chars.get(2).is_some_and(|c| matches!(c, '·' | '•' | ' ')));
    let number = chars[2 + dot..].iter().take_while(|c| c.is_ascii_uppercase() || c.is_ascii_digit()).count();
    matches!(number, 5 | 6).then_some(2 + dot + number)
}

/// How many characters of `chars` are a house number (`18号`, `3栋2单元501室`), given what stands before; 0 if they are none.
fn house_run(before: &str, chars: &[char]) -> usize {
    let mut len = 0;
    loop {
        let digits = chars[len..].iter().take_while(|c| c.is_ascii_digit()).count();
        let unit = &chars[len + digits..];
        let starts = |word: &str| word.chars().enumerate().all(|(n, c)| unit.get(n) == Some(&c));
        let street = len > 0 || ends_in_street(before);
        let known = ["号楼", "栋", "幢", "单元", "室", "号院", "号"].into_iter().find(|word| starts(word) && (*word != "号" || street));
        match known.filter(|_| (1..=5).contains(&digits)) {
            Some(word) => len += digits + word.chars().count(),
            None => return len,
        }
    }
}

/// Whether `text` ends in the name of a street.
fn ends_in_street(text: &str) -> bool {
    // 道 alone ends many words (知道).
    text.ends_with(['路', '街', '巷', '弄', '村']) || text.ends_with("大道") || text.ends_with("街道")
}

/// Where the name of the street at the end of `text` begins: at most four letters before its own, back to the last county, town or word of place.
fn street_from(text: &str) -> usize {
    const ENDS: &str = "省市区县镇乡在住是到从";
    let name = |c: char| ('\u{4E00}'..='\u{9FFF}').contains(&c) && !ENDS.contains(c);
    let letters = text.char_indices().rev().enumerate().take_while(|(n, (_, c))| *n < 5 && (*n == 0 || name(*c)));
    letters.last().map_or(text.len(), |(_, (at, _))| at)
}

/// Whether what was written last is a link.
fn in_link(out: &str) -> bool {
    let tail = out.rsplit(|c: char| !c.is_ascii_graphic()).next().unwrap_or_default();
    tail.contains("://")
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
        assert_eq!(mask_personal("加我微信号：dr_li88 问"), ("加我微信号：〔账号〕 问".into(), 1));
        assert_eq!(mask_personal("微信上说吃大蒜能治感冒"), ("微信上说吃大蒜能治感冒".into(), 0));
        assert_eq!(mask_personal("豫S·12345停在那里"), ("〔车牌〕停在那里".into(), 1));
    }

    #[test]
    fn an_address_is_masked_and_things_with_numbers_stay() {
        assert_eq!(mask_personal("我住光山县光辉路18号3栋2单元501室，水能喝吗"), ("我住光山县〔地址〕，水能喝吗".into(), 1));
        assert_eq!(mask_personal("5号电池和92号汽油、3号台风"), ("5号电池和92号汽油、3号台风".into(), 0));
        assert_eq!(mask_personal("看 https://a.example/x?openid=o6_b&t=1 说的"), ("看 https://a.example/x 说的".into(), 1));
        assert_eq!(mask_personal("真的吗?"), ("真的吗?".into(), 0));
    }

    #[test]
    fn other_figures_are_another_question() {
        assert!(same_figures("每天要喝8杯水吗", "听说每天要喝８杯水"));
        assert!(!same_figures("每天要喝8杯水吗", "每天要喝3杯水吗"));
        assert!(!same_figures("5G会影响健康吗", "会影响健康吗"));
        assert!(same_figures("大蒜能治感冒吗", "大蒜真能治感冒"));
    }
}
