//! The CHAMP questionnaire: challenges, authority, money, priority, each answered 0 to 3 by a
//! salesperson, or not yet. It deliberately knows no table: which columns hold the answers is
//! up to the query.

use tributary_sdk::prelude::*;

tributary_sdk::plugin! {
    name: "champ",
    version: "1.0.0",
    functions: [qualify, score],
}

/// Weights of the four answers, in percent. Integers, so that a lead on the threshold is on it
/// exactly and not a rounding error below.
const WEIGHTS: [i32; 4] = [30, 25, 25, 20];
/// The highest answer.
const ANSWER_MAX: i32 = 3;
/// Points from which a lead is a marketing qualified lead.
const MQL_POINTS: i32 = 60;
/// The share of the weights that must be answered before there is a score, in percent.
const COVERAGE_MIN: i32 = 60;

/// What becomes of the lead.
#[derive(Verdicts, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// hand over to sales
    Mql,
    /// keep warm
    Nurture,
    /// ask the open questions first
    NeedInfo,
    /// stop
    Reject,
}

/// Why it does.
#[derive(Reasons, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A hard rule: it holds however much is answered.
    #[reason("the contact has no authority to buy")]
    NoAuthority,
    /// Says nothing about the lead, only about the questionnaire.
    #[reason("too few questions are answered")]
    LowCoverage,
}

/// The numbers behind the verdict.
#[derive(Details, Debug, Clone, Copy, PartialEq)]
pub struct Findings {
    /// 0 to 100; unknown while too little is answered
    pub score: Option<i32>,
    /// the share of the weights that is answered, 0 to 1
    pub coverage: f64,
}

/// Qualifies a lead by its CHAMP answers, each 0 to 3 or NULL if unanswered.
#[rule]
pub fn qualify(
    challenges: Option<i32>,
    authority: Option<i32>,
    money: Option<i32>,
    priority: Option<i32>,
) -> Result<Decision<Stage, Why, Findings>, PluginFailure> {
    let answers = checked([challenges, authority, money, priority])?;
    let coverage = coverage(answers);
    let points = points(answers);
    let findings = Findings {
        score: points,
        coverage: f64::from(coverage) / 100.0,
    };
    Ok(match points {
        _ if authority == Some(0) => {
            Decision::new(Stage::Reject, findings).because(Why::NoAuthority)
        }
        None => Decision::new(Stage::NeedInfo, findings).because(Why::LowCoverage),
        Some(points) if points >= MQL_POINTS => Decision::new(Stage::Mql, findings),
        Some(_) => Decision::new(Stage::Nurture, findings),
    })
}

/// The CHAMP score alone, 0 to 100; NULL while too few questions are answered.
#[score(range = 0..=100)]
pub fn score(
    challenges: Option<i32>,
    authority: Option<i32>,
    money: Option<i32>,
    priority: Option<i32>,
) -> Result<Option<i32>, PluginFailure> {
    Ok(points(checked([challenges, authority, money, priority])?))
}

type Answers = [Option<i32>; 4];

/// An answer outside 0 to 3 is a fault in the data, so it ends the query instead of counting.
fn checked(answers: Answers) -> Result<Answers, PluginFailure> {
    match answers
        .into_iter()
        .flatten()
        .find(|answer| !(0..=ANSWER_MAX).contains(answer))
    {
        Some(answer) => Err(PluginFailure::new(format!(
            "answer {answer} is not 0 to {ANSWER_MAX}"
        ))),
        None => Ok(answers),
    }
}

/// The answered share of the weights, in percent.
fn coverage(answers: Answers) -> i32 {
    WEIGHTS
        .iter()
        .zip(answers)
        .filter(|(_, answer)| answer.is_some())
        .map(|(weight, _)| weight)
        .sum()
}

/// The weighted mean of the answers on a scale of 100, rounded half up.
fn points(answers: Answers) -> Option<i32> {
    let [_, authority, _, _] = answers;
    if authority == Some(0) {
        return Some(0);
    }
    let coverage = coverage(answers);
    if coverage < COVERAGE_MIN {
        return None;
    }
    let sum: i32 = WEIGHTS
        .iter()
        .zip(answers)
        .map(|(weight, answer)| weight * answer.unwrap_or(0))
        .sum();
    let whole = ANSWER_MAX * coverage;
    Some((2 * 100 * sum + whole) / (2 * whole))
}

#[cfg(test)]
mod tests {
    use super::{Stage, qualify, score};
    use serde_json::Value;
    use tributary_sdk::Verdicts;

    const VECTORS: &str = include_str!("../../../../tests/verify/plugins_vectors.json");

    fn answer(case: &Value, name: &str) -> Option<i32> {
        case["input"][name]
            .as_i64()
            .map(|answer| i32::try_from(answer).expect("a small number"))
    }

    #[test]
    fn agrees_with_every_vector() {
        let vectors: Value = serde_json::from_str(VECTORS).expect("vectors are JSON");
        for case in vectors["p1_champ"].as_array().expect("cases") {
            let [c, a, m, p] =
                ["challenges", "authority", "money", "priority"].map(|name| answer(case, name));
            let expected = &case["expected"];
            let decision = qualify(c, a, m, p).expect("valid answers");
            let points = expected["score"].as_i64().map(|points| points as i32);
            assert_eq!(decision.details.score, points, "{case}");
            assert_eq!(score(c, a, m, p), Ok(points), "{case}");
            assert_eq!(
                Stage::NAMES[usize::from(decision.verdict.code())],
                expected["label"],
                "{case}"
            );
            let reason = decision.reasons().first().copied().unwrap_or("OK");
            assert_eq!(reason, expected["reason"], "{case}");
            if let Some(coverage) = expected["coverage"].as_f64() {
                assert_eq!(decision.details.coverage, coverage, "{case}");
            }
        }
    }

    #[test]
    fn nothing_answered_needs_info() {
        let decision = qualify(None, None, None, None).expect("no answer is valid");
        assert_eq!(
            (decision.verdict, decision.details.score),
            (Stage::NeedInfo, None)
        );
    }

    #[test]
    fn answer_outside_the_scale_is_an_error() {
        assert_eq!(
            qualify(Some(4), None, None, None).unwrap_err().message(),
            "answer 4 is not 0 to 3"
        );
        assert!(score(Some(1), Some(0), Some(-1), None).is_err());
    }
}
