//! `tributary plugin test`: the plugin's own tests, and its examples on the component as it would be uploaded.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use tributary_engine_core::{Error, Fault, Trial};

use super::super::stop::{Result, file_error};
use super::build::{component, opened};
use super::changes::read;

/// Try a plugin: its unit tests in Rust, then every example in WebAssembly, as the engine would call it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary plugin test my_rule
  tributary plugin test my_rule --wasm my_rule.wasm

Examples are the JSON files in the folder \"fixtures\":
  {\"function\": \"qualify\", \"settings\": {\"threshold\": 60}, \"rows\": [
    {\"args\": {\"employees\": 120}, \"expect\": {\"verdict\": \"mql\"}},
    {\"args\": {\"employees\": -1}, \"error\": \"negative\"}]}")]
pub(super) struct Test {
    /// Folder with the plugin's Cargo.toml and its fixtures
    #[arg(default_value = ".")]
    folder: PathBuf,

    /// A component to try instead of the one that the folder builds; its unit tests are left out
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
}

impl Test {
    pub(super) async fn run(self) -> Result<()> {
        let folder = opened(&self.folder)?;
        let mut out = io::stdout();
        let wasm = match &self.wasm {
            Some(wasm) => read(wasm)?,
            None => {
                tributary_sdk_build::test(&folder).map_err(|error| {
                    Error::new(Fault::Plugin, format!("unit tests failed\n{error}"))
                })?;
                writeln!(out, "unit tests: passed")?;
                read(&component(&folder)?)?
            }
        };
        let trial = Trial::new(wasm)?;
        writeln!(
            out,
            "{}: installs, and gives the same results however rows come",
            trial.name
        )?;
        let (mut passed, mut failed) = (0, 0);
        for path in fixtures(&folder.join("fixtures"))? {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let text =
                fs::read_to_string(&path).map_err(|error| file_error("read", &path, &error))?;
            let tried = trial.run(&text).map_err(|error| error.within(&name))?;
            writeln!(
                out,
                "{name}: {} passed, {} failed",
                tried.passed,
                tried.failed.len()
            )?;
            for why in &tried.failed {
                writeln!(out, "  {why}")?;
            }
            passed += tried.passed;
            failed += tried.failed.len();
        }
        match failed {
            0 => {
                writeln!(out, "{passed} examples passed")?;
                Ok(())
            }
            failed => Err(Error::new(
                Fault::Plugin,
                format!("{failed} of {} examples failed", passed + failed),
            )
            .into()),
        }
    }
}

/// The files of examples, in order.
fn fixtures(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(|error| file_error("read", folder, &error))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry
            .map_err(|error| file_error("read", folder, &error))?
            .path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
