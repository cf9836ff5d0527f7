//! One Delta table on disk: its newest snapshot, and commits against it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::execution::TaskContext;
use datafusion::execution::object_store::ObjectStoreUrl;
use deltalake_core::checkpoints::create_checkpoint_from_table_url_and_cleanup;
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties, TransactionError};
use deltalake_core::kernel::{
    Action, Add, DataType, DecimalType, PrimitiveType, Remove, StructField,
};
use deltalake_core::logstore::LogStoreRef;
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::table::state::DeltaTableState;
use deltalake_core::{DeltaTableBuilder, DeltaTableError};
use tokio::sync::Semaphore;
use url::Url;

use super::file::DataFile;
use super::from_io;
use super::snapshot::Snapshot;
use super::writer::Unpublished;
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::model::{Kind, MONEY_PRECISION, MONEY_SCALE, Table};

/// A table and its newest known snapshot.
pub struct StoredTable {
    pub model: &'static Table,
    pub folder: PathBuf,
    pub task: Arc<TaskContext>,
    latest: Mutex<Arc<Snapshot>>,
    /// One writer of this process at a time: a second would only lose the race for the commit.
    writers: Semaphore,
}

/// How a commit ended.
pub enum Commit {
    /// It is in the log, as this version.
    Done(u64),
    /// Another process committed first; look at the newer snapshot and try again.
    Stale,
}

impl StoredTable {
    pub fn new(
        folder: PathBuf,
        url: ObjectStoreUrl,
        model: &'static Table,
        task: Arc<TaskContext>,
    ) -> Self {
        Self {
            model,
            latest: Mutex::new(Arc::new(Snapshot::empty(model, url))),
            folder,
            task,
            writers: Semaphore::new(1),
        }
    }

    /// The newest committed state. Looks at the log's folder first, so that another process's commit is seen.
    pub async fn snapshot(&self) -> Result<Arc<Snapshot>> {
        let known = self.known();
        let newer = self.has_newer(&known).await;
        let newer = newer.map_err(|error| from_io("look at log".to_owned(), error))?;
        if !newer {
            return Ok(known);
        }
        let fail = |error| Error::internal(format!("load table \"{}\"", self.model.name), error);
        let log_store = self.log_store()?;
        let delta = match &known.delta {
            None => DeltaTableState::try_new(log_store.as_ref(), None)
                .await
                .map_err(fail)?,
            Some(delta) => {
                let mut delta = DeltaTableState::clone(delta);
                delta.update(log_store.as_ref(), None).await.map_err(fail)?;
                delta
            }
        };
        Ok(self.publish(known.of(delta)?))
    }

    /// Whether the log has gone on since this snapshot.
    async fn has_newer(&self, known: &Snapshot) -> std::io::Result<bool> {
        let log = self.folder.join("_delta_log");
        let next = known.version.map_or(0, |version| version + 1);
        if tokio::fs::try_exists(log.join(format!("{next:020}.json"))).await? {
            return Ok(true);
        }
        // A log whose beginning was cleaned up by another tool starts with a checkpoint.
        Ok(known.version.is_none() && tokio::fs::try_exists(log.join("_last_checkpoint")).await?)
    }

