//! The native contenders: the formulas in a plain loop over the same arrays, compiled twice, for what
//! every x86-64 has (SSE2) and for what newer ones have (AVX-512). They return what a function of
//! DataFusion would return: an array.

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Float64Array, ListArray, StringArray, StructArray,
    UInt8Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{Field, Fields, Float64Type, Int32Type, Int64Type};
use arrow::error::ArrowError;
use tributary_benches_kernels::{Stage, Why, formulas};
use tributary_sdk::{Reasons, Verdicts};

use super::batches::{Batches, Turn};
use super::race::Contender;

/// A kernel without a boundary around it.
type Native = fn(&[ArrayRef]) -> Result<ArrayRef, ArrowError>;

/// Verdicts and masks of reasons, one each per row.
type Decided = (Vec<u8>, Vec<u64>);

/// Compiles a loop twice. `#[inline(always)]` on the loop makes it take on the features of its caller.
macro_rules! twice {
    ($($baseline:ident, $wide:ident, $looped:ident, $out:ty);* $(;)?) => {
        $(#[inline(never)]
        fn $baseline(columns: &[ArrayRef]) -> $out {
            $looped(columns)
        }

        #[inline(never)]
        #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512dq,avx512vl,avx512bw")]
        fn $wide(columns: &[ArrayRef]) -> $out {
            $looped(columns)
        })*
    };
}

twice! {
    identity, identity_wide, looped_identity, Vec<f64>;
    same_text, same_text_wide, looped_same_text, StringArray;
    lead_score, lead_score_wide, looped_lead_score, Vec<f64>;
    qualify, qualify_wide, looped_qualify, Decided;
}

/// A kernel as every x86-64 runs it.
pub fn baseline(kernel: &str) -> Native {
    match kernel {
        "identity" => |columns| Ok(numbers(identity(columns))),
        "same_text" => |columns| Ok(Arc::new(same_text(columns))),
        "lead_score" => |columns| Ok(numbers(lead_score(columns))),
        _ => |columns| decisions(qualify(columns)),
    }
}

/// A kernel as this machine could run it at best, if it has AVX-512.
pub fn wide(kernel: &str) -> Option<Native> {
    if !is_wide() {
        return None;
    }
    Some(match kernel {
        // SAFETY: the machine has been asked.
        "identity" => |columns| Ok(numbers(unsafe { identity_wide(columns) })),
        // SAFETY: as above.
        "same_text" => |columns| Ok(Arc::new(unsafe { same_text_wide(columns) })),
        // SAFETY: as above.
        "lead_score" => |columns| Ok(numbers(unsafe { lead_score_wide(columns) })),
        // SAFETY: as above.
        _ => |columns| decisions(unsafe { qualify_wide(columns) }),
    })
}

/// A contender that runs one of these over batches.
pub fn contender<'b>(name: &str, native: Native, batches: &'b Batches) -> Contender<'b> {
    let mut turn = Turn::new(batches.all());
    Contender::new(name, move || {
        black_box(native(black_box(turn.next()))?);
        Ok(())
    })
}

/// A contender that decides, and makes no arrays of its decisions.
pub fn loop_alone<'b>(name: &str, batches: &'b Batches) -> Contender<'b> {
    let mut turn = Turn::new(batches.all());
    Contender::new(name, move || {
        black_box(qualify(black_box(turn.next())));
        Ok(())
    })
}

fn is_wide() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512bw")
}

/// A vector of so many numbers, each written once. `Iterator::collect` would do the same through
/// calls that do not take on the features of this one.
#[inline(always)]
fn written(rows: usize, value: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut values = Vec::with_capacity(rows);
    let places = values.spare_capacity_mut().iter_mut().take(rows);
    for (row, place) in places.enumerate() {
        place.write(value(row));
    }
    // SAFETY: there is room for that many, and the loop has written each of them.
    unsafe { values.set_len(rows) };
    values
}

#[inline(always)]
fn looped_identity(columns: &[ArrayRef]) -> Vec<f64> {
    let rows = columns[0].len();
    let values = &columns[0].as_primitive::<Float64Type>().values()[..rows];
    written(rows, |row| values[row])
}

#[inline(always)]
fn looped_same_text(columns: &[ArrayRef]) -> StringArray {
    StringArray::from_iter_values(columns[0].as_string::<i32>().iter().flatten())
}

#[inline(always)]
fn looped_lead_score(columns: &[ArrayRef]) -> Vec<f64> {
    let rows = columns[0].len();
    let revenue = &columns[0].as_primitive::<Float64Type>().values()[..rows];
    let employees = &columns[1].as_primitive::<Int64Type>().values()[..rows];
    let age_days = &columns[2].as_primitive::<Int32Type>().values()[..rows];
    written(rows, |row| {
        formulas::lead_score(revenue[row], employees[row], age_days[row])
    })
}

#[inline(always)]
fn looped_qualify(columns: &[ArrayRef]) -> Decided {
    let industry = columns[0].as_string::<i32>();
    let revenue = columns[1].as_primitive::<Float64Type>().values();
    let employees = columns[2].as_primitive::<Int64Type>().values();
    let contacts = columns[3].as_primitive::<Int32Type>().values();
    let budget = columns[4].as_primitive::<Float64Type>();
    let rows = revenue.len();
    let mut decided = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    for row in 0..rows {
        let known = budget.is_valid(row).then(|| budget.value(row));
        let (industry, revenue) = (industry.value(row), revenue[row]);
        let (verdict, mask) =
            formulas::qualify(industry, revenue, employees[row], contacts[row], known);
        decided.0.push(verdict);
        decided.1.push(mask);
    }
    decided
}

fn numbers(values: Vec<f64>) -> ArrayRef {
    Arc::new(Float64Array::new(values.into(), None))
}

/// Decisions as SQL shows them: a dictionary of verdicts, and lists of a dictionary of reasons.
fn decisions((verdicts, masks): Decided) -> Result<ArrayRef, ArrowError> {
    let lengths = masks.iter().map(|mask| mask.count_ones() as usize);
    let mut bits = Vec::with_capacity(lengths.clone().sum());
    for mask in &masks {
        let mut rest = *mask;
        while rest != 0 {
            bits.push(rest.trailing_zeros() as u8);
            rest &= rest - 1;
        }
    }
    let verdicts = named(verdicts, StringArray::from(Stage::NAMES.to_vec()))?;
    let codes = Why::REASONS.iter().map(|(code, _)| *code);
    let reasons = named(bits, StringArray::from_iter_values(codes))?;
    let item = Arc::new(Field::new_list_field(reasons.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths(lengths);
    let reasons: ArrayRef = Arc::new(ListArray::try_new(item, offsets, reasons, None)?);
    let fields = Fields::from(vec![
        Field::new("verdict", verdicts.data_type().clone(), true),
        Field::new("reasons", reasons.data_type().clone(), true),
    ]);
    let columns = vec![verdicts, reasons];
    Ok(Arc::new(StructArray::try_new(fields, columns, None)?))
}

fn named(keys: Vec<u8>, names: StringArray) -> Result<ArrayRef, ArrowError> {
    let keys = UInt8Array::new(keys.into(), None);
    Ok(Arc::new(DictionaryArray::try_new(keys, Arc::new(names))?))
}
