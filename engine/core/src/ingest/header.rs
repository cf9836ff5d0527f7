//! The columns that a file names, matched with those of its table.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};

use super::rejects::quote;
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::model::{Column, Semantics, Table};

/// Which column of the file fills which column of the table.
pub struct Header {
    /// Columns that the file names, in the order of the table, with their position in the file.
    pub columns: Vec<(usize, Column)>,
    /// Schema of the batches: those columns.
    pub schema: SchemaRef,
}

impl Header {
    /// Matches the names of a file with the columns of its table.
    pub fn of(table: &Table, names: &[String]) -> Result<Self> {
        if names.len() > limits::INGEST_COLUMNS {
            return Err(Error::limit(
                "ingest_columns",
                limits::INGEST_COLUMNS,
                names.len(),
            ));
        }
        for (position, name) in names.iter().enumerate() {
            if table.column(name).is_none() {
                return Err(unknown(table, position, name));
            }
            if names[..position].contains(name) {
                return Err(Error::new(
                    Fault::Invalid,
                    format!("column {} appears twice", quote(name)),
                ));
            }
        }
        let columns: Vec<(usize, Column)> = table
            .columns
            .iter()
            .filter_map(|column| {
                let position = names.iter().position(|name| column.name == *name)?;
                Some((position, column.clone()))
            })
            .collect();
        require(table, &columns)?;
        let fields: Vec<Field> = columns.iter().map(|(_, column)| column.field()).collect();
        Ok(Self {
            columns,
            schema: Arc::new(Schema::new(fields)),
        })
    }
}

/// A partial upsert may leave columns out; an append may leave out only what can be NULL.
fn require(table: &Table, present: &[(usize, Column)]) -> Result<()> {
    let missing: Vec<String> = table
        .columns
        .iter()
        .filter(|column| match table.semantics {
            Semantics::Upsert => table.key.contains(&column.name.as_ref()),
            Semantics::Append | Semantics::Engine => !column.nullable,
        })
        .filter(|column| !present.iter().any(|(_, have)| have.name == column.name))
        .map(|column| format!("\"{}\"", column.name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::new(
        Fault::Invalid,
        format!(
            "table \"{}\" needs column {}",
            table.name,
            missing.join(", ")
        ),
    )
    .with_hint("Name the columns in the header row."))
}

fn unknown(table: &Table, position: usize, name: &str) -> Error {
    let error = Error::new(
        Fault::Invalid,
        format!(
            "table \"{}\" has no column {} (column {} of the file)",
            table.name,
            quote(name),
            position + 1
        ),
    );
    let twin = table
        .columns
        .iter()
        .find(|column| column.name.eq_ignore_ascii_case(name.trim()));
    match twin {
        Some(column) => error.with_hint(format!("Write it as \"{}\".", column.name)),
        None => {
            let names: Vec<&str> = table
                .columns
                .iter()
                .map(|column| column.name.as_ref())
                .collect();
            error.with_hint(format!("Its columns are {}.", names.join(", ")))
        }
    }
}
