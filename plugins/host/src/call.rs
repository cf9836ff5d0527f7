//! One call over one batch: cut to what a guest takes at once, lowered, called, lifted. It deliberately knows no
//! wasmtime.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{Array, ArrayRef, UInt32Array, new_empty_array, new_null_array};
use arrow::buffer::NullBuffer;
use arrow::compute::{concat, take};

use crate::error::{Error, within};
use crate::instance::Instance;
use crate::lift::{self, Expected};
use crate::limits::Limits;
use crate::lower::{Lowered, lowered_bytes};
use crate::manifest::{Field, Function, Kind};
use crate::plugin::Plugin;
use crate::pool::{Pool, Spent};

/// An argument of a call.
#[derive(Debug, Clone, Copy)]
pub enum Argument<'a> {
    /// a value per row
    Array(&'a ArrayRef),
    /// one value that stands for every row: an array of length 1
    Scalar(&'a ArrayRef),
}

/// One call of `Pool::call`.
pub(crate) struct Call<'a> {
    pool: &'a Pool,
    number: usize,
    function: &'a Function,
    args: &'a [Argument<'a>],
}

impl<'a> Call<'a> {
    pub(crate) const fn new(
        pool: &'a Pool,
        number: usize,
        function: &'a Function,
        args: &'a [Argument<'a>],
    ) -> Self {
        Self {
            pool,
            number,
            function,
            args,
        }
    }

    pub(crate) fn run(&self, rows: usize) -> Result<ArrayRef, Error> {
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
        let limits = &self.pool.plugin().limits;
        let dictionaries = self.function.accepts_dictionaries;
        for (start, len) in spans(self.args, rows, dictionaries, limits)? {
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

    /// Some rows of the batch: lowered, called, lifted.
    fn part(&self, start: usize, len: usize) -> Result<ArrayRef, Error> {
        let arrays: Vec<ArrayRef> = self.args.iter().map(|arg| arg.rows(start, len)).collect();
        let strict = strict(self.args, &arrays, &self.function.args, len);
        if strict
            .as_ref()
            .is_some_and(|nulls| nulls.null_count() == len)
        {
            return Ok(new_null_array(&self.function.return_type(), len));
        }
        let began = Instant::now();
        let dictionaries = self.function.accepts_dictionaries;
        let lowered = lower(self.args, &arrays, &self.function.args, dictionaries)?;
        let bytes_in = arrays
            .iter()
            .map(|array| lowered_bytes(array, dictionaries))
            .sum();
        let mut instance = self.pool.checkout()?;
        let mut spent = Spent {
            rows: len,
            bytes_in,
            began,
            fuel: 0,
        };
        let array = self.ask(&mut instance, &lowered, strict.as_ref(), &mut spent);
        self.pool.count(self.number, &spent, &instance);
        // On an error the instance is dropped here, and its memory with it.
        let array = array?;
        self.pool.checkin(instance);
        Ok(array)
    }

    fn ask(
        &self,
        instance: &mut Instance,
        lowered: &[Lowered],
        strict: Option<&NullBuffer>,
        spent: &mut Spent,
    ) -> Result<ArrayRef, Error> {
        let Plugin { limits, names, .. } = &**self.pool.plugin();
        let wire = self.pool.plugin().manifest().wire;
        let columns: Vec<_> = lowered.iter().map(|lowered| lowered.column(wire)).collect();
        let budget = self.pool.budget(spent.rows, spent.bytes_in)?;
        spent.fuel = budget.fuel;
        let expected = Expected {
            rows: spent.rows,
            strict,
            value_bytes_max: limits.value_bytes_max,
        };
        let number =
            u32::try_from(self.number).map_err(|_| Error::internal("too many functions"))?;
        let count = u32::try_from(spent.rows).map_err(|_| Error::internal("too many rows"))?;
        match self.function.kind {
            Kind::Scalar => {
                let column = instance.eval(number, &columns, count, budget)?;
                lift::scalar(column, self.function, expected)
            }
            Kind::Rule => {
                let judgement = instance.judge(number, &columns, count, budget)?;
                lift::rule(judgement, self.function, &names[self.number], expected)
            }
            Kind::Aggregate => Err(Error::internal("an aggregate is not called over a batch")),
        }
    }
}

/// Cuts the batch into runs of rows whose arguments fit a call, in order.
pub(crate) fn spans(
    args: &[Argument<'_>],
    rows: usize,
    dictionaries: bool,
    limits: &Limits,
) -> Result<Vec<(usize, usize)>, Error> {
    let mut spans = Vec::new();
    let mut rest = vec![(0, rows)];
    while let Some((start, len)) = rest.pop() {
        let bytes = args
            .iter()
            .map(|arg| lowered_bytes(&arg.rows(start, len), dictionaries))
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

/// Arguments in the layout of the interface.
pub(crate) fn lower(
    args: &[Argument<'_>],
    arrays: &[ArrayRef],
    fields: &[Field],
    dictionaries: bool,
) -> Result<Vec<Lowered>, Error> {
    let args = args.iter().zip(arrays).zip(fields);
    args.map(|((arg, array), field)| {
        let constant = matches!(arg, Argument::Scalar(_));
        Lowered::new(array, field.ty, constant, dictionaries)
    })
    .collect()
}

/// The rows in which a strict argument is NULL.
pub(crate) fn strict(
    args: &[Argument<'_>],
    arrays: &[ArrayRef],
    fields: &[Field],
    rows: usize,
) -> Option<NullBuffer> {
    let args = args.iter().zip(arrays).zip(fields);
    let strict = args.filter(|(_, field)| !field.nullable);
    let nulls = strict.filter_map(|((arg, array), _)| match arg {
        Argument::Array(_) => array.logical_nulls(),
        Argument::Scalar(_) if array.logical_null_count() > 0 => Some(NullBuffer::new_null(rows)),
        Argument::Scalar(_) => None,
    });
    let all = nulls.reduce(|a, b| NullBuffer::union(Some(&a), Some(&b)).unwrap_or(a));
    all.filter(|nulls| nulls.null_count() > 0)
}

impl Argument<'_> {
    /// The argument for some rows of the batch.
    pub(crate) fn rows(&self, start: usize, len: usize) -> ArrayRef {
        match self {
            Argument::Array(array) if start == 0 && len == array.len() => Arc::clone(array),
            Argument::Array(array) => array.slice(start, len),
            Argument::Scalar(array) => Arc::clone(array),
        }
    }
}

pub(crate) fn assemble(error: &arrow::error::ArrowError) -> Error {
    Error::internal(format!("assemble result: {error}"))
}
