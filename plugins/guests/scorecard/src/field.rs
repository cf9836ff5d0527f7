//! One field of a lead: what its value is worth. It deliberately does not know the other fields, or what points are for.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use tributary_sdk::{Timestamp, clamp};

use crate::age;

/// One field of a lead and what it is worth. Its value counts as it is, or by `points`, or by `bins`, or by `age`. A list of
/// numbers counts as their sum.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    pub field: String,
    #[serde(default = "one")]
    pub weight: f64,
    pub group: Option<String>,
    /// the most that it can be worth, before its weight: needed for a scale
    pub out_of: Option<f64>,
    /// the values that it may have; others are refused
    allowed: Option<Bounds>,
    /// points by value
    points: Option<BTreeMap<String, f64>>,
    /// points by range of a number, each from its lower end to below its upper one
    #[serde(default)]
    bins: Vec<Bin>,
    /// points of a date, by how long ago it is
    age: Option<Age>,
    /// points where it is missing; without it, a missing field is unknown
    missing: Option<f64>,
    /// points of any other value
    #[serde(default)]
    other: f64,
    /// whether text counts in lower case, without blanks around it
    #[serde(default)]
    fold: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bin {
    lo: Option<f64>,
    hi: Option<f64>,
    points: f64,
}

/// Points that are worth less the longer ago it is.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Age {
    points: f64,
    /// days after which half of them are left; without it, all of them
    half_life_days: Option<f64>,
    /// days after which none are
    max_age_days: Option<f64>,
}

/// Both ends included.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    pub min: Option<f64>,
    pub max: Option<f64>,
}

const fn one() -> f64 {
    1.0
}

impl Field {
    /// What is wrong with it, as a phrase that follows its name.
    pub fn check(&self, has_scale: bool) -> Result<(), String> {
        let ways = [
            self.points.is_some(),
            !self.bins.is_empty(),
            self.age.is_some(),
        ];
        let wrong = |why: &str| Err(why.to_owned());
        if ways.iter().filter(|is_given| **is_given).count() > 1 {
            return wrong("has more than one of points, bins and age");
        }
        if has_scale && self.out_of.is_none_or(|most| most <= 0.0) {
            return wrong("needs out_of, since the card has a scale");
        }
        if self.weight < 0.0 {
            return wrong("has a negative weight");
        }
        if self.bins.iter().any(Bin::is_empty) {
            return wrong("has a bin that ends before it begins");
        }
        age::check(self.age.and_then(|age| age.half_life_days)).map_err(|why| format!("has {why}"))
    }

    /// What the field is worth, before its weight; nothing where it is unknown.
    pub fn points(
        &self,
        lead: &Map<String, Value>,
        as_of: Option<Timestamp>,
    ) -> Result<Option<f64>, String> {
        let value = match lead.get(&self.field) {
            None | Some(Value::Null) => return Ok(self.missing),
            Some(value) => value,
        };
        if let Some(points) = &self.points {
            let name = self.name(value);
            return Ok(Some(points.get(&name).copied().unwrap_or(self.other)));
        }
        if let Some(age) = &self.age {
            let no_time = || format!("\"{}\" is {value}, not a time", self.field);
            let at = age::instant(value).ok_or_else(no_time)?;
            let share = age::share(at, as_of, age.half_life_days, age.max_age_days)?;
            return Ok(Some(age.points * share));
        }
        let number = self.number(value)?;
        if self.bins.is_empty() {
            return Ok(Some(number));
        }
        let bin = self.bins.iter().find(|bin| bin.holds(number));
        Ok(Some(bin.map_or(self.other, |bin| bin.points)))
    }

    /// A number that the card allows.
    fn number(&self, value: &Value) -> Result<f64, String> {
        let number = match value {
            Value::Array(list) => list.iter().map(Value::as_f64).sum(),
            one => one.as_f64(),
        };
        let field = &self.field;
        let number = number.ok_or_else(|| format!("\"{field}\" is {value}, not a number"))?;
        match self.allowed {
            Some(allowed) if allowed.clamp(number) != number => Err(format!(
                "\"{field}\" is {number}, which the card does not allow"
            )),
            _ => Ok(number),
        }
    }

    /// A value as the card spells it.
    fn name(&self, value: &Value) -> String {
        match value {
            Value::String(text) if self.fold => text.trim().to_lowercase(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

impl Bin {
    fn is_empty(&self) -> bool {
        matches!((self.lo, self.hi), (Some(lo), Some(hi)) if lo >= hi)
    }

    fn holds(&self, number: f64) -> bool {
        self.lo.is_none_or(|lo| number >= lo) && self.hi.is_none_or(|hi| number < hi)
    }
}

impl Bounds {
    /// The points, or the bound that they exceed.
    pub fn clamp(self, points: f64) -> f64 {
        clamp(
            points,
            self.min.unwrap_or(f64::NEG_INFINITY),
            self.max.unwrap_or(f64::INFINITY),
        )
    }
}
