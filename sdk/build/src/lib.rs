//! Turns Rust plugin crates into WebAssembly components, by way of a cargo of their own.
//!
//! One call of [`build`] is one `cargo build` for `wasm32-unknown-unknown` in its own target
//! folder, with the flags that make a plugin fast and free of imports. It may be called from a
//! build script. This crate does not know what a plugin exports: the host checks that.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

mod cargo;
mod package;
mod scaffold;
mod target;

use cargo::Versions;
pub use scaffold::new;

/// The only target plugins are built for. Unlike the WASI targets it gives a component that
/// imports nothing, and a plugin that imports nothing can do nothing.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Builds the package in `manifest_dir` and returns the component's path below `target_dir`.
///
/// Cargo decides what is fresh, so a second call costs a fraction of a second. A build script
/// still has to name the plugin's sources with `cargo::rerun-if-changed`.
///
/// # Errors
/// When the target's standard library is missing and can't be installed, when there is no such
/// package, or when cargo fails; the message then ends with what cargo printed.
pub fn build(manifest_dir: &Path, target_dir: &Path) -> Result<PathBuf, BuildError> {
    let package = package::Package::read(manifest_dir)?;
    target::ensure(manifest_dir)?;
    let packages = [package.name.as_str()];
    cargo::build(manifest_dir, &packages, target_dir, Versions::Open)?;
    component(target_dir, &package.artifact)
}

/// Runs the unit tests of the package in `manifest_dir`, outside WebAssembly.
///
/// # Errors
/// When a test fails, or cargo does; the message then ends with what cargo printed.
pub fn test(manifest_dir: &Path) -> Result<(), BuildError> {
    let package = package::Package::read(manifest_dir)?;
    cargo::test(manifest_dir, &package.name)
}

/// Builds several packages of the workspace in `workspace_dir` with one call of cargo, and
/// returns their components in the same order. `members` are folders below `workspace_dir`, whose
/// `Cargo.lock` decides about versions.
///
/// # Errors
/// As [`build`].
pub fn build_members(
    workspace_dir: &Path,
    members: &[&Path],
    target_dir: &Path,
) -> Result<Vec<PathBuf>, BuildError> {
    let packages = members
        .iter()
        .map(|member| package::Package::read(&workspace_dir.join(member)))
        .collect::<Result<Vec<_>, _>>()?;
    let names: Vec<&str> = packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    target::ensure(workspace_dir)?;
    cargo::build(workspace_dir, &names, target_dir, Versions::Locked)?;
    packages
        .iter()
        .map(|package| component(target_dir, &package.artifact))
        .collect()
}

/// The folder `<target>/guests` that belongs to a build script's `OUT_DIR`: the same one for
/// every profile and crate, so plugins are built once. Without a `build` folder above `out_dir`
/// there is no target folder to find, and the answer is `guests` inside `out_dir`.
#[must_use]
pub fn shared_target_dir(out_dir: &Path) -> PathBuf {
    let ancestors: Vec<&Path> = out_dir.ancestors().collect();
    let build = ancestors.iter().position(|path| path.ends_with("build"));
    build
        // target/debug/build/crate-hash/out: `build` is two below the target folder
        .and_then(|build| ancestors.get(build + 2))
        .map_or_else(|| out_dir.join("guests"), |target| target.join("guests"))
}

fn component(target_dir: &Path, artifact: &str) -> Result<PathBuf, BuildError> {
    let path = target_dir
        .join(TARGET)
        .join("release")
        .join(format!("{artifact}.wasm"));
    if path.is_file() {
        return Ok(path);
    }
    Err(BuildError::new(format!(
        "find component \"{}\": cargo made no such file; does Cargo.toml say crate-type = [\"cdylib\", \"rlib\"]?",
        path.display()
    )))
}

/// Why a plugin could not be built. The message is meant to be printed.
#[derive(Debug)]
pub struct BuildError {
    message: String,
    source: Option<std::io::Error>,
}

impl BuildError {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }

    fn io(message: impl Into<String>, source: std::io::Error) -> Self {
        Self {
            message: format!("{}: {source}", message.into()),
            source: Some(source),
        }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl Error for BuildError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::shared_target_dir;
    use std::path::Path;

    #[test]
    fn shared_folder_is_the_same_for_every_crate_and_profile() {
        for out in [
            "/x/target/debug/build/a-12/out",
            "/x/target/release/build/b-34/out",
        ] {
            assert_eq!(
                shared_target_dir(Path::new(out)),
                Path::new("/x/target/guests")
            );
        }
        assert_eq!(
            shared_target_dir(Path::new("/x/out")),
            Path::new("/x/out/guests")
        );
    }
}
