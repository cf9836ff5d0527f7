//! One aggregate that accumulates, in an instance of its own. Rows that do not count never reach
//! the guest as counting, and no call is made where none do; the guest is told of groups when they
//! matter. It deliberately knows no wasmtime, and not what a group stands for.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{Array, ArrayRef, BooleanArray, new_empty_array};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::compute::{concat, filter as kept};
use arrow::datatypes::DataType;

use crate::accumulator::{Accumulator, Rows};
use crate::batch::{Batch, Part, Passed};
use crate::call::{assemble, narrow};
use crate::error::Error;
use crate::function::{Function, Kind};
use crate::instance::Budget;
use crate::lift::{self, Expected};
use crate::lower::Lowered;
use crate::manifest::Wire;
use crate::pool::Pool;
use crate::receipts::Receipts;
use crate::types::Field;
use crate::wire::ColumnOut;

/// An aggregate that accumulates. After an error every further call is an error.
pub struct Aggregation {
    pool: Arc<Pool>,
    number: usize,
    accumulator: Option<Accumulator>,
    /// groups that there are
    total: usize,
    /// groups that the guest was told of
    told: usize,
}

impl Aggregation {
    pub(crate) fn new(pool: Arc<Pool>, number: usize) -> Result<Self, Error> {
        let function = pool.plugin().manifest().functions.get(number);
        match function.map(|function| function.kind) {
            Some(Kind::Aggregate) => {}
            Some(_) => return Err(Error::internal("the function is no aggregate")),
            None => return Err(Error::internal(format!("no function {number}"))),
        }
        let began = Instant::now();
        let instance = pool.configured()?;
        let budget = pool.budget(0, 0)?;
        let mut accumulator = Accumulator::start(instance, narrow(number)?, budget)?;
        pool.account(
            number,
            &mut accumulator.instance,
            began,
            Receipts::default(),
        )?;
        Ok(Self {
            pool,
            number,
            accumulator: Some(accumulator),
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
        self.total = self.total.max(total).max(1);
        let counting = Counting { groups, filter };
        let done = self.rows(args, counting, |this, rows, receipt| {
            this.ask(rows.rows as usize, receipt, |accumulator, budget, _| {
                accumulator.update(rows, budget)
            })?;
            this.told = this.total;
            Ok(())
        });
        self.checked(done)
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
        let counting = Counting { groups, filter };
        let done = match function(&self.pool, self.number).retracts {
            false => Err(Error::internal("the aggregate does not retract")),
            true => self.rows(args, counting, |this, rows, receipt| {
                this.ask(rows.rows as usize, receipt, |accumulator, budget, _| {
                    accumulator.retract(rows, budget)
                })
            }),
        };
        self.checked(done)
    }

    /// Adds partial states, as [`Aggregation::state`] gave them. Rows that `filter` does not keep, and those with a NULL
    /// where a state has none, are no states.
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
        self.total = self.total.max(total).max(1);
        let done = self.merge_kept(state, Counting { groups, filter });
        self.checked(done)
    }

    /// The values of groups, in this order. Keeps them.
    ///
    /// # Errors
    /// Those of a call.
    pub fn evaluate(&mut self, groups: &[u32]) -> Result<ArrayRef, Error> {
        let pool = Arc::clone(&self.pool);
        let function = function(&pool, self.number);
        let mut parts = Vec::new();
        let done = self.each_part(groups, |this, groups, receipt| {
            let column = this.ask(groups.len(), receipt, |accumulator, budget, receipt| {
                let column = accumulator.evaluate(groups, budget)?;
                receipt.bytes_out = column.bytes();
                Ok(column)
            })?;
            parts.push(lift::scalar(column, function, expected(&pool, groups))?);
            Ok(())
        });
        self.checked(done)?;
        joined(&parts, &function.return_type())
    }

    /// The partial states of groups, to be merged elsewhere. Keeps them.
    ///
    /// # Errors
    /// Those of a call.
    pub fn state(&mut self, groups: &[u32]) -> Result<Vec<ArrayRef>, Error> {
        let pool = Arc::clone(&self.pool);
        let function = function(&pool, self.number);
        let mut parts: Vec<Vec<ArrayRef>> = vec![Vec::new(); function.state.len()];
        let done = self.each_part(groups, |this, groups, receipt| {
            let columns = this.ask(groups.len(), receipt, |accumulator, budget, receipt| {
                let columns = accumulator.state(groups, budget)?;
                receipt.bytes_out = columns.iter().map(ColumnOut::bytes).sum();
                Ok(columns)
            })?;
            let columns = lift::states(columns, function, expected(&pool, groups))?;
            for (part, column) in parts.iter_mut().zip(columns) {
                part.push(column);
            }
            Ok(())
        });
        self.checked(done)?;
        let types = function.state_types();
        let parts = parts.iter().zip(&types);
        parts.map(|(part, ty)| joined(part, ty)).collect()
    }

    /// Forgets the first groups; the others move down.
    ///
    /// # Errors
    /// Those of a call.
    pub fn drop_first(&mut self, groups: usize) -> Result<(), Error> {
        let known = groups.min(self.told);
        let done = narrow(known).and_then(|known| match known {
            0 => self.alive(),
            known => self.ask(
                self.told,
                &mut Receipts::default(),
                |accumulator, budget, _| accumulator.drop_first(known, budget),
            ),
        });
        self.told -= known;
        self.total = self.total.saturating_sub(groups);
        self.checked(done)
    }

    /// Makes a group empty again.
    ///
    /// # Errors
    /// Those of a call.
    pub fn reset(&mut self, group: u32) -> Result<(), Error> {
        let done = match (group as usize) < self.told {
            false => self.alive(),
            true => self.ask(1, &mut Receipts::default(), |accumulator, budget, _| {
                accumulator.reset(group, budget)
            }),
        };
        self.checked(done)
    }

    /// The linear memory of its instance.
    pub fn memory_bytes(&self) -> usize {
        let accumulator = self.accumulator.as_ref();
        let bytes = accumulator.map(|accumulator| accumulator.instance.linear_memory_bytes());
        usize::try_from(bytes.unwrap_or_default()).unwrap_or(usize::MAX)
    }

    /// Does something with each part of a batch that fits a call and has rows that count.
    fn rows(
        &mut self,
        args: &[ArrayRef],
        counting: Counting<'_>,
        mut each: impl FnMut(&mut Self, Rows<'_>, &mut Receipts) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.alive()?;
        let pool = Arc::clone(&self.pool);
        let function = function(&pool, self.number);
        let wire = pool.plugin().manifest().wire;
        let rows = args.first().map_or(0, |column| column.len());
        counting.check(rows, self.total)?;
        let args: Vec<Passed> = args.iter().map(Passed::column).collect();
        let dictionaries = function.accepts_dictionaries && wire == Wire::Typed;
        let batch = batch(&pool, &args, &function.args, rows, dictionaries);
        let total = narrow(self.total)?;
        batch.each(|part| {
            let Some(filter) = counting.of(part) else {
                return Ok(());
            };
            let lowered = part.lower()?;
            let columns: Vec<_> = lowered.iter().map(|column| column.column(wire)).collect();
            let rows = Rows {
                columns: &columns,
                groups: counting.groups_of(part),
                filter: filter.as_deref(),
                rows: narrow(part.len)?,
                total,
            };
            each(self, rows, &mut receipt(part, &lowered, rows))
        })
    }

    fn merge_kept(&mut self, state: &[ArrayRef], counting: Counting<'_>) -> Result<(), Error> {
        self.alive()?;
        let pool = Arc::clone(&self.pool);
        let function = function(&pool, self.number);
        let wire = pool.plugin().manifest().wire;
        let rows = state.first().map_or(0, |column| column.len());
        counting.check(rows, self.total)?;
        let (state, groups) = states(state, &function.state, counting)?;
        let rows = state.first().map_or(0, |column| column.array.len());
        let batch = batch(&pool, &state, &function.state, rows, false);
        let counting = Counting {
            groups: groups.as_deref(),
            filter: None,
        };
        let total = narrow(self.total)?;
        batch.each(|part| {
            let lowered = part.lower()?;
            let columns: Vec<_> = lowered.iter().map(|column| column.column(wire)).collect();
            let rows = Rows {
                columns: &columns,
                groups: counting.groups_of(part),
                filter: None,
                rows: narrow(part.len)?,
                total,
            };
            let mut receipt = receipt(part, &lowered, rows);
            self.ask(part.len, &mut receipt, |accumulator, budget, _| {
                accumulator.merge(rows, budget)
            })?;
            self.told = self.total;
            Ok(())
        })
    }

    /// Does something with the groups, as many at a time as a call takes; the guest knows them by then.
    fn each_part(
        &mut self,
        groups: &[u32],
        mut each: impl FnMut(&mut Self, &[u32], &mut Receipts) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.alive()?;
        let most = groups.iter().max().map_or(0, |group| *group as usize + 1);
        self.total = self.total.max(most);
        if self.told < self.total {
            self.tell()?;
        }
        let at_once = usize::try_from(self.pool.limits().batch_rows_max).unwrap_or(usize::MAX);
        groups.chunks(at_once).try_for_each(|groups| {
            let mut receipt = Receipts {
                bytes_in: size_of_val(groups) as u64,
                ..Receipts::default()
            };
            each(self, groups, &mut receipt)
        })
    }

    /// Tells the guest of groups that no row was in.
    fn tell(&mut self) -> Result<(), Error> {
        let pool = Arc::clone(&self.pool);
        let wire = pool.plugin().manifest().wire;
        let fields = &function(&pool, self.number).args;
        let lowered = fields.iter().map(|field| {
            let empty = new_empty_array(&field.ty.arrow());
            Lowered::new(&empty, field.ty, false, false)
        });
        let lowered: Vec<Lowered> = lowered.collect::<Result<_, _>>()?;
        let columns: Vec<_> = lowered.iter().map(|column| column.column(wire)).collect();
        let rows = Rows {
            columns: &columns,
            groups: &[],
            filter: None,
            rows: 0,
            total: narrow(self.total)?,
        };
        let new = self.total - self.told;
        self.ask(new, &mut Receipts::default(), |accumulator, budget, _| {
            accumulator.update(rows, budget)
        })?;
        self.told = self.total;
        Ok(())
    }

    /// One call of the guest, within a budget for so many rows or groups, and counted.
    fn ask<T>(
        &mut self,
        work: usize,
        receipt: &mut Receipts,
        call: impl FnOnce(&mut Accumulator, Budget, &mut Receipts) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let budget = self.pool.budget(work, receipt.bytes_in)?;
        let accumulator = self.accumulator.as_mut().ok_or_else(failed_before)?;
        let began = Instant::now();
        let done = call(accumulator, budget, receipt);
        let receipt = Receipts {
            calls: 1,
            ..*receipt
        };
        let within = self
            .pool
            .account(self.number, &mut accumulator.instance, began, receipt);
        let done = done?;
        within?;
        Ok(done)
    }

    fn alive(&self) -> Result<(), Error> {
        self.accumulator
            .as_ref()
            .map(drop)
            .ok_or_else(failed_before)
    }

    /// After an error the instance is gone, and the error says where it was.
    fn checked<T>(&mut self, done: Result<T, Error>) -> Result<T, Error> {
        done.map_err(|error| {
            self.accumulator = None;
            self.pool.place(self.number, error)
        })
    }
}

fn failed_before() -> Error {
    Error::internal("the aggregation has failed before")
}

/// Which rows count, and for which group.
#[derive(Clone, Copy)]
struct Counting<'a> {
    groups: Option<&'a [u32]>,
    filter: Option<&'a BooleanArray>,
}

impl<'a> Counting<'a> {
    fn check(&self, rows: usize, total: usize) -> Result<(), Error> {
        let groups = self.groups.is_none_or(|groups| groups.len() == rows);
        let filter = self.filter.is_none_or(|filter| filter.len() == rows);
        if !groups || !filter {
            return Err(Error::internal(format!(
                "groups or a filter do not have {rows} rows"
            )));
        }
        match self.groups.and_then(|groups| groups.iter().max()) {
            Some(group) if *group as usize >= total => {
                Err(Error::internal(format!("group {group} of {total}")))
            }
            _ => Ok(()),
        }
    }

