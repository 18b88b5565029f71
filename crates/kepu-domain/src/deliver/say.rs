//! A warning in words for places without a page: the text for a chat group, the script that is read aloud in a minute and a half. Made when they are
//! sent, never kept: what they say is true at that moment.

use super::warning::{Kind, Warning, Words};
use jiff::Timestamp;

/// Most letters of a script: ninety seconds at four and a half letters a second.
pub const SCRIPT_MAX: usize = 405;
/// Most letters of a text for a chat group.
pub const CHAT_MAX: usize = 300;

/// What a card gives to it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Said<'a> {
    /// Its title.
    pub title: &'a str,
    /// Its edition for a voice, or its first points in one line.
    pub spoken: &'a str,
    /// Its first points in one line.
    pub points: &'a str,
}

/// The colour of a level.
pub fn colour(level: i64, lang: &str) -> &'static str {
    let zh = !lang.starts_with("en");
    match level {
        1 if zh => "红色",
        2 if zh => "橙色",
        3 if zh => "黄色",
        _ if zh => "蓝色",
        1 => "red",
        2 => "orange",
        3 => "yellow",
        _ => "blue",
    }
}

/// A moment as it is said in China.
fn moment(at: Timestamp, lang: &str) -> String {
    let at = jiff::tz::Offset::constant(8).to_datetime(at);
    if lang.starts_with("en") {
        at.strftime("%-d %B %H:%M").to_string()
    } else {
        format!("{}月{}日{}时{:02}分", at.month(), at.day(), at.hour(), at.minute())
    }
}

fn end(text: &str, max: usize) -> String {
    let letters = |text: &str| text.chars().count();
    if letters(text) <= max {
        return text.to_owned();
    }
    // Whole sentences only: half a sentence is worse than none.
    let mut out = String::new();
    for sentence in text.split_inclusive(['。', '！', '？', '；', '\n']) {
        if letters(&out) + letters(sentence) > max {
            break;
        }
        out.push_str(sentence);
    }
    if out.is_empty() { text.chars().take(max.saturating_sub(1)).chain(['…']).collect() } else { out }
}

fn stop(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() || text.ends_with(['。', '！', '？', '.', '!', '?', '…']) { text.to_owned() } else { format!("{text}。") }
}

/// What is read aloud.
pub fn script(warning: &Warning, words: &Words, card: Option<Said<'_>>) -> String {
    let en = words.lang.starts_with("en");
    let until = moment(warning.expires, &words.lang);
    let head = match (warning.kind, en) {
        (Kind::Cancel, false) => format!("各位请注意。{}通知：{}。预警已经解除，请留意后续提醒。", words.issuer, words.headline),
        (Kind::Cancel, true) => format!("Attention. {} says: {}. The warning is over; listen for further advice.", words.issuer, words.headline),
        (_, false) => {
            format!("各位请注意，现在播送应急提醒。{}发布：{}。范围：{}。有效到{until}。{}", words.issuer, words.headline, words.area, stop(&words.instruction))
        }
        (_, true) => format!("Attention. {} has issued: {}. Area: {}. Valid until {until}. {}", words.issuer, words.headline, words.area, words.instruction),
    };
    let head = end(&head, SCRIPT_MAX);
    let left = SCRIPT_MAX.saturating_sub(head.chars().count());
    let rest = card.map(|card| end(&stop(card.spoken), left)).filter(|rest| !rest.ends_with('…')).unwrap_or_default();
    format!("{head}{rest}")
}

/// What is sent into a chat group; `page` is where to read on.
pub fn chat(warning: &Warning, words: &Words, card: Option<Said<'_>>, page: &str) -> String {
    let en = words.lang.starts_with("en");
    let until = moment(warning.expires, &words.lang);
    let mut lines = match (warning.kind, en) {
        (Kind::Cancel, false) => vec![format!("【解除】{}", words.headline), format!("发布：{}", words.issuer)],
        (Kind::Cancel, true) => vec![format!("[Over] {}", words.headline), format!("Issued by {}", words.issuer)],
        (_, false) => vec![format!("【{}预警】{}", colour(warning.level, &words.lang), words.headline), format!("发布：{}　有效到{until}", words.issuer)],
        (_, true) => {
            vec![format!("[{} warning] {}", colour(warning.level, &words.lang), words.headline), format!("Issued by {}, valid until {until}", words.issuer)]
        }
    };
    if !words.instruction.is_empty() {
        lines.push(words.instruction.clone());
    }
    if let Some(card) = card.filter(|card| !card.points.is_empty()) {
        lines.push(if en { format!("What to do: {}", card.points) } else { format!("怎么办：{}", card.points) });
    }
    let tail = if en { format!("More: {page}") } else { format!("全文：{page}") };
    let room = CHAT_MAX.saturating_sub(tail.chars().count() + 1);
    format!("{}\n{tail}", end(&lines.join("\n"), room).trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::warning::Name;

    fn warning(kind: Kind) -> (Warning, Words) {
        let words = Words {
            lang: "zh-Hans".into(),
            headline: "暴雨橙色预警".into(),
            issuer: "示例台".into(),
            area: "郑州市".into(),
            instruction: "远离低洼处".into(),
            description: String::new(),
        };
        let at = |second| Timestamp::from_second(second).expect("time");
        let warning = Warning {
            name: Name { sender: "a".into(), identifier: "1".into() },
            sent: at(0),
            kind,
            references: vec![],
            hazard: "N-RAIN".into(),
            level: 2,
            urgency: String::new(),
            certainty: String::new(),
            effective: at(0),
            expires: at(3_600),
            ends: true,
            places: vec![],
            words: vec![words.clone()],
            web: String::new(),
            original: String::new(),
            taken_back: String::new(),
        };
        (warning, words)
    }

    #[test]
    fn a_script_names_issuer_area_and_end_and_is_read_in_ninety_seconds() {
        let (one, words) = warning(Kind::Alert);
        let long = "往高处走。".repeat(200);
        let text = script(&one, &words, Some(Said { title: "", spoken: &long, points: "" }));
        assert!(
            text.contains("示例台发布：暴雨橙色预警") && text.contains("郑州市") && text.contains("1月1日9时00分") && text.contains("远离低洼处。"),
            "{text}"
        );
        assert!(text.chars().count() <= SCRIPT_MAX && text.ends_with("往高处走。"), "{text}");
        let (over, words) = warning(Kind::Cancel);
        assert!(script(&over, &words, None).contains("已经解除"));
    }

    #[test]
    fn a_text_for_a_group_always_says_where_to_read_on() {
        let (one, words) = warning(Kind::Alert);
        let points = "关电闸；".repeat(300);
        let text = chat(&one, &words, Some(Said { title: "", spoken: "", points: &points }), "https://example.org/now/410100");
        assert!(text.starts_with("【橙色预警】暴雨橙色预警\n发布：示例台　有效到") && text.ends_with("https://example.org/now/410100"), "{text}");
        assert!(text.chars().count() <= CHAT_MAX);
        assert!(chat(&warning(Kind::Cancel).0, &words, None, "/now").starts_with("【解除】"));
    }
}
