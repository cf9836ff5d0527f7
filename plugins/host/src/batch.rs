//! The arguments of one call on their way to a guest, cut into parts that fit: so many rows, so
//! many bytes. A LIST or STRUCT becomes JSON on the way, no more of it at a time than fits. It
//! deliberately knows no guest.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::buffer::NullBuffer;

use crate::error::{Error, within};
use crate::json;
use crate::limits::Limits;
use crate::lower::{Lowered, lowered_bytes};
use crate::types::{Field, Type, is_text};

/// An argument: a value per row, or one that stands for every row.
#[derive(Clone)]
pub(crate) struct Passed {
    pub(crate) array: ArrayRef,
    pub(crate) constant: bool,
}

impl Passed {
    /// A value per row.
    pub(crate) fn column(array: &ArrayRef) -> Self {
        Self {
            array: Arc::clone(array),
            constant: false,
        }
    }
}

/// The arguments of a call.
pub(crate) struct Batch<'a> {
    pub(crate) args: &'a [Passed],
    pub(crate) fields: &'a [Field],
    /// whether text may stay dictionaries
    pub(crate) dictionaries: bool,
    pub(crate) rows: usize,
    /// what goes along with each row besides the arguments
    pub(crate) row_bytes: u64,
    pub(crate) limits: &'a Limits,
}

/// Some rows of a batch.
pub(crate) struct Part<'a> {
    /// where they begin in the batch
    pub(crate) start: usize,
    pub(crate) len: usize,
    args: Vec<Passed>,
    batch: &'a Batch<'a>,
}

impl Batch<'_> {
    /// Does something with each part, in order. Rows of errors become rows of the batch.
    pub(crate) fn each(
        &self,
        mut each: impl FnMut(&Part<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.check()?;
        let mut start = 0;
        while start < self.rows {
            let written = self
                .written(start)
                .map_err(|error| error.after_rows(start as u64))?;
            let len = written.len;
            written.halves(&mut each)?;
            start += len;
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Error> {
        let (there, wanted) = (self.args.len(), self.fields.len());
        if there != wanted {
            return Err(Error::internal(format!(
                "{there} arguments, expected {wanted}"
            )));
        }
        let rows = self.rows;
        let fits = |arg: &Passed| arg.array.len() == if arg.constant { 1 } else { rows };
        if !self.args.iter().all(fits) {
            return Err(Error::internal(format!(
                "an argument does not have {rows} rows"
            )));
        }
        Ok(())
    }

    /// The rest of the batch with its JSON written, as far as that fits.
    fn written(&self, start: usize) -> Result<Part<'_>, Error> {
        let mut len = self.rows - start;
        let mut documents = Vec::with_capacity(self.args.len());
        for (arg, field) in self.args.iter().zip(self.fields) {
            if !to_write(arg, field) {
                documents.push(None);
                continue;
            }
            let (start, rows) = if arg.constant { (0, 1) } else { (start, len) };
            let (bytes, value) = (self.limits.input_bytes_max, self.limits.value_bytes_max);
            let text = json::documents(&arg.array, start, rows, bytes, value)?;
            if !arg.constant {
                len = text.len();
            }
            documents.push(Some(text));
        }
        let args = self.args.iter().zip(documents);
        let args = args.map(|(arg, text)| Passed {
            array: match text {
                Some(text) if arg.constant => text,
                Some(text) => slice(&text, 0, len),
                None if arg.constant => Arc::clone(&arg.array),
                None => slice(&arg.array, start, len),
            },
            constant: arg.constant,
        });
        let args = args.collect();
        Ok(Part {
            start,
            len,
            args,
            batch: self,
        })
    }
}

impl Part<'_> {
    /// Halves the part until it fits, in order.
    fn halves(&self, each: &mut impl FnMut(&Part<'_>) -> Result<(), Error>) -> Result<(), Error> {
        let limits = self.batch.limits;
        let bytes = self.input_bytes();
        let fits = bytes <= limits.input_bytes_max && self.len as u64 <= limits.batch_rows_max;
        if fits {
            return each(self).map_err(|error| error.after_rows(self.start as u64));
        }
        if self.len == 1 {
            within("input_bytes_max", limits.input_bytes_max, bytes)
                .map_err(|error| error.in_row(Some(self.start as u64)))?;
        }
        let half = self.len / 2;
        self.rows(0, half).halves(each)?;
        self.rows(half, self.len - half).halves(each)
    }

    fn rows(&self, start: usize, len: usize) -> Self {
        let args = self.args.iter().map(|arg| match arg.constant {
            true => arg.clone(),
            false => Passed::column(&arg.array.slice(start, len)),
        });
        Part {
            start: self.start + start,
            len,
            args: args.collect(),
            batch: self.batch,
        }
    }

    fn input_bytes(&self) -> u64 {
        let args = self.args.iter();
        let bytes = args.map(|arg| lowered_bytes(&arg.array, self.batch.dictionaries));
        bytes.sum::<u64>() + self.batch.row_bytes * self.len as u64
    }

    /// The columns to pass.
    pub(crate) fn lower(&self) -> Result<Vec<Lowered>, Error> {
        let args = self.args.iter().zip(self.batch.fields);
        args.map(|(arg, field)| {
            Lowered::new(&arg.array, field.ty, arg.constant, self.batch.dictionaries)
        })
        .collect()
    }

    /// The rows in which a strict argument is NULL, if there are any.
    pub(crate) fn strict(&self) -> Option<NullBuffer> {
        let args = self.args.iter().zip(self.batch.fields);
        let strict = args.filter(|(_, field)| !field.nullable);
        let nulls = strict.filter_map(|(arg, _)| match arg.constant {
            false => arg.array.logical_nulls(),
            true if arg.array.logical_null_count() > 0 => Some(NullBuffer::new_null(self.len)),
            true => None,
        });
        let all = nulls.reduce(|a, b| NullBuffer::union(Some(&a), Some(&b)).unwrap_or(a));
        all.filter(|nulls| nulls.null_count() > 0)
    }
}

/// Whether the argument is passed as JSON and is none yet.
fn to_write(arg: &Passed, field: &Field) -> bool {
    let ty = arg.array.data_type();
    field.ty == Type::Json && !is_text(ty) && *ty != arrow::datatypes::DataType::Null
}

fn slice(array: &ArrayRef, start: usize, len: usize) -> ArrayRef {
    if start == 0 && len == array.len() {
        return Arc::clone(array);
    }
    array.slice(start, len)
}
