//! QR codes as one vector path.

use crate::PrintError;
use fast_qr::qr::QRBuilder;
use std::fmt::Write;

/// Most bytes in a code: still easy to scan at 32 mm.
pub(crate) const QR_BYTES_MAX: usize = 300;

/// SVG of a code with its quiet zone. Runs of modules are one piece, and all pieces one path, so that viewers draw no seams.
pub(crate) fn svg(text: &str, field: &str) -> Result<String, PrintError> {
    let wrong = |cause: String| PrintError::Input { field: field.to_owned(), cause };
    if text.is_empty() || text.len() > QR_BYTES_MAX {
        return Err(wrong(format!("must have 1 to {QR_BYTES_MAX} bytes, has {}", text.len())));
    }
    let code = QRBuilder::new(text).build().map_err(|error| wrong(format!("cannot become a QR code: {error:?}")))?;
    let mut path = String::new();
    for row in 0..code.size {
        let mut column = 0;
        while column < code.size {
            let from = column;
            while column < code.size && code[row][column].value() {
                column += 1;
            }
            if column > from {
                let length = column - from;
                // Writing into a String cannot fail.
                let _ = write!(path, "M{from} {row}h{length}v1h-{length}z");
            }
            column += 1;
        }
    }
    let side = code.size + 8;
    Ok(format!(r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -4 {side} {side}"><path fill="#000" d="{path}"/></svg>"##))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_one_path_and_long_texts_are_refused() {
        let svg = svg("https://kepu.example/verify", "qr").expect("code");
        assert_eq!(svg.matches("<path").count(), 1);
        assert!(svg.contains("M0 0h7v1h-7z"), "the finder pattern begins with seven dark modules: {svg}");
        for bad in ["", &"x".repeat(QR_BYTES_MAX + 1)] {
            assert!(matches!(super::svg(bad, "qr"), Err(PrintError::Input { .. })));
        }
    }
}
