//! `upsert`: a later row of the same key wins, and changes only the columns that its file names.
//!
//! Files that hold a touched key are rewritten whole, for now; the contract of [`upsert`] does not say so.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::compute::{concat_batches, filter_record_batch, interleave};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use futures::{StreamExt, TryStreamExt};
use tokio::task::JoinSet;

use super::Written;
use super::append::too_often;
use super::commit::{Change, Commit};
use super::events::History;
use super::file::DataFile;
use super::keys::{Fingerprint, Fingerprints};
use super::rows::{complete, read};
use super::snapshot::Snapshot;
use super::sort::sorted;
use super::spool::{Spool, Spooled};
use super::table::StoredTable;
use super::write::Write;
use super::writer::Unpublished;
use crate::fault::{Error, Fault, Result};
use crate::ingest::Rows;
use crate::limits;
use crate::model::Table;

/// Stores rows by key, in one commit: a row with a stored key replaces the columns that it has, any other is new.
///
/// All rows have the same columns, the key's among them. A new row must have every column that may not be NULL.
pub async fn upsert(table: &StoredTable, write: &Write, rows: Rows) -> Result<Written> {
    let model = &write.model;
    let incoming = Incoming::collect(rows, model).await?;
    let _turn = table.writer().await;
    for _ in 0..limits::COMMIT_TRIES {
        let from = table.to_write_on().await?.widened(model)?;
        let touched = incoming.touched(&from, table).await?;
        incoming.check_new(model, &touched)?;
        let nothing = touched.files.is_empty() && incoming.new_keys(&touched) == 0;
        if nothing && !write.must_commit() {
            return Ok(incoming.outcome(&touched, from.version.unwrap_or_default()));
        }
        let Some(from) = table.ready(from).await? else {
            continue;
        };
        // The rows and their history are written side by side: each keeps a thread busy.
        let mut writing = JoinSet::new();
        if !nothing {
            let merged = incoming.merged(table, Arc::clone(&from), &touched)?;
            let sorted = sorted(model, merged, &table.task)?;
            let (model, folder) = (Arc::clone(model), table.folder.clone());
            writing.spawn(async move { Unpublished::write(&model, &folder, sorted).await });
        }
        let events = match write.keeps_history() {
            true => Some(incoming.events(table, &from, &touched, write.at_us())?),
            false => None,
        };
        write.beside(from.next_version(), events).await?;
        let mut written = match writing.join_next().await {
            Some(written) => written.map_err(|panic| Error::internal("write rows", panic))??,
            None => Unpublished::none(&table.folder),
        };
        let change = Change {
            added: &mut written,
            removed: &touched.files,
            stamp: &write.stamp,
        };
        if let Commit::Done(version) = table.commit(&from, change).await? {
            return Ok(incoming.outcome(&touched, version));
        }
    }
    Err(too_often(model))
}

/// The rows of one request, on disk; the last of each key counts.
#[derive(Clone)]
struct Incoming {
    model: Arc<Table>,
    /// Columns that the request names.
    named: SchemaRef,
    rows_in: u64,
    rows: Arc<Spooled>,
    keys: Arc<Fingerprints>,
    /// The last row of each key, counted from 0.
    last: Arc<HashMap<Fingerprint, u32>>,
}

/// What a request does to a snapshot.
#[derive(Clone)]
struct Touched {
    /// Files with a row that changes.
    files: Vec<DataFile>,
    /// The rows of the request whose keys are stored.
    updates: RecordBatch,
    /// Where each stored key is among them.
    found: Arc<HashMap<Fingerprint, u32>>,
    /// Stored rows that change.
    changed: u64,
}

