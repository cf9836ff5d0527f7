//! The bad rows of one file: told in one error that names each place, or set aside one by one.

use std::sync::Arc;

use super::rejected::{Rejected, RejectedRow};
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::reading::OnError;

/// What a file calls the place of a row.
#[derive(Clone, Copy)]
pub enum Place {
    /// A line of text, counted from 1, the header included.
    Line,
    /// A row of a binary file, counted from 1.
    Row,
}

/// Why a value or a row is bad, and the option that would make it good, where one would.
#[derive(Debug, PartialEq, Eq)]
pub struct Reason {
    what: String,
    option: Option<&'static str>,
}

impl Reason {
    /// Names the option that may be missing, such as `dates=dmy`.
    pub fn or_send(what: impl Into<String>, option: &'static str) -> Self {
        Self {
            what: what.into(),
            option: Some(option),
        }
    }
}

impl<T: Into<String>> From<T> for Reason {
    fn from(what: T) -> Self {
        Self {
            what: what.into(),
            option: None,
        }
    }
}

/// Bad rows met so far; full when no error message would show more.
pub struct Rejects {
    place: Place,
    on_error: OnError,
    set_aside: Arc<Rejected>,
    found: Vec<String>,
    options: Vec<&'static str>,
}

impl Rejects {
    pub const fn new(place: Place, on_error: OnError, set_aside: Arc<Rejected>) -> Self {
        Self {
            place,
            on_error,
            set_aside,
            found: Vec::new(),
            options: Vec::new(),
        }
    }

    /// Whether bad rows are set aside. Then only the first bad value of each row may be added.
    pub fn sets_aside(&self) -> bool {
        self.on_error == OnError::Quarantine
    }

    /// Notes one bad value. `column` is empty where the row as a whole is bad; `content` is the row's text.
    pub fn add(
        &mut self,
        position: u64,
        column: &str,
        reason: Reason,
        content: impl FnOnce() -> Option<String>,
    ) -> Result<()> {
        if self.sets_aside() {
            let send = reason.option.map(|option| format!("; send {option}"));
            return self.set_aside.add(RejectedRow {
                position,
                column: (!column.is_empty()).then(|| column.to_owned()),
                reason: reason.what + &send.unwrap_or_default(),
                content: content(),
            });
        }
        if self.is_full() {
            return Ok(());
        }
        let place = match self.place {
            Place::Line => "line",
            Place::Row => "row",
        };
        self.found.push(if column.is_empty() {
            format!("{place} {position}: {}", reason.what)
        } else {
            format!("{place} {position}, column \"{column}\": {}", reason.what)
        });
        if let Some(option) = reason.option.filter(|new| !self.options.contains(new)) {
            self.options.push(option);
        }
        Ok(())
    }

    /// Whether no bad row stands against storing the others.
    pub const fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub const fn is_full(&self) -> bool {
        self.found.len() >= limits::INGEST_ERRORS_SHOWN
    }

    /// The error that names every place, or nothing where no row is bad or all of them are set aside.
    pub fn into_error(self) -> Option<Error> {
        let more = if self.is_full() {
            " (there may be more)"
        } else {
            ""
        };
        if self.found.is_empty() {
            return None;
        }
        let mut hint =
            "Nothing was stored. Correct these values and send the whole file again.".to_owned();
        if !self.options.is_empty() {
            hint = format!("Nothing was stored. Send {}.", self.options.join(", and "));
        }
        Some(Error::new(Fault::Invalid, format!("{}{more}", self.found.join("; "))).with_hint(hint))
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
