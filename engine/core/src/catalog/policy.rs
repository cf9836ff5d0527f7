//! A table of SQL as a distributor sees it: the rows and columns that the list of [`Seen`] gives it.
//!
//! Which rows is decided inside the scan, below everything that a statement says: nothing of the statement meets a row
//! that is not the distributor's, and nothing that the table knows of itself, such as how many rows it has, gets out.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::SortOptions;
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType, col, lit,
};
use datafusion::physical_expr::expressions::{self, BinaryExpr as Both, InListExpr};
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::TryStreamExt;
use tokio::sync::OnceCell;

use super::policy_scan::PolicyScan;
use super::provider::SnapshotProvider;
use super::seen::{Rows, Seen, Test};
use crate::fault::Error;
use crate::limits;
use crate::model::Table;

/// One table, for one distributor, in one session.
#[derive(Debug)]
pub struct PolicyProvider {
    inner: SnapshotProvider,
    seen: &'static Seen,
    distributor: Arc<str>,
    /// The tables whose own rows say which rows of this one are there.
    needed: Vec<Arc<Self>>,
    /// The keys of the own rows, once they were asked for.
    keys: OnceCell<ArrayRef>,
}

impl PolicyProvider {
    pub(super) fn new(
        inner: SnapshotProvider,
        seen: &'static Seen,
        distributor: Arc<str>,
        needed: Vec<Arc<Self>>,
    ) -> Self {
        Self {
            inner,
            seen,
            distributor,
            needed,
            keys: OnceCell::new(),
        }
    }

    pub(super) const fn table(&self) -> &'static str {
        self.seen.table
    }

    fn model(&self) -> &Table {
        self.inner.table()
    }

    /// The keys of its rows, in order.
    async fn own_keys(&self, state: &dyn Session) -> Result<ArrayRef> {
        let keys = self.keys.get_or_try_init(|| self.read_keys(state)).await?;
        Ok(Arc::clone(keys))
    }

    async fn read_keys(&self, state: &dyn Session) -> Result<ArrayRef> {
        let key = self.inner.schema().index_of(self.model().key[0])?;
        let plan = self.scan(state, Some(&vec![key]), &[], None).await?;
        let mut batches = execute_stream(plan, state.task_ctx())?;
        let mut keys: Vec<String> = Vec::new();
        while let Some(batch) = batches.try_next().await? {
            let column = batch.column(0).as_string::<i32>();
            if keys.len() + column.len() > limits::OWN_KEYS {
                let asked = keys.len() + column.len();
                let error = Error::limit("own_keys", limits::OWN_KEYS, asked);
                return Err(DataFusionError::External(Box::new(error)));
            }
            keys.extend(column.iter().flatten().map(str::to_owned));
        }
        Ok(Arc::new(StringArray::from(keys)))
    }

    /// Positions of the columns that have to be read: those asked for, and those that say which rows, in which order.
    fn read(&self, wanted: &[usize]) -> Result<Vec<usize>> {
        let schema = self.inner.schema();
        let is_read = |column: &&usize| !self.seen.withholds(schema.field(**column).name());
        let mut read: Vec<usize> = wanted.iter().filter(is_read).copied().collect();
        let tested = self.seen.tests().iter().map(Test::column);
        for name in tested.chain(self.order_columns()) {
            read.push(schema.index_of(name)?);
        }
        read.sort_unstable();
        read.dedup();
        Ok(read)
    }

    /// What is known of the rows before they are read, so that files and row groups without one are left out.
    fn known(&self) -> Vec<Expr> {
        let Rows::Every(tests) = self.seen.rows else {
            return Vec::new();
        };
        let known = tests.iter().filter_map(|test| match test {
            Test::Own(column) => Some(col(*column).eq(lit(self.distributor.as_ref()))),
            Test::Is(column, value) => Some(col(*column).eq(lit(*value))),
            Test::OneOf(..) | Test::Absent(_) | Test::OfOwn(..) => None,
        });
        known.collect()
    }

    /// The condition that the distributor's rows meet; nothing where all of them are.
    async fn condition(
        &self,
        state: &dyn Session,
        schema: &Schema,
    ) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        let operator = match self.seen.rows {
            Rows::Either(_) => Operator::Or,
            Rows::All | Rows::Every(_) => Operator::And,
        };
        let mut condition: Option<Arc<dyn PhysicalExpr>> = None;
        for test in self.seen.tests() {
            let test = self.test(test, state, schema).await?;
            condition = Some(match condition {
                Some(before) => Arc::new(Both::new(before, operator, test)),
                None => test,
            });
        }
        Ok(condition)
    }

    async fn test(
        &self,
        test: &Test,
        state: &dyn Session,
        schema: &Schema,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let column = expressions::col(test.column(), schema)?;
        let values: ArrayRef = match test {
            Test::Absent(_) => return expressions::is_null(column),
            Test::Own(_) => Arc::new(StringArray::from(vec![self.distributor.as_ref()])),
            Test::Is(_, value) => Arc::new(StringArray::from(vec![*value])),
            Test::OneOf(_, values) => Arc::new(StringArray::from(values.to_vec())),
            Test::OfOwn(_, table) => {
                let needed = self.needed.iter().find(|needed| needed.table() == *table);
                let needed = needed
                    .ok_or_else(|| DataFusionError::Internal(format!("no own rows of {table}")))?;
                Box::pin(needed.own_keys(state)).await?
            }
        };
        let one_of = InListExpr::try_new_from_array(column, values, false, schema)?;
        Ok(Arc::new(one_of))
    }

    /// The order of the rows of a file, and the key where that leaves rows side by side.
    fn order_columns(&self) -> impl Iterator<Item = &'static str> {
        let model = self.model();
        model.order.iter().chain(model.key).copied()
    }

    /// The same whatever files the rows lie in, so that it says nothing of them.
    fn order(&self, schema: &Schema) -> Result<LexOrdering> {
        let options = SortOptions {
            descending: false,
            nulls_first: false,
        };
        let columns = self.order_columns().map(|name| {
            let column = expressions::col(name, schema)?;
            Ok(PhysicalSortExpr::new(column, options))
        });
        let columns: Vec<_> = columns.collect::<Result<_>>()?;
        LexOrdering::new(columns)
            .ok_or_else(|| DataFusionError::Internal("a table without a key".to_owned()))
    }

    /// The columns asked for, of those that were read.
    fn columns(
        &self,
        wanted: &[usize],
        schema: &Schema,
    ) -> Result<Vec<(Arc<dyn PhysicalExpr>, String)>> {
        let all = self.inner.schema();
        let fields = wanted.iter().map(|column| all.field(*column));
        let columns = fields.map(|field| {
            let name = field.name();
            let column = match self.seen.withholds(name) {
                true => expressions::lit(ScalarValue::try_from(field.data_type())?),
                false => expressions::col(name, schema)?,
            };
            Ok((column, name.clone()))
        });
        columns.collect()
    }
}

