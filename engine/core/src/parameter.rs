//! The values that a statement's placeholders stand for, as a client sends them.
//!
//! Numbers keep the digits that were written: none passes through a float on its way. Whether a value is of its kind is
//! checked where it is put into the statement.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::{self, Error as _};

use serde::ser;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::fault::{Error, Fault};

/// Values by the name of their placeholder: `region` for `$region`, `1` for `$1`.
pub type Parameters = BTreeMap<String, Parameter>;

/// The value of one placeholder. In JSON it is the bare value, or `{"type": "date", "value": "2024-05-31"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// What the value has to be; taken as it is written where absent.
    pub kind: Option<ParameterKind>,
    /// The value; a list holds values of that kind.
    pub value: Value,
}

impl Parameter {
    /// A value that is taken as it is written.
    #[must_use]
    pub const fn untyped(value: Value) -> Self {
        Self { kind: None, value }
    }
}

impl Serialize for Parameter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.kind {
            None => self.value.serialize(serializer),
            Some(kind) => Typed {
                r#type: kind,
                value: self.value.clone(),
            }
            .serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Parameter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if raw.get().starts_with('{') {
            let typed: Typed = serde_json::from_str(raw.get()).map_err(D::Error::custom)?;
            return Ok(Self {
                kind: Some(typed.r#type),
                value: typed.value,
            });
        }
        Value::of_json(raw.get())
            .map(Self::untyped)
            .map_err(D::Error::custom)
    }
}

/// A value with its kind, as JSON says it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    r#type: ParameterKind,
    value: Value,
}

/// What a value has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterKind {
    /// Any text.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A floating-point number of 64 bits.
    Number,
    /// A number with exactly the decimals that are written.
    Decimal,
    /// Yes or no.
    Boolean,
    /// A calendar day, `2024-05-31`.
    Date,
    /// An instant in RFC 3339, to the microsecond.
    Timestamp,
}

impl ParameterKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::Text,
        Self::Integer,
        Self::Number,
        Self::Decimal,
        Self::Boolean,
        Self::Date,
        Self::Timestamp,
    ];

    /// The word for it in JSON, in a URL and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
        }
    }
}

impl fmt::Display for ParameterKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ParameterKind {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        let known = Self::ALL.into_iter().find(|kind| kind.name() == word);
        known.ok_or_else(|| {
            let shown: String = word.chars().take(63).collect();
            Error::new(
                Fault::Invalid,
                format!("{shown:?} is not a kind of parameter"),
            )
            .with_hint(format!(
                "The kinds are {}.",
                Self::ALL.map(Self::name).join(", ")
            ))
        })
    }
}

/// A JSON value without objects, whose numbers keep their digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// No value.
    Null,
    /// Yes or no.
    Boolean(bool),
    /// A number as JSON writes it.
    Number(String),
    /// Text.
    Text(String),
    /// Several values.
    List(Vec<Self>),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Boolean(value) => serializer.serialize_bool(*value),
            Self::Number(digits) => RawValue::from_string(digits.clone())
                .map_err(ser::Error::custom)?
                .serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(values) => values.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::of_json(raw.get()).map_err(D::Error::custom)
    }
}

impl Value {
    fn of_json(json: &str) -> Result<Self, serde_json::Error> {
        let read = match json.bytes().next() {
            Some(b'"') => Self::Text(serde_json::from_str(json)?),
            Some(b'[') => Self::List(serde_json::from_str(json)?),
            Some(b'{') => {
                return Err(de::Error::custom("an object is no value of a parameter"));
            }
            Some(b'n') => Self::Null,
            Some(b't') => Self::Boolean(true),
            Some(b'f') => Self::Boolean(false),
            _ => Self::Number(json.to_owned()),
        };
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_digits_of_numbers_there_and_back() {
        let json = "[12345678901234567890123456789,0.10,1e5,-0,true,null,\"\\u0061\"]";
        let value: Value = serde_json::from_str(json).expect("a value");
        let Value::List(values) = &value else {
            panic!("{value:?}");
        };
        assert_eq!(
            values[0],
            Value::Number("12345678901234567890123456789".to_owned())
        );
        assert_eq!(values[1], Value::Number("0.10".to_owned()));
        assert_eq!(
            serde_json::to_string(&value).expect("JSON"),
            json.replace("\\u0061", "a")
        );
    }

    #[test]
    fn objects_are_no_values() {
        for json in ["{}", "[{}]", "[1,[{\"a\":1}]]"] {
            assert!(serde_json::from_str::<Value>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn a_query_crosses_to_another_process_whole() {
        let parameter = Parameter {
            kind: Some(ParameterKind::Decimal),
            value: Value::Number("0.30".to_owned()),
        };
        let json = serde_json::to_string(&parameter).expect("JSON");
        assert_eq!(json, r#"{"type":"decimal","value":0.30}"#);
        let back: Parameter = serde_json::from_str(&json).expect("the same");
        assert_eq!(back, parameter);
        let bare: Parameter = serde_json::from_str("0.30").expect("a bare value");
        assert_eq!(bare, Parameter::untyped(parameter.value));
    }
}
