//! An answer as bytes: JSON, NDJSON, CSV, an Arrow stream or Parquet, a batch or a row group at a time, so that nobody
//! holds the whole answer.
//!
//! HTTP and the command line share it. An answer that fails late ends in an error, never in a complete body.

mod arrow_ipc;
mod csv;
mod formulas;
mod json;
mod limit;
mod ndjson;
mod parquet;
mod rows;
mod types;

use std::collections::BTreeMap;
use std::pin::pin;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use futures::future;
use futures::stream::{self, BoxStream, Stream, StreamExt, TryStreamExt};
use serde_json::value::RawValue;
use tributary_engine_core::engine::{Answer, Frame, Trailer};
use tributary_engine_core::{Error, Fault, Result};

use crate::limits::OBJECTS_BYTES;

pub(crate) use limit::{More, limited};

/// The formats in which an answer can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Columns with types, rows as objects, and what the answer was computed from.
    Json,
    /// Rows alone, one object a line.
    Ndjson,
    /// RFC 4180 with a header row; nested values as JSON text.
    Csv,
    /// Arrow IPC stream.
    Arrow,
    /// Apache Parquet.
    Parquet,
}

impl Encoding {
    /// Every format, the preferred one first.
    pub(crate) const ALL: [Self; 5] = [
        Self::Json,
        Self::Ndjson,
        Self::Csv,
        Self::Arrow,
        Self::Parquet,
    ];

    /// Its name in a URL and on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Arrow => "arrow",
            Self::Parquet => "parquet",
        }
    }

    /// Its media type.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv",
            Self::Arrow => "application/vnd.apache.arrow.stream",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// An encoder for rows of one schema; a schema that the format cannot say is refused here, before the first byte.
    pub(crate) fn encoder(
        self,
        schema: &SchemaRef,
        freshness: &BTreeMap<String, u64>,
    ) -> Result<Box<dyn Encoder>> {
        self.encoder_with(schema, freshness, &Options::default())
    }

    /// The same, for whoever has wishes.
    pub(crate) fn encoder_with(
        self,
        schema: &SchemaRef,
        freshness: &BTreeMap<String, u64>,
        options: &Options,
    ) -> Result<Box<dyn Encoder>> {
        Ok(match self {
            Self::Json => Box::new(json::Json::new(schema, freshness, options.more.clone())?),
            Self::Ndjson => Box::new(ndjson::Ndjson::new(schema)?),
            Self::Csv if options.neutral_formulas => Box::new(csv::Csv::neutral(schema)?),
            Self::Csv => Box::new(csv::Csv::new(schema)?),
            Self::Arrow => Box::new(arrow_ipc::Ipc::new(schema)?),
            Self::Parquet => Box::new(parquet::File::new(schema)?),
        })
    }
}

/// What an answer may be written with, beyond its rows.
#[derive(Default)]
pub(crate) struct Options {
    /// In CSV, an apostrophe in front of texts that a spreadsheet would compute.
    pub(crate) neutral_formulas: bool,
    /// In JSON, whether there were more rows than a limit let through; known when the rows have ended.
    pub(crate) more: Option<More>,
}

/// Writes one answer: head, rows, tail.
pub(crate) trait Encoder: Send {
    /// What comes before the first row.
    fn head(&mut self) -> Result<Vec<u8>>;

    /// The rows of one batch.
    fn rows(&mut self, batch: &RecordBatch) -> Result<Vec<u8>>;

    /// What comes after the last row.
    fn tail(&mut self, trailer: &Trailer) -> Result<Vec<u8>>;
}

/// The bytes of an answer. Pulls the next batch only when the last one has been taken.
pub(crate) fn bytes(
    frames: BoxStream<'static, Result<Frame>>,
    encoder: Box<dyn Encoder>,
) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    stream::try_unfold(Step::Head(frames, encoder), Step::next)
        .try_filter(|bytes| future::ready(!bytes.is_empty()))
}

/// The rows of a small answer, each as a JSON object.
pub(crate) async fn objects(answer: Answer) -> Result<Vec<Box<RawValue>>> {
    let encoder = Encoding::Ndjson.encoder(&answer.schema, &answer.freshness)?;
    let mut chunks = pin!(bytes(answer.frames, encoder));
    let mut lines = Vec::new();
    while let Some(chunk) = chunks.try_next().await? {
        if lines.len() + chunk.len() > OBJECTS_BYTES {
            return Err(Error::limit("objects_bytes", OBJECTS_BYTES, "more")
                .with_hint("Ask for the rows with a query, which streams them."));
        }
        lines.extend_from_slice(&chunk);
    }
    lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).map_err(|e| Error::internal("read row", e)))
        .collect()
}

/// How far the writing of an answer has come.
enum Step {
    Head(BoxStream<'static, Result<Frame>>, Box<dyn Encoder>),
    Rows(BoxStream<'static, Result<Frame>>, Box<dyn Encoder>),
    Done,
}

impl Step {
    async fn next(self) -> Result<Option<(Bytes, Self)>> {
        let (mut frames, mut encoder) = match self {
            Self::Head(frames, mut encoder) => {
                let head = encoder.head()?;
                return Ok(Some((head.into(), Self::Rows(frames, encoder))));
            }
            Self::Rows(frames, encoder) => (frames, encoder),
            Self::Done => return Ok(None),
        };
        match frames.next().await {
            Some(Ok(Frame::Batch(batch))) => {
                let rows = encoder.rows(&batch)?;
                Ok(Some((rows.into(), Self::Rows(frames, encoder))))
            }
            Some(Ok(Frame::End(trailer))) => Ok(Some((encoder.tail(&trailer)?.into(), Self::Done))),
            Some(Err(error)) => Err(error),
            None => Err(Error::internal("encode answer", "the answer has no end")),
        }
    }
}

/// A value that the format cannot express; batches of a checked schema do not get here.
fn cannot_encode<E: std::fmt::Display>(format: &str) -> impl Fn(E) -> Error {
    move |error| {
        Error::new(
            Fault::Invalid,
            format!("encode answer as {format}: {error}"),
        )
        .with_hint("Cast the column to another type, or ask for another format.")
    }
}

#[cfg(test)]
mod tests;
