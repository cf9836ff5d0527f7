//! How often somebody may ask: a bucket of tokens for each, filled at a steady rate up to a burst.
//!
//! It does not know who is counted, and time comes in as an argument.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Buckets by key. With too many of them the full ones are forgotten, which changes nothing for their owners.
pub(super) struct Rates<K> {
    per_second: f64,
    burst: f64,
    keys_max: usize,
    buckets: Mutex<HashMap<K, Bucket>>,
}

struct Bucket {
    tokens: f64,
    at: Instant,
}

impl<K: Eq + Hash> Rates<K> {
    pub(super) fn new(per_second: u64, burst_seconds: u64, keys_max: usize) -> Self {
        Self {
            per_second: per_second as f64,
            burst: (per_second * burst_seconds) as f64,
            keys_max,
            buckets: Mutex::default(),
        }
    }

    /// Takes one token, if there is one.
    pub(super) fn take(&self, key: K, now: Instant) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= self.keys_max && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| self.filled(bucket, now) < self.burst);
            if buckets.len() >= self.keys_max {
                // As many at once are an attack on the memory; whoever it is starts anew.
                buckets.clear();
            }
        }
        let bucket = buckets.entry(key).or_insert(Bucket {
            tokens: self.burst,
            at: now,
        });
        bucket.tokens = self.filled(bucket, now);
        bucket.at = now;
        let is_there = bucket.tokens >= 1.0;
        if is_there {
            bucket.tokens -= 1.0;
        }
        is_there
    }

    /// What is in a bucket by now.
    fn filled(&self, bucket: &Bucket, now: Instant) -> f64 {
        let seconds = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.tokens + seconds * self.per_second).min(self.burst)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn lets_a_burst_through_and_then_the_rate() {
        let rates = Rates::new(10, 2, 100);
        let start = Instant::now();
        let taken = |at| (0..100).filter(|_| rates.take("a", at)).count();
        assert_eq!(taken(start), 20);
        assert_eq!(taken(start + Duration::from_millis(500)), 5);
        assert_eq!(taken(start + Duration::from_secs(60)), 20);
        assert!(rates.take("b", start), "another has a bucket of its own");
    }

    #[test]
    fn forgets_those_who_are_quiet_first() {
        let rates = Rates::new(1, 1, 3);
        let start = Instant::now();
        assert!(rates.take(1, start));
        let later = start + Duration::from_secs(10);
        assert!(rates.take(2, later) && rates.take(3, later) && rates.take(4, later));
        assert!(!rates.take(2, later), "a spent bucket is kept");
        for key in 5..100 {
            rates.take(key, later);
        }
        let held = rates.buckets.lock().map(|buckets| buckets.len());
        assert!(held.is_ok_and(|held| held <= 3));
    }
}
