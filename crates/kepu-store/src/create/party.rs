//! People and institutions of the registry. How candidates are ranked is in `kepu-domain::create::party`.

use crate::bulk::bulk_insert;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Built, Cells, all, all_in, args, must, number, one, run_versioned};
use crate::value::{Value, like_escape, list_text};
use kepu_domain::create::party::Party;
use kepu_domain::ids::{OrgId, PartyId};

macro_rules! columns {
    () => {
        "id, name, name_en, org, title, title_en, fields, qualification, languages, monthly_ceiling, available, sample"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Party, StoreError> {
    Ok(Party {
        id: c.id()?,
        name: c.text()?,
        name_en: c.text()?,
        org: c.id()?,
        title: c.text()?,
        title_en: c.text()?,
        fields: c.list()?,
        qualification: c.text()?,
        languages: c.list()?,
        monthly_ceiling: c.int()?,
        available: c.bool()?,
        sample: c.bool()?,
    })
}

fn bind<'r>(p: &'r Party, values: &mut Vec<Value<'r>>) {
    values.extend(args![
        p.id.as_str(),
        &p.name,
        &p.name_en,
        p.org.as_str(),
        &p.title,
        &p.title_en,
        list_text(&p.fields),
        &p.qualification,
        list_text(&p.languages),
        p.monthly_ceiling,
        p.available,
        p.sample,
        1_i64
    ]);
}

/// Adds a party. `Duplicate` if the id is taken.
pub async fn insert(tx: &mut Tx, party: &Party) -> Result<(), StoreError> {
    const SQL: &str = concat!("INSERT INTO party (", columns!(), ", version) VALUES");
    bulk_insert(tx, "add a party", SQL, 13, "", std::slice::from_ref(party), bind).await.map(drop)
}

/// Adds or changes parties of an import; no id may come twice.
pub async fn upsert_many(tx: &mut Tx, parties: &[Party]) -> Result<(), StoreError> {
    const SQL: &str = concat!("INSERT INTO party (", columns!(), ", version) VALUES");
    const OVER: &str = "
        ON CONFLICT (id) DO UPDATE SET
            name = excluded.name, name_en = excluded.name_en, org = excluded.org, title = excluded.title, title_en = excluded.title_en,
            fields = excluded.fields, qualification = excluded.qualification, languages = excluded.languages,
            monthly_ceiling = excluded.monthly_ceiling, available = excluded.available, sample = excluded.sample, version = party.version + 1";
    bulk_insert(tx, "store parties", SQL, 13, OVER, parties, bind).await.map(drop)
}

/// One party.
pub async fn find(tx: &mut Tx, id: &PartyId) -> Result<Option<Party>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM party WHERE id = $1");
    one(tx, "find a party", SQL, args![id.as_str()], read).await
}

/// One party that must be there.
pub async fn get(tx: &mut Tx, id: &PartyId) -> Result<Party, StoreError> {
    must(find(tx, id).await?, "party", id)
}

/// One party with the version that [`update`] wants to see again.
pub async fn find_versioned(tx: &mut Tx, id: &PartyId) -> Result<Option<(Party, i64)>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), ", version FROM party WHERE id = $1");
    one(tx, "find a party", SQL, args![id.as_str()], |c| Ok((read(c)?, c.int()?))).await
}

/// These parties, in no order; unknown ones are left out.
pub async fn find_many(tx: &mut Tx, ids: &[PartyId]) -> Result<Vec<Party>, StoreError> {
    const HEAD: &str = concat!("SELECT ", columns!(), " FROM party WHERE id IN (");
    all_in(tx, "find parties", (HEAD, ")"), ids, |id| args![id.as_str()], read).await
}

/// Stores a changed party that was read in `version`.
pub async fn update(tx: &mut Tx, p: &Party, version: i64) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE party SET name = $3, name_en = $4, org = $5, title = $6, title_en = $7, fields = $8, qualification = $9, languages = $10,
                         monthly_ceiling = $11, available = $12, sample = $13, version = version + 1
        WHERE id = $1 AND version = $2";
    const EXISTS: &str = "SELECT COUNT(*) FROM party WHERE id = $1";
    let args = args![
        p.id.as_str(),
        version,
        &p.name,
        &p.name_en,
        p.org.as_str(),
        &p.title,
        &p.title_en,
        list_text(&p.fields),
        &p.qualification,
        list_text(&p.languages),
        p.monthly_ceiling,
        p.available,
        p.sample
    ];
    run_versioned(tx, "change a party", "party", p.id.as_str(), SQL, args, EXISTS).await
}

/// Parties after the id `after`, by id, at most `limit`.
pub async fn list(tx: &mut Tx, after: Option<&PartyId>, limit: u32) -> Result<Vec<Party>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM party WHERE id > $1 ORDER BY id LIMIT $2");
    all(tx, "list parties", SQL, args![after.map_or("", PartyId::as_str), limit], read).await
}

/// The parties of an organisation, by id, at most `limit`.
pub async fn list_by_org(tx: &mut Tx, org: &OrgId, limit: u32) -> Result<Vec<Party>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM party WHERE org = $1 ORDER BY id LIMIT $2");
    all(tx, "list the parties of an organisation", SQL, args![org.as_str(), limit], read).await
}

/// Available parties that are competent in at least one of `fields` (all available ones if empty), by id, at most `limit`.
pub async fn list_available(tx: &mut Tx, fields: &[String], limit: u32) -> Result<Vec<Party>, StoreError> {
    let mut query = Built::new(concat!("SELECT ", columns!(), " FROM party WHERE available"));
    for (at, field) in fields.iter().take(40).enumerate() {
        let piece = if at == 0 { " AND (fields LIKE {} ESCAPE '\\'" } else { " OR fields LIKE {} ESCAPE '\\'" };
        query.push(piece, args![format!("%,{},%", like_escape(field))]);
    }
    query.push(if fields.is_empty() { " ORDER BY id LIMIT {}" } else { ") ORDER BY id LIMIT {}" }, args![limit]);
    let (sql, args) = query.done();
    all(tx, "list available parties", sql, args, read).await
}

/// How many parties there are.
pub async fn count(tx: &mut Tx) -> Result<i64, StoreError> {
    number(tx, "count parties", "SELECT COUNT(*) FROM party", vec![]).await
}
