//! The form of a draft: a matter as typed fields and typed fields as a matter. Both ways stand here so that they stay each
//! other's opposite; the page around the form is in `draft`, the draft's rules in `kepu-app::create::draft`.

use crate::create::detail;
use crate::form::Fields;
use crate::place;
use jiff::civil::Date;
use kepu_app::FieldError;
use kepu_domain::create::draft::Matter;
use kepu_domain::create::resource::{AiUse, Credit, Media, Resource, Source};
use kepu_domain::listen::claim::{ClaimReview, MediaFinding, MediaRating, Verdict};
use kepu_domain::org::Region;
use kepu_domain::vocabulary::LANGUAGES;
use std::collections::BTreeMap;

/// Editions that every resource may have, in the order of the form; translations stand beside them by language.
pub const EDITIONS: [&str; 8] = ["elder", "children", "broadcast", "chalk", "chat", "easy", "briefing", "local"];
/// Parts of a source, each a field that comes once a source.
const SOURCE: [&str; 5] = ["source_title", "source_publisher", "source_kind", "source_date", "source_url"];

/// The form as a stored draft fills it.
pub fn write(matter: &Matter, correction: &str) -> Fields {
    let mut out = Fields::default();
    match matter {
        Matter::Resource(r) => write_resource(&mut out, r),
        Matter::Claim(c) => write_claim(&mut out, c),
    }
    put(&mut out, "correction", correction);
    out
}

fn put(out: &mut Fields, name: &str, value: impl AsRef<str>) {
    out.0.push((name.to_owned(), value.as_ref().to_owned()));
}

fn write_resource(out: &mut Fields, r: &Resource) {
    for (name, value) in [("title", &r.title), ("title_en", &r.title_en), ("summary", &r.summary), ("text", &r.text), ("type", &r.kind)] {
        put(out, name, value);
    }
    for (name, value) in [("licence", &r.licence), ("rights", &r.rights), ("hazard", &r.hazard), ("phase", &r.phase)] {
        put(out, name, value);
    }
    put(out, "date", r.date.to_string());
    put(out, "expires", r.expires.map(|day| day.to_string()).unwrap_or_default());
    for name in EDITIONS {
        put(out, &format!("edition-{name}"), r.editions.get(name).map_or("", String::as_str));
    }
    for (name, text) in r.editions.iter().filter(|(name, _)| is_language(name)) {
        put(out, "edition_lang", name);
        put(out, "edition_text", text);
    }
    detail::write(out, &r.kind, &r.details);
    for media in &r.media {
        put(out, "media_hash", &media.hash);
        put(out, "media_alt", &media.alt);
    }
    write_common(out, (&r.sources, &r.fields, &r.audience, r.region, &r.lang, &r.author, r.ai_use));
}

fn write_claim(out: &mut Fields, c: &ClaimReview) {
    for (name, value) in [("claim", &c.claim), ("claim_en", &c.claim_en), ("plain", &c.plain), ("plain_en", &c.plain_en)] {
        put(out, name, value);
    }
    put(out, "variants", c.variants.join("\n"));
    put(out, "verdict", c.verdict.as_str());
    put(out, "why", c.why.join("\n\n"));
    for (name, value) in [("instead", &c.instead), ("chat", &c.chat)] {
        put(out, name, value);
    }
    if let Some(media) = &c.media {
        for (name, value) in [("media_rating", media.rating.as_str()), ("media_about", &media.about), ("media_original", &media.original)] {
            put(out, name, value);
        }
    }
    put(out, "checked", c.checked.to_string());
    put(out, "next_check", c.next_check.map(|day| day.to_string()).unwrap_or_default());
    write_common(out, (&c.evidence, &c.fields, &c.audience, c.region, &c.lang, &c.author, c.ai_use));
}

type Common<'a> = (&'a [Source], &'a [String], &'a [String], Region, &'a str, &'a Credit, AiUse);

