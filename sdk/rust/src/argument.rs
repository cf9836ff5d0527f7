//! Arguments: turns a column as it arrives into values of the type a function asks for.
//!
//! A constant looks like any other column to the loop above: numbers are copied into a block of
//! their own once, text is read with a step of zero. So there is one loop, not one per mix of
//! constant and varying arguments. This file deliberately does not know what is done with values.

use std::borrow::Cow;

use crate::bindings::exports::tributary::plugin::manifest::Field;
use crate::bindings::tributary::plugin::types::{
    Column, Dict, ErrorCode, PluginError, Values, Varlen,
};
use crate::block::{BLOCK, Block, Validity, word};
use crate::time::{Date, Timestamp};
use crate::value::{Decimal, Named, field};

/// A type that is read from a column, NULLs aside.
pub trait Cell<'c>: Named + Sized {
    /// the column's values
    type Column;
    /// those of one block
    type Block<'r>
    where
        Self: 'r,
        'c: 'r;

    /// `None` if the column holds something else.
    fn open(values: &'c Values, rows: usize, constant: bool) -> Option<Self::Column>;
    /// The values of a block.
    fn block<'r>(column: &'r Self::Column, block: Block) -> Self::Block<'r>
    where
        'c: 'r;
    /// One value of a block, counted from its start.
    fn at<'r>(block: &Self::Block<'r>, row: usize) -> Self
    where
        'c: 'r;
}

/// A type that a function can take: a cell, or an `Option` of one.
pub trait Argument<'c>: Sized {
    /// what its column holds
    type Cell: Cell<'c>;
    /// whether the function sees NULLs
    const NULLABLE: bool;

    /// The argument, given whether it is one and what is stored in its place. That is read in
    /// either case: a branch around it would be in the way of SIMD and of inlining.
    fn pick(valid: bool, stored: Self::Cell) -> Self;

    /// How the manifest spells the argument.
    fn describe(name: &str) -> Field {
        field::<Self::Cell>(name, Self::NULLABLE)
    }
}

impl<'c, T: Cell<'c>> Argument<'c> for T {
    type Cell = T;
    const NULLABLE: bool = false;

    #[inline]
    fn pick(_valid: bool, stored: T) -> T {
        stored
    }
}

impl<'c, T: Cell<'c>> Argument<'c> for Option<T> {
    type Cell = T;
    const NULLABLE: bool = true;

    #[inline]
    fn pick(valid: bool, stored: T) -> Self {
        valid.then_some(stored)
    }
}

/// One argument of a batch.
pub struct Reader<'c, A: Argument<'c>> {
    column: <A::Cell as Cell<'c>>::Column,
    validity: Validity<'c>,
}

impl<'c, A: Argument<'c>> Reader<'c, A> {
    /// Checks the column against the type.
    pub fn open(column: &'c Column, rows: usize) -> Result<Self, PluginError> {
        let values = <A::Cell as Cell<'c>>::open(&column.values, rows, column.constant);
        let values = values.ok_or_else(|| internal("argument of another type or length"))?;
        let validity = match &column.validity {
            None => Validity::Same(true),
            Some(bits) if column.constant => {
                Validity::Same(bits.first().is_some_and(|b| b & 1 == 1))
            }
            Some(bits) if bits.len() >= rows.div_ceil(8) => Validity::Bits(bits),
            Some(_) => return Err(internal("validity shorter than the batch")),
        };
        Ok(Self {
            column: values,
            validity,
        })
    }

    /// The argument's share of a block.
    #[inline]
    pub fn block(&self, block: Block) -> Cells<'c, '_, A> {
        let cells = <A::Cell as Cell<'c>>::block(&self.column, block);
        Cells {
            cells,
            valid: self.validity.word(block),
        }
    }
}

/// One argument of a block.
pub struct Cells<'c: 'r, 'r, A: Argument<'c>>
where
    A::Cell: 'r,
{
    cells: <A::Cell as Cell<'c>>::Block<'r>,
    valid: u64,
}

impl<'c: 'r, 'r, A: Argument<'c>> Cells<'c, 'r, A> {
    /// The rows for which the function may be called, as far as this argument goes.
    #[inline]
    pub fn callable(&self) -> u64 {
        if A::NULLABLE { u64::MAX } else { self.valid }
    }

