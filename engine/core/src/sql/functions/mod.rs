//! SQL functions of our own: thin adapters from columns to the numerics of `tributary-engine-stats`.
//!
//! A function is a [`definition::Definition`]; `rates.rs`, `survival.rs` and so on hold them. The adapters `scalar.rs`,
//! `aggregate.rs` and `window.rs` make functions of DataFusion of them, and the reference is printed from them.

mod aggregate;
mod agreement;
mod argument;
mod auc;
mod business_hours;
mod calendar;
mod calibration;
mod changepoints;
mod charts;
mod comparison;
mod days;
mod definition;
mod drift;
mod estimate;
mod expected;
mod funnel;
mod gathered;
mod growth;
mod incidence;
mod lift;
mod local;
mod losses;
mod named;
mod out;
mod p_values;
mod pace;
mod pareto;
mod ranking;
mod rates;
mod recalibration;
mod reference;
mod retention;
mod row;
mod rows;
mod scalar;
mod seasons;
mod shares;
mod shrinkage;
mod since;
mod sound;
mod strata;
mod survival;
mod time;
mod trends;
mod utc_calendar;
mod window;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::DataType;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::FunctionRegistry;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{
    AggregateUDF, DocSection, Documentation, ScalarUDF, Signature, Volatility,
};
use tributary_engine_stats::invalid::Invalid;

use crate::settings::Settings;

use argument::{Argument, Kind};
use definition::{Body, Chapter, Definition};
use local::Local;
pub use reference::{Entry, reference};

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

/// Every function, chapter by chapter.
fn definitions() -> impl Iterator<Item = &'static Definition> {
    [
        calendar::ALL,
        business_hours::ALL,
        comparison::ALL,
        rates::ALL,
        survival::ALL,
        incidence::ALL,
        pace::ALL,
        shrinkage::ALL,
        funnel::ALL,
        p_values::ALL,
        ranking::ALL,
        strata::ALL,
        expected::ALL,
        agreement::ALL,
        since::ALL,
        changepoints::ALL,
        charts::ALL,
        seasons::ALL,
        trends::ALL,
        shares::ALL,
        pareto::ALL,
        growth::ALL,
        retention::ALL,
        drift::ALL,
        auc::ALL,
        lift::ALL,
        losses::ALL,
        calibration::ALL,
        recalibration::ALL,
    ]
    .into_iter()
    .flatten()
}

/// Makes every function of our own known to a session.
pub fn register(state: &mut SessionState) -> Result<()> {
    for calendar in utc_calendar::UtcCalendar::all() {
        state.register_udf(Arc::new(ScalarUDF::from(calendar)))?;
    }
    for definition in definitions() {
        match definition.body {
            Body::Scalar(_) => {
                state.register_udf(scalar::udf(definition, Local::default()))?;
            }
            Body::Aggregate(_) => {
                let aggregate = aggregate::Aggregate::new(definition);
                state.register_udaf(Arc::new(AggregateUDF::from(aggregate)))?;
            }
            Body::Window { .. } => {
                state.register_udwf(window::udwf(definition))?;
            }
        }
    }
    Ok(())
}

/// Functions that answer differently for a manufacturer with these settings.
pub fn of_settings(settings: &Settings) -> Vec<ScalarUDF> {
    let local = Local::of(settings);
    if local == Local::default() {
        return Vec::new();
    }
    let of_calendar = definitions().filter(|it| it.text.chapter == Chapter::Calendar);
    of_calendar
        .map(|definition| scalar::Scalar::new(definition, local.clone()).into())
        .collect()
}

/// How DataFusion calls a function: its arguments checked by us, and named as we name them.
fn signature(definition: &Definition, volatility: Volatility) -> Signature {
    let names = definition.arguments.iter().map(|argument| argument.name);
    let signature = Signature::user_defined(volatility);
    let named = signature.clone().with_parameter_names(names.collect());
    named.unwrap_or(signature)
}

/// The type of the argument that orders the rows; BIGINT where there is none.
fn order_of(arguments: &[Argument], kinds: &[DataType]) -> DataType {
    let mut all = arguments.iter().zip(kinds);
    let order = all.find(|(argument, _)| argument.kind == Kind::Order);
    order.map_or(DataType::Int64, |(_, kind)| kind.clone())
}

/// What `SHOW FUNCTIONS` says of a function.
fn documentation(definition: &'static Definition) -> &'static Documentation {
    static ALL: LazyLock<HashMap<&str, Documentation>> = LazyLock::new(|| {
        let all = definitions().map(|definition| {
            let section = DocSection {
                include: true,
                label: definition.text.chapter.title(),
                description: None,
            };
            let text =
                Documentation::builder(section, definition.text.what, definition.signature());
            (definition.name, text.build())
        });
        all.collect()
    });
    &ALL[definition.name]
}

fn plan(message: String) -> DataFusionError {
    DataFusionError::Plan(message)
}

/// Arguments that make no sense together, as SQL says it.
fn invalid(function: &str, error: &Invalid) -> DataFusionError {
    plan(format!("function \"{function}\": {error}"))
}
