//! What a distributor sees of each table: one constant list, in words of the data model. What is not in it is not there.
//!
//! Knows neither SQL nor how rows are left out. The reasons are in `docs/decisions/018-what-a-distributor-sees.md`.

use crate::model::Table;

/// What a distributor sees of one table.
#[derive(Debug)]
pub struct Seen {
    pub table: &'static str,
    pub rows: Rows,
    /// Columns that read as NULL.
    withheld: &'static [&'static str],
}

/// Which rows of a table.
#[derive(Debug)]
pub enum Rows {
    All,
    /// Those for which all of this holds.
    Every(&'static [Test]),
    /// Those for which some of this holds.
    Either(&'static [Test]),
}

/// What holds for a row.
#[derive(Debug)]
pub enum Test {
    /// The column is the distributor's id.
    Own(&'static str),
    /// The column has this value.
    Is(&'static str, &'static str),
    /// The column has one of these values.
    OneOf(&'static str, &'static [&'static str]),
    /// The column is NULL.
    Absent(&'static str),
    /// The column is the key of an own row of another table.
    OfOwn(&'static str, &'static str),
}

/// Columns of leads of which a distributor sees the history: not those that name who had the lead before.
const TOLD_OF_LEADS: [&str; 17] = [
    "product_id",
    "campaign_id",
    "region",
    "industry",
    "employees",
    "est_value",
    "created_at",
    "mql_at",
    "sent_at",
    "first_touch_at",
    "dql_at",
    "rejected_at",
    "reject_reason",
    "opportunity_at",
    "closed_at",
    "outcome",
    "amount",
];

/// Every table of which a distributor sees something.
pub static SEEN: [Seen; 16] = [
    own("distributors"),
    own("reps"),
    whole("products"),
    whole("campaigns").without(&["cost"]),
    own("leads"),
    own("revenue").without(&["cost"]),
    own("resources"),
    seen(
        "targets",
        Rows::Every(&[
            Test::Is("subject_kind", "distributor"),
            Test::Own("subject_id"),
        ]),
    ),
    seen(
        "lead_events",
        Rows::Every(&[
            Test::OfOwn("lead_id", "leads"),
            Test::OneOf("field", &TOLD_OF_LEADS),
        ]),
    ),
    // A decision with an error is no verdict, and its text is a plugin's, as the reasons are. Ids are made of the version
    // of the data, and hashes of settings, which could be guessed and tried.
    seen(
        "decisions",
        Rows::Every(&[Test::OfOwn("lead_id", "leads"), Test::Absent("error")]),
    )
    .without(&["decision_id", "config_hash", "data_version", "reasons"]),
    whole("stages"),
    whole("calendars"),
    own("feedback"),
    whole("content"),
    seen(
        "content_events",
        Rows::Either(&[
            Test::OfOwn("lead_id", "leads"),
            Test::OfOwn("rep_id", "reps"),
        ]),
    ),
    seen("training", Rows::Every(&[Test::OfOwn("rep_id", "reps")])),
];

impl Seen {
    /// What a distributor sees of the table of this name.
    pub fn of(table: &str) -> Option<&'static Self> {
        SEEN.iter().find(|seen| seen.table == table)
    }

    /// Whether a column reads as NULL: a manufacturer's own columns do too, since nobody said who may read them.
    pub fn withholds(&self, column: &str) -> bool {
        let shipped = Table::named(self.table).and_then(|table| table.column(column));
        shipped.is_none() || self.withheld.contains(&column)
    }

    /// The tables whose own rows say which rows of this one are there.
    pub fn needs(&self) -> impl Iterator<Item = &'static str> {
        self.tests().iter().filter_map(|test| match test {
            Test::OfOwn(_, table) => Some(*table),
            Test::Own(_) | Test::Is(..) | Test::OneOf(..) | Test::Absent(_) => None,
        })
    }

    /// What is asked of each row.
    pub const fn tests(&self) -> &'static [Test] {
        match self.rows {
            Rows::All => &[],
            Rows::Every(tests) | Rows::Either(tests) => tests,
        }
    }

    const fn without(self, withheld: &'static [&'static str]) -> Self {
        Self { withheld, ..self }
    }
}

impl Test {
    /// The column that it reads.
    pub const fn column(&self) -> &'static str {
        match self {
            Self::Own(column) | Self::Is(column, _) | Self::Absent(column) => column,
            Self::OneOf(column, _) | Self::OfOwn(column, _) => column,
        }
    }
}

const fn seen(table: &'static str, rows: Rows) -> Seen {
    Seen {
        table,
        rows,
        withheld: &[],
    }
}

const fn own(table: &'static str) -> Seen {
    seen(table, Rows::Every(&[Test::Own("distributor_id")]))
}

const fn whole(table: &'static str) -> Seen {
    seen(table, Rows::All)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TABLES;

    #[test]
    fn the_list_is_one_of_the_data_model() {
        for seen in &SEEN {
            let table = Table::named(seen.table).expect(seen.table);
            for test in seen.tests() {
                assert!(table.column(test.column()).is_some(), "{test:?}");
            }
            for column in seen.withheld {
                assert!(table.column(column).is_some(), "{column}");
                assert!(!table.order.contains(column), "rows are sorted by {column}");
            }
            for needed in seen.needs() {
                let needed = Seen::of(needed).expect(needed);
                assert_eq!(needed.needs().count(), 0, "one step only");
            }
        }
        let leads = Table::named("leads").expect("leads");
        for field in TOLD_OF_LEADS {
            assert!(leads.column(field).is_some(), "{field}");
        }
    }

    #[test]
    fn what_is_the_manufacturers_alone_is_not_there() {
        let hidden: Vec<_> = TABLES
            .iter()
            .filter(|table| Seen::of(&table.name).is_none())
            .map(|table| table.name.as_ref())
            .collect();
        assert_eq!(hidden, ["quarantine", "imports"]);
        let revenue = Seen::of("revenue").expect("revenue");
        assert!(revenue.withholds("cost") && revenue.withholds("margin"));
        assert!(!revenue.withholds("amount"));
    }
}
