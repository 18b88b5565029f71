//! What stands in the file: sizes, pieces of words, numbers by name. Little-endian; every length is checked, whatever the sum of the file says.

use super::DIM;
use std::collections::HashMap;

/// Numbers that share one step.
pub const BLOCK: usize = 32;
/// Bytes of a block: its step in 16 bits and four bits a number.
pub const BLOCK_BYTES: usize = 18;
/// Longest name, most names and most pieces.
const NAME_MAX: usize = 64;
const NAMES_MAX: usize = 4_096;
const PIECES_MAX: usize = 1 << 20;

/// The file, taken apart.
pub struct File<'a> {
    /// Pieces of words with what each is worth, in the order of their numbers.
    pub pieces: Vec<(&'a [u8], f32)>,
    /// Numbers of the pieces that begin and end a text, and of what is unknown.
    pub begin: u32,
    pub end: u32,
    pub unknown: u32,
    /// Characters that are written otherwise first.
    pub rewritten: Vec<(u32, Vec<u32>)>,
    numbers: Numbers<'a>,
}

/// By name: whether in blocks of four bits, and the bytes.
type Numbers<'a> = HashMap<&'a [u8], (bool, &'a [u8])>;

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }
    fn count(&mut self, most: usize) -> Option<usize> {
        usize::try_from(self.u32()?).ok().filter(|count| *count <= most)
    }
    fn long(&mut self) -> Option<usize> {
        usize::try_from(u64::from_le_bytes(self.array()?)).ok()
    }
}

impl<'a> File<'a> {
    /// Takes it apart; `None` if it is anything but the network that `net` can run.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor(bytes);
        let known = [DIM, super::net::LAYERS, super::net::HEADS, super::net::WIDE];
        (cursor.take(4)? == b"E5S1" && cursor.u32()? == 1).then_some(())?;
        for size in known {
            (cursor.u32()? as usize == size).then_some(())?;
        }
        let (_vocabulary, positions, _types, _least, block) = (cursor.u32()?, cursor.u32()?, cursor.u32()?, cursor.u32()?, cursor.u32()?);
        (positions as usize == super::net::POSITIONS && block as usize == BLOCK).then_some(())?;
        let count = cursor.count(PIECES_MAX)?;
        let (begin, end, _pad, unknown) = (cursor.u32()?, cursor.u32()?, cursor.u32()?, cursor.u32()?);
        let length = cursor.long()?;
        let ends: Vec<usize> = words(cursor.take(4 * (count + 1))?).map(|end| end as usize).collect();
        let worth: Vec<f32> = words(cursor.take(4 * count)?).map(f32::from_bits).collect();
        let letters = cursor.take(length)?;
        let pieces = ends.windows(2).zip(worth).map(|(ends, worth)| Some((letters.get(ends[0]..ends[1])?, worth))).collect::<Option<_>>()?;
        let rewritten = rewritten(&mut cursor)?;
        let numbers = names(&mut cursor, bytes)?;
        Some(Self { pieces, begin, end, unknown, rewritten, numbers })
    }

    /// `count` plain numbers.
    pub fn plain(&self, name: &str, count: usize) -> Option<Vec<f32>> {
        let (blocks, bytes) = self.numbers.get(name.as_bytes())?;
        (!blocks && bytes.len() == 4 * count).then(|| words(bytes).map(f32::from_bits).collect())
    }

    /// The blocks of any number of rows of `length` numbers of four bits.
    pub fn rows(&self, name: &str, length: usize) -> Option<&'a [u8]> {
        let (blocks, bytes) = self.numbers.get(name.as_bytes())?;
        (*blocks && bytes.len() % (length / BLOCK * BLOCK_BYTES) == 0).then_some(bytes)
    }

    /// The blocks that hold `count` numbers of four bits.
    pub fn blocks(&self, name: &str, count: usize) -> Option<&'a [u8]> {
        let (blocks, bytes) = self.numbers.get(name.as_bytes())?;
        (*blocks && bytes.len() == count / BLOCK * BLOCK_BYTES).then_some(bytes)
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word))
}

fn rewritten(cursor: &mut Cursor) -> Option<Vec<(u32, Vec<u32>)>> {
    let count = cursor.count(PIECES_MAX)?;
    let length = cursor.u32()? as usize;
    let mut rows = Cursor(cursor.take(length)?);
    let mut row = || {
        let (from, many) = (rows.u32()?, rows.array::<1>()?[0]);
        Some((from, words(rows.take(4 * usize::from(many))?).collect()))
    };
    (0..count).map(|_| row()).collect()
}

fn names<'a>(cursor: &mut Cursor<'a>, bytes: &'a [u8]) -> Option<Numbers<'a>> {
    let count = cursor.count(NAMES_MAX)?;
    let mut row = || {
        let length = usize::from(u16::from_le_bytes(cursor.array()?));
        let name = cursor.take(length).filter(|name| name.len() <= NAME_MAX)?;
        let blocks = cursor.array::<1>()?[0] == 1;
        let (_count, from, length) = (cursor.u32()?, cursor.long()?, cursor.long()?);
        Some((name, (blocks, bytes.get(from..from.checked_add(length)?)?)))
    };
    (0..count).map(|_| row()).collect()
}
