//! The card: what it may say, and what it says of a lead.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use tributary_sdk::Timestamp;

use crate::Stage;
use crate::events::Events;
use crate::field::{Bounds, Field};
use crate::hard_rule::HardRule;

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
    /// fields that are not known, and count nothing for that
    pub missing: Vec<String>,
    groups: BTreeMap<String, f64>,
}

impl Card {
    /// What is wrong with the card itself.
    pub fn check(&self) -> Result<(), String> {
        for field in &self.fields {
            let of_field = |why: String| format!("field \"{}\" {why}", field.field);
            field.check(self.scale_to.is_some()).map_err(of_field)?;
        }
        if let Some(events) = &self.events {
            events.check()?;
        }
        for rule in &self.hard_rules {
            rule.check()?;
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
        let mut missing = Vec::new();
        let mut groups: BTreeMap<String, f64> = BTreeMap::new();
        let mut add = |group: Option<&String>, points: f64| match group {
            Some(group) => *groups.entry(group.clone()).or_default() += points,
            None => sum += points,
        };
        for field in &self.fields {
            weights += field.weight;
            let Some(points) = field.points(lead, as_of)? else {
                missing.push(field.field.clone());
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
            missing,
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

    /// The verdict of the first threshold that is reached.
    pub fn threshold(&self, tally: &Tally) -> Option<Stage> {
        let score = tally.score?;
        let of = |group: &String| tally.groups.get(group).copied().unwrap_or_default();
        let reached = |threshold: &&Threshold| {
            let mut groups = threshold.groups.iter();
            score >= threshold.min && groups.all(|(group, least)| of(group) >= *least)
        };
        let threshold = self.thresholds.iter().find(reached)?;
        Some(threshold.verdict)
    }
}
