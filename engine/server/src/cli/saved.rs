//! `tributary view`, `tributary query` and `tributary metric`: save SQL under a name, read it back, delete it, list it, run it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::{Args, Subcommand, ValueEnum};
use tributary_engine_core::engine::Principal;
use tributary_engine_core::metric::{Direction, Measure, MetricKind};
use tributary_engine_core::parameter::{Parameter, ParameterKind, Parameters, Value};
use tributary_engine_core::saved::{Declared, Definition, Named, Run, Save, Saved, SavedKind};
use tributary_engine_core::{Error, Fault};

use super::data::{Data, Whose};
use super::grid;
use super::sql::{Given, Source, Written};
use super::stop::Result;
use crate::parameters;

/// Views: SELECTs that SQL reads like tables.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary view put -m acme won_leads -c \"SELECT * FROM leads WHERE outcome = 'won'\"
  tributary view list -m acme
  tributary view get -m acme won_leads --version 1
  tributary view delete -m acme won_leads")]
pub(super) struct View {
    #[command(subcommand)]
    command: ViewCommand,
}

#[derive(Subcommand)]
enum ViewCommand {
    Put(PutView),
    Get(Get),
    List(List),
    Delete(Delete),
}

/// Queries with names: SELECTs with declared parameters.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary query put -m acme by_region by_region.sql -p region:text -p from:date=2024-01-01
  tributary query run -m acme by_region -p region=north --format csv
  tributary query list -m acme
  tributary query get -m acme by_region
  tributary query delete -m acme by_region")]
pub(super) struct Query {
    #[command(subcommand)]
    command: QueryCommand,
}

#[derive(Subcommand)]
enum QueryCommand {
    Put(PutQuery),
    Get(Get),
    List(List),
    Delete(Delete),
    Run(RunQuery),
}

/// Metrics: what distributors are compared by. The shipped ones, and those that replace them or come on top.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary metric put -m acme big_deals big_deals.sql --kind count --direction up
  tributary metric list -m acme
  tributary metric show -m acme win_rate
  tributary metric delete -m acme big_deals")]
pub(super) struct Metric {
    #[command(subcommand)]
    command: MetricCommand,
}

#[derive(Subcommand)]
enum MetricCommand {
    Put(PutMetric),
    #[command(visible_alias = "show")]
    Get(Get),
    List(List),
    Delete(Delete),
}

/// Save the next version of a view; the same content again changes nothing.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary view put -m acme won_leads won_leads.sql --description 'Leads that were won'
  tributary view put -m acme won_leads -c \"SELECT * FROM leads WHERE outcome = 'won'\"")]
struct PutView {
    #[command(flatten)]
    one: One,

    #[command(flatten)]
    source: Source,

    /// What it is for
    #[arg(long, default_value = "")]
    description: String,
}

/// Save the next version of a query; the same content again changes nothing.
#[derive(Args)]
#[command(after_help = "\
Example:
  tributary query put -m acme by_region -p region:text -p from:date=2024-01-01 \\
    -c 'SELECT count(*) FROM leads WHERE region = $region AND created_at >= $from'")]
struct PutQuery {
    #[command(flatten)]
    one: One,

    #[command(flatten)]
    source: Source,

    /// What it is for
    #[arg(long, default_value = "")]
    description: String,

    /// A parameter: its kind is text, integer, number, decimal, boolean, date or timestamp. May be repeated
    #[arg(short, long = "parameter", value_name = "NAME:KIND[=DEFAULT]")]
    parameter: Vec<String>,
}

/// Save the next version of a metric; the same content again changes nothing.
///
/// Its rows have distributor_id, at (DATE or TIMESTAMP) and what the kind says; every further column is a dimension.
#[derive(Args)]
#[command(after_help = "\
Example:
  tributary metric put -m acme big_wins --kind rate --direction up --maturity-days 120 \\
    -c \"SELECT distributor_id, sent_at AS at, outcome = 'won' AND amount > 50000 AS event
        FROM leads WHERE sent_at IS NOT NULL\"")]
struct PutMetric {
    #[command(flatten)]
    one: One,

    #[command(flatten)]
    source: Source,

    /// How rows become a number
    #[arg(long)]
    kind: Kind,

    /// Which way is good
    #[arg(long)]
    direction: Way,

    /// Days until a row is known for good
    #[arg(long, value_name = "N", default_value_t = 0)]
    maturity_days: u16,

