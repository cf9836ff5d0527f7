//! A mapping: a TOML document that says which files an export has, and which statement over them fills which table.
//!
//! Parsed once, strictly; everything after works with checked names and kinds.

use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::sync::Arc;

use serde::Deserialize;

use crate::engine::Attribute;
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::manufacturer::ManufacturerId;
use crate::model::{Kind, Semantics, TABLES, Table};
use crate::reading::Reading;

/// A checked mapping.
#[derive(Debug)]
pub struct Mapping {
    /// Whose rows they are, where a statement does not say it row by row.
    pub manufacturer: Option<ManufacturerId>,
    /// The files, by the name that statements use.
    pub sources: BTreeMap<String, Source>,
    /// The tables to fill, in the order of the data model.
    pub targets: Vec<Target>,
}

/// One file of the export.
#[derive(Debug)]
pub struct Source {
    /// Its path below the folder.
    pub file: String,
    /// How it is written.
    pub reading: Reading,
    /// Kinds of its columns; text where it does not say.
    pub types: BTreeMap<String, Kind>,
}

/// One table to fill.
#[derive(Debug)]
pub struct Target {
    pub table: &'static Arc<Table>,
    /// The statement that makes its rows.
    pub sql: String,
    /// Columns of money whose excess decimals are rounded.
    pub round: Vec<String>,
    /// Columns that it gets beside those of the data model.
    pub attributes: Vec<Attribute>,
}

impl Mapping {
    /// Parses and checks a document.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > limits::MAPPING_BYTES {
            return Err(Error::limit(
                "mapping_bytes",
                limits::MAPPING_BYTES,
                text.len(),
            ));
        }
        let document: Document = toml::from_str(text).map_err(|error| {
            let message = error.to_string();
            let message = message.trim_end().trim_start_matches("TOML parse error ");
            Error::new(
                Fault::Invalid,
                format!("mapping: {}", message.replace('\n', " ")),
            )
            .with_hint("docs/importing.md lists what a mapping may say.")
        })?;
        let manufacturer = document
            .manufacturer
            .map(ManufacturerId::try_from)
            .transpose()?;
        let mut sources = BTreeMap::new();
        for (name, source) in document.sources {
            let source = source.checked(&name)?;
            sources.insert(name, source);
        }
        let targets = targets(document.tables, document.attributes)?;
        if targets.is_empty() {
            return Err(Error::new(Fault::Invalid, "mapping: it fills no table")
                .with_hint("Add [tables.<name>] with sql = \"SELECT …\"."));
        }
        Ok(Self {
            manufacturer,
            sources,
            targets,
        })
    }
}

/// The document as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[expect(dead_code, reason = "for whoever reads the document")]
    description: Option<String>,
    manufacturer: Option<String>,
    #[serde(default)]
    sources: BTreeMap<String, WrittenSource>,
    #[serde(default)]
    attributes: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    tables: BTreeMap<String, WrittenTarget>,
}

