//! Which distributor a lead is worth most with: its chance there times its value and margin, less what it costs to handle.
//! It deliberately keeps no count of open leads: the distributors, with their load, are settings or an argument.

use serde::Deserialize;
use tributary_sdk::prelude::*;

tributary_sdk::plugin! {
    name: "ev_router",
    version: "1.0.0",
    config: Settings,
    functions: [route, expected_value],
}

/// Load from which a distributor takes no more leads.
const LOAD_MAX: f64 = 1.5;
/// Load from which leads wait for attention, and are won less often.
const LOAD_FREE: f64 = 0.8;

/// The distributors, and what a lead must be worth.
#[derive(Config, Debug)]
#[config(check = check)]
pub struct Settings {
    /// Every distributor: `[{"id": "D1", "territory": ["DE"], "lines": ["pump"], "capacity": 40, "open_leads": 20, "skill": 1.1, "margin": 0.32, "handling": 45}]`.
    #[config(default_json = "[]")]
    pub distributors: Json<Vec<Distributor>>,
    /// Expected value from which a lead is handed over.
    #[config(default = 250.0)]
    pub ev_min: f64,
}

/// A distributor, as far as it matters for a lead.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distributor {
    id: String,
    territory: Vec<String>,
    lines: Vec<String>,
    /// leads that it can work on; with 0 it gets none
    capacity: f64,
    open_leads: f64,
    /// its rate of winning, where 1 is the average
    skill: f64,
    /// share of the value that stays
    margin: f64,
    /// what a lead costs
    handling: f64,
}

fn check(settings: &Settings) -> Result<(), PluginFailure> {
    let wrong = settings
        .distributors
        .iter()
        .find(|one| !(one.capacity >= 0.0 && one.open_leads >= 0.0 && one.skill >= 0.0));
    match wrong {
        Some(one) => {
            let message = format!(
                "distributor \"{}\" has a negative capacity, load or skill",
                one.id
            );
            Err(PluginFailure::new(message))
        }
        None => Ok(()),
    }
}

/// What becomes of the lead.
#[derive(Verdicts, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// hand over to the distributor
    Dql,
    /// keep warm
    Nurture,
    /// nobody can take it
    Reject,
}

/// Why it does.
#[derive(Reasons, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It would cost more attention than it brings.
    #[reason(
        "its expected value is below the least that is handed over",
        code = "EV_BELOW_250"
    )]
    EvBelowMinimum,
    /// None has the territory, the product and the capacity.
    #[reason("no distributor has the territory, the product line and room for it")]
    NoEligibleDistributor,
}

/// Where the lead is worth most.
#[derive(Details, Debug, Clone, PartialEq)]
pub struct Findings {
    /// its expected value there
    pub score: Option<f64>,
    /// the distributor
    pub distributor: Option<String>,
    /// chance of a sale there
    pub p_win: Option<f64>,
}

/// Routes a lead to the distributor with the highest expected value, if that is high enough. `p` is the chance of a sale
/// with an average distributor.
#[rule]
pub fn route(
    settings: &Settings,
    country: &str,
    product: &str,
    p: f64,
    value: f64,
) -> Decision<Way, Why, Findings> {
    let mut best: Option<(f64, f64, &Distributor)> = None;
    for one in settings
        .distributors
        .iter()
        .filter(|one| one.takes(country, product))
    {
        let p_win = one.p_win(p);
        let ev = expected_value(p_win, value, one.margin, one.handling);
        let is_better =
            best.is_none_or(|(best, _, than)| ev > best || (ev == best && one.id < than.id));
        if is_better {
            best = Some((ev, p_win, one));
        }
    }
    let findings = Findings {
        score: best.map(|(ev, _, _)| ev),
        distributor: best.map(|(_, _, one)| one.id.clone()),
        p_win: best.map(|(_, p_win, _)| p_win),
    };
    match findings.score {
        None => Decision::new(Way::Reject, findings).because(Why::NoEligibleDistributor),
        Some(ev) if ev >= settings.ev_min => Decision::new(Way::Dql, findings),
        Some(_) => Decision::new(Way::Nurture, findings).because(Why::EvBelowMinimum),
    }
}

/// What a lead is worth: chance times value times margin, less the cost of handling it.
#[score]
pub fn expected_value(p: f64, value: f64, margin: f64, handling: f64) -> f64 {
    p * value * margin - handling
}

impl Distributor {
    fn takes(&self, country: &str, product: &str) -> bool {
        self.capacity > 0.0
            && self.load() < LOAD_MAX
            && self.territory.iter().any(|known| known == country)
            && self.lines.iter().any(|known| known == product)
    }

    fn load(&self) -> f64 {
        self.open_leads / self.capacity
    }

    /// The chance of a sale here: more with skill, less under load.
    fn p_win(&self, p: f64) -> f64 {
        min(
            1.0,
            p * self.skill / (1.0 + 2.0 * max(0.0, self.load() - LOAD_FREE)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Settings, Way, route};
    use serde_json::Value;
    use tributary_sdk::{Json, Verdicts};

    const VECTORS: &str = include_str!("../../../../tests/verify/plugins_vectors.json");

    #[test]
    fn agrees_with_every_vector() {
        let vectors: Value = serde_json::from_str(VECTORS).expect("vectors are JSON");
        let settings = Settings {
            distributors: Json(
                serde_json::from_value(vectors["p5_DS"].clone()).expect("distributors"),
            ),
            ev_min: 250.0,
        };
        for case in vectors["p5_ev_router"].as_array().expect("cases") {
            let (input, expected) = (&case["input"], &case["expected"]);
            let text = |name: &str| input[name].as_str().expect("text");
            let number = |name: &str| input[name].as_f64().expect("a number");
            let decision = route(
                &settings,
                text("country"),
                text("product"),
                number("p"),
                number("value"),
            );
            let close = |value: Option<f64>, name: &str| {
                let Some(expected) = expected[name].as_f64() else {
                    assert_eq!(value, None, "{name}: {case}");
                    return;
                };
                assert!(
                    (value.expect("a value") - expected).abs() < 1e-6,
                    "{name} {value:?}: {case}"
                );
            };
            close(decision.details.score, "ev");
            close(decision.details.p_win, "p_win");
            assert_eq!(
                decision.details.distributor.as_deref(),
                expected["distributor"].as_str()
            );
            assert_eq!(
                Way::NAMES[usize::from(decision.verdict.code())],
                expected["label"]
            );
            let reason = decision.reasons().first().copied().unwrap_or("OK");
            assert_eq!(reason, expected["reason"], "{case}");
        }
    }
}
