//! Rows into file order, spilling to disk where they do not fit the memory that sorts may take.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::StreamExt;

use super::scan::FILE_ORDER;
use crate::classify::classify;
use crate::fault::{Error, Result};
use crate::ingest::Rows;
use crate::model::Table;

/// Sorts full rows of a table into the order of its files. Errors of the input come out as they went in.
pub fn sorted(table: &Table, rows: Rows, task: &Arc<TaskContext>) -> Result<Rows> {
    let fail = |error| Error::internal("sort rows", error);
    let schema = table.schema();
    let order = table.order.iter().map(|name| {
        let position = schema
            .index_of(name)
            .expect("the order names columns of the table");
        PhysicalSortExpr::new(Arc::new(Column::new(name, position)), FILE_ORDER)
    });
    let order = LexOrdering::new(order).expect("every table has an order");
    let source: Arc<dyn PartitionStream> = Arc::new(Once {
        schema: Arc::clone(&schema),
        rows: Mutex::new(Some(rows)),
    });
    let input =
        StreamingTableExec::try_new(schema, vec![source], None, [], false, None).map_err(fail)?;
    let stream = SortExec::new(order, Arc::new(input))
        .execute(0, Arc::clone(task))
        .map_err(fail)?;
    Ok(stream.map(|batch| batch.map_err(unwrap_error)).boxed())
}

/// Our own error if that is what ended the stream, else what the sort had to say.
fn unwrap_error(error: DataFusionError) -> Error {
    match error {
        DataFusionError::External(inner) => match inner.downcast::<Error>() {
            Ok(ours) => *ours,
            Err(other) => Error::internal("sort rows", other),
        },
        other => classify(other),
    }
}

/// A stream that can be read once.
struct Once {
    schema: SchemaRef,
    rows: Mutex<Option<Rows>>,
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once")
    }
}

impl PartitionStream for Once {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = self
            .rows
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let rows = rows.unwrap_or_else(|| futures::stream::empty().boxed());
        let rows =
            rows.map(|batch| batch.map_err(|error| DataFusionError::External(Box::new(error))));
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            rows,
        ))
    }
}
