//! Whether the rows of a schema can be written with a name for each value, as JSON objects or columns of a file.

use std::collections::HashSet;

use arrow::array::{Array, StructArray};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::json::writer::{EncoderOptions, make_encoder};
use arrow::record_batch::RecordBatch;
use tributary_engine_core::{Error, Fault, Result};

use super::cannot_encode;

/// Refuses rows that are no JSON objects: two columns of one name, or a type without a form in JSON.
pub(super) fn check_objects(schema: &SchemaRef) -> Result<()> {
    refuse_doubled_names(schema, "a JSON row")?;
    refuse_unknown_types(schema)
}

/// Refuses two columns of one name, of which one would be lost.
pub(super) fn refuse_doubled_names(schema: &Schema, holder: &str) -> Result<()> {
    let mut seen = HashSet::new();
    match schema
        .fields()
        .iter()
        .find(|field| !seen.insert(field.name()))
    {
        None => Ok(()),
        Some(field) => Err(Error::new(
            Fault::Invalid,
            format!(
                "column \"{}\" appears twice, which {holder} cannot hold",
                field.name()
            ),
        )
        .with_hint("Give each column a name of its own with AS, or ask for text/csv.")),
    }
}

/// arrow's writer looks at types only when the first row comes, which is after the status line.
fn refuse_unknown_types(schema: &SchemaRef) -> Result<()> {
    if schema.fields().is_empty() {
        return Ok(());
    }
    let rows = StructArray::from(RecordBatch::new_empty(SchemaRef::clone(schema)));
    let field = Field::new("", rows.data_type().clone(), false).into();
    make_encoder(&field, &rows, &EncoderOptions::default())
        .map(|_| ())
        .map_err(cannot_encode("JSON"))
}
