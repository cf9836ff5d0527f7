//! Builds the plugins that the binary ships and puts the components where `src/shipped.rs` embeds them.
//!
//! Knows only which guests are shipped; how a guest becomes a component is the business of `sdk/build`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Folder below `plugins/guests`, which is also the plugin's name in SQL.
const SHIPPED: [&str; 6] = [
    "champ",
    "ev_router",
    "fit_engagement",
    "naive_bayes",
    "scorecard",
    "woe_scorecard",
];

fn main() {
    if let Err(error) = build() {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

fn build() -> Result<(), Box<dyn Error>> {
    // Asked when it runs: another copy of the workspace may share the target folder, and with it this program.
    let manifest = env::var_os("CARGO_MANIFEST_DIR").ok_or("CARGO_MANIFEST_DIR is not set")?;
    let root = Path::new(&manifest)
        .ancestors()
        .nth(2)
        .ok_or("find workspace: engine/server has no grandparent")?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    for source in ["plugins/guests", "sdk", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
    let guests: Vec<PathBuf> = SHIPPED
        .iter()
        .map(|name| Path::new("plugins/guests").join(name))
        .collect();
    let guests: Vec<&Path> = guests.iter().map(PathBuf::as_path).collect();
    let target = tributary_sdk_build::shared_target_dir(&out);
    let components = tributary_sdk_build::build_members(root, &guests, &target)?;
    for (name, component) in SHIPPED.iter().zip(components) {
        fs::copy(component, out.join(format!("{name}.wasm")))?;
    }
    Ok(())
}
