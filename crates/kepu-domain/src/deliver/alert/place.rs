//! Which counties an area means: by division code, by polygon, by circle.

use super::{Area, Circle, Point};
use crate::org::Region;
use std::collections::{BTreeSet, HashMap};

/// Mean radius of the earth in kilometres (IUGG).
const EARTH_KM: f64 = 6_371.008_8;

/// A list of divisions that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("divisions, line {line}: {cause}")]
pub struct PlaceError {
    /// Line from 1.
    pub line: usize,
    /// What is wrong.
    pub cause: String,
}

/// The divisions with what lies in them and where their seats are.
#[derive(Clone, Debug, Default)]
pub struct Divisions {
    /// The counties in each division, and the division itself where there are none below it.
    inside: HashMap<Region, Vec<Region>>,
    /// Counties, and divisions without any.
    leaves: Vec<Region>,
    /// Seats of counties, by latitude.
    seats: Vec<(Point, Region)>,
}

impl Divisions {
    /// Reads CSV with the columns `adcode`, `level`, `parent`, `lng`, `lat`.
    pub fn read(text: &str) -> Result<Self, PlaceError> {
        let wrong = |line: usize, cause: String| PlaceError { line, cause };
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.trim_start_matches('\u{feff}').as_bytes());
        let head = reader.headers().map_err(|e| wrong(1, e.to_string()))?.clone();
        let column = |name: &str| head.iter().position(|h| h == name).ok_or_else(|| wrong(1, format!("column \"{name}\" is missing")));
        let [code, level, parent, lng, lat] = [column("adcode")?, column("level")?, column("parent")?, column("lng")?, column("lat")?];
        let mut rows: Vec<(Region, bool, Option<Region>)> = Vec::new();
        let mut seats = Vec::new();
        for (at, row) in reader.records().enumerate() {
            let line = at + 2;
            let row = row.map_err(|e| wrong(line, e.to_string()))?;
            let cell = |at: usize| row.get(at).unwrap_or_default();
            let region = Region::parse(cell(code)).map_err(|e| wrong(line, e.to_string()))?;
            let above = Some(cell(parent)).filter(|text| !text.is_empty()).map(Region::parse).transpose().map_err(|e| wrong(line, e.to_string()))?;
            let county = cell(level) == "county";
            rows.push((region, county, above));
            if let (true, Ok(lng), Ok(lat)) = (county, cell(lng).parse(), cell(lat).parse()) {
                seats.push((Point { lat, lng }, region));
            }
        }
        seats.sort_by(|a, b| a.0.lat.total_cmp(&b.0.lat));
        let above: HashMap<Region, Option<Region>> = rows.iter().map(|(region, _, above)| (*region, *above)).collect();
        let parents: BTreeSet<Region> = rows.iter().filter_map(|(.., above)| *above).collect();
        let mut inside: HashMap<Region, Vec<Region>> = rows.iter().map(|(region, ..)| (*region, vec![])).collect();
        let mut leaves = Vec::new();
        for (region, county, _) in &rows {
            if !county && parents.contains(region) {
                continue;
            }
            leaves.push(*region);
            let mut at = Some(*region);
            // Bounded: a list that names itself as its own parent ends.
            for _ in 0..8 {
                let Some(here) = at else { break };
                inside.entry(here).or_default().push(*region);
                at = above.get(&here).copied().flatten();
            }
        }
        Ok(Self { inside, leaves, seats })
    }

    /// The fewest codes of divisions that mean these counties and no other: a prefecture or province all of whose counties are among them stands for them.
    pub fn gather(&self, counties: &BTreeSet<Region>) -> Vec<Region> {
        let mut whole: HashMap<Region, (usize, usize)> = HashMap::new();
        for leaf in &self.leaves {
            let is_in = usize::from(counties.contains(leaf));
            for above in leaf.chain() {
                let sums = whole.entry(above).or_default();
                *sums = (sums.0 + 1, sums.1 + is_in);
            }
        }
        let full = |region: &Region| whole.get(region).is_some_and(|(all, have)| all == have);
        counties.iter().map(|county| county.chain().into_iter().find(full).unwrap_or(*county)).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Adds the counties of an area; codes that are no division go to `unknown`.
    pub fn find(&self, area: &Area, targets: &mut BTreeSet<Region>, unknown: &mut BTreeSet<String>) {
        for (name, value) in &area.geocodes {
            if !name.replace(' ', "").starts_with("GB/T2260") {
                continue;
            }
            match Region::parse(value).ok().and_then(|region| self.inside.get(&region)) {
                Some(list) => targets.extend(list),
                None => drop(unknown.insert(value.clone())),
            }
        }
        for polygon in &area.polygons {
            self.in_polygon(polygon, targets);
        }
        for circle in &area.circles {
            self.in_circle(circle, targets);
        }
    }

    /// Seats between two latitudes.
    fn between(&self, south: f64, north: f64) -> &[(Point, Region)] {
        let from = self.seats.partition_point(|(at, _)| at.lat < south);
        let to = self.seats.partition_point(|(at, _)| at.lat <= north);
        self.seats.get(from..to).unwrap_or_default()
    }

    fn in_polygon(&self, polygon: &[Point], targets: &mut BTreeSet<Region>) {
        let fold = |pick: fn(&Point) -> f64, best: fn(f64, f64) -> f64| polygon.iter().map(pick).reduce(best).unwrap_or_default();
        let (south, north) = (fold(|p| p.lat, f64::min), fold(|p| p.lat, f64::max));
        let (west, east) = (fold(|p| p.lng, f64::min), fold(|p| p.lng, f64::max));
        let near = self.between(south, north).iter().filter(|(at, _)| (west..=east).contains(&at.lng));
        targets.extend(near.filter(|(at, _)| holds(polygon, *at)).map(|(_, region)| *region));
    }

    fn in_circle(&self, circle: &Circle, targets: &mut BTreeSet<Region>) {
        // A little wider than the radius, so that rounding loses nobody.
        let degrees = (circle.km / EARTH_KM).to_degrees() * 1.000_001 + 1e-9;
        let near = self.between(circle.at.lat - degrees, circle.at.lat + degrees).iter();
        targets.extend(near.filter(|(at, _)| kilometres(circle.at, *at) <= circle.km).map(|(_, region)| *region));
    }
}

