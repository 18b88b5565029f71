//! Talent data: who works in science communication, by field, place, role and age, as aggregates only. Small cells are hidden
//! together with as many others as are needed so that no sum gives one away. Which entries are counted is in `kepu-app`.

use std::collections::BTreeMap;

/// A cell that stands for fewer people than this is hidden.
pub const LEAST: u32 = 5;
/// The age at which people are taken to leave.
pub const LEAVING_AGE: i64 = 60;
/// Years ahead of the forecast.
pub const AHEAD: i64 = 5;

/// One number of a table as it may be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// As counted.
    Count(u32),
    /// Hidden: it, or another one that it would give away, stands for fewer than [`LEAST`] people.
    Hidden,
}

/// The cells of parts that add up to a published total, with small ones hidden.
///
/// Every hidden cell shares its secret: at least two are hidden, and together they stand for [`LEAST`] people or more, so that
/// total minus the others gives no single one. The smallest go first. Zero is no secret. `None` instead of the total means that
/// even the total would give a cell away.
pub fn protect(parts: &[u32]) -> (Vec<Cell>, Option<u32>) {
    let total: u32 = parts.iter().sum();
    let small = |n: u32| n > 0 && n < LEAST;
    let mut hidden: Vec<bool> = parts.iter().map(|n| small(*n)).collect();
    if total < LEAST {
        let none = total == 0;
        return (parts.iter().map(|n| if *n == 0 && none { Cell::Count(0) } else { Cell::Hidden }).collect(), none.then_some(0));
    }
    let mut total_shown = true;
    while hidden.iter().any(|h| *h) {
        let (count, sum) = hidden.iter().zip(parts).filter(|(h, _)| **h).fold((0, 0), |(count, sum), (_, n)| (count + 1, sum + n));
        if count >= 2 && sum >= LEAST {
            break;
        }
        let next = (0..parts.len()).filter(|at| !hidden[*at] && parts[*at] > 0).min_by_key(|at| (parts[*at], *at));
        match next {
            Some(at) => hidden[at] = true,
            None => {
                total_shown = false;
                break;
            }
        }
    }
    let cells = parts.iter().zip(&hidden).map(|(n, hidden)| if *hidden { Cell::Hidden } else { Cell::Count(*n) }).collect();
    (cells, total_shown.then_some(total))
}

/// One cell that no sum contains.
pub fn alone(n: u32) -> Cell {
    if n > 0 && n < LEAST { Cell::Hidden } else { Cell::Count(n) }
}

/// What is counted of one person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Fields of proved competence.
    pub fields: Vec<String>,
    /// Which part of the country: the id of one row of the table of places; empty: not said.
    pub place: String,
    /// The county, if it is known.
    pub county: Option<String>,
    /// Registers that hold them.
    pub roles: Vec<String>,
    /// Age in years; none: not said.
    pub age: Option<i64>,
    /// Tasks a month at most; 0 if none can be asked.
    pub ceiling: i64,
    /// Tasks of the last 30 days and open ones.
    pub load: i64,
}

/// Age bands by their first year; the last is open, the first begins at 0.
pub const BANDS: [i64; 6] = [0, 30, 40, 50, 60, 70];

fn band(age: i64) -> usize {
    BANDS.iter().rposition(|from| age >= *from).unwrap_or(0)
}

/// A table whose rows add up to everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Row ids in order; the last is `""`: not said.
    pub rows: Vec<(String, Cell)>,
    /// Everybody, if that gives nothing away.
    pub total: Option<u32>,
}

fn table(ids: Vec<String>, counts: &BTreeMap<String, u32>) -> Table {
    let parts: Vec<u32> = ids.iter().map(|id| counts.get(id).copied().unwrap_or(0)).collect();
    let (cells, total) = protect(&parts);
    Table { rows: ids.into_iter().zip(cells).collect(), total }
}

