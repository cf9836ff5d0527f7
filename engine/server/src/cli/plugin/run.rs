//! `tributary plugin run`: the rules in force, applied to leads.

use std::io::{self, Write};

use clap::Args;
use tributary_engine_core::engine::{Decide, Decided, Principal};

use super::super::data::{Data, Whose};
use super::super::grid;
use super::super::stop::Result;

/// Apply the rules in force to leads that are new or changed since the last run, and record what they decide.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary plugin run -m acme
  tributary plugin run -m acme champ --all

Every commit of leads does the same by itself. Decisions are in table \"decisions\".")]
pub(super) struct Run {
    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    whose: Whose,

    /// Only the rules of this plugin
    name: Option<String>,

    /// All leads, and not only new and changed ones
    #[arg(long)]
    all: bool,
}

impl Run {
    pub(super) async fn run(self) -> Result<()> {
        let engine = self.data.existing().await?;
        let decide = Decide {
            principal: Principal::Operator,
            manufacturer: self.whose.choose(engine.as_ref()).await?,
            plugin: self.name,
            all: self.all,
        };
        show(engine.decide(decide).await?)
    }
}

fn show(decided: Vec<Decided>) -> Result<()> {
    let mut out = io::stdout().lock();
    if decided.is_empty() {
        writeln!(
            out,
            "every lead is decided already; --all decides all of them anew"
        )?;
        return Ok(());
    }
    let rows = decided.into_iter().map(|one| {
        let verdicts = one.verdicts.iter();
        let verdicts: Vec<String> = verdicts
            .map(|(verdict, leads)| format!("{verdict} {}", grid::thousands(*leads)))
            .collect();
        [
            one.kind.to_string(),
            format!("{}.{} {}", one.plugin, one.function, one.version),
            one.data_version.to_string(),
            grid::thousands(one.leads),
            grid::thousands(one.refused),
            verdicts.join("\n"),
        ]
    });
    let header = [
        "kind",
        "rule",
        "leads version",
        "decided",
        "refused",
        "verdicts",
    ];
    writeln!(out, "{}", grid::plain(header, rows))?;
    Ok(())
}
