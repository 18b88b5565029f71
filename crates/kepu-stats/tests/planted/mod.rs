//! Rounds whose truth is known: applications with a planted quality, judges with a planted harshness and spread, marks on the scale 0 to 100.
//! Shared by the tests and the bench.

use kepu_stats::judging::Score;

/// Numbers that look random and are the same everywhere (Steele et al., SplitMix64, 2014).
#[derive(Debug, Clone)]
pub struct Dice(pub u64);

impl Dice {
    /// A whole 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// From 0 to 1, without 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Standard normal (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Order drawn at random.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, (self.unit() * (at + 1) as f64) as usize);
        }
    }
}

/// What a round is made of; standard deviations in points.
#[derive(Debug, Clone)]
pub struct Plan {
    pub applications: usize,
    pub judges: usize,
    /// Scores of each application.
    pub each: usize,
    /// Judges read only applications of their own field; fields share nobody.
    pub fields: usize,
    /// How much fields differ in their mean quality.
    pub field_sd: f64,
    pub quality_sd: f64,
    pub harshness_sd: f64,
    pub error_sd: f64,
    /// Ends of the judges' spreads.
    pub spread: (f64, f64),
}

impl Plan {
    /// The round of the issue: 5,000 applications, each read by 5 of 200 judges.
    pub const NATIONAL: Self =
        Self { applications: 5_000, judges: 200, each: 5, fields: 1, field_sd: 0.0, quality_sd: 9.0, harshness_sd: 9.0, error_sd: 7.0, spread: (0.5, 1.6) };
}

/// A drawn round.
#[derive(Debug)]
pub struct Round {
    pub quality: Vec<f64>,
    /// Of each judge, as the next.
    #[allow(dead_code, reason = "the bench does not read it")]
    pub harshness: Vec<f64>,
    #[allow(dead_code, reason = "the bench does not read it")]
    pub spread: Vec<f64>,
    pub scores: Vec<Score>,
}

/// Draws a round: loads are equal, who reads what is chance, marks are whole points within 0 to 100.
pub fn draw(plan: &Plan, seed: u64) -> Round {
    let mut dice = Dice(seed);
    let fields: Vec<f64> = (0..plan.fields).map(|_| plan.field_sd * dice.normal()).collect();
    let quality: Vec<f64> = (0..plan.applications).map(|at| fields[at % plan.fields] + plan.quality_sd * dice.normal()).collect();
    let harshness: Vec<f64> = (0..plan.judges).map(|_| plan.harshness_sd * dice.normal()).collect();
    let (low, high) = (plan.spread.0.ln(), plan.spread.1.ln());
    let spread: Vec<f64> = (0..plan.judges).map(|_| (low + (high - low) * dice.unit()).exp()).collect();
    let mut scores = Vec::new();
    for (application, quality) in quality.iter().enumerate() {
        for judge in pick(plan, application, &mut dice) {
            let mark = 62.0 - harshness[judge] + spread[judge] * (quality + plan.error_sd * dice.normal());
            scores.push(Score { application, judge, value: mark.round().clamp(0.0, 100.0) });
        }
    }
    Round { quality, harshness, spread, scores }
}

/// Distinct judges of the application's field, drawn with nearly equal loads.
fn pick(plan: &Plan, application: usize, dice: &mut Dice) -> Vec<usize> {
    let mut own: Vec<usize> = (application % plan.fields..plan.judges).step_by(plan.fields).collect();
    // Every judge stands in the first places equally often: the start moves on, the company is drawn.
    let start = (application / plan.fields) % own.len();
    own.rotate_left(start);
    dice.shuffle(&mut own[1..]);
    own.truncate(plan.each);
    own
}
