//! What an import says of itself in the table `imports`: one row for each table that it wrote.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::record_batch::RecordBatch;

use crate::engine::ImportedTable;
use crate::fault::{Error, Result};
use crate::model::Table;

/// What is the same in each of its rows.
pub struct Record<'a> {
    pub import: String,
    pub mapping: &'a str,
    /// SHA-256 of the mapping's text, as hex.
    pub digest: String,
    pub at_us: i64,
}

impl Record<'_> {
    /// The rows for one manufacturer's tables, in the order of the table `imports`.
    pub fn rows(&self, tables: &[&ImportedTable]) -> Result<RecordBatch> {
        let mut tables = tables.to_vec();
        tables.sort_by(|a, b| a.table.cmp(&b.table));
        let always = |text: &str| Arc::new(StringArray::from(vec![text; tables.len()])) as ArrayRef;
        let counts = |count: fn(&ImportedTable) -> u64| {
            let counts = tables
                .iter()
                .map(|table| i64::try_from(count(table)).unwrap_or(i64::MAX));
            Arc::new(counts.collect::<Int64Array>()) as ArrayRef
        };
        let at =
            TimestampMicrosecondArray::from(vec![self.at_us; tables.len()]).with_timezone("UTC");
        let names: StringArray = tables
            .iter()
            .map(|table| Some(table.table.as_str()))
            .collect();
        let columns = vec![
            always(&self.import),
            always(self.mapping),
            always(&self.digest),
            Arc::new(at),
            Arc::new(names),
            counts(|table| table.rows_in),
            counts(|table| table.inserted),
            counts(|table| table.updated),
            counts(|table| table.unchanged),
            counts(|table| table.rejected),
        ];
        let schema = Table::named("imports")
            .expect("the data model has imports")
            .schema();
        RecordBatch::try_new(schema, columns)
            .map_err(|error| Error::internal("record import", error))
    }
}
