//! The instances of one query, which all have the same settings and the same idea of now. They are
//! checked out for one call and come back only if it succeeded; results are the same however many
//! there are. It deliberately knows no wasmtime.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use arrow::array::ArrayRef;

use crate::aggregation::Aggregation;
use crate::batch::Passed;
use crate::call::{Argument, Call};
use crate::error::Error;
use crate::instance::{Budget, Instance};
use crate::limits::Limits;
use crate::plugin::Plugin;
use crate::receipts::{Counters, Receipts};
use crate::settings::Settings;

/// What a guest warned of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Warning {
    /// name of the function; empty for what was said while the plugin was configured
    pub function: String,
    /// one line
    pub message: String,
}

/// The instances of one query. Threads of the query share it.
pub struct Pool {
    plugin: Arc<Plugin>,
    settings: Settings,
    now_us: Option<i64>,
    idle: Mutex<Vec<Instance>>,
    /// a place per function
    counters: Vec<Counters>,
    fuel_used: AtomicU64,
    warnings: Mutex<HashSet<Warning>>,
}

impl Pool {
    pub(crate) fn new(plugin: Arc<Plugin>, settings: Settings, now_us: Option<i64>) -> Self {
        let functions = plugin.manifest().functions.len();
        Self {
            plugin,
            settings,
            now_us,
            idle: Mutex::default(),
            counters: std::iter::repeat_with(Counters::default)
                .take(functions)
                .collect(),
            fuel_used: AtomicU64::default(),
            warnings: Mutex::default(),
        }
    }

    /// The plugin whose instances these are.
    pub fn plugin(&self) -> &Arc<Plugin> {
        &self.plugin
    }

    /// The settings that its instances have.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Calls a scalar function or a rule, by its place in the manifest, over a batch. The result
    /// has `rows` rows of the function's return type. Blocks for as long as the guest runs.
    ///
    /// # Errors
    /// Every kind but `Refused`; the place says which function, and the row where there is one.
    pub fn call(
        &self,
        function: usize,
        args: &[Argument<'_>],
        rows: usize,
    ) -> Result<ArrayRef, Error> {
        let found = self.plugin.manifest().functions.get(function);
        let found = found.ok_or_else(|| Error::internal(format!("no function {function}")))?;
        let call = Call {
            pool: self,
            number: function,
            function: found,
        };
        let args: Vec<Passed> = args.iter().map(Passed::from).collect();
        call.run(&args, rows)
            .map_err(|error| self.place(function, error))
    }

    /// Starts an aggregation with one aggregate, by its place in the manifest, in an instance of its own.
    ///
    /// # Errors
    /// Those of a call.
    pub fn aggregate(self: &Arc<Self>, function: usize) -> Result<Aggregation, Error> {
        let made = Aggregation::new(Arc::clone(self), function);
        made.map_err(|error| self.place(function, error))
    }

    /// What the pool has done so far for a function, by its place in the manifest.
    pub fn receipts(&self, function: usize) -> Receipts {
        self.counters
            .get(function)
            .map(Counters::read)
            .unwrap_or_default()
    }

    /// What guests warned of so far, each thing once, in no particular order of time: sorted by
    /// function and message.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings: Vec<Warning> = lock(&self.warnings).iter().cloned().collect();
        warnings.sort_by(|a, b| (&a.function, &a.message).cmp(&(&b.function, &b.message)));
        warnings
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.plugin.limits
    }

    /// Where an error of a function happened.
    pub(crate) fn place(&self, function: usize, error: Error) -> Error {
        let manifest = self.plugin.manifest();
        let error = match manifest.functions.get(function) {
            Some(function) => error.in_function(&function.name),
            None => error,
        };
        error.in_plugin(&manifest.name, &manifest.version)
    }

    /// An instance that is configured.
    pub(crate) fn checkout(&self) -> Result<Instance, Error> {
        match lock(&self.idle).pop() {
            Some(instance) => Ok(instance),
            None => self.configured(),
        }
    }

    pub(crate) fn checkin(&self, instance: Instance) {
        lock(&self.idle).push(instance);
    }

    /// A new instance that is configured.
    pub(crate) fn configured(&self) -> Result<Instance, Error> {
        let mut instance = self.plugin.configured(&self.settings, self.now_us)?;
        // Configuring has a budget of its own; how often it happens depends on the threads.
        instance.take_fuel_used();
        self.warn("", &mut instance);
        Ok(instance)
    }

    /// What one call over so many rows may use: its share, and no more than the query has left.
    pub(crate) fn budget(&self, rows: usize, bytes_in: u64) -> Result<Budget, Error> {
        let limits = self.limits();
        let rows = limits.fuel_row_max.saturating_mul(rows as u64);
        let call = limits.fuel_call_max.saturating_add(rows);
        let used = self.fuel_used.load(Ordering::Relaxed);
        let left = limits.fuel_query_max.saturating_sub(used);
        let fuel_limit = if left < call {
            ("fuel_query_max", limits.fuel_query_max)
        } else {
            ("fuel_call_max", call)
        };
        Ok(Budget {
            fuel: call.min(left),
            fuel_limit,
            output_bytes: limits
                .output_bytes_max
                .saturating_add(bytes_in.saturating_mul(4)),
        })
    }

    /// Writes down what a call came to, however it ended, and what the guest said in it.
    ///
    /// # Errors
    /// `Limit` if the query has used too much by now. That is asked after the fact as well, so
    /// that it does not depend on what runs beside it.
    pub(crate) fn account(
        &self,
        function: usize,
        instance: &mut Instance,
        began: Instant,
        receipt: Receipts,
    ) -> Result<(), Error> {
        let fuel = instance.take_fuel_used();
        if let Some(counters) = self.counters.get(function) {
            counters.add(&Receipts {
                nanoseconds: u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX),
                fuel,
                linear_memory_bytes_peak: instance.linear_memory_bytes(),
                ..receipt
            });
        }
        let name = self.plugin.manifest().functions.get(function);
        self.warn(name.map_or("", |function| &function.name), instance);
        let used = fuel + self.fuel_used.fetch_add(fuel, Ordering::Relaxed);
        match self.limits().fuel_query_max {
            limit if used > limit => Err(Error::limit("fuel_query_max", limit, Some(used))),
            _ => Ok(()),
        }
    }

    fn warn(&self, function: &str, instance: &mut Instance) {
        for message in instance.warnings() {
            let mut warnings = lock(&self.warnings);
            if (warnings.len() as u64) < self.limits().warnings_max {
                let function = function.to_owned();
                warnings.insert(Warning { function, message });
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