/// Great-circle distance (haversine).
fn kilometres(a: Point, b: Point) -> f64 {
    let (lat, lng) = ((b.lat - a.lat).to_radians(), (b.lng - a.lng).to_radians());
    let h = (lat / 2.0).sin().powi(2) + a.lat.to_radians().cos() * b.lat.to_radians().cos() * (lng / 2.0).sin().powi(2);
    2.0 * EARTH_KM * h.sqrt().min(1.0).asin()
}

/// Whether a point lies in a closed polygon or on its edge; edges are straight in degrees, as maps of warnings draw them. For one that
/// crosses itself, what a ray crosses an odd number of times is inside.
fn holds(polygon: &[Point], at: Point) -> bool {
    let mut inside = false;
    for edge in polygon.windows(2) {
        let (a, b) = (edge[0], edge[1]);
        let cross = (b.lng - a.lng) * (at.lat - a.lat) - (b.lat - a.lat) * (at.lng - a.lng);
        let within = |p: f64, q: f64, x: f64| (p.min(q)..=p.max(q)).contains(&x);
        if cross.abs() < 1e-12 && within(a.lng, b.lng, at.lng) && within(a.lat, b.lat, at.lat) {
            return true;
        }
        if (a.lat > at.lat) != (b.lat > at.lat) && at.lng < (b.lng - a.lng) * (at.lat - a.lat) / (b.lat - a.lat) + a.lng {
            inside = !inside;
        }
    }
    inside
}
