//! Rehearses topics: days that are made up, then the real hot list:
//!
//! ```text
//! cargo run --release -p kepu-search --features learn --example burst_day -- DATA_DIR
//! ```

use kepu_search::claims::learn::cases;
use kepu_search::topics::rehearsal::{Plan, day, score};
use kepu_search::topics::{Reading, Settings, Stream};
use std::path::PathBuf;

fn main() {
    let data = PathBuf::from(std::env::args().nth(1).expect("DATA_DIR"));
    let settings = Settings::default();
    let titles = cases::titles(&data);
    for (seed, wordings) in [(1, 1), (2, 3), (3, 3), (4, 5), (5, 5)] {
        let plan = Plan { seed, wordings, ..Plan::default() };
        let posts = day(&titles, plan);
        let begun = std::time::Instant::now();
        let mut stream = Stream::new(settings);
        for (n, post) in posts.iter().enumerate() {
            stream.push(n as u64 + 1, post.time, 1.0, &post.text, &Reading::of(&post.text));
        }
        let took = begun.elapsed().as_secs_f64();
        let topics = stream.topics();
        println!("{:?} {} posts {:.0}/s", score(&posts, &topics, plan.bursts), posts.len(), posts.len() as f64 / took);
    }
    let mut stream = Stream::new(settings);
    let begun = std::time::Instant::now();
    let rows = cases::ranks(&data);
    for (n, (time, rank, title)) in rows.iter().enumerate() {
        stream.push(n as u64 + 1, *time, 51.0 - *rank as f32, title, &Reading::of(title));
    }
    let topics = stream.topics();
    let took = begun.elapsed().as_secs_f64();
    println!("replay: {} rows, {} topics, {:.0} rows/s", rows.len(), topics.len(), rows.len() as f64 / took);
    for t in topics.iter().take(40) {
        println!(
            "  {} alert +{} min, peak +{} min, end +{} min, {:.1}, {} signals",
            t.label,
            (t.alert - t.start) / 60,
            (t.peak - t.start) / 60,
            (t.end - t.start) / 60,
            t.score,
            t.signals.len()
        );
    }
}
