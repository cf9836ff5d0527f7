//! Arrow columns of any type into a table's columns: exact, value by value, or refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StringBuilder,
    TimestampMicrosecondArray, new_null_array,
};
use arrow::compute::kernels::cmp::distinct;
use arrow::compute::{CastOptions, cast_with_options, filter};
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int8Type, Schema, SchemaRef, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use arrow::record_batch::RecordBatch;

use super::builder::{ColumnBuilder, check_length, is_rating, not_allowed};
use super::dialect::{Dialect, EPOCH_DAYS};
use super::header::Header;
use super::rejects::{Reason, Rejects};
use super::strings::Strings;
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::model::{Column, Kind, Table};

/// Days since 1970-01-01 of the last day of year 9999.
const LAST_DAY: i32 = 2_932_896;
const DAY_MS: i64 = 86_400_000;
/// The instants of years 1 to 9999.
const FIRST_INSTANT_US: i64 = -62_135_596_800_000_000;
const LAST_INSTANT_US: i64 = 253_402_300_799_999_999;
/// Bytes that a value takes beside its text, about.
const VALUE_BYTES: usize = 16;

/// Takes batches of one schema into the columns of one table.
pub struct Converter {
    header: Header,
    rounds: Vec<bool>,
    rejects: Rejects,
    next_row: u64,
    text_bytes: u64,
    text_bytes_max: u64,
}

/// Notes a bad value: its row and why.
type Reject<'a> = &'a mut dyn FnMut(usize, Reason) -> Result<()>;

impl Converter {
    /// Matches the columns by name. Those named in `round` lose the decimals that they have too many.
    pub fn new(table: &Table, schema: &Schema, rejects: Rejects, round: &[String]) -> Result<Self> {
        let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
        let header = Header::of(table, &names)?;
        let rounds: Vec<bool> = header
            .columns
            .iter()
            .map(|(_, column)| round.iter().any(|name| column.name == *name))
            .collect();
        for ((position, column), rounds) in header.columns.iter().zip(&rounds) {
            check_type(column, schema.field(*position).data_type(), *rounds)?;
        }
        Ok(Self {
            header,
            rounds,
            rejects,
            next_row: 1,
            text_bytes: 0,
            text_bytes_max: limits::INGEST_DECODED_BYTES,
        })
    }

    /// Bounds what comes out by the size of the file that it comes from: a text that is stored once may be named often.
    pub fn of_file(mut self, file_bytes: u64) -> Self {
        let most = file_bytes.saturating_mul(limits::INGEST_TEXT_RATIO);
        self.text_bytes_max =
            most.clamp(limits::INGEST_TEXT_FREE_BYTES, limits::INGEST_DECODED_BYTES);
        self
    }

