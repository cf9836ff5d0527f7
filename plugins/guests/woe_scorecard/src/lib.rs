//! A points scorecard: weights of evidence for industry, size and source of a lead, added up to a
//! logit, a probability, and points on the usual credit-score scale. It deliberately learns
//! nothing: the tables are the result of a fit, and a new fit is a new version.

use tributary_sdk::prelude::*;

tributary_sdk::plugin! {
    name: "woe_scorecard",
    version: "1.0.0",
    functions: [logit, probability, points, qualify],
}

const INTERCEPT: f64 = -1.2;
const INDUSTRY_WEIGHT: f64 = 0.9;
const EMPLOYEES_WEIGHT: f64 = 0.7;
const SOURCE_WEIGHT: f64 = 1.1;

/// 20 points double the odds; 600 points are odds of 50 to 1.
const FACTOR: f64 = 20.0 / std::f64::consts::LN_2;
const LN_50: f64 = 3.912_023_005_428_146;
const OFFSET: f64 = 600.0 - FACTOR * LN_50;

/// Probability from which a lead is a marketing qualified lead.
const MQL_PROBABILITY: f64 = 0.25;

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
pub fn points(industry: Option<&str>, employees: Option<i64>, source: Option<&str>) -> i32 {
    (OFFSET + FACTOR * logit(industry, employees, source) + 0.5).floor() as i32
}

/// Qualifies a lead whose probability of a sale is at least 25 percent.
#[rule]
pub fn qualify(
    industry: Option<&str>,
    employees: Option<i64>,
    source: Option<&str>,
) -> Decision<Stage, (), Findings> {
    let findings = Findings {
        p: probability(industry, employees, source),
        points: points(industry, employees, source),
    };
    let stage = if findings.p >= MQL_PROBABILITY {
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
    use super::{Stage, logit, points, probability, qualify};
    use serde_json::Value;
    use tributary_sdk::Verdicts;

    const VECTORS: &str = include_str!("../../../../tests/verify/plugins_vectors.json");

    #[test]
    fn agrees_with_every_vector() {
        let vectors: Value = serde_json::from_str(VECTORS).expect("vectors are JSON");
        for case in vectors["p4_scorecard"].as_array().expect("cases") {
            let (input, expected) = (&case["input"], &case["expected"]);
            let industry = input["industry"].as_str();
            let (employees, source) = (input["employees"].as_i64(), input["source"].as_str());
            let close = |value: f64, name: &str, tolerance: f64| {
                let expected = expected[name].as_f64().expect("a number");
                assert!(
                    (value - expected).abs() < tolerance,
                    "{name} {value}: {case}"
                );
            };
            close(logit(industry, employees, source), "logit", 1e-12);
            close(probability(industry, employees, source), "p", 1e-12);
            close(
                f64::from(points(industry, employees, source)),
                "score",
                1e-12,
            );
            let stage = qualify(industry, employees, source).verdict;
            assert_eq!(
                Stage::NAMES[usize::from(stage.code())],
                expected["label"],
                "{case}"
            );
        }
    }

    #[test]
    fn bins_include_their_lower_end() {
        let at = |employees| logit(None, Some(employees), None);
        assert_eq!(at(249), at(50));
        assert_ne!(at(250), at(249));
        assert_eq!(at(i64::MAX), at(250));
        assert_eq!(at(i64::MIN), logit(None, None, None));
    }
}
