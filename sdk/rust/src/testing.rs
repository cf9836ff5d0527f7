//! Examples, tried outside WebAssembly: the same files that `tributary plugin test` tries inside it.
//!
//! ```text
//! {"function": "qualify", "settings": {"threshold": 60}, "now": "2026-01-01T00:00:00Z", "tolerance": 1e-9, "rows": [
//!     {"args": {"employees": 120}, "expect": {"verdict": "mql", "reasons": []}},
//!     {"args": {"employees": -1}, "error": "negative"}]}
//! ```
//!
//! `expect` of a score is its value, of a rule those of its fields that matter. Examples of an aggregate are
//! `"groups": [{"rows": [{…}, …], "expect": 17.5}]`.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::bindings::exports::tributary::plugin::lifecycle::{ConfigValue, Context};
use crate::bindings::exports::tributary::plugin::manifest::{
    ConfigKey, ConfigType, Field, Function, Kind, Physical,
};
use crate::bindings::tributary::plugin::types::{Column, PluginError, Values, Varlen};
use crate::config::{Config, Given};
use crate::failure::PluginFailure;
use crate::serve::{self, Plugin};

/// Settings with nothing but defaults.
///
/// # Errors
/// Where one has no default.
pub fn defaults<S: Config>() -> Result<S, PluginFailure> {
    let values = settings(&S::keys(), &Map::new()).map_err(PluginFailure::new)?;
    S::fill(&mut Given::new(values))
}

/// Tries the examples of every file in a folder.
///
/// # Panics
/// With everything that came out otherwise, and where a file can't be read.
pub fn fixtures(plugin: &Plugin, folder: impl AsRef<Path>) {
    let folder = folder.as_ref();
    let entries = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("read \"{}\": {error}", folder.display()));
    let mut failed = Vec::new();
    let mut tried = 0;
    for entry in entries {
        let path = entry.expect("a folder can be listed").path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let text = fs::read_to_string(&path).expect("examples can be read");
            match run(plugin, &text) {
                Ok(count) => tried += count,
                Err(why) => failed.push(format!("{}: {why}", path.display())),
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(tried > 0, "no examples in \"{}\"", folder.display());
}

/// Tries the examples of one file; how many there were, or what came out otherwise.
fn run(plugin: &Plugin, text: &str) -> Result<usize, String> {
    let file: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let name = file["function"].as_str().ok_or("no function is named")?;
    let functions: Vec<Function> = serve::describe(plugin).functions;
    let number = functions.iter().position(|known| known.name == name);
    let number = number.ok_or_else(|| format!("there is no function {name:?}"))?;
    let empty = Map::new();
    let given = file["settings"].as_object().unwrap_or(&empty);
    let trial = Trial {
        plugin,
        number: number as u32,
        function: &functions[number],
        tolerance: file["tolerance"].as_f64().unwrap_or(1e-9),
    };
    let values = settings(&serve::describe(plugin).config, given)?;
    let now_us = file["now"].as_str().map(instant).transpose()?;
    let context = Context {
        now_us: Some(now_us.unwrap_or_default()),
    };
    serve::configure(plugin, values, context).map_err(|error| error.message)?;
    let list = |name: &str| file[name].as_array().cloned().unwrap_or_default();
    let (rows, groups) = (list("rows"), list("groups"));
    for (position, row) in rows.iter().enumerate() {
        trial
            .row(row)
            .map_err(|why| format!("row {}: {why}", position + 1))?;
    }
    for (position, group) in groups.iter().enumerate() {
        trial
            .group(group)
            .map_err(|why| format!("group {}: {why}", position + 1))?;
    }
    Ok(rows.len() + groups.len())
}

/// Settings as the host would hand them over.
fn settings(
    keys: &[ConfigKey],
    given: &Map<String, Value>,
) -> Result<Vec<(String, ConfigValue)>, String> {
    if let Some(name) = given
        .keys()
        .find(|name| !keys.iter().any(|key| key.name == **name))
    {
        return Err(format!("there is no setting {name:?}"));
    }
    let mut values = Vec::new();
    for key in keys {
        let default = key
            .default_json
            .as_deref()
            .map(serde_json::from_str::<Value>);
        let default = default.transpose().map_err(|error| error.to_string())?;
        let Some(value) = given.get(&key.name).cloned().or(default) else {
            continue;
        };
        let other = || format!("setting {:?} is of another type", key.name);
        let value = match key.ty {
            ConfigType::Boolean => ConfigValue::Boolean(value.as_bool().ok_or_else(other)?),
            ConfigType::Integer => ConfigValue::Integer(value.as_i64().ok_or_else(other)?),
            ConfigType::Number => ConfigValue::Number(value.as_f64().ok_or_else(other)?),
            ConfigType::Text => ConfigValue::Text(value.as_str().ok_or_else(other)?.to_owned()),
            ConfigType::TextList => {
                let entries = value.as_array().ok_or_else(other)?.iter();
                let texts: Option<Vec<String>> = entries
                    .map(|entry| entry.as_str().map(str::to_owned))
                    .collect();
                ConfigValue::TextList(texts.ok_or_else(other)?)
            }
            ConfigType::Json => ConfigValue::Json(value.to_string()),
        };
        values.push((key.name.clone(), value));
    }
    Ok(values)
}

struct Trial<'a> {
    plugin: &'a Plugin,
    number: u32,
    function: &'a Function,
    tolerance: f64,
}

