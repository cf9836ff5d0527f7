//! The node at the root of a plan that calls plugins: it passes rows through, and tells what the plugins cost where a
//! plan tells what its operators did (`EXPLAIN ANALYZE`).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::analyze::AnalyzeExec;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};

use super::function::QueryPlugins;

/// Puts the node at the root of a plan; below the root, where that explains the plan.
pub fn with_receipt(
    plan: Arc<dyn ExecutionPlan>,
    plugins: &QueryPlugins,
) -> Result<Arc<dyn ExecutionPlan>> {
    if plugins.is_empty() {
        return Ok(plan);
    }
    let wrap = |input: &Arc<dyn ExecutionPlan>| -> Arc<dyn ExecutionPlan> {
        Arc::new(ReceiptExec {
            input: Arc::clone(input),
            plugins: plugins.clone(),
        })
    };
    match plan.downcast_ref::<AnalyzeExec>() {
        Some(analyze) => {
            let input = wrap(analyze.input());
            let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            plan.replace_children(vec![input], options)
        }
        None => Ok(wrap(&plan)),
    }
}

struct ReceiptExec {
    input: Arc<dyn ExecutionPlan>,
    plugins: QueryPlugins,
}

impl ExecutionPlan for ReceiptExec {
    fn name(&self) -> &str {
        "ReceiptExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.into_iter().next();
        let input = input.ok_or_else(|| DataFusionError::Internal("no input".to_owned()))?;
        Ok(Arc::new(Self {
            input,
            plugins: self.plugins.clone(),
        }))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(
            children,
            ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute),
        )
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }

    /// Per function, as of now: whoever asks does so when the plan has run.
    fn metrics(&self) -> Option<MetricsSet> {
        let metrics = ExecutionPlanMetricsSet::new();
        for receipt in self.plugins.receipts() {
            let name = |what: &str| format!("{}.{} {what}", receipt.plugin, receipt.function);
            let counted = |what: &str, count: u64| {
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                MetricBuilder::new(&metrics)
                    .global_counter(name(what))
                    .add(count);
            };
            counted("rows", receipt.rows);
            counted("calls", receipt.calls);
            MetricBuilder::new(&metrics)
                .subset_time(name("time"), 0)
                .add_duration(Duration::from_micros(receipt.elapsed_us));
            MetricBuilder::new(&metrics)
                .global_gauge(name("memory_bytes"))
                .set(usize::try_from(receipt.memory_bytes_max).unwrap_or(usize::MAX));
        }
        Some(metrics.clone_inner())
    }
}

impl DisplayAs for ReceiptExec {
    fn fmt_as(&self, _kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReceiptExec: plugins")
    }
}

impl fmt::Debug for ReceiptExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiptExec")
            .field("input", &self.input)
            .finish_non_exhaustive()
    }
}
