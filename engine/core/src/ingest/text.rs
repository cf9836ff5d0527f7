//! The characters of a text file as UTF-8, whatever it is encoded in, and its lines by line feeds.
//!
//! A byte order mark is believed. Beyond that nothing is guessed: what looks like another encoding is an error that
//! names the option to send.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult};

use super::reader::carry;
use super::source::{Source, peek};
use crate::fault::{Error, Fault, Result};
use crate::reading::{Compression, Encoding};

/// Bytes of which the line ends are told.
const HEAD_BYTES: usize = 64 << 10;
/// Bytes decoded at once.
const RAW_BYTES: usize = 64 << 10;

/// What says in an error which encoding to send.
pub const OTHER_ENCODING: &str = "encoding=windows-1252 or the file's encoding";

/// A text file as UTF-8.
pub struct Text {
    /// Its characters, without a byte order mark.
    pub reader: Box<dyn Read>,
    /// What it is encoded in.
    pub encoding: Encoding,
    /// Whether lone carriage returns ended its lines; they are line feeds now.
    pub carriage_returns: bool,
    /// What it was packed with.
    pub compression: Option<Compression>,
}

impl Text {
    /// The text of an unpacked file.
    pub fn open(said: Option<Encoding>, source: Source) -> Result<Self> {
        refuse_binary(&source.magic)?;
        let (marked, mark_bytes) = mark(&source.magic)?;
        let encoding = match (said, marked) {
            (Some(said), Some(marked)) if said != marked => {
                return Err(Error::new(
                    Fault::Invalid,
                    format!(
                        "file begins with the byte order mark of {}, option \"encoding\" says {}",
                        marked.word(),
                        said.word()
                    ),
                )
                .with_hint("Leave \"encoding\" out: the mark says it."));
            }
            (said, marked) => said.or(marked).unwrap_or(Encoding::UTF_8),
        };
        if said.is_none() && marked.is_none() {
            refuse_unmarked(&source.magic)?;
        }
        let mut reader = source.reader;
        let mut skipped = vec![0; mark_bytes];
        reader
            .read_exact(&mut skipped)
            .map_err(super::reader::failed)?;
        if encoding != Encoding::UTF_8 {
            reader = Box::new(Decoded::new(reader, encoding));
        }
        let (head, reader) = peek(reader, HEAD_BYTES)?;
        // A carriage return at the very end of the head may be half of a line end.
        let inner = head.split_last().map_or(&[][..], |(_, inner)| inner);
        let carriage_returns = inner.contains(&b'\r') && !head.contains(&b'\n');
        Ok(Self {
            reader: if carriage_returns {
                Box::new(LineFeeds(reader))
            } else {
                reader
            },
            encoding,
            carriage_returns,
            compression: source.compression,
        })
    }
}

/// The encoding that a byte order mark names, and the mark's length.
fn mark(head: &[u8]) -> Result<(Option<Encoding>, usize)> {
    match head {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => Err(Error::new(
            Fault::Invalid,
            "file begins with the byte order mark of utf-32, which is not read",
        )
        .with_hint("Save the file as UTF-8.")),
        [0xEF, 0xBB, 0xBF, ..] => Ok((Some(Encoding::UTF_8), 3)),
        [0xFF, 0xFE, ..] => Ok((Some(Encoding::UTF_16LE), 2)),
        [0xFE, 0xFF, ..] => Ok((Some(Encoding::UTF_16BE), 2)),
        _ => Ok((None, 0)),
    }
}

/// Two bytes for each character and no mark.
fn refuse_unmarked(head: &[u8]) -> Result<()> {
    let alternate = |zero: usize| {
        let mut bytes = head.iter().enumerate();
        head.len() >= 4 && bytes.all(|(at, byte)| (*byte == 0) == (at % 2 == zero))
    };
    let encoding = match (alternate(1), alternate(0)) {
        (true, _) => Encoding::UTF_16LE,
        (_, true) => Encoding::UTF_16BE,
        _ => return Ok(()),
    };
    Err(Error::new(
        Fault::Invalid,
        format!(
            "line 1: has NUL bytes, as {} text without a byte order mark has",
            encoding.word()
        ),
    )
    .with_hint(format!("Send encoding={}.", encoding.word())))
}

