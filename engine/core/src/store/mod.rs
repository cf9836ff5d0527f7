//! The one folder that names `deltalake` and `object_store`: each table of each manufacturer is one Delta table.
//!
//! Knows the data model; nothing of SQL, principals or plugins. Writers of one table wait for one another here;
//! writers of other processes are met at the commit, which then starts over from the newer snapshot.

mod append;
mod beside;
mod columns;
mod commit;
mod events;
mod file;
mod import;
mod imports;
mod keys;
mod log;
mod rows;
mod scan;
mod snapshot;
mod sort;
mod sort_memory;
mod spool;
mod stamp;
mod stats;
mod table;
mod travel;
mod upsert;
mod write;
mod writer;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::execution::TaskContext;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::SessionConfig;
use object_store::local::LocalFileSystem;

use crate::fault::{Error, Fault, Result};
use crate::ingest::{Rejected, Rows};
use crate::limits;
use crate::manufacturer::ManufacturerId;
use crate::model::{Column, Semantics, TABLES, Table};

use beside::Sides;
use commit::{Change, Commit};
pub use import::Import;
use imports::Imports;
pub use scan::{Wanted, prune, scan};
pub use snapshot::Snapshot;
use sort_memory::SortMemory;
use stamp::Stamp;
use table::StoredTable;
pub use travel::At;
use write::Write;
use writer::Unpublished;

/// A log filter for what the library reports as an error and the store answers with another try: a lost race for a commit.
pub const HANDLED_IN_LOG: &str = "deltalake_core::kernel::transaction=off";

/// What became of the rows of one write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows that arrived.
    pub rows_in: u64,
    /// Rows with a key that the table did not have.
    pub inserted: u64,
    /// Rows that gave a stored row other content.
    pub updated: u64,
    /// Rows that were there before with the same content, or that a later row of the same write replaced.
    pub unchanged: u64,
    /// Version of the table that has the rows.
    pub version: u64,
}

/// The tables of all manufacturers under one folder.
pub struct Store {
    root: PathBuf,
    runtime: Arc<RuntimeEnv>,
    imports: Arc<Imports>,
    tables: Mutex<HashMap<(ManufacturerId, String), Arc<StoredTable>>>,
}

impl Store {
    /// The store of a data folder. Sorts of writes have memory of their own, so that no query starves them, nor they it.
    pub fn new(root: &Path, runtime: &RuntimeEnv) -> Self {
        let runtime = RuntimeEnvBuilder::from_runtime_env(runtime)
            .with_memory_pool(Arc::new(SortMemory::new(limits::INGEST_MEMORY_BYTES)))
            .build_arc()
            .expect("a runtime that was built can be built again");
        Self {
            root: root.to_owned(),
            runtime,
            imports: Arc::new(Imports::new(root)),
            tables: Mutex::default(),
        }
    }

    /// Like [`Self::open`], where that was not done before.
    pub fn open_once(&self, manufacturer: &ManufacturerId) -> Result<()> {
        match self.runtime.object_store(url(manufacturer)) {
            Ok(_) => Ok(()),
            Err(_) => self.open(manufacturer),
        }
    }

    /// Makes a manufacturer's folder readable to its queries, and to no other's: paths are relative to the folder.
    pub fn open(&self, manufacturer: &ManufacturerId) -> Result<()> {
        let folder = self.root.join(manufacturer.as_str());
        std::fs::create_dir_all(&folder)
            .map_err(|error| from_io(format!("create folder of \"{manufacturer}\""), error))?;
        let files = LocalFileSystem::new_with_prefix(&folder)
            .map_err(|error| Error::internal("open folder", error))?;
        self.runtime
            .register_object_store(url(manufacturer).as_ref(), Arc::new(files));
        Ok(())
    }

    /// Takes a manufacturer's folder away again where nothing was ever stored in it.
    pub fn leave(&self, manufacturer: &ManufacturerId) {
        // A folder that is not empty stays: that is what this call relies on, and no error.
        if std::fs::remove_dir(self.root.join(manufacturer.as_str())).is_ok() {
            // Nobody may have registered it; then there is nothing to take back.
            let _ = self
                .runtime
                .deregister_object_store(url(manufacturer).as_ref());
        }
    }

    /// The newest state of a table that counts; an empty one where nothing was ever written.
    pub async fn snapshot(
        &self,
        manufacturer: &ManufacturerId,
        table: &Arc<Table>,
    ) -> Result<Arc<Snapshot>> {
        let snapshot = self.table(manufacturer, table).snapshot().await?;
        self.visible(manufacturer, snapshot).await
    }

    /// A table as this manufacturer has it: with its own columns.
    pub async fn model(
        &self,
        manufacturer: &ManufacturerId,
        table: &Arc<Table>,
    ) -> Result<Arc<Table>> {
        let snapshot = self.table(manufacturer, table).snapshot().await?;
        Ok(Arc::clone(&snapshot.table))
    }

    /// Adds rows by the semantics of their table, in one commit. `model` has the columns that the rows may have;
    /// `rejected` are the rows of the same request that are set aside, complete when all rows have been read.
    pub async fn write(
        &self,
        manufacturer: &ManufacturerId,
        model: Arc<Table>,
        rejected: Arc<Rejected>,
        rows: Rows,
    ) -> Result<Written> {
        self.write_as(manufacturer, model, rejected, rows, Stamp::new())
            .await
    }

