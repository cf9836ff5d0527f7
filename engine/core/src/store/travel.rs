//! Earlier states of a table: by version, or as of an instant.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};

use super::Store;
use super::snapshot::Snapshot;
use super::table::StoredTable;
use crate::fault::{Error, Fault, Result};
use crate::manufacturer::ManufacturerId;
use crate::model::Table;

/// Which state of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum At {
    /// The one of this version.
    Version(u64),
    /// The newest one at this instant, in microseconds since 1970.
    Instant(i64),
}

impl Store {
    /// What a view reads that is asked as of an instant: no rows where a table is younger than that.
    pub async fn snapshot_then(
        &self,
        manufacturer: &ManufacturerId,
        table: &Arc<Table>,
        at_us: i64,
    ) -> Result<Arc<Snapshot>> {
        let stored = self.table(manufacturer, table);
        let first = stored.log.commit(0).await?;
        let is_younger = match first {
            Some(first) => first.at_ms.is_some_and(|ms| ms > at_us.div_euclid(1_000)),
            None => stored.snapshot().await?.version.is_none(),
        };
        match is_younger {
            true => Ok(Arc::new(stored.known().without_rows())),
            false => {
                self.snapshot_at(manufacturer, table, At::Instant(at_us))
                    .await
            }
        }
    }

    /// A state of a table that was the newest once. An error that says what is kept, where this one is not.
    pub async fn snapshot_at(
        &self,
        manufacturer: &ManufacturerId,
        table: &Arc<Table>,
        at: At,
    ) -> Result<Arc<Snapshot>> {
        let stored = self.table(manufacturer, table);
        let newest = stored.snapshot().await?;
        let Some(last) = newest.version else {
            return Err(no_version(table, at, "nothing was ever written to it"));
        };
        let version = match at {
            At::Version(version) => Some(version).filter(|version| *version <= last),
            At::Instant(at_us) => stored.version_at(last, at_us).await?,
        };
        let Some(version) = version else {
            return Err(stored.not_kept(at, last).await?);
        };
        if version == last {
            return self.visible(manufacturer, newest).await;
        }
        let Some(commit) = stored.log.commit(version).await? else {
            return Err(stored.not_kept(at, last).await?);
        };
        if !stored.counts(&commit)? {
            let reason = "it belongs to an import that was never published";
            return Err(no_version(table, at, reason));
        }
        let snapshot = stored.load(version).await?;
        if !stored.has_files(&snapshot) {
            return Err(stored.not_kept(at, last).await?);
        }
        self.visible(manufacturer, Arc::new(snapshot)).await
    }
}

impl StoredTable {
    /// The newest version at an instant that counts; nothing where the table is younger.
    async fn version_at(&self, last: u64, at_us: i64) -> Result<Option<u64>> {
        let at_ms = at_us.div_euclid(1_000);
        // Commits follow one another in time: the first one that is too late lies between `low` and `high`.
        let (mut low, mut high) = (0, last + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let commit = self.log.commit(middle).await?;
            // An entry that is gone is older than every one that is left.
            let early = commit.is_none_or(|commit| commit.at_ms.is_none_or(|ms| ms <= at_ms));
            if early {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let mut version = low;
        while let Some(before) = version.checked_sub(1) {
            match self.log.commit(before).await? {
                Some(commit) if self.counts(&commit)? => return Ok(Some(before)),
                Some(_) => version = before,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The error for a state that is not there, with those that are.
    async fn not_kept(&self, at: At, last: u64) -> Result<Error> {
        let first = self.first_kept(last).await?;
        let since = match self
            .log
            .commit(first)
            .await?
            .and_then(|commit| commit.at_ms)
        {
            Some(ms) => format!(", from {}", instant(ms.saturating_mul(1_000))),
            None => String::new(),
        };
        let kept = match first == last {
            true => format!("version {last} is kept{since}"),
            false => format!("versions {first} to {last} are kept{since}"),
        };
        Ok(no_version(&self.base, at, &kept))
    }

    /// The oldest version that can be read. What is removed is removed from the beginning.
    async fn first_kept(&self, last: u64) -> Result<u64> {
        let (mut low, mut high) = (0, last);
        while low < high {
            let middle = low + (high - low) / 2;
            let whole = match self.log.has(middle).await? {
                true => self
                    .load(middle)
                    .await
                    .is_ok_and(|state| self.has_files(&state)),
                false => false,
            };
            if whole {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
    }

    /// Whether every file of a state is still there.
    fn has_files(&self, snapshot: &Snapshot) -> bool {
        let there = |path: &str| self.folder.join(path).try_exists().unwrap_or(false);
        snapshot.files.iter().all(|file| there(&file.path))
    }
}

fn no_version(table: &Table, at: At, reason: &str) -> Error {
    let wanted = match at {
        At::Version(version) => format!("no version {version}"),
        At::Instant(at_us) => format!("no version as of {}", instant(at_us)),
    };
    Error::new(
        Fault::Missing,
        format!("table \"{}\" has {wanted}: {reason}", table.name),
    )
    .with_hint("Ask for a version or an instant within what is kept.")
}

fn instant(at_us: i64) -> String {
    match DateTime::<Utc>::from_timestamp_micros(at_us) {
        Some(instant) => instant.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        None => format!("{at_us} µs since 1970"),
    }
}
