//! Listen: questions of visitors, and the cases that answer them.

pub mod case;
pub mod question;
