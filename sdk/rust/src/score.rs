//! Scalar functions: the loop around a formula, and its entry in the manifest.

use crate::bindings::exports::tributary::plugin::manifest::{
    Field, Function, Kind, Physical, Range, Volatility,
};
use crate::bindings::tributary::plugin::types::{Column, PluginError};
use crate::block::Block;
use crate::failure::PluginFailure;
use crate::sink::{Maybe, Slot};
use crate::value::describe_result;

/// What a formula may return: a value, perhaps absent, perhaps a failure.
pub trait Outcome {
    /// the value
    type Maybe: Maybe;
    /// whether it can be neither absent nor a failure
    const PLAIN: bool;
    /// The value or the failure.
    fn open(self) -> Result<Self::Maybe, PluginFailure>;
}

impl<M: Maybe> Outcome for M {
    type Maybe = M;
    const PLAIN: bool = !M::NULLABLE;

    #[inline]
    fn open(self) -> Result<M, PluginFailure> {
        Ok(self)
    }
}

impl<M: Maybe> Outcome for Result<M, PluginFailure> {
    type Maybe = M;
    const PLAIN: bool = false;

    #[inline]
    fn open(self) -> Self {
        self
    }
}

/// The results of a batch while they are computed.
pub struct Scores<O: Outcome> {
    slot: Slot<O::Maybe>,
}

impl<O: Outcome> Scores<O> {
    /// No results yet.
    pub fn new(rows: usize) -> Self {
        Self {
            slot: Slot::new(rows),
        }
    }

    /// Computes a block; rows that are not callable become NULL.
    #[inline]
    pub fn extend(
        &mut self,
        block: Block,
        callable: u64,
        mut formula: impl FnMut(usize) -> O,
    ) -> Result<(), PluginError> {
        if O::PLAIN && callable == u64::MAX && block.rows() == u64::MAX {
            self.slot
                .fill(block, |row| match formula(row).open().map(Maybe::value) {
                    Ok(Some(value)) => value,
                    _ => unreachable!("a plain outcome is a value"),
                });
            return Ok(());
        }
        for row in 0..block.len {
            if callable >> row & 1 == 0 {
                self.slot.skip(block.start + row);
                continue;
            }
            match formula(row).open() {
                Ok(value) => self.slot.put(block.start + row, value),
                Err(failure) => return Err(failure.in_row(block.start + row)),
            }
        }
        Ok(())
    }

    /// The finished column.
    pub fn column(self) -> Column {
        self.slot.column()
    }
}

/// The manifest entry of a scalar function.
pub fn describe_score<O: Outcome>(
    name: &str,
    doc: &str,
    args: Vec<Field>,
    range: Option<(f64, f64)>,
    wants_now: bool,
) -> Function {
    Function {
        name: name.to_owned(),
        kind: Kind::Scalar,
        doc: doc.to_owned(),
        accepts_dictionaries: args.iter().any(|arg| arg.ty.physical == Physical::Text),
        args,
        returns: vec![describe_result::<O::Maybe>(name)],
        volatility: match wants_now {
            true => Volatility::Stable,
            false => Volatility::Immutable,
        },
        wants_now,
        output_range: range.map(|(lo, hi)| Range { lo, hi }),
        verdicts: Vec::new(),
        reasons: Vec::new(),
        state: Vec::new(),
        retracts: false,
    }
}
