//! `append`: each key is stored once. The same row again is a no-op; other content is a conflict.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::BooleanArray;
use arrow::compute::filter_record_batch;
use arrow::record_batch::RecordBatch;
use futures::{StreamExt, TryStreamExt};

use super::Written;
use super::commit::{Change, Commit};
use super::file::DataFile;
use super::keys::{Fingerprint, Fingerprints};
use super::rows::{complete, read};
use super::snapshot::Snapshot;
use super::sort::sorted;
use super::stats::{Collector, FileStats};
use super::table::StoredTable;
use super::write::Write;
use super::writer::Unpublished;
use crate::fault::{Error, Fault, Result};
use crate::ingest::Rows;
use crate::limits;
use crate::model::Table;

/// Adds rows whose keys are new, in one commit.
pub async fn append(table: &StoredTable, write: &Write, rows: Rows) -> Result<Written> {
    let model = &write.model;
    let index = Arc::new(Mutex::new(Index::new(Arc::clone(model))?));
    let mut sorted = sorted(model, noted(Arc::clone(model), rows, &index), &table.task)?;
    // A sort takes everything in before it gives anything out: after its first batch the index is complete.
    let first = sorted.next().await.transpose()?;
    let index = std::mem::replace(
        &mut *index.lock().unwrap_or_else(PoisonError::into_inner),
        Index::new(Arc::clone(model))?,
    );
    let index = index.complete()?;

    let _turn = table.writer().await;
    let mut from = table.to_write_on().await?.widened(model)?;
    let mut rows = futures::stream::iter(first.map(Ok)).chain(sorted).boxed();
    for _ in 0..limits::COMMIT_TRIES {
        let stored = index.stored_in(&from, table).await?;
        let fresh = index.without(&stored, rows)?;
        let mut written = Unpublished::write(model, &table.folder, fresh).await?;
        if written.files().is_empty() && !write.must_commit() {
            return Ok(index.outcome(&stored, from.version.unwrap_or_default()));
        }
        if let Some(ready) = table.ready(Arc::clone(&from)).await? {
            write.beside(ready.next_version(), None).await?;
            let change = Change {
                added: &mut written,
                removed: &[],
                stamp: &write.stamp,
            };
            if let Commit::Done(version) = table.commit(&ready, change).await? {
                return Ok(index.outcome(&stored, version));
            }
        }
        // Another process was first. Its rows may be among ours, so ours are looked through once more.
        from = table.to_write_on().await?.widened(model)?;
        rows = written.into_rows(&from, table)?;
    }
    Err(too_often(model))
}

/// Writers of other processes were first, again and again.
pub fn too_often(model: &Table) -> Error {
    Error::new(
        Fault::Busy,
        format!("table \"{}\" is written too often", model.name),
    )
    .with_hint("Send the same request again.")
}

/// Rows with all columns of the table, each noted in the index as it passes.
fn noted(model: Arc<Table>, rows: Rows, index: &Arc<Mutex<Index>>) -> Rows {
    let index = Arc::clone(index);
    rows.map(move |batch| {
        let batch = complete(&model, &batch?)?;
        index
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .add(&batch)?;
        Ok(batch)
    })
    .boxed()
}

/// Every key of one write, with a fingerprint of the rest of its row.
struct Index {
    model: Arc<Table>,
    keys: Fingerprints,
    contents: Fingerprints,
    ranges: Collector,
    seen: HashMap<Fingerprint, Seen>,
    rows_in: u64,
}

/// One key of a write.
struct Seen {
    content: u64,
    row: u32,
}

impl Index {
    fn new(model: Arc<Table>) -> Result<Self> {
        let schema = model.schema();
        Ok(Self {
            keys: Fingerprints::new(&schema, Some(model.key))?,
            contents: Fingerprints::new(&schema, None)?,
            ranges: Collector::new(&schema)?,
            model,
            seen: HashMap::new(),
            rows_in: 0,
        })
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        if self.rows_in + batch.num_rows() as u64 > limits::APPEND_ROWS {
            return Err(Error::limit("append_rows", limits::APPEND_ROWS, "more")
                .with_hint("Send the rows in several requests."));
        }
        self.ranges.update(batch)?;
        let keys = self.keys.of(batch)?;
        let contents = self.contents.short(batch)?;
        for (row, (key, content)) in keys.into_iter().zip(contents).enumerate() {
            self.rows_in += 1;
            let number = u32::try_from(self.rows_in).unwrap_or(u32::MAX);
            let seen = self.seen.entry(key).or_insert(Seen {
                content,
                row: number,
            });
            if seen.content != content {
                return Err(Error::new(
                    Fault::Conflict,
                    format!(
                        "row {number} has the key of row {} and other content: {}",
                        seen.row,
                        describe(&self.model, batch, row)
                    ),
                )
                .with_hint("A key names one row. Nothing was stored."));
            }
        }
        Ok(())
    }

