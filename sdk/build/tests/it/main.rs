//! A new plugin, away from the repository: its own tests pass, it becomes a component, and it can be changed.

use std::fs;
use std::path::{Path, PathBuf};

/// What is built here is kept for the next run, beside what other plugins were built of.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("../guests")
}

/// Writes a plugin as `tributary plugin new` does, with the versions of this workspace at hand and no network.
fn new(folder: &Path) {
    tributary_sdk_build::new(folder, "my_rule").expect("an empty folder");
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
    fs::copy(lock, folder.join("Cargo.lock")).expect("the workspace has a lock file");
    let config = format!(
        "[net]\noffline = true\n[build]\ntarget-dir = {:?}\n",
        target().join("new")
    );
    fs::create_dir(folder.join(".cargo")).expect("a folder");
    fs::write(folder.join(".cargo/config.toml"), config).expect("a file");
}

#[test]
fn a_new_plugin_is_tested_built_and_changed() {
    let outside = tempfile::tempdir().expect("a folder");
    let folder = outside.path().join("my_rule");
    new(&folder);
    tributary_sdk_build::test(&folder).unwrap_or_else(|error| panic!("{error}"));
    let build = || tributary_sdk_build::build(&folder, &target());
    let component = build().unwrap_or_else(|error| panic!("{error}"));
    let wasm = fs::read(&component).expect("a component");
    assert_eq!(
        wasm[..8],
        *b"\0asm\x0d\0\x01\0",
        "a component, not a module"
    );
    assert!(wasm.len() < 400_000, "{} bytes", wasm.len());

    // Another version, which the lock file does not know yet.
    let manifest = folder.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("a manifest");
    let raised = text.replacen("version = \"0.1.0\"", "version = \"0.2.0\"", 1);
    assert_ne!(raised, text);
    fs::write(&manifest, raised).expect("a manifest");
    build().unwrap_or_else(|error| panic!("{error}"));
    assert_ne!(fs::read(&component).expect("a component"), wasm);
}

#[test]
fn an_example_that_comes_out_otherwise_fails_its_test() {
    let outside = tempfile::tempdir().expect("a folder");
    let folder = outside.path().join("my_rule");
    new(&folder);
    let path = folder.join("fixtures/qualify.json");
    let examples = fs::read_to_string(&path).expect("examples");
    let wrong = examples.replacen("\"score\": 100", "\"score\": 99", 1);
    assert_ne!(wrong, examples);
    fs::write(&path, wrong).expect("examples");
    let error = tributary_sdk_build::test(&folder).expect_err("99 is wrong");
    let said = error.to_string();
    assert!(
        said.contains("row 1: gave") && said.contains("\"score\":99"),
        "{said}"
    );
}

#[test]
fn nothing_is_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("notes.txt"), "mine").expect("a file");
    let error = tributary_sdk_build::new(folder.path(), "my_rule").expect_err("not empty");
    assert!(error.to_string().contains("is not empty"), "{error}");
    let left = fs::read_dir(folder.path()).expect("the folder").count();
    assert_eq!(left, 1);
}
