//! The last table: what was planted, and whether the comparisons found it. The only place that reads the truths.

use std::io::{self, Write};

use tributary_datasets::{ManufacturerTruths, Truths, Underperformer};
use tributary_engine_core::Engine;
use tributary_engine_core::manufacturer::ManufacturerId;

use super::findings::{Findings, Row};
use crate::cli::Result;
use crate::cli::grid;

/// Asks the four questions that find something and prints how they did.
pub(super) async fn show(engine: &dyn Engine, truths: &Truths) -> Result<()> {
    let mut lines = Vec::new();
    let mut unplanted = 0;
    for planted in &truths.manufacturers {
        let manufacturer = ManufacturerId::try_from(planted.manufacturer.as_str())?;
        let found = Found::ask(engine, &manufacturer).await?;
        let of_manufacturer = found.against(planted);
        let matched = of_manufacturer
            .iter()
            .filter(|line| line.found.is_some())
            .count();
        unplanted += found.count().saturating_sub(matched);
        lines.extend(of_manufacturer);
    }
    let found = lines.iter().filter(|line| line.found.is_some()).count();
    let rows = lines.iter().map(|line| {
        let found = line.found.clone().unwrap_or_else(|| "not found".to_owned());
        [line.manufacturer.clone(), line.planted.clone(), found]
    });
    let table = grid::plain(["manufacturer", "planted", "found"], rows);
    let mut out = io::stdout().lock();
    writeln!(out, "{table}")?;
    writeln!(
        out,
        "found {found} of {}; findings that nobody planted: {unplanted}",
        lines.len()
    )?;
    Ok(())
}

/// One truth, and the finding that meets it.
struct Line {
    manufacturer: String,
    planted: String,
    found: Option<String>,
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
        let line = |planted_text: String, found: Option<String>| Line {
            manufacturer: planted.manufacturer.clone(),
            planted: planted_text,
            found,
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
            self.worse_leads(&worse.distributor_id),
        ));
        lines.push(line(
            format!(
                "{} brings {} of revenue per unit of cost",
                paying.kind, paying.revenue_per_cost
            ),
            self.paying(&paying.kind),
        ));
        lines.push(line(
            format!(
                "{} says \"{}\" {} times as often",
                reason.distributor_id, reason.reason, reason.factor
            ),
            self.reason(&reason.distributor_id, &reason.reason),
        ));
        lines
    }

    /// Found when the standing is below and the planted month lies in the range given for it. Days of one format
    /// compare as text.
    fn underperformer(&self, planted: &Underperformer) -> Option<String> {
        let row = self
            .underperformers
            .saying("standing", "below")
            .find(|row| row.text("distributor_id") == planted.distributor_id)?;
        let (from, to) = (row.text("since_from"), row.text("since_to"));
        let since = planted.since_month.as_str();
        (from.as_str() <= since && since <= to.as_str()).then(|| {
            format!(
                "{} of expected, since {} ({from} to {to})",
                row.text("ratio"),
                row.text("since_month")
            )
        })
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
                {"distributor_id": "D2", "standing": "below", "since_month": null, "since_from": null, "since_to": null},
                {"distributor_id": "D9", "standing": "in_line"},
            ])),
            worse_leads: findings(json!([{"distributor_id": "D3", "finding": "none"}])),
            payback: findings(json!([{"kind": "mdf", "finding": "pays", "revenue_per_cost": 4.8}])),
            reasons: findings(json!([
                {"distributor_id": "D4", "reason": "no_need", "finding": "over_represented", "lift": 4.1},
                {"distributor_id": "D4", "reason": "duplicate", "finding": "over_represented", "lift": 4.2},
            ])),
        };
        let lines = found.against(&truths());
        let met: Vec<bool> = lines.iter().map(|line| line.found.is_some()).collect();
        assert_eq!(met, [true, false, false, true, true]);
        assert_eq!(found.count(), 5);
        assert_eq!(
            lines[0].found.as_deref(),
            Some("0.5 of expected, since 2024-06-01 (2024-04-01 to 2024-07-01)")
        );
    }
}
