//! One line typed on a terminal: moving, deleting, the history, search in it, and completion.
//!
//! Knows no SQL. The terminal is in raw mode while a line is typed and at no other time.

mod keys;
mod line;
mod screen;

use std::io::{self, Stdin, Write};

use keys::{Key, Keys};
use line::Line;
use screen::Screen;

pub(super) use screen::Prompt;

use super::complete::Completion;
use super::terminal::{self, Raw, Size};
use crate::limits::COMPLETIONS_SHOWN;

/// What came of one prompt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// A line.
    Line(String),
    /// Ctrl-C: the line is to be forgotten.
    Interrupted,
    /// Ctrl-D, or the end of the input.
    End,
}

/// What completes the text before the cursor, given what is after it.
pub(super) type Complete<'a> = &'a dyn Fn(&str, &str) -> Completion;

/// Keys, and what was cut last.
pub(super) struct Editor {
    keys: Keys<Stdin>,
    cut: String,
}

impl Editor {
    pub(super) fn new() -> Self {
        Self {
            keys: Keys::new(io::stdin()),
            cut: String::new(),
        }
    }

    /// Reads one line. `past` are the entries of the history, oldest first.
    pub(super) fn read(
        &mut self,
        prompt: &Prompt,
        past: &[String],
        complete: Complete<'_>,
    ) -> io::Result<Typed> {
        let _raw = Raw::enter()?;
        let mut typing = Typing {
            prompt,
            past,
            position: past.len(),
            draft: Line::default(),
            line: Line::default(),
            search: None,
            screen: Screen::default(),
        };
        loop {
            typing.paint()?;
            let Some(key) = self.keys.next()? else {
                typing.leave()?;
                return Ok(Typed::End);
            };
            match typing.searched(key)? {
                None => {}
                Some(Key::Enter) => {
                    typing.leave()?;
                    return Ok(Typed::Line(typing.line.text().to_owned()));
                }
                Some(Key::Interrupt) => {
                    typing.line.insert("^C");
                    typing.paint()?;
                    typing.leave()?;
                    return Ok(Typed::Interrupted);
                }
                Some(Key::Leave) if typing.line.text().is_empty() => {
                    typing.leave()?;
                    return Ok(Typed::End);
                }
                Some(Key::Tab) => typing.complete(complete)?,
                Some(key) => typing.edit(key, &mut self.cut)?,
            }
        }
    }
}

/// A search backwards through the history.
struct Search {
    wanted: String,
    /// Position of what was found; of nothing, where the search began.
    position: usize,
}

/// A line that is being typed.
struct Typing<'a> {
    prompt: &'a Prompt,
    past: &'a [String],
    /// Which entry of the history is shown; one past the last is the line itself.
    position: usize,
    /// The line itself, while an entry is shown.
    draft: Line,
    line: Line,
    search: Option<Search>,
    screen: Screen,
}

impl Typing<'_> {
    fn paint(&mut self) -> io::Result<()> {
        let size = terminal::size().unwrap_or(Size {
            rows: 24,
            columns: 80,
        });
        let searching = self.search.as_ref().map(|search| Prompt {
            text: format!("search \"{}\": ", search.wanted),
            coloured: self.prompt.coloured,
        });
        let prompt = searching.as_ref().unwrap_or(self.prompt);
        let bytes = self.screen.paint(prompt, &self.line, size);
        write(&bytes)
    }

    fn leave(&mut self) -> io::Result<()> {
        write(&self.screen.leave())
    }

    fn edit(&mut self, key: Key, cut: &mut String) -> io::Result<()> {
        let line = &mut self.line;
        match key {
            Key::Char(c) => line.insert(c.encode_utf8(&mut [0; 4])),
            Key::Paste(text) => line.insert(text.trim_end_matches('\n')),
            Key::Backspace => line.backspace(),
            Key::Delete | Key::Leave => line.delete(),
            Key::Left => line.left(),
            Key::Right => line.right(),
            Key::WordLeft => line.word_left(),
            Key::WordRight => line.word_right(),
            Key::Home => line.home(),
            Key::End => line.end(),
            Key::KillRight => *cut = line.kill_right(),
            Key::KillLeft => *cut = line.kill_left(),
            Key::KillWord => *cut = line.kill_word(),
            Key::Yank => line.insert(cut),
            Key::Up => self.show(self.position.saturating_sub(1)),
            Key::Down => self.show(self.position + 1),
            Key::Search => {
                self.search = Some(Search {
                    wanted: String::new(),
                    position: self.past.len(),
                });
            }
            Key::Clear => write("\x1b[H\x1b[2J")?,
            Key::Enter | Key::Tab | Key::Interrupt | Key::Other => {}
        }
        Ok(())
    }

    /// Shows an entry of the history, or the line itself.
    fn show(&mut self, position: usize) {
        if position > self.past.len() || position == self.position {
            return;
        }
        if self.position == self.past.len() {
            self.draft = self.line.clone();
        }
        self.position = position;
        self.line = self
            .past
            .get(position)
            .map_or_else(|| self.draft.clone(), |entry| Line::of(entry));
    }

    /// Gives a key to the search, where there is one; a key that it does not take ends it and comes back.
    fn searched(&mut self, key: Key) -> io::Result<Option<Key>> {
        let Some(search) = &mut self.search else {
            return Ok(Some(key));
        };
        let from = match key {
            Key::Char(c) => {
                search.wanted.push(c);
                (search.position + 1).min(self.past.len())
            }
            Key::Backspace => {
                search.wanted.pop();
                self.past.len()
            }
            Key::Search => search.position,
            Key::Interrupt => {
                self.search = None;
                self.line = Line::default();
                return Ok(None);
            }
            Key::Other => {
                self.search = None;
                return Ok(None);
            }
            key => {
                self.search = None;
                return Ok(Some(key));
            }
        };
        match self.past[..from]
            .iter()
            .rposition(|entry| entry.contains(&search.wanted))
        {
            Some(found) => {
                search.position = found;
                self.line = Line::of(&self.past[found]);
            }
            None => write("\x07")?,
        }
        Ok(None)
    }

    /// Completes as far as all candidates agree; where that is no further, lists them.
    fn complete(&mut self, complete: Complete<'_>) -> io::Result<()> {
        let completion = complete(self.line.before(), self.line.after());
        let typed = completion.typed_bytes;
        match completion.candidates.as_slice() {
            [] => write("\x07"),
            [only] => {
                self.line.replace_back(typed, only);
                Ok(())
            }
            several => {
                let shared = shared_start(several);
                if shared.chars().count()
                    > self.line.before()[self.line.before().len() - typed..]
                        .chars()
                        .count()
                {
                    self.line.replace_back(typed, shared);
                    return Ok(());
                }
                self.list(several)
            }
        }
    }

    fn list(&mut self, candidates: &[String]) -> io::Result<()> {
        let columns = terminal::size().map_or(80, |size| size.columns);
        self.leave()?;
        write(&in_columns(candidates, columns))
    }
}

