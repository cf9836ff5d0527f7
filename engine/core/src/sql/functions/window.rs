//! A function over all rows of a partition that says something of each: as DataFusion calls it, partition by partition.

use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    Documentation, PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl,
};
use tributary_engine_stats::estimate::Status;

use super::aggregate::constants;
use super::argument::coerce;
use super::definition::{Body, Definition, Returns};
use super::named::Named;
use super::out::{Out, return_type};
use super::row::Column;
use super::rows::{Data, Rows, Texts};
use super::{documentation, order_of, signature};

/// A function over a partition.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Window {
    definition: Named,
    signature: Signature,
}

impl Window {
    pub fn new(definition: &'static Definition) -> Self {
        Self {
            definition: Named(definition),
            signature: signature(definition, Volatility::Immutable),
        }
    }
}

/// As a function of DataFusion.
pub fn udwf(definition: &'static Definition) -> Arc<WindowUDF> {
    Arc::new(Window::new(definition).into())
}

impl WindowUDFImpl for Window {
    fn name(&self) -> &str {
        self.definition.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        coerce(self.definition.name, self.definition.arguments, given)
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        let kinds: Vec<DataType> = args
            .input_fields()
            .iter()
            .map(|field| field.data_type().clone())
            .collect();
        let order = order_of(self.definition.arguments, &kinds);
        let kind = return_type(self.definition.returns, &[], &order);
        Ok(super::out::return_field(args.name(), kind))
    }

    fn partition_evaluator(
        &self,
        args: PartitionEvaluatorArgs<'_>,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Partition {
            definition: self.definition,
            constants: constants(self.definition.0, args.input_exprs())?,
        }))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(documentation(self.definition.0))
    }
}

/// One partition after the other.
#[derive(Debug)]
struct Partition {
    definition: Named,
    constants: Vec<Option<Column>>,
}

impl PartitionEvaluator for Partition {
    fn evaluate_all(&mut self, arrays: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let definition = self.definition.0;
        let Body::Window { body, .. } = definition.body else {
            return Err(DataFusionError::Internal("not a window function".into()));
        };
        let arguments = definition.arguments.iter().zip(arrays);
        let columns = arguments.map(|(argument, array)| match argument.constant {
            true => Ok(None),
            false => Column::new(argument.kind, array).map(Some),
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let rows = u32::try_from(rows).map_err(|_| {
            DataFusionError::Execution("more than 4 billion rows in a partition".into())
        })?;
        let complete = |row: &u32| {
            !columns
                .iter()
                .flatten()
                .any(|column| column.is_null(*row as usize))
        };
        let kept: Vec<u32> = (0..rows).filter(complete).collect();
        let mut texts = Texts::default();
        let data: Vec<Option<Data>> = columns
            .iter()
            .map(|column| {
                let column = column.as_ref()?;
                let mut data = Data::like(column);
                data.take(column, &kept, &mut texts);
                Some(data)
            })
            .collect();
        let gathered = Rows {
            arguments: definition.arguments,
            data: &data,
            texts: &texts,
            start: 0,
            len: kept.len(),
            constants: &self.constants,
        };
        let returns = definition.returns;
        let mut out = Out::new(returns, &[]);
        if body(&gathered, &mut out).is_err() {
            kept.iter()
                .for_each(|_| nothing(&mut out, returns, Status::Infeasible));
        }
        if out.rows() != kept.len() {
            return Err(DataFusionError::Internal(format!(
                "{} gave {} results for {} rows",
                definition.name,
                out.rows(),
                kept.len()
            )));
        }
        nothing(&mut out, returns, Status::NoData);
        let kinds: Vec<DataType> = arrays
            .iter()
            .map(|array| array.data_type().clone())
            .collect();
        let results = out.finish(returns, &[], &order_of(definition.arguments, &kinds))?;
        if kept.len() == rows as usize {
            return Ok(results.slice(0, kept.len()));
        }
        let missing = u32::try_from(kept.len()).unwrap_or(u32::MAX);
        let mut places = vec![missing; rows as usize];
        for (place, row) in (0_u32..).zip(&kept) {
            places[*row as usize] = place;
        }
        Ok(take(&results, &UInt32Array::from(places), None)?)
    }
}

/// A result of which nothing is known but why.
pub fn nothing(out: &mut Out, returns: Returns, status: Status) {
    match returns {
        Returns::Value(_) => out.null(),
        Returns::Record(fields) | Returns::Records(fields) => out.nothing(fields, status),
    }
}
