//! Agreement of orders: Spearman's correlation of two, Kendall's concordance of several.
//!
//! Ties get the mean of the ranks they share. Ranks are kept doubled, as whole numbers, so every sum is exact.

use crate::estimate::Status;
use crate::invalid::Invalid;
use crate::special::{beta_tails, chi2_sf};

/// Up to this many pairs without ties the exact p value is found by listing all orders; as in R.
const LISTED_MAX: usize = 9;

/// Spearman's rank correlation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spearman {
    /// Pearson's correlation of the ranks. `None` with fewer than two pairs, or when one side is all ties.
    pub rho: Option<f64>,
    /// Two-sided p value from Student's t with n-2 degrees of freedom. `None` with fewer than three pairs.
    pub p: Option<f64>,
    /// The exact two-sided p value, over all orders. `None` with ties or with more than 9 pairs.
    pub p_exact: Option<f64>,
    /// Pairs.
    pub n: u64,
    /// `ok`, `no_data` without pairs, `small_n` with one or two, `infeasible` when one side is all ties.
    pub status: Status,
}

/// Spearman (1904) correlation of x and y, with ties.
///
/// p is that of scipy `spearmanr` and of R `cor.test(method = "spearman", exact = FALSE)`: t = ρ√((n-2)/(1-ρ²)).
/// `p_exact` is R's default for up to 9 pairs without ties; R's Edgeworth series for more is not used here.
/// [`Invalid`] when lengths differ or a value is not finite.
pub fn spearman(x: &[f64], y: &[f64]) -> Result<Spearman, Invalid> {
    if x.len() != y.len() {
        return Err(Invalid::new("y", "as many values as x", y.len()));
    }
    check_finite("x", x)?;
    check_finite("y", y)?;
    let n = x.len();
    let (rank_x, ties_x) = double_ranks(x);
    let (rank_y, ties_y) = double_ranks(y);
    let middle = n as i128 + 1;
    let product = |a: &[u64], b: &[u64]| -> i128 {
        a.iter()
            .zip(b)
            .map(|(a, b)| (i128::from(*a) - middle) * (i128::from(*b) - middle))
            .sum()
    };
    let (xx, yy) = (product(&rank_x, &rank_x), product(&rank_y, &rank_y));
    let xy = product(&rank_x, &rank_y);
    let absent = Spearman {
        rho: None,
        p: None,
        p_exact: None,
        n: n as u64,
        status: match n {
            0 => Status::NoData,
            1 => Status::SmallN,
            _ => Status::Infeasible,
        },
    };
    if xx == 0 || yy == 0 {
        return Ok(absent);
    }
    let rho = (xy as f64 / ((xx as f64).sqrt() * (yy as f64).sqrt())).clamp(-1.0, 1.0);
    let rho = if xx == yy && xy.abs() == xx {
        rho.signum()
    } else {
        rho
    };
    let p = if n < 3 {
        None
    } else {
        Some(student_p(rho, n as f64 - 2.0)?)
    };
    let exact = n <= LISTED_MAX && ties_x == 0 && ties_y == 0;
    Ok(Spearman {
        rho: Some(rho),
        p,
        p_exact: exact.then(|| exact_p(n, xy)),
        status: if n < 3 { Status::SmallN } else { Status::Ok },
        ..absent
    })
}

/// Two-sided p of a correlation: with t² = ρ²ν/(1-ρ²) it is I_{1-ρ²}(ν/2, ½).
fn student_p(rho: f64, df: f64) -> Result<f64, Invalid> {
    let (square, rest) = (rho * rho, (1.0 - rho) * (1.0 + rho));
    Ok(beta_tails(rest, square, 0.5 * df, 0.5)?.0.min(1.0))
}

/// The share of all n! orders whose doubled cross product is at least as far out as this one, twice.
fn exact_p(n: usize, product: i128) -> f64 {
    let middle = n as i128 + 1;
    let centred: Vec<i128> = (1..=n as i128).map(|rank| 2 * rank - middle).collect();
    let (mut beyond, mut all) = (0_u64, 0_u64);
    let mut order: Vec<usize> = (0..n).collect();
    let mut count = |order: &[usize]| {
        let sum: i128 = order
            .iter()
            .zip(&centred)
            .map(|(i, c)| centred[*i] * c)
            .sum();
        all += 1;
        beyond += u64::from(sum >= product.abs());
    };
    // Heap's algorithm (1963), without recursion.
    count(&order);
    let mut counters = vec![0; n];
    let mut depth = 1;
    while depth < n {
        if counters[depth] < depth {
            let other = if depth % 2 == 0 { 0 } else { counters[depth] };
            order.swap(other, depth);
            count(&order);
            counters[depth] += 1;
            depth = 1;
        } else {
            counters[depth] = 0;
            depth += 1;
        }
    }
    (2.0 * beyond as f64 / all as f64).min(1.0)
}

