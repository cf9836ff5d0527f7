//! Hard rules: what decides about a lead whatever its points are.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::Stage;

/// What holds whatever the points say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HardRule {
    field: String,
    op: Op,
    #[serde(default)]
    value: Value,
    pub verdict: Stage,
    pub because: String,
    /// points in place of those that were counted
    pub score: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    Missing,
}

impl HardRule {
    /// What is wrong with it: there must be something to compare with.
    pub fn check(&self) -> Result<(), String> {
        let (fits, needed) = match self.op {
            Op::Lt | Op::Le | Op::Gt | Op::Ge => (self.value.is_number(), "a number"),
            Op::In => (self.value.is_array(), "a list"),
            Op::Eq | Op::Ne => (!self.value.is_null(), "a value"),
            Op::Missing => (self.value.is_null(), "no value"),
        };
        if fits {
            return Ok(());
        }
        let field = &self.field;
        Err(format!("the hard rule about \"{field}\" needs {needed}"))
    }

    /// A field that is missing is neither equal nor different, less nor more.
    pub fn holds(&self, lead: &Map<String, Value>) -> bool {
        let value = lead.get(&self.field).unwrap_or(&Value::Null);
        if value.is_null() || self.op == Op::Missing {
            return value.is_null() && self.op == Op::Missing;
        }
        let order = match (value.as_f64(), self.value.as_f64()) {
            (Some(one), Some(other)) => one.partial_cmp(&other),
            _ => None,
        };
        let same = order.map_or_else(|| *value == self.value, |order| order.is_eq());
        match self.op {
            Op::Eq => same,
            Op::Ne => !same,
            Op::Lt => order.is_some_and(|order| order.is_lt()),
            Op::Le => order.is_some_and(|order| order.is_le()),
            Op::Gt => order.is_some_and(|order| order.is_gt()),
            Op::Ge => order.is_some_and(|order| order.is_ge()),
            Op::In => self
                .value
                .as_array()
                .is_some_and(|list| list.contains(value)),
            Op::Missing => false,
        }
    }
}
