//! Arrow to guest: turns the arguments of a call into flat columns. Buffers are shared wherever
//! Arrow's layout is the interface's; sliced offsets, views and misaligned bitmaps are rewritten in
//! one pass. It deliberately runs nothing.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, GenericByteArray, GenericByteViewArray,
    OffsetSizeTrait, new_null_array,
};
use arrow::buffer::{Buffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::{
    ByteArrayType, ByteViewType, DataType, Date32Type, Decimal128Type, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};

use crate::error::Error;
use crate::manifest::Wire;
use crate::types::{Type, is_text};
use crate::wire::{ColumnIn, DictIn, PackedVarlenIn, ValuesIn, VarlenIn};

/// An argument in the layout of the interface, on the host's side.
pub(crate) struct Lowered {
    values: Values,
    validity: Option<Buffer>,
    constant: bool,
}

enum Values {
    Bits(Buffer),
    Int8(ScalarBuffer<i8>),
    Int16(ScalarBuffer<i16>),
    Int32(ScalarBuffer<i32>),
    Int64(ScalarBuffer<i64>),
    Uint8(ScalarBuffer<u8>),
    Uint16(ScalarBuffer<u16>),
    Uint32(ScalarBuffer<u32>),
    Uint64(ScalarBuffer<u64>),
    Float32(ScalarBuffer<f32>),
    Float64(ScalarBuffer<f64>),
    /// little-endian words, low before high
    Int128(ScalarBuffer<u64>),
    Text(Varlen),
    Binary(Varlen),
    DictText(ScalarBuffer<i32>, Varlen),
}

struct Varlen {
    offsets: ScalarBuffer<i32>,
    bytes: Buffer,
}

impl Lowered {
    /// Lowers an array of any type that stands for `ty`.
    pub(crate) fn new(
        array: &ArrayRef,
        ty: Type,
        constant: bool,
        dictionaries: bool,
    ) -> Result<Self, Error> {
        let array = &canonical(array, ty, dictionaries)?;
        let values = match ty {
            Type::Boolean => Values::Bits(array.as_boolean().values().sliced()),
            Type::Int8 => Values::Int8(numbers::<Int8Type>(array)),
            Type::Int16 => Values::Int16(numbers::<Int16Type>(array)),
            Type::Int32 => Values::Int32(numbers::<Int32Type>(array)),
            Type::Int64 => Values::Int64(numbers::<Int64Type>(array)),
            Type::Uint8 => Values::Uint8(numbers::<UInt8Type>(array)),
            Type::Uint16 => Values::Uint16(numbers::<UInt16Type>(array)),
            Type::Uint32 => Values::Uint32(numbers::<UInt32Type>(array)),
            Type::Uint64 => Values::Uint64(numbers::<UInt64Type>(array)),
            Type::Float32 => Values::Float32(numbers::<Float32Type>(array)),
            Type::Float64 => Values::Float64(numbers::<Float64Type>(array)),
            Type::Date => Values::Int32(numbers::<Date32Type>(array)),
            Type::Timestamp => Values::Int64(numbers::<TimestampMicrosecondType>(array)),
            Type::Decimal { .. } => Values::Int128(words(&numbers::<Decimal128Type>(array))),
            Type::Text | Type::Json => text(array)?,
            Type::Binary => Values::Binary(varlen(array)?),
        };
        let validity = array.nulls().filter(|nulls| nulls.null_count() > 0);
        Ok(Self {
            values,
            validity: validity.map(|nulls| nulls.inner().sliced()),
            constant,
        })
    }

    /// The column to pass to the guest.
    pub(crate) fn column(&self, wire: Wire) -> ColumnIn<'_> {
        ColumnIn {
            values: match wire {
                Wire::Typed => self.values.typed(),
                Wire::Packed => self.values.packed(),
            },
            validity: self.validity.as_deref(),
            constant: self.constant,
        }
    }

    /// What is copied into the guest.
    pub(crate) fn bytes(&self) -> u64 {
        let values = match self.values.packed() {
            ValuesIn::Packed(bytes) => bytes.len(),
            ValuesIn::PackedText(PackedVarlenIn { offsets, bytes }) => offsets.len() + bytes.len(),
            ValuesIn::DictText(DictIn { keys, values }) => {
                size_of_val(keys) + size_of_val(values.offsets) + values.bytes.len()
            }
            _ => 0,
        };
        (values + self.validity.as_ref().map_or(0, Buffer::len)) as u64
    }
}

