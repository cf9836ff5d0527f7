//! The types a function can take and return, and how each is spelled in the manifest. What the
//! columns look like in memory is in `argument.rs` and `sink.rs`.

use crate::bindings::exports::tributary::plugin::manifest::{DataType, Field, Physical};
use crate::sink::Maybe;
use crate::time::{Date, Timestamp};

/// An exact decimal with `P` digits, `S` of them behind the point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal<const P: u8, const S: i8> {
    /// the value times 10 to the power of `S`
    pub unscaled: i128,
}

/// What a type is called in the manifest.
pub trait Named {
    /// the layout of its column
    const PHYSICAL: Physical;
    /// its meaning, if it isn't plain
    fn logical() -> String {
        String::new()
    }
}

/// Names types that are plain.
macro_rules! plain {
    ($($ty:ty => $physical:ident),* $(,)?) => {
        $(impl Named for $ty {
            const PHYSICAL: Physical = Physical::$physical;
        })*
    };
}

plain! {
    f64 => Float64, f32 => Float32, i64 => Int64, i32 => Int32, i16 => Int16, i8 => Int8,
    u64 => Uint64, bool => Bits, &str => Text, String => Text,
}

impl Named for Date {
    const PHYSICAL: Physical = Physical::Int32;
    fn logical() -> String {
        "date".to_owned()
    }
}

impl Named for Timestamp {
    const PHYSICAL: Physical = Physical::Int64;
    fn logical() -> String {
        "timestamp".to_owned()
    }
}

impl<const P: u8, const S: i8> Named for Decimal<P, S> {
    const PHYSICAL: Physical = Physical::Int128;
    fn logical() -> String {
        format!("decimal({P},{S})")
    }
}

/// A named, typed place in a signature.
pub(crate) fn field<T: Named>(name: &str, nullable: bool) -> Field {
    let ty = DataType {
        physical: T::PHYSICAL,
        logical: T::logical(),
    };
    Field {
        name: name.to_owned(),
        ty,
        nullable,
    }
}

/// How the manifest spells a result, or a detail of a rule.
pub fn describe_result<M: Maybe>(name: &str) -> Field {
    field::<M::Value>(name, M::NULLABLE)
}
