//! The NDJSON answer: one JSON object a line and nothing else, with the values of the JSON answer.
//!
//! Nothing in the body tells a whole answer from a part of one; the transfer does, which breaks off on an error.

use arrow::datatypes::SchemaRef;
use arrow::json::{LineDelimitedWriter, WriterBuilder};
use arrow::record_batch::RecordBatch;
use tributary_engine_core::Result;
use tributary_engine_core::engine::Trailer;

use super::rows::check_objects;
use super::{Encoder, cannot_encode};

/// Writes one object for each row.
pub(super) struct Ndjson {
    rows: LineDelimitedWriter<Vec<u8>>,
}

impl Ndjson {
    /// Refuses what no JSON object can hold.
    pub(super) fn new(schema: &SchemaRef) -> Result<Self> {
        check_objects(schema)?;
        Ok(Self {
            rows: WriterBuilder::new()
                .with_explicit_nulls(true)
                .build(Vec::new()),
        })
    }
}

impl Encoder for Ndjson {
    fn head(&mut self) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<Vec<u8>> {
        self.rows.write(batch).map_err(cannot_encode("NDJSON"))?;
        Ok(std::mem::take(self.rows.get_mut()))
    }

    fn tail(&mut self, _: &Trailer) -> Result<Vec<u8>> {
        self.rows.finish().map_err(cannot_encode("NDJSON"))?;
        Ok(std::mem::take(self.rows.get_mut()))
    }
}
