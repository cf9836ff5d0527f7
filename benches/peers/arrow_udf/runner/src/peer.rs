//! A runtime of arrow-udf with the kernels in it, and columns in its version of Arrow. Columns are
//! converted before anything is timed.

use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use arrow_array::cast::AsArray as _;
use arrow_array::{ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::Fields;
use arrow_udf_runtime::wasm::{FunctionHandle, Runtime};
use tributary_benches_kernels::{formulas, rows::Rows};

use crate::race::Outcome;

/// A kernel in a runtime.
pub struct Peer {
    runtime: Runtime,
    function: FunctionHandle,
}

impl Peer {
    /// Loads the guest, without any limit, as the runtime does if it is not told otherwise.
    pub fn new(wasm: &[u8], kernel: &str) -> Outcome<Self> {
        use arrow_schema::{DataType, Field};
        let runtime = Runtime::new(wasm)?;
        let (float, text) = (DataType::Float64, DataType::Utf8);
        let decided = Fields::from(vec![
            Field::new("verdict", DataType::UInt8, true),
            Field::new("reasons", DataType::UInt64, true),
        ]);
        let (arguments, result) = match kernel {
            "identity" => (vec![float.clone()], float),
            "same_text" => (vec![text.clone()], text),
            "lead_score" => (vec![float.clone(), DataType::Int64, DataType::Int32], float),
            _ => (
                vec![text, float.clone(), DataType::Int64, DataType::Int32, float],
                DataType::Struct(decided),
            ),
        };
        let function = runtime.find_function(kernel, arguments, result)?;
        Ok(Self { runtime, function })
    }

    /// The result of a batch, in its first column.
    pub fn call(&self, batch: &RecordBatch) -> Outcome<RecordBatch> {
        Ok(self.runtime.call(&self.function, batch)?)
    }

    /// Fails unless it says what the formulas say about the first rows.
    pub fn agree(&self, kernel: &str, batch: &RecordBatch) -> Outcome<()> {
        use arrow_array::types::{Float64Type, UInt8Type, UInt64Type};
        let (result, rows) = (self.call(batch)?, Rows::new(batch.num_rows()));
        let column = result.column(0);
        let numbers = || column.as_primitive::<Float64Type>().values().to_vec();
        let agrees = match kernel {
            "identity" => numbers() == rows.revenue,
            "same_text" => column.as_string::<i32>().iter().flatten().eq(rows.industry),
            "lead_score" => {
                let expected = rows.revenue.iter().zip(&rows.employees).zip(&rows.age_days);
                let expected = expected.map(|((revenue, employees), age_days)| {
                    formulas::lead_score(*revenue, *employees, *age_days)
                });
                numbers() == expected.collect::<Vec<_>>()
            }
            _ => {
                let decided = column.as_struct();
                let verdicts = decided.column(0).as_primitive::<UInt8Type>().values();
                let reasons = decided.column(1).as_primitive::<UInt64Type>().values();
                (0..batch.num_rows()).all(|row| {
                    (verdicts[row], reasons[row])
                        == formulas::qualify(
                            rows.industry[row],
                            rows.revenue[row],
                            rows.employees[row],
                            rows.contacts[row],
                            rows.budget[row],
                        )
                })
            }
        };
        match agrees {
            true => Ok(()),
            false => Err(format!("{kernel}: arrow-udf and Rust differ").into()),
        }
    }
}

/// The same columns in the peer's version of Arrow.
pub fn converted(columns: &[arrow::array::ArrayRef]) -> Outcome<RecordBatch> {
    let names = (0..).map(|place: u32| format!("argument_{place}"));
    let columns = columns.iter().map(converted_column);
    Ok(RecordBatch::try_from_iter_with_nullable(
        names
            .zip(columns)
            .map(|(name, column)| (name, column, true)),
    )?)
}

fn converted_column(column: &arrow::array::ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Float64 => Arc::new(Float64Array::from_iter(
            column.as_primitive::<Float64Type>(),
        )),
        DataType::Int64 => Arc::new(Int64Array::from_iter(column.as_primitive::<Int64Type>())),
        DataType::Int32 => Arc::new(Int32Array::from_iter(column.as_primitive::<Int32Type>())),
        _ => Arc::new(StringArray::from_iter(column.as_string::<i32>())),
    }
}
