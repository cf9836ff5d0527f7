//! `tributary ingest`: a file into a table, through the call that HTTP makes.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::{Args, ValueEnum};
use futures::stream::{self, StreamExt};
use tributary_engine_core::engine::{self, Body, Principal, Receipt};
use tributary_engine_core::{Error, Fault};

use super::data::{Data, Whose};
use super::grid::thousands;
use super::progress::{Progress, Step, Unit, note};
use super::stop::{Result, file_error};
use crate::limits::FILE_CHUNK_BYTES;

/// Store the rows of a CSV or Parquet file in a table.
///
/// One commit: all rows, or none and the reason. The first ingest of a manufacturer creates it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary ingest -m acme distributors distributors.csv
  tributary ingest -m acme leads leads.parquet
  zcat leads.csv.gz | tributary ingest -m acme leads - --format csv")]
pub(super) struct Ingest {
    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    whose: Whose,

    /// Table of the data model, for example leads
    table: String,

    /// CSV or Parquet file; - is standard input
    file: PathBuf,

    /// How the file is written [default: by its extension]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Csv,
    Parquet,
}

impl Ingest {
    pub(super) async fn run(self) -> Result<()> {
        let format = match self.format {
            Some(format) => format,
            None => by_extension(&self.file)?,
        };
        let (from, length) = open(&self.file)?;
        let opened = self.data.created().await?;
        if opened.first_token.is_some() {
            note(&format!("created {}", self.data.data.display()));
        }
        let ingest = engine::Ingest {
            principal: Principal::Operator,
            manufacturer: self.whose.choose(opened.engine.as_ref()).await?,
            table: self.table,
            format: match format {
                Format::Csv => engine::Format::Csv,
                Format::Parquet => engine::Format::Parquet,
            },
        };
        let label = format!("{}.{}", ingest.manufacturer, ingest.table);
        let step = Progress::new().step(label, Unit::Bytes, length);
        let receipt = opened
            .engine
            .ingest(ingest, chunks(from, step.clone()))
            .await?;
        step.done("stored");
        writeln!(io::stdout(), "{}", summary(&receipt))?;
        Ok(())
    }
}

/// The receipt as one line.
fn summary(receipt: &Receipt) -> String {
    format!(
        "{}.{}: {} rows in, {} inserted, {} updated, {} unchanged, {} rejected; table version {}",
        receipt.manufacturer,
        receipt.table,
        thousands(receipt.rows_in),
        thousands(receipt.inserted),
        thousands(receipt.updated),
        thousands(receipt.unchanged),
        thousands(receipt.rejected),
        receipt.table_version,
    )
}

fn by_extension(path: &Path) -> Result<Format, Error> {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "csv" => Ok(Format::Csv),
        "parquet" => Ok(Format::Parquet),
        _ => Err(Error::new(
            Fault::Invalid,
            format!(
                "\"{}\" ends neither in .csv nor in .parquet",
                path.display()
            ),
        )
        .with_hint("Say how it is written with --format csv or --format parquet.")),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_format_by_its_extension() {
        for (path, expected) in [
            ("a.csv", Some(Format::Csv)),
            ("b/a.tar.PARQUET", Some(Format::Parquet)),
            ("a.csv.gz", None),
            ("csv", None),
            ("-", None),
        ] {
            assert_eq!(by_extension(Path::new(path)).ok(), expected, "{path}");
        }
    }
}
