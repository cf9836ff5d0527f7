//! The nested call of cargo: its flags, and what it must not inherit. Inside a build script,
//! cargo and clippy have set dozens of variables meant for the outer build; a nested cargo that
//! sees them rebuilds everything, or waits for a lock that its own parent holds.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use crate::{BuildError, TARGET};

/// Codegen flags of a plugin, each worth its line:
const RUSTFLAGS: &[&str] = &[
    // ships with rustc and emits a component, so no further tool is needed
    "-Clinker=wasm-component-ld",
    "-Ctarget-feature=+simd128",
    // wasmtime checks its budget at every loop header: wide loops pay for it once per 8 vectors
    "-Cllvm-args=-force-vector-interleave=8",
];

/// The release profile, set here rather than left to each plugin's Cargo.toml.
const PROFILE: &[(&str, &str)] = &[
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3"),
    ("CARGO_PROFILE_RELEASE_LTO", "fat"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
    ("CARGO_PROFILE_RELEASE_STRIP", "symbols"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "false"),
    ("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "false"),
];

/// `CARGO_*` variables that say where things are or how to reach a registry.
const KEPT: &[&str] = &[
    "CARGO_HOME",
    "CARGO_HTTP_",
    "CARGO_NET_",
    "CARGO_REGISTRIES_",
    "CARGO_REGISTRY_",
    "CARGO_SOURCE_",
    "CARGO_TERM_",
];

/// Variables without that prefix which cargo or clippy set for one crate of the outer build.
const REMOVED: &[&str] = &[
    "CARGO",
    "CLIPPY_ARGS",
    "DEBUG",
    "HOST",
    "MAKEFLAGS",
    "MFLAGS",
    "NUM_JOBS",
    "OPT_LEVEL",
    "OUT_DIR",
    "PROFILE",
    "RUSTC",
    "RUSTC_LINKER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTDOC",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
    "TARGET",
];

/// Whether the versions of dependencies may still change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Versions {
    /// as `Cargo.lock` says, or not at all
    Locked,
    /// as `Cargo.toml` says, which the author may just have changed
    Open,
}

/// Runs `cargo build` for the named packages, in `dir`.
pub(crate) fn build(
    dir: &Path,
    packages: &[&str],
    target_dir: &Path,
    versions: Versions,
) -> Result<(), BuildError> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = clean(Command::new(program));
    command
        .current_dir(dir)
        .args(["build", "--release", "--target", TARGET, "--target-dir"]);
    command.arg(target_dir);
    for package in packages {
        command.args(["--package", package]);
    }
    if versions == Versions::Locked {
        command.arg("--locked");
    }
    command.env("CARGO_ENCODED_RUSTFLAGS", RUSTFLAGS.join("\u{1f}"));
    command.envs(PROFILE.iter().copied());
    run(
        command,
        &format!("build plugin \"{}\"", packages.join("\", \"")),
    )
}

/// Runs `cargo test` for a package, in `dir`.
pub(crate) fn test(dir: &Path, package: &str) -> Result<(), BuildError> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = clean(Command::new(program));
    command
        .current_dir(dir)
        .args(["test", "--quiet", "--package", package]);
    run(command, &format!("test plugin \"{package}\""))
}

/// The command without what the outer build set.
pub(crate) fn clean(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        let kept = KEPT.iter().any(|kept| name.starts_with(kept));
        if REMOVED.contains(&&*name) || (name.starts_with("CARGO_") && !kept) {
            command.env_remove(&*name);
        }
    }
    command
}

/// Runs a command to its end; its output becomes part of the error.
pub(crate) fn run(mut command: Command, verb: &str) -> Result<(), BuildError> {
    let output = command.output().map_err(|source| {
        let program = command.get_program().to_string_lossy();
        BuildError::io(format!("{verb}: start \"{program}\""), source)
    })?;
    if output.status.success() {
        return Ok(());
    }
    Err(BuildError::new(format!(
        "{verb}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )))
}
