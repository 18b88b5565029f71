//! The plan's figures and what became of them: the table first, then one chart of it, drawn here with classes only.

use crate::line::{Choice, csv_cell};
use crate::page::{Answer, Html, Req, Shell, escape, page};
use askama::Template;
use axum::http::header;
use axum::response::IntoResponse;
use kepu_domain::measure::figure::{FIGURES, Figure};
use std::collections::BTreeMap;

#[derive(Template)]
#[template(path = "measure/figures.html")]
struct FiguresPage {
    s: Shell,
    rows: Vec<&'static Figure>,
    indicators: Vec<Choice>,
    chosen: String,
    chart: Html,
    csv: String,
}

impl FiguresPage {
    fn name(&self, figure: &Figure) -> String {
        self.s.pick(&figure.indicator_zh, &figure.indicator_en).to_owned()
    }
    /// Whether a new indicator begins in this row.
    fn begins(&self, at: &usize) -> bool {
        *at == 0 || self.rows[*at - 1].id != self.rows[*at].id
    }
    /// How many rows an indicator has; they stand together in the file.
    fn span(&self, figure: &Figure) -> usize {
        self.rows.iter().filter(|row| row.id == figure.id).count()
    }
    fn is_chosen(&self, figure: &Figure) -> bool {
        figure.id == self.chosen
    }
    fn kind(&self, figure: &Figure) -> String {
        kind(&self.s, &figure.kind)
    }
}

fn kind(s: &Shell, kind: &str) -> String {
    match kind {
        "plan_baseline" => s.t("figure-baseline"),
        "target" => s.t("figure-target"),
        "official_later" => s.t("figure-later"),
        other => other.to_owned(),
    }
}

/// GET /figures
pub async fn show(req: Req) -> Answer {
    let s = req.titled(req.shell.t("figures-title")).script("uplot.min.js").script("figures.js");
    if req.query.get("format") == "csv" {
        let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, "attachment; filename=\"kepu-figures.csv\"")];
        return Ok((headers, csv()).into_response());
    }
    let chosen = FIGURES.iter().find(|f| f.id == req.query.get("id")).or(FIGURES.first()).map(|f| f.id.clone()).unwrap_or_default();
    let mut indicators: Vec<Choice> = Vec::new();
    for figure in FIGURES.iter() {
        if indicators.last().is_none_or(|c| c.value != figure.id) && !indicators.iter().any(|c| c.value == figure.id) {
            let text = format!("{} {}", figure.id, s.pick(&figure.indicator_zh, &figure.indicator_en));
            indicators.push(Choice { value: figure.id.clone(), text, on: figure.id == chosen });
        }
    }
    let of_chosen: Vec<&Figure> = FIGURES.iter().filter(|f| f.id == chosen).collect();
    Ok(page(&FiguresPage { chart: chart(&s, &of_chosen), rows: FIGURES.iter().collect(), indicators, chosen, csv: s.here_with("format", "csv"), s }))
}

fn csv() -> String {
    let mut out = "\u{feff}id,indicator_zh,indicator_en,year,value,unit,kind,definition_zh,source_zh,source_date,note_zh\r\n".to_owned();
    for f in FIGURES.iter() {
        let year = f.year.to_string();
        let value = f.value.clone().unwrap_or_default();
        let cells = [&f.id, &f.indicator_zh, &f.indicator_en, &year, &value, &f.unit, &f.kind, &f.definition_zh, &f.source_zh, &f.source_date, &f.note_zh];
        out.push_str(&cells.map(|cell| csv_cell(cell)).join(","));
        out.push_str("\r\n");
    }
    out
}

const LEFT: f64 = 70.0;
const RIGHT: f64 = 600.0;
const BOTTOM: f64 = 300.0;
const TOP: f64 = 40.0;

