//! Guest to Arrow, where nothing is believed: every length, offset, code and bit of a result is
//! checked before it becomes an array, and NaN is made one NaN. It deliberately never uses an
//! unchecked constructor.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, DictionaryArray, ListArray,
    PrimitiveArray, StringArray, StructArray,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use serde::de::IgnoredAny;

use crate::error::{Error, within};
use crate::function::{Function, Range};
use crate::manifest::Wire;
use crate::plugin::Names;
use crate::types::{self, Type};
use crate::wire::{ColumnOut, Judgement, PackedVarlenOut, ValuesOut, VarlenOut};

/// What a result must fit.
#[derive(Clone, Copy)]
pub(crate) struct Expected<'a> {
    pub(crate) wire: Wire,
    pub(crate) rows: usize,
    /// rows with a NULL in a strict argument: NULL, whatever the guest says
    pub(crate) strict: Option<&'a NullBuffer>,
    pub(crate) value_bytes_max: u64,
}

/// The result of a scalar function.
pub(crate) fn scalar(
    column: ColumnOut,
    function: &Function,
    expected: Expected<'_>,
) -> Result<ArrayRef, Error> {
    let [field] = function.returns.as_slice() else {
        return Err(Error::internal("a score and an aggregate have one result"));
    };
    lift(column, field, function.output_range, expected)
}

/// The partial states of groups.
pub(crate) fn states(
    columns: Vec<ColumnOut>,
    function: &Function,
    expected: Expected<'_>,
) -> Result<Vec<ArrayRef>, Error> {
    if columns.len() != function.state.len() {
        let (there, wanted) = (columns.len(), function.state.len());
        return Err(Error::output(format!(
            "returned {there} columns of state, declared {wanted}"
        )));
    }
    let columns = columns.into_iter().zip(&function.state);
    columns
        .map(|(column, field)| {
            lift(column, field, None, expected).map_err(|error| about(error, "state", &field.name))
        })
        .collect()
}

/// The result of a rule: a struct of dictionaries, so that text is never built per row.
pub(crate) fn rule(
    judgement: Judgement,
    function: &Function,
    names: &Names,
    expected: Expected<'_>,
) -> Result<ArrayRef, Error> {
    let Expected { rows, strict, .. } = expected;
    let Judgement {
        verdicts,
        reasons,
        details,
    } = judgement;
    if details.len() != function.returns.len() {
        let (there, wanted) = (details.len(), function.returns.len());
        return Err(Error::output(format!(
            "returned {there} details, declared {wanted}"
        )));
    }
    let mut columns = vec![
        self::verdicts(verdicts, function.verdicts.len(), names, expected)?,
        self::reasons(&reasons, function.reasons.len(), names, expected)?,
    ];
    for (column, field) in details.into_iter().zip(&function.returns) {
        let lifted = lift(column, field, None, expected);
        columns.push(lifted.map_err(|error| about(error, "detail", &field.name))?);
    }
    StructArray::try_new_with_length(names.fields.clone(), columns, strict.cloned(), rows)
        .map(|array| Arc::new(array) as ArrayRef)
        .map_err(|error| Error::internal(format!("assemble rule: {error}")))
}

fn verdicts(
    verdicts: Vec<u8>,
    declared: usize,
    names: &Names,
    expected: Expected<'_>,
) -> Result<ArrayRef, Error> {
    length("verdicts", verdicts.len(), expected.rows)?;
    let undeclared = |verdict: &u8| usize::from(*verdict) >= declared;
    let highest = verdicts
        .iter()
        .fold(0, |highest, verdict| *verdict.max(&highest));
    if undeclared(&highest)
        && let Some(row) = verdicts.iter().position(undeclared)
    {
        let verdict = verdicts[row];
        return Err(
            Error::output(format!("returned verdict {verdict} of {declared}"))
                .in_row(Some(row as u64)),
        );
    }
    let keys = PrimitiveArray::<UInt8Type>::new(verdicts.into(), expected.strict.cloned());
    named(keys, &names.verdicts)
}

