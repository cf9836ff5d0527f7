//! One aggregation: an instance of its own that accumulates in numbered groups. Rows that do not count never reach the
//! guest, and nothing that it returns is believed. It deliberately knows no wasmtime.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{Array, ArrayRef, BooleanArray, UInt32Array};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::compute::{concat, filter as keep_rows};

use crate::call::{Argument, assemble, lower, spans, strict};
use crate::error::Error;
use crate::instance::{Budget, Instance};
use crate::lift::{self, Expected};
use crate::lower::{Lowered, lowered_bytes};
use crate::manifest::{Field, Function};
use crate::pool::{Pool, Spent};

/// An aggregate that accumulates. After an error every further call is an error.
pub struct Aggregation {
    pool: Arc<Pool>,
    number: usize,
    instance: Option<Instance>,
    /// groups that there are
    total: usize,
    /// groups that the guest was told of
    told: usize,
}

impl Aggregation {
    pub(crate) fn new(pool: Arc<Pool>, number: usize) -> Result<Self, Error> {
        let mut instance = pool.fresh()?;
        let function = u32::try_from(number).map_err(|_| Error::internal("too many functions"))?;
        instance.aggregate_start(function, pool.budget(0, 0)?)?;
        Ok(Self {
            pool,
            number,
            instance: Some(instance),
            total: 0,
            told: 0,
        })
    }

    /// Adds rows. `groups` says which group each is of, each less than `total`; without it all are of group 0. Rows that
    /// `filter` does not keep, and those with a NULL where the aggregate does not take one, do not count.
    ///
    /// # Errors
    /// Those of a call.
    pub fn update(
        &mut self,
        args: &[ArrayRef],
        groups: Option<&[u32]>,
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<(), Error> {
        self.total = self.total.max(total);
        let update = |this: &mut Self, part: &Part<'_>| {
            let (told, number) = (count(this.total)?, part.rows);
            this.ask(number, part.bytes_in, |instance, budget| {
                let rows = (
                    &*part.columns,
                    part.groups,
                    part.filter,
                    count(number)?,
                    told,
                );
                instance.update(rows, budget)
            })?;
            this.told = this.total;
            Ok(())
        };
        self.rows(args, groups, filter, update)
    }

