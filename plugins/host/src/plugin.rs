//! The last step: a plugin that is ready to run. It has described itself, twice and alike, and
//! started once; what runs from now on are the instances of pools.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{Field, FieldRef, Fields};
use serde_json::{Map, Value};
use wasmtime::Engine;

use crate::compile::Compiled;
use crate::error::Error;
use crate::function::{Function, names_type};
use crate::instance::{Instance, Template};
use crate::limits::Limits;
use crate::manifest::Manifest;
use crate::pool::Pool;
use crate::settings::{ConfigKey, Settings};

/// What time it is while a plugin is tried out: 2026-01-01T00:00:00Z, in microseconds.
pub(crate) const TRIAL_NOW_US: i64 = 1_767_225_600_000_000;

/// A plugin that is ready to run. Cheap to share; what runs is a [`Pool`] per query.
pub struct Plugin {
    digest: String,
    manifest: Manifest,
    pub(crate) template: Template,
    pub(crate) limits: Limits,
    pub(crate) names: Vec<Names>,
}

/// What all results of a rule have in common: texts, as the dictionaries of its columns, and their types, which take
/// longer to make than a small batch takes to call.
pub(crate) struct Names {
    pub(crate) verdicts: ArrayRef,
    pub(crate) reasons: ArrayRef,
    /// of one reason
    pub(crate) reason: FieldRef,
    pub(crate) fields: Fields,
}

impl Plugin {
    pub(crate) fn new(compiled: Compiled, engine: &Engine, limits: &Limits) -> Result<Self, Error> {
        let template = Template::new(&compiled.component, engine, limits)?;
        let info = Instance::new(&template, limits)?.describe(limits)?;
        if Instance::new(&template, limits)?.describe(limits)? != info {
            return Err(Error::refused(
                "the plugin describes itself differently each time",
            ));
        }
        let manifest = Manifest::check(info, limits)?;
        let names = manifest.functions.iter().map(Names::new).collect();
        let plugin = Self {
            digest: compiled.digest,
            manifest,
            template,
            limits: limits.clone(),
            names,
        };
        plugin.try_out().map_err(|error| plugin.place(error))?;
        Ok(plugin)
    }

    /// Whether the component has what its manifest promises and, if all its settings have values,
    /// takes its own defaults.
    fn try_out(&self) -> Result<(), Error> {
        self.template.check(&self.manifest)?;
        let open = |key: &ConfigKey| key.required && key.default.is_none();
        if self.manifest.config.iter().any(open) {
            return Ok(());
        }
        let defaults = self.manifest.settings(&Map::new(), &self.limits)?;
        self.configured(&defaults, Some(TRIAL_NOW_US)).map(drop)
    }

    /// sha256 of the uploaded bytes, hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What the plugin says it is.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Checks settings, completes them with defaults, and lets the plugin have a look at them.
    ///
    /// # Errors
    /// `Settings`, with everything that is wrong with them.
    pub fn settings(&self, given: &Map<String, Value>) -> Result<Settings, Error> {
        let checked = self.manifest.settings(given, &self.limits);
        let seen = checked.and_then(|settings| {
            self.configured(&settings, Some(TRIAL_NOW_US))?;
            Ok(settings)
        });
        seen.map_err(|error| self.place(error))
    }

    /// An empty pool. A pool belongs to one query, so that no two queries share a guest's memory. `now_us` is the time
    /// that the query is as of, in microseconds since 1970; it must be there if a function wants it, and a plugin without
    /// such a function does not see it.
    pub fn pool(self: &Arc<Self>, settings: &Settings, now_us: Option<i64>) -> Pool {
        Pool::new(Arc::clone(self), settings.clone(), now_us)
    }

    /// A new instance that has its settings.
    pub(crate) fn configured(
        &self,
        settings: &Settings,
        now_us: Option<i64>,
    ) -> Result<Instance, Error> {
        let now_us = match (self.manifest.wants_now(), now_us) {
            (false, _) => None,
            (true, Some(now_us)) => Some(now_us),
            (true, None) => {
                return Err(Error::internal(
                    "the plugin wants the time of the query, which has none",
                ));
            }
        };
        let mut instance = Instance::new(&self.template, &self.limits)?;
        instance.configure(settings, now_us, &self.limits)?;
        Ok(instance)
    }

    fn place(&self, error: Error) -> Error {
        error.in_plugin(&self.manifest.name, &self.manifest.version)
    }
}

impl Names {
    fn new(function: &Function) -> Self {
        let verdicts = StringArray::from_iter_values(&function.verdicts);
        let reasons =
            StringArray::from_iter_values(function.reasons.iter().map(|reason| &reason.code));
        Self {
            verdicts: Arc::new(verdicts),
            reasons: Arc::new(reasons),
            reason: Arc::new(Field::new_list_field(names_type(), true)),
            fields: function.rule_fields(),
        }
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Manifest { name, version, .. } = &self.manifest;
        write!(out, "Plugin({name} {version}, {})", self.digest)
    }
}
