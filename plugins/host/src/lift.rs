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
    Date32Type, Decimal128Type, Field, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use crate::error::{Error, within};
use crate::manifest::{self, Function, Type, names_type};
use crate::plugin::Names;
use crate::wire::{ColumnOut, Judgement, ValuesOut, VarlenOut};

/// What a result must fit.
#[derive(Clone, Copy)]
pub(crate) struct Expected<'a> {
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
        return Err(Error::internal("a scalar function has one result"));
    };
    lift(column, field, function.output_range, expected)
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
        columns.push(lifted.map_err(|error| about(error, &field.name))?);
    }
    StructArray::try_new_with_length(function.rule_fields(), columns, strict.cloned(), rows)
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
    if let Some(row) = verdicts
        .iter()
        .position(|verdict| usize::from(*verdict) >= declared)
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
    if let Some(row) = words.iter().position(|word| word & undeclared != 0) {
        return Err(
            Error::output(format!("returned a reason beyond the declared {declared}"))
                .in_row(Some(row as u64)),
        );
    }
    let counts = words.iter().map(|word| word.count_ones() as usize);
    let total: usize = counts.clone().sum();
    let mut keys = Vec::with_capacity(total);
    for word in words {
        let mut rest = *word;
        while rest != 0 {
            keys.push(rest.trailing_zeros() as u8);
            rest &= rest - 1;
        }
    }
    let values = named(
        PrimitiveArray::<UInt8Type>::new(keys.into(), None),
        &names.reasons,
    )?;
    let field = Arc::new(Field::new_list_field(names_type(), true));
    let list = ListArray::try_new(
        field,
        OffsetBuffer::from_lengths(counts),
        values,
        expected.strict.cloned(),
    );
    Ok(Arc::new(list.map_err(|error| {
        Error::internal(format!("assemble reasons: {error}"))
    })?))
}

fn named(keys: PrimitiveArray<UInt8Type>, names: &ArrayRef) -> Result<ArrayRef, Error> {
    let dictionary = DictionaryArray::try_new(keys, Arc::clone(names));
    Ok(Arc::new(dictionary.map_err(|error| {
        Error::internal(format!("name codes: {error}"))
    })?))
}

fn lift(
    column: ColumnOut,
    field: &manifest::Field,
    range: Option<manifest::Range>,
    expected: Expected<'_>,
) -> Result<ArrayRef, Error> {
    if column.constant {
        return Err(Error::output(
            "returned a constant; a result has a value for every row",
        ));
    }
    let nulls = nulls(column.validity, field.nullable, expected)?;
    let rows = expected.rows;
    match (field.ty, column.values) {
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
            values
                .iter_mut()
                .filter(|value| value.is_nan())
                .for_each(|value| *value = f32::NAN);
            numbers::<Float32Type>(values, nulls, rows, range)
        }
        (Type::Float64, ValuesOut::Float64(mut values)) => {
            values
                .iter_mut()
                .filter(|value| value.is_nan())
                .for_each(|value| *value = f64::NAN);
            numbers::<Float64Type>(values, nulls, rows, range)
        }
        (Type::Decimal { precision, scale }, ValuesOut::Int128(words)) => {
            decimals(&words, nulls, rows, precision, scale)
        }
        (Type::Text, ValuesOut::Text(text)) => texts(text, nulls, expected),
        (Type::Binary, ValuesOut::Binary(binary)) => binaries(binary, nulls, expected),
        (ty, values) => Err(Error::output(format!(
            "returned {}, declared {}",
            case(&values),
            ty.arrow()
        ))),
    }
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
    range: Option<manifest::Range>,
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
    range: manifest::Range,
) -> Result<(), Error> {
    let inside = |value: &N| (range.lo..=range.hi).contains(&value.number());
    if values.iter().all(inside) {
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
            let (value, manifest::Range { lo, hi }) = (values[row].number(), range);
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
) -> Result<ArrayRef, Error> {
    let (offsets, bytes) = varlen(text, expected)?;
    let array = StringArray::try_new(offsets, bytes, nulls);
    Ok(Arc::new(array.map_err(|_| {
        Error::output("returned text that is not UTF-8")
    })?))
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

fn about(mut error: Error, detail: &str) -> Error {
    error.message = format!("detail \"{detail}\": {}", error.message);
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
    }
}
