//! The last step: a plugin that is ready to run. It has described itself, twice and alike, and
//! started once; what runs from now on are the instances of pools.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{Field, FieldRef, Fields};
use wasmtime::Engine;

use crate::compile::Compiled;
use crate::error::Error;
use crate::instance::{Instance, Needs, Template};
use crate::limits::Limits;
use crate::manifest::{Function, Kind, Manifest, names_type};
use crate::pool::Pool;
use crate::settings::Settings;

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
        let template = Template::new(&compiled.component, engine)?;
        let info = Instance::new(&template, limits)?.describe()?;
        if Instance::new(&template, limits)?.describe()? != info {
            return Err(Error::refused(
                "the plugin describes itself differently each time",
            ));
        }
        let manifest = Manifest::check(info, limits)?;
        let has = |kind| {
            let mut functions = manifest.functions.iter();
            functions.any(|function| function.kind == kind)
        };
        let needs = Needs {
            scalar: has(Kind::Scalar),
            rule: has(Kind::Rule),
            aggregate: has(Kind::Aggregate),
            retract: manifest.functions.iter().any(|function| function.retracts),
        };
        let in_plugin = |error: Error| error.in_plugin(&manifest.name, &manifest.version);
        template.check(limits, needs).map_err(in_plugin)?;
        // A plugin whose settings all have values is configured once, to see that it can be.
        if let Ok(settings) = manifest.settings(&serde_json::Map::new(), limits) {
            let mut instance = Instance::new(&template, limits)?;
            let now_us = manifest.wants_now().then_some(0);
            let configured = instance.configure(settings.values(), now_us);
            configured.map_err(in_plugin)?;
        }
        let names = manifest.functions.iter().map(Names::new).collect();
        Ok(Self {
            digest: compiled.digest,
            manifest,
            template,
            limits: limits.clone(),
            names,
        })
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
    pub fn settings(
        &self,
        given: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Settings, Error> {
        let manifest = &self.manifest;
        let in_plugin = |error: Error| error.in_plugin(&manifest.name, &manifest.version);
        let settings = manifest.settings(given, &self.limits).map_err(in_plugin)?;
        let mut instance = Instance::new(&self.template, &self.limits)?;
        let configured = instance.configure(settings.values(), manifest.wants_now().then_some(0));
        configured.map_err(in_plugin)?;
        Ok(settings)
    }

    /// An empty pool. A pool belongs to one query, so that no two queries share a guest's memory. `now_us` is the time
    /// that the query is as of, in microseconds since 1970; functions that want it get it.
    pub fn pool(self: &Arc<Self>, settings: &Settings, now_us: Option<i64>) -> Pool {
        let now_us = now_us.filter(|_| self.manifest.wants_now());
        Pool::new(Arc::clone(self), settings.clone(), now_us)
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
