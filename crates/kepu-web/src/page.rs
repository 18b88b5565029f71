//! What every page has: [`Shell`] (language, elder mode, theme, who is signed in, words, dates) and [`Req`] (the reader's side
//! of a request). Every template extends `base.html` and names its shell `s`.
//!
//! In templates: `{{ s.t("key") }}` · `{{ s.t1("key", "n", count) }}` · `t2`, `t3` · `{{ s.time(timestamp) }}` (a `<time>` with China
//! time) · `{{ s.date(date) }}` · `{{ s.day(iso_text) }}` · `{{ s.span(duration) }}` · `{{ s.left(timestamp) }}` · `{{ s.field(id) }}`,
//! `s.audience(id)`, `s.kind(id)`, `s.evidence(id)`, `s.licence(id)`, `s.role(role)`, `s.place(region)` · `{{ s.verdict(word) }}` (shape and
//! word) · `{{ s.state("true", text) }}` (the same for other states) · `{{ s.clk(timestamp, late) }}` · `{{ s.hidden() }}` (first thing in
//! every form) · `{{ s.asset("kepu.css") }}`. What returns [`Html`] is printed as it is; everything else is escaped.
//! In handlers: `req.shell.titled(…)`, `.print(…)`, `.script("htmx")`; then [`page`] or [`page_with`].

use crate::form::Fields;
use crate::i18n::{self, Lang};
use crate::problem::Problem;
use crate::{Web, assets};
use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use kepu_app::account::SignedIn;
use kepu_app::{AppError, FieldError};
use kepu_domain::access::{Action, Actor, Denied, Role};
use std::fmt::{self, Display};

/// Most pages of a list; who needs more takes the export or the API.
pub const PAGES_MAX: usize = 100;

/// What a handler of a page returns.
pub type Answer = Result<Response, Problem>;

/// Markup that is printed as it is. Whoever makes one has escaped what came from outside.
#[derive(Clone, Debug, Default)]
pub struct Html(pub String);

impl Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl askama::FastWritable for Html {
    fn write_into(&self, dest: &mut dyn fmt::Write, _: &dyn askama::Values) -> askama::Result<()> {
        Ok(dest.write_str(&self.0)?)
    }
}
impl askama::filters::HtmlSafe for Html {}

/// Escapes text for markup and attributes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the device is set.
    #[default]
    Auto,
    /// Paper.
    Light,
    /// Night.
    Dark,
}

/// What is printed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paper {
    /// A4.
    A4,
    /// A3 for notice boards.
    A3,
}

/// Who is signed in, as far as pages show it.
#[derive(Clone, Debug)]
pub struct User {
    /// Name.
    pub name: String,
    /// Roles, each once.
    pub roles: Vec<Role>,
    /// Token that forms carry.
    pub csrf: String,
    /// What may be done anywhere; organisations are asked again inside the operations.
    pub may: Vec<Action>,
    /// When the session ends if nothing is done.
    pub idle_at: Timestamp,
    /// When it ends whatever is done.
    pub expires: Timestamp,
}

impl User {
    /// From a session.
    pub fn new(signed_in: &SignedIn) -> Self {
        const SHOWN: [Action; 15] = [
            Action::UseDesk,
            Action::TakeOn,
            Action::Coordinate,
            Action::Draft,
            Action::Review,
            Action::WorkCase,
            Action::SeeIntake,
            Action::Import,
            Action::BringFiles,
            Action::ManageNodes,
            Action::ManageJobs,
            Action::ReadAudit,
            Action::ManageMembers,
            Action::ManageSecurity,
            Action::SeeMembers,
        ];
        let mut roles: Vec<Role> = signed_in.memberships.iter().map(|m| m.role).collect();
        roles.sort_unstable();
        roles.dedup();
        let may = SHOWN.into_iter().filter(|action| signed_in.actor.may(*action, None).is_ok()).collect();
        Self { name: signed_in.account.name.clone(), roles, csrf: signed_in.csrf.clone(), may, idle_at: signed_in.idle_at, expires: signed_in.expires }
    }
}

/// What every page has. In templates: `s`.
#[derive(Clone, Debug)]
pub struct Shell {
    /// Language of the page.
    pub lang: Lang,
    /// Large letters, one column.
    pub elder: bool,
    /// Light or dark.
    pub theme: Theme,
    /// Path and query of this page.
    pub path: String,
    /// Who is signed in.
    pub user: Option<User>,
    /// The node's name.
    pub node_name: String,
    /// Title, without the node's name.
    pub title: String,
    /// Public address of this page without settings; empty if the node knows no public address.
    pub canonical: String,
    /// Public address of the node, perhaps empty.
    pub base_url: String,
    /// Public address of the node, or the one under which this page was asked for.
    pub origin: String,
    /// Laid out for paper.
    pub paper: Option<Paper>,
    /// Now.
    pub now: Timestamp,
    /// Further elements of `<head>`: alternates, feeds, data blocks.
    pub head: Html,
    /// Scripts that quicken this page, as far as the build has them.
    pub scripts: Vec<&'static str>,
}

