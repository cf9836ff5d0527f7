//! The arguments of one row, as plain numbers.

use std::str::FromStr;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, PrimitiveArray, StringViewArray,
};
use arrow::datatypes::{DataType, Date32Type, DurationMicrosecondType, Float64Type, Int64Type};
use datafusion::error::Result;
use tributary_engine_stats::invalid::Invalid;

use super::argument::{Argument, Kind};
use super::local::Local;
use super::time;

/// A column of arguments.
#[derive(Debug)]
pub enum Column {
    Wholes(PrimitiveArray<Int64Type>),
    Numbers(PrimitiveArray<Float64Type>),
    Truths(BooleanArray),
    Texts(StringViewArray),
    Days(PrimitiveArray<Date32Type>),
    Lists(ListArray),
}

impl Column {
    /// An array that the planner has coerced.
    pub fn new(kind: Kind, array: &ArrayRef) -> Result<Self> {
        Ok(match (kind, array.data_type()) {
            (Kind::Instant, _) => Self::Days(time::days(array)?),
            (Kind::Moment, _) => Self::Wholes(time::moments(array)?),
            (Kind::Order, _) => Self::Wholes(time::wholes(array)?),
            (_, DataType::Int64) => Self::Wholes(array.as_primitive().clone()),
            (_, DataType::Float64) => Self::Numbers(array.as_primitive().clone()),
            (_, DataType::Duration(_)) => {
                let micros = array.as_primitive::<DurationMicrosecondType>();
                Self::Numbers(micros.unary(|micros| micros as f64 / time::DAY_US as f64))
            }
            (_, DataType::Interval(_)) => Self::Numbers(time::interval_days(array)),
            (_, DataType::Boolean) => Self::Truths(array.as_boolean().clone()),
            (_, DataType::List(_)) => Self::Lists(array.as_list().clone()),
            _ => Self::Texts(array.as_string_view().clone()),
        })
    }

    fn array(&self) -> &dyn Array {
        match self {
            Self::Wholes(array) => array,
            Self::Numbers(array) => array,
            Self::Truths(array) => array,
            Self::Texts(array) => array,
            Self::Days(array) => array,
            Self::Lists(array) => array,
        }
    }

    pub fn is_null(&self, row: usize) -> bool {
        self.array().is_null(row)
    }
}

/// The arguments of one row. What is absent and what is NULL read the same: `None`.
pub struct Row<'a> {
    pub arguments: &'a [Argument],
    pub columns: &'a [Column],
    pub local: &'a Local,
    pub row: usize,
}

impl Row<'_> {
    fn column(&self, place: usize) -> Option<&Column> {
        self.columns
            .get(place)
            .filter(|column| !column.is_null(self.row))
    }

    /// A number.
    pub fn number(&self, place: usize) -> Option<f64> {
        match self.column(place)? {
            Column::Numbers(array) => Some(array.value(self.row)),
            _ => None,
        }
    }

    /// A number, or its default.
    pub fn number_or(&self, place: usize, default: f64) -> f64 {
        self.number(place).unwrap_or(default)
    }

    /// A whole number.
    pub fn whole(&self, place: usize) -> Option<i64> {
        match self.column(place)? {
            Column::Wholes(array) => Some(array.value(self.row)),
            _ => None,
        }
    }

    /// A count; a negative one is invalid.
    pub fn count(&self, place: usize) -> Result<Option<u64>, Invalid> {
        let count = self.whole(place).map(|whole| self.as_count(place, whole));
        count.transpose()
    }

    fn as_count(&self, place: usize, whole: i64) -> Result<u64, Invalid> {
        u64::try_from(whole).map_err(|_| Invalid {
            argument: self.arguments[place].name,
            needs: "a count of at least 0",
            got: whole.to_string(),
        })
    }

    /// A text.
    pub fn text(&self, place: usize) -> Option<&str> {
        match self.column(place)? {
            Column::Texts(array) => Some(array.value(self.row)),
            _ => None,
        }
    }

    /// A word with a meaning, or its default.
    pub fn word<T: FromStr<Err = Invalid>>(&self, place: usize, default: T) -> Result<T, Invalid> {
        self.text(place).map_or(Ok(default), str::parse)
    }

    /// A day since 1970-01-01.
    pub fn day(&self, place: usize) -> Option<i32> {
        match self.column(place)? {
            Column::Days(array) => Some(array.value(self.row)),
            _ => None,
        }
    }

    /// A list of numbers, or `None` where one of them is NULL.
    pub fn numbers(&self, place: usize) -> Option<Vec<f64>> {
        match self.column(place)? {
            Column::Lists(array) => {
                let values = array.value(self.row);
                let values = values.as_primitive::<Float64Type>();
                (values.null_count() == 0).then(|| values.values().to_vec())
            }
            _ => None,
        }
    }
}
