//! One hash over all subjects and warnings: two nodes with the same records have the same, whatever their database program.

use super::{Row, columns, read};
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{all, args};
use crate::value::list_text;
use kepu_domain::ids::SubjectId;
use sha2::{Digest, Sha256};

const PAGE: u32 = 2_000;

/// SHA-256 in hex over the hashes of all rows in the order of their ids' bytes. The hash of a row is the SHA-256 over its
/// columns in the order of [`Row`] without `seq` and `same_as` (the version's hash says it), each as text preceded by its length in eight bytes; what is missing is
/// the text `-` preceded by the length 2^64 - 1, which no text has.
pub async fn hash_state(tx: &mut Tx) -> Result<String, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM subject WHERE id > $1 ORDER BY id LIMIT $2");
    let mut hashes: Vec<(SubjectId, [u8; 32])> = Vec::new();
    let mut last = String::new();
    loop {
        let rows = all(tx, "hash the subjects", SQL, args![last.as_str(), PAGE], read).await?;
        let Some(end) = rows.last() else { break };
        last = end.id.0.clone();
        hashes.extend(rows.iter().map(|row| (row.id.clone(), hash_row(row))));
    }
    // The engines may sort by language; bytes are the same everywhere.
    hashes.sort_unstable();
    let mut whole = Sha256::new();
    for (_, hash) in &hashes {
        whole.update(hash);
    }
    // Warnings have their own table; a node without any has the hash that it had before there were warnings.
    if let Some(warnings) = crate::deliver::warning::hash_state(tx).await? {
        whole.update(warnings.as_bytes());
    }
    Ok(data_encoding::HEXLOWER.encode(&whole.finalize()))
}

fn hash_row(row: &Row) -> [u8; 32] {
    let mut hasher = Sha256::new();
    let mut put = |text: Option<&str>| {
        let (length, text) = text.map_or((u64::MAX, "-"), |text| (text.len() as u64, text));
        hasher.update(length.to_be_bytes());
        hasher.update(text.as_bytes());
    };
    let number = |n: i64| n.to_string();
    put(Some(row.id.as_str()));
    put(Some(&row.kind));
    put(Some(row.held.as_deref().map_or_else(|| row.standing.as_str().to_owned(), |day| format!("held {day}")).as_str()));
    put(row.doc_hash.map(|hash| hash.hex()).as_deref());
    put(Some(row.signer.as_str()));
    put(Some(&number(row.n)));
    for text in [&row.title, &row.title_en, &row.summary, &row.type_, &row.verdict] {
        put(Some(text));
    }
    put(Some(&row.region.to_string()));
    put(Some(&list_text(&row.fields)));
    put(Some(&list_text(&row.audience)));
    for text in [&row.lang, &row.hazard, &row.date] {
        put(Some(text));
    }
    put(Some(&number(row.modified)));
    put(row.expires.as_deref());
    for text in [&row.notice, &row.reason, &row.withdrawn_by] {
        put(Some(text));
    }
    put(row.withdrawn_at.map(number).as_deref());
    put(Some(&number(row.corrected)));
    put(Some(if row.sample { "1" } else { "0" }));
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::Standing;
    use kepu_domain::org::Region;

    fn row() -> Row {
        Row {
            id: "kepu:abcdefgh23/a".into(),
            kind: "resource".into(),
            standing: Standing::Hidden,
            doc_hash: None,
            signer: "did:key:z".into(),
            n: 1,
            title: "ab".into(),
            title_en: "c".into(),
            summary: String::new(),
            type_: String::new(),
            verdict: String::new(),
            region: Region::NATION,
            fields: vec![],
            audience: vec![],
            lang: String::new(),
            hazard: String::new(),
            date: String::new(),
            modified: 0,
            expires: None,
            notice: String::new(),
            reason: String::new(),
            withdrawn_by: String::new(),
            withdrawn_at: None,
            corrected: 0,
            sample: false,
            same_as: String::new(),
            held: None,
            seq: 1,
        }
    }

    #[test]
    fn every_change_shows_but_that_of_seq() {
        let hash = hash_row(&row());
        assert_eq!(hash, hash_row(&Row { seq: 2, ..row() }));
        assert_ne!(hash, hash_row(&Row { title: "a".into(), title_en: "bc".into(), ..row() }));
        assert_ne!(hash, hash_row(&Row { expires: Some("-".into()), ..row() }));
        assert_ne!(hash, hash_row(&Row { sample: true, ..row() }));
    }
}
