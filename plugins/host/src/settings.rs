//! Settings: which ones a plugin declares, and the values that a manufacturer gives, checked against them. It
//! deliberately knows no guest: what a plugin thinks of its settings is heard when an instance is configured.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::digest::sha256_hex;
use crate::error::{Error, ErrorKind, printable, within};
use crate::limits::Limits;
use crate::manifest::Manifest;
use crate::names::{doc, unique};
use crate::wire;

/// A setting that a manufacturer may give.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfigKey {
    /// its name
    pub name: String,
    /// what its value is
    #[serde(rename = "type")]
    pub ty: ConfigType,
    /// whether it must be given
    pub required: bool,
    /// what it is for
    pub doc: String,
    /// its value where none is given
    pub default: Option<Value>,
    /// the least number, length of text or of a list
    pub min: Option<f64>,
    /// the greatest
    pub max: Option<f64>,
}

/// What the value of a setting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum ConfigType {
    Boolean,
    Integer,
    Number,
    Text,
    TextList,
    /// any JSON
    Json,
}

/// The settings of a plugin, checked and complete. Equal settings have equal hashes, however they were written.
#[derive(Debug, Clone)]
pub struct Settings {
    json: String,
    hash: String,
    values: Vec<(String, wire::ConfigValue)>,
}

impl Settings {
    /// SHA-256 of [`Settings::json`], hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Every setting that has a value, defaults included, as canonical JSON.
    pub fn json(&self) -> &str {
        &self.json
    }

    pub(crate) fn values(&self) -> &[(String, wire::ConfigValue)] {
        &self.values
    }
}

impl Manifest {
    /// Checks the settings that a manufacturer gives, and completes them with defaults.
    ///
    /// # Errors
    /// `Settings`, with everything that is wrong with them; `Limit` if they are too large.
    pub fn settings(&self, given: &Map<String, Value>, limits: &Limits) -> Result<Settings, Error> {
        let mut wrong = Vec::new();
        for name in given.keys() {
            if !self.config.iter().any(|key| key.name == *name) {
                wrong.push(self.unknown(name));
            }
        }
        let (mut complete, mut values) = (Map::new(), Vec::new());
        for key in &self.config {
            let Some(value) = given.get(&key.name).or(key.default.as_ref()) else {
                if key.required {
                    let (name, word) = (&key.name, key.ty.word());
                    wrong.push(format!("setting \"{name}\" is required, expected {word}"));
                }
                continue;
            };
            match key.value(value) {
                Ok(checked) => {
                    complete.insert(key.name.clone(), spelled(&checked, value));
                    values.push((key.name.clone(), checked));
                }
                Err(why) => wrong.push(format!("setting \"{}\" {why}", key.name)),
            }
        }
        if !wrong.is_empty() {
            let message = printable(&wrong.join("; "), limits.message_bytes_max);
            return Err(Error::new(ErrorKind::Settings, message));
        }
        complete.sort_keys();
        let json = Value::Object(complete).to_string();
        within(
            "settings_bytes_max",
            limits.settings_bytes_max,
            json.len() as u64,
        )?;
        Ok(Settings {
            hash: sha256_hex(json.as_bytes()),
            json,
            values,
        })
    }

    fn unknown(&self, name: &str) -> String {
        let name = printable(name, 64);
        let known: Vec<&str> = self.config.iter().map(|key| key.name.as_str()).collect();
        match known.is_empty() {
            true => format!("the plugin has no settings, got \"{name}\""),
            false => format!(
                "there is no setting \"{name}\" (there are {})",
                known.join(", ")
            ),
        }
    }
}

impl ConfigKey {
    pub(crate) fn check_all(keys: &[wire::ConfigKey], limits: &Limits) -> Result<Vec<Self>, Error> {
        within("config_keys_max", limits.config_keys_max, keys.len() as u64)?;
        unique("setting", keys.iter().map(|key| key.name.as_str()), limits)?;
        let checked = keys.iter().map(|key| Self::check(key, limits));
        checked.collect()
    }

    fn check(key: &wire::ConfigKey, limits: &Limits) -> Result<Self, Error> {
        let refused = |why: String| Error::refused(format!("setting \"{}\" {why}", key.name));
        doc(&key.doc, limits)?;
        let bounds = [key.min, key.max];
        if bounds.iter().flatten().any(|bound| !bound.is_finite()) || key.min > key.max.or(key.min)
        {
            return Err(refused("has bounds that nothing fits".to_owned()));
        }
        let sized = !matches!(key.ty, wire::ConfigType::Boolean | wire::ConfigType::Json);
        if !sized && bounds.iter().any(Option::is_some) {
            return Err(refused("has bounds, and nothing to bound".to_owned()));
        }
        let bytes = key.default_json.as_ref().map_or(0, String::len) as u64;
        within("settings_bytes_max", limits.settings_bytes_max, bytes)?;
        let default = key
            .default_json
            .as_deref()
            .map(serde_json::from_str::<Value>);
        let default = default
            .transpose()
            .map_err(|error| refused(format!("has a default that is no JSON: {error}")))?;
        let checked = Self {
            name: key.name.clone(),
            ty: ConfigType::from(key.ty),
            required: key.required,
            doc: key.doc.clone(),
            default,
            min: key.min,
            max: key.max,
        };
        if let Some(default) = &checked.default {
            checked
                .value(default)
                .map_err(|why| refused(format!("has a default that does not fit: it {why}")))?;
        }
        Ok(checked)
    }

