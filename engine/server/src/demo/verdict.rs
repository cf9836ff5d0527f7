//! The last table: what was planted, and whether the comparisons found it. The only place that reads the truths.

use std::io::{self, Write};

use tributary_datasets::{ManufacturerTruths, Truths, Underperformer};
use tributary_engine_core::Engine;
use tributary_engine_core::manufacturer::ManufacturerId;

use super::findings::{Findings, Row};
use crate::cli::Result;
use crate::cli::grid;

/// Below this there are too few leads for most of the truths to stand out from chance.
const SCALE_TO_FIND: f64 = 0.5;

/// Asks the four questions that find something and prints how they did.
pub(super) async fn show(engine: &dyn Engine, truths: &Truths) -> Result<()> {
    let mut lines = Vec::new();
    let mut unplanted = 0;
    for planted in &truths.manufacturers {
        let manufacturer = ManufacturerId::try_from(planted.manufacturer.as_str())?;
        let found = Found::ask(engine, &manufacturer).await?;
        let of_manufacturer = found.against(planted);
        let about_planted = of_manufacturer
            .iter()
            .filter(|line| line.finding != Finding::None)
            .count();
        unplanted += found.count().saturating_sub(about_planted);
        lines.extend(of_manufacturer);
    }
    let met = |line: &&Line| matches!(line.finding, Finding::Met(_));
    let (found, planted) = (lines.iter().filter(met).count(), lines.len());
    let rows = lines
        .into_iter()
        .map(|line| [line.manufacturer, line.planted, line.finding.text()]);
    let table = grid::plain(["manufacturer", "planted", "found"], rows);
    let mut out = io::stdout().lock();
    writeln!(out, "{table}")?;
    writeln!(
        out,
        "found {found} of {planted}; findings that nobody planted: {unplanted}"
    )?;
    if truths.scale < SCALE_TO_FIND {
        writeln!(
            out,
            "At scale {} there are too few leads to be sure of most of them; --scale 1 has enough.",
            truths.scale
        )?;
    }
    Ok(())
}

/// One truth, and what was found of it.
struct Line {
    manufacturer: String,
    planted: String,
    finding: Finding,
}

/// How a finding meets a truth.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Finding {
    /// It says what was planted.
    Met(String),
    /// It names the right one and is wrong about when; not counted as found.
    WrongTime(String),
    /// There is none.
    None,
}

impl Finding {
    fn met(text: Option<String>) -> Self {
        text.map_or(Self::None, Self::Met)
    }

    fn text(self) -> String {
        match self {
            Self::Met(text) => text,
            Self::WrongTime(text) => format!("not in time: {text}"),
            Self::None => "not found".to_owned(),
        }
    }
}

/// What the questions found, without knowing what was planted.
struct Found {
    underperformers: Findings,
    worse_leads: Findings,
    payback: Findings,
    reasons: Findings,
}

impl Found {
    async fn ask(engine: &dyn Engine, manufacturer: &ManufacturerId) -> Result<Self> {
        Ok(Self {
            underperformers: Findings::of(engine, manufacturer, "underperformers").await?,
            worse_leads: Findings::of(engine, manufacturer, "worse_leads").await?,
            payback: Findings::of(engine, manufacturer, "resource_payback").await?,
            reasons: Findings::of(engine, manufacturer, "rejection_reasons").await?,
        })
    }

    /// All findings of the four questions.
    fn count(&self) -> usize {
        self.underperformers.saying("standing", "below").count()
            + self.worse_leads.saying("finding", "worse_leads").count()
            + self.payback.saying("finding", "pays").count()
            + self.reasons.saying("finding", "over_represented").count()
    }

    fn against(&self, planted: &ManufacturerTruths) -> Vec<Line> {
        let line = |planted_text: String, finding: Finding| Line {
            manufacturer: planted.manufacturer.clone(),
            planted: planted_text,
            finding,
        };
        let (worse, paying, reason) = (
            &planted.worse_leads,
            &planted.paying_resource,
            &planted.rejection_reason,
        );
        let mut lines: Vec<Line> = planted
            .underperformers
            .iter()
            .map(|one| {
                let text = format!(
                    "{} wins {} of what it should, from {}",
                    one.distributor_id, one.win_rate_factor, one.since_month
                );
                line(text, self.underperformer(one))
            })
            .collect();
        lines.push(line(
            format!(
                "{} merely has worse leads ({} of the network's rate)",
                worse.distributor_id, worse.mix_factor
            ),
            Finding::met(self.worse_leads(&worse.distributor_id)),
        ));
        lines.push(line(
            format!(
                "{} brings {} of revenue per unit of cost",
                paying.kind, paying.revenue_per_cost
            ),
            Finding::met(self.paying(&paying.kind)),
        ));
        lines.push(line(
            format!(
                "{} says \"{}\" {} times as often",
                reason.distributor_id, reason.reason, reason.factor
            ),
            Finding::met(self.reason(&reason.distributor_id, &reason.reason)),
        ));
        lines
    }

