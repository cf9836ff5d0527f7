//! Naive Bayes over the past of a team's leads, as the CRM Odoo scores leads: how often each value of each field was seen in
//! won and in lost leads. It deliberately learns nothing: the counts come from SQL, as settings, so that a score says
//! which past it was computed from.

use std::collections::HashMap;

use serde::Deserialize;
use tributary_sdk::prelude::*;

tributary_sdk::plugin! {
    name: "naive_bayes",
    version: "1.0.0",
    config: Settings,
    functions: [probability, qualify],
}

/// Added to every count, so that what was never seen is unlikely and not impossible.
const SMOOTHING: f64 = 0.1;

/// What the past says.
#[derive(Config, Debug)]
#[config(check = check)]
pub struct Settings {
    /// Won and lost leads by team, field and value: `{"north": {"stages": [["new", 12, 30], …], "fields": {"country": {"DE": [8, 20]}}}}`.
    /// Stages are in their order; a won lead counts in every stage, a lost one in those that it reached.
    #[config(default_json = "{}")]
    pub teams: Json<HashMap<String, Team>>,
    /// Fields whose values count only from so many leads on.
    #[config(default_json = r#"{"tag": 50}"#)]
    pub least_leads: Json<HashMap<String, f64>>,
    /// Probability in percent from which a lead is a marketing qualified lead.
    #[config(default = 50.0, min = 0, max = 100)]
    pub mql_percent: f64,
}

/// The past of one team.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// Name, won and lost leads of each stage, in order.
    stages: Vec<(String, f64, f64)>,
    /// Won and lost leads by field and value.
    #[serde(default)]
    fields: HashMap<String, HashMap<String, (f64, f64)>>,
}

fn check(settings: &Settings) -> Result<(), PluginFailure> {
    for (name, team) in settings.teams.iter() {
        let counts = team.fields.values().flat_map(HashMap::values);
        let stages = team.stages.iter().map(|(_, won, lost)| (*won, *lost));
        let whole = |(won, lost): (f64, f64)| won >= 0.0 && lost >= 0.0;
        if !counts.copied().chain(stages).all(whole) {
            return Err(PluginFailure::new(format!(
                "team \"{name}\" has a negative count"
            )));
        }
    }
    Ok(())
}

/// What becomes of the lead.
#[derive(Verdicts, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// hand over to sales
    Mql,
    /// keep warm
    Nurture,
    /// the past says nothing yet
    NeedInfo,
}

/// Why it does.
#[derive(Reasons, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Without both there is nothing to compare.
    #[reason("the team has no won or no lost leads yet")]
    NoPast,
}

/// The number behind the verdict.
#[derive(Details, Debug, Clone, Copy, PartialEq)]
pub struct Findings {
    /// probability of a sale in percent
    pub score: Option<f64>,
}

/// Probability of a sale in percent, with two decimals; NULL while the team has no won or no lost leads. `lead` holds
/// the fields of the lead: `{"country": "DE", "source": "web"}`.
#[score(range = 0..=100)]
pub fn probability(
    settings: &Settings,
    team: &str,
    stage: &str,
    lead: Document<'_>,
) -> Result<Option<f64>, PluginFailure> {
    let fields: HashMap<String, Option<Text>> = lead.parse()?;
    let Some(team) = settings.teams.get(team) else {
        return Ok(None);
    };
    let Some(&(_, won, lost)) = team.stages.first() else {
        return Ok(None);
    };
    if won == 0.0 || lost == 0.0 {
        return Ok(None);
    }
    let (won, lost) = (won + SMOOTHING, lost + SMOOTHING);
    let mut odds = Odds {
        won: won / (won + lost),
        lost: lost / (won + lost),
    };
    if let Some((_, at_won, at_lost)) = team.stages.iter().find(|(name, _, _)| name == stage) {
        odds.see(at_won + SMOOTHING, at_lost + SMOOTHING, (won, lost));
    }
    // In a fixed order: a product of many factors depends on it in its last bits.
    let mut names: Vec<&String> = fields.keys().collect();
    names.sort();
    for name in names {
        let (Some(values), Some(Some(Text(value)))) = (team.fields.get(name), fields.get(name))
        else {
            continue;
        };
        let Some((won, lost)) = values.get(value) else {
            continue;
        };
        if settings
            .least_leads
            .get(name)
            .is_some_and(|least| won + lost < *least)
        {
            continue;
        }
        odds.see(won + SMOOTHING, lost + SMOOTHING, totals(values));
    }
    Ok(Some(odds.percent()))
}

