//! The one folder that names `deltalake` and `object_store`: each table of each manufacturer is one Delta table.
//!
//! Knows the data model; nothing of SQL, principals or plugins. Writers of one table wait for one another here;
//! writers of other processes are met at the commit, which then starts over from the newer snapshot.

mod append;
mod file;
mod keys;
mod rows;
mod scan;
mod snapshot;
mod sort;
mod stats;
mod table;
mod upsert;
mod writer;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::execution::TaskContext;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::prelude::SessionConfig;
use object_store::local::LocalFileSystem;

use crate::fault::{Error, Fault, Result};
use crate::ingest::Rows;
use crate::manufacturer::ManufacturerId;
use crate::model::{Semantics, Table};

pub use scan::{Wanted, prune, scan};
pub use snapshot::Snapshot;
use table::StoredTable;

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
    tables: Mutex<HashMap<(ManufacturerId, &'static str), Arc<StoredTable>>>,
}

impl Store {
    /// The store of a data folder; `runtime` bounds the memory that sorts may take.
    pub fn new(root: &Path, runtime: Arc<RuntimeEnv>) -> Self {
        Self {
            root: root.to_owned(),
            runtime,
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

    /// The newest committed state of a table; an empty one where nothing was ever written.
    pub async fn snapshot(
        &self,
        manufacturer: &ManufacturerId,
        table: &'static Table,
    ) -> Result<Arc<Snapshot>> {
        self.table(manufacturer, table).snapshot().await
    }

    /// Adds rows by the semantics of their table. One commit: all rows or none.
    pub async fn write(
        &self,
        manufacturer: &ManufacturerId,
        table: &'static Table,
        rows: Rows,
    ) -> Result<Written> {
        let stored = self.table(manufacturer, table);
        match table.semantics {
            Semantics::Append => append::append(&stored, rows).await,
            Semantics::Upsert => upsert::upsert(&stored, rows, table.key).await,
            Semantics::Engine => Err(Error::new(
                Fault::Invalid,
                format!("table \"{}\" is written by the engine only", table.name),
            )),
        }
    }

    fn table(&self, manufacturer: &ManufacturerId, model: &'static Table) -> Arc<StoredTable> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = tables.entry((manufacturer.clone(), model.name));
        Arc::clone(entry.or_insert_with(|| {
            Arc::new(StoredTable::new(
                self.root.join(manufacturer.as_str()).join(model.name),
                url(manufacturer),
                model,
                task_context(&self.runtime),
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
