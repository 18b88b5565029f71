//! Sentences of a text that people wrote, and the name by which one is known again after the text around it was changed.
//! For reading aloud, texts are parted in `kepu-text::speech`.

use sha2::{Digest, Sha256};

/// The sentences of a Markdown text, without the marks of its lines. What a heading or list item says is one.
pub fn sentences(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    for line in text.lines() {
        let line = line.trim().trim_start_matches(['#', '-', '*', '>', ' ']);
        let mut from = 0;
        let mut chars = line.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let closes = |c: char| matches!(c, '”' | '’' | '）' | '」' | '"');
            if matches!(c, '。' | '！' | '？' | '；' | '!' | '?') && !chars.peek().is_some_and(|(_, next)| closes(*next)) {
                out.push(line[from..at + c.len_utf8()].trim());
                from = at + c.len_utf8();
            }
        }
        out.push(line[from..].trim());
    }
    out.retain(|sentence| sentence.chars().any(char::is_alphanumeric));
    out
}

/// The name of a sentence: the same for the same letters and digits, whatever stands between and around them.
pub fn anchor(sentence: &str) -> String {
    let letters: String = sentence.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    data_encoding::HEXLOWER.encode(&Sha256::digest(letters.as_bytes())[..8])
}

/// The sentence of `text` in which `word` stands, if it is in it.
pub fn around<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    sentences(text).into_iter().find(|sentence| sentence.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_known_again_when_the_text_around_it_changes() {
        let before = "## 怎么喝\n\n- 每天喝水约1500毫升。少量多次；“别等口渴。”\n";
        assert_eq!(sentences(before), ["怎么喝", "每天喝水约1500毫升。", "少量多次；", "“别等口渴。”"]);
        let after = "先说结论：**每天喝水约1500毫升**。";
        assert_ne!(anchor(sentences(before)[1]), anchor(sentences(after)[0]), "another sentence is another");
        assert_eq!(anchor("每天喝水约1500毫升。"), anchor("每天喝水，约 1500 毫升"));
        assert_eq!(around(before, "口渴"), Some("“别等口渴。”"));
        assert!(sentences("\n---\n").is_empty());
    }
}
