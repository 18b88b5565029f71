//! kepu
fn main() {}
