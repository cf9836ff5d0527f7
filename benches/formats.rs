//! How fast do the rows of a file of each format become a table, against DuckDB reading the same file into sorted Parquet?
//!
//! The revenue of one manufacturer of the demo data in each format that ingest reads. DuckDB reads no Arrow IPC by itself: it
//! gets the same rows as Parquet there. Otherwise as in `ingest.rs`: both write sorted Parquet of one compression.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::csv::ReaderBuilder;
use arrow::ipc::writer::{FileWriter, StreamWriter};
use arrow::json::LineDelimitedWriter;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use futures::StreamExt;
use tempfile::TempDir;
use tributary_benches::{
    DuckDb, Outcome, Report, Settings, THREADS, Took, Tributary, alternate, quoted, scratch,
};
use tributary_datasets::Dataset;
use tributary_engine_core::engine::{Body, Reading};
use tributary_engine_core::limits::ROW_GROUP_ROWS;
use tributary_engine_core::model::{Kind, Table};

const MANUFACTURER: &str = "acme";
const TABLE: &str = "revenue";
const CHUNK_BYTES: usize = 256 << 10;
const BATCH_ROWS: usize = 65_536;

fn main() -> Outcome<()> {
    let settings = Settings::from_args(10)?;
    let dataset = Dataset::new(settings.seed, settings.scale)?;
    let folder = TempDir::new_in(scratch()?)?;
    let mut duckdb = DuckDb::start()?;
    let table = Table::named(TABLE).ok_or("no such table")?;
    let csv = folder.path().join("rows.csv");
    write_csv(&dataset, &csv)?;
    let batches = batches(table, &csv)?;
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    println!(
        "formats: {rows} rows of {TABLE}, {THREADS} threads each, DuckDB {}",
        duckdb.version
    );
    let files = files(&mut duckdb, table, &csv, &batches)?;
    let mut report = Report::new("Ingest of each format", "Tributary", "DuckDB COPY");
    for (file, theirs_from) in &files {
        let name = file.file_name().and_then(|name| name.to_str());
        let name = name.unwrap_or_default();
        let bytes = std::fs::metadata(file)?.len() as f64 / 1e6;
        let pairs = alternate(
            settings.pairs,
            || ours(file, rows),
            || theirs(&mut duckdb, table, theirs_from, rows),
        )?;
        report.add_rates(&format!("{name}, {bytes:.1} MB"), &pairs, rows as u64);
    }
    report.print();
    Ok(())
}

fn write_csv(dataset: &Dataset, path: &Path) -> Outcome<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let chunks = dataset.csv(MANUFACTURER, TABLE).ok_or("no such table")?;
    for chunk in chunks {
        out.write_all(&chunk)?;
    }
    Ok(out.flush()?)
}

fn batches(table: &Table, csv: &Path) -> Outcome<Vec<RecordBatch>> {
    let reader = ReaderBuilder::new(table.schema())
        .with_header(true)
        .with_batch_size(BATCH_ROWS)
        .build(BufReader::new(File::open(csv)?))?;
    Ok(reader.collect::<Result<_, _>>()?)
}

/// The file of each format, and the file that DuckDB reads beside it.
fn files(
    duckdb: &mut DuckDb,
    table: &Table,
    csv: &Path,
    batches: &[RecordBatch],
) -> Outcome<Vec<(PathBuf, PathBuf)>> {
    let path = |extension: &str| csv.with_extension(extension);
    let read = read(table, csv);
    for (extension, options) in [
        ("parquet", "FORMAT parquet, COMPRESSION zstd"),
        ("csv.gz", "FORMAT csv, COMPRESSION gzip"),
        ("csv.zst", "FORMAT csv, COMPRESSION zstd"),
    ] {
        let rows = if extension == "parquet" {
            read.clone()
        } else {
            format!("read_csv({}, all_varchar = true)", quoted(csv))
        };
        let target = quoted(&path(extension));
        duckdb.query(&format!(
            "COPY (SELECT * FROM {rows}) TO {target} ({options})"
        ))?;
    }
    let schema = table.schema();
    let mut json = LineDelimitedWriter::new(BufWriter::new(File::create(path("ndjson"))?));
    let mut stream = StreamWriter::try_new(File::create(path("arrows"))?, &schema)?;
    let mut file = FileWriter::try_new(File::create(path("arrow"))?, &schema)?;
    for batch in batches {
        let batch = RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec())?;
        json.write(&batch)?;
        stream.write(&batch)?;
        file.write(&batch)?;
    }
    json.finish()?;
    json.into_inner().flush()?;
    stream.finish()?;
    file.finish()?;
    let same = |extension: &str| (path(extension), path(extension));
    Ok(vec![
        (csv.to_owned(), csv.to_owned()),
        same("csv.gz"),
        same("csv.zst"),
        same("ndjson"),
        same("parquet"),
        (path("arrows"), path("parquet")),
        (path("arrow"), path("parquet")),
    ])
}

fn ours(file: &Path, rows: usize) -> Outcome<Took> {
    let tributary = Tributary::empty()?;
    let (format, compression) = Reading::by_name(file);
    let reading = Reading {
        format,
        compression,
        ..Reading::default()
    };
    let (took, receipt) = tributary.ingest_as(MANUFACTURER, TABLE, reading, body(file)?)?;
    if receipt.inserted != rows as u64 {
        return Err(format!("{} of {rows} rows inserted", receipt.inserted).into());
    }
    Ok(took)
}

fn theirs(duckdb: &mut DuckDb, table: &Table, file: &Path, rows: usize) -> Outcome<Took> {
    let target = file.with_extension("copy");
    let copied = duckdb.query(&format!(
        "COPY (SELECT * FROM {} ORDER BY {}) TO {} \
         (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {ROW_GROUP_ROWS})",
        read(table, file),
        table.order.join(", "),
        quoted(&target)
    ))?;
    std::fs::remove_file(&target)?;
    if copied.totals.sums != [Some(rows as f64)] {
        return Err(format!("{:?} of {rows} rows copied", copied.totals).into());
    }
    Ok(copied.took)
}

/// How DuckDB reads a file, with the types of the table.
fn read(table: &Table, file: &Path) -> String {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| format!("'{}': '{}'", column.name, duckdb_type(column.kind)))
        .collect();
    let (columns, name) = (columns.join(", "), file.to_string_lossy());
    let file = quoted(file);
    if name.ends_with("ndjson") {
        format!("read_json({file}, format = 'newline_delimited', columns = {{{columns}}})")
    } else if name.ends_with("parquet") {
        format!("read_parquet({file})")
    } else {
        format!("read_csv({file}, header = true, columns = {{{columns}}})")
    }
}

fn duckdb_type(kind: Kind) -> String {
    match kind {
        Kind::Text => "VARCHAR".to_owned(),
        Kind::Date => "DATE".to_owned(),
        Kind::Timestamp => "TIMESTAMPTZ".to_owned(),
        Kind::Count => "BIGINT".to_owned(),
        Kind::Rating => "TINYINT".to_owned(),
        Kind::Money => "DECIMAL(19,4)".to_owned(),
        Kind::Decimal(precision, scale) => format!("DECIMAL({precision},{scale})"),
        Kind::Number => "DOUBLE".to_owned(),
        Kind::Flag => "BOOLEAN".to_owned(),
    }
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
