//! Alternating pairs (A, B, A, B, …), so that whatever slows the machine down slows both, and what they say.

use std::time::Duration;

use crate::Outcome;

/// Times of both contenders, in seconds, in the order in which they ran.
#[derive(Debug, Default)]
pub struct Pairs {
    ours: Vec<f64>,
    theirs: Vec<f64>,
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
    mut ours: impl FnMut() -> Outcome<Duration>,
    mut theirs: impl FnMut() -> Outcome<Duration>,
) -> Outcome<Pairs> {
    ours()?;
    theirs()?;
    let mut pairs = Pairs::default();
    for _ in 0..count {
        pairs.ours.push(ours()?.as_secs_f64());
        pairs.theirs.push(theirs()?.as_secs_f64());
    }
    Ok(pairs)
}

impl Pairs {
    /// Seconds of the first contender.
    #[must_use]
    pub fn ours(&self) -> Spread {
        Spread::of(self.ours.clone())
    }

    /// Seconds of the second.
    #[must_use]
    pub fn theirs(&self) -> Spread {
        Spread::of(self.theirs.clone())
    }

    /// The ratio of the medians (above 1: the second is faster), with the quartiles of the ratios within pairs.
    #[must_use]
    pub fn ratio(&self) -> Spread {
        let within = self
            .ours
            .iter()
            .zip(&self.theirs)
            .map(|(ours, theirs)| ours / theirs);
        Spread {
            median: self.ours().median / self.theirs().median,
            ..Spread::of(within.collect())
        }
    }

    /// How many pairs there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.ours.len()
    }
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
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

    #[test]
    fn runs_in_turn_after_one_warm_up_each() {
        let order = std::cell::RefCell::new(String::new());
        let run = |name: char| {
            order.borrow_mut().push(name);
            Ok(Duration::from_millis(10))
        };
        let pairs = alternate(2, || run('a'), || run('b')).expect("both succeed");
        assert_eq!(*order.borrow(), "ababab");
        assert_eq!((pairs.count(), pairs.ratio().median), (2, 1.0));
    }

    #[test]
    fn ratio_is_of_medians_and_its_spread_of_pairs() {
        let pairs = Pairs {
            ours: vec![2.0, 4.0, 30.0],
            theirs: vec![1.0, 2.0, 10.0],
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
        assert!(Spread::of(Vec::new()).median.is_nan());
    }
}