impl Values {
    fn typed(&self) -> ValuesIn<'_> {
        match self {
            Self::Bits(bits) => ValuesIn::Bits(bits),
            Self::Int8(values) => ValuesIn::Int8(values),
            Self::Int16(values) => ValuesIn::Int16(values),
            Self::Int32(values) => ValuesIn::Int32(values),
            Self::Int64(values) => ValuesIn::Int64(values),
            Self::Uint8(values) => ValuesIn::Uint8(values),
            Self::Uint16(values) => ValuesIn::Uint16(values),
            Self::Uint32(values) => ValuesIn::Uint32(values),
            Self::Uint64(values) => ValuesIn::Uint64(values),
            Self::Float32(values) => ValuesIn::Float32(values),
            Self::Float64(values) => ValuesIn::Float64(values),
            Self::Int128(words) => ValuesIn::Int128(words),
            Self::Text(text) => ValuesIn::Text(text.wire()),
            Self::Binary(binary) => ValuesIn::Binary(binary.wire()),
            Self::DictText(keys, text) => ValuesIn::DictText(DictIn {
                keys,
                values: text.wire(),
            }),
        }
    }

    /// The same buffers as bytes, which are little-endian on the machines this runs on. A
    /// dictionary has no such layout: it is never made for the packed wire.
    fn packed(&self) -> ValuesIn<'_> {
        match self {
            Self::Bits(bits) => ValuesIn::Packed(bits),
            Self::Int8(values) => ValuesIn::Packed(values.inner()),
            Self::Int16(values) => ValuesIn::Packed(values.inner()),
            Self::Int32(values) => ValuesIn::Packed(values.inner()),
            Self::Int64(values) => ValuesIn::Packed(values.inner()),
            Self::Uint8(values) => ValuesIn::Packed(values.inner()),
            Self::Uint16(values) => ValuesIn::Packed(values.inner()),
            Self::Uint32(values) => ValuesIn::Packed(values.inner()),
            Self::Uint64(values) => ValuesIn::Packed(values.inner()),
            Self::Float32(values) => ValuesIn::Packed(values.inner()),
            Self::Float64(values) => ValuesIn::Packed(values.inner()),
            Self::Int128(words) => ValuesIn::Packed(words.inner()),
            Self::Text(varlen) | Self::Binary(varlen) => ValuesIn::PackedText(PackedVarlenIn {
                offsets: varlen.offsets.inner(),
                bytes: &varlen.bytes,
            }),
            Self::DictText(_, _) => self.typed(),
        }
    }
}

impl Varlen {
    fn wire(&self) -> VarlenIn<'_> {
        VarlenIn {
            offsets: &self.offsets,
            bytes: &self.bytes,
        }
    }
}

/// What an argument takes in the guest.
pub(crate) fn lowered_bytes(array: &ArrayRef, dictionaries: bool) -> u64 {
    let rows = array.len() as u64;
    let validity = rows / 8 + 1;
    let values = match array.data_type() {
        DataType::Utf8 => 4 * rows + span(array.as_string::<i32>().value_offsets()),
        DataType::Binary => 4 * rows + span(array.as_binary::<i32>().value_offsets()),
        DataType::LargeUtf8 => 4 * rows + span(array.as_string::<i64>().value_offsets()),
        DataType::LargeBinary => 4 * rows + span(array.as_binary::<i64>().value_offsets()),
        DataType::Utf8View => {
            4 * rows + array.as_string_view().lengths().map(u64::from).sum::<u64>()
        }
        DataType::BinaryView => {
            4 * rows + array.as_binary_view().lengths().map(u64::from).sum::<u64>()
        }
        DataType::Dictionary(_, _) if stays_dictionary(array, dictionaries) => {
            4 * rows + lowered_bytes(array.as_any_dictionary().values(), false)
        }
        DataType::Dictionary(_, _) => 4 * rows + unfolded(array),
        DataType::Boolean | DataType::Null => validity,
        other => rows * other.primitive_width().unwrap_or(16) as u64,
    };
    values + validity
}

