//! What one write commits beside its rows: the bad ones it set aside, and the history of the leads it changed.
//!
//! Both are committed before the rows, tagged with the version that the rows are to become, and count only once that
//! version is in the log with the same request. A write that fails in between leaves nothing that anybody sees.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::record_batch::RecordBatch;
use futures::StreamExt;

use super::commit::{Change, Commit};
use super::stamp::{Beside, Stamp};
use super::table::StoredTable;
use super::writer::Unpublished;
use crate::fault::{Error, Fault, Result};
use crate::ingest::{Rejected, Rows};
use crate::limits;

/// The side tables of one write.
pub struct Sides {
    /// Where the history of leads goes; absent where the rows are no leads.
    pub events: Option<Arc<StoredTable>>,
    /// Where bad rows go.
    pub quarantine: Arc<StoredTable>,
    /// The bad rows; complete when all rows have been read.
    pub rejected: Arc<Rejected>,
    /// When the request came, in microseconds since 1970.
    pub at_us: i64,
}

impl Sides {
    /// Commits what belongs beside `main` as that version.
    pub async fn commit(
        &self,
        main: &str,
        version: u64,
        stamp: &Stamp,
        events: Option<Rows>,
    ) -> Result<()> {
        let beside = Beside {
            main: main.to_owned(),
            version,
            request: stamp.request.clone(),
        };
        // The files carry the tag themselves: where the main commit belongs to an import, they wait with it.
        let stamp = &Stamp {
            request: stamp.request.clone(),
            import: None,
        };
        if let (Some(table), Some(events)) = (&self.events, events) {
            append(table, events, Some(&beside), stamp).await?;
        }
        if self.rejected.count() > 0 {
            let rows = futures::stream::once(futures::future::ready(self.set_aside(&beside)));
            append(&self.quarantine, rows.boxed(), Some(&beside), stamp).await?;
        }
        Ok(())
    }

    /// The bad rows as rows of the quarantine.
    fn set_aside(&self, beside: &Beside) -> Result<RecordBatch> {
        let rows = self.rejected.rows();
        let always = |text: &str| Arc::new(StringArray::from(vec![text; rows.len()])) as ArrayRef;
        let positions = rows
            .iter()
            .map(|row| i64::try_from(row.position).unwrap_or(i64::MAX));
        let columns: Vec<ArrayRef> = vec![
            always(&beside.request),
            always(&beside.main),
            Arc::new(
                TimestampMicrosecondArray::from(vec![self.at_us; rows.len()]).with_timezone("UTC"),
            ),
            Arc::new(positions.collect::<Int64Array>()),
            Arc::new(
                rows.iter()
                    .map(|row| row.column.as_deref())
                    .collect::<StringArray>(),
            ),
            Arc::new(
                rows.iter()
                    .map(|row| Some(row.reason.as_str()))
                    .collect::<StringArray>(),
            ),
            Arc::new(
                rows.iter()
                    .map(|row| row.content.as_deref())
                    .collect::<StringArray>(),
            ),
        ];
        RecordBatch::try_new(self.quarantine.base.schema(), columns)
            .map_err(|error| Error::internal("set rows aside", error))
    }
}

/// Appends rows to one of the engine's own tables, in whose order they are already; tagged, where they count only beside
/// another commit.
pub async fn append(
    table: &StoredTable,
    rows: Rows,
    beside: Option<&Beside>,
    stamp: &Stamp,
) -> Result<()> {
    let mut written = Unpublished::write(&table.base, &table.folder, rows).await?;
    if written.files().is_empty() {
        return Ok(());
    }
    if let Some(beside) = beside {
        written.tag(beside);
    }
    let _turn = table.writer().await;
    for _ in 0..limits::COMMIT_TRIES {
        let from = table.to_write_on().await?;
        let Some(from) = table.ready(from).await? else {
            continue;
        };
        let change = Change {
            added: &mut written,
            removed: &[],
            stamp,
        };
        if let Commit::Done(_) = table.commit(&from, change).await? {
            return Ok(());
        }
    }
    Err(Error::new(
        Fault::Busy,
        format!("table \"{}\" is written too often", table.base.name),
    ))
}
