//! Bytes of a terminal as keys.

use std::collections::VecDeque;
use std::io::{self, Read};

use crate::limits::SQL_FILE_BYTES;

/// What was pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Char(char),
    /// Text that was pasted as a whole.
    Paste(String),
    Enter,
    Tab,
    Backspace,
    Delete,
    Left,
    Right,
    WordLeft,
    WordRight,
    Up,
    Down,
    Home,
    End,
    /// Ctrl-K
    KillRight,
    /// Ctrl-U
    KillLeft,
    /// Ctrl-W
    KillWord,
    /// Ctrl-Y
    Yank,
    /// Ctrl-R
    Search,
    /// Ctrl-L
    Clear,
    /// Ctrl-C
    Interrupt,
    /// Ctrl-D
    Leave,
    /// A key that means nothing here.
    Other,
}

/// Keys from a source of bytes. What was read ahead is kept for the next line.
pub(super) struct Keys<R> {
    from: R,
    ahead: VecDeque<u8>,
}

impl<R: Read> Keys<R> {
    pub(super) const fn new(from: R) -> Self {
        Self {
            from,
            ahead: VecDeque::new(),
        }
    }

    /// The next key; none at the end of the source.
    pub(super) fn next(&mut self) -> io::Result<Option<Key>> {
        let Some(byte) = self.byte()? else {
            return Ok(None);
        };
        Ok(Some(match byte {
            b'\r' | b'\n' => Key::Enter,
            b'\t' => Key::Tab,
            0x7f | 0x08 => Key::Backspace,
            0x01 => Key::Home,
            0x02 => Key::Left,
            0x03 => Key::Interrupt,
            0x04 => Key::Leave,
            0x05 => Key::End,
            0x06 => Key::Right,
            0x0b => Key::KillRight,
            0x0c => Key::Clear,
            0x0e => Key::Down,
            0x10 => Key::Up,
            0x12 => Key::Search,
            0x15 => Key::KillLeft,
            0x17 => Key::KillWord,
            0x19 => Key::Yank,
            0x1b => self.escape()?,
            0x00..=0x1f => Key::Other,
            first => Key::Char(self.char(first)?),
        }))
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        while self.ahead.is_empty() {
            let mut bytes = [0; 1024];
            match self.from.read(&mut bytes) {
                Ok(0) => return Ok(None),
                Ok(read) => self.ahead.extend(&bytes[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.ahead.pop_front())
    }

    /// The character that begins with this byte.
    fn char(&mut self, first: u8) -> io::Result<char> {
        let length = match first {
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf7 => 4,
            _ => 1,
        };
        let mut bytes = vec![first];
        while bytes.len() < length {
            match self.byte()? {
                Some(byte) => bytes.push(byte),
                None => break,
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn escape(&mut self) -> io::Result<Key> {
        Ok(match self.byte()? {
            Some(b'[') => self.sequence()?,
            Some(b'O') => match self.byte()? {
                Some(last) => arrow(last),
                None => Key::Other,
            },
            Some(b'b') => Key::WordLeft,
            Some(b'f') => Key::WordRight,
            Some(0x7f) => Key::KillWord,
            Some(next) => {
                // Escape alone, and a key that followed it.
                self.ahead.push_front(next);
                Key::Other
            }
            None => Key::Other,
        })
    }

    /// `ESC [`, numbers, and a last byte.
    fn sequence(&mut self) -> io::Result<Key> {
        let mut numbers = String::new();
        let last = loop {
            match self.byte()? {
                Some(byte @ 0x40..=0x7e) => break byte,
                Some(byte) if numbers.len() < 16 => numbers.push(byte.into()),
                _ => return Ok(Key::Other),
            }
        };
        Ok(match (numbers.as_str(), last) {
            ("200", b'~') => Key::Paste(self.paste()?),
            ("1" | "7", b'~') => Key::Home,
            ("4" | "8", b'~') => Key::End,
            ("3", b'~') => Key::Delete,
            ("1;5" | "1;3", b'C') => Key::WordRight,
            ("1;5" | "1;3", b'D') => Key::WordLeft,
            ("", last) => arrow(last),
            _ => Key::Other,
        })
    }

    /// Everything up to the closing bracket; what is too long for a statement is dropped.
    fn paste(&mut self) -> io::Result<String> {
        const CLOSING: &[u8] = b"\x1b[201~";
        let mut bytes = Vec::new();
        while let Some(byte) = self.byte()? {
            if bytes.len() as u64 <= SQL_FILE_BYTES || byte == 0x1b || bytes.ends_with(b"\x1b") {
                bytes.push(byte);
            } else {
                // The tail alone decides where the paste ends.
                let kept = bytes.len() - CLOSING.len();
                bytes.remove(kept);
                bytes.push(byte);
            }
            if bytes.ends_with(CLOSING) {
                bytes.truncate(bytes.len() - CLOSING.len());
                break;
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
    }
}

const fn arrow(last: u8) -> Key {
    match last {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'H' => Key::Home,
        b'F' => Key::End,
        _ => Key::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut keys = Keys::new(bytes);
        std::iter::from_fn(|| keys.next().expect("reads")).collect()
    }

    #[test]
    fn reads_what_terminals_send() {
        assert_eq!(
            keys("aé\x1b[A\x1b[1;5C\x1bOH\x1b[3~\x03\r".as_bytes()),
            [
                Key::Char('a'),
                Key::Char('é'),
                Key::Up,
                Key::WordRight,
                Key::Home,
                Key::Delete,
                Key::Interrupt,
                Key::Enter
            ]
        );
        assert_eq!(
            keys(b"\x1b[200~SELECT\r\n1;\r\x1b[201~x"),
            [Key::Paste("SELECT\n1;\n".to_owned()), Key::Char('x')]
        );
    }

    #[test]
    fn noise_neither_stops_nor_swallows_what_follows() {
        assert_eq!(keys(b"\x1b[99;99qa"), [Key::Other, Key::Char('a')]);
        assert_eq!(keys(b"\xffa"), [Key::Char('\u{fffd}'), Key::Char('a')]);
        assert_eq!(keys(b"\x1b"), [Key::Other]);
        assert_eq!(keys(b"\x1b\x03"), [Key::Other, Key::Interrupt]);
        assert_eq!(keys(b"\xe2"), [Key::Char('\u{fffd}')]);
    }
}
