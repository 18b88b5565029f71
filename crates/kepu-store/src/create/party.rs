//! Entries of the registry, whole as JSON beside the columns that are searched, with what they said before. Rules are in
//! `kepu-domain::create::party`; search by competence, distance and availability is an index in memory (`kepu-search`).

use crate::bulk::bulk_insert;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Built, Cells, all, all_in, args, must, number, one, run, run_versioned};
use crate::value::{Value, like_escape, list_text};
use kepu_domain::create::party::{Party, PartyKind};
use kepu_domain::ids::{OrgId, PartyId};

/// An entry as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The party.
    pub party: Party,
    /// Its name as `kepu_text::fold` gives it; finds namesakes.
    pub name_fold: String,
    /// When it was changed last, in milliseconds.
    pub changed_at: i64,
    /// Counts changes, from 1.
    pub version: i64,
}

macro_rules! columns {
    () => {
        "id, kind, name_fold, org, region, fields, available, merged_into, changed_at, version, doc"
    };
}

fn read(c: &mut Cells<'_>) -> Result<Party, StoreError> {
    let doc = c.text()?;
    serde_json::from_str(&doc).map_err(|error| StoreError::Corrupt { what: "party", id: doc.chars().take(40).collect(), cause: error.to_string() })
}

fn read_entry(c: &mut Cells<'_>) -> Result<Entry, StoreError> {
    let (name_fold, changed_at, version) = (c.text()?, c.int()?, c.int()?);
    Ok(Entry { party: read(c)?, name_fold, changed_at, version })
}

fn bind<'r>(e: &'r Entry, values: &mut Vec<Value<'r>>) {
    values.extend(args![
        e.party.id.as_str(),
        e.party.kind.as_str(),
        &e.name_fold,
        e.party.org.as_str(),
        e.party.region.to_string(),
        list_text(&e.party.fields),
        e.party.available,
        e.party.merged_into.as_ref().map(PartyId::as_str),
        e.changed_at,
        e.version,
        doc_of(&e.party)
    ]);
}

fn doc_of(party: &Party) -> String {
    // Texts, numbers, lists and maps with text keys only: nothing that JSON could not hold.
    serde_json::to_string(party).unwrap_or_default()
}

/// Adds an entry. `Duplicate` if the id is taken.
pub async fn insert(tx: &mut Tx, entry: &Entry) -> Result<(), StoreError> {
    const SQL: &str = concat!("INSERT INTO party (", columns!(), ") VALUES");
    bulk_insert(tx, "add a party", SQL, 11, "", std::slice::from_ref(entry), bind).await.map(drop)
}

/// Adds or changes entries of an import; no id may come twice.
pub async fn upsert_many(tx: &mut Tx, entries: &[Entry]) -> Result<(), StoreError> {
    const SQL: &str = concat!("INSERT INTO party (", columns!(), ") VALUES");
    const OVER: &str = "
        ON CONFLICT (id) DO UPDATE SET
            kind = excluded.kind, name_fold = excluded.name_fold, org = excluded.org, region = excluded.region, fields = excluded.fields,
            available = excluded.available, merged_into = excluded.merged_into, changed_at = excluded.changed_at, version = party.version + 1,
            doc = excluded.doc";
    bulk_insert(tx, "store parties", SQL, 11, OVER, entries, bind).await.map(drop)
}

/// Keeps what these entries say now, before an import changes them.
pub async fn keep_many(tx: &mut Tx, ids: &[PartyId], at: i64, who: &str) -> Result<(), StoreError> {
    let rows = all_in(
        tx,
        "read what parties say",
        ("SELECT id, version, doc FROM party WHERE id IN (", ")"),
        ids,
        |id| args![id.as_str()],
        |c| Ok((c.text()?, c.int()?, c.text()?)),
    )
    .await?;
    const SQL: &str = "INSERT INTO party_history (party, version, at, who, doc) VALUES";
    let bind = |(id, version, doc): &'_ (String, i64, String), values: &mut Vec<Value<'_>>| {
        values.extend(args![id.clone(), *version, at, who.to_owned(), doc.clone()])
    };
    bulk_insert(tx, "keep what parties said", SQL, 5, "", &rows, bind).await.map(drop)
}

/// Who bears these folded names and was not merged: id, kind, institution, name; in no order.
pub async fn list_named(tx: &mut Tx, names: &[String]) -> Result<Vec<(PartyId, PartyKind, OrgId, String)>, StoreError> {
    let mut names: Vec<&String> = names.iter().collect();
    names.sort_unstable();
    names.dedup();
    let sql = ("SELECT id, kind, org, name_fold FROM party WHERE merged_into IS NULL AND name_fold IN (", ")");
    all_in(tx, "list parties by name", sql, &names, |name| args![name.as_str()], |c| Ok((c.id()?, c.word(PartyKind::parse)?, c.id()?, c.text()?))).await
}

/// One party.
pub async fn find(tx: &mut Tx, id: &PartyId) -> Result<Option<Party>, StoreError> {
    one(tx, "find a party", "SELECT doc FROM party WHERE id = $1", args![id.as_str()], read).await
}

/// One party that must be there.
pub async fn get(tx: &mut Tx, id: &PartyId) -> Result<Party, StoreError> {
    must(find(tx, id).await?, "party", id)
}

/// One entry with the version that [`update`] wants to see again.
pub async fn find_entry(tx: &mut Tx, id: &PartyId) -> Result<Option<Entry>, StoreError> {
    const SQL: &str = "SELECT name_fold, changed_at, version, doc FROM party WHERE id = $1";
    one(tx, "find a party", SQL, args![id.as_str()], read_entry).await
}

