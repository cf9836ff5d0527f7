//! An answer as bytes: JSON, CSV or an Arrow stream, one batch at a time, so that nobody holds the whole answer.
//!
//! HTTP and the command line share it. An answer that fails late ends in an error, never in a complete body.

mod arrow_ipc;
mod csv;
mod json;
mod types;

use std::collections::BTreeMap;

use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use futures::future;
use futures::stream::{self, BoxStream, Stream, StreamExt, TryStreamExt};
use tributary_engine_core::engine::{Frame, Trailer};
use tributary_engine_core::{Error, Fault, Result};

/// The formats in which an answer can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Columns with types, rows as objects, and what the answer was computed from.
    Json,
    /// RFC 4180 with a header row; nested values as JSON text.
    Csv,
    /// Arrow IPC stream.
    Arrow,
}

impl Encoding {
    /// Every format, the preferred one first.
    pub(crate) const ALL: [Self; 3] = [Self::Json, Self::Csv, Self::Arrow];

    /// Its media type.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv",
            Self::Arrow => "application/vnd.apache.arrow.stream",
        }
    }

    /// An encoder for rows of one schema; a schema that the format cannot say is refused here, before the first byte.
    pub(crate) fn encoder(
        self,
        schema: &SchemaRef,
        freshness: &BTreeMap<String, u64>,
    ) -> Result<Box<dyn Encoder>> {
        Ok(match self {
            Self::Json => Box::new(json::Json::new(schema, freshness)?),
            Self::Csv => Box::new(csv::Csv::new(schema)?),
            Self::Arrow => Box::new(arrow_ipc::Ipc::new(schema)?),
        })
    }
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
fn cannot_encode(format: &str) -> impl Fn(ArrowError) -> Error {
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
