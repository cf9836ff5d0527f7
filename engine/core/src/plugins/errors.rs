//! What is told where a plugin can't do what is asked of it: who is at fault, and what to do.

use tributary_plugins_host::{ErrorKind, Manifest};

use crate::control::PluginRow;
use crate::fault::{Error, Fault};
use crate::limits;
use crate::plugin::Activation;

/// What the sandbox says, as the engine says it.
pub fn plugin_error(error: tributary_plugins_host::Error) -> Error {
    let fault = match error.kind {
        ErrorKind::Internal => return Error::internal("call plugin", error),
        _ => Fault::Plugin,
    };
    Error::new(fault, error.to_string()).with_source(error)
}

/// A refused upload is the uploader's to mend.
pub fn refused(error: tributary_plugins_host::Error) -> Error {
    plugin_error(error).with_hint(
        "Build the plugin with \"tributary plugin build\", and try it with \"tributary plugin test\".",
    )
}

/// Settings that do not fit are the manufacturer's to mend.
pub fn invalid_settings(error: tributary_plugins_host::Error) -> Error {
    match error.kind {
        ErrorKind::Settings => Error::new(Fault::Invalid, error.to_string())
            .with_hint("\"show\" lists the plugin's settings with their types and bounds."),
        _ => plugin_error(error),
    }
}

/// What is told where a plugin is called that is not in force.
pub fn not_active(name: &str, rows: &[PluginRow], in_force: &[Activation]) -> Error {
    let error = Error::new(Fault::Missing, format!("plugin {name:?} is not active"));
    if rows.iter().any(|row| row.name == name) {
        return error.with_hint("It is uploaded as a draft: activate a version of it.");
    }
    let active: Vec<&str> = in_force.iter().map(|known| known.plugin.as_str()).collect();
    match active.is_empty() {
        true => error.with_hint("No plugin is active. Upload one and activate it."),
        false => error.with_hint(format!("Active are {}.", active.join(", "))),
    }
}

/// What is told where a plugin that is in force lacks a function.
pub fn no_function(manifest: &Manifest, function: &str) -> Error {
    let names = manifest.functions.iter().map(|known| known.name.as_str());
    let names: Vec<&str> = names.collect();
    Error::new(
        Fault::Missing,
        format!(
            "plugin \"{}\" {} has no function {function:?}",
            manifest.name, manifest.version
        ),
    )
    .with_hint(format!("Its functions are {}.", names.join(", ")))
}

/// What is told where a plugin is called that failed too often.
pub fn suspended(activation: &Activation) -> Error {
    let Activation {
        plugin,
        version,
        at,
        ..
    } = activation;
    Error::new(
        Fault::Plugin,
        format!("plugin \"{plugin}\" {version} is suspended since {at}: it failed {} times within a minute", limits::PLUGIN_STRIKES),
    )
    .with_hint("Read its log, then roll back, activate a mended version, or activate this one again.")
}

/// What is told where other activations came in between, each time.
pub fn too_busy() -> Error {
    Error::new(
        Fault::Busy,
        "the plugin was activated by somebody else meanwhile",
    )
    .with_hint("Look at what is in force now, and send the same request again.")
}