/// Values by year: one line for what was observed, a dot for a target. Nothing if fewer than two values can be drawn.
fn chart(s: &Shell, figures: &[&Figure]) -> Html {
    let number = |f: &&Figure| f.value.as_ref().and_then(|v| v.replace(',', "").parse::<f64>().ok()).map(|v| (f.year, v));
    let seen: BTreeMap<i16, f64> = figures.iter().filter(|f| f.kind != "target").filter_map(number).collect();
    let targets: Vec<(i16, f64)> = figures.iter().filter(|f| f.kind == "target").filter_map(number).collect();
    let years: Vec<i16> = seen.keys().copied().chain(targets.iter().map(|t| t.0)).collect();
    let (Some(first), Some(last)) = (years.iter().min(), years.iter().max()) else { return Html::default() };
    let top = seen.values().copied().chain(targets.iter().map(|t| t.1)).fold(0.0, f64::max);
    if first == last || top <= 0.0 {
        return Html::default();
    }
    let step = nice_step(top / 4.0);
    let lines = (top / step).ceil();
    let x = |year: i16| LEFT + (RIGHT - LEFT) * f64::from(year - first) / f64::from(last - first);
    let y = |value: f64| BOTTOM - (BOTTOM - TOP) * value / (lines * step);
    let Some(figure) = figures.first() else { return Html::default() };
    let name = escape(s.pick(&figure.indicator_zh, &figure.indicator_en));
    let mut out = format!(
        "<svg class=\"chart\" viewBox=\"0 0 640 340\" role=\"img\" aria-labelledby=\"ct\"><title id=\"ct\">{}</title><path class=\"axis\" d=\"M{LEFT} {BOTTOM}H{RIGHT}\"/>",
        escape(&s.t3("chart-title", "name", s.pick(&figure.indicator_zh, &figure.indicator_en), "first", first, "last", last))
    );
    let mut n = 0.0;
    while n <= lines {
        let value = n * step;
        if n > 0.0 {
            out.push_str(&format!("<path class=\"grid\" d=\"M{LEFT} {0:.1}H{RIGHT}\"/>", y(value)));
        }
        out.push_str(&format!("<text class=\"end\" x=\"{}\" y=\"{:.1}\">{}</text>", LEFT - 8.0, y(value) + 5.0, short(value)));
        n += 1.0;
    }
    for year in *first..=*last {
        let minor = if year == *first || year == *last || (last - first) <= 4 && seen.contains_key(&year) { "" } else { " minor" };
        out.push_str(&format!("<text class=\"mid{minor}\" x=\"{:.1}\" y=\"{}\">{year}</text>", x(year), BOTTOM + 30.0));
    }
    let points: Vec<String> = seen.iter().map(|(year, value)| format!("{:.1} {:.1}", x(*year), y(*value))).collect();
    out.push_str(&format!("<path class=\"l1\" d=\"M{}\"/>", points.join(" L")));
    for (year, value) in &seen {
        out.push_str(&format!("<circle class=\"dot\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\"/>", x(*year), y(*value)));
    }
    if let Some((year, value)) = seen.iter().next() {
        out.push_str(&format!("<text class=\"t1\" x=\"{:.1}\" y=\"{:.1}\">{}</text>", x(*year) + 8.0, y(*value) - 12.0, escape(&s.t("figure-observed"))));
    }
    for (year, value) in &targets {
        out.push_str(&format!("<path class=\"l2\" d=\"M{LEFT} {0:.1}H{1:.1}\"/>", y(*value), x(*year)));
        out.push_str(&format!("<text class=\"t2 end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>", x(*year) - 8.0, y(*value) - 8.0, escape(&s.t("figure-target"))));
    }
    out.push_str("</svg>");
    let source = figures.last().map(|f| format!("{}，{}", f.source_zh, f.source_date)).unwrap_or_default();
    Html(format!(
        "<figure id=\"chart\">{out}<figcaption>{name}（{}）。{}{} <a href=\"#t-{}\">{}</a></figcaption></figure>",
        escape(&figure.unit),
        escape(&s.t("chart-source")),
        escape(&source),
        escape(&figure.id),
        escape(&s.t("chart-table"))
    ))
}

/// 1, 2 or 5 times a power of ten, not below `least`.
fn nice_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|step| *step >= least).unwrap_or(power)
}

fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;
    use crate::page::tests::shell;

    #[test]
    fn steps_are_round() {
        assert_eq!(nice_step(3.9), 5.0);
        assert_eq!(nice_step(0.12), 0.2);
        assert_eq!(nice_step(472.0), 500.0);
    }

    #[test]
    fn every_indicator_draws_or_stays_silent_without_style() {
        let mut drawn = 0;
        for id in FIGURES.iter().map(|f| &f.id) {
            let of: Vec<&Figure> = FIGURES.iter().filter(|f| f.id == *id).collect();
            let chart = chart(&shell(Lang::Zh), &of).0;
            assert!(!chart.contains("style=") && !chart.contains("NaN") && !chart.contains("inf"), "{id}");
            drawn += usize::from(!chart.is_empty());
        }
        assert!(drawn > 0);
    }
}
