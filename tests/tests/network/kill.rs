//! `kill -9` at any moment: what was acknowledged is there, nothing is half done, and the numbering has no gap.

use super::{pair, problems};
use kepu_tests::{binary, wait_for};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Pseudo-random waits, the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

#[test]
fn killed_at_forty_moments_of_publishing_and_exchanging() -> anyhow::Result<()> {
    let (nation, county, served) = pair()?;
    let mut address = served.address;
    let mut served = Some(served);
    let mut dice = Dice(2_026);
    let mut acknowledged = 0;
    let begin = Instant::now();
    // How long a publication and an exchange take here: kills are spread over that time.
    county.publish(20, "试跑")?;
    acknowledged += 20;
    let publish_ms = begin.elapsed().as_millis() as u64;
    county.run(&["sync"])?;
    for round in 0..40 {
        let (words, most) = match round % 4 {
            0 | 2 => (vec!["record", "publish", "--in"], publish_ms),
            _ => (vec!["sync"], publish_ms),
        };
        let input = county.file(&format!("round-{round}.jsonl"));
        let rows: Vec<String> =
            (0..25).map(|n| format!(r#"{{"title":"第{round}轮第{n}号","text":"这一条在第{round}轮发布，用来看断电之后还在不在。"}}"#)).collect();
        std::fs::write(&input, rows.join("\n"))?;
        let mut command = Command::new(binary());
        command.args(words).args((round % 2 == 0).then_some(&input)).arg("--data").arg(county.data());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        std::thread::sleep(Duration::from_millis(dice.below(most.max(20))));
        if round % 4 == 3 {
            // The other side is killed instead, in the middle of its answer.
            if let Some(old) = served.take() {
                address = old.kill();
            }
            let _ = child.wait()?;
            served = Some(nation.serve_at(&address.to_string())?);
        } else {
            let _ = child.kill();
            let output = child.wait_with_output()?;
            if String::from_utf8_lossy(&output.stdout).contains("\"published\":25") {
                acknowledged += 25;
            }
        }
    }
    let done = county.json(&["sync"])?;
    assert!(done["error"].is_null() && done["refused"].is_null(), "{done}");
    assert_eq!(county.json(&["sync"])?["round_trips"], 1, "all is settled");
    assert_eq!(nation.state()?, county.state()?);
    for node in [&nation, &county] {
        assert!(problems(node)?.is_empty(), "no gap and no fork: {:?}", problems(node)?);
        assert_eq!(node.json(&["rebuild"])?["same"], true);
        assert!(node.run(&["audit", "verify"])?.contains("\"whole\":true"));
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let held = runtime.block_on(async {
        let app = super::open(&nation).await;
        let mut tx = app.db.read().await.expect("read");
        kepu_store::subject::count(&mut tx, &Default::default()).await.expect("count")
    });
    assert!(held >= acknowledged && (held - acknowledged) % 25 == 0, "{acknowledged} were acknowledged, {held} are there");
    assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
    Ok(())
}

#[test]
fn a_node_that_waits_for_news_tells_its_own_at_once_and_stops_when_told() -> anyhow::Result<()> {
    let (nation, county, served) = pair()?;
    let daily = county.serve_daily()?;
    wait_for("the first exchange", || nation.json(&["node", "show"]).is_ok_and(|show| show["children"][0]["last_seen"].is_string()))?;
    let begin = Instant::now();
    county.publish(1, "刚刚")?;
    wait_for("the parent to hear of it", || nation.run(&["node", "show"]).is_ok_and(|show| show.contains("刚刚第0号")))?;
    nation.publish(1, "下行")?;
    wait_for("the child to hear of it", || county.run(&["node", "show"]).is_ok_and(|show| show.contains("下行第0号")))?;
    assert!(begin.elapsed() < Duration::from_secs(25), "a long poll was waited out: {:?}", begin.elapsed());
    for node in [served, daily] {
        let took = node.stop()?;
        assert!(took < Duration::from_secs(10), "{took:?}");
    }
    Ok(())
}
