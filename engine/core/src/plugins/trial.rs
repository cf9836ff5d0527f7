//! A component tried on examples: rows with what its functions must say of them. No database is needed.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StructArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::json::{ReaderBuilder, WriterBuilder};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};
use tributary_plugins_host::{Argument, ErrorKind, Function, Host, InProcess, Kind, Plugin, Pool};

use super::compiled::host_limits;
use super::errors::{invalid_settings, plugin_error};
use crate::fault::{Error, Fault, Result};
use crate::plugin::Given;

/// A component in a sandbox of its own.
pub struct Trial {
    plugin: Arc<Plugin>,
    /// Functions as SQL calls them.
    pub functions: Vec<String>,
    /// Its name and version.
    pub name: String,
}

/// What became of the examples of one file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// Examples that came out as they should.
    pub passed: usize,
    /// What came out otherwise, in words.
    pub failed: Vec<String>,
}

/// One file of examples.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixtures {
    function: String,
    #[serde(default)]
    settings: Given,
    now: Option<DateTime<Utc>>,
    #[serde(default)]
    rows: Vec<Example>,
    #[serde(default)]
    groups: Vec<Group>,
    #[serde(default = "tolerance")]
    tolerance: f64,
}

/// One row, and what must be said of it: a result, or an error that contains a text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    args: Map<String, Value>,
    #[serde(default)]
    expect: Value,
    error: Option<String>,
}

/// The rows of one group, and the value of an aggregate over them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    rows: Vec<Map<String, Value>>,
    #[serde(default)]
    expect: Value,
}

const fn tolerance() -> f64 {
    1e-9
}

impl Trial {
    /// Installs a component as an upload would, determinism included.
    pub fn new(wasm: Vec<u8>) -> Result<Self> {
        let limits = host_limits();
        let compiler = InProcess::new(&limits).map_err(plugin_error)?;
        let host = Host::new(limits).map_err(plugin_error)?;
        let plugin = host.install(wasm, &compiler).map_err(plugin_error)?;
        if let Ok(settings) = plugin.settings(&Given::new()) {
            plugin.rehearse(&settings).map_err(plugin_error)?;
        }
        let manifest = plugin.manifest();
        let functions = manifest.functions.iter();
        Ok(Self {
            functions: functions
                .map(|function| crate::sql::signature(&manifest.name, function))
                .collect(),
            name: format!("{} {}", manifest.name, manifest.version),
            plugin,
        })
    }

    /// Tries the examples of one file.
    pub fn run(&self, fixtures: &str) -> Result<Tried> {
        let fixtures: Fixtures = serde_json::from_str(fixtures).map_err(|error| {
            Error::new(Fault::Invalid, format!("no examples: {error}")).with_hint(
                "Write {\"function\": \"score\", \"rows\": [{\"args\": {…}, \"expect\": 70}]}.",
            )
        })?;
        let functions = &self.plugin.manifest().functions;
        let named = |known: &Function| known.name == fixtures.function;
        let index = functions.iter().position(named).ok_or_else(|| {
            let names: Vec<&str> = functions.iter().map(|known| known.name.as_str()).collect();
            Error::new(
                Fault::Invalid,
                format!("the plugin has no function {:?}", fixtures.function),
            )
            .with_hint(format!("Its functions are {}.", names.join(", ")))
        })?;
        let settings = self
            .plugin
            .settings(&fixtures.settings)
            .map_err(invalid_settings)?;
        let now = fixtures.now.unwrap_or_default().timestamp_micros();
        let run = Run {
            pool: Arc::new(self.plugin.pool(&settings, Some(now))),
            function: &functions[index],
            index,
            tolerance: fixtures.tolerance,
        };
        let mut tried = Tried::default();
        for (position, example) in fixtures.rows.iter().enumerate() {
            tried.note("row", position, run.example(example));
        }
        for (position, group) in fixtures.groups.iter().enumerate() {
            tried.note("group", position, run.group(group));
        }
        Ok(tried)
    }
}

impl Tried {
    fn note(&mut self, what: &str, position: usize, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.passed += 1,
            Err(why) => self.failed.push(format!("{what} {}: {why}", position + 1)),
        }
    }
}

struct Run<'a> {
    pool: Arc<Pool>,
    function: &'a Function,
    index: usize,
    tolerance: f64,
}

