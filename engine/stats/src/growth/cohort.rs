//! Growth of a set of units between two windows: all of them, those active in both, and existing customers.

use super::{check_amount, over_base};
use crate::compensated::sum_unordered;
use crate::estimate::Status;
use crate::invalid::Invalid;

/// Growth of all units and of those active in both windows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LikeForLike {
    /// Sum over all units in the earlier window.
    pub base: f64,
    /// Sum over all units in the later window.
    pub now: f64,
    /// now / base - 1 over all units. `None` unless the base is above 0.
    pub total: Option<f64>,
    /// The same over units active in both windows. `None` unless their base is above 0.
    pub like_for_like: Option<f64>,
    /// Units active in both windows.
    pub n_units: u64,
    /// Units active in the later window only.
    pub new_units: u64,
    /// Units active in the earlier window only.
    pub lost_units: u64,
    /// The status of `like_for_like`. `no_data`: no unit is active in both windows. `zero_base`, `infeasible`: their
    /// base is 0 or negative.
    pub status: Status,
}

/// What customers of the earlier window bring in the later one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retention {
    /// Net revenue retention: what these customers bring now / what they brought. `None` unless `ok`.
    pub nrr: Option<f64>,
    /// Gross revenue retention, at most 1: the same without what they bring more. `None` unless `ok`.
    pub grr: Option<f64>,
    /// What they brought.
    pub base: f64,
    /// What those who bring more bring more.
    pub expansion: f64,
    /// What those who bring less, but something, bring less.
    pub contraction: f64,
    /// What those who bring nothing any more brought.
    pub churned: f64,
    /// Customers with a base above 0. 0 where only totals are known, as is the next.
    pub customers: u64,
    /// Customers among them who bring nothing any more.
    pub lost_customers: u64,
    /// `no_data`: no customer has a base above 0. `infeasible`: the ratio is beyond what f64 holds.
    pub status: Status,
}

/// Growth over `base` and `now`, one entry per unit; a unit is active in a window where its amount is not 0.
///
/// Both windows must be whole, or cover the same days. [`Invalid`] when lengths differ, or an amount is not finite or
/// beyond 1e290.
pub fn like_for_like(base: &[f64], now: &[f64]) -> Result<LikeForLike, Invalid> {
    check_pairs(base, now)?;
    let pairs = || base.iter().copied().zip(now.iter().copied());
    let both: Vec<(f64, f64)> = pairs().filter(|(b, n)| *b != 0.0 && *n != 0.0).collect();
    let (total_base, total_now) = (sum_unordered(base.to_vec()), sum_unordered(now.to_vec()));
    let (total, _) = over_base(total_now - total_base, total_base);
    let (both_base, both_now): (Vec<f64>, Vec<f64>) = both.iter().copied().unzip();
    let (both_base, both_now) = (sum_unordered(both_base), sum_unordered(both_now));
    let (like_for_like, status) = if both.is_empty() {
        (None, Status::NoData)
    } else {
        over_base(both_now - both_base, both_base)
    };
    let count = |is: fn(&(f64, f64)) -> bool| pairs().filter(is).count() as u64;
    Ok(LikeForLike {
        base: total_base,
        now: total_now,
        total,
        like_for_like,
        n_units: both.len() as u64,
        new_units: count(|(b, n)| *b == 0.0 && *n != 0.0),
        lost_units: count(|(b, n)| *b != 0.0 && *n == 0.0),
        status,
    })
}

/// Net and gross revenue retention over `base` and `now`, one entry per customer.
///
/// Over customers with a base above 0: NRR = Σ now / Σ base, GRR = Σ min(now, base) / Σ base, where an amount below 0
/// now (returns) counts as 0 in both. Customers without a base are new and belong to neither. [`Invalid`] as in
/// [`like_for_like`].
pub fn retention(base: &[f64], now: &[f64]) -> Result<Retention, Invalid> {
    check_pairs(base, now)?;
    let customers: Vec<(f64, f64)> = base
        .iter()
        .zip(now)
        .filter(|(base, _)| **base > 0.0)
        .map(|(base, now)| (*base, now.max(0.0)))
        .collect();
    let total = |amount: fn(&(f64, f64)) -> f64| sum_unordered(customers.iter().map(amount));
    let start = total(|(base, _)| *base);
    let mut result = ratios(
        start,
        total(|(_, now)| *now),
        total(|(base, now)| base.min(*now)),
    );
    result.expansion = total(|(base, now)| (now - base).max(0.0));
    result.contraction = total(|(base, now)| {
        if *now > 0.0 {
            (base - now).max(0.0)
        } else {
            0.0
        }
    });
    result.churned = total(|(base, now)| if *now > 0.0 { 0.0 } else { *base });
    result.customers = customers.len() as u64;
    result.lost_customers = customers.iter().filter(|(_, now)| *now == 0.0).count() as u64;
    Ok(result)
}

/// [`retention`] from totals: NRR = (start + expansion - contraction - churned) / start, GRR the same without
/// expansion. [`Invalid`] when an amount is negative, not finite or beyond 1e290, or more is lost than there was.
pub fn retention_of_totals(
    start: f64,
    expansion: f64,
    contraction: f64,
    churned: f64,
) -> Result<Retention, Invalid> {
    let all = [
        ("start", start),
        ("expansion", expansion),
        ("contraction", contraction),
        ("churned", churned),
    ];
    for (name, amount) in all {
        check_amount(name, amount)?;
        if amount < 0.0 {
            return Err(Invalid::new(name, "an amount of at least 0", amount));
        }
    }
    let kept = start - contraction - churned;
    // Cents don't add up exactly in f64.
    if kept < -1e-9 * start {
        return Err(Invalid::new(
            "churned",
            "at most the start less the contraction",
            churned,
        ));
    }
    let kept = kept.max(0.0);
    let mut result = ratios(start, kept + expansion, kept);
    (result.expansion, result.contraction, result.churned) = (expansion, contraction, churned);
    Ok(result)
}

fn ratios(base: f64, now: f64, kept: f64) -> Retention {
    let (nrr, status) = over_base(now, base);
    let (grr, _) = over_base(kept, base);
    Retention {
        nrr,
        grr: grr.filter(|_| nrr.is_some()).map(|grr| grr.min(1.0)),
        base,
        expansion: 0.0,
        contraction: 0.0,
        churned: 0.0,
        customers: 0,
        lost_customers: 0,
        status: if base == 0.0 { Status::NoData } else { status },
    }
}

fn check_pairs(base: &[f64], now: &[f64]) -> Result<(), Invalid> {
    if base.len() != now.len() {
        return Err(Invalid::new(
            "now",
            "one entry per entry of base",
            now.len(),
        ));
    }
    for (name, amounts) in [("base", base), ("now", now)] {
        amounts
            .iter()
            .try_for_each(|amount| check_amount(name, *amount))?;
    }
    Ok(())
}
