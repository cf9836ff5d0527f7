//! Arguments: documents, text, NULLs, constants, and columns that are not what was announced.

use std::borrow::Cow;

use serde::Deserialize;
use tributary_sdk::bindings::exports::tributary::plugin::manifest::Physical;
use tributary_sdk::bindings::tributary::plugin::types::{Column, ErrorCode, Values};
use tributary_sdk::generated as serve;
use tributary_sdk::prelude::*;

use crate::columns::{bits, column, constant, dictionary, floats, manifest, numbers, text};

#[derive(Deserialize)]
struct Event<'e> {
    #[serde(borrow)]
    kind: Cow<'e, str>,
    at: Timestamp,
}

/// Forms among the events.
#[score]
fn forms(events: Document<'_>) -> Result<f64, PluginFailure> {
    let events: Vec<Event<'_>> = events.parse()?;
    Ok(events.iter().filter(|event| event.kind == "form").count() as f64)
}

/// Days from the first event to this day.
#[score]
fn wait_days(events: Option<Document<'_>>, day: Date) -> Result<Option<f64>, PluginFailure> {
    let Some(events) = events else {
        return Ok(None);
    };
    let events: Vec<Event<'_>> = events.parse().map_err(|failure| failure.of("events"))?;
    let first = events.iter().map(|event| event.at).min();
    Ok(first.map(|first| day.start().days_since(first)))
}

/// Length of a text and a number, both never NULL here.
#[score]
fn length(name: &str, add: f64) -> f64 {
    name.len() as f64 + add
}

/// An exact amount, doubled; the day after; a text.
#[score]
fn doubled(amount: Decimal<12, 2>) -> Decimal<12, 2> {
    Decimal {
        unscaled: 2 * amount.unscaled,
    }
}

/// The day after.
#[score]
fn next(day: Date) -> Date {
    Date(day.0 + 1)
}

/// A size in words.
#[score]
fn size(count: u64) -> Result<&'static str, PluginFailure> {
    match count {
        0 => Err(PluginFailure::new("nothing to size")),
        1..10 => Ok("small"),
        _ => Ok("large"),
    }
}

tributary_sdk::plugin! {
    name: "arguments",
    version: "1.0.0",
    functions: [forms, wait_days, length, doubled, next, size],
}

fn eval(function: u32, args: &[Column], rows: u32) -> Column {
    serve::eval(&TRIBUTARY_PLUGIN, function, args, rows).expect("a column")
}

const FORM: &str =
    r#"[{"kind":"form","at":"2024-06-01T12:00:00"},{"kind":"fo\u0072m","at":"2024-06-02"}]"#;

#[test]
fn documents_are_read_into_a_type() {
    let events = text(&[FORM, "[]"]);
    assert_eq!(numbers(&eval(0, &[events], 2)), [Some(2.0), Some(0.0)]);
    let function = manifest(&TRIBUTARY_PLUGIN, "forms");
    let ty = &function.args[0].ty;
    assert_eq!((ty.physical, ty.logical.as_str()), (Physical::Text, "json"));
    assert!(!function.args[0].nullable);
    assert!(manifest(&TRIBUTARY_PLUGIN, "wait_days").args[0].nullable);
    assert!(manifest(&TRIBUTARY_PLUGIN, "forms").accepts_dictionaries);
}

#[test]
fn a_missing_document_is_not_read() {
    let events = Column {
        validity: Some(bits([false, true].into_iter())),
        ..text(&["not JSON", FORM])
    };
    let days = column(Values::Int32(vec![19_876, 19_876]));
    assert_eq!(numbers(&eval(1, &[events, days], 2)), [None, Some(0.5)]);
    let strict = Column {
        validity: Some(vec![0b10]),
        ..text(&["not JSON", FORM])
    };
    assert_eq!(numbers(&eval(0, &[strict], 2)), [None, Some(2.0)]);
}

