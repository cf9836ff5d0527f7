//! The body of a request: as it arrives, or whole where it is small. Bounded in size and in patience.

use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use bytes::{Bytes, BytesMut};
use futures::stream::{self, StreamExt};
use tributary_engine_core::engine::{self, Compression};
use tributary_engine_core::{Error, Fault};

use crate::error::Failure;
use crate::limits::BODY_IDLE_SECONDS;

/// The largest body of a kind of request, by the name that the error says.
pub(super) struct Limit {
    pub(super) name: &'static str,
    pub(super) bytes: u64,
}

/// The body as it arrives. Refused at once where the head already says that it is too long or compressed.
pub(super) fn arriving(
    headers: &HeaderMap,
    body: Body,
    limit: &Limit,
) -> Result<engine::Body, Failure> {
    if headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|coding| coding != "identity")
    {
        return Err(Failure::compressed_body());
    }
    arriving_packed(headers, body, limit)
}

/// The body as it arrives, packed or not: whoever unpacks it bounds what comes out.
pub(super) fn arriving_packed(
    headers: &HeaderMap,
    body: Body,
    limit: &Limit,
) -> Result<engine::Body, Failure> {
    if let Some(announced) = announced_bytes(headers).filter(|bytes| *bytes > limit.bytes) {
        return Err(Error::limit(limit.name, limit.bytes, announced).into());
    }
    let chunks = stream::unfold(Some(body.into_data_stream()), |chunks| async {
        let mut chunks = chunks?;
        let idle = Duration::from_secs(BODY_IDLE_SECONDS);
        match tokio::time::timeout(idle, chunks.next()).await {
            Ok(Some(Ok(bytes))) => Some((Ok(bytes), Some(chunks))),
            Ok(Some(Err(error))) => Some((Err(io::Error::other(error)), None)),
            Ok(None) => None,
            Err(_) => Some((Err(io::ErrorKind::TimedOut.into()), None)),
        }
    });
    Ok(chunks.boxed())
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

/// The whole body, which fits in the limit.
pub(super) async fn whole(
    headers: &HeaderMap,
    body: Body,
    limit: &Limit,
) -> Result<Bytes, Failure> {
    let mut chunks = arriving(headers, body, limit)?;
    let mut bytes = BytesMut::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(broken_off)?;
        if (bytes.len() + chunk.len()) as u64 > limit.bytes {
            return Err(Error::limit(limit.name, limit.bytes, "more").into());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
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
