//! The instances of one query. Instances are checked out for one call and come back only if it
//! succeeded; results are the same however many there are. It deliberately knows no wasmtime.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use arrow::array::{Array, ArrayRef, UInt32Array, new_empty_array, new_null_array};
use arrow::buffer::NullBuffer;
use arrow::compute::{concat, take};

use crate::error::{Error, within};
use crate::instance::{Budget, Instance};
use crate::lift::{self, Expected};
use crate::lower::{Lowered, lowered_bytes};
use crate::manifest::{Function, Kind};
use crate::plugin::Plugin;

/// An argument of a call.
#[derive(Debug, Clone, Copy)]
pub enum Argument<'a> {
    /// a value per row
    Array(&'a ArrayRef),
    /// one value that stands for every row: an array of length 1
    Scalar(&'a ArrayRef),
}

/// What a pool has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Receipts {
    /// calls of a guest
    pub calls: u64,
    /// rows of those calls
    pub rows: u64,
    /// time in calls, copies in and out and checks included, summed over threads
    pub nanoseconds: u64,
    /// the most linear memory one instance had
    pub linear_memory_bytes_peak: u64,
}

/// The instances of one query. Threads of the query share it.
pub struct Pool {
    plugin: Arc<Plugin>,
    idle: Mutex<Vec<Instance>>,
    calls: AtomicU64,
    rows: AtomicU64,
    nanoseconds: AtomicU64,
    linear_memory_bytes_peak: AtomicU64,
}

impl Pool {
    pub(crate) fn new(plugin: Arc<Plugin>) -> Self {
        Self {
            plugin,
            idle: Mutex::default(),
            calls: AtomicU64::default(),
            rows: AtomicU64::default(),
            nanoseconds: AtomicU64::default(),
            linear_memory_bytes_peak: AtomicU64::default(),
        }
    }

    /// The plugin whose instances these are.
    pub fn plugin(&self) -> &Arc<Plugin> {
        &self.plugin
    }

    /// Calls a function, by its place in the manifest, over a batch. The result has `rows` rows of
    /// the function's return type. Blocks for as long as the guest runs.
    ///
    /// # Errors
    /// Every kind but `Refused`; the place says which function, and the row where there is one.
    pub fn call(
        &self,
        function: usize,
        args: &[Argument<'_>],
        rows: usize,
    ) -> Result<ArrayRef, Error> {
        let manifest = self.plugin.manifest();
        let found = manifest.functions.get(function);
        let found = found.ok_or_else(|| Error::internal(format!("no function {function}")))?;
        let call = Call {
            pool: self,
            number: function,
            function: found,
            args,
        };
        call.run(rows).map_err(|error| {
            error
                .in_function(&found.name)
                .in_plugin(&manifest.name, &manifest.version)
        })
    }

    /// What the pool has done so far.
    pub fn receipts(&self) -> Receipts {
        Receipts {
            calls: self.calls.load(Ordering::Relaxed),
            rows: self.rows.load(Ordering::Relaxed),
            nanoseconds: self.nanoseconds.load(Ordering::Relaxed),
            linear_memory_bytes_peak: self.linear_memory_bytes_peak.load(Ordering::Relaxed),
        }
    }

    fn checkout(&self) -> Result<Instance, Error> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        if let Some(instance) = idle {
            return Ok(instance);
        }
        let mut instance = Instance::new(&self.plugin.template, &self.plugin.limits)?;
        instance.start()?;
        Ok(instance)
    }

    fn checkin(&self, instance: Instance) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(instance);
    }

    fn count(&self, rows: usize, began: Instant, instance: &Instance) {
        let nanoseconds = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        self.linear_memory_bytes_peak
            .fetch_max(instance.linear_memory_bytes(), Ordering::Relaxed);
    }
}

/// One call of `Pool::call`.
struct Call<'a> {
    pool: &'a Pool,
    number: usize,
    function: &'a Function,
    args: &'a [Argument<'a>],
}

