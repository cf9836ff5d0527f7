//! `tributary plugin`: the life of a plugin, from an empty folder to rules that decide about leads.

mod build;
mod changes;
mod inspect;
mod of;
mod run;
mod test;

use clap::{Args, Subcommand};

use super::stop::Result;

/// Rules and formulas of a manufacturer, as WebAssembly.
#[derive(Args)]
#[command(after_help = "\
From nothing to a rule that decides about leads:
  tributary plugin new my_rule
  tributary plugin build my_rule
  tributary plugin test my_rule
  tributary plugin upload -m acme my_rule.wasm
  tributary plugin activate -m acme my_rule 0.1.0 --applies mql=qualify
  tributary plugin run -m acme my_rule
  tributary explain -m acme LEAD_ID

Back to what was in force before:
  tributary plugin rollback -m acme my_rule")]
pub(super) struct Plugin {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    New(build::New),
    Build(build::Build),
    Test(test::Test),
    Upload(changes::Upload),
    Activate(changes::Activate),
    Rollback(changes::Rollback),
    Run(run::Run),
    List(inspect::List),
    Show(inspect::Show),
    Diff(inspect::Diff),
    Logs(inspect::Logs),
}

impl Plugin {
    pub(super) async fn run(self) -> Result<()> {
        match self.command {
            Command::New(new) => new.run(),
            Command::Build(build) => build.run(),
            Command::Test(test) => test.run().await,
            Command::Upload(upload) => upload.run().await,
            Command::Activate(activate) => activate.run().await,
            Command::Rollback(rollback) => rollback.run().await,
            Command::Run(run) => run.run().await,
            Command::List(list) => list.run().await,
            Command::Show(show) => show.run().await,
            Command::Diff(diff) => diff.run().await,
            Command::Logs(logs) => logs.run().await,
        }
    }
}
