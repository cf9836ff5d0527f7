//! The sandbox, and the plugins that were called since the start, compiled, by digest: queries share them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tributary_plugins_host::{Compiler, ErrorKind, Host, InProcess, Limits, Plugin, Settings};

use super::errors::{plugin_error, refused};
use crate::control::Control;
use crate::fault::{Error, Result};
use crate::limits;

/// Compiled plugins, and what compiles them.
pub struct Compiled {
    host: Arc<Host>,
    compiler: Arc<dyn Compiler>,
    by_digest: Mutex<HashMap<String, Arc<Plugin>>>,
}

impl Compiled {
    /// None yet, over one sandbox, which compiles with `compiler`, or else in this process.
    pub fn new(compiler: Option<Arc<dyn Compiler>>) -> Result<Self> {
        let limits = host_limits();
        let compiler = match compiler {
            Some(compiler) => compiler,
            None => Arc::new(InProcess::new(&limits).map_err(plugin_error)?),
        };
        Ok(Self {
            compiler,
            host: Host::new(limits).map_err(plugin_error)?,
            by_digest: Mutex::default(),
        })
    }

    /// The plugin of a digest; compiled now, where nobody has asked for it since the start.
    pub async fn plugin(&self, control: &Control, digest: &str) -> Result<Arc<Plugin>> {
        if let Some(known) = self.kept().get(digest) {
            return Ok(Arc::clone(known));
        }
        let wasm = control.component(digest).await?;
        let plugin = self.install(wasm).await.map_err(plugin_error)?;
        let mut kept = self.kept();
        if kept.len() >= limits::PLUGINS_COMPILED {
            kept.clear();
        }
        kept.insert(digest.to_owned(), Arc::clone(&plugin));
        Ok(plugin)
    }

    /// Validates, compiles and describes a component; it is not kept.
    pub async fn install(
        &self,
        wasm: Vec<u8>,
    ) -> Result<Arc<Plugin>, tributary_plugins_host::Error> {
        let host = Arc::clone(&self.host);
        let compiler = Arc::clone(&self.compiler);
        let work = tokio::task::spawn_blocking(move || host.install(wasm, compiler.as_ref()));
        work.await.unwrap_or_else(|panic| {
            Err(tributary_plugins_host::Error::new(
                ErrorKind::Internal,
                panic.to_string(),
            ))
        })
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, Arc<Plugin>>> {
        let kept = self.by_digest.lock();
        kept.unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bounds of every sandbox of this engine; a compiler in another process must use the same.
pub fn host_limits() -> Limits {
    Limits {
        upload_bytes_max: limits::PLUGIN_BYTES as u64,
        ..Limits::default()
    }
}

/// Runs the plugin on made-up rows, to see that it gives the same results however they come.
pub async fn rehearse(plugin: &Arc<Plugin>, settings: Settings) -> Result<()> {
    let plugin = Arc::clone(plugin);
    let work = tokio::task::spawn_blocking(move || plugin.rehearse(&settings));
    work.await
        .map_err(|panic| Error::internal("rehearse plugin", panic))?
        .map_err(refused)
}
