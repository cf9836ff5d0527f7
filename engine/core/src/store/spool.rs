//! Rows that wait on disk: written once, read as often as a write needs them, gone with it.

use std::fs::File;
use std::io::{BufReader, BufWriter};

use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;
use tempfile::NamedTempFile;

use crate::fault::{Error, Fault, Result};

/// A spool that takes rows.
pub struct Spool {
    file: NamedTempFile,
    writer: StreamWriter<BufWriter<File>>,
}

impl Spool {
    pub fn create(schema: &SchemaRef) -> Result<Self> {
        let file = NamedTempFile::new().map_err(fail)?;
        let writer = BufWriter::new(file.reopen().map_err(fail)?);
        let writer = StreamWriter::try_new(writer, schema).map_err(unwritable)?;
        Ok(Self { file, writer })
    }

    pub fn push(&mut self, rows: &RecordBatch) -> Result<()> {
        self.writer.write(rows).map_err(unwritable)
    }

    /// No more rows come.
    pub fn close(mut self) -> Result<Spooled> {
        self.writer.finish().map_err(unwritable)?;
        Ok(Spooled { file: self.file })
    }
}

/// A spool that can be read.
pub struct Spooled {
    file: NamedTempFile,
}

impl Spooled {
    /// The rows from the first one, in batches as they were pushed.
    pub fn read(&self) -> Result<impl Iterator<Item = Result<RecordBatch>> + Send + use<>> {
        let file = BufReader::new(self.file.reopen().map_err(fail)?);
        let batches = StreamReader::try_new(file, None)
            .map_err(|error| Error::internal("read spooled rows", error))?;
        Ok(batches.map(|batch| batch.map_err(|error| Error::internal("read spooled rows", error))))
    }
}

fn fail(error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            Error::new(Fault::Full, "no room to spool rows").with_source(error)
        }
        _ => Error::internal("spool rows", error),
    }
}

fn unwritable(error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, error) => fail(error),
        other => Error::internal("spool rows", other),
    }
}
