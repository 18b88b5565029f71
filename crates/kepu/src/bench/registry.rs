//! `kepu bench registry`: a made-up country of people and places through the same operations that pages and commands call.

use crate::bench::Figure;
use crate::commands::operator;
use crate::measure::{Usage, peak_rss_mb};
use anyhow::ensure;
use kepu_app::create::export;
use kepu_app::create::find::{Scope, Search, find};
use kepu_app::create::import::{self, Brought};
use kepu_app::node::{self, Init};
use kepu_app::{App, org};
use kepu_domain::create::import::{Kind, Plan};
use kepu_domain::org::{Org, Region};
use kepu_domain::vocabulary::FIELDS;
use kepu_sync::suite::Suite;
use std::fmt::Write;
use std::path::Path;
use std::time::Instant;

/// Searches that are timed.
const SEARCHES: usize = 1_000;

/// Takes `people` experts and `places` halls in, searches, and writes both registers out, in and out again.
pub async fn run(people: usize, places: usize) -> anyhow::Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let app = open(&folder.path().join("one")).await?;
    let mut random = Random(20_261_125);
    let counties: Vec<Org> = org::divisions()?.into_iter().filter(|org| org::seat(org.region).is_some()).collect();
    let (experts, halls) = (people_csv(&mut random, &counties, people), places_csv(&mut random, &counties, places));
    let taking = Usage::now();
    ensure!(take_in(&app, "experts", &experts).await? == people, "not all people were taken in");
    ensure!(take_in(&app, "halls", &halls).await? == places, "not all places were taken in");
    let taken = taking.wall_s();
    let first = Instant::now();
    search(&app, &mut random, &counties).await?;
    let building = first.elapsed().as_secs_f64();
    let mut times = Vec::with_capacity(SEARCHES);
    let mut hits = 0;
    for _ in 0..SEARCHES {
        let begun = Instant::now();
        hits += search(&app, &mut random, &counties).await?;
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    times.sort_by(f64::total_cmp);
    let (out, other) = (Usage::now(), open(&folder.path().join("two")).await?);
    let mut same = true;
    let mut bytes = 0;
    for register in ["experts", "halls"] {
        let once = written(&app, register).await?;
        take_in(&other, register, &once).await?;
        same &= written(&other, register).await? == once;
        bytes += once.len();
    }
    ensure!(same, "a register that was written, taken in and written again differs");
    let rows = (people + places) as f64;
    Ok(vec![
        Figure::new("taken_in", rows / taken, "entries/s"),
        Figure::new("taken_in_wall", taken, "s"),
        Figure::new("index_built", building, "s"),
        Figure::new("search_p50", times[times.len() / 2], "ms"),
        Figure::new("search_p99", times[times.len() * 99 / 100], "ms"),
        Figure::new("search_max", times[times.len() - 1], "ms"),
        Figure::new("hits_a_search", hits as f64 / SEARCHES as f64, ""),
        Figure::new("written_in_and_out_wall", out.wall_s(), "s"),
        Figure::new("written", bytes as f64 / 1_048_576.0, "MiB"),
        Figure::new("written_same", f64::from(u8::from(same)), ""),
        Figure::new("peak_memory", peak_rss_mb(), "MiB"),
    ])
}

async fn open(data: &Path) -> anyhow::Result<App> {
    Ok(node::init(data, Init { name: "国家".into(), region: Region::NATION, suite: Suite::Ed25519, database: None }).await?)
}

async fn take_in(app: &App, register: &str, text: &str) -> anyhow::Result<usize> {
    let plan = Plan { kind: Kind::Party, signed_by: "bench".into(), register: register.into(), ..Plan::default() };
    let brought = Brought { name: "bench.csv", bytes: text.as_bytes(), plan, org: "000000".into() };
    let done = import::take_in(app, &operator(), brought, &|_| {}).await?;
    ensure!(done.counts.refused == 0, "{} rows were refused", done.counts.refused);
    Ok(usize::try_from(done.counts.published)?)
}

async fn written(app: &App, register: &str) -> anyhow::Result<String> {
    let mut text = String::new();
    export::export(app, &operator(), register, &mut |part| {
        text.push_str(part);
        Ok(())
    })
    .await?;
    Ok(text)
}

/// Somebody competent in one or two fields, as near as possible to a county, who can be asked now; how many there are.
async fn search(app: &App, random: &mut Random, counties: &[Org]) -> anyhow::Result<usize> {
    let near = org::seat(counties[random.below(counties.len())].region).map(|seat| (seat, (random.below(2) == 0).then_some(300.0)));
    let fields = (0..=random.below(2)).map(|_| field(random)).collect();
    let search = Search { register: "experts".into(), fields, near, free: true, limit: 20, ..Search::default() };
    Ok(find(app, &operator(), Scope::Entries, &search).await?.1)
}

fn field(random: &mut Random) -> String {
    let terms = FIELDS.terms();
    terms[random.below(terms.len())].id.clone()
}

fn people_csv(random: &mut Random, counties: &[Org], count: usize) -> String {
    let mut text = "id,姓名,职务或职称,领域,资格,所在地（到县）,语言,每月最多任务数,近期可接任务,勿扰时段,出生年\r\n".to_owned();
    for n in 0..count {
        let (one, two) = (field(random), field(random));
        let county = counties[random.below(counties.len())].region;
        let seen = "\"\"verified\"\":{\"\"by\"\":\"\"示例\"\",\"\"on\"\":\"\"2026-01-05\"\"}";
        let proof = format!("\"[{{\"\"what\"\":\"\"示例资格\"\",\"\"issuer\"\":\"\"示例\"\",\"\"until\"\":\"\"2031-12-31\"\",{seen}}}]\"");
        let (ceiling, free, born) = (1 + random.below(8), if random.below(5) == 0 { "否" } else { "是" }, 1950 + random.below(55));
        let quiet = if random.below(3) == 0 { "22:00-07:00" } else { "" };
        let _ = write!(text, "p{n:06},示例{n}号,示例医师,{one};{two},{proof},{county},zh-Hans,{ceiling},{free},{quiet},{born}\r\n");
    }
    text
}

fn places_csv(random: &mut Random, counties: &[Org], count: usize) -> String {
    let mut text = "id,名称,类型,所在地,坐标,领域,免费开放,年接待人次\r\n".to_owned();
    for n in 0..count {
        let county = &counties[random.below(counties.len())];
        let (lng, lat) = org::seat(county.region).unwrap_or_default();
        let (lng, lat) = (lng + random.below(1_000) as f64 / 5_000.0, lat + random.below(1_000) as f64 / 5_000.0);
        let one = field(random);
        let _ = write!(text, "v{n:06},示例馆{n},museum,{},\"{lng:.5},{lat:.5}\",{one},是,{}\r\n", county.region, random.below(1_000_000));
    }
    text
}

/// A small generator with a fixed beginning, so that two runs measure the same (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % end.max(1)
    }
}
