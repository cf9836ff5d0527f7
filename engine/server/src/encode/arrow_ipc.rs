//! The Arrow answer: the IPC stream format, for clients that compute on.
//!
//! Dictionaries may differ from batch to batch; the stream format resends them.

use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;
use tributary_engine_core::engine::Trailer;
use tributary_engine_core::{Error, Result};

use super::{Encoder, cannot_encode};

/// Writes one IPC stream; the end-of-stream mark comes only after the last row.
pub(super) struct Ipc {
    writer: StreamWriter<Vec<u8>>,
}

impl Ipc {
    /// Writes the schema into the buffer at once.
    pub(super) fn new(schema: &SchemaRef) -> Result<Self> {
        let writer = StreamWriter::try_new(Vec::new(), schema).map_err(cannot_encode("Arrow"))?;
        Ok(Self { writer })
    }

    fn written(&mut self) -> Vec<u8> {
        std::mem::take(self.writer.get_mut())
    }
}

impl Encoder for Ipc {
    fn head(&mut self) -> Result<Vec<u8>> {
        Ok(self.written())
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<Vec<u8>> {
        self.writer
            .write(batch)
            .map_err(|error| Error::internal("write Arrow stream", error))?;
        Ok(self.written())
    }

    fn tail(&mut self, _: &Trailer) -> Result<Vec<u8>> {
        self.writer
            .finish()
            .map_err(|error| Error::internal("write Arrow stream", error))?;
        Ok(self.written())
    }
}
