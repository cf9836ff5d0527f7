//! Columns, right and wrong, in few words.

use crate::tributary::plugin::types::{Column, Values, Varlen};

pub(crate) fn column(values: Values) -> Column {
    Column {
        values,
        validity: None,
        constant: false,
    }
}

pub(crate) fn floats(rows: usize) -> Column {
    column(Values::Float64(vec![1.0; rows]))
}

pub(crate) fn with_validity(rows: usize, validity: Vec<u8>) -> Column {
    Column {
        validity: Some(validity),
        ..floats(rows)
    }
}

/// Text with these offsets, whatever they are.
pub(crate) fn text(offsets: Vec<i32>, bytes: impl Into<Vec<u8>>) -> Column {
    column(Values::Text(Varlen {
        offsets,
        bytes: bytes.into(),
    }))
}

/// The same text in every row.
pub(crate) fn repeated(rows: usize, value: &[u8]) -> Column {
    let offsets = (0..=rows).map(|row| (row * value.len()) as i32).collect();
    text(offsets, value.repeat(rows))
}
