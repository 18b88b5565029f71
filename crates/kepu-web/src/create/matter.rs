//! A matter as readers would see it, for those who write, review and sign it; and what differs between two of them.

use super::detail;
use super::edit::{self, EDITIONS};
use crate::form::Fields;
use crate::page::{Html, Shell, escape};
use crate::urls;
use kepu_domain::create::check::{Finding, Weight};
use kepu_domain::create::draft::Matter;
use kepu_domain::create::resource::{Credit, Media, Source};
use kepu_domain::vocabulary::{HAZARDS, PHASES};
use similar::{ChangeTag, TextDiff};
use std::time::Duration;

/// A matter as it is read.
pub struct Shown {
    /// English title, perhaps empty.
    pub title_en: String,
    /// `lang` of the texts where it differs from the page's.
    pub lang: Html,
    /// Verdict of a claim, as stored; empty for a resource.
    pub verdict: String,
    /// Summary, or the conclusion in one sentence.
    pub lead: String,
    /// The text.
    pub body: Html,
    /// Further texts: heading and text.
    pub parts: Vec<(String, Html)>,
    /// Other wordings of a claim.
    pub variants: Vec<String>,
    /// Where its statements come from.
    pub sources: Vec<ShownSource>,
    /// Files.
    pub files: Vec<ShownFile>,
    /// Facts: word and value.
    pub facts: Vec<(String, String)>,
    /// Whether it is a claim.
    pub is_claim: bool,
}

/// A source as shown.
pub struct ShownSource {
    /// Title.
    pub title: String,
    /// Address, only if it can be followed.
    pub url: String,
    /// Kind of evidence.
    pub kind: String,
    /// Who published it.
    pub publisher: String,
    /// Date.
    pub date: Html,
}

/// A file as shown.
pub struct ShownFile {
    /// Address.
    pub href: String,
    /// BLAKE3 of its bytes.
    pub hash: String,
    /// What is to be seen or heard.
    pub alt: String,
    /// Whether it is a picture.
    pub is_image: bool,
    /// Type and size.
    pub words: String,
}

impl ShownFile {
    /// From the draft.
    pub fn new(media: &Media) -> Self {
        Self {
            href: urls::media(&media.hash),
            hash: media.hash.clone(),
            alt: media.alt.clone(),
            is_image: media.media_type.starts_with("image/"),
            words: format!("{} · {}", media.media_type, crate::problem::size(u64::try_from(media.size).unwrap_or_default())),
        }
    }
}

/// A text that people wrote in Markdown; its first headings stand right below those of the page, whichever mark they were written with.
pub fn rendered(text: &str) -> Html {
    Html(kepu_text::markdown::render(text, if text.lines().any(|line| line.starts_with("# ")) { 3 } else { 2 }))
}

/// A text that people wrote in lines, as paragraphs.
fn lines(text: &str) -> Html {
    Html(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| format!("<p>{}</p>", escape(line))).collect())
}

impl Shown {
    /// From a draft.
    pub fn new(s: &Shell, matter: &Matter) -> Self {
        let sources = matter.sources().iter().map(|source| shown_source(s, source)).collect();
        let lang = s.lang_attr(matter.lang());
        let details = match matter {
            // Reviewers see identifiers as they stand: what they name may not be public yet.
            Matter::Resource(r) => detail::shown(s, &r.kind, &r.details, &detail::named(&r.details).into_iter().map(|id| (id.0.clone(), id.0)).collect()),
            Matter::Claim(_) => detail::Shown { facts: vec![], parts: vec![] },
        };
        match matter {
            Matter::Resource(r) => Self {
                title_en: r.title_en.clone(),
                verdict: String::new(),
                lead: r.summary.clone(),
                body: rendered(&r.text),
                parts: details.parts.into_iter().chain(r.editions.iter().map(|(name, text)| (s.edition(name), rendered(text)))).collect(),
                variants: vec![],
                files: r.media.iter().map(ShownFile::new).collect(),
                facts: facts(s, &edit::write(matter, ""), &["type", "hazard", "phase"], &["licence", "rights", "date", "expires"], &r.author)
                    .into_iter()
                    .chain(details.facts)
                    .collect(),
                is_claim: false,
                sources,
                lang,
            },
            Matter::Claim(c) => Self {
                title_en: c.claim_en.clone(),
                verdict: c.verdict.as_str().into(),
                lead: c.plain.clone(),
                body: Html(c.why.iter().map(|part| lines(part).0).collect()),
                parts: [("instead", &c.instead), ("chat", &c.chat), ("plain_en", &c.plain_en)]
                    .into_iter()
                    .filter(|(_, text)| !text.is_empty())
                    .map(|(name, text)| (s.label(name), lines(text)))
                    .collect(),
                variants: c.variants.clone(),
                files: vec![],
                facts: facts(s, &edit::write(matter, ""), &[], &["media_rating", "media_about", "media_original", "checked", "next_check"], &c.author),
                is_claim: true,
                sources,
                lang,
            },
        }
    }
}

