//! Sorted rows into Parquet files of bounded size, each with the statistics that its log entry carries.

use std::path::{Path, PathBuf};

use arrow::record_batch::RecordBatch;
use futures::StreamExt;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::file::DataFile;
use super::from_io;
use super::rows::read;
use super::snapshot::Snapshot;
use super::stamp::Beside;
use super::stats::Collector;
use super::table::StoredTable;
use crate::fault::{Error, Result};
use crate::ingest::Rows;
use crate::limits;
use crate::model::Table;

/// The fastest level: ingest waits for it, and columns sorted by distributor compress well at any.
const ZSTD_LEVEL: i32 = 1;

/// Files of one write that no commit names yet: deleted again, unless a commit of them was tried and not refused.
pub struct Unpublished {
    folder: PathBuf,
    files: Vec<DataFile>,
    may_be_named: bool,
}

impl Unpublished {
    /// Writes all rows.
    pub async fn write(table: &Table, folder: &Path, mut rows: Rows) -> Result<Self> {
        let mut written = Self {
            folder: folder.to_owned(),
            files: Vec::new(),
            may_be_named: false,
        };
        let mut open: Option<OpenFile> = None;
        while let Some(batch) = rows.next().await {
            let mut batch = batch?;
            while batch.num_rows() > 0 {
                let file = match &mut open {
                    Some(file) => file,
                    None => open.insert(OpenFile::create(table)?),
                };
                let room = limits::FILE_ROWS - file.rows;
                let taken = batch.num_rows().min(room);
                file.write(&batch.slice(0, taken))?;
                batch = batch.slice(taken, batch.num_rows() - taken);
                if taken == room {
                    written.keep(table, open.take()).await?;
                }
            }
        }
        written.keep(table, open).await?;
        Ok(written)
    }

    /// No new files, for a commit that only says that it happened.
    pub fn none(folder: &Path) -> Self {
        Self::again(folder, Vec::new())
    }

    /// Files that a commit named before and another one took away: they are never deleted here.
    pub fn again(folder: &Path, files: Vec<DataFile>) -> Self {
        Self {
            folder: folder.to_owned(),
            files,
            may_be_named: true,
        }
    }

    /// Notes which commit the files are written beside.
    pub fn tag(&mut self, beside: &Beside) {
        for file in &mut self.files {
            file.beside = Some(beside.clone());
        }
    }

    /// The files, for a commit to name.
    pub fn files(&self) -> &[DataFile] {
        &self.files
    }

    /// A commit that names them is about to be tried. From here on they stay, whatever interrupts it: a file that
    /// nobody names is litter, a named file that is gone is a broken table.
    pub const fn keep_all(&mut self) {
        self.may_be_named = true;
    }

    /// The commit was refused: they are certainly not named.
    pub const fn refused(&mut self) {
        self.may_be_named = false;
    }

    /// The rows again, in order, to be written anew; the files go when the last row has been read.
    pub fn into_rows(self, snapshot: &Snapshot, table: &StoredTable) -> Result<Rows> {
        let each = self
            .files
            .iter()
            .map(|file| read(snapshot, file, None, table));
        let rows: Vec<Rows> = each.collect::<Result<_>>()?;
        let files = self;
        let held = move |batch| {
            // Names the whole, so that the closure owns it and the files outlive the stream.
            let _files = &files;
            batch
        };
        Ok(futures::stream::iter(rows).flatten().map(held).boxed())
    }

    async fn keep(&mut self, table: &Table, file: Option<OpenFile>) -> Result<()> {
        let Some(file) = file else { return Ok(()) };
        let (bytes, stats) = file.finish()?;
        let path = format!("{}.parquet", uuid::Uuid::now_v7());
        let size = bytes.len() as u64;
        tokio::fs::create_dir_all(&self.folder)
            .await
            .map_err(|error| from_io("create table folder".to_owned(), error))?;
        tokio::fs::write(self.folder.join(&path), bytes)
            .await
            .map_err(|error| from_io(format!("write file of table \"{}\"", table.name), error))?;
        self.files.push(DataFile {
            path,
            bytes: size,
            beside: None,
            stats,
        });
        Ok(())
    }
}

impl Drop for Unpublished {
    fn drop(&mut self) {
        let unnamed = self.files.iter().filter(|_| !self.may_be_named);
        for file in unnamed {
            // A file that no commit names is litter, not harm: a failure to delete it is not worth an error.
            let _ = std::fs::remove_file(self.folder.join(&file.path));
        }
    }
}

/// A file under construction, in memory.
struct OpenFile {
    writer: ArrowWriter<Vec<u8>>,
    stats: Collector,
    rows: usize,
}

impl OpenFile {
    fn create(table: &Table) -> Result<Self> {
        let fail = |error| Error::internal("write Parquet", error);
        let level = ZstdLevel::try_new(ZSTD_LEVEL).map_err(fail)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(limits::ROW_GROUP_ROWS))
            .set_statistics_enabled(EnabledStatistics::Page)
            .build();
        Ok(Self {
            writer: ArrowWriter::try_new(Vec::new(), table.schema(), Some(properties))
                .map_err(fail)?,
            stats: Collector::new(&table.schema())?,
            rows: 0,
        })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows();
        self.stats.update(batch)?;
        self.writer
            .write(batch)
            .map_err(|error| Error::internal("write Parquet", error))
    }

    fn finish(self) -> Result<(Vec<u8>, super::stats::FileStats)> {
        let bytes = self
            .writer
            .into_inner()
            .map_err(|error| Error::internal("write Parquet", error))?;
        Ok((bytes, self.stats.finish()?))
    }
}
