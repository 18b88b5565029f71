//! What people do with topics: put two together, take some wordings out, open a case, set one aside; and undo it. Each is in the audit log.

use super::{allowed, mark, roots};
use crate::App;
use crate::account::log;
use crate::error::{AppError, FieldError};
use crate::keys;
use crate::listen::question;
use kepu_domain::access::Actor;
use kepu_domain::ids::{CaseId, TopicId};
use kepu_domain::listen::sighting::hour_of;
use kepu_domain::listen::topic::{Phase, Topic, TopicError};
use kepu_domain::listen::worth::Worth;
use kepu_domain::org::Region;
use kepu_store::Tx;
use kepu_store::listen::{signal as signals, topic as store};

/// Signals of a topic that are looked through for one deed.
const SIGNALS_MAX: u32 = 50_000;

fn wrong(field: &str, error: TopicError) -> AppError {
    let key = match error {
        TopicError::Same => "topic_same",
        TopicError::NothingLeft => "topic_nothing_left",
        TopicError::Alone => "topic_alone",
    };
    AppError::Invalid(vec![FieldError::new(field, key)])
}

/// The level of a case that a topic opens: 1 where it may harm people, 2 where it spreads, else 3.
pub(super) fn level_of(worth: &Worth, phase: Phase) -> i64 {
    match (worth.harm >= 0.8, phase) {
        (true, _) => 1,
        (false, Phase::Rising | Phase::Held) => 2,
        (false, _) => 3,
    }
}

/// The smallest place around everything that was heard; the nation where it is heard everywhere.
pub(super) fn place_of(heard: &[store::Heard]) -> Region {
    let mut regions = heard.iter().map(|one| one.region);
    let Some(first) = regions.next() else { return Region::NATION };
    let chain = regions.fold(first.chain(), |around, region| around.into_iter().filter(|place| place.covers(region)).collect());
    chain.last().copied().unwrap_or(Region::NATION)
}

/// Puts a topic together with another one: what is heard of it counts for that one.
///
/// May: duty officers. Writes: topic, log.
pub async fn merge(app: &App, who: &Actor, id: &TopicId, into: &TopicId) -> Result<TopicId, AppError> {
    let mut tx = app.db.write().await?;
    allowed(&mut tx, who).await?;
    let topic = store::get(&mut tx, id).await?;
    let target = root_of(&mut tx, into).await?;
    if target == *id || topic.merged_into.is_some() {
        return Err(wrong("into", TopicError::Same));
    }
    store::update(&mut tx, Topic { merged_into: Some(target.clone()), ..topic }).await?;
    log(app, &mut tx, &who.log_name(), "topic.merged", &format!("{id} {target}"), "ok").await?;
    mark(app, &mut tx).await?;
    tx.commit().await?;
    Ok(target)
}

async fn root_of(tx: &mut Tx, id: &TopicId) -> Result<TopicId, AppError> {
    let mut chain = vec![store::get(tx, id).await?];
    while let Some(next) = chain.last().and_then(|topic| topic.merged_into.clone()).filter(|_| chain.len() < super::CHAIN) {
        chain.push(store::get(tx, &next).await?);
    }
    Ok(roots(&chain).remove(id).unwrap_or_else(|| id.clone()))
}

/// Takes wordings out of a topic: they and what is nearer to them later are a topic of their own. `words`: each a whole wording, as it was shown.
///
/// May: duty officers. Writes: topic, topic_hour, signal, log.
pub async fn split(app: &App, who: &Actor, id: &TopicId, words: &[String]) -> Result<TopicId, AppError> {
    let mut tx = app.db.write().await?;
    allowed(&mut tx, who).await?;
    let topic = store::get(&mut tx, id).await?;
    let chosen: std::collections::HashSet<String> = words.iter().map(|word| kepu_text::fold(word)).collect();
    let all = signals::list_by_topic(&mut tx, id, SIGNALS_MAX).await?;
    let out: Vec<_> = all.iter().filter(|signal| chosen.contains(&kepu_text::fold(&signal.text))).collect();
    if out.is_empty() || out.len() == all.len() {
        return Err(wrong("words", TopicError::NothingLeft));
    }
    let moved = i64::try_from(out.len()).unwrap_or(i64::MAX);
    let part = Topic {
        id: TopicId(keys::random_word(12)),
        label: words.first().map(|word| kepu_text::truncate(word, 120).to_owned()).unwrap_or_default(),
        since: out.iter().map(|signal| signal.at).min().unwrap_or(topic.since),
        last_at: out.iter().map(|signal| signal.at).max().unwrap_or(topic.last_at),
        total: moved,
        wordings: i64::try_from(chosen.len()).unwrap_or(1),
        case: None,
        split_from: Some(id.clone()),
        version: 1,
        ..topic.clone()
    };
    store::insert(&mut tx, &part).await?;
    for signal in out {
        signals::set_topic(&mut tx, signal.seq, &part.id).await?;
        store::add_heard(&mut tx, id, hour_of(signal.at), signal.channel, signal.region, -1).await?;
        store::add_heard(&mut tx, &part.id, hour_of(signal.at), signal.channel, signal.region, 1).await?;
    }
    let left = (topic.wordings - part.wordings).max(1);
    store::update(&mut tx, Topic { total: topic.total - moved, wordings: left, ..topic }).await?;
    log(app, &mut tx, &who.log_name(), "topic.split", &format!("{id} {}", part.id), "ok").await?;
    mark(app, &mut tx).await?;
    tx.commit().await?;
    Ok(part.id)
}

