//! A request's body as a blocking `Read`, with the bound on its size. Knows no format.

use std::io::{self, Read};

use bytes::{Buf, Bytes};
use futures::StreamExt;
use futures::stream::Fuse;
use tokio::runtime::Handle;

use crate::engine::Body;
use crate::limits;

/// Reads a body chunk by chunk from a blocking thread of the runtime that owns the body.
pub struct BodyReader {
    body: Fuse<Body>,
    runtime: Handle,
    chunk: Bytes,
    bytes_read: u64,
}

impl BodyReader {
    /// Must be called within the runtime that drives the body.
    pub fn new(body: Body) -> Self {
        Self {
            // Formats ask again after the end.
            body: body.fuse(),
            runtime: Handle::current(),
            chunk: Bytes::new(),
            bytes_read: 0,
        }
    }
}

impl Read for BodyReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.runtime.block_on(self.body.next()) {
                Some(chunk) => self.chunk = chunk?,
                None => return Ok(0),
            }
            self.bytes_read += self.chunk.len() as u64;
            if self.bytes_read > limits::INGEST_BODY_BYTES {
                return Err(io::Error::new(
                    io::ErrorKind::FileTooLarge,
                    "body too large",
                ));
            }
        }
        let length = self.chunk.len().min(into.len());
        self.chunk.copy_to_slice(&mut into[..length]);
        Ok(length)
    }
}
