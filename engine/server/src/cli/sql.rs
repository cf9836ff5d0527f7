//! `tributary sql`: one statement, answered as a table, CSV or JSON.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;

use clap::{Args, ValueEnum};
use futures::TryStreamExt;
use tributary_engine_core::engine::{Answer, Principal, Query};
use tributary_engine_core::{Error, Fault};

use super::data::{Data, Whose};
use super::grid::Grid;
use super::stop::{Result, file_error};
use crate::encode::{self, Encoding};
use crate::limits::{SQL_FILE_BYTES, TABLE_ROWS};

/// Answer one SQL statement.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary sql -m acme -c 'SELECT * FROM v_funnel LIMIT 10'
  tributary sql -m acme report.sql --format csv > report.csv
  echo 'SELECT count(*) AS leads FROM leads' | tributary sql -m acme --format json
  tributary sql -m acme -c 'SELECT table_name FROM information_schema.tables'")]
pub(super) struct Sql {
    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    whose: Whose,

    /// The statement
    #[arg(short, long = "command", value_name = "SQL", conflicts_with = "file")]
    command: Option<String>,

    /// A file with the statement; standard input where neither is given
    file: Option<PathBuf>,

    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Laid out for reading: money with two decimals, NULL as ∅
    Table,
    /// All rows, a header first
    Csv,
    /// The body that HTTP answers with
    Json,
}

impl Sql {
    pub(super) async fn run(self) -> Result<()> {
        let sql = self.statement()?;
        let engine = self.data.existing().await?;
        let query = Query {
            principal: Principal::Operator,
            manufacturer: self.whose.choose(engine.as_ref()).await?,
            sql,
            deadline: None,
        };
        let answer = engine.query(query).await?;
        match self.format {
            Format::Table => print_table(answer).await,
            Format::Csv => print_encoded(answer, Encoding::Csv).await,
            Format::Json => print_encoded(answer, Encoding::Json).await,
        }
    }

    fn statement(&self) -> Result<String> {
        if let Some(command) = &self.command {
            return Ok(command.clone());
        }
        match self.file.as_deref().filter(|file| *file != Path::new("-")) {
            Some(path) => {
                let file = File::open(path).map_err(|error| file_error("open", path, &error))?;
                text(file, path)
            }
            None if io::stdin().is_terminal() => {
                Err(Error::new(Fault::Invalid, "no statement is given")
                    .with_hint("Give one with -c, name a file, or pipe it in.")
                    .into())
            }
            None => text(io::stdin(), Path::new("standard input")),
        }
    }
}

fn text(from: impl Read, path: &Path) -> Result<String> {
    let mut sql = String::new();
    from.take(SQL_FILE_BYTES + 1)
        .read_to_string(&mut sql)
        .map_err(|error| file_error("read", path, &error))?;
    if sql.len() as u64 > SQL_FILE_BYTES {
        return Err(Error::limit("sql_file_bytes", SQL_FILE_BYTES, "more").into());
    }
    Ok(sql)
}

async fn print_table(answer: Answer) -> Result<()> {
    let grid = Grid::gather(answer, TABLE_ROWS).await?;
    let mut out = io::stdout().lock();
    write!(out, "{}", grid.layout()?)?;
    writeln!(out, "{}", grid.footer())?;
    Ok(out.flush()?)
}

async fn print_encoded(answer: Answer, encoding: Encoding) -> Result<()> {
    let encoder = encoding.encoder(&answer.schema, &answer.freshness)?;
    let mut bytes = pin!(encode::bytes(answer.frames, encoder));
    while let Some(bytes) = bytes.try_next().await? {
        io::stdout().write_all(&bytes)?;
    }
    Ok(io::stdout().flush()?)
}
