//! Days and instants as the numerics want them: whole numbers.

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int64Type, IntervalMonthDayNanoType, TimeUnit,
    TimestampMicrosecondType,
};
use datafusion::error::Result;

/// Microseconds of a day.
pub const DAY_US: i64 = 86_400_000_000;

/// The UTC day of a DATE or a TIMESTAMP.
pub fn days(array: &ArrayRef) -> Result<PrimitiveArray<Date32Type>> {
    if *array.data_type() == DataType::Date32 {
        return Ok(array.as_primitive().clone());
    }
    let micros = micros(array)?;
    let micros = micros.as_primitive::<TimestampMicrosecondType>();
    // A 64-bit count of microseconds reaches 292,000 years either way, which a day's 32 bits hold.
    Ok(micros.unary(|micros| i32::try_from(micros.div_euclid(DAY_US)).unwrap_or_default()))
}

/// Microseconds since 1970-01-01 00:00 UTC of a TIMESTAMP, or of the midnight of a DATE.
pub fn moments(array: &ArrayRef) -> Result<PrimitiveArray<Int64Type>> {
    let micros = micros(array)?;
    Ok(micros
        .as_primitive::<TimestampMicrosecondType>()
        .unary(|it| it))
}

/// Days of intervals. One with months has no length: NULL.
pub fn interval_days(array: &ArrayRef) -> PrimitiveArray<Float64Type> {
    let intervals = array.as_primitive::<IntervalMonthDayNanoType>();
    intervals.unary_opt(|it| {
        let nanos = it.nanoseconds as f64 / (1_000.0 * DAY_US as f64);
        (it.months == 0).then_some(f64::from(it.days) + nanos)
    })
}

/// What orders rows, as a whole number: days, microseconds, or itself.
pub fn wholes(array: &ArrayRef) -> Result<PrimitiveArray<Int64Type>> {
    match array.data_type() {
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>();
            Ok(days.unary(i64::from))
        }
        DataType::Timestamp(..) => moments(array),
        _ => Ok(array.as_primitive().clone()),
    }
}

/// The other way, to the type that they had.
pub fn ordered(wholes: PrimitiveArray<Int64Type>, kind: &DataType) -> Result<ArrayRef> {
    let array: ArrayRef = match kind {
        DataType::Date32 => std::sync::Arc::new(
            wholes.unary::<_, Date32Type>(|it| i32::try_from(it).unwrap_or_default()),
        ),
        DataType::Timestamp(_, zone) => {
            let micros = wholes.unary::<_, TimestampMicrosecondType>(|it| it);
            let micros = micros.with_timezone_opt(zone.clone());
            cast(&micros, kind)?
        }
        _ => std::sync::Arc::new(wholes),
    };
    Ok(array)
}

fn micros(array: &ArrayRef) -> Result<ArrayRef> {
    let zone = match array.data_type() {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    Ok(cast(
        array,
        &DataType::Timestamp(TimeUnit::Microsecond, zone),
    )?)
}
