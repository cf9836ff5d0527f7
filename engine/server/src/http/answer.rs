//! The outermost layer: a request id, an error body where a handler failed, headers, and one log line per request.
//!
//! A panic of a handler ends here as an internal error; the process and the other requests go on.

use std::any::Any;
use std::error::Error as _;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use tributary_engine_core::{Error, Fault};
use uuid::Uuid;

use crate::error::Failure;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names one request in its answer and in the log. Never the client's choice, so that a log line is not either.
#[derive(Clone, Debug)]
pub(super) struct RequestId(Arc<str>);

impl RequestId {
    fn new() -> Self {
        Self(Uuid::now_v7().to_string().into())
    }
}

/// Runs a request and finishes its answer.
pub(super) async fn finish(mut request: Request, next: Next) -> Response {
    let id = RequestId::new();
    let started = Instant::now();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    request.extensions_mut().insert(id.clone());

    let response = AssertUnwindSafe(next.run(request))
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| Failure::from(panicked(panic.as_ref())).into_response());
    let (response, failure) = with_error_body(response, &id);

    let status = response.status().as_u16();
    let elapsed_ms = started.elapsed().as_millis();
    tracing::info!(request_id = &*id.0, %method, path, status, elapsed_ms, "request");
    if let Some(failure) = failure {
        log(&id, failure.error());
    }
    with_headers(response, &id)
}

/// Writes the failure's body into the answer, where there is a failure.
fn with_error_body(mut response: Response, id: &RequestId) -> (Response, Option<Failure>) {
    let Some(failure) = response.extensions_mut().remove::<Failure>() else {
        return (response, None);
    };
    *response.body_mut() = failure.body(&id.0);
    response.headers_mut().extend(failure.headers());
    (response, Some(failure))
}

/// Answers are one principal's own: no cache keeps them, no browser guesses their type.
fn with_headers(mut response: Response, id: &RequestId) -> Response {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Logs an error at the place where it leaves the process. What the client caused is the client's to read: its message
/// may quote its data, which does not belong in our log.
pub(super) fn log(id: &RequestId, error: &Error) {
    let request_id = &*id.0;
    let code = error.fault().code();
    match error.fault() {
        Fault::Internal | Fault::Unavailable | Fault::Full => {
            let cause = error.source().map(ToString::to_string);
            tracing::error!(
                request_id,
                code,
                message = error.message(),
                cause,
                "request failed"
            );
        }
        _ => tracing::debug!(request_id, code, "request refused"),
    }
}

/// The text of a panic is for the log alone.
fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without text".to_owned());
    Error::internal("answer request", text)
        .with_hint("The request id finds this failure in the server's log.")
}
