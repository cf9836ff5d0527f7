//! A function over one row, as DataFusion calls it: over batches.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
    Volatility,
};
use tributary_engine_stats::estimate::Status;

use super::argument::{Kind, coerce};
use super::definition::{Body, Definition, OfRow, Returns};
use super::local::Local;
use super::named::Named;
use super::out::{Out, return_field, return_type};
use super::row::{Column, Row};
use super::{days, documentation, invalid, order_of, signature, time};

/// A function over one row.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Scalar {
    definition: Named,
    local: Local,
    signature: Signature,
}

impl Scalar {
    pub fn new(definition: &'static Definition, local: Local) -> Self {
        Self {
            definition: Named(definition),
            local,
            signature: signature(definition, Volatility::Immutable),
        }
    }

    fn body(&self) -> Result<OfRow> {
        match self.definition.body {
            Body::Scalar(body) => Ok(body),
            _ => Err(DataFusionError::Internal(
                "not a function of one row".into(),
            )),
        }
    }

    /// Refuses literals that make no sense: each by itself, and all together. What is no literal is tried as NULL, which
    /// no body refuses.
    fn check(&self, literals: &[Option<&ScalarValue>], kinds: &[DataType]) -> Result<()> {
        let arguments = self.definition.arguments;
        for (argument, literal) in arguments.iter().zip(literals) {
            if let Some(literal) = literal {
                argument
                    .kind
                    .check(self.definition.name, argument.name, literal)?;
            }
        }
        if literals.iter().all(Option::is_none) {
            return Ok(());
        }
        let tried = literals.iter().zip(kinds).zip(arguments);
        let tried = tried.map(|((literal, given), argument)| {
            let kind = argument.kind.coerced(given);
            let kind = kind.unwrap_or_else(|| given.clone());
            match literal {
                Some(literal) => literal.cast_to(&kind)?.to_array(),
                None => ScalarValue::try_new_null(&kind)?.to_array(),
            }
        });
        let columns = self.columns(&tried.collect::<Result<Vec<_>>>()?)?;
        let mut out = Out::new(self.definition.returns, &[]);
        let row = self.row(&columns, 0);
        self.body()?(&row, &mut out).map_err(|error| invalid(self.definition.name, &error))
    }

    /// The results of some rows.
    fn call(&self, args: &[ColumnarValue], rows: usize) -> Result<ArrayRef> {
        let arrays = args.iter().map(|arg| arg.to_array(rows));
        let arrays = arrays.collect::<Result<Vec<_>>>()?;
        let columns = self.columns(&arrays)?;
        let (returns, body) = (self.definition.returns, self.body()?);
        let mut out = Out::new(returns, &[]);
        for row in 0..rows {
            if body(&self.row(&columns, row), &mut out).is_err() {
                // What makes no sense in a row does not end the query.
                match returns {
                    Returns::Value(_) => out.null(),
                    Returns::Record(fields) | Returns::Records(fields) => {
                        out.nothing(fields, Status::Infeasible);
                    }
                }
            }
        }
        let kinds: Vec<DataType> = arrays
            .iter()
            .map(|array| array.data_type().clone())
            .collect();
        let order = order_of(self.definition.arguments, &kinds);
        out.finish(returns, &[], &order)
    }

    fn columns(&self, arrays: &[ArrayRef]) -> Result<Vec<Column>> {
        let arguments = self.definition.arguments.iter();
        arguments
            .zip(arrays)
            .map(|(argument, array)| Column::new(argument.kind, array))
            .collect()
    }

    fn row<'a>(&'a self, columns: &'a [Column], row: usize) -> Row<'a> {
        Row {
            arguments: self.definition.arguments,
            columns,
            local: &self.local,
            row,
        }
    }
}

impl ScalarUDFImpl for Scalar {
    fn name(&self) -> &str {
        self.definition.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        coerce(self.definition.name, self.definition.arguments, given)
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let order = order_of(self.definition.arguments, given);
        Ok(return_type(self.definition.returns, &[], &order))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let kinds: Vec<DataType> = args
            .arg_fields
            .iter()
            .map(|field| field.data_type().clone())
            .collect();
        self.check(args.scalar_arguments, &kinds)?;
        Ok(return_field(self.name(), self.return_type(&kinds)?))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_scalar = |arg: &ColumnarValue| matches!(arg, ColumnarValue::Scalar(_));
        if args.args.iter().all(is_scalar) {
            let array = self.call(&args.args, 1)?;
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                &array, 0,
            )?));
        }
        if let Some((ColumnarValue::Array(at), literals)) = args.args.split_first()
            && self.definition.arguments[0].kind == Kind::Instant
            && literals.iter().all(is_scalar)
            && let Some((once, rows)) = days::distinct(&time::days(at)?)
        {
            let count = once.len();
            let day = ColumnarValue::Array(Arc::new(once));
            let results = self.call(&[&[day], literals].concat(), count)?;
            return Ok(ColumnarValue::Array(days::spread(&results, &rows)?));
        }
        Ok(ColumnarValue::Array(
            self.call(&args.args, args.number_rows)?,
        ))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(documentation(self.definition.0))
    }
}

/// As a function of DataFusion.
pub fn udf(
    definition: &'static Definition,
    local: Local,
) -> Arc<datafusion::logical_expr::ScalarUDF> {
    Arc::new(Scalar::new(definition, local).into())
}
