//! `tributary token`: bearer tokens that belong to one manufacturer: issue, list, rotate, revoke.

use std::io::{self, Write};

use chrono::{DateTime, Duration, Utc};
use clap::{Args, Subcommand};
use comfy_table::Table;
use tributary_engine_core::engine::{Issued, NewToken, OfToken, Principal, Role, Token as Known};

use super::data::{Data, Whose};
use super::stop::Result;

/// Bearer tokens for HTTP.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary token create -m acme > acme.token
  tributary token create -m acme --role dashboard --query by_region --label 'wall screen' --expires-in-days 90
  tributary token create -m acme --role distributor --distributor D1 > d1.token
  tributary token list -m acme
  tributary token rotate -m acme 0123456789abcdef > acme.token
  tributary token revoke -m acme 0123456789abcdef

Roles: admin (everything of its manufacturer), analyst (SQL, views, queries, metrics), ingester (sends rows, reads
nothing), uploader (uploads plugins as drafts), dashboard (runs named queries only), distributor (SQL and named queries
over the rows of one distributor).")]
pub(super) struct Token {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Create(Create),
    List(List),
    Rotate(One),
    Revoke(One),
}

/// Issue a token that sees one manufacturer and nothing else. It is printed once and kept only as a hash.
#[derive(Args)]
#[command(after_help = "Example:\n  tributary token create -m acme --role analyst > acme.token")]
struct Create {
    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    whose: Whose,

    /// What its holder may do: admin, analyst, ingester, uploader, dashboard or distributor
    #[arg(long, default_value = "admin", value_parser = Role::NAMES)]
    role: String,

    /// A named query that a dashboard may run; may be repeated [default: all of them]
    #[arg(long = "query", value_name = "NAME")]
    queries: Vec<String>,

    /// The distributor_id of the distributor whose rows a distributor's token sees
    #[arg(long, value_name = "ID")]
    distributor: Option<String>,

    /// What the token is for
    #[arg(long, default_value = "")]
    label: String,

    /// When it stops, such as 2027-01-01T00:00:00Z [default: never]
    #[arg(long, value_name = "INSTANT", conflicts_with = "expires_in_days")]
    expires_at: Option<DateTime<Utc>>,

    /// Days after which it stops
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..))]
    expires_in_days: Option<u16>,
}

/// List the tokens of a manufacturer: ids, roles and when they stop; never the secrets.
#[derive(Args)]
struct List {
    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    whose: Whose,
}

/// A token by its id: `rotate` prints a new one for the same and ends the old one, `revoke` ends it.
#[derive(Args)]
struct One {
    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    whose: Whose,

    /// Its id, as the list has it
    #[arg(value_name = "ID")]
    token_id: String,
}

impl Token {
    pub(super) async fn run(self) -> Result<()> {
        match self.command {
            Command::Create(create) => create.run().await,
            Command::List(list) => list.run().await,
            Command::Rotate(one) => {
                let engine = one.data.existing().await?;
                let of = one.of(engine.as_ref()).await?;
                print(&engine.rotate_token(of).await?)
            }
            Command::Revoke(one) => {
                let engine = one.data.existing().await?;
                let of = one.of(engine.as_ref()).await?;
                let token = engine.revoke_token(of).await?;
                writeln!(io::stderr(), "token {} is revoked", token.token_id)?;
                Ok(())
            }
        }
    }
}

impl Create {
    async fn run(self) -> Result<()> {
        let engine = self.data.existing().await?;
        let days = self.expires_in_days;
        let in_days = days.map(|days| Utc::now() + Duration::days(i64::from(days)));
        let new = NewToken {
            principal: Principal::Operator,
            manufacturer: self.whose.choose(engine.as_ref()).await?,
            role: Role::named(&self.role, self.queries, self.distributor)?,
            label: self.label,
            expires_at: self.expires_at.or(in_days),
        };
        print(&engine.issue_token(new).await?)
    }
}

impl One {
    async fn of(&self, engine: &dyn tributary_engine_core::Engine) -> Result<OfToken> {
        Ok(OfToken {
            principal: Principal::Operator,
            manufacturer: self.whose.choose(engine).await?,
            token_id: self.token_id.clone(),
        })
    }
}

impl List {
    async fn run(self) -> Result<()> {
        let engine = self.data.existing().await?;
        let manufacturer = self.whose.choose(engine.as_ref()).await?;
        let tokens = engine.tokens(&Principal::Operator, &manufacturer).await?;
        let mut table = Table::new();
        table.load_preset(comfy_table::presets::UTF8_FULL_CONDENSED);
        table.set_header(["id", "role", "label", "created", "by", "state"]);
        for token in tokens {
            let state = state(&token);
            let role = match &token.role {
                Role::Dashboard(queries) if !queries.is_empty() => {
                    format!("dashboard: {}", queries.join(", "))
                }
                Role::Distributor(id) => format!("distributor: {id}"),
                role => role.to_string(),
            };
            let (label, at, by) = (token.label, token.created_at, token.created_by);
            table.add_row([token.token_id, role, label, at, by, state]);
        }
        writeln!(io::stdout(), "{table}")?;
        Ok(())
    }
}

/// Whether it holds, and until when.
fn state(token: &Known) -> String {
    match (&token.revoked_at, &token.expires_at) {
        (Some(at), _) => format!("revoked {at}"),
        (None, Some(at)) if at.parse().is_ok_and(|at: DateTime<Utc>| at <= Utc::now()) => {
            format!("expired {at}")
        }
        (None, Some(at)) => format!("until {at}"),
        (None, None) => "in force".to_owned(),
    }
}

/// The secret alone on standard output, so that it can go into a file.
fn print(issued: &Issued) -> Result<()> {
    writeln!(io::stderr(), "token {}, shown once:", issued.token.token_id)?;
    writeln!(io::stdout(), "{}", issued.secret)?;
    Ok(())
}
