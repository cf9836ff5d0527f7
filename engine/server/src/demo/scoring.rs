//! Scores every lead with the shipped scorecard and sets the scores against what became of the leads.

use std::io::{self, Write};

use tributary_engine_core::Engine;
use tributary_engine_core::manufacturer::ManufacturerId;

use super::ask::ask;
use crate::cli::Result;
use crate::cli::grid::Grid;

/// Leads that have had their time, in ten equal parts by score: if the formula is any good, more are won higher up.
/// Industries are folded to one spelling, as the formula knows them.
pub(super) const DECILES: &str = "\
WITH scored AS (
    SELECT
        leads.outcome,
        leads.amount,
        woe_scorecard.probability(lower(trim(leads.industry)), leads.employees, campaigns.source) AS p
    FROM leads
    LEFT JOIN campaigns ON campaigns.campaign_id = leads.campaign_id
    WHERE leads.outcome <> 'open'
),
ranked AS (
    SELECT outcome, amount, p, ntile(10) OVER (ORDER BY p DESC) AS decile
    FROM scored
)
SELECT
    decile AS score_decile,
    count(*) AS leads,
    avg(p) AS mean_score,
    sum(CASE WHEN outcome = 'won' THEN 1 ELSE 0 END) AS won,
    round(100.0 * sum(CASE WHEN outcome = 'won' THEN 1 ELSE 0 END) / count(*), 2) AS won_pct,
    sum(CASE WHEN outcome = 'won' THEN amount END) AS won_amount
FROM ranked
GROUP BY decile
ORDER BY decile";

/// Prints the ten parts.
pub(super) async fn show(engine: &dyn Engine, manufacturer: &ManufacturerId) -> Result<()> {
    let grid = Grid::gather(ask(engine, manufacturer, DECILES).await?, 10)
        .await?
        .in_words();
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "\nLeads scored by the plugin (decile 1 = highest score), and how many of them were won"
    )?;
    write!(out, "{}", grid.layout()?)?;
    Ok(())
}
