//! A configuration file: TOML, one table for each section. Every error says the line.

use std::fs;
use std::path::Path;

use toml::de::{DeTable, DeValue};
use tributary_engine_core::{Error, Fault, Result};

use super::{Config, DEFINITIONS, SECTIONS, nearest};
use crate::limits::CONFIG_FILE_BYTES;

/// Reads a file into the values that it names.
pub(super) fn read(path: &Path, config: &mut Config) -> Result<()> {
    let text = text(path)?;
    take(&text, config).map_err(|(at, message, hint)| {
        let line = text[..at.min(text.len())].matches('\n').count() + 1;
        let file = path.display();
        let error = Error::new(
            Fault::Invalid,
            format!("configuration file \"{file}\", line {line}: {message}"),
        );
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    })
}

fn text(path: &Path) -> Result<String> {
    let cannot = |error: std::io::Error| {
        let fault = match error.kind() {
            std::io::ErrorKind::NotFound => Fault::Missing,
            std::io::ErrorKind::PermissionDenied => Fault::Denied,
            _ => Fault::Invalid,
        };
        let file = path.display();
        Error::new(
            fault,
            format!("read configuration file \"{file}\": {error}"),
        )
    };
    let bytes = fs::metadata(path).map_err(cannot)?.len();
    if bytes > CONFIG_FILE_BYTES {
        return Err(Error::limit("config_file_bytes", CONFIG_FILE_BYTES, bytes));
    }
    fs::read_to_string(path).map_err(cannot)
}

/// Where in the text, what is wrong there, and what to do about it.
type Wrong = (usize, String, Option<String>);

fn take(text: &str, config: &mut Config) -> Result<(), Wrong> {
    let document = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        (at, error.message().to_owned(), None)
    })?;
    for (name, value) in document.get_ref() {
        let at = name.span().start;
        let name: &str = name.get_ref();
        let sections: Vec<String> = SECTIONS
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect();
        if !sections.iter().any(|known| known == name) {
            let hint = nearest(name, &sections);
            return Err((at, format!("unknown section {name:?}"), Some(hint)));
        }
        let DeValue::Table(keys) = value.get_ref() else {
            let hint = Some(format!(
                "Write [{name}] on a line of its own, and its keys below."
            ));
            return Err((at, format!("{name:?} is a section, not a value"), hint));
        };
        take_section(name, keys, config)?;
    }
    Ok(())
}

fn take_section(section: &str, keys: &DeTable<'_>, config: &mut Config) -> Result<(), Wrong> {
    for (key, value) in keys {
        let at = key.span().start;
        let key: &str = key.get_ref();
        let mut of_section = DEFINITIONS.iter().filter(|one| one.section == section);
        let Some(definition) = of_section.clone().find(|one| one.key == key) else {
            let names: Vec<String> = of_section.by_ref().map(|one| one.key.to_owned()).collect();
            let message = format!("unknown key {key:?} in section \"{section}\"");
            return Err((at, message, Some(nearest(key, &names))));
        };
        config
            .put(definition, |slot| slot.read_toml(value.get_ref()))
            .map_err(|why| {
                (
                    at,
                    format!("key \"{key}\" of section \"{section}\": {why}"),
                    None,
                )
            })?;
    }
    Ok(())
}