impl Call<'_> {
    fn run(&self, rows: usize) -> Result<ArrayRef, Error> {
        self.check(rows)?;
        if rows == 0 {
            return Ok(new_empty_array(&self.function.return_type()));
        }
        let constant = self
            .args
            .iter()
            .all(|arg| matches!(arg, Argument::Scalar(_)));
        if constant && rows > 1 {
            let one = self.part(0, 1)?;
            let every = UInt32Array::from(vec![0; rows]);
            return take(&one, &every, None).map_err(|error| assemble(&error));
        }
        let mut parts = Vec::new();
        for (start, len) in self.spans(rows)? {
            let part = self
                .part(start, len)
                .map_err(|error| error.after_rows(start as u64))?;
            parts.push(part);
        }
        match parts.as_slice() {
            [part] => Ok(Arc::clone(part)),
            parts => {
                let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
                concat(&parts).map_err(|error| assemble(&error))
            }
        }
    }

    fn check(&self, rows: usize) -> Result<(), Error> {
        let (there, wanted) = (self.args.len(), self.function.args.len());
        if there != wanted {
            return Err(Error::internal(format!(
                "{there} arguments, expected {wanted}"
            )));
        }
        let fits = |arg: &Argument<'_>| match arg {
            Argument::Array(array) => array.len() == rows,
            Argument::Scalar(array) => array.len() == 1,
        };
        if !self.args.iter().all(fits) {
            return Err(Error::internal(format!(
                "an argument does not have {rows} rows"
            )));
        }
        Ok(())
    }

    /// Cuts the batch into runs of rows whose arguments fit a call, in order.
    fn spans(&self, rows: usize) -> Result<Vec<(usize, usize)>, Error> {
        let limits = &self.pool.plugin.limits;
        let mut spans = Vec::new();
        let mut rest = vec![(0, rows)];
        while let Some((start, len)) = rest.pop() {
            let bytes = self
                .args
                .iter()
                .map(|arg| lowered_bytes(&arg.rows(start, len), self.function.accepts_dictionaries))
                .sum();
            let fits = bytes <= limits.input_bytes_max && len as u64 <= limits.batch_rows_max;
            if fits {
                spans.push((start, len));
                continue;
            }
            if len == 1 {
                within("input_bytes_max", limits.input_bytes_max, bytes)
                    .map_err(|error| error.in_row(Some(start as u64)))?;
            }
            let half = len / 2;
            rest.push((start + half, len - half));
            rest.push((start, half));
        }
        Ok(spans)
    }

    /// Some rows of the batch: lowered, called, lifted.
    fn part(&self, start: usize, len: usize) -> Result<ArrayRef, Error> {
        let arrays: Vec<ArrayRef> = self.args.iter().map(|arg| arg.rows(start, len)).collect();
        let strict = self.strict(&arrays, len);
        if strict
            .as_ref()
            .is_some_and(|nulls| nulls.null_count() == len)
        {
            return Ok(new_null_array(&self.function.return_type(), len));
        }
        let began = Instant::now();
        let lowered = self.lower(&arrays)?;
        let mut instance = self.pool.checkout()?;
        let array = self.ask(&mut instance, &arrays, &lowered, len, strict.as_ref());
        self.pool.count(len, began, &instance);
        // On an error the instance is dropped here, and its memory with it.
        let array = array?;
        self.pool.checkin(instance);
        Ok(array)
    }

    fn lower(&self, arrays: &[ArrayRef]) -> Result<Vec<Lowered>, Error> {
        let args = self.args.iter().zip(arrays).zip(&self.function.args);
        args.map(|((arg, array), field)| {
            let constant = matches!(arg, Argument::Scalar(_));
            Lowered::new(
                array,
                field.ty,
                constant,
                self.function.accepts_dictionaries,
            )
        })
        .collect()
    }

    fn ask(
        &self,
        instance: &mut Instance,
        arrays: &[ArrayRef],
        lowered: &[Lowered],
        rows: usize,
        strict: Option<&NullBuffer>,
    ) -> Result<ArrayRef, Error> {
        let Plugin { limits, names, .. } = &*self.pool.plugin;
        let columns: Vec<_> = lowered.iter().map(Lowered::column).collect();
        let input: u64 = arrays
            .iter()
            .map(|array| lowered_bytes(array, self.function.accepts_dictionaries))
            .sum();
        let budget = Budget {
            fuel: limits
                .fuel_call_max
                .saturating_add(limits.fuel_row_max.saturating_mul(rows as u64)),
            output_bytes: limits
                .output_bytes_max
                .saturating_add(input.saturating_mul(4)),
        };
        let expected = Expected {
            rows,
            strict,
            value_bytes_max: limits.value_bytes_max,
        };
        let number =
            u32::try_from(self.number).map_err(|_| Error::internal("too many functions"))?;
        let count = u32::try_from(rows).map_err(|_| Error::internal("too many rows"))?;
        match self.function.kind {
            Kind::Scalar => {
                let column = instance.eval(number, &columns, count, budget)?;
                lift::scalar(column, self.function, expected)
            }
            Kind::Rule => {
                let judgement = instance.judge(number, &columns, count, budget)?;
                lift::rule(judgement, self.function, &names[self.number], expected)
            }
        }
    }

    /// The rows in which a strict argument is NULL.
    fn strict(&self, arrays: &[ArrayRef], rows: usize) -> Option<NullBuffer> {
        let args = self.args.iter().zip(arrays).zip(&self.function.args);
        let strict = args.filter(|(_, field)| !field.nullable);
        let nulls = strict.filter_map(|((arg, array), _)| match arg {
            Argument::Array(_) => array.logical_nulls(),
            Argument::Scalar(_) if array.logical_null_count() > 0 => {
                Some(NullBuffer::new_null(rows))
            }
            Argument::Scalar(_) => None,
        });
        let all = nulls.reduce(|a, b| NullBuffer::union(Some(&a), Some(&b)).unwrap_or(a));
        all.filter(|nulls| nulls.null_count() > 0)
    }
}

impl Argument<'_> {
    /// The argument for some rows of the batch.
    fn rows(&self, start: usize, len: usize) -> ArrayRef {
        match self {
            Argument::Array(array) if start == 0 && len == array.len() => Arc::clone(array),
            Argument::Array(array) => array.slice(start, len),
            Argument::Scalar(array) => Arc::clone(array),
        }
    }
}

fn assemble(error: &arrow::error::ArrowError) -> Error {
    Error::internal(format!("assemble result: {error}"))
}
