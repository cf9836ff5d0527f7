//! What does the sandbox cost? A score over all leads through the Wasm plugin, against the same formula without it.
//!
//! Twice: the call alone, over Arrow batches as a query hands them over, against a loop in Rust over the same arrays
//! that calls the very function the plugin was compiled from; and the whole query, against the same function as a native
//! one of DataFusion, against the formula written in SQL, and against sums that read and join the same columns and
//! compute next to nothing. Then an aggregate of a plugin, against a native one; and from an upload to a first result.

mod score {
    pub mod native;
}

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, RecordBatch, UInt32Array};
use arrow::compute::{cast, concat_batches, sum, take_record_batch};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use score::native;
use tributary_benches::{
    DuckDb, Outcome, Report, Settings, THREADS, Took, Totals, Tributary, alternate,
};
use tributary_datasets::Dataset;
use tributary_engine_server::PLUGINS;
use tributary_plugins_guests_woe_scorecard::probability;
use tributary_plugins_host::{Argument, Host, InProcess, Limits, Pool};

const MANUFACTURER: &str = "acme";
/// Rows of one batch of a query.
const BATCH_ROWS: usize = 8_192;
/// Passes over all leads in one measurement of the call alone, which takes a few milliseconds.
const PASSES: u32 = 10;

const FROM: &str = "FROM leads l LEFT JOIN campaigns c ON c.campaign_id = l.campaign_id";
const PLUGIN: &str = "sum(woe_scorecard.probability(l.industry, l.employees, c.source))";
const CHEAP: &str = "sum(CAST(l.employees AS DOUBLE)), count(l.industry), count(c.source)";
const FORMULA: &str = "sum(1 / (1 + exp(-(-1.2
    + 0.9 * CASE WHEN l.industry IS NULL THEN -0.20 WHEN l.industry = 'metal' THEN 0.55
        WHEN l.industry = 'automotive' THEN 0.42 WHEN l.industry = 'energy' THEN 0.31
        WHEN l.industry = 'pharma' THEN 0.24 WHEN l.industry = 'chemicals' THEN 0.12
        WHEN l.industry = 'construction' THEN -0.22 WHEN l.industry = 'food' THEN -0.30 ELSE -0.10 END
    + 0.7 * CASE WHEN l.employees >= 250 THEN 0.25 WHEN l.employees >= 50 THEN 0.44
        WHEN l.employees >= 0 THEN -0.35 ELSE -0.30 END
    + 1.1 * CASE WHEN c.source IS NULL THEN -0.25 WHEN c.source = 'referral' THEN 0.90
        WHEN c.source = 'partner' THEN 0.52 WHEN c.source = 'webinar' THEN 0.21
        WHEN c.source = 'tradeshow' THEN 0.18 WHEN c.source = 'web' THEN -0.07
        WHEN c.source = 'list' THEN -0.70 ELSE -0.15 END))))";

fn main() -> Outcome<()> {
    let settings = Settings::from_args(15)?;
    let dataset = Dataset::new(settings.seed, settings.scale)?;
    let tables = ["campaigns", "leads", "revenue"];
    let tributary = Tributary::with_native(native::functions(), &dataset, MANUFACTURER, &tables)?;
    let wasm = shipped("woe_scorecard")?;
    tributary.activate(MANUFACTURER, wasm)?;
    println!(
        "score: scale {}, {MANUFACTURER}, {THREADS} threads in SQL, one in the call alone",
        settings.scale
    );

    let mut report = Report::new("Score over all leads", "plugin", "without");
    the_call_alone(&tributary, wasm, settings, &mut report)?;
    the_whole_query(&tributary, settings, &mut report)?;
    by_distributor(&tributary, settings, &mut report)?;
    an_aggregate(&tributary, settings, &mut report)?;
    report.print();
    against_duckdb(&tributary, settings)
}

