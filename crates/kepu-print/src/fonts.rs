//! Which fonts there are, which of them shows which character, and what to install when none does.
//!
//! Looked for in the folders named by `KEPU_FONTS` (separated as in `PATH`) and where the system keeps fonts.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use typst::foundations::Bytes;
use typst::text::{Font, FontBook, FontInfo, FontStretch, FontStyle, FontVariant, FontWeight, is_default_ignorable};
use typst::utils::LazyHash;
use unicode_segmentation::UnicodeSegmentation;

/// How a text is set: what the templates call by the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Face {
    /// Titles and names: serif, bold.
    Title,
    /// Names in rare characters: serif, regular, because fonts with those have no bold.
    Plain,
    /// Everything else: sans, regular.
    Text,
    /// Heads of tables, headings: sans, bold.
    Strong,
}

const SERIF: &[&str] = &["Noto Serif CJK SC", "Source Han Serif SC", "Source Han Serif CN", "Songti SC", "SimSun"];
const SANS: &[&str] = &["Noto Sans CJK SC", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC", "Microsoft YaHei"];
/// Scripts of the nation's other languages, then rare Han characters; sungti and mincho shapes before others.
const OTHERS: &[&str] = &[
    "Noto Naskh Arabic",
    "Noto Sans Arabic",
    "Noto Serif Tibetan",
    "Noto Sans Mongolian",
    "Noto Sans Yi",
    "HanaMinA",
    "HanaMinB",
    "TW-Sung-Ext-B",
    "SimSun-ExtB",
    "SimSun-ExtG",
    "BabelStone Han",
    "Plangothic P1",
    "Plangothic P2",
];
/// Fonts that cover everything with signs that say nothing.
const BOXES: &[&str] = &["LastResort", "Last Resort", "Last Resort High-Efficiency", "Unifont Sample", "Adobe Blank", "Adobe NotDef"];

impl Face {
    fn variant(self) -> FontVariant {
        let weight = if matches!(self, Face::Text | Face::Plain) { FontWeight::REGULAR } else { FontWeight::BOLD };
        FontVariant::new(FontStyle::Normal, weight, FontStretch::NORMAL)
    }

    fn families(self) -> impl Iterator<Item = &'static str> {
        let (first, second) = if matches!(self, Face::Title | Face::Plain) { (SERIF, SANS) } else { (SANS, SERIF) };
        first.iter().chain(second).chain(OTHERS).copied()
    }
}

/// A font in a file: path, place in a collection, what it says about itself.
struct Found {
    path: PathBuf,
    index: u32,
    info: FontInfo,
}

/// A piece of text in one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// Family.
    pub family: String,
    /// Text.
    pub text: String,
}

/// The fonts of this machine.
pub(crate) struct Fonts {
    book: LazyHash<FontBook>,
    /// In the order of the book.
    files: Vec<(PathBuf, u32)>,
    /// Loaded when first set, kept for the next page.
    loaded: Vec<OnceLock<Option<Font>>>,
}

static SYSTEM: Mutex<Option<Arc<Fonts>>> = Mutex::new(None);

/// The fonts as they were found last.
pub(crate) fn system() -> Arc<Fonts> {
    // A panic elsewhere cannot leave the option half written.
    let mut kept = SYSTEM.lock().unwrap_or_else(PoisonError::into_inner);
    kept.get_or_insert_with(|| Arc::new(Fonts::look_up())).clone()
}

/// Looks again; `None` if nothing changed.
pub(crate) fn look_up_again() -> Option<Arc<Fonts>> {
    let fresh = Fonts::look_up();
    let mut kept = SYSTEM.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.as_ref().is_some_and(|old| old.files == fresh.files) {
        return None;
    }
    Some(kept.insert(Arc::new(fresh)).clone())
}

impl Fonts {
    fn look_up() -> Self {
        let own = std::env::var_os("KEPU_FONTS").map(|list| std::env::split_paths(&list).collect::<Vec<_>>()).unwrap_or_default();
        let system = found(|database| database.load_system_fonts());
        // First come first served within a family: one's own folders go before the system's.
        Self::collect(own.into_iter().map(|folder| found(|database| database.load_fonts_dir(folder))).chain([system]))
    }