    /// Adds columns to a table, all of them NULL in the rows that are there. The version of the table that has them.
    pub async fn add_columns(
        &self,
        manufacturer: &ManufacturerId,
        table: &Arc<Table>,
        columns: &[Column],
    ) -> Result<u64> {
        let stored = self.table(manufacturer, table);
        let _turn = stored.writer().await;
        for _ in 0..limits::COMMIT_TRIES {
            let from = stored.to_write_on().await?;
            let wide = Arc::new(from.table.with(columns.iter().cloned()));
            let Some(ready) = stored.ready(from.widened(&wide)?).await? else {
                continue;
            };
            let change = Change {
                added: &mut Unpublished::none(&stored.folder),
                removed: &[],
                stamp: &Stamp::new(),
            };
            if let Commit::Done(version) = stored.commit(&ready, change).await? {
                return Ok(version);
            }
        }
        Err(append::too_often(table))
    }

    /// Adds rows to one of the tables that the engine writes itself, in one commit.
    pub async fn record(
        &self,
        manufacturer: &ManufacturerId,
        table: &Arc<Table>,
        rows: Rows,
    ) -> Result<()> {
        let stored = self.table(manufacturer, table);
        let rows = sort::sorted(table, rows, &stored.task)?;
        beside::append(&stored, rows, None, &Stamp::new()).await
    }

    /// Starts an import into these manufacturers' tables; waits for one that is under way in any of them.
    pub async fn import(&self, manufacturers: &[ManufacturerId]) -> Result<Import<'_>> {
        let mut turns = Vec::with_capacity(manufacturers.len());
        for manufacturer in manufacturers {
            self.open_once(manufacturer)?;
            turns.push(self.imports.turn(manufacturer).await?);
            for table in TABLES.iter() {
                self.table(manufacturer, table).withdraw().await?;
            }
        }
        Ok(Import::new(self, turns))
    }

    async fn write_as(
        &self,
        manufacturer: &ManufacturerId,
        model: Arc<Table>,
        rejected: Arc<Rejected>,
        rows: Rows,
        stamp: Stamp,
    ) -> Result<Written> {
        let side = |name: &str| {
            let table = Table::named(name).expect("the data model has its side tables");
            self.table(manufacturer, table)
        };
        let write = Write {
            sides: Sides {
                events: (model.name == "leads").then(|| side("lead_events")),
                quarantine: side("quarantine"),
                rejected,
                at_us: chrono::Utc::now().timestamp_micros(),
            },
            stamp,
            model,
        };
        let base = Table::named(&write.model.name).unwrap_or(&write.model);
        let stored = self.table(manufacturer, base);
        match write.model.semantics {
            Semantics::Append => append::append(&stored, &write, rows).await,
            Semantics::Upsert => upsert::upsert(&stored, &write, rows).await,
            Semantics::Engine => Err(Error::new(
                Fault::Invalid,
                format!(
                    "table \"{}\" is written by the engine only",
                    write.model.name
                ),
            )),
        }
    }

    /// A snapshot without the files of a side table whose main commit is not there.
    async fn visible(
        &self,
        manufacturer: &ManufacturerId,
        snapshot: Arc<Snapshot>,
    ) -> Result<Arc<Snapshot>> {
        let mut hidden = Vec::new();
        for (position, file) in snapshot.files.iter().enumerate() {
            let Some(beside) = &file.beside else { continue };
            let Some(main) = Table::named(&beside.main) else {
                continue;
            };
            let main = self.table(manufacturer, main);
            let counts = match main.log.commit(beside.version).await? {
                Some(commit) => {
                    commit.request.as_deref() == Some(&beside.request) && main.counts(&commit)?
                }
                None => false,
            };
            if !counts {
                hidden.push(position);
            }
        }
        if hidden.is_empty() {
            return Ok(snapshot);
        }
        let mut shown = Snapshot::clone(&snapshot);
        let mut position = 0..;
        shown.files.retain(|_| {
            position
                .next()
                .is_some_and(|at| hidden.binary_search(&at).is_err())
        });
        Ok(Arc::new(shown))
    }

    fn table(&self, manufacturer: &ManufacturerId, model: &Arc<Table>) -> Arc<StoredTable> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = tables.entry((manufacturer.clone(), model.name.to_string()));
        Arc::clone(entry.or_insert_with(|| {
            Arc::new(StoredTable::new(
                manufacturer.clone(),
                self.root
                    .join(manufacturer.as_str())
                    .join(model.name.as_ref()),
                url(manufacturer),
                Arc::clone(model),
                task_context(&self.runtime),
                Arc::clone(&self.imports),
            ))
        }))
    }
}

/// The name under which queries reach a manufacturer's files.
fn url(manufacturer: &ManufacturerId) -> ObjectStoreUrl {
    // An underscore is no part of a host name; a manufacturer's id has no hyphen, so the two never meet.
    let host = manufacturer.as_str().replace('_', "-");
    ObjectStoreUrl::parse(format!("tenant://{host}")).expect("a manufacturer's id is a valid host")
}

fn task_context(runtime: &Arc<RuntimeEnv>) -> Arc<TaskContext> {
    Arc::new(TaskContext::new(
        None,
        "store".to_owned(),
        SessionConfig::new().with_target_partitions(1),
        HashMap::new(),
        HashMap::new(),
        HashMap::new(),
        HashMap::new(),
        Arc::clone(runtime),
    ))
}

/// What an input or output error means to the one who asked.
fn from_io(doing: String, error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            Error::new(Fault::Full, format!("{doing}: no room left")).with_source(error)
        }
        _ => Error::internal(doing, error),
    }
}
