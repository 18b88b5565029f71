//! A place as people type it: a province to choose and a name inside it. Names of divisions are in `words`.

use crate::line::{Choice, choices};
use crate::page::Shell;
use crate::words::{DIVISIONS, division, divisions_below};
use kepu_app::FieldError;
use kepu_domain::org::{Org, Region};

/// The provinces to choose from; the first choice is the nation.
pub fn provinces(s: &Shell, present: &str) -> Vec<Choice> {
    let list = divisions_below(Region::NATION).into_iter().map(|org| (org.region.to_string(), org.name.clone()));
    choices(s.t("place-nation"), list, present)
}

/// Names below the province of `own`, to choose from while typing; every other place can be typed all the same.
pub fn counties(own: Region) -> Vec<String> {
    let Some(province) = own.chain().get(1).copied() else { return vec![] };
    let mut names: Vec<String> = DIVISIONS.iter().filter(|org| org.region != province && province.covers(org.region)).map(|org| org.name.clone()).collect();
    names.dedup();
    names
}

/// Province and name that [`read`] reads as this place again: the name, or the code where several places share the name.
pub fn write(region: Region) -> (String, String) {
    let chain = region.chain();
    let province = chain.get(1).copied().unwrap_or(Region::NATION);
    let code = |region: Region| if region == Region::NATION { String::new() } else { region.to_string() };
    if region == province {
        return (code(province), String::new());
    }
    let name = division(region).map(|org| org.name.clone()).unwrap_or_default();
    match read(&code(province), &name) {
        Ok(same) if same == region => (code(province), name),
        _ => (code(province), region.to_string()),
    }
}

/// The place that province and county name say. An unknown or doubtful name is an error with what to write.
pub fn read(province: &str, county: &str) -> Result<Region, FieldError> {
    let region = Region::parse(province).ok().and_then(division).map_or(Region::NATION, |org| org.region);
    let name = kepu_text::clean::clean_line(county);
    if name.is_empty() {
        return Ok(region);
    }
    if let Some(org) = Region::parse(&name).ok().and_then(division) {
        return Ok(org.region);
    }
    let inside = |org: &&Org| org.region != region && region.covers(org.region);
    let exact: Vec<_> = DIVISIONS.iter().filter(inside).filter(|org| org.name == name).collect();
    let list = if exact.is_empty() { DIVISIONS.iter().filter(inside).filter(|org| org.name.starts_with(&name)).collect() } else { exact };
    match list.as_slice() {
        [one] => Ok(one.region),
        [] => Err(FieldError::new("county", "place_unknown").with("name", &name)),
        several => {
            let names: Vec<String> = several
                .iter()
                .take(6)
                .map(|org| division(*org.region.chain().get(1).unwrap_or(&org.region)).map_or_else(String::new, |p| format!("{} {}", p.name, org.name)))
                .collect();
            Err(FieldError::new("county", "place_doubtful").with("name", &name).with("names", names.join("、")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_by_name() {
        assert_eq!(read("", "").expect("nation"), Region::NATION);
        assert_eq!(read("410000", "固始").expect("county").to_string(), "411525");
        assert_eq!(read("410000", " 固始县 ").expect("county").to_string(), "411525");
        assert_eq!(read("410000", "云岭县").expect_err("unknown").key, "place_unknown");
        assert_eq!(read("", "新城区").expect_err("several").key, "place_doubtful");
    }

    #[test]
    fn every_place_is_read_as_it_was_written() {
        for org in DIVISIONS.iter().step_by(7) {
            let (province, county) = write(org.region);
            assert_eq!(read(&province, &county).expect("place"), org.region, "{}", org.name);
        }
    }
}
