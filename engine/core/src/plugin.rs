//! Plugins as adapters see them: what is uploaded, which version is in force and how it is set up, what it did.
//!
//! A version never changes, and neither does an activation: the newest activation of a name is the one in force.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::engine::Principal;
use crate::fault::{Error, Fault};
use crate::manufacturer::ManufacturerId;

/// What a rule in force decides about leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// Whether marketing hands a lead over: the manufacturer's rule.
    Mql,
    /// Whether a distributor takes it: the agreed rule.
    Dql,
}

impl DecisionKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Mql, Self::Dql];

    /// The word for it, as in table `decisions`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mql => "mql",
            Self::Dql => "dql",
        }
    }
}

impl fmt::Display for DecisionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DecisionKind {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == word);
        found.ok_or_else(|| {
            let shown: String = word.chars().take(63).collect();
            Error::new(Fault::Invalid, format!("no decision is called {shown:?}"))
                .with_hint("A rule decides \"mql\" or \"dql\".")
        })
    }
}

/// Which functions of a plugin decide about leads, by what they decide.
pub type Applies = BTreeMap<DecisionKind, String>;

/// The settings that a manufacturer gives a plugin.
pub type Given = Map<String, Value>;

/// A plugin to keep as a draft.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Who uploads.
    pub principal: Principal,
    /// Whose plugin.
    pub manufacturer: ManufacturerId,
    /// The component.
    pub wasm: Bytes,
}

/// Which version is to be in force, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Activate {
    /// Who activates.
    pub principal: Principal,
    /// Whose plugin.
    pub manufacturer: ManufacturerId,
    /// Name of the plugin.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What is to be so; what is absent stays as the activation in force has it.
    pub setup: Setup,
}

/// How an activation is set up, as a client says it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// Its settings; all of them, since those that are missing get their defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Given>,
    /// Its rules that decide about leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applies: Option<Applies>,
}

/// A plugin by its name, and perhaps one version of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OfPlugin {
    /// Who asks.
    pub principal: Principal,
    /// Whose plugin.
    pub manufacturer: ManufacturerId,
    /// Name of the plugin.
    pub name: String,
    /// One version; the one in force, or else the newest, where absent.
    pub version: Option<String>,
}

/// One uploaded version of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginVersion {
    /// Name of the plugin: the part before the dot in SQL.
    pub name: String,
    /// Semantic version, from the plugin's own manifest.
    pub version: String,
    /// SHA-256 of the component, as hex.
    pub digest: String,
    /// Size of the component.
    pub bytes: u64,
    /// Functions as SQL calls them, with their argument and result types.
    pub functions: Vec<String>,
    /// When it was uploaded, RFC 3339.
    pub uploaded_at: String,
    /// Whether SQL calls this version.
    pub active: bool,
    /// Where it failed so often that it is not called any more: why, and since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<String>,
    /// Hash of the settings that are in force, as hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_hash: Option<String>,
    /// Its functions that decide about leads.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub applies: Applies,
}

/// One version with everything that is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PluginDetails {
    /// What a list of versions says of it.
    #[serde(flatten)]
    pub version: PluginVersion,
    /// What it says of itself: functions, settings, verdicts, reasons.
    pub manifest: Value,
    /// The settings in force, defaults included, where it is the version in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Value>,
    /// Every activation of the plugin, newest first.
    pub activations: Vec<Activation>,
}

/// One activation: rows are added and never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    /// Its number: later ones are greater.
    pub activation_id: i64,
    /// Name of the plugin.
    pub plugin: String,
    /// The version in force from then on.
    pub version: String,
    /// Digest of its component.
    pub digest: String,
    /// Hash of its settings.
    pub config_hash: String,
    /// Its functions that decide about leads.
    pub applies: Applies,
    /// What was done.
    pub action: Action,
    /// When, RFC 3339.
    pub at: String,
    /// By whom.
    pub by: String,
}

