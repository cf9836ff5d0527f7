//! What was planted against what was found, over many data sets: the promises that a method of finding has to keep.
//!
//! Knows nothing of how the findings came about.

use std::fmt::Write;

use crate::truths::ManufacturerTruths;

/// What a method says of one distributor.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Key in `distributors`.
    pub distributor_id: String,
    /// `below`, `watch`, `in_line` or `cannot_tell`.
    pub standing: String,
    /// First day of the month of the drop, `2024-07-01`, if one was found.
    pub since_month: Option<String>,
    /// The smallest drop that would have shown, in per cent.
    pub mde_pct: Option<f64>,
}

impl Finding {
    fn is_below(&self) -> bool {
        self.standing == "below"
    }
}

/// The counts over all data sets so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Manufacturers looked at.
    pub networks: u32,
    /// Those of which nobody was found `below`.
    pub silent: u32,
    /// Distributors `below`.
    pub below: u32,
    /// Those that nobody planted.
    pub false_below: u32,
    /// Planted underperformers.
    pub planted: u32,
    /// Those whose shortfall exceeds their own minimum detectable effect.
    pub detectable: u32,
    /// Of the detectable, those `below`.
    pub detected: u32,
    /// Of the detectable, those `below` or `watch`.
    pub noticed: u32,
    /// Of the detected, those whose month is within three of the planted one.
    pub dated: u32,
    /// Distributors planted as having merely worse leads that were found `below`.
    pub wronged: u32,
}

/// How many months off still counts as the right month.
const MONTHS_OFF: i64 = 3;

impl Tally {
    /// Counts one manufacturer.
    pub fn add(&mut self, truths: &ManufacturerTruths, findings: &[Finding]) {
        let planted = |who: &str| {
            let mut all = truths.underperformers.iter();
            all.any(|one| one.distributor_id == who)
        };
        let below: Vec<&Finding> = findings.iter().filter(|one| one.is_below()).collect();
        self.networks += 1;
        self.silent += u32::from(below.is_empty());
        self.below += below.len() as u32;
        let wrong = below.iter().filter(|one| !planted(&one.distributor_id));
        self.false_below += wrong.count() as u32;
        let worse = &truths.worse_leads.distributor_id;
        self.wronged += u32::from(below.iter().any(|one| one.distributor_id == *worse));
        for one in &truths.underperformers {
            let found = findings
                .iter()
                .find(|it| it.distributor_id == one.distributor_id);
            let shortfall = 100.0 * (1.0 - one.win_rate_factor);
            self.planted += 1;
            let Some(found) = found.filter(|it| it.mde_pct.is_some_and(|mde| mde < shortfall))
            else {
                continue;
            };
            self.detectable += 1;
            self.noticed += u32::from(found.is_below() || found.standing == "watch");
            if found.is_below() {
                self.detected += 1;
                let since = found.since_month.as_deref().and_then(months);
                let off = since.zip(months(&one.since_month));
                self.dated +=
                    u32::from(off.is_some_and(|(found, is)| (found - is).abs() <= MONTHS_OFF));
            }
        }
    }

    /// Which promises are broken; none where all are kept.
    #[must_use]
    pub fn broken(&self) -> Vec<String> {
        let promises = self.promises();
        let broken = promises.into_iter().filter(|promise| !promise.is_kept());
        broken.map(|promise| promise.line()).collect()
    }

    /// The promises and how they are kept, as a Markdown table.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut table = "| promise | counted | of | share |\n|---|--:|--:|--:|\n".to_owned();
        for promise in self.promises() {
            let _ = writeln!(table, "{}", promise.line());
        }
        table
    }

    fn promises(&self) -> [Promise; 6] {
        let promise = |what, limit, count, of| Promise {
            what,
            limit,
            count,
            of,
        };
        use Limit::{AtLeast, AtMost};
        [
            promise(
                "wrong among those `below`",
                AtMost(10),
                self.false_below,
                self.below,
            ),
            promise(
                "planted and detectable: `below`",
                AtLeast(75),
                self.detected,
                self.detectable,
            ),
            promise(
                "planted and detectable: `below` or `watch`",
                AtLeast(90),
                self.noticed,
                self.detectable,
            ),
            promise(
                "of those `below`: month within three of the planted one",
                AtLeast(80),
                self.dated,
                self.detected,
            ),
            promise(
                "networks whose worse leads are held against nobody",
                AtLeast(90),
                self.networks - self.wronged,
                self.networks,
            ),
            promise(
                "networks in which somebody is `below`",
                AtLeast(90),
                self.networks - self.silent,
                self.networks,
            ),
        ]
    }
}

enum Limit {
    AtLeast(u32),
    AtMost(u32),
}

struct Promise {
    what: &'static str,
    limit: Limit,
    count: u32,
    of: u32,
}

impl Promise {
    /// Nothing counted keeps no promise.
    fn is_kept(&self) -> bool {
        self.of > 0
            && match self.limit {
                Limit::AtLeast(percent) => self.count * 100 >= self.of * percent,
                Limit::AtMost(percent) => self.count * 100 <= self.of * percent,
            }
    }

    fn line(&self) -> String {
        let limit = match self.limit {
            Limit::AtLeast(percent) => format!("at least {percent} %"),
            Limit::AtMost(percent) => format!("at most {percent} %"),
        };
        let share = 100.0 * f64::from(self.count) / f64::from(self.of.max(1));
        format!(
            "| {} ({limit}) | {} | {} | {share:.1} % |",
            self.what, self.count, self.of
        )
    }
}

/// Months since year 0 of `2024-07-01`.
fn months(day: &str) -> Option<i64> {
    let (year, month) = (day.get(0..4)?, day.get(5..7)?);
    Some(year.parse::<i64>().ok()? * 12 + month.parse::<i64>().ok()?)
}