#[derive(Deserialize)]
struct WrittenSource {
    file: String,
    #[serde(default)]
    types: BTreeMap<String, String>,
    /// Everything else is how the file is written, and is checked there.
    #[serde(flatten)]
    reading: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTarget {
    sql: String,
    #[serde(default)]
    round: Vec<String>,
}

impl WrittenSource {
    fn checked(self, name: &str) -> Result<Source> {
        let place = |error: Error| error.within(&format!("[sources.{name}]"));
        let invalid = |message: String| place(Error::new(Fault::Invalid, message));
        let path = Path::new(&self.file);
        let inside = path
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if !inside || self.file.is_empty() {
            return Err(invalid(format!(
                "file {:?} does not lie below the folder",
                self.file
            ))
            .with_hint(
                "Name a file of the export's folder, without \"..\" and without a leading slash.",
            ));
        }
        let mut types = BTreeMap::new();
        for (column, word) in self.types {
            let kind = Kind::named(&word).ok_or_else(|| {
                invalid(format!("column \"{column}\": {word:?} is not a type"))
                    .with_hint(format!("The types are {}.", Kind::WORDS))
            })?;
            types.insert(column, kind);
        }
        let reading = reading(self.reading, path).map_err(place)?;
        Ok(Source {
            file: self.file,
            reading,
            types,
        })
    }
}

/// How a file is written: as the mapping says, and else as its name does.
fn reading(written: toml::Table, file: &Path) -> Result<Reading> {
    let mut reading: Reading =
        toml::Value::Table(written)
            .try_into()
            .map_err(|error: toml::de::Error| {
                Error::new(Fault::Invalid, error.message())
                    .with_hint("docs/importing.md lists what a source may say.")
            })?;
    let (format, compression) = Reading::by_name(file);
    reading.compression = reading.compression.or(compression);
    let Some(format) = reading.format.or(format) else {
        return Err(Error::new(
            Fault::Invalid,
            format!(
                "the name of \"{}\" does not say how it is written",
                file.display()
            ),
        )
        .with_hint("Say format = \"csv\", \"ndjson\", \"parquet\" or \"arrow\"."));
    };
    reading.format = Some(format);
    reading.check(format)?;
    Ok(reading)
}

/// The targets in the order of the data model.
fn targets(
    mut written: BTreeMap<String, WrittenTarget>,
    mut attributes: BTreeMap<String, BTreeMap<String, String>>,
) -> Result<Vec<Target>> {
    let sections = written.keys().map(|name| ("tables", name));
    let sections = sections.chain(attributes.keys().map(|name| ("attributes", name)));
    for (section, name) in sections {
        if !tables().any(|table| table.name == *name) {
            return Err(Error::new(
                Fault::Invalid,
                format!("mapping: [{section}.{name}] names no table that takes rows"),
            )
            .with_hint(names()));
        }
    }
    let mut targets = Vec::with_capacity(written.len());
    for table in tables() {
        let attributes = attributes.remove(table.name.as_ref());
        let Some(target) = written.remove(table.name.as_ref()) else {
            if attributes.is_some() {
                return Err(Error::new(
                    Fault::Invalid,
                    format!(
                        "mapping: [attributes.{}] has no [tables.{0}] to fill it",
                        table.name
                    ),
                ));
            }
            continue;
        };
        let attributes = attributes.unwrap_or_default().into_iter();
        targets.push(Target {
            table,
            sql: target.sql,
            round: target.round,
            attributes: attributes
                .map(|(name, kind)| Attribute { name, kind })
                .collect(),
        });
    }
    Ok(targets)
}

/// The tables that take rows.
fn tables() -> impl Iterator<Item = &'static Arc<Table>> {
    TABLES
        .iter()
        .filter(|table| table.semantics != Semantics::Engine)
}

fn names() -> String {
    let names: Vec<&str> = tables().map(|table| table.name.as_ref()).collect();
    format!("Rows are taken by {}.", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        manufacturer = "acme"
        [sources.sales]
        file = "sub/sales.csv.gz"
        delimiter = ";"
        [sources.sales.types]
        Amount = "money"
        [attributes.revenue]
        order_number = "text"
        [tables.revenue]
        sql = "SELECT 1"
        round = ["amount"]
        [tables.distributors]
        sql = "SELECT 2"
    "#;

    #[test]
    fn reads_a_mapping_and_orders_its_targets() {
        let mapping = Mapping::parse(GOOD).expect("good");
        let order: Vec<&str> = mapping
            .targets
            .iter()
            .map(|t| t.table.name.as_ref())
            .collect();
        assert_eq!(order, ["distributors", "revenue"]);
        assert_eq!(mapping.sources["sales"].types["Amount"], Kind::Money);
        assert_eq!(mapping.targets[1].attributes[0].name, "order_number");
    }

    #[test]
    fn names_the_place_of_what_is_wrong() {
        for (from, to, expected) in [
            ("\"acme\"", "\"Acme\"", "Acme"),
            ("sub/sales.csv.gz", "../sales.csv", "[sources.sales]"),
            ("sub/sales.csv.gz", "/etc/passwd.csv", "[sources.sales]"),
            ("delimiter", "delimeter", "delimeter"),
            ("\"money\"", "\"dollars\"", "Amount"),
            ("tables.revenue", "tables.sales", "[tables.sales]"),
            (
                "attributes.revenue",
                "attributes.leads",
                "[attributes.leads]",
            ),
            ("sql = \"SELECT 1\"", "query = \"SELECT 1\"", "query"),
            ("round", "rounded", "rounded"),
        ] {
            let error = Mapping::parse(&GOOD.replace(from, to)).expect_err(to);
            assert_eq!(error.fault(), Fault::Invalid);
            assert!(error.message().contains(expected), "{to}: {error}");
        }
    }
}
