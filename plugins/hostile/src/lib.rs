//! A guest that misbehaves, one way per function, for the host's tests. It deliberately does not
//! use the SDK, which would not let it. `plugins/host/tests` says what must come of each.
//!
//! What it does while it is installed depends on [`MODE`], which tests overwrite in the component; in mode 40 its results
//! depend on nothing but the row, so that an engine takes it.

#![cfg(target_arch = "wasm32")]

mod aggregates;
mod columns;
mod functions;

use std::hint::black_box;

use functions::FUNCTIONS;

wit_bindgen::generate!({ path: "../../sdk/wit", world: "full-plugin" });

use std::sync::Mutex;

use exports::tributary::plugin::lifecycle::{ConfigValue, Context};
use exports::tributary::plugin::manifest::{self, ConfigKey, ConfigType, Function, Info, Wire};
use exports::tributary::plugin::rule::Judgement;
use tributary::plugin::diagnostics::{Level, report};
use tributary::plugin::types::{Column, ErrorCode, PluginError};

/// Overwritten in the component by tests: the last two letters choose a mode.
static MODE: [u8; 17] = *b"TRIBUTARY-MODE-00";

pub(crate) fn mode() -> &'static str {
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
            wire: Wire::Typed,
            functions: FUNCTIONS.iter().map(functions::Entry::describe).collect(),
            config: config(),
        };
        match mode() {
            "01" => functions::spin(),
            "02" => panic!("no manifest today"),
            "03" => info.name = "Robert'); DROP TABLE".to_owned(),
            "04" => info.name = "a".repeat(1 << 20),
            "05" => info.functions = vec![info.functions[0].clone(); 200],
            "06" => info.functions = vec![info.functions[0].clone(); 2],
            "07" => info.functions[0].doc = "x".repeat(17 << 20),
            "08" => info.functions[0].args = vec![info.functions[0].returns[0].clone(); 65],
            "09" => info.version = "newest".to_owned(),
            "10" => info.functions[0].returns.clear(),
            "40" => info.functions.truncate(64),
            "12" => info.wire = Wire::Packed,
            "13" => info.config = vec![info.config[0].clone(); 129],
            "14" => info.config[1].default_json = Some("\"three\"".to_owned()),
            "15" => info.config[1].default_json = Some("11".to_owned()),
            "16" => info.config[1].min = Some(11.0),
            "17" => info.config[0].name = "Flag".to_owned(),
            "18" => info.config[0].name = "count".to_owned(),
            "19" => info.config[0].default_json = Some("{".to_owned()),
            "30" => {
                functions::named(&mut info.functions, "now").volatility =
                    manifest::Volatility::Immutable
            }
            "31" => functions::named(&mut info.functions, "sums").state.clear(),
            "32" => {
                info.config[0] = ConfigKey {
                    default_json: None,
                    required: true,
                    ..info.config[0].clone()
                }
            }
            "11" => info.functions[0].returns[0].ty.logical = "roman numeral".to_owned(),
            _ => {}
        }
        info
    }
}

/// What the instance was told.
pub(crate) static TOLD: Mutex<(String, Option<i64>)> = Mutex::new((String::new(), None));

/// A setting of every type.
fn config() -> Vec<ConfigKey> {
    let key = |name: &str, ty, default: &str, (min, max)| ConfigKey {
        name: name.to_owned(),
        ty,
        required: false,
        doc: "a setting".to_owned(),
        default_json: Some(default.to_owned()),
        min,
        max,
    };
    vec![
        key("flag", ConfigType::Boolean, "true", (None, None)),
        key("count", ConfigType::Integer, "3", (Some(0.0), Some(10.0))),
        key("ratio", ConfigType::Number, "0.5", (None, Some(1.0))),
        key("word", ConfigType::Text, "\"w\"", (Some(1.0), Some(5.0))),
        key("words", ConfigType::TextList, "[\"a\"]", (None, Some(2.0))),
        key(
            "anything",
            ConfigType::Json,
            "{\"b\": 1, \"a\": 2}",
            (None, None),
        ),
    ]
}

impl exports::tributary::plugin::lifecycle::Guest for Hostile {
    fn configure(
        settings: Vec<(String, ConfigValue)>,
        context: Context,
    ) -> Result<(), PluginError> {
        match mode() {
            "20" => functions::spin(),
            "21" => {
                report(Level::Panic, "cannot start");
                std::process::abort();
            }
            "22" => return Err(error(ErrorCode::Internal, "out of order", None)),
            "23" => {
                return Err(error(
                    ErrorCode::MissingConfig,
                    "flag and count do not fit",
                    None,
                ));
            }
            _ => {}
        }
        let told = settings
            .iter()
            .map(|(name, value)| format!("{name}={value:?}"));
        let told = told.collect::<Vec<_>>().join(" ");
        *TOLD.lock().expect("one thread") = (told, context.now_us);
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
