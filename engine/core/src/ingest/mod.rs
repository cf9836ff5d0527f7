//! From the bytes of a request to checked batches. Knows the data model; nothing of storage or SQL.

mod builder;
mod csv;
mod header;
mod parquet;
mod quotes;
mod reader;
mod rejects;

use arrow::record_batch::RecordBatch;
use futures::stream::{BoxStream, StreamExt};
use tokio::sync::mpsc;

use crate::engine::{Body, Format};
use crate::fault::{Error, Fault, Result};
use crate::model::Table;
use reader::BodyReader;

/// Checked rows, in the order of the file. The first batch may be empty; every batch has the same columns,
/// which are those that the file names, in the order of the table.
pub type Rows = BoxStream<'static, Result<RecordBatch>>;

/// Batches that wait between the decoding thread and the store.
const BATCHES_WAITING: usize = 4;

/// Decodes a body on a thread of its own: a file that makes a decoder panic fails this request only.
pub fn decode(table: &'static Table, format: Format, body: Body) -> Rows {
    let (sender, receiver) = mpsc::channel(BATCHES_WAITING);
    let reader = BodyReader::new(body);
    let work = tokio::task::spawn_blocking(move || {
        let mut emit = |batch| sender.blocking_send(Ok(batch)).map_err(|_| abandoned());
        let done = match format {
            Format::Csv => csv::decode(table, reader, &mut emit),
            Format::Parquet => parquet::decode(table, reader, &mut emit),
        };
        if let Err(error) = done {
            // The receiver is gone only when the request is: nobody is left to tell.
            let _ = sender.blocking_send(Err(error));
        }
    });
    let batches = futures::stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|item| (item, receiver))
    });
    let outcome = futures::stream::once(work).filter_map(|joined| async {
        joined.err().map(|panic| {
            Err(
                Error::new(Fault::Invalid, "file is damaged and cannot be decoded")
                    .with_source(panic),
            )
        })
    });
    batches.chain(outcome).boxed()
}

fn abandoned() -> Error {
    Error::new(Fault::Invalid, "request was abandoned")
}
