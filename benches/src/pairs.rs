//! Alternating pairs (A, B, A, B, …), so that whatever slows the machine down slows both, and what they say.

use crate::{Outcome, Took};

/// Times of both contenders, in the order in which they ran.
#[derive(Debug, Default)]
pub struct Pairs {
    ours: Vec<Took>,
    theirs: Vec<Took>,
}

/// The middle of some numbers, and the half of them around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// A quarter is below.
    pub low: f64,
    /// Half are below.
    pub median: f64,
    /// A quarter is above.
    pub high: f64,
}

/// Runs each contender once to warm it, then both in turn. Each says itself how long it took.
pub fn alternate(
    count: usize,
    mut ours: impl FnMut() -> Outcome<Took>,
    mut theirs: impl FnMut() -> Outcome<Took>,
) -> Outcome<Pairs> {
    ours()?;
    theirs()?;
    let mut pairs = Pairs::default();
    for _ in 0..count {
        pairs.ours.push(ours()?);
        pairs.theirs.push(theirs()?);
    }
    Ok(pairs)
}

impl Pairs {
    /// Seconds of the first contender.
    #[must_use]
    pub fn ours(&self) -> Spread {
        Spread::of(self.ours.iter().map(wall).collect())
    }

    /// Seconds of the second.
    #[must_use]
    pub fn theirs(&self) -> Spread {
        Spread::of(self.theirs.iter().map(wall).collect())
    }

    /// The ratio of the medians (above 1: the second is faster), with the quartiles of the ratios within pairs.
    #[must_use]
    pub fn ratio(&self) -> Spread {
        let within = self
            .ours
            .iter()
            .zip(&self.theirs)
            .map(|(ours, theirs)| wall(ours) / wall(theirs));
        Spread {
            median: self.ours().median / self.theirs().median,
            ..Spread::of(within.collect())
        }
    }

    /// The ratio of the medians of processor time; not a number where the system does not tell.
    #[must_use]
    pub fn cpu_ratio(&self) -> f64 {
        let seconds = |took: &Took| took.cpu.as_secs_f64();
        let median = |all: &[Took]| Spread::of(all.iter().map(seconds).collect()).median;
        median(&self.ours) / median(&self.theirs)
    }

    /// How many pairs there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.ours.len()
    }
}

fn wall(took: &Took) -> f64 {
    took.wall.as_secs_f64()
}

impl Spread {
    /// Of any numbers; not numbers where there are none.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self {
            low: quantile(&values, 0.25),
            median: quantile(&values, 0.5),
            high: quantile(&values, 0.75),
        }
    }
}

/// Between the two nearest of sorted values; NaN where there are none.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = share * last as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * (place - place.floor())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn seconds(wall: f64) -> Took {
        Took {
            wall: Duration::from_secs_f64(wall),
            cpu: Duration::from_secs_f64(wall * 2.0),
        }
    }

    #[test]
    fn runs_in_turn_after_one_warm_up_each() {
        let order = std::cell::RefCell::new(String::new());
        let run = |name: char| {
            order.borrow_mut().push(name);
            Ok(seconds(0.01))
        };
        let pairs = alternate(2, || run('a'), || run('b')).expect("both succeed");
        assert_eq!(*order.borrow(), "ababab");
        assert_eq!((pairs.count(), pairs.ratio().median), (2, 1.0));
    }

    #[test]
    fn ratio_is_of_medians_and_its_spread_of_pairs() {
        let pairs = Pairs {
            ours: [2.0, 4.0, 30.0].map(seconds).to_vec(),
            theirs: [1.0, 2.0, 10.0].map(seconds).to_vec(),
        };
        assert_eq!(
            pairs.ratio(),
            Spread {
                low: 2.0,
                median: 2.0,
                high: 2.5
            }
        );
        assert_eq!(
            pairs.ours(),
            Spread {
                low: 3.0,
                median: 4.0,
                high: 17.0
            }
        );
        assert_eq!(pairs.cpu_ratio(), 2.0);
        assert!(Spread::of(Vec::new()).median.is_nan());
    }
}
