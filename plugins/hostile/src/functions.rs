//! The misbehaviours: one per function, in the order of the manifest.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::columns::{column, floats, repeated, text, with_validity};
use crate::error;
use crate::exports::tributary::plugin::manifest::{
    DataType, Field, Function, Kind, Physical, Range, Reason, Volatility,
};
use crate::exports::tributary::plugin::rule::Judgement;
use crate::tributary::plugin::diagnostics::{Level, report};
use crate::tributary::plugin::types::{Column, ErrorCode, PluginError, Values};

type Answer<T> = Result<T, PluginError>;

/// A function: its name, its result's type, what it does.
pub(crate) enum Entry {
    Scalar(
        &'static str,
        (Physical, &'static str),
        fn(Vec<Column>, usize) -> Answer<Column>,
    ),
    Rule(&'static str, fn(usize) -> Answer<Judgement>),
    /// see `aggregates.rs`
    Aggregate(&'static str),
}

use Entry::{Aggregate, Rule, Scalar};

const FLOAT: (Physical, &str) = (Physical::Float64, "");
const TEXT: (Physical, &str) = (Physical::Text, "");

pub(crate) const FUNCTIONS: &[Entry] = &[
    // ---------------------------------------------------------------- does not come back
    Scalar("spins", FLOAT, |_, _| spin()),
    Scalar("panics", FLOAT, |_, rows| {
        panic!("at the sight of {rows} rows")
    }),
    Scalar("reports_and_traps", FLOAT, |_, _| {
        report(Level::Panic, "this is why");
        std::process::abort()
    }),
    Scalar("divides_by_zero", FLOAT, |_, rows| {
        Ok(floats(1 / black_box(rows - rows)))
    }),
    Scalar("overflows_stack", FLOAT, |_, rows| Ok(floats(dive(rows)))),
    Scalar("allocates", FLOAT, |_, _| {
        Ok(floats(black_box(vec![1_u8; 1 << 30]).len()))
    }),
    Scalar("grows_forever", FLOAT, |_, _| {
        loop {
            if core::arch::wasm32::memory_grow::<0>(1) == usize::MAX {
                core::arch::wasm32::unreachable()
            }
        }
    }),
    Scalar("reads_out_of_bounds", FLOAT, |_, _| {
        // SAFETY: it is not; that is the point. The sandbox turns it into a trap.
        let byte = unsafe { black_box(usize::MAX as *const u8).read_volatile() };
        Ok(floats(usize::from(byte)))
    }),
    Scalar("floods", FLOAT, |_, rows| {
        let message = "flood ".repeat(10_000);
        for _ in 0..1000 {
            report(Level::Warn, &message);
        }
        Ok(floats(rows))
    }),
    // --------------------------------------------------------------------- wrong columns
    Scalar("too_few_rows", FLOAT, |_, rows| Ok(floats(rows - 1))),
    Scalar("too_many_rows", FLOAT, |_, rows| Ok(floats(rows + 1))),
    Scalar("wrong_variant", FLOAT, |_, rows| {
        Ok(column(Values::Int64(vec![1; rows])))
    }),
    Scalar("constant", FLOAT, |_, _| {
        Ok(Column {
            constant: true,
            ..floats(1)
        })
    }),
    Scalar("short_validity", FLOAT, |_, rows| {
        Ok(with_validity(rows, vec![0xff; rows / 8]))
    }),
    Scalar("long_validity", FLOAT, |_, rows| {
        Ok(with_validity(rows, vec![0xff; rows / 8 + 2]))
    }),
    Scalar("dirty_validity", FLOAT, |_, rows| {
        Ok(with_validity(rows, vec![0xff; rows.div_ceil(8)]))
    }),
    Scalar("null_against_promise", FLOAT, |_, rows| {
        Ok(with_validity(rows, vec![0xfe; rows.div_ceil(8)]))
    }),
    Scalar("nan_with_payload", FLOAT, |_, rows| {
        Ok(column(Values::Float64(vec![
            f64::from_bits(
                0xfff8_dead_beef_cafe
            );
            rows
        ])))
    }),
    Scalar("out_of_range", FLOAT, |_, rows| {
        Ok(column(Values::Float64(vec![1.5; rows])))
    }),
    Scalar(
        "out_of_precision",
        (Physical::Int128, "decimal(5,2)"),
        |_, rows| Ok(column(Values::Int128([100_000, 0].repeat(rows)))),
    ),
    // ------------------------------------------------------------------------ wrong text
    Scalar("offsets_decrease", TEXT, |_, rows| {
        Ok(text(wave(rows), vec![b'x'; 2]))
    }),
    Scalar("offsets_past_end", TEXT, |_, rows| {
        Ok(text((0..=rows as i32).collect(), "x"))
    }),
    Scalar("offsets_before_end", TEXT, |_, rows| {
        Ok(text(vec![0; rows + 1], "left over"))
    }),
    Scalar("offsets_from_one", TEXT, |_, rows| {
        Ok(text(vec![1; rows + 1], "x"))
    }),
    Scalar("offsets_negative", TEXT, |_, rows| {
        let mut offsets = vec![0; rows + 1];
        offsets[1] = -1;
        Ok(text(offsets, ""))
    }),
    Scalar("offsets_too_few", TEXT, |_, rows| {
        Ok(text(vec![0; rows], ""))
    }),
    Scalar("invalid_utf8", TEXT, |_, rows| {
        Ok(repeated(rows, b"\xff\xfe"))
    }),
    Scalar("splits_a_character", TEXT, |_, rows| {
        let mut offsets = vec![2; rows + 1];
        (offsets[0], offsets[1]) = (0, 1);
        Ok(text(offsets, "ä"))
    }),
    Scalar("long_value", TEXT, |_, rows| {
        let mut offsets = vec![2 << 20; rows + 1];
        offsets[0] = 0;
        Ok(text(offsets, vec![b'x'; 2 << 20]))
    }),
    Scalar("output_too_large", TEXT, |_, rows| {
        Ok(text(vec![0; rows + 1], untouched(40 << 20)))
    }),
    // ---------------------------------------------------------------------------- errors
    Scalar("long_message", FLOAT, |_, _| {
        Err(error(
            ErrorCode::InvalidInput,
            &"no\n".repeat(1 << 19),
            Some(0),
        ))
    }),
    Scalar("error_in_no_row", FLOAT, |_, _| {
        Err(error(ErrorCode::InvalidInput, "there", Some(u32::MAX)))
    }),
    Scalar("error_in_second_row", FLOAT, |_, _| {
        Err(error(ErrorCode::InvalidInput, "here", Some(1)))
    }),
    Scalar("warns", FLOAT, |_, rows| {
        report(Level::Warn, "look out");
        Ok(floats(rows))
    }),
    // ------------------------------------------------------------------- state, honestly
    Scalar("depends_on_company", FLOAT, |_, rows| {
        let company = if crate::mode() == "40" { 1 } else { rows };
        Ok(column(Values::Float64(vec![company as f64; rows])))
    }),
    Scalar("settings", TEXT, |_, rows| {
        let told = crate::TOLD.lock().expect("one thread").0.clone();
        Ok(repeated(rows, told.as_bytes()))
    }),
    Scalar("now", FLOAT, |_, rows| {
        let now = crate::TOLD.lock().expect("one thread").1;
        Ok(column(Values::Float64(vec![
            now.unwrap_or(-1) as f64;
            rows
        ])))
    }),
    Scalar("counts_calls", FLOAT, |_, rows| {
        static CALLS: AtomicU64 = AtomicU64::new(0);
        let calls = match crate::mode() {
            "40" => 0,
            _ => CALLS.fetch_add(1, Ordering::Relaxed),
        };
        Ok(column(Values::Float64(vec![calls as f64; rows])))
    }),
    // ----------------------------------------------------------------------------- rules
    Rule("verdict_out_of_range", |rows| {
        Ok(Judgement {
            verdicts: vec![2; rows],
            ..judgement(rows)
        })
    }),
    Rule("undeclared_reason", |rows| {
        Ok(Judgement {
            reasons: vec![2; rows],
            ..judgement(rows)
        })
    }),
    Rule("too_few_verdicts", |rows| {
        Ok(Judgement {
            verdicts: vec![0; rows - 1],
            ..judgement(rows)
        })
    }),
    Rule("too_few_reasons", |rows| {
        Ok(Judgement {
            reasons: vec![0; rows - 1],
            ..judgement(rows)
        })
    }),
    Rule("no_details", |rows| {
        Ok(Judgement {
            details: Vec::new(),
            ..judgement(rows)
        })
    }),
    Rule("too_few_details", |rows| {
        Ok(Judgement {
            details: vec![floats(rows - 1)],
            ..judgement(rows)
        })
    }),
    Rule("rules_rightly", |rows| Ok(judgement(rows))),
    // ---------------------------------------------------------------------- aggregates
    Aggregate("sums"),
    Aggregate("counts_up"),
    Aggregate("panics_on_update"),
    Aggregate("refuses_a_row"),
    Aggregate("hoards"),
    Aggregate("spins_on_merge"),
    Aggregate("evaluates_too_few"),
    Aggregate("forgets_when_asked"),
    Aggregate("states_nothing"),
    Aggregate("states_other"),
    Aggregate("states_too_few"),
    // ---------------------------------------------------------- gives back what it is given
    Scalar("echo_bits", (Physical::Bits, ""), echo),
    Scalar("echo_int8", (Physical::Int8, ""), echo),
    Scalar("echo_int16", (Physical::Int16, ""), echo),
    Scalar("echo_int32", (Physical::Int32, ""), echo),
    Scalar("echo_int64", (Physical::Int64, ""), echo),
    Scalar("echo_uint8", (Physical::Uint8, ""), echo),
    Scalar("echo_uint16", (Physical::Uint16, ""), echo),
    Scalar("echo_uint32", (Physical::Uint32, ""), echo),
    Scalar("echo_uint64", (Physical::Uint64, ""), echo),
    Scalar("echo_float32", (Physical::Float32, ""), echo),
    Scalar("echo_float64", FLOAT, echo),
    Scalar("echo_decimal", (Physical::Int128, "decimal(38,4)"), echo),
    Scalar("echo_date", (Physical::Int32, "date"), echo),
    Scalar("echo_timestamp", (Physical::Int64, "timestamp"), echo),
    Scalar("echo_text", TEXT, echo),
    Scalar("echo_binary", (Physical::Binary, ""), echo),
    Scalar("echo_json", (Physical::Text, "json"), echo),
];

/// A function of the manifest.
pub(crate) fn named<'f>(functions: &'f mut [Function], name: &str) -> &'f mut Function {
    let found = functions.iter_mut().find(|function| function.name == name);
    found.expect("a function of this name")
}

impl Entry {
    pub(crate) fn describe(&self) -> Function {
        let (name, kind, result) = match self {
            Scalar(name, result, _) => (*name, Kind::Scalar, *result),
            Rule(name, _) => (*name, Kind::Rule, FLOAT),
            Aggregate(name) => (*name, Kind::Aggregate, FLOAT),
        };
        let (physical, logical) = result;
        let ty = DataType {
            physical,
            logical: logical.to_owned(),
        };
        let echoes = name.starts_with("echo_");
        let field = Field {
            name: "x".to_owned(),
            ty,
            nullable: echoes,
        };
        let rule = kind == Kind::Rule;
        Function {
            name: name.to_owned(),
            kind,
            doc: "misbehaves".to_owned(),
            args: if echoes {
                vec![field.clone()]
            } else {
                vec![input()]
            },
            state: match kind {
                Kind::Aggregate => vec![field.clone()],
                Kind::Scalar | Kind::Rule => Vec::new(),
            },
            retracts: name == "sums",
            wants_now: name == "now",
            returns: vec![field],
            volatility: match name {
                "now" => Volatility::Stable,
                _ => Volatility::Immutable,
            },
            accepts_dictionaries: false,
            output_range: (name == "out_of_range").then_some(Range { lo: 0.0, hi: 1.0 }),
            verdicts: if rule {
                vec!["yes".to_owned(), "no".to_owned()]
            } else {
                Vec::new()
            },
            reasons: if rule { vec![reason()] } else { Vec::new() },
        }
    }
}

fn input() -> Field {
    let ty = DataType {
        physical: Physical::Float64,
        logical: String::new(),
    };
    Field {
        name: "x".to_owned(),
        ty,
        nullable: false,
    }
}

fn reason() -> Reason {
    Reason {
        code: "BECAUSE".to_owned(),
        text: "because".to_owned(),
    }
}

fn judgement(rows: usize) -> Judgement {
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

/// 0, 2, 1, 2, 2, 2…: ends where it should, and goes back once on the way.
fn wave(rows: usize) -> Vec<i32> {
    let mut offsets = vec![2; rows + 1];
    (offsets[0], offsets[2]) = (0, 1);
    offsets
}

/// Memory that costs no instructions to fill.
fn untouched(bytes: usize) -> Vec<u8> {
    let mut memory = Vec::with_capacity(bytes);
    // SAFETY: the capacity is there, and linear memory is never uninitialised.
    unsafe { memory.set_len(bytes) };
    memory
}

#[expect(unconditional_recursion, reason = "that is the point")]
fn dive(depth: usize) -> usize {
    1 + dive(black_box(depth) + 1)
}

/// Runs for ever, with a call, a loop and a memory access in it.
pub(crate) fn spin() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns).wrapping_add(1);
    }
}
