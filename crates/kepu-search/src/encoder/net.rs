//! The network: twelve layers of attention over the pieces of a text, then the mean of what they came to. Weights of four bits are unpacked once into the order in which the
//! processor wants them; vector instructions come from `fearless_simd`, which picks what the machine has. Functions that are generic over `Simd` are always inlined: only so does
//! the compiler know which instructions it may use.

use super::DIM;
use super::file::{BLOCK, BLOCK_BYTES, File};
use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch};

/// Layers, heads of attention, numbers between the two halves of a layer, and places of a text.
pub const LAYERS: usize = 12;
pub const HEADS: usize = 12;
pub const WIDE: usize = 1_536;
pub const POSITIONS: usize = 512;
/// Numbers of a head.
const HEAD: usize = DIM / HEADS;
/// Added to a spread before the root is taken.
const LEAST: f32 = 1e-12;
/// Vectors of the processor in one row of a panel.
const VECTORS: usize = 3;
/// Rows that are worked on together, where there are registers enough and where there are fewer.
const ROWS_MOST: usize = 8;
const ROWS: usize = 4;

/// A product with weights.
struct Matrix {
    inputs: usize,
    outputs: usize,
    /// Panel after panel of some columns, each row by row.
    panels: Vec<f32>,
    bias: Vec<f32>,
}

/// What centres and spreads a row.
struct Norm {
    scale: Vec<f32>,
    shift: Vec<f32>,
}

struct Layer {
    query: Matrix,
    key: Matrix,
    value: Matrix,
    mixed: Matrix,
    after_mixing: Norm,
    wide: Matrix,
    narrow: Matrix,
    after_all: Norm,
}

/// The network.
pub struct Net {
    level: Level,
    /// Rows of the pieces, packed as they came.
    words: Vec<u8>,
    places: Vec<f32>,
    kind: Vec<f32>,
    before: Norm,
    layers: Vec<Layer>,
}

impl Net {
    pub fn read(file: &File) -> Option<Self> {
        let level = Level::new();
        let width = VECTORS * dispatch!(level, simd => lanes(simd));
        let norm = |name: &str| Some(Norm { scale: file.plain(&format!("{name}.w"), DIM)?, shift: file.plain(&format!("{name}.b"), DIM)? });
        let matrix = |name: &str, inputs: usize, outputs: usize| {
            let blocks = file.blocks(&format!("{name}.w"), inputs * outputs)?;
            Some(Matrix::new(blocks, file.plain(&format!("{name}.b"), outputs)?, inputs, outputs, width))
        };
        let layer = |n: usize| {
            Some(Layer {
                query: matrix(&format!("l{n}.q"), DIM, DIM)?,
                key: matrix(&format!("l{n}.k"), DIM, DIM)?,
                value: matrix(&format!("l{n}.v"), DIM, DIM)?,
                mixed: matrix(&format!("l{n}.ao"), DIM, DIM)?,
                after_mixing: norm(&format!("l{n}.aln"))?,
                wide: matrix(&format!("l{n}.fi"), DIM, WIDE)?,
                narrow: matrix(&format!("l{n}.fo"), WIDE, DIM)?,
                after_all: norm(&format!("l{n}.oln"))?,
            })
        };
        let words = file.rows("emb.word", DIM)?.to_vec();
        // Of the two kinds of texts that the network could tell apart only the first is used.
        let kind = file.plain("emb.type", 2 * DIM)?[..DIM].to_vec();
        let layers = (0..LAYERS).map(layer).collect::<Option<_>>()?;
        Some(Self { level, words, places: file.plain("emb.pos", POSITIONS * DIM)?, kind, before: norm("emb.ln")?, layers })
    }

