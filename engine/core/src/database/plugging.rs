//! Uploads, activations and rollbacks, and what a query needs of plugins before and after it runs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use futures::FutureExt;
use tributary_plugins_host::{Cached, Compiler, InProcess, Plugin};

use super::Database;
use super::judging::bound;
use crate::control::Control;
use crate::engine::{Act, Activate, LogLine, OfPlugin, PluginVersion, Upload};
use crate::fault::{Error, Fault, Result};
use crate::folder;
use crate::manufacturer::ManufacturerId;
use crate::model::Table;
use crate::plugin::Applies;
use crate::plugins::{InForce, Leave, Outcome, Registry, host_limits, plugin_error};
use crate::sql::{After, Library, QueryPlugins};

impl Database {
    pub(super) async fn uploaded(&self, upload: Upload) -> Result<PluginVersion> {
        self.permit(&upload.principal, &upload.manufacturer, Act::Upload)
            .await?;
        let (principal, manufacturer) = (upload.principal.clone(), upload.manufacturer.clone());
        let version = self.registry.upload(&self.control, upload).await?;
        let subject = format!("{} {}", version.name, version.version);
        let control = &self.control;
        control
            .audit(
                &manufacturer,
                &principal,
                "upload",
                &subject,
                &version.digest,
            )
            .await?;
        let of = (version.name.as_str(), version.version.as_str());
        let message = format!("uploaded by {principal} ({})", version.digest);
        control
            .log_plugin(&manufacturer, of, "info", &message)
            .await?;
        Ok(version)
    }

    pub(super) async fn activated(&self, activate: Activate) -> Result<PluginVersion> {
        let manufacturer = &activate.manufacturer;
        self.permit(&activate.principal, manufacturer, Act::Activate)
            .await?;
        let by = activate.principal.to_string();
        let check = async |plugin: Arc<Plugin>, applies: Applies| -> Result<()> {
            self.check_rules(manufacturer, &plugin, &applies).await
        };
        let version = self
            .registry
            .activate(&self.control, &activate, &by, check)
            .await?;
        self.note(&activate.principal, manufacturer, "activate", &version)
            .await?;
        Ok(version)
    }

    pub(super) async fn rolled_back(&self, of: OfPlugin) -> Result<PluginVersion> {
        self.permit(&of.principal, &of.manufacturer, Act::Activate)
            .await?;
        let by = of.principal.to_string();
        let version = self.registry.rollback(&self.control, &of, &by).await?;
        self.note(&of.principal, &of.manufacturer, "rollback", &version)
            .await?;
        Ok(version)
    }

    pub(super) async fn logged(&self, of: OfPlugin) -> Result<Vec<LogLine>> {
        self.permit(&of.principal, &of.manufacturer, Act::ReadPlugins)
            .await?;
        // Says so where there is no such plugin.
        self.registry.details(&self.control, &of).await?;
        let rows = self.control.plugin_log(&of.manufacturer).await?;
        let own = rows.into_iter().filter(|row| {
            let is_version = |version: &String| *version == row.version;
            row.plugin == of.name && of.version.as_ref().is_none_or(is_version)
        });
        let lines = own.map(|row| LogLine {
            at: row.at,
            version: row.version,
            level: row.level,
            message: row.message,
        });
        Ok(lines.collect())
    }

    async fn note(
        &self,
        principal: &crate::engine::Principal,
        manufacturer: &ManufacturerId,
        action: &str,
        version: &PluginVersion,
    ) -> Result<()> {
        let subject = format!("{} {}", version.name, version.version);
        let hash = version.config_hash.as_deref().unwrap_or_default();
        let applies: Vec<String> = version
            .applies
            .iter()
            .map(|(kind, function)| format!("{kind}={function}"))
            .collect();
        let detail = format!(
            "digest {}, settings {hash}, applies {}",
            version.digest,
            match applies.is_empty() {
                true => "nothing".to_owned(),
                false => applies.join(" "),
            }
        );
        self.control
            .audit(manufacturer, principal, action, &subject, &detail)
            .await?;
        let of = (version.name.as_str(), version.version.as_str());
        let message = format!("{action} by {principal}: {detail}");
        self.control
            .log_plugin(manufacturer, of, "info", &message)
            .await
    }

