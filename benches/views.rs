//! How long does each shipped view take, how much memory, and how does that grow with the data?
//!
//! One manufacturer with 500 distributors, at a tenth of the scale and at the scale. Each view is asked for all its
//! columns and rows in a process of its own, so that the peak of memory is the view's. Views whose SQL DuckDB can run, some
//! with macros for our functions (`views/macros.sql`), are asked of both in alternating pairs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tributary_benches::{
    DuckDb, Outcome, Report, Settings, Spread, THREADS, Totals, Tributary, alternate,
};
use tributary_datasets::Dataset;
use tributary_engine_core::model::Table;
use tributary_engine_core::shipped_views;

const DISTRIBUTORS: usize = 500;
const MANUFACTURER: &str = "acme";
/// Says to a process of ours that it is to ask one view: the folder, the question, and how often.
const ASKED: &str = "TRIBUTARY_BENCH_VIEW";
const MACROS: &str = include_str!("views/macros.sql");
/// Views of one row for each lead are summed up: nobody fetches millions of rows into a dashboard.
const SUMMED: [(&str, &str); 1] = [(
    "v_lead",
    "SELECT stage, count(*) AS leads, sum(amount) AS amount, max(days_to_close) AS longest FROM v_lead GROUP BY stage",
)];
/// Views that DuckDB runs as they are, with those that they name.
const PORTABLE: [&str; 8] = [
    "v_clock",
    "v_lead",
    "v_spine",
    "v_funnel",
    "v_revenue_by_period",
    "v_content_gap",
    "v_content_effect",
    "v_funnel_cohort",
];

fn main() -> Outcome<()> {
    if let Ok(asked) = std::env::var(ASKED) {
        return answer(&asked);
    }
    let settings = Settings::from_args(11)?;
    println!(
        "views: {DISTRIBUTORS} distributors, scales {} and {}, {THREADS} threads",
        settings.scale / 10.0,
        settings.scale
    );
    let small = loaded(settings, settings.scale / 10.0)?;
    let small_took = each(&small, settings.pairs)?;
    drop(small);
    let large = loaded(settings, settings.scale)?;
    let large_took = each(&large, settings.pairs)?;
    table(&small_took, &large_took);
    against_duckdb(&large, settings)
}

/// All tables of the demo data.
fn loaded(settings: Settings, scale: f64) -> Outcome<Tributary> {
    let dataset = Dataset::network(settings.seed, scale, DISTRIBUTORS)?;
    Tributary::with(&dataset, MANUFACTURER, Dataset::tables())
}

/// What one view took in a process of its own.
struct Asked {
    view: &'static str,
    seconds: Spread,
    rows: u64,
    peak_megabytes: f64,
}

fn question(view: &str) -> String {
    let summed = SUMMED.iter().find(|(name, _)| *name == view);
    summed.map_or_else(
        || format!("SELECT * FROM {view}"),
        |(_, sql)| (*sql).to_owned(),
    )
}

fn each(tributary: &Tributary, times: usize) -> Outcome<Vec<Asked>> {
    let mut all = Vec::new();
    for (view, _) in shipped_views() {
        let asked = format!(
            "{}\n{}\n{times}",
            tributary.folder().display(),
            question(view)
        );
        let done = Command::new(std::env::current_exe()?)
            .env(ASKED, asked)
            .output()?;
        if !done.status.success() {
            return Err(format!("{view}: {}", String::from_utf8_lossy(&done.stderr)).into());
        }
        let said: serde_json::Value = serde_json::from_slice(&done.stdout)?;
        let number = |name: &str| said[name].as_f64().unwrap_or(f64::NAN);
        let asked = Asked {
            view,
            seconds: Spread {
                low: number("low"),
                median: number("median"),
                high: number("high"),
            },
            rows: said["rows"].as_u64().unwrap_or_default(),
            peak_megabytes: number("peak"),
        };
        println!(
            "  {view}: {:.0} ms, {:.0} MB, {} rows",
            asked.seconds.median * 1e3,
            asked.peak_megabytes,
            asked.rows
        );
        all.push(asked);
    }
    Ok(all)
}

