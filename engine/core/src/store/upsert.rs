//! `upsert`: a later row of the same key wins, and changes only the columns that its file names.
//!
//! Files that hold a touched key are rewritten whole, for now; the contract of [`upsert`] does not say so.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::{concat_batches, interleave, take_record_batch};
use arrow::record_batch::RecordBatch;
use futures::{StreamExt, TryStreamExt};

use super::Written;
use super::file::DataFile;
use super::keys::{Fingerprint, Fingerprints};
use super::rows::{complete, read};
use super::snapshot::Snapshot;
use super::sort::sorted;
use super::table::{Commit, StoredTable};
use super::writer::Unpublished;
use crate::fault::{Error, Fault, Result};
use crate::ingest::Rows;
use crate::limits;
use crate::model::Table;

/// Stores rows by key, in one commit: a row with a stored key replaces the columns that it has, any other is new.
///
/// All rows have the same columns, the key's among them. A new row must have every column that may not be NULL.
pub async fn upsert(table: &StoredTable, rows: Rows, keys: &[&str]) -> Result<Written> {
    let incoming = Incoming::collect(rows, keys).await?;
    let _turn = table.writer().await;
    for _ in 0..limits::COMMIT_TRIES {
        let from = table.snapshot().await?;
        if incoming.rows.num_rows() == 0 {
            return Ok(incoming.outcome(&Touched::default(), from.version.unwrap_or_default()));
        }
        let touched = incoming.touched(&from, table).await?;
        incoming.check_new(table.model, &touched)?;
        if touched.files.is_empty() && touched.found.len() == incoming.rows.num_rows() {
            return Ok(incoming.outcome(&touched, from.version.unwrap_or_default()));
        }
        let merged = incoming.merged(table, Arc::clone(&from), touched.clone())?;
        let sorted = sorted(table.model, merged, &table.task)?;
        let mut written = Unpublished::write(table.model, &table.folder, sorted).await?;
        if let Commit::Done(version) = table.commit(&from, &mut written, &touched.files).await? {
            return Ok(incoming.outcome(&touched, version));
        }
    }
    Err(Error::new(
        Fault::Busy,
        format!("table \"{}\" is written too often", table.model.name),
    ))
}

/// The rows of one request, the last of each key.
#[derive(Clone)]
struct Incoming {
    rows_in: u64,
    rows: RecordBatch,
    keys: Arc<Fingerprints>,
    position: Arc<HashMap<Fingerprint, u32>>,
}

/// What a request does to a snapshot.
#[derive(Clone, Default)]
struct Touched {
    /// Files with a row that changes.
    files: Vec<DataFile>,
    /// Keys that are stored, with their row of the request.
    found: HashMap<Fingerprint, u32>,
    /// Stored rows that change.
    changed: u64,
}

impl Incoming {
    async fn collect(mut rows: Rows, keys: &[&str]) -> Result<Self> {
        let first = rows.try_next().await?;
        let first = first.ok_or_else(|| Error::new(Fault::Internal, "decoder gave no columns"))?;
        let schema = first.schema();
        let mut batches = vec![first];
        let mut rows_in = 0;
        while let Some(batch) = rows.try_next().await? {
            rows_in += batch.num_rows();
            if rows_in > limits::UPSERT_ROWS {
                return Err(Error::limit("upsert_rows", limits::UPSERT_ROWS, "more")
                    .with_hint("Send the rows in several requests."));
            }
            batches.push(batch);
        }
        let fail = |error| Error::internal("collect rows", error);
        let all = concat_batches(&schema, &batches).map_err(fail)?;
        let keys = Fingerprints::new(&schema, Some(keys))?;
        let mut position = HashMap::with_capacity(all.num_rows());
        for (row, key) in (0_u32..).zip(keys.of(&all)?) {
            position.insert(key, row);
        }
        let mut last: Vec<u32> = position.values().copied().collect();
        last.sort_unstable();
        let superseded = last.len() < all.num_rows();
        let rows = if superseded {
            take_record_batch(&all, &UInt32Array::from(last)).map_err(fail)?
        } else {
            all
        };
        if superseded {
            position = keys.of(&rows)?.into_iter().zip(0_u32..).collect();
        }
        Ok(Self {
            rows_in: rows_in as u64,
            rows,
            keys: Arc::new(keys),
            position: Arc::new(position),
        })
    }

    fn outcome(&self, touched: &Touched, version: u64) -> Written {
        let inserted = (self.rows.num_rows() - touched.found.len()) as u64;
        Written {
            rows_in: self.rows_in,
            inserted,
            updated: touched.changed,
            unchanged: self.rows_in - inserted - touched.changed,
            version,
        }
    }

