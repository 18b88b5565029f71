//! Canonical JSON (RFC 8785) for the subset that signed documents use: no floats, ASCII member names, integers within
//! ±2⁵³−1. Whatever leaves the subset is refused, so that no two readers can disagree about the bytes that were signed.

use serde_json::Value;

/// Why a document has no canonical form here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// Not JSON, or not UTF-8.
    #[error("not readable as JSON: {0}")]
    Json(String),
    /// A number that is no integer, or too large to be exact everywhere.
    #[error("the number {0} is no integer between -(2^53-1) and 2^53-1")]
    Number(String),
    /// A member name outside ASCII.
    #[error("the member name \"{0}\" is not ASCII")]
    Name(String),
    /// Valid JSON, but other bytes than its canonical form: blanks, order, escapes, or a member that stands twice.
    #[error("the bytes differ from their canonical form (RFC 8785) at byte {at}")]
    NotCanonical {
        /// Offset of the first difference.
        at: usize,
    },
    /// Nested deeper than documents ever are.
    #[error("nested deeper than {DEPTH_MAX} levels")]
    Deep,
}

/// Deepest nesting accepted.
pub const DEPTH_MAX: usize = 24;
const INTEGER_MAX: u64 = (1 << 53) - 1;

/// The canonical bytes of `value`.
pub fn to_bytes(value: &Value) -> Result<Vec<u8>, CanonicalError> {
    let mut out = Vec::with_capacity(1024);
    write(value, &mut out, 0)?;
    Ok(out)
}

/// Reads `bytes` and insists that they are their own canonical form.
pub fn parse(bytes: &[u8]) -> Result<Value, CanonicalError> {
    let value: Value = serde_json::from_slice(bytes).map_err(|e| CanonicalError::Json(e.to_string()))?;
    let canonical = to_bytes(&value)?;
    if canonical != bytes {
        let at = canonical.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        return Err(CanonicalError::NotCanonical { at });
    }
    Ok(value)
}

fn write(value: &Value, out: &mut Vec<u8>, depth: usize) -> Result<(), CanonicalError> {
    if depth > DEPTH_MAX {
        return Err(CanonicalError::Deep);
    }
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => {
            if number.as_i64().is_none_or(|n| n.unsigned_abs() > INTEGER_MAX) {
                return Err(CanonicalError::Number(number.to_string()));
            }
            out.extend_from_slice(number.to_string().as_bytes());
        }
        Value::String(text) => write_text(text, out)?,
        Value::Array(list) => {
            out.push(b'[');
            for (at, item) in list.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write(item, out, depth + 1)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            // Sorted here, whatever map serde_json was built with: ASCII names sort alike in bytes and in UTF-16 units.
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by(|a, b| a.0.cmp(b.0));
            out.push(b'{');
            for (at, (name, item)) in sorted.into_iter().enumerate() {
                if !name.is_ascii() {
                    return Err(CanonicalError::Name(name.clone()));
                }
                if at > 0 {
                    out.push(b',');
                }
                write_text(name, out)?;
                out.push(b':');
                write(item, out, depth + 1)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

/// serde_json escapes exactly as RFC 8785 §3.2.2.2 asks: `\b \t \n \f \r \" \\`, other controls as `\u00xx` in lower case.
fn write_text(text: &str, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    serde_json::to_writer(out, text).map_err(|e| CanonicalError::Json(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The string and ordering vectors of RFC 8785 §3.2.2 and §3.2.3, without floats and non-ASCII names.
    #[test]
    fn rfc_8785_vectors() {
        let value: Value = serde_json::from_str(
            r#"{"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false],"1":{"f":{"f":"hi","F":5},"\n":56},"10":{},"":"empty","a":{},"111":[{"e":"yes","E":"no"}],"A":{}}"#,
        )
        .expect("json");
        let text = String::from_utf8(to_bytes(&value).expect("canonical")).expect("utf8");
        assert_eq!(
            text,
            r#"{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{},"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}"#
        );
    }

    #[test]
    fn everything_else_is_refused() {
        for bad in [r#"{"b":1,"a":2}"#, r#"{ "a":1}"#, r#"{"a":1,"a":1}"#, r#"{"a":"\u4e2d"}"#, r#"{"a":"\/"}"#] {
            assert!(matches!(parse(bad.as_bytes()), Err(CanonicalError::NotCanonical { .. })), "{bad}");
        }
        for bad in [r#"{"a":1.5}"#, r#"{"a":1e2}"#, r#"{"a":9007199254740992}"#, r#"{"a":-0.0}"#] {
            assert!(matches!(parse(bad.as_bytes()), Err(CanonicalError::Number(_))), "{bad}");
        }
        assert!(matches!(parse("{\"中\":1}".as_bytes()), Err(CanonicalError::Name(_))));
        assert!(matches!(parse(b"{\"a\":\"\xff\"}"), Err(CanonicalError::Json(_))));
        let deep = format!("{}{}", "[".repeat(60), "]".repeat(60));
        assert_eq!(parse(deep.as_bytes()), Err(CanonicalError::Deep));
    }
}
