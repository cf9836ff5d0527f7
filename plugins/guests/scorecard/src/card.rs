//! The card: what it may say, and what it says of a lead.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use tributary_sdk::{Timestamp, clamp};

use crate::Stage;
use crate::events::Events;

/// Points, hard rules and thresholds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Card {
    /// points of every lead
    base: f64,
    /// where given, points are a share of those that were possible, times this
    scale_to: Option<f64>,
    /// whether points are rounded, half up
    round: bool,
    /// the least points and the most
    min: Option<f64>,
    max: Option<f64>,
    /// the share of the weights that must be known before there are points
    coverage_min: f64,
    fields: Vec<Field>,
    events: Option<Events>,
    groups: BTreeMap<String, Bounds>,
    hard_rules: Vec<HardRule>,
    thresholds: Vec<Threshold>,
    /// the verdict where no threshold is reached
    pub otherwise: Stage,
    /// the verdict where too little is known
    pub incomplete: Stage,
}

impl Default for Card {
    fn default() -> Self {
        Self {
            base: 0.0,
            scale_to: None,
            round: false,
            min: None,
            max: None,
            coverage_min: 0.0,
            fields: Vec::new(),
            events: None,
            groups: BTreeMap::new(),
            hard_rules: Vec::new(),
            thresholds: Vec::new(),
            otherwise: Stage::Nurture,
            incomplete: Stage::NeedInfo,
        }
    }
}

/// One field of a lead and what it is worth. Its value counts as it is, or by `points`, or by `bins`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Field {
    field: String,
    #[serde(default = "one")]
    weight: f64,
    group: Option<String>,
    /// the most that it can be worth, before its weight: needed for a scale
    out_of: Option<f64>,
    /// the values that it may have; others are refused
    allowed: Option<Bounds>,
    /// points by value
    points: Option<BTreeMap<String, f64>>,
    /// points by range of a number, each from its lower end to below its upper one
    #[serde(default)]
    bins: Vec<Bin>,
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

/// Both ends included.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    min: Option<f64>,
    max: Option<f64>,
}

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

/// A verdict and what it takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Threshold {
    verdict: Stage,
    min: f64,
    /// least points of groups
    #[serde(default)]
    groups: BTreeMap<String, f64>,
}

/// What a lead comes to.
pub struct Tally {
    pub score: Option<f64>,
    pub coverage: f64,
    groups: BTreeMap<String, f64>,
}

/// Whether a threshold is reached.
pub enum Holding {
    Reached(Stage),
    None,
}

const fn one() -> f64 {
    1.0
}

impl Card {
    /// What is wrong with the card itself.
    pub fn check(&self) -> Result<(), String> {
        for field in &self.fields {
            let name = &field.field;
            if self.scale_to.is_some() && field.out_of.is_none_or(|most| most <= 0.0) {
                return Err(format!(
                    "field \"{name}\" needs out_of, since the card has a scale"
                ));
            }
            if field.points.is_some() && !field.bins.is_empty() {
                return Err(format!("field \"{name}\" has points and bins"));
            }
            if field.weight < 0.0 {
                return Err(format!("field \"{name}\" has a negative weight"));
            }
        }
        let known = |group: &String| {
            let events = self.events.iter().map(|events| &events.group);
            let mut groups = self.fields.iter().map(|field| &field.group).chain(events);
            groups.any(|known| known.as_ref() == Some(group))
        };
        let asked = self
            .thresholds
            .iter()
            .flat_map(|threshold| threshold.groups.keys());
        match self.groups.keys().chain(asked).find(|group| !known(group)) {
            Some(group) => Err(format!("no field is in group \"{group}\"")),
            None => Ok(()),
        }
    }