/// What made an activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Somebody activated a version.
    Activate,
    /// Somebody went back to what was in force before.
    Rollback,
    /// The engine stopped calling a version that failed too often.
    Suspend,
}

impl Action {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Rollback => "rollback",
            Self::Suspend => "suspend",
        }
    }
}

/// How two versions differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginDiff {
    /// Name of the plugin.
    pub name: String,
    /// The version that is compared with.
    pub from: String,
    /// The version that is compared.
    pub to: String,
    /// What is other in `to`; empty where only the code is.
    pub changes: Vec<Change>,
    /// Whether both are the same component.
    pub same_digest: bool,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Where in the manifest, as `functions.qualify.args.money`.
    pub what: String,
    /// What it was; absent where it is new.
    pub before: Option<String>,
    /// What it is; absent where it is gone.
    pub after: Option<String>,
}

/// One line of a plugin's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When, RFC 3339.
    pub at: String,
    /// The version that it is about.
    pub version: String,
    /// `info`, `warn` or `error`.
    pub level: String,
    /// What happened, in words.
    pub message: String,
}

/// What a run of the rules in force decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// What was decided.
    pub kind: DecisionKind,
    /// The rule's plugin.
    pub plugin: String,
    /// The plugin's version.
    pub version: String,
    /// The rule.
    pub function: String,
    /// Version of table `leads` that it was decided on.
    pub data_version: u64,
    /// Leads that were decided.
    pub leads: u64,
    /// Leads that the rule refused; they keep the verdict that they have.
    pub refused: u64,
    /// Leads by verdict.
    pub verdicts: BTreeMap<String, u64>,
}

/// Which leads a run of the rules in force decides about.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Decide {
    /// Who asks.
    pub principal: Principal,
    /// Whose leads.
    pub manufacturer: ManufacturerId,
    /// Only rules of this plugin; every rule in force where absent.
    pub plugin: Option<String>,
    /// All leads, and not only those that are new or changed since the last run.
    pub all: bool,
}

/// A lead whose decisions are to be explained.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Explain {
    /// Who asks.
    pub principal: Principal,
    /// Whose lead.
    pub manufacturer: ManufacturerId,
    /// Which lead.
    pub lead_id: String,
    /// The instant whose decisions are asked for; now where absent.
    pub as_of: Option<DateTime<Utc>>,
}

/// Why a lead has the verdicts that it has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// Which lead.
    pub lead_id: String,
    /// The decision of each kind that was in force.
    pub decisions: Vec<ExplainedDecision>,
}

/// One decision, and what the same rule says today of the same data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplainedDecision {
    /// What was decided.
    pub kind: DecisionKind,
    /// The rule's plugin.
    pub plugin: String,
    /// The plugin's version.
    pub version: String,
    /// The rule.
    pub function: String,
    /// Digest of the component.
    pub digest: String,
    /// Hash of the settings.
    pub config_hash: String,
    /// The settings, defaults included.
    pub settings: Value,
    /// Version of table `leads`.
    pub data_version: u64,
    /// When it was decided, RFC 3339.
    pub decided_at: String,
    /// What the rule was asked: its arguments by name, as the lead had them.
    pub arguments: Value,
    /// What is recorded.
    pub recorded: Outcome,
    /// What the same component with the same settings says of the same data now.
    pub repeated: Outcome,
    /// Whether the two agree.
    pub reproduced: bool,
}

/// What a rule said of one lead.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Its verdict; absent where it gave none.
    pub verdict: Option<String>,
    /// Its score, where it gives one.
    pub score: Option<f64>,
    /// Its reasons.
    pub reasons: Vec<ReasonGiven>,
    /// Why the rule refused the lead.
    pub error: Option<String>,
    /// What else it says; not recorded.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
}

/// One reason of a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonGiven {
    /// Its code, as in SQL.
    pub code: String,
    /// What it means, as the plugin says it.
    pub text: String,
}
