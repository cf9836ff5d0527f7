//! Settings as the host would hand them over: known, of their type, within their bounds, with defaults. The messages are
//! not the host's.

use serde_json::{Map, Value};

use crate::bindings::exports::tributary::plugin::lifecycle::ConfigValue;
use crate::bindings::exports::tributary::plugin::manifest::{ConfigKey, ConfigType};

/// What was given, and defaults.
pub(super) fn values(
    keys: &[ConfigKey],
    given: &Map<String, Value>,
) -> Result<Vec<(String, ConfigValue)>, String> {
    let known = |name: &String| keys.iter().any(|key| key.name == *name);
    if let Some(name) = given.keys().find(|name| !known(name)) {
        return Err(format!("there is no setting {name:?}"));
    }
    let mut values = Vec::new();
    for key in keys {
        if let Some(value) = value(key, given)? {
            values.push((key.name.clone(), value));
        }
    }
    Ok(values)
}

fn value(key: &ConfigKey, given: &Map<String, Value>) -> Result<Option<ConfigValue>, String> {
    let default = key.default_json.as_deref().map(serde_json::from_str);
    let default = default
        .transpose()
        .map_err(|error| format!("the default of setting {:?} is no JSON: {error}", key.name))?;
    let Some(value) = given.get(&key.name).cloned().or(default) else {
        return Ok(None);
    };
    let other = || format!("setting {:?} is of another type", key.name);
    let value = typed(key.ty, &value).ok_or_else(other)?;
    let size = size(&value);
    let small = key
        .min
        .is_some_and(|min| size.is_some_and(|size| size < min));
    let large = key
        .max
        .is_some_and(|max| size.is_some_and(|size| size > max));
    if small || large {
        return Err(format!("setting {:?} is out of bounds", key.name));
    }
    Ok(Some(value))
}

fn typed(ty: ConfigType, value: &Value) -> Option<ConfigValue> {
    Some(match ty {
        ConfigType::Boolean => ConfigValue::Boolean(value.as_bool()?),
        ConfigType::Integer => ConfigValue::Integer(value.as_i64()?),
        ConfigType::Number => ConfigValue::Number(value.as_f64()?),
        ConfigType::Text => ConfigValue::Text(value.as_str()?.to_owned()),
        ConfigType::TextList => {
            let texts = value.as_array()?.iter();
            let texts = texts.map(|text| text.as_str().map(str::to_owned));
            ConfigValue::TextList(texts.collect::<Option<_>>()?)
        }
        ConfigType::Json => ConfigValue::Json(value.to_string()),
    })
}

/// What its bounds are about.
fn size(value: &ConfigValue) -> Option<f64> {
    match value {
        ConfigValue::Integer(number) => Some(*number as f64),
        ConfigValue::Number(number) => Some(*number),
        ConfigValue::Text(text) => Some(text.chars().count() as f64),
        ConfigValue::TextList(texts) => Some(texts.len() as f64),
        ConfigValue::Boolean(_) | ConfigValue::Json(_) => None,
    }
}
