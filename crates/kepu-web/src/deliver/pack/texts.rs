//! What a pack says on paper, from a loudspeaker, in a chat group and on a blackboard. Each edition that people wrote goes before what is
//! cut from the text here.

use crate::deliver::embed::summary_of;
use crate::page::Shell;
use crate::paper::SheetPaper;
use crate::urls;
use kepu_app::deliver::channel::Piece;
use kepu_app::deliver::pack::View;
use kepu_domain::create::resource::Resource;
use kepu_domain::deliver::pack::script_of;
use kepu_text::outline::{Part, outline};

/// Characters of a title that a sheet can hold.
const TITLE_CHARS: usize = 80;
/// Characters of a line in the foot of a sheet.
const FOOT_CHARS: usize = 110;
/// Characters of a text for a chat group.
const CHAT: usize = 300;
/// Characters on a blackboard.
const CHALK: usize = 60;

/// The text in the pack's language with the language's tag: an edition in that language, else the text itself; for older readers and
/// for boards the large and short edition if there is one.
pub(super) fn text_of<'a>(r: &'a Resource, lang: &str, short: bool) -> (&'a str, &'a str) {
    if !r.lang.starts_with(lang)
        && let Some((name, text)) = r.editions.iter().find(|(name, _)| name.starts_with(lang))
    {
        return (text, name);
    }
    match r.editions.get("elder") {
        Some(text) if short => (text, &r.lang),
        _ => (&r.text, &r.lang),
    }
}

/// Where a resource is found for ever.
fn address(origin: &str, piece: &Piece) -> String {
    format!("{origin}{}", urls::subject(&piece.row.id))
}

/// One sheet for each resource; what hangs on a board is the short edition.
pub(super) fn sheets(s: &Shell, view: &View, origin: &str, a3: bool) -> Vec<SheetPaper> {
    let wish = &view.pack.wish;
    view.resources()
        .map(|(piece, r)| {
            let (text, lang) = text_of(r, &wish.lang, a3 || wish.audience == "elderly");
            let address = address(origin, piece);
            let mut parts = Vec::new();
            if let Some(correction) = r.corrections.first() {
                parts.push(Part::Paragraph(format!("{}{}{}", s.t("correction"), s.t("colon"), correction.text)));
            }
            parts.extend(outline(text).into_iter().flat_map(fit));
            let reviewed = r.reviews.iter().map(|review| review.name.as_str()).collect::<Vec<_>>().join(&s.t("enum-comma"));
            let mut foot = vec![address.clone(), s.t2("pack-foot", "by", &piece.holder, "date", r.date.to_string())];
            if !reviewed.is_empty() {
                foot.push(s.t1("pack-foot-reviewed", "who", reviewed));
            }
            foot.push(s.licence(&r.licence));
            foot.push(s.t("pack-foot-check"));
            SheetPaper {
                lang: lang.to_owned(),
                a3,
                title: cut(&r.title, TITLE_CHARS),
                parts,
                qr: address,
                foot: foot.iter().map(|line| cut(line, FOOT_CHARS)).collect(),
            }
        })
        .collect()
}

/// A heading that is too long to be one is a paragraph; what is too long for a paragraph becomes several.
fn fit(part: Part) -> Vec<Part> {
    match part {
        Part::Heading(text) if text.chars().count() > TITLE_CHARS => fit(Part::Paragraph(text)),
        Part::Paragraph(text) if text.chars().count() > 3_000 => {
            let chars: Vec<char> = text.chars().collect();
            chars.chunks(3_000).map(|piece| Part::Paragraph(piece.iter().collect())).collect()
        }
        Part::List(items) => items.chunks(100).map(|piece| Part::List(piece.iter().map(|item| cut(item, 1_000)).collect())).collect(),
        other => vec![other],
    }
}

/// At most `most` characters, counted as code points because paper counts so.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most { text.to_owned() } else { format!("{}…", text.chars().take(most - 1).collect::<String>()) }
}

/// The script for a loudspeaker: a greeting, each text in about ninety seconds, and where to ask.
pub(super) fn script(s: &Shell, view: &View, title: &str) -> String {
    let lang = &view.pack.wish.lang;
    let mut out = format!("{title}\n\n");
    for (n, (piece, r)) in view.resources().enumerate() {
        let own = r.editions.get("broadcast").filter(|_| r.lang.starts_with(lang.as_str()));
        let plain = own.cloned().unwrap_or_else(|| script_of(&kepu_text::plain(text_of(r, lang, true).0)).to_owned());
        out.push_str(&format!("{}. {}\n{}\n{}\n\n", n + 1, r.title, plain.trim(), s.t1("pack-script-by", "by", &piece.holder)));
    }
    out
}

/// Texts for a chat group, each with its address.
pub(super) fn chat(view: &View, origin: &str) -> String {
    let lang = &view.pack.wish.lang;
    let one = |(piece, r): (&Piece, &Resource)| {
        let own = r.editions.get("chat").filter(|_| r.lang.starts_with(lang.as_str()));
        let text = own.cloned().unwrap_or_else(|| {
            let (text, _) = text_of(r, lang, true);
            format!("【{}】{}", r.title, if r.lang.starts_with(lang.as_str()) { summary_of(&r.summary, text) } else { summary_of("", text) })
        });
        format!("{}\n{}\n", kepu_text::truncate(&text, CHAT), address(origin, piece))
    };
    view.resources().map(one).collect::<Vec<_>>().join("\n")
}

/// Texts for a blackboard.
pub(super) fn chalk(view: &View) -> String {
    let lang = &view.pack.wish.lang;
    let one = |(_, r): (&Piece, &Resource)| {
        let own = r.editions.get("chalk").filter(|_| r.lang.starts_with(lang.as_str()));
        let text = own.cloned().unwrap_or_else(|| {
            let plain = if r.lang.starts_with(lang.as_str()) { summary_of(&r.summary, &r.text) } else { kepu_text::plain(text_of(r, lang, true).0) };
            kepu_text::truncate(&plain, CHALK).to_owned()
        });
        format!("{}\n{}\n", r.title, text.trim())
    };
    view.resources().map(one).collect::<Vec<_>>().join("\n")
}

/// What is in the pack and under which conditions it may be passed on.
pub(super) fn readme(s: &Shell, view: &View, title: &str, origin: &str) -> String {
    let mut out = format!("{title}\n{origin}{}\n\n{}\n\n", urls::pack(&view.pack.id), s.t("pack-readme"));
    for (n, (piece, r)) in view.resources().enumerate() {
        let rights = if r.rights.is_empty() { s.licence(&r.licence) } else { format!("{} · {}", s.licence(&r.licence), r.rights) };
        out.push_str(&format!("{}. {}\n   {}\n   {} · {}\n   {rights}\n\n", n + 1, r.title, address(origin, piece), piece.holder, r.date));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_too_long_for_paper() {
        assert_eq!(cut("一二三四", 3), "一二…");
        assert_eq!(fit(Part::Heading("字".repeat(90))), [Part::Paragraph("字".repeat(90))]);
        assert_eq!(fit(Part::Paragraph("字".repeat(7_000))).len(), 3);
        assert_eq!(fit(Part::List(vec!["x".into(); 250])).len(), 3);
    }
}
