//! The registry as its stewards see it: the list with what each entry asks for, what entries said before, entries that may be
//! the same party twice, and one's own entry. Changing an entry is in `party`, export and import are in `export` and `import`.

use crate::App;
use crate::create::find::{self, Found, Scope, Search};
use crate::create::party::{Standing, open};
use crate::error::AppError;
use kepu_domain::access::{Action, Actor};
use kepu_domain::create::attention::{ATTENTIONS, Attention, attention};
use kepu_domain::create::party::Party;
use kepu_domain::ids::{OrgId, PartyId};
use kepu_domain::org::Org;
use kepu_store::Tx;
use kepu_store::create::party as store;

/// Most earlier versions shown.
const HISTORY_MAX: u32 = 200;
/// Most institutions to choose from in a form.
const ORGS_MAX: u32 = 200;
/// Entries of one institution that are compared by name.
const COMPARED_MAX: u32 = 2_000;

/// An entry in the stewards' list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// As any search finds it.
    pub found: Found,
    /// What there is to look at, the most urgent first.
    pub attention: Vec<Attention>,
    /// Registers that hold it, seen or not.
    pub registers: Vec<String>,
}

/// The organisations whose entries `who` keeps; everything below them is theirs too.
fn own(who: &Actor) -> Result<Option<Vec<OrgId>>, AppError> {
    who.may(Action::ManageMembers, None)?;
    Ok(who.roots(Action::ManageMembers))
}

/// Entries that `who` keeps, with the number of all that were found.
///
/// May: stewards; each sees what lies where they are one.
pub async fn list(app: &App, who: &Actor, search: &Search) -> Result<(Vec<Listed>, usize), AppError> {
    let search = Search { within: own(who)?, ..search.clone() };
    let (found, total) = find::find(app, who, Scope::Entries, &search).await?;
    let (definitions, today) = (app.definitions(), app.today());
    let registers = &definitions.registers;
    let mut tx = app.db.read().await?;
    let mut list = Vec::with_capacity(found.len());
    for found in found {
        let Some(party) = store::find(&mut tx, &PartyId(found.id.clone())).await? else { continue };
        list.push(Listed {
            attention: attention(&party, registers, today),
            registers: registers.registers.values().filter(|register| register.holds(&party, today)).map(|register| register.id.clone()).collect(),
            found,
        });
    }
    Ok((list, total))
}

/// How many entries of the search ask for each kind of attention.
pub async fn counts(app: &App, who: &Actor, search: &Search) -> Result<Vec<(Attention, usize)>, AppError> {
    let search = Search { within: own(who)?, attention: None, ..search.clone() };
    let words: Vec<String> = ATTENTIONS.iter().map(|kind| kind.as_str().to_owned()).collect();
    let counts = find::facet(app, Scope::Entries, &search, "state", &words).await?;
    Ok(ATTENTIONS.into_iter().zip(counts).collect())
}

/// The registry entry of the acting person; none if their account has none.
pub async fn mine(app: &App, who: &Actor) -> Result<Option<PartyId>, AppError> {
    let mut tx = app.db.read().await?;
    crate::create::review::party_of(&mut tx, who).await
}

/// Institutions that `who` may keep entries for: where they are steward, then what lies below; at most [`ORGS_MAX`]. `also` is
/// among them if they may, however many there are.
pub async fn orgs(app: &App, who: &Actor, also: &OrgId) -> Result<Vec<Org>, AppError> {
    let roots = own(who)?;
    let mut tx = app.db.read().await?;
    let roots = match roots {
        Some(roots) => roots,
        None => vec![crate::node::org(&mut tx).await?],
    };
    let mut list: Vec<Org> = Vec::new();
    for root in &roots {
        list.extend(kepu_store::org::find(&mut tx, root).await?.filter(|org| !list.iter().any(|known| known.id == org.id)));
    }
    for root in &roots {
        let below = kepu_store::org::list_children(&mut tx, root, ORGS_MAX).await?;
        list.extend(below.into_iter().filter(|org| !roots.contains(&org.id)));
    }
    list.dedup_by(|a, b| a.id == b.id);
    list.truncate(ORGS_MAX as usize);
    if !list.iter().any(|org| org.id == *also) && who.may(Action::ManageMembers, Some(&kepu_store::org::line(&mut tx, also).await?)).is_ok() {
        list.extend(kepu_store::org::find(&mut tx, also).await?);
    }
    Ok(list)
}

/// What an entry said before one of its changes.
#[derive(Clone, Debug)]
pub struct Before {
    /// The version that was replaced.
    pub version: i64,
    /// When, in milliseconds.
    pub at: i64,
    /// Who replaced it: a name, or the log's word for who has none.
    pub who: String,
    /// Ids of the fields that the change touched.
    pub changed: Vec<String>,
}