/// A source as shown.
pub(super) fn shown_source(s: &Shell, source: &Source) -> ShownSource {
    let url = source.url.clone().filter(|url| url.starts_with("https://") || url.starts_with("http://"));
    ShownSource {
        title: source.title.clone(),
        url: url.unwrap_or_default(),
        kind: s.evidence(&source.kind).to_owned(),
        publisher: source.publisher.clone(),
        date: s.day(&source.date),
    }
}

fn facts(s: &Shell, form: &Fields, first: &[&str], last: &[&str], author: &Credit) -> Vec<(String, String)> {
    let fact = |name: &&str| (s.label(name), value(s, form, name));
    let mut list: Vec<(String, String)> = first.iter().map(fact).collect();
    list.extend(["fields", "audience", "region", "lang"].iter().map(fact));
    list.push((s.label("author"), [&author.name, &author.title, &author.org].into_iter().filter(|t| !t.is_empty()).cloned().collect::<Vec<_>>().join(" · ")));
    list.extend(last.iter().chain(&["ai_use"]).map(fact));
    list.retain(|(_, value)| !value.is_empty());
    list
}

/// The value of a field of the form in words.
fn value(s: &Shell, form: &Fields, name: &str) -> String {
    let typed = form.get(name);
    match name {
        "fields" => s.fields(&form.all(name)),
        "audience" => s.audiences(&form.all(name)),
        "region" => crate::place::read(form.get("province"), form.get("county")).map(|place| s.place_line(&place)).unwrap_or_default(),
        "type" => s.kind(typed).to_owned(),
        "lang" => s.language(typed).to_owned(),
        "licence" => s.licence(typed),
        "verdict" => s.verdict_word(typed),
        "hazard" => HAZARDS.name(typed, s.lang.code()).to_owned(),
        "phase" => PHASES.name(typed, s.lang.code()).to_owned(),
        "media_rating" if !typed.is_empty() => s.t(&format!("media-{typed}")),
        "ai_use" => match typed {
            "assisted" => s.t("ai-assisted"),
            "generated" => s.t("ai-generated"),
            _ => s.t("ai-none"),
        },
        "date" | "expires" | "checked" | "next_check" => typed.parse().map_or_else(|_| typed.to_owned(), |day| s.day_text(day)),
        "sources" => sources_text(s, form),
        "translations" => pairs(form, "edition_lang", "edition_text", |lang| s.language(lang).to_owned()),
        "media" => pairs(form, "media_hash", "media_alt", |hash| hash.chars().take(8).collect()),
        "author" => {
            ["author_name", "author_title", "author_org"].map(|part| form.get(part)).into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" · ")
        }
        _ => typed.to_owned(),
    }
}

fn sources_text(s: &Shell, form: &Fields) -> String {
    let column = |name: &str| form.every(name);
    let rest = ["source_publisher", "source_kind", "source_date", "source_url"].map(column);
    let row = |(at, title): (usize, String)| {
        let mut parts = vec![title];
        for (which, cells) in rest.iter().enumerate() {
            let cell = cells.get(at).cloned().unwrap_or_default();
            parts.push(if which == 1 { s.evidence(&cell).to_owned() } else { cell });
        }
        parts.retain(|part| !part.is_empty());
        parts.join(" · ")
    };
    column("source_title").into_iter().enumerate().map(row).collect::<Vec<_>>().join("\n")
}

fn pairs(form: &Fields, names: &str, texts: &str, word: impl Fn(&str) -> String) -> String {
    let pairs = form.every(names).into_iter().zip(form.every(texts));
    pairs.map(|(name, text)| format!("{}：{text}", word(&name))).collect::<Vec<_>>().join("\n")
}

/// One field that differs.
pub struct Difference {
    /// Label.
    pub label: String,
    /// How it was.
    pub old: String,
    /// How it is.
    pub new: String,
    /// Both in one, with what went and what came marked.
    pub marked: Html,
}

/// Which fields differ between two fillings of the form, in the order of the form.
pub fn differences(s: &Shell, old: &Fields, new: &Fields) -> Vec<Difference> {
    const NAMES: [&str; 35] = [
        "title",
        "claim",
        "verdict",
        "plain",
        "summary",
        "text",
        "why",
        "instead",
        "chat",
        "variants",
        "sources",
        "media",
        "type",
        "hazard",
        "phase",
        "fields",
        "audience",
        "region",
        "lang",
        "licence",
        "rights",
        "author",
        "date",
        "expires",
        "checked",
        "next_check",
        "media_rating",
        "media_about",
        "media_original",
        "ai_use",
        "title_en",
        "claim_en",
        "plain_en",
        "translations",
        "correction",
    ];
    let editions = EDITIONS.iter().map(|name| (s.edition(name), format!("edition-{name}")));
    let fields = NAMES.iter().map(|name| (s.label(name), (*name).to_owned())).chain(editions);
    let details = detail::names(old, new).into_iter().filter_map(|name| {
        let (was, is) = (detail::said(s, old, &name), detail::said(s, new, &name));
        let label = is.as_ref().or(was.as_ref())?.0.clone();
        Some((label, was.unwrap_or_default().1, is.unwrap_or_default().1))
    });
    fields
        .map(|(label, name)| (label, value(s, old, &name), value(s, new, &name)))
        .chain(details)
        .map(|(label, old, new)| (label, normal(&old), normal(&new)))
        .filter(|(_, old, new)| old != new)
        .map(|(label, old, new)| Difference { label, marked: marked(&old, &new), old, new })
        .collect()
}