fn write(bytes: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes.as_bytes())?;
    out.flush()
}

/// What all words begin with, however they are capitalised.
fn shared_start(words: &[String]) -> &str {
    let first = words[0].as_str();
    let ends = first.char_indices().map(|(at, c)| at + c.len_utf8());
    let agreed = ends.take_while(|end| {
        let start = &first[..*end];
        words.iter().all(|word| {
            word.get(..*end)
                .is_some_and(|other| other.eq_ignore_ascii_case(start))
        })
    });
    agreed.last().map_or("", |end| &first[..end])
}

/// Words beside one another, as many as may be listed.
fn in_columns(words: &[String], columns: usize) -> String {
    let shown = &words[..words.len().min(COMPLETIONS_SHOWN)];
    let width = shown
        .iter()
        .map(|word| word.chars().count())
        .max()
        .unwrap_or_default()
        + 2;
    let in_row = (columns / width).max(1);
    let mut out = String::new();
    for row in shown.chunks(in_row) {
        let cells: String = row.iter().map(|word| format!("{word:width$}")).collect();
        out.push_str(cells.trim_end());
        out.push_str("\r\n");
    }
    if shown.len() < words.len() {
        out.push_str(&format!("… and {} more\r\n", words.len() - shown.len()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn completes_as_far_as_the_candidates_agree() {
        assert_eq!(
            shared_start(&words(&["lead_id", "lead_events", "leads"])),
            "lead"
        );
        assert_eq!(shared_start(&words(&["SELECT", "select_x"])), "SELECT");
        assert_eq!(shared_start(&words(&["für", "fähig"])), "f");
        assert_eq!(shared_start(&words(&["a", "b"])), "");
    }

    #[test]
    fn lists_a_bounded_number_of_candidates() {
        assert_eq!(in_columns(&words(&["a", "bb", "c"]), 8), "a   bb\r\nc\r\n");
        let many: Vec<String> = (0..COMPLETIONS_SHOWN + 5).map(|n| n.to_string()).collect();
        assert!(in_columns(&many, 80).ends_with("… and 5 more\r\n"));
    }

    #[test]
    fn the_history_comes_back_and_so_does_the_line() {
        let past = words(&["SELECT 1;", "SELECT 2;"]);
        let prompt = Prompt {
            text: "=> ".to_owned(),
            coloured: false,
        };
        let mut typing = Typing {
            prompt: &prompt,
            past: &past,
            position: 2,
            draft: Line::default(),
            line: Line::of("dra"),
            search: None,
            screen: Screen::default(),
        };
        let mut cut = String::new();
        for (key, text) in [
            (Key::Up, "SELECT 2;"),
            (Key::Up, "SELECT 1;"),
            (Key::Up, "SELECT 1;"),
            (Key::Down, "SELECT 2;"),
            (Key::Down, "dra"),
            (Key::Down, "dra"),
            (Key::Char('f'), "draf"),
            (Key::KillLeft, ""),
            (Key::Yank, "draf"),
        ] {
            typing.edit(key, &mut cut).expect("edits");
            assert_eq!(typing.line.text(), text);
        }
        typing.edit(Key::Search, &mut cut).expect("edits");
        assert_eq!(typing.searched(Key::Char('1')).expect("searches"), None);
        assert_eq!(typing.line.text(), "SELECT 1;");
        assert_eq!(
            typing.searched(Key::Enter).expect("searches"),
            Some(Key::Enter)
        );
    }
}
