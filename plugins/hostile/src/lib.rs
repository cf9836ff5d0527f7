//! A guest that misbehaves, one way per function, for the host's tests. It deliberately does not
//! use the SDK, which would not let it. `plugins/host/tests` says what must come of each.
//!
//! What it does while it is installed depends on [`MODE`], which tests overwrite in the component.

#![cfg(target_arch = "wasm32")]

mod columns;
mod functions;

use std::hint::black_box;

use functions::FUNCTIONS;

wit_bindgen::generate!({ path: "../../sdk/wit", world: "lead-plugin" });

use exports::tributary::plugin::manifest::{Function, Info};
use exports::tributary::plugin::rule::Judgement;
use tributary::plugin::diagnostics::{Level, report};
use tributary::plugin::types::{Column, ErrorCode, PluginError};

/// Overwritten in the component by tests: the last two letters choose a mode.
static MODE: [u8; 17] = *b"TRIBUTARY-MODE-00";

fn mode() -> &'static str {
    // SAFETY: a reference to a static is readable; volatile, so that the text is not a constant
    // to the compiler.
    let text = unsafe { std::ptr::read_volatile(&&MODE) };
    std::str::from_utf8(&black_box(text)[15..]).unwrap_or("??")
}

struct Hostile;

export!(Hostile);

impl exports::tributary::plugin::manifest::Guest for Hostile {
    fn describe() -> Info {
        let mut info = Info {
            name: "hostile".to_owned(),
            version: "0.0.1".to_owned(),
            functions: FUNCTIONS.iter().map(functions::Entry::describe).collect(),
        };
        match mode() {
            "01" => functions::spin(),
            "02" => panic!("no manifest today"),
            "03" => info.name = "Robert'); DROP TABLE".to_owned(),
            "04" => info.name = "a".repeat(1 << 20),
            "05" => info.functions = vec![info.functions[0].clone(); 100],
            "06" => info.functions = vec![info.functions[0].clone(); 2],
            "07" => info.functions[0].doc = "x".repeat(17 << 20),
            "08" => info.functions[0].args = vec![info.functions[0].returns[0].clone(); 65],
            "09" => info.version = "newest".to_owned(),
            "10" => info.functions[0].returns.clear(),
            "11" => info.functions[0].returns[0].ty.logical = "roman numeral".to_owned(),
            _ => {}
        }
        info
    }
}

impl exports::tributary::plugin::lifecycle::Guest for Hostile {
    fn start() -> Result<(), PluginError> {
        match mode() {
            "20" => functions::spin(),
            "21" => {
                report(Level::Panic, "cannot start");
                std::process::abort();
            }
            "22" => return Err(error(ErrorCode::Internal, "out of order", None)),
            _ => {}
        }
        Ok(())
    }
}

impl exports::tributary::plugin::scalar::Guest for Hostile {
    fn eval(function: u32, args: Vec<Column>, rows: u32) -> Result<Column, PluginError> {
        match FUNCTIONS.get(function as usize) {
            Some(functions::Entry::Scalar(_, _, run)) => run(args, rows as usize),
            _ => Err(error(ErrorCode::Unsupported, "no such scalar", None)),
        }
    }
}

impl exports::tributary::plugin::rule::Guest for Hostile {
    fn judge(function: u32, _args: Vec<Column>, rows: u32) -> Result<Judgement, PluginError> {
        match FUNCTIONS.get(function as usize) {
            Some(functions::Entry::Rule(_, run)) => run(rows as usize),
            _ => Err(error(ErrorCode::Unsupported, "no such rule", None)),
        }
    }
}

fn error(code: ErrorCode, message: &str, row: Option<u32>) -> PluginError {
    PluginError {
        code,
        message: message.to_owned(),
        row,
    }
}
