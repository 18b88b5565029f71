//! Organisations: the administrative divisions that come with the program, the institutions that stewards add below them, and
//! looking both up. Who belongs to them is in `member`.

use crate::account::log;
use crate::error::{AppError, FieldError, text_error};
use crate::{App, keys, node};
use kepu_domain::access::{Action, Actor, Role};
use kepu_domain::create::party::Party;
use kepu_domain::field::Facts;
use kepu_domain::ids::OrgId;
use kepu_domain::org::{Org, OrgKind, Region};
use kepu_domain::text::NAME;
use kepu_store::account::{self as accounts, Filter};
use kepu_store::{Tx, create::party, org as store};
use std::collections::HashMap;
use std::sync::LazyLock;

const DIVISIONS_CSV: &str = include_str!("../../../data/geo/divisions.csv");

/// [`divisions`], read once.
pub static DIVISIONS: LazyLock<Vec<Org>> = LazyLock::new(|| divisions().unwrap_or_default());

/// What the rules for fields must be told.
pub const FACTS: Facts = Facts { count: kepu_text::count, division: |region| division(region).is_some() };

/// The division with this code.
pub fn division(region: Region) -> Option<&'static Org> {
    static BY_REGION: LazyLock<HashMap<Region, usize>> = LazyLock::new(|| DIVISIONS.iter().enumerate().map(|(at, org)| (org.region, at)).collect());
    DIVISIONS.get(*BY_REGION.get(&region)?)
}

/// The divisions of `data/geo/divisions.csv` with the nation above them.
pub fn divisions() -> Result<Vec<Org>, AppError> {
    let wrong = |line: usize, cause: String| AppError::Record(format!("divisions.csv, line {line}: {cause}"));
    let division = |id: &str, name: &str, parent: Option<&str>, region: Region| Org {
        id: OrgId::from(id),
        name: name.into(),
        name_en: String::new(),
        kind: OrgKind::Division,
        parent: parent.map(OrgId::from),
        region,
        sample: false,
    };
    let mut list = vec![division("000000", "全国", None, Region::NATION)];
    for (at, row) in csv::Reader::from_reader(DIVISIONS_CSV.as_bytes()).into_records().enumerate() {
        let line = at + 2;
        let row = row.map_err(|e| wrong(line, e.to_string()))?;
        let cell = |n: usize| row.get(n).unwrap_or_default();
        let region = Region::parse(cell(0)).map_err(|e| wrong(line, e.to_string()))?;
        let parent = Some(cell(3)).filter(|p| !p.is_empty()).unwrap_or("000000");
        list.push(division(cell(0), cell(1), Some(parent), region));
    }
    Ok(list)
}

/// Longitude and latitude of a division's seat, in degrees; none for the nation and for unknown codes.
pub fn seat(region: Region) -> Option<(f64, f64)> {
    static SEATS: LazyLock<HashMap<Region, (f64, f64)>> = LazyLock::new(|| {
        let rows = csv::Reader::from_reader(DIVISIONS_CSV.as_bytes()).into_records();
        let read = |row: csv::StringRecord| Some((Region::parse(row.get(0)?).ok()?, (row.get(4)?.parse().ok()?, row.get(5)?.parse().ok()?)));
        rows.filter_map(Result::ok).filter_map(read).collect()
    });
    SEATS.get(&region).copied()
}

/// A division by its code or name, alone if no other bears it, or with what it lies in: 固始县, 河南省信阳市固始县, 河南省 固始县.
pub fn region_named(text: &str) -> Option<Region> {
    static NAMES: LazyLock<HashMap<String, Option<Region>>> = LazyLock::new(|| {
        let mut names = HashMap::new();
        for org in DIVISIONS.iter() {
            let chain = org.region.chain();
            let above = chain.iter().filter(|region| **region != Region::NATION).filter_map(|region| division(*region));
            let chain: Vec<&str> = above.map(|org| org.name.as_str()).collect();
            let mut forms = vec![org.name.clone(), chain.concat()];
            forms.extend(chain.first().map(|province| format!("{province}{}", org.name)));
            forms.sort_unstable();
            forms.dedup();
            for form in forms {
                names.entry(form).and_modify(|known: &mut Option<Region>| *known = None).or_insert(Some(org.region));
            }
        }
        names
    });
    let text: String = text.split_whitespace().collect();
    Region::parse(&text).ok().filter(|region| division(*region).is_some()).or_else(|| NAMES.get(&text).copied().flatten())
}