/// Line ends as texts are stored, so that a browser's way of sending them is no difference.
fn normal(text: &str) -> String {
    kepu_text::clean_text(text)
}

/// Two texts in one: what went as `<del>`, what came as `<ins>`, user character by user character.
fn marked(old: &str, new: &str) -> Html {
    // A comparison of two long texts that share nothing is cut short; it is then only coarser.
    let diff = TextDiff::configure().timeout(Duration::from_millis(200)).diff_graphemes(old, new);
    let mut out = String::with_capacity(new.len() + 64);
    let mut open = ChangeTag::Equal;
    for change in diff.iter_all_changes() {
        if change.tag() != open {
            out.push_str(closing(open));
            out.push_str(opening(change.tag()));
            open = change.tag();
        }
        match change.value() {
            "\n" => out.push_str("<br>"),
            text => out.push_str(&escape(text)),
        }
    }
    out.push_str(closing(open));
    Html(out)
}

fn opening(tag: ChangeTag) -> &'static str {
    match tag {
        ChangeTag::Equal => "",
        ChangeTag::Delete => "<del>",
        ChangeTag::Insert => "<ins>",
    }
}

fn closing(tag: ChangeTag) -> &'static str {
    match tag {
        ChangeTag::Equal => "",
        ChangeTag::Delete => "</del>",
        ChangeTag::Insert => "</ins>",
    }
}

/// One finding as pages list it.
pub struct FindingLine {
    /// Id of the input it is about.
    pub field: String,
    /// Sentence.
    pub text: String,
    /// Whether it stops publication.
    pub blocks: bool,
    /// The sentence in which it was found, or empty.
    pub sentence: String,
    /// How to mend it, or empty.
    pub cure: String,
    /// The public page that it leads to, or empty.
    pub href: String,
    /// By what a reason for it is kept, if the lane takes one; else empty.
    pub key: String,
    /// The reason given.
    pub reason: String,
}

/// What the machine checks found.
pub fn findings(s: &Shell, list: &[Finding]) -> Vec<FindingLine> {
    let line = |f: &Finding| FindingLine {
        field: f.field.clone(),
        text: s.finding(f),
        blocks: f.weight == Weight::Block,
        sentence: f.sentence.clone(),
        cure: s.cure(f),
        href: if f.link.is_empty() { String::new() } else { urls::claim(&f.link.as_str().into()) },
        key: if f.excuse { f.key() } else { String::new() },
        reason: f.reason.clone(),
    };
    list.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::edit::tests::{claim, resource};
    use crate::i18n::Lang;
    use crate::page::tests::shell;

    #[test]
    fn what_differs_is_marked_and_escaped() {
        let s = shell(Lang::Zh);
        let old = edit::write(&claim(), "");
        let mut new = old.clone();
        for (name, value) in &mut new.0 {
            match name.as_str() {
                "plain" => *value = "没有用<script>".into(),
                "why" => *value = value.replace('\n', "\r\n"),
                _ => {}
            }
        }
        let found = differences(&s, &old, &new);
        assert_eq!(found.iter().map(|d| d.label.as_str()).collect::<Vec<_>>(), [s.label("plain")], "line ends are no difference");
        assert_eq!(found[0].marked.0, "<ins>没有用&lt;script&gt;</ins>");
        assert_eq!(marked("每天1500毫升", "每天1700毫升").0, "每天1<del>5</del><ins>7</ins>00毫升");
        assert_eq!(marked("葛\u{E0100}", "葛").0, "<del>葛\u{E0100}</del><ins>葛</ins>", "a variant of a character is another character");
        assert!(differences(&s, &edit::write(&resource(), ""), &edit::write(&resource(), "")).is_empty());
    }

    #[test]
    fn an_address_that_runs_something_is_no_link() {
        let s = shell(Lang::Zh);
        let Matter::Claim(mut c) = claim() else { panic!("a claim") };
        c.evidence = vec![Source { title: "x".into(), url: Some("javascript:alert(1)".into()), ..Source::default() }];
        assert_eq!(Shown::new(&s, &Matter::Claim(c)).sources[0].url, "");
    }
}