impl Incoming {
    async fn collect(mut rows: Rows, model: &Arc<Table>) -> Result<Self> {
        let first = rows.try_next().await?;
        let first = first.ok_or_else(|| Error::new(Fault::Internal, "decoder gave no columns"))?;
        let named = first.schema();
        let keys = Fingerprints::new(&named, Some(model.key))?;
        let mut spool = Spool::create(&named)?;
        let mut last = HashMap::new();
        let mut rows_in = 0_u32;
        let mut next = Some(first);
        while let Some(batch) = next {
            for key in keys.of(&batch)? {
                last.insert(key, rows_in);
                rows_in += 1;
            }
            if rows_in > limits::UPSERT_ROWS {
                return Err(Error::limit("upsert_rows", limits::UPSERT_ROWS, "more")
                    .with_hint("Send the rows in several requests."));
            }
            if batch.num_rows() > 0 {
                spool.push(&batch)?;
            }
            next = rows.try_next().await?;
        }
        Ok(Self {
            model: Arc::clone(model),
            named,
            rows_in: u64::from(rows_in),
            rows: Arc::new(spool.close()?),
            keys: Arc::new(keys),
            last: Arc::new(last),
        })
    }

    fn outcome(&self, touched: &Touched, version: u64) -> Written {
        let inserted = self.new_keys(touched);
        Written {
            rows_in: self.rows_in,
            inserted,
            updated: touched.changed,
            unchanged: self.rows_in - inserted - touched.changed,
            version,
        }
    }

    /// Keys that are not stored.
    fn new_keys(&self, touched: &Touched) -> u64 {
        (self.last.len() - touched.found.len()) as u64
    }

