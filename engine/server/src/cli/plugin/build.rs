//! `tributary plugin new` and `build`: from an empty folder to a component.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use tributary_engine_core::{Error, Fault};
use tributary_sdk_build::BuildError;

use super::super::stop::{Result, file_error};

/// Make a folder with a small plugin in Rust: a rule, a score, settings and tests.
#[derive(Args)]
#[command(after_help = "\
Example:
  tributary plugin new my_rule

The folder holds everything that the plugin needs, the SDK included.")]
pub(super) struct New {
    /// Folder to make; its name becomes the plugin's
    folder: PathBuf,
}

/// Compile a Rust plugin crate into a component.
#[derive(Args)]
#[command(after_help = "\
Example:
  tributary plugin build my_rule

Sets target, flags and linker itself. Needs rustup's Rust; installs the target wasm32-unknown-unknown where it is missing.")]
pub(super) struct Build {
    /// Folder with the plugin's Cargo.toml
    #[arg(default_value = ".")]
    folder: PathBuf,

    /// Where the component is put [default: <name of the folder>.wasm]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl New {
    pub(super) fn run(&self) -> Result<()> {
        let name = self.folder.file_name().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        tributary_sdk_build::new(&self.folder, &name).map_err(|error| told(&error))?;
        let folder = self.folder.display();
        let mut out = io::stdout().lock();
        writeln!(out, "made {folder}")?;
        writeln!(
            out,
            "  its source is {folder}/src/lib.rs, its examples are in {folder}/fixtures"
        )?;
        writeln!(out, "  next: tributary plugin build {folder}")?;
        Ok(())
    }
}

impl Build {
    pub(super) fn run(&self) -> Result<()> {
        let folder = opened(&self.folder)?;
        let component = component(&folder)?;
        let out = self.out.clone().unwrap_or_else(|| named_after(&folder));
        let bytes =
            fs::copy(&component, &out).map_err(|error| file_error("write", &out, &error))?;
        writeln!(io::stdout(), "{}: {bytes} bytes", out.display())?;
        Ok(())
    }
}

pub(super) fn opened(folder: &Path) -> Result<PathBuf> {
    Ok(folder
        .canonicalize()
        .map_err(|error| file_error("open", folder, &error))?)
}

/// Builds the crate in a folder, and says where its component is.
pub(super) fn component(folder: &Path) -> Result<PathBuf> {
    let built = tributary_sdk_build::build(folder, &folder.join("target/plugin"));
    Ok(built.map_err(|error| told(&error))?)
}

fn told(error: &BuildError) -> Error {
    Error::new(Fault::Invalid, error.to_string()).with_hint(
        "A plugin is a Rust library crate that uses tributary-sdk; \"tributary plugin new\" makes one.",
    )
}

fn named_after(folder: &Path) -> PathBuf {
    let name = folder.file_name().unwrap_or(folder.as_os_str());
    Path::new(name).with_extension("wasm")
}
