//! A text cut into sentences, and signs by which a sentence shows that it answers a certain kind of question.

use std::ops::Range;

use crate::asked::Wants;

/// Longest sentence in characters; a longer one is cut at a comma, or anywhere.
const SENTENCE_MAX: usize = 240;
/// From here on a comma will do.
const SENTENCE_LONG: usize = 160;

/// The sentences of `text` as byte ranges, in order, without white space around them. They end at full stops, question and exclamation marks and line ends;
/// a closing quotation mark or bracket belongs to the sentence it closes.
pub(crate) fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let (mut start, mut length) = (0, 0);
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        length += 1;
        let mut end = at + c.len_utf8();
        let comma = length >= SENTENCE_LONG && matches!(c, '，' | '；' | ';' | ',' | '、' | ' ');
        if !(matches!(c, '。' | '！' | '？' | '!' | '?' | '\n' | '．') || comma || length >= SENTENCE_MAX) {
            continue;
        }
        while let Some((at, c)) = chars.next_if(|(_, c)| matches!(c, '”' | '’' | '」' | '』' | '）' | ')' | '》' | '。' | '！' | '？')) {
            end = at + c.len_utf8();
        }
        push(text, start..end, &mut out);
        (start, length) = (end, 0);
    }
    push(text, start..text.len(), &mut out);
    out
}

fn push(text: &str, range: Range<usize>, out: &mut Vec<Range<usize>>) {
    let piece = &text[range.clone()];
    let start = range.start + (piece.len() - piece.trim_start().len());
    let end = start + piece.trim().len();
    if end > start {
        out.push(start..end);
    }
}

/// Whether the folded `sentence` shows what `wants` asks for; numbers that stand in the folded `question` prove nothing.
pub(crate) fn shows(wants: Wants, sentence: &str, question: &str) -> bool {
    let has = |signs: &[&str]| signs.iter().any(|sign| sentence.contains(sign));
    match wants {
        Wants::Anything => false,
        Wants::Person => has(&[
            "·",
            "•",
            "先生",
            "博士",
            "教授",
            "学家",
            "院士",
            "工程师",
            "医生",
            "国王",
            "皇帝",
            "总统",
            "发明家",
            "作者",
            "创始人",
            "探险家",
            "官员",
            "部门",
            "委员会",
            "人民政府",
        ]),
        Wants::Time => {
            numbers(sentence, question).any(|(number, after)| {
                number.chars().count() == 4
                    || ["年", "月", "日", "世纪", "天", "小时", "分钟", "秒", "周", "星期", "点", "时", "百万年", "亿年", "万年"]
                        .iter()
                        .any(|unit| after.starts_with(unit))
            }) || has(&["世纪", "年代", "时期", "朝", "时代"])
        }
        Wants::Number => numbers(sentence, question).next().is_some() || counted(sentence),
        Wants::Place => has(&["位于", "分布", "省", "市", "县", "国", "州", "洲", "岛", "海", "河", "江", "湖", "山", "地区", "境内"]),
        Wants::Reason => has(&["因为", "由于", "因此", "所以", "为了", "导致", "原因", "使得", "从而", "以免", "造成", "以便", "取决"]),
        Wants::Meaning => has(&["是指", "称为", "称作", "叫做", "又称", "即", "定义", "是一", "指的是", "简称", "名为", "被称", "也就是", "叫作", "俗称"]),
        Wants::Way => has(&["通过", "可以", "使用", "利用", "应当", "方法", "步骤", "首先", "采用", "需要", "按照", "用"]),
    }
}

/// Numbers in digits that do not stand in `question`, with the text after each.
fn numbers<'a>(sentence: &'a str, question: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let mut rest = sentence;
    std::iter::from_fn(move || {
        loop {
            let start = rest.find(|c: char| c.is_ascii_digit())?;
            let digits = &rest[start..];
            let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(digits.len());
            let number = digits[..end].trim_end_matches(['.', ',']);
            rest = &digits[end..];
            if !question.contains(number) {
                return Some((number, rest.trim_start()));
            }
        }
    })
}

/// Whether something is counted in words, as in 三种 or 几十个.
fn counted(sentence: &str) -> bool {
    let chars: Vec<char> = sentence.chars().collect();
    chars.windows(2).any(|two| {
        "一二三四五六七八九十百千万亿两半数几".contains(two[0]) && "个种条次类人名只年天倍成位座颗枚部分百千万亿十项层级对套组米元度".contains(two[1])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn sentences_keep_their_marks_and_lose_the_space_around() {
        assert_eq!(cut("天很蓝。 “为什么？”\n\n他问！！走了"), ["天很蓝。", "“为什么？”", "他问！！", "走了"]);
        assert_eq!(cut("约3.5米，DNA。"), ["约3.5米，DNA。"]);
        assert!(cut(" \n ").is_empty());
    }

    #[test]
    fn an_endless_sentence_is_cut() {
        let text = "天地，".repeat(1_000);
        assert!(cut(&text).iter().all(|piece| piece.chars().count() <= SENTENCE_MAX));
        assert_eq!(cut(&text).concat(), text);
        assert_eq!(cut(&"字".repeat(500)).len(), 3);
    }

    #[test]
    fn a_sentence_shows_what_is_asked_for() {
        assert!(shows(Wants::Time, "他于1905年发表", "哪一年"));
        assert!(!shows(Wants::Time, "他在1905年", "1905年谁"));
        assert!(shows(Wants::Number, "分为三种", "几种") && shows(Wants::Number, "共有28枚", "多少"));
        assert!(!shows(Wants::Number, "分布广泛", "多少"));
        assert!(shows(Wants::Reason, "由于重力", "为什么"));
    }
}
