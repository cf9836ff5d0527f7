//! A guest that misbehaves, one way per function, for the host's tests. It deliberately does not
//! use the SDK, which would not let it. `plugins/host/tests` says what must come of each.
//!
//! What it does while it is installed, and which functions it has, depends on [`MODE`], which
//! tests overwrite in the component. In mode 40 results depend on nothing but the row, so that an
//! engine takes it.

#![cfg(target_arch = "wasm32")]

mod aggregates;
mod allocator;
mod columns;
mod configuration;
mod entry;
mod functions;
mod honest;

use std::hint::black_box;
use std::sync::OnceLock;

use aggregates::Rows;
use entry::{Answer, Body, Entry};

wit_bindgen::generate!({ path: "../../sdk/wit", world: "full-plugin" });

use exports::tributary::plugin::lifecycle::{ConfigValue, Context};
use exports::tributary::plugin::manifest::{Function, Info, Kind, Volatility, Wire};
use exports::tributary::plugin::rule::Judgement;
use tributary::plugin::types::{Column, ErrorCode, PluginError};

/// Overwritten in the component by tests: the last two letters choose a mode.
static MODE: [u8; 17] = *b"TRIBUTARY-MODE-00";

fn mode() -> &'static str {
    // SAFETY: a reference to a static is readable; volatile, so that the text is not a constant
    // to the compiler.
    let text = unsafe { std::ptr::read_volatile(&&MODE) };
    std::str::from_utf8(&black_box(text)[15..]).unwrap_or("??")
}

/// The functions of this mode: H is honest, A has aggregates, R has few of either, to be rehearsed,
/// and any other letter misbehaves.
fn functions() -> &'static [&'static Entry] {
    static FUNCTIONS: OnceLock<Vec<&Entry>> = OnceLock::new();
    FUNCTIONS.get_or_init(|| match mode().as_bytes() {
        b"HR" => but(honest::FUNCTIONS, &["layout"]),
        b"R1" => only(functions::FUNCTIONS, &["echo_float64", "counts_calls"]),
        b"R2" => only(functions::FUNCTIONS, &["echo_float64", "depends_on_batch"]),
        b"R3" => only(functions::FUNCTIONS, &["echo_float64", "depends_on_place"]),
        b"R4" => only(aggregates::FUNCTIONS, &["sums", "evaluating_changes_it"]),
        b"R5" => only(aggregates::FUNCTIONS, &["sums", "counts_starts"]),
        b"RA" => only(aggregates::FUNCTIONS, aggregates::HONEST),
        b"40" => {
            let mut functions = but(functions::FUNCTIONS, functions::DEPENDING);
            functions.extend(only(aggregates::FUNCTIONS, &["sums", "counts_up"]));
            functions
        }
        [b'H', _] => honest::FUNCTIONS.iter().collect(),
        [b'A', _] => aggregates::FUNCTIONS.iter().collect(),
        _ => functions::FUNCTIONS.iter().collect(),
    })
}

