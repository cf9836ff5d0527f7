//! Every way a guest can misbehave ends in an error of the right kind, and then the next call on a
//! good plugin is right, and so is the next call on the same one.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array,
    Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, StringArray,
    TimestampMicrosecondArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow::datatypes::Float64Type;
use tributary_plugins_host::{Error, ErrorKind, Pool};

use crate::guests::champ_agrees_with_every_vector;
use crate::world::{HOSTILE, call, floats, in_mode, install, pool};

/// Fails as it should; then all is well again.
fn ends(function: &str, kind: ErrorKind, words: &str) -> Error {
    let pool = pool(&HOSTILE);
    let error = call(&pool, function, &[floats(100)]).expect_err(function);
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.message.contains(words), "{error} has no \"{words}\"");
    assert_eq!(error.place.function.as_deref(), Some(function));
    let next = call(&pool, "echo_float64", &[floats(100)]).expect("the next call is right");
    assert_eq!(&next, &floats(100));
    champ_agrees_with_every_vector();
    error
}

/// Installs with the guest in another mode.
fn mode(mode: &str) -> Error {
    let wasm = in_mode(mode);
    let error = install(&wasm).expect_err(mode);
    champ_agrees_with_every_vector();
    error
}

#[test]
fn does_not_come_back() {
    ends("spins", ErrorKind::Limit, "fuel_call_max");
    ends("panics", ErrorKind::Trap, "unreachable");
    ends("reports_and_traps", ErrorKind::Trap, "this is why");
    ends("divides_by_zero", ErrorKind::Trap, "unreachable");
    ends("overflows_stack", ErrorKind::Limit, "wasm_stack_bytes_max");
    ends("reads_out_of_bounds", ErrorKind::Trap, "out of bounds");
}

#[test]
fn takes_too_much_memory() {
    let error = ends("allocates", ErrorKind::Limit, "linear_memory_bytes_max");
    assert!(error.limit.and_then(|hit| hit.asked) > Some(1 << 30));
    ends("grows_forever", ErrorKind::Limit, "linear_memory_bytes_max");
}

#[test]
fn returns_wrong_columns() {
    ends(
        "too_few_rows",
        ErrorKind::Output,
        "returned 99 values, expected 100",
    );
    ends("too_many_rows", ErrorKind::Output, "returned 101 values");
    ends(
        "wrong_variant",
        ErrorKind::Output,
        "returned int64, declared Float64",
    );
    ends("constant", ErrorKind::Output, "constant");
    ends("short_validity", ErrorKind::Output, "bytes of validity");
    ends("long_validity", ErrorKind::Output, "bytes of validity");
    ends("null_against_promise", ErrorKind::Output, "NULL");
    ends("out_of_precision", ErrorKind::Output, "precision");
    let error = ends(
        "out_of_range",
        ErrorKind::Output,
        "returned 1.5, promised 0 to 1",
    );
    assert_eq!(error.place.row, Some(0));
}

#[test]
fn returns_wrong_text() {
    ends("offsets_decrease", ErrorKind::Output, "decrease");
    ends("offsets_past_end", ErrorKind::Output, "span");
    ends("offsets_before_end", ErrorKind::Output, "span");
    ends("offsets_from_one", ErrorKind::Output, "span");
    ends("offsets_negative", ErrorKind::Output, "decrease");
    ends("offsets_too_few", ErrorKind::Output, "offsets");
    ends("invalid_utf8", ErrorKind::Output, "UTF-8");
    ends("splits_a_character", ErrorKind::Output, "UTF-8");
    ends("long_value", ErrorKind::Limit, "value_bytes_max");
    ends("output_too_large", ErrorKind::Limit, "output_bytes_max");
}

#[test]
fn returns_wrong_rulings() {
    ends("verdict_out_of_range", ErrorKind::Output, "verdict 2 of 2");
    ends(
        "undeclared_reason",
        ErrorKind::Output,
        "beyond the declared 1",
    );
    ends("too_few_verdicts", ErrorKind::Output, "99 verdicts");
    ends("too_few_reasons", ErrorKind::Output, "99 reasons");
    ends("no_details", ErrorKind::Output, "0 details");
    ends(
        "too_few_details",
        ErrorKind::Output,
        "detail \"x\": returned 99 values",
    );
}

