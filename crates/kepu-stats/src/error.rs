//! What can be wrong with numbers that were handed in. Each names the place, so that the caller can point at it.

/// Why a statistic was not computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StatsError {
    /// There is nothing to compute from.
    #[error("no {what} to compute from")]
    Empty {
        /// What is missing.
        what: &'static str,
    },
    /// Two lists that belong together differ in length.
    #[error("{what}: {left} against {right}, the lengths must be the same")]
    Shape {
        /// The two lists.
        what: &'static str,
        /// Length of the first.
        left: usize,
        /// Length of the second.
        right: usize,
    },
    /// A value is infinite or not a number.
    #[error("{what} number {at} is not a finite number")]
    NotFinite {
        /// The list.
        what: &'static str,
        /// Position in it, from 0.
        at: usize,
    },
    /// A value lies outside its scale.
    #[error("{what} number {at} is {value}, outside {lowest} to {highest}")]
    OutOfRange {
        /// The list.
        what: &'static str,
        /// Position in it, from 0.
        at: usize,
        /// The value.
        value: f64,
        /// Lower end of the scale.
        lowest: f64,
        /// Upper end of the scale.
        highest: f64,
    },
    /// A scale whose ends are not finite or stand the wrong way round.
    #[error("a scale from {lowest} to {highest} is not possible: the ends must be finite, the lower one first")]
    Scale {
        /// Lower end.
        lowest: f64,
        /// Upper end.
        highest: f64,
    },
    /// An index names something that does not exist.
    #[error("score number {at} names {what} {index}, there are {count}")]
    Unknown {
        /// What it names.
        what: &'static str,
        /// Position of the score, from 0.
        at: usize,
        /// The index it names.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// One judge scored one application more than once.
    #[error("judge {judge} scored application {application} more than once")]
    Twice {
        /// Index of the application.
        application: usize,
        /// Index of the judge.
        judge: usize,
    },
    /// All values are the same, so that nothing can be compared.
    #[error("all {what} are the same")]
    Constant {
        /// The list.
        what: &'static str,
    },
    /// More than this method can compute in reasonable time and memory.
    #[error("{count} {what} are too many, at most {max}")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// How many.
        count: usize,
        /// How many are possible.
        max: usize,
    },
}