    /// The argument in one row, counted from the block's start.
    #[inline]
    pub fn at(&self, row: usize) -> A {
        A::pick(self.valid >> row & 1 == 1, A::Cell::at(&self.cells, row))
    }
}

/// The columns of a call, as many as the function takes.
pub fn arguments<const N: usize>(columns: &[Column]) -> Result<&[Column; N], PluginError> {
    columns
        .try_into()
        .map_err(|_| internal("another number of arguments"))
}

/// The host broke the contract.
pub fn internal(message: &str) -> PluginError {
    PluginError {
        code: ErrorCode::Internal,
        message: message.to_owned(),
        row: None,
    }
}

/// A column of numbers. What does not fill a block is kept aside, padded, so that every block is
/// an array; a constant fills that place.
pub struct Numbers<'c, N: Copy> {
    values: Cow<'c, [N]>,
    aside: [N; BLOCK],
}

impl<'c, N: Copy + Default> Numbers<'c, N> {
    fn new(values: &'c [N], rows: usize, constant: bool) -> Option<Self> {
        if constant {
            return Some(Self::constant(*values.first()?));
        }
        (values.len() == rows).then(|| Self::varying(Cow::Borrowed(values)))
    }

    fn constant(value: N) -> Self {
        Self {
            values: Cow::Borrowed(&[]),
            aside: [value; BLOCK],
        }
    }

    fn varying(values: Cow<'c, [N]>) -> Self {
        let mut aside = [N::default(); BLOCK];
        let rest = &values[values.len() - values.len() % BLOCK..];
        aside[..rest.len()].copy_from_slice(rest);
        Self { values, aside }
    }

    #[inline]
    fn block(&self, block: Block) -> &[N; BLOCK] {
        let full = self
            .values
            .get(block.start..)
            .and_then(|rest| rest.first_chunk());
        full.unwrap_or(&self.aside)
    }
}

/// Reads a type from a column of its own numbers.
macro_rules! number {
    ($($ty:ty, $raw:ty, $case:ident, $wrap:expr);* $(;)?) => {
        $(impl<'c> Cell<'c> for $ty {
            type Column = Numbers<'c, $raw>;
            type Block<'r> = &'r [$raw; BLOCK] where 'c: 'r;

            fn open(values: &'c Values, rows: usize, constant: bool) -> Option<Self::Column> {
                match values {
                    Values::$case(values) => Numbers::new(values, rows, constant),
                    _ => None,
                }
            }
            #[inline]
            fn block<'r>(column: &'r Self::Column, block: Block) -> Self::Block<'r> where 'c: 'r {
                column.block(block)
            }
            #[inline]
            fn at<'r>(block: &Self::Block<'r>, row: usize) -> Self where 'c: 'r {
                $wrap(block[row % BLOCK])
            }
        })*
    };
}

number! {
    f64, f64, Float64, |value| value;
    f32, f32, Float32, |value| value;
    i64, i64, Int64, |value| value;
    i32, i32, Int32, |value| value;
    i16, i16, Int16, |value| value;
    i8, i8, Int8, |value| value;
    u64, u64, Uint64, |value| value;
    Date, i32, Int32, Date;
    Timestamp, i64, Int64, Timestamp;
}

impl<'c> Cell<'c> for bool {
    type Column = Validity<'c>;
    type Block<'r>
        = u64
    where
        'c: 'r;

    fn open(values: &'c Values, rows: usize, constant: bool) -> Option<Validity<'c>> {
        match values {
            Values::Bits(bits) if constant => Some(Validity::Same(bits.first()? & 1 == 1)),
            Values::Bits(bits) if bits.len() >= rows.div_ceil(8) => Some(Validity::Bits(bits)),
            _ => None,
        }
    }
    #[inline]
    fn block<'r>(column: &'r Validity<'c>, block: Block) -> u64
    where
        'c: 'r,
    {
        match *column {
            Validity::Bits(bits) => word(bits, block),
            same => same.word(block),
        }
    }
    #[inline]
    fn at<'r>(block: &u64, row: usize) -> Self
    where
        'c: 'r,
    {
        *block >> row & 1 == 1
    }
}

/// A column of 128-bit integers, two words per value.
pub struct Wide<'c> {
    words: &'c [u64],
    step: usize,
}

