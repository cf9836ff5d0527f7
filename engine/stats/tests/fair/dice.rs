//! Data that repeat: a small generator, units with leads, and the counts at the ends.

/// A small generator (Marsaglia's xorshift64*), so that a failure repeats.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn share(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        (self.share() * n as f64) as u64
    }

    pub(crate) fn successes(&mut self, n: u64, p: f64) -> u64 {
        (0..n).filter(|_| self.share() < p).count() as u64
    }

    pub(crate) fn shuffled(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, self.below(i as u64 + 1) as usize);
        }
        order
    }
}

pub(crate) fn pick<T: Copy>(values: &[T], order: &[usize]) -> Vec<T> {
    order.iter().map(|i| values[*i]).collect()
}

pub(crate) const EXTREMES: [u64; 8] = [0, 1, 2, 7, 1000, 1_000_000_000, 1 << 40, u64::MAX];
pub(crate) const CONFS: [f64; 5] = [1e-9, 0.5, 0.95, 0.999, 1.0 - 1e-9];

pub(crate) fn all_finite(values: &[Option<f64>], what: &str) {
    assert!(
        values.iter().flatten().all(|v| v.is_finite()),
        "{what}: {values:?}"
    );
}

/// Units with leads and a rate that differs between them.
pub(crate) fn units(dice: &mut Dice, count: usize, spread: f64) -> (Vec<u64>, Vec<u64>) {
    let n: Vec<u64> = (0..count).map(|_| 5 + dice.below(120)).collect();
    let y = n.iter().map(|n| {
        let rate = 0.2 + spread * (dice.share() - 0.5);
        dice.successes(*n, rate)
    });
    (y.collect(), n.clone())
}

pub(crate) fn as_numbers(counts: &[u64]) -> Vec<f64> {
    counts.iter().map(|c| *c as f64).collect()
}
