//! What can be wrong with a problem that was handed in. Each names the place, so that the caller can point at it.

/// Why nothing was planned.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// An index names something that does not exist.
    #[error("{list} number {at} names {what} {index}, there are {count}")]
    Unknown {
        /// The list.
        list: &'static str,
        /// Position in it, from 0.
        at: usize,
        /// What it names.
        what: &'static str,
        /// The index it names.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// A number lies outside its range, or is none.
    #[error("{what} number {at} is {value}, outside {lowest} to {highest}")]
    OutOfRange {
        /// The number.
        what: &'static str,
        /// Position in its list, from 0.
        at: usize,
        /// What it is.
        value: f64,
        /// Lower end of the range.
        lowest: f64,
        /// Upper end of the range.
        highest: f64,
    },
    /// A pair is listed more than once.
    #[error("task {task} and person {person} are listed as a pair more than once")]
    Twice {
        /// Index of the task.
        task: usize,
        /// Index of the person.
        person: usize,
    },
    /// More than the engine can compute exactly.
    #[error("{tasks} tasks and {people} people are too many for exact figures")]
    TooMany {
        /// How many tasks.
        tasks: usize,
        /// How many people.
        people: usize,
    },
}
