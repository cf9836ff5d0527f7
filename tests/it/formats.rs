//! The formats of an answer over HTTP: what each one holds, and how a client sees that an answer broke off.

use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use reqwest::Response;
use serde_json::Value;

use crate::support::{Served, World, json as send, root, stderr, tributary};

const FORMATS: [(&str, &str); 5] = [
    ("json", "application/json"),
    ("ndjson", "application/x-ndjson"),
    ("csv", "text/csv"),
    ("arrow", "application/vnd.apache.arrow.stream"),
    ("parquet", "application/vnd.apache.parquet"),
];

async fn ask(served: &Served, sql: &str, accept: &str) -> Response {
    served
        .post("/v1/tiny/query")
        .header("content-type", "text/plain")
        .header("accept", accept)
        .body(sql.to_owned())
        .send()
        .await
        .expect("answered")
}

fn parquet(body: Bytes) -> (ParquetRecordBatchReaderBuilder<Bytes>, usize) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(body).expect("a Parquet file");
    let groups = reader.metadata().num_row_groups();
    (reader, groups)
}

#[tokio::test(flavor = "multi_thread")]
async fn ndjson_has_the_values_of_json() {
    let served = Served::tiny().await;
    let sql = "SELECT revenue_id, amount, lead_id, booked_at, [quantity, NULL] AS list FROM revenue ORDER BY 1";
    let (_, json) = served.sql(sql).await;
    let lines = ask(&served, sql, "application/x-ndjson")
        .await
        .text()
        .await
        .expect("whole");
    assert!(lines.ends_with('\n'));
    let rows: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("one object a line"))
        .collect();
    assert_eq!(json["rows"], Value::Array(rows));
    let nothing = ask(&served, "SELECT 1 AS a WHERE false", "application/x-ndjson").await;
    assert_eq!(nothing.text().await.expect("whole"), "");
    let twice = "SELECT * FROM (SELECT 1 AS a) AS x, (SELECT 2 AS a) AS y";
    let twice = ask(&served, twice, "application/x-ndjson").await;
    assert_eq!(twice.status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn parquet_has_the_rows_in_groups() {
    let served = Served::tiny().await;
    let sql = "SELECT lead_id, distributor_id, created_at, est_value, [employees] AS list FROM leads ORDER BY 1";
    let body = ask(&served, sql, "application/vnd.apache.parquet")
        .await
        .bytes()
        .await
        .expect("whole");
    let (reader, groups) = parquet(body);
    assert_eq!(groups, 1);
    assert!(matches!(
        reader.metadata().row_group(0).column(0).compression(),
        Compression::ZSTD(_)
    ));
    let batches: Vec<RecordBatch> = reader
        .build()
        .expect("readable")
        .collect::<Result<_, _>>()
        .expect("rows");
    let arrow = ask(&served, sql, "application/vnd.apache.arrow.stream")
        .await
        .bytes()
        .await
        .expect("whole");
    let arrow: Vec<RecordBatch> = arrow::ipc::reader::StreamReader::try_new(arrow.as_ref(), None)
        .expect("a stream")
        .collect::<Result<_, _>>()
        .expect("rows");
    let all = |batches: &[RecordBatch]| {
        arrow::compute::concat_batches(&batches[0].schema(), batches).expect("one schema")
    };
    assert_eq!(all(&batches).columns(), all(&arrow).columns());

    let many = "SELECT v, v * 2 AS w FROM generate_series(1, 200000) AS t (v)";
    let body = ask(&served, many, "application/vnd.apache.parquet").await;
    let (reader, groups) = parquet(body.bytes().await.expect("whole"));
    assert_eq!(groups, 4, "2^16 rows in each");
    assert_eq!(reader.metadata().file_metadata().num_rows(), 200_000);

    let nothing = ask(
        &served,
        "SELECT 1 AS a WHERE false",
        "application/vnd.apache.parquet",
    )
    .await;
    let (reader, groups) = parquet(nothing.bytes().await.expect("whole"));
    assert_eq!((reader.schema().fields().len(), groups), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_parquet_cannot_hold_is_refused_first() {
    let served = Served::tiny().await;
    for (sql, named) in [
        (
            "SELECT INTERVAL '1 month' AS gap",
            "column \"gap\" is of type interval, which Parquet cannot hold",
        ),
        (
            "SELECT [INTERVAL '1 month'] AS gaps",
            "column \"gaps\" is of type list<interval>, which Parquet cannot hold",
        ),
        (
            "SELECT * FROM (SELECT 1 AS a) AS x, (SELECT 2 AS a) AS y",
            "column \"a\" appears twice, which a Parquet file cannot hold",
        ),
    ] {
        let request = served
            .post("/v1/tiny/query?format=parquet")
            .header("content-type", "text/plain")
            .body(sql);
        let (status, body) = send(request).await;
        assert_eq!(
            (status, body["message"].as_str()),
            (400, Some(named)),
            "{body}"
        );
        assert!(body["hint"].is_string(), "{body}");
    }
    // What is unusual and has a place there.
    for sql in [
        "SELECT NULL AS nothing",
        "SELECT champ.qualify(3, 2, 2, 1) AS verdict",
        "SELECT arrow_cast(1, 'Duration(Second)') AS gap, true AS yes, DATE '2024-01-01' AS day, 'a' AS text",
        "SELECT source FROM v_lead",
    ] {
        let response = ask(&served, sql, "application/vnd.apache.parquet").await;
        assert_eq!(response.status(), 200, "{sql}");
        parquet(response.bytes().await.expect("whole"));
    }
}

/// The millionth row fails, long after the status line: every format lets its client see it.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_error_is_seen_in_every_format() {
    let served = Served::tiny().await;
    // The first column does not compress, so that every format has much to send before the end.
    let fails_at = |row: u32| {
        format!(
            "SELECT v * 7919 % 1000003 AS w, 10 / ({row} - v) AS x FROM generate_series(1, 1000001) AS t (v)"
        )
    };
    let (whole, late) = (&fails_at(2_000_000), &fails_at(1_000_000));
    for (format, media_type) in FORMATS {
        let response = ask(&served, whole, media_type).await;
        assert_eq!(response.headers()["content-type"], media_type);
        let body = response.bytes().await.expect("a whole transfer");
        assert!(is_whole(format, &body), "{format}");

        let mut response = ask(&served, late, media_type).await;
        assert_eq!(
            response.status(),
            200,
            "{format}: rows are on their way before the last are known"
        );
        let mut body = Vec::new();
        let broken = loop {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        assert!(broken, "{format}: the transfer ended as if whole");
        assert!(body.len() > 100_000, "{format}: {} bytes", body.len());
        // Where the format can tell by itself, it does so even for a client that overlooks the broken transfer.
        if !["ndjson", "csv"].contains(&format) {
            assert!(!is_whole(format, &body), "{format}");
        }
    }
}

/// Whether the body itself is complete, as a reader of its format sees it.
fn is_whole(format: &str, body: &[u8]) -> bool {
    match format {
        "json" => serde_json::from_slice::<Value>(body).is_ok_and(|body| body["complete"] == true),
        "arrow" => body.ends_with(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
        "parquet" => ParquetRecordBatchReaderBuilder::try_new(Bytes::copy_from_slice(body)).is_ok(),
        _ => body.iter().filter(|byte| **byte == b'\n').count() > 1_000_000,
    }
}

#[test]
fn the_command_line_writes_the_same_formats() {
    let folder = tempfile::tempdir().expect("folder");
    let at = folder.path();
    let file = root().join("tests/data/tiny/leads.csv");
    let file = file.to_str().expect("path");
    let run = tributary(at, &["ingest", "--data", "d", "-m", "tiny", "leads", file]);
    assert!(run.status.success(), "{}", stderr(&run));
    let sql = |format: &str, sql: &str| {
        tributary(at, &["sql", "--data", "d", "--format", format, "-c", sql])
    };
    let count = "SELECT lead_id FROM leads ORDER BY 1";
    let run = sql("parquet", count);
    let (reader, _) = parquet(run.stdout.into());
    assert_eq!(reader.metadata().file_metadata().num_rows(), 7);
    let run = sql("ndjson", "SELECT 1 AS one");
    assert_eq!(run.stdout, b"{\"one\":1}\n");
    let run = sql("arrow", count);
    assert!(is_whole("arrow", &run.stdout));
    let late = "SELECT 10 / (1000000 - v) AS x FROM generate_series(1, 1000001) AS t (v)";
    for (format, _) in FORMATS {
        let run = sql(format, late);
        assert_eq!(run.status.code(), Some(2), "{format}: {}", stderr(&run));
        assert!(stderr(&run).contains("ivide by zero"), "{}", stderr(&run));
    }
}

/// A closed connection ends the query; nothing waits for a reader that has gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_leaves_early_blocks_nobody() {
    let served = Served::over(World::tiny().await).await;
    let endless = "SELECT v FROM generate_series(1, 1000000000) AS t (v)";
    for (_, media_type) in FORMATS {
        let mut response = ask(&served, endless, media_type).await;
        assert!(response.chunk().await.expect("a first piece").is_some());
        drop(response);
    }
    let (status, _) = served.sql("SELECT 1").await;
    assert_eq!(status, 200);
}
