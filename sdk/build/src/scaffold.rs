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
    "rust/src/testing/column.rs",
    "rust/src/testing/file.rs",
    "rust/src/testing/groups.rs",
    "rust/src/testing/mod.rs",
    "rust/src/testing/result.rs",
    "rust/src/testing/rows.rs",
    "rust/src/testing/settings.rs",
    "rust/src/testing/trial.rs",
    "rust/src/text.rs",
    "rust/src/time.rs",
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
    use super::{FILES, MANIFESTS, is_name};
    use std::fs;
    use std::path::Path;

    fn sdk() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
    }

    /// Every file below a folder of the SDK.
    fn files(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the SDK is there");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        let files = paths.flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => {
                let below = path.strip_prefix(sdk()).expect("below the SDK");
                vec![below.display().to_string()]
            }
        });
        files.collect()
    }

    /// A file of the SDK that is missing here would be missing in every new plugin.
    #[test]
    fn every_file_of_the_sdk_is_listed() {
        let mut there = vec!["wit/plugin.wit".to_owned()];
        for folder in ["rust/src", "rust/macros/src"] {
            there.extend(files(&sdk().join(folder)));
        }
        there.sort();
        let mut listed: Vec<String> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        listed.sort();
        assert_eq!(listed, there);
    }

    /// Lines such as `serde = { … }`, without what only differs in where they stand.
    fn dependencies(manifest: &str) -> Vec<(String, String)> {
        let lines = manifest.lines().map(str::trim);
        let section = lines.skip_while(|line| !line.ends_with("dependencies]"));
        let section = section.skip(1).take_while(|line| !line.starts_with('['));
        let pairs = section.filter_map(|line| line.split_once(" = "));
        let plain = |text: &str| text.replace(", optional = true", "");
        pairs
            .map(|(name, value)| (name.to_owned(), plain(value)))
            .collect()
    }

    /// The SDK of a new plugin must not be built with other versions than it was tested with.
    #[test]
    fn manifests_say_what_the_workspace_says() {
        let root = fs::read_to_string(sdk().join("../Cargo.toml")).expect("the workspace");
        let workspace = dependencies(&root);
        let (sdk_toml, macros_toml) = (MANIFESTS[0].1, MANIFESTS[1].1);
        let outside = |(name, _): &&(String, String)| !name.starts_with("tributary");
        assert_eq!(dependencies(sdk_toml).iter().filter(outside).count(), 3);
        for (name, value) in dependencies(sdk_toml).iter().filter(outside) {
            assert!(
                workspace.contains(&(name.clone(), value.clone())),
                "{name} = {value}"
            );
        }
        let macros = fs::read_to_string(sdk().join("rust/macros/Cargo.toml")).expect("macros");
        assert_eq!(dependencies(macros_toml), dependencies(&macros));
        for line in ["edition = ", "rust-version = ", "version = "] {
            let said = |toml: &str| {
                toml.lines()
                    .find(|one| one.starts_with(line))
                    .map(str::to_owned)
            };
            let section = root.split_once("[workspace.package]").expect("a section").1;
            assert_eq!(said(sdk_toml), said(section));
            assert_eq!(said(macros_toml), said(section));
        }
    }

    /// What a plugin can switch on must be there to be switched on.
    #[test]
    fn features_are_those_of_the_sdk() {
        let features = |toml: &str| -> Vec<String> {
            let section = toml.split_once("[features]").expect("features").1;
            let lines = section
                .lines()
                .skip(1)
                .take_while(|line| !line.starts_with('['));
            let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
            lines.map(str::to_owned).collect()
        };
        let sdk_toml = fs::read_to_string(sdk().join("rust/Cargo.toml")).expect("the SDK");
        assert_eq!(features(MANIFESTS[0].1), features(&sdk_toml));
    }

    #[test]
    fn names_are_what_sql_can_call() {
        assert!(is_name("my_rule2"));
        for wrong in ["", "My", "my-rule", "2nd", "regel_größe"] {
            assert!(!is_name(wrong), "{wrong}");
        }
    }
}
