//! Answers packed as they go, for clients that accept it: zstd or gzip, a chunk at a time, so that a slow query still shows
//! its first rows. Formats with a compression of their own are left alone.

use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, VARY,
};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use flate2::write::GzEncoder;
use http_body::{Frame, SizeHint};

use super::desk::Desk;
use crate::limits::COMPRESS_BYTES_MIN;

/// What pays: the texts that we answer with.
const PACKED: [&str; 3] = ["application/json", "application/x-ndjson", "text/csv"];

/// The fastest level: somebody waits for the bytes.
const ZSTD_LEVEL: i32 = 1;

/// Packs the answer where the client accepts it.
pub(super) async fn compress(
    State(desk): State<Arc<Desk>>,
    request: Request,
    next: Next,
) -> Response {
    let coding = Coding::accepted(request.headers());
    let mut response = next.run(request).await;
    if !desk.config.http.compression || !is_worth_it(&response) {
        return response;
    }
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("accept-encoding"));
    let Some(coding) = coding else {
        return response;
    };
    let Ok(packer) = Packer::new(coding) else {
        return response;
    };
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    headers.remove(CONTENT_LENGTH);
    response.map(|body| Body::new(Packed::new(body, packer)))
}

/// A text of unknown or considerable size that nobody has packed yet.
fn is_worth_it(response: &Response) -> bool {
    let headers = response.headers();
    let media_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_text = media_type.is_some_and(|media_type| {
        let ends = |byte: &u8| *byte == b';';
        let bare = media_type.split(ends).next().unwrap_or_default();
        PACKED.iter().any(|packed| packed.as_bytes() == bare)
    });
    let size = response.body().size_hint().exact();
    is_text
        && !headers.contains_key(CONTENT_ENCODING)
        && size.is_none_or(|bytes| bytes >= COMPRESS_BYTES_MIN)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Zstd,
    Gzip,
}

impl Coding {
    const fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// The one that the client wants most; of equals zstd, which packs better in less time.
    fn accepted(headers: &HeaderMap) -> Option<Self> {
        let said: Vec<(String, f32)> = headers
            .get_all(ACCEPT_ENCODING)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(weighted)
            .collect();
        let weight = |coding: Self| {
            let named = said.iter().find(|(name, _)| *name == coding.name());
            let any = said.iter().find(|(name, _)| name == "*");
            named.or(any).map_or(0.0, |(_, weight)| *weight)
        };
        let (zstd, gzip) = (weight(Self::Zstd), weight(Self::Gzip));
        match zstd.max(gzip) {
            most if most <= 0.0 => None,
            most if zstd >= most => Some(Self::Zstd),
            _ => Some(Self::Gzip),
        }
    }
}

/// `gzip;q=0.5`; a weight that cannot be read is none.
fn weighted(text: &str) -> (String, f32) {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let weight = parts
        .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
        .map_or(Some(1.0), |weight| weight.parse::<f32>().ok())
        .filter(|weight| (0.0..=1.0).contains(weight));
    (name, weight.unwrap_or(0.0))
}

enum Packer {
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    Gzip(GzEncoder<Vec<u8>>),
}

impl Packer {
    fn new(coding: Coding) -> io::Result<Self> {
        Ok(match coding {
            Coding::Zstd => Self::Zstd(zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)?),
            Coding::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::fast())),
        })
    }

    /// What a chunk is packed; complete, so that the client can unpack it at once.
    fn pack(&mut self, chunk: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Zstd(encoder) => {
                encoder.write_all(chunk)?;
                encoder.flush()?;
                Ok(std::mem::take(encoder.get_mut()))
            }
            Self::Gzip(encoder) => {
                encoder.write_all(chunk)?;
                encoder.flush()?;
                Ok(std::mem::take(encoder.get_mut()))
            }
        }
    }

    /// What tells the client that it has everything.
    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Zstd(encoder) => encoder.finish(),
            Self::Gzip(encoder) => encoder.finish(),
        }
    }
}

/// A body that is packed while it is sent. One that breaks off never gets its end.
struct Packed {
    body: Body,
    /// Absent once the end is written.
    packer: Option<Packer>,
    trailers: Option<HeaderMap>,
}

impl Packed {
    fn new(body: Body, packer: Packer) -> Self {
        Self {
            body,
            packer: Some(packer),
            trailers: None,
        }
    }

    /// The end of the packed bytes; trailers, if any, come after it.
    fn end(&mut self) -> Option<io::Result<Frame<Bytes>>> {
        let packer = self.packer.take()?;
        Some(packer.finish().map(|bytes| Frame::data(bytes.into())))
    }
}

impl HttpBody for Packed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        loop {
            if self.packer.is_none() {
                return Poll::Ready(self.trailers.take().map(|held| Ok(Frame::trailers(held))));
            }
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(self.end().map(|end| end.map_err(axum::Error::new))),
            };
            match frame.into_data() {
                Ok(chunk) => {
                    let Some(packer) = self.packer.as_mut() else {
                        continue;
                    };
                    let packed = packer.pack(&chunk).map_err(axum::Error::new)?;
                    if !packed.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(packed.into()))));
                    }
                }
                Err(frame) => {
                    self.trailers = frame.into_trailers().ok();
                    return Poll::Ready(self.end().map(|end| end.map_err(axum::Error::new)));
                }
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_as_the_client_wants_most() {
        for (accept, expected) in [
            ("", None),
            ("identity", None),
            ("br", None),
            ("gzip", Some(Coding::Gzip)),
            ("GZIP, deflate, br", Some(Coding::Gzip)),
            ("gzip, zstd", Some(Coding::Zstd)),
            ("gzip;q=1.0, zstd;q=0.5", Some(Coding::Gzip)),
            ("gzip;q=0", None),
            ("*", Some(Coding::Zstd)),
            ("*, zstd;q=0", Some(Coding::Gzip)),
            ("gzip;q=nan", None),
            ("*;q=0", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(accept));
            assert_eq!(Coding::accepted(&headers), expected, "{accept:?}");
        }
        assert_eq!(Coding::accepted(&HeaderMap::new()), None);
    }
}
