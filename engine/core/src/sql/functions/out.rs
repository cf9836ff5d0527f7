//! Where the bodies of functions put their results, field by field in the order of their declaration.
//!
//! No NaN and no infinity gets past it: they come out as NULL.

use std::mem;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, ListArray, ListBuilder,
    StringBuilder, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::error::{DataFusionError, Result};
use tributary_engine_stats::estimate::{Estimate, Status};

use super::definition::{self, Returns, Shape};
use super::time;

/// Collects results.
pub struct Out {
    columns: Vec<Builder>,
    /// the field that comes next
    next: usize,
    /// complete results so far
    rows: usize,
}

/// One field of the results.
enum Builder {
    Number(Float64Builder),
    Whole(Int64Builder),
    Text(StringBuilder),
    Truth(BooleanBuilder),
    Day(Date32Builder),
    Order(Int64Builder),
    Numbers(ListBuilder<Float64Builder>),
    Texts(ListBuilder<StringBuilder>),
}

impl Builder {
    fn new(shape: Shape) -> Self {
        match shape {
            Shape::Number => Self::Number(Float64Builder::new()),
            Shape::Whole => Self::Whole(Int64Builder::new()),
            Shape::Text => Self::Text(StringBuilder::new()),
            Shape::Truth => Self::Truth(BooleanBuilder::new()),
            Shape::Day => Self::Day(Date32Builder::new()),
            Shape::Order => Self::Order(Int64Builder::new()),
            Shape::Numbers => Self::Numbers(ListBuilder::new(Float64Builder::new())),
            Shape::Texts => Self::Texts(ListBuilder::new(StringBuilder::new())),
        }
    }

    fn null(&mut self) {
        match self {
            Self::Number(builder) => builder.append_null(),
            Self::Whole(builder) | Self::Order(builder) => builder.append_null(),
            Self::Text(builder) => builder.append_null(),
            Self::Truth(builder) => builder.append_null(),
            Self::Day(builder) => builder.append_null(),
            Self::Numbers(builder) => builder.append_null(),
            Self::Texts(builder) => builder.append_null(),
        }
    }

    fn finish(&mut self, order: &DataType) -> Result<ArrayRef> {
        Ok(match self {
            Self::Number(builder) => Arc::new(builder.finish()),
            Self::Whole(builder) => Arc::new(builder.finish()),
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Truth(builder) => Arc::new(builder.finish()),
            Self::Day(builder) => Arc::new(builder.finish()),
            Self::Order(builder) => time::ordered(builder.finish(), order)?,
            Self::Numbers(builder) => Arc::new(builder.finish()),
            Self::Texts(builder) => Arc::new(builder.finish()),
        })
    }
}

