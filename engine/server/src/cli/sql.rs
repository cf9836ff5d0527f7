//! `tributary sql`: one statement with its parameters, answered as a table or in a format of the HTTP answers; or a shell
//! for many of them.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;

use clap::{Args, ValueEnum};
use futures::TryStreamExt;
use tributary_engine_core::engine::Answer;
use tributary_engine_core::parameter::Parameters;
use tributary_engine_core::{Error, Fault};

use super::data::{Data, Whose};
use super::door::{Door, Local};
use super::grid::Grid;
use super::remote::Asked;
use super::shape::Shape;
use super::shell::Shell;
use super::stop::{Result, file_error};
use crate::encode::{self, Encoding};
use crate::limits::{SQL_FILE_BYTES, TABLE_ROWS};
use crate::parameters;

/// Answer one SQL statement, or many in a shell.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary sql -m acme -c 'SELECT * FROM v_funnel LIMIT 10'
  tributary sql -m acme report.sql --format csv > report.csv
  tributary sql -m acme report.sql -p region=north -p from:date=2024-01-01 --format parquet > report.parquet
  echo 'SELECT count(*) AS leads FROM leads' | tributary sql -m acme --format json
  tributary sql -m acme -c 'SELECT table_name FROM information_schema.tables'

Without a statement a terminal gets a shell, in which \\? explains the rest:
  tributary sql -m acme
  tributary sql --server http://127.0.0.1:7070 --token-file acme.token
  tributary sql -m acme --interactive < many.sql")]
pub(super) struct Sql {
    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    asked: Asked,

    #[command(flatten)]
    whose: Whose,

    #[command(flatten)]
    source: Source,

    #[command(flatten)]
    given: Given,

    #[command(flatten)]
    written: Written,

    /// The shell on any standard input, for scripts of many statements and for editors
    #[arg(long, conflicts_with_all = ["command", "file", "parameter"])]
    interactive: bool,
}

/// Where the statement stands.
#[derive(Args)]
pub(super) struct Source {
    /// The statement
    #[arg(short, long = "command", value_name = "SQL", conflicts_with = "file")]
    command: Option<String>,

    /// A file with the statement; where neither is given, standard input, or a shell on a terminal
    file: Option<PathBuf>,
}

/// What the placeholders stand for.
#[derive(Args)]
pub(super) struct Given {
    /// Value of the placeholder $NAME; KIND is text, integer, number, decimal, boolean, date or timestamp, and text
    /// where it is left out. May be repeated
    #[arg(short, long = "parameter", value_name = "NAME[:KIND]=VALUE")]
    parameter: Vec<String>,
}

impl Given {
    /// The parameters by name.
    pub(super) fn parameters(&self) -> Result<Parameters> {
        let mut parameters = Parameters::new();
        for (name, value) in self.pairs()? {
            parameters::add(&mut parameters, name, value.to_owned())?;
        }
        Ok(parameters)
    }

    /// Names, with their kinds where they have one, and values.
    pub(super) fn pairs(&self) -> Result<Vec<(&str, &str)>> {
        let without_value = |text: &str| {
            Error::new(Fault::Invalid, format!("parameter {text:?} has no value"))
                .with_hint("Write it as -p region=north or -p from:date=2024-01-01.")
        };
        let pairs = self
            .parameter
            .iter()
            .map(|text| text.split_once('=').ok_or_else(|| without_value(text)));
        Ok(pairs.collect::<Result<_, _>>()?)
    }
}

/// How an answer is written.
#[derive(Args)]
pub(super) struct Written {
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl Written {
    /// Writes the answer to standard output.
    pub(super) async fn print(&self, answer: Answer) -> Result<()> {
        match self.shape()? {
            Shape::Table => print_table(answer).await,
            Shape::Encoded(encoding) => print_encoded(answer, encoding).await,
        }
    }

    fn shape(&self) -> Result<Shape> {
        self.format.shape()
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Laid out for reading: money with two decimals, NULL as ∅
    Table,
    /// All rows, a header first
    Csv,
    /// The body that HTTP answers with
    Json,
    /// One JSON object a line
    Ndjson,
    /// Arrow IPC stream
    Arrow,
    /// Apache Parquet
    Parquet,
}

impl Format {
    fn shape(self) -> Result<Shape> {
        let name = self.to_possible_value();
        Ok(Shape::named(
            name.as_ref().map_or("table", |value| value.get_name()),
        )?)
    }
}

impl Sql {
    pub(super) async fn run(self) -> Result<()> {
        let shape = self.written.shape()?;
        let Some(sql) = self.statement()? else {
            return Shell::new(self.door().await?, shape).run().await;
        };
        if io::stdout().is_terminal() {
            shape.for_terminal("Send it to a file: tributary sql … > answer")?;
        }
        // A database that is closed answers no further.
        let door = self.door().await?;
        let answer = door.answer(&sql, self.given.parameters()?).await?;
        self.written.print(answer).await
    }

    async fn door(&self) -> Result<Door> {
        if let Some(server) = self.asked.server(self.whose.manufacturer.as_ref())? {
            return Ok(Door::Remote(server));
        }
        let engine = self.data.existing().await?;
        Ok(Door::Local(Local {
            manufacturer: self.whose.choose(engine.as_ref()).await?,
            engine,
            folder: self.data.data.display().to_string(),
        }))
    }

    /// The one statement; none where the shell is wanted.
    fn statement(&self) -> Result<Option<String>> {
        if self.interactive {
            return Ok(None);
        }
        self.source.find()
    }
}

impl Source {
    /// The text of the statement.
    pub(super) fn statement(&self) -> Result<String> {
        self.find()?.ok_or_else(|| {
            Error::new(Fault::Invalid, "no statement is given")
                .with_hint("Give one with -c, name a file, or pipe it in.")
                .into()
        })
    }

    /// The text of the statement; none where it would have to be typed.
    fn find(&self) -> Result<Option<String>> {
        if let Some(command) = &self.command {
            return Ok(Some(command.clone()));
        }
        let file = self.file.as_deref().filter(|file| *file != Path::new("-"));
        if let Some(path) = file {
            return read(path).map(Some);
        }
        if self.file.is_none() && io::stdin().is_terminal() {
            return Ok(None);
        }
        text(io::stdin(), Path::new("standard input")).map(Some)
    }
}

/// The SQL of a file.
pub(super) fn read(path: &Path) -> Result<String> {
    let file = File::open(path).map_err(|error| file_error("open", path, &error))?;
    text(file, path)
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
