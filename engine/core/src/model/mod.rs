//! The data model: every table, its columns, its key and how new rows meet old ones.
//!
//! Deliberately without storage or SQL: ingest checks against it, the store creates from it. A manufacturer may add
//! columns of its own to a table; the store knows which, and makes the wider table with [`Table::with`].

mod kind;
mod tables;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{Field, Schema, SchemaRef};

pub use kind::{Kind, MONEY_PRECISION, MONEY_SCALE};

/// One table: of the data model, or a file that stands for one.
#[derive(Debug)]
pub struct Table {
    /// Name, as in SQL.
    pub name: Cow<'static, str>,
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Columns that together name one row.
    pub key: &'static [&'static str],
    /// How new rows meet old ones.
    pub semantics: Semantics,
    /// Order of the rows in each file.
    pub order: &'static [&'static str],
    schema: SchemaRef,
}

/// How new rows meet old ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Semantics {
    /// A later row of the same key wins; a row changes only the columns its file names.
    Upsert,
    /// A key is stored once: the same content again is a no-op, other content is a conflict.
    Append,
    /// Only the engine writes here.
    Engine,
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name, as in SQL and in the header of a file.
    pub name: Cow<'static, str>,
    /// Type of its values.
    pub kind: Kind,
    /// Whether a value may be absent.
    pub nullable: bool,
    /// The only values allowed; empty where any are.
    pub allowed: &'static [&'static str],
}

/// Every table of a manufacturer, in the order in which a newcomer fills them.
pub static TABLES: LazyLock<Vec<Arc<Table>>> =
    LazyLock::new(|| tables::all().into_iter().map(Arc::new).collect());

impl Column {
    /// A column that may be NULL and takes any value of its type.
    #[must_use]
    pub const fn optional(name: String, kind: Kind) -> Self {
        Self {
            name: Cow::Owned(name),
            kind,
            nullable: true,
            allowed: &[],
        }
    }

    /// The Arrow field that stores it.
    #[must_use]
    pub fn field(&self) -> Field {
        Field::new(self.name.as_ref(), self.kind.data_type(), self.nullable)
    }
}

impl Table {
    /// A table of these columns.
    #[must_use]
    pub fn new(
        name: Cow<'static, str>,
        columns: Vec<Column>,
        key: &'static [&'static str],
        semantics: Semantics,
        order: &'static [&'static str],
    ) -> Self {
        let fields: Vec<Field> = columns.iter().map(Column::field).collect();
        Self {
            name,
            columns,
            key,
            semantics,
            order,
            schema: Arc::new(Schema::new(fields)),
        }
    }

    /// The table of the data model that has this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Arc<Self>> {
        TABLES.iter().find(|table| table.name == name)
    }

    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The same table with more columns, after those that it has.
    #[must_use]
    pub fn with(&self, more: impl IntoIterator<Item = Column>) -> Self {
        Self::new(
            self.name.clone(),
            self.columns.iter().cloned().chain(more).collect(),
            self.key,
            self.semantics,
            self.order,
        )
    }

    /// The columns that the data model does not have: the manufacturer's own.
    #[must_use]
    pub fn attributes(&self) -> &[Column] {
        let shipped = Self::named(&self.name).map_or(0, |table| table.columns.len());
        self.columns.get(shipped..).unwrap_or_default()
    }

    /// The Arrow schema that stores it.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_orders_name_columns() {
        for table in TABLES.iter() {
            for name in table.key.iter().chain(table.order) {
                assert!(table.column(name).is_some(), "{}.{name}", table.name);
            }
            for name in table.key {
                assert!(!table.column(name).expect("checked above").nullable);
            }
            assert_eq!(table.schema().fields().len(), table.columns.len());
            assert!(table.attributes().is_empty());
        }
    }
}