fn reasons(
    words: &[u64],
    declared: usize,
    names: &Names,
    expected: Expected<'_>,
) -> Result<ArrayRef, Error> {
    length("reasons", words.len(), expected.rows)?;
    let undeclared = u64::MAX.checked_shl(declared as u32).unwrap_or(0);
    let all = words.iter().fold(0, |all, word| all | word);
    if all & undeclared != 0
        && let Some(row) = words.iter().position(|word| word & undeclared != 0)
    {
        return Err(
            Error::output(format!("returned a reason beyond the declared {declared}"))
                .in_row(Some(row as u64)),
        );
    }
    let (offsets, keys) = places_of_bits(words, declared);
    let values = named(
        PrimitiveArray::<UInt8Type>::new(keys.into(), None),
        &names.reasons,
    )?;
    let list = ListArray::try_new(
        Arc::clone(&names.reason),
        OffsetBuffer::new(offsets.into()),
        values,
        expected.strict.cloned(),
    );
    Ok(Arc::new(list.map_err(|error| {
        Error::internal(format!("assemble reasons: {error}"))
    })?))
}

/// For each byte, the places of its bits, and then whatever.
const PLACES: [[u8; 8]; 256] = {
    let mut places = [[0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut bit, mut count) = (0, 0);
        while bit < 8 {
            if byte >> bit & 1 == 1 {
                places[byte][count] = bit;
                count += 1;
            }
            bit += 1;
        }
        byte += 1;
    }
    places
};

/// The places of the bits of words, and where those of each word end. Goes by bytes and without a
/// branch on a bit, because bits of reasons are as good as random: eight places are written, and
/// those that are not there are written over. At most `bits` bits of a word are looked at.
fn places_of_bits(words: &[u64], bits: usize) -> (Vec<i32>, Vec<u8>) {
    let bytes = bits.div_ceil(8);
    let mut offsets = Vec::with_capacity(words.len() + 1);
    let mut places = Vec::with_capacity(4 * words.len());
    let mut count = 0;
    offsets.push(0);
    for block in words.chunks(BLOCK) {
        places.resize(count + block.len() * 8 * bytes, 0);
        for word in block {
            for (byte, bits) in word.to_le_bytes().iter().enumerate().take(bytes) {
                let here = u64::from_le_bytes(PLACES[usize::from(*bits)]);
                let here = here.wrapping_add(EACH * 8 * byte as u64);
                places[count..count + 8].copy_from_slice(&here.to_le_bytes());
                count += bits.count_ones() as usize;
            }
            offsets.push(count as i32);
        }
    }
    places.truncate(count);
    (offsets, places)
}

/// Every byte is one.
const EACH: u64 = u64::MAX / 255;

fn named(keys: PrimitiveArray<UInt8Type>, names: &ArrayRef) -> Result<ArrayRef, Error> {
    let dictionary = DictionaryArray::try_new(keys, Arc::clone(names));
    Ok(Arc::new(dictionary.map_err(|error| {
        Error::internal(format!("name codes: {error}"))
    })?))
}

fn lift(
    column: ColumnOut,
    field: &types::Field,
    range: Option<Range>,
    expected: Expected<'_>,
) -> Result<ArrayRef, Error> {
    if column.constant {
        return Err(Error::output(
            "returned a constant; a result has a value for every row",
        ));
    }
    let nulls = nulls(column.validity, field.nullable, expected)?;
    let rows = expected.rows;
    let values = match expected.wire {
        Wire::Typed => column.values,
        Wire::Packed => unpacked(column.values, field.ty)?,
    };
    match (field.ty, values) {
        (Type::Boolean, ValuesOut::Bits(bits)) => booleans(bits, nulls, rows),
        (Type::Int8, ValuesOut::Int8(values)) => numbers::<Int8Type>(values, nulls, rows, range),
        (Type::Int16, ValuesOut::Int16(values)) => numbers::<Int16Type>(values, nulls, rows, range),
        (Type::Int32, ValuesOut::Int32(values)) => numbers::<Int32Type>(values, nulls, rows, range),
        (Type::Int64, ValuesOut::Int64(values)) => numbers::<Int64Type>(values, nulls, rows, range),
        (Type::Uint8, ValuesOut::Uint8(values)) => numbers::<UInt8Type>(values, nulls, rows, range),
        (Type::Uint16, ValuesOut::Uint16(values)) => {
            numbers::<UInt16Type>(values, nulls, rows, range)
        }
        (Type::Uint32, ValuesOut::Uint32(values)) => {
            numbers::<UInt32Type>(values, nulls, rows, range)
        }
        (Type::Uint64, ValuesOut::Uint64(values)) => {
            numbers::<UInt64Type>(values, nulls, rows, range)
        }
        (Type::Date, ValuesOut::Int32(values)) => numbers::<Date32Type>(values, nulls, rows, range),
        (Type::Timestamp, ValuesOut::Int64(values)) => {
            numbers::<TimestampMicrosecondType>(values, nulls, rows, range)
        }
        (Type::Float32, ValuesOut::Float32(mut values)) => {
            one_nan(&mut values, |value| value.is_nan(), f32::NAN);
            numbers::<Float32Type>(values, nulls, rows, range)
        }
        (Type::Float64, ValuesOut::Float64(mut values)) => {
            one_nan(&mut values, |value| value.is_nan(), f64::NAN);
            numbers::<Float64Type>(values, nulls, rows, range)
        }
        (Type::Decimal { precision, scale }, ValuesOut::Int128(words)) => {
            decimals(&words, nulls, rows, precision, scale)
        }
        (Type::Text, ValuesOut::Text(text)) => Ok(Arc::new(texts(text, nulls, expected)?)),
        (Type::Json, ValuesOut::Text(text)) => documents(texts(text, nulls, expected)?),
        (Type::Binary, ValuesOut::Binary(binary)) => binaries(binary, nulls, expected),
        (ty, values) => Err(Error::output(format!(
            "returned {}, declared {}",
            case(&values),
            ty.arrow()
        ))),
    }
}