/// What is said about one field or role.
#[derive(Clone, Debug, PartialEq)]
pub struct Supply {
    /// Field or register.
    pub id: String,
    /// People.
    pub people: Cell,
    /// Counties with at least one of them. Which ones is not said.
    pub counties: usize,
    /// Tasks a month that they take at most; none if the people are hidden.
    pub capacity: Option<i64>,
    /// Tasks of the last 30 days.
    pub load: Option<i64>,
    /// How it may stand in [`AHEAD`] years; none where numbers are too small to say.
    pub ahead: Option<Ahead>,
}

/// A forecast: what stays of the people and the capacity when nobody new comes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ahead {
    /// Share of the capacity that stays if everybody whose age is not known stays.
    pub most: f64,
    /// The same if all of those leave.
    pub least: f64,
    /// Whether today's load would pass what stays, at most and at least: `(surely, perhaps)`.
    pub short: (bool, bool),
}

/// The tables.
#[derive(Clone, Debug, PartialEq)]
pub struct Talent {
    /// By place.
    pub places: Table,
    /// By age band.
    pub ages: Table,
    /// By field; a person counts in each of their fields.
    pub fields: Vec<Supply>,
    /// By register; a person counts in each.
    pub roles: Vec<Supply>,
    /// Fields by place, each row adding up to the field's people.
    pub fields_by_place: Vec<(String, Vec<Cell>)>,
}

/// Counts `people`. `places`, `fields` and `roles` are the rows wanted, in order.
pub fn count(people: &[Person], places: &[String], fields: &[String], roles: &[String]) -> Talent {
    let mut by_place: BTreeMap<String, u32> = BTreeMap::new();
    let mut by_band: BTreeMap<String, u32> = BTreeMap::new();
    for person in people {
        *by_place.entry(person.place.clone()).or_default() += 1;
        *by_band.entry(person.age.map_or_else(String::new, |age| BANDS[band(age)].to_string())).or_default() += 1;
    }
    let with_rest = |ids: &[String]| ids.iter().cloned().chain([String::new()]).collect::<Vec<_>>();
    let has = |id: &String| people.iter().filter(|p| p.fields.contains(id)).collect::<Vec<_>>();
    let matrix = fields.iter().map(|id| {
        let held = has(id);
        let parts: Vec<u32> = with_rest(places).iter().map(|place| held.iter().filter(|p| p.place == *place).count() as u32).collect();
        (id.clone(), protect(&parts).0)
    });
    Talent {
        places: table(with_rest(places), &by_place),
        ages: table(with_rest(&BANDS.map(|from| from.to_string())), &by_band),
        fields_by_place: matrix.collect(),
        fields: fields.iter().map(|id| supply(id, &has(id))).collect(),
        roles: roles.iter().map(|id| supply(id, &people.iter().filter(|p| p.roles.contains(id)).collect::<Vec<_>>())).collect(),
    }
}

fn supply(id: &str, people: &[&Person]) -> Supply {
    let cell = alone(people.len() as u32);
    let open = cell != Cell::Hidden && !people.is_empty();
    let capacity: i64 = people.iter().map(|p| p.ceiling).sum();
    let load: i64 = people.iter().map(|p| p.load).sum();
    let mut counties: Vec<&String> = people.iter().filter_map(|p| p.county.as_ref()).collect();
    counties.sort_unstable();
    counties.dedup();
    Supply {
        id: id.to_owned(),
        people: cell,
        // The number of counties says no more than the number of people does, so it is hidden with it.
        counties: if open { counties.len() } else { 0 },
        capacity: open.then_some(capacity),
        load: open.then_some(load),
        ahead: if open { ahead(people, capacity, load) } else { None },
    }
}

