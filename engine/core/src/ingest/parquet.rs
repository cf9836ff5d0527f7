//! Parquet to checked batches: only casts that lose nothing, and every value checked like a CSV field.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Int8Type, Schema, TimeUnit};
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::ParquetMetaData;

use super::builder::{is_rating, not_allowed};
use super::header::Header;
use super::rejects::{Place, Rejects};
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::model::{Column, Kind, Table};

/// Decodes a whole file; calls `emit` for each batch, first with an empty one that carries the columns.
pub fn decode(
    table: &'static Table,
    reader: impl Read,
    emit: &mut dyn FnMut(RecordBatch) -> Result<()>,
) -> Result<()> {
    let file = spool(reader)?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(unreadable)?;
    check_size(builder.metadata())?;
    let names: Vec<String> = builder
        .schema()
        .fields()
        .iter()
        .map(|f| f.name().clone())
        .collect();
    let header = Header::of(table, &names)?;
    check_types(&header, builder.schema())?;
    emit(RecordBatch::new_empty(header.schema.clone()))?;

    let mut rejects = Rejects::new(Place::Row);
    let mut first_row = 1;
    let batches = builder
        .with_batch_size(limits::INGEST_BATCH_ROWS)
        .build()
        .map_err(unreadable)?;
    for batch in batches {
        let batch = batch.map_err(unreadable)?;
        let checked = convert(&header, &batch, first_row, &mut rejects)?;
        first_row += batch.num_rows() as u64;
        if rejects.is_full() {
            break;
        }
        if rejects.is_empty() {
            emit(checked)?;
        }
    }
    rejects.into_error().map_or(Ok(()), Err)
}

/// Parquet is read from its end, so the body goes to an unnamed file first.
fn spool(mut reader: impl Read) -> Result<File> {
    let mut file = tempfile::tempfile().map_err(|error| Error::internal("spool body", error))?;
    std::io::copy(&mut reader, &mut file).map_err(|error| match error.kind() {
        std::io::ErrorKind::FileTooLarge => {
            Error::limit("ingest_body_bytes", limits::INGEST_BODY_BYTES, "more")
        }
        std::io::ErrorKind::StorageFull => Error::new(Fault::Full, "no room to spool the body"),
        _ => Error::new(Fault::Invalid, "body ended early").with_source(error),
    })?;
    file.flush()
        .and_then(|()| file.rewind())
        .map_err(|error| Error::internal("spool body", error))?;
    Ok(file)
}

fn unreadable(error: impl std::error::Error) -> Error {
    Error::new(Fault::Invalid, format!("not readable as Parquet: {error}"))
}

/// A small file may claim to hold very much; what it claims is checked before anything is decoded.
fn check_size(metadata: &ParquetMetaData) -> Result<()> {
    let decoded: u64 = metadata
        .row_groups()
        .iter()
        .map(|group| u64::try_from(group.total_byte_size()).unwrap_or(u64::MAX))
        .fold(0, u64::saturating_add);
    let rows = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or(u64::MAX);
    if rows > limits::INGEST_PARQUET_ROWS {
        return Err(Error::limit(
            "ingest_parquet_rows",
            limits::INGEST_PARQUET_ROWS,
            rows,
        ));
    }
    if decoded > limits::INGEST_DECODED_BYTES {
        return Err(Error::limit(
            "ingest_decoded_bytes",
            limits::INGEST_DECODED_BYTES,
            decoded,
        ));
    }
    Ok(())
}

fn check_types(header: &Header, schema: &Schema) -> Result<()> {
    for (position, column) in &header.columns {
        let given = schema.field(*position).data_type();
        if !fits(given, column.kind) {
            return Err(Error::new(
                Fault::Invalid,
                format!(
                    "column \"{}\" is {given}, the table stores {}",
                    column.name,
                    column.kind.data_type()
                ),
            )
            .with_hint(hint(column.kind)));
        }
    }
    Ok(())
}

const fn hint(kind: Kind) -> &'static str {
    match kind {
        Kind::Money => {
            "Write money as DECIMAL with at most four decimals: binary fractions lose cents."
        }
        Kind::Timestamp => "Write instants as TIMESTAMP.",
        Kind::Date => "Write days as DATE.",
        _ => "Cast the column before writing the file.",
    }
}

