//! One data file of a table, as the log describes it.

use super::stamp::Beside;
use super::stats::FileStats;

/// A file that belongs to a snapshot.
#[derive(Clone, Debug)]
pub struct DataFile {
    /// Path below the table's folder.
    pub path: String,
    /// Size on disk.
    pub bytes: u64,
    /// The commit that it was written beside, where it is a side table's.
    pub beside: Option<Beside>,
    /// Rows and ranges.
    pub stats: FileStats,
}
