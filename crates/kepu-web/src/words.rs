//! Names and times as readers see them: fields, audiences, roles, places from `data/`, and everything in China's civil time.

use crate::page::{Html, Shell, escape};
use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Timestamp, tz::Offset};
pub use kepu_app::org::{DIVISIONS, division};
use kepu_domain::access::Role;
use kepu_domain::create::check::Finding;
use kepu_domain::create::resource::AiUse;
use kepu_domain::org::{Org, Region};
use kepu_domain::vocabulary::{AUDIENCES, EVIDENCE, FIELDS, LANGUAGES, RESOURCE_TYPES, licence};
use std::fmt::Display;

/// The divisions right below `region`, by code.
pub fn divisions_below(region: Region) -> Vec<&'static Org> {
    let id = region.to_string();
    DIVISIONS.iter().filter(|org| org.parent.as_ref().is_some_and(|parent| parent.0 == id)).collect()
}

const MONTHS: [&str; 12] = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

fn china(at: Timestamp) -> DateTime {
    Offset::constant(8).to_datetime(at)
}

/// `2026-07-12T15:20:00+08:00`.
pub fn iso(at: Timestamp) -> String {
    format!("{}+08:00", china(at).strftime("%Y-%m-%dT%H:%M:%S"))
}

/// `2026-07-12 15:20`, in China time; for sentences that are put together where no reader is known yet.
pub fn minute(at: Timestamp) -> String {
    china(at).strftime("%Y-%m-%d %H:%M").to_string()
}

