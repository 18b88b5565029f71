//! Pages of claims, questions and cases.

pub mod case;
pub mod claim;
pub mod question;
pub mod work;
