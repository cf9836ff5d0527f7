//! The demo's data folder: made anew each time, and only if a demo made what is in it.

use std::fs;
use std::io;
use std::path::Path;

use tributary_engine_core::{Error, Fault};

use crate::cli::{Result, file_error};

/// Its presence says that everything beside it may be thrown away.
const MARKER: &str = "made-by-tributary-demo";

/// Leaves an empty folder, or refuses one that no demo made.
pub(super) fn fresh(folder: &Path) -> Result<()> {
    if clear(folder).map_err(|error| file_error("empty folder", folder, &error))? {
        return Ok(());
    }
    Err(Error::new(
        Fault::Conflict,
        format!(
            "folder \"{}\" is not empty, and no demo made it",
            folder.display()
        ),
    )
    .with_hint("Choose another with --data, or empty it yourself.")
    .into())
}

/// Says that a demo made this folder; once it is a data folder, because the engine wants to find it empty.
pub(super) fn mark(folder: &Path) -> Result<()> {
    let marker = folder.join(MARKER);
    fs::write(
        &marker,
        "This folder is replaced by every \"tributary demo\".\n",
    )
    .map_err(|error| file_error("write", &marker, &error).into())
}

/// Whether the folder could be emptied. The marker goes last, so that an interrupted demo can be repeated.
fn clear(folder: &Path) -> io::Result<bool> {
    fs::create_dir_all(folder)?;
    let marker = folder.join(MARKER);
    if !marker.exists() {
        return Ok(fs::read_dir(folder)?.next().is_none());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() == MARKER {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    fs::remove_file(marker)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_only_what_a_demo_made() {
        let root = std::env::temp_dir().join(format!("tributary-folder-{}", std::process::id()));
        let (mine, theirs) = (root.join("mine"), root.join("theirs"));
        fs::create_dir_all(&theirs).expect("a folder");
        fs::write(theirs.join("x"), "x").expect("a file");
        assert!(!clear(&theirs).expect("readable"));
        assert!(theirs.join("x").exists());

        assert!(clear(&mine).expect("writable"));
        assert!(mark(&mine).is_ok());
        fs::create_dir_all(mine.join("acme/leads")).expect("a folder");
        assert!(clear(&mine).expect("writable"));
        assert_eq!(fs::read_dir(&mine).expect("readable").count(), 0);
        fs::remove_dir_all(&root).expect("cleaned up");
    }
}