    /// What it is
    #[arg(long, default_value = "")]
    description: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// The sum of value
    Sum,
    /// How many rows there are
    Count,
    /// The sum of numerator over the sum of denominator
    Ratio,
    /// The share of rows in which event is true
    Rate,
}

#[derive(Clone, Copy, ValueEnum)]
enum Way {
    /// More is better
    Up,
    /// Less is better
    Down,
}

/// Print the definition, as JSON.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary view get -m acme won_leads
  tributary query get -m acme by_region --version 1
  tributary metric get -m acme win_rate")]
struct Get {
    #[command(flatten)]
    one: One,

    /// An older version
    #[arg(long, value_name = "N")]
    version: Option<u64>,
}

/// Show what is saved.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary view list -m acme
  tributary query list -m acme
  tributary metric list -m acme")]
struct List {
    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    whose: Whose,
}

/// Delete it; its versions stay readable.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary view delete -m acme won_leads
  tributary query delete -m acme by_region
  tributary metric delete -m acme big_deals")]
struct Delete {
    #[command(flatten)]
    one: One,
}

/// Answer a saved query.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary query run -m acme by_region -p region=north
  tributary query run -m acme by_region -p region=north -p from=2024-01-01 --format parquet > leads.parquet")]
struct RunQuery {
    #[command(flatten)]
    one: One,

    #[command(flatten)]
    given: Given,

    #[command(flatten)]
    written: Written,
}

/// One name of one manufacturer.
#[derive(Args)]
struct One {
    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    whose: Whose,

    /// Its name
    name: String,
}

impl View {
    pub(super) async fn run(self) -> Result<()> {
        const KIND: SavedKind = SavedKind::View;
        match self.command {
            ViewCommand::Put(put) => {
                let definition = Definition {
                    sql: put.source.statement()?,
                    description: put.description,
                    parameters: BTreeMap::new(),
                    measure: None,
                };
                put.one.put(KIND, definition).await
            }
            ViewCommand::Get(get) => get.run(KIND).await,
            ViewCommand::List(list) => list.run(KIND).await,
            ViewCommand::Delete(delete) => delete.one.delete(KIND).await,
        }
    }
}

impl Query {
    pub(super) async fn run(self) -> Result<()> {
        const KIND: SavedKind = SavedKind::Query;
        match self.command {
            QueryCommand::Put(put) => {
                let definition = Definition {
                    sql: put.source.statement()?,
                    description: put.description,
                    parameters: declared(&put.parameter)?,
                    measure: None,
                };
                put.one.put(KIND, definition).await
            }
            QueryCommand::Get(get) => get.run(KIND).await,
            QueryCommand::List(list) => list.run(KIND).await,
            QueryCommand::Delete(delete) => delete.one.delete(KIND).await,
            QueryCommand::Run(run) => run.run().await,
        }
    }
}

impl Metric {
    pub(super) async fn run(self) -> Result<()> {
        const KIND: SavedKind = SavedKind::Metric;
        match self.command {
            MetricCommand::Put(put) => {
                let definition = put.definition()?;
                put.one.put(KIND, definition).await
            }
            MetricCommand::Get(get) => get.run(KIND).await,
            MetricCommand::List(list) => list.run(KIND).await,
            MetricCommand::Delete(delete) => delete.one.delete(KIND).await,
        }
    }
}

impl PutMetric {
    fn definition(&self) -> Result<Definition> {
        let kind = match self.kind {
            Kind::Sum => MetricKind::Sum,
            Kind::Count => MetricKind::Count,
            Kind::Ratio => MetricKind::Ratio,
            Kind::Rate => MetricKind::Rate,
        };
        let direction = match self.direction {
            Way::Up => Direction::Up,
            Way::Down => Direction::Down,
        };
        Ok(Definition {
            sql: self.source.statement()?,
            description: self.description.clone(),
            parameters: BTreeMap::new(),
            measure: Some(Measure {
                kind,
                direction,
                maturity_days: self.maturity_days,
            }),
        })
    }
}

/// `name:kind` and `name:kind=default`.
fn declared(texts: &[String]) -> Result<BTreeMap<String, Declared>> {
    let mut declared = BTreeMap::new();
    for text in texts {
        let (head, default) = match text.split_once('=') {
            Some((head, default)) => (head, Some(Value::Text(default.to_owned()))),
            None => (text.as_str(), None),
        };
        let (name, kind) = head.split_once(':').unwrap_or((head, "text"));
        let parameter = Declared {
            r#type: kind.parse::<ParameterKind>()?,
            default,
            description: String::new(),
        };
        if declared.insert(name.to_owned(), parameter).is_some() {
            return Err(Error::new(
                Fault::Invalid,
                format!("parameter {name:?} is declared twice"),
            )
            .into());
        }
    }
    Ok(declared)
}

