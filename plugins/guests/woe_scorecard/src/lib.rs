//! A points scorecard: weights of evidence for industry, size and source of a lead, added up to a
//! logit, a probability, and points on the usual credit-score scale. It deliberately learns
//! nothing: the tables are the result of a fit, and a new fit is a new version. What is decided
//! from it, and on which scale it is shown, are settings.

use tributary_sdk::prelude::*;

tributary_sdk::plugin! {
    name: "woe_scorecard",
    version: "1.0.0",
    config: Settings,
    functions: [logit, probability, points, qualify],
}

const INTERCEPT: f64 = -1.2;
const INDUSTRY_WEIGHT: f64 = 0.9;
const EMPLOYEES_WEIGHT: f64 = 0.7;
const SOURCE_WEIGHT: f64 = 1.1;

/// The scale of the points, and where a lead is good enough.
#[derive(Config, Debug, Clone)]
pub struct Settings {
    /// Probability from which a lead is a marketing qualified lead.
    #[config(default = 0.25, min = 0, max = 1)]
    pub mql_probability: f64,
    /// Points that double the odds.
    #[config(default = 20.0, min = 0.001)]
    pub points_to_double: f64,
    /// Points at the odds below.
    #[config(default = 600.0)]
    pub base_points: f64,
    /// Odds, to one, that those points stand for.
    #[config(default = 50.0, min = 0.000001)]
    pub base_odds: f64,
}

impl Settings {
    /// Points of log odds, rounded half up.
    fn points(&self, logit: f64) -> i32 {
        let factor = self.points_to_double / std::f64::consts::LN_2;
        let offset = self.base_points - factor * self.base_odds.ln();
        (offset + factor * logit + 0.5).floor() as i32
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

/// The numbers behind the verdict.
#[derive(Details, Debug, Clone, Copy, PartialEq)]
pub struct Findings {
    /// probability of a sale
    pub p: f64,
    /// the same as points
    pub points: i32,
}

/// Log odds that the lead becomes a sale.
#[score]
pub fn logit(industry: Option<&str>, employees: Option<i64>, source: Option<&str>) -> f64 {
    INTERCEPT
        + INDUSTRY_WEIGHT * industry_evidence(industry)
        + EMPLOYEES_WEIGHT * employees_evidence(employees)
        + SOURCE_WEIGHT * source_evidence(source)
}

/// Probability that the lead becomes a sale.
#[score(range = 0..=1)]
pub fn probability(industry: Option<&str>, employees: Option<i64>, source: Option<&str>) -> f64 {
    1.0 / (1.0 + (-logit(industry, employees, source)).exp())
}

/// Points of the lead: 20 more double the odds, 600 are odds of 50 to 1.
#[score]
pub fn points(
    settings: &Settings,
    industry: Option<&str>,
    employees: Option<i64>,
    source: Option<&str>,
) -> i32 {
    settings.points(logit(industry, employees, source))
}

/// Qualifies a lead whose probability of a sale is high enough: 25 percent, unless set otherwise.
#[rule]
pub fn qualify(
    settings: &Settings,
    industry: Option<&str>,
    employees: Option<i64>,
    source: Option<&str>,
) -> Decision<Stage, (), Findings> {
    let findings = Findings {
        p: probability(industry, employees, source),
        points: points(settings, industry, employees, source),
    };
    let stage = if findings.p >= settings.mql_probability {
        Stage::Mql
    } else {
        Stage::Nurture
    };
    Decision::new(stage, findings)
}

/// Missing is a bin of its own; an industry the fit has not seen is "other".
fn industry_evidence(industry: Option<&str>) -> f64 {
    match industry {
        None => -0.20,
        Some("metal") => 0.55,
        Some("automotive") => 0.42,
        Some("energy") => 0.31,
        Some("pharma") => 0.24,
        Some("chemicals") => 0.12,
        Some("construction") => -0.22,
        Some("food") => -0.30,
        Some(_) => -0.10,
    }
}

/// Bins include their lower end. A negative number of employees is a missing one.
fn employees_evidence(employees: Option<i64>) -> f64 {
    match employees {
        Some(250..) => 0.25,
        Some(50..) => 0.44,
        Some(0..) => -0.35,
        Some(_) | None => -0.30,
    }
}

/// Missing is a bin of its own; a source the fit has not seen is "other".
fn source_evidence(source: Option<&str>) -> f64 {
    match source {
        None => -0.25,
        Some("referral") => 0.90,
        Some("partner") => 0.52,
        Some("webinar") => 0.21,
        Some("tradeshow") => 0.18,
        Some("web") => -0.07,
        Some("list") => -0.70,
        Some(_) => -0.15,
    }
}

#[cfg(test)]
mod tests {
    use super::{Settings, Stage, TRIBUTARY_PLUGIN, logit, points, probability, qualify};
    use serde_json::Value;
    use tributary_sdk::Verdicts;

    const VECTORS: &str = include_str!("../../../../tests/verify/plugins_vectors.json");

    fn settings() -> Settings {
        tributary_sdk::testing::defaults().expect("every setting has a default")
    }

    #[test]
    fn agrees_with_every_vector() {
        let (vectors, settings): (Value, Settings) = (
            serde_json::from_str(VECTORS).expect("vectors are JSON"),
            settings(),
        );
        for case in vectors["p4_scorecard"].as_array().expect("cases") {
            let (input, expected) = (&case["input"], &case["expected"]);
            let industry = input["industry"].as_str();
            let (employees, source) = (input["employees"].as_i64(), input["source"].as_str());
            let close = |value: f64, name: &str| {
                let expected = expected[name].as_f64().expect("a number");
                assert!((value - expected).abs() < 1e-12, "{name} {value}: {case}");
            };
            close(logit(industry, employees, source), "logit");
            close(probability(industry, employees, source), "p");
            let points = points(&settings, industry, employees, source);
            close(f64::from(points), "score");
            let stage = qualify(&settings, industry, employees, source).verdict;
            let verdict = Stage::NAMES[usize::from(stage.code())];
            assert_eq!(verdict, expected["label"], "{case}");
        }
    }

    #[test]
    fn every_example_comes_out_as_it_should() {
        tributary_sdk::testing::fixtures(&TRIBUTARY_PLUGIN, "fixtures");
    }

    #[test]
    fn bins_include_their_lower_end() {
        let at = |employees| logit(None, Some(employees), None);
        assert_eq!(at(249), at(50));
        assert_ne!(at(250), at(249));
        assert_eq!(at(i64::MAX), at(250));
        assert_eq!(at(i64::MIN), logit(None, None, None));
    }

    #[test]
    fn points_follow_their_scale() {
        let even = Settings {
            base_points: 500.0,
            base_odds: 1.0,
            points_to_double: 50.0,
            ..settings()
        };
        assert_eq!(even.points(0.0), 500);
        assert_eq!(even.points(2_f64.ln()), 550);
        assert_eq!(even.points(-(4_f64.ln())), 400);
        // However far out, a number.
        assert_eq!(even.points(1e300), i32::MAX);
        assert_eq!(even.points(-1e300), i32::MIN);
    }
}
