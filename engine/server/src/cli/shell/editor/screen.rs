//! A prompt and a line on the screen, over as many rows as they need and the screen has.

use unicode_width::UnicodeWidthChar;

use super::line::Line;
use crate::cli::shell::terminal::Size;

/// What stands before the line.
#[derive(Clone)]
pub(in super::super) struct Prompt {
    pub(in super::super) text: String,
    pub(in super::super) coloured: bool,
}

/// What has been painted, so that it can be painted over.
#[derive(Default)]
pub(super) struct Screen {
    /// Rows from the first painted one down to the cursor.
    cursor_row: usize,
    /// Rows from the cursor down to the last painted one.
    rows_below: usize,
}

impl Screen {
    /// The bytes that paint the line over what was painted before.
    pub(super) fn paint(&mut self, prompt: &Prompt, line: &Line, size: Size) -> String {
        let mut rows = Rows::new(size.columns);
        rows.text(&prompt.text);
        let prompt_fits = rows.all.len() == 1;
        rows.text(line.before());
        let cursor = rows.cursor();
        rows.text(line.after());
        let _ = rows.cursor();
        let top = (cursor.0 + 1).saturating_sub(size.rows);
        let bottom = rows.all.len().min(top + size.rows);
        let mut shown: Vec<String> = rows.all[top..bottom].to_vec();
        if top == 0 && prompt.coloured && prompt_fits {
            let (prompt, rest) = shown[0].split_at(prompt.text.len());
            shown[0] = format!("\x1b[1;36m{prompt}\x1b[0m{rest}");
        }
        let mut out = up(self.cursor_row);
        out.push_str("\r\x1b[J");
        out.push_str(&shown.join("\r\n"));
        self.cursor_row = cursor.0 - top;
        self.rows_below = shown.len() - 1 - self.cursor_row;
        out.push_str(&up(self.rows_below));
        out.push('\r');
        if cursor.1 > 0 {
            out.push_str(&format!("\x1b[{}C", cursor.1));
        }
        out
    }

    /// The bytes that leave the line on the screen and go on below it.
    pub(super) fn leave(&mut self) -> String {
        let out = "\r\n".repeat(self.rows_below + 1);
        *self = Self::default();
        out
    }
}

fn up(rows: usize) -> String {
    match rows {
        0 => String::new(),
        rows => format!("\x1b[{rows}A"),
    }
}

/// Text broken into rows of the screen.
struct Rows {
    all: Vec<String>,
    column: usize,
    columns: usize,
}

impl Rows {
    fn new(columns: usize) -> Self {
        Self {
            all: vec![String::new()],
            column: 0,
            columns,
        }
    }

    fn text(&mut self, text: &str) {
        for c in text.chars() {
            if c == '\n' {
                self.next();
                continue;
            }
            // A tab or a control character must not move the cursor of its own accord.
            let c = if c == '\t' {
                ' '
            } else if c.is_control() {
                '\u{fffd}'
            } else {
                c
            };
            let width = c.width().unwrap_or(1);
            if self.column + width > self.columns {
                self.next();
            }
            if let Some(row) = self.all.last_mut() {
                row.push(c);
            }
            self.column += width;
        }
    }

    fn next(&mut self) {
        self.all.push(String::new());
        self.column = 0;
    }

    /// Row and column of the cursor after what was written; past the last column it is in the next row.
    fn cursor(&mut self) -> (usize, usize) {
        if self.column >= self.columns {
            self.next();
        }
        (self.all.len() - 1, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paint(screen: &mut Screen, text: &str, left: usize) -> String {
        let prompt = Prompt {
            text: "=> ".to_owned(),
            coloured: false,
        };
        let mut line = Line::of(text);
        for _ in 0..left {
            line.left();
        }
        screen.paint(
            &prompt,
            &line,
            Size {
                rows: 3,
                columns: 6,
            },
        )
    }

    #[test]
    fn wraps_and_comes_back_to_where_it_began() {
        let mut screen = Screen::default();
        assert_eq!(paint(&mut screen, "ab", 1), "\r\x1b[J=> ab\r\x1b[4C");
        assert_eq!(
            paint(&mut screen, "abcd", 0),
            "\r\x1b[J=> abc\r\nd\r\x1b[1C"
        );
        assert_eq!(paint(&mut screen, "abc", 0), "\x1b[1A\r\x1b[J=> abc\r\n\r");
        assert_eq!(
            paint(&mut screen, "abcd", 4),
            "\x1b[1A\r\x1b[J=> abc\r\nd\x1b[1A\r\x1b[3C"
        );
        assert_eq!(screen.leave(), "\r\n\r\n");
    }

    #[test]
    fn shows_the_rows_around_the_cursor_where_not_all_fit() {
        let mut screen = Screen::default();
        assert_eq!(
            paint(&mut screen, "a\nb\nc\nd", 0),
            "\r\x1b[Jb\r\nc\r\nd\r\x1b[1C"
        );
        assert_eq!(
            paint(&mut screen, "日本語", 0),
            "\x1b[2A\r\x1b[J=> 日\r\n本語\r\x1b[4C"
        );
    }
}
