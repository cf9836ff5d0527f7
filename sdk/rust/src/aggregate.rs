//! Aggregates: a state per group, what a row does to it, and its value. `#[aggregate]` puts the loop around the functions
//! of a module; this file keeps the states. It deliberately knows no types of values.

use crate::argument::{Argument, Reader, internal};
use crate::bindings::exports::tributary::plugin::manifest::{
    Field, Function, Kind, Physical, Range, Volatility,
};
use crate::bindings::tributary::plugin::types::{Column, PluginError};
use crate::block::{BLOCK, Block, blocks, word};
use crate::failure::PluginFailure;
use crate::sink::{Maybe, Slot};
use crate::time::{Date, Timestamp};
use crate::value::{Decimal, describe_result};

/// The partial state of one group: a struct with `#[derive(GroupState)]`, whose `default()` is an empty group.
pub trait GroupState: Default + Clone + 'static {
    /// How the manifest spells its fields.
    fn fields() -> Vec<Field>;
    /// States as columns, a row each.
    fn columns<'s>(states: impl Iterator<Item = &'s Self> + Clone, rows: usize) -> Vec<Column>;
    /// The states of columns, in order.
    fn read(
        columns: &[Column],
        rows: usize,
        each: impl FnMut(usize, Self),
    ) -> Result<(), PluginError>;
}

/// A field of a state: `f64 f32 i64 i32 i16 i8 u64 bool String`, [`Date`], [`Timestamp`], [`Decimal`], or an `Option` of one.
pub trait Stored: Maybe + Clone {
    /// what it is read as
    type Read<'c>: Argument<'c>;
    /// The value of what was read.
    fn owned(read: Self::Read<'_>) -> Self;
}

macro_rules! stored {
    ($($ty:ty),* $(,)?) => {
        $(impl Stored for $ty {
            type Read<'c> = $ty;
            fn owned(read: $ty) -> Self {
                read
            }
        }
        impl Stored for Option<$ty> {
            type Read<'c> = Option<$ty>;
            fn owned(read: Option<$ty>) -> Self {
                read
            }
        })*
    };
}

stored!(f64, f32, i64, i32, i16, i8, u64, bool, Date, Timestamp);

impl<const P: u8, const S: i8> Stored for Decimal<P, S> {
    type Read<'c> = Self;
    fn owned(read: Self) -> Self {
        read
    }
}

impl Stored for String {
    type Read<'c> = &'c str;
    fn owned(read: &str) -> Self {
        read.to_owned()
    }
}

impl Stored for Option<String> {
    type Read<'c> = Option<&'c str>;
    fn owned(read: Option<&str>) -> Self {
        read.map(str::to_owned)
    }
}

/// One field of many states as a column.
pub fn field_column<T: Stored>(values: impl Iterator<Item = T>, rows: usize) -> Column {
    let mut slot = Slot::<T>::new(rows);
    for (row, value) in values.enumerate() {
        slot.put(row, value);
    }
    slot.column()
}

/// One field of many states from a column.
pub fn field_values<T: Stored>(column: &Column, rows: usize) -> Result<Vec<T>, PluginError> {
    let reader = Reader::<'_, T::Read<'_>>::open(column, rows)?;
    let mut values = Vec::with_capacity(rows);
    for block in blocks(rows) {
        let cells = reader.block(block);
        values.extend((0..block.len).map(|row| T::owned(cells.at(row))));
    }
    Ok(values)
}

/// What an aggregate's `update` and `retract` may return: nothing, or a failure.
pub trait Step {
    /// Whether it went well.
    fn done(self) -> Result<(), PluginFailure>;
}

impl Step for () {
    #[inline]
    fn done(self) -> Result<(), PluginFailure> {
        Ok(())
    }
}

impl Step for Result<(), PluginFailure> {
    #[inline]
    fn done(self) -> Self {
        self
    }
}

/// The states of all groups.
pub struct Groups<S> {
    states: Vec<S>,
}

impl<S: GroupState> Default for Groups<S> {
    fn default() -> Self {
        Self { states: Vec::new() }
    }
}

impl<S: GroupState> Groups<S> {
    /// Makes room for so many groups.
    pub fn grow(&mut self, total: u32) {
        if self.states.len() < total as usize {
            self.states.resize_with(total as usize, S::default);
        }
    }

    /// Does something with the state of each callable row of a block.
    #[inline]
    pub fn each<R: Step>(
        &mut self,
        block: Block,
        callable: u64,
        groups: &[u32],
        mut step: impl FnMut(&mut S, usize) -> R,
    ) -> Result<(), PluginError> {
        let failed = |failure: PluginFailure, row: usize| failure.in_row(block.start + row);
        if groups.is_empty() {
            let state = self
                .states
                .first_mut()
                .ok_or_else(|| internal("no group 0"))?;
            if callable == u64::MAX {
                for row in 0..BLOCK {
                    step(state, row)
                        .done()
                        .map_err(|failure| failed(failure, row))?;
                }
                return Ok(());
            }
            for row in bits(callable) {
                step(state, row)
                    .done()
                    .map_err(|failure| failed(failure, row))?;
            }
            return Ok(());
        }
        let groups = groups
            .get(block.start..block.start + block.len)
            .ok_or_else(|| internal("fewer groups than rows"))?;
        for (row, group) in groups.iter().enumerate() {
            if callable >> row & 1 == 0 {
                continue;
            }
            let state = self.states.get_mut(*group as usize);
            let state = state.ok_or_else(|| internal("a group beyond the last"))?;
            step(state, row)
                .done()
                .map_err(|failure| failed(failure, row))?;
        }
        Ok(())
    }

