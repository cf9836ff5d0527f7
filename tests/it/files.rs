//! The same rows as a file of each format and each packing, for the tests that send files.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::ipc::writer::{FileWriter, StreamWriter};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;

pub const CSV: &str = "text/csv";
pub const NDJSON: &str = "application/x-ndjson";
pub const PARQUET: &str = "application/vnd.apache.parquet";
pub const STREAM: &str = "application/vnd.apache.arrow.stream";
pub const FILE: &str = "application/vnd.apache.arrow.file";

/// Five files of one content: the name of the format in a receipt, the content type, the bytes.
pub fn revenue(rows: usize) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let batch = batch(rows);
    vec![
        ("csv", CSV, csv(rows).into_bytes()),
        ("ndjson", NDJSON, ndjson(rows).into_bytes()),
        ("parquet", PARQUET, parquet(&batch)),
        ("arrow_stream", STREAM, stream(&batch)),
        ("arrow_file", FILE, file(&batch)),
    ]
}

fn csv(rows: usize) -> String {
    let lines = (0..rows).map(|row| {
        format!(
            "Q{row},D{},2024-05-31T09:30:00Z,{row}.1234,\"{}\",new\n",
            row % 7,
            row + 1
        )
    });
    "revenue_id,distributor_id,booked_at,amount,quantity,kind\n".to_owned()
        + &lines.collect::<String>()
}

fn ndjson(rows: usize) -> String {
    let lines = (0..rows).map(|row| {
        format!(
            "{{\"revenue_id\":\"Q{row}\",\"distributor_id\":\"D{}\",\"booked_at\":\"2024-05-31T09:30:00Z\",\
             \"amount\":{row}.1234,\"quantity\":{},\"kind\":\"new\"}}\n",
            row % 7,
            row + 1
        )
    });
    lines.collect()
}

pub fn batch(rows: usize) -> RecordBatch {
    let numbers = || 0..i64::try_from(rows).expect("few");
    let ids: Vec<String> = numbers().map(|row| format!("Q{row}")).collect();
    let distributors: Vec<String> = numbers().map(|row| format!("D{}", row % 7)).collect();
    let amounts = numbers().map(|row| i128::from(row) * 10_000 + 1_234);
    let amounts = Decimal128Array::from_iter_values(amounts)
        .with_precision_and_scale(19, 4)
        .expect("money");
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("revenue_id", Arc::new(StringArray::from(ids))),
        ("distributor_id", Arc::new(StringArray::from(distributors))),
        (
            "booked_at",
            Arc::new(TimestampMicrosecondArray::from(vec![
                1_717_147_800_000_000;
                rows
            ])),
        ),
        ("amount", Arc::new(amounts)),
        (
            "quantity",
            Arc::new(Int64Array::from_iter_values(numbers().map(|row| row + 1))),
        ),
        ("kind", Arc::new(StringArray::from(vec!["new"; rows]))),
    ];
    RecordBatch::try_from_iter(columns).expect("columns")
}

pub fn parquet(batch: &RecordBatch) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("writer");
    writer.write(batch).expect("written");
    writer.close().expect("closed");
    bytes
}

pub fn stream(batch: &RecordBatch) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new(&mut bytes, &batch.schema()).expect("writer");
    writer.write(batch).expect("written");
    writer.finish().expect("ended");
    drop(writer);
    bytes
}

pub fn file(batch: &RecordBatch) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = FileWriter::try_new(&mut bytes, &batch.schema()).expect("writer");
    writer.write(batch).expect("written");
    writer.finish().expect("ended");
    drop(writer);
    bytes
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(bytes).expect("packed");
    writer.finish().expect("packed")
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("packed")
}
