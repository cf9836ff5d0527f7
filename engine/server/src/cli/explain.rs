//! `tributary explain`: why a lead has the verdicts that it has.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use clap::Args;
use tributary_engine_core::engine::{self, Explanation, Principal};

use super::data::{Data, Whose};
use super::stop::Result;

/// Repeat the decisions about a lead: the same components, settings and data, and whether they say the same again.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary explain -m acme L000017
  tributary explain -m acme L000017 --as-of 2024-05-31T09:30:00Z
  tributary explain -m acme L000017 --json")]
pub(super) struct Explain {
    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    whose: Whose,

    /// Id of the lead
    lead: String,

    /// The instant whose decisions are asked for [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    as_of: Option<DateTime<Utc>>,

    /// As JSON, with arguments, settings and details
    #[arg(long)]
    json: bool,
}

/// For clap, which shows one text beside the argument.
fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    crate::http::instant(text)
        .map_err(|error| format!("{error}\nhint: {}", error.hint().unwrap_or_default()))
}

impl Explain {
    pub(super) async fn run(self) -> Result<()> {
        let engine = self.data.existing().await?;
        let explain = engine::Explain {
            principal: Principal::Operator,
            manufacturer: self.whose.choose(engine.as_ref()).await?,
            lead_id: self.lead,
            as_of: self.as_of,
        };
        let explanation = engine.explain(explain).await?;
        let mut out = io::stdout().lock();
        if self.json {
            serde_json::to_writer_pretty(&mut out, &explanation).map_err(io::Error::from)?;
            writeln!(out)?;
            return Ok(());
        }
        lay_out(&mut out, &explanation)
    }
}

fn lay_out(out: &mut impl Write, explanation: &Explanation) -> Result<()> {
    for one in &explanation.decisions {
        let verdict = one.recorded.verdict.as_deref().unwrap_or("no verdict");
        let score = one.recorded.score;
        let score = score.map_or_else(String::new, |score| format!(", score {score}"));
        writeln!(out, "{}: {verdict}{score}", one.kind)?;
        writeln!(
            out,
            "  decided {} by {}.{} {} on version {} of leads",
            one.decided_at, one.plugin, one.function, one.version, one.data_version
        )?;
        for reason in &one.recorded.reasons {
            writeln!(out, "  because {} ({})", reason.text, reason.code)?;
        }
        if let Some(error) = &one.recorded.error {
            writeln!(out, "  the rule refused the lead: {error}")?;
        }
        writeln!(out, "  asked: {}", one.arguments)?;
        writeln!(out, "  settings: {}", one.settings)?;
        match one.reproduced {
            true => writeln!(out, "  asked again, it says the same")?,
            false => writeln!(
                out,
                "  asked again, it says something else: {}",
                one.repeated.verdict.as_deref().unwrap_or("no verdict")
            )?,
        }
    }
    Ok(())
}
