//! A query text taken apart: what is looked for, what only builds the question, and what kind of answer it wants.
//!
//! How much of it a document must hold is decided in `gather`; how it scores, in `gather` and `rank`.

use std::collections::HashMap;

use kepu_text::fold::fold;
use kepu_text::graphemes;
use kepu_text::pieces::{Kind, grams};

use crate::query::QUERY_MAX;
use crate::words::{EVERYDAY, FILLERS};

/// Letters that build questions and sentences, not subjects. A pair with one of them says nothing about what is asked: without this, "什么是黑洞" would
/// ask for 什么, 么是 and 是黑 as much as for 黑洞. Only letters that hardly occur in words of a subject stand here (not 为, 和, 能, 会, 有: 行为, 碳中和, 能源 …);
/// whole phrases such as 怎么办 or 有没有 are in `data/search/fillers.txt`.
const PARTICLES: &str = "的了吗呢吧啊呀嘛么什怎哪谁是";
/// Most tokens of one query.
const TERMS_MAX: usize = 512;

/// Whether a token holds a letter that only builds sentences.
pub(crate) fn is_particle(token: &str) -> bool {
    token.contains(|c| PARTICLES.contains(c))
}

/// A query text taken apart. No term occurs twice.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Asked {
    /// Everything that is looked for; terms that decide first.
    pub terms: Vec<Term>,
    /// What must stand in a document as it is: the folded texts in quotation marks.
    pub phrases: Vec<String>,
    /// What kind of answer is wanted.
    pub wants: Wants,
    /// Whether the text was longer than [`QUERY_MAX`].
    pub truncated: bool,
    /// Whether there was no text at all.
    pub blank: bool,
}

/// One folded token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Term {
    pub text: String,
    pub shape: Shape,
    pub part: Part,
    /// For a term of the vocabulary: the everyday word that was said.
    pub said: Option<String>,
}

/// What a token is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Shape {
    /// One letter of a script without spaces.
    Letter,
    /// Two neighbouring letters.
    Pair,
    /// A whole word or number, or a letter that stands alone.
    Word,
}

/// What a token does in the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Part {
    /// Names what is asked about.
    Subject,
    /// A pair of which one letter builds the question.
    Border,
    /// Builds the question.
    Filler,
    /// A technical word for an everyday word of the question.
    Technical,
}

/// Kinds of answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) enum Wants {
    #[default]
    Anything,
    Person,
    Time,
    Number,
    Place,
    Reason,
    Meaning,
    Way,
}

impl Asked {
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let kept = graphemes::truncate(text, QUERY_MAX);
        // One user character can be ten thousand marks on one letter.
        let kept = kept.char_indices().nth(QUERY_MAX * 8).map_or(kept, |(end, _)| &kept[..end]);
        let folded = fold(kept);
        let mut asked =
            Self { phrases: phrases(kept), wants: Wants::of(&folded), truncated: kept.len() < text.len(), blank: text.is_empty(), ..Self::default() };
        let mut terms = Terms::default();
        terms.add_text(&folded);
        terms.add_vocabulary(&folded);
        asked.terms = terms.list;
        if asked.deciding().next().is_none() {
            // A question of question words asks for them.
            for term in asked.terms.iter_mut().filter(|term| term.part != Part::Technical && term.shape != Shape::Letter) {
                term.part = Part::Subject;
            }
        }
        asked.terms.sort_by_key(|term| (term.part, term.shape == Shape::Letter));
        asked
    }

    /// Terms that decide whether a document is found.
    pub fn deciding(&self) -> impl Iterator<Item = &Term> {
        self.terms.iter().filter(|term| term.decides())
    }
}

impl Term {
    /// Whether it decides if a document is found.
    pub fn decides(&self) -> bool {
        self.part == Part::Subject && self.shape != Shape::Letter
    }
}

/// Terms being collected.
#[derive(Default)]
struct Terms {
    list: Vec<Term>,
    seen: HashMap<(String, bool), usize>,
}

impl Terms {
    fn add(&mut self, text: String, shape: Shape, part: Part, said: Option<&str>) {
        let key = (text, shape == Shape::Letter);
        if let Some(&at) = self.seen.get(&key) {
            // The same letters once in a question word and once in a subject belong to the subject.
            self.list[at].part = self.list[at].part.min(part);
        } else if self.list.len() < TERMS_MAX {
            self.seen.insert(key.clone(), self.list.len());
            self.list.push(Term { text: key.0, shape, part, said: said.map(str::to_owned) });
        }
    }

    fn add_text(&mut self, folded: &str) {
        let fills = FILLERS.mark(folded);
        for gram in grams(folded) {
            let filling = (gram.start..gram.end).filter(|&at| fills[at]).count();
            let part = match filling {
                0 => Part::Subject,
                n if n == gram.end - gram.start => Part::Filler,
                _ => Part::Border,
            };
            let shape = match gram.kind {
                Kind::One => Shape::Letter,
                Kind::Two => Shape::Pair,
                Kind::Word | Kind::Lone => Shape::Word,
            };
            self.add(gram.text.into_owned(), shape, part, None);
        }
    }

    fn add_vocabulary(&mut self, folded: &str) {
        for (said, technical) in EVERYDAY.within(folded) {
            for word in technical {
                for gram in grams(word).filter(|gram| gram.kind != Kind::One) {
                    let shape = if gram.kind == Kind::Two { Shape::Pair } else { Shape::Word };
                    self.add(gram.text.into_owned(), shape, Part::Technical, Some(said));
                }
            }
        }
    }
}

