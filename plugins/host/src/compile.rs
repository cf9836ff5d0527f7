//! The third step: machine code. Compiling hostile input can take gigabytes and minutes, so where
//! it happens is the caller's choice: [`InProcess`], or a process of its own with limits.

use wasmtime::component::Component;
use wasmtime::{Engine, Precompiled};

use crate::check::Checked;
use crate::engine;
use crate::error::{Error, printable};
use crate::limits::Limits;

/// Compiles a component that was checked, somewhere.
///
/// # Trust
/// What `compile` returns is native code, and the host runs it. It must come from
/// [`InProcess::compile`] of this build with equal [`Limits`], in this process or in one that is
/// trusted as much, and never from outside.
pub trait Compiler: Send + Sync {
    /// The component as wasmtime serializes it.
    ///
    /// # Errors
    /// `Refused` if the component can't be compiled, `Limit` if that took too much.
    fn compile(&self, wasm: &[u8]) -> Result<Vec<u8>, Error>;
}

/// Compiles in this process, without a bound on time and memory.
pub struct InProcess {
    engine: Engine,
}

impl InProcess {
    /// A compiler for a host with these limits.
    ///
    /// # Errors
    /// `Internal` if wasmtime does not know this machine.
    pub fn new(limits: &Limits) -> Result<Self, Error> {
        Ok(Self {
            engine: engine::compiling(limits)?,
        })
    }
}

impl Compiler for InProcess {
    fn compile(&self, wasm: &[u8]) -> Result<Vec<u8>, Error> {
        self.engine.precompile_component(wasm).map_err(|error| {
            Error::refused(format!(
                "compile plugin: {}",
                printable(&format!("{error:#}"), 1000)
            ))
        })
    }
}

/// A component as machine code.
pub(crate) struct Compiled {
    pub(crate) component: Component,
    pub(crate) digest: String,
}

impl Compiled {
    pub(crate) fn new(
        checked: Checked,
        compiler: &dyn Compiler,
        engine: &Engine,
    ) -> Result<Self, Error> {
        let code = compiler.compile(&checked.wasm)?;
        if Engine::detect_precompiled(&code) != Some(Precompiled::Component) {
            return Err(Error::internal(
                "load plugin: the compiler returned something else",
            ));
        }
        // SAFETY: the code comes from the compiler that the embedder chose, whose contract is to
        // return what `InProcess` made of bytes that were checked here; uploads never reach this
        // call. wasmtime refuses code of another version or configuration.
        let component = unsafe { Component::deserialize(engine, &code) };
        let component =
            component.map_err(|error| Error::internal(format!("load plugin: {error:#}")))?;
        Ok(Self {
            component,
            digest: checked.digest,
        })
    }
}
