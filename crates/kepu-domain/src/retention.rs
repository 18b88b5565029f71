//! How long what is not public stays: the shortest time that its purpose allows (RULES §7). The daily job that removes it is
//! in `kepu-app::job`; the notice to the public is the page `/privacy`. The audit log is never shortened.

/// A form's random number, which makes a second sending harmless.
pub const FORM_DAYS: i64 = 7;
/// The words of a question and the notes of its case, counted from their end.
pub const QUESTION_DAYS: i64 = 180;
/// Counts of failed sign-ins, from the last failure.
pub const SIGN_IN_FAILURE_DAYS: i64 = 30;
/// An invitation of another node after it ran out: who came by it stands in the log and in the certificate.
pub const INVITE_DAYS: i64 = 30;
/// A file that was brought and never taken in.
pub const FILE_DAYS: i64 = 7;
/// How to reach whoever objected, counted from the answer: long enough to ask back and to tell how the round ended.
pub const CONTACT_DAYS: i64 = 90;
/// A job that was done or called off.
pub const JOB_DAYS: i64 = 90;
/// The words of a signal that no known claim answers, from when it came in: as long as topics look back.
pub const SIGNAL_HOURS: i64 = 48;
/// What a list has already brought, by a digest of each entry.
pub const LISTED_DAYS: i64 = 60;
/// Counts by the hour, which tell what is usual at this time of the week and of the year.
pub const HEARD_DAYS: i64 = 3 * 366;
/// A wording that a visitor used and no editor took up.
pub const WORDING_DAYS: i64 = 90;
/// A message of a warning source as it came, from when it came: a year and a day, for the yearly account of what was passed on and when.
pub const MESSAGE_DAYS: i64 = 366;
/// To which points a warning was carried and whether they confirmed.
pub const DELIVERY_DAYS: i64 = 90;
/// An absence from duty, after its last day.
pub const ABSENCE_DAYS: i64 = 90;
/// Hour and county of a sighting; month and province stay.
pub const SIGHTING_DAYS: i64 = 60;
