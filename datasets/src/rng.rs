//! Randomness that depends on (seed, manufacturer, purpose, row) and on nothing else.
//! Any row can be drawn again without drawing the rows before it: that is what lets `revenue` replay `leads`.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

/// What a family of streams is for; two purposes never share a stream.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Truths = 1,
    Distributors,
    Months,
    Reps,
    Products,
    Campaigns,
    Grants,
    Leads,
    Revenue,
    LeadCosts,
    Feedback,
    Reviews,
    Content,
    ContentEvents,
    Training,
    Targets,
}

/// One family of streams: a key, from which row `n` takes ChaCha's stream number `n`.
#[derive(Clone)]
pub(crate) struct Streams {
    unused: ChaCha8Rng,
}

impl Streams {
    pub(crate) fn new(seed: u64, manufacturer: u64, purpose: Purpose) -> Self {
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&manufacturer.to_le_bytes());
        key[16..24].copy_from_slice(&(purpose as u64).to_le_bytes());
        Self {
            unused: ChaCha8Rng::from_seed(key),
        }
    }

    pub(crate) fn at(&self, row: u64) -> Stream {
        let mut rng = self.unused.clone();
        rng.set_stream(row);
        Stream { rng }
    }
}

/// The random numbers of one row.
pub(crate) struct Stream {
    rng: ChaCha8Rng,
}

impl Stream {
    /// Uniform in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        (self.rng.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Uniform in 0..count; `count` is at least 1.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        ((self.unit() * count as f64) as usize).min(count - 1)
    }

    /// Uniform in [low, high).
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    pub(crate) fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.rng)
    }

    pub(crate) fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// A discrete distribution over 0..weights.len().
#[derive(Clone)]
pub(crate) struct Choice {
    cumulative: Vec<f64>,
}

impl Choice {
    /// Weights need not sum to one; at least one must be positive.
    pub(crate) fn new(weights: impl IntoIterator<Item = f64>) -> Self {
        let mut sum = 0.0;
        let mut cumulative: Vec<f64> = weights
            .into_iter()
            .map(|weight| {
                sum += weight;
                sum
            })
            .collect();
        cumulative.iter_mut().for_each(|bound| *bound /= sum);
        Self { cumulative }
    }

    pub(crate) fn pick(&self, stream: &mut Stream) -> usize {
        let unit = stream.unit();
        self.cumulative
            .partition_point(|bound| *bound <= unit)
            .min(self.cumulative.len() - 1)
    }
}
