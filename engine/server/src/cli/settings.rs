//! `tributary settings`: how a manufacturer's year runs.

use std::io::{self, Write};

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use tributary_engine_core::engine::Principal;

use super::data::{Data, Whose};
use super::stop::Result;

/// Show and change what a manufacturer sets for itself: its fiscal year, its holidays.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary settings show -m acme
  tributary settings set -m acme --fiscal-start-month 4
  tributary settings set -m acme --holiday 2024-12-25 --holiday 2024-12-26")]
pub(super) struct Settings {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Print the settings as JSON
    Show(Show),
    /// Change some of them
    Set(Set),
}

#[derive(Args)]
struct Show {
    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    whose: Whose,
}

#[derive(Args)]
struct Set {
    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    whose: Whose,

    /// The month that the fiscal year begins with, 1 to 12
    #[arg(long, value_name = "MONTH", value_parser = clap::value_parser!(u8).range(1..=12))]
    fiscal_start_month: Option<u8>,

    /// A day on which nobody works; may be given several times, and replaces those that were set
    #[arg(long, value_name = "DAY")]
    holiday: Vec<NaiveDate>,

    /// No holidays
    #[arg(long, conflicts_with = "holiday")]
    no_holidays: bool,
}

impl Settings {
    pub(super) async fn run(self) -> Result<()> {
        let settings = match self.what {
            What::Show(show) => {
                let engine = show.data.existing().await?;
                let manufacturer = show.whose.choose(engine.as_ref()).await?;
                engine.settings(&Principal::Operator, &manufacturer).await?
            }
            What::Set(set) => {
                let engine = set.data.existing().await?;
                let manufacturer = set.whose.choose(engine.as_ref()).await?;
                let mut settings = engine.settings(&Principal::Operator, &manufacturer).await?;
                if let Some(month) = set.fiscal_start_month {
                    settings.fiscal_start_month = month;
                }
                if set.no_holidays || !set.holiday.is_empty() {
                    settings.holidays = set.holiday;
                }
                engine
                    .set(&Principal::Operator, &manufacturer, settings)
                    .await?
            }
        };
        let mut out = io::stdout().lock();
        serde_json::to_writer_pretty(&mut out, &settings).map_err(io::Error::from)?;
        writeln!(out)?;
        Ok(())
    }
}
