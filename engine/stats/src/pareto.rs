//! Pareto classes: the few parts that make most of a total, the next, and the rest.
//!
//! Equal parts get one class and one cumulative share, so nothing depends on row order. Negative parts (returns)
//! are refused, as in [`crate::share`]; net them first.

use crate::compensated::{Sum, sum};
use crate::invalid::Invalid;

/// Slack for a cumulative share that is a cut but for rounding.
const SLACK: f64 = 1e-12;

/// One part of a total.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParetoPart {
    /// Its share of the total.
    pub share: f64,
    /// Share of this part, all larger and all equal ones.
    pub cumulative_share: f64,
    /// 1 plus the number of larger parts.
    pub rank: u64,
    /// Its class.
    pub class: ParetoClass,
}

/// The class of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ParetoClass {
    /// Among the fewest largest parts that hold the first cut of the total.
    A,
    /// Among those that hold the second.
    B,
    /// The rest, and every part that is 0.
    C,
}

impl ParetoClass {
    /// The class as SQL spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
        }
    }
}

/// The class of every part of `x`, in the order of `x`, with cuts `a` and `b` (0.8 and 0.95 by habit).
///
/// A part is A where all larger parts together hold less than `a` of the total, B where they hold less than `b`; so the
/// part that crosses a cut still belongs to the class before, and the largest is always A (Juran 1951; Dickie 1951,
/// "ABC Inventory Analysis"). Spreadsheets that ask for the cumulative share of the part itself to be at most 80 % leave
/// a distributor with 81 % out of A. `None` if there is no total to share: no parts, or all of them 0. [`Invalid`] when
/// a part is negative or not finite, or not 0 < `a` <= `b` <= 1.
pub fn pareto_classes(x: &[f64], a: f64, b: f64) -> Result<Option<Vec<ParetoPart>>, Invalid> {
    if !(a > 0.0 && a <= 1.0) {
        return Err(Invalid::new("a", "a number above 0 and at most 1", a));
    }
    if !(b >= a && b <= 1.0) {
        return Err(Invalid::new("b", "a number from a to 1", b));
    }
    if let Some(bad) = x.iter().find(|part| !(part.is_finite() && **part >= 0.0)) {
        return Err(Invalid::new("x", "finite parts of at least 0", bad));
    }
    let largest = x.iter().copied().fold(0.0, f64::max);
    if largest == 0.0 {
        return Ok(None);
    }
    let scaled = |row: usize| x[row] / largest;
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_unstable_by(|i, j| x[*j].total_cmp(&x[*i]));
    let total = sum(order.iter().rev().map(|row| scaled(*row)));
    let class = |held_by_larger: f64, part: f64| match held_by_larger {
        _ if part == 0.0 => ParetoClass::C,
        held if held < a - SLACK => ParetoClass::A,
        held if held < b - SLACK => ParetoClass::B,
        _ => ParetoClass::C,
    };
    let empty = ParetoPart {
        share: 0.0,
        cumulative_share: 1.0,
        rank: 1,
        class: ParetoClass::C,
    };
    let mut parts = vec![empty; x.len()];
    let (mut larger, mut held) = (0, Sum::default());
    for equals in order.chunk_by(|i, j| x[*i] == x[*j]) {
        let part = scaled(equals[0]);
        let held_by_larger = held.value() / total;
        equals.iter().for_each(|_| held.add(part));
        let next = (held.value() / total).min(1.0);
        for row in equals {
            parts[*row] = ParetoPart {
                share: (part / total).min(1.0),
                cumulative_share: next,
                rank: larger + 1,
                class: class(held_by_larger, part),
            };
        }
        larger += equals.len() as u64;
    }
    Ok(Some(parts))
}