/// A moment from milliseconds.
pub fn moment(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn tag(datetime: impl Display, text: &str) -> Html {
    Html(format!("<time datetime=\"{datetime}\">{}</time>", escape(text)))
}

impl Shell {
    /// A day in words.
    pub fn day_text(&self, date: Date) -> String {
        if self.is_en() {
            format!("{} {} {}", date.day(), MONTHS[usize::from(date.month().unsigned_abs()) - 1], date.year())
        } else {
            format!("{}年{}月{}日", date.year(), date.month(), date.day())
        }
    }
    /// A day: `<time datetime="2026-07-12">2026年7月12日</time>`.
    pub fn date(&self, date: &Date) -> Html {
        tag(date, &self.day_text(*date))
    }
    /// A date as records write it: a day, a month, a year, or words. Days become `<time>`.
    pub fn day(&self, text: &str) -> Html {
        match text.parse::<Date>() {
            Ok(date) => self.date(&date),
            Err(_) if text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit()) && !self.is_en() => tag(text, &format!("{text}年")),
            Err(_) => Html(escape(text)),
        }
    }
    /// A moment in words: day, hour and minute.
    pub fn when(&self, at: Timestamp) -> String {
        let at = china(at);
        format!("{} {:02}:{:02}", self.day_text(at.date()), at.hour(), at.minute())
    }
    /// A moment: `<time datetime="…+08:00">2026年7月12日 15:20</time>`.
    pub fn time(&self, at: &Timestamp) -> Html {
        tag(iso(*at), &self.when(*at))
    }
    /// A moment given in milliseconds.
    pub fn time_ms(&self, ms: &i64) -> Html {
        self.time(&moment(*ms))
    }
    /// The day of a moment given in milliseconds.
    pub fn day_ms(&self, ms: &i64) -> Html {
        let at = moment(*ms);
        tag(iso(at), &self.day_text(china(at).date()))
    }
    /// A moment close to now: 今天 16:00, 明天 10:00, else the day.
    pub fn soon(&self, at: &Timestamp) -> Html {
        let (then, now) = (china(*at), china(self.now));
        let clock = format!("{:02}:{:02}", then.hour(), then.minute());
        let days = then.date().since(now.date()).map_or(99, |span| span.get_days());
        let text = match days {
            0 => self.t1("time-today", "clock", clock),
            1 => self.t1("time-tomorrow", "clock", clock),
            -1 => self.t1("time-yesterday", "clock", clock),
            _ => self.when(*at),
        };
        tag(iso(*at), &text)
    }
    /// A length of time: 3 小时 20 分.
    pub fn span(&self, length: &SignedDuration) -> String {
        let minutes = length.abs().as_mins();
        let (days, hours, rest) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
        match (days, hours) {
            (0, 0) => self.t1("span-minutes", "m", rest),
            (0, _) => self.t2("span-hours", "h", hours, "m", rest),
            _ => self.t2("span-days", "d", days, "h", hours),
        }
    }
    /// How long until `at`, or how long it has passed.
    pub fn left(&self, at: Timestamp) -> String {
        let length = at.duration_since(self.now);
        if length.is_negative() { self.t1("time-over", "span", self.span(&length)) } else { self.t1("time-left", "span", self.span(&length)) }
    }

    /// A day by which something is due, as a small clock: over, today, tomorrow, or the day itself.
    pub fn due(&self, day: Date, today: Date) -> Html {
        let days = day.since(today).map_or(99, |span| span.get_days());
        let (state, text) = match days {
            ..0 => ("is-over", self.t1("due-over", "n", -days)),
            0 => ("is-soon", self.t("due-today")),
            1 => ("is-soon", self.t("due-tomorrow")),
            2..=30 => ("", self.t1("due-days", "n", days)),
            _ => ("", self.day_text(day)),
        };
        self.clk_text(state, &text)
    }

    /// Name of a field.
    pub fn field<'a>(&self, id: &'a str) -> &'a str {
        FIELDS.name(id, self.lang.code())
    }
    /// Name of an audience.
    pub fn audience<'a>(&self, id: &'a str) -> &'a str {
        AUDIENCES.name(id, self.lang.code())
    }
    /// Name of a resource's type.
    pub fn kind<'a>(&self, id: &'a str) -> &'a str {
        RESOURCE_TYPES.name(id, self.lang.code())
    }
    /// Name of an evidence level.
    pub fn evidence<'a>(&self, id: &'a str) -> &'a str {
        EVIDENCE.name(id, self.lang.code())
    }
    /// Name of a language: in itself, or in English.
    pub fn language<'a>(&self, id: &'a str) -> &'a str {
        LANGUAGES.name(id, self.lang.code())
    }
    /// Name of a licence.
    pub fn licence(&self, id: &str) -> String {
        match licence(id) {
            Some((id, _)) if self.is_en() => id.to_owned(),
            Some((id, name)) => format!("{name}（{id}）"),
            None => id.to_owned(),
        }
    }
    /// Name of an edition: for whom or for which use; a translation has the name of its language. Empty: the text itself.
    pub fn edition(&self, name: &str) -> String {
        match name {
            "" => self.t("edition-plain"),
            "elder" => self.t("edition-elder"),
            "children" => self.t("edition-children"),
            "broadcast" => self.t("edition-broadcast"),
            "chalk" => self.t("edition-chalk"),
            "chat" => self.t("edition-chat"),
            "easy" => self.t("edition-easy"),
            "briefing" => self.t("edition-briefing"),
            "local" => self.t("edition-local"),
            other => self.language(other).to_owned(),
        }
    }
    /// Several names with the language's comma.
    pub fn fields(&self, ids: &[String]) -> String {
        self.list(ids.iter().map(|id| self.field(id)))
    }
    /// Several audiences.
    pub fn audiences(&self, ids: &[String]) -> String {
        self.list(ids.iter().map(|id| self.audience(id)))
    }
    /// Words with the language's comma.
    pub fn list<'a>(&self, words: impl Iterator<Item = &'a str>) -> String {
        words.collect::<Vec<_>>().join(if self.is_en() { ", " } else { "、" })
    }
    /// Name of a role.
    pub fn role(&self, role: &Role) -> String {
        match role {
            Role::Contributor => self.t("role-contributor"),
            Role::Reviewer => self.t("role-reviewer"),
            Role::Editor => self.t("role-editor"),
            Role::DutyOfficer => self.t("role-duty_officer"),
            Role::Steward => self.t("role-steward"),
            Role::Statistician => self.t("role-statistician"),
            Role::SystemAdmin => self.t("role-system_admin"),
            Role::SecurityAdmin => self.t("role-security_admin"),
            Role::AuditAdmin => self.t("role-audit_admin"),
        }
    }
    /// How a machine took part.
    pub fn ai_use(&self, ai_use: &AiUse) -> String {
        match ai_use {
            AiUse::None => self.t("ai-none"),
            AiUse::Assisted => self.t("ai-assisted"),
            AiUse::Generated => self.t("ai-generated"),
        }
    }
    /// Name of a place. Names of divisions are Chinese in every language; the nation has both.
    pub fn place(&self, region: &Region) -> String {
        if *region == Region::NATION {
            return self.t("place-nation");
        }
        division(*region).map_or_else(|| region.to_string(), |org| org.name.clone())
    }
    /// A place with what it lies in: 河南省 信阳市 固始县.
    pub fn place_line(&self, region: &Region) -> String {
        let chain: Vec<String> = region.chain().iter().skip(1).map(|r| self.place(r)).collect();
        if chain.is_empty() { self.place(region) } else { chain.join(" ") }
    }
    /// One finding of the machine checks as a sentence. Messages are `check-<rule>`.
    pub fn finding(&self, finding: &Finding) -> String {
        crate::i18n::message(self.lang, &format!("check-{}", finding.rule), &[("found", &finding.found), ("field", &self.label(&finding.field))])
    }
    /// How to mend what a finding is about; empty where its sentence says it all.
    pub fn cure(&self, finding: &Finding) -> String {
        let key = format!("cure-{}", finding.rule);
        if crate::i18n::exists(self.lang, &key) { crate::i18n::message(self.lang, &key, &[("found", &finding.found)]) } else { String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;
    use crate::page::tests::shell;

    #[test]
    fn times_are_chinese_civil_times() {
        let at: Timestamp = "2026-07-12T16:30:00Z".parse().expect("time");
        assert_eq!(shell(Lang::Zh).time(&at).0, "<time datetime=\"2026-07-13T00:30:00+08:00\">2026年7月13日 00:30</time>");
        assert_eq!(shell(Lang::En).day("2026-07-12").0, "<time datetime=\"2026-07-12\">12 July 2026</time>");
        assert_eq!(shell(Lang::Zh).day("第3版 <b>").0, "第3版 &lt;b&gt;");
    }

    #[test]
    fn places_have_names() {
        let county = Region::parse("411525").expect("code");
        assert_eq!(shell(Lang::Zh).place_line(&county), "河南省 信阳市 固始县");
        assert!(divisions_below(Region::NATION).len() >= 31);
    }
}