/// A place of work: address and word.
pub type Place = (&'static str, String);

/// Links for work that stand beside each other in a line.
const NAV_MOST: usize = 8;

impl Shell {
    /// With a title.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// For paper.
    #[must_use]
    pub fn print(mut self, paper: Option<Paper>) -> Self {
        self.paper = paper;
        self
    }

    /// With a script (`htmx.min.js`, `uplot.min.js`, `figures.js`) if the build has it.
    #[must_use]
    pub fn script(mut self, name: &'static str) -> Self {
        if assets::exists(name) {
            self.scripts.push(name);
        }
        self
    }

    /// The message `key`.
    pub fn t(&self, key: &str) -> String {
        i18n::message(self.lang, key, &[])
    }
    /// The message `key` with one value.
    pub fn t1(&self, key: &str, name: &str, value: impl Display) -> String {
        i18n::message(self.lang, key, &[(name, &value)])
    }
    /// The message `key` with two values.
    pub fn t2(&self, key: &str, name1: &str, value1: impl Display, name2: &str, value2: impl Display) -> String {
        i18n::message(self.lang, key, &[(name1, &value1), (name2, &value2)])
    }
    /// The message `key` with three values.
    #[expect(clippy::too_many_arguments, reason = "three pairs, named where they are passed")]
    pub fn t3(&self, key: &str, name1: &str, value1: impl Display, name2: &str, value2: impl Display, name3: &str, value3: impl Display) -> String {
        i18n::message(self.lang, key, &[(name1, &value1), (name2, &value2), (name3, &value3)])
    }

    /// Whether the page is English.
    pub fn is_en(&self) -> bool {
        self.lang == Lang::En
    }
    /// The text in the page's language: the English one if there is one and it is wanted.
    pub fn pick<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        if self.is_en() && !en.is_empty() { en } else { zh }
    }
    /// ` lang="…"` for a passage whose language is not the page's, else nothing.
    pub fn lang_attr(&self, lang: &str) -> Html {
        if lang.is_empty() || lang == self.lang.tag() {
            return Html::default();
        }
        let direction = kepu_domain::vocabulary::LANGUAGES.find(lang).map_or("", |term| term.group.as_str());
        Html(format!(" lang=\"{}\"{}", escape(lang), if direction == "rtl" { " dir=\"rtl\"" } else { "" }))
    }
    /// [`Shell::lang_attr`] for a text picked by [`Shell::pick`].
    pub fn pick_attr(&self, lang: &str, en: &str) -> Html {
        if self.is_en() && !en.is_empty() { Html::default() } else { self.lang_attr(lang) }
    }

    /// The CSRF token, empty for visitors.
    pub fn csrf(&self) -> &str {
        self.user.as_ref().map_or("", |user| &user.csrf)
    }
    /// A fresh random id for a form that must have one effect however often it is sent.
    pub fn once(&self) -> String {
        random_id()
    }
    /// First thing in every `<form method="post">`: token and once-id.
    pub fn hidden(&self) -> Html {
        Html(format!("{}<input type=\"hidden\" name=\"_once\" value=\"{}\">", self.token().0, self.once()))
    }
    /// The token alone, for forms that may be sent as often as one likes (settings, sign-out).
    pub fn token(&self) -> Html {
        match &self.user {
            Some(user) => Html(format!("<input type=\"hidden\" name=\"_csrf\" value=\"{}\">", escape(&user.csrf))),
            None => Html::default(),
        }
    }

    /// Address of a static file, with the hash of its content.
    pub fn asset(&self, name: &str) -> String {
        assets::url(name)
    }
    /// The stylesheet of the charts, if the build has it.
    pub fn has_script(&self, name: &str) -> bool {
        self.scripts.contains(&name)
    }

    /// ` aria-current="page"` if this page belongs to the part of the site that `root` opens.
    pub fn current(&self, root: &str) -> Html {
        let here = self.path.split(['?', '#']).next().unwrap_or_default();
        let mine = match here.trim_start_matches('/').split('/').next().unwrap_or_default() {
            "c" | "check" | "claims" => "/claims",
            "r" | "resources" | "packs" | "shelf" => "/resources",
            "q" | "ask" => "/ask",
            "case" | "cases" => "/cases",
            "listen" => "/listen",
            "now" => "/now",
            "points" => "/points",
            "warnings" | "orders" | "drills" | "plans" | "tasks" | "duty" => "/orders",
            "decisions" | "inspections" => "/decisions",
            "intake" => "/intake",
            "figures" => "/figures",
            "network" => "/network",
            "desk" => "/desk",
            "reviews" => "/reviews",
            "drafts" => "/drafts",
            "import" => "/import",
            "registry" => "/registry",
            "registers" | "register" | "party" | "talent" => "/registers",
            "nodes" => "/nodes",
            "jobs" => "/jobs",
            "audit" => "/audit",
            "contributions" | "certificates" | "scoring" => "/contributions",
            "members" => "/members",
            "round" | "rounds" | "application" | "criteria" => "/rounds",
            "judging" => "/judging",
            "account" => "/account",
            "login" => "/login",
            "" => "/",
            _ => "",
        };
        Html(if mine == root { " aria-current=\"page\"".into() } else { String::new() })
    }

    /// Whether the person signed in may do this somewhere.
    pub fn may(&self, action: Action) -> bool {
        self.user.as_ref().is_some_and(|user| user.may.contains(&action))
    }

    /// Links for who is signed in: address and word, only what may be opened.
    pub fn work_nav(&self) -> Vec<Place> {
        let list = [
            (Action::UseDesk, "/desk", self.t("nav-desk")),
            (Action::WorkCase, "/listen", self.t("nav-listen")),
            (Action::WorkCase, "/cases", self.t("nav-cases")),
            (Action::WorkCase, "/orders", self.t("orders-title")),
            (Action::TakeOn, "/decisions", self.t("decisions-title")),
            (Action::Review, "/reviews", self.t("nav-reviews")),
            (Action::Draft, "/drafts", self.t("nav-drafts")),
            (Action::Draft, "/coverage", self.t("stock-title")),
            (Action::UseDesk, "/contributions", self.t("nav-contributions")),
            (Action::UseDesk, "/rounds", self.t("nav-rounds")),
            (Action::SeeIntake, "/intake", self.t("nav-intake")),
            (Action::SeeIntake, "/points", self.t("points-title")),
            (Action::BringFiles, "/import", self.t("nav-import")),
            (Action::ManageMembers, "/registry", self.t("registry-title")),
            (Action::SeeMembers, "/members", self.t("nav-members")),
            (Action::ManageNodes, "/nodes", self.t("nav-nodes")),
            (Action::ManageJobs, "/jobs", self.t("nav-jobs")),
            (Action::ReadAudit, "/audit", self.t("nav-audit")),
        ];
        list.into_iter().filter(|(action, ..)| self.may(*action)).map(|(_, path, word)| (path, word)).collect()
    }

    /// [`Self::work_nav`] in two parts: what stands there, and what is folded behind "more" because it would take a second line.
    pub fn work_parts(&self) -> (Vec<Place>, Vec<Place>) {
        let mut first = self.work_nav();
        let rest = if first.len() > NAV_MOST + 1 { first.split_off(NAV_MOST) } else { Vec::new() };
        (first, rest)
    }

    /// The line that warns before an idle session ends. Without scripts it is in every page and shown by the style sheet when
    /// the time is near; the link opens beside the page, so that nothing typed is lost.
    pub fn idle(&self) -> Html {
        let Some(user) = &self.user else { return Html::default() };
        let near = user.idle_at.duration_since(self.now).as_mins() <= kepu_domain::account::WARN_MINUTES;
        let last = user.idle_at >= user.expires;
        let (text, link) = if last { ("idle-last", "/login") } else { ("idle-ends", "/account/stay") };
        Html(format!(
            "<aside class=\"idle{}\" aria-label=\"{}\"><p>{} <a class=\"btn small\" href=\"{link}\" target=\"_blank\" accesskey=\"k\">{}</a></p></aside>",
            if near { " near" } else { "" },
            escape(&self.t("stay-title")),
            self.t1(text, "time", self.soon(&user.idle_at)),
            escape(&self.t(if last { "idle-again" } else { "idle-stay" })),
        ))
    }

    /// The same page with another setting in the query.
    pub fn here_with(&self, name: &str, value: &str) -> String {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let kept: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(name)).collect();
        let mut parts: Vec<String> = kept.into_iter().map(str::to_owned).collect();
        if !value.is_empty() {
            parts.push(format!("{name}={}", crate::urls::encode(value)));
        }
        if parts.is_empty() { path.to_owned() } else { format!("{path}?{}", parts.join("&")) }
    }

    /// A public address of `path`; the path itself if the node knows none.
    pub fn public(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// Errors of a form in the reader's language.
    pub fn errors(&self, list: &[FieldError]) -> Errors {
        Errors(list.iter().map(|error| (error.field.clone(), self.field_error(error))).collect())
    }

    /// One error of a field as a sentence. Messages are `error-<key>`; `{ $field }` is the field's label.
    pub fn field_error(&self, error: &FieldError) -> String {
        let label = self.label(&error.field);
        let mut args: Vec<(&str, &dyn Display)> = vec![("field", &label)];
        args.extend(error.args.iter().map(|(name, value)| (name.as_str(), value as &dyn Display)));
        i18n::message(self.lang, &format!("error-{}", error.key), &args)
    }

    /// The label of a form field: message `label-<field>`; the field's name where there is none.
    pub fn label(&self, field: &str) -> String {
        let key = format!("label-{field}");
        if i18n::exists(self.lang, &key) {
            return i18n::message(self.lang, &key, &[]);
        }
        // Fields of a group that repeats: `due-3` is the third `due`.
        match key.rsplit_once('-') {
            Some((one, n)) if i18n::exists(self.lang, one) && n.parse::<u32>().is_ok() => format!("{} {n}", i18n::message(self.lang, one, &[])),
            Some((one, _)) if i18n::exists(self.lang, one) => i18n::message(self.lang, one, &[]),
            _ => field.to_owned(),
        }
    }
}

