//! One column under construction from the values of a text file, strictly typed.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int8Builder,
    Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::DataType;

use super::dialect::{Dialect, Excess, not_a};
use super::rejects::{Reason, quote};
use super::text::OTHER_ENCODING;
use crate::limits;
use crate::model::{Column, Kind, MONEY_PRECISION, MONEY_SCALE};

/// Collects the values of one column.
pub struct ColumnBuilder {
    column: Column,
    dialect: Dialect,
    excess: Excess,
    values: Values,
}

enum Values {
    Text(StringBuilder),
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder),
    Count(Int64Builder),
    Rating(Int8Builder),
    Decimal(Decimal128Builder, u8, i8),
    Number(Float64Builder),
    Flag(BooleanBuilder),
}

impl ColumnBuilder {
    pub fn new(column: &Column, dialect: &Dialect) -> Self {
        let values = match column.kind {
            Kind::Text => Values::Text(StringBuilder::new()),
            Kind::Date => Values::Date(Date32Builder::new()),
            Kind::Timestamp => {
                Values::Timestamp(TimestampMicrosecondBuilder::new().with_timezone("UTC"))
            }
            Kind::Count => Values::Count(Int64Builder::new()),
            Kind::Rating => Values::Rating(Int8Builder::new()),
            Kind::Money => decimals(MONEY_PRECISION, MONEY_SCALE),
            Kind::Decimal(precision, scale) => decimals(precision, scale),
            Kind::Number => Values::Number(Float64Builder::new()),
            Kind::Flag => Values::Flag(BooleanBuilder::new()),
        };
        Self {
            column: column.clone(),
            dialect: dialect.clone(),
            excess: Excess::Refused,
            values,
        }
    }

    /// Rounds what has too many decimals.
    pub const fn rounding(mut self) -> Self {
        self.excess = Excess::Rounded;
        self
    }

    pub const fn column(&self) -> &Column {
        &self.column
    }

    /// Takes one field of CSV; an empty one is NULL. The error is the reason why the value is bad, and then nothing is
    /// taken.
    pub fn push(&mut self, field: &[u8]) -> Result<(), Reason> {
        if field.is_empty() {
            return self.push_absent("must not be empty");
        }
        // Before the text is looked at: that takes as long as it is.
        check_length(field.len())?;
        let text = std::str::from_utf8(field).map_err(|error| {
            Reason::or_send(
                format!(
                    "is not UTF-8 at byte {} of the value",
                    error.valid_up_to() + 1
                ),
                OTHER_ENCODING,
            )
        })?;
        self.push_text(text)
    }

    /// Takes the text of a value; one that was declared to mean NULL is NULL.
    pub fn push_text(&mut self, text: &str) -> Result<(), Reason> {
        check_length(text.len())?;
        if self.dialect.is_null(text) {
            return self.push_absent("must not be NULL");
        }
        let kind = self.column.kind;
        let bad = || not_a(kind, text);
        match &mut self.values {
            Values::Text(values) => {
                if let Some(reason) = not_allowed(&self.column, text) {
                    return Err(reason.into());
                }
                values.append_value(text);
            }
            Values::Date(values) => values.append_value(self.dialect.date(text)?),
            Values::Timestamp(values) => values.append_value(self.dialect.timestamp(text)?),
            Values::Count(values) => values.append_value(text.parse().map_err(|_| bad())?),
            Values::Rating(values) => {
                let rating = text.parse().ok().filter(|rating| is_rating(*rating));
                values.append_value(rating.ok_or_else(bad)?);
            }
            Values::Decimal(values, precision, scale) => {
                let digits = (*precision, *scale);
                values.append_value(self.dialect.decimal(text, kind, digits, self.excess)?);
            }
            Values::Number(values) => values.append_value(self.dialect.number(text)?),
            Values::Flag(values) => values.append_value(text.parse().map_err(|_| bad())?),
        }
        Ok(())
    }

