//! The rows of a text file under construction: a builder for each column, and which rows are good.

use arrow::array::{ArrayRef, BooleanArray};
use arrow::compute::filter;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use super::builder::ColumnBuilder;
use super::dialect::Dialect;
use super::header::Header;
use crate::fault::{Error, Result};
use crate::limits;

/// Collects rows until they are enough for a batch.
pub struct RowBuilder {
    /// The columns, in the order of the header.
    pub columns: Vec<ColumnBuilder>,
    schema: SchemaRef,
    good: Vec<bool>,
    bytes: usize,
}

impl RowBuilder {
    pub fn new(header: &Header, dialect: &Dialect) -> Self {
        let columns = header.columns.iter();
        Self {
            columns: columns
                .map(|(_, column)| ColumnBuilder::new(column, dialect))
                .collect(),
            schema: header.schema.clone(),
            good: Vec::new(),
            bytes: 0,
        }
    }

    /// Ends a row of so many bytes; every column has taken a value, or NULL in place of a bad one.
    pub fn end_row(&mut self, is_good: bool, bytes: usize) {
        self.good.push(is_good);
        self.bytes += bytes;
    }

    /// Whether the rows are enough for a batch.
    pub const fn is_full(&self) -> bool {
        self.good.len() >= limits::INGEST_BATCH_ROWS || self.bytes >= limits::INGEST_BATCH_BYTES
    }

    /// The good rows so far; the builder is empty again.
    pub fn finish(&mut self) -> Result<RecordBatch> {
        let fail = |error| Error::internal("decode rows", error);
        self.bytes = 0;
        let good = std::mem::take(&mut self.good);
        let columns = self.columns.iter_mut().map(ColumnBuilder::finish);
        let columns: Vec<ArrayRef> = if good.contains(&false) {
            let good = BooleanArray::from(good);
            let kept = columns.map(|column| filter(&column, &good));
            kept.collect::<Result<_, _>>().map_err(fail)?
        } else {
            columns.collect()
        };
        RecordBatch::try_new(self.schema.clone(), columns).map_err(fail)
    }
}
