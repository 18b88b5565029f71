//! An answer phrased by a language model from quoted passages, where the operator has named one (any OpenAI-compatible endpoint). Off by
//! default. A model may hang or lie: it gets little time, sees nothing but the question and the passages, and a sentence of it is shown only if
//! one of the passages holds it ([`holds`]). What it says is never kept.

use crate::error::AppError;
use crate::sync::transport;
use kepu_text::fold;
use serde::Deserialize;
use serde_json::json;
use std::collections::HashSet;
use std::time::Duration;

/// How long an answer is waited for.
pub const PATIENCE: Duration = Duration::from_secs(8);
/// Largest answer read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Most characters of what is shown.
const SAID_MAX: usize = 400;
/// Passages that a model gets.
pub const PASSAGES: usize = 3;
/// Share of a sentence's pairs of characters that must stand in the passage it names.
const HELD: f64 = 0.6;
/// Words that turn a sentence round: a sentence has one exactly where its passage has one.
const TURNS: [char; 8] = ['不', '没', '无', '非', '勿', '别', '未', '莫'];

/// A model at an endpoint.
#[derive(Clone, Debug)]
pub struct Model {
    /// Address up to the version, such as `http://127.0.0.1:8000/v1`.
    pub url: String,
    /// Its name there, shown to readers.
    pub name: String,
    /// Secret of the endpoint, if it wants one.
    pub key: Option<String>,
    /// How long an answer is waited for; [`PATIENCE`] unless a test is in a hurry.
    pub patience: Duration,
}

/// A sentence that a passage holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The sentence.
    pub text: String,
    /// The passage, from 0.
    pub passage: usize,
}

#[derive(Deserialize)]
struct Answer {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: String,
}

/// Asks the model. Empty if it says nothing that the passages hold.
///
/// # Errors
/// The endpoint cannot be reached, answers too late or too much, or not in its own protocol.
pub async fn phrase(model: &Model, question: &str, passages: &[String]) -> Result<Vec<Said>, AppError> {
    let failed = |cause: String| AppError::Peer { peer: model.name.clone(), cause };
    let numbered: Vec<String> = passages.iter().take(PASSAGES).enumerate().map(|(n, text)| format!("[{}] {text}", n + 1)).collect();
    let rules =
        "只根据给出的编号段落回答，不加任何段落以外的内容。用一到三个短句，尽量用段落的原话，每句末尾标出所依据的段落编号，如[1]。段落没有答案时只写“无”。";
    let body = json!({
        "model": model.name, "temperature": 0, "max_tokens": 400,
        "messages": [
            {"role": "system", "content": rules},
            {"role": "user", "content": format!("问题：{question}\n\n{}", numbered.join("\n"))},
        ],
    });
    let url = format!("{}/chat/completions", model.url.trim_end_matches('/'));
    let authorization = model.key.as_ref().map(|key| format!("Bearer {key}"));
    let asked = transport::post_json(&url, authorization.as_deref(), body.to_string().into_bytes(), ANSWER_BYTES_MAX);
    let bytes = tokio::time::timeout(model.patience, asked).await.map_err(|_| failed("no answer in time".into()))??;
    let answer: Answer = serde_json::from_slice(&bytes).map_err(|e| failed(format!("not the answer of such an endpoint ({e})")))?;
    let text = answer.choices.into_iter().next().map(|choice| choice.message.content).unwrap_or_default();
    Ok(held(&kepu_text::clean_text(&text), passages))
}

/// The sentences of `text` that the passages hold, at most [`SAID_MAX`] characters of them.
fn held(text: &str, passages: &[String]) -> Vec<Said> {
    let mut said = Vec::new();
    let mut length = 0;
    for (sentence, named) in sentences(text) {
        let passage = named.into_iter().filter(|n| (1..=passages.len()).contains(n)).map(|n| n - 1).find(|n| holds(&passages[*n], &sentence));
        length += kepu_text::count(&sentence);
        if let Some(passage) = passage.filter(|_| length <= SAID_MAX) {
            said.push(Said { text: sentence, passage });
        }
    }
    said
}

/// Sentences with the numbers of the passages they name.
fn sentences(text: &str) -> Vec<(String, Vec<usize>)> {
    let mut list: Vec<(String, Vec<usize>)> = Vec::new();
    let (mut words, mut rest) = (String::new(), text);
    while let Some(c) = rest.chars().next() {
        if let Some((number, after)) = rest.strip_prefix('[').and_then(|r| r.split_once(']')).filter(|(n, _)| n.len() <= 2) {
            if let (Ok(n), true) = (number.parse(), !words.trim().is_empty() || list.is_empty()) {
                list.push((std::mem::take(&mut words).trim().to_owned(), vec![n]));
            } else if let (Ok(n), Some((_, numbers))) = (number.parse(), list.last_mut()) {
                numbers.push(n);
            }
            rest = after;
            continue;
        }
        rest = &rest[c.len_utf8()..];
        // A full stop after the number ends the sentence before it.
        if !(words.is_empty() && matches!(c, '。' | '！' | '？' | '；' | '\n' | ' ')) {
            words.push(c);
        }
    }
    list.retain(|(sentence, _)| kepu_text::count(sentence) >= 4);
    list
}

