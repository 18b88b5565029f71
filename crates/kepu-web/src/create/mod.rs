//! Pages of resources, and the pages on which they and answers to claims are written, reviewed, corrected and withdrawn.

pub mod correct;
pub mod draft;
pub mod edit;
pub mod field;
pub mod import;
pub mod matter;
pub mod resource;
pub mod review;
pub mod round;
pub mod writing;
