//! The address of every thing that has one. Handlers and templates take addresses from here.

use kepu_domain::ids::{AccountId, ApplicationId, CaseId, DraftId, ImportId, InletId, OrgId, PackId, QuestionId, ReviewId, RoundId, SubjectId, TopicId};

/// Percent-encodes one part of a path or one value of a query.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// `path` with those pairs whose value is not empty as its query.
pub fn with(path: &str, pairs: &[(&str, &str)]) -> String {
    let query: Vec<String> = pairs.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name}={}", encode(value))).collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}

fn subject_at(letter: &str, id: &SubjectId) -> String {
    match id.parts() {
        Some((owner, local)) => format!("/{letter}/{owner}/{local}"),
        None => format!("/search?q={}", encode(&id.0)),
    }
}

/// A claim's page.
pub fn claim(id: &SubjectId) -> String {
    subject_at("c", id)
}
/// How a claim's answer is passed on.
pub fn share(id: &SubjectId) -> String {
    format!("{}/share", claim(id))
}
/// Wordings, merges and places of a claim, for its editors.
pub fn care(id: &SubjectId) -> String {
    format!("{}/care", claim(id))
}
/// Where a reader says whether an answer helped.
pub fn useful(id: &SubjectId) -> String {
    format!("{}/useful", claim(id))
}
/// A resource's page.
pub fn resource(id: &SubjectId) -> String {
    subject_at("r", id)
}
/// The address that leads to the right page for ever.
pub fn subject(id: &SubjectId) -> String {
    subject_at("id", id)
}
/// The page of a subject of this kind (unknown kinds resolve by id).
pub fn of_kind(kind: &str, id: &SubjectId) -> String {
    match kind {
        "claim" => claim(id),
        "resource" => resource(id),
        "party" => party(id),
        _ => subject(id),
    }
}
/// The card of a subject for frames on other sites.
pub fn embed(kind: &str, id: &SubjectId) -> String {
    subject_at(&format!("embed/{kind}"), id)
}
/// A monthly pack.
pub fn pack(id: &PackId) -> String {
    format!("/packs/{}", encode(&id.0))
}
/// Facts about one signed record.
pub fn record(hash: &str) -> String {
    format!("/records/{hash}")
}
/// One signed record with all that proves it, as a file.
pub fn record_file(hash: &str) -> String {
    format!("/records/{hash}.json?with=chain")
}
/// The asker's page about a question.
pub fn question(id: &QuestionId) -> String {
    format!("/q/{}", encode(&id.0))
}
/// A case.
pub fn case(id: &CaseId) -> String {
    format!("/case/{}", encode(&id.0))
}
/// A topic, for those who work on it.
pub fn topic(id: &TopicId) -> String {
    format!("/listen/topic/{}", encode(&id.0))
}
/// An inlet, for those who care for it.
pub fn inlet(id: &InletId) -> String {
    format!("/intake/{}", encode(&id.0))
}
/// What to do now in a place.
pub fn now(region: kepu_domain::org::Region) -> String {
    format!("/now/{region}")
}
/// An official warning.
pub fn warning(id: &SubjectId) -> String {
    subject_at("now/w", id)
}
/// A message of a source, for those who decide about it.
pub fn message(hash: &str) -> String {
    format!("/warnings/{}", encode(hash))
}
/// A start order with its tasks.
pub fn order(id: &kepu_domain::ids::OrderId) -> String {
    format!("/orders/{}", encode(&id.0))
}
/// A point that warnings are pushed to, for its stewards.
pub fn point(id: &kepu_domain::ids::PointId) -> String {
    format!("/points/{}", encode(&id.0))
}
/// A task.
pub fn task(id: &kepu_domain::ids::TaskId) -> String {
    format!("/tasks/{}", encode(&id.0))
}
/// What a meeting decided or an inspection found, for those who coordinate.
pub fn decision(id: &SubjectId) -> String {
    subject_at("decisions", id)
}
/// A random sample of evidence, for those who coordinate.
pub fn inspection(id: &kepu_domain::ids::InspectionId) -> String {
    format!("/inspections/{}", encode(&id.0))
}
/// A drill, for those who exercise.
pub fn drill(id: &SubjectId) -> String {
    subject_at("drills", id)
}
/// A draft.
pub fn draft(id: &DraftId) -> String {
    format!("/drafts/{}", encode(&id.0))
}
/// A review task.
pub fn review(id: &ReviewId) -> String {
    format!("/reviews/{}", encode(&id.0))
}
/// An organisation with its members.
pub fn member_org(id: &OrgId) -> String {
    format!("/members/orgs/{}", encode(&id.0))
}
/// An account as others see it.
pub fn member(id: &AccountId) -> String {
    format!("/members/people/{}", encode(&id.0))
}
/// A file that is taken in.
pub fn import(id: &ImportId) -> String {
    format!("/import/{}", encode(&id.0))
}
/// A certificate, for its holder and the office.
pub fn certificate(number: &str) -> String {
    format!("/certificates/{}", encode(number))
}
/// Whether a certificate's number holds, for whoever has the paper.
pub fn certificate_status(number: &str) -> String {
    format!("/certificate/{}", encode(number))
}
/// The tasks of a judge.
pub const JUDGING: &str = "/judging";
/// A round.
pub fn round(id: &RoundId) -> String {
    format!("/round/{}", encode(&id.0))
}
/// The office of a round.
pub fn round_office(id: &RoundId) -> String {
    format!("/round/{}/office", encode(&id.0))
}
/// An application.
pub fn application(id: &ApplicationId) -> String {
    format!("/application/{}", encode(&id.0))
}
/// The page on which files are added to an application.
pub fn proofs(id: &ApplicationId) -> String {
    format!("{}/proofs", application(id))
}
/// A file that an application names.
pub fn proof(id: &ApplicationId, hash: &str) -> String {
    format!("{}/proof/{}", application(id), encode(hash))
}
/// An application as its judge sees it.
pub fn judging(id: &ApplicationId) -> String {
    format!("/judging/{}", encode(&id.0))
}
/// A criteria set.
pub fn criteria(id: &str) -> String {
    format!("/criteria/{}", encode(id))
}
/// A register.
pub fn register(id: &str) -> String {
    format!("/register/{}", encode(id))
}
/// The public card of a party.
pub fn party(id: &SubjectId) -> String {
    subject_at("party", id)
}
/// An entry of the registry, for those whom it concerns.
pub fn entry(id: &str) -> String {
    format!("/registry/{}", encode(id))
}
/// Where somebody takes a subject back; `deed`: `withdraw`, `hold`, `release`, `notice`.
pub fn take_back(deed: &str, id: &SubjectId) -> String {
    subject_at(deed, id)
}
/// Who still has what was taken back.
pub fn recall(id: &SubjectId) -> String {
    subject_at("recall", id)
}
/// The slip to paste over a poster.
pub fn sticker(id: &SubjectId) -> String {
    subject_at("sticker", id)
}
/// Where anybody says what is wrong with a content.
pub fn report(id: &SubjectId) -> String {
    subject_at("report", id)
}
/// The whole history of a statement.
pub fn history(id: &SubjectId) -> String {
    subject_at("history", id)
}
/// A file.
pub fn media(hash: &str) -> String {
    format!("/media/{hash}")
}

/// Whether `path` is one of our own, fit for a redirect: begins with one slash, no scheme, no control characters.
pub fn is_own(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("//") && !path.starts_with("/\\") && path.len() < 2_000 && !path.chars().any(|c| c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_paths_are_redirected_to() {
        assert!(is_own("/c/abcdefgh23/c-1?view=print"));
        for bad in ["", "//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nSet-Cookie: x"] {
            assert!(!is_own(bad), "{bad}");
        }
    }

    #[test]
    fn queries_leave_out_what_is_empty() {
        assert_eq!(with("/claims", &[("field", ""), ("q", "糖 尿")]), "/claims?q=%E7%B3%96%20%E5%B0%BF");
    }
}