fn write_common(out: &mut Fields, (sources, fields, audience, region, lang, author, ai_use): Common<'_>) {
    for source in sources {
        let url = source.url.as_deref().unwrap_or_default();
        for (name, value) in SOURCE.into_iter().zip([&source.title, &source.publisher, &source.kind, &source.date, url]) {
            put(out, name, value);
        }
    }
    fields.iter().for_each(|id| put(out, "fields", id));
    audience.iter().for_each(|id| put(out, "audience", id));
    let (province, county) = place::write(region);
    put(out, "province", province);
    put(out, "county", county);
    put(out, "lang", lang);
    for (name, value) in [("author_name", &author.name), ("author_org", &author.org), ("author_title", &author.title)] {
        put(out, name, value);
    }
    put(out, "ai_use", ai_word(ai_use));
}

/// The word of the form for how a machine took part.
pub fn ai_word(ai_use: AiUse) -> &'static str {
    match ai_use {
        AiUse::None => "none",
        AiUse::Assisted => "assisted",
        AiUse::Generated => "generated",
    }
}

fn is_language(name: &str) -> bool {
    LANGUAGES.find(name).is_some()
}

/// What the form says, laid over the stored matter: what the form does not hold (reviews, corrections, the author's registry
/// entry, facts about files) stays as it is. Also the words about a correction.
pub fn read(form: &Fields, stored: &Matter) -> Result<(Matter, String), Vec<FieldError>> {
    let mut errors = Vec::new();
    let matter = match stored {
        Matter::Resource(r) => Matter::Resource(Box::new(read_resource(form, r, &mut errors))),
        Matter::Claim(c) => Matter::Claim(Box::new(read_claim(form, c, &mut errors))),
    };
    if errors.is_empty() { Ok((matter, form.get("correction").to_owned())) } else { Err(errors) }
}

fn read_resource(form: &Fields, r: &Resource, errors: &mut Vec<FieldError>) -> Resource {
    let text = |name: &str| form.get(name).to_owned();
    let (region, author, ai_use) = read_common(form, &r.author, r.region, errors);
    Resource {
        title: text("title"),
        title_en: text("title_en"),
        summary: text("summary"),
        text: text("text"),
        kind: text("type"),
        fields: form.all("fields"),
        audience: form.all("audience"),
        sources: read_sources(form),
        licence: text("licence"),
        rights: text("rights"),
        region,
        lang: language(form, &r.lang),
        date: needed_day(form, "date", r.date, errors),
        expires: day(form, "expires", errors),
        author,
        ai_use,
        editions: read_editions(form, r, errors),
        hazard: text("hazard"),
        phase: text("phase"),
        details: detail::read(form, form.get("type"), errors),
        based_on: r.based_on.clone(),
        media: read_media(form, &r.media),
        corrections: r.corrections.clone(),
        reviews: r.reviews.clone(),
        sample: r.sample,
    }
}

fn read_claim(form: &Fields, c: &ClaimReview, errors: &mut Vec<FieldError>) -> ClaimReview {
    let text = |name: &str| form.get(name).to_owned();
    let (region, author, ai_use) = read_common(form, &c.author, c.region, errors);
    ClaimReview {
        claim: text("claim"),
        variants: form.lines("variants"),
        claim_en: text("claim_en"),
        // "Being checked" is said by a holding statement, never by an answer.
        verdict: Verdict::parse(form.get("verdict")).filter(|verdict| *verdict != Verdict::Checking).unwrap_or(Verdict::Unproven),
        plain: text("plain"),
        plain_en: text("plain_en"),
        why: paragraphs(form.get("why")),
        instead: text("instead"),
        evidence: read_sources(form),
        fields: form.all("fields"),
        audience: form.all("audience"),
        region,
        lang: language(form, &c.lang),
        author,
        checked: needed_day(form, "checked", c.checked, errors),
        next_check: day(form, "next_check", errors),
        chat: text("chat"),
        media: MediaRating::parse(form.get("media_rating")).map(|rating| MediaFinding { rating, about: text("media_about"), original: text("media_original") }),
        holding: None,
        ai_use,
        corrections: c.corrections.clone(),
        reviews: c.reviews.clone(),
        same_as: c.same_as.clone(),
        sample: c.sample,
    }
}