/// Files of other programs that come under the name of a text file.
fn refuse_binary(head: &[u8]) -> Result<()> {
    let (what, hint) = match head {
        [b'P', b'K', 3, 4, ..] => (
            "a ZIP archive or a spreadsheet",
            "Unpack it, or save the sheet as CSV.",
        ),
        [0xD0, 0xCF, 0x11, 0xE0, ..] => ("a spreadsheet", "Save the sheet as CSV."),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, ..] => {
            ("packed with bzip2", "Pack it with gzip or zstd.")
        }
        [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => ("packed with xz", "Pack it with gzip or zstd."),
        [b'P', b'A', b'R', b'1', ..] => ("Parquet", "Send it as parquet."),
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] => ("an Arrow file", "Send it as arrow."),
        _ => return Ok(()),
    };
    Err(Error::new(Fault::Invalid, format!("file is {what}, not text")).with_hint(hint))
}

/// Lone carriage returns as line feeds.
struct LineFeeds<R>(R);

impl<R: Read> Read for LineFeeds<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.0.read(into)?;
        for byte in &mut into[..length] {
            if *byte == b'\r' {
                *byte = b'\n';
            }
        }
        Ok(length)
    }
}

/// Text of another encoding as UTF-8; a sequence that means nothing there is an error with its place.
struct Decoded<R> {
    inner: R,
    encoding: Encoding,
    decoder: Decoder,
    raw: Vec<u8>,
    raw_from: usize,
    raw_to: usize,
    is_last: bool,
    is_done: bool,
    text: Vec<u8>,
    text_from: usize,
    text_to: usize,
    line: u64,
    byte: u64,
}

impl<R: Read> Decoded<R> {
    fn new(inner: R, encoding: Encoding) -> Self {
        Self {
            inner,
            encoding,
            decoder: encoding.table().new_decoder_without_bom_handling(),
            raw: vec![0; RAW_BYTES],
            raw_from: 0,
            raw_to: 0,
            is_last: false,
            is_done: false,
            text: vec![0; RAW_BYTES * 2],
            text_from: 0,
            text_to: 0,
            line: 1,
            byte: 0,
        }
    }

    /// Decodes some more; leaves no text only at the end.
    fn fill(&mut self) -> io::Result<()> {
        (self.text_from, self.text_to) = (0, 0);
        while self.text_to == 0 && !self.is_done {
            if self.raw_from == self.raw_to && !self.is_last {
                self.raw_from = 0;
                self.raw_to = self.inner.read(&mut self.raw)?;
                self.is_last = self.raw_to == 0;
            }
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
                &self.raw[self.raw_from..self.raw_to],
                &mut self.text,
                self.is_last,
            );
            self.raw_from += read;
            self.text_to = written;
            let text = &self.text[..written];
            self.line += text.iter().filter(|byte| **byte == b'\n').count() as u64;
            self.byte += read as u64;
            match result {
                DecoderResult::Malformed(..) => return Err(carry(self.malformed())),
                DecoderResult::InputEmpty => self.is_done = self.is_last,
                DecoderResult::OutputFull => {}
            }
        }
        Ok(())
    }

    fn malformed(&self) -> Error {
        Error::new(
            Fault::Invalid,
            format!(
                "line {}: byte {} of the file is not {}",
                self.line,
                self.byte,
                self.encoding.word()
            ),
        )
        .with_hint("Send the file's own encoding.")
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.text_from == self.text_to {
            self.fill()?;
        }
        let length = (self.text_to - self.text_from).min(into.len());
        let text = &self.text[self.text_from..self.text_from + length];
        into[..length].copy_from_slice(text);
        self.text_from += length;
        Ok(length)
    }
}
