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
    /// Load, which is open leads by capacity, from which a distributor takes no more leads.
    #[config(default = 1.5, min = 0)]
    pub load_max: f64,
    /// Load from which leads wait for attention, and are won less often.
    #[config(default = 0.8, min = 0)]
    pub load_free: f64,
    /// How much less often: the chance is divided by 1 and this for each whole load beyond.
    #[config(default = 2.0, min = 0)]
    pub load_penalty: f64,
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
) -> Result<Decision<Way, Why, Findings>, PluginFailure> {
    if !(0.0..=1.0).contains(&p) {
        return Err(PluginFailure::new(format!("p is {p}, not 0 to 1")));
    }
    if !value.is_finite() {
        return Err(PluginFailure::new(format!("value is {value}")));
    }
    let mut best: Option<(f64, f64, &Distributor)> = None;
    for one in settings
        .distributors
        .iter()
        .filter(|one| settings.takes(one, country, product))
    {
        let p_win = settings.p_win(one, p);
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
    Ok(match findings.score {
        None => Decision::new(Way::Reject, findings).because(Why::NoEligibleDistributor),
        Some(ev) if ev >= settings.ev_min => Decision::new(Way::Dql, findings),
        Some(_) => Decision::new(Way::Nurture, findings).because(Why::EvBelowMinimum),
    })
}

/// What a lead is worth: chance times value times margin, less the cost of handling it.
#[score]
pub fn expected_value(p: f64, value: f64, margin: f64, handling: f64) -> f64 {
    p * value * margin - handling
}

impl Settings {
    fn takes(&self, one: &Distributor, country: &str, product: &str) -> bool {
        one.capacity > 0.0
            && one.load() < self.load_max
            && one.territory.iter().any(|known| known == country)
            && one.lines.iter().any(|known| known == product)
    }

    /// The chance of a sale there: more with skill, less under load.
    fn p_win(&self, one: &Distributor, p: f64) -> f64 {
        let beyond = max(0.0, one.load() - self.load_free);
        min(1.0, p * one.skill / (1.0 + self.load_penalty * beyond))
    }
}

impl Distributor {
    fn load(&self) -> f64 {
        self.open_leads / self.capacity
    }
}

#[cfg(test)]
mod tests {
    use super::{Settings, TRIBUTARY_PLUGIN, Way, check, route};
    use serde_json::{Value, json};
    use tributary_sdk::{Json, Verdicts};

    const VECTORS: &str = include_str!("../../../../tests/verify/plugins_vectors.json");

    fn settings(distributors: &Value) -> Settings {
        let distributors = serde_json::from_value(distributors.clone()).expect("distributors");
        Settings {
            distributors: Json(distributors),
            ..tributary_sdk::testing::defaults().expect("every setting has a default")
        }
    }

    #[test]
    fn agrees_with_every_vector() {
        let vectors: Value = serde_json::from_str(VECTORS).expect("vectors are JSON");
        let settings = settings(&vectors["p5_DS"]);
        for case in vectors["p5_ev_router"].as_array().expect("cases") {
            let (input, expected) = (&case["input"], &case["expected"]);
            let text = |name: &str| input[name].as_str().expect("text");
            let number = |name: &str| input[name].as_f64().expect("a number");
            let (p, value) = (number("p"), number("value"));
            let decision = route(&settings, text("country"), text("product"), p, value);
            let decision = decision.expect("a lead");
            let close = |value: Option<f64>, name: &str| {
                let expected = expected[name].as_f64();
                let (Some(value), Some(expected)) = (value, expected) else {
                    // A lead for nobody is worth nothing anywhere.
                    assert_eq!((value, expected), (None, None), "{name}: {case}");
                    return;
                };
                assert!((value - expected).abs() < 1e-6, "{name} {value}: {case}");
            };
            close(decision.details.score, "ev");
            close(decision.details.p_win, "p_win");
            let distributor = decision.details.distributor.as_deref();
            assert_eq!(distributor, expected["distributor"].as_str(), "{case}");
            let verdict = Way::NAMES[usize::from(decision.verdict.code())];
            assert_eq!(verdict, expected["label"], "{case}");
            let reason = decision.reasons().first().copied().unwrap_or("OK");
            assert_eq!(reason, expected["reason"], "{case}");
        }
    }

    #[test]
    fn every_example_comes_out_as_it_should() {
        tributary_sdk::testing::fixtures(&TRIBUTARY_PLUGIN, "fixtures");
    }

    #[test]
    fn the_smallest_id_wins_a_tie_in_whatever_order_they_come() {
        let one = |id: &str| {
            json!({"id": id, "territory": ["DE"], "lines": ["pump"], "capacity": 10, "open_leads": 0,
                "skill": 1, "margin": 0.5, "handling": 0})
        };
        for order in [["D2", "D10", "D3"], ["D3", "D2", "D10"]] {
            let settings = settings(&Value::from(order.map(one).to_vec()));
            let decision = route(&settings, "DE", "pump", 0.5, 4000.0).expect("a lead");
            assert_eq!(decision.details.distributor.as_deref(), Some("D10"));
            assert_eq!(decision.verdict, Way::Dql);
        }
    }

    #[test]
    fn a_distributor_with_less_than_nothing_is_refused() {
        let wrong = json!([{"id": "D1", "territory": [], "lines": [], "capacity": -1, "open_leads": 0,
            "skill": 1, "margin": 0.5, "handling": 0}]);
        let error = check(&settings(&wrong)).unwrap_err();
        assert_eq!(
            error.message(),
            "distributor \"D1\" has a negative capacity, load or skill"
        );
    }
}
