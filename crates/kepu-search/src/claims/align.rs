//! Two stretches letter by letter: which letters both have, and in which order. What follows from it is in `pair`.

use super::reading::IDENTITY;

/// The bit that stands for a symbol, and for some others.
pub fn spot(symbol: u32) -> (usize, u32) {
    let mixed = (symbol & IDENTITY).wrapping_mul(0x9e37_79b1) >> 20;
    ((mixed >> 6) as usize, mixed & 63)
}

/// The symbols of a stretch, to be asked for: a few bits rule most others out.
pub struct Identities {
    some: [u64; 64],
    sorted: Vec<u32>,
}

impl Identities {
    pub fn of(symbols: &[u32]) -> Self {
        let mut out = Self { some: [0; 64], sorted: symbols.iter().map(|s| s & IDENTITY).collect() };
        out.sorted.sort_unstable();
        for symbol in symbols {
            let (word, bit) = spot(*symbol);
            out.some[word] |= 1 << bit;
        }
        out
    }

    pub fn hold(&self, symbol: u32) -> bool {
        let (word, bit) = spot(symbol);
        self.some[word] >> bit & 1 == 1 && self.sorted.binary_search(&(symbol & IDENTITY)).is_ok()
    }

    /// Where `other` has one of them.
    pub fn places(&self, other: &[u32]) -> Vec<usize> {
        other.iter().enumerate().filter(|(_, symbol)| self.hold(**symbol)).map(|(at, _)| at).collect()
    }
}

/// Places of the heaviest common subsequence; a match that continues one is worth a little more, so that words stay together. `xs` and `ys` are the places whose symbols
/// both have: only they can match, and they are few.
pub fn lcs(xs: &[usize], ys: &[usize], a: &[u32], b: &[u32], weight: &[f32]) -> Vec<(usize, usize)> {
    let width = ys.len() + 1;
    // From the end, so that the way can be read forwards.
    let mut table = vec![0.0f32; (xs.len() + 1) * width];
    let mut taken = vec![false; (xs.len() + 1) * width];
    for (i, x) in xs.iter().enumerate().rev() {
        for (j, y) in ys.iter().enumerate().rev() {
            let skip = table[(i + 1) * width + j].max(table[i * width + j + 1]);
            let mut cell = skip;
            if (a[*x] ^ b[*y]) & IDENTITY == 0 {
                let next = (i + 1) * width + j + 1;
                let continued = taken[next] && xs[i + 1] == x + 1 && ys[j + 1] == y + 1;
                let with = table[next] + weight[*x] + if continued { 0.3 } else { 0.0 };
                if with >= skip {
                    cell = with;
                    taken[i * width + j] = true;
                }
            }
            table[i * width + j] = cell;
        }
    }
    let (mut i, mut j, mut out) = (0, 0, Vec::new());
    while i < xs.len() && j < ys.len() {
        if taken[i * width + j] {
            out.push((xs[i], ys[j]));
            (i, j) = (i + 1, j + 1);
        } else if table[(i + 1) * width + j] >= table[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::reading::read;

    fn common(a: &str, b: &str) -> Vec<(usize, usize)> {
        let (a, b) = (read(a), read(b));
        let (in_a, in_b) = (Identities::of(&a), Identities::of(&b));
        lcs(&in_b.places(&a), &in_a.places(&b), &a, &b, &vec![1.0; a.len()])
    }

    #[test]
    fn letters_are_matched_in_order_and_words_stay_together() {
        assert_eq!(common("喝水治病", "喝茶治病"), [(0, 0), (2, 2), (3, 3)]);
        assert_eq!(common("能能治病", "能治病能"), [(1, 0), (2, 1), (3, 2)]);
        assert_eq!(common("水不治病", "茶能健身"), []);
        assert_eq!(common("", "水"), []);
    }

    #[test]
    fn a_stretch_knows_its_letters_and_no_others() {
        let known = Identities::of(&read("隔夜菜会致癌"));
        assert!(read("隔夜菜会致癌").iter().all(|symbol| known.hold(*symbol)));
        assert!(read("微波炉加热食物产生辐射").iter().all(|symbol| !known.hold(*symbol)));
    }
}
