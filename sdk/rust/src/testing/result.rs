//! Results as JSON, as SQL would show them, and whether they are what was expected.

use serde_json::{Value, json};

use crate::bindings::exports::tributary::plugin::manifest::Field;
use crate::bindings::tributary::plugin::types::{Column, Values};
use crate::time::{Date, Timestamp};

/// A value of a column.
pub(super) fn read(column: &Column, field: &Field, row: usize) -> Value {
    let bit = |bits: &[u8]| bits[row / 8] >> (row % 8) & 1 == 1;
    if !column.validity.as_deref().is_none_or(bit) {
        return Value::Null;
    }
    match (&column.values, field.ty.logical.as_str()) {
        (Values::Int32(days), "date") => json!(Date(days[row]).to_string()),
        // SQL shows instants without their Z.
        (Values::Int64(micros), "timestamp") => {
            json!(Timestamp(micros[row]).to_string().trim_end_matches('Z'))
        }
        (Values::Int128(words), logical) => json!(decimal(words, row, scale(logical))),
        (Values::Bits(bits), _) => json!(bit(bits)),
        (Values::Float64(values), _) => json!(values[row]),
        (Values::Float32(values), _) => json!(values[row]),
        (Values::Int64(values), _) => json!(values[row]),
        (Values::Int32(values), _) => json!(values[row]),
        (Values::Int16(values), _) => json!(values[row]),
        (Values::Int8(values), _) => json!(values[row]),
        (Values::Uint64(values), _) => json!(values[row]),
        (Values::Text(text), _) => {
            let ends = text.offsets[row] as usize..text.offsets[row + 1] as usize;
            json!(String::from_utf8_lossy(&text.bytes[ends]))
        }
        (other, _) => json!(format!("{other:?}")),
    }
}

fn decimal(words: &[u64], row: usize, scale: usize) -> f64 {
    let unscaled = (u128::from(words[2 * row + 1]) << 64 | u128::from(words[2 * row])) as i128;
    unscaled as f64 / 10_f64.powi(scale as i32)
}

/// The `s` of `decimal(p,s)`.
pub(super) fn scale(logical: &str) -> usize {
    let inner = logical.trim_end_matches(')').rsplit(',').next();
    inner
        .and_then(|scale| scale.trim().parse().ok())
        .unwrap_or_default()
}

/// What is wrong with a result, in words: the fields that are named are compared, numbers within the tolerance.
pub(super) fn compare(wanted: &Value, given: &Value, tolerance: f64) -> Result<(), String> {
    if differs(wanted, given, tolerance) {
        return Err(format!("gave {given}, expected {wanted}"));
    }
    Ok(())
}

fn differs(wanted: &Value, given: &Value, tolerance: f64) -> bool {
    match (wanted, given) {
        (Value::Object(wanted), Value::Object(given)) => wanted.iter().any(|(name, wanted)| {
            // A field that is not there is not NULL.
            given
                .get(name)
                .is_none_or(|given| differs(wanted, given, tolerance))
        }),
        (Value::Number(wanted), Value::Number(given)) => {
            let number = |number: &serde_json::Number| number.as_f64().unwrap_or(f64::NAN);
            let (wanted, given) = (number(wanted), number(given));
            let close = (wanted - given).abs() <= tolerance * wanted.abs().max(1.0);
            // NaN is close to nothing.
            !close
        }
        (wanted, given) => wanted != given,
    }
}