    /// Schema of the batches that come out.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.header.schema)
    }

    /// Whether no further row would be told.
    pub const fn is_full(&self) -> bool {
        self.rejects.is_full()
    }

    /// Takes a batch in; good rows are emitted in pieces of bounded size.
    pub fn take(
        &mut self,
        batch: &RecordBatch,
        emit: &mut dyn FnMut(RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let mut start = 0;
        while start < batch.num_rows() && !self.rejects.is_full() {
            let most = limits::INGEST_BATCH_ROWS.min(batch.num_rows() - start);
            let piece = batch.slice(start, most);
            let rows = self.rows_that_fit(&piece)?;
            let converted = self.convert(&piece.slice(0, rows))?;
            if self.rejects.is_empty() && converted.num_rows() > 0 {
                emit(converted)?;
            }
            start += rows;
        }
        Ok(())
    }

    /// The error of all bad rows, if they are not set aside.
    pub fn finish(self) -> Result<()> {
        self.rejects.into_error().map_or(Ok(()), Err)
    }

    /// How many rows from the first make a batch of bounded size; at least one. Texts that share their bytes would
    /// otherwise become very large.
    fn rows_that_fit(&mut self, piece: &RecordBatch) -> Result<usize> {
        let texts: Vec<Strings<'_>> = self
            .header
            .columns
            .iter()
            .filter_map(|(position, _)| Strings::of(piece.column(*position)))
            .collect();
        let row_bytes = VALUE_BYTES * self.header.columns.len();
        let (mut rows, mut text_bytes) = (0, 0);
        while rows < piece.num_rows()
            && (rows == 0 || text_bytes + rows * row_bytes < limits::INGEST_BATCH_BYTES)
        {
            for text in &texts {
                let length = text.value(rows).map_or(0, str::len);
                // Longer ones are refused, not copied.
                if length <= limits::INGEST_FIELD_BYTES {
                    text_bytes += length;
                }
            }
            rows += 1;
        }
        self.text_bytes += text_bytes as u64;
        if self.text_bytes > self.text_bytes_max {
            return Err(self.too_much());
        }
        Ok(rows)
    }

    fn too_much(&self) -> Error {
        if self.text_bytes > limits::INGEST_DECODED_BYTES {
            let limit = limits::INGEST_DECODED_BYTES;
            return Error::limit("ingest_decoded_bytes", limit, "more");
        }
        let limit = format!("{} to 1", limits::INGEST_TEXT_RATIO);
        Error::limit("ingest_text_ratio", limit, "more").with_hint("Send the rows as CSV.")
    }

    fn convert(&mut self, piece: &RecordBatch) -> Result<RecordBatch> {
        let first_row = self.next_row;
        self.next_row += piece.num_rows() as u64;
        let mut bad: BTreeMap<usize, (usize, Reason)> = BTreeMap::new();
        let mut columns = Vec::with_capacity(self.header.columns.len());
        let rejects = &mut self.rejects;
        let settings = self.header.columns.iter().zip(&self.rounds);
        for (number, ((position, column), rounds)) in settings.enumerate() {
            let mut reject = |row: usize, reason: Reason| {
                if rejects.sets_aside() {
                    bad.entry(row).or_insert((number, reason));
                } else {
                    rejects.add(first_row + row as u64, &column.name, reason, || None)?;
                }
                Ok(())
            };
            columns.push(convert(
                column,
                piece.column(*position),
                *rounds,
                &mut reject,
            )?);
        }
        if !self.rejects.is_empty() {
            return Ok(RecordBatch::new_empty(self.schema()));
        }
        if !bad.is_empty() {
            let good: BooleanArray = (0..piece.num_rows())
                .map(|row| Some(!bad.contains_key(&row)))
                .collect();
            for column in &mut columns {
                *column = filter(column, &good).map_err(unexpected)?;
            }
        }
        for (row, (column, reason)) in bad {
            let name = &self.header.columns[column].1.name;
            let position = first_row + row as u64;
            self.rejects.add(position, name, reason, || None)?;
        }
        RecordBatch::try_new(self.schema(), columns).map_err(unexpected)
    }
}

fn unexpected(error: arrow::error::ArrowError) -> Error {
    Error::internal("convert rows", error)
}

fn check_type(column: &Column, given: &DataType, rounds: bool) -> Result<()> {
    if fits(given, column.kind, rounds) {
        return Ok(());
    }
    Err(Error::new(
        Fault::Invalid,
        format!(
            "column \"{}\" is {given}, the table stores {}",
            column.name,
            column.kind.data_type()
        ),
    )
    .with_hint(hint(column.kind)))
}

const fn hint(kind: Kind) -> &'static str {
    match kind {
        Kind::Money | Kind::Decimal(..) => {
            "Write money as DECIMAL with at most four decimals: binary fractions lose cents."
        }
        Kind::Timestamp => "Write instants as TIMESTAMP.",
        Kind::Date => "Write days as DATE.",
        _ => "Cast the column before writing the file.",
    }
}

