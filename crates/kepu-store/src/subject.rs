//! What is public and what was: one row per subject, folded from the records. Made again from them at any time;
//! how a subject stands is decided in `kepu-domain::publication`.

mod state;

pub use state::hash_state;

use crate::bulk::bulk_insert;
use crate::db::Tx;
use crate::error::StoreError;
use crate::sql::{Built, Cells, all, args, number, one, run, run_in};
use crate::value::{Value, list_text};
use kepu_domain::ids::{KeyId, SubjectId};
use kepu_domain::org::Region;
use kepu_domain::record::DocHash;
use std::collections::{BTreeMap, HashMap};

/// How a subject stands, as far as lists need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Shown.
    Public,
    /// A page says that it was withdrawn.
    Withdrawn,
    /// Held, but not shown.
    Hidden,
}

impl Standing {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Public => "public",
            Standing::Withdrawn => "withdrawn",
            Standing::Hidden => "hidden",
        }
    }
    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        [Standing::Public, Standing::Withdrawn, Standing::Hidden].into_iter().find(|s| s.as_str() == text)
    }
}

/// One subject. Texts that do not apply are empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Id.
    pub id: SubjectId,
    /// `resource` or `claim`.
    pub kind: String,
    /// How it stands.
    pub standing: Standing,
    /// The version shown (or withdrawn last); always there while public.
    pub doc_hash: Option<DocHash>,
    /// Who signed that version.
    pub signer: KeyId,
    /// Its number in the signer's library stream; 0 if there is none.
    pub n: i64,
    /// Title or claim.
    pub title: String,
    /// English title.
    pub title_en: String,
    /// Summary, or the conclusion in one sentence.
    pub summary: String,
    /// Type of a resource.
    pub type_: String,
    /// Verdict on a claim.
    pub verdict: String,
    /// Where it is meant for.
    pub region: Region,
    /// Fields.
    pub fields: Vec<String>,
    /// Audiences.
    pub audience: Vec<String>,
    /// BCP 47 language.
    pub lang: String,
    /// Hazard of an emergency card.
    pub hazard: String,
    /// Date of the content, ISO.
    pub date: String,
    /// When the version was signed, ms.
    pub modified: i64,
    /// Last day before it must be looked at again, ISO.
    pub expires: Option<String>,
    /// A correction notice whose new version is still missing.
    pub notice: String,
    /// Why it was withdrawn.
    pub reason: String,
    /// Who withdrew it.
    pub withdrawn_by: String,
    /// When, ms; there exactly while withdrawn.
    pub withdrawn_at: Option<i64>,
    /// The latest correction, ms; 0 = never corrected.
    pub corrected: i64,
    /// Invented for demonstration.
    pub sample: bool,
    /// The claim that answers for this one; empty if none does. Lists leave it out, its address leads there.
    pub same_as: String,
    /// While it is held, the day (ISO) on which the next word is promised: it stands as withdrawn, for the time being.
    pub held: Option<String>,
    /// Number of the last change (`counter::SUBJECT`); feeds the search index, no part of the state.
    pub seq: i64,
}

/// Which subjects; `None`, empty and `false` ask for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// `resource` or `claim`.
    pub kind: Option<String>,
    /// How it stands.
    pub standing: Option<Standing>,
    /// Verdict.
    pub verdict: Option<String>,
    /// One of its fields.
    pub field: Option<String>,
    /// One of its audiences.
    pub audience: Option<String>,
    /// Type.
    pub type_: Option<String>,
    /// Hazard.
    pub hazard: Option<String>,
    /// Language, by prefix.
    pub lang: Option<String>,
    /// Meant for one of these places.
    pub region_chain: Vec<Region>,
    /// Signed by this key.
    pub signer: Option<KeyId>,
    /// Sample or not.
    pub sample: Option<bool>,
    /// Only what was corrected.
    pub corrected_only: bool,
}

/// Order of a list; ties are broken by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Latest version first. `after`: `modified` and id of the last row seen.
    #[default]
    Newest,
    /// By title. `after`: the id of the last row seen (its number is not looked at).
    Title,
    /// Latest correction first, only what was corrected. `after`: `corrected` and id.
    Corrected,
    /// Latest withdrawal first, only what was withdrawn. `after`: `withdrawn_at` and id.
    Withdrawn,
}

macro_rules! columns {
    () => {
        "id, kind, standing, doc_hash, signer, n, title, title_en, summary, type, verdict, region, fields, audience, lang, hazard, date, modified,
         expires, notice, reason, withdrawn_by, withdrawn_at, corrected, sample, same_as, held, seq"
    };
}
use columns;

