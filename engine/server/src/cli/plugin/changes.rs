//! `tributary plugin upload`, `activate` and `rollback`: what changes which version is in force.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use tributary_engine_core::engine::{self, Applies, DecisionKind, PluginVersion, Principal, Setup};
use tributary_engine_core::limits::PLUGIN_BYTES;
use tributary_engine_core::{Error, Fault};

use super::super::data::{Data, Whose};
use super::super::stop::{Result, file_error};
use super::of::Of;

/// Check a component, compile it and keep it as a draft.
#[derive(Args)]
#[command(after_help = "Example:\n  tributary plugin upload -m acme champ.wasm")]
pub(super) struct Upload {
    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    whose: Whose,

    /// The component
    file: PathBuf,
}

/// Put an uploaded version in force: SQL calls it, and its rules decide about leads.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary plugin activate -m acme champ 1.0.0
  tributary plugin activate -m acme champ 1.0.0 --settings champ.json --applies mql=qualify

What is left out stays as it is in force. Settings are checked against those that the plugin declares, see
\"tributary plugin show\"; those that the file leaves out get their defaults.")]
pub(super) struct Activate {
    #[command(flatten)]
    of: Of,

    /// Version, as "tributary plugin list" shows it
    version: String,

    /// JSON file with the plugin's settings
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,

    /// Rule that decides about leads, as mql=RULE or dql=RULE; "none" for no rule
    #[arg(long, value_name = "KIND=RULE", value_parser = applies)]
    applies: Vec<Choice>,
}

/// Put in force again what was before: version, settings and rules.
#[derive(Args)]
#[command(after_help = "Example:\n  tributary plugin rollback -m acme champ")]
pub(super) struct Rollback {
    #[command(flatten)]
    of: Of,
}

/// One rule that is to decide, or none.
#[derive(Clone)]
enum Choice {
    None,
    Rule(DecisionKind, String),
}

/// For clap, which shows one text beside the argument.
fn applies(text: &str) -> Result<Choice, String> {
    if text == "none" {
        return Ok(Choice::None);
    }
    let (kind, rule) = text
        .split_once('=')
        .ok_or_else(|| "expected mql=RULE, dql=RULE or none".to_owned())?;
    let kind = kind
        .parse::<DecisionKind>()
        .map_err(|error| error.to_string())?;
    Ok(Choice::Rule(kind, rule.to_owned()))
}

impl Upload {
    pub(super) async fn run(self) -> Result<()> {
        let wasm = read(&self.file)?;
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
            let data = self.data.data.display();
            writeln!(
                io::stdout(),
                "  a draft; SQL calls it after: tributary plugin activate --data {data} -m {manufacturer} {name} {version}"
            )?;
        }
        Ok(())
    }
}

impl Activate {
    pub(super) async fn run(self) -> Result<()> {
        let settings = self.settings.as_deref().map(settings).transpose()?;
        let rules = self.applies.iter().filter_map(|choice| match choice {
            Choice::None => None,
            Choice::Rule(kind, rule) => Some((*kind, rule.clone())),
        });
        let rules: Applies = rules.collect();
        let (engine, of) = self.of.open().await?;
        let activate = engine::Activate {
            principal: of.principal,
            manufacturer: of.manufacturer,
            name: of.name,
            version: self.version,
            setup: Setup {
                settings,
                applies: (!self.applies.is_empty()).then_some(rules),
            },
        };
        say("activated", &engine.activate(activate).await?)
    }
}

impl Rollback {
    pub(super) async fn run(self) -> Result<()> {
        let (engine, of) = self.of.open().await?;
        say("in force again:", &engine.rollback(of).await?)
    }
}

/// A component, unless it is too large to be one that the engine takes.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let length = fs::metadata(path)
        .map_err(|error| file_error("open", path, &error))?
        .len();
    if length > PLUGIN_BYTES as u64 {
        return Err(Error::limit("plugin_bytes", PLUGIN_BYTES, length).into());
    }
    Ok(fs::read(path).map_err(|error| file_error("read", path, &error))?)
}

fn settings(path: &Path) -> Result<serde_json::Map<String, serde_json::Value>> {
    let text = fs::read_to_string(path).map_err(|error| file_error("read", path, &error))?;
    let settings = serde_json::from_str(&text).map_err(|error| {
        let message = format!("file \"{}\" holds no settings: {error}", path.display());
        Error::new(Fault::Invalid, message).with_hint("Write a JSON object: {\"threshold\": 60}.")
    })?;
    Ok(settings)
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
    for (kind, rule) in &version.applies {
        writeln!(out, "  {rule} decides {kind} when leads arrive or change")?;
    }
    Ok(())
}
