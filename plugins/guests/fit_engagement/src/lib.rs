//! Fit and engagement: how well a lead matches the customers one wants, and how much it has shown interest lately. Each
//! activity counts for less the older it is. It deliberately knows no clock: the time is an argument, so that a score of
//! last month can be computed again.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use tributary_sdk::prelude::*;

tributary_sdk::plugin! {
    name: "fit_engagement",
    version: "1.0.0",
    config: Settings,
    functions: [qualify, engagement, fit, decayed, weighted_mean],
}

/// Points, caps and thresholds; the defaults are common practice of marketing automation.
#[derive(Config, Debug)]
#[config(check = check)]
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
    /// Least fit of grade A.
    #[config(default = 30.0)]
    pub grade_a_fit: f64,
    /// Least fit of grade B; below it is grade C.
    #[config(default = 15.0)]
    pub grade_b_fit: f64,
    /// Least engagement of grade 1.
    #[config(default = 40.0)]
    pub grade_1_engagement: f64,
    /// Least engagement of grade 2; below it is grade 3.
    #[config(default = 15.0)]
    pub grade_2_engagement: f64,
}

fn check(settings: &Settings) -> Result<(), PluginFailure> {
    let wrong = |what: &str| Err(PluginFailure::new(format!("grade {what}")));
    match settings {
        one if one.grade_a_fit < one.grade_b_fit => wrong("A takes less fit than grade B"),
        one if one.grade_1_engagement < one.grade_2_engagement => {
            wrong("1 takes less engagement than grade 2")
        }
        _ => Ok(()),
    }
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

/// One activity: an object with `kind` and `at`, or the two in a list, `["form", "2024-06-01T12:00:00"]`.
#[derive(Deserialize)]
struct Activity<'c> {
    #[serde(borrow)]
    kind: Cow<'c, str>,
    #[serde(borrow)]
    at: Option<Cow<'c, str>>,
}

impl Activity<'_> {
    fn instant(&self) -> Result<Timestamp, PluginFailure> {
        let at = self.at.as_deref().unwrap_or_default();
        let message = || format!("activity \"{}\" has no time: \"{at}\"", self.kind);
        Timestamp::parse(at).ok_or_else(|| PluginFailure::new(message()))
    }
}

/// Qualifies a lead by its fit points, a list of numbers, and its activities up to `as_of`.
#[rule]
pub fn qualify(
    settings: &Settings,
    fit_points: Document<'_>,
    events: Option<Document<'_>>,
    as_of: Timestamp,
) -> Result<Decision<Stage, Why, Findings>, PluginFailure> {
    let points: Vec<f64> = fit_points
        .parse()
        .map_err(|failure| failure.of("fit_points"))?;
    let fit = fit(points.iter().sum());
    let engagement = match events {
        Some(events) => engagement(settings, events, as_of)?,
        None => 0.0,
    };
    let findings = Findings {
        score: fit + engagement,
        fit,
        engagement,
        grade: grade(settings, fit, engagement),
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
    let activities: Vec<Activity<'_>> = events.parse().map_err(|failure| failure.of("events"))?;
    let mut today: HashMap<(&str, Date), f64> = HashMap::new();
    let mut sum = 0.0;
    for activity in &activities {
        let kind = activity.kind.as_ref();
        let Some(points) = settings.points.get(kind) else {
            continue;
        };
        let at = activity.instant()?;
        // An activity that is yet to come is a clock that runs ahead: it counts as of now.
        let age_days = max(as_of.days_since(at), 0.0);
        if age_days > settings.forgotten_days {
            continue;
        }
        let mut points = *points;
        if let Some(cap) = settings.daily_caps.get(kind) {
            let had = today.entry((kind, at.date())).or_default();
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
fn grade(settings: &Settings, fit: f64, engagement: f64) -> String {
    let letter = match fit {
        fit if fit >= settings.grade_a_fit => 'A',
        fit if fit >= settings.grade_b_fit => 'B',
        _ => 'C',
    };
    let digit = match engagement {
        engagement if engagement >= settings.grade_1_engagement => '1',
        engagement if engagement >= settings.grade_2_engagement => '2',
        _ => '3',
    };
    [letter, digit].iter().collect()
}

#[cfg(test)]
mod tests {
    use super::{Settings, Stage, TRIBUTARY_PLUGIN, check, engagement, qualify};
    use serde_json::Value;
    use tributary_sdk::{Document, PluginFailure, Timestamp};

    const VECTORS: &str = include_str!("../../../../tests/verify/plugins_vectors.json");

    fn settings() -> Settings {
        tributary_sdk::testing::defaults().expect("every setting has a default")
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("an instant")
    }

    #[test]
    fn agrees_with_every_vector() {
        let vectors: Value = serde_json::from_str(VECTORS).expect("vectors are JSON");
        for case in vectors["p2_fit_engagement"].as_array().expect("cases") {
            let (input, expected) = (&case["input"], &case["expected"]);
            let as_of = at(input["as_of"].as_str().expect("a time"));
            let (points, events) = (input["fit_points"].to_string(), input["events"].to_string());
            let events = Some(Document(&events));
            let decision = qualify(&settings(), Document(&points), events, as_of);
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
    fn every_example_comes_out_as_it_should() {
        tributary_sdk::testing::fixtures(&TRIBUTARY_PLUGIN, "fixtures");
    }

    fn engaged(events: &str) -> Result<f64, PluginFailure> {
        engagement(&settings(), Document(events), at("2024-06-15T12:00"))
    }

    #[test]
    fn a_time_that_is_none_matters_only_where_it_counts() {
        assert_eq!(engaged(r#"[["alien", "soon"], ["alien", null]]"#), Ok(0.0));
        for (events, message) in [
            (
                r#"[["form", "soon"]]"#,
                "activity \"form\" has no time: \"soon\"",
            ),
            (
                r#"[{"kind": "form", "at": null}]"#,
                "activity \"form\" has no time: \"\"",
            ),
        ] {
            assert_eq!(engaged(events).unwrap_err().message(), message);
        }
        let error = engaged(r#"{"form": 1}"#).unwrap_err();
        assert!(
            error.message().starts_with("events: document does not fit"),
            "{error}"
        );
    }

    #[test]
    fn grades_are_in_order() {
        let wrong = Settings {
            grade_b_fit: 31.0,
            ..settings()
        };
        let error = check(&wrong).unwrap_err();
        assert_eq!(error.message(), "grade A takes less fit than grade B");
        let wrong = Settings {
            grade_2_engagement: 41.0,
            ..settings()
        };
        assert!(check(&wrong).is_err());
    }
}
