//! A function over the rows of a group, as DataFusion calls it: for many groups at once, or for one.

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_plan::PhysicalExpr;
use std::sync::Arc;

use super::argument::{Argument, coerce};
use super::definition::{Body, Definition};
use super::gathered::{Gathered, more, state_fields};
use super::named::Named;
use super::out::{Out, return_type};
use super::row::Column;
use super::rows::{Rows, Texts};
use super::{documentation, invalid, order_of, plan, signature};

/// A function over groups.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Aggregate {
    definition: Named,
    signature: Signature,
}

impl Aggregate {
    pub fn new(definition: &'static Definition) -> Self {
        Self {
            definition: Named(definition),
            signature: signature(definition, Volatility::Immutable),
        }
    }

    /// DISTINCT means something for one column of values, and nothing for rows that belong together.
    fn distinct(&self, args: &AccumulatorArgs<'_>) -> Result<bool> {
        let columns = self
            .definition
            .arguments
            .iter()
            .filter(|argument| !argument.constant);
        match (args.is_distinct, columns.count()) {
            (true, 2..) => Err(plan(format!(
                "function \"{}\" does not take DISTINCT",
                self.definition.name
            ))),
            (distinct, _) => Ok(distinct),
        }
    }

    fn gathered(&self, args: &AccumulatorArgs<'_>) -> Result<Gathered> {
        let distinct = self.distinct(args)?;
        let kinds: Vec<DataType> = args
            .expr_fields
            .iter()
            .map(|field| field.data_type().clone())
            .collect();
        let constants = constants(self.definition.0, args.exprs)?;
        Ok(Gathered::new(
            self.definition.0,
            &kinds,
            constants,
            distinct,
        ))
    }
}

/// The literals among the arguments of a call: those that have to be, and those that make no sense refused.
pub fn constants(
    definition: &Definition,
    exprs: &[Arc<dyn PhysicalExpr>],
) -> Result<Vec<Option<Column>>> {
    let arguments = definition.arguments.iter().zip(exprs);
    let constants = arguments.map(|(argument, expr)| constant(definition.name, argument, expr));
    let constants = constants.collect::<Result<Vec<_>>>()?;
    if constants.iter().any(Option::is_some) {
        try_without_rows(definition, &constants)?;
    }
    Ok(constants)
}

/// Refuses literals that make no sense together. A body never refuses that there are no rows.
fn try_without_rows(definition: &Definition, constants: &[Option<Column>]) -> Result<()> {
    let (Body::Aggregate(body) | Body::Window { body, .. }) = definition.body else {
        return Ok(());
    };
    let rows = Rows {
        arguments: definition.arguments,
        data: &[],
        texts: &Texts::default(),
        start: 0,
        len: 0,
        constants,
    };
    let mut out = Out::new(definition.returns, more(definition.returns));
    body(&rows, &mut out).map_err(|error| invalid(definition.name, &error))
}

fn constant(
    function: &str,
    argument: &Argument,
    expr: &Arc<dyn PhysicalExpr>,
) -> Result<Option<Column>> {
    let literal = expr.downcast_ref::<Literal>();
    if let Some(literal) = literal {
        argument
            .kind
            .check(function, argument.name, literal.value())?;
    }
    match (argument.constant, literal) {
        (false, _) => Ok(None),
        (true, Some(literal)) => {
            let array = literal.value().to_array()?;
            Column::new(argument.kind, &array).map(Some)
        }
        (true, None) => Err(plan(format!(
            "function \"{function}\": argument \"{}\" needs a literal, the same for every row",
            argument.name
        ))),
    }
}

impl AggregateUDFImpl for Aggregate {
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
        let returns = self.definition.returns;
        Ok(return_type(returns, more(returns), &order))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let kinds: Vec<DataType> = args
            .input_fields
            .iter()
            .map(|field| field.data_type().clone())
            .collect();
        Ok(state_fields(args.name, self.definition.0, &kinds))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(One(self.gathered(&args)?)))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Many(self.gathered(&args)?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(documentation(self.definition.0))
    }
}

/// One group, which may be asked again when more rows have come.
#[derive(Debug)]
struct One(Gathered);

impl Accumulator for One {
    fn update_batch(&mut self, arrays: &[ArrayRef]) -> Result<()> {
        self.0.update(arrays, |_| 0, None, 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge(states, |_| 0, 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.update(&[], |_| 0, None, 1)?;
        let mut copy = self.0.copy();
        ScalarValue::try_from_array(&copy.evaluate(EmitTo::All)?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.update(&[], |_| 0, None, 1)?;
        let states = self.0.state(EmitTo::All)?;
        states
            .iter()
            .map(|state| ScalarValue::try_from_array(state, 0))
            .collect()
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.0.size()
    }
}

/// Many groups.
struct Many(Gathered);

impl GroupsAccumulator for Many {
    fn update_batch(
        &mut self,
        arrays: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.0.update(arrays, |row| groups[row], filter, total)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.0.merge(states, |row| groups[row], total)
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        self.0.evaluate(emit)
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        self.0.state(emit)
    }

    fn convert_to_state(
        &self,
        arrays: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let rows = arrays.first().map_or(0, |array| array.len());
        let mut alone = self.0.empty();
        alone.update(arrays, |row| row, filter, rows)?;
        alone.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.0.size()
    }
}
