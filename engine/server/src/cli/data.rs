//! The data folder that a command works on: opened, created where that is meant, and whose rows are asked for.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use tributary_engine_core::compile::Compiler;
use tributary_engine_core::engine::Principal;
use tributary_engine_core::manufacturer::ManufacturerId;
use tributary_engine_core::{Database, Engine, Error, Fault, Options};

use super::stop::{Result, file_error};
use crate::compile::InChild;
use crate::limits::MANUFACTURERS_NAMED;

/// Where the token of the operator is kept, in the data folder.
pub(crate) const TOKEN_FILE: &str = "operator.token";

/// The folder and how it is worked on.
#[derive(Args)]
pub(super) struct Data {
    /// Folder of the data
    #[arg(
        long,
        value_name = "DIR",
        default_value = "tributary-data",
        env = "TRIBUTARY_DATA"
    )]
    pub(super) data: PathBuf,

    /// Threads that a query may use [default: one per core]
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<usize>,
}

impl Data {
    /// Opens a folder that must exist: a mistyped name must not become an empty database.
    pub(super) async fn existing(&self) -> Result<Arc<dyn Engine>> {
        if !self.data.is_dir() {
            return Err(Error::new(
                Fault::Missing,
                format!("data folder \"{}\" does not exist", self.data.display()),
            )
            .with_hint("Name another with --data, or make one with \"tributary demo\" or \"tributary ingest\".")
            .into());
        }
        Ok(self.created().await?.engine)
    }

    /// Opens a folder and makes it where it does not exist.
    pub(super) async fn created(&self) -> Result<Opened> {
        open(&self.data, self.threads).await
    }
}

/// An open data folder.
pub(crate) struct Opened {
    /// The database.
    pub(crate) engine: Arc<dyn Engine>,
    /// The operator's token, if this start made it.
    pub(crate) first_token: Option<String>,
}

/// Opens a data folder; the first time it keeps the operator's token in a file that only its owner can read.
pub(crate) async fn open(data: &Path, threads: Option<usize>) -> Result<Opened> {
    let options = Options {
        data: data.to_owned(),
        threads,
        compiler: Some(compiler()?),
        ..Options::default()
    };
    let database = Database::open(options).await?;
    let first_token = database.first_token().map(str::to_owned);
    if let Some(token) = &first_token {
        let path = data.join(TOKEN_FILE);
        keep(token, &path).map_err(|error| {
            file_error("write", &path, &error).with_hint(format!(
                "The token exists only here, so note it down: {token}"
            ))
        })?;
    }
    Ok(Opened {
        engine: database,
        first_token,
    })
}

/// Plugins are compiled by this program, in a process of its own.
fn compiler() -> Result<Arc<dyn Compiler>> {
    let program = std::env::current_exe()
        .map_err(|error| Error::new(Fault::Unavailable, format!("find this program: {error}")))?;
    Ok(Arc::new(InChild::new(program)))
}

fn keep(token: &str, path: &Path) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = options.open(path)?;
    writeln!(file, "{token}")?;
    file.sync_all()
}

/// Whose tables; may be left out where there is only one.
#[derive(Args)]
pub(super) struct Whose {
    /// Id of the manufacturer; may be left out where there is only one
    #[arg(short, long, value_name = "ID", value_parser = id)]
    pub(super) manufacturer: Option<ManufacturerId>,
}

impl Whose {
    /// The manufacturer named, or the only one.
    pub(super) async fn choose(&self, engine: &dyn Engine) -> Result<ManufacturerId> {
        if let Some(named) = &self.manufacturer {
            return Ok(named.clone());
        }
        let all = engine.manufacturers(&Principal::Operator).await?;
        match all.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err(Error::new(Fault::Invalid, "no manufacturer is named, and none exists yet")
                .with_hint("Name one with -m; the first ingest creates it: tributary ingest -m acme leads leads.csv")
                .into()),
            several => {
                let named: Vec<&str> =
                    several.iter().take(MANUFACTURERS_NAMED).map(ManufacturerId::as_str).collect();
                let more = if named.len() < several.len() { ", …" } else { "" };
                Err(Error::new(Fault::Invalid, "several manufacturers exist, and none is named")
                    .with_hint(format!("Choose one with -m: {}{more}.", named.join(", ")))
                    .into())
            }
        }
    }
}

/// For clap, which shows one text beside the argument.
pub(super) fn id(text: &str) -> Result<ManufacturerId, String> {
    ManufacturerId::try_from(text)
        .map_err(|error| format!("{error}\nhint: {}", error.hint().unwrap_or_default()))
}
