//! Texts that a spreadsheet would compute: an apostrophe in front makes them what they are, texts.
//!
//! Columns of other types are left alone, and so is a text that reads as a plain number: `-12.50` is no formula.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use tributary_engine_core::{Error, Result};

/// The batch with no formula in its texts or in the names of its columns.
pub(super) fn neutralised(batch: &RecordBatch) -> Result<RecordBatch> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    let columns: Vec<(FieldRef, ArrayRef)> = columns
        .map(|(field, column)| {
            let name = neutral(field.name());
            if !is_text(field.data_type()) {
                return Ok((
                    Arc::new(field.as_ref().clone().with_name(name)),
                    Arc::clone(column),
                ));
            }
            let field = Field::new(name, DataType::Utf8, field.is_nullable());
            Ok((Arc::new(field), neutral_texts(column)?))
        })
        .collect::<Result<_>>()?;
    let (fields, columns): (Vec<FieldRef>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &rows)
        .map_err(|error| Error::internal("neutralise formulas", error))
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}

fn neutral_texts(column: &ArrayRef) -> Result<ArrayRef> {
    let texts =
        cast(column, &DataType::Utf8).map_err(|error| Error::internal("read texts", error))?;
    let mut neutralised = StringBuilder::new();
    for text in texts.as_string::<i32>() {
        neutralised.append_option(text.map(neutral));
    }
    Ok(Arc::new(neutralised.finish()))
}

fn neutral(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number(text) {
        return Cow::Owned(format!("'{text}"));
    }
    Cow::Borrowed(text)
}

/// An optional sign, digits with at most one point among them, and nothing else.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let points = digits.bytes().filter(|byte| *byte == b'.').count();
    points <= 1
        && digits.bytes().any(|byte| is_digit(&byte))
        && digits.bytes().all(|byte| is_digit(&byte) || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_what_a_spreadsheet_would_compute() {
        for formula in [
            "=1+1",
            "+cmd",
            "-1+1",
            "@SUM(A1)",
            "\tx",
            "\r=1",
            "-",
            "+",
            "-1-2",
            "--1",
            "+49 170 1",
            "-1e5|cmd",
        ] {
            assert_eq!(neutral(formula), format!("'{formula}"), "{formula:?}");
        }
        for text in ["", "a=1", "'=1", "-12.50", "+3", "-.5", " =1", "3"] {
            assert_eq!(neutral(text), text);
        }
    }
}
