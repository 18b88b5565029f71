//! A text as the numbers of pieces of words: characters rewritten as the network knows them, then the row of pieces that is worth most together
//! (SentencePiece's unigram model).

use super::file::File;
use std::collections::HashMap;

/// Stands for a space; every text begins with one.
const SPACE: char = '\u{2581}';
/// What an unknown character costs beyond the worst piece.
const UNKNOWN_COST: f32 = 10.0;

/// The pieces there are.
pub struct Pieces {
    letters: Vec<u8>,
    /// Number, place in `letters` and worth of each piece, in the order of their bytes: those with one beginning stand together.
    sorted: Vec<Piece>,
    /// Where the pieces with a first character stand in `sorted`.
    first: HashMap<char, (usize, usize)>,
    rewritten: HashMap<char, String>,
    begin: u32,
    end: u32,
    unknown: u32,
    unknown_worth: f32,
}

#[derive(Clone, Copy)]
struct Piece {
    number: u32,
    start: u32,
    length: u16,
    worth: f32,
}

/// The best way to a place in a text.
#[derive(Clone, Copy)]
struct Way {
    worth: f32,
    from: usize,
    piece: u32,
}

impl Pieces {
    pub fn read(file: &File) -> Option<Self> {
        let mut letters = Vec::new();
        let mut sorted = Vec::with_capacity(file.pieces.len());
        for (number, (bytes, worth)) in file.pieces.iter().enumerate() {
            if !bytes.is_empty() {
                let (start, length) = (u32::try_from(letters.len()).ok()?, u16::try_from(bytes.len()).ok()?);
                sorted.push(Piece { number: number as u32, start, length, worth: *worth });
                letters.extend_from_slice(bytes);
            }
        }
        sorted.sort_by(|a, b| spelt(&letters, a).cmp(spelt(&letters, b)));
        let mut first: HashMap<char, (usize, usize)> = HashMap::new();
        for (at, piece) in sorted.iter().enumerate() {
            // A piece of broken bytes can never be met.
            if let Some(c) = spelt(&letters, piece).utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next()) {
                first.entry(c).or_insert((at, at)).1 = at + 1;
            }
        }
        let rewritten = file.rewritten.iter().filter_map(|(from, to)| {
            let to: String = to.iter().filter_map(|c| char::from_u32(*c)).collect();
            Some((char::from_u32(*from)?, to))
        });
        let worst = sorted.iter().map(|piece| piece.worth).fold(0.0, f32::min);
        let (rewritten, unknown_worth) = (rewritten.collect(), worst - UNKNOWN_COST);
        Some(Self { letters, sorted, first, rewritten, begin: file.begin, end: file.end, unknown: file.unknown, unknown_worth })
    }

    /// The numbers of `text` with those that begin and end it, at most `most` together.
    pub fn cut(&self, text: &str, most: usize) -> Vec<u32> {
        let text = self.rewrite(text);
        let mut out: Vec<u32> = self.best(&text);
        out.truncate(most.saturating_sub(2));
        out.insert(0, self.begin);
        out.push(self.end);
        out
    }

    fn rewrite(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 3);
        let mut push = |c: char| {
            let c = if c == ' ' { SPACE } else { c };
            if c != SPACE || !out.ends_with(SPACE) {
                out.push(c);
            }
        };
        push(' ');
        for c in text.chars() {
            match self.rewritten.get(&c) {
                Some(to) => to.chars().for_each(&mut push),
                None => push(c),
            }
        }
        out
    }

    fn best(&self, text: &str) -> Vec<u32> {
        let mut places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let count = places.len();
        places.push(text.len());
        let mut ways = vec![Way { worth: f32::NEG_INFINITY, from: 0, piece: self.unknown }; count + 1];
        ways[0].worth = 0.0;
        for (at, c) in text.chars().enumerate() {
            let here = ways[at].worth;
            self.pieces_from(&text[places[at]..], c, |length, piece| {
                let to = at + text[places[at]..places[at] + length].chars().count();
                if here + piece.worth > ways[to].worth {
                    ways[to] = Way { worth: here + piece.worth, from: at, piece: piece.number };
                }
            });
            if here + self.unknown_worth > ways[at + 1].worth {
                ways[at + 1] = Way { worth: here + self.unknown_worth, from: at, piece: self.unknown };
            }
        }
        let (mut at, mut out) = (count, Vec::new());
        while at > 0 {
            out.push(ways[at].piece);
            at = ways[at].from;
        }
        out.reverse();
        out
    }

    /// Every piece that `text`, which begins with `first`, begins with, shortest first.
    fn pieces_from(&self, text: &str, first: char, mut found: impl FnMut(usize, &Piece)) {
        let Some(&(mut from, mut to)) = self.first.get(&first) else { return };
        let mut length = first.len_utf8();
        loop {
            let Some(piece) = self.sorted.get(from).filter(|_| from < to) else { return };
            if usize::from(piece.length) == length && piece.number != self.unknown {
                found(length, piece);
            }
            let Some(next) = text[length..].chars().next() else { return };
            let longer = length + next.len_utf8();
            let wanted = &text.as_bytes()[..longer];
            let range = &self.sorted[from..to];
            let beginning = |piece: &Piece| {
                let bytes = spelt(&self.letters, piece);
                &bytes[..bytes.len().min(longer)]
            };
            let start = range.partition_point(|piece| beginning(piece) < wanted);
            let end = start + range[start..].partition_point(|piece| beginning(piece) == wanted);
            (from, to, length) = (from + start, from + end, longer);
        }
    }
}

fn spelt<'a>(letters: &'a [u8], piece: &Piece) -> &'a [u8] {
    &letters[piece.start as usize..piece.start as usize + usize::from(piece.length)]
}
