//! The instances of one query. Instances are checked out for one call and come back only if it
//! succeeded; results are the same however many there are. It deliberately knows no wasmtime.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use arrow::array::ArrayRef;

use crate::aggregation::Aggregation;
use crate::call::{Argument, Call};
use crate::error::{Error, within};
use crate::instance::{Budget, Instance};
use crate::manifest::{Function, Kind};
use crate::plugin::Plugin;
use crate::settings::Settings;

/// What a function of a pool has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Receipts {
    /// calls of a guest
    pub calls: u64,
    /// rows of those calls
    pub rows: u64,
    /// time in calls, copies in and out and checks included, summed over threads
    pub nanoseconds: u64,
    /// arguments, as they were copied in
    pub bytes_in: u64,
    /// the most linear memory one instance had
    pub linear_memory_bytes_peak: u64,
}

/// Something that a plugin warned of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// the function that was running
    pub function: String,
    /// in its words
    pub message: String,
}

/// The instances of one query. Threads of the query share it.
pub struct Pool {
    plugin: Arc<Plugin>,
    settings: Settings,
    now_us: Option<i64>,
    idle: Mutex<Vec<Instance>>,
    counters: Vec<Counters>,
    fuel: AtomicU64,
    warnings: Mutex<Vec<Warning>>,
}

#[derive(Default)]
struct Counters {
    calls: AtomicU64,
    rows: AtomicU64,
    nanoseconds: AtomicU64,
    bytes_in: AtomicU64,
    linear_memory_bytes_peak: AtomicU64,
}

/// What one call of a guest is and what it got.
pub(crate) struct Spent {
    pub(crate) rows: usize,
    pub(crate) bytes_in: u64,
    pub(crate) began: Instant,
    pub(crate) fuel: u64,
}

impl Pool {
    pub(crate) fn new(plugin: Arc<Plugin>, settings: Settings, now_us: Option<i64>) -> Self {
        let functions = plugin.manifest().functions.len();
        Self {
            plugin,
            settings,
            now_us,
            idle: Mutex::default(),
            counters: (0..functions).map(|_| Counters::default()).collect(),
            fuel: AtomicU64::default(),
            warnings: Mutex::default(),
        }
    }

    /// The plugin whose instances these are.
    pub fn plugin(&self) -> &Arc<Plugin> {
        &self.plugin
    }

    /// The settings that each of them got.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Calls a score or a rule, by its place in the manifest, over a batch. The result has `rows`
    /// rows of the function's return type. Blocks for as long as the guest runs.
    ///
    /// # Errors
    /// Every kind but `Refused`; the place says which function, and the row where there is one.
    pub fn call(
        &self,
        function: usize,
        args: &[Argument<'_>],
        rows: usize,
    ) -> Result<ArrayRef, Error> {
        let found = self.function(function)?;
        let done = match found.kind {
            Kind::Scalar | Kind::Rule => Call::new(self, function, found, args).run(rows),
            Kind::Aggregate => Err(Error::internal("an aggregate is not called over a batch")),
        };
        done.map_err(|error| self.in_function(error, function))
    }

    /// Starts an aggregation with one aggregate, by its place in the manifest, in an instance of its own.
    ///
    /// # Errors
    /// Those of a call.
    pub fn aggregate(self: &Arc<Self>, function: usize) -> Result<Aggregation, Error> {
        let found = self.function(function)?;
        let made = match found.kind {
            Kind::Aggregate => Aggregation::new(Arc::clone(self), function),
            Kind::Scalar | Kind::Rule => Err(Error::internal("the function is no aggregate")),
        };
        made.map_err(|error| self.in_function(error, function))
    }

    /// What a function has done so far, by its place in the manifest.
    pub fn receipts(&self, function: usize) -> Receipts {
        let Some(counters) = self.counters.get(function) else {
            return Receipts::default();
        };
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Receipts {
            calls: read(&counters.calls),
            rows: read(&counters.rows),
            nanoseconds: read(&counters.nanoseconds),
            bytes_in: read(&counters.bytes_in),
            linear_memory_bytes_peak: read(&counters.linear_memory_bytes_peak),
        }
    }

    /// The first things that the plugin warned of.
    pub fn warnings(&self) -> Vec<Warning> {
        let warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.clone()
    }

    fn function(&self, function: usize) -> Result<&Function, Error> {
        let found = self.plugin.manifest().functions.get(function);
        found.ok_or_else(|| Error::internal(format!("no function {function}")))
    }

    /// The same error, with where it happened.
    pub(crate) fn in_function(&self, error: Error, function: usize) -> Error {
        let manifest = self.plugin.manifest();
        let error = error.in_plugin(&manifest.name, &manifest.version);
        match manifest.functions.get(function) {
            Some(function) => error.in_function(&function.name),
            None => error,
        }
    }

    /// An instance that nobody else uses.
    pub(crate) fn checkout(&self) -> Result<Instance, Error> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        match idle {
            Some(instance) => Ok(instance),
            None => self.fresh(),
        }
    }

    /// A new instance.
    pub(crate) fn fresh(&self) -> Result<Instance, Error> {
        let mut instance = Instance::new(&self.plugin.template, &self.plugin.limits)?;
        instance.configure(self.settings.values(), self.now_us)?;
        Ok(instance)
    }

    pub(crate) fn checkin(&self, instance: Instance) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(instance);
    }

    /// What a call over so many rows may use; an error where the query has used up everything.
    pub(crate) fn budget(&self, rows: usize, bytes_in: u64) -> Result<Budget, Error> {
        let limits = &self.plugin.limits;
        let used = self.fuel.load(Ordering::Relaxed);
        within("fuel_query_max", limits.fuel_query_max, used)?;
        Ok(Budget {
            fuel: limits
                .fuel_call_max
                .saturating_add(limits.fuel_row_max.saturating_mul(rows as u64)),
            output_bytes: limits
                .output_bytes_max
                .saturating_add(bytes_in.saturating_mul(4)),
        })
    }

    /// Notes a call, however it ended.
    pub(crate) fn count(&self, function: usize, spent: &Spent, instance: &Instance) {
        let nanoseconds = u64::try_from(spent.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.fuel
            .fetch_add(instance.fuel_used(spent.fuel), Ordering::Relaxed);
        if let Some(counters) = self.counters.get(function) {
            counters.calls.fetch_add(1, Ordering::Relaxed);
            counters
                .rows
                .fetch_add(spent.rows as u64, Ordering::Relaxed);
            counters
                .nanoseconds
                .fetch_add(nanoseconds, Ordering::Relaxed);
            counters
                .bytes_in
                .fetch_add(spent.bytes_in, Ordering::Relaxed);
            counters
                .linear_memory_bytes_peak
                .fetch_max(instance.linear_memory_bytes(), Ordering::Relaxed);
        }
        for message in instance.warnings() {
            self.warn(function, message);
        }
    }

    fn warn(&self, function: usize, message: &str) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if warnings.len() as u64 >= self.plugin.limits.warnings_max {
            return;
        }
        if let Ok(function) = self.function(function) {
            warnings.push(Warning {
                function: function.name.clone(),
                message: message.to_owned(),
            });
        }
    }
}
