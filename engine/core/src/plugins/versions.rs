//! The versions and activations of one manufacturer, as one moment has them.

use tributary_plugins_host::{Kind, Manifest, Plugin};

use crate::control::{Control, PluginRow};
use crate::fault::{Error, Fault, Result};
use crate::manufacturer::ManufacturerId;
use crate::plugin::{Action, Activation, Applies, PluginVersion};
use crate::sql::signature;

/// Versions by name and time of upload; activations, oldest first.
pub struct Versions {
    rows: Vec<PluginRow>,
    activations: Vec<Activation>,
}

impl Versions {
    pub async fn read(control: &Control, manufacturer: &ManufacturerId) -> Result<Self> {
        Ok(Self {
            rows: control.plugins(manufacturer).await?,
            activations: control.activations(manufacturer).await?,
        })
    }

    /// The activation in force of a name.
    pub fn in_force(&self, name: &str) -> Option<&Activation> {
        let mut newest = self.activations.iter().rev();
        newest.find(|activation| activation.plugin == name)
    }

    /// The newest activation of any name; 0 before the first.
    pub fn newest_activation(&self) -> i64 {
        let newest = self.activations.last();
        newest.map_or(0, |activation| activation.activation_id)
    }

    /// Every activation of a name, newest first.
    pub fn activations_of(&self, name: &str) -> Vec<Activation> {
        let newest = self.activations.iter().rev();
        newest
            .filter(|activation| activation.plugin == name)
            .cloned()
            .collect()
    }

    /// What is in force of a name, and what was before: another version, or other settings or rules. Going back twice
    /// goes back two steps: what was rolled back from does not count.
    pub fn before(&self, name: &str) -> Result<(&Activation, &Activation)> {
        let mut stack: Vec<&Activation> = Vec::new();
        let mut now = None;
        for activation in self.activations.iter().filter(|each| each.plugin == name) {
            now = Some(activation);
            match activation.action {
                Action::Activate => stack.push(activation),
                Action::Rollback => {
                    stack.pop();
                }
                Action::Suspend => {}
            }
        }
        let Some(now) = now else {
            self.newest(name)?;
            return Err(Error::new(
                Fault::Missing,
                format!("no version of plugin \"{name}\" is active"),
            )
            .with_hint("Activate one first."));
        };
        match stack.iter().rev().nth(1) {
            Some(before) => Ok((now, before)),
            None => Err(Error::new(
                Fault::Conflict,
                format!(
                    "nothing was active before plugin \"{name}\" {}",
                    now.version
                ),
            )
            .with_hint("A rollback needs an earlier activation.")),
        }
    }

    /// One version.
    pub fn found(&self, name: &str, version: &str) -> Result<&PluginRow> {
        let found = |row: &&PluginRow| row.name == name && row.version == version;
        self.rows.iter().find(found).ok_or_else(|| {
            let known: Vec<String> = self
                .rows
                .iter()
                .map(|known| format!("{} {}", known.name, known.version))
                .collect();
            Error::new(
                Fault::Missing,
                format!("plugin {name:?} {version:?} does not exist"),
            )
            .with_hint(match known.is_empty() {
                true => "No plugin is uploaded yet.".to_owned(),
                false => format!("Uploaded are {}.", known.join(", ")),
            })
        })
    }

    /// The version that is named, or the one in force, or the newest.
    pub fn chosen(&self, name: &str, version: Option<&str>) -> Result<&PluginRow> {
        match (version, self.in_force(name)) {
            (Some(version), _) => self.found(name, version),
            (None, Some(activation)) => self.found(name, &activation.version),
            (None, None) => self.newest(name),
        }
    }

    fn newest(&self, name: &str) -> Result<&PluginRow> {
        let mut newest = self.rows.iter().rev();
        newest.find(|row| row.name == name).ok_or_else(|| {
            let mut known: Vec<&str> = self.rows.iter().map(|row| row.name.as_str()).collect();
            known.dedup();
            Error::new(Fault::Missing, format!("plugin {name:?} does not exist")).with_hint(
                match known.is_empty() {
                    true => "No plugin is uploaded yet.".to_owned(),
                    false => format!("Uploaded are {}.", known.join(", ")),
                },
            )
        })
    }

    /// Every version, as a client sees it.
    pub fn all(&self) -> Result<Vec<PluginVersion>> {
        self.rows.iter().map(|row| self.shown(row)).collect()
    }

    /// One version, as a client sees it.
    pub fn shown(&self, row: &PluginRow) -> Result<PluginVersion> {
        let manifest: Manifest = serde_json::from_str(&row.manifest)
            .map_err(|error| Error::internal("read manifest", error))?;
        let in_force = self.in_force(&row.name);
        let in_force = in_force.filter(|activation| activation.version == row.version);
        let is_suspended = |now: &&Activation| now.action == Action::Suspend;
        Ok(PluginVersion {
            name: row.name.clone(),
            version: row.version.clone(),
            digest: row.digest.clone(),
            bytes: row.bytes,
            functions: manifest
                .functions
                .iter()
                .map(|function| signature(&row.name, function))
                .collect(),
            uploaded_at: row.uploaded_at.clone(),
            active: in_force.is_some_and(|now| now.action != Action::Suspend),
            suspended: in_force
                .filter(is_suspended)
                .map(|now| format!("since {}, after failing too often", now.at)),
            config_hash: in_force.map(|now| now.config_hash.clone()),
            applies: in_force.map(|now| now.applies.clone()).unwrap_or_default(),
        })
    }

    /// Whether what is to decide about leads is a rule of this plugin, and no other plugin decides the same.
    pub fn check_applies(&self, plugin: &Plugin, applies: &Applies) -> Result<()> {
        let manifest = plugin.manifest();
        for (kind, function) in applies {
            let rule = |known: &&tributary_plugins_host::Function| known.kind == Kind::Rule;
            let mut rules = manifest.functions.iter().filter(rule);
            if !rules.clone().any(|known| known.name == *function) {
                let names: Vec<&str> = rules.by_ref().map(|known| known.name.as_str()).collect();
                return Err(Error::new(
                    Fault::Invalid,
                    format!("plugin \"{}\" has no rule {function:?}", manifest.name),
                )
                .with_hint(match names.is_empty() {
                    true => "It has no rules at all.".to_owned(),
                    false => format!("Its rules are {}.", names.join(", ")),
                }));
            }
            self.check_alone(&manifest.name, *kind)?;
        }
        Ok(())
    }

    fn check_alone(&self, name: &str, kind: crate::plugin::DecisionKind) -> Result<()> {
        let others = self.rows.iter().filter(|row| row.name != name);
        for other in others {
            if let Some(activation) = self.in_force(&other.name)
                && activation.applies.contains_key(&kind)
            {
                return Err(Error::new(
                    Fault::Conflict,
                    format!("plugin \"{}\" decides \"{kind}\" already", other.name),
                )
                .with_hint(format!(
                    "One rule decides one thing. Activate \"{}\" without it first.",
                    other.name
                )));
            }
        }
        Ok(())
    }
}
