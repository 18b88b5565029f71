//! The definitions in force: registers, kinds of rounds, criteria sets, scoring schemes. Those built into the program, and beside
//! them the files of this node in `definitions/` of its data folder, read again when one changes. A file with a mistake is
//! named with its line and changes nothing: what it said before stays in force.

use crate::App;
use kepu_domain::create::criteria::CriteriaSet;
use kepu_domain::create::lane::{self, Lanes};
use kepu_domain::create::register::{self, Registers};
use kepu_domain::create::round::{self, RoundKind};
use kepu_domain::definition::{File, Mistake};
use kepu_domain::deliver::{guide, pack, plan};
use kepu_domain::listen::{returns, worth};
use kepu_domain::measure::scoring::Scheme;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

/// Largest definition file, in bytes.
const BYTES_MAX: u64 = 256 * 1024;
/// Most files of a node.
const FILES_MAX: usize = 500;
/// How often the folder is looked at, at most.
const LOOK: Duration = Duration::from_secs(1);

const CRITERIA: [File<'static>; 3] = [
    File { name: "base-district.json", text: include_str!("../../../data/criteria/base-district.json") },
    File { name: "base-province.json", text: include_str!("../../../data/criteria/base-province.json") },
    File { name: "base-nation.json", text: include_str!("../../../data/criteria/base-nation.json") },
];
const SCHEMES: [File<'static>; 3] = [
    File { name: "title-review.json", text: include_str!("../../../data/scoring/title-review.json") },
    File { name: "volunteer-stars.json", text: include_str!("../../../data/scoring/volunteer-stars.json") },
    File { name: "annual-appraisal.json", text: include_str!("../../../data/scoring/annual-appraisal.json") },
];

/// Definitions in force.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    /// Kinds of parties, registers, purposes of consent.
    pub registers: Registers,
    /// Kinds of rounds by id.
    pub rounds: BTreeMap<String, RoundKind>,
    /// Criteria sets by id.
    pub criteria: BTreeMap<String, CriteriaSet>,
    /// Scoring schemes by id.
    pub schemes: BTreeMap<String, Scheme>,
    /// What packs hold and who gets how many.
    pub packs: pack::Rules,
    /// What is asked of a text before it may be public.
    pub lanes: Lanes,
    /// Which hazards bring which, for the cards beside warnings.
    pub guidance: guide::Rules,
    /// Plans for emergencies by id.
    pub plans: BTreeMap<String, plan::Plan>,
    /// When listening does something by itself, and what is looked at first.
    pub listen: worth::Policy,
    /// Which rumours return when.
    pub returns: returns::Returns,
    /// What is wrong with files of this node.
    pub mistakes: Vec<Mistake>,
}

/// Path inside `definitions/`, time of change, size.
type Print = Vec<(String, Option<SystemTime>, u64)>;

/// What [`App`] keeps of its folder.
#[derive(Debug, Default)]
pub struct Kept(Mutex<Option<Held>>);

#[derive(Debug)]
struct Held {
    looked: Instant,
    print: Print,
    /// The last text of each file that had no mistake.
    good: BTreeMap<String, String>,
    definitions: Arc<Definitions>,
}

impl App {
    /// The definitions in force now.
    pub fn definitions(&self) -> Arc<Definitions> {
        let mut slot = match self.definitions.0.lock() {
            Ok(slot) => slot,
            Err(poisoned) => poisoned.into_inner(),
        };
        let folder = self.data.join("definitions");
        if let Some(held) = slot.as_mut() {
            if held.looked.elapsed() < LOOK {
                return held.definitions.clone();
            }
            held.looked = Instant::now();
        }
        let print = look(&folder);
        if let Some(held) = slot.as_ref().filter(|held| held.print == print) {
            return held.definitions.clone();
        }
        let good = slot.take().map(|held| held.good).unwrap_or_default();
        let held = load(&folder, print, good);
        for mistake in &held.definitions.mistakes {
            tracing::warn!(%mistake, "a definition was not taken");
        }
        slot.insert(held).definitions.clone()
    }
}

/// The JSON files of the folder and of the folders in it, in order of their paths.
fn look(folder: &Path) -> Print {
    let mut list = Vec::new();
    let mut rest = vec![(folder.to_owned(), String::new(), 0)];
    while let Some((at, inside, depth)) = rest.pop() {
        let Ok(entries) = std::fs::read_dir(&at) else { continue };
        for entry in entries.flatten() {
            let Some(name) = entry.file_name().to_str().map(|name| format!("{inside}{name}")) else { continue };
            let Ok(meta) = entry.metadata() else { continue };
            if meta.is_dir() && depth < 2 {
                rest.push((entry.path(), format!("{name}/"), depth + 1));
            } else if meta.is_file() && name.ends_with(".json") {
                list.push((name, meta.modified().ok(), meta.len()));
            }
        }
    }
    list.sort();
    list.truncate(FILES_MAX);
    list
}

