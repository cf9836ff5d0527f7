//! Uploaded plugins: drafts, versions in force, and the compiled ones that queries share.
//!
//! Knows the sandbox by the types of its crate and the control file; nothing of SQL, tables or rows.

mod diff;
mod strikes;
mod trial;
mod versions;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tributary_plugins_host::{Compiler, ErrorKind, Host, InProcess, Limits, Plugin, Settings};

use crate::control::{Control, NewActivation, PluginRow};
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::manufacturer::ManufacturerId;
use crate::plugin::{
    Action, Activate, Activation, Applies, Given, OfPlugin, PluginDetails, PluginDiff,
    PluginVersion, Upload,
};

pub use strikes::PluginFault;
use strikes::Strikes;
pub use trial::{Trial, Tried};
use versions::{Versions, not_active, refused};

/// The sandbox, and the plugins that were called since the start, compiled, by digest.
pub struct Registry {
    host: Arc<Host>,
    compiler: Arc<dyn Compiler>,
    compiled: Mutex<HashMap<String, Arc<Plugin>>>,
    strikes: Strikes,
}

/// A plugin as an activation put it in force.
#[derive(Clone)]
pub struct InForce {
    /// The plugin, compiled.
    pub plugin: Arc<Plugin>,
    /// Its settings.
    pub settings: Settings,
    /// What put it in force.
    pub activation: Activation,
}

impl Registry {
    /// An empty registry over one sandbox, which compiles with `compiler`, or else in this process.
    pub fn new(compiler: Option<Arc<dyn Compiler>>) -> Result<Self> {
        let limits = host_limits();
        let compiler = match compiler {
            Some(compiler) => compiler,
            None => Arc::new(InProcess::new(&limits).map_err(plugin_error)?),
        };
        Ok(Self {
            compiler,
            host: Host::new(limits).map_err(plugin_error)?,
            compiled: Mutex::default(),
            strikes: Strikes::default(),
        })
    }

    /// Validates, compiles, describes and rehearses a component, and keeps it as a draft.
    pub async fn upload(&self, control: &Control, upload: Upload) -> Result<PluginVersion> {
        let (manufacturer, wasm) = (&upload.manufacturer, upload.wasm);
        if wasm.len() > limits::PLUGIN_BYTES {
            let (limit, asked) = (limits::PLUGIN_BYTES, wasm.len());
            return Err(Error::limit("plugin_bytes", limit, asked));
        }
        let plugin = self.install(wasm.to_vec()).await.map_err(refused)?;
        let manifest = plugin.manifest();
        if let Ok(settings) = plugin.settings(&Given::new()) {
            rehearse(&plugin, settings).await?;
        }
        let row = PluginRow {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            digest: plugin.digest().to_owned(),
            bytes: wasm.len() as u64,
            manifest: serde_json::to_string(manifest)
                .map_err(|error| Error::internal("describe plugin", error))?,
            uploaded_at: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        };
        control.add_plugin(manufacturer, &row, &wasm).await?;
        let versions = Versions::read(control, manufacturer).await?;
        versions.shown(versions.found(&row.name, &row.version)?)
    }

    /// Puts one version in force, after making sure that it still compiles and takes its settings. `check` says whether
    /// its rules can decide about leads.
    pub async fn activate<F, C>(
        &self,
        control: &Control,
        activate: &Activate,
        by: &str,
        check: F,
    ) -> Result<PluginVersion>
    where
        F: Fn(Arc<Plugin>, Applies) -> C,
        C: Future<Output = Result<()>>,
    {
        for _ in 0..limits::PLUGIN_TRIES {
            let versions = Versions::read(control, &activate.manufacturer).await?;
            let row = versions.found(&activate.name, &activate.version)?;
            let plugin = self.plugin(control, &row.digest).await?;
            let before = versions.in_force(&activate.name);
            let settings = match (&activate.setup.settings, before) {
                (Some(given), _) => given.clone(),
                (None, Some(before)) => kept(control, before, &plugin).await?,
                (None, None) => Given::new(),
            };
            let settings = plugin.settings(&settings).map_err(invalid_settings)?;
            let applies = match (&activate.setup.applies, before) {
                (Some(given), _) => given.clone(),
                (None, Some(before)) => before.applies.clone(),
                (None, None) => Applies::new(),
            };
            versions.check_applies(&plugin, &applies)?;
            check(Arc::clone(&plugin), applies.clone()).await?;
            rehearse(&plugin, settings.clone()).await?;
            let activation = NewActivation {
                version: row,
                config_hash: settings.hash(),
                settings: settings.json(),
                applies: &applies,
                action: Action::Activate,
                by,
            };
            let seen = before.map(|before| before.activation_id);
            let manufacturer = &activate.manufacturer;
            if control
                .add_activation(manufacturer, activation, seen)
                .await?
            {
                self.strikes.forget(manufacturer, &row.digest);
                let versions = Versions::read(control, manufacturer).await?;
                return versions.shown(versions.found(&activate.name, &activate.version)?);
            }
        }
        Err(too_busy())
    }