/// Puts the divisions into an empty store.
pub async fn seed(tx: &mut Tx) -> Result<(), AppError> {
    let mut list = divisions()?;
    // Upper levels first: a parent must be there before its children.
    list.sort_by_key(|org| org.region.chain().len());
    store::insert_many(tx, &list).await?;
    Ok(())
}

/// The most organisations in a list on a page.
const LIST_MAX: u32 = 200;
/// Most levels between an organisation and the nation: what `org::line` looks up.
const DEPTH_MAX: usize = 8;

/// What somebody who cares for members finds first.
#[derive(Clone, Debug)]
pub struct House {
    /// The organisations whose steward one is, or for whose administrators one cares; with their number of members.
    pub own: Vec<(Org, i64)>,
    /// What the search found among them and below; all of `own` when nothing was asked.
    pub found: Vec<Org>,
    /// Administrators that nobody is yet.
    pub vacant: Vec<Role>,
    /// Roles of which a second factor is demanded.
    pub demanded: Vec<Role>,
    /// The organisation that runs the node.
    pub node: OrgId,
}

/// The organisations one cares for, and those below them whose names hold `text`.
///
/// May: stewards, the security administrator (for the organisation that runs the node).
pub async fn house(app: &App, who: &Actor, text: &str) -> Result<House, AppError> {
    who.may(Action::SeeMembers, None)?;
    let mut tx = app.db.read().await?;
    let node = node::org(&mut tx).await?;
    let mut ids: Vec<OrgId> = match who {
        Actor::Person { memberships, .. } => memberships.iter().filter(|m| m.role == Role::Steward).map(|m| m.org.clone()).collect(),
        _ => vec![node.clone()],
    };
    if ids.is_empty() {
        ids.push(node.clone());
    }
    let (mut own, mut found): (Vec<(Org, i64)>, Vec<Org>) = (vec![], vec![]);
    for id in &ids {
        let Some(org) = store::find(&mut tx, id).await? else { continue };
        let members = accounts::count_filtered(&mut tx, &Filter { org: Some(id.clone()), ..Filter::default() }).await?;
        own.push((org, members));
    }
    let text: String = kepu_text::clean_line(text).chars().take(60).collect();
    if !text.is_empty() && who.may(Action::ManageMembers, None).is_ok() {
        for id in &ids {
            let below = store::search_below(&mut tx, id, &text, 50).await?;
            found.extend(below.into_iter().filter(|org| !found.iter().any(|other| other.id == org.id)).collect::<Vec<_>>());
        }
        found.truncate(50);
    }
    Ok(House { own, found, vacant: crate::member::vacant(&mut tx).await?, demanded: crate::member::demanded(&mut tx).await?, node })
}

/// One organisation for who cares for it.
#[derive(Clone, Debug)]
pub struct View {
    /// The organisation.
    pub org: Org,
    /// Its version, for [`rename`].
    pub version: i64,
    /// What it stands in, the nearest first, itself left out.
    pub above: Vec<Org>,
    /// What stands right below it.
    pub below: Vec<Org>,
    /// Its people of the registry.
    pub parties: Vec<Party>,
    /// How many members it has.
    pub members: i64,
    /// Roles that the actor may give here.
    pub grants: Vec<Role>,
}

/// One organisation. May: its stewards and those above, the security administrator.
pub async fn view(app: &App, who: &Actor, id: &OrgId) -> Result<View, AppError> {
    let mut tx = app.db.read().await?;
    let (org, version) = store::find_versioned(&mut tx, id).await?.ok_or_else(|| AppError::NotFound { what: "organisation", id: id.0.clone() })?;
    let line = store::line(&mut tx, id).await?;
    let steward = who.may(Action::ManageMembers, Some(&line));
    if steward.is_err() && who.may(Action::ManageSecurity, None).is_err() {
        steward?;
    }
    let mut above = Vec::new();
    for id in line.0.iter().skip(1) {
        above.extend(store::find(&mut tx, id).await?);
    }
    let mut grants = Vec::new();
    for role in kepu_domain::access::ROLES {
        // Administrators are about the node and named in the organisation that runs it.
        if (!role.is_admin() || *id == node::org(&mut tx).await?) && crate::member::may_grant(&mut tx, who, id, role).await.is_ok() {
            grants.push(role);
        }
    }
    Ok(View {
        above,
        below: store::list_children(&mut tx, id, LIST_MAX).await?,
        parties: if grants.is_empty() { vec![] } else { party::list_by_org(&mut tx, id, LIST_MAX).await? },
        members: accounts::count_filtered(&mut tx, &Filter { org: Some(id.clone()), ..Filter::default() }).await?,
        org,
        version,
        grants,
    })
}

