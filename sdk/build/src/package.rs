//! The two names cargo needs: a package's, and its artifact's. Reads the few lines of Cargo.toml
//! that carry them; it deliberately knows no other TOML.

use std::fs;
use std::path::Path;

use crate::BuildError;

/// What a plugin's Cargo.toml says about itself.
pub(crate) struct Package {
    /// as in `cargo build -p`
    pub(crate) name: String,
    /// the file stem of what cargo makes of it
    pub(crate) artifact: String,
}

impl Package {
    pub(crate) fn read(manifest_dir: &Path) -> Result<Self, BuildError> {
        let path = manifest_dir.join("Cargo.toml");
        let text = fs::read_to_string(&path)
            .map_err(|source| BuildError::io(format!("read \"{}\"", path.display()), source))?;
        let name = name_in(&text, "[package]").ok_or_else(|| {
            BuildError::new(format!(
                "read \"{}\": [package] has no name",
                path.display()
            ))
        })?;
        let artifact = name_in(&text, "[lib]")
            .unwrap_or_else(|| name.clone())
            .replace('-', "_");
        Ok(Self { name, artifact })
    }
}

/// The value of `name = "…"` in one section.
fn name_in(toml: &str, section: &str) -> Option<String> {
    toml.lines()
        .map(str::trim)
        .skip_while(|line| *line != section)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .find_map(|line| {
            let value = line.strip_prefix("name")?.trim_start().strip_prefix('=')?;
            value
                .trim()
                .strip_prefix('"')?
                .split('"')
                .next()
                .map(str::to_owned)
        })
}

#[cfg(test)]
mod tests {
    use super::name_in;

    #[test]
    fn finds_the_name_of_its_own_section_only() {
        let toml = "[package]\nversion = \"1\"\nname = \"a-b\"\n\n[lib]\nname = \"c\"\n[x]\n";
        assert_eq!(name_in(toml, "[package]").as_deref(), Some("a-b"));
        assert_eq!(name_in(toml, "[lib]").as_deref(), Some("c"));
        assert_eq!(name_in(toml, "[x]"), None);
    }
}
