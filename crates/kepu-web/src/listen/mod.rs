//! Pages of listening: claims, questions and cases for everybody, the desk and intake for those who work there.

pub mod care;
pub mod case;
pub mod check;
pub mod claim;
pub mod decision;
pub mod decision_new;
pub mod duty;
pub mod inspection;
pub mod intake;
pub mod order;
pub mod order_after;
pub mod question;
pub mod report;
pub mod service;
pub mod share;
pub mod shown;
pub mod task;
pub mod topic;
pub mod wall;
pub mod work;
