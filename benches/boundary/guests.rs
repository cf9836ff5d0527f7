//! Builds the kernels as a plugin: as the SDK's build does it, or with other flags.

use std::path::{Path, PathBuf};
use std::process::Command;

use tributary_sdk_build::TARGET;

use super::race::Outcome;

/// Sets of flags, by what is said of them.
pub const FLAGS: [(&str, &[&str]); 4] = [
    ("none", &[]),
    (
        "simd128, interleave 1",
        &[SIMD, "-Cllvm-args=-force-vector-interleave=1"],
    ),
    (
        "simd128, interleave 4",
        &[SIMD, "-Cllvm-args=-force-vector-interleave=4"],
    ),
    (
        "simd128, interleave 8",
        &[SIMD, "-Cllvm-args=-force-vector-interleave=8"],
    ),
];

const SIMD: &str = "-Ctarget-feature=+simd128";
const KERNELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/kernels");

/// The component as a plugin of a user is built.
pub fn as_shipped() -> Outcome<Vec<u8>> {
    let component = tributary_sdk_build::build(Path::new(KERNELS), &target_dir("guests"))?;
    Ok(std::fs::read(component)?)
}

/// The component with other flags, in the same profile.
pub fn with_flags(flags: &[&str]) -> Outcome<Vec<u8>> {
    let name: String = flags.concat();
    let name = name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "");
    let target = target_dir("flags").join(name);
    let mut all = vec!["-Clinker=wasm-component-ld"];
    all.extend(flags);
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(KERNELS)
        .args([
            "build",
            "--quiet",
            "--release",
            "--locked",
            "--target",
            TARGET,
            "--target-dir",
        ])
        .arg(&target)
        .env("CARGO_ENCODED_RUSTFLAGS", all.join("\u{1f}"))
        .env("CARGO_PROFILE_RELEASE_LTO", "fat")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
        .env("CARGO_PROFILE_RELEASE_PANIC", "abort")
        .status()?;
    if !status.success() {
        return Err(format!("build the kernels: {status}").into());
    }
    let artifact = target
        .join(TARGET)
        .join("release/tributary_benches_kernels.wasm");
    Ok(std::fs::read(artifact)?)
}

/// A folder beside the other guests.
fn target_dir(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("../boundary")
        .join(name)
}
