//! Naive Bayes over the past of a team's leads, as the CRM Odoo scores leads: how often each value of each field was seen in
//! won and in lost leads. It deliberately learns nothing: the counts come from SQL, as settings, so that a score says
//! which past it was computed from.

mod past;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use tributary_sdk::prelude::*;

use past::{Past, Table};

tributary_sdk::plugin! {
    name: "naive_bayes",
    version: "1.0.0",
    config: Settings,
    functions: [probability, qualify],
}

/// What the past says, and what is made of it.
#[derive(Config, Debug)]
pub struct Settings {
    /// Won and lost leads by team, field and value: `{"teams": {"north": {"stages": [["new", 12, 30], …], "fields": {"country": {"DE": [8, 20]}}}}, "least_leads": {"tag": 50}}`.
    /// Stages are in their order; a won lead counts in every stage, a lost one in those that it reached. A value of a field in
    /// `least_leads` is left out where it has fewer leads.
    #[config(default_json = "{}")]
    pub table: Json<Table>,
    /// Probability in percent from which a lead is a marketing qualified lead.
    #[config(default = 50.0, min = 0, max = 100)]
    pub mql_percent: f64,
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
    #[reason("there are no won or no lost leads yet")]
    NoPast,
}

/// The number behind the verdict.
#[derive(Details, Debug, Clone, Copy, PartialEq)]
pub struct Findings {
    /// probability of a sale in percent
    pub score: Option<f64>,
}

/// Probability of a sale in percent, with two decimals; NULL while there are no won or no lost leads. `lead` holds the
/// fields of the lead: `{"country": "DE", "tag": ["fair", "vip"]}`. Without a team, or with one that has no past, the leads of
/// all teams count.
#[score(range = 0..=100)]
pub fn probability(
    settings: &Settings,
    team: Option<&str>,
    stage: &str,
    lead: Document<'_>,
) -> Result<Option<f64>, PluginFailure> {
    // In the order of names: a product of many factors depends on its order in the last bits.
    let lead: BTreeMap<Cow<'_, str>, Option<Value<'_>>> = lead.parse()?;
    let past = settings.table.past(team);
    if !past.is_told() {
        return Ok(None);
    }
    let mut odds = Odds::new(past);
    odds.see(past.stage(stage));
    for (field, value) in &lead {
        let values = value.iter().flat_map(Value::each);
        for value in values {
            odds.see(past.share(field, &value));
        }
    }
    Ok(Some(odds.percent()))
}

/// Qualifies a lead by the probability of a sale.
#[rule]
pub fn qualify(
    settings: &Settings,
    team: Option<&str>,
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
    fn new(past: &Past) -> Self {
        let (won, lost) = past.leads();
        Self {
            won: won / (won + lost),
            lost: lost / (won + lost),
        }
    }

    /// What was never seen says nothing.
    fn see(&mut self, share: Option<(f64, f64)>) {
        if let Some((won, lost)) = share {
            self.won *= won;
            self.lost *= lost;
        }
    }

    /// Rounded half up to two decimals, and never quite impossible or certain.
    fn percent(&self) -> f64 {
        let percent = 100.0 * self.won / (self.won + self.lost);
        clamp((percent * 100.0 + 0.5).floor() / 100.0, 0.01, 99.99)
    }
}

/// A value of a field, however it is written, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Value<'c> {
    #[serde(borrow)]
    Text(Cow<'c, str>),
    Whole(i64),
    Number(f64),
    Flag(bool),
    List(Vec<Option<Self>>),
}

impl Value<'_> {
    /// Each of them as text.
    fn each(&self) -> Vec<Cow<'_, str>> {
        match self {
            Self::Text(text) => vec![Cow::Borrowed(text.as_ref())],
            Self::Whole(number) => vec![Cow::Owned(number.to_string())],
            Self::Number(number) => vec![Cow::Owned(number.to_string())],
            Self::Flag(flag) => vec![Cow::Owned(flag.to_string())],
            Self::List(values) => values.iter().flatten().flat_map(Self::each).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