impl<'c, const P: u8, const S: i8> Cell<'c> for Decimal<P, S> {
    type Column = Wide<'c>;
    type Block<'r>
        = (&'r Wide<'c>, usize)
    where
        'c: 'r;

    fn open(values: &'c Values, rows: usize, constant: bool) -> Option<Wide<'c>> {
        match values {
            Values::Int128(words) if words.len() == 2 * if constant { 1 } else { rows } => {
                Some(Wide {
                    words,
                    step: usize::from(!constant),
                })
            }
            _ => None,
        }
    }
    #[inline]
    fn block<'r>(column: &'r Wide<'c>, block: Block) -> Self::Block<'r>
    where
        'c: 'r,
    {
        (column, block.start)
    }
    #[inline]
    fn at<'r>((column, start): &Self::Block<'r>, row: usize) -> Self
    where
        'c: 'r,
    {
        let first = 2 * (start + row) * column.step;
        let (low, high) = (column.words[first], column.words[first + 1]);
        Self {
            unscaled: (u128::from(high) << 64 | u128::from(low)) as i128,
        }
    }
}

/// A column of text: where each value starts and ends in one string.
pub struct Text<'c> {
    text: &'c [u8],
    starts: Numbers<'c, i32>,
    ends: Numbers<'c, i32>,
}

impl<'c> Text<'c> {
    fn plain(text: &'c Varlen, rows: usize, constant: bool) -> Option<Self> {
        let (_, ends) = text.offsets.split_first()?;
        Some(Self {
            text: &text.bytes,
            starts: Numbers::new(&text.offsets[..ends.len()], rows, constant)?,
            ends: Numbers::new(ends, rows, constant)?,
        })
    }

    /// Looks every key up, once for all blocks.
    fn dictionary(dict: &'c Dict, rows: usize, constant: bool) -> Option<Self> {
        let offsets = dict.values.offsets.as_slice();
        let look_up = |past: usize| {
            let places = dict.keys.iter().map(|key| *key as usize + past);
            places
                .map(|place| offsets.get(place).copied())
                .collect::<Option<Vec<i32>>>()
        };
        let (starts, ends) = (look_up(0)?, look_up(1)?);
        let column = |places: Vec<i32>| match constant {
            true => places.first().map(|place| Numbers::constant(*place)),
            false => (places.len() == rows).then(|| Numbers::varying(Cow::Owned(places))),
        };
        Some(Self {
            text: &dict.values.bytes,
            starts: column(starts)?,
            ends: column(ends)?,
        })
    }
}

/// The texts of a block.
pub struct Texts<'c, 'r> {
    text: &'c [u8],
    starts: &'r [i32; BLOCK],
    ends: &'r [i32; BLOCK],
}

impl<'c> Cell<'c> for &'c str {
    type Column = Text<'c>;
    type Block<'r>
        = Texts<'c, 'r>
    where
        'c: 'r;

    fn open(values: &'c Values, rows: usize, constant: bool) -> Option<Text<'c>> {
        match values {
            Values::Text(text) => Text::plain(text, rows, constant),
            Values::DictText(dict) => Text::dictionary(dict, rows, constant),
            _ => None,
        }
    }
    #[inline]
    fn block<'r>(column: &'r Text<'c>, block: Block) -> Texts<'c, 'r>
    where
        'c: 'r,
    {
        Texts {
            text: column.text,
            starts: column.starts.block(block),
            ends: column.ends.block(block),
        }
    }
    #[inline]
    fn at<'r>(block: &Texts<'c, 'r>, row: usize) -> Self
    where
        'c: 'r,
    {
        let (start, end) = (block.starts[row % BLOCK], block.ends[row % BLOCK]);
        let bytes = &block.text[start as usize..end as usize];
        // SAFETY: the interface says that `bytes` of a text column is UTF-8 and that a value starts
        // where a character does, and the host lowers it from Arrow arrays that were checked when
        // they were made. Checking it again here would cost more than most formulas.
        unsafe { std::str::from_utf8_unchecked(bytes) }
    }
}