/// Whether a passage says what a sentence says: most pairs of its characters stand there, every figure of it does, and the part of the passage
/// that is nearest turns where the sentence turns. Cautious: a free rewording is lost, an invention does not pass.
fn holds(passage: &str, sentence: &str) -> bool {
    let figures = |text: &str| -> HashSet<String> {
        fold(text).split(|c: char| !(c.is_ascii_digit() || c == '.')).map(|f| f.trim_matches('.').to_owned()).filter(|f| !f.is_empty()).collect()
    };
    let said = pairs(sentence);
    if said.is_empty() || !figures(sentence).is_subset(&figures(passage)) {
        return false;
    }
    let all = pairs(passage);
    let share = |known: &HashSet<(char, char)>| said.iter().filter(|pair| known.contains(pair)).count() as f64 / said.len() as f64;
    if share(&all) < HELD {
        return false;
    }
    let turns = |text: &str| text.chars().filter(|c| TURNS.contains(c)).count() % 2;
    let parts = passage.split(['。', '！', '？', '；', '\n']).filter(|part| !part.trim().is_empty());
    let nearest = parts.map(|part| (share(&pairs(part)), part)).max_by(|a, b| a.0.total_cmp(&b.0));
    nearest.is_some_and(|(near, part)| near < HELD || turns(part) == turns(sentence))
}

fn pairs(text: &str) -> HashSet<(char, char)> {
    let letters: Vec<char> = fold(text).chars().filter(|c| c.is_alphanumeric()).collect();
    letters.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const PASSAGE: &str = "隔夜水可以喝。自来水烧开后放置一夜，亚硝酸盐的含量仍远低于1毫克每升的限值。放置超过3天的水不建议直接喝。";

    fn list() -> Vec<String> {
        vec![PASSAGE.to_owned(), "冬天用炭火取暖要开窗通风。".to_owned()]
    }

    #[test]
    fn only_what_a_passage_holds_is_passed_on() {
        let said = |text: &str| held(text, &list()).into_iter().map(|s| (s.text, s.passage)).collect::<Vec<_>>();
        assert_eq!(said("隔夜水可以喝[1]。用炭火取暖要开窗通风[2]。"), [("隔夜水可以喝".into(), 0), ("用炭火取暖要开窗通风".into(), 1)]);
        assert_eq!(said("放置超过3天的水不建议直接喝[1]"), [("放置超过3天的水不建议直接喝".into(), 0)]);
        for lie in [
            "隔夜水不可以喝[1]",
            "隔夜水致癌，专家建议倒掉[1]",
            "亚硝酸盐的含量远低于5毫克每升的限值[1]",
            "隔夜水可以喝",
            "隔夜水可以喝[7]",
            "无",
            "放置超过3天的水建议直接喝[1]",
        ] {
            assert_eq!(said(lie), [], "{lie}");
        }
    }

    async fn endpoint(answer: Option<String>) -> Model {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listen");
        let url = format!("http://{}/v1", listener.local_addr().expect("address"));
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.expect("accept");
            let mut buffer = vec![0; 65_536];
            let read = socket.read(&mut buffer).await.expect("read");
            let head = String::from_utf8_lossy(&buffer[..read]).into_owned();
            assert!(head.starts_with("POST /v1/chat/completions HTTP/1.1"), "{head}");
            match answer {
                Some(body) => {
                    let text = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                    socket.write_all(text.as_bytes()).await.expect("write");
                }
                None => tokio::time::sleep(Duration::from_secs(60)).await,
            }
        });
        Model { url, name: "示例模型".into(), key: Some("secret".into()), patience: Duration::from_millis(300) }
    }

    #[tokio::test]
    async fn an_endpoint_is_asked_and_one_that_hangs_or_babbles_is_left_alone() {
        let good = json!({"choices": [{"message": {"content": "隔夜水可以喝[1]。地球是平的[1]。"}}]}).to_string();
        let said = phrase(&endpoint(Some(good)).await, "隔夜水能喝吗", &list()).await.expect("answer");
        assert_eq!(said, [Said { text: "隔夜水可以喝".into(), passage: 0 }]);
        let hangs = phrase(&endpoint(None).await, "隔夜水能喝吗", &list()).await;
        assert!(hangs.is_err_and(|e| e.to_string().contains("in time")));
        assert!(phrase(&endpoint(Some("<html>".into())).await, "隔夜水能喝吗", &list()).await.is_err());
        let nobody = Model { url: "http://127.0.0.1:9".into(), ..endpoint(None).await };
        assert!(phrase(&nobody, "隔夜水能喝吗", &list()).await.is_err());
    }
}
