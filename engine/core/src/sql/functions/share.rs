//! `gini`, `gini_unbiased`, `hhi`, `effective_n`: how unequal the shares of a total are. One DOUBLE for each group.
//!
//! NULL inputs are skipped; NULL where nothing is left or the total is 0; a negative input is an error.

use std::fmt;
use std::mem::size_of_val;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};
use tributary_engine_stats::invalid::Invalid;
use tributary_engine_stats::share::{effective_n, gini, gini_unbiased, hhi};

use super::invalid;

/// One measure of inequality.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Share {
    name: &'static str,
    signature: Signature,
}

type Measure = fn(&[f64]) -> Result<Option<f64>, Invalid>;

const MEASURES: [(&str, Measure); 4] = [
    ("gini", gini),
    ("gini_unbiased", gini_unbiased),
    ("hhi", hhi),
    ("effective_n", effective_n),
];

impl Share {
    pub fn all() -> impl Iterator<Item = Self> {
        MEASURES.iter().map(|(name, _)| Self {
            name,
            signature: Signature::exact(vec![DataType::Float64], Volatility::Immutable),
        })
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl AggregateUDFImpl for Share {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let found = MEASURES.iter().find(|(name, _)| *name == self.name);
        let (name, measure) = *found.expect("a share is made from the list of measures");
        Ok(Box::new(Values {
            name,
            measure,
            is_distinct: args.is_distinct,
            values: Vec::new(),
        }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let list = DataType::new_list(DataType::Float64, true);
        Ok(vec![
            Field::new(format!("{}_values", args.name), list, true).into(),
        ])
    }
}

/// The values of one group.
#[derive(Debug)]
struct Values {
    name: &'static str,
    measure: Measure,
    is_distinct: bool,
    values: Vec<f64>,
}

impl Accumulator for Values {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.values
            .extend(values[0].as_primitive::<Float64Type>().iter().flatten());
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        // Sorted, so that the result does not depend on how the rows were spread over threads.
        let mut values = self.values.clone();
        values.sort_by(f64::total_cmp);
        if self.is_distinct {
            values.dedup();
        }
        let measured = (self.measure)(&values).map_err(|error| invalid(self.name, &error))?;
        Ok(ScalarValue::Float64(measured))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.capacity() * size_of::<f64>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values: Vec<ScalarValue> = self
            .values
            .iter()
            .map(|value| ScalarValue::from(*value))
            .collect();
        Ok(vec![ScalarValue::List(ScalarValue::new_list_nullable(
            &values,
            &DataType::Float64,
        ))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for list in states[0].as_list::<i32>().iter().flatten() {
            self.update_batch(&[list])?;
        }
        Ok(())
    }
}
