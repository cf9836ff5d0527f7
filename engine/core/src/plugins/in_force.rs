//! Plugins as they are in force: what a query calls, and what decided once.

use std::collections::BTreeSet;
use std::sync::Arc;

use tributary_plugins_host::{Plugin, Settings};

use super::Registry;
use super::errors::{no_function, not_active, plugin_error, suspended};
use crate::control::Control;
use crate::fault::{Error, Result};
use crate::manufacturer::ManufacturerId;
use crate::plugin::{Action, Activation, Given};

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
        let plugin = self.compiled.plugin(control, &activation.digest).await?;
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
}

fn has_function(plugin: &Plugin, function: &str) -> Result<()> {
    let manifest = plugin.manifest();
    let mut known = manifest.functions.iter();
    match known.any(|known| known.name == function) {
        true => Ok(()),
        false => Err(no_function(manifest, function)),
    }
}