impl Trial<'_> {
    fn row(&self, row: &Value) -> Result<(), String> {
        let args = row["args"].as_object().ok_or("it has no args")?;
        let called = match self.missing(args) {
            true => Ok(Value::Null),
            false => self.call(args),
        };
        match (called, row["error"].as_str()) {
            (Ok(given), None) => self.compare(&row["expect"], &given),
            (Ok(given), Some(_)) => Err(format!("gave {given}, expected an error")),
            (Err(error), Some(wanted)) if error.message.contains(wanted) => Ok(()),
            (Err(error), _) => Err(format!("failed: {}", error.message)),
        }
    }

    fn group(&self, group: &Value) -> Result<(), String> {
        let told = |error: PluginError| format!("failed: {}", error.message);
        serve::start(self.plugin, self.number).map_err(told)?;
        serve::update(&self.columns(&Map::new(), 0)?, &[], None, 0, 1).map_err(told)?;
        for row in group["rows"].as_array().ok_or("it has no rows")? {
            let args = row.as_object().ok_or("a row is an object")?;
            if !self.missing(args) {
                serve::update(&self.columns(args, 1)?, &[], None, 1, 1).map_err(told)?;
            }
        }
        let value = serve::evaluate(&[0]).map_err(told)?;
        self.compare(&group["expect"], &read(&value, &self.function.returns[0]))
    }

    /// Whether an argument is NULL that the function does not take as NULL: the host makes the result NULL.
    fn missing(&self, args: &Map<String, Value>) -> bool {
        let strict = self.function.args.iter().filter(|arg| !arg.nullable);
        strict
            .map(|arg| args.get(&arg.name).unwrap_or(&Value::Null))
            .any(Value::is_null)
    }

    fn call(&self, args: &Map<String, Value>) -> Result<Value, PluginError> {
        let columns = self
            .columns(args, 1)
            .map_err(|why| crate::argument::internal(&why))?;
        match self.function.kind {
            Kind::Scalar => {
                let column = serve::eval(self.plugin, self.number, &columns, 1)?;
                Ok(read(&column, &self.function.returns[0]))
            }
            Kind::Rule => {
                let judged = serve::judge(self.plugin, self.number, &columns, 1)?;
                let reasons = self.function.reasons.iter().enumerate();
                let reasons = reasons.filter(|(bit, _)| judged.reasons[0] >> bit & 1 == 1);
                let mut fields = Map::new();
                let verdict = &self.function.verdicts[usize::from(judged.verdicts[0])];
                fields.insert("verdict".to_owned(), json!(verdict));
                let codes: Vec<&str> = reasons.map(|(_, reason)| reason.code.as_str()).collect();
                fields.insert("reasons".to_owned(), json!(codes));
                for (column, field) in judged.details.iter().zip(&self.function.returns) {
                    fields.insert(field.name.clone(), read(column, field));
                }
                Ok(Value::Object(fields))
            }
            Kind::Aggregate => Err(crate::argument::internal(
                "examples of an aggregate are groups",
            )),
        }
    }

    fn columns(&self, args: &Map<String, Value>, rows: usize) -> Result<Vec<Column>, String> {
        let unknown = |name: &&String| !self.function.args.iter().any(|arg| arg.name == **name);
        if let Some(name) = args.keys().find(unknown) {
            return Err(format!("the function has no argument {name:?}"));
        }
        let each = self.function.args.iter();
        each.map(|arg| column(arg, args.get(&arg.name).unwrap_or(&Value::Null), rows))
            .collect()
    }

    fn compare(&self, wanted: &Value, given: &Value) -> Result<(), String> {
        match self.differs(wanted, given) {
            true => Err(format!("gave {given}, expected {wanted}")),
            false => Ok(()),
        }
    }

    fn differs(&self, wanted: &Value, given: &Value) -> bool {
        match (wanted, given) {
            (Value::Object(wanted), Value::Object(given)) => wanted.iter().any(|(name, wanted)| {
                self.differs(wanted, given.get(name).unwrap_or(&Value::Null))
            }),
            (Value::Number(wanted), Value::Number(given)) => {
                let number = |number: &serde_json::Number| number.as_f64().unwrap_or(f64::NAN);
                let (wanted, given) = (number(wanted), number(given));
                let close = (wanted - given).abs() <= self.tolerance * max(wanted.abs(), 1.0);
                !close
            }
            (wanted, given) => wanted != given,
        }
    }
}

fn max(a: f64, b: f64) -> f64 {
    crate::number::max(a, b)
}

