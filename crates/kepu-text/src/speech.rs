//! A text as it is to be read aloud, by a machine or at a village microphone: marks gone, one sentence a line, units and signs in
//! words, what voices read wrongly spelt so that they do not.

use crate::markdown::plain;

/// What stands in writing and how it is said. Longer forms first; a form between digits and letters is only taken there.
const SAID: [(&str, &str); 38] = [
    ("mg/kg", "毫克每千克"),
    ("mg/L", "毫克每升"),
    ("μg/m³", "微克每立方米"),
    ("m/s", "米每秒"),
    ("km/h", "千米每小时"),
    ("mmHg", "毫米汞柱"),
    ("kcal", "千卡"),
    ("PM2.5", "PM二点五"),
    ("GB/T", "推荐性国家标准"),
    ("℃", "摄氏度"),
    ("°C", "摄氏度"),
    ("m²", "平方米"),
    ("m³", "立方米"),
    ("km", "千米"),
    ("cm", "厘米"),
    ("mm", "毫米"),
    ("mL", "毫升"),
    ("ml", "毫升"),
    ("kg", "千克"),
    ("mg", "毫克"),
    ("μg", "微克"),
    ("kW", "千瓦"),
    ("≥", "不低于"),
    ("≤", "不超过"),
    ("＞", "大于"),
    ("＜", "小于"),
    ("≈", "约"),
    ("±", "正负"),
    ("×", "乘"),
    ("→", "，"),
    ("～", "到"),
    ("——", "，"),
    ("—", "到"),
    ("120急救", "幺二零急救"),
    ("拨打120", "拨打幺二零"),
    ("拨打119", "拨打幺幺九"),
    ("拨打110", "拨打幺幺零"),
    ("12320", "幺二三二零"),
];

/// The script of a Markdown text: a sentence a line.
///
/// ```
/// assert_eq!(kepu_text::speech::script("## 温度\n烧到**70℃**以上。别凉着吃！"), "温度。\n烧到70摄氏度以上。\n别凉着吃！\n");
/// ```
pub fn script(md: &str) -> String {
    let mut text = plain(md);
    for (written, said) in SAID {
        if text.contains(written) {
            text = replace(&text, written, said);
        }
    }
    let mut out = String::with_capacity(text.len() + 64);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut sentence = String::new();
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            sentence.push(c);
            let quoted = chars.peek().is_some_and(|next| matches!(next, '”' | '’' | '）' | '」'));
            if matches!(c, '。' | '！' | '？' | '；' | '!' | '?') && !quoted {
                out.push_str(sentence.trim());
                out.push('\n');
                sentence.clear();
            }
        }
        let rest = sentence.trim();
        if !rest.is_empty() {
            out.push_str(rest);
            // A heading or list item is a sentence of its own, or voices run on.
            out.push_str(if rest.ends_with(['，', '、', '：', '”', '…']) || !rest.ends_with(|c: char| c.is_alphanumeric() || c == '）') {
                "\n"
            } else {
                "。\n"
            });
        }
    }
    out
}

/// Replaces `written` where no letter runs on into it: `mm` in "3 mm", never in "comma".
fn replace(text: &str, written: &str, said: &str) -> String {
    let letters = written.starts_with(|c: char| c.is_ascii_alphabetic());
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(written) {
        let (before, after) = (&rest[..at], &rest[at + written.len()..]);
        let runs_on = letters && (before.ends_with(|c: char| c.is_ascii_alphabetic()) || after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/'));
        out.push_str(before);
        out.push_str(if runs_on { written } else { said });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Seconds that reading a script aloud takes: 240 characters a minute, the pace of Chinese broadcasting to everybody.
pub fn seconds(script: &str) -> usize {
    script.chars().filter(|c| c.is_alphanumeric()).count() / 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_said_and_words_stay() {
        assert_eq!(script("每天5 mg/kg，3mm以内，comma 不变"), "每天5 毫克每千克，3毫米以内，comma 不变。\n");
        assert_eq!(script("他说：“别去。”我没去。\n\n- 关火\n- 开窗"), "他说：“别去。”我没去。\n关火。\n开窗。\n");
        assert_eq!(script(""), "");
        assert_eq!(seconds(&"字".repeat(360)), 90);
    }
}
