//! What is compared: metrics, each a SELECT of dated rows that belong to distributors.
//!
//! A metric's rows have `distributor_id`, `at` (DATE or TIMESTAMP), and what its kind says. Every further column is a
//! dimension that can be compared by or adjusted for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How the rows of a metric become a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// the sum of `value`
    Sum,
    /// how many rows there are
    Count,
    /// the sum of `numerator` over the sum of `denominator`
    Ratio,
    /// the share of rows in which `event` is true
    Rate,
}

impl MetricKind {
    /// Its name in SQL and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Count => "count",
            Self::Ratio => "ratio",
            Self::Rate => "rate",
        }
    }

    /// The columns that rows of this kind have besides `distributor_id` and `at`.
    #[must_use]
    pub const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Sum => &["value"],
            Self::Count => &[],
            Self::Ratio => &["numerator", "denominator"],
            Self::Rate => &["event"],
        }
    }
}

/// Which way is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// more is better
    Up,
    /// less is better
    Down,
}

impl Direction {
    /// Its name in SQL and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// How a metric is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// How rows become a number.
    pub kind: MetricKind,
    /// Which way is good.
    pub direction: Direction,
    /// Days after `at` until a row is known for good; periods that hold younger rows are immature.
    #[serde(default)]
    pub maturity_days: u16,
}

/// A metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// How it is read.
    pub measure: Measure,
    /// Its rows.
    pub sql: String,
}

/// The metrics of one manufacturer, by name.
pub type Metrics = BTreeMap<String, Metric>;

/// A metric that every manufacturer has. The first line of its text says what it is.
pub struct Shipped {
    /// Its name.
    pub name: &'static str,
    /// How it is read.
    pub measure: Measure,
    /// Its text.
    pub sql: &'static str,
}

impl Shipped {
    /// What it is, from the first line of its text.
    #[must_use]
    pub fn description(&self) -> &'static str {
        let line = self.sql.lines().next().unwrap_or_default();
        line.trim_start_matches("-- ")
    }
}

const fn measure(kind: MetricKind, direction: Direction, maturity_days: u16) -> Measure {
    Measure {
        kind,
        direction,
        maturity_days,
    }
}

macro_rules! shipped {
    ($($name:ident $kind:ident $direction:ident $days:literal),* $(,)?) => {
        /// The metrics that every manufacturer has.
        pub const SHIPPED: &[Shipped] = &[$(Shipped {
            name: stringify!($name),
            measure: measure(MetricKind::$kind, Direction::$direction, $days),
            sql: include_str!(concat!("../metrics/", stringify!($name), ".sql")),
        }),*];
    };
}

shipped! {
    acceptance_rate Rate Up 30,
    bookings Count Up 0,
    deal_size Ratio Up 0,
    feedback_rate Rate Up 14,
    leads_sent Count Up 0,
    mql_rate Rate Up 0,
    opportunity_rate Rate Up 60,
    rejection_rate Rate Down 30,
    resource_cost Sum Down 0,
    return_share Ratio Down 0,
    revenue Sum Up 0,
    revenue_per_resource Ratio Up 0,
    touch_rate_48h Rate Up 2,
    units Sum Up 0,
    win_rate Rate Up 120,
    won Count Up 0,
}

/// The metrics that every manufacturer has, by name.
#[must_use]
pub fn shipped() -> Metrics {
    let metrics = SHIPPED.iter().map(|shipped| {
        let metric = Metric {
            measure: shipped.measure,
            sql: shipped.sql.to_owned(),
        };
        (shipped.name.to_owned(), metric)
    });
    metrics.collect()
}
