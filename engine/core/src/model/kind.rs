//! The types of values: what stores each, what to call it in an error, and its word in files and commands.

use arrow::datatypes::{DataType, TimeUnit};

/// Digits of an amount of money.
pub const MONEY_PRECISION: u8 = 19;
/// Decimals of an amount of money.
pub const MONEY_SCALE: i8 = 4;
/// Digits that a decimal number may have.
pub const DECIMAL_PRECISION_MAX: u8 = 38;

/// Type of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ids, names and enumerations.
    Text,
    /// A calendar day.
    Date,
    /// An instant, UTC, microseconds.
    Timestamp,
    /// A count.
    Count,
    /// One to five.
    Rating,
    /// An amount in the manufacturer's reporting currency, four decimals.
    Money,
    /// An exact number of so many digits, so many of them decimals.
    Decimal(u8, i8),
    /// A score of any scale.
    Number,
    /// Yes or no.
    Flag,
}

impl Kind {
    /// What [`Self::named`] understands, for an error.
    pub const WORDS: &'static str =
        "text, integer, number, decimal(p,s), money, boolean, date, timestamp or rating";

    /// The type that a word names, as mappings and declared attributes spell it.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Some(match word {
            "text" => Self::Text,
            "date" => Self::Date,
            "timestamp" => Self::Timestamp,
            "integer" => Self::Count,
            "rating" => Self::Rating,
            "money" => Self::Money,
            "number" => Self::Number,
            "boolean" => Self::Flag,
            other => return decimal(other),
        })
    }

    /// The word for it.
    #[must_use]
    pub fn word(self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Date => "date".to_owned(),
            Self::Timestamp => "timestamp".to_owned(),
            Self::Count => "integer".to_owned(),
            Self::Rating => "rating".to_owned(),
            Self::Money => "money".to_owned(),
            Self::Decimal(precision, scale) => format!("decimal({precision},{scale})"),
            Self::Number => "number".to_owned(),
            Self::Flag => "boolean".to_owned(),
        }
    }

    /// The Arrow type that stores it.
    #[must_use]
    pub fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Count => DataType::Int64,
            Self::Rating => DataType::Int8,
            Self::Money => DataType::Decimal128(MONEY_PRECISION, MONEY_SCALE),
            Self::Decimal(precision, scale) => DataType::Decimal128(precision, scale),
            Self::Number => DataType::Float64,
            Self::Flag => DataType::Boolean,
        }
    }

    /// The type that an Arrow type stores; nothing where no column of ours has it.
    #[must_use]
    pub fn of(stored: &DataType) -> Option<Self> {
        Some(match stored {
            DataType::Utf8 => Self::Text,
            DataType::Date32 => Self::Date,
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => Self::Timestamp,
            DataType::Int64 => Self::Count,
            DataType::Int8 => Self::Rating,
            DataType::Decimal128(MONEY_PRECISION, MONEY_SCALE) => Self::Money,
            DataType::Decimal128(precision, scale) => Self::Decimal(*precision, *scale),
            DataType::Float64 => Self::Number,
            DataType::Boolean => Self::Flag,
            _ => return None,
        })
    }

    /// What to call a value of this type when one is bad.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Date => "a date like 2024-05-31",
            Self::Timestamp => "a timestamp like 2024-05-31T09:30:00Z",
            Self::Count => "a whole number",
            Self::Rating => "a rating from 1 to 5",
            Self::Money | Self::Decimal(..) => "a decimal number like 1234.50",
            Self::Number => "a number",
            Self::Flag => "true or false",
        }
    }
}

/// `decimal(p,s)` with 1 to 38 digits, of which any number may be decimals.
fn decimal(word: &str) -> Option<Kind> {
    let inside = word.strip_prefix("decimal(")?.strip_suffix(')')?;
    let (precision, scale) = inside.split_once(',')?;
    let precision: u8 = precision.trim().parse().ok()?;
    let scale: u8 = scale.trim().parse().ok()?;
    let valid = (1..=DECIMAL_PRECISION_MAX).contains(&precision) && scale <= precision;
    let scale = i8::try_from(scale).ok()?;
    valid.then_some(match (precision, scale) {
        (MONEY_PRECISION, MONEY_SCALE) => Kind::Money,
        (precision, scale) => Kind::Decimal(precision, scale),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_stored_types_lead_back_to_the_kind() {
        for word in [
            "text",
            "integer",
            "number",
            "money",
            "boolean",
            "date",
            "timestamp",
            "rating",
            "decimal(9,2)",
        ] {
            let kind = Kind::named(word).expect(word);
            assert_eq!(kind.word(), word);
            assert_eq!(Kind::of(&kind.data_type()), Some(kind));
        }
        assert_eq!(Kind::named("decimal(19, 4)"), Some(Kind::Money));
        for word in [
            "",
            "Text",
            "decimal",
            "decimal(0,0)",
            "decimal(39,1)",
            "decimal(5,6)",
            "decimal(5,-1)",
            "float",
        ] {
            assert_eq!(Kind::named(word), None, "{word}");
        }
    }
}
