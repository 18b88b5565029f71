//! A share seen in a random sample, and between which bounds the share of the whole list lies.

use crate::StatsError;

/// The 97.5 % point of the normal distribution: bounds that miss the truth once in twenty.
const Z: f64 = 1.959_963_984_540_054;

/// Share with its lower and upper bound, each 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// What the sample shows.
    pub share: f64,
    /// Lower bound, 95 %.
    pub low: f64,
    /// Upper bound, 95 %.
    pub high: f64,
}

/// The share `hits / seen` of a random sample without replacement from a list of `listed`, with Wilson's score interval.
///
/// - `listed`: length of the list. The number seen counts as `seen × (listed − 1) / (listed − seen)`, so that the bounds meet where everything was seen.
/// - Fails with [`StatsError::Empty`] if nothing was seen, [`StatsError::Shape`] if more hits than seen or more seen than listed.
/// - No bound goes beyond what is certain: the list holds the hits seen, and at most all that was not seen besides.
/// - Source: Wilson, *JASA* 22 (1927) 209–212; finite lists as in Lohr, *Sampling: Design and Analysis* (2010), ch. 2. For endless lists equal to R
///   `prop.test(hits, seen, correct = FALSE)`.
pub fn share(hits: u64, seen: u64, listed: u64) -> Result<Share, StatsError> {
    if seen == 0 {
        return Err(StatsError::Empty { what: "samples" });
    }
    let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    if hits > seen || seen > listed {
        return Err(StatsError::Shape { what: "hits, samples and list", left: count(hits.max(seen)), right: count(seen.min(listed)) });
    }
    let p = hits as f64 / seen as f64;
    if seen == listed {
        return Ok(Share { share: p, low: p, high: p });
    }
    let n = seen as f64 * (listed as f64 - 1.0) / (listed as f64 - seen as f64);
    let z2 = Z * Z;
    let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    // Of a short list the rest is certain: it holds what was seen, and no more than what was not.
    let (least, most) = (hits as f64 / listed as f64, (hits + listed - seen) as f64 / listed as f64);
    Ok(Share { share: p, low: (middle - half).max(least), high: (middle + half).min(most) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_endless_list_gives_the_bounds_of_r() {
        // prop.test(8, 10, correct = FALSE), prop.test(0, 10, …), prop.test(10, 10, …) of R 4.3.
        for (hits, low, high) in [(8, 0.490_162_5, 0.943_317_8), (0, 0.0, 0.277_532_8), (10, 0.722_467_2, 1.0)] {
            let found = share(hits, 10, u64::from(u32::MAX)).expect("share");
            assert!((found.low - low).abs() < 1e-6 && (found.high - high).abs() < 1e-6, "{hits}: {found:?}");
        }
    }

    #[test]
    fn a_whole_list_leaves_no_doubt_and_a_wrong_one_is_refused() {
        assert_eq!(share(3, 4, 4), Ok(Share { share: 0.75, low: 0.75, high: 0.75 }));
        assert_eq!(share(0, 1, 2).map(|found| (found.low, found.high)), Ok((0.0, 0.5)), "half of it is known");
        assert!(share(0, 0, 4).is_err() && share(5, 4, 9).is_err() && share(3, 5, 4).is_err());
    }

    proptest! {
        #[test]
        fn the_share_lies_between_its_bounds(hits in 0u64..40, more in 0u64..40, rest in 0u64..200) {
            let seen = hits + more + 1;
            let found = share(hits, seen, seen + rest).expect("share");
            prop_assert!(0.0 <= found.low && found.low <= found.share + 1e-12 && found.share <= found.high + 1e-12 && found.high <= 1.0);
        }
    }
}