/// Errors of a form: field and sentence, in the order of the form.
#[derive(Clone, Debug, Default)]
pub struct Errors(pub Vec<(String, String)>);

impl Errors {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Whether something is wrong with this field: a folded form around it stands open.
    pub fn has(&self, field: &str) -> bool {
        self.0.iter().any(|(name, _)| name == field)
    }
    /// The notice on top of the form, with a link to each field. Nothing if there are none.
    pub fn summary(&self, s: &Shell) -> Html {
        if self.is_empty() {
            return Html::default();
        }
        let lines: String = self.0.iter().map(|(field, text)| format!("<li><a href=\"#{}\">{}</a></li>", escape(field), escape(text))).collect();
        let head = escape(&s.t1("form-errors", "n", self.0.len()));
        Html(format!("<div class=\"notice error\" role=\"alert\" tabindex=\"-1\" aria-labelledby=\"es\"><h2 id=\"es\">{head}</h2><ul>{lines}</ul></div>"))
    }
    /// The sentence at the field, right above its input.
    pub fn at(&self, field: &str) -> Html {
        match self.0.iter().find(|(name, _)| name == field) {
            Some((_, text)) => Html(format!("<p class=\"err\" id=\"{0}-err\">{1}</p>", escape(field), escape(text))),
            None => Html::default(),
        }
    }
    /// [`Errors::at`] of the field `<field>-<part>`, in a group that repeats.
    pub fn at_of(&self, field: &str, part: impl Display) -> Html {
        self.at(&format!("{field}-{part}"))
    }
    /// [`Errors::attrs`] of the field `<field>-<part>`, in a group that repeats.
    pub fn attrs_of(&self, field: &str, part: impl Display, has_hint: bool) -> Html {
        self.attrs(&format!("{field}-{part}"), has_hint)
    }
    /// `aria-` attributes of the field's input. The hint, if the field has one, has the id `<field>-hint`.
    pub fn attrs(&self, field: &str, has_hint: bool) -> Html {
        let wrong = self.0.iter().any(|(name, _)| name == field);
        let field = escape(field);
        let described = match (has_hint, wrong) {
            (false, false) => return Html::default(),
            (true, false) => format!(" aria-describedby=\"{field}-hint\""),
            (false, true) => format!(" aria-describedby=\"{field}-err\" aria-invalid=\"true\""),
            (true, true) => format!(" aria-describedby=\"{field}-hint {field}-err\" aria-invalid=\"true\""),
        };
        Html(described)
    }
}