    /// Whether the rules that are to decide about leads find their arguments among the columns of leads.
    async fn check_rules(
        &self,
        manufacturer: &ManufacturerId,
        plugin: &Plugin,
        applies: &Applies,
    ) -> Result<()> {
        if applies.is_empty() {
            return Ok(());
        }
        let leads = Table::named("leads").expect("the data model has leads");
        let leads = self.store.model(manufacturer, leads).await?;
        let manifest = plugin.manifest();
        for function in applies.values() {
            let mut known = manifest.functions.iter();
            if let Some(function) = known.find(|known| known.name == *function) {
                bound(&manifest.name, function, &leads.schema())?;
            }
        }
        Ok(())
    }

    /// The plugins that a statement and the views behind it call. Those of views that are only listed may be missing.
    pub(super) async fn called(
        &self,
        manufacturer: &ManufacturerId,
        library: &Library,
    ) -> Result<QueryPlugins> {
        let mut called: Vec<InForce> = self
            .registry
            .called(&self.control, manufacturer, library.calls())
            .await?;
        for calls in library.optional_calls() {
            let more = self
                .registry
                .called(&self.control, manufacturer, calls)
                .await;
            called.extend(more.into_iter().flatten());
        }
        let mut seen = BTreeSet::new();
        called.retain(|in_force| seen.insert(in_force.activation.activation_id));
        let now_us = chrono::Utc::now().timestamp_micros();
        Ok(QueryPlugins::new(
            &called,
            now_us,
            &self.leave(manufacturer),
        ))
    }

    /// Records what the plugins of a query did, before its last frame is sent.
    pub(super) fn after(&self, manufacturer: ManufacturerId) -> After {
        let (control, registry) = (Arc::clone(&self.control), Arc::clone(&self.registry));
        Box::new(move |plugins: QueryPlugins| {
            async move { record(&control, &registry, &manufacturer, plugins.outcome()).await }
                .boxed()
        })
    }

    /// The same for a query that came to no end, which nobody waits for.
    fn leave(&self, manufacturer: &ManufacturerId) -> Leave {
        let (control, registry) = (Arc::clone(&self.control), Arc::clone(&self.registry));
        let (threads, manufacturer) = (self.threads().clone(), manufacturer.clone());
        Arc::new(move |outcome| {
            let (control, registry) = (Arc::clone(&control), Arc::clone(&registry));
            let manufacturer = manufacturer.clone();
            threads.spawn(async move { record(&control, &registry, &manufacturer, outcome).await });
        })
    }
}

/// Records what plugins cost, what they warned of and what went wrong in them. No reason to fail a query.
async fn record(
    control: &Control,
    registry: &Registry,
    manufacturer: &ManufacturerId,
    outcome: Outcome,
) {
    let mut done = control.note_calls(manufacturer, &outcome.receipts).await;
    for (name, version, message) in &outcome.warnings {
        let of = (name.as_str(), version.as_str());
        done = done.and(control.log_plugin(manufacturer, of, "warn", message).await);
    }
    if let Some(fault) = &outcome.fault {
        done = done.and(registry.strike(control, manufacturer, fault).await);
    }
    if let Err(error) = done {
        tracing::warn!(%manufacturer, error = error.message(), "calls of plugins were not recorded");
    }
}

/// A compiler that keeps what it compiled in the data folder, under a key that is not in the same folder.
pub(super) fn compiler(
    data: &Path,
    inner: Option<Arc<dyn Compiler>>,
) -> Result<Option<Arc<dyn Compiler>>> {
    let limits = host_limits();
    let inner = match inner {
        Some(inner) => inner,
        None => Arc::new(InProcess::new(&limits).map_err(plugin_error)?),
    };
    let (folder, key) = (data.join(".compiled"), key(&data.join("compiled.key"))?);
    fs::create_dir_all(&folder).map_err(|error| {
        folder::unusable("create folder for compiled plugins".to_owned(), error)
    })?;
    let cached = Cached::new(inner, folder, key, &limits).map_err(plugin_error)?;
    Ok(Some(Arc::new(cached)))
}

/// The key that compiled plugins are signed with: made once, readable by the owner of the data folder only.
fn key(path: &Path) -> Result<[u8; 32]> {
    let mut key = [0; 32];
    getrandom::getrandom(&mut key).map_err(|error| Error::internal("make a key", error))?;
    let kept = folder::secret(path, &key)?;
    <[u8; 32]>::try_from(kept.as_slice()).map_err(|_| {
        Error::new(
            Fault::Invalid,
            format!("file \"{}\" is no key of 32 bytes", path.display()),
        )
        .with_hint("Delete it and the folder .compiled beside it; plugins are compiled anew.")
    })
}
