//! What leaves by open channels: feeds, harvesters, embeds, screens. Everybody may ask, nobody is noted. How each of them is
//! written down is in `kepu-web`; the monthly pack in `pack`.

use crate::App;
use crate::create::publish::matter_of;
use crate::error::AppError;
use kepu_domain::create::draft::Matter;
use kepu_domain::deliver::channel::{Goes, goes};
use kepu_domain::deliver::pack::{Month, hazards_now};
use kepu_domain::ids::SubjectId;
use kepu_domain::org::Region;
use kepu_store::Tx;
use kepu_store::deliver::change::{self, Asked, Change};
use kepu_store::subject::{self, Filter, Order, Row, Standing};

/// Something public with what its record says.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Its public row.
    pub row: Row,
    /// What it says.
    pub matter: Matter,
    /// The institution that signed it.
    pub holder: String,
}

impl Piece {
    /// Whether it may stand where nobody looks again: a frame on another site, a wall, a pack.
    pub fn goes(&self, today: jiff::civil::Date) -> Goes {
        goes(self.row.expires.as_deref(), today)
    }
}

/// The public version of a subject as a piece; `None` if it is not public.
pub(crate) async fn piece(app: &App, tx: &mut Tx, row: Row) -> Result<Option<Piece>, AppError> {
    if row.standing != Standing::Public {
        return Ok(None);
    }
    let Some(matter) = matter_of(tx, &row).await? else { return Ok(None) };
    let holder = app.trust(tx).await?.grant(&row.signer).map(|grant| grant.holder.clone()).unwrap_or_default();
    Ok(Some(Piece { row, matter, holder }))
}

async fn pieces(app: &App, tx: &mut Tx, rows: Vec<Row>) -> Result<Vec<Piece>, AppError> {
    let mut list = Vec::with_capacity(rows.len());
    for row in rows {
        list.extend(piece(app, tx, row).await?);
    }
    Ok(list)
}

/// What a feed carries.
#[derive(Clone, Debug)]
pub struct News {
    /// What is public, newest version first.
    pub pieces: Vec<Piece>,
    /// What was withdrawn, latest first.
    pub withdrawn: Vec<Row>,
    /// When anything shown here last changed, ms.
    pub changed: i64,
}

/// The newest of what passes `filter` (its kind may be open: claims and resources), with what was withdrawn of the same.
pub async fn news(app: &App, filter: &Filter, limit: u32) -> Result<News, AppError> {
    let mut tx = app.db.read().await?;
    let changed = change::last(&mut tx).await?;
    let mut rows = Vec::new();
    let mut withdrawn = Vec::new();
    let kinds: Vec<String> = filter.kind.clone().map_or_else(|| vec!["claim".into(), "resource".into()], |kind| vec![kind]);
    for kind in kinds {
        let shown = Filter { kind: Some(kind.clone()), standing: Some(Standing::Public), ..filter.clone() };
        rows.extend(subject::list(&mut tx, &shown, Order::Newest, None, limit).await?);
        // A body that was erased took its fields along: a withdrawal is told to everybody rather than to nobody.
        let gone = Filter { kind: Some(kind), standing: Some(Standing::Withdrawn), ..Filter::default() };
        withdrawn.extend(subject::list(&mut tx, &gone, Order::Withdrawn, None, limit).await?);
    }
    rows.sort_by(|a, b| (b.modified, &b.id).cmp(&(a.modified, &a.id)));
    rows.truncate(limit as usize);
    withdrawn.sort_by(|a, b| (b.withdrawn_at, &b.id).cmp(&(a.withdrawn_at, &a.id)));
    withdrawn.truncate(limit as usize);
    Ok(News { pieces: pieces(app, &mut tx, rows).await?, withdrawn, changed })
}

