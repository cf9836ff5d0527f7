//! The types that cross the boundary: what Arrow calls them, how the interface lays them out, and
//! which arrays stand for one as they are. It deliberately knows no values.

use arrow::datatypes::{DataType, TimeUnit};
use serde::{Deserialize, Serialize};

use crate::error::{Error, printable, within};
use crate::json;
use crate::limits::Limits;
use crate::names::unique;
use crate::wire;

/// A named, typed place in a signature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// its name
    pub name: String,
    /// its type
    #[serde(rename = "type")]
    pub ty: Type,
    /// argument: whether the function sees NULLs; result: whether it may be NULL for its own reasons
    pub nullable: bool,
}

/// A type that crosses the boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are Arrow's")]
pub enum Type {
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Float32,
    Float64,
    /// 128 bits
    Decimal {
        precision: u8,
        scale: i8,
    },
    /// days
    Date,
    /// microseconds, UTC, without a zone of its own
    Timestamp,
    Text,
    Binary,
    /// text: one JSON document per row, which is how a LIST or a STRUCT is passed
    Json,
}

impl Field {
    /// Checks the fields of one part of a signature.
    pub(crate) fn check_all(
        what: &str,
        fields: &[wire::Field],
        limits: &Limits,
    ) -> Result<Vec<Self>, Error> {
        within("fields_max", limits.fields_max, fields.len() as u64)?;
        unique(what, fields.iter().map(|field| field.name.as_str()), limits)?;
        let checked = fields.iter().map(|field| {
            Ok(Self {
                name: field.name.clone(),
                ty: Type::check(&field.ty)?,
                nullable: field.nullable,
            })
        });
        checked.collect()
    }
}

impl Type {
    /// The Arrow type of its columns.
    pub fn arrow(&self) -> DataType {
        match *self {
            Self::Boolean => DataType::Boolean,
            Self::Int8 => DataType::Int8,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Uint8 => DataType::UInt8,
            Self::Uint16 => DataType::UInt16,
            Self::Uint32 => DataType::UInt32,
            Self::Uint64 => DataType::UInt64,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::Decimal { precision, scale } => DataType::Decimal128(precision, scale),
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Text | Self::Json => DataType::Utf8,
            Self::Binary => DataType::Binary,
        }
    }

    /// Whether an array of that type can be passed for this one without a cast.
    pub(crate) fn accepts(self, given: &DataType) -> bool {
        match self {
            _ if *given == DataType::Null || *given == self.arrow() => true,
            Self::Text => is_text(given),
            Self::Json => is_text(given) || json::encodes(given),
            Self::Binary => is_binary(given),
            Self::Timestamp => matches!(given, DataType::Timestamp(TimeUnit::Microsecond, _)),
            _ => false,
        }
    }

    /// Whether its values are plain numbers, which a range can be promised of.
    pub(crate) fn is_number(self) -> bool {
        !matches!(
            self,
            Self::Boolean
                | Self::Text
                | Self::Json
                | Self::Binary
                | Self::Date
                | Self::Timestamp
                | Self::Decimal { .. }
        )
    }

    fn check(ty: &wire::DataType) -> Result<Self, Error> {
        use wire::Physical;
        Ok(match (ty.physical, ty.logical.as_str()) {
            (Physical::Bits, "") => Self::Boolean,
            (Physical::Int8, "") => Self::Int8,
            (Physical::Int16, "") => Self::Int16,
            (Physical::Int32, "") => Self::Int32,
            (Physical::Int64, "") => Self::Int64,
            (Physical::Uint8, "") => Self::Uint8,
            (Physical::Uint16, "") => Self::Uint16,
            (Physical::Uint32, "") => Self::Uint32,
            (Physical::Uint64, "") => Self::Uint64,
            (Physical::Float32, "") => Self::Float32,
            (Physical::Float64, "") => Self::Float64,
            (Physical::Text, "") => Self::Text,
            (Physical::Text, "json") => Self::Json,
            (Physical::Binary, "") => Self::Binary,
            (Physical::Int32, "date") => Self::Date,
            (Physical::Int64, "timestamp") => Self::Timestamp,
            (Physical::Int128, logical) => decimal(logical)?,
            (physical, logical) => {
                let logical = printable(logical, 64);
                return Err(Error::refused(format!(
                    "no type \"{logical}\" of {physical:?}"
                )));
            }
        })
    }
}

/// Text in any of Arrow's layouts.
pub(crate) fn is_text(ty: &DataType) -> bool {
    match ty {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}

fn is_binary(ty: &DataType) -> bool {
    match ty {
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => true,
        DataType::Dictionary(_, value) => is_binary(value),
        _ => false,
    }
}

fn decimal(logical: &str) -> Result<Type, Error> {
    let inner = logical
        .strip_prefix("decimal(")
        .and_then(|rest| rest.strip_suffix(')'));
    let parts = inner.and_then(|inner| inner.split_once(','));
    match parts.map(|(precision, scale)| (precision.trim().parse(), scale.trim().parse())) {
        Some((Ok(precision), Ok(scale)))
            if (1..=38).contains(&precision) && (0..=precision as i8).contains(&scale) =>
        {
            Ok(Type::Decimal { precision, scale })
        }
        _ => Err(Error::refused(format!(
            "no type \"{}\" of Int128",
            printable(logical, 64)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::{DataType, Field, TimeUnit};

    use super::{Type, decimal};

    #[test]
    fn decimals_have_a_precision() {
        assert_eq!(
            decimal("decimal(18,2)").ok(),
            Some(Type::Decimal {
                precision: 18,
                scale: 2
            })
        );
        for wrong in [
            "",
            "decimal",
            "decimal(39,0)",
            "decimal(2,3)",
            "decimal(2,-1)",
            "decimal(0,0)",
        ] {
            assert!(decimal(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_needs_no_cast() {
        let dictionary =
            |value: DataType| DataType::Dictionary(Box::new(DataType::Int8), Box::new(value));
        let list = |value: DataType| DataType::List(Arc::new(Field::new_list_field(value, true)));
        let zoned = DataType::Timestamp(TimeUnit::Microsecond, Some("+02:00".into()));
        for (ty, given) in [
            (Type::Float64, DataType::Float64),
            (Type::Float64, DataType::Null),
            (Type::Text, DataType::Utf8View),
            (Type::Text, DataType::LargeUtf8),
            (Type::Text, dictionary(DataType::Utf8View)),
            (Type::Binary, dictionary(DataType::LargeBinary)),
            (Type::Timestamp, zoned.clone()),
            (
                Type::Timestamp,
                DataType::Timestamp(TimeUnit::Microsecond, Some("Europe/Berlin".into())),
            ),
            (Type::Json, DataType::Utf8View),
            (Type::Json, DataType::Float32),
            (Type::Json, zoned.clone()),
            (Type::Json, list(list(dictionary(DataType::Int64)))),
        ] {
            assert!(ty.accepts(&given), "{ty:?} {given}");
        }
        for (ty, given) in [
            (Type::Float64, DataType::Float32),
            (Type::Int64, dictionary(DataType::Int64)),
            (Type::Text, DataType::Binary),
            (Type::Timestamp, DataType::Timestamp(TimeUnit::Second, None)),
            (
                Type::Json,
                DataType::Interval(arrow::datatypes::IntervalUnit::DayTime),
            ),
            (
                Type::Json,
                list(DataType::Interval(arrow::datatypes::IntervalUnit::DayTime)),
            ),
        ] {
            assert!(!ty.accepts(&given), "{ty:?} {given}");
        }
    }
}
