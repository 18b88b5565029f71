//! What search engines read of a page: schema.org JSON-LD in its plain form, beside the signed record that `subject` puts there for
//! verifiers. Who reviewed a text and when is said of the page, because schema.org says it there.

use crate::page::{Html, Shell};
use crate::subject::script_json;
use crate::urls;
use kepu_domain::create::resource::{Credit, Resource, Source};
use kepu_domain::create::review::SignOff;
use kepu_domain::listen::claim::{ClaimReview, MediaFinding};
use kepu_domain::vocabulary::{AUDIENCES, RESOURCE_TYPES, licence_url};
use kepu_store::subject::Row;
use serde_json::{Map, Value, json};

/// A data block for the head of a page.
pub(crate) fn block(value: &Value) -> Html {
    Html(format!("<script type=\"application/ld+json\">{}</script>", script_json(&value.to_string())))
}

/// A resource's page.
pub(crate) fn resource(s: &Shell, row: &Row, r: &Resource, holder: &str) -> Value {
    let url = address(s, row);
    let mut work = Map::new();
    put(&mut work, "@type", json!(types(&r.kind)));
    put(&mut work, "@id", json!(row.id));
    put(&mut work, "url", json!(url));
    put(&mut work, "identifier", json!(row.id));
    put(&mut work, "name", json!(r.title));
    put(&mut work, "headline", json!(kepu_text::truncate(&r.title, 110)));
    put(&mut work, "alternateName", text(&r.title_en));
    put(&mut work, "abstract", text(&r.summary));
    put(&mut work, "description", text(&r.summary));
    put(&mut work, "inLanguage", json!(r.lang));
    put(&mut work, "datePublished", json!(r.date));
    put(&mut work, "dateModified", json!(crate::words::iso(crate::words::moment(row.modified))));
    put(&mut work, "expires", r.expires.map_or(Value::Null, |day| json!(day)));
    put(&mut work, "author", person(&r.author));
    put(&mut work, "publisher", json!({"@type": "Organization", "name": holder}));
    put(&mut work, "copyrightHolder", if r.rights.is_empty() { Value::Null } else { json!({"@type": "Organization", "name": r.rights}) });
    put(&mut work, "license", json!(licence_url(&r.licence).unwrap_or(&r.licence)));
    put(&mut work, "isAccessibleForFree", json!(true));
    put(&mut work, "learningResourceType", json!(s.kind(&r.kind)));
    put(&mut work, "keywords", json!(row.fields.iter().map(|field| s.field(field)).collect::<Vec<_>>()));
    put(&mut work, "audience", json!(r.audience.iter().map(|id| audience(s, id)).collect::<Vec<_>>()));
    put(&mut work, "citation", sources(&r.sources));
    put(&mut work, "isBasedOn", json!(r.based_on.iter().map(|id| format!("{}/id/{}", s.origin, id.0.trim_start_matches("kepu:"))).collect::<Vec<_>>()));
    put(
        &mut work,
        "correction",
        json!(r.corrections.iter().map(|c| json!({"@type": "CorrectionComment", "datePublished": c.date, "text": c.text})).collect::<Vec<_>>()),
    );
    put(&mut work, "associatedMedia", files(s, r));
    page(&url, &r.title, &r.lang, &r.reviews, Value::Object(work))
}

/// A claim's page.
pub(crate) fn claim(s: &Shell, row: &Row, c: &ClaimReview, holder: &str) -> Value {
    let url = address(s, row);
    let mut review = Map::new();
    put(&mut review, "@type", json!("ClaimReview"));
    put(&mut review, "@id", json!(row.id));
    put(&mut review, "url", json!(url));
    put(&mut review, "claimReviewed", json!(c.claim));
    put(&mut review, "itemReviewed", json!({"@type": "Claim", "name": c.claim}));
    put(&mut review, "reviewBody", text(&c.plain));
    put(&mut review, "inLanguage", json!(c.lang));
    put(&mut review, "datePublished", json!(c.checked));
    put(&mut review, "author", json!({"@type": "Organization", "name": holder}));
    put(&mut review, "publisher", json!({"@type": "Organization", "name": holder}));
    let rating = c
        .verdict
        .rating()
        .map(|value| json!({"@type": "Rating", "ratingValue": value, "bestRating": 5, "worstRating": 1, "alternateName": s.verdict_word(c.verdict.as_str())}));
    put(&mut review, "reviewRating", rating.unwrap_or_default());
    put(&mut review, "citation", sources(&c.evidence));
    let main = match &c.media {
        Some(media) => json!([Value::Object(review), media_review(&url, media, c, holder)]),
        None => Value::Object(review),
    };
    page(&url, &c.claim, &c.lang, &c.reviews, main)
}