fn span<O: OffsetSizeTrait>(offsets: &[O]) -> u64 {
    match offsets {
        [first, .., last] => (last.as_usize() - first.as_usize()) as u64,
        _ => 0,
    }
}

/// Bytes of a dictionary's text, every row counted.
fn unfolded(array: &ArrayRef) -> u64 {
    let dictionary = array.as_any_dictionary();
    let values = dictionary.values();
    if values.is_empty() {
        return 0;
    }
    let lengths: Vec<u64> = (0..values.len())
        .map(|at| lowered_bytes(&values.slice(at, 1), false))
        .collect();
    let keys = dictionary.normalized_keys();
    keys.iter()
        .enumerate()
        .filter(|(row, _)| array.is_valid(*row))
        .map(|(_, key)| lengths[*key])
        .sum()
}

/// A dictionary is worth sending if it is smaller than the rows it stands for.
fn stays_dictionary(array: &ArrayRef, dictionaries: bool) -> bool {
    let DataType::Dictionary(_, value) = array.data_type() else {
        return false;
    };
    let text = is_text(value) && !matches!(**value, DataType::Dictionary(_, _));
    let values = array.as_any_dictionary().values();
    let size = 1..=array.len();
    dictionaries && text && values.null_count() == 0 && size.contains(&values.len())
}

