//! One request to store rows in one table, and what is committed beside them.

use std::sync::Arc;

use super::beside::Sides;
use super::stamp::Stamp;
use crate::fault::Result;
use crate::ingest::Rows;
use crate::model::Table;

/// What a write is to do, but for the rows.
pub struct Write {
    /// The table with every column that the rows may have: those that are stored, and those that this write adds.
    pub model: Arc<Table>,
    /// Who writes.
    pub stamp: Stamp,
    pub(super) sides: Sides,
}

impl Write {
    /// Whether there is something to commit even where no row is new: a side table's rows count only with a commit.
    pub(super) fn must_commit(&self) -> bool {
        self.sides.rejected.count() > 0
    }

    /// Whether each change of a value is noted.
    pub(super) const fn keeps_history(&self) -> bool {
        self.sides.events.is_some()
    }

    /// When the request came, in microseconds since 1970.
    pub(super) const fn at_us(&self) -> i64 {
        self.sides.at_us
    }

    /// Commits the side tables' rows; they count once the rows themselves are committed as this version.
    pub(super) async fn beside(&self, version: u64, events: Option<Rows>) -> Result<()> {
        let events = match (events, &self.sides.events) {
            (Some(events), Some(table)) => {
                Some(super::sort::sorted(&table.base, events, &table.task)?)
            }
            _ => None,
        };
        self.sides
            .commit(&self.model.name, version, &self.stamp, events)
            .await
    }
}