fn read(c: &mut Cells<'_>) -> Result<Row, StoreError> {
    Ok(Row {
        id: c.id()?,
        kind: c.text()?,
        standing: c.word(Standing::parse)?,
        doc_hash: c.opt_hash()?,
        signer: c.id()?,
        n: c.int()?,
        title: c.text()?,
        title_en: c.text()?,
        summary: c.text()?,
        type_: c.text()?,
        verdict: c.text()?,
        region: c.region()?,
        fields: c.list()?,
        audience: c.list()?,
        lang: c.text()?,
        hazard: c.text()?,
        date: c.text()?,
        modified: c.int()?,
        expires: c.opt_text()?,
        notice: c.text()?,
        reason: c.text()?,
        withdrawn_by: c.text()?,
        withdrawn_at: c.opt_int()?,
        corrected: c.int()?,
        sample: c.bool()?,
        same_as: c.text()?,
        held: c.opt_text()?,
        seq: c.int()?,
    })
}

fn bind<'r>(row: &'r Row, values: &mut Vec<Value<'r>>) {
    values.extend([
        row.id.as_str().into(),
        row.kind.as_str().into(),
        row.standing.as_str().into(),
        row.doc_hash.as_ref().map(|hash| hash.0.as_slice()).into(),
        row.signer.as_str().into(),
        row.n.into(),
        row.title.as_str().into(),
        row.title_en.as_str().into(),
        row.summary.as_str().into(),
        row.type_.as_str().into(),
        row.verdict.as_str().into(),
        row.region.to_string().into(),
        list_text(&row.fields).into(),
        list_text(&row.audience).into(),
        row.lang.as_str().into(),
        row.hazard.as_str().into(),
        row.date.as_str().into(),
        row.modified.into(),
        row.expires.as_deref().into(),
        row.notice.as_str().into(),
        row.reason.as_str().into(),
        row.withdrawn_by.as_str().into(),
        row.withdrawn_at.into(),
        row.corrected.into(),
        row.sample.into(),
        row.same_as.as_str().into(),
        row.held.as_deref().into(),
        row.seq.into(),
    ]);
}

/// Stores subjects over what was there. If an id comes twice, the last one counts.
pub async fn upsert_many(tx: &mut Tx, rows: &[Row]) -> Result<(), StoreError> {
    const SQL: &str = concat!("INSERT INTO subject (", columns!(), ") VALUES");
    const OVER: &str = "
        ON CONFLICT (id) DO UPDATE SET
            kind = excluded.kind, standing = excluded.standing, doc_hash = excluded.doc_hash, signer = excluded.signer, n = excluded.n,
            title = excluded.title, title_en = excluded.title_en, summary = excluded.summary, type = excluded.type,
            verdict = excluded.verdict, region = excluded.region, fields = excluded.fields, audience = excluded.audience,
            lang = excluded.lang, hazard = excluded.hazard, date = excluded.date, modified = excluded.modified,
            expires = excluded.expires, notice = excluded.notice, reason = excluded.reason, withdrawn_by = excluded.withdrawn_by,
            withdrawn_at = excluded.withdrawn_at, corrected = excluded.corrected, sample = excluded.sample, same_as = excluded.same_as,
            held = excluded.held, seq = excluded.seq";
    let last: HashMap<&SubjectId, &Row> = rows.iter().map(|row| (&row.id, row)).collect();
    let mut rows: Vec<&Row> = last.into_values().collect();
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    bulk_insert(tx, "store subjects", SQL, 28, OVER, &rows, |row, values: &mut Vec<Value<'_>>| bind(row, values)).await.map(drop)
}

/// Removes subjects of which no record is held any more.
pub async fn delete_many(tx: &mut Tx, ids: &[SubjectId]) -> Result<u64, StoreError> {
    run_in(tx, "remove subjects", ("DELETE FROM subject WHERE id IN (", ")"), ids, |id| args![id.as_str()]).await
}

/// Removes all subjects, before they are made again from the records.
pub async fn clear(tx: &mut Tx) -> Result<(), StoreError> {
    run(tx, "clear the subjects", "DELETE FROM subject", vec![]).await.map(drop)
}

/// One subject, however it stands.
pub async fn find(tx: &mut Tx, id: &SubjectId) -> Result<Option<Row>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM subject WHERE id = $1");
    one(tx, "find a subject", SQL, args![id.as_str()], read).await
}

/// These subjects, however they stand, in the order asked for; unknown ones are left out.
pub async fn find_many(tx: &mut Tx, ids: &[SubjectId]) -> Result<Vec<Row>, StoreError> {
    const HEAD: &str = concat!("SELECT ", columns!(), " FROM subject WHERE id IN (");
    let rows = crate::sql::all_in(tx, "find subjects", (HEAD, ")"), ids, |id| args![id.as_str()], read).await?;
    let by_id: HashMap<SubjectId, Row> = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
    Ok(ids.iter().filter_map(|id| by_id.get(id).cloned()).collect())
}