    /// Merges states into groups.
    pub fn merge(
        &mut self,
        columns: &[Column],
        groups: &[u32],
        rows: u32,
        merge: impl Fn(&mut S, &S),
    ) -> Result<(), PluginError> {
        let mut beyond = false;
        S::read(columns, rows as usize, |row, other| {
            let group = groups.get(row).copied().unwrap_or_default();
            match self.states.get_mut(group as usize) {
                Some(state) => merge(state, &other),
                None => beyond = true,
            }
        })?;
        match beyond {
            true => Err(internal("a group beyond the last")),
            false => Ok(()),
        }
    }

    /// The values of groups.
    pub fn evaluate<M: Maybe>(
        &self,
        groups: &[u32],
        finish: impl Fn(&S) -> M,
    ) -> Result<Column, PluginError> {
        let mut slot = Slot::<M>::new(groups.len());
        for (row, group) in groups.iter().enumerate() {
            slot.put(row, finish(self.state(*group)?));
        }
        Ok(slot.column())
    }

    /// The partial states of groups.
    pub fn states(&self, groups: &[u32]) -> Result<Vec<Column>, PluginError> {
        for group in groups {
            self.state(*group)?;
        }
        let states = groups.iter().map(|group| &self.states[*group as usize]);
        Ok(S::columns(states, groups.len()))
    }

    /// Forgets the first groups.
    pub fn drop_first(&mut self, groups: u32) {
        let groups = (groups as usize).min(self.states.len());
        self.states.drain(..groups);
    }

    /// Makes a group empty.
    pub fn reset(&mut self, group: u32) {
        if let Some(state) = self.states.get_mut(group as usize) {
            *state = S::default();
        }
    }

    fn state(&self, group: u32) -> Result<&S, PluginError> {
        let state = self.states.get(group as usize);
        state.ok_or_else(|| internal("a group beyond the last"))
    }
}

/// The rows of a block that a word names.
#[inline]
fn bits(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        if word == 0 {
            return None;
        }
        let row = word.trailing_zeros() as usize;
        word &= word - 1;
        Some(row)
    })
}

/// The rows of a block that a filter keeps.
#[inline]
pub fn kept(filter: Option<&[u8]>, block: Block) -> u64 {
    filter.map_or(u64::MAX, |bits| word(bits, block)) & block.rows()
}

/// Rows on their way into groups.
pub struct Rows<'c> {
    /// the arguments
    pub columns: &'c [Column],
    /// the group of each row; all are of group 0 where there are none
    pub groups: &'c [u32],
    /// which rows count
    pub filter: Option<&'c [u8]>,
    /// how many there are
    pub rows: u32,
}

/// An aggregate that accumulates.
pub trait Accumulate {
    /// Adds rows; there are so many groups now.
    fn update(&mut self, rows: Rows<'_>, total: u32) -> Result<(), PluginError>;
    /// Takes rows out.
    fn retract(&mut self, rows: Rows<'_>) -> Result<(), PluginError>;
    /// Adds partial states; there are so many groups now.
    fn merge(
        &mut self,
        state: &[Column],
        groups: &[u32],
        rows: u32,
        total: u32,
    ) -> Result<(), PluginError>;
    /// The values of groups.
    fn evaluate(&self, groups: &[u32]) -> Result<Column, PluginError>;
    /// The partial states of groups.
    fn state(&self, groups: &[u32]) -> Result<Vec<Column>, PluginError>;
    /// Forgets the first groups.
    fn drop_first(&mut self, groups: u32);
    /// Makes a group empty.
    fn reset(&mut self, group: u32);
}

/// What `finish` of an aggregate returns.
pub fn describe_value<M: Maybe>(name: &str) -> Field {
    describe_result::<M>(name)
}

/// The manifest entry of an aggregate; `value` is its result.
pub fn describe_aggregate<S: GroupState>(
    name: &str,
    doc: &str,
    args: Vec<Field>,
    value: Field,
    range: Option<(f64, f64)>,
    retracts: bool,
    wants_now: bool,
) -> Function {
    Function {
        name: name.to_owned(),
        kind: Kind::Aggregate,
        doc: doc.to_owned(),
        accepts_dictionaries: args.iter().any(|arg| arg.ty.physical == Physical::Text),
        args,
        returns: vec![value],
        volatility: match wants_now {
            true => Volatility::Stable,
            false => Volatility::Immutable,
        },
        wants_now,
        output_range: range.map(|(lo, hi)| Range { lo, hi }),
        verdicts: Vec::new(),
        reasons: Vec::new(),
        state: S::fields(),
        retracts,
    }
}
