//! `tributary ingest`: a file into a table, through the call that HTTP makes.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;
use futures::stream::{self, StreamExt};
use tributary_engine_core::engine::{
    self, Body, Encoding, Format, OnError, Principal, ReadAs, Reading, Receipt,
};
use tributary_engine_core::{Error, Fault};

use super::data::{Data, Whose};
use super::grid::thousands;
use super::progress::{Progress, Step, Unit, note};
use super::stop::{Result, file_error};
use crate::limits::FILE_CHUNK_BYTES;

/// Store the rows of a file in a table.
///
/// CSV, NDJSON, Parquet or Arrow IPC, plain or packed with gzip or zstd. One commit: all rows, or none and the reason. The
/// first ingest of a manufacturer creates it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary ingest -m acme distributors distributors.csv
  tributary ingest -m acme leads leads.parquet
  tributary ingest -m acme revenue export.csv.gz --delimiter ';' --decimal , --dates dmy --encoding windows-1252
  tributary ingest -m acme leads leads.ndjson --on-error quarantine
  produce-leads | tributary ingest -m acme leads - --format csv")]
pub(super) struct Ingest {
    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    whose: Whose,

    /// Table of the data model, for example leads
    table: String,

    /// File with the rows; - is standard input
    file: PathBuf,

    /// How the file is written: csv, ndjson, parquet or arrow [default: by its extension]
    #[arg(long)]
    format: Option<String>,

    /// What becomes of a file with bad rows: refuse it, or set the rows aside in the table quarantine and store the others
    #[arg(
        long,
        alias = "on_error",
        value_name = "refuse|quarantine",
        default_value = "refuse"
    )]
    on_error: String,

    #[command(flatten)]
    dialect: Dialect,
}

/// How a text file is written, where it is not UTF-8 with commas, points and ISO dates.
#[derive(Args)]
#[command(next_help_heading = "Text files")]
struct Dialect {
    /// Encoding, for example windows-1252 or utf-16le [default: utf-8, or what a byte order mark says]
    #[arg(long, value_name = "LABEL")]
    encoding: Option<String>,

    /// What stands between the fields of CSV: , ; | or tab [default: ,]
    #[arg(long, value_name = "CHAR")]
    delimiter: Option<String>,

    /// What stands before decimals: . or , [default: .]
    #[arg(long, value_name = "CHAR")]
    decimal: Option<String>,

    /// Order of dates: iso, dmy or mdy [default: iso]
    #[arg(long, value_name = "ORDER")]
    dates: Option<String>,

    /// A text that means NULL; may be said several times
    #[arg(long, value_name = "TEXT")]
    null: Vec<String>,

    /// What a key means that an NDJSON object lacks: refuse or null [default: refuse where it is ambiguous]
    #[arg(long, value_name = "refuse|null")]
    missing: Option<String>,
}

impl Dialect {
    /// Says each option to `reading`, in the words of HTTP.
    fn say(&self, reading: &mut Reading) -> Result<(), Error> {
        let options = [
            ("encoding", &self.encoding),
            ("delimiter", &self.delimiter),
            ("decimal", &self.decimal),
            ("dates", &self.dates),
            ("missing", &self.missing),
        ];
        for (option, value) in options {
            if let Some(value) = value {
                reading.set(option, value)?;
            }
        }
        for text in &self.null {
            reading.set("null", text)?;
        }
        Ok(())
    }
}

impl Ingest {
    fn reading(&self) -> Result<Reading, Error> {
        let (by_name, compression) = Reading::by_name(&self.file);
        let said = self.format.as_deref().map(Format::named).transpose()?;
        let format = said.or(by_name).ok_or_else(|| unknown_format(&self.file))?;
        let mut reading = Reading::of(format);
        reading.compression = compression;
        self.dialect.say(&mut reading)?;
        Ok(reading)
    }

    pub(super) async fn run(self) -> Result<()> {
        let reading = self.reading()?;
        let on_error = OnError::named(&self.on_error)?;
        let (from, length) = open(&self.file)?;
        let opened = self.data.created().await?;
        if opened.first_token.is_some() {
            note(&format!("created {}", self.data.data.display()));
        }
        let ingest = engine::Ingest {
            principal: Principal::Operator,
            manufacturer: self.whose.choose(opened.engine.as_ref()).await?,
            table: self.table,
            reading,
            on_error,
        };
        let label = format!("{}.{}", ingest.manufacturer, ingest.table);
        let step = Progress::new().step(label, Unit::Bytes, length);
        let receipt = opened
            .engine
            .ingest(ingest, chunks(from, step.clone()))
            .await?;
        step.done("stored");
        writeln!(io::stdout(), "{}", summary(&receipt))?;
        if receipt.rejected > 0 {
            note("the rejected rows and why: SELECT * FROM quarantine");
        }
        Ok(())
    }
}

/// The receipt as one line.
fn summary(receipt: &Receipt) -> String {
    format!(
        "{}.{}: {} rows in, {} inserted, {} updated, {} unchanged, {} rejected; table version {}{}",
        receipt.manufacturer,
        receipt.table,
        thousands(receipt.rows_in),
        thousands(receipt.inserted),
        thousands(receipt.updated),
        thousands(receipt.unchanged),
        thousands(receipt.rejected),
        receipt.table_version,
        found(&receipt.read_as),
    )
}

/// What nobody said and the file was found to be.
fn found(read_as: &ReadAs) -> String {
    let encoding = read_as.encoding.filter(|found| *found != Encoding::UTF_8);
    let words = [
        encoding.map(|encoding| encoding.word()),
        read_as.compression.map(|packing| packing.word().to_owned()),
        read_as
            .line_ends
            .as_ref()
            .map(|ends| format!("lines end in {ends}")),
    ];
    let words: Vec<String> = words.into_iter().flatten().collect();
    if words.is_empty() {
        return String::new();
    }
    format!("; read as {}, {}", read_as.format, words.join(", "))
}

fn unknown_format(path: &Path) -> Error {
    let words = Format::WORDS;
    Error::new(
        Fault::Invalid,
        format!("\"{}\" does not say how it is written", path.display()),
    )
    .with_hint(format!(
        "Say it with --format {}.",
        words.join(", --format ")
    ))
}

/// The file and its length, 0 where that is not known.
fn open(path: &Path) -> Result<(Box<dyn Read + Send>, u64)> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin()), 0));
    }
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, file) = opened.map_err(|error| file_error("open", path, &error))?;
    if metadata.is_dir() {
        return Err(Error::new(
            Fault::Invalid,
            format!("\"{}\" is a folder", path.display()),
        )
        .with_hint("Ingest its files one by one.")
        .into());
    }
    Ok((Box::new(file), metadata.len()))
}

/// The bytes of a file as a request body, read off the threads that answer.
fn chunks(from: Box<dyn Read + Send>, step: Step) -> Body {
    stream::unfold(Some(from), move |from| {
        let step = step.clone();
        async move {
            let mut from = from?;
            let read = tokio::task::spawn_blocking(move || {
                let mut chunk = vec![0; FILE_CHUNK_BYTES];
                let read = from.read(&mut chunk);
                read.map(|length| {
                    chunk.truncate(length);
                    (Bytes::from(chunk), from)
                })
            });
            match read.await.map_err(io::Error::other).flatten() {
                Ok((chunk, _)) if chunk.is_empty() => None,
                Ok((chunk, from)) => {
                    step.advance(chunk.len() as u64);
                    Some((Ok(chunk), Some(from)))
                }
                Err(error) => Some((Err(error), None)),
            }
        }
    })
    .boxed()
}
