//! The first page: one field that is also "is this true?", three doors, what is being checked, what was corrected.

use crate::Web;
use crate::deliver::now::{Strip, strips};
use crate::line::{Change, Line, changes, lines};
use crate::page::{Answer, Html, Req, Shell, page};
use askama::Template;
use axum::extract::State;
use kepu_app::AppError;
use kepu_domain::record::Body;
use kepu_store::Tx;
use kepu_store::subject::{self, Filter, Order, Row, Standing};

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    s: Shell,
    strips: Vec<Strip>,
    newest: Option<Line>,
    claims: i64,
    place: String,
    place_code: String,
    nearby: i64,
    now: Vec<Now>,
    waiting: usize,
    judged: Vec<Line>,
    changes: Vec<Change>,
}

/// Something that is being checked.
struct Now {
    line: Line,
    who: String,
    next: Html,
    late: bool,
}

/// GET /
pub async fn home(State(web): State<Web>, req: Req) -> Answer {
    let s = req.titled(req.shell.t("home-title")).script("suggest.js");
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let trust = web.app.trust(&mut tx).await?;
    let public = |kind: &str| Filter { kind: Some(kind.into()), standing: Some(Standing::Public), ..Filter::default() };
    let list = async |tx: &mut Tx, filter: &Filter, limit| subject::list(tx, filter, Order::Newest, None, limit).await.map_err(AppError::from);

    let resources = list(&mut tx, &public("resource"), 1).await?;
    let claims = list(&mut tx, &public("claim"), 24).await?;
    let judged: Vec<Row> = claims.into_iter().filter(|row| row.verdict != "checking").take(6).collect();
    let checking = list(&mut tx, &Filter { verdict: Some("checking".into()), ..public("claim") }, 5).await?;
    let mut now = Vec::new();
    for row in &checking {
        now.push(being_checked(&web, &s, &mut tx, row, &trust).await?);
    }
    // What is meant for the whole country is everywhere; "nearby" is what is meant for this place in particular.
    let here = Filter { region_chain: web.settings.region.chain().into_iter().skip(1).collect(), standing: Some(Standing::Public), ..Filter::default() };
    let strips = strips(&web, &s, web.settings.region, 3).await?;
    let page_values = HomePage {
        strips,
        newest: resources.first().map(|row| Line::new(&s, row, &trust)),
        claims: count(&mut tx, &public("claim")).await?,
        place: s.place(&web.settings.region),
        place_code: web.settings.region.to_string(),
        nearby: if here.region_chain.is_empty() { 0 } else { count(&mut tx, &here).await? },
        now,
        waiting: 0,
        judged: lines(&s, &judged, &trust),
        changes: changes(&web, &req, &mut tx, 4).await?,
        s,
    };
    drop(tx);
    let open = kepu_app::listen::case::list(&web.app, true, 500).await?;
    let waiting = open.iter().filter(|(case, _)| case.held_at.is_none()).count();
    Ok(page(&HomePage { waiting, ..page_values }))
}

async fn count(tx: &mut Tx, filter: &Filter) -> Result<i64, AppError> {
    Ok(subject::count(tx, filter).await?)
}

async fn being_checked(web: &Web, s: &Shell, tx: &mut Tx, row: &Row, trust: &kepu_domain::trust::TrustView) -> Result<Now, AppError> {
    let line = Line::new(s, row, trust);
    let found = kepu_app::create::publish::current(&web.app, tx, &row.id).await?;
    let holding = match found.and_then(|(_, record)| record).and_then(|record| record.body.ok()) {
        Some(Body::Claim(claim)) => claim.holding,
        _ => None,
    };
    Ok(match holding {
        Some(holding) => Now { line, next: s.soon(&holding.next_update), late: holding.next_update < s.now, who: holding.who },
        None => Now { who: line.by.clone(), line, next: Html::default(), late: false },
    })
}
