//! Aggregates of plugins as SQL aggregates: grouped, ungrouped, over windows, and of distinct rows.
//!
//! A grouped aggregation owns one instance of the plugin. Accumulators of windows and ungrouped ones share an instance
//! for each thread, each of them as a group of its own.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature,
};
use tributary_plugins_host::{Aggregation, Function};

use super::distinct::Distinct;
use super::function::{Callable, Called, coerced};
use super::slots::{Slot, Slots};

/// One aggregate of one plugin in one query.
pub struct PluginAggregate {
    callable: Callable,
    slots: Arc<Slots>,
}

impl PluginAggregate {
    pub fn new(called: Arc<Called>, index: usize) -> Self {
        Self {
            slots: Arc::new(Slots::new(Arc::clone(&called), index)),
            callable: Callable::new(called, index),
        }
    }

    /// Whether rows can leave a group again, so that it runs over sliding frames.
    pub fn retracts(&self) -> bool {
        self.function().retracts
    }

    fn function(&self) -> &Function {
        self.callable.function()
    }

    fn one(&self) -> One {
        One {
            slot: Slot::new(Arc::clone(&self.slots)),
            retracts: self.retracts(),
        }
    }
}

impl AggregateUDFImpl for PluginAggregate {
    fn name(&self) -> &str {
        &self.callable.name
    }

    fn signature(&self) -> &Signature {
        &self.callable.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        self.callable.return_type(given)
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(coerced(self.function(), given))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let types = match args.is_distinct {
            true => super::distinct::state_types(args.input_fields),
            false => self.function().state_types(),
        };
        let fields = types.into_iter().enumerate().map(|(position, kind)| {
            let name = format_state_name(args.name, &position.to_string());
            Arc::new(Field::new(name, kind, true))
        });
        Ok(fields.collect())
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match args.is_distinct {
            true => Ok(Box::new(Distinct::new(self.one(), args.expr_fields)?)),
            false => Ok(Box::new(self.one())),
        }
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return Err(DataFusionError::Plan(format!(
                "aggregate \"{}\" does not take DISTINCT over a sliding frame",
                self.callable.name
            )));
        }
        Ok(Box::new(self.one()))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(
        &self,
        _args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Grouped {
            aggregation: self.slots.aggregation()?,
            called: Arc::clone(&self.callable.called),
            slots: Arc::clone(&self.slots),
            groups: Vec::new(),
            total: 0,
        }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

// Which instances it has is no part of what it is.
impl PartialEq for PluginAggregate {
    fn eq(&self, other: &Self) -> bool {
        self.callable == other.callable
    }
}

impl Eq for PluginAggregate {}

impl Hash for PluginAggregate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.callable.hash(state);
    }
}

impl fmt::Debug for PluginAggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.callable.fmt(f)
    }
}

/// Many groups, in an instance of their own.
struct Grouped {
    aggregation: Aggregation,
    called: Arc<Called>,
    slots: Arc<Slots>,
    /// The numbers of the groups of a batch, as the plugin takes them.
    groups: Vec<u32>,
    total: usize,
}

impl Grouped {
    fn number(&mut self, groups: &[usize], total: usize) {
        self.total = total;
        self.groups.clear();
        // A group number is less than the number of rows of a query's hash table, which fits.
        self.groups.extend(groups.iter().map(|group| *group as u32));
    }

    /// The groups to give away.
    fn leaving(&self, emit_to: EmitTo) -> Vec<u32> {
        let count = match emit_to {
            EmitTo::All => self.total,
            EmitTo::First(count) => count,
        };
        (0..count as u32).collect()
    }

    fn left(&mut self, groups: usize) -> Result<()> {
        self.total -= groups;
        let dropped = self.aggregation.drop_first(groups);
        dropped.map_err(|error| self.called.failed(error))
    }
}

impl GroupsAccumulator for Grouped {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.number(group_indices, total);
        self.aggregation
            .update(values, Some(&self.groups), filter, total)
            .map_err(|error| self.called.failed(error))
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total: usize,
    ) -> Result<()> {
        self.number(group_indices, total);
        self.aggregation
            .merge(values, Some(&self.groups), None, total)
            .map_err(|error| self.called.failed(error))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let groups = self.leaving(emit_to);
        let values = self.aggregation.evaluate(&groups);
        let values = values.map_err(|error| self.called.failed(error))?;
        self.left(groups.len())?;
        Ok(values)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let groups = self.leaving(emit_to);
        let state = self.aggregation.state(&groups);
        let state = state.map_err(|error| self.called.failed(error))?;
        self.left(groups.len())?;
        Ok(state)
    }

    /// Each row as the state of a group of its own.
    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |values| values.len());
        let groups: Vec<u32> = (0..rows as u32).collect();
        let mut scratch = self.slots.aggregation()?;
        scratch
            .update(values, Some(&groups), filter, rows)
            .and_then(|()| scratch.state(&groups))
            .map_err(|error| self.called.failed(error))
    }

    fn size(&self) -> usize {
        self.aggregation.memory_bytes() + self.groups.capacity() * size_of::<u32>()
    }
}

/// One group, among those of other accumulators of the same thread.
#[derive(Debug)]
pub struct One {
    slot: Slot,
    retracts: bool,
}

impl One {
    /// Starts over.
    pub fn reset(&mut self) -> Result<()> {
        self.slot
            .with(|aggregation, group, _| aggregation.reset(group))
    }
}

impl Accumulator for One {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = values.first().map_or(0, |values| values.len());
        self.slot.with(|aggregation, group, total| {
            let groups = numbers(group, rows);
            aggregation.update(values, groups.as_deref(), None, total)
        })
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let rows = states.first().map_or(0, |states| states.len());
        self.slot.with(|aggregation, group, total| {
            let groups = numbers(group, rows);
            aggregation.merge(states, groups.as_deref(), None, total)
        })
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = values.first().map_or(0, |values| values.len());
        self.slot.with(|aggregation, group, _| {
            let groups = numbers(group, rows);
            aggregation.retract(values, groups.as_deref(), None)
        })
    }

    fn supports_retract_batch(&self) -> bool {
        self.retracts
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let value = self
            .slot
            .with(|aggregation, group, _| aggregation.evaluate(&[group]))?;
        ScalarValue::try_from_array(&value, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let state = self
            .slot
            .with(|aggregation, group, _| aggregation.state(&[group]))?;
        let values = state.iter();
        values
            .map(|column| ScalarValue::try_from_array(column, 0))
            .collect()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.slot.memory_bytes()
    }
}

/// The group of every row; the first group needs no numbers.
fn numbers(group: u32, rows: usize) -> Option<Vec<u32>> {
    (group != 0).then(|| vec![group; rows])
}