    /// The same fonts for whoever draws: faces are found in the files, nothing is read before it is used.
    pub(crate) fn database(&self) -> fontdb::Database {
        let mut database = fontdb::Database::new();
        let mut last = None;
        for (path, _) in &self.files {
            // A collection stands in the list once for each of its faces.
            if last != Some(path) && database.load_font_file(path).is_ok() {
                last = Some(path);
            }
        }
        database
    }

    /// Only the fonts below these folders.
    #[cfg(test)]
    pub(crate) fn of_folders(folders: &[&std::path::Path]) -> Self {
        Self::collect(folders.iter().map(|folder| found(|database| database.load_fonts_dir(folder))))
    }

    fn collect(places: impl Iterator<Item = Vec<Found>>) -> Self {
        let mut seen = BTreeSet::new();
        let found: Vec<Found> = places.flatten().filter(|one| seen.insert((one.path.clone(), one.index))).collect();
        let files: Vec<_> = found.iter().map(|one| (one.path.clone(), one.index)).collect();
        let loaded = files.iter().map(|_| OnceLock::new()).collect();
        Self { book: LazyHash::new(FontBook::from_infos(found.into_iter().map(|one| one.info))), files, loaded }
    }

    /// What the typesetter knows about them.
    pub(crate) fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    /// One of them.
    pub(crate) fn font(&self, index: usize) -> Option<Font> {
        self.loaded.get(index)?.get_or_init(|| self.load(index)).clone()
    }

    fn load(&self, index: usize) -> Option<Font> {
        let (path, at) = self.files.get(index)?;
        Font::new(Bytes::new(std::fs::read(path).ok()?), *at)
    }

    /// Families in the order in which they are asked.
    fn candidates(&self, face: Face) -> Vec<(String, usize)> {
        let book = self.book();
        let known = face.families().map(str::to_owned);
        let rest = book.families().map(|(name, _)| name.to_owned()).filter(|name| !face.families().any(|known| known == name));
        known.chain(rest).filter_map(|name| Some((name.clone(), book.select(&name.to_lowercase(), face.variant())?))).collect()
    }

    /// The family that is asked first: blanks between texts are set in it.
    pub(crate) fn first(&self, face: Face) -> String {
        self.candidates(face).into_iter().next().map(|(name, _)| name).unwrap_or_default()
    }

    /// Names of the families in the order in which they are asked.
    pub(crate) fn tried(&self) -> Vec<String> {
        self.candidates(Face::Title).into_iter().map(|(name, _)| name).collect()
    }

    /// Parts `text` into runs, each in a family that shows all of it. Fails with the graphemes that no family shows.
    pub(crate) fn runs(&self, text: &str, face: Face) -> Result<Vec<Run>, Vec<String>> {
        let candidates = self.candidates(face);
        let mut runs: Vec<Run> = Vec::new();
        let mut missing = Vec::new();
        for grapheme in text.graphemes(true) {
            let same = runs.last().map(|run| run.family.clone());
            // A blank stays with the word before it: breaking a run there would only lose kerning.
            let first = candidates.iter().filter(|(name, _)| grapheme == " " && Some(name) == same.as_ref());
            match first.chain(&candidates).find(|(_, index)| self.shows(*index, grapheme)) {
                Some((family, _)) => match runs.last_mut() {
                    Some(run) if run.family == *family => run.text.push_str(grapheme),
                    _ => runs.push(Run { family: family.clone(), text: grapheme.to_owned() }),
                },
                None => missing.push(grapheme.to_owned()),
            }
        }
        if missing.is_empty() { Ok(runs) } else { Err(missing) }
    }

