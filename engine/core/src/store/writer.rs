//! Sorted rows into Parquet files of bounded size, each with the statistics that its log entry carries.

use std::path::{Path, PathBuf};

use arrow::record_batch::RecordBatch;
use futures::StreamExt;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::file::DataFile;
use super::from_io;
use super::stats::Collector;
use crate::fault::{Error, Result};
use crate::ingest::Rows;
use crate::limits;
use crate::model::Table;

/// Fast and small enough: level 3 costs half as much time again for 4 % less space.
const ZSTD_LEVEL: i32 = 1;

/// Files of one write that no commit names yet: deleted again unless [`Unpublished::publish`] is called.
pub struct Unpublished {
    folder: PathBuf,
    files: Vec<DataFile>,
}

impl Unpublished {
    /// Writes all rows.
    pub async fn write(table: &'static Table, folder: &Path, mut rows: Rows) -> Result<Self> {
        let mut written = Self {
            folder: folder.to_owned(),
            files: Vec::new(),
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

    /// The files, for a commit to name.
    pub fn files(&self) -> &[DataFile] {
        &self.files
    }

    /// A commit names them now: they stay.
    pub fn publish(mut self) {
        self.files.clear();
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
            stats,
        });
        Ok(())
    }
}

impl Drop for Unpublished {
    fn drop(&mut self) {
        for file in &self.files {
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
            stats: Collector::new(table.schema())?,
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
