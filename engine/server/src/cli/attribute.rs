//! `tributary attribute`: columns that a manufacturer adds to a table of the data model.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use tributary_engine_core::engine::{self, Declare, Declared, Principal};

use super::data::{Data, Whose};
use super::grid;
use super::stop::Result;

/// Columns of your own in the tables of the data model.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary attribute add -m acme leads budget money
  tributary attribute add -m acme distributors showrooms integer
  tributary attribute list -m acme leads")]
pub(super) struct Attribute {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Add(Add),
    List(List),
}

/// Add a column; files may fill it and SQL and plugins read it from then on. It is NULL in the rows that are there.
#[derive(Args)]
#[command(after_help = "\
Types: text, integer, number, decimal(p,s), money, boolean, date, timestamp, rating.

Example:
  tributary attribute add -m acme leads budget money")]
struct Add {
    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    whose: Whose,

    /// Table of the data model, for example leads
    table: String,

    /// Name of the column: lower-case letters, digits and underscores
    name: String,

    /// Type of its values
    kind: String,
}

/// Show the columns that were added to a table.
#[derive(Args)]
#[command(after_help = "Example:\n  tributary attribute list -m acme leads")]
struct List {
    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    whose: Whose,

    /// Table of the data model
    table: String,
}

impl Attribute {
    pub(super) async fn run(self) -> Result<()> {
        match self.command {
            Command::Add(add) => {
                let attribute = engine::Attribute {
                    name: add.name,
                    kind: add.kind,
                };
                declare(&add.data, &add.whose, add.table, vec![attribute]).await
            }
            Command::List(list) => declare(&list.data, &list.whose, list.table, Vec::new()).await,
        }
    }
}

async fn declare(
    data: &Data,
    whose: &Whose,
    table: String,
    attributes: Vec<engine::Attribute>,
) -> Result<()> {
    let engine = data.existing().await?;
    let declare = Declare {
        principal: Principal::Operator,
        manufacturer: whose.choose(engine.as_ref()).await?,
        table,
        attributes,
    };
    show(engine.declare(declare).await?)
}

fn show(declared: Declared) -> Result<()> {
    let mut out = io::stdout().lock();
    if declared.attributes.is_empty() {
        writeln!(out, "table {} has no columns of its own", declared.table)?;
        return Ok(());
    }
    let rows = declared
        .attributes
        .into_iter()
        .map(|attribute| [attribute.name, attribute.kind]);
    writeln!(out, "{}", grid::plain(["attribute", "type"], rows))?;
    Ok(())
}