/// The array in a type the functions below know, if it stands for `ty` at all.
fn canonical(array: &ArrayRef, ty: Type, dictionaries: bool) -> Result<ArrayRef, Error> {
    let of = array.data_type();
    let to = match (ty, of) {
        (Type::Text | Type::Json, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
        | (Type::Binary, DataType::Binary | DataType::LargeBinary | DataType::BinaryView)
        | (Type::Timestamp, DataType::Timestamp(TimeUnit::Microsecond, _)) => {
            return Ok(Arc::clone(array));
        }
        (_, of) if *of == ty.arrow() => return Ok(Arc::clone(array)),
        (_, DataType::Null) => return Ok(new_null_array(&ty.arrow(), array.len())),
        (Type::Text | Type::Json, DataType::Dictionary(_, _))
            if stays_dictionary(array, dictionaries) =>
        {
            DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
        }
        (Type::Text | Type::Json | Type::Binary, DataType::Dictionary(_, _)) if ty.accepts(of) => {
            ty.arrow()
        }
        _ => {
            return Err(Error::internal(format!(
                "argument is {of}, expected {}",
                ty.arrow()
            )));
        }
    };
    cast(array, &to).map_err(|error| Error::internal(format!("cast argument: {error}")))
}

fn numbers<T: ArrowPrimitiveType>(array: &ArrayRef) -> ScalarBuffer<T::Native> {
    array.as_primitive::<T>().values().clone()
}

/// The same bytes as words; on the little-endian machines wasmtime compiles for here, a 128-bit
/// integer is its low word and then its high one.
fn words(values: &ScalarBuffer<i128>) -> ScalarBuffer<u64> {
    ScalarBuffer::new(values.inner().clone(), 0, 2 * values.len())
}

fn text(array: &ArrayRef) -> Result<Values, Error> {
    let Some(dictionary) = array.as_dictionary_opt::<Int32Type>() else {
        return varlen(array).map(Values::Text);
    };
    let keys = dictionary.keys();
    let keys = match keys.null_count() {
        0 => keys.values().clone(),
        _ => keys.iter().map(Option::unwrap_or_default).collect(),
    };
    Ok(Values::DictText(keys, varlen(dictionary.values())?))
}

fn varlen(array: &ArrayRef) -> Result<Varlen, Error> {
    match array.data_type() {
        DataType::Utf8 => Ok(short(array.as_string::<i32>())),
        DataType::Binary => Ok(short(array.as_binary::<i32>())),
        DataType::LargeUtf8 => long(array.as_string::<i64>()),
        DataType::LargeBinary => long(array.as_binary::<i64>()),
        DataType::Utf8View => view(array.as_string_view()),
        DataType::BinaryView => view(array.as_binary_view()),
        other => Err(Error::internal(format!("no text in {other}"))),
    }
}

/// Offsets are shared if they start at 0, as those of an array that is not sliced do.
fn short<T: ByteArrayType<Offset = i32>>(array: &GenericByteArray<T>) -> Varlen {
    let offsets = array.offsets().inner();
    let (first, last) = (offsets[0], offsets[offsets.len() - 1]);
    let bytes = array
        .values()
        .slice_with_length(first as usize, (last - first) as usize);
    let offsets = match first {
        0 => offsets.clone(),
        _ => offsets.iter().map(|offset| offset - first).collect(),
    };
    Varlen { offsets, bytes }
}

fn long<T: ByteArrayType<Offset = i64>>(array: &GenericByteArray<T>) -> Result<Varlen, Error> {
    let offsets = array.value_offsets();
    let (first, last) = (offsets[0], offsets[offsets.len() - 1]);
    if last - first > i64::from(i32::MAX) {
        return Err(too_long());
    }
    let bytes = array
        .values()
        .slice_with_length(first as usize, (last - first) as usize);
    Ok(Varlen {
        offsets: offsets
            .iter()
            .map(|offset| (offset - first) as i32)
            .collect(),
        bytes,
    })
}

/// Views are compacted: sending their buffers would drag whole pages of a file along. A short
/// value lies within its view, and copying all 12 bytes of that is faster than copying some.
fn view<T: ByteViewType + ?Sized>(array: &GenericByteViewArray<T>) -> Result<Varlen, Error> {
    const INLINE: usize = 12;
    let length = |row: usize, view: u128| {
        if array.is_valid(row) {
            view as u32 as usize
        } else {
            0
        }
    };
    let views = || array.views().iter().copied().enumerate();
    let total: usize = views().map(|(row, view)| length(row, view)).sum();
    if i32::try_from(total).is_err() {
        return Err(too_long());
    }
    let mut offsets = Vec::with_capacity(array.len() + 1);
    let mut bytes = vec![0; total + INLINE];
    let mut at = 0;
    offsets.push(0);
    for (row, view) in views() {
        let length = length(row, view);
        if length <= INLINE {
            bytes[at..at + INLINE].copy_from_slice(&view.to_le_bytes()[4..]);
        } else {
            bytes[at..at + length].copy_from_slice(array.value(row).as_ref());
        }
        at += length;
        offsets.push(at as i32);
    }
    bytes.truncate(total);
    Ok(Varlen {
        offsets: offsets.into(),
        bytes: bytes.into(),
    })
}

fn too_long() -> Error {
    Error::limit("input_bytes_max", i32::MAX as u64, None)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        Array, ArrayRef, BooleanArray, DictionaryArray, LargeStringArray, StringArray,
        StringViewArray,
    };
    use arrow::datatypes::{Int8Type, Int32Type};

    use super::{Lowered, lowered_bytes};
    use crate::manifest::Wire;
    use crate::types::Type;
    use crate::wire::{ColumnIn, ValuesIn};

    const WORDS: [Option<&str>; 5] = [
        Some("first"),
        None,
        Some(""),
        Some("ä longer text than a view holds"),
        Some("b"),
    ];

    fn read(column: &ColumnIn<'_>) -> Vec<Option<String>> {
        let (offsets, bytes, keys) = match column.values {
            ValuesIn::Text(text) => (text.offsets, text.bytes, None),
            ValuesIn::DictText(dict) => (dict.values.offsets, dict.values.bytes, Some(dict.keys)),
            _ => panic!("not text"),
        };
        assert_eq!(offsets[0], 0);
        assert_eq!(offsets[offsets.len() - 1] as usize, bytes.len());
        let rows = keys.map_or(offsets.len() - 1, <[i32]>::len);
        let read = |row: usize| {
            let at = keys.map_or(row, |keys| keys[row] as usize);
            let value = &bytes[offsets[at] as usize..offsets[at + 1] as usize];
            let valid = column
                .validity
                .is_none_or(|bits| bits[row / 8] >> (row % 8) & 1 == 1);
            valid.then(|| String::from_utf8(value.to_vec()).expect("lowered text is UTF-8"))
        };
        (0..rows).map(read).collect()
    }

    #[test]
    fn text_of_every_layout_is_the_same_sliced_or_not() {
        let dictionary: DictionaryArray<Int8Type> = WORDS.into_iter().collect();
        let arrays: [ArrayRef; 4] = [
            Arc::new(StringArray::from(WORDS.to_vec())),
            Arc::new(LargeStringArray::from(WORDS.to_vec())),
            Arc::new(StringViewArray::from(WORDS.to_vec())),
            Arc::new(dictionary),
        ];
        for array in &arrays {
            for (start, len) in [(0, 5), (1, 4), (3, 2), (1, 1), (2, 0)] {
                for dictionaries in [false, true] {
                    let slice = array.slice(start, len);
                    let lowered =
                        Lowered::new(&slice, Type::Text, false, dictionaries).expect("text");
                    let expected: Vec<_> = WORDS[start..start + len]
                        .iter()
                        .map(|word| word.map(str::to_owned))
                        .collect();
                    assert_eq!(
                        read(&lowered.column(Wire::Typed)),
                        expected,
                        "{} {start} {len}",
                        array.data_type()
                    );
                }
            }
        }
    }

    #[test]
    fn dictionary_is_kept_only_if_it_is_smaller() {
        let many: DictionaryArray<Int32Type> = ["a", "b", "a", "a"].into_iter().collect();
        let lowered =
            Lowered::new(&(Arc::new(many) as ArrayRef), Type::Text, false, true).expect("text");
        assert!(matches!(
            lowered.column(Wire::Typed).values,
            ValuesIn::DictText(_)
        ));
        let unused: DictionaryArray<Int32Type> = ["a", "b", "c"].into_iter().collect();
        let lowered = Lowered::new(
            &(Arc::new(unused.slice(0, 1)) as ArrayRef),
            Type::Text,
            false,
            true,
        );
        assert!(matches!(
            lowered.expect("text").column(Wire::Typed).values,
            ValuesIn::Text(_)
        ));
    }

    #[test]
    fn bits_are_realigned() {
        let array = BooleanArray::from((0..20).map(|row| row % 3 == 0).collect::<Vec<_>>());
        let slice: ArrayRef = Arc::new(array.slice(3, 9));
        let lowered = Lowered::new(&slice, Type::Boolean, false, false).expect("bits");
        let ValuesIn::Bits(bits) = lowered.column(Wire::Typed).values else {
            panic!("not bits")
        };
        assert_eq!((bits.len(), bits[0], bits[1] & 1), (2, 0b0100_1001, 0));
    }

    #[test]
    fn sizes_count_what_is_sent() {
        let long = "x".repeat(1000);
        let text: ArrayRef = Arc::new(StringArray::from(vec![long.as_str(), "", long.as_str()]));
        assert_eq!(lowered_bytes(&text, false), 2012 + 1);
        assert_eq!(lowered_bytes(&text.slice(1, 1), false), 4 + 1);
        let same: DictionaryArray<Int8Type> = [long.as_str(); 50].into_iter().collect();
        let same: ArrayRef = Arc::new(same);
        assert!(lowered_bytes(&same, true) < 1500);
        assert!(lowered_bytes(&same, false) > 50_000);
    }

    #[test]
    fn another_type_is_not_reinterpreted() {
        let array: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
        assert!(Lowered::new(&array, Type::Float64, false, false).is_err());
    }
}