    /// Adds up what a lead is worth.
    pub fn tally(
        &self,
        lead: &Map<String, Value>,
        as_of: Option<Timestamp>,
    ) -> Result<Tally, String> {
        let (mut sum, mut possible) = (0.0, 0.0);
        let (mut known, mut weights) = (0.0, 0.0);
        let mut groups: BTreeMap<String, f64> = BTreeMap::new();
        let mut add = |group: Option<&String>, points: f64| match group {
            Some(group) => *groups.entry(group.clone()).or_default() += points,
            None => sum += points,
        };
        for field in &self.fields {
            weights += field.weight;
            let Some(points) = field.points(lead)? else {
                continue;
            };
            known += field.weight;
            possible += field.weight * field.out_of.unwrap_or_default();
            add(field.group.as_ref(), field.weight * points);
        }
        if let Some(events) = &self.events {
            add(events.group.as_ref(), events.points(lead, as_of)?);
        }
        for (group, points) in &mut groups {
            if let Some(bounds) = self.groups.get(group) {
                *points = bounds.clamp(*points);
            }
            sum += *points;
        }
        let coverage = match weights > 0.0 {
            true => known / weights,
            false => 1.0,
        };
        let enough = coverage >= self.coverage_min && (self.scale_to.is_none() || possible > 0.0);
        Ok(Tally {
            score: enough.then(|| self.finished(sum, possible)),
            coverage,
            groups,
        })
    }

    fn finished(&self, sum: f64, possible: f64) -> f64 {
        let points = match self.scale_to {
            Some(scale) => self.base + scale * sum / possible,
            None => self.base + sum,
        };
        let points = match self.round {
            true => (points + 0.5).floor(),
            false => points,
        };
        let bounds = Bounds {
            min: self.min,
            max: self.max,
        };
        bounds.clamp(points)
    }

    /// The first hard rule that holds.
    pub fn hard_rule(&self, lead: &Map<String, Value>) -> Option<&HardRule> {
        self.hard_rules.iter().find(|rule| rule.holds(lead))
    }

    /// The first threshold that is reached.
    pub fn threshold(&self, tally: &Tally) -> Holding {
        let Some(score) = tally.score else {
            return Holding::None;
        };
        let reached = |threshold: &&Threshold| {
            let of = |group: &String| tally.groups.get(group).copied().unwrap_or_default();
            score >= threshold.min
                && threshold
                    .groups
                    .iter()
                    .all(|(group, least)| of(group) >= *least)
        };
        match self.thresholds.iter().find(reached) {
            Some(threshold) => Holding::Reached(threshold.verdict),
            None => Holding::None,
        }
    }
}

impl Field {
    /// What the field is worth, before its weight; nothing where it is unknown.
    fn points(&self, lead: &Map<String, Value>) -> Result<Option<f64>, String> {
        let value = match lead.get(&self.field) {
            None | Some(Value::Null) => return Ok(self.missing),
            Some(value) => value,
        };
        if let Some(points) = &self.points {
            let name = self.name(value);
            return Ok(Some(points.get(&name).copied().unwrap_or(self.other)));
        }
        let number = value.as_f64();
        let number =
            number.ok_or_else(|| format!("\"{}\" is {value}, not a number", self.field))?;
        if let Some(allowed) = &self.allowed
            && allowed.clamp(number) != number
        {
            return Err(format!(
                "\"{}\" is {number}, which the card does not allow",
                self.field
            ));
        }
        if self.bins.is_empty() {
            return Ok(Some(number));
        }
        let bin = self.bins.iter().find(|bin| bin.holds(number));
        Ok(Some(bin.map_or(self.other, |bin| bin.points)))
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
    fn holds(&self, number: f64) -> bool {
        self.lo.is_none_or(|lo| number >= lo) && self.hi.is_none_or(|hi| number < hi)
    }
}

impl Bounds {
    fn clamp(self, points: f64) -> f64 {
        clamp(
            points,
            self.min.unwrap_or(f64::NEG_INFINITY),
            self.max.unwrap_or(f64::INFINITY),
        )
    }
}

impl HardRule {
    /// A field that is missing is neither equal nor different, less nor more.
    fn holds(&self, lead: &Map<String, Value>) -> bool {
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
