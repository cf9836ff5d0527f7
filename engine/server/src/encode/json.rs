//! The JSON answer: columns with types first, rows as objects, then what only the last row could tell.
//!
//! `"complete": true` is the last member, so a body that was cut off says so by lacking it. Decimals are number
//! literals with all their digits; a number that JSON has no literal for (NaN, infinity) is null.

use std::collections::BTreeMap;

use arrow::datatypes::{Field, SchemaRef};
use arrow::json::ArrayWriter;
use arrow::json::WriterBuilder;
use arrow::record_batch::RecordBatch;
use serde::Serialize;
use tributary_engine_core::engine::{PluginReceipt, Trailer};
use tributary_engine_core::{Error, Result};

use super::rows::check_objects;
use super::{Encoder, More, cannot_encode, types};

/// Writes one JSON document.
pub(super) struct Json {
    head: Vec<u8>,
    /// Writes `[`, the rows with commas between them, and `]`.
    rows: ArrayWriter<Vec<u8>>,
    freshness: BTreeMap<String, u64>,
    more: Option<More>,
}

impl Json {
    /// Refuses two columns of one name, of which an object would lose one, and types that JSON cannot say.
    pub(super) fn new(
        schema: &SchemaRef,
        freshness: &BTreeMap<String, u64>,
        more: Option<More>,
    ) -> Result<Self> {
        check_objects(schema)?;
        let columns: Vec<Column<'_>> = schema
            .fields()
            .iter()
            .map(|field| Column::of(field))
            .collect();
        let columns =
            serde_json::to_string(&columns).map_err(|e| Error::internal("write columns", e))?;
        Ok(Self {
            head: format!("{{\"columns\":{columns},\"rows\":").into_bytes(),
            rows: WriterBuilder::new()
                .with_explicit_nulls(true)
                .build(Vec::new()),
            freshness: freshness.clone(),
            more,
        })
    }
}

impl Encoder for Json {
    fn head(&mut self) -> Result<Vec<u8>> {
        Ok(std::mem::take(&mut self.head))
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<Vec<u8>> {
        self.rows.write(batch).map_err(cannot_encode("JSON"))?;
        Ok(std::mem::take(self.rows.get_mut()))
    }

    fn tail(&mut self, trailer: &Trailer) -> Result<Vec<u8>> {
        self.rows.finish().map_err(cannot_encode("JSON"))?;
        let mut bytes = std::mem::take(self.rows.get_mut());
        let tail = Tail {
            row_count: trailer.rows,
            elapsed_ms: trailer.elapsed_us as f64 / 1_000.0,
            tables: &self.freshness,
            plugins: &trailer.plugins,
            more: self.more.as_ref().and_then(|more| more.get().copied()),
            complete: true,
        };
        let tail = serde_json::to_string(&tail).map_err(|e| Error::internal("write trailer", e))?;
        bytes.push(b',');
        bytes.extend_from_slice(tail.trim_start_matches('{').as_bytes());
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// One column as the head names it.
#[derive(Serialize)]
struct Column<'a> {
    name: &'a str,
    r#type: String,
    nullable: bool,
}

impl<'a> Column<'a> {
    fn of(field: &'a Field) -> Self {
        Self {
            name: field.name(),
            r#type: types::name(field.data_type()),
            nullable: field.is_nullable(),
        }
    }
}

/// The members after the rows.
#[derive(Serialize)]
struct Tail<'a> {
    row_count: u64,
    elapsed_ms: f64,
    tables: &'a BTreeMap<String, u64>,
    plugins: &'a [PluginReceipt],
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<bool>,
    complete: bool,
}
