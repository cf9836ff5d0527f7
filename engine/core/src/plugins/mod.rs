//! Uploaded plugins: drafts and active versions, and the compiled ones that queries share.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tributary_plugins_host::{Compiler, Host, InProcess, Limits, Manifest, Plugin};

use crate::control::{Control, PluginRow};
use crate::engine::PluginVersion;
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::manufacturer::ManufacturerId;
use crate::sql::{plugin_error, signature};

/// The sandbox, and the plugins that were active or called since the start, compiled, by digest. Drafts are not kept.
pub struct Registry {
    host: Arc<Host>,
    compiler: Arc<dyn Compiler>,
    compiled: Mutex<HashMap<String, Arc<Plugin>>>,
}

impl Registry {
    /// An empty registry over one sandbox, which compiles in this process.
    pub fn new() -> Result<Self> {
        let limits = Limits {
            upload_bytes_max: limits::PLUGIN_BYTES as u64,
            ..Limits::default()
        };
        Ok(Self {
            compiler: Arc::new(InProcess::new(&limits).map_err(plugin_error)?),
            host: Host::new(limits).map_err(plugin_error)?,
            compiled: Mutex::default(),
        })
    }

    /// Validates, compiles and describes a component, and keeps it as a draft.
    pub async fn upload(
        &self,
        control: &Control,
        manufacturer: &ManufacturerId,
        wasm: Bytes,
    ) -> Result<PluginVersion> {
        if wasm.len() > limits::PLUGIN_BYTES {
            return Err(Error::limit(
                "plugin_bytes",
                limits::PLUGIN_BYTES,
                wasm.len(),
            ));
        }
        let plugin = self.install(wasm.to_vec()).await.map_err(refused)?;
        let manifest = plugin.manifest();
        let row = PluginRow {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            digest: plugin.digest().to_owned(),
            bytes: wasm.len() as u64,
            functions: functions_json(manifest)?,
            uploaded_at: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
            active: false,
        };
        control.add_plugin(manufacturer, &row, &wasm).await?;
        self.find(control, manufacturer, &row.name, &row.version)
            .await
    }

    /// Makes one version the one that SQL calls, after making sure that it still compiles.
    pub async fn activate(
        &self,
        control: &Control,
        manufacturer: &ManufacturerId,
        name: &str,
        version: &str,
    ) -> Result<PluginVersion> {
        let found = self.find(control, manufacturer, name, version).await?;
        self.plugin(control, &found.digest).await?;
        control.activate(manufacturer, name, version).await?;
        self.find(control, manufacturer, name, version).await
    }

    /// Every version of a manufacturer.
    pub async fn list(
        &self,
        control: &Control,
        manufacturer: &ManufacturerId,
    ) -> Result<Vec<PluginVersion>> {
        let rows = control.plugins(manufacturer).await?;
        rows.into_iter().map(version).collect()
    }

    /// The active plugins that a query calls: it keeps them to its end.
    pub async fn called(
        &self,
        control: &Control,
        manufacturer: &ManufacturerId,
        calls: &BTreeSet<(String, String)>,
    ) -> Result<Vec<Arc<Plugin>>> {
        let mut called: BTreeMap<&str, Arc<Plugin>> = BTreeMap::new();
        let rows = match calls.is_empty() {
            true => return Ok(Vec::new()),
            false => control.plugins(manufacturer).await?,
        };
        for (name, function) in calls {
            let Some(row) = rows.iter().find(|row| row.active && row.name == *name) else {
                return Err(not_active(name, &rows));
            };
            let plugin = self.plugin(control, &row.digest).await?;
            let functions = &plugin.manifest().functions;
            if !functions.iter().any(|known| known.name == *function) {
                let known: Vec<&str> = functions.iter().map(|known| known.name.as_str()).collect();
                return Err(Error::new(
                    Fault::Missing,
                    format!(
                        "plugin \"{name}\" {} has no function {function:?}",
                        row.version
                    ),
                )
                .with_hint(format!("Its functions are {}.", known.join(", "))));
            }
            called.insert(name, plugin);
        }
        Ok(called.into_values().collect())
    }

    async fn find(
        &self,
        control: &Control,
        manufacturer: &ManufacturerId,
        name: &str,
        version: &str,
    ) -> Result<PluginVersion> {
        let versions = self.list(control, manufacturer).await?;
        let known: Vec<String> = versions
            .iter()
            .map(|known| format!("{} {}", known.name, known.version))
            .collect();
        let mut versions = versions.into_iter();
        versions
            .find(|known| known.name == name && known.version == version)
            .ok_or_else(|| {
                Error::new(
                    Fault::Missing,
                    format!("plugin {name:?} {version:?} does not exist"),
                )
                .with_hint(match known.is_empty() {
                    true => "No plugin is uploaded yet.".to_owned(),
                    false => format!("Uploaded are {}.", known.join(", ")),
                })
            })
    }

    async fn plugin(&self, control: &Control, digest: &str) -> Result<Arc<Plugin>> {
        let known = self.compiled().get(digest).cloned();
        match known {
            Some(plugin) => Ok(plugin),
            None => {
                let wasm = control.component(digest).await?;
                let plugin = self.install(wasm).await.map_err(plugin_error)?;
                self.compiled()
                    .insert(digest.to_owned(), Arc::clone(&plugin));
                Ok(plugin)
            }
        }
    }

    async fn install(&self, wasm: Vec<u8>) -> Result<Arc<Plugin>, tributary_plugins_host::Error> {
        let host = Arc::clone(&self.host);
        let compiler = Arc::clone(&self.compiler);
        let work = tokio::task::spawn_blocking(move || host.install(wasm, compiler.as_ref()));
        work.await.unwrap_or_else(|panic| {
            Err(tributary_plugins_host::Error::new(
                tributary_plugins_host::ErrorKind::Internal,
                panic.to_string(),
            ))
        })
    }

    fn compiled(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Plugin>>> {
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_active(name: &str, rows: &[PluginRow]) -> Error {
    let active: Vec<&str> = rows
        .iter()
        .filter(|row| row.active)
        .map(|row| row.name.as_str())
        .collect();
    let error = Error::new(Fault::Missing, format!("plugin {name:?} is not active"));
    if rows.iter().any(|row| row.name == name) {
        return error.with_hint("It is uploaded as a draft: activate a version of it.");
    }
    match active.is_empty() {
        true => error.with_hint("No plugin is active. Upload one and activate it."),
        false => error.with_hint(format!("Active are {}.", active.join(", "))),
    }
}

/// A refused upload is the uploader's to mend.
fn refused(error: tributary_plugins_host::Error) -> Error {
    plugin_error(error).with_hint(
        "Build the plugin with \"tributary plugin build\", which checks it the same way.",
    )
}

fn functions_json(manifest: &Manifest) -> Result<String> {
    let signatures: Vec<String> = manifest
        .functions
        .iter()
        .map(|function| signature(&manifest.name, function))
        .collect();
    serde_json::to_string(&signatures).map_err(|error| Error::internal("describe plugin", error))
}

fn version(row: PluginRow) -> Result<PluginVersion> {
    Ok(PluginVersion {
        functions: serde_json::from_str(&row.functions)
            .map_err(|error| Error::internal("read plugin", error))?,
        name: row.name,
        version: row.version,
        digest: row.digest,
        bytes: row.bytes,
        uploaded_at: row.uploaded_at,
        active: row.active,
    })
}
