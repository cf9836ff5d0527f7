//! What the calls of one function came to. It deliberately keeps no prices and no names.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a pool has done for one function so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Receipts {
    /// calls of a guest
    pub calls: u64,
    /// rows of those calls
    pub rows: u64,
    /// time in calls, copies in and out and checks included, summed over threads
    pub nanoseconds: u64,
    /// instructions of the guest
    pub fuel: u64,
    /// what was copied into guests
    pub bytes_in: u64,
    /// what was copied out of guests
    pub bytes_out: u64,
    /// the most linear memory one instance had
    pub linear_memory_bytes_peak: u64,
}

/// Receipts that several threads add to.
#[derive(Default)]
pub(crate) struct Counters {
    calls: AtomicU64,
    rows: AtomicU64,
    nanoseconds: AtomicU64,
    fuel: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    linear_memory_bytes_peak: AtomicU64,
}

impl Counters {
    pub(crate) fn add(&self, more: &Receipts) {
        let add = |counter: &AtomicU64, more| counter.fetch_add(more, Ordering::Relaxed);
        add(&self.calls, more.calls);
        add(&self.rows, more.rows);
        add(&self.nanoseconds, more.nanoseconds);
        add(&self.fuel, more.fuel);
        add(&self.bytes_in, more.bytes_in);
        add(&self.bytes_out, more.bytes_out);
        self.linear_memory_bytes_peak
            .fetch_max(more.linear_memory_bytes_peak, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Receipts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Receipts {
            calls: read(&self.calls),
            rows: read(&self.rows),
            nanoseconds: read(&self.nanoseconds),
            fuel: read(&self.fuel),
            bytes_in: read(&self.bytes_in),
            bytes_out: read(&self.bytes_out),
            linear_memory_bytes_peak: read(&self.linear_memory_bytes_peak),
        }
    }
}
