//! How fast do the rows of a CSV file become a table, against DuckDB's COPY of the same file into sorted Parquet?
//!
//! All revenue and all leads of the demo data, a file for each manufacturer, into a new database each time. Both read
//! the file from memory, check the same types, sort by (distributor, time) and write Parquet with the same compression
//! and row groups. Tributary also checks that keys are unique and values allowed, and commits to the Delta log.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures::StreamExt;
use tempfile::TempDir;
use tributary_benches::{
    DuckDb, Outcome, Report, Settings, THREADS, Took, Tributary, alternate, quoted, scratch,
};
use tributary_datasets::Dataset;
use tributary_engine_core::engine::Body;
use tributary_engine_core::limits::ROW_GROUP_ROWS;
use tributary_engine_core::model::{Kind, MONEY_PRECISION, MONEY_SCALE, Table};

const TABLES: [&str; 2] = ["revenue", "leads"];
/// The level that the engine writes with; DuckDB's own default is 3.
const ZSTD_LEVEL: u32 = 1;
const CHUNK_BYTES: usize = 256 << 10;

/// One CSV file and whose it is.
struct Delivery {
    manufacturer: String,
    file: PathBuf,
    rows: u64,
}

fn main() -> Outcome<()> {
    let settings = Settings::from_args(10)?;
    let dataset = Dataset::new(settings.seed, settings.scale)?;
    let folder = TempDir::new_in(scratch()?)?;
    let mut duckdb = DuckDb::start()?;
    println!(
        "ingest: scale {}, {THREADS} threads each, zstd level {ZSTD_LEVEL}, {ROW_GROUP_ROWS} rows in a row group, DuckDB {}",
        settings.scale, duckdb.version
    );
    let mut report = Report::new("Ingest from CSV", "Tributary", "DuckDB COPY");
    for name in TABLES {
        let table = Table::named(name).ok_or_else(|| format!("no table {name}"))?;
        let deliveries = deliveries(&dataset, name, folder.path())?;
        let pairs = alternate(
            settings.pairs,
            || ours(table, &deliveries),
            || theirs(&mut duckdb, table, &deliveries),
        )?;
        let rows = deliveries.iter().map(|delivery| delivery.rows).sum();
        report.add_rates(&format!("{name}, {rows} rows"), &pairs, rows);
    }
    report.print();
    Ok(())
}

/// Writes the CSV files of one table.
fn deliveries(dataset: &Dataset, table: &str, folder: &Path) -> Outcome<Vec<Delivery>> {
    let each = dataset.manufacturers().into_iter().map(|manufacturer| {
        let file = folder.join(format!("{manufacturer}-{table}.csv"));
        let mut out = BufWriter::new(File::create(&file)?);
        let mut lines = 0;
        for chunk in dataset.csv(manufacturer, table).into_iter().flatten() {
            lines += chunk.iter().filter(|byte| **byte == b'\n').count() as u64;
            out.write_all(&chunk)?;
        }
        out.flush()?;
        Ok(Delivery {
            manufacturer: manufacturer.to_owned(),
            file,
            rows: lines - 1,
        })
    });
    each.collect()
}

fn ours(table: &Table, deliveries: &[Delivery]) -> Outcome<Took> {
    let tributary = Tributary::empty()?;
    let mut total = Took::default();
    for delivery in deliveries {
        let (took, receipt) =
            tributary.ingest(&delivery.manufacturer, &table.name, body(&delivery.file)?)?;
        if receipt.inserted != delivery.rows {
            return Err(format!("{} of {} rows inserted", receipt.inserted, delivery.rows).into());
        }
        total += took;
    }
    Ok(total)
}

fn theirs(duckdb: &mut DuckDb, table: &Table, deliveries: &[Delivery]) -> Outcome<Took> {
    let mut total = Took::default();
    for delivery in deliveries {
        let target = delivery.file.with_extension("parquet");
        let copied = duckdb.query(&copy(table, &delivery.file, &target))?;
        std::fs::remove_file(&target)?;
        if copied.totals.sums != [Some(delivery.rows as f64)] {
            return Err(format!("{:?} of {} rows copied", copied.totals, delivery.rows).into());
        }
        total += copied.took;
    }
    Ok(total)
}

/// A file as a request's body.
fn body(file: &Path) -> Outcome<Body> {
    let chunks = futures::stream::try_unfold(File::open(file)?, |mut file| async {
        let mut chunk = vec![0; CHUNK_BYTES];
        let length = file.read(&mut chunk)?;
        chunk.truncate(length);
        Ok((length > 0).then(|| (Bytes::from(chunk), file)))
    });
    Ok(chunks.boxed())
}

fn copy(table: &Table, source: &Path, target: &Path) -> String {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| format!("'{}': '{}'", column.name, duckdb_type(column.kind)))
        .collect();
    format!(
        "COPY (SELECT * FROM read_csv({}, header = true, columns = {{{}}}) ORDER BY {}) \
         TO {} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {ZSTD_LEVEL}, ROW_GROUP_SIZE {ROW_GROUP_ROWS})",
        quoted(source),
        columns.join(", "),
        table.order.join(", "),
        quoted(target)
    )
}

fn duckdb_type(kind: Kind) -> String {
    match kind {
        Kind::Text => "VARCHAR".to_owned(),
        Kind::Date => "DATE".to_owned(),
        Kind::Timestamp => "TIMESTAMPTZ".to_owned(),
        Kind::Count => "BIGINT".to_owned(),
        Kind::Rating => "TINYINT".to_owned(),
        Kind::Money => format!("DECIMAL({MONEY_PRECISION},{MONEY_SCALE})"),
        Kind::Decimal(precision, scale) => format!("DECIMAL({precision},{scale})"),
        Kind::Number => "DOUBLE".to_owned(),
        Kind::Flag => "BOOLEAN".to_owned(),
    }
}
