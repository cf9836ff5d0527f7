//! Results: collects values of a type into a column as it leaves. This file deliberately does not
//! know where the values come from.

use crate::bindings::tributary::plugin::types::{Column, Values, Varlen};
use crate::block::{BLOCK, Block};
use crate::time::{Date, Timestamp};
use crate::value::{Decimal, Named};

/// A type that is written to a column, NULLs aside.
pub trait Value: Named + Sized {
    /// the column while it grows
    type Sink: Sink<Self>;
}

/// A column while it grows. Rows arrive in order, each exactly once.
pub trait Sink<T>: Sized {
    /// An empty column with room for a batch.
    fn new(rows: usize) -> Self;
    /// Writes a row.
    fn put(&mut self, row: usize, value: T);
    /// Leaves a row unspecified: it is NULL.
    fn skip(&mut self, row: usize);
    /// Writes a full block, from its rows counted from its start.
    #[inline]
    fn fill(&mut self, block: Block, mut value: impl FnMut(usize) -> T) {
        for row in 0..BLOCK {
            self.put(block.start + row, value(row));
        }
    }
    /// The finished values.
    fn values(self) -> Values;
}

/// A value that may be absent: a value, or an `Option` of one.
pub trait Maybe {
    /// what its column holds
    type Value: Value;
    /// whether it may be absent
    const NULLABLE: bool;
    /// The value, if there is one.
    fn value(self) -> Option<Self::Value>;
}

impl<T: Value> Maybe for T {
    type Value = T;
    const NULLABLE: bool = false;

    #[inline]
    fn value(self) -> Option<T> {
        Some(self)
    }
}

impl<T: Value> Maybe for Option<T> {
    type Value = T;
    const NULLABLE: bool = true;

    #[inline]
    fn value(self) -> Self {
        self
    }
}

/// A column while it grows, with its validity.
pub struct Slot<M: Maybe> {
    sink: <M::Value as Value>::Sink,
    validity: Vec<u8>,
    nulls: bool,
}

impl<M: Maybe> Slot<M> {
    /// An empty column with room for a batch.
    pub fn new(rows: usize) -> Self {
        let sink = <M::Value as Value>::Sink::new(rows);
        Self {
            sink,
            validity: vec![0xff; rows.div_ceil(8)],
            nulls: false,
        }
    }

    /// Writes a row.
    #[inline]
    pub fn put(&mut self, row: usize, value: M) {
        match value.value() {
            Some(value) => self.sink.put(row, value),
            None => self.skip(row),
        }
    }

    /// Makes a row NULL.
    #[inline]
    pub fn skip(&mut self, row: usize) {
        self.validity[row / 8] &= !(1 << (row % 8));
        self.nulls = true;
        self.sink.skip(row);
    }

    /// Writes a full block without NULLs.
    #[inline]
    pub fn fill(&mut self, block: Block, value: impl FnMut(usize) -> M::Value) {
        self.sink.fill(block, value);
    }

    /// The finished column.
    pub fn column(self) -> Column {
        let validity = self.nulls.then_some(self.validity);
        Column {
            values: self.sink.values(),
            validity,
            constant: false,
        }
    }
}

/// Writes a type as its own numbers.
macro_rules! number {
    ($($ty:ty, $raw:ty, $case:ident, $unwrap:expr);* $(;)?) => {
        $(impl Value for $ty {
            type Sink = Vec<$raw>;
        }
        impl Sink<$ty> for Vec<$raw> {
            fn new(rows: usize) -> Self {
                Vec::with_capacity(rows)
            }
            #[inline]
            fn put(&mut self, _row: usize, value: $ty) {
                self.push($unwrap(value));
            }
            #[inline]
            fn skip(&mut self, _row: usize) {
                self.push(<$raw>::default());
            }
            #[inline]
            fn fill(&mut self, _block: Block, mut value: impl FnMut(usize) -> $ty) {
                self.extend((0..BLOCK).map(|row| $unwrap(value(row))));
            }
            fn values(self) -> Values {
                Values::$case(self)
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
    Date, i32, Int32, |value: Date| value.0;
    Timestamp, i64, Int64, |value: Timestamp| value.0;
}

/// Booleans, a bit each.
pub struct Bits(Vec<u8>);

impl Value for bool {
    type Sink = Bits;
}

impl Sink<bool> for Bits {
    fn new(rows: usize) -> Self {
        Self(vec![0; rows.div_ceil(8)])
    }
    #[inline]
    fn put(&mut self, row: usize, value: bool) {
        self.0[row / 8] |= u8::from(value) << (row % 8);
    }
    #[inline]
    fn skip(&mut self, _row: usize) {}
    fn values(self) -> Values {
        Values::Bits(self.0)
    }
}

/// 128-bit integers, two words each.
pub struct Wide(Vec<u64>);

impl<const P: u8, const S: i8> Value for Decimal<P, S> {
    type Sink = Wide;
}

impl<const P: u8, const S: i8> Sink<Decimal<P, S>> for Wide {
    fn new(rows: usize) -> Self {
        Self(vec![0; 2 * rows])
    }
    #[inline]
    fn put(&mut self, row: usize, value: Decimal<P, S>) {
        self.0[2 * row] = value.unscaled as u64;
        self.0[2 * row + 1] = (value.unscaled >> 64) as u64;
    }
    #[inline]
    fn skip(&mut self, _row: usize) {}
    fn values(self) -> Values {
        Values::Int128(self.0)
    }
}

/// Text, as offsets and bytes.
pub struct Text {
    offsets: Vec<i32>,
    bytes: Vec<u8>,
}

impl Text {
    #[inline]
    fn push(&mut self, value: &str) {
        self.bytes.extend_from_slice(value.as_bytes());
        self.offsets.push(self.bytes.len() as i32);
    }
}

/// Writes a type that is text.
macro_rules! text {
    ($($ty:ty),*) => {
        $(impl Value for $ty {
            type Sink = Text;
        }
        impl Sink<$ty> for Text {
            fn new(rows: usize) -> Self {
                let mut offsets = Vec::with_capacity(rows + 1);
                offsets.push(0);
                Self { offsets, bytes: Vec::new() }
            }
            #[inline]
            fn put(&mut self, _row: usize, value: $ty) {
                self.push(&value);
            }
            #[inline]
            fn skip(&mut self, _row: usize) {
                self.push("");
            }
            fn values(self) -> Values {
                Values::Text(Varlen { offsets: self.offsets, bytes: self.bytes })
            }
        })*
    };
}

text!(String, &'static str);