    /// Puts in force again what was before the activation in force: version, settings and rules.
    pub async fn rollback(
        &self,
        control: &Control,
        of: &OfPlugin,
        by: &str,
    ) -> Result<PluginVersion> {
        let versions = Versions::read(control, &of.manufacturer).await?;
        let (now, before) = versions.before(&of.name)?;
        let row = versions.found(&before.plugin, &before.version)?;
        self.plugin(control, &row.digest).await?;
        let activation = NewActivation {
            version: row,
            config_hash: &before.config_hash,
            settings: &control.settings(&before.config_hash).await?,
            applies: &before.applies,
            action: Action::Rollback,
            by,
        };
        let seen = Some(now.activation_id);
        if !control
            .add_activation(&of.manufacturer, activation, seen)
            .await?
        {
            return Err(too_busy());
        }
        self.strikes.forget(&of.manufacturer, &row.digest);
        let versions = Versions::read(control, &of.manufacturer).await?;
        versions.shown(versions.found(&before.plugin, &before.version)?)
    }

    /// Every version of a manufacturer.
    pub async fn list(
        &self,
        control: &Control,
        manufacturer: &ManufacturerId,
    ) -> Result<Vec<PluginVersion>> {
        Versions::read(control, manufacturer).await?.all()
    }

    /// One version with everything that is known of it.
    pub async fn details(&self, control: &Control, of: &OfPlugin) -> Result<PluginDetails> {
        let versions = Versions::read(control, &of.manufacturer).await?;
        let row = versions.chosen(&of.name, of.version.as_deref())?;
        let in_force = versions.in_force(&of.name);
        let settings = match in_force {
            Some(activation) if activation.version == row.version => {
                let json = control.settings(&activation.config_hash).await?;
                Some(parsed(&json)?)
            }
            _ => None,
        };
        Ok(PluginDetails {
            version: versions.shown(row)?,
            manifest: parsed(&row.manifest)?,
            settings,
            activations: versions.activations_of(&of.name),
        })
    }

    /// How the version `to` differs from the version `from`.
    pub async fn diff(
        &self,
        control: &Control,
        of: &OfPlugin,
        from: &str,
        to: &str,
    ) -> Result<PluginDiff> {
        let versions = Versions::read(control, &of.manufacturer).await?;
        let (from, to) = (
            versions.found(&of.name, from)?,
            versions.found(&of.name, to)?,
        );
        Ok(PluginDiff {
            name: of.name.clone(),
            from: from.version.clone(),
            to: to.version.clone(),
            changes: diff::changes(&parsed(&from.manifest)?, &parsed(&to.manifest)?),
            same_digest: from.digest == to.digest,
        })
    }

