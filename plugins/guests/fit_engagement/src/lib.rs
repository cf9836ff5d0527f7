//! Fit and engagement: how well a lead matches the customers one wants, and how much it has shown interest lately. Each
//! activity counts for less the older it is. It deliberately knows no clock: the time is an argument, so that a score of
//! last month can be computed again.

use std::collections::HashMap;

use serde::Deserialize;
use tributary_sdk::prelude::*;

tributary_sdk::plugin! {
    name: "fit_engagement",
    version: "1.0.0",
    config: Settings,
    functions: [qualify, engagement, fit, decayed, weighted_mean],
}

const DAY_US: i64 = 86_400_000_000;

/// Points, caps and thresholds; the defaults are common practice of marketing automation.
#[derive(Config, Debug)]
pub struct Settings {
    /// Points of an activity, by its type; a type that is not listed counts nothing.
    #[config(
        default_json = r#"{"form": 50, "webinar": 10, "click": 5, "download": 5, "page": 1, "open": 1, "unsubscribe": -50, "bounce": -75}"#
    )]
    pub points: Json<HashMap<String, f64>>,
    /// Most points that activities of one type bring on one day, UTC, before they age.
    #[config(default_json = r#"{"page": 5, "open": 3, "click": 10}"#)]
    pub daily_caps: Json<HashMap<String, f64>>,
    /// Days after which an activity counts half.
    #[config(default = 30.0, min = 0.01)]
    pub half_life_days: f64,
    /// Days after which an activity counts nothing.
    #[config(default = 180.0, min = 0)]
    pub forgotten_days: f64,
    /// Least fit from which a lead can be qualified.
    #[config(default = 15.0)]
    pub mql_fit: f64,
    /// Least total from which a lead can be qualified.
    #[config(default = 50.0)]
    pub mql_total: f64,
}

/// What becomes of the lead.
#[derive(Verdicts, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// hand over to sales
    Mql,
    /// keep warm
    Nurture,
}

/// Why it does.
#[derive(Reasons, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Whatever it does, it is no customer one wants.
    #[reason("the lead does not fit well enough")]
    LowFit,
    /// It would fit, and shows little interest.
    #[reason("fit and engagement together are too low")]
    LowTotal,
}

/// The numbers behind the verdict.
#[derive(Details, Debug, Clone, PartialEq)]
pub struct Findings {
    /// fit and engagement together
    pub score: f64,
    /// -20 to 40
    pub fit: f64,
    /// -60 to 60
    pub engagement: f64,
    /// A to C for fit, 1 to 3 for engagement
    pub grade: String,
}

/// One activity: `["form", "2024-06-01T12:00:00"]`, or an object with `kind` and `at`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Event<'c> {
    Pair(&'c str, &'c str),
    Fields { kind: &'c str, at: &'c str },
}

/// Qualifies a lead by its fit points, a list of numbers, and its activities up to `as_of`.
#[rule]
pub fn qualify(
    settings: &Settings,
    fit_points: Document<'_>,
    events: Option<Document<'_>>,
    as_of: Timestamp,
) -> Result<Decision<Stage, Why, Findings>, PluginFailure> {
    let points: Vec<f64> = fit_points.parse()?;
    let fit = fit(points.iter().sum());
    let engagement = match events {
        Some(events) => engagement(settings, events, as_of)?,
        None => 0.0,
    };
    let findings = Findings {
        score: fit + engagement,
        fit,
        engagement,
        grade: grade(fit, engagement),
    };
    let (fits, total) = (
        fit >= settings.mql_fit,
        findings.score >= settings.mql_total,
    );
    let stage = if fits && total {
        Stage::Mql
    } else {
        Stage::Nurture
    };
    Ok(Decision::new(stage, findings)
        .because_if(!fits, Why::LowFit)
        .because_if(fits && !total, Why::LowTotal))
}

/// Engagement of a lead by its activities up to `as_of`, -60 to 60.
#[score(range = -60..=60)]
pub fn engagement(
    settings: &Settings,
    events: Document<'_>,
    as_of: Timestamp,
) -> Result<f64, PluginFailure> {
    let events: Vec<Event<'_>> = events.parse()?;
    let mut today: HashMap<(&str, i64), f64> = HashMap::new();
    let mut sum = 0.0;
    for event in &events {
        let (Event::Pair(kind, at) | Event::Fields { kind, at }) = event;
        let Some(points) = settings.points.get(*kind) else {
            continue;
        };
        let at = instant(at)
            .ok_or_else(|| PluginFailure::new(format!("activity at \"{at}\" has no such time")))?;
        // An activity that is yet to come is a clock that runs ahead: it counts as of now.
        let age_days = max(as_of.0 - at, 0) as f64 / DAY_US as f64;
        if age_days > settings.forgotten_days {
            continue;
        }
        let mut points = *points;
        if let Some(cap) = settings.daily_caps.get(*kind) {
            let had = today.entry((kind, at.div_euclid(DAY_US))).or_default();
            points = max(min(points, cap - *had), 0.0);
            *had += points;
        }
        sum += decayed(settings, points, age_days);
    }
    Ok(clamp(sum, -60.0, 60.0))
}

/// Fit of a lead by the sum of its fit points, -20 to 40.
#[score(range = -20..=40)]
pub fn fit(points: f64) -> f64 {
    clamp(points, -20.0, 40.0)
}

