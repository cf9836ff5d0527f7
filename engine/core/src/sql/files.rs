//! Statements over the files of an import: a session that sees these files and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::AsArray;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{DataFrame, SessionContext, cast, ident, lit};
use futures::StreamExt;
use futures::stream::BoxStream;

use super::gate::Gated;
use super::session::read_only;
use crate::classify::classify;
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::parameter::Parameters;

/// A session over files.
pub struct Files {
    context: SessionContext,
}

/// A statement over them that is ready to run.
pub struct FilePlan {
    context: SessionContext,
    logical: LogicalPlan,
}

impl Files {
    pub(super) const fn new(context: SessionContext) -> Self {
        Self { context }
    }

    /// Plans one SELECT.
    pub async fn plan(&self, sql: &str) -> Result<FilePlan> {
        let statement = Gated::parse(sql, &Parameters::new())?.statement;
        let state = self.context.state();
        let logical = state.statement_to_plan(statement).await.map_err(classify)?;
        read_only().verify_plan(&logical).map_err(|error| {
            Error::new(Fault::Denied, "statement is not read-only").with_source(error)
        })?;
        Ok(FilePlan {
            context: self.context.clone(),
            logical,
        })
    }
}

impl FilePlan {
    /// Names of the columns of its rows.
    pub fn columns(&self) -> Vec<String> {
        let fields = self.logical.schema().fields().iter();
        fields.map(|field| field.name().clone()).collect()
    }

    /// The columns that it reads of each file.
    pub fn reads(&self) -> Result<BTreeMap<String, BTreeSet<String>>> {
        let optimized = self
            .context
            .state()
            .optimize(&self.logical)
            .map_err(classify)?;
        let mut reads: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        optimized
            .apply_with_subqueries(|node| {
                if let LogicalPlan::TableScan(scan) = node {
                    let columns = reads.entry(scan.table_name.table().to_owned()).or_default();
                    columns.extend(
                        scan.projected_schema
                            .fields()
                            .iter()
                            .map(|field| field.name().clone()),
                    );
                }
                Ok(TreeNodeRecursion::Continue)
            })
            .map_err(classify)?;
        Ok(reads)
    }

    /// The different values of one column, as text; an error where one is NULL.
    pub async fn values(&self, column: &str) -> Result<BTreeSet<String>> {
        let rows = self
            .rows()
            .select(vec![cast(ident(column), DataType::Utf8).alias(column)])
            .and_then(DataFrame::distinct)
            .map_err(classify)?;
        let mut batches = rows.execute_stream().await.map_err(classify)?;
        let mut values = BTreeSet::new();
        while let Some(batch) = batches.next().await {
            let batch = batch.map_err(classify)?;
            for value in batch.column(0).as_string::<i32>() {
                let value = value.ok_or_else(|| {
                    Error::new(
                        Fault::Invalid,
                        format!("column \"{column}\" is NULL in a row"),
                    )
                })?;
                values.insert(value.to_owned());
            }
            if values.len() > limits::IMPORT_MANUFACTURERS {
                return Err(Error::limit(
                    "import_manufacturers",
                    limits::IMPORT_MANUFACTURERS,
                    "more",
                ));
            }
        }
        Ok(values)
    }

    /// Runs it.
    pub async fn run(&self) -> Result<(SchemaRef, BoxStream<'static, Result<RecordBatch>>)> {
        stream(self.rows()).await
    }

    /// Runs it for the rows that have this value in one column, which is left out.
    pub async fn run_where(
        &self,
        column: &str,
        value: &str,
    ) -> Result<(SchemaRef, BoxStream<'static, Result<RecordBatch>>)> {
        let others = self.columns().into_iter().filter(|name| name != column);
        let rows = self
            .rows()
            .filter(cast(ident(column), DataType::Utf8).eq(lit(value)))
            .and_then(|rows| rows.select(others.map(ident).collect::<Vec<_>>()))
            .map_err(classify)?;
        stream(rows).await
    }

    fn rows(&self) -> DataFrame {
        DataFrame::new(self.context.state(), self.logical.clone())
    }
}

async fn stream(rows: DataFrame) -> Result<(SchemaRef, BoxStream<'static, Result<RecordBatch>>)> {
    let batches = rows.execute_stream().await.map_err(classify)?;
    let schema = batches.schema();
    Ok((schema, batches.map(|batch| batch.map_err(classify)).boxed()))
}
