//! Every way a guest can misbehave ends in an error of the right kind, and then the next call on a
//! good plugin is right, and so is the next call on the same one.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::datatypes::Float64Type;
use tributary_plugins_host::{Error, ErrorKind};

use crate::world::{HONEST, HOSTILE, all_is_well, call, floats, in_mode, install, pool, receipts};

/// Fails as it should; then all is well again.
fn ends(function: &str, kind: ErrorKind, words: &str) -> Error {
    let pool = pool(&HOSTILE);
    let error = call(&pool, function, &[floats(100)]).expect_err(function);
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.message.contains(words), "{error} has no \"{words}\"");
    assert_eq!(error.place.function.as_deref(), Some(function));
    let next = call(&pool, "echo_float64", &[floats(100)]).expect("the next call is right");
    assert_eq!(&next, &floats(100));
    all_is_well();
    error
}

/// Installs with the guest in another mode.
fn mode(mode: &str) -> Error {
    let error = install(&in_mode(mode)).expect_err(mode);
    all_is_well();
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
    ends("fills_forever", ErrorKind::Limit, "fuel_call_max");
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
    ends("returns_packed", ErrorKind::Output, "returned packed");
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
    ends(
        "returns_dictionary",
        ErrorKind::Output,
        "returned dict-text",
    );
    ends("not_json", ErrorKind::Output, "not JSON");
    ends("json_too_deep", ErrorKind::Output, "not JSON");
    ends("amplifies", ErrorKind::Limit, "linear_memory_bytes_max");
    let error = call(&pool(&HOSTILE), "amplifies", &[floats(17)]).expect_err("17 MiB of 136 bytes");
    assert_eq!(error.limit.map(|hit| hit.name), Some("output_bytes_max"));
    ends("long_value", ErrorKind::Limit, "value_bytes_max");
    ends("output_too_large", ErrorKind::Limit, "output_bytes_max");
}

#[test]
fn its_allocator_lies_to_the_host() {
    for (rows, kind, words) in [
        (777, ErrorKind::Output, "realloc return"),
        (778, ErrorKind::Output, "not aligned"),
        (779, ErrorKind::Limit, "fuel_call_max"),
        (780, ErrorKind::Trap, "unreachable"),
        (781, ErrorKind::Limit, "fuel_call_max"),
        (782, ErrorKind::Trap, "unreachable"),
        (783, ErrorKind::Trap, "unreachable"),
    ] {
        let pool = pool(&HOSTILE);
        let error = call(&pool, "echo_float64", &[floats(rows)]).expect_err("a lie");
        assert_eq!(error.kind, kind, "{rows}: {error}");
        assert!(error.message.contains(words), "{rows}: {error}");
        let next = call(&pool, "echo_float64", &[floats(100)]).expect("the next call is right");
        assert_eq!(&next, &floats(100));
        all_is_well();
    }
}

#[test]
fn no_message_travels_in_the_bits_of_a_nan() {
    let pool = pool(&HOSTILE);
    let sent = call(&pool, "nan_with_payload", &[floats(9)]).expect("NaN is a number here");
    let received = call(&pool, "reads_payload", &[sent]).expect("numbers");
    let canonical = (f64::NAN.to_bits() << 13 >> 13) as f64;
    assert_eq!(
        received.as_primitive::<Float64Type>().values(),
        &[canonical; 9]
    );
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
    let honest = crate::world::pool(&HONEST);
    let rule = call(&honest, "rules_rightly", &[floats(3)]).expect("a right rule");
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
    let honest = crate::world::pool(&HONEST);
    let rule = call(&honest, "rules_rightly", &[Arc::clone(&input)]).expect("a right rule");
    assert_eq!(rule.nulls(), input.nulls());
    assert!(
        rule.as_struct()
            .columns()
            .iter()
            .all(|column| column.is_null(1) && column.is_valid(2))
    );
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
        ("12", ErrorKind::Refused, "stable"),
        ("33", ErrorKind::Limit, "verdicts_max"),
        ("34", ErrorKind::Limit, "reasons_max"),
        ("13", ErrorKind::Limit, "config_keys_max"),
        ("14", ErrorKind::Refused, "is 11, allowed is 0 to 10"),
        ("31", ErrorKind::Refused, "nothing to bound"),
        ("32", ErrorKind::Refused, "bounds that nothing fits"),
        ("15", ErrorKind::Refused, "is no JSON"),
        (
            "16",
            ErrorKind::Refused,
            "setting \"weight\" is there twice",
        ),
        ("17", ErrorKind::Refused, "setting name \"Weight\""),
        ("18", ErrorKind::Limit, "doc_bytes_max"),
        ("19", ErrorKind::Refused, "retract"),
        ("30", ErrorKind::Refused, "no verdicts"),
        ("20", ErrorKind::Limit, "fuel_configure_max"),
        ("21", ErrorKind::Trap, "cannot start"),
        ("22", ErrorKind::Plugin, "out of order"),
        ("23", ErrorKind::Settings, "\"a\" needs \"b\""),
    ] {
        let error = mode(number);
        assert_eq!(error.kind, kind, "mode {number}: {error}");
        assert!(error.message.contains(words), "mode {number}: {error}");
    }
}

#[test]
fn warnings_are_kept_once_and_not_for_ever() {
    let pool = pool(&HOSTILE);
    for start in 0..100 {
        let from: ArrayRef = Arc::new(Float64Array::from(vec![f64::from(start)]));
        call(&pool, "warns", &[from]).expect("a warning is no error");
    }
    let warnings = pool.warnings();
    assert_eq!(warnings.len(), 64);
    assert!(warnings.iter().all(|warning| warning.function == "warns"));
    let count = |text: &str| {
        let found = warnings.iter().filter(|warning| warning.message == text);
        found.count()
    };
    assert_eq!(
        (count("twice the same"), count("saw 0"), count("saw 99")),
        (1, 1, 0)
    );
    assert_eq!(count("a panic that was none"), 0);
    call(&pool, "floods", &[floats(1)]).expect("messages are dropped");
    assert_eq!(pool.warnings().len(), 64);
    let fresh = crate::world::pool(&HOSTILE);
    call(&fresh, "floods", &[floats(1)]).expect("messages are dropped");
    let flood = fresh.warnings();
    assert_eq!(flood.len(), 8, "diagnostics_max");
    assert!(
        flood.iter().all(|warning| warning.message.len() < 1100),
        "diagnostic_bytes_max"
    );
    assert_eq!(receipts(&pool, "warns").calls, 100);
}
