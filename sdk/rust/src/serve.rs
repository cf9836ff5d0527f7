//! The exports of a plugin: finds the function a call is for. `plugin!` expands to calls of this
//! file; it deliberately knows no types of values.

use std::any::Any;
use std::rc::Rc;

use crate::aggregate::{Accumulate, Rows};
use crate::argument::internal;
use crate::bindings::exports::tributary::plugin::lifecycle::{ConfigValue, Context};
use crate::bindings::exports::tributary::plugin::manifest::{ConfigKey, Function, Info, Wire};
use crate::bindings::exports::tributary::plugin::rule::Judgement;
use crate::bindings::tributary::plugin::types::{Column, ErrorCode, PluginError};
use crate::config::{Config, Given};
use crate::context;
use crate::failure::PluginFailure;

/// A plugin: what `plugin!` was told.
pub struct Plugin {
    /// the schema of its functions in SQL
    pub name: &'static str,
    /// its own version, semantic
    pub version: &'static str,
    /// its settings
    pub config: Option<ConfigEntry>,
    /// what `#[score]`, `#[rule]` and `#[aggregate]` made; a function's number is its place
    pub functions: &'static [Entry],
}

/// The settings of a plugin.
pub struct ConfigEntry {
    /// their entries in the manifest
    pub keys: fn() -> Vec<ConfigKey>,
    /// what is made of them
    pub fill: fn(&mut Given) -> Result<Rc<dyn Any>, PluginFailure>,
}

impl ConfigEntry {
    /// The settings of a type.
    pub const fn of<S: Config>() -> Self {
        Self {
            keys: S::keys,
            fill: |given| S::fill(given).map(|settings| Rc::new(settings) as Rc<dyn Any>),
        }
    }
}

/// A function as `#[score]`, `#[rule]` or `#[aggregate]` made it.
pub struct Entry {
    /// its entry in the manifest
    pub describe: fn() -> Function,
    /// its loop
    pub run: Run,
}

/// The loop of a function, by kind.
pub enum Run {
    /// of `#[score]`
    Score(fn(&[Column], usize) -> Result<Column, PluginError>),
    /// of `#[rule]`
    Rule(fn(&[Column], usize) -> Result<Judgement, PluginError>),
    /// of `#[aggregate]`
    Aggregate(fn() -> Box<dyn Accumulate>),
}

/// The manifest.
pub fn describe(plugin: &Plugin) -> Info {
    report_panics();
    let functions = plugin.functions.iter().map(|entry| (entry.describe)());
    Info {
        name: plugin.name.to_owned(),
        version: plugin.version.to_owned(),
        wire: Wire::Typed,
        functions: functions.collect(),
        config: plugin
            .config
            .as_ref()
            .map_or_else(Vec::new, |config| (config.keys)()),
    }
}

/// Before any evaluation.
pub fn configure(
    plugin: &Plugin,
    settings: Vec<(String, ConfigValue)>,
    context: Context,
) -> Result<(), PluginError> {
    report_panics();
    let filled = plugin.config.as_ref().map(|config| {
        (config.fill)(&mut Given::new(settings)).map_err(|failure| PluginError {
            code: ErrorCode::MissingConfig,
            ..internal(failure.message())
        })
    });
    context::begin(filled.transpose()?, context.now_us);
    Ok(())
}

/// Chooses the aggregate that the instance accumulates for.
pub fn start(plugin: &Plugin, function: u32) -> Result<(), PluginError> {
    match plugin.functions.get(function as usize) {
        Some(Entry {
            run: Run::Aggregate(make),
            ..
        }) => {
            context::accumulate(make());
            Ok(())
        }
        _ => Err(unsupported(function)),
    }
}

/// Adds rows to groups.
pub fn update(
    columns: &[Column],
    groups: &[u32],
    filter: Option<&[u8]>,
    rows: u32,
    total: u32,
) -> Result<(), PluginError> {
    let rows = Rows {
        columns,
        groups,
        filter,
        rows,
    };
    context::accumulator(|accumulator| accumulator.update(rows, total))
}

/// Takes rows out of groups.
pub fn retract(
    columns: &[Column],
    groups: &[u32],
    filter: Option<&[u8]>,
    rows: u32,
) -> Result<(), PluginError> {
    let rows = Rows {
        columns,
        groups,
        filter,
        rows,
    };
    context::accumulator(|accumulator| accumulator.retract(rows))
}

/// Adds partial states to groups.
pub fn merge(state: &[Column], groups: &[u32], rows: u32, total: u32) -> Result<(), PluginError> {
    context::accumulator(|accumulator| accumulator.merge(state, groups, rows, total))
}

/// The values of groups.
pub fn evaluate(groups: &[u32]) -> Result<Column, PluginError> {
    context::accumulator(|accumulator| accumulator.evaluate(groups))
}

/// The partial states of groups.
pub fn state(groups: &[u32]) -> Result<Vec<Column>, PluginError> {
    context::accumulator(|accumulator| accumulator.state(groups))
}

/// Forgets the first groups.
pub fn drop_first(groups: u32) -> Result<(), PluginError> {
    context::accumulator(|accumulator| {
        accumulator.drop_first(groups);
        Ok(())
    })
}

/// Makes a group empty.
pub fn reset(group: u32) -> Result<(), PluginError> {
    context::accumulator(|accumulator| {
        accumulator.reset(group);
        Ok(())
    })
}

/// One batch of a scalar function.
pub fn eval(
    plugin: &Plugin,
    function: u32,
    args: &[Column],
    rows: u32,
) -> Result<Column, PluginError> {
    match plugin.functions.get(function as usize) {
        Some(Entry {
            run: Run::Score(run),
            ..
        }) => run(args, rows as usize),
        _ => Err(unsupported(function)),
    }
}

/// One batch of a rule.
pub fn judge(
    plugin: &Plugin,
    function: u32,
    args: &[Column],
    rows: u32,
) -> Result<Judgement, PluginError> {
    match plugin.functions.get(function as usize) {
        Some(Entry {
            run: Run::Rule(run),
            ..
        }) => run(args, rows as usize),
        _ => Err(unsupported(function)),
    }
}

fn unsupported(function: u32) -> PluginError {
    let message = format!("no function {function} of this kind");
    PluginError {
        code: ErrorCode::Unsupported,
        ..internal(&message)
    }
}

/// Lets the host see why a plugin panicked; without it there is only a trap.
fn report_panics() {
    #[cfg(target_arch = "wasm32")]
    std::panic::set_hook(Box::new(|panic| {
        use crate::bindings::tributary::plugin::diagnostics::{Level, report};
        report(Level::Panic, &panic.to_string());
    }));
}
