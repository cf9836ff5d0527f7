//! `date_part` and `date_trunc` of UTC instants for years, quarters, months and days, by integer arithmetic.
//!
//! DataFusion's own go through the time zone database row by row, which for UTC looks up nothing. Everything else, other
//! parts, other types, other zones, is handed to them, and so are planning and documentation. Days to years and months
//! by Hinnant's `civil_from_days` and `days_from_civil` (2013), proleptic Gregorian.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, FieldRef, TimeUnit, TimestampMicrosecondType};
use datafusion::error::Result;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature,
};

const DAY_US: i64 = 86_400_000_000;

/// One of DataFusion's calendar functions, with a short way for UTC.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct UtcCalendar {
    inner: Arc<ScalarUDF>,
    shortcut: Shortcut,
}

/// Which short way to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Shortcut {
    Part,
    Trunc,
}

impl UtcCalendar {
    /// Both functions.
    pub fn all() -> [Self; 2] {
        use datafusion::functions::datetime::{date_part, date_trunc};
        [
            Self {
                inner: date_part(),
                shortcut: Shortcut::Part,
            },
            Self {
                inner: date_trunc(),
                shortcut: Shortcut::Trunc,
            },
        ]
    }
}

impl ScalarUDFImpl for UtcCalendar {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        self.inner.inner().return_type(args)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.inner().return_field_from_args(args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if let [ColumnarValue::Scalar(unit), ColumnarValue::Array(array)] = args.args.as_slice()
            && let Some(unit) = unit.try_as_str().flatten()
            && is_utc(array.data_type())
            && let Some(answer) = self.shortcut.take(unit, array)
        {
            return Ok(ColumnarValue::Array(answer));
        }
        self.inner.inner().invoke_with_args(args)
    }

    fn preimage(
        &self,
        args: &[Expr],
        literal: &Expr,
        info: &SimplifyContext,
    ) -> Result<PreimageResult> {
        self.inner.inner().preimage(args, literal, info)
    }

    fn output_ordering(&self, input: &[ExprProperties]) -> Result<SortProperties> {
        self.inner.inner().output_ordering(input)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.inner().documentation()
    }
}

fn is_utc(kind: &DataType) -> bool {
    matches!(kind, DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) if zone.as_ref() == "UTC")
}

impl Shortcut {
    fn take(self, unit: &str, instants: &ArrayRef) -> Option<ArrayRef> {
        let instants = instants.as_primitive::<TimestampMicrosecondType>();
        match self {
            Self::Part => part(unit, instants),
            Self::Trunc => trunc(unit, instants),
        }
    }
}

/// `date_part` of the parts that depend on the day alone.
fn part(unit: &str, instants: &TimestampMicrosecondArray) -> Option<ArrayRef> {
    let of: fn(Civil) -> i64 = match unit.to_ascii_lowercase().as_str() {
        "year" => |day| day.year,
        "quarter" => |day| (day.month + 2) / 3,
        "month" => |day| day.month,
        "day" => |day| day.day,
        _ => return None,
    };
    let parts: Int32Array = instants.unary(|us| {
        // A 64-bit count of microseconds reaches 292,000 years either way.
        i32::try_from(of(Civil::of(us.div_euclid(DAY_US)))).unwrap_or_default()
    });
    Some(Arc::new(parts))
}

/// `date_trunc` to the starts of days and longer periods.
fn trunc(unit: &str, instants: &TimestampMicrosecondArray) -> Option<ArrayRef> {
    let start: fn(i64) -> i64 = match unit.to_ascii_lowercase().as_str() {
        "day" => |days| days,
        "month" => |days| days - Civil::of(days).day + 1,
        "quarter" => |days| {
            let day = Civil::of(days);
            days_from_civil(day.year, (day.month - 1) / 3 * 3 + 1)
        },
        "year" => |days| days_from_civil(Civil::of(days).year, 1),
        _ => return None,
    };
    let starts = instants.try_unary::<_, TimestampMicrosecondType, ()>(|us| {
        start(us.div_euclid(DAY_US)).checked_mul(DAY_US).ok_or(())
    });
    // Out of range at the very beginning of time: let the slow way say so.
    Some(Arc::new(starts.ok()?.with_timezone("UTC")))
}

/// A day of the proleptic Gregorian calendar.
#[derive(Clone, Copy)]
struct Civil {
    year: i64,
    month: i64,
    day: i64,
}

impl Civil {
    /// The day this many days after 1970-01-01.
    const fn of(days: i64) -> Self {
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        Self {
            year: year_of_era + era * 400 + (month <= 2) as i64,
            month,
            day: day_of_year - (153 * shifted_month + 2) / 5 + 1,
        }
    }
}

/// Days from 1970-01-01 to the first day of a month.
const fn days_from_civil(year: i64, month: i64) -> i64 {
    let year = year - (month <= 2) as i64;
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;
    use datafusion::common::ScalarValue;
    use datafusion::config::ConfigOptions;

    use super::*;

    fn call(function: &dyn ScalarUDFImpl, unit: &str, array: &ArrayRef) -> ArrayRef {
        let unit = ScalarValue::from(unit);
        let fields: Vec<FieldRef> = vec![
            Field::new("unit", unit.data_type(), false).into(),
            Field::new("at", array.data_type().clone(), true).into(),
        ];
        let scalars = [Some(&unit), None];
        let return_field = function
            .return_field_from_args(ReturnFieldArgs {
                arg_fields: &fields,
                scalar_arguments: &scalars,
            })
            .expect("field");
        let args = ScalarFunctionArgs {
            args: vec![
                ColumnarValue::Scalar(unit.clone()),
                ColumnarValue::Array(Arc::clone(array)),
            ],
            arg_fields: fields,
            number_rows: array.len(),
            return_field,
            config_options: Arc::new(ConfigOptions::default()),
        };
        function
            .invoke_with_args(args)
            .and_then(|value| value.into_array(array.len()))
            .expect("answer")
    }

    /// Every 19 hours from 1899 to 2101, and a NULL: the short way says what DataFusion says.
    #[test]
    fn agrees_with_the_long_way() {
        let start = -71 * 366 * DAY_US;
        let instants =
            (0..93_000).map(|step| (step != 7).then_some(start + step * 19 * 3_600_000_001));
        let array: ArrayRef = Arc::new(
            instants
                .collect::<TimestampMicrosecondArray>()
                .with_timezone("UTC"),
        );
        for function in UtcCalendar::all() {
            for unit in ["year", "QUARTER", "month", "day", "week", "hour"] {
                let long = call(function.inner.inner().as_ref(), unit, &array);
                assert_eq!(
                    &call(&function, unit, &array),
                    &long,
                    "{} {unit}",
                    function.name()
                );
            }
        }
    }
}
