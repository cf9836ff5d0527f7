//! The last step: a plugin that is ready to run. It has described itself, twice and alike, and
//! started once; what runs from now on are the instances of pools.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use wasmtime::Engine;

use crate::compile::Compiled;
use crate::error::Error;
use crate::instance::{Instance, Template};
use crate::limits::Limits;
use crate::manifest::{Function, Kind, Manifest};
use crate::pool::Pool;

/// A plugin that is ready to run. Cheap to share; what runs is a [`Pool`] per query.
pub struct Plugin {
    digest: String,
    manifest: Manifest,
    pub(crate) template: Template,
    pub(crate) limits: Limits,
    pub(crate) names: Vec<Names>,
}

/// Texts of a rule, as the dictionaries of its results.
pub(crate) struct Names {
    pub(crate) verdicts: ArrayRef,
    pub(crate) reasons: ArrayRef,
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
            manifest
                .functions
                .iter()
                .any(|function| function.kind == kind)
        };
        let started = template.check(limits, has(Kind::Scalar), has(Kind::Rule));
        started.map_err(|error| error.in_plugin(&manifest.name, &manifest.version))?;
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

    /// An empty pool. A pool belongs to one query, so that no two queries share a guest's memory.
    pub fn pool(self: &Arc<Self>) -> Pool {
        Pool::new(Arc::clone(self))
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
        }
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Manifest { name, version, .. } = &self.manifest;
        write!(out, "Plugin({name} {version}, {})", self.digest)
    }
}
