//! What a node subscribes to: a place with everything above it, fields and languages.
//! How the wanted records are found and sent is in `kepu-sync` and `kepu-app::sync`.

use super::drill;
use crate::org::Region;
use crate::record::{COORDINATION, Envelope, Stream};

/// A subscription. Trust and alerts always pass: a withdrawal must travel as far as the thing did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The place; records for it and for every place above it pass.
    pub region: Region,
    /// Also records for every place below it (a province that relays to its counties).
    pub below: bool,
    /// Fields; empty = all. A record without fields passes always.
    pub fields: Vec<String>,
    /// Languages by prefix (`zh` passes `zh-Hans`); empty = all.
    pub langs: Vec<String>,
    /// Whether drills are taken too: only those who exercise ask for them.
    pub drills: bool,
    /// Whether decisions of meetings, findings of inspections and the reports about them are taken too: only those who coordinate ask for them.
    pub coordination: bool,
}

impl Scope {
    /// Everything.
    pub fn all() -> Self {
        Self { region: Region::NATION, below: true, fields: vec![], langs: vec![], drills: false, coordination: false }
    }

    /// Everything, with what only those get who ask for it.
    pub fn whole() -> Self {
        Self { drills: true, coordination: true, ..Self::all() }
    }

    /// Whether not even that is left out.
    pub fn is_whole(&self) -> bool {
        *self == Self::whole()
    }

    /// Whether nothing is left out.
    pub fn is_all(&self) -> bool {
        self.region == Region::NATION && self.below && self.fields.is_empty() && self.langs.is_empty()
    }

    /// Whether everything that passes `other` passes this one too. What a node left out because of its own scope it may
    /// call left out to a child only then; else the child lacks it.
    pub fn covers(&self, other: &Scope) -> bool {
        let inside = self.below && self.region.covers(other.region);
        let above = !other.below && other.region.covers(self.region);
        let fields = self.fields.is_empty() || (!other.fields.is_empty() && other.fields.iter().all(|f| self.fields.contains(f)));
        let langs = self.langs.is_empty() || (!other.langs.is_empty() && other.langs.iter().all(|o| self.langs.iter().any(|l| o.starts_with(l.as_str()))));
        (inside || above) && fields && langs && (self.drills || !other.drills) && (self.coordination || !other.coordination)
    }

    /// Whether a record passes.
    pub fn wants(&self, record: &Envelope) -> bool {
        match record.place.stream {
            Stream::Trust | Stream::Alert => true,
            Stream::Up => false,
            Stream::Lib => self.wants_lib(record.region, &record.fields, &record.lang),
        }
    }

    /// The rule for the library stream.
    pub fn wants_lib(&self, region: Region, fields: &[String], lang: &str) -> bool {
        if fields.iter().any(|field| field == drill::FIELD) {
            return self.drills;
        }
        let asks = fields.iter().any(|field| field == COORDINATION);
        if asks && !self.coordination {
            return false;
        }
        let here = region.covers(self.region) || (self.below && self.region.covers(region));
        let field = asks || self.fields.is_empty() || fields.is_empty() || fields.iter().any(|f| self.fields.contains(f));
        let spoken = self.langs.is_empty() || self.langs.iter().any(|l| lang.starts_with(l.as_str()));
        here && field && spoken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_county_gets_its_chain_and_its_fields() {
        let region = |code| Region::parse(code).expect("code");
        let scope = Scope { region: region("411525"), below: false, fields: vec!["health".into()], langs: vec!["zh".into()], ..Scope::all() };
        let health = vec!["health".to_owned(), "food".to_owned()];
        assert!(scope.wants_lib(Region::NATION, &health, "zh-Hans"));
        assert!(scope.wants_lib(region("410000"), &[], "zh-Hans"));
        assert!(!scope.wants_lib(region("420000"), &health, "zh-Hans"));
        assert!(!scope.wants_lib(Region::NATION, &["physics".to_owned()], "zh-Hans"));
        assert!(!scope.wants_lib(Region::NATION, &health, "en"));
        assert!(Scope::all().wants_lib(region("420100"), &health, "bo"));
    }

    #[test]
    fn drills_reach_only_those_who_ask_for_them() {
        let region = |code| Region::parse(code).expect("code");
        let drill = vec![drill::FIELD.to_owned()];
        assert!(!Scope::all().wants_lib(Region::NATION, &drill, "zh-Hans"));
        let plays = Scope { fields: vec!["health".into()], drills: true, region: region("411525"), ..Scope::all() };
        assert!(plays.wants_lib(region("410000"), &drill, "zh-Hans"));
        assert!(!Scope::all().covers(&plays) && Scope { drills: true, ..Scope::all() }.covers(&plays));
    }

    #[test]
    fn coordination_reaches_only_those_who_ask_and_whose_place_it_is_for() {
        let region = |code| Region::parse(code).expect("code");
        let asked = vec![COORDINATION.to_owned()];
        assert!(!Scope::all().wants_lib(Region::NATION, &asked, "zh-Hans"));
        let county = Scope { fields: vec!["health".into()], below: false, coordination: true, region: region("411525"), ..Scope::all() };
        assert!(county.wants_lib(region("410000"), &asked, "zh-Hans") && county.wants_lib(region("411525"), &asked, "zh-Hans"));
        assert!(!county.wants_lib(region("411503"), &asked, "zh-Hans"), "what an inspection found next door");
        assert!(!Scope::all().covers(&county) && Scope::whole().covers(&county) && Scope::whole().is_whole() && !Scope::all().is_whole());
    }

    #[test]
    fn a_scope_covers_what_it_is_wider_than() {
        let scope = |code, below, fields: &[&str], langs: &[&str]| Scope {
            region: Region::parse(code).expect("code"),
            below,
            fields: fields.iter().map(|f| (*f).to_owned()).collect(),
            langs: langs.iter().map(|l| (*l).to_owned()).collect(),
            ..Scope::all()
        };
        let all = Scope::all();
        let province = scope("410000", true, &[], &["zh"]);
        let county = scope("411525", false, &["health"], &["zh-Hans"]);
        assert!(all.is_all() && !province.is_all());
        assert!(all.covers(&province) && all.covers(&county) && province.covers(&county));
        assert!(!county.covers(&province) && !province.covers(&all));
        assert!(!province.covers(&scope("420000", false, &[], &["zh"])), "another province");
        assert!(!province.covers(&scope("411525", false, &[], &[])), "all languages are more than one");
        assert!(county.covers(&scope("410000", false, &["health"], &["zh-Hans"])), "the chain of a county holds its province's");
        assert!(!scope("411525", false, &["health"], &[]).covers(&scope("411525", false, &[], &[])));
    }
}
