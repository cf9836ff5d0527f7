//! One committed state of a table: immutable, shared by every query that was planned on it.

use std::sync::Arc;

use datafusion::execution::object_store::ObjectStoreUrl;
use deltalake_core::table::state::DeltaTableState;

use super::file::DataFile;
use super::stats::FileStats;
use crate::fault::Result;
use crate::model::Table;

/// The files of one version of one table.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Which table.
    pub table: &'static Table,
    /// Its version; `None` where nothing was ever written.
    pub version: Option<u64>,
    /// Its files.
    pub files: Vec<DataFile>,
    /// Where queries find them.
    pub url: ObjectStoreUrl,
    /// The library's view, which a commit starts from.
    pub(super) delta: Option<Arc<DeltaTableState>>,
}

impl Snapshot {
    /// The state of a table that nobody has written to.
    pub(super) fn empty(table: &'static Table, url: ObjectStoreUrl) -> Self {
        Self {
            table,
            version: None,
            files: Vec::new(),
            url,
            delta: None,
        }
    }

    /// The state that the log describes.
    pub(super) fn of(&self, delta: DeltaTableState) -> Result<Self> {
        let schema = self.table.schema();
        let files = delta
            .log_data()
            .iter()
            .map(|view| {
                let stats = match view.stats() {
                    Some(json) => FileStats::from_json(&json, &schema)?,
                    None => FileStats::unknown(&schema),
                };
                Ok(DataFile {
                    path: view.object_store_path().to_string(),
                    bytes: u64::try_from(view.size()).unwrap_or_default(),
                    stats,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            version: Some(delta.version()),
            files,
            delta: Some(Arc::new(delta)),
            ..self.clone()
        })
    }

    /// Rows of the whole table, where every file says how many it has.
    pub fn rows(&self) -> Option<usize> {
        self.files.iter().map(|file| file.stats.rows).sum()
    }
}
