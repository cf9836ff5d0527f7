//! Compiling plugins, for an adapter that does it in a process of its own: see [`Compiler`] for what such a process is
//! trusted with.

pub use tributary_plugins_host::{Compiler, Error as Refused};

use tributary_plugins_host::{ErrorKind, InProcess};

use crate::plugins::host_limits;

/// Compiles a component that was checked, in this process: what a [`Compiler`] returns.
///
/// # Errors
/// In words, where the component can't be compiled.
pub fn here(wasm: &[u8]) -> Result<Vec<u8>, String> {
    let compiler = InProcess::new(&host_limits()).map_err(|error| error.to_string())?;
    compiler.compile(wasm).map_err(|error| error.message)
}

/// The component can't be compiled.
#[must_use]
pub fn refused(message: &str) -> Refused {
    Refused::new(ErrorKind::Refused, message)
}

/// Compiling took more than it may.
#[must_use]
pub fn limit(name: &'static str, limit: u64) -> Refused {
    Refused::limit(name, limit, None)
}

/// The compiler itself is broken.
#[must_use]
pub fn internal(message: impl Into<String>) -> Refused {
    Refused::new(ErrorKind::Internal, message)
}