/// The reader's side of a request. Made once by `guard::arrive`, before any handler.
#[derive(Clone, Debug)]
pub struct Req {
    /// For the page.
    pub shell: Shell,
    /// For operations.
    pub actor: Actor,
    /// The session, if there is one.
    pub signed_in: Option<SignedIn>,
    /// The session's secret, for signing out and for changing the password.
    pub token: Option<String>,
    /// Where the request came from: only for limits per minute, never stored or logged.
    pub address: String,
    /// The query.
    pub query: Fields,
    /// Number of this request, shown with errors and in the log.
    pub id: String,
    /// Whether problem details are wanted rather than a page.
    pub wants_json: bool,
}

impl Req {
    /// The session of a route that demands one.
    pub fn signed_in(&self) -> Result<&SignedIn, AppError> {
        self.signed_in.as_ref().ok_or(AppError::Denied(Denied::NotSignedIn))
    }
    /// The template's shell with this title, laid out as the query asks.
    pub fn titled(&self, title: impl Into<String>) -> Shell {
        self.shell.clone().titled(title).print(self.paper())
    }
    /// What `?view=print` and `?view=print-a3` ask for.
    pub fn paper(&self) -> Option<Paper> {
        match self.query.get("view") {
            "print" => Some(Paper::A4),
            "print-a3" => Some(Paper::A3),
            _ => None,
        }
    }
    /// Page number from `?page=`, from 1.
    pub fn page_number(&self) -> usize {
        self.query.get("page").parse().unwrap_or(1).clamp(1, PAGES_MAX)
    }
}