fn ahead(people: &[&Person], capacity: i64, load: i64) -> Option<Ahead> {
    let leaves = |p: &&&Person| p.age.is_some_and(|age| age + AHEAD >= LEAVING_AGE);
    let going = people.iter().filter(leaves).count() as u32;
    let unknown = people.iter().filter(|p| p.age.is_none()).count() as u32;
    let staying = people.len() as u32 - going - unknown;
    // A share of capacity would give away who leaves if few do, and who stays if few do.
    if capacity == 0 || [going, unknown, staying].into_iter().any(|n| n > 0 && n < LEAST) {
        return None;
    }
    let sum = |keep: &dyn Fn(&&&Person) -> bool| people.iter().filter(keep).map(|p| p.ceiling).sum::<i64>();
    let most = capacity - sum(&leaves);
    let least = most - sum(&|p: &&&Person| p.age.is_none());
    Some(Ahead { most: most as f64 / capacity as f64, least: least as f64 / capacity as f64, short: (load > most, load > least) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Cell::{Count, Hidden};
    use proptest::prelude::*;

    #[test]
    fn one_small_cell_takes_another_with_it() {
        assert_eq!(protect(&[3, 40, 12]), (vec![Hidden, Count(40), Hidden], Some(55)));
        assert_eq!(protect(&[1, 1, 40, 12]), (vec![Hidden, Hidden, Count(40), Hidden], Some(54)));
        assert_eq!(protect(&[4, 4, 40]), (vec![Hidden, Hidden, Count(40)], Some(48)));
        assert_eq!(protect(&[0, 40, 12]), (vec![Count(0), Count(40), Count(12)], Some(52)));
        assert_eq!(protect(&[3, 0]), (vec![Hidden, Hidden], None));
        assert_eq!(protect(&[0, 0]), (vec![Count(0), Count(0)], Some(0)));
        assert_eq!(protect(&[2, 4, 0]).1, Some(6));
    }

    proptest! {
        #[test]
        fn no_sum_gives_a_small_cell_away(parts in prop::collection::vec(0_u32..30, 1..12)) {
            let (cells, total) = protect(&parts);
            let hidden: Vec<u32> = cells.iter().zip(&parts).filter(|(c, _)| **c == Hidden).map(|(_, n)| *n).collect();
            for (cell, n) in cells.iter().zip(&parts) {
                prop_assert!(*cell == Hidden || *n == 0 || *n >= LEAST);
            }
            if total.is_some() && !hidden.is_empty() {
                // What can be computed is the sum of the hidden ones: of two or more, and not small itself.
                prop_assert!(hidden.len() >= 2 && hidden.iter().sum::<u32>() >= LEAST);
            }
        }
    }

    fn person(field: &str, place: &str, age: Option<i64>, ceiling: i64, load: i64) -> Person {
        Person { fields: vec![field.into()], place: place.into(), county: Some(place.into()), roles: vec!["experts".into()], age, ceiling, load }
    }

    #[test]
    fn a_field_whose_people_leave_is_announced_with_its_doubt() {
        let mut people: Vec<Person> = (0..6).map(|_| person("food", "a", Some(57), 4, 2)).collect();
        people.extend((0..6).map(|_| person("food", "b", Some(40), 4, 2)));
        people.extend((0..5).map(|_| person("food", "b", None, 4, 2)));
        people.extend((0..3).map(|_| person("physics", "a", Some(40), 4, 0)));
        let found = count(&people, &["a".into(), "b".into()], &["food".into(), "physics".into(), "math".into()], &["experts".into()]);
        let food = &found.fields[0];
        assert_eq!((food.people, food.counties, food.capacity, food.load), (Count(17), 2, Some(68), Some(34)));
        let ahead = food.ahead.expect("enough people");
        assert!((ahead.most - 44.0 / 68.0).abs() < 1e-9 && (ahead.least - 24.0 / 68.0).abs() < 1e-9 && ahead.short == (false, true), "{ahead:?}");
        assert_eq!((found.fields[1].people, found.fields[1].capacity, found.fields[1].counties), (Hidden, None, 0));
        assert_eq!(found.fields[2].people, Count(0));
        assert_eq!(found.places.total, Some(20));
        assert_eq!(found.fields_by_place[1].1, [Hidden, Hidden, Hidden]);
        assert_eq!(found.ages.rows.iter().filter(|(_, cell)| *cell == Hidden).count(), 0, "{:?}", found.ages);
    }
}
