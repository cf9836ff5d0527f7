//! What `compare()` is asked for.

use super::call::Call;
use crate::fault::Result;
use crate::metric::{Metric, MetricKind, Metrics};

const NAMES: &[&str] = &[
    "metric",
    "by",
    "grain",
    "vs",
    "from_date",
    "to_date",
    "as_of",
    "partial",
    "like_for_like",
    "peers",
    "adjust",
    "conf",
    "min_n",
    "ranks",
];
const GRAINS: &[&str] = &[
    "total",
    "day",
    "week",
    "month",
    "quarter",
    "half",
    "year",
    "fiscal_quarter",
    "fiscal_year",
];
/// The most dimensions, and the most things to compare with, in one call.
const LIST_MAX: usize = 8;

/// What a metric is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Versus {
    /// the period before
    PreviousPeriod,
    /// the same period of the year before
    PreviousYear,
    /// the period that a day is in
    Day(String),
    /// all others of the peer group
    Peers,
    /// everybody together
    Network,
    /// the quota in `targets`
    Target,
    /// decisions of a version of a plugin
    Version(String),
}

impl Versus {
    /// Whether it is another period.
    pub fn is_period(&self) -> bool {
        matches!(
            self,
            Self::PreviousPeriod | Self::PreviousYear | Self::Day(_)
        )
    }
}

/// A dimension: the name that the caller gave it, and the column of the metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dimension {
    pub name: String,
    pub column: String,
}

/// The options of one call.
pub struct Options<'a> {
    pub metric_name: String,
    pub metric: &'a Metric,
    pub by: Vec<Dimension>,
    pub grain: &'static str,
    pub vs: Vec<(String, Versus)>,
    /// SQL of days, where they are given
    pub from: Option<String>,
    pub to: Option<String>,
    pub as_of: Option<String>,
    pub partial: &'static str,
    pub like_for_like: bool,
    pub peers: &'static str,
    pub adjust: Vec<Dimension>,
    pub conf: f64,
    pub min_n: u64,
    pub ranks: bool,
}

