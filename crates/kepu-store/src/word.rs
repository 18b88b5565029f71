//! Rows of the tables that hold what nodes say to each other outside the library: in a drill, about what a meeting asks. Each is one latest record of a subject,
//! and belongs to something. The tables are in `deliver::drill` and `listen::decision`.

use crate::error::StoreError;
use crate::sql::Cells;
use crate::value::Value;
use jiff::Timestamp;
use kepu_domain::ids::{KeyId, SubjectId};
use kepu_domain::record::DocHash;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// One thing said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word<T> {
    /// Its subject.
    pub subject: SubjectId,
    /// What it belongs to; the subject itself, where it begins something.
    pub about: SubjectId,
    /// Who says it.
    pub signer: KeyId,
    /// The record.
    pub doc_hash: DocHash,
    /// When.
    pub at: Timestamp,
    /// What.
    pub says: T,
}

/// Columns of these tables are read in the order of [`bind`].
pub(crate) fn read<T: DeserializeOwned>(c: &mut Cells<'_>) -> Result<Word<T>, StoreError> {
    Ok(Word { subject: c.id()?, about: c.id()?, signer: c.id()?, doc_hash: c.hash()?, at: c.time()?, says: c.json()? })
}

/// Subject, what it belongs to, signer, hash, time, words.
pub(crate) fn bind<T: Serialize>(word: &Word<T>, values: &mut Vec<Value<'_>>) {
    values.extend([
        Value::from(word.subject.0.clone()),
        Value::from(word.about.0.clone()),
        Value::from(word.signer.0.clone()),
        Value::from(word.doc_hash.0.to_vec()),
        Value::from(word.at),
        // Texts, numbers and lists only: nothing that JSON could not hold.
        Value::from(serde_json::to_string(&word.says).unwrap_or_default()),
    ]);
}
