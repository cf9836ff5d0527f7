//! Isotonic regression: the non-decreasing function of a score that fits best.

use super::scored::Scored;
use crate::compensated::sum;
use crate::invalid::Invalid;

/// Values up to this size are averaged as they are; larger ones are scaled first, so that no sum overflows.
const UNSCALED_MAX: f64 = 1e100;

/// A non-decreasing function, known at the scores it was fitted to.
#[derive(Debug, Clone, PartialEq)]
pub struct Isotonic {
    /// One point per distinct score, ascending in score and not descending in value. Empty without rows.
    pub points: Vec<IsotonicPoint>,
}

/// The fitted value at a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IsotonicPoint {
    /// The score.
    pub score: f64,
    /// The fitted value.
    pub value: f64,
    /// Sum of the weights of the rows with this score.
    pub weight: f64,
}

impl Isotonic {
    /// The value at any score: linear between points, constant beyond the ends, as scikit-learn's
    /// `IsotonicRegression(out_of_bounds = "clip")`. `None` without points, or for NaN.
    pub fn value_at(&self, score: f64) -> Option<f64> {
        if score.is_nan() {
            return None;
        }
        let above = self.points.partition_point(|point| point.score < score);
        let right = self.points.get(above).or(self.points.last())?;
        let left = &self.points[above.saturating_sub(1)];
        if right.score <= score || left.score >= score || left.value == right.value {
            return Some(right.value);
        }
        // Halves, since the distance of two scores may overflow.
        let part = (0.5 * score - 0.5 * left.score) / (0.5 * right.score - 0.5 * left.score);
        let value = left.value * (1.0 - part) + right.value * part;
        Some(value.clamp(left.value, right.value))
    }
}

/// Least-squares non-decreasing fit of `values` to `scores`, with `weights` or all 1.
///
/// Pool adjacent violators (Ayer et al. 1955, Ann Math Stat 26:641; Barlow et al. 1972, ch. 1) over the weighted means
/// at each distinct score; R's `isoreg`, scikit-learn's `IsotonicRegression`. Rows of weight 0 are left out.
/// [`Invalid`] when lengths differ, an entry is not finite, or a weight is negative.
pub fn isotonic(
    scores: &[f64],
    values: &[f64],
    weights: Option<&[f64]>,
) -> Result<Isotonic, Invalid> {
    if values.len() != scores.len() {
        return Err(Invalid::new("values", "one entry per score", values.len()));
    }
    if let Some(weights) = weights.filter(|weights| weights.len() != scores.len()) {
        return Err(Invalid::new(
            "weights",
            "one entry per score",
            weights.len(),
        ));
    }
    for (name, column) in [("scores", scores), ("values", values)] {
        if let Some(bad) = column.iter().find(|entry| !entry.is_finite()) {
            return Err(Invalid::new(name, "finite numbers", bad));
        }
    }
    let bad = |weight: &&f64| !(weight.is_finite() && **weight >= 0.0);
    if let Some(bad) = weights.unwrap_or(&[]).iter().find(bad) {
        return Err(Invalid::new("weights", "finite numbers of at least 0", bad));
    }
    let value_scale = scale_of(values);
    let weight_scale = scale_of(weights.unwrap_or(&[]));
    let mut rows: Vec<Row> = (0..scores.len())
        .map(|i| Row {
            score: scores[i] + 0.0,
            value: values[i] / value_scale,
            weight: weights.map_or(1.0, |weights| weights[i] / weight_scale),
        })
        .filter(|row| row.weight > 0.0)
        .collect();
    rows.sort_unstable_by(|a, b| {
        a.score
            .total_cmp(&b.score)
            .then(a.value.total_cmp(&b.value))
            .then(a.weight.total_cmp(&b.weight))
    });
    let blocks = rows
        .chunk_by(|a, b| a.score == b.score)
        .map(|equals| Block {
            score: equals[0].score,
            weight: sum(equals.iter().map(|row| row.weight)),
            weighted: sum(equals.iter().map(|row| row.weight * row.value)),
        })
        .collect();
    let mut fitted = pooled(blocks);
    for point in &mut fitted.points {
        point.value = (point.value * value_scale).clamp(-f64::MAX, f64::MAX);
        point.weight = (point.weight * weight_scale).min(f64::MAX);
    }
    Ok(fitted)
}

/// [`isotonic`] of the labels: the calibrated probability at each score (Zadrozny & Elkan 2002, KDD).
pub fn isotonic_of_labels(scored: &Scored) -> Isotonic {
    let blocks = scored.runs().iter().map(|run| Block {
        score: run.score,
        weight: run.n() as f64,
        weighted: run.positives as f64,
    });
    pooled(blocks.collect())
}

struct Row {
    score: f64,
    value: f64,
    weight: f64,
}

/// Rows of one score.
struct Block {
    score: f64,
    weight: f64,
    weighted: f64,
}

/// Blocks that share one value.
struct Pool {
    blocks: usize,
    weight: f64,
    weighted: f64,
}

impl Pool {
    fn mean(&self) -> f64 {
        self.weighted / self.weight
    }
}

fn scale_of(values: &[f64]) -> f64 {
    let largest = values
        .iter()
        .fold(0.0_f64, |max, value| max.max(value.abs()));
    if (1.0 / UNSCALED_MAX..=UNSCALED_MAX).contains(&largest) || largest == 0.0 {
        1.0
    } else {
        largest
    }
}

fn pooled(blocks: Vec<Block>) -> Isotonic {
    let mut pools: Vec<Pool> = Vec::new();
    for block in &blocks {
        let mut pool = Pool {
            blocks: 1,
            weight: block.weight,
            weighted: block.weighted,
        };
        while let Some(below) = pools.pop_if(|below| below.mean() >= pool.mean()) {
            pool.blocks += below.blocks;
            pool.weight += below.weight;
            pool.weighted += below.weighted;
        }
        pools.push(pool);
    }
    let values = pools
        .iter()
        .flat_map(|pool| std::iter::repeat_n(pool.mean(), pool.blocks));
    let point = |(block, value): (&Block, f64)| IsotonicPoint {
        score: block.score,
        value,
        weight: block.weight,
    };
    Isotonic {
        points: blocks.iter().zip(values).map(point).collect(),
    }
}
