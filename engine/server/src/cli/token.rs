//! `tributary token`: bearer tokens that belong to one manufacturer.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use tributary_engine_core::engine::Principal;

use super::data::{Data, Whose};
use super::stop::Result;

/// Bearer tokens for HTTP.
#[derive(Args)]
pub(super) struct Token {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Create(Create),
}

/// Issue a token that sees one manufacturer and nothing else. It is printed once and kept only as a hash.
#[derive(Args)]
#[command(after_help = "Example:\n  tributary token create -m acme > acme.token")]
struct Create {
    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    whose: Whose,
}

impl Token {
    pub(super) async fn run(self) -> Result<()> {
        let Command::Create(create) = self.command;
        let engine = create.data.existing().await?;
        let manufacturer = create.whose.choose(engine.as_ref()).await?;
        let token = engine
            .issue_token(&Principal::Operator, manufacturer)
            .await?;
        writeln!(io::stdout(), "{token}")?;
        Ok(())
    }
}
