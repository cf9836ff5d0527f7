//! Failures of plugins by time: which version fails so often that calling it again is no use.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tributary_plugins_host::{Error, ErrorKind};

use crate::limits;
use crate::manufacturer::ManufacturerId;

/// A call of a plugin that failed.
#[derive(Clone, Debug)]
pub struct PluginFault {
    pub plugin: String,
    pub version: String,
    pub digest: String,
    pub message: String,
    /// Whether the plugin itself is broken, and not only unhappy with a value.
    pub counts: bool,
}

impl PluginFault {
    pub fn new(plugin: &tributary_plugins_host::Plugin, error: &Error) -> Self {
        let counts = matches!(
            error.kind,
            ErrorKind::Trap | ErrorKind::Limit | ErrorKind::Output
        );
        Self {
            plugin: plugin.manifest().name.clone(),
            version: plugin.manifest().version.clone(),
            digest: plugin.digest().to_owned(),
            message: error.to_string(),
            counts,
        }
    }
}

/// The failures of the last minute, by manufacturer and digest.
#[derive(Default)]
pub struct Strikes {
    times: Mutex<HashMap<(ManufacturerId, String), VecDeque<Instant>>>,
}

impl Strikes {
    /// Notes a failure; says whether it was one too many.
    pub fn add(&self, manufacturer: &ManufacturerId, digest: &str) -> bool {
        let window = Duration::from_secs(limits::PLUGIN_STRIKES_SECONDS);
        let now = Instant::now();
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (manufacturer.clone(), digest.to_owned());
        let of = times.entry(key).or_default();
        of.retain(|time| now.duration_since(*time) < window);
        of.push_back(now);
        of.len() >= limits::PLUGIN_STRIKES
    }

    /// A new chance.
    pub fn forget(&self, manufacturer: &ManufacturerId, digest: &str) {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.remove(&(manufacturer.clone(), digest.to_owned()));
    }
}
