//! Which aggregates of plugins may run over which window frames: over one that slides only those that rows can leave again.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::expr::{Expr, WindowFunction};
use datafusion::logical_expr::{LogicalPlan, WindowFunctionDefinition};

use super::aggregate::PluginAggregate;
use crate::classify::classify;
use crate::fault::{Error, Fault, Result};

/// An error where a plan slides an aggregate that can't retract.
pub fn check_frames(plan: &LogicalPlan) -> Result<()> {
    let walked = plan.apply_with_subqueries(|node| {
        for expr in node.expressions() {
            expr.apply(|part| match part {
                Expr::WindowFunction(window) => check(window).map(|()| TreeNodeRecursion::Continue),
                _ => Ok(TreeNodeRecursion::Continue),
            })?;
        }
        Ok(TreeNodeRecursion::Continue)
    });
    walked.map(|_| ()).map_err(classify)
}

fn check(window: &WindowFunction) -> Result<(), DataFusionError> {
    let WindowFunctionDefinition::AggregateUDF(function) = &window.fun else {
        return Ok(());
    };
    let Some(aggregate) = function.inner().downcast_ref::<PluginAggregate>() else {
        return Ok(());
    };
    if window.params.window_frame.start_bound.is_unbounded() || aggregate.retracts() {
        return Ok(());
    }
    let error = Error::new(
        Fault::Invalid,
        format!("aggregate \"{}\" does not run over a sliding frame: its plugin can't take rows out again", function.name()),
    )
    .with_hint("Let the frame begin at UNBOUNDED PRECEDING, or add a retract function to the plugin.");
    Err(DataFusionError::External(Box::new(error)))
}
