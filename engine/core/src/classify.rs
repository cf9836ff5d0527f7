//! Whose fault a `DataFusionError` is, read once from its root.

use arrow::error::ArrowError;
use datafusion::common::{Column, SchemaError};
use datafusion::error::DataFusionError;

use crate::fault::{Error, Fault};

/// Our own errors come out as they went in; the others by their kind.
pub fn classify(error: DataFusionError) -> Error {
    match error {
        DataFusionError::External(inner) => match inner.downcast::<Error>() {
            Ok(ours) => *ours,
            Err(other) => Error::internal("answer query", other),
        },
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => {
            classify(*inner)
        }
        DataFusionError::Shared(inner) => match std::sync::Arc::try_unwrap(inner) {
            Ok(inner) => classify(inner),
            Err(shared) => by_root(&shared),
        },
        DataFusionError::Collection(mut errors) if !errors.is_empty() => {
            classify(errors.swap_remove(0))
        }
        other => by_root(&other),
    }
}

fn by_root(error: &DataFusionError) -> Error {
    match error.find_root() {
        DataFusionError::SQL(error, _) => {
            let message = error.to_string();
            Error::new(
                Fault::Syntax,
                first_line(message.trim_start_matches("sql parser error: ")),
            )
        }
        DataFusionError::Plan(message) | DataFusionError::Configuration(message) => {
            Error::new(Fault::Invalid, first_line(message))
        }
        DataFusionError::NotImplemented(message) => Error::new(
            Fault::Invalid,
            format!("not supported: {}", first_line(message)),
        ),
        DataFusionError::SchemaError(error, _) => match error.as_ref() {
            SchemaError::FieldNotFound {
                field,
                valid_fields,
            } => no_column(field, valid_fields),
            other => Error::new(Fault::Invalid, first_line(&other.to_string())),
        },
        DataFusionError::Execution(message) => Error::new(Fault::Invalid, first_line(message)),
        DataFusionError::ResourcesExhausted(message) => Error::new(
            Fault::Limit,
            format!("query needs too much memory: {}", first_line(message)),
        )
        .with_hint("Select fewer columns or rows, or aggregate before joining."),
        DataFusionError::ArrowError(error, _) => by_arrow(error),
        DataFusionError::External(inner) => match inner.downcast_ref::<Error>() {
            Some(ours) => ours.shared(),
            None => Error::internal("answer query", inner.to_string()),
        },
        other => Error::internal("answer query", other.to_string()),
    }
}

fn no_column(field: &Column, valid: &[Column]) -> Error {
    const NAMED: usize = 40;
    let error = Error::new(
        Fault::Invalid,
        format!("column \"{}\" does not exist", field.flat_name()),
    );
    let mut names: Vec<&str> = valid.iter().take(NAMED).map(Column::name).collect();
    names.dedup();
    match names.is_empty() {
        true => error,
        false => error.with_hint(format!("The columns here are {}.", names.join(", "))),
    }
}

fn by_arrow(error: &ArrowError) -> Error {
    match error {
        ArrowError::CastError(_)
        | ArrowError::ParseError(_)
        | ArrowError::ComputeError(_)
        | ArrowError::InvalidArgumentError(_)
        | ArrowError::DivideByZero
        | ArrowError::ArithmeticOverflow(_) => {
            Error::new(Fault::Invalid, first_line(&error.to_string()))
        }
        other => Error::internal("answer query", other.to_string()),
    }
}

/// The first line of a message, as our messages are written.
fn first_line(message: &str) -> String {
    let line = message
        .lines()
        .next()
        .unwrap_or_default()
        .trim_end_matches('.');
    let mut chars = line.chars();
    match (chars.next(), chars.clone().next()) {
        // An abbreviation keeps its capitals.
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => line.to_owned(),
    }
}
