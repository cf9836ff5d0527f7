//! What a manufacturer saves in the database besides rows: views that SQL reads like tables, and queries with names.
//!
//! Nothing is ever overwritten: a change is the next version, and so is a deletion.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::engine::Principal;
use crate::fault::{Error, Fault, Result};
use crate::manufacturer::ManufacturerId;
use crate::parameter::{Parameter, ParameterKind, Parameters, Value};

/// What is saved under a name. The two kinds have names of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SavedKind {
    /// A SELECT that SQL reads like a table.
    View,
    /// A SELECT with declared parameters, run by its name.
    Query,
}

impl SavedKind {
    /// The word for one of them.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Query => "query",
        }
    }
}

impl fmt::Display for SavedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a client says of a view or a query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// One SELECT.
    pub sql: String,
    /// What it is for, in words.
    #[serde(default)]
    pub description: String,
    /// The parameters of a query, by the name of their placeholder.
    #[serde(default)]
    pub parameters: BTreeMap<String, Declared>,
}

/// A parameter of a named query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    /// What its value has to be.
    pub r#type: ParameterKind,
    /// The value where none is given; NULL counts as one.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub default: Option<Value>,
    /// What it is for, in words.
    #[serde(default)]
    pub description: String,
}

/// A default that is written as null is a default.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// One version of a view or a query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Flat", into = "Flat")]
pub struct Saved {
    /// Its name.
    pub name: String,
    /// Counts from 1.
    pub version: u64,
    /// What it is; what it was, where this version deletes it.
    pub definition: Definition,
    /// When this version was made, RFC 3339.
    pub saved_at: String,
    /// Whether it is the latest version.
    pub is_current: bool,
    /// Whether this version is a deletion.
    pub is_deleted: bool,
}

/// A version as JSON says it, on one level.
#[derive(Serialize, Deserialize)]
struct Flat {
    name: String,
    version: u64,
    sql: String,
    description: String,
    parameters: BTreeMap<String, Declared>,
    saved_at: String,
    is_current: bool,
    is_deleted: bool,
}

impl From<Flat> for Saved {
    fn from(flat: Flat) -> Self {
        Self {
            name: flat.name,
            version: flat.version,
            definition: Definition {
                sql: flat.sql,
                description: flat.description,
                parameters: flat.parameters,
            },
            saved_at: flat.saved_at,
            is_current: flat.is_current,
            is_deleted: flat.is_deleted,
        }
    }
}

impl From<Saved> for Flat {
    fn from(saved: Saved) -> Self {
        Self {
            name: saved.name,
            version: saved.version,
            sql: saved.definition.sql,
            description: saved.definition.description,
            parameters: saved.definition.parameters,
            saved_at: saved.saved_at,
            is_current: saved.is_current,
            is_deleted: saved.is_deleted,
        }
    }
}

/// A view or a query to save.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Save {
    /// Who saves.
    pub principal: Principal,
    /// Whose it is.
    pub manufacturer: ManufacturerId,
    /// View or query.
    pub kind: SavedKind,
    /// Its name.
    pub name: String,
    /// What it is to be.
    pub definition: Definition,
}

/// One view or query by its name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Named {
    /// Who asks.
    pub principal: Principal,
    /// Whose it is.
    pub manufacturer: ManufacturerId,
    /// View or query.
    pub kind: SavedKind,
    /// Its name.
    pub name: String,
    /// An older version; the latest where absent.
    pub version: Option<u64>,
}

/// A named query to run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Who asks.
    pub principal: Principal,
    /// Whose query.
    pub manufacturer: ManufacturerId,
    /// Its name.
    pub name: String,
    /// Values for its parameters; what has no kind takes the declared one.
    pub parameters: Parameters,
}

impl Definition {
    /// The values to run with: those given, then the defaults. Each error names its parameter.
    pub(crate) fn values(&self, given: Parameters) -> Result<Parameters> {
        if let Some(name) = given
            .keys()
            .find(|name| !self.parameters.contains_key(*name))
        {
            let known: Vec<&str> = self.parameters.keys().map(String::as_str).collect();
            let shown: String = name.chars().take(63).collect();
            let error = Error::new(
                Fault::Invalid,
                format!("parameter {shown:?} is not one of this query"),
            );
            return Err(error.with_hint(match known.is_empty() {
                true => "It has no parameters.".to_owned(),
                false => format!("Its parameters are {}.", known.join(", ")),
            }));
        }
        let mut given = given;
        let values = self.parameters.iter().map(|(name, declared)| {
            let value = match given.remove(name) {
                Some(parameter) => {
                    of_declared_kind(name, declared, parameter.kind)?;
                    parameter.value
                }
                None => declared.default.clone().ok_or_else(|| {
                    Error::new(Fault::Invalid, format!("parameter \"{name}\" has no value"))
                        .with_hint(format!(
                            "It is a {} without a default.",
                            declared.r#type.name()
                        ))
                })?,
            };
            Ok((name.clone(), declared.value(value)))
        });
        values.collect()
    }

    /// Values to plan with, before anybody runs it: the defaults, and NULL of the right type where there is none.
    pub(crate) fn samples(&self) -> Parameters {
        let sample = |(name, declared): (&String, &Declared)| {
            let value = declared.default.clone().unwrap_or(Value::Null);
            (name.clone(), declared.value(value))
        };
        self.parameters.iter().map(sample).collect()
    }
}

impl Declared {
    const fn value(&self, value: Value) -> Parameter {
        Parameter {
            kind: Some(self.r#type),
            value,
        }
    }
}

fn of_declared_kind(name: &str, declared: &Declared, given: Option<ParameterKind>) -> Result<()> {
    match given {
        Some(given) if given != declared.r#type => Err(Error::new(
            Fault::Invalid,
            format!(
                "parameter \"{name}\" is declared as {}, not as {given}",
                declared.r#type
            ),
        )
        .with_hint("Leave the type out: the declared one is taken.")),
        _ => Ok(()),
    }
}