    /// The direction of each text, given as the numbers of its pieces.
    pub fn run(&self, texts: &[Vec<u32>]) -> Vec<[f32; DIM]> {
        let count: usize = texts.iter().map(Vec::len).sum();
        let mut x = Vec::with_capacity(count * DIM);
        for text in texts {
            for (place, id) in text.iter().enumerate() {
                self.embed(*id, place, &mut x);
            }
        }
        dispatch!(self.level, simd => normalise(simd, &mut x, None, &self.before));
        let mut room = Room {
            packed: Vec::new(),
            query: vec![0.0; count * DIM],
            key: vec![0.0; count * DIM],
            value: vec![0.0; count * DIM],
            wide: vec![0.0; count * WIDE],
        };
        for layer in &self.layers {
            self.layer(layer, texts, &mut x, &mut room);
        }
        let mut start = 0;
        texts
            .iter()
            .map(|text| {
                let rows = &x[start..start + text.len() * DIM];
                start += text.len() * DIM;
                mean(rows)
            })
            .collect()
    }

    fn embed(&self, id: u32, place: usize, out: &mut Vec<f32>) {
        let from = out.len();
        let row = DIM / BLOCK * BLOCK_BYTES;
        // Numbers come from `pieces`, which has only those of the file; an unknown one would be a row of nothing.
        let bytes = self.words.get(id as usize * row..(id as usize + 1) * row).unwrap_or_default();
        unpacked(bytes, out);
        out.resize(from + DIM, 0.0);
        let place = &self.places[place * DIM..(place + 1) * DIM];
        for ((x, place), kind) in out[from..].iter_mut().zip(place).zip(&self.kind) {
            *x += place + kind;
        }
    }

    fn layer(&self, layer: &Layer, texts: &[Vec<u32>], x: &mut [f32], room: &mut Room) {
        let Room { packed, query, key, value, wide } = room;
        packed_rows(x, DIM, packed);
        for (matrix, out) in [(&layer.query, &mut *query), (&layer.key, key), (&layer.value, value)] {
            dispatch!(self.level, simd => product(simd, packed, matrix, out));
        }
        let mut start = 0;
        for text in texts {
            let rows = start..start + text.len() * DIM;
            start = rows.end;
            // What was asked for makes room for what was found, head by head.
            dispatch!(self.level, simd => attend(simd, &mut query[rows.clone()], &key[rows.clone()], &value[rows.clone()]));
        }
        packed_rows(query, DIM, packed);
        dispatch!(self.level, simd => product(simd, packed, &layer.mixed, key));
        dispatch!(self.level, simd => normalise(simd, x, Some(key), &layer.after_mixing));
        packed_rows(x, DIM, packed);
        dispatch!(self.level, simd => product(simd, packed, &layer.wide, wide));
        dispatch!(self.level, simd => bend(simd, wide));
        packed_rows(wide, WIDE, packed);
        dispatch!(self.level, simd => product(simd, packed, &layer.narrow, key));
        dispatch!(self.level, simd => normalise(simd, x, Some(key), &layer.after_all));
    }
}

/// Memory used again in every layer.
struct Room {
    packed: Vec<f32>,
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
    wide: Vec<f32>,
}

fn mean(rows: &[f32]) -> [f32; DIM] {
    let mut out = [0.0_f32; DIM];
    for row in rows.chunks_exact(DIM) {
        out.iter_mut().zip(row).for_each(|(out, x)| *out += x);
    }
    let length = out.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-9);
    out.map(|x| x / length)
}

/// Numbers of four bits as plain ones, appended to `out`.
fn unpacked(blocks: &[u8], out: &mut Vec<f32>) {
    for block in blocks.as_chunks::<BLOCK_BYTES>().0 {
        let step = half(u16::from_le_bytes([block[0], block[1]]));
        let number = |nibble: u8| (f32::from(nibble) - 8.0) * step;
        out.extend(block[2..].iter().map(|byte| number(byte & 15)));
        out.extend(block[2..].iter().map(|byte| number(byte >> 4)));
    }
}

/// A number of 16 bits (IEEE 754 binary16).
fn half(bits: u16) -> f32 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1_023) / 1_024.0);
    let size = match exponent {
        0 => fraction * 2.0_f32.powi(-14),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction) * 2.0_f32.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -size } else { size }
}

