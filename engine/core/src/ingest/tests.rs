//! What imports ask of the decoders: the columns of a file before there is a table, and the rows of a statement.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date64Array, Decimal128Array, Decimal256Array, Float32Array,
    Float64Array, Int64Array, LargeStringArray, StringArray, StringViewArray, TimestampSecondArray,
};
use arrow::datatypes::{Decimal128Type, Float64Type, i256};
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};

use super::{Decoded, columns, convert_rows, decode};
use crate::engine::Body;
use crate::fault::Result;
use crate::model::{Column, Kind, Semantics, Table};
use crate::reading::{Format, OnError, Reading};

fn body(bytes: &[u8]) -> Body {
    let pieces: Vec<Bytes> = bytes.chunks(7).map(Bytes::copy_from_slice).collect();
    futures::stream::iter(pieces.into_iter().map(Ok)).boxed()
}

fn stream(batch: &RecordBatch) -> Vec<u8> {
    let mut bytes = Vec::new();
    let writer = arrow::ipc::writer::StreamWriter::try_new(&mut bytes, &batch.schema());
    let mut writer = writer.expect("writer");
    writer.write(batch).expect("written");
    writer.finish().expect("ended");
    drop(writer);
    bytes
}

fn table(columns: Vec<(&str, Kind)>) -> Table {
    let columns = columns
        .into_iter()
        .map(|(name, kind)| Column::optional(name.to_owned(), kind));
    let columns = columns.collect();
    Table::new("a file".into(), columns, &[], Semantics::Append, &[])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_of_a_file_says_its_columns() {
    let names = |columns: Vec<(String, Option<Kind>)>| {
        let names: Vec<String> = columns.into_iter().map(|(name, _)| name).collect();
        names.join(" ")
    };
    let mut reading = Reading::of(Format::Csv);
    reading.set("delimiter", ";").expect("a delimiter");
    let csv = columns(&reading, body(b"Kunde;\"Umsatz; netto\"\n1;2\n")).await;
    assert_eq!(names(csv.expect("a header")), "Kunde Umsatz; netto");
    let ndjson = b"{\"a\":1}\n\n{\"b\":[2],\"a\":null}\n{\"c\":3}";
    let found = columns(&Reading::of(Format::Ndjson), body(ndjson)).await;
    assert_eq!(names(found.expect("objects")), "a b c");
    let broken = columns(&Reading::of(Format::Ndjson), body(b"{\"a\":1}\nx")).await;
    let error = broken.expect_err("no object");
    assert!(
        error.message().starts_with("line 2: is not JSON"),
        "{error}"
    );

    let money = Decimal128Array::from(vec![1]).with_precision_and_scale(19, 4);
    let batch = RecordBatch::try_from_iter([
        (
            "n",
            Arc::new(arrow::array::UInt16Array::from(vec![1])) as ArrayRef,
        ),
        ("f", Arc::new(Float32Array::from(vec![1.0]))),
        ("s", Arc::new(LargeStringArray::from(vec!["x"]))),
        ("m", Arc::new(money.expect("money"))),
        ("d", Arc::new(Date64Array::from(vec![0]))),
        ("t", Arc::new(TimestampSecondArray::from(vec![0]))),
    ])
    .expect("columns");
    let found = columns(&Reading::of(Format::Arrow), body(&stream(&batch))).await;
    let kinds: Vec<Option<Kind>> = found.expect("a schema").into_iter().map(|c| c.1).collect();
    let expected = [
        Kind::Count,
        Kind::Number,
        Kind::Text,
        Kind::Money,
        Kind::Date,
        Kind::Timestamp,
    ];
    assert_eq!(kinds, expected.map(Some));
    let binary: ArrayRef = Arc::new(arrow::array::BinaryArray::from(vec![&b"x"[..]]));
    let batch = RecordBatch::try_from_iter([("photo", binary)]).expect("column");
    let error = columns(&Reading::of(Format::Arrow), body(&stream(&batch))).await;
    let error = error.expect_err("no column stores it");
    assert!(error.message().contains("\"photo\" is Binary"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_fills_the_table_that_its_header_makes() {
    let table = table(vec![("a", Kind::Text), ("b", Kind::Text)]);
    let table = Arc::new(table);
    let file = b"{\"a\":1,\"b\":true}\n{\"b\":\"x\"}\n{\"b\":[]}\n";
    let reading = Reading::of(Format::Ndjson);
    let decoded = decode(table, &reading, OnError::Quarantine, body(file));
    let batches: Vec<RecordBatch> = decoded.rows.try_collect().await.expect("rows");
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 2);
    let rejected = decoded.rejected.rows();
    assert_eq!(rejected.len(), 1);
    assert_eq!(rejected[0].position, 3);
    assert_eq!(rejected[0].content.as_deref(), Some("{\"b\":[]}"));
    let read_as = decoded.read_as.get().expect("known");
    assert_eq!(
        (read_as.format.as_str(), read_as.delimiter),
        ("ndjson", None)
    );
}

/// One column through `convert_rows`; the values and the reasons of those that were set aside.
async fn converted(kind: Kind, given: ArrayRef, round: bool) -> Result<(ArrayRef, Vec<String>)> {
    let batch = RecordBatch::try_from_iter([("v", given)]).expect("a column");
    let schema = batch.schema();
    let rows = futures::stream::iter([Ok(batch)]).boxed();
    let round: &[String] = if round { &["v".to_owned()] } else { &[] };
    let Decoded { rows, rejected, .. } = convert_rows(
        &table(vec![("v", kind)]),
        OnError::Quarantine,
        rows,
        &schema,
        round,
    )?;
    let batches: Vec<RecordBatch> = rows.try_collect().await?;
    let schema = batches[0].schema();
    let all = arrow::compute::concat_batches(&schema, &batches).expect("one schema");
    let reasons = rejected.rows().into_iter().map(|row| row.reason).collect();
    Ok((Arc::clone(all.column(0)), reasons))
}

fn units(column: &ArrayRef) -> Vec<i128> {
    column.as_primitive::<Decimal128Type>().values().to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_statement_become_money_exactly_or_rounded_where_asked() {
    let texts: ArrayRef = Arc::new(StringViewArray::from(vec!["12.5", "1.00005", "1,5"]));
    let (kept, bad) = converted(Kind::Money, Arc::clone(&texts), false)
        .await
        .expect("text");
    assert_eq!((units(&kept), bad.len()), (vec![125_000], 2), "{bad:?}");
    let (kept, bad) = converted(Kind::Money, texts, true).await.expect("text");
    assert_eq!(
        (units(&kept), bad.len()),
        (vec![125_000, 10_001], 1),
        "{bad:?}"
    );

    let wide = |values: Vec<i128>| -> ArrayRef {
        let values = values.into_iter().map(i256::from_i128).collect::<Vec<_>>();
        let wide = Decimal256Array::from(values).with_precision_and_scale(60, 6);
        Arc::new(wide.expect("decimal"))
    };
    let values = vec![1_500_000, 1_500_050, -1_500_050, 10_i128.pow(30)];
    let (kept, bad) = converted(Kind::Money, wide(values.clone()), false)
        .await
        .expect("fits");
    assert_eq!((units(&kept), bad.len()), (vec![15_000], 3), "{bad:?}");
    let (kept, bad) = converted(Kind::Money, wide(values), true)
        .await
        .expect("fits");
    assert_eq!(
        (units(&kept), bad.len()),
        (vec![15_000, 15_001, -15_001], 1),
        "{bad:?}"
    );

    let floats: ArrayRef = Arc::new(Float64Array::from(vec![0.1, 1.00005, f64::NAN, 1e300]));
    let refused = converted(Kind::Money, Arc::clone(&floats), false).await;
    assert!(refused.is_err(), "binary fractions lose cents");
    let (kept, bad) = converted(Kind::Money, floats, true).await.expect("rounded");
    assert_eq!(
        (units(&kept), bad.len()),
        (vec![1_000, 10_001], 2),
        "{bad:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn decimals_become_numbers_where_they_still_mean_the_same() {
    let decimals = |values: Vec<i128>, scale| -> ArrayRef {
        let decimals = Decimal128Array::from(values).with_precision_and_scale(38, scale);
        Arc::new(decimals.expect("decimal"))
    };
    let (kept, bad) = converted(Kind::Number, decimals(vec![15, -1], 2), false)
        .await
        .expect("fits");
    assert_eq!(
        kept.as_primitive::<Float64Type>().values().to_vec(),
        [0.15, -0.01]
    );
    assert!(bad.is_empty(), "{bad:?}");
    let long = 12_345_678_901_234_567_890_123;
    let (kept, bad) = converted(Kind::Number, decimals(vec![long, 1 << 60], 0), false)
        .await
        .expect("fits");
    assert_eq!(
        (kept.len(), bad.len()),
        (1, 1),
        "a power of two has few digits"
    );
    let whole: ArrayRef = decimals(vec![300, 150], 2);
    let (kept, bad) = converted(Kind::Count, whole, false).await.expect("fits");
    assert_eq!(
        (kept.len(), bad),
        (1, vec!["is not a whole number".to_owned()])
    );
    let far: ArrayRef = Arc::new(Int64Array::from(vec![1 << 53, (1 << 53) + 1]));
    let (kept, _) = converted(Kind::Number, far, false).await.expect("fits");
    assert_eq!(kept.len(), 1);
    let days: ArrayRef = Arc::new(Date64Array::from(vec![86_400_000, 1]));
    let (kept, bad) = converted(Kind::Date, days, false).await.expect("fits");
    assert_eq!(
        (kept.len(), bad),
        (1, vec!["is not a whole day".to_owned()])
    );
    let flags: ArrayRef = Arc::new(StringArray::from(vec!["true", "yes"]));
    let (kept, _) = converted(Kind::Flag, flags, false).await.expect("text");
    assert_eq!(kept.len(), 1);
}
