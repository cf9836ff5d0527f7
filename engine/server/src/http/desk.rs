//! What all requests of one server share: its configuration, its counters, who has asked how often, what runs, and
//! whether it is about to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::Extensions;
use tributary_engine_core::Error;
use tributary_engine_core::manufacturer::ManufacturerId;

use super::admission::{Admission, Place};
use super::counters::Counters;
use super::running::Running;
use crate::config::Config;
use crate::error::Failure;

/// One server's desk.
pub(super) struct Desk {
    pub(super) config: Config,
    pub(super) counters: Arc<Counters>,
    pub(super) admission: Admission,
    pub(super) running: Running,
    draining: AtomicBool,
}

impl Desk {
    pub(super) fn new(config: Config) -> Arc<Self> {
        let counters = Arc::new(Counters::new());
        Arc::new(Self {
            admission: Admission::of(&config.limits, &counters),
            running: Running::default(),
            draining: AtomicBool::new(false),
            counters,
            config,
        })
    }

    /// From now on the server says that it is not ready.
    pub(super) fn start_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}

/// The desk that a request was handed to.
pub(super) fn of(extensions: &Extensions) -> Result<&Arc<Desk>, Error> {
    extensions
        .get()
        .ok_or_else(|| Error::internal("answer request", "the request has no desk"))
}

/// A place for the queries of a request over a manufacturer's tables, for as long as it is kept.
pub(super) async fn place(
    extensions: &Extensions,
    manufacturer: &ManufacturerId,
) -> Result<Place, Failure> {
    of(extensions)?.admission.place(manufacturer).await
}
