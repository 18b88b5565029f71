//! `kepu account …`: accounts made, listed and mended by the operator, when the pages cannot be used yet or no longer.

use crate::Data;
use crate::commands::operator;
use anyhow::{Context, bail};
use kepu_app::account::{NewAccount, create, grant_in};
use kepu_app::{App, AppError, keys, member, node};
use kepu_domain::access::{ROLES, Role};
use kepu_domain::ids::{AccountId, OrgId};
use kepu_store::account::Filter;
use serde_json::json;
use std::process::ExitCode;

/// `kepu account …`
#[derive(clap::Subcommand)]
pub enum Account {
    /// Make an account; prints a first password once, unless it is given.
    Create {
        #[command(flatten)]
        data: Data,
        /// Sign-in name.
        #[arg(long)]
        login: String,
        /// Name shown.
        #[arg(long)]
        name: String,
        /// Roles, separated by commas.
        #[arg(long, default_value = "")]
        roles: String,
        /// Organisation of the roles; default: the one that runs the node.
        #[arg(long)]
        org: Option<String>,
        /// Read the password from standard input: its owner chose it and need not change it.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Give a role.
    Grant {
        #[command(flatten)]
        data: Data,
        /// Sign-in name.
        #[arg(long)]
        login: String,
        /// Role.
        #[arg(long)]
        role: String,
        /// Organisation; default: the one that runs the node.
        #[arg(long)]
        org: Option<String>,
    },
    /// List accounts, one JSON object a line.
    List {
        #[command(flatten)]
        data: Data,
        /// Only those that were not used for 90 days.
        #[arg(long)]
        stale: bool,
    },
    /// End the lock after failed sign-ins.
    Unlock {
        #[command(flatten)]
        data: Data,
        /// Sign-in name.
        #[arg(long)]
        login: String,
    },
    /// Give a new first password, printed once; ends all sessions.
    Password {
        #[command(flatten)]
        data: Data,
        /// Sign-in name.
        #[arg(long)]
        login: String,
    },
}

fn role(word: &str) -> anyhow::Result<Role> {
    let known = || ROLES.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ");
    Role::parse(word).with_context(|| format!("\"{word}\" is no role; there are {}", known()))
}

/// Errors of fields in words for an operator; the sentences for pages are in the catalogues.
fn explain(error: AppError) -> anyhow::Error {
    match error {
        AppError::Invalid(errors) => {
            let lines: Vec<String> = errors.iter().map(|e| format!("{}: {}", e.field, e.key.replace('_', " "))).collect();
            anyhow::anyhow!("not done: {}", lines.join("; "))
        }
        error => error.into(),
    }
}

async fn org_of(app: &App, given: Option<String>) -> anyhow::Result<OrgId> {
    let mut tx = app.db.read().await?;
    let id = match given {
        Some(id) => OrgId(id),
        None => node::org(&mut tx).await?,
    };
    if kepu_store::org::find(&mut tx, &id).await?.is_none() {
        bail!("there is no organisation {id}");
    }
    Ok(id)
}

async fn account_of(app: &App, login: &str) -> anyhow::Result<AccountId> {
    let mut tx = app.db.read().await?;
    let row = kepu_store::account::find_by_login(&mut tx, &kepu_text::fold(login.trim())).await?;
    Ok(row.with_context(|| format!("there is no account {login}"))?.account.id)
}

/// A password that is told in groups of four.
fn fresh_password() -> String {
    [(); 4].map(|()| keys::random_word(4)).join("-")
}

impl Account {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Account::Create { data, login, name, roles, org, password_stdin } => {
                let app = data.open(false).await?;
                let roles = roles.split(',').map(str::trim).filter(|w| !w.is_empty()).map(role).collect::<anyhow::Result<Vec<Role>>>()?;
                let org = org_of(&app, org).await?;
                let password = if password_stdin { read_password()? } else { fresh_password() };
                let new = NewAccount { login, name, password: password.clone(), party: None, must_change: !password_stdin };
                let mut tx = app.db.write().await?;
                let id = create(&app, &mut tx, &operator(), new).await.map_err(explain)?;
                for role in roles {
                    grant_in(&app, &mut tx, &operator(), &id, &org, role).await.map_err(explain)?;
                }
                tx.commit().await?;
                let shown = if password_stdin { None } else { Some(password) };
                println!("{}", json!({"id": id.0, "first_password": shown}));
            }
            Account::Grant { data, login, role: word, org } => {
                let app = data.open(false).await?;
                let (id, org) = (account_of(&app, &login).await?, org_of(&app, org).await?);
                member::grant(&app, &operator(), &id, &org, role(&word)?).await.map_err(explain)?;
                println!("{}", json!({"id": id.0, "role": word, "org": org.0}));
            }
            Account::List { data, stale } => list(&data.open(false).await?, stale).await?,
            Account::Unlock { data, login } => {
                let app = data.open(false).await?;
                member::unlock(&app, &operator(), &account_of(&app, &login).await?).await?;
                println!("{}", json!({"unlocked": login}));
            }
            Account::Password { data, login } => {
                let app = data.open(false).await?;
                let (id, password) = (account_of(&app, &login).await?, fresh_password());
                member::reset_password(&app, &operator(), &id, &password).await.map_err(explain)?;
                println!("{}", json!({"id": id.0, "first_password": password}));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn read_password() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("cannot read the password from standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

async fn list(app: &App, stale: bool) -> anyhow::Result<()> {
    let filter = Filter { unseen_since: stale.then(|| member::stale_before(app.now())), ..Filter::default() };
    let mut after = None;
    loop {
        let (members, next) = member::list(app, &operator(), &filter, after.as_deref(), 500).await?;
        for m in members {
            let roles: Vec<String> = m.seats.iter().map(|seat| format!("{} {}", seat.role.as_str(), seat.org)).collect();
            println!(
                "{}",
                json!({"id": m.account.id.0, "login": m.account.login, "name": m.account.name, "roles": roles, "disabled": m.account.disabled,
                       "second_factor": m.account.has_totp, "last_sign_in": m.last_seen.map(|at| at.to_string())})
            );
        }
        match next {
            Some(login) => after = Some(login),
            None => return Ok(()),
        }
    }
}
