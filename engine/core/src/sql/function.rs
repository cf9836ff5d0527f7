//! Plugin functions as SQL functions: `plugin.function(…)` over columns, through one instance pool for each query.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, new_empty_array};
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    AggregateUDF, ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use tributary_plugins_host::{Argument, Function, Kind, Pool};

use super::aggregate::PluginAggregate;
use crate::engine::PluginReceipt;
use crate::plugins::{InForce, Leave, Outcome, PluginFault, plugin_error};

/// The plugins that one query was planned with, and what they have done in it so far.
#[derive(Clone, Default)]
pub struct QueryPlugins {
    called: Vec<Arc<Called>>,
}

/// One plugin in one query.
pub struct Called {
    pub(super) in_force: InForce,
    pub(super) pool: Arc<Pool>,
    fault: OnceLock<PluginFault>,
    /// Whether somebody has asked what it did.
    asked: AtomicBool,
    leave: Leave,
}

impl QueryPlugins {
    /// Fresh instances of each plugin: nothing of another query is left in them. `now_us` is the time that the query is
    /// as of. Where nobody asks for the outcome, `leave` takes it as soon as nothing runs any more.
    pub fn new(plugins: &[InForce], now_us: i64, leave: &Leave) -> Self {
        let called = plugins.iter().map(|in_force| {
            let pool = in_force.plugin.pool(&in_force.settings, Some(now_us));
            Arc::new(Called {
                in_force: in_force.clone(),
                pool: Arc::new(pool),
                fault: OnceLock::new(),
                asked: AtomicBool::new(false),
                leave: Arc::clone(leave),
            })
        });
        Self {
            called: called.collect(),
        }
    }

    /// Whether the query calls none.
    pub const fn is_empty(&self) -> bool {
        self.called.is_empty()
    }

    /// Every scalar function and rule of every plugin, as SQL calls it.
    pub fn functions(&self) -> Vec<ScalarUDF> {
        let each = self
            .each()
            .filter(|(called, index)| called.function(*index).kind != Kind::Aggregate);
        each.map(|(called, index)| ScalarUDF::from(PluginFunction::new(called, index)))
            .collect()
    }

    /// Every aggregate of every plugin, as SQL calls it.
    pub fn aggregates(&self) -> Vec<AggregateUDF> {
        let each = self
            .each()
            .filter(|(called, index)| called.function(*index).kind == Kind::Aggregate);
        each.map(|(called, index)| AggregateUDF::from(PluginAggregate::new(called, index)))
            .collect()
    }

    /// A function that is no aggregate, by the name under which SQL calls it.
    pub fn function(&self, name: &str) -> Option<(Arc<Called>, ScalarUDF)> {
        let mut each = self.each();
        let (called, index) = each.find(|(called, index)| called.name(*index) == name)?;
        if called.function(index).kind == Kind::Aggregate {
            return None;
        }
        let function = PluginFunction::new(Arc::clone(&called), index);
        Some((called, ScalarUDF::from(function)))
    }

    fn each(&self) -> impl Iterator<Item = (Arc<Called>, usize)> {
        self.called.iter().flat_map(|called| {
            let functions = called.in_force.plugin.manifest().functions.len();
            (0..functions).map(|index| (Arc::clone(called), index))
        })
    }

    /// What each function that was called has cost.
    pub fn receipts(&self) -> Vec<PluginReceipt> {
        let each = self.called.iter().flat_map(|called| called.receipts());
        each.collect()
    }

    /// What they did. It is asked for once, when the query is over.
    pub fn outcome(&self) -> Outcome {
        let each = self.called.iter().map(|called| {
            called.asked.store(true, Ordering::Relaxed);
            called.outcome()
        });
        each.fold(Outcome::default(), Outcome::and)
    }
}

impl Called {
    pub(super) fn function(&self, index: usize) -> &Function {
        &self.in_force.plugin.manifest().functions[index]
    }

    /// The name under which SQL calls a function.
    pub(super) fn name(&self, index: usize) -> String {
        let manifest = self.in_force.plugin.manifest();
        format!("{}.{}", manifest.name, self.function(index).name)
    }

    /// An error of the sandbox, noted and told.
    pub(super) fn failed(&self, error: tributary_plugins_host::Error) -> DataFusionError {
        // Only the first is kept: the others follow from it.
        let _ = self
            .fault
            .set(PluginFault::new(&self.in_force.plugin, &error));
        DataFusionError::External(Box::new(plugin_error(error)))
    }

