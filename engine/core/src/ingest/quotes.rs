//! Whether the quotes of a CSV file stand where RFC 4180 has them. The reader behind takes a stray quote for text, or a
//! missing one for the rest of the file; both would lose or join rows without a word.

use std::io::{self, Read};

/// Where in a field the last byte was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before its first byte.
    Start,
    /// In a field without quotes.
    Plain,
    /// In a quoted field.
    Quoted,
    /// After a quote in a quoted field: its end, or half of an escaped quote.
    Closing,
}

/// Follows the quotes of the bytes that pass.
pub struct Quotes {
    delimiter: u8,
    state: State,
    line: u64,
    opened: u64,
    stray: Option<u64>,
}

impl Quotes {
    pub const fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            state: State::Start,
            line: 1,
            opened: 1,
            stray: None,
        }
    }

    /// Takes in the next bytes of the file.
    pub fn follow(&mut self, bytes: &[u8]) {
        if !bytes.contains(&b'"') && self.state != State::Closing {
            self.skip(bytes);
            return;
        }
        for byte in bytes {
            self.state = match (self.state, byte) {
                (State::Start | State::Plain | State::Closing, byte)
                    if *byte == self.delimiter || matches!(byte, b'\n' | b'\r') =>
                {
                    State::Start
                }
                (State::Start, b'"') => {
                    self.opened = self.line;
                    State::Quoted
                }
                (State::Start, _) => State::Plain,
                (State::Quoted, b'"') => State::Closing,
                (State::Quoted, _) | (State::Closing, b'"') => State::Quoted,
                (State::Plain, b'"') | (State::Closing, _) => {
                    self.stray.get_or_insert(self.line);
                    State::Plain
                }
                (State::Plain, _) => State::Plain,
            };
            self.line += u64::from(*byte == b'\n');
        }
    }

    /// Bytes without a quote change the state only by their last one.
    fn skip(&mut self, bytes: &[u8]) {
        let Some(last) = bytes.last() else { return };
        self.line += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        if self.state != State::Quoted {
            let ends = *last == self.delimiter || matches!(last, b'\n' | b'\r');
            self.state = if ends { State::Start } else { State::Plain };
        }
    }

    /// The line of the first quote that stands where none may.
    pub const fn stray(&self) -> Option<u64> {
        self.stray
    }

    /// The line of a quote that was never closed; to be asked at the end of the file.
    pub fn unclosed(&self) -> Option<u64> {
        (self.state == State::Quoted).then_some(self.opened)
    }
}

/// A reader whose quotes are followed.
pub struct Followed<'a, R> {
    pub inner: R,
    pub quotes: &'a std::cell::RefCell<Quotes>,
}

impl<R: Read> Read for Followed<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(into)?;
        self.quotes.borrow_mut().follow(&into[..length]);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(text: &str, step: usize) -> (Option<u64>, Option<u64>) {
        let mut quotes = Quotes::new(b',');
        for bytes in text.as_bytes().chunks(step) {
            quotes.follow(bytes);
        }
        (quotes.stray(), quotes.unclosed())
    }

    #[test]
    fn knows_good_quotes_from_bad_however_the_bytes_arrive() {
        let cases = [
            ("a,b\n1,2\n", (None, None)),
            ("a,\"b\nc\"\r\n\"\",\"x\"\"y\"", (None, None)),
            ("a\n\"open\n1\n", (None, Some(2))),
            ("a\nplain\"quote\n", (Some(2), None)),
            ("a\n\"Miller\" Inc\n", (Some(2), None)),
            ("a\nD1,\"foo\nD2,bar\nD3,\"baz\n", (Some(4), None)),
        ];
        for (text, expected) in cases {
            for step in 1..=text.len() {
                assert_eq!(follow(text, step), expected, "{text:?} in steps of {step}");
            }
        }
    }
}
