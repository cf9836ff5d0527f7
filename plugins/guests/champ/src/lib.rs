//! The CHAMP questionnaire: challenges, authority, money, priority, each answered 0 to 3 by a
//! salesperson, or not yet. It deliberately knows no table: which columns hold the answers is
//! up to the query.

use tributary_sdk::prelude::*;

tributary_sdk::plugin! {
    name: "champ",
    version: "1.0.0",
    config: Settings,
    functions: [qualify, score],
}

/// The highest answer.
const ANSWER_MAX: i64 = 3;

/// Weights and thresholds. Integers, so that a lead on the threshold is on it exactly and not a rounding error below.
#[derive(Config, Debug)]
#[config(check = check)]
pub struct Settings {
    /// Weight of the answer about challenges, in percent.
    #[config(default = 30, min = 0, max = 100)]
    pub challenges: i64,
    /// Weight of the answer about authority, in percent.
    #[config(default = 25, min = 0, max = 100)]
    pub authority: i64,
    /// Weight of the answer about money, in percent.
    #[config(default = 25, min = 0, max = 100)]
    pub money: i64,
    /// Weight of the answer about priority, in percent.
    #[config(default = 20, min = 0, max = 100)]
    pub priority: i64,
    /// Points from which a lead is a marketing qualified lead.
    #[config(default = 60, min = 0, max = 100)]
    pub mql_points: i64,
    /// Share of the weights that must be answered before there is a score, in percent.
    #[config(default = 60, min = 0, max = 100)]
    pub coverage_min: i64,
}

impl Settings {
    const fn weights(&self) -> [i64; 4] {
        [self.challenges, self.authority, self.money, self.priority]
    }
}

fn check(settings: &Settings) -> Result<(), PluginFailure> {
    match settings.weights().iter().sum() {
        100 => Ok(()),
        sum => Err(PluginFailure::new(format!(
            "the weights add up to {sum}, not to 100"
        ))),
    }
}

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
    settings: &Settings,
    challenges: Option<i32>,
    authority: Option<i32>,
    money: Option<i32>,
    priority: Option<i32>,
) -> Result<Decision<Stage, Why, Findings>, PluginFailure> {
    let answers = checked([challenges, authority, money, priority])?;
    let coverage = coverage(settings, answers);
    let points = points(settings, answers);
    let findings = Findings {
        score: points,
        coverage: coverage as f64 / 100.0,
    };
    Ok(match points {
        _ if authority == Some(0) => {
            Decision::new(Stage::Reject, findings).because(Why::NoAuthority)
        }
        None => Decision::new(Stage::NeedInfo, findings).because(Why::LowCoverage),
        Some(points) if i64::from(points) >= settings.mql_points => {
            Decision::new(Stage::Mql, findings)
        }
        Some(_) => Decision::new(Stage::Nurture, findings),
    })
}

/// The CHAMP score alone, 0 to 100; NULL while too few questions are answered.
#[score(range = 0..=100)]
pub fn score(
    settings: &Settings,
    challenges: Option<i32>,
    authority: Option<i32>,
    money: Option<i32>,
    priority: Option<i32>,
) -> Result<Option<i32>, PluginFailure> {
    let answers = checked([challenges, authority, money, priority])?;
    Ok(points(settings, answers))
}

type Answers = [Option<i32>; 4];

/// An answer outside 0 to 3 is a fault in the data, so it ends the query instead of counting.
fn checked(answers: Answers) -> Result<Answers, PluginFailure> {
    match answers
        .into_iter()
        .flatten()
        .find(|answer| !(0..=ANSWER_MAX).contains(&i64::from(*answer)))
    {
        Some(answer) => Err(PluginFailure::new(format!(
            "answer {answer} is not 0 to {ANSWER_MAX}"
        ))),
        None => Ok(answers),
    }
}

/// The answered share of the weights, in percent.
fn coverage(settings: &Settings, answers: Answers) -> i64 {
    let weights = settings.weights().into_iter().zip(answers);
    weights
        .filter(|(_, answer)| answer.is_some())
        .map(|(weight, _)| weight)
        .sum()
}

/// The weighted mean of the answers on a scale of 100, rounded half up.
fn points(settings: &Settings, answers: Answers) -> Option<i32> {
    let [_, authority, _, _] = answers;
    if authority == Some(0) {
        return Some(0);
    }
    let coverage = coverage(settings, answers);
    if coverage == 0 || coverage < settings.coverage_min {
        return None;
    }
    let weights = settings.weights().into_iter().zip(answers);
    let sum: i64 = weights
        .map(|(weight, answer)| weight * i64::from(answer.unwrap_or(0)))
        .sum();
    let whole = ANSWER_MAX * coverage;
    // At most 100.
    Some(((2 * 100 * sum + whole) / (2 * whole)) as i32)
}

#[cfg(test)]
mod tests {
    use super::{Settings, Stage, TRIBUTARY_PLUGIN, check, qualify, score};
    use serde_json::Value;
    use tributary_sdk::Verdicts;

    const VECTORS: &str = include_str!("../../../../tests/verify/plugins_vectors.json");

    fn settings() -> Settings {
        tributary_sdk::testing::defaults().expect("every setting has a default")
    }

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
            let decision = qualify(&settings(), c, a, m, p).expect("valid answers");
            let points = expected["score"].as_i64().map(|points| points as i32);
            assert_eq!(decision.details.score, points, "{case}");
            assert_eq!(score(&settings(), c, a, m, p), Ok(points), "{case}");
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
    fn every_example_comes_out_as_it_should() {
        tributary_sdk::testing::fixtures(&TRIBUTARY_PLUGIN, "fixtures");
    }

    #[test]
    fn weights_that_are_no_whole_are_refused() {
        let wrong = Settings {
            money: 26,
            ..settings()
        };
        let error = check(&wrong).unwrap_err();
        assert_eq!(error.message(), "the weights add up to 101, not to 100");
    }

    /// With no coverage asked for, a lead without answers still has no score.
    #[test]
    fn nothing_answered_is_no_score() {
        let settings = Settings {
            coverage_min: 0,
            ..settings()
        };
        assert_eq!(score(&settings, None, None, None, None), Ok(None));
        assert_eq!(score(&settings, Some(3), None, None, None), Ok(Some(100)));
    }
}
