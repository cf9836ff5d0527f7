//! Arrow values as JSON documents, one per row: how a LIST or a STRUCT reaches a guest. Encodes no
//! further than asked, because a small array can stand for much text. It deliberately does not
//! parse; text that is passed for JSON goes as it is.
//!
//! A NULL within a document is `null`, so that every object of a column has the same keys; NaN and
//! the infinities are `null` too. Dates and times are RFC 3339, with a `Z` and in UTC if they have
//! a zone, whichever that is; binary values are hexadecimal.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, LargeStringArray, PrimitiveArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{
    ArrowTimestampType, DataType, Field, FieldRef, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow::error::ArrowError;
use arrow::json::writer::{Encoder, EncoderFactory, EncoderOptions, NullableEncoder, make_encoder};

use crate::error::{Error, within};

/// Whether values of that type can be written as JSON.
pub(crate) fn encodes(ty: &DataType) -> bool {
    match ty {
        DataType::Null
        | DataType::Boolean
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_)
        | DataType::Decimal32(_, _)
        | DataType::Decimal64(_, _)
        | DataType::Decimal128(_, _)
        | DataType::Decimal256(_, _)
        | DataType::Date32
        | DataType::Date64
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Timestamp(_, _) => true,
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _) => encodes(field.data_type()),
        DataType::Struct(fields) => fields.iter().all(|field| encodes(field.data_type())),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => {
                let key = fields.first().map(|field| field.data_type());
                let text = |ty| {
                    matches!(
                        ty,
                        &(DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
                    )
                };
                key.is_some_and(text) && fields.iter().all(|field| encodes(field.data_type()))
            }
            _ => false,
        },
        DataType::Dictionary(_, value) => encodes(value),
        number => number.is_numeric(),
    }
}

/// The documents of rows from `start`, up to `rows` of them, and fewer if they reach `bytes_max`;
/// at least one.
pub(crate) fn documents(
    array: &ArrayRef,
    start: usize,
    rows: usize,
    bytes_max: u64,
    value_bytes_max: u64,
) -> Result<ArrayRef, Error> {
    let field = Arc::new(Field::new("value", array.data_type().clone(), true));
    let options = EncoderOptions::default()
        .with_explicit_nulls(true)
        .with_encoder_factory(Arc::new(Instants));
    let mut encoder = make_encoder(&field, array, &options).map_err(|error| failed(&error))?;
    let nulls = array.logical_nulls();
    let mut bytes = Vec::new();
    let mut offsets = vec![0_i64];
    for row in start..start + rows {
        let before = bytes.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            encoder.encode(row, &mut bytes);
        }
        let document = (bytes.len() - before) as u64;
        within("value_bytes_max", value_bytes_max, document)
            .map_err(|error| error.in_row(Some((row - start) as u64)))?;
        offsets.push(bytes.len() as i64);
        if bytes.len() as u64 >= bytes_max {
            break;
        }
    }
    let nulls = nulls.map(|nulls| nulls.slice(start, offsets.len() - 1));
    let text = LargeStringArray::try_new(OffsetBuffer::new(offsets.into()), bytes.into(), nulls);
    Ok(Arc::new(text.map_err(|error| failed(&error))?))
}

/// Writes timestamps with a zone. Arrow's own way needs tables of zones, which not every build has.
#[derive(Debug)]
struct Instants;

impl EncoderFactory for Instants {
    fn make_default_encoder<'a>(
        &self,
        _field: &'a FieldRef,
        array: &'a dyn Array,
        _options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let DataType::Timestamp(unit, Some(_)) = array.data_type() else {
            return Ok(None);
        };
        let encoder: Box<dyn Encoder + 'a> = match unit {
            TimeUnit::Second => Box::new(Instant(array.as_primitive::<TimestampSecondType>())),
            TimeUnit::Millisecond => {
                Box::new(Instant(array.as_primitive::<TimestampMillisecondType>()))
            }
            TimeUnit::Microsecond => {
                Box::new(Instant(array.as_primitive::<TimestampMicrosecondType>()))
            }
            TimeUnit::Nanosecond => {
                Box::new(Instant(array.as_primitive::<TimestampNanosecondType>()))
            }
        };
        Ok(Some(NullableEncoder::new(encoder, array.nulls().cloned())))
    }
}

struct Instant<'a, T: ArrowTimestampType>(&'a PrimitiveArray<T>);

impl<T: ArrowTimestampType> Encoder for Instant<'_, T> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        match self.0.value_as_datetime(row) {
            Some(instant) => out.extend_from_slice(format!("\"{instant:?}Z\"").as_bytes()),
            None => out.extend_from_slice(b"null"),
        }
    }
}