/// Bytes as the list that the type asks for, which is then checked as if it had come so.
fn unpacked(values: ValuesOut, ty: Type) -> Result<ValuesOut, Error> {
    Ok(match (values, ty) {
        (ValuesOut::Packed(bytes), Type::Boolean) => ValuesOut::Bits(bytes),
        (ValuesOut::Packed(bytes), Type::Int8) => {
            ValuesOut::Int8(words(&bytes, i8::from_le_bytes)?)
        }
        (ValuesOut::Packed(bytes), Type::Int16) => {
            ValuesOut::Int16(words(&bytes, i16::from_le_bytes)?)
        }
        (ValuesOut::Packed(bytes), Type::Int32 | Type::Date) => {
            ValuesOut::Int32(words(&bytes, i32::from_le_bytes)?)
        }
        (ValuesOut::Packed(bytes), Type::Int64 | Type::Timestamp) => {
            ValuesOut::Int64(words(&bytes, i64::from_le_bytes)?)
        }
        (ValuesOut::Packed(bytes), Type::Uint8) => ValuesOut::Uint8(bytes),
        (ValuesOut::Packed(bytes), Type::Uint16) => {
            ValuesOut::Uint16(words(&bytes, u16::from_le_bytes)?)
        }
        (ValuesOut::Packed(bytes), Type::Uint32) => {
            ValuesOut::Uint32(words(&bytes, u32::from_le_bytes)?)
        }
        (ValuesOut::Packed(bytes), Type::Uint64) => {
            ValuesOut::Uint64(words(&bytes, u64::from_le_bytes)?)
        }
        (ValuesOut::Packed(bytes), Type::Float32) => {
            ValuesOut::Float32(words(&bytes, f32::from_le_bytes)?)
        }
        (ValuesOut::Packed(bytes), Type::Float64) => {
            ValuesOut::Float64(words(&bytes, f64::from_le_bytes)?)
        }
        (ValuesOut::Packed(bytes), Type::Decimal { .. }) => {
            ValuesOut::Int128(words(&bytes, u64::from_le_bytes)?)
        }
        (ValuesOut::PackedText(text), Type::Text | Type::Json) => {
            ValuesOut::Text(unpacked_text(text)?)
        }
        (ValuesOut::PackedText(text), Type::Binary) => ValuesOut::Binary(unpacked_text(text)?),
        (values @ (ValuesOut::Packed(_) | ValuesOut::PackedText(_)), _) => values,
        (values, _) => {
            let case = case(&values);
            let message = format!("returned {case}, and the manifest says that its wire is packed");
            return Err(Error::output(message));
        }
    })
}

fn unpacked_text(text: PackedVarlenOut) -> Result<VarlenOut, Error> {
    Ok(VarlenOut {
        offsets: words(&text.offsets, i32::from_le_bytes)?,
        bytes: text.bytes,
    })
}

