//! The tree keeps its own rules: the line of crates, a sentence on top of each file, documents that name what exists,
//! and one set of features for both documented commands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::root;

/// Which crate may see which, as ARCHITECTURE.md draws it.
const LINE: &[(&str, &[&str])] = &[
    ("tributary-engine-stats", &[]),
    (
        "tributary-engine-core",
        &["tributary-engine-stats", "tributary-plugins-host"],
    ),
    (
        "tributary-engine-server",
        &[
            "tributary-datasets",
            "tributary-engine-core",
            "tributary-sdk-build",
        ],
    ),
    ("tributary-plugins-host", &[]),
    ("tributary-plugins-hostile", &[]),
    ("tributary-plugins-guests-champ", &["tributary-sdk-rust"]),
    (
        "tributary-plugins-guests-woe-scorecard",
        &["tributary-sdk-rust"],
    ),
    (
        "tributary-plugins-guests-ev-router",
        &["tributary-sdk-rust"],
    ),
    (
        "tributary-plugins-guests-fit-engagement",
        &["tributary-sdk-rust"],
    ),
    (
        "tributary-plugins-guests-naive-bayes",
        &["tributary-sdk-rust"],
    ),
    (
        "tributary-plugins-guests-scorecard",
        &["tributary-sdk-rust"],
    ),
    ("tributary-sdk-build", &[]),
    ("tributary-sdk-rust", &["tributary-sdk-rust-macros"]),
    ("tributary-sdk-rust-macros", &[]),
    ("tributary-datasets", &[]),
    ("tributary-benches-kernels", &["tributary-sdk-rust"]),
];

fn cargo(arguments: &[&str]) -> String {
    let run = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    String::from_utf8(run.stdout).expect("UTF-8")
}

#[test]
fn the_graph_of_crates_is_the_documented_line() {
    let metadata: serde_json::Value = serde_json::from_str(&cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
        "--offline",
    ]))
    .expect("JSON");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut found = BTreeMap::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let edges: BTreeSet<String> = package["dependencies"]
            .as_array()
            .expect("dependencies")
            .iter()
            .filter(|edge| edge["kind"].is_null() && text(&edge["name"]).starts_with("tributary-"))
            .map(|edge| text(&edge["name"]))
            .collect();
        found.insert(text(&package["name"]), edges);
    }
    // Benches may see everything; nothing may see them.
    found
        .remove("tributary-benches")
        .expect("the benches are a crate");
    let documented: BTreeMap<String, BTreeSet<String>> = LINE
        .iter()
        .map(|(name, edges)| {
            (
                (*name).to_owned(),
                edges.iter().map(|edge| (*edge).to_owned()).collect(),
            )
        })
        .collect();
    assert_eq!(found, documented);
}

#[test]
fn both_commands_share_one_build_of_the_dependencies() {
    let features = |arguments: &[&str]| -> BTreeMap<String, String> {
        let tree = cargo(
            &[
                &[
                    "tree",
                    "--offline",
                    "--prefix",
                    "none",
                    "--format",
                    "{p}|{f}",
                ],
                arguments,
            ]
            .concat(),
        );
        tree.lines()
            .filter_map(|line| line.trim_end_matches(" (*)").split_once('|'))
            .filter(|(package, _)| !package.starts_with("tributary-"))
            .fold(
                BTreeMap::new(),
                |mut all: BTreeMap<String, String>, (package, features)| {
                    // One line for each set: a package may be built for the machine and for build scripts.
                    let sets = all.entry(package.to_owned()).or_default();
                    if !sets.split(';').any(|set| set == features) {
                        sets.push_str(features);
                        sets.push(';');
                    }
                    all
                },
            )
    };
    let demo = features(&["-p", "tributary-engine-server", "-e", "normal,build"]);
    let tests = features(&["--workspace", "-e", "normal,build,dev"]);
    assert!(demo.len() > 200, "the tree was read");
    let sorted = |sets: &str| sets.split(';').map(str::to_owned).collect::<BTreeSet<_>>();
    for (package, sets) in &demo {
        let other = tests.get(package).expect("the workspace has it too");
        let missing: Vec<String> = sorted(sets).difference(&sorted(other)).cloned().collect();
        assert!(
            missing.is_empty(),
            "{package} is built with features [{}] for the demo only: pin them in engine/server/Cargo.toml",
            missing.join(" / ")
        );
    }
}