/// Resources with a recording that is here, newest first, at most `limit`.
pub async fn heard(app: &App, limit: usize) -> Result<News, AppError> {
    let mut tx = app.db.read().await?;
    let changed = change::last(&mut tx).await?;
    let ids = kepu_store::media::list_subjects(&mut tx, "audio/", 2_000).await?;
    let mut rows = subject::find_many(&mut tx, &ids).await?;
    rows.sort_by(|a, b| (b.modified, &b.id).cmp(&(a.modified, &a.id)));
    rows.truncate(limit);
    Ok(News { pieces: pieces(app, &mut tx, rows).await?, withdrawn: vec![], changed })
}

/// Public subjects in this order as pieces; what is not public any more is left out.
pub async fn pick(app: &App, ids: &[SubjectId]) -> Result<Vec<Piece>, AppError> {
    let mut tx = app.db.read().await?;
    let rows = subject::find_many(&mut tx, ids).await?;
    pieces(app, &mut tx, rows).await
}

/// What became of something that a browser keeps for reading without a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is public, in this version.
    Public(String),
    /// It must be looked at again first.
    Expired,
    /// It was withdrawn.
    Withdrawn,
    /// Nothing of this id is shown here.
    Unknown,
}

/// What became of these subjects, in their order.
pub async fn kept(app: &App, ids: &[SubjectId]) -> Result<Vec<(SubjectId, Kept)>, AppError> {
    let mut tx = app.db.read().await?;
    let today = app.today();
    let found: std::collections::HashMap<SubjectId, Row> = subject::find_many(&mut tx, ids).await?.into_iter().map(|row| (row.id.clone(), row)).collect();
    let state = |id: &SubjectId| match found.get(id) {
        Some(row) if row.standing == Standing::Withdrawn => Kept::Withdrawn,
        Some(row) if row.standing == Standing::Public && goes(row.expires.as_deref(), today) == Goes::Expired => Kept::Expired,
        Some(row) if row.standing == Standing::Public => Kept::Public(row.doc_hash.map(|hash| hash.hex()).unwrap_or_default()),
        _ => Kept::Unknown,
    };
    Ok(ids.iter().map(|id| (id.clone(), state(id))).collect())
}

/// One subject as a frame on another site shows it.
#[derive(Clone, Debug)]
pub enum Embedded {
    /// It is shown.
    Here(Box<Piece>),
    /// It was withdrawn: why, and when.
    Withdrawn(Box<Row>),
    /// It should have been looked at again.
    Expired(Box<Row>),
}

/// What a frame shows of a subject; not found if there is nothing public of this kind.
pub async fn embedded(app: &App, kind: &str, id: &SubjectId) -> Result<Embedded, AppError> {
    let missing = || AppError::NotFound { what: "subject", id: id.0.clone() };
    let mut tx = app.db.read().await?;
    let row = subject::find(&mut tx, id).await?.filter(|row| row.kind == kind || row.kind.is_empty()).ok_or_else(missing)?;
    if row.standing == Standing::Withdrawn {
        return Ok(Embedded::Withdrawn(Box::new(row)));
    }
    let piece = piece(app, &mut tx, row).await?.ok_or_else(missing)?;
    Ok(match piece.goes(app.today()) {
        Goes::Out => Embedded::Here(Box::new(piece)),
        Goes::Expired => Embedded::Expired(Box::new(piece.row)),
    })
}

/// Most pieces on a wall before it begins again.
pub const WALL_MAX: usize = 12;

/// Emergency cards on a wall: what the time of the year asks for, not a lesson about everything.
const CARDS: usize = 3;