/// The subjects that pass `filter`, after `after` (see [`Order`]), at most `limit`.
pub async fn list(tx: &mut Tx, filter: &Filter, order: Order, after: Option<(i64, String)>, limit: u32) -> Result<Vec<Row>, StoreError> {
    let mut query = Built::new(concat!("SELECT ", columns!(), " FROM subject WHERE TRUE"));
    narrow(&mut query, filter);
    let after = after.map(|(number, id)| args![number, id]);
    let (seek, sorted) = match order {
        Order::Newest => (" AND (modified, id) < ({}, {})", " ORDER BY modified DESC, id DESC LIMIT {}"),
        Order::Corrected => (" AND (corrected, id) < ({}, {})", " AND corrected > 0 ORDER BY corrected DESC, id DESC LIMIT {}"),
        Order::Withdrawn => (" AND (withdrawn_at, id) < ({}, {})", " AND withdrawn_at IS NOT NULL ORDER BY withdrawn_at DESC, id DESC LIMIT {}"),
        Order::Title => (" AND (title, id) > ((SELECT title FROM subject WHERE id = {}), {})", " ORDER BY title, id LIMIT {}"),
    };
    if let Some(mut after) = after {
        if order == Order::Title {
            after[0] = after[1].clone();
        }
        query.push(seek, after);
    }
    query.push(sorted, args![limit]);
    let (sql, args) = query.done();
    all(tx, "list subjects", sql, args, read).await
}

/// How many subjects pass `filter`.
pub async fn count(tx: &mut Tx, filter: &Filter) -> Result<i64, StoreError> {
    let mut query = Built::new("SELECT COUNT(*) FROM subject WHERE TRUE");
    narrow(&mut query, filter);
    let (sql, args) = query.done();
    number(tx, "count subjects", sql, args).await
}

fn narrow<'a>(query: &mut Built<'a>, filter: &'a Filter) {
    // One answer stands in a list once: under the claim that answers.
    if filter.standing == Some(Standing::Public) {
        query.push(" AND same_as = ''", vec![]);
    }
    let equal = [
        (" AND kind = {}", filter.kind.as_deref()),
        (" AND standing = {}", filter.standing.map(Standing::as_str)),
        (" AND verdict = {}", filter.verdict.as_deref()),
        (" AND type = {}", filter.type_.as_deref()),
        (" AND hazard = {}", filter.hazard.as_deref()),
        (" AND signer = {}", filter.signer.as_ref().map(KeyId::as_str)),
    ];
    for (piece, value) in equal {
        if let Some(value) = value {
            query.push(piece, args![value]);
        }
    }
    let member = |id: &str| format!("%,{},%", crate::value::like_escape(id));
    if let Some(field) = &filter.field {
        query.push(" AND fields LIKE {} ESCAPE '\\'", args![member(field)]);
    }
    if let Some(audience) = &filter.audience {
        query.push(" AND audience LIKE {} ESCAPE '\\'", args![member(audience)]);
    }
    if let Some(lang) = &filter.lang {
        query.push(" AND lang LIKE {} ESCAPE '\\'", args![format!("{}%", crate::value::like_escape(lang))]);
    }
    if !filter.region_chain.is_empty() {
        let place = |at: usize| filter.region_chain.get(at).map(Region::to_string).unwrap_or_default();
        query.push(" AND region IN ({}, {}, {}, {})", args![place(0), place(1), place(2), place(3)]);
    }
    if let Some(sample) = filter.sample {
        query.push(" AND sample = {}", args![sample]);
    }
    if filter.corrected_only {
        query.push(" AND corrected > 0", vec![]);
    }
}

/// Public subjects signed by `signer` that must be looked at again by `day` (ISO), the longest overdue first, at most `limit`.
pub async fn list_expiring(tx: &mut Tx, signer: &KeyId, day: &str, limit: u32) -> Result<Vec<Row>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM subject WHERE standing = 'public' AND expires <= $1 AND signer = $2 ORDER BY expires, id LIMIT $3");
    all(tx, "list subjects to look at again", SQL, args![day, signer.as_str(), limit], read).await
}

/// Subjects changed after change number `after`, in the order of their changes, at most `limit`.
pub async fn list_changed(tx: &mut Tx, after: i64, limit: u32) -> Result<Vec<Row>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM subject WHERE seq > $1 ORDER BY seq, id LIMIT $2");
    all(tx, "list changed subjects", SQL, args![after, limit], read).await
}

/// Subjects of `kind` changed after change number `after`, in the order of their changes, at most `limit`.
pub async fn list_changed_of(tx: &mut Tx, kind: &str, after: i64, limit: u32) -> Result<Vec<Row>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM subject WHERE seq > $1 AND kind = $2 ORDER BY seq, id LIMIT $3");
    all(tx, "list changed subjects of a kind", SQL, args![after, kind, limit], read).await
}

/// How many public subjects each field has, by field; `kind` narrows to `resource` or `claim`.
pub async fn list_by_field_counts(tx: &mut Tx, kind: Option<&str>) -> Result<Vec<(String, i64)>, StoreError> {
    const SQL: &str = "
        SELECT fields, COUNT(*) FROM subject
        WHERE standing = 'public' AND ($1 = '' OR kind = $1) GROUP BY fields ORDER BY fields";
    let rows = all(tx, "count subjects by field", SQL, args![kind.unwrap_or_default()], |c| Ok((c.list()?, c.int()?))).await?;
    let mut counts = BTreeMap::new();
    for (fields, count) in rows {
        for field in fields {
            *counts.entry(field).or_insert(0) += count;
        }
    }
    Ok(counts.into_iter().collect())
}
