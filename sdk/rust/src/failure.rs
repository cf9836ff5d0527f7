//! The error a function returns for a row it cannot answer.

use std::fmt;

use crate::bindings::tributary::plugin::types::{ErrorCode, PluginError};

/// Ends the query with this message; the row is added by the generated code.
///
/// Return it for input that the formula is not defined for, where a NULL would hide the problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFailure {
    message: String,
}

impl PluginFailure {
    /// A failure with a message for the person who wrote the query: lowercase, no full stop.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }

    /// The same failure, which says first what of: `events: document does not fit: …`.
    #[must_use]
    pub fn of(self, what: &str) -> Self {
        Self::new(format!("{what}: {}", self.message))
    }

    /// The message alone.
    pub fn message(&self) -> &str {
        &self.message
    }

    #[cold]
    pub(crate) fn in_row(self, row: usize) -> PluginError {
        let row = u32::try_from(row).ok();
        PluginError {
            code: ErrorCode::InvalidInput,
            message: self.message,
            row,
        }
    }
}

impl fmt::Display for PluginFailure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for PluginFailure {}
