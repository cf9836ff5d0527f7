//! One call of a scalar function or a rule over a batch: what has to be computed once is computed
//! once, the rest goes to guests part by part, and the parts become one array. It deliberately
//! keeps nothing.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{Array, ArrayRef, UInt32Array, new_empty_array, new_null_array};
use arrow::compute::{concat, take};
use arrow::error::ArrowError;

use crate::batch::{Batch, Part, Passed};
use crate::distinct::Distinct;
use crate::error::Error;
use crate::function::{Function, Kind};
use crate::instance::{Budget, Instance};
use crate::lift::{self, Expected};
use crate::lower::Lowered;
use crate::manifest::Wire;
use crate::pool::Pool;
use crate::receipts::Receipts;

/// An argument of a call.
#[derive(Debug, Clone, Copy)]
pub enum Argument<'a> {
    /// a value per row
    Array(&'a ArrayRef),
    /// one value that stands for every row: an array of length 1
    Scalar(&'a ArrayRef),
}

/// A call of one function.
pub(crate) struct Call<'a> {
    pub(crate) pool: &'a Pool,
    /// place of the function in the manifest
    pub(crate) number: usize,
    pub(crate) function: &'a Function,
}

impl Call<'_> {
    pub(crate) fn run(&self, args: &[Passed], rows: usize) -> Result<ArrayRef, Error> {
        if rows > 1 && args.iter().all(|arg| arg.constant) {
            let one = self.parts(args, 1)?;
            let every = UInt32Array::from(vec![0; rows]);
            return take(&one, &every, None).map_err(|error| assemble(&error));
        }
        match Distinct::find(args, &self.function.args, rows)? {
            None => self.parts(args, rows),
            Some(distinct) => {
                let values = self
                    .parts(&distinct.args, distinct.len)
                    .map_err(|error| distinct.locate(error))?;
                take(&values, &distinct.places, None).map_err(|error| assemble(&error))
            }
        }
    }

    fn parts(&self, args: &[Passed], rows: usize) -> Result<ArrayRef, Error> {
        let wire = self.pool.plugin().manifest().wire;
        let batch = Batch {
            args,
            fields: &self.function.args,
            dictionaries: self.function.accepts_dictionaries && wire == Wire::Typed,
            rows,
            row_bytes: 0,
            limits: self.pool.limits(),
        };
        let mut parts = Vec::new();
        batch.each(|part| {
            parts.push(self.part(part)?);
            Ok(())
        })?;
        match parts.as_slice() {
            [] => Ok(new_empty_array(&self.function.return_type())),
            [part] => Ok(Arc::clone(part)),
            parts => {
                let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
                concat(&parts).map_err(|error| assemble(&error))
            }
        }
    }

    /// Some rows of the batch: lowered, called, lifted.
    fn part(&self, part: &Part<'_>) -> Result<ArrayRef, Error> {
        let strict = part.strict();
        let nulls = strict
            .as_ref()
            .map_or(0, arrow::buffer::NullBuffer::null_count);
        if nulls == part.len {
            return Ok(new_null_array(&self.function.return_type(), part.len));
        }
        let began = Instant::now();
        let lowered = part.lower()?;
        let bytes_in = lowered.iter().map(Lowered::bytes).sum();
        let budget = self.pool.budget(part.len, bytes_in)?;
        let mut instance = self.pool.checkout()?;
        let expected = Expected {
            wire: self.pool.plugin().manifest().wire,
            rows: part.len,
            strict: strict.as_ref(),
            value_bytes_max: self.pool.limits().value_bytes_max,
        };
        let mut receipt = Receipts {
            calls: 1,
            rows: part.len as u64,
            bytes_in,
            ..Receipts::default()
        };
        let array = self.ask(&mut instance, &lowered, expected, budget, &mut receipt);
        let within = self
            .pool
            .account(self.number, &mut instance, began, receipt);
        // On an error the instance is dropped here, and its memory with it.
        let array = array?;
        within?;
        self.pool.checkin(instance);
        Ok(array)
    }

    fn ask(
        &self,
        instance: &mut Instance,
        lowered: &[Lowered],
        expected: Expected<'_>,
        budget: Budget,
        receipt: &mut Receipts,
    ) -> Result<ArrayRef, Error> {
        let columns: Vec<_> = lowered
            .iter()
            .map(|argument| argument.column(expected.wire))
            .collect();
        let number = narrow(self.number)?;
        let rows = narrow(expected.rows)?;
        match self.function.kind {
            Kind::Scalar => {
                let column = instance.eval(number, &columns, rows, budget)?;
                receipt.bytes_out = column.bytes();
                lift::scalar(column, self.function, expected)
            }
            Kind::Rule => {
                let judgement = instance.judge(number, &columns, rows, budget)?;
                receipt.bytes_out = judgement.bytes();
                let names = &self.pool.plugin().names[self.number];
                lift::rule(judgement, self.function, names, expected)
            }
            Kind::Aggregate => Err(Error::internal("an aggregate is not called row by row")),
        }
    }
}

impl From<&Argument<'_>> for Passed {
    fn from(argument: &Argument<'_>) -> Self {
        match argument {
            Argument::Array(array) => Self::column(array),
            Argument::Scalar(array) => Self {
                array: Arc::clone(array),
                constant: true,
            },
        }
    }
}

/// A count as the interface has it.
pub(crate) fn narrow(count: usize) -> Result<u32, Error> {
    u32::try_from(count).map_err(|_| Error::internal("more than 32 bits can count"))
}

/// What went wrong while Arrow put results together.
pub(crate) fn assemble(error: &ArrowError) -> Error {
    Error::internal(format!("assemble result: {error}"))
}
