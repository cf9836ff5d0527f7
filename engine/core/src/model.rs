//! The data model: every table, its columns, its key and how new rows meet old ones.
//!
//! Deliberately without storage or SQL: ingest checks against it, the store creates from it.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// Digits of an amount of money.
pub const MONEY_PRECISION: u8 = 19;
/// Decimals of an amount of money.
pub const MONEY_SCALE: i8 = 4;

/// One table of the data model.
#[derive(Debug)]
pub struct Table {
    /// Name, as in SQL.
    pub name: &'static str,
    /// Columns in order.
    pub columns: &'static [Column],
    /// Columns that together name one row.
    pub key: &'static [&'static str],
    /// How new rows meet old ones.
    pub semantics: Semantics,
    /// Order of the rows in each file.
    pub order: &'static [&'static str],
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
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Name, as in SQL and in the header of a file.
    pub name: &'static str,
    /// Type of its values.
    pub kind: Kind,
    /// Whether a value may be absent.
    pub nullable: bool,
    /// The only values allowed; empty where any are.
    pub allowed: &'static [&'static str],
}

/// Type of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ids, names and enumerations.
    Text,
    /// A calendar day.
    Date,
    /// An instant, UTC, microseconds.
    Timestamp,
    /// A count.
    Count,
    /// One to five.
    Rating,
    /// An amount in the manufacturer's reporting currency, four decimals.
    Money,
    /// A score of any scale.
    Number,
    /// Yes or no.
    Flag,
}

impl Kind {
    /// The Arrow type that stores it.
    #[must_use]
    pub fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Count => DataType::Int64,
            Self::Rating => DataType::Int8,
            Self::Money => DataType::Decimal128(MONEY_PRECISION, MONEY_SCALE),
            Self::Number => DataType::Float64,
            Self::Flag => DataType::Boolean,
        }
    }

    /// What to call a value of this type when one is bad.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Date => "a date like 2024-05-31",
            Self::Timestamp => "a timestamp like 2024-05-31T09:30:00Z",
            Self::Count => "a whole number",
            Self::Rating => "a rating from 1 to 5",
            Self::Money => "a decimal number like 1234.50",
            Self::Number => "a number",
            Self::Flag => "true or false",
        }
    }
}

impl Column {
    /// The Arrow field that stores it.
    #[must_use]
    pub fn field(&self) -> Field {
        Field::new(self.name, self.kind.data_type(), self.nullable)
    }
}

impl Table {
    /// The table of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        TABLES.iter().find(|table| table.name == name)
    }

    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The Arrow schema that stores it.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        static SCHEMAS: LazyLock<Vec<(&'static str, SchemaRef)>> = LazyLock::new(|| {
            let schema = |table: &Table| {
                let fields: Vec<Field> = table.columns.iter().map(Column::field).collect();
                Arc::new(Schema::new(fields))
            };
            TABLES
                .iter()
                .map(|table| (table.name, schema(table)))
                .collect()
        });
        let found = SCHEMAS.iter().find(|(name, _)| *name == self.name);
        Arc::clone(&found.expect("every table is in TABLES").1)
    }
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        kind,
        nullable: false,
        allowed: &[],
    }
}

const fn text(name: &'static str) -> Column {
    column(name, Kind::Text)
}