fn load(folder: &Path, print: Print, mut good: BTreeMap<String, String>) -> Held {
    good.retain(|path, _| print.iter().any(|(known, ..)| known == path));
    let mut mistakes = Vec::new();
    for (path, _, size) in &print {
        let text = if *size > BYTES_MAX {
            Err(format!("larger than {BYTES_MAX} bytes"))
        } else {
            std::fs::read_to_string(folder.join(path)).map_err(|e| e.to_string())
        };
        match text {
            Err(cause) => mistakes.push(Mistake { file: path.clone(), line: 1, cause }),
            Ok(text) => {
                // Tried with everything else that is good: a register may lean on a kind in another file.
                let mut tried = good.clone();
                tried.insert(path.clone(), text);
                let found: Vec<Mistake> = build(&tried).mistakes.into_iter().filter(|m| m.file == *path).collect();
                if found.is_empty() { good = tried } else { mistakes.extend(found) }
            }
        }
    }
    let definitions = Definitions { mistakes, ..build(&good) };
    Held { looked: Instant::now(), print, good, definitions: Arc::new(definitions) }
}

/// Built-in definitions with these files; mistakes carry the files' paths.
fn build(files: &BTreeMap<String, String>) -> Definitions {
    let mut out = Definitions { registers: Registers::standard(), ..Definitions::default() };
    for file in round::built_in() {
        take(RoundKind::read(&file), &mut out.rounds, |kind| kind.id.clone(), &mut out.mistakes);
    }
    CRITERIA.iter().for_each(|file| take(CriteriaSet::read(file), &mut out.criteria, |set| set.id.clone(), &mut out.mistakes));
    SCHEMES.iter().for_each(|file| take(Scheme::read(file), &mut out.schemes, |scheme| scheme.id.clone(), &mut out.mistakes));
    plan::BUILT_IN.iter().for_each(|file| take(plan::Plan::read(file), &mut out.plans, |plan| plan.id.clone(), &mut out.mistakes));
    // Consents and kinds before the registers that lean on them.
    let order = |path: &str| u8::from(path != "registers/consents.json") + u8::from(!path.starts_with("registers/kinds/"));
    let mut sorted: Vec<(&String, &String)> = files.iter().collect();
    sorted.sort_by_key(|(path, _)| (order(path), *path));
    for (path, text) in sorted {
        let file = File { name: path, text };
        if let Some(name) = path.strip_prefix("registers/") {
            let (registers, found) = std::mem::take(&mut out.registers).with(&[File { name, text }]);
            out.registers = registers;
            out.mistakes.extend(found.into_iter().map(|m| Mistake { file: path.clone(), ..m }));
        } else if path.starts_with("rounds/") {
            take(RoundKind::read(&file), &mut out.rounds, |kind| kind.id.clone(), &mut out.mistakes);
        } else if path.starts_with("criteria/") {
            take(CriteriaSet::read(&file), &mut out.criteria, |set| set.id.clone(), &mut out.mistakes);
        } else if path.starts_with("scoring/") {
            take(Scheme::read(&file), &mut out.schemes, |scheme| scheme.id.clone(), &mut out.mistakes);
        } else if path.starts_with("packs/") {
            out.mistakes.extend(out.packs.take(&file).err());
        } else if path.starts_with("lanes/") {
            out.mistakes.extend(out.lanes.take(&file).err().unwrap_or_default());
        } else if path.starts_with("plans/") {
            take(plan::Plan::read(&file), &mut out.plans, |plan| plan.id.clone(), &mut out.mistakes);
        } else if path == "policy/guidance.json" {
            match guide::Rules::read(&file) {
                Ok(rules) => out.guidance = rules,
                Err(mistake) => out.mistakes.push(mistake),
            }
        } else if path == "policy/listen.json" {
            match worth::Policy::read(&file) {
                Ok(policy) => out.listen = policy,
                Err(mistake) => out.mistakes.push(mistake),
            }
        } else if path == "policy/returns.json" {
            match returns::Returns::read(&file) {
                Ok(returns) => out.returns = returns,
                Err(mistake) => out.mistakes.push(mistake),
            }
        } else {
            let cause =
                "definitions stand in registers/, registers/kinds/, rounds/, criteria/, scoring/, lanes/, packs/ or plans/, or are policy/listen.json, policy/returns.json or policy/guidance.json"
                    .into();
            out.mistakes.push(Mistake { file: path.clone(), line: 1, cause });
        }
    }
    out
}

fn take<T>(read: Result<T, Vec<Mistake>>, into: &mut BTreeMap<String, T>, id: impl Fn(&T) -> String, mistakes: &mut Vec<Mistake>) {
    match read {
        Ok(definition) => drop(into.insert(id(&definition), definition)),
        Err(found) => mistakes.extend(found),
    }
}