/// A value as a column of one row, or of none.
fn column(field: &Field, value: &Value, rows: usize) -> Result<Column, String> {
    let other = || format!("argument {:?} is of another type: {value}", field.name);
    let absent = value.is_null() || rows == 0;
    let whole = || -> Result<i64, String> {
        match (absent, value) {
            (true, _) => Ok(0),
            (false, Value::String(text)) if field.ty.logical == "date" => {
                Ok(instant(text)? / 86_400_000_000)
            }
            (false, Value::String(text)) if field.ty.logical == "timestamp" => instant(text),
            (false, value) => value.as_i64().ok_or_else(other),
        }
    };
    let small = |value: i64| i32::try_from(value).map_err(|_| other());
    let number = || match absent {
        true => Ok(0.0),
        false => value.as_f64().ok_or_else(other),
    };
    let some = |rows: usize| usize::from(rows > 0);
    let values = match field.ty.physical {
        Physical::Bits => Values::Bits(vec![u8::from(value.as_bool() == Some(true)); some(rows)]),
        Physical::Int8 => Values::Int8(vec![small(whole()?)? as i8; some(rows)]),
        Physical::Int16 => Values::Int16(vec![small(whole()?)? as i16; some(rows)]),
        Physical::Int32 => Values::Int32(vec![small(whole()?)?; some(rows)]),
        Physical::Int64 => Values::Int64(vec![whole()?; some(rows)]),
        Physical::Float32 => Values::Float32(vec![number()? as f32; some(rows)]),
        Physical::Float64 => Values::Float64(vec![number()?; some(rows)]),
        Physical::Int128 => {
            let digits = match absent {
                true => "0".to_owned(),
                false => value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned),
            };
            let unscaled = decimal(&digits, &field.ty.logical).ok_or_else(other)?;
            let words = [unscaled as u64, (unscaled >> 64) as u64];
            Values::Int128(words.repeat(some(rows)))
        }
        Physical::Text => {
            let text = match (absent, value) {
                (true, _) => String::new(),
                (false, Value::String(text)) => text.clone(),
                (false, value) if field.ty.logical == "json" => value.to_string(),
                _ => return Err(other()),
            };
            let offsets = match rows {
                0 => vec![0],
                _ => vec![0, text.len() as i32],
            };
            Values::Text(Varlen {
                offsets,
                bytes: text.into_bytes(),
            })
        }
        _ => {
            return Err(format!(
                "argument {:?} is of a type that examples do not have",
                field.name
            ));
        }
    };
    Ok(Column {
        values,
        validity: (value.is_null() && rows > 0).then(|| vec![0]),
        constant: false,
    })
}

/// The first row of a column.
fn read(column: &Column, field: &Field) -> Value {
    if column
        .validity
        .as_ref()
        .is_some_and(|bits| bits[0] & 1 == 0)
    {
        return Value::Null;
    }
    match &column.values {
        Values::Bits(bits) => json!(bits[0] & 1 == 1),
        Values::Int8(values) => json!(values[0]),
        Values::Int16(values) => json!(values[0]),
        Values::Int32(values) => json!(values[0]),
        Values::Int64(values) => json!(values[0]),
        Values::Float32(values) => json!(values[0]),
        Values::Float64(values) => json!(values[0]),
        Values::Int128(words) => {
            let unscaled = (u128::from(words[1]) << 64 | u128::from(words[0])) as i128;
            json!(unscaled as f64 / 10_f64.powi(i32::from(scale(&field.ty.logical))))
        }
        Values::Text(text) => json!(String::from_utf8_lossy(&text.bytes)),
        _ => Value::Null,
    }
}

fn scale(logical: &str) -> i8 {
    let inner = logical
        .strip_suffix(')')
        .and_then(|rest| rest.split_once(','));
    inner
        .and_then(|(_, scale)| scale.trim().parse().ok())
        .unwrap_or_default()
}

/// A decimal in units of its last digit.
fn decimal(digits: &str, logical: &str) -> Option<i128> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let scale = usize::try_from(scale(logical)).ok()?;
    if fraction.len() > scale {
        return None;
    }
    format!("{whole}{fraction:0<scale$}").parse().ok()
}

/// Microseconds since 1970 of an instant, UTC.
fn instant(text: &str) -> Result<i64, String> {
    let other = || format!("{text:?} is no instant like 2026-01-01T00:00:00Z");
    let (day, time) = text
        .trim_end_matches('Z')
        .split_once('T')
        .unwrap_or((text, "00:00:00"));
    let numbers = |text: &str, by: char| -> Option<Vec<i64>> {
        text.split(by).map(|part| part.parse().ok()).collect()
    };
    let day = numbers(day, '-').ok_or_else(other)?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let clock = numbers(clock, ':').ok_or_else(other)?;
    let ([year, month, day], [hour, minute, second]) = (day.as_slice(), clock.as_slice()) else {
        return Err(other());
    };
    let micros: i64 = format!("{fraction:0<6}").parse().map_err(|_| other())?;
    // Days of the Gregorian calendar (Hinnant 2013, days_from_civil).
    let years = if *month <= 2 { year - 1 } else { *year };
    let era = years.div_euclid(400);
    let of_era = years - era * 400;
    let of_year = (153 * (if *month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Ok((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000 + micros)
}
