//! Official warnings: how fast they are judged, and how long it takes from the file of a warning to guidance on the page and a queue for so many points.

use super::Figure;
use crate::commands::operator;
use crate::measure::{Usage, peak_rss_mb};
use anyhow::{Context, bail};
use kepu_app::deliver::warning::guidance::{For, beside};
use kepu_app::deliver::warning::here;
use kepu_app::deliver::warning::take::{Taken, take};
use kepu_app::listen::intake::inlet::{self, Typed};
use kepu_app::{App, seed};
use kepu_domain::deliver::alert::{Area, Circle, Divisions, Point as At, judge};
use kepu_domain::deliver::point::{Channel, Point};
use kepu_domain::deliver::warning::Name;
use kepu_domain::listen::inlet::{Kind, Plan};
use kepu_domain::org::Region;
use kepu_store::deliver::point as points;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

fn quantile(times: &mut [Duration], share: usize) -> f64 {
    times.sort_unstable();
    times.get((times.len() * share).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default().as_secs_f64() * 1_000.0
}

/// How fast messages are judged: the valid samples of a folder, hostile documents, areas.
pub fn alerts(data: &Path, rounds: usize) -> anyhow::Result<Vec<Figure>> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(data.join("cap")).with_context(|| format!("{} cannot be read", data.display()))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.extension().is_some_and(|ext| ext == "xml") && name.starts_with(['v', 'w']) {
            texts.push(std::fs::read_to_string(path)?);
        }
    }
    if texts.is_empty() {
        bail!("{} has no samples", data.display());
    }
    let divisions = kepu_app::org::places()?;
    let usage = Usage::now();
    for _ in 0..rounds {
        for text in &texts {
            std::hint::black_box(judge(text, divisions));
        }
    }
    let cpu = usage.cpu_s();
    let mut hostile = Duration::ZERO;
    for text in hostile_texts() {
        let begin = Instant::now();
        let judged = judge(&text, divisions);
        hostile = hostile.max(begin.elapsed());
        if judged.valid {
            bail!("a hostile document was taken");
        }
    }
    let mut times = targets(divisions);
    let mut real = Vec::new();
    if let Ok(list) = std::fs::read_dir(data.join("real")) {
        for entry in list.flatten() {
            real.extend(std::fs::read(entry.path()).ok().and_then(|bytes| String::from_utf8(bytes).ok()));
        }
    }
    let (usage, bytes) = (Usage::now(), real.iter().map(String::len).sum::<usize>());
    // Once through takes less time than the clock of the processor tells apart.
    let again = rounds.div_ceil(10);
    for text in std::iter::repeat_n(&real, again).flatten() {
        std::hint::black_box(judge(text, divisions));
    }
    let real_s = usage.cpu_s().max(1e-6);
    Ok(vec![
        Figure::new(
            format!("judged, {} samples of {} bytes on average", texts.len(), texts.iter().map(String::len).sum::<usize>() / texts.len()),
            (rounds * texts.len()) as f64 / cpu.max(1e-6),
            "alerts/CPU s",
        ),
        Figure::new(format!("judged, {} real files", real.len()), (again * real.len()) as f64 / real_s, "alerts/CPU s"),
        Figure::new(format!("judged, {} real files, text", real.len()), (again * bytes) as f64 / 1e6 / real_s, "MB/CPU s"),
        Figure::new("hostile documents refused, slowest", hostile.as_secs_f64() * 1_000.0, "ms"),
        Figure::new("counties of an area, p50", quantile(&mut times, 50), "ms"),
        Figure::new("counties of an area, p99", quantile(&mut times, 99), "ms"),
    ])
}

fn hostile_texts() -> Vec<String> {
    let ns = kepu_domain::deliver::alert::NAMESPACE;
    let bomb: String = (1..30).map(|n| format!("<!ENTITY a{n} \"&a{};&a{};\">", n - 1, n - 1)).collect();
    vec![
        format!("<?xml version=\"1.0\"?><!DOCTYPE alert [<!ENTITY a0 \"x\">{bomb}]><alert xmlns=\"{ns}\">&a29;</alert>"),
        format!("<alert xmlns=\"{ns}\" {}/>", (0..50_000).map(|n| format!("a{n}=\">\" ")).collect::<String>()),
        format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000)),
        format!("<alert xmlns=\"{ns}\">{}", "x".repeat(1_000_000)),
    ]
}

/// Times to find the counties of made-up areas: polygons of 4 to 400 corners and circles, everywhere in the country.
fn targets(divisions: &Divisions) -> Vec<Duration> {
    let mut state = 7_u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    let mut times = Vec::new();
    for n in 0..5_000_usize {
        let (lat, lng, size, corners) = (20.0 + random() * 30.0, 78.0 + random() * 52.0, 0.2 + random() * 6.0, 4 + (random() * 396.0) as usize);
        let corner = |at: usize| {
            let angle = at as f64 / corners as f64 * std::f64::consts::TAU;
            At { lat: lat + size * angle.sin(), lng: lng + size * angle.cos() }
        };
        let mut area = Area::default();
        if n % 4 == 0 {
            area.circles.push(Circle { at: At { lat, lng }, km: size * 100.0 });
        } else {
            let mut ring: Vec<At> = (0..corners).map(corner).collect();
            ring.push(corner(0));
            area.polygons.push(ring);
        }
        let begin = Instant::now();
        let (mut found, mut unknown) = (BTreeSet::new(), BTreeSet::new());
        divisions.find(&area, &mut found, &mut unknown);
        times.push(begin.elapsed());
        std::hint::black_box(found);
    }
    times
}

