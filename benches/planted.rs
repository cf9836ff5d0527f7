//! Does `v_underperformers` find the distributors that were planted as underperforming, and leave the others alone?
//!
//! Twenty data sets of two manufacturers each, only the tables that the view reads. What the view says is counted against
//! what was planted; the table at the end is the one in README.md. A broken promise ends the bench with an error.

use arrow::array::{Array, RecordBatch};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use tributary_benches::{Outcome, Settings, Tributary};
use tributary_datasets::{Dataset, Finding, Tally};

const SEEDS: u64 = 20;
/// All that the view reads which the demo data has; the others are empty.
const TABLES: [&str; 3] = ["distributors", "campaigns", "leads"];
const SQL: &str = "SELECT distributor_id, standing, since_month, mde_pct FROM v_underperformers";

fn main() -> Outcome<()> {
    let settings = Settings::from_args(SEEDS as usize)?;
    println!("planted: {SEEDS} seeds from {}", settings.seed);
    let mut tally = Tally::default();
    for seed in settings.seed..settings.seed + SEEDS {
        let dataset = Dataset::new(seed, settings.scale)?;
        for truths in &dataset.truths().manufacturers {
            let manufacturer = &truths.manufacturer;
            let tributary = Tributary::with(&dataset, manufacturer, &TABLES)?;
            let batches = tributary.query(manufacturer, SQL)?.batches;
            let mut findings = Vec::new();
            for batch in &batches {
                findings.extend(read(batch)?);
            }
            tally.add(truths, &findings);
        }
        println!("seed {seed}: {tally:?}");
    }
    println!("\n{}", tally.markdown());
    match tally.broken() {
        broken if broken.is_empty() => Ok(()),
        broken => Err(broken.join("\n").into()),
    }
}

fn read(batch: &RecordBatch) -> Outcome<Vec<Finding>> {
    let options = FormatOptions::new();
    let columns: Vec<ArrayFormatter<'_>> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
        .collect::<Result<_, _>>()?;
    let cell = |place: usize, row: usize| {
        let known = !batch.column(place).is_null(row);
        known.then(|| columns[place].value(row).to_string())
    };
    let finding = |row: usize| {
        Ok(Finding {
            distributor_id: cell(0, row).unwrap_or_default(),
            standing: cell(1, row).unwrap_or_default(),
            since_month: cell(2, row),
            mde_pct: cell(3, row).map(|mde| mde.parse()).transpose()?,
        })
    };
    (0..batch.num_rows()).map(finding).collect()
}