impl Matrix {
    fn new(blocks: &[u8], bias: Vec<f32>, inputs: usize, outputs: usize, width: usize) -> Self {
        let mut plain = Vec::with_capacity(inputs * outputs);
        unpacked(blocks, &mut plain);
        let mut panels = Vec::with_capacity(plain.len());
        // Every width that there is divides the outputs: they are multiples of 96.
        for panel in (0..outputs).step_by(width) {
            for input in 0..inputs {
                panels.extend((panel..panel + width).map(|output| plain[output * inputs + input]));
            }
        }
        Self { inputs, outputs, panels, bias }
    }
}

/// Rows of `x` in groups of [`ROWS_MOST`], of [`ROWS`] and single ones, each group column by column, so that the product reads it straight on.
fn packed_rows(x: &[f32], length: usize, out: &mut Vec<f32>) {
    out.clear();
    let mut rest = x;
    while !rest.is_empty() {
        let rows = group(rest.len() / length);
        let (head, tail) = rest.split_at(rows * length);
        for at in 0..length {
            out.extend((0..rows).map(|row| head[row * length + at]));
        }
        rest = tail;
    }
}

/// How many of the rows that are left go together.
fn group(left: usize) -> usize {
    match left {
        ROWS_MOST.. => ROWS_MOST,
        ROWS.. => ROWS,
        _ => 1,
    }
}

/// How many numbers the processor works on at once.
#[inline(always)]
fn lanes<S: Simd>(_: S) -> usize {
    S::f32s::LEN
}

/// Rows times weights.
#[inline(always)]
fn product<S: Simd>(simd: S, packed: &[f32], matrix: &Matrix, out: &mut [f32]) {
    let Matrix { inputs, outputs, panels, bias } = matrix;
    let width = VECTORS * S::f32s::LEN;
    let count = packed.len() / inputs;
    for (n, (panel, bias)) in panels.chunks_exact(inputs * width).zip(bias.chunks_exact(width)).enumerate() {
        let (mut left, mut row) = (packed, 0);
        while row < count {
            let rows = group(count - row);
            let (head, tail) = left.split_at(rows * inputs);
            let mut write = |row: usize, sums: &[S::f32s; VECTORS]| {
                let start = row * outputs + n * width;
                let vectors = out[start..start + width].chunks_exact_mut(S::f32s::LEN).zip(bias.chunks_exact(S::f32s::LEN));
                for ((out, bias), sum) in vectors.zip(sums) {
                    (*sum + S::f32s::from_slice(simd, bias)).store_slice(out);
                }
            };
            match rows {
                // Where registers are few, eight rows are worked on as four and four.
                ROWS_MOST if S::f32s::LEN < 16 => {
                    tile::<S, ROWS_MOST, ROWS>(simd, head, 0, panel).iter().enumerate().for_each(|(n, sums)| write(row + n, sums));
                    tile::<S, ROWS_MOST, ROWS>(simd, head, ROWS, panel).iter().enumerate().for_each(|(n, sums)| write(row + ROWS + n, sums));
                }
                ROWS_MOST => tile::<S, ROWS_MOST, ROWS_MOST>(simd, head, 0, panel).iter().enumerate().for_each(|(n, sums)| write(row + n, sums)),
                ROWS => tile::<S, ROWS, ROWS>(simd, head, 0, panel).iter().enumerate().for_each(|(n, sums)| write(row + n, sums)),
                _ => tile::<S, 1, 1>(simd, head, 0, panel).iter().for_each(|sums| write(row, sums)),
            }
            (left, row) = (tail, row + rows);
        }
    }
}

/// `COUNT` rows from `from` on, of a group of `GROUP`, times one panel.
#[inline(always)]
fn tile<S: Simd, const GROUP: usize, const COUNT: usize>(simd: S, packed: &[f32], from: usize, panel: &[f32]) -> [[S::f32s; VECTORS]; COUNT] {
    let mut sums = [[S::f32s::simd_from(simd, 0.0); VECTORS]; COUNT];
    for (x, weights) in packed.as_chunks::<GROUP>().0.iter().zip(panel.chunks_exact(VECTORS * S::f32s::LEN)) {
        let weights: [S::f32s; VECTORS] = std::array::from_fn(|vector| S::f32s::from_slice(simd, &weights[vector * S::f32s::LEN..(vector + 1) * S::f32s::LEN]));
        for row in 0..COUNT {
            let x = S::f32s::simd_from(simd, x[from + row]);
            for vector in 0..VECTORS {
                sums[row][vector] = x.mul_add(weights[vector], sums[row][vector]);
            }
        }
    }
    sums
}

