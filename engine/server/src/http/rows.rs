//! An answer on its way out: the first batch is awaited before the status line is written, so that a statement that
//! fails at once gets its error. One that fails later breaks the body off: it never looks complete.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use axum::response::Response;
use futures::stream::{self, StreamExt, TryStreamExt};
use tributary_engine_core::Error;
use tributary_engine_core::engine::Answer;

use super::answer::{self, RequestId};
use crate::encode::{self, Encoding};
use crate::error::Failure;

const TABLES: HeaderName = HeaderName::from_static("x-tributary-tables");

/// Streams the rows of an answer in one format.
pub(super) async fn respond(
    answer: Answer,
    encoding: Encoding,
    id: RequestId,
) -> Result<Response, Failure> {
    // First, since a format that cannot say the columns is no reason to run the statement.
    let encoder = encoding.encoder(&answer.schema, &answer.freshness)?;
    let answer = first_frame(answer).await?;
    let tables: Vec<String> = answer
        .freshness
        .iter()
        .map(|(table, version)| format!("{table}={version}"))
        .collect();
    let bytes =
        encode::bytes(answer.frames, encoder).inspect_err(move |error| answer::log(&id, error));
    let mut response = Response::new(Body::from_stream(bytes));
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static(encoding.media_type()),
    );
    if let Ok(tables) = HeaderValue::from_str(&tables.join(",")) {
        headers.insert(TABLES, tables);
    }
    Ok(response)
}

/// The answer with its first frame known to be good.
async fn first_frame(mut answer: Answer) -> Result<Answer, Error> {
    let first = answer.frames.try_next().await?;
    answer.frames = stream::iter(first.map(Ok)).chain(answer.frames).boxed();
    Ok(answer)
}