/// Whether every value of a type, or every value that passes the check of its row, keeps its meaning.
fn fits(given: &DataType, kind: Kind, rounds: bool) -> bool {
    match (kind, given) {
        (_, DataType::Null) => true,
        (_, DataType::Dictionary(_, values)) => fits(values, kind, rounds),
        // Text is read as strictly as a field of CSV.
        (_, given) if given.is_string() => true,
        (Kind::Text, _) => false,
        (Kind::Count | Kind::Rating, given) => given.is_integer() || given.is_decimal(),
        (Kind::Money | Kind::Decimal(..), given) => {
            given.is_integer() || given.is_decimal() || (rounds && given.is_floating())
        }
        (Kind::Number, given) => given.is_numeric(),
        (Kind::Date, given) => matches!(given, DataType::Date32 | DataType::Date64),
        (Kind::Timestamp, given) => matches!(given, DataType::Timestamp(_, _)),
        (Kind::Flag, given) => matches!(given, DataType::Boolean),
    }
}

/// The type of a column that a file's own type would make; nothing where none fits.
pub fn kind_of(given: &DataType) -> Option<Kind> {
    Some(match given {
        DataType::Null => Kind::Text,
        DataType::Dictionary(_, values) => return kind_of(values),
        given if given.is_string() => Kind::Text,
        given if given.is_integer() => Kind::Count,
        given if given.is_floating() => Kind::Number,
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => {
            // The word knows which decimals there are, and that one of them is money.
            return Kind::named(&format!("decimal({precision},{scale})"));
        }
        DataType::Timestamp(_, _) => Kind::Timestamp,
        DataType::Date32 | DataType::Date64 => Kind::Date,
        DataType::Boolean => Kind::Flag,
        _ => return None,
    })
}

fn convert(
    column: &Column,
    given: &ArrayRef,
    rounds: bool,
    reject: Reject<'_>,
) -> Result<ArrayRef> {
    let plain = match given.data_type() {
        DataType::Null => new_null_array(&column.kind.data_type(), given.len()),
        DataType::Dictionary(_, values) if !values.is_string() => cast(given, values)?,
        _ => Arc::clone(given),
    };
    let kept = match (column.kind, plain.data_type()) {
        (_, DataType::Null) => Arc::clone(&plain),
        (Kind::Text, _) => texts(column, &plain, reject)?,
        (_, given) if Strings::of(&plain).is_some() || given.is_string() => {
            parsed(column, &plain, rounds, reject)?
        }
        (Kind::Money | Kind::Decimal(..), given) if given.is_floating() => {
            rounded(column, &plain, reject)?
        }
        (Kind::Number, given) if given.is_decimal() => numbers(&plain, reject)?,
        (Kind::Timestamp, _) => instants(&plain, reject)?,
        (Kind::Date, DataType::Date64) => days(&plain, reject)?,
        (kind, _) => exact(kind, &plain, rounds, reject)?,
    };
    if !column.nullable && kept.null_count() > 0 {
        for row in (0..given.len()).filter(|row| plain.is_null(*row)) {
            reject(row, "must not be empty".into())?;
        }
    }
    check_values(column, &kept, reject)?;
    Ok(kept)
}

/// A safe cast: what does not fit becomes NULL.
fn cast(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    const SAFE: CastOptions<'_> = CastOptions {
        safe: true,
        format_options: arrow::util::display::FormatOptions::new(),
    };
    cast_with_options(array, to, &SAFE).map_err(unexpected)
}

/// Casts there and back again; what does not come back as it was has lost something.
fn exact(kind: Kind, given: &ArrayRef, rounds: bool, reject: Reject<'_>) -> Result<ArrayRef> {
    let kept = cast(given, &kind.data_type())?;
    if kept.data_type() == given.data_type() {
        return Ok(kept);
    }
    if kept.null_count() > given.null_count() {
        for row in (0..given.len()).filter(|row| kept.is_null(*row) && !given.is_null(*row)) {
            reject(row, format!("does not fit {}", kind.noun()).into())?;
        }
    }
    if rounds && matches!(kind, Kind::Money | Kind::Decimal(..)) {
        return Ok(kept);
    }
    let back = cast(&kept, given.data_type())?;
    for row in distinct(&back, given)
        .map_err(unexpected)?
        .values()
        .set_indices()
    {
        if !kept.is_null(row) {
            reject(row, loss(kind).into())?;
        }
    }
    Ok(kept)
}