/// The mean score of each distributor's leads, on the same files.
fn against_duckdb(tributary: &Tributary, settings: Settings) -> Outcome<()> {
    let mut duckdb = DuckDb::start()?;
    for name in ["campaigns", "leads"] {
        let tables = tributary_engine_core::model::TABLES.iter();
        let table = tables.clone().find(|table| table.name == name);
        let table = table.ok_or_else(|| format!("there is no table {name}"))?;
        duckdb.view_at_its_best(table, &tributary.table_folder(MANUFACTURER, name))?;
    }
    let mean = |score: &str| {
        format!("SELECT l.distributor_id, avg({score}) AS mean {FROM} GROUP BY l.distributor_id")
    };
    let ours = mean("woe_scorecard.probability(l.industry, l.employees, c.source)");
    let formula = FORMULA.trim_start_matches("sum(").strip_suffix(')');
    let others = [
        (
            "the formula in its SQL",
            formula.ok_or("the formula is a sum")?,
        ),
        (
            "a Python UDF, native",
            "score_by_row(l.industry, l.employees, c.source)",
        ),
        (
            "a Python UDF, arrow",
            "score_by_batch(l.industry, l.employees, c.source)",
        ),
    ];
    let mut report = Report::new("Mean score by distributor", "plugin", "DuckDB");
    let answer = tributary.query(MANUFACTURER, &ours)?;
    for (name, other) in others {
        let theirs = mean(other);
        Totals::of(&answer.batches)?.agree(&duckdb.query(&theirs)?.totals)?;
        let pairs = alternate(
            settings.pairs,
            || Ok(tributary.query(MANUFACTURER, &ours)?.took),
            || Ok(duckdb.query(&theirs)?.took),
        )?;
        report.add(&format!("against {name}"), &pairs);
    }
    report.print();
    Ok(())
}

fn the_call_alone(
    tributary: &Tributary,
    wasm: &[u8],
    settings: Settings,
    report: &mut Report,
) -> Outcome<()> {
    let batches = batches(tributary)?;
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let limits = Limits::default();
    let plugin = Host::new(limits.clone())?.install(wasm, &InProcess::new(&limits)?)?;
    let functions = &plugin.manifest().functions;
    let function = functions
        .iter()
        .position(|function| function.name == "probability");
    let function = function.ok_or("the scorecard has no probability")?;
    let pool = plugin.pool(&plugin.settings(&serde_json::Map::new())?, None);

    let through_wasm = |batch: &RecordBatch| sandboxed(&pool, function, batch);
    let in_rust = |batch: &RecordBatch| Ok(Arc::new(looped(batch)) as ArrayRef);
    let (wasm_sum, native_sum) = (total(&batches, &through_wasm)?, total(&batches, &in_rust)?);
    if (wasm_sum - native_sum).abs() > 1e-9 * native_sum {
        return Err(format!("the plugin says {wasm_sum}, Rust {native_sum}").into());
    }
    let pairs = alternate(
        settings.pairs,
        || timed(&batches, &through_wasm),
        || timed(&batches, &in_rust),
    )?;
    let name = format!("call alone, batches of {BATCH_ROWS} rows, against a loop in Rust");
    report.add_rates(&name, &pairs, (rows * PASSES as usize) as u64);
    Ok(())
}

fn the_whole_query(tributary: &Tributary, settings: Settings, report: &mut Report) -> Outcome<()> {
    let ask = |what: &str| tributary.query(MANUFACTURER, &format!("SELECT {what} {FROM}"));
    let (plugin, formula) = (ask(PLUGIN)?, ask(FORMULA)?);
    Totals::of(&plugin.batches)?.agree(&Totals::of(&formula.batches)?)?;
    let others = [
        ("the formula in SQL", FORMULA),
        ("sums of the same columns", CHEAP),
    ];
    for (name, other) in others {
        let pairs = alternate(
            settings.pairs,
            || Ok(ask(PLUGIN)?.took),
            || Ok(ask(other)?.took),
        )?;
        report.add(&format!("whole query, against {name}"), &pairs);
    }
    for receipt in ask(PLUGIN)?.plugins {
        println!(
            "  receipt of one query: {} {}, {} rows in {} calls, {:.1} ms inside over all threads",
            receipt.plugin,
            receipt.version,
            receipt.rows,
            receipt.calls,
            receipt.elapsed_us as f64 / 1e3
        );
    }
    Ok(())
}

/// The mean score of each distributor's leads, against the score as a native function of DataFusion.
fn by_distributor(tributary: &Tributary, settings: Settings, report: &mut Report) -> Outcome<()> {
    let mean = |function: &str| {
        format!(
            "SELECT l.distributor_id, avg({function}(l.industry, l.employees, c.source)) AS mean {FROM} GROUP BY 1"
        )
    };
    let (plugin, native) = (
        mean("woe_scorecard.probability"),
        mean("native_probability"),
    );
    race(
        tributary,
        settings,
        report,
        "mean score by distributor, against a native function",
        (&plugin, &native),
    )
}

