//! `rate_ci(x, n [, conf [, method]])`: a conversion rate with its interval.
//!
//! Returns an estimate struct. `x` successes of `n` trials, BIGINT; `conf` between 0 and 1, .95 by default; `method` one
//! of wilson (the default), wilson_cc, jeffreys, clopper_pearson, agresti_coull. A NULL count reads as no data.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use tributary_engine_stats::invalid::Invalid;
use tributary_engine_stats::rate::{Method, rate_interval};

use super::estimate::{Estimates, fields};
use super::invalid;

const NAME: &str = "rate_ci";

#[derive(Debug, PartialEq, Eq, Hash)]
pub struct RateCi {
    signature: Signature,
}

impl RateCi {
    pub fn new() -> Self {
        let counts = [DataType::Int64, DataType::Int64];
        let with = |more: &[DataType]| TypeSignature::Exact([&counts, more].concat());
        let forms = vec![
            with(&[]),
            with(&[DataType::Float64]),
            with(&[DataType::Float64, DataType::Utf8]),
        ];
        Self {
            signature: Signature::one_of(forms, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for RateCi {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(fields()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let x = arrays[0].as_primitive::<Int64Type>();
        let n = arrays[1].as_primitive::<Int64Type>();
        let conf = arrays
            .get(2)
            .map(|array| array.as_primitive::<Float64Type>());
        let method = arrays.get(3).map(|array| array.as_string::<i32>());
        let mut estimates = Estimates::default();
        for row in 0..x.len() {
            let conf = conf
                .filter(|conf| conf.is_valid(row))
                .map_or(0.95, |conf| conf.value(row));
            let method = method
                .filter(|method| method.is_valid(row))
                .map_or(Ok(Method::Wilson), |method| method.value(row).parse());
            let (x, n) = match x.is_valid(row) && n.is_valid(row) {
                true => (count("x", x.value(row))?, count("n", n.value(row))?),
                false => (0, 0),
            };
            let estimate = method
                .and_then(|method| rate_interval(x, n, conf, method))
                .map_err(|error: Invalid| invalid(NAME, &error))?;
            estimates.push(&estimate);
        }
        Ok(ColumnarValue::Array(Arc::new(estimates.finish())))
    }
}

fn count(name: &str, value: i64) -> Result<u64> {
    u64::try_from(value).map_err(|_| {
        DataFusionError::Execution(format!(
            "function \"{NAME}\": argument \"{name}\" needs a count, got {value}"
        ))
    })
}
