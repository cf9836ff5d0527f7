//! The rules that make a plan cheaper: DataFusion's own, but for one that gives wrong answers in one place.
//!
//! Its `push_down_filter` moves a filter without columns, such as `'month' = 'quarter'`, below an aggregate without groups.
//! That has one row whatever comes in, so what should be no rows becomes a row of zeros. The filter stays above here.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{Optimizer, OptimizerConfig, OptimizerRule};

/// All rules, in DataFusion's order.
pub fn rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let rules = Optimizer::new().rules.into_iter();
    let careful = |rule: Arc<dyn OptimizerRule + Send + Sync>| match rule.name() {
        "push_down_filter" => Arc::new(Careful(rule)) as _,
        _ => rule,
    };
    rules.map(careful).collect()
}

/// The rule, except where it would move a filter below a row that is always there.
#[derive(Debug)]
struct Careful(Arc<dyn OptimizerRule + Send + Sync>);

impl OptimizerRule for Careful {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>, DataFusionError> {
        match &plan {
            LogicalPlan::Filter(filter) if has_total(&filter.input) => Ok(Transformed::no(plan)),
            _ => self.0.rewrite(plan, config),
        }
    }
}

/// Whether one of a plan's rows is a total over everything, which is there where nothing else is.
fn has_total(plan: &LogicalPlan) -> bool {
    let LogicalPlan::Aggregate(aggregate) = plan else {
        return false;
    };
    let sets = |group: &Expr| matches!(group, Expr::GroupingSet(_));
    aggregate.group_expr.is_empty() || aggregate.group_expr.iter().any(sets)
}