/// What a screen in a hall of this place shows, in order: emergency cards of the season, what concerns the place before what concerns
/// everybody; what is being checked; then verdicts and texts in turn. What must be looked at again is left out.
pub async fn wall(app: &App, filter: &Filter) -> Result<Vec<Piece>, AppError> {
    let mut tx = app.db.read().await?;
    let public = |kind: &str| Filter { kind: Some(kind.into()), standing: Some(Standing::Public), ..filter.clone() };
    let place = filter.region_chain.last().copied().unwrap_or(Region::NATION);
    let now = hazards_now(&app.definitions().packs.seasons, place, Month::of(app.today()));
    let cards = Filter { type_: Some("emergency".into()), ..public("resource") };
    let mut rows = subject::list(&mut tx, &cards, Order::Newest, None, 200).await?;
    rows.retain(|row| now.contains(&row.hazard));
    rows.sort_by_key(|row| std::cmp::Reverse(row.region.chain().len()));
    rows.truncate(CARDS);
    let mut claims = subject::list(&mut tx, &public("claim"), Order::Newest, None, WALL_MAX as u32).await?;
    claims.sort_by_key(|row| row.verdict != "checking");
    let texts = subject::list(&mut tx, &public("resource"), Order::Newest, None, WALL_MAX as u32 * 2).await?;
    let (mut claims, mut texts) = (claims.into_iter(), texts.into_iter());
    loop {
        let pair = [claims.next(), texts.next()];
        if pair.iter().all(Option::is_none) {
            break;
        }
        rows.extend(pair.into_iter().flatten());
    }
    let mut seen = std::collections::HashSet::new();
    let today = app.today();
    rows.retain(|row| goes(row.expires.as_deref(), today) == Goes::Out && seen.insert(row.id.clone()));
    rows.truncate(WALL_MAX);
    pieces(app, &mut tx, rows).await
}

/// A subject as harvesters see it.
#[derive(Clone, Debug)]
pub struct Harvested {
    /// When it last changed here.
    pub change: Change,
    /// What it says; `None`: it is gone.
    pub piece: Option<Piece>,
}

/// One page for a harvester.
#[derive(Clone, Debug)]
pub struct Harvest {
    /// The subjects, the longest unchanged first.
    pub list: Vec<Harvested>,
    /// Where the next page begins.
    pub next: Option<(i64, String)>,
    /// How many there are on all pages.
    pub total: i64,
}

/// Subjects by the time of their last change. A page begins after a time and an id, so it may be asked for again at any time, after a
/// restart too; what changes meanwhile comes again at the end.
pub async fn harvest(app: &App, asked: &Asked, after: Option<(i64, String)>, limit: u32) -> Result<Harvest, AppError> {
    let mut tx = app.db.read().await?;
    let total = change::count(&mut tx, asked).await?;
    let mut changes = change::list(&mut tx, asked, after, limit.saturating_add(1)).await?;
    let more = changes.len() > limit as usize;
    changes.truncate(limit as usize);
    let next = changes.last().filter(|_| more).map(|change| (change.at, change.id.0.clone()));
    Ok(Harvest { list: harvested(app, &mut tx, changes).await?, next, total })
}

/// One subject as harvesters see it; `None` if it was never shown here.
pub async fn harvest_one(app: &App, id: &SubjectId) -> Result<Option<Harvested>, AppError> {
    let mut tx = app.db.read().await?;
    let changes = change::find_many(&mut tx, std::slice::from_ref(id)).await?;
    Ok(harvested(app, &mut tx, changes).await?.pop())
}

async fn harvested(app: &App, tx: &mut Tx, changes: Vec<Change>) -> Result<Vec<Harvested>, AppError> {
    let mut list = Vec::with_capacity(changes.len());
    for change in changes {
        let row = if change.gone { None } else { subject::find(tx, &change.id).await? };
        let piece = match row {
            Some(row) => piece(app, tx, row).await?,
            None => None,
        };
        list.push(Harvested { change, piece });
    }
    Ok(list)
}

/// When the oldest change known was, ms.
pub async fn first_change(app: &App) -> Result<i64, AppError> {
    Ok(change::first(&mut app.db.read().await?).await?.unwrap_or_else(|| app.now().as_millisecond()))
}

/// How many subjects are shown, and page number `page` from 0 of `size` of them, by id.
pub async fn shown(app: &App, page: u32, size: u32) -> Result<(i64, Vec<Change>), AppError> {
    let mut tx = app.db.read().await?;
    let total = change::count(&mut tx, &Asked { shown: true, ..Asked::default() }).await?;
    Ok((total, change::list_shown(&mut tx, page, size).await?))
}