/// Where a definition file comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Built into the program.
    Program,
    /// A file of this node that is in force.
    Node,
}

/// The files in force: the built-in ones, then those of this node, which may take the place of a built-in one.
pub fn sources(app: &App) -> Vec<(String, Source)> {
    app.definitions();
    let slot = match app.definitions.0.lock() {
        Ok(slot) => slot,
        Err(poisoned) => poisoned.into_inner(),
    };
    let registers = register::built_in().into_iter().map(|file| format!("registers/{}", file.name));
    let rounds = round::built_in().into_iter().map(|file| format!("rounds/{}", file.name));
    let criteria = CRITERIA.iter().map(|file| format!("criteria/{}", file.name));
    let schemes = SCHEMES.iter().map(|file| format!("scoring/{}", file.name));
    let packs = pack::BUILT_IN.iter().map(|file| format!("packs/{}", file.name));
    let lanes = lane::BUILT_IN.iter().map(|file| format!("lanes/{}", file.name));
    let plans = plan::BUILT_IN.iter().map(|file| format!("plans/{}", file.name));
    let policies = [worth::BUILT_IN, returns::BUILT_IN, guide::BUILT_IN].map(|file| format!("policy/{}", file.name));
    let own = slot.iter().flat_map(|held| held.good.keys().cloned());
    let texts = registers.chain(rounds).chain(criteria).chain(schemes).chain(packs).chain(lanes).chain(plans).chain(policies);
    let built_in = texts.map(|name| (name, Source::Program));
    built_in.chain(own.map(|name| (name, Source::Node))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUCKS: &str = r#"{"id": "planetarium-trucks", "zh": "流动天文车", "en": "Planetarium trucks", "kinds": ["facility"], "entered": true,
        "fields": [{"id": "dome_m", "zh": "球幕直径", "en": "Dome", "type": "decimal", "public": "card"}], "columns": ["name", "dome_m"]}"#;

    fn held(folder: &Path, good: BTreeMap<String, String>) -> Held {
        load(folder, look(folder), good)
    }

    #[test]
    fn a_new_register_is_a_file_and_a_mistake_leaves_the_old_one_in_force() {
        let folder = tempfile::tempdir().expect("folder");
        let at = folder.path();
        assert!(held(at, BTreeMap::new()).definitions.mistakes.is_empty());
        std::fs::create_dir_all(at.join("registers")).expect("folder");
        std::fs::write(at.join("registers/planetarium-trucks.json"), TRUCKS).expect("file");
        let first = held(at, BTreeMap::new());
        assert_eq!(first.definitions.mistakes, []);
        assert!(first.definitions.registers.registers.contains_key("planetarium-trucks"));
        std::fs::write(at.join("registers/planetarium-trucks.json"), TRUCKS.replace("\"name\", \"dome_m\"", "\"name\",\n \"wheels\"")).expect("file");
        let second = held(at, first.good);
        assert_eq!(second.definitions.mistakes.iter().map(|m| (m.file.as_str(), m.line)).collect::<Vec<_>>(), [("registers/planetarium-trucks.json", 3)]);
        assert!(second.definitions.registers.registers.contains_key("planetarium-trucks"), "what it said before stays in force");
        std::fs::remove_file(at.join("registers/planetarium-trucks.json")).expect("removed");
        assert!(!held(at, second.good).definitions.registers.registers.contains_key("planetarium-trucks"));
    }

    #[test]
    fn rounds_criteria_and_schemes_are_files_too() {
        let folder = tempfile::tempdir().expect("folder");
        for (path, text) in [
            ("rounds/a.json", r#"{"id": "a", "zh": "奖", "en": "A", "applicants": ["person"], "publicity_days": 3, "honour_zh": "奖", "honour_en": "A"}"#),
            ("criteria/c.json", r#"{"id": "c", "version": 1, "zh": "甲", "en": "C", "level": "county", "source": "s", "items": []}"#),
            ("scoring/s.json", r#"{"id": "s", "version": 1, "zh": "甲", "en": "S", "source": "s", "rules": []}"#),
            ("elsewhere.json", "{}"),
        ] {
            let at = folder.path().join(path);
            std::fs::create_dir_all(at.parent().expect("parent")).expect("folder");
            std::fs::write(at, text).expect("file");
        }
        let held = held(folder.path(), BTreeMap::new());
        let found = &held.definitions;
        assert!(found.rounds.contains_key("a") && found.criteria.contains_key("c") && found.schemes.contains_key("s"), "{:?}", found.mistakes);
        assert_eq!(found.mistakes.iter().map(|m| m.file.as_str()).collect::<Vec<_>>(), ["elsewhere.json"]);
        assert!(found.rounds.len() > 5);
    }
}
