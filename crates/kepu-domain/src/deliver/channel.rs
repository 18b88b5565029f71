//! What may leave where nobody looks again: a frame on another site, a wall, a sheet of paper. What is public at all is decided in
//! `publication`.

use jiff::civil::Date;

/// Whether a public thing goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goes {
    /// It does.
    Out,
    /// It should have been looked at again. Its own page says so and stays; a frame or a wall cannot say it well enough.
    Expired,
}

/// Whether something that must be looked at again by `expires` (ISO) goes out on `today`. The day itself is still good.
pub fn goes(expires: Option<&str>, today: Date) -> Goes {
    match expires.and_then(|day| day.parse::<Date>().ok()) {
        Some(day) if day < today => Goes::Expired,
        _ => Goes::Out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_overdue_stays_at_home() {
        let today = jiff::civil::date(2026, 11, 25);
        assert_eq!(goes(Some("2026-11-24"), today), Goes::Expired);
        assert_eq!(goes(Some("2026-11-25"), today), Goes::Out);
        assert_eq!(goes(None, today), Goes::Out);
    }
}
