//! Where the shell's lines come from: an editor on a terminal, or lines as they are.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use tributary_engine_core::{Error, Fault};

use super::editor::{Complete, Editor, Prompt, Typed};
use super::terminal;
use crate::cli::stop::{Result, colour};
use crate::limits::SQL_FILE_BYTES;

/// A source of lines.
pub(super) enum Input {
    /// Typed on a terminal.
    Edited(Editor),
    /// From a pipe, or from a terminal that can't move its cursor.
    Plain,
}

impl Input {
    /// What standard input allows.
    pub(super) fn standard() -> Self {
        if terminal::can_edit() {
            Self::Edited(Editor::new())
        } else {
            Self::Plain
        }
    }

    /// Whether a person types.
    pub(super) fn is_typed(&self) -> bool {
        io::stdin().is_terminal()
    }

    /// The next line.
    pub(super) fn read(
        &mut self,
        prompt: &str,
        past: &[String],
        complete: Complete<'_>,
    ) -> Result<Typed> {
        match self {
            Self::Edited(editor) => {
                let prompt = Prompt {
                    text: prompt.to_owned(),
                    coloured: colour(&io::stdout()),
                };
                Ok(editor.read(&prompt, past, complete)?)
            }
            Self::Plain => {
                if io::stdin().is_terminal() {
                    write!(io::stdout(), "{prompt}")?;
                    io::stdout().flush()?;
                }
                line(&mut io::stdin().lock())
            }
        }
    }
}

fn line(from: &mut impl BufRead) -> Result<Typed> {
    let mut bytes = Vec::new();
    let failed = |error| Error::new(Fault::Unavailable, format!("read standard input: {error}"));
    let read = from
        .take(SQL_FILE_BYTES + 1)
        .read_until(b'\n', &mut bytes)
        .map_err(failed)?;
    if read as u64 > SQL_FILE_BYTES {
        return Err(Error::limit("sql_file_bytes", SQL_FILE_BYTES, "more").into());
    }
    if read == 0 {
        return Ok(Typed::End);
    }
    // What is no text is shown as such by the error of the statement.
    let text = String::from_utf8_lossy(&bytes);
    Ok(Typed::Line(text.trim_end_matches(['\n', '\r']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_line_by_line_to_the_end() {
        let mut from: &[u8] = b"SELECT 1;\r\n\n\\q";
        for expected in ["SELECT 1;", "", "\\q"] {
            assert_eq!(line(&mut from).ok(), Some(Typed::Line(expected.to_owned())));
        }
        assert_eq!(line(&mut from).ok(), Some(Typed::End));
    }

    #[test]
    fn refuses_a_line_without_end() {
        let long = "x".repeat(SQL_FILE_BYTES as usize + 1);
        assert!(line(&mut long.as_bytes()).is_err());
    }
}
