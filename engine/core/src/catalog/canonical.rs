//! Columns without what lies unseen beside their values: what a reader left where a value is NULL are bytes of other rows,
//! which a binary format would send along.
//!
//! Knows nothing of tables or of who asks.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, MutableArrayData, make_array};
use arrow::error::Result;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

/// The same rows, made of nothing but their values.
pub fn canonical(batch: &RecordBatch) -> Result<RecordBatch> {
    let columns = batch.columns().iter().map(column);
    let columns = columns.collect::<Result<_>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(batch.schema(), columns, &options)
}

fn column(column: &ArrayRef) -> Result<ArrayRef> {
    let Some(nulls) = column.nulls() else {
        return Ok(Arc::clone(column));
    };
    let data = column.to_data();
    if column.null_count() == 0 {
        return Ok(make_array(data.into_builder().nulls(None).build()?));
    }
    let mut copy = MutableArrayData::new(vec![&data], true, column.len());
    let mut end = 0;
    for (from, to) in nulls.valid_slices() {
        copy.try_extend_nulls(from - end)?;
        copy.try_extend(0, from, to)?;
        end = to;
    }
    copy.try_extend_nulls(column.len() - end)?;
    Ok(make_array(copy.freeze()))
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int64Array, StringArray};
    use arrow::buffer::NullBuffer;
    use arrow::datatypes::Int64Type;

    use super::*;

    #[test]
    fn nothing_is_left_under_a_null() {
        let nulls = NullBuffer::from(vec![false, true, true, false, false, true, false]);
        let values = Int64Array::new(vec![7, 1, 2, 7, 7, 3, 7].into(), Some(nulls));
        let texts = StringArray::from(vec![None, Some("a"), None, None, Some("b"), None, None]);
        let columns: [(&str, ArrayRef); 2] =
            [("values", Arc::new(values)), ("texts", Arc::new(texts))];
        let batch = RecordBatch::try_from_iter(columns).expect("a batch");
        let clean = canonical(&batch).expect("a batch");
        assert_eq!(clean, batch, "the values are the same");
        let values = clean
            .column(0)
            .as_primitive::<Int64Type>()
            .values()
            .to_vec();
        assert_eq!(values, [0, 1, 2, 0, 0, 3, 0]);
        let empty = canonical(&batch.slice(0, 0)).expect("a batch");
        assert_eq!(empty.num_rows(), 0);
    }

    #[test]
    fn a_column_that_has_no_null_does_not_tell_that_it_could() {
        let nulls = Some(NullBuffer::new_valid(2));
        let values: ArrayRef = Arc::new(Int64Array::new(vec![1, 2].into(), nulls));
        let column = column(&values).expect("a column");
        assert!(column.nulls().is_none());
    }
}
