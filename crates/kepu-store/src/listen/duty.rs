//! Duty rosters, absences, and calls to those on duty. Whose turn it is and whom a case calls next is in `kepu-domain::listen::duty`.

use crate::db::Tx;
use crate::error::StoreError;
use crate::org::push_below;
use crate::sql::{Built, Cells, all, all_in, args, must, one, run, run_versioned};
use crate::value::{like_escape, list_text};
use jiff::Timestamp;
use jiff::civil::Date;
use kepu_domain::ids::{CaseId, OrgId, PartyId, RotaId};
use kepu_domain::listen::duty::{Absence, Answer, Call, Post, Rota, Why};

macro_rules! rota_columns {
    () => {
        "id, org, post, begins, turn_days, hour, people, ends, version"
    };
}

macro_rules! call_columns {
    () => {
        "case_id, n, party, org, why, at, answer, answered_at"
    };
}

fn day(text: &str) -> Option<Date> {
    text.parse().ok()
}

fn read(c: &mut Cells<'_>) -> Result<Rota, StoreError> {
    let (id, org, post, begins, turn_days, hour) = (c.id()?, c.id()?, c.word(Post::parse)?, c.word(day)?, c.int()?, c.int()?);
    let (people, ends, version) = (c.list()?.into_iter().map(PartyId).collect(), c.text()?, c.int()?);
    Ok(Rota { id, org, post, begins, turn_days, hour, people, ends: day(&ends), version })
}

fn people(rota: &Rota) -> String {
    list_text(&rota.people.iter().map(PartyId::as_str).collect::<Vec<_>>())
}

fn last(rota: &Rota) -> String {
    rota.ends.map_or_else(String::new, |day| day.to_string())
}

/// Adds a rota.
pub async fn insert(tx: &mut Tx, rota: &Rota) -> Result<(), StoreError> {
    const SQL: &str = concat!("INSERT INTO duty_rota (", rota_columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1)");
    let r = rota;
    let args = args![r.id.as_str(), r.org.as_str(), r.post.as_str(), r.begins.to_string(), r.turn_days, r.hour, people(r), last(r)];
    run(tx, "add a rota", SQL, args).await.map(drop)
}

/// Stores a changed rota that was read in `rota.version`; organisation and post stay.
pub async fn update(tx: &mut Tx, rota: &Rota) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE duty_rota SET begins = $3, turn_days = $4, hour = $5, people = $6, ends = $7, version = version + 1 WHERE id = $1 AND version = $2";
    const EXISTS: &str = "SELECT COUNT(*) FROM duty_rota WHERE id = $1";
    let r = rota;
    let args = args![r.id.as_str(), r.version, r.begins.to_string(), r.turn_days, r.hour, people(r), last(r)];
    run_versioned(tx, "change a rota", "rota", r.id.as_str(), SQL, args, EXISTS).await
}

/// Takes a rota away.
pub async fn delete(tx: &mut Tx, id: &RotaId) -> Result<(), StoreError> {
    run(tx, "remove a rota", "DELETE FROM duty_rota WHERE id = $1", args![id.as_str()]).await.map(drop)
}

/// One rota that must be there.
pub async fn get(tx: &mut Tx, id: &RotaId) -> Result<Rota, StoreError> {
    const SQL: &str = concat!("SELECT ", rota_columns!(), " FROM duty_rota WHERE id = $1");
    must(one(tx, "find a rota", SQL, args![id.as_str()], read).await?, "rota", id)
}

/// The rotas of `orgs` themselves, by organisation, post and begin.
pub async fn list_of(tx: &mut Tx, orgs: &[OrgId]) -> Result<Vec<Rota>, StoreError> {
    const SQL: &str = concat!("SELECT ", rota_columns!(), " FROM duty_rota WHERE org IN (");
    all_in(tx, "list rotas", (SQL, ") ORDER BY org, post, begins, id"), orgs, |org| args![org.as_str()], read).await
}

/// The rotas of `orgs` and of everything below them (none: all), at most `limit`.
pub async fn list_below(tx: &mut Tx, orgs: &[OrgId], limit: u32) -> Result<Vec<Rota>, StoreError> {
    let mut query = Built::new(concat!("SELECT ", rota_columns!(), " FROM duty_rota WHERE id <> ''"));
    push_below(&mut query, orgs);
    query.push(" ORDER BY org, post, begins, id LIMIT {}", args![limit]);
    let (sql, args) = query.done();
    all(tx, "list rotas below", sql, args, read).await
}

/// The rotas that somebody is on, at most 100.
pub async fn list_with(tx: &mut Tx, party: &PartyId) -> Result<Vec<Rota>, StoreError> {
    const SQL: &str = concat!("SELECT ", rota_columns!(), " FROM duty_rota WHERE people LIKE $1 ESCAPE '\\' ORDER BY org, post, begins, id LIMIT 100");
    all(tx, "list the rotas of somebody", SQL, args![format!("%,{},%", like_escape(party.as_str()))], read).await
}

