//! Plugin functions as SQL functions: `plugin.function(…)` over columns, through one instance pool for each query.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, new_empty_array};
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use tributary_plugins_host::{Argument, ErrorKind, Function, Plugin, Pool};

use crate::engine::PluginReceipt;
use crate::fault::{Error, Fault};

/// The plugins that one query was planned with, and what they have done in it so far.
#[derive(Clone, Default)]
pub struct QueryPlugins {
    pools: Vec<(Arc<Plugin>, Arc<Pool>)>,
}

impl QueryPlugins {
    /// Fresh instances of each plugin: nothing of another query is left in them.
    pub fn new(plugins: &[Arc<Plugin>]) -> Self {
        let pools = plugins
            .iter()
            .map(|plugin| (Arc::clone(plugin), Arc::new(plugin.pool())));
        Self {
            pools: pools.collect(),
        }
    }

    /// Every function of every plugin, as SQL calls it.
    pub fn functions(&self) -> Vec<ScalarUDF> {
        let each = self.pools.iter().flat_map(|(plugin, pool)| {
            let functions = plugin.manifest().functions.iter().enumerate();
            functions.map(move |(index, function)| {
                ScalarUDF::from(PluginFunction {
                    name: format!("{}.{}", plugin.manifest().name, function.name),
                    signature: Signature::user_defined(Volatility::Immutable),
                    plugin: Arc::clone(plugin),
                    pool: Arc::clone(pool),
                    index,
                })
            })
        });
        each.collect()
    }

    /// What each plugin that was called has cost.
    pub fn receipts(&self) -> Vec<PluginReceipt> {
        let used = self.pools.iter().filter_map(|(plugin, pool)| {
            let receipts = pool.receipts();
            (receipts.calls > 0).then(|| PluginReceipt {
                plugin: plugin.manifest().name.clone(),
                version: plugin.manifest().version.clone(),
                digest: plugin.digest().to_owned(),
                calls: receipts.calls,
                rows: receipts.rows,
                elapsed_us: receipts.nanoseconds / 1_000,
                memory_bytes_max: receipts.linear_memory_bytes_peak,
            })
        });
        used.collect()
    }
}

/// A function's signature as a person reads it.
pub fn signature(plugin: &str, function: &Function) -> String {
    let arguments = function.args.iter().zip(function.arg_types());
    let arguments: Vec<String> = arguments
        .map(|(field, kind)| format!("{} {kind}", field.name))
        .collect();
    format!(
        "{plugin}.{}({}) -> {}",
        function.name,
        arguments.join(", "),
        function.return_type()
    )
}

/// One function of one plugin in one query.
struct PluginFunction {
    name: String,
    signature: Signature,
    plugin: Arc<Plugin>,
    pool: Arc<Pool>,
    index: usize,
}

impl PluginFunction {
    fn function(&self) -> &Function {
        &self.plugin.manifest().functions[self.index]
    }

    /// Whether the arguments are as many and of the types that the plugin declares.
    fn check(&self, given: &[DataType]) -> Result<()> {
        let function = self.function();
        let wanted = function.arg_types();
        if given.len() != wanted.len() {
            return Err(DataFusionError::Plan(format!(
                "function \"{}\" takes {} arguments, got {}: {}",
                self.name,
                wanted.len(),
                given.len(),
                signature(&self.plugin.manifest().name, function)
            )));
        }
        for (position, (wanted, given)) in wanted.iter().zip(given).enumerate() {
            if coerce(wanted, given).is_none() {
                return Err(DataFusionError::Plan(format!(
                    "argument {} \"{}\" of function \"{}\" is {wanted}, got {given}",
                    position + 1,
                    function.args[position].name,
                    self.name
                )));
            }
        }
        Ok(())
    }

    fn call(&self, args: &[ColumnarValue], rows: usize) -> Result<ArrayRef> {
        if rows == 0 {
            return Ok(new_empty_array(&self.function().return_type()));
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
        self.pool
            .call(self.index, &arguments, rows)
            .map_err(|error| DataFusionError::External(Box::new(plugin_error(error))))
    }
}

impl ScalarUDFImpl for PluginFunction {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        self.check(given)?;
        Ok(self.function().return_type())
    }

    /// Leaves what does not fit as it is: an error from here would be buried in DataFusion's own, `return_type` tells it.
    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let wanted = self.function().arg_types();
        if given.len() != wanted.len() {
            return Ok(given.to_vec());
        }
        let each = wanted.iter().zip(given);
        Ok(each
            .map(|(wanted, given)| coerce(wanted, given).unwrap_or_else(|| given.clone()))
            .collect())
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

/// The type in which an argument is handed over: the wanted one, or one that the host reads as it is.
fn coerce(wanted: &DataType, given: &DataType) -> Option<DataType> {
    use DataType::{Date32, Decimal128, Dictionary, Float32, Float64, Null, Timestamp};
    if wanted == given || matches!(given, Null) {
        return Some(wanted.clone());
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

impl PartialEq for PluginFunction {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index && self.plugin.digest() == other.plugin.digest()
    }
}

impl Eq for PluginFunction {}

impl Hash for PluginFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.index.hash(state);
        self.plugin.digest().hash(state);
    }
}

impl fmt::Debug for PluginFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// What the sandbox says, as the engine says it.
pub fn plugin_error(error: tributary_plugins_host::Error) -> Error {
    let fault = match error.kind {
        ErrorKind::Internal => return Error::internal("call plugin", error),
        _ => Fault::Plugin,
    };
    Error::new(fault, error.to_string()).with_source(error)
}
