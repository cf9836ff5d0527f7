//! Observed against expected: what a unit's events would be at the rates of everyone, stratum by stratum.
//!
//! The O/E ratio itself is [`crate::count::count_ci`] of the observed events over the expected ones; here is
//! where the expected ones come from.

use crate::compensated::sum_unordered;
use crate::count::{Method, count_ci};
use crate::estimate::Estimate;
use crate::invalid::Invalid;

/// An indirectly standardised rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Indirect {
    /// Events of the unit.
    pub observed: u64,
    /// Events it would have at the standard's rates. `None` when nothing was exposed.
    pub expected: Option<f64>,
    /// Observed over expected, with the interval of the method asked for.
    pub ratio: Estimate,
    /// The unit's events over its exposure. `None` without exposure.
    pub crude_rate: Option<f64>,
    /// The ratio times the standard's crude rate: what the unit's rate would be at the standard's mix.
    pub rate: Estimate,
}

/// Indirect standardisation of one unit by strata (age bands, sources, products).
///
/// E = Σ exposure · standard count / standard exposure; O/E with its interval; adjusted rate = O/E · Σ standard
/// count / Σ standard exposure. Breslow & Day (1987) 2.3; R `epitools::ageadjust.indirect` (with
/// [`Method::Log`]). A stratum without standard exposure expects nothing. [`Invalid`] when lengths differ or an exposure is negative or not finite.
pub fn adjusted_rate(
    counts: &[u64],
    exposures: &[f64],
    standard_counts: &[u64],
    standard_exposures: &[f64],
    conf: f64,
    method: Method,
) -> Result<Indirect, Invalid> {
    check_lengths(
        counts.len(),
        &[
            ("exposures", exposures.len()),
            ("standard_counts", standard_counts.len()),
            ("standard_exposures", standard_exposures.len()),
        ],
    )?;
    check_exposures("exposures", exposures)?;
    check_exposures("standard_exposures", standard_exposures)?;
    let observed = counts.iter().fold(0_u64, |sum, c| sum.saturating_add(*c));
    let standard_count = standard_counts
        .iter()
        .fold(0_u64, |sum, c| sum.saturating_add(*c));
    let terms = exposures
        .iter()
        .zip(standard_counts)
        .zip(standard_exposures);
    let expected = sum_unordered(
        terms
            .filter(|(_, standard)| **standard > 0.0)
            .map(|((exposure, count), standard)| exposure * (*count as f64 / standard)),
    );
    let exposure = sum_unordered(exposures.iter().copied());
    let standard_exposure = sum_unordered(standard_exposures.iter().copied());
    let ratio = count_ci(observed, expected, conf, method)?;
    let standard_rate = standard_count as f64 / standard_exposure;
    let scale = |x: Option<f64>| x.map(|x| x * standard_rate).filter(|x| x.is_finite());
    Ok(Indirect {
        observed,
        expected: Some(expected).filter(|_| exposure > 0.0),
        ratio,
        crude_rate: Some(observed as f64 / exposure).filter(|rate| rate.is_finite()),
        rate: Estimate {
            value: scale(ratio.value),
            lo: scale(ratio.lo),
            hi: scale(ratio.hi),
            ..ratio
        },
    })
}

/// What one unit had, and what it would have had at everyone's rates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// Its successes.
    pub observed: u64,
    /// Σ over its strata of trials times the stratum's rate.
    pub expected: f64,
    /// Its trials.
    pub trials: u64,
}

/// Expected successes of each unit from the rates of the strata it works in.
///
/// Row i says that unit `unit[i]` had `y[i]` successes in `n[i]` trials of stratum `stratum[i]`; both are numbered
/// from 0, and rows may repeat. Stratum s has the rate p_s = (Y_s + kP) / (N_s + k) over all units, P the rate
/// of everything: `pseudo_trials` k draws small strata towards it, 0 leaves them alone. The rates are then
/// scaled so that expected successes sum to the observed ones. The result has one entry per unit up to the
/// largest number. [`Invalid`] when lengths differ, successes exceed trials, k is negative or not finite, or a
/// number is not below the number of rows, which bounds the memory.
pub fn expected_from_strata(
    unit: &[usize],
    stratum: &[usize],
    y: &[u64],
    n: &[u64],
    pseudo_trials: f64,
) -> Result<Vec<Expected>, Invalid> {
    check_lengths(
        unit.len(),
        &[("stratum", stratum.len()), ("y", y.len()), ("n", n.len())],
    )?;
    if !(pseudo_trials.is_finite() && pseudo_trials >= 0.0) {
        return Err(Invalid::new(
            "pseudo_trials",
            "a finite number of at least 0",
            pseudo_trials,
        ));
    }
    let mut strata = tally("stratum", stratum, y, n)?;
    let mut units = tally("unit", unit, y, n)?;
    let successes = total(y);
    let overall = successes / total(n);
    for s in &mut strata {
        s.expected =
            (s.observed as f64 + pseudo_trials * overall) / (s.trials as f64 + pseudo_trials);
    }
    let given = sum_unordered(
        strata
            .iter()
            .map(|s| s.expected * s.trials as f64)
            .filter(|x| x.is_finite()),
    );
    let scale = if given > 0.0 { successes / given } else { 1.0 };
    // By unit, then by stratum, so that neither row order nor repetition of rows shows in the sums.
    let mut rows: Vec<(usize, usize, u64)> = unit
        .iter()
        .zip(stratum)
        .zip(n)
        .map(|((u, s), n)| (*u, *s, *n))
        .collect();
    rows.sort_unstable();
    for of_pair in rows.chunk_by(|x, y| (x.0, x.1) == (y.0, y.1)) {
        let (u, s, _) = of_pair[0];
        let trials = of_pair.iter().fold(0_u64, |sum, r| sum.saturating_add(r.2));
        if trials > 0 {
            units[u].expected += trials as f64 * strata[s].expected * scale;
        }
    }
    Ok(units)
}

fn total(counts: &[u64]) -> f64 {
    counts.iter().map(|c| u128::from(*c)).sum::<u128>() as f64
}

/// Successes and trials by number; nothing expected yet.
fn tally(
    name: &'static str,
    key: &[usize],
    y: &[u64],
    n: &[u64],
) -> Result<Vec<Expected>, Invalid> {
    let largest = key.iter().copied().max().map_or(0, |k| k.saturating_add(1));
    if largest > key.len() {
        return Err(Invalid::new(
            name,
            "numbers below the number of rows",
            largest - 1,
        ));
    }
    let mut tally = vec![
        Expected {
            observed: 0,
            expected: 0.0,
            trials: 0,
        };
        largest
    ];
    for ((key, y), n) in key.iter().zip(y).zip(n) {
        if y > n {
            return Err(Invalid::new("y", "at most as many as n", y));
        }
        let entry = &mut tally[*key];
        entry.observed = entry.observed.saturating_add(*y);
        entry.trials = entry.trials.saturating_add(*n);
    }
    Ok(tally)
}

fn check_lengths(rows: usize, others: &[(&'static str, usize)]) -> Result<(), Invalid> {
    match others.iter().find(|(_, length)| *length != rows) {
        Some((name, length)) => Err(Invalid::new(
            name,
            "as many entries as the first argument",
            length,
        )),
        None => Ok(()),
    }
}

fn check_exposures(name: &'static str, exposures: &[f64]) -> Result<(), Invalid> {
    match exposures.iter().find(|e| !(0.0..=1e300).contains(*e)) {
        Some(bad) => Err(Invalid::new(name, "numbers from 0 to 1e300", bad)),
        None => Ok(()),
    }
}
