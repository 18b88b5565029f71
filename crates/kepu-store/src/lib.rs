//! The only SQL of Kepu: one module per noun, free functions, transaction first. SQLite and PostgreSQL take the same texts.
//!
//! Root: the database itself (`db`, `bulk`, `counter`, `meta`), what travels (`record`, `subject`), who acts (`account`,
//! `member`, `session`, `login_lock`, `org`), what the node does (`log`, `job`, `peer`, `invite`, `once`, `media`), rows that two nouns share (`word`).
//! Folders as in `kepu-domain`. Rules of the nouns are there, operations and transactions' ends in `kepu-app`.

pub mod account;
pub mod bulk;
pub mod counter;
pub mod create;
pub mod db;
pub mod deliver;
pub mod error;
pub mod invite;
pub mod job;
pub mod listen;
pub mod log;
pub mod login_lock;
pub mod measure;
pub mod media;
pub mod member;
pub mod meta;
mod migrations;
pub mod once;
pub mod org;
pub mod peer;
pub mod record;
pub mod session;
mod sql;
pub mod subject;
#[cfg(feature = "testing")]
pub mod testing;
pub mod value;
pub mod word;

pub use db::{Db, Engine, Tx};
pub use error::StoreError;
pub use value::Value;