    /// The value on its way to the guest; or why it does not fit, as a verb.
    fn value(&self, value: &Value) -> Result<wire::ConfigValue, String> {
        let is_other = || format!("is {}, expected {}", shown(value), self.ty.word());
        match self.ty {
            ConfigType::Boolean => {
                let value = value.as_bool().ok_or_else(is_other)?;
                Ok(wire::ConfigValue::Boolean(value))
            }
            ConfigType::Integer => {
                let integer = integer(value).ok_or_else(is_other)?;
                self.within(integer as f64, &shown(value))?;
                Ok(wire::ConfigValue::Integer(integer))
            }
            ConfigType::Number => {
                let number = value.as_f64().filter(|number| number.is_finite());
                let number = number.ok_or_else(is_other)?;
                self.within(number, &shown(value))?;
                // Minus zero is zero, here and in the text that is hashed.
                Ok(wire::ConfigValue::Number(number + 0.0))
            }
            ConfigType::Text => {
                let text = value.as_str().ok_or_else(is_other)?;
                let length = text.chars().count();
                self.within(length as f64, &format!("{length} characters long"))?;
                Ok(wire::ConfigValue::Text(text.to_owned()))
            }
            ConfigType::TextList => {
                let entries = value.as_array().ok_or_else(is_other)?;
                let texts = entries
                    .iter()
                    .map(|entry| entry.as_str().map(str::to_owned));
                let texts: Vec<String> = texts.collect::<Option<_>>().ok_or_else(is_other)?;
                self.within(texts.len() as f64, &format!("{} entries long", texts.len()))?;
                Ok(wire::ConfigValue::TextList(texts))
            }
            ConfigType::Json => Ok(wire::ConfigValue::Json(sorted(value).to_string())),
        }
    }

    fn within(&self, number: f64, what: &str) -> Result<(), String> {
        let low = self.min.is_some_and(|min| number < min);
        let high = self.max.is_some_and(|max| number > max);
        if !low && !high {
            return Ok(());
        }
        let allowed = match (self.min, self.max) {
            (Some(min), Some(max)) => format!("{min} to {max}"),
            (Some(min), None) => format!("{min} or more"),
            (None, Some(max)) => format!("{max} or less"),
            (None, None) => String::new(),
        };
        Err(format!("is {what}, allowed is {allowed}"))
    }
}

impl From<wire::ConfigType> for ConfigType {
    fn from(ty: wire::ConfigType) -> Self {
        match ty {
            wire::ConfigType::Boolean => Self::Boolean,
            wire::ConfigType::Integer => Self::Integer,
            wire::ConfigType::Number => Self::Number,
            wire::ConfigType::Text => Self::Text,
            wire::ConfigType::TextList => Self::TextList,
            wire::ConfigType::Json => Self::Json,
        }
    }
}

impl ConfigType {
    const fn word(self) -> &'static str {
        match self {
            Self::Boolean => "true or false",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Text => "text",
            Self::TextList => "a list of texts",
            Self::Json => "JSON",
        }
    }
}

/// `3` and `3.0` are the same integer; `3.5` is none, and neither is what 64 bits can't hold.
fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|_| value.is_f64())?;
        whole(number).then_some(number as i64)
    })
}

/// Whether the number is an integer, and no other integer is the same number.
fn whole(number: f64) -> bool {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    number.fract() == 0.0 && number.abs() < EXACT_MAX
}

/// The one spelling of a value that fits: `3` for `3.0`, and the names of objects in order.
fn spelled(checked: &wire::ConfigValue, given: &Value) -> Value {
    match checked {
        wire::ConfigValue::Integer(integer) => Value::from(*integer),
        wire::ConfigValue::Number(number) if whole(*number) => Value::from(*number as i64),
        wire::ConfigValue::Number(number) => Value::from(*number),
        _ => sorted(given),
    }
}

/// The same value with the names of every object in order.
fn sorted(value: &Value) -> Value {
    let mut value = value.clone();
    value.sort_all_objects();
    value
}

/// A value, short enough for an error.
fn shown(value: &Value) -> String {
    printable(&value.to_string(), 60)
}
