//! The target's standard library: finds it, or installs it. rustup does not install it by itself
//! where RUSTUP_AUTO_INSTALL=0 is set, whatever rust-toolchain.toml says.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{clean, run};
use crate::{BuildError, TARGET};

/// Makes sure that the toolchain used in `dir` can compile for [`TARGET`].
pub(crate) fn ensure(dir: &Path) -> Result<(), BuildError> {
    if installed(dir) {
        return Ok(());
    }
    let mut rustup = clean(Command::new("rustup"));
    rustup.current_dir(dir).args(["target", "add", TARGET]);
    run(rustup, "install the WebAssembly target").map_err(|error| {
        BuildError::new(format!(
            "plugins need the standard library of {TARGET}; install it with\n\n    rustup target add {TARGET}\n\n{error}"
        ))
    })
}

fn installed(dir: &Path) -> bool {
    let mut rustc = clean(Command::new("rustc"));
    rustc
        .current_dir(dir)
        .args(["--print", "target-libdir", "--target", TARGET]);
    rustc.output().is_ok_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout);
        output.status.success() && PathBuf::from(folder.trim()).is_dir()
    })
}
