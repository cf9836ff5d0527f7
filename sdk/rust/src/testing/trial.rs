//! One function, configured, ready to be tried.

use serde_json::{Map, Value};

use super::column::{Layout, columns};
use super::file::Examples;
use super::settings;
use crate::argument::internal;
use crate::bindings::exports::tributary::plugin::lifecycle::Context;
use crate::bindings::exports::tributary::plugin::manifest::{Function, Info};
use crate::bindings::tributary::plugin::types::{Column, PluginError};
use crate::serve::{self, Plugin};

/// The arguments of a row.
pub(super) type Args = Map<String, Value>;

pub(super) struct Trial {
    pub(super) plugin: &'static Plugin,
    pub(super) number: u32,
    pub(super) function: Function,
    pub(super) tolerance: f64,
}

impl Trial {
    pub(super) fn new(plugin: &'static Plugin, examples: &Examples) -> Result<Self, String> {
        let Info {
            mut functions,
            config,
            ..
        } = serve::describe(plugin);
        let name = &examples.function;
        let number = functions.iter().position(|known| known.name == *name);
        let number = number.ok_or_else(|| format!("there is no function {name:?}"))?;
        let values = settings::values(&config, &examples.settings)?;
        let context = Context {
            now_us: Some(examples.now.0),
        };
        serve::configure(plugin, values, context).map_err(|error| error.message)?;
        Ok(Self {
            plugin,
            number: number as u32,
            function: functions.swap_remove(number),
            tolerance: examples.tolerance,
        })
    }

    /// Whether an argument is NULL that the function does not take as NULL: the host makes the result NULL.
    pub(super) fn missing(&self, args: &Args) -> bool {
        let strict = self.function.args.iter().filter(|arg| !arg.nullable);
        strict
            .map(|arg| args.get(&arg.name).unwrap_or(&Value::Null))
            .any(Value::is_null)
    }

    pub(super) fn columns(
        &self,
        rows: &[&Args],
        layout: Layout,
    ) -> Result<Vec<Column>, PluginError> {
        columns(&self.function.args, rows, layout).map_err(|why| internal(&why))
    }
}

/// Puts the example in front of what is wrong with it.
pub(super) fn of(what: &str, position: usize, outcome: Result<(), String>) -> Option<String> {
    let why = outcome.err()?;
    Some(format!("{what} {}: {why}", position + 1))
}
