//! One import: writes to several tables, of several manufacturers, that become visible together or not at all.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use futures::StreamExt;

use super::beside::append;
use super::imports::Turn;
use super::stamp::Stamp;
use super::{Store, Written};
use crate::fault::Result;
use crate::ingest::{Rejected, Rows};
use crate::manufacturer::ManufacturerId;
use crate::model::Table;

/// An import under way. Dropped without being published, it leaves commits that count nowhere and that the next writer
/// withdraws; [`Self::abandon`] withdraws them at once.
pub struct Import<'a> {
    store: &'a Store,
    id: String,
    written: Vec<(ManufacturerId, String)>,
    _turns: Vec<Turn>,
}

impl<'a> Import<'a> {
    pub(super) fn new(store: &'a Store, turns: Vec<Turn>) -> Self {
        Self {
            store,
            id: uuid::Uuid::now_v7().to_string(),
            written: Vec::new(),
            _turns: turns,
        }
    }

    /// Its id: unique over all time, and the same in every table that it writes.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Writes the rows of one table, to be published later. A table takes one write of an import.
    pub async fn write(
        &mut self,
        manufacturer: &ManufacturerId,
        model: Arc<Table>,
        rejected: Arc<Rejected>,
        rows: Rows,
    ) -> Result<Written> {
        self.written
            .push((manufacturer.clone(), model.name.to_string()));
        let stamp = Stamp::of_import(&self.id);
        self.store
            .write_as(manufacturer, model, rejected, rows, stamp)
            .await
    }

    /// Writes what the import says of itself, to be published with the rest.
    pub async fn record(&mut self, manufacturer: &ManufacturerId, rows: RecordBatch) -> Result<()> {
        let table = Table::named("imports").expect("the data model has imports");
        self.written
            .push((manufacturer.clone(), table.name.to_string()));
        let table = self.store.table(manufacturer, table);
        let rows = futures::stream::once(futures::future::ready(Ok(rows))).boxed();
        append(&table, rows, None, &Stamp::of_import(&self.id)).await
    }

    /// Makes all of it visible, in one step.
    pub fn publish(self) -> Result<()> {
        self.store.imports.publish(&self.id)
    }

    /// Takes all of it back.
    pub async fn abandon(self) -> Result<()> {
        for (manufacturer, table) in &self.written {
            if let Some(table) = Table::named(table) {
                self.store.table(manufacturer, table).withdraw().await?;
            }
        }
        Ok(())
    }
}