/// Whether a letter builds sentences, for each character of `folded`.
pub(crate) fn particles(folded: &str) -> Vec<bool> {
    folded.chars().map(|c| PARTICLES.contains(c)).collect()
}

/// Texts in quotation marks, folded. Marks of a pair must fit; what is never closed is no phrase.
fn phrases(text: &str) -> Vec<String> {
    const MARKS: [(char, char); 5] = [('"', '"'), ('“', '”'), ('「', '」'), ('『', '』'), ('＂', '＂')];
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((at, open)) = rest.char_indices().find(|(_, c)| MARKS.iter().any(|(open, _)| open == c)) {
        rest = &rest[at + open.len_utf8()..];
        let close = MARKS.iter().find(|mark| mark.0 == open).map_or(open, |mark| mark.1);
        let Some(end) = rest.find(close) else { continue };
        let phrase = fold(&rest[..end]);
        if !phrase.is_empty() {
            found.push(phrase);
        }
        rest = &rest[end + close.len_utf8()..];
    }
    found
}

impl Wants {
    /// The kind of answer that `folded` asks for; the first sign counts.
    fn of(folded: &str) -> Self {
        const SIGNS: [(Wants, &[&str]); 7] = [
            (Wants::Reason, &["为什么", "为何", "为啥", "原因", "怎么会", "凭什么"]),
            (Wants::Person, &["谁", "哪位", "何人", "哪个人", "哪一位", "什么人", "哪些人", "who"]),
            (
                Wants::Time,
                &[
                    "哪一年",
                    "哪年",
                    "何时",
                    "什么时候",
                    "什么时间",
                    "哪一天",
                    "哪天",
                    "几月",
                    "几号",
                    "几点",
                    "多久",
                    "哪个世纪",
                    "哪一世纪",
                    "哪个年代",
                    "何年",
                    "几年",
                    "哪个朝代",
                    "什么年代",
                    "时间是",
                    "哪个时期",
                    "什么时期",
                    "when",
                ],
            ),
            (
                Wants::Number,
                &[
                    "多少",
                    "几个",
                    "几种",
                    "几条",
                    "几次",
                    "几类",
                    "几人",
                    "几",
                    "多大",
                    "多长",
                    "多高",
                    "多重",
                    "多远",
                    "多深",
                    "多快",
                    "多宽",
                    "百分之几",
                    "百分比",
                    "比例",
                    "几倍",
                    "how many",
                    "how much",
                ],
            ),
            (
                Wants::Place,
                &[
                    "哪里",
                    "哪儿",
                    "何处",
                    "在哪",
                    "哪个国家",
                    "哪国",
                    "哪个省",
                    "哪个城市",
                    "哪座",
                    "什么地方",
                    "哪个地方",
                    "哪些地方",
                    "哪些国家",
                    "哪个地区",
                    "哪些地区",
                    "何地",
                    "where",
                ],
            ),
            (Wants::Meaning, &["什么是", "是什么", "叫什么", "指什么", "什么意思", "什么叫", "称为", "名字", "what is"]),
            (Wants::Way, &["怎么", "怎样", "如何", "咋", "how"]),
        ];
        SIGNS.iter().find(|(_, signs)| signs.iter().any(|sign| folded.contains(sign))).map_or(Wants::Anything, |(wants, _)| *wants)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deciding(text: &str) -> Vec<String> {
        Asked::parse(text).deciding().map(|term| term.text.clone()).collect()
    }

    #[test]
    fn questions_are_about_their_subject() {
        assert_eq!(deciding("什么是黑洞？"), ["黑洞"]);
        assert_eq!(deciding("Wi-Fi 致癌嗎"), ["wi", "fi", "致癌"]);
        assert_eq!(deciding("是什么"), ["是什", "什么"]);
        assert_eq!(deciding("水"), ["水"]);
        assert_eq!(deciding("海嘯來了怎麼辦"), ["海啸", "啸来"]);
    }

    #[test]
    fn nothing_is_looked_for_twice_and_the_end_of_a_long_text_not_at_all() {
        let asked = Asked::parse(&"天空".repeat(5_000));
        assert!(asked.truncated && !asked.blank);
        assert_eq!((asked.deciding().count(), asked.terms.len()), (2, 4));
        assert!(Asked::parse(" \n ").blank);
        assert!(!Asked::parse("？！").blank);
    }

    #[test]
    fn what_stands_in_quotation_marks_is_a_phrase() {
        assert_eq!(Asked::parse("「光合作用」和“呼吸” \"DNA 雙螺旋\" “没有关上").phrases, ["光合作用", "呼吸", "dna 双螺旋"]);
        assert!(Asked::parse("没有引号 \"\"").phrases.is_empty());
    }

    #[test]
    fn the_kind_of_answer_is_told_by_the_question_word() {
        for (question, wants) in [
            ("谁发明了电灯", Wants::Person),
            ("地震是哪一年發生的", Wants::Time),
            ("长江有多长", Wants::Number),
            ("为什么天是蓝的", Wants::Reason),
            ("水稻", Wants::Anything),
        ] {
            assert_eq!(Asked::parse(question).wants, wants, "{question}");
        }
    }
}
