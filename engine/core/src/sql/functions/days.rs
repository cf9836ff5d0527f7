//! A function of a day whose other arguments are literals is computed once for each day that a batch has, and handed out to its
//! rows: a batch has thousands of rows and at most a few hundred days.

use arrow::array::{Array, ArrayRef, PrimitiveArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::Date32Type;
use datafusion::error::Result;

/// The most days between the first and the last of a batch for which a table of them is made.
const SPAN_MAX: usize = 1 << 16;

/// The days of a batch, each once, and which of them each row has; nothing where that would not pay.
pub fn distinct(
    days: &PrimitiveArray<Date32Type>,
) -> Option<(PrimitiveArray<Date32Type>, UInt32Array)> {
    let least = arrow::compute::min(days)?;
    let span = i64::from(arrow::compute::max(days)?) - i64::from(least) + 1;
    let span = usize::try_from(span)
        .ok()
        .filter(|span| *span <= SPAN_MAX)?;
    const UNSEEN: u32 = u32::MAX;
    let mut places = vec![UNSEEN; span];
    let mut once = Vec::new();
    let place = |day: i32, once: &mut Vec<i32>, places: &mut Vec<u32>| {
        let slot = &mut places[day.abs_diff(least) as usize];
        if *slot == UNSEEN {
            *slot = u32::try_from(once.len()).unwrap_or(UNSEEN);
            once.push(day);
        }
        *slot
    };
    let rows: Vec<u32> = match days.null_count() {
        0 => days
            .values()
            .iter()
            .map(|day| place(*day, &mut once, &mut places))
            .collect(),
        _ => {
            let rows = days.iter();
            rows.map(|day| day.map_or(0, |day| place(day, &mut once, &mut places)))
                .collect()
        }
    };
    let rows = UInt32Array::new(rows.into(), days.nulls().cloned());
    Some((PrimitiveArray::new(once.into(), None), rows))
}

/// Hands results for days out to rows; a row without a day has none.
pub fn spread(results: &ArrayRef, rows: &UInt32Array) -> Result<ArrayRef> {
    Ok(take(results, rows, None)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_get_what_their_day_has() {
        let days: PrimitiveArray<Date32Type> =
            [Some(5), None, Some(-3), Some(5)].into_iter().collect();
        let (once, rows) = distinct(&days).unwrap();
        assert_eq!(once.values().as_ref(), [5, -3]);
        let again = spread(&(std::sync::Arc::new(once) as ArrayRef), &rows).unwrap();
        assert_eq!(again.as_ref(), &days as &dyn Array);
        let far: PrimitiveArray<Date32Type> = [0, i32::MAX].into_iter().map(Some).collect();
        assert!(distinct(&far).is_none());
        let none: PrimitiveArray<Date32Type> = [None].into_iter().collect();
        assert!(distinct(&none).is_none());
    }
}
