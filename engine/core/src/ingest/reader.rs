//! A request's body as a blocking `Read`, with the bound on its size. Knows no format.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Buf, Bytes};
use futures::StreamExt;
use futures::stream::Fuse;
use tokio::runtime::Handle;

use crate::engine::Body;
use crate::fault::{Error, Fault};
use crate::limits;

/// Reads a body chunk by chunk from a blocking thread of the runtime that owns the body.
pub struct BodyReader {
    body: Fuse<Body>,
    runtime: Handle,
    chunk: Bytes,
    bytes_read: Arc<AtomicU64>,
}

impl BodyReader {
    /// Must be called within the runtime that drives the body.
    pub fn new(body: Body) -> Self {
        Self {
            // Formats ask again after the end.
            body: body.fuse(),
            runtime: Handle::current(),
            chunk: Bytes::new(),
            bytes_read: Arc::default(),
        }
    }

    /// How many bytes have arrived so far; goes on counting.
    pub fn bytes_read(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bytes_read)
    }
}

impl Read for BodyReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.runtime.block_on(self.body.next()) {
                Some(chunk) => self.chunk = chunk.map_err(broken_off)?,
                None => return Ok(0),
            }
            let length = self.chunk.len() as u64;
            let bytes_read = self.bytes_read.fetch_add(length, Ordering::Relaxed) + length;
            if bytes_read > limits::INGEST_BODY_BYTES {
                return Err(carry(Error::limit(
                    "ingest_body_bytes",
                    limits::INGEST_BODY_BYTES,
                    "more",
                )));
            }
        }
        let length = self.chunk.len().min(into.len());
        self.chunk.copy_to_slice(&mut into[..length]);
        Ok(length)
    }
}

fn broken_off(error: io::Error) -> io::Error {
    carry(Error::new(Fault::Invalid, "body ended early").with_source(error))
}

/// An error of ours on its way through readers that know `io::Error` only.
pub fn carry(error: Error) -> io::Error {
    io::Error::other(error)
}

/// Whether an error of reading is one of ours on its way.
pub fn is_carried(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Error>())
}

/// What an error of reading means to the one who sent the body.
pub fn failed(error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(ours) => ours,
        Err(error) if error.kind() == io::ErrorKind::StorageFull => {
            Error::new(Fault::Full, "no room to spool the body").with_source(error)
        }
        Err(error) => Error::new(Fault::Invalid, "body ended early").with_source(error),
    }
}
