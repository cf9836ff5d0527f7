//! `tributary plugin list`, `show`, `diff` and `logs`: what there is, what it says of itself, and what happened to it.

use std::io::{self, Write};

use clap::Args;
use serde_json::Value;
use tributary_engine_core::engine::{OfPlugin, PluginDetails, PluginVersion, Principal};

use super::super::data::{Data, Whose};
use super::super::grid;
use super::super::stop::Result;
use super::of::Of;

/// Show every uploaded version.
#[derive(Args)]
#[command(after_help = "Example:\n  tributary plugin list -m acme")]
pub(super) struct List {
    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    whose: Whose,
}

/// Show one version: its functions, settings and activations.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary plugin show -m acme champ
  tributary plugin show -m acme champ 1.0.0 --json")]
pub(super) struct Show {
    #[command(flatten)]
    of: Of,

    /// Version [default: the one in force, or else the newest]
    version: Option<String>,

    /// As JSON, with the whole manifest
    #[arg(long)]
    json: bool,
}

/// Compare what two versions say of themselves.
#[derive(Args)]
#[command(after_help = "Example:\n  tributary plugin diff -m acme champ 1.0.0 1.1.0")]
pub(super) struct Diff {
    #[command(flatten)]
    of: Of,

    /// Version that is compared with
    from: String,

    /// Version that is compared
    to: String,
}

/// Show what happened to a plugin: uploads, activations, runs, warnings, failures.
#[derive(Args)]
#[command(after_help = "Example:\n  tributary plugin logs -m acme champ")]
pub(super) struct Logs {
    #[command(flatten)]
    of: Of,
}

impl List {
    pub(super) async fn run(self) -> Result<()> {
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
                version.name.clone(),
                version.version.clone(),
                state(&version),
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
        writeln!(io::stdout(), "{}", grid::plain(header, rows))?;
        Ok(())
    }
}

fn state(version: &PluginVersion) -> String {
    let state = match (&version.suspended, version.active) {
        (Some(_), _) => "suspended",
        (None, true) => "active",
        (None, false) => "draft",
    };
    let rules = version.applies.iter();
    let rules = rules.map(|(kind, rule)| format!("\n{kind}: {rule}"));
    format!("{state}{}", rules.collect::<String>())
}

impl Show {
    pub(super) async fn run(self) -> Result<()> {
        let (engine, of) = self.of.open().await?;
        let version = self.version;
        let details = engine.plugin(OfPlugin { version, ..of }).await?;
        let mut out = io::stdout().lock();
        if self.json {
            serde_json::to_writer_pretty(&mut out, &details).map_err(io::Error::from)?;
            writeln!(out)?;
            return Ok(());
        }
        lay_out(&mut out, &details)
    }
}

fn lay_out(out: &mut impl Write, details: &PluginDetails) -> Result<()> {
    let version = &details.version;
    writeln!(
        out,
        "{} {}: {}",
        version.name,
        version.version,
        state(version)
    )?;
    if let Some(why) = &version.suspended {
        writeln!(out, "  suspended {why}")?;
    }
    writeln!(out, "  sha-256 {}, {} bytes", version.digest, version.bytes)?;
    let functions = entries(&details.manifest, "functions");
    for (signature, function) in version.functions.iter().zip(functions) {
        writeln!(out, "\n{signature}")?;
        for line in text(function, "doc").lines() {
            writeln!(out, "  {line}")?;
        }
        for reason in entries(function, "reasons") {
            writeln!(out, "  {}: {}", text(reason, "code"), text(reason, "text"))?;
        }
    }
    let keys = entries(&details.manifest, "config");
    if !keys.is_empty() {
        let rows = keys.iter().map(|key| {
            let name = text(key, "name");
            [
                name.to_owned(),
                text(key, "type").to_owned(),
                shown(key.get("default")),
                details
                    .settings
                    .as_ref()
                    .map_or_else(String::new, |settings| shown(settings.get(name))),
                text(key, "doc").to_owned(),
            ]
        });
        let header = ["setting", "type", "default", "in force", "what it is"];
        writeln!(out, "\n{}", grid::plain(header, rows))?;
    }
    if !details.activations.is_empty() {
        let rows = details.activations.iter().map(|each| {
            [
                each.at.clone(),
                each.action.name().to_owned(),
                each.version.clone(),
                each.by.clone(),
                each.config_hash.chars().take(12).collect(),
            ]
        });
        let header = ["at", "action", "version", "by", "settings"];
        writeln!(out, "\n{}", grid::plain(header, rows))?;
    }
    Ok(())
}

fn entries<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A setting, short enough for a table.
fn shown(value: Option<&Value>) -> String {
    const CHARS: usize = 40;
    let text = match value {
        None | Some(Value::Null) => return String::new(),
        Some(value) => value.to_string(),
    };
    match text.char_indices().nth(CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

impl Diff {
    pub(super) async fn run(self) -> Result<()> {
        let (engine, of) = self.of.open().await?;
        let diff = engine.plugin_diff(of, self.from, self.to).await?;
        let mut out = io::stdout().lock();
        if diff.same_digest {
            writeln!(out, "both are the same component")?;
            return Ok(());
        }
        if diff.changes.is_empty() {
            writeln!(
                out,
                "the code differs; what the two say of themselves does not"
            )?;
            return Ok(());
        }
        let rows = diff.changes.into_iter().map(|change| {
            [
                change.what,
                change.before.unwrap_or_default(),
                change.after.unwrap_or_default(),
            ]
        });
        let header = ["what", diff.from.as_str(), diff.to.as_str()];
        writeln!(out, "{}", grid::plain(header, rows))?;
        Ok(())
    }
}

impl Logs {
    pub(super) async fn run(self) -> Result<()> {
        let (engine, of) = self.of.open().await?;
        let mut out = io::stdout().lock();
        for line in engine.plugin_log(of).await? {
            let (at, version) = (line.at, line.version);
            writeln!(out, "{at} {version} {:5} {}", line.level, line.message)?;
        }
        Ok(())
    }
}
