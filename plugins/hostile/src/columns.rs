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

/// A text per row.
pub(crate) fn texts<T: AsRef<str>>(values: &[T]) -> Column {
    let mut offsets = vec![0];
    let mut bytes = Vec::new();
    for value in values {
        bytes.extend_from_slice(value.as_ref().as_bytes());
        offsets.push(bytes.len() as i32);
    }
    text(offsets, bytes)
}

/// A bitmap of a bit per row.
pub(crate) fn bitmap(bits: impl Iterator<Item = bool>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (row, bit) in bits.enumerate() {
        if row % 8 == 0 {
            bytes.push(0);
        }
        bytes[row / 8] |= u8::from(bit) << (row % 8);
    }
    bytes
}

pub(crate) fn bit(bits: &[u8], row: usize) -> bool {
    bits[row / 8] >> (row % 8) & 1 == 1
}

/// The value of a row of a column of floats, unless it is NULL.
pub(crate) fn float(column: &Column, row: usize) -> Option<f64> {
    let Values::Float64(values) = &column.values else {
        panic!("not a column of floats")
    };
    valid(column, row).then(|| values[place(column, row)])
}

/// The text of a row of a column of text, unless it is NULL.
pub(crate) fn string(column: &Column, row: usize) -> Option<String> {
    let (varlen, at) = match &column.values {
        Values::Text(varlen) => (varlen, place(column, row)),
        Values::DictText(dict) => (&dict.values, dict.keys[place(column, row)] as usize),
        _ => panic!("not a column of text"),
    };
    let span = varlen.offsets[at] as usize..varlen.offsets[at + 1] as usize;
    let text = || String::from_utf8(varlen.bytes[span].to_vec()).expect("arguments are UTF-8");
    valid(column, row).then(text)
}

fn valid(column: &Column, row: usize) -> bool {
    let bits = column.validity.as_ref();
    bits.is_none_or(|bits| bit(bits, place(column, row)))
}

fn place(column: &Column, row: usize) -> usize {
    if column.constant { 0 } else { row }
}
