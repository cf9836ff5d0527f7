//! A table of SQL over one snapshot: files pruned by the log's statistics, sort order declared.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, Statistics};
use datafusion::error::Result;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

use crate::model::Table;
use crate::store::{Snapshot, Wanted, prune, scan};

/// Serves one snapshot to every scan of one query.
#[derive(Debug)]
pub struct SnapshotProvider {
    snapshot: Arc<Snapshot>,
}

impl SnapshotProvider {
    pub const fn new(snapshot: Arc<Snapshot>) -> Self {
        Self { snapshot }
    }

    pub fn table(&self) -> &Table {
        &self.snapshot.table
    }
}

#[async_trait]
impl TableProvider for SnapshotProvider {
    fn schema(&self) -> SchemaRef {
        self.snapshot.table.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn statistics(&self) -> Option<Statistics> {
        let mut statistics = Statistics::new_unknown(&self.schema());
        statistics.num_rows = self
            .snapshot
            .rows()
            .map_or(Precision::Absent, Precision::Exact);
        Some(statistics)
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        // Pruning only leaves files, row groups and pages out; the filter itself stays above the scan.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = DFSchema::try_from(self.schema())?;
        let predicate = conjunction(filters.iter().cloned())
            .map(|filter| state.create_physical_expr(filter, &schema))
            .transpose()?;
        let files = prune(&self.snapshot, predicate.as_ref())?;
        if files.is_empty() {
            let schema = match projection {
                Some(columns) => Arc::new(self.schema().project(columns)?),
                None => self.schema(),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let wanted = Wanted {
            projection,
            predicate,
            limit,
            partitions: state.config().target_partitions(),
        };
        scan(&self.snapshot, &files, wanted, state.runtime_env())
    }
}