fn loss(kind: Kind) -> String {
    match kind {
        Kind::Money => "has more than 4 decimals".to_owned(),
        Kind::Decimal(_, scale) => format!("has more than {scale} decimals"),
        Kind::Timestamp => "is finer than a microsecond".to_owned(),
        Kind::Count | Kind::Rating => "is not a whole number".to_owned(),
        _ => "cannot be kept exactly".to_owned(),
    }
}

fn texts(column: &Column, given: &ArrayRef, reject: Reject<'_>) -> Result<ArrayRef> {
    let Some(strings) = Strings::of(given) else {
        return cast(given, &DataType::Utf8);
    };
    let mut kept = StringBuilder::with_capacity(given.len(), 0);
    for row in 0..given.len() {
        let Some(text) = strings.value(row) else {
            kept.append_null();
            continue;
        };
        let checked = check_length(text.len()).and_then(|()| match not_allowed(column, text) {
            Some(reason) => Err(reason.into()),
            None => Ok(()),
        });
        match checked {
            Ok(()) => kept.append_value(text),
            Err(reason) => {
                reject(row, reason)?;
                kept.append_null();
            }
        }
    }
    Ok(Arc::new(kept.finish()))
}

/// Text as strictly as a field of CSV, in the plain dialect.
fn parsed(column: &Column, given: &ArrayRef, rounds: bool, reject: Reject<'_>) -> Result<ArrayRef> {
    let strings = Strings::of(given);
    let mut builder = ColumnBuilder::new(column, &Dialect::default());
    if rounds {
        builder = builder.rounding();
    }
    for row in 0..given.len() {
        match strings.as_ref().and_then(|strings| strings.value(row)) {
            None => builder.push_null(),
            Some(text) => {
                if let Err(reason) = builder.push_text(text) {
                    builder.push_null();
                    reject(row, reason)?;
                }
            }
        }
    }
    Ok(builder.finish())
}

/// Binary fractions as decimals, by the shortest text that means them: that is what everybody else shows.
fn rounded(column: &Column, given: &ArrayRef, reject: Reject<'_>) -> Result<ArrayRef> {
    let mut builder = ColumnBuilder::new(column, &Dialect::default()).rounding();
    let single = matches!(given.data_type(), DataType::Float16 | DataType::Float32);
    let wide = cast(given, &DataType::Float64)?;
    let values: &Float64Array = wide.as_primitive::<Float64Type>();
    for (row, value) in values.iter().enumerate() {
        let text = match value {
            None => {
                builder.push_null();
                continue;
            }
            #[expect(clippy::cast_possible_truncation, reason = "it was that narrow before")]
            Some(value) if single => (value as f32).to_string(),
            Some(value) => value.to_string(),
        };
        if let Err(reason) = builder.push_text(&text) {
            builder.push_null();
            reject(row, reason)?;
        }
    }
    Ok(builder.finish())
}

/// Decimals as the nearest binary fractions, where those still mean the same decimals.
fn numbers(given: &ArrayRef, reject: Reject<'_>) -> Result<ArrayRef> {
    let texts = cast(given, &DataType::Utf8)?;
    let scale = match given.data_type() {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => usize::try_from(*scale).unwrap_or(0),
        _ => 0,
    };
    let mut kept = Vec::with_capacity(given.len());
    for (row, text) in texts.as_string::<i32>().iter().enumerate() {
        let number = text.and_then(|text| text.parse::<f64>().ok());
        if let (Some(text), Some(number)) = (text, number) {
            // Fifteen digits always survive.
            let survives = text.len() <= 15 || format!("{number:.scale$}") == text;
            if !survives {
                reject(row, loss(Kind::Number).into())?;
            }
        }
        kept.push(number);
    }
    Ok(Arc::new(Float64Array::from(kept)))
}

