//! The rows of a question that finds something, looked up by column name.

use arrow::json::ArrayWriter;
use futures::TryStreamExt;
use serde_json::{Map, Value};
use tributary_datasets::questions;
use tributary_engine_core::engine::Frame;
use tributary_engine_core::manufacturer::ManufacturerId;
use tributary_engine_core::{Engine, Error, Result};

use super::ask::ask;

/// The answer to one question; a few hundred rows at most, one for each distributor, kind or reason.
pub(super) struct Findings {
    rows: Vec<Row>,
}

/// One row.
pub(super) struct Row(Map<String, Value>);

impl Findings {
    /// Asks a question by its name.
    pub(super) async fn of(
        engine: &dyn Engine,
        manufacturer: &ManufacturerId,
        name: &str,
    ) -> Result<Self> {
        let question = questions()
            .iter()
            .find(|question| question.name == name)
            .ok_or_else(|| {
                Error::internal("ask question", format!("no question is named \"{name}\""))
            })?;
        let mut frames = ask(engine, manufacturer, question.sql).await?.frames;
        let mut rows = ArrayWriter::new(Vec::new());
        while let Some(frame) = frames.try_next().await? {
            if let Frame::Batch(batch) = frame {
                rows.write(&batch)
                    .map_err(|error| Error::internal("read findings", error))?;
            }
        }
        rows.finish()
            .map_err(|error| Error::internal("read findings", error))?;
        let rows = serde_json::from_slice(&rows.into_inner())
            .map_err(|error| Error::internal("read findings", error))?;
        Ok(Self::from_rows(rows))
    }

    pub(super) fn from_rows(rows: Vec<Map<String, Value>>) -> Self {
        Self {
            rows: rows.into_iter().map(Row).collect(),
        }
    }

    /// The rows that say `value` in `column`.
    pub(super) fn saying(&self, column: &str, value: &str) -> impl Iterator<Item = &Row> {
        self.rows
            .iter()
            .filter(move |row| row.text(column) == value)
    }
}

impl Row {
    /// The value as text; empty for NULL.
    pub(super) fn text(&self, column: &str) -> String {
        match self.0.get(column) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        }
    }
}
