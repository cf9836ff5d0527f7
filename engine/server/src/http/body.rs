//! The body of a request: as it arrives, or whole where it is small. Bounded in size and in patience, as the route says.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use bytes::{Bytes, BytesMut};
use futures::stream::{self, StreamExt};
use serde::de::{DeserializeOwned, Error as _};
use serde_json::value::RawValue;
use tributary_engine_core::engine::{self, Compression};
use tributary_engine_core::{Error, Fault};

use crate::error::Failure;

/// How much a route takes, by the name that the error says, and how long it waits for the next byte.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) name: &'static str,
    pub(super) bytes: u64,
    pub(super) idle: Duration,
}

impl Limit {
    fn of(head: &Parts) -> Result<Self, Error> {
        head.extensions
            .get::<Self>()
            .copied()
            .ok_or_else(|| Error::internal("read body", "the route takes no body"))
    }

    fn exceeded(self, asked: impl std::fmt::Display) -> Error {
        Error::limit(self.name, self.bytes, asked)
    }
}

/// A body as it arrives, and whether it was cut off for its size.
pub(super) struct Arriving {
    pub(super) body: engine::Body,
    pub(super) cut: Cut,
}

/// Knows whether a body was cut off because it is too long.
pub(super) struct Cut {
    limit: Limit,
    was_cut: Arc<AtomicBool>,
}

impl Cut {
    /// The error that it is, where the reader only saw its input break off.
    pub(super) fn explain(&self, error: Error) -> Error {
        if self.was_cut.load(Ordering::Acquire) {
            return self.limit.exceeded("more");
        }
        error
    }
}

/// The body as it arrives, packed or not: whoever unpacks it bounds what comes out. Refused at once where the head
/// already says that it is too long.
pub(super) fn arriving(head: &Parts, body: Body) -> Result<Arriving, Failure> {
    let limit = Limit::of(head)?;
    if let Some(announced) = announced_bytes(&head.headers).filter(|bytes| *bytes > limit.bytes) {
        return Err(limit.exceeded(announced).into());
    }
    let was_cut = Arc::new(AtomicBool::new(false));
    let cut = Cut {
        limit,
        was_cut: Arc::clone(&was_cut),
    };
    let start = Some((body.into_data_stream(), 0));
    let chunks = stream::unfold(start, move |state| {
        let was_cut = Arc::clone(&was_cut);
        async move {
            let (mut chunks, came) = state?;
            match tokio::time::timeout(limit.idle, chunks.next()).await {
                Ok(Some(Ok(bytes))) if came + bytes.len() as u64 > limit.bytes => {
                    was_cut.store(true, Ordering::Release);
                    Some((Err(io::ErrorKind::FileTooLarge.into()), None))
                }
                Ok(Some(Ok(bytes))) => {
                    let came = came + bytes.len() as u64;
                    Some((Ok(bytes), Some((chunks, came))))
                }
                Ok(Some(Err(error))) => Some((Err(io::Error::other(error)), None)),
                Ok(None) => None,
                Err(_) => Some((Err(io::ErrorKind::TimedOut.into()), None)),
            }
        }
    });
    Ok(Arriving {
        body: chunks.boxed(),
        cut,
    })
}

/// What the body is packed with, by its head.
pub(super) fn compression(headers: &HeaderMap) -> Result<Option<Compression>, Failure> {
    let mut codings = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .filter(|coding| *coding != "identity");
    let coding = codings.next();
    if codings.next().is_some() {
        return Err(Failure::unsupported_content_encoding());
    }
    let Some(coding) = coding else {
        return Ok(None);
    };
    match coding.as_bytes().to_ascii_lowercase().as_slice() {
        b"gzip" | b"x-gzip" => Ok(Some(Compression::Gzip)),
        b"zstd" => Ok(Some(Compression::Zstd)),
        _ => Err(Failure::unsupported_content_encoding()),
    }
}

/// The whole body, which fits in the limit and is not packed.
pub(super) async fn whole(head: &Parts, body: Body) -> Result<Bytes, Failure> {
    let codings = head.headers.get_all(CONTENT_ENCODING);
    if codings.iter().any(|coding| coding != "identity") {
        return Err(Failure::compressed_body());
    }
    let Arriving { mut body, cut } = arriving(head, body)?;
    let mut bytes = BytesMut::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| cut.explain(broken_off(error)))?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// What a JSON object says. Serde would take an array of the members' values as well, which nobody means.
pub(super) fn object<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(serde_json::Error::custom("an object is expected"));
    }
    serde_json::from_slice(bytes)
}

/// What an array of JSON objects says.
pub(super) fn objects<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<Vec<T>> {
    let parts: Vec<&RawValue> = serde_json::from_slice(bytes)?;
    let parts = parts.into_iter().map(|part| object(part.get().as_bytes()));
    parts.collect()
}

/// The media type of the body, without parameters, in lowercase.
pub(super) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let media_type = value.split(';').next()?.trim();
    Some(media_type.to_ascii_lowercase())
}

fn announced_bytes(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The client went away or fell silent: nobody may be left to read this.
fn broken_off(error: io::Error) -> Error {
    let fault = match error.kind() {
        io::ErrorKind::TimedOut => Fault::Timeout,
        _ => Fault::Invalid,
    };
    Error::new(fault, "the request body broke off").with_source(error)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Named {
        name: Option<String>,
    }

    #[test]
    fn an_array_is_no_object() {
        let named = Named {
            name: Some("a".to_owned()),
        };
        assert_eq!(object::<Named>(b" {\"name\": \"a\"}").ok(), Some(named));
        assert!(object::<Named>(b"[\"a\"]").is_err());
        assert!(object::<Named>(b"").is_err());
        let list = objects::<Named>(b"[{\"name\": null}, {}]");
        assert_eq!(list.expect("a list").len(), 2);
        assert!(objects::<Named>(b"[[null]]").is_err());
        assert!(objects::<Named>(b"{}").is_err());
    }
}
