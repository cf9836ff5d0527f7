//! What each format makes of awkward rows, read back as a client would.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Array, DictionaryArray, Float64Array, ListArray, RecordBatch, StringArray,
};
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type, IntervalUnit, Schema, SchemaRef};
use arrow::ipc::reader::StreamReader;
use futures::stream::{self, StreamExt, TryStreamExt};
use tributary_engine_core::engine::{Frame, Trailer};
use tributary_engine_core::{Error, Fault, Result};

use super::{Encoding, bytes};

/// Awkward on purpose: a dictionary that differs from batch to batch, many digits, NaN, lists, quotes.
fn batch(sources: [Option<&str>; 2]) -> RecordBatch {
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "source",
            Arc::new(sources.into_iter().collect::<DictionaryArray<Int32Type>>()),
        ),
        (
            "amount",
            Arc::new(
                Decimal128Array::from(vec![Some(99_999_999_999_999_999_999), None])
                    .with_precision_and_scale(38, 4)
                    .expect("fits"),
            ),
        ),
        ("rate", Arc::new(Float64Array::from(vec![0.1, f64::NAN]))),
        (
            "name",
            Arc::new(StringArray::from(vec![Some("a \"b\", c\n"), None])),
        ),
        (
            "list",
            Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([
                Some(vec![Some(1), None]),
                None,
            ])),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(name, column)| (name, column, true)),
    )
    .expect("columns of one length")
}

fn encoded(encoding: Encoding, frames: Vec<Result<Frame>>) -> (Vec<u8>, Option<Error>) {
    let schema = batch([None, None]).schema();
    let tables = BTreeMap::from([("leads".to_owned(), 7)]);
    let encoder = encoding
        .encoder(&schema, &tables)
        .expect("a schema for every format");
    let mut stream = Box::pin(bytes(stream::iter(frames).boxed(), encoder));
    let mut body = Vec::new();
    let mut error = None;
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        loop {
            match stream.try_next().await {
                Ok(Some(bytes)) => body.extend_from_slice(&bytes),
                Ok(None) => break,
                Err(late) => {
                    error = Some(late);
                    break;
                }
            }
        }
    });
    (body, error)
}

fn two_batches() -> Vec<Result<Frame>> {
    let trailer = Trailer {
        rows: 4,
        elapsed_us: 1_500,
        plugins: vec![],
    };
    vec![
        Ok(Frame::Batch(batch([Some("web"), None]))),
        Ok(Frame::Batch(batch([Some("list"), Some("web")]))),
        Ok(Frame::End(trailer)),
    ]
}

#[test]
fn json_keeps_nulls_and_digits_and_says_that_it_is_complete() {
    let (body, error) = encoded(Encoding::Json, two_batches());
    assert!(error.is_none());
    let row = |source: &str| {
        format!(
            "{{\"source\":\"{source}\",\"amount\":9999999999999999.9999,\"rate\":0.1,\
             \"name\":\"a \\\"b\\\", c\\n\",\"list\":[1,null]}}"
        )
    };
    let nulls = |source: &str| {
        format!("{{\"source\":{source},\"amount\":null,\"rate\":null,\"name\":null,\"list\":null}}")
    };
    let body = String::from_utf8(body).expect("UTF-8");
    let (head, tail) = body
        .split_once(",\"rows\":")
        .expect("rows after the columns");
    assert!(
        head.starts_with(
            "{\"columns\":[{\"name\":\"source\",\"type\":\"string\",\"nullable\":true},"
        ),
        "{head}"
    );
    assert_eq!(
        tail,
        format!(
            "[{},{},{},{}],\"row_count\":4,\"elapsed_ms\":1.5,\"tables\":{{\"leads\":7}},\"plugins\":[],\
             \"complete\":true}}\n",
            row("web"),
            nulls("null"),
            row("list"),
            nulls("\"web\"")
        )
    );
    serde_json::from_str::<serde_json::Value>(&body).expect("JSON");
}

#[test]
fn csv_writes_nested_values_as_json_text() {
    let (body, error) = encoded(Encoding::Csv, two_batches());
    assert!(error.is_none());
    let first = "9999999999999999.9999,0.1,\"a \"\"b\"\", c\n\",\"[1,null]\"\n";
    assert_eq!(
        String::from_utf8(body).expect("UTF-8"),
        format!("source,amount,rate,name,list\nweb,{first},,NaN,,\nlist,{first}web,,NaN,,\n")
    );
}

#[test]
fn arrow_resends_a_dictionary_that_changed() {
    let (body, error) = encoded(Encoding::Arrow, two_batches());
    assert!(error.is_none());
    let batches: Vec<RecordBatch> = StreamReader::try_new(body.as_slice(), None)
        .expect("a stream")
        .collect::<Result<_, _>>()
        .expect("batches");
    assert_eq!(
        batches,
        [
            batch([Some("web"), None]),
            batch([Some("list"), Some("web")])
        ]
    );
}

#[test]
fn an_answer_without_rows_is_still_whole() {
    for (encoding, expected) in [
        (Encoding::Json, "\"rows\":[],\"row_count\":0,"),
        (Encoding::Csv, "source,amount,"),
    ] {
        let (body, error) = encoded(encoding, vec![Ok(Frame::End(Trailer::default()))]);
        assert!(error.is_none());
        let body = String::from_utf8(body).expect("UTF-8");
        assert!(body.contains(expected), "{body}");
    }
    let (body, _) = encoded(Encoding::Arrow, vec![Ok(Frame::End(Trailer::default()))]);
    assert_eq!(
        StreamReader::try_new(body.as_slice(), None)
            .expect("a stream")
            .count(),
        0
    );
}

#[test]
fn a_late_error_never_looks_complete() {
    for encoding in Encoding::ALL {
        let first = || Ok(Frame::Batch(batch([None, None])));
        for frames in [
            vec![first(), Err(Error::new(Fault::Timeout, "x"))],
            vec![first()],
        ] {
            let (body, error) = encoded(encoding, frames);
            assert!(error.is_some(), "{encoding:?}");
            assert!(
                !String::from_utf8_lossy(&body).contains("complete"),
                "{encoding:?}"
            );
        }
    }
}

#[test]
fn a_schema_that_a_format_cannot_say_is_refused_before_the_first_byte() {
    let schema = |fields: Vec<Field>| SchemaRef::new(Schema::new(fields));
    let twice = schema(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("id", DataType::Int64, false),
    ]);
    let refused =
        |schema: &SchemaRef, encoding: Encoding| encoding.encoder(schema, &BTreeMap::new()).err();
    let error = refused(&twice, Encoding::Json).expect("one of the two would be lost");
    assert_eq!(
        error.message(),
        "column \"id\" appears twice, which a JSON row cannot hold"
    );
    assert!(refused(&twice, Encoding::Csv).is_none());
    assert!(refused(&twice, Encoding::Arrow).is_none());

    let interval = schema(vec![Field::new(
        "i",
        DataType::Interval(IntervalUnit::MonthDayNano),
        true,
    )]);
    for encoding in Encoding::ALL {
        let holds = encoding != Encoding::Parquet;
        assert_eq!(
            refused(&interval, encoding).is_none(),
            holds,
            "{encoding:?}"
        );
    }
}
