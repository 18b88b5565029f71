//! What a matter may be made of: cleaning of typed texts, lengths that every door obeys, and the findings shown to its writer.
//! The rules about facts and wording are in `kepu-domain::create::resource`.

use crate::App;
use crate::create::draft::judged;
use crate::create::publish::body_of;
use crate::create::{lane, party};
use crate::error::{AppError, FieldError, text_error};
use kepu_domain::create::check::{Finding, Weight, excused};
use kepu_domain::create::draft::{Draft, Matter};
use kepu_domain::create::resource::Source;
use kepu_domain::create::resource_type::fields_of;
use kepu_domain::record::{DOC_BYTES_MAX, Envelope, Place, Stream};
use kepu_domain::text::{self, Limit, PARTS_MAX, TextError};
use kepu_store::{Tx, subject};

/// Room in a record for the names of reviewers and the words of a correction, in bytes.
const ROOM_BYTES: usize = 4 * 1024;
/// Most bytes of a draft's document.
pub const SIZE_MAX: usize = DOC_BYTES_MAX - ROOM_BYTES;

/// Cleans every text that a person typed.
pub fn clean(matter: Matter) -> Matter {
    let line = |s: &str| kepu_text::clean_line(s);
    let body = |s: &str| kepu_text::clean_text(s);
    match matter {
        Matter::Resource(mut r) => {
            r.title = line(&r.title);
            r.title_en = line(&r.title_en);
            r.summary = body(&r.summary);
            r.text = body(&r.text);
            r.rights = line(&r.rights);
            r.editions = r.editions.iter().map(|(name, text)| (line(name), body(text))).filter(|(_, text)| !text.is_empty()).collect();
            r.details = std::mem::take(&mut r.details).into_iter().map(|(id, value)| (id, party::clean(value))).filter(|(_, v)| !v.is_null()).collect();
            r.media.iter_mut().for_each(|media| media.alt = line(&media.alt));
            clean_sources(&mut r.sources);
            clean_credit(&mut r.author);
            Matter::Resource(r)
        }
        Matter::Claim(mut c) => {
            c.claim = line(&c.claim);
            c.claim_en = line(&c.claim_en);
            c.variants = c.variants.iter().map(|v| line(v)).filter(|v| !v.is_empty()).collect();
            c.plain = body(&c.plain);
            c.plain_en = body(&c.plain_en);
            c.why = c.why.iter().map(|p| body(p)).filter(|p| !p.is_empty()).collect();
            c.instead = body(&c.instead);
            c.chat = body(&c.chat);
            if let Some(media) = &mut c.media {
                (media.about, media.original) = (body(&media.about), line(&media.original));
            }
            clean_sources(&mut c.evidence);
            clean_credit(&mut c.author);
            Matter::Claim(c)
        }
    }
}

fn clean_sources(sources: &mut [Source]) {
    for source in sources {
        for text in [&mut source.title, &mut source.publisher, &mut source.date] {
            *text = kepu_text::clean_line(text);
        }
        source.url = source.url.as_deref().map(kepu_text::clean_line).filter(|url| !url.is_empty());
    }
}

fn clean_credit(credit: &mut kepu_domain::create::resource::Credit) {
    for text in [&mut credit.name, &mut credit.org, &mut credit.title] {
        *text = kepu_text::clean_line(text);
    }
}

/// Every text of a matter with its limit.
fn texts(matter: &Matter) -> Vec<(Limit, &str)> {
    let named = |field, limit: Limit| Limit { field, ..limit };
    let short = |field| Limit { field, min: 0, max: text::NAME.max * 2 };
    let mut list: Vec<(Limit, &str)> = match matter {
        Matter::Resource(r) => {
            let mut list = vec![(text::TITLE, r.title.as_str()), (text::TITLE_EN, &r.title_en), (text::SUMMARY, &r.summary), (text::BODY, &r.text)];
            list.extend(r.editions.values().map(|edition| (Limit { field: "editions", min: 0, ..text::BODY }, edition.as_str())));
            list.extend(r.media.iter().map(|media| (Limit { field: "media", min: 0, ..text::ALT }, media.alt.as_str())));
            list.extend([(named("rights", text::SOURCE), r.rights.as_str()), (named("hazard", short("")), &r.hazard), (named("phase", short("")), &r.phase)]);
            list
        }
        Matter::Claim(c) => {
            let mut list = vec![
                (text::CLAIM, c.claim.as_str()),
                (named("claim_en", text::TITLE_EN), &c.claim_en),
                (named("plain", text::SUMMARY), &c.plain),
                (named("plain_en", text::TITLE_EN), &c.plain_en),
                (text::INSTEAD, &c.instead),
                (text::CHAT, &c.chat),
            ];
            list.extend(c.variants.iter().map(|v| (named("variants", text::CLAIM), v.as_str())));
            if let Some(media) = &c.media {
                list.extend([
                    (named("media_about", text::INSTEAD), media.about.as_str()),
                    (named("media_original", Limit { min: 0, ..text::SOURCE }), &media.original),
                ]);
            }
            list.extend(c.why.iter().map(|p| (text::WHY, p.as_str())));
            list
        }
    };
    let (sources, credit) = match matter {
        Matter::Resource(r) => ("sources", &r.author),
        Matter::Claim(c) => ("evidence", &c.author),
    };
    for source in matter.sources() {
        let parts = [&source.title, &source.publisher, &source.date, source.url.as_ref().unwrap_or(&source.kind)];
        list.extend(parts.map(|part| (named(sources, text::SOURCE), part.as_str())));
    }
    list.extend([&credit.name, &credit.org, &credit.title].map(|part| (short("author"), part.as_str())));
    list
}