/// Kendall's coefficient of concordance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KendallW {
    /// 0 (no agreement) to 1 (the same order every time). `None` with fewer than two units, without periods, or
    /// when every period is all ties.
    pub w: Option<f64>,
    /// m(n-1)W, for m periods and n units.
    pub chi2: Option<f64>,
    /// Its p value from χ² with n-1 degrees of freedom; rough for few units.
    pub p: Option<f64>,
    /// (mW-1)/(m-1): without ties, the mean Spearman correlation of all pairs of periods. `None` with one period.
    pub mean_rho: Option<f64>,
    /// Units that were ranked.
    pub units: u64,
    /// Periods, the judges of the textbooks.
    pub periods: u64,
    /// `ok`, `no_data`, `small_n` with one period, or `infeasible` when nothing is ordered.
    pub status: Status,
}

/// Kendall's W of several orders of the same units: `values[t][i]` is what unit i had in period t.
///
/// W = 12S / (m²(n³-n) - mΣ(t³-t)) with S the squared deviations of the rank sums and t the sizes of the ties
/// (Kendall & Babington Smith 1939; Siegel & Castellan 1988, eq. 9.18). R `irr::kendall(correct = TRUE)`. Every
/// unit needs a value in every period; leave out those that have none. [`Invalid`] when rows differ in length or
/// a value is not finite.
pub fn kendall_w(values: &[Vec<f64>]) -> Result<KendallW, Invalid> {
    let (m, n) = (values.len(), values.first().map_or(0, Vec::len));
    if let Some(row) = values.iter().find(|row| row.len() != n) {
        return Err(Invalid::new("values", "rows of one length", row.len()));
    }
    let mut sums = vec![0_i128; n];
    let mut ties = 0_u128;
    for row in values {
        check_finite("values", row)?;
        let (ranks, tied) = double_ranks(row);
        for (sum, rank) in sums.iter_mut().zip(ranks) {
            *sum += i128::from(rank);
        }
        ties += tied;
    }
    let middle = m as i128 * (n as i128 + 1);
    let squares: f64 = sums.iter().map(|sum| (sum - middle).pow(2)).sum::<i128>() as f64;
    let (periods, units) = (m as f64, n as f64);
    // Four times 12S over four times the denominator, the ranks being doubled.
    let largest = periods * (periods * (units * units * units - units) - ties as f64);
    let w = (largest > 0.0).then(|| (3.0 * squares / largest).min(1.0));
    let chi2 = w.map(|w| periods * (units - 1.0) * w);
    Ok(KendallW {
        w,
        chi2,
        p: chi2.map(|x| chi2_sf(x, units - 1.0)).transpose()?,
        mean_rho: w
            .filter(|_| m > 1)
            .map(|w| (periods * w - 1.0) / (periods - 1.0)),
        units: n as u64,
        periods: m as u64,
        status: match w {
            _ if m == 0 || n == 0 => Status::NoData,
            None => Status::Infeasible,
            Some(_) if m == 1 => Status::SmallN,
            Some(_) => Status::Ok,
        },
    })
}

/// Twice the rank of each value from 1, ties sharing the mean, and Σ(t³-t) over groups of t ties.
fn double_ranks(values: &[f64]) -> (Vec<u64>, u128) {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|i, j| values[*i].total_cmp(&values[*j]));
    let mut ranks = vec![0; values.len()];
    let (mut before, mut ties) = (0_u64, 0_u128);
    // Equal rather than identical: -0.0 ties with 0.0.
    for group in order.chunk_by(|i, j| values[*i] == values[*j]) {
        let size = group.len() as u64;
        for place in group {
            ranks[*place] = 2 * before + size + 1;
        }
        before += size;
        let size = u128::from(size);
        ties += size * size * size - size;
    }
    (ranks, ties)
}

fn check_finite(name: &'static str, values: &[f64]) -> Result<(), Invalid> {
    match values.iter().find(|value| !value.is_finite()) {
        Some(bad) => Err(Invalid::new(name, "finite numbers", bad)),
        None => Ok(()),
    }
}