/// What is true of the picture, film or recording, as schema.org says it.
fn media_review(url: &str, media: &MediaFinding, c: &ClaimReview, holder: &str) -> Value {
    let mut review = Map::new();
    put(&mut review, "@type", json!("MediaReview"));
    put(&mut review, "url", json!(url));
    put(&mut review, "datePublished", json!(c.checked));
    put(&mut review, "author", json!({"@type": "Organization", "name": holder}));
    put(&mut review, "mediaAuthenticityCategory", json!(format!("https://schema.org/{}", media.rating.schema())));
    put(&mut review, "originalMediaContextDescription", text(&media.about));
    put(&mut review, "originalMediaLink", text(&media.original));
    put(&mut review, "itemReviewed", json!({"@type": "MediaReviewItem", "name": c.claim}));
    Value::Object(review)
}

fn page(url: &str, name: &str, lang: &str, reviews: &[SignOff], main: Value) -> Value {
    let mut page = Map::new();
    put(&mut page, "@context", json!("https://schema.org"));
    put(&mut page, "@type", json!("WebPage"));
    put(&mut page, "@id", json!(url));
    put(&mut page, "url", json!(url));
    put(&mut page, "name", json!(name));
    put(&mut page, "inLanguage", json!(lang));
    put(&mut page, "lastReviewed", reviews.iter().map(|review| review.date).max().map_or(Value::Null, |day| json!(day)));
    put(&mut page, "reviewedBy", json!(reviews.iter().map(reviewer).collect::<Vec<_>>()));
    put(&mut page, "mainEntity", main);
    Value::Object(page)
}

/// Sets a member, unless there is nothing to say.
fn put(map: &mut Map<String, Value>, name: &str, value: Value) {
    let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    if !empty {
        map.insert(name.to_owned(), value);
    }
}

fn text(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

fn address(s: &Shell, row: &Row) -> String {
    format!("{}{}", s.origin, urls::of_kind(&row.kind, &row.id))
}

/// The schema.org types of a kind. An announcement of an event here is a text about it, not the event with its own date and place.
fn types(kind: &str) -> Vec<&str> {
    match RESOURCE_TYPES.find(kind).map_or("", |term| term.schema.as_str()) {
        "" | "Event" | "EducationEvent" | "ExhibitionEvent" | "LearningResource" | "SpecialAnnouncement" => vec!["CreativeWork", "LearningResource"],
        known => vec![known, "LearningResource"],
    }
}

fn person(credit: &Credit) -> Value {
    let mut person = Map::new();
    put(&mut person, "@type", json!("Person"));
    put(&mut person, "name", json!(credit.name));
    put(&mut person, "jobTitle", text(&credit.title));
    put(&mut person, "affiliation", if credit.org.is_empty() { Value::Null } else { json!({"@type": "Organization", "name": credit.org}) });
    Value::Object(person)
}

fn reviewer(review: &SignOff) -> Value {
    person(&Credit { name: review.name.clone(), org: review.org.clone(), title: review.title.clone(), ..Credit::default() })
}

fn audience(s: &Shell, id: &str) -> Value {
    let role = AUDIENCES.find(id).map_or("", |term| term.schema.as_str());
    let mut audience = Map::new();
    put(&mut audience, "@type", json!(if role.is_empty() { "Audience" } else { "EducationalAudience" }));
    put(&mut audience, "educationalRole", text(role));
    put(&mut audience, "audienceType", json!(s.audience(id)));
    Value::Object(audience)
}

fn sources(sources: &[Source]) -> Value {
    let one = |source: &Source| {
        let mut work = Map::new();
        put(&mut work, "@type", json!("CreativeWork"));
        put(&mut work, "name", json!(source.title));
        put(&mut work, "publisher", if source.publisher.is_empty() { Value::Null } else { json!({"@type": "Organization", "name": source.publisher}) });
        put(&mut work, "datePublished", text(&source.date));
        put(&mut work, "url", source.url.as_deref().map_or(Value::Null, |url| json!(url)));
        Value::Object(work)
    };
    sources.iter().map(one).collect()
}

fn files(s: &Shell, r: &Resource) -> Value {
    let kind = |media_type: &str| match media_type.split('/').next() {
        Some("image") => "ImageObject",
        Some("audio") => "AudioObject",
        Some("video") => "VideoObject",
        _ => "MediaObject",
    };
    r.media
        .iter()
        .map(|file| {
            json!({"@type": kind(&file.media_type), "contentUrl": format!("{}{}", s.origin, urls::media(&file.hash)),
                "encodingFormat": file.media_type, "contentSize": format!("{}", file.size), "description": file.alt})
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_announces_an_event_is_a_text() {
        assert_eq!(types("article"), ["Article", "LearningResource"]);
        assert_eq!(types("lecture"), ["CreativeWork", "LearningResource"]);
        assert_eq!(types("emergency"), ["CreativeWork", "LearningResource"]);
        assert_eq!(types("unknown"), ["CreativeWork", "LearningResource"]);
    }
}
