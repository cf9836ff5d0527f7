//! What was typed in earlier sessions, in a file of the user's state folder, newest last.
//!
//! The shell works without it: a file that can't be read or written is left alone. An entry may have several lines;
//! in the file a line break is `\n` and a backslash `\\`. Sessions that run at the same time append to one file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::limits::{HISTORY_BYTES, HISTORY_ENTRIES};

/// The entries, and where they are kept.
pub(super) struct History {
    entries: Vec<String>,
    file: Option<PathBuf>,
}

impl History {
    /// The history of this user.
    pub(super) fn of_user() -> Self {
        let state = std::env::var_os("XDG_STATE_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state")));
        match state {
            Some(state) => Self::at(&state.join("tributary/history")),
            None => Self::in_memory(),
        }
    }

    /// A history that ends with the session.
    pub(super) const fn in_memory() -> Self {
        Self {
            entries: Vec::new(),
            file: None,
        }
    }

    fn at(path: &Path) -> Self {
        let text = read(path).unwrap_or_default();
        let mut entries: Vec<String> = text.lines().map(unescaped).collect();
        let stored = entries.len();
        entries.drain(..stored.saturating_sub(HISTORY_ENTRIES));
        if stored > 2 * HISTORY_ENTRIES {
            let _ = rewrite(path, &entries);
        }
        Self {
            entries,
            file: Some(path.to_owned()),
        }
    }

    /// Oldest first.
    pub(super) fn entries(&self) -> &[String] {
        &self.entries
    }

    /// Keeps an entry, unless it begins with a blank or repeats the last one.
    pub(super) fn add(&mut self, entry: &str) {
        let entry = entry.trim_end();
        let repeated = self.entries.last().is_some_and(|last| last == entry);
        if entry.is_empty() || entry.starts_with(char::is_whitespace) || repeated {
            return;
        }
        if self.entries.len() >= HISTORY_ENTRIES {
            self.entries.remove(0);
        }
        self.entries.push(entry.to_owned());
        if let Some(path) = &self.file {
            // A full disk or a read-only home must not get in the way of a question.
            let _ = append(path, entry);
        }
    }
}

/// The end of the file, as far as the limit allows.
fn read(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let skipped = length.saturating_sub(HISTORY_BYTES);
    io::Seek::seek(&mut file, io::SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    file.take(HISTORY_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let whole = if skipped == 0 {
        0
    } else {
        text.find('\n').map_or(text.len(), |end| end + 1)
    };
    Ok(text[whole..].to_owned())
}

fn append(path: &Path, entry: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = private().append(true).create(true).open(path)?;
    file.write_all(format!("{}\n", escaped(entry)).as_bytes())
}

fn rewrite(path: &Path, entries: &[String]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = private()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&beside)?;
    let lines: String = entries
        .iter()
        .map(|entry| format!("{}\n", escaped(entry)))
        .collect();
    file.write_all(lines.as_bytes())?;
    fs::rename(beside, path)
}

/// Statements quote data: only the owner reads them.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn escaped(entry: &str) -> String {
    entry.replace('\\', "\\\\").replace('\n', "\\n")
}

fn unescaped(line: &str) -> String {
    let mut entry = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => entry.push(match chars.next() {
                Some('n') => '\n',
                other => other.unwrap_or('\\'),
            }),
            c => entry.push(c),
        }
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_session_sees_what_was_kept() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("deep/history");
        let mut first = History::at(&path);
        first.add("SELECT '\\n'\n  FROM leads;\n");
        first.add(" SELECT 'secret';");
        first.add("\\d");
        first.add("\\d");
        assert_eq!(first.entries(), ["SELECT '\\n'\n  FROM leads;", "\\d"]);
        assert_eq!(History::at(&path).entries(), first.entries());
    }

    #[test]
    fn stays_bounded() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("history");
        let lines: String = (0..=2 * HISTORY_ENTRIES)
            .map(|n| format!("SELECT {n}\n"))
            .collect();
        fs::write(&path, lines).expect("written");
        let mut history = History::at(&path);
        assert_eq!(history.entries().len(), HISTORY_ENTRIES);
        assert_eq!(
            fs::read_to_string(&path).expect("read").lines().count(),
            HISTORY_ENTRIES
        );
        history.add("one more");
        assert_eq!(history.entries().len(), HISTORY_ENTRIES);
    }

    #[test]
    fn does_without_a_file_that_cannot_be_written() {
        let folder = tempfile::tempdir().expect("folder");
        let blocked = folder.path().join("file");
        fs::write(&blocked, "").expect("written");
        let mut history = History::at(&blocked.join("history"));
        history.add("SELECT 1");
        assert_eq!(history.entries(), ["SELECT 1"]);
    }
}
