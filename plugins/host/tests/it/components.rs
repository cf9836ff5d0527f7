//! Components that no Rust guest can be: what they do before anything is called, and what they
//! import and export.

use tributary_plugins_host::{Error, ErrorKind, Limits};

use crate::world::{all_is_well, install, install_within};

/// A component with the two exports every plugin has, of whatever type, around a core module.
fn component(outside: &str, inside: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            {outside}
            (core module $module {inside} (func (export "run")))
            (core instance $instance (instantiate $module))
            (func $run (canon lift (core func $instance "run")))
            (instance $manifest (export "describe" (func $run)))
            (instance $lifecycle (export "configure" (func $run)))
            (export "tributary:plugin/manifest@1.0.0" (instance $manifest))
            (export "tributary:plugin/lifecycle@1.0.0" (instance $lifecycle)))"#
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(wasm: &[u8], kind: ErrorKind, words: &str) -> Error {
    let error = install(wasm).expect_err(words);
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.to_string().contains(words), "{error} has no {words}");
    all_is_well();
    error
}

#[test]
fn exports_of_other_types() {
    let differs = "differs from tributary:plugin 1.0.0";
    refused(&component("", ""), ErrorKind::Refused, differs);
    let lone = r#"(component
        (core module $module (func (export "run")))
        (core instance $instance (instantiate $module))
        (func $run (canon lift (core func $instance "run")))
        (instance $manifest (export "describe" (func $run)))
        (export "tributary:plugin/manifest@1.0.0" (instance $manifest)))"#;
    let wasm = wat::parse_str(lone).expect("a component");
    refused(
        &wasm,
        ErrorKind::Refused,
        "does not export \"tributary:plugin/lifecycle@1.0.0\"",
    );
}

#[test]
fn imports_of_the_outside_world() {
    for (import, name) in [
        ("wasi:cli/environment@0.2.3", "get-environment"),
        ("wasi:clocks/wall-clock@0.2.3", "now"),
        ("wasi:filesystem/preopens@0.2.3", "get-directories"),
        ("wasi:sockets/instance-network@0.2.3", "instance-network"),
        ("wasi:random/random@0.2.3", "get-random-u64"),
        ("tributary:plugin/filesystem@1.0.0", "open"),
    ] {
        let outside = format!(r#"(import "{import}" (instance (export "{name}" (func))))"#);
        let words = format!("import \"{import}\" is not offered");
        refused(&component(&outside, ""), ErrorKind::Refused, &words);
    }
    let function = component(r#"(import "now" (func))"#, "");
    refused(
        &function,
        ErrorKind::Refused,
        "import \"now\" is not offered",
    );
    let wrong =
        r#"(import "tributary:plugin/diagnostics@1.0.0" (instance (export "read" (func))))"#;
    refused(&component(wrong, ""), ErrorKind::Refused, "link plugin");
}

/// A module that runs this before anything is called.
fn starting(body: &str) -> Vec<u8> {
    let module =
        format!("(memory 1) (table 1 funcref) (func $start (local i32) {body}) (start $start)");
    component("", &module)
}

#[test]
fn start_functions_have_a_budget() {
    refused(
        &starting("(loop (br 0))"),
        ErrorKind::Limit,
        "fuel_start_max",
    );
    refused(&starting("unreachable"), ErrorKind::Trap, "unreachable");
    let grow = "(loop (br_if 0 (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable";
    refused(&starting(grow), ErrorKind::Limit, "linear_memory_bytes_max");
    let patient = "(loop (drop (memory.grow (i32.const 1))) (br 0))";
    refused(&starting(patient), ErrorKind::Limit, "fuel_start_max");
    let fill = "(drop (memory.grow (i32.const 512))) (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 33554432)) (br 0))";
    refused(&starting(fill), ErrorKind::Limit, "fuel_start_max");
    let copy = "(drop (memory.grow (i32.const 512))) (loop (memory.copy (i32.const 0) (i32.const 8) (i32.const 33554424)) (br 0))";
    refused(&starting(copy), ErrorKind::Limit, "fuel_start_max");
    let table = "(if (i32.eq (table.grow 0 (ref.null func) (i32.const 1000000)) (i32.const -1)) (then unreachable))";
    refused(&starting(table), ErrorKind::Limit, "table_elements_max");
}

#[test]
fn bulk_work_is_priced_by_its_length() {
    let fill = "(drop (memory.grow (i32.const 512))) (memory.fill (i32.const 0) (i32.const 1) (i32.const 30000000))";
    let error = refused(&starting(fill), ErrorKind::Limit, "fuel_start_max");
    assert_eq!(error.limit.map(|hit| hit.limit), Some(20_000_000));
}

#[test]
fn what_compiling_grows_with_has_bounds() {
    let nested = "(component (core module))".repeat(70);
    refused(&component(&nested, ""), ErrorKind::Limit, "components_max");
    let data = format!("(memory 1) {}", "(data \"x\")".repeat(1001));
    refused(&component("", &data), ErrorKind::Limit, "data_segments_max");
    let blocks = "(loop)".repeat(200);
    let function = format!("(func (local {}) {blocks})", "i32 ".repeat(900));
    refused(
        &component("", &function.repeat(12)),
        ErrorKind::Limit,
        "locals_times_blocks_sum_max",
    );
}

#[test]
fn proposals_beyond_the_few_are_not_valid() {
    for module in [
        "(memory i64 1)",
        "(memory 1) (memory 1)",
        "(memory 1 1 shared)",
        "(tag)",
        "(type (struct))",
        "(func (result i32) (return_call 0))",
        "(func (result v128) (i32x4.relaxed_trunc_f32x4_s (v128.const i32x4 0 0 0 0)))",
        "(func (param i64 i64 i64 i64) (result i64 i64) (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3)))",
    ] {
        let error = refused(&component("", module), ErrorKind::Refused, "not valid");
        assert!(error.message.len() < 1100, "{module}");
    }
}

#[test]
fn exact_bounds_are_within() {
    let exact = component("", "(memory 1)");
    let limits = Limits {
        upload_bytes_max: exact.len() as u64,
        modules_max: 1,
        linear_memory_bytes_max: 1 << 16,
        ..Limits::default()
    };
    let error = install_within(&exact, &limits).expect_err("it is no plugin");
    assert_eq!(error.kind, ErrorKind::Refused, "{error}");
    for limits in [
        Limits {
            upload_bytes_max: exact.len() as u64 - 1,
            ..limits.clone()
        },
        Limits {
            modules_max: 0,
            ..limits.clone()
        },
        Limits {
            linear_memory_bytes_max: (1 << 16) - 1,
            ..limits
        },
    ] {
        let error = install_within(&exact, &limits).expect_err("one too many");
        assert_eq!(error.kind, ErrorKind::Limit, "{error}");
    }
}
