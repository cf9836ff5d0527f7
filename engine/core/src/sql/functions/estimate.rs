//! Estimates as a SQL struct: `STRUCT<value DOUBLE, n BIGINT, lo DOUBLE, hi DOUBLE, status VARCHAR>`.
//!
//! `value`, `lo` and `hi` are NULL where the data cannot say; `status` says why.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Builder, Int64Builder, StringBuilder, StructArray};
use arrow::datatypes::{DataType, Field, Fields};
use tributary_engine_stats::estimate::Estimate;

/// The fields of every estimate.
pub fn fields() -> Fields {
    Fields::from(vec![
        Field::new("value", DataType::Float64, true),
        Field::new("n", DataType::Int64, false),
        Field::new("lo", DataType::Float64, true),
        Field::new("hi", DataType::Float64, true),
        Field::new("status", DataType::Utf8, false),
    ])
}

/// Collects estimates into a struct array.
#[derive(Default)]
pub struct Estimates {
    value: Float64Builder,
    n: Int64Builder,
    lo: Float64Builder,
    hi: Float64Builder,
    status: StringBuilder,
}

impl Estimates {
    pub fn push(&mut self, estimate: &Estimate) {
        self.value.append_option(estimate.value);
        self.n
            .append_value(i64::try_from(estimate.n).unwrap_or(i64::MAX));
        self.lo.append_option(estimate.lo);
        self.hi.append_option(estimate.hi);
        self.status.append_value(estimate.status.as_str());
    }

    pub fn finish(mut self) -> StructArray {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.value.finish()),
            Arc::new(self.n.finish()),
            Arc::new(self.lo.finish()),
            Arc::new(self.hi.finish()),
            Arc::new(self.status.finish()),
        ];
        StructArray::new(fields(), columns, None)
    }
}
