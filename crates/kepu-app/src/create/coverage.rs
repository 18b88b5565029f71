//! Coverage of the library for its editors: what `kepu-domain::create::coverage` counts, over what people of a place can read here.

use crate::App;
use crate::error::AppError;
use jiff::Timestamp;
use kepu_domain::access::{Action, Actor};
use kepu_domain::create::coverage::{Piece, Row, USED_MONTHS, count};
use kepu_domain::deliver::pack::Month;
use kepu_domain::ids::SubjectId;
use kepu_domain::org::Region;
use kepu_domain::vocabulary::{AUDIENCES, FIELDS};
use kepu_store::deliver::pack;
use kepu_store::subject::{self, Filter, Order, Standing};
use std::collections::{BTreeMap, HashMap};

/// Texts that are counted, the newest first.
const TEXTS_MAX: u32 = 50_000;
/// Packs whose receipts are counted.
const PACKS_MAX: u32 = 20_000;

/// What to count.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Only what people of this place can use: what is meant for it or for a larger place around it.
    pub region: Option<Region>,
    /// Only for these readers.
    pub audience: Option<String>,
}

/// The table.
#[derive(Clone, Debug)]
pub struct Coverage {
    /// Field and what there is, in the order of the vocabulary.
    pub rows: Vec<(String, Row)>,
    /// Texts counted.
    pub texts: usize,
    /// Whether there are more than could be counted.
    pub cut: bool,
}

/// Counts what is public here.
///
/// May: whoever drafts.
pub async fn coverage(app: &App, who: &Actor, asked: &Asked) -> Result<Coverage, AppError> {
    who.may(Action::Draft, None)?;
    let mut tx = app.db.read().await?;
    let used = used(&mut tx, Month::of(app.today()).plus(-USED_MONTHS)).await?;
    let chain = asked.region.map(|region| region.chain()).unwrap_or_default();
    let filter = Filter { standing: Some(Standing::Public), audience: asked.audience.clone(), region_chain: chain, ..Filter::default() };
    let rows = subject::list(&mut tx, &filter, Order::Newest, None, TEXTS_MAX).await?;
    drop(tx);
    let pieces: Vec<Piece> = rows.iter().filter(|row| matches!(row.kind.as_str(), "resource" | "claim")).map(|row| piece(row, &used)).collect();
    let fields: Vec<&str> = FIELDS.terms().iter().map(|term| term.id.as_str()).collect();
    // Whoever asks for one kind of reader has no others to miss.
    let audiences: Vec<&str> = match asked.audience {
        Some(_) => vec![],
        None => AUDIENCES.terms().iter().map(|term| term.id.as_str()).collect(),
    };
    let mut counted: BTreeMap<String, Row> = count(pieces.iter(), &fields, &audiences, app.today(), app.now());
    let ordered = fields.into_iter().filter_map(|field| counted.remove_entry(field)).collect();
    Ok(Coverage { rows: ordered, texts: pieces.len(), cut: rows.len() as u32 == TEXTS_MAX })
}

/// How often each resource was put up, by the receipts of the packs that hold it.
async fn used(tx: &mut kepu_store::Tx, from: Month) -> Result<HashMap<SubjectId, i64>, AppError> {
    let mut used: HashMap<SubjectId, i64> = HashMap::new();
    for (pack, receipts) in pack::list_posted(tx, from, PACKS_MAX).await? {
        for item in pack.items {
            *used.entry(item.subject).or_default() += receipts;
        }
    }
    Ok(used)
}

fn piece(row: &subject::Row, used: &HashMap<SubjectId, i64>) -> Piece {
    Piece {
        claim: row.kind == "claim",
        fields: row.fields.clone(),
        audience: row.audience.clone(),
        region: row.region,
        date: row.date.parse().ok(),
        expires: row.expires.as_deref().and_then(|day| day.parse().ok()),
        modified: Timestamp::from_millisecond(row.modified).unwrap_or_default(),
        used: used.get(&row.id).copied().unwrap_or(0),
    }
}
