//! A scorecard without code: points, bins, weights, decay, hard rules and thresholds all come from one JSON document, the
//! setting `card`. `scorecard.schema.json` describes it, `examples` has some. It deliberately knows no columns: a lead
//! arrives as one document, and the card names its fields.

mod age;
mod card;
mod events;
mod field;
mod hard_rule;

use serde_json::{Map, Value};
use tributary_sdk::prelude::*;

use card::Card;

tributary_sdk::plugin! {
    name: "scorecard",
    version: "1.0.0",
    config: Settings,
    functions: [qualify, score],
}

/// The card.
#[derive(Config, Debug)]
#[config(check = check)]
pub struct Settings {
    /// Points, hard rules and thresholds; scorecard.schema.json describes them.
    #[config(default_json = "{}")]
    pub card: Json<Card>,
}

fn check(settings: &Settings) -> Result<(), PluginFailure> {
    settings.card.check().map_err(PluginFailure::new)
}

/// What becomes of the lead.
#[derive(Verdicts, Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// hand over to sales
    Mql,
    /// hand over to a distributor
    Dql,
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
    /// It holds whatever the points say.
    #[reason("a hard rule holds")]
    HardRule,
    /// Says nothing about the lead, only about what is known of it.
    #[reason("too little is known")]
    LowCoverage,
    /// No threshold is reached.
    #[reason("the points are below every threshold")]
    BelowThreshold,
    /// The verdict may change once it is known.
    #[reason("a field of the card is missing")]
    MissingField,
}

/// The numbers behind the verdict.
#[derive(Details, Debug, Clone, PartialEq)]
pub struct Findings {
    /// points; unknown while too little is known
    pub score: Option<f64>,
    /// the share of the weights whose fields are known, 0 to 1
    pub coverage: f64,
    /// the hard rule that holds, in the words of the card; or else what is missing
    pub because: Option<String>,
}

/// Qualifies a lead, given as a document of its fields, as of an instant that activities are aged to.
#[rule]
pub fn qualify(
    settings: &Settings,
    lead: Document<'_>,
    as_of: Option<Timestamp>,
) -> Result<Decision<Stage, Why, Findings>, PluginFailure> {
    let card = &settings.card;
    let lead: Map<String, Value> = lead.parse()?;
    let tally = card.tally(&lead, as_of).map_err(PluginFailure::new)?;
    if let Some(rule) = card.hard_rule(&lead) {
        let findings = Findings {
            score: rule.score.or(tally.score),
            coverage: tally.coverage,
            because: Some(rule.because.clone()),
        };
        return Ok(Decision::new(rule.verdict, findings).because(Why::HardRule));
    }
    let findings = Findings {
        score: tally.score,
        coverage: tally.coverage,
        because: missing(&tally.missing),
    };
    let decision = match (tally.score, card.threshold(&tally)) {
        (None, _) => Decision::new(card.incomplete, findings).because(Why::LowCoverage),
        (Some(_), Some(stage)) => Decision::new(stage, findings),
        (Some(_), None) => Decision::new(card.otherwise, findings).because(Why::BelowThreshold),
    };
    Ok(decision.because_if(!tally.missing.is_empty(), Why::MissingField))
}

/// What is missing, in words.
fn missing(fields: &[String]) -> Option<String> {
    let each: Vec<String> = fields
        .iter()
        .map(|field| format!("{field} is missing"))
        .collect();
    (!each.is_empty()).then(|| each.join("; "))
}

/// The points alone; NULL while too little is known.
#[score]
pub fn score(
    settings: &Settings,
    lead: Document<'_>,
    as_of: Option<Timestamp>,
) -> Result<Option<f64>, PluginFailure> {
    let lead: Map<String, Value> = lead.parse()?;
    if let Some(rule) = settings.card.hard_rule(&lead)
        && rule.score.is_some()
    {
        return Ok(rule.score);
    }
    let tally = settings.card.tally(&lead, as_of);
    tally.map(|tally| tally.score).map_err(PluginFailure::new)
}

#[cfg(test)]
mod tests;