impl FromRequestParts<Web> for Req {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Problem> {
        parts.extensions.get::<Req>().cloned().ok_or_else(|| Problem::internal("a request without its Req: guard::arrive is missing"))
    }
}

/// A page, 200.
pub fn page(template: &impl Template) -> Response {
    page_with(StatusCode::OK, template)
}

/// A page with another status.
pub fn page_with(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => {
            let mut response = (status, text).into_response();
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            response
        }
        Err(error) => Problem::internal(format!("a template failed: {error}")).into_response(),
    }
}

/// Links to the pages of a list.
#[derive(Clone, Debug, Default)]
pub struct Pager {
    /// Address of the page before, empty on the first.
    pub prev: String,
    /// Address of the page after, empty on the last.
    pub next: String,
    /// Number, address (empty for the present page), in order; number 0 stands for a gap.
    pub pages: Vec<(usize, String)>,
}

impl Pager {
    /// For page `at` of a list of `total` rows, `size` a page; addresses are the present one with another `page`.
    pub fn new(s: &Shell, at: usize, size: usize, total: usize) -> Self {
        let last = total.div_ceil(size.max(1)).clamp(1, PAGES_MAX);
        let link = |n: usize| s.here_with("page", &if n == 1 { String::new() } else { n.to_string() });
        let mut pages = Vec::new();
        for n in (1..=last).filter(|n| *n == 1 || *n == last || n.abs_diff(at) <= 2) {
            if pages.last().is_some_and(|(before, _): &(usize, String)| before + 1 < n) {
                pages.push((0, String::new()));
            }
            pages.push((n, if n == at { String::new() } else { link(n) }));
        }
        Self {
            prev: if at > 1 { link(at - 1) } else { String::new() },
            next: if at < last { link(at + 1) } else { String::new() },
            pages: if last > 1 { pages } else { vec![] },
        }
    }
}

/// Sixteen random letters and digits.
pub fn random_id() -> String {
    let mut bytes = [0_u8; 10];
    // Without randomness nothing safe can be served; the operating system always has it.
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    data_encoding::BASE32_NOPAD.encode(&bytes).to_ascii_lowercase()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn shell(lang: Lang) -> Shell {
        Shell {
            lang,
            elder: false,
            theme: Theme::Auto,
            path: "/claims?field=health&page=2".into(),
            user: None,
            node_name: "测试".into(),
            title: String::new(),
            canonical: String::new(),
            base_url: String::new(),
            origin: String::new(),
            paper: None,
            now: Timestamp::UNIX_EPOCH,
            head: Html::default(),
            scripts: vec![],
        }
    }

    #[test]
    fn pagers_name_their_neighbours() {
        let pager = Pager::new(&shell(Lang::Zh), 2, 20, 100);
        assert_eq!(pager.prev, "/claims?field=health");
        assert_eq!(pager.next, "/claims?field=health&page=3");
        assert_eq!(pager.pages.iter().map(|p| p.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert_eq!(Pager::new(&shell(Lang::Zh), 9, 20, 400).pages.iter().map(|p| p.0).collect::<Vec<_>>(), [1, 0, 7, 8, 9, 10, 11, 0, 20]);
        assert!(Pager::new(&shell(Lang::Zh), 1, 20, 3).pages.is_empty());
    }

    #[test]
    fn errors_stand_on_top_and_at_the_field() {
        let errors = Errors(vec![("text".into(), "<太短>".into())]);
        assert!(errors.summary(&shell(Lang::Zh)).0.contains("href=\"#text\">&lt;太短&gt;</a>"));
        assert_eq!(errors.attrs("text", true).0, " aria-describedby=\"text-hint text-err\" aria-invalid=\"true\"");
        assert_eq!(errors.at("other").0, "");
    }
}
