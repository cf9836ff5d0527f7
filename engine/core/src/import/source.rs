//! One file of an export as a table of SQL: read from its beginning by every scan, never held in memory.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::StreamExt;

use super::mapping::Source;
use crate::engine::Body;
use crate::fault::{Error, Fault, Result};
use crate::ingest;
use crate::limits;
use crate::model::{Column, Kind, Semantics, Table};
use crate::reading::{OnError, Reading};

/// A file that has been looked at: its columns are known.
pub struct Opened {
    pub name: String,
    /// A table of those columns.
    pub table: Arc<Table>,
    path: PathBuf,
    reading: Reading,
}

impl Opened {
    /// Reads the head of a file and gives its columns the kinds that the mapping says.
    pub async fn open(name: &str, source: &Source, folder: &Path) -> Result<Self> {
        let place = |error: Error| error.within(&format!("file \"{}\"", source.file));
        let path = folder.join(&source.file);
        let columns = ingest::columns(&source.reading, body(&path).map_err(place)?)
            .await
            .map_err(place)?;
        if let Some(unknown) = source
            .types
            .keys()
            .find(|name| !columns.iter().any(|(column, _)| column == *name))
        {
            let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            return Err(Error::new(
                Fault::Invalid,
                format!("[sources.{name}.types] names column \"{unknown}\", which the file does not have"),
            )
            .with_hint(format!("Its columns are {}.", names.join(", "))));
        }
        let columns = columns.into_iter().map(|(column, own)| {
            let kind = source.types.get(&column).copied().or(own);
            Column::optional(column, kind.unwrap_or(Kind::Text))
        });
        // Every row is taken as it is: the key, the order and what a repeat means belong to the target.
        let table = Table::new(
            source.file.clone().into(),
            columns.collect(),
            &[],
            Semantics::Append,
            &[],
        );
        Ok(Self {
            name: name.to_owned(),
            table: Arc::new(table),
            path,
            reading: source.reading.clone(),
        })
    }

    /// As a table that a session can register.
    pub fn provider(&self) -> Result<Arc<dyn TableProvider>> {
        let rows: Arc<dyn PartitionStream> = Arc::new(Rows {
            schema: self.table.schema(),
            table: Arc::clone(&self.table),
            path: self.path.clone(),
            reading: self.reading.clone(),
        });
        let table = StreamingTable::try_new(self.table.schema(), vec![rows])
            .map_err(|error| Error::internal("register file", error))?;
        Ok(Arc::new(table))
    }
}

/// The rows of a file, from its beginning each time.
struct Rows {
    schema: SchemaRef,
    table: Arc<Table>,
    path: PathBuf,
    reading: Reading,
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rows({})", self.table.name)
    }
}

impl PartitionStream for Rows {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let file = self.table.name.to_string();
        let failed = move |error: Error| {
            DataFusionError::External(Box::new(error.within(&format!("file \"{file}\""))))
        };
        let rows = match body(&self.path) {
            Ok(body) => {
                let table = Arc::clone(&self.table);
                ingest::decode(table, &self.reading, OnError::Refuse, body).rows
            }
            Err(error) => futures::stream::once(futures::future::ready(Err(error))).boxed(),
        };
        let rows = rows.map(move |batch| batch.map_err(&failed));
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            rows,
        ))
    }
}

/// The bytes of a file, read away from the threads that compute.
fn body(path: &Path) -> Result<Body> {
    let file = File::open(path).map_err(|error| {
        let fault = match error.kind() {
            std::io::ErrorKind::NotFound => Fault::Missing,
            _ => Fault::Invalid,
        };
        Error::new(fault, format!("open: {error}")).with_source(error)
    })?;
    let chunks = futures::stream::unfold(Some(file), |file| async {
        let mut file = file?;
        let read = tokio::task::spawn_blocking(move || {
            let mut chunk = vec![0; limits::SOURCE_CHUNK_BYTES];
            let read = file.read(&mut chunk);
            read.map(|length| {
                chunk.truncate(length);
                (Bytes::from(chunk), file)
            })
        });
        match read.await.map_err(std::io::Error::other).flatten() {
            Ok((chunk, _)) if chunk.is_empty() => None,
            Ok((chunk, file)) => Some((Ok(chunk), Some(file))),
            Err(error) => Some((Err(error), None)),
        }
    });
    Ok(chunks.boxed())
}
