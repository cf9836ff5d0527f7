//! What is in force: activations, rollbacks and suspensions. Each of them adds one row, if nothing of the manufacturer was
//! activated since it was looked at; otherwise it looks again.

use std::sync::Arc;

use tributary_plugins_host::{Plugin, Settings};

use super::Registry;
use super::compiled::rehearse;
use super::errors::{invalid_settings, too_busy};
use super::strikes::PluginFault;
use super::versions::Versions;
use crate::control::{Control, NewActivation};
use crate::fault::{Error, Result};
use crate::limits;
use crate::manufacturer::ManufacturerId;
use crate::plugin::{Action, Activate, Activation, Applies, Given, OfPlugin, PluginVersion, Setup};

impl Registry {
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
        let manufacturer = &activate.manufacturer;
        for _ in 0..limits::PLUGIN_TRIES {
            let versions = Versions::read(control, manufacturer).await?;
            let row = versions.found(&activate.name, &activate.version)?;
            let plugin = self.compiled.plugin(control, &row.digest).await?;
            let before = versions.in_force(&activate.name);
            let settings = settings(control, &activate.setup, before, &plugin).await?;
            let applies = applies(&activate.setup, before);
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
            let seen = versions.newest_activation();
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
        let manufacturer = &of.manufacturer;
        let mut first = None;
        for _ in 0..limits::PLUGIN_TRIES {
            let versions = Versions::read(control, manufacturer).await?;
            let (now, before) = versions.before(&of.name)?;
            // What is to be undone is what was in force when it was asked for.
            if *first.get_or_insert(now.activation_id) != now.activation_id {
                break;
            }
            let row = versions.found(&before.plugin, &before.version)?;
            let plugin = self.compiled.plugin(control, &row.digest).await?;
            versions.check_applies(&plugin, &before.applies)?;
            let activation = NewActivation {
                version: row,
                config_hash: &before.config_hash,
                settings: &control.settings(&before.config_hash).await?,
                applies: &before.applies,
                action: Action::Rollback,
                by,
            };
            let seen = versions.newest_activation();
            if control
                .add_activation(manufacturer, activation, seen)
                .await?
            {
                self.strikes.forget(manufacturer, &row.digest);
                let versions = Versions::read(control, manufacturer).await?;
                return versions.shown(versions.found(&before.plugin, &before.version)?);
            }
        }
        Err(too_busy())
    }

    /// Counts a failure; after the third within a minute the version is suspended.
    pub async fn strike(
        &self,
        control: &Control,
        manufacturer: &ManufacturerId,
        fault: &PluginFault,
    ) -> Result<()> {
        let of = (fault.plugin.as_str(), fault.version.as_str());
        control
            .log_plugin(manufacturer, of, "error", &fault.message)
            .await?;
        let counts = fault.counts && self.strikes.add(manufacturer, &fault.digest);
        if !counts || !suspend(control, manufacturer, fault).await? {
            return Ok(());
        }
        let message = format!(
            "suspended: {} failures within {} s",
            limits::PLUGIN_STRIKES,
            limits::PLUGIN_STRIKES_SECONDS
        );
        control
            .log_plugin(manufacturer, of, "error", &message)
            .await
    }
}

/// Suspends the version that failed, where it is in force; says whether it was.
async fn suspend(
    control: &Control,
    manufacturer: &ManufacturerId,
    fault: &PluginFault,
) -> Result<bool> {
    for _ in 0..limits::PLUGIN_TRIES {
        let versions = Versions::read(control, manufacturer).await?;
        let now = versions.in_force(&fault.plugin);
        let failed =
            |now: &&Activation| now.digest == fault.digest && now.action != Action::Suspend;
        let Some(now) = now.filter(failed) else {
            return Ok(false);
        };
        let activation = NewActivation {
            version: versions.found(&now.plugin, &now.version)?,
            config_hash: &now.config_hash,
            settings: &control.settings(&now.config_hash).await?,
            applies: &now.applies,
            action: Action::Suspend,
            by: "engine",
        };
        let seen = versions.newest_activation();
        if control
            .add_activation(manufacturer, activation, seen)
            .await?
        {
            return Ok(true);
        }
    }
    // The next failure is one too many as well.
    Ok(false)
}

/// The settings that are given, or those in force, complete.
async fn settings(
    control: &Control,
    setup: &Setup,
    before: Option<&Activation>,
    plugin: &Plugin,
) -> Result<Settings> {
    let given = match (&setup.settings, before) {
        (Some(given), _) => given.clone(),
        (None, Some(before)) => kept(control, before, plugin).await?,
        (None, None) => Given::new(),
    };
    plugin.settings(&given).map_err(invalid_settings)
}

/// The rules that are given, or those in force.
fn applies(setup: &Setup, before: Option<&Activation>) -> Applies {
    match (&setup.applies, before) {
        (Some(given), _) => given.clone(),
        (None, Some(before)) => before.applies.clone(),
        (None, None) => Applies::new(),
    }
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
