//! Activities of a lead: points by kind, capped for each day, worth less the older they are.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::{Map, Value};
use tributary_sdk::{Date, Timestamp, max, min};

use crate::age;

/// What activities are worth.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// the field with the list: pairs of kind and time, or objects with `kind` and `at`
    field: String,
    pub group: Option<String>,
    /// points by kind; others count nothing
    points: BTreeMap<String, f64>,
    /// most points of a kind on one day, UTC
    #[serde(default)]
    daily_caps: BTreeMap<String, f64>,
    /// days after which an activity counts half; without it, it stays as it is
    half_life_days: Option<f64>,
    /// days after which it counts nothing
    max_age_days: Option<f64>,
}

impl Events {
    /// What is wrong with them, if anything.
    pub fn check(&self) -> Result<(), String> {
        age::check(self.half_life_days).map_err(|why| format!("events: {why}"))
    }

    /// Points of all activities up to `as_of`.
    pub fn points(
        &self,
        lead: &Map<String, Value>,
        as_of: Option<Timestamp>,
    ) -> Result<f64, String> {
        let list = match lead.get(&self.field) {
            None | Some(Value::Null) => return Ok(0.0),
            Some(list) => list
                .as_array()
                .ok_or_else(|| format!("\"{}\" is no list", self.field))?,
        };
        let mut today: HashMap<(&str, Date), f64> = HashMap::new();
        let mut sum = 0.0;
        for event in list {
            let (kind, at) = read(event).ok_or_else(|| format!("{event} is no activity"))?;
            let Some(points) = self.points.get(kind) else {
                continue;
            };
            let at = age::instant(at).ok_or_else(|| format!("{event} has no time"))?;
            let share = age::share(at, as_of, self.half_life_days, self.max_age_days)?;
            if share == 0.0 {
                continue;
            }
            let mut points = *points;
            if let Some(cap) = self.daily_caps.get(kind) {
                let had = today.entry((kind, at.date())).or_default();
                points = max(min(points, cap - *had), 0.0);
                *had += points;
            }
            sum += points * share;
        }
        Ok(sum)
    }
}

/// Kind and time of an activity.
fn read(event: &Value) -> Option<(&str, &Value)> {
    let (kind, at) = match event {
        Value::Array(pair) => (pair.first()?, pair.get(1)?),
        other => (other.get("kind")?, other.get("at")?),
    };
    Some((kind.as_str()?, at))
}
