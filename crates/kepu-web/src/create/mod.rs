//! Pages of resources, and the pages on which they and answers to claims are written, reviewed, corrected and withdrawn; pages
//! of the registry; files taken in.

pub mod correct;
pub mod coverage;
pub mod definition;
pub mod detail;
pub mod draft;
pub mod edit;
pub mod entry;
pub mod field;
pub mod history;
pub mod import;
pub mod lane;
pub mod matter;
pub mod party;
pub mod queue;
pub mod reading;
pub mod register;
pub mod registry;
pub mod remark;
pub mod resource;
pub mod review;
pub mod round;
pub mod writing;
