//! Columns that a manufacturer adds to a table: which may be added, and which there are.

use crate::engine::{Attribute, Declared};
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::manufacturer::is_name;
use crate::model::{Column, Kind, Table};

/// Names that the shipped views give to columns of their own, or that an import reads as whose row it is.
const TAKEN: [&str; 7] = [
    "age_days",
    "as_of",
    "days_to_close",
    "days_to_touch",
    "manufacturer",
    "source",
    "stage",
];

/// Those of the wanted columns that the table does not have. One that it has with another type is a conflict.
pub fn missing(table: &Table, wanted: &[Attribute]) -> Result<Vec<Column>> {
    let mut missing: Vec<Column> = Vec::new();
    for attribute in wanted {
        let column = column(attribute)?;
        let name = column.name.as_ref();
        let there = table
            .column(name)
            .or_else(|| missing.iter().find(|have| have.name == name));
        match there {
            Some(there) if there.kind == column.kind => {}
            Some(there) => {
                return Err(Error::new(
                    Fault::Conflict,
                    format!(
                        "table \"{}\" has a column \"{name}\" of type {}, asked for {}",
                        table.name,
                        there.kind.word(),
                        column.kind.word()
                    ),
                )
                .with_hint("A column keeps its type. Choose another name."));
            }
            None => missing.push(column),
        }
    }
    let all = table.attributes().len() + missing.len();
    if all > limits::ATTRIBUTES {
        return Err(Error::limit("attributes", limits::ATTRIBUTES, all));
    }
    Ok(missing)
}

/// What the table has.
pub fn declared(table: &Table, version: Option<u64>) -> Declared {
    let attributes = table.attributes().iter().map(|column| Attribute {
        name: column.name.to_string(),
        kind: column.kind.word(),
    });
    Declared {
        table: table.name.to_string(),
        table_version: version,
        attributes: attributes.collect(),
    }
}

fn column(attribute: &Attribute) -> Result<Column> {
    if !is_name(&attribute.name) {
        let shown: String = attribute.name.chars().take(63).collect();
        return Err(Error::new(
            Fault::Invalid,
            format!("attribute {shown:?} is not a valid name"),
        )
        .with_hint(
            "A name is a lower-case letter followed by at most 62 lower-case letters, digits or underscores.",
        ));
    }
    if TAKEN.contains(&attribute.name.as_str()) {
        return Err(Error::new(
            Fault::Invalid,
            format!(
                "attribute \"{}\" has a name that the views use",
                attribute.name
            ),
        )
        .with_hint(format!("Choose another; taken are {}.", TAKEN.join(", "))));
    }
    let kind = Kind::named(&attribute.kind).ok_or_else(|| {
        let shown: String = attribute.kind.chars().take(63).collect();
        Error::new(
            Fault::Invalid,
            format!("attribute \"{}\": {shown:?} is not a type", attribute.name),
        )
        .with_hint(format!("The types are {}.", Kind::WORDS))
    })?;
    Ok(Column::optional(attribute.name.clone(), kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, kind: &str, expected: Result<usize, Fault>) {
        let leads = Table::named("leads").expect("a table of the data model");
        let wide = leads.with([Column::optional("budget".to_owned(), Kind::Money)]);
        let wanted = Attribute {
            name: name.to_owned(),
            kind: kind.to_owned(),
        };
        let found = missing(&wide, &[wanted.clone(), wanted]);
        let found = found
            .map(|columns| columns.len())
            .map_err(|error| error.fault());
        assert_eq!(found, expected, "{name} {kind}");
    }

    #[test]
    fn adds_what_is_new_and_keeps_what_is_there() {
        check("score_2", "number", Ok(1));
        check("budget", "money", Ok(0));
        check("budget", "decimal(19,4)", Ok(0));
        check("budget", "text", Err(Fault::Conflict));
        check("industry", "text", Ok(0));
        check("industry", "integer", Err(Fault::Conflict));
        check("Score", "number", Err(Fault::Invalid));
        check("score", "float", Err(Fault::Invalid));
        check("a.b", "text", Err(Fault::Invalid));
        check("stage", "text", Err(Fault::Invalid));
    }
}
