//! All rows of all groups of an aggregate, until the groups are complete. Statistics of whole samples need them whole; what
//! is kept of a row is its plain numbers, and the groups are put side by side only when they are asked for.

use std::mem;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, ListArray, StringArray,
    StringViewArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::EmitTo;
use tributary_engine_stats::estimate::Status;

use super::definition::{self, Body, Definition, Returns, whole};
use super::invalid;
use super::named::Named;
use super::out::{self, Out};
use super::row::Column;
use super::rows::{Data, Rows, Texts};

/// What every struct of an aggregate says besides.
pub const MORE: &[definition::Field] = &[whole(
    "n_null",
    "rows left out because an argument was NULL",
)];

/// Which fields are added to what a definition returns.
pub fn more(returns: Returns) -> &'static [definition::Field] {
    match returns {
        Returns::Record(_) => MORE,
        _ => &[],
    }
}

/// Rows of many groups.
#[derive(Debug)]
pub struct Gathered {
    definition: Named,
    /// the type of the argument that orders rows
    order: DataType,
    constants: Arc<Vec<Option<Column>>>,
    /// whether equal values count once; for one argument only
    distinct: bool,
    /// by argument; of constants there is none
    data: Vec<Option<Data>>,
    texts: Texts,
    /// the group of each row
    groups: Vec<u32>,
    /// rows left out, by group
    n_null: Vec<u64>,
}

impl Gathered {
    pub fn new(
        definition: &'static Definition,
        kinds: &[DataType],
        constants: Vec<Option<Column>>,
        distinct: bool,
    ) -> Self {
        let arguments = definition.arguments.iter().zip(kinds);
        let data = arguments.map(|(argument, kind)| match (argument.constant, kind) {
            (true, _) => None,
            (false, DataType::Float64 | DataType::Duration(_) | DataType::Interval(_)) => {
                Some(Data::Numbers(Vec::new()))
            }
            (false, DataType::Boolean) => Some(Data::Truths(Vec::new())),
            (false, DataType::Utf8View) => Some(Data::Codes(Vec::new())),
            (false, _) => Some(Data::Wholes(Vec::new())),
        });
        Self {
            data: data.collect(),
            order: super::order_of(definition.arguments, kinds),
            definition: Named(definition),
            constants: Arc::new(constants),
            distinct,
            texts: Texts::default(),
            groups: Vec::new(),
            n_null: Vec::new(),
        }
    }

    /// The same rows, for an answer after which more come.
    pub fn copy(&self) -> Self {
        Self {
            definition: self.definition,
            order: self.order.clone(),
            constants: Arc::clone(&self.constants),
            distinct: self.distinct,
            data: self.data.clone(),
            texts: self.texts.clone(),
            groups: self.groups.clone(),
            n_null: self.n_null.clone(),
        }
    }

    /// The same call without rows.
    pub fn empty(&self) -> Self {
        Self {
            definition: self.definition,
            order: self.order.clone(),
            constants: Arc::clone(&self.constants),
            distinct: self.distinct,
            data: self
                .data
                .iter()
                .map(|data| data.as_ref().map(Data::empty))
                .collect(),
            texts: Texts::default(),
            groups: Vec::new(),
            n_null: Vec::new(),
        }
    }

