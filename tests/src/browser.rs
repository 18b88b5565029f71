//! People at a real browser: they open pages, fill forms by their labels, press what they can see, and read. The browser is
//! Debian's Chromium without a window; each [`Person`] has cookies of their own. Accessibility rules are in `axe`.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! let Some(browser) = kepu_tests::browser::Browser::find()? else { return Ok(()) };
//! let visitor = browser.person("http://127.0.0.1:8080")?;
//! visitor.open("/ask")?;
//! visitor.fill("您的问题", "隔夜菜致癌吗？")?;
//! visitor.click("提交核查")?;
//! visitor.see("核查")?;
//! # Ok(())
//! # }
//! ```

use anyhow::{Context, bail, ensure};
use chromiumoxide::cdp::browser_protocol::browser::BrowserContextId;
use chromiumoxide::cdp::browser_protocol::emulation::{SetDeviceMetricsOverrideParams, SetScriptExecutionDisabledParams};
use chromiumoxide::cdp::browser_protocol::input::{DispatchKeyEventParams, DispatchKeyEventType, InsertTextParams};
use chromiumoxide::cdp::browser_protocol::log::EventEntryAdded;
use chromiumoxide::cdp::browser_protocol::network::{CookieParam, Headers, SetExtraHttpHeadersParams};
use chromiumoxide::cdp::browser_protocol::target::{CreateBrowserContextParams, CreateTargetParams};
use chromiumoxide::cdp::js_protocol::runtime::EvaluateParams;
use chromiumoxide::detection::{DetectionOptions, default_executable};
use chromiumoxide::layout::Point;
use chromiumoxide::page::ScreenshotParams;
use chromiumoxide::{BrowserConfig, Page};
use futures::StreamExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Longest wait for a page or for words on it.
const PATIENCE: Duration = Duration::from_secs(30);
const IN_PAGE: &str = include_str!("in_page.js");
/// What the pages call an address that leads nowhere is theirs to say; the browser's own complaint about it is no fault.
const EXPECTED: &str = "Failed to load resource";

/// The browser. All tests of one process share it; it ends with the last of them.
#[derive(Clone)]
pub struct Browser(Arc<Process>);

struct Process {
    runtime: Runtime,
    browser: Mutex<chromiumoxide::Browser>,
    _profile: tempfile::TempDir,
}

impl Drop for Process {
    fn drop(&mut self) {
        let browser = self.browser.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.runtime.block_on(browser.kill());
    }
}

static SHARED: Mutex<Weak<Process>> = Mutex::new(Weak::new());

/// `None` with the reason printed, or an error where nothing may be skipped (`CI=true`).
pub fn skip<T>(reason: &str) -> anyhow::Result<Option<T>> {
    ensure!(std::env::var("CI").as_deref() != Ok("true"), "{reason}, and in CI nothing may be skipped");
    println!("skipped: {reason}");
    Ok(None)
}

impl Browser {
    /// Starts Chromium, or joins the one that another test of this process started. `None` where it is not installed.
    pub fn find() -> anyhow::Result<Option<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(process) = shared.upgrade() {
            return Ok(Some(Self(process)));
        }
        let Ok(executable) = default_executable(DetectionOptions::default()) else { return skip("Chromium is not installed") };
        let process = Arc::new(Process::start(executable)?);
        *shared = Arc::downgrade(&process);
        Ok(Some(Self(process)))
    }

    /// Somebody with empty cookies, about to visit the node at `origin`, such as `http://127.0.0.1:8080`.
    pub fn person(&self, origin: &str) -> anyhow::Result<Person> {
        Person::new(self.0.clone(), origin)
    }
}

