//! A small symmetric positive definite system, solved through its Cholesky factor.

/// A pivot that lost this share of its diagonal entry belongs to a column the others determine.
const PIVOT_MIN: f64 = 1e-11;

/// The lower factor L of a symmetric matrix A = L Lᵀ, by rows.
pub(super) struct Cholesky {
    size: usize,
    lower: Vec<f64>,
}

impl Cholesky {
    /// Factors the matrix given by rows; `None` if it is singular or not finite.
    pub(super) fn of(matrix: &[f64], size: usize) -> Option<Self> {
        let mut lower = matrix.to_vec();
        for row in 0..size {
            for column in 0..=row {
                let (above, current) = lower.split_at(row * size);
                let left = if column == row {
                    &current[..column]
                } else {
                    &above[column * size..column * size + column]
                };
                let dot: f64 = left.iter().zip(current).map(|(a, b)| a * b).sum();
                let rest = lower[row * size + column] - dot;
                lower[row * size + column] = if column < row {
                    rest / lower[column * size + column]
                } else if rest > PIVOT_MIN * matrix[row * size + row] {
                    rest.sqrt()
                } else {
                    return None;
                };
            }
        }
        lower
            .iter()
            .all(|v| v.is_finite())
            .then_some(Self { size, lower })
    }

    /// x with A x = b.
    pub(super) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let n = self.size;
        let mut x = b.to_vec();
        for row in 0..n {
            let dot: f64 = (0..row).map(|k| self.lower[row * n + k] * x[k]).sum();
            x[row] = (x[row] - dot) / self.lower[row * n + row];
        }
        for row in (0..n).rev() {
            let dot: f64 = (row + 1..n).map(|k| self.lower[k * n + row] * x[k]).sum();
            x[row] = (x[row] - dot) / self.lower[row * n + row];
        }
        x
    }

    /// The diagonal of A⁻¹.
    pub(super) fn inverse_diagonal(&self) -> Vec<f64> {
        (0..self.size)
            .map(|k| {
                let mut unit = vec![0.0; self.size];
                unit[k] = 1.0;
                self.solve(&unit)[k]
            })
            .collect()
    }
}