fn words<const N: usize, T>(bytes: &[u8], word: impl Fn([u8; N]) -> T) -> Result<Vec<T>, Error> {
    let (words, rest) = bytes.as_chunks::<N>();
    if rest.is_empty() {
        return Ok(words.iter().map(|bytes| word(*bytes)).collect());
    }
    let there = bytes.len();
    Err(Error::output(format!(
        "returned {there} packed bytes, which are no values of {N}"
    )))
}

/// The guest's NULLs and those of strict arguments. A result that promised no NULLs of its own may
/// have the latter only.
fn nulls(
    validity: Option<Vec<u8>>,
    nullable: bool,
    expected: Expected<'_>,
) -> Result<Option<NullBuffer>, Error> {
    let Expected { rows, strict, .. } = expected;
    let Some(bits) = validity else {
        return Ok(strict.cloned());
    };
    length("bytes of validity", bits.len(), rows.div_ceil(8))?;
    let own = NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(bits), 0, rows));
    let all = NullBuffer::union(strict, Some(&own));
    let count = |nulls: Option<&NullBuffer>| nulls.map_or(0, NullBuffer::null_count);
    if !nullable && count(all.as_ref()) > count(strict) {
        return Err(Error::output("returned NULL where it promised a value"));
    }
    Ok(all.filter(|all| all.null_count() > 0))
}

fn booleans(bits: Vec<u8>, nulls: Option<NullBuffer>, rows: usize) -> Result<ArrayRef, Error> {
    length("bytes of bits", bits.len(), rows.div_ceil(8))?;
    let values = BooleanBuffer::new(Buffer::from_vec(bits), 0, rows);
    Ok(Arc::new(BooleanArray::new(values, nulls)))
}

/// Values that are looked at together, without a branch between them, so that the look is SIMD:
/// nearly every block is as it should be, and only the others are gone through one by one.
const BLOCK: usize = 64;

/// Makes every NaN the same NaN.
fn one_nan<N: Copy>(values: &mut [N], is_nan: impl Fn(N) -> bool, nan: N) {
    for block in values.chunks_mut(BLOCK) {
        if block.iter().fold(false, |any, value| any | is_nan(*value)) {
            let nans = block.iter_mut().filter(|value| is_nan(**value));
            nans.for_each(|value| *value = nan);
        }
    }
}

/// A number as a range sees it. 64-bit integers lose their last bits, which a bound does not mind.
trait Ranged: Copy {
    fn number(self) -> f64;
}

macro_rules! ranged {
    ($($ty:ty),*) => {
        $(impl Ranged for $ty {
            #[inline]
            fn number(self) -> f64 {
                self as f64
            }
        })*
    };
}

ranged!(i8, i16, i32, i64, u8, u16, u32, u64, f32, f64);

fn numbers<T>(
    values: Vec<T::Native>,
    nulls: Option<NullBuffer>,
    rows: usize,
    range: Option<Range>,
) -> Result<ArrayRef, Error>
where
    T: ArrowPrimitiveType,
    T::Native: Ranged,
{
    length("values", values.len(), rows)?;
    if let Some(range) = range {
        in_range(&values, nulls.as_ref(), range)?;
    }
    Ok(Arc::new(PrimitiveArray::<T>::new(values.into(), nulls)))
}

fn in_range<N: Ranged>(
    values: &[N],
    nulls: Option<&NullBuffer>,
    range: Range,
) -> Result<(), Error> {
    let inside = |value: &N| value.number() >= range.lo && value.number() <= range.hi;
    let all = |block: &[N]| block.iter().fold(true, |all, value| all & inside(value));
    if values.chunks(BLOCK).all(all) {
        return Ok(());
    }
    let valid = |row: usize| nulls.is_none_or(|nulls| nulls.is_valid(row));
    match values
        .iter()
        .enumerate()
        .position(|(row, value)| valid(row) && !inside(value))
    {
        None => Ok(()),
        Some(row) => {
            let (value, Range { lo, hi }) = (values[row].number(), range);
            Err(
                Error::output(format!("returned {value}, promised {lo} to {hi}"))
                    .in_row(Some(row as u64)),
            )
        }
    }
}