    fn groups_of(&self, part: &Part<'_>) -> &'a [u32] {
        self.groups
            .map_or(&[], |groups| &groups[part.start..part.start + part.len])
    }

    /// The rows of the part that count, as a bitmap if not all do; nothing if none do.
    fn of(&self, part: &Part<'_>) -> Option<Option<Buffer>> {
        let filter = self
            .filter
            .map(|filter| true_rows(&filter.slice(part.start, part.len)));
        let valid = part.strict();
        let keep = match (filter, valid.as_ref().map(NullBuffer::inner)) {
            (None, None) => return Some(None),
            (Some(filter), None) => filter,
            (None, Some(valid)) => valid.clone(),
            (Some(filter), Some(valid)) => &filter & valid,
        };
        match keep.count_set_bits() {
            0 => None,
            all if all == part.len => Some(None),
            _ => Some(Some(keep.sliced())),
        }
    }
}

/// A filter keeps what is true; NULL is not.
fn true_rows(filter: &BooleanArray) -> BooleanBuffer {
    match filter.nulls() {
        None => filter.values().clone(),
        Some(nulls) => filter.values() & nulls.inner(),
    }
}

/// Those rows that are states and count, with their groups.
fn states(
    state: &[ArrayRef],
    fields: &[Field],
    counting: Counting<'_>,
) -> Result<(Vec<Passed>, Option<Vec<u32>>), Error> {
    let strict = state
        .iter()
        .zip(fields)
        .filter(|(_, field)| !field.nullable);
    let nulls = strict.filter_map(|(column, _)| column.logical_nulls());
    let all = nulls
        .map(NullBuffer::into_inner)
        .chain(counting.filter.map(true_rows))
        .reduce(|a, b| &a & &b);
    let Some(keep) = all else {
        let state = state.iter().map(Passed::column).collect();
        return Ok((state, counting.groups.map(<[u32]>::to_vec)));
    };
    let keep = BooleanArray::new(keep, None);
    let keep_of = |column: &dyn Array| kept(column, &keep).map_err(|error| assemble(&error));
    let states = state.iter().map(|column| {
        let array = keep_of(column)?;
        Ok(Passed {
            array,
            constant: false,
        })
    });
    let states = states.collect::<Result<_, Error>>()?;
    let groups = counting.groups.map(|groups| {
        let rows = groups.iter().zip(keep.values());
        rows.filter_map(|(group, keep)| keep.then_some(*group))
            .collect()
    });
    Ok((states, groups))
}

fn batch<'a>(
    pool: &'a Pool,
    args: &'a [Passed],
    fields: &'a [Field],
    rows: usize,
    dictionaries: bool,
) -> Batch<'a> {
    Batch {
        args,
        fields,
        dictionaries,
        rows,
        row_bytes: size_of::<u32>() as u64,
        limits: pool.limits(),
    }
}

fn function(pool: &Pool, number: usize) -> &Function {
    &pool.plugin().manifest().functions[number]
}

fn expected(pool: &Pool, groups: &[u32]) -> Expected<'static> {
    Expected {
        wire: pool.plugin().manifest().wire,
        rows: groups.len(),
        strict: None,
        value_bytes_max: pool.limits().value_bytes_max,
    }
}

fn receipt(part: &Part<'_>, lowered: &[Lowered], rows: Rows<'_>) -> Receipts {
    let columns: u64 = lowered.iter().map(Lowered::bytes).sum();
    let filter = rows.filter.map_or(0, <[u8]>::len);
    Receipts {
        rows: part.len as u64,
        bytes_in: columns + (size_of_val(rows.groups) + filter) as u64,
        ..Receipts::default()
    }
}

fn joined(parts: &[ArrayRef], ty: &DataType) -> Result<ArrayRef, Error> {
    match parts {
        [] => Ok(new_empty_array(ty)),
        [part] => Ok(Arc::clone(part)),
        parts => {
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            concat(&parts).map_err(|error| assemble(&error))
        }
    }
}
