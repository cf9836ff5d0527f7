//! Every version of what a manufacturer saved, as tables that SQL reads.
//!
//! Lays out what it is given: it does not know where versions are kept, nor whose they are.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;

use super::records::instants_or_null;
use crate::fault::{Error, Result};
use crate::metric::Measure;
use crate::saved::{Saved, SavedKind};

/// The tables, and what is in them.
pub const HISTORIES: [(&str, SavedKind); 3] = [
    ("metrics", SavedKind::Metric),
    ("named_queries", SavedKind::Query),
    ("saved_views", SavedKind::View),
];

type Column = (&'static str, ArrayRef);

/// Every version as a row.
pub fn history(kind: SavedKind, versions: &[Saved]) -> Result<RecordBatch> {
    let mut columns = vec![
        ("name", texts(versions, |saved| saved.name.clone())),
        ("version", numbers(versions, |saved| saved.version)),
        ("sql", texts(versions, |saved| saved.definition.sql.clone())),
        (
            "description",
            texts(versions, |saved| saved.definition.description.clone()),
        ),
        (
            "saved_at",
            instants_or_null(versions.iter().map(|saved| saved.saved_at.as_deref()))?,
        ),
        ("is_current", flags(versions, |saved| saved.is_current)),
        ("is_deleted", flags(versions, |saved| saved.is_deleted)),
    ];
    match kind {
        SavedKind::View => {}
        SavedKind::Query => columns.insert(4, ("parameters", parameters(versions))),
        SavedKind::Metric => {
            columns.insert(5, ("is_shipped", flags(versions, |saved| saved.is_shipped)));
            columns.splice(2..2, measures(versions));
        }
    }
    // What is shipped was never saved.
    let nullable = |name| name == "saved_at" && kind == SavedKind::Metric;
    let columns = columns
        .into_iter()
        .map(|(name, column)| (name, column, nullable(name)));
    RecordBatch::try_from_iter_with_nullable(columns)
        .map_err(|error| Error::internal("list saved SQL", error))
}

fn parameters(versions: &[Saved]) -> ArrayRef {
    texts(versions, |saved| {
        serde_json::to_string(&saved.definition.parameters).unwrap_or_default()
    })
}

/// How metrics are read.
fn measures(versions: &[Saved]) -> [Column; 3] {
    let measures = || {
        versions
            .iter()
            .map(|saved| saved.definition.measure.as_ref())
    };
    let kind = |measure: &Measure| measure.kind.name();
    let direction = |measure: &Measure| measure.direction.name();
    let days = |measure: &Measure| i64::from(measure.maturity_days);
    let kinds: StringArray = measures().map(|it| it.map(kind)).collect();
    let directions: StringArray = measures().map(|it| it.map(direction)).collect();
    let days: Int64Array = measures().map(|it| it.map(days)).collect();
    [
        ("kind", Arc::new(kinds)),
        ("direction", Arc::new(directions)),
        ("maturity_days", Arc::new(days)),
    ]
}

fn texts(versions: &[Saved], text: impl Fn(&Saved) -> String) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(versions.iter().map(text)))
}

fn numbers(versions: &[Saved], number: impl Fn(&Saved) -> u64) -> ArrayRef {
    let numbers = versions.iter().map(number);
    let numbers = numbers.map(|number| i64::try_from(number).unwrap_or(i64::MAX));
    Arc::new(Int64Array::from_iter_values(numbers))
}

fn flags(versions: &[Saved], flag: impl Fn(&Saved) -> bool) -> ArrayRef {
    Arc::new(BooleanArray::from(
        versions.iter().map(flag).collect::<Vec<_>>(),
    ))
}
