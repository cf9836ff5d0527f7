//! Rows that a request sets aside instead of failing: kept with their place and reason, for the quarantine.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::fault::{Error, Result};
use crate::limits;

/// One bad row, or the first bad value of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedRow {
    /// Line of a text file or row of a binary one, counted from 1.
    pub position: u64,
    /// The column whose value is bad; absent where the row as a whole is.
    pub column: Option<String>,
    /// Why, as an error message would say it.
    pub reason: String,
    /// The row as it was sent, as far as that is text; cut at a bound.
    pub content: Option<String>,
}

/// The bad rows of one request, complete once all its rows have been read.
#[derive(Debug, Default)]
pub struct Rejected {
    rows: Mutex<Vec<RejectedRow>>,
    /// Bytes of their contents and reasons.
    bytes: AtomicUsize,
}

impl Rejected {
    /// Sets one row aside; an error where there are more than one request may have.
    pub fn add(&self, mut row: RejectedRow) -> Result<()> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let content = row.content.as_ref().map_or(0, String::len);
        let bytes = content.min(limits::QUARANTINE_CONTENT_BYTES) + row.reason.len();
        let bytes = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if bytes > limits::QUARANTINE_BYTES {
            return Err(
                Error::limit("quarantine_bytes", limits::QUARANTINE_BYTES, bytes)
                    .with_hint("Nothing was stored. Correct the file, or send it in parts."),
            );
        }
        if rows.len() >= limits::QUARANTINE_ROWS {
            return Err(
                Error::limit("quarantine_rows", limits::QUARANTINE_ROWS, "more")
                    .with_hint("Nothing was stored. Correct the file, or send it in parts."),
            );
        }
        if let Some(content) = &mut row.content {
            let end = content.floor_char_boundary(limits::QUARANTINE_CONTENT_BYTES);
            content.truncate(end);
        }
        rows.push(row);
        Ok(())
    }

    /// The rows so far, in the order of the file.
    pub fn rows(&self) -> Vec<RejectedRow> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.clone()
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.len() as u64
    }
}
