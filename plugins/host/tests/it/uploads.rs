//! What is not a plugin is refused before it costs anything, with a message that says why.

use tributary_plugins_host::{Error, ErrorKind, Limits};

use crate::world::{COMPONENTS, all_is_well, install};

const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// Refused or limited, with these words; and the next call of a good plugin is right.
fn refused(wasm: &[u8], words: &str) -> Error {
    let error = install(wasm).expect_err(words);
    assert!(
        matches!(error.kind, ErrorKind::Refused | ErrorKind::Limit),
        "{error:?}"
    );
    assert!(error.to_string().contains(words), "{error} has no {words}");
    all_is_well();
    error
}

fn leb(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 127 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [&[id], leb(content.len()).as_slice(), content].concat()
}

/// A component around one core module.
fn component(module: &[u8]) -> Vec<u8> {
    [COMPONENT, &section(1, &[MODULE, module].concat())].concat()
}

/// A function of so many locals and nested loops.
fn bomb(locals: usize, loops: usize) -> Vec<u8> {
    let nest = [&[0x03, 0x40].repeat(loops)[..], &[0x0b].repeat(loops)].concat();
    let body = [&[1][..], &leb(locals), &[0x7f], &nest, &[0x0b]].concat();
    let code = [&[1][..], &leb(body.len()), &body].concat();
    component(
        &[
            section(1, &[1, 0x60, 0, 0]),
            section(3, &[1, 0]),
            section(10, &code),
        ]
        .concat(),
    )
}

fn patched(wasm: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut patched = wasm.to_vec();
    let places: Vec<usize> = wasm
        .windows(from.len())
        .enumerate()
        .filter(|(_, window)| *window == from.as_bytes())
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty(), "{from} is not in the component");
    for at in places {
        patched[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    patched
}

#[test]
fn other_files() {
    refused(b"", "not a WebAssembly component");
    refused(b"PK\x03\x04 a zip", "not a WebAssembly component");
    refused(MODULE, "core WebAssembly module");
    refused(b"\x7fELF\x02\x01\x01", "native code");
    refused(b"  (component)", "WebAssembly text");
    refused(
        COMPONENT,
        "does not export \"tributary:plugin/manifest@1.0.0\"",
    );
}

#[test]
fn too_large() {
    let limit = Limits::default().upload_bytes_max;
    let error = refused(&vec![0; limit as usize + 1], "upload_bytes_max");
    assert_eq!(error.limit.and_then(|hit| hit.asked), Some(limit + 1));
}

#[test]
fn damaged() {
    let good = &COMPONENTS.champ;
    refused(&good[..good.len() / 2], "not valid");
    let mut broken = good.clone();
    broken.truncate(good.len() - 3);
    refused(&broken, "not valid");
}

#[test]
fn another_version_names_the_supported_one() {
    let other = patched(&COMPONENTS.champ, "@1.0.0", "@0.9.0");
    refused(
        &other,
        "tributary:plugin 0.9.0, and this host supports 1.0.0",
    );
}

#[test]
fn imports_beyond_the_offered() {
    let other = patched(
        &COMPONENTS.champ,
        "tributary:plugin/diagnostics@",
        "tributary:plugin/filesystems@",
    );
    refused(
        &other,
        "import \"tributary:plugin/filesystems@1.0.0\" is not offered",
    );
    let wasi = patched(
        &COMPONENTS.champ,
        "tributary:plugin/diagnostics@1.0.0",
        "wasi:cli/environment-extra@0.2.012",
    );
    refused(&wasi, "is not");
}

#[test]
fn utf16_strings() {
    let canonical = section(8, &[1, 1, 0, 0, 1, 1]);
    refused(&[COMPONENT, &canonical].concat(), "UTF-8");
}

#[test]
fn compile_bombs() {
    refused(&bomb(900, 900), "locals_times_blocks_max");
    refused(&bomb(50_000, 1), "locals_max");
    let mut body = vec![0];
    body.extend([0x01].repeat(600 << 10));
    body.push(0x0b);
    let code = [&[1][..], &leb(body.len()), &body].concat();
    let sections = [
        section(1, &[1, 0x60, 0, 0]),
        section(3, &[1, 0]),
        section(10, &code),
    ]
    .concat();
    refused(&component(&sections), "core_function_bytes_max");
    let functions = 60_000;
    let code = [&leb(functions)[..], &[2, 0, 0x0b].repeat(functions)].concat();
    let types = [&leb(functions)[..], &vec![0; functions]].concat();
    let sections = [
        section(1, &[1, 0x60, 0, 0]),
        section(3, &types),
        section(10, &code),
    ]
    .concat();
    refused(&component(&sections), "core_functions_max");
}

#[test]
fn component_bombs() {
    let mut nested = COMPONENT.to_vec();
    for _ in 0..10 {
        nested = [COMPONENT, &section(4, &nested)].concat();
    }
    refused(&nested, "nesting_depth_max");
    let modules = section(1, MODULE).repeat(100);
    refused(&[COMPONENT, &modules].concat(), "modules_max");
    let types = [&leb(30_000)[..], &[0x7f].repeat(30_000)].concat();
    refused(&[COMPONENT, &section(7, &types)].concat(), "items_max");
}

#[test]
fn memories_beyond_the_limit() {
    let pages = [&[1, 0][..], &leb(65_536)].concat();
    refused(&component(&section(5, &pages)), "linear_memory_bytes_max");
    refused(&component(&section(5, &[2, 0, 1, 0, 1])), "not valid");
    refused(&component(&section(5, &[1, 4, 1])), "not valid");
    let table = [&[1, 0x70, 0][..], &leb(1_000_000)].concat();
    refused(&component(&section(4, &table)), "table_elements_max");
}
