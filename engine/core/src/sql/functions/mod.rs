//! SQL functions of our own: thin adapters from columns to the numerics of `tributary-engine-stats`.

mod estimate;
mod rate_ci;
mod share;
mod since_when;
mod utc_calendar;

use std::sync::Arc;

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::FunctionRegistry;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use tributary_engine_stats::invalid::Invalid;

/// Functions of the process that embeds the engine: native code, trusted, the same for every manufacturer.
#[derive(Debug, Clone, Default)]
pub struct NativeFunctions {
    /// called row by row, or batch by batch
    pub scalars: Vec<Arc<ScalarUDF>>,
    /// called over groups
    pub aggregates: Vec<Arc<AggregateUDF>>,
}

impl NativeFunctions {
    /// Makes them known to a session. A name that is taken is taken over.
    pub(crate) fn register(self, state: &mut SessionState) -> Result<()> {
        for scalar in self.scalars {
            state.register_udf(scalar)?;
        }
        for aggregate in self.aggregates {
            state.register_udaf(aggregate)?;
        }
        Ok(())
    }
}

/// Makes every function of our own known to a session.
pub fn register(state: &mut SessionState) -> Result<()> {
    state.register_udf(Arc::new(ScalarUDF::from(rate_ci::RateCi::new())))?;
    for calendar in utc_calendar::UtcCalendar::all() {
        state.register_udf(Arc::new(ScalarUDF::from(calendar)))?;
    }
    for share in share::Share::all() {
        state.register_udaf(Arc::new(AggregateUDF::from(share)))?;
    }
    state.register_udaf(Arc::new(AggregateUDF::from(since_when::SinceWhen::new())))?;
    Ok(())
}

/// DISTINCT would drop values that are equal by chance, which changes every statistic here.
fn no_distinct(function: &str, args: &AccumulatorArgs<'_>) -> Result<()> {
    if args.is_distinct {
        let message = format!("function \"{function}\" does not take DISTINCT");
        return Err(DataFusionError::Plan(message));
    }
    Ok(())
}

/// An argument that a statistic does not take, as SQL says it.
fn invalid(function: &str, error: &Invalid) -> DataFusionError {
    DataFusionError::Execution(format!("function \"{function}\": {error}"))
}