    /// Takes a number as JSON writes it, whose decimals follow a point in any dialect.
    pub fn push_number(&mut self, plain: &str) -> Result<(), Reason> {
        check_length(plain.len())?;
        match &mut self.values {
            Values::Date(_) | Values::Timestamp(_) | Values::Flag(_) => {
                Err(not_a(self.column.kind, plain))
            }
            Values::Decimal(values, precision, scale) => {
                let digits = (*precision, *scale);
                let kind = self.column.kind;
                let units = Dialect::default().decimal(plain, kind, digits, self.excess)?;
                values.append_value(units);
                Ok(())
            }
            Values::Number(values) => {
                values.append_value(Dialect::default().number(plain)?);
                Ok(())
            }
            Values::Text(_) | Values::Count(_) | Values::Rating(_) => self.push_text(plain),
        }
    }

    /// Takes true or false.
    pub fn push_flag(&mut self, flag: bool) -> Result<(), Reason> {
        match &mut self.values {
            Values::Flag(values) => {
                values.append_value(flag);
                Ok(())
            }
            Values::Text(_) => self.push_text(if flag { "true" } else { "false" }),
            _ => Err(not_a(self.column.kind, if flag { "true" } else { "false" })),
        }
    }

    /// Takes NULL, where the column may have it.
    pub fn push_absent(&mut self, otherwise: &str) -> Result<(), Reason> {
        if !self.column.nullable {
            return Err(otherwise.into());
        }
        self.push_null();
        Ok(())
    }

    /// Holds the place of a value that was bad; its row is not to be stored.
    pub fn push_null(&mut self) {
        match &mut self.values {
            Values::Text(values) => values.append_null(),
            Values::Date(values) => values.append_null(),
            Values::Timestamp(values) => values.append_null(),
            Values::Count(values) => values.append_null(),
            Values::Rating(values) => values.append_null(),
            Values::Decimal(values, ..) => values.append_null(),
            Values::Number(values) => values.append_null(),
            Values::Flag(values) => values.append_null(),
        }
    }

    /// The values so far as an array; the builder is empty again.
    pub fn finish(&mut self) -> ArrayRef {
        match &mut self.values {
            Values::Text(values) => Arc::new(values.finish()),
            Values::Date(values) => Arc::new(values.finish()),
            Values::Timestamp(values) => Arc::new(values.finish()),
            Values::Count(values) => Arc::new(values.finish()),
            Values::Rating(values) => Arc::new(values.finish()),
            Values::Decimal(values, ..) => Arc::new(values.finish()),
            Values::Number(values) => Arc::new(values.finish()),
            Values::Flag(values) => Arc::new(values.finish()),
        }
    }
}

fn decimals(precision: u8, scale: i8) -> Values {
    let kind = DataType::Decimal128(precision, scale);
    Values::Decimal(
        Decimal128Builder::new().with_data_type(kind),
        precision,
        scale,
    )
}

/// Refuses a value that is longer than one may be.
pub fn check_length(bytes: usize) -> Result<(), Reason> {
    if bytes > limits::INGEST_FIELD_BYTES {
        return Err(format!(
            "has {bytes} bytes, limit \"ingest_field_bytes\" is {}",
            limits::INGEST_FIELD_BYTES
        )
        .into());
    }
    Ok(())
}

/// Why this column does not take this text, if it does not.
pub fn not_allowed(column: &Column, text: &str) -> Option<String> {
    if text.as_bytes().contains(&0) {
        return Some(format!("{} has a NUL byte", quote(text)));
    }
    let allowed = column.allowed;
    (!allowed.is_empty() && !allowed.contains(&text))
        .then(|| format!("{} is not one of {}", quote(text), allowed.join(", ")))
}

/// Whether a number is a rating.
pub const fn is_rating(rating: i8) -> bool {
    rating >= 1 && rating <= 5
}
