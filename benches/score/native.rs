//! What the plugins of this bench are measured against inside the engine: the same functions as native ones of
//! DataFusion, a scalar over batches and an aggregate that holds its groups in two vectors.

use std::mem;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::Result;
use datafusion::common::cast::{as_float64_array, as_string_view_array};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, EmitTo, GroupsAccumulator,
    Signature, Volatility, create_udf,
};
use datafusion::scalar::ScalarValue;
use tributary_engine_core::NativeFunctions;
use tributary_plugins_guests_woe_scorecard::probability;

/// Both.
pub fn functions() -> NativeFunctions {
    let arguments = vec![DataType::Utf8View, DataType::Int64, DataType::Utf8View];
    let score = create_udf(
        "native_probability",
        arguments,
        DataType::Float64,
        Volatility::Immutable,
        Arc::new(score),
    );
    NativeFunctions {
        scalars: vec![Arc::new(score)],
        aggregates: vec![Arc::new(AggregateUDF::from(WeightedMean::new()))],
    }
}

fn score(arguments: &[ColumnarValue]) -> Result<ColumnarValue> {
    let columns = ColumnarValue::values_to_arrays(arguments)?;
    let industry = as_string_view_array(&columns[0])?;
    let employees = columns[1].as_primitive::<Int64Type>();
    let source = as_string_view_array(&columns[2])?;
    let rows = industry.iter().zip(employees).zip(source);
    let scores =
        rows.map(|((industry, employees), source)| probability(industry, employees, source));
    let scores: ArrayRef = Arc::new(Float64Array::from_iter_values(scores));
    Ok(ColumnarValue::Array(scores))
}

/// The mean of values, each as heavy as its weight.
#[derive(Debug, PartialEq, Eq, Hash)]
struct WeightedMean {
    signature: Signature,
}

impl WeightedMean {
    fn new() -> Self {
        let arguments = vec![DataType::Float64, DataType::Float64];
        Self {
            signature: Signature::exact(arguments, Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for WeightedMean {
    fn name(&self) -> &str {
        "native_weighted_mean"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, _arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::<Sums>::default())
    }

    fn state_fields(&self, _arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let field = |name: &str| Arc::new(Field::new(name, DataType::Float64, false));
        Ok(vec![field("sum"), field("weight")])
    }

    fn groups_accumulator_supported(&self, _arguments: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        _arguments: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::<Groups>::default())
    }
}

/// Sums of one group.
#[derive(Debug, Default)]
struct Sums {
    sum: f64,
    weight: f64,
}

impl Accumulator for Sums {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let (values, weights) = (
            as_float64_array(&columns[0])?,
            as_float64_array(&columns[1])?,
        );
        for (value, weight) in values.iter().zip(weights) {
            if let (Some(value), Some(weight)) = (value, weight) {
                self.sum += value * weight;
                self.weight += weight;
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (sums, weights) = (as_float64_array(&states[0])?, as_float64_array(&states[1])?);
        self.sum += sums.values().iter().sum::<f64>();
        self.weight += weights.values().iter().sum::<f64>();
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.sum.into(), self.weight.into()])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mean = (self.weight != 0.0).then(|| self.sum / self.weight);
        Ok(ScalarValue::Float64(mean))
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }
}

/// Sums of many groups.
#[derive(Debug, Default)]
struct Groups {
    sums: Vec<f64>,
    weights: Vec<f64>,
}

impl Groups {
    fn emit(&mut self, emit: EmitTo) -> (Vec<f64>, Vec<f64>) {
        match emit {
            EmitTo::All => (mem::take(&mut self.sums), mem::take(&mut self.weights)),
            EmitTo::First(groups) => (
                self.sums.drain(..groups).collect(),
                self.weights.drain(..groups).collect(),
            ),
        }
    }

    fn grow(&mut self, groups: usize) {
        self.sums.resize(groups, 0.0);
        self.weights.resize(groups, 0.0);
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        columns: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.grow(total);
        let (values, weights) = (
            as_float64_array(&columns[0])?,
            as_float64_array(&columns[1])?,
        );
        let plain = filter.is_none() && values.null_count() == 0 && weights.null_count() == 0;
        if plain {
            let rows = values.values().iter().zip(weights.values());
            for ((value, weight), group) in rows.zip(groups) {
                self.sums[*group] += value * weight;
                self.weights[*group] += weight;
            }
            return Ok(());
        }
        for (row, group) in groups.iter().enumerate() {
            let kept = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            if kept && values.is_valid(row) && weights.is_valid(row) {
                self.sums[*group] += values.value(row) * weights.value(row);
                self.weights[*group] += weights.value(row);
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.grow(total);
        let sums = states[0].as_primitive::<Float64Type>().values();
        let weights = states[1].as_primitive::<Float64Type>().values();
        for ((sum, weight), group) in sums.iter().zip(weights).zip(groups) {
            self.sums[*group] += sum;
            self.weights[*group] += weight;
        }
        Ok(())
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let (sums, weights) = self.emit(emit);
        Ok(vec![
            Arc::new(Float64Array::from(sums)),
            Arc::new(Float64Array::from(weights)),
        ])
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let (sums, weights) = self.emit(emit);
        let rows = sums.iter().zip(&weights);
        let means = rows.map(|(sum, weight)| (*weight != 0.0).then(|| sum / weight));
        Ok(Arc::new(means.collect::<Float64Array>()))
    }

    fn convert_to_state(
        &self,
        columns: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let rows = columns[0].len();
        let mut alone = Self::default();
        let groups: Vec<usize> = (0..rows).collect();
        alone.update_batch(columns, &groups, filter, rows)?;
        alone.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        (self.sums.capacity() + self.weights.capacity()) * size_of::<f64>()
    }
}
