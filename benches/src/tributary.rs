//! This engine in this process, as the HTTP adapter uses it: the `Engine` trait over a scratch folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use futures::StreamExt;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tributary_datasets::Dataset;
use tributary_engine_core::engine::{
    Activate, Body, Format, Frame, Ingest, OnError, PluginReceipt, Principal, Query, Reading,
    Receipt, Setup, Upload,
};
use tributary_engine_core::manufacturer::ManufacturerId;
use tributary_engine_core::{Database, Engine, NativeFunctions, Options};

use crate::{Outcome, THREADS, Took};

/// A database on a folder.
pub struct Tributary {
    database: Arc<Database>,
    runtime: Runtime,
    data: PathBuf,
    /// Goes away with the database, where it is ours.
    _scratch: Option<TempDir>,
}

/// A whole answer, and what it took.
pub struct Answered {
    /// From the SQL text to the last row.
    pub took: Took,
    /// The rows.
    pub batches: Vec<RecordBatch>,
    /// What plugins did for it.
    pub plugins: Vec<PluginReceipt>,
}

/// A folder for what benches leave behind, beside the other things that Cargo builds.
pub fn scratch() -> Outcome<PathBuf> {
    let program = std::env::current_exe()?;
    // target/<profile>/deps/<program>
    let target = program
        .ancestors()
        .nth(3)
        .ok_or("the program is not in a target folder")?;
    let folder = target.join("benches");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

impl Tributary {
    /// An empty database.
    pub fn empty() -> Outcome<Self> {
        Self::knowing(NativeFunctions::default())
    }

    /// An empty database that knows some native functions.
    fn knowing(native: NativeFunctions) -> Outcome<Self> {
        let scratch = TempDir::new_in(scratch()?)?;
        let opened = Self::open(native, scratch.path().join("data"))?;
        Ok(Self {
            _scratch: Some(scratch),
            ..opened
        })
    }

    /// A database on a folder that was filled before, and stays.
    pub fn on(data: PathBuf) -> Outcome<Self> {
        Self::open(NativeFunctions::default(), data)
    }

    fn open(native: NativeFunctions, data: PathBuf) -> Outcome<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let options = Options {
            data: data.clone(),
            threads: Some(THREADS),
            native,
            ..Options::default()
        };
        let database = runtime.block_on(Database::open(options))?;
        Ok(Self {
            database,
            runtime,
            data,
            _scratch: None,
        })
    }

    /// Where everything is stored.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.data
    }

    /// A database with some tables of one manufacturer of the demo data.
    pub fn with(dataset: &Dataset, manufacturer: &str, tables: &[&str]) -> Outcome<Self> {
        Self::with_native(NativeFunctions::default(), dataset, manufacturer, tables)
    }

    /// The same, with some native functions.
    pub fn with_native(
        native: NativeFunctions,
        dataset: &Dataset,
        manufacturer: &str,
        tables: &[&str],
    ) -> Outcome<Self> {
        let tributary = Self::knowing(native)?;
        for table in tables {
            let chunks = dataset
                .csv(manufacturer, table)
                .ok_or("the demo data has no such table")?;
            let body = futures::stream::iter(chunks.map(|chunk| Ok(Bytes::from(chunk)))).boxed();
            tributary.ingest(manufacturer, table, body)?;
        }
        Ok(tributary)
    }

    /// Where a table of a manufacturer is stored.
    #[must_use]
    pub fn table_folder(&self, manufacturer: &str, table: &str) -> PathBuf {
        self.data.join(manufacturer).join(table)
    }

    /// Stores a CSV body.
    pub fn ingest(&self, manufacturer: &str, table: &str, body: Body) -> Outcome<(Took, Receipt)> {
        self.ingest_as(manufacturer, table, Reading::of(Format::Csv), body)
    }

    /// Stores a body of any format.
    pub fn ingest_as(
        &self,
        manufacturer: &str,
        table: &str,
        reading: Reading,
        body: Body,
    ) -> Outcome<(Took, Receipt)> {
        let ingest = Ingest {
            principal: Principal::Operator,
            manufacturer: ManufacturerId::try_from(manufacturer)?,
            table: table.to_owned(),
            reading,
            on_error: OnError::Refuse,
        };
        Took::of(|| Ok(self.runtime.block_on(self.database.ingest(ingest, body))?))
    }

    /// Asks, and takes every row in.
    pub fn query(&self, manufacturer: &str, sql: &str) -> Outcome<Answered> {
        let query = Query {
            principal: Principal::Operator,
            manufacturer: ManufacturerId::try_from(manufacturer)?,
            sql: sql.to_owned(),
            parameters: Default::default(),
            deadline: None,
        };
        let (took, (batches, plugins)) =
            Took::of(|| self.runtime.block_on(drain(&self.database, query)))?;
        Ok(Answered {
            took,
            batches,
            plugins,
        })
    }

    /// Makes a plugin callable.
    pub fn activate(&self, manufacturer: &str, wasm: &'static [u8]) -> Outcome<()> {
        let manufacturer = ManufacturerId::try_from(manufacturer)?;
        let upload = Upload {
            principal: Principal::Operator,
            manufacturer: manufacturer.clone(),
            wasm: Bytes::from_static(wasm),
        };
        self.runtime.block_on(async {
            let version = self.database.upload(upload).await?;
            let activate = Activate {
                principal: Principal::Operator,
                manufacturer,
                name: version.name,
                version: version.version,
                setup: Setup::default(),
            };
            self.database.activate(activate).await?;
            Ok(())
        })
    }
}

async fn drain(
    database: &Database,
    query: Query,
) -> Outcome<(Vec<RecordBatch>, Vec<PluginReceipt>)> {
    let mut frames = database.query(query).await?.frames;
    let mut batches = Vec::new();
    while let Some(frame) = frames.next().await {
        match frame? {
            Frame::Batch(batch) => batches.push(batch),
            Frame::End(trailer) => return Ok((batches, trailer.plugins)),
        }
    }
    Err("answer ended without its trailer".into())
}

/// The data files that the log of a Delta table names: added and not removed again.
pub(crate) fn live_files(table: &Path) -> Outcome<Vec<PathBuf>> {
    let mut commits = Vec::new();
    for entry in std::fs::read_dir(table.join("_delta_log"))? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if name.contains("checkpoint") {
            return Err("this reader of logs does not know checkpoints".into());
        }
        if name.ends_with(".json") {
            commits.push(path);
        }
    }
    commits.sort();
    let mut files = Vec::new();
    for commit in commits {
        for line in std::fs::read_to_string(commit)?.lines() {
            let action: serde_json::Value = serde_json::from_str(line)?;
            if let Some(path) = action["remove"]["path"].as_str() {
                files.retain(|file| *file != table.join(path));
            }
            if let Some(path) = action["add"]["path"].as_str() {
                files.push(table.join(path));
            }
        }
    }
    Ok(files)
}
