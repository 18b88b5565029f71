//! Small shapes with words: verdicts, states, clocks. A colour never stands alone.

use crate::page::{Html, Shell, escape};
use jiff::Timestamp;
use kepu_domain::listen::claim::Verdict;

const TRUE: &str = "<circle cx=\"12\" cy=\"12\" r=\"10\"/><path d=\"M7.500 12.500l3 3 6-7\"/>";
const FALSE: &str = "<circle cx=\"12\" cy=\"12\" r=\"10\"/><path d=\"M8.500 8.500l7 7M15.500 8.500l-7 7\"/>";
const PART: &str = "<circle cx=\"12\" cy=\"12\" r=\"10\"/><path class=\"solid\" d=\"M12 2a10 10 0 0 1 0 20z\"/>";
const OPEN: &str = "<circle cx=\"12\" cy=\"12\" r=\"10\" stroke-dasharray=\"5 3.980\"/>";
const NOW: &str = "<circle cx=\"12\" cy=\"12\" r=\"10\"/><path d=\"M12 6.500V12l3.500 2.500\"/>";

/// Class of a shape: `true`, `false`, `part`, `open`, `now`; verdict words are understood too.
fn class(word: &str) -> &'static str {
    match word {
        "true" => "v-true",
        "false" => "v-false",
        "part" | "partly" => "v-part",
        "now" | "checking" => "v-now",
        _ => "v-open",
    }
}

fn svg(word: &str) -> String {
    let shape = match class(word) {
        "v-true" => TRUE,
        "v-false" => FALSE,
        "v-part" => PART,
        "v-now" => NOW,
        _ => OPEN,
    };
    format!("<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\">{shape}</svg>")
}

impl Shell {
    /// The word of a verdict as stored (`true`, `false`, `partly`, `unproven`, `checking`).
    pub fn verdict_word(&self, verdict: &str) -> String {
        match Verdict::parse(verdict) {
            Some(Verdict::True) => self.t("verdict-true"),
            Some(Verdict::False) => self.t("verdict-false"),
            Some(Verdict::Partly) => self.t("verdict-partly"),
            Some(Verdict::Unproven) => self.t("verdict-unproven"),
            Some(Verdict::Checking) => self.t("verdict-checking"),
            None => verdict.to_owned(),
        }
    }

    /// A verdict: shape and word.
    pub fn verdict(&self, verdict: &str) -> Html {
        self.state(verdict, self.verdict_word(verdict))
    }

    /// Shape and word inside a panel or card whose element has the class of [`Shell::verdict_class`].
    pub fn verdict_inner(&self, verdict: &str) -> Html {
        Html(format!("{}{}", svg(verdict), escape(&self.verdict_word(verdict))))
    }

    /// `v-true` … for the element around a verdict.
    pub fn verdict_class(&self, verdict: &str) -> &'static str {
        class(verdict)
    }

    /// Any other state with the shape of a verdict: `true`, `false`, `part`, `open` or `now`, and its own word.
    pub fn state(&self, shape: &str, word: impl AsRef<str>) -> Html {
        Html(format!("<span class=\"verdict {}\">{}{}</span>", class(shape), svg(shape), escape(word.as_ref())))
    }

    /// The shape alone, for a panel that says its own word.
    pub fn shape(&self, shape: &str) -> Html {
        Html(svg(shape))
    }

    /// A clock that ends at `at`: 还剩 … or 超过 …; less than a third of `whole` left is soon.
    pub fn clk(&self, at: Timestamp, late: bool) -> Html {
        let state = if late {
            " is-over"
        } else if at.duration_since(self.now).as_hours() < 1 {
            " is-soon"
        } else {
            ""
        };
        Html(format!("<span class=\"clk{state}\">{}{}</span>", svg("now"), escape(&self.left(at))))
    }

    /// A clock with its own words: `state` is empty, `is-soon`, `is-over` or `is-done`.
    pub fn clk_text(&self, state: &str, text: &str) -> Html {
        Html(format!("<span class=\"clk {}\">{}{}</span>", escape(state), svg("now"), escape(text)))
    }
}
