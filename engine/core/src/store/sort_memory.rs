//! The memory of the sorts of all writes: most of it to collect rows in, shared fairly, and a part that is kept for merging.
//!
//! Without that part a sort that begins to merge gives its place back for a moment, and another one, of the same request
//! even, takes it to collect more rows: then the first can neither merge nor spill, and fails.

use std::fmt;

use datafusion::error::Result;
use datafusion::execution::memory_pool::{
    FairSpillPool, GreedyMemoryPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};

/// What is kept for merging, one part in so many: the keys of all that was collected are laid out beside it.
const MERGING_PART: usize = 2;

/// Two pools, of which each consumer has one: what can spill collects, what cannot merges.
#[derive(Debug)]
pub struct SortMemory {
    bytes: usize,
    collecting: FairSpillPool,
    merging: GreedyMemoryPool,
}

impl SortMemory {
    /// So many bytes together.
    pub fn new(bytes: usize) -> Self {
        let merging = bytes / MERGING_PART;
        Self {
            bytes,
            collecting: FairSpillPool::new(bytes - merging),
            merging: GreedyMemoryPool::new(merging),
        }
    }

    fn of(&self, consumer: &MemoryConsumer) -> &dyn MemoryPool {
        match consumer.can_spill() {
            true => &self.collecting,
            false => &self.merging,
        }
    }
}

impl MemoryPool for SortMemory {
    fn name(&self) -> &str {
        "sorts of writes"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.of(consumer).register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.of(consumer).unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.of(reservation.consumer())
            .grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.of(reservation.consumer()).shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        self.of(reservation.consumer())
            .try_grow(reservation, additional)
    }

    fn reserved(&self) -> usize {
        self.collecting.reserved() + self.merging.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.bytes)
    }
}

impl fmt::Display for SortMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, {}", self.name(), self.collecting, self.merging)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn what_is_kept_for_merging_is_not_collected_in() {
        let pool: Arc<dyn MemoryPool> = Arc::new(SortMemory::new(400));
        let collects = |name: &str| {
            let consumer = MemoryConsumer::new(name).with_can_spill(true);
            consumer.register(&pool)
        };
        let (one, other) = (collects("one"), collects("other"));
        let merges = MemoryConsumer::new("merges").register(&pool);
        merges.try_grow(80).expect("room to merge");
        one.try_grow(100).expect("its half");
        assert!(one.try_grow(1).is_err());
        merges.free();
        other.try_grow(100).expect("the other half");
        assert!(other.try_grow(1).is_err(), "nothing of what was given back");
        merges.try_grow(200).expect("the same room again");
        assert!(merges.try_grow(1).is_err());
        assert_eq!(pool.reserved(), 400);
    }
}