fn read_absence(c: &mut Cells<'_>) -> Result<Absence, StoreError> {
    Ok(Absence { party: c.id()?, from: c.word(day)?, to: c.word(day)?, instead: c.opt_id()? })
}

/// Notes that somebody is away; one that begins on the same day is replaced.
pub async fn put_absence(tx: &mut Tx, one: &Absence) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO duty_absence (party, from_day, to_day, stand_in) VALUES ($1, $2, $3, $4)
        ON CONFLICT (party, from_day) DO UPDATE SET to_day = excluded.to_day, stand_in = excluded.stand_in";
    let args = args![one.party.as_str(), one.from.to_string(), one.to.to_string(), one.instead.as_ref().map(PartyId::as_str)];
    run(tx, "note an absence", SQL, args).await.map(drop)
}

/// Takes an absence away.
pub async fn delete_absence(tx: &mut Tx, party: &PartyId, from: Date) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM duty_absence WHERE party = $1 AND from_day = $2";
    run(tx, "remove an absence", SQL, args![party.as_str(), from.to_string()]).await.map(drop)
}

/// Absences of `people` that are not over on `day`, by person and day.
pub async fn list_absences(tx: &mut Tx, people: &[PartyId], day: Date) -> Result<Vec<Absence>, StoreError> {
    const SQL: &str = "SELECT party, from_day, to_day, stand_in FROM duty_absence WHERE party IN (";
    let list = all_in(tx, "list absences", (SQL, ") ORDER BY party, from_day"), people, |id| args![id.as_str()], read_absence).await?;
    Ok(list.into_iter().filter(|one| one.to >= day).collect())
}

/// Removes absences that were over before `day`; returns how many.
pub async fn purge_absences(tx: &mut Tx, day: Date) -> Result<u64, StoreError> {
    run(tx, "remove old absences", "DELETE FROM duty_absence WHERE to_day < $1", args![day.to_string()]).await
}

fn read_call(c: &mut Cells<'_>) -> Result<Call, StoreError> {
    let (case, n, party, org, why) = (c.id()?, c.int()?, c.id()?, c.id()?, c.word(Why::parse)?);
    Ok(Call { case, n, party, org, why, at: c.time()?, answer: c.word(Answer::parse)?, answered_at: c.opt_time()? })
}

/// Adds a call; `false` if another process made one with this number.
pub async fn add_call(tx: &mut Tx, call: &Call) -> Result<bool, StoreError> {
    const SQL: &str = concat!("INSERT INTO duty_call (", call_columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (case_id, n) DO NOTHING");
    let c = call;
    let args = args![c.case.as_str(), c.n, c.party.as_str(), c.org.as_str(), c.why.as_str(), c.at, c.answer.as_str(), c.answered_at];
    Ok(run(tx, "call somebody", SQL, args).await? > 0)
}

/// Answers a call that waits; `false` if it does not.
pub async fn answer(tx: &mut Tx, case: &CaseId, n: i64, answer: Answer, at: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE duty_call SET answer = $3, answered_at = $4 WHERE case_id = $1 AND n = $2 AND answer = 'waiting'";
    Ok(run(tx, "answer a call", SQL, args![case.as_str(), n, answer.as_str(), at]).await? > 0)
}

/// The calls of a case, in their order.
pub async fn list_calls(tx: &mut Tx, case: &CaseId) -> Result<Vec<Call>, StoreError> {
    const SQL: &str = concat!("SELECT ", call_columns!(), " FROM duty_call WHERE case_id = $1 ORDER BY n LIMIT 500");
    all(tx, "list the calls of a case", SQL, args![case.as_str()], read_call).await
}

/// The calls that wait for somebody (`None`: for anybody), the oldest first, at most 500.
pub async fn list_waiting(tx: &mut Tx, party: Option<&PartyId>) -> Result<Vec<Call>, StoreError> {
    let mut query = Built::new(concat!("SELECT ", call_columns!(), " FROM duty_call WHERE answer = 'waiting'"));
    if let Some(party) = party {
        query.push(" AND party = {}", args![party.as_str()]);
    }
    query.push(" ORDER BY at, case_id, n LIMIT 500", vec![]);
    let (sql, args) = query.done();
    all(tx, "list calls that wait", sql, args, read_call).await
}

/// Takes a person out of absences and calls, as the law on personal data asks; the rota loses them when it is next saved.
pub async fn forget(tx: &mut Tx, party: &PartyId) -> Result<(), StoreError> {
    run(tx, "forget absences", "DELETE FROM duty_absence WHERE party = $1", args![party.as_str()]).await?;
    run(tx, "forget who stands in", "UPDATE duty_absence SET stand_in = NULL WHERE stand_in = $1", args![party.as_str()]).await?;
    run(tx, "forget calls", "DELETE FROM duty_call WHERE party = $1", args![party.as_str()]).await.map(drop)
}
