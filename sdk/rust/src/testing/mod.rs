//! Examples, tried outside WebAssembly: the same files that `tributary plugin test` tries inside it.
//!
//! ```text
//! {"function": "qualify", "settings": {"threshold": 60}, "now": "2026-01-01T00:00:00Z", "tolerance": 1e-9, "rows": [
//!     {"args": {"employees": 120}, "expect": {"verdict": "mql", "reasons": []}},
//!     {"args": {"employees": -1}, "error": "negative"}]}
//! ```
//!
//! `expect` of a score is its value, of a rule those of its fields that matter. Examples of an aggregate are
//! `"groups": [{"rows": [{…}, …], "expect": 17.5}]`. `sdk/README.md` says all of it.
//!
//! Rows are tried alone and in one batch, plain, as constants and as dictionaries; groups alone, together and merged from
//! parts, and with rows that came and went where the aggregate can take rows out.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Map;

use crate::config::{Config, Given};
use crate::failure::PluginFailure;
use crate::serve::Plugin;

mod column;
mod file;
mod groups;
mod result;
mod rows;
mod settings;
mod trial;

use file::Examples;
use trial::Trial;

/// Settings with nothing but defaults.
///
/// # Errors
/// Where one has no default.
pub fn defaults<S: Config>() -> Result<S, PluginFailure> {
    let values = settings::values(&S::keys(), &Map::new()).map_err(PluginFailure::new)?;
    S::fill(&mut Given::new(values))
}

/// Tries the examples of every file in a folder, which is relative to the plugin's `Cargo.toml`.
///
/// # Panics
/// With everything that came out otherwise, and where a file can't be read or there is no example.
#[track_caller]
pub fn fixtures(plugin: &'static Plugin, folder: impl AsRef<Path>) {
    let folder = folder.as_ref();
    let paths =
        paths(folder).unwrap_or_else(|error| panic!("read \"{}\": {error}", folder.display()));
    let mut failed = Vec::new();
    let mut tried = 0;
    for path in paths {
        match tried_in(plugin, &path) {
            Ok((count, wrong)) => {
                tried += count;
                failed.extend(
                    wrong
                        .into_iter()
                        .map(|why| format!("{}: {why}", path.display())),
                );
            }
            Err(why) => failed.push(format!("{}: {why}", path.display())),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(tried > 0, "no examples in \"{}\"", folder.display());
}

/// The folder's files, in order.
fn paths(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut paths = entries.collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    paths.sort();
    Ok(paths)
}

/// How many examples a file has, and what came out otherwise.
fn tried_in(plugin: &'static Plugin, path: &Path) -> Result<(usize, Vec<String>), String> {
    let examples = Examples::read(path)?;
    let trial = Trial::new(plugin, &examples)?;
    let wrong = [trial.rows(&examples.rows), trial.groups(&examples.groups)].concat();
    // Each once: the same may be wrong in several layouts.
    let mut seen = BTreeSet::new();
    let wrong = wrong.into_iter().filter(|why| seen.insert(why.clone()));
    Ok((examples.rows.len() + examples.groups.len(), wrong.collect()))
}