impl One {
    async fn put(self, kind: SavedKind, definition: Definition) -> Result<()> {
        let engine = self.data.existing().await?;
        let save = Save {
            principal: Principal::Operator,
            manufacturer: self.whose.choose(engine.as_ref()).await?,
            kind,
            name: self.name,
            definition,
        };
        let saved = engine.put(save).await?;
        writeln!(
            io::stdout(),
            "saved {kind} {}, version {}",
            saved.name,
            saved.version
        )?;
        Ok(())
    }

    async fn delete(self, kind: SavedKind) -> Result<()> {
        let engine = self.data.existing().await?;
        let named = Named {
            principal: Principal::Operator,
            manufacturer: self.whose.choose(engine.as_ref()).await?,
            kind,
            name: self.name,
            version: None,
        };
        let saved = engine.delete(named).await?;
        writeln!(
            io::stdout(),
            "deleted {kind} {}; its {} earlier versions stay readable",
            saved.name,
            saved.version - 1
        )?;
        Ok(())
    }
}

impl Get {
    async fn run(self, kind: SavedKind) -> Result<()> {
        let engine = self.one.data.existing().await?;
        let named = Named {
            principal: Principal::Operator,
            manufacturer: self.one.whose.choose(engine.as_ref()).await?,
            kind,
            name: self.one.name,
            version: self.version,
        };
        let saved = engine.saved(named).await?;
        let json = serde_json::to_string_pretty(&saved)
            .map_err(|error| Error::internal("write definition", error))?;
        writeln!(io::stdout(), "{json}")?;
        Ok(())
    }
}

impl List {
    async fn run(self, kind: SavedKind) -> Result<()> {
        let engine = self.data.existing().await?;
        let manufacturer = self.whose.choose(engine.as_ref()).await?;
        let saved = engine
            .list(&Principal::Operator, &manufacturer, kind)
            .await?;
        if saved.is_empty() {
            writeln!(
                io::stdout(),
                "nothing is saved yet; save one with: tributary {kind} put -m {manufacturer} NAME FILE"
            )?;
            return Ok(());
        }
        let third = match kind {
            SavedKind::Metric => "read as",
            SavedKind::View | SavedKind::Query => "parameters",
        };
        let header = [kind.name(), "version", third, "description", "saved"];
        let table = grid::plain(header, saved.into_iter().map(row));
        writeln!(io::stdout(), "{table}")?;
        Ok(())
    }
}

fn row(saved: Saved) -> [String; 5] {
    let third = match saved.definition.measure {
        Some(measure) => read_as(measure),
        None => parameters_of(&saved.definition),
    };
    [
        saved.name,
        saved.version.to_string(),
        third,
        grid::shown(&saved.definition.description),
        saved.saved_at.unwrap_or_else(|| "shipped".to_owned()),
    ]
}

/// `name:kind`, a line each.
fn parameters_of(definition: &Definition) -> String {
    let parameters = definition.parameters.iter();
    let parameters: Vec<String> = parameters
        .map(|(name, declared)| format!("{name}:{}", declared.r#type))
        .collect();
    parameters.join("\n")
}

/// `rate, up, after 120 days`
fn read_as(measure: Measure) -> String {
    let (kind, direction) = (measure.kind.name(), measure.direction.name());
    match measure.maturity_days {
        0 => format!("{kind}, {direction}"),
        days => format!("{kind}, {direction}, after {days} days"),
    }
}

impl RunQuery {
    async fn run(self) -> Result<()> {
        let parameters = self.values()?;
        let engine = self.one.data.existing().await?;
        let run = Run {
            principal: Principal::Operator,
            manufacturer: self.one.whose.choose(engine.as_ref()).await?,
            name: self.one.name,
            parameters,
        };
        self.written.print(engine.run(run).await?).await
    }

    /// A value without a kind takes the declared one.
    fn values(&self) -> Result<Parameters> {
        let mut values = Parameters::new();
        for (name, value) in self.given.pairs()? {
            parameters::add(&mut values, name, value.to_owned())?;
            if !name.contains(':') {
                let text = Value::Text(value.to_owned());
                values.insert(name.to_owned(), Parameter::untyped(text));
            }
        }
        Ok(values)
    }
}