/// One text: every place takes from every other what its heads ask for. What is found stands where was asked.
#[inline(always)]
fn attend<S: Simd>(_: S, query: &mut [f32], key: &[f32], value: &[f32]) {
    let count = key.len() / DIM;
    let scale = 1.0 / (HEAD as f32).sqrt();
    let mut across = vec![0.0_f32; HEAD * count];
    let mut shares = vec![0.0_f32; count];
    for head in 0..HEADS {
        for (at, row) in key.chunks_exact(DIM).enumerate() {
            for (n, x) in row[head * HEAD..(head + 1) * HEAD].iter().enumerate() {
                across[n * count + at] = *x;
            }
        }
        for query in query.chunks_exact_mut(DIM) {
            let Some(own) = query[head * HEAD..].first_chunk_mut::<HEAD>() else { continue };
            shares.fill(0.0);
            for (x, keys) in own.iter().zip(across.chunks_exact(count)) {
                let x = x * scale;
                shares.iter_mut().zip(keys).for_each(|(share, key)| *share += x * key);
            }
            let most = shares.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            shares.iter_mut().for_each(|share| *share = exp(*share - most));
            let whole = 1.0 / shares.iter().sum::<f32>();
            let mut found = [0.0_f32; HEAD];
            for (share, value) in shares.iter().zip(value.chunks_exact(DIM)) {
                let share = share * whole;
                found.iter_mut().zip(&value[head * HEAD..(head + 1) * HEAD]).for_each(|(found, x)| *found += share * x);
            }
            *own = found;
        }
    }
}

/// Adds `y`, then brings every row to mean 0 and spread 1, scaled and shifted as learnt.
#[inline(always)]
fn normalise<S: Simd>(_: S, x: &mut [f32], y: Option<&[f32]>, norm: &Norm) {
    if let Some(y) = y {
        x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
    }
    for row in x.chunks_exact_mut(DIM) {
        let mean = sum(row, |x| x) / DIM as f32;
        let spread = sum(row, |x| (x - mean) * (x - mean)) / DIM as f32;
        let by = 1.0 / (spread + LEAST).sqrt();
        for ((x, scale), shift) in row.iter_mut().zip(&norm.scale).zip(&norm.shift) {
            *x = (*x - mean) * by * scale + shift;
        }
    }
}

/// A sum in sixteen parts, which the processor adds side by side.
#[inline(always)]
fn sum(row: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0_f32; 16];
    for part in row.as_chunks::<16>().0 {
        sums.iter_mut().zip(part).for_each(|(sum, x)| *sum += of(*x));
    }
    sums.iter().sum()
}

/// The bend between the two halves of a layer (GELU).
#[inline(always)]
fn bend<S: Simd>(_: S, x: &mut [f32]) {
    for x in x.iter_mut() {
        *x = 0.5 * *x * (1.0 + erf(*x * std::f32::consts::FRAC_1_SQRT_2));
    }
}

/// The error function to seven digits (Abramowitz and Stegun 7.1.26), without a branch.
#[inline(always)]
fn erf(x: f32) -> f32 {
    let size = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * size);
    let polynomial = t * (0.254_829_6 + t * (-0.284_496_74 + t * (1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4))));
    (1.0 - polynomial * exp(-size * size)).copysign(x)
}

/// `e` to the power of `x`, which is at most 0, to six digits, without a branch: a power of two times a polynomial.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Adding and taking away this number rounds to a whole one.
    const ROUND: f32 = 12_582_912.0;
    let power = x.max(-87.0) * std::f32::consts::LOG2_E;
    let whole = (power + ROUND) - ROUND;
    let part = power - whole;
    let polynomial = 1.0 + part * (std::f32::consts::LN_2 + part * (0.240_226_5 + part * (0.055_504_11 + part * (0.009_618_13 + part * 0.001_333_36))));
    f32::from_bits((((whole as i32) + 127) << 23).cast_unsigned()) * polynomial
}