/// These parties, in no order; unknown ones are left out.
pub async fn find_many(tx: &mut Tx, ids: &[PartyId]) -> Result<Vec<Party>, StoreError> {
    all_in(tx, "find parties", ("SELECT doc FROM party WHERE id IN (", ")"), ids, |id| args![id.as_str()], read).await
}

/// Stores a changed entry that was read in `entry.version`, and keeps what it said before under that version.
pub async fn update(tx: &mut Tx, entry: &Entry, who: &str) -> Result<(), StoreError> {
    const KEEP: &str = "
        INSERT INTO party_history (party, version, at, who, doc)
        SELECT id, version, $3, $4, doc FROM party WHERE id = $1 AND version = $2";
    const SQL: &str = "
        UPDATE party SET kind = $3, name_fold = $4, org = $5, region = $6, fields = $7, available = $8, merged_into = $9, changed_at = $10,
                         doc = $11, version = version + 1
        WHERE id = $1 AND version = $2";
    const EXISTS: &str = "SELECT COUNT(*) FROM party WHERE id = $1";
    let p = &entry.party;
    run(tx, "keep what a party said", KEEP, args![p.id.as_str(), entry.version, entry.changed_at, who]).await?;
    let args = args![
        p.id.as_str(),
        entry.version,
        p.kind.as_str(),
        &entry.name_fold,
        p.org.as_str(),
        p.region.to_string(),
        list_text(&p.fields),
        p.available,
        p.merged_into.as_ref().map(PartyId::as_str),
        entry.changed_at,
        doc_of(p)
    ];
    run_versioned(tx, "change a party", "party", p.id.as_str(), SQL, args, EXISTS).await
}

/// Removes an entry and everything it said before. Its public record is erased by a retraction, not here.
pub async fn delete(tx: &mut Tx, id: &PartyId) -> Result<(), StoreError> {
    run(tx, "forget what a party said", "DELETE FROM party_history WHERE party = $1", args![id.as_str()]).await?;
    run(tx, "delete a party", "DELETE FROM party WHERE id = $1", args![id.as_str()]).await.map(drop)
}

/// What an entry said before: version, when it was replaced (milliseconds), by whom, and the party as it was; newest first.
pub async fn list_history(tx: &mut Tx, id: &PartyId, limit: u32) -> Result<Vec<(i64, i64, String, Party)>, StoreError> {
    const SQL: &str = "SELECT version, at, who, doc FROM party_history WHERE party = $1 ORDER BY version DESC LIMIT $2";
    all(tx, "list what a party said", SQL, args![id.as_str(), limit], |c| Ok((c.int()?, c.int()?, c.text()?, read(c)?))).await
}

/// Parties after the id `after`, by id, at most `limit`.
pub async fn list(tx: &mut Tx, after: Option<&PartyId>, limit: u32) -> Result<Vec<Party>, StoreError> {
    const SQL: &str = "SELECT doc FROM party WHERE id > $1 ORDER BY id LIMIT $2";
    all(tx, "list parties", SQL, args![after.map_or("", PartyId::as_str), limit], read).await
}

/// The parties of an organisation, by id, at most `limit`.
pub async fn list_by_org(tx: &mut Tx, org: &OrgId, limit: u32) -> Result<Vec<Party>, StoreError> {
    const SQL: &str = "SELECT doc FROM party WHERE org = $1 ORDER BY id LIMIT $2";
    all(tx, "list the parties of an organisation", SQL, args![org.as_str(), limit], read).await
}

/// Parties of this folded name, by id, at most `limit`.
pub async fn list_namesakes(tx: &mut Tx, name_fold: &str, limit: u32) -> Result<Vec<Party>, StoreError> {
    const SQL: &str = "SELECT doc FROM party WHERE name_fold = $1 ORDER BY id LIMIT $2";
    all(tx, "list namesakes", SQL, args![name_fold, limit], read).await
}

/// Kinds and folded names that several entries share which were not merged, by name, after the name `after`, at most `limit`.
pub async fn list_doubles(tx: &mut Tx, after: &str, limit: u32) -> Result<Vec<(PartyKind, String)>, StoreError> {
    const SQL: &str = "
        SELECT kind, name_fold FROM party WHERE merged_into IS NULL AND name_fold > $1
        GROUP BY name_fold, kind HAVING COUNT(*) > 1 ORDER BY name_fold, kind LIMIT $2";
    all(tx, "list names that several parties share", SQL, args![after, limit], |c| Ok((c.word(PartyKind::parse)?, c.text()?))).await
}

/// Entries changed at or after `since` (milliseconds) whose id comes after `after` within the same millisecond; in that order.
pub async fn list_changed(tx: &mut Tx, since: i64, after: &str, limit: u32) -> Result<Vec<Entry>, StoreError> {
    const SQL: &str = "
        SELECT name_fold, changed_at, version, doc FROM party
        WHERE changed_at > $1 OR (changed_at = $1 AND id > $2) ORDER BY changed_at, id LIMIT $3";
    all(tx, "list changed parties", SQL, args![since, after, limit], read_entry).await
}

/// Available people that are competent in at least one of `fields` (all available ones if empty), by id, at most `limit`.
pub async fn list_available(tx: &mut Tx, fields: &[String], limit: u32) -> Result<Vec<Party>, StoreError> {
    let mut query = Built::new("SELECT doc FROM party WHERE available AND kind = 'person' AND merged_into IS NULL");
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