/// Parts between blank lines.
fn paragraphs(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for line in text.lines() {
        match parts.last_mut() {
            _ if line.trim().is_empty() => parts.push(String::new()),
            Some(part) if !part.is_empty() => part.push_str(&format!("\n{line}")),
            Some(part) => part.push_str(line),
            None => {}
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

fn read_common(form: &Fields, author: &Credit, region: Region, errors: &mut Vec<FieldError>) -> (Region, Credit, AiUse) {
    let region = place::read(form.get("province"), form.get("county")).unwrap_or_else(|error| {
        errors.push(error);
        region
    });
    let text = |name: &str| form.get(name).to_owned();
    // The registry entry decides who counts as the author when reviewers are chosen; it is never typed.
    let author = Credit {
        party: author.party.clone(),
        name: text("author_name"),
        org: text("author_org"),
        title: text("author_title"),
        qualification: author.qualification.clone(),
    };
    let ai_use = [AiUse::None, AiUse::Assisted, AiUse::Generated].into_iter().find(|one| ai_word(*one) == form.get("ai_use"));
    (region, author, ai_use.unwrap_or_default())
}

fn language(form: &Fields, stored: &str) -> String {
    let typed = form.get("lang");
    if is_language(typed) { typed.to_owned() } else { stored.to_owned() }
}

fn day(form: &Fields, name: &str, errors: &mut Vec<FieldError>) -> Option<Date> {
    let typed = form.opt(name)?;
    let date = typed.parse().ok();
    if date.is_none() {
        errors.push(FieldError::new(name, "date_form"));
    }
    date
}

fn needed_day(form: &Fields, name: &str, stored: Date, errors: &mut Vec<FieldError>) -> Date {
    if form.opt(name).is_none() {
        errors.push(FieldError::new(name, "date_form"));
    }
    day(form, name, errors).unwrap_or(stored)
}

/// Groups of inputs about sources; a group with nothing typed in it is no source.
fn read_sources(form: &Fields) -> Vec<Source> {
    let columns = SOURCE.map(|name| form.every(name));
    let count = columns.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |column: usize, row: usize| columns[column].get(row).cloned().unwrap_or_default();
    (0..count)
        .map(|row| Source {
            title: cell(0, row),
            publisher: cell(1, row),
            kind: cell(2, row),
            date: cell(3, row),
            url: Some(cell(4, row)).filter(|url| !url.is_empty()),
        })
        .filter(|source| source.url.is_some() || [&source.title, &source.publisher, &source.date].iter().any(|text| !text.is_empty()))
        .collect()
}

fn read_editions(form: &Fields, r: &Resource, errors: &mut Vec<FieldError>) -> BTreeMap<String, String> {
    let shown = |name: &String| EDITIONS.contains(&name.as_str()) || is_language(name);
    let mut editions: BTreeMap<String, String> = r.editions.iter().filter(|(name, _)| !shown(name)).map(|(n, t)| (n.clone(), t.clone())).collect();
    for name in EDITIONS {
        if let Some(text) = form.opt(&format!("edition-{name}")) {
            editions.insert(name.to_owned(), text.to_owned());
        }
    }
    let typed = form.every("edition_lang").into_iter().zip(form.every("edition_text"));
    for (lang, text) in typed.filter(|(_, text)| !text.is_empty()) {
        if !is_language(&lang) || editions.insert(lang, text).is_some() {
            errors.push(FieldError::new("editions", "edition_lang"));
        }
    }
    editions
}

/// Files stay as they were kept; only their descriptions are typed, and they can be left out.
fn read_media(form: &Fields, stored: &[Media]) -> Vec<Media> {
    let left_out = form.all("media_drop");
    let typed: BTreeMap<String, String> = form.every("media_hash").into_iter().zip(form.every("media_alt")).collect();
    let kept = stored.iter().filter(|media| !left_out.contains(&media.hash));
    kept.map(|media| Media { alt: typed.get(&media.hash).cloned().unwrap_or_else(|| media.alt.clone()), ..media.clone() }).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn resource() -> Matter {
        let mut r = Resource::begin("怎样喝水", Credit { party: "p-zhou".into(), name: "周".into(), ..Credit::default() }, "示例医院", Region::NATION, day(1));
        r.text = "## 多少\n一天1500毫升。\n\n不适请看医生。".into();
        r.fields = vec!["health".into(), "food".into()];
        r.sources = vec![
            Source {
                title: "指南".into(),
                publisher: "学会".into(),
                kind: "guideline".into(),
                date: "2022".into(),
                url: Some("https://a.example/x?y=1&z".into()),
            },
            Source { title: "教材".into(), kind: "textbook".into(), ..Source::default() },
        ];
        r.region = Region::parse("320106").expect("a district whose name is not the only one of its kind");
        r.editions = [("elder", "少量多次"), ("en", "Drink often"), ("sign", "手语稿")].map(|(n, t)| (n.to_owned(), t.to_owned())).into();
        r.media = vec![Media { hash: "a".repeat(64), media_type: "image/png".into(), size: 9, alt: "一杯水".into() }];
        r.ai_use = AiUse::Assisted;
        Matter::Resource(Box::new(r))
    }
    pub(crate) fn claim() -> Matter {
        let mut c = ClaimReview::begin("吃盐能防辐射\u{20BB7}\u{E0100}", Credit::default(), Region::NATION, day(2));
        c.variants = vec!["盐防辐射".into(), "多吃盐".into()];
        c.verdict = Verdict::False;
        c.why = vec!["盐里的碘太少。\n要吃几公斤。".into(), "吃多了伤身。".into()];
        Matter::Claim(Box::new(c))
    }
    fn day(n: i8) -> Date {
        jiff::civil::date(2026, 5, n)
    }

    #[test]
    fn a_form_says_what_its_draft_said() {
        for matter in [resource(), claim()] {
            let (again, correction) = read(&write(&matter, "原来写错"), &matter).expect("read");
            assert_eq!(again, matter);
            assert_eq!(correction, "原来写错");
        }
    }

    #[test]
    fn what_is_typed_is_laid_over_what_is_stored() {
        let mut form = write(&resource(), "");
        form.0.retain(|(name, _)| name != "fields" && name != "author_name");
        put(&mut form, "author_name", "别人");
        put(&mut form, "party", "p-other");
        put(&mut form, "media_drop", "a".repeat(64));
        let Ok((Matter::Resource(r), _)) = read(&form, &resource()) else { panic!("a resource") };
        assert_eq!((r.fields.len(), r.media.len()), (0, 0));
        assert_eq!((r.author.name.as_str(), r.author.party.as_str()), ("别人", "p-zhou"), "the registry entry is never typed");
        assert_eq!(r.editions["sign"], "手语稿", "an edition that the form does not know stays");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let mut form = write(&resource(), "");
        for (name, value) in &mut form.0 {
            match name.as_str() {
                "date" => *value = String::new(),
                "expires" => *value = "明年".into(),
                "county" => *value = "云岭县".into(),
                "edition_lang" => *value = "xx".into(),
                _ => {}
            }
        }
        let errors = read(&form, &resource()).expect_err("errors");
        let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(fields, ["county", "date", "expires", "editions"]);
    }

    #[test]
    fn paragraphs_are_parted_by_blank_lines() {
        assert_eq!(paragraphs("一\n二\n\n \n三\n"), ["一\n二", "三"]);
        assert_eq!(paragraphs(" \n\n"), Vec::<String>::new());
    }
}