macro_rules! puts {
    ($($(#[$doc:meta])* $name:ident($kind:ty) into $builder:ident);* $(;)?) => {
        $($(#[$doc])*
        pub fn $name(&mut self, value: impl Into<Option<$kind>>) -> &mut Self {
            let value = value.into();
            match self.turn() {
                Builder::$builder(builder) => builder.append_option(value),
                other => other.null(),
            }
            self
        })*
    };
}

impl Out {
    pub fn new(returns: Returns, more: &[definition::Field]) -> Self {
        let columns = match returns {
            Returns::Value(shape) => vec![Builder::new(shape)],
            Returns::Record(fields) | Returns::Records(fields) => {
                let fields = fields.iter().chain(more);
                fields.map(|field| Builder::new(field.shape)).collect()
            }
        };
        Self {
            columns,
            next: 0,
            rows: 0,
        }
    }

    fn turn(&mut self) -> &mut Builder {
        let place = self.next;
        self.next += 1;
        if self.next == self.columns.len() {
            self.next = 0;
            self.rows += 1;
        }
        &mut self.columns[place]
    }

    puts! {
        /// A whole number.
        whole(i64) into Whole;
        /// A truth.
        truth(bool) into Truth;
        /// A day since 1970-01-01.
        day(i32) into Day;
        /// A value of the argument that orders the rows.
        order(i64) into Order;
    }

    /// A number. One that is none, or is infinite, is NULL.
    pub fn number(&mut self, value: impl Into<Option<f64>>) -> &mut Self {
        let value = value.into().filter(|value| value.is_finite());
        match self.turn() {
            Builder::Number(builder) => builder.append_option(value),
            other => other.null(),
        }
        self
    }

    /// A count.
    pub fn count(&mut self, value: u64) -> &mut Self {
        self.whole(i64::try_from(value).unwrap_or(i64::MAX))
    }

    /// A text.
    pub fn text<'t>(&mut self, value: impl Into<Option<&'t str>>) -> &mut Self {
        match self.turn() {
            Builder::Text(builder) => builder.append_option(value.into()),
            other => other.null(),
        }
        self
    }

    /// How to read the rest.
    pub fn status(&mut self, status: Status) -> &mut Self {
        self.text(status.as_str())
    }

    /// The five fields of an estimate, as [`super::estimate::FIELDS`] names them.
    pub fn estimate(&mut self, estimate: &Estimate) -> &mut Self {
        self.number(estimate.value)
            .count(estimate.n)
            .number(estimate.lo)
            .number(estimate.hi)
            .status(estimate.status)
    }

    /// A list of numbers.
    pub fn numbers(&mut self, values: impl IntoIterator<Item = f64>) -> &mut Self {
        match self.turn() {
            Builder::Numbers(builder) => {
                let values = values.into_iter().map(|it| it.is_finite().then_some(it));
                builder.append_value(values);
            }
            other => other.null(),
        }
        self
    }

    /// A list of texts.
    pub fn texts<'t>(&mut self, values: impl IntoIterator<Item = &'t str>) -> &mut Self {
        match self.turn() {
            Builder::Texts(builder) => builder.append_value(values.into_iter().map(Some)),
            other => other.null(),
        }
        self
    }

    /// A result of which nothing is known but why: NULLs, counts of 0, and the status.
    pub fn nothing(&mut self, fields: &[definition::Field], status: Status) {
        for field in fields {
            match (field.name, field.shape) {
                ("status", _) => {
                    self.status(status);
                }
                ("n" | "n_null", Shape::Whole) => {
                    self.count(0);
                }
                _ => self.turn().null(),
            }
        }
    }

    /// One bare NULL.
    pub fn null(&mut self) {
        self.turn().null();
    }

    /// Complete results so far.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The results. `order` is the type of the argument that orders rows.
    pub fn finish(
        mut self,
        returns: Returns,
        more: &[definition::Field],
        order: &DataType,
    ) -> Result<ArrayRef> {
        if self.next != 0 {
            return Err(DataFusionError::Internal("a result is not complete".into()));
        }
        let columns = mem::take(&mut self.columns);
        let columns = columns.into_iter().map(|mut column| column.finish(order));
        let mut columns = columns.collect::<Result<Vec<_>>>()?;
        match returns {
            Returns::Value(_) => Ok(columns.remove(0)),
            Returns::Record(fields) | Returns::Records(fields) => {
                let fields = struct_fields(fields, more, order);
                Ok(Arc::new(StructArray::try_new(fields, columns, None)?))
            }
        }
    }
}

/// Cuts records into one list for each group, which is NULL where the group's rows make no sense.
pub fn lists(records: ArrayRef, lengths: &[Option<usize>]) -> Result<ArrayRef> {
    let item = Arc::new(Field::new_list_field(records.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths(lengths.iter().map(|it| it.unwrap_or_default()));
    let given = lengths.iter().map(Option::is_some).collect::<NullBuffer>();
    let given = Some(given).filter(|it| it.null_count() > 0);
    Ok(Arc::new(ListArray::try_new(item, offsets, records, given)?))
}

fn struct_fields(
    fields: &[definition::Field],
    more: &[definition::Field],
    order: &DataType,
) -> Fields {
    let fields = fields.iter().chain(more);
    fields
        .map(|field| Field::new(field.name, arrow_type(field.shape, order), true))
        .collect()
}

fn arrow_type(shape: Shape, order: &DataType) -> DataType {
    match shape {
        Shape::Number => DataType::Float64,
        Shape::Whole => DataType::Int64,
        Shape::Text => DataType::Utf8,
        Shape::Truth => DataType::Boolean,
        Shape::Day => DataType::Date32,
        Shape::Order => order.clone(),
        Shape::Numbers => DataType::new_list(DataType::Float64, true),
        Shape::Texts => DataType::new_list(DataType::Utf8, true),
    }
}

/// The Arrow type of what a function returns.
pub fn return_type(returns: Returns, more: &[definition::Field], order: &DataType) -> DataType {
    match returns {
        Returns::Value(shape) => arrow_type(shape, order),
        Returns::Record(fields) => DataType::Struct(struct_fields(fields, more, order)),
        Returns::Records(fields) => {
            let item = DataType::Struct(struct_fields(fields, more, order));
            DataType::List(Arc::new(Field::new_list_field(item, true)))
        }
    }
}

/// A field of a function's result.
pub fn return_field(name: &str, kind: DataType) -> FieldRef {
    Arc::new(Field::new(name, kind, true))
}
