//! What is right: functions that give back what they are given, however it came, and what they were
//! configured with.

use crate::columns::{bitmap, column, float, floats, string, texts};
use crate::configuration;
use crate::entry::{Answer, Entry, FLOAT, INTEGER, JSON, TEXT};
use crate::exports::tributary::plugin::manifest::Physical;
use crate::exports::tributary::plugin::rule::Judgement;
use crate::tributary::plugin::types::{Column, Values};
use crate::{error, tributary::plugin::types::ErrorCode};

/// In every list of functions, so that every guest has one that is right.
pub(crate) const ECHO_FLOAT: Entry = Entry::scalar("echo_float64", FLOAT, echo)
    .of(&[(FLOAT, true)])
    .nullable();

/// A function of one nullable argument that gives it back.
macro_rules! echo {
    ($name:literal, $ty:expr) => {
        Entry::scalar($name, $ty, echo)
            .of(&[($ty, true)])
            .nullable()
    };
}

pub(crate) const FUNCTIONS: &[Entry] = &[
    ECHO_FLOAT,
    echo!("echo_bits", (Physical::Bits, "")),
    echo!("echo_int8", (Physical::Int8, "")),
    echo!("echo_int16", (Physical::Int16, "")),
    echo!("echo_int32", (Physical::Int32, "")),
    echo!("echo_int64", INTEGER),
    echo!("echo_uint8", (Physical::Uint8, "")),
    echo!("echo_uint16", (Physical::Uint16, "")),
    echo!("echo_uint32", (Physical::Uint32, "")),
    echo!("echo_uint64", (Physical::Uint64, "")),
    echo!("echo_float32", (Physical::Float32, "")),
    echo!("echo_decimal", (Physical::Int128, "decimal(38,4)")),
    echo!("echo_date", (Physical::Int32, "date")),
    echo!("echo_timestamp", (Physical::Int64, "timestamp")),
    echo!("echo_text", TEXT),
    echo!("echo_binary", (Physical::Binary, "")),
    echo!("echo_json", JSON),
    Entry::scalar("strict_text", TEXT, echo).of(&[(TEXT, false)]),
    Entry::rule("rules_rightly", |rows| Ok(judgement(rows))),
    Entry::scalar("joins", TEXT, joins).of(&[(TEXT, true), (FLOAT, true)]),
    Entry::scalar("joins_dictionaries", TEXT, joins)
        .of(&[(TEXT, true), (FLOAT, true)])
        .with_dictionaries(),
    Entry::scalar("first_of_two", TEXT, echo)
        .of(&[(TEXT, true), (FLOAT, true)])
        .with_dictionaries()
        .nullable(),
    Entry::scalar("refuses_bad", TEXT, refuses).of(&[(TEXT, false)]),
    Entry::scalar("layout", TEXT, layout)
        .of(&[(TEXT, true), (FLOAT, true)])
        .with_dictionaries(),
    Entry::scalar("settings", TEXT, |_, rows| {
        Ok(texts(&vec![configuration::text(); rows]))
    }),
    Entry::scalar("now", INTEGER, |_, rows| {
        Ok(column(Values::Int64(vec![configuration::now(); rows])))
    })
    .stable(true),
];

pub(crate) fn judgement(rows: usize) -> Judgement {
    Judgement {
        verdicts: vec![1; rows],
        reasons: vec![1; rows],
        details: vec![floats(rows)],
    }
}

fn echo(mut args: Vec<Column>, _rows: usize) -> Answer<Column> {
    Ok(Column {
        constant: false,
        ..args.remove(0)
    })
}

/// "text/number" of every row, whatever is constant, NULL or a dictionary.
fn joins(args: Vec<Column>, rows: usize) -> Answer<Column> {
    let join = |row: usize| {
        let number = float(&args[1], row).map_or("NULL".to_owned(), |number| number.to_string());
        format!(
            "{}/{number}",
            string(&args[0], row).as_deref().unwrap_or("NULL")
        )
    };
    Ok(texts(&(0..rows).map(join).collect::<Vec<_>>()))
}

/// The text, but "bad" is refused.
fn refuses(args: Vec<Column>, rows: usize) -> Answer<Column> {
    let values: Vec<String> = (0..rows)
        .map(|row| string(&args[0], row).unwrap_or_default())
        .collect();
    match values.iter().position(|value| value == "bad") {
        Some(row) => Err(error(
            ErrorCode::InvalidInput,
            "bad is bad",
            Some(row as u32),
        )),
        None => Ok(texts(&values)),
    }
}

/// How the arguments came: "dict" or "text", "constant" or not, and over how many rows.
fn layout(args: Vec<Column>, rows: usize) -> Answer<Column> {
    let layout = match args[0].values {
        Values::DictText(_) => "dict",
        Values::Text(_) => "text",
        _ => "other",
    };
    let constant = if args[1].constant {
        "constant"
    } else {
        "column"
    };
    let valid = bitmap((0..rows).map(|_| true));
    let answer = texts(&vec![format!("{layout} {constant} {rows}"); rows]);
    Ok(Column {
        validity: Some(valid),
        ..answer
    })
}
