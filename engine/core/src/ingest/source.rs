//! The bytes of a file behind its compression: unpacked where it is packed, bounded in size and in growth.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::reader::{BodyReader, carry, failed, is_carried};
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::reading::Compression;

/// Bytes that are read at once of what is packed.
const PACKED_BUFFER_BYTES: usize = 64 << 10;
/// Bytes that tell a compression or a binary format.
const MAGIC_BYTES: usize = 8;

/// An unpacked file.
pub struct Source {
    /// Its bytes, from the first.
    pub reader: Box<dyn Read>,
    /// Its first bytes, as far as it has them.
    pub magic: Vec<u8>,
    /// What it was packed with.
    pub compression: Option<Compression>,
}

impl Source {
    /// Unpacks a body by its first bytes; an error where they say something else than `said`.
    pub fn open(said: Option<Compression>, body: BodyReader) -> Result<Self> {
        let arrived = body.bytes_read();
        let (magic, reader) = peek(Box::new(body), MAGIC_BYTES)?;
        let compression = packed_with(&magic);
        if let Some(said) = said.filter(|said| compression != Some(*said)) {
            return Err(Error::new(
                Fault::Invalid,
                format!("file is not packed with {}", said.word()),
            )
            .with_hint("Name it as what it is: the first bytes tell how a file is packed."));
        }
        let unpacked = match compression {
            None => return Ok(Self::plain(magic, reader, None)),
            Some(Compression::Gzip) => Unpacked::new(
                MultiGzDecoder::new(BufReader::with_capacity(PACKED_BUFFER_BYTES, reader)),
                "gzip",
                arrived,
            ),
            Some(Compression::Zstd) => Unpacked::new(unzstd(reader)?, "zstd", arrived),
        };
        let (magic, reader) = peek(Box::new(unpacked), MAGIC_BYTES)?;
        if packed_with(&magic).is_some() {
            return Err(Error::new(Fault::Invalid, "file is packed twice")
                .with_hint("Unpack it once before sending it."));
        }
        Ok(Self::plain(magic, reader, compression))
    }

    fn plain(magic: Vec<u8>, reader: Box<dyn Read>, compression: Option<Compression>) -> Self {
        Self {
            reader,
            magic,
            compression,
        }
    }

    /// Goes to an unnamed file, for formats that are read from their end or more than once.
    pub fn spool(self) -> Result<File> {
        let mut reader = self.reader;
        let mut file = tempfile::tempfile().map_err(failed_spool)?;
        let mut chunk = vec![0; PACKED_BUFFER_BYTES];
        loop {
            let length = reader.read(&mut chunk).map_err(failed)?;
            if length == 0 {
                break;
            }
            file.write_all(&chunk[..length]).map_err(failed_spool)?;
        }
        file.rewind().map_err(failed_spool)?;
        Ok(file)
    }
}

/// What an error of the spool file means.
pub fn failed_spool(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::StorageFull {
        return Error::new(Fault::Full, "no room to spool the body").with_source(error);
    }
    Error::internal("spool body", error)
}

/// The first bytes, and a reader that still has them.
pub fn peek(mut reader: Box<dyn Read>, bytes: usize) -> Result<(Vec<u8>, Box<dyn Read>)> {
    let mut head = Vec::with_capacity(bytes);
    reader
        .by_ref()
        .take(bytes as u64)
        .read_to_end(&mut head)
        .map_err(failed)?;
    let whole = Cursor::new(head.clone()).chain(reader);
    Ok((head, Box::new(whole)))
}

fn packed_with(magic: &[u8]) -> Option<Compression> {
    match magic {
        [0x1F, 0x8B, ..] => Some(Compression::Gzip),
        // A frame of data, or one to be skipped.
        [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => {
            Some(Compression::Zstd)
        }
        _ => None,
    }
}

fn unzstd(reader: Box<dyn Read>) -> Result<impl Read> {
    let buffered = BufReader::with_capacity(PACKED_BUFFER_BYTES, reader);
    let mut decoder = zstd::stream::read::Decoder::with_buffer(buffered)
        .map_err(|error| Error::internal("unpack body", error))?;
    decoder
        .window_log_max(limits::INGEST_ZSTD_WINDOW_LOG)
        .map_err(|error| Error::internal("unpack body", error))?;
    Ok(decoder)
}

/// Unpacked bytes, counted against those that arrived.
struct Unpacked {
    inner: Box<dyn Read>,
    word: &'static str,
    arrived: Arc<AtomicU64>,
    bytes: u64,
}

impl Unpacked {
    fn new(inner: impl Read + 'static, word: &'static str, arrived: Arc<AtomicU64>) -> Self {
        Self {
            inner: Box::new(inner),
            word,
            arrived,
            bytes: 0,
        }
    }
}

impl Read for Unpacked {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(into).map_err(|error| {
            if is_carried(&error) {
                return error;
            }
            let message = format!("{} data is damaged or cut short", self.word);
            carry(Error::new(Fault::Invalid, message).with_source(error))
        })?;
        self.bytes += length as u64;
        check_growth(self.bytes, self.arrived.load(Ordering::Relaxed)).map_err(carry)?;
        Ok(length)
    }
}

/// Refuses what is too large once unpacked, or grows too much by it.
pub fn check_growth(unpacked: u64, packed: u64) -> Result<()> {
    if unpacked > limits::INGEST_DECODED_BYTES {
        return Err(Error::limit(
            "ingest_decoded_bytes",
            limits::INGEST_DECODED_BYTES,
            "more",
        ));
    }
    let most = packed.saturating_mul(limits::INGEST_RATIO);
    if unpacked > limits::INGEST_RATIO_FREE_BYTES && unpacked > most {
        return Err(Error::limit(
            "ingest_ratio",
            format!("{} to 1", limits::INGEST_RATIO),
            "more",
        )
        .with_hint("Send the file unpacked."));
    }
    Ok(())
}
