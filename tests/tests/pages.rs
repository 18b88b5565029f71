//! Every page template looked at by the browser: accessibility in every mode and width, scripts off, keyboard alone, weight.
//! Which pages there are stands in `kepu_tests::sights`.

use anyhow::{Context, bail, ensure};
use kepu_tests::axe::Axe;
use kepu_tests::browser::{Browser, Person};
use kepu_tests::house::House;
use kepu_tests::sights::{self, Sight};

/// Widths of a desk and of the smallest phone, in px.
const WIDTHS: [i64; 2] = [1180, 320];

/// Looks at every page with somebody who may see it, and tells all that is wrong at the end.
fn each_page(look: impl Fn(&Sight, &House, &Person) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let Some(browser) = Browser::find()? else { return Ok(()) };
    let house = House::open()?;
    let mut wrong = Vec::new();
    // Whoever changes a few pages looks at those first: `KEPU_ONLY=create/round`.
    let only = std::env::var("KEPU_ONLY").unwrap_or_default();
    for (n, sight) in sights::all().iter().enumerate().filter(|(_, sight)| sight.template.contains(&only)) {
        let person = sight.person(&house, &browser)?;
        // Limits count by address; nobody is to be stopped by the ones before.
        person.comes_from(&format!("10.0.0.{n}"))?;
        if let Err(error) = look(sight, &house, &person).with_context(|| sight.name()) {
            wrong.push(format!("{error:#}"));
        }
    }
    ensure!(wrong.is_empty(), "{} pages:\n{}", wrong.len(), wrong.join("\n\n"));
    Ok(())
}

/// Accessible, not wider than the window, in its language, in these modes.
fn in_modes(modes: &[&str]) -> anyhow::Result<()> {
    let Some(axe) = Axe::find()? else { return Ok(()) };
    each_page(|sight, house, person| {
        for mode in modes {
            person.view(mode)?;
            person.width(WIDTHS[0])?;
            sight.go(house, person).with_context(|| (*mode).to_owned())?;
            for width in WIDTHS {
                person.width(width)?;
                axe.check(person, mode.contains("elder")).with_context(|| format!("{mode}, {width} px"))?;
                if let Some(over) = person.overflow()? {
                    bail!("{mode}, {width} px: {over}");
                }
                if std::env::var("KEPU_SCREENS").is_ok() {
                    person.screenshot(&format!("{}-{mode}-{width}", sight.word()))?;
                }
            }
            let bones = person.bones()?;
            let lang = if mode.starts_with("en") { "en" } else { "zh-Hans" };
            ensure!(bones.lang == lang && bones.h1 == 1 && bones.main == 1 && bones.title.contains('·'), "{mode}: {bones:?}");
            ensure!(bones.styles == 0 && bones.handlers == 0, "{mode}: styles or scripts in the page itself: {bones:?}");
            ensure!(bones.tokens.is_empty(), "{mode}: forms without {{{{ s.hidden() }}}}: {:?}", bones.tokens);
            let complaints = person.complaints();
            ensure!(complaints.is_empty(), "{mode}: the browser complains: {complaints:?}");
        }
        Ok(())
    })
}

#[test]
fn every_template_has_an_address_where_it_is_seen() -> anyhow::Result<()> {
    let sights = sights::all();
    let templates = sights::templates()?;
    let unseen: Vec<_> = templates.iter().filter(|t| !sights::PARTS.contains(&t.as_str()) && !sights.iter().any(|s| s.template == t.as_str())).collect();
    ensure!(unseen.is_empty(), "say in tests/src/sights.rs where these are seen: {unseen:?}");
    let gone: Vec<_> = sights.iter().filter(|s| !templates.iter().any(|t| t == s.template)).map(Sight::name).collect();
    ensure!(gone.is_empty(), "these templates are no more: {gone:?}");
    Ok(())
}

#[test]
fn every_page_is_accessible_in_chinese_light_and_dark() -> anyhow::Result<()> {
    in_modes(&["zh.light", "zh.dark"])
}

#[test]
fn every_page_is_accessible_in_elder_mode_and_english() -> anyhow::Result<()> {
    in_modes(&["zh.elder", "en"])
}

#[test]
fn every_page_says_the_same_without_scripts_and_is_light() -> anyhow::Result<()> {
    each_page(|sight, house, person| {
        sight.go(house, person)?;
        let with = person.words()?;
        let weight = person.weight()?;
        ensure!(weight < 50_000, "{weight} bytes without images");
        person.scripts(false)?;
        sight.go(house, person)?;
        let without = person.words()?;
        for (one, words, other) in [("with", &with, &without), ("without", &without, &with)] {
            let missing: Vec<_> = parts(words).filter(|part| !other.contains(part)).collect();
            ensure!(missing.is_empty(), "only {one} scripts the page says {missing:?}");
        }
        Ok(())
    })
}

/// What a page says, piece by piece. Clocks tick between two looks and a failure names its request, so bare numbers and ids are left out.
fn parts(words: &str) -> impl Iterator<Item = &str> {
    words.split(|c: char| c.is_whitespace() || c.is_ascii()).filter(|part| !part.is_empty())
}

#[test]
fn a_keyboard_reaches_everything_on_every_page() -> anyhow::Result<()> {
    each_page(|sight, house, person| {
        sight.go(house, person)?;
        let stops = person.stops()?;
        let mut reached = vec![false; stops.len()];
        let mut before = None;
        for n in 0..stops.len() * 2 + 20 {
            person.press("Tab")?;
            let Some(focus) = person.focus()? else { break };
            ensure!(n > 0 || focus.skip || person.address()?.contains("view=print"), "the first stop is {} and not the link over the navigation", focus.name);
            ensure!(focus.seen, "the focus on {} cannot be seen: {}", focus.name, focus.why);
            match focus.stop.as_deref().and_then(|stop| stop.parse::<usize>().ok()) {
                // Day, month and year of a date are stops of one field.
                Some(stop) if reached[stop] && before != Some(stop) => break,
                Some(stop) => {
                    reached[stop] = true;
                    before = Some(stop);
                }
                None => {}
            }
        }
        let missed: Vec<_> = stops.iter().zip(&reached).filter(|(_, reached)| !**reached).map(|(name, _)| name).collect();
        ensure!(missed.is_empty(), "Tab does not come to {missed:?}");
        Ok(())
    })
}
