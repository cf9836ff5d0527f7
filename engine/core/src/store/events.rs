//! The history of leads: what one request changes in them, one event for each value.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, StringArray, TimestampMicrosecondArray, UInt32Array};
use arrow::compute::kernels::cmp::distinct;
use arrow::compute::{CastOptions, cast_with_options, concat_batches, is_not_null, take};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use arrow::util::display::FormatOptions;

use crate::fault::{Error, Result};
use crate::model::Table;

/// The table of events.
const EVENTS: &str = "lead_events";
/// What ingest calls itself as the source of a change.
const SOURCE: &str = "ingest";

/// Instants as RFC 3339 and everything else as ingest reads it, so that a value can be read back.
const SPELLING: CastOptions<'static> = CastOptions {
    safe: false,
    format_options: FormatOptions::new().with_timestamp_tz_format(Some("%Y-%m-%dT%H:%M:%S%.6fZ")),
};

/// Makes the events of one request.
pub struct History {
    schema: SchemaRef,
    key: usize,
    /// Columns that the request names, the key excepted, by position in the table.
    columns: Vec<usize>,
    names: Vec<String>,
    at_us: i64,
}

impl History {
    /// Over the columns that the request names.
    pub fn new(model: &Table, named: &Schema, at_us: i64) -> Result<Self> {
        let schema = model.schema();
        let position = |name: &str| {
            schema
                .index_of(name)
                .map_err(|error| Error::internal("find column", error))
        };
        let key = position(model.key[0])?;
        let mut columns = Vec::with_capacity(named.fields().len());
        for field in named.fields() {
            columns.push(position(field.name())?);
        }
        columns.retain(|column| *column != key);
        let events = Table::named(EVENTS).expect("the data model has lead_events");
        Ok(Self {
            schema: events.schema(),
            key,
            names: columns
                .iter()
                .map(|column| schema.field(*column).name().clone())
                .collect(),
            columns,
            at_us,
        })
    }

    /// The values that differ between stored rows and what becomes of them; both have every column of the table.
    pub fn changed(&self, before: &RecordBatch, after: &RecordBatch) -> Result<RecordBatch> {
        let fail = |error| Error::internal("compare rows", error);
        let mut events = Vec::with_capacity(self.columns.len());
        for (column, name) in self.columns.iter().zip(&self.names) {
            let (old, new) = (before.column(*column), after.column(*column));
            let differs = distinct(old, new).map_err(fail)?;
            events.extend(
                self.events(after.column(self.key), new, name, &differs)
                    .map_err(fail)?,
            );
        }
        concat_batches(&self.schema, &events).map_err(fail)
    }

    /// The values of rows that are new, NULLs left out; the rows have the columns that the request names.
    pub fn added(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        let fail = |error| Error::internal("note new rows", error);
        let missing = || Error::internal("note new rows", "a row has no key");
        let key = rows.schema();
        let key = key
            .fields()
            .iter()
            .position(|field| !self.names.contains(field.name()));
        let key = rows.column(key.ok_or_else(missing)?);
        let mut events = Vec::with_capacity(self.columns.len());
        for name in &self.names {
            let values = rows.column_by_name(name).ok_or_else(missing)?;
            let present = is_not_null(values).map_err(fail)?;
            events.extend(self.events(key, values, name, &present).map_err(fail)?);
        }
        concat_batches(&self.schema, &events).map_err(fail)
    }

    /// One event for each marked value of one column; nothing where none is marked.
    fn events(
        &self,
        keys: &ArrayRef,
        values: &ArrayRef,
        field: &str,
        marked: &BooleanArray,
    ) -> Result<Option<RecordBatch>, ArrowError> {
        let rows: UInt32Array = (0_u32..)
            .zip(marked.values())
            .filter_map(|(row, marked)| marked.then_some(row))
            .collect();
        if rows.is_empty() {
            return Ok(None);
        }
        let values = cast_with_options(&take(values, &rows, None)?, &DataType::Utf8, &SPELLING)?;
        let always = |text: &str| Arc::new(StringArray::from(vec![text; rows.len()])) as ArrayRef;
        let at = TimestampMicrosecondArray::from(vec![self.at_us; rows.len()]).with_timezone("UTC");
        RecordBatch::try_new(
            Arc::clone(&self.schema),
            vec![
                take(keys, &rows, None)?,
                Arc::new(at),
                always(field),
                values,
                always(SOURCE),
            ],
        )
        .map(Some)
    }
}