/// The changes of an entry, newest first.
///
/// May: the person, and its stewards.
pub async fn history(app: &App, who: &Actor, id: &PartyId) -> Result<Vec<Before>, AppError> {
    let mut tx = app.db.read().await?;
    let (entry, standing) = open(&mut tx, who, id).await?;
    if standing == Standing::Colleague {
        return Ok(vec![]);
    }
    let definitions = app.definitions();
    let mut after = entry.party;
    let mut list = Vec::new();
    for (version, at, by, party) in store::list_history(&mut tx, id, HISTORY_MAX).await? {
        let mut changed: Vec<String> = definitions.registers.fields_of(&after).into_iter().map(|field| field.id.clone()).collect();
        changed.extend(["registers", "confirmed"].map(str::to_owned));
        changed.retain(|field| party.value(field) != after.value(field));
        changed.extend((party.consents != after.consents).then(|| "consents".to_owned()));
        changed.extend((party.merged_into != after.merged_into).then(|| "merged_into".to_owned()));
        list.push(Before { version, at, who: name_of(&mut tx, &by).await?, changed });
        after = party;
    }
    Ok(list)
}

/// The name behind a word of the log.
async fn name_of(tx: &mut Tx, word: &str) -> Result<String, AppError> {
    let Some(account) = word.strip_prefix("account:") else { return Ok(word.to_owned()) };
    Ok(kepu_store::account::find(tx, &account.into()).await?.map_or_else(|| word.to_owned(), |row| row.account.name))
}

/// Groups of entries of the same kind and name, by name, from the name after `after` on; at most `limit` groups, of which each
/// has at least two entries that `who` keeps.
///
/// May: stewards.
pub async fn doubles(app: &App, who: &Actor, after: &str, limit: u32) -> Result<Vec<Vec<(Party, String)>>, AppError> {
    own(who)?;
    let mut tx = app.db.read().await?;
    let mut groups = Vec::new();
    for (kind, name) in store::list_doubles(&mut tx, after, limit).await? {
        let mut group = Vec::new();
        for party in store::list_namesakes(&mut tx, &name, 50).await?.into_iter().filter(|p| p.kind == kind && p.merged_into.is_none()) {
            if who.may(Action::ManageMembers, Some(&kepu_store::org::line(&mut tx, &party.org).await?)).is_ok() {
                let org = super::party::org_name(&mut tx, &party.org).await?;
                group.push((party, org));
            }
        }
        if group.len() > 1 {
            groups.push(group);
        }
    }
    Ok(groups)
}

/// Entries that may be the same party as this one: of the same name anywhere, or of the same institution with a name that
/// differs by one character.
///
/// May: its stewards; only entries that they keep too.
pub async fn perhaps_the_same(app: &App, who: &Actor, id: &PartyId) -> Result<Vec<Party>, AppError> {
    let mut tx = app.db.read().await?;
    let (entry, standing) = open(&mut tx, who, id).await?;
    if standing != Standing::Keeper || entry.party.merged_into.is_some() {
        return Ok(vec![]);
    }
    let mut found = find::namesakes(&mut tx, &entry.party).await?;
    for other in store::list_by_org(&mut tx, &entry.party.org, COMPARED_MAX).await? {
        let candidate = other.id != entry.party.id && other.kind == entry.party.kind && other.merged_into.is_none();
        if candidate && !found.iter().any(|known| known.id == other.id) && near(&entry.name_fold, &kepu_text::fold(&other.name)) {
            found.push(other);
        }
    }
    let mut kept = Vec::new();
    for party in found {
        if who.may(Action::ManageMembers, Some(&kepu_store::org::line(&mut tx, &party.org).await?)).is_ok() {
            kept.push(party);
        }
    }
    Ok(kept)
}

/// Whether two folded names of three characters or more differ by one at most: one changed, one more, one less.
fn near(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if long.len() < 3 || long.len() - short.len() > 1 {
        return false;
    }
    let same_front = short.iter().zip(&long).take_while(|(x, y)| x == y).count();
    let rest = usize::from(short.len() == long.len());
    short[(same_front + rest).min(short.len())..] == long[(same_front + 1).min(long.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_by_one_character_are_near() {
        assert!(near("示例科技馆", "示例科技馆") && near("示例科技馆", "示例科枝馆") && near("示例科技馆", "示例县科技馆") && near("王小明", "王明"));
        for (a, b) in [("王明", "王红"), ("示例科技馆", "示例博物馆"), ("示例馆", "县示例新馆"), ("", "")] {
            assert!(!near(a, b), "{a} {b}");
        }
    }
}