#[test]
fn a_bad_document_names_its_row() {
    let many: Vec<&str> = (0..70)
        .map(|row| if row == 66 { "[{}]" } else { "[]" })
        .collect();
    let error = serve::eval(&TRIBUTARY_PLUGIN, 0, &[text(&many)], 70).expect_err("row 66");
    assert_eq!((error.code, error.row), (ErrorCode::InvalidInput, Some(66)));
    assert_eq!(
        error.message,
        "document does not fit: missing field `kind` at line 1 column 3"
    );
    let full: Vec<&str> = (0..64)
        .map(|row| if row == 63 { "" } else { "[]" })
        .collect();
    let error =
        serve::eval(&TRIBUTARY_PLUGIN, 0, &[text(&full)], 64).expect_err("row 63 of a full block");
    assert_eq!(error.row, Some(63));
    let when = text(&[r#"[{"kind":"form","at":"noon"}]"#]);
    let days = column(Values::Int32(vec![19_876]));
    let error = serve::eval(&TRIBUTARY_PLUGIN, 1, &[when, days], 1).expect_err("no time");
    let said = error.message;
    assert!(
        said.starts_with("events: document does not fit: "),
        "{said}"
    );
    assert!(
        said.contains("expected a time like 2024-06-15T12:00:00"),
        "{said}"
    );
}

#[test]
fn text_comes_plain_as_dictionary_or_constant() {
    let add = || constant(column(Values::Float64(vec![0.5])));
    let plain = eval(2, &[text(&["a", "", "ü"]), add()], 3);
    assert_eq!(numbers(&plain), [Some(1.5), Some(0.5), Some(2.5)]);
    let folded = eval(2, &[dictionary(&[1, 0, 1], &["a", "abc"]), add()], 3);
    assert_eq!(numbers(&folded), [Some(3.5), Some(1.5), Some(3.5)]);
    let same = eval(
        2,
        &[
            constant(text(&["ab"])),
            floats(&[Some(1.0), None, Some(3.0)]),
        ],
        3,
    );
    assert_eq!(numbers(&same), [Some(3.0), None, Some(5.0)]);
}

#[test]
fn results_keep_their_type() {
    let wide = |values: &[i128]| {
        let words = values
            .iter()
            .flat_map(|value| [*value as u64, (*value >> 64) as u64]);
        words.collect::<Vec<u64>>()
    };
    let amounts = eval(3, &[column(Values::Int128(wide(&[-150, 1 << 70])))], 2);
    assert!(matches!(amounts.values, Values::Int128(words) if words == wide(&[-300, 1 << 71])));
    let days = eval(4, &[column(Values::Int32(vec![1, -1]))], 2);
    assert!(matches!(days.values, Values::Int32(days) if days == [2, 0]));
    let sizes = eval(5, &[column(Values::Uint64(vec![1, u64::MAX]))], 2);
    assert!(matches!(sizes.values, Values::Text(text) if text.bytes == b"smalllarge"));
    let logical = |name| {
        manifest(&TRIBUTARY_PLUGIN, name).returns[0]
            .ty
            .logical
            .clone()
    };
    assert_eq!(
        (logical("doubled").as_str(), logical("next").as_str()),
        ("decimal(12,2)", "date")
    );
}

#[test]
fn a_failure_names_its_row() {
    let error = serve::eval(
        &TRIBUTARY_PLUGIN,
        5,
        &[column(Values::Uint64(vec![3, 0]))],
        2,
    )
    .expect_err("row 1");
    assert_eq!((error.code, error.row), (ErrorCode::InvalidInput, Some(1)));
    assert_eq!(error.message, "nothing to size");
}

#[test]
fn columns_that_were_not_announced_are_an_error() {
    let refused = |function: u32, args: &[Column], rows: u32, message: &str| {
        let error = serve::eval(&TRIBUTARY_PLUGIN, function, args, rows).expect_err(message);
        assert_eq!(error.message, message);
    };
    let number = || column(Values::Float64(vec![1.0]));
    refused(
        2,
        &[number(), number()],
        1,
        "argument of another type or length",
    );
    refused(
        2,
        &[text(&["a"]), number()],
        2,
        "argument of another type or length",
    );
    refused(2, &[text(&["a"])], 1, "another number of arguments");
    let short = Column {
        validity: Some(vec![]),
        ..number()
    };
    refused(
        2,
        &[text(&["a"]), short],
        1,
        "validity shorter than the batch",
    );
    refused(9, &[], 1, "no function 9 of this kind");
    let error = serve::judge(&TRIBUTARY_PLUGIN, 0, &[], 1).expect_err("a score is no rule");
    assert_eq!(error.code, ErrorCode::Unsupported);
}