impl Process {
    fn start(executable: PathBuf) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let profile = tempfile::Builder::new().prefix("kepu-browser-").tempdir()?;
        let mut config = BrowserConfig::builder()
            .chrome_executable(executable)
            .user_data_dir(profile.path())
            .launch_timeout(PATIENCE * 2)
            .request_timeout(PATIENCE * 2)
            .viewport(None)
            // Pages reach nothing but this machine, whatever they link to.
            .args(["disable-gpu", "lang=zh-CN", "host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]);
        if is_root() {
            config = config.no_sandbox();
        }
        let config = config.build().map_err(anyhow::Error::msg)?;
        let browser = runtime.block_on(async {
            let (browser, mut handler) = chromiumoxide::Browser::launch(config).await?;
            tokio::spawn(async move { while handler.next().await.is_some() {} });
            anyhow::Ok(browser)
        })?;
        Ok(Self { runtime, browser: Mutex::new(browser), _profile: profile })
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

/// Somebody with a window of their own. Everything waits until it is there, and says what was there instead if it never comes.
pub struct Person {
    process: Arc<Process>,
    context: BrowserContextId,
    page: Page,
    origin: Mutex<String>,
    view: Mutex<String>,
    width: Mutex<i64>,
    complaints: Arc<Mutex<Vec<String>>>,
}

impl Drop for Person {
    fn drop(&mut self) {
        let browser = self.process.browser.lock().unwrap_or_else(PoisonError::into_inner);
        // The browser ends soon anyway if this does not work.
        let _ = self.process.runtime.block_on(browser.dispose_browser_context(self.context.clone()));
    }
}

#[derive(Deserialize)]
struct Place {
    x: Option<f64>,
    y: Option<f64>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct State {
    old: bool,
    ready: bool,
}

/// What has the keyboard's focus.
#[derive(Clone, Debug, Deserialize)]
pub struct Focus {
    /// Its number, see [`Person::stops`].
    pub stop: Option<String>,
    /// Kind and name.
    pub name: String,
    /// Whether it is inside the window and marked.
    pub seen: bool,
    /// Why it cannot be seen; empty if it can.
    pub why: String,
    /// Whether it is the link over the navigation.
    pub skip: bool,
}

/// What every page must have.
#[derive(Clone, Debug, Deserialize)]
pub struct Bones {
    /// Language of the document.
    pub lang: String,
    /// Title of the document.
    pub title: String,
    /// Headings of the first level.
    pub h1: usize,
    /// Main landmarks.
    pub main: usize,
    /// Elements with a style of their own.
    pub styles: usize,
    /// Elements with script in an attribute.
    pub handlers: usize,
    /// Forms that change something and would do it twice if sent twice.
    pub tokens: Vec<String>,
}

impl Person {
    fn new(process: Arc<Process>, origin: &str) -> anyhow::Result<Self> {
        let complaints = Arc::new(Mutex::new(Vec::new()));
        let (context, page) = {
            let browser = process.browser.lock().unwrap_or_else(PoisonError::into_inner);
            process.runtime.block_on(async {
                let context = browser.create_browser_context(CreateBrowserContextParams::default()).await?;
                let mut target = CreateTargetParams::new("about:blank");
                target.browser_context_id = Some(context.clone());
                let page = browser.new_page(target).await?;
                page.enable_log().await?;
                let mut log = page.event_listener::<EventEntryAdded>().await?;
                let kept = complaints.clone();
                tokio::spawn(async move {
                    while let Some(event) = log.next().await {
                        if event.entry.level.as_ref() == "error" && !event.entry.text.starts_with(EXPECTED) {
                            kept.lock().unwrap_or_else(PoisonError::into_inner).push(event.entry.text.clone());
                        }
                    }
                });
                anyhow::Ok((context, page))
            })?
        };
        let person = Self { process, context, page, origin: Mutex::new(origin.to_owned()), view: Mutex::default(), width: Mutex::new(1180), complaints };
        person.width(1180)?;
        Ok(person)
    }

    fn wait<T>(&self, deed: impl Future<Output = chromiumoxide::error::Result<T>>) -> anyhow::Result<T> {
        Ok(self.process.runtime.block_on(deed)?)
    }

    /// Goes to another node; the next path is opened there.
    pub fn goes_to(&self, origin: &str) {
        *self.origin.lock().unwrap_or_else(PoisonError::into_inner) = origin.to_owned();
    }

    fn origin(&self) -> String {
        self.origin.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens a path, whatever the node answers.
    pub fn open(&self, path: &str) -> anyhow::Result<()> {
        self.wait(self.page.goto(format!("{}{path}", self.origin()))).with_context(|| format!("cannot open {path}"))?;
        self.arrived(false)
    }

    /// Status of the last answer.
    pub fn status(&self) -> anyhow::Result<u16> {
        self.ask("status", json!([]))
    }

    /// Path and query of this page.
    pub fn address(&self) -> anyhow::Result<String> {
        self.ask("address", json!([]))
    }

    /// All words on the page.
    pub fn words(&self) -> anyhow::Result<String> {
        self.ask("words", json!([]))
    }

    /// Writes `text` into the field with this label, id or name, in place of what stood there.
    pub fn fill(&self, field: &str, text: &str) -> anyhow::Result<()> {
        let answer: Value = self.ask("focusField", json!([field]))?;
        self.must(&answer)?;
        self.press("Backspace")?;
        self.wait(self.page.execute(InsertTextParams::new(text)))?;
        let value: Option<String> = self.ask("valueOf", json!([field]))?;
        ensure!(value.as_deref() == Some(text), "typed {text:?} into {field:?}, but it holds {value:?}");
        Ok(())
    }

    /// What the field holds.
    pub fn value(&self, field: &str) -> anyhow::Result<String> {
        self.ask::<Option<String>>("valueOf", json!([field]))?.with_context(|| format!("no field {field:?}"))
    }

    /// Chooses from a list by the word shown.
    pub fn choose(&self, field: &str, option: &str) -> anyhow::Result<()> {
        let answer: Value = self.ask("choose", json!([field, option]))?;
        self.must(&answer)
    }

    /// Ticks a box or a radio button by its label.
    pub fn tick(&self, label: &str) -> anyhow::Result<()> {
        self.mouse("tickPoint", json!([label]))
    }

    /// Presses what leads to another page: a link or the button of a form. Waits for that page.
    pub fn click(&self, name: &str) -> anyhow::Result<()> {
        self.click_by(name, "")
    }

    /// The same for one of several with this name: the one beside the words `near`.
    pub fn click_by(&self, name: &str, near: &str) -> anyhow::Result<()> {
        self.ask::<Value>("age", json!([]))?;
        self.mouse("pressable", json!([name, near]))?;
        self.arrived(true).with_context(|| format!("after pressing {name:?}"))
    }

    /// Presses the one primary action of the page, whatever its language, and waits for the next page.
    pub fn send(&self) -> anyhow::Result<()> {
        self.ask::<Value>("age", json!([]))?;
        self.mouse("primary", json!([]))?;
        self.arrived(true).context("after the primary action")
    }

    /// Presses what changes this page only.
    pub fn tap(&self, name: &str) -> anyhow::Result<()> {
        self.mouse("pressable", json!([name, ""]))
    }

    /// Presses a key, such as `Tab`, `Enter`, `Shift+Tab`.
    pub fn press(&self, key: &str) -> anyhow::Result<()> {
        let (shift, key) = key.strip_prefix("Shift+").map_or((0, key), |key| (8, key));
        let definition = chromiumoxide::keys::get_key_definition(key).with_context(|| format!("no key {key:?}"))?;
        for kind in [DispatchKeyEventType::KeyDown, DispatchKeyEventType::KeyUp] {
            let mut event = DispatchKeyEventParams::new(kind.clone());
            event.key = Some(definition.key.into());
            event.code = Some(definition.code.into());
            event.windows_virtual_key_code = Some(definition.key_code);
            event.modifiers = Some(shift);
            // Enter sends a form only if it also types.
            event.text = if kind == DispatchKeyEventType::KeyDown { definition.text.map(str::to_owned) } else { None };
            self.wait(self.page.execute(event))?;
        }
        Ok(())
    }

    /// Presses a key that leads to another page, and waits for it.
    pub fn press_to_go(&self, key: &str) -> anyhow::Result<()> {
        self.ask::<Value>("age", json!([]))?;
        self.press(key)?;
        self.arrived(true).with_context(|| format!("after the key {key}"))
    }

    /// Types into what has the focus.
    pub fn type_text(&self, text: &str) -> anyhow::Result<()> {
        self.wait(self.page.execute(InsertTextParams::new(text))).map(drop)
    }

    /// Presses Tab until the focus is on something whose name begins with `name`.
    pub fn tab_to(&self, name: &str) -> anyhow::Result<()> {
        let mut passed = Vec::new();
        for _ in 0..200 {
            self.press("Tab")?;
            let Some(focus) = self.focus()? else { continue };
            if focus.name.split_once(' ').is_some_and(|(_, word)| word.starts_with(name)) {
                ensure!(focus.seen, "the focus on {:?} cannot be seen: {}", focus.name, focus.why);
                return Ok(());
            }
            passed.push(focus.name);
        }
        bail!("Tab never came to {name:?}; it passed {passed:?}")
    }

    /// What has the focus; nothing if it is on the page as a whole.
    pub fn focus(&self) -> anyhow::Result<Option<Focus>> {
        self.ask("focus", json!([]))
    }

    /// Kind and name of everything that a keyboard must reach; the place in the list is the number in [`Focus::stop`].
    pub fn stops(&self) -> anyhow::Result<Vec<String>> {
        self.ask("numberStops", json!([]))
    }

    /// Waits until the words are on the page.
    pub fn see(&self, words: &str) -> anyhow::Result<()> {
        let wanted = words.split_whitespace().collect::<Vec<_>>().join(" ");
        let end = Instant::now() + PATIENCE / 3;
        loop {
            let there = self.words()?;
            if there.contains(&wanted) {
                return Ok(());
            }
            if Instant::now() > end {
                let there: String = there.chars().take(1_500).collect();
                bail!("{wanted:?} is not on {} ({}); there is: {there}", self.address()?, self.status()?);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Makes sure that the words are not on the page.
    pub fn not_see(&self, words: &str) -> anyhow::Result<()> {
        let there = self.words()?;
        ensure!(!there.contains(words), "{words:?} is on {}", self.address()?);
        Ok(())
    }

    /// Sets the width of the window in px.
    pub fn width(&self, px: i64) -> anyhow::Result<()> {
        *self.width.lock().unwrap_or_else(PoisonError::into_inner) = px;
        self.wait(self.page.execute(SetDeviceMetricsOverrideParams::new(px, 900, 1.0, false))).map(drop)
    }

    /// Language, elder mode and theme as the settings of the page keep them: `zh`, `en`, `zh.elder`, `zh.dark`, `en.elder.dark`.
    pub fn view(&self, words: &str) -> anyhow::Result<()> {
        *self.view.lock().unwrap_or_else(PoisonError::into_inner) = words.to_owned();
        self.cookie("kepu_view", words)
    }

    /// Takes language, elder mode and theme along to another node.
    pub fn keep_view(&self) -> anyhow::Result<()> {
        let view = self.view.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if view.is_empty() { Ok(()) } else { self.cookie("kepu_view", &view) }
    }

    /// Says that its requests come from this address; a node behind a proxy believes it.
    pub fn comes_from(&self, address: &str) -> anyhow::Result<()> {
        let headers = Headers::new(json!({"X-Forwarded-For": address}));
        self.wait(self.page.execute(SetExtraHttpHeadersParams::new(headers))).map(drop)
    }

    /// Gives the window a cookie of the node it visits.
    pub fn cookie(&self, name: &str, value: &str) -> anyhow::Result<()> {
        let mut cookie = CookieParam::new(name, value);
        cookie.url = Some(self.origin());
        self.wait(self.page.set_cookie(cookie)).map(drop)
    }

    /// Turns scripts of pages off or on; counts from the next page on.
    pub fn scripts(&self, on: bool) -> anyhow::Result<()> {
        self.wait(self.page.execute(SetScriptExecutionDisabledParams::new(!on))).map(drop)
    }

    /// A picture of the whole page in `target/screens/NAME.png`.
    pub fn screenshot(&self, name: &str) -> anyhow::Result<PathBuf> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/screens");
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{name}.png"));
        let picture = self.wait(self.page.screenshot(ScreenshotParams::builder().full_page(true).build()))?;
        std::fs::write(&path, picture)?;
        // Taking the picture of a whole page leaves the window as high as the page and as wide as the browser likes.
        let px = *self.width.lock().unwrap_or_else(PoisonError::into_inner);
        self.width(px)?;
        Ok(path)
    }

    /// What the browser itself complained about since the last time: refused scripts and styles, failed code.
    pub fn complaints(&self) -> Vec<String> {
        std::mem::take(&mut *self.complaints.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Bytes of the page with its styles and scripts, without images, as they came over the network.
    pub fn weight(&self) -> anyhow::Result<u64> {
        self.ask("weight", json!([]))
    }

    /// Why the page has to be scrolled sideways; nothing if it need not be.
    pub fn overflow(&self) -> anyhow::Result<Option<String>> {
        self.ask("overflow", json!([]))
    }

    /// What every page must have.
    pub fn bones(&self) -> anyhow::Result<Bones> {
        self.ask("bones", json!([]))
    }

    /// Runs an expression in the page, waits for it if it is a promise, and takes its value.
    pub fn evaluate<T: DeserializeOwned>(&self, expression: &str) -> anyhow::Result<T> {
        let mut ask = EvaluateParams::new(expression);
        ask.return_by_value = Some(true);
        ask.await_promise = Some(true);
        let answer = self.wait(self.page.evaluate_expression(ask))?;
        Ok(serde_json::from_value(answer.value().cloned().unwrap_or(Value::Null))?)
    }

    /// Calls one of the functions of `in_page.js`.
    fn ask<T: DeserializeOwned>(&self, function: &str, arguments: Value) -> anyhow::Result<T> {
        self.evaluate(&format!("(() => {{ {IN_PAGE}\nreturn {function}(...{arguments}); }})()"))
    }

    fn must(&self, answer: &Value) -> anyhow::Result<()> {
        if let Some(error) = answer["error"].as_str() {
            bail!("on {} ({}): {error}", self.address()?, self.status()?);
        }
        Ok(())
    }

    fn mouse(&self, function: &str, arguments: Value) -> anyhow::Result<()> {
        let place: Place = self.ask(function, arguments)?;
        match (place.x, place.y, place.error) {
            (Some(x), Some(y), _) => self.wait(self.page.click(Point::new(x, y))).map(drop),
            (_, _, error) => bail!("on {} ({}): {}", self.address()?, self.status()?, error.unwrap_or_default()),
        }
    }

    /// Waits for a whole page, and if `new`, for another one than the one that [`Person::click`] marked as old.
    fn arrived(&self, new: bool) -> anyhow::Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            // Between two pages there is nothing to ask; that passes.
            if let Ok(state) = self.ask::<State>("state", json!([]))
                && state.ready
                && !(new && state.old)
            {
                return Ok(());
            }
            if Instant::now() > end {
                bail!("no new page came; still at {}", self.address()?);
            }
            std::thread::sleep(Duration::from_millis(25));
        }
    }
}
