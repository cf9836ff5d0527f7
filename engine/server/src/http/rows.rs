//! An answer on its way out: the first batch is awaited before the status line is written, so that a statement that
//! fails at once gets its error. One that fails later breaks the body off: it never looks complete.
//!
//! Where a limit was asked for, whether there are more rows is known only at the end: a trailer of the transfer says so,
//! and the JSON document itself.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TRAILER};
use axum::response::Response;
use futures::future;
use futures::stream::{self, StreamExt, TryStreamExt};
use http_body::Frame;
use http_body_util::StreamBody;
use tributary_engine_core::Error;
use tributary_engine_core::engine::Answer;

use super::answer::{self, RequestId};
use super::running::Ticket;
use super::wanted::Wanted;
use crate::encode::{self, More, Options};
use crate::error::Failure;

const TABLES: HeaderName = HeaderName::from_static("x-tributary-tables");
const LIMIT: HeaderName = HeaderName::from_static("x-tributary-limit");
const MORE: HeaderName = HeaderName::from_static("x-tributary-more");

/// Streams the rows of an answer as they are wanted.
pub(super) async fn respond(
    answer: Answer,
    wanted: &Wanted,
    mut ticket: Ticket,
    id: RequestId,
) -> Result<Response, Failure> {
    let more = wanted.limit.map(|_| More::default());
    let options = Options {
        neutral_formulas: wanted.neutral_formulas,
        more: more.clone(),
    };
    // First, since a format that cannot say the columns is no reason to run the statement.
    let encoding = wanted.encoding;
    let encoder = encoding.encoder_with(&answer.schema, &answer.freshness, &options)?;
    let answer = ticket.run(first_frame(answer)).await?;
    let mut headers = headers(&answer, wanted);
    let mut frames = ticket.attend(answer.frames);
    if let (Some(rows), Some(more)) = (wanted.limit, more.clone()) {
        headers.insert(LIMIT, rows.into());
        headers.insert(TRAILER, HeaderValue::from_static("x-tributary-more"));
        frames = encode::limited(frames, rows, more, wanted.since);
    }
    let bytes = encode::bytes(frames, encoder)
        .inspect_err(move |error| answer::log(&id, error))
        .map_ok(Frame::data);
    let trailers = stream::iter(more)
        .filter_map(|more| future::ready(said(&more).map(|said| Ok(Frame::trailers(said)))));
    let mut response = Response::new(Body::new(StreamBody::new(bytes.chain(trailers))));
    *response.headers_mut() = headers;
    Ok(response)
}

fn headers(answer: &Answer, wanted: &Wanted) -> HeaderMap {
    let tables: Vec<String> = answer
        .freshness
        .iter()
        .map(|(table, version)| format!("{table}={version}"))
        .collect();
    let media_type = HeaderValue::from_static(wanted.encoding.media_type());
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, media_type)]);
    if let Ok(tables) = HeaderValue::from_str(&tables.join(",")) {
        headers.insert(TABLES, tables);
    }
    headers
}

/// Whether there were more rows, once that is known.
fn said(more: &More) -> Option<HeaderMap> {
    let word = if *more.get()? { "true" } else { "false" };
    Some(HeaderMap::from_iter([(
        MORE,
        HeaderValue::from_static(word),
    )]))
}

/// The answer with its first frame known to be good.
async fn first_frame(mut answer: Answer) -> Result<Answer, Error> {
    let first = answer.frames.try_next().await?;
    answer.frames = stream::iter(first.map(Ok)).chain(answer.frames).boxed();
    Ok(answer)
}
