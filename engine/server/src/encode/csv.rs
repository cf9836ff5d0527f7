//! The CSV answer: a header row, then the rows; NULL is an empty field.
//!
//! CSV has no nested values, so lists and structs are written as JSON text in their field.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringBuilder};
use arrow::csv::WriterBuilder;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::json::writer::{EncoderOptions, make_encoder};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use tributary_engine_core::engine::Trailer;
use tributary_engine_core::{Error, Result};

use super::{Encoder, cannot_encode, formulas};

/// Writes one CSV file.
pub(super) struct Csv {
    schema: SchemaRef,
    /// Whether no cell may be a formula to a spreadsheet.
    is_neutral: bool,
}

impl Csv {
    /// Refuses types that have no text form.
    pub(super) fn new(schema: &SchemaRef) -> Result<Self> {
        Self::checked(schema, false)
    }

    /// The same, with an apostrophe in front of every text that a spreadsheet would compute, names of columns included.
    pub(super) fn neutral(schema: &SchemaRef) -> Result<Self> {
        Self::checked(schema, true)
    }

    fn checked(schema: &SchemaRef, is_neutral: bool) -> Result<Self> {
        let csv = Self {
            schema: SchemaRef::clone(schema),
            is_neutral,
        };
        csv.write(&RecordBatch::new_empty(SchemaRef::clone(schema)), false)?;
        Ok(csv)
    }

    fn write(&self, batch: &RecordBatch, header: bool) -> Result<Vec<u8>> {
        let mut batch = nested_as_text(batch)?;
        if self.is_neutral {
            batch = formulas::neutralised(&batch)?;
        }
        let mut bytes = Vec::new();
        WriterBuilder::new()
            .with_header(header)
            .build(&mut bytes)
            .write(&batch)
            .map_err(cannot_encode("CSV"))?;
        Ok(bytes)
    }
}

impl Encoder for Csv {
    fn head(&mut self) -> Result<Vec<u8>> {
        self.write(
            &RecordBatch::new_empty(SchemaRef::clone(&self.schema)),
            true,
        )
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<Vec<u8>> {
        self.write(batch, false)
    }

    fn tail(&mut self, _: &Trailer) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

/// The batch with every nested column replaced by its JSON text.
fn nested_as_text(batch: &RecordBatch) -> Result<RecordBatch> {
    let schema = batch.schema();
    if !schema
        .fields()
        .iter()
        .any(|field| field.data_type().is_nested())
    {
        return Ok(batch.clone());
    }
    let columns: Vec<(FieldRef, ArrayRef)> = schema
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, column)| {
            if !field.data_type().is_nested() {
                return Ok((Arc::clone(field), Arc::clone(column)));
            }
            let text = Field::new(field.name(), DataType::Utf8, true);
            Ok((Arc::new(text), json_text(field, column)?))
        })
        .collect::<Result<_>>()?;
    let (fields, columns): (Vec<FieldRef>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &rows)
        .map_err(|error| Error::internal("write nested columns as text", error))
}

fn json_text(field: &FieldRef, column: &ArrayRef) -> Result<ArrayRef> {
    let options = EncoderOptions::default().with_explicit_nulls(true);
    let mut encoder = make_encoder(field, column, &options).map_err(cannot_encode("CSV"))?;
    let mut text = StringBuilder::new();
    let mut value = Vec::new();
    for row in 0..column.len() {
        if column.is_null(row) {
            text.append_null();
            continue;
        }
        value.clear();
        encoder.encode(row, &mut value);
        text.append_value(String::from_utf8_lossy(&value));
    }
    Ok(Arc::new(text.finish()))
}
