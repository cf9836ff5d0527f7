//! Activities of a lead: points by kind, capped for each day, worth less the older they are.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::{Map, Value};
use tributary_sdk::{Timestamp, max, min};

const DAY_US: i64 = 86_400_000_000;

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
        let as_of = as_of.ok_or("activities are aged, so as_of is needed")?;
        let mut today: HashMap<(&str, i64), f64> = HashMap::new();
        let mut sum = 0.0;
        for event in list {
            let (kind, at) = read(event).ok_or_else(|| format!("{event} is no activity"))?;
            let Some(points) = self.points.get(kind) else {
                continue;
            };
            // An activity that is yet to come is a clock that runs ahead: it counts as of now.
            let age_days = max(as_of.0 - at, 0) as f64 / DAY_US as f64;
            if self.max_age_days.is_some_and(|most| age_days > most) {
                continue;
            }
            let mut points = *points;
            if let Some(cap) = self.daily_caps.get(kind) {
                let had = today.entry((kind, at.div_euclid(DAY_US))).or_default();
                points = max(min(points, cap - *had), 0.0);
                *had += points;
            }
            sum += match self.half_life_days {
                Some(half_life) => points * (-age_days / half_life).exp2(),
                None => points,
            };
        }
        Ok(sum)
    }
}

/// Kind and time of an activity.
fn read(event: &Value) -> Option<(&str, i64)> {
    let (kind, at) = match event {
        Value::Array(pair) => (pair.first()?, pair.get(1)?),
        other => (other.get("kind")?, other.get("at")?),
    };
    Some((kind.as_str()?, instant(at.as_str()?)?))
}

/// Microseconds since 1970 of `2024-06-01T12:00:00`, with a `Z` or without; a day alone is its first instant.
fn instant(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (day, time) = text.split_once(['T', ' ']).unwrap_or((text, "0:0:0"));
    let time = time.split('.').next()?;
    let [year, month, day] = numbers(day, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days of the Gregorian calendar (Hinnant 2013, days_from_civil).
    let years = if month <= 2 { year - 1 } else { year };
    let era = years.div_euclid(400);
    let of_era = years - era * 400;
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000)
}

fn numbers(text: &str, by: char) -> Option<[i64; 3]> {
    let parts: Option<Vec<i64>> = text.split(by).map(|part| part.parse().ok()).collect();
    parts?.try_into().ok()
}
