//! Columns out of JSON, by the types of the manifest.

use serde_json::{Map, Value};

use super::result::scale;
use crate::bindings::exports::tributary::plugin::manifest::{Field, Physical};
use crate::bindings::tributary::plugin::types::{Column, Dict, Values, Varlen};
use crate::time::{Date, Timestamp};

/// How columns are laid out. A function can't tell the difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// a value per row
    Plain,
    /// a value for all rows, of which there is one
    Constant,
    /// text as keys and values
    Dictionary,
}

/// A column per argument. An argument that is left out is NULL.
pub(super) fn columns(
    fields: &[Field],
    rows: &[&Map<String, Value>],
    layout: Layout,
) -> Result<Vec<Column>, String> {
    let known = |name: &String| fields.iter().any(|field| field.name == *name);
    if let Some(name) = rows
        .iter()
        .flat_map(|row| row.keys())
        .find(|name| !known(name))
    {
        return Err(format!("the function has no argument {name:?}"));
    }
    let columns = fields.iter().map(|field| {
        let cells = rows
            .iter()
            .map(|row| row.get(&field.name).unwrap_or(&Value::Null));
        column(field, &cells.collect::<Vec<_>>(), layout)
    });
    columns.collect()
}

fn column(field: &Field, cells: &[&Value], layout: Layout) -> Result<Column, String> {
    let values = values(field, cells)
        .map_err(|value| format!("argument {:?} is of another type: {value}", field.name))?;
    let valid = || cells.iter().map(|cell| !cell.is_null());
    Ok(Column {
        values: match (layout, values) {
            (Layout::Dictionary, Values::Text(text)) => Values::DictText(dictionary(&text)),
            (_, values) => values,
        },
        validity: (!valid().all(|valid| valid)).then(|| bits(valid())),
        constant: layout == Layout::Constant,
    })
}

/// The values of a column, or the cell that is none of them.
fn values<'v>(field: &Field, cells: &[&'v Value]) -> Result<Values, &'v Value> {
    let time = |cell: &Value| Some(Timestamp::parse(cell.as_str()?)?.0);
    let text = |cell: &Value| cell.as_str().map(str::to_owned);
    // A document is written as itself, or as text that holds it.
    let document = |cell: &Value| text(cell).or_else(|| Some(cell.to_string()));
    Ok(match (field.ty.physical, field.ty.logical.as_str()) {
        (Physical::Int32, "date") => {
            Values::Int32(each(cells, |cell| Some(Date::parse(cell.as_str()?)?.0))?)
        }
        (Physical::Int64, "timestamp") => Values::Int64(each(cells, time)?),
        (Physical::Int128, logical) => {
            let unscaled = each(cells, |cell| unscaled(cell, scale(logical)))?;
            Values::Int128(unscaled.into_iter().flat_map(words).collect())
        }
        (Physical::Text, "json") => Values::Text(varlen(each(cells, document)?)),
        (Physical::Text, _) => Values::Text(varlen(each(cells, text)?)),
        (Physical::Bits, _) => Values::Bits(bits(each(cells, Value::as_bool)?.into_iter())),
        (Physical::Float64, _) => Values::Float64(each(cells, Value::as_f64)?),
        (Physical::Float32, _) => Values::Float32(each(cells, |cell| Some(cell.as_f64()? as f32))?),
        (Physical::Int64, _) => Values::Int64(each(cells, whole)?),
        (Physical::Int32, _) => Values::Int32(each(cells, whole)?),
        (Physical::Int16, _) => Values::Int16(each(cells, whole)?),
        (Physical::Int8, _) => Values::Int8(each(cells, whole)?),
        (Physical::Uint64, _) => Values::Uint64(each(cells, whole)?),
        // No function of this SDK takes one.
        (Physical::Uint8 | Physical::Uint16 | Physical::Uint32 | Physical::Binary, _) => {
            return Err(cells.first().copied().unwrap_or(&Value::Null));
        }
    })
}

/// Reads all but NULLs, under which anything may be.
fn each<'v, T: Default>(
    cells: &[&'v Value],
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Vec<T>, &'v Value> {
    let values = cells.iter().map(|&cell| match cell {
        Value::Null => Ok(T::default()),
        cell => read(cell).ok_or(cell),
    });
    values.collect()
}

fn whole<T: TryFrom<i128>>(cell: &Value) -> Option<T> {
    let number = cell.as_i64().map(i128::from);
    T::try_from(number.or_else(|| cell.as_u64().map(i128::from))?).ok()
}

/// A decimal, written as a number or as text, in units of its last digit.
fn unscaled(cell: &Value, scale: usize) -> Option<i128> {
    let text = match cell {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let padded = format!("{whole}{fraction:0<scale$}");
    (fraction.len() <= scale).then(|| padded.parse().ok())?
}

fn words(value: i128) -> [u64; 2] {
    [value as u64, (value >> 64) as u64]
}

fn bits(bits: impl Iterator<Item = bool>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (place, bit) in bits.enumerate() {
        if place / 8 == bytes.len() {
            bytes.push(0);
        }
        bytes[place / 8] |= u8::from(bit) << (place % 8);
    }
    bytes
}

fn varlen(values: Vec<String>) -> Varlen {
    let mut offsets = vec![0];
    let mut bytes = Vec::new();
    for value in values {
        bytes.extend_from_slice(value.as_bytes());
        offsets.push(bytes.len() as i32);
    }
    Varlen { offsets, bytes }
}

/// The same text, each value once.
fn dictionary(text: &Varlen) -> Dict {
    let mut distinct: Vec<String> = Vec::new();
    let mut keys = Vec::new();
    for ends in text.offsets.windows(2) {
        let value = String::from_utf8_lossy(&text.bytes[ends[0] as usize..ends[1] as usize]);
        let known = distinct.iter().position(|one| *one == value);
        keys.push(known.unwrap_or(distinct.len()) as i32);
        if known.is_none() {
            distinct.push(value.into_owned());
        }
    }
    Dict {
        keys,
        values: varlen(distinct),
    }
}
