//! `kepu node …` and `kepu sync`: beginning a node, joining others, and how it stands in the network.

use crate::commands::operator;
use crate::{Data, input};
use anyhow::{Context, bail};
use kepu_app::record::heads::{Trouble, What};
use kepu_app::{media, node, record, relearn, subscription, sync};
use kepu_domain::trust::{KEY_ROLES, KeyRole};
use kepu_domain::vocabulary::FIELDS;
use kepu_sync::suite::Suite;
use serde_json::json;
use std::collections::BTreeSet;
use std::process::ExitCode;

/// `kepu node …`
#[derive(clap::Subcommand)]
pub enum Node {
    /// Make a data folder with a key and tables.
    Init {
        #[command(flatten)]
        data: Data,
        /// Name shown to others.
        #[arg(long)]
        name: String,
        /// Division code of the place it serves.
        #[arg(long, default_value = "000000")]
        region: String,
        /// Signature suite: ed25519 or sm2.
        #[arg(long, default_value = "ed25519")]
        suite: String,
    },
    /// Make an invitation for another node; prints one word to hand over.
    Invite {
        #[command(flatten)]
        data: Data,
        /// Name of the invited node, for your own list.
        #[arg(long, default_value = "")]
        name: String,
        /// Division code that its certificate will name.
        #[arg(long, default_value = "000000")]
        region: String,
        /// Roles of its key, separated by commas.
        #[arg(long, default_value = "author,reviewer")]
        roles: String,
        /// Fields of its key, separated by commas; empty = all.
        #[arg(long, default_value = "")]
        fields: String,
    },
    /// Join the node that gave the invitation.
    Join {
        #[command(flatten)]
        data: Data,
        /// The invitation, or a file that holds it.
        token: String,
        /// Address of the inviting node.
        #[arg(long)]
        url: String,
    },
    /// Show how this node stands.
    Show {
        #[command(flatten)]
        data: Data,
    },
    /// Choose what this node takes from the nodes above it.
    Subscribe {
        #[command(flatten)]
        data: Data,
        /// Division code: records for it and for every place above it.
        #[arg(long)]
        region: Option<String>,
        /// Also records for every place below it: yes or no.
        #[arg(long)]
        below: Option<String>,
        /// Fields, separated by commas; an empty text = all.
        #[arg(long)]
        fields: Option<String>,
        /// Languages by prefix, separated by commas; an empty text = all.
        #[arg(long)]
        langs: Option<String>,
        /// Drills too: yes or no. Only nodes that exercise ask for them.
        #[arg(long)]
        drills: Option<String>,
        /// Decisions of meetings, findings of inspections and reports about them too: yes or no. Only nodes that coordinate ask for them.
        #[arg(long)]
        coordination: Option<String>,
    },
    /// Say how many bytes of files this node keeps.
    Files {
        #[command(flatten)]
        data: Data,
        /// Bytes of all files together, such as 2GiB.
        #[arg(long)]
        quota: Option<String>,
        /// Bytes of one file, such as 5MiB; larger ones stay at the parent.
        #[arg(long)]
        largest: Option<String>,
    },
    /// Sign a head over everything this node has said, without waiting for the daily one.
    Head {
        #[command(flatten)]
        data: Data,
    },
    /// After a restored backup: publish again although not everybody was heard who may know more. Only when they never will be.
    Resume {
        #[command(flatten)]
        data: Data,
    },
}

fn words(list: &str) -> Vec<&str> {
    list.split(',').map(str::trim).filter(|w| !w.is_empty()).collect()
}

