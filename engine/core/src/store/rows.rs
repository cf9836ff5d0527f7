//! Rows between files and requests: stored ones read back, incoming ones made whole.

use std::sync::Arc;

use arrow::array::new_null_array;
use arrow::record_batch::RecordBatch;
use futures::StreamExt;

use super::file::DataFile;
use super::scan::{Wanted, scan};
use super::snapshot::Snapshot;
use super::table::StoredTable;
use crate::fault::{Error, Result};
use crate::ingest::Rows;
use crate::model::Table;

/// Adds the columns that the file leaves out, as NULL.
pub fn complete(model: &Table, batch: &RecordBatch) -> Result<RecordBatch> {
    let schema = model.schema();
    let columns = schema.fields().iter().map(|field| {
        let given = batch.column_by_name(field.name()).cloned();
        given.unwrap_or_else(|| new_null_array(field.data_type(), batch.num_rows()))
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect())
        .map_err(|error| Error::internal("complete rows", error))
}

/// One file's batches, some or all columns.
pub fn read(
    snapshot: &Snapshot,
    file: &DataFile,
    columns: Option<&Vec<usize>>,
    table: &StoredTable,
) -> Result<Rows> {
    let fail = |error| Error::internal(format!("read table \"{}\"", table.base.name), error);
    let wanted = Wanted {
        projection: columns,
        partitions: 1,
        ..Wanted::default()
    };
    let runtime = table.task.runtime_env();
    let stream = scan(snapshot, &[file], wanted, &runtime)
        .and_then(|plan| plan.execute(0, Arc::clone(&table.task)))
        .map_err(fail)?;
    Ok(stream.map(move |batch| batch.map_err(fail_read)).boxed())
}

fn fail_read(error: datafusion::error::DataFusionError) -> Error {
    Error::internal("read stored rows", error)
}