/// Instants of any unit; without a zone they are UTC, as everywhere.
fn instants(given: &ArrayRef, reject: Reject<'_>) -> Result<ArrayRef> {
    let DataType::Timestamp(unit, _) = given.data_type() else {
        return cast(given, &Kind::Timestamp.data_type());
    };
    let values: Vec<Option<i64>> = match unit {
        TimeUnit::Second => given.as_primitive::<TimestampSecondType>().iter().collect(),
        TimeUnit::Millisecond => given
            .as_primitive::<TimestampMillisecondType>()
            .iter()
            .collect(),
        TimeUnit::Microsecond => given
            .as_primitive::<TimestampMicrosecondType>()
            .iter()
            .collect(),
        TimeUnit::Nanosecond => given
            .as_primitive::<TimestampNanosecondType>()
            .iter()
            .collect(),
    };
    let mut kept = Vec::with_capacity(values.len());
    for (row, value) in values.into_iter().enumerate() {
        let Some(value) = value else {
            kept.push(None);
            continue;
        };
        let micros = match unit {
            TimeUnit::Second => value.checked_mul(1_000_000),
            TimeUnit::Millisecond => value.checked_mul(1_000),
            TimeUnit::Microsecond => Some(value),
            TimeUnit::Nanosecond => Some(value.div_euclid(1_000)),
        };
        let micros = micros.filter(|at| (FIRST_INSTANT_US..=LAST_INSTANT_US).contains(at));
        if micros.is_none() {
            reject(row, "is outside of the years 1 to 9999".into())?;
        } else if *unit == TimeUnit::Nanosecond && value % 1_000 != 0 {
            reject(row, loss(Kind::Timestamp).into())?;
        }
        kept.push(micros);
    }
    Ok(Arc::new(
        TimestampMicrosecondArray::from(kept).with_timezone("UTC"),
    ))
}

/// Days that are counted in milliseconds.
fn days(given: &ArrayRef, reject: Reject<'_>) -> Result<ArrayRef> {
    let millis = cast(given, &DataType::Int64)?;
    let millis: &Int64Array = millis.as_primitive();
    let mut kept = Vec::with_capacity(millis.len());
    for (row, value) in millis.iter().enumerate() {
        let day = value.and_then(|value| {
            let whole = value % DAY_MS == 0;
            i32::try_from(value / DAY_MS).ok().filter(|_| whole)
        });
        if value.is_some() && day.is_none() {
            reject(row, "is not a whole day".into())?;
        }
        kept.push(day);
    }
    Ok(Arc::new(arrow::array::Date32Array::from(kept)))
}

/// What a type of Arrow allows and a column does not.
fn check_values(column: &Column, kept: &ArrayRef, reject: Reject<'_>) -> Result<()> {
    match column.kind {
        Kind::Rating => {
            for (row, rating) in kept.as_primitive::<Int8Type>().iter().enumerate() {
                if rating.is_some_and(|rating| !is_rating(rating)) {
                    reject(row, "is not a rating from 1 to 5".into())?;
                }
            }
        }
        Kind::Number => {
            for (row, number) in kept.as_primitive::<Float64Type>().iter().enumerate() {
                if number.is_some_and(|number| !number.is_finite()) {
                    reject(row, "is not a finite number".into())?;
                }
            }
        }
        Kind::Date => {
            for (row, day) in kept.as_primitive::<Date32Type>().iter().enumerate() {
                if day.is_some_and(|day| !(-EPOCH_DAYS - 365..=LAST_DAY).contains(&day)) {
                    reject(row, "is outside of the years 0 to 9999".into())?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}
