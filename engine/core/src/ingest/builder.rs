//! One column under construction from the fields of a text file, strictly typed.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int8Builder,
    Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike};

use super::rejects::quote;
use crate::limits;
use crate::model::{Column, Kind, MONEY_PRECISION, MONEY_SCALE};

/// Days from the first day of the common era to 1970-01-01.
const EPOCH_DAYS: i32 = 719_163;

/// Collects the values of one column.
pub struct ColumnBuilder {
    column: &'static Column,
    values: Values,
}

enum Values {
    Text(StringBuilder),
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder),
    Count(Int64Builder),
    Rating(Int8Builder),
    Money(Decimal128Builder),
    Number(Float64Builder),
    Flag(BooleanBuilder),
}

impl ColumnBuilder {
    pub fn new(column: &'static Column) -> Self {
        let values = match column.kind {
            Kind::Text => Values::Text(StringBuilder::new()),
            Kind::Date => Values::Date(Date32Builder::new()),
            Kind::Timestamp => {
                Values::Timestamp(TimestampMicrosecondBuilder::new().with_timezone("UTC"))
            }
            Kind::Count => Values::Count(Int64Builder::new()),
            Kind::Rating => Values::Rating(Int8Builder::new()),
            Kind::Money => {
                Values::Money(Decimal128Builder::new().with_data_type(Kind::Money.data_type()))
            }
            Kind::Number => Values::Number(Float64Builder::new()),
            Kind::Flag => Values::Flag(BooleanBuilder::new()),
        };
        Self { column, values }
    }

    pub const fn column(&self) -> &'static Column {
        self.column
    }

    /// Takes one field; an empty one is NULL. The error is the reason why the value is bad.
    pub fn push(&mut self, field: &[u8]) -> Result<(), String> {
        if field.is_empty() {
            return if self.column.nullable {
                self.push_null();
                Ok(())
            } else {
                Err("must not be empty".to_owned())
            };
        }
        if field.len() > limits::INGEST_FIELD_BYTES {
            return Err(format!(
                "has {} bytes, limit \"ingest_field_bytes\" is {}",
                field.len(),
                limits::INGEST_FIELD_BYTES
            ));
        }
        let text = std::str::from_utf8(field).map_err(|error| {
            format!(
                "is not UTF-8 at byte {} of the value",
                error.valid_up_to() + 1
            )
        })?;
        self.push_text(text)
    }

    fn push_text(&mut self, text: &str) -> Result<(), String> {
        let bad = || format!("{} is not {}", quote(text), self.column.kind.noun());
        match &mut self.values {
            Values::Text(values) => {
                if let Some(reason) = not_allowed(self.column, text) {
                    return Err(reason);
                }
                values.append_value(text);
            }
            Values::Date(values) => values.append_value(date(text).ok_or_else(bad)?),
            Values::Timestamp(values) => values.append_value(timestamp(text).ok_or_else(bad)?),
            Values::Count(values) => values.append_value(text.parse().map_err(|_| bad())?),
            Values::Rating(values) => {
                let rating = text.parse().ok().filter(|rating| is_rating(*rating));
                values.append_value(rating.ok_or_else(bad)?);
            }
            Values::Money(values) => values.append_value(money(text)?.ok_or_else(bad)?),
            Values::Number(values) => {
                let number = text.parse().ok().filter(|number: &f64| number.is_finite());
                values.append_value(number.ok_or_else(bad)?);
            }
            Values::Flag(values) => values.append_value(text.parse().map_err(|_| bad())?),
        }
        Ok(())
    }

    fn push_null(&mut self) {
        match &mut self.values {
            Values::Text(values) => values.append_null(),
            Values::Date(values) => values.append_null(),
            Values::Timestamp(values) => values.append_null(),
            Values::Count(values) => values.append_null(),
            Values::Rating(values) => values.append_null(),
            Values::Money(values) => values.append_null(),
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
            Values::Money(values) => Arc::new(values.finish()),
            Values::Number(values) => Arc::new(values.finish()),
            Values::Flag(values) => Arc::new(values.finish()),
        }
    }
}

/// Why this column does not take this text, if it does not.
pub fn not_allowed(column: &Column, text: &str) -> Option<String> {
    let allowed = column.allowed;
    (!allowed.is_empty() && !allowed.contains(&text))
        .then(|| format!("{} is not one of {}", quote(text), allowed.join(", ")))
}