/// From the file of a warning to page, feed and queue, for growing numbers of points up to `size`.
pub async fn warnings(size: usize) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for points in [10_000, 100_000, 1_000_000].into_iter().filter(|n| *n < size).chain([size]) {
        figures.extend(with_points(points).await?);
    }
    figures.push(Figure::new("peak memory", peak_rss_mb(), "MiB"));
    Ok(figures)
}

async fn with_points(count: usize) -> anyhow::Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let app = super::begin(folder.path(), "bench", false).await?;
    seed::publish(&app).await?;
    let plan = Plan { issuers: vec!["*@nmc.example.org".into()], ..Plan::default() };
    let typed = Typed { name: "bench".into(), region: Region::NATION, plan, org: "000000".into() };
    let source = inlet::get(&app, &operator(), &inlet::add(&app, &operator(), Kind::Warning, typed).await?).await?;
    let filled = Instant::now();
    fill(&app, count).await?;
    let filled = filled.elapsed().as_secs_f64();
    // A county, a city, a province, the whole country; each with an update that takes the place of it.
    let (mut times, mut queued, mut worst) = (Vec::new(), 0, 0.0_f64);
    for (n, place) in ["411525", "410100", "410000", "440000", "000000"].into_iter().enumerate() {
        for update in [false, true] {
            let text = cap(n, place, update, app.now());
            let name = Name { sender: "w@nmc.example.org".into(), identifier: format!("{n}-{}", if update { 2 } else { 1 }) };
            let begin = Instant::now();
            let Taken::Passed(_) = take(&app, "bench", Some(&source), text.as_bytes()).await? else { bail!("the warning was not passed on") };
            let region = if place == "000000" { Region::NATION } else { Region::parse(place)? };
            let shown = here(&app, region).await?;
            let first = shown.first().context("nothing is shown")?;
            if beside(&app, &first.open.warning, region, &For::default()).await?.is_empty() {
                bail!("no card stands beside the warning");
            }
            let took = begin.elapsed();
            let mut tx = app.db.read().await?;
            queued += points::find_push(&mut tx, &name).await?.map_or(0, |push| push.points);
            worst = worst.max(took.as_secs_f64());
            times.push(took);
        }
    }
    let of = format!("{count} points");
    Ok(vec![
        Figure::new(format!("{of}: set up"), filled, "s"),
        Figure::new(format!("{of}: rows queued by {} messages", times.len()), queued as f64, ""),
        Figure::new(format!("{of}: file to page, feed and queue, p50"), quantile(&mut times, 50), "ms"),
        Figure::new(format!("{of}: file to page, feed and queue, p99 (the whole country)"), quantile(&mut times, 99), "ms"),
    ])
}

async fn fill(app: &App, count: usize) -> anyhow::Result<()> {
    let counties: Vec<Region> = kepu_app::org::DIVISIONS.iter().map(|org| org.region).filter(|region| region.chain().len() == 4).collect();
    let channels = kepu_domain::deliver::point::CHANNELS;
    for from in (0..count).step_by(20_000) {
        let mut batch: Vec<Point> = (from..count.min(from + 20_000))
            .map(|n| Point {
                id: format!("bench-{n}").into(),
                n: 0,
                org: "000000".into(),
                name: format!("点 {n}"),
                channel: channels.get(n % 4).copied().unwrap_or(Channel::Page),
                address: String::new(),
                region: counties[n % counties.len()],
                hazards: if n % 5 == 0 { vec!["N-RAIN".into(), "N-FLOOD".into()] } else { vec![] },
                level: 4,
                lang: if n % 10 == 0 { "en".into() } else { "zh-Hans".into() },
                audience: String::new(),
                nonce: String::new(),
                on: true,
                version: 1,
            })
            .collect();
        let mut tx = app.db.write().await?;
        points::insert_many(&mut tx, &mut batch).await?;
        tx.commit().await?;
    }
    Ok(())
}

fn cap(n: usize, place: &str, update: bool, now: jiff::Timestamp) -> String {
    let time = |at: jiff::Timestamp| jiff::tz::Offset::constant(8).to_datetime(at).strftime("%Y-%m-%dT%H:%M:%S+08:00").to_string();
    let (kind, id, refs) = match update {
        false => ("Alert", format!("{n}-1"), String::new()),
        true => ("Update", format!("{n}-2"), format!("<references>w@nmc.example.org,{n}-1,{}</references>", time(now))),
    };
    let area = match place {
        "000000" => "<polygon>3,73 54,73 54,136 3,136 3,73</polygon>".to_owned(),
        code => format!("<geocode><valueName>GB/T 2260</valueName><value>{code}</value></geocode>"),
    };
    let end = now.checked_add(jiff::SignedDuration::from_hours(3)).unwrap_or(now);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>{id}</identifier><sender>w@nmc.example.org</sender>\
         <sent>{}</sent><status>Actual</status><msgType>{kind}</msgType><scope>Public</scope>{refs}<info><language>zh-CN</language><category>Met</category>\
         <event>暴雨</event><urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty><eventCode><valueName>KEPU:hazard</valueName><value>N-RAIN</value></eventCode>\
         <expires>{}</expires><senderName>示例台</senderName><headline>暴雨橙色预警</headline><instruction>远离低洼处</instruction><area><areaDesc>示例</areaDesc>{area}</area></info></alert>",
        time(now),
        time(end)
    )
}
