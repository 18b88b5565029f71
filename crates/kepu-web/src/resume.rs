//! A session that ended while somebody typed: nothing typed is lost, and nothing of it is kept on the node.
//!
//! 1. A form for signed-in people comes without a session: `guard` reads it and prints the sign-in page with every field in
//!    hidden inputs ([`Typed::inputs`]).
//! 2. The sign-in handler calls [`Typed::from_sign_in`]; if it gives something, it answers with [`page`] instead of a redirect.
//! 3. That page shows what was typed and one button that sends it where it was going, with the new session's token.

use crate::form::Fields;
use crate::page::{Html, Shell, escape, page as print};
use crate::urls;
use askama::Template;
use axum::response::Response;

/// Name of the hidden input that holds where the form was going.
const TARGET: &str = "_resume";
/// Stands before the name of every carried field.
const KEPT: &str = "_kept.";

/// A form on its way back to where it was going.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// Path of the form's target, one of our own.
    pub target: String,
    /// Its fields but for the token and anything secret.
    pub fields: Vec<(String, String)>,
}

impl Typed {
    /// From a form that could not be taken.
    pub fn new(target: &str, fields: &Fields) -> Self {
        let kept = |name: &str| name != "_csrf" && !is_secret(name);
        Self { target: target.to_owned(), fields: fields.0.iter().filter(|(name, _)| kept(name)).cloned().collect() }
    }

    /// From the fields of the sign-in form; `None` if nothing was carried.
    pub fn from_sign_in(fields: &Fields) -> Option<Self> {
        let target = fields.opt(TARGET).filter(|target| urls::is_own(target))?.to_owned();
        let carried = fields.0.iter().filter_map(|(name, value)| Some((name.strip_prefix(KEPT)?.to_owned(), value.clone())));
        Some(Self { target, fields: carried.collect() })
    }

    /// Hidden inputs for the sign-in form.
    pub fn inputs(&self) -> Html {
        let mut out = input(TARGET, &self.target);
        self.fields.iter().for_each(|(name, value)| out.push_str(&input(&format!("{KEPT}{name}"), value)));
        Html(out)
    }

    /// Hidden inputs for the form that sends it on.
    fn again(&self) -> Html {
        Html(self.fields.iter().map(|(name, value)| input(name, value)).collect())
    }
}

fn input(name: &str, value: &str) -> String {
    // A text area keeps line breaks; a hidden input would too, but browsers may normalise them differently.
    format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escape(name), escape(value))
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "secret", "code"].iter().any(|word| name.contains(word)) || matches!(name.as_str(), "old" | "new")
}

#[derive(Template)]
#[template(path = "resume.html")]
struct ResumePage {
    s: Shell,
    target: String,
    again: Html,
    /// Label and value of what a person typed.
    shown: Vec<(String, String)>,
}

/// Shows what was typed, with one button that sends it with the session of `shell`.
pub fn page(shell: &Shell, typed: &Typed) -> Response {
    let s = shell.clone().titled(shell.t("resume-title"));
    let visible = |(name, value): &&(String, String)| !name.starts_with('_') && !value.trim().is_empty();
    let shown = typed.fields.iter().filter(visible).map(|(name, value)| (s.label(name), value.clone())).collect();
    print(&ResumePage { target: typed.target.clone(), again: typed.again(), shown, s })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_comes_back_and_secrets_do_not() {
        let form = Fields::parse("_csrf=x&_once=abc&text=%3Cb%3E%0A%E6%B0%B4&password=pw&fields=a&fields=b".as_bytes()).expect("form");
        let typed = Typed::new("/drafts/1", &form);
        let html = typed.inputs().0;
        assert!(html.contains("&lt;b&gt;") && !html.contains("pw") && !html.contains("_csrf"));
        let sign_in = Fields(
            std::iter::once(("_resume".to_owned(), "/drafts/1".to_owned()))
                .chain(typed.fields.iter().map(|(n, v)| (format!("_kept.{n}"), v.clone())))
                .collect(),
        );
        assert_eq!(Typed::from_sign_in(&sign_in), Some(typed));
        assert_eq!(Typed::from_sign_in(&Fields(vec![("_resume".into(), "//evil.example".into())])), None);
    }
}
