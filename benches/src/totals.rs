//! Rows of an answer and the sum of each of its numeric columns: what two engines must agree on.

use arrow::array::AsArray;
use arrow::array::RecordBatch;
use arrow::compute::{cast, sum};
use arrow::datatypes::{DataType, Float64Type};

use crate::Outcome;

/// Sums are of rounded values, and the last decimal may round either way.
const TOLERANCE: f64 = 1e-6;

/// What an answer adds up to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    /// Rows of the answer.
    pub rows: u64,
    /// A sum for each numeric or Boolean column, nothing for another.
    pub sums: Vec<Option<f64>>,
}

impl Totals {
    /// Of an answer in batches.
    pub fn of(batches: &[RecordBatch]) -> Outcome<Self> {
        let mut totals = Self::default();
        for batch in batches {
            totals.rows += batch.num_rows() as u64;
            totals.sums.resize(batch.num_columns(), None);
            for (column, total) in batch.columns().iter().zip(&mut totals.sums) {
                let kind = column.data_type();
                if !kind.is_numeric() && *kind != DataType::Boolean {
                    continue;
                }
                let numbers = cast(column, &DataType::Float64)?;
                let part = sum(numbers.as_primitive::<Float64Type>()).unwrap_or(0.0);
                *total = Some(total.unwrap_or(0.0) + part);
            }
        }
        Ok(totals)
    }

    /// An error that names the first difference, if there is one.
    pub fn agree(&self, other: &Self) -> Outcome<()> {
        if self.rows != other.rows || self.sums.len() != other.sums.len() {
            return Err(format!("answers differ: {self:?} and {other:?}").into());
        }
        let equal = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() <= TOLERANCE * a.abs().max(b.abs()).max(1.0),
            (a, b) => a.is_none() && b.is_none(),
        };
        match (0..self.sums.len()).find(|at| !equal(self.sums[*at], other.sums[*at])) {
            Some(at) => Err(format!("column {at} differs: {self:?} and {other:?}").into()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, BooleanArray, Int64Array, StringArray};
    use std::sync::Arc;

    #[test]
    fn sums_what_is_a_number_and_sees_a_difference() {
        let columns: [(&str, ArrayRef); 3] = [
            ("n", Arc::new(Int64Array::from(vec![Some(2), None]))),
            ("flag", Arc::new(BooleanArray::from(vec![true, true]))),
            ("text", Arc::new(StringArray::from(vec!["a", "b"]))),
        ];
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.map(|(name, array)| (name, array, true)),
        );
        let totals = Totals::of(&[batch.expect("equal lengths")]).expect("sums");
        assert_eq!(totals.sums, [Some(2.0), Some(2.0), None]);
        let mut other = totals.clone();
        totals.agree(&other).expect("equal");
        other.sums[0] = Some(2.1);
        assert!(totals.agree(&other).is_err());
    }
}
