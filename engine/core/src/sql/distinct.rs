//! A plugin's aggregate over distinct rows: keeps each row once, and hands them over when the value is asked for.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef};
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::common::ScalarValue;
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::error::Result;
use datafusion::logical_expr::Accumulator;

use super::aggregate::One;

/// Partial states are the rows themselves, a list for each argument.
pub fn state_types(arguments: &[FieldRef]) -> Vec<DataType> {
    let each = arguments.iter().map(|field| {
        let item = Field::new_list_field(plain(field.data_type()), true);
        DataType::List(item.into())
    });
    each.collect()
}

/// The type in which rows are kept: dictionaries are unfolded.
fn plain(kind: &DataType) -> DataType {
    match kind {
        DataType::Dictionary(_, values) => values.as_ref().clone(),
        other => other.clone(),
    }
}

/// Rows that were seen.
#[derive(Debug)]
pub struct Distinct {
    one: One,
    types: Vec<DataType>,
    converter: RowConverter,
    seen: HashSet<OwnedRow>,
    bytes: usize,
}

impl Distinct {
    pub fn new(one: One, arguments: &[FieldRef]) -> Result<Self> {
        let types: Vec<DataType> = arguments
            .iter()
            .map(|field| plain(field.data_type()))
            .collect();
        let fields = types.iter().cloned().map(SortField::new).collect();
        Ok(Self {
            one,
            types,
            converter: RowConverter::new(fields)?,
            seen: HashSet::new(),
            bytes: 0,
        })
    }

    fn columns(&self) -> Result<Vec<ArrayRef>> {
        let rows = self.seen.iter().map(OwnedRow::row);
        Ok(self.converter.convert_rows(rows)?)
    }
}

impl Accumulator for Distinct {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = values.iter().zip(&self.types);
        let values: Vec<ArrayRef> = values
            .map(|(values, kind)| cast(values, kind))
            .collect::<Result<_, _>>()?;
        for row in &self.converter.convert_columns(&values)? {
            let row = row.owned();
            let bytes = row.as_ref().len() + size_of::<OwnedRow>();
            if self.seen.insert(row) {
                self.bytes += bytes;
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let rows = states.first().map_or(0, |states| states.len());
        for row in 0..rows {
            let lists = states
                .iter()
                .map(|states| states.as_list::<i32>().value(row));
            self.update_batch(&lists.collect::<Vec<_>>())?;
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.one.reset()?;
        let columns = self.columns()?;
        self.one.update_batch(&columns)?;
        self.one.evaluate()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let columns = self.columns()?;
        let lists = columns.into_iter();
        Ok(lists
            .map(|column| SingleRowListArrayBuilder::new(column).build_list_scalar())
            .collect())
    }

    fn size(&self) -> usize {
        self.one.size() + self.converter.size() + self.bytes
    }
}
