//! Columns between the data model and the log's schema.

use deltalake_core::kernel::{DataType, DecimalType, PrimitiveType, StructField, StructType};

use crate::model::{Column, Kind, MONEY_PRECISION, MONEY_SCALE, Table};

/// A column as the log's schema has it.
pub fn field(column: &Column) -> StructField {
    StructField::new(
        column.name.as_ref(),
        delta_type(column.kind),
        column.nullable,
    )
}

/// The columns of a log's schema that the data model does not have, in their order: the manufacturer's own. One whose
/// type no column of ours has is another tool's, and stays out of sight.
pub fn attributes(base: &Table, schema: &StructType) -> Vec<Column> {
    schema
        .fields()
        .filter(|field| base.column(field.name()).is_none())
        .filter_map(|field| {
            Some(Column::optional(
                field.name().clone(),
                kind(field.data_type())?,
            ))
        })
        .collect()
}

fn delta_type(kind: Kind) -> DataType {
    DataType::Primitive(match kind {
        Kind::Text => PrimitiveType::String,
        Kind::Date => PrimitiveType::Date,
        Kind::Timestamp => PrimitiveType::Timestamp,
        Kind::Count => PrimitiveType::Long,
        Kind::Rating => PrimitiveType::Byte,
        Kind::Money => decimal(MONEY_PRECISION, MONEY_SCALE),
        Kind::Decimal(precision, scale) => decimal(precision, scale),
        Kind::Number => PrimitiveType::Double,
        Kind::Flag => PrimitiveType::Boolean,
    })
}

fn decimal(precision: u8, scale: i8) -> PrimitiveType {
    let decimal = DecimalType::try_new(precision, scale.unsigned_abs());
    PrimitiveType::Decimal(decimal.expect("a kind has a valid precision and scale"))
}

fn kind(stored: &DataType) -> Option<Kind> {
    let DataType::Primitive(stored) = stored else {
        return None;
    };
    Some(match stored {
        PrimitiveType::String => Kind::Text,
        PrimitiveType::Date => Kind::Date,
        PrimitiveType::Timestamp => Kind::Timestamp,
        PrimitiveType::Long => Kind::Count,
        PrimitiveType::Byte => Kind::Rating,
        PrimitiveType::Double => Kind::Number,
        PrimitiveType::Boolean => Kind::Flag,
        PrimitiveType::Decimal(decimal) => {
            let scale = i8::try_from(decimal.scale()).ok()?;
            match (decimal.precision(), scale) {
                (MONEY_PRECISION, MONEY_SCALE) => Kind::Money,
                (precision, scale) => Kind::Decimal(precision, scale),
            }
        }
        _ => return None,
    })
}