    /// How many rows of a file the request gives another content.
    async fn changed_in(
        &self,
        from: &Snapshot,
        file: &DataFile,
        table: &StoredTable,
    ) -> Result<u64> {
        let contents = Fingerprints::new(&table.model.schema(), None)?;
        let mut changed = 0;
        let mut batches = read(from, file, None, table)?;
        while let Some(batch) = batches.try_next().await? {
            let stored = complete(table.model, &batch)?;
            let merged = self.overlay(table.model, &stored)?;
            let pairs = contents
                .short(&stored)?
                .into_iter()
                .zip(contents.short(&merged)?);
            changed += pairs.filter(|(old, new)| old != new).count() as u64;
        }
        Ok(changed)
    }

    /// Looks the keys up in the key columns of every file, and compares the rows of those that have one.
    async fn touched(&self, from: &Snapshot, table: &StoredTable) -> Result<Touched> {
        let schema = table.model.schema();
        let columns: Vec<usize> = table
            .model
            .key
            .iter()
            .map(|name| {
                schema
                    .index_of(name)
                    .expect("the key names columns of the table")
            })
            .collect();
        let mut touched = Touched::default();
        for file in &from.files {
            let before = touched.found.len();
            let mut batches = read(from, file, Some(&columns), table)?;
            while let Some(batch) = batches.try_next().await? {
                for key in self.keys.of_arrays(batch.columns())? {
                    if let Some(position) = self.position.get(&key) {
                        touched.found.insert(key, *position);
                    }
                }
            }
            if touched.found.len() > before {
                let changed = self.changed_in(from, file, table).await?;
                if changed > 0 {
                    touched.changed += changed;
                    touched.files.push(file.clone());
                }
            }
        }
        Ok(touched)
    }

    /// A row that is new must have every column that may not be NULL.
    fn check_new(&self, model: &Table, touched: &Touched) -> Result<()> {
        let schema = self.rows.schema();
        let missing = model
            .columns
            .iter()
            .find(|column| !column.nullable && schema.index_of(column.name).is_err());
        match missing {
            Some(column) if touched.found.len() < self.rows.num_rows() => Err(Error::new(
                Fault::Invalid,
                format!(
                    "{} of {} rows have a new key, and a new row of table \"{}\" needs column \"{}\"",
                    self.rows.num_rows() - touched.found.len(),
                    self.rows.num_rows(),
                    model.name,
                    column.name
                ),
            )
            .with_hint("Only rows that are stored already can be changed in part.")),
            _ => Ok(()),
        }
    }

    /// The rows of the touched files with their changes, then the new rows.
    fn merged(&self, table: &StoredTable, from: Arc<Snapshot>, touched: Touched) -> Result<Rows> {
        let model = table.model;
        let mut old = Vec::with_capacity(touched.files.len());
        for file in &touched.files {
            let this = self.clone();
            let batches = read(&from, file, None, table)?;
            old.push(batches.map(move |batch| this.overlay(model, &complete(model, &batch?)?)));
        }
        let mut is_new = vec![true; self.rows.num_rows()];
        for position in touched.found.values() {
            is_new[*position as usize] = false;
        }
        let new: UInt32Array = (0_u32..)
            .zip(&is_new)
            .filter_map(|(row, new)| new.then_some(row))
            .collect();
        let new = take_record_batch(&self.rows, &new)
            .map_err(|error| Error::internal("merge rows", error));
        let new = futures::stream::once(async move {
            let new = new?;
            // A part of the columns is enough only where no row is new, and then there is nothing to complete.
            if new.num_rows() == 0 {
                Ok(RecordBatch::new_empty(model.schema()))
            } else {
                complete(model, &new)
            }
        });
        Ok(futures::stream::iter(old).flatten().chain(new).boxed())
    }

    /// A stored batch with the incoming values in place of its own where the key is the same.
    fn overlay(&self, model: &Table, stored: &RecordBatch) -> Result<RecordBatch> {
        let fail = |error| Error::internal("merge rows", error);
        let keys = Fingerprints::like(&self.keys, &model.schema(), model.key)?.of(stored)?;
        let source: Vec<(usize, usize)> = keys
            .iter()
            .enumerate()
            .map(|(row, key)| match self.position.get(key) {
                Some(position) => (1, *position as usize),
                None => (0, row),
            })
            .collect();
        let schema = model.schema();
        let columns = schema
            .fields()
            .iter()
            .zip(stored.columns())
            .map(
                |(field, old)| match self.rows.column_by_name(field.name()) {
                    Some(new) => interleave(&[old, new], &source),
                    None => Ok(ArrayRef::clone(old)),
                },
            );
        let columns: Vec<ArrayRef> = columns
            .collect::<std::result::Result<_, _>>()
            .map_err(fail)?;
        RecordBatch::try_new(schema, columns).map_err(fail)
    }
}