impl<'a> Options<'a> {
    pub fn of(call: &Call, metrics: &'a Metrics) -> Result<Self> {
        call.check_names(NAMES)?;
        let name = call.first_word("metric")?.ok_or_else(|| {
            call.wrong("needs a metric")
                .with_hint("Write compare('revenue', …).")
        })?;
        let known = || {
            metrics
                .keys()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let metric = metrics.get(&name).ok_or_else(|| {
            call.wrong(&format!("argument \"metric\" needs a metric, got '{name}'"))
                .with_hint(format!("The metrics are {}.", known()))
        })?;
        let grain = call.choice("grain", GRAINS, "month")?;
        let options = Self {
            metric,
            metric_name: name,
            by: dimensions(call, "by", &["distributor"])?,
            grain,
            vs: versus(call)?,
            from: day(call, "from_date"),
            to: day(call, "to_date"),
            as_of: day(call, "as_of"),
            partial: call.choice("partial", &["to_date", "exclude", "include"], "to_date")?,
            like_for_like: call.truth("like_for_like")?,
            peers: call.choice("peers", &["all", "region", "tier"], "all")?,
            adjust: dimensions(call, "adjust", &[])?,
            conf: confidence(call)?,
            min_n: least(call)?,
            ranks: call.truth("ranks")?,
        };
        options.check(call)?;
        Ok(options)
    }

    fn check(&self, call: &Call) -> Result<()> {
        let kind = self.metric.measure.kind;
        let has = |versus: fn(&Versus) -> bool| self.vs.iter().any(|(_, it)| versus(it));
        if !self.adjust.is_empty() && kind != MetricKind::Rate {
            return Err(call
                .needs(
                    "adjust",
                    "a metric that is a rate",
                    &format!("{} ({})", self.metric_name, kind.name()),
                )
                .with_hint("Only rates have an expected value by case mix."));
        }
        if has(|it| *it == Versus::Target) && !self.by_distributor() {
            return Err(call.needs("vs", "by => ['distributor'] for 'target'", &self.columns()));
        }
        if self.peers != "all" && !self.by_distributor() {
            return Err(call.needs("peers", "by => ['distributor']", &self.columns()));
        }
        if self.like_for_like && !has(Versus::is_period) {
            return Err(call.needs("like_for_like", "another period in vs", "none"));
        }
        Ok(())
    }

    fn columns(&self) -> String {
        let names: Vec<&str> = self.by.iter().map(|it| it.name.as_str()).collect();
        format!("by => [{}]", names.join(", "))
    }

    /// Whether each row is one distributor.
    pub fn by_distributor(&self) -> bool {
        matches!(self.by.as_slice(), [only] if only.column == "distributor_id")
    }

    pub fn is_total(&self) -> bool {
        self.grain == "total"
    }
}

fn dimensions(call: &Call, name: &str, default: &[&str]) -> Result<Vec<Dimension>> {
    let words = call.words(name)?;
    let words = words.unwrap_or_else(|| default.iter().map(|&it| it.to_owned()).collect());
    if words.len() > LIST_MAX {
        return Err(call.needs(
            name,
            &format!("at most {LIST_MAX} columns"),
            &words.len().to_string(),
        ));
    }
    let mut all: Vec<Dimension> = Vec::new();
    for word in words {
        // Names are pasted into SQL in quotes, so that only a quote could do harm.
        if word.is_empty()
            || word.len() > 63
            || !word
                .chars()
                .all(|it| it.is_ascii_alphanumeric() || it == '_')
        {
            return Err(call.needs(name, "names of columns", &format!("'{word}'")));
        }
        let column = match word.as_str() {
            "distributor" | "rep" | "product" | "campaign" => format!("{word}_id"),
            _ => word.clone(),
        };
        if all.iter().any(|known| known.column == column) {
            return Err(call.needs(name, "each column once", &format!("'{word}' twice")));
        }
        all.push(Dimension { name: word, column });
    }
    Ok(all)
}

fn versus(call: &Call) -> Result<Vec<(String, Versus)>> {
    if let Some(expr) = call.options.get("vs")
        && !matches!(expr, datafusion::sql::sqlparser::ast::Expr::Array(_))
        && call.word("vs").is_err()
    {
        // A day: DATE '2024-01-01'.
        return Ok(vec![(
            expr.to_string().replace('\'', "").replace("DATE ", ""),
            Versus::Day(expr.to_string()),
        )]);
    }
    let words = call
        .words("vs")?
        .unwrap_or_else(|| vec!["previous_period".to_owned()]);
    if words.is_empty() || words.len() > LIST_MAX {
        return Err(call.needs(
            "vs",
            &format!("1 to {LIST_MAX} things to compare with"),
            &words.len().to_string(),
        ));
    }
    let mut all: Vec<(String, Versus)> = Vec::new();
    for word in words {
        let versus = match word.as_str() {
            "previous_period" => Versus::PreviousPeriod,
            "previous_year" => Versus::PreviousYear,
            "peers" => Versus::Peers,
            "network" => Versus::Network,
            "target" => Versus::Target,
            other => match other.strip_prefix("version:") {
                Some(version) => Versus::Version(version.to_owned()),
                None if is_day(other) => Versus::Day(format!("DATE '{other}'")),
                None => {
                    return Err(call.needs(
                        "vs",
                        "previous_period, previous_year, peers, network, target, version:1.0.0 or a day",
                        &format!("'{other}'"),
                    ));
                }
            },
        };
        if all.iter().any(|(known, _)| *known == word) {
            return Err(call.needs("vs", "each once", &format!("'{word}' twice")));
        }
        all.push((word, versus));
    }
    Ok(all)
}

fn is_day(text: &str) -> bool {
    chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

fn day(call: &Call, name: &str) -> Option<String> {
    call.options
        .get(name)
        .map(|expr| format!("CAST({expr} AS DATE)"))
}

fn confidence(call: &Call) -> Result<f64> {
    let conf = call.number("conf")?.unwrap_or(0.95);
    match conf > 0.0 && conf < 1.0 {
        true => Ok(conf),
        false => Err(call.needs(
            "conf",
            "a number strictly between 0 and 1",
            &conf.to_string(),
        )),
    }
}

fn least(call: &Call) -> Result<u64> {
    let least = call.number("min_n")?.unwrap_or(1.0);
    match (0.0..1e15).contains(&least) && least.fract() == 0.0 {
        true => Ok(least as u64),
        false => Err(call.needs("min_n", "a count", &least.to_string())),
    }
}