    /// The plugins in force that a query calls: it keeps them to its end.
    pub async fn called(
        &self,
        control: &Control,
        manufacturer: &ManufacturerId,
        calls: &BTreeSet<(String, String)>,
    ) -> Result<Vec<InForce>> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let in_force = control.in_force(manufacturer).await?;
        let names: BTreeSet<&str> = calls.iter().map(|(name, _)| name.as_str()).collect();
        let mut called = Vec::new();
        for name in names {
            let found = in_force.iter().find(|known| known.plugin == name);
            let Some(activation) = found else {
                let rows = control.plugins(manufacturer).await?;
                return Err(not_active(name, &rows, &in_force));
            };
            called.push(self.as_activated(control, activation).await?);
        }
        for (name, function) in calls {
            let plugin = called.iter().find(|known| known.activation.plugin == *name);
            plugin.map_or(Ok(()), |known| has_function(&known.plugin, function))?;
        }
        Ok(called)
    }

    /// A plugin as an activation has it; an error where it is suspended.
    pub async fn as_activated(
        &self,
        control: &Control,
        activation: &Activation,
    ) -> Result<InForce> {
        if activation.action == Action::Suspend {
            return Err(suspended(activation));
        }
        self.with_settings(control, activation).await
    }

    /// The same, whatever became of it since: to repeat what it decided.
    pub async fn with_settings(
        &self,
        control: &Control,
        activation: &Activation,
    ) -> Result<InForce> {
        let plugin = self.plugin(control, &activation.digest).await?;
        let json = control.settings(&activation.config_hash).await?;
        let given: Given =
            serde_json::from_str(&json).map_err(|error| Error::internal("read settings", error))?;
        let settings = plugin.settings(&given).map_err(plugin_error)?;
        Ok(InForce {
            plugin,
            settings,
            activation: activation.clone(),
        })
    }

    /// Counts a failure; after the third within a minute the version is suspended. Says whether it was now.
    pub async fn strike(
        &self,
        control: &Control,
        manufacturer: &ManufacturerId,
        fault: &PluginFault,
    ) -> Result<bool> {
        let of = (fault.plugin.as_str(), fault.version.as_str());
        control
            .log_plugin(manufacturer, of, "error", &fault.message)
            .await?;
        if !fault.counts || !self.strikes.add(manufacturer, &fault.digest) {
            return Ok(false);
        }
        let versions = Versions::read(control, manufacturer).await?;
        let Some(now) = versions.in_force(&fault.plugin) else {
            return Ok(false);
        };
        if now.digest != fault.digest || now.action == Action::Suspend {
            return Ok(false);
        }
        let activation = NewActivation {
            version: versions.found(&now.plugin, &now.version)?,
            config_hash: &now.config_hash,
            settings: &control.settings(&now.config_hash).await?,
            applies: &now.applies,
            action: Action::Suspend,
            by: "engine",
        };
        let seen = Some(now.activation_id);
        let done = control
            .add_activation(manufacturer, activation, seen)
            .await?;
        if done {
            let message = format!(
                "suspended: {} failures within {} s",
                limits::PLUGIN_STRIKES,
                limits::PLUGIN_STRIKES_SECONDS
            );
            control
                .log_plugin(manufacturer, of, "error", &message)
                .await?;
        }
        Ok(done)
    }

    async fn plugin(&self, control: &Control, digest: &str) -> Result<Arc<Plugin>> {
        let known = self.compiled().get(digest).cloned();
        match known {
            Some(plugin) => Ok(plugin),
            None => {
                let wasm = control.component(digest).await?;
                let plugin = self.install(wasm).await.map_err(plugin_error)?;
                let mut compiled = self.compiled();
                if compiled.len() >= limits::PLUGINS_COMPILED {
                    compiled.clear();
                }
                compiled.insert(digest.to_owned(), Arc::clone(&plugin));
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
                ErrorKind::Internal,
                panic.to_string(),
            ))
        })
    }

    fn compiled(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Plugin>>> {
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner)
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
async fn rehearse(plugin: &Arc<Plugin>, settings: Settings) -> Result<()> {
    let plugin = Arc::clone(plugin);
    let work = tokio::task::spawn_blocking(move || plugin.rehearse(&settings));
    work.await
        .map_err(|panic| Error::internal("rehearse plugin", panic))?
        .map_err(refused)
}

/// The settings of the activation in force, as far as the plugin knows them.
async fn kept(control: &Control, before: &Activation, plugin: &Plugin) -> Result<Given> {
    let json = control.settings(&before.config_hash).await?;
    let mut given: Given =
        serde_json::from_str(&json).map_err(|error| Error::internal("read settings", error))?;
    let keys = &plugin.manifest().config;
    given.retain(|name, _| keys.iter().any(|key| key.name == *name));
    Ok(given)
}

fn has_function(plugin: &Plugin, function: &str) -> Result<()> {
    let manifest = plugin.manifest();
    let names = || manifest.functions.iter().map(|known| known.name.as_str());
    if names().any(|known| known == function) {
        return Ok(());
    }
    Err(Error::new(
        Fault::Missing,
        format!(
            "plugin \"{}\" {} has no function {function:?}",
            manifest.name, manifest.version
        ),
    )
    .with_hint(format!(
        "Its functions are {}.",
        names().collect::<Vec<_>>().join(", ")
    )))
}

fn suspended(activation: &Activation) -> Error {
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

fn invalid_settings(error: tributary_plugins_host::Error) -> Error {
    match error.kind {
        ErrorKind::Settings => Error::new(Fault::Invalid, error.to_string())
            .with_hint("\"show\" lists the plugin's settings with their types and bounds."),
        _ => plugin_error(error),
    }
}

fn too_busy() -> Error {
    Error::new(
        Fault::Busy,
        "the plugin was activated by somebody else meanwhile",
    )
    .with_hint("Look at what is in force now, and send the same request again.")
}

fn parsed(json: &str) -> Result<serde_json::Value> {
    serde_json::from_str(json).map_err(|error| Error::internal("read plugin", error))
}

/// What the sandbox says, as the engine says it.
pub fn plugin_error(error: tributary_plugins_host::Error) -> Error {
    let fault = match error.kind {
        ErrorKind::Internal => return Error::internal("call plugin", error),
        _ => Fault::Plugin,
    };
    Error::new(fault, error.to_string()).with_source(error)
}
