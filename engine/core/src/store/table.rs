//! One Delta table on disk: the newest state that counts, and the states before it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use datafusion::execution::TaskContext;
use datafusion::execution::object_store::ObjectStoreUrl;
use deltalake_core::DeltaTableBuilder;
use deltalake_core::logstore::LogStoreRef;
use deltalake_core::table::state::DeltaTableState;
use tokio::sync::Semaphore;
use url::Url;

use super::from_io;
use super::imports::Imports;
use super::log::Log;
use super::snapshot::Snapshot;
use super::stamp::Commit;
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::manufacturer::ManufacturerId;
use crate::model::Table;

/// How long to wait before looking again whether an import has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A table and its newest known snapshot.
pub struct StoredTable {
    /// Whose table.
    pub manufacturer: ManufacturerId,
    /// The table as the data model has it; a snapshot knows the manufacturer's own columns.
    pub base: Arc<Table>,
    pub folder: PathBuf,
    pub task: Arc<TaskContext>,
    pub(super) log: Log,
    imports: Arc<Imports>,
    latest: Mutex<Arc<Snapshot>>,
    /// One writer of this process at a time: a second would only lose the race for the commit.
    writers: Semaphore,
}

impl StoredTable {
    pub fn new(
        manufacturer: ManufacturerId,
        folder: PathBuf,
        url: ObjectStoreUrl,
        base: Arc<Table>,
        task: Arc<TaskContext>,
        imports: Arc<Imports>,
    ) -> Self {
        Self {
            manufacturer,
            latest: Mutex::new(Arc::new(Snapshot::empty(Arc::clone(&base), url))),
            log: Log::new(&folder),
            base,
            folder,
            task,
            imports,
            writers: Semaphore::new(1),
        }
    }

    /// The newest state that counts. Looks at the log first, so that another process's commit is seen.
    pub async fn snapshot(&self) -> Result<Arc<Snapshot>> {
        let known = self.known();
        let delta = match &known.delta {
            Some(delta) => {
                let Some(version) = self.newest_after(delta.version()).await? else {
                    return Ok(known);
                };
                let mut delta = DeltaTableState::clone(delta);
                delta
                    .update(self.log_store()?.as_ref(), Some(version))
                    .await
                    .map_err(|error| self.unloadable(error))?;
                delta
            }
            None => match self.newest().await? {
                Some(delta) => delta,
                None => return Ok(known),
            },
        };
        Ok(self.publish(known.of(delta)?))
    }

    /// The state that a write starts from: the newest one there is. What an import left behind that ended without
    /// being published is withdrawn first; one that is under way is waited for.
    pub async fn to_write_on(&self) -> Result<Arc<Snapshot>> {
        let mut waited = Duration::ZERO;
        loop {
            let snapshot = self.snapshot().await?;
            if !self.is_followed(&snapshot).await? {
                return Ok(snapshot);
            }
            match self.imports.try_turn(&self.manufacturer)? {
                Some(_turn) => self.withdraw().await?,
                None if waited >= Duration::from_secs(limits::IMPORT_WAIT_SECONDS) => {
                    return Err(Error::new(
                        Fault::Busy,
                        format!("an import is writing to table \"{}\"", self.base.name),
                    )
                    .with_hint("Try again when it has ended."));
                }
                None => {
                    tokio::time::sleep(LOOK_AGAIN).await;
                    waited += LOOK_AGAIN;
                }
            }
        }
    }

    /// The state at one version.
    pub async fn load(&self, version: u64) -> Result<Snapshot> {
        let delta = DeltaTableState::try_new(self.log_store()?.as_ref(), Some(version))
            .await
            .map_err(|error| self.unloadable(error))?;
        self.known().of(delta)
    }

    /// Whether a commit counts: it belongs to no import, or to one that is published.
    pub fn counts(&self, commit: &Commit) -> Result<bool> {
        match &commit.import {
            Some(import) => self.imports.is_published(import),
            None => Ok(true),
        }
    }

    /// Waits until no other request of this process writes to this table.
    pub async fn writer(&self) -> tokio::sync::SemaphorePermit<'_> {
        let permit = self.writers.acquire().await;
        permit.expect("this semaphore is never closed")
    }

    /// Whether the log goes on after this snapshot, with commits that do not count.
    pub(super) async fn is_followed(&self, snapshot: &Snapshot) -> Result<bool> {
        match snapshot.version {
            Some(version) => self.log.has(version + 1).await,
            None => Ok(false),
        }
    }

    /// The newest version after this one that counts.
    async fn newest_after(&self, known: u64) -> Result<Option<u64>> {
        let mut newest = None;
        let mut version = known + 1;
        while let Some(commit) = self.log.commit(version).await? {
            if self.counts(&commit)? {
                newest = Some(version);
            }
            version += 1;
        }
        Ok(newest)
    }

    /// The newest state that counts, where nothing is known yet; nothing where the table has no log.
    async fn newest(&self) -> Result<Option<DeltaTableState>> {
        // A log whose beginning was cleaned up by another tool starts with a checkpoint.
        if !self.log.has(0).await? && !self.log.has_checkpoint().await? {
            return Ok(None);
        }
        let log_store = self.log_store()?;
        let mut delta = DeltaTableState::try_new(log_store.as_ref(), None)
            .await
            .map_err(|error| self.unloadable(error))?;
        while let Some(commit) = self.log.commit(delta.version()).await? {
            if self.counts(&commit)? {
                break;
            }
            let before = delta.version().checked_sub(1);
            let before = before.ok_or_else(|| {
                Error::new(
                    Fault::Internal,
                    "the first version of a table waits for an import",
                )
            })?;
            delta = DeltaTableState::try_new(log_store.as_ref(), Some(before))
                .await
                .map_err(|error| self.unloadable(error))?;
        }
        Ok(Some(delta))
    }

    /// The newest snapshot that this process has seen.
    pub(super) fn known(&self) -> Arc<Snapshot> {
        Arc::clone(&self.latest.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps the newer of two snapshots, so that a slow reader never takes the table back in time.
    fn publish(&self, snapshot: Snapshot) -> Arc<Snapshot> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if snapshot.version >= latest.version {
            *latest = Arc::new(snapshot);
        }
        Arc::clone(&latest)
    }

    pub(super) fn url(&self) -> Result<Url> {
        let folder = std::path::absolute(&self.folder)
            .map_err(|error| from_io("find table folder".to_owned(), error))?;
        Url::from_directory_path(&folder)
            .map_err(|()| Error::new(Fault::Internal, "data folder is not a valid path"))
    }

    pub(super) fn log_store(&self) -> Result<LogStoreRef> {
        DeltaTableBuilder::from_url(self.url()?)
            .and_then(|table| table.build_storage())
            .map_err(|error| Error::internal(format!("open table \"{}\"", self.base.name), error))
    }

    fn unloadable(&self, error: deltalake_core::DeltaTableError) -> Error {
        Error::internal(format!("load table \"{}\"", self.base.name), error)
    }
}
