//! The misbehaviours of scalar functions and rules: one per function, in the order of the manifest.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::columns::{column, float, floats, repeated, text, with_validity};
use crate::entry::{Entry, FLOAT, JSON, TEXT};
use crate::error;
use crate::exports::tributary::plugin::manifest::Physical;
use crate::exports::tributary::plugin::rule::Judgement;
use crate::honest::{ECHO_FLOAT, judgement};
use crate::tributary::plugin::diagnostics::{Level, report};
use crate::tributary::plugin::types::{Column, Dict, ErrorCode, Values};

/// Those that are right about a row alone and not in company.
pub(crate) const DEPENDING: &[&str] = &[
    "counts_calls",
    "depends_on_batch",
    "depends_on_place",
    "offsets_past_end",
];

pub(crate) const FUNCTIONS: &[Entry] = &[
    ECHO_FLOAT,
    // ---------------------------------------------------------------- does not come back
    Entry::scalar("spins", FLOAT, |_, _| spin()),
    Entry::scalar("panics", FLOAT, |_, rows| {
        panic!("at the sight of {rows} rows")
    }),
    Entry::scalar("reports_and_traps", FLOAT, |_, _| {
        report(Level::Panic, "this is why");
        std::process::abort()
    }),
    Entry::scalar("divides_by_zero", FLOAT, |_, rows| {
        Ok(floats(1 / black_box(rows - rows)))
    }),
    Entry::scalar("overflows_stack", FLOAT, |_, rows| Ok(floats(dive(rows)))),
    Entry::scalar("allocates", FLOAT, |_, _| {
        Ok(floats(black_box(vec![1_u8; 1 << 30]).len()))
    }),
    Entry::scalar("grows_forever", FLOAT, |_, _| {
        loop {
            if core::arch::wasm32::memory_grow::<0>(1) == usize::MAX {
                core::arch::wasm32::unreachable()
            }
        }
    }),
    Entry::scalar("reads_out_of_bounds", FLOAT, |_, _| {
        // SAFETY: it is not; that is the point. The sandbox turns it into a trap.
        let byte = unsafe { black_box(usize::MAX as *const u8).read_volatile() };
        Ok(floats(usize::from(byte)))
    }),
    Entry::scalar("fills_forever", FLOAT, |_, _| {
        let mut block = vec![0_u8; 32 << 20];
        loop {
            black_box(&mut block).fill(black_box(1));
        }
    }),
    Entry::scalar("warns", FLOAT, |args, rows| {
        report(Level::Warn, "twice the same");
        report(Level::Warn, "twice the same");
        report(Level::Panic, "a panic that was none");
        let Values::Float64(values) = &args[0].values else {
            return Err(error(ErrorCode::Internal, "not a number", None));
        };
        report(Level::Warn, &format!("saw\n{}", values[0]));
        Ok(floats(rows))
    }),
    Entry::scalar("floods", FLOAT, |_, rows| {
        let message = "flood ".repeat(400);
        for number in 0..1000 {
            report(Level::Warn, &format!("{number} {message}"));
        }
        Ok(floats(rows))
    }),
    // --------------------------------------------------------------------- wrong columns
    Entry::scalar("too_few_rows", FLOAT, |_, rows| Ok(floats(rows - 1))),
    Entry::scalar("too_many_rows", FLOAT, |_, rows| Ok(floats(rows + 1))),
    Entry::scalar("wrong_variant", FLOAT, |_, rows| {
        Ok(column(Values::Int64(vec![1; rows])))
    }),
    Entry::scalar("constant", FLOAT, |_, _| {
        Ok(Column {
            constant: true,
            ..floats(1)
        })
    }),
    Entry::scalar("short_validity", FLOAT, |_, rows| {
        Ok(with_validity(rows, vec![0xff; rows / 8]))
    }),
    Entry::scalar("long_validity", FLOAT, |_, rows| {
        Ok(with_validity(rows, vec![0xff; rows / 8 + 2]))
    }),
    Entry::scalar("dirty_validity", FLOAT, |_, rows| {
        Ok(with_validity(rows, vec![0xff; rows.div_ceil(8)]))
    }),
    Entry::scalar("null_against_promise", FLOAT, |_, rows| {
        Ok(with_validity(rows, vec![0xfe; rows.div_ceil(8)]))
    }),
    Entry::scalar("nan_with_payload", FLOAT, |_, rows| {
        Ok(column(Values::Float64(vec![
            f64::from_bits(
                0xfff8_dead_beef_cafe
            );
            rows
        ])))
    }),
    Entry::scalar("reads_payload", FLOAT, |args, rows| {
        let payload = |row| float(&args[0], row).map_or(0, f64::to_bits) << 13 >> 13;
        let payloads = (0..rows).map(|row| payload(row) as f64);
        Ok(column(Values::Float64(payloads.collect())))
    }),
    Entry::scalar("out_of_range", FLOAT, |_, rows| {
        Ok(column(Values::Float64(vec![1.5; rows])))
    })
    .within(0.0, 1.0),
    Entry::scalar(
        "out_of_precision",
        (Physical::Int128, "decimal(5,2)"),
        |_, rows| Ok(column(Values::Int128([100_000, 0].repeat(rows)))),
    ),
    // ------------------------------------------------------------------------ wrong text
    Entry::scalar("offsets_decrease", TEXT, |_, rows| {
        Ok(text(wave(rows), vec![b'x'; 2]))
    }),
    Entry::scalar("offsets_past_end", TEXT, |_, rows| {
        Ok(text((0..=rows as i32).collect(), "x"))
    }),
    Entry::scalar("offsets_before_end", TEXT, |_, rows| {
        Ok(text(vec![0; rows + 1], "left over"))
    }),
    Entry::scalar("offsets_from_one", TEXT, |_, rows| {
        Ok(text(vec![1; rows + 1], "x"))
    }),
    Entry::scalar("offsets_negative", TEXT, |_, rows| {
        let mut offsets = vec![0; rows + 1];
        offsets[1] = -1;
        Ok(text(offsets, ""))
    }),
    Entry::scalar("offsets_too_few", TEXT, |_, rows| {
        Ok(text(vec![0; rows], ""))
    }),
    Entry::scalar("invalid_utf8", TEXT, |_, rows| {
        Ok(repeated(rows, b"\xff\xfe"))
    }),
    Entry::scalar("splits_a_character", TEXT, |_, rows| {
        let mut offsets = vec![2; rows + 1];
        (offsets[0], offsets[1]) = (0, 1);
        Ok(text(offsets, "ä"))
    }),
    Entry::scalar("long_value", TEXT, |_, rows| {
        let mut offsets = vec![2 << 20; rows + 1];
        offsets[0] = 0;
        Ok(text(offsets, vec![b'x'; 2 << 20]))
    }),
    Entry::scalar("not_json", JSON, |_, rows| Ok(repeated(rows, b"{'a': 1}"))),
    Entry::scalar("json_too_deep", JSON, |_, rows| {
        Ok(repeated(rows, &b"[".repeat(100_000)))
    }),
    Entry::scalar("returns_dictionary", TEXT, |_, rows| {
        let Values::Text(values) = repeated(1, b"x").values else {
            return Err(error(ErrorCode::Internal, "text is text", None));
        };
        let keys = vec![0; rows];
        Ok(column(Values::DictText(Dict { keys, values })))
    }),
    Entry::scalar("returns_packed", FLOAT, |_, rows| {
        Ok(column(Values::Packed(vec![0; 8 * rows])))
    }),
    Entry::scalar("amplifies", TEXT, |_, rows| {
        Ok(repeated(rows, &vec![b'x'; 1 << 20]))
    }),
    Entry::scalar("output_too_large", TEXT, |_, rows| {
        Ok(text(vec![0; rows + 1], untouched(40 << 20)))
    }),
    // ---------------------------------------------------------------------------- errors
    Entry::scalar("long_message", FLOAT, |_, _| {
        Err(error(
            ErrorCode::InvalidInput,
            &"no\n".repeat(1 << 19),
            Some(0),
        ))
    }),
    Entry::scalar("error_in_no_row", FLOAT, |_, _| {
        Err(error(ErrorCode::InvalidInput, "there", Some(u32::MAX)))
    }),
    Entry::scalar("error_in_second_row", FLOAT, |_, _| {
        Err(error(ErrorCode::InvalidInput, "here", Some(1)))
    }),
    // ------------------------------------------------------------------- state, honestly
    Entry::scalar("counts_calls", FLOAT, |_, rows| {
        static CALLS: AtomicU64 = AtomicU64::new(0);
        let calls = CALLS.fetch_add(1, Ordering::Relaxed);
        Ok(column(Values::Float64(vec![calls as f64; rows])))
    }),
    Entry::scalar("depends_on_batch", FLOAT, |_, rows| {
        Ok(column(Values::Float64(vec![rows as f64; rows])))
    }),
    Entry::scalar("depends_on_place", FLOAT, |_, rows| {
        let places = (0..rows).map(|row| row as f64);
        Ok(column(Values::Float64(places.collect())))
    }),
    // ----------------------------------------------------------------------------- rules
    Entry::rule("verdict_out_of_range", |rows| {
        Ok(Judgement {
            verdicts: vec![2; rows],
            ..judgement(rows)
        })
    }),
    Entry::rule("undeclared_reason", |rows| {
        Ok(Judgement {
            reasons: vec![2; rows],
            ..judgement(rows)
        })
    }),
    Entry::rule("too_few_verdicts", |rows| {
        Ok(Judgement {
            verdicts: vec![0; rows - 1],
            ..judgement(rows)
        })
    }),
    Entry::rule("too_few_reasons", |rows| {
        Ok(Judgement {
            reasons: vec![0; rows - 1],
            ..judgement(rows)
        })
    }),
    Entry::rule("no_details", |rows| {
        Ok(Judgement {
            details: Vec::new(),
            ..judgement(rows)
        })
    }),
    Entry::rule("too_few_details", |rows| {
        Ok(Judgement {
            details: vec![floats(rows - 1)],
            ..judgement(rows)
        })
    }),
];

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
