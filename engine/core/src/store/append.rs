//! `append`: each key is stored once. The same row again is a no-op; other content is a conflict.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{BooleanArray, new_null_array};
use arrow::compute::filter_record_batch;
use arrow::record_batch::RecordBatch;
use futures::{StreamExt, TryStreamExt};

use super::Written;
use super::file::DataFile;
use super::keys::{Fingerprint, Fingerprints};
use super::scan::{Wanted, scan};
use super::snapshot::Snapshot;
use super::sort::sorted;
use super::stats::{Collector, FileStats};
use super::table::{Commit, StoredTable};
use super::writer::Unpublished;
use crate::fault::{Error, Fault, Result};
use crate::ingest::Rows;
use crate::limits;
use crate::model::Table;

/// Adds rows whose keys are new, in one commit.
pub async fn append(table: &StoredTable, rows: Rows) -> Result<Written> {
    let index = Arc::new(Mutex::new(Index::new(table.model)?));
    let mut sorted = sorted(table.model, noted(table.model, rows, &index), &table.task)?;
    // A sort takes everything in before it gives anything out: after its first batch the index is complete.
    let first = sorted.next().await.transpose()?;
    let index = std::mem::replace(
        &mut *index.lock().unwrap_or_else(PoisonError::into_inner),
        Index::new(table.model)?,
    );
    let index = index.complete()?;

    let _turn = table.writer().await;
    let mut from = table.created().await?;
    let stored = index.stored_in(&from, table).await?;
    let sorted = futures::stream::iter(first.map(Ok)).chain(sorted).boxed();
    let fresh = index.without(&stored, sorted)?;
    let written = Unpublished::write(table.model, &table.folder, fresh).await?;
    let inserted = (index.seen.len() - stored.len()) as u64;
    let outcome = |version| Written {
        rows_in: index.rows_in,
        inserted,
        updated: 0,
        unchanged: index.rows_in - inserted,
        version,
    };
    if written.files().is_empty() {
        return Ok(outcome(from.version.unwrap_or_default()));
    }
    for _ in 0..limits::COMMIT_TRIES {
        if let Commit::Done(version) = table.commit(&from, written.files(), &[]).await? {
            written.publish();
            return Ok(outcome(version));
        }
        from = table.created().await?;
        if index.stored_in(&from, table).await? != stored {
            return Err(Error::new(
                Fault::Conflict,
                format!(
                    "another writer stored some of these rows of table \"{}\" just now",
                    table.model.name
                ),
            )
            .with_hint("Send the request again: rows that are already stored are skipped."));
        }
    }
    Err(Error::new(
        Fault::Busy,
        format!("table \"{}\" is written too often", table.model.name),
    ))
}

/// Rows with all columns of the table, each noted in the index as it passes.
fn noted(model: &'static Table, rows: Rows, index: &Arc<Mutex<Index>>) -> Rows {
    let index = Arc::clone(index);
    rows.map(move |batch| {
        let batch = complete(model, &batch?)?;
        index
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .add(&batch)?;
        Ok(batch)
    })
    .boxed()
}

/// Adds the columns that the file leaves out, as NULL.
pub fn complete(model: &Table, batch: &RecordBatch) -> Result<RecordBatch> {
    let schema = model.schema();
    let columns = schema.fields().iter().map(|field| {
        let given = batch.column_by_name(field.name()).cloned();
        given.unwrap_or_else(|| new_null_array(field.data_type(), batch.num_rows()))
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect())
        .map_err(|error| Error::internal("complete rows", error))
}

/// Every key of one write, with a fingerprint of the rest of its row.
struct Index {
    model: &'static Table,
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
    fn new(model: &'static Table) -> Result<Self> {
        let schema = model.schema();
        Ok(Self {
            model,
            keys: Fingerprints::new(&schema, Some(model.key))?,
            contents: Fingerprints::new(&schema, None)?,
            ranges: Collector::new(schema)?,
            seen: HashMap::new(),
            rows_in: 0,
        })
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        self.ranges.update(batch)?;
        let keys = self.keys.of(batch)?;
        let contents = self.contents.of(batch)?;
        for (row, (key, content)) in keys.into_iter().zip(contents).enumerate() {
            self.rows_in += 1;
            let content = short(content);
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
                        describe(self.model, batch, row)
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
    model: &'static Table,
    keys: Fingerprints,
    contents: Fingerprints,
    ranges: FileStats,
    seen: HashMap<Fingerprint, Seen>,
    rows_in: u64,
}

impl Complete {
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
            let batch = complete(self.model, &batch)?;
            let rows = self
                .keys
                .of(&batch)?
                .into_iter()
                .zip(self.contents.of(&batch)?);
            for (row, (key, content)) in rows.enumerate() {
                let Some(seen) = hits.get(&key).and_then(|key| self.seen.get(key)) else {
                    continue;
                };
                if seen.content != short(content) {
                    return Err(Error::new(
                        Fault::Conflict,
                        format!(
                            "row {} has a key that is stored with other content: {}",
                            seen.row,
                            describe(self.model, &batch, row)
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

/// Half of a fingerprint: enough where the key is equal already.
#[expect(
    clippy::cast_possible_truncation,
    reason = "half of the bits is what is wanted"
)]
const fn short(content: Fingerprint) -> u64 {
    content as u64
}

/// One file's batches, some or all columns.
pub fn read(
    snapshot: &Snapshot,
    file: &DataFile,
    columns: Option<&Vec<usize>>,
    table: &StoredTable,
) -> Result<Rows> {
    let fail = |error| Error::internal(format!("read table \"{}\"", table.model.name), error);
    let wanted = Wanted {
        projection: columns,
        partitions: 1,
        ..Wanted::default()
    };
    let runtime = table.task.runtime_env();
    let stream = scan(snapshot, &[file], wanted, &runtime)
        .and_then(|plan| plan.execute(0, Arc::clone(&table.task)))
        .map_err(fail)?;
    Ok(stream.map(move |batch| batch.map_err(fail_read)).boxed())
}

fn fail_read(error: datafusion::error::DataFusionError) -> Error {
    Error::internal("read stored rows", error)
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
