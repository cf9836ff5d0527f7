//! An argument: what it is, which SQL types it takes, and which literals make no sense.

use arrow::datatypes::{DataType, IntervalUnit, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};

/// An argument of a function.
#[derive(Clone, Copy)]
pub struct Argument {
    pub name: &'static str,
    pub kind: Kind,
    /// Optional arguments come last; NULL stands for their default.
    pub optional: bool,
    /// The same for every row: a literal, where a function reads many rows.
    pub constant: bool,
    pub text: &'static str,
}

/// What an argument is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    /// BIGINT of at least 0
    Count,
    /// BIGINT
    Whole,
    /// DOUBLE
    Number,
    /// DOUBLE of at least 0
    Amount,
    /// DOUBLE above 0
    Positive,
    /// DOUBLE from 0 to 1
    Probability,
    /// DOUBLE strictly between 0 and 1
    Inside,
    /// DOUBLE, or an interval, which counts in days; all of a call's in one unit
    Duration,
    /// BOOLEAN
    Truth,
    /// VARCHAR
    Text,
    /// one of some words
    Choice(&'static [&'static str]),
    /// what orders the rows: DATE, TIMESTAMP or BIGINT
    Order,
    /// DATE or TIMESTAMP, of which the day counts
    Instant,
    /// DATE or TIMESTAMP, to the microsecond; a DATE is its midnight
    Moment,
    /// LIST of DOUBLE
    Numbers,
}

pub const fn needed(name: &'static str, kind: Kind, text: &'static str) -> Argument {
    Argument {
        name,
        kind,
        optional: false,
        constant: false,
        text,
    }
}

pub const fn optional(name: &'static str, kind: Kind, text: &'static str) -> Argument {
    Argument {
        optional: true,
        ..needed(name, kind, text)
    }
}

impl Argument {
    /// The same for every row.
    pub const fn constant(self) -> Self {
        Self {
            constant: true,
            ..self
        }
    }
}

/// The confidence of an interval.
pub const CONF: Argument = optional(
    "conf",
    Kind::Inside,
    "confidence of the interval, .95 by default",
)
.constant();

