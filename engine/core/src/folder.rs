//! The data folder: whether it is ours, and of a format that this build reads.

use std::io::Write;
use std::path::Path;

use crate::fault::{Error, Fault, Result};

/// What the `format` file of a data folder says.
const FORMAT: &str = "tributary 1\n";

/// Makes sure that the folder is ours and of a format that this build reads.
pub fn prepare(data: &Path) -> Result<()> {
    let file = data.join("format");
    let describe = |doing: &str| format!("{doing} data folder \"{}\"", data.display());
    std::fs::create_dir_all(data).map_err(|error| unusable(describe("create"), error))?;
    match std::fs::read_to_string(&file) {
        Ok(format) if format == FORMAT => Ok(()),
        Ok(format) => Err(Error::new(
            Fault::Invalid,
            format!(
                "data folder \"{}\" has format {:?}, this build reads {:?}",
                data.display(),
                format.trim(),
                FORMAT.trim()
            ),
        )
        .with_hint("Use the version of Tributary that wrote it.")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut entries =
                std::fs::read_dir(data).map_err(|error| unusable(describe("read"), error))?;
            if entries.next().is_some() {
                return Err(Error::new(
                    Fault::Invalid,
                    format!(
                        "folder \"{}\" is not empty and not a data folder",
                        data.display()
                    ),
                )
                .with_hint("Name an empty folder, or one that Tributary made."));
            }
            std::fs::write(&file, FORMAT).map_err(|error| unusable(describe("mark"), error))
        }
        Err(error) => Err(unusable(describe("read"), error)),
    }
}

/// What an input or output error means where the folder itself is at fault.
pub fn unusable(doing: String, error: std::io::Error) -> Error {
    Error::new(Fault::Invalid, format!("{doing}: {error}")).with_source(error)
}

/// The secret that a file holds; where there is no such file, `new` becomes it. Only the owner may read it.
pub fn secret(path: &Path, new: &[u8]) -> Result<Vec<u8>> {
    let describe = || format!("keep \"{}\"", path.display());
    match std::fs::read(path) {
        Ok(secret) => return Ok(secret),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(unusable(describe(), error)),
    }
    let folder = path.parent().unwrap_or(path);
    let mut file =
        tempfile::NamedTempFile::new_in(folder).map_err(|error| unusable(describe(), error))?;
    file.write_all(new)
        .map_err(|error| unusable(describe(), error))?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(new.to_vec()),
        // Another process was first.
        Err(_) => std::fs::read(path).map_err(|error| unusable(describe(), error)),
    }
}
