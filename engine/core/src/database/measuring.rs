//! The metrics of a manufacturer: the shipped ones, and its own, which replace those of the same name.
//!
//! A metric is read inside another SELECT, so it is planned there before it is saved. What is made of metrics is not
//! known here.

use std::borrow::Cow;
use std::collections::BTreeMap;

use arrow::datatypes::{DataType, Schema};

use super::Database;
use super::dependents::Known;
use super::saving::check_rows;
use crate::control::History;
use crate::fault::{Error, Fault, Result};
use crate::metric::{Metric, MetricKind, Metrics, SHIPPED, Shipped, shipped};
use crate::parameter::Parameters;
use crate::saved::{Definition, Save, Saved, SavedKind};
use crate::sql::Gated;

/// The metrics in force.
pub(super) fn metrics(history: &History) -> Metrics {
    let own = history.current(SavedKind::Metric);
    let own = own.filter_map(|saved| Some((saved.name.clone(), metric(&saved.definition).ok()?)));
    shipped().into_iter().chain(own).collect()
}

/// All versions of one kind, in order; what is shipped is version 0.
pub(super) fn versions(history: &History, kind: SavedKind) -> Cow<'_, [Saved]> {
    if kind != SavedKind::Metric {
        return Cow::Borrowed(history.of(kind));
    }
    let own = history.of(kind).iter().cloned();
    let mut all: Vec<Saved> = SHIPPED
        .iter()
        .map(|shipped| version_0(shipped, history))
        .chain(own)
        .collect();
    all.sort_by(|one, other| (&one.name, one.version).cmp(&(&other.name, other.version)));
    Cow::Owned(all)
}

/// The statement that reads what a metric of its kind has at least.
pub(super) fn reading(definition: &Definition) -> Result<Gated> {
    let metric = metric(definition)?;
    let columns = columns(metric.measure.kind);
    let columns: Vec<String> = columns.map(|name| format!("m.\"{name}\"")).collect();
    let columns = columns.join(", ");
    let sql = format!("SELECT {columns} FROM (\n{}\n) AS m", metric.sql);
    Gated::parse(&sql, &Parameters::new())
}

/// Refuses to delete what is not the manufacturer's own.
pub(super) fn check_own(kind: SavedKind, name: &str) -> Result<()> {
    let is_shipped = SHIPPED.iter().any(|shipped| shipped.name == name);
    if kind != SavedKind::Metric || !is_shipped {
        return Ok(());
    }
    Err(Error::new(
        Fault::Conflict,
        format!("metric \"{name}\" is shipped and cannot be deleted"),
    )
    .with_hint("Save a metric of your own under this name: it replaces the shipped one."))
}

/// Refuses a metric without what says how it is read, and anything else with it.
pub(super) fn check_measure(kind: SavedKind, definition: &Definition) -> Result<()> {
    match (kind, definition.measure) {
        (SavedKind::Metric, _) => metric(definition).map(|_| ()),
        (_, None) => Ok(()),
        (kind, Some(_)) => Err(Error::new(
            Fault::Invalid,
            format!("a {kind} has no \"kind\", \"direction\" and \"maturity_days\""),
        )
        .with_hint("A metric has: save it as one.")),
    }
}

impl Database {
    /// Whether a metric can be planned where it is read, and has the columns of its kind.
    pub(super) async fn check_metric(&self, save: &Save, known: &Known) -> Result<()> {
        let definition = &save.definition;
        let metric = metric(definition)?;
        let alone = Gated::parse(&definition.sql, &Parameters::new())?;
        check_rows(&self.sessions, save.kind, &alone)?;
        if alone.compares() {
            return Err(compares(&save.name));
        }
        let schema = self.plans(&save.manufacturer, alone, known).await?;
        check_columns(metric.measure.kind, &schema)?;
        let read = reading(definition)?;
        self.plans(&save.manufacturer, read, known).await?;
        Ok(())
    }
}

/// A metric as it is read: without the semicolon that may end its text.
pub(super) fn metric(definition: &Definition) -> Result<Metric> {
    let measure = definition.measure.ok_or_else(|| {
        Error::new(
            Fault::Invalid,
            "a metric needs \"kind\" and \"direction\"",
        )
        .with_hint(
            "The kind is sum, count, ratio or rate; the direction, up or down, says which way is good.",
        )
    })?;
    let ends = |character: char| character == ';' || character.is_whitespace();
    Ok(Metric {
        measure,
        sql: definition.sql.trim_end_matches(ends).to_owned(),
    })
}

fn compares(name: &str) -> Error {
    Error::new(
        Fault::Invalid,
        "a metric cannot call compare() or scorecard()",
    )
    .with_hint(format!(
        "They are made of metrics. Select from tables and views here; call compare('{name}') where the metric is read."
    ))
}

/// A shipped metric as if it had been saved.
fn version_0(shipped: &Shipped, history: &History) -> Saved {
    let mut own = history.current(SavedKind::Metric);
    Saved {
        name: shipped.name.to_owned(),
        version: 0,
        definition: Definition {
            sql: shipped.sql.to_owned(),
            description: shipped.description().to_owned(),
            parameters: BTreeMap::new(),
            measure: Some(shipped.measure),
        },
        saved_at: None,
        is_current: !own.any(|own| own.name == shipped.name),
        is_deleted: false,
        is_shipped: true,
    }
}

/// The columns that a metric of this kind has at least.
fn columns(kind: MetricKind) -> impl Iterator<Item = &'static str> {
    let own = kind.columns().iter().copied();
    ["distributor_id", "at"].into_iter().chain(own)
}

/// Everything that is wrong with the columns, at once.
fn check_columns(kind: MetricKind, schema: &Schema) -> Result<()> {
    let wrong: Vec<String> = columns(kind)
        .filter_map(|name| wrong(name, schema))
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = columns(kind).collect();
    let kind = kind.name();
    Err(Error::new(
        Fault::Invalid,
        format!(
            "the rows are not those of a {kind}: column {}",
            wrong.join(", ")
        ),
    )
    .with_hint(format!(
        "A {kind} selects {}; every further column is a dimension.",
        names.join(", ")
    )))
}

/// What is wrong with one column, in words.
fn wrong(name: &str, schema: &Schema) -> Option<String> {
    let (wanted, fits) = wanted(name);
    let mut named = schema.fields().iter().filter(|field| field.name() == name);
    match (named.next(), named.next()) {
        (None, _) => Some(format!("\"{name}\" is missing ({wanted})")),
        (Some(_), Some(_)) => Some(format!("\"{name}\" is there twice")),
        (Some(field), None) if fits(field.data_type()) => None,
        (Some(field), None) => Some(format!(
            "\"{name}\" is {}, expected {wanted}",
            field.data_type()
        )),
    }
}

/// What a column has to be.
fn wanted(column: &str) -> (&'static str, fn(&DataType) -> bool) {
    match column {
        "distributor_id" => ("text", DataType::is_string),
        "at" => ("DATE or TIMESTAMP", |kind| {
            matches!(
                kind,
                DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _)
            )
        }),
        "event" => ("BOOLEAN", |kind| *kind == DataType::Boolean),
        _ => ("a number", DataType::is_numeric),
    }
}