    /// Met when the standing is below and the planted month lies in the range given for it. Days of one format compare
    /// as text.
    fn underperformer(&self, planted: &Underperformer) -> Finding {
        let below = self.underperformers.saying("standing", "below");
        let Some(row) = of(below, &planted.distributor_id) else {
            return Finding::None;
        };
        let (ratio, month) = (row.text("ratio"), row.text("since_month"));
        let (from, to) = (row.text("since_from"), row.text("since_to"));
        if month.is_empty() {
            return Finding::WrongTime(format!("{ratio} of expected, all the time"));
        }
        let text = format!("{ratio} of expected, since {month} ({from} to {to})");
        let since = planted.since_month.as_str();
        if from.as_str() <= since && since <= to.as_str() {
            Finding::Met(text)
        } else {
            Finding::WrongTime(text)
        }
    }

    fn worse_leads(&self, distributor_id: &str) -> Option<String> {
        let row = of(
            self.worse_leads.saying("finding", "worse_leads"),
            distributor_id,
        )?;
        Some(format!(
            "{} raw, {} with its leads allowed for",
            row.text("raw_ratio"),
            row.text("adjusted_ratio")
        ))
    }

    fn paying(&self, kind: &str) -> Option<String> {
        let row = self
            .payback
            .saying("finding", "pays")
            .find(|row| row.text("kind") == kind)?;
        let (lo, hi) = (
            row.text("revenue_per_cost_lo"),
            row.text("revenue_per_cost_hi"),
        );
        Some(format!(
            "{} per unit of cost ({lo} to {hi})",
            row.text("revenue_per_cost")
        ))
    }

    fn reason(&self, distributor_id: &str, reason: &str) -> Option<String> {
        let rows = self.reasons.saying("finding", "over_represented");
        let row = of(
            rows.filter(|row| row.text("reason") == reason),
            distributor_id,
        )?;
        Some(format!("{} times the network's share", row.text("lift")))
    }
}

fn of<'a>(mut rows: impl Iterator<Item = &'a Row>, distributor_id: &str) -> Option<&'a Row> {
    rows.find(|row| row.text("distributor_id") == distributor_id)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn findings(rows: Value) -> Findings {
        Findings::from_rows(serde_json::from_value(rows).expect("rows are objects"))
    }

    fn truths() -> ManufacturerTruths {
        serde_json::from_value(json!({
            "manufacturer": "acme",
            "underperformers": [
                {"distributor_id": "D1", "since_month": "2024-05-01", "win_rate_factor": 0.45},
                {"distributor_id": "D2", "since_month": "2024-05-01", "win_rate_factor": 0.45},
            ],
            "worse_leads": {"distributor_id": "D3", "mix_factor": 0.6},
            "paying_resource": {"kind": "mdf", "revenue_per_cost": 5.0, "months": 3},
            "rejection_reason": {"distributor_id": "D4", "reason": "duplicate", "factor": 4.0},
        }))
        .expect("truths as datasets writes them")
    }

    #[test]
    fn counts_as_found_only_what_names_the_right_one() {
        let found = Found {
            underperformers: findings(json!([
                {"distributor_id": "D1", "standing": "below", "since_month": "2024-06-01",
                 "since_from": "2024-04-01", "since_to": "2024-07-01", "ratio": 0.5},
                {"distributor_id": "D2", "standing": "below", "since_month": null,
                 "since_from": null, "since_to": null, "ratio": 0.6},
                {"distributor_id": "D9", "standing": "in_line"},
            ])),
            worse_leads: findings(json!([{"distributor_id": "D3", "finding": "none"}])),
            payback: findings(
                json!([{"kind": "mdf", "finding": "pays", "revenue_per_cost": 4.8,
                 "revenue_per_cost_lo": 3.1, "revenue_per_cost_hi": 6.2}]),
            ),
            reasons: findings(json!([
                {"distributor_id": "D4", "reason": "no_need", "finding": "over_represented", "lift": 4.1},
                {"distributor_id": "D4", "reason": "duplicate", "finding": "over_represented", "lift": 4.2},
            ])),
        };
        let lines = found.against(&truths());
        let shown: Vec<String> = lines.into_iter().map(|line| line.finding.text()).collect();
        assert_eq!(
            shown,
            [
                "0.5 of expected, since 2024-06-01 (2024-04-01 to 2024-07-01)",
                "not in time: 0.6 of expected, all the time",
                "not found",
                "4.8 per unit of cost (3.1 to 6.2)",
                "4.2 times the network's share",
            ]
        );
        assert_eq!(found.count(), 5);
    }
}