fn failed(error: &ArrowError) -> Error {
    Error::internal(format!("write argument as JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        Array, ArrayRef, AsArray, DictionaryArray, Float64Array, Int64Array, ListArray, MapArray,
        StringArray, StructArray, TimestampMicrosecondArray,
    };
    use arrow::buffer::{NullBuffer, OffsetBuffer};
    use arrow::datatypes::{DataType, Field, Int8Type, Int64Type, TimeUnit};

    use super::{documents, encodes};

    fn lines(array: &ArrayRef) -> Vec<Option<String>> {
        assert!(encodes(array.data_type()));
        let text = documents(array, 0, array.len(), u64::MAX, u64::MAX).expect("JSON");
        let text = text.as_string::<i64>();
        text.iter().map(|line| line.map(str::to_owned)).collect()
    }

    fn check(array: impl Array + 'static, expected: &[Option<&str>]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|line| line.map(str::to_owned))
            .collect();
        assert_eq!(lines(&(Arc::new(array) as ArrayRef)), expected);
    }

    #[test]
    fn every_kind_of_value() {
        check(Int64Array::from(vec![Some(1), None]), &[Some("1"), None]);
        check(
            Float64Array::from(vec![0.5, f64::NAN, f64::INFINITY]),
            &[Some("0.5"), Some("null"), Some("null")],
        );
        let times = vec![Some(0), Some(-1), None, Some(i64::MAX)];
        let times = TimestampMicrosecondArray::from(times);
        for zone in ["+02:00", "UTC", "America/St_Johns"] {
            check(
                times.clone().with_timezone(zone),
                &[
                    Some("\"1970-01-01T00:00:00Z\""),
                    Some("\"1969-12-31T23:59:59.999999Z\""),
                    None,
                    Some("null"),
                ],
            );
        }
        check(times.slice(0, 1), &[Some("\"1970-01-01T00:00:00\"")]);
        let list = ListArray::from_iter_primitive::<Int64Type, _, _>([
            Some(vec![Some(1), None]),
            None,
            Some(vec![]),
        ]);
        check(list, &[Some("[1,null]"), None, Some("[]")]);
        let dictionary: DictionaryArray<Int8Type> =
            [Some("a\"b"), None, Some("ä")].into_iter().collect();
        check(dictionary, &[Some("\"a\\\"b\""), None, Some("\"ä\"")]);
    }

    #[test]
    fn what_can_not_be_written_is_known_before() {
        let list = |value| DataType::List(Arc::new(Field::new_list_field(value, true)));
        let duration = DataType::Duration(TimeUnit::Second);
        assert!(encodes(&list(DataType::Date32)));
        assert!(!encodes(&duration) && !encodes(&list(duration)));
    }

    #[test]
    fn objects_have_all_their_keys() {
        let name: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), None, Some("z")]));
        let size: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(2), None]));
        let fields = vec![
            Field::new("name", DataType::Utf8, true),
            Field::new("size", DataType::Int64, true),
        ];
        let nulls = NullBuffer::from(vec![true, true, false]);
        let object = StructArray::new(fields.into(), vec![name, size], Some(nulls));
        let sliced: ArrayRef = Arc::new(object.slice(1, 2));
        assert_eq!(
            lines(&sliced),
            [Some("{\"name\":null,\"size\":2}".to_owned()), None]
        );
    }

    #[test]
    fn maps_are_objects() {
        let entries = StructArray::new(
            vec![
                Field::new("key", DataType::Utf8, false),
                Field::new("value", DataType::Int64, true),
            ]
            .into(),
            vec![
                Arc::new(StringArray::from(vec!["a", "b"])),
                Arc::new(Int64Array::from(vec![Some(1), None])),
            ],
            None,
        );
        let field = Arc::new(Field::new("entries", entries.data_type().clone(), false));
        let offsets = OffsetBuffer::from_lengths([2]);
        check(
            MapArray::new(field, offsets, entries, None, false),
            &[Some("{\"a\":1,\"b\":null}")],
        );
    }

    #[test]
    fn stops_where_it_is_enough() {
        let array: ArrayRef = Arc::new(StringArray::from(vec!["12345678"; 10]));
        let some = documents(&array, 3, 7, 25, 100).expect("JSON");
        assert_eq!(some.len(), 3);
        let error = documents(&array, 3, 7, 25, 9).expect_err("10 bytes");
        assert_eq!(error.limit.map(|hit| hit.name), Some("value_bytes_max"));
    }
}