/// Undoes the last thing that was done with a topic: it stands by itself again, or goes back to where it was taken out, or comes back to the desk.
///
/// May: duty officers. Writes: topic, log.
pub async fn undo(app: &App, who: &Actor, id: &TopicId) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    allowed(&mut tx, who).await?;
    let topic = store::get(&mut tx, id).await?;
    let (word, back) = if topic.dropped {
        ("topic.back", Topic { dropped: false, ..topic })
    } else if topic.merged_into.is_some() {
        ("topic.unmerged", Topic { merged_into: None, ..topic })
    } else if let Some(from) = topic.split_from.clone() {
        ("topic.unsplit", Topic { merged_into: Some(root_of(&mut tx, &from).await?).filter(|root| root != id), ..topic })
    } else {
        return Err(wrong("do", TopicError::Alone));
    };
    store::update(&mut tx, back).await?;
    log(app, &mut tx, &who.log_name(), word, id.as_str(), "ok").await?;
    mark(app, &mut tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Sets a topic aside: it is no matter for this desk. It can be brought back. May: duty officers. Writes: topic, log.
pub async fn drop(app: &App, who: &Actor, id: &TopicId) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    allowed(&mut tx, who).await?;
    let topic = store::get(&mut tx, id).await?;
    store::update(&mut tx, Topic { dropped: true, ..topic }).await?;
    log(app, &mut tx, &who.log_name(), "topic.dropped", id.as_str(), "ok").await?;
    tx.commit().await?;
    Ok(())
}

/// Opens a case about a topic in the words that say most of it, or joins the one that is under way: the same claim never opens two.
///
/// May: duty officers. Writes: case, topic, log.
pub async fn open_case(app: &App, who: &Actor, id: &TopicId) -> Result<CaseId, AppError> {
    let mut tx = app.db.write().await?;
    allowed(&mut tx, who).await?;
    let topic = store::get(&mut tx, id).await?;
    if let Some(case) = topic.case {
        return Ok(case);
    }
    let heard = store::list_heard(&mut tx, std::slice::from_ref(id), hour_of(topic.since), 20_000).await?;
    let channels: std::collections::HashSet<_> = heard.iter().map(|one| one.channel).collect();
    let worth = app.definitions().listen.worth(&kepu_text::fold(&topic.label), topic.total, i64::try_from(channels.len()).unwrap_or(1));
    let level = level_of(&worth, topic.phase);
    let (case, opened) = question::case_for(app, &mut tx, &topic.label, place_of(&heard), ("rumour", level)).await?;
    log(app, &mut tx, &who.log_name(), if opened { "topic.opened" } else { "topic.joined" }, &format!("{id} {case}"), "ok").await?;
    store::update(&mut tx, Topic { case: Some(case.clone()), ..topic }).await?;
    tx.commit().await?;
    app.notify();
    Ok(case)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kepu_domain::listen::sighting::Channel;

    #[test]
    fn a_case_gets_the_smallest_place_around_what_was_heard() {
        let heard = |regions: &[&str]| -> Vec<store::Heard> {
            let one = |code: &&str| store::Heard { hour: 1, channel: Channel::List, region: Region::parse(code).expect("region"), count: 1 };
            regions.iter().map(one).collect()
        };
        assert_eq!(place_of(&heard(&["411525", "411525"])).to_string(), "411525");
        assert_eq!(place_of(&heard(&["411525", "411526"])).to_string(), "411500");
        assert_eq!(place_of(&heard(&["411525", "410102"])).to_string(), "410000");
        assert_eq!(place_of(&heard(&["411525", "110101"])), Region::NATION);
        assert_eq!(place_of(&[]), Region::NATION);
    }
}