#[test]
fn returns_strange_errors() {
    let error = ends("long_message", ErrorKind::Row, "no no no");
    assert!(error.message.len() < 5000 && !error.message.contains('\n'));
    let error = ends("error_in_no_row", ErrorKind::Plugin, "there");
    assert_eq!(error.place.row, None);
    let error = ends("error_in_second_row", ErrorKind::Row, "here");
    assert_eq!(error.place.row, Some(1));
}

#[test]
fn what_is_odd_but_allowed_is_made_regular() {
    let pool = pool(&HOSTILE);
    let dirty = call(&pool, "dirty_validity", &[floats(3)]).expect("tail bits mean nothing");
    assert_eq!(dirty.null_count(), 0);
    let nan = call(&pool, "nan_with_payload", &[floats(3)]).expect("NaN is a number here");
    let nan = nan.as_primitive::<Float64Type>();
    assert!(
        nan.values()
            .iter()
            .all(|value| value.to_bits() == f64::NAN.to_bits())
    );
    call(&pool, "floods", &[floats(3)]).expect("messages are dropped");
    let rule = call(&pool, "rules_rightly", &[floats(3)]).expect("a right rule");
    assert_eq!(
        rule.as_struct()
            .column_by_name("reasons")
            .expect("reasons")
            .as_list::<i32>()
            .value_length(0),
        1
    );
}

#[test]
fn state_does_not_outlive_a_query() {
    let first = pool(&HOSTILE);
    for calls in 0..3 {
        let counted = call(&first, "counts_calls", &[floats(1)]).expect("counts");
        assert_eq!(
            counted.as_primitive::<Float64Type>().value(0),
            f64::from(calls)
        );
    }
    let counted = call(&pool(&HOSTILE), "counts_calls", &[floats(1)]).expect("counts");
    assert_eq!(counted.as_primitive::<Float64Type>().value(0), 0.0);
    call(&first, "panics", &[floats(1)]).expect_err("panics");
    let counted = call(&first, "counts_calls", &[floats(1)]).expect("counts");
    assert_eq!(
        counted.as_primitive::<Float64Type>().value(0),
        0.0,
        "an instance that failed is gone"
    );
}

#[test]
fn strict_null_is_null_whatever_the_guest_says() {
    let input: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.0), None, Some(3.0)]));
    let pool = pool(&HOSTILE);
    let result = call(&pool, "dirty_validity", &[Arc::clone(&input)]).expect("all valid, it says");
    assert_eq!(result.nulls(), input.nulls());
    let rule = call(&pool, "rules_rightly", &[Arc::clone(&input)]).expect("a right rule");
    assert_eq!(rule.nulls(), input.nulls());
    assert!(
        rule.as_struct()
            .columns()
            .iter()
            .all(|column| column.is_null(1) && column.is_valid(2))
    );
}

#[test]
fn every_type_comes_back_as_it_went() {
    let packed = install(&in_mode("12")).expect("packed columns are as good");
    for pool in [pool(&HOSTILE), pool(&packed)] {
        echoes(&pool);
    }
}