    /// Takes rows out again that were added before.
    ///
    /// # Errors
    /// Those of a call.
    pub fn retract(
        &mut self,
        args: &[ArrayRef],
        groups: Option<&[u32]>,
        filter: Option<&BooleanArray>,
    ) -> Result<(), Error> {
        let retract = |this: &mut Self, part: &Part<'_>| {
            let number = part.rows;
            this.ask(number, part.bytes_in, |instance, budget| {
                let rows = (&*part.columns, part.groups, part.filter, count(number)?);
                instance.retract(rows, budget)
            })
        };
        self.rows(args, groups, filter, retract)
    }

    /// Adds partial states, as [`Aggregation::state`] gave them.
    ///
    /// # Errors
    /// Those of a call.
    pub fn merge(
        &mut self,
        state: &[ArrayRef],
        groups: Option<&[u32]>,
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<(), Error> {
        self.total = self.total.max(total);
        let (kept, numbers) = match filter {
            None => (state.to_vec(), groups.map(<[u32]>::to_vec)),
            Some(filter) => filtered(state, groups, filter)?,
        };
        let done = self.merge_all(&kept, numbers.as_deref());
        self.checked(done)
    }

    fn merge_all(&mut self, state: &[ArrayRef], groups: Option<&[u32]>) -> Result<(), Error> {
        let rows = state.first().map_or(0, |column| column.len());
        let args: Vec<Argument<'_>> = state.iter().map(Argument::Array).collect();
        let fields = self.function().state.clone();
        let pool = Arc::clone(&self.pool);
        for (start, len) in spans(&args, rows, false, &pool.plugin().limits)? {
            let arrays: Vec<ArrayRef> = args.iter().map(|arg| arg.rows(start, len)).collect();
            let lowered = lower(&args, &arrays, &fields, false)?;
            let columns: Vec<_> = lowered
                .iter()
                .map(|lowered| lowered.column(pool.plugin().manifest().wire))
                .collect();
            let bytes_in = arrays.iter().map(|array| lowered_bytes(array, false)).sum();
            let groups = groups.map_or(&[][..], |groups| &groups[start..start + len]);
            let told = count(self.total)?;
            self.ask(len, bytes_in, |instance, budget| {
                instance.merge((&columns, groups, count(len)?, told), budget)
            })?;
            self.told = self.total;
        }
        Ok(())
    }

    /// The values of groups, in this order. Keeps them.
    ///
    /// # Errors
    /// Those of a call.
    pub fn evaluate(&mut self, groups: &[u32]) -> Result<ArrayRef, Error> {
        let mut parts = Vec::new();
        let done = self.each_part(groups, |this, groups| {
            let function = this.function().clone();
            let column = this.ask(groups.len(), 0, |instance, budget| {
                instance.evaluate(groups, budget)
            })?;
            parts.push(lift::scalar(
                column,
                &function,
                this.expected(groups.len()),
            )?);
            Ok(())
        });
        self.checked(done)?;
        joined(&parts, &self.function().return_type())
    }

    /// The partial states of groups, to be merged elsewhere. Keeps them.
    ///
    /// # Errors
    /// Those of a call.
    pub fn state(&mut self, groups: &[u32]) -> Result<Vec<ArrayRef>, Error> {
        let types = self.function().state_types();
        let mut parts: Vec<Vec<ArrayRef>> = types.iter().map(|_| Vec::new()).collect();
        let done = self.each_part(groups, |this, groups| {
            let function = this.function().clone();
            let columns = this.ask(groups.len(), 0, |instance, budget| {
                instance.state(groups, budget)
            })?;
            let columns = lift::states(columns, &function, this.expected(groups.len()))?;
            parts
                .iter_mut()
                .zip(columns)
                .for_each(|(part, column)| part.push(column));
            Ok(())
        });
        self.checked(done)?;
        let parts = parts.iter().zip(&types);
        parts.map(|(part, kind)| joined(part, kind)).collect()
    }

    /// Forgets the first groups; the others move down.
    ///
    /// # Errors
    /// Those of a call.
    pub fn drop_first(&mut self, groups: usize) -> Result<(), Error> {
        let known = count(groups.min(self.told))?;
        let done = match known {
            0 => Ok(()),
            known => self.ask(0, 0, |instance, budget| instance.drop_first(known, budget)),
        };
        self.told -= known as usize;
        self.total = self.total.saturating_sub(groups);
        self.checked(done)
    }

    /// Makes a group empty again.
    ///
    /// # Errors
    /// Those of a call.
    pub fn reset(&mut self, group: u32) -> Result<(), Error> {
        if group as usize >= self.told {
            return Ok(());
        }
        let done = self.ask(0, 0, |instance, budget| instance.reset(group, budget));
        self.checked(done)
    }

    /// The linear memory of its instance.
    pub fn memory_bytes(&self) -> usize {
        let bytes = self.instance.as_ref().map(Instance::linear_memory_bytes);
        usize::try_from(bytes.unwrap_or_default()).unwrap_or(usize::MAX)
    }

    fn function(&self) -> &Function {
        &self.pool.plugin().manifest().functions[self.number]
    }

    fn expected(&self, rows: usize) -> Expected<'static> {
        Expected {
            rows,
            strict: None,
            value_bytes_max: self.pool.plugin().limits.value_bytes_max,
        }
    }

    /// Does something with each part of a batch that fits a call and has rows that count.
    fn rows(
        &mut self,
        args: &[ArrayRef],
        groups: Option<&[u32]>,
        filter: Option<&BooleanArray>,
        mut each: impl FnMut(&mut Self, &Part<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let done = self.try_rows(args, groups, filter, &mut each);
        self.checked(done)
    }

    fn try_rows(
        &mut self,
        args: &[ArrayRef],
        groups: Option<&[u32]>,
        filter: Option<&BooleanArray>,
        each: &mut impl FnMut(&mut Self, &Part<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let rows = args.first().map_or(0, |column| column.len());
        let (wanted, there) = (self.function().args.len(), args.len());
        if wanted != there {
            return Err(Error::internal(format!(
                "{there} arguments, expected {wanted}"
            )));
        }
        let args: Vec<Argument<'_>> = args.iter().map(Argument::Array).collect();
        let (fields, dictionaries) = {
            let function = self.function();
            (function.args.clone(), function.accepts_dictionaries)
        };
        let pool = Arc::clone(&self.pool);
        for (start, len) in spans(&args, rows, dictionaries, &pool.plugin().limits)? {
            let batch = Batch::new(&args, &fields, dictionaries, (start, len), filter)?;
            if batch.is_empty() {
                continue;
            }
            let wire = pool.plugin().manifest().wire;
            let part = Part {
                columns: batch.lowered.iter().map(|one| one.column(wire)).collect(),
                groups: groups.map_or(&[][..], |groups| &groups[start..start + len]),
                filter: batch.keep.as_deref(),
                rows: len,
                bytes_in: batch.bytes_in,
            };
            each(self, &part)?;
        }
        Ok(())
    }

    /// Does something with the groups, as many at a time as a call takes; the guest knows them by then.
    fn each_part(
        &mut self,
        groups: &[u32],
        mut each: impl FnMut(&mut Self, &[u32]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let most = groups.iter().max().map_or(0, |group| *group as usize + 1);
        self.total = self.total.max(most);
        if self.told < self.total {
            self.tell()?;
        }
        let at_once =
            usize::try_from(self.pool.plugin().limits.batch_rows_max).unwrap_or(usize::MAX);
        groups
            .chunks(at_once)
            .try_for_each(|groups| each(self, groups))
    }

    /// Tells the guest of groups that no row was in.
    fn tell(&mut self) -> Result<(), Error> {
        let fields = self.function().args.clone();
        let empty = fields
            .iter()
            .map(|field| arrow::array::new_empty_array(&field.ty.arrow()));
        let empty: Vec<ArrayRef> = empty.collect();
        let args: Vec<Argument<'_>> = empty.iter().map(Argument::Array).collect();
        let lowered = lower(&args, &empty, &fields, false)?;
        let wire = self.pool.plugin().manifest().wire;
        let columns: Vec<_> = lowered.iter().map(|one| one.column(wire)).collect();
        let total = count(self.total)?;
        self.ask(0, 0, |instance, budget| {
            instance.update((&columns, &[], None, 0, total), budget)
        })?;
        self.told = self.total;
        Ok(())
    }

    /// One call of the guest, within a budget and counted.
    fn ask<T>(
        &mut self,
        rows: usize,
        bytes_in: u64,
        call: impl FnOnce(&mut Instance, Budget) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let budget = self.pool.budget(rows, bytes_in)?;
        let Some(instance) = &mut self.instance else {
            return Err(Error::internal("the aggregation has failed before"));
        };
        let spent = Spent {
            rows,
            bytes_in,
            began: Instant::now(),
            fuel: budget.fuel,
        };
        let done = call(instance, budget);
        self.pool.count(self.number, &spent, instance);
        done
    }

    /// After an error the instance is gone, and the error says where it was.
    fn checked<T>(&mut self, done: Result<T, Error>) -> Result<T, Error> {
        done.map_err(|error| {
            self.instance = None;
            self.pool.in_function(error, self.number)
        })
    }
}

/// Rows of a batch on their way to the guest.
struct Part<'a> {
    columns: Vec<crate::wire::ColumnIn<'a>>,
    groups: &'a [u32],
    filter: Option<&'a [u8]>,
    rows: usize,
    bytes_in: u64,
}

/// Rows of a batch, lowered, and which of them count.
struct Batch {
    lowered: Vec<Lowered>,
    keep: Option<Buffer>,
    kept: usize,
    bytes_in: u64,
}

impl Batch {
    fn new(
        args: &[Argument<'_>],
        fields: &[Field],
        dictionaries: bool,
        (start, len): (usize, usize),
        filter: Option<&BooleanArray>,
    ) -> Result<Self, Error> {
        let arrays: Vec<ArrayRef> = args.iter().map(|arg| arg.rows(start, len)).collect();
        let nulls = strict(args, &arrays, fields, len);
        let filter = filter.map(|filter| counting(&filter.slice(start, len)));
        let keep = match (filter, nulls.as_ref().map(NullBuffer::inner)) {
            (None, None) => None,
            (Some(filter), None) => Some(filter),
            (None, Some(valid)) => Some(valid.clone()),
            (Some(filter), Some(valid)) => Some(&filter & valid),
        };
        let kept = keep.as_ref().map_or(len, BooleanBuffer::count_set_bits);
        Ok(Self {
            lowered: lower(args, &arrays, fields, dictionaries)?,
            keep: keep.filter(|_| kept < len).map(|keep| keep.sliced()),
            kept,
            bytes_in: arrays
                .iter()
                .map(|array| lowered_bytes(array, dictionaries))
                .sum(),
        })
    }

    const fn is_empty(&self) -> bool {
        self.kept == 0
    }
}

/// A filter keeps what is true; NULL is not.
fn counting(filter: &BooleanArray) -> BooleanBuffer {
    match filter.nulls() {
        None => filter.values().clone(),
        Some(nulls) => filter.values() & nulls.inner(),
    }
}

/// Those states that count, with their groups.
fn filtered(
    state: &[ArrayRef],
    groups: Option<&[u32]>,
    filter: &BooleanArray,
) -> Result<(Vec<ArrayRef>, Option<Vec<u32>>), Error> {
    let kept = state.iter().map(|column| keep_rows(column, filter));
    let kept = kept
        .collect::<Result<_, _>>()
        .map_err(|error| assemble(&error))?;
    let groups = groups.map(|groups| {
        let groups = groups.iter().zip(filter.iter());
        let kept = groups.filter(|(_, keep)| *keep == Some(true));
        kept.map(|(group, _)| *group).collect::<UInt32Array>()
    });
    Ok((kept, groups.map(|groups| groups.values().to_vec())))
}

fn joined(parts: &[ArrayRef], kind: &arrow::datatypes::DataType) -> Result<ArrayRef, Error> {
    match parts {
        [] => Ok(arrow::array::new_empty_array(kind)),
        [part] => Ok(Arc::clone(part)),
        parts => {
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            concat(&parts).map_err(|error| assemble(&error))
        }
    }
}

fn count(rows: usize) -> Result<u32, Error> {
    u32::try_from(rows).map_err(|_| Error::internal("too many rows or groups"))
}