/// Points of an activity of this age: half of them after each half-life.
#[score]
pub fn decayed(settings: &Settings, points: f64, age_days: f64) -> f64 {
    points * (-age_days / settings.half_life_days).exp2()
}

/// The mean of values, each as heavy as its weight: of scores weighted with deal values, say. NULL without weight.
#[aggregate]
pub mod weighted_mean {
    use tributary_sdk::GroupState;

    /// Sums so far.
    #[derive(GroupState, Default, Clone, Debug, PartialEq)]
    pub struct State {
        /// of values times weights
        pub sum: f64,
        /// of weights
        pub weight: f64,
    }

    /// A row comes.
    #[inline]
    pub fn update(state: &mut State, value: f64, weight: f64) {
        state.sum += value * weight;
        state.weight += weight;
    }

    /// A row leaves.
    #[inline]
    pub fn retract(state: &mut State, value: f64, weight: f64) {
        state.sum -= value * weight;
        state.weight -= weight;
    }

    /// Rows that were summed elsewhere.
    pub fn merge(state: &mut State, other: &State) {
        state.sum += other.sum;
        state.weight += other.weight;
    }

    /// The mean.
    pub fn finish(state: &State) -> Option<f64> {
        (state.weight != 0.0).then(|| state.sum / state.weight)
    }
}

/// A letter for fit and a digit for engagement.
fn grade(fit: f64, engagement: f64) -> String {
    let letter = match fit {
        fit if fit >= 30.0 => 'A',
        fit if fit >= 15.0 => 'B',
        _ => 'C',
    };
    let digit = match engagement {
        engagement if engagement >= 40.0 => '1',
        engagement if engagement >= 15.0 => '2',
        _ => '3',
    };
    [letter, digit].iter().collect()
}

/// Microseconds since 1970 of `2024-06-01T12:00:00`, with a fraction and a `Z` or without.
fn instant(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (day, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00"));
    let mut parts = day.splitn(3, '-').map(str::parse::<i64>);
    let (year, month, day) = (
        parts.next()?.ok()?,
        parts.next()?.ok()?,
        parts.next()?.ok()?,
    );
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut parts = clock.splitn(3, ':').map(str::parse::<i64>);
    let (hour, minute) = (parts.next()?.ok()?, parts.next()?.ok()?);
    let second = parts.next().unwrap_or(Ok(0)).ok()?;
    let fits = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second)
        && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !fits {
        return None;
    }
    let micros = format!("{fraction:0<6}");
    let micros: i64 = micros.get(..6)?.parse().ok()?;
    let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Some(seconds * 1_000_000 + micros)
}

/// Days since 1970-01-01 of a day of the Gregorian calendar (Hinnant 2013, days_from_civil).
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::{Settings, Stage, days, fit, instant, qualify, weighted_mean};
    use serde_json::Value;
    use tributary_sdk::generated::Given;
    use tributary_sdk::{Config, Document, Timestamp};

    const VECTORS: &str = include_str!("../../../../tests/verify/plugins_vectors.json");

    fn settings() -> Settings {
        tributary_sdk::testing::defaults().expect("every setting has a default")
    }

    #[test]
    fn agrees_with_every_vector() {
        let vectors: Value = serde_json::from_str(VECTORS).expect("vectors are JSON");
        for case in vectors["p2_fit_engagement"].as_array().expect("cases") {
            let (input, expected) = (&case["input"], &case["expected"]);
            let as_of = input["as_of"].as_str().and_then(instant).expect("a time");
            let (points, events) = (input["fit_points"].to_string(), input["events"].to_string());
            let decision = qualify(
                &settings(),
                Document(&points),
                Some(Document(&events)),
                Timestamp(as_of),
            );
            let decision = decision.expect("valid input");
            let close = |value: f64, name: &str| {
                let expected = expected[name].as_f64().expect("a number");
                assert!((value - expected).abs() < 1e-5, "{name} {value}: {case}");
            };
            close(decision.details.fit, "fit");
            close(decision.details.engagement, "engagement");
            close(decision.details.score, "total");
            assert_eq!(decision.details.grade, expected["grade"], "{case}");
            assert_eq!(decision.verdict == Stage::Mql, expected["mql"], "{case}");
        }
    }

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2000, 3, 1), 11_017);
        assert_eq!(instant("1970-01-02"), Some(86_400_000_000));
        assert_eq!(instant("1970-01-01T00:00:01.25Z"), Some(1_250_000));
        assert_eq!(instant("soon"), None);
        assert_eq!(instant("2024-13-01"), None);
    }

    #[test]
    fn a_mean_survives_what_windows_do() {
        let mut state = weighted_mean::State::default();
        assert_eq!(weighted_mean::finish(&state), None);
        weighted_mean::update(&mut state, 10.0, 1.0);
        weighted_mean::update(&mut state, 20.0, 3.0);
        assert_eq!(weighted_mean::finish(&state), Some(17.5));
        weighted_mean::retract(&mut state, 10.0, 1.0);
        assert_eq!(weighted_mean::finish(&state), Some(20.0));
        assert_eq!(fit(99.0), 40.0);
    }

    #[test]
    fn settings_need_nothing() {
        assert!(Settings::keys().iter().all(|key| !key.required));
        assert!(Settings::fill(&mut Given::new(Vec::new())).is_err());
    }
}