    /// Takes rows in. `group` tells the group of each.
    pub fn update(
        &mut self,
        arrays: &[ArrayRef],
        group: impl Fn(usize) -> usize,
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()> {
        self.n_null.resize(groups.max(self.n_null.len()), 0);
        let rows = arrays.first().map_or(0, |array| array.len());
        let arguments = self.definition.arguments.iter().zip(arrays).zip(&self.data);
        let columns = arguments.map(|((argument, array), data)| match data {
            Some(_) => Column::new(argument.kind, array).map(Some),
            None => Ok(None),
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let mut kept = Vec::with_capacity(rows);
        for row in 0..rows {
            if filter.is_some_and(|filter| filter.is_null(row) || !filter.value(row)) {
                continue;
            }
            let mut given = columns.iter().flatten();
            if given.any(|column| column.is_null(row)) {
                self.n_null[group(row)] += 1;
                continue;
            }
            kept.push(u32::try_from(row).map_err(|_| too_many())?);
        }
        for (data, column) in self.data.iter_mut().zip(&columns) {
            if let (Some(data), Some(column)) = (data, column) {
                data.take(column, &kept, &mut self.texts);
            }
        }
        for row in kept {
            let group = u32::try_from(group(row as usize)).map_err(|_| too_many())?;
            self.groups.push(group);
        }
        Ok(())
    }

    /// Takes in what other tasks have gathered.
    pub fn merge(
        &mut self,
        states: &[ArrayRef],
        group: impl Fn(usize) -> usize,
        groups: usize,
    ) -> Result<()> {
        self.n_null.resize(groups.max(self.n_null.len()), 0);
        let Some((n_null, lists)) = states.split_last() else {
            return Ok(());
        };
        let n_null = n_null.as_primitive::<Int64Type>();
        for row in 0..n_null.len() {
            self.n_null[group(row)] += n_null.value(row).unsigned_abs();
        }
        let lists: Vec<&ListArray> = lists.iter().map(|list| list.as_list()).collect();
        for (data, list) in self.data.iter_mut().flatten().zip(&lists) {
            for row in 0..list.len() {
                let values = list.value(row);
                match data {
                    Data::Numbers(to) => to.extend(values.as_primitive::<Float64Type>().values()),
                    Data::Wholes(to) => to.extend(values.as_primitive::<Int64Type>().values()),
                    Data::Truths(to) => to.extend(values.as_boolean().values().iter()),
                    Data::Codes(_) => {
                        let column =
                            Column::Texts(StringViewArray::from(values.as_string::<i32>()));
                        let all: Vec<u32> =
                            (0..u32::try_from(values.len()).map_err(|_| too_many())?).collect();
                        data.take(&column, &all, &mut self.texts);
                    }
                }
            }
        }
        if let Some(first) = lists.first() {
            for row in 0..first.len() {
                let group = u32::try_from(group(row)).map_err(|_| too_many())?;
                let rows = first.value_length(row).unsigned_abs() as usize;
                self.groups.extend(std::iter::repeat_n(group, rows));
            }
        }
        Ok(())
    }

    /// The rows of the groups that are to come out, group by group, and how many rows each has. What stays, stays.
    fn emit(&mut self, emit: EmitTo) -> (Vec<Option<Data>>, Vec<usize>, Vec<u64>) {
        let leaving = match emit {
            EmitTo::All => self.n_null.len(),
            EmitTo::First(groups) => groups.min(self.n_null.len()),
        };
        let mut lengths = vec![0_usize; leaving];
        for group in &self.groups {
            if let Some(length) = lengths.get_mut(*group as usize) {
                *length += 1;
            }
        }
        let mut next: Vec<usize> = lengths
            .iter()
            .scan(0, |start, length| {
                *start += length;
                Some(*start - length)
            })
            .collect();
        let mut order = vec![0_u32; lengths.iter().sum()];
        let mut staying = Vec::new();
        for (row, group) in (0_u32..).zip(&self.groups) {
            match next.get_mut(*group as usize) {
                Some(place) => {
                    order[*place] = row;
                    *place += 1;
                }
                None => staying.push(row),
            }
        }
        let permuted =
            |data: &Option<Data>, order: &[u32]| data.as_ref().map(|data| data.permuted(order));
        let data = self
            .data
            .iter()
            .map(|data| permuted(data, &order))
            .collect();
        let first = u32::try_from(leaving).unwrap_or(u32::MAX);
        let groups = mem::take(&mut self.groups);
        self.groups = staying
            .iter()
            .map(|row| groups[*row as usize] - first)
            .collect();
        self.data = self
            .data
            .iter()
            .map(|data| permuted(data, &staying))
            .collect();
        let kept = self.n_null.split_off(leaving);
        (data, lengths, mem::replace(&mut self.n_null, kept))
    }

    /// The results of groups.
    pub fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let (data, lengths, n_null) = self.emit(emit);
        let definition = self.definition.0;
        let Body::Aggregate(body) = definition.body else {
            return Err(DataFusionError::Internal("not an aggregate".into()));
        };
        let returns = definition.returns;
        let mut out = Out::new(returns, more(returns));
        let mut results = Vec::with_capacity(lengths.len());
        let mut start = 0;
        for (len, n_null) in lengths.into_iter().zip(n_null) {
            let once: Vec<Option<Data>> = match self.distinct {
                true => data
                    .iter()
                    .map(|data| data.as_ref().map(|data| data.distinct(start, len)))
                    .collect(),
                false => Vec::new(),
            };
            let distinct = once.iter().flatten().next().map(Data::len);
            let rows = Rows {
                arguments: definition.arguments,
                data: if self.distinct { &once } else { &data },
                texts: &self.texts,
                start: if self.distinct { 0 } else { start },
                len: distinct.unwrap_or(len),
                constants: &self.constants,
            };
            let before = out.rows();
            let computed = body(&rows, &mut out);
            let makes_sense = computed.is_ok();
            if let Err(error) = computed {
                match returns {
                    Returns::Record(fields) => out.nothing(fields, Status::Infeasible),
                    Returns::Records(_) => {}
                    Returns::Value(_) => return Err(invalid(definition.name, &error)),
                }
            }
            if matches!(returns, Returns::Record(_)) {
                out.count(n_null);
            }
            results.push(makes_sense.then(|| out.rows() - before));
            start += len;
        }
        let array = out.finish(returns, more(returns), &self.order)?;
        match returns {
            Returns::Records(_) => out::lists(array, &results),
            _ => Ok(array),
        }
    }

    /// The rows of groups as lists, for another task.
    pub fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let (data, lengths, n_null) = self.emit(emit);
        let offsets = OffsetBuffer::<i32>::from_lengths(lengths);
        let mut states = Vec::new();
        for data in data.into_iter().flatten() {
            let values: ArrayRef = match data {
                Data::Numbers(values) => Arc::new(Float64Array::from(values)),
                Data::Wholes(values) => Arc::new(Int64Array::from(values)),
                Data::Truths(values) => Arc::new(BooleanArray::from(values)),
                Data::Codes(codes) => {
                    let texts = codes.iter().map(|code| self.texts.get(*code));
                    Arc::new(StringArray::from_iter_values(texts))
                }
            };
            let item = Arc::new(Field::new_list_field(values.data_type().clone(), true));
            states.push(
                Arc::new(ListArray::try_new(item, offsets.clone(), values, None)?) as ArrayRef,
            );
        }
        let n_null = n_null
            .into_iter()
            .map(|count| i64::try_from(count).unwrap_or(i64::MAX));
        states.push(Arc::new(Int64Array::from_iter_values(n_null)));
        Ok(states)
    }

    pub fn size(&self) -> usize {
        let data: usize = self.data.iter().flatten().map(Data::size).sum();
        data + self.groups.capacity() * 4 + self.n_null.capacity() * 8 + self.texts.size()
    }
}

/// What [`Gathered::state`] gives, for arguments of some types.
pub fn state_fields(name: &str, definition: &Definition, kinds: &[DataType]) -> Vec<FieldRef> {
    let arguments = definition.arguments.iter().zip(kinds);
    let lists = arguments
        .filter(|(argument, _)| !argument.constant)
        .map(|(argument, kind)| {
            let kind = match kind {
                DataType::Float64 | DataType::Duration(_) | DataType::Interval(_) => {
                    DataType::Float64
                }
                DataType::Boolean => DataType::Boolean,
                DataType::Utf8View => DataType::Utf8,
                _ => DataType::Int64,
            };
            let list = DataType::new_list(kind, true);
            Field::new(format!("{name}_{}", argument.name), list, true).into()
        });
    let n_null = Field::new(format!("{name}_n_null"), DataType::Int64, false).into();
    lists.chain([n_null]).collect()
}

fn too_many() -> DataFusionError {
    DataFusionError::Execution("more than 4 billion rows or groups".into())
}
