//! A new plugin: a folder with a crate that builds wherever it lies, since the SDK is in it. Knows the files of the SDK and
//! one example; it deliberately overwrites nothing.

use std::fs;
use std::path::Path;

use crate::BuildError;

/// Where the SDK lies in the folder.
const SDK: &str = ".tributary-sdk";

macro_rules! sdk_files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../", $path)))),*]
    };
}

/// The sources of the SDK, by their paths below `sdk`.
const FILES: &[(&str, &str)] = sdk_files![
    "rust/src/aggregate.rs",
    "rust/src/argument.rs",
    "rust/src/block.rs",
    "rust/src/config.rs",
    "rust/src/context.rs",
    "rust/src/document.rs",
    "rust/src/failure.rs",
    "rust/src/lib.rs",
    "rust/src/memory.rs",
    "rust/src/number.rs",
    "rust/src/rule.rs",
    "rust/src/score.rs",
    "rust/src/serve.rs",
    "rust/src/sink.rs",
    "rust/src/testing.rs",
    "rust/src/text.rs",
    "rust/src/value.rs",
    "rust/macros/src/aggregate.rs",
    "rust/macros/src/case.rs",
    "rust/macros/src/config.rs",
    "rust/macros/src/derive.rs",
    "rust/macros/src/function.rs",
    "rust/macros/src/lib.rs",
    "wit/plugin.wit",
];

/// Its manifests, which in the repository inherit from the workspace.
const MANIFESTS: &[(&str, &str)] = &[
    ("rust/Cargo.toml", include_str!("../template/sdk.toml")),
    (
        "rust/macros/Cargo.toml",
        include_str!("../template/macros.toml"),
    ),
];

/// The example.
const TEMPLATE: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("../template/plugin.toml")),
    ("src/lib.rs", include_str!("../template/lib.rs.txt")),
    (
        "fixtures/qualify.json",
        include_str!("../template/qualify.json"),
    ),
    (
        "fixtures/score.json",
        include_str!("../template/score.json"),
    ),
    ("README.md", include_str!("../template/readme.txt")),
    (".gitignore", "/target\n*.wasm\n"),
];

/// Makes the folder of a new plugin.
///
/// # Errors
/// Where the name is none that SQL can call, where something is in the folder already, or where it can't be written.
pub fn new(folder: &Path, name: &str) -> Result<(), BuildError> {
    if !is_name(name) {
        return Err(BuildError::new(format!(
            "make plugin: the folder's name becomes the plugin's, and {name:?} is not of the form [a-z][a-z0-9_]*, at most 63 letters"
        )));
    }
    let is_empty = fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    if !is_empty {
        return Err(BuildError::new(format!(
            "make plugin: folder \"{}\" is not empty",
            folder.display()
        )));
    }
    for (path, text) in TEMPLATE {
        write(&folder.join(path), &text.replace("{{name}}", name))?;
    }
    for (path, text) in FILES.iter().chain(MANIFESTS) {
        write(&folder.join(SDK).join(path), text)?;
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    let rest =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    name.len() <= 63
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(rest)
}

fn write(path: &Path, text: &str) -> Result<(), BuildError> {
    let doing = || format!("write \"{}\"", path.display());
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| BuildError::io(doing(), error))
}

#[cfg(test)]
mod tests {
    use super::{FILES, is_name};
    use std::path::Path;

    /// A file of the SDK that is missing here would be missing in every new plugin.
    #[test]
    fn every_file_of_the_sdk_is_listed() {
        let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut there = vec!["wit/plugin.wit".to_owned()];
        for folder in ["rust/src", "rust/macros/src"] {
            for entry in std::fs::read_dir(sdk.join(folder)).expect("the SDK is there") {
                let name = entry.expect("an entry").file_name();
                there.push(format!("{folder}/{}", name.to_string_lossy()));
            }
        }
        there.sort();
        let mut listed: Vec<String> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        listed.sort();
        assert_eq!(listed, there);
    }

    #[test]
    fn names_are_what_sql_can_call() {
        assert!(is_name("my_rule2"));
        for wrong in ["", "My", "my-rule", "2nd", "regel_größe"] {
            assert!(!is_name(wrong), "{wrong}");
        }
    }
}