/// Every file of the tree with this extension, without build output.
fn files(extension: &str) -> Vec<PathBuf> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            &format!("*.{extension}"),
        ])
        .current_dir(root())
        .output()
        .expect("git runs");
    String::from_utf8_lossy(&listed.stdout)
        .lines()
        .map(|line| root().join(line))
        .filter(|path| path.exists())
        .collect()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

#[test]
fn every_source_file_says_what_it_is_for() {
    let files = files("rs");
    assert!(files.len() > 60);
    for path in files {
        let text = std::fs::read_to_string(&path).expect("readable");
        let first = text.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("//! ") && first.len() > 20,
            "{}: line 1 is {first:?}",
            shown(&path)
        );
        for word in ["TO DO", "FIX ME"].map(|word| word.replace(' ', "")) {
            assert!(
                !text.contains(&word),
                "{}: {word} is left over",
                shown(&path)
            );
        }
    }
}

#[test]
fn every_file_that_a_document_names_exists() {
    let documents = files("md");
    assert!(documents.len() >= 5);
    let mut checked = 0;
    for path in documents {
        let text = std::fs::read_to_string(&path).expect("readable");
        for word in text.split('`').skip(1).step_by(2) {
            let is_path = word.contains('/')
                && !word.contains(['<', ' ', '*', '$', '{', ':', '…', '='])
                && [
                    ".rs", ".sql", ".slt", ".md", ".toml", ".wit", ".json", ".csv",
                ]
                .iter()
                .any(|end| word.ends_with(end));
            if is_path && !word.starts_with("target/") && !word.starts_with('/') {
                checked += 1;
                let beside = path.parent().expect("has a folder").join(word);
                assert!(
                    root().join(word).exists() || beside.exists(),
                    "{} names {word}",
                    shown(&path)
                );
            }
        }
    }
    assert!(checked >= 20, "the documents name files");
}

#[test]
fn the_walls_hold() {
    // Folder that may not name a word, and why; see ARCHITECTURE.md.
    let walls = [
        (
            "engine/stats/src",
            &["arrow::", "datafusion", "std::fs"][..],
        ),
        ("plugins/host/src", &["datafusion", "deltalake"]),
        (
            "engine/core/src/ingest",
            &["datafusion::", "deltalake", "object_store"],
        ),
        (
            "engine/core/src/sql",
            &["deltalake", "object_store::", "wasmtime"],
        ),
        ("engine/core/src/catalog", &["deltalake", "object_store::"]),
        (
            "engine/core/src",
            &["StatusCode", "std::env::", "wasmtime::", "axum"],
        ),
        (
            "engine/server/src",
            &[
                "deltalake",
                "object_store",
                "SessionContext",
                "wasmtime::",
                "datafusion::",
            ],
        ),
    ];
    for path in files("rs") {
        let name = shown(&path);
        let text = std::fs::read_to_string(&path).expect("readable");
        let code: String = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n");
        for (folder, words) in walls {
            if name.starts_with(folder) && !name.contains("/tests") {
                for word in words {
                    assert!(!code.contains(word), "{name} knows {word}");
                }
            }
        }
        if code.contains("SessionContext::new") && name.starts_with("engine/") {
            assert_eq!(
                name, "engine/core/src/sql/session.rs",
                "one file builds a SessionContext"
            );
        }
    }
}

/// A component is compiled against the interface, so its text may change only together with its version.
#[test]
fn the_plugin_interface_changes_only_with_its_version() {
    let text = std::fs::read_to_string(root().join("sdk/wit/plugin.wit")).expect("readable");
    let package = text
        .lines()
        .find_map(|line| line.strip_prefix("package tributary:plugin@"));
    let version = package
        .expect("a package line")
        .trim_end_matches(';')
        .replace('.', "_");
    insta::assert_snapshot!(format!("plugin_interface_{version}"), text);
}
