//! What was planted: read by tests and by the demo's last table, never by a query.

use serde::{Deserialize, Serialize};

use crate::csv::Id;
use crate::rng::{Purpose, Streams};
use crate::time::month_text;

/// The planted truths of one data set; `truths.json` is this struct.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Truths {
    /// What the data set was made from.
    pub seed: u64,
    /// What the data set was made from.
    pub scale: f64,
    /// In the order of `Dataset::manufacturers`.
    pub manufacturers: Vec<ManufacturerTruths>,
}

/// The planted truths of one manufacturer. No distributor carries two of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManufacturerTruths {
    /// Its id.
    pub manufacturer: String,
    /// Their leads are won less often from a month on.
    pub underperformers: Vec<Underperformer>,
    /// Its leads are merely worse; it wins what anyone would win of them.
    pub worse_leads: WorseLeads,
    /// The one kind of resource that brings revenue.
    pub paying_resource: PayingResource,
    /// The reason that one distributor gives more often than the network.
    pub rejection_reason: RejectionReason,
}

/// A distributor whose win rate drops.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Underperformer {
    /// Key in `distributors`.
    pub distributor_id: String,
    /// First day of the first month (by `mql_at`) of the drop.
    pub since_month: String,
    /// The win rate from then on, relative to what it would have been.
    pub win_rate_factor: f64,
}

/// A distributor whose leads are merely worse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorseLeads {
    /// Key in `distributors`.
    pub distributor_id: String,
    /// Expected win rate of its mix of sources and industries, relative to the network's.
    pub mix_factor: f64,
}

/// The kind of resource that pays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PayingResource {
    /// As in `resources.kind`.
    pub kind: String,
    /// Revenue in the following `months` per unit of cost; every other kind's is zero.
    pub revenue_per_cost: f64,
    /// How many months after the grant bring it.
    pub months: u32,
}

/// A reason that belongs to one distributor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RejectionReason {
    /// Key in `distributors`.
    pub distributor_id: String,
    /// As in `leads.reject_reason`.
    pub reason: String,
    /// Share of the reason there, relative to the network's.
    pub factor: f64,
}

impl Truths {
    /// The content of `truths.json`.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("strings and finite numbers always serialise")
    }
}

/// Kinds that may be planted as the paying one. Rebates follow revenue and lead costs follow leads, so they may not.
pub(crate) const GRANTED_KINDS: [&str; 4] = ["mdf", "training", "samples", "support"];
pub(crate) const RESPONSE_MONTHS: usize = 3;

/// Why leads are rejected, with the share of each in the network.
pub(crate) const REASONS: [(&str, f64); 9] = [
    ("no_budget", 0.20),
    ("not_reachable", 0.18),
    ("no_need", 0.15),
    ("bad_data", 0.12),
    ("wrong_product", 0.10),
    ("competitor", 0.08),
    ("out_of_territory", 0.07),
    ("duplicate", 0.05),
    ("no_authority", 0.05),
];

/// Truths as the generator uses them: indexes instead of ids.
#[derive(Clone, Debug)]
pub(crate) struct Planted {
    /// (distributor, month)
    pub(crate) drops: [(usize, usize); 2],
    pub(crate) worse: usize,
    /// Index into `GRANTED_KINDS`.
    pub(crate) kind: usize,
    /// (distributor, index into `REASONS`)
    pub(crate) reason: (usize, usize),
}

pub(crate) const DROP_FACTOR: f64 = 0.45;
pub(crate) const REVENUE_PER_COST: f64 = 5.0;
pub(crate) const REASON_FACTOR: f64 = 4.0;
/// The drop begins where there is a year before it and enough mature months after it.
const DROP_MONTHS: std::ops::Range<usize> = 10..23;
/// Only distributors with enough leads carry a truth: these ranks by number of leads.
const RANKS: std::ops::Range<usize> = 2..18;

impl Planted {
    /// `ranked`: the distributors by number of leads, most first.
    pub(crate) fn choose(seed: u64, manufacturer: usize, ranked: &[usize]) -> Self {
        let mut stream = Streams::new(seed, manufacturer as u64, Purpose::Truths).at(0);
        let mut able: Vec<usize> = ranked[RANKS].to_vec();
        stream.shuffle(&mut able);
        let mut month = || DROP_MONTHS.start + stream.below(DROP_MONTHS.len());
        let drops = [(able[0], month()), (able[1], month())];
        let rare: Vec<usize> = (0..REASONS.len())
            .filter(|reason| REASONS[*reason].1 <= 0.10)
            .collect();
        let reason = (able[3], rare[stream.below(rare.len())]);
        Self {
            drops,
            worse: able[2],
            kind: paying_kind(seed, manufacturer),
            reason,
        }
    }

    pub(crate) fn win_factor(&self, distributor: usize, month: usize) -> f64 {
        let dropped = self
            .drops
            .iter()
            .any(|(who, since)| *who == distributor && month >= *since);
        if dropped { DROP_FACTOR } else { 1.0 }
    }

    pub(crate) fn truths(&self, manufacturer: &str, mix_factor: f64) -> ManufacturerTruths {
        let id = |distributor: usize| Id::Distributor.format(distributor as u64 + 1);
        let drop = |(distributor, month): (usize, usize)| Underperformer {
            distributor_id: id(distributor),
            since_month: month_text(month),
            win_rate_factor: DROP_FACTOR,
        };
        ManufacturerTruths {
            manufacturer: manufacturer.to_owned(),
            underperformers: self.drops.iter().copied().map(drop).collect(),
            worse_leads: WorseLeads {
                distributor_id: id(self.worse),
                mix_factor: (mix_factor * 100.0).round() / 100.0,
            },
            paying_resource: PayingResource {
                kind: GRANTED_KINDS[self.kind].to_owned(),
                revenue_per_cost: REVENUE_PER_COST,
                months: RESPONSE_MONTHS as u32,
            },
            rejection_reason: RejectionReason {
                distributor_id: id(self.reason.0),
                reason: REASONS[self.reason.1].0.to_owned(),
                factor: REASON_FACTOR,
            },
        }
    }
}

/// The manufacturers take different kinds: one shuffle for all of them.
fn paying_kind(seed: u64, manufacturer: usize) -> usize {
    let mut kinds = [0, 1, 2, 3];
    Streams::new(seed, u64::MAX, Purpose::Truths)
        .at(0)
        .shuffle(&mut kinds);
    kinds[manufacturer % kinds.len()]
}