#[async_trait]
impl TableProvider for PolicyProvider {
    /// The table's; columns that are withheld may be NULL.
    fn schema(&self) -> SchemaRef {
        let schema = self.inner.schema();
        let fields = schema.fields().iter().map(|field| {
            let nullable = field.is_nullable() || self.seen.withholds(field.name());
            field.as_ref().clone().with_nullable(nullable)
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let schema = self.inner.schema();
        let answer = |filter: &&Expr| match prunes(filter, &schema, self.seen) {
            true => TableProviderFilterPushDown::Inexact,
            false => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(answer).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all: Vec<usize> = (0..self.inner.schema().fields().len()).collect();
        let wanted = projection.unwrap_or(&all);
        let read = self.read(wanted)?;
        let schema = self.inner.schema();
        let safe = filters.iter();
        let safe = safe.filter(|filter| prunes(filter, &schema, self.seen));
        let pruning: Vec<Expr> = self.known().into_iter().chain(safe.cloned()).collect();
        let mut plan = self.inner.scan(state, Some(&read), &pruning, None).await?;
        let schema = plan.schema();
        if let Some(condition) = self.condition(state, &schema).await? {
            plan = Arc::new(FilterExec::try_new(condition, plan)?);
        }
        let plan = Arc::new(CoalescePartitionsExec::new(plan));
        let plan = Arc::new(SortExec::new(self.order(&schema)?, plan));
        let columns = self.columns(wanted, &schema)?;
        let plan = Arc::new(ProjectionExec::try_new(columns, plan)?);
        Ok(Arc::new(PolicyScan::new(self.table(), plan)))
    }
}

/// Whether a filter may say which files are read: a column beside a value of its type. It cannot fail on any row, and it
/// is applied again above.
fn prunes(filter: &Expr, schema: &Schema, seen: &Seen) -> bool {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = filter else {
        return false;
    };
    let compares = matches!(
        op,
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
    );
    let (column, value) = match (left.as_ref(), right.as_ref()) {
        (Expr::Column(column), Expr::Literal(value, _))
        | (Expr::Literal(value, _), Expr::Column(column)) => (column, value),
        _ => return false,
    };
    let field = schema.field_with_name(column.name());
    compares
        && !seen.withholds(column.name())
        && field.is_ok_and(|field| *field.data_type() == value.data_type())
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::logical_expr::cast;

    #[test]
    fn only_a_column_beside_a_value_of_its_type_goes_below() {
        let table = Table::named("revenue").expect("revenue");
        let seen = Seen::of("revenue").expect("seen");
        let quantity = || col("quantity");
        let goes = |filter: Expr| prunes(&filter, &table.schema(), seen);
        assert!(goes(quantity().gt(lit(3_i64))));
        assert!(goes(lit(3_i64).eq(quantity())));
        assert!(goes(col("lead_id").not_eq(lit("L1"))));
        for refused in [
            quantity().gt(lit(3_i32)),
            (lit(1_i64) / quantity()).gt(lit(3_i64)),
            cast(col("lead_id"), arrow::datatypes::DataType::Int64).eq(lit(3_i64)),
            col("lead_id").like(lit("L%")),
            quantity().eq(quantity()),
            quantity().gt(lit(3_i64)).or(quantity().is_null()),
            col("cost").gt(lit(ScalarValue::Decimal128(Some(1), 19, 4))),
        ] {
            assert!(!goes(refused.clone()), "{refused}");
        }
    }
}
