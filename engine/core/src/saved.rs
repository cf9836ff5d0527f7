//! What a manufacturer saves in the database besides rows: views that SQL reads like tables, queries with names, and
//! metrics of its own.
//!
//! Nothing is ever overwritten: a change is the next version, and so is a deletion.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::engine::Principal;
use crate::fault::{Error, Fault, Result};
use crate::manufacturer::ManufacturerId;
use crate::metric::{Direction, Measure, MetricKind};
use crate::parameter::{Parameter, ParameterKind, Parameters, Value};

/// What is saved under a name. Each kind has names of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SavedKind {
    /// A SELECT that SQL reads like a table.
    View,
    /// A SELECT with declared parameters, run by its name.
    Query,
    /// A SELECT of dated rows that belong to distributors, and how they are read.
    Metric,
}

impl SavedKind {
    /// The word for one of them.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Query => "query",
            Self::Metric => "metric",
        }
    }

    /// The kind of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut kinds = [Self::View, Self::Query, Self::Metric].into_iter();
        kinds.find(|kind| kind.name() == name)
    }
}

impl fmt::Display for SavedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a client says of a view, a query or a metric.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Definition {
    /// One SELECT.
    pub sql: String,
    /// What it is for, in words.
    pub description: String,
    /// The parameters of a query, by the name of their placeholder.
    pub parameters: BTreeMap<String, Declared>,
    /// How a metric is read; nothing else has it.
    pub measure: Option<Measure>,
}

/// A definition as JSON says it, on one level.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    sql: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    parameters: BTreeMap<String, Declared>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<MetricKind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    direction: Option<Direction>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    maturity_days: Option<u16>,
}

impl TryFrom<Written> for Definition {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        Ok(Self {
            sql: written.sql,
            description: written.description,
            parameters: written.parameters,
            measure: measure(written.kind, written.direction, written.maturity_days)?,
        })
    }
}

impl From<Definition> for Written {
    fn from(definition: Definition) -> Self {
        let measure = definition.measure;
        Self {
            sql: definition.sql,
            description: definition.description,
            parameters: definition.parameters,
            kind: measure.map(|measure| measure.kind),
            direction: measure.map(|measure| measure.direction),
            maturity_days: measure.map(|measure| measure.maturity_days),
        }
    }
}

fn measure(
    kind: Option<MetricKind>,
    direction: Option<Direction>,
    maturity_days: Option<u16>,
) -> Result<Option<Measure>, &'static str> {
    match (kind, direction, maturity_days) {
        (Some(kind), Some(direction), days) => Ok(Some(Measure {
            kind,
            direction,
            maturity_days: days.unwrap_or_default(),
        })),
        (None, None, None) => Ok(None),
        _ => Err(
            "a metric has `kind` and `direction`, and `maturity_days` beside them; nothing else has any",
        ),
    }
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

/// One version of a view, a query or a metric.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Flat", into = "Flat")]
pub struct Saved {
    /// Its name.
    pub name: String,
    /// Counts from 1; a shipped metric is version 0.
    pub version: u64,
    /// What it is; what it was, where this version deletes it.
    pub definition: Definition,
    /// When this version was made, RFC 3339; what is shipped was never saved.
    pub saved_at: Option<String>,
    /// Whether it is the latest version; a shipped metric is, unless another of its name replaces it.
    pub is_current: bool,
    /// Whether this version is a deletion.
    pub is_deleted: bool,
    /// Whether it is a metric that every manufacturer has.
    pub is_shipped: bool,
}

impl Saved {
    /// Whether it is the latest version, and not a deletion.
    #[must_use]
    pub const fn is_in_force(&self) -> bool {
        self.is_current && !self.is_deleted
    }
}

/// A version as JSON says it, on one level.
#[derive(Serialize, Deserialize)]
struct Flat {
    name: String,
    version: u64,
    sql: String,
    description: String,
    parameters: BTreeMap<String, Declared>,
    #[serde(flatten)]
    measure: Option<Measure>,
    saved_at: Option<String>,
    is_current: bool,
    is_deleted: bool,
    /// Said of metrics only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    is_shipped: Option<bool>,
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
                measure: flat.measure,
            },
            saved_at: flat.saved_at,
            is_current: flat.is_current,
            is_deleted: flat.is_deleted,
            is_shipped: flat.is_shipped.unwrap_or_default(),
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
            measure: saved.definition.measure,
            saved_at: saved.saved_at,
            is_current: saved.is_current,
            is_deleted: saved.is_deleted,
            is_shipped: saved.definition.measure.map(|_| saved.is_shipped),
        }
    }
}

/// A view, a query or a metric to save.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Save {
    /// Who saves.
    pub principal: Principal,
    /// Whose it is.
    pub manufacturer: ManufacturerId,
    /// View, query or metric.
    pub kind: SavedKind,
    /// Its name.
    pub name: String,
    /// What it is to be.
    pub definition: Definition,
}

/// One view, query or metric by its name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Named {
    /// Who asks.
    pub principal: Principal,
    /// Whose it is.
    pub manufacturer: ManufacturerId,
    /// View, query or metric.
    pub kind: SavedKind,
    /// Its name.
    pub name: String,
    /// An older version; the one in force where absent.
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
