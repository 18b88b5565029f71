//! Values of the five column types that both engines share. Binding and reading them is in `sql`.

use jiff::Timestamp;
use std::borrow::Cow;

/// One bound value. PostgreSQL wants the type even of a missing value, so each type has its own.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// BIGINT.
    Int(Option<i64>),
    /// TEXT.
    Text(Option<Cow<'a, str>>),
    /// BYTEA.
    Bytes(Option<Cow<'a, [u8]>>),
    /// DOUBLE PRECISION.
    Real(Option<f64>),
    /// BOOLEAN.
    Bool(bool),
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}
impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Self::Int(Some(value.into()))
    }
}
impl From<Option<i64>> for Value<'_> {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}
impl From<f64> for Value<'_> {
    fn from(value: f64) -> Self {
        Self::Real(Some(value))
    }
}
impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Some(Cow::Borrowed(value)))
    }
}
impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(Some(Cow::Borrowed(value)))
    }
}
impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Self::Text(Some(Cow::Owned(value)))
    }
}
impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(value: Option<&'a str>) -> Self {
        Self::Text(value.map(Cow::Borrowed))
    }
}
impl From<Option<String>> for Value<'_> {
    fn from(value: Option<String>) -> Self {
        Self::Text(value.map(Cow::Owned))
    }
}
impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(Some(Cow::Borrowed(value)))
    }
}
impl From<Vec<u8>> for Value<'_> {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(Some(Cow::Owned(value)))
    }
}
impl<'a> From<Option<&'a [u8]>> for Value<'a> {
    fn from(value: Option<&'a [u8]>) -> Self {
        Self::Bytes(value.map(Cow::Borrowed))
    }
}
impl From<Timestamp> for Value<'_> {
    /// Milliseconds since 1970.
    fn from(value: Timestamp) -> Self {
        Self::Int(Some(value.as_millisecond()))
    }
}
impl From<Option<Timestamp>> for Value<'_> {
    fn from(value: Option<Timestamp>) -> Self {
        Self::Int(value.map(Timestamp::as_millisecond))
    }
}

/// A list as text with leading and trailing comma, so that `LIKE '%,a,%'` finds a member; `,` if empty.
/// Members are ids of vocabularies: they hold no comma.
pub fn list_text<T: AsRef<str>>(members: &[T]) -> String {
    let mut text = String::from(",");
    for member in members {
        text.push_str(member.as_ref());
        text.push(',');
    }
    text
}

/// Reads what [`list_text`] wrote.
pub fn parse_list(text: &str) -> Vec<String> {
    text.split(',').filter(|member| !member.is_empty()).map(str::to_owned).collect()
}

/// `text` with the wildcards of `LIKE … ESCAPE '\'` made harmless.
pub fn like_escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_back() {
        assert_eq!(list_text::<&str>(&[]), ",");
        assert_eq!(list_text(&["a", "b"]), ",a,b,");
        assert_eq!(parse_list(",a,b,"), ["a", "b"]);
        assert!(parse_list(",").is_empty());
        assert_eq!(like_escape("50%_\\"), "50\\%\\_\\\\");
    }
}
