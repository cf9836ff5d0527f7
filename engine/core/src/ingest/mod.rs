//! From the bytes of a file to checked batches. Knows the data model; nothing of storage or SQL.

mod builder;
mod convert;
mod csv;
mod dialect;
mod header;
mod ipc;
mod ndjson;
mod parquet;
mod quotes;
mod reader;
mod rejected;
mod rejects;
mod rows;
mod source;
mod strings;
mod text;
mod thrift;

use std::sync::{Arc, OnceLock};

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use futures::stream::{BoxStream, StreamExt};
use tokio::sync::mpsc;

use crate::engine::Body;
use crate::fault::{Error, Fault, Result};
use crate::model::{Kind, Table};
use crate::reading::{Delimiter, Format, OnError, ReadAs, Reading};
use convert::Converter;
use reader::BodyReader;
pub use rejected::Rejected;
use rejects::{Place, Rejects};
use source::Source;
use text::Text;

/// Checked rows, in the order of the file. The first batch may be empty; every batch has the same columns,
/// which are those that the file names, in the order of the table.
pub type Rows = BoxStream<'static, Result<RecordBatch>>;

/// Rows of any columns and types.
pub type Batches = BoxStream<'static, Result<RecordBatch>>;

/// Batches that wait between the decoding thread and the store.
const BATCHES_WAITING: usize = 4;

/// A file on its way to a table.
pub struct Decoded {
    /// Its good rows; an error where the file, or one of its rows, refuses it as a whole.
    pub rows: Rows,
    /// Its bad rows, where they are set aside; complete when all rows have been read.
    pub rejected: Arc<Rejected>,
    /// How it is written; known before the first rows.
    pub read_as: Arc<OnceLock<ReadAs>>,
}

/// Decodes a body on a thread of its own: a file that makes a decoder panic fails this request only.
pub fn decode(table: Arc<Table>, reading: &Reading, on_error: OnError, body: Body) -> Decoded {
    let (sender, receiver) = mpsc::channel(BATCHES_WAITING);
    let reader = BodyReader::new(body);
    let reading = reading.clone();
    let rejected: Arc<Rejected> = Arc::default();
    let read_as: Arc<OnceLock<ReadAs>> = Arc::default();
    let (aside, found) = (Arc::clone(&rejected), Arc::clone(&read_as));
    let work = tokio::task::spawn_blocking(move || {
        let mut emit = |batch| sender.blocking_send(Ok(batch)).map_err(|_| abandoned());
        let rejects = |place| Rejects::new(place, on_error, aside);
        let done = File::open(&reading, reader).and_then(|file| {
            // The only other setting of it would be a second call.
            let _ = found.set(file.read_as(&reading));
            file.decode(&table, &reading, rejects, &mut emit)
        });
        if let Err(error) = done {
            // The receiver is gone only when the request is: nobody is left to tell.
            let _ = sender.blocking_send(Err(error));
        }
    });
    let batches = futures::stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|item| (item, receiver))
    });
    let outcome = futures::stream::once(work)
        .filter_map(|joined| async { joined.err().map(|panic| Err(damaged(panic))) });
    Decoded {
        rows: batches.chain(outcome).boxed(),
        rejected,
        read_as,
    }
}

/// The columns of a file, as far as its head says: names, and types where the format has them. A text file's values are
/// text. NDJSON has no head, so it is read whole.
pub async fn columns(reading: &Reading, body: Body) -> Result<Vec<(String, Option<Kind>)>> {
    let reader = BodyReader::new(body);
    let reading = reading.clone();
    let work = tokio::task::spawn_blocking(move || File::open(&reading, reader)?.columns(&reading));
    work.await.map_err(damaged).flatten()
}

/// Batches of any types into the columns of a table, by the same rules as a file. Columns named in `round` lose the
/// decimals that they have too many, half away from zero.
pub fn convert_rows(
    table: &Table,
    on_error: OnError,
    batches: Batches,
    schema: &SchemaRef,
    round: &[String],
) -> Result<Decoded> {
    let rejected: Arc<Rejected> = Arc::default();
    let rejects = Rejects::new(Place::Row, on_error, Arc::clone(&rejected));
    let converter = Converter::new(table, schema, rejects, round)?;
    let first = RecordBatch::new_empty(converter.schema());
    let converted = futures::stream::unfold(Some((converter, batches)), |state| async {
        let (mut converter, mut batches) = state?;
        let mut out = Vec::new();
        match batches.next().await {
            Some(Ok(batch)) => {
                let taken = converter.take(&batch, &mut |batch| {
                    out.push(Ok(batch));
                    Ok(())
                });
                match taken {
                    Ok(()) if !converter.is_full() => Some((out, Some((converter, batches)))),
                    taken => Some((
                        taken
                            .and_then(|()| converter.finish())
                            .err()
                            .into_iter()
                            .map(Err)
                            .collect(),
                        None,
                    )),
                }
            }
            Some(Err(error)) => Some((vec![Err(error)], None)),
            None => Some((
                converter.finish().err().into_iter().map(Err).collect(),
                None,
            )),
        }
    });
    let first = futures::stream::iter([Ok(first)]);
    let converted = converted.flat_map(futures::stream::iter);
    Ok(Decoded {
        rows: first.chain(converted).boxed(),
        rejected,
        read_as: Arc::default(),
    })
}

