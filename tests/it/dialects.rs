//! How files are written: every format, packing and dialect that is read, and what another one is told.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Float64Array, Int32Array, LargeStringArray, StringArray,
    TimestampNanosecondArray,
};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};

use crate::files::{self, CSV, FILE, NDJSON, PARQUET, STREAM};
use crate::support::{Served, World, json as send};

const HEADER: &str = "revenue_id,distributor_id,booked_at,amount,quantity,kind\n";

async fn post(served: &Served, path: &str, kind: &str, body: impl Into<Vec<u8>>) -> (u16, Value) {
    let request = served.post(&format!("/v1/tiny/tables/{path}"));
    send(request.header("content-type", kind).body(body.into())).await
}

async fn rows(served: &Served, sql: &str) -> Value {
    let (status, body) = served.sql(sql).await;
    assert_eq!(status, 200, "{body}");
    let rows = body["rows"].as_array().expect("rows").iter();
    rows.map(|row| {
        let values = row.as_object().expect("a row").values();
        Value::Array(values.cloned().collect())
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_and_packing_stores_the_same_rows() {
    for (name, kind, bytes) in files::revenue(300) {
        let packings = [
            (None, bytes.clone()),
            (Some("gzip"), files::gzip(&bytes)),
            (Some("zstd"), files::zstd(&bytes)),
        ];
        for (packing, packed) in packings {
            let served = Served::over(World::empty().await).await;
            let (status, receipt) = post(&served, "revenue", kind, packed.clone()).await;
            assert_eq!(status, 200, "{name} {packing:?}: {receipt}");
            assert_eq!(receipt["inserted"], 300, "{name} {packing:?}");
            assert_eq!(receipt["read_as"]["format"], name);
            assert_eq!(receipt["read_as"]["compression"], json!(packing));
            let sums = "SELECT count(DISTINCT revenue_id), CAST(sum(amount) AS VARCHAR), sum(quantity), min(booked_at) FROM revenue";
            assert_eq!(
                rows(&served, sums).await,
                json!([[300, "44887.0200", 45150, "2024-05-31T09:30:00Z"]]),
                "{name} {packing:?}"
            );
            // The same again, with the packing in the head of the request.
            let Some(packing) = packing else { continue };
            let request = served.post("/v1/tiny/tables/revenue");
            let request = request
                .header("content-type", kind)
                .header("content-encoding", packing);
            let (status, receipt) = send(request.body(packed)).await;
            assert_eq!(
                (status, &receipt["unchanged"]),
                (200, &json!(300)),
                "{name}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn packings_that_do_not_hold_are_refused() {
    let served = Served::over(World::empty().await).await;
    let csv = format!("{HEADER}W1,D1,2024-01-01T00:00:00Z,1,1,new\n");
    let two = [
        files::gzip(HEADER.as_bytes()),
        files::gzip(&csv.as_bytes()[HEADER.len()..]),
    ]
    .concat();
    let (status, receipt) = post(&served, "revenue", CSV, two).await;
    assert_eq!(
        (status, &receipt["inserted"]),
        (200, &json!(1)),
        "two members"
    );

    let row = format!("W1,{},2024-01-01T00:00:00Z,1,1,new\n", "d".repeat(1_000));
    let bomb = (HEADER.to_owned() + &row.repeat(60_000)).into_bytes();
    let cut = files::gzip(csv.as_bytes());
    let cases = [
        (files::gzip(&bomb), 413, "\"ingest_ratio\""),
        (files::zstd(&bomb), 413, "\"ingest_ratio\""),
        (files::gzip(&files::gzip(csv.as_bytes())), 400, "twice"),
        (
            cut[..cut.len() - 4].to_vec(),
            400,
            "gzip data is damaged or cut short",
        ),
        (
            [files::zstd(csv.as_bytes()), b"tail".to_vec()].concat(),
            400,
            "zstd data",
        ),
        (b"PK\x03\x04 a spreadsheet".to_vec(), 400, "spreadsheet"),
        (files::parquet(&files::batch(1)), 400, "file is Parquet"),
    ];
    for (body, expected, told) in cases {
        let (status, error) = post(&served, "revenue", CSV, body).await;
        let message = error["message"].as_str().unwrap_or_default();
        assert_eq!(status, expected, "{told}: {error}");
        assert!(message.contains(told), "{told}: {error}");
    }
    let request = served
        .post("/v1/tiny/tables/revenue")
        .header("content-type", CSV);
    let (status, error) = send(request.header("content-encoding", "gzip").body(csv)).await;
    assert_eq!(
        (status, &error["message"]),
        (400, &json!("file is not packed with gzip"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn dialects_that_are_said_are_read_and_named() {
    let utf_16: Vec<u8> = [0xFEFF]
        .into_iter()
        .chain("revenue_id,distributor_id,booked_at,amount,quantity,kind\nX1,Süd,2024-05-31T09:30:00Z,12.5,1,new\n".encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let big_endian: Vec<u8> = utf_16
        .chunks(2)
        .flat_map(|pair| [pair[1], pair[0]])
        .collect();
    let cases: Vec<(&str, Vec<u8>, Value)> = vec![
        ("", utf_16.clone(), json!({"encoding": "utf-16le"})),
        ("", big_endian, json!({"encoding": "utf-16be"})),
        (
            "?encoding=utf-16le",
            utf_16[2..].to_vec(),
            json!({"encoding": "utf-16le"}),
        ),
        (
            "",
            format!("\u{feff}{HEADER}X1,Süd,2024-05-31T09:30:00Z,12.5,1,new\n").into_bytes(),
            json!({"encoding": "utf-8"}),
        ),
        (
            "?encoding=latin1",
            [
                HEADER.as_bytes(),
                b"X1,S\xFCd,2024-05-31T09:30:00Z,12.5,1,new",
            ]
            .concat(),
            json!({"encoding": "windows-1252"}),
        ),
        (
            "",
            format!("{HEADER}X1,Süd,2024-05-31T09:30:00Z,12.5,1,new\n")
                .replace('\n', "\r\n")
                .into_bytes(),
            json!({}),
        ),
        (
            "",
            format!("{HEADER}X1,Süd,2024-05-31T09:30:00Z,12.5,1,new\n")
                .replace('\n', "\r")
                .into_bytes(),
            json!({"line_ends": "cr"}),
        ),
        (
            "?delimiter=;&decimal=,&dates=dmy",
            format!(
                "{}\"X1\";Süd;31.05.2024 09:30;12,5;1;new",
                HEADER.replace(',', ";")
            )
            .into_bytes(),
            json!({"delimiter": ";", "decimal": ",", "dates": "dmy"}),
        ),
        (
            "?delimiter=tab&dates=mdy",
            format!(
                "{}X1\tSüd\t5/31/2024 09:30:00\t12.5\t1\tnew",
                HEADER.replace(',', "\t")
            )
            .into_bytes(),
            json!({"delimiter": "tab"}),
        ),
        (
            "?delimiter=%7C",
            format!("{HEADER}X1,Süd,2024-05-31 09:30:00,12.5,1,new")
                .replace(',', "|")
                .into_bytes(),
            json!({"delimiter": "|"}),
        ),
        (
            "?null=NA&null=-",
            format!("cost,lead_id,{HEADER}NA,-,X1,Süd,2024-05-31T09:30:00Z,12.5,1,new")
                .into_bytes(),
            json!({}),
        ),
    ];
    for (query, body, named) in cases {
        let served = Served::over(World::empty().await).await;
        let (status, receipt) = post(&served, &format!("revenue{query}"), CSV, body).await;
        assert_eq!(status, 200, "{query}: {receipt}");
        for (key, value) in named.as_object().expect("an object") {
            assert_eq!(&receipt["read_as"][key], value, "{query}: {receipt}");
        }
        let sql = "SELECT revenue_id, distributor_id, booked_at, CAST(amount AS VARCHAR), cost, lead_id FROM revenue";
        assert_eq!(
            rows(&served, sql).await,
            json!([["X1", "Süd", "2024-05-31T09:30:00Z", "12.5000", null, null]]),
            "{query}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_dialect_is_told_which_option_to_send() {
    let served = Served::over(World::empty().await).await;
    let row =
        |day: &str, amount: &str| format!("{HEADER}X1,D1,{day},\"{amount}\",1,new\n").into_bytes();
    let bare: Vec<u8> = HEADER.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf_32 = [&[0xFF, 0xFE, 0, 0][..], HEADER.as_bytes()].concat();
    let day = "2024-05-31T09:30:00Z";
    let cases: Vec<(&str, Vec<u8>, &str, &str)> = vec![
        (
            "",
            [HEADER.as_bytes(), b"X1,S\xFCd,2024-05-31T09:30:00Z,1,1,new"].concat(),
            "line 2, column \"distributor_id\": is not UTF-8 at byte 2",
            "encoding=windows-1252",
        ),
        (
            "",
            b"revenue_id,gr\xF6\xDFe\n".to_vec(),
            "line 1: name of column 2 is not UTF-8",
            "encoding=windows-1252",
        ),
        ("", bare, "NUL bytes", "encoding=utf-16le"),
        ("", utf_32, "utf-32", "UTF-8"),
        (
            "?encoding=utf-16le",
            format!("\u{feff}{HEADER}").into_bytes(),
            "byte order mark of utf-8",
            "Leave",
        ),
        (
            "?encoding=shift_jis",
            [HEADER.as_bytes(), b"X1,\x81\x20\xFF,\n"].concat(),
            "line 2: byte",
            "encoding",
        ),
        (
            "",
            HEADER.replace(',', ";").into_bytes(),
            "the header is one column",
            "delimiter=;",
        ),
        (
            "",
            HEADER.replace(',', "\t").into_bytes(),
            "the header is one column",
            "delimiter=tab",
        ),
        (
            "?delimiter=;",
            HEADER.into(),
            "the header is one column",
            "delimiter=,",
        ),
        (
            "",
            row(day, "1.234,50"),
            "\"1.234,50\" is not a decimal number",
            "decimal=,",
        ),
        (
            "",
            row(day, "12,5"),
            "\"12,5\" is not a decimal number",
            "decimal=,",
        ),
        (
            "?delimiter=tab&decimal=,",
            HEADER.replace(',', "\t").into_bytes(),
            "",
            "",
        ),
        (
            "",
            row("03/04/2024 10:00", "1"),
            "could be 3 April or 4 March",
            "dates=dmy or dates=mdy",
        ),
        (
            "",
            row("31.12.2024 10:00", "1"),
            "begins with the day",
            "dates=dmy",
        ),
        (
            "",
            row("12/31/2024 10:00", "1"),
            "begins with the month",
            "dates=mdy",
        ),
        (
            "?dates=ymd",
            HEADER.into(),
            "\"ymd\" is no value of option \"dates\"",
            "\"iso\", \"dmy\", \"mdy\"",
        ),
        (
            "?colour=red",
            HEADER.into(),
            "option \"colour\" is not known",
            "encoding, delimiter, decimal, dates, null, missing, on_error",
        ),
        (
            "?encoding=klingon",
            HEADER.into(),
            "\"klingon\" is no value",
            "windows-1252",
        ),
        (
            "?on_error=ignore",
            HEADER.into(),
            "\"ignore\" is no value",
            "quarantine",
        ),
        ("?dates=dmy&dates=mdy", HEADER.into(), "said twice", ""),
        (
            "?missing=null",
            HEADER.into(),
            "\"missing\" means nothing for csv",
            "Leave",
        ),
    ];
    for (query, body, told, hinted) in cases {
        let (status, error) = post(&served, &format!("revenue{query}"), CSV, body).await;
        if told.is_empty() {
            assert_eq!(status, 200, "{query}: {error}");
            continue;
        }
        assert_eq!(status, 400, "{query}: {error}");
        let text = |key: &str| error[key].as_str().unwrap_or_default();
        assert!(text("message").contains(told), "{told}: {error}");
        assert!(text("hint").contains(hinted), "{hinted}: {error}");
    }
    for query in ["delimiter=;", "encoding=utf-8", "dates=iso", "null=x"] {
        let path = format!("revenue?{query}");
        let (status, error) = post(&served, &path, PARQUET, files::parquet(&files::batch(1))).await;
        assert_eq!(status, 400, "{query}: {error}");
    }
    let charset = "text/csv; charset=\"windows-1252\"";
    let body = [HEADER.as_bytes(), b"X1,S\xFCd,2024-05-31T09:30:00Z,1,1,new"].concat();
    let (status, receipt) = post(&served, "revenue", charset, body).await;
    assert_eq!(
        (status, &receipt["read_as"]["encoding"]),
        (200, &json!("windows-1252"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ndjson_keeps_every_digit_and_says_what_it_does_not_take() {
    let served = Served::over(World::empty().await).await;
    let good = r#"
        {"revenue_id":"Ä\u00e9\"1","distributor_id":7,"booked_at":"2024-05-31T09:30:00+02:00","amount":123456789012345.6789,"quantity":1.0,"kind":"new"}

        {"kind":"new","quantity":"3","amount":"-0.0001","cost":null,"booked_at":"2024-05-31 07:30:00","distributor_id":"D2","revenue_id":"N2","rep_id":""}
        {"kind":"new","quantity":3e2,"amount":1.5E+1,"booked_at":"2024-05-31T07:30:00Z","distributor_id":"D2","revenue_id":"N3"}"#;
    let (status, receipt) = post(&served, "revenue", NDJSON, good).await;
    assert_eq!(
        (status, &receipt["inserted"]),
        (200, &json!(3)),
        "{receipt}"
    );
    let sql = "SELECT revenue_id, distributor_id, CAST(amount AS VARCHAR) AS shown, quantity, rep_id FROM revenue ORDER BY revenue_id DESC";
    assert_eq!(
        rows(&served, sql).await,
        json!([
            ["Äé\"1", "7", "123456789012345.6789", 1, null],
            ["N3", "D2", "15.0000", 300, null],
            ["N2", "D2", "-0.0001", 3, ""],
        ])
    );

    let cases = [
        (r#"{"revenue_id":"N4","#, "line 1: is not JSON at byte"),
        ("\n\n[1,2]", "line 3: is not a JSON object"),
        (
            r#"{"revenue_id":"N4"} {}"#,
            "line 1: is not JSON at byte 21",
        ),
        (r#"{"colour":1}"#, "has no column \"colour\""),
        (
            r#"{"revenue_id":"a","revenue_id":"a"}"#,
            "column \"revenue_id\": appears twice",
        ),
        (r#"{"revenue_id":{"a":1}}"#, "is a nested value"),
        (r#"{"amount":"1,5"}"#, "\"1,5\" is not a decimal number"),
        (r#"{"amount":1.00005}"#, "has more than 4 decimals"),
        (r#"{"amount":true}"#, "\"true\" is not a decimal number"),
        (r#"{"quantity":1.5}"#, "\"1.5\" is not a whole number"),
        (r#"{"quantity":1e999}"#, "too many digits"),
        (r#"{"booked_at":1717140600}"#, "is not a timestamp"),
        (r#"{"revenue_id":"\ud800"}"#, "has a broken escape"),
        (
            r#"{"revenue_id":null}"#,
            "column \"revenue_id\": must not be null",
        ),
        (r#"{"amount":NaN}"#, "is not JSON at byte"),
        ("", "file is empty"),
        ("[\n{}\n]", "line 1: is not a JSON object"),
    ];
    for (body, told) in cases {
        let (status, error) = post(&served, "revenue", NDJSON, body).await;
        let message = error["message"].as_str().unwrap_or_default();
        assert_eq!(status, 400, "{body}: {error}");
        assert!(message.contains(told), "{told}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_key_is_ambiguous_where_a_row_may_change_some_columns() {
    let served = Served::over(World::empty().await).await;
    let first = "{\"product_id\":\"P1\",\"name\":\"Pump\",\"line\":\"A\"}\n{\"product_id\":\"P2\",\"name\":\"Valve\",\"line\":\"B\"}\n";
    let (status, receipt) = post(&served, "products", NDJSON, first).await;
    assert_eq!(status, 200, "{receipt}");
    let ragged = "{\"product_id\":\"P1\",\"name\":\"Pump 2\"}\n\n{\"product_id\":\"P2\",\"name\":\"Valve 2\",\"line\":null}\n";
    let (status, error) = post(&served, "products", NDJSON, ragged).await;
    assert_eq!(status, 400);
    assert_eq!(
        error["message"],
        "line 1, column \"line\": is missing here and present in other rows"
    );
    assert!(
        error["hint"]
            .as_str()
            .unwrap_or_default()
            .contains("missing=null"),
        "{error}"
    );

    let (status, receipt) = post(&served, "products?missing=null", NDJSON, ragged).await;
    assert_eq!((status, &receipt["updated"]), (200, &json!(2)), "{receipt}");
    let partial = "{\"product_id\":\"P1\",\"line\":\"C\"}\n";
    let (status, receipt) = post(&served, "products", NDJSON, partial).await;
    assert_eq!((status, &receipt["updated"]), (200, &json!(1)), "{receipt}");
    let sql = "SELECT product_id, name, line FROM products ORDER BY 1";
    let stored = rows(&served, sql).await;
    assert_eq!(
        stored,
        json!([["P1", "Pump 2", "C"], ["P2", "Valve 2", null]])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rows_are_set_aside_where_that_is_asked() {
    let served = Served::over(World::empty().await).await;
    let csv = format!(
        "{HEADER}X1,D1,2024-01-01T00:00:00Z,1,1,new\n\
         X2,\"D;\"\"2\",yesterday,1,one,new\nX3,D1\nX4,D1,03/04/2024 10:00,1,1,new\nX5,D1,2024-01-01T00:00:00Z,2,1,new\n"
    );
    let (status, receipt) = post(&served, "revenue?on_error=quarantine", CSV, csv.clone()).await;
    assert_eq!(status, 200, "{receipt}");
    let counts = ["rows_in", "accepted", "rejected", "inserted"].map(|key| receipt[key].clone());
    assert_eq!(counts, [5, 2, 3, 2].map(Value::from));
    let sql = "SELECT table_name, position, column_name, reason, content FROM quarantine ORDER BY position";
    assert_eq!(
        rows(&served, sql).await,
        json!([
            [
                "revenue",
                3,
                "booked_at",
                "\"yesterday\" is not a timestamp like 2024-05-31T09:30:00Z",
                "X2,\"D;\"\"2\",yesterday,1,one,new"
            ],
            [
                "revenue",
                4,
                null,
                "has 2 fields, the header has 6",
                "X3,D1"
            ],
            [
                "revenue",
                5,
                "booked_at",
                "\"03/04/2024 10:00\" could be 3 April or 4 March; send dates=dmy or dates=mdy",
                "X4,D1,03/04/2024 10:00,1,1,new"
            ],
        ])
    );

    // Every row bad: there is still a commit, which publishes them.
    let bad = "{\"revenue_id\":\"X6\"}\nnonsense\n";
    let (status, all_bad) = post(&served, "revenue?on_error=quarantine", NDJSON, bad).await;
    assert_eq!(
        (status, &all_bad["rejected"]),
        (200, &json!(2)),
        "{all_bad}"
    );
    assert_eq!(
        all_bad["table_version"].as_u64(),
        receipt["table_version"].as_u64().map(|v| v + 1)
    );
    let json = "SELECT position, column_name, content FROM quarantine WHERE content LIKE '%nonsense%' OR content LIKE '{%' ORDER BY 1";
    assert_eq!(
        rows(&served, json).await,
        json!([
            [1, "distributor_id", "{\"revenue_id\":\"X6\"}"],
            [2, null, "nonsense"]
        ])
    );
    let upsert = "{\"name\":\"no key\"}\n{\"product_id\":\"P1\",\"name\":\"Pump\"}\n";
    let (status, receipt) = post(&served, "products?on_error=quarantine", NDJSON, upsert).await;
    assert_eq!(
        (status, &receipt["inserted"], &receipt["rejected"]),
        (200, &json!(1), &json!(1))
    );

    // A value of a binary file.
    let batch = files::batch(3);
    let kinds: ArrayRef = Arc::new(StringArray::from(vec!["new", "gift", "new"]));
    let columns = batch.columns()[..5]
        .iter()
        .cloned()
        .chain([kinds])
        .collect();
    let batch = RecordBatch::try_new(batch.schema(), columns).expect("columns");
    for (kind, body) in [
        (PARQUET, files::parquet(&batch)),
        (STREAM, files::stream(&batch)),
        (FILE, files::file(&batch)),
    ] {
        let (status, receipt) = post(&served, "revenue?on_error=quarantine", kind, body).await;
        assert_eq!(
            (status, &receipt["accepted"], &receipt["rejected"]),
            (200, &json!(2), &json!(1)),
            "{receipt}"
        );
    }
    let binary = "SELECT position, column_name, content, count(*) FROM quarantine WHERE reason LIKE '\"gift\"%' GROUP BY 1, 2, 3";
    assert_eq!(rows(&served, binary).await, json!([[2, "kind", null, 3]]));

    // What is wrong with the file as a whole, or only comes out against the stored rows, still refuses it.
    for (name, body) in [
        ("unknown column", "colour\n1\n".to_owned()),
        (
            "stray quote",
            format!(
                "{HEADER}X7,D1,2024-01-01T00:00:00Z,1,1,new\nX8,D\"1\",2024-01-01T00:00:00Z,1,1,new\n"
            ),
        ),
        ("conflict", csv.replace("X1,D1", "X1,D2")),
    ] {
        let (status, error) = post(&served, "revenue?on_error=quarantine", CSV, body).await;
        assert!((400..500).contains(&status), "{name}: {error}");
    }
    assert_eq!(
        rows(&served, "SELECT count(*) FROM revenue").await,
        json!([[4]])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn arrow_columns_of_other_types_are_taken_where_nothing_is_lost() {
    let served = Served::over(World::empty().await).await;
    let keys = Int32Array::from(vec![0, 0, 1]);
    let kinds = DictionaryArray::new(keys, Arc::new(StringArray::from(vec!["new", "repeat"])));
    let batch = RecordBatch::try_from_iter([
        (
            "revenue_id",
            Arc::new(LargeStringArray::from(vec!["A", "B", "C"])) as ArrayRef,
        ),
        ("distributor_id", Arc::new(StringArray::from(vec!["D1"; 3]))),
        (
            "booked_at",
            Arc::new(
                TimestampNanosecondArray::from(vec![1_000, -1_000, 0])
                    .with_timezone("Europe/Berlin"),
            ),
        ),
        (
            "amount",
            Arc::new(StringArray::from(vec!["12.5", "-0.0001", "7"])),
        ),
        ("quantity", Arc::new(Int32Array::from(vec![1, 2, 3]))),
        ("kind", Arc::new(kinds)),
    ])
    .expect("columns");
    for (kind, body) in [
        (STREAM, files::stream(&batch)),
        (FILE, files::file(&batch)),
        (PARQUET, files::parquet(&batch)),
    ] {
        let (status, receipt) = post(&served, "revenue", kind, body).await;
        assert_eq!(status, 200, "{kind}: {receipt}");
    }
    let sql = "SELECT revenue_id, booked_at, CAST(amount AS VARCHAR), kind FROM revenue ORDER BY 1";
    assert_eq!(
        rows(&served, sql).await,
        json!([
            ["A", "1970-01-01T00:00:00.000001Z", "12.5000", "new"],
            ["B", "1969-12-31T23:59:59.999999Z", "-0.0001", "new"],
            ["C", "1970-01-01T00:00:00Z", "7.0000", "repeat"],
        ])
    );
    let lossy: Vec<(&str, ArrayRef, &str)> = vec![
        (
            "booked_at",
            Arc::new(TimestampNanosecondArray::from(vec![0, 1, 0])),
            "row 2, column \"booked_at\": is finer",
        ),
        (
            "booked_at",
            Arc::new(arrow::array::TimestampSecondArray::from(vec![
                0,
                0,
                i64::MAX,
            ])),
            "row 3, column \"booked_at\": is outside",
        ),
        (
            "amount",
            Arc::new(StringArray::from(vec!["1", "1", "1,5"])),
            "\"1,5\"",
        ),
        (
            "amount",
            Arc::new(Float64Array::from(vec![0.5; 3])),
            "is Float64",
        ),
        (
            "quantity",
            Arc::new(arrow::array::UInt64Array::from(vec![1, 2, u64::MAX])),
            "row 3, column \"quantity\": does not fit",
        ),
    ];
    for (name, column, told) in lossy {
        let fields = batch.schema();
        let columns = fields
            .fields()
            .iter()
            .zip(batch.columns())
            .map(|(field, old)| {
                let kept = if field.name() == name { &column } else { old };
                (field.name().clone(), Arc::clone(kept))
            });
        let bad = RecordBatch::try_from_iter(columns).expect("columns");
        let (status, error) = post(&served, "revenue", STREAM, files::stream(&bad)).await;
        let message = error["message"].as_str().unwrap_or_default();
        assert_eq!(status, 400, "{told}: {error}");
        assert!(message.contains(told), "{told}: {error}");
    }
}

/// Little files that unpack to very much are refused by what their pages say, before they are unpacked.
#[tokio::test(flavor = "multi_thread")]
async fn small_files_that_hold_very_much_are_refused() {
    let served = Served::over(World::empty().await).await;
    let pack = |ids: ArrayRef, dictionary: bool| {
        let rows = ids.len();
        let batch = RecordBatch::try_from_iter([
            ("product_id", ids),
            (
                "name",
                Arc::new(StringArray::from(vec!["Pump"; rows])) as ArrayRef,
            ),
        ])
        .expect("columns");
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_dictionary_enabled(dictionary)
            .set_dictionary_page_size_limit(8 << 20)
            .set_statistics_enabled(parquet::file::properties::EnabledStatistics::None)
            .build();
        let mut bytes = Vec::new();
        let mut writer =
            ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).expect("writer");
        writer.write(&batch).expect("written");
        writer.close().expect("closed");
        (batch, bytes)
    };
    let (batch, long) = pack(
        Arc::new(StringArray::from(vec!["x".repeat(100_000_000); 5])),
        false,
    );
    assert!(long.len() < 64 << 10, "{} bytes", long.len());
    // One text, named by every row.
    let shared = DictionaryArray::new(
        Int32Array::from(vec![0; 300]),
        Arc::new(StringArray::from(vec!["x".repeat(2 << 20)])),
    );
    let (dictionary, often) = pack(Arc::new(shared), true);
    let shared = DictionaryArray::new(
        Int32Array::from(vec![0; 300]),
        Arc::new(StringArray::from(vec!["x".repeat(1 << 20)])),
    );
    let (_, allowed) = pack(Arc::new(shared), true);
    let mut packed = Vec::new();
    let options = arrow::ipc::writer::IpcWriteOptions::default()
        .try_with_compression(Some(arrow::ipc::CompressionType::ZSTD))
        .expect("zstd");
    let mut writer = arrow::ipc::writer::StreamWriter::try_new_with_options(
        &mut packed,
        &batch.schema(),
        options,
    )
    .expect("writer");
    writer.write(&batch).expect("written");
    writer.finish().expect("ended");
    drop(writer);
    for (kind, body, expected, told) in [
        (PARQUET, long, 413, "\"ingest_ratio\""),
        (PARQUET, allowed, 413, "\"ingest_text_ratio\""),
        (PARQUET, often, 400, "\"ingest_field_bytes\""),
        (STREAM, packed, 413, "\"ingest_ratio\""),
        (
            STREAM,
            files::stream(&dictionary),
            400,
            "\"ingest_field_bytes\"",
        ),
    ] {
        let (status, error) = post(&served, "products", kind, body).await;
        let message = error["message"].as_str().unwrap_or_default();
        assert_eq!(status, expected, "{error}");
        assert!(message.contains(told), "{told}: {error}");
    }
}