fn only(functions: &'static [Entry], names: &[&str]) -> Vec<&'static Entry> {
    let named = functions.iter().filter(|entry| names.contains(&entry.name));
    named.collect()
}

fn but(functions: &'static [Entry], names: &[&str]) -> Vec<&'static Entry> {
    let others = functions
        .iter()
        .filter(|entry| !names.contains(&entry.name));
    others.collect()
}

fn rule(functions: &mut [Function]) -> &mut Function {
    let mut rules = functions
        .iter_mut()
        .filter(|function| function.kind == Kind::Rule);
    rules.next().expect("there are rules")
}

struct Hostile;

export!(Hostile);

impl exports::tributary::plugin::manifest::Guest for Hostile {
    fn describe() -> Info {
        let mut info = Info {
            name: "hostile".to_owned(),
            version: "0.0.1".to_owned(),
            wire: Wire::Typed,
            functions: functions().iter().map(|entry| entry.describe()).collect(),
            config: configuration::keys(false),
        };
        let first: &mut Function = &mut info.functions[0];
        match mode() {
            "01" => functions::spin(),
            "02" => panic!("no manifest today"),
            "03" => info.name = "Robert'); DROP TABLE".to_owned(),
            "04" => info.name = "a".repeat(1 << 20),
            "05" => info.functions = vec![info.functions[0].clone(); 100],
            "06" => info.functions = vec![info.functions[0].clone(); 2],
            "07" => first.doc = "x".repeat(17 << 20),
            "08" => first.args = vec![first.returns[0].clone(); 65],
            "09" => info.version = "newest".to_owned(),
            "10" => first.returns.clear(),
            "11" => first.returns[0].ty.logical = "roman numeral".to_owned(),
            "31" => info.config[2].min = Some(0.0),
            "32" => info.config[0].min = Some(11.0),
            "33" => rule(&mut info.functions).verdicts = vec!["yes".to_owned(); 65],
            "34" => {
                let rule = rule(&mut info.functions);
                rule.reasons = vec![rule.reasons[0].clone(); 65];
            }
            "12" => (first.wants_now, first.volatility) = (true, Volatility::Immutable),
            "13" => info.config = vec![info.config[0].clone(); 129],
            "14" => info.config[0].default_json = Some("11".to_owned()),
            "15" => info.config[0].default_json = Some("one".to_owned()),
            "16" => info.config[1].name = "weight".to_owned(),
            "17" => info.config[0].name = "Weight".to_owned(),
            "18" => first.doc = "x".repeat(5 << 10),
            "19" => first.retracts = true,
            "30" => first.verdicts = vec!["yes".to_owned(); 65],
            // A setting that has to be given.
            "H1" => info.config = configuration::keys(true),
            // Columns as bytes.
            "HP" | "AP" => info.wire = Wire::Packed,
            _ => {}
        }
        info
    }
}

impl exports::tributary::plugin::lifecycle::Guest for Hostile {
    fn configure(settings: Vec<(String, ConfigValue)>, context: Context) -> Answer<()> {
        configuration::configure(mode(), settings, context)
    }
}

impl exports::tributary::plugin::scalar::Guest for Hostile {
    fn eval(function: u32, args: Vec<Column>, rows: u32) -> Answer<Column> {
        match functions().get(function as usize).map(|entry| &entry.body) {
            Some(Body::Scalar(run)) => run(args, rows as usize),
            _ => Err(error(ErrorCode::Unsupported, "no such scalar", None)),
        }
    }
}

impl exports::tributary::plugin::rule::Guest for Hostile {
    fn judge(function: u32, _args: Vec<Column>, rows: u32) -> Answer<Judgement> {
        match functions().get(function as usize).map(|entry| &entry.body) {
            Some(Body::Rule(run)) => run(rows as usize),
            _ => Err(error(ErrorCode::Unsupported, "no such rule", None)),
        }
    }
}

impl exports::tributary::plugin::aggregate::Guest for Hostile {
    fn start(function: u32) -> Answer<()> {
        aggregates::choose(function);
        aggregates::with(functions(), 0, |aggregate, _| aggregate.start())
    }

    fn update(
        args: Vec<Column>,
        group_ids: Vec<u32>,
        filter: Option<Vec<u8>>,
        rows: u32,
        total_groups: u32,
    ) -> Answer<()> {
        let rows = Rows {
            args: &args,
            group_ids: &group_ids,
            filter: filter.as_deref(),
            rows: rows as usize,
        };
        aggregates::with(functions(), total_groups, |aggregate, groups| {
            aggregate.update(groups, &rows, 1.0)
        })
    }

    fn merge(state: Vec<Column>, group_ids: Vec<u32>, rows: u32, total_groups: u32) -> Answer<()> {
        let rows = Rows {
            args: &state,
            group_ids: &group_ids,
            filter: None,
            rows: rows as usize,
        };
        aggregates::with(functions(), total_groups, |aggregate, groups| {
            aggregate.merge(groups, &rows)
        })
    }

    fn evaluate(group_ids: Vec<u32>) -> Answer<Column> {
        aggregates::with(functions(), 0, |aggregate, groups| {
            aggregate.evaluate(groups, &group_ids)
        })
    }

    fn state(group_ids: Vec<u32>) -> Answer<Vec<Column>> {
        aggregates::with(functions(), 0, |aggregate, groups| {
            aggregate.state(groups, &group_ids)
        })
    }

    fn drop_first(n: u32) -> Answer<()> {
        aggregates::with(functions(), 0, |_, groups| {
            groups.drain(..n as usize);
            Ok(())
        })
    }

    fn reset(group_id: u32) -> Answer<()> {
        aggregates::with(functions(), 0, |_, groups| {
            groups[group_id as usize] = aggregates::Group::default();
            Ok(())
        })
    }
}

impl exports::tributary::plugin::aggregate_retract::Guest for Hostile {
    fn retract(
        args: Vec<Column>,
        group_ids: Vec<u32>,
        filter: Option<Vec<u8>>,
        rows: u32,
    ) -> Answer<()> {
        let rows = Rows {
            args: &args,
            group_ids: &group_ids,
            filter: filter.as_deref(),
            rows: rows as usize,
        };
        aggregates::with(functions(), 0, |aggregate, groups| {
            aggregate.update(groups, &rows, -1.0)
        })
    }
}

fn error(code: ErrorCode, message: &str, row: Option<u32>) -> PluginError {
    PluginError {
        code,
        message: message.to_owned(),
        row,
    }
}
