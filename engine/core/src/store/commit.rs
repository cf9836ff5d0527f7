//! Commits: a change of a table's files and columns becomes one entry of its log, or none.

use std::sync::Arc;

use deltalake_core::DeltaTableError;
use deltalake_core::checkpoints::create_checkpoint_from_table_url_and_cleanup;
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties, TransactionError};
use deltalake_core::kernel::{Action, Add, MetadataExt, Remove, StructType};
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode};

use super::columns::field;
use super::file::DataFile;
use super::from_io;
use super::snapshot::Snapshot;
use super::stamp::Stamp;
use super::table::StoredTable;
use super::writer::Unpublished;
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::model::Table;

/// How a commit ended.
pub enum Commit {
    /// It is in the log, as this version.
    Done(u64),
    /// Another process committed first; look at the newer snapshot and try again.
    Stale,
}

/// What a commit changes.
pub struct Change<'a> {
    /// Files that come.
    pub added: &'a mut Unpublished,
    /// Files that go.
    pub removed: &'a [DataFile],
    /// Who makes it.
    pub stamp: &'a Stamp,
}

impl StoredTable {
    /// The snapshot itself where the table exists; else the table is created. Nothing where somebody else created it,
    /// so that a write has to look again.
    pub async fn ready(&self, from: Arc<Snapshot>) -> Result<Option<Arc<Snapshot>>> {
        if from.delta.is_some() {
            return Ok(Some(from));
        }
        let fail = |error| Error::internal(format!("create table \"{}\"", self.base.name), error);
        std::fs::create_dir_all(&self.folder)
            .map_err(|error| from_io("create table folder".to_owned(), error))?;
        let created = CreateBuilder::new()
            .with_log_store(self.log_store()?)
            .with_table_name(self.base.name.as_ref())
            .with_columns(self.base.columns.iter().map(field))
            .with_save_mode(SaveMode::Ignore)
            .await;
        match created {
            Ok(_) | Err(DeltaTableError::VersionAlreadyExists(_)) => {}
            Err(error) => return Err(fail(error)),
        }
        let created = self.snapshot().await?;
        let is_new = created.version == Some(0) && !self.is_followed(&created).await?;
        is_new.then(|| created.widened(&from.table)).transpose()
    }

    /// Commits a change against the snapshot that it was computed from, or says that it is stale. The columns that the
    /// snapshot's table has and the log does not are added by the same commit.
    pub async fn commit(&self, from: &Snapshot, change: Change<'_>) -> Result<Commit> {
        let delta = from.delta.as_ref();
        let delta = delta.ok_or_else(|| Error::new(Fault::Internal, "table was not made ready"))?;
        let mut actions = self.actions(&from.table, change.added.files(), change.removed)?;
        if from.adds_columns() {
            let schema = StructType::try_new(from.table.columns.iter().map(field));
            let metadata = schema
                .map_err(DeltaTableError::from)
                .and_then(|schema| Ok(delta.metadata().clone().with_schema(&schema)?))
                .map_err(|error| commit_error(&self.base.name, error))?;
            actions.push(Action::Metadata(metadata));
        }
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: None,
            predicate: None,
        };
        // The library's own checkpoint and clean-up would fail a commit that is in the log already, and the clean-up
        // would delete versions that we promise to keep.
        let properties = CommitProperties::default()
            .with_metadata(change.stamp.to_metadata())
            .with_max_retries(0)
            .with_create_checkpoint(false)
            .with_cleanup_expired_logs(Some(false));
        let commit = CommitBuilder::from(properties).with_actions(actions).build(
            Some(delta.snapshot()),
            self.log_store()?,
            operation,
        );
        change.added.keep_all();
        match commit.await {
            Ok(done) => {
                self.checkpoint(done.version()).await;
                Ok(Commit::Done(done.version()))
            }
            Err(error) if is_stale(&error) => {
                change.added.refused();
                Ok(Commit::Stale)
            }
            Err(error) => Err(commit_error(&self.base.name, error)),
        }
    }

    /// Takes back what an import committed and did not publish: the next version has the files and columns of the
    /// newest one that counts. To be called by the holder of the manufacturer's turn to import.
    pub async fn withdraw(&self) -> Result<()> {
        let kept = self.snapshot().await?;
        let Some(mut version) = kept.version else {
            return Ok(());
        };
        if !self.is_followed(&kept).await? {
            return Ok(());
        }
        while self.log.has(version + 1).await? {
            version += 1;
        }
        let unpublished = self.load(version).await?;
        let has = |files: &[DataFile], file: &DataFile| files.iter().any(|f| f.path == file.path);
        let back = kept
            .files
            .iter()
            .filter(|file| !has(&unpublished.files, file));
        let gone = unpublished
            .files
            .iter()
            .filter(|file| !has(&kept.files, file));
        let mut added = Unpublished::again(&self.folder, back.cloned().collect());
        let removed: Vec<DataFile> = gone.cloned().collect();
        let change = Change {
            added: &mut added,
            removed: &removed,
            stamp: &Stamp::new(),
        };
        // A stale commit means that another writer withdrew it first.
        self.commit(&unpublished.narrowed(&kept), change).await?;
        Ok(())
    }

    fn actions(
        &self,
        table: &Table,
        added: &[DataFile],
        removed: &[DataFile],
    ) -> Result<Vec<Action>> {
        let now_ms = chrono::Utc::now().timestamp_millis();
        let schema = table.schema();
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
            let table = self.base.name.as_ref();
            tracing::warn!(table, version, error, "checkpoint was not written");
        }
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
        tags: file.beside.as_ref().map(super::stamp::Beside::to_tags),
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