impl Run<'_> {
    fn example(&self, example: &Example) -> Result<(), String> {
        let columns = self.columns(std::slice::from_ref(&example.args))?;
        let arguments: Vec<Argument<'_>> = columns.iter().map(Argument::Array).collect();
        let called = self.pool.call(self.index, &arguments, 1);
        match (called, &example.error) {
            (Ok(result), None) => self.compare(&example.expect, &json(&result)?),
            (Ok(result), Some(_)) => Err(format!("gave {}, expected an error", json(&result)?)),
            (Err(error), Some(wanted)) if error.message.contains(wanted.as_str()) => Ok(()),
            (Err(error), Some(wanted)) => Err(format!(
                "failed with {:?}, expected {wanted:?}",
                error.message
            )),
            (Err(error), None) => Err(format!("failed: {}", error.message)),
        }
    }

    fn group(&self, group: &Group) -> Result<(), String> {
        if self.function.kind != Kind::Aggregate {
            return Err("groups are for aggregates".to_owned());
        }
        let told = |error: tributary_plugins_host::Error| match error.kind {
            ErrorKind::Internal => error.to_string(),
            _ => format!("failed: {}", error.message),
        };
        let columns = self.columns(&group.rows)?;
        let mut aggregation = self.pool.aggregate(self.index).map_err(told)?;
        if !group.rows.is_empty() {
            aggregation.update(&columns, None, None, 1).map_err(told)?;
        }
        let value = aggregation.evaluate(&[0]).map_err(told)?;
        self.compare(&group.expect, &json(&value)?)
    }

    /// Rows of JSON as the function's arguments; an argument that is left out is NULL.
    fn columns(&self, rows: &[Map<String, Value>]) -> Result<Vec<ArrayRef>, String> {
        let args = &self.function.args;
        let unknown = rows
            .iter()
            .flat_map(|row| row.keys())
            .find(|name| !args.iter().any(|arg| arg.name == **name));
        if let Some(name) = unknown {
            return Err(format!("the function has no argument {name:?}"));
        }
        let kinds = self.function.arg_types().into_iter().zip(args);
        let fields: Vec<Field> = kinds
            .map(|(kind, arg)| Field::new(&arg.name, kind, true))
            .collect();
        let rows: Vec<Map<String, Value>> =
            rows.iter().map(|row| self.documents_as_text(row)).collect();
        let mut decoder = ReaderBuilder::new(Arc::new(Schema::new(fields)))
            .with_batch_size(rows.len().max(1))
            .build_decoder()
            .map_err(|error| error.to_string())?;
        decoder
            .serialize(&rows)
            .map_err(|error| format!("arguments do not fit: {error}"))?;
        let batch = decoder
            .flush()
            .map_err(|error| format!("arguments do not fit: {error}"))?;
        match batch {
            Some(batch) => Ok(batch.columns().to_vec()),
            None => Ok(self
                .function
                .arg_types()
                .iter()
                .map(arrow::array::new_empty_array)
                .collect()),
        }
    }

    /// A document argument may be written as the document itself.
    fn documents_as_text(&self, row: &Map<String, Value>) -> Map<String, Value> {
        let texts: Vec<&str> = self
            .function
            .args
            .iter()
            .filter(|arg| arg.ty.arrow() == DataType::Utf8)
            .map(|arg| arg.name.as_str())
            .collect();
        let each = row.iter().map(|(name, value)| {
            let is_document = matches!(value, Value::Object(_) | Value::Array(_));
            let value = match is_document && texts.contains(&name.as_str()) {
                true => Value::String(value.to_string()),
                false => value.clone(),
            };
            (name.clone(), value)
        });
        each.collect()
    }

    /// Whether a result is what was expected: the fields that are named, numbers within the tolerance.
    fn compare(&self, wanted: &Value, given: &Value) -> Result<(), String> {
        match self.differs(wanted, given) {
            false => Ok(()),
            true => Err(format!("gave {given}, expected {wanted}")),
        }
    }

    fn differs(&self, wanted: &Value, given: &Value) -> bool {
        match (wanted, given) {
            (Value::Object(wanted), Value::Object(given)) => wanted.iter().any(|(name, wanted)| {
                self.differs(wanted, given.get(name).unwrap_or(&Value::Null))
            }),
            (Value::Array(wanted), Value::Array(given)) => {
                wanted.len() != given.len()
                    || wanted
                        .iter()
                        .zip(given)
                        .any(|(one, other)| self.differs(one, other))
            }
            (Value::Number(wanted), Value::Number(given)) => {
                let number = |number: &serde_json::Number| number.as_f64().unwrap_or(f64::NAN);
                let (wanted, given) = (number(wanted), number(given));
                let close = (wanted - given).abs() <= self.tolerance * wanted.abs().max(1.0);
                // A NaN differs from everything.
                !close
            }
            (wanted, given) => wanted != given,
        }
    }
}

/// The first row of a column as JSON.
fn json(column: &ArrayRef) -> Result<Value, String> {
    let row = match column.data_type() {
        DataType::Struct(_) => column.slice(0, 1),
        _ => {
            let field = Arc::new(Field::new("value", column.data_type().clone(), true));
            Arc::new(StructArray::from(vec![(field, column.slice(0, 1))])) as ArrayRef
        }
    };
    if row.is_null(0) {
        return Ok(Value::Null);
    }
    let is_value = !matches!(column.data_type(), DataType::Struct(_));
    let row = row.as_any().downcast_ref::<StructArray>().cloned();
    let batch = RecordBatch::from(row.ok_or("no struct")?);
    let mut text = Vec::new();
    let mut writer = WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow::json::writer::LineDelimited>(&mut text);
    writer.write(&batch).map_err(|error| error.to_string())?;
    writer.finish().map_err(|error| error.to_string())?;
    let mut value: Value = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    Ok(match is_value {
        true => value["value"].take(),
        false => value,
    })
}
