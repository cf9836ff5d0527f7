//! The past of teams: counts of won and lost leads, smoothed and added up once, so that a row only looks them up. It
//! deliberately does not know what a lead looks like.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

/// Added to every count, so that what was never seen is unlikely and not impossible.
const SMOOTHING: f64 = 0.1;

/// The past of every team, and of all of them.
#[derive(Debug, Default, Deserialize)]
#[serde(try_from = "Counts")]
pub struct Table {
    teams: HashMap<String, Past>,
    all: Past,
}

/// Won and lost leads, smoothed.
type Smoothed = (f64, f64);

/// The past of a team.
#[derive(Debug, Default)]
pub struct Past {
    /// all leads, before smoothing
    counted: (f64, f64),
    leads: Smoothed,
    stages: HashMap<String, Smoothed>,
    fields: HashMap<String, Field>,
}

/// A field: its values, and all of them together.
#[derive(Debug, Default)]
struct Field {
    values: HashMap<String, Smoothed>,
    total: Smoothed,
}

/// Counts as they are set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Counts {
    #[serde(default)]
    teams: BTreeMap<String, Team>,
    #[serde(default = "least_leads")]
    least_leads: HashMap<String, f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Team {
    /// name, won and lost leads of each stage, in order
    stages: Vec<(String, f64, f64)>,
    /// won and lost leads by field and value
    #[serde(default)]
    fields: BTreeMap<String, BTreeMap<String, (f64, f64)>>,
}

/// Few tags are on many leads; the others would count for too much.
fn least_leads() -> HashMap<String, f64> {
    HashMap::from([("tag".to_owned(), 50.0)])
}

impl Table {
    /// The past of a team. That of all teams stands for one without any.
    pub fn past(&self, team: Option<&str>) -> &Past {
        let own = team.and_then(|team| self.teams.get(team));
        own.unwrap_or(&self.all)
    }
}

impl Past {
    /// Whether there are won and lost leads to compare.
    pub fn is_told(&self) -> bool {
        self.counted.0 > 0.0 && self.counted.1 > 0.0
    }

    /// All leads, which is those of the first stage.
    pub fn leads(&self) -> Smoothed {
        self.leads
    }

    /// The share of won and of lost leads that reached a stage.
    pub fn stage(&self, name: &str) -> Option<(f64, f64)> {
        self.stages
            .get(name)
            .map(|stage| shares(*stage, self.leads))
    }

    /// The share of a value in the won and in the lost leads that have the field.
    pub fn share(&self, field: &str, value: &str) -> Option<(f64, f64)> {
        let field = self.fields.get(field)?;
        let value = field.values.get(value)?;
        Some(shares(*value, field.total))
    }

    /// Adds a team. Each of its counts is smoothed for itself, so that a value which every team has seen is smoothed as
    /// often as there are teams.
    fn add(&mut self, team: &Team, least_leads: &HashMap<String, f64>) {
        for (name, won, lost) in &team.stages {
            add(self.stages.entry(name.clone()).or_default(), (*won, *lost));
        }
        if let Some((_, won, lost)) = team.stages.first() {
            self.counted.0 += won;
            self.counted.1 += lost;
            add(&mut self.leads, (*won, *lost));
        }
        for (name, values) in &team.fields {
            let least = least_leads.get(name).copied().unwrap_or_default();
            let field = self.fields.entry(name.clone()).or_default();
            let often = values.iter().filter(|(_, (won, lost))| won + lost >= least);
            for (value, count) in often {
                add(field.values.entry(value.clone()).or_default(), *count);
                add(&mut field.total, *count);
            }
        }
    }
}

fn add(to: &mut Smoothed, (won, lost): (f64, f64)) {
    to.0 += won + SMOOTHING;
    to.1 += lost + SMOOTHING;
}

fn shares((won, lost): Smoothed, (all_won, all_lost): Smoothed) -> (f64, f64) {
    (won / all_won, lost / all_lost)
}

impl Team {
    fn check(&self, name: &str) -> Result<(), String> {
        let counts = self.fields.values().flat_map(BTreeMap::values).copied();
        let stages = self.stages.iter().map(|(_, won, lost)| (*won, *lost));
        let mut all = counts.chain(stages);
        match all.find(|(won, lost)| *won < 0.0 || *lost < 0.0) {
            Some((won, lost)) => Err(format!("team \"{name}\" has a count of {won} and {lost}")),
            None => Ok(()),
        }
    }
}

impl TryFrom<Counts> for Table {
    type Error = String;

    fn try_from(counts: Counts) -> Result<Self, String> {
        let mut table = Self::default();
        for (name, team) in counts.teams {
            team.check(&name)?;
            let mut past = Past::default();
            past.add(&team, &counts.least_leads);
            table.all.add(&team, &counts.least_leads);
            table.teams.insert(name, past);
        }
        Ok(table)
    }
}
