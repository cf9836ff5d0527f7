//! Imports: several tables that are published together. Each table's commit waits until a file named like the import
//! exists; making that file is the one step that publishes all of them.

use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::from_io;
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::manufacturer::ManufacturerId;

/// How long to wait before looking again whether an import has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Which imports are published.
pub struct Imports {
    folder: PathBuf,
    published: Mutex<HashSet<String>>,
}

impl Imports {
    /// Below the data folder, under a name that no manufacturer can have.
    pub fn new(root: &Path) -> Self {
        Self {
            folder: root.join(".imports"),
            published: Mutex::default(),
        }
    }

    /// Whether an import is published. Once it is, it stays so.
    pub fn is_published(&self, import: &str) -> Result<bool> {
        let known = || {
            self.published
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if known().contains(import) {
            return Ok(true);
        }
        let exists = self
            .folder
            .join(import)
            .try_exists()
            .map_err(|error| from_io("look for import".to_owned(), error))?;
        if exists {
            known().insert(import.to_owned());
        }
        Ok(exists)
    }

    /// Publishes an import: from here on, every commit that waits for it counts.
    pub fn publish(&self, import: &str) -> Result<()> {
        let fail = |error| from_io("publish import".to_owned(), error);
        std::fs::create_dir_all(&self.folder).map_err(fail)?;
        let path = self.folder.join(import);
        match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(fail(error)),
        }
    }

    /// The right to import for one manufacturer; waits for an import that is under way. It ends with the process, so
    /// that a process which was killed blocks nobody.
    pub async fn turn(&self, manufacturer: &ManufacturerId) -> Result<Turn> {
        let mut waited = Duration::ZERO;
        loop {
            if let Some(turn) = self.try_turn(manufacturer)? {
                return Ok(turn);
            }
            if waited >= Duration::from_secs(limits::IMPORT_WAIT_SECONDS) {
                return Err(Error::new(
                    Fault::Busy,
                    format!("an import of manufacturer \"{manufacturer}\" is under way"),
                )
                .with_hint("Try again when it has ended."));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
            waited += LOOK_AGAIN;
        }
    }

    /// The same without waiting: nothing where an import is under way.
    pub fn try_turn(&self, manufacturer: &ManufacturerId) -> Result<Option<Turn>> {
        let fail = |error| from_io("lock manufacturer for import".to_owned(), error);
        std::fs::create_dir_all(&self.folder).map_err(fail)?;
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.folder.join(format!("{manufacturer}.lock")))
            .map_err(fail)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Turn { _lock: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(fail(error)),
        }
    }
}

/// The right to import for one manufacturer, until it is dropped.
pub struct Turn {
    _lock: File,
}
