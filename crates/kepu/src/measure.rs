//! Time, processor time and memory of a process, as Linux tells them. Where it does not, processor time and memory are 0.

use serde_json::{Map, Value, json};
use std::time::Instant;

/// Clock ticks a second in `/proc/PID/stat`: the same on every Linux that Kepu runs on.
const TICKS: f64 = 100.0;

/// Processor seconds that a process has used so far; `None` if it is gone or the system does not say.
pub fn cpu_s(pid: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold spaces; numbers are counted behind it.
    let rest = stat.rsplit_once(')')?.1;
    let mut numbers = rest.split_whitespace().skip(11);
    let (user, system): (f64, f64) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    Some((user + system) / TICKS)
}

fn own_cpu_s() -> f64 {
    cpu_s(std::process::id()).unwrap_or_default()
}

/// The most memory that this process has held, in MiB.
pub fn peak_rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|text| text.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or_default() / 1024.0
}

/// A moment to measure from.
pub struct Usage {
    wall: Instant,
    cpu: f64,
}

impl Usage {
    /// Now.
    pub fn now() -> Self {
        Self { wall: Instant::now(), cpu: own_cpu_s() }
    }
    /// Seconds since then.
    pub fn wall_s(&self) -> f64 {
        self.wall.elapsed().as_secs_f64()
    }
    /// Processor seconds since then.
    pub fn cpu_s(&self) -> f64 {
        own_cpu_s() - self.cpu
    }
    /// The line that `--time` prints; the last part, `run_s`, is what the other parts leave.
    pub fn since(&self, rows: usize, parts: &[(&str, f64)]) -> Value {
        let wall = self.wall_s();
        let mut line = Map::new();
        line.insert("wall_s".into(), json!(round(wall)));
        line.insert("cpu_s".into(), json!(round(self.cpu_s())));
        line.insert("rows".into(), json!(rows));
        line.insert("rows_per_s".into(), json!((rows as f64 / wall.max(1e-9)).round()));
        line.insert("peak_rss_mb".into(), json!(peak_rss_mb().round()));
        let mut left = wall;
        for (name, seconds) in parts {
            line.insert((*name).into(), json!(round(*seconds)));
            left -= seconds;
        }
        line.insert("run_s".into(), json!(round(left.max(0.0))));
        Value::Object(line)
    }
}

fn round(seconds: f64) -> f64 {
    (seconds * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_was_used_is_seen() {
        let begun = Usage::now();
        let mut sum = 0_u64;
        while begun.wall_s() < 0.1 {
            sum = sum.wrapping_mul(31).wrapping_add(7);
        }
        assert!(begun.cpu_s() > 0.0 || sum == 1, "a tenth of a second is ten ticks");
        let line = begun.since(50, &[("load_s", 0.01)]);
        assert!(line["wall_s"].as_f64() > Some(0.09) && line["rows"] == 50 && line["run_s"].as_f64() > Some(0.08), "{line}");
        assert_eq!(cpu_s(u32::MAX), None);
    }
}