    fn complete(self) -> Result<Complete> {
        Ok(Complete {
            model: self.model,
            keys: self.keys,
            contents: self.contents,
            ranges: self.ranges.finish()?,
            seen: self.seen,
            rows_in: self.rows_in,
        })
    }
}

/// Every key of one write whose rows have all arrived.
struct Complete {
    model: Arc<Table>,
    keys: Fingerprints,
    contents: Fingerprints,
    ranges: FileStats,
    seen: HashMap<Fingerprint, Seen>,
    rows_in: u64,
}

impl Complete {
    fn outcome(&self, stored: &HashSet<Fingerprint>, version: u64) -> Written {
        let inserted = (self.seen.len() - stored.len()) as u64;
        Written {
            rows_in: self.rows_in,
            inserted,
            updated: 0,
            unchanged: self.rows_in - inserted,
            version,
        }
    }

    /// Which of these keys the snapshot has, with the same content; other content is an error.
    async fn stored_in(
        &self,
        snapshot: &Snapshot,
        table: &StoredTable,
    ) -> Result<HashSet<Fingerprint>> {
        let mut stored = HashSet::new();
        for file in snapshot.files.iter().filter(|file| self.may_overlap(file)) {
            let mut hits = HashSet::new();
            let mut batches = read(snapshot, file, Some(self.keys.columns()), table)?;
            while let Some(batch) = batches.try_next().await? {
                let keys = self.keys.of_arrays(batch.columns())?;
                hits.extend(keys.into_iter().filter(|key| self.seen.contains_key(key)));
            }
            if !hits.is_empty() {
                self.compare(snapshot, file, table, &hits).await?;
                stored.extend(hits);
            }
        }
        Ok(stored)
    }

    /// Whether the log's ranges leave room for a common key.
    fn may_overlap(&self, file: &DataFile) -> bool {
        self.keys.columns().iter().all(|column| {
            let (Some(mine), Some(theirs)) = (
                self.ranges.columns.get(*column),
                file.stats.columns.get(*column),
            ) else {
                return true;
            };
            let bounds = [&mine.min, &mine.max, &theirs.min, &theirs.max];
            bounds.iter().any(|bound| bound.is_null())
                || (mine.min <= theirs.max && theirs.min <= mine.max)
        })
    }

    async fn compare(
        &self,
        snapshot: &Snapshot,
        file: &DataFile,
        table: &StoredTable,
        hits: &HashSet<Fingerprint>,
    ) -> Result<()> {
        let mut batches = read(snapshot, file, None, table)?;
        while let Some(batch) = batches.try_next().await? {
            let batch = complete(&self.model, &batch)?;
            let rows = self
                .keys
                .of(&batch)?
                .into_iter()
                .zip(self.contents.short(&batch)?);
            for (row, (key, content)) in rows.enumerate() {
                let Some(seen) = hits.get(&key).and_then(|key| self.seen.get(key)) else {
                    continue;
                };
                if seen.content != content {
                    return Err(Error::new(
                        Fault::Conflict,
                        format!(
                            "row {} has a key that is stored with other content: {}",
                            seen.row,
                            describe(&self.model, &batch, row)
                        ),
                    )
                    .with_hint(
                        "Rows of this table are never changed: book a correction under a new key. Nothing was stored.",
                    ));
                }
            }
        }
        Ok(())
    }

    /// The rows to store: without those that are, and each key once.
    fn without(&self, stored: &HashSet<Fingerprint>, rows: Rows) -> Result<Rows> {
        if stored.is_empty() && self.seen.len() as u64 == self.rows_in {
            return Ok(rows);
        }
        let keys = Fingerprints::like(&self.keys, &self.model.schema(), self.model.key)?;
        let mut passed = stored.clone();
        let fresh = rows.map(move |batch| {
            let batch = batch?;
            let keep: BooleanArray = keys
                .of(&batch)?
                .into_iter()
                .map(|key| Some(passed.insert(key)))
                .collect();
            filter_record_batch(&batch, &keep)
                .map_err(|error| Error::internal("filter rows", error))
        });
        Ok(fresh.boxed())
    }
}

/// The key of a row, for the one who sent it.
fn describe(model: &Table, batch: &RecordBatch, row: usize) -> String {
    let values = model.key.iter().map(|name| {
        let value = batch
            .column_by_name(name)
            .and_then(|column| arrow::util::display::array_value_to_string(column, row).ok());
        format!("{name} {:?}", value.unwrap_or_default())
    });
    values.collect::<Vec<_>>().join(", ")
}
