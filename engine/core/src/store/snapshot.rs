//! One committed state of a table: immutable, shared by every query that was planned on it.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::execution::object_store::ObjectStoreUrl;
use deltalake_core::kernel::LogicalFileView;
use deltalake_core::table::state::DeltaTableState;

use super::columns::attributes;
use super::file::DataFile;
use super::stamp::Beside;
use super::stats::FileStats;
use crate::fault::{Error, Fault, Result};
use crate::model::{Semantics, Table};

/// The files of one version of one table.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The table, with the manufacturer's own columns.
    pub table: Arc<Table>,
    /// Its version; `None` where nothing was ever written.
    pub version: Option<u64>,
    /// Its files.
    pub files: Vec<DataFile>,
    /// Where queries find them.
    pub url: ObjectStoreUrl,
    /// The library's view, which a commit starts from.
    pub(super) delta: Option<Arc<DeltaTableState>>,
    /// Columns of `table` that the log does not have yet.
    columns_added: usize,
}

impl Snapshot {
    /// The state of a table that nobody has written to.
    pub(super) const fn empty(table: Arc<Table>, url: ObjectStoreUrl) -> Self {
        Self {
            table,
            version: None,
            files: Vec::new(),
            url,
            delta: None,
            columns_added: 0,
        }
    }

    /// The state before anybody wrote.
    pub(super) fn without_rows(&self) -> Self {
        let base = Table::named(&self.table.name).unwrap_or(&self.table);
        Self::empty(Arc::clone(base), self.url.clone())
    }

    /// The state that the log describes.
    pub(super) fn of(&self, delta: DeltaTableState) -> Result<Self> {
        let table = match Table::named(&self.table.name) {
            Some(base) => match attributes(base, &delta.schema()) {
                own if own.is_empty() => Arc::clone(base),
                own => Arc::new(base.with(own)),
            },
            None => Arc::clone(&self.table),
        };
        let schema = table.schema();
        let is_side = table.semantics == Semantics::Engine;
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
                    beside: is_side.then(|| tagged(&view)).flatten(),
                    stats,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            table,
            version: Some(delta.version()),
            files,
            delta: Some(Arc::new(delta)),
            columns_added: 0,
            url: self.url.clone(),
        })
    }

    /// The same state of a table with more columns, all of them NULL; what is committed on it adds them. An error where
    /// the table has got columns that `table` does not know.
    pub fn widened(&self, table: &Arc<Table>) -> Result<Arc<Self>> {
        let had = self.table.columns.len();
        if table.columns.get(..had) != Some(self.table.columns.as_slice()) {
            return Err(Error::new(
                Fault::Busy,
                format!("the columns of table \"{}\" have just changed", table.name),
            )
            .with_hint("Send the same request again."));
        }
        let unknown = FileStats::unknown(&table.schema());
        let mut wide = self.clone();
        wide.table = Arc::clone(table);
        wide.columns_added += table.columns.len() - had;
        for file in &mut wide.files {
            file.stats
                .columns
                .extend(unknown.columns.iter().skip(had).cloned());
        }
        Ok(Arc::new(wide))
    }

    /// This state, to be followed by one that has the columns of an earlier one again.
    pub(super) fn narrowed(&self, earlier: &Self) -> Self {
        Self {
            table: Arc::clone(&earlier.table),
            columns_added: usize::from(earlier.table.columns != self.table.columns),
            ..self.clone()
        }
    }

    /// Whether a commit on this state changes the columns of the log.
    pub(super) const fn adds_columns(&self) -> bool {
        self.columns_added > 0
    }

    /// The files of this state that another state of the same table does not have. What both have is the same rows.
    pub fn besides(&self, other: &Self) -> Arc<Self> {
        let shared: HashSet<&str> = other.files.iter().map(|file| file.path.as_str()).collect();
        let mut rest = self.clone();
        rest.files
            .retain(|file| !shared.contains(file.path.as_str()));
        Arc::new(rest)
    }

    /// The version that a commit on this state becomes.
    pub fn next_version(&self) -> u64 {
        self.version.map_or(0, |version| version + 1)
    }

    /// Rows of the whole table, where every file says how many it has.
    pub fn rows(&self) -> Option<usize> {
        self.files.iter().map(|file| file.stats.rows).sum()
    }
}

/// The commit that a file was written beside.
#[expect(
    deprecated,
    reason = "no other call of the library tells a file's tags"
)]
fn tagged(file: &LogicalFileView) -> Option<Beside> {
    Beside::from_tags(file.add_action().tags.as_ref())
}
