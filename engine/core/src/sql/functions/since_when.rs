//! `since_when(ord, y, n [, expected])`: whether a rate changed, and since when. Aggregates one series into a struct.
//!
//! `ord` DATE or BIGINT orders the periods, `y` successes of `n` trials in each, `expected` the rate that the network had
//! in that period for the same kind of leads. Rows of the same `ord` are added up. Rows with a NULL are skipped.
//! `mode`, `set_lo`, `set_hi` are values of `ord`: the first period after the change, and its 95 % credible set. Every
//! field but `n` and `status` is NULL where `status` is not `ok`.

use std::collections::BTreeMap;
use std::mem::size_of_val;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Float64Type, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Signature, TypeSignature, Volatility,
};
use tributary_engine_stats::change::{ChangePoint, since_when};

use super::{invalid, no_distinct};

const NAME: &str = "since_when";

#[derive(Debug, PartialEq, Eq, Hash)]
pub struct SinceWhen {
    signature: Signature,
}

impl SinceWhen {
    pub fn new() -> Self {
        let forms = [DataType::Date32, DataType::Int64]
            .into_iter()
            .flat_map(|ord| {
                let series = vec![ord, DataType::Int64, DataType::Int64];
                let expected = [series.clone(), vec![DataType::Float64]].concat();
                [TypeSignature::Exact(series), TypeSignature::Exact(expected)]
            });
        Self {
            signature: Signature::one_of(forms.collect(), Volatility::Immutable),
        }
    }
}

fn fields(ord: &DataType) -> Fields {
    let number = |name: &str| Field::new(name, DataType::Float64, true);
    let period = |name: &str| Field::new(name, ord.clone(), true);
    Fields::from(vec![
        number("p_change"),
        number("log_bf"),
        period("mode"),
        period("set_lo"),
        period("set_hi"),
        number("rate_before"),
        number("rate_after"),
        number("lr"),
        Field::new("n", DataType::Int64, false),
        Field::new("status", DataType::Utf8, false),
    ])
}

impl AggregateUDFImpl for SinceWhen {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(fields(&args[0])))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        no_distinct(NAME, &args)?;
        let DataType::Struct(fields) = args.return_field.data_type() else {
            return Err(DataFusionError::Internal(format!(
                "{NAME} returns a struct"
            )));
        };
        Ok(Box::new(Series {
            fields: fields.clone(),
            has_expected: args.exprs.len() == 4,
            periods: BTreeMap::new(),
        }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let list = |name: &str, kind: DataType| {
            Field::new(
                format!("{}_{name}", args.name),
                DataType::new_list(kind, true),
                true,
            )
            .into()
        };
        Ok(vec![
            list("ord", DataType::Int64),
            list("y", DataType::Int64),
            list("n", DataType::Int64),
            list("expected", DataType::Float64),
        ])
    }
}

/// The periods of one group.
#[derive(Debug)]
struct Series {
    fields: Fields,
    has_expected: bool,
    periods: BTreeMap<i64, Period>,
}

/// Counts of one period; `expected` is a sum over the trials.
#[derive(Clone, Copy, Debug, Default)]
struct Period {
    y: i64,
    n: i64,
    expected: f64,
}

impl Series {
    fn add(
        &mut self,
        ord: &ArrayRef,
        y: &ArrayRef,
        n: &ArrayRef,
        expected: Option<&ArrayRef>,
    ) -> Result<()> {
        let ord = cast(&cast(ord, &ord_as_int(ord.data_type()))?, &DataType::Int64)?;
        let (ord, y, n) = (
            ord.as_primitive::<Int64Type>(),
            y.as_primitive::<Int64Type>(),
            n.as_primitive::<Int64Type>(),
        );
        let expected = expected.map(|array| array.as_primitive::<Float64Type>());
        for row in 0..ord.len() {
            let null = ord.is_null(row)
                || y.is_null(row)
                || n.is_null(row)
                || expected.is_some_and(|expected| expected.is_null(row));
            if null {
                continue;
            }
            let (y, n) = (y.value(row), n.value(row));
            if y < 0 || n < 0 {
                return Err(DataFusionError::Execution(format!(
                    "function \"{NAME}\": y and n need counts, got {y} and {n}"
                )));
            }
            let period = self.periods.entry(ord.value(row)).or_default();
            period.y = period.y.saturating_add(y);
            period.n = period.n.saturating_add(n);
            if let Some(expected) = expected {
                #[expect(clippy::cast_precision_loss, reason = "a weight")]
                let trials = n as f64;
                period.expected += expected.value(row) * trials;
            }
        }
        Ok(())
    }

