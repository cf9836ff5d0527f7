//! `tributary plugin`: build a component from Rust, upload it as a draft, activate a version, list them.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use tributary_engine_core::engine::{self, PluginVersion, Principal};
use tributary_engine_core::limits::PLUGIN_BYTES;
use tributary_engine_core::{Error, Fault};

use super::data::{Data, Whose};
use super::grid;
use super::stop::{Result, file_error};

/// Rules and formulas of a manufacturer, as WebAssembly.
#[derive(Args)]
#[command(after_help = "\
From source to SQL:
  tributary plugin build plugins/guests/champ
  tributary plugin upload -m acme champ.wasm
  tributary plugin activate -m acme champ 1.0.0
  tributary plugin list -m acme")]
pub(super) struct Plugin {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Build(Build),
    Upload(Upload),
    Activate(Activate),
    List(List),
}

/// Compile a Rust plugin crate into a component.
#[derive(Args)]
#[command(after_help = "\
Example:
  tributary plugin build plugins/guests/champ --out champ.wasm

Needs rustup's Rust; installs the target wasm32-unknown-unknown where it is missing.")]
struct Build {
    /// Folder with the plugin's Cargo.toml
    #[arg(default_value = ".")]
    folder: PathBuf,

    /// Where the component is put [default: <name of the folder>.wasm]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Check a component, compile it and keep it as a draft.
#[derive(Args)]
#[command(after_help = "Example:\n  tributary plugin upload -m acme champ.wasm")]
struct Upload {
    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    whose: Whose,

    /// The component
    file: PathBuf,
}

/// Make an uploaded version the one that SQL calls; an earlier version is a rollback.
#[derive(Args)]
#[command(after_help = "Example:\n  tributary plugin activate -m acme champ 1.0.0")]
struct Activate {
    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    whose: Whose,

    /// Name of the plugin
    name: String,

    /// Version, as "tributary plugin list" shows it
    version: String,
}

/// Show every uploaded version.
#[derive(Args)]
#[command(after_help = "Example:\n  tributary plugin list -m acme")]
struct List {
    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    whose: Whose,
}

impl Plugin {
    pub(super) async fn run(self) -> Result<()> {
        match self.command {
            Command::Build(build) => build.run(),
            Command::Upload(upload) => upload.run().await,
            Command::Activate(activate) => activate.run().await,
            Command::List(list) => list.run().await,
        }
    }
}

impl Build {
    fn run(&self) -> Result<()> {
        let folder = self
            .folder
            .canonicalize()
            .map_err(|error| file_error("open", &self.folder, &error))?;
        let component = tributary_sdk_build::build(&folder, &folder.join("target/plugin")).map_err(|error| {
            Error::new(Fault::Invalid, error.to_string())
                .with_hint("A plugin is a Rust library crate that uses tributary-sdk; plugins/guests has examples.")
        })?;
        let out = self.out.clone().unwrap_or_else(|| named_after(&folder));
        let bytes =
            fs::copy(&component, &out).map_err(|error| file_error("write", &out, &error))?;
        writeln!(io::stdout(), "{}: {bytes} bytes", out.display())?;
        Ok(())
    }
}

fn named_after(folder: &Path) -> PathBuf {
    let name = folder.file_name().unwrap_or(folder.as_os_str());
    Path::new(name).with_extension("wasm")
}

impl Upload {
    async fn run(&self) -> Result<()> {
        let wasm = self.read()?;
        let engine = self.data.existing().await?;
        let manufacturer = self.whose.choose(engine.as_ref()).await?;
        let upload = engine::Upload {
            principal: Principal::Operator,
            manufacturer: manufacturer.clone(),
            wasm: wasm.into(),
        };
        let version = engine.upload(upload).await?;
        say("uploaded", &version)?;
        if !version.active {
            let (name, version) = (version.name, version.version);
            writeln!(
                io::stdout(),
                "  a draft; SQL calls it after: tributary plugin activate -m {manufacturer} {name} {version}"
            )?;
        }
        Ok(())
    }

    /// The file, unless it is too large to be one that the engine takes.
    fn read(&self) -> Result<Vec<u8>> {
        let path = &self.file;
        let length = fs::metadata(path)
            .map_err(|error| file_error("open", path, &error))?
            .len();
        if length > PLUGIN_BYTES as u64 {
            return Err(Error::limit("plugin_bytes", PLUGIN_BYTES, length).into());
        }
        Ok(fs::read(path).map_err(|error| file_error("read", path, &error))?)
    }
}

impl Activate {
    async fn run(self) -> Result<()> {
        let engine = self.data.existing().await?;
        let activate = engine::Activate {
            principal: Principal::Operator,
            manufacturer: self.whose.choose(engine.as_ref()).await?,
            name: self.name,
            version: self.version,
        };
        say("activated", &engine.activate(activate).await?)
    }
}

impl List {
    async fn run(&self) -> Result<()> {
        let engine = self.data.existing().await?;
        let manufacturer = self.whose.choose(engine.as_ref()).await?;
        let versions = engine.plugins(&Principal::Operator, &manufacturer).await?;
        if versions.is_empty() {
            writeln!(
                io::stdout(),
                "no plugins yet; upload one with: tributary plugin upload -m {manufacturer} FILE"
            )?;
            return Ok(());
        }
        let rows = versions.into_iter().map(|version| {
            [
                version.name,
                version.version,
                if version.active { "active" } else { "draft" }.to_owned(),
                version.functions.join("\n"),
                version.digest.chars().take(12).collect(),
                version.uploaded_at,
            ]
        });
        let header = [
            "plugin",
            "version",
            "state",
            "functions",
            "digest",
            "uploaded",
        ];
        let table = grid::plain(header, rows);
        writeln!(io::stdout(), "{table}")?;
        Ok(())
    }
}

fn say(what: &str, version: &PluginVersion) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{what} {} {} (sha-256 {})",
        version.name, version.version, version.digest
    )?;
    for function in &version.functions {
        writeln!(out, "  {function}")?;
    }
    Ok(())
}