/// An organisation to be added.
#[derive(Clone, Debug)]
pub struct NewOrg {
    /// Territory or sector; divisions come with the program.
    pub kind: OrgKind,
    /// Chinese name.
    pub name: String,
    /// English name, may be empty.
    pub name_en: String,
}

/// Adds an organisation below `parent`; it serves the same place.
///
/// May: stewards of `parent`. Writes: org, log.
pub async fn add(app: &App, who: &Actor, parent: &OrgId, new: &NewOrg) -> Result<OrgId, AppError> {
    let mut tx = app.db.write().await?;
    let line = store::line(&mut tx, parent).await?;
    who.may(Action::ManageMembers, Some(&line))?;
    let id = add_in(app, &mut tx, who, parent, new).await?;
    tx.commit().await?;
    Ok(id)
}

/// [`add`] within `tx`, without asking whether the actor may.
pub async fn add_in(app: &App, tx: &mut Tx, who: &Actor, parent: &OrgId, new: &NewOrg) -> Result<OrgId, AppError> {
    let above = store::get(tx, parent).await?;
    if store::line(tx, parent).await?.0.len() >= DEPTH_MAX {
        return Err(AppError::Invalid(vec![FieldError::new("org_name", "org_deep")]));
    }
    let (name, name_en) = names(&new.name, &new.name_en)?;
    alone(tx, parent, &name, None).await?;
    let kind = if new.kind == OrgKind::Division { OrgKind::Territory } else { new.kind };
    let id = OrgId(format!("org-{}", keys::random_word(10)));
    let org = Org { id: id.clone(), name, name_en, kind, parent: Some(parent.clone()), region: above.region, sample: false };
    store::insert_many(tx, std::slice::from_ref(&org)).await?;
    log(app, tx, &who.log_name(), "org.added", &id.0, "ok").await?;
    Ok(id)
}

/// Changes the names of an organisation that was read in `version`. Divisions keep theirs: they are facts with a source.
///
/// May: its stewards. Writes: org, log.
pub async fn rename(app: &App, who: &Actor, id: &OrgId, name: &str, name_en: &str, version: i64) -> Result<(), AppError> {
    let mut tx = app.db.write().await?;
    who.may(Action::ManageMembers, Some(&store::line(&mut tx, id).await?))?;
    let org = store::get(&mut tx, id).await?;
    if org.kind == OrgKind::Division {
        return Err(AppError::Invalid(vec![FieldError::new("org_name", "division_fixed")]));
    }
    let (name, name_en) = names(name, name_en)?;
    if let Some(parent) = &org.parent {
        alone(&mut tx, parent, &name, Some(id)).await?;
    }
    store::update(&mut tx, &Org { name, name_en, ..org }, version).await?;
    log(app, &mut tx, &who.log_name(), "org.renamed", &id.0, "ok").await?;
    tx.commit().await?;
    Ok(())
}

fn names(name: &str, name_en: &str) -> Result<(String, String), AppError> {
    let (name, name_en) = (kepu_text::clean_line(name), kepu_text::clean_line(name_en));
    let mut wrong = Vec::new();
    if let Err(error) = NAME.check(kepu_text::count(&name)) {
        wrong.push(FieldError { field: "org_name".into(), ..text_error(&error) });
    }
    if kepu_text::count(&name_en) > 2 * NAME.max {
        wrong.push(FieldError::new("org_name_en", "long").with("count", kepu_text::count(&name_en)).with("max", 2 * NAME.max));
    }
    if wrong.is_empty() { Ok((name, name_en)) } else { Err(AppError::Invalid(wrong)) }
}

/// Two organisations side by side do not bear the same name.
async fn alone(tx: &mut Tx, parent: &OrgId, name: &str, except: Option<&OrgId>) -> Result<(), AppError> {
    let same = store::search_below(tx, parent, name, LIST_MAX).await?;
    let twin = |org: &Org| org.parent.as_ref() == Some(parent) && org.name == name && Some(&org.id) != except;
    if same.iter().any(twin) { Err(AppError::Invalid(vec![FieldError::new("org_name", "org_taken")])) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_division_has_its_parent() {
        let list = divisions().expect("divisions");
        assert_eq!(list.len(), 3_261);
        assert!(list.iter().filter(|o| seat(o.region).is_some()).count() > 3_000);
        let ids: std::collections::HashSet<_> = list.iter().map(|o| o.id.clone()).collect();
        assert_eq!(ids.len(), list.len());
        assert!(list.iter().all(|o| o.parent.as_ref().is_none_or(|p| ids.contains(p))));
    }
}
