//! Cholesky factor of a small symmetric matrix.

/// L with LLᵀ = the matrix, row by row, the part above the diagonal unused.
pub(super) struct Cholesky {
    size: usize,
    factor: Vec<f64>,
}

impl Cholesky {
    /// Factors `matrix` (row by row, only the lower triangle is read); `None` unless it is safely positive definite.
    pub(super) fn new(matrix: &[f64], size: usize) -> Option<Self> {
        let mut factor = matrix.to_vec();
        for row in 0..size {
            let pivot = reduce(&mut factor, size, row);
            // A pivot that has lost all its digits is not positive, whatever its sign.
            if !(pivot > 1e-14 * matrix[row * size + row] && pivot.is_normal()) {
                return None;
            }
            factor[row * size + row] = pivot.sqrt();
        }
        Some(Self { size, factor })
    }

    /// The rows that are not a combination of rows before them, up to `tolerance` of their own square.
    pub(super) fn independent(matrix: &[f64], size: usize, tolerance: f64) -> Vec<bool> {
        let mut factor = matrix.to_vec();
        let mut kept = vec![false; size];
        for row in 0..size {
            let pivot = reduce(&mut factor, size, row);
            kept[row] = pivot > tolerance * matrix[row * size + row];
            // An infinite pivot takes a dropped row out of all later ones.
            factor[row * size + row] = if kept[row] {
                pivot.sqrt()
            } else {
                f64::INFINITY
            };
        }
        kept
    }

    /// x with LLᵀx = `right`.
    pub(super) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let (size, factor) = (self.size, &self.factor);
        let mut x = right.to_vec();
        for i in 0..size {
            for j in 0..i {
                x[i] -= factor[i * size + j] * x[j];
            }
            x[i] /= factor[i * size + i];
        }
        for i in (0..size).rev() {
            for j in i + 1..size {
                x[i] -= factor[j * size + i] * x[j];
            }
            x[i] /= factor[i * size + i];
        }
        x
    }

    /// uᵀ (LLᵀ)⁻¹ u.
    pub(super) fn inverse_form(&self, u: &[f64]) -> f64 {
        self.solve(u).iter().zip(u).map(|(x, u)| x * u).sum()
    }
}

/// Turns the part of `row` left of the diagonal into that of L, and returns the square of the diagonal element.
fn reduce(factor: &mut [f64], size: usize, row: usize) -> f64 {
    let mut pivot = factor[row * size + row];
    for column in 0..row {
        let mut entry = factor[row * size + column];
        for k in 0..column {
            entry -= factor[row * size + k] * factor[column * size + k];
        }
        entry /= factor[column * size + column];
        factor[row * size + column] = entry;
        pivot -= entry * entry;
    }
    pivot
}