    fn receipts(&self) -> Vec<PluginReceipt> {
        let manifest = self.in_force.plugin.manifest();
        let functions = manifest.functions.iter().enumerate();
        let used = functions.filter_map(|(index, function)| {
            let receipts = self.pool.receipts(index);
            (receipts.calls > 0).then(|| PluginReceipt {
                plugin: manifest.name.clone(),
                version: manifest.version.clone(),
                function: function.name.clone(),
                digest: self.in_force.plugin.digest().to_owned(),
                config_hash: self.in_force.settings.hash().to_owned(),
                calls: receipts.calls,
                rows: receipts.rows,
                elapsed_us: receipts.nanoseconds / 1_000,
                memory_bytes_max: receipts.linear_memory_bytes_peak,
            })
        });
        used.collect()
    }

    fn outcome(&self) -> Outcome {
        let manifest = self.in_force.plugin.manifest();
        let warnings = self.pool.warnings().into_iter().map(|warning| {
            let message = format!("{}: {}", warning.function, warning.message);
            (manifest.name.clone(), manifest.version.clone(), message)
        });
        Outcome {
            receipts: self.receipts(),
            warnings: warnings.collect(),
            fault: self.fault.get().cloned(),
        }
    }
}

/// A reader that goes away takes the query with it, and so do a deadline and an error of the planner. What the plugin did
/// until then is told all the same, when the last of its calls is over.
impl Drop for Called {
    fn drop(&mut self) {
        if *self.asked.get_mut() {
            return;
        }
        let outcome = self.outcome();
        if !outcome.is_empty() {
            (self.leave)(outcome);
        }
    }
}

/// A function's signature as a person reads it.
pub fn signature(plugin: &str, function: &Function) -> String {
    let shown = |field: &tributary_plugins_host::Field| match field.ty {
        tributary_plugins_host::Type::Json => format!("{} JSON", field.name),
        ty => format!("{} {}", field.name, ty.arrow()),
    };
    let arguments: Vec<String> = function.args.iter().map(shown).collect();
    let result = match function.kind {
        Kind::Rule => ["verdict".to_owned(), "reasons".to_owned()]
            .into_iter()
            .chain(function.returns.iter().map(shown))
            .collect::<Vec<_>>()
            .join(", "),
        Kind::Scalar | Kind::Aggregate => function.return_type().to_string(),
    };
    let arguments = arguments.join(", ");
    format!("{plugin}.{}({arguments}) -> {result}", function.name)
}

/// One function of one plugin in one query, as the planner knows it: by component, settings and place, whatever query it
/// belongs to.
pub(super) struct Callable {
    pub(super) name: String,
    pub(super) signature: Signature,
    pub(super) called: Arc<Called>,
    pub(super) index: usize,
}

impl Callable {
    pub(super) fn new(called: Arc<Called>, index: usize) -> Self {
        Self {
            name: called.name(index),
            signature: Signature::user_defined(volatility(called.function(index))),
            called,
            index,
        }
    }

    pub(super) fn function(&self) -> &Function {
        self.called.function(self.index)
    }

    /// The type of its results, where it takes arguments of these types.
    pub(super) fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        check(&self.name, self.function(), given)?;
        Ok(self.function().return_type())
    }

    fn identity(&self) -> (usize, &str, &str) {
        let in_force = &self.called.in_force;
        (
            self.index,
            in_force.plugin.digest(),
            in_force.settings.hash(),
        )
    }
}

impl PartialEq for Callable {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for Callable {}

impl Hash for Callable {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl fmt::Debug for Callable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A score or a rule.
#[derive(Debug, PartialEq, Eq, Hash)]
struct PluginFunction(Callable);

impl PluginFunction {
    fn new(called: Arc<Called>, index: usize) -> Self {
        Self(Callable::new(called, index))
    }

