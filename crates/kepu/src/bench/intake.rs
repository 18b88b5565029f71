//! Intake end to end on a node with the sample claims: a day of messages as a file, taken in, matched with the claims, put into topics, alerts given. Everything
//! through the node's own tables.

use super::Figure;
use crate::commands::operator;
use crate::measure::{Usage, peak_rss_mb};
use kepu_app::create::import::{self, Brought};
use kepu_app::listen::intake;
use kepu_app::listen::topic::desk;
use kepu_domain::create::import::{Kind, Plan};
use kepu_search::claims::learn::cases;
use kepu_search::topics::rehearsal::{self, Part, Plan as Day};
use std::path::Path;

/// Runs the bench with so many messages.
pub async fn run(data: &Path, size: usize) -> anyhow::Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let app = super::begin(folder.path(), "bench", true).await?;
    let titles = cases::titles(data);
    let day = rehearsal::day(&titles, Day { posts: size, ..Day::default() });
    // The day ends now: what is older than two days would only be matched.
    let begin = app.now().as_second() - 86_400;
    let rows: String = day.iter().map(|post| format!("{}\n", serde_json::json!({"text": post.text, "time": (begin + post.time).to_string()}))).collect();
    let plan = Plan { kind: Kind::Signal, signed_by: "bench".into(), ..Plan::default() };
    let usage = Usage::now();
    let brought = Brought { name: "day.jsonl", bytes: rows.as_bytes(), plan, org: "000000".into() };
    let done = import::take_in(&app, &operator(), brought, &|_| {}).await?;
    let taken_s = usage.wall_s();
    intake::run(&app).await?;
    let (wall, cpu) = (usage.wall_s(), usage.cpu_s());
    let seen = desk::desk(&app, &operator()).await?;
    let bursts = day.iter().filter_map(|post| if let Part::Burst(n) = post.part { Some(n) } else { None }).collect::<std::collections::BTreeSet<_>>().len();
    Ok(vec![
        Figure::new("messages of the day", done.counts.published as f64, ""),
        Figure::new("taken into the queue, with what was matched meanwhile", day.len() as f64 / taken_s.max(0.001), "posts/s"),
        Figure::new("end to end: taken in, matched, in topics", day.len() as f64 / wall.max(0.001), "posts/s"),
        Figure::new("end to end, of one core", day.len() as f64 / cpu.max(0.001), "posts/CPU s"),
        Figure::new("bursts of the day", bursts as f64, ""),
        Figure::new("topics that rose or had fallen when it was over", seen.rising.len() as f64, ""),
        Figure::new("peak memory", peak_rss_mb(), "MiB"),
    ])
}