/// Whether every value of a type, or every value that passes the check of its row, keeps its meaning.
fn fits(given: &DataType, kind: Kind) -> bool {
    match (kind, given) {
        (_, DataType::Null) => true,
        (_, DataType::Dictionary(_, values)) => fits(values, kind),
        (Kind::Text, given) => given.is_string(),
        (Kind::Count | Kind::Rating, given) => given.is_integer(),
        (
            Kind::Money,
            DataType::Decimal128(_, _) | DataType::Decimal64(_, _) | DataType::Decimal32(_, _),
        ) => true,
        (Kind::Money, given) => given.is_integer(),
        (Kind::Number, given) => given.is_integer() || given.is_floating(),
        (Kind::Date, given) => matches!(given, DataType::Date32),
        (Kind::Timestamp, given) => matches!(given, DataType::Timestamp(_, _)),
        (Kind::Flag, given) => matches!(given, DataType::Boolean),
    }
}

fn convert(
    header: &Header,
    batch: &RecordBatch,
    first_row: u64,
    rejects: &mut Rejects,
) -> Result<RecordBatch> {
    let mut columns = Vec::with_capacity(header.columns.len());
    for (position, column) in &header.columns {
        let given = batch.column(*position);
        let mut reject = |row: usize, reason: &str| {
            if !rejects.is_full() {
                rejects.add(first_row + row as u64, column.name, reason);
            }
        };
        columns.push(convert_column(column, given, &mut reject)?);
    }
    // Built without the schema's NOT NULL: a bad row is already noted with its place.
    if !rejects.is_empty() {
        return Ok(RecordBatch::new_empty(Arc::clone(&header.schema)));
    }
    RecordBatch::try_new(Arc::clone(&header.schema), columns)
        .map_err(|error| Error::internal("decode Parquet", error))
}

fn convert_column(
    column: &Column,
    given: &ArrayRef,
    reject: &mut dyn FnMut(usize, &str),
) -> Result<ArrayRef> {
    const WRAP: CastOptions<'_> = CastOptions {
        safe: true,
        format_options: arrow::util::display::FormatOptions::new(),
    };
    let cast = |array: &ArrayRef, to: &DataType| {
        cast_with_options(array, to, &WRAP)
            .map_err(|error| Error::internal("decode Parquet", error))
    };
    let kept = cast(given, &column.kind.data_type())?;
    // A safe cast turns what does not fit into NULL; casting back shows what it rounded.
    let loses = matches!(column.kind, Kind::Money | Kind::Timestamp | Kind::Number);
    let back = if loses && given.data_type() != kept.data_type() {
        Some(cast(&kept, given.data_type())?)
    } else {
        None
    };
    for row in 0..given.len() {
        if given.is_null(row) {
            if !column.nullable {
                reject(row, "must not be empty");
            }
        } else if kept.is_null(row) {
            reject(row, &format!("does not fit {}", column.kind.noun()));
        }
    }
    if let Some(back) = back {
        let differs = arrow::compute::kernels::cmp::distinct(&back, given)
            .map_err(|error| Error::internal("decode Parquet", error))?;
        for row in differs.values().set_indices() {
            if !kept.is_null(row) {
                reject(row, rounding(column.kind, given.data_type()));
            }
        }
    }
    check_values(column, &kept, reject);
    Ok(kept)
}

fn rounding(kind: Kind, given: &DataType) -> &'static str {
    match (kind, given) {
        (Kind::Money, _) => "has more than 4 decimals",
        (Kind::Timestamp, DataType::Timestamp(TimeUnit::Nanosecond, _)) => {
            "is finer than a microsecond"
        }
        _ => "cannot be kept exactly",
    }
}

fn check_values(column: &Column, kept: &ArrayRef, reject: &mut dyn FnMut(usize, &str)) {
    match column.kind {
        Kind::Text => {
            for (row, text) in kept.as_string::<i32>().iter().enumerate() {
                let Some(text) = text else { continue };
                if text.len() > limits::INGEST_FIELD_BYTES {
                    reject(
                        row,
                        "is longer than limit \"ingest_field_bytes\" of 1048576",
                    );
                } else if let Some(reason) = not_allowed(column, text) {
                    reject(row, &reason);
                }
            }
        }
        Kind::Rating => {
            let ratings: &PrimitiveArray<Int8Type> = kept.as_primitive();
            for (row, rating) in ratings.iter().enumerate() {
                if rating.is_some_and(|rating| !is_rating(rating)) {
                    reject(row, "is not a rating from 1 to 5");
                }
            }
        }
        Kind::Number => {
            let numbers: &PrimitiveArray<arrow::datatypes::Float64Type> = kept.as_primitive();
            for (row, number) in numbers.iter().enumerate() {
                if number.is_some_and(|number| !number.is_finite()) {
                    reject(row, "is not a finite number");
                }
            }
        }
        _ => {}
    }
}