    fn call(&self, args: &[ColumnarValue], rows: usize) -> Result<ArrayRef> {
        if rows == 0 {
            return Ok(new_empty_array(&self.0.function().return_type()));
        }
        let arrays: Vec<(ArrayRef, bool)> = args
            .iter()
            .map(|arg| match arg {
                ColumnarValue::Array(array) => Ok((Arc::clone(array), false)),
                ColumnarValue::Scalar(value) => Ok((value.to_array()?, true)),
            })
            .collect::<Result<_>>()?;
        let arguments: Vec<Argument<'_>> = arrays
            .iter()
            .map(|(array, constant)| match constant {
                true => Argument::Scalar(array),
                false => Argument::Array(array),
            })
            .collect();
        let Callable { called, index, .. } = &self.0;
        let result = called.pool.call(*index, &arguments, rows);
        result.map_err(|error| called.failed(error))
    }
}

impl ScalarUDFImpl for PluginFunction {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn signature(&self) -> &Signature {
        &self.0.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        self.0.return_type(given)
    }

    fn is_strict(&self) -> bool {
        self.0.function().is_strict()
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(coerced(self.0.function(), given))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args
            .args
            .iter()
            .all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        if constant {
            let array = self.call(&args.args, 1)?;
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                &array, 0,
            )?));
        }
        self.call(&args.args, args.number_rows)
            .map(ColumnarValue::Array)
    }
}

/// When a function may be computed once instead of often.
fn volatility(function: &Function) -> Volatility {
    match function.volatility {
        tributary_plugins_host::Volatility::Immutable => Volatility::Immutable,
        tributary_plugins_host::Volatility::Stable => Volatility::Stable,
    }
}

/// Whether the arguments are as many and of the types that the function declares.
fn check(name: &str, function: &Function, given: &[DataType]) -> Result<()> {
    let wanted = function.arg_types();
    if given.len() != wanted.len() {
        let plugin = name.split('.').next().unwrap_or_default();
        return Err(DataFusionError::Plan(format!(
            "function \"{name}\" takes {} arguments, got {}: {}",
            wanted.len(),
            given.len(),
            signature(plugin, function)
        )));
    }
    for (position, (wanted, given)) in wanted.iter().zip(given).enumerate() {
        if coerce(function, position, given).is_none() {
            return Err(DataFusionError::Plan(format!(
                "argument {} \"{}\" of function \"{name}\" is {wanted}, got {given}",
                position + 1,
                function.args[position].name,
            )));
        }
    }
    Ok(())
}

/// The types in which arguments are handed over. What does not fit is left as it is: an error from a coercion would be
/// buried in DataFusion's own, so that [`check`] tells it.
pub(super) fn coerced(function: &Function, given: &[DataType]) -> Vec<DataType> {
    if given.len() != function.args.len() {
        return given.to_vec();
    }
    let each = given.iter().enumerate();
    each.map(|(position, given)| coerce(function, position, given).unwrap_or_else(|| given.clone()))
        .collect()
}

/// The type in which an argument is handed over: one that the host reads as it is, or the declared one.
pub fn coerce(function: &Function, position: usize, given: &DataType) -> Option<DataType> {
    use DataType::{Date32, Decimal128, Dictionary, Float32, Float64, Null, Timestamp};
    let wanted = &function.args[position].ty.arrow();
    if matches!(given, Null) {
        return Some(wanted.clone());
    }
    if wanted == given || function.accepts(position, given) {
        return Some(given.clone());
    }
    if wanted.is_string() {
        return match given {
            given if given.is_string() => Some(given.clone()),
            Dictionary(_, values) if values.is_string() => Some(wanted.clone()),
            _ => None,
        };
    }
    let widens = match (wanted, given) {
        (Float64, given) => given.is_integer() || matches!(given, Float32 | Decimal128(_, _)),
        (Float32, given) => matches!(
            given,
            DataType::Int8 | DataType::Int16 | DataType::UInt8 | DataType::UInt16
        ),
        (wanted, given) if wanted.is_integer() && given.is_integer() => {
            widens_integer(wanted, given)
        }
        (Timestamp(_, _), Timestamp(_, _)) | (Timestamp(_, _), Date32) => true,
        (Decimal128(_, _), given) => given.is_integer() || matches!(given, Decimal128(_, _)),
        _ => false,
    };
    widens.then(|| wanted.clone())
}

/// Literals are Int64: a narrower integer argument takes any integer, and a value that does not fit fails the query.
fn widens_integer(wanted: &DataType, given: &DataType) -> bool {
    let width = |kind: &DataType| kind.primitive_width().unwrap_or_default();
    width(wanted) >= width(given) || matches!(given, DataType::Int64)
}