    /// How many rows of a file the request gives another content.
    async fn changed_in(
        &self,
        from: &Snapshot,
        file: &DataFile,
        table: &StoredTable,
        touched: &Touched,
    ) -> Result<u64> {
        let contents = Fingerprints::new(&self.model.schema(), None)?;
        let mut changed = 0;
        let mut batches = read(from, file, None, table)?;
        while let Some(batch) = batches.try_next().await? {
            let stored = complete(&self.model, &batch)?;
            let merged = self.overlay(&stored, touched)?;
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
        let schema = self.model.schema();
        let columns: Vec<usize> = self
            .model
            .key
            .iter()
            .map(|name| {
                schema
                    .index_of(name)
                    .expect("the key names columns of the table")
            })
            .collect();
        let mut found = HashSet::new();
        let mut hit = Vec::new();
        for file in &from.files {
            let before = found.len();
            let mut batches = read(from, file, Some(&columns), table)?;
            while let Some(batch) = batches.try_next().await? {
                let keys = self.keys.of_arrays(batch.columns())?;
                found.extend(keys.into_iter().filter(|key| self.last.contains_key(key)));
            }
            if found.len() > before {
                hit.push(file);
            }
        }
        let mut touched = self.updates(&found)?;
        for file in hit {
            let changed = self.changed_in(from, file, table, &touched).await?;
            if changed > 0 {
                touched.changed += changed;
                touched.files.push(file.clone());
            }
        }
        Ok(touched)
    }

    /// The rows of the request that have these keys, in memory.
    fn updates(&self, keys: &HashSet<Fingerprint>) -> Result<Touched> {
        let fail = |error| Error::internal("collect rows", error);
        let mut batches = Vec::new();
        let mut found = HashMap::with_capacity(keys.len());
        if !keys.is_empty() {
            for batch in self.last_rows(|key| keys.contains(&key))? {
                let batch = batch?;
                for key in self.keys.of(&batch)? {
                    let row = found.len();
                    found.insert(key, u32::try_from(row).expect("rows are counted in u32"));
                }
                batches.push(batch);
            }
        }
        Ok(Touched {
            files: Vec::new(),
            updates: concat_batches(&self.named, &batches).map_err(fail)?,
            found: Arc::new(found),
            changed: 0,
        })
    }

    /// The rows that count, of those keys that are wanted.
    fn last_rows<F: Fn(Fingerprint) -> bool + Send>(
        &self,
        wanted: F,
    ) -> Result<impl Iterator<Item = Result<RecordBatch>> + Send + use<F>> {
        let (keys, last) = (Arc::clone(&self.keys), Arc::clone(&self.last));
        let spooled = Arc::clone(&self.rows);
        let mut row = 0..;
        let batches = self.rows.read()?;
        Ok(batches.map(move |batch| {
            // Named, so that the rows outlive whoever reads them.
            let _spooled = &spooled;
            let batch = batch?;
            let keep: BooleanArray = keys
                .of(&batch)?
                .into_iter()
                .map(|key| {
                    let row = row.next();
                    Some(row == last.get(&key).copied() && wanted(key))
                })
                .collect();
            filter_record_batch(&batch, &keep)
                .map_err(|error| Error::internal("filter rows", error))
        }))
    }

    /// The rows whose keys are not stored, with the columns that the request names.
    fn new_rows(
        &self,
        touched: &Touched,
    ) -> Result<impl Iterator<Item = Result<RecordBatch>> + Send + use<>> {
        let found = Arc::clone(&touched.found);
        let none_new = self.new_keys(touched) == 0;
        let rows = match none_new {
            true => None,
            false => Some(self.last_rows(move |key| !found.contains_key(&key))?),
        };
        Ok(rows.into_iter().flatten())
    }

    /// A row that is new must have every column that may not be NULL.
    fn check_new(&self, model: &Table, touched: &Touched) -> Result<()> {
        let missing = model
            .columns
            .iter()
            .find(|column| !column.nullable && self.named.index_of(&column.name).is_err());
        match missing {
            Some(column) if self.new_keys(touched) > 0 => Err(Error::new(
                Fault::Invalid,
                format!(
                    "{} of {} rows have a new key, and a new row of table \"{}\" needs column \"{}\"",
                    self.new_keys(touched),
                    self.last.len(),
                    model.name,
                    column.name
                ),
            )
            .with_hint("Only rows that are stored already can be changed in part.")),
            _ => Ok(()),
        }
    }

    /// The rows of the touched files with their changes, then the new rows.
    fn merged(&self, table: &StoredTable, from: Arc<Snapshot>, touched: &Touched) -> Result<Rows> {
        let mut old = Vec::with_capacity(touched.files.len());
        for file in &touched.files {
            let (this, touched) = (self.clone(), touched.clone());
            let batches = read(&from, file, None, table)?;
            old.push(batches.map(move |batch| {
                let stored = complete(&this.model, &batch?)?;
                this.overlay(&stored, &touched)
            }));
        }
        let model = Arc::clone(&self.model);
        let new = self
            .new_rows(touched)?
            .map(move |batch| complete(&model, &batch?));
        Ok(futures::stream::iter(old)
            .flatten()
            .chain(futures::stream::iter(new))
            .boxed())
    }

    /// What the request changes, one event for each value: of the touched files, then of the new rows.
    fn events(
        &self,
        table: &StoredTable,
        from: &Snapshot,
        touched: &Touched,
        at_us: i64,
    ) -> Result<Rows> {
        let history = Arc::new(History::new(&self.model, &self.named, at_us)?);
        let mut changes = Vec::with_capacity(touched.files.len());
        for file in &touched.files {
            let (this, touched, history) = (self.clone(), touched.clone(), Arc::clone(&history));
            let batches = read(from, file, None, table)?;
            changes.push(batches.map(move |batch| {
                let stored = complete(&this.model, &batch?)?;
                history.changed(&stored, &this.overlay(&stored, &touched)?)
            }));
        }
        let added = self
            .new_rows(touched)?
            .map(move |rows| history.added(&rows?));
        Ok(futures::stream::iter(changes)
            .flatten()
            .chain(futures::stream::iter(added))
            .boxed())
    }

    /// A stored batch with the incoming values in place of its own where the key is the same.
    fn overlay(&self, stored: &RecordBatch, touched: &Touched) -> Result<RecordBatch> {
        let fail = |error| Error::internal("merge rows", error);
        let keys = Fingerprints::like(&self.keys, &self.model.schema(), self.model.key)?;
        let keys = keys.of(stored)?;
        let source: Vec<(usize, usize)> = keys
            .iter()
            .enumerate()
            .map(|(row, key)| match touched.found.get(key) {
                Some(update) => (1, *update as usize),
                None => (0, row),
            })
            .collect();
        let schema = self.model.schema();
        let columns =
            schema
                .fields()
                .iter()
                .zip(stored.columns())
                .map(
                    |(field, old)| match touched.updates.column_by_name(field.name()) {
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
