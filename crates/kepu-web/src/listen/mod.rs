//! Pages of claims, questions and cases.

pub mod care;
pub mod case;
pub mod check;
pub mod claim;
pub mod question;
pub mod share;
pub mod work;
