//! Numbers that look random and are the same everywhere, for breaking ties: no crate, so that a plan can be made again with any later version.

/// 64 well mixed bits of three numbers (the finisher of SplitMix64: Steele, Lea and Flood, 2014).
pub fn mix(seed: u64, a: u64, b: u64) -> u64 {
    let mut bits = seed ^ a.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b.wrapping_mul(0xd1b5_4a32_d192_ed03);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
