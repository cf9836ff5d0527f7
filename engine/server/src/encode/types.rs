//! Column types as a client reads them: stable lowercase words, not Rust's or Arrow's spelling.

use arrow::datatypes::{DataType, TimeUnit};

/// The name of a type: `string`, `int64`, `decimal(19,4)`, `list<string>`.
pub(crate) fn name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string".to_owned(),
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => "binary".to_owned(),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Time32(_) | DataType::Time64(_) => "time".to_owned(),
        DataType::Timestamp(unit, zone) => timestamp(*unit, zone.is_some()),
        DataType::Dictionary(_, value) => name(value),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => format!("list<{}>", name(item.data_type())),
        DataType::Struct(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|field| format!("{}: {}", field.name(), name(field.data_type())))
                .collect();
            format!("struct<{}>", fields.join(", "))
        }
        DataType::Map(_, _) => "map".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        // Int64, Float64, Null, Interval, Duration: one word each, which is Arrow's in lowercase.
        other => {
            let shown = format!("{other:?}").to_lowercase();
            shown.split('(').next().unwrap_or(&shown).to_owned()
        }
    }
}

/// Microseconds are the product's unit and go without saying.
fn timestamp(unit: TimeUnit, zoned: bool) -> String {
    let zone = if zoned { "tz" } else { "" };
    match unit {
        TimeUnit::Microsecond => format!("timestamp{zone}"),
        TimeUnit::Second => format!("timestamp{zone}(s)"),
        TimeUnit::Millisecond => format!("timestamp{zone}(ms)"),
        TimeUnit::Nanosecond => format!("timestamp{zone}(ns)"),
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;

    use super::*;

    #[test]
    fn names_types_in_plain_words() {
        let strings = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        for (data_type, expected) in [
            (DataType::Utf8View, "string"),
            (strings.clone(), "string"),
            (DataType::Int64, "int64"),
            (DataType::Float64, "float64"),
            (DataType::Null, "null"),
            (DataType::Decimal128(19, 4), "decimal(19,4)"),
            (
                DataType::Timestamp(TimeUnit::Microsecond, None),
                "timestamp",
            ),
            (
                DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
                "timestamptz(ns)",
            ),
            (DataType::new_list(strings, true), "list<string>"),
            (
                DataType::Struct(vec![Field::new("n", DataType::Int8, true)].into()),
                "struct<n: int8>",
            ),
        ] {
            assert_eq!(name(&data_type), expected);
        }
    }
}
