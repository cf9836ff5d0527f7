//! Columns as the host would lower them, and instances as it would begin them.

use tributary_sdk::bindings::exports::tributary::plugin::lifecycle::{ConfigValue, Context};
use tributary_sdk::bindings::exports::tributary::plugin::manifest::Function;
use tributary_sdk::bindings::tributary::plugin::types::{
    Column, Dict, PluginError, Values, Varlen,
};
use tributary_sdk::generated::{self as serve, Plugin};

/// A column without NULLs.
pub fn column(values: Values) -> Column {
    Column {
        values,
        validity: None,
        constant: false,
    }
}

/// A column of numbers, some NULL. What is under a NULL must not matter.
pub fn floats(values: &[Option<f64>]) -> Column {
    let numbers = values.iter().map(|value| value.unwrap_or(f64::NAN));
    Column {
        validity: Some(bits(values.iter().map(Option::is_some))),
        ..column(Values::Float64(numbers.collect()))
    }
}

/// A column of text.
pub fn text(values: &[&str]) -> Column {
    column(Values::Text(varlen(values)))
}

/// The same as a dictionary.
pub fn dictionary(keys: &[i32], values: &[&str]) -> Column {
    column(Values::DictText(Dict {
        keys: keys.to_vec(),
        values: varlen(values),
    }))
}

/// One value for every row.
pub fn constant(column: Column) -> Column {
    Column {
        constant: true,
        ..column
    }
}

/// A bitmap, least significant bit first.
pub fn bits(bits: impl Iterator<Item = bool>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (place, bit) in bits.enumerate() {
        if place / 8 == bytes.len() {
            bytes.push(0);
        }
        bytes[place / 8] |= u8::from(bit) << (place % 8);
    }
    bytes
}

fn varlen(values: &[&str]) -> Varlen {
    let ends = values.iter().scan(0, |end, value| {
        *end += value.len() as i32;
        Some(*end)
    });
    Varlen {
        offsets: std::iter::once(0).chain(ends).collect(),
        bytes: values.concat().into_bytes(),
    }
}

/// The numbers of a column.
pub fn numbers(column: &Column) -> Vec<Option<f64>> {
    let Values::Float64(values) = &column.values else {
        panic!("{column:?}");
    };
    let valid = |row: usize| match &column.validity {
        Some(bits) => bits[row / 8] >> (row % 8) & 1 == 1,
        None => true,
    };
    let rows = values.iter().enumerate();
    rows.map(|(row, value)| valid(row).then_some(*value))
        .collect()
}

/// Begins an instance: settings, then the time.
pub fn configure(
    plugin: &Plugin,
    settings: &[(&str, ConfigValue)],
    now_us: Option<i64>,
) -> Result<(), PluginError> {
    let settings = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()));
    serve::configure(plugin, settings.collect(), Context { now_us })
}

/// The manifest entry of a function.
pub fn manifest(plugin: &Plugin, name: &str) -> Function {
    let functions = serve::describe(plugin).functions;
    functions
        .into_iter()
        .find(|function| function.name == name)
        .expect("a function of this name")
}