/// Whether a number is a rating.
pub const fn is_rating(rating: i8) -> bool {
    rating >= 1 && rating <= 5
}

/// `2024-05-31`, nothing else.
fn date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        let digits = &bytes[range];
        digits.iter().all(u8::is_ascii_digit).then(|| {
            digits
                .iter()
                .fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'))
        })
    };
    let year = i32::try_from(number(0..4)?).ok()?;
    let day = NaiveDate::from_ymd_opt(year, number(5..7)?, number(8..10)?)?;
    Some(day.num_days_from_ce() - EPOCH_DAYS)
}

/// RFC 3339, a blank allowed in place of the T; without an offset it is UTC. No leap seconds, nothing finer than a
/// microsecond, years 1 to 9999.
fn timestamp(text: &str) -> Option<i64> {
    let instant = match DateTime::parse_from_rfc3339(text) {
        Ok(instant) => instant.naive_utc(),
        Err(_) => ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?,
    };
    let exact = instant.nanosecond() < 1_000_000_000 && instant.nanosecond().is_multiple_of(1_000);
    (exact && (1..=9999).contains(&instant.year())).then(|| instant.and_utc().timestamp_micros())
}

/// A plain decimal number in units of 10⁻⁴. `Ok(None)` is no number at all; the error is one that does not fit.
fn money(text: &str) -> Result<Option<i128>, String> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let point = digits
        .iter()
        .position(|b| *b == b'.')
        .unwrap_or(digits.len());
    let whole = &digits[..point];
    let decimals = digits.get(point + 1..).unwrap_or_default();
    let all_digits = whole.iter().chain(decimals).all(u8::is_ascii_digit);
    if !all_digits || (whole.is_empty() && decimals.is_empty()) {
        return Ok(None);
    }
    let scale = MONEY_SCALE as usize;
    let excess = decimals.get(scale..).unwrap_or_default();
    if excess.iter().any(|digit| *digit != b'0') {
        return Err(format!("{} has more than {scale} decimals", quote(text)));
    }
    let significant = whole.iter().position(|b| *b != b'0').unwrap_or(whole.len());
    if whole.len() - significant > MONEY_PRECISION as usize - scale {
        return Err(format!(
            "{} has more than {} digits before the point",
            quote(text),
            MONEY_PRECISION as usize - scale
        ));
    }
    let kept = decimals.iter().chain(b"0000").take(scale);
    let units = whole[significant..]
        .iter()
        .chain(kept)
        .fold(0_i128, |sum, digit| sum * 10 + i128::from(digit - b'0'));
    Ok(Some(if negative { -units } else { units }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_exact_or_refused() {
        assert_eq!(money("1234.5"), Ok(Some(12_345_000)));
        assert_eq!(money("-0.0001"), Ok(Some(-1)));
        assert_eq!(money("+007"), Ok(Some(70_000)));
        assert_eq!(money("1.50000"), Ok(Some(15_000)));
        assert_eq!(
            money("999999999999999.9999"),
            Ok(Some(9_999_999_999_999_999_999))
        );
        assert!(money("1.00001").is_err());
        assert!(money("1000000000000000").is_err());
        for text in ["", ".", "-", "1,5", "1e3", "0x1", " 1", "1.2.3", "NaN"] {
            assert_eq!(money(text), Ok(None), "{text:?}");
        }
    }

    #[test]
    fn dates_and_timestamps_are_strict() {
        assert_eq!(date("1970-01-02"), Some(1));
        for text in [
            "2023-02-29",
            "2023-1-01",
            "01/02/2023",
            "2023-01-01T00:00:00Z",
            "20x3-01-01",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
        assert_eq!(timestamp("1970-01-01T00:00:01.5Z"), Some(1_500_000));
        assert_eq!(timestamp("1970-01-01T01:00:00+01:00"), Some(0));
        for text in [
            "yesterday",
            "2024-01-01",
            "2024-13-01T00:00:00Z",
            "01/02/2024 10:00",
            "2024-05-31T09:30:60Z",
            "2024-05-31T09:30:00 America/New_York",
            "2024-05-31T09:30:00.1234567Z",
            "0000-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
        ] {
            assert_eq!(timestamp(text), None, "{text}");
        }
    }
}
