//! A rule over a batch of leads, where a lead that the rule refuses is no reason to stop.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema, UInt8Type};
use tributary_plugins_host::{Argument, ErrorKind, Function, Pool};

use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::plugins::{InForce, PluginFault, plugin_error};
use crate::sql::{bind, coerce};

/// One rule with fresh instances, bound to columns by name.
pub struct Judge {
    in_force: InForce,
    pool: Pool,
    index: usize,
}

/// What became of some rows of a batch.
pub enum Judged {
    /// The rule's result, a row each.
    Rows(ArrayRef),
    /// The rule refused one row.
    Refused(String),
}

/// A rule that failed as a whole.
pub struct Failed {
    pub fault: PluginFault,
    pub error: Error,
}

impl Judge {
    /// The rule of a plugin in force, as of an instant.
    pub fn new(in_force: InForce, function: &str, now_us: i64) -> Result<Self> {
        let functions = &in_force.plugin.manifest().functions;
        let index = functions.iter().position(|known| known.name == function);
        let index = index.ok_or_else(|| {
            Error::internal("find rule", format!("plugin has no function {function:?}"))
        })?;
        Ok(Self {
            pool: in_force.plugin.pool(&in_force.settings, Some(now_us)),
            in_force,
            index,
        })
    }

    pub fn function(&self) -> &Function {
        &self.in_force.plugin.manifest().functions[self.index]
    }

    pub const fn in_force(&self) -> &InForce {
        &self.in_force
    }

    /// The columns of a table that the rule asks for, by their positions.
    pub fn columns(&self, schema: &Schema) -> Result<Vec<usize>> {
        bound(
            self.in_force.plugin.manifest().name.as_str(),
            self.function(),
            schema,
        )
    }

    /// Asks the rule about each row. `columns` are the arguments, in order.
    pub fn judge(&self, columns: &[ArrayRef], rows: usize) -> Result<Vec<Judged>, Box<Failed>> {
        let columns: Vec<ArrayRef> = columns
            .iter()
            .enumerate()
            .map(|(position, column)| self.as_argument(position, column))
            .collect::<Result<_, _>>()?;
        let mut judged = Vec::new();
        let (mut start, mut at_once) = (0, rows);
        while start < rows {
            let len = at_once.min(rows - start);
            match self.call(&columns, start, len) {
                Ok(array) => {
                    judged.push(Judged::Rows(array));
                    start += len;
                }
                Err(error) => {
                    let row = error
                        .place
                        .row
                        .map(|row| usize::try_from(row).unwrap_or(len));
                    let Some(row) = row.filter(|row| error.kind == ErrorKind::Row && *row < len)
                    else {
                        return Err(Box::new(self.failed(error)));
                    };
                    if row > 0 {
                        let before = self.call(&columns, start, row);
                        judged.push(Judged::Rows(
                            before.map_err(|error| Box::new(self.failed(error)))?,
                        ));
                    }
                    judged.push(Judged::Refused(error.message));
                    start += row + 1;
                    at_once = limits::DECIDE_SPLIT_ROWS;
                }
            }
        }
        Ok(judged)
    }

    fn call(
        &self,
        columns: &[ArrayRef],
        start: usize,
        len: usize,
    ) -> Result<ArrayRef, tributary_plugins_host::Error> {
        let slices: Vec<ArrayRef> = columns
            .iter()
            .map(|column| column.slice(start, len))
            .collect();
        let arguments: Vec<Argument<'_>> = slices.iter().map(Argument::Array).collect();
        self.pool.call(self.index, &arguments, len)
    }

    /// A column in a type that the rule takes.
    fn as_argument(&self, position: usize, column: &ArrayRef) -> Result<ArrayRef, Box<Failed>> {
        let kind = column.data_type();
        let to = coerce(self.function(), position, kind).unwrap_or_else(|| kind.clone());
        if to == *kind {
            return Ok(Arc::clone(column));
        }
        cast(column, &to).map_err(|error| {
            let name = &self.function().args[position].name;
            let error = tributary_plugins_host::Error::new(
                ErrorKind::Plugin,
                format!("column \"{name}\" is no {to}: {error}"),
            );
            Box::new(self.failed(error))
        })
    }

    fn failed(&self, error: tributary_plugins_host::Error) -> Failed {
        Failed {
            fault: PluginFault::new(&self.in_force.plugin, &error),
            error: plugin_error(error),
        }
    }
}

/// The columns that a rule asks for; an error that names all that are missing.
pub fn bound(plugin: &str, function: &Function, schema: &Schema) -> Result<Vec<usize>> {
    let fields = schema.fields().iter();
    let columns = fields.map(|field| (field.name().as_str(), field.data_type()));
    bind(function, columns).map_err(|wrong| {
        Error::new(
            Fault::Invalid,
            format!(
                "table \"leads\" does not fit rule \"{plugin}.{}\": {wrong}",
                function.name
            ),
        )
        .with_hint("Declare the missing columns: tributary attribute add leads NAME TYPE.")
    })
}

/// One row of a rule's result.
pub struct Verdict {
    pub verdict: Option<String>,
    pub score: Option<f64>,
    pub reasons: Vec<String>,
}

/// The rows of a rule's result.
pub fn verdicts(array: &ArrayRef) -> Result<Vec<Verdict>> {
    let rule = array.as_struct();
    let missing = |name: &str| Error::internal("read verdicts", format!("no field {name}"));
    let names = |column: &ArrayRef| {
        cast(column, &DataType::Utf8).map_err(|error| Error::internal("read verdicts", error))
    };
    let verdicts = rule
        .column_by_name("verdict")
        .ok_or_else(|| missing("verdict"))?;
    let verdicts = names(verdicts)?;
    let reasons = rule
        .column_by_name("reasons")
        .ok_or_else(|| missing("reasons"))?;
    let reasons = reasons.as_list::<i32>();
    let scores = rule.column_by_name("score").map(|scores| {
        cast(scores, &DataType::Float64).map_err(|error| Error::internal("read scores", error))
    });
    let scores = scores.transpose()?;
    let texts = verdicts.as_string::<i32>();
    let row = |row: usize| -> Verdict {
        let known = rule.is_valid(row);
        let verdict = (known && texts.is_valid(row)).then(|| texts.value(row).to_owned());
        let scores = scores
            .as_ref()
            .map(|scores| scores.as_primitive::<arrow::datatypes::Float64Type>());
        let score = scores.filter(|scores| known && scores.is_valid(row));
        Verdict {
            verdict,
            score: score.map(|scores| scores.value(row)),
            reasons: match known && reasons.is_valid(row) {
                true => codes(&reasons.value(row)),
                false => Vec::new(),
            },
        }
    };
    Ok((0..array.len()).map(row).collect())
}

fn codes(reasons: &ArrayRef) -> Vec<String> {
    let dictionary = reasons.as_dictionary::<UInt8Type>();
    let names = dictionary.values().as_string::<i32>();
    let keys = dictionary.keys().iter().flatten();
    keys.map(|key| names.value(usize::from(key)).to_owned())
        .collect()
}

/// The columns of a batch at these positions.
pub fn picked(batch: &RecordBatch, positions: &[usize]) -> Vec<ArrayRef> {
    let columns = positions.iter();
    columns.map(|at| Arc::clone(batch.column(*at))).collect()
}