/// Parts of which there may be only so many.
fn counts(matter: &Matter) -> Vec<(&'static str, usize)> {
    match matter {
        Matter::Resource(r) => vec![("sources", r.sources.len()), ("media", r.media.len()), ("editions", r.editions.len())],
        Matter::Claim(c) => vec![("evidence", c.evidence.len()), ("variants", c.variants.len()), ("why", c.why.len())],
    }
}

fn errors(matter: &Matter, counts_too: impl Fn(&TextError) -> bool) -> Vec<FieldError> {
    let lengths = texts(matter).into_iter().filter_map(|(limit, text)| limit.check(kepu_text::count(text)).err()).filter(counts_too);
    let many = counts(matter).into_iter().filter(|(_, count)| *count > PARTS_MAX);
    lengths
        .map(|error| text_error(&error))
        .chain(details(matter))
        .chain(many.map(|(field, count)| FieldError::new(field, "many").with("count", count).with("max", PARTS_MAX)))
        .collect()
}

/// Values that the fields of the type do not take. What is missing is for the check before publication.
fn details(matter: &Matter) -> Vec<FieldError> {
    let Matter::Resource(r) = matter else { return vec![] };
    let known = fields_of(&r.kind).iter().filter_map(|field| Some((field, r.details.get(&field.id)?)));
    known
        .filter_map(|(field, value)| field.check(value, crate::org::FACTS).err())
        .filter(|fault| fault.key != "required")
        .map(|fault| {
            let error = FieldError::new(&format!("detail-{}", fault.field), fault.key);
            fault.args.into_iter().fold(error, |error, (name, value)| error.with(name, value))
        })
        .collect()
}

/// Lengths that everything obeys that is to be published: form, import, command.
pub fn check_lengths(matter: &Matter) -> Result<(), AppError> {
    let wrong = errors(matter, |_| true);
    if wrong.is_empty() { Ok(()) } else { Err(AppError::Invalid(wrong)) }
}

/// Lengths that a draft obeys on every save. What is too short may still grow.
pub(super) fn check_upper(matter: &Matter) -> Result<(), AppError> {
    let wrong = errors(matter, |error| matches!(error, TextError::Long { .. }));
    if wrong.is_empty() { Ok(()) } else { Err(AppError::Invalid(wrong)) }
}

/// Bytes of the document that a draft would become, without the names of reviewers.
pub fn size(app: &App, draft: &Draft) -> usize {
    let matter = &draft.matter;
    let envelope = Envelope {
        place: Place { key: app.key.id().clone(), stream: Stream::Lib, n: 1_000_000 },
        modified: app.now(),
        subject: draft.subject.clone(),
        region: matter.region(),
        fields: matter.fields().to_vec(),
        lang: matter.lang().to_owned(),
    };
    kepu_sync::record::size(&envelope, &body_of(matter)).unwrap_or(usize::MAX)
}

/// All that a machine can say about a draft: missing texts, facts and wording, size, words about a correction.
pub async fn findings(app: &App, tx: &mut Tx, draft: &Draft) -> Result<Vec<Finding>, AppError> {
    let matter = &draft.matter;
    let mut found: Vec<Finding> = texts(matter)
        .into_iter()
        .filter_map(|(limit, text)| match limit.check(kepu_text::count(text)) {
            Err(TextError::Short { field, min, .. }) => Some(Finding { found: min.to_string(), ..Finding::block(field, "short") }),
            _ => None,
        })
        .collect();
    let before = before(tx, draft).await?;
    if before.is_some_and(|before| !matter.only_adds_editions(&before)) && draft.correction.trim().is_empty() {
        found.push(Finding::block("correction", "no_correction"));
    }
    let size = size(app, draft);
    if size > SIZE_MAX {
        let (is, max) = (size.div_ceil(1024), SIZE_MAX / 1024);
        found.push(Finding { found: format!("{is} / {max} KiB"), ..Finding::block("text", "too_large") });
    }
    let mut stamped = matter.clone();
    lane::stamp(app, tx, &mut stamped).await?;
    let definitions = app.definitions();
    found.extend(stamped.check(&definitions.lanes, app.today()));
    found.extend(judged::against(app, tx, draft).await?);
    let mut found = excused(found, &draft.excuses);
    found.sort_by_key(|finding| finding.weight != Weight::Block);
    Ok(found)
}

/// The version that a draft corrects, public or under check; a holding statement is not corrected but followed.
pub async fn corrected(tx: &mut Tx, draft: &Draft) -> Result<Option<subject::Row>, AppError> {
    let row = subject::find(tx, &draft.subject).await?;
    Ok(row.filter(|row| (row.standing == subject::Standing::Public || row.held.is_some()) && row.verdict != "checking"))
}

/// What that public version says.
pub(crate) async fn before(tx: &mut Tx, draft: &Draft) -> Result<Option<Matter>, AppError> {
    match corrected(tx, draft).await? {
        Some(row) => crate::create::publish::matter_of(tx, &row).await,
        None => Ok(None),
    }
}
