//! The log of one table as files: which versions there are, and what each commit says of itself.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::from_io;
use super::stamp::Commit;
use crate::fault::Result;

/// Reads the log of one table. An entry never changes, so each is read once.
pub struct Log {
    folder: PathBuf,
    commits: Mutex<HashMap<u64, Arc<Commit>>>,
}

impl Log {
    pub fn new(table: &Path) -> Self {
        Self {
            folder: table.join("_delta_log"),
            commits: Mutex::default(),
        }
    }

    /// What the commit of a version says; nothing where the log has no such entry, yet or any more.
    pub async fn commit(&self, version: u64) -> Result<Option<Arc<Commit>>> {
        if let Some(known) = self.known(version) {
            return Ok(Some(known));
        }
        match tokio::fs::read_to_string(self.entry(version)).await {
            Ok(text) => {
                let commit = Arc::new(Commit::parse(&text));
                let mut commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
                commits.insert(version, Arc::clone(&commit));
                Ok(Some(commit))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(from_io("read log".to_owned(), error)),
        }
    }

    /// Whether the log has an entry of this version.
    pub async fn has(&self, version: u64) -> Result<bool> {
        if self.known(version).is_some() {
            return Ok(true);
        }
        exists(&self.entry(version)).await
    }

    /// Whether the log has a checkpoint, from which it can be read where its beginning was cleaned up.
    pub async fn has_checkpoint(&self) -> Result<bool> {
        exists(&self.folder.join("_last_checkpoint")).await
    }

    fn known(&self, version: u64) -> Option<Arc<Commit>> {
        let commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        commits.get(&version).cloned()
    }

    fn entry(&self, version: u64) -> PathBuf {
        self.folder.join(format!("{version:020}.json"))
    }
}

async fn exists(path: &Path) -> Result<bool> {
    tokio::fs::try_exists(path)
        .await
        .map_err(|error| from_io("look at log".to_owned(), error))
}
