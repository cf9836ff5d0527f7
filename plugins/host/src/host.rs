//! The process-wide sandbox, and the one way in. It deliberately keeps no list of plugins: who
//! installed what, and which version is active, is the caller's.

use std::sync::Arc;

use wasmtime::Engine;

use crate::check::Checked;
use crate::compile::{Compiled, Compiler};
use crate::engine;
use crate::error::Error;
use crate::limits::Limits;
use crate::plugin::Plugin;
use crate::upload::Upload;

/// The sandbox: one wasmtime engine, with its pool of memories. One per process is enough; two
/// do not meet.
pub struct Host {
    limits: Limits,
    engine: Engine,
}

impl Host {
    /// A sandbox with these limits. It reserves address space for `instances_max` instances.
    ///
    /// # Errors
    /// `Internal` if the machine refuses that.
    pub fn new(limits: Limits) -> Result<Arc<Self>, Error> {
        let engine = engine::running(&limits)?;
        Ok(Arc::new(Self { limits, engine }))
    }

    /// The limits it was made with.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Makes a plugin of uploaded bytes. Takes some 10 ms for a plugin of 20 KB.
    ///
    /// # Errors
    /// `Refused` or `Limit` if the upload is at fault; `Trap`, `Output` or `Plugin` if it fails
    /// while it describes itself or starts.
    pub fn install(
        self: &Arc<Self>,
        wasm: impl Into<Vec<u8>>,
        compiler: &dyn Compiler,
    ) -> Result<Arc<Plugin>, Error> {
        let upload = Upload::new(wasm.into(), &self.limits)?;
        let checked = Checked::new(upload, &self.limits)?;
        let compiled = Compiled::new(checked, compiler, &self.engine)?;
        let plugin = Plugin::new(compiled, &self.engine, &self.limits)?;
        Ok(Arc::new(plugin))
    }
}