/// A file whose format and dialect are known.
enum File {
    Csv(Text),
    Ndjson(Text),
    Parquet(Source),
    Arrow(Source),
}

impl File {
    fn open(reading: &Reading, reader: BodyReader) -> Result<Self> {
        if let Some(format) = reading.format {
            reading.check(format)?;
        }
        let source = Source::open(reading.compression, reader)?;
        let format = reading.format.or_else(|| by_magic(&source.magic));
        let format = format.ok_or_else(|| {
            Error::new(Fault::Invalid, "the format of the file is not known")
                .with_hint(format!("Say format={}.", Format::WORDS.join(", format=")))
        })?;
        reading.check(format)?;
        Ok(match format {
            Format::Csv => Self::Csv(Text::open(reading.encoding, source)?),
            Format::Ndjson => Self::Ndjson(Text::open(reading.encoding, source)?),
            Format::Parquet => Self::Parquet(source),
            Format::Arrow => Self::Arrow(source),
        })
    }

    fn read_as(&self, reading: &Reading) -> ReadAs {
        let (format, compression, text) = match self {
            Self::Csv(text) => ("csv", text.compression, Some(text)),
            Self::Ndjson(text) => ("ndjson", text.compression, Some(text)),
            Self::Parquet(source) => ("parquet", source.compression, None),
            Self::Arrow(source) if ipc::is_file(&source.magic) => {
                ("arrow_file", source.compression, None)
            }
            Self::Arrow(source) => ("arrow_stream", source.compression, None),
        };
        ReadAs {
            format: format.to_owned(),
            compression,
            encoding: text.map(|text| text.encoding),
            delimiter: matches!(self, Self::Csv(_))
                .then(|| reading.delimiter.unwrap_or(Delimiter::Comma)),
            line_ends: text
                .filter(|text| text.carriage_returns)
                .map(|_| "cr".to_owned()),
            decimal: reading.decimal,
            dates: reading.dates,
        }
    }

    fn decode(
        self,
        table: &Table,
        reading: &Reading,
        rejects: impl FnOnce(Place) -> Rejects,
        emit: &mut dyn FnMut(RecordBatch) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::Csv(text) => csv::decode(table, reading, text.reader, rejects(Place::Line), emit),
            Self::Ndjson(text) => {
                ndjson::decode(table, reading, text.reader, rejects(Place::Line), emit)
            }
            Self::Parquet(source) => parquet::decode(table, source, rejects(Place::Row), emit),
            Self::Arrow(source) => ipc::decode(table, source, rejects(Place::Row), emit),
        }
    }

    fn columns(self, reading: &Reading) -> Result<Vec<(String, Option<Kind>)>> {
        let untyped = |names: Vec<String>| names.into_iter().map(|name| (name, None)).collect();
        match self {
            Self::Csv(text) => csv::columns(reading, text.reader).map(untyped),
            Self::Ndjson(text) => ndjson::columns(text.reader).map(untyped),
            Self::Parquet(source) => parquet::schema(source).and_then(|schema| typed(&schema)),
            Self::Arrow(source) => ipc::schema(source).and_then(|schema| typed(&schema)),
        }
    }
}

fn by_magic(magic: &[u8]) -> Option<Format> {
    if magic.starts_with(b"PAR1") {
        return Some(Format::Parquet);
    }
    ipc::is_file(magic).then_some(Format::Arrow)
}

fn typed(schema: &Schema) -> Result<Vec<(String, Option<Kind>)>> {
    let columns = schema.fields().iter().map(|field| {
        let kind = convert::kind_of(field.data_type()).ok_or_else(|| {
            Error::new(
                Fault::Invalid,
                format!(
                    "column {} is {}, which no column stores",
                    rejects::quote(field.name()),
                    field.data_type()
                ),
            )
            .with_hint("Leave it out, or cast it before writing the file.")
        })?;
        Ok((field.name().clone(), Some(kind)))
    });
    columns.collect()
}

fn damaged(panic: tokio::task::JoinError) -> Error {
    Error::new(Fault::Invalid, "file is damaged and cannot be decoded").with_source(panic)
}

fn abandoned() -> Error {
    Error::new(Fault::Invalid, "request was abandoned")
}

#[cfg(test)]
mod tests;