/// Mean amounts weighted with quantities, over all and by product.
fn an_aggregate(tributary: &Tributary, settings: Settings, report: &mut Report) -> Outcome<()> {
    tributary.activate(MANUFACTURER, shipped("fit_engagement")?)?;
    for (name, by) in [
        ("over all", "1"),
        ("by distributor", "distributor_id"),
        ("by product", "product_id"),
    ] {
        let ask = |function: &str| {
            format!("SELECT {by} AS grp, {function}(amount, units) AS mean FROM (
                SELECT {by}, CAST(amount AS DOUBLE) AS amount, CAST(quantity AS DOUBLE) AS units FROM revenue) GROUP BY 1")
        };
        let (plugin, native) = (
            ask("fit_engagement.weighted_mean"),
            ask("native_weighted_mean"),
        );
        let name = format!("weighted mean {name}, against a native aggregate");
        race(tributary, settings, report, &name, (&plugin, &native))?;
    }
    Ok(())
}

/// Two queries that have to agree, in alternation.
fn race(
    tributary: &Tributary,
    settings: Settings,
    report: &mut Report,
    name: &str,
    (plugin, native): (&str, &str),
) -> Outcome<()> {
    let ask = |sql: &str| tributary.query(MANUFACTURER, sql);
    Totals::of(&ask(plugin)?.batches)?.agree(&Totals::of(&ask(native)?.batches)?)?;
    let pairs = alternate(
        settings.pairs,
        || Ok(ask(plugin)?.took),
        || Ok(ask(native)?.took),
    )?;
    report.add(name, &pairs);
    Ok(())
}

/// A plugin that comes with the engine.
fn shipped(plugin: &str) -> Outcome<&'static [u8]> {
    let found = PLUGINS.iter().find(|(name, _)| *name == plugin);
    Ok(found.ok_or_else(|| format!("no {plugin}"))?.1)
}

/// The arguments of the score, in batches of a query's size that own their buffers.
fn batches(tributary: &Tributary) -> Outcome<Vec<RecordBatch>> {
    let sql = format!("SELECT l.industry, l.employees, c.source {FROM}");
    let answer = tributary.query(MANUFACTURER, &sql)?.batches;
    let schema = answer.first().ok_or("there are no leads")?.schema();
    let all = concat_batches(&schema, &answer)?;
    let mut batches = Vec::new();
    for start in (0..all.num_rows()).step_by(BATCH_ROWS) {
        let end = all.num_rows().min(start + BATCH_ROWS);
        let rows = UInt32Array::from_iter_values(u32::try_from(start)?..u32::try_from(end)?);
        let batch = take_record_batch(&all, &rows)?;
        let kinds = [DataType::Utf8, DataType::Int64, DataType::Utf8];
        let columns = batch
            .columns()
            .iter()
            .zip(kinds)
            .map(|(column, kind)| cast(column, &kind));
        let columns: Vec<ArrayRef> = columns.collect::<Result<_, _>>()?;
        let names = ["industry", "employees", "source"];
        batches.push(RecordBatch::try_from_iter(names.into_iter().zip(columns))?);
    }
    Ok(batches)
}

fn sandboxed(pool: &Pool, function: usize, batch: &RecordBatch) -> Outcome<ArrayRef> {
    let arguments: Vec<Argument<'_>> = batch.columns().iter().map(Argument::Array).collect();
    Ok(pool.call(function, &arguments, batch.num_rows())?)
}

fn looped(batch: &RecordBatch) -> Float64Array {
    let industry = batch.column(0).as_string::<i32>();
    let employees = batch.column(1).as_primitive::<Int64Type>();
    let source = batch.column(2).as_string::<i32>();
    let rows = industry.iter().zip(employees).zip(source);
    Float64Array::from_iter_values(
        rows.map(|((industry, employees), source)| probability(industry, employees, source)),
    )
}

fn timed(
    batches: &[RecordBatch],
    score: &dyn Fn(&RecordBatch) -> Outcome<ArrayRef>,
) -> Outcome<Took> {
    let keep = |batch| score(batch).map(|scores| drop(black_box(scores)));
    let pass = |_| batches.iter().try_for_each(keep);
    Ok(Took::of(|| (0..PASSES).try_for_each(pass))?.0)
}

fn total(
    batches: &[RecordBatch],
    score: &dyn Fn(&RecordBatch) -> Outcome<ArrayRef>,
) -> Outcome<f64> {
    let mut all = 0.0;
    for batch in batches {
        all += sum(score(batch)?.as_primitive::<Float64Type>()).unwrap_or_default();
    }
    Ok(all)
}