fn echoes(pool: &Pool) {
    let decimals = Decimal128Array::from(vec![
        Some(i128::from(u64::MAX) * 1000),
        None,
        Some(-1),
        Some(0),
    ]);
    let arrays: Vec<(&str, ArrayRef)> = vec![
        (
            "bits",
            Arc::new(BooleanArray::from(vec![
                Some(true),
                None,
                Some(false),
                Some(true),
            ])),
        ),
        (
            "int8",
            Arc::new(Int8Array::from(vec![
                Some(i8::MIN),
                None,
                Some(0),
                Some(i8::MAX),
            ])),
        ),
        (
            "int16",
            Arc::new(Int16Array::from(vec![
                Some(i16::MIN),
                None,
                Some(0),
                Some(i16::MAX),
            ])),
        ),
        (
            "int32",
            Arc::new(Int32Array::from(vec![
                Some(i32::MIN),
                None,
                Some(0),
                Some(i32::MAX),
            ])),
        ),
        (
            "int64",
            Arc::new(Int64Array::from(vec![
                Some(i64::MIN),
                None,
                Some(0),
                Some(i64::MAX),
            ])),
        ),
        (
            "uint8",
            Arc::new(UInt8Array::from(vec![
                Some(0),
                None,
                Some(1),
                Some(u8::MAX),
            ])),
        ),
        (
            "uint16",
            Arc::new(UInt16Array::from(vec![
                Some(0),
                None,
                Some(1),
                Some(u16::MAX),
            ])),
        ),
        (
            "uint32",
            Arc::new(UInt32Array::from(vec![
                Some(0),
                None,
                Some(1),
                Some(u32::MAX),
            ])),
        ),
        (
            "uint64",
            Arc::new(UInt64Array::from(vec![
                Some(0),
                None,
                Some(1),
                Some(u64::MAX),
            ])),
        ),
        (
            "float32",
            Arc::new(Float32Array::from(vec![
                Some(-0.0),
                None,
                Some(f32::INFINITY),
                Some(1e-40),
            ])),
        ),
        (
            "float64",
            Arc::new(Float64Array::from(vec![
                Some(-0.0),
                None,
                Some(f64::INFINITY),
                Some(5e-324),
            ])),
        ),
        (
            "decimal",
            Arc::new(decimals.with_precision_and_scale(38, 4).expect("it fits")),
        ),
        (
            "date",
            Arc::new(Date32Array::from(vec![
                Some(-1),
                None,
                Some(0),
                Some(20_000),
            ])),
        ),
        (
            "timestamp",
            Arc::new(TimestampMicrosecondArray::from(vec![
                Some(-1),
                None,
                Some(0),
                Some(1 << 50),
            ])),
        ),
        (
            "text",
            Arc::new(StringArray::from(vec![
                Some(""),
                None,
                Some("ä\0"),
                Some("text"),
            ])),
        ),
        (
            "binary",
            Arc::new(BinaryArray::from(vec![
                Some(&b""[..]),
                None,
                Some(b"\xff\0"),
                Some(b"bytes"),
            ])),
        ),
    ];
    for (name, array) in arrays {
        let function = format!("echo_{name}");
        let back = call(pool, &function, &[Arc::clone(&array)]).expect(name);
        assert_eq!(&back, &array);
        let back = call(pool, &function, &[array.slice(1, 3)]).expect(name);
        assert_eq!(&back, &array.slice(1, 3));
    }
}

#[test]
fn misbehaves_while_it_is_installed() {
    for (number, kind, words) in [
        ("01", ErrorKind::Limit, "fuel_describe_max"),
        ("02", ErrorKind::Trap, "unreachable"),
        ("03", ErrorKind::Refused, "[a-z][a-z0-9_]*"),
        ("04", ErrorKind::Limit, "name_bytes_max"),
        ("05", ErrorKind::Limit, "functions_max"),
        ("06", ErrorKind::Refused, "there twice"),
        ("07", ErrorKind::Limit, "output_bytes_max"),
        ("08", ErrorKind::Limit, "fields_max"),
        ("09", ErrorKind::Refused, "1.2.3"),
        ("10", ErrorKind::Refused, "exactly one result"),
        ("11", ErrorKind::Refused, "roman numeral"),
        ("13", ErrorKind::Limit, "config_keys_max"),
        (
            "14",
            ErrorKind::Refused,
            "is \"three\", expected an integer",
        ),
        ("15", ErrorKind::Refused, "is 11, allowed is 0 to 10"),
        ("16", ErrorKind::Refused, "bounds that nothing fits"),
        ("17", ErrorKind::Refused, "[a-z][a-z0-9_]*"),
        ("18", ErrorKind::Refused, "there twice"),
        ("19", ErrorKind::Refused, "no JSON"),
        ("30", ErrorKind::Refused, "stable, not immutable"),
        ("31", ErrorKind::Refused, "an aggregate has a state"),
        ("23", ErrorKind::Settings, "flag and count do not fit"),
        ("20", ErrorKind::Limit, "fuel_start_max"),
        ("21", ErrorKind::Trap, "cannot start"),
        ("22", ErrorKind::Plugin, "out of order"),
    ] {
        let error = mode(number);
        assert_eq!(error.kind, kind, "mode {number}: {error}");
        assert!(error.message.contains(words), "mode {number}: {error}");
    }
}
