//! A file of examples as it is written. What is in it is checked elsewhere, against a manifest.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::time::Timestamp;

/// One function, one configuration, and what comes of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Examples {
    pub(super) function: String,
    #[serde(default)]
    pub(super) settings: Map<String, Value>,
    #[serde(default)]
    pub(super) now: Timestamp,
    #[serde(default)]
    pub(super) rows: Vec<Example>,
    #[serde(default)]
    pub(super) groups: Vec<Group>,
    #[serde(default = "tolerance")]
    pub(super) tolerance: f64,
}

/// One row, and what must be said of it: a result, or an error that contains a text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Example {
    pub(super) args: Map<String, Value>,
    #[serde(default)]
    pub(super) expect: Value,
    pub(super) error: Option<String>,
}

/// The rows of one group, and the value of an aggregate over them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub(super) rows: Vec<Map<String, Value>>,
    #[serde(default)]
    pub(super) expect: Value,
}

const fn tolerance() -> f64 {
    1e-9
}

impl Examples {
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        serde_json::from_str(&text).map_err(|error| format!("no examples: {error}"))
    }
}