/// In the process of its own: asks once to warm up, then as often as told, and says what it took.
fn answer(asked: &str) -> Outcome<()> {
    let mut parts = asked.splitn(3, '\n');
    let mut part = || parts.next().ok_or("a part of the question is missing");
    let (folder, sql, times) = (PathBuf::from(part()?), part()?, part()?.parse::<usize>()?);
    let tributary = Tributary::on(folder)?;
    let ask = || tributary.query(MANUFACTURER, sql);
    let rows: usize = ask()?.batches.iter().map(|batch| batch.num_rows()).sum();
    let mut walls = Vec::new();
    for _ in 0..times {
        walls.push(ask()?.took.wall.as_secs_f64());
    }
    let Spread { low, median, high } = Spread::of(walls);
    let peak = peak_megabytes()?;
    println!(
        "{}",
        serde_json::json!({"low": low, "median": median, "high": high, "rows": rows, "peak": peak})
    );
    Ok(())
}

/// The most memory that this process ever had (Linux only).
fn peak_megabytes() -> Outcome<f64> {
    let status = Path::new("/proc/self/status");
    if !status.exists() {
        return Ok(f64::NAN);
    }
    let text = std::fs::read_to_string(status)?;
    let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    Ok(kilobytes
        .ok_or("no peak in the status")?
        .trim()
        .parse::<f64>()?
        / 1024.0)
}

fn table(small: &[Asked], large: &[Asked]) {
    println!("\n| view | rows | a tenth | all | growth | peak memory |\n|---|--:|--:|--:|--:|--:|");
    for (small, large) in small.iter().zip(large) {
        println!(
            "| {} | {} | {} | {} ({}–{}) | {:.1} | {:.0} MB |",
            large.view,
            large.rows,
            told(small.seconds.median),
            told(large.seconds.median),
            told(large.seconds.low),
            told(large.seconds.high),
            large.seconds.median / small.seconds.median,
            large.peak_megabytes,
        );
    }
}

fn told(seconds: f64) -> String {
    let time = Duration::from_secs_f64(seconds);
    format!("{time:.1?}")
}

fn against_duckdb(tributary: &Tributary, settings: Settings) -> Outcome<()> {
    let mut duckdb = DuckDb::start()?;
    for name in Dataset::tables() {
        let table = Table::named(name).ok_or("no such table")?;
        duckdb.view_at_its_best(table, &tributary.table_folder(MANUFACTURER, name))?;
    }
    for each in MACROS.split(";\n").filter(|each| !each.trim().is_empty()) {
        duckdb.query(each)?;
    }
    let mut report = Report::new("Views, DuckDB at its best", "Tributary", "DuckDB");
    for name in PORTABLE {
        let shipped = shipped_views().find(|(view, _)| *view == name);
        let (_, sql) = shipped.ok_or_else(|| format!("no view {name}"))?;
        let theirs = spelled_for_duckdb(sql);
        duckdb.query(&format!("CREATE OR REPLACE VIEW {name} AS {theirs}"))?;
        let sql = question(name);
        let ours = Totals::of(&tributary.query(MANUFACTURER, &sql)?.batches)?;
        ours.agree(&duckdb.query(&sql)?.totals)
            .map_err(|error| format!("{name}: {error}"))?;
        let pairs = alternate(
            settings.pairs,
            || Ok(tributary.query(MANUFACTURER, &sql)?.took),
            || Ok(duckdb.query(&sql)?.took),
        )?;
        report.add(name, &pairs);
    }
    report.print();
    Ok(())
}

/// `at` is a word of DuckDB's own in places, and its first value of an order has another name.
fn spelled_for_duckdb(sql: &str) -> String {
    sql.replace("(at)", "(\"at\")")
        .replace("BY at)", "BY \"at\")")
        .replace("first_value(reason_code", "first(reason_code")
}
