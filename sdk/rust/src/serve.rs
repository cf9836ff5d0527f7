//! The exports of a plugin: finds the function a call is for. `plugin!` expands to calls of this
//! file; it deliberately knows no types of values.

use crate::argument::internal;
use crate::bindings::exports::tributary::plugin::manifest::{Function, Info};
use crate::bindings::exports::tributary::plugin::rule::Judgement;
use crate::bindings::tributary::plugin::types::{Column, ErrorCode, PluginError};

/// A plugin: what `plugin!` was told.
pub struct Plugin {
    /// the schema of its functions in SQL
    pub name: &'static str,
    /// its own version, semantic
    pub version: &'static str,
    /// what `#[score]` and `#[rule]` made; a function's number is its place
    pub functions: &'static [Entry],
}

/// A function as `#[score]` or `#[rule]` made it.
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
}

/// The manifest.
pub fn describe(plugin: &Plugin) -> Info {
    report_panics();
    Info {
        name: plugin.name.to_owned(),
        version: plugin.version.to_owned(),
        functions: plugin
            .functions
            .iter()
            .map(|entry| (entry.describe)())
            .collect(),
    }
}

/// Before any evaluation.
pub fn start() -> Result<(), PluginError> {
    report_panics();
    Ok(())
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