/// Qualifies a lead by the probability of a sale.
#[rule]
pub fn qualify(
    settings: &Settings,
    team: &str,
    stage: &str,
    lead: Document<'_>,
) -> Result<Decision<Stage, Why, Findings>, PluginFailure> {
    let score = probability(settings, team, stage, lead)?;
    let stage = match score {
        None => Stage::NeedInfo,
        Some(percent) if percent >= settings.mql_percent => Stage::Mql,
        Some(_) => Stage::Nurture,
    };
    Ok(Decision::new(stage, Findings { score }).because_if(score.is_none(), Why::NoPast))
}

/// The likelihoods of what was seen, in won and in lost leads.
struct Odds {
    won: f64,
    lost: f64,
}

impl Odds {
    fn see(&mut self, won: f64, lost: f64, (all_won, all_lost): (f64, f64)) {
        self.won *= won / all_won;
        self.lost *= lost / all_lost;
    }

    /// Rounded half up to two decimals, and never quite impossible or certain.
    fn percent(&self) -> f64 {
        let percent = 100.0 * self.won / (self.won + self.lost);
        clamp((percent * 100.0 + 0.5).floor() / 100.0, 0.01, 99.99)
    }
}

/// Won and lost leads of a field, each value smoothed.
fn totals(values: &HashMap<String, (f64, f64)>) -> (f64, f64) {
    // Counts are whole numbers, which add up the same in any order.
    let smoothing = SMOOTHING * values.len() as f64;
    let won: f64 = values.values().map(|(won, _)| won).sum();
    let lost: f64 = values.values().map(|(_, lost)| lost).sum();
    (won + smoothing, lost + smoothing)
}

/// A value of a field, as text however it is written.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Whole(i64),
            Flag(bool),
        }
        Ok(Self(match Written::deserialize(deserializer)? {
            Written::Text(text) => text,
            Written::Whole(number) => number.to_string(),
            Written::Flag(flag) => flag.to_string(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::{Settings, Stage, probability, qualify};
    use tributary_sdk::{Document, Json};

    /// The past of the first team in Odoo's own test of predictive lead scoring: two lost leads and a won one.
    const TEAM: &str = r#"{"team_1": {
        "stages": [["new", 1, 2], ["qualified", 1, 1], ["proposition", 1, 0]],
        "fields": {
            "country": {"0": [0, 1], "1": [0, 1], "2": [1, 0]},
            "state": {"0": [0, 1], "1": [0, 1], "2": [1, 0]},
            "email": {"correct": [0, 1], "incorrect": [0, 1]},
            "phone": {"correct": [0, 1], "incorrect": [0, 1]},
            "source": {"0": [0, 1], "1": [0, 1], "2": [1, 0]},
            "tag": {"rare": [20, 29], "common": [20, 30]}
        }}, "new_team": {"stages": [["new", 0, 4]]}}"#;

    fn settings() -> Settings {
        Settings {
            teams: Json(serde_json::from_str(TEAM).expect("a team")),
            ..tributary_sdk::testing::defaults().expect("every setting has a default")
        }
    }

    fn ask(team: &str, stage: &str, lead: &str) -> Option<f64> {
        probability(&settings(), team, stage, Document(lead)).expect("a lead")
    }

    /// 33.49 is what Odoo's test suite (addons/crm/tests/test_crm_pls.py) expects of this lead.
    #[test]
    fn agrees_with_odoo() {
        let lead =
            r#"{"country": 0, "state": "1", "email": null, "phone": "correct", "source": 2}"#;
        assert_eq!(ask("team_1", "qualified", lead), Some(33.49));
    }

    #[test]
    fn what_was_never_seen_says_nothing() {
        let known = ask("team_1", "new", r#"{"country": "0"}"#);
        let more = r#"{"country": "0", "planet": "Mars", "state": "9", "tag": "rare"}"#;
        assert_eq!(ask("team_1", "new", more), known);
        assert_ne!(
            ask("team_1", "new", r#"{"country": "0", "tag": "common"}"#),
            known
        );
    }

    #[test]
    fn no_past_is_no_score() {
        assert_eq!(ask("new_team", "new", "{}"), None);
        assert_eq!(ask("nobody", "new", "{}"), None);
        let decision = qualify(&settings(), "new_team", "new", Document("{}")).expect("a lead");
        assert_eq!(decision.verdict, Stage::NeedInfo);
        assert_eq!(decision.reasons(), ["NO_PAST"]);
    }
}
