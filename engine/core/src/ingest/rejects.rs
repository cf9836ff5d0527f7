//! The bad rows of one file: collected, bounded, and told in one error that names each place.

use crate::fault::{Error, Fault};
use crate::limits;

/// What a file calls the place of a row.
#[derive(Clone, Copy)]
pub enum Place {
    /// A line of text, counted from 1, the header included.
    Line,
    /// A row of a binary file, counted from 1.
    Row,
}

/// Bad values met so far; full when no error message would show more.
pub struct Rejects {
    place: Place,
    found: Vec<String>,
}

impl Rejects {
    pub const fn new(place: Place) -> Self {
        Self {
            place,
            found: Vec::new(),
        }
    }

    /// Notes one bad value. `column` may be empty where the row as a whole is bad.
    pub fn add(&mut self, position: u64, column: &str, reason: &str) {
        let place = match self.place {
            Place::Line => "line",
            Place::Row => "row",
        };
        self.found.push(if column.is_empty() {
            format!("{place} {position}: {reason}")
        } else {
            format!("{place} {position}, column \"{column}\": {reason}")
        });
    }

    pub const fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub const fn is_full(&self) -> bool {
        self.found.len() >= limits::INGEST_ERRORS_SHOWN
    }

    /// The error that names every place, or nothing where no row is bad.
    pub fn into_error(self) -> Option<Error> {
        let more = if self.is_full() {
            " (there may be more)"
        } else {
            ""
        };
        if self.found.is_empty() {
            return None;
        }
        Some(
            Error::new(Fault::Invalid, format!("{}{more}", self.found.join("; "))).with_hint(
                "Nothing was stored. Correct these values and send the whole file again.",
            ),
        )
    }
}

/// A value as an error message quotes it: short, and with control characters made visible.
pub fn quote(value: &str) -> String {
    const CHARS_SHOWN: usize = 40;
    let mut shown: String = value.chars().take(CHARS_SHOWN).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}