    fn shows(&self, index: usize, grapheme: &str) -> bool {
        let Some(info) = self.book().info(index) else { return false };
        if !grapheme.chars().all(|c| is_default_ignorable(c) || info.coverage.contains(u32::from(c))) {
            return false;
        }
        let sequences = || grapheme.chars().zip(grapheme.chars().skip(1)).filter(|(base, selector)| is_han(*base) && is_selector(*selector));
        if sequences().next().is_none() {
            return true;
        }
        // A name's exact form: the default shape in its place would be another person's name. Loaded for the question only,
        // because a machine may hold many large fonts that cannot answer it.
        let Some(font) = self.load(index) else { return false };
        let face = ttf_parser::Face::parse(font.data(), font.index());
        face.is_ok_and(|face| sequences().all(|(base, selector)| face.glyph_variation_index(base, selector).is_some()))
    }

    /// What to install for these graphemes, as one sentence with the line to run.
    pub(crate) fn cure<'a>(&self, missing: impl Iterator<Item = &'a str>) -> String {
        let mut packages: Vec<&str> = Vec::new();
        let mut nowhere = false;
        for grapheme in missing {
            let wanted = packages_for(grapheme).iter().filter(|(_, family)| !self.book().contains_family(&family.to_lowercase()));
            let before = packages.len();
            packages.extend(wanted.map(|(package, _)| *package));
            nowhere |= packages.len() == before && !packages_for(grapheme).iter().any(|(package, _)| packages.contains(package));
        }
        packages.sort_unstable();
        packages.dedup();
        let own = "put a font that has it into a folder and name that folder in KEPU_FONTS";
        match (packages.is_empty(), nowhere) {
            (true, _) => format!("No Debian package known to us has it: {own}"),
            (false, false) => format!("Install: apt-get install -y {}", packages.join(" ")),
            (false, true) => format!("Install: apt-get install -y {}; where that is not enough, {own}", packages.join(" ")),
        }
    }
}

/// The fonts that `fill` brings, by path: folders list their files in no order, and pages must not depend on it.
fn found(fill: impl FnOnce(&mut fontdb::Database)) -> Vec<Found> {
    let mut database = fontdb::Database::new();
    fill(&mut database);
    let read = |face: &fontdb::FaceInfo| match &face.source {
        fontdb::Source::File(path) | fontdb::Source::SharedFile(path, _) => {
            let info = database.with_face_data(face.id, FontInfo::new)??;
            Some(Found { path: path.clone(), index: face.index, info })
        }
        fontdb::Source::Binary(_) => None,
    };
    let mut found: Vec<Found> = database.faces().filter_map(read).filter(|one| !BOXES.contains(&one.info.family.as_str())).collect();
    found.sort_by(|a, b| (&a.path, a.index).cmp(&(&b.path, b.index)));
    found
}

fn is_selector(c: char) -> bool {
    matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFD}')
}

/// Debian packages that have (most of) a block, each with a family that shows that it is installed. Counted in Debian 12:
/// hanazono has the blocks B to F whole and 29,772 variation sequences, babelstone-han 62 % of G and 54 % of H; I and later: none.
fn packages_for(grapheme: &str) -> &'static [(&'static str, &'static str)] {
    const HANAZONO: (&str, &str) = ("fonts-hanazono", "HanaMinB");
    const BABELSTONE: (&str, &str) = ("fonts-babelstone-han", "BabelStone Han");
    let base = grapheme.chars().next().unwrap_or_default();
    if is_han(base) && grapheme.chars().any(is_selector) {
        return &[HANAZONO, BABELSTONE];
    }
    match base {
        '\u{20000}'..='\u{2EBE0}' | '\u{2F800}'..='\u{2FA1F}' => &[HANAZONO],
        '\u{30000}'..='\u{323AF}' => &[BABELSTONE],
        '\u{2EBF0}'..='\u{2F7FF}' | '\u{323B0}'..='\u{3FFFD}' => &[],
        '\u{2E80}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{FF00}'..='\u{FFEF}' | '\0'..='\u{24F}' | '\u{2000}'..='\u{206F}' => {
            &[("fonts-noto-cjk", "Noto Sans CJK SC")]
        }
        '\u{1F000}'..='\u{1FAFF}' => &[("fonts-noto-color-emoji", "Noto Color Emoji")],
        _ => &[("fonts-noto-core", "Noto Sans Arabic"), ("fonts-noto-extra", "Noto Serif Tibetan")],
    }
}
