//! Uploaded plugins: drafts, versions in force, and the compiled ones that queries share.
//!
//! Knows the sandbox by the types of its crate and the control file; nothing of SQL, tables or rows.

mod activating;
mod compiled;
mod diff;
mod errors;
mod in_force;
mod outcome;
mod strikes;
mod trial;
mod versions;

use std::sync::Arc;

use tributary_plugins_host::Compiler;

use crate::control::{Control, PluginRow};
use crate::fault::{Error, Result};
use crate::limits;
use crate::manufacturer::ManufacturerId;
use crate::plugin::{Given, OfPlugin, PluginDetails, PluginDiff, PluginVersion, Upload};

use compiled::{Compiled, rehearse};
use errors::refused;
use strikes::Strikes;
use versions::Versions;

pub use compiled::host_limits;
pub use errors::plugin_error;
pub use in_force::InForce;
pub use outcome::{Leave, Outcome};
pub use strikes::PluginFault;
pub use trial::{Trial, Tried};

/// The plugins of all manufacturers.
pub struct Registry {
    compiled: Compiled,
    strikes: Strikes,
}

impl Registry {
    /// A registry over one sandbox, which compiles with `compiler`, or else in this process.
    pub fn new(compiler: Option<Arc<dyn Compiler>>) -> Result<Self> {
        Ok(Self {
            compiled: Compiled::new(compiler)?,
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
        let plugin = self
            .compiled
            .install(wasm.to_vec())
            .await
            .map_err(refused)?;
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
}

fn parsed(json: &str) -> Result<serde_json::Value> {
    serde_json::from_str(json).map_err(|error| Error::internal("read plugin", error))
}
