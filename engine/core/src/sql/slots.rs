//! Instances of one aggregate that accumulators share: one for each thread, with a group for each accumulator.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use datafusion::error::Result;
use tributary_plugins_host::{Aggregation, Error};

use super::function::Called;

/// The instances of one aggregate in one query.
pub struct Slots {
    called: Arc<Called>,
    index: usize,
    threads: Mutex<HashMap<ThreadId, Arc<Shared>>>,
}

/// One instance, and which of its groups are in use.
struct Shared {
    inner: Mutex<Groups>,
}

struct Groups {
    aggregation: Aggregation,
    free: Vec<u32>,
    total: u32,
}

impl Slots {
    pub fn new(called: Arc<Called>, index: usize) -> Self {
        Self {
            called,
            index,
            threads: Mutex::default(),
        }
    }

    /// An instance that nobody else has.
    pub fn aggregation(&self) -> Result<Aggregation> {
        let made = self.called.pool.aggregate(self.index);
        made.map_err(|error| self.called.failed(error))
    }

    /// The instance of this thread.
    fn shared(&self) -> Result<Arc<Shared>> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let id = thread::current().id();
        if let Some(shared) = threads.get(&id) {
            return Ok(Arc::clone(shared));
        }
        let shared = Arc::new(Shared {
            inner: Mutex::new(Groups {
                aggregation: self.aggregation()?,
                free: Vec::new(),
                total: 0,
            }),
        });
        threads.insert(id, Arc::clone(&shared));
        Ok(shared)
    }
}

/// One group of a shared instance, taken when it is first used and given back when dropped.
pub struct Slot {
    slots: Arc<Slots>,
    taken: Option<(Arc<Shared>, u32)>,
}

impl Slot {
    pub const fn new(slots: Arc<Slots>) -> Self {
        Self { slots, taken: None }
    }

    /// Does something with the instance, this group's number and the number of groups.
    pub fn with<T>(
        &mut self,
        work: impl FnOnce(&mut Aggregation, u32, usize) -> Result<T, Error>,
    ) -> Result<T> {
        let (shared, group) = match &self.taken {
            Some(taken) => taken,
            None => {
                let shared = self.slots.shared()?;
                let group = shared.take();
                self.taken.insert((shared, group))
            }
        };
        let mut inner = shared.lock();
        let total = inner.total as usize;
        work(&mut inner.aggregation, *group, total).map_err(|error| self.slots.called.failed(error))
    }

    /// This group's part of the instance's memory.
    pub fn memory_bytes(&self) -> usize {
        self.taken.as_ref().map_or(0, |(shared, _)| {
            let inner = shared.lock();
            inner.aggregation.memory_bytes() / inner.total.max(1) as usize
        })
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Groups> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> u32 {
        let mut inner = self.lock();
        inner.free.pop().unwrap_or_else(|| {
            inner.total += 1;
            inner.total - 1
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some((shared, group)) = self.taken.take() {
            let mut inner = shared.lock();
            // An instance that failed is of no use to anybody, so its groups are not given out again.
            if inner.aggregation.reset(group).is_ok() {
                inner.free.push(group);
            }
        }
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = self.taken.as_ref().map(|(_, group)| group);
        f.debug_struct("Slot").field("group", &group).finish()
    }
}
