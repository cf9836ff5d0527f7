//! What happened, as tables: the audit trail, and activations, logs and calls of plugins. Read-only, newest rows last.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::record_batch::RecordBatch;

use crate::control::Control;
use crate::fault::{Error, Result};
use crate::manufacturer::ManufacturerId;

/// The names of these tables.
pub const RECORDS: [&str; 4] = ["audit", "plugin_activations", "plugin_calls", "plugin_log"];

/// The rows of one of them.
pub async fn record(
    control: &Control,
    manufacturer: &ManufacturerId,
    name: &str,
) -> Result<RecordBatch> {
    match name {
        "audit" => audit(control, manufacturer).await,
        "plugin_activations" => activations(control, manufacturer).await,
        "plugin_calls" => calls(control, manufacturer).await,
        _ => log(control, manufacturer).await,
    }
}

async fn audit(control: &Control, manufacturer: &ManufacturerId) -> Result<RecordBatch> {
    let rows = control.audit_trail(manufacturer).await?;
    table(vec![
        ("at", instants(rows.iter().map(|row| row.at.as_str()))?),
        (
            "principal",
            texts(rows.iter().map(|row| row.principal.as_str())),
        ),
        ("action", texts(rows.iter().map(|row| row.action.as_str()))),
        (
            "subject",
            texts(rows.iter().map(|row| row.subject.as_str())),
        ),
        ("detail", texts(rows.iter().map(|row| row.detail.as_str()))),
    ])
}

async fn activations(control: &Control, manufacturer: &ManufacturerId) -> Result<RecordBatch> {
    let rows = control.activations(manufacturer).await?;
    let applies: Vec<String> = rows
        .iter()
        .map(|row| serde_json::to_string(&row.applies).unwrap_or_default())
        .collect();
    table(vec![
        (
            "activation_id",
            numbers(rows.iter().map(|row| row.activation_id)),
        ),
        ("at", instants(rows.iter().map(|row| row.at.as_str()))?),
        ("plugin", texts(rows.iter().map(|row| row.plugin.as_str()))),
        (
            "version",
            texts(rows.iter().map(|row| row.version.as_str())),
        ),
        ("digest", texts(rows.iter().map(|row| row.digest.as_str()))),
        (
            "config_hash",
            texts(rows.iter().map(|row| row.config_hash.as_str())),
        ),
        ("applies", texts(applies.iter().map(String::as_str))),
        ("action", texts(rows.iter().map(|row| row.action.name()))),
        ("principal", texts(rows.iter().map(|row| row.by.as_str()))),
    ])
}

async fn calls(control: &Control, manufacturer: &ManufacturerId) -> Result<RecordBatch> {
    let rows = control.plugin_calls(manufacturer).await?;
    let receipts = || rows.iter().map(|row| &row.receipt);
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    table(vec![
        ("at", instants(rows.iter().map(|row| row.at.as_str()))?),
        ("plugin", texts(receipts().map(|one| one.plugin.as_str()))),
        ("version", texts(receipts().map(|one| one.version.as_str()))),
        (
            "function",
            texts(receipts().map(|one| one.function.as_str())),
        ),
        ("digest", texts(receipts().map(|one| one.digest.as_str()))),
        (
            "config_hash",
            texts(receipts().map(|one| one.config_hash.as_str())),
        ),
        ("calls", numbers(receipts().map(|one| number(one.calls)))),
        ("rows", numbers(receipts().map(|one| number(one.rows)))),
        (
            "elapsed_us",
            numbers(receipts().map(|one| number(one.elapsed_us))),
        ),
        (
            "memory_bytes_max",
            numbers(receipts().map(|one| number(one.memory_bytes_max))),
        ),
    ])
}

async fn log(control: &Control, manufacturer: &ManufacturerId) -> Result<RecordBatch> {
    let rows = control.plugin_log(manufacturer).await?;
    table(vec![
        ("at", instants(rows.iter().map(|row| row.at.as_str()))?),
        ("plugin", texts(rows.iter().map(|row| row.plugin.as_str()))),
        (
            "version",
            texts(rows.iter().map(|row| row.version.as_str())),
        ),
        ("level", texts(rows.iter().map(|row| row.level.as_str()))),
        (
            "message",
            texts(rows.iter().map(|row| row.message.as_str())),
        ),
    ])
}

fn table(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch> {
    let columns = columns
        .into_iter()
        .map(|(name, column)| (name, column, false));
    RecordBatch::try_from_iter_with_nullable(columns)
        .map_err(|error| Error::internal("list records", error))
}

fn texts<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn numbers(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

/// Instants as the control file keeps them.
fn instants<'a>(texts: impl Iterator<Item = &'a str>) -> Result<ArrayRef> {
    instants_or_null(texts.map(Some))
}

/// The same, where some never were.
pub(super) fn instants_or_null<'a>(
    texts: impl Iterator<Item = Option<&'a str>>,
) -> Result<ArrayRef> {
    let read = |text| {
        chrono::DateTime::parse_from_rfc3339(text)
            .map(|instant| instant.timestamp_micros())
            .map_err(|error| Error::internal("read time of a record", error))
    };
    let instants = texts.map(|text| text.map(read).transpose());
    let instants: Vec<Option<i64>> = instants.collect::<Result<_>>()?;
    Ok(Arc::new(
        TimestampMicrosecondArray::from(instants).with_timezone("UTC"),
    ))
}