fn decimals(
    words: &[u64],
    nulls: Option<NullBuffer>,
    rows: usize,
    precision: u8,
    scale: i8,
) -> Result<ArrayRef, Error> {
    length("words", words.len(), 2 * rows)?;
    let (pairs, _) = words.as_chunks::<2>();
    let values = pairs
        .iter()
        .map(|[low, high]| (u128::from(*high) << 64 | u128::from(*low)) as i128);
    let values: ScalarBuffer<i128> = values.collect();
    let array = PrimitiveArray::<Decimal128Type>::new(values, nulls);
    array
        .validate_decimal_precision(precision)
        .map_err(|error| {
            Error::output(format!("returned a decimal out of its precision: {error}"))
        })?;
    let array = array.with_precision_and_scale(precision, scale);
    Ok(Arc::new(array.map_err(|error| {
        Error::internal(format!("assemble decimals: {error}"))
    })?))
}

fn texts(
    text: VarlenOut,
    nulls: Option<NullBuffer>,
    expected: Expected<'_>,
) -> Result<StringArray, Error> {
    let (offsets, bytes) = varlen(text, expected)?;
    StringArray::try_new(offsets, bytes, nulls)
        .map_err(|_| Error::output("returned text that is not UTF-8"))
}

/// Texts that are JSON documents.
fn documents(texts: StringArray) -> Result<ArrayRef, Error> {
    for (row, text) in texts.iter().enumerate() {
        let parsed = text.map(serde_json::from_str::<IgnoredAny>).transpose();
        parsed.map_err(|error| {
            Error::output(format!("returned text that is not JSON: {error}"))
                .in_row(Some(row as u64))
        })?;
    }
    Ok(Arc::new(texts))
}

fn binaries(
    binary: VarlenOut,
    nulls: Option<NullBuffer>,
    expected: Expected<'_>,
) -> Result<ArrayRef, Error> {
    let (offsets, bytes) = varlen(binary, expected)?;
    let array = BinaryArray::try_new(offsets, bytes, nulls);
    Ok(Arc::new(array.map_err(|error| {
        Error::output(format!("returned binary values: {error}"))
    })?))
}

/// Offsets that start at 0, never decrease, and end where the bytes do.
fn varlen(varlen: VarlenOut, expected: Expected<'_>) -> Result<(OffsetBuffer<i32>, Buffer), Error> {
    let VarlenOut { offsets, bytes } = varlen;
    length("offsets", offsets.len(), expected.rows + 1)?;
    if offsets[0] != 0 || offsets[expected.rows] as usize != bytes.len() {
        return Err(Error::output("returned offsets that do not span the bytes"));
    }
    let mut longest = 0;
    for pair in offsets.windows(2) {
        if pair[1] < pair[0] {
            return Err(Error::output("returned offsets that decrease"));
        }
        longest = longest.max(pair[1] - pair[0]);
    }
    within(
        "value_bytes_max",
        expected.value_bytes_max,
        u64::from(longest.unsigned_abs()),
    )?;
    Ok((OffsetBuffer::new(offsets.into()), Buffer::from_vec(bytes)))
}

fn length(what: &str, there: usize, wanted: usize) -> Result<(), Error> {
    if there == wanted {
        return Ok(());
    }
    Err(Error::output(format!(
        "returned {there} {what}, expected {wanted}"
    )))
}

fn about(mut error: Error, what: &str, name: &str) -> Error {
    error.message = format!("{what} \"{name}\": {}", error.message);
    error
}

fn case(values: &ValuesOut) -> &'static str {
    match values {
        ValuesOut::Bits(_) => "bits",
        ValuesOut::Int8(_) => "int8",
        ValuesOut::Int16(_) => "int16",
        ValuesOut::Int32(_) => "int32",
        ValuesOut::Int64(_) => "int64",
        ValuesOut::Uint8(_) => "uint8",
        ValuesOut::Uint16(_) => "uint16",
        ValuesOut::Uint32(_) => "uint32",
        ValuesOut::Uint64(_) => "uint64",
        ValuesOut::Float32(_) => "float32",
        ValuesOut::Float64(_) => "float64",
        ValuesOut::Int128(_) => "int128",
        ValuesOut::Text(_) => "text",
        ValuesOut::Binary(_) => "binary",
        ValuesOut::DictText(_) => "dict-text",
        ValuesOut::Packed(_) => "packed",
        ValuesOut::PackedText(_) => "packed-text",
    }
}
