//! Age: what is left of points some days later. Knows no clock: what counts as today comes with the lead.

use serde_json::Value;
use tributary_sdk::{Timestamp, max};

/// A time as a document spells it.
pub fn instant(value: &Value) -> Option<Timestamp> {
    Timestamp::parse(value.as_str()?)
}

/// The share that is left: half of it after each half-life, nothing after the last day. What is yet to come is a clock
/// that runs ahead, and counts as of now.
pub fn share(
    at: Timestamp,
    as_of: Option<Timestamp>,
    half_life_days: Option<f64>,
    max_age_days: Option<f64>,
) -> Result<f64, String> {
    let as_of = as_of.ok_or("the card counts by age, so as_of is needed")?;
    let age_days = max(as_of.days_since(at), 0.0);
    Ok(match (half_life_days, max_age_days) {
        (_, Some(most)) if age_days > most => 0.0,
        (Some(half_life), _) => (-age_days / half_life).exp2(),
        (None, _) => 1.0,
    })
}

/// Whether it is a half-life.
pub fn check(half_life_days: Option<f64>) -> Result<(), String> {
    match half_life_days {
        Some(days) if days <= 0.0 => Err(format!("a half-life of {days} days")),
        _ => Ok(()),
    }
}