const fn one_of(name: &'static str, allowed: &'static [&'static str]) -> Column {
    Column {
        allowed,
        ..column(name, Kind::Text)
    }
}

const fn maybe(column: Column) -> Column {
    Column {
        nullable: true,
        ..column
    }
}

const fn date(name: &'static str) -> Column {
    column(name, Kind::Date)
}

const fn time(name: &'static str) -> Column {
    column(name, Kind::Timestamp)
}

const fn money(name: &'static str) -> Column {
    column(name, Kind::Money)
}

const fn count(name: &'static str) -> Column {
    column(name, Kind::Count)
}

/// Every table of a manufacturer, in the order in which a newcomer fills them.
pub static TABLES: &[Table] = &[
    Table {
        name: "distributors",
        columns: &[
            text("distributor_id"),
            text("name"),
            maybe(text("region")),
            maybe(text("territory")),
            maybe(text("tier")),
            maybe(date("joined_on")),
            maybe(text("parent_id")),
            maybe(text("status")),
        ],
        key: &["distributor_id"],
        semantics: Semantics::Upsert,
        order: &["distributor_id"],
    },
    Table {
        name: "reps",
        columns: &[
            text("rep_id"),
            maybe(text("distributor_id")),
            maybe(text("manager_id")),
            text("name"),
            maybe(text("territory")),
            maybe(date("joined_on")),
        ],
        key: &["rep_id"],
        semantics: Semantics::Upsert,
        order: &["distributor_id", "rep_id"],
    },
    Table {
        name: "products",
        columns: &[
            text("product_id"),
            text("name"),
            maybe(text("line")),
            maybe(money("list_price")),
        ],
        key: &["product_id"],
        semantics: Semantics::Upsert,
        order: &["product_id"],
    },
    Table {
        name: "campaigns",
        columns: &[
            text("campaign_id"),
            text("name"),
            maybe(text("source")),
            maybe(money("cost")),
            maybe(date("started_on")),
        ],
        key: &["campaign_id"],
        semantics: Semantics::Upsert,
        order: &["campaign_id"],
    },
    Table {
        name: "leads",
        columns: &[
            text("lead_id"),
            maybe(text("distributor_id")),
            maybe(text("rep_id")),
            maybe(text("product_id")),
            maybe(text("campaign_id")),
            maybe(text("region")),
            maybe(text("industry")),
            maybe(count("employees")),
            maybe(money("est_value")),
            time("created_at"),
            maybe(time("mql_at")),
            maybe(time("sent_at")),
            maybe(time("first_touch_at")),
            maybe(time("dql_at")),
            maybe(time("rejected_at")),
            maybe(text("reject_reason")),
            maybe(time("opportunity_at")),
            maybe(time("closed_at")),
            one_of("outcome", &["won", "lost", "rejected", "open"]),
            maybe(money("amount")),
        ],
        key: &["lead_id"],
        semantics: Semantics::Upsert,
        order: &["distributor_id", "created_at"],
    },
    Table {
        name: "revenue",
        columns: &[
            text("revenue_id"),
            text("distributor_id"),
            maybe(text("rep_id")),
            maybe(text("lead_id")),
            maybe(text("product_id")),
            time("booked_at"),
            money("amount"),
            maybe(money("cost")),
            count("quantity"),
            one_of("kind", &["new", "repeat", "return"]),
        ],
        key: &["revenue_id"],
        semantics: Semantics::Append,
        order: &["distributor_id", "booked_at"],
    },
    Table {
        name: "resources",
        columns: &[
            text("resource_id"),
            text("distributor_id"),
            maybe(text("lead_id")),
            time("granted_at"),
            one_of(
                "kind",
                &[
                    "mdf",
                    "training",
                    "samples",
                    "support",
                    "rebate",
                    "lead_cost",
                ],
            ),
            money("cost"),
            count("quantity"),
        ],
        key: &["resource_id"],
        semantics: Semantics::Append,
        order: &["distributor_id", "granted_at"],
    },
    Table {
        name: "targets",
        columns: &[
            one_of(
                "subject_kind",
                &["distributor", "rep", "territory", "manufacturer"],
            ),
            text("subject_id"),
            date("period_start"),
            one_of("grain", &["month", "quarter", "year"]),
            text("measure"),
            money("value"),
        ],
        key: &[
            "subject_kind",
            "subject_id",
            "period_start",
            "grain",
            "measure",
        ],
        semantics: Semantics::Upsert,
        order: &["subject_kind", "subject_id", "period_start"],
    },
    Table {
        name: "lead_events",
        columns: &[
            text("lead_id"),
            time("at"),
            text("field"),
            maybe(text("value")),
            text("source"),
        ],
        key: &["lead_id", "at", "field"],
        semantics: Semantics::Engine,
        order: &["lead_id", "at"],
    },
    Table {
        name: "decisions",
        columns: &[
            text("decision_id"),
            text("lead_id"),
            one_of("kind", &["mql", "dql"]),
            text("plugin"),
            text("version"),
            text("digest"),
            text("config_hash"),
            count("data_version"),
            time("decided_at"),
            maybe(text("verdict")),
            maybe(column("score", Kind::Number)),
            maybe(text("reasons")),
            maybe(text("error")),
        ],
        key: &["decision_id"],
        semantics: Semantics::Engine,
        order: &["lead_id", "decided_at"],
    },
    Table {
        name: "stages",
        columns: &[
            text("stage"),
            count("position"),
            maybe(text("exit_criteria")),
        ],
        key: &["stage"],
        semantics: Semantics::Upsert,
        order: &["position"],
    },
    Table {
        name: "calendars",
        columns: &[
            text("calendar_id"),
            date("day"),
            column("is_open", Kind::Flag),
            maybe(text("opens")),
            maybe(text("closes")),
        ],
        key: &["calendar_id", "day"],
        semantics: Semantics::Upsert,
        order: &["calendar_id", "day"],
    },
    Table {
        name: "feedback",
        columns: &[
            text("feedback_id"),
            text("distributor_id"),
            maybe(text("rep_id")),
            one_of("subject", &["lead", "material", "product", "promotion"]),
            text("subject_id"),
            time("at"),
            maybe(column("rating", Kind::Rating)),
            maybe(one_of("decision", &["accept", "reject"])),
            maybe(text("reason_code")),
            maybe(text("comment")),
            maybe(text("next_action")),
            maybe(date("next_action_on")),
            maybe(time("answered_at")),
        ],
        key: &["feedback_id"],
        semantics: Semantics::Append,
        order: &["distributor_id", "at"],
    },
    Table {
        name: "content",
        columns: &[
            text("content_id"),
            text("title"),
            text("kind"),
            maybe(text("product_id")),
            maybe(text("stage")),
            maybe(date("valid_from")),
            maybe(date("valid_to")),
        ],
        key: &["content_id"],
        semantics: Semantics::Upsert,
        order: &["content_id"],
    },
    Table {
        name: "content_events",
        columns: &[
            text("event_id"),
            text("content_id"),
            maybe(text("lead_id")),
            maybe(text("rep_id")),
            time("at"),
            one_of("kind", &["shown", "opened", "sent"]),
        ],
        key: &["event_id"],
        semantics: Semantics::Append,
        order: &["content_id", "at"],
    },
    Table {
        name: "training",
        columns: &[
            text("training_id"),
            text("rep_id"),
            text("course"),
            time("at"),
            column("passed", Kind::Flag),
        ],
        key: &["training_id"],
        semantics: Semantics::Append,
        order: &["rep_id", "at"],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_orders_name_columns() {
        for table in TABLES {
            for name in table.key.iter().chain(table.order) {
                assert!(table.column(name).is_some(), "{}.{name}", table.name);
            }
            for name in table.key {
                assert!(!table.column(name).expect("checked above").nullable);
            }
            assert_eq!(table.schema().fields().len(), table.columns.len());
        }
    }
}
