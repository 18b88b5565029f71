//! Median and ninth decile, as published figures tell them.

/// Median and ninetieth percentile of sorted values, by nearest rank: the smallest value that at least this share reaches at most. None of none.
pub fn quantiles<T: Copy>(sorted: &[T]) -> Option<(T, T)> {
    let at = |share: usize| sorted.get((sorted.len() * share).div_ceil(100).saturating_sub(1)).copied();
    Some((at(50)?, at(90)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_middle_and_the_slow_tenth() {
        assert_eq!(quantiles::<i64>(&[]), None);
        assert_eq!(quantiles(&[5]), Some((5, 5)));
        assert_eq!(quantiles(&[1, 2, 3, 4]), Some((2, 4)));
        assert_eq!(quantiles(&(1..=10).collect::<Vec<_>>()), Some((5, 9)));
    }
}
