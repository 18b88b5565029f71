//! The cards beside a warning: pre-reviewed emergency cards that are public and not expired, chosen by the rules of `kepu-domain::deliver::guide`.

use super::locked;
use crate::App;
use crate::deliver::channel::{Piece, piece};
use crate::error::AppError;
use jiff::civil::Date;
use kepu_domain::create::draft::Matter;
use kepu_domain::create::resource::Resource;
use kepu_domain::deliver::channel::Goes;
use kepu_domain::deliver::guide::{Card, Phase, Wanted, Why, choose};
use kepu_domain::deliver::warning::Warning;
use kepu_domain::org::Region;
use kepu_domain::vocabulary::LANGUAGES;
use kepu_store::subject::{self, Filter, Order, Standing};
use kepu_store::{Tx, counter};
use std::sync::{Arc, Mutex};

/// Cards that are looked at: more than there are hazards, phases and places with one.
const CARDS_MAX: u32 = 3_000;

/// All cards that may stand beside a warning.
#[derive(Debug, Default)]
pub struct Cards {
    list: Vec<Card>,
    pieces: Vec<Arc<Piece>>,
}

/// What [`App`] keeps of cards: as of a change of the library and a day.
#[derive(Debug, Default)]
pub struct Kept(Mutex<Option<(AsOf, Arc<Cards>)>>);

/// A change of the library, and a day.
type AsOf = (i64, Date);

/// A card beside a warning.
#[derive(Clone, Debug)]
pub struct Advice {
    /// The card.
    pub piece: Arc<Piece>,
    /// Why it was chosen.
    pub why: Why,
}

impl Advice {
    /// What it says.
    pub fn resource(&self) -> Option<&Resource> {
        match &self.piece.matter {
            Matter::Resource(resource) => Some(resource),
            Matter::Claim(_) => None,
        }
    }
}

/// For whom advice is wanted, and in which language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct For {
    /// Audience; empty: everybody.
    pub audience: String,
    /// BCP 47; empty: `zh-Hans`.
    pub lang: String,
}

/// All cards, read again when the library or the day changed.
pub(crate) async fn cards(app: &App, tx: &mut Tx) -> Result<Arc<Cards>, AppError> {
    let at = (counter::last(tx, counter::SUBJECT).await?, app.today());
    if let Some((held, cards)) = &*locked(&app.warnings.cards.0)
        && *held == at
    {
        return Ok(cards.clone());
    }
    let filter = Filter { kind: Some("resource".into()), type_: Some("emergency".into()), standing: Some(Standing::Public), ..Filter::default() };
    let mut cards = Cards::default();
    for row in subject::list(tx, &filter, Order::Newest, None, CARDS_MAX).await? {
        let Some(piece) = piece(app, tx, row).await?.filter(|piece| piece.goes(at.1) == Goes::Out) else { continue };
        let Matter::Resource(resource) = &piece.matter else { continue };
        let Some(phase) = Phase::parse(&resource.phase) else { continue };
        let mut langs = vec![resource.lang.clone()];
        langs.extend(resource.editions.keys().filter(|name| LANGUAGES.find(name).is_some()).cloned());
        cards.list.push(Card {
            id: piece.row.id.clone(),
            hazard: resource.hazard.clone(),
            phase,
            region: resource.region,
            audience: resource.audience.clone(),
            langs,
            spoken: resource.editions.contains_key("broadcast"),
        });
        cards.pieces.push(Arc::new(piece));
    }
    let cards = Arc::new(cards);
    *locked(&app.warnings.cards.0) = Some((at, cards.clone()));
    Ok(cards)
}

/// The advice beside a warning for a place: the same for everybody who asks at this hour.
pub(crate) fn advise(app: &App, cards: &Cards, warning: &Warning, region: Region, whom: &For) -> Vec<Advice> {
    let now = app.now();
    let wanted = Wanted {
        hazard: warning.hazard.clone(),
        phase: Phase::of(warning, now),
        level: warning.level,
        region,
        hour: jiff::tz::Offset::constant(8).to_datetime(now).hour(),
        audience: whom.audience.clone(),
        lang: if whom.lang.is_empty() { "zh-Hans".into() } else { whom.lang.clone() },
    };
    let found = choose(&app.definitions().guidance, &wanted, &cards.list);
    found.into_iter().filter_map(|(at, why)| Some(Advice { piece: cards.pieces.get(at)?.clone(), why })).collect()
}

/// [`advise`] for a page.
pub async fn beside(app: &App, warning: &Warning, region: Region, whom: &For) -> Result<Vec<Advice>, AppError> {
    let mut tx = app.db.read().await?;
    let cards = cards(app, &mut tx).await?;
    Ok(advise(app, &cards, warning, region, whom))
}