    fn period(&self, position: usize) -> Option<i64> {
        self.periods.keys().nth(position).copied()
    }

    fn describe(&self, change: Option<&ChangePoint>, n: u64, status: &str) -> Result<ScalarValue> {
        let ord = self.fields[2].data_type();
        let number = |pick: fn(&ChangePoint) -> f64| ScalarValue::Float64(change.map(pick));
        let period = |pick: fn(&ChangePoint) -> usize| {
            let value = change.and_then(|change| self.period(pick(change)));
            ord_from_int(value, ord)
        };
        let values = [
            number(|change| change.p_change),
            number(|change| change.log_bf),
            period(|change| change.mode)?,
            period(|change| change.set_lo)?,
            period(|change| change.set_hi)?,
            number(|change| change.rate_before),
            number(|change| change.rate_after),
            number(|change| change.lr),
            ScalarValue::Int64(Some(i64::try_from(n).unwrap_or(i64::MAX))),
            ScalarValue::Utf8(Some(status.to_owned())),
        ];
        let columns: Vec<ArrayRef> = values
            .iter()
            .map(ScalarValue::to_array)
            .collect::<Result<_>>()?;
        let row = StructArray::try_new(self.fields.clone(), columns, None)?;
        Ok(ScalarValue::Struct(Arc::new(row)))
    }
}

/// Days are stored as 32 bits; Arrow casts them to 64 only by way of those.
fn ord_as_int(ord: &DataType) -> DataType {
    match ord {
        DataType::Date32 => DataType::Int32,
        _ => DataType::Int64,
    }
}

fn ord_from_int(value: Option<i64>, ord: &DataType) -> Result<ScalarValue> {
    ScalarValue::Int64(value)
        .cast_to(&ord_as_int(ord))?
        .cast_to(ord)
}

impl Accumulator for Series {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(&values[0], &values[1], &values[2], values.get(3))
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let counts = |pick: fn(&Period) -> i64| -> Vec<u64> {
            self.periods
                .values()
                .map(|period| pick(period).unsigned_abs())
                .collect()
        };
        let expected: Option<Vec<f64>> = self.has_expected.then(|| {
            #[expect(clippy::cast_precision_loss, reason = "a weight")]
            let mean = |period: &Period| {
                if period.n == 0 {
                    0.0
                } else {
                    period.expected / period.n as f64
                }
            };
            self.periods.values().map(mean).collect()
        });
        let found = since_when(
            &counts(|period| period.y),
            &counts(|period| period.n),
            expected.as_deref(),
        )
        .map_err(|error| invalid(NAME, &error))?;
        self.describe(found.change.as_ref(), found.n, found.status.as_str())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.periods.len() * (size_of::<i64>() + size_of::<Period>())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let list = |values: Vec<ScalarValue>, kind: &DataType| {
            ScalarValue::List(ScalarValue::new_list_nullable(&values, kind))
        };
        let whole = |values: Vec<i64>| {
            list(
                values.into_iter().map(ScalarValue::from).collect(),
                &DataType::Int64,
            )
        };
        // Summed expectations travel as they are: a mean here would be weighted twice.
        let expected = self
            .periods
            .values()
            .map(|period| ScalarValue::from(period.expected));
        Ok(vec![
            whole(self.periods.keys().copied().collect()),
            whole(self.periods.values().map(|period| period.y).collect()),
            whole(self.periods.values().map(|period| period.n).collect()),
            list(expected.collect(), &DataType::Float64),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists = states
            .iter()
            .map(|state| state.as_list::<i32>())
            .collect::<Vec<_>>();
        for row in 0..lists[0].len() {
            let columns: Vec<ArrayRef> = lists.iter().map(|list| list.value(row)).collect();
            let ords = columns[0].as_primitive::<Int64Type>();
            for (position, ord) in ords.values().iter().enumerate() {
                let period = self.periods.entry(*ord).or_default();
                period.y += columns[1].as_primitive::<Int64Type>().value(position);
                period.n += columns[2].as_primitive::<Int64Type>().value(position);
                period.expected += columns[3].as_primitive::<Float64Type>().value(position);
            }
        }
        Ok(())
    }
}