impl Node {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Node::Init { data, name, region, suite } => {
                let suite = Suite::parse(&suite).with_context(|| format!("\"{suite}\" is no suite; ed25519 and sm2 are"))?;
                let init = node::Init { name, region: input::place(&region)?, suite, database: data.database.clone() };
                let app = node::init(&data.data, init).await?;
                let code = kepu_app::setup::code(&app).await?;
                println!("{}", json!({"key": app.key.id().0, "digits": app.key.id().digits(), "data": data.data, "setup_code": code}));
            }
            Node::Invite { data, name, region, roles, fields } => {
                let app = data.open(false).await?;
                let mut set = BTreeSet::new();
                for word in words(&roles) {
                    let known = KEY_ROLES.iter().map(|r| r.as_str()).collect::<Vec<_>>().join(", ");
                    set.insert(KeyRole::parse(word).with_context(|| format!("\"{word}\" is no role of a key; there are {known}"))?);
                }
                let fields = words(&fields).into_iter().map(str::to_owned).collect();
                let invitation = node::Invitation { name, region: input::place(&region)?, roles: set, fields };
                println!("{}", node::invite(&app, &operator(), invitation).await?.write());
            }
            Node::Join { data, token, url } => {
                let text = if std::path::Path::new(&token).is_file() { String::from_utf8(input::read(token.as_ref())?)? } else { token };
                let token = node::Token::read(&text).context("this is no invitation; take the whole word that `kepu node invite` printed")?;
                let app = data.open(false).await?;
                node::join(&app, &token, &url).await?;
                eprintln!("joined {} at {url}", token.name);
            }
            Node::Show { data } => {
                let app = data.open(false).await?;
                println!("{}", show(&node::overview(&app).await?));
            }
            Node::Subscribe { data, region, below, fields, langs, drills, coordination } => {
                let app = data.open(false).await?;
                let mut scope = subscription::current(&app).await?;
                if let Some(region) = region {
                    scope.region = input::place(&region)?;
                }
                let switches =
                    [("below", below, &mut scope.below), ("drills", drills, &mut scope.drills), ("coordination", coordination, &mut scope.coordination)];
                for (name, word, held) in switches {
                    match word.as_deref() {
                        None => {}
                        Some("yes") => *held = true,
                        Some("no") => *held = false,
                        Some(other) => anyhow::bail!("--{name} is yes or no, not \"{other}\""),
                    }
                }
                let list = |text: String| words(&text).into_iter().map(str::to_owned).collect();
                scope.fields = fields.map_or(scope.fields, list);
                scope.langs = langs.map_or(scope.langs, list);
                if let Some(field) = scope.fields.iter().find(|field| FIELDS.find(field).is_none()) {
                    anyhow::bail!("\"{field}\" is no field; data/vocabularies/domains.csv has them");
                }
                subscription::subscribe(&app, &operator(), &scope).await?;
                println!("{}", sync::scope_text(&scope));
            }
            Node::Files { data, quota, largest } => {
                let app = data.open(false).await?;
                let mut tx = app.db.read().await?;
                let mut limits = media::limits(&mut tx).await?;
                drop(tx);
                if let Some(text) = quota {
                    limits.quota = bytes(&text)?;
                }
                if let Some(text) = largest {
                    limits.file_max = bytes(&text)?;
                }
                media::set_limits(&app, &operator(), limits).await?;
                println!("{}", json!({"quota": limits.quota, "largest": limits.file_max}));
            }
            Node::Head { data } => {
                let app = data.open(false).await?;
                println!("{}", json!({"signed": record::publish_head(&app).await?}));
            }
            Node::Resume { data } => {
                let app = data.open(false).await?;
                relearn::resume(&app, &operator()).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// `kepu sync`
#[derive(clap::Args)]
pub struct Sync {
    #[command(flatten)]
    data: Data,
}

impl Sync {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let app = self.data.open(false).await?;
        let list = sync::run(&app, 0).await?;
        if list.is_empty() {
            bail!("this node has no parent; join one with: kepu node join --data DIR TOKEN --url ADDRESS");
        }
        let mut code = ExitCode::SUCCESS;
        for done in list {
            println!("{}", serde_json::to_string(&done)?);
            if let Some(error) = &done.error {
                eprintln!("kepu: {error}");
                code = ExitCode::from(1);
            }
        }
        Ok(code)
    }
}

fn show(view: &node::Overview) -> serde_json::Value {
    let peer = |p: &kepu_store::peer::Peer| json!({"key": p.id.0, "name": p.name, "url": p.url, "last_seen": p.last_seen.map(|t| t.to_string()), "result": p.last_result, "acked": p.acked});
    let latest = view
        .latest
        .iter()
        .map(|(row, reached, of)| json!({"subject": row.id.0, "title": row.title, "standing": row.standing.as_str(), "reached": reached, "of": of}));
    let trouble = |t: &Trouble| {
        let what = match &t.what {
            What::Missing(ranges) => json!({"missing": ranges}),
            What::Differs { n } => json!({"differs_from_head": n}),
            What::Forked { n } => json!({"forked_at": n}),
        };
        json!({"key": t.key.0, "stream": t.stream.as_str(), "what": what})
    };
    let failing = view.files.failing.iter().map(|f| json!({"hash": f.hash, "tries": f.tries, "next": f.retry_at.to_string(), "cause": f.cause}));
    let (totals, limits) = (view.files.totals, view.files.limits);
    json!({
        "key": view.me.id.0, "name": view.me.name, "region": view.me.region.to_string(), "root": view.me.root.0,
        "records": view.me.records, "state": view.me.state, "outside_scope": view.skipped,
        "checked_until": view.checked_until.map(|t| t.to_string()),
        "contact": view.contact.map(|t| t.to_string()),
        "problems": view.troubles.iter().map(trouble).collect::<Vec<_>>(),
        "waits_for": view.waits_for,
        "files": {
            "here": totals.have, "bytes": totals.have_bytes, "wanted": totals.wanted, "wanted_bytes": totals.wanted_bytes,
            "quota": limits.quota, "largest": limits.file_max, "failing": failing.collect::<Vec<_>>(),
        },
        "parents": view.parents.iter().map(peer).collect::<Vec<_>>(),
        "children": view.children.iter().map(peer).collect::<Vec<_>>(),
        "latest": latest.collect::<Vec<_>>(),
    })
}

/// `512`, `64KiB`, `5MiB`, `2GiB`.
pub fn bytes(text: &str) -> anyhow::Result<i64> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let factor = match unit.trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => anyhow::bail!("\"{text}\" is no size; write 512, 64KiB, 5MiB or 2GiB"),
    };
    digits.parse::<i64>().ok().and_then(|n| n.checked_mul(factor)).with_context(|| format!("\"{text}\" is no size; write 512, 64KiB, 5MiB or 2GiB"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        assert_eq!(bytes("512").expect("size"), 512);
        assert_eq!(bytes("2GiB").expect("size"), 2 << 30);
        for bad in ["", "GiB", "2GB", "-1", "99999999999GiB"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }
}
