//! What plugins did in one query, as records keep it.

use std::sync::Arc;

use super::PluginFault;
use crate::engine::PluginReceipt;

/// What plugins cost, warned of, and failed at.
#[derive(Default)]
pub struct Outcome {
    /// One for each function that was called.
    pub receipts: Vec<PluginReceipt>,
    /// Warnings, by plugin and version.
    pub warnings: Vec<(String, String, String)>,
    /// The first failure, where a plugin failed.
    pub fault: Option<PluginFault>,
}

/// Takes what a plugin did in a query that came to no end: its reader left, or it could not be planned.
pub type Leave = Arc<dyn Fn(Outcome) + Send + Sync>;

impl Outcome {
    /// Whether nothing was called.
    pub fn is_empty(&self) -> bool {
        self.receipts.is_empty() && self.warnings.is_empty() && self.fault.is_none()
    }

    /// This and another.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.receipts.extend(other.receipts);
        self.warnings.extend(other.warnings);
        self.fault = self.fault.or(other.fault);
        self
    }
}
