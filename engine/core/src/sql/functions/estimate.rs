//! The fields of an estimate, which every function with an interval returns.

use super::definition::{Field, STATUS, number, whole};

/// `value`, `lo` and `hi` are NULL where the data cannot say; `status` says why.
pub const FIELDS: &[Field] = &[
    number("value", "the estimate"),
    whole("n", "trials or observations behind it"),
    number("lo", "lower end of the interval"),
    number("hi", "upper end of the interval"),
    STATUS,
];