    /// Waits until no other request of this process writes to this table.
    pub async fn writer(&self) -> tokio::sync::SemaphorePermit<'_> {
        let permit = self.writers.acquire().await;
        permit.expect("this semaphore is never closed")
    }

    /// Creates the table where it does not exist; nothing where it has rows already, or had some.
    async fn create(&self) -> Result<Option<Arc<DeltaTableState>>> {
        let fail = |error| Error::internal(format!("create table \"{}\"", self.model.name), error);
        std::fs::create_dir_all(&self.folder)
            .map_err(|error| from_io("create table folder".to_owned(), error))?;
        let log_store = self.log_store()?;
        let created = CreateBuilder::new()
            .with_log_store(log_store)
            .with_table_name(self.model.name)
            .with_columns(self.model.columns.iter().map(|column| {
                StructField::new(column.name, delta_type(column.kind), column.nullable)
            }))
            .with_save_mode(SaveMode::Ignore)
            .await;
        match created {
            Ok(_) | Err(DeltaTableError::VersionAlreadyExists(_)) => {}
            Err(error) => return Err(fail(error)),
        }
        let created = self.snapshot().await?;
        let is_new = created.version == Some(0);
        Ok(created.delta.clone().filter(|_| is_new))
    }

    /// Commits a change of files against the snapshot that it was computed from, or says that it is stale.
    pub async fn commit(
        &self,
        from: &Snapshot,
        added: &mut Unpublished,
        removed: &[DataFile],
    ) -> Result<Commit> {
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: None,
            predicate: None,
        };
        let delta = match &from.delta {
            Some(delta) => Arc::clone(delta),
            // Nobody had written when this write looked. Where somebody has by now, it has to look again.
            None => match self.create().await? {
                Some(delta) => delta,
                None => return Ok(Commit::Stale),
            },
        };
        // The library's own checkpoint and clean-up would fail a commit that is in the log already, and the clean-up
        // would delete versions that we promise to keep.
        let properties = CommitProperties::default()
            .with_max_retries(0)
            .with_create_checkpoint(false)
            .with_cleanup_expired_logs(Some(false));
        let commit = CommitBuilder::from(properties)
            .with_actions(self.actions(added.files(), removed)?)
            .build(Some(delta.snapshot()), self.log_store()?, operation);
        added.keep_all();
        match commit.await {
            Ok(done) => {
                self.checkpoint(done.version()).await;
                Ok(Commit::Done(done.version()))
            }
            Err(error) if is_stale(&error) => {
                added.refused();
                Ok(Commit::Stale)
            }
            Err(error) => Err(commit_error(self.model.name, error)),
        }
    }

    fn actions(&self, added: &[DataFile], removed: &[DataFile]) -> Result<Vec<Action>> {
        let now_ms = chrono::Utc::now().timestamp_millis();
        let schema = self.model.schema();
        let mut actions = Vec::with_capacity(added.len() + removed.len());
        for file in removed {
            actions.push(Action::Remove(remove(file, now_ms)));
        }
        for file in added {
            let stats = file.stats.to_json(&schema)?;
            actions.push(Action::Add(add(file, stats, now_ms)));
        }
        Ok(actions)
    }

    /// Folds the log into one file now and then, so that a start reads a few files instead of all. The commit stands
    /// without it, so a failure is only logged.
    async fn checkpoint(&self, version: u64) {
        if version == 0 || !version.is_multiple_of(limits::CHECKPOINT_COMMITS) {
            return;
        }
        let made = match self.url() {
            Ok(url) => {
                create_checkpoint_from_table_url_and_cleanup(url, version, Some(false), None)
                    .await
                    .map_err(|error| error.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = made {
            tracing::warn!(
                table = self.model.name,
                version,
                error,
                "checkpoint was not written"
            );
        }
    }

    fn known(&self) -> Arc<Snapshot> {
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

    fn url(&self) -> Result<Url> {
        let folder = std::path::absolute(&self.folder)
            .map_err(|error| from_io("find table folder".to_owned(), error))?;
        Url::from_directory_path(&folder)
            .map_err(|()| Error::new(Fault::Internal, "data folder is not a valid path"))
    }

    fn log_store(&self) -> Result<LogStoreRef> {
        DeltaTableBuilder::from_url(self.url()?)
            .and_then(|table| table.build_storage())
            .map_err(|error| Error::internal(format!("open table \"{}\"", self.model.name), error))
    }
}

fn is_stale(error: &DeltaTableError) -> bool {
    matches!(
        error,
        DeltaTableError::VersionAlreadyExists(_)
            | DeltaTableError::Transaction {
                source: TransactionError::MaxCommitAttempts(_)
                    | TransactionError::CommitConflict(_)
            }
    )
}

fn commit_error(table: &str, error: DeltaTableError) -> Error {
    let full = std::iter::successors(
        Some(&error as &(dyn std::error::Error + 'static)),
        |error| error.source(),
    )
    .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
    .any(|cause| cause.kind() == std::io::ErrorKind::StorageFull);
    if full {
        return Error::new(
            Fault::Full,
            format!("no room left to commit to table \"{table}\""),
        )
        .with_source(error);
    }
    Error::internal(format!("commit to table \"{table}\""), error)
}

fn add(file: &DataFile, stats: String, now_ms: i64) -> Add {
    Add {
        path: file.path.clone(),
        size: i64::try_from(file.bytes).unwrap_or(i64::MAX),
        modification_time: now_ms,
        data_change: true,
        stats: Some(stats),
        ..Add::default()
    }
}

fn remove(file: &DataFile, now_ms: i64) -> Remove {
    Remove {
        path: file.path.clone(),
        data_change: true,
        deletion_timestamp: Some(now_ms),
        size: i64::try_from(file.bytes).ok(),
        ..Remove::default()
    }
}

fn delta_type(kind: Kind) -> DataType {
    DataType::Primitive(match kind {
        Kind::Text => PrimitiveType::String,
        Kind::Date => PrimitiveType::Date,
        Kind::Timestamp => PrimitiveType::Timestamp,
        Kind::Count => PrimitiveType::Long,
        Kind::Rating => PrimitiveType::Byte,
        Kind::Money => PrimitiveType::Decimal(
            DecimalType::try_new(MONEY_PRECISION, MONEY_SCALE.unsigned_abs())
                .expect("the precision and scale of money are valid"),
        ),
        Kind::Number => PrimitiveType::Double,
        Kind::Flag => PrimitiveType::Boolean,
    })
}
