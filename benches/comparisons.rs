//! How long do the five comparisons take, against DuckDB on the same Parquet files?
//!
//! One manufacturer of the demo data. Tributary answers in this process, planning included and every row taken in;
//! DuckDB in its own. Both use two threads and have the files in memory. DuckDB reads the files twice over: with
//! timestamps without a zone, which is how it is fastest, and as stored, which is what somebody would try first.

use std::sync::Arc;

use tributary_benches::{DuckDb, Outcome, Report, Settings, THREADS, Totals, Tributary, alternate};
use tributary_datasets::{Dataset, Question, questions};
use tributary_engine_core::model::Table;

const MANUFACTURER: &str = "acme";
const TABLES: [&str; 4] = ["distributors", "leads", "revenue", "resources"];
/// The comparisons are the first of the questions; the findings follow them.
const COMPARISONS: usize = 5;

fn main() -> Outcome<()> {
    let settings = Settings::from_args(15)?;
    let dataset = Dataset::new(settings.seed, settings.scale)?;
    let tributary = Tributary::with(&dataset, MANUFACTURER, &TABLES)?;
    let mut duckdb = DuckDb::start()?;
    println!(
        "comparisons: scale {}, {MANUFACTURER}, {THREADS} threads each, DuckDB {}",
        settings.scale, duckdb.version
    );

    let mut best = Report::new("Comparisons, DuckDB at its best", "Tributary", "DuckDB");
    for table in tables()? {
        duckdb.view_at_its_best(table, &tributary.table_folder(MANUFACTURER, &table.name))?;
    }
    ask(&tributary, &mut duckdb, settings, &mut best)?;

    let mut stored = Report::new(
        "Comparisons, DuckDB on TIMESTAMPTZ as stored",
        "Tributary",
        "DuckDB",
    );
    for table in tables()? {
        duckdb.view_as_stored(table, &tributary.table_folder(MANUFACTURER, &table.name))?;
    }
    ask(&tributary, &mut duckdb, settings, &mut stored)?;

    best.print();
    stored.print();
    Ok(())
}

fn ask(
    tributary: &Tributary,
    duckdb: &mut DuckDb,
    settings: Settings,
    report: &mut Report,
) -> Outcome<()> {
    for question in &questions()[..COMPARISONS] {
        agree(question, tributary, duckdb)?;
        let pairs = alternate(
            settings.pairs,
            || Ok(tributary.query(MANUFACTURER, question.sql)?.took),
            || Ok(duckdb.query(question.sql)?.took),
        )?;
        report.add(question.name, &pairs);
    }
    Ok(())
}

/// A wrong answer may be as fast as it likes.
fn agree(question: &Question, tributary: &Tributary, duckdb: &mut DuckDb) -> Outcome<()> {
    let ours = Totals::of(&tributary.query(MANUFACTURER, question.sql)?.batches)?;
    let theirs = duckdb.query(question.sql)?.totals;
    ours.agree(&theirs)
        .map_err(|error| format!("{}: {error}", question.name).into())
}

fn tables() -> Outcome<Vec<&'static Arc<Table>>> {
    let named = |name: &&str| Table::named(name).ok_or_else(|| format!("no table {name}").into());
    TABLES.iter().map(named).collect()
}
