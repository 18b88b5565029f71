//! Organisations: the administrative divisions that come with the program, and looking them up.

use crate::error::AppError;
use kepu_domain::ids::OrgId;
use kepu_domain::org::{Org, OrgKind, Region};
use kepu_store::{Tx, org as store};

const DIVISIONS: &str = include_str!("../../../data/geo/divisions.csv");

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
    for (at, row) in csv::Reader::from_reader(DIVISIONS.as_bytes()).into_records().enumerate() {
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
    static SEATS: std::sync::LazyLock<std::collections::HashMap<Region, (f64, f64)>> = std::sync::LazyLock::new(|| {
        let rows = csv::Reader::from_reader(DIVISIONS.as_bytes()).into_records();
        let read = |row: csv::StringRecord| Some((Region::parse(row.get(0)?).ok()?, (row.get(4)?.parse().ok()?, row.get(5)?.parse().ok()?)));
        rows.filter_map(Result::ok).filter_map(read).collect()
    });
    SEATS.get(&region).copied()
}

/// Puts the divisions into an empty store.
pub async fn seed(tx: &mut Tx) -> Result<(), AppError> {
    let mut list = divisions()?;
    // Upper levels first: a parent must be there before its children.
    list.sort_by_key(|org| org.region.chain().len());
    store::insert_many(tx, &list).await?;
    Ok(())
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