impl Kind {
    /// How SQL calls it.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Count | Self::Whole => "BIGINT",
            Self::Number | Self::Amount | Self::Positive | Self::Probability | Self::Inside => {
                "DOUBLE"
            }
            Self::Duration => "DOUBLE | INTERVAL",
            Self::Truth => "BOOLEAN",
            Self::Text | Self::Choice(_) => "VARCHAR",
            Self::Order => "DATE | TIMESTAMP | BIGINT",
            Self::Instant | Self::Moment => "DATE | TIMESTAMP",
            Self::Numbers => "LIST<DOUBLE>",
        }
    }

    /// The type that an argument of some type arrives as, if it is taken.
    pub fn coerced(self, given: &DataType) -> Option<DataType> {
        let given = match given {
            DataType::Dictionary(_, values) => values.as_ref(),
            given => given,
        };
        match self {
            Self::Count | Self::Whole => {
                (given.is_integer() || given.is_null()).then_some(DataType::Int64)
            }
            Self::Number | Self::Amount | Self::Positive | Self::Probability | Self::Inside => {
                (given.is_numeric() || given.is_null()).then_some(DataType::Float64)
            }
            Self::Duration => match given {
                DataType::Duration(_) => Some(DataType::Duration(TimeUnit::Microsecond)),
                DataType::Interval(_) => Some(DataType::Interval(IntervalUnit::MonthDayNano)),
                given => Self::Number.coerced(given),
            },
            Self::Truth => {
                (*given == DataType::Boolean || given.is_null()).then_some(DataType::Boolean)
            }
            Self::Text | Self::Choice(_) => {
                (given.is_string() || given.is_null()).then_some(DataType::Utf8View)
            }
            Self::Order => match given {
                DataType::Date32 | DataType::Timestamp(..) => Some(given.clone()),
                given => Self::Whole.coerced(given),
            },
            Self::Instant | Self::Moment => match given {
                DataType::Date32 | DataType::Timestamp(..) => Some(given.clone()),
                given => given.is_null().then_some(DataType::Date32),
            },
            Self::Numbers => match given {
                DataType::List(item)
                | DataType::LargeList(item)
                | DataType::FixedSizeList(item, _) => (item.data_type().is_numeric()
                    || item.data_type().is_null())
                .then(|| DataType::new_list(DataType::Float64, true)),
                given => given
                    .is_null()
                    .then(|| DataType::new_list(DataType::Float64, true)),
            },
        }
    }

    /// What is wrong with a literal, as the end of the sentence "needs …".
    fn wrong(self, value: &ScalarValue) -> Option<String> {
        let outside = |needs: &str, within: fn(f64) -> bool| {
            let number = value.cast_to(&DataType::Float64).ok()?;
            match number {
                ScalarValue::Float64(Some(number)) if !within(number) => Some(needs.to_owned()),
                _ => None,
            }
        };
        match self {
            Self::Count => outside("a count of at least 0", |it| it >= 0.0),
            Self::Number => outside("a finite number", f64::is_finite),
            Self::Amount => outside("a number of at least 0", |it| it >= 0.0 && it.is_finite()),
            Self::Positive => outside("a number above 0", |it| it > 0.0 && it.is_finite()),
            Self::Probability => outside("a number from 0 to 1", |it| (0.0..=1.0).contains(&it)),
            Self::Inside => outside("a number strictly between 0 and 1", |it| {
                it > 0.0 && it < 1.0
            }),
            Self::Duration => match value {
                ScalarValue::IntervalMonthDayNano(Some(interval)) if interval.months != 0 => {
                    Some("an interval without months, which differ in length".to_owned())
                }
                _ => None,
            },
            Self::Choice(words) => match value.try_as_str().flatten() {
                Some(word) if !words.contains(&word) => Some(listed(words)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Refuses a literal that makes no sense.
    pub fn check(self, function: &str, argument: &str, value: &ScalarValue) -> Result<()> {
        match self.wrong(value) {
            Some(needs) => Err(DataFusionError::Plan(format!(
                "function \"{function}\": argument \"{argument}\" needs {needs}, got {value}"
            ))),
            None => Ok(()),
        }
    }
}

fn listed(words: &[&str]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [word] => (*word).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// The types that a call's arguments arrive as, or what is wrong with them.
pub fn coerce(function: &str, arguments: &[Argument], given: &[DataType]) -> Result<Vec<DataType>> {
    let required = arguments.iter().take_while(|it| !it.optional).count();
    if given.len() < required || given.len() > arguments.len() {
        let names: Vec<&str> = arguments.iter().map(|argument| argument.name).collect();
        let count = match required == arguments.len() {
            true => required.to_string(),
            false => format!("{required} to {}", arguments.len()),
        };
        return Err(DataFusionError::Plan(format!(
            "function \"{function}\" takes {count} arguments ({}), got {}",
            names.join(", "),
            given.len()
        )));
    }
    let coerced = arguments.iter().zip(given).map(|(argument, given)| {
        argument.kind.coerced(given).ok_or_else(|| {
            DataFusionError::Plan(format!(
                "function \"{function}\": argument \"{}\" needs {}, got {given}",
                argument.name,
                argument.kind.sql()
            ))
        })
    });
    let coerced = coerced.collect::<Result<Vec<_>>>()?;
    check_units(function, arguments, &coerced)?;
    Ok(coerced)
}

/// Refuses an interval, which counts in days, beside durations that are numbers and may count in anything.
fn check_units(function: &str, arguments: &[Argument], kinds: &[DataType]) -> Result<()> {
    let durations = arguments.iter().zip(kinds);
    let mut durations = durations.filter(|(argument, _)| argument.kind == Kind::Duration);
    let Some((first, DataType::Float64)) = durations.next() else {
        return Ok(());
    };
    match durations.find(|(_, kind)| **kind != DataType::Float64) {
        Some((argument, kind)) => Err(DataFusionError::Plan(format!(
            "function \"{function}\": argument \"{}\" needs DOUBLE, in the unit of \"{}\", got {kind}",
            argument.name, first.name
        ))),
        None => Ok(()),
    }
}
