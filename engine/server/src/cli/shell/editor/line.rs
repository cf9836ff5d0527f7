//! The text that is being edited, and where the cursor is in it.

use unicode_width::UnicodeWidthChar;

use crate::cli::shell::split::is_word;

/// A text and a cursor, which is always between two characters.
#[derive(Clone, Default)]
pub(super) struct Line {
    text: String,
    at: usize,
}

impl Line {
    /// With the cursor at the end.
    pub(super) fn of(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            at: text.len(),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn before(&self) -> &str {
        &self.text[..self.at]
    }

    pub(super) fn after(&self) -> &str {
        &self.text[self.at..]
    }

    pub(super) fn insert(&mut self, text: &str) {
        self.text.insert_str(self.at, text);
        self.at += text.len();
    }

    /// Puts `text` in the place of the last bytes before the cursor.
    pub(super) fn replace_back(&mut self, bytes: usize, text: &str) {
        let start = self.at - bytes;
        self.text.replace_range(start..self.at, text);
        self.at = start + text.len();
    }

    pub(super) fn left(&mut self) {
        self.at = self.previous();
    }

    pub(super) fn right(&mut self) {
        self.at = self.following();
    }

    pub(super) fn word_left(&mut self) {
        self.at = self.word_start();
    }

    pub(super) fn word_right(&mut self) {
        let after = self.after();
        let word = after.find(is_word).unwrap_or(after.len());
        let end = after[word..]
            .find(|c| !is_word(c))
            .unwrap_or(after.len() - word);
        self.at += word + end;
    }

    /// The start of the line that the cursor is in.
    pub(super) fn home(&mut self) {
        self.at = self.before().rfind('\n').map_or(0, |at| at + 1);
    }

    /// The end of the line that the cursor is in.
    pub(super) fn end(&mut self) {
        self.at += self.after().find('\n').unwrap_or(self.after().len());
    }

    pub(super) fn backspace(&mut self) {
        let start = self.previous();
        self.text.drain(start..self.at);
        self.at = start;
    }

    pub(super) fn delete(&mut self) {
        let end = self.following();
        self.text.drain(self.at..end);
    }

    pub(super) fn kill_right(&mut self) -> String {
        let from = self.at;
        self.end();
        let end = std::mem::replace(&mut self.at, from);
        self.text.drain(from..end).collect()
    }

    pub(super) fn kill_left(&mut self) -> String {
        let end = self.at;
        self.home();
        self.text.drain(self.at..end).collect()
    }

    pub(super) fn kill_word(&mut self) -> String {
        let end = self.at;
        self.at = self.word_start();
        self.text.drain(self.at..end).collect()
    }

    fn word_start(&self) -> usize {
        let before = self.before().trim_end_matches(|c| !is_word(c));
        before.trim_end_matches(is_word).len()
    }

    /// What combines with a character moves and goes with it.
    fn previous(&self) -> usize {
        let base = self
            .before()
            .char_indices()
            .rev()
            .find(|(_, c)| !combines(*c));
        base.map_or(0, |(at, _)| at)
    }

    fn following(&self) -> usize {
        let next = self
            .after()
            .char_indices()
            .skip(1)
            .find(|(_, c)| !combines(*c));
        next.map_or(self.text.len(), |(offset, _)| self.at + offset)
    }
}

fn combines(c: char) -> bool {
    c.width() == Some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_and_deletes_by_what_a_person_sees_as_a_character() {
        let mut line = Line::of("ae\u{301}ü");
        line.backspace();
        assert_eq!(line.text(), "ae\u{301}");
        line.backspace();
        assert_eq!(line.text(), "a");
        line.left();
        line.left();
        line.insert("日");
        line.delete();
        line.delete();
        assert_eq!((line.before(), line.after()), ("日", ""));
    }

    #[test]
    fn moves_by_words_and_lines() {
        let mut line = Line::of("SELECT lead_id,\n  stage FROM");
        line.word_left();
        assert_eq!(line.after(), "FROM");
        line.home();
        assert_eq!(line.after(), "  stage FROM");
        line.word_right();
        assert_eq!(line.after(), " FROM");
        assert_eq!(line.kill_left(), "  stage");
        assert_eq!(line.kill_right(), " FROM");
        line.left();
        assert_eq!(line.kill_word(), "lead_id,");
        assert_eq!(line.text(), "SELECT \n");
    }

    #[test]
    fn replaces_the_word_before_the_cursor() {
        let mut line = Line::of("SELECT sta");
        line.replace_back(3, "stage");
        assert_eq!(line.before(), "SELECT stage");
    }
}
